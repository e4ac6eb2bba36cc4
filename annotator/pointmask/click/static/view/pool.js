/**
 * Frames smaller than they are: of k x k pixels the one that matters is kept, so that a target of one bright
 * pixel is still there when the whole frame is on the screen. Plain decimation made most of them vanish.
 */

/** @typedef {"bright" | "dark" | "auto"} Polarity */
/** @typedef {Uint8Array | Uint16Array} Samples */
/** @typedef {{data: Samples, width: number, height: number}} Plane */

const CELL = 32; // px; the level that "auto" measures distance from is the mean of such a cell

/**
 * @param {Plane} plane @param {number} pool @param {Polarity} polarity
 * @returns {Plane} of ceil(height / pool) x ceil(width / pool) samples
 */
export function pooled(plane, pool, polarity) {
  const height = Math.ceil(plane.height / pool);
  const width = Math.ceil(plane.width / pool);
  const data = plane.data instanceof Uint8Array ? new Uint8Array(height * width) : new Uint16Array(height * width);
  if (polarity === "auto") extremes(plane, pool, data, width);
  else ends(plane, pool, data, width, polarity === "dark");
  return { data, width, height };
}

/** @param {Plane} plane @param {number} pool @param {Samples} out @param {number} width @param {boolean} least */
function ends({ data, width: sourceWidth, height }, pool, out, width, least) {
  if (least) out.fill(data instanceof Uint8Array ? 255 : 65535);
  for (let row = 0; row < height; row += 1) {
    const start = Math.floor(row / pool) * width;
    let source = row * sourceWidth;
    for (let place = start; place < start + width; place += 1) {
      const end = Math.min(source + pool, (row + 1) * sourceWidth);
      let best = out[place];
      for (; source < end; source += 1) {
        const sample = data[source];
        if (least ? sample < best : sample > best) best = sample;
      }
      out[place] = best;
    }
  }
}

/** @param {Plane} plane @param {number} pool @param {Samples} out @param {number} width */
function extremes(plane, pool, out, width) {
  const { data, width: sourceWidth, height } = plane;
  const levels = cellMeans(plane);
  const cells = Math.ceil(sourceWidth / CELL);
  const distances = new Float32Array(out.length).fill(-1);
  for (let row = 0; row < height; row += 1) {
    const start = Math.floor(row / pool) * width;
    const level = Math.floor(row / CELL) * cells;
    for (let col = 0; col < sourceWidth; col += 1) {
      const sample = data[row * sourceWidth + col];
      const distance = Math.abs(sample - levels[level + ((col / CELL) | 0)]);
      const place = start + Math.floor(col / pool);
      if (distance > distances[place]) {
        distances[place] = distance;
        out[place] = sample;
      }
    }
  }
}

/** @param {Plane} plane @returns {Float32Array} mean sample of every cell, row-major */
function cellMeans({ data, width, height }) {
  const cells = Math.ceil(width / CELL);
  const sums = new Float64Array(cells * Math.ceil(height / CELL));
  const counts = new Uint32Array(sums.length);
  for (let row = 0; row < height; row += 1) {
    for (let col = 0; col < width; col += 1) {
      const cell = Math.floor(row / CELL) * cells + Math.floor(col / CELL);
      sums[cell] += data[row * width + col];
      counts[cell] += 1;
    }
  }
  return Float32Array.from(sums, (sum, i) => sum / counts[i]);
}

/**
 * The pixel that a pooled sample shows: the first of its block with that sample.
 * @param {Plane} plane @param {number} pool @param {number} row @param {number} col  any pixel of the block
 * @param {number} sample
 * @returns {{row: number, col: number}}
 */
export function sourceOf({ data, width, height }, pool, row, col, sample) {
  const top = Math.floor(row / pool) * pool;
  const left = Math.floor(col / pool) * pool;
  for (let y = top; y < Math.min(top + pool, height); y += 1) {
    for (let x = left; x < Math.min(left + pool, width); x += 1) {
      if (data[y * width + x] === sample) return { row: y, col: x };
    }
  }
  return { row, col };
}
