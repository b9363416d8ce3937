"""Kernels with one meaning in any dimension: nothing, the shift, and the averages."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError
from ..signal import Signal
from .registry import LENGTHS, SHIFTS, Parameter, centred, family, limit, number, on_grid, one_each, product

__all__ = ["box", "delay", "gaussian", "identity"]

NEAR = 1e-9  # steps: closer to a whole number than this is whole
FARTHEST = 2**40  # samples
REACH = 32  # taps of an interpolated delay on either side of it


@family(formula="δ", facts={"dc": 1.0, "symmetry": "even", "norm1": 1.0, "norm2": 1.0, "delay": 0.0})
def identity(like: Domain) -> Signal:
    """Changes nothing: one tap of 1 at 0.

    >>> import sigconv as sc
    >>> identity(sc.line(1, 8000)).data
    array([1.])
    """
    return Signal(np.ones((1,) * like.ndim), on_grid(like, (1,) * like.ndim, (0,) * like.ndim))


LATE = "between samples sinc(i − time/step)·hann, 64 taps, sum 1"


@family("shift", formula={1: f"δ(t − time); {LATE}", 2: f"δ(x − time), along the last axis or by one time an axis; {LATE}",
                          3: f"δ(x − time), along the last axis or by one time an axis; {LATE}"},
        parameters={"time": Parameter(SHIFTS, "100 ms or 16 steps", "how late")}, facts={"dc": 1.0, "delay": "time"})
def delay(like: Domain, time: Any = None) -> Signal:
    """Moves everything by `time`: exact in whole samples, interpolated (windowed sinc) between them.

    `time`: in units of the last axis, or a tuple with one entry an axis. A whole number of samples is one tap of 1 there; a
    fraction, or a tensor (differentiable in it), 64 taps of a sinc under a Hann window around it, scaled to sum 1. On
    seconds 0.1 by default, elsewhere 16 steps.

    >>> import sigconv as sc
    >>> delay(sc.line(1, 8000), 0.001).domain.start
    (8,)
    """
    if time is None:
        time = 0.1 if like.unit[-1] == "s" else 16 * float(like.step[-1])
        time = round(time / float(like.step[-1])) * float(like.step[-1])
    times = one_each(time, like, "time") if isinstance(time, (tuple, list)) else (0.0,) * (like.ndim - 1) + (time,)
    cut = [interpolated(t, float(step), unit) for t, step, unit in zip(times, like.step, like.unit, strict=True)]
    return Signal(product(alike([taps for taps, _ in cut])), on_grid(like, [len(t) for t, _ in cut], [a for _, a in cut]))


def interpolated(time: Any, step: float, unit: str) -> tuple[Array, int]:
    """Taps and first index of a delay along one axis."""
    at = number(time, "time", unit) / step
    if abs(at) > FARTHEST:
        raise UsageError(f"a delay of {at:.3g} samples: wanted at most {FARTHEST}")
    if not arrays.is_tensor(time) and abs(at - round(at)) < NEAR * max(1, abs(at)):
        return np.ones(1), round(at)
    first = floor(at) - REACH + 1
    xp, (late, i) = arrays.constants(time, np.arange(first, first + 2 * REACH))
    far = i - late / step
    taps = xp.sinc(far) * (0.5 + 0.5 * xp.cos(far * (np.pi / REACH)))
    return taps / xp.sum(taps), first


def alike(factors: list[Array]) -> list[Array]:
    """The factors of a product as one kind of array."""
    lead = next((f for f in factors if arrays.is_tensor(f)), None)
    return factors if lead is None else [f if arrays.is_tensor(f) else arrays.like(f, lead) for f in factors]


@family("blur", formula={1: "exp(−i²/2σ²) / Σ, |i| ≤ ⌊4σ + ½⌋", 2: "g ⊗ g, g = exp(−i²/2σ²) / Σ, |i| ≤ ⌊4σ + ½⌋",
                         3: "g ⊗ g ⊗ g, g = exp(−i²/2σ²) / Σ, |i| ≤ ⌊4σ + ½⌋"},
        parameters={"sigma": Parameter(LENGTHS, "2 steps", "standard deviation")},
        facts={"dc": 1.0, "symmetry": "even", "norm1": 1.0, "delay": 0.0})
def gaussian(like: Domain, sigma: Any = None) -> Signal:
    """A soft average: a Gaussian of standard deviation `sigma`.

    `sigma`: in units of the axes, one, or a tuple with one entry an axis; above 0; 2 steps by default. Taps reach to 4σ and
    sum to 1: those of `scipy.ndimage.gaussian_filter`. −3 dB at 0.1325/σ.

    >>> import sigconv as sc
    >>> gaussian(sc.line(1, 8000)).domain.start
    (-8,)
    """
    return centred(like, product(alike([bell(s) for s in sigmas(sigma, like)])))


def sigmas(sigma: Any, like: Domain) -> list[Any]:
    """Standard deviations in steps, one an axis, checked."""
    found = []
    for s, step, unit in zip(one_each(sigma, like, "sigma"), like.step, like.unit, strict=True):
        number(2.0 if s is None else s, "sigma", unit, above=0)
        found.append(2.0 if s is None else s / float(step))
    limit([2 * radius(s) + 1 for s in found])
    return found


def radius(sigma: Any) -> int:
    """How far the taps of a Gaussian reach on either side."""
    return int(4 * number(sigma, "sigma") + 0.5)


def bell(sigma: Any, reach: int | None = None) -> Array:
    """The taps of a Gaussian, sigma in steps: to 4σ, sum 1; zeros from there to `reach`."""
    own = radius(sigma)
    reach = own if reach is None else reach
    inside = np.abs(np.arange(-reach, reach + 1.0)) <= own
    xp, (width, i, here) = arrays.constants(sigma, np.arange(-reach, reach + 1.0), inside)
    taps = xp.exp(-0.5 * (i / width) ** 2) * here
    return taps / xp.sum(taps)


@family("mean", formula={1: "overlap of [i − ½, i + ½] with [−w/2, w/2], over w", 2: "b ⊗ b, b the 1D mean along each axis",
                         3: "b ⊗ b ⊗ b, b the 1D mean along each axis"},
        parameters={"width": Parameter(LENGTHS, "3 steps", "how wide, at least one step")},
        facts={"dc": 1.0, "symmetry": "even", "norm1": 1.0, "delay": 0.0})
def box(like: Domain, width: Any = None) -> Signal:
    """The plain average over exactly `width`, centred.

    `width`: in units of the axes, one, or a tuple with one entry an axis; at least one step; 3 steps by default. An odd number
    of steps is `scipy.ndimage.uniform_filter`; otherwise the two end taps count by the share of them that lies inside, so
    that the width is exact and the taps differentiable in it.

    >>> import sigconv as sc
    >>> (box(sc.line(1, 1), 4).data * 8).tolist()
    [1.0, 2.0, 2.0, 2.0, 1.0]
    """
    factors = []
    for w, step, unit in zip(one_each(width, like, "width"), like.step, like.unit, strict=True):
        w = 3 * float(step) if w is None else w
        steps = number(w, "width", unit, least=float(step) * (1 - NEAR)) / float(step)
        reach = max(ceil((steps - 1) / 2 - NEAR * steps), 0)
        limit((2 * reach + 1,))
        xp, (wide, i) = arrays.constants(w, np.arange(-reach, reach + 1.0))
        wide = wide / float(step)
        taps = xp.clip(wide / 2 + 0.5 - xp.abs(i), 0, 1)
        factors.append(taps / wide)
    limit([len(f) for f in factors])
    return centred(like, product(alike(factors)))
