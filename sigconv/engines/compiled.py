"""Filters on lines, planes and volumes by compiled loops (`loops.py`), where numba is worth its load.

numba takes a second to import and make the loops for the first time, half of that later, so it is opened only where some module
of the process has it open already, or where the time that it would have saved so far adds up to its price. A process without
numba, or where it fails, or where $SIGCONV_NUMBA is 0, goes on without: then `loaded` is False, and the chooser has the other
methods. The transforms of `lanes.py` take some seconds more to make, once for a machine: so they wait until they are on the disk
or have repaid that too. Where $SIGCONV_NUMBA is 1 all is opened at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import prod
from threading import Lock, local
from typing import Any

import numpy as np

from ..errors import SigconvError
from .job import Job

__all__ = ["along", "compiled", "cost", "flat", "line", "loaded", "opened", "opened_loop", "passes_cost", "raised", "serves",
           "shut", "transforms"]

PRICE = 3e9  # ns that opening numba and making a loop costs, nothing of it being on the disk
LANES = 6e9  # ns that the transforms cost besides
MOST = 1024  # taps of one sum, which keep the numeric bound
DEEP = 2**17  # samples between the first pass of a volume and the next: they stay in the cache
FILTERS = 4  # that are summed together

_lock, _here = Lock(), local()
_state: dict[str, Any] = {"saved": 0.0, "failed": False, "open": False, "lanes": None}


def loaded(saved: float = 0.0) -> bool:
    """Whether the loops may be called, in a job that would be `saved` ns shorter with them; opens numba where it pays."""
    if getattr(_here, "shut", False):
        return False
    if _state["open"] or _state["failed"]:
        return not _state["failed"]
    with _lock:
        _state["saved"] += max(saved, 0.0)
        wanted = os.environ.get("SIGCONV_NUMBA")
        if "numba" in sys.modules or (_state["saved"] >= PRICE and wanted != "0") or wanted == "1":
            try:
                _loop("line", "f")
                _state.update(open=True, saved=0.0)
            except Exception:  # whatever ails a compiler, the other methods do without
                _state["failed"] = True
    return bool(_state["open"])


def transforms(saved: float = 0.0) -> bool:
    """Whether the transforms may be called, in a job that would be `saved` ns shorter with them; makes them where it pays."""
    if _state["lanes"] or not _state["open"]:
        return bool(_state["open"]) and not _state["failed"]
    with _lock:
        _state["saved"] += max(saved, 0.0)
        if _state["lanes"] is None or _state["saved"] >= LANES:  # at first they are only looked for
            try:
                asked = os.environ.get("SIGCONV_NUMBA") == "1"
                _state["lanes"] = asked or _state["saved"] >= LANES or _on_disk()
            except Exception:
                _state["lanes"] = False
    return bool(_state["lanes"])


def _on_disk() -> bool:
    from . import lanes

    kinds, makers = lanes.signatures("f"), (lanes.spectra, lanes.lines)
    return all(made._cache.load_overload(kinds[made.__name__], made.targetctx) is not None for made in makers)


def opened() -> int:
    """How much of numba may be used: 0, nothing; 1, the loops, which are there, or numba is open; 2, the transforms too."""
    if getattr(_here, "shut", False) or not (_state["open"] or ("numba" in sys.modules and loaded())):
        return 0
    return 1 + transforms()


@contextmanager
def shut() -> Iterator[None]:
    """In here this thread chooses nothing that needs numba: results have the same bits in whatever process."""
    before, _here.shut = getattr(_here, "shut", False), True
    try:
        yield
    finally:
        _here.shut = before


def raised(saved: float) -> bool:
    """Whether jobs that would be shorter by `saved` ns and what was saved before make it worth to open more, which then is."""
    before = opened()
    return (transforms(saved) if before else loaded(saved)) and opened() > before


@lru_cache(maxsize=16)
def _loop(name: str, kind: str) -> Any:
    """One of the loops, made for samples of this kind."""
    from . import lanes, loops, sheets

    home = next(file for file in (loops, lanes, sheets) if name in file.signatures(kind))
    made = getattr(home, name)
    made.compile(home.signatures(kind)[name])
    if home is not loops:
        _state["lanes"] = True
    return made


def opened_loop(name: str, kind: str) -> Any:
    """A loop, made; `SigconvError` where numba fails."""
    try:
        made = _loop(name, kind)
    except Exception as error:
        _state["failed"] = True
        raise SigconvError(f"method 'compiled': numba does not make it ({type(error).__name__}); wanted numba installed and "
                           "working, or method 'auto'") from error
    _state["open"] = True
    return made


def serves(job: Job, kind: str) -> bool:
    """Whether these are filters on real samples, dilation 1, at most `MOST` terms a sum, on lines, or each on one channel at
    stride 1."""
    ones = (1,) * len(job.n)
    return kind in "fd" and job.dilation == ones and job.terms <= MOST \
        and (len(ones) == 1 or (job.channels == job.groups and job.stride == ones))


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about."""
    wide, terms, outputs, each = 1 if kind == "f" else 2, job.terms, prod(job.out), job.filters // job.groups
    if job.stride[0] > 1:  # filters are summed by 64, or 32 of double precision
        size, samples = 64 // wide, (job.out[0] * job.stride[0] + job.k[0]) * terms // job.k[0]
        sums = outputs * (-(-each // size) * size * (0.0095 * terms + 0.03) + 0.35 * each)
        return job.groups * (4e3 + 1.5 * each * terms + job.batch * wide * (sums + 0.1 * samples))
    if _together(job):  # taps are laid out, channels copied, filters summed by four
        per, sums = terms // job.k[0], -(-each // FILTERS) * FILTERS * outputs
        total = 4e3 + 1.5 * each * terms + wide * (sums * (0.1 + 0.0085 * terms) + 0.3 * per * outputs)
        return job.batch * (job.groups * total + job.filters * outputs * _fresh(job, wide))
    if len(job.n) == 1:
        total = 2e3 + outputs * (0.1 + 0.0095 * terms) * wide
    else:  # rows of taps are summed eight at a time, columns one by one
        rows, columns = job.k[-2], terms // job.k[-2]
        lanes = 16 // wide  # a row is one of whole vectors
        outputs = outputs // job.out[-1] * -(-job.out[-1] // lanes) * lanes
        total = 5e3 + 1.1 * outputs * wide * (0.25 + columns * max(rows + 8 * -(-rows // 8), 2 * rows) * 0.0042)
    return job.batch * job.filters * (total + outputs * _fresh(job, wide))


def _together(job: Job) -> bool:
    """Whether outputs of several filters, or from several channels, are made at once."""
    return len(job.n) == 1 and (job.channels > job.groups or job.filters >= FILTERS * job.groups)


def _fresh(job: Job, wide: int) -> float:
    """Nanoseconds an output of a result so large that its pages are new."""
    return 0.35 * wide if 4 * wide * prod(job.shape) > 2**25 else 0.0


def compiled(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution by compiled loops; for jobs that it `serves`."""
    y, each, per = np.empty(job.shape, _native(x)), job.filters // job.groups, job.channels // job.groups
    sizes = [per, *job.n, each, *job.k, *job.first, *job.out, *job.stride, job.batch]
    if job.stride[0] > 1:
        for g in range(job.groups):
            place = np.array([*sizes, g * per * job.n[0], g * each * job.out[0]])
            opened_loop("strided", x.dtype.char)(flat(x), flat(w[g * each: (g + 1) * each]), place, y.reshape(-1))
        return y
    if _together(job):
        loop, place = opened_loop("layer", x.dtype.char), np.array(sizes)
        for b, g in np.ndindex(job.batch, job.groups):
            few = slice(g * each, (g + 1) * each)
            loop(flat(x[b, g * per: (g + 1) * per]), flat(w[few]), place, y[b, few].reshape(-1))
        return y
    rest: Any = job.first[0]
    loop = opened_loop("line" if len(job.n) == 1 else "dense", x.dtype.char)
    if len(job.n) > 1:
        rest = np.array([*_three(job.n), *_three(job.k), *_three(job.first, 0), *_three(job.out)])
    for b, m in np.ndindex(job.batch, job.filters):
        loop(flat(x[b, m // each]), flat(w[m, 0]), rest, y[b, m].reshape(-1))
    return y


def line(x: np.ndarray, h: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Outputs first … stop−1 of the full convolution of a line and its taps."""
    y = np.empty(stop - first, _native(x))
    opened_loop("line", x.dtype.char)(flat(x), flat(h), first, y)
    return y


def passes_cost(job: Job, kind: str) -> float:
    """Nanoseconds of `along` for every filter, about."""
    outputs, wide = prod(job.out), 1 if kind == "f" else 2
    sizes = [prod(job.out[: axis + 1]) * prod(job.n[axis + 1:]) for axis in range(len(job.n))]
    summed = sum(size * 0.013 * k for size, k in zip(sizes, job.k, strict=True))
    moved = 0.3 * outputs + (0.3 * sizes[0] if len(job.n) > 2 else 0)
    start = 2e4 + 20 * prod(job.out[:-1]) + 2e3 * (job.out[0] if len(job.n) > 2 else 0)
    return job.batch * job.filters * (start + (summed + moved) * wide + outputs * _fresh(job, wide))


def along(x: np.ndarray, lines: Sequence[np.ndarray], first: Sequence[int], y: np.ndarray) -> None:
    """One line of taps along each axis of a plane or a volume, outputs first … into y."""
    loop = opened_loop("passes", x.dtype.char)
    if x.ndim == 2:
        loop(flat(x), flat(lines[0]), flat(lines[1]), np.array([*x.shape, *first, *y.shape]), y.reshape(-1))
        return
    n, size, planes = x.shape, prod(x.shape[1:]), min(max(min(16, DEEP // prod(x.shape[1:])), 8), len(y))
    whole, one, h0, h1, h2 = flat(x), np.ones(1, y.dtype), *(flat(h) for h in lines)
    deep, inner = np.empty((planes, size), y.dtype), np.array([*n[1:], *first[1:], *y.shape[1:]])
    for r in range(0, len(y), planes):
        r = min(r, len(y) - planes)
        loop(whole, h0, one, np.array([n[0], size, first[0] + r, 0, planes, size]), deep.reshape(-1))
        for i in range(planes):
            loop(deep[i], h1, h2, inner, y[r + i].reshape(-1))


def _three(values: Sequence[int], other: int = 1) -> tuple[int, int, int]:
    """Of a plane those of a volume of one."""
    return (other, values[0], values[1]) if len(values) < 3 else (values[0], values[1], values[2])


def flat(x: np.ndarray) -> np.ndarray:
    """Its numbers in order, as the loops take them."""
    flags = x.flags
    if not (flags.c_contiguous and flags.aligned and x.dtype.isnative):
        x = np.require(x, _native(x), ["C", "A"])
    return x if x.ndim == 1 else x.reshape(-1)


def _native(x: np.ndarray) -> np.dtype:
    return x.dtype.newbyteorder("=")
