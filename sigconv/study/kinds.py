"""Which kernel is this? Recognised by what its taps are, not by what they are called.

On a line every family has a mark of its own: edge and laplace their two and three taps, box its flat top, binomial the numbers
of Pascal's triangle (1,2,1 is that, though a box of exactly two samples has the same taps), gaussian a parabola
for a logarithm, echo taps at equal distances and ratios (a comb those of ratio 1), an interpolated delay a flat gain and a
straight phase, a note a constant turn from tap to tap, a room a straight decay in dB, and the filters one pass band or two,
with stop bands at least 20 dB below. `bells` knows what is made of Gaussians, `waves` what sings and turns. Nothing of this:
no name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import comb, log
from typing import Any

import numpy as np

from ..signal import Signal
from .measures import SAME, Spectrum, parity, plain, trimmed, wanted

__all__ = ["Kind", "on_line", "recognise"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A recognised family: its `name` ("" where there is none), a `gain` in front of it, and its parameters: lengths in
    samples (on more axes one an axis), frequencies in cycles a sample."""

    name: str
    gain: float = 1.0
    parameters: dict[str, Any] = field(default_factory=dict)


def recognise(k: Signal) -> Kind:
    """The family that one filter (a kernel of value `()`) belongs to, with the parameters found in its taps.

    >>> import sigconv as sc
    >>> found = recognise(sc.kernel("lowpass:cutoff=800", sc.line(1, 8000)))
    >>> found.name, round(found.parameters["cutoff"] * 8000)
    ('lowpass', 800)
    """
    wanted(k, "recognise")
    taps, first = trimmed(plain(k), k.domain.start)
    if not taps.size:
        return Kind("silence")
    if k.domain.ndim == 1:
        return on_line(taps, first[0])
    from .boxes import in_space

    return in_space(taps, first)


def on_line(h: np.ndarray, first: float) -> Kind:
    """The family of trimmed taps on a line, the first at index `first`."""
    from . import bells, waves

    one = _one_tap(h, first)
    if one or len(h) < 2:
        return one or Kind("")
    if np.iscomplexobj(h):
        return waves.gabor(h) or _tone(h) or waves.sweep(h, first) or Kind("")
    found = _short(h) or _binomial(h) or _box(h) or _gaussian(h) or _echo(h) or bells.on_line(h) or waves.hilbert(h)
    if found:
        return found
    spectrum = Spectrum(h)
    if len(h) > 3:
        found = _shift(h, first, spectrum) or waves.comb(h, spectrum)
    return found or _filter(h, spectrum) or (_room(h) if len(h) > 3 else None) or Kind("")


def _one_tap(h: np.ndarray, first: float) -> Kind | None:
    top = int(np.abs(h).argmax())
    if np.abs(h).sum() - abs(h[top]) > 1e-7 * abs(h[top]) * len(h):
        return None
    at, gain = first + top, h[top]
    if np.iscomplexobj(h):
        from .waves import phase

        return phase(h[top], (at,))
    if at:
        return Kind("delay", float(gain), {"time": at})
    return Kind("identity" if abs(gain - 1) < SAME else "gain", float(gain))


def _short(h: np.ndarray) -> Kind | None:
    """Two or three taps with a name."""
    near = SAME * np.abs(h).max() * 10
    if len(h) == 2 and abs(h[0] + h[1]) < near:
        return Kind("edge", float(h[0]))
    if len(h) != 3:
        return None
    if abs(h[0] + h[2]) < near:
        return Kind("difference", float(h[0])) if abs(h[1]) < near else \
            Kind("emboss", float(h[1]), {"amount": float(abs(h[0] / h[1])), "lit": (float(np.sign(h[0] / h[1])),)})
    if abs(h[0] - h[2]) > near:
        return None
    if abs(h.sum()) < near:
        return Kind("laplace", float(h[0]))
    gain = float(h.sum())
    return Kind("sharpen", gain, {"amount": float(-h[0] / gain)}) if -h[0] / gain > SAME else None


def _binomial(h: np.ndarray) -> Kind | None:
    """A row of Pascal's triangle of three or more: its variance is a quarter of its order."""
    order = len(h) - 1
    if not 2 <= order <= 60:
        return None
    row = np.array([comb(order, i) for i in range(order + 1)]) / 2.0**order
    gain = float(h.sum())
    if np.abs(h - gain * row).max() > 10 * SAME * np.abs(h).max():
        return None
    return Kind("binomial", gain, {"sigma": order**0.5 / 2})


def _box(h: np.ndarray) -> Kind | None:
    """A flat top with equal ends that are no higher."""
    inner, ends = h[1:-1], h[[0, -1]]
    level = float(inner[0]) if len(inner) else float(ends[0])
    near = 10 * SAME * abs(level)
    share = float(ends[0]) / level if level else 0.0
    if abs(ends[0] - ends[1]) > near or np.abs(inner - level).max(initial=0) > near or not SAME < share < 1 + 10 * SAME:
        return None
    if len(h) == 3 and abs(share - 1) > 10 * SAME and -2 * log(share) > 1 / 0.375**2:
        return None  # the Gaussians with three taps are steeper than this
    return Kind("box", float(h.sum()), {"width": len(inner) + 2 * min(share, 1.0)})


def _gaussian(h: np.ndarray) -> Kind | None:
    """Positive, even, and its logarithm a parabola that reaches at least to 2.5 σ."""
    h, gain = h * np.sign(h.sum()), float(h.sum())
    if len(h) % 2 == 0 or h.min() <= 0:
        return None
    middle = len(h) // 2
    top, half = h[middle], int(np.flatnonzero(h[middle:] > 0.3 * h[middle])[-1]) or 1
    ratio = h[middle + half] / top
    if not 0 < ratio < 1:
        return None
    sigma = half / np.sqrt(-2 * np.log(ratio))
    model = top * np.exp(-0.5 * ((np.arange(len(h)) - middle) / sigma) ** 2)
    if np.abs(h - model).max() > 5e-4 * top or middle < 2.5 * sigma:
        return None
    return Kind("gaussian", gain, {"sigma": float(sigma)})


def _echo(h: np.ndarray) -> Kind | None:
    """A few taps, equally far apart, each the same share of the last."""
    at = np.flatnonzero(np.abs(h) > 1e-9 * np.abs(h).max())
    gaps = np.diff(at)
    if len(at) < 2 or gaps.min() < 2 or gaps.max() != gaps.min():
        return None
    ratio = float(h[at[1]] / h[at[0]])
    model = h[at[0]] * ratio ** np.arange(len(at))
    if abs(abs(ratio) - 1) < SAME and ratio > 0:
        if np.ptp(h[at]) > 10 * SAME * abs(h[0]):
            return None
        return Kind("comb", float(h.sum()), {"period": int(gaps[0]), "teeth": len(at), "middle": (len(h) - 1) / 2})
    if abs(ratio) > 1 + SAME or np.abs(h[at] - model).max() > 1e-4 * abs(h[0]):
        return None
    return Kind("echo", float(h[0]), {"delay": int(gaps[0]), "decay": ratio, "repeats": len(at) - 1})


def _shift(h: np.ndarray, first: float, spectrum: Spectrum) -> Kind | None:
    """A flat gain and a straight phase below 0.4 of the rate: a delay between samples."""
    gain = float(h.sum())
    if not gain or len(h) < 8:
        return None
    late = float((h * np.arange(len(h))).sum() / gain)
    low = spectrum.frequency <= 0.4
    straight = spectrum.gain[low] * np.exp(2j * np.pi * spectrum.frequency[low] * late)
    if np.abs(straight - gain).max() > 2e-3 * abs(gain):
        return None
    return Kind("delay", gain, {"time": first + late})


def _tone(h: np.ndarray) -> Kind | None:
    """A complex exponential under a window: the same turn from tap to tap."""
    turn = float(np.angle((h[1:] * h[:-1].conj()).sum()))
    window = h * np.exp(-1j * turn * np.arange(len(h)))
    window = window * np.exp(-1j * np.angle(window.sum()))
    top = window.real.max()
    if len(h) < 3 or np.abs(window.imag).max() > 1e-3 * top or window.real.min() < -1e-3 * top:
        return None
    long = 2 * float(window.real.sum()) / top
    at = np.arange(len(h)) - (len(h) - 1) / 2
    hann = np.where(np.abs(at) < long / 2, np.cos(np.pi * at / long) ** 2, 0)
    kind = "note" if np.abs(window.real / top - hann).max() < 0.02 else "tone"
    return Kind(kind, float(np.sqrt((np.abs(h) ** 2).sum())), {"pitch": turn / (2 * np.pi), "duration": long})


def _filter(h: np.ndarray, spectrum: Spectrum) -> Kind | None:
    """One pass band, or two around a stop band; every stop band at least 20 dB down, once it is."""
    if len(h) < 16 and parity(h) == "none":
        return None
    size = spectrum.size
    ends = max(size[0], size[-1])
    high = np.sort(size[size > 0.9 * size.max()])  # np.median would load numpy.ma, 20 ms
    middle = high[(len(high) - 1) // 2: len(high) // 2 + 1].mean() if len(high) else 0.0
    level = float(ends if ends > 0.7 * size.max() else middle)
    if size.max() > 1.41 * level or not level:
        return None
    passing = size > level / np.sqrt(2)
    edges = np.flatnonzero(passing[1:] != passing[:-1])
    if len(edges) not in (1, 2) or not _stops(size / level, passing, edges):
        return None
    starts, ends = bool(passing[0]), bool(passing[-1])
    name = {(1, True): "lowpass", (1, False): "highpass", (2, True): "bandstop", (2, False): "bandpass"}[len(edges), starts]
    if len(edges) == 2 and starts != ends:
        return None
    half = spectrum.crossings(level / 2)
    near = [float(half[np.abs(half - spectrum.frequency[e]).argmin()]) for e in edges] if len(half) else []
    if not near:
        return None
    gain = level if spectrum.gain[0].real >= 0 or name in ("highpass", "bandpass") else -level
    return Kind(name, gain, {"cutoff": near[0]} if len(near) == 1 else {"low": near[0], "high": near[1]})


def _stops(size: np.ndarray, passing: np.ndarray, edges: np.ndarray) -> bool:
    """Whether each stop band falls to −20 dB and stays there, away from its pass bands."""
    bounds = [0, *(int(e) + 1 for e in edges), len(size)]
    for a, b in pairwise(bounds):
        if passing[a]:
            continue
        band = size[a:b]
        deep = np.flatnonzero(band <= 0.1)
        if not len(deep):
            return False
        low = deep[0] if a else 0
        high = deep[-1] if b < len(size) else len(band) - 1
        if band[low:high + 1].max() > 0.13:
            return False
    return True


def _room(h: np.ndarray) -> Kind | None:
    """A direct sound near the beginning, then noise whose energy decays in a straight line of dB."""
    top = int(np.abs(h).argmax())
    tail = h[top + 1:]
    if len(tail) < 64 or top > len(h) // 4 or np.count_nonzero(tail) < len(tail) // 8:
        return None
    power = np.abs(np.fft.rfft(tail)) ** 2
    flat = float(np.exp(np.log(power + 1e-30 * power.max()).mean()) / power.mean())  # 0.56 for noise, near 0 for tones
    left = np.cumsum(tail[::-1] ** 2)[::-1]
    third = len(tail) // 3
    if left[0] - left[third] < 4 * left[-third]:  # noise that stays, stays within 6 dB
        return None
    decay = 10 * np.log10(left / left[0] + 1e-30)
    part = (decay <= -3) & (decay >= -25)
    if flat < 0.05 or np.count_nonzero(part) < 16:
        return None
    at, level = np.flatnonzero(part), decay[part]
    slope, offset = np.polyfit(at, level, 1)
    spread = float(np.std(level - (slope * at + offset)))
    if slope >= 0 or spread > 1.5 or -60 / slope > 8 * len(tail):
        return None
    wet = float(np.sqrt(left[0])) / abs(float(h[top]))
    return Kind("room", float(h[top]), {"t60": -60 / float(slope), "wet": wet})
