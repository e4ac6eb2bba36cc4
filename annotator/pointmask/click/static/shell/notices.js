/** What the page tells: a red bar while something is not saved, short notes, and questions that wait. */

import { fill, h } from "../dom.js";
import { t } from "../texts.js";

const SHORT = 3500; // ms

export class Notices {
  /** @param {import("../model/page.js").Page} page @param {() => void} askToken */
  constructor(page, askToken) {
    this.page = page;
    this.askToken = askToken;
    this.isLeaving = false; // to begin anew
    this.bar = h("div.alarm", { role: "alert", hidden: true });
    this.waiting = h("div.warming", { role: "status", hidden: true });
    this.notes = h("div.notes-box", {});
    this.live = h("p.unseen", { role: "status", "aria-live": "polite" });
    this.element = h("section.notices", { "aria-label": t.messages }, this.bar, this.waiting, this.notes, this.live);
    page.addEventListener("saving", () => this.tellBar());
    page.addEventListener("session", () => this.tellWarming());
    page.addEventListener("notice", (event) => this.notice(/** @type {CustomEvent} */ (event).detail));
    window.addEventListener("beforeunload", (event) => {
      if (page.outbox.length && !this.isLeaving) event.preventDefault();
    });
    this.tellWarming();
  }

  /** For readers of the screen only. @param {string} text */
  say(text) {
    this.live.textContent = text;
  }

  tellBar() {
    const { outbox, isGone } = this.page;
    // While kernels are compiled, edits wait as well; the line about that says so.
    const problem = outbox.problem?.status === 503 && !this.page.session.warm ? null : outbox.problem;
    const needsToken = problem?.status === 401;
    const text = problem ? (needsToken ? t.bar.token(outbox.length) : problem.status === 0 ? t.bar.gone(outbox.length) : t.bar.notSaved(outbox.length, problem.message)) : isGone ? t.bar.gone(0) : "";
    this.bar.hidden = !text;
    if (this.bar.dataset.text === text) return;
    this.bar.dataset.text = text;
    fill(this.bar, h("span", {}, text), problem?.fix ? h("span.fix", {}, problem.fix) : null,
      needsToken ? h("button", { type: "button", onclick: this.askToken }, t.bar.giveToken) : h("button", { type: "button", onclick: () => this.page.pollSoon(0) }, t.bar.again));
  }

  tellWarming() {
    const { warm } = this.page.session;
    this.waiting.hidden = warm;
    this.waiting.textContent = warm ? "" : t.bar.warming;
  }

  /** @param {string} text @param {number} [lasting]  ms */
  note(text, lasting = SHORT) {
    const note = h("div.note-box", { role: "status" }, text);
    this.notes.replaceChildren(...[...this.notes.children].filter((old) => old.classList.contains("question")).slice(-3), note);
    setTimeout(() => note.remove(), lasting);
  }

  /** @param {string} text @param {[string, () => void][]} answers */
  ask(text, answers) {
    const box = h("div.note-box.question", { role: "alertdialog", "aria-label": text }, h("span", {}, text),
      answers.map(([label, action]) => h("button", { type: "button", onclick: () => { box.remove(); action(); } }, label)));
    this.notes.append(box);
  }

  notice({ kind, item, error, frame }) {
    if (kind === "conflict") {
      const { base, edit, ...body } = item.body;
      const again = () => {
        const present = this.page.frames.peek(body.image, body.frame);
        const { image, frame: number, content, ...fields } = body;
        if (present) this.page.edit(present, fields);
      };
      this.ask(t.note.conflict(item.name), [[t.note.doItAnyway, again], [t.note.leaveIt, () => {}]]);
    } else if (kind === "refused") this.note([error.message, error.fix].filter(Boolean).join(" — "), 8000);
    else if (kind === "otherTab") this.note(t.note.otherTab(frame.name));
    else if (kind === "version") this.ask(t.note.version, [[t.note.reload, () => location.reload()]]);
    else if (kind === "token") this.askToken();
    else this.note(t.note[kind] ?? kind);
  }
}
