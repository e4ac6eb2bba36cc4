/**
 * The image on the screen: two canvases, one for samples and one for what lies over them, both in device
 * pixels. Knows views, windows and marks; knows nothing of a server, so a notebook can hold it as well.
 */

import { centredOn, fitted, held, pixelAt, squareOf, stepped, visible, zoomedAbout } from "./geometry.js";
import { colourTable } from "./levels.js";
import { drawCursor, drawMarks } from "./overlay.js";
import { Raster } from "./picture.js";

const GROUND = "#1a1c20";
const MANY = 200; // marks that are kept as drawn, so that a move of the pointer does not draw them anew

/** @typedef {import("./picture.js").Picture} Picture */

export class Viewer extends EventTarget {
  /** @param {HTMLElement} host  is filled; its size is the viewer's */
  constructor(host) {
    super();
    this.host = host;
    const canvas = (name) => {
      const element = document.createElement("canvas");
      element.className = name;
      element.setAttribute("aria-hidden", "true");
      host.append(element);
      return element;
    };
    this.base = canvas("samples");
    this.cover = canvas("marks");
    this.baseContext = /** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d", { alpha: false }));
    this.coverContext = /** @type {CanvasRenderingContext2D} */ (this.cover.getContext("2d"));
    this.raster = new Raster();
    this.view = { scale: 1, x: 0, y: 0 };
    this.ratio = window.devicePixelRatio;
    this.isFitted = true;
    /** @type {Picture | null} */ this.picture = null;
    /** @type {Picture | null} */ this.blink = null;
    /** @type {Uint32Array | null} */ this.table = null;
    this.window = { low: 0, high: 1 };
    this.palette = "grey";
    /** @type {import("./overlay.js").Mark[]} */ this.marks = [];
    /** @type {import("./overlay.js").Mark | null} over the others, while the pointer rests */ this.passing = null;
    /** @type {"outline" | "fill" | "off"} */ this.mode = "outline";
    this.isBare = false;
    /** @type {{row: number, col: number} | null} */ this.hovered = null;
    /** @type {{row: number, col: number} | null} */ this.cursor = null;
    this.brush = 1;
    /** @type {((context: CanvasRenderingContext2D, view: import("./geometry.js").View) => void) | null} */
    this.extra = null; // drawn over the marks
    /** @type {typeof this.extra} */ this.over = null; // too, by another
    /** @type {typeof this.extra} */ this.under = null; // and under them
    /** @type {{x: number, y: number} | null} */ this.pointer = null; // CSS pixels in the host
    this.layer = document.createElement("canvas"); // of many marks
    this.dirty = { base: false, marks: false };
    this.queued = 0;
    this.observer = new ResizeObserver((entries) => this.resized(entries[0]));
    try {
      this.observer.observe(host, { box: "device-pixel-content-box" });
    } catch {
      this.observer.observe(host);
    }
  }

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.queued);
  }

  get width() {
    return this.base.width;
  }

  get height() {
    return this.base.height;
  }

  /** @param {ResizeObserverEntry} entry */
  resized(entry) {
    if (!entry.contentRect.width || !entry.contentRect.height) return; // hidden: the last size will do
    const box = entry.devicePixelContentBoxSize?.[0];
    const told = window.devicePixelRatio;
    // What is told and what is painted differ where a device below ratio 1 is emulated: what is painted counts.
    const measured = box ? box.inlineSize / entry.contentRect.width : told;
    const ratio = Math.abs(measured / told - 1) < 0.01 ? told : measured;
    const width = Math.max(1, box?.inlineSize ?? Math.round(entry.contentRect.width * ratio));
    const height = Math.max(1, box?.blockSize ?? Math.round(entry.contentRect.height * ratio));
    if (width === this.width && height === this.height && ratio === this.ratio) return;
    // The image point under the pointer stays there when the browser zooms, else that in the middle.
    const zoomed = ratio !== this.ratio && this.pointer;
    const before = zoomed
      ? [this.pointer.x * this.ratio, this.pointer.y * this.ratio]
      : [this.width / 2, this.height / 2];
    const after = zoomed ? [this.pointer.x * ratio, this.pointer.y * ratio] : [width / 2, height / 2];
    for (const canvas of [this.base, this.cover]) {
      canvas.width = width;
      canvas.height = height;
    }
    this.ratio = ratio;
    if (this.isFitted) this.fit();
    else this.place({ ...this.view, x: this.view.x + Math.round(after[0] - before[0]), y: this.view.y + Math.round(after[1] - before[1]) });
    this.render(); // a canvas is empty after a change of size: at once, or it flickers
  }

  /**
   * @param {Picture | null} picture
   * @param {boolean} keep  the view, where the shape is the same
   */
  show(picture, keep) {
    const same = keep && picture && this.picture && picture.width === this.picture.width && picture.height === this.picture.height;
    this.picture = picture;
    this.blink = null;
    this.table = null;
    if (picture && !same) {
      this.isFitted = true;
      this.fit();
    }
    this.refresh();
  }

  /** @param {import("./levels.js").Window} window @param {string} palette */
  setWindow(window, palette) {
    this.window = window;
    this.palette = palette;
    this.refreshTable();
  }

  refreshTable() {
    this.table = null;
    this.refresh();
  }

  /** @param {import("./geometry.js").View} view */
  place(view) {
    this.view = this.picture ? held(view, this.picture.width, this.picture.height, this.width, this.height) : view;
    this.host.dataset.view = `${this.view.scale} ${this.view.x} ${this.view.y} ${this.ratio}`; // for tests and the curious
    this.refresh();
    this.dispatchEvent(new Event("view"));
  }

  fit() {
    if (!this.picture) return;
    this.isFitted = true;
    this.place(fitted(this.picture.width, this.picture.height, this.width, this.height, this.picture.scales));
  }

  /**
   * @param {number} steps  of the scales @param {{x: number, y: number}} [about]  device pixels
   */
  zoom(steps, about = { x: this.width / 2, y: this.height / 2 }) {
    this.scaleTo(stepped(this.view.scale, steps, this.picture?.scales), about);
  }

  /** @param {number} scale @param {{x: number, y: number}} [about] */
  scaleTo(scale, about = { x: this.width / 2, y: this.height / 2 }) {
    if (!this.picture || scale === this.view.scale) return;
    this.isFitted = false;
    this.place(zoomedAbout(this.view, scale, about.x, about.y));
  }

  /** @param {number} dx @param {number} dy  device pixels */
  pan(dx, dy) {
    this.isFitted = false;
    this.place({ ...this.view, x: this.view.x + Math.round(dx), y: this.view.y + Math.round(dy) });
  }

  /** @param {number} row @param {number} col @param {number} [scale] */
  centre(row, col, scale = this.view.scale) {
    this.isFitted = false;
    this.place(centredOn({ ...this.view, scale }, row, col, this.width, this.height));
  }

  /** Move the view only as far as needed for a pixel to be in sight. @param {number} row @param {number} col */
  reveal(row, col) {
    const { x, y, side } = squareOf(this.view, row, col);
    const margin = Math.min(24 * this.ratio, this.width / 4, this.height / 4);
    const short = (start, room) =>
      start < margin ? margin - start : Math.min(0, room - margin - side - start);
    const [dx, dy] = [short(x, this.width), short(y, this.height)];
    if (dx || dy) this.pan(dx, dy);
  }

  /** Visible part of the image, half open. */
  visiblePart() {
    const { width = 0, height = 0 } = this.picture ?? {};
    return visible(this.view, width, height, this.width, this.height);
  }

  /** @param {{clientX: number, clientY: number}} event @returns {{x: number, y: number}} device pixels */
  devicePlace(event) {
    const box = this.host.getBoundingClientRect();
    // Browsers paint boxes from whole device pixels on.
    const snapped = (css) => Math.round(css * this.ratio);
    return {
      x: event.clientX * this.ratio - snapped(box.left + this.host.clientLeft),
      y: event.clientY * this.ratio - snapped(box.top + this.host.clientTop),
    };
  }

  /** @param {{clientX: number, clientY: number}} event @returns {{row: number, col: number} | null} in the image */
  pixelOf(event) {
    if (!this.picture) return null;
    const { x, y } = this.devicePlace(event);
    const pixel = pixelAt(this.view, x, y);
    return this.picture.holds(pixel.row, pixel.col) ? this.picture.meant(this.view, pixel) : null;
  }

  refresh() {
    this.dirty.base = true;
    this.refreshMarks();
  }

  refreshMarks() {
    this.dirty.marks = true;
    this.refreshCursor();
  }

  refreshCursor() {
    // Input events come before this frame's callbacks: what a click changes is painted in the same frame.
    if (!this.queued) this.queued = requestAnimationFrame(() => this.render(this.dirty.base));
  }

  /** @param {boolean} [withBase] */
  render(withBase = true) {
    cancelAnimationFrame(this.queued);
    this.queued = 0;
    const shown = this.blink ?? this.picture;
    if (withBase) {
      this.baseContext.fillStyle = GROUND;
      this.baseContext.fillRect(0, 0, this.width, this.height);
      if (shown) {
        this.table ??= colourTable(shown.code, this.window, this.palette);
        this.raster.draw(this.baseContext, shown, this.view, this.table);
      }
    }
    this.renderCover(withBase || this.dirty.marks);
    this.dirty.base = this.dirty.marks = false;
    this.dispatchEvent(new Event("painted"));
  }

  /** @param {boolean} anew  whether marks, view or size changed */
  renderCover(anew) {
    const context = this.coverContext;
    context.clearRect(0, 0, this.width, this.height);
    if (!this.picture || this.isBare || this.blink) return;
    this.under?.(context, this.view);
    if (this.mode !== "off") this.renderMarks(context, anew);
    this.extra?.(context, this.view);
    this.over?.(context, this.view);
    if (this.cursor) drawCursor(context, this.view, this.cursor, this.ratio, true, this.brush);
    else if (this.hovered) drawCursor(context, this.view, this.hovered, this.ratio, false, this.brush);
  }

  /** @param {CanvasRenderingContext2D} context @param {boolean} anew */
  renderMarks(context, anew) {
    const style = { ratio: this.ratio, mode: /** @type {"outline" | "fill"} */ (this.mode) };
    const { layer, width, height } = this;
    if (this.marks.length < MANY) drawMarks(context, this.view, this.marks, style);
    else {
      if (anew || layer.width !== width || layer.height !== height) {
        Object.assign(layer, { width, height }); // empties it
        drawMarks(/** @type {CanvasRenderingContext2D} */ (layer.getContext("2d")), this.view, this.marks, style);
      }
      context.drawImage(layer, 0, 0);
    }
    if (this.passing) drawMarks(context, this.view, [this.passing], style);
  }
}
