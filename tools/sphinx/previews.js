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

// A link that is a formula and nothing else has no text for a screen reader; its name is the word that it leads to, or
// the formula as it is written, which stands here until it is typeset.
for (const link of document.querySelectorAll('a[href*="#term-"]')) {
  const rest = link.cloneNode(true);
  const formulas = [...rest.querySelectorAll(".math")];
  const written = formulas.map((formula) => formula.textContent.replace(/[\\(){}$]/g, "").replace("_", " ")).join(" ");
  formulas.forEach((formula) => formula.remove());
  if (!rest.textContent.trim()) {
    const word = decodeURIComponent(link.hash).replace("#term-", "").replaceAll("-", " ");
    link.setAttribute("aria-label", /^\d+$/.test(word) ? written || "symbol" : word);
  }
}
