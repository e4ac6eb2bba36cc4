/** What gestures on the image mean in the workspace. */

import { t } from "../texts.js";
import { squareOf } from "../view/geometry.js";

const NEAR = 12; // CSS px around a point within which a right click means it
const GRAB = 8; // CSS px around a point within which a drag moves it
const LEVEL_STEP = 0.02;

/**
 * @param {import("./workspace.js").Workspace} work
 * @returns {import("../view/gestures.js").Meaning}
 */
export function meaningOf(work) {
  const { viewer } = work;
  /** @type {null | {target: number, from: number[], gesture: string}} */
  let held = null;

  /** The target whose point is nearest to a place on the screen, within a reach. */
  const pointNear = (event, reach) => {
    const { x, y } = viewer.devicePlace(event);
    let best = null;
    for (const target of work.frame?.targets.values() ?? []) {
      const square = squareOf(viewer.view, target.point[0], target.point[1]);
      const away = Math.hypot(square.x + square.side / 2 - x, square.y + square.side / 2 - y);
      // On the pixel itself, however large it is drawn.
      const inside = x >= square.x && y >= square.y && x < square.x + square.side && y < square.y + square.side;
      const distance = inside ? 0 : away;
      if (distance <= reach * viewer.ratio && (!best || distance < best.distance)) best = { target, distance };
    }
    return best?.target;
  };

  return {
    hover(pixel) {
      viewer.hovered = pixel;
      viewer.cursor = null; // the keyboard's cursor comes back with the arrows
      work.readOut(pixel);
      viewer.refreshCursor();
      if (pixel && work.frame && !work.paint.isOn && !work.targetAt(pixel)) work.preview.rest(work.frame, pixel);
      else work.preview.clear();
    },

    leave() {
      viewer.hovered = null;
      work.preview.clear();
      work.readOut(null);
      viewer.refreshCursor();
    },

    begin(pixel, event) {
      const mayClick = pixel && work.frame && event.button === 0 && !work.paint.isOn && !work.page.readOnly;
      if (mayClick && (event.shiftKey || !work.targetAt(pixel))) work.preview.press(work.frame, pixel);
      else work.preview.clear();
    },

    click(pixel, event) {
      const near = event.shiftKey ? undefined : pointNear(event, GRAB);
      if (near) work.select(near.target);
      else work.clickAt(pixel, event.shiftKey);
    },

    remove(pixel, event) {
      const target = work.targetAt(pixel) ?? pointNear(event, NEAR);
      const proposal = target ? undefined : work.proposals.at(pixel);
      if (target) work.remove(target.target);
      else if (proposal) work.proposals.refuse(proposal);
    },

    hold(pixel, event) {
      const target = work.targetAt(pixel) ?? pointNear(event, NEAR);
      if (target) work.shell.ask(t.note.removeTarget(target.point[1], target.point[0]), [[t.targets.remove, () => work.remove(target.target)], [t.note.leaveIt, () => {}]]);
    },

    grabs(event) {
      if (event.shiftKey || work.page.readOnly) return false;
      const target = pointNear(event, GRAB);
      held = target ? { target: target.target, from: [...target.point], gesture: `move-${performance.now()}` } : null;
      return held !== null;
    },

    move(pixel, isLast) {
      if (!held || !work.frame) return;
      if (work.selected !== held.target) work.select(held.target);
      const { target, gesture } = held;
      const known = work.frame.targets.get(target);
      if (known && (known.point[0] !== pixel.row || known.point[1] !== pixel.col)) {
        work.set(target, { row: pixel.row, col: pixel.col, gesture }, gesture);
      }
      if (isLast) held = null;
    },

    release() {
      if (held) work.set(held.target, { row: held.from[0], col: held.from[1], gesture: held.gesture }, held.gesture);
      held = null;
    },

    window: (dx, dy, isLast) => work.windows.drag(dx, dy, isLast),

    level(steps, pixel) {
      const hovered = pixel ? work.targetAt(pixel) : undefined;
      const target = work.frame?.targets.get(/** @type {any} */ (work.selected)) ?? hovered;
      if (target) work.changeLevel(target, -steps * LEVEL_STEP);
      else work.shell.note(t.note.selectFirst);
    },

    paints: () => work.paint.isOn,
    stroke: (pixel, event, phase) => work.paint.stroke(pixel, event, phase),
    panHeld: () => work.panHeld === true,
  };
}
