/* What scrolls sideways can be reached and scrolled by keyboard; what fits takes no tab stop.
   (The theme does the same for code, `pre`.) */
(() => {
  const boxes = ".scroll, .cell_output, .cell_output .output, .pst-scrollable-table-container, div.math, details";
  const focusable = "a[href], button, input, select, summary, [tabindex='0']";

  function update() {
    for (const box of document.querySelectorAll(`.bd-article :is(${boxes})`)) {
      const scrolls = box.scrollWidth > box.clientWidth && box.clientWidth > 0;
      if (scrolls && !box.querySelector(focusable)) {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  }

  let waiting;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(update, 100); };
  addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(update));
  addEventListener("resize", soon);
  document.addEventListener("toggle", soon, true);  // a folded part was opened
})();
