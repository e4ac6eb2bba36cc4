/** The line under the image: what lies under the pointer, and how the page is doing. */

import { count, h, quantity, rounded, setText } from "../../dom.js";
import { api, timing } from "../../model/api.js";
import { t } from "../../texts.js";
import { around } from "../../view/around.js";
import { scaleText } from "../../view/geometry.js";
import { isWhole } from "./window.js";

const EXACT_AFTER = 120; // ms of rest before a coded sample's exact value is asked for

export class Status {
  constructor() {
    const item = (name) => h(`span.${name}`);
    this.place = item("place");
    this.value = item("value");
    this.background = item("background");
    this.contrast = item("contrast");
    this.zoom = item("zoom");
    this.level = item("level");
    this.time = item("time");
    this.background.title = t.status.backgroundHelp;
    this.contrast.title = t.status.contrastHelp;
    this.timer = 0;
    this.element = h("footer.status", {}, this.place, this.value, this.background, this.contrast, h("span.gap"), this.level, this.zoom, this.time);
  }

  /** @param {import("../../../model/frames.js").Frame | null} frame @param {{row: number, col: number} | null} pixel */
  read(frame, pixel) {
    clearTimeout(this.timer);
    const { facts, picture } = frame ?? {};
    if (!facts || !picture || !pixel) {
      for (const item of [this.place, this.value, this.background, this.contrast]) setText(item, "");
      return;
    }
    setText(this.place, t.status.place(pixel.col, pixel.row));
    const value = picture.value(pixel.row, pixel.col);
    setText(this.value, t.status.value(quantity(value, isWhole(facts.type))));
    const ground = value === null ? null : around(picture, pixel.row, pixel.col);
    setText(this.background, ground ? t.status.background(rounded(ground.median), rounded(ground.sigma)) : "");
    const contrast = ground && ground.sigma > 0 ? (value - ground.median) / ground.sigma : NaN;
    setText(this.contrast, Number.isFinite(contrast) ? t.status.contrast(count(contrast, 1)) : "");
    if (!picture.code.exact || value === null) this.timer = window.setTimeout(() => this.ask(frame, pixel), EXACT_AFTER);
  }

  /** The file's own number, where samples travel coded. */
  async ask(frame, { row, col }) {
    const place = this.place.textContent;
    try {
      const answer = await api.value(frame.image, frame.frame, row, col);
      if (this.place.textContent === place) setText(this.value, t.status.value(answer.value));
    } catch {
      // The value as coded stays.
    }
  }

  /** @param {import("../../../view/viewer.js").Viewer} viewer @param {string} level */
  tell(viewer, level) {
    setText(this.zoom, t.status.zoom(scaleText(viewer.view.scale)));
    setText(this.level, level);
    setText(this.time, timing.last ? t.status.time(count(timing.last)) : "");
    this.time.title = t.status.timeHelp(count(timing.server, 1));
  }
}
