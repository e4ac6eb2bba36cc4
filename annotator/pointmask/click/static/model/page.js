/**
 * The page's picture of the session: frames, edits under way, what is written and what is on disk.
 * Every change that a person makes goes through `edit`; every answer comes back as an event.
 */

import { repainted } from "../view/bits.js";
import { api, Refused, server } from "./api.js";
import { Frames } from "./frames.js";
import { newEdit, Outbox } from "./outbox.js";

const POLL = 2000; // ms
const POLL_AFTER_EDIT = 250; // ms

/**
 * Events: "frame" (detail: Frame) its targets or state changed; "saving" the line about what is saved changed;
 * "session" the session's facts changed; "notice" (detail: {kind, ...}) something to tell; "undone" (detail:
 * answer); "answered" (detail: {item, answer}).
 */
export class Page extends EventTarget {
  /** @param {any} session  answer of api/session */
  constructor(session) {
    super();
    this.session = session;
    this.seq = session.seq;
    this.heard = session.seq; // up to here it is known what other tabs did
    this.durable = session.durable;
    this.isGone = false;
    /** @type {import("./frames.js").Frame | null} */ this.shown = null;
    this.toldVersion = false;
    this.ownJobs = 0; // long work of this page, which changes frames as another tab would
    this.frames = new Frames(() => this.session.polarity);
    this.outbox = new Outbox(session.out);
    this.frames.isNeeded = ({ image, frame, pending }) =>
      pending.size > 0 || this.outbox.items.some(({ body }) => body.image === image && body.frame === frame);
    this.outbox.revisionOf = (item) => {
      const frame = this.frames.peek(item.body.image, item.body.frame);
      return frame?.name === item.name ? frame.revision : undefined; // of another page, numbers may be others
    };
    this.outbox.addEventListener("change", () => this.tell("saving"));
    this.outbox.addEventListener("answer", (event) => this.answered(/** @type {CustomEvent} */ (event).detail));
    this.outbox.addEventListener("refused", (event) => this.refused(/** @type {CustomEvent} */ (event).detail));
    this.timer = 0;
    document.addEventListener("visibilitychange", () => this.pollSoon(0));
    this.pollSoon(POLL);
  }

  /** @param {string} name @param {any} [detail] */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  get readOnly() {
    return Boolean(this.session.read_only);
  }

  /** "saved" on disk, "written" in the journal, "sending" on its way, "failed" waiting for something to pass. */
  get saving() {
    if (this.outbox.problem) return "failed";
    if (this.outbox.length) return "sending";
    return this.durable >= this.seq ? "saved" : "written";
  }

  /**
   * Do something to a frame: shown at once as far as the page can know it, sent, and corrected by the answer.
   * @param {import("./frames.js").Frame} frame
   * @param {Record<string, any>} fields  `op` and what it needs
   * @param {string} [key]  of edits of which only the latest matters while they wait
   * @returns {string | null} the edit's identifier, null if nothing may be written
   */
  edit(frame, fields, key = "") {
    if (this.readOnly) {
      this.tell("notice", { kind: "readOnly" });
      return null;
    }
    const edit = newEdit();
    const body = { image: frame.image, frame: frame.frame, edit, content: frame.facts?.content, ...fields };
    if (typeof body.target === "string") {
      body.after = body.target; // the identifier of a click that was not answered yet
      delete body.target;
    }
    if (fields.op === "add") frame.pending.set(edit, { row: fields.row, col: fields.col });
    anticipate(frame, fields);
    if (!this.outbox.put({ kind: "edit", body, name: frame.name, key })) {
      frame.pending.delete(edit);
      this.tell("notice", { kind: "outboxFull" });
    }
    this.tell("frame", frame);
    return edit;
  }

  /** @param {"undo" | "redo"} kind */
  step(kind) {
    if (this.readOnly) this.tell("notice", { kind: "readOnly" });
    else this.outbox.put({ kind, body: {}, name: "", key: "" });
  }

  answered({ item, answer }) {
    this.seq = Math.max(this.seq, answer.seq);
    this.durable = Math.max(this.durable, answer.durable);
    for (const change of answer.frames) {
      const frame = this.frames.peek(change.image, change.frame);
      if (!frame) continue;
      frame.pending.delete(item.body.edit);
      frame.apply(change);
      // What was done since is on its way: the answer is older than what the person sees.
      for (const { kind, body } of this.outbox.items) {
        if (kind === "edit" && body.image === frame.image && body.frame === frame.frame) anticipate(frame, body);
      }
      this.tell("frame", frame);
    }
    if (item.kind !== "edit") {
      // A refused proposal may be back.
      for (const { image, frame } of answer.frames) {
        const known = this.frames.peek(image, frame);
        if (known?.facts?.proposals) this.reload(known);
      }
    }
    if (item.kind !== "edit") this.tell("undone", { kind: item.kind, answer });
    this.tell("answered", { item, answer });
    this.tell("saving");
    this.pollSoon(POLL_AFTER_EDIT);
  }

  refused({ item, error }) {
    const frame = this.frames.peek(item.body.image, item.body.frame);
    frame?.pending.delete(item.body.edit);
    this.tell("notice", { kind: error.status === 409 ? "conflict" : "refused", item, error });
    if (frame) this.reload(frame);
    this.tell("saving");
  }

  /** Facts and targets anew, and the samples if the file is another one now. @param {import("./frames.js").Frame} frame */
  async reload(frame) {
    const { content } = frame.facts ?? {};
    try {
      await this.frames.refresh(frame);
      if (frame.facts && frame.picture && frame.facts.content !== content) {
        frame.flat = null;
        frame.picture = await this.frames.fetchPicture(/** @type {any} */ (frame));
      }
    } catch (error) {
      frame.problem = /** @type {Error} */ (error);
    }
    this.tell("frame", frame);
  }

  /** @param {number} wait  ms */
  pollSoon(wait) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.poll(), wait);
  }

  /** Learn what other tabs did and what has reached the disk. */
  async poll() {
    if (document.hidden) return; // goes on when the tab is seen again
    try {
      const answer = await api.changes(this.heard);
      let isHeard = true;
      this.seq = Math.max(this.seq, answer.seq);
      this.durable = Math.max(this.durable, answer.durable);
      for (const change of answer.frames ?? []) {
        const frame = this.frames.peek(change.image, change.frame);
        if (!frame?.facts || frame.revision >= change.revision) continue;
        // What is under way may be what changed it: asked again when that is answered.
        if (this.frames.isNeeded(frame)) isHeard = false;
        else {
          await this.reload(frame);
          if (frame === this.shown && !this.ownJobs) this.tell("notice", { kind: "otherTab", frame });
        }
      }
      if (isHeard) this.heard = answer.seq;
      if (answer.reload) for (const frame of this.frames.known.values()) if (frame.facts) await this.reload(frame);
      if (answer.warm && !this.session.warm) await this.refreshSession();
      this.isGone = false;
      if (server.version !== this.session.version && !this.toldVersion) {
        this.toldVersion = true;
        this.tell("notice", { kind: "version" });
      }
      if (this.outbox.problem) this.outbox.retry();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.isGone = error.status === 0 || error.status >= 502;
      if (error.status === 401) this.tell("notice", { kind: "token" });
    }
    this.tell("saving");
    const isListing = !this.session.warm || !this.session.images.complete;
    if (isListing && !this.isGone) await this.refreshSession();
    this.pollSoon(this.durable < this.seq ? POLL_AFTER_EDIT : POLL);
  }

  async refreshSession() {
    try {
      this.session = await api.session();
      this.tell("session");
    } catch {
      // The next poll tells why.
    }
  }
}

const CORRECTED = /** @type {const} */ (["label", "level", "ring", "polarity", "verdict"]);

/** What the page can show before the server answers; masks are only ever the server's. */
function anticipate(frame, fields) {
  const target = frame.targets.get(fields.target);
  if (fields.op === "refuse") frame.proposals = frame.proposals.filter((each) => each.proposal !== fields.proposal);
  if (fields.op === "frame") frame.state = fields.state;
  if (!target) return;
  if (fields.op === "drop") frame.targets.delete(fields.target);
  if (fields.op === "set") {
    const { row, col, target: number } = fields;
    const changed = { ...target };
    for (const name of CORRECTED) if (name in fields) changed[name] = fields[name];
    if (row !== undefined) Object.assign(changed, { point: [row, col], centre: null });
    frame.targets.set(number, changed);
  }
  if (fields.op === "paint") {
    const shape = repainted(target.shape, fields.set, fields.clear);
    frame.targets.set(fields.target, { ...target, shape, made: "hand", confidence: null });
  }
}
