"""The definition: every output is the sum of its products.

NumPy sums a line with `numpy.convolve` and anything else tap by tap, each tap one scaled slice of the signal. torch
calls its own convolution, which correlates (so the taps are reversed first) and pads both ends of an axis alike: with a
padding P it starts at output K_d − 1 − P of the full convolution, so P is chosen to start a whole number of strides
before `first`, and what comes too early is cut off.

Sums of single precision lose a digit every few hundred terms (a constant through 1001 taps: 104 eps·‖h‖₁·max|x|), so
above `EXACT` terms they are made in double precision and rounded once. NumPy's work goes block by block along the first
axis, so that what is made on the way does not grow with the signal.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from .job import Job

__all__ = ["by_lines", "direct", "dotted", "summed"]

BLOCK = 2**20  # outputs summed at a time
MANY = 128  # taps that torch sums within the bound in double precision
DOTTED = 1024  # products that numpy.convolve, whose sums go side by side, makes within it on a line
SURE = 6  # eps that such a sum of equal numbers may be off
EXACT = 64  # terms that single precision sums within the numeric bound of 16 eps
IN_A_ROW = 1024  # products that numpy.convolve sums within the bound in double precision
ORDERED = 32  # taps summed one after another


def direct(x: Array, w: Array, job: Job) -> Array:
    """The convolution by its definition."""
    exact = job.terms > EXACT and arrays.dtype_name(x) in ("float32", "complex64") and not _dotted(x, job)
    if arrays.is_tensor(x):
        if not exact:
            return _torch(x, w, job)
        return arrays.namespace(x).astype(_torch(arrays.accurate(x), arrays.accurate(w), job), x.dtype)
    if exact:
        w = arrays.accurate(w)
    y = np.empty(job.shape, x.dtype)
    stride, first = job.stride[0], job.first[0]
    rows = max(BLOCK * job.out[0] // prod(job.shape), 1)
    for j in range(0, job.out[0], rows):
        part, samples = job.part(first + j * stride, min(first + (j + rows) * stride, job.stop[0]))
        block = x[:, :, samples]
        y[:, :, j: j + rows] = _sums(arrays.accurate(block) if exact else block, w, part)
    return y


def _dotted(x: Array, job: Job) -> bool:
    """Whether `numpy.convolve` makes each sum."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f" and by_lines(job) and job.channels == job.groups \
        and min(job.k[0], job.n[0]) <= dotted()


@lru_cache(maxsize=1)
def dotted() -> int:
    """How many products this machine's `numpy.convolve` sums within the bound in single precision: BLAS has many sums side by
    side where the processor has, and a plain loop one."""
    x, h = np.full(2 * DOTTED, 0.7, np.float32), np.full(DOTTED, 0.1, np.float32)
    exact = float(x[0]) * float(h[0]) * DOTTED
    off = float(np.abs(np.convolve(x, h, "valid") - exact).max()) / exact / float(np.finfo(np.float32).eps)
    return DOTTED if off < SURE else EXACT


def by_lines(job: Job) -> bool:
    """Whether `direct` takes line by line, and not tap by tap."""
    return len(job.n) == 1 and job.stride == job.dilation == (1,) and job.batch * job.filters * job.terms // job.k[0] <= 256


def _sums(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The sums of one block, by whichever loop is shorter."""
    if by_lines(job):
        return _lines(x, w, job)
    return _taps(x, w, job)


def _lines(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """Each pair of a channel and a filter alone, over the samples that the window needs."""
    each, per = job.filters // job.groups, job.channels // job.groups
    y = np.empty(job.shape, x.dtype)
    for b, m in np.ndindex(job.batch, job.filters):
        for c in range(per):
            part = summed(x[b, m // each * per + c], w[m, c], job.first[0], job.stop[0])
            if c:
                y[b, m] += part
            else:
                y[b, m] = part
    return y


def summed(x: np.ndarray, h: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Outputs first … stop−1 of the full convolution of two lines, zeros outside it; the shorter one is the kernel."""
    if len(h) > len(x):
        x, h = h, x
    k, total = len(h), stop - first
    if k <= IN_A_ROW and 2 * total > len(x) and first >= 0 and stop < len(x) + k:  # nearly all of it
        return (np.correlate(x, h[::-1], "full") if x.dtype.kind == "f" else np.convolve(x, h))[first:stop]
    low, high = first - k + 1, stop
    if low < 0 or high > len(x):
        wide = np.zeros(high - low, x.dtype)
        a, z = max(low, 0), max(min(high, len(x)), max(low, 0))
        wide[a - low: z - low] = x[a:z]
        return _valid(wide, h)
    return _valid(x[low:high], h)


def _valid(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Outputs that read all taps, sums longer than `IN_A_ROW` in halves, so that their rounding grows with the logarithm."""
    if len(h) <= IN_A_ROW:
        return np.convolve(x, h, "valid")
    half = len(h) // 2
    return _valid(x[len(h) - half:], h[:half]) + _valid(x[: len(x) - half], h[half:])


def _taps(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """One scaled, shifted slice of the signal for each tap; channels are summed by a matrix product.

    In order, 200 equal terms are off by 20 eps; blocks of taps are summed pairwise, so that errors grow with a logarithm.
    """
    groups, per = job.groups, job.channels // job.groups
    y = np.zeros((job.batch, groups, job.filters // groups, *job.out), x.dtype)
    x = x.reshape(job.batch, groups, per, *job.n)
    w = w.reshape(groups, job.filters // groups, per, *job.k)
    tap: Any
    blocks: list[np.ndarray] = []
    for number, tap in enumerate(product(*map(range, job.k)), 1):
        reached: list[Any] = [job.reach(axis, t) for axis, t in enumerate(tap)]
        left, right = (tuple(r[i] for r in reached) for i in (0, 1))
        part, taps = x[(..., *right)], w[(..., *tap)]
        if part.size:
            y[(..., *left)] += _mix(taps, part)
        if number % ORDERED == 0:
            blocks.append(y)
            y = np.zeros_like(y)
            count = number // ORDERED
            while count % 2 == 0:
                last = blocks.pop()
                blocks[-1] += last
                count //= 2
    for block in blocks:
        y += block
    return y.reshape(job.shape)


def _mix(taps: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Σ_c taps[g, m, c] part[b, g, c, …]."""
    if part.shape[2] == 1:
        return taps[..., 0].reshape(taps.shape[:2] + (1,) * (part.ndim - 3)) * part
    lines = part.reshape(*part.shape[:3], -1)
    flat = taps[..., :EXACT] @ lines[:, :, :EXACT]
    for a in range(EXACT, part.shape[2], EXACT):
        flat += taps[..., a: a + EXACT] @ lines[:, :, a: a + EXACT]
    return flat.reshape(*flat.shape[:3], *part.shape[3:])


def _torch(x: Any, w: Any, job: Job) -> Any:
    """torch's sums; above `MANY` taps in two halves, each of which is summed so."""
    return _whole(x, w, job) if prod(job.k) <= MANY else _halves(x, w, job)


def _halves(x: Any, w: Any, job: Job) -> Any:
    """The convolution with the first half of the taps of the longest axis, plus that with the second."""
    from torch.nn.functional import pad

    axis, total = max(range(len(job.k)), key=job.k.__getitem__), None
    half = job.k[axis] // 2
    for a, b in ((0, half), (half, job.k[axis])):
        lead = tuple(a * d if i == axis else 0 for i, d in enumerate(job.dilation))
        part = replace(job, k=tuple(b - a if i == axis else k for i, k in enumerate(job.k)),
                       first=tuple(f - v for f, v in zip(job.first, lead, strict=True)),
                       stop=tuple(f - v for f, v in zip(job.stop, lead, strict=True)))
        cut, places = part.inside()
        if not cut.empty:
            around = [v for o, (low, high) in zip(part.out[::-1], places[::-1], strict=True) for v in (low, o - high)]
            y = pad(_torch(x, w.narrow(2 + axis, a, b - a), cut), around)
            total = y if total is None else total + y
    return total


def _whole(x: Any, w: Any, job: Job) -> Any:
    """torch's own convolution, which differentiates itself, on any device."""
    from torch.nn import functional

    ndim = len(job.n)
    crop, padding, skip = [], [], []
    for n, s, span, first, stop in zip(job.n, job.stride, job.spans, job.first, job.stop, strict=True):
        low = max(first - span, 0)
        high = min(stop, n)
        before, after = span - first + low, stop - high  # zeros wanted at either end; before ≥ 0, after ≥ 0
        pad = before + s * max(-(-(after - before) // s), 0)
        crop.append(slice(low, high))
        padding.append(pad)
        skip.append((pad - before) // s)
    convolve = getattr(functional, f"conv{ndim}d")
    y = convolve(x[(..., *crop)], arrays.flip(w, range(2, ndim + 2)), stride=job.stride, padding=tuple(padding),
                 dilation=job.dilation, groups=job.groups)
    return y[(..., *(slice(a, a + o) for a, o in zip(skip, job.out, strict=True)))]
