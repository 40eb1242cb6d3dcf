/* Tables, formulas and code wider than the paper are made smaller until they fit. */
(() => {
  const room = document.querySelector("article").clientWidth;
  for (const box of document.querySelectorAll("article table, article mjx-container[display='true'] > mjx-math")) {
    const frame = box.closest("td, .admonition, details, section").getBoundingClientRect().width;
    const width = box.matches("table") ? box.scrollWidth : box.getBoundingClientRect().width;
    const space = Math.min(room, frame) - (box.closest(".admonition, details") ? 30 : 2);
    if (width > space) {
      box.style.zoom = Math.max(space / width * 0.99, 0.45);
    }
  }
})()
