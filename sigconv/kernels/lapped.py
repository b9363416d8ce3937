"""Banks that share frames: the windowed Fourier transform, the MDCT, wavelets, and constant Q with a rate for each octave."""

from __future__ import annotations

from math import ceil, comb, floor, log2
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError
from ..signal import Signal
from .banks import _line
from .registry import limit, number, per, whole

__all__ = ["constant_q", "daubechies", "fourier", "mdct"]


def fourier(like: Any, window: int = 400, bins: int | None = None) -> Signal:
    """The frames of an STFT: exponentials of rate/window under a Hann window, centred; strides up to window/2 give it back.

    For real sound: window//2 + 1 bins, those that stand for two of the spectrum √2 times as strong, so that the bank is
    painless (its frame operator is diagonal, and `frames.synthesis` a division). `bins=window` gives all of them,
    alike, for complex signals.

    >>> import sigconv as sc
    >>> k = fourier(sc.line(1, 16000), 400)
    >>> k.value, k.channels[40], print(sc.frames.bounds(k, 16000, 100, padding_mode="circular"))
    A 600, B 600, condition 1 (tight), redundancy 4.02
    ((201,), '1600 Hz', None)

    Raises `UsageError` for a window below 2 or more bins than samples.
    """
    domain, step = _line(like)
    n = whole(window, "window", 2)
    half = n // 2 + 1
    m = half if bins is None else whole(bins, "bins")
    if m > n:
        raise UsageError(f"{m} bins of a window of {n}: wanted at most {n}")
    limit((m, n))
    t, f = np.arange(n) - (n - 1) // 2, np.arange(m)
    roots = np.exp(2j * np.pi * np.arange(n) / n)
    weight = np.where((f == 0) | (2 * f == n), 1.0, np.sqrt(2)) if bins is None else np.ones(m)
    w = np.cos(np.pi * (t - (0 if n % 2 else 0.5)) / n) ** 2
    taps = weight[:, None] * w * roots[np.outer(f, t) % n]
    names = [f"{v / (n * step):.6g} {per(domain.unit[0])}".strip() for v in f]
    return Signal(taps, Domain(n, domain.step, -((n - 1) // 2), domain.unit, domain.name), names)


def mdct(like: Any, size: int = 256) -> Signal:
    """The modified discrete cosine transform: `size` cosines under a sine window of 2·size, at a stride of `size`; orthonormal.

    As many numbers as samples, those of the last frame filled up. ``convolve(x, k, stride=size)`` loses nothing, whatever the
    length, its ends included: frame j begins half a frame before sample j·size. In mode "full" the transpose, `frames.adjoint`,
    is the inverse. (Princen & Bradley, IEEE Trans. ASSP 34, 1986.)

    >>> import sigconv as sc
    >>> k, x = mdct(sc.line(1, 8000), 16), sc.Signal([np.arange(64.0)], sc.line(64, 8000))
    >>> back = sc.frames.synthesis(sc.convolve(x, k, stride=16), k, x.domain, 16)
    >>> bool(abs(back.data - x.data).max() < 1e-12)
    True

    Raises `UsageError` for a size that is odd.
    """
    domain, _ = _line(like)
    m = whole(size, "size", 2)
    if m % 2:
        raise UsageError(f"size {m}: wanted an even one")
    limit((m, 2 * m))
    n, f = np.arange(2 * m), np.arange(m)[:, None]
    taps = np.sqrt(2 / m) * np.sin(np.pi * (n + 0.5) / (2 * m)) * np.cos(np.pi / m * (n + 0.5 + m / 2) * (f + 0.5))
    # convolution reads taps backwards: the frame of output j is −m/2 … 3m/2 − 1 about j·m
    return Signal(taps[:, ::-1], Domain(2 * m, domain.step, 1 - 3 * m // 2, domain.unit, domain.name))


def daubechies(like: Any, order: int = 4, levels: int = 1) -> list[tuple[Signal, int]]:
    """Daubechies' orthonormal wavelets with `order` vanishing moments (1: Haar), as a bank of several rates.

    Pairs (kernel, stride), the finest detail first: 2, 4, …, 2^levels, and what is left, at 2^levels. Taps by spectral
    factorisation: the zeros of the half-band polynomial inside the circle (Daubechies, Comm. Pure Appl. Math. 41, 1988). Give
    ``mode="full"`` to `convolve` and `frames.synthesis`, or padding "circular", for nothing to be lost at the ends.

    >>> import sigconv as sc
    >>> pairs = daubechies(sc.line(1, 8000), 2, levels=3)
    >>> [(k.domain.shape[0], stride) for k, stride in pairs]
    [(4, 2), (10, 4), (22, 8), (22, 8)]
    >>> print(sc.frames.bounds(pairs, 64, padding_mode="circular"))
    A 1, B 1, condition 1 (tight), redundancy 1

    Raises `UsageError` for orders beyond 20, where double precision ends, and fewer than one level.
    """
    domain, _ = _line(like)
    p, count = whole(order, "order"), whole(levels, "levels")
    if p > 20:
        raise UsageError(f"order {p}: wanted at most 20")
    h = scaling(p)
    g = h[::-1] * (-1.0) ** np.arange(len(h))
    limit(((len(h) - 1) * 2**count,))
    pairs, smooth = [], np.ones(1)
    for level in range(count):
        made = []
        for taps in (g, h):
            wide = np.zeros((len(taps) - 1) * 2**level + 1)
            wide[:: 2**level] = taps
            made.append(np.convolve(smooth, wide))
        pairs.append((made[0], 2 ** (level + 1)))
        smooth = made[1]
    pairs.append((smooth, 2**count))
    return [(Signal(taps[None, ::-1], Domain(len(taps), domain.step, 1 - len(taps), domain.unit, domain.name)), stride)
            for taps, stride in pairs]


def scaling(p: int) -> np.ndarray:
    """Daubechies' scaling filter: √2·((1 + z)/2)^p·Q(z), |Q|² = Σ_k C(p−1+k, k) sin^(2k), Q with its zeros inside the circle.

    >>> scaling(1).round(6).tolist()
    [0.707107, 0.707107]
    """
    polynomial = [comb(p - 1 + k, k) for k in range(p)]
    q = np.ones(1)
    for y in np.roots(polynomial[::-1]):  # y = (2 − z − 1/z)/4, so z + 1/z = 2 − 4y
        half = 1 - 2 * y
        z = half + np.sqrt(half * half - 1 + 0j)
        q = np.convolve(q, [1, -(z if abs(z) < 1 else 1 / z)])
    h = np.real(q)
    for _ in range(p):
        h = np.convolve(h, [0.5, 0.5])
    return h * (np.sqrt(2) / h.sum())


def constant_q(like: Any, low: Any = 32.703195662574764, high: float | None = None, bins: int = 12, *, gamma: Any = 0.0,
               oversampling: float = 4.0) -> list[tuple[Signal, int]]:
    """Constant-Q bands, `bins` an octave from `low` (C1): Hann-windowed exponentials, gain 1, in octaves with a stride each.

    Each is Q/f long, Q = 1/(2^(1/bins) − 1), or, with a variable Q, 1/(f/Q + gamma) (Schörkhuber et al., AES 53, 2014). Pairs
    (kernel, stride), the highest octave first: strides are the powers of 2 that leave `oversampling` times the width of the
    octave's widest band. Channels are named by frequency. What lies below and above is added by `frames.complete`.

    >>> import sigconv as sc
    >>> pairs = constant_q(sc.line(1, 16000), 110, 7040, 12)
    >>> [(k.value, stride) for k, stride in pairs][0], len(pairs)
    (((12,), 8), 6)

    Raises `UsageError` where low and high are not in order between 0 and rate/2.
    """
    domain, step = _line(like)
    unit, pairs = per(domain.unit[0]), []
    for some, widths, stride in octaves_of(domain, low, high, bins, gamma, oversampling):
        xp, (f, lengths) = arrays.constants(some, 1 / widths / step)
        reach = ceil(float(arrays.to_numpy(lengths).max()) / 2)
        limit((len(some), 2 * reach + 1))
        _, (_, t) = arrays.constants(f, np.arange(-reach, reach + 1))
        at, phase = t / lengths[:, None], 2 * np.pi * step * f[:, None] * t
        w = xp.where(xp.abs(at) < 0.5, xp.cos(np.pi * at) ** 2, xp.zeros_like(at))
        w = w / xp.sum(w, axis=1, keepdims=True)
        names = [f"{v:.5g} {unit}".strip() for v in arrays.to_numpy(f)]
        grid = Domain(2 * reach + 1, domain.step, -reach, domain.unit, domain.name)
        pairs.append((Signal(w * xp.cos(phase) + 1j * (w * xp.sin(phase)), grid, names), stride))
    return pairs


def octaves_of(like: Any, low: Any = 32.703195662574764, high: Any = None, bins: Any = 12, gamma: Any = 0.0,
               oversampling: Any = 4.0) -> list[tuple[Array, Array, int]]:
    """The centres, 1/lengths and stride of each octave of `constant_q`, the highest first."""
    domain, step = _line(like)
    b, top = whole(bins, "bins"), 0.5 / step
    unit = per(domain.unit[0])
    lowest = number(low, "low", unit, above=0, below=top)
    number(gamma, "gamma", unit, least=0)
    number(oversampling, "oversampling", least=1)
    high = top / 2 ** (1 / b) if high is None else number(high, "high", unit, above=lowest, below=top * (1 + 1e-9))
    count = ceil(log2(high / lowest) * b - 1e-9)
    _, (low, gamma, steps) = arrays.constants(low, gamma, 2 ** (np.arange(max(count, 1)) / b))
    centres = low * steps
    found = []
    for last in range(len(centres), 0, -b):
        some = centres[max(last - b, 0):last]
        widths = some * (2 ** (1 / b) - 1) + gamma
        widest = float(arrays.to_numpy(widths).max())
        found.append((some, widths, 2 ** max(floor(log2(1 / (oversampling * widest * step))), 0)))
    return found
