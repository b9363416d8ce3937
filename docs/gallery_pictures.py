"""The pictures of the gallery: kernel, before, after, laid out in pixels so that images stand on whole ones."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

import sigconv as sc
from sigconv.pictures import picture
from sigconv.see.style import COLOURS, INK, PALE, colour_map, dress, line_colours, styled
from sigconv.spectrum import decibels

WIDE, DPI = 800, 100
RANGE = 70.0  # dB
POINTS = 48  # taps drawn one by one
COLOURED, PLAIN = 128, 48  # palettes of pictures with colours, and of grey ones
ZOOMS = {"hilbert": (1.26, 1.28)}  # s, of the waveform, where only that shows what is done
FRAMES = (10, 12, 14)  # of the video: the lamp flashes in frame 12


def draw(e: Any, x: sc.Signal, k: sc.Signal, heard: Any = None, cut: Any = None) -> tuple[bytes, np.ndarray]:
    """The PNG of one example, and its result alone as (rows, columns) or (rows, columns, 3) in 0 … 1.

    `heard`: of sounds, a Listening and its Take; `cut`: the seconds of them that are drawn.
    """
    with styled():
        if e.domain == "sound":
            return _sound(k, *heard, cut, ZOOMS.get(e.name))
        if e.domain == "spectrogram":
            return _spectrogram(k, *heard, cut)
        y, said = picture(sc.convolve(x, k), k, visible=True)
        return _image(x, y, k, said) if e.domain == "image" else _slices(x, y, k, said, e.domain == "video")


def thumbnail(results: dict[str, np.ndarray]) -> bytes:
    """A small picture of what it does: of the house where there is an image, else of the lows of the first result."""
    from PIL import Image

    shown = results.get("image", next(iter(results.values()), np.ones((8, 8))))
    shown = shown[60:188, 20:148] if "image" in results else shown[-(2 * len(shown) // 5):]
    shown = np.round(255 * np.clip(shown, 0, 1)).astype(np.uint8)
    small = Image.fromarray(shown).convert("RGB").resize((96, 96), Image.Resampling.LANCZOS)
    return _encoded(small, PLAIN)


class Sheet:
    """A figure with a top-left corner, measured in pixels."""

    def __init__(self, high: int):
        from matplotlib.figure import Figure

        self.high = high
        self.figure = Figure(figsize=(WIDE / DPI, high / DPI), dpi=DPI)

    def axes(self, left: int, top: int, width: int, height: int, title: str = "") -> Any:
        box = (left / WIDE, 1 - (top + height) / self.high, width / WIDE, height / self.high)
        ax = self.figure.add_axes(box)
        dress(ax)
        ax.tick_params(labelsize=7, pad=2)
        ax.set_title(title, fontsize=9, pad=4)
        return ax

    def show(self, values: np.ndarray, left: int, top: int, width: int, height: int, title: str = "", kind: str = "grey") -> Any:
        """A picture without ticks, its values from 0, or signed from −1, to 1."""
        ax = self.axes(left, top, width, height, title)
        ax.imshow(values, cmap=colour_map(kind), vmin=-1 if kind == "signed" else 0, vmax=1, aspect="auto",
                  interpolation="nearest" if values.shape[0] * 2 <= height else "antialiased")
        ax.set(xticks=[], yticks=[])
        for side in ax.spines.values():
            side.set(visible=kind != "grey", color=PALE)
        return ax

    def words(self, text: str | None, left: int, top: int, align: str = "left") -> None:
        if text:
            self.figure.text(left / WIDE, 1 - top / self.high, text, fontsize=8, color=INK, va="top", ha=align, style="italic")

    def png(self, colours: int) -> bytes:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        canvas = FigureCanvasAgg(self.figure)
        canvas.draw()
        return _encoded(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]), colours)


def _encoded(image: Any, colours: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    small = image.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    if image.getpixel((0, 0)) == (255, 255, 255):  # paper stays white
        colour, paper = small.getpalette(), 3 * small.getpixel((0, 0))
        colour[paper:paper + 3] = [255] * 3
        small.putpalette(colour)
    small.save(file, "PNG", optimize=True)
    return file.getvalue()


# sound

def _sound(k: sc.Signal, listening: Any, take: Any, cut: tuple[float, float], zoom: Any) -> tuple[bytes, np.ndarray]:
    sheet = Sheet(330)
    _taps(sheet.axes(46, 24, 180, 100, "kernel"), k)
    _gain(sheet.axes(46, 162, 180, 128), k)
    pair = (listening.sound.between(*cut), take.sound.between(*cut))
    names = (listening.dry.channels, take.wet.channels)
    level = [_levels(x, cut) for x in (listening.sound, take.sound)]
    top, peak = max(float(values.max()) for values, _ in level), max(float(np.abs(x.data).max()) for x in pair)
    for i, (x, (values, extent)) in enumerate(zip(pair, level, strict=True)):
        left = 290 + 258 * i
        piece = f", {1000 * (zoom[1] - zoom[0]):.0f} ms of it" if zoom else ""
        wave = sheet.axes(left, 24, 240, 100, ("before", "after")[i] + piece)
        _wave(wave, x, peak, names[i], zoom)
        wave.set(xlim=zoom or extent[:2], xticks=[])
        wave.set_ylabel("" if i else "amplitude", fontsize=8)
        if i:
            wave.tick_params(labelleft=False)
        _level(sheet.axes(left, 134, 240, 156), values, extent, top, not i)
    return sheet.png(COLOURED), _coloured(level[1][0], top)


def _level(ax: Any, values: np.ndarray, extent: Any, top: float, first: bool) -> None:
    """A spectrogram in dB."""
    begin, end, low, high = extent
    ax.imshow(values, extent=(begin, end, low / 1000, high / 1000), origin="lower", aspect="auto", cmap=colour_map("level"),
              vmin=top - RANGE, vmax=top, interpolation="antialiased")
    ax.set_xlabel("time (s)", fontsize=8, labelpad=1)
    ax.set_ylabel("frequency (kHz)" if first else "", fontsize=8)
    ax.set_xticks(np.arange(np.ceil(2 * begin), 2 * end - 0.1) / 2)
    ax.tick_params(labelleft=first)


def _levels(x: sc.Signal, cut: tuple[float, float]) -> tuple[np.ndarray, tuple[float, ...]]:
    """The part of the spectrogram in these seconds in dB, power mean over the channels, and its edges."""
    window = 2 * round(x.rate / 40)
    S = sc.spectrogram(x, window=window, hop=window // 4)
    return _cut(sc.Signal(np.sqrt(np.mean(np.abs(S.data) ** 2, axis=0)), S.domain), cut)


def _wave(ax: Any, x: sc.Signal, peak: float, names: Any, zoom: Any) -> None:
    """The range of every few samples, or each of them; channels in lanes."""
    group = 1 if zoom else max(x.domain.shape[0] // 480, 1)
    starts = np.arange(0, x.domain.shape[0], group)
    at, lanes = x.coordinates(0)[starts], len(x.data)
    middle = [(lanes - 1 - 2 * i) * 1.1 * peak for i in range(lanes)]
    for channel, lane in zip(x.data, middle, strict=True):
        if zoom:
            ax.plot(at, channel, color=COLOURS[0], linewidth=1)
            continue
        ax.fill_between(at, np.minimum.reduceat(channel, starts) + lane, np.maximum.reduceat(channel, starts) + lane,
                        color=COLOURS[0], linewidth=0.4)
    for lane, name in zip(middle, names or (), strict=True) if lanes > 1 else ():
        ax.text(at[-1], lane + peak, f"{name} ", ha="right", va="top", fontsize=7)
    if lanes > 1:
        ax.set_yticks([])
    ax.set_ylim(-1.1 * lanes * peak, 1.1 * lanes * peak)


def _filters(k: sc.Signal) -> list[tuple[str, np.ndarray]]:
    """The filters of a kernel one by one, with names; complex ones as two."""
    flat = k.data.reshape(-1, *k.domain.shape)
    if np.iscomplexobj(flat):
        return [part for h in flat for part in (("real", h.real), ("imaginary", h.imag))]
    if len(k.value) == 2:
        outs, ins = (names or list(range(n)) for names, n in zip(k.names, k.value, strict=True))
        return [(f"{a}→{b}", h) for h, (b, a) in zip(flat, ((b, a) for b in outs for a in ins), strict=True)]
    return [(name, h) for name, h in zip(k.channels or [""] * len(flat), flat, strict=True)]


def _taps(ax: Any, k: sc.Signal) -> None:
    """The taps over time, the origin dashed."""
    scale, unit = (1e3, "ms") if k.domain.shape[0] * float(k.domain.step[0]) < 1 else (1, "s")
    at = (np.arange(k.domain.shape[0]) + float(k.domain.start[0])) * float(k.domain.step[0]) * scale
    parts = _filters(k)
    for (name, h), colour in zip(parts, line_colours(len(parts)), strict=True):
        shown = np.flatnonzero(h) if np.count_nonzero(h) <= POINTS else np.arange(len(h))
        if len(shown) <= POINTS:
            ax.vlines(at[shown], 0, h[shown], color=colour, linewidth=1.2)
            ax.plot(at[shown], h[shown], ".", color=colour, markersize=4, label=name)
        else:
            ax.plot(at, h, color=colour, linewidth=0.7, label=name)
    ax.axvline(0, color=PALE, linewidth=0.8, linestyle=(0, (3, 3)), zorder=0)
    ax.axhline(0, color=PALE, linewidth=0.6, zorder=0)
    step = float(k.domain.step[0]) * scale
    low, high = min(at[0], 0) - step, max(at[-1], 0) + step
    ax.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    ax.margins(y=0.12)
    ax.locator_params(axis="x", nbins=4)
    ax.set_xlabel(f"time ({unit})", fontsize=8, labelpad=1)
    if len(parts) > 1:
        ax.legend(fontsize=6, loc="best", handlelength=1, borderpad=0.1, labelspacing=0.1, frameon=True, edgecolor="none")


def _gain(ax: Any, k: sc.Signal) -> None:
    """The gain in dB over a logarithmic frequency axis."""
    flat = sc.Signal(k.data.reshape(-1, *k.domain.shape), k.domain)
    rate = 1 / float(k.domain.step[0])
    frequency = np.geomspace(20, rate / 2, 1200)
    gain = decibels(sc.spectrum.response(flat, frequency).gain)
    for line, colour in zip(gain, line_colours(len(gain)), strict=True):
        ax.plot(frequency, line, color=colour, linewidth=1)
    high = max(float(gain.max()), 0) + 4
    low = max(float(np.percentile(gain, 3)) - 4, high - 84)
    ax.set(xscale="log", xlim=(20, rate / 2), ylim=(min(low, high - 12), high))
    ax.set_xticks([100, 1000, 10000], ["100", "1k", "10k"])
    ax.set_xlabel("frequency (Hz)", fontsize=8, labelpad=1)
    ax.set_ylabel("gain (dB)", fontsize=8, labelpad=1)
    ax.grid(True, color="#e6e8ec", linewidth=0.5)


def _coloured(level: np.ndarray, top: float) -> np.ndarray:
    """A map of levels as RGB, low frequencies below."""
    return colour_map("level")(np.clip((level[::-1] - top) / RANGE + 1, 0, 1))[..., :3]


# spectrogram

def _spectrogram(k: sc.Signal, listening: Any, take: Any, cut: tuple[float, float]) -> tuple[bytes, np.ndarray]:
    sheet, (bin_, hop) = Sheet(262), (float(s) for s in k.domain.step)
    size = f"{bin_ * k.domain.shape[0]:.0f} Hz × {1000 * hop * k.domain.shape[1]:.1f} ms"
    _kernel(sheet, k, 30, 24, 190, 190, up=True, words=_counted(k) + "\n" + size)
    maps = [_cut(picture(listening.map)[0], cut), _cut(picture(take.map, k)[0], cut)]
    tops = [float(values.max()) for values, _ in maps]
    louder = f"{round(tops[1] - tops[0]) + 0:+d}".replace("-", "−")
    for i, (values, extent) in enumerate(maps):
        ax = sheet.axes(290 + 258 * i, 24, 240, 196, ("before", f"after, loudest at {louder} dB")[i])
        _level(ax, values, extent, tops[i], not i)
    return sheet.png(COLOURED), _coloured(maps[1][0], tops[1])


def _cut(S: sc.Signal, cut: tuple[float, float]) -> tuple[np.ndarray, tuple[float, ...]]:
    """The part of a map of magnitudes in these seconds, in dB, and its edges."""
    at, d = S.coordinates(1), S.domain
    inside = (at >= cut[0]) & (at <= cut[1])
    return decibels(S.data.reshape(-1, *d.shape)[0][:, inside]), (*cut, *d.extent[0])


# images, volumes, videos

def _kernel(sheet: Sheet, k: sc.Signal, left: int, top: int, width: int, height: int, *, up: bool = False, cut: int | None = None,
            title: str = "kernel", words: str = "") -> None:
    """Taps from blue over white to red, by the root of their size, the origin in view; of three axes the largest along `cut`;
    filters side by side."""
    from matplotlib.patches import Rectangle

    parts, (row, column), whole = _plates(k, cut)
    rows, across = parts[0].shape
    scale = min(height / rows, (width - 4 * (len(parts) - 1)) / len(parts) / across, 40)
    wide, tall = max(round(scale * across), 6), max(round(scale * rows), 8)
    peak = max(float(np.abs(h).max()) for h in parts) or 1.0
    by = max(int(np.ceil(across / max(wide, 1))), 1)
    parts, column = [_largest(h, by) for h in parts], column // by
    for i, h in enumerate(parts):
        size = np.sign(h) * np.sqrt(np.abs(h) / peak)
        ax = sheet.show(size, left + i * (wide + 4), top, wide, tall, "" if i else title, "signed")
        ax.images[0].set_interpolation("nearest")
        if up:
            ax.invert_yaxis()
        if scale < 32 or not whole:
            ax.plot(column, row, "+", color=INK, markersize=5, markeredgewidth=0.8)
            continue
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=1.2))
        for (r, c), v in np.ndenumerate(h):
            ax.text(c, r, f"{v + 0.0:.2g}".replace("-", "−"), ha="center", va="center", fontsize=7,
                    color="white" if abs(v) > 0.36 * peak else INK)
    if words:
        sheet.words(words, left, top + tall + 6)


def _largest(h: np.ndarray, by: int) -> np.ndarray:
    """The largest of every so many columns, so that a narrow picture loses no tap."""
    groups = np.pad(h, ((0, 0), (0, -h.shape[1] % by))).reshape(len(h), -1, by)
    return np.take_along_axis(groups, np.abs(groups).argmax(-1, keepdims=True), -1)[..., 0]


def _plates(k: sc.Signal, cut: int | None) -> tuple[list[np.ndarray], list[int], bool]:
    """Each filter on two axes, where the origin lies there, and whether that is all: what is less than 2 % of the largest tap
    beside the origin is left out at the rims."""
    d = k.domain
    lows = [min(int(s), 0) for s in d.start]
    highs = [max(int(s) + n, 1) for s, n in zip(d.start, d.shape, strict=True)]
    plates: list[np.ndarray] = []
    for _, h in _filters(k):
        wide = np.zeros([b - a for a, b in zip(lows, highs, strict=True)])
        wide[tuple(slice(int(s) - a, int(s) - a + n) for s, a, n in zip(d.start, lows, d.shape, strict=True))] = h
        if cut is not None:
            wide = np.take_along_axis(wide, np.abs(wide).argmax(cut, keepdims=True), cut).squeeze(cut)
        plates.append(wide)
    origin = [-low for i, low in enumerate(lows) if i != cut]
    size = np.max(np.abs(plates), axis=0)
    beside = size.copy()
    beside[tuple(origin)] = 0
    large = size > 0.02 * beside.max()
    large[tuple(origin)] = True
    spans = [(int(v.min()), int(v.max()) + 1) for v in np.nonzero(large)]
    box = tuple(slice(a, b) for a, b in spans)
    clean = [np.where(np.abs(p) < 1e-9 * size.max(), 0.0, p)[box] for p in plates]
    return clean, [o - a for o, (a, _) in zip(origin, spans, strict=True)], clean[0].shape == size.shape


def _counted(k: sc.Signal) -> str:
    return " × ".join(map(str, k.domain.shape)) + f" tap{'s' * (k.domain.size != 1)}" + (" each" if k.value else "")


def _image(x: sc.Signal, y: sc.Signal, k: sc.Signal, said: str | None) -> tuple[bytes, np.ndarray]:
    sheet = Sheet(304)
    _kernel(sheet, k, 30, 24, 190, 190, words=_counted(k))
    before, after = (_seen(v.data) for v in (x, y))
    sheet.show(before, 238, 24, 256, 256, "before")
    sheet.show(after, 518, 24, 256, 256, "after")
    sheet.words(said, 774, 285, "right")
    return sheet.png(COLOURED), after


def _seen(data: np.ndarray) -> np.ndarray:
    """(c, h, w) as grey (h, w), or (h, w, 3)."""
    flat = data.reshape(-1, *data.shape[-2:])
    return np.clip(np.moveaxis(flat[:3], 0, -1) if len(flat) >= 3 else flat[0], 0, 1)


def _slices(x: sc.Signal, y: sc.Signal, k: sc.Signal, said: str | None, moving: bool) -> tuple[bytes, np.ndarray]:
    sheet = Sheet(462)
    names = k.domain.name
    for top, cut in ((24, 0), (242, 1)):
        kept = [n for i, n in enumerate(names) if i != cut]
        _kernel(sheet, k, 10, top, 150, 150, cut=cut, title=f"kernel ({kept[0]}, {kept[1]})", words=_counted(k) if cut else "")
    planes = []
    for row, (s, word) in enumerate(((x, "before"), (y, "after"))):
        data = s.data.reshape(-1, *s.domain.shape)[0]
        for i in range(3):
            at = FRAMES[i] if moving else data.shape[i] // 2
            values = data[at] if moving else data.take(at, i)
            where = f"{at * float(s.domain.step[0]):.2f} s" if moving else f"{s.domain.name[i]} = {at}"
            sheet.show(np.clip(values, 0, 1), 182 + 200 * i, 24 + 218 * row, 192, 192, f"{word}  {where}" if not i else where)
            planes.append(np.clip(values, 0, 1))
    sheet.words(said, 774, 441, "right")
    return sheet.png(PLAIN + 24), planes[4]
