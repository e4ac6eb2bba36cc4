/** Theta after the masks that were judged: fitted, shown with its gain and examples, used only when accepted. */

import { bdi, fill, h } from "../dom.js";
import { api, Refused } from "../model/api.js";
import { follow, followed } from "../model/jobs.js";
import { t } from "../texts.js";
import { unpacked } from "../view/bits.js";
import { colourTable } from "../view/levels.js";
import { drawMarks } from "../view/overlay.js";
import { Raster } from "../view/picture.js";
import { presetWindow } from "../workspace/panels/window.js";
import { tellJob } from "./finish.js";

const SIDE = 33; // px around an example
const SCALE = 4; // CSS px a pixel

export class Calibrate {
  /** @param {import("../model/page.js").Page} page @param {any} shell @param {() => void} changed */
  constructor(page, shell, changed) {
    Object.assign(this, { page, shell, changed });
    this.raster = new Raster();
    this.begin = h("button", { type: "button", disabled: page.readOnly, onclick: () => this.run() }, t.calibrate.begin);
    this.job = h("div.job", { "aria-live": "polite" });
    this.found = h("div.found");
    this.element = h("section", {}, h("h2", {}, t.calibrate.title), h("p", {}, t.calibrate.text), this.begin, this.job, this.found);
  }

  async run() {
    this.begin.disabled = true;
    fill(this.found);
    try {
      const last = await follow("calibrate", {}, (state) => tellJob(this.job, state, t.calibrate.done));
      if (last.state === "done") await this.show(last);
    } catch (error) {
      this.tellError(error);
    } finally {
      this.begin.disabled = this.page.readOnly;
    }
  }

  /** @param {import("../model/jobs.js").Job} job  that is done */
  async show({ job, result }) {
    const lines = result.lines.map((line) => h("p", {}, line));
    if (!result.kept) {
      fill(this.found, ...lines);
      return;
    }
    const examples = h("ul.before-after");
    fill(this.found, ...lines, h("p", {}, t.calibrate.changing(result.changing, result.unjudged)), h("p.hint", {}, t.calibrate.bias), examples,
      h("div.row.buttons", {}, h("button.primary", { type: "button", onclick: () => this.accept(job) }, t.calibrate.accept), h("button", { type: "button", onclick: () => fill(this.found) }, t.calibrate.leave)));
    for (const sample of result.samples) examples.append(await this.example(sample));
  }

  /** A mask before and after. */
  async example({ id, frame, name, before, after }) {
    const entry = await this.page.frames.load(id, frame);
    const pair = [[before, t.calibrate.before], [after, t.calibrate.after]].map(([target, text]) => {
      const canvas = h("canvas", { role: "img", "aria-label": `${text}: ${t.targets.area(target.area)}` });
      if (entry.picture?.isWhole) this.draw(canvas, entry, target);
      return h("figure", {}, canvas, h("figcaption", {}, `${text}, ${t.targets.area(target.area)}`));
    });
    return h("li", {}, h("div.pair", {}, pair), bdi(name, "hint"));
  }

  draw(canvas, { picture, facts, ...entry }, target) {
    const ratio = window.devicePixelRatio;
    const scale = Math.max(1, Math.round(SCALE * ratio));
    canvas.width = canvas.height = SIDE * scale;
    canvas.style.setProperty("width", `${canvas.width / ratio}px`);
    const context = canvas.getContext("2d");
    const view = { scale, x: -(target.point[1] - (SIDE >> 1)) * scale, y: -(target.point[0] - (SIDE >> 1)) * scale };
    const window_ = presetWindow("auto", { ...entry, picture, facts }, { top: 0, left: 0, bottom: 0, right: 0 });
    this.raster.draw(context, picture, view, colourTable(picture.code, window_, "grey"));
    const mark = { mask: unpacked(target.mask), point: null, kind: "given", text: "", selected: false };
    drawMarks(context, view, [/** @type {any} */ (mark)], { ratio, mode: "outline" });
  }

  /** @param {number} job */
  async accept(job) {
    fill(this.found);
    try {
      const answer = await api.theta(job);
      await followed(answer.job, (state) => tellJob(this.job, state, t.calibrate.remade));
      await this.page.refreshSession();
      this.page.frames.known.clear();
      this.changed();
    } catch (error) {
      this.tellError(error);
    }
  }

  tellError(error) {
    if (!(error instanceof Refused)) throw error;
    fill(this.job, h("p", { role: "alert" }, [error.message, error.fix].filter(Boolean).join(" — ")));
  }
}
