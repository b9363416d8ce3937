"""Convolution as a product of spectra, whole (`fft`) or in tiles (`overlap_save`).

A transform of F points convolves in a circle: output f also receives the full convolution's outputs f ± F. Outputs
first … stop−1 stay clean as long as no other output 0 … L−1 folds onto them,

    F ≥ stop    and    F ≥ L − first,

so a window in the middle needs less than L points; for the valid part of n samples F = n will do. Both methods cut the
signal to what their outputs read, and both are the same few lines: `overlap_save` calls them tile by tile with the
kernel's spectrum made once. Real signals take the real transform; F is the next 5-smooth number.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from . import pocket
from .direct import EXACT
from .job import Job

__all__ = ["fast_length", "fft", "overlap_save"]


@lru_cache(maxsize=4096)
def fast_length(n: int) -> int:
    """The least 5-smooth number from n up: 2^a 3^b 5^c, where transforms are fast.

    >>> fast_length(1025), fast_length(7)
    (1080, 8)
    """
    best = 1 << max(n - 1, 0).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            size = three << max(-(-n // three) - 1, 0).bit_length()
            best = min(best, size)
            three *= 3
        five *= 5
    return best


def fft(x: Array, w: Array, job: Job) -> Array:
    """The convolution by one transform of the signal and one of the kernel."""
    return mixed(x, prepared(w, job), job)


def prepared(w: Array, job: Job) -> Array:
    """The kernel's spectrum for `fft`."""
    return laid(transform(spread(w, job), Tile.of(job, job.first, job.stop).points), job)


def mixed(x: Array, spectrum: Array, job: Job) -> Array:
    """`fft` with what was `prepared`."""
    return Tile.of(job, job.first, job.stop).product(x, spectrum, job)


def overlap_save(x: Array, w: Array, job: Job) -> Array:
    """The convolution in tiles of a few kernel lengths, the kernel transformed once."""
    points = tile_points(job)
    spectrum = laid(transform(spread(w, job), points), job)
    cuts = [list(_cuts(*axis)) for axis in zip(job.first, job.stop, job.stride, job.spans, points, strict=True)]

    if not arrays.is_tensor(x):
        y = np.empty(job.shape, x.dtype)
        for tile in product(*cuts):
            first, stop = zip(*tile, strict=True)
            place: Any = (..., *(slice((a - at) // s, -((at - b) // s))
                                 for a, b, at, s in zip(first, stop, job.first, job.stride, strict=True)))
            y[place] = Tile(first, stop, points).product(x, spectrum, job)
        return y

    def rows(done: tuple[tuple[int, int], ...]) -> Array:
        axis = len(done)
        if axis == len(cuts):
            first, stop = zip(*done, strict=True)
            return Tile(first, stop, points).product(x, spectrum, job)
        parts = [rows((*done, cut)) for cut in cuts[axis]]
        return parts[0] if len(parts) == 1 else arrays.namespace(x).concat(parts, axis=2 + axis)

    return rows(())


def tile_points(job: Job) -> tuple[int, ...]:
    """Transform lengths of a tile: eight spans and more, where the samples saved twice cost little."""
    least = {1: 4096, 2: 128, 3: 32}[len(job.n)]
    return tuple(fast_length(min(max(8 * span, least + span), b - a + span))
                 for span, a, b in zip(job.spans, job.first, job.stop, strict=True))


def _cuts(first: int, stop: int, stride: int, span: int, points: int) -> Iterator[tuple[int, int]]:
    """Windows that a tile of `points` covers, each of whole strides; of a longer stride its first outputs."""
    clean = points - span
    width = max(clean // stride, 1) * stride
    for a in range(first, stop, width):
        yield a, min(a + min(width, clean), stop)


def spread(w: Array, job: Job) -> Array:
    """The taps with dilation's zeros between them."""
    if all(d == 1 for d in job.dilation):
        return w
    xp = arrays.namespace(w)
    wide = xp.zeros((*w.shape[:2], *(span + 1 for span in job.spans)), dtype=w.dtype,
                    **({} if xp is np else {"device": w.device}))
    wide[(..., *(slice(None, None, d) for d in job.dilation))] = w
    return wide


def transform(data: Array, points: tuple[int, ...]) -> Array:
    """The spectrum of the last axes, zero-padded to `points`."""
    if not arrays.is_tensor(data):
        return pocket.fftn(data, points)
    import torch

    axes = tuple(range(-len(points), 0))
    return (torch.fft.fftn if data.is_complex() else torch.fft.rfftn)(data, s=points, dim=axes)


def inverse(spectrum: Array, points: tuple[int, ...], like: Array) -> Array:
    """The signal of a spectrum, real where `like` is."""
    real = not arrays.is_complex(like)
    if not arrays.is_tensor(spectrum):
        return pocket.ifftn(spectrum, points, real)
    import torch

    axes = tuple(range(-len(points), 0))
    return (torch.fft.irfftn if real else torch.fft.ifftn)(spectrum, s=points, dim=axes)


class Tile:
    """Outputs first … stop−1 of the full convolution, and the transform length that keeps them clean."""

    __slots__ = ("first", "points", "stop")

    def __init__(self, first: tuple[int, ...], stop: tuple[int, ...], points: tuple[int, ...]):
        self.first, self.stop, self.points = first, stop, points

    @classmethod
    def of(cls, job: Job, first: tuple[int, ...], stop: tuple[int, ...]) -> Tile:
        """The tile with the least transform for these outputs."""
        points = []
        for axis, (a, b) in enumerate(zip(first, stop, strict=True)):
            low, high = job.reads(axis, a, b)
            length, at = high - low + job.spans[axis], a - low  # full convolution of what is read, and `first` in it
            points.append(fast_length(max(at + b - a, length - at, high - low, job.spans[axis] + 1)))
        return cls(first, stop, tuple(points))

    def product(self, x: Array, spectrum: Array, job: Job) -> Array:
        """This tile's outputs, from the kernel's spectrum at `points`."""
        reads = [job.reads(axis, a, b) for axis, (a, b) in enumerate(zip(self.first, self.stop, strict=True))]
        part = x[(..., *(slice(low, high) for low, high in reads))]
        summed = combined(transform(part, self.points), spectrum, job)
        y = inverse(summed, self.points, x)
        return y[(..., *(slice(a - low, b - low, s)
                         for a, b, (low, _), s in zip(self.first, self.stop, reads, job.stride, strict=True)))]


def laid(kernel: Array, job: Job) -> Array:
    """A kernel's spectrum (m, c, …) as `combined` wants it: (1, g, m, 1, …), or for several channels a matrix a frequency."""
    groups, per = job.groups, job.channels // job.groups
    if per == 1:
        return kernel.reshape(1, groups, job.filters // groups, 1, *kernel.shape[2:])
    xp = arrays.namespace(kernel)
    h = xp.permute_dims(kernel.reshape(groups, job.filters // groups, per, prod(kernel.shape[2:])), (3, 0, 2, 1))
    h = arrays.accurate(h) if per > EXACT else h  # as in `direct`
    return np.ascontiguousarray(h) if xp is np else h  # BLAS takes matrices that stand in order


def combined(signal: Array, kernel: Array, job: Job) -> Array:
    """Σ_c kernel[m, c] · signal[b, c] at every frequency, group by group; the kernel's spectrum is `laid`."""
    groups, per = job.groups, job.channels // job.groups
    bins = tuple(signal.shape[2:])
    if per == 1:
        y = (signal.reshape(job.batch, groups, 1, per, *bins) * kernel)[:, :, :, 0]
    else:  # as a product of small matrices, one a frequency: (bins, g, b, c) @ (bins, g, c, m)
        xp = arrays.namespace(signal)
        s = xp.permute_dims(signal.reshape(job.batch, groups, per, prod(bins)), (3, 1, 0, 2))
        s = arrays.accurate(s) if per > EXACT else s
        s = np.ascontiguousarray(s) if xp is np else s
        product = s[..., :EXACT] @ kernel[..., :EXACT, :]
        for a in range(EXACT, per, EXACT):  # channels in parts, so that rounding grows with their number alone
            product = product + s[..., a: a + EXACT] @ kernel[..., a: a + EXACT, :]
        y = xp.astype(xp.permute_dims(product, (2, 1, 3, 0)), signal.dtype)
    return y.reshape(job.batch, job.filters, *bins)
