/** Proposals of a detector: walked to, accepted with our mask or its own, or refused. */

import { t } from "../texts.js";
import { covers } from "../view/bits.js";

const NEAR = 3; // px around a proposal's point within which the pointer means it

export class Proposals {
  /** @param {import("./workspace.js").Workspace} work */
  constructor(work) {
    this.work = work;
    /** @type {any} one that was walked to */ this.chosen = null;
  }

  /** Those of the frame that nobody has judged. */
  get open() {
    return this.work.frame?.open ?? [];
  }

  /** @param {{row: number, col: number}} pixel @returns {any} the proposal that is meant by a place */
  at({ row, col }) {
    const isNear = ({ point }) => Math.max(Math.abs(point[0] - row), Math.abs(point[1] - col)) <= NEAR;
    return this.open.find((each) => (each.shape && covers(each.shape, row, col)) || isNear(each));
  }

  /** The one that was walked to, else the one at the cursor or pointer. */
  get here() {
    const pixel = this.work.viewer.cursor ?? this.work.viewer.hovered;
    return this.open.includes(this.chosen) ? this.chosen : pixel && this.at(pixel);
  }

  /**
   * It becomes a target with our mask; a target that was one gets the detector's. Where none is left, the next
   * image with some is opened, so that one key goes through all of them.
   */
  accept() {
    const { frame, page, selected, shell } = this.work;
    const made = frame?.targets.get(/** @type {any} */ (selected));
    const isOurs = made && made.made !== "predicted";
    const theirs = isOurs && frame?.proposals.find(({ point, shape }) => shape && point.join() === made.point.join());
    const proposal = theirs || this.here || this.open[0];
    if (!frame?.facts?.proposals) shell.note(t.note.noProposal);
    else if (!proposal) this.work.walk.go(1, "proposed");
    else page.edit(frame, { op: "accept", proposal: proposal.proposal, mask: theirs ? "theirs" : "ours" });
  }

  /** @param {any} proposal  that is walked to */
  choose(proposal) {
    this.work.select(null);
    this.chosen = proposal;
    this.work.viewer.reveal(proposal.point[0], proposal.point[1]);
    this.work.refreshMarks();
    this.work.shell.say(t.say.proposal(proposal));
  }

  /** Remembered, so that it does not come back. @param {any} proposal */
  refuse(proposal) {
    const { frame, page, shell } = this.work;
    if (frame && page.edit(frame, { op: "refuse", proposal: proposal.proposal })) shell.say(t.say.refused);
  }
}
