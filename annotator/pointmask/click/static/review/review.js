/** The queue of doubtful masks: one target per screen, a key per verdict, the next ones already there. */

import { bdi, count, fill, h, setText } from "../dom.js";
import { api, Refused } from "../model/api.js";
import { Paint } from "../workspace/paint.js";
import { confidence } from "../workspace/panels/targets.js";
import { presetWindow } from "../workspace/panels/window.js";
import { marksOf } from "../workspace/marks.js";
import { t } from "../texts.js";
import { listen } from "../view/gestures.js";
import { Viewer } from "../view/viewer.js";
import { Crops } from "./crops.js";
import { Filters } from "./filters.js";
import { Progress } from "./progress.js";
import { Queue } from "./queue.js";
import { Sheet } from "./sheet.js";
import { Unmade } from "./unmade.js";

const AHEAD = 5;
const CONTEXT_SCALE = 4; // device px a pixel around the target
const STEP = 0.02;

export class Review {
  /** @param {import("../model/page.js").Page} page @param {any} shell */
  constructor(page, shell) {
    this.page = page;
    this.shell = shell;
    this.crops = new Crops();
    this.queue = new Queue();
    this.progress = new Progress();
    this.place = 0;
    /** @type {import("../model/frames.js").Frame | null} */ this.frame = null;
    this.filters = new Filters(page, () => this.refresh());
    this.unmade = new Unmade(page, (text) => shell.note(text), () => this.refresh());
    this.line = h("p.progress-line", { role: "status" });
    this.pictures = ["image", "soft", "mask"].map((what) => ({ what, canvas: h("canvas", { role: "img", "aria-label": t.review.pictures[what] }) }));
    this.stage = h("div.stage", { role: "application", tabIndex: 0, "aria-roledescription": t.stage.role, "aria-label": t.review.context });
    this.viewer = new Viewer(this.stage);
    this.facts = h("p.facts", {});
    this.notes = h("ul.flag-texts");
    this.keys = h("p.hint.keys-line", {}, t.review.keys.map(([key, text]) => h("span", {}, h("kbd", {}, key), ` ${text}`)));
    this.stop = h("tbody");
    this.bands = h("details.stop", { ontoggle: () => this.tellBands() }, h("summary", {}, t.review.stop), h("p.hint", {}, t.review.stopText),
      h("table", {}, h("thead", {}, h("tr", {}, t.review.stopHead.map((text) => h("th", { scope: "col" }, text)))), this.stop));
    this.empty = h("p.plain", { hidden: true }, t.review.empty);
    this.panels = h("div.crop-row", {}, this.pictures.map(({ what, canvas }) => h("figure", {}, canvas, h("figcaption", {}, t.review.pictures[what]))));
    this.body = h("div.review-body", {}, this.panels, h("div.stage-box", {}, this.stage));
    this.single = h("div.single", {}, this.body, h("div.review-facts", {}, this.facts, this.notes, this.buttons(), this.keys));
    this.sheet = new Sheet(page, this.queue, this.crops, { open: (place) => this.openSingle(place), done: (places) => this.sheetDone(places), note: shell.note });
    this.element = h("main.review", {}, h("div.review-head", {}, h("h1", {}, t.review.title), this.line, this.filters.element, this.bands, this.unmade.element), this.empty, this.single, this.sheet.element);
    this.paint = new Paint(this.viewer, {
      stroke: (set, clear) => this.edit({ op: "paint", set, clear }),
      superpixel: ({ row, col }, add) => this.edit({ op: "superpixel", row, col, add }),
    });
    listen(this.viewer, this.meaning());
    new ResizeObserver(() => this.draw()).observe(this.panels);
    page.addEventListener("frame", (event) => {
      if (/** @type {CustomEvent} */ (event).detail === this.frame) this.show();
    });
    page.addEventListener("answered", () => this.tellBands());
    this.actions = this.makeActions();
  }

  get row() {
    return this.queue.rows[this.place];
  }

  get target() {
    return this.row && this.frame?.targets.get(this.row.target);
  }

  buttons() {
    const button = (name, kind = "") => h(`button${kind}`, { type: "button", onclick: () => this.actions[name]() }, t.review.buttons[name]);
    return h("div.row.buttons", {}, button("acceptNext", ".primary"), button("back"), button("skip"), button("unsure"), button("removeNext", ".danger"), button("open"), button("sheet"));
  }

  /** The view is shown. */
  async open() {
    this.stage.focus({ preventScroll: true });
    if (!this.queue.rows.length) await this.refresh();
    else this.go(this.place);
  }

  /** The view is left. */
  leave() {
    this.paint.toggle(false);
  }

  async refresh() {
    try {
      await this.queue.load(this.filters.query());
    } catch (error) {
      this.shell.note(/** @type {Error} */ (error).message);
      return;
    }
    this.stop.replaceChildren(...bandRows(this.queue.bands));
    this.unmade.tell(this.queue.unmade);
    this.sheet.close();
    this.single.hidden = false;
    await this.go(0);
  }

  /** What was reviewed since the queue was loaded counts too, while somebody reads the table. */
  async tellBands() {
    if (!this.bands.open || !this.element.isConnected) return;
    try {
      const { bands } = await api.queue({ ...this.queue.query, from: 0, count: 1 });
      this.stop.replaceChildren(...bandRows(bands ?? []));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.shell.note(error.message);
    }
  }

  /** @param {number} place */
  async go(place) {
    this.paint.toggle(false);
    const isThere = this.queue.total > 0;
    this.empty.hidden = isThere;
    this.single.hidden = !isThere || this.sheet.isOpen;
    if (!isThere) {
      this.tell();
      return;
    }
    this.place = Math.min(Math.max(place, 0), this.queue.total - 1);
    const row = await this.queue.at(this.place);
    this.frame = null;
    this.viewer.show(null, false);
    this.progress.shown();
    await Promise.all([this.draw(), this.context(row)]);
    this.ahead();
  }

  /** @param {any} row  whose frame is shown around it */
  async context(row) {
    const frame = await this.page.frames.load(row.id, row.frame);
    if (this.row !== row) return;
    this.frame = frame;
    if (frame.problem) this.shell.note(frame.problem.message);
    this.viewer.show(frame.picture, false);
    const target = this.target;
    if (target && frame.picture) {
      this.viewer.centre(target.point[0], target.point[1], CONTEXT_SCALE * Math.max(1, Math.round(this.viewer.ratio)));
      this.viewer.setWindow(presetWindow("local", frame, this.viewer.visiblePart()), "grey");
    }
    this.show();
    this.element.dataset.target = `${row.name} ${row.target}`;
    this.element.dataset.place = String(this.place);
    if (target) this.shell.say(t.say.target(this.place + 1, target));
  }

  async ahead() {
    const from = this.place;
    for (let i = 1; i <= AHEAD && from + i < this.queue.total; i += 1) {
      const row = await this.queue.at(from + i).catch(() => null);
      if (!row || this.place !== from) return;
      this.crops.get(row).catch(() => {});
      if (i <= 2) await this.page.frames.load(row.id, row.frame);
    }
  }

  async draw() {
    const { row } = this;
    if (!row || this.single.hidden) return;
    let crop;
    try {
      crop = await this.crops.get(row);
    } catch (error) {
      this.shell.note(/** @type {Error} */ (error).message);
      return;
    }
    if (this.row !== row) return;
    const box = this.panels.getBoundingClientRect();
    const ratio = window.devicePixelRatio;
    const [beside, below] = [Math.min((box.width - 60) / 3, box.height - 54), Math.min(box.width - 24, (box.height - 60) / 3 - 24)];
    const room = Math.max(beside, below);
    const scale = Math.max(1, Math.floor((room * ratio) / Math.max(crop.plane.width, crop.plane.height)));
    for (const { what, canvas } of this.pictures) this.crops.draw(canvas, crop, what, scale, this.target?.point ?? centreOf(row.box), what === "image");
    this.tell();
  }

  /** Facts and marks of the target as they stand. */
  show() {
    const { frame, row, target } = this;
    if (!frame || !row) return;
    this.viewer.marks = marksOf(frame, row.target);
    this.viewer.refreshMarks();
    const shown = target ?? row;
    const [y, x] = target?.point ?? centreOf(row.box);
    fill(this.facts, bdi(frame.name, "name"), h("span", {}, t.targets.place(x, y)), h("span", {}, t.targets.area(shown.area)), target ? confidence(target) : null,
      h("span.verdict", { data: { verdict: target ? target.verdict ?? "" : "removed" } }, target ? t.verdict[target.verdict] ?? "" : t.verdict.removed));
    this.notes.replaceChildren(...(target?.flags ?? []).map((flag) => h("li", {}, h("b", {}, t.flag[flag]?.short ?? flag), `: ${t.flag[flag]?.help ?? ""}`)));
    this.tell();
  }

  tell() {
    const left = this.queue.left();
    const { each, secondsLeft, changed, recent, from, to } = this.progress.tell(left);
    setText(this.line, t.review.progress({ done: count(this.queue.total - left), total: count(this.queue.total), each, secondsLeft, changed, recent, from, to }));
  }

  /** @param {Record<string, any>} fields @param {string} [key] */
  edit(fields, key = "") {
    const { frame, row } = this;
    if (!frame || !this.target) return null;
    row.changed = row.changed || fields.op !== "set" || !("verdict" in fields);
    const edit = this.page.edit(frame, { ...fields, target: row.target }, key);
    if (edit && fields.op !== "drop" && !("verdict" in fields)) {
      this.crops.forget(row);
      this.page.addEventListener("answered", () => this.draw(), { once: true });
    }
    return edit;
  }

  /** @param {string | null} verdict  null: removed @param {Record<string, any>} fields */
  judge(verdict, fields) {
    const { row, target } = this;
    if (!row || !target) {
      this.go(this.place + 1);
      return;
    }
    const done = this.edit(fields);
    if (!done) return;
    if (!row.verdict) this.progress.verdict(Boolean(row.changed) || verdict === null, row.confidence);
    row.verdict = verdict ?? "removed";
    this.next();
  }

  /** A target that was corrected here counts as changed. */
  acceptOne() {
    const verdict = this.row?.changed ? "changed" : "accepted";
    this.judge(verdict, { op: "set", verdict });
  }

  next() {
    if (this.place + 1 < this.queue.total) this.go(this.place + 1);
    else {
      this.show();
      this.shell.note(this.queue.left() ? t.review.end : t.review.allDone);
    }
  }

  level(by) {
    const { target } = this;
    if (this.paint.isOn) {
      this.paint.resize(-Math.sign(by));
      return;
    }
    if (!target) return;
    if (target.made === "hand") this.shell.note(t.note.byHand);
    else this.edit({ op: "set", level: Math.round(Math.min(Math.max((target.level ?? this.page.session.level ?? 0.5) + by, 0.02), 0.98) * 100) / 100 });
  }

  makeActions() {
    const labels = this.page.session.labels ?? [];
    const label = (i) => () => {
      if (i > labels.length) this.shell.note(t.note.noLabel(i));
      else this.edit({ op: "set", label: i ? labels[i - 1] : null });
    };
    const single = (action) => () => (this.sheet.isOpen ? undefined : action());
    return {
      acceptNext: () => (this.sheet.isOpen ? this.sheet.accept() : this.acceptOne()),
      removeNext: single(() => this.judge(null, { op: "drop" })),
      unsure: single(() => this.judge("unsure", { op: "set", verdict: "unsure" })),
      back: () => (this.sheet.isOpen ? this.sheet.move(-1) : this.go(this.place - 1)),
      skip: () => (this.sheet.isOpen ? this.sheet.move(1) : this.next()),
      open: single(() => this.row && this.shell.openAt(this.row.id, this.row.frame, this.row.target)),
      sheet: () => (this.sheet.isOpen ? this.openSingle(this.place) : this.openSheet()),
      filters: () => this.filters.focus(),
      leave: () => (this.paint.isOn ? this.setPainting(false) : this.sheet.isOpen && this.openSingle(this.place)),
      grow: single(() => this.level(-STEP)),
      shrink: single(() => this.level(STEP)),
      growMuch: single(() => this.level(-5 * STEP)),
      shrinkMuch: single(() => this.level(5 * STEP)),
      own: single(() => this.edit({ op: "set", level: null })),
      polarity: single(() => {
        const all = ["bright", "dark", "auto"];
        const now = this.target?.polarity ?? this.page.session.polarity;
        this.edit({ op: "set", polarity: all[(all.indexOf(now) + 1) % 3] });
      }),
      paint: single(() => this.setPainting(!this.paint.isOn)),
      accept: single(() => this.shell.note(t.note.noProposal)),
      undo: () => this.page.step("undo"),
      redo: () => this.page.step("redo"),
      saved: () => this.shell.note(this.page.saving === "saved" ? t.note.saved(this.page.seq) : t.note.notSavedYet(this.page.outbox.length)),
      help: () => this.shell.help(),
      ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`label${i}`, single(label(i))])),
    };
  }

  setPainting(on) {
    if (on && (!this.target || this.page.readOnly)) return;
    this.paint.toggle(on);
  }

  meaning() {
    const nothing = () => {};
    return {
      hover: (pixel) => {
        this.viewer.hovered = pixel;
        this.viewer.refreshMarks();
      },
      leave: () => {
        this.viewer.hovered = null;
        this.viewer.refreshMarks();
      },
      begin: nothing,
      click: nothing,
      remove: nothing,
      grabs: () => false,
      move: nothing,
      release: nothing,
      window: nothing,
      level: (steps) => this.level(-steps * STEP),
      paints: () => this.paint.isOn,
      stroke: (pixel, event, phase) => this.paint.stroke(pixel, event, phase),
      panHeld: () => false,
    };
  }

  openSheet() {
    this.single.hidden = true;
    this.sheet.open(this.place);
  }

  /** @param {number} place */
  openSingle(place) {
    this.sheet.close();
    this.single.hidden = false;
    this.stage.focus({ preventScroll: true });
    this.go(place);
  }

  /** @param {{picked: number[], accepted: number[], end: number}} places  of a sheet that was accepted */
  sheetDone({ picked, accepted, end }) {
    for (const place of accepted) this.progress.verdict(false, this.queue.rows[place].confidence);
    this.tell();
    if (picked.length) this.openSingle(picked[0]);
    else if (end < this.queue.total) this.sheet.open((this.place = end));
    else this.openSingle(this.queue.total - 1);
  }
}

/** @param {any[]} bands @returns {HTMLElement[]} */
const bandRows = (bands) => bands.filter((band) => band.total).map(({ low, high, total, reviewed, changed, interval }) =>
  h("tr", {}, h("th", { scope: "row" }, `${low.toFixed(1)} – ${high.toFixed(1)}`), [total, reviewed, changed].map((n) => h("td", {}, count(n))),
    h("td", {}, interval ? `${Math.round(100 * interval[0])} – ${Math.round(100 * interval[1])} %` : t.review.stopNone)));

/** @param {number[]} box */
const centreOf = ([top, left, bottom, right]) => [(top + bottom - 1) >> 1, (left + right - 1) >> 1];
