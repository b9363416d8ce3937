"""The contenders: ours, and every peer as a function of a task that gives a callable, or None where it can't do the job.

What a peer needs in its own layout or sense (flipped taps, views as tensors, channels last in) is made before the clock starts,
in its favour; what it must do to give the same outputs (zeros at the ends, a loop over lines, one pass an axis) is timed.
Each result is compared with double precision before the race; who computes something else is left out, and said.
scikit-image convolves through `scipy.ndimage`, which runs itself. One-channel sums that would take seconds a turn are not begun.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import prod
from typing import Any

import cv2
import julius
import numpy as np
import scipy.ndimage
import scipy.signal
import torch
import torch.nn.functional as F
import torchaudio.functional
from fft_conv_pytorch import fft_conv
from race_cells import Cell, Task

import sigconv as sc

Run = Callable[[], Any]
torch.set_num_threads(1)
cv2.setNumThreads(1)
cv2.ocl.setUseOpenCL(False)

SLOW = 10**8  # products of a one-channel torch convolution, 10 ns each
LONG = 5 * 10**9  # products of other plain sums
WIDE = 2 * 10**10  # products of a sum over many channels or filters, which is a matrix product


def ours(task: Task, method: str = "auto") -> Run:
    """`sc.engines.conv` from arrays to arrays, one shot."""
    cell, conv, options = task.cell, sc.engines.conv, {"window": task.cell.window, "stride": task.cell.stride, "method": method}
    if cell.interleaved:
        return lambda: np.ascontiguousarray(conv(task.x, task.w, **options)[:, 0].T)
    if cell.grad:
        return graded(task, lambda x, w: conv(x, w, **options), flipped=False)
    x, w = tensors(task, flipped=False) if cell.tensor else (task.x, task.w)
    return lambda: conv(x, w, **options)


def planned(task: Task) -> Run | None:
    """The kernel's part done before."""
    if task.cell.planned is None or not hasattr(sc.engines, "Convolver"):
        return None
    convolver = sc.engines.Convolver(task.w, shape=task.x.shape, window=task.cell.window)
    return lambda: convolver(task.x)


def signals(task: Task) -> Run | None:
    """`sc.convolve` on Signals, for what that costs beyond the arrays."""
    if task.cell.micros is None:
        return None
    x, w = (sc.Signal(v, sc.line(v.shape[-1], 16000)) for v in (task.x[0], task.w[0, 0]))
    return lambda: sc.convolve(x, w, mode="full").data


def tensors(task: Task, flipped: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    axes = tuple(range(2, task.w.ndim))
    w = np.flip(task.w, axes) if flipped else task.w
    return torch.from_numpy(task.x), torch.from_numpy(np.ascontiguousarray(w))


def graded(task: Task, f: Callable[[Any, Any], Any], flipped: bool = True) -> Run:
    """Forward, and backward to both; a peer that correlates flips the taps in the graph, which costs nothing beside."""
    x, w = (t.clone().requires_grad_() for t in tensors(task, flipped=False))
    g = torch.from_numpy(task.seed())

    def run() -> tuple[Any, ...]:
        y = f(x, w.flip(-1) if flipped else w)
        return (y.detach(), *torch.autograd.grad(y, (x, w), g))

    return run


def each_line(task: Task, f: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Run:
    """f on every line, plane or volume with every kernel, into one array; bare where there is one."""
    cell, x, w = task.cell, task.x, task.w
    if cell.batch * cell.filters == 1:
        one, taps = x[0, 0], w[0, 0]
        return lambda: f(one, taps)
    shape = tuple(b - a for a, b in cell.window)

    def run() -> np.ndarray:
        if cell.interleaved:
            y = np.empty((*shape, cell.batch), np.float32).T[:, None]
        else:
            y = np.empty((cell.batch, cell.filters, *shape), np.float32)
        for i in range(cell.batch):
            for j in range(cell.filters):
                y[i, j] = f(x[i, 0], w[j, 0])
        return y if cell.stride == 1 else y[..., ::cell.stride]

    return run


def plain(cell: Cell, limit: int = LONG) -> bool:
    return not cell.tensor and cell.channels == 1 and cell.products <= limit


def numpy_convolve(task: Task) -> Run | None:
    if len(task.cell.n) > 1 or not plain(task.cell):
        return None
    return each_line(task, lambda x, w: np.convolve(x, w, task.cell.mode))


def convolve_auto(task: Task) -> Run | None:
    cell = task.cell
    if not plain(cell, 10**14) or cell.batch * cell.filters > 8:
        return None
    return each_line(task, lambda x, w: scipy.signal.convolve(x, w, cell.mode))


def by_transform(f: Callable[..., np.ndarray]) -> Callable[[Task], Run | None]:
    """fftconvolve and oaconvolve: all lines and kernels in one call, and an axis at a time where taps are separable."""

    def peer(task: Task) -> Run | None:
        cell, (x, w) = task.cell, (task.x, task.w[None, :, 0])
        if not plain(cell, 10**14):
            return None
        if cell.interleaved:
            rows, taps = x[:, 0].T, w[0, 0, :, None]
            return lambda: f(rows, taps, cell.mode, axes=0)
        axes = tuple(range(2, x.ndim))
        if cell.separable:
            taps = [line.reshape([-1 if a == axis else 1 for a in range(x.ndim)])
                    for axis, line in zip(axes, task.lines, strict=True)]
            return lambda: reduce(lambda y, part: f(y, part[1], cell.mode, axes=part[0]), zip(axes, taps, strict=True), x)
        if cell.mode == "same":  # scipy's would be as large as x, which has one line for all filters
            cut: Any = (..., *(slice(a, b, cell.stride) for a, b in cell.window))
            return lambda: f(x, w, axes=axes)[cut]
        return lambda: f(x, w, cell.mode, axes=axes)[..., ::cell.stride]

    return peer


def ndimage(task: Task) -> Run | None:
    cell, nd = task.cell, scipy.ndimage
    if cell.separable:
        def passes(x: np.ndarray, _: np.ndarray) -> np.ndarray:
            for axis, line in enumerate(task.lines):
                x = nd.convolve1d(x, line, axis, mode="constant")
            return x
        return None if cell.tensor else each_line(task, passes)
    if not plain(cell) or cell.mode == "valid":
        return None
    if len(cell.n) > 1:
        return each_line(task, lambda x, w: nd.convolve(x, w, mode="constant"))
    ends = cell.pad[0] - cell.k[0] // 2
    if cell.k[0] % 2 == 0 or ends < 0:
        return None
    return each_line(task, lambda x, w: nd.convolve1d(np.pad(x, ends) if ends else x, w, mode="constant"))


def torch_conv(last: bool) -> Callable[[Task], Run | None]:
    """F.conv1d, 2d, 3d; `last`: as conv2d on channels that lie together."""

    def peer(task: Task) -> Run | None:
        cell, axes = task.cell, len(task.cell.n)
        wide = max(cell.channels, cell.filters) >= 16
        slow = cell.products > (WIDE if wide else SLOW if axes == 1 else LONG)
        if (slow and not (cell.separable and axes == 2)) or cell.interleaved or (last and (axes == 3 or cell.grad)):
            return None
        f, pad = (F.conv1d, F.conv2d, F.conv3d)[axes - 1], cell.pad
        if cell.grad:
            return graded(task, lambda x, w: f(x, w, padding=pad))
        x, w = tensors(task)
        if last and axes == 1:
            if not wide:
                return None
            w = w[:, :, None].contiguous(memory_format=torch.channels_last)
            return lambda: F.conv2d(x[:, :, None].contiguous(memory_format=torch.channels_last), w, stride=(1, cell.stride),
                                    padding=(0, *pad))[:, :, 0]
        if last:
            x, w = (v.contiguous(memory_format=torch.channels_last) for v in (x, w))
        if cell.separable:
            passes = [(torch.from_numpy(line[::-1].copy()).reshape([-1 if a == axis + 2 else 1 for a in range(axes + 2)]),
                       [p if a == axis else 0 for a, p in enumerate(pad)]) for axis, line in enumerate(task.lines)]

            def separable() -> torch.Tensor:
                y = x
                for taps, ends in passes:
                    y = f(y, taps, padding=ends)
                return y
            return separable
        return lambda: f(x, w, stride=cell.stride, padding=pad)

    return peer


def audio(name: str) -> Callable[[Task], Run | None]:
    """torchaudio.functional.convolve and fftconvolve: the full result, cut."""

    def peer(task: Task) -> Run | None:
        cell, f = task.cell, getattr(torchaudio.functional, name)
        slow = cell.products > SLOW if name == "convolve" else prod(cell.n) > 2 * 10**6 or cell.batch * cell.filters > 64
        if len(cell.n) > 1 or cell.channels > 1 or cell.interleaved or slow:
            return None
        if cell.grad:
            return graded(task, lambda x, w: f(x, w, cell.mode), flipped=False)
        x, w = tensors(task, flipped=False)
        return lambda: f(x, w[None, :, 0], cell.mode)[..., ::cell.stride]

    return peer


def julius_conv(task: Task) -> Run | None:
    cell = task.cell
    if len(cell.n) > 1 or cell.interleaved:
        return None
    options = {"stride": cell.stride, "padding": cell.pad[0]}
    if cell.grad:
        return graded(task, lambda x, w: julius.fft_conv1d(x, w, **options))
    x, w = tensors(task)
    return lambda: julius.fft_conv1d(x, w, **options)


def fft_conv_pytorch(task: Task) -> Run | None:
    cell = task.cell
    if cell.channels * cell.filters > 1024 or cell.interleaved or prod(cell.n) * cell.batch * cell.filters > 2 * 10**7:
        return None
    if cell.grad:
        return graded(task, lambda x, w: fft_conv(x, w, padding=cell.pad[0]))
    x, w = tensors(task)
    pad = cell.pad[0] if len(set(cell.pad)) == 1 else tuple(cell.pad)
    return lambda: fft_conv(x, w, stride=cell.stride, padding=pad)


def pedalboard_convolution(task: Task) -> Run | None:
    """It gives as many samples as it gets, so the tail needs zeros; and it scales the taps to a norm of 1/8."""
    cell = task.cell
    if len(cell.n) > 1 or cell.channels * cell.filters > 1 or cell.tensor or cell.mode != "full" or cell.interleaved:
        return None
    from pedalboard import Convolution

    gain = np.float32(8 * np.linalg.norm(task.w))

    def run() -> np.ndarray:
        x = np.pad(task.x[:, 0], ((0, 0), (0, cell.k[0] - 1)))
        return np.multiply(y := Convolution(task.w[0, 0], 1.0, 44100.0).process(x, 44100.0), gain, out=y)

    return run


def opencv(whole: bool) -> Callable[[Task], Run | None]:
    """filter2D and sepFilter2D, plane by plane, or (`whole`) on planes that lie together as channels."""

    def peer(task: Task) -> Run | None:
        cell = task.cell
        if not plain(cell, 10**12) or len(cell.n) > 2 or cell.mode == "valid" or cell.stride > 1 or cell.filters > 64:
            return None
        zero, one = cv2.BORDER_CONSTANT, len(cell.n) == 1
        if (whole and (cell.filters > 1 or not 1 < cell.batch <= 4)) or (cell.interleaved and not whole):
            return None
        flipped = [line[::-1].copy() for line in task.lines]
        taps = [np.ascontiguousarray(np.flip(w[0])).reshape((1, -1) if one else w[0].shape) for w in task.w]
        ends = cell.pad[-1] - cell.k[-1] // 2 if one else 0  # zeros about the line, so that "same" is the full result

        def plane(x: np.ndarray, j: int) -> np.ndarray:
            if flipped:
                return cv2.sepFilter2D(x, -1, flipped[1], flipped[0], borderType=zero)
            if ends:
                x = cv2.copyMakeBorder(x, 0, 0, ends, ends, zero, value=0)
            return cv2.filter2D(x, -1, taps[j], borderType=zero)

        if whole:
            image = np.ascontiguousarray(np.moveaxis(task.x[:, 0], 0, -1))
            image = image[None] if one else image
            return lambda: plane(image, 0)
        images = [v[0][None] if one else v[0] for v in task.x]
        if len(images) * len(taps) == 1:
            return lambda: plane(images[0], 0)

        def run() -> np.ndarray:
            y = np.empty((cell.batch, cell.filters, *(b - a for a, b in cell.window)), np.float32)
            for i, image in enumerate(images):
                for j in range(cell.filters):
                    y[i, j] = plane(image, j)
            return y

        return run

    return peer


PEERS: dict[str, Callable[[Task], Run | None]] = {
    "numpy.convolve": numpy_convolve, "scipy.signal.convolve": convolve_auto, "ndimage": ndimage,
    "fftconvolve": by_transform(scipy.signal.fftconvolve), "oaconvolve": by_transform(scipy.signal.oaconvolve),
    "torch": torch_conv(False), "torch channels last": torch_conv(True), "torchaudio.convolve": audio("convolve"),
    "torchaudio.fftconvolve": audio("fftconvolve"), "julius": julius_conv, "fft-conv": fft_conv_pytorch,
    "pedalboard": pedalboard_convolution, "OpenCV": opencv(False), "OpenCV interleaved": opencv(True)}
