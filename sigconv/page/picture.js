// Pictures as arrays: planes of numbers, 0 black and 1 white; their convolution in two dimensions, and their scan as sound.

// The pixels of an image of the page, a plane for grey, three for colours.
function pixelsOf(image) {
  const w = image.naturalWidth, h = image.naturalHeight, canvas = new OffscreenCanvas(w, h);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, w, h).data, planes = [0, 1, 2].map(() => new Float32Array(w * h));
  let grey = true;
  for (let i = 0; i < w * h; i++) {
    for (let c = 0; c < 3; c++) planes[c][i] = bytes[4 * i + c] / 255;
    grey = grey && bytes[4 * i] === bytes[4 * i + 1] && bytes[4 * i] === bytes[4 * i + 2];
  }
  return { w, h, planes: grey ? planes.slice(0, 1) : planes };
}

// x ∗ h on the picture's own grid, zeros beyond its edges: y(ω) = Σ h(κ) x(ω − κ), one pass after another.
function convolvedPlane(x, h, w, passes) {
  return passes.reduce((plane, pass) => {
    const out = new Float32Array(h * w), [, across] = pass.shape;
    readTaps(pass).forEach((tap, j) => {
      if (!tap) return;
      const dy = pass.start[0] + Math.floor(j / across), dx = pass.start[1] + j % across;
      const left = Math.max(0, dx), right = Math.min(w, w + dx), bottom = Math.min(h, h + dy);
      for (let y = Math.max(0, dy); y < bottom; y++) {
        const to = y * w, from = (y - dy) * w - dx;
        for (let i = left; i < right; i++) out[to + i] += tap * plane[from + i];
      }
    });
    return out;
  }, x);
}

// A picture through a kernel: `filters`, the planes of each of its filters, `answers`, what each makes of a constant 1; `planes`,
// what is seen of it; `factor`, how much brighter.
function throughKernel(picture, kernel) {
  const { w, h } = picture;
  const filters = kernel.filters.map((passes) => picture.planes.map((plane) => convolvedPlane(plane, h, w, passes)));
  const planes = kernel.view !== "length" ? filters[0] :
    filters[0].map((_, c) => Float32Array.from(filters[0][c], (_, i) => Math.hypot(...filters.map((f) => f[c][i]))));
  const answers = kernel.filters.map((passes) => passes.reduce((gain, pass) => gain * readTaps(pass).reduce((a, v) => a + v, 0), 1));
  return { w, h, filters, answers, planes, view: kernel.view, factor: kernel.view === "plain" ? 1 : brighter(planes) };
}

// The largest power of two, at most 64, that leaves no more than one value in 50 beyond full scale.
function brighter(planes) {
  const all = new Float32Array(planes.length * planes[0].length);
  planes.forEach((plane, c) => plane.forEach((v, i) => { all[c * plane.length + i] = Math.abs(v); }));
  all.sort();
  const top = all[all.length - 1 - Math.floor(all.length / 50)] || all[all.length - 1];
  return top > 0 ? 2 ** Math.min(Math.max(Math.floor(Math.log2(1 / top)), 0), 6) : 1;
}

// What is seen, on a canvas: clipped to black and white; values that swing around 0 around middle grey.
function canvasOf({ w, h, planes, view, factor }) {
  const image = new ImageData(w, h), grey = view === "grey";
  for (let c = 0; c < 3; c++) {
    const plane = planes[Math.min(c, planes.length - 1)];
    for (let i = 0; i < w * h; i++) image.data[4 * i + c] = 255 * (grey ? 0.5 + 0.5 * factor * plane[i] : factor * plane[i]);
  }
  for (let i = 0; i < w * h; i++) image.data[4 * i + 3] = 255;
  return canvasWith(image);
}

function canvasWith(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// Row by row as sound, a channel for each filter, colours averaged, silent where the picture is `grey`, as the file itself was
// scanned: `rows` rows of `width` samples; a picture that was made smaller for the page is read between its pixels.
function scanned({ w, h, filters, answers }, { shape, rows, grey }, length) {
  const [tall, wide] = shape, every = Math.ceil(tall / rows);
  return filters.map((planes, f) => {
    const out = new Float32Array(length), rest = grey * answers[f];
    for (let r = 0; r < rows; r++) {
      const row = Math.min(Math.floor((r * every + 0.5) * h / tall), h - 1) * w;
      for (let i = 0; i < wide && r * wide + i < length; i++) {
        const at = Math.min(Math.max((i + 0.5) * w / wide - 0.5, 0), w - 1), left = Math.floor(at), t = at - left;
        let v = 0;
        for (const plane of planes) v += t ? plane[row + left] * (1 - t) + plane[row + left + 1] * t : plane[row + left];
        out[r * wide + i] = v / planes.length - rest;
      }
    }
    return out;
  });
}

// A filter of passes as one grid of taps.
function tapsOf(passes) {
  const [first, second] = passes.map((pass) => ({ taps: readTaps(pass), shape: pass.shape }));
  if (!second) return { taps: Array.from(first.taps), shape: first.shape };
  const [down, across] = [first.taps.length, second.taps.length];
  return { taps: Array.from({ length: down * across }, (_, i) => first.taps[Math.floor(i / across)] * second.taps[i % across]), shape: [down, across] };
}

// |H| in dB on points × points frequencies, −½ … ½ a sample each, 0 in the middle.
function responseMap(passes, points = 65) {
  const level = new Float64Array(points * points);
  for (const pass of passes) {
    const taps = readTaps(pass), across = pass.shape[1];
    for (let i = 0; i < level.length; i++) {
      const fy = (Math.floor(i / points) - (points - 1) / 2) / points, fx = (i % points - (points - 1) / 2) / points;
      let re = 0, im = 0;
      for (let j = 0; j < taps.length; j++) {
        if (!taps[j]) continue;
        const phase = 2 * Math.PI * (fy * Math.floor(j / across) + fx * (j % across));
        re += taps[j] * Math.cos(phase);
        im += taps[j] * Math.sin(phase);
      }
      level[i] += 20 * Math.log10(Math.max(Math.hypot(re, im), 1e-10));
    }
  }
  return level;
}

// A number between 0 and 1 for each cell, in the colours of these anchors.
function colourMap(values, [h, w], anchors) {
  const image = new ImageData(w, h);
  values.forEach((v, i) => {
    const at = Math.min(Math.max(v, 0), 1) * (anchors.length - 1), k = Math.min(Math.floor(at), anchors.length - 2), t = at - k;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = anchors[k][c] * (1 - t) + anchors[k + 1][c] * t;
    image.data[4 * i + 3] = 255;
  });
  return canvasWith(image);
}

function mapFigure(canvas, words) {
  const figure = document.createElement("figure"), caption = document.createElement("figcaption");
  figure.className = "pixels";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  caption.textContent = words;
  figure.append(canvas, caption);
  return figure;
}

function drawTapMaps(kernel, anchors) {
  return kernel.filters.map((passes) => {
    const { taps, shape } = tapsOf(passes), low = Math.min(...taps), high = Math.max(...taps), size = Math.max(-low, high) || 1;
    return mapFigure(colourMap(taps.map((v) => (v / size + 1) / 2), shape, anchors), `taps ${shape[0]} × ${shape[1]}, ${minus(low)} … ${minus(high)}`);
  });
}

function drawResponseMaps(kernel, anchors) {
  return kernel.filters.map((passes) => {
    const level = responseMap(passes), top = Math.max(...level);
    return mapFigure(colourMap(Array.from(level, (v) => (v - top) / 48 + 1), [65, 65], anchors), `gain over frequency, 0 in the middle, at most ${minus(top)} dB`);
  });
}
