/** Frames as the page knows them: facts, samples and targets, kept while they may be looked at again. */

import { unpacked } from "../view/bits.js";
import { Picture } from "../view/picture.js";
import { api } from "./api.js";

/** @typedef {import("./api.js").Target} Target */
/** @typedef {Target & {shape: import("../view/bits.js").Mask}} KnownTarget */

/** @typedef {{image: number, frame: number, facts: import("./api.js").FrameFacts, picture: Picture, isFlat: true}} Flat */

const MOST_KEPT = 9;
const WHOLE = 2 ** 22; // samples that are fetched in one piece
const OVERVIEW = 2048; // samples along the longer side of an overview

export class Frame {
  /** @param {number} image @param {number} frame */
  constructor(image, frame) {
    this.image = image;
    this.frame = frame;
    /** @type {import("./api.js").FrameFacts | null} */ this.facts = null;
    /** @type {Picture | null} */ this.picture = null;
    /** @type {Promise<Flat> | null} */ this.flat = null;
    /** @type {Map<number, KnownTarget>} */ this.targets = new Map();
    /** @type {any[]} */ this.proposals = [];
    /** @type {Map<string, {row: number, col: number, mask?: any}>} clicks that were not answered yet */ this.pending = new Map();
    this.revision = 0;
    this.state = "open";
    /** @type {Error | null} */ this.problem = null;
    /** @type {Promise<Frame> | null} */ this.loading = null;
    this.used = 0;
    this.listedName = ""; // of an image that cannot be read
  }

  get name() {
    return this.facts?.name ?? this.listedName;
  }

  /** Targets in their order of creation. */
  get list() {
    return [...this.targets.values()].sort((a, b) => a.target - b.target);
  }

  /** Proposals that nobody has judged. */
  get open() {
    if (!this.proposals.length) return [];
    const at = new Set(this.list.map(({ point }) => point.join()));
    return this.proposals.filter(({ point }) => !at.has(point.join()));
  }

  /** @param {Target[]} targets */
  setTargets(targets) {
    this.targets.clear();
    for (const target of targets) this.targets.set(target.target, known(target));
  }

  /** @param {{revision: number, state: string, targets: Target[], removed?: number[]}} change */
  apply({ revision, state, targets, removed = [] }) {
    for (const number of removed) this.targets.delete(number);
    for (const target of targets) this.targets.set(target.target, known(target));
    this.revision = revision;
    this.state = state ?? this.state;
  }
}

/** @param {Target} target @returns {KnownTarget} */
export const known = (target) => ({ ...target, shape: unpacked(target.mask) });

/** Event "loaded" (detail: Frame). */
export class Frames extends EventTarget {
  /** @param {() => import("../view/pool.js").Polarity} polarity */
  constructor(polarity) {
    super();
    this.polarity = polarity;
    /** @type {Map<string, Frame>} */ this.known = new Map();
    this.clock = 0;
    /** @type {(frame: Frame) => boolean} whether edits of it are under way, whose answers it must hear */
    this.isNeeded = () => false;
  }

  /** @param {number} image @param {number} frame @returns {Frame | undefined} */
  peek(image, frame) {
    return this.known.get(`${image}/${frame}`);
  }

  /**
   * A frame with its samples, from the page's memory or from the server.
   * @param {number} image @param {number} frame @returns {Promise<Frame>}
   */
  load(image, frame) {
    const key = `${image}/${frame}`;
    let entry = this.known.get(key);
    if (!entry) this.known.set(key, (entry = new Frame(image, frame)));
    entry.used = this.clock += 1;
    if (entry.problem) entry.loading = null; // tried again when asked for again
    entry.loading ??= this.fetch(entry);
    this.forget();
    return entry.loading;
  }

  /** @param {Frame} entry */
  async fetch(entry) {
    entry.problem = entry.flat = null;
    try {
      await this.refresh(entry);
      entry.picture = await this.fetchPicture(entry);
    } catch (error) {
      entry.problem = /** @type {Error} */ (error);
    }
    this.dispatchEvent(new CustomEvent("loaded", { detail: entry }));
    return entry;
  }

  /** The frame minus its local median, for looking only. @param {Frame} entry @returns {Promise<Flat>} */
  flat(entry) {
    const { image, frame } = entry;
    const fetched = async () => {
      const facts = await api.flat(image, frame);
      return { image, frame, facts, picture: await this.fetchPicture({ facts, image, frame }), isFlat: true };
    };
    entry.flat ??= /** @type {Promise<Flat>} */ (fetched());
    entry.flat.catch(() => (entry.flat = null)); // tried again when asked for again
    return entry.flat;
  }

  /** Facts and targets anew, the samples as they are. @param {Frame} entry */
  async refresh(entry) {
    const facts = await api.frame(entry.image, entry.frame);
    if (entry.facts && facts.revision < entry.revision) return; // an edit was answered meanwhile
    entry.facts = facts;
    entry.revision = facts.revision;
    entry.state = facts.state;
    entry.proposals = (facts.proposals ?? []).map((p) => (p.mask ? { ...p, shape: unpacked(p.mask) } : { ...p, shape: null }));
    entry.setTargets(facts.targets);
  }

  /** @param {Frame | Flat} entry @returns {Promise<Picture>} */
  async fetchPicture({ facts, image, frame }) {
    const [height, width] = facts.shape;
    let pool = 1;
    if (height * width > WHOLE) while (Math.max(height, width) > OVERVIEW * pool) pool *= 2;
    const plane = await api.samples(facts, image, frame, { pool });
    return new Picture({ width, height, code: facts.code, plane, pool, polarity: this.polarity() });
  }

  /** @param {{image: number, frame: number}[]} places */
  async ahead(places) {
    for (const { image, frame } of places) await this.load(image, frame);
  }

  /** @param {string} key @param {number} image @param {number} frame */
  drop(image, frame) {
    this.known.delete(`${image}/${frame}`);
  }

  forget() {
    if (this.known.size <= MOST_KEPT) return;
    const oldest = [...this.known.entries()].sort((a, b) => a[1].used - b[1].used);
    for (const [key, entry] of oldest.slice(0, this.known.size - MOST_KEPT)) {
      if (!this.isNeeded(entry)) this.known.delete(key);
    }
  }
}
