"""The compiled loops: numba makes them when `compiled` opens this file, and keeps what it made where it may write.

All of them rest on one: some outputs in a row, y[j] = Σ_q taps[q] · x[at[q] + j], nine taps at a time, where j runs through
memory and the machine sums as many outputs at once as its registers hold. Taps of a plane or a volume are taps of a line where
rows stand one after another with zeros between: a shift along any axis is a shift of the line. Sums have parts of 63 terms, so
that single precision stays within the numeric bound. Sums may be reordered; NaN and infinities are kept.

Arrays are flat, with their sizes beside them: nothing is sliced, which would take long to compile; and what is added to a place
is unsigned, since a place that could be negative is looked at before it is used.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import uint64 as u

__all__ = ["dense", "line", "passes", "signatures"]

PART = 63  # terms summed in a row
RUN = 1024  # outputs at a time: they and what they read stay in the innermost cache
HELD = 16384  # samples that a pass across rows reads at a time
ROUND = 64  # outputs that loops take without a remainder
NARROW = 256  # columns of rows that are taken many in one


def jit(function: Any) -> Any:
    """The function, compiled when its types are known; without a place for it on disk only for this process."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz", "arcp"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)


@jit
def copy(x, i, y, j, count):  # type: ignore[no-untyped-def]
    """y[j …] = x[i …]."""
    p, q = u(i), u(j)
    for s in range(u(max(count, 0))):
        y[q + s] = x[p + s]


@jit
def clear(y, j, count):  # type: ignore[no-untyped-def]
    """y[j …] = 0."""
    q = u(j)
    for s in range(u(max(count, 0))):
        y[q + s] = 0


@jit
def add_to(y, x, count):  # type: ignore[no-untyped-def]
    """y += x."""
    for s in range(u(count)):
        y[s] += x[s]


@jit
def add(y, base, x, at, taps, low, high, shift, count):  # type: ignore[no-untyped-def]
    """y[base + j] = Σ_q taps[q] x[at[q] + shift + j] for j < count and low ≤ q < high."""
    n, q, o, fresh = u(count), low, u(base), True
    while q + 9 <= high:
        a, b, c, d, e = taps[q], taps[q + 1], taps[q + 2], taps[q + 3], taps[q + 4]
        f, g, h, k = taps[q + 5], taps[q + 6], taps[q + 7], taps[q + 8]
        A, B, C = u(at[q] + shift), u(at[q + 1] + shift), u(at[q + 2] + shift)
        D, E, F = u(at[q + 3] + shift), u(at[q + 4] + shift), u(at[q + 5] + shift)
        G, H, K = u(at[q + 6] + shift), u(at[q + 7] + shift), u(at[q + 8] + shift)
        if fresh:
            for j in range(n):
                y[o + j] = ((a * x[A + j] + b * x[B + j]) + (c * x[C + j] + d * x[D + j])
                            + ((e * x[E + j] + f * x[F + j]) + (g * x[G + j] + h * x[H + j])) + k * x[K + j])
        else:
            for j in range(n):
                y[o + j] += ((a * x[A + j] + b * x[B + j]) + (c * x[C + j] + d * x[D + j])
                             + ((e * x[E + j] + f * x[F + j]) + (g * x[G + j] + h * x[H + j])) + k * x[K + j])
        q, fresh = q + 9, False
    while q + 3 <= high:
        a, b, c = taps[q], taps[q + 1], taps[q + 2]
        A, B, C = u(at[q] + shift), u(at[q + 1] + shift), u(at[q + 2] + shift)
        if fresh:
            for j in range(n):
                y[o + j] = (a * x[A + j] + b * x[B + j]) + c * x[C + j]
        else:
            for j in range(n):
                y[o + j] += (a * x[A + j] + b * x[B + j]) + c * x[C + j]
        q, fresh = q + 3, False
    while q < high:
        a, A = taps[q], u(at[q] + shift)
        if fresh:
            for j in range(n):
                y[o + j] = a * x[A + j]
        else:
            for j in range(n):
                y[o + j] += a * x[A + j]
        q, fresh = q + 1, False


@jit
def sums(y, base, x, at, taps, many, shift, count, part):  # type: ignore[no-untyped-def]
    """y[base + j] = Σ_q taps[q] x[at[q] + shift + j] for j < count and q < many, in parts."""
    if many == 0:
        clear(y, base, count)
    for low in range(0, many, PART):
        into, o = (part, 0) if low else (y, base)
        add(into, o, x, at, taps, low, min(low + PART, many), shift, count)
        if low:
            p = u(base)
            for j in range(u(count)):
                y[p + j] += part[j]


@jit
def line(x, h, first, y):  # type: ignore[no-untyped-def]
    """Outputs first … of the full convolution of a line with taps h, into y."""
    n, k, o, j = len(x), len(h), len(y), 0
    at, part, wide = np.empty(k, np.int64), np.empty(RUN, x.dtype), np.empty(RUN + k - 1, x.dtype)
    for q in range(k):
        at[q] = k - 1 - q
    while j < o:
        begin, count = first + j - k + 1, min(RUN, o - j)  # the first sample that output j reads
        among = begin < 0 or begin + k > n  # zeros: up to where samples alone are read
        if not among:
            count = min(count, n - begin - k + 1)
        else:
            if begin < 0 and n >= k:
                count = min(count, -begin)
            a, z = max(begin, 0), min(begin + count + k - 1, n)
            clear(wide, 0, count + k - 1)
            copy(x, a, wide, a - begin, z - a)
        source, shift = (wide, 0) if among else (x, begin)
        sums(y, j, source, at, h, k, shift, count, part)
        j += count


@jit
def across(wide, rows, width, h, at, run, part, y, base, o):  # type: ignore[no-untyped-def]
    """o outputs of each row of `wide`, Σ_q h[q] wide[row · width + at[q] + j], into y: row by row, or narrow ones as one."""
    per = rows if o < NARROW else 1
    for row in range(0, rows, per):
        total, j = (min(row + per, rows) - row - 1) * width + o, 0
        while j < total:
            count = min(RUN, total - j)
            direct = per == 1 and count >= ROUND
            if direct:
                count = count // ROUND * ROUND
            into, place = (y, base + row * o + j) if direct else (run, 0)
            sums(into, place, wide, at, h, len(h), row * width + j, -(-count // ROUND) * ROUND, part)
            for i in range(j // width, 0 if direct else (j + count - 1) // width + 1):
                a, z = max(i * width, j), min(i * width + o, j + count)
                copy(run, a - j, y, base + (row + i) * o + a - i * width, z - a)
            j += count


@jit
def dense(x, w, sizes, y):  # type: ignore[no-untyped-def]
    """Outputs of the full convolution of a volume with taps w, into y: as many planes, among zeros, as taps reach are held.

    `sizes`: of x, of w, the first outputs, and of y, three each.
    """
    n0, n1, n2, k0, k1, k2 = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    f0, f1, f2, o0, o1, o2 = sizes[6], sizes[7], sizes[8], sizes[9], sizes[10], sizes[11]
    height, width = o1 + k1 - 1, o2 + k2 - 1
    size = height * width
    held = np.zeros(k0 * size + k2 + 2 * RUN, x.dtype)
    run, part, at = np.empty(RUN, x.dtype), np.empty(RUN, x.dtype), np.empty(k0 * k1 * k2, np.int64)
    left, right = min(max(k2 - 1 - f2, 0), width), min(n2 - f2 + k2 - 1, width)  # where rows have samples
    for r in range(o0 + k0 - 1):
        plane, slot = f0 - k0 + 1 + r, (r % k0) * size
        for i in range(height):
            row = f1 - k1 + 1 + i
            if 0 <= plane < n0 and 0 <= row < n1:
                copy(x, (plane * n1 + row) * n2 + f2 - k2 + 1 + left, held, slot + i * width + left, right - left)
            else:
                clear(held, slot + i * width, width)
        if r < k0 - 1:
            continue
        q = 0
        for t0 in range(k0):
            for t1 in range(k1):
                for t2 in range(k2):
                    at[q] = ((r - t0) % k0) * size + (k1 - 1 - t1) * width + k2 - 1 - t2
                    q += 1
        across(held, o1, width, w, at, run, part, y, (r - k0 + 1) * o1 * o2, o2)


@jit
def down(x, rows, size, h, first, low, high, columns, count, y, base, width, at, taps, part):  # type: ignore[no-untyped-def]
    """Outputs low … high−1 of the pass of h along the first axis of x (rows, size), some columns of it; zeros are not read."""
    chunk = max(min(HELD // (len(h) + high - low), RUN) // ROUND * ROUND, 4 * ROUND)
    for j in range(0, count, chunk):
        for r in range(low, high):
            many = 0
            for t in range(max(first + r - rows + 1, 0), min(first + r + 1, len(h))):
                at[many], taps[many] = (first + r - t) * size, h[t]
                many += 1
            sums(y, base + (r - low) * width + j, x, at, taps, many, columns + j, min(chunk, count - j), part)


@jit
def passes(x, h0, h1, sizes, y):  # type: ignore[no-untyped-def]
    """A pass down the columns of a plane and one along its rows, a few rows at a time; the second not where h1 is one 1.

    `sizes`: of x, the first outputs, and of y, two each.
    """
    n0, n1, f0, f1, o0, o1 = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    k0, k1 = len(h0), len(h1)
    width, alone = o1 + k1 - 1, k1 == 1 and h1[0] == 1
    rows = max(min(16, o0, 2**17 // width), 1)
    taps, places = np.empty(k0, x.dtype), np.empty(k0, np.int64)
    run, part, at = np.empty(RUN, x.dtype), np.empty(RUN, x.dtype), np.empty(k1, np.int64)
    for t in range(k1):
        at[t] = k1 - 1 - t
    left = max(k1 - 1 - f1, 0)
    count, columns = min(n1 - f1 + k1 - 1, width) - left, f1 - k1 + 1 + left  # samples of a row, and the first of them
    wide = np.zeros(rows * width + k1 + 2 * RUN, x.dtype)
    for r in range(0, o0, rows):
        top = min(r + rows, o0)
        into, base = (y, r * o1) if alone else (wide, left)
        down(x, n0, n1, h0, f0, r, top, columns, count, into, base, width, places, taps, part)
        if not alone:
            across(wide, top - r, width, h1, at, run, part, y, r * o1, o1)


def signatures(kind: str) -> dict[str, tuple[Any, ...]]:
    """The types that each loop is called with, for samples of kind "f" or "d"; what is read may be read-only."""
    sample: Any = {"f": numba.float32, "d": numba.float64}[kind]
    reads, writes = numba.types.Array(sample, 1, "C", readonly=True), numba.types.Array(sample, 1, "C")
    sizes = numba.types.Array(numba.int64, 1, "C")
    return {"line": (reads, reads, numba.int64, writes), "dense": (reads, reads, sizes, writes),
            "passes": (reads, reads, reads, sizes, writes)}
