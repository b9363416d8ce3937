"""Banks made better: tight (A = B), and complete (nothing of the spectrum uncovered)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .bulk import Bulk
from .parts import Part, parts_of
from .system import system_of

__all__ = ["complete", "tighten"]

FADED = 1e-13  # of its peak: what a filter has faded to where it is cut off
LONGEST = 2**17  # samples of the circle on which filters are made
RESIDUE = 1e-5  # of its energy: what a completing filter may lose by ending
FILL = 0.4  # of the rate of its outputs: the widest that one completing band may be


def tighten(k: Signal, stride: int = 1, *, limit: float = 1e6, real: bool | None = None) -> Signal:
    """The canonical tight bank, S^(−1/2) of every filter: A = B = 1 at this stride, and `adjoint` is its own inverse.

    Of all tight banks the nearest to `k` (Janssen & Strohmer, J. Fourier Anal. Appl. 8, 2002). Filters grow as long as
    S^(−1/2) reaches, to −260 dB; where a bank is painless they keep their length. Tight away from the
    edges: on a circle, and on a line with mode "full". Kernels on a line, value `(m,)`; `real` as for `synthesis`.

    >>> import sigconv as sc
    >>> from sigconv.frames import adjoint
    >>> k = sc.Signal(np.random.default_rng(0).normal(size=(6, 8)), sc.line(8, 8000))
    >>> tight = tighten(k, 2)
    >>> x = sc.Signal([np.arange(9.0)], sc.line(9, 8000))
    >>> back = adjoint(sc.convolve(x, tight, stride=2, mode="full"), tight, x.domain, 2, mode="full")
    >>> bool(abs(back.data - x.data).max() < 1e-12)
    True

    Raises `SigconvError` for a bank that is none on a line, of a condition above `limit`, or that reaches beyond 2¹⁷ samples.
    """
    part, _ = _line(k, stride)
    system = system_of((part,), False, real, limit)
    part = system.parts[0]
    q, size = part.stride[0], -(-max(4 * part.spans[0], 256) // part.stride[0]) * part.stride[0]
    while True:
        bulk = Bulk((part,), (size,), system.real)
        least, most = bulk.extremes()
        if not bulk.exact or least * limit < most:
            raise SigconvError(f"tighten of a bank of bounds {least:.3g} and {most:.3g} at stride {q}: wanted a condition of at "
                               f"most {limit:.3g}; see frames.complete")
        on = replace(part, n=(size,), o=(size // q,), padding="circular")
        m, j = part.w.shape[0], size // q // 2
        rows = np.zeros((m, m, size // q), part.w.dtype)
        rows[np.arange(m), np.arange(m), j] = 1
        g = bulk.root(on.backward(rows))[:, 0]
        heard = np.flatnonzero(np.abs(g).max(0) > FADED * np.abs(g).max())
        a, z = int(heard[0]), int(heard[-1]) + 1
        if z - a < size // 2 or system.painless():
            break
        size *= 2
        if size > LONGEST:
            raise SigconvError(f"tighten of a bank of condition {most / least:.3g}: its filters reach beyond {LONGEST} samples")
    taps = np.conj(g[:, a:z])[:, ::-1]
    grid = Domain(z - a, k.domain.step, q * j - z + 1, k.domain.unit, k.domain.name)
    return Signal(arrays.like(taps, arrays.computable(k.data)), grid, k.names)


def complete(k: Any, stride: int = 1) -> Any:
    """The bank with the low and high channels that it lacks to cover the spectrum from 0 to rate/2.

    They fill |ĥ|² up to what it is at the lowest and at the highest channel's peak. At a stride each is no wider than
    0.4 of the rate that is left: wider gaps get several, in quadrature (two channels each, or one complex one in a complex bank),
    so that aliases are told apart. Their names are "low" and "high". `k` a bank `(m,)` on a line, or a list of (kernel, stride)
    pairs, to which pairs of the smallest stride are added.

    >>> import sigconv as sc
    >>> like = sc.line(1, 8000)
    >>> bands = [sc.kernels.bandpass(like, low, 2 * low, taps=255) for low in (500, 1000)]
    >>> k = sc.Signal(np.stack([band.data for band in bands]), bands[0].domain)
    >>> full = complete(k)
    >>> full.channels, sc.frames.bounds(k, 1000).condition > 1e4, sc.frames.bounds(full, 1000).condition < 10
    (('0', '1', 'low', 'high'), True, True)

    Raises `SigconvError` for what is no bank on a line.
    """
    if isinstance(k, Signal):
        part, _ = _line(k, stride)
        added = _fillers([part], float(k.domain.step[0]), part.stride[0])
        return _joined(k, added) if added else k
    pairs = list(k) if isinstance(k, (list, tuple)) else []
    made, _, _ = parts_of(pairs, _short(pairs), 1)
    parts = [p for _, p in made]
    for p in parts:
        if len(p.n) != 1 or p.channels > 1:
            raise SigconvError("complete of kernels on more axes or channels: wanted banks (m,) on a line")
    s = min(p.stride[0] for p in parts)
    added = _fillers([replace(p, w=arrays.to_numpy(p.w)) for p in parts], float(pairs[0][0].domain.step[0]), s)
    if not added:
        return pairs
    like = pairs[0][0].domain
    extra = Signal(np.zeros((0, 1)), Domain(1, like.step, 0, like.unit, like.name))
    return [*pairs, (_joined(extra, added), s)]


def _short(pairs: Sequence[Any]) -> Domain:
    first = pairs[0][0] if pairs and isinstance(pairs[0], (list, tuple)) and pairs[0] else None
    if not isinstance(first, Signal):
        raise SigconvError("complete of what is no bank: wanted a kernel Signal, or a list of (kernel, stride) pairs")
    return Domain((1,) * first.domain.ndim, first.domain.step, 0, first.domain.unit)


def _line(k: Any, stride: Any) -> tuple[Part, Domain]:
    """A bank (m,) on a line as its matrix."""
    if not isinstance(k, Signal) or k.domain.ndim != 1 or len(k.value) != 1:
        raise SigconvError(f"{k!r} as bank: wanted a kernel of value (m,) on a line" if isinstance(k, Signal)
                           else f"a {type(k).__name__} as bank: wanted a kernel Signal")
    domain = Domain(1, k.domain.step, 0, k.domain.unit)
    ((_, part),), _, _ = parts_of(k, domain, stride)
    return replace(part, w=arrays.accurate(arrays.to_numpy(part.w))), domain


def _fillers(parts: Sequence[Part], step: float, s: int) -> list[tuple[str, np.ndarray]]:
    """Names and taps, centred, of what is missing below the lowest and above the highest peak."""
    longest = max(max(p.spans[0] for p in parts), 64)
    size = 1 << (max(4 * longest, 4096) - 1).bit_length()
    half = size // 2 + 1
    power, peaks = np.zeros(half), []
    for p in parts:
        h = np.abs(np.fft.fft(p.w[:, 0], size)) ** 2
        h = (h[:, :half] + h[:, np.r_[0, size - 1: size - half: -1]]) / 2
        peaks += list(np.argmax(h, axis=1))
        power += h.sum(0) / p.stride[0]
    low, high = min(peaks), max(peaks)
    f = np.arange(half)
    gaps = {"low": np.where(f < low, np.maximum(power[low] - power, 0), 0),
            "high": np.where(f > high, np.maximum(power[high] - power, 0), 0)}
    found: list[tuple[str, np.ndarray]] = []
    complex_ = any(np.iscomplexobj(p.w) for p in parts)
    for name, gap in gaps.items():
        heard = np.flatnonzero(gap > 1e-6 * power.max())
        if not heard.size:
            continue
        a, z = int(heard[0]), int(heard[-1]) + 1
        widest = FILL * size / s
        plain = s == 1 or (name == "low" and z - a < widest)
        count = 1 if plain else ceil((z - a) / (widest / 2))
        for i in range(count):
            amplitude = np.sqrt(gap * s) * _piece(f, a, z, i, count)
            alone = plain or (name == "low" and i == 0)
            found += [(name, taps) for taps in _taps(amplitude, size, longest // 2, alone, complex_)]
    return found


def _piece(f: np.ndarray, a: int, z: int, i: int, count: int) -> np.ndarray:
    """One of `count` overlapping windows of a band whose squares add up to 1."""
    if count == 1:
        return np.ones(len(f))
    at = (f - a) / (z - a) * (count - 1)
    rise = np.clip(np.abs(at - i), 0, 1)
    return np.cos(np.pi / 2 * rise)


def _taps(amplitude: np.ndarray, size: int, longest: int, plain: bool, complex_: bool) -> list[np.ndarray]:
    """The taps of an amplitude: symmetric; or with their quadrature, as a pair or as one complex filter."""
    even = np.fft.irfft(amplitude, size)
    odd = np.fft.irfft(-1j * amplitude, size)
    energy = np.cumsum((even**2 + odd**2)[: size // 2])
    reach = min(int(np.searchsorted(energy, energy[-1] * (1 - RESIDUE))) + 1, longest)
    window = np.cos(np.pi / 2 * np.clip(np.abs(np.arange(-reach, reach + 1)) / (reach + 1) * 4 - 3, 0, 1)) ** 2
    even, odd = (np.roll(v, reach)[: 2 * reach + 1] * window for v in (even, odd))
    if plain:
        return [even]
    return [(even + 1j * odd) / 2**0.5] if complex_ else [even / 2**0.5, odd / 2**0.5]


def _joined(k: Signal, added: list[tuple[str, np.ndarray]]) -> Signal:
    """A bank with more filters, on a grid that holds all of them."""
    a = min(int(k.domain.start[0]), *(-(len(t) // 2) for _, t in added))
    z = max(int(k.domain.start[0]) + k.domain.shape[0], *(len(t) // 2 + 1 for _, t in added))
    grid = Domain(z - a, k.domain.step, a, k.domain.unit, k.domain.name)
    more = np.stack([np.pad(t, (-(len(t) // 2) - a, z - len(t) // 2 - 1)) for _, t in added])
    old = k.on(grid).data
    xp = arrays.namespace(old)
    data = np.concatenate([old, more]) if xp is np else xp.concat([old, arrays.like(more, old)])
    names = k.channels or tuple(map(str, range(k.value[0])))
    return Signal(data, grid, (*names, *(name for name, _ in added)))
