/** Dialogs: all keys with a search, and the settings. The list is the key table itself, so it cannot be wrong. */

import { h } from "../dom.js";
import { BINDINGS, codeOf, keyText, pressed, readLayout } from "../keys.js";
import { change, settings } from "../model/settings.js";
import { t } from "../texts.js";

/** @param {string} title @param {...any} content @returns {HTMLDialogElement} shown; gone when it is closed */
function dialog(title, ...content) {
  const before = document.activeElement;
  const element = h("dialog", { "aria-labelledby": "dialog-title", onclose: () => {
    element.remove();
    if (before instanceof HTMLElement) before.focus();
  } },
    h("div.dialog-head", {}, h("h2", { id: "dialog-title" }, title), h("button.quiet", { type: "button", "aria-label": t.close, onclick: () => element.close() }, "×")),
    h("div.dialog-body", { tabIndex: 0, role: "region", "aria-label": title }, ...content));
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  document.body.append(element);
  element.showModal();
  return element;
}

export async function showHelp() {
  if (document.querySelector("dialog[open]")) return;
  await readLayout();
  const groups = Map.groupBy ? Map.groupBy(BINDINGS, (b) => b.group) : grouped();
  const field = h("input", { type: "search", placeholder: t.help.search, "aria-label": t.help.search, oninput: () => filter() });
  const sections = [...groups].map(([name, bindings]) => h("section", {}, h("h3", {}, name), h("dl", {}, rowsOf(bindings))));
  const note = h("p.hint", {}, t.help.mouse.map((line) => h("span.line", {}, line)));
  const element = dialog(t.help.title, field, h("div.keys", {}, sections), h("section", {}, h("h3", {}, t.help.mouseTitle), note));
  element.classList.add("help");
  field.focus();

  function filter() {
    const wanted = field.value.trim().toLowerCase();
    for (const row of element.querySelectorAll("dl > div")) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    for (const section of sections) section.hidden = ![...section.querySelectorAll("dl > div")].some((row) => !row.hidden);
  }
}

function grouped() {
  const groups = new Map();
  for (const binding of BINDINGS) groups.set(binding.group, [...(groups.get(binding.group) ?? []), binding]);
  return groups;
}

/** One row per action, with all its keys. */
function rowsOf(bindings) {
  const actions = new Map();
  for (const binding of bindings) actions.set(binding.action, [...(actions.get(binding.action) ?? []), binding]);
  return [...actions.values()].map((same) => {
    const codes = same.map(codeOf).filter((code) => code !== null);
    const keys = codes.map((code) => h("kbd", { data: { code } }, keyText(code)));
    return h("div", {}, h("dt", {}, keys.length ? keys : t.help.off), h("dd", {}, same[0].text));
  });
}

export async function showSettings() {
  if (document.querySelector("dialog[open]")) return;
  await readLayout();
  const check = (name, text) => h("label.check", {}, h("input", { type: "checkbox", checked: settings[name], onchange: (event) => change({ [name]: event.target.checked }) }), text);
  const preview = h("select", { onchange: () => change({ preview: preview.value }) }, ["auto", "on", "off"].map((value) => h("option", { value, selected: settings.preview === value }, t.settings.previews[value])));
  const note = h("p.hint", { role: "status" });
  const rows = BINDINGS.map((binding) => {
    const name = `${binding.action}/${binding.code}`;
    const code = () => codeOf(binding);
    const button = h("button.small.key", { type: "button", onclick: () => {
      button.textContent = t.settings.press;
      button.addEventListener("keydown", take, { once: true });
    } }, label());
    function label() {
      const own = code();
      return own === null ? t.help.off : keyText(own);
    }
    function take(event) {
      if (["Tab", "ShiftLeft", "ShiftRight", "ControlLeft", "ControlRight"].includes(event.code)) return;
      event.preventDefault();
      event.stopPropagation();
      const wanted = event.code === "Escape" ? undefined : event.code === "Delete" && binding.code !== "Delete" ? null : pressed(event);
      const taken = wanted && BINDINGS.find((b) => b !== binding && codeOf(b) === wanted && b.where.some((w) => binding.where.includes(w)));
      if (taken) note.textContent = t.settings.taken(keyText(wanted), taken.text);
      else {
        const keys = { ...settings.keys };
        if (wanted === undefined) delete keys[name];
        else keys[name] = wanted;
        change({ keys });
        note.textContent = "";
      }
      button.textContent = label();
    }
    return h("div", {}, h("dt", {}, button), h("dd", {}, binding.text));
  });
  dialog(t.settings.title, h("div.row", {}, h("label", {}, t.settings.preview, " ", preview)), check("retrack", t.settings.retrack), check("letters", t.settings.letters), h("h3", {}, t.settings.keys), h("p.hint", {}, t.settings.keysHelp), note, h("dl.bindings", {}, rows));
}
