"""The same function at other places: another rate for a sound, by soxr; a rotated, scaled, sheared image, by scipy."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np

from . import arrays
from .domain import Domain, Number, rational
from .errors import SigconvError, among
from .signal import Signal

__all__ = ["resample", "warp"]

MARGIN = 128  # samples of the lower rate at either end, in which the interpolation of a kernel's ends dies away
FAR = 10**7
BEYOND = {"zeros": "constant", "reflect": "mirror", "symmetric": "reflect", "replicate": "nearest", "circular": "grid-wrap"}
QUALITIES = ("QQ", "LQ", "MQ", "HQ", "VHQ")


def resample(x: Signal, rate: Number, *, as_kernel: bool = False, quality: str = "VHQ") -> Signal:
    """The signal at another rate (samples per unit), band-limited, aligned with the original.

    Length ``ceil(n · rate / x.rate)``; the same rate gives x itself. `as_kernel` scales the taps by the old rate over the
    new, so that the kernel's gain at every frequency in Hz is kept (a sum over more taps needs smaller ones), and lets
    the interpolation of its ends ring out, 128 samples of the lower rate on either side. `quality`: one of soxr's "QQ",
    "LQ", "MQ", "HQ", "VHQ". Every sample keeps its position in units.

    >>> import sigconv as sc
    >>> resample(sc.Signal(np.zeros((1, 44100)), sc.line(44100, 44100)), 8000).domain.shape
    (8000,)

    Raises `SigconvError` for signals of more than one axis, rates that are not above 0, and tensors that require grad
    (torchaudio.functional.resample is differentiable).
    """
    if not isinstance(x, Signal):
        raise SigconvError(f"resample of a {type(x).__name__}: wanted a Signal")
    among(quality, QUALITIES, "quality")
    if x.domain.ndim != 1:
        raise SigconvError(f"resample on a signal of {x.domain.ndim} axes: wanted one axis")
    wanted = Fraction(rational(rate, "rate"))
    if wanted <= 0:
        raise SigconvError(f"rate {rate!r}: wanted above 0")
    old = 1 / x.domain.step[0]
    if wanted == old:
        return x
    if arrays.is_tensor(x.data) and x.data.requires_grad:
        raise SigconvError("resample on a tensor that requires grad: no gradient passes; use torchaudio.functional.resample")
    import soxr

    # Positions are kept. With rates in the ratio p/q the grids meet at old indices that are multiples of q, so the
    # signal is begun at the last such index, with zeros, and what comes before its own start is cut off again.
    ratio = wanted / old
    margin = ceil(MARGIN * max(1.0, float(1 / ratio))) if as_kernel else 0
    begin, n = x.domain.start[0] - margin, x.domain.shape[0] + 2 * margin
    common = floor(Fraction(begin) / ratio.denominator) * ratio.denominator
    if begin - common > FAR:
        raise SigconvError(f"resample from {float(old):g} to {float(wanted):g} of a signal that starts at index {begin}: the "
                           "grids do not meet near it; re-base it with .at(0) first")
    padded = x.on(Domain((n + ceil(begin - common),), x.domain.step, common, x.domain.unit)) if common != begin or margin else x
    start, skip = floor(begin * ratio), floor(begin * ratio) - int(common * ratio)
    length = skip + ceil(n * ratio)
    data = arrays.to_numpy(padded.data)
    flat = data.reshape(int(np.prod(x.value)), data.shape[-1])
    parts = (flat.real, flat.imag) if arrays.is_complex(flat) else (flat,)
    new = [np.zeros((len(flat), length), part.dtype if part.dtype in (np.float32, np.float64) else np.float64) for part in parts]
    for rows, part in zip(new, parts, strict=True):
        for row, channel in zip(rows, part, strict=True):
            y = soxr.resample(np.ascontiguousarray(channel, row.dtype), float(old), float(wanted), quality=quality)[:length]
            row[: len(y)] = y
    y = (new[0] if len(new) == 1 else new[0] + 1j * new[1])[:, skip:]
    if as_kernel:
        y *= float(old / wanted)
    grid = Domain((length - skip,), 1 / wanted, start, x.domain.unit, x.domain.name)
    kind = x.data if arrays.dtype_name(x.data).startswith(("float", "complex", "bfloat")) else arrays.computable(x.data)
    return Signal(arrays.like(y.reshape(*data.shape[:-1], length - skip), kind), grid, x.names)


def warp(x: Signal, matrix: Any, *, order: int = 3, padding_mode: str = "zeros") -> Signal:
    """The signal moved by a matrix about the centre of Ω: what stood at p, in units from there, comes to ``matrix @ p``.

    `matrix`: `(axes, axes)`, entries in the order of the axes (y, x): ``[[c, -s], [s, c]]`` rotates from y towards x,
    ``np.diag([2, 2])`` enlarges, ``np.diag([1, -1])`` reflects. `order`: of the interpolating spline, 0 … 5. Same Ω;
    `padding_mode` says what comes in from beyond it. Steps may differ: lengths are those in units.

    >>> import sigconv as sc
    >>> warp(sc.Signal(np.arange(4.0).reshape(2, 2), sc.grid(2, 2)), [[1, 0], [0, -1]], order=1).data
    array([[1., 0.],
           [3., 2.]])

    Raises `SigconvError` for a matrix that is not square, or has no inverse, and for tensors that require grad.
    """
    if not isinstance(x, Signal):
        raise SigconvError(f"warp of a {type(x).__name__}: wanted a Signal")
    among(padding_mode, tuple(BEYOND), "padding_mode")
    n = x.domain.ndim
    try:
        moves = np.asarray(matrix, float)
    except (TypeError, ValueError):
        moves = np.full(0, np.nan)
    if moves.shape != (n, n) or not np.isfinite(moves).all() or np.linalg.matrix_rank(moves) < n:
        raise SigconvError(f"warp by a matrix {np.shape(matrix)} on {n} axes: wanted {n} × {n} finite numbers with an inverse")
    if order not in range(6):
        raise SigconvError(f"order {order!r}: wanted 0 … 5")
    if arrays.is_tensor(x.data) and x.data.requires_grad:
        raise SigconvError("warp on a tensor that requires grad: no gradient passes; use torch.nn.functional.grid_sample")
    from scipy.ndimage import affine_transform

    step, centre = np.array([float(s) for s in x.domain.step]), (np.array(x.domain.shape) - 1) / 2
    back = np.linalg.inv(moves) * step / step[:, None]  # from a sample of the result to the place in x that it is read from
    data = arrays.computable(arrays.to_numpy(x.data))
    flat = data.reshape(int(np.prod(x.value)), *x.domain.shape)
    y = [affine_transform(plane, back, centre - back @ centre, order=order, mode=BEYOND[padding_mode]) if plane.size else plane
         for plane in flat]
    return Signal(arrays.like(np.array(y).reshape(data.shape), arrays.computable(x.data)), x.domain, x.names)
