"""Pools: windows of Ω summed up in one number each, and what of a signal is lost by that.

Windows of `size` samples begin every `stride`; a result stands in the middle of its window, which the Domain keeps exactly, so
that time stamps survive. Kinds, of the samples X of a window:

    mean    Σ X / N                                    max   the largest
    lp      (Σ |X|^p)^(1/p): p = 1 N times the mean of the magnitude, p → ∞ its largest
    rms     (Σ |X|² / N)^(1/2), a follower of envelopes
    lse     (1/b) ln((1/N) Σ e^(bX)): b → 0 the mean, b → ∞ the largest, b < 0 the smallest
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, overload

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain, natural, rational
from ..errors import SigconvError, among
from ..signal import Signal
from .nonlinear import _at_least, _data

__all__ = ["POOLS", "lost", "pool", "unpool"]

_HALF = Fraction(1, 2)
POOLS = ("max", "mean", "lp", "rms", "lse")


@overload
def pool(x: Signal, kind: str = ..., size: Any = ..., stride: Any = ..., *, p: Any = ..., b: Any = ...,
         return_indices: Literal[False] = ...) -> Signal: ...
@overload
def pool(x: Signal, kind: str = ..., size: Any = ..., stride: Any = ..., *, p: Any = ..., b: Any = ...,
         return_indices: Literal[True]) -> tuple[Signal, Array]: ...
def pool(x: Signal, kind: str = "max", size: Any = 2, stride: Any = None, *, p: Any = 2.0, b: Any = 1.0,
         return_indices: bool = False) -> Signal | tuple[Signal, Array]:
    """Windows of `size` samples, one every `stride` (size), each as one number: max, mean, lp, rms or lse (see above).

    `size`, `stride`: a number or one an axis. Only whole windows count. `p` of "lp", `b` of "lse", which may be tensors. Sums
    are scaled by the largest, so no p or b overflows. `return_indices`, of "max": also where in Ω (flat, the first of equals)
    each came from, by which `unpool` puts it back. NumPy or tensors, differentiable, one to three axes.

    >>> import sigconv as sc
    >>> x = sc.Signal([[1.0, 3.0, 2.0, 4.0]], sc.line(4, 1))
    >>> y = pool(x, "max", 2)
    >>> y.data, y.coordinates()
    (array([[3., 4.]]), array([0.5, 2.5]))
    >>> pool(x, "lp", 2, p=1).data, pool(x, "mean", 2).data
    (array([[4., 6.]]), array([[2., 3.]]))

    Raises `SigconvError` for an unknown kind, complex samples of "max" and "lse", a p that is not above 0, indices of other
    kinds.
    """
    data = _data(x, "a pool")
    among(kind, POOLS, "pool")
    if kind in ("max", "lse") and arrays.is_complex(data):
        raise SigconvError(f"pool {kind!r} of complex samples: they have no order; wanted real ones, e.g. their magnitude")
    if return_indices and kind != "max":
        raise SigconvError(f"indices of pool {kind!r}: wanted 'max', which alone chooses a sample")
    d = x.domain
    sizes = natural(size, "size", d.ndim)
    steps = sizes if stride is None else natural(stride, "stride", d.ndim)
    windows = _windows(data, sizes, steps)
    xp = arrays.namespace(data)
    grid = Domain(tuple(windows.shape[len(x.value):-1]), tuple(a * s for a, s in zip(d.step, steps, strict=True)),
                  tuple(rational((a + (n - 1) * _HALF) / s, "start") for a, n, s in zip(d.start, sizes, steps, strict=True)),
                  d.unit, d.name)
    if kind == "max":
        y = xp.max(windows, axis=-1) if not arrays.is_tensor(data) else windows.amax(-1) if not return_indices \
            else windows.max(-1).values
    elif kind == "mean":
        y = xp.mean(windows, axis=-1)
    elif kind == "lse":
        y = _soft(windows, b, xp)
    else:
        y = _norm(abs(windows), 2.0 if kind == "rms" else p, xp)
        y = y / float(np.prod(sizes)) ** 0.5 if kind == "rms" else y
    pooled = Signal(y, grid, x.names)
    return (pooled, _places(windows, d.shape, sizes, steps, xp)) if return_indices else pooled


def unpool(y: Signal, indices: Any, domain: Domain) -> Signal:
    """The samples that "max" chose back in their places on `domain`, zeros elsewhere.

    >>> import sigconv as sc
    >>> x = sc.Signal([[1.0, 3.0, 2.0, 4.0]], sc.line(4, 1))
    >>> y, places = pool(x, "max", 2, return_indices=True)
    >>> unpool(y, places, x.domain).data
    array([[0., 3., 0., 4.]])

    Raises `SigconvError` where the indices are not those of y's samples, or lie outside `domain`.
    """
    data = _data(y, "unpool")
    if not isinstance(domain, Domain) or tuple(indices.shape) != tuple(data.shape):
        raise SigconvError(f"indices of shape {tuple(indices.shape)} for samples of {tuple(data.shape)}: wanted those that pool "
                           "gave, and the domain of the signal before")
    lead, many = y.value, int(np.prod(y.value))
    at = indices.reshape(many, -1)
    if 0 not in at.shape and not 0 <= int(at.min()) <= int(at.max()) < domain.size:
        raise SigconvError(f"indices up to {int(at.max())} on {domain.size} samples: wanted the domain of the signal before")
    if arrays.is_tensor(data):
        whole = data.new_zeros((many, domain.size)).scatter(1, at, data.reshape(many, -1))
    else:
        whole = np.zeros((many, domain.size), data.dtype)
        np.put_along_axis(whole, at, data.reshape(many, -1), 1)
    return Signal(whole.reshape(*lead, *domain.shape), domain, y.names)


def lost(before: Signal, after: Signal) -> float:
    """How strong what is missing is, in dB of what there was: 10·log₁₀(‖before − after‖²/‖before‖²); −inf where nothing is.

    >>> import sigconv as sc
    >>> x = sc.Signal([[1.0, 3.0, 2.0, 4.0]], sc.line(4, 1))
    >>> round(lost(x, unpool(*pool(x, "max", 2, return_indices=True), x.domain)), 2)
    -7.78

    Raises `SigconvError` for signals on different grids.
    """
    rest = arrays.to_numpy((before - after).data)
    whole = float(np.sum(np.abs(arrays.to_numpy(before.data)).astype(float) ** 2))
    missing = float(np.sum(np.abs(rest).astype(float) ** 2))
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(missing / whole)) if missing else -np.inf


def _windows(data: Array, sizes: tuple[int, ...], steps: tuple[int, ...]) -> Array:
    """(*value, *windows, samples of a window)."""
    lead, ndim = data.ndim - len(sizes), len(sizes)
    shape = tuple(max((n - k) // s + 1, 0) if n >= k else 0 for n, k, s in zip(data.shape[lead:], sizes, steps, strict=True))
    if 0 in shape:
        return data[(..., *(slice(0, 0) for _ in sizes))].reshape(*data.shape[:lead], *shape, int(np.prod(sizes)))
    if arrays.is_tensor(data):
        for axis, (k, s) in enumerate(zip(sizes, steps, strict=True)):
            data = data.unfold(lead + axis, k, s)
    else:
        axes = tuple(range(lead, lead + ndim))
        data = np.lib.stride_tricks.sliding_window_view(data, sizes, axis=axes)
        data = data[(..., *(slice(None, None, s) for s in steps), *(slice(None),) * ndim)]
    return data.reshape(*data.shape[: lead + ndim], -1)


def _norm(size: Array, p: Any, xp: Any) -> Array:
    """(Σ size^p)^(1/p), scaled by the largest."""
    _at_least(p, "p", 0, strictly=True)
    most = xp.max(size, axis=-1, keepdims=True) if not arrays.is_tensor(size) else size.detach().amax(-1, keepdim=True)
    most = xp.where(most > 0, most, xp.ones_like(most))
    total = xp.sum((size / most) ** p, axis=-1)
    none = total <= 0
    root = xp.where(none, xp.ones_like(total), total) ** (1 / p)
    return xp.where(none, xp.zeros_like(total), root) * most[..., 0]


def _soft(X: Array, b: Any, xp: Any) -> Array:
    """(1/b) ln((1/N) Σ e^(bX)) about the sample that says most, by log1p and expm1, which keep what a small b leaves."""
    if not arrays.is_tensor(b):
        try:
            b = float(b)
        except (TypeError, ValueError):
            raise SigconvError(f"b {b!r} of pool 'lse': wanted a number") from None
        if b == 0:
            return xp.mean(X, axis=-1)
    up = bool(b > 0)
    end = (xp.max if up else xp.min)(X, axis=-1, keepdims=True) if not arrays.is_tensor(X) \
        else (X.amax if up else X.amin)(-1, keepdim=True).detach()
    return end[..., 0] + xp.log1p(xp.mean(xp.expm1(b * (X - end)), axis=-1)) / b


def _places(windows: Array, shape: tuple[int, ...], sizes: tuple[int, ...], steps: tuple[int, ...], xp: Any) -> Array:
    """The flat index in Ω of the first largest sample of each window."""
    best = arrays.to_numpy(xp.argmax(windows, axis=-1))
    counts = best.shape[best.ndim - len(shape):]
    flat = np.zeros(best.shape, np.int64)
    for axis, inner in enumerate(np.unravel_index(best, sizes)):
        begin = np.arange(counts[axis]) * steps[axis]
        begin = begin.reshape(*(-1 if i == axis else 1 for i in range(len(shape))))
        flat = flat * shape[axis] + begin + inner
    if not arrays.is_tensor(windows):
        return flat
    import torch

    return torch.from_numpy(flat).to(windows.device)
