// Sound as arrays: the clips that travel with the page, loudness, and convolution. Nothing here touches the document.

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// A WAV file (16-bit PCM, full scale 32768, or 32-bit float) as one Float32Array a channel: no resampling, no dither.
function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let channels = 0, bits = 0, at = 12;
  for (;;) {
    const id = view.getUint32(at), size = view.getUint32(at + 4, true), body = at + 8;
    if (id === 0x666d7420) {
      channels = view.getUint16(body + 2, true);
      bits = view.getUint16(body + 14, true);
    } else if (id === 0x64617461) {
      const n = size / (channels * bits / 8);
      const copy = bytes.slice(body, body + size).buffer;
      const flat = bits === 16 ? new Int16Array(copy) : new Float32Array(copy);
      const scale = bits === 16 ? 1 / 32768 : 1;
      return Array.from({ length: channels }, (_, c) => {
        const out = new Float32Array(n);
        for (let i = 0; i < n; i++) out[i] = flat[i * channels + c] * scale;
        return out;
      });
    }
    at = body + size + size % 2;
  }
}

// Taps as numbers: float32, or 16-bit steps of a size for each block; all of them, those that are not 0, or the first half of an even kernel.
function readTaps(kernel) {
  const buffer = bytesOf(kernel.taps).buffer;
  const raw = kernel.type === "i2" ? new Int16Array(buffer) : new Float32Array(buffer);
  const taps = new Float32Array(kernel.n), scales = kernel.block && new Float32Array(bytesOf(kernel.scales).buffer);
  raw.forEach((v, i) => {
    const tap = scales ? v * scales[Math.floor(i / kernel.block)] : v;
    taps[kernel.at ? kernel.at[i] : i] = tap;
    if (kernel.mirror) taps[kernel.n - 1 - i] = tap;
  });
  return taps;
}

// b's channels against a's: a mono sound stands against every channel.
const channelOf = (sound, c) => sound[Math.min(c, sound.length - 1)];

function difference(wet, dry) {
  const many = Math.max(wet.length, dry.length);
  return Array.from({ length: many }, (_, c) => channelOf(wet, c).map((v, i) => v - channelOf(dry, c)[i]));
}

function peakOf(sound) {
  let peak = 0;
  for (const channel of sound) for (const v of channel) peak = Math.max(peak, v < 0 ? -v : v);
  return peak;
}

function powerOf(sound) {
  let sum = 0, n = 0;
  for (const channel of sound) { for (const v of channel) sum += v * v; n += channel.length; }
  return n ? sum / n : 0;
}

function biquad(x, b0, b1, b2, a1, a2) {
  const y = new Float64Array(x.length);
  let s = 0, t = 0;
  for (let i = 0; i < x.length; i++) {
    const v = x[i], out = b0 * v + s;
    s = b1 * v - a1 * out + t;
    t = b2 * v - a2 * out;
    y[i] = out;
  }
  return y;
}

// The K-weighting of ITU-R BS.1770 at any rate: a shelf of +4 dB and a high-pass, by the bilinear transform.
function kWeighted(x, rate) {
  let K = Math.tan(Math.PI * Math.min(1681.974450955533 / rate, 0.49)), Q = 0.7071752369554196;
  const top = Math.pow(10, 3.999843853973347 / 20), mid = Math.pow(top, 0.4996667741545416);
  let d = 1 + K / Q + K * K;
  const shelf = biquad(x, (top + mid * K / Q + K * K) / d, 2 * (K * K - top) / d, (top - mid * K / Q + K * K) / d,
    2 * (K * K - 1) / d, (1 - K / Q + K * K) / d);
  K = Math.tan(Math.PI * Math.min(38.13547087602444 / rate, 0.49)); Q = 0.5003270373238773;
  d = 1 + K / Q + K * K;
  return biquad(shelf, 1, -2, 1, 2 * (K * K - 1) / d, (1 - K / Q + K * K) / d);
}

// Integrated loudness in LUFS, gated; a clip shorter than one block of 400 ms is one block.
function loudnessOf(sound, rate) {
  const n = sound[0].length, block = Math.min(Math.round(0.4 * rate), n) || 1, hop = Math.max(1, Math.round(0.1 * rate));
  const sums = sound.map((x) => {
    const y = kWeighted(x, rate), sum = new Float64Array(n + 1);
    for (let i = 0; i < n; i++) sum[i + 1] = sum[i] + y[i] * y[i];
    return sum;
  });
  const powers = [];
  for (let at = 0; at + block <= n; at += hop) {
    powers.push(sums.reduce((p, s) => p + (s[at + block] - s[at]) / block, 0));
  }
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const lufs = (power) => -0.691 + 10 * Math.log10(power);
  const loud = powers.filter((p) => lufs(p) > -70);
  if (!loud.length) return -Infinity;
  const gate = mean(loud) / 10;
  return lufs(mean(loud.filter((p) => p > gate)));
}

// x ∗ h on x's own grid, channel by channel, by the browser's convolver; `start` is the place of the first tap.
// The rate of the offline context is a name only: taps and samples meet one to one.
async function convolved(sound, taps, start) {
  const n = sound[0].length, rate = 44100, out = [];
  for (const channel of sound) {
    const y = new Float32Array(n), total = n - Math.min(start, 0);
    const offline = new OfflineAudioContext(1, total, rate);
    const source = new AudioBufferSourceNode(offline, { buffer: bufferOf([channel], rate) });
    const filter = new ConvolverNode(offline, { disableNormalization: true, buffer: bufferOf([taps], rate) });
    source.connect(filter).connect(offline.destination);
    source.start();
    const full = (await offline.startRendering()).getChannelData(0);
    if (start <= 0) y.set(full.subarray(-start, n - start));
    else y.set(full.subarray(0, Math.max(n - start, 0)), start);
    out.push(y);
  }
  return out;
}

function bufferOf(sound, rate) {
  const buffer = new AudioBuffer({ numberOfChannels: sound.length, length: Math.max(sound[0].length, 1), sampleRate: rate });
  sound.forEach((channel, c) => buffer.copyToChannel(channel, c));
  return buffer;
}

// The gain that makes `wet` as loud as `dry` by the page's own measure, then no louder than the ceiling allows.
function fairGain(wet, dry, match, rate, ceiling, fallback) {
  const db = { loudness: () => loudnessOf(dry, rate) - loudnessOf(wet, rate),
    rms: () => 10 * Math.log10(powerOf(dry) / powerOf(wet)),
    peak: () => 20 * Math.log10(peakOf(dry) / peakOf(wet)) }[match];
  const wanted = db ? db() : fallback;
  const peak = peakOf(wet);
  const gain = Math.pow(10, (Number.isFinite(wanted) ? wanted : 0) / 20);
  return { gain: peak * gain > ceiling ? ceiling / peak : gain, held: peak * gain > ceiling };
}
