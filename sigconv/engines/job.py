"""One convolution on plain arrays, checked and cut to size, as every method gets it.

The full convolution of n samples and K taps pulled d apart has L = n + (K−1)d outputs,

    full[f] = Σ_k w[k] x[f − d·k],        0 ≤ f < L,

and a job asks for f = first, first + s, … below stop, on every axis. Nothing is padded: a method sums the samples that
exist. Outputs that no tap reaches (f outside 0 … L−1) are cut off before a method sees the job, and are zeros after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import prod
from operator import index
from typing import Any

from ..arrays import Array
from ..domain import natural
from ..errors import SigconvError

__all__ = ["Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """Sizes of one convolution: n, k and o are per axis, k counted before dilation, o the outputs asked for."""

    batch: int
    channels: int
    filters: int
    groups: int
    n: tuple[int, ...]
    k: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    first: tuple[int, ...]
    stop: tuple[int, ...]
    out: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        out = tuple([-(-(b - a) // s) for a, b, s in zip(self.first, self.stop, self.stride, strict=True)])
        object.__setattr__(self, "out", out)

    @classmethod
    def of(cls, x: Array, w: Array, stride: Any, dilation: Any, groups: int, window: Any) -> Job:
        """The job that `conv`'s arguments describe; `SigconvError` where shapes and options do not fit."""
        shapes = tuple(x.shape), tuple(w.shape)
        try:
            told = None if window is None else _told(window)
            return _made(*shapes, stride, dilation, groups, told)
        except TypeError:  # what has no hash or is no number: told as it is
            return _read(*shapes, stride, dilation, groups, window)

    @property
    def spans(self) -> tuple[int, ...]:
        """(K−1)·d, the distance from the first tap to the last."""
        return tuple((k - 1) * d for k, d in zip(self.k, self.dilation, strict=True))

    @property
    def full(self) -> tuple[int, ...]:
        """L, the length of the full convolution; 0 for an empty signal."""
        return tuple(n and n + span for n, span in zip(self.n, self.spans, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return (self.batch, self.filters, *self.out)

    @property
    def terms(self) -> int:
        """Products summed in one output, at most."""
        return prod(self.k) * self.channels // self.groups

    @property
    def empty(self) -> bool:
        """Whether nothing is to be summed."""
        return 0 in self.shape or 0 in self.n or not self.channels

    def inside(self) -> tuple[Job, tuple[tuple[int, int], ...]]:
        """The job without the outputs that no tap reaches, and where its outputs stand among ours, (first, stop) an axis."""
        return _inside(self)

    def reads(self, axis: int, first: int, stop: int) -> tuple[int, int]:
        """The samples that outputs first … stop−1 of one axis read: those of f − span … f that exist, and at least one."""
        n = self.n[axis]
        low = min(max(first - self.spans[axis], 0), n - 1)
        return low, max(min(stop, n), low + 1)

    def part(self, first: int, stop: int) -> tuple[Job, slice]:
        """The job of the outputs first … stop−1 of the first axis, on the samples of that axis that they read."""
        low, high = self.reads(0, first, stop)
        return replace(self, n=(high - low, *self.n[1:]), first=(first - low, *self.first[1:]),
                       stop=(stop - low, *self.stop[1:])), slice(low, high)

    def reach(self, axis: int, tap: int) -> tuple[slice, slice]:
        """Which outputs of one axis a tap reaches, and the samples that it gives them: y[left] += w[tap] · x[right]."""
        s, shift = self.stride[axis], self.dilation[axis] * tap
        at = self.first[axis] - shift  # the sample under output 0
        low = max(-(at // s), 0) if at < 0 else 0
        high = min(max(-((at - self.n[axis]) // s), low), self.out[axis])
        return slice(low, max(high, low)), slice(at + s * low, max(at + s * (high - 1) + 1, at + s * low), s)


def _read(x: tuple[int, ...], w: tuple[int, ...], stride: Any, dilation: Any, groups: Any, window: Any) -> Job:
    """The job of arrays of these shapes."""
    ndim = len(x) - 2
    if ndim not in (1, 2, 3) or len(w) != ndim + 2:
        raise SigconvError(f"x of shape {x} and w of shape {w}: wanted (b, c, *n) and "
                           "(m, c/groups, *k) with 1 to 3 axes each")
    batch, channels, *n = x
    filters, per_group, *k = w
    (groups,) = natural(groups, "groups", 1)
    if channels % groups or filters % groups or per_group != channels // groups:
        raise SigconvError(f"w of shape {w} with groups={groups} on {channels} channels: wanted "
                           f"(m, {channels}/groups, *k) with m and {channels} multiples of groups")
    if 0 in k:
        raise SigconvError(f"w of shape {w}: a kernel without taps; wanted at least one")
    strides, dilations = natural(stride, "stride", ndim), natural(dilation, "dilation", ndim)
    spans = [(taps - 1) * d for taps, d in zip(k, dilations, strict=True)]
    if window is None:
        first, stop = tuple(spans), tuple(n)
    else:
        first, stop = _window(window, ndim)
    stop = tuple(max(a, b) for a, b in zip(first, stop, strict=True))
    # a stride beyond the window leaves one output, as the window's length does, and costs no more
    strides = tuple(min(s, max(b - a, 1)) for s, a, b in zip(strides, first, stop, strict=True))
    return Job(batch, channels, filters, groups, tuple(n), tuple(k), strides, dilations, first, stop)


_made = lru_cache(maxsize=1024, typed=True)(_read)


@lru_cache(maxsize=1024)
def _inside(job: Job) -> tuple[Job, tuple[tuple[int, int], ...]]:
    first, stop, places = [], [], []
    for a, b, s, length, o in zip(job.first, job.stop, job.stride, job.full, job.out, strict=True):
        low = min(max(-(a // s), 0) if a < 0 else 0, o)
        high = min(max(-((a - length) // s), low), o)  # outputs a + s·j with a + s·j < length
        first.append(a + s * low)
        stop.append(min(b, length) if high > low else a + s * low)
        places.append((low, high))
    return replace(job, first=tuple(first), stop=tuple(stop)), tuple(places)


def _told(window: Any) -> tuple[Any, ...]:
    return tuple([tuple(map(index, v)) if isinstance(v, (tuple, list)) else index(v) for v in window])


def _window(window: Any, ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(first, stop) an axis as two tuples; a single pair serves a line."""
    try:
        pairs = (window,) if ndim == 1 and not hasattr(window[0], "__len__") else tuple(window)
        first, stop = zip(*((index(a), index(b)) for a, b in pairs), strict=True)
    except (TypeError, ValueError, LookupError):
        pairs = ()
    if len(pairs) != ndim:
        raise SigconvError(f"window {window!r}: wanted (first, stop) for each of {ndim} axes, in indices of the full convolution")
    return first, stop
