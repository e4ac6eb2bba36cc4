/**
 * Edits on their way: one after the other, each kept until the server has answered, so that a lost connection,
 * a full disk or a closed lid loses nothing. What waits is also in the browser's storage.
 */

import { api, Refused } from "./api.js";

const STORED = "pointmask.outbox."; // and the folder
const MOST = 1000;
const RETRY = 2000; // ms

/**
 * @typedef {object} Item
 * @property {"edit" | "undo" | "redo"} kind
 * @property {Record<string, any>} body  the edit; for undo and redo its name alone
 * @property {string} name  of the image, since numbers may differ after a restart
 * @property {string} key  a waiting edit with the same key is replaced by a newer one; "" = never
 */

/** Identifiers of edits: random per page, then counted. */
const PAGE = [...crypto.getRandomValues(new Uint8Array(6))].map((octet) => octet.toString(16).padStart(2, "0")).join("");
let serial = 0;
export const newEdit = () => `${PAGE}-${(serial += 1)}`;

/** @param {string} key @returns {Item[]} */
function itemsOf(key) {
  try {
    const items = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(items) ? items : [];
  } catch {
    return [];
  }
}

/**
 * Events: "change" (length, problem), "answer" (detail: item, answer), "refused" (detail: item, error).
 */
export class Outbox extends EventTarget {
  /** @param {string} folder  the output folder: other folders' edits are not ours */
  constructor(folder) {
    super();
    this.storage = STORED + folder;
    /** @type {Item[]} */ this.items = [];
    /** @type {Refused | null} */ this.problem = null;
    this.isBusy = false;
    this.isStored = true; // what waits is in the browser's storage
    this.timer = 0;
    /** @type {(item: Item) => number | undefined} */ this.revisionOf = () => undefined;
  }

  get length() {
    return this.items.length;
  }

  /** Edits that an earlier page of this folder could not send. @returns {Item[]} */
  stored() {
    return itemsOf(this.storage);
  }

  /** Folders of which edits wait in this browser for their own server. @returns {{folder: string, count: number}[]} */
  elsewhere() {
    try {
      return Object.keys(localStorage)
        .filter((key) => key.startsWith(STORED) && key !== this.storage)
        .map((key) => ({ folder: key.slice(STORED.length), count: itemsOf(key).length }))
        .filter(({ count }) => count);
    } catch {
      return [];
    }
  }

  /** @param {Item[]} items  to be sent before all others */
  adopt(items) {
    this.items.unshift(...items);
    this.changed();
    this.send();
  }

  /** @param {Item} item @returns {boolean} false if there is no room */
  put(item) {
    if (item.kind !== "edit") item.body.edit = newEdit(); // sent again after a lost answer, it is done once
    const last = this.items.at(-1);
    const isWaiting = this.items.length > (this.isBusy ? 1 : 0);
    if (item.key && isWaiting && last?.key === item.key) {
      last.body = { ...last.body, ...item.body, edit: last.body.edit };
    } else {
      if (this.items.length >= MOST) return false;
      this.items.push(item);
    }
    this.send(); // on its way first: storage takes a moment
    this.changed();
    return true;
  }

  changed() {
    try {
      if (this.items.length) localStorage.setItem(this.storage, JSON.stringify(this.items));
      else localStorage.removeItem(this.storage);
      this.isStored = true;
    } catch {
      this.isStored = false; // full or off: the page itself still keeps them
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Try again now. */
  retry() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.send();
  }

  async send() {
    if (this.isBusy || this.timer) return;
    this.isBusy = true;
    try {
      while (this.items.length) {
        const item = this.items[0];
        try {
          const answer = await this.request(item);
          this.items.shift();
          this.problem = null;
          this.numberFollowers(item, answer);
          this.changed();
          this.dispatchEvent(new CustomEvent("answer", { detail: { item, answer } }));
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          if (error.passes) {
            this.problem = error;
            this.dispatchEvent(new Event("change"));
            this.timer = window.setTimeout(() => this.retry(), RETRY);
            return;
          }
          this.items.shift();
          this.problem = null;
          this.changed();
          this.dispatchEvent(new CustomEvent("refused", { detail: { item, error } }));
        }
      }
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {Item} item @returns {Promise<any>} */
  request(item) {
    if (item.kind === "undo") return api.undo(1, item.body.edit);
    if (item.kind === "redo") return api.redo(1, item.body.edit);
    if (item.body.after) throw new Refused(404, "the target of this edit was not made");
    const base = this.revisionOf(item);
    return api.edits([{ ...item.body, name: item.name || undefined, base }]);
  }

  /** Edits of a target that had no number yet, since its click was still on its way. */
  numberFollowers(item, answer) {
    if (item.body.op !== "add" && item.body.op !== "accept") return;
    const made = Math.max(...answer.frames.flatMap((frame) => frame.targets.map((t) => t.target)));
    for (const { body } of this.items) {
      if (body.after !== item.body.edit) continue;
      delete body.after;
      body.target = made;
    }
  }
}
