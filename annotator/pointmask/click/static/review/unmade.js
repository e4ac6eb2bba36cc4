/** Masks of given points that nobody has looked at yet: their confidence is not known, so they come last, by name. */

import { fill, h } from "../dom.js";
import { Refused } from "../model/api.js";
import { follow } from "../model/jobs.js";
import { t } from "../texts.js";

export class Unmade {
  /**
   * @param {import("../model/page.js").Page} page @param {(text: string) => void} note
   * @param {() => void} done  called when they are made
   */
  constructor(page, note, done) {
    Object.assign(this, { page, note, done });
    this.isBusy = false;
    this.text = h("span", { role: "status" });
    this.button = h("button", { type: "button", hidden: page.readOnly, onclick: () => this.make() }, t.review.makeMasks);
    this.element = h("p.unmade", { hidden: true }, this.text, " ", this.button);
  }

  /** @param {number} number  of such masks */
  tell(number) {
    if (this.isBusy) return;
    this.element.hidden = !number;
    fill(this.text, t.review.unmade(number));
  }

  async make() {
    this.isBusy = this.button.disabled = true;
    try {
      const job = await follow("fill", {}, (state) => fill(this.text, t.finish.running(state.done, state.total)));
      if (job.error) this.note(job.error);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.note(error.message);
    } finally {
      this.isBusy = this.button.disabled = false;
    }
    this.done();
  }
}
