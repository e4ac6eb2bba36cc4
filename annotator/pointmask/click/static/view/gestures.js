/** Mouse, pen and wheel on the image become what is meant by them; what then happens is the caller's. */

import { listenToFingers } from "./touch.js";

const STILL = 4; // CSS px; a pointer that moved less has clicked
const NOTCH = 100; // px of wheel deltas that make one step

/** @typedef {{row: number, col: number}} Pixel */
/**
 * @typedef {object} Meaning  what the caller does; all get pixels of the image, null outside it
 * @property {(pixel: Pixel | null, event: PointerEvent) => void} hover
 * @property {() => void} leave
 * @property {(pixel: Pixel | null, event: PointerEvent) => void} begin  a button went down on the image
 * @property {(pixel: Pixel, event: PointerEvent) => void} click
 * @property {(pixel: Pixel, event: PointerEvent) => void} remove
 * @property {(event: PointerEvent) => boolean} grabs  whether a drag from here moves a point; it is then held
 * @property {(pixel: Pixel, isLast: boolean) => void} move  the held point, even before the drag ends
 * @property {() => void} release  the held point goes back to where it was
 * @property {(dx: number, dy: number, isLast: boolean) => void} window  CSS px since the drag began
 * @property {(steps: number, pixel: Pixel | null) => void} level
 * @property {() => boolean} paints
 * @property {(pixel: Pixel, event: PointerEvent, phase: "begin" | "go" | "end" | "cancel") => void} stroke
 * @property {(pixel: Pixel, event: PointerEvent) => void} [hold]  a finger stayed
 * @property {() => boolean} panHeld  whether every drag pans
 */

/**
 * @param {import("./viewer.js").Viewer} viewer @param {Meaning} meaning
 * @returns {() => void} takes the listeners off
 */
export function listen(viewer, meaning) {
  const { host } = viewer;
  const stop = new AbortController();
  /** @type {null | {kind: string, id: number, x: number, y: number, panned: number[], moved: boolean, last: Pixel | null}} */
  let drag = null;
  let wheelRest = 0;
  /** @type {(type: string, handler: (event: any) => void, options?: AddEventListenerOptions) => void} */
  const on = (type, handler, options = {}) => host.addEventListener(type, handler, { signal: stop.signal, ...options });

  const kindOf = (event) => {
    if (event.button === 1 || (event.button === 0 && meaning.panHeld())) return "pan";
    if (meaning.paints() && (event.button === 0 || event.button === 2)) return "stroke";
    if (event.button === 2) return "window";
    if (event.button !== 0) return "";
    return meaning.grabs(event) ? "point" : "pan";
  };

  const fingersAtWork = listenToFingers(viewer, { end: () => cancel(), hold: (pixel, event) => meaning.hold?.(pixel, event) }, stop.signal);

  on("pointerdown", (event) => {
    if (fingersAtWork()) return;
    if (drag) {
      cancel(); // a second button ends what the first began
      return;
    }
    const kind = kindOf(event);
    if (!kind) return;
    meaning.begin(viewer.pixelOf(event), event);
    event.preventDefault();
    host.focus({ preventScroll: true });
    capture(event.pointerId);
    drag = { kind, id: event.pointerId, x: event.clientX, y: event.clientY, panned: [0, 0], moved: false, last: null };
    if (kind === "stroke") {
      const pixel = viewer.pixelOf(event);
      drag.moved = true;
      if (pixel) {
        drag.last = pixel;
        meaning.stroke(pixel, event, "begin");
      } else drag = null;
    }
  });

  /** @param {number} id */
  function capture(id) {
    try {
      host.setPointerCapture(id);
    } catch {
      // The pointer is gone already; the drag ends with the next event.
    }
  }

  on("pointermove", (event) => {
    const box = host.getBoundingClientRect();
    viewer.pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
    const pixel = viewer.pixelOf(event);
    if (!drag || drag.id !== event.pointerId) {
      meaning.hover(pixel, event);
      return;
    }
    if (!drag.moved) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < STILL) return;
      drag.moved = true;
      host.dataset.drag = drag.kind;
    }
    if (drag.kind === "pan") {
      // Whole device pixels since the drag began: rounding does not add up.
      const whole = [(event.clientX - drag.x) * viewer.ratio, (event.clientY - drag.y) * viewer.ratio].map(Math.round);
      viewer.pan(whole[0] - drag.panned[0], whole[1] - drag.panned[1]);
      drag.panned = whole;
    }
    if (drag.kind === "window") meaning.window(event.clientX - drag.x, event.clientY - drag.y, false);
    if (drag.kind === "point" && pixel && !same(pixel, drag.last)) meaning.move((drag.last = pixel), false);
    if (drag.kind === "stroke" && pixel) {
      meaning.hover(pixel, event);
      if (!same(pixel, drag.last)) meaning.stroke((drag.last = pixel), event, "go");
    }
  });

  on("pointerup", (event) => {
    if (!drag || drag.id !== event.pointerId) return;
    const ended = drag;
    drag = null;
    delete host.dataset.drag;
    const pixel = viewer.pixelOf(event);
    if (ended.kind === "stroke") meaning.stroke(pixel ?? /** @type {Pixel} */ (ended.last), event, "end");
    else if (ended.kind === "window" && ended.moved) meaning.window(event.clientX - ended.x, event.clientY - ended.y, true);
    else if (ended.kind === "point" && ended.moved) {
      if (ended.last) meaning.move(ended.last, true);
    } else if (!ended.moved && pixel) {
      if (event.button === 2) meaning.remove(pixel, event);
      if (event.button === 0 && !meaning.panHeld()) meaning.click(pixel, event);
    }
  });

  function cancel() {
    if (drag?.kind === "point") meaning.release();
    if (drag?.kind === "stroke" && drag.last) meaning.stroke(drag.last, /** @type {any} */ ({}), "cancel");
    drag = null;
    delete host.dataset.drag;
  }

  on("pointercancel", cancel);
  on("pointerleave", () => {
    if (drag) return;
    viewer.pointer = null;
    meaning.leave();
  });
  on("contextmenu", (event) => event.preventDefault());
  on("auxclick", (event) => event.preventDefault());
  on(
    "wheel",
    (event) => {
      event.preventDefault(); // with Ctrl, too: the browser's own zoom stays away from the image
      const delta = event.deltaY || event.deltaX; // Shift turns some wheels sideways
      if (event.deltaMode !== 0) wheelRest = Math.sign(delta) * NOTCH;
      else if (event.ctrlKey && Math.abs(delta) < 50) wheelRest += delta * 4; // a pinch sends small deltas
      else if (Math.abs(delta) >= NOTCH / 2 / viewer.ratio) wheelRest = Math.sign(delta) * NOTCH;
      else wheelRest += delta;
      const steps = Math.trunc(wheelRest / NOTCH);
      if (!steps) return;
      wheelRest = 0;
      if (event.shiftKey) meaning.level(-Math.sign(steps), viewer.pixelOf(event));
      else viewer.zoom(-Math.sign(steps), viewer.devicePlace(event));
    },
    { passive: false },
  );

  return () => stop.abort();
}

/** @param {Pixel} a @param {Pixel | null} b */
const same = (a, b) => b !== null && a.row === b.row && a.col === b.col;
