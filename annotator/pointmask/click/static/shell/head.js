/** The line at the top: which image, how far, whether everything is saved, and the ways to the other views. */

import { count, fill, h, setText } from "../dom.js";
import { change, settings, applyTheme } from "../model/settings.js";
import { t } from "../texts.js";

export class Head {
  /**
   * @param {import("../model/page.js").Page} page
   * @param {{help: () => void, settings: () => void}} doing
   */
  constructor(page, doing) {
    this.page = page;
    this.name = h("h1.name");
    this.place = h("span.place-of");
    this.bar = h("progress.done", { "aria-label": t.head.done });
    this.saving = h("span.saving", { role: "img" });
    this.who = h("bdi.who", { title: t.head.who }, page.session.annotator);
    this.views = h("nav", { "aria-label": t.head.views },
      [["#/", t.head.workspace], ["#/review", t.head.review], ["#/finish", t.head.finish]].map(([href, text]) => h("a", { href }, text)));
    this.themes = h("button.quiet.theme", { type: "button", onclick: () => this.nextTheme() });
    this.element = h("header.top", {},
      h("strong.brand", {}, "pointmask"), this.name, this.place, this.bar, h("span.gap"), this.saving,
      page.readOnly ? h("span.tag.read-only", { title: t.head.readOnlyHelp }, t.head.readOnly) : null, this.who, this.views, this.themes,
      h("button.quiet", { type: "button", "aria-label": t.head.settings, title: t.head.settings, onclick: doing.settings }, h("i.gear", { "aria-hidden": "true" })),
      h("button.quiet", { type: "button", "aria-label": t.head.help, title: t.head.help, onclick: doing.help }, "?"));
    page.addEventListener("saving", () => this.tellSaving());
    page.addEventListener("session", () => this.tellPlace());
    this.tellSaving();
    this.tellTheme();
    /** @type {import("../model/frames.js").Frame | null} */ this.frame = null;
  }

  /** @param {import("../model/frames.js").Frame} frame */
  show(frame) {
    this.frame = frame;
    const parts = frame.name.split("/");
    const file = parts.pop() ?? "";
    const frames = frame.facts?.frames;
    fill(this.name, parts.length ? h("bdi.folder-name", {}, `${parts.join(" / ")} / `) : null, h("bdi.file", { title: frame.name }, file), frames && frames > 1 ? h("span.frame-number", {}, `#${frame.frame}`) : null);
    document.title = `${file} · pointmask`;
    this.tellPlace();
  }

  tellPlace() {
    const { count: images, complete } = this.page.session.images;
    const place = (this.frame?.facts?.place ?? -1) + 1;
    setText(this.place, place ? t.head.place(count(place), count(images), complete) : "");
    this.bar.max = Math.max(images, 1);
    this.bar.value = place;
  }

  /** @param {string} view  hash of the view that is shown */
  tellView(view) {
    for (const link of this.views.children) {
      if (link.getAttribute("href") === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.element.classList.toggle("at-image", view === "#/");
  }

  tellSaving() {
    const { saving, outbox, isGone } = this.page;
    const state = isGone && saving !== "failed" ? "gone" : saving;
    this.saving.dataset.state = state;
    const text = t.saving[state](outbox.length);
    setText(this.saving, text);
    this.saving.setAttribute("aria-label", text);
    this.saving.title = t.savingHelp[state];
  }

  nextTheme() {
    const themes = /** @type {const} */ (["system", "light", "dark"]);
    change({ theme: themes[(themes.indexOf(settings.theme) + 1) % themes.length] });
    this.tellTheme();
  }

  tellTheme() {
    applyTheme();
    this.themes.title = t.head.theme[settings.theme];
    this.themes.setAttribute("aria-label", t.head.theme[settings.theme]);
    fill(this.themes, h(`i.theme-${settings.theme}`, { "aria-hidden": "true" }));
  }
}
