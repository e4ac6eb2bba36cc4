/** The mask that a click would give, while the pointer rests: one request at a time, the newest place only. */

import { api, Refused, timing } from "../model/api.js";
import { settings } from "../model/settings.js";
import { unpacked } from "../view/bits.js";

const REST = 60; // ms that the pointer must be still
const QUICK = 40; // ms of round trip below which it is on by itself
const AFTER_FAILURE = 3000; // ms

export class Preview {
  /** @param {() => void} redraw */
  constructor(redraw) {
    this.redraw = redraw;
    /** @type {import("../view/overlay.js").Mark | null} */ this.mark = null;
    /** @type {any} */ this.wanted = null;
    this.isBusy = false;
    this.timer = 0;
    this.pausedUntil = 0;
    this.requests = 0;
  }

  get isOn() {
    return settings.preview === "on" || (settings.preview === "auto" && timing.preview < QUICK);
  }

  /** @param {import("../model/frames.js").Frame} frame @param {{row: number, col: number}} pixel */
  rest(frame, pixel) {
    if (this.wanted && this.wanted.row === pixel.row && this.wanted.col === pixel.col && this.wanted.image === frame.image && this.wanted.frame === frame.frame) return;
    this.clear();
    this.wanted = { image: frame.image, frame: frame.frame, ...pixel };
    if (!this.isOn || performance.now() < this.pausedUntil) return;
    this.timer = window.setTimeout(() => this.ask(), REST);
  }

  clear() {
    clearTimeout(this.timer);
    this.wanted = null;
    if (this.mark) {
      this.mark = null;
      this.redraw();
    }
  }

  async ask() {
    if (this.isBusy || !this.wanted) return;
    const { image, frame, row, col } = this.wanted;
    const asked = this.wanted;
    this.isBusy = true;
    try {
      const start = performance.now();
      this.requests += 1;
      const { target } = await api.preview({ image, frame, row, col });
      timing.preview += (performance.now() - start - timing.preview) / 4;
      if (asked === this.wanted) {
        this.mark = {
          mask: unpacked(target.mask), point: target.point, centre: target.centre, kind: "preview",
          text: target.confidence === null ? "" : target.confidence.toFixed(2), selected: false,
        };
        this.redraw();
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.passes) this.pausedUntil = performance.now() + AFTER_FAILURE;
    } finally {
      this.isBusy = false;
    }
    if (this.wanted && asked !== this.wanted) this.timer = window.setTimeout(() => this.ask(), 0);
  }
}
