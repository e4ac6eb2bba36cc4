/** From samples to colours: a table over all sample codes, so that turning the window fetches nothing. */

/**
 * How samples travel: value = offset + scale * code.
 * @typedef {object} SampleCode
 * @property {"u8" | "u16"} type
 * @property {number} scale
 * @property {number} offset
 * @property {boolean} exact  whether the value is the file's own
 * @property {number | null} missing  the code of samples that are not finite
 */
/** @typedef {{low: number, high: number}} Window  in the image's own units; low < high */

const GREY = ["#000000", "#ffffff"];
const PALETTES = {
  grey: GREY,
  inverted: [...GREY].reverse(),
  // The report's colours of quantities.
  heat: ["#060026", "#2a004d", "#5c0065", "#94016a", "#c9235c", "#f25141", "#fe9048", "#ffc77f", "#fff6d1"],
  // Lightness rises evenly, from night to ice.
  ice: ["#030712", "#0d1f3c", "#143a63", "#1b5a86", "#2b7ca3", "#4c9fba", "#7cc0cd", "#b3dfe2", "#f2fbfa"],
};
export const PALETTE_NAMES = Object.keys(PALETTES);

/** Samples that are not finite: a colour that is no grey and in no palette. */
export const MISSING_COLOUR = "#7a1fd0";

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** @param {number} red @param {number} green @param {number} blue @returns {number} one pixel of an ImageData */
const packed = (red, green, blue) =>
  LITTLE_ENDIAN
    ? ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0
    : ((red << 24) | (green << 16) | (blue << 8) | 255) >>> 0;

/** @param {string} colour @returns {number[]} red, green, blue */
const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** @param {string} colour  "#rrggbb" */
export const packedColour = (colour) => /** @type {any} */ (packed)(...channels(colour));

/**
 * @param {string} name @param {number} [steps]
 * @returns {Uint32Array} colours from low to high
 */
export function palette(name, steps = 256) {
  const anchors = (PALETTES[name] ?? GREY).map(channels);
  const colours = new Uint32Array(steps);
  for (let i = 0; i < steps; i += 1) {
    const place = (i / (steps - 1)) * (anchors.length - 1);
    const below = Math.min(Math.floor(place), anchors.length - 2);
    const share = place - below;
    const mixed = anchors[below].map((c, k) => Math.round(c + (anchors[below + 1][k] - c) * share));
    colours[i] = packed(mixed[0], mixed[1], mixed[2]);
  }
  return colours;
}

/** @param {SampleCode} code @param {number} value @returns {number} the code of a value, fractional */
export const codeOf = (code, value) => (value - code.offset) / code.scale;

/** @param {SampleCode} code @param {number} sample @returns {number} NaN where the sample is not finite */
export const valueOf = (code, sample) =>
  sample === code.missing ? NaN : code.offset + code.scale * sample;

/**
 * The colour of every code: 256 or 65,536 entries.
 * @param {SampleCode} code @param {Window} window @param {string} paletteName
 * @param {Uint32Array | null} [reuse]
 * @returns {Uint32Array}
 */
export function colourTable(code, window, paletteName, reuse = null) {
  const count = code.type === "u8" ? 256 : 65536;
  const table = reuse?.length === count ? reuse : new Uint32Array(count);
  const colours = palette(paletteName);
  const low = codeOf(code, window.low);
  const high = codeOf(code, window.high);
  const first = Math.max(0, Math.min(count, Math.ceil(low)));
  const last = Math.max(first, Math.min(count, Math.floor(high) + 1));
  table.fill(colours[0], 0, first);
  const factor = 256 / (high - low);
  for (let i = first; i < last; i += 1) {
    table[i] = colours[Math.min(255, Math.max(0, Math.floor((i - low) * factor)))];
  }
  table.fill(colours[255], last);
  if (code.missing !== null && code.missing !== undefined) table[code.missing] = packedColour(MISSING_COLOUR);
  return table;
}

/** A window must have a width, or the table has none. @param {number} low @param {number} high @returns {Window} */
export function windowOf(low, high) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return { low: 0, high: 1 };
  if (high > low) return { low, high };
  return { low: low - 1, high: low + 1 };
}

/**
 * Quantiles of the samples in a part of the frame.
 * @param {Uint8Array | Uint16Array} data @param {number} width @param {SampleCode} code
 * @param {{top: number, left: number, bottom: number, right: number}} part @param {number[]} shares
 * @returns {number[]} values in the image's units
 */
export function quantilesWithin(data, width, code, part, shares) {
  const counts = new Uint32Array(code.type === "u8" ? 256 : 65536);
  let total = 0;
  for (let row = part.top; row < part.bottom; row += 1) {
    for (let i = row * width + part.left; i < row * width + part.right; i += 1) {
      if (data[i] !== code.missing) {
        counts[data[i]] += 1;
        total += 1;
      }
    }
  }
  return shares.map((share) => {
    let rest = share * Math.max(total - 1, 0);
    let sample = 0;
    for (; sample < counts.length - 1; sample += 1) {
      if (counts[sample] > rest) break;
      rest -= counts[sample];
    }
    return code.offset + code.scale * sample;
  });
}
