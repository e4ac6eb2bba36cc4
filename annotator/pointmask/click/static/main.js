/** Where the page begins: token, session, views by address, keys. Open first. */

import { fill, h } from "./dom.js";
import { bindingOf, isControls, isRepeated, isTyping } from "./keys.js";
import { api, Refused, setToken, takeToken } from "./model/api.js";
import { Page } from "./model/page.js";
import { applyTheme, change, settings } from "./model/settings.js";
import { Head } from "./shell/head.js";
import { Notices } from "./shell/notices.js";
import { t } from "./texts.js";
import { Workspace } from "./workspace/workspace.js";

const root = /** @type {HTMLElement} */ (document.getElementById("page"));

class Shell {
  /** @param {any} session */
  constructor(session) {
    this.page = new Page(session);
    this.head = new Head(this.page, { help: () => this.help(), settings: () => this.settings() });
    this.notices = new Notices(this.page, () => askToken(t.token.changed, (token) => this.startAgain(token)));
    this.workspace = new Workspace(this.page, {
      go,
      say: (text) => this.notices.say(text),
      note: (text) => this.notices.note(text),
      ask: (text, answers) => this.notices.ask(text, answers),
      help: () => this.help(),
      opened: (frame) => this.opened(frame),
    });
    this.views = h("div.view");
    /** @type {any} */ this.view = null;
    /** @type {Record<string, any>} */ this.made = { workspace: this.workspace };
    /** @type {Map<string, any>} */ this.held = new Map();
    this.head.element.prepend(h("button.skip", { type: "button", onclick: () => this.view?.stage?.focus() }, t.skip));
    root.replaceChildren(this.head.element, this.notices.element, this.views);
    window.addEventListener("hashchange", () => this.route());
    document.addEventListener("keydown", (event) => this.keyDown(event));
    document.addEventListener("keyup", (event) => this.keyUp(event));
    window.addEventListener("blur", () => this.releaseKeys());
    this.page.addEventListener("undone", (event) => this.undone(/** @type {CustomEvent} */ (event).detail));
    this.page.addEventListener("session", () => this.sessionChanged());
  }

  async start() {
    await Promise.all([this.workspace.start().catch((error) => this.notices.note(error.message)), this.route()]);
    this.takeOver();
  }

  /** Edits that an earlier page could not send are sent first; those of another folder wait for its server. */
  takeOver() {
    for (const { folder, count } of this.page.outbox.elsewhere()) {
      this.notices.ask(t.note.elsewhere(count, folder), [[t.note.understood, () => {}]]);
    }
    const items = this.page.outbox.stored();
    if (!items.length) return;
    this.page.outbox.adopt(items);
    this.notices.note(t.note.tookOver(items.length), 6000);
  }

  /**
   * Another server answers: its images may have other numbers, or be of another folder, so the page begins anew.
   * Edits that wait are in the storage of their folder.
   * @param {string} token
   */
  startAgain(token) {
    this.page.outbox.changed();
    this.notices.isLeaving = this.page.outbox.isStored;
    history.replaceState(null, "", `#token=${token}`);
    location.reload();
  }

  async route() {
    const hash = location.hash || "#/";
    const image = /^#\/i\/(\d+)(?:\/(\d+))?$/.exec(hash);
    if (hash === "#/review" || hash === "#/finish") {
      await this.show(hash.slice(2));
      return;
    }
    await this.show("workspace");
    if (image) await this.workspace.open(Number(image[1]), Number(image[2] ?? 0));
    else await this.first();
  }

  /** Where work stopped, else the first image. */
  async first() {
    const place = await this.whereWorkStopped();
    if (place) history.replaceState(null, "", `#/i/${place.image}/${place.frame}`);
    if (place) await this.workspace.open(place.image, place.frame);
    else this.showEmpty();
  }

  async whereWorkStopped() {
    const last = settings.last[this.page.session.out];
    if (last) {
      const image = await api.numberOf(last.name).catch(() => undefined); // a name may be longer than an address
      if (image !== undefined) return { image, frame: last.frame };
    }
    const image = await firstImage(0);
    return image === null ? null : { image, frame: 0 };
  }

  showEmpty() {
    const { images } = this.page.session;
    fill(this.views, h("main.plain", {}, h("h1", {}, images.complete ? t.empty.title : t.empty.listing), h("p", {}, images.complete ? t.empty.text : ""), images.complete ? h("code", {}, t.empty.command(this.page.session.images.root ?? "FOLDER")) : null));
    this.view = null;
  }

  sessionChanged() {
    const { images } = this.page.session;
    if (!this.view && images.count) this.route();
    else if (this.view === this.workspace) this.workspace.tree.refresh();
  }

  /** @param {string} name */
  async show(name) {
    if (name === "review") this.made.review ??= new (await import("./review/review.js")).Review(this.page, this.forViews());
    if (name === "finish") this.made.finish ??= new (await import("./finish/finish.js")).Finish(this.page, this.forViews());
    const view = this.made[name];
    this.releaseKeys();
    if (this.view !== view) {
      this.view?.leave?.();
      this.view = view;
      fill(this.views, view.element);
    }
    this.head.tellView(name === "workspace" ? "#/" : `#/${name}`);
    if (name === "workspace") view.stage.focus({ preventScroll: true });
    else {
      document.title = `${t.head[name]} · pointmask`;
      await view.open();
    }
  }

  forViews() {
    const openAt = (image, frame, target) => {
      this.workspace.wanted = target;
      go(`#/i/${image}/${frame}`);
    };
    return { go, openAt, say: (text) => this.notices.say(text), note: (text) => this.notices.note(text), help: () => this.help() };
  }

  /** @param {import("./model/frames.js").Frame} frame */
  opened(frame) {
    this.head.show(frame);
    change({ last: { ...settings.last, [this.page.session.out]: { name: frame.name, frame: frame.frame } } });
  }

  undone({ kind, answer }) {
    const words = answer.words?.length ? answer.words.join(", ") : "";
    if (!answer.frames.length) {
      this.notices.note(kind === "undo" ? t.note.nothingToUndo : t.note.nothingToRedo);
      return;
    }
    this.notices.note(kind === "undo" ? t.note.undone(words) : t.note.redone(words));
    const [{ image, frame }] = answer.frames;
    const shown = this.workspace.frame;
    if (this.view === this.workspace && (shown?.image !== image || shown.frame !== frame)) go(`#/i/${image}/${frame}`);
  }

  async help() {
    (await import("./shell/help.js")).showHelp();
  }

  async settings() {
    (await import("./shell/help.js")).showSettings();
  }

  /** @param {KeyboardEvent} event */
  keyDown(event) {
    const where = this.view === this.workspace ? "workspace" : "review";
    if (!this.view?.actions) return;
    const binding = bindingOf(event, where);
    if (!binding) return;
    const isSave = binding.action === "saved";
    if (isTyping(event.target) && !isSave) return;
    if (isControls(event)) return;
    const action = this.view.actions[binding.action];
    if (!action) return;
    event.preventDefault();
    if (isRepeated(binding, event)) return;
    if (typeof action === "function") action(event.repeat);
    else if (!this.held.has(event.code)) {
      this.held.set(event.code, action);
      action.begin();
    }
  }

  /** @param {KeyboardEvent} event */
  keyUp(event) {
    this.held.get(event.code)?.end();
    this.held.delete(event.code);
  }

  releaseKeys() {
    for (const action of this.held.values()) action.end();
    this.held.clear();
  }
}

/** The first image in natural order, folders before the images beside them. @param {number} folder */
async function firstImage(folder) {
  const { children } = await api.tree(folder);
  for (const child of children) {
    const image = child.images ? await firstImage(child.number) : null;
    if (image !== null) return image;
  }
  const { rows } = await api.images(folder, 0, 1);
  return rows[0]?.id ?? null;
}

/** @param {string} hash */
function go(hash) {
  if (location.hash !== hash) location.hash = hash;
}

/** @param {string} text @param {(token: string) => void} then */
function askToken(text, then) {
  if (document.querySelector("dialog[open]")) return;
  const field = h("input", { type: "text", autocomplete: "off", spellcheck: false, "aria-label": t.token.field, placeholder: t.token.placeholder });
  const form = h("form", { onsubmit: (event) => {
    event.preventDefault();
    const given = /(?:token=)?([\w-]{20,})\s*$/.exec(field.value.trim());
    if (!given) {
      note.textContent = t.token.wrong;
      return;
    }
    dialog.close();
    then(given[1]);
  } }, h("h2", { id: "token-title" }, t.token.title), h("p", {}, text), field);
  const note = h("p.hint", { role: "alert" });
  form.append(note, h("button.primary", { type: "submit" }, t.token.go));
  const dialog = h("dialog.token", { "aria-labelledby": "token-title", onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
}

async function boot() {
  applyTheme();
  takeToken();
  document.getElementById("plain")?.remove();
  root.replaceChildren(h("p.plain", { role: "status" }, t.starting));
  try {
    const session = await api.session();
    const shell = new Shell(session);
    await shell.start();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    root.replaceChildren(h("main.plain", {}, h("h1", {}, "pointmask"), h("p", { role: "alert" }, error.status === 401 ? t.token.missing : error.message), error.fix && error.status !== 401 ? h("p", {}, error.fix) : null, h("button", { type: "button", onclick: boot }, t.bar.again)));
    if (error.status !== 401) return;
    askToken(t.token.missing, (token) => {
      setToken(token);
      boot();
    });
  }
}

// What an older browser lacks is looked for before anything is shown; the shell's own sentence then stays.
const isRecent =
  typeof ResizeObserver === "function" &&
  typeof AbortSignal.timeout === "function" &&
  "showModal" in HTMLDialogElement.prototype &&
  CSS.supports("color", "light-dark(#000, #fff)");
if (isRecent) boot();
