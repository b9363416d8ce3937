"""A bank on one grid as a matrix A and its transpose, on plain arrays.

One row of A for each output j of each filter: with f = first + s·j the place of the output in the full convolution,

    y[m, j] = Σ_(c, k) w[m, c, k] · x[c, f − d·k],

samples outside 0 … n−1 being what the padding mode copies there. The transpose lays every row back where it was read: with v[u]
the taps from the last to the first, pulled d apart, t = s·j + u, so that on each phase t = s·q + r it is a convolution again,

    x[c, s·q + r] = Σ_(m, j) conj v[m, c, s·(q − j) + r] · y[m, j],

of y with the taps r, r + s, … of each filter; then what was copied is added to where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain, natural
from ..engines import conv
from ..errors import SigconvError, among
from ..signal import PADDING_MODES, Signal

__all__ = ["Part", "parts_of"]

OVERLAP = 48  # frames over one sample up to which a product with the taps as a matrix beats transforms
CHUNK = 2**21  # samples of frames at a time


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One kernel with its stride on a grid of n samples; `padding` is a padding mode, `sides` whether it holds before the first
    sample and after the last: where a line is cut there are zeros."""

    w: Array
    n: tuple[int, ...]
    o: tuple[int, ...]
    first: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str = "zeros"
    sides: tuple[bool, bool] = (True, True)

    @property
    def channels(self) -> int:
        """Channels of the signal."""
        return int(self.w.shape[1])

    @property
    def spans(self) -> tuple[int, ...]:
        """(K−1)·d, the distance from the first tap to the last, an axis."""
        return tuple((k - 1) * d for k, d in zip(self.w.shape[2:], self.dilation, strict=True))

    @property
    def low(self) -> tuple[int, ...]:
        """The first sample that is read, an axis; perhaps below 0."""
        return tuple(f - span for f, span in zip(self.first, self.spans, strict=True))

    @property
    def reads(self) -> tuple[int, ...]:
        """How many samples from there on are read."""
        return tuple(span + (o - 1) * s + 1 if o else 0 for o, s, span in zip(self.o, self.stride, self.spans, strict=True))

    def forward(self, x: Array) -> Array:
        """A x: (b, c, *n) → (b, m, *o)."""
        begin = (0,) * len(self.n)
        if self.padding != "zeros" and prod(x.shape[2:]) and prod(self.o):
            begin, count = self._seen()
            for axis, (a, size) in enumerate(zip(begin, count, strict=True)):
                x = _take(x, _source(a, size, self.n[axis], self.padding), 2 + axis)
        window = [(f - a, f - a + (o - 1) * s + 1 if o else f - a)
                  for f, a, o, s in zip(self.first, begin, self.o, self.stride, strict=True)]
        return conv(x, self.w, stride=self.stride, dilation=self.dilation, window=window)

    def backward(self, y: Array) -> Array:
        """Aᴴ y: (b, m, *o) → (b, c, *n)."""
        if not prod(self.o) or not prod(self.n):
            return _zeros(y, (y.shape[0], self.channels, *self.n), self.w)
        if self.padding == "zeros":
            return self._laid(y, tuple(-a for a in self.low), self.n)
        begin, count = self._seen()
        x = self._laid(y, tuple(b - a for b, a in zip(begin, self.low, strict=True)), count)
        for axis, (a, size) in enumerate(zip(begin, count, strict=True)):
            x = _give(x, _source(a, size, self.n[axis], self.padding), 2 + axis, self.n[axis])
        return x

    def section(self, a: int, z: int) -> tuple[Part, slice]:
        """The columns a … z−1 of A on a line, and the rows that they are read by; an end of the line keeps its padding."""
        (f,), (s,), (span,), (o,), (n,) = self.first, self.stride, self.spans, self.o, self.n
        padded = self.padding not in ("zeros", "circular")
        sides = padded and self.sides[0] and a == 0, padded and self.sides[1] and z == n
        low = 0 if sides[0] else min(max(-((f - a) // s), 0), o)
        high = o if sides[1] else max(min((z - 1 + span - f) // s + 1, o), low)
        return replace(self, n=(z - a,), o=(high - low,), first=(f + s * low - a,), sides=sides,
                       padding=self.padding if any(sides) else "zeros"), slice(low, high)

    def _seen(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """First and number of the samples that are read, an axis, those that the padding makes included."""
        begin = tuple(a if self.sides[0] else 0 for a in self.low)
        ends = tuple(a + r if self.sides[1] else n for a, r, n in zip(self.low, self.reads, self.n, strict=True))
        return begin, tuple(max(z - a, 0) for a, z in zip(begin, ends, strict=True))

    def _laid(self, y: Array, begin: tuple[int, ...], count: tuple[int, ...]) -> Array:
        """Samples begin … begin+count−1 an axis, counted from the first that is read, of all rows laid back and added up."""
        taps = self.w.conj().resolve_conj() if arrays.is_tensor(self.w) else np.conj(self.w)
        v = _apart(arrays.flip(taps, tuple(range(2, taps.ndim))), self.dilation)
        if len(self.n) == 1 and not arrays.is_tensor(y) and v.shape[2] <= OVERLAP * self.stride[0]:
            return _added(y, v, self.stride[0], begin[0], count[0])
        return _phased(y, v, self.stride, begin, count)


def parts_of(k: Any, domain: Domain, stride: Any = 1, mode: str = "same", padding_mode: str = "zeros",
             dilation: Any = 1) -> tuple[list[tuple[Signal, Part]], list[Domain], bool]:
    """Kernels with their matrices, the grids of their results, and whether one Signal is the whole bank."""
    if not isinstance(domain, Domain):
        raise SigconvError(f"a {type(domain).__name__} as domain: wanted that of the signal, e.g. x.domain")
    among(mode, ("full", "same", "valid"), "mode")
    among(padding_mode, PADDING_MODES, "padding_mode")
    if padding_mode != "zeros" and mode != "same":
        raise SigconvError(f"padding_mode {padding_mode!r} with mode {mode!r}: only 'same' looks beyond the edges")
    lone = isinstance(k, Signal)
    pairs = [(k, stride)] if lone else list(k) if isinstance(k, (list, tuple)) else []
    if not pairs or not all(isinstance(p, (list, tuple)) and len(p) == 2 and isinstance(p[0], Signal) for p in pairs):
        raise SigconvError(f"a {type(k).__name__} as bank: wanted a kernel Signal, or a list of (kernel, stride) pairs")
    parts, grids = [], []
    for kernel, s in pairs:
        if 0 in kernel.domain.shape or 0 in kernel.value or len(kernel.value) > 2:
            raise SigconvError(f"a kernel of value {kernel.value} on {kernel.domain.shape} taps: wanted (), (m,) or (m, c), "
                               "with taps")
        domain.agree(kernel.domain)
        grid = kernel.domain.dilate(dilation)
        out = domain if mode == "same" else domain.plus(grid) if mode == "full" else domain.minus(grid)
        full = Domain(domain.shape, domain.step, tuple(a + b for a, b in zip(domain.start, grid.start, strict=True)), domain.unit)
        first, strides = full.offset(out), natural(s, "stride", domain.ndim)
        grids.append(out.every(strides))
        w = kernel.data.reshape(*{0: (1, 1), 1: (*kernel.value, 1)}.get(len(kernel.value), kernel.value), *kernel.domain.shape)
        parts.append((kernel, Part(arrays.computable(w), domain.shape, grids[-1].shape, first, strides,
                                   natural(dilation, "dilation", domain.ndim), padding_mode)))
    if len({part.channels for _, part in parts}) > 1 or len({len(kernel.value) == 2 for kernel, _ in parts}) > 1:
        raise SigconvError("layers on different channels in one bank: wanted kernels that take one kind of signal")
    return parts, grids, lone


def _zeros(y: Array, shape: tuple[int, ...], w: Array) -> Array:
    xp = arrays.namespace(y)
    dtype = xp.result_type(y.dtype, w.dtype)
    return xp.zeros(shape, dtype=dtype, **({} if xp is np else {"device": y.device}))


def _source(first: int, count: int, n: int, padding: str) -> np.ndarray:
    """Which of n samples stands at first … first+count−1 under a padding mode."""
    line = Signal(np.arange(n), Domain(n))
    return line.on(Domain(count, 1, first), padding).data


def _take(x: Array, at: np.ndarray, axis: int) -> Array:
    xp = arrays.namespace(x)
    return xp.take(x, at if xp is np else xp.asarray(at, device=x.device), axis=axis)


def _give(x: Array, at: np.ndarray, axis: int, n: int) -> Array:
    """The transpose of `_take`: every sample added to where it came from."""
    xp = arrays.namespace(x)
    shape = (*x.shape[:axis], n, *x.shape[axis + 1:])
    if xp is np:
        total = np.zeros(shape, x.dtype)
        index: Any = (slice(None),) * axis
        inside = np.flatnonzero(at == 0)[:1]
        p = int(inside[0]) if inside.size else 0
        if inside.size and np.array_equal(at[p: p + n], np.arange(n)):  # all but the margins stay where they are
            total += x[(*index, slice(p, p + n))]
            rest = np.r_[0:p, p + n: len(at)]
        else:
            rest = np.arange(len(at))
        np.add.at(total, (*index, at[rest]), x[(*index, rest)])
        return total
    return xp.zeros(shape, dtype=x.dtype, device=x.device).index_add(axis, xp.asarray(at, device=x.device), x)


def _apart(v: Array, dilation: tuple[int, ...]) -> Array:
    """Taps pulled apart, zeros between them."""
    if max(dilation) == 1:
        return v
    shape = tuple((k - 1) * d + 1 for k, d in zip(v.shape[2:], dilation, strict=True))
    wide = _zeros(v, (*v.shape[:2], *shape), v)
    wide[(..., *(slice(None, None, d) for d in dilation))] = v
    return wide


def _phased(y: Array, v: Array, stride: tuple[int, ...], begin: tuple[int, ...], count: tuple[int, ...]) -> Array:
    """The rows laid back as one convolution for all phases, then interleaved."""
    xp, ndim, (m, c) = arrays.namespace(y), len(stride), v.shape[:2]
    long = tuple(-(-k // s) for k, s in zip(v.shape[2:], stride, strict=True))
    full = _zeros(v, (m, c, *(n * s for n, s in zip(long, stride, strict=True))), v)
    full[(..., *(slice(k) for k in v.shape[2:]))] = v
    split = full.reshape(m, c, *(e for n, s in zip(long, stride, strict=True) for e in (n, s)))
    phases, taps = [3 + 2 * i for i in range(ndim)], [2 + 2 * i for i in range(ndim)]
    w = xp.permute_dims(split, (1, *phases, 0, *taps)).reshape(c * prod(stride), m, *long)
    window = [(a // s, -((-a - n) // s)) for a, n, s in zip(begin, count, stride, strict=True)]
    q = conv(y, w, window=window)
    q = q.reshape(y.shape[0], c, *stride, *q.shape[2:])
    order = [e for i in range(ndim) for e in (2 + ndim + i, 2 + i)]
    size = (s * (z - a) for s, (a, z) in zip(stride, window, strict=True))
    x = xp.permute_dims(q, (0, 1, *order)).reshape(y.shape[0], c, *size)
    cut = tuple(slice(b - s * a, b - s * a + n) for b, n, s, (a, _) in zip(begin, count, stride, window, strict=True))
    return x[(..., *cut)]


def _added(y: np.ndarray, v: np.ndarray, s: int, begin: int, count: int) -> np.ndarray:
    """The rows laid back on a line: frames y · v, s samples apart, added up; some at a time."""
    (m, c, k), (b, _, o) = v.shape, y.shape
    laps = -(-k // s)
    wide = np.zeros((m, c, laps * s), v.dtype)
    wide[..., :k] = v
    wide = wide.reshape(m, -1)
    low, high = max((begin - k) // s, 0), min((begin + count - 1) // s + 1, o)  # the frames that reach these samples
    from_, to = begin // s, -((-begin - count) // s)
    x = np.zeros((b, c, to - from_, s), np.result_type(y, v))
    each = max(CHUNK // (c * laps * s), 1)
    for j in range(low, high, each):
        stop = min(j + each, high)
        for i in range(b):
            frames = (y[i, :, j:stop].T @ wide).reshape(stop - j, c, laps, s)
            for lap in range(laps):
                a, z = max(j + lap, from_), min(stop + lap, to)
                if a < z:
                    x[i, :, a - from_: z - from_] += frames[a - j - lap: z - j - lap, :, lap].swapaxes(0, 1)
    return x.reshape(b, c, -1)[..., begin - from_ * s: begin - from_ * s + count]
