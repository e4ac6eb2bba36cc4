/**
 * The mask that a click would give, while the pointer rests, and from the moment that the button goes down: one
 * request at a time, the newest place only.
 */

import { api, Refused, timing } from "../model/api.js";
import { settings } from "../model/settings.js";
import { unpacked } from "../view/bits.js";

const REST = 60; // ms that the pointer must be still
const PRESSED = 15; // ms that the button must be down: the click of a program is not held up by a request before it
const QUICK = 40; // ms of round trip below which it is on by itself
const AFTER_FAILURE = 3000; // ms

export class Preview {
  /** @param {(mark: import("../view/overlay.js").Mark | null) => void} draw */
  constructor(draw) {
    this.draw = draw;
    /** @type {import("../view/overlay.js").Mark | null} */ this.mark = null;
    /** @type {any} */ this.wanted = null;
    /** @type {any} the last place that was answered, and its mark */ this.answered = null;
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
    if (same(this.wanted, frame, pixel)) return;
    this.clear();
    this.want(frame, pixel, REST);
  }

  /**
   * The button went down: what it will make is asked for, and shown when the click is done.
   * @param {import("../model/frames.js").Frame} frame @param {{row: number, col: number}} pixel
   */
  press(frame, pixel) {
    this.clear();
    if (!same(this.answered, frame, pixel)) this.want(frame, pixel, PRESSED, true);
  }

  /** The mask of a click here, if the server has told it and nothing was edited since. */
  maskAt(frame, pixel) {
    return same(this.answered, frame, pixel) ? this.answered.mark.mask : null;
  }

  want(frame, pixel, wait, isHidden = false) {
    this.wanted = { image: frame.image, frame: frame.frame, revision: frame.revision, isHidden, ...pixel };
    if (!this.isOn || performance.now() < this.pausedUntil) return;
    this.timer = window.setTimeout(() => this.ask(), wait);
  }

  clear() {
    clearTimeout(this.timer);
    this.wanted = null;
    if (this.mark) {
      this.mark = null;
      this.draw(null);
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
      /** @type {import("../view/overlay.js").Mark} */
      const mark = {
        mask: unpacked(target.mask), point: target.point, centre: target.centre, kind: "preview",
        text: target.confidence === null ? "" : target.confidence.toFixed(2), selected: false, dashed: true,
      };
      this.answered = { ...asked, mark };
      if (asked === this.wanted && !asked.isHidden) {
        this.mark = mark;
        this.draw(mark);
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

/** Whether a place is this one, in the frame as it is. */
function same(place, frame, { row, col }) {
  return place !== null && place.row === row && place.col === col && place.image === frame.image && place.frame === frame.frame && place.revision === frame.revision;
}
