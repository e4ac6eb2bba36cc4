/**
 * Which key does what. Keys are bound to their place on the keyboard (`KeyboardEvent.code`), so that an input
 * method or another layout does not disturb them; what is written on them, the browser tells the help.
 */

import { settings } from "./model/settings.js";

/**
 * @typedef {object} Binding
 * @property {string} action
 * @property {string} code  as in KeyboardEvent.code; "Shift+" and "Ctrl+" before it
 * @property {string} group  heading in the help
 * @property {string} text  what it does
 * @property {boolean} [held]  acts while it is down
 * @property {("workspace" | "review")[]} where
 */

const both = /** @type {const} */ (["workspace", "review"]);
const workspace = /** @type {const} */ (["workspace"]);
const review = /** @type {const} */ (["review"]);

/** @type {Binding[]} */
export const BINDINGS = [
  ...group("Images", workspace, [
    ["next", "KeyD PageDown", "next image or frame"],
    ["previous", "KeyA PageUp", "previous image or frame"],
    ["nextUnmarked", "Shift+KeyD", "next image without a mark"],
    ["previousUnmarked", "Shift+KeyA", "previous image without a mark"],
    ["first", "Home", "first of the folder"],
    ["last", "End", "last of the folder"],
    ["goTo", "KeyG", "go to an image by a part of its name, its number, or name#frame"],
    ["review", "KeyJ", "review queue"],
    ["noTarget", "KeyN", "this image holds no target; again: takes it back"],
    ["unfinished", "KeyF", "frame unfinished: not published; again: takes it back"],
  ]),
  ...group("Targets", workspace, [
    ["click", "Enter", "click at the pixel cursor"],
    ["nextTarget", "Period", "next target or proposal"],
    ["previousTarget", "Comma", "previous target or proposal"],
    ["up", "ArrowUp", "pixel cursor, or the selected point, up"],
    ["down", "ArrowDown", "pixel cursor, or the selected point, down"],
    ["left", "ArrowLeft", "pixel cursor, or the selected point, to the left"],
    ["right", "ArrowRight", "pixel cursor, or the selected point, to the right"],
    ["farUp", "Shift+ArrowUp", "up by 8 pixels"],
    ["farDown", "Shift+ArrowDown", "down by 8 pixels"],
    ["farLeft", "Shift+ArrowLeft", "left by 8 pixels"],
    ["farRight", "Shift+ArrowRight", "right by 8 pixels"],
    ["remove", "Delete Backspace", "removes the selected target or refuses the proposal; while painting, Backspace clears a pixel"],
    ["ringOut", "Shift+Period", "ring: one pixel larger"],
    ["ringIn", "Shift+Comma", "ring: one pixel smaller"],
    ["leave", "Escape", "leaves mode, selection, then the close view"],
  ]),
  ...group("Selected target", both, [
    ["grow", "BracketRight", "grow: level 0.02 lower; while painting, a larger brush"],
    ["shrink", "BracketLeft", "shrink: level 0.02 higher; while painting, a smaller brush"],
    ["growMuch", "Shift+BracketRight", "grow: level 0.10 lower"],
    ["shrinkMuch", "Shift+BracketLeft", "shrink: level 0.10 higher"],
    ["own", "Backslash", "back to the annotator's own mask"],
    ["polarity", "KeyB", "polarity: bright, dark, auto"],
    ["unsure", "KeyU", "unsure"],
    ["accept", "KeyY", "accept the proposal; again: the detector's mask; none left: next image with proposals"],
    ["paint", "KeyP", "paint single pixels"],
    ...Array.from({ length: 9 }, (_, i) => [`label${i + 1}`, `Digit${i + 1}`, `label ${i + 1}`]),
    ["label0", "Digit0", "no label"],
  ]),
  ...group("Undo", both, [
    ["undo", "KeyZ Ctrl+KeyZ", "undo, across images and restarts"],
    ["redo", "Shift+KeyZ Ctrl+KeyY Ctrl+Shift+KeyZ", "redo"],
    ["saved", "Ctrl+KeyS", "says that everything is saved"],
  ]),
  ...group("View", workspace, [
    ["fit", "KeyR", "whole image"],
    ["oneToOne", "Shift+KeyR", "one pixel per pixel"],
    ["zoomIn", "Equal NumpadAdd", "zoom in at the pointer or cursor"],
    ["zoomOut", "Minus NumpadSubtract", "zoom out"],
    ["preset", "KeyW", "next window: auto, local, faint, full, type, mine"],
    ["previousPreset", "Shift+KeyW", "previous window"],
    ["lock", "KeyL", "keep the window's values across images"],
    ["invert", "KeyI", "invert"],
    ["colours", "Shift+KeyM", "next colours"],
    ["overlay", "KeyO", "outline, fill, off"],
    ["hideAll", "Shift+KeyV", "hide everything that is not image"],
    ["flat", "KeyC", "flat view: the frame minus its local median; again: as it is"],
    ["why", "KeyK", "why this mask: soft label, what it is fused from, side by side"],
    ["leftPanel", "Backquote", "left panel"],
    ["rightPanel", "Shift+Backquote", "right panel"],
  ]),
  ...group("Hold", workspace, [
    ["hide", "KeyV", "while held: nothing but the image", true],
    ["blinkPrevious", "KeyQ", "while held: previous frame in the same view", true],
    ["blinkNext", "KeyE", "while held: next frame in the same view", true],
    ["panHeld", "KeyH", "while held: arrows and drags move the view", true],
    ["superpixel", "KeyX", "while held in paint mode: whole superpixels", true],
  ]),
  ...group("Sequences", workspace, [
    ["track", "KeyT Shift+KeyT", "track the targets of this frame from here on"],
    ["nextMark", "KeyM", "next frame where a track crossed, was lost or found again"],
  ]),
  ...group("Review", review, [
    ["acceptNext", "Enter Space", "accept, next"],
    ["back", "Backspace ArrowLeft", "previous, without a verdict"],
    ["skip", "ArrowRight", "next, without a verdict"],
    ["removeNext", "Delete", "remove, next"],
    ["open", "KeyO", "open in the workspace"],
    ["sheet", "KeyG", "contact sheet of 24"],
    ["filters", "Slash", "to the filters"],
    ["leave", "Escape", "leaves paint mode, then the contact sheet"],
  ]),
  ...group("Help", both, [["help", "Shift+Slash", "all keys"]]),
];

/** @param {string} name @param {readonly string[]} where @param {any[][]} rows @returns {Binding[]} */
function group(name, where, rows) {
  return rows.flatMap(([action, codes, text, held = false]) =>
    codes.split(" ").map((code) => ({ action, code, group: name, text, held, where: [...where] })),
  );
}

/** What goes on while its key is held down. All else is done once: nobody accepts what was not looked at. */
const REPEATED = new Set([
  "next", "previous", "nextTarget", "previousTarget", "nextMark", "up", "down", "left", "right", "farUp", "farDown", "farLeft", "farRight",
  "grow", "shrink", "growMuch", "shrinkMuch", "zoomIn", "zoomOut", "undo", "redo", "back", "skip",
]);
/** @param {Binding} binding @param {KeyboardEvent} event */
export const isRepeated = (binding, event) => event.repeat && !REPEATED.has(binding.action);

/** @param {Binding} binding @returns {string | null} its key after the user's own choice; null if switched off */
export function codeOf(binding) {
  const own = settings.keys[`${binding.action}/${binding.code}`];
  if (own !== undefined) return own;
  const plain = /^(Shift\+)?(Key|Digit|Bracket|Backslash|Period|Comma|Slash|Backquote|Equal|Minus)/.test(binding.code);
  return plain && !settings.letters ? null : binding.code;
}

/** @param {KeyboardEvent} event @returns {string} */
export function pressed(event) {
  const name = event.code || "";
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.shiftKey ? "Shift+" : ""}${name}`;
}

/**
 * @param {KeyboardEvent} event @param {"workspace" | "review"} where
 * @returns {Binding | undefined}
 */
export function bindingOf(event, where) {
  if (event.altKey) return undefined; // browsers and window managers own it
  const wanted = pressed(event);
  const bound = BINDINGS.find((b) => b.where.includes(where) && codeOf(b) === wanted);
  // The one key that people look for by its sign, wherever their layout has it.
  return bound ?? (event.key === "?" ? BINDINGS.find((b) => b.action === "help") : undefined);
}

/** Whether keys belong to a field or a control instead of the workspace. @param {EventTarget | null} target */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog[open]")) return true;
  return target.matches("input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
}

/** @param {KeyboardEvent} event  whether a control that has the focus wants this key itself */
export function isControls(event) {
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("button, a, summary, [role=option], [role=treeitem]")) return ["Enter", "Space"].includes(event.code) || (target.matches("[role=treeitem], [role=option]") && /^(Arrow|Home|End)/.test(event.code));
  if (target.matches("input")) return /^(Arrow|Home|End|Page|Space)/.test(event.code);
  return false;
}

/** @type {Map<string, string>} */
let layout = new Map();
/** Ask the browser what is written on the keys; where it does not tell, the American names are shown. */
export async function readLayout() {
  try {
    layout = new Map(await /** @type {any} */ (navigator).keyboard.getLayoutMap());
  } catch {
    layout = new Map();
  }
}

const NAMES = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "Page Up", PageDown: "Page Down",
  Escape: "Esc", Period: ".", Comma: ",", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Slash: "/",
  Backquote: "`", Equal: "+", Minus: "-", NumpadAdd: "Num +", NumpadSubtract: "Num -", Space: "Space",
};

/** @param {string} code @returns {string} as the user's keyboard shows it */
export function keyText(code) {
  const parts = code.split("+");
  const key = /** @type {string} */ (parts.pop());
  if (parts.join() === "Shift" && key === "Slash" && !layout.has("Slash")) return "?";
  const own = layout.get(key);
  const shown = own && key !== "Equal" ? own.toUpperCase() : NAMES[key] ?? key.replace(/^(Key|Digit)/, "");
  return [...parts, shown].join(" ");
}
