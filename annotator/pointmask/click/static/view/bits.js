/** Masks as the server sends them: base64 of the rows' bits, most significant first, rows packed together. */

/**
 * @typedef {object} PackedMask
 * @property {number} top @property {number} left @property {number} height @property {number} width
 * @property {string} bits
 */
/**
 * @typedef {object} Mask
 * @property {number} top @property {number} left @property {number} height @property {number} width
 * @property {Uint8Array} pixels  0 or 1, row-major
 */

/** @param {PackedMask} packed @returns {Mask} */
export function unpacked({ top, left, height, width, bits }) {
  const octets = atob(bits);
  const pixels = new Uint8Array(height * width);
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = (octets.charCodeAt(i >> 3) >> (7 - (i & 7))) & 1;
  return { top, left, height, width, pixels };
}

/** @param {Uint8Array} octets @param {number} count @returns {Uint8Array} 0 or 1 */
export function unpackedBits(octets, count) {
  const pixels = new Uint8Array(count);
  for (let i = 0; i < count; i += 1) pixels[i] = (octets[i >> 3] >> (7 - (i & 7))) & 1;
  return pixels;
}

/** @param {Mask} mask @param {number} row @param {number} col @returns {boolean} */
export function covers(mask, row, col) {
  const y = row - mask.top;
  const x = col - mask.left;
  return y >= 0 && x >= 0 && y < mask.height && x < mask.width && mask.pixels[y * mask.width + x] === 1;
}

/**
 * The mask's pixels as horizontal runs of the frame.
 * @param {Mask} mask @returns {number[][]} [row, first, last column], last included
 */
export function runsOf(mask) {
  const runs = [];
  for (let y = 0; y < mask.height; y += 1) {
    let first = -1;
    for (let x = 0; x <= mask.width; x += 1) {
      const set = x < mask.width && mask.pixels[y * mask.width + x] === 1;
      if (set && first < 0) first = x;
      if (!set && first >= 0) {
        runs.push([mask.top + y, mask.left + first, mask.left + x - 1]);
        first = -1;
      }
    }
  }
  return runs;
}

/**
 * @param {Iterable<{row: number, col: number}>} pixels @returns {number[][]} runs without repeats
 */
export function runsOfPixels(pixels) {
  /** @type {Map<number, Set<number>>} */
  const rows = new Map();
  for (const { row, col } of pixels) {
    if (!rows.has(row)) rows.set(row, new Set());
    /** @type {Set<number>} */ (rows.get(row)).add(col);
  }
  const runs = [];
  for (const row of [...rows.keys()].sort((a, b) => a - b)) {
    let last = null;
    for (const col of [.../** @type {Set<number>} */ (rows.get(row))].sort((a, b) => a - b)) {
      if (last && col === last[2] + 1) last[2] = col;
      else runs.push((last = [row, col, col]));
    }
  }
  return runs;
}

/**
 * A mask with runs set and cleared: what a stroke will give, shown until the server answers.
 * @param {Mask} mask @param {number[][]} set @param {number[][]} clear @returns {Mask}
 */
export function repainted(mask, set, clear) {
  const runs = [...runsOf(mask), ...set];
  if (!runs.length) return mask;
  const top = Math.min(...runs.map((run) => run[0]));
  const left = Math.min(...runs.map((run) => run[1]));
  const height = Math.max(...runs.map((run) => run[0])) + 1 - top;
  const width = Math.max(...runs.map((run) => run[2])) + 1 - left;
  const pixels = new Uint8Array(height * width);
  const put = (all, value) => {
    for (const [row, first, last] of all) {
      if (row < top || row >= top + height) continue;
      const [from, to] = [Math.max(first - left, 0), Math.min(last - left, width - 1)];
      for (let x = from; x <= to; x += 1) pixels[(row - top) * width + x] = value;
    }
  };
  put(runs, 1);
  put(clear, 0);
  return { top, left, height, width, pixels };
}

/**
 * Edges between the mask's pixels and what is outside, joined to straight pieces.
 *
 * @param {Mask} mask
 * @returns {{horizontal: number[][], vertical: number[][]}} horizontal: [edge, first, end, side, before, after]:
 *     the edge lies at the top of row `edge`, from column `first` to `end`; the outside is above it (side -1)
 *     or below (1); `before` and `after` are 1 where the piece may go on round an outer corner. vertical:
 *     [edge, first, end, side] with the outside to the left (-1) or right (1).
 */
export function edgesOf(mask) {
  const { top, left, height, width, pixels } = mask;
  const at = (y, x) => y >= 0 && x >= 0 && y < height && x < width && pixels[y * width + x] === 1;
  const horizontal = [];
  const vertical = [];
  for (const side of [-1, 1]) {
    for (let y = 0; y < height; y += 1) {
      const isEdge = (x) => at(y, x) && !at(y + side, x);
      for (let x = 0; x < width; x += 1) {
        if (!isEdge(x)) continue;
        const first = x;
        while (isEdge(x + 1)) x += 1;
        const before = at(y + side, first - 1) ? 0 : 1;
        const after = at(y + side, x + 1) ? 0 : 1;
        horizontal.push([top + y + (side > 0 ? 1 : 0), left + first, left + x + 1, side, before, after]);
      }
    }
    for (let x = 0; x < width; x += 1) {
      const isEdge = (y) => at(y, x) && !at(y, x + side);
      for (let y = 0; y < height; y += 1) {
        if (!isEdge(y)) continue;
        const first = y;
        while (isEdge(y + 1)) y += 1;
        vertical.push([left + x + (side > 0 ? 1 : 0), top + first, top + y + 1, side]);
      }
    }
  }
  return { horizontal, vertical };
}
