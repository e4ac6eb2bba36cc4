/** What is there, what is missing, publish, calibrate, and the commands that come next. */

import { count, fill, h } from "../dom.js";
import { api, Refused } from "../model/api.js";
import { follow, isOver } from "../model/jobs.js";
import { t } from "../texts.js";
import { Calibrate } from "./calibrate.js";
import { Style } from "./style.js";

export class Finish {
  /** @param {import("../model/page.js").Page} page @param {any} shell */
  constructor(page, shell) {
    this.page = page;
    this.shell = shell;
    this.numbers = h("dl.numbers");
    this.missing = h("ul.missing");
    this.job = h("div.job", { "aria-live": "polite" });
    this.publish = h("button.primary", { type: "button", disabled: page.readOnly, onclick: () => this.run("publish") }, t.finish.publish);
    this.commands = h("div.commands");
    this.element = h("main.finish", { tabIndex: -1 }, h("div.finish-body", {},
      h("h1", {}, t.finish.title), this.numbers, this.missing,
      h("section", {}, h("h2", {}, t.finish.publishTitle), h("p", {}, t.finish.publishText), this.publish, this.job),
      new Style(page, () => this.refresh()).element,
      new Calibrate(page, shell, () => this.refresh()).element,
      h("section", {}, h("h2", {}, t.finish.nextTitle), h("p", {}, t.finish.nextText), this.commands)));
    this.actions = { help: () => shell.help(), undo: () => page.step("undo"), redo: () => page.step("redo"), saved: () => shell.note(page.saving === "saved" ? t.note.saved(page.seq) : t.note.notSavedYet(page.outbox.length)) };
  }

  async open() {
    this.element.focus({ preventScroll: true });
    this.tellCommands();
    await this.refresh();
  }

  async refresh() {
    let summary;
    try {
      summary = await api.summary();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.shell.note(error.message);
      return;
    }
    const tile = (name) => h("div", {}, h("dt", {}, t.finish.numbers[name]), h("dd", {}, count(summary[name])));
    this.numbers.replaceChildren(...["images", "marked", "empty", "todo", "unfinished", "unsure", "targets", "by_hand"].map(tile));
    this.missing.replaceChildren(...t.finish.sizes(summary.sizes).map((line) => h("li", {}, line)),
      ...(summary.unmade ? [h("li", {}, t.finish.unmade(summary.unmade))] : []),
      ...(summary.unreadable ? [h("li", {}, t.finish.unreadable(summary.unreadable))] : []));
  }

  tellCommands() {
    const { out, images } = this.page.session;
    const quoted = (path) => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
    const lines = t.finish.commands(quoted(out), quoted(images.root || "IMAGES"));
    fill(this.commands, ...lines.map((line) => {
      const button = h("button", { type: "button", "aria-label": t.finish.copyThis(line), onclick: () => this.copy(line, button) }, t.finish.copy);
      return h("div.command", {}, h("code", { tabIndex: 0 }, line), button);
    }));
  }

  /** @param {string} line @param {HTMLElement} button */
  async copy(line, button) {
    try {
      await navigator.clipboard.writeText(line);
      button.textContent = t.finish.copied;
    } catch {
      // Without https the clipboard is closed: the line is selected instead.
      const range = document.createRange();
      range.selectNodeContents(/** @type {Node} */ (button.previousElementSibling));
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      this.shell.note(t.finish.selected);
    }
  }

  /** @param {"publish"} kind */
  async run(kind) {
    this.publish.disabled = true;
    try {
      await follow(kind, {}, (state) => tellJob(this.job, state, t.finish.published));
      await this.refresh();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(this.job, h("p", { role: "alert" }, [error.message, error.fix].filter(Boolean).join(" — ")));
    } finally {
      this.publish.disabled = this.page.readOnly;
    }
  }
}

/**
 * How far a job is.
 * @param {HTMLElement} place @param {import("../model/jobs.js").Job} state @param {string} done  said at its end
 */
export function tellJob(place, state, done) {
  if (!isOver(state)) {
    fill(place, h("progress", { max: Math.max(state.total, 1), value: state.total ? state.done : undefined, "aria-label": t.finish.progress }),
      h("p", {}, t.finish.running(state.done, state.total)), h("button", { type: "button", onclick: () => api.cancelJob(state.job) }, t.finish.cancel));
  } else fill(place, h("p", {}, state.state === "cancelled" ? t.finish.cancelled : state.error ?? done));
}
