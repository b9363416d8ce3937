// The stage: of a picture that was scanned to sound, what is heard is seen, and a line runs over the row, or column, that plays.

class Stage {
  constructor(picture) {
    this.picture = picture;
    this.made = new Map();
    this.shown = null;
    this.across = picture.across;
    find("row").classList.toggle("column", this.across);
    const [h, w] = picture.shape, tall = Math.min(420, Math.max(h, 240));
    find("seen").parentElement.style.width = `min(100%, ${Math.round(tall * w / h)}px)`;
  }

  // The picture of a track: an image of the page, or a canvas that was made in it.
  of(id, last) {
    return this.made.get(id) || find(id === "difference" ? `seen-difference-${last}` : `seen-${id}`);
  }

  show(id, last, name) {
    const seen = this.of(id, last), key = `${id} ${last}`;
    if (this.shown === key) return;
    this.shown = key;
    find("row").hidden = !seen;
    const canvas = find("seen"), from = seen || find("seen-dry");
    const width = from.naturalWidth || from.width, height = from.naturalHeight || from.height;
    canvas.width = width;
    canvas.height = height;
    canvas.classList.toggle("pixelated", Math.max(width, height) <= 240);
    if (seen) canvas.getContext("2d").drawImage(seen, 0, 0);
    const words = !seen ? `no picture of this one (${name})` : seen.dataset.words || seen.alt;
    canvas.setAttribute("aria-label", words);
    find("seen-words").textContent = words;
    find("stage").hidden = false;
  }

  // Rows are read from top to bottom, columns from left to right.
  follow(share) { find("row").style[this.across ? "left" : "top"] = `${100 * Math.min(share, 1)}%`; }

  // How far down, or across, the picture a pointer stands.
  share(event) {
    const box = find("seen").getBoundingClientRect();
    const at = this.across ? (event.clientX - box.left) / box.width : (event.clientY - box.top) / box.height;
    return Math.min(Math.max(at, 0), 1);
  }

  // The picture through a neighbour: what is seen of it, and its scan.
  through(kernel, length) {
    const before = pixelsOf(find("seen-dry")), result = throughKernel(before, kernel), canvas = canvasOf(result), [h, w] = this.picture.shape;
    const around = { length: `the length of its ${kernel.filters.length} filters taken together`, grey: "0 is middle grey", plain: "" }[kernel.view];
    const smaller = before.h !== h || before.w !== w ? `made from the picture as it is here, ${before.w} of ${w} px wide` : "";
    const brighter = result.factor > 1 ? `shown ×${result.factor}` : "";
    canvas.dataset.words = [kernel.name, around, brighter, smaller].filter(Boolean).join(", ");
    this.made.set(`near-${kernel.name}`, canvas);
    return { canvas, result, sound: scanned(result, this.picture, length) };
  }
}
