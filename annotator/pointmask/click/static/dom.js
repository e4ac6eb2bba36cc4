/** Elements without markup: everything untrusted becomes a text node, never HTML. */

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 */

/**
 * @param {string} name  tag, with classes after dots: "button.quiet"
 * @param {Record<string, any>} [properties]  `on…` are listeners, `data` and `style` objects, `aria…`, `role` and
 *     names with a dash attributes, the rest properties
 * @param {...(Child | Child[])} children
 * @returns {any} the element
 */
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "style") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, String(v));
    else if (key === "role" || key.includes("-")) element.setAttribute(key, String(value));
    else element[key] = value;
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : document.createTextNode(String(c)))));
  return element;
}

/** A name of a file: kept apart from the text around it, whatever direction its letters run in. */
export const bdi = (text, className = "") => h(className ? `bdi.${className}` : "bdi", {}, text);

/** @param {Element} element @param {...Child} children */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : document.createTextNode(String(c)))));
}

/** Set a text only where it differs, so that nothing is announced or laid out in vain. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * What need not be in the next picture: it is done once after that, however often it was asked for.
 * @param {() => void} work @param {() => number} wait  ms after the picture, unless it is asked for again meanwhile
 * @returns {() => void} asks for it
 */
export function afterPaint(work, wait) {
  let isPainting = false;
  let timer = 0;
  return () => {
    clearTimeout(timer);
    if (isPainting) return;
    isPainting = true;
    requestAnimationFrame(() => {
      isPainting = false;
      timer = window.setTimeout(work, wait());
    });
  };
}

/** @param {number} value @param {number} [digits] */
export const count = (value, digits = 0) =>
  value.toLocaleString(undefined, { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** A value of the image as people read it: whole counts whole, the rest with four digits that matter. */
export function quantity(value, isWhole) {
  if (value === null || value === undefined) return "…";
  if (!Number.isFinite(value)) return "not finite";
  if (isWhole && Math.abs(value) < 1e15) return value.toLocaleString(undefined, { maximumFractionDigits: 0 });
  return value.toLocaleString(undefined, { maximumSignificantDigits: 6 });
}

/** A measured quantity that needs four digits at most. @param {number} value */
export const rounded = (value) =>
  value.toLocaleString(undefined, Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 });

/**
 * A list of any length of which only the rows in sight exist.
 * @template Row
 */
export class LongList {
  /**
   * @param {HTMLElement} scroller  has a height and scrolls
   * @param {number} rowHeight  CSS px
   * @param {(index: number) => HTMLElement} draw
   */
  constructor(scroller, rowHeight, draw) {
    Object.assign(this, { scroller, rowHeight, draw, length: 0, first: -1, last: -1 });
    this.space = h("div.space", { role: "presentation" });
    this.rows = h("div.rows", { role: "presentation" });
    this.space.append(this.rows);
    scroller.append(this.space);
    scroller.addEventListener("scroll", () => this.update(), { passive: true });
    new ResizeObserver(() => this.update()).observe(scroller);
  }

  /** @param {number} length */
  resize(length) {
    this.length = length;
    this.space.style.setProperty("height", `${Math.min(length * this.rowHeight, 8_000_000)}px`);
    this.update(true);
  }

  update(force = false) {
    const total = this.length * this.rowHeight;
    const room = this.scroller.clientHeight;
    // Browsers know no element of a million rows: beyond 8 million px the bar moves faster than the rows.
    const ratio = total > 8_000_000 ? (total - room) / (8_000_000 - room) : 1;
    const top = this.scroller.scrollTop * ratio;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - 4);
    const last = Math.min(this.length, Math.ceil((top + room) / this.rowHeight) + 4);
    if (!force && first === this.first && last === this.last) return;
    Object.assign(this, { first, last });
    const shift = this.scroller.scrollTop - (top - first * this.rowHeight);
    this.rows.style.setProperty("transform", `translateY(${shift}px)`);
    const rows = [];
    for (let i = first; i < last; i += 1) rows.push(this.draw(i));
    this.rows.replaceChildren(...rows);
  }

  /** @param {number} index */
  reveal(index) {
    const total = this.length * this.rowHeight;
    const room = this.scroller.clientHeight;
    const ratio = total > 8_000_000 ? (total - room) / (8_000_000 - room) : 1;
    const place = (index * this.rowHeight) / ratio;
    const { scrollTop } = this.scroller;
    if (place < scrollTop || place + this.rowHeight > scrollTop + room) {
      this.scroller.scrollTop = Math.max(0, place - room / 2);
    }
    this.update();
  }
}
