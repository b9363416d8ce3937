// The same plots that the page brings along, drawn for sounds and kernels that are made in it.

const WIDE = 1000, TALL = 400;

function node(tag, attributes = {}, parent = null, text = "") {
  const it = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value);
  if (text) it.textContent = text;
  if (parent) parent.append(it);
  return it;
}

// The outline of a sound (channels laid over each other) in WIDE × TALL.
function outline(sound, scale, columns = 800) {
  const n = sound[0].length, y = (v) => Math.round(TALL / 2 * (1 - Math.max(-1, Math.min(1, v / scale))));
  if (n < 2) return `M0,${y(n ? sound[0][0] : 0)}H${WIDE}`;
  if (n <= 2 * columns) return "M" + Array.from(sound[0], (v, i) => `${(WIDE * i / (n - 1)).toFixed(1)},${y(v)}`).join(" ");
  const top = [], bottom = [];
  for (let i = 0; i < columns; i++) {
    let low = Infinity, high = -Infinity;
    for (const x of sound) {
      for (let j = Math.floor(i * n / columns); j < Math.floor((i + 1) * n / columns); j++) { low = Math.min(low, x[j]); high = Math.max(high, x[j]); }
    }
    const at = (WIDE * (i + 0.5) / columns).toFixed(1);
    top.push(`${at},${y(high) - 1}`);
    bottom.push(`${at},${y(low) + 1}`);
  }
  return `M${top.join(" ")} ${bottom.reverse().join(" ")}Z`;
}

function niceTicks(low, high, about) {
  if (!(high > low)) return [low];
  const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) ticks.push(+(i * step).toPrecision(12));
  return ticks;
}

const minus = (v) => String(+v.toPrecision(4)).replace("-", "−");
const hertz = (v) => (v >= 1000 ? `${v / 1000} kHz` : `${v} Hz`);

function plot(height, label) {
  const svg = node("svg", { class: "plot", role: "img", "aria-label": label, width: "100%", height: height + 22 });
  const across = (x, word) => {
    node("line", { class: "grid", x1: `${100 * x}%`, x2: `${100 * x}%`, y1: 0, y2: height }, svg);
    if (word) node("text", { class: "tick", x: `${100 * x}%`, y: height + 16, "text-anchor": x < 0.02 ? "start" : x > 0.98 ? "end" : "middle" }, svg, word);
  };
  const along = (y, word, strong) => {
    node("line", { class: strong ? "axis" : "grid", x1: 0, x2: "100%", y1: y * height, y2: y * height }, svg);
    if (word) node("text", { class: "tick inside", x: 4, y: y * height > 14 ? Math.max(y * height - 4, 11) : y * height + 13 }, svg, word);
  };
  const curve = (d, kind) => {
    const box = node("svg", { width: "100%", height, viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none" }, svg);
    node("path", { class: kind, d }, box);
  };
  return { svg, across, along, curve, height };
}

function drawTaps(taps, start) {
  const n = taps.length, low = taps.reduce((a, v) => Math.min(a, v), 0), high = taps.reduce((a, v) => Math.max(a, v), 0);
  const room = 0.12 * (high - low) || 1, top = high + room, bottom = low - room, few = n <= 128;
  const p = plot(170, `taps: ${n}`), place = (v) => (top - v) / (top - bottom), edge = few ? 0.5 : 0, span = Math.max(n - 1 + 2 * edge, 1);
  for (const v of niceTicks(low, high, 3)) p.along(place(v), minus(v), v === 0);
  const ticks = niceTicks(start, start + n - 1, n > 12 ? 6 : Math.max(n - 1, 1)).filter(Number.isInteger);
  for (const i of ticks) p.across((i - start + edge) / span, minus(i));
  if (few) {
    taps.forEach((v, i) => {
      const x = `${100 * (i + edge) / span}%`;
      node("line", { class: "stem c0", x1: x, x2: x, y1: place(0) * p.height, y2: place(v) * p.height }, p.svg);
      node("circle", { class: "head c0", cx: x, cy: place(v) * p.height, r: 3.5 }, p.svg);
    });
  } else {
    const middle = (top + bottom) / 2;
    const d = outline([taps.map((v) => v - middle)], (top - bottom) / 2, 400);
    p.curve(d, d.endsWith("Z") ? "wave c0" : "wave open c0");
  }
  return p.svg;
}

// |H| at 0 … rate/2 on n/2 + 1 points, by the radix-2 transform.
function magnitudes(taps, n) {
  const re = new Float64Array(n), im = new Float64Array(n), bits = Math.log2(n);
  for (let i = 0; i < n; i++) {
    let j = 0;
    for (let b = 0; b < bits; b++) j |= (i >> b & 1) << (bits - 1 - b);
    re[j] = i < taps.length ? taps[i] : 0;
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const c = Math.cos(2 * Math.PI * k / size), s = -Math.sin(2 * Math.PI * k / size);
      for (let a = k; a < n; a += size) {
        const b = a + size / 2, x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y; re[a] += x; im[a] += y;
      }
    }
  }
  return Float64Array.from({ length: n / 2 + 1 }, (_, i) => Math.hypot(re[i], im[i]));
}

// |H| in dB at frequencies spaced evenly in log from rate/2000 to rate/2: between lines where they are sparse, the most of them where dense.
function responseOf(taps, points = 300) {
  const n = 2 ** Math.max(12, Math.ceil(Math.log2(4 * taps.length))), H = magnitudes(taps, n), at = (i) => n / 2000 * 1000 ** (i / (points - 1));
  return Array.from({ length: points }, (_, i) => {
    const x = Math.min(at(i), n / 2), k = Math.min(Math.floor(x), n / 2 - 1);
    let most = H[k] + (x - k) * (H[k + 1] - H[k]);
    for (let j = Math.ceil(at(i - 0.5)); j <= Math.min(at(i + 0.5), n / 2); j++) most = Math.max(most, H[j]);
    return 20 * Math.log10(Math.max(most, 1e-10));
  });
}

function drawResponse(taps, rate) {
  const level = responseOf(taps), most = Math.max(...level);
  const high = Math.max(6 * Math.ceil((most + 1) / 6), 6), low = Math.min(Math.max(6 * Math.floor(Math.min(...level) / 6), high - 72), high - 24);
  const p = plot(190, `frequency response, at most ${minus(most)} dB`);
  for (const v of niceTicks(low, high, 5)) if (v > low && v < high) p.along((high - v) / (high - low), `${minus(v)} dB`, v === 0);
  for (let power = Math.floor(Math.log10(rate / 2000)); power < 7; power++) {
    const f = 10 ** power;
    if (f >= 1.02 * rate / 2000 && f <= 0.45 * rate) p.across(Math.log10(f / rate * 2000) / 3, hertz(f));
  }
  p.curve("M" + level.map((v, i) => `${(WIDE * i / (level.length - 1)).toFixed(1)},${(TALL * (high - Math.max(v, low)) / (high - low)).toFixed(1)}`).join(" "), "line c0");
  return p.svg;
}
