"""How well a template lines up with every piece of a signal: the cosine of the angle between the two.

A running scalar product ⟨x_t, a⟩ is ‖x_t‖ ‖a‖ cos: divided by the norm of the piece x_t that lies under the template, the cosine
is left. A complex template is a pair: ‖P x_t‖ / ‖x_t‖, P the projection on the plane of its two parts, is the best cosine of any
phase. With the parts made orthonormal first, q = r + i·s, that is |⟨x_t, q⟩| / ‖x_t‖, and its real part the cosine with r.

Products come from the engines, whose error is relative to the loudest sample; local energies are sums where nothing cancels.
So pieces more than 160 dB below the loudest sample are done again without what is louder, and a copy of a
template counts as one at any gain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np

from .. import arrays
from ..convolving import correlate
from ..domain import Domain, natural
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["alignment", "cosines", "energies", "orthonormal", "plain", "summed"]

DEEP = 1e-8  # of the largest sample: pieces of a smaller norm are beyond what one pass of products can tell
SPARSE = 160  # places to a template's length, from which on transforms are cheaper than products
ROOM = 2**22  # samples copied at a time
FLAT = 1e-9  # of a part: what is left of it beside the other, or of a template without its mean, is rounding


def alignment(x: Signal, k: Signal) -> Signal:
    """The cosine between a kernel and every piece of x: ``x ★ k`` over ``‖k‖`` and the norm of the piece under it, in [−1, 1].

    A complex kernel is a pair, the real part and what the imaginary adds to it: the real part of the result is the cosine with
    its real part, the magnitude that with the nearest phase, in [0, 1]. Silence has no direction: 0. A bank `(m,)` or a layer
    `(m, c)` as in `correlate`; a layer's templates lie in all channels at once.

    >>> import sigconv as sc
    >>> k = sc.Signal([1.0, 2.0, -1.0], sc.line(3, 8000))
    >>> x = sc.Signal([0.0, -3.0, -6.0, 3.0, 0.0], sc.line(5, 8000))
    >>> alignment(x, k).data.round(3)
    array([ 0.   , -1.   ,  0.   ,  0.408,  0.   ])

    Raises `SigconvError` where rates or axes disagree, as `correlate` does, and for a complex signal.
    """
    return cosines(plain(x), orthonormal(k))[0]


def plain(x: Signal) -> Signal:
    """A signal of real values in double precision, NumPy."""
    if not isinstance(x, Signal):
        raise SigconvError(f"a {type(x).__name__}: wanted a Signal, e.g. sc.load(path)")
    data = arrays.to_numpy(x.data)
    if np.iscomplexobj(data):
        raise SigconvError("a complex signal: wanted real values; put its parts into channels, or take its magnitude")
    if not np.isfinite(data).all():
        raise SigconvError("a signal with values that are not finite: wanted numbers")
    return Signal(np.asarray(data, dtype=np.float64), x.domain, x.names)


def orthonormal(k: Signal, centred: bool = False) -> Signal:
    """A template, or each of several, as a unit vector or an orthonormal pair; `centred`: after taking its mean away."""
    d, taps = k.domain.ndim, arrays.to_numpy(k.data)
    taps = taps.astype(complex if np.iscomplexobj(taps) else float)
    axes = tuple(range(min(1, taps.ndim - d), taps.ndim))  # of one template, channels included
    if centred:
        taps = taps - taps.mean(tuple(range(taps.ndim - d, taps.ndim)), keepdims=True)
    largest = np.abs(taps).max(axes, keepdims=True, initial=0)
    if not np.isfinite(taps).all() or not (largest > 0).all():
        raise SigconvError("a template without anything in it: wanted finite taps that are not all 0"
                           + ", nor all the same, as their mean is taken away" * centred)
    taps = taps / largest
    first = taps.real / np.maximum(_norm(taps.real, axes), 1e-300)
    if not np.iscomplexobj(taps):
        return Signal(first, k.domain, k.names)
    second = taps.imag - first * np.sum(first * taps.imag, axes, keepdims=True)
    size = _norm(second, axes)
    second = np.where(size > FLAT, second / np.maximum(size, FLAT), 0)
    return Signal(first + 1j * second, k.domain, k.names)


def _norm(a: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return np.sqrt(np.sum(a**2, axes, keepdims=True))


def cosines(x: Signal, unit: Signal, stride: Any = 1, centred: bool = False) -> tuple[Signal, np.ndarray]:
    """The cosines of `plain` x with `orthonormal` templates, and the norms of the pieces, `(*channels, 1, *Ω)` for a bank.

    `centred`: of pieces without their means, channel by channel, given templates that have none.
    """
    joint, d = len(unit.value) == 2, x.domain.ndim
    loudest = float(np.abs(x.data).max(initial=0)) or 1.0
    scaled = Signal(x.data / loudest, x.domain)
    norms = np.sqrt(energies(scaled, unit.domain, stride, joint, centred))
    if unit.value:
        norms = np.expand_dims(norms, norms.ndim - d)
    value, out = (*(x.value[:-1] if joint else x.value), *unit.value[:1]), x.domain.every(stride)
    found, rest, todo = np.zeros((*value, *out.shape), unit.data.dtype), scaled, norms > 0
    while todo.any():
        top = float(np.abs(rest.data).max())
        y = _products(rest * (1 / top) if top != 1 else rest, unit, stride)
        near = todo & (norms > DEEP * top)
        np.divide(y, norms / top if top != 1 else norms, out=found, where=near)
        todo &= ~near
        if todo.any():
            rest = Signal(np.where(np.abs(rest.data) > DEEP * top, 0, rest.data), x.domain)
    if np.iscomplexobj(found):
        found /= np.maximum(np.abs(found), 1)
    else:
        np.clip(found, -1, 1, out=found)
    return Signal(found, out, (*(x.names[:-1] if joint else x.names), *unit.names[:1])), loudest * norms


def _products(x: Signal, unit: Signal, stride: Any) -> np.ndarray:
    """`correlate`, by the engines, or on a line of which few places are asked for as matrix products of the pieces there."""
    n, step = unit.domain.shape[0], natural(stride, "stride", x.domain.ndim)[0]
    if x.domain.ndim > 1 or step == 1 or step * SPARSE < n or not unit.value or not x.data.size:
        return arrays.to_numpy(correlate(x, unit, stride=stride).data)
    joint, places = len(unit.value) == 2, x.domain.every(stride).shape[0]
    wide = x.on(x.domain.needs(unit.domain.reverse())).data
    wide = wide.reshape(-1, unit.value[1] if joint else 1, wide.shape[-1])
    pieces = np.lib.stride_tricks.sliding_window_view(wide, n, -1)[:, :, ::step]  # (rows, c, places, n)
    taps = unit.data.conj().reshape(unit.value[0], -1).T
    found = np.empty((len(wide), unit.value[0], places), unit.data.dtype)
    many = max(ROOM // taps.shape[0], 1)
    for row, first in product(range(len(wide)), range(0, places, many)):
        some = np.moveaxis(pieces[row, :, first: first + many], 0, 1).reshape(-1, taps.shape[0])
        if np.iscomplexobj(taps):
            found.real[row, :, first: first + many] = (some @ taps.real).T
            found.imag[row, :, first: first + many] = (some @ taps.imag).T
        else:
            found[row, :, first: first + many] = (some @ taps).T
    return found.reshape(*(x.value[:-1] if joint else x.value), unit.value[0], places)


def energies(x: Signal, grid: Domain, stride: Any, joint: bool, centred: bool) -> np.ndarray:
    """Σ x² over the piece under a template on `grid`, wherever its origin may lie; `joint`: over channels too."""
    x.domain.agree(grid)
    wide = x.on(x.domain.needs(grid.reverse())).data
    axes = range(len(x.value), wide.ndim)
    total = summed(wide**2, axes, grid.shape)
    if centred:  # Σ (x − m)² = Σ x² − n m²
        spread = total - summed(wide, axes, grid.shape) ** 2 / grid.size
        total = np.where(spread > FLAT * total, spread, 0)
    index: Any = (..., *(slice(None, None, s) for s in natural(stride, "stride", x.domain.ndim)))
    total = total[index]
    return total.sum(len(x.value) - 1) if joint else total


def summed(a: np.ndarray, axes: Iterable[int], counts: Sequence[int]) -> np.ndarray:
    """Sums of `counts` neighbours along each of these axes.

    Sums of 1, 2, 4, … neighbours, each of two of the former, put together as the bits of the count say: nothing is ever
    subtracted, so sums of squares are exact to rounding, and 0 where there is silence.
    """
    for axis, count in zip(axes, counts, strict=True):
        n, done, wide = max(a.shape[axis] - count + 1, 0), 0, 1
        total: Any = None
        while done < count:
            if count & wide:
                part = _cut(a, axis, done, done + n)
                total = part if total is None else total + part
                done += wide
            if done < count:
                a = _cut(a, axis, 0, max(a.shape[axis] - wide, 0)) + _cut(a, axis, wide, None)
                wide *= 2
        a = total
    return a


def _cut(a: np.ndarray, axis: int, first: int, stop: int | None) -> np.ndarray:
    index: Any = (slice(None),) * axis + (slice(first, stop),)
    return a[index]
