"""What comes before a bank: what is common to all samples taken out, locally, by its spectrum, or by statistics."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..convolving import convolve
from ..domain import Domain, natural
from ..errors import SigconvError
from ..kernels import gaussian
from ..kernels.registry import number
from ..signal import Signal

__all__ = ["local_contrast", "local_mean", "standardise", "whiten"]


def local_mean(x: Signal, sigma: Any = None) -> Signal:
    """Each sample less the mean about it, a Gaussian of `sigma` in units of the axes (4 steps): subtractive, a high-pass.

    Beyond the edges lies the mirrored signal, so that a constant becomes 0 everywhere.

    >>> import sigconv as sc
    >>> float(abs(local_mean(sc.Signal(np.ones((1, 20)), sc.line(20, 8000))).data).max()) < 1e-12
    True
    """
    return x - _mean(_sampled(x), sigma)


def local_contrast(x: Signal, sigma: Any = None, floor: Any = None) -> Signal:
    """`local_mean`, over the deviation about each sample: divisive, so that faint and strong parts look alike.

    The deviation, over all channels of the last value axis, is at least `floor`, by default its mean over Ω. (Jarrett et al.,
    "What is the best multi-stage architecture for object recognition?", ICCV 2009.)

    >>> import sigconv as sc
    >>> x = sc.Signal(np.random.default_rng(0).normal(size=(1, 400)), sc.line(400, 8000))
    >>> loud = sc.Signal(x.data * 100, x.domain)
    >>> bool(np.allclose(local_contrast(x).data, local_contrast(loud).data))
    True
    """
    v = local_mean(x, sigma)
    xp, lead = arrays.namespace(v.data), len(v.value)
    square = abs(v.data) ** 2
    if lead:
        square = xp.mean(square, axis=lead - 1, keepdims=True)
    power = _mean(Signal(square, v.domain), sigma).data
    deviation = _root(xp.clip(power, 0, None), xp)
    axes = tuple(range(lead, deviation.ndim))
    if not v.domain.size:
        return v
    least = xp.mean(deviation, axis=axes, keepdims=True) if floor is None else xp.full_like(deviation, 1.0) * floor
    size = xp.maximum(deviation, least)
    none = size <= 64 * float(xp.finfo(size.dtype).eps) * _largest(x.data, axes)  # what is left of a constant is rounding
    return Signal(v.data / xp.where(none, xp.ones_like(size), size), v.domain, v.names)


def standardise(x: Signal, over: Sequence[str | int] | None = None, gain: Any = 1.0, offset: Any = 0.0,
                eps: float = 1e-12) -> Signal:
    """gain·(x − μ)/σ + offset, with mean and deviation over the named axes; what is constant becomes `offset`.

    `over`: names of axes of Ω ("time"), axes of the value by index, or "channel", the last of them; None: all of Ω, each
    channel for itself. Gradients pass through μ and σ (batch, layer and instance normalisation are this over different axes).

    Law: over those axes the mean is `offset` and the deviation `gain`, to rounding.

    >>> import sigconv as sc
    >>> y = standardise(sc.Signal([[1.0, 2.0, 3.0]], sc.line(3, 8000)))
    >>> round(float(y.data.mean()), 12), round(float(y.data.std()), 12)
    (0.0, 1.0)

    Raises `SigconvError` for an axis that is not there.
    """
    data = _sampled(x).data
    axes = _axes(x, over)
    xp = arrays.namespace(data)
    if not prod(data.shape):
        return Signal(data, x.domain, x.names)
    centred = data - xp.mean(data, axis=axes, keepdims=True)
    variance = xp.mean(abs(centred) ** 2, axis=axes, keepdims=True)
    none = variance <= eps * _largest(data, axes) ** 2
    y = centred / xp.sqrt(xp.where(none, xp.ones_like(variance), variance))
    y = xp.where(none, xp.zeros_like(y), y)
    return Signal(y * gain + offset, x.domain, x.names)


def whiten(x: Signal, reach: Any = 16, floor: float = 1e-3, kernel: bool = False) -> Signal:
    """x with its own spectrum divided out, so that neighbouring samples are no longer alike: ZCA, as a convolution.

    The filter is 1/√P, P the power spectrum of all channels together, not below `floor` of its largest; it reaches `reach`
    samples (one number or one an axis), is symmetric, so that nothing moves, and keeps the power. `kernel`: the filter itself.

    >>> import sigconv as sc
    >>> n = np.random.default_rng(0).normal(size=(1, 4000))
    >>> pink = sc.convolve(sc.Signal(n, sc.line(4000, 8000)), sc.Signal([0.6, 0.8], sc.line(2, 8000)))
    >>> alike = lambda v: float(np.corrcoef(v[0, :-1], v[0, 1:])[0, 1])
    >>> abs(alike(pink.data)) > 0.4, abs(alike(whiten(pink).data)) < 0.05
    (True, True)

    Raises `SigconvError` for a reach that is not whole and a floor that is not above 0.
    """
    d = _sampled(x).domain
    r = natural(reach, "reach", d.ndim)
    number(floor, "floor", above=0)
    data = arrays.accurate(arrays.computable(arrays.to_numpy(x.data))).reshape(prod(x.value), *d.shape)
    grid = Domain(tuple(2 * v + 1 for v in r), d.step, tuple(-v for v in r), d.unit, d.name)
    k = Signal(_whitener(data, r, floor), grid)
    return k if kernel else convolve(x, k, padding_mode="symmetric" if d.size else "zeros")


def _whitener(data: np.ndarray, reach: tuple[int, ...], floor: float) -> np.ndarray:
    """The taps of 1/√P about 0; P from lags up to four times their reach, under a triangle, so that it is nowhere below 0."""
    far, taps = tuple(4 * v for v in reach), np.zeros(tuple(2 * v + 1 for v in reach))
    taps[reach] = 1.0
    if not data.size or not np.any(data):
        return taps
    wide = tuple(n + v for n, v in zip(data.shape[1:], far, strict=True))
    power = (abs(np.fft.fftn(data, wide, tuple(range(1, data.ndim)))) ** 2).mean(0)
    alike = np.fft.ifftn(power).real
    for axis, (v, n) in enumerate(zip(far, wide, strict=True)):
        lag = np.minimum(np.arange(n), n - np.arange(n))
        alike = alike * np.maximum(1 - lag / (v + 1), 0).reshape(*(-1 if i == axis else 1 for i in range(alike.ndim)))
    size = tuple(4 * v for v in far)
    inner = np.zeros(size)
    inner[_near(far, size)] = alike[_near(far, wide)]
    P = np.fft.fftn(inner).real
    taps = np.fft.ifftn(1 / np.sqrt(np.maximum(P, floor * P.max()))).real[_near(reach, size)]
    about = np.zeros(wide)
    about[_near(reach, wide)] = taps
    return taps * np.sqrt(power.mean() / (power * abs(np.fft.fftn(about)) ** 2).mean())


def _near(reach: tuple[int, ...], size: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """The places about 0 on a circle of `size`."""
    return np.ix_(*(np.arange(-v, v + 1) % n for v, n in zip(reach, size, strict=True)))


def _mean(x: Signal, sigma: Any) -> Signal:
    """The mean about each sample, the mirrored signal beyond the edges."""
    if not x.domain.size:
        return x
    wide = tuple(4 * float(step) for step in x.domain.step) if sigma is None else sigma
    return convolve(x, gaussian(x.domain, wide), padding_mode="symmetric")


def _axes(x: Signal, over: Sequence[str | int] | None) -> tuple[int, ...]:
    lead, d = len(x.value), x.domain
    if over is None:
        return tuple(range(lead, lead + d.ndim))
    found = []
    for name in (over,) if isinstance(over, (str, int)) else over:
        if name == "channel" and lead:
            found.append(lead - 1)
        elif isinstance(name, str) and name in d.name:
            found.append(lead + d.name.index(name))
        elif isinstance(name, int) and not isinstance(name, bool) and 0 <= name < lead:
            found.append(name)
        else:
            known = [*d.name, *(["channel"] if lead else []), *range(lead)]
            raise SigconvError(f"over {name!r}: wanted of {', '.join(map(str, known))}")
    return tuple(sorted(set(found)))


def _largest(data: Array, axes: tuple[int, ...]) -> Array:
    """The largest magnitude over these axes, off the graph."""
    return abs(data).detach().amax(axes, keepdim=True) if arrays.is_tensor(data) else np.max(abs(data), axis=axes, keepdims=True)


def _root(power: Array, xp: Any) -> Array:
    """√ with a gradient of 0 at 0."""
    none = power <= 0
    return xp.where(none, xp.zeros_like(power), xp.sqrt(xp.where(none, xp.ones_like(power), power)))


def _sampled(x: Any) -> Signal:
    if not isinstance(x, Signal):
        raise SigconvError(f"a {type(x).__name__} to be normalised: wanted a Signal")
    return Signal(arrays.computable(x.data), x.domain, x.names)
