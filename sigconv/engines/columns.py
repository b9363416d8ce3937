"""Many channels, many filters or long strides on a line, as products of matrices.

    y[m, j] = Σ_(c, k) w[m, c, k] · x[c, first + s·j − d·k]

Three ways to read it, none of which sums more than `EXACT` terms in a row in single precision:

    shifted   all taps at once times the signal as it stands, (K·m, c) @ (c, n); the rows of tap k, moved by k, are added up
    apart     strides so long that what neighbouring outputs read is put in rows in place, (outputs, K) @ (K, m), in P turns as in
              `products`; the lines of a batch follow each other in one
    copied    what each output reads as a column of its own, (m, c·k) @ (c·k, outputs)
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from .direct import EXACT
from .job import Job
from .tiles import samples

__all__ = ["columns", "cost", "serves"]

CHUNK = 2**11  # outputs at a time
ROOM = 2**19  # numbers made on the way at a time
IN_A_ROW = 96  # terms of one part where no channels are summed besides
ORDERED = 32  # taps whose shares are added in a row
WIDE = 8  # channels from which on `shifted` pays


def serves(job: Job, kind: str) -> bool:
    """Whether this is a job on lines of real samples."""
    return kind in "fd" and len(job.n) == 1


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about: a product, a term of a column where it is copied, a sum of shares."""
    outputs, (k,) = job.batch * job.out[0], job.k
    product, moved = (0.014, 0.3) if kind == "f" else (0.03, 0.6)
    summed = product * outputs * job.terms * job.filters
    if _shifted(job):
        turns = job.batch * job.groups * -(-job.out[0] * k * job.filters // ROOM)
        return summed + moved * outputs * job.filters * k + 6e3 * turns
    parts = -(-job.terms // EXACT)
    if _apart(job):
        turns = -(-k // job.stride[0])
        return 1.3 * summed + moved * outputs * job.filters * (parts + 2) + 5e3 * parts * turns * job.groups
    turns = job.batch * job.groups * -(-job.out[0] // CHUNK)
    return summed + outputs * (0.5 * job.terms * job.groups + moved * job.filters * parts) + 6e3 * parts * turns


def columns(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution by products with columns; for jobs that it `serves`."""
    groups, per, each = job.groups, job.channels // job.groups, job.filters // job.groups
    y = np.empty(job.shape, x.dtype)
    way = shifted if _shifted(job) else apart if _apart(job) else copied
    for g in range(groups):
        way(x[:, g * per: (g + 1) * per], w[g * each: (g + 1) * each], job, y[:, g * each: (g + 1) * each])
    return y


def _shifted(job: Job) -> bool:
    """Whether channels are many, so that a product with one tap alone is worth its while."""
    return job.stride == job.dilation == (1,) and job.channels // job.groups >= WIDE and job.k[0] <= ORDERED


def _apart(job: Job) -> bool:
    """Whether neighbouring outputs read samples that stand far apart, and most samples are read at all."""
    return job.channels == job.groups and job.dilation == (1,) and 1 < job.stride[0] <= 2 * job.k[0]


def shifted(x: np.ndarray, w: np.ndarray, job: Job, y: np.ndarray) -> None:
    """All taps at once, and their shares moved and added."""
    m, c, k = w.shape
    matrix, total = np.ascontiguousarray(w.transpose(2, 0, 1)).reshape(k * m, c), job.out[0]
    per = min(max(ROOM // (k * m), 64), total)
    room, more = (np.empty((k * m, per + k - 1), x.dtype) for _ in range(2))
    for b, line in enumerate(samples(x, job.first[0] - k + 1, total + k - 1)):
        for j in range(0, total, per):
            n = min(per, total - j)
            part, share = line[:, j: j + n + k - 1], room[:, : n + k - 1]
            np.matmul(matrix[:, :EXACT], part[:EXACT], out=share)
            for a in range(EXACT, c, EXACT):
                share += np.matmul(matrix[:, a: a + EXACT], part[a: a + EXACT], out=more[:, : n + k - 1])
            shares = [share[t * m: (t + 1) * m, k - 1 - t: k - 1 - t + n] for t in range(k)]
            out = y[b, :, j: j + n]
            if k == 1:
                out[...] = shares[0]
            else:
                np.add(shares[0], shares[1], out=out)
            for each in shares[2:]:
                out += each


def apart(x: np.ndarray, w: np.ndarray, job: Job, y: np.ndarray) -> None:
    """Every P-th output of every line in one product, P times; the taps in parts."""
    (m, _, k), (s,), batch, total = w.shape, job.stride, job.batch, job.out[0]
    turns = -(-k // s)
    step, parts = turns * s, -(-k // IN_A_ROW)
    ends = [k * i // parts for i in range(parts + 1)]
    taps = np.ascontiguousarray(w[:, 0, ::-1])  # the last tap reads the first sample
    rows = min(-(-total // turns), max(ROOM // (batch * max(m, step)), 1))  # of a line and turn at a time
    for j in range(0, total, rows * turns):
        count = min(rows * turns, total - j)
        need = rows * step + k - 1
        wide = np.zeros(batch * rows * step + k, x.dtype)
        laid = wide[: batch * rows * step].reshape(batch, rows * step)
        low = job.first[0] + s * j - k + 1
        got = samples(x[:, 0], low, min(need, (count - 1) * s + k))
        laid[:, : got.shape[-1]] = got[:, : rows * step]
        beyond = got[:, rows * step:]  # what the last rows read of the next line's place
        for p in range(min(turns, count)):
            frames = np.ndarray((batch * rows, k), x.dtype, wide, p * s * x.itemsize, (step * x.itemsize, x.itemsize))
            share = _in_parts(frames, taps, ends).reshape(batch, rows, m)
            over = p * s + k - step  # taps of a line's last row that stand in the next line
            if over > 0 and beyond.shape[-1] and p + (rows - 1) * turns < count:
                last = np.zeros((batch, k), x.dtype)
                last[:, : k - over] = laid[:, rows * step - (k - over):]
                tail = beyond[:, :over]
                last[:, k - over: k - over + tail.shape[-1]] = tail
                share[:, -1] = _in_parts(last, taps, ends)
            n = len(range(p, count, turns))
            y[:, :, j + p: j + count: turns] = share[:, :n].swapaxes(1, 2)


def _in_parts(frames: np.ndarray, taps: np.ndarray, ends: list[int]) -> np.ndarray:
    """frames @ taps.T, the sums in parts, which are added two by two."""
    return _added(frames[:, a:z] @ taps[:, a:z].T for a, z in pairwise(ends))


def _added(shares: Iterable[np.ndarray]) -> np.ndarray:
    """The sum of shares, two by two as a binary counter carries, so that rounding grows with the logarithm of their number."""
    sums: list[np.ndarray] = []
    for number, share in enumerate(shares, 1):
        sums.append(share)
        for _ in range((number & -number).bit_length() - 1):
            last = sums.pop()
            sums[-1] += last
    return sum(sums[1:], sums[0])


def copied(x: np.ndarray, w: np.ndarray, job: Job, y: np.ndarray) -> None:
    """What outputs read as columns of their own."""
    (m, c, k), (s,), (d,) = w.shape, job.stride, job.dilation
    taps, rows = max(EXACT // c, 1), w[..., ::-1]
    parts = [(a, min(a + taps, k), b, min(b + EXACT, c)) for a in range(0, k, taps) for b in range(0, c, EXACT)]
    matrices = [np.ascontiguousarray(rows[:, b:e, a:z]).reshape(m, -1) for a, z, b, e in parts]
    for j in range(0, job.out[0], CHUNK):
        count = min(CHUNK, job.out[0] - j)
        wide = samples(x, job.first[0] + s * j - job.spans[0], (count - 1) * s + job.spans[0] + 1)
        for lines, out in zip(wide, y, strict=True):
            t, step = lines.strides
            if len(parts) == 1:
                view = np.lib.stride_tricks.as_strided(lines, (c, k, count), (t, d * step, s * step), writeable=False)
                np.matmul(matrices[0], view.reshape(-1, count), out=out[:, j: j + count])
                continue
            shares = []
            for a, z, b, e in parts:
                view = np.lib.stride_tricks.as_strided(lines[b:, a * d:], (e - b, z - a, count), (t, d * step, s * step),
                                                       writeable=False)
                shares.append(view[:, 0] if z - a == 1 and s == 1 else view)
            pairs = zip(matrices, shares, strict=True)
            out[:, j: j + count] = _added(matrix @ share.reshape(-1, count) for matrix, share in pairs)
