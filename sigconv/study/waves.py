"""Kernels that sing or turn: the Hilbert transformer, combs, Gabors and sweeps.

A complex exponential turns by the same angle from tap to tap, along every axis; what is left when it is turned back is its
window. In a sweep the angle grows: by the same factor from tap to tap where every octave takes the same time. A comb of n teeth,
P apart, has its first null at 1/(nP), wherever its teeth fall between the samples. The Hilbert transformer's taps are 2/(πn) at
odd n under a window, and nothing at even n. Whatever is found is made again and must give the taps back.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from .. import kernels
from ..domain import line
from ..kernels.shapes import REACH
from .bells import REACHES, least, width_of
from .kinds import Kind
from .measures import SAME, Spectrum

__all__ = ["comb", "gabor", "hilbert", "minimum_phase", "phase", "sweep"]

NEAR = 1e-3  # of the largest tap
TEETH = 64  # of a comb between samples, looked for at most


def phase(value: complex, at: tuple[float, ...]) -> Kind:
    """One complex tap, at these indices."""
    return Kind("phase", abs(value), {"angle": float(np.degrees(np.angle(value))), "time": at})


def hilbert(h: np.ndarray) -> Kind | None:
    """2/(πn) at odd n from the middle, under a window that falls from 1."""
    middle = len(h) // 2
    if len(h) < 7 or len(h) % 2 == 0:
        return None
    n = np.arange(1, middle + 1)
    right, left = h[middle + 1:], h[middle - 1:: -1]
    top = np.abs(h).max()
    even = n % 2 == 0
    if np.abs(right + left).max() > 10 * SAME * top or np.abs(right[even]).max(initial=0) > 10 * SAME * top or \
            abs(h[middle]) > 10 * SAME * top:
        return None
    window = (right * n)[~even] * (np.pi / 2)
    sign, at = float(np.sign(window[0])), (n[~even] / middle) ** 2
    window = window * sign
    if window.min() < 0 or np.diff(window).max(initial=0) > NEAR * window[0]:
        return None
    smooth = np.polyval(np.polyfit(at, window, min(6, len(at) - 1)), at)  # a window is even about the middle
    if np.abs(smooth - window).max() > 2 * NEAR * window[0]:
        return None
    for count in (len(h), len(h) + 2):  # of every other length the ends are 0
        level = window / np.hamming(count)[count // 2 + 1:][:middle][~even]
        if np.ptp(level) < NEAR * level[0]:
            return Kind("hilbert", sign * float(level[0]))
    return Kind("hilbert", sign * float(np.abs((h * np.exp(-0.5j * np.pi * np.arange(len(h)))).sum())))  # the gain at rate/4


def comb(h: np.ndarray, spectrum: Spectrum) -> Kind | None:
    """Equal impulses at equal distances that are no whole number of samples: each up to 64 taps of a sinc."""
    gain, at = float(h.sum()), np.arange(len(h))
    if len(h) < REACH or not gain or spectrum.size.max() > 1.1 * abs(gain):
        return None
    middle = float((h * at).sum()) / gain
    size = (spectrum.gain * np.exp(2j * np.pi * spectrum.frequency * middle)).real / gain
    null = np.flatnonzero(size[1:] * size[:-1] < 0)
    if not len(null):
        return None
    a, b = size[null[0]: null[0] + 2]
    whole = 1 / (spectrum.frequency[null[0]] + a / (a - b) * spectrum.frequency[1])  # teeth · period
    for teeth in range(2, TEETH):
        period = whole / teeth
        if period < 2 or not len(h) - 2 * REACH - 2 < 1.03 * (teeth - 1) * period < 1.06 * len(h):
            continue
        period = _tuned(period, np.abs(size), spectrum)
        if _off(h, gain, middle, teeth, period) > 0.05 * np.abs(h).max():
            continue
        period = least(partial(_off, h, gain, middle, teeth), period * (1 - 1e-4), period * (1 + 1e-4), 24)
        if _off(h, gain, middle, teeth, period) < NEAR * np.abs(h).max():
            return Kind("comb", gain, {"period": period, "teeth": teeth, "middle": middle})
    return None


def _off(h: np.ndarray, gain: float, middle: float, teeth: int, period: float) -> float:
    """How far taps with this sum and centre are from such a comb."""
    made = kernels.comb(line(1, 1), 1 / period, teeth)
    taps = np.asarray(made.data)
    shift = round(middle - float((taps * np.arange(len(taps))).sum()))
    begin, end = min(0, shift), max(len(h), shift + len(taps))
    rest = np.zeros(end - begin)
    rest[-begin: len(h) - begin] = h
    rest[shift - begin: shift - begin + len(taps)] -= gain * taps
    return float(np.abs(rest).max())


def _tuned(period: float, gain: np.ndarray, spectrum: Spectrum) -> float:
    """The period of a comb from ever higher teeth of its |response|, up to 0.42 of the rate."""
    step, order = float(spectrum.frequency[1]), 1
    highest = int(0.42 * period)  # so that no window reaches beyond half the rate
    while order <= highest and order / period < 0.45:
        near, reach = round(order / period / step), max(round(0.25 / period / step), 1)
        begin = max(near - reach, 1)
        top = begin + int(gain[begin: near + reach + 1].argmax())
        a, b, c = gain[top - 1: top + 2]
        period = order / ((top + 0.5 * (a - c) / (a - 2 * b + c)) * step)
        order = min(2 * order, highest) if order < highest else highest + 1
    return period


def gabor(h: np.ndarray) -> Kind | None:
    """A complex exponential under a Gaussian, on one to three axes."""
    turns = []
    for axis in range(h.ndim):
        if h.shape[axis] < 2:
            turns.append(0.0)
            continue
        late, early = np.take(h, range(1, h.shape[axis]), axis), np.take(h, range(h.shape[axis] - 1), axis)
        turns.append(float(np.angle((late * early.conj()).sum())) / (2 * np.pi))
    if any(n % 2 == 0 for n in h.shape) or not any(turns):
        return None
    places = np.ogrid[tuple(slice(-(n // 2), n // 2 + 1.0) for n in h.shape)]
    still = h * np.exp(-2j * np.pi * sum(f * i for f, i in zip(turns, places, strict=True)))
    shift = float(np.angle(still.sum()))
    window = (still * np.exp(-1j * shift)).real
    middle = tuple(n // 2 for n in h.shape)
    if not window[middle] > 0:
        return None
    sigmas, model = [], window[middle]
    for axis, n in enumerate(h.shape):
        if n == 1:
            sigmas.append(0.0)
            continue
        line = window[tuple(slice(None) if a == axis else m for a, m in enumerate(middle))]
        sigma = width_of(line[n // 2:])
        if not n // 2 >= REACHES * sigma:
            return None
        sigmas.append(sigma)
        model = model * np.exp(-0.5 * (places[axis] / sigma) ** 2)
    turned = model * np.exp(1j * (shift + 2 * np.pi * sum(f * i for f, i in zip(turns, places, strict=True))))
    if np.abs(turned - h).max() > NEAR * np.abs(h).max():
        return None
    gain = float(window[middle]) * float(np.prod([s * np.sqrt(2 * np.pi) for s in sigmas if s]))
    return Kind("gabor", gain, {"frequency": tuple(turns), "sigma": tuple(sigmas), "phase": float(np.degrees(shift))})


def sweep(h: np.ndarray, first: float) -> Kind | None:
    """A complex exponential under a Hann window whose frequency grows by the same factor, or the same amount, a sample."""
    size, n = np.abs(h), np.arange(len(h))
    if len(h) < 16:
        return None
    long = 1.5 * float(size.sum() ** 2 / (size**2).sum())  # Σ w = long/2, Σ w² = 3 long/8
    begin = float((size * n).sum() / size.sum()) - long / 2
    window = np.where(np.abs(n - begin - long / 2) < long / 2, np.sin(np.pi * (n - begin) / long) ** 2, 0)
    level = float((window * size).sum() / (window**2).sum())
    if np.abs(size - level * window).max() > 0.01 * level:
        return None
    turn = np.angle(h[1:] * h[:-1].conj()) / (2 * np.pi)
    weight = size[1:] * size[:-1]
    kept = weight > 1e-3 * weight.max()
    sign = np.sign(turn[kept]).sum()
    if abs(sign) < kept.sum():
        return None
    at = n[:-1][kept]
    for scale in ("octave", "linear"):
        values = np.log(np.abs(turn[kept])) if scale == "octave" else np.abs(turn[kept])
        slope, start = np.polyfit(at - begin, values, 1, w=np.sqrt(weight[kept]))
        if abs(slope) * long < 1e-3 * (1 if scale == "octave" else abs(start)):
            return None
        if scale == "octave":  # from n to n + 1 the phase grows by f₀ L (exp(1/L) − 1) exp(n/L)
            low = float(np.exp(start) * slope / np.expm1(slope))
            ends = (low, low * float(np.exp(slope * long)))
            path = low / slope * np.expm1(slope * (n - begin))
        else:
            low = float(start - slope / 2)
            ends = (low, low + float(slope) * long)
            path = low * (n - begin) + slope / 2 * (n - begin) ** 2
        model = size * np.exp(2j * np.pi * np.sign(sign) * path)
        model = model * np.exp(1j * np.angle((h * model.conj()).sum()))
        if np.abs(model - h).max() < 0.01 * level:
            return Kind("chirp", float(np.sqrt((size**2).sum())), {"ends": ends, "duration": long, "scale": scale,
                                                                  "negative": bool(sign < 0), "start": first + begin})
    return None


def minimum_phase(h: np.ndarray) -> bool:
    """Whether every zero of taps on a line lies inside the unit circle (or within 0.5/taps of it): then the phase does not wind
    around."""
    n = len(h)
    if n < 2 or not h[0]:
        return False
    taps = h * (1 + 0.5 / n) ** -np.arange(n)
    points = 1 << max(12, (16 * n - 1).bit_length())
    gain = np.fft.rfft(taps, points)
    if not np.abs(gain).min():
        return False
    return bool(abs(np.angle(gain[1:] / gain[:-1]).sum()) < np.pi)
