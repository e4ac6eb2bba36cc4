/** The queue as it was when it was opened: an edit does not make targets jump. */

import { api } from "../model/api.js";

const PART = 50;

export class Queue {
  constructor() {
    /** @type {any[]} sparse: filled as far as it was looked at */ this.rows = [];
    this.total = 0;
    this.query = {};
    /** @type {Map<number, Promise<void>>} */ this.parts = new Map();
  }

  /** @param {object} query */
  async load(query) {
    this.query = query;
    this.rows = [];
    this.parts.clear();
    const answer = await api.queue({ ...query, from: 0, count: PART });
    this.total = answer.total;
    /** @type {any[]} what was reviewed, by bands of confidence */ this.bands = answer.bands ?? [];
    this.unmade = answer.unmade ?? 0; // masks of given points, made when they are first shown
    answer.rows.forEach((row, i) => (this.rows[i] = row));
    this.parts.set(0, Promise.resolve());
  }

  /** @param {number} place @returns {Promise<any>} */
  async at(place) {
    const part = Math.floor(place / PART);
    if (!this.rows[place]) {
      if (!this.parts.has(part)) this.parts.set(part, this.fetch(part));
      try {
        await this.parts.get(part);
      } catch (error) {
        this.parts.delete(part);
        throw error;
      }
    }
    return this.rows[place];
  }

  async fetch(part) {
    const answer = await api.queue({ ...this.query, from: part * PART, count: PART });
    answer.rows.forEach((row, i) => (this.rows[part * PART + i] = row));
  }

  /** Targets without a verdict of this review. */
  left() {
    return this.total - this.rows.filter((row) => row?.verdict).length;
  }
}
