"""Kernels with one meaning in any dimension: differences, averages, and the shift."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError
from ..signal import Signal
from .registry import LENGTH, PLAIN, Parameter, centred, family, limit, number, on_grid, one_each, product

__all__ = ["box", "delay", "edge", "gaussian", "identity", "laplace", "sharpen"]

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


@family("shift", formula="δ(t − time); between samples sinc(i − time/step)·hann, 64 taps, sum 1",
        parameters={"time": Parameter(LENGTH, "100 ms or 16 steps", "how late, along the last axis")},
        facts={"dc": 1.0, "delay": "time"})
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
    return Signal(product(_alike([taps for taps, _ in cut])), on_grid(like, [len(t) for t, _ in cut], [a for _, a in cut]))


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


def _alike(factors: list[Array]) -> list[Array]:
    """The factors of a product as one kind of array."""
    lead = next((f for f in factors if arrays.is_tensor(f)), None)
    return factors if lead is None else [f if arrays.is_tensor(f) else arrays.like(f, lead) for f in factors]


@family("gradient", formula="[1, −1] along an axis ⊗ [½, ½] along the others",
        facts={"dc": 0.0, "zero_mean": True, "slope": 6.02, "symmetry": "odd", "norm1": 2.0, "delay": 0.5})
def edge(like: Domain) -> Signal:
    """The gradient, one channel an axis: the difference along it, the mean of neighbours along the others.

    On a line the two taps [1, −1]: value `()`, zero at DC, +6.02 dB an octave, half a sample of delay. In d > 1
    dimensions value `(d,)`, each ``[1, −1] ⊗ [½, ½] ⊗ …``, so that all stand at the same half sample and a ramp of slope 1
    a step gives 1.

    >>> import sigconv as sc
    >>> edge(sc.line(1, 8000)).data, edge(sc.grid(1, 1)).data[0]
    (array([ 1., -1.]), array([[ 0.5,  0.5],
           [-0.5, -0.5]]))
    """
    ndim, grid = like.ndim, on_grid(like, (2,) * like.ndim, (0,) * like.ndim)
    difference, mean = np.array([1.0, -1.0]), np.array([0.5, 0.5])
    if ndim == 1:
        return Signal(difference, grid)
    filters = [product([difference if other == axis else mean for other in range(ndim)]) for axis in range(ndim)]
    return Signal(np.stack(filters), grid, like.name)


@family(formula="Σ over axes of [1, −2, 1]",
        facts={"dc": 0.0, "zero_mean": True, "slope": 12.04, "symmetry": "even", "norm1": "4·axes", "delay": 0.0})
def laplace(like: Domain) -> Signal:
    """The second difference, summed over the axes: what bends.

    Per step squared, as `scipy.ndimage.laplace`.

    >>> import sigconv as sc
    >>> laplace(sc.line(1, 8000)).data
    array([ 1., -2.,  1.])
    """
    return centred(like, _laplace(like.ndim))


def _laplace(ndim: int) -> np.ndarray:
    taps = np.zeros((3,) * ndim)
    taps[(1,) * ndim] = -2.0 * ndim
    for axis in range(ndim):
        for end in (0, 2):
            taps[tuple(end if a == axis else 1 for a in range(ndim))] = 1
    return taps


@family(formula="δ − amount · laplace", parameters={"amount": Parameter(PLAIN, 1.0, "how much of the bend is taken away")},
        facts={"dc": 1.0, "symmetry": "even", "delay": 0.0})
def sharpen(like: Domain, amount: Any = 1.0) -> Signal:
    """What is there, minus `amount` of its second difference: highs up, DC as it was.

    On a line [−a, 1 + 2a, −a]: at rate/2 the gain is 1 + 4a.

    >>> import sigconv as sc
    >>> sharpen(sc.line(1, 8000)).data
    array([-1.,  3., -1.])
    """
    number(amount, "amount")
    bend = _laplace(like.ndim)
    centre = np.zeros_like(bend)
    centre[(1,) * like.ndim] = 1
    _, (a, here, around) = arrays.constants(amount, centre, bend)
    return centred(like, here - a * around)


@family("blur", formula="exp(−i²/2σ²) / Σ, |i| ≤ ⌊4σ + ½⌋",
        parameters={"sigma": Parameter(LENGTH, "2 steps", "standard deviation")},
        facts={"dc": 1.0, "symmetry": "even", "norm1": 1.0, "delay": 0.0})
def gaussian(like: Domain, sigma: Any = None) -> Signal:
    """A soft average: a Gaussian of standard deviation `sigma`.

    `sigma`: in units of the axes, one, or a tuple with one entry an axis; above 0; 2 steps by default. Taps reach to 4σ and
    sum to 1: those of `scipy.ndimage.gaussian_filter`. −3 dB at 0.1325/σ.

    >>> import sigconv as sc
    >>> gaussian(sc.line(1, 8000)).domain.start
    (-8,)
    """
    factors = []
    for s, step, unit in zip(one_each(sigma, like, "sigma"), like.step, like.unit, strict=True):
        s = 2 * float(step) if s is None else s
        radius = int(4 * number(s, "sigma", unit, above=0) / float(step) + 0.5)
        limit((2 * radius + 1,))
        xp, (width, i) = arrays.constants(s, np.arange(-radius, radius + 1.0))
        taps = xp.exp(-0.5 * (i * float(step) / width) ** 2)
        factors.append(taps / xp.sum(taps))
    limit([len(f) for f in factors])
    return centred(like, product(_alike(factors)))


@family("mean", formula="overlap of [i − ½, i + ½] with [−w/2, w/2], over w",
        parameters={"width": Parameter(LENGTH, "3 steps", "how wide, at least one step")},
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
    return centred(like, product(_alike(factors)))
