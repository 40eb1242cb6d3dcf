/* Points of a figure under the mouse, a finger or the keyboard.
   The picture is the figure: over it lies a layer of points, placed by fractions of its size. They make one list box:
   one stop of the Tab key, arrow keys inside, every option read aloud with the words of its tooltip. A point with a
   width and a height is a cell or a bar: meant wherever the mouse or finger is inside. */
"use strict";

(() => {
  const NEAR = { mouse: 16, touch: 28, pen: 20 };  // how far from a point it still is meant, in CSS pixels
  const GAP = 10;  // between a point and its tooltip
  let count = 0;

  function element(parent, tag, properties, attributes = {}) {
    const made = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return parent.appendChild(made);
  }

  /** The layer over a picture; curves as figures.points gives them. */
  function overlay(image, link, curves) {
    const layer = element(link.parentElement, "div", { className: "points-layer" });
    link.after(layer);  // the Tab key goes from the picture to its points, then to the table below
    const list = element(layer, "div", { className: "points-list" }, {
      role: "listbox", "aria-label": "Points of the figure; the arrow keys move along a curve and between curves" });
    const points = curves.map((curve, row) => {
      const group = element(list, "div", {}, { role: "group", "aria-label": curve.name });
      return curve.points.map(([left, top, x, y, width, height], column) => {
        const kind = width === undefined ? "points-point" : "points-point points-cell";
        const node = element(group, "div", { className: kind, tabIndex: -1, id: `point-${count++}` }, {
          role: "option", "aria-selected": "false", "aria-label": `${curve.name}, ${x}: ${y}` });
        node.style.left = `${100 * left}%`;
        node.style.top = `${100 * top}%`;
        if (width !== undefined) Object.assign(node.style, { width: `${100 * width}%`, height: `${100 * height}%` });
        return { node, left, top, width, height, row, column, words: [curve.name, x, y] };
      });
    });
    const all = points.flat();
    const tip = element(layer, "div", { className: "points-tip", hidden: true }, { "aria-hidden": "true" });
    const [name, x, y] = ["strong", "span", "span"].map((tag) => element(tip, tag));
    let shown = null, focused = null;
    all[0].node.tabIndex = 0;

    function show(point) {
      if (point === shown) return;
      for (const [one, is] of [[shown, "false"], [point, "true"]]) one?.node.setAttribute("aria-selected", is);
      shown = point;
      tip.hidden = !point;
      layer.style.cursor = point ? "pointer" : "";
      if (!point) return;
      [name, x, y].forEach((line, i) => { line.textContent = point.words[i]; });
      tip.style.left = tip.style.top = "0";  // measured where nothing squeezes it
      const [width, height] = [layer.clientWidth, layer.clientHeight];
      const [at, under] = [point.left * width, point.top * height];
      const above = under - GAP - tip.offsetHeight;
      tip.style.left = `${Math.max(0, Math.min(at - tip.offsetWidth / 2, width - tip.offsetWidth))}px`;
      tip.style.top = `${above >= 0 ? above : under + GAP}px`;
    }

    /** The point that an event means, if it is near one. */
    function nearest(event) {
      const box = layer.getBoundingClientRect();
      let [best, least] = [null, NEAR[event.pointerType] ?? NEAR.mouse];
      for (const point of all) {
        const across = Math.abs(box.left + point.left * box.width - event.clientX);
        const down = Math.abs(box.top + point.top * box.height - event.clientY);
        const inside = 2 * across <= point.width * box.width && 2 * down <= point.height * box.height;
        const away = inside ? 0 : Math.hypot(across, down);
        if (away < least) [best, least] = [point, away];
      }
      return best;
    }

    function focus(point) {
      all.forEach((other) => { other.node.tabIndex = other === point ? 0 : -1; });
      point.node.focus({ preventScroll: true });
    }

    function next(point, key) {
      const curve = points[point.row], step = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
      if (key === "ArrowLeft" || key === "ArrowRight") return curve[point.column + step];
      if (key === "Home" || key === "End") return curve.at(key === "Home" ? 0 : -1);
      const other = points[point.row + step] ?? [];
      return other.reduce((best, one) =>
        (best && Math.abs(best.left - point.left) <= Math.abs(one.left - point.left) ? best : one), null);
    }

    layer.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") show(nearest(event) ?? focused);
    });
    layer.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") show(focused); });
    layer.addEventListener("mousedown", (event) => event.preventDefault());  // or the focus would leave the point
    layer.addEventListener("click", (event) => {
      const point = nearest(event);
      if (point) { focus(point); show(point); }
      else if (shown) { focused?.node.blur(); show(null); }
      else if (link !== image) link.click();  // the whole picture, as without this script
    });
    list.addEventListener("focusin", (event) => show(focused = all.find((point) => point.node === event.target)));
    list.addEventListener("focusout", () => show(focused = null));
    list.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !focused) return;
      if (event.key === "Escape") show(null);
      else if (event.key === "Enter" || event.key === " ") show(focused);
      else if (/^(Arrow|Home$|End$)/.test(event.key)) focus(next(focused, event.key) ?? focused);
      else return;
      event.preventDefault();
      event.stopPropagation();  // the theme turns pages with the arrow keys
    });

    /** Over the picture's own area, without its frame. */
    function place() {
      const style = getComputedStyle(image), box = image.getBoundingClientRect();
      const around = link.parentElement, from = around.getBoundingClientRect();
      const edge = (side) => parseFloat(style[`padding${side}`]) + parseFloat(style[`border${side}Width`]);
      layer.style.left = `${box.left - from.left + around.scrollLeft + edge("Left")}px`;
      layer.style.top = `${box.top - from.top + around.scrollTop + edge("Top")}px`;
      layer.style.width = `${box.width - edge("Left") - edge("Right")}px`;
      layer.style.height = `${box.height - edge("Top") - edge("Bottom")}px`;
      const open = shown;
      show(null);
      show(open);
    }
    link.parentElement.classList.add("points-around");
    for (const watched of [image, link.parentElement]) new ResizeObserver(place).observe(watched);
  }

  for (const script of document.querySelectorAll("script.points")) {
    const link = script.previousElementSibling;
    const image = link?.matches("img") ? link : link?.querySelector("img");
    if (image) overlay(image, link, JSON.parse(script.textContent));
  }
})();
