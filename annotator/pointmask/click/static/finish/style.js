/** The drawing style of the session: how large masks are drawn that nobody has judged. */

import { fill, h } from "../dom.js";
import { api, Refused } from "../model/api.js";
import { followed } from "../model/jobs.js";
import { t } from "../texts.js";
import { tellJob } from "./finish.js";

export class Style {
  /** @param {import("../model/page.js").Page} page @param {() => void} changed */
  constructor(page, changed) {
    Object.assign(this, { page, changed });
    const { style, limits } = page.session;
    this.read = h("output", {}, t.style.px(style));
    this.slider = h("input", {
      type: "range", min: limits.styles[0], max: limits.styles[1], step: 0.05, value: style, "aria-label": t.style.title,
      oninput: () => { this.read.textContent = t.style.px(Number(this.slider.value)); },
    });
    this.use = h("button", { type: "button", disabled: page.readOnly, onclick: () => this.accept() }, t.style.use);
    this.job = h("div.job", { "aria-live": "polite" });
    this.element = h("section", {}, h("h2", {}, t.style.title), h("p", {}, t.style.text),
      h("div.row", {}, t.style.tight, this.slider, t.style.halo, this.read), this.use, this.job);
  }

  async accept() {
    this.use.disabled = true;
    try {
      const answer = await api.style(Number(this.slider.value));
      await followed(answer.job, (state) => tellJob(this.job, state, t.calibrate.remade));
      await this.page.refreshSession();
      this.page.frames.known.clear();
      this.changed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(this.job, h("p", { role: "alert" }, [error.message, error.fix].filter(Boolean).join(" — ")));
    } finally {
      this.use.disabled = this.page.readOnly;
    }
  }
}
