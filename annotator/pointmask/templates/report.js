"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const bar = byId("bar"), list = byId("tiles"), zoom = byId("zoom"), stage = byId("stage"), root = document.documentElement;
  const tiles = [...list.children];
  const charts = [...document.querySelectorAll(".chart")];
  const ranges = {confidence: ["from", "to"], area: ["small", "large"]};
  const defaults = {sort: "confidence", view: "all", size: "4", wrong: "", text: "", flag: "", from: "", to: "", small: "", large: ""};
  const collator = new Intl.Collator("en", {numeric: true});
  const orders = {
    confidence: (a, b) => a.dataset.confidence - b.dataset.confidence,
    area: (a, b) => a.dataset.area - b.dataset.area,
    name: (a, b) => collator.compare(a.dataset.name, b.dataset.name),
  };
  const panelNames = {image: "image and point", mask: "mask", soft: "soft label", frame: "frame, enlarged part marked"};
  let visible = tiles, sorted = defaults.sort;

  // The state lives in the address, so that a view can be bookmarked and sent to a colleague.
  const readHash = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const [key, value] of Object.entries(defaults)) {
      bar.elements[key].value = given.get(key) ?? value;
      if (!bar.elements[key].value) bar.elements[key].value = value;
    }
  };
  const readBar = () => Object.fromEntries(Object.keys(defaults).map(key => [key, bar.elements[key].value]));
  const writeHash = () => {
    const changed = Object.entries(readBar()).filter(([key, value]) => value !== defaults[key]);
    history.replaceState(null, "", "#" + new URLSearchParams(changed));
  };

  // At any zoom of the browser, and on any monitor, a pixel of an image is a whole number of device pixels.
  const measure = () => {
    root.style.setProperty("--px", 1 / devicePixelRatio + "px");
    list.style.setProperty("--scale", Math.max(1, Math.round(Number(bar.elements.size.value) * devicePixelRatio)));
  };
  const watch = () => {
    measure();
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", watch, {once: true});
  };

  // Of a random sample: the share of wrong masks with its 95 % interval, by Wilson's formula.
  const boxOf = tile => tile.querySelector(".ask input");
  const judge = () => {
    const said = byId("judged");
    if (!said) return;
    const wrong = new Set(bar.elements.wrong.value.split(".").filter(Boolean));
    for (const tile of tiles) boxOf(tile).checked = wrong.has(tile.dataset.rank);
    const n = tiles.length, k = tiles.filter(tile => boxOf(tile).checked).length, z2 = 1.96 ** 2;
    const middle = (k + z2 / 2) / (n + z2), half = Math.sqrt(z2 * (k * (n - k) / n + z2 / 4)) / (n + z2);
    const percent = share => (100 * Math.min(1, Math.max(0, share))).toFixed(1);
    said.textContent = `${k} of ${n} wrong: ${percent(k / n)} %, 95 % interval ${percent(middle - half)} to ${percent(middle + half)} % of all targets.`;
  };
  const within = (value, low, high) => (low === "" || value >= Number(low)) && (high === "" || value <= Number(high));
  const apply = () => {
    const state = readBar();
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = tile => {
      const text = words.length ? tile.querySelector(".caption").textContent.toLowerCase() : "";
      return words.every(word => text.includes(word))
        && (!state.flag || tile.dataset.flags.split(" ").includes(state.flag))
        && Object.entries(ranges).every(([key, [low, high]]) => within(Number(tile.dataset[key]), state[low], state[high]));
    };
    if (state.sort !== sorted) {
      const sign = state.sort.startsWith("-") ? -1 : 1;
      const order = orders[state.sort.replace("-", "")];
      tiles.sort((a, b) => sign * order(a, b) || a.dataset.rank - b.dataset.rank);
      list.append(...tiles);
      sorted = state.sort;
    }
    visible = tiles.filter(fits);
    const kept = new Set(visible);
    for (const tile of tiles) tile.hidden = !kept.has(tile);
    document.body.dataset.view = state.view;
    for (const chart of charts) {
      const [low, high] = ranges[chart.dataset.field].map(name => state[name]);
      for (const button of chart.querySelectorAll("button")) {
        const chosen = (low !== "" || high !== "") && within(Number(button.dataset.low), low, high) && within(Number(button.dataset.high), low, high);
        button.setAttribute("aria-pressed", chosen);
      }
    }
    byId("count").textContent = visible.length === tiles.length ? "" : visible.length.toLocaleString("en") + " of " + tiles.length.toLocaleString("en") + " shown";
    byId("none").hidden = visible.length > 0 || tiles.length === 0;
    rove(visible[0]);
    judge();
  };

  // One tile at a time is in the order of the tab key; keys walk from it to the others.
  let entry = null;
  const opener = tile => tile.querySelector(".panels");
  const rove = tile => {
    if (entry) opener(entry).tabIndex = -1;
    entry = tile ?? null;
    if (entry) opener(entry).tabIndex = 0;
  };
  const columns = () => getComputedStyle(list).gridTemplateColumns.split(" ").length;
  const moves = {
    ArrowRight: at => at + 1, ArrowLeft: at => at - 1, j: at => at + 1, k: at => at - 1,
    ArrowDown: at => at + columns(), ArrowUp: at => at - columns(), Home: () => 0, End: () => visible.length - 1,
  };
  const reach = index => {
    const tile = visible[Math.max(0, Math.min(visible.length - 1, index))];
    if (!tile) return;
    rove(tile);
    opener(tile).focus();
    tile.scrollIntoView({block: "nearest"});
  };
  const hasModifier = event => event.ctrlKey || event.altKey || event.metaKey;
  const keyOf = event => event.key.length === 1 ? event.key.toLowerCase() : event.key;
  document.addEventListener("keydown", event => {
    const move = moves[keyOf(event)];
    if (!move || zoom.open || hasModifier(event)) return;
    const tile = event.target.closest(".tile");
    // Elsewhere on the page, arrows and Home scroll, and letters in a field are text.
    if (!tile && (event.key.length > 1 || event.target.closest("input, select, textarea"))) return;
    event.preventDefault();
    reach(tile ? move(visible.indexOf(tile)) : visible.indexOf(entry));
  });
  list.addEventListener("focusin", event => rove(event.target.closest(".tile")));

  const figure = svg => {
    const made = document.createElement("figure"), words = document.createElement("figcaption");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", panelNames[svg.classList[0]]);
    svg.removeAttribute("aria-hidden");
    words.textContent = panelNames[svg.classList[0]];
    words.setAttribute("aria-hidden", "true");
    made.append(svg, words);
    return made;
  };
  // The largest whole scale at which four pictures fit into the window, in a row or two by two.
  const fit = () => {
    const width = innerWidth * 0.99 - 6, height = innerHeight * 0.98 - 150;
    const [scale, across] = [4, 2, 1].map(n => {
      const room = Math.min((width - 2 * n) / n, n === 1 ? Infinity : (height - 26 * 4 / n) / (4 / n));
      return [Math.floor(room * devicePixelRatio / 33), n];
    }).reduce((best, next) => next[0] > best[0] && (next[1] > 1 || best[0] < 4) ? next : best);
    zoom.style.setProperty("--scale", Math.max(1, scale));
    zoom.style.setProperty("--columns", across);
  };
  let current = 0;
  const show = index => {
    current = (index + visible.length) % visible.length;
    const shown = visible[current], copy = document.createElement("div"), pictures = document.createElement("div");
    copy.className = "tile";
    copy.style.cssText = shown.style.cssText;
    pictures.className = "panels";
    pictures.append(...[...opener(shown).children].map(child => {
      const picture = child.cloneNode(true);
      return picture.matches("svg") ? figure(picture) : picture;
    }));
    const caption = shown.querySelector(".caption").cloneNode(true);
    copy.append(pictures, caption);
    for (const flag of caption.querySelectorAll(".flag[title]:not([title=''])")) {
      const said = document.createElement("p");
      said.className = "said";
      said.textContent = flag.textContent + ": " + flag.title;
      copy.append(said);
    }
    for (const element of copy.querySelectorAll("[id]")) element.removeAttribute("id");
    byId("place").textContent = (current + 1).toLocaleString("en") + " of " + visible.length.toLocaleString("en");
    stage.replaceChildren(copy);
    fit();
  };
  list.addEventListener("change", () => {
    bar.elements.wrong.value = tiles.filter(tile => boxOf(tile).checked).map(tile => tile.dataset.rank).join(".");
    judge();
    writeHash();
  });
  list.addEventListener("click", event => {
    const tile = event.target.closest(".panels")?.parentElement;
    if (!tile) return;
    show(visible.indexOf(tile));
    zoom.showModal();
  });
  zoom.addEventListener("keydown", event => {
    const key = keyOf(event);
    if (hasModifier(event)) return;
    if (key === "Home" || key === "End") show(key === "Home" ? 0 : visible.length - 1);
    else if (["ArrowRight", "j"].includes(key)) show(current + 1);
    else if (["ArrowLeft", "k"].includes(key)) show(current - 1);
    else return;
    event.preventDefault();
  });
  zoom.addEventListener("click", event => {
    const step = Number(event.target.value);
    if (step) show(current + step);
    else if (event.target === zoom) zoom.close();
  });
  zoom.addEventListener("close", () => reach(current));
  addEventListener("resize", () => zoom.open && fit());

  for (const chart of charts) {
    const fields = ranges[chart.dataset.field].map(name => bar.elements[name]);
    chart.addEventListener("click", event => {
      const button = event.target.closest("button");
      if (!button) return;
      const values = [button.dataset.low, button.dataset.high];
      const again = fields.every((field, k) => field.value === values[k]);
      fields.forEach((field, k) => { field.value = again ? "" : values[k]; });
      apply();
      writeHash();
    });
  }
  const changed = () => { measure(); apply(); writeHash(); };
  bar.addEventListener("input", changed);
  bar.addEventListener("submit", event => event.preventDefault());
  bar.addEventListener("reset", () => setTimeout(changed));
  addEventListener("hashchange", () => { readHash(); measure(); apply(); });

  byId("copy")?.addEventListener("click", event => {
    const command = byId("command");
    getSelection().selectAllChildren(command);
    navigator.clipboard?.writeText(command.textContent).then(() => { event.target.textContent = "Copied"; }, () => {});
  });

  for (const tile of tiles) opener(tile).tabIndex = -1;
  bar.hidden = tiles.length === 0;
  readHash();
  watch();
  apply();
})();
