/** The ground around a pixel: what the annotator measures a target's contrast against. */

const INNER = 7; // px; the ring of `pointmask.annotator.window` at the image's own resolution
const OUTER = 13;
const LEAST = 40; // values; near a corner a quarter of the ring is left
const MAD = 1.4826; // standard deviations of a normal distribution per median absolute deviation

/** Offsets of the ring, [row, col]. */
const RING = [];
for (let row = 1 - OUTER; row < OUTER; row += 1) {
  for (let col = 1 - OUTER; col < OUTER; col += 1) {
    const distance = Math.hypot(row, col);
    if (distance >= INNER && distance < OUTER) RING.push([row, col]);
  }
}

/**
 * @param {{value: (row: number, col: number) => number | null}} picture @param {number} row @param {number} col
 * @returns {{median: number, sigma: number} | null} null where too little of the ring is in the image, or loaded
 */
export function around(picture, row, col) {
  const values = [];
  for (const [down, across] of RING) {
    const value = picture.value(row + down, col + across);
    if (value !== null && Number.isFinite(value)) values.push(value);
  }
  if (values.length < LEAST) return null;
  const median = middle(values);
  return { median, sigma: MAD * middle(values.map((value) => Math.abs(value - median))) };
}

/** @param {number[]} values  is sorted; of an even number the mean of the middle two */
function middle(values) {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
