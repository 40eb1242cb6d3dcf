// Texts of the article whose contrast with their background is below 4.5 (3 for large text), as strings.
() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = (top, below) => top.rgb.map((c, i) => c * top.a + below[i] * (1 - top.a));
  const background = (element) => {
    if (!element) return [255, 255, 255];
    const color = parse(getComputedStyle(element).backgroundColor);
    return color.a === 1 ? color.rgb : over(color, background(element.parentElement));
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, two) => {
    const [dark, light] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const ownText = (element) =>
    [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join(" ").trim();
  const faint = [];
  for (const element of document.querySelectorAll("article *")) {
    const formula = element.localName === "mjx-container";
    const text = formula ? "a formula" : ownText(element);
    // MathJax keeps a copy for screen readers that is not seen; links to headings show only under the pointer.
    if (!text || !element.checkVisibility() || element.closest("mjx-assistive-mml, .headerlink")) continue;
    const style = getComputedStyle(element);
    const below = background(element);
    const large = parseFloat(style.fontSize) >= 24;
    const value = contrast(over(parse(style.color), below), below);
    if (value < (large ? 3 : 4.5)) faint.push(`${value.toFixed(2)} ${element.className || element.localName}: ${text.slice(0, 40)}`);
  }
  return [...new Set(faint)];
}
