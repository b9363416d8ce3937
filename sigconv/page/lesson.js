// The lesson: its sounds are made here, from one clip, sines and the library's gains; each deck plays its tracks in step.

const data = JSON.parse(document.getElementById("data").textContent);
const { rate } = data;
const ENDS = Math.max(1, Math.round(0.005 * rate));  // samples: what is cut out of a sound begins and ends in a ramp, so that the cut is silent
const clip = document.getElementById("clip");
const dry = readWav(bytesOf(clip.getAttribute("src").slice(clip.getAttribute("src").indexOf(",") + 1)));
const decks = new Map();

// A sine from phase 0 as in the practicum, mirrored at its origin if asked; or the cosine of a quadrature template.
function tapsFor({ hz, n, start, kind }) {
  const taps = new Float32Array(n);
  if (kind === "template") {
    const wide = data.template;
    let norm = 0;
    for (let i = 0; i < n; i++) {
      const t = (start + i) / rate, window = Math.cos(Math.PI * t / wide) ** 2;
      taps[i] = window * Math.cos(2 * Math.PI * hz * t);
      norm += window * window;
    }
    return { taps: taps.map((v) => v / Math.sqrt(norm)), start };
  }
  for (let i = 0; i < n; i++) taps[i] = Math.sin(2 * Math.PI * hz * i / rate);
  return kind === "mirrored" ? { taps: taps.reverse(), start: 1 - start - n } : { taps, start };
}

function sines({ notes, fade }, length) {
  const y = new Float32Array(length);
  for (const [first, stop, hz] of notes) {
    for (let i = 0; i < stop - first && first + i < length; i++) {
      const end = fade ? Math.min(1, Math.min(i, stop - first - 1 - i) / rate / fade) : 1;
      y[first + i] = Math.sin(2 * Math.PI * hz * i / rate) * Math.sin(Math.PI / 2 * end) ** 2;
    }
  }
  return [y];
}

const ended = (sound) => sound.map((x) => x.map((v, i) => v * Math.min(1, (x.length - 1 - i) / ENDS)));
const ramped = (sound) => ended(sound).map((x) => x.map((v, i) => v * Math.min(1, i / ENDS)));

async function soundOf({ from, gain }, length) {
  if (from.dry) return ended(dry);
  if (from.notes) return sines(from, length).map((x) => x.map((v) => v * gain));
  const { taps, start } = tapsFor(from);
  const raw = from.alone ? [taps] : await convolved(dry, taps, start);
  return ramped(raw.map((x) => x.map((v) => v * gain)));
}

class Deck {
  constructor(plan) {
    this.plan = plan;
    this.root = document.querySelector(`[data-deck="${plan.id}"]`);
    this.lines = [...document.querySelectorAll(`[data-follows="${plan.id}"]`)];
    this.player = new Player(rate, plan.length, () => this.refresh());
    this.order = false;
    const ended = this.player.ended.bind(this.player);
    this.player.ended = (source) => {
      const before = this.player.playing;
      ended(source);
      if (before && !this.player.playing) this.over();
    };
  }

  async start() {
    for (const track of this.plan.tracks) this.player.add(track.id, await soundOf(track, this.plan.length));
    for (const button of this.root.querySelectorAll("[data-track]")) {
      button.addEventListener("click", () => { this.order = false; this.player.select(button.dataset.track); });
    }
    this.root.querySelector(".play").addEventListener("click", () => this.toggle());
    const order = this.root.querySelector(".order"), seek = this.root.querySelector(".scrub");
    if (order) order.addEventListener("click", () => this.inOrder());
    seek.addEventListener("input", () => this.player.seek(seek.value / 1000 * this.player.duration));
    for (const line of this.lines) {
      line.addEventListener("pointerdown", (event) => {
        const box = line.getBoundingClientRect(), { from, to } = this.span(line);
        const at = from + (event.clientX - box.left) / box.width * (to - from);
        this.player.seek(Math.min(Math.max(at, 0), this.player.duration));
      });
    }
    this.refresh();
  }

  // The times at the left and right end of a picture: those of the sound, where it says no others.
  span(line) { return { from: Number(line.dataset.from || 0), to: Number(line.dataset.to || this.player.duration) }; }

  async play() {
    for (const other of decks.values()) if (other !== this) other.pause();
    await this.player.play();
  }

  pause() { this.order = false; if (this.player.playing) this.player.pause(); }

  toggle() { return this.player.playing ? this.pause() : this.play(); }

  // Every track from its beginning to its end, one after another.
  async inOrder() {
    if (this.player.playing) this.player.pause(0);
    this.player.held = 0;
    this.player.select(this.sung[0].id);
    this.order = true;
    await this.play();
  }

  get sung() { return this.plan.tracks.filter((track) => !track.from.dry); }

  over() {
    const next = this.order && this.sung[this.sung.findIndex((track) => track.id === this.player.active) + 1];
    this.order = Boolean(next);
    if (next) { this.player.select(next.id); this.play(); } else this.refresh();
  }

  refresh() {
    const { active, playing } = this.player, track = this.plan.tracks.find((each) => each.id === active);
    const play = this.root.querySelector(".play"), order = this.root.querySelector(".order");
    play.setAttribute("aria-label", `${playing ? "Pause" : "Play"}: ${track ? track.name : ""}`);
    play.classList.toggle("on", playing);
    if (order) order.setAttribute("aria-pressed", this.order);
    for (const button of this.root.querySelectorAll("[data-track]")) button.setAttribute("aria-pressed", button.dataset.track === active);
    this.root.querySelector(".said").textContent = track ? track.note : "";
    for (const line of this.lines) {
      for (const row of line.querySelectorAll("[data-row]")) row.classList.toggle("dim", row.dataset.row !== active && active !== "dry");
    }
    this.tick();
  }

  tick() {
    const { position, duration, playing } = this.player, share = Math.min(position / duration, 1);
    const seek = this.root.querySelector(".scrub"), shown = (s) => s.toFixed(duration < 1 ? 2 : 1);
    seek.value = Math.round(1000 * share);
    seek.setAttribute("aria-valuetext", `${shown(position)} of ${shown(duration)} seconds`);
    this.root.querySelector(".clock").textContent = `${shown(position)} / ${shown(duration)} s`;
    for (const line of this.lines) {
      const { from, to } = this.span(line);
      line.querySelector(".needle").hidden = !playing && position === 0;
      line.querySelector(".needle").style.left = `${100 * (position - from) / (to - from)}%`;
    }
    if (playing) requestAnimationFrame(() => this.tick());
  }
}

async function start() {
  for (const plan of data.decks) decks.set(plan.id, new Deck(plan));
  for (const deck of decks.values()) await deck.start();
  document.documentElement.classList.add("live");
}

window.sigconv = { data, decks, dry, ready: start() };
