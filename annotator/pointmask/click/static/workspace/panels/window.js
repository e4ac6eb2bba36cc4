/** Window and level: presets, the histogram with two handles, number fields, colours. */

import { h } from "../../dom.js";
import { change, settings } from "../../model/settings.js";
import { t } from "../../texts.js";
import { poolOf } from "../../view/geometry.js";
import { codeOf, PALETTE_NAMES, quantilesWithin, valueOf, windowOf } from "../../view/levels.js";

export const PRESETS = /** @type {const} */ (["auto", "local", "background", "full", "type", "mine"]);
const BINS = 256;
const OUTSIDE = 0.35; // opacity of counts outside the window

/**
 * Values of a preset for a frame.
 * @param {string} preset @param {import("../../../model/frames.js").Frame} frame
 * @param {{top: number, left: number, bottom: number, right: number}} visible
 * @param {number} [pool]  pixels along a side of which the screen shows one
 * @returns {import("../../../view/levels.js").Window}
 */
export function presetWindow(preset, frame, visible, pool = 1) {
  const { facts, picture } = frame;
  if (!facts || !picture) return { low: 0, high: 1 };
  const { median, sigma } = facts.background;
  const [all, code] = [facts.quantiles, picture.code];
  const mine = settings[mineOf(frame)];
  if (preset === "mine" && mine) return windowOf(mine.low, mine.high);
  if (preset === "background") return windowOf(median - 3 * sigma, median + 12 * sigma);
  if (preset === "full") return windowOf(all["0"], all["100"]);
  if (preset === "type") {
    const [low, high] = facts.type_range ?? [all["0"], all["100"]];
    return windowOf(low, high);
  }
  // The brightest of many pixels are brighter than most: what is on the screen counts, or all would be white.
  if ((preset === "local" || (preset === "auto" && pool > 1)) && pool >= picture.pool) {
    const { data, width, height } = picture.at(pool);
    const part = preset === "auto" ? { top: 0, left: 0, bottom: height, right: width } : shrunk(visible, pool);
    if (part.bottom > part.top && part.right > part.left) {
      const [low, high] = quantilesWithin(data, width, code, part, [0.005, 0.998]);
      return windowOf(low, high);
    }
  }
  return windowOf(all["0.5"], all["99.8"]);
}

/** A part of the frame in pooled pixels. */
const shrunk = ({ top, left, bottom, right }, pool) =>
  ({ top: Math.floor(top / pool), left: Math.floor(left / pool), bottom: Math.ceil(bottom / pool), right: Math.ceil(right / pool) });

/** The setting that keeps what was set by hand. @param {any} frame  or its flat view */
const mineOf = (frame) => /** @type {const} */ (frame?.isFlat ? "flatWindow" : "window");

/** @param {string} type @returns {boolean} whether values of this type are whole numbers */
export const isWhole = (type) => /^u?int\d+$|^bool/.test(type);

export class WindowPanel {
  /** @param {import("../../../view/viewer.js").Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** @type {import("../../../model/frames.js").Frame | null} */ this.frame = null;
    /** Values that stay while they are locked. */
    this.held = { window: settings.held, flatWindow: /** @type {typeof settings.held} */ (null) };
    this.range = { low: 0, high: 1 };
    this.isGrabbed = false;
    /** @type {import("../../../view/levels.js").Window | null} */ this.start = null;
    this.queued = 0;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.low = this.numberField(t.window.low, "low");
    this.high = this.numberField(t.window.high, "high");
    this.handles = { low: h("i.handle.low"), high: h("i.handle.high") };
    this.plot = h("div.histogram", { title: t.window.histogram }, this.canvas, this.handles.low, this.handles.high);
    this.plot.addEventListener("pointerdown", (event) => this.grab(event));
    this.presets = h("div.segments", { role: "radiogroup", "aria-label": t.window.presets }, PRESETS.map((name) =>
      h("label", { title: t.window.presetHelp[name] }, h("input", {
        type: "radio", name: "preset", value: name, checked: settings.preset === name, onchange: () => this.usePreset(name),
      }), h("span", {}, t.window.preset[name]))));
    this.lock = h("input", { type: "checkbox", checked: settings.locked, onchange: () => this.setLocked(this.lock.checked) });
    this.invert = h("input", { type: "checkbox", checked: settings.inverted, onchange: () => this.setInverted(this.invert.checked) });
    this.palette = h("select", { "aria-label": t.window.colours, onchange: () => this.setPalette(this.palette.value) },
      PALETTE_NAMES.filter((n) => n !== "inverted").map((name) => h("option", { value: name, selected: settings.palette === name }, t.window.palettes[name])));
    this.element = h("section.panel.window", { "aria-label": t.window.title },
      h("h2", {}, t.window.title), this.plot,
      h("div.fields", {}, this.low, h("span", { "aria-hidden": "true" }, "–"), this.high),
      this.presets,
      h("div.row", {}, h("label.check", {}, this.lock, t.window.lock), h("label.check", {}, this.invert, t.window.invert), this.palette));
    new ResizeObserver(() => this.drawSoon()).observe(this.plot);
    this.pool = 1;
    viewer.addEventListener("view", () => {
      const isPooledAnew = settings.preset === "auto" && poolOf(viewer.view.scale) !== this.pool;
      const isShown = this.frame?.picture && this.frame.picture === viewer.picture;
      if (isShown && !settings.locked && (settings.preset === "local" || isPooledAnew)) this.apply();
    });
  }

  /** @param {string} label @param {"low" | "high"} end */
  numberField(label, end) {
    const field = h("input", { type: "number", step: "any", "aria-label": label });
    field.addEventListener("change", () => {
      const value = Number(field.value);
      if (Number.isFinite(value) && field.value !== "") this.setMine({ ...this.viewer.window, [end]: value }, end);
    });
    return field;
  }

  /** @param {import("../../../model/frames.js").Frame} frame  or its flat view */
  show(frame) {
    this.frame = frame;
    const held = this.held[mineOf(frame)];
    if (settings.locked && held) this.use(held);
    else this.apply();
  }

  /** The preset's values for what is shown now. */
  apply() {
    if (!this.frame) return;
    this.pool = poolOf(this.viewer.view.scale);
    this.use(presetWindow(settings.preset, this.frame, this.viewer.visiblePart(), this.pool));
  }

  /** @param {import("../../../view/levels.js").Window} window */
  use(window) {
    this.held[mineOf(this.frame)] = window;
    if (settings.locked) change({ held: this.held.window });
    const palette = settings.inverted && settings.palette === "grey" ? "inverted" : settings.palette;
    this.viewer.setWindow(window, palette);
    this.drawSoon();
  }

  /** @param {(typeof PRESETS)[number]} preset */
  usePreset(preset) {
    change({ preset });
    this.apply();
    for (const radio of this.presets.querySelectorAll("input")) radio.checked = radio.value === preset;
  }

  /** @param {number} steps */
  cycle(steps) {
    const names = PRESETS.filter((name) => name !== "mine" || settings[mineOf(this.frame)]);
    const place = names.indexOf(settings.preset);
    this.usePreset(names[(place + steps + names.length) % names.length]);
    return t.window.preset[settings.preset];
  }

  /** Values that a person chose. @param {import("../../../view/levels.js").Window} wanted @param {"low" | "high"} [moved] */
  setMine(wanted, moved = "high") {
    const least = this.viewer.picture?.code.scale ?? 1e-6;
    const window = { ...wanted };
    if (window.high - window.low < least) {
      if (moved === "low") window.low = window.high - least;
      else window.high = window.low + least;
    }
    change({ [mineOf(this.frame)]: window, preset: "mine" });
    for (const radio of this.presets.querySelectorAll("input")) radio.checked = radio.value === "mine";
    this.use(window);
  }

  /** A right drag: sideways the width, up and down the centre. */
  drag(dx, dy, isLast) {
    this.start ??= { ...this.viewer.window };
    const { low, high } = this.start;
    const [centre, width] = [(low + high) / 2, high - low];
    const newWidth = width * Math.exp(dx / 200);
    const newCentre = centre + (dy / 300) * width;
    if (isLast) this.start = null;
    this.setMine({ low: newCentre - newWidth / 2, high: newCentre + newWidth / 2 });
  }

  setLocked(locked) {
    change({ locked, held: this.held.window });
    this.lock.checked = locked;
    if (!locked) this.apply();
  }

  setInverted(inverted) {
    change({ inverted });
    this.invert.checked = inverted;
    this.use(this.viewer.window);
  }

  setPalette(palette) {
    change({ palette });
    this.palette.value = palette;
    this.use(this.viewer.window);
  }

  nextPalette() {
    const names = PALETTE_NAMES.filter((n) => n !== "inverted");
    this.setPalette(names[(names.indexOf(settings.palette) + 1) % names.length]);
  }

  drawSoon() {
    if (!this.queued) this.queued = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.queued = 0;
    const { low, high } = this.viewer.window;
    const whole = isWhole(this.frame?.facts?.type ?? "");
    const digits = whole ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.max(high - low, 1e-9))));
    for (const [field, value] of [[this.low, low], [this.high, high]]) {
      if (document.activeElement !== field) field.value = String(Number(value.toFixed(Math.min(digits, 12))));
    }
    if (!this.isGrabbed) this.range = this.shownRange();
    this.drawBins();
    for (const [name, value] of /** @type {const} */ ([["low", low], ["high", high]])) {
      const share = (value - this.range.low) / (this.range.high - this.range.low);
      this.handles[name].style.setProperty("left", `${Math.min(Math.max(share, 0), 1) * 100}%`);
    }
  }

  /** The counts that occur and the window, whichever reaches further; single hot pixels apart. */
  shownRange() {
    const { low, high } = this.viewer.window;
    const all = this.frame?.facts?.quantiles;
    const [first, last] = all ? [all["0.5"], all["99.8"]] : [low, high];
    const [from, to] = [Math.min(first, low), Math.max(last, high)];
    const margin = (to - from || 1) * 0.08;
    return { low: from - margin, high: to + margin };
  }

  drawBins() {
    const box = this.plot.getBoundingClientRect();
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.max(1, Math.round(box.width * ratio)), Math.max(1, Math.round(box.height * ratio))];
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const bins = this.bins();
    const most = Math.log1p(Math.max(1, ...bins));
    const { low, high } = this.viewer.window;
    context.fillStyle = getComputedStyle(this.canvas).color;
    const { length } = bins;
    for (let i = 0; i < length; i += 1) {
      const value = this.range.low + ((i + 0.5) / length) * (this.range.high - this.range.low);
      context.globalAlpha = value >= low && value <= high ? 1 : OUTSIDE;
      const [left, right] = [Math.round((i / length) * width), Math.round(((i + 1) / length) * width)];
      const tall = Math.round((Math.log1p(bins[i]) / most) * (height - 4 * ratio));
      context.fillRect(left, height - tall, Math.max(right - left, 1), tall);
    }
  }

  /** @returns {Uint32Array} */
  bins() {
    const { picture } = this.frame ?? {};
    if (!picture) return new Uint32Array(BINS);
    const key = `${this.range.low}/${this.range.high}`;
    if (this.cached?.picture === picture && this.cached.key === key) return this.cached.bins;
    // Never narrower than a step of the samples, or a comb of empty bins appears.
    const steps = Math.floor((this.range.high - this.range.low) / picture.code.scale);
    const bins = new Uint32Array(Math.min(Math.max(steps, 1), BINS));
    const { data } = picture.plane;
    const { code } = picture;
    const first = codeOf(code, this.range.low);
    const factor = bins.length / (codeOf(code, this.range.high) - first);
    const step = Math.max(1, Math.floor(data.length / 400_000)); // enough for a picture of counts
    for (let i = 0; i < data.length; i += step) {
      const bin = Math.floor((data[i] - first) * factor);
      if (bin >= 0 && bin < bins.length && !Number.isNaN(valueOf(code, data[i]))) bins[bin] += 1;
    }
    this.cached = { picture, key, bins };
    return bins;
  }

  /** @param {PointerEvent} event */
  grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const box = this.plot.getBoundingClientRect();
    const range = { ...this.range };
    const valueAt = (x) => range.low + ((x - box.left) / box.width) * (range.high - range.low);
    const start = valueAt(event.clientX);
    const { low, high } = this.viewer.window;
    const end = Math.abs(start - low) < Math.abs(start - high) ? "low" : "high";
    const move = (x) => this.setMine({ ...this.viewer.window, [end]: valueAt(x) }, end);
    const stop = new AbortController();
    this.plot.setPointerCapture(event.pointerId);
    this.isGrabbed = true;
    move(event.clientX);
    this.plot.addEventListener("pointermove", (e) => move(e.clientX), { signal: stop.signal });
    for (const type of ["pointerup", "pointercancel"]) {
      this.plot.addEventListener(type, () => {
        stop.abort();
        this.isGrabbed = false;
        this.drawSoon();
      }, { signal: stop.signal });
    }
  }
}
