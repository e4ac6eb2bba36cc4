/** What the user likes, kept in the browser: never data, never in the journal. */

const NAME = "pointmask.settings";

const DEFAULTS = {
  /** @type {"auto" | "local" | "background" | "full" | "type" | "mine"} */ preset: "auto",
  /** @type {{low: number, high: number} | null} set by hand */ window: null,
  /** @type {{low: number, high: number} | null} set by hand for flat views, whose values are others */ flatWindow: null,
  /** @type {{low: number, high: number} | null} the values that are locked */ held: null,
  locked: false,
  inverted: false,
  palette: "grey",
  /** @type {"outline" | "fill" | "off"} */ overlay: "outline",
  /** @type {"auto" | "on" | "off"} */ preview: "auto",
  letters: true,
  /** @type {Record<string, string | null>} action -> code, null = off */ keys: {},
  /** @type {"system" | "light" | "dark"} */ theme: "system",
  /** @type {boolean | null} */ left: null,
  /** @type {boolean | null} */ right: null,
  retrack: true,
  /** @type {Record<string, {name: string, frame: number}>} output folder -> where work stopped */ last: {},
};

/** @returns {typeof DEFAULTS} */
function stored() {
  try {
    const read = JSON.parse(localStorage.getItem(NAME) ?? "{}");
    return { ...DEFAULTS, ...read };
  } catch {
    return { ...DEFAULTS }; // storage is off or holds something else
  }
}

export const settings = stored();

/** @param {Partial<typeof DEFAULTS>} changes */
export function change(changes) {
  Object.assign(settings, changes);
  try {
    localStorage.setItem(NAME, JSON.stringify(settings));
  } catch {
    // Without storage they last as long as the page.
  }
}

/** The theme is an attribute of the page, so that the style sheet alone decides what it means. */
export function applyTheme() {
  document.documentElement.dataset.theme = settings.theme;
}
