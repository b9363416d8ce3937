"""Kernels that are a product of one line an axis, K₁ + K₂ taps of work instead of K₁ · K₂.

A tensor has rank one exactly if it is the outer product of its fibres through any entry p that is not zero,

    w[i, j, …] = w[i, p₂, …] · w[p₁, j, …] · … / w[p]^(d−1),

and through the largest entry the quotient is best conditioned. So the factors are read off, and trusted if their
product differs from w by less than rounding: by at most 4 eps ‖w‖₁, a quarter of the bound on a convolution.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..errors import SigconvError
from .bands import along_last, bands
from .compiled import along as along_axes
from .compiled import loaded, passes_cost
from .compiled import serves as fits_loops
from .direct import EXACT, direct
from .job import Job

__all__ = ["ROUNDING", "cost", "factors", "passed", "separable"]

ROUNDING = 4


def factors(w: np.ndarray) -> list[np.ndarray] | None:
    """Lines (m, c, K_axis), one an axis, whose outer product is w to rounding; None where w (m, c, *k) has none.

    >>> [line.ravel().tolist() for line in factors(np.array([[[[1.0, 2.0], [2.0, 4.0]]]]))]
    [[2.0, 4.0], [0.5, 1.0]]
    """
    lead, k = w.shape[:2], w.shape[2:]
    flat = w.reshape(-1, *k)
    rows = np.arange(len(flat))
    peak = np.unravel_index(np.abs(flat).reshape(len(flat), -1).argmax(1), k)
    top = flat[(rows, *peak)]
    lines = []
    for axis in range(len(k)):
        fibre = flat[(rows[:, None], *(np.arange(k[axis])[None] if a == axis else p[:, None] for a, p in enumerate(peak)))]
        # A filter of zeros has no peak to divide by, and its fibres are zeros already.
        lines.append(fibre / np.where(top == 0, 1, top)[:, None] if axis else fibre)
    rebuilt = lines[0].reshape(-1, k[0], *(1,) * (len(k) - 1))
    for axis, line in enumerate(lines[1:], 1):
        rebuilt = rebuilt * line.reshape(-1, *(k[axis] if a == axis else 1 for a in range(len(k))))
    axes = tuple(range(1, len(k) + 1))
    lost, size = np.abs(flat - rebuilt).sum(axes), np.abs(flat).sum(axes)
    if np.any(lost > ROUNDING * np.finfo(flat.dtype).eps * size):
        return None
    return [line.reshape(*lead, -1) for line in lines]


def separable(x: Array, w: Array, job: Job) -> Array:
    """The convolution axis by axis; `SigconvError` where the kernel is not a product of lines."""
    lines = factors(arrays.to_numpy(w))
    if lines is None:
        raise SigconvError(f"method 'separable' on taps of shape {tuple(w.shape)} that are no product of one line an axis: "
                           "use method='auto'")
    if arrays.is_tensor(w) and w.requires_grad:
        return _with_gradient(lines)(x, w, job)
    return passed(x, lines, job)


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about."""
    return passes_cost(job, kind) if loaded() and _fits_loops(job, kind) else _cost_of_products(job, kind)


def _cost_of_products(job: Job, kind: str) -> float:
    """A pass an axis, of as many samples as it leaves."""
    pairs, size, last = job.batch * job.filters * job.channels // job.groups, list(job.n), len(job.n) - 1
    total = 0.0
    for axis, (k, o) in enumerate(zip(job.k, job.out, strict=True)):
        size[axis] = o
        total += 2.5e4 * prod(size[:axis]) if k > 1 and 0 < axis < last else 0  # of each plane a call
        total += prod(size) * (0.4 if k == 1 else ((k + 32 * -(-k // EXACT)) * 0.014 + 1))
    return pairs * total * (1 if kind == "f" else 2 if kind == "d" else 8) + 5e4


def _fits_loops(job: Job, kind: str) -> bool:
    """Whether compiled loops serve each pass."""
    return len(job.n) > 1 and all(fits_loops(replace(job, k=(k,)), kind) for k in job.k)


def _worth_loops(job: Job, kind: str) -> bool:
    """Whether compiled loops pass, which are loaded here where they repay it."""
    return _fits_loops(job, kind) and loaded(_cost_of_products(job, kind) - passes_cost(job, kind))


def passed(x: Array, lines: list[np.ndarray], job: Job) -> Array:
    """Each pair of a channel and a filter as a channel of its own, one axis after another, then summed over channels."""
    if isinstance(x, np.ndarray) and _worth_loops(job, x.dtype.char):
        whole, each = np.empty(job.shape, x.dtype.newbyteorder("=")), job.filters // job.groups
        for b, m in np.ndindex(job.batch, job.filters):
            along_axes(x[b, m // each], [h[m, 0] for h in lines], job.first, whole[b, m])
        return whole
    xp, per = arrays.namespace(x), job.channels // job.groups
    pairs = job.filters * per
    source = np.arange(pairs) // per // (job.filters // job.groups) * per + np.arange(pairs) % per
    y = x if per == 1 and job.filters == job.channels else xp.take(x, xp.asarray(source, **_device(x)), axis=1)
    ones = (1,) * len(job.n)
    for axis, line in enumerate(lines):

        def along(here: int, other: tuple[int, ...], axis: int = axis) -> tuple[int, ...]:
            return tuple(here if a == axis else v for a, v in enumerate(other))

        size = tuple(y.shape[2:])
        part = Job(job.batch, pairs, pairs, pairs, size, along(job.k[axis], ones), along(job.stride[axis], ones),
                   along(job.dilation[axis], ones), along(job.first[axis], (0,) * len(ones)), along(job.stop[axis], size))
        y = _pass(y, arrays.like(line.reshape(pairs, 1, *part.k), y), part, axis)
    if per == 1:
        return y
    pairs_of = y.reshape(job.batch, job.filters, per, *job.out)
    return xp.astype(xp.sum(arrays.accurate(pairs_of), axis=2), y.dtype) if per > EXACT // 4 else xp.sum(pairs_of, axis=2)


def _pass(x: Array, w: Array, job: Job, axis: int) -> Array:
    """Along one axis; of real NumPy samples by products of matrices."""
    if arrays.is_tensor(x) or x.dtype.char not in "fd" or job.stride[axis] != 1 or job.dilation[axis] != 1 or job.k[axis] < 3:
        return direct(x, w, job)
    last = len(job.n) - 1
    if axis == last:
        lines = [along_last(each, w.reshape(job.filters, -1), job.first[axis], job.stop[axis]) for each in x]
        return np.stack(lines)
    folded = (job.n[axis], prod(job.n[axis + 1:]))
    flat = x.reshape(job.batch, job.channels, -1, *folded)
    y = np.empty((*flat.shape[:3], job.out[axis], folded[1]), x.dtype)
    k, first, stop = job.k[axis], job.first[axis], job.stop[axis]
    many = -(-k // EXACT) if x.dtype.char == "f" else 1  # single precision sums so many taps within the bound
    for a, z in pairwise(k * i // many for i in range(many + 1)):
        part = Job(1, 1, 1, 1, folded, (z - a, 1), (1, 1), (1, 1), (first - a, 0), (stop - a, folded[1]))
        for b, c, i in np.ndindex(*flat.shape[:3]):
            share = bands(flat[b, c, i][None, None], w[c].reshape(1, 1, -1, 1)[:, :, a:z], part)[0, 0]
            y[b, c, i] = share if not a else y[b, c, i] + share
    return y.reshape(job.shape)


def _device(x: Array) -> dict[str, Any]:
    return {"device": x.device} if arrays.is_tensor(x) else {}


def _with_gradient(lines: list[np.ndarray]) -> Any:
    """The passes forward; backward the definition's gradient, since lines read off w would give only theirs."""
    import torch

    class Separable(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any, job: Job) -> Any:
            ctx.save_for_backward(x, w)
            ctx.job = job
            return passed(x, lines, job)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            wanted = [v for v, need in zip(ctx.saved_tensors, ctx.needs_input_grad, strict=False) if need]
            create = torch.is_grad_enabled()
            with torch.enable_grad():
                x, w = ctx.saved_tensors
                gradients = iter(torch.autograd.grad(direct(x, w, ctx.job), wanted, grad, create_graph=create))
            return *(next(gradients) if need else None for need in ctx.needs_input_grad[:2]), None

    return Separable.apply
