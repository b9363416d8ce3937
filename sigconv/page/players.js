// Several players on one page, one a panel; of all of them one plays at a time.

const data = JSON.parse(document.getElementById("data").textContent);
const show = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60 < 10 ? "0" : "") + (Math.floor(seconds % 60 * 10) / 10).toFixed(1)}`;

class Panel {
  constructor(root, { rate, from, reach, down, clips }) {
    Object.assign(this, { root, from, reach, down, find: (name) => root.querySelector(name) });
    this.clips = new Map(clips.map((clip) => {
      const source = document.getElementById(clip.element).getAttribute("src");
      return [clip.id, { ...clip, sound: readWav(bytesOf(source.slice(source.indexOf(",") + 1))) }];
    }));
    this.scale = 1.05 * Math.max(...[...this.clips.values()].map((clip) => peakOf(clip.sound))) || 1;
    this.reel = root.querySelector(".reel") ? new Reel(root.querySelector(".reel")) : null;
    this.lines = [...root.querySelectorAll(".seen > i")].map((line) => ({ line, track: line.parentElement.dataset.follow }));
    this.drawn = null;
    this.player = new Player(rate, this.clips.get("dry").sound[0].length, () => this.refresh());
    for (const [id, clip] of this.clips) this.player.add(id, clip.sound);
    this.wire();
    this.player.select("t1");
  }

  wire() {
    const seek = this.find(".seek"), { player } = this;
    this.find(".play").addEventListener("click", () => this.toggle());
    for (const button of this.root.querySelectorAll("[data-track]")) button.addEventListener("click", () => player.select(button.dataset.track));
    const along = (event, box = seek.getBoundingClientRect()) => Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * player.duration;
    seek.addEventListener("pointerdown", (event) => { seek.setPointerCapture(event.pointerId); player.seek(along(event)); });
    seek.addEventListener("pointermove", (event) => { if (event.buttons & 1) player.seek(along(event)); });
    seek.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { event.preventDefault(); player.seek(player.position + step * Math.max(0.01, Math.min(1, player.duration / 10))); }
    });
    seek.setAttribute("aria-valuemax", player.duration.toFixed(2));
  }

  toggle() {
    if (this.player.playing) this.player.pause();
    else this.play();
  }

  // The one that was asked last plays, also where two are asked before the first has begun.
  async play() {
    asked = this;
    for (const other of panels) if (other !== this) other.player.pause();
    if (this.reel) this.reel.stop();
    await this.player.play();
    if (asked !== this) this.player.pause();
  }

  refresh() {
    const { player } = this, clip = this.clips.get(player.active);
    this.find(".play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
    this.find(".play").classList.toggle("on", player.playing);
    for (const button of this.root.querySelectorAll("[data-track]")) button.setAttribute("aria-pressed", button.dataset.track === player.active);
    this.find(".said").textContent = clip.note;
    if (this.drawn !== player.active) {
      this.drawn = player.active;
      this.find(".strip").dataset.kind = clip.kind;
      const d = outline(clip.sound, this.scale);
      for (const path of this.root.querySelectorAll(".strip path")) { path.setAttribute("d", d); path.classList.toggle("open", !d.endsWith("Z")); }
    }
    this.tick();
  }

  tick() {
    const { player } = this, at = player.position, share = Math.min(at / player.duration, 1);
    this.find(".heard").setAttribute("width", share * WIDE);
    for (const end of ["x1", "x2"]) this.find(".now").setAttribute(end, `${100 * share}%`);
    this.follow(share);
    this.find(".clock").textContent = `${show(at)} / ${show(player.duration)}`;
    this.find(".seek").setAttribute("aria-valuenow", at.toFixed(2));
    this.find(".seek").setAttribute("aria-valuetext", `${at.toFixed(1)} of ${player.duration.toFixed(1)} seconds`);
    if (player.playing) requestAnimationFrame(() => this.tick());
  }

  // A line on the picture that is heard, where it is heard; of a video the frame that is heard.
  follow(share) {
    const place = this.from + share * this.reach;
    for (const { line, track } of this.lines) {
      line.hidden = track !== this.player.active;
      line.classList.toggle("down", this.down);
      line.style[this.down ? "top" : "left"] = `${100 * place}%`;
    }
    if (this.reel && this.player.playing) this.reel.show(Math.floor(place * this.reel.frames));
  }
}

const roots = [...document.querySelectorAll("[data-panel]")];
const panels = [];
let asked = null;
roots.forEach((root, i) => panels.push(new Panel(root, data.panels[i])));
document.documentElement.classList.add("live");
window.sigconv = { data, panels, ready: Promise.all(panels.map((panel) => panel.reel && panel.reel.ready)) };
