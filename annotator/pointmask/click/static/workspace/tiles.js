/** Large frames: tiles of what is looked at, nearest to the pointer first, a few at a time. */

import { api } from "../model/api.js";
import { poolOf } from "../view/geometry.js";
import { pooled, sourceOf } from "../view/pool.js";

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

  /**
   * The pixel that is meant by a place on a large frame's overview: the one whose sample is shown there.
   * @param {{row: number, col: number}} pixel  the first of its block
   */
  async meant(pixel) {
    const { frame } = this;
    if (!frame?.picture) return pixel;
    const { height, width, polarity } = frame.picture;
    const pool = poolOf(this.viewer.view.scale);
    const part = { top: pixel.row, left: pixel.col, height: Math.min(pool, height - pixel.row), width: Math.min(pool, width - pixel.col) };
    try {
      const plane = await api.samples(frame.facts, frame.image, frame.frame, part);
      const { row, col } = sourceOf(plane, pool, 0, 0, pooled(plane, pool, polarity).data[0]);
      return { row: pixel.row + row, col: pixel.col + col };
    } catch {
      return pixel; // the server is away: the click waits for it as it is
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
