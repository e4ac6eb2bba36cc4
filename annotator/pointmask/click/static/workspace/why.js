/**
 * Why this mask: the selected target's soft label in colours over the image, then the outlines of what it is fused
 * from, superpixel and potential, then image, label and mask apart.
 */

import { h } from "../dom.js";
import { Crops, sideFor } from "../review/crops.js";
import { t } from "../texts.js";
import { drawLines } from "../view/overlay.js";

const STEPS = /** @type {const} */ (["off", "soft", "outlines", "split"]);
const OPACITY = 0.85;
const SUPERPIXEL = { colour: "#ffb454", dash: [5, 3], width: 4 };
const POTENTIAL = { colour: "#d2b4ff", dash: [1.5, 2.5], width: 2 };

export class Why {
  /** @param {import("../view/viewer.js").Viewer} viewer @param {HTMLElement} host  gets the split view */
  constructor(viewer, host) {
    this.viewer = viewer;
    this.crops = new Crops(true);
    /** @type {(typeof STEPS)[number]} */ this.step = "off";
    this.pictures = /** @type {const} */ (["image", "soft", "mask"]).map((what) => ({ what, canvas: h("canvas", { role: "img", "aria-label": t.review.pictures[what] }) }));
    this.panel = h("div.why", { hidden: true }, this.pictures.map(({ what, canvas }) => h("figure", {}, canvas, h("figcaption", {}, t.review.pictures[what]))));
    this.legend = h("div.why-legend", { hidden: true, role: "status" });
    host.append(this.panel, this.legend);
    this.soft = document.createElement("canvas");
  }

  /** @param {import("../model/frames.js").Frame} frame @param {import("../model/frames.js").KnownTarget} target */
  async next(frame, target) {
    await this.show(frame, target, STEPS[(STEPS.indexOf(this.step) + 1) % STEPS.length]);
  }

  /** @param {(typeof STEPS)[number]} step */
  async show(frame, target, step) {
    if (step === "off") {
      this.leave();
      return;
    }
    const row = { id: frame.image, frame: frame.frame, target: target.target, box: target.box };
    this.crops.forget(row);
    const crop = await this.crops.get(row);
    this.step = step;
    this.viewer.over = this.viewer.under = null;
    this.panel.hidden = step !== "split";
    this.legend.hidden = step === "split";
    this.legend.replaceChildren(...(step === "soft" ? [t.why.soft] : [key("superpixel", SUPERPIXEL), key("potential", POTENTIAL)]));
    if (step === "split") {
      const ratio = window.devicePixelRatio;
      const room = Math.min(this.viewer.width / 3 - 24 * ratio, this.viewer.height - 60 * ratio);
      const scale = Math.max(1, Math.floor(room / sideFor(target.box)));
      for (const { what, canvas } of this.pictures) this.crops.draw(canvas, crop, what, scale, target.point, what === "image");
    } else if (step === "outlines") {
      const { top, left, plane: { width, height } } = crop;
      const lines = /** @type {const} */ ([["superpixel", SUPERPIXEL], ["potential", POTENTIAL]]).map(([part, style]) => ({ ...style, mask: { top, left, width, height, pixels: crop[part] } }));
      this.viewer.over = (context, view) => drawLines(context, view, lines, this.viewer.ratio);
    } else {
      this.crops.draw(this.soft, crop, "soft", 1, target.point, false);
      this.viewer.under = (context, view) => {
        context.globalAlpha = OPACITY;
        context.imageSmoothingEnabled = false;
        context.drawImage(this.soft, view.x + crop.left * view.scale, view.y + crop.top * view.scale, this.soft.width * view.scale, this.soft.height * view.scale);
        context.globalAlpha = 1;
      };
    }
    this.viewer.refreshMarks();
  }

  leave() {
    this.step = "off";
    this.panel.hidden = this.legend.hidden = true;
    this.viewer.over = this.viewer.under = null;
    this.viewer.refreshMarks();
  }
}

/** A line as it is drawn, and its name. @param {"superpixel" | "potential"} part */
function key(part, { colour, dash, width }) {
  const line = h("canvas", { width: 28, height: 8, "aria-hidden": "true" });
  const context = line.getContext("2d");
  Object.assign(context, { strokeStyle: colour, lineWidth: width });
  context.setLineDash(dash.map((length) => 2 * length));
  context.moveTo(0, 4);
  context.lineTo(28, 4);
  context.stroke();
  return h("span", {}, line, ` ${t.why[part]}`);
}
