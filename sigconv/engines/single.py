"""One filter on one line: where a convolution is short, looking at it costs more than doing it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .. import arrays
from . import compiled, folded, speeds, threads
from . import pocket as fft
from .choose import brief, of_line
from .direct import dotted, summed
from .job import Job
from .products import products
from .spectral import fast_length
from .tiles import cost as tiles_cost
from .tiles import tiles

__all__ = ["alone", "lone"]

MANY = 2**22  # outputs that several threads may make
LARGE = ("packed", "lags")  # methods beside which a look at the job is nothing


def lone(x: Any, w: Any, stride: Any, dilation: Any, groups: Any, window: Any) -> np.ndarray | None:
    """`conv` of real (1, 1, n) with (1, 1, k); None where the job is another, or asks for little of the line."""
    if not (type(x) is np.ndarray is type(w) and x.ndim == 3 == w.ndim and x.dtype.char in "fd"
            and w.dtype.char in "fd" and x.dtype.isnative and w.dtype.isnative
            and type(stride) is type(dilation) is type(groups) is int and stride == dilation == groups == 1):
        return None
    (b, c, n), (m, g, k) = x.shape, w.shape
    if not (b == c == m == g == 1 and n and k):
        return None
    first, stop = (k - 1, n) if window is None else _ends(window)
    if not (0 <= first < stop < n + k and 2 * (stop - first) >= max(n, k)):
        return None
    long, short = x[0, 0], w[0, 0] if w.dtype is x.dtype else w[0, 0].astype(x.dtype)
    if n < k:
        long, short, n, k = short, long, k, n
    name, points, saved = _plan(n, k, first, stop, x.dtype.char, speeds.version(), compiled.opened())
    if name in LARGE or (saved and compiled.raised(saved)) or (stop - first > MANY and name in threads.SERVED):
        return None
    if name == "direct":
        y = summed(long, short, first, stop)
    elif name == "exactly":
        y = summed(arrays.accurate(long), arrays.accurate(short), first, stop).astype(x.dtype)
    elif name == "compiled":
        y = compiled.line(long, short, first, stop)
    elif name == "folded":
        y = folded.line(long, short, first, stop, points)
    elif name == "blocked":
        y = products(long, short, first, stop)
    elif name == "overlap_save":
        y = tiles(long, short, first, stop, points)
    else:
        y = fft.irfft(fft.rfft(long, points) * fft.rfft(short, points), points)[first:stop]
    return y[None, None]


def alone(job: Job) -> bool:
    """Whether this is one filter on one line."""
    return len(job.n) == 1 and job.batch == job.channels == job.filters == 1 and job.stride == job.dilation == (1,)


def _ends(window: Any) -> tuple[int, int]:
    """(first, stop) as typed for a line; nothing that fits where it is not that."""
    try:
        ((first, stop),) = window if isinstance(window[0], (tuple, list)) else (window,)
    except (TypeError, ValueError, LookupError):
        return 0, 0
    return (first, stop) if type(first) is int is type(stop) else (0, 0)


@lru_cache(maxsize=4096)
def _plan(n: int, k: int, first: int, stop: int, kind: str, version: int, opened: int) -> tuple[str, int, float]:
    """The method, the length of its transforms or blocks, and what numba would save (ns)."""
    job = Job(1, 1, 1, 1, (n,), (k,), (1,), (1,), (first,), (stop,))
    name, saved = ("direct", 0.0) if brief(job, kind) else of_line(job, kind, version, opened)
    if name == "direct" and kind == "f" and k > dotted():
        name = "exactly"
    points = {"overlap_save": lambda: tiles_cost(job, kind)[1], "folded": lambda: folded.rows(job, kind)}
    return name, points.get(name, lambda: fast_length(n + k - 1))(), saved
