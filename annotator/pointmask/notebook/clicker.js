import { covers, unpacked } from "./view/bits.js";
import { windowOf, valueOf } from "./view/levels.js";
import { Picture } from "./view/picture.js";
import { Viewer } from "./view/viewer.js";
import { listen } from "./view/gestures.js";

const HELP =
  "Click adds a target, right click removes it. Wheel zooms, drag pans, right drag turns the contrast. " +
  "Selected: arrows move it, Delete removes it. R fits the image, plus and minus zoom.";

const NEAR = 12; // CSS px around a point within which it is meant

const same = (a, b) => a[0] === b[0] && a[1] === b[1];

function render({ model, el }) {
  const root = document.createElement("div");
  const stage = document.createElement("div");
  const line = document.createElement("div");
  const [place, said] = [document.createElement("span"), document.createElement("span")];
  root.className = "pointmask-clicker";
  stage.className = "stage";
  line.className = "line";
  said.className = "said";
  said.setAttribute("role", "status");
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-label", "Image. " + HELP);
  line.append(place, said);
  root.append(stage, line);
  el.append(root);

  const frame = model.get("frame");
  stage.style.height = `${frame.shown_height}px`;
  const { width, height, code, polarity } = frame;
  const bytes = model.get("samples");
  const octets = new Uint8Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const data = code.type === "u8" ? octets : new Uint16Array(octets.buffer);
  const picture = new Picture({ width, height, code, plane: { data, width, height }, polarity });
  const viewer = new Viewer(stage);
  let levels = windowOf(frame.window[0], frame.window[1]);
  let selected = -1;
  let points = model.get("points").map(([row, col]) => [row, col]);
  let shapes = [];

  // A target's mask belongs to its point: one that is not answered yet, or was moved, is drawn without.
  const marks = () => points.map((point, k) => {
    const target = shapes.find((one) => same(one.point, point));
    return {
      mask: target?.shape ?? null, point, kind: target ? "given" : "pending", selected: k === selected,
      text: String(k + 1),
    };
  });
  const draw = () => {
    viewer.marks = marks();
    viewer.refreshMarks();
  };
  const tell = (k) => {
    const target = shapes.find((one) => points[k] && same(one.point, points[k]));
    said.textContent = target
      ? `target ${k + 1} at x ${target.point[1]}, y ${target.point[0]}, ${target.area} pixels, confidence ` +
        `${target.confidence.toFixed(2)}${target.flags.length ? ", " + target.flags.join(", ") : ""}`
      : HELP;
  };
  const takeTargets = () => {
    shapes = model.get("targets").map((target) => ({ ...target, shape: unpacked(target.mask) }));
    draw();
    tell(selected);
  };
  const takePoints = () => {
    points = model.get("points").map(([row, col]) => [row, col]);
    selected = Math.min(selected, points.length - 1);
    draw();
  };
  const send = (isLast = true) => {
    draw();
    if (!isLast) return;
    model.set("points", points.map((point) => [...point]));
    model.save_changes();
  };

  const targetAt = ({ row, col }) => {
    const within = shapes.findIndex((one) => covers(one.shape, row, col));
    if (within >= 0) return points.findIndex((point) => same(point, shapes[within].point));
    const reach = (NEAR * viewer.ratio) / viewer.view.scale;
    const distances = points.map(([r, c]) => Math.hypot(r - row, c - col));
    const nearest = distances.indexOf(Math.min(...distances));
    return nearest >= 0 && distances[nearest] <= Math.max(reach, 0.5) ? nearest : -1;
  };
  const remove = (k) => {
    if (k < 0) return;
    points = points.filter((_, other) => other !== k);
    selected = -1;
    send();
    tell(-1);
  };
  const moveTo = (k, row, col, isLast) => {
    if (points.some((point, other) => other !== k && same(point, [row, col]))) return;
    points = points.map((point, other) => (other === k ? [row, col] : point));
    send(isLast);
  };

  let grabbed = -1;
  let before = null;
  let turned = null;
  const stop = listen(viewer, {
    begin: () => { turned = levels; before = points; },
    hover: (pixel) => {
      viewer.hovered = pixel;
      viewer.refreshMarks();
      const value = pixel && picture.value(pixel.row, pixel.col);
      place.textContent = pixel ? `x ${pixel.col}  y ${pixel.row}  value ${Number(value.toPrecision(7))}` : "";
    },
    leave: () => { viewer.hovered = null; viewer.refreshMarks(); place.textContent = ""; },
    click: (pixel, event) => {
      const there = event.shiftKey ? -1 : targetAt(pixel);
      const taken = points.findIndex((point) => same(point, [pixel.row, pixel.col]));
      selected = Math.max(there, taken);
      if (selected < 0) {
        points = [...points, [pixel.row, pixel.col]];
        selected = points.length - 1;
        send();
      } else draw();
      tell(selected);
    },
    remove: (pixel) => remove(targetAt(pixel)),
    grabs: (event) => {
      const pixel = viewer.pixelOf(event);
      grabbed = pixel ? points.findIndex(([row, col]) => Math.max(Math.abs(row - pixel.row), Math.abs(col - pixel.col)) <= Math.max(0, 4 / viewer.view.scale)) : -1;
      return grabbed >= 0;
    },
    move: ({ row, col }, isLast) => { selected = grabbed; moveTo(grabbed, row, col, isLast); },
    release: () => { points = before; draw(); },
    window: (dx, dy) => {
      const span = turned.high - turned.low;
      const middle = (turned.high + turned.low) / 2 + (dy / 200) * span;
      const half = (span / 2) * Math.exp(dx / 150);
      levels = windowOf(middle - half, middle + half);
      viewer.setWindow(levels, "grey");
    },
    level: () => {},
    paints: () => false,
    stroke: () => {},
    panHeld: () => false,
  });

  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step && selected >= 0) {
      const [row, col] = points[selected];
      const [r, c] = [row + step[0], col + step[1]];
      if (picture.holds(r, c)) moveTo(selected, r, c, true);
    } else if (event.key === "Delete" || event.key === "Backspace") remove(selected);
    else if (event.key === "Escape") { selected = -1; draw(); tell(-1); }
    else if (event.key === "+" || event.key === "=") viewer.zoom(1);
    else if (event.key === "-") viewer.zoom(-1);
    else if (event.key.toLowerCase() === "r") viewer.fit();
    else return;
    // A notebook has commands of its own on these keys.
    event.preventDefault();
    event.stopPropagation();
  });

  const complain = () => { if (model.get("problem")) said.textContent = model.get("problem"); };
  model.on("change:targets", takeTargets);
  model.on("change:points", takePoints);
  model.on("change:problem", complain);
  viewer.show(picture, false);
  viewer.setWindow(levels, "grey");
  takeTargets();
  tell(-1);
  return () => {
    model.off("change:targets", takeTargets);
    model.off("change:points", takePoints);
    model.off("change:problem", complain);
    stop();
    viewer.close();
  };
}

export default { render };
