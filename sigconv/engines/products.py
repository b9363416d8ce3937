"""A short kernel on a line as matrix products: blocks of outputs, each the product of a frame and a small Toeplitz matrix.

B outputs in a row read B + K − 1 samples, and the map from these to those is one matrix T, the same for every block:

    y[jB … jB+B−1] = x[jB−K+1 … jB+B−1] · T,    T[i, r] = h[K − 1 + r − i]

That is (B + K − 1)/K as many products as there are, but at the speed of the machine's matrix product. The frames overlap, and
BLAS wants rows that do not: so they are taken in P = ⌈(B + K − 1)/B⌉ turns, every P-th block in one, where neighbours are
P·B ≥ B + K − 1 samples apart and stand in x as they are, nothing copied.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .direct import EXACT
from .job import Job

__all__ = ["blocked", "cost", "fits", "products"]

BLOCK = 32  # outputs
HALVES = 512  # taps summed in a row
CHUNK = 2**17  # outputs at a time: what is read and written stays in the cache


def fits(job: Job, kind: str) -> bool:
    """Whether this is one filter on each of some lines of real samples, stride and dilation 1."""
    return kind in "fd" and len(job.n) == 1 and job.channels == job.groups == job.filters and job.stride == job.dilation == (1,)


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about: 0.026 a product in single precision and twice that in double, 0.4 for moving a sample."""
    (k,), lines = job.k, job.batch * job.channels
    parts = -(-k // EXACT) if kind == "f" else 1
    each = ((k + parts * BLOCK) * 0.026 + 0.4 * parts) * (1 if kind == "f" else 2)
    return lines * (3.5e4 * parts + (job.stop[0] - job.first[0]) * each)


def blocked(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution by products of frames, line by line; for jobs that `fits`."""
    y = np.empty(job.shape, x.dtype)
    for b, c in np.ndindex(job.batch, job.channels):
        y[b, c] = products(x[b, c], w[c, 0], job.first[0], job.stop[0])
    return y


def products(x: np.ndarray, h: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Outputs first … stop−1 of the full convolution of a line and its taps."""
    n, k = len(x), len(h)
    if k > HALVES:  # two by two, so that rounding grows with the logarithm of a long sum
        half = k // 2
        return _share(x, h[:half], first, stop) + _share(x, h[half:], first - half, stop - half)
    inner, last = max(first, k - 1), min(stop, n)  # outputs that read samples alone
    if last - inner < 4 * BLOCK:
        return np.convolve(x, h)[first:stop]
    y = np.empty(stop - first, x.dtype)
    for a, z in ((first, inner), (last, stop)):  # the ends, where zeros would be read
        if a < z:
            low = max(a - k + 1, 0)
            y[a - first: z - first] = np.convolve(x[low: min(z, n)], h)[a - low: z - low]
    _inner(np.ascontiguousarray(x[inner - k + 1: last]), h, y[inner - first: last - first])
    return y


def _share(x: np.ndarray, h: np.ndarray, first: int, stop: int) -> np.ndarray:
    """`products`, with zeros outside the full convolution."""
    low, high = min(max(first, 0), stop), max(min(stop, len(x) + len(h) - 1), first)
    if low == first and high == stop:
        return products(x, h, first, stop)
    y = np.zeros(stop - first, x.dtype)
    if low < high:
        y[low - first: high - first] = products(x, h, low, high)
    return y


def _inner(x: np.ndarray, h: np.ndarray, y: np.ndarray) -> None:
    """y = the valid part of x ∗ h; in single precision sums of at most `EXACT` products, then these."""
    k, total = len(h), len(y)
    many = -(-k // EXACT) if y.dtype.char == "f" else 1
    ends = [k * i // many for i in range(many + 1)]
    matrices = [_toeplitz(h[a:b]) for a, b in pairwise(ends)]
    for at in range(0, total, CHUNK):
        n = min(CHUNK, total - at)
        whole = n // BLOCK * BLOCK
        for b, T in zip(ends[1:], matrices, strict=True):  # taps up to b read from k − b on
            _frames_times(x[at + k - b: at + n + k - 1], T, y[at: at + whole], add=b != ends[1])
        if whole < n:
            y[at + whole: at + n] = np.convolve(x[at + whole: at + n + k - 1], h, "valid")


def _frames_times(x: np.ndarray, T: np.ndarray, y: np.ndarray, add: bool) -> None:
    """Every P-th block at once, P times."""
    width, blocks, step = len(T), len(y) // BLOCK, x.itemsize
    turns = -(-width // BLOCK)
    for p in range(min(turns, blocks)):
        rows, strides = -(-(blocks - p) // turns), (turns * BLOCK * step, step)
        frames = np.ndarray((rows, width), x.dtype, x, p * BLOCK * step, strides)
        out = np.ndarray((rows, BLOCK), y.dtype, y, p * BLOCK * step, strides)
        if add:
            out += frames @ T
        else:
            np.matmul(frames, T, out=out)


def _toeplitz(taps: np.ndarray) -> np.ndarray:
    """T of the taps, (B + K − 1, B)."""
    k = len(taps)
    T = np.zeros((BLOCK + k - 1, BLOCK), taps.dtype)
    for r in range(BLOCK):
        T[r: r + k, r] = taps[::-1]
    return T
