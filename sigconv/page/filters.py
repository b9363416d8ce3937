"""Pictures and numbers of kernels: their taps, their response, their delay.

The delay that stands in words is τ = Σ κ|h(κ)|² / Σ|h(κ)|², which by Parseval is the group delay averaged over all frequencies
with the energy that passes there; where the taps mirror themselves about τ it is the delay at every frequency.
"""

from __future__ import annotations

from math import log10

import numpy as np

from .. import arrays
from ..signal import Signal
from ..spectrum import decibels, response
from .markup import number
from .sounds import hertz
from .svg import TALL, WIDE, Plot, envelope, nice_ticks, polyline

__all__ = ["delay", "delay_words", "response_figure", "rows", "taps_figure"]

STEMS = 128
ROWS = 6
DIRECT = 64  # up to this many taps the response is summed at the frequencies drawn, above it read from a transform
FLOOR = 72.0  # dB shown below the top


def rows(k: Signal) -> np.ndarray:
    """The taps of a kernel on a line as (filters, n)."""
    taps = np.atleast_1d(arrays.to_numpy(k.data))
    taps = taps.astype(complex if np.iscomplexobj(taps) else float)
    return taps.reshape(-1, taps.shape[-1])


def delay(k: Signal) -> tuple[float, bool]:
    """(τ in samples, whether it is the delay at every frequency), for the first filter of the kernel."""
    h = rows(k)[0]
    energy, at = abs(h) ** 2, np.arange(len(h)) + float(k.domain.start[0])
    if not energy.any():
        return float("nan"), False
    mean = float((energy * at).sum() / energy.sum())
    inside = np.flatnonzero(energy)
    cut = h[inside[0]: inside[-1] + 1]
    size = abs(cut).max()
    mirrored = any(np.allclose(cut, sign * cut[::-1].conj(), rtol=0, atol=1e-7 * size) for sign in (1, -1))
    return mean, mirrored


def delay_words(k: Signal) -> str:
    """The delay as a line of text."""
    mean, everywhere = delay(k)
    if np.isnan(mean):
        return "none: all taps are 0"
    mean = 0.0 if abs(mean) < 5e-7 else mean
    steps = number(mean)
    unit, size = ("ms", 1e3) if k.domain.unit[0] == "s" else (k.domain.unit[0], 1.0)
    words = f"{steps} sample{'' if abs(mean) == 1 else 's'} ({number(mean * float(k.domain.step[0]) * size, 3)} {unit})"
    return words + (" at every frequency" if everywhere else " as a mean over what passes, different from frequency to frequency")


def taps_figure(k: Signal, height: int = 170) -> str:
    """The taps: a stem each while there are few, a waveform when there are many."""
    h, n = rows(k)[:ROWS], k.domain.shape[0]
    drawn = [h[0].real, h[0].imag] if np.iscomplexobj(h) else list(h)
    low, high = min(0.0, *(float(v.min()) for v in drawn)), max(0.0, *(float(v.max()) for v in drawn))
    room = 0.12 * (high - low) or 1.0
    top, bottom = high + room, low - room
    plot = Plot(height, f"taps: {n}, from {number(low)} to {number(high)}")

    def place(v: float) -> float:
        return (top - v) / (top - bottom)

    for v in nice_ticks(low, high, 3):
        plot.horizontal(place(v), number(v), strong=v == 0)
    start, edge = float(k.domain.start[0]), 0.5 if n <= STEMS else 0.0
    span = max(n - 1 + 2 * edge, 1)
    many = n > 12
    for i in [t for t in nice_ticks(start, start + n - 1, 6 if many else max(n - 1, 1)) if t == round(t)]:
        plot.vertical((i - start + edge) / span, number(i, 6))
    for j, v in enumerate(drawn):
        if n <= STEMS:
            for i, tap in enumerate(v.tolist()):
                plot.stem((i + edge) / span, place(tap), place(0.0), f"c{j}")
        else:
            scale = (top - bottom) / 2
            path = envelope(v - (top + bottom) / 2, scale, 400)
            plot.curve(path, f"wave c{j}" if path.endswith("Z") else f"wave open c{j}")
    return plot.svg()


def response_points(k: Signal, points: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """(frequency, dB (filters, f)) at `points` frequencies spaced evenly in log from rate/2000 to rate/2."""
    rate = float(1 / k.domain.step[0])
    at = np.geomspace(rate / 2000, rate / 2, points)
    if k.domain.shape[0] <= DIRECT:
        gain = response(k, at).gain
        return at, decibels(gain.reshape(-1, points))
    whole = response(k)
    up = whole.frequency >= 0
    nu, size = whole.frequency[up], abs(whole.gain.reshape(-1, len(up))[:, up])
    edge = np.minimum(np.searchsorted(nu, np.sqrt(at[:-1] * at[1:])), len(nu) - 1)
    first = np.concatenate([[min(np.searchsorted(nu, at[0]), edge[0])], edge])
    pooled = np.maximum.reduceat(size, first, axis=1)
    narrow = np.stack([np.interp(at, nu, s) for s in size])
    return at, decibels(np.where(np.append(np.diff(first), 1) > 2, pooled, narrow))


def response_figure(k: Signal, height: int = 190) -> str:
    """Gain in dB over log frequency."""
    at, level = response_points(k)
    level = level[:ROWS]
    top = float(level.max())
    if top <= -199:
        return '<p class="quiet">All taps are 0: nothing passes.</p>'
    high = max(6 * np.ceil((top + 1) / 6), 6.0)
    low = min(max(6 * np.floor(float(level.min()) / 6), high - FLOOR), high - 24)
    plot = Plot(height, f"frequency response, at most {number(top)} dB")
    for v in [v for v in nice_ticks(low, high, 5) if low < v < high]:
        plot.horizontal((high - v) / (high - low), f"{number(v)} dB", strong=v == 0)
    for value, word, minor in _frequency_ticks(float(at[0]), float(at[-1]), k.domain.unit[0]):
        plot.vertical(log10(value / at[0]) / log10(at[-1] / at[0]), word, minor)
    x = np.linspace(0, WIDE, len(at))
    for j, row in enumerate(level):
        plot.curve(polyline(x, TALL * (high - np.maximum(row, low)) / (high - low)), f"line c{j}")
    return plot.svg()


def _frequency_ticks(low: float, high: float, unit: str) -> list[tuple[float, str, bool]]:
    """(frequency, label, whether a narrow page leaves the label out): 1, 2, 5 of every decade."""
    ticks = []
    for power in range(int(np.floor(log10(low))), int(np.ceil(log10(high))) + 1):
        for m in (1, 2, 5):
            value = m * 10.0**power
            if low * 1.02 <= value <= high * 0.9:
                ticks.append((value, hertz(value) if unit == "s" else f"{value:g}/{unit}", m != 1))
    return ticks
