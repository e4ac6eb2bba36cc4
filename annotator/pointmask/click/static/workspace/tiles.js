/** Large frames: tiles of what is looked at, nearest to the pointer first, a few at a time. */

import { api } from "../model/api.js";

const AT_ONCE = 4;
const AFTER_FAILURE = 2000; // ms

export class Tiles {
  /** @param {import("../view/viewer.js").Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** @type {import("../model/frames.js").Frame | null} */ this.frame = null;
    /** @type {Set<string>} */ this.busy = new Set();
    this.pausedUntil = 0;
    viewer.addEventListener("view", () => this.fetch());
  }

  /** @param {import("../model/frames.js").Frame} frame */
  show(frame) {
    this.frame = frame.picture && !frame.picture.isWhole ? frame : null;
    this.fetch();
  }

  fetch() {
    const { frame, viewer } = this;
    if (!frame?.picture || performance.now() < this.pausedUntil) return;
    const missing = frame.picture.missing(viewer.view, viewer.width, viewer.height, viewer.hovered);
    for (const tile of missing) {
      if (this.busy.size >= AT_ONCE) return;
      const key = `${frame.image}/${frame.frame}/${tile.pool}/${tile.row}/${tile.col}`;
      if (!this.busy.has(key)) this.one(key, frame, tile);
    }
  }

  async one(key, frame, tile) {
    this.busy.add(key);
    try {
      const { pool, top, left, height, width } = tile;
      const plane = await api.samples(frame.facts, frame.image, frame.frame, { pool, top, left, height, width });
      frame.picture.addTile(tile, plane);
      if (frame === this.frame) this.viewer.refresh();
    } catch {
      this.pausedUntil = performance.now() + AFTER_FAILURE; // the overview stays; tried again when the view moves
    } finally {
      this.busy.delete(key);
    }
    this.fetch();
  }
}
