/** Pictures of one target: image, soft label and mask side by side, at one whole scale, loaded before they are seen. */

import { api } from "../model/api.js";
import { colourTable, palette, windowOf } from "../view/levels.js";
import { drawMarks } from "../view/overlay.js";
import { Raster } from "../view/picture.js";

const LEAST_SIDE = 33; // px; most targets then have the same scale, so that sizes can be compared
const MOST_SIDE = 257;
const MOST_KEPT = 80;
const LOW = 0.01; // quantiles of a crop that its window spans
const HIGH = 0.999;

/**
 * @typedef {object} Crop
 * @property {import("../view/pool.js").Plane} plane
 * @property {import("../view/levels.js").SampleCode} code
 * @property {Uint8Array} soft @property {Uint8Array} mask
 * @property {Uint8Array} [superpixel] @property {Uint8Array} [potential]  where it reaches the level
 * @property {number} top @property {number} left  in the frame
 */

/** @param {number[]} box @returns {number} pixels along the side of a crop with enough ground around the mask */
export function sideFor([top, left, bottom, right]) {
  const side = 2 * Math.max(bottom - top, right - left) + 17;
  return Math.min(Math.max(side | 1, LEAST_SIDE), MOST_SIDE);
}

export class Crops {
  /** @param {boolean} [why]  load the parts of the soft labels, too */
  constructor(why = false) {
    this.why = why;
    /** @type {Map<string, Promise<Crop>>} */ this.known = new Map();
    this.raster = new Raster();
    this.heat = palette("heat");
  }

  /** @param {{id: number, frame: number, target: number, box: number[]}} row @returns {Promise<Crop>} */
  get(row) {
    const key = `${row.id}/${row.frame}/${row.target}`;
    let crop = this.known.get(key);
    if (!crop) {
      crop = api.crop(row.id, row.frame, row.target, sideFor(row.box), this.why);
      crop.catch(() => this.known.delete(key));
      this.known.set(key, crop);
      if (this.known.size > MOST_KEPT) this.known.delete(/** @type {string} */ (this.known.keys().next().value));
    }
    return crop;
  }

  /** A correction changed its mask. */
  forget(row) {
    this.known.delete(`${row.id}/${row.frame}/${row.target}`);
  }

  /**
   * @param {HTMLCanvasElement} canvas  gets the size that the crop has at the scale
   * @param {Crop} crop @param {"image" | "soft" | "mask"} what @param {number} scale  device px a pixel
   * @param {number[] | null} point  row, col of the target in the frame @param {boolean} outlined
   */
  draw(canvas, crop, what, scale, point, outlined) {
    const { width, height } = crop.plane;
    if (canvas.width !== width * scale || canvas.height !== height * scale) {
      canvas.width = width * scale;
      canvas.height = height * scale;
    }
    const ratio = window.devicePixelRatio;
    canvas.style.setProperty("width", `${canvas.width / ratio}px`);
    canvas.style.setProperty("height", `${canvas.height / ratio}px`);
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    if (what === "soft") this.raster.plane(context, { data: crop.soft, width, height }, scale, 0, 0, this.heat);
    else this.raster.plane(context, crop.plane, scale, 0, 0, cropTable(crop));
    if (!outlined && what !== "mask") return;
    const view = { scale, x: -crop.left * scale, y: -crop.top * scale };
    const mask = { top: crop.top, left: crop.left, width, height, pixels: crop.mask };
    const mark = { mask: what === "mask" ? mask : null, point, kind: "given", text: "", selected: false };
    drawMarks(context, view, [/** @type {any} */ (mark)], { ratio, mode: "outline" });
  }
}

/** @param {Crop} crop @returns {Uint32Array} */
function cropTable({ plane: { data }, code }) {
  const seen = Float64Array.from(data.filter((sample) => sample !== code.missing)).sort();
  if (!seen.length) return colourTable(code, { low: 0, high: 1 }, "grey");
  const at = (share) => code.offset + code.scale * seen[Math.round(share * (seen.length - 1))];
  return colourTable(code, windowOf(at(LOW), at(HIGH)), "grey");
}

