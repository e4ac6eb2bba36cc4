/** Contact sheet: 24 targets at once; pick out the wrong ones, accept the rest. */

import { count, h } from "../dom.js";
import { t } from "../texts.js";

const SIZE = 24;
const TILE = 140; // CSS px

export class Sheet {
  /**
   * @param {import("../model/page.js").Page} page @param {import("./queue.js").Queue} queue
   * @param {import("./crops.js").Crops} crops
   * @param {{open: (place: number) => void, note: (text: string) => void,
   *     done: (places: {picked: number[], accepted: number[], end: number}) => void}} doing
   */
  constructor(page, queue, crops, doing) {
    Object.assign(this, { page, queue, crops, doing });
    this.isOpen = false;
    this.first = 0;
    /** @type {Set<number>} */ this.picked = new Set();
    /** @type {HTMLButtonElement[]} */ this.tiles = [];
    this.list = h("ul.sheet-tiles", { "aria-label": t.sheet.title });
    this.element = h("div.sheet", { hidden: true }, h("p.hint", {}, t.sheet.help), this.list,
      h("div.row.buttons", {}, h("button.primary", { type: "button", onclick: () => this.accept() }, t.sheet.accept)));
  }

  /** @param {number} place */
  async open(place) {
    this.isOpen = true;
    this.element.hidden = false;
    this.first = place;
    this.picked.clear();
    const places = Array.from({ length: Math.min(SIZE, this.queue.total - place) }, (_, i) => place + i);
    this.tiles = [];
    const rows = await Promise.all(places.map((each) => this.queue.at(each)));
    this.list.replaceChildren(...rows.map((row, i) => this.tile(row, place + i)));
    this.tiles[0]?.focus();
  }

  close() {
    this.isOpen = false;
    this.element.hidden = true;
  }

  tile(row, place) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const label = row.confidence === null ? t.targets.byHand : count(row.confidence, 2);
    const button = h("button.sheet-tile", { type: "button", "aria-pressed": "false", "aria-label": t.sheet.tile(place + 1, row), onclick: () => this.toggle(place), onkeydown: (event) => this.key(event, place) },
      canvas, h("span.caption", {}, h("b", {}, label), h("span", {}, t.targets.area(row.area)), h("span.cross", { "aria-hidden": "true" }, "×")));
    this.tiles.push(button);
    this.draw(canvas, row);
    return h("li", {}, button);
  }

  async draw(canvas, row) {
    try {
      const crop = await this.crops.get(row);
      const scale = Math.max(1, Math.floor((TILE * window.devicePixelRatio) / Math.max(crop.plane.width, crop.plane.height)));
      this.crops.draw(canvas, crop, "mask", scale, null, true);
    } catch {
      canvas.replaceWith(h("span.hint", {}, t.sheet.missing));
    }
  }

  /** @param {number} place */
  toggle(place) {
    if (!this.picked.delete(place)) this.picked.add(place);
    this.tiles[place - this.first].setAttribute("aria-pressed", String(this.picked.has(place)));
  }

  /** @param {KeyboardEvent} event @param {number} place */
  key(event, place) {
    const across = Math.max(1, Math.round(this.list.clientWidth / (this.tiles[0]?.parentElement?.offsetWidth || 1)));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
    if (event.code in steps) this.focusTile(place - this.first + steps[event.code]);
    else if (event.code === "KeyX" || event.code === "Space") this.toggle(place);
    else if (event.code === "Enter") this.accept();
    else if (event.code === "KeyO") this.doing.open(place);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} step */
  move(step) {
    this.focusTile(this.tiles.indexOf(/** @type {any} */ (document.activeElement)) + step);
  }

  focusTile(index) {
    this.tiles[Math.min(Math.max(index, 0), this.tiles.length - 1)]?.focus();
  }

  /** Accept all that were not picked out. */
  async accept() {
    const places = this.tiles.map((_, i) => this.first + i);
    const accepted = places.filter((place) => !this.picked.has(place) && !this.queue.rows[place].verdict);
    for (const place of accepted) {
      const row = this.queue.rows[place];
      const frame = await this.page.frames.load(row.id, row.frame);
      if (!frame.targets.has(row.target)) continue;
      if (!this.page.edit(frame, { op: "set", target: row.target, verdict: "accepted" })) return;
      row.verdict = "accepted";
    }
    this.doing.done({ picked: [...this.picked].sort((a, b) => a - b), accepted, end: this.first + places.length });
  }
}
