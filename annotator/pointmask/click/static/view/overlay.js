/** What is drawn over the image: outlines along pixel edges, ticks that point at a click, cursors, numbers. */

import { edgesOf, runsOf } from "./bits.js";
import { squareOf } from "./geometry.js";

export const MASK_COLOUR = "#1fe0c0";
export const POINT_COLOUR = "#ff4f6d";
const HALO = "rgba(0, 0, 0, .72)";
const CURSOR = "#ffe14d";
const MARGIN = 160; // CSS px around the canvas from which a mark's number reaches into it
const BRACKETS_BELOW = 2; // device px a pixel; outlines would cover what they show

/**
 * @typedef {object} Mark
 * @property {import("./bits.js").Mask | null} mask
 * @property {number[] | null} point  row, col; null draws none
 * @property {number[] | null} [centre]
 * @property {"given" | "carried" | "proposal" | "preview" | "pending"} kind
 * @property {string} text  beside the target
 * @property {boolean} selected
 * @property {boolean} [dashed]
 */

/** @type {WeakMap<object, ReturnType<typeof edgesOf>>} */
const edgesCache = new WeakMap();

/** @param {import("./bits.js").Mask} mask */
function cachedEdges(mask) {
  let edges = edgesCache.get(mask);
  if (!edges) edgesCache.set(mask, (edges = edgesOf(mask)));
  return edges;
}

/**
 * Rectangles just outside the mask, `thick` device pixels wide, beginning `gap` pixels away from it.
 * @param {Path2D} path @param {import("./geometry.js").View} view @param {import("./bits.js").Mask} mask
 * @param {number} thick
 */
function addOutline(path, view, mask, thick) {
  const { horizontal, vertical } = cachedEdges(mask);
  const s = view.scale;
  for (const [edge, first, end, side, before, after] of horizontal) {
    const y = view.y + edge * s - (side < 0 ? thick : 0);
    const x = view.x + first * s - before * thick;
    path.rect(x, y, (end - first) * s + (before + after) * thick, thick);
  }
  for (const [edge, first, end, side] of vertical) {
    const x = view.x + edge * s - (side < 0 ? thick : 0);
    path.rect(x, view.y + first * s, thick, (end - first) * s);
  }
}

/** The same outline as a line that can be dashed. */
function addLine(path, view, mask, offset) {
  const { horizontal, vertical } = cachedEdges(mask);
  const s = view.scale;
  for (const [edge, first, end, side] of horizontal) {
    const y = view.y + edge * s + side * offset;
    path.moveTo(view.x + first * s, y);
    path.lineTo(view.x + end * s, y);
  }
  for (const [edge, first, end, side] of vertical) {
    const x = view.x + edge * s + side * offset;
    path.moveTo(x, view.y + first * s);
    path.lineTo(x, view.y + end * s);
  }
}

/** A frame round a mask that is too small on the screen for an outline. */
function addBrackets(path, view, mask, gap, thick) {
  const x = Math.round(view.x + mask.left * view.scale) - gap;
  const y = Math.round(view.y + mask.top * view.scale) - gap;
  const width = Math.max(Math.round(mask.width * view.scale), 1) + 2 * gap;
  const height = Math.max(Math.round(mask.height * view.scale), 1) + 2 * gap;
  path.rect(x, y, width, thick);
  path.rect(x, y + height - thick, width, thick);
  path.rect(x, y + thick, thick, height - 2 * thick);
  path.rect(x + width - thick, y + thick, thick, height - 2 * thick);
}

/**
 * @param {CanvasRenderingContext2D} context  its canvas is clear
 * @param {import("./geometry.js").View} view
 * @param {Mark[]} all
 * @param {object} style
 * @param {number} style.ratio  device pixels per CSS pixel
 * @param {"outline" | "fill"} style.mode
 */
export function drawMarks(context, view, all, { ratio, mode }) {
  const unit = Math.max(1, Math.round(ratio));
  const marks = all.filter((mark) => isSeen(context.canvas, view, mark, MARGIN * unit));
  const halo = new Path2D();
  const line = new Path2D();
  const chosen = new Path2D();
  const dashes = new Path2D();
  for (const mark of marks) {
    if (!mark.mask) continue;
    if (mode === "fill" && mark.kind !== "preview") fillMask(context, view, mark.mask);
    else if (view.scale < BRACKETS_BELOW) {
      addBrackets(halo, view, mark.mask, 4 * unit, 3 * unit);
      addBrackets(mark.selected ? chosen : line, view, mark.mask, 3 * unit, unit);
    } else if (mark.kind === "proposal" || mark.kind === "preview" || mark.dashed) {
      addOutline(halo, view, mark.mask, 2 * unit);
      addLine(dashes, view, mark.mask, unit);
    } else {
      const thick = mark.selected ? 2 * unit : unit + (ratio >= 1.5 || view.scale >= 8 ? 1 : 0);
      addOutline(halo, view, mark.mask, thick + unit);
      addOutline(mark.selected ? chosen : line, view, mark.mask, thick);
    }
  }
  context.fillStyle = HALO;
  context.fill(halo);
  context.fillStyle = MASK_COLOUR;
  context.fill(line);
  context.fillStyle = "#ffffff";
  context.fill(chosen);
  context.strokeStyle = MASK_COLOUR;
  context.lineWidth = 2 * unit;
  context.setLineDash([4 * unit, 3 * unit]);
  context.stroke(dashes);
  context.setLineDash([]);
  drawPoints(context, view, marks, unit);
  drawTexts(context, view, marks, unit);
}

/**
 * Outlines on pixel edges in styles of their own, the wide ones first: of equal masks both are seen.
 * @param {CanvasRenderingContext2D} context @param {import("./geometry.js").View} view
 * @param {{mask: import("./bits.js").Mask, colour: string, dash: number[], width: number}[]} lines
 *     dashes and width in CSS px
 * @param {number} ratio
 */
export function drawLines(context, view, lines, ratio) {
  const unit = Math.max(1, Math.round(ratio));
  const paths = lines.map(({ mask }) => {
    const path = new Path2D();
    addLine(path, view, mask, 0);
    return path;
  });
  context.strokeStyle = HALO;
  lines.forEach(({ width }, i) => {
    context.lineWidth = (width + 2) * unit;
    context.stroke(paths[i]);
  });
  lines.forEach(({ colour, dash, width }, i) => {
    context.strokeStyle = colour;
    context.lineWidth = width * unit;
    context.setLineDash(dash.map((length) => length * 2 * unit));
    context.stroke(paths[i]);
  });
  context.setLineDash([]);
}

function fillMask(context, view, mask) {
  context.fillStyle = "rgba(31, 224, 192, .35)";
  for (const [row, first, last] of runsOf(mask)) {
    const { x, y, side } = squareOf(view, row, first);
    context.fillRect(x, y, Math.max((last - first + 1) * view.scale, 1), side);
  }
}

/** Given points have ticks that leave the pixel free, carried ones a ring, those on their way hollow ticks. */
function drawPoints(context, view, marks, unit) {
  const halo = new Path2D();
  const ticks = new Path2D();
  const rings = new Path2D();
  const crosses = new Path2D();
  for (const mark of marks) {
    if (mark.kind === "preview" || !mark.point) continue;
    if (mark.mask && mark.kind === "given" && view.scale < BRACKETS_BELOW) continue; // its frame shows the place
    const { x, y, side } = squareOf(view, mark.point[0], mark.point[1]);
    const [cx, cy] = [x + Math.floor(side / 2), y + Math.floor(side / 2)];
    const inner = Math.max(Math.ceil(side / 2) + 2 * unit, 5 * unit);
    if (mark.kind === "carried" || mark.kind === "proposal") {
      rings.moveTo(cx + inner, cy);
      rings.arc(cx, cy, inner, 0, 2 * Math.PI);
    } else {
      const length = (mark.selected ? 10 : 7) * unit;
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        const start = dx + dy > 0 ? inner : -inner - length;
        const [w, h] = dx ? [length, 2 * unit] : [2 * unit, length];
        const [left, top] = dx ? [cx + start, cy - unit] : [cx - unit, cy + start];
        halo.rect(left - unit, top - unit, w + 2 * unit, h + 2 * unit);
        ticks.rect(left, top, w, h);
      }
    }
    const { centre } = mark;
    if (centre && (centre[0] !== mark.point[0] || centre[1] !== mark.point[1]) && view.scale >= 4) {
      const place = squareOf(view, centre[0], centre[1]);
      const reach = Math.max(side * 0.2, 2 * unit);
      const [mx, my] = [place.x + side / 2, place.y + side / 2];
      crosses.moveTo(mx - reach, my - reach);
      crosses.lineTo(mx + reach, my + reach);
      crosses.moveTo(mx + reach, my - reach);
      crosses.lineTo(mx - reach, my + reach);
    }
  }
  context.fillStyle = HALO;
  context.fill(halo);
  context.fillStyle = POINT_COLOUR;
  context.fill(ticks);
  for (const [path, width] of [[rings, 2 * unit], [crosses, unit + 1]]) {
    context.strokeStyle = HALO;
    context.lineWidth = width + 2 * unit;
    context.stroke(path);
    context.strokeStyle = POINT_COLOUR;
    context.lineWidth = width;
    context.stroke(path);
  }
}

/** Whether a mark reaches into a canvas, its ticks and its number included. */
function isSeen(canvas, view, { mask, point }, margin) {
  const { top, left, height, width } = mask ?? { top: point[0], left: point[1], height: 1, width: 1 };
  const [first, last] = [Math.min(left, point?.[1] ?? left), Math.max(left + width, (point?.[1] ?? left) + 1)];
  const [upper, lower] = [Math.min(top, point?.[0] ?? top), Math.max(top + height, (point?.[0] ?? top) + 1)];
  const { x, y, scale } = view;
  return x + last * scale > -margin && x + first * scale < canvas.width + margin && y + lower * scale > -margin && y + upper * scale < canvas.height + margin;
}

/** @type {Map<string, number>} widths of texts, by size: to measure two thousand takes longer than to draw them */
const widths = new Map();

function widthOf(context, text, size) {
  const key = `${size} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 10_000) widths.clear();
    widths.set(key, (width = context.measureText(text).width));
  }
  return width;
}

/** Numbers stand beside a target, never on it; below 4x only where there is room. */
function drawTexts(context, view, marks, unit) {
  const size = 12 * unit;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "bottom";
  context.lineJoin = "round";
  context.lineWidth = 3 * unit;
  context.strokeStyle = "rgba(0, 0, 0, .85)";
  const isCrowded = view.scale < 4;
  /** @type {Map<number, number[][]>} start and end of texts, by lines as high as a text */ const taken = new Map();
  const hasRoom = (start, end, y) => {
    const line = Math.floor(y / size);
    for (const near of [line - 1, line, line + 1]) {
      if (taken.get(near)?.some(([left, right, base]) => start < right && left < end && Math.abs(base - y) < size)) return false;
    }
    if (!taken.has(line)) taken.set(line, []);
    taken.get(line)?.push([start, end, y]);
    return true;
  };
  for (const mark of [...marks.filter(({ selected }) => selected), ...marks.filter(({ selected }) => !selected)]) {
    if (!mark.text) continue;
    const box = mark.mask ?? { top: mark.point[0], left: mark.point[1], height: 1, width: 1 };
    const { side } = squareOf(view, mark.point[0], mark.point[1]);
    const reach = Math.max(Math.ceil(side / 2) + 9 * unit, 12 * unit);
    const x = Math.max(view.x + (box.left + box.width) * view.scale + 5 * unit, squareOf(view, ...mark.point).x + reach / 2);
    const y = view.y + box.top * view.scale - 3 * unit;
    if (isCrowded && !hasRoom(x, x + widthOf(context, mark.text, size), y)) continue;
    context.strokeText(mark.text, x, y);
    context.fillStyle = mark.selected ? "#ffffff" : MASK_COLOUR;
    context.fillText(mark.text, x, y);
  }
}

/**
 * Outline of one pixel: of the pointer (thin, white) or of the keyboard's cursor (yellow, always to be seen).
 * @param {CanvasRenderingContext2D} context @param {import("./geometry.js").View} view
 * @param {{row: number, col: number}} pixel @param {number} ratio @param {boolean} keyboard
 * @param {number} [brush]  pixels along the side
 */
export function drawCursor(context, view, pixel, ratio, keyboard, brush = 1) {
  const unit = Math.max(1, Math.round(ratio));
  const half = Math.floor(brush / 2);
  const square = squareOf(view, pixel.row - half, pixel.col - half);
  const side = Math.max(square.side * brush, keyboard ? 5 * unit : 1);
  if (!keyboard && side < 3) return;
  const shift = (side - square.side * brush) / 2;
  const [x, y] = [Math.round(square.x - shift), Math.round(square.y - shift)];
  const frame = (gap, colour) => {
    context.strokeStyle = colour;
    context.lineWidth = unit;
    const d = gap + unit / 2;
    context.strokeRect(x - d, y - d, side + 2 * d, side + 2 * d);
  };
  frame(unit, "rgba(0, 0, 0, .7)");
  frame(0, keyboard ? CURSOR : "rgba(255, 255, 255, .9)");
}
