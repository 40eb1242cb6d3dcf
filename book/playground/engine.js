// What the page "Will a transformer learn your task?" computes. No dependency, no access to the page: the same function
// runs in the page and, as text, in its worker. All numbers are tested against the Python package.
//
// Everything random is done BATCHES times with independent numbers; a standard error is the spread of the batches.
// A template is a list of slots, one a position: 0 … R − 1 are the regular tokens of the task, R is [CLS] (appended to
// every template), R + 1 + a is its wildcard number a.

// eslint-disable-next-line no-unused-vars
function playgroundEngine() {
  "use strict";

  const WILDCARDS = "αβγδεζηθικλμνξοπρστυφχψω";
  const BATCHES = 8;
  const T_95 = 2.365; // Student's t for 8 − 1 degrees of freedom
  const LARGEST = 256; // strings in a simulated sample; beyond, the template sums B grow in proportion to n
  const SAMPLES = 2; // of every size in every batch
  const INNER = 16; // draws of the wildcards for given positions and regular tokens, each with its mirror image
  const LIMITS = { templates: 8, length: 30, wildcards: 6 };
  const PARAMETERS = {
    beta: { name: "β", low: 0.05, high: 10 },
    gamma: { name: "γ", low: 0.05, high: 10 },
    ridge: { name: "λ", low: 0.001, high: 100 },
    b1: { name: "b₁", low: 0.05, high: 10 },
    b2: { name: "b₂", low: -10, high: 10 },
  };

  // ---- templates and what can be wrong with them ------------------------------------------------------------------

  const isWildcard = (c) => WILDCARDS.includes(c);
  const quoted = (text) => `'${text}'`;

  /** The distinct characters of a pattern, in order of appearance. */
  const distinct = (pattern) => [...new Set(pattern)];

  /** Whether no string matches both of two patterns of equal length; as `Template.is_disjoint`. */
  function isDisjoint(one, other) {
    const x = [...one], y = [...other];
    const classes = (z) => z.map((c) => z.indexOf(c)).join();
    if (x.length !== y.length || classes(x) !== classes(y)) return true;
    return x.some((c, i) => {
      const d = y[i];
      if (!isWildcard(c) && !isWildcard(d)) return c !== d;
      if (isWildcard(c) && !isWildcard(d)) return x.includes(d);
      if (!isWildcard(c) && isWildcard(d)) return y.includes(c);
      return false;
    });
  }

  /** A number from what was typed, NaN if it is none. */
  function readNumber(text) {
    const tidy = text.trim().replace("−", "-");
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(tidy) ? Number(tidy) : NaN;
  }

  /**
   * A task from what was typed: rows of {template, label}.
   * Returns {task, problems}: problems are {row, field, message}, task is null if there are any.
   */
  function readTask(rows) {
    const problems = [];
    const complain = (row, field, message) => problems.push({ row, field, message });
    if (!rows.length) complain(0, "template", "a template task needs at least one template, such as αα");
    if (rows.length > LIMITS.templates) complain(LIMITS.templates, "template", `more than ${LIMITS.templates} templates; use the Python package`);
    const patterns = rows.map((row) => [...row.template.normalize("NFC")]);
    const counted = patterns.find((z) => z.length);
    patterns.forEach((z, i) => {
      const name = quoted(z.join(""));
      const wildcards = distinct(z).filter(isWildcard).length;
      if (!z.length) complain(i, "template", "must be a non-empty string such as 'αβα'");
      else if (z.length > LIMITS.length) complain(i, "template", `template ${name} has ${z.length} tokens; this page goes to ${LIMITS.length}`);
      else if (wildcards > LIMITS.wildcards) complain(i, "template", `template ${name} has ${wildcards} wildcards; this page goes to ${LIMITS.wildcards}`);
      else if (z.length !== counted.length) {
        complain(i, "template", `templates of different lengths: ${quoted(counted.join(""))} has ${counted.length} tokens, ` +
          `${name} has ${z.length}; pad the shorter one with a regular token`);
      } else {
        const clash = patterns.slice(0, i).find((other) => other.length === z.length && !isDisjoint(other.join(""), z.join("")));
        if (clash) {
          complain(i, "template", `templates ${quoted(clash.join(""))} and ${name} are not disjoint: a string matches both, ` +
            "so its label is not defined; remove or change one");
        }
      }
    });
    const labels = rows.map((row) => readNumber(row.label));
    rows.forEach((row, i) => {
      const label = row.label.trim();
      const name = quoted(patterns[i].join(""));
      if (label === "") complain(i, "label", `template ${name} needs a label: a number, such as 1`);
      else if (!Number.isFinite(labels[i])) {
        complain(i, "label", `label ${quoted(label)} of template ${name}: must be a finite number, such as 1 or -1. This page is for real ` +
          "labels; tasks whose answer is a symbol (copying) are in the chapters on copying");
      }
    });
    if (!problems.length && labels.every((f) => f === 0)) complain(0, "label", "all labels are 0, so there is nothing to learn; change one");
    return { task: problems.length ? null : makeTask(patterns, labels), problems };
  }

  function makeTask(patterns, labels) {
    const regular = distinct(patterns.flat()).filter((c) => !isWildcard(c));
    const cls = regular.length;
    const templates = patterns.map((z) => {
      const wildcards = distinct(z).filter(isWildcard);
      const slots = z.map((c) => (isWildcard(c) ? cls + 1 + wildcards.indexOf(c) : regular.indexOf(c)));
      return { pattern: z.join(""), characters: z, wildcards, slots: [...slots, cls] };
    });
    return { templates, labels, regular, cls, length: patterns[0].length + 1, width: Math.max(...templates.map((t) => t.wildcards.length)) };
  }

  /** β, γ, λ, b₁, b₂ from what was typed: {values, problems}, problems being {field, message}. */
  function readParameters(typed) {
    const values = {}, problems = [];
    for (const [field, { name, low, high }] of Object.entries(PARAMETERS)) {
      values[field] = readNumber(typed[field]);
      if (!(values[field] >= low && values[field] <= high)) {
        problems.push({ field, message: `${name} = ${typed[field].trim() || "(empty)"}: must be a number from ${low} to ${high}` });
      }
    }
    return { values, problems };
  }

  // ---- random numbers ----------------------------------------------------------------------------------------------

  /** sfc32: uniform numbers in (0, 1) from integers that name the stream. */
  function uniforms(...seed) {
    let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
    const next = () => {
      const t = (a + b + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (c << 21) | (c >>> 11);
      c = (c + t) | 0;
      return ((t >>> 0) + 0.5) / 4294967296;
    };
    for (const s of seed) {
      a ^= Math.imul(s + 1, 0x85ebca6b);
      b ^= Math.imul(s + 7, 0xc2b2ae35);
      for (let i = 0; i < 12; i++) next();
    }
    return next;
  }

  /** The inverse of the normal distribution function; relative error about 1e-9 (Acklam's rational approximation). */
  function inverseNormal(p) {
    if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
    if (p > 0.97575) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
    const q = p - 0.5, s = q * q;
    return (((((-39.69683028665376 * s + 220.9460984245205) * s - 275.9285104469687) * s + 138.357751867269) * s - 30.66479806614716) * s +
      2.506628277459239) * q / (((((-54.47609879822406 * s + 161.5858368580409) * s - 155.6989798598866) * s + 66.80131188771972) * s -
      13.28068155288572) * s + 1);
  }

  function tail(q) {
    return (((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968) * q +
      2.938163982698783) / ((((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1);
  }

  const STEPS = (() => { // fractional parts of square roots of primes: a Kronecker sequence fills a cube evenly
    const primes = [];
    for (let n = 2; primes.length < 120; n++) if (primes.every((p) => n % p)) primes.push(n);
    return primes.map((p) => Math.sqrt(p) % 1);
  })();

  /** A randomly shifted Kronecker sequence of standard normals: each call fills `into` with the next point. */
  function gaussians(random, dimensions) {
    const at = Float64Array.from({ length: dimensions }, random);
    return (into) => {
      for (let j = 0; j < dimensions; j++) {
        at[j] += STEPS[j];
        if (at[j] >= 1) at[j] -= 1;
        into[j] = inverseNormal(Math.min(Math.max(at[j], 1e-15), 1 - 1e-15));
      }
    };
  }

  // ---- the kernel --------------------------------------------------------------------------------------------------

  /**
   * K_attn between templates that share no symbols, κ (r × r), and of a string with itself, v (r), in one batch.
   *
   * Given the positions' and the regular tokens' Gaussians the two strings are independent, so κ_ij = E[u_i · u_j] with
   * u_i the mean over the wildcards' Gaussians. Two independent sets of these give two independent estimates of u.
   */
  function templateAttention(task, { beta, gamma }, batch, points) {
    const { templates, length: k, cls, width } = task, r = templates.length, tokens = cls + 1;
    const next = gaussians(uniforms(batch, 1), k + tokens), random = uniforms(batch, 2);
    const z = new Float64Array(k + tokens), p = new Float64Array(k), e = new Float64Array(tokens);
    const inner = [0, 1].map(() => Array.from({ length: 2 * INNER }, () => new Float64Array(width))), inside = new Float64Array(width);
    const u = templates.map(() => [0, 1].map(() => new Float64Array(tokens + k)));
    const kappa = new Float64Array(r * r), v = new Float64Array(r);
    const held = new Float64Array(width), squares = new Float64Array(width), means = new Float64Array(width + 1);
    for (let n = 0; n < points; n++) {
      next(z);
      for (let i = 0; i < k; i++) p[i] = Math.exp(beta * gamma * z[i]);
      for (let t = 0; t < tokens; t++) e[t] = Math.exp(beta * z[k + t]);
      for (const set of inner) {
        const draw = gaussians(random, width);
        for (let s = 0; s < INNER; s++) {
          draw(inside);
          for (let a = 0; a < width; a++) {
            set[2 * s][a] = Math.exp(beta * inside[a]);
            set[2 * s + 1][a] = 1 / set[2 * s][a];
          }
        }
      }
      for (let i = 0; i < r; i++) {
        const { slots, wildcards: { length: w } } = templates[i];
        const sums = new Float64Array(tokens);
        held.fill(0);
        squares.fill(0);
        let regular = 0, own = 0;
        for (let j = 0; j < k; j++) {
          if (slots[j] <= cls) {
            const weight = e[slots[j]] * p[j];
            sums[slots[j]] += weight;
            own += gamma * gamma * weight * weight;
          } else {
            held[slots[j] - tokens] += p[j];
            squares[slots[j] - tokens] += p[j] * p[j];
          }
        }
        for (let t = 0; t < tokens; t++) {
          regular += sums[t];
          own += sums[t] * sums[t];
        }
        for (let a = 0; a < w; a++) squares[a] = held[a] * held[a] + gamma * gamma * squares[a];
        for (let half = 0; half < 2; half++) {
          means.fill(0);
          let same = 0;
          for (const drawn of inner[half]) {
            let total = regular, square = own;
            for (let a = 0; a < w; a++) {
              total += drawn[a] * held[a];
              square += drawn[a] * drawn[a] * squares[a];
            }
            const share = 1 / total;
            means[width] += share;
            for (let a = 0; a < w; a++) means[a] += share * drawn[a];
            same += square * share * share;
          }
          v[i] += same / (4 * INNER);
          const out = u[i][half], scale = 1 / (2 * INNER);
          for (let t = 0; t < tokens; t++) out[t] = sums[t] * means[width] * scale;
          for (let j = 0; j < k; j++) {
            out[tokens + j] = gamma * p[j] * scale * (slots[j] <= cls ? e[slots[j]] * means[width] : means[slots[j] - tokens]);
          }
        }
      }
      for (let i = 0; i < r; i++) {
        for (let j = 0; j <= i; j++) kappa[i * r + j] += (dot(u[i][0], u[j][1]) + dot(u[i][1], u[j][0])) / 2;
      }
    }
    for (let i = 0; i < r; i++) {
      v[i] /= points;
      for (let j = 0; j <= i; j++) kappa[i * r + j] = kappa[j * r + i] = kappa[i * r + j] / points;
    }
    return { kappa, v };
  }

  function dot(x, y) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
    return sum;
  }

  /** K_attn of pairs of strings that share symbols, in one batch. Patterns: {i, j, pairs: [[a, b], …]}, a of i, b of j. */
  function matchedAttention(task, { beta, gamma }, patterns, batch, points) {
    const { templates, length: k, cls, width } = task, tokens = cls + 1, all = tokens + 2 * width;
    const next = gaussians(uniforms(batch, 3), k + all), z = new Float64Array(k + all);
    const p = new Float64Array(k), e = new Float64Array(all), sums = new Float64Array(patterns.length);
    const placed = templates.map(({ slots }) => ({ slots, held: new Float64Array(tokens + width) }));
    const plans = patterns.map(({ i, j, pairs }) => {
      const right = new Int32Array(tokens + width); // slot of j → the Gaussian it uses
      for (let t = 0; t < tokens; t++) right[t] = t;
      for (let b = 0; b < width; b++) right[tokens + b] = tokens + width + b;
      for (const [a, b] of pairs) right[tokens + b] = tokens + a;
      return { x: placed[i], y: placed[j], right, pairs };
    });
    const weights = new Float64Array(k);
    for (let n = 0; n < points; n++) {
      next(z);
      for (let i = 0; i < k; i++) p[i] = Math.exp(beta * gamma * z[i]);
      for (let t = 0; t < all; t++) e[t] = Math.exp(beta * z[k + t]);
      for (const { slots, held } of placed) {
        held.fill(0);
        for (let i = 0; i < k; i++) held[slots[i]] += p[i];
      }
      for (let m = 0; m < plans.length; m++) {
        const { x, y, right, pairs } = plans[m];
        let left = 0, other = 0, shared = 0;
        for (let t = 0; t < tokens + width; t++) {
          left += e[t] * x.held[t];
          other += e[right[t]] * y.held[t];
        }
        for (let t = 0; t < tokens; t++) shared += e[t] * e[t] * x.held[t] * y.held[t];
        for (let q = 0; q < pairs.length; q++) {
          const a = tokens + pairs[q][0], b = tokens + pairs[q][1];
          shared += e[a] * e[a] * x.held[a] * y.held[b];
        }
        let position = 0;
        for (let i = 0; i < k; i++) position += p[i] * p[i] * e[x.slots[i]] * e[right[y.slots[i]]];
        sums[m] += (shared + gamma * gamma * position) / (left * other);
      }
    }
    return sums.map((s) => s / points);
  }

  /** E[cos(b₁u + b₂) cos(b₁v + b₂)] for centred Gaussians of variances xx, yy and covariance xy. */
  function cosDual(xx, xy, yy, b1, b2) {
    return (Math.exp(-b1 * b1 * (xx + yy - 2 * xy) / 2) + Math.cos(2 * b2) * Math.exp(-b1 * b1 * (xx + yy + 2 * xy) / 2)) / 2;
  }

  // ---- small matrices, row by row in one array ---------------------------------------------------------------------

  /** Eigenvalues (rising) and eigenvectors (rows) of a symmetric matrix, by Jacobi's rotations. */
  function eigen(matrix, r) {
    const a = Float64Array.from(matrix), q = new Float64Array(r * r);
    for (let i = 0; i < r; i++) q[i * r + i] = 1;
    for (let sweep = 0; sweep < 60; sweep++) {
      let off = 0;
      for (let i = 0; i < r; i++) for (let j = 0; j < i; j++) off += a[i * r + j] ** 2;
      if (off < 1e-40) break;
      for (let i = 0; i < r; i++) {
        for (let j = i + 1; j < r; j++) {
          if (a[i * r + j] === 0) continue;
          const theta = (a[j * r + j] - a[i * r + i]) / (2 * a[i * r + j]);
          const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
          const c = 1 / Math.sqrt(t * t + 1), s = t * c;
          for (let m = 0; m < r; m++) [a[m * r + i], a[m * r + j]] = [c * a[m * r + i] - s * a[m * r + j], s * a[m * r + i] + c * a[m * r + j]];
          for (let m = 0; m < r; m++) [a[i * r + m], a[j * r + m]] = [c * a[i * r + m] - s * a[j * r + m], s * a[i * r + m] + c * a[j * r + m]];
          for (let m = 0; m < r; m++) [q[i * r + m], q[j * r + m]] = [c * q[i * r + m] - s * q[j * r + m], s * q[i * r + m] + c * q[j * r + m]];
        }
      }
    }
    const order = [...Array(r).keys()].sort((i, j) => a[i * r + i] - a[j * r + j]);
    return { values: order.map((i) => a[i * r + i]), vectors: order.map((i) => Array.from(q.slice(i * r, (i + 1) * r))) };
  }

  /** The solution x of A x = y, by elimination with the largest pivot. */
  function solve(matrix, y) {
    const r = y.length, a = Array.from({ length: r }, (_, i) => [...matrix.slice(i * r, (i + 1) * r), y[i]]);
    for (let i = 0; i < r; i++) {
      let best = i;
      for (let m = i + 1; m < r; m++) if (Math.abs(a[m][i]) > Math.abs(a[best][i])) best = m;
      [a[i], a[best]] = [a[best], a[i]];
      for (let m = 0; m < r; m++) {
        if (m === i) continue;
        const factor = a[m][i] / a[i][i];
        for (let j = i; j <= r; j++) a[m][j] -= factor * a[i][j];
      }
    }
    return a.map((row, i) => row[r] / row[i]);
  }

  /** Cholesky's lower factor, in place in a full (n × n) array. Returns whether the matrix is positive definite. */
  function cholesky(a, n) {
    for (let j = 0; j < n; j++) {
      for (let i = j; i < n; i++) {
        let sum = a[i * n + j];
        const left = i * n, up = j * n;
        for (let m = 0; m < j; m++) sum -= a[left + m] * a[up + m];
        if (i === j) {
          if (!(sum > 0)) return false;
          a[up + j] = Math.sqrt(sum);
        } else a[left + j] = sum / a[up + j];
      }
    }
    return true;
  }

  // ---- the learning curve ------------------------------------------------------------------------------------------

  /** n strings over n symbols: which template, and its wildcards' symbols. */
  function drawStrings(task, n, random) {
    const template = new Int32Array(n), symbols = [];
    for (let s = 0; s < n; s++) {
      template[s] = Math.min(Math.floor(random() * task.templates.length), task.templates.length - 1);
      const mine = [];
      while (mine.length < task.templates[template[s]].wildcards.length) {
        const symbol = Math.floor(random() * n);
        if (!mine.includes(symbol)) mine.push(symbol);
      }
      symbols.push(mine);
    }
    return { n, template, symbols };
  }

  /**
   * The entries of E that are not 0, as [s, t, pattern, …] with s ≥ t: strings with a symbol in common, and the diagonal.
   * `index` and `patterns` collect the patterns of equal symbols that occur.
   */
  function overlaps({ n, template, symbols }, index, patterns) {
    const holders = new Map(), common = new Map();
    for (let s = 0; s < n; s++) {
      common.set(s * n + s, symbols[s].map((_, a) => [a, a]));
      symbols[s].forEach((symbol, a) => {
        const others = holders.get(symbol) ?? [];
        holders.set(symbol, others);
        for (const [t, b] of others) {
          const swap = template[s] > template[t], pair = swap ? [b, a] : [a, b];
          const known = common.get(s * n + t);
          if (known) known.push(pair);
          else common.set(s * n + t, [pair]);
        }
        others.push([s, a]);
      });
    }
    const found = [];
    for (const [place, pairs] of common) {
      const s = Math.floor(place / n), t = place % n, [i, j] = [template[s], template[t]].sort((x, y) => x - y);
      found.push(s, t, patternOf(i, j, pairs, index, patterns));
    }
    return Int32Array.from(found);
  }

  /** The number of a pattern {i, j, pairs}; K is symmetric, so a matching within one template and its mirror are one. */
  function patternOf(i, j, pairs, index, patterns) {
    const name = (matching) => matching.map(([a, b]) => 10 * a + b).sort((x, y) => x - y).join();
    let key = name(pairs);
    if (i === j) {
      const mirrored = name(pairs.map(([a, b]) => [b, a]));
      if (mirrored < key) key = mirrored;
    }
    key = `${i} ${j} ${key}`;
    if (!index.has(key)) {
      index.set(key, patterns.length);
      patterns.push({ i, j, pairs });
    }
    return index.get(key);
  }

  /** B = Zᵀ (E + λ)⁻¹ Z (r × r) of a sample; null if the Monte Carlo error makes E + λ indefinite. */
  function templateSums(sample, entries, excess, ridge, r) {
    const { n, template } = sample, a = new Float64Array(n * n);
    for (let q = 0; q < entries.length; q += 3) a[entries[q] * n + entries[q + 1]] = excess[entries[q + 2]];
    for (let s = 0; s < n; s++) a[s * n + s] += ridge;
    if (!cholesky(a, n)) return null;
    const columns = Array.from({ length: r }, (_, i) => { // L⁻¹ Z
      const x = new Float64Array(n);
      for (let s = 0; s < n; s++) {
        let sum = template[s] === i ? 1 : 0;
        for (let m = 0; m < s; m++) sum -= a[s * n + m] * x[m];
        x[s] = sum / a[s * n + s];
      }
      return x;
    });
    return Float64Array.from({ length: r * r }, (_, q) => dot(columns[Math.floor(q / r)], columns[q % r]));
  }

  /** Mean squared error on unseen symbols of ridge regression, whose misses are (I + N B)⁻¹ f. */
  function testError(matrix, b, labels) {
    const r = labels.length, system = new Float64Array(r * r);
    for (let i = 0; i < r; i++) {
      for (let j = 0; j < r; j++) {
        let sum = i === j ? 1 : 0;
        for (let m = 0; m < r; m++) sum += matrix[i * r + m] * b[m * r + j];
        system[i * r + j] = sum;
      }
    }
    return solve(system, labels).reduce((sum, miss) => sum + miss * miss, 0) / r;
  }

  /** Where a curve first falls to one half of `whole`, straight between points in log n; Infinity if it does not. */
  function halving(sizes, errors, whole) {
    const at = errors.findIndex((error) => error <= whole / 2);
    if (at < 0) return Infinity;
    if (at === 0) return sizes[0];
    const share = (errors[at - 1] - whole / 2) / (errors[at - 1] - errors[at]);
    return sizes[at - 1] * (sizes[at] / sizes[at - 1]) ** share;
  }

  function sizesFor(task) {
    const from = Math.max(4, 2 ** Math.ceil(Math.log2(task.width + 1))), simulated = [], beyond = [];
    for (let h = 2 * Math.log2(from); h <= 48; h++) {
      const n = Math.round(2 ** (h / 2));
      if (h % 2 && n < LARGEST / 2) continue; // small samples tell little
      (n <= LARGEST ? simulated : beyond).push(n);
    }
    return { simulated, beyond };
  }

  const mean = (x) => x.reduce((sum, one) => sum + one, 0) / x.length;
  const standardError = (x) => {
    const m = mean(x);
    return Math.sqrt(x.reduce((sum, one) => sum + (one - m) ** 2, 0) / (x.length - 1) / x.length);
  };
  const meanOf = (arrays) => Array.from(arrays[0], (_, i) => mean(arrays.map((x) => x[i])));
  const errorOf = (arrays) => Array.from(arrays[0], (_, i) => standardError(arrays.map((x) => x[i])));

  /**
   * Everything the page shows of a task. `report(share)` is called with the share of the work that is done.
   * Parameters: {beta, gamma, ridge, b1, b2}.
   */
  function compute(task, parameters, report = () => {}) {
    const { b1, b2, ridge } = parameters, r = task.templates.length, { labels } = task;
    const points = Math.max(256, Math.min(1536, Math.floor(60000 / (task.width * (1 + r) + task.length))));
    const attention = [];
    for (let batch = 0; batch < BATCHES; batch++) {
      attention.push(templateAttention(task, parameters, batch, points));
      report(0.3 * (batch + 1) / BATCHES);
    }
    const trans = (kappa, i, j, v) => cosDual(v[i], kappa, v[j], b1, b2);
    const matrixOf = (kappa, v) => Float64Array.from(kappa, (one, q) => trans(one, Math.floor(q / r), q % r, v));
    const kappa = meanOf(attention.map((x) => x.kappa)), v = meanOf(attention.map((x) => x.v));
    const matrix = Array.from(matrixOf(kappa, v)), matrices = attention.map((x) => matrixOf(x.kappa, x.v));
    const { values, vectors } = eigen(matrix, r);
    const moved = matrices.map((m) => { // how much the eigenvalue moves with the entries of N
      let sum = 0;
      for (let i = 0; i < r; i++) for (let j = 0; j < r; j++) sum += vectors[0][i] * vectors[0][j] * m[i * r + j];
      return sum;
    });
    const gapsOf = (k) => Float64Array.from(k, (one, q) => k[Math.floor(q / r) * (r + 1)] + k[(q % r) * (r + 1)] - 2 * one);
    const gaps = attention.map((x) => gapsOf(x.kappa));

    // Samples of strings, and the patterns of equal symbols that occur in them
    const { simulated, beyond } = sizesFor(task), index = new Map(), patterns = [], samples = [];
    for (let i = 0; i < r; i++) for (let j = i; j < r; j++) patternOf(i, j, [], index, patterns);
    for (let batch = 0; batch < BATCHES; batch++) {
      const random = uniforms(batch, 4);
      samples.push(simulated.map((n) => Array.from({ length: SAMPLES }, () => {
        const sample = drawStrings(task, n, random);
        return { sample, entries: overlaps(sample, index, patterns) };
      })));
    }
    report(0.35);
    const draws = Math.max(32, Math.min(768, Math.floor(700000 / (patterns.length * task.length))));
    const errors = [], sums = [], largest = [];
    let indefinite = false;
    const curves = []; // of each batch, with its own kernel
    for (let batch = 0; batch < BATCHES; batch++) {
      const found = matchedAttention(task, parameters, patterns, batch, draws);
      const excess = Float64Array.from(patterns, ({ i, j, pairs }, m) => {
        const same = i === j && pairs.length === task.templates[i].wildcards.length && pairs.every(([a, b]) => a === b);
        // By the same points as without the matching, so that most of the error cancels
        const more = found[m] - found[index.get(`${i} ${j} `)];
        return trans(same ? v[i] : kappa[i * r + j] + more, i, j, v) - matrix[i * r + j];
      });
      const b = samples[batch].map((some) => some.map(({ sample, entries }) => templateSums(sample, entries, excess, ridge, r)));
      if (b.flat().some((one) => one === null)) {
        indefinite = true;
        break;
      }
      sums.push(b);
      largest.push(meanOf(b.at(-1)));
      const scaled = (n, from) => from.map((one) => one * n / LARGEST);
      curves.push([...b.map((some) => mean(some.map((one) => testError(matrices[batch], one, labels)))),
        ...beyond.map((n) => testError(matrices[batch], scaled(n, largest[batch]), labels))]);
      report(0.35 + 0.65 * (batch + 1) / BATCHES);
    }
    const whole = mean(labels.map((f) => f * f)), sizes = [...simulated, ...beyond];
    let curve = null;
    if (!indefinite) {
      const typical = meanOf(largest);
      const central = [...simulated.map((_, s) => mean(sums.flatMap((b) => b[s].map((one) => testError(matrix, one, labels))))),
        ...beyond.map((n) => testError(matrix, typical.map((one) => one * n / LARGEST), labels))];
      const half = halving(sizes, central, whole), logs = curves.map((one) => Math.log(halving(sizes, one, whole)));
      const spread = logs.every(Number.isFinite) ? T_95 * standardError(logs) : Infinity;
      curve = { sizes, simulatedUpTo: LARGEST, errors: central, standardErrors: errorOf(curves), whole, half,
        interval: [half * Math.exp(-spread), half * Math.exp(spread)] };
    }
    return {
      kappa, kappaErrors: errorOf(attention.map((x) => x.kappa)), v, vErrors: errorOf(attention.map((x) => x.v)),
      matrix, matrixErrors: errorOf(matrices), eigenvalues: values, smallest: values[0], smallestError: standardError(moved),
      gaps: Array.from(gapsOf(kappa)), gapErrors: errorOf(gaps), curve, points: points * BATCHES, draws: draws * BATCHES,
      patterns: patterns.length,
    };
  }

  // ---- what tells two templates apart ------------------------------------------------------------------------------

  /** How the kernel tells two templates apart: {order: [p, q] or null, pairs}, as `leading_gap`; pairs of positions that
   * are equal in one template only. Small β: the squared distance starts at β^p γ^q. */
  function difference(task, i, j) {
    const x = task.templates[i].slots, y = task.templates[j].slots, k = task.length, { cls } = task;
    const count = (z, t) => z.filter((c) => c === t).length;
    const pairs = [];
    const tied = (z, a, b) => z[a] === z[b];
    for (let a = 0; a < k - 1; a++) for (let b = a + 1; b < k - 1; b++) if (tied(x, a, b) !== tied(y, a, b)) pairs.push([a + 1, b + 1, tied(x, a, b)]);
    const tokens = [...Array(cls).keys()];
    const alone = (z, a, b) => z[a] > cls && z[a] === z[b] ? 1 : 0;
    const rows = x.map((_, a) => x.reduce((sum, _c, b) => sum + alone(x, a, b) - alone(y, a, b), 0));
    let order = null;
    if (tokens.some((t) => count(x, t) !== count(y, t))) order = [0, 0];
    else if (x.some((c, a) => c !== y[a] && (c <= cls || y[a] <= cls))) order = [2, 2];
    else if (rows.some((one) => one)) order = [4, rows.reduce((sum, one) => sum + one, 0) ? 0 : 2];
    else if (x.some((_, a) => x.some((_c, b) => alone(x, a, b) !== alone(y, a, b)))) order = [6, 4];
    return { order, pairs };
  }

  /** Some strings of the task in letters, each {string, template, label}. */
  function sampleStrings(task, count, seed) {
    const random = uniforms(seed, 5);
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"].filter((c) => !task.regular.includes(c)).slice(0, 26);
    return Array.from({ length: count }, () => {
      const i = Math.floor(random() * task.templates.length), { characters, wildcards, pattern } = task.templates[i], mine = [];
      while (mine.length < wildcards.length) {
        const letter = letters[Math.floor(random() * letters.length)];
        if (!mine.includes(letter)) mine.push(letter);
      }
      return { string: characters.map((c) => (isWildcard(c) ? mine[wildcards.indexOf(c)] : c)).join(""), template: pattern, label: task.labels[i] };
    });
  }

  return { WILDCARDS, BATCHES, LARGEST, PARAMETERS, LIMITS, isDisjoint, readTask, readParameters, uniforms, inverseNormal, cosDual, eigen, solve, cholesky,
    halving, templateAttention, matchedAttention, compute, difference, sampleStrings };
}
