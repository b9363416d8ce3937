"""Compiled parts of `layered`: blocks of many channels to frequency and back, sixteen channels abreast; made as `lanes` is."""

from __future__ import annotations

from typing import Any

import numba
from numba import uint64 as u

from .lanes import jit, transform
from .registers import LANES as W

__all__ = ["entered", "laid", "left", "signatures"]


@jit
def columns(x, base, pitch, many, start, low, high, n, c, s, ar, ai, br, bi):  # type: ignore[no-untyped-def]
    """The block x[start …] of each of some lines, zeros outside low … high−1, folded and turned, a line a lane, into b."""
    for v in range(many):
        for half in range(2):
            z, i = ai if half else ar, start + half * n
            a, e = min(max(low - i, 0), n), min(max(high - i, 0), n)
            p, q = u(base + v * pitch + i), u(v)
            for t in range(a):
                z[t * W + v] = 0
            for g in range(u(a), u(max(e, a))):
                z[g * u(W) + q] = x[p + g]
            for t in range(max(e, a), n):
                z[t * W + v] = 0
    for v in range(many, W):
        for t in range(n):
            ar[t * W + v] = ai[t * W + v] = 0
    for r in range(u(n * W)):
        d, b, f, h = ar[r], ai[r], c[r], s[r]
        br[r], bi[r] = d * f - b * h, d * h + b * f


@jit
def put(z, n, many, y, base, pitch, scale):  # type: ignore[no-untyped-def]
    """y[base + pitch · ν + v] = scale · z[ν, v], v < many."""
    for k in range(n):
        p, q = u(base + k * pitch), u(k * W)
        if many == W:
            for v in range(u(W)):
                y[p + v] = z[q + v] * scale
        else:
            for v in range(u(many)):
                y[p + v] = z[q + v] * scale


@jit
def laid(h, sizes, c, s, w, H, work):  # type: ignore[no-untyped-def]
    """Spectra of taps (m, c, k) over n, a matrix (c, 2m) a frequency, real parts before imaginary ones. `sizes`: m, c, k, n."""
    m, channels, k, n = sizes[0], sizes[1], sizes[2], sizes[3]
    size, scale = n * W, h.dtype.type(1 / n)
    ar, ai, br, bi = work[:size], work[size: 2 * size], work[2 * size: 3 * size], work[3 * size: 4 * size]
    for ch in range(channels):
        for f in range(0, m, W):
            many = min(W, m - f)
            columns(h, (f * channels + ch) * k, channels * k, many, 0, 0, k, n, c, s, ar, ai, br, bi)
            there = transform(br, bi, ar, ai, n, w)
            put(ar if there else br, n, many, H, ch * 2 * m + f, channels * 2 * m, scale)
            put(ai if there else bi, n, many, H, ch * 2 * m + m + f, channels * 2 * m, scale)


@jit
def entered(x, sizes, c, s, w, X, work):  # type: ignore[no-untyped-def]
    """Spectra of blocks of lines (c, …), a matrix (2 · blocks, c) a frequency, real and imaginary rows in turn.

    `sizes`: c, samples of a line and how many are read, n, where the first block begins, from one to the next, blocks.
    """
    channels, samples, read, n, begin, step, blocks = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]
    size, one = n * W, x.dtype.type(1)
    ar, ai, br, bi = work[:size], work[size: 2 * size], work[2 * size: 3 * size], work[3 * size: 4 * size]
    for j in range(blocks):
        for ch in range(0, channels, W):
            many, at = min(W, channels - ch), 2 * j * channels + ch
            columns(x, ch * samples, samples, many, begin + j * step, 0, read, n, c, s, ar, ai, br, bi)
            there = transform(br, bi, ar, ai, n, w)
            put(ar if there else br, n, many, X, at, 2 * blocks * channels, one)
            put(ai if there else bi, n, many, X, at + channels, 2 * blocks * channels, one)


@jit
def left(P, sizes, c, s, w, y, work):  # type: ignore[no-untyped-def]
    """Products (2 · blocks, 2m) a frequency back to lines y (m, …): of each block the samples from `low` on.

    `sizes`: m, n, blocks, low, from one block to the next, where the first goes in a line of y, and samples of that.
    """
    m, n, blocks, low, step, begin, total = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]
    size, pitch = n * W, 4 * blocks * m
    ar, ai, br, bi = work[:size], work[size: 2 * size], work[2 * size: 3 * size], work[3 * size: 4 * size]
    for j in range(blocks):
        at = begin + j * step
        count = min(step, total - at)
        for f in range(0, m, W):
            many = min(W, m - f)
            for k in range(n):
                p, q = u(k * pitch + 4 * j * m + f), u(k * W)
                e = p + u(2 * m)
                for v in range(u(many)):
                    ar[q + v] = P[p + v] - P[e + u(m) + v]
                    ai[q + v] = P[p + u(m) + v] + P[e + v]
                for v in range(many, W):
                    ar[k * W + v] = ai[k * W + v] = 0
            if not transform(ai, ar, bi, br, n, w):
                ar, ai, br, bi = br, bi, ar, ai  # the result stands in b
            for r in range(u(size)):
                d, b, g, h = br[r], bi[r], c[r], s[r]
                ar[r], ai[r] = d * g + b * h, b * g - d * h
            for v in range(many):
                for half in range(2):
                    z, first = ai if half else ar, half * n
                    a, end = min(max(low - first, 0), n), min(max(low + count - first, 0), n)
                    into, lane = u((f + v) * total + at + first - low), u(v)
                    for t in range(u(a), u(max(end, a))):
                        y[into + t] = z[t * u(W) + lane]


def signatures(kind: str) -> dict[str, tuple[Any, ...]]:
    """The types that each loop is called with, as in `loops`."""
    sample: Any = {"f": numba.float32, "d": numba.float64}[kind]
    reads, writes = numba.types.Array(sample, 1, "C", readonly=True), numba.types.Array(sample, 1, "C")
    sizes = numba.types.Array(numba.int64, 1, "C")
    return dict.fromkeys(("laid", "entered", "left"), (reads, sizes, reads, reads, reads, writes, writes))
