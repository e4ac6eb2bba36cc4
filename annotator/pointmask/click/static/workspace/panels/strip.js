/** The frames of a sequence as a strip: what is recorded of each, where the page is, and the blink with neighbours. */

import { h } from "../../dom.js";
import { api } from "../../model/api.js";

export class Strip {
  /** @param {import("../../model/page.js").Page} page @param {(image: number, frame: number) => void} open */
  constructor(page, open) {
    this.page = page;
    this.open = open;
    this.element = h("div.strip", { hidden: true });
    /** @type {import("../../model/frames.js").Frame | null} */ this.frame = null;
    this.wanted = 0;
  }

  show(frame) {
    this.frame = frame;
  }

  update() {}

  progress() {}

  /** @param {import("../../view/viewer.js").Viewer} viewer @param {1 | -1} step */
  async blink(viewer, step) {
    const { frame } = this;
    const turn = (this.wanted += 1);
    if (!frame) return;
    const next = await api.next(frame.image, frame.frame, step, "any");
    const entry = next.id === null ? null : await this.page.frames.load(next.id, next.frame);
    const { picture } = entry ?? {};
    if (turn !== this.wanted || !picture || picture.width !== frame.picture?.width || picture.height !== frame.picture.height) return;
    viewer.blink = picture;
    viewer.refreshTable();
  }

  /** @param {import("../../view/viewer.js").Viewer} viewer */
  unblink(viewer) {
    this.wanted += 1;
    if (!viewer.blink) return;
    viewer.blink = null;
    viewer.refreshTable();
  }
}
