// The form and the results of the page "Will a transformer learn your task?". engine.js does the computing, in a worker.
// The whole state is in the address after the #: z and f for each template and its label, then the parameters.

(() => {
  "use strict";

  const engine = playgroundEngine();
  const PRESETS = {
    "same or different": [["αα", "1"], ["αβ", "-1"]],
    "αβα or αββ": [["αβα", "1"], ["αββ", "-1"]],
    "ααββ or αβαβ": [["ααββ", "1"], ["αβαβ", "-1"]],
    "a program": [["α=1;β=-1;print(α)", "1"], ["α=1;β=-1;print(β)", "-1"]],
    "same relation": [["ααββ", "1"], ["αβγδ", "1"], ["ααβγ", "-1"], ["αβγγ", "-1"]],
    "same order": [["αβγαβγ", "1"], ["αβγαγβ", "-1"]],
  };
  const DEFAULTS = { beta: "2", gamma: "1", ridge: "0.01", b1: "2", b2: "0.3" };
  const MEANING = { beta: "attention’s inverse temperature", gamma: "strength of positions", ridge: "ridge", b1: "frequency of φ", b2: "phase of φ" };
  const PAUSE = 500; // ms without typing before it computes
  const SEEN = {
    "0,0": "how often a regular token occurs", "2,2": "where a regular token stands", "4,0": "how many pairs of positions are equal",
    "4,2": "how many partners single positions have", "6,4": "which pairs of positions are equal, with equal counts",
  };

  const root = document.getElementById("playground");
  if (!root) return;
  root.innerHTML = `
    <form novalidate>
      <fieldset><legend>Start from a task of the paper</legend><div class="pg-buttons" data-part="presets"></div></fieldset>
      <fieldset><legend>Templates and labels</legend>
        <p class="pg-hint" id="pg-hint">Lowercase Greek letters are wildcards; every other character stands for itself. Type, or press a letter:</p>
        <div class="pg-buttons" data-part="palette"></div>
        <div data-part="rows"></div>
        <button type="button" data-part="add">Add a template</button>
        <p class="pg-disjoint" data-part="disjoint"></p>
      </fieldset>
      <fieldset><legend>The kernel and ridge regression</legend><div class="pg-parameters" data-part="parameters"></div></fieldset>
    </form>
    <p class="pg-status" role="status" aria-live="polite" data-part="status"></p>
    <progress max="1" value="0" aria-label="Computing" data-part="progress"></progress>
    <div class="pg-share"><button type="button" data-part="copy">Copy a link to this</button> <span role="status" data-part="copied"></span></div>
    <div data-part="results" aria-label="Results" role="region"></div>`;
  const part = (name) => root.querySelector(`[data-part=${name}]`);
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  // ---- the form ----------------------------------------------------------------------------------------------------

  let state = null, lastTemplate = null, worker = null, busy = false, timer = null, seed = 0;

  /** A labelled input with a place for what is wrong with it. */
  function field(id, label, value, options = {}) {
    const input = make("input", { id, type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-describedby": `${id}-error`, ...options });
    input.value = value;
    return { input, all: make("div", { class: "pg-field" }, make("label", { for: id }, label), input, make("p", { class: "pg-error", id: `${id}-error` })) };
  }

  function drawRows() {
    const rows = state.rows.map((row, i) => {
      const template = field(`pg-template-${i}`, `Template ${i + 1}`, row.template, { lang: "el", "aria-describedby": `pg-template-${i}-error pg-hint` });
      const label = field(`pg-label-${i}`, `Label ${i + 1}`, row.label, { size: 4 });
      template.input.addEventListener("focus", () => { lastTemplate = template.input; });
      template.input.addEventListener("input", () => { row.template = template.input.value; edited(); });
      label.input.addEventListener("input", () => { row.label = label.input.value; edited(); });
      const remove = make("button", { type: "button", class: "pg-remove", "aria-label": `Remove template ${i + 1}`,
        onclick: () => { state.rows.splice(i, 1); drawRows(); edited(0); part("add").focus(); } }, "✕");
      return make("div", { class: "pg-row" }, template.all, label.all, remove);
    });
    part("rows").replaceChildren(...rows);
    lastTemplate = null;
  }

  function drawForm() {
    drawRows();
    part("parameters").replaceChildren(...Object.entries(engine.PARAMETERS).map(([name, { name: letter }]) => {
      const { input, all } = field(`pg-${name}`, `${letter}, ${MEANING[name]}`, state.parameters[name], { inputmode: "decimal" });
      input.addEventListener("input", () => { state.parameters[name] = input.value; edited(); });
      return all;
    }));
  }

  function complain(id, message) {
    const input = document.getElementById(id);
    if (!input) return;
    document.getElementById(`${id}-error`).textContent = message;
    input.setAttribute("aria-invalid", message ? "true" : "false");
  }

  /** Show what is wrong beside its field; returns {task, values} or null. */
  function check() {
    const { task, problems } = engine.readTask(state.rows), { values, problems: others } = engine.readParameters(state.parameters);
    for (const input of root.querySelectorAll("input")) complain(input.id, "");
    for (const { row, field: name, message } of [...problems].reverse()) complain(`pg-${name}-${Math.min(row, state.rows.length - 1)}`, message);
    for (const { field: name, message } of others) complain(`pg-${name}`, message);
    part("disjoint").textContent = task ? (task.templates.length > 1 ? "✓ The templates are pairwise disjoint: no string matches two." : "✓ One template: nothing to confuse it with.") : "";
    part("add").disabled = state.rows.length >= engine.LIMITS.templates;
    if (task && !others.length) return { task, values };
    const count = problems.length + others.length;
    say(`Nothing is computed until ${count === 1 ? "this is" : `these ${count} things are`} mended: ${[...problems, ...others][0].message}.`);
    return null;
  }

  function edited(pause = PAUSE) {
    stop();
    part("copied").textContent = "";
    const good = check();
    if (good) timer = setTimeout(() => { remember(); start(good); }, pause);
    else part("results").replaceChildren();
  }

  // ---- the address -------------------------------------------------------------------------------------------------

  function address() {
    const q = new URLSearchParams();
    for (const { template, label } of state.rows) {
      q.append("z", template);
      q.append("f", label);
    }
    for (const name of Object.keys(DEFAULTS)) q.append(name, state.parameters[name]);
    return `#${q}`;
  }

  function remember() {
    if (location.hash !== address()) history.pushState(null, "", address());
  }

  function fromAddress() {
    const q = new URLSearchParams(location.hash.slice(1)), z = q.getAll("z"), f = q.getAll("f");
    const rows = z.length ? z.map((template, i) => ({ template, label: f[i] ?? "" })) : PRESETS["same or different"].map(([template, label]) => ({ template, label }));
    state = { rows: rows.slice(0, engine.LIMITS.templates), parameters: Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, q.get(name) ?? value])) };
    drawForm();
    stop();
    const good = check();
    if (good) start(good);
    else part("results").replaceChildren();
  }

  // ---- computing ---------------------------------------------------------------------------------------------------

  const say = (text) => { part("status").textContent = text; };

  function stop() {
    clearTimeout(timer);
    if (busy) { // an idle worker stays: its code is compiled, so the next task is faster
      worker.terminate();
      worker = null;
      busy = false;
    }
    root.removeAttribute("data-ready");
    part("progress").hidden = true;
  }

  function makeWorker() {
    const code = `const engine = (${playgroundEngine})();
      onmessage = ({ data: { task, values } }) => {
        const result = engine.compute(task, values, (share) => postMessage({ share }));
        postMessage({ result });
      };`;
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const made = new Worker(url);
    made.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
    return made;
  }

  function start({ task, values }) {
    stop();
    say("Computing …");
    part("progress").hidden = false;
    part("progress").value = 0;
    const begun = performance.now();
    worker ??= makeWorker();
    busy = true;
    worker.onmessage = ({ data }) => {
      if (data.share) part("progress").value = data.share;
      if (!data.result) return;
      busy = false;
      stop();
      const seconds = (performance.now() - begun) / 1000;
      show(task, values, data.result);
      say(`Computed in ${seconds.toFixed(1)} s. ${headline(data.result)}`);
      root.playground = data.result; // for the tests
      root.dataset.seconds = seconds;
      root.dataset.ready = "yes";
    };
    worker.onerror = (event) => { stop(); say(`The computation failed: ${event.message}`); };
    worker.postMessage({ task, values });
  }

  // ---- results -----------------------------------------------------------------------------------------------------

  const minus = (text) => text.replace(/-/g, "−");
  const count = (n) => (n >= 1e7 ? minus(n.toExponential(1)) : Math.round(Number(n.toPrecision(n < 1000 ? 3 : 4))).toLocaleString("en"));
  const small = (x) => minus(x !== 0 && Math.abs(x) < 0.001 ? x.toExponential(2) : x.toPrecision(3));
  const withError = (x, error) => { // as many digits as the error allows
    if (!(error > 0)) return small(x);
    const power = Math.floor(Math.log10(Math.abs(x) || error)), last = Math.floor(Math.log10(error)), digits = Math.max(0, Math.min(8, power - last));
    if (power < -3) return minus(`(${(x / 10 ** power).toFixed(digits)} ± ${(error / 10 ** power).toFixed(digits)}) × 10`) + superscript(power);
    return minus(`${x.toFixed(Math.max(0, -last))} ± ${error.toFixed(Math.max(0, -last))}`);
  };
  const superscript = (n) => [...String(n)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");
  const certain = (result) => result.smallest > 3 * result.smallestError;

  function headline(result) {
    if (!result.curve) return "λ is smaller than the Monte Carlo error of the kernel here, so there is no learning curve; choose a larger one.";
    const { half, interval } = result.curve;
    if (!certain(result)) return "The smallest eigenvalue is within the Monte Carlo error of 0: this page cannot tell when the task is learned. The Python package computes it more exactly.";
    if (!Number.isFinite(half)) return "The error does not fall to one half for up to 17 million strings.";
    if (!Number.isFinite(interval[1])) return `The error falls to one half at about n₅₀ = ${count(half)} strings; its interval reaches beyond the curve.`;
    return `The error falls to one half at about n₅₀ = ${count(half)} strings (95 % interval ${count(interval[0])} to ${count(interval[1])}).`;
  }

  function show(task, values, result) {
    const box = part("results");
    const section = (title, ...children) => make("section", {}, make("h2", {}, title), ...children);
    const text = (words) => make("p", {}, words);
    box.replaceChildren(
      section("The template matrix N", heatMap(task, result),
        text(`Smallest eigenvalue: ${withError(result.smallest, result.smallestError)}. ${certain(result) ? "It is not 0: the kernel can tell all templates apart, and ridge regression learns every labelling of them." :
          "The Monte Carlo error does not tell it from 0."} Standard error of an entry: at most ${small(Math.max(...result.matrixErrors))}. Most of the entries’ errors are common to all, so the eigenvalue’s is smaller.`)),
      ...(task.templates.length > 1 ? [section("What the kernel can tell apart", differences(task, result))] : []),
      ...(result.curve ? [section("The predicted learning curve", plot(result.curve), values_table(result.curve))] : []),
      section("A sample of strings", make("div", { "data-part": "strings" }), make("button", { type: "button", onclick: () => { seed++; drawStrings(task); } }, "Draw others")),
    );
    drawStrings(task);
  }

  function table(head, rows, attributes = {}) {
    return make("div", { class: "pg-scroll", tabindex: "0", role: "group", "aria-label": attributes["aria-label"] }, make("table", attributes,
      make("thead", {}, make("tr", {}, ...head.map((c) => make("th", { scope: "col" }, c)))), make("tbody", {}, ...rows)));
  }

  const cells = (row) => make("tr", {}, ...row.map((c) => make("td", {}, c)));

  function heatMap(task, { matrix }) {
    const r = task.templates.length, low = Math.min(...matrix), high = Math.max(...matrix);
    const digits = Math.min(6, Math.max(3, 2 - Math.floor(Math.log10((high - low) || Math.abs(high) || 1))));
    const rows = task.templates.map((t, i) => make("tr", {}, make("th", { scope: "row" }, t.pattern), ...task.templates.map((_, j) => {
      const share = high > low ? (matrix[i * r + j] - low) / (high - low) : 1;
      const light = 92 - 62 * share; // one hue, its lightness tells: it needs no colour vision
      return make("td", { class: "pg-cell", style: `background: hsl(205 60% ${light}%); color: ${light > 56 ? "#000" : "#fff"}` }, minus(matrix[i * r + j].toFixed(digits)));
    })));
    return table(["N", ...task.templates.map((t) => t.pattern)], rows, { class: "pg-heat", "aria-label": "The template matrix N" });
  }

  const powers = ([p, q]) => (p ? `order β${superscript(p)}${q ? `γ${superscript(q)}` : ""}` : "without any attention");

  function differences(task, { gaps, gapErrors, matrix }) {
    const r = task.templates.length, rows = [], head = ["templates", "what differs", "what attention sees first", "squared distance Δ", "cosine in N"];
    for (let i = 0; i < r; i++) {
      for (let j = i + 1; j < r; j++) {
        const { order, pairs } = engine.difference(task, i, j), [one, other] = [task.templates[i].pattern, task.templates[j].pattern];
        const tied = pairs.slice(0, 4).map(([a, b, first]) => `positions ${a} and ${b} are equal in ${first ? one : other} only`);
        if (pairs.length > 4) tied.push(`and ${pairs.length - 4} more pairs`);
        const cosine = matrix[i * r + j] / Math.sqrt(matrix[i * r + i] * matrix[j * r + j]);
        const row = cells([`${one} | ${other}`, tied.join("; ") || "the same positions are equal; the regular tokens differ", order ? `${SEEN[order]} (${powers(order)})` : "nothing",
          withError(gaps[i * r + j], gapErrors[i * r + j]), minus(cosine.toFixed(4))]);
        [...row.children].forEach((cell, c) => { cell.dataset.label = head[c]; });
        rows.push(row);
      }
    }
    return table(head, rows, { class: "pg-differences", "aria-label": "What the kernel can tell apart" });
  }

  function values_table({ sizes, errors, standardErrors, whole, simulatedUpTo }) {
    const rows = sizes.map((n, i) => [n, i]).filter(([n]) => Number.isInteger(Math.log2(n)))
      .map(([n, i]) => cells([n.toLocaleString("en"), `${(errors[i] / whole).toFixed(3)} ± ${(standardErrors[i] / whole).toFixed(3)}`, n <= simulatedUpTo ? "simulated" : "extended"]));
    return make("details", {}, make("summary", {}, "The values"), table(["n", "error ± standard error", "how"], rows, { "aria-label": "The learning curve" }));
  }

  /** The curve with its band of two standard errors, n on a logarithmic axis. */
  function plot({ sizes, errors, standardErrors, whole, half, interval, simulatedUpTo }) {
    const W = 340, H = 230, left = 34, right = 10, top = 12, bottom = 42, ns = "http://www.w3.org/2000/svg";
    const learned = errors.findIndex((e) => e < 0.01 * whole), end = Math.max(12, learned < 0 ? sizes.length - 1 : learned);
    const shown = sizes.slice(0, end + 1), from = Math.log2(shown[0]), to = Math.log2(shown.at(-1)), highest = Math.max(1.1, ...shown.map((_, i) => (errors[i] + 2 * standardErrors[i]) / whole));
    const x = (n) => left + (Math.log2(n) - from) / (to - from) * (W - left - right), y = (e) => top + (1 - Math.min(Math.max(e, 0), highest) / highest) * (H - top - bottom);
    const draw = (tag, attributes, words) => {
      const element = document.createElementNS(ns, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      if (words) element.textContent = words;
      return element;
    };
    const text = (at, up, words, anchor = "middle") => draw("text", { x: at, y: up, "text-anchor": anchor }, words);
    const points = (f) => shown.map((n, i) => `${x(n).toFixed(1)},${y(f(i) / whole).toFixed(1)}`);
    const words = `Predicted error on unseen symbols against the number n of training strings: it falls from ${(errors[0] / whole).toFixed(2)} at n = ${sizes[0]} to one half at ${Number.isFinite(half) ? `n = ${count(half)}` : "no n shown"}.`;
    const svg = draw("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": words, class: "pg-plot" });
    for (const e of [0, 0.5, 1]) svg.append(draw("line", { x1: left, x2: W - right, y1: y(e), y2: y(e), class: "pg-grid" }), text(left - 5, y(e) + 4, String(e), "end"));
    const step = Math.ceil((to - from) / 5);
    for (let h = Math.ceil(from); h <= to; h += step) {
      svg.append(draw("line", { x1: x(2 ** h), x2: x(2 ** h), y1: H - bottom, y2: H - bottom + 4, class: "pg-axis" }), text(x(2 ** h), H - bottom + 17, h < 14 ? String(2 ** h) : `2${superscript(h)}`));
    }
    svg.append(text((left + W - right) / 2, H - 6, "n = training strings = training symbols"));
    if (Number.isFinite(interval[1])) svg.append(draw("rect", { x: x(Math.max(interval[0], shown[0])), y: top, width: Math.max(1, x(Math.min(interval[1], shown.at(-1))) - x(Math.max(interval[0], shown[0]))), height: H - top - bottom, class: "pg-interval" }));
    svg.append(draw("polygon", { points: [...points((i) => errors[i] + 2 * standardErrors[i]), ...points((i) => errors[i] - 2 * standardErrors[i]).reverse()].join(" "), class: "pg-band" }));
    const simulated = shown.filter((n) => n <= simulatedUpTo).length, all = points((i) => errors[i]);
    svg.append(draw("polyline", { points: all.slice(0, simulated).join(" "), class: "pg-line" }), draw("polyline", { points: all.slice(simulated - 1).join(" "), class: "pg-line pg-extended" }));
    if (Number.isFinite(half) && half <= shown.at(-1)) svg.append(draw("circle", { cx: x(half), cy: y(0.5), r: 4, class: "pg-mark" }));
    return make("figure", {}, svg, make("figcaption", {}, "Mean squared error on unseen symbols, as a share of the error without data. Solid: simulated; dashed: extended. " +
      "Around it a band of two standard errors; the dot is n₅₀, the upright band its 95 % interval."));
  }

  function drawStrings(task) {
    const rows = engine.sampleStrings(task, 8, seed).map(({ string, template, label }) => cells([string, template, minus(String(label))]));
    part("strings").replaceChildren(table(["string", "template", "label"], rows, { class: "pg-strings", "aria-label": "A sample of strings" }));
  }

  // ---- wiring ------------------------------------------------------------------------------------------------------

  part("presets").append(...Object.entries(PRESETS).map(([name, rows]) => make("button", { type: "button", onclick: () => {
    state.rows = rows.map(([template, label]) => ({ template, label }));
    drawRows();
    edited(0);
  } }, name)));
  part("palette").append(...[..."αβγδεζ"].map((letter) => make("button", { type: "button", "aria-label": `Insert ${letter}`, onclick: () => {
    const input = lastTemplate ?? root.querySelector("[id^=pg-template]");
    if (!input) return;
    const at = input.selectionStart ?? input.value.length;
    input.setRangeText(letter, at, input.selectionEnd ?? at, "end");
    input.dispatchEvent(new Event("input"));
    input.focus();
  } }, letter)));
  part("add").addEventListener("click", () => {
    state.rows.push({ template: "", label: "" });
    drawRows();
    edited();
    document.getElementById(`pg-template-${state.rows.length - 1}`).focus();
  });
  part("copy").addEventListener("click", async () => {
    const link = location.href.split("#")[0] + address();
    remember();
    try {
      await navigator.clipboard.writeText(link);
      part("copied").textContent = "Copied.";
    } catch { // without permission, as for pages from the disk in some browsers
      part("copied").textContent = "Your browser does not let this page copy; the link is in its address bar.";
    }
  });
  root.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); edited(0); });
  window.addEventListener("popstate", fromAddress);
  fromAddress();
})();
