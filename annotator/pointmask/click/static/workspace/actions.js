/** What the workspace's keys do; their places on the keyboard are in `keys.js`. */

import { change, settings } from "../model/settings.js";
import { t } from "../texts.js";

const STEP = 0.02;
const MUCH = 0.1;
const FAR = 8; // pixels
const OVERLAYS = /** @type {const} */ (["outline", "fill", "off"]);
const POLARITIES = [null, "bright", "dark", "auto"];

/** @param {import("./workspace.js").Workspace} work @returns {Record<string, any>} */
export function actionsOf(work) {
  const { viewer, page, shell } = work;
  const selected = () => work.frame?.targets.get(/** @type {any} */ (work.selected));

  /** @param {number} rows @param {number} cols */
  const move = (rows, cols) => () => {
    const { picture } = work.frame ?? {};
    if (!picture) return;
    if (work.panHeld) {
      viewer.pan(-cols * 40 * viewer.ratio, -rows * 40 * viewer.ratio);
      return;
    }
    const target = selected();
    const inside = (row, col) => ({ row: Math.min(Math.max(row, 0), picture.height - 1), col: Math.min(Math.max(col, 0), picture.width - 1) });
    if (target && !work.paint.isOn) {
      const { row, col } = inside(target.point[0] + rows, target.point[1] + cols);
      work.set(target.target, { row, col });
      viewer.reveal(row, col);
      return;
    }
    const part = viewer.visiblePart();
    const start = viewer.cursor ?? viewer.hovered ?? (target ? { row: target.point[0], col: target.point[1] } : { row: (part.top + part.bottom) >> 1, col: (part.left + part.right) >> 1 });
    viewer.cursor = viewer.cursor ? inside(start.row + rows, start.col + cols) : start;
    viewer.reveal(viewer.cursor.row, viewer.cursor.col);
    viewer.refreshMarks();
    work.readOut();
    if (work.frame && !work.paint.isOn) work.preview.rest(work.frame, viewer.cursor);
    shell.say(t.say.cursor(viewer.cursor.col, viewer.cursor.row));
  };

  const walk = (step) => () => {
    const list = [...(work.frame?.list ?? []), ...(work.frame?.open ?? [])];
    if (!list.length) {
      shell.note(t.note.noTargets);
      return;
    }
    const place = list.findIndex((each) => (each.target !== undefined ? each.target === work.selected : each === work.proposals.chosen));
    const next = list[(place < 0 ? (step > 0 ? 0 : list.length - 1) : place + step + list.length) % list.length];
    if (!viewer.isFitted) viewer.centre(next.point[0], next.point[1]);
    if (next.target === undefined) work.proposals.choose(next);
    else work.select(next.target);
  };

  const level = (by) => () => {
    if (work.paint.isOn) {
      shell.say(t.say.brush(work.paint.resize(-Math.sign(by))));
      return;
    }
    const target = selected();
    if (target) work.changeLevel(target, by);
    else shell.note(t.note.selectFirst);
  };

  const ring = (by) => () => {
    const target = selected();
    if (!target) shell.note(t.note.selectFirst);
    else if (Math.abs((target.ring ?? 0) + by) <= 3) work.set(target.target, { ring: (target.ring ?? 0) + by });
  };

  const frameState = (state) => () => {
    const { frame } = work;
    if (!frame) return;
    const next = frame.state === state ? "open" : state;
    if (next === "empty" && frame.targets.size) {
      shell.note(t.note.notEmpty);
      return;
    }
    if (page.edit(frame, { op: "frame", state: next })) shell.say(t.frameState[next]);
  };

  const zoom = (steps) => () => {
    const { cursor } = viewer;
    const about = cursor
      ? { x: viewer.view.x + (cursor.col + 0.5) * viewer.view.scale, y: viewer.view.y + (cursor.row + 0.5) * viewer.view.scale }
      : viewer.pointer ? { x: viewer.pointer.x * viewer.ratio, y: viewer.pointer.y * viewer.ratio } : undefined;
    viewer.zoom(steps, about);
  };

  const setLabel = (place) => () => {
    const labels = page.session.labels ?? [];
    if (place > labels.length) shell.note(t.note.noLabel(place));
    else work.editTarget({ op: "set", label: place ? labels[place - 1] : null });
  };

  const setting = (name) => ({
    begin() {
      work[name] = true;
    },
    end() {
      work[name] = false;
    },
  });

  const actions = {
    next: (isHeld) => work.walk.go(1, "any", isHeld),
    previous: (isHeld) => work.walk.go(-1, "any", isHeld),
    nextUnmarked: () => work.walk.go(1, "unmarked"),
    previousUnmarked: () => work.walk.go(-1, "unmarked"),
    first: () => work.walk.toEnd(-1),
    last: () => work.walk.toEnd(1),
    goTo: () => {
      work.fold("left", false);
      work.find.focus();
    },
    review: () => shell.go("#/review"),
    noTarget: frameState("empty"),
    unfinished: frameState("unfinished"),

    click: () => {
      if (!viewer.cursor) move(0, 0)();
      else if (work.paint.isOn) work.paint.single(viewer.cursor, false);
      else work.clickAt(viewer.cursor, false);
    },
    nextTarget: walk(1),
    previousTarget: walk(-1),
    up: move(-1, 0),
    down: move(1, 0),
    left: move(0, -1),
    right: move(0, 1),
    farUp: move(-FAR, 0),
    farDown: move(FAR, 0),
    farLeft: move(0, -FAR),
    farRight: move(0, FAR),
    remove: () => {
      if (work.paint.isOn && viewer.cursor) work.paint.single(viewer.cursor, true);
      else if (work.selected !== null) work.remove(work.selected);
      else if (work.proposals.here) work.proposals.refuse(work.proposals.here);
      else shell.note(t.note.selectFirst);
    },
    leave: () => {
      if (work.why.step !== "off") work.why.leave();
      else if (work.paint.isOn) work.setPainting(false);
      else if (work.selected !== null) work.select(null);
      else if (viewer.cursor) {
        viewer.cursor = null;
        viewer.refreshMarks();
      } else viewer.fit();
    },

    grow: level(-STEP),
    shrink: level(STEP),
    growMuch: level(-MUCH),
    shrinkMuch: level(MUCH),
    own: () => work.editTarget({ op: "set", level: null }),
    ringOut: ring(1),
    ringIn: ring(-1),
    polarity: () => {
      const target = selected();
      if (!target) shell.note(t.note.selectFirst);
      else {
        const others = POLARITIES.slice(1);
        const now = target.polarity ?? page.session.polarity;
        work.set(target.target, { polarity: others[(others.indexOf(now) + 1) % others.length] });
      }
    },
    unsure: () => {
      const target = selected();
      if (target) work.set(target.target, { verdict: target.verdict === "unsure" ? null : "unsure" });
      else shell.note(t.note.selectFirst);
    },
    accept: () => work.proposals.accept(),
    paint: () => work.setPainting(!work.paint.isOn),
    ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`label${i}`, setLabel(i)])),

    undo: () => page.step("undo"),
    redo: () => page.step("redo"),
    saved: () => shell.note(page.saving === "saved" ? t.note.saved(page.seq) : t.note.notSavedYet(page.outbox.length)),

    fit: () => viewer.fit(),
    oneToOne: () => viewer.scaleTo(1),
    zoomIn: zoom(1),
    zoomOut: zoom(-1),
    preset: () => shell.note(t.note.preset(work.windows.cycle(1))),
    previousPreset: () => shell.note(t.note.preset(work.windows.cycle(-1))),
    lock: () => {
      work.windows.setLocked(!settings.locked);
      shell.note(settings.locked ? t.note.locked : t.note.unlocked);
    },
    invert: () => work.windows.setInverted(!settings.inverted),
    colours: () => work.windows.nextPalette(),
    overlay: () => {
      const overlay = OVERLAYS[(OVERLAYS.indexOf(settings.overlay) + 1) % OVERLAYS.length];
      change({ overlay });
      viewer.mode = overlay;
      shell.note(t.note.overlay[overlay]);
      viewer.refreshMarks();
    },
    hideAll: () => {
      work.hidden = !work.hidden;
      viewer.isBare = work.hidden;
      shell.note(work.hidden ? t.note.hidden : t.note.visible);
      viewer.refreshMarks();
    },
    flat: () => work.flat.toggle(),
    why: () => work.nextWhy(),
    leftPanel: () => work.toggle("left"),
    rightPanel: () => work.toggle("right"),

    hide: {
      begin() {
        viewer.isBare = true;
        viewer.refreshMarks();
      },
      end() {
        viewer.isBare = work.hidden === true;
        viewer.refreshMarks();
      },
    },
    blinkPrevious: { begin: () => work.strip.blink(viewer, -1, (entry) => work.flat.look(entry)), end: () => work.strip.unblink(viewer) },
    blinkNext: { begin: () => work.strip.blink(viewer, 1, (entry) => work.flat.look(entry)), end: () => work.strip.unblink(viewer) },
    panHeld: setting("panHeld"),
    superpixel: {
      begin() {
        work.paint.bySuperpixel = true;
      },
      end() {
        work.paint.bySuperpixel = false;
      },
    },

    track: () => work.frame && work.track.start(work.frame),
    nextMark: () => work.strip.nextMark() || shell.note(t.note.noMarks),
    help: () => shell.help(),
  };
  return actions;
}
