/** Fingers: two of them zoom and pan, one that stays asks to remove what is under it. */

const LONG = 600; // ms that a finger must stay
const STILL = 8; // CSS px that it may tremble
const APART = 1.3; // change of the distance of two fingers that makes one step of the zoom

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {object} meaning
 * @param {() => void} meaning.end  what one finger began is over
 * @param {(pixel: import("./gestures.js").Pixel, event: PointerEvent) => void} meaning.hold
 * @param {AbortSignal} signal  takes the listeners off
 * @returns {() => boolean} whether two fingers are at work, or what they began is not over
 */
export function listenToFingers(viewer, meaning, signal) {
  /** @type {Map<number, {x: number, y: number}>} */ const fingers = new Map();
  /** @type {null | {apart: number, x: number, y: number}} */ let pinch = null;
  let isBusy = false; // until all fingers are up
  let timer = 0;
  /** @type {{x: number, y: number}} */ let start = { x: 0, y: 0 };

  const measured = () => {
    const [a, b] = [...fingers.values()];
    return { apart: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  /** @type {(type: string, handler: (event: any) => void) => void} */
  const on = (type, handler) => viewer.host.addEventListener(type, (event) => event.pointerType === "touch" && handler(event), { signal, capture: true });

  on("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    clearTimeout(timer);
    if (fingers.size === 1) {
      start = { x: event.clientX, y: event.clientY };
      timer = window.setTimeout(() => hold(event), LONG);
      return;
    }
    isBusy = true;
    meaning.end();
    pinch = fingers.size === 2 ? measured() : null;
  });

  /** @param {PointerEvent} event  with which the finger came */
  function hold(event) {
    const pixel = viewer.pixelOf(event);
    if (!pixel) return;
    isBusy = true;
    meaning.end();
    meaning.hold(pixel, event);
  }

  on("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL) clearTimeout(timer);
    if (!pinch) return;
    const now = measured();
    const [dx, dy] = [now.x - pinch.x, now.y - pinch.y].map((css) => Math.round(css * viewer.ratio));
    viewer.pan(dx, dy);
    Object.assign(pinch, { x: pinch.x + dx / viewer.ratio, y: pinch.y + dy / viewer.ratio });
    const wider = now.apart / Math.max(pinch.apart, 1);
    if (wider > APART || wider < 1 / APART) {
      viewer.zoom(wider > 1 ? 1 : -1, viewer.devicePlace({ clientX: now.x, clientY: now.y }));
      pinch.apart = now.apart;
    }
  });

  for (const type of ["pointerup", "pointercancel"]) {
    on(type, (event) => {
      clearTimeout(timer);
      fingers.delete(event.pointerId);
      pinch = null;
      if (!fingers.size) window.setTimeout(() => { isBusy = fingers.size > 0; }); // after the others have seen this event
    });
  }
  return () => isBusy;
}
