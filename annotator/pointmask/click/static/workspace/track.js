/** Tracking from a frame on: started here, done by the server, shown frame by frame as it comes. */

import { api, Refused } from "../model/api.js";
import { t } from "../texts.js";

const POLL = 300; // ms

export class Track {
  /** @param {import("../model/page.js").Page} page @param {(text: string) => void} note @param {(share: {done: number, total: number} | null) => void} progress */
  constructor(page, note, progress) {
    Object.assign(this, { page, note, progress });
    /** @type {number | null} */ this.job = null;
  }

  /** @param {import("../model/frames.js").Frame} frame @param {number[]} targets  empty: all of the frame */
  async start(frame, targets) {
    if (!frame.facts?.sequence) {
      this.note(t.note.noSequence);
      return;
    }
    if (!frame.targets.size) {
      this.note(t.note.noTargets);
      return;
    }
    try {
      const { job } = await api.startJob("track", { image: frame.image, frame: frame.frame, targets });
      this.job = job;
      await this.follow(job);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.note([error.message, error.fix].filter(Boolean).join(" — "));
    } finally {
      this.job = null;
      this.progress(null);
    }
  }

  /** @param {number} job */
  async follow(job) {
    for (;;) {
      const answer = await api.job(job);
      this.progress(answer);
      this.page.pollSoon(0);
      if (answer.state !== "running" && answer.state !== "waiting") {
        if (answer.error) this.note(answer.error.message ?? answer.error);
        return;
      }
      await new Promise((done) => setTimeout(done, POLL));
    }
  }

  cancel() {
    if (this.job !== null) api.cancelJob(this.job).catch(() => {});
  }
}
