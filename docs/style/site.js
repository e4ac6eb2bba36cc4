// Tables that are wider than the window scroll within a box that the theme makes; keys must reach it.
new MutationObserver(() => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}).observe(document.body, { childList: true, subtree: true });
