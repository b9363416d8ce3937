"""Large jobs in pieces, by a few threads.

Transforms and compiled loops let other threads run, and know of one core only, so the outputs are cut along the first axis, a
piece a thread. Products of matrices have BLAS's own threads and are left to it. Small jobs are not cut: waking a thread that is
not there takes longer, and on a busy machine much longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from .job import Job

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["SERVED", "in_pieces", "pays", "workers"]

PAYS = 2e7  # ns of work that is worth a second thread
SERVED = {"compiled": 0.01, "folded": 0.0, "overlap_save": 0.0}  # methods that know of one core, ns a tap
EACH = 3.0  # ns an output


def pays(name: str, job: Job) -> bool:
    """Whether a job is large enough, by a method that knows of one core."""
    return name in SERVED and prod(job.shape) * (EACH + SERVED[name] * prod(job.k)) >= PAYS


def workers() -> int:
    """How many threads a large job takes: $SIGCONV_THREADS, $OMP_NUM_THREADS, or the cores that the process may use."""
    for name in ("SIGCONV_THREADS", "OMP_NUM_THREADS"):
        told = os.environ.get(name, "").split(",")[0]
        if told.isdigit() and int(told):
            return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # which imports much

    return ThreadPoolExecutor(threads, "sigconv")


def in_pieces(run: Callable[[np.ndarray, np.ndarray, Job], np.ndarray], x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """``run(x, w, job)``, its outputs made piece by piece, by as many threads as there are `workers`."""
    outputs = job.out[0]
    pieces = min(workers(), outputs // (4 * job.k[0]))
    if pieces < 2:
        return run(x, w, job)
    y = np.empty(job.shape, x.dtype)
    ends = [outputs * i // pieces for i in range(pieces + 1)]
    s, first = job.stride[0], job.first[0]

    def piece(i: int) -> None:
        a, b = ends[i], ends[i + 1]
        part, samples = job.part(first + a * s, min(first + b * s, job.stop[0]))
        y[:, :, a:b] = run(x[:, :, samples], w, part)

    list(_pool(workers(), os.getpid()).map(piece, range(pieces)))
    return y
