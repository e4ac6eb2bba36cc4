/**
 * Where image pixels lie on the screen. Everything here counts in device pixels, so that the edge of an image
 * pixel is the edge of a device pixel at any device ratio and any zoom of the browser.
 *
 * Pixel (row, col) covers [row, row + 1) x [col, col + 1); a place on the screen belongs to the pixel that
 * covers it: the floor of its coordinate, never rounded.
 */

/** Device pixels per image pixel; below one the image is pooled, never interpolated. */
export const SCALES = [
  1 / 16, 1 / 12, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64,
];

/**
 * @typedef {object} View
 * @property {number} scale  device pixels per image pixel, one of SCALES
 * @property {number} x  device pixels from the canvas's left edge to that of column 0; whole
 * @property {number} y  device pixels from the canvas's top edge to that of row 0; whole
 */

/** @param {number} scale @returns {number} image pixels per screen pixel: 1 unless the image is pooled */
export const poolOf = (scale) => (scale < 1 ? Math.round(1 / scale) : 1);

/**
 * @param {View} view @param {number} x @param {number} y  device pixels from the canvas's corner
 * @returns {{row: number, col: number}} the image pixel there, possibly outside the image
 */
export function pixelAt(view, x, y) {
  const pool = poolOf(view.scale);
  if (pool > 1) {
    // The brightest of pool x pool pixels is shown; which one it is, the caller may look up.
    return { row: Math.floor(y - view.y) * pool, col: Math.floor(x - view.x) * pool };
  }
  return { row: Math.floor((y - view.y) / view.scale), col: Math.floor((x - view.x) / view.scale) };
}

/**
 * @param {View} view @param {number} row @param {number} col
 * @returns {{x: number, y: number, side: number}} the device-pixel square of an image pixel
 */
export function squareOf(view, row, col) {
  const pool = poolOf(view.scale);
  if (pool > 1) return { x: view.x + Math.floor(col / pool), y: view.y + Math.floor(row / pool), side: 1 };
  return { x: view.x + col * view.scale, y: view.y + row * view.scale, side: view.scale };
}

/**
 * The same image point stays at a place of the canvas while the scale changes.
 * @param {View} view @param {number} scale @param {number} x @param {number} y
 * @returns {View}
 */
export function zoomedAbout(view, scale, x, y) {
  const ratio = scale / view.scale;
  return { scale, x: Math.round(x - (x - view.x) * ratio), y: Math.round(y - (y - view.y) * ratio) };
}

/** @param {number} scale @param {number} steps @param {number[]} [scales] @returns {number} */
export function stepped(scale, steps, scales = SCALES) {
  let nearest = 0;
  scales.forEach((each, i) => {
    if (Math.abs(Math.log(each / scale)) < Math.abs(Math.log(scales[nearest] / scale))) nearest = i;
  });
  return scales[Math.min(Math.max(nearest + steps, 0), scales.length - 1)];
}

/**
 * The largest scale at which the whole image is in the canvas, centred.
 * @param {number} width @param {number} height  of the image
 * @param {number} canvasWidth @param {number} canvasHeight  device pixels
 * @param {number[]} [scales]
 * @returns {View}
 */
export function fitted(width, height, canvasWidth, canvasHeight, scales = SCALES) {
  let scale = scales[0];
  for (const each of scales) {
    if (width * each <= canvasWidth && height * each <= canvasHeight) scale = each;
  }
  return centredOn({ scale, x: 0, y: 0 }, height / 2 - 0.5, width / 2 - 0.5, canvasWidth, canvasHeight);
}

/**
 * @param {View} view @param {number} row @param {number} col
 * @param {number} canvasWidth @param {number} canvasHeight
 * @returns {View} with the middle of that pixel in the middle of the canvas
 */
export function centredOn(view, row, col, canvasWidth, canvasHeight) {
  return {
    scale: view.scale,
    x: Math.round(canvasWidth / 2 - (col + 0.5) * view.scale),
    y: Math.round(canvasHeight / 2 - (row + 0.5) * view.scale),
  };
}

/**
 * Keep a part of the image in sight: at least a quarter of the canvas, or half of a small image.
 * @param {View} view @param {number} width @param {number} height
 * @param {number} canvasWidth @param {number} canvasHeight
 * @returns {View}
 */
export function held(view, width, height, canvasWidth, canvasHeight) {
  const within = (start, size, room) => {
    const left = Math.min(size / 2, room / 4);
    return Math.round(Math.min(Math.max(start, left - size), room - left));
  };
  return {
    scale: view.scale,
    x: within(view.x, width * view.scale, canvasWidth),
    y: within(view.y, height * view.scale, canvasHeight),
  };
}

/**
 * The image pixels that the canvas shows, at least in part.
 * @param {View} view @param {number} width @param {number} height
 * @param {number} canvasWidth @param {number} canvasHeight
 * @returns {{top: number, left: number, bottom: number, right: number}} half open; empty if bottom <= top
 */
export function visible(view, width, height, canvasWidth, canvasHeight) {
  return {
    top: Math.max(0, Math.floor(-view.y / view.scale)),
    left: Math.max(0, Math.floor(-view.x / view.scale)),
    bottom: Math.min(height, Math.ceil((canvasHeight - view.y) / view.scale)),
    right: Math.min(width, Math.ceil((canvasWidth - view.x) / view.scale)),
  };
}

/**
 * Pixels of a gapless line, both ends included.
 * @param {{row: number, col: number}} from @param {{row: number, col: number}} to
 * @returns {{row: number, col: number}[]}
 */
export function lineOf(from, to) {
  const steps = Math.max(Math.abs(to.row - from.row), Math.abs(to.col - from.col));
  const pixels = [];
  for (let i = 0; i <= steps; i += 1) {
    const share = steps ? i / steps : 0;
    pixels.push({
      row: Math.round(from.row + (to.row - from.row) * share),
      col: Math.round(from.col + (to.col - from.col) * share),
    });
  }
  return pixels;
}

/** @param {number} scale @returns {string} "16x" or "1/4" */
export const scaleText = (scale) => (scale < 1 ? `1/${poolOf(scale)}` : `${scale}×`);
