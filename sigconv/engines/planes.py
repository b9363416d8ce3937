"""Planes and volumes of NumPy samples through filters by transforms, whole or in tiles.

As in `spectral`, a transform of F points an axis keeps the outputs first … stop−1 clean where F ≥ stop and F ≥ L − first. What
is saved here is what a transform of all axes at once wastes on zeros, and on outputs that nobody asked for:

- axes are transformed from the last to the first, each as long as it has samples: rows of zeros are never transformed;
- on the way back an axis is cut to its outputs before the next is transformed;
- an axis on which the kernel has one tap is not transformed at all;
- a filter that all channels share is transformed once;
- tiles are as large as cost least, by `cost`: neither so small that most of one is read twice, nor larger than the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import log2, prod

import numpy as np

from . import pocket as fft
from .job import Job
from .spectral import fast_length, spread

__all__ = ["cost", "serves", "tiled", "whole"]

POINT = 0.3  # ns a point, there and back, per log2 of the points; of a plane of real samples in single precision
LARGE = 2**18  # points that leave the cache
CALLS = 3.5e4  # ns of calls for a tile
PARTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)


def serves(job: Job, kind: str) -> bool:
    """Whether these are filters on planes or volumes, each on one channel."""
    return kind in "fdFD" and len(job.n) > 1 and job.channels == job.groups


def cost(job: Job, kind: str) -> tuple[float, tuple[int, ...]]:
    """Nanoseconds, about, and into how many tiles each axis is cut; one of each is the whole."""
    width = {"f": 1.0, "d": 2.0, "F": 2.0, "D": 4.0}[kind]
    return _cost(job, width)


@lru_cache(maxsize=1024)
def _cost(job: Job, width: float) -> tuple[float, tuple[int, ...]]:
    kernels, lines = (job.filters + 1) / 4, job.batch * job.filters
    choices = [PARTS if span else (1,) for span in job.spans]
    best = (float("inf"), (1,) * len(job.n))
    for parts in product(*choices):
        points = tuple(_points(job, axis, part) for axis, part in enumerate(parts))
        size, tiles = prod(points), prod(parts)
        if tiles > 1 and (size < 2**12 or any(part > 1 and p < 2 * span for part, p, span in
                                              zip(parts, points, job.spans, strict=True))):
            continue
        each = size * POINT * log2(size) * (1.35 if size * width > LARGE else 1)
        best = min(best, (each * width * (lines * tiles + kernels) + CALLS * lines * tiles + 3e4, parts))
    return best


def _points(job: Job, axis: int, parts: int) -> int:
    """The transform length of an axis that is cut into so many parts."""
    first, stop, span, n = job.first[axis], job.stop[axis], job.spans[axis], job.n[axis]
    if span == 0:
        return n
    if parts == 1:  # the window on what is read: see `spectral.Tile`
        low, high = job.reads(axis, first, stop)
        return fast_length(max(stop - low, high - low + span - (first - low), span + 1))
    return fast_length(-(-(stop - first) // parts) + span)


def whole(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution by one transform of each plane or volume; for jobs that it `serves`."""
    return _in_parts(x, w, job, (1,) * len(job.n))


def tiled(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution tile by tile, of the size that costs least; for jobs that it `serves`."""
    return _in_parts(x, w, job, cost(job, x.dtype.char)[1])


def _in_parts(x: np.ndarray, w: np.ndarray, job: Job, parts: Sequence[int]) -> np.ndarray:
    points = tuple(_points(job, axis, part) for axis, part in enumerate(parts))
    taps, each = spread(w, job)[:, 0], job.filters // job.groups
    shared = job.filters > 1 and bool((taps == taps[:1]).all())
    spectra = [_forward(h, points, job) for h in (taps[:1] if shared else taps)]
    y = np.empty(job.shape, x.dtype.newbyteorder("="))
    for tile in product(*(list(_cuts(job, axis, part, points[axis])) for axis, part in enumerate(parts))):
        reads, crops, places = (tuple(slice(*cut[i]) for cut in tile) for i in range(3))
        for b, c in np.ndindex(job.batch, job.channels):
            spectrum = _forward(x[(b, c, *reads)], points, job)
            for m in range(c * each, (c + 1) * each):
                here = spectrum * spectra[0 if shared else m]
                y[(b, m, *places)] = _back(here, points, crops, job, x.dtype.kind == "f")
    return y


def _cuts(job: Job, axis: int, parts: int, points: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """For each tile of an axis: the samples that it reads, which of the circular outputs are clean, and where they go."""
    first, stop, span, s = job.first[axis], job.stop[axis], job.spans[axis], job.stride[axis]
    clean = points - span if parts > 1 else stop - first
    for a in range(first, stop, max(clean // s, 1) * s):  # of a stride longer than that its first outputs
        z = min(a + min(max(clean // s, 1) * s, clean), stop)
        low, high = job.reads(axis, a, z)
        yield (low, high), (a - low, z - low, s), ((a - first) // s, -((first - z) // s))


def _forward(data: np.ndarray, points: tuple[int, ...], job: Job) -> np.ndarray:
    """The spectrum, along the axes that the kernel has taps on, from the last to the first."""
    real = data.dtype.kind == "f"
    for axis in reversed(range(len(points))):
        if job.spans[axis]:
            data = (fft.rfft if real else fft.fft)(data, points[axis], axis)
            real = False
    return data


def _back(spectrum: np.ndarray, points: tuple[int, ...], crops: tuple[slice, ...], job: Job, real: bool) -> np.ndarray:
    """The outputs of a spectrum, each axis cut as soon as it is back, from the first to the last."""
    moved = [axis for axis in range(len(points)) if job.spans[axis]]
    for axis, crop in enumerate(crops):
        if axis in moved:
            halved = real and axis == moved[-1]
            spectrum = fft.irfft(spectrum, points[axis], axis) if halved else fft.ifft(spectrum, None, axis)
        spectrum = spectrum[(slice(None),) * axis + (crop,)]
    return spectrum
