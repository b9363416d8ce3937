// The player: every track runs all the time, in step to the sample; to switch is to cross from one gain to another.

class Player {
  // `rate`: of the clips; `length`: of each, in samples; `changed(player)` is called whenever something shows.
  constructor(rate, length, changed) {
    this.rate = rate;
    this.length = Math.max(length, 1);
    this.changed = changed;
    // Browsers hold buffers from 3 kHz up: slower signals are played by repeating each sample, at the same speed.
    this.repeat = Math.max(1, Math.ceil(3000 / rate));
    this.fast = Math.max(1, Math.ceil(rate / 384000));
    this.tracks = new Map();
    this.active = null;
    this.context = null;
    this.running = null;
    this.held = 0;
    this.loop = false;
    this.fade = 0.010;
  }

  get duration() { return this.length / this.rate; }
  get playing() { return this.running !== null; }

  get position() {
    if (!this.running) return this.held;
    return this.at(this.context.currentTime);
  }

  at(now) {
    const elapsed = Math.max(now - this.running.origin, 0);
    return this.loop ? elapsed % this.duration : Math.min(elapsed, this.duration);
  }

  // A moment from now that falls on a sample: between samples the browser would interpolate.
  soon(seconds) { return Math.ceil((this.context.currentTime + seconds) * this.context.sampleRate) / this.context.sampleRate; }

  add(id, sound, level = 1) {
    const rate = Math.round(this.rate * this.repeat / this.fast);
    const stretched = this.repeat === 1 && this.fast === 1 ? sound : sound.map((x) => {
      const y = new Float32Array(Math.max(1, Math.floor(x.length * this.repeat / this.fast)));
      return y.map((_, i) => x[Math.floor(i * this.fast / this.repeat)]);
    });
    const track = { sound, level, buffer: bufferOf(stretched, rate), source: null, gain: null };
    this.remove(id);
    this.tracks.set(id, track);
    if (this.running) this.begin(id, track, this.soon(0.05));
    if (this.active === null) this.active = id;
  }

  remove(id) {
    const old = this.tracks.get(id);
    if (old && old.source) { old.source.onended = null; old.source.stop(); }
    this.tracks.delete(id);
  }

  // A track's source joins the others: at `when` it stands where they stand.
  begin(id, track, when) {
    const context = this.context, gain = new GainNode(context, { gain: id === this.active ? track.level : 0 });
    const source = new AudioBufferSourceNode(context, { buffer: track.buffer, loop: this.loop });
    source.connect(gain).connect(this.running.master);
    source.start(when, this.at(when));
    source.onended = () => this.ended(source);
    Object.assign(track, { source, gain });
  }

  async play() {
    if (this.running) return;
    if (!this.context) {
      const wanted = this.rate * this.repeat / this.fast;
      try { this.context = new AudioContext({ sampleRate: wanted, latencyHint: "interactive" }); } catch { this.context = new AudioContext(); }
    }
    if (this.context.state !== "running") await this.context.resume();
    if (this.running) return;
    if (this.held >= this.duration - 1e-4) this.held = 0;
    const context = this.context, when = this.soon(0.04);
    this.held = Math.round(this.held * this.rate) / this.rate;
    const master = new GainNode(context, { gain: 0 });
    master.gain.setValueAtTime(0, when);
    master.gain.linearRampToValueAtTime(1, when + (this.held ? this.fade : 0.001));
    master.connect(context.destination);
    this.running = { origin: when - this.held, master };
    for (const [id, track] of this.tracks) this.begin(id, track, when);
    this.changed(this);
  }

  pause(position = this.position) {
    if (!this.running) { this.held = position; this.changed(this); return; }
    const now = this.context.currentTime, gain = this.running.master.gain;
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now);
    gain.linearRampToValueAtTime(0, now + this.fade);
    for (const track of this.tracks.values()) {
      if (track.source) { track.source.onended = null; track.source.stop(now + 2 * this.fade); }
      track.source = track.gain = null;
    }
    this.held = Math.min(Math.max(position, 0), this.duration);
    this.running = null;
    this.changed(this);
  }

  ended(source) {
    if (!this.running || ![...this.tracks.values()].some((t) => t.source === source)) return;
    if (this.at(this.context.currentTime) < this.duration - 0.02) return;
    this.pause(0);
  }

  async seek(position) {
    const again = this.playing;
    this.pause(Math.min(Math.max(position, 0), this.duration));
    if (again) await this.play();
  }

  select(id) {
    if (!this.tracks.has(id)) return;
    this.active = id;
    if (this.running) {
      const now = this.context.currentTime;
      for (const [other, track] of this.tracks) {
        if (!track.gain) continue;
        const gain = track.gain.gain;
        gain.cancelScheduledValues(now);
        gain.setValueAtTime(gain.value, now);
        gain.linearRampToValueAtTime(other === id ? track.level : 0, now + this.fade);
      }
    }
    this.changed(this);
  }

  setLoop(on) {
    const position = this.position;
    this.loop = on;
    if (this.running) {
      this.running.origin = this.context.currentTime - position;
      for (const track of this.tracks.values()) if (track.source) track.source.loop = on;
    }
    this.changed(this);
  }
}
