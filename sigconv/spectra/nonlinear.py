"""What comes after a bank: functions of each sample (magnitude, power, decibels), and of each channel's own past (PCEN)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from ..spectrum.transform import FRAME
from .block import framewise

__all__ = ["decibels", "log", "magnitude", "pcen", "power", "unit"]

RUN = 64  # frames whose averages are one product of matrices


@framewise
def magnitude(x: Signal) -> Signal:
    """|x|: of complex samples the envelope. Its gradient at 0 is 0.

    >>> import sigconv as sc
    >>> magnitude(sc.Signal([3 + 4j, -2.0], sc.line(2, 1))).data
    array([5., 2.])
    """
    return Signal(abs(_data(x, "magnitude")), _timed(x), x.names)


@framewise
def power(x: Signal, exponent: float = 2.0) -> Signal:
    """|x|^exponent, the power by default.

    >>> import sigconv as sc
    >>> power(sc.Signal([3 + 4j, -2.0], sc.line(2, 1))).data
    array([25.,  4.])

    Raises `SigconvError` for an exponent that is not above 0.
    """
    data = _data(x, "power")
    _at_least(exponent, "exponent", 0, strictly=True)
    if exponent != 2:
        return Signal(abs(data) if exponent == 1 else abs(data) ** exponent, _timed(x), x.names)
    if not arrays.is_complex(data):
        return Signal(data * data, x.domain, x.names)
    if arrays.is_tensor(data):
        return Signal(data.real**2 + data.imag**2, _timed(x), x.names)
    y, square = np.square(data.real), np.square(data.imag)
    y += square
    return Signal(y, _timed(x), x.names)


@framewise
def log(x: Signal, floor: float = 1e-6) -> Signal:
    """ln(x + floor), of samples that are not negative.

    >>> import sigconv as sc
    >>> log(sc.Signal([0.0, 1.0], sc.line(2, 1)), 1.0).data.round(3)
    array([0.   , 0.693])

    Raises `SigconvError` for a floor that is not above 0 and complex samples.
    """
    data = _real(x, "log")
    _at_least(floor, "floor", 0, strictly=True)
    return Signal(arrays.namespace(data).log(data + floor), x.domain, x.names)


def decibels(x: Signal, ref: float | Callable[[Any], Any] = 1.0, amin: float = 1e-10, top_db: float | None = 80.0) -> Signal:
    """10·log₁₀ of a power over `ref`, as `librosa.power_to_db` has it.

    Powers below `amin` count as that; `top_db`: no sample lies further below the largest of all (None: any may). `ref`: a
    number, or a function of the samples such as np.max.

    >>> import sigconv as sc
    >>> decibels(sc.Signal([1.0, 0.1, 1e-12], sc.line(3, 1))).data
    array([  0., -10., -80.])

    Raises `SigconvError` for an amin that is not above 0, a top_db below 0, and complex samples.
    """
    data = _real(x, "decibels")
    _at_least(amin, "amin", 0, strictly=True)
    if top_db is not None:
        _at_least(top_db, "top_db", 0)
    xp = arrays.namespace(data)
    if ref is np.max:
        ref = xp.max
    reference = ref(data) if callable(ref) else xp.asarray(abs(ref), dtype=data.dtype)
    offset = 10 * xp.log10(xp.clip(reference, amin, None))
    level = xp.log10(xp.clip(data, amin, None))
    level = 10 * level if arrays.is_tensor(data) else np.multiply(level, 10, out=level)
    if callable(ref) or ref != 1:
        level = level - offset
    if top_db is not None and level.shape and 0 not in level.shape:
        floor = xp.max(level) - top_db
        level = xp.maximum(level, floor) if arrays.is_tensor(data) else np.maximum(level, floor, out=level)
    return Signal(level, x.domain, x.names)


@framewise
def unit(x: Signal, norm: float | None = inf, axis: int = 0) -> Signal:
    """Each frame scaled to `norm` 1 along an axis of Ω: largest magnitude (inf), sum (1), Euclidean (2); None leaves it.

    What is silent stays so (`librosa.util.normalize`).

    >>> import sigconv as sc
    >>> unit(sc.Signal([[1.0, 0.0], [4.0, 0.0]], sc.grid(2, 2))).data
    array([[0.25, 0.  ],
           [1.  , 0.  ]])

    Raises `SigconvError` for a norm that is not above 0.
    """
    data = _data(x, "unit")
    if norm is None:
        return x
    _at_least(norm, "norm", 0, strictly=True)
    xp, along = arrays.namespace(data), len(x.value) + axis % x.domain.ndim
    if not x.domain.size:
        return x
    size = abs(data)
    length = xp.max(size, axis=along, keepdims=True) if norm == inf else \
        xp.sum(size if norm == 1 else size**norm, axis=along, keepdims=True)
    small = length <= float(xp.finfo(length.dtype).tiny) ** (1 if norm == inf else norm)
    length = xp.where(small, xp.ones_like(length), length)
    return Signal(data / (length if norm in (1, inf) else length ** (1 / norm)), x.domain, x.names)


def pcen(x: Signal, *, gain: Any = 0.98, bias: Any = 2.0, power: Any = 0.5, time_constant: float = 0.4, eps: Any = 1e-6,
         b: Any = None) -> Signal:
    """Per-channel energy normalisation along the last axis of Ω, time, as `librosa.pcen` has it.

    ``(S / (eps + M)^gain + bias)^power − bias^power``, with M the average of each channel's past, M(m) = (1 − b)·M(m − 1) +
    b·S(m), 1 before the first frame; b from `time_constant` (s) unless it is given. Power 0 is a logarithm. A divisive
    normalisation by what was heard lately: steady noise goes, onsets stay. Differentiable in S and every parameter. (Wang et
    al., ICASSP 2017.)

    >>> import sigconv as sc
    >>> S = sc.Signal(np.ones((1, 3, 50)), sc.Domain((3, 50), (1, 0.01), 0, ("mel", "s")))
    >>> round(float(pcen(S).data[0, 0, -1]), 4)             # √3 − √2
    0.3178

    Raises `SigconvError` for parameters below 0, an eps or time constant that is not above, a b outside 0 … 1, complex samples.
    """
    data = _real(x, "pcen")
    for name, value in (("gain", gain), ("bias", bias), ("power", power)):
        _at_least(value, name, 0)
    _at_least(eps, "eps", 0, strictly=True)
    _at_least(time_constant, "time_constant", 0, strictly=True)
    if b is None:
        frames = time_constant / float(x.domain.step[-1])
        b = (sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)
    _at_least(b, "b", 0)
    if not (arrays.to_numpy(b) if arrays.is_tensor(b) else b) <= 1:
        raise SigconvError(f"b {b:g}: wanted 0 … 1")
    if not x.domain.size:
        return x
    xp = arrays.namespace(data)
    settled = xp.exp(-gain * xp.log(_averaged(data, b) + eps))
    scaled = data * settled
    if not arrays.is_tensor(power) and float(power) == 0:
        y = xp.log1p(scaled)
    elif not arrays.is_tensor(bias) and float(bias) == 0:
        y = scaled**power
    elif not arrays.is_tensor(power) and float(power) == 0.5:  # the same as below, without a loss in small differences
        y = scaled / ((scaled + bias) ** 0.5 + bias**0.5)
    else:
        y = bias**power * xp.expm1(power * xp.log1p(scaled / bias))
    return Signal(y, x.domain, x.names)


def _averaged(S: Array, b: Any) -> Array:
    """M(m) = (1 − b) M(m − 1) + b S(m) along the last axis, M(−1) = 1, some frames at a time: with what went before as
    one more sample, a product with the matrix of the impulse response, T[i, m] = b (1 − b)^(m − i)."""
    n = min(RUN, S.shape[-1])
    lag = np.arange(n) - np.arange(-1, n)[:, None]  # row 0: what went before
    xp, (share, steps, weight) = arrays.constants(b, np.maximum(lag, 0), np.where(lag < 0, 0.0, 1.0))
    T = (1 - share) ** steps * weight
    T = xp.concat([T[:1], T[1:] * share], axis=0)
    T, xp = arrays.like(T, S), arrays.namespace(S)
    before, parts = xp.ones_like(S[..., :1]), []
    for a in range(0, S.shape[-1], RUN):
        piece = S[..., a: a + RUN]
        n = piece.shape[-1]
        M = xp.matmul(piece, T[1: n + 1, :n]) + before * T[0, :n]
        before = M[..., -1:]
        parts.append(M)
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-1)


def _timed(x: Signal) -> Domain:
    """The grid of x once no phases are left, by which frames would differ from time."""
    d = x.domain
    if FRAME not in d.name:
        return d
    return Domain(d.shape, d.step, d.start, d.unit, tuple("time" if name == FRAME else name for name in d.name))


def _data(x: Any, what: str) -> Array:
    if not isinstance(x, Signal):
        raise SigconvError(f"{what} of a {type(x).__name__}: wanted a Signal")
    return arrays.computable(x.data)


def _real(x: Any, what: str) -> Array:
    data = _data(x, what)
    if arrays.is_complex(data):
        raise SigconvError(f"{what} of complex samples: wanted real ones, e.g. their power")
    return data


def _at_least(value: Any, name: str, least: float, strictly: bool = False) -> None:
    try:
        number = float(arrays.to_numpy(value) if arrays.is_tensor(value) else value)
    except (TypeError, ValueError):
        raise SigconvError(f"{name} {value!r}: wanted a number") from None
    if not (number > least if strictly else number >= least):
        raise SigconvError(f"{name} {number:g}: wanted {'above' if strictly else 'at least'} {least:g}")
