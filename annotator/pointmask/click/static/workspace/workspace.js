/** The place where people click: the image in the middle, folders on the left, window and targets on the right. */

import { afterPaint, fill, h, setText } from "../dom.js";
import { api } from "../model/api.js";
import { change, settings } from "../model/settings.js";
import { t } from "../texts.js";
import { covers } from "../view/bits.js";
import { poolOf } from "../view/geometry.js";
import { listen } from "../view/gestures.js";
import { Viewer } from "../view/viewer.js";
import { actionsOf } from "./actions.js";
import { FlatView } from "./flat.js";
import { Find } from "./panels/find.js";
import { marksOf } from "./marks.js";
import { Paint } from "./paint.js";
import { meaningOf } from "./pointer.js";
import { Preview } from "./preview.js";
import { Proposals } from "./proposals.js";
import { Status } from "./panels/status.js";
import { Strip } from "./panels/strip.js";
import { TargetList } from "./panels/targets.js";
import { Tiles } from "./tiles.js";
import { Track } from "./track.js";
import { Tree } from "./panels/tree.js";
import { Walk } from "./walk.js";
import { WindowPanel } from "./panels/window.js";
import { Why } from "./why.js";

const NARROW = 900; // CSS px
const ANSWER = 100; // ms that the panels wait for the answer to a click, which changes them again

export class Workspace {
  /**
   * @param {import("../model/page.js").Page} page
   * @param {{go: (hash: string) => void, say: (text: string) => void, note: (text: string) => void,
   *     ask: (text: string, answers: [string, () => void][]) => void,
   *     opened: (frame: import("../model/frames.js").Frame) => void}} shell
   */
  constructor(page, shell) {
    this.page = page;
    this.shell = shell;
    /** @type {import("../model/frames.js").Frame | null} */ this.frame = null;
    /** @type {number | string | null} a click that was not answered yet has its edit's name */ this.selected = null;
    this.step = 1;
    /** @type {number | null} a target to be in sight in the list */ this.revealed = null;
    this.tellPanels = afterPaint(() => this.panels(), () => (this.frame?.pending.size ? ANSWER : 0));
    /** @type {import("../view/picture.js").Picture | null} of the frame, the last that was drawn */ this.drawn = null;
    /** @type {number | null} a target to select when the next image is open */ this.wanted = null;
    this.stage = h("div.stage", {
      role: "application", tabIndex: 0, "aria-roledescription": t.stage.role, "aria-label": t.stage.label, "aria-describedby": "stage-help",
    });
    this.viewer = new Viewer(this.stage);
    this.badge = h("span.badge", { hidden: true });
    this.flat = new FlatView(this);
    this.walk = new Walk(this);
    this.mode = h("span.badge.mode", { hidden: true }, t.stage.painting);
    this.message = h("div.stage-message", { hidden: true });
    this.stageBox = h("div.stage-box", {}, this.stage, h("div.badges", {}, this.mode, this.flat.badge, this.badge), this.message, h("p.unseen", { id: "stage-help" }, t.stage.help));
    this.windows = new WindowPanel(this.viewer);
    this.status = new Status();
    this.preview = new Preview((mark) => {
      this.viewer.passing = mark;
      this.viewer.refreshCursor();
    });
    this.tiles = new Tiles(this.viewer);
    this.paint = new Paint(this.viewer, {
      stroke: (set, clear) => this.editTarget({ op: "paint", set, clear }),
      superpixel: ({ row, col }, add) => this.editTarget({ op: "superpixel", row, col, add }),
    });
    this.list = new TargetList(page, {
      select: (target) => this.select(target === this.selected ? null : target, true),
      set: (target, fields, key) => this.set(target, fields, key),
      remove: (target) => this.remove(target),
      paint: (target) => {
        this.select(target);
        this.setPainting(!this.paint.isOn);
      },
    });
    this.tree = new Tree(page, (image, frame) => shell.go(`#/i/${image}/${frame}`));
    this.find = new Find(page, (image, frame) => shell.go(`#/i/${image}/${frame}`), () => this.stage.focus());
    this.strip = new Strip(page, (image, frame) => shell.go(`#/i/${image}/${frame}`));
    this.left = h("aside.side.left", { "aria-label": t.tree.title }, this.find.element, this.tree.element);
    this.right = h("aside.side.right", { "aria-label": t.targets.side }, this.windows.element, this.list.element);
    this.folds = { left: this.foldButton("left"), right: this.foldButton("right") };
    this.element = h("div.workspace", {}, this.left, h("main.middle", {}, h("div.stage-row", {}, this.folds.left, this.stageBox, this.folds.right), this.strip.element, this.status.element), this.right);
    this.proposals = new Proposals(this);
    this.why = new Why(this.viewer, this.stageBox);
    this.track = new Track(page, shell.note, this.strip);
    this.actions = actionsOf(this);
    listen(this.viewer, meaningOf(this));
    this.viewer.addEventListener("view", () => this.viewed());
    this.stage.addEventListener("blur", () => this.release());
    page.addEventListener("frame", (event) => this.changed(/** @type {CustomEvent} */ (event).detail));
    page.addEventListener("answered", (event) => this.answered(/** @type {CustomEvent} */ (event).detail));
    this.fold("left", settings.left ?? innerWidth < NARROW);
    this.fold("right", settings.right ?? innerWidth < NARROW);
  }

  /** @param {"left" | "right"} side */
  foldButton(side) {
    return h(`button.fold.${side}`, { type: "button", title: t.fold[side], "aria-label": t.fold[side], onclick: () => this.toggle(side) }, h("i", { "aria-hidden": "true" }));
  }

  /** @param {"left" | "right"} side @param {boolean} folded */
  fold(side, folded) {
    this.element.classList.toggle(`${side}-folded`, folded);
    this.folds[side].setAttribute("aria-expanded", String(!folded));
  }

  /** @param {"left" | "right"} side */
  toggle(side) {
    const folded = !this.element.classList.contains(`${side}-folded`);
    this.fold(side, folded);
    if (innerWidth >= NARROW) change({ [side]: folded });
  }

  async start() {
    await this.tree.start();
  }

  /** @param {number} image @param {number} frame */
  async open(image, frame) {
    const known = this.page.frames.peek(image, frame);
    this.release();
    this.setPainting(false);
    this.why.leave();
    this.preview.clear();
    if (!known?.picture) this.stageBox.classList.add("waiting");
    const loaded = this.page.frames.load(image, frame);
    this.expected = loaded;
    const entry = known?.picture ? known : await loaded;
    const look = this.flat.isOn ? await this.flat.look(entry) : entry;
    if (this.expected !== loaded) return; // another was asked for meanwhile
    this.stageBox.classList.remove("waiting");
    this.step = this.frame && (image < this.frame.image || (image === this.frame.image && frame < this.frame.frame)) ? -1 : 1;
    this.frame = this.page.shown = entry;
    entry.listedName ||= this.tree.nameOf(image);
    this.selected = null;
    this.viewer.cursor = null;
    this.viewer.hovered = null;
    this.drawn = entry.picture;
    this.flat.show(look);
    this.showMessage();
    this.refreshAll();
    this.tree.setCurrent(image, entry.facts);
    this.strip.show(entry);
    this.stageBox.dataset.image = `${entry.name}#${frame}`;
    this.shell.opened(entry);
    this.shell.say(t.say.opened(entry.name, entry.targets.size));
    if (this.wanted !== null && entry.targets.has(this.wanted)) this.select(this.wanted, true);
    this.wanted = null;
    this.walk.shown();
    this.loadAhead(entry);
  }

  /** The neighbours are there before anybody asks for them. */
  async loadAhead(entry) {
    try {
      let place = { id: entry.image, frame: entry.frame };
      for (const step of [this.step, this.step, -this.step]) {
        if (step !== this.step) place = { id: entry.image, frame: entry.frame };
        const next = await api.next(place.id, place.frame, step, "any");
        if (next.id === null || this.frame !== entry) continue;
        place = next;
        await this.flat.look(await this.page.frames.load(next.id, next.frame));
      }
    } catch {
      // The neighbours are loaded when they are asked for.
    }
  }

  /** What is wrong with the image: in its place if it cannot be read, beside it if the file changed. */
  showMessage() {
    const { frame } = this;
    const problem = frame?.problem;
    const isChanged = Boolean(frame?.facts?.changed && frame.picture);
    this.message.hidden = !problem && !isChanged;
    this.message.classList.toggle("beside", isChanged);
    if (isChanged) {
      fill(this.message, h("p", {}, t.message.other),
        h("div.row", {}, h("button", { type: "button", onclick: () => this.useNewFile() }, t.message.useNew), h("button", { type: "button", onclick: () => (this.message.hidden = true) }, t.message.keep)));
    }
    if (!problem) return;
    const title = /** @type {any} */ (problem).status === 410 ? t.message.changed : t.message.unreadable;
    fill(this.message, h("h2", {}, title), h("p", {}, h("bdi", {}, problem.message)), /** @type {any} */ (problem).fix ? h("p.fix", {}, /** @type {any} */ (problem).fix) : null,
      h("button", { type: "button", onclick: () => this.open(frame.image, frame.frame) }, t.message.again));
  }

  /** The file was written anew while it was open. @param {import("../model/frames.js").Frame} frame */
  async reopened(frame) {
    this.drawn = frame.picture;
    const look = await this.flat.look(frame);
    if (frame !== this.frame) return;
    this.flat.show(look);
    this.showMessage();
  }

  useNewFile() {
    const { frame } = this;
    if (!frame || !this.page.edit(frame, { op: "use_new_file" })) return;
    if (frame.facts) frame.facts.changed = false;
    this.showMessage();
  }

  viewed() {
    const pool = poolOf(this.viewer.view.scale);
    const polarity = this.page.session.polarity;
    this.badge.hidden = pool === 1;
    setText(this.badge, t.stage.pooled[polarity]?.(pool) ?? "");
    this.tellStatus();
  }

  tellStatus() {
    const target = this.frame?.targets.get(/** @type {any} */ (this.selected));
    const level = target && target.made !== "hand" ? t.status.level((target.level ?? this.page.session.level ?? 0.5).toFixed(2), target.level === null) : "";
    this.status.tell(this.viewer, level);
  }

  /** @param {{row: number, col: number} | null} [pixel] */
  readOut(pixel = this.viewer.cursor ?? this.viewer.hovered) {
    this.status.read(this.frame, pixel);
  }

  refreshMarks() {
    this.viewer.marks = this.frame ? marksOf(this.frame, this.selected, this.proposals.chosen) : [];
    this.viewer.refreshMarks();
  }

  /** Marks are in the next picture; lists follow it, since to lay them out took longer than the server needs. */
  refreshAll() {
    this.refreshMarks();
    this.stageBox.dataset.state = this.frame?.state ?? "open";
    this.tellPanels();
  }

  panels() {
    if (this.frame) {
      this.tree.update(this.frame);
      this.list.show(this.frame, this.selected, this.paint.isOn);
      if (this.revealed !== null) this.list.reveal(this.revealed);
    }
    this.revealed = null;
    this.tellStatus();
    this.readOut();
  }

  /** @param {import("../model/frames.js").Frame} frame */
  changed(frame) {
    this.strip.update(frame);
    if (frame !== this.frame) {
      this.tree.update(frame);
      return;
    }
    if (frame.picture && frame.picture !== this.drawn) this.reopened(frame);
    const isThere = typeof this.selected === "string" ? frame.pending.has(this.selected) : frame.targets.has(this.selected);
    if (this.selected !== null && !isThere) this.selected = null;
    if (this.selected === null && this.paint.isOn) this.setPainting(false);
    this.refreshAll();
  }

  /** A click got its number: the selection goes over to it, and a reader hears what was made. */
  answered({ item, answer }) {
    const made = answer.frames.find((change) => change.image === this.frame?.image && change.frame === this.frame.frame);
    if (made && this.frame) this.track.edited(item.body.op, this.frame);
    if (!["add", "accept"].includes(item.body.op) || !made?.targets.length) return;
    const number = Math.max(...made.targets.map((target) => target.target));
    if (this.selected === item.body.edit || this.selected === null) this.selected = number;
    if (this.selected === number) this.revealed = number;
    this.refreshAll();
    this.shell.say(this.describe(number));
  }

  /** @param {number} number */
  describe(number) {
    const target = this.frame?.targets.get(number);
    if (!target || !this.frame) return "";
    const place = this.frame.list.indexOf(target) + 1;
    return t.say.target(place, target);
  }

  /** @param {number | string | null} target @param {boolean} [reveal] */
  select(target, reveal = false) {
    if (target !== this.selected && this.why.step !== "off") this.why.leave();
    this.selected = target;
    this.proposals.chosen = null;
    const found = this.frame?.targets.get(/** @type {any} */ (target));
    if (found && reveal) this.viewer.reveal(found.point[0], found.point[1]);
    if (found) {
      this.revealed = found.target;
      this.shell.say(this.describe(found.target));
    }
    this.refreshAll();
  }

  /** The target whose mask or point is at a pixel; of several the one whose point is nearest. */
  targetAt(pixel, reach = 0) {
    const hits = this.frame?.list.filter((target) => covers(target.shape, pixel.row, pixel.col) || distance(target, pixel) <= reach) ?? [];
    return hits.sort((a, b) => distance(a, pixel) - distance(b, pixel))[0];
  }

  /** @param {{row: number, col: number}} pixel @param {boolean} always  even inside a mask */
  async clickAt(pixel, always) {
    const { frame } = this;
    if (!frame?.picture) return;
    if (!frame.picture.isWhole && poolOf(this.viewer.view.scale) > 1) {
      pixel = await this.tiles.meant(pixel);
      if (frame !== this.frame) return;
    }
    const hit = this.targetAt(pixel);
    if (hit && !always) {
      this.select(hit.target);
      return;
    }
    const proposal = frame.open.find((p) => p.shape && covers(p.shape, pixel.row, pixel.col));
    if (frame.list.some((target) => distance(target, pixel) === 0)) {
      this.shell.note(t.note.samePixel);
      return;
    }
    const mask = this.preview.maskAt(frame, pixel);
    this.preview.clear();
    const edit = proposal && !always
      ? this.page.edit(frame, { op: "accept", proposal: proposal.proposal, mask: "ours" })
      : this.page.edit(frame, { op: "add", row: pixel.row, col: pixel.col });
    const pending = edit && frame.pending.get(edit);
    if (pending) pending.mask = mask;
    if (edit) this.select(proposal && !always ? null : edit);
  }

  /** @param {Record<string, any>} fields  of an edit of the selected target @param {string} [key] */
  editTarget(fields, key) {
    if (!this.frame || this.selected === null) {
      this.shell.note(t.note.selectFirst);
      return null;
    }
    return this.page.edit(this.frame, { ...fields, target: this.selected }, key);
  }

  /** @param {number | string} target @param {Record<string, any>} fields @param {string} [key] */
  set(target, fields, key) {
    if (this.frame) this.page.edit(this.frame, { op: "set", target, ...fields }, key);
  }

  /** @param {import("../model/frames.js").KnownTarget} target @param {number} by */
  changeLevel(target, by) {
    if (target.made === "hand") {
      this.shell.note(t.note.byHand);
      return;
    }
    const level = Math.min(Math.max((target.level ?? this.page.session.level ?? 0.5) + by, 0.02), 0.98);
    this.set(target.target, { level: Math.round(level * 100) / 100 });
  }

  /** @param {number | string} target */
  remove(target) {
    if (!this.frame) return;
    if (this.selected === target) this.selected = null;
    if (this.page.edit(this.frame, { op: "drop", target })) this.shell.say(t.say.removed);
  }

  /** @param {boolean} on */
  setPainting(on) {
    if (on && typeof this.selected !== "number") {
      this.shell.note(t.note.selectFirst);
      return;
    }
    if (on && this.page.readOnly) {
      this.shell.note(t.note.readOnly);
      return;
    }
    this.paint.toggle(on);
    this.mode.hidden = !on;
    this.tellPanels();
  }

  /** The selected target's reasons, one step further. */
  nextWhy() {
    const target = this.frame?.targets.get(/** @type {any} */ (this.selected));
    if (!target || !this.frame) this.shell.note(t.note.selectFirst);
    else this.why.next(this.frame, target).catch((error) => this.shell.note(error.message));
  }

  /** Keys that were held are no longer. */
  release() {
    for (const action of Object.values(this.actions ?? {})) if (typeof action === "object") action.end();
  }
}

/** @returns {number} pixels between a target's point and a pixel, along the longer axis */
export const distance = ({ point: [row, col] }, pixel) => Math.max(Math.abs(row - pixel.row), Math.abs(col - pixel.col));
