/** The flat view: each frame minus its local median, for looking only, until it is switched off. */

import { h } from "../dom.js";
import { t } from "../texts.js";

/** @typedef {import("../model/frames.js").Frame | import("../model/frames.js").Flat} Look  what is shown of a frame */

export class FlatView {
  /** @param {import("./workspace.js").Workspace} work */
  constructor(work) {
    this.work = work;
    this.isOn = false;
    this.badge = h("span.badge", { hidden: true }, t.stage.flat);
  }

  /** @param {import("../model/frames.js").Frame} frame @returns {Promise<Look>} the frame itself if there is no flat view */
  async look(frame) {
    return this.isOn && frame.picture ? this.work.page.frames.flat(frame).catch(() => frame) : frame;
  }

  /** @param {any} look */
  show(look) {
    const { viewer, tiles, windows } = this.work;
    viewer.show(look.picture, true);
    tiles.show(look);
    if (look.picture) windows.show(look);
    this.badge.hidden = !look.isFlat;
  }

  async toggle() {
    const { frame } = this.work;
    this.isOn = !this.isOn;
    if (!frame) return;
    const { classList } = this.work.stageBox;
    classList.add("waiting"); // a large frame takes a second
    const look = await this.look(frame);
    classList.remove("waiting");
    if (frame === this.work.frame && Boolean(look.isFlat) === this.isOn) this.show(look);
  }
}
