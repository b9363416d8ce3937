"""Compiled transforms of sixteen lines, and convolution by them, as `folded` explains; numba makes them as it does `loops`.

A block is n rows of W numbers, real and imaginary parts apart; a transform goes down the columns, so that each of its sums is one
of W neighbours, as wide as the machine's registers are. No number ever changes its lane.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import uint64 as u

from . import loops
from .loops import clear, copy
from .registers import LANES as W
from .registers import wound

__all__ = ["lines", "signatures", "spectra"]



def jit(function: Any) -> Any:
    """As in `loops`; sums may be reordered, NaN and infinities are kept."""
    return loops.jit(function, fastmath={"contract", "reassoc", "nsz", "arcp"})


@jit
def two(xr, xi, yr, yi, s):  # type: ignore[no-untyped-def]
    """Transforms of two points, s numbers apart."""
    b = u(s)
    for q in range(u(s)):
        r0, i0, r1, i1 = xr[q], xi[q], xr[b + q], xi[b + q]
        yr[q], yi[q] = r0 + r1, i0 + i1
        yr[b + q], yi[b + q] = r0 - r1, i0 - i1


@jit
def three(xr, xi, yr, yi, s):  # type: ignore[no-untyped-def]
    """Transforms of three points, s numbers apart."""
    b, c, half, side = u(s), u(2 * s), xr.dtype.type(-0.5), xr.dtype.type(0.8660254037844386)
    for q in range(u(s)):
        r0, i0, r1, i1, r2, i2 = xr[q], xi[q], xr[b + q], xi[b + q], xr[c + q], xi[c + q]
        er, ei, fr, fi = r1 + r2, i1 + i2, (r1 - r2) * side, (i1 - i2) * side
        gr, gi = r0 + half * er, i0 + half * ei
        yr[q], yi[q] = r0 + er, i0 + ei
        yr[b + q], yi[b + q] = gr + fi, gi - fr
        yr[c + q], yi[c + q] = gr - fi, gi + fr


@jit
def six(xr, xi, yr, yi, s, w):  # type: ignore[no-untyped-def]
    """From transforms of three points, 2s numbers apart, to those of six."""
    for p in range(3):
        v, z, o, a, b = w[u(2 * p)], w[u(2 * p + 1)], u(2 * s * p), u(s * p), u(s * (p + 3))
        e = o + u(s)
        for q in range(u(s)):
            r0, i0, r1, i1 = xr[o + q], xi[o + q], xr[e + q], xi[e + q]
            fr, fi = r1 * v - i1 * z, r1 * z + i1 * v
            yr[a + q], yi[a + q] = r0 + fr, i0 + fi
            yr[b + q], yi[b + q] = r0 - fr, i0 - fi


@jit
def four(xr, xi, yr, yi, m, s, w, at):  # type: ignore[no-untyped-def]
    """From transforms of m/4 points, 4s numbers apart, to those of m points, s apart."""
    quarter = m // 4
    for p in range(quarter):
        t = u(at + 6 * p)
        w1, v1, w2, v2, w3, v3 = w[t], w[t + u(1)], w[t + u(2)], w[t + u(3)], w[t + u(4)], w[t + u(5)]
        o, o1, o2, o3 = u(4 * s * p), u(4 * s * p + s), u(4 * s * p + 2 * s), u(4 * s * p + 3 * s)
        a, b, c, d = u(s * p), u(s * (p + quarter)), u(s * (p + 2 * quarter)), u(s * (p + 3 * quarter))
        for q in range(u(s)):
            r0, i0 = xr[o + q], xi[o + q]
            r, i = xr[o1 + q], xi[o1 + q]
            r1, i1 = r * w1 - i * v1, r * v1 + i * w1
            r, i = xr[o2 + q], xi[o2 + q]
            r2, i2 = r * w2 - i * v2, r * v2 + i * w2
            r, i = xr[o3 + q], xi[o3 + q]
            r3, i3 = r * w3 - i * v3, r * v3 + i * w3
            er, ei, fr, fi = r0 + r2, i0 + i2, r0 - r2, i0 - i2
            gr, gi, hr, hi = r1 + r3, i1 + i3, r1 - r3, i1 - i3
            yr[a + q], yi[a + q] = er + gr, ei + gi
            yr[b + q], yi[b + q] = fr + hi, fi - hr
            yr[c + q], yi[c + q] = er - gr, ei - gi
            yr[d + q], yi[d + q] = fr - hi, fi + hr


@jit
def transform(ar, ai, br, bi, n, w):  # type: ignore[no-untyped-def]
    """Transforms of W columns of n = 2ᵇ or 3 · 2ᵇ points, to and fro between a and b; whether they end in b."""
    m, at, there, left, odd = 1, 0, False, n, False
    while left > 3:
        left, odd = left // 2, not odd
    if left == 3:
        three(ar, ai, br, bi, n // 3 * W)
        m, there = 3, True
        if odd:
            six(br, bi, ar, ai, n // 6 * W, w)
            m, there, at = 6, False, 6
    elif odd == (left == 1):
        two(ar, ai, br, bi, n // 2 * W)
        m, there = 2, True
    while m < n:
        m *= 4
        if there:
            four(br, bi, ar, ai, m, n // m * W, w, at)
        else:
            four(ar, ai, br, bi, m, n // m * W, w, at)
        there, at = not there, at + 6 * (m // 4)
    return there


@jit
def enter(x, start, low, high, size, c, s, ar, ai, wide):  # type: ignore[no-untyped-def]
    """The block of 2·size samples x[start …], zeros outside x[low … high−1], folded and turned."""
    source, p = x, u(max(start, 0))
    if start < low or start + 2 * size > high:
        clear(wide, 0, 2 * size)
        begin, end = max(start, low), min(start + 2 * size, high)
        copy(x, begin, wide, begin - start, end - begin)
        source, p = wide, u(0)
    r = p + u(size)
    for q in range(u(size)):
        a, b, f, g = source[p + q], source[r + q], c[q], s[q]
        ar[q], ai[q] = a * f - b * g, a * g + b * f


@jit
def turned(z, other, c, s, at, sign, y, base, count):  # type: ignore[no-untyped-def]
    """y[base …] = z c + sign · other s, `count` of them from `at` on."""
    o, p = u(at), u(base)
    for q in range(u(max(count, 0))):
        y[p + q] = z[o + q] * c[o + q] + sign * other[o + q] * s[o + q]


@jit
def leave(zr, zi, size, c, s, y, base, low, high):  # type: ignore[no-untyped-def]
    """Samples low … high−1 of the block, turned back and unfolded, into y[base + low …]."""
    one = c.dtype.type(1)
    begin, end = min(low, size), min(high, size)
    turned(zr, zi, c, s, begin, one, y, base + begin, end - begin)
    begin, end = max(low - size, 0), max(high - size, 0)
    turned(zi, zr, c, s, begin, -one, y, base + size + begin, end - begin)


@jit
def add_to(y, x, count):  # type: ignore[no-untyped-def]
    """y += x."""
    for q in range(u(count)):
        y[q] += x[q]


@jit
def mix(xr, xi, at, hr, hi, base, n, yr, yi):  # type: ignore[no-untyped-def]
    """The product of two polynomials of W coefficients in each row; those of h stand twice, the first time as they wrap round."""
    for k in range(n):
        wound(xr, xi, u(at + k * W), hr, hi, u(base + 2 * k * W), yr, yi, u(k * W))


@jit
def spectra(h, count, k, n, c, s, wrap, w, hr, hi, work):  # type: ignore[no-untyped-def]
    """Of `count` filters of k taps, the spectra that `mix` takes, 2nW numbers each, over n; `work` has room for 6nW more."""
    size, scale = n * W, h.dtype.type(1 / n)
    ar, ai, br, bi = work[:size], work[size: 2 * size], work[2 * size: 3 * size], work[3 * size: 4 * size]
    wide = work[4 * size: 6 * size]
    for f in range(count):
        enter(h, f * k, f * k, f * k + k, size, c, s, ar, ai, wide)
        there = transform(ar, ai, br, bi, n, w)
        zr, zi = (br, bi) if there else (ar, ai)
        for r in range(n):
            v, z, o, p = wrap[u(2 * r)], wrap[u(2 * r + 1)], u(r * W), u(2 * (f * size + r * W))
            e = p + u(W)
            for q in range(u(W)):
                a, b = zr[o + q] * scale, zi[o + q] * scale
                hr[p + q], hi[p + q] = a * v - b * z, a * z + b * v
                hr[e + q], hi[e + q] = a, b


@jit
def lines(x, hr, hi, sizes, c, s, w, y, work):  # type: ignore[no-untyped-def]
    """Lines x (batch, groups, channels, samples) by filters (groups, filters, channels), into y (batch, groups, filters, …).

    `sizes`: batch, groups, channels, filters, samples; n; where the first block begins, its first clean sample, how many outputs
    a block gives and how many there are, before the stride; the stride, of which a block's outputs are a multiple, and outputs;
    how many samples of a line are read; how many blocks a filter takes in turn. `work` has room for 6nW numbers, as many as a
    block's outputs, and all channels' spectra of those blocks, 2nW each, where several channels or filters read them.
    """
    batch, groups, channels, filters, samples, n = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    begin, low, step, total, stride, outputs = sizes[6], sizes[7], sizes[8], sizes[9], sizes[10], sizes[11]
    size, read, many = n * W, sizes[12], sizes[13]
    ar, ai, br, bi = work[:size], work[size: 2 * size], work[2 * size: 3 * size], work[3 * size: 4 * size]
    wide, clean, held = work[4 * size: 6 * size], work[6 * size:], channels * filters > 1
    sr = work[6 * size + step:]
    si = sr[many * channels * size:]
    for line in range(batch * groups):
        for chunk in range(0, total, step * many):
            stop, z = min(chunk + step * many, total), 0
            for j in range(chunk, stop, step):
                for ch in range(channels):
                    at = (line * channels + ch) * samples
                    enter(x, at + begin + j, at, at + read, size, c, s, ar, ai, wide)
                    if not transform(ar, ai, br, bi, n, w):
                        ar, ai, br, bi = br, bi, ar, ai  # the spectrum stands in b
                    if held:
                        copy(br, 0, sr, z, size)
                        copy(bi, 0, si, z, size)
                        z += size
            for f in range(filters):
                base, z, at = (line % groups * filters + f) * channels * 2 * size, 0, (line * filters + f) * outputs
                for j in range(chunk, stop, step):
                    if held:
                        mix(sr, si, z, hr, hi, base, n, ar, ai)
                    else:
                        mix(br, bi, 0, hr, hi, base, n, ar, ai)
                    for ch in range(1, channels):
                        mix(sr, si, z + ch * size, hr, hi, base + ch * 2 * size, n, br, bi)
                        add_to(ar, br, size)
                        add_to(ai, bi, size)
                    z, count = z + channels * size, min(step, total - j)
                    if not transform(ai, ar, bi, br, n, w):
                        ar, ai, br, bi = br, bi, ar, ai  # as does what comes back
                    if stride == 1:
                        leave(br, bi, size, c, s, y, at + j - low, low, low + count)
                    else:
                        leave(br, bi, size, c, s, clean, -low, low, low + count)
                        p, e = u(at + j // stride), u(stride)
                        for q in range(u((count - 1) // stride + 1)):
                            y[p + q] = clean[q * e]


def signatures(kind: str) -> dict[str, tuple[Any, ...]]:
    """The types that each loop is called with, as in `loops`."""
    sample: Any = {"f": numba.float32, "d": numba.float64}[kind]
    reads, writes = numba.types.Array(sample, 1, "C", readonly=True), numba.types.Array(sample, 1, "C")
    sizes = numba.types.Array(numba.int64, 1, "C")
    return {"spectra": (reads, numba.int64, numba.int64, numba.int64, reads, reads, reads, reads, writes, writes, writes),
            "lines": (reads, reads, reads, sizes, reads, reads, reads, writes, writes)}
