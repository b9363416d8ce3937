"""The compiled loops: numba makes them when `compiled` opens this file, and keeps what it made where it may write.

What sums is `registers`; here is what lies around it. Outputs are made in blocks of R vectors, or F filters of V vectors, and the
last block ends where the outputs end, over some that are there already: no remainder is left. What is smaller than a block is
made in a `tile`, and cut out of it. Where sums read beyond the samples, these stand in an array of their own, among zeros.

Arrays are flat, with their sizes beside them: nothing is sliced, which would take long to compile; and what is added to a place
is unsigned, since a place that could be negative is looked at before it is used.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import uint64 as u

from .registers import BYTES, FILTERS, ROWS, VECTORS, abreast, mixed, slid, spread

__all__ = ["dense", "layer", "line", "passes", "signatures", "strided"]

LONG = 8192  # outputs of a line up to which all of it is read among zeros
HELD = 2**16  # samples that stand among zeros at a time: they stay in the second cache
NEAR = 6144  # samples that stay in the first
FEW, MOST = 16, 64  # rows at a time of two passes
NARROW = 9  # taps down to which rows are read where they are


def jit(function: Any, **more: Any) -> Any:
    """The function, compiled when its types are known; without a place for it on disk only for this process."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", **more}
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
def among(x, base, n, i, y, j, count):  # type: ignore[no-untyped-def]
    """y[j …] = samples i … of the n that begin at x[base], zeros before and after them."""
    low = min(max(-i, 0), count)
    high = min(max(n - i, low), count)
    clear(y, j, low)
    copy(x, base + i + low, y, j + low, high - low)
    clear(y, j + high, count - high)


@jit
def apart(width, itemsize):  # type: ignore[no-untyped-def]
    """A distance for rows of so many samples that puts neighbours in different sets of the cache: an odd number of its lines."""
    line = 64 // itemsize
    return (-(-width // line) | 1) * line


@jit
def grid(x, base, pitch, at, count, rows, taps, y, out, step, height, width, tile):  # type: ignore[no-untyped-def]
    """y[out + step·i + j] = Σ_(c, p) taps[c, p] x[base + at[c] + pitch·(p + i) + j], i < height, j < width."""
    W, i = BYTES // x.itemsize, 0
    small = height < ROWS or width < W
    while i < height:
        i, j = max(min(i, height - ROWS), 0), 0
        while j < width:
            j = max(min(j, width - W), 0)
            into, place, gap = (tile, 0, W) if small else (y, out + step * i + j, step)
            spread(x, u(base + i * pitch + j), at, u(count), u(pitch), u(rows), taps, into, u(place), u(gap))
            for r in range(min(height - i, ROWS) if small else 0):
                copy(tile, r * W, y, out + step * (i + r) + j, min(width - j, W))
            j += W
        i += ROWS


@jit
def run(x, base, taps, y, out, total, tile):  # type: ignore[no-untyped-def]
    """y[out + j] = Σ_q taps[q] x[base + q + j], j < total; x is read as if there were a block at least."""
    size, j = ROWS * (BYTES // x.itemsize), 0
    into, place = (tile, 0) if total < size else (y, out)
    while j < total:
        j = max(min(j, total - size), 0)
        slid(x, u(base + j), taps, u(len(taps)), into, u(place + j))
        j += size
    if total < size:
        copy(tile, 0, y, out, total)


@jit
def line(x, h, first, y):  # type: ignore[no-untyped-def]
    """Outputs first … of the full convolution of a line with taps h, into y."""
    n, k, o, size = len(x), len(h), len(y), ROWS * (BYTES // x.itemsize)
    taps, tile = np.empty(k, x.dtype), np.empty(size, x.dtype)
    for q in range(k):
        taps[q] = h[k - 1 - q]
    a, z = max(k - 1 - first, 0), min(n - first, o)  # outputs that read samples alone
    if z - a < LONG:
        a, z = o, o
    wide = np.empty(max(a, o - z) + k - 1 + size, x.dtype)
    for low, high in ((0, a), (a, z), (z, o)):
        if low < high:
            begin, source = first + low - k + 1, x
            if low != a or a == z:
                among(x, 0, n, begin, wide, 0, high - low + k - 1 + size)
                begin, source = 0, wide
            run(source, begin, taps, y, low, high - low, tile)


@jit
def dense(x, w, sizes, y):  # type: ignore[no-untyped-def]
    """Outputs of the full convolution of a volume with taps w, into y: some rows, and as many planes as taps reach, at a time.

    `sizes`: of x, of w, the first outputs, and of y, three each.
    """
    n0, n1, n2, k0, k1, k2 = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    f0, f1, f2, o0, o1, o2 = sizes[6], sizes[7], sizes[8], sizes[9], sizes[10], sizes[11]
    W = BYTES // x.itemsize
    width = max(o2, W) + k2 - 1
    pitch = apart(width, x.itemsize)
    strip = max(HELD // (k0 * pitch) - k1 + 1, ROWS) // ROWS * ROWS
    strip = min(strip, max(o1, ROWS))
    size = (strip + k1 - 1) * pitch
    held, tile = np.empty(k0 * size + W, x.dtype), np.empty(ROWS * W, x.dtype)
    at, taps = np.empty(k0 * k2, np.int64), np.empty(k0 * k1 * k2, x.dtype)
    for t0 in range(k0):
        for t2 in range(k2):
            for t1 in range(k1):
                taps[(t0 * k2 + t2) * k1 + k1 - 1 - t1] = w[(t0 * k1 + t1) * k2 + t2]
    i = 0
    while i < o1:
        i = max(min(i, o1 - strip), 0)
        for r in range(o0 + k0 - 1):
            plane = f0 - k0 + 1 + r
            for s in range(strip + k1 - 1):
                row, place = f1 - k1 + 1 + i + s, (r % k0) * size + s * pitch
                if 0 <= plane < n0 and 0 <= row < n1:
                    among(x, (plane * n1 + row) * n2, n2, f2 - k2 + 1, held, place, width)
                else:
                    clear(held, place, width)
            if r >= k0 - 1:
                for t0 in range(k0):
                    for t2 in range(k2):
                        at[t0 * k2 + t2] = ((r - t0) % k0) * size + k2 - 1 - t2
                grid(held, 0, pitch, at, k0 * k2, k1, taps, y, ((r - k0 + 1) * o1 + i) * o2, o2, min(strip, o1 - i), o2, tile)
        i += strip


@jit
def passes(x, h0, h1, sizes, y):  # type: ignore[no-untyped-def]
    """A pass down the columns of a plane and one along its rows, some rows at a time; the second not where h1 is one 1.

    What the first reads stands in an array of its own, panel by panel, unless it is next to nothing and all there: rows of a
    plane may be such a distance apart that a cache has room for few. `sizes`: of x, the first outputs, and of y, two each.
    """
    n0, n1, f0, f1, o0, o1 = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    k0, k1, W = len(h0), len(h1), BYTES // x.itemsize
    alone, left = k1 == 1 and h1[0] == 1, max(k1 - 1 - f1, 0)
    strip = max(min(max(min(2 * k0, MOST), FEW) // ROWS * ROWS, o0), ROWS)
    start = f1 - k1 + 1 + left  # of what a row reads, and how many samples that is
    many = min(n1 - start, o1 + k1 - 1 - left)
    panels = -(-many // (HELD // (strip + k0 - 1)))
    panel = -(-many // panels)
    tile, at, lines = np.empty(ROWS * W, x.dtype), np.empty(k1, np.int64), o1 >= ROWS * W
    top, down, along = np.zeros(1, np.int64), np.empty(k0, x.dtype), np.empty(k1, x.dtype)
    for t in range(k0):
        down[t] = h0[k0 - 1 - t]
    for t in range(k1):
        at[t], along[t] = t, h1[k1 - 1 - t]
    pitch, apiece = apart(max(o1, W) + k1 - 1, x.itemsize), apart(max(panel, W), x.itemsize)
    wide, held = np.zeros(1 if alone else strip * pitch + W, x.dtype), np.empty((strip + k0 - 1) * apiece, x.dtype)
    into, gap = (y, o1) if alone else (wide, pitch)
    i = 0
    while i < o0:
        i = max(min(i, o0 - strip), 0)
        height, row = min(strip, o0 - i), f0 + i - k0 + 1  # of outputs, and the first that these read
        straight = k0 <= NARROW and row >= 0 and row + height + k0 - 1 <= n0 and height >= ROWS and panel >= W
        for j in range(0, many, panel):
            width = min(panel, many - j)
            source, base, step = held, 0, apiece
            if straight and width >= W:
                source, base, step = x, row * n1 + start + j, n1
            else:
                for s in range(height + k0 - 1):
                    if 0 <= row + s < n0:
                        copy(x, (row + s) * n1 + start + j, held, s * apiece, width)
                    else:
                        clear(held, s * apiece, width)
            grid(source, base, step, top, 1, k0, down, into, i * o1 + j if alone else left + j, gap, height, width, tile)
        for r in range(height if lines and not alone else 0):
            run(wide, r * pitch, along, y, (i + r) * o1, o1, tile)
        if not lines and not alone:
            grid(wide, 0, pitch, at, k1, 1, along, y, i * o1, o1, height, o1, tile)
        i += strip


@jit
def layer(x, w, sizes, y):  # type: ignore[no-untyped-def]
    """Outputs of the full convolution of channels with filters (m, c, k), summed over channels, into y (m, o).

    `sizes`: c, n, m, k, the first output and o.
    """
    c, n, m, k, first, o = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    size = VECTORS * (BYTES // x.itemsize)
    near = max(NEAR // c // size, 1) * size  # outputs whose samples all filters find in the first cache
    chunk = max(HELD // c // near, 1) * near
    pitch, many = apart(chunk + k - 1, x.itemsize), c * k
    held, tile = np.empty(c * pitch, x.dtype), np.empty(FILTERS * size, x.dtype)
    at, taps = np.empty(many, np.int64), np.zeros(-(-m // FILTERS) * FILTERS * many, x.dtype)
    for i in range(c):
        for t in range(k):
            at[i * k + t] = i * pitch + k - 1 - t
    for f in range(m):
        for q in range(many):
            taps[(f // FILTERS * many + q) * FILTERS + f % FILTERS] = w[f * many + q]
    for begin in range(0, o, chunk):
        total = min(chunk, o - begin)
        for i in range(c):
            among(x, i * n, n, first + begin - k + 1, held, i * pitch, chunk + k - 1)
        for low in range(0, total, near):
            for f in range(0, m, FILTERS):
                filters, j, high = min(FILTERS, m - f), low, min(low + near, total)
                while j < high:
                    j = max(min(j, total - size), 0)
                    small = filters < FILTERS or total < size
                    into, place, gap = (tile, 0, size) if small else (y, f * o + begin + j, o)
                    mixed(held, u(j), at, u(many), taps, u(f * many), into, u(place), u(gap))
                    for r in range(filters if small else 0):
                        copy(tile, r * size, y, (f + r) * o + begin + j, min(total, size))
                    j += size


@jit
def strided(x, w, sizes, y):  # type: ignore[no-untyped-def]
    """The same of every s-th output, filters abreast, for one group of a batch of signals.

    `sizes`: c, n, m, k, the first output, o, and s; how many signals, and where the group begins in each of x and of y.
    """
    c, n, m, k, first, o, s = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]
    batch, from_x, from_y = sizes[7], sizes[8], sizes[9]
    size, many = VECTORS * (BYTES // x.itemsize), c * k
    rows = max(min(HELD // (c * s), o), FILTERS) // FILTERS * FILTERS  # outputs whose samples stand among zeros at a time
    pitch = (rows - 1) * s + k
    held, made = np.empty(c * pitch, x.dtype), np.empty(FILTERS * size, x.dtype)
    at, taps = np.empty(many, np.int64), np.zeros(-(-m // size) * size * many, x.dtype)
    for i in range(c):
        for t in range(k):
            at[i * k + t] = i * pitch + k - 1 - t
    for f in range(m):
        base = u(f // size * size * many + f % size)
        for q in range(u(many)):
            taps[base + q * u(size)] = w[u(f * many) + q]
    each, turns = len(y) // batch, -(-o // rows)
    for turn in range(batch * turns):
        begin, b = turn % turns * rows, turn // turns
        total = min(rows, o - begin)
        for i in range(c):
            among(x, b * (len(x) // batch) + from_x + i * n, n, first + begin * s - k + 1, held, i * pitch, pitch)
        for f in range(0, m, size):
            for j in range(0, total, FILTERS):
                abreast(held, u(j * s), at, u(many), u(s), taps, u(f * many), made, u(0), u(size))
                for r in range(min(size, m - f)):
                    p = b * each + from_y + (f + r) * o + begin + j
                    for e in range(min(FILTERS, total - j)):
                        y[p + e] = made[e * size + r]


def signatures(kind: str) -> dict[str, tuple[Any, ...]]:
    """The types that each loop is called with, for samples of kind "f" or "d"; what is read may be read-only."""
    sample: Any = {"f": numba.float32, "d": numba.float64}[kind]
    reads, writes = numba.types.Array(sample, 1, "C", readonly=True), numba.types.Array(sample, 1, "C")
    sizes = numba.types.Array(numba.int64, 1, "C")
    return {"line": (reads, reads, numba.int64, writes), "dense": (reads, reads, sizes, writes),
            "passes": (reads, reads, reads, sizes, writes), "layer": (reads, reads, sizes, writes),
            "strided": (reads, reads, sizes, writes)}
