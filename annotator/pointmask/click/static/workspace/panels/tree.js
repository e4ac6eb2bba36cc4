/** Folders and images: only what is opened is asked for, only what is in sight exists. */

import { count, h, LongList } from "../../dom.js";
import { api } from "../../model/api.js";
import { t } from "../../texts.js";

const ROW = 28; // CSS px
const PART = 200; // images per request
const STATES = /** @type {const} */ (["", "todo", "unsure", "problem"]);

/**
 * @typedef {object} Folder
 * @property {number} number @property {string} name @property {number} depth
 * @property {number} images @property {number} marked @property {number} todo
 * @property {boolean} open
 * @property {Folder[] | null} children
 * @property {number} total  images directly in it, after the filter; -1 = not asked yet
 * @property {(any | undefined)[]} rows
 */

export class Tree {
  /**
   * @param {import("../../../model/page.js").Page} page
   * @param {(image: number, frame: number) => void} open
   */
  constructor(page, open) {
    this.page = page;
    this.open = open;
    this.current = { image: -1, folder: -1 };
    this.filter = "";
    /** @type {Folder} */ this.root = folderOf({ number: 0, name: "", images: 0, marked: 0, todo: 0 }, -1);
    /** @type {{folder: Folder, index: number}[]} index -1: the folder's own row */ this.segments = [];
    this.scroller = h("div.tree", { role: "tree", tabIndex: 0, "aria-label": t.tree.title });
    this.scroller.addEventListener("keydown", (event) => this.key(event));
    this.rows = new LongList(this.scroller, ROW, (i) => this.row(i));
    this.focused = 0;
    this.filters = h("div.segments.filters", { role: "radiogroup", "aria-label": t.tree.filter }, STATES.map((state) =>
      h("label", { title: t.tree.filterHelp[state] }, h("input", { type: "radio", name: "filter", value: state, checked: state === "", onchange: () => this.setFilter(state) }), h("span", {}, t.tree.filters[state]))));
    this.note = h("p.hint.listing", { role: "status" });
    this.element = h("section.panel.tree-panel", { "aria-label": t.tree.title }, this.filters, this.scroller, this.note);
    this.requests = new Set();
  }

  async start() {
    await this.openFolder(this.root);
  }

  /** @param {Folder} folder */
  async openFolder(folder) {
    folder.open = true;
    const [tree] = await Promise.all([folder.children ? null : api.tree(folder.number), this.ask(folder, 0)]);
    if (tree) folder.children = tree.children.map((child) => folderOf(child, folder.depth + 1));
    this.rebuild();
  }

  /** @param {Folder} folder @param {number} from */
  async ask(folder, from) {
    const key = `${this.filter}/${folder.number}/${from}`;
    if (this.requests.has(key)) return;
    this.requests.add(key);
    const filter = this.filter;
    try {
      const answer = await api.images(folder.number, from, PART, filter || undefined);
      if (filter !== this.filter) return;
      folder.total = answer.total;
      answer.rows.forEach((row, i) => (folder.rows[from + i] = row));
    } catch {
      // The banner says what is wrong; the rows are asked for again when they come into sight.
    } finally {
      this.requests.delete(key);
    }
  }

  /** Look again at what is open: states changed, or more images were listed. */
  async refresh() {
    const tell = this.page.session.images;
    this.note.textContent = tell.complete ? "" : t.tree.listing(tell.count);
    const visit = async (folder) => {
      if (!folder.open) return;
      const from = Math.floor(this.firstSeen(folder) / PART) * PART;
      const [tree] = await Promise.all([api.tree(folder.number).catch(() => null), this.ask(folder, from)]);
      if (tree) {
        const old = new Map((folder.children ?? []).map((child) => [child.number, child]));
        folder.children = tree.children.map((child) => Object.assign(old.get(child.number) ?? folderOf(child, folder.depth + 1), facts(child)));
      }
      for (const child of folder.children ?? []) await visit(child);
    };
    await visit(this.root);
    this.rebuild();
  }

  firstSeen(folder) {
    let place = 0;
    for (const segment of this.segments) {
      if (segment.folder === folder && segment.index === 0) return Math.max(0, this.rows.first - place);
      place += segment.index < 0 ? 1 : segment.folder.total;
    }
    return 0;
  }

  /** @param {string} state */
  setFilter(state) {
    this.filter = state;
    const clear = (folder) => {
      folder.rows = [];
      folder.total = -1;
      (folder.children ?? []).forEach(clear);
    };
    clear(this.root);
    this.refresh();
  }

  rebuild() {
    const segments = [];
    const visit = (folder) => {
      if (folder.depth >= 0) segments.push({ folder, index: -1 });
      if (!folder.open) return;
      (folder.children ?? []).forEach(visit);
      if (folder.total > 0) segments.push({ folder, index: 0 });
    };
    visit(this.root);
    this.segments = segments;
    this.rows.resize(segments.reduce((sum, s) => sum + (s.index < 0 ? 1 : s.folder.total), 0));
  }

  /** @param {number} place @returns {{folder: Folder, index: number}} */
  at(place) {
    let rest = place;
    for (const segment of this.segments) {
      const size = segment.index < 0 ? 1 : segment.folder.total;
      if (rest < size) return { folder: segment.folder, index: segment.index < 0 ? -1 : rest };
      rest -= size;
    }
    return { folder: this.root, index: -1 };
  }

  /** @param {number} place */
  row(place) {
    const { folder, index } = this.at(place);
    const isFocused = place === this.focused;
    const common = (depth) => ({ role: "treeitem", "aria-level": depth + 1, id: `tree${place}`, style: { "--depth": depth } });
    if (isFocused) this.scroller.setAttribute("aria-activedescendant", `tree${place}`);
    if (index < 0) {
      const row = h("div.folder", { ...common(folder.depth), "aria-expanded": folder.open, onclick: () => this.toggle(folder, place) },
        h("i.twist", { "aria-hidden": "true" }), h("bdi.name", { title: folder.name }, folder.name),
        h("span.count", { title: t.tree.folderHelp(folder.marked, folder.images) }, count(folder.images)));
      row.classList.toggle("focused", isFocused);
      return row;
    }
    const image = folder.rows[index];
    if (!image) {
      this.askAndDraw(folder, Math.floor(index / PART) * PART);
      return h("div.image.waiting", common(folder.depth + 1), "…");
    }
    const glyph = glyphOf(image);
    const short = image.name.slice(image.name.lastIndexOf("/") + 1);
    const row = h("div.image", { ...common(folder.depth + 1), onclick: () => { this.focused = place; this.open(image.id, 0); } },
      h("bdi.name", { title: image.name }, short), glyph ? h("span.state", { title: glyph.help, data: { state: image.state } }, h("span", { "aria-hidden": "true" }, glyph.text), h("span.unseen", {}, glyph.help)) : null);
    if (image.id === this.current.image) {
      row.classList.add("current");
      row.setAttribute("aria-current", "true");
    }
    row.classList.toggle("focused", isFocused);
    return row;
  }

  async askAndDraw(folder, from) {
    const before = folder.rows[from];
    await this.ask(folder, from);
    if (folder.rows[from] !== before) this.rows.update(true);
  }

  /** @param {Folder} folder @param {number} place */
  toggle(folder, place) {
    this.focused = place;
    if (folder.open) {
      folder.open = false;
      this.rebuild();
    } else this.openFolder(folder);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };
    const { folder, index } = this.at(this.focused);
    if (event.ctrlKey || event.altKey) return;
    if (event.code in moves) {
      this.focused = Math.min(Math.max(this.focused + moves[event.code], 0), this.rows.length - 1);
      this.rows.reveal(this.focused);
      this.rows.update(true);
    } else if (event.code === "ArrowRight" && index < 0 && !folder.open) this.openFolder(folder);
    else if (event.code === "ArrowLeft" && index < 0 && folder.open) this.toggle(folder, this.focused);
    else if (event.code === "Enter" || event.code === "Space") {
      if (index < 0) this.toggle(folder, this.focused);
      else if (folder.rows[index]) this.open(folder.rows[index].id, 0);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Show which image is open, with the folders that it lies in.
   * @param {number} image @param {import("../../model/api.js").FrameFacts | null} facts
   */
  async setCurrent(image, facts) {
    const isNew = this.current.image !== image;
    this.current.image = image;
    if (isNew) await this.openTo(facts?.folders ?? []);
    if (this.current.image !== image) return;
    const place = this.placeOf(image, facts);
    if (place !== null) {
      this.focused = place;
      this.rows.reveal(place);
    }
    this.rows.update(true);
  }

  /** @returns {number | null} the row of an image: by what was loaded, else by its place in the folder */
  placeOf(image, facts) {
    let start = 0;
    for (const { folder, index } of this.segments) {
      if (index >= 0) {
        const found = folder.rows.findIndex((row) => row?.id === image);
        if (found >= 0) return start + found;
        if (facts && !this.filter && folder.number === facts.folders.at(-1)) return start + facts.place_in_folder;
      }
      start += index < 0 ? 1 : folder.total;
    }
    return null;
  }

  /** @param {number} image @returns {string} its name, as far as its folder was looked at */
  nameOf(image) {
    for (const { folder, index } of this.segments) {
      const row = index < 0 ? null : folder.rows.find((each) => each?.id === image);
      if (row) return row.name;
    }
    return "";
  }

  /** @param {number[]} folders */
  async openTo(folders) {
    let folder = this.root;
    if (!folder.open) await this.openFolder(folder);
    for (const number of folders.slice(1)) {
      const child = folder.children?.find((each) => each.number === number);
      if (!child) return;
      if (!child.open) await this.openFolder(child);
      folder = child;
    }
  }

  /** A frame changed here: its row need not wait for the next look. */
  update(frame) {
    for (const { folder, index } of this.segments) {
      if (index < 0) continue;
      const row = folder.rows.find((each) => each?.id === frame.image);
      if (!row) continue;
      row.targets = frame.targets.size;
      row.state = frame.problem ? "unreadable" : frame.state !== "open" ? frame.state : frame.targets.size ? "marked" : "seen";
      this.rows.update(true);
      return;
    }
  }
}

/** @returns {Folder} */
const folderOf = (child, depth) => ({ ...facts(child), depth, open: false, children: null, total: -1, rows: [] });
const facts = (child) => ({ number: child.number, name: child.name, images: child.images, marked: child.marked, todo: child.todo });

/** What an image's row says of its state: sign and number, never colour alone. */
function glyphOf({ state, targets }) {
  const help = t.imageState[state] ?? "";
  if (state === "marked") return { text: `✓ ${targets}`, help: t.tree.targets(targets) };
  if (state === "empty") return { text: "∅", help };
  if (state === "unfinished") return { text: "◐", help };
  if (state === "unreadable" || state === "changed") return { text: "!", help };
  if (state === "seen") return { text: "·", help };
  return null;
}
