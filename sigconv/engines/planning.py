"""What the chooser would do and why, and kernels that are made ready once and used again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import index
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..errors import SigconvError, among
from . import choose, dense, folded, layered, packed, products, spectral, tiles
from .job import Job
from .methods import METHODS, into, perform, serves
from .single import alone, lone

__all__ = ["Convolver", "Plan", "plan"]


@dataclass(frozen=True)
class Plan:
    """A method, what it is expected to cost, and what the others would.

    `method`: its name; `costs`: nanoseconds for each method that serves, the least first; `why`: a sentence.
    """

    method: str
    costs: dict[str, float]
    why: str

    def __str__(self) -> str:
        return f"{self.method}: {self.why}"


def plan(x: Any, w: Any, *, stride: Any = 1, dilation: Any = 1, groups: int = 1, window: Any = None) -> Plan:
    """Which method `conv` would take for these arrays, and why; of x only shape and type are read.

    >>> print(plan(np.ones((1, 1, 100)), np.ones((1, 1, 5))))
    direct: 480 products, summed as they stand

    Raises `SigconvError` as `conv` does.
    """
    x, w, _ = arrays.pair(arrays.asarray(x), arrays.asarray(w))
    asked = Job.of(x, w, stride, dilation, groups, window)
    job = asked.inside()[0]
    if alone(job) and job.k > job.n:  # the shorter of two lines is the kernel
        job = replace(job, n=job.k, k=job.n)
    if asked.empty or job.empty:
        return Plan("none", {}, "nothing is to be summed")
    taps, kind = arrays.to_numpy(w), arrays.to_numpy(x[:0]).dtype.char
    name = choose.choose(taps, job, kind)
    costs = choose.costs(taps, job, kind)
    costs = dict(sorted(costs.items(), key=lambda item: item[1]))
    if choose.brief(job, kind):
        products_ = job.batch * job.filters * job.out[0] * job.terms
        return Plan(name, costs, f"{products_} products, summed as they stand")
    others = [other for other in costs if other != name]
    why = f"about {_time(costs[name])}" if name in costs else "a single tap"
    if others:
        why += f"; next {others[0]}, {_time(costs[others[0]])}"
    return Plan(name, costs, why)


def _time(ns: float) -> str:
    """A time in three digits."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def _matrices(w: np.ndarray, job: Job) -> Any:
    """The matrices of `blocked`, one list a line."""
    return w, [products.prepared(taps[0]) if job.k[0] <= products.HALVES else None for taps in w]


def _blocked(x: np.ndarray, ready: Any, job: Job) -> np.ndarray:
    (w, matrices), y = ready, np.empty(job.shape, x.dtype)
    for b, c in np.ndindex(job.batch, job.channels):
        products.products(x[b, c], w[c, 0], job.first[0], job.stop[0], y[b, c], matrices[c])
    return y


READY: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "blocked": (_matrices, _blocked), "dense": (dense.prepared, dense.mixed), "fft": (spectral.prepared, spectral.mixed),
    "folded": (folded.prepared, folded.run), "layered": (layered.prepared, layered.run), "packed": (packed.prepared, packed.run)}


class Convolver:
    """A kernel made ready for signals of one shape: ``Convolver(w, x.shape, …)(x) == conv(x, w, …)``, its spectra made once.

    `w`: NumPy taps `(m, c/groups, *k)`; `shape`: `(b, c, *n)` of the signals, whose batch may change from call to call; options
    are those of `conv`. `dtype`: of the signals, by default that of the taps. `plan` says which method was taken.

    >>> x, w = np.arange(8.0).reshape(1, 1, 8), np.ones((1, 1, 3))
    >>> smooth = Convolver(w, x.shape)
    >>> smooth(x)
    array([[[ 3.,  6.,  9., 12., 15., 18.]]])

    Raises `SigconvError` as `conv` does, and for signals of another shape or type.
    """

    def __init__(self, w: Array, shape: Sequence[int], *, stride: Any = 1, dilation: Any = 1, groups: int = 1, window: Any = None,
                 method: str = "auto", dtype: Any = None):
        among(method, ("auto", *METHODS), "method")
        given = arrays.to_numpy(arrays.asarray(w))
        try:
            probe = np.broadcast_to(np.zeros((), dtype or given.dtype), (1, *tuple(map(index, shape))[1:]))
        except (TypeError, ValueError):
            what = f"signals of shape {shape!r} and type {dtype!r}"
            raise SigconvError(f"{what}: wanted (b, c, *n) and a type of numbers") from None
        x, taps, _ = arrays.pair(arrays.asarray(probe), given)
        self.w, self.kind = taps.copy(), x.dtype
        self.options = {"stride": stride, "dilation": dilation, "groups": groups, "window": window}
        self.plan = plan(x, self.w, **self.options)
        self.method = self.plan.method if method == "auto" else method
        self._chosen = method == "auto"
        self._ready: tuple[Callable[..., Any], Any] | None = None
        self._asked = Job.of(x, self.w, stride, dilation, groups, window)
        job = self._asked.inside()[0]
        if not (self._asked.empty or job.empty) and job.out == self._asked.out and serves(self.method, job, self.kind.char):
            ways = READY | ({"overlap_save": (tiles.prepared, tiles.mixed)} if len(job.n) == 1 else {})
            if self.method in ways:
                prepare, run = ways[self.method]
                self._ready = run, prepare(self.w, job)
        self._job = job

    def __call__(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The convolution of x, into `out` where it is given."""
        job = self._asked
        if type(x) is not np.ndarray or x.dtype != self.kind or x.shape[1:] != (job.channels, *job.n):
            wanted = ", ".join(map(str, (job.channels, *job.n)))
            raise SigconvError(f"a signal of shape {getattr(x, 'shape', type(x).__name__)} and type {getattr(x, 'dtype', '?')}: "
                               f"wanted (b, {wanted}) of {self.kind}, as the convolver was made for")
        if self._ready and len(x):
            run, ready = self._ready
            y = run(x, ready, replace(self._job, batch=len(x)))
        else:
            y = lone(x, self.w, *self.options.values()) if self._chosen else None
            if y is None:
                y = perform(x, self.w, replace(job, batch=len(x)), self.method if self.method in METHODS else "auto")
        return y if out is None else into(out, y)
