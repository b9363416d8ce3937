"""Bands of a line by what is measured of them: `centre`, where the gain is 1 and largest, and `bandwidth`, the width at −3 dB.

The families of `banks.py` in one language, for the register of banks (`banking.py`): each function here says how its own
parameters follow. All are quadrature pairs, gain 1 on the positive frequencies; `quadrature=False` is twice the real part.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log, pi, sqrt
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError
from ..scales import hz_to_note
from ..signal import Signal
from .banks import _all, _bank, _ear, _hamming, _line, _positive, _within, morlet
from .registry import limit, number, per, whole

__all__ = ["constant_q_bands", "edge_bands", "free", "gabors", "gammachirps", "gammatones", "hanns", "morlets", "narrowest",
           "notes", "sinc_bands"]

BINS = 1.3032  # of a Hamming window: −3 dB of its transform, in rate/taps
HANN = 1.4406  # of a Hann window: the same, in 1/length
SOFT = 0.8  # by how much a wide band's −3 dB edges lie inside its −6 dB edges, in rate/taps


def gammatones(like: Any, centre: Any, bandwidth: Any, *, order: int = 4, quadrature: bool = True) -> Signal:
    """`gammatone`: ``|H| = (1 + (f − centre)²/b²)^(−order/2)``, −3 dB at 2b·√(2^(1/order) − 1)."""
    return gammachirps(like, centre, bandwidth, chirp=0.0, order=order, quadrature=quadrature)


def gammachirps(like: Any, centre: Any, bandwidth: Any, *, chirp: Any = -2.0, order: int = 4, quadrature: bool = True) -> Signal:
    """`gammachirp`: ``ln |H| = c·arctan u − (n/2)·ln(1 + u²)``, u = (f − f₀)/b: its peak lies at u = c/n."""
    n, c = whole(order, "order"), number(chirp, "chirp")
    _, (f, wide, glide) = _all(centre, bandwidth, chirp)
    _within(f, "centre", _line(like)[0])
    _positive(wide, "bandwidth", _line(like)[0])
    (low, high), (low_, high_) = _skirts(n, c), _skirts(n, c + 1e-6)
    span = (high - low) + ((high_ - low_) - (high - low)) / 1e-6 * (glide - c)  # c's own gradient, to first order
    b = wide / span
    return named(_ear(like, f - glide * b / n, b / 1.019, chirp, order, quadrature, within=False), f)


@lru_cache(maxsize=64)
def _skirts(n: int, c: float) -> tuple[float, float]:
    """Where a gammachirp is 3 dB below its peak, in u."""

    def below(u: float) -> float:
        return c * np.arctan(u) - n / 2 * np.log1p(u * u) - top + log(2) / 2

    peak = c / n
    top = c * np.arctan(peak) - n / 2 * np.log1p(peak * peak)
    found = []
    for side in (-1.0, 1.0):
        near, far = 0.0, 1.0
        while below(peak + side * far) > 0:
            far *= 2
        for _ in range(80):
            middle = (near + far) / 2
            near, far = (middle, far) if below(peak + side * middle) > 0 else (near, middle)
        found.append(float(peak + side * near))
    return found[0], found[1]


def morlets(like: Any, centre: Any, bandwidth: Any, *, quadrature: bool = True) -> Signal:
    """`morlet`, which is made by these two."""
    return named(_half(morlet(like, centre, bandwidth), quadrature), centre)


def gabors(like: Any, centre: Any, bandwidth: Any, *, quadrature: bool = True) -> Signal:
    """`morlet` without its correction: Gaussians in frequency to the last digit, and at 0 Hz what they are there."""
    return named(_half(morlet(like, centre, bandwidth, correction=False), quadrature), centre)


def named(k: Signal, centre: Any) -> Signal:
    """The same, its channels called by their centres."""
    f = arrays.to_numpy(arrays.asarray(centre))
    unit = per(k.domain.unit[0])
    names = [f"{v:.5g} {unit}".strip() for v in np.broadcast_to(f, k.value)] if k.value else None
    return Signal(k.data, k.domain, names)


def _half(k: Signal, quadrature: bool) -> Signal:
    return k if quadrature else Signal(2 * k.data.real, k.domain, k.names)


def hanns(like: Any, centre: Any, bandwidth: Any, *, unit_norm: bool = False, quadrature: bool = True) -> Signal:
    """Exponentials under a Hann window of 1.4406/bandwidth: the bands of constant Q, and with `unit_norm` notes."""
    domain, step = _line(like)
    xp, (f, wide) = _all(centre, bandwidth)
    _within(f, "centre", domain)
    _positive(wide, "bandwidth", domain)
    f, wide = xp.broadcast_arrays(f, wide) if xp is np else xp.broadcast_tensors(f, wide)
    reach = max(ceil(HANN / float(arrays.to_numpy(wide).min()) / step / 2 - 1e-9) - 1, 0)
    limit((2 * reach + 1,))
    _, (_, t) = arrays.constants(wide, np.arange(-reach, reach + 1) * step)
    at = t * wide[..., None] / HANN
    w = xp.where(abs(at) < 0.5, xp.cos(pi * at) ** 2, xp.zeros_like(at))
    w = w / (xp.sqrt(xp.sum(w**2, axis=-1, keepdims=True)) if unit_norm else xp.sum(w, axis=-1, keepdims=True))
    phase = 2 * pi * f[..., None] * t
    return named(_half(_bank(domain, w * xp.cos(phase) + 1j * (w * xp.sin(phase)), -reach), quadrature), f)


def notes(like: Any, centre: Any, bandwidth: Any, *, quadrature: bool = True) -> Signal:
    """`piano`: notes of unit norm, called as the nearest keys are."""
    k = hanns(like, centre, bandwidth, unit_norm=True, quadrature=quadrature)
    keys = arrays.to_numpy(arrays.asarray(centre))
    return Signal(k.data, k.domain, [hz_to_note(float(f)) for f in np.broadcast_to(keys, k.value)] if k.value else None)


def constant_q_bands(like: Any, centre: Any, bandwidth: Any, *, strides: Any) -> list[tuple[Signal, int]]:
    """`constant_q`: those filters of `hanns` that share a stride are one bank, (kernel, stride), the largest rate first."""
    xp, (f, wide) = _all(centre, bandwidth)
    f, wide = xp.broadcast_arrays(f, wide) if xp is np else xp.broadcast_tensors(f, wide)
    each = [whole(s, "strides") for s in strides]
    if f.ndim != 1 or len(each) != len(f):
        raise UsageError(f"{len(each)} strides for centres of shape {tuple(f.shape)}: wanted one for each")
    pairs = []
    for stride in sorted(set(each)):
        some = [i for i, s in enumerate(each) if s == stride]
        pairs.append((hanns(like, f[some], wide[some]), stride))
    return pairs


def narrowest(like: Any, taps: int) -> float:
    """The least −3 dB bandwidth that so many taps of `sinc_bands` can make, in Hz."""
    return BINS / (taps * _line(like)[1])


def sinc_bands(like: Any, centre: Any, bandwidth: Any, *, taps: int = 251, quadrature: bool = True) -> Signal:
    """`sinc` about `centre`, its edges such that the gain there is −3 dB `bandwidth` apart; 1 at the centre.

    Between the edges of the band that is cut off sharply and the −3 dB points of what the window makes of it lies a function of
    bandwidth · taps / rate alone, `_cut`.
    """
    _within(_all(centre, bandwidth)[1][0], "centre", _line(like)[0])
    return _cut_off(like, centre, bandwidth, taps, quadrature)


def edge_bands(like: Any, centre: Any, bandwidth: Any, *, taps: int = 251, quadrature: bool = True) -> Signal:
    """`sinc_bands` whose centre is the geometric mean of its −3 dB edges, as that of octave bands is."""
    xp, (f, wide) = _all(centre, bandwidth)
    _within(f, "centre", _line(like)[0])
    return named(_cut_off(like, xp.sqrt(f * f + wide * wide / 4), wide, taps, quadrature), f)


def _cut_off(like: Any, centre: Any, bandwidth: Any, taps: int, quadrature: bool) -> Signal:
    domain, step = _line(like)
    count = whole(taps, "taps", 1)
    limit((count,))
    xp, (f, wide) = _all(centre, bandwidth)
    _positive(wide, "bandwidth", domain)
    least, narrow = narrowest(domain, count), float(arrays.to_numpy(wide).min())
    if narrow < least * (1 - 1e-9):
        raise UsageError(f"bandwidth {narrow:g} {per(domain.unit[0])} with {count} taps: wanted at least {least:.4g}, or "
                         f"{ceil(BINS / narrow / step)} taps")
    reach = (count - 1) // 2
    _, (_, t, window) = arrays.constants(wide, (np.arange(count) - reach) * step, _hamming(count))
    envelope = xp.sinc(_cut(xp, wide * (count * step))[..., None] / (count * step) * t) * window
    envelope = envelope / xp.sum(envelope, axis=-1, keepdims=True)
    phase = 2 * pi * f[..., None] * t
    return named(_half(_bank(domain, envelope * xp.cos(phase) + 1j * (envelope * xp.sin(phase)), -reach), quadrature), f)


def _cut(xp: Any, wide: Array) -> Array:
    """How wide a band is before the window, in rate/taps, whose −3 dB points are `wide` apart: cubics between the entries of a
    table in s = √(wide² − 1.3032²), in which it is smooth; the gradient is theirs."""
    s = xp.sqrt(xp.maximum(wide * wide - BINS * BINS, xp.full_like(wide, 1e-12)))
    pitch, values, slopes = _table()
    at = np.minimum(arrays.to_numpy(s) / pitch, len(values) - 1.001).astype(int)
    _, (_, i, a, b, da, db) = arrays.constants(s, at, values[at], values[at + 1], slopes[at] * pitch, slopes[at + 1] * pitch)
    u = s / pitch - i
    cubic = a + u * (da + u * (3 * (b - a) - 2 * da - db + u * (2 * (a - b) + da + db)))
    return xp.where(i >= len(values) - 2, wide + SOFT, cubic)


@lru_cache(maxsize=1)
def _table() -> tuple[float, np.ndarray, np.ndarray]:
    """Step, values and slopes of the width before the window at s = 0, ¼, ½, …, found on a long window."""
    count = 1001
    t, window = (np.arange(count) - count // 2) / count, np.hamming(count)
    pitch, s = 0.25, np.arange(0, 12.01, 0.25)
    at_edge = np.cos(pi * np.sqrt(s * s + BINS * BINS)[:, None] * t)
    low, high = np.zeros(len(s)), s + 3
    for _ in range(50):
        middle = (low + high) / 2
        envelope = np.sinc(middle[:, None] * t) * window
        narrow = np.sum(envelope * at_edge, axis=1) < np.sum(envelope, axis=1) / sqrt(2)
        low, high = np.where(narrow, middle, low), np.where(narrow, high, middle)
    low[0] = 0.0
    return pitch, low, np.gradient(low, pitch)


def free(like: Any, taps: Any, *, start: int | None = None) -> Signal:
    """Taps (m, K) as they are, from index `start`, by default centred."""
    domain = like.domain if isinstance(like, Signal) else like
    taps = arrays.asarray(taps)
    if not isinstance(domain, Domain) or taps.ndim <= domain.ndim:
        raise UsageError(f"taps of shape {tuple(taps.shape)}: wanted (m, *K), with axes of the domain that they act on")
    shape = tuple(taps.shape[taps.ndim - domain.ndim:])
    first = tuple(-((n - 1) // 2) for n in shape) if start is None else (start,) * len(shape)
    return Signal(taps, Domain(shape, domain.step, first, domain.unit, domain.name))
