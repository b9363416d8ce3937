"""Which method for which job: few rules, each with its reason."""

from __future__ import annotations

from math import log2, prod

from .. import arrays
from ..arrays import Array
from .job import Job
from .separable import factors
from .spectral import fast_length, tile_points

__all__ = ["choose"]

# Nanoseconds for one product summed, and for one point of a transform (forward, product, back) per log2 of its length.
DIRECT = {1: 0.15, 2: 0.9, 3: 1.2}
SPECTRAL = 1.6
FEW = 33  # taps that no transform is worth on a line


def choose(x: Array, w: Array, job: Job) -> str:
    """The name of the method for a job that is not empty."""
    ndim, taps = len(job.n), prod(job.k)
    if taps == 1 or (ndim == 1 and min(taps, job.n[0]) <= FEW):
        return "direct"
    axes = sum(k > 1 for k in job.k)
    if axes > 1 and taps > 9 and not (arrays.is_tensor(w) and w.requires_grad) and factors(arrays.to_numpy(w)) is not None:
        return "separable"
    work = DIRECT[ndim] * job.batch * job.filters * prod(job.out) * job.terms
    lines = job.batch * (job.channels + job.filters)
    whole = tuple(fast_length(b - a + span) for a, b, span in zip(job.first, job.stop, job.spans, strict=True))
    tile = tile_points(job)
    tiles = prod(-(-(b - a) // max(p - span, 1)) for a, b, span, p in zip(job.first, job.stop, job.spans, tile, strict=True))
    costs = {"direct": work,
             "fft": SPECTRAL * lines * prod(whole) * log2(prod(whole) + 1),
             "overlap_save": SPECTRAL * lines * tiles * prod(tile) * log2(prod(tile) + 1) + 2e4 * tiles}
    return min(costs, key=costs.__getitem__)
