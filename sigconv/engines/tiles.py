"""Overlap-save on a line, many blocks in one transform.

Outputs are cut into blocks of S = F − (K−1)·d; block j reads the F samples that end with its last one, and of the product of
spectra the first (K−1)·d are folded and thrown away. The frames of neighbouring blocks overlap in memory, so they are a view,
and a batch of them is one call; only at the ends, where zeros are read, is anything copied.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np

from . import pocket as fft
from .job import Job
from .spectral import combined, laid, spread

__all__ = ["cost", "fits_interleaved", "interleaved", "mixed", "overlapped", "prepared", "samples", "tiles"]

CHUNK = 2**17  # samples transformed at a time
# ns a point of batched real transforms there and back, with product and moves, by log2 of their length from 8 on
POINT = (5.2, 4.7, 4.4, 5.6, 5.9, 6.7, 7.0, 9.0, 13.5, 15.0, 26.0)


def cost(job: Job, kind: str = "f") -> tuple[float, int]:
    """Nanoseconds, about, and the length of the transforms."""
    span, outputs = job.spans[0], job.stop[0] - job.first[0]
    lines = job.batch * (job.channels + job.filters) / 2
    least = max((2 * span).bit_length(), 8)
    most = max((outputs + span - 1).bit_length(), least)
    per, each = job.channels // job.groups, {}
    lines *= 1 if per == 1 else 3.5  # of several channels the spectra are laid anew, there and back
    for f in range(least, min(most, least + 5) + 1):
        blocks = ceil(outputs / (2**f - span))
        each[f] = lines * 2**f * POINT[min(f - 8, 10)] * (blocks + max(4 - blocks, 0) / 3)  # few of them are slower, each
        each[f] += 0.35 * job.filters * 2**f * POINT[min(f - 8, 10)]  # the kernel's
        each[f] += 2**f * job.filters * per * (0.05 * job.batch * blocks + 2) if per > 1 else 0
    best = min(each, key=each.__getitem__)
    several = 1.5 if job.filters > 1 or job.batch > 1 else 1.0  # spectra are laid against each other
    return several * each[best] * {"f": 0.45, "d": 0.75, "F": 0.9}.get(kind, 1.5) + 1.5e4, 2**best


def overlapped(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution of NumPy lines in blocks."""
    return mixed(x, prepared(w, job), job)


def prepared(w: np.ndarray, job: Job) -> tuple[np.ndarray, int]:
    """The kernel's spectrum, and the points that it was made for."""
    points = cost(job)[1]
    return laid((fft.rfft if w.dtype.kind == "f" else fft.fft)(spread(w, job), points), job), points


def mixed(x: np.ndarray, ready: tuple[np.ndarray, int], job: Job) -> np.ndarray:
    """The convolution with what was `prepared`."""
    (spectrum, points), together = ready, CHUNK if job.channels == job.groups else 8 * CHUNK
    y = np.empty((job.batch, job.filters, job.stop[0] - job.first[0]), x.dtype)
    if job.batch > 1 and points * max(job.channels, job.filters) * job.batch > together:  # a signal at a time stays in the cache
        for b in range(job.batch):
            _blocks(x[b: b + 1], spectrum, replace(job, batch=1), points, y[b: b + 1])
    else:
        _blocks(x, spectrum, job, points, y)
    return y if job.stride == (1,) else np.ascontiguousarray(y[..., ::job.stride[0]])


def _blocks(x: np.ndarray, spectrum: np.ndarray, job: Job, points: int, y: np.ndarray) -> None:
    """Outputs of stride 1 into y, as many blocks at a time as stay in the cache."""
    span = job.spans[0]
    forward, back = (fft.rfft, fft.irfft) if x.dtype.kind == "f" else (fft.fft, fft.ifft)
    step, (first,), (stop,) = points - span, job.first, job.stop
    blocks = ceil((stop - first) / step)
    together = CHUNK if job.channels == job.groups else 8 * CHUNK  # products of matrices want many rows
    per = max(together // (points * max(job.channels, job.filters) * job.batch), 1)
    for j in range(0, blocks, per):
        count = min(per, blocks - j)
        frames = _frames(x, first + j * step - span, count, step, points)
        part = replace(job, batch=job.batch * count)
        summed = combined(forward(frames, points).reshape(part.batch, job.channels, -1), spectrum, part)
        clean = back(summed, points)[..., span:].reshape(job.batch, count, job.filters, step)
        out = y[..., j * step: (j + count) * step]
        full = out.shape[-1] // step
        if full:
            out[..., : full * step].reshape(job.batch, job.filters, full, step)[...] = clean[:, :full].swapaxes(1, 2)
        if full < count:
            out[..., full * step:] = clean[:, full, :, : out.shape[-1] - full * step]


def fits_interleaved(x: np.ndarray, job: Job) -> bool:
    """Whether these are lines whose samples take turns in memory, under one filter."""
    size = x.itemsize
    return job.batch > 1 and len(job.n) == job.channels == job.filters == 1 and x.dtype.kind == "f" \
        and x.strides[0] == size and x.strides[2] == job.batch * size


def interleaved(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """Two lines as one of complex numbers, left + i·right, which a real filter leaves apart."""
    if not np.isfinite(x.sum(dtype=np.float64)):  # what is not finite would reach the other line
        return overlapped(x, w, job)
    line = x.transpose(1, 2, 0).view(np.result_type(x.dtype, np.complex64))[None, :, :, 0]
    y = overlapped(line, w.astype(line.dtype), replace(job, batch=1))
    return y.view(x.dtype).reshape(1, -1, 2).transpose(2, 0, 1)


def tiles(x: np.ndarray, h: np.ndarray, first: int, stop: int, points: int) -> np.ndarray:
    """The same of one line and one filter, real: outputs first … stop−1 of their full convolution."""
    span = len(h) - 1
    spectrum, step = fft.rfft(h, points), points - span
    blocks, per = -(-(stop - first) // step), max(CHUNK // points, 1)
    y = np.empty(stop - first, x.dtype)
    for j in range(0, blocks, per):
        count = min(per, blocks - j)
        spectra = fft.rfft(_frames(x, first + j * step - span, count, step, points))
        spectra *= spectrum
        clean = fft.irfft(spectra, points)[:, span:]
        out = y[j * step: (j + count) * step]
        full = len(out) // step
        if full:
            out[: full * step].reshape(full, step)[...] = clean[:full]
        if full < count:
            out[full * step:] = clean[full, : len(out) - full * step]
    return y


def _frames(x: np.ndarray, low: int, count: int, step: int, points: int) -> np.ndarray:
    """The samples low … of each block, zeros where there are none: (count, points), or (b, count, c, points)."""
    wide = samples(x, low, (count - 1) * step + points)
    t = wide.strides[-1]
    if x.ndim == 1:
        return np.lib.stride_tricks.as_strided(wide, (count, points), (step * t, t), writeable=False)
    b, c, _ = wide.strides
    return np.lib.stride_tricks.as_strided(wide, (len(x), count, x.shape[1], points), (b, step * t, c, t), writeable=False)


def samples(x: np.ndarray, low: int, need: int) -> np.ndarray:
    """`need` samples of the last axis from `low` on, zeros where there are none."""
    n = x.shape[-1]
    if low >= 0 and low + need <= n:
        return x[..., low: low + need]
    wide = np.zeros((*x.shape[:-1], need), x.dtype)
    a, z = max(low, 0), min(low + need, n)
    wide[..., a - low: max(z, a) - low] = x[..., a: max(z, a)]
    return wide
