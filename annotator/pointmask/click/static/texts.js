/** Every text of the page, in one table, so that another language is another table. Keys' texts: `keys.js`. */

const plural = (n, one, many) => (n === 1 ? one : many);

/** @param {number} seconds */
const duration = (seconds) => {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return `${Math.round(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

export const t = {
  starting: "Starting …",
  skip: "To the image",
  close: "Close",
  token: {
    title: "Token",
    missing: "This page needs the token of the running server. Paste the address that the terminal shows.",
    changed: "The server was started again. Paste the address that the terminal shows now; what waits here is sent then.",
    field: "Address or token",
    placeholder: "http://127.0.0.1:8765/#token=…",
    wrong: "There is no token in it: the address ends in #token= and 43 letters.",
    go: "Go on",
  },
  empty: {
    title: "No images here",
    listing: "Looking for images …",
    text: "The folder holds nothing that pointmask reads as an image. This says what is in it:",
    command: (folder) => `pointmask check ${folder}`,
  },
  head: {
    done: "Place in the list", who: "Annotator", views: "Views", workspace: "Images", review: "Review", finish: "Finish",
    place: (n, all, complete) => `${n} of ${all}${complete ? "" : " so far"}`,
    readOnly: "read only", readOnlyHelp: "Started with --read-only: nothing is written",
    settings: "Settings", help: "All keys",
    theme: { system: "Colours as the system has them", light: "Light", dark: "Dark" },
  },
  saving: {
    saved: () => "saved", written: () => "written", sending: (n) => (n > 1 ? `sending ${n}` : "sending"),
    failed: (n) => `${n} not saved`, gone: () => "no connection",
  },
  savingHelp: {
    saved: "Everything is in the journal and on disk", written: "Everything is in the journal; the disk follows within 100 ms",
    sending: "On its way to the server", failed: "Kept here and tried again every 2 seconds", gone: "The server does not answer",
  },
  bar: {
    warming: "First start on this machine: about 20 s until the kernels are compiled. Clicks are kept and answered then.",
    gone: (n) => `Connection lost, ${n} ${plural(n, "edit", "edits")} waiting.`,
    notSaved: (n, why) => `${n} ${plural(n, "edit", "edits")} not saved: ${why}`,
    token: (n) => `The server was started again, ${n} ${plural(n, "edit", "edits")} waiting for its new address.`,
    again: "Try now", giveToken: "Give the address",
  },
  stage: {
    role: "image", label: "Image: click on targets",
    help: "Arrows move the pixel cursor, Enter clicks there. Period and comma walk the targets, Delete removes one. Question mark lists all keys.",
    painting: "PAINT",
    pooled: {
      bright: (k) => `brightest of ${k} × ${k}`, dark: (k) => `darkest of ${k} × ${k}`, auto: (k) => `strongest of ${k} × ${k}`,
    },
  },
  fold: { left: "Folders (`)", right: "Window and targets (Shift `)" },
  message: { unreadable: "This image cannot be read", changed: "This file is gone or has changed since it was marked", again: "Try again" },
  window: {
    title: "Window", low: "Low end", high: "High end", histogram: "Counts on a logarithmic scale; drag an end",
    presets: "Preset", lock: "lock", invert: "invert", colours: "Colours",
    preset: { auto: "auto", local: "local", background: "faint", full: "full", type: "type", mine: "mine" },
    presetHelp: {
      auto: "0.5 to 99.8 % of the frame", local: "The same of what is in sight", background: "Background: median − 3 σ to median + 12 σ, for dim targets",
      full: "Least to greatest value", type: "Range of the data type", mine: "Last one set by hand",
    },
    palettes: { grey: "grey", heat: "heat", ice: "ice" },
  },
  tree: {
    title: "Folders and images", filter: "Show",
    filters: { "": "all", todo: "to do", unsure: "unsure", problem: "!" },
    filterHelp: { "": "All images", todo: "Images without a mark", unsure: "Images with an unsure target", problem: "Images that cannot be read or have changed" },
    listing: (n) => `Listing, ${n.toLocaleString()} so far …`,
    folderHelp: (marked, all) => `${marked} of ${all} marked`,
    targets: (n) => `${n} ${plural(n, "target", "targets")}`,
  },
  find: {
    placeholder: "Find an image", label: "Find an image by a part of its name, or go to name#frame", hits: "Images found",
    nothing: "No name contains this.", more: (n) => `The first ${n}; write more to narrow it down.`,
  },
  targets: {
    side: "Window and targets", panel: "Targets", list: "Targets of this frame", title: (n) => `Targets ${n || ""}`.trim(),
    none: "Click on a target. N records that there is none.",
    place: (x, y) => `x ${x} y ${y}`, area: (n) => `${n.toLocaleString()} px`,
    confidenceHelp: "Predicted IoU with a hand-drawn mask",
    byHand: "by hand", byHandHelp: "Painted pixels: no level, no confidence. “Own mask” brings both back.",
    level: "level", levelHelp: "Share of the soft label at which the mask is cut; lower is larger", ownLevel: "own",
    ring: "ring", ringIn: "One pixel smaller", ringOut: "One pixel larger",
    polarity: "polarity", sessionPolarity: (name) => `session’s (${name})`,
    label: "label", noLabel: "none",
    own: "Own mask", ownHelp: "Back to the mask that the annotator makes", paint: "Paint", unsure: "Unsure", remove: "Remove",
  },
  made: { carried: "carried by tracking", seeded: "from a list of points", predicted: "from a detector" },
  verdict: { accepted: "accepted", changed: "changed", unsure: "unsure", removed: "removed" },
  polarity: { bright: "bright", dark: "dark", auto: "auto" },
  frameState: { open: "", empty: "No target in this image: recorded.", unfinished: "Unfinished: not published." },
  imageState: {
    new: "Not seen yet", seen: "Seen", marked: "Marked", empty: "No target: recorded", unfinished: "Unfinished",
    unreadable: "Cannot be read", changed: "Changed since it was marked",
  },
  flag: {
    border: { short: "at the border", help: "The mask touches the image's border" },
    clipped: { short: "clipped", help: "The mask touches its window's border: the target may be larger" },
    shared: { short: "shares pixels", help: "Its pixels overlapped those of another target and were divided" },
    dark: { short: "dark", help: "Darker than its surroundings" },
    nonfinite: { short: "gaps", help: "Samples that are not finite were replaced" },
    flat: { short: "flat", help: "There is no contrast at the point" },
    weak: { short: "weak", help: "No pixel near the point reached the level: the mask is the point's own pixel" },
    crossing: { short: "crossing", help: "Two tracks met here" },
    identity: { short: "identity?", help: "After a crossing it may be the other target" },
    found: { short: "found again", help: "The track was lost before this frame" },
    last: { short: "last", help: "The track ends here" },
  },
  status: {
    place: (x, y) => `x ${x}  y ${y}`, value: (v) => `value ${v}`, background: (m, s) => `bg ${m} ± ${s}`,
    contrast: (c) => `contrast ${c} σ`, zoom: (z) => `zoom ${z}`, level: (l, own) => `level ${l}${own ? " (own)" : ""}`,
    time: (ms) => `${ms} ms`, timeHelp: (ms) => `Last round trip; the server's share: ${ms} ms`,
  },
  say: {
    opened: (name, n) => `${name}, ${n} ${plural(n, "target", "targets")}`,
    target: (place, { point: [row, col], area, confidence, flags }) =>
      `target ${place} at x ${col}, y ${row}, ${area} ${plural(area, "pixel", "pixels")}${confidence === null ? "" : `, confidence ${confidence.toFixed(2)}`}${flags.map((f) => `, ${t.flag[f]?.short ?? f}`).join("")}`,
    cursor: (x, y) => `x ${x}, y ${y}`, removed: "target removed", brush: (n) => `brush ${n} by ${n}`,
  },
  note: {
    readOnly: "Read only: nothing is written.",
    outboxFull: "1,000 edits wait for the server: no more are taken until it answers.",
    conflict: (name) => `${name} was changed in another tab; this edit was not made.`,
    doItAnyway: "Do it anyway", leaveIt: "Leave it",
    otherTab: (name) => `${name} was changed in another tab.`,
    samePixel: "There is a target at this pixel already.",
    selectFirst: "Select a target first: click on it, or press . or ,",
    noTargets: "This frame has no targets yet.", byHand: "Drawn by hand: it has no level. \\ brings the annotator's own mask back.",
    notEmpty: "This frame has targets; remove them before you record that there are none.",
    noMore: (step) => (step > 0 ? "This is the last image." : "This is the first image."),
    noneUnmarked: (step) => (step > 0 ? "No image without a mark after this one." : "No image without a mark before this one."),
    noLabel: (n) => `There is no label ${n}: --labels names them.`,
    saved: (seq) => `Everything is saved (line ${seq.toLocaleString()}).`,
    notSavedYet: (n) => (n ? `${n} ${plural(n, "edit", "edits")} on the way.` : "In the journal; the disk follows within 100 ms."),
    preset: (name) => `Window: ${name}`, locked: "Window locked: the same values for every image.", unlocked: "Window follows each image.",
    overlay: { outline: "Outlines", fill: "Filled masks", off: "No marks" }, hidden: "Marks hidden; Shift V shows them.", visible: "Marks shown.",
    undone: (words) => `Undone: ${words}`, redone: (words) => `Done again: ${words}`,
    nothingToUndo: "Nothing to undo.", nothingToRedo: "Nothing to do again.",
    tookOver: (n) => `${n} ${plural(n, "edit", "edits")} that waited in this browser ${plural(n, "is", "are")} being sent.`,
    noNeighbour: "There is no frame on that side.", noSequence: "These images are no sequence: they differ in shape, or there is only one.",
    noMarks: "No marked frame after this one.", noProposal: "There is no proposal here.",
  },
  strip: {
    label: "Frame of the sequence", place: (n, all) => `frame ${n} of ${all}`, cancel: "Cancel",
    legend: "Full bars: given points. Hollow: carried by tracking. × crossing, ? identity, r found again, | last",
    tracking: (done, total) => `tracking ${done} of ${total}`,
  },
  review: {
    title: "Review", pictures: { image: "image", soft: "soft label", mask: "mask" }, context: "The frame around the target",
    keys: [["Enter", "accept"], ["[ ]", "level"], ["P", "paint"], ["Delete", "remove"], ["U", "unsure"], ["O", "open"], ["G", "sheet"], ["Z", "undo"], ["?", "all"]],
    buttons: { acceptNext: "Accept", back: "Back", skip: "Skip", unsure: "Unsure", removeNext: "Remove", open: "Open the image", sheet: "Contact sheet" },
    empty: "Nothing to review here: no target passes these filters.",
    end: "End of the queue; some were skipped.", allDone: "End of the queue: every target has a verdict.",
    filters: "Order and choice", order: "sort", flag: "flag", state: "what", label: "label", any: "any", confidence: "confidence", low: "Least confidence", high: "Greatest confidence", refresh: "Refresh",
    orders: { confidence: "least sure", area: "area", flags: "flags first", random: "random" },
    states: { todo: "new", unsure: "unsure", done: "looked at", any: "all" },
    progress: ({ done, total, each, secondsLeft, changed, recent, from, to }) =>
      [`${done} of ${total} done`, each === null ? "" : `${each.toFixed(1)} s each`, secondsLeft === null || !secondsLeft ? "" : `${duration(secondsLeft)} left`,
        recent ? `changed: ${changed} of the last ${recent}${from === null ? "" : ` (at ${from.toFixed(2)} to ${to.toFixed(2)})`}` : ""].filter(Boolean).join("   "),
  },
  sheet: {
    title: "Targets of this sheet", help: "Arrows move, X or a click picks out a wrong one, Enter accepts the rest. Those picked out come one by one.",
    accept: "Accept the rest", missing: "no picture",
    tile: (place, { confidence, area, flags }) => `target ${place}, ${area} pixels${confidence === null ? "" : `, confidence ${confidence.toFixed(2)}`}${(flags ?? []).map((f) => `, ${t.flag[f]?.short ?? f}`).join("")}`,
  },
  finish: {
    title: "Finish", publishTitle: "Publish",
    publishText: "Masks are written as you go. Publishing brings the manifest and the lists of points up to date; it also happens by itself every ten minutes and at the end.",
    publish: "Publish now", progress: "Publishing", cancel: "Cancel", published: "Published: masks, manifest and points agree with the journal.",
    running: (done, total) => (total ? `${done.toLocaleString()} of ${total.toLocaleString()} …` : "Working …"),
    nextTitle: "What comes next", nextText: "The output folder is an ordinary pointmask folder: every other command reads it.",
    numbers: { images: "images", marked: "marked", empty: "without a target", todo: "to do", unfinished: "unfinished", unsure: "unsure", targets: "targets", by_hand: "by hand" },
    sizes: (sizes) => (sizes ?? []).map(({ upto, count: n }) => `${n.toLocaleString()} ${plural(n, "target", "targets")} ${upto === null ? "larger" : `up to ${upto} px`}`),
    unreadable: (n) => `${n} ${plural(n, "image", "images")} cannot be read: pointmask check says why.`,
    commands: (out, images) => [`pointmask check ${images} --masks ${out}`, `pointmask convert ${out} ${out}-basicirstd --to basicirstd`, `pointmask train ${images} --masks ${out}`],
    copy: "Copy", copied: "Copied", copyThis: (line) => `Copy: ${line}`, selected: "Selected: copy it with Ctrl C.",
  },
  help: {
    title: "Keys", search: "Search the keys", off: "off", mouseTitle: "Mouse, on the image",
    mouse: [
      "Left click: new target; on a mask or a point: selects it. With Shift: new target even there.",
      "Left drag on a point moves it; elsewhere it pans, like a middle drag.",
      "Right click on a mask or near a point removes that target. Right drag turns the window.",
      "Wheel: zoom about the pointer. Shift and wheel: level of the target.",
    ],
  },
  settings: {
    title: "Settings", preview: "Show the mask under the resting pointer",
    previews: { auto: "when the server answers within 40 ms", on: "always", off: "never" },
    retrack: "Track again by itself after a correction", letters: "Keys that are single characters act",
    keys: "Own keys", keysHelp: "Choose a key, press the new one. Delete switches it off, Esc returns to the usual one.",
    press: "press …", taken: (key, text) => `${key} is taken: ${text}.`,
  },
};
