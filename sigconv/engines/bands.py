"""Small kernels on planes and volumes, and single axes of them, as products with band matrices.

A column of taps h along the first axis maps B + K − 1 rows to B rows by one Toeplitz band T, whatever stands in the rows; so

    y[r … r+B−1, :] = Σ_t T_t · x[r−K+1 … r+B−1, : shifted by t]

over the columns t of the kernel, each a product of matrices that reads x in place. Rows are flat: with zeros beside them, as wide
as the kernel reaches, a shift in any of the other axes is a shift of the flat row.

A pass along the last axis alone joins all lines, with zeros between, to one, which `products` or `tiles` convolve.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .direct import EXACT
from .job import Job
from .products import products
from .tiles import cost as tiles_cost
from .tiles import tiles

__all__ = ["along_last", "bands", "cost", "serves"]

ROWS = 32  # outputs of a band
WIDTH = 2**12  # columns at a time
MOST = 64  # columns of taps
LONG = 160  # taps of a line that transforms sum faster


def serves(job: Job, kind: str) -> bool:
    """Whether these are filters on real planes or volumes, one each, stride and dilation 1."""
    ones = (1,) * len(job.n)
    return kind in "fd" and len(job.n) > 1 and job.channels == job.groups == job.filters and job.stride == job.dilation == ones \
        and prod(job.k[1:]) <= MOST and (kind == "d" or job.k[0] <= EXACT)


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about."""
    outputs = job.batch * job.channels * job.out[0] * prod(o + k - 1 for o, k in zip(job.out[1:], job.k[1:], strict=True))
    each = prod(job.k[1:]) * ((job.k[0] + ROWS) * 0.01 + 0.25) + 1.5
    calls = job.batch * job.channels * -(-job.out[0] // ROWS) * (prod(job.k[1:]) + 1)
    return outputs * each * (1 if kind == "f" else 2) + 2e3 * calls + 3e4


def bands(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution by products with bands; for jobs that it `serves`."""
    y = np.empty(job.shape, x.dtype)
    for b, c in np.ndindex(job.batch, job.channels):
        _plane(x[b, c], w[c, 0], job.first, y[b, c])
    return y


def along_last(x: np.ndarray, taps: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Outputs first … stop−1 of the full convolution of the last axis of x (c, …, n) with taps (c, K)."""
    k, n, o = taps.shape[-1], x.shape[-1], stop - first
    y = np.empty((*x.shape[:-1], o), x.dtype)
    low, high = max(first - k + 1, 0), min(stop, n)
    at = low - (first - k + 1)
    for c, h in enumerate(taps):
        lines = x[c].reshape(-1, n)
        wide = np.zeros((len(lines), o + k - 1), x.dtype)
        wide[:, at: at + high - low] = lines[:, low:high]
        flat = wide.reshape(-1)
        if k > LONG:
            points = tiles_cost(Job(1, 1, 1, 1, (len(flat),), (k,), (1,), (1,), (k - 1,), (len(flat),)))[1]
            full = tiles(flat, h, k - 1, len(flat), points)
        else:
            full = products(flat, h, k - 1, len(flat))
        laid = np.lib.stride_tricks.as_strided(full, (len(lines), o), ((o + k - 1) * x.itemsize, x.itemsize))
        y[c] = laid.reshape(y[c].shape)
    return y


def _plane(x: np.ndarray, h: np.ndarray, first: tuple[int, ...], y: np.ndarray) -> None:
    """One filter on one plane or volume, into y."""
    k, o, n = h.shape, y.shape, x.shape
    wide = tuple(a + b - 1 for a, b in zip(o[1:], k[1:], strict=True))  # of the other axes, with what is read beside
    shifts = [int(np.ravel_multi_index(t, wide)) for t in np.ndindex(*k[1:])]
    columns = h[::-1, ...][(slice(None), *(slice(None, None, -1) for _ in k[1:]))].reshape(k[0], -1).astype(y.dtype)
    matrices = [_band(column) for column in columns.T]
    width = prod(wide) - shifts[-1]
    plain = len(shifts) == 1 and wide == n[1:] and all(a == 0 for a in first[1:])
    flat = np.empty((min(ROWS, o[0]), prod(wide)), y.dtype)
    for r in range(0, o[0], ROWS):
        rows = min(ROWS, o[0] - r)
        low = first[0] + r - k[0] + 1
        held = _rows(x, low, rows + k[0] - 1, first[1:], k[1:], wide, plain)
        for q in range(0, width, WIDTH):
            stop = min(q + WIDTH, width)
            total = matrices[0][:rows, : rows + k[0] - 1] @ held[:, q + shifts[0]: stop + shifts[0]]
            for T, shift in zip(matrices[1:], shifts[1:], strict=True):
                total += T[:rows, : rows + k[0] - 1] @ held[:, q + shift: stop + shift]
            flat[:rows, q:stop] = total
        y[r: r + rows] = flat[:rows].reshape(rows, *wide)[(slice(None), *(slice(m) for m in o[1:]))]


def _rows(x: np.ndarray, low: int, count: int, first: tuple[int, ...], k: tuple[int, ...], wide: tuple[int, ...],
          plain: bool) -> np.ndarray:
    """Rows low … of the plane, flat, zeros where there are none."""
    n = x.shape
    a, z = max(low, 0), max(min(low + count, n[0]), max(low, 0))
    if plain and low >= 0 and low + count <= n[0]:
        return x[a:z].reshape(count, -1)
    held = np.zeros((count, *wide), x.dtype)
    inner, outer = [], []
    for m, f, taps, size in zip(n[1:], first, k, wide, strict=True):
        begin = f - taps + 1
        left, right = max(begin, 0), max(min(begin + size, m), max(begin, 0))
        inner.append(slice(left, right))
        outer.append(slice(left - begin, right - begin))
    held[(slice(a - low, z - low), *outer)] = x[(slice(a, z), *inner)]
    return held.reshape(count, -1)


def _band(column: np.ndarray) -> np.ndarray:
    """T of one column of taps, already reversed: (B, B + K − 1)."""
    T = np.zeros((ROWS, ROWS + len(column) - 1), column.dtype)
    for r in range(ROWS):
        T[r, r: r + len(column)] = column
    return T
