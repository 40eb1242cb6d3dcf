// Previews of links: what all of them share. sphinx-tippy makes one for each link, when the page has loaded.
"use strict";

tippy.setDefaultProps({
  appendTo: () => document.body, // beside the reference a table or a cell with a scroll bar would clip it
  aria: { content: "describedby" },
  touch: ["hold", 400], // a tap follows the link
  onCreate(preview) {
    preview.reference.removeAttribute("title"); // the browser would show it above the preview
  },
  onMount(preview) {
    window.MathJax?.startup?.promise?.then(() => preview.popperInstance?.forceUpdate()); // formulas change its size
  },
});

document.addEventListener("keydown", (event) => event.key === "Escape" && tippy.hideAll());
