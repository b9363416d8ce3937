"""Banks made better: tight (A = B), and complete (nothing of the spectrum uncovered)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .parts import Part, parts_of
from .system import system_of

__all__ = ["complete", "tighten"]

FADED = 1e-13  # of its peak: what a filter has faded to where it is cut off
LONGEST = 2**17  # samples of the circle on which filters are made
RESIDUE = 1e-5  # of its energy: what a completing filter may lose by ending
SHUT = 1e-16  # of the largest power, below which a gap counts as none
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
    part = _line(k, stride)
    system = system_of((part,), False, real, limit)
    w, q, K = arrays.accurate(arrays.computable(k.data)), part.stride[0], part.w.shape[2]
    xp, size = arrays.namespace(w), -(-max(4 * K, 256) // q) * q
    while True:
        left = (size - K) // 2
        wide = Signal(w, Domain(K)).on(Domain(size, 1, -left)).data
        h = _grouped(wide, q)
        S = xp.matmul(xp.conj(xp.permute_dims(h, (0, 2, 1))), h)
        if system.real and arrays.is_complex(w):
            mirrored = _grouped(xp.conj(wide), q)
            S = (S + xp.matmul(xp.conj(xp.permute_dims(mirrored, (0, 2, 1))), mirrored)) / 2
        known = np.linalg.eigvalsh(arrays.to_numpy(S)) / q
        least, most = float(known.min()), float(known.max())
        if least * limit < most:
            raise SigconvError(f"tighten of a bank of bounds {least:.3g} and {most:.3g} at stride {q}: wanted a condition of at "
                               f"most {limit:.3g}; see frames.complete")
        turned = xp.permute_dims(xp.matmul(h, _root(S / q)), (1, 2, 0))
        g = xp.fft.ifft(xp.reshape(turned, (-1, size)))
        faint = np.abs(arrays.to_numpy(g)).max(0)
        heard = np.flatnonzero(faint > FADED * faint.max())
        a, z = int(heard[0]), int(heard[-1]) + 1
        if z - a < size // 2:
            break
        size *= 2
        if size > LONGEST:
            raise SigconvError(f"tighten of a bank of condition {most / least:.3g}: its filters reach beyond {LONGEST} samples")
    taps = (g if arrays.is_complex(w) else xp.real(g))[:, a:z]
    grid = Domain(z - a, k.domain.step, int(k.domain.start[0]) - left + a, k.domain.unit, k.domain.name)
    return Signal(arrays.like(taps, arrays.computable(k.data)), grid, k.names)


def _grouped(w: Array, q: int) -> Array:
    """The responses of filters (m, N), those of the q frequencies that a stride confuses side by side: (N/q, m, q)."""
    xp, (m, n) = arrays.namespace(w), w.shape
    return xp.permute_dims(xp.reshape(xp.fft.fft(w + 0j), (m, q, n // q)), (2, 0, 1))


def _root(S: Array) -> Array:
    """S^(−1/2) of Hermitian matrices. With S = VΛVᴴ its derivative is V (K ∘ Vᴴ dS V) Vᴴ, K the divided differences of λ^(−1/2),
    −1/(√λᵢ√λⱼ(√λᵢ + √λⱼ)), finite where eigenvalues agree, which those of a tight bank all do."""
    values, V = np.linalg.eigh(arrays.to_numpy(S))
    root, W = np.sqrt(values), np.conj(V.swapaxes(1, 2))
    result = (V / root[:, None, :]) @ W
    if not arrays.is_tensor(S):
        return result
    import torch

    class Root(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, S: Array) -> Array:
            return arrays.like(result, S)

        @staticmethod
        def backward(ctx: Any, grad: Array) -> Array:
            i, j = root[:, :, None], root[:, None, :]
            return arrays.like(V @ ((W @ arrays.to_numpy(grad) @ V) / (-i * j * (i + j))) @ W, S)

    return Root.apply(S)


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
        part = _line(k, stride)
        added = _fillers([part], part.stride[0])
        return _joined(k, added) if added else k
    pairs = list(k) if isinstance(k, (list, tuple)) else []
    made, _, _ = parts_of(pairs, _short(pairs), 1)
    parts = [p for _, p in made]
    for p in parts:
        if len(p.n) != 1 or p.channels > 1:
            raise SigconvError("complete of kernels on more axes or channels: wanted banks (m,) on a line")
    s = min(p.stride[0] for p in parts)
    added = _fillers(parts, s)
    return [*pairs, (_joined(pairs[0][0], added, alone=True), s)] if added else pairs


def _short(pairs: Sequence[Any]) -> Domain:
    first = pairs[0][0] if pairs and isinstance(pairs[0], (list, tuple)) and pairs[0] else None
    if not isinstance(first, Signal):
        raise SigconvError("complete of what is no bank: wanted a kernel Signal, or a list of (kernel, stride) pairs")
    return Domain((1,) * first.domain.ndim, first.domain.step, 0, first.domain.unit)


def _line(k: Any, stride: Any) -> Part:
    """A bank (m,) on a line as its matrix."""
    if not isinstance(k, Signal) or k.domain.ndim != 1 or len(k.value) != 1:
        raise SigconvError(f"{k!r} as bank: wanted a kernel of value (m,) on a line" if isinstance(k, Signal)
                           else f"a {type(k).__name__} as bank: wanted a kernel Signal")
    domain = Domain(1, k.domain.step, 0, k.domain.unit)
    ((_, part),), _, _ = parts_of(k, domain, stride)
    return part


def _fillers(parts: Sequence[Part], s: int) -> list[tuple[str, Array]]:
    """Names and taps, centred, of what is missing below the lowest and above the highest peak."""
    xp, longest = arrays.namespace(parts[0].w), max(max(p.spans[0] for p in parts), 64)
    size = 1 << (max(4 * longest, 4096) - 1).bit_length()
    half = size // 2 + 1
    f, mirrored = np.arange(half), np.r_[0, size - 1: size - half: -1]
    power: Any = 0
    peaks: list[int] = []
    for p in parts:
        h = xp.abs(xp.fft.fft(arrays.accurate(p.w)[:, 0] + 0j, n=size)) ** 2
        h = (h[:, :half] + h[:, mirrored]) / 2
        peaks += arrays.to_numpy(h).argmax(1).tolist()
        power = power + xp.sum(h, axis=0) / p.stride[0]
    found: list[tuple[str, Array]] = []
    complex_ = any(arrays.is_complex(p.w) for p in parts)
    for name, peak, beyond in (("low", min(peaks), f < min(peaks)), ("high", max(peaks), f > max(peaks))):
        gap = (power[peak] - power) * arrays.like(beyond.astype(float), power)
        heard = np.flatnonzero(arrays.to_numpy(gap) > 1e-6 * arrays.to_numpy(power).max())
        if not heard.size:
            continue
        a, z = int(heard[0]), int(heard[-1]) + 1
        widest = FILL * size / s
        plain = s == 1 or (name == "low" and z - a < widest)
        count = 1 if plain else ceil((z - a) / (widest / 2))
        open_ = gap > SHUT * arrays.to_numpy(power).max()
        gain = xp.where(open_, xp.sqrt(xp.where(open_, gap, xp.ones_like(gap)) * s), xp.zeros_like(gap))
        for i in range(count):
            amplitude = gain * arrays.like(_piece(f, a, z, i, count), gain)
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


def _taps(amplitude: Array, size: int, longest: int, plain: bool, complex_: bool) -> list[Array]:
    """The taps of an amplitude: symmetric; or with their quadrature, as a pair or as one complex filter."""
    xp = arrays.namespace(amplitude)
    even, odd = (xp.fft.irfft(amplitude * turn, n=size) for turn in (1 + 0j, -1j))
    energy = np.cumsum(sum(arrays.to_numpy(v)[: size // 2] ** 2 for v in (even, odd)))
    reach = min(int(np.searchsorted(energy, energy[-1] * (1 - RESIDUE))) + 1, longest)
    window = np.cos(np.pi / 2 * np.clip(np.abs(np.arange(-reach, reach + 1)) / (reach + 1) * 4 - 3, 0, 1)) ** 2
    even, odd = (xp.roll(v, reach)[: 2 * reach + 1] * arrays.like(window, v) for v in (even, odd))
    if plain:
        return [even]
    return [(even + 1j * odd) / 2**0.5] if complex_ else [even / 2**0.5, odd / 2**0.5]


def _joined(k: Signal, added: list[tuple[str, Array]], alone: bool = False) -> Signal:
    """A bank with more filters, on a grid that holds all of them; `alone`: these only."""
    centres = [len(taps) // 2 for _, taps in added]
    start = int(k.domain.start[0])
    a, z = -max(centres), max(centres) + 1
    if not alone:
        a, z = min(a, start), max(z, start + k.domain.shape[0])
    grid = Domain(z - a, k.domain.step, a, k.domain.unit, k.domain.name)
    like = arrays.computable(k.data)
    more = [Signal(arrays.like(t, like), Domain(len(t), grid.step, -c, grid.unit)).on(grid).data[None]
            for (_, t), c in zip(added, centres, strict=True)]
    names = () if alone else k.channels or tuple(map(str, range(k.value[0])))
    data = arrays.namespace(like).concat([*([] if alone else [k.on(grid).data]), *more])
    return Signal(data, grid, (*names, *(name for name, _ in added)))
