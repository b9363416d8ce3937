"""Convolution on plain arrays: a dozen methods, one contract, and the chooser.

Everything above calls `conv`. A method is a function of (x, w, job) and knows nothing of types, modes or grids.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..errors import SigconvError, among
from .job import Job
from .matrix import toeplitz
from .methods import METHODS, into, perform
from .planning import Convolver, Plan, plan
from .single import lone
from .tensors import convolved, held, lines, ready, traced

__all__ = ["METHODS", "Convolver", "Plan", "conv", "plan", "toeplitz_matrix"]


def conv(x: Array, w: Array, *, stride: Any = 1, dilation: Any = 1, groups: int = 1, window: Any = None,
         method: str = "auto", out: Array | None = None) -> Array:
    """True convolution of x `(b, c, *n)` with w `(m, c/groups, *k)`, giving `(b, m, *o)`; 1 to 3 axes.

    ``y[b, m, j] = Σ_c Σ_k w[m, c, k] · x[b, c, first + stride·j − dilation·k]``, samples outside x being zero.

    `window`: (first, stop) an axis, in indices of the full convolution (0 … n + (K−1)·dilation − 1; beyond it lie
    zeros); None is the valid part. `stride`, `dilation`: whole numbers, one or one an axis. `groups` as in torch.
    `method`: "auto", or one of `METHODS`. `out`: an array of the result's shape and dtype to write into.

    x decides the type: floats keep theirs (halves are summed in float32), integers and bool become float64, complex taps
    make the result complex. All methods agree within 16 eps · ‖w‖₁ · max|x|; on tensors all are differentiable.

    >>> conv(np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, -1.0]]]), window=(0, 4))
    array([[[ 1.,  1.,  1., -3.]]])

    Raises `SigconvError` for shapes that do not fit, a kernel without taps, an unknown method, taps that require grad on
    a NumPy x, and a method that can't do the job.
    """
    if type(method) is str and method == "auto" and out is None:
        of: Any = lone
        if type(x) is not np.ndarray and arrays.is_tensor(x):
            if _traced(x):
                return traced(x, w, stride, dilation, groups, window)
            of = lines
        y = of(x, w, stride, dilation, groups, window)
        if y is not None:
            return y
    among(method, ("auto", *METHODS), "method")
    x, w, dtype = arrays.pair(_plain(arrays.asarray(x)), _plain(arrays.asarray(w)))
    job = Job.of(x, w, stride, dilation, groups, window)
    if arrays.is_tensor(x) and held(x, w):
        ready()
        y = convolved(x, w, job, method)
    else:
        y = perform(x, w, job, method)
    if y.dtype != dtype:
        y = arrays.namespace(y).astype(y, dtype)
    return y if out is None else into(out, y)


def _plain(x: Array) -> Array:
    """x, unless it is a tensor that holds its numbers in another way than one after another."""
    if arrays.is_tensor(x) and (str(x.layout) != "torch.strided" or x.is_quantized or "float8" in str(x.dtype)):
        raise SigconvError(f"a tensor of layout {x.layout} and type {x.dtype}: wanted a dense one, e.g. x.to_dense()")
    return x


def _traced(x: Any) -> bool:
    import torch

    return torch.compiler.is_compiling()


def toeplitz_matrix(w: Array, n: Any, *, stride: Any = 1, dilation: Any = 1, groups: int = 1, window: Any = None) -> Any:
    """The matrix T of `conv` on signals of n samples an axis: ``conv(x, w).ravel() == T @ x.ravel()`` for one x.

    Sparse (`scipy.sparse.csr_array`) for NumPy taps, dense and differentiable for tensors; refused above 2²⁶ entries.

    >>> toeplitz_matrix(np.array([[[1.0, 2.0]]]), 3).toarray()
    array([[2., 1., 0.],
           [0., 2., 1.]])
    """
    w = arrays.computable(arrays.asarray(w))
    try:
        n = tuple(map(index, n if isinstance(n, (tuple, list)) else (n,)))
        groups = index(groups)
    except TypeError:
        raise SigconvError(f"signals of {n!r} samples in {groups!r} groups: wanted whole numbers") from None
    if min(n, default=0) < 0 or groups < 1:
        raise SigconvError(f"signals of {n} samples in {groups} groups: wanted 0 or more, and at least one group")
    probe = np.broadcast_to(np.zeros(()), (1, (w.shape[1] if len(w.shape) > 1 else 0) * groups, *n))
    return toeplitz(w, Job.of(probe, w, stride, dilation, groups, window))
