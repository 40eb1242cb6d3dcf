/* Tables and formulas wider than the paper are made smaller until they fit. All are measured before any is changed: a change
   lays the whole book out anew. */
(() => {
  const room = document.querySelector("article").clientWidth;
  const widths = [...document.querySelectorAll("article table, article mjx-container[display='true'] > mjx-math")].map(box => {
    const frame = box.closest("td, .admonition, details, section").getBoundingClientRect().width;
    const width = box.matches("table") ? box.scrollWidth : box.getBoundingClientRect().width;
    return [box, width, Math.min(room, frame) - (box.closest(".admonition, details") ? 30 : 2)];
  });
  for (const [box, width, space] of widths) {
    if (width > space) {
      box.style.zoom = Math.max(space / width * 0.99, 0.45);
    }
  }
})()
