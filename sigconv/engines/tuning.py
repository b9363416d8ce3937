"""Finding out how fast this machine is at each method: a few jobs each, timed, against what the costs say.

The choice needs ratios alone, so the factors are made to have 1 as their geometric mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp, log
from statistics import fmean, median
from time import process_time_ns
from typing import Any

import numpy as np

from .choose import raw
from .job import Job
from .methods import perform

__all__ = ["measured", "tune"]

# (batch, channels, filters, groups, n, k, stride) of what each method is for, and where others come close
LINES = ((1, 1, 1, 1, 3000, 7, 1), (1, 1, 1, 1, 30000, 40, 1), (1, 1, 1, 1, 200000, 25, 1), (1, 1, 1, 1, 200000, 100, 1),
         (1, 1, 1, 1, 60000, 700, 1), (1, 1, 1, 1, 300000, 3000, 1), (1, 1, 1, 1, 4000, 3000, 1), (1, 1, 1, 1, 60000, 30000, 1),
         (4, 1, 32, 1, 8000, 100, 8), (1, 16, 16, 1, 8000, 3, 1), (1, 32, 32, 1, 8000, 17, 1), (1, 1, 16, 1, 20000, 200, 1))
GRIDS = ((1, 1, 1, 1, (300, 300), (5, 5), 1), (1, 1, 1, 1, (300, 300), (21, 21), 1), (1, 1, 1, 1, (40, 40, 40), (5, 5, 5), 1))
FAR = 8  # times the least cost, beyond which a method is not tried on a job
TURNS = 5


def tune(told: Callable[[str], Any] = lambda line: None) -> dict[str, float]:
    """The factor of every method that was timed (see `speeds`), on one thread; `told` hears a line a job. Some seconds."""
    ratios: dict[str, list[float]] = {}
    for job, times, costs in measured():
        for name, spent in times.items():
            ratios.setdefault(name, []).append(log(spent / costs[name]))
        told(f"{job.channels} → {job.filters}, {'×'.join(map(str, job.n))} samples, {'×'.join(map(str, job.k))} taps: "
             f"{min(times, key=times.__getitem__)}")
    logs = {name: fmean(values) for name, values in ratios.items()}
    middle = fmean(logs.values())
    return {name: round(exp(value - middle), 4) for name, value in sorted(logs.items())}


def measured() -> Iterator[tuple[Job, dict[str, float], dict[str, float]]]:
    """Each job, the CPU time of every method that comes into question (ns, median of turns), and what it should cost."""
    rng = np.random.default_rng(0)
    lines = ((*lead, (n,), (k,), stride) for *lead, n, k, stride in LINES)
    every: list[Any] = [*lines, *GRIDS]
    for batch, channels, filters, groups, n, k, stride in every:
        x = rng.standard_normal((batch, channels, *n), dtype=np.float32)
        w = rng.standard_normal((filters, channels // groups, *k), dtype=np.float32)
        job = Job.of(x, w, stride, 1, groups, None)
        costs = raw(w, job, "f")
        least = min(costs.values())
        names = [name for name, cost in costs.items() if cost <= FAR * least]
        spent: dict[str, list[int]] = {name: [] for name in names}
        for turn in range(TURNS + 1):
            for name in names:
                begin = process_time_ns()
                perform(x, w, job, name)
                if turn:
                    spent[name].append(process_time_ns() - begin)
        yield job, {name: max(median(values), 1.0) for name, values in spent.items()}, costs
