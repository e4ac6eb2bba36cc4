/** Going from image to image: steps are made one after the other, each from where the last one led. */

import { api } from "../model/api.js";
import { t } from "../texts.js";

const MOST = 8; // steps that wait
const PATIENCE = 1000; // ms for an image that was gone to; another view may have been opened meanwhile

export class Walk {
  /** @param {import("./workspace.js").Workspace} work */
  constructor(work) {
    this.work = work;
    this.waiting = 0;
    this.last = Promise.resolve();
    /** Called when an image is shown. */ this.shown = () => {};
  }

  /** @param {1 | -1} step @param {"any" | "unmarked" | "proposed"} want @param {boolean} [isHeld] the key repeats */
  go(step, want, isHeld = false) {
    return this.queued(isHeld, async (image, frame) => {
      const next = await api.next(image, frame, step, want);
      if (next.id !== null) return next;
      this.work.shell.note(t.note.noMore[want](step));
      return null;
    });
  }

  /** First or last frame of the folder or file. @param {1 | -1} side */
  toEnd(side) {
    return this.queued(false, async (image) => {
      const { facts } = this.work.frame ?? {};
      if (!facts) return null;
      if ((facts.frames ?? 1) > 1) return { id: image, frame: side < 0 ? 0 : facts.frames - 1 };
      const folder = facts.folders.at(-1) ?? 0;
      const { total } = await api.images(folder, 0, 1);
      const { rows } = await api.images(folder, side < 0 ? 0 : total - 1, 1);
      return rows[0] ? { id: rows[0].id, frame: 0 } : null;
    });
  }

  /**
   * A key that is held down does not run ahead of what is seen; one that is pressed again and again may.
   * @param {boolean} isHeld
   * @param {(image: number, frame: number) => Promise<{id: number, frame: number} | null>} find
   */
  queued(isHeld, find) {
    if (this.waiting >= (isHeld ? 1 : MOST)) return this.last;
    this.waiting += 1;
    this.last = this.last.then(() => this.one(find)).finally(() => (this.waiting -= 1));
    return this.last;
  }

  async one(find) {
    const { frame, shell } = this.work;
    if (!frame) return;
    try {
      const next = await find(frame.image, frame.frame);
      if (!next || (next.id === frame.image && next.frame === frame.frame)) return;
      const shown = new Promise((done) => (this.shown = () => done(undefined)));
      shell.go(`#/i/${next.id}/${next.frame}`);
      await Promise.race([shown, new Promise((done) => setTimeout(done, PATIENCE))]);
    } catch (error) {
      shell.note(/** @type {Error} */ (error).message);
    }
  }
}
