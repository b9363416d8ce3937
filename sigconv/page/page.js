// The page itself: reads its clips, wires player, buttons and keys. `window.sigconv` is the door for whoever builds on it.

const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const show = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60 < 10 ? "0" : "") + (Math.floor(seconds % 60 * 10) / 10).toFixed(1)}`;
const db = (gain) => { const v = 20 * Math.log10(gain); return `${v > 0.005 ? "+" : v < -0.005 ? "−" : ""}${Math.abs(v).toFixed(2)} dB`; };

const clips = new Map(data.clips.map((clip) => {
  const source = find(clip.element).getAttribute("src");
  return [clip.id, { ...clip, sound: readWav(bytesOf(source.slice(source.indexOf(",") + 1))) }];
}));
const dry = clips.get("dry").sound;
let scale = Math.max(...[...clips.values()].map((clip) => peakOf(clip.sound))) * 1.05 || 1;
const player = new Player(data.rate, dry[0].length, refresh);
const extra = new Map();
const stage = data.picture && find("stage") ? new Stage(data.picture) : null;
let last = null;

// The difference is always that of the result heard last.
function setDifference(id) {
  if (id === last || !clips.has("difference")) return;
  last = id;
  const from = clips.get(id), sound = difference(from.sound, dry), peak = peakOf(sound);
  const level = peak > data.ceiling ? data.ceiling / peak : 1;
  const lower = level < 1 ? `, ${db(level)} so that it does not clip` : "";
  clips.set("difference", { ...clips.get("difference"), sound, note: `${from.name} minus dry, sample by sample${lower}` });
  player.add("difference", sound, level);
}

function choose(id) {
  if (!clips.has(id)) return;
  if (id !== "dry" && id !== "difference") setDifference(id);
  player.select(id);
}

function refresh() {
  const clip = clips.get(player.active);
  find("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
  find("play").classList.toggle("on", player.playing);
  find("loop").setAttribute("aria-pressed", player.loop);
  for (const button of document.querySelectorAll("[data-track]")) button.setAttribute("aria-pressed", button.dataset.track === player.active);
  find("said").textContent = clip.note;
  if (stage) stage.show(player.active, last, clip.name);
  if (find("strip").dataset.drawn !== player.active + last) {
    find("strip").dataset.drawn = player.active + last;
    find("strip").dataset.kind = clip.kind;
    const d = outline(clip.sound, scale);
    for (const path of find("strip").querySelectorAll("path")) { path.setAttribute("d", d); path.classList.toggle("open", !d.endsWith("Z")); }
  }
  tick();
}

function tick() {
  const at = player.position, share = Math.min(at / player.duration, 1);
  find("heard").setAttribute("width", share * WIDE);
  find("head").setAttribute("x1", `${100 * share}%`);
  find("head").setAttribute("x2", `${100 * share}%`);
  if (stage) stage.follow(share);
  find("clock").textContent = `${show(at)} / ${show(player.duration)}`;
  find("seek").setAttribute("aria-valuenow", at.toFixed(2));
  find("seek").setAttribute("aria-valuetext", `${at.toFixed(1)} of ${player.duration.toFixed(1)} seconds`);
  if (player.playing) requestAnimationFrame(tick);
}

const toggle = () => (player.playing ? player.pause() : player.play());
const step = () => Math.max(0.01, Math.min(1, player.duration / 10));

function addButton(clip) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: clip.name });
  Object.assign(button.dataset, { track: clip.id, kind: clip.kind });
  button.addEventListener("click", () => choose(clip.id));
  find("tracks").insertBefore(button, find("tracks").querySelector("[data-track=difference]"));
}

// A sound, or a picture as sound, through a kernel; and what of it is kept.
async function through(kernel) {
  if (stage) {
    await new Promise((ready) => setTimeout(ready));
    const { canvas, result, sound } = stage.through(kernel, dry[0].length);
    return { wet: sound.map((channel) => channel.map((v) => v * data.gain)), kept: { canvas, result } };
  }
  const taps = readTaps(kernel);
  return { wet: await convolved(dry, taps, kernel.start), kept: { taps } };
}

function howMatched(wet, held) {
  if (!peakOf(wet)) return "silence, which has no level to match";
  if (held) return "held back so that it does not clip";
  if (data.match === "none") return "as it is";
  return peakOf(dry) ? `matched to the dry sound by ${data.match}` : "not matched: the dry sound is silent";
}

// A neighbour: convolved here, brought to the level of the dry sound, held below the ceiling, and put beside the others.
async function hear(index) {
  const kernel = data.neighbours[index], id = `near-${kernel.name}`, button = document.querySelector(`[data-near="${index}"]`);
  if (button.getAttribute("aria-busy")) return;
  if (!clips.has(id)) {
    button.setAttribute("aria-busy", "true");
    const { wet, kept } = await through(kernel);
    const { gain, held } = fairGain(wet, dry, data.match, data.rate, data.ceiling, 0);
    const sound = wet.map((channel) => channel.map((v) => v * gain));
    const note = `${kernel.name}: total gain ${+(gain * data.gain).toPrecision(9)} (${db(gain * data.gain)}), ${howMatched(wet, held)}`;
    clips.set(id, { id, name: kernel.name, kind: "near", sound, note });
    extra.set(id, { kernel, gain, ...kept });
    scale = Math.max(scale, 1.05 * peakOf(sound));
    player.add(id, sound);
    addButton(clips.get(id));
    button.removeAttribute("aria-busy");
  }
  for (const other of document.querySelectorAll("[data-near]")) other.setAttribute("aria-pressed", other === button);
  choose(id);
  const { taps } = extra.get(id);
  find("near-words").textContent = kernel.words;
  find("near-taps").replaceChildren(...(stage ? drawTapMaps(kernel, data.picture.taps) : [drawTaps(taps, kernel.start)]));
  find("near-response").replaceChildren(...(stage ? drawResponseMaps(kernel, data.picture.gain) : [drawResponse(taps, data.rate)]));
  find("near").hidden = false;
}

function wireSeek() {
  const seek = find("seek");
  const to = (event) => {
    const box = seek.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * player.duration;
  };
  seek.addEventListener("pointerdown", (event) => { seek.setPointerCapture(event.pointerId); player.seek(to(event)); });
  seek.addEventListener("pointermove", (event) => { if (event.buttons & 1) player.seek(to(event)); });
  seek.setAttribute("aria-valuemax", player.duration.toFixed(2));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  const own = event.target.closest("button, a, summary, input, audio");
  if (event.key === " ") {
    if (own && own.id !== "play" && own.matches(":focus-visible")) return;
    event.preventDefault();
    if (!event.repeat) toggle();
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    event.preventDefault();
    player.seek(player.position + (event.key === "ArrowRight" ? step() : -step()));
  } else if (event.key === "Home" || event.key === "End") {
    if (event.target !== find("seek")) return;
    event.preventDefault();
    player.seek(event.key === "Home" ? 0 : player.duration);
  } else if (event.key === "l" || event.key === "L") player.setLoop(!player.loop);
  else if (event.key >= "1" && event.key <= "9") {
    const button = document.querySelectorAll("[data-track]")[event.key - 1];
    if (button) choose(button.dataset.track);
  }
}

async function start() {
  if (stage) {
    await Promise.all(["dry", ...data.takes].flatMap((id) => [find(`seen-${id}`), find(`seen-difference-${id}`)]).filter(Boolean).map((i) => i.decode()));
    find("seen").addEventListener("pointerdown", (event) => player.seek(stage.share(event) * player.duration));
  }
  for (const [id, clip] of clips) player.add(id, clip.sound);
  if (data.takes.length) {
    clips.set("difference", { id: "difference", name: "Difference", kind: "difference", sound: dry, note: "" });
    setDifference(data.takes[0]);
  }
  for (const button of document.querySelectorAll("[data-track]")) button.addEventListener("click", () => choose(button.dataset.track));
  for (const button of document.querySelectorAll("[data-near]")) button.addEventListener("click", () => hear(+button.dataset.near));
  find("play").addEventListener("click", toggle);
  find("loop").addEventListener("click", () => player.setLoop(!player.loop));
  document.addEventListener("keydown", onKey);
  document.addEventListener("keyup", (event) => {  // a button pressed by mouse keeps the focus: its own click on space is ours
    const own = event.target.closest("button");
    if (event.key === " " && own && (own.id === "play" || !own.matches(":focus-visible"))) event.preventDefault();
  });
  wireSeek();
  document.documentElement.classList.add("live");
  choose(data.takes[0] || "dry");
}

const reels = [...document.querySelectorAll(".reel")].map((root) => new Reel(root));
window.sigconv = { data, clips, player, stage, reels, choose, hear, extra, readTaps, ready: start() };
