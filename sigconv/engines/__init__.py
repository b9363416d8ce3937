"""Convolution on plain arrays: ten methods, one contract, and the chooser.

Everything above calls `conv`. A method is a function of (x, w, job) and knows nothing of types, modes or grids.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..errors import SigconvError, among
from .bands import bands
from .bands import serves as fits_bands
from .choose import choose
from .columns import columns, serves
from .compiled import compiled
from .compiled import serves as fits_loops
from .direct import direct
from .job import Job
from .lowrank import lowrank
from .lowrank import serves as fits_lowrank
from .matrix import matrix, toeplitz
from .planes import serves as fits_planes
from .planes import tiled, whole
from .products import blocked, fits
from .separable import separable
from .single import lone
from .spectral import fft, overlap_save
from .tiles import overlapped

__all__ = ["METHODS", "conv", "toeplitz_matrix"]

METHODS = {"direct": direct, "blocked": blocked, "columns": columns, "bands": bands, "compiled": compiled, "separable": separable,
           "lowrank": lowrank, "fft": fft, "overlap_save": overlap_save, "matrix": matrix}
NARROW = {"bands": (fits_bands, "filters, each on its own plane or volume of real NumPy samples, stride and dilation 1, "
                                "at most 64 taps down and 64 across"),
          "blocked": (fits, "filters, each on its own line of real NumPy samples, stride and dilation 1"),
          "compiled": (fits_loops, "filters of real NumPy samples, each on one channel, stride and dilation 1, "
                                  "at most 1024 taps"),
          "lowrank": (fits_lowrank, "filters on planes or volumes of real NumPy samples, each on one channel"),
          "columns": (serves, "lines of real NumPy samples, at most 64 channels a group")}


def conv(x: Array, w: Array, *, stride: Any = 1, dilation: Any = 1, groups: int = 1, window: Any = None,
         method: str = "auto", out: Array | None = None) -> Array:
    """True convolution of x `(b, c, *n)` with w `(m, c/groups, *k)`, giving `(b, m, *o)`; 1 to 3 axes.

    ``y[b, m, j] = Σ_c Σ_k w[m, c, k] · x[b, c, first + stride·j − dilation·k]``, samples outside x being zero.

    `window`: (first, stop) an axis, in indices of the full convolution (0 … n + (K−1)·dilation − 1; beyond it lie
    zeros); None is the valid part. `stride`, `dilation`: whole numbers, one or one an axis. `groups` as in torch.
    `method`: "auto", "direct", "blocked", "columns", "bands", "compiled", "separable", "lowrank", "fft",
    "overlap_save" or "matrix". `out`: an array of the result's shape and dtype to write into.

    x decides the type: floats keep theirs (halves are summed in float32), integers and bool become float64, complex taps
    make the result complex. All methods agree within 16 eps · ‖w‖₁ · max|x|; on tensors all are differentiable.

    >>> conv(np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, -1.0]]]), window=(0, 4))
    array([[[ 1.,  1.,  1., -3.]]])

    Raises `SigconvError` for shapes that do not fit, a kernel without taps, an unknown method, taps that require grad on
    a NumPy x, and a method that can't do the job.
    """
    if type(method) is str and method == "auto" and out is None:
        y = lone(x, w, stride, dilation, groups, window)
        if y is not None:
            return y
    among(method, ("auto", *METHODS), "method")
    x, w, dtype = arrays.pair(arrays.asarray(x), arrays.asarray(w))
    asked = Job.of(x, w, stride, dilation, groups, window)
    job, places = asked.inside()
    if asked.empty or job.empty:
        # zero times the operands, so that an empty sum keeps type, device and graph
        y = _zeros(x, asked.shape)
    else:
        name = choose(x, w, job) if method == "auto" else method
        if name in NARROW and not (isinstance(x, np.ndarray) and NARROW[name][0](job, x.dtype.char)):
            raise SigconvError(f"method {name!r}: it serves {NARROW[name][1]}; wanted another, or 'auto'")
        if name == "overlap_save" and len(job.n) == 1 and not arrays.is_tensor(x):
            y = overlapped(x, w, job)
        elif name in ("fft", "overlap_save") and isinstance(x, np.ndarray) and fits_planes(job, x.dtype.char):
            y = (whole if name == "fft" else tiled)(x, w, job)
        else:
            y = METHODS[name](x, w, job)
        if job.out != asked.out:
            y = _embed(y, asked.shape, places)
    if y.dtype != dtype:
        y = arrays.namespace(y).astype(y, dtype)
    return y if out is None else _into(out, y)


def toeplitz_matrix(w: Array, n: Any, *, stride: Any = 1, dilation: Any = 1, groups: int = 1, window: Any = None) -> Any:
    """The matrix T of `conv` on signals of n samples an axis: ``conv(x, w).ravel() == T @ x.ravel()`` for one x.

    Sparse (`scipy.sparse.csr_array`) for NumPy taps, dense and differentiable for tensors; refused above 2²⁶ entries.

    >>> toeplitz_matrix(np.array([[[1.0, 2.0]]]), 3).toarray()
    array([[2., 1., 0.],
           [0., 2., 1.]])
    """
    w = arrays.computable(arrays.asarray(w))
    n = (n,) if isinstance(n, int) else tuple(n)
    probe = np.broadcast_to(np.zeros(()), (1, (w.shape[1] if len(w.shape) > 1 else 0) * groups, *n))
    return toeplitz(w, Job.of(probe, w, stride, dilation, groups, window))


def _zeros(x: Array, shape: tuple[int, ...]) -> Array:
    xp = arrays.namespace(x)
    return xp.zeros(shape, dtype=x.dtype, **({} if xp is np else {"device": x.device}))


def _embed(y: Array, shape: tuple[int, ...], places: tuple[tuple[int, int], ...]) -> Array:
    """y among zeros, where its outputs stand among those asked for."""
    if arrays.is_tensor(y):
        from torch.nn.functional import pad

        return pad(y, [v for o, (low, high) in zip(shape[:1:-1], places[::-1], strict=True) for v in (low, o - high)])
    whole = np.zeros(shape, y.dtype)
    inside: Any = (..., *(slice(low, high) for low, high in places))
    whole[inside] = y
    return whole


def _into(out: Array, y: Array) -> Array:
    if type(out) is not type(y) or tuple(out.shape) != tuple(y.shape) or out.dtype != y.dtype:
        kind = getattr(out, "dtype", type(out).__name__)
        raise SigconvError(f"out of shape {tuple(getattr(out, 'shape', ()))} and type {kind}: wanted {tuple(y.shape)} and "
                           f"{arrays.dtype_name(y)}, in the signal's kind of array")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise SigconvError("out that is read-only: wanted an array that can be written")
    out[...] = y
    return out
