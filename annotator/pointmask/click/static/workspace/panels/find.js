/** Find and go to: one field, the first hits of all names. */

import { h } from "../../dom.js";
import { api } from "../../model/api.js";
import { t } from "../../texts.js";

const REST = 120; // ms between the last letter and the request

export class Find {
  /**
   * @param {import("../../../model/page.js").Page} page
   * @param {(image: number, frame: number) => void} open
   * @param {() => void} leave  the image has the focus again
   */
  constructor(page, open, leave) {
    Object.assign(this, { page, open, leave });
    /** @type {AbortController | null} */ this.request = null;
    /** @type {any[]} */ this.hits = [];
    this.chosen = -1;
    this.answered = ""; // what the hits were found for
    this.timer = 0;
    this.field = h("input", {
      type: "search", placeholder: t.find.placeholder, "aria-label": t.find.label, autocomplete: "off", spellcheck: false,
      role: "combobox", "aria-expanded": "false", "aria-controls": "hits", "aria-autocomplete": "list",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event),
    });
    this.list = h("ul.hits", { id: "hits", role: "listbox", "aria-label": t.find.hits, hidden: true });
    this.note = h("p.hint", { role: "status", hidden: true });
    this.element = h("search.find", {}, this.field, this.list, this.note);
  }

  focus() {
    this.field.focus();
    this.field.select();
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), REST);
  }

  async ask() {
    this.request?.abort();
    this.request = new AbortController();
    const text = this.field.value.trim();
    if (!text) {
      this.show([], false);
      return;
    }
    try {
      const [name] = text.split("#");
      const { rows, more, numbered } = await api.find(name.slice(0, 200), this.request.signal);
      const others = numbered ? [{ ...numbered, place: Number(name) }, ...rows.filter(({ id }) => id !== numbered.id)] : rows;
      this.answered = text;
      this.show(others, more);
    } catch {
      // A newer text is being looked for, or the server is away.
    }
  }

  show(hits, more) {
    this.hits = hits;
    this.chosen = hits.length ? 0 : -1;
    const isEmpty = !hits.length;
    this.list.hidden = isEmpty;
    this.field.setAttribute("aria-expanded", String(!isEmpty));
    this.list.replaceChildren(...hits.map((hit, i) => h("li", { role: "option", id: `hit${i}`, onpointerdown: (event) => { event.preventDefault(); this.take(i); } }, hit.place ? h("b", {}, t.find.numbered(hit.place)) : null, h("bdi", {}, hit.name))));
    this.note.hidden = !this.field.value.trim() || (!isEmpty && !more);
    this.note.textContent = isEmpty ? t.find.nothing : t.find.more(hits.length);
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === this.chosen)));
    if (this.chosen >= 0) {
      this.field.setAttribute("aria-activedescendant", `hit${this.chosen}`);
      this.list.children[this.chosen].scrollIntoView({ block: "nearest" });
    } else this.field.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  async key(event) {
    if (event.isComposing) return;
    const { code } = event;
    if (code === "ArrowDown" || code === "ArrowUp") {
      event.preventDefault();
      const step = code === "ArrowDown" ? 1 : -1;
      this.chosen = Math.min(Math.max(this.chosen + step, 0), this.hits.length - 1);
      this.mark();
    } else if (code === "Enter" || code === "NumpadEnter") {
      event.preventDefault();
      clearTimeout(this.timer);
      if (!this.hits.length || this.isStale()) await this.ask();
      this.take(Math.max(this.chosen, 0));
    } else if (code === "Escape") {
      event.preventDefault();
      this.close();
    }
  }

  isStale() {
    return this.answered !== this.field.value.trim();
  }

  /** @param {number} i */
  take(i) {
    const text = this.field.value.trim();
    const hit = this.hits[i];
    if (!hit) return;
    const frame = Number(/#(\d+)$/.exec(text)?.[1] ?? 0);
    this.close();
    this.open(hit.id, frame);
  }

  close() {
    this.field.value = "";
    this.show([], false);
    this.leave();
  }
}
