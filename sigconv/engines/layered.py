"""Layers of many channels on a line by compiled transforms (`sheets.py`): blocks to frequency, mixed there by products of
matrices, and back.

Blocks are folded as in `folded`, a channel a lane: N = n rows, n complex frequencies, at each of them

    Y[b, m] = Σ_c X[b, c] H[c, m]

for all blocks b at once. Of the complex product one real one is made, rows Re X and Im X of each block by columns [Re H | Im H],
whose four parts are added on the way back: so the kernel is laid out once, as it comes.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from . import compiled
from .direct import EXACT
from .folded import ROWS, scratch, tables
from .job import Job

__all__ = ["cost", "layered", "prepared", "run", "serves"]

LEAST = 8  # channels and filters
MOST = 1024  # taps
LAID = 1 << 24  # numbers of a kernel's matrices
ROOM = 1 << 19  # numbers of products at a time


def serves(job: Job, kind: str) -> bool:
    """Whether this is a layer of real samples on a line, stride and dilation 1, of so many channels that matrices pay."""
    return kind in "fd" and len(job.n) == 1 and job.stride == job.dilation == (1,) and job.k[0] <= MOST \
        and min(job.channels, job.filters) >= LEAST * job.groups and _best(job, kind)[1] > 0


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about."""
    return _best(job, kind)[0]


@lru_cache(maxsize=1024)
def _best(job: Job, kind: str) -> tuple[float, int]:
    """The least cost, and its rows; 0 of them where no block is long enough."""
    best, c, m = (inf, 0), job.channels // job.groups, job.filters // job.groups
    for n in ROWS:
        step = 2 * n - job.spans[0]
        if step < 1 or n * c * 2 * m > LAID:
            continue
        blocks, wide = -(-job.out[0] // step), 1 if kind == "f" else 2
        turn = 0.5 + 0.06 * n.bit_length() / 2
        products = 4 * blocks * n * c * m * 0.014
        each = blocks * (2 * n * (c * turn + m * (turn + 0.3)) + 35 * (c + m)) + products
        best = min(best, (job.groups * wide * (job.batch * each + 2 * n * c * m * (turn + 0.9)) + 2e4 + 300 * n * job.groups, n))
        if blocks == 1:
            break
    return best


def layered(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution; for jobs that it `serves`."""
    return run(x, prepared(w, job), job)


def prepared(w: np.ndarray, job: Job) -> tuple[int, list[np.ndarray]]:
    """The rows of a block, and of every group a matrix (c, 2m) a frequency."""
    n, each, per, kind = _best(job, w.dtype.char)[1], job.filters // job.groups, w.shape[1], w.dtype.char
    matrices, sizes = [], np.array([each, per, job.k[0], n])
    for g in range(job.groups):
        H = np.empty((n, per, 2 * each), w.dtype)
        compiled.opened_loop("laid", kind)(compiled.flat(w[g * each: (g + 1) * each]), sizes, *_tables(n, kind), H.reshape(-1),
                                           scratch(4 * n * 16, w.dtype))
        matrices.append(H)
    return n, matrices


def run(x: np.ndarray, ready: tuple[int, list[np.ndarray]], job: Job) -> np.ndarray:
    """The convolution with what was `prepared`, for as many signals at once."""
    (n, matrices), kind, span, total = ready, x.dtype.newbyteorder("=").char, job.spans[0], job.out[0]
    per, each, step, read = job.channels // job.groups, job.filters // job.groups, 2 * ready[0] - span, min(job.n[0], job.stop[0])
    blocks = -(-total // step)
    together = min(max(ROOM // (4 * n * each), 1), blocks)
    y, room = np.empty((len(x), job.filters, total), kind), np.empty(2 * n * together * (per + 2 * each), kind)
    enter, leave, work = compiled.opened_loop("entered", kind), compiled.opened_loop("left", kind), scratch(4 * n * 16, y.dtype)
    for b, g in np.ndindex(len(x), job.groups):
        lines, out = compiled.flat(x[b, g * per: (g + 1) * per]), y[b, g * each: (g + 1) * each].reshape(-1)
        for j in range(0, blocks, together):
            count = min(together, blocks - j)
            cut = 2 * n * count * per
            X, P = room[:cut], room[cut: cut + 4 * n * count * each]
            begin = job.first[0] - span + j * step
            enter(lines, np.array([per, job.n[0], read, n, begin, step, count]), *_tables(n, kind), X, work)
            _mix(X.reshape(n, 2 * count, per), matrices[g], P.reshape(n, 2 * count, 2 * each))
            leave(P, np.array([each, n, count, span, step, j * step, total]), *_tables(n, kind), out, work)
    return y


def _mix(X: np.ndarray, H: np.ndarray, P: np.ndarray) -> None:
    """P[ν] = X[ν] H[ν], channels summed in parts of at most `EXACT`."""
    np.matmul(X[..., :EXACT], H[:, :EXACT], out=P)
    for a in range(EXACT, X.shape[2], EXACT):
        P += X[..., a: a + EXACT] @ H[:, a: a + EXACT]


def _tables(n: int, kind: str) -> tuple[Any, ...]:
    c, s, _, turns = tables(n, kind)
    return c, s, turns
