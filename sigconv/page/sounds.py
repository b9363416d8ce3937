"""Pictures of sound: waveforms and spectrograms, before and after on one scale.

Spectrograms are drawn on the mel scale, mel(f) ∝ log(1 + f/700): linear below, logarithmic above, as ears have it. Every cell
shows the strongest of the bins and frames that fall into it, so that nothing short or narrow is lost to the size of the
picture; 0 dB is the strongest cell of all the pictures that are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2

import numpy as np

from .. import arrays
from ..engines.pocket import rfft
from ..signal import Signal
from ..spectrum import hann
from .markup import base64_url, number
from .png import png
from .svg import Plot, envelope, nice_ticks

__all__ = ["ANCHORS", "PALETTE", "RANGE", "clock", "grid_figure", "hertz", "legend", "samples", "spectrogram_cells",
           "spectrogram_figure", "spectrogram_png", "waveform_figure"]

RANGE = 80.0  # dB from the brightest to the darkest
LEVELS = 64
MELS = 700.0
ANCHORS = ((0, 0, 4), (24, 15, 61), (68, 15, 118), (114, 31, 129), (158, 47, 127), (205, 64, 113), (241, 96, 93),
           (253, 150, 104), (254, 202, 141), (252, 253, 191))
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000)


def _palette(levels: int) -> np.ndarray:
    at, known = np.linspace(0, len(ANCHORS) - 1, levels), np.array(ANCHORS, float)
    return np.stack([np.interp(at, np.arange(len(ANCHORS)), known[:, i]) for i in range(3)], axis=1).round().astype(np.uint8)


PALETTE = _palette(LEVELS)


def samples(x: Signal) -> np.ndarray:
    """The data of a sound as real NumPy (channels, n)."""
    data = arrays.to_numpy(x.data)
    data = data.real if np.iscomplexobj(data) else data
    if data.dtype.kind != "f" or data.dtype.itemsize < 4:
        data = data.astype(np.float64 if data.dtype.kind != "f" else np.float32)
    return data.reshape(-1, data.shape[-1]) if data.size else np.zeros((1, data.shape[-1]), np.float32)


def waveform_figure(x: np.ndarray, seconds: float, scale: float, kind: str, label: str, columns: int = 500,
                    height: int = 72) -> str:
    """A waveform (its channels laid over each other) with a quiet axis."""
    plot = Plot(height, label, foot=0)
    plot.horizontal(0.5, strong=True)
    for t in nice_ticks(0, seconds, 5)[1:]:
        plot.vertical(min(t / seconds, 1.0))
    for channel in x[:2]:
        path = envelope(channel, scale, columns)
        plot.curve(path, f"wave {kind}" if path.endswith("Z") else f"wave open {kind}")
    return plot.svg()


def spectrogram_cells(x: np.ndarray, rate: float, columns: int, rows: int) -> np.ndarray:
    """Magnitudes (rows, columns), the highest frequency first; a full-scale sine reads 1."""
    n = x.shape[-1]
    window = 2 ** max(4, min(round(log2(max(0.046 * rate, 1))), ceil(log2(max(n / 4, 1)))))
    hop = max(1, min(-(-n // columns), window // 2))
    power = None
    for channel in x[:2]:
        mine = _powers(channel, window, hop)
        power = mine if power is None or not mine.size else np.maximum(power, mine)
    if power is None or not power.size:
        return np.zeros((rows, 1))
    mel = np.expm1(np.arange(rows) / rows * np.log1p(rate / 2 / MELS)) * MELS
    lowest = np.minimum(np.rint(mel / rate * window).astype(int), power.shape[1] - 1)
    cells = np.maximum.reduceat(power, lowest, axis=1)
    if len(cells) > columns:
        cells = np.maximum.reduceat(cells, np.arange(columns) * len(cells) // columns, axis=0)
    return np.sqrt(cells.T[::-1])


def _powers(x: np.ndarray, window: int, hop: int) -> np.ndarray:
    """|spectrogram|² of a line, (frames, rows), without the phases that `spectrum.spectrogram` brings to time 0."""
    frames = -(-len(x) // hop)
    wide = np.zeros(max(frames - 1, 0) * hop + window, np.float32)
    part = x[:max(len(wide) - window // 2, 0)]
    wide[window // 2: window // 2 + len(part)] = part
    w = hann(window)
    cut = np.lib.stride_tricks.sliding_window_view(wide, window)[::hop][:frames] * (2 * w / w.sum()).astype(np.float32)
    S = rfft(cut)
    S[:, [0, -1]] *= 0.5  # these stand for one line, the others for two
    return np.square(S.real) + np.square(S.imag)


def spectrogram_png(cells: np.ndarray, reference: float) -> bytes:
    """The cells in colour: `reference` is the brightest, RANGE dB below it the darkest."""
    level = 20 * np.log10(np.maximum(cells, 1e-30) / reference) if reference > 0 else np.full(cells.shape, -RANGE)
    index = np.clip(np.rint((level / RANGE + 1) * (LEVELS - 1)), 0, LEVELS - 1)
    return png(index.astype(np.uint8), PALETTE)


def spectrogram_figure(cells: np.ndarray, reference: float, rate: float, seconds: float, label: str, height: int = 190) -> str:
    """A spectrogram with its axes, time and mel frequency."""
    def place(hz: float) -> float:
        return 1 - float(np.log1p(hz / MELS) / np.log1p(rate / 2 / MELS))

    return _level_figure(cells, reference, [(hz, place(hz)) for hz in TICKS if hz < 0.42 * rate], (0.0, seconds), label, height)


def grid_figure(cells: np.ndarray, reference: float, span: tuple[tuple[float, float], tuple[float, float]], label: str,
               height: int = 230) -> str:
    """A spectrogram as it lies on its own grid: cells from the top down, over `span`, (Hz, s), both axes linear."""
    (low, high), times = span
    ticks = [(hz, (high - hz) / (high - low)) for hz in nice_ticks(low, high, 5)]
    return _level_figure(cells, reference, ticks, times, label, height)


def _level_figure(cells: np.ndarray, reference: float, ticks: list[tuple[float, float]], times: tuple[float, float], label: str,
                  height: int) -> str:
    plot = Plot(height, label)
    plot.image(base64_url(spectrogram_png(cells, reference), "image/png"))
    for hz, y in _spread(ticks):
        plot.marks.append(f'<text class="tick over" x="4" y="{y * height + 4:.1f}">{hertz(hz)}</text>')
    first, last = times
    for t in nice_ticks(first, last, 5):
        plot.vertical((t - first) / (last - first) if last > first else 0.0, clock(t, last - first), line=False)
    return plot.svg()


def _spread(ticks: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ticks (Hz, place) that leave each other and both ends room, from the top."""
    kept: list[tuple[float, float]] = []
    for hz, y in reversed(ticks):
        if 0.04 < y < 0.98 and (not kept or y - kept[-1][1] > 0.125):
            kept.append((hz, y))
    return kept


def hertz(value: float) -> str:
    """A frequency for an axis.

    >>> hertz(440), hertz(2000)
    ('440 Hz', '2 kHz')
    """
    return f"{value / 1000:g} kHz" if value >= 1000 else f"{value:g} Hz"


def clock(value: float, span: float) -> str:
    """A time for an axis of this span in seconds.

    >>> clock(0.5, 3), clock(0.0001, 0.000125)
    ('0.5 s', '100 µs')
    """
    unit, size = ("s", 1.0) if span >= 0.5 else ("ms", 1e3) if span >= 5e-4 else ("µs", 1e6)
    return f"{number(value * size)} {unit}"


def legend(name: str = "scale") -> str:
    """The colours and what they stand for, from dark to bright; `name` is an id that the page has once."""
    last = len(ANCHORS) - 1
    stops = "".join(f'<stop offset="{100 * i / last:.0f}%" stop-color="rgb{rgb}"/>' for i, rgb in enumerate(ANCHORS))
    return ('<svg class="legend" width="132" height="10" role="img" aria-label="colour scale"><defs><linearGradient '
            f'id="{name}">{stops}</linearGradient></defs><rect width="132" height="10" rx="3" fill="url(#{name})"/></svg>')
