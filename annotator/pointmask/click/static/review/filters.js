/** Order and choice of the queue. */

import { h } from "../dom.js";
import { t } from "../texts.js";

const ORDERS = /** @type {const} */ (["confidence", "area", "flags", "random"]);
const STATES = /** @type {const} */ (["todo", "unsure", "done", "any"]);

export class Filters {
  /** @param {import("../model/page.js").Page} page @param {() => void} changed */
  constructor(page, changed) {
    const pick = (label, options) => {
      const select = h("select", { onchange: changed }, options.map(([value, text]) => h("option", { value }, text)));
      return [select, h("label", {}, `${label} `, select)];
    };
    const labels = page.session.labels ?? [];
    const [order, orderLabel] = pick(t.review.order, ORDERS.map((name) => [name, t.review.orders[name]]));
    const [flag, flagLabel] = pick(t.review.flag, [["", t.review.any], ...Object.entries(t.flag).map(([name, { short }]) => [name, short])]);
    const [state, stateLabel] = pick(t.review.state, STATES.map((name) => [name, t.review.states[name]]));
    const [label, labelLabel] = pick(t.review.label, [["", t.review.any], ...labels.map((name) => [name, name])]);
    const bound = (text, value) => h("input", { type: "number", min: 0, max: 1, step: 0.05, value, "aria-label": text, onchange: changed });
    this.fields = { order, flag, state, label, low: bound(t.review.low, 0), high: bound(t.review.high, 1) };
    this.element = h("form.review-filters", { "aria-label": t.review.filters, onsubmit: (event) => event.preventDefault() },
      orderLabel, flagLabel, labels.length ? labelLabel : null, stateLabel,
      h("span.range", {}, `${t.review.confidence} `, this.fields.low, " – ", this.fields.high),
      h("button", { type: "button", onclick: changed }, t.review.refresh));
  }

  query() {
    const { order, flag, state, label, low, high } = this.fields;
    return { order: order.value, flag: flag.value, state: state.value, label: label.value, low: low.value, high: high.value };
  }

  focus() {
    this.fields.order.focus();
  }
}
