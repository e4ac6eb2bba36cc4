/** Paint mode: single pixels of the selected target, in strokes; a stroke is one step of undo. */

import { runsOfPixels } from "../view/bits.js";
import { lineOf } from "../view/geometry.js";

const BRUSHES = [1, 3, 5];
const ADDS = "rgba(31, 224, 192, .8)";
const CLEARS = "rgba(255, 79, 109, .8)";

export class Paint {
  /**
   * @param {import("../view/viewer.js").Viewer} viewer
   * @param {{stroke: (set: number[][], clear: number[][]) => void,
   *     superpixel: (pixel: {row: number, col: number}, add: boolean) => void}} doing
   */
  constructor(viewer, doing) {
    this.viewer = viewer;
    this.doing = doing;
    this.isOn = false;
    this.bySuperpixel = false; // while X is held
    this.size = 0;
    /** @type {Map<string, {row: number, col: number}>} */ this.pixels = new Map();
    this.clears = false;
    /** @type {{row: number, col: number} | null} */ this.last = null;
  }

  /** @param {boolean} on */
  toggle(on) {
    this.isOn = on;
    this.pixels.clear();
    this.viewer.brush = on ? BRUSHES[this.size] : 1;
    this.viewer.extra = on ? (context, view) => this.draw(context, view) : null;
    this.viewer.host.classList.toggle("painting", on);
    this.viewer.refreshMarks();
  }

  /** @param {number} by @returns {number} pixels along the brush's side */
  resize(by) {
    this.size = Math.min(Math.max(this.size + by, 0), BRUSHES.length - 1);
    this.viewer.brush = BRUSHES[this.size];
    this.viewer.refreshMarks();
    return BRUSHES[this.size];
  }

  /** @param {{row: number, col: number}} pixel @param {PointerEvent} event @param {"begin" | "go" | "end" | "cancel"} phase */
  stroke(pixel, event, phase) {
    if (this.bySuperpixel && phase === "begin") {
      this.doing.superpixel(pixel, event.button !== 2);
      this.last = null;
      return;
    }
    if (phase === "begin") {
      this.pixels.clear();
      this.clears = event.button === 2;
      this.last = pixel;
    }
    if (!this.last) return;
    if (phase === "cancel") this.pixels.clear();
    else for (const each of lineOf(this.last, pixel)) this.dab(each);
    this.last = pixel;
    if (phase === "end") {
      this.last = null;
      this.commit();
    }
    this.viewer.refreshMarks();
  }

  /** One pixel by the keyboard. @param {{row: number, col: number}} pixel @param {boolean} clears */
  single(pixel, clears) {
    if (this.bySuperpixel) {
      this.doing.superpixel(pixel, !clears);
      return;
    }
    this.clears = clears;
    this.pixels.clear();
    this.dab(pixel);
    this.commit();
  }

  dab({ row, col }) {
    const half = Math.floor(BRUSHES[this.size] / 2);
    for (let r = row - half; r <= row + half; r += 1) {
      for (let c = col - half; c <= col + half; c += 1) {
        if (this.viewer.picture?.holds(r, c)) this.pixels.set(`${r}/${c}`, { row: r, col: c });
      }
    }
  }

  commit() {
    const runs = runsOfPixels(this.pixels.values());
    this.pixels.clear();
    if (runs.length) this.doing.stroke(this.clears ? [] : runs, this.clears ? runs : []);
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../view/geometry.js").View} view */
  draw(context, view) {
    context.fillStyle = this.clears ? CLEARS : ADDS;
    const side = Math.max(view.scale, 1);
    for (const { row, col } of this.pixels.values()) {
      context.fillRect(view.x + col * view.scale, view.y + row * view.scale, side, side);
    }
  }
}
