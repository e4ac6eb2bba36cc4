/** The server's addresses, all relative to the page's own, and what it answers. */

import { unpackedBits } from "../view/bits.js";

const TOKEN = "pointmask.token";

/** @typedef {import("../view/bits.js").PackedMask} PackedMask */
/**
 * @typedef {object} Target
 * @property {number} target  its number in the frame
 * @property {number[]} point  row, col
 * @property {number[] | null} centre
 * @property {string | null} label
 * @property {"click" | "carried" | "seeded" | "predicted" | "hand"} made
 * @property {number | null} level @property {number | null} ring @property {string | null} polarity
 * @property {number[]} box @property {number} area @property {number | null} confidence
 * @property {string[]} flags @property {string | null} verdict @property {string | null} who
 * @property {PackedMask} mask
 */
/**
 * @typedef {object} FrameFacts
 * @property {string} name
 * @property {number} place  among all images, in the order in which one goes through them
 * @property {number[]} shape  rows, columns
 * @property {string} type  as stored, such as "uint16"
 * @property {boolean} [flat]  of the flat view
 * @property {number[] | null} type_range  least and greatest of the type, null for floats
 * @property {import("../view/levels.js").SampleCode} code
 * @property {string} content  hash
 * @property {boolean} changed  since it was marked
 * @property {{counts: number[], low: number, high: number}} histogram
 * @property {Record<string, number>} quantiles  "0.5" -> value, in percent
 * @property {{median: number, sigma: number}} background
 * @property {number[]} folders  numbers of those it lies in, the root first
 * @property {number} place_in_folder
 * @property {{index: number, length: number} | null} sequence
 * @property {number | null} frames  of the file, null if one
 * @property {number} revision
 * @property {string} state
 * @property {Target[]} targets
 */

/** An answer that is an error, or none at all (status 0). */
export class Refused extends Error {
  /** @param {number} status @param {string} message @param {string} [fix] @param {any} [body] */
  constructor(status, message, fix = "", body = null) {
    super(message);
    this.status = status;
    this.fix = fix;
    this.body = body;
  }

  /** Whether the same request may succeed later without anybody doing anything here. */
  get passes() {
    return this.status === 0 || this.status === 401 || this.status === 502 || this.status === 503 || this.status === 504 || this.status === 507;
  }
}

/** Takes the token out of the address, where it would be seen, into the tab's own storage. */
export function takeToken() {
  const given = /[#&]token=([\w-]+)/.exec(location.hash);
  if (given) {
    sessionStorage.setItem(TOKEN, given[1]);
    const rest = location.hash.replace(/[#&]token=[\w-]+/, "").replace(/^&/, "#");
    history.replaceState(null, "", location.pathname + (rest.length > 1 ? rest : "#/"));
  }
  return sessionStorage.getItem(TOKEN);
}

/** @param {string} token */
export const setToken = (token) => sessionStorage.setItem(TOKEN, token);

/** Round trip of the last request, and what of it the server says it needed; milliseconds. */
export const timing = { last: 0, server: 0, preview: 20 };

/** Version of the server that answered last; another one than at the start wants the page loaded anew. */
export const server = { version: "" };

const PATIENCE = 30_000; // ms
const LONG = 600_000; // ms; masks of thousands of given points are made before their frame is answered

/**
 * @param {string} address @param {RequestInit} [options] @param {number} [patience]  ms
 * @returns {Promise<Response>} with status 200
 */
async function fetched(address, options = {}, patience = PATIENCE) {
  const start = performance.now();
  let answer;
  try {
    answer = await fetch(address, {
      ...options,
      signal: options.signal ?? AbortSignal.timeout(patience),
      headers: { "X-Pointmask-Token": sessionStorage.getItem(TOKEN) ?? "", ...options.headers },
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Refused(0, "the server does not answer");
  }
  timing.last = performance.now() - start;
  server.version = answer.headers.get("X-Pointmask-Version") ?? server.version;
  timing.server = Number(answer.headers.get("X-Time")) || 0;
  if (answer.ok) return answer;
  let body = null;
  try {
    body = await answer.json();
  } catch {
    // A proxy's page: its status says enough.
  }
  const { message = `the server answered ${answer.status}`, fix = "" } = body?.error ?? {};
  throw new Refused(answer.status, message, fix, body);
}

/** @param {string} name @param {Record<string, any>} [query] @param {AbortSignal} [signal] @param {number} [patience] @returns {Promise<any>} */
async function get(name, query = {}, signal = undefined, patience = PATIENCE) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  const answer = await fetched(`api/${name}${text ? `?${text}` : ""}`, { signal }, patience);
  return answer.json();
}

/** @param {string} name @param {object} body @param {AbortSignal} [signal] @returns {Promise<any>} */
async function post(name, body, signal = undefined) {
  const headers = { "Content-Type": "application/json" };
  return (await fetched(`api/${name}`, { method: "POST", body: JSON.stringify(body), headers, signal })).json();
}

export const api = {
  session: () => get("session"),
  /** Counts of images, targets and what is missing. */
  summary: () => get("summary"),
  /** @param {number} image @param {number} frame @param {number} from @param {number} count */
  sequence: (image, frame, from, count) => get(`sequence/${image}/${frame}`, { from, count }),
  /** @param {number} under */
  tree: (under) => get("tree", { under }),
  /** @param {number} folder @param {number} from @param {number} count @param {string} [state] */
  images: (folder, from, count, state) => get("images", { folder, from, count, state }),
  /** @param {string} text @param {AbortSignal} [signal] */
  find: (text, signal) => get("find", { text }, signal),
  /** The image of this very name. @param {string} name @returns {Promise<number | undefined>} its number */
  numberOf: async (name) => (await get("find", { name })).rows[0]?.id,
  /** @param {number} image @param {number} frame @param {number} step @param {string} want */
  next: (image, frame, step, want) => get("next", { from: image, frame, step, want }),
  /** @param {number} image @param {number} frame @returns {Promise<FrameFacts>} */
  frame: (image, frame) => get(`frame/${image}/${frame}`, {}, undefined, LONG),
  /** The flat view's. @param {number} image @param {number} frame @returns {Promise<FrameFacts>} without targets */
  flat: (image, frame) => get(`flat/${image}/${frame}`),
  /** @param {number} image @param {number} frame @param {number} row @param {number} col */
  value: (image, frame, row, col) => get(`value/${image}/${frame}`, { row, col }),
  /** @param {object} body @param {AbortSignal} [signal] */
  preview: (body, signal) => post("preview", body, signal),
  /** @param {object[]} edits */
  edits: (edits) => post("edits", { edits }),
  /** @param {number} steps */
  undo: (steps = 1, edit = undefined) => post("undo", { steps, edit }),
  /** @param {number} steps */
  redo: (steps = 1, edit = undefined) => post("redo", { steps, edit }),
  /** @param {number} since */
  changes: (since) => get("changes", { since }),
  /** @param {object} query */
  queue: (query) => get("queue", query),
  /** @param {string} kind @param {object} [rest] */
  startJob: (kind, rest = {}) => post("jobs", { kind, ...rest }),
  /** @param {number} job */
  job: (job) => get(`jobs/${job}`),
  /** @param {number} job */
  cancelJob: async (job) => (await fetched(`api/jobs/${job}`, { method: "DELETE" })).json(),
  /** @param {number} job */
  theta: (job) => post("theta", { job }),
  /** @param {number} style */
  style: (style) => post("theta", { style }),
  samples,
  crop,
};

/**
 * A part of a frame, or the whole of it.
 * @param {FrameFacts} facts @param {number} image @param {number} frame
 * @param {{pool?: number, top?: number, left?: number, height?: number, width?: number}} [part]
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("../view/pool.js").Plane>}
 */
async function samples(facts, image, frame, part = {}, signal = undefined) {
  const [rows, columns] = facts.shape;
  const { pool = 1, top = 0, left = 0, height = rows, width = columns } = part;
  const flat = facts.flat ? 1 : 0;
  const query = new URLSearchParams(Object.entries({ pool, top, left, height, width, flat }).map(([k, v]) => [k, `${v}`]));
  const answer = await fetched(`api/samples/${facts.content}/${image}/${frame}?${query}`, { signal });
  const octets = await answer.arrayBuffer();
  const [planeHeight, planeWidth] = [Math.ceil(height / pool), Math.ceil(width / pool)];
  const data = facts.code.type === "u8" ? new Uint8Array(octets) : littleEndian(octets);
  return { data, width: planeWidth, height: planeHeight };
}

/** @param {ArrayBuffer} octets @returns {Uint16Array} */
function littleEndian(octets) {
  const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  if (isLittle) return new Uint16Array(octets);
  const view = new DataView(octets);
  return Uint16Array.from({ length: octets.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true));
}

/**
 * @param {number} image @param {number} frame @param {number} target @param {number} side  odd
 * @param {boolean} [why]  with superpixel and potential
 * @returns {Promise<import("../review/crops.js").Crop>} smaller than `side` where the frame ends
 */
async function crop(image, frame, target, side, why = false) {
  const answer = await fetched(`api/crop/${image}/${frame}/${target}?side=${side}${why ? "&why=1" : ""}`);
  const octets = await answer.arrayBuffer();
  const numbers = (name) => (answer.headers.get(name) ?? "").split(",").map(Number);
  const [top, left, height, width] = numbers("X-Place");
  const code = JSON.parse(answer.headers.get("X-Code") ?? "{}");
  let at = 0;
  const [samples, soft, ...bits] = numbers("X-Parts").map((length) => octets.slice(at, (at += length)));
  const data = code.type === "u8" ? new Uint8Array(samples) : littleEndian(samples);
  const [mask, superpixel, potential] = bits.map((part) => unpackedBits(new Uint8Array(part), height * width));
  return { plane: { data, width, height }, code, soft: new Uint8Array(soft), mask, superpixel, potential, top, left };
}
