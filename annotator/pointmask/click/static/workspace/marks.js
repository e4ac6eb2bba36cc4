/** What of a frame is drawn over it: targets, proposals, clicks that were not answered yet. */

/**
 * @param {import("../model/frames.js").Frame} frame @param {number | string | null} selected
 * @param {any} [chosenProposal]
 * @returns {import("../view/overlay.js").Mark[]}
 */
export function marksOf(frame, selected, chosenProposal = null) {
  const chosen = typeof selected === "number" ? frame.targets.get(selected) : undefined;
  const marks = frame.list.map((target, i) => ({
    mask: target.shape,
    point: target.point,
    centre: target.centre,
    kind: target.made === "carried" ? "carried" : "given",
    text: target.label ? `${i + 1} ${target.label}` : String(i + 1),
    selected: target === chosen,
    dashed: Boolean(chosen) && target !== chosen && meet(chosen.box, target.box),
  }));
  for (const proposal of frame.open) {
    marks.push({
      mask: proposal.shape, point: proposal.point, centre: null, kind: "proposal",
      text: proposal.score === null ? "" : proposal.score.toFixed(2), selected: proposal === chosenProposal, dashed: true,
    });
  }
  for (const [edit, { row, col, mask = null }] of frame.pending) {
    marks.push({ mask, point: [row, col], centre: null, kind: "pending", text: "", selected: edit === selected, dashed: false });
  }
  return /** @type {any} */ (marks);
}

/** Whether two boxes touch or overlap. */
const meet = (a, b) => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
