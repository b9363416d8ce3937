"""The methods by name, and one of them at work on a job."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..errors import SigconvError
from . import bands, columns, compiled, dense, folded, lags, layered, lowrank, packed, planes, products, threads
from .choose import choose
from .direct import direct
from .job import Job
from .matrix import matrix
from .separable import separable
from .spectral import fft, overlap_save
from .tiles import fits_interleaved, interleaved, overlapped

__all__ = ["METHODS", "NARROW", "into", "perform", "serves"]

METHODS: dict[str, Callable[..., Any]] = {
    "direct": direct, "blocked": products.blocked, "columns": columns.columns, "dense": dense.dense, "lags": lags.lags,
    "packed": packed.packed, "bands": bands.bands,
    "compiled": compiled.compiled, "folded": folded.folded, "layered": layered.layered,
    "separable": separable, "lowrank": lowrank.lowrank,
    "fft": fft, "overlap_save": overlap_save, "matrix": matrix}
NARROW: dict[str, tuple[Callable[[Job, str], bool], str]] = {
    "blocked": (products.fits, "filters, each on its own line of real samples, stride and dilation 1"),
    "columns": (columns.serves, "lines of real samples"),
    "dense": (dense.serves, "lines of single precision, at least 8 channels and filters a group, at most 193 taps, stride and "
                            "dilation 1"),
    "lags": (lags.serves, "lines of real samples, one group, kernels of at least four times as many taps as outputs asked for"),
    "packed": (packed.serves, "filters of 4096 taps and more, each on its own longer line of real samples, stride and dilation "
                              "1, most of whose outputs are wanted"),
    "compiled": (compiled.serves, "filters of real samples, dilation 1, at most 1024 products a sum, in 2D "
                                    "and 3D each on one channel at stride 1"),
    "folded": (folded.serves, "real samples, and kernels of at most four million numbers together, zeros between rows included"),
    "layered": (layered.serves, "lines of real samples, at least 8 channels and filters a group, at most 1024 taps, stride and "
                                "dilation 1"),
    "lowrank": (lowrank.serves, "filters on planes or volumes of real samples, each on one channel"),
    "bands": (bands.serves, "filters, each on its own plane or volume of real samples, stride and dilation 1, at most 64 taps "
                            "down and 64 across")}


def serves(name: str, job: Job, kind: str) -> bool:
    """Whether a method does a job on NumPy arrays of this type."""
    return name not in NARROW or NARROW[name][0](job, kind)


def perform(x: Array, w: Array, asked: Job, method: str) -> Array:
    """The job by this method, or "auto"; arrays of one type that is computed in."""
    job, places = asked.inside()
    if asked.empty or job.empty:
        return _zeros(x, asked.shape)
    array = isinstance(x, np.ndarray)
    if method == "auto":
        name = choose(w, job, x.dtype.char) if array else _portable(job)
    else:
        name = method
    if not (serves(name, job, x.dtype.char) if array else name not in NARROW):
        raise SigconvError(f"method {name!r}: it serves {NARROW[name][1]}{'' if array else ', on the CPU'}; wanted another, or "
                           "'auto'")
    run = _of_arrays(name, x, job) if array else METHODS[name]
    if array and method == "auto" and compiled.opened() and fits_interleaved(x, job) and np.isfinite(x.sum(dtype=np.float64)):
        run, name = _as_one, "auto"  # what is not finite would reach the other lines
    y = threads.in_pieces(run, x, w, job) if array and threads.pays(name, job) else run(x, w, job)
    return y if job.out == asked.out else _embed(y, asked.shape, places)


def _as_one(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """Lines whose samples take turns as one, the taps as far apart as a line's samples are."""
    b = job.batch
    one = Job(1, 1, 1, 1, (job.n[0] * b,), (job.spans[0] * b + 1,), (1,), (1,), (job.first[0] * b,), (job.stop[0] * b,))
    taps = np.zeros((1, 1, *one.k), w.dtype)
    taps[..., :: b * job.dilation[0]] = w
    y = perform(x.transpose(1, 2, 0).reshape(1, 1, -1), taps, one, "auto")
    return y.reshape(-1, b).T[:, None, :: job.stride[0]]


def _of_arrays(name: str, x: np.ndarray, job: Job) -> Callable[..., np.ndarray]:
    """The function that does a job on NumPy arrays."""
    if name == "overlap_save" and len(job.n) == 1:
        return interleaved if job.batch == 2 and fits_interleaved(x, job) else overlapped
    if name in ("fft", "overlap_save") and planes.serves(job, x.dtype.char):
        return planes.whole if name == "fft" else planes.tiled
    return METHODS[name]


def _portable(job: Job) -> str:
    """The method for tensors that NumPy can't read: torch's sums, unless they are long."""
    taps = prod(job.k)
    if taps <= 129 or taps * prod(job.out) <= 1 << 20:
        return "direct"
    return "overlap_save" if prod(job.out) > 16 * taps else "fft"


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


def into(out: Array, y: Array) -> Array:
    """`out`, with y in it; `SigconvError` where it is not of y's shape, type and kind of array, or can't be written."""
    fits = arrays.is_tensor(out) if arrays.is_tensor(y) else isinstance(out, np.ndarray)
    if not fits or out.dtype != y.dtype or tuple(out.shape) != tuple(y.shape):
        kind = getattr(out, "dtype", type(out).__name__)
        raise SigconvError(f"out of shape {tuple(getattr(out, 'shape', ()))} and type {kind}: wanted {tuple(y.shape)} and "
                           f"{arrays.dtype_name(y)}, in the signal's kind of array")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise SigconvError("out that is read-only: wanted an array that can be written")
    if arrays.is_tensor(out) and (out.requires_grad or 0 in out.stride()):
        raise SigconvError("out that requires grad, or is expanded: wanted a plain tensor that can be written")
    out[...] = y
    return out
