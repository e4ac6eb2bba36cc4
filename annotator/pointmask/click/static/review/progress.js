/** How far a review is, how fast it goes, and whether it still changes anything. */

const RECENT = 50;
const PAUSE = 120; // s; a longer wait is a break, not work

export class Progress {
  constructor() {
    this.begin = performance.now();
    /** @type {{seconds: number, changed: boolean, confidence: number | null}[]} */ this.verdicts = [];
    this.done = 0;
  }

  /** A target is on the screen. */
  shown() {
    this.begin = performance.now();
  }

  /** @param {boolean} changed @param {number | null} confidence */
  verdict(changed, confidence) {
    this.verdicts.push({ seconds: (performance.now() - this.begin) / 1000, changed, confidence });
    this.done += 1;
  }

  /** @param {number} left  targets without a verdict */
  tell(left) {
    const recent = this.verdicts.slice(-RECENT);
    const times = recent.map((v) => v.seconds).filter((s) => s < PAUSE).sort((a, b) => a - b);
    const each = times.length ? times[times.length >> 1] : null;
    const known = recent.map((v) => v.confidence).filter((c) => c !== null);
    return {
      each,
      secondsLeft: each === null ? null : each * left,
      changed: recent.filter((v) => v.changed).length,
      recent: recent.length,
      from: known.length ? Math.min(.../** @type {number[]} */ (known)) : null,
      to: known.length ? Math.max(.../** @type {number[]} */ (known)) : null,
    };
  }
}
