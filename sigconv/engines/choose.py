"""Which method for which job: what each would cost, and the least.

Every method says in nanoseconds what it costs; the few numbers behind that stand beside it, and `speeds` how this machine differs
from the one that they were measured on. The choice depends on sizes alone, and on which libraries are loaded.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, log2, prod

import numpy as np

from . import bands, columns, compiled, dense, folded, lags, layered, lowrank, packed, planes, products, speeds, tiles
from .direct import EXACT, IN_A_ROW, by_lines, dotted
from .job import Job
from .separable import cost as separable_cost
from .separable import factors
from .spectral import fast_length, tile_points

__all__ = ["brief", "choose", "costs", "line", "of_line", "raw"]

# Nanoseconds for one product summed tap by tap, and for one point of a transform (forward, product, back) per log2 of its length.
DIRECT = {2: 0.9, 3: 0.6}
SPECTRAL = 0.8
LOOK = 4e5  # ns of a job that is worth a look at the rank of its taps
BRIEF, TINY = 50_000, 5_000  # products that are summed as they stand, whole numbers staying whole; where loops serve, that too


def choose(w: np.ndarray, job: Job, kind: str) -> str:
    """The name of the method for a job that is not empty, on NumPy arrays of type `kind` ("f", "d", "F", …)."""
    if prod(job.k) == 1 or brief(job, kind):
        return "direct"
    if len(job.n) == 1:
        return line(job, kind)
    found = costs(w, job, kind)
    return min(found, key=found.__getitem__)


def costs(w: np.ndarray, job: Job, kind: str) -> dict[str, float]:
    """What every method that serves would cost, in nanoseconds."""
    return {name: value * speeds.factor(name) for name, value in raw(w, job, kind).items()}


def raw(w: np.ndarray, job: Job, kind: str) -> dict[str, float]:
    """The same on the machine that the costs were measured on."""
    return _line(job, kind, compiled.opened()) if len(job.n) == 1 else _grid(w, job, kind)


def line(job: Job, kind: str) -> str:
    """The method for a job on lines that is not brief."""
    name, saved = of_line(job, kind, speeds.version(), compiled.opened())
    return of_line(job, kind, speeds.version(), compiled.opened())[0] if saved and compiled.raised(saved) else name


@lru_cache(maxsize=4096)
def of_line(job: Job, kind: str, version: int, opened: int) -> tuple[str, float]:
    """The least of the costs, for this state of the machine's speeds and of numba, and what more of numba would save (ns)."""
    name, least = _least(job, kind, opened)
    return name, max(least - _least(job, kind, 2)[1], 0.0)


def _least(job: Job, kind: str, opened: int) -> tuple[str, float]:
    found = {name: value * speeds.factor(name) for name, value in _line(job, kind, opened).items()}
    name = min(found, key=found.__getitem__)
    return name, found[name]


def brief(job: Job, kind: str) -> bool:
    """Whether to look for a method takes longer than the job."""
    pairs = job.batch * job.filters * job.channels // job.groups
    return len(job.n) == 1 and job.stride == job.dilation == (1,) and pairs <= 16 \
        and pairs * job.out[0] * min(job.k[0], job.n[0]) <= (TINY if compiled.opened() and compiled.serves(job, kind) else BRIEF)


def _line(job: Job, kind: str, opened: int) -> dict[str, float]:
    short, per = min(job.k[0], job.n[0]), job.channels // job.groups
    pairs = job.batch * job.filters * per
    found = {"direct": _direct(job, kind, short, pairs), "overlap_save": tiles.cost(job, kind)[0]}
    whole = fast_length(job.stop[0] - job.first[0] + job.spans[0])
    transforms = job.batch * (job.channels + job.filters) / 2 + job.filters * per / 2
    transforms *= (0.7 if transforms > 1.5 else 1.0) if per == 1 else 2.5
    found["fft"] = 1.5e4 + transforms * whole * max((0.6 if whole < 1 << 20 else 0.75) * log2(whole) - 2, 2.0) * _width(kind)
    if columns.serves(job, kind) and pairs > 1:
        found["columns"] = columns.cost(job, kind)
    if dense.serves(job, kind):
        found["dense"] = dense.cost(job, kind)
    if lags.serves(job, kind):
        found["lags"] = lags.cost(job, kind)
    if packed.serves(job, kind):
        found["packed"] = packed.cost(job, kind)
    if products.fits(job, kind):
        found["blocked"] = products.cost(job, kind)
    if opened and compiled.serves(job, kind):
        found["compiled"] = compiled.cost(job, kind)
    if opened > 1 and folded.serves(job, kind):
        found["folded"] = folded.cost(job, kind)
    if opened > 1 and layered.serves(job, kind):
        found["layered"] = layered.cost(job, kind)
    return found


def _direct(job: Job, kind: str, short: int, pairs: int) -> float:
    """A line at a time by numpy.convolve, or tap by tap, as `direct` will do it."""
    outputs, per = job.out[0], job.channels // job.groups
    if not by_lines(job):
        mixed = 0.03 if per >= 8 else 0.6  # a tap of many channels is a product of matrices
        if job.stride != (1,):
            mixed = 0.3 if per >= 8 else 2.5
        return job.k[0] * (1e4 + mixed * pairs * outputs)
    each = 0.6 + 0.07 * short if short <= 11 else 4 + 0.033 * short + 3 * (short < 20)
    if kind not in "fd":
        each = 2 + 1.5 * short
    elif kind == "f" and (short > dotted() or (per > 1 and job.terms > EXACT)):
        each = 1.5 * each + 2  # in double precision
    if short > IN_A_ROW:
        each += 3 * short / IN_A_ROW
    return pairs * (2e3 + outputs * each)


def _width(kind: str) -> float:
    """How much longer a type takes than single precision."""
    return {"f": 1.0, "d": 1.6, "F": 2.0}.get(kind, 3.2)


def _grid(w: np.ndarray, job: Job, kind: str) -> dict[str, float]:
    known, fast = _known(job, kind)
    found = dict(known)
    worth = min([*found.values(), *(fast.values() if compiled.opened() > 1 else ())]) > LOOK
    if worth and sum(k > 1 for k in job.k) > 1 and prod(job.k) > 9 and factors(w) is not None:
        found["separable"] = separable_cost(job, kind)
    for name, cost in fast.items():  # where numba is open, or what it would save so far is worth opening it
        gain = min(found.values()) - cost
        if compiled.loaded(gain) and (name == "compiled" or compiled.transforms(gain)):
            found[name] = cost
    if worth and "separable" not in found and lowrank.serves(job, kind):
        cost = lowrank.cost(w, job, kind, min(found.values()))
        if cost < inf:
            found["lowrank"] = cost
    return found


@lru_cache(maxsize=4096)
def _known(job: Job, kind: str) -> tuple[dict[str, float], dict[str, float]]:
    """What methods cost that do not ask for the taps: those that are always there, and those that need numba."""
    ndim, taps = len(job.n), prod(job.k)
    found = {"direct": DIRECT[ndim] * job.batch * job.filters * prod(job.out) * job.terms}
    if planes.serves(job, kind):
        spectral, parts = planes.cost(job, kind)
        found["fft" if prod(parts) == 1 else "overlap_save"] = spectral
    else:
        lines = job.batch * (job.channels + job.filters) / 2
        whole = tuple(fast_length(b - a + span) for a, b, span in zip(job.first, job.stop, job.spans, strict=True))
        tile = tile_points(job)
        count = prod(-(-(b - a) // max(p - span, 1)) for a, b, span, p in zip(job.first, job.stop, job.spans, tile, strict=True))
        found |= {"fft": SPECTRAL * (lines + 0.5) * prod(whole) * log2(prod(whole) + 1) + 4e4,
                  "overlap_save": SPECTRAL * lines * count * prod(tile) * log2(prod(tile) + 1) + 6e4 * count}
    if bands.serves(job, kind):
        found["bands"] = bands.cost(job, kind)
    fast = {}
    if compiled.serves(job, kind):
        fast["compiled"] = compiled.cost(job, kind)
    if kind in "fd" and taps > 9 and job.batch * job.filters * prod(job.out) * job.terms > BRIEF and folded.serves(job, kind):
        fast["folded"] = folded.cost(job, kind)
    return found, fast
