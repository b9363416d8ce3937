// A video of the page: sheets of frames, as canvases that all show the same frame; it rolls in its own time, or follows a sound.

class Reel {
  constructor(root) {
    this.frames = +root.dataset.frames;
    this.first = +root.dataset.first;
    this.every = +root.dataset.every;
    [this.button, this.slider, this.when] = [".roll", "input", ".when"].map((name) => root.querySelector(name));
    this.films = [...root.querySelectorAll(".film")].map((figure) => this.film(figure));
    this.rolling = null;
    this.button.addEventListener("click", () => (this.rolling === null ? this.roll() : this.stop()));
    this.slider.addEventListener("input", () => { this.stop(); this.show(+this.slider.value); });
    this.ready = Promise.all(this.films.map(({ sheet }) => sheet.decode())).then(() => this.show(+this.slider.value));
  }

  // A canvas in place of the sheet.
  film(figure) {
    const sheet = figure.querySelector("img"), across = +figure.dataset.across, canvas = document.createElement("canvas");
    canvas.width = sheet.getAttribute("width") / across;
    canvas.height = sheet.getAttribute("height") / Math.ceil(this.frames / across);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", sheet.alt);
    sheet.hidden = true;
    sheet.after(canvas);
    return { sheet, across, canvas };
  }

  show(frame) {
    this.frame = Math.min(Math.max(frame, 0), this.frames - 1);
    for (const { sheet, across, canvas: { width, height }, canvas } of this.films) {
      canvas.getContext("2d").drawImage(sheet, this.frame % across * width, Math.floor(this.frame / across) * height, width, height, 0, 0, width, height);
    }
    this.slider.value = this.frame;
    const words = `frame ${this.frame + 1} of ${this.frames}, ${(this.first + this.frame * this.every).toFixed(2)} s`;
    this.when.textContent = words;
    this.slider.setAttribute("aria-valuetext", words);
  }

  roll() {
    this.stop();
    this.button.textContent = "Pause";
    this.rolling = setInterval(() => this.show((this.frame + 1) % this.frames), Math.max(1000 * this.every, 20));
  }

  stop() {
    clearInterval(this.rolling);
    this.rolling = null;
    this.button.textContent = "Play";
  }
}
