/** Tracking from a frame on: started here, done by the server, shown frame by frame as it comes. */

import { api } from "../model/api.js";
import { follow } from "../model/jobs.js";
import { settings } from "../model/settings.js";
import { t } from "../texts.js";

const REST = 500; // ms without an edit before a corrected track is carried on again
const MOVES = ["add", "set", "drop", "accept"]; // edits that change where targets are

export class Track {
  /**
   * @param {import("../model/page.js").Page} page @param {(text: string) => void} note
   * @param {import("./panels/strip.js").Strip} strip
   */
  constructor(page, note, strip) {
    Object.assign(this, { page, note, strip });
    /** @type {number | null} */ this.job = null;
    this.timer = 0;
    strip.cancel = () => {
      if (this.job !== null) api.cancelJob(this.job).catch(() => {});
    };
  }

  /** Targets are carried together: a frame with points is complete. @param {import("../model/frames.js").Frame} frame */
  async start(frame) {
    clearTimeout(this.timer);
    if (!frame.facts?.sequence) this.note(t.note.noSequence);
    else if (!frame.targets.size) this.note(t.note.noTargets);
    else if (this.page.readOnly) this.note(t.note.readOnly);
    else if (this.job !== null) this.corrected(frame); // after the one that runs
    else await this.run(frame);
  }

  /** @param {import("../model/frames.js").Frame} frame */
  async run(frame) {
    this.job = -1;
    this.page.ownJobs += 1;
    try {
      const last = await follow("track", { image: frame.image, frame: frame.frame }, (state) => {
        this.job = state.job;
        this.strip.progress(state);
        this.page.pollSoon(0);
      });
      if (last.state === "done") this.note(t.note.tracked(last.result.frames));
      else if (last.error) this.note(last.error);
    } catch (error) {
      this.note(/** @type {Error} */ (error).message);
    } finally {
      this.job = null;
      this.strip.progress(null);
      await this.page.poll();
      this.page.ownJobs -= 1;
    }
  }

  /** A frame whose followers were carried was edited: what comes after it is carried again, after a rest. */
  edited(op, frame) {
    if (settings.retrack && MOVES.includes(op) && this.strip.isCarriedAfter(frame)) this.corrected(frame);
  }

  /** @param {import("../model/frames.js").Frame} frame */
  corrected(frame) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.start(frame), REST);
  }
}
