/** The frames of a sequence as a strip: what is recorded of each, where the page is, and the blink with neighbours. */

import { h, setText } from "../../dom.js";
import { api } from "../../model/api.js";
import { t } from "../../texts.js";

const MOST = 500; // frames that the strip shows at once
const REST = 150; // ms after a change before the strip is asked for again

/** How a frame looks: height of its bar, and a sign above it, so that nothing is told by colour alone. */
const BARS = { given: 1, carried: 0.55, empty: 0.16, unfinished: 0.3, "": 0.08 };
const SIGNS = { crossing: "×", identity: "?", lost: "○", found: "r", last: "|" };
const GIVEN = "#1fe0c0";
const CARRIED = "#8fb0ff";
const NOTHING = "#6b7482";
const HERE = "#ffe14d";

export class Strip {
  /** @param {import("../../model/page.js").Page} page @param {(image: number, frame: number) => void} open */
  constructor(page, open) {
    this.page = page;
    this.open = open;
    /** @type {import("../../model/frames.js").Frame | null} */ this.frame = null;
    /** @type {any[]} */ this.rows = [];
    this.from = 0;
    this.turn = 0;
    this.timer = 0;
    this.place = h("span.strip-place");
    this.canvas = h("canvas", { "aria-hidden": "true", onclick: (event) => this.clicked(event) });
    this.slider = h("input.unseen", { type: "range", "aria-label": t.strip.label, step: 1, oninput: () => this.openAt(Number(this.slider.value)) });
    this.work = h("span.strip-work", { role: "status" });
    this.element = h("div.strip", { hidden: true, title: t.strip.legend }, this.place, h("div.cells", {}, this.canvas, this.slider), this.work);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    /** @type {() => void} */ this.cancel = () => {};
  }

  /** @param {import("../../model/frames.js").Frame} frame */
  show(frame) {
    this.frame = frame;
    const sequence = frame.facts?.sequence;
    this.element.hidden = !sequence;
    if (!sequence) return;
    setText(this.place, t.strip.place(sequence.index + 1, sequence.length));
    const isThere = this.rows.some((row) => row.id === frame.image && row.frame === frame.frame);
    this.from = isThere ? this.from : Math.max(0, Math.min(sequence.index - MOST / 2, sequence.length - MOST));
    Object.assign(this.slider, { min: 0, max: sequence.length - 1, value: sequence.index });
    if (isThere) this.draw();
    else this.ask();
  }

  /** @param {import("../../model/frames.js").Frame} frame  changed */
  update(frame) {
    if (this.element.hidden || !this.rows.some((row) => row.id === frame.image && row.frame === frame.frame)) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), REST);
  }

  async ask() {
    const { frame } = this;
    if (!frame) return;
    try {
      const answer = await api.sequence(frame.image, frame.frame, Math.round(this.from), MOST);
      if (frame !== this.frame) return;
      this.rows = answer.rows;
    } catch {
      return; // the strip stays as it was
    }
    this.draw();
  }

  draw() {
    const box = this.canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (!width || !this.rows.length) return;
    Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    const wide = width / this.rows.length;
    const sign = 11 * ratio;
    context.font = `${sign}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "top";
    this.rows.forEach((row, i) => {
      const [left, right] = [Math.round(i * wide), Math.round((i + 1) * wide)];
      const gap = wide > 4 * ratio ? Math.round(ratio) : 0;
      const tall = Math.round((height - sign - 2 * ratio) * BARS[row.kind]);
      context.fillStyle = row.kind === "given" ? GIVEN : row.kind === "carried" ? CARRIED : NOTHING;
      if (row.kind === "carried" && wide > 4 * ratio) {
        context.strokeStyle = CARRIED; // hollow, like its points
        context.lineWidth = ratio;
        context.strokeRect(left + ratio / 2, height - tall + ratio / 2, right - left - gap - ratio, tall - ratio);
      } else context.fillRect(left, height - tall, Math.max(right - left - gap, 1), tall);
      const mark = row.marks.map((name) => SIGNS[name]).find(Boolean);
      if (mark) {
        context.fillStyle = "#ffffff";
        context.fillText(mark, (left + right) / 2, 0);
      }
      if (row.id === this.frame?.image && row.frame === this.frame.frame) {
        context.fillStyle = HERE;
        context.fillRect(left, height - Math.round(2 * ratio), Math.max(right - left - gap, Math.round(2 * ratio)), Math.round(2 * ratio));
        context.fillRect(Math.round((left + right - gap) / 2 - ratio / 2), 0, Math.max(1, Math.round(ratio)), height);
      }
    });
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = this.rows[Math.floor(((event.clientX - box.left) / box.width) * this.rows.length)];
    if (row) this.open(row.id, row.frame);
  }

  /** @param {number} index  in the sequence */
  openAt(index) {
    const row = this.rows[index - Math.round(this.from)];
    if (row) this.open(row.id, row.frame);
  }

  /** @param {import("../../model/frames.js").Frame} frame @returns {boolean} whether tracking made the frame after it */
  isCarriedAfter(frame) {
    const here = this.rows.findIndex((row) => row.id === frame.image && row.frame === frame.frame);
    return here >= 0 && this.rows[here + 1]?.kind === "carried";
  }

  /** The next frame of the strip with a mark. @returns {boolean} */
  nextMark() {
    const here = this.rows.findIndex((row) => row.id === this.frame?.image && row.frame === this.frame.frame);
    const next = this.rows.slice(here + 1).find((row) => row.marks.length);
    if (next) this.open(next.id, next.frame);
    return Boolean(next);
  }

  /** How far tracking is. @param {{done: number, total: number} | null} job */
  progress(job) {
    this.work.replaceChildren(...(job ? [h("span", {}, t.strip.tracking(job.done, job.total)), " ", h("button", { type: "button", onclick: () => this.cancel() }, t.strip.cancel)] : []));
    if (this.frame) this.update(this.frame);
  }

  /**
   * @param {import("../../view/viewer.js").Viewer} viewer @param {1 | -1} step
   * @param {(entry: import("../../model/frames.js").Frame) => Promise<any>} look  what is to be shown of a frame
   */
  async blink(viewer, step, look) {
    const { frame } = this;
    const turn = (this.turn += 1);
    if (!frame) return;
    const next = await api.next(frame.image, frame.frame, step, "any");
    const { picture } = next.id === null ? {} : await look(await this.page.frames.load(next.id, next.frame));
    if (turn !== this.turn || !picture || picture.width !== frame.picture?.width || picture.height !== frame.picture.height) return;
    viewer.blink = picture;
    viewer.refreshTable();
  }

  /** @param {import("../../view/viewer.js").Viewer} viewer */
  unblink(viewer) {
    this.turn += 1;
    if (!viewer.blink) return;
    viewer.blink = null;
    viewer.refreshTable();
  }
}
