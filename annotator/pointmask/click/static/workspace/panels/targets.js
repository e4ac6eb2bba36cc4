/** The frame's targets as a list: the same facts as on the image, and every correction as a control. */

import { count, h, setText } from "../../dom.js";
import { t } from "../../texts.js";

const POLARITIES = /** @type {const} */ (["bright", "dark", "auto"]);

/**
 * @typedef {object} Doing  what the list asks for; the workspace does it
 * @property {(target: number) => void} select
 * @property {(target: number, fields: Record<string, any>, key?: string) => void} set
 * @property {(target: number) => void} remove
 * @property {(target: number) => void} paint
 */

export class TargetList {
  /** @param {import("../../../model/page.js").Page} page @param {Doing} doing */
  constructor(page, doing) {
    this.page = page;
    this.doing = doing;
    this.heading = h("h2", {}, t.targets.title(0));
    this.list = h("ol.targets", { "aria-label": t.targets.list });
    this.state = h("p.frame-state", { hidden: true });
    this.empty = h("p.hint", {}, t.targets.none);
    this.proposals = h("p.hint.proposals", { hidden: true });
    this.element = h("section.panel.target-panel", { "aria-label": t.targets.panel }, this.heading, this.state, this.proposals, this.empty, this.list);
    /** @type {Map<number, {target: any, isSelected: boolean, item: any}>} as they stand */ this.items = new Map();
  }

  /**
   * @param {import("../../../model/frames.js").Frame} frame @param {number | string | null} selected
   * @param {boolean} isPainting
   */
  show(frame, selected, isPainting) {
    const targets = frame.list;
    this.heading.textContent = t.targets.title(targets.length);
    this.state.hidden = frame.state === "open";
    this.state.textContent = t.frameState[frame.state] ?? "";
    this.proposals.hidden = !frame.open.length;
    if (frame.open.length) this.proposals.textContent = t.targets.proposals(frame.open.length);
    this.empty.hidden = targets.length > 0 || frame.state !== "open";
    const active = document.activeElement;
    // A control that is in use stays where it is: its item is brought up to date, not drawn anew.
    const inUse = active instanceof HTMLElement && this.list.contains(active) ? active : null;
    const focusKey = inUse?.dataset.focus;
    const items = new Map(targets.map((target, i) => [target.target, this.drawn(target, i + 1, target.target === selected, isPainting)]));
    const dragging = inUse?.matches("input[type=range]:active");
    if (dragging) {
      const fresh = items.get(/** @type {number} */ (selected))?.item;
      const old = inUse.closest("li");
      if (fresh && old) {
        for (const name of [".confidence", ".area", ".level output"]) {
          const [to, from] = [old.querySelector(name), fresh.querySelector(name)];
          if (to && from) to.replaceWith(from);
        }
        return;
      }
    }
    this.items = items;
    replaceOthers(this.list, [...items.values()].map(({ item }) => item));
    if (focusKey) this.list.querySelector(`[data-focus="${CSS.escape(focusKey)}"]`)?.focus();
  }

  /** @param {number} target */
  reveal(target) {
    this.list.querySelector(`[data-target="${target}"]`)?.scrollIntoView({ block: "nearest" });
  }

  /** The item of a target; the one that is there if it would look the same, since a frame may hold thousands. */
  drawn(target, place, isSelected, isPainting) {
    const known = this.items.get(target.target);
    if (known?.target === target && !known.isSelected && !isSelected) {
      setText(known.item.querySelector(".number"), String(place)); // one before it may be gone
      return known;
    }
    return { target, isSelected, item: this.item(target, place, isSelected, isPainting) };
  }

  item(target, place, isSelected, isPainting) {
    const [row, col] = target.point;
    const head = h("button.head", {
      type: "button", "aria-pressed": isSelected, data: { focus: `head${target.target}` },
      onclick: () => this.doing.select(target.target),
    },
      h("b.number", {}, place),
      h("span.place", {}, t.targets.place(col, row)),
      h("span.area", {}, t.targets.area(target.area)),
      confidence(target),
      target.label ? h("span.tag", {}, h("bdi", {}, target.label)) : null);
    const item = h("li.target", { data: { target: String(target.target) } }, head);
    if (isSelected) item.classList.add("selected");
    const notes = this.notes(target);
    if (notes.length) item.append(h("p.notes", {}, notes.map((note) => h(`span.note${note.strong ? ".strong" : ""}`, { title: note.help }, note.text))));
    if (isSelected) item.append(this.controls(target, isPainting));
    return item;
  }

  notes(target) {
    const notes = [];
    if (target.made === "carried" || target.made === "seeded" || target.made === "predicted") notes.push({ text: t.made[target.made], help: "" });
    if (target.verdict) notes.push({ text: t.verdict[target.verdict] ?? target.verdict, help: "", strong: target.verdict === "unsure" });
    if (target.polarity) notes.push({ text: t.polarity[target.polarity], help: "" });
    for (const flag of target.flags.filter((name) => name !== target.made)) notes.push({ text: t.flag[flag]?.short ?? flag, help: t.flag[flag]?.help ?? "" });
    return notes;
  }

  controls(target, isPainting) {
    const id = target.target;
    const isHand = target.made === "hand";
    const level = target.level ?? this.page.session.level ?? 0.5;
    const read = h("output", {}, target.level === null ? t.targets.ownLevel : level.toFixed(2));
    const slider = h("input", {
      type: "range", min: 0.02, max: 0.98, step: 0.02, value: level, data: { focus: `level${id}` },
      "aria-label": t.targets.level, title: t.targets.levelHelp,
      oninput: () => {
        read.textContent = Number(slider.value).toFixed(2);
        this.doing.set(id, { level: Number(slider.value) }, `level${id}`);
      },
    });
    const ring = target.ring ?? 0;
    const step = (by, text, label) => h("button.small", {
      type: "button", "aria-label": label, disabled: Math.abs(ring + by) > 3, data: { focus: `ring${by}${id}` },
      onclick: () => this.doing.set(id, { ring: ring + by }),
    }, text);
    const polarity = h("select", {
      "aria-label": t.targets.polarity, data: { focus: `polarity${id}` },
      onchange: () => this.doing.set(id, { polarity: polarity.value || null }),
    }, h("option", { value: "" }, t.targets.sessionPolarity(this.page.session.polarity)),
      POLARITIES.map((name) => h("option", { value: name, selected: target.polarity === name }, t.polarity[name])));
    const labels = this.page.session.labels ?? [];
    const label = labels.length ? h("select", {
      "aria-label": t.targets.label, data: { focus: `label${id}` },
      onchange: () => this.doing.set(id, { label: label.value || null }),
    }, h("option", { value: "" }, t.targets.noLabel), labels.map((name) => h("option", { value: name, selected: target.label === name }, name))) : null;
    const overridden = isHand || target.level !== null || ring !== 0;
    return h("div.controls", {},
      isHand ? h("p.hint", {}, t.targets.byHandHelp) : h("div.level", {}, h("span.name", {}, t.targets.level), slider, read),
      isHand ? null : h("div.row", {}, h("span.name", {}, t.targets.ring), step(-1, "−", t.targets.ringIn), h("output.ring", {}, ring > 0 ? `+${ring}` : ring), step(1, "+", t.targets.ringOut)),
      h("div.row", {}, h("span.name", {}, t.targets.polarity), polarity),
      label ? h("div.row", {}, h("span.name", {}, t.targets.label), label) : null,
      h("div.row.buttons", {},
        h("button.small", { type: "button", disabled: !overridden, data: { focus: `own${id}` }, title: t.targets.ownHelp, onclick: () => this.doing.set(id, { level: null }) }, t.targets.own),
        h("button.small", { type: "button", "aria-pressed": isPainting, data: { focus: `paint${id}` }, onclick: () => this.doing.paint(id) }, t.targets.paint),
        h("button.small", { type: "button", "aria-pressed": target.verdict === "unsure", data: { focus: `unsure${id}` }, onclick: () => this.doing.set(id, { verdict: target.verdict === "unsure" ? null : "unsure" }) }, t.targets.unsure),
        h("button.small.danger", { type: "button", onclick: () => this.doing.remove(id) }, t.targets.remove)));
  }
}

/** Children of an element, of which those that stay are not touched. @param {Element} element @param {Element[]} wanted */
function replaceOthers(element, wanted) {
  const kept = new Set(wanted);
  let next = element.firstElementChild;
  for (const child of wanted) {
    while (next && !kept.has(next)) {
      const stale = next;
      next = next.nextElementSibling;
      stale.remove();
    }
    if (child === next) next = next.nextElementSibling;
    else element.insertBefore(child, next);
  }
  while (next) {
    const stale = next;
    next = next.nextElementSibling;
    stale.remove();
  }
}

/** A number, and a bar whose length carries it; none for a mask that was drawn by hand. */
export function confidence(target) {
  if (target.made === "hand") return h("span.confidence.by-hand", { title: t.targets.byHandHelp }, t.targets.byHand);
  if (target.confidence === null) return h("span.confidence", {}, "…");
  const percent = Math.round(target.confidence * 100);
  return h("span.confidence", { title: t.targets.confidenceHelp },
    h("span.value", {}, count(target.confidence, 2)),
    h("span.bar", { "aria-hidden": "true" }, h("i", { style: { width: `${percent}%` } })));
}
