"""The pictures of the lesson: curves over each other, read-outs over time, spectra, the keys as a heat map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import arrays
from ..domain import line
from ..lessons import Lesson, Note, keys
from ..signal import Signal
from ..spectrum import spectrogram
from .markup import base64_url, number
from .png import png
from .sounds import LEVELS, PALETTE, clock
from .svg import TALL, WIDE, Plot, nice_ticks, polyline

__all__ = ["curves", "keyboard", "pooled", "spectra", "waterfall"]

ROLL = 40.0  # dB of the keys that are shown


def curves(lines: Sequence[tuple[np.ndarray, str]], height: int, label: str, *, scale: float = 1.0, low: float | None = None,
           over: tuple[float, float] = (0.0, 1.0), times: bool = False, marks: Sequence[float] = (),
           dots: Sequence[tuple[float, float]] = (), fill: str = "", ticks: Sequence[float] = (0.0,)) -> str:
    """Curves (values, class) on one scale, from `low` (−scale) to `scale`, over a stretch of time in s.

    `times` puts an axis below; `marks` are times, `dots` (share of the width, value). `fill`: the class of the area between 0
    and the first curve where it lies above.
    """
    bottom, (first, last) = -scale if low is None else low, over
    plot = Plot(height, label, foot=22 if times else 0)

    def place(v: float) -> float:
        return (scale - v) / (scale - bottom)

    for v in ticks:
        plot.horizontal(place(v), number(v) if len(ticks) > 1 else "", strong=v == 0)
    for t in nice_ticks(first, last, 6) if times else ():
        plot.vertical((t - first) / (last - first), clock(t, last - first))
    for i, (data, kind) in enumerate(lines):
        x, y = np.linspace(0, WIDE, len(data)), TALL * (scale - np.clip(data, bottom, scale)) / (scale - bottom)
        if fill and not i:
            ground = TALL * place(0.0)
            plot.curve(polyline(x, np.minimum(y, ground)) + f"L{WIDE},{ground:.0f}H0Z", f"area {fill}")
        plot.curve(polyline(x, y), f"line {kind}")
    for t in marks:
        at = f"{100 * (t - first) / (last - first):.2f}%"
        if first <= t <= last:
            plot.marks.append(f'<line class="mark" x1="{at}" x2="{at}" y1="0" y2="{height}"/>')
    plot.marks += [f'<circle class="dot" cx="{100 * x:.2f}%" cy="{height * place(y):.1f}" r="5"/>' for x, y in dots]
    return plot.svg()


def pooled(y: Signal, over: tuple[float, float], columns: int = 600) -> np.ndarray:
    """The highest values of a magnitude in `columns` equal stretches of a time span; 0 outside its grid."""
    data, step, start = arrays.to_numpy(y.data), float(y.domain.step[0]), float(y.domain.start[0])
    edges = np.clip(np.rint(np.linspace(*over, columns + 1) / step - start).astype(int), 0, len(data))
    if len(data) < columns:
        at = np.linspace(*over, columns)
        return np.interp(at, (np.arange(len(data)) + start) * step, data, left=0.0, right=0.0)
    full = np.append(data, 0.0)
    return np.where(edges[1:] > edges[:-1], np.maximum.reduceat(full, edges)[:-1], 0.0)


def waterfall(sound: np.ndarray, rate: float, top: float, seconds: float = 0.05, columns: int = 560) -> np.ndarray:
    """Magnitudes (rows, columns) of a spectrogram up to `top` Hz, the highest frequency first; a window of `seconds`."""
    window = max(round(seconds * rate), 4)
    hop = max(min(len(sound) // columns, window // 4), 1)
    S = spectrogram(Signal(sound.astype(np.float32), line(len(sound), rate)), window=window, hop=hop)
    cells = np.abs(arrays.to_numpy(S.data))[: round(top * window / rate) + 1]
    if cells.shape[1] > columns:
        cells = np.maximum.reduceat(cells, np.arange(columns) * cells.shape[1] // columns, axis=1)
    return cells[::-1]


def spectra(notes: Sequence[Note], x: Signal, top: float, columns: int = 500) -> str:
    """What each raw kernel lets through, over the spectrum of the sound; dB below the highest of each."""
    plot, low = Plot(190, "spectra of the kernels over that of the sound"), -60.0
    for v in (0, -20, -40):
        plot.horizontal(v / low, f"{number(v)} dB", strong=v == 0)
    for hz in nice_ticks(0, top, 5):
        plot.vertical(hz / top, f"{hz:g} Hz")
    across = np.linspace(0, WIDE, columns)
    for taps, kind in [(x.data, "area soft"), *((n.raw.data, f"line thin c{i % 6}") for i, n in enumerate(notes))]:
        points = 2 ** int(np.ceil(np.log2(max(len(taps), 4 * float(x.rate) / top * columns))))
        size = np.abs(np.fft.rfft(taps, points))
        edges = np.linspace(0, top / float(x.rate) * points, columns + 1).astype(int)
        level = np.maximum.reduceat(size, np.minimum(edges, len(size) - 1))[:-1]
        drawn = np.clip(20 * np.log10(np.maximum(level / size.max(), 1e-6)), low, 0) / low * TALL
        path = polyline(across, drawn)
        plot.curve(path + f"L{WIDE},{TALL}H0Z" if "area" in kind else path, kind)
    return plot.svg()


def keyboard(lesson: Lesson, height: int = 352, columns: int = 600) -> str:
    """How strongly each key answers over time, low keys below, in dB of the strongest; the notes ringed at their onsets."""
    heard, n = lesson.piano, lesson.mono.domain.shape[0] / float(lesson.mono.rate)
    data = arrays.to_numpy(heard.data)
    if data.shape[1] > columns:
        data = np.maximum.reduceat(data, np.arange(columns) * data.shape[1] // columns, axis=1)
    level = 20 * np.log10(np.maximum(data[::-1], 1e-12) / data.max())
    index = np.clip(np.rint((level / ROLL + 1) * (LEVELS - 1)), 0, LEVELS - 1).astype(np.uint8)
    plot, many = Plot(height, "the keys of a piano over time"), len(data)
    plot.image(base64_url(png(index, PALETTE), "image/png"))
    for i, (name, _) in enumerate(keys()[:many]):
        if name[:-1] == "C" and i < many - 2:
            plot.marks.append(f'<text class="tick over" x="4" y="{height * (1 - (i + 0.5) / many) + 4:.1f}">{name}</text>')
    for t in nice_ticks(0, n, 6):
        plot.vertical(t / n, clock(t, n), line=False)
    lowest = int(heard.domain.start[0])
    for note in lesson.notes:
        y = 1 - (69 + 12 * np.log2(note.frequency / 440) - lowest + 0.5) / many
        if np.isfinite(note.onset):
            x = min(max(note.onset / n, 0), 1)
            plot.marks.append(f'<circle class="ring" cx="{100 * x:.2f}%" cy="{height * y:.1f}" r="6"/>')
    return plot.svg().replace('class="plot"', 'class="plot pixels"', 1)
