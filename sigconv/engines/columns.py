"""Many channels, or long strides, on a line: what each output reads as a column, and the taps as a matrix.

    y[m, j] = Σ_(c, k) w[m, c, k] · x[c, first + s·j − d·k]

is a product of matrices, (m, c·k) with (c·k, outputs). It is made in parts of at most `EXACT` terms, so that single precision
stays within the numeric bound, which are added two by two; and for some outputs at a time, so that columns stay in the cache.
"""

from __future__ import annotations

import numpy as np

from .direct import EXACT
from .job import Job
from .tiles import samples

__all__ = ["columns", "cost", "serves"]

CHUNK = 2**11  # outputs at a time
WIDEST = 64  # channels of a group, beyond which a single tap would be more terms than a part holds


def serves(job: Job, kind: str) -> bool:
    """Whether this is a job on lines of real samples whose channels fit."""
    return kind in "fd" and len(job.n) == 1 and job.channels // job.groups <= WIDEST


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about: a product 0.03 (twice in double precision), a term of a column 0.5 where it is copied."""
    outputs, per = job.batch * job.out[0], job.channels // job.groups
    each = 0.03 if kind == "f" else 0.06
    copied = 0.0 if per > EXACT // 2 or _apart(job) else 0.5
    parts = -(-job.terms // EXACT) * job.groups
    moved = parts * (outputs * job.filters / job.groups * 0.4 + 1e4)
    return outputs * job.terms * (each * job.filters + copied * job.groups) + moved


def columns(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution by products with columns; for jobs that it `serves`."""
    (k,), (s,), (d,), groups, per = job.k, job.stride, job.dilation, job.groups, job.channels // job.groups
    each, taps = job.filters // groups, max(EXACT // per, 1)
    y = np.empty(job.shape, x.dtype)
    rows = w.reshape(groups, each, per, k)[..., ::-1]  # the last tap reads the first sample
    parts = [(a, min(a + taps, k)) for a in range(0, k, taps)]
    matrices = [np.ascontiguousarray(rows[..., a:z]).reshape(groups, each, per * (z - a)) for a, z in parts]
    total, per_turn = job.out[0], max(CHUNK // max(job.batch, 1), 64) if _apart(job) else CHUNK
    for j in range(0, total, per_turn):
        count = min(per_turn, total - j)
        low = job.first[0] + s * j - job.spans[0]
        wide = samples(x, low, (count - 1) * s + job.spans[0] + 1)
        for b in range(job.batch):
            for g in range(groups):
                lines = wide[b, g * per: (g + 1) * per]
                sums: list[np.ndarray] = []
                for number, ((a, z), W) in enumerate(zip(parts, matrices, strict=True), 1):
                    sums.append(_product(lines, W[g], a, z, count, s, d))
                    for _ in range((number & -number).bit_length() - 1):  # as a binary counter carries
                        last = sums.pop()
                        sums[-1] += last
                y[b, g * each: (g + 1) * each, j: j + count] = sum(sums[1:], sums[0])
    return y


def _apart(job: Job) -> bool:
    """Whether the frames of neighbouring outputs stand so far apart that BLAS takes them in place."""
    return job.channels == job.groups and job.dilation == (1,) and job.stride[0] >= min(EXACT, job.k[0])


def _product(lines: np.ndarray, W: np.ndarray, a: int, z: int, count: int, s: int, d: int) -> np.ndarray:
    """The share of the taps a … z−1 (from the last) in `count` outputs: (m, count)."""
    c, (t, e) = len(lines), lines.strides
    if c == 1 and d == 1 and s >= z - a:
        frames = np.lib.stride_tricks.as_strided(lines[0, a:], (count, z - a), (s * e, e), writeable=False)
        return (frames @ W.T).T
    view = np.lib.stride_tricks.as_strided(lines[:, a * d:], (c, z - a, count), (t, d * e, s * e), writeable=False)
    return W @ (view[:, 0] if z - a == 1 and s == 1 else view.reshape(c * (z - a), count))
