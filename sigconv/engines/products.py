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

from .direct import summed
from .job import Job
from .tiles import samples

__all__ = ["blocked", "cost", "fits", "prepared", "products"]

BLOCK = 32  # outputs
IN_A_ROW = 96  # products that a matrix product sums within the numeric bound in single precision
HALVES = 512  # taps summed in a row
BRIEF = 2**15  # outputs up to which it is cheaper to put zeros beside the line than to treat its ends apart
CHUNK = 2**17  # outputs at a time: what is read and written stays in the cache


def fits(job: Job, kind: str) -> bool:
    """Whether this is one filter on each of some lines of real samples, stride and dilation 1."""
    return kind in "fd" and len(job.n) == 1 and job.channels == job.groups == job.filters and job.stride == job.dilation == (1,)


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about."""
    (k,), lines = job.k, job.batch * job.channels
    parts = _parts(k, kind)
    each = (k + parts * BLOCK) * 0.016 + parts * 0.3
    return lines * (1.5e4 * parts + (job.stop[0] - job.first[0]) * each * (1 if kind == "f" else 2))


def blocked(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution by products of frames, line by line; for jobs that `fits`."""
    y = np.empty(job.shape, x.dtype)
    for b, c in np.ndindex(job.batch, job.channels):
        products(x[b, c], w[c, 0], job.first[0], job.stop[0], y[b, c])
    return y


def prepared(h: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The matrices of at most `HALVES` taps, each with the tap that it ends before."""
    parts = _parts(len(h), h.dtype.char)
    ends = [len(h) * i // parts for i in range(parts + 1)]
    return [(b, _toeplitz(h[a:b])) for a, b in pairwise(ends)]


def products(x: np.ndarray, h: np.ndarray, first: int, stop: int, y: np.ndarray | None = None,
             matrices: list[tuple[int, np.ndarray]] | None = None) -> np.ndarray:
    """Outputs first … stop−1 of the full convolution of a line and its taps, into y where it is given."""
    k, total = len(h), stop - first
    if y is None:
        y = np.empty(total, x.dtype)
    if total <= 4 * BLOCK:
        y[...] = summed(x, h, first, stop)
        return y
    if k > HALVES:  # two by two, so that rounding grows with the logarithm of a long sum
        half = k // 2
        products(x, h[:half], first, stop, y)
        y += products(x, h[half:], first - half, stop - half)
        return y
    matrices = matrices or prepared(h)
    inner, last = max(first, k - 1), min(stop, len(x))  # outputs that read samples alone
    if total <= BRIEF or last - inner < BRIEF or x.strides != y.strides:
        for at in range(0, total, CHUNK):
            n = min(CHUNK, total - at)
            whole = -(-n // BLOCK) * BLOCK
            out = np.empty(whole, y.dtype)
            _blocks(np.ascontiguousarray(samples(x, first + at - k + 1, whole + k - 1)), k, matrices, out)
            y[at: at + n] = out[:n]
        return y
    last -= (last - inner) % BLOCK
    for a, z in ((first, inner), (last, stop)):  # the ends, where zeros are read
        if a < z:
            y[a - first: z - first] = np.convolve(samples(x, a - k + 1, z - a + k - 1), h, "valid")
    for at in range(inner, last, CHUNK):
        z = min(at + CHUNK, last)
        _blocks(x[at - k + 1: z], k, matrices, y[at - first: z - first])
    return y


def _parts(k: int, kind: str) -> int:
    """Parts whose sums are made alone and then added."""
    return -(-k // IN_A_ROW) if kind == "f" else 1


def _blocks(x: np.ndarray, k: int, matrices: list[tuple[int, np.ndarray]], y: np.ndarray) -> None:
    """y = the valid part of x ∗ h, whole blocks, of matrices of the taps up to b, which read from k − b on."""
    share = np.empty_like(y) if len(matrices) > 1 else y
    for number, (b, T) in enumerate(matrices):
        _frames_times(x[k - b:], T, share if number else y)
        if number:
            y += share


def _frames_times(x: np.ndarray, T: np.ndarray, y: np.ndarray) -> None:
    """Every P-th block at once, P times."""
    width, blocks, step = len(T), len(y) // BLOCK, x.itemsize
    turns = -(-width // BLOCK)
    for p in range(min(turns, blocks)):
        rows, strides = -(-(blocks - p) // turns), (turns * BLOCK * step, step)
        frames = np.ndarray((rows, width), x.dtype, x, p * BLOCK * step, strides)
        out = np.ndarray((rows, BLOCK), y.dtype, y, p * BLOCK * step, strides)
        np.matmul(frames, T, out=out)


def _toeplitz(taps: np.ndarray) -> np.ndarray:
    """T of the taps, (B + K − 1, B): rows of one padded line, each a sample further."""
    k, step = len(taps), taps.itemsize
    line = np.zeros(k + 2 * BLOCK - 2, taps.dtype)
    line[BLOCK - 1: BLOCK - 1 + k] = taps[::-1]
    return np.array(np.lib.stride_tricks.as_strided(line[BLOCK - 1:], (BLOCK + k - 1, BLOCK), (step, -step)), order="C")
