/**
 * The samples of one frame as the page holds them: whole, or an overview and tiles of what is looked at; and
 * how they come on a canvas: one colour per sample, whole device pixels, nothing between them.
 */

import { poolOf, SCALES, visible } from "./geometry.js";
import { valueOf } from "./levels.js";
import { pooled, sourceOf } from "./pool.js";

/** @typedef {import("./pool.js").Plane} Plane */
/** @typedef {import("./geometry.js").View} View */

/** Samples along the side of a tile. */
export const TILE = 512;

export class Picture {
  /**
   * @param {object} of
   * @param {number} of.width @param {number} of.height  of the frame
   * @param {import("./levels.js").SampleCode} of.code
   * @param {Plane} of.plane  the frame, pooled by `of.pool`
   * @param {number} [of.pool]  1 if the frame is here whole
   * @param {import("./pool.js").Polarity} of.polarity
   */
  constructor({ width, height, code, plane, pool = 1, polarity }) {
    Object.assign(this, { width, height, code, plane, pool, polarity });
    /** @type {Map<number, Plane>} */ this.smaller = new Map();
    /** @type {Map<string, Plane>} */ this.tiles = new Map();
    // An overview of p x p pixels a sample divides into powers of two only.
    this.scales = pool === 1 ? SCALES : SCALES.filter((s) => s >= 1 || Number.isInteger(Math.log2(s)));
  }

  get isWhole() {
    return this.pool === 1;
  }

  /** @param {number} pool  of the screen @returns {Plane} pooled by max(pool, this.pool) */
  at(pool) {
    const further = Math.round(pool / this.pool);
    if (further <= 1) return this.plane;
    let plane = this.smaller.get(further);
    if (!plane) {
      plane = pooled(this.plane, further, this.polarity);
      this.smaller.set(further, plane);
    }
    return plane;
  }

  /** @param {number} row @param {number} col @returns {boolean} */
  holds(row, col) {
    return row >= 0 && col >= 0 && row < this.height && col < this.width;
  }

  /**
   * @param {number} row @param {number} col
   * @returns {number | null} the value, NaN if not finite, null if that pixel is not loaded
   */
  value(row, col) {
    if (!this.holds(row, col)) return null;
    if (this.isWhole) return valueOf(this.code, this.plane.data[row * this.width + col]);
    const tile = this.tiles.get(tileKey(1, Math.floor(row / TILE), Math.floor(col / TILE)));
    if (!tile) return null;
    return valueOf(this.code, tile.data[(row % TILE) * tile.width + (col % TILE)]);
  }

  /**
   * The pixel that is meant by a place on a pooled screen: the one whose sample is shown there.
   * @param {View} view @param {{row: number, col: number}} pixel
   * @returns {{row: number, col: number}}
   */
  meant(view, pixel) {
    const pool = poolOf(view.scale);
    if (pool === 1 || !this.isWhole || !this.holds(pixel.row, pixel.col)) return pixel;
    const plane = this.at(pool);
    const sample = plane.data[Math.floor(pixel.row / pool) * plane.width + Math.floor(pixel.col / pool)];
    return sourceOf(this.plane, pool, pixel.row, pixel.col, sample);
  }

  /**
   * Tiles that the canvas shows and that are not here, nearest to a place first.
   * @param {View} view @param {number} width @param {number} height  of the canvas
   * @param {{row: number, col: number} | null} [near]
   * @returns {{pool: number, row: number, col: number, top: number, left: number, height: number,
   *     width: number}[]} the part in image pixels
   */
  missing(view, width, height, near = null) {
    const pool = poolOf(view.scale);
    if (pool >= this.pool) return [];
    const part = visible(view, this.width, this.height, width, height);
    const side = TILE * pool;
    const wanted = [];
    for (let row = Math.floor(part.top / side); row * side < part.bottom; row += 1) {
      for (let col = Math.floor(part.left / side); col * side < part.right; col += 1) {
        if (this.tiles.has(tileKey(pool, row, col))) continue;
        const [top, left] = [row * side, col * side];
        const [rows, cols] = [Math.min(side, this.height - top), Math.min(side, this.width - left)];
        wanted.push({ pool, row, col, top, left, height: rows, width: cols });
      }
    }
    const centre = near ?? { row: (part.top + part.bottom) / 2, col: (part.left + part.right) / 2 };
    const distance = (t) => Math.hypot(t.top + t.height / 2 - centre.row, t.left + t.width / 2 - centre.col);
    return wanted.sort((a, b) => distance(a) - distance(b));
  }

  /** @param {{pool: number, row: number, col: number}} tile @param {Plane} plane @param {number} [most] */
  addTile({ pool, row, col }, plane, most = 96) {
    this.tiles.set(tileKey(pool, row, col), plane);
    if (this.tiles.size > most) this.tiles.delete(/** @type {string} */ (this.tiles.keys().next().value));
  }
}

/** @param {number} pool @param {number} row @param {number} col */
const tileKey = (pool, row, col) => `${pool}/${row}/${col}`;

/** Draws pictures; keeps its scratch canvas between calls. */
export class Raster {
  constructor() {
    this.scratch = document.createElement("canvas");
    this.context = /** @type {CanvasRenderingContext2D} */ (this.scratch.getContext("2d"));
    /** @type {ImageData | null} */ this.image = null;
  }

  /**
   * @param {CanvasRenderingContext2D} target @param {Picture} picture @param {View} view
   * @param {Uint32Array} table  the colour of every code
   */
  draw(target, picture, view, table) {
    const pool = poolOf(view.scale);
    const unit = Math.max(view.scale, 1);
    if (pool >= picture.pool) {
      this.plane(target, picture.at(pool), unit, view.x, view.y, table);
      return;
    }
    this.plane(target, picture.plane, (unit * picture.pool) / pool, view.x, view.y, table);
    const side = TILE * unit;
    for (const [key, tile] of picture.tiles) {
      const [of, row, col] = key.split("/").map(Number);
      if (of === pool) this.plane(target, tile, unit, view.x + col * side, view.y + row * side, table);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} target @param {Plane} plane @param {number} unit  device pixels a sample
   * @param {number} x @param {number} y @param {Uint32Array} table
   */
  plane(target, plane, unit, x, y, table) {
    const { width: canvasWidth, height: canvasHeight } = target.canvas;
    const left = Math.max(0, Math.floor(-x / unit));
    const top = Math.max(0, Math.floor(-y / unit));
    const width = Math.min(plane.width, Math.ceil((canvasWidth - x) / unit)) - left;
    const height = Math.min(plane.height, Math.ceil((canvasHeight - y) / unit)) - top;
    if (width <= 0 || height <= 0) return;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.scratch.width = width;
      this.scratch.height = height;
    }
    const pixels = new Uint32Array(this.image.data.buffer);
    const { data } = plane;
    for (let row = 0, place = 0; row < height; row += 1) {
      let source = (top + row) * plane.width + left;
      for (let col = 0; col < width; col += 1) pixels[place++] = table[data[source++]];
    }
    if (unit === 1) {
      target.putImageData(this.image, x + left, y + top);
      return;
    }
    this.context.putImageData(this.image, 0, 0);
    target.imageSmoothingEnabled = false;
    target.drawImage(
      this.scratch, 0, 0, width, height, x + left * unit, y + top * unit, width * unit, height * unit,
    );
  }
}
