"""Which method for which job: few rules, each with its reason."""

from __future__ import annotations

from math import log2, prod

from .. import arrays
from ..arrays import Array
from .bands import cost as bands_cost
from .bands import serves as fits_bands
from .columns import cost as columns_cost
from .columns import serves
from .compiled import cost as compiled_cost
from .compiled import loaded
from .compiled import serves as fits_loops
from .direct import EXACT
from .job import Job
from .lowrank import cost as lowrank_cost
from .lowrank import serves as fits_lowrank
from .planes import cost as planes_cost
from .planes import serves as fits_planes
from .products import cost as products_cost
from .products import fits
from .separable import cost as separable_cost
from .separable import factors
from .spectral import fast_length, tile_points
from .tiles import cost as tiles_cost

__all__ = ["choose", "line"]

# Nanoseconds for one product summed, and for one point of a transform (forward, product, back) per log2 of its length.
DIRECT = {1: 0.15, 2: 0.9, 3: 1.2}
SPECTRAL = 0.8
FEW = 33  # taps that no transform is worth on a line
BRIEF = 50_000  # products that are summed as they stand: whole numbers stay whole


def choose(x: Array, w: Array, job: Job) -> str:
    """The name of the method for a job that is not empty."""
    ndim, taps = len(job.n), prod(job.k)
    if ndim == 1 and not arrays.is_tensor(x) and taps > 1:
        return line(job, x.dtype.char, x.dtype.kind == "f")[0]
    if taps == 1 or (ndim == 1 and min(taps, job.n[0]) <= FEW):
        return "direct"
    axes = sum(k > 1 for k in job.k)
    costs = {}
    if axes > 1 and taps > 9 and not (arrays.is_tensor(w) and w.requires_grad) and factors(arrays.to_numpy(w)) is not None:
        if arrays.is_tensor(x):
            return "separable"
        costs["separable"] = separable_cost(job, x.dtype.char)
    lines = job.batch * (job.channels + job.filters) / 2
    whole = tuple(fast_length(b - a + span) for a, b, span in zip(job.first, job.stop, job.spans, strict=True))
    tile = tile_points(job)
    tiles = prod(-(-(b - a) // max(p - span, 1)) for a, b, span, p in zip(job.first, job.stop, job.spans, tile, strict=True))
    costs |= {"direct": DIRECT[ndim] * job.batch * job.filters * prod(job.out) * job.terms,
              "fft": SPECTRAL * (lines + 0.5) * prod(whole) * log2(prod(whole) + 1) + 4e4,
              "overlap_save": SPECTRAL * lines * tiles * prod(tile) * log2(prod(tile) + 1) + 6e4 * tiles}
    if not arrays.is_tensor(x) and fits_planes(job, x.dtype.char):
        del costs["fft"], costs["overlap_save"]
        spectral, parts = planes_cost(job, x.dtype.char)
        costs["fft" if prod(parts) == 1 else "overlap_save"] = spectral
    if not arrays.is_tensor(x) and fits_bands(job, x.dtype.char):
        costs["bands"] = bands_cost(job, x.dtype.char)
    if not arrays.is_tensor(x) and fits_loops(job, x.dtype.char):
        fast = compiled_cost(job, x.dtype.char)
        if loaded(min(costs.values()) - fast):
            costs["compiled"] = fast
    if not arrays.is_tensor(x) and "separable" not in costs and fits_lowrank(job, x.dtype.char):
        costs["lowrank"] = lowrank_cost(w, job, x.dtype.char, min(costs.values()))
    return min(costs, key=costs.__getitem__)


def line(job: Job, kind: str, real: bool) -> tuple[str, int]:
    """The method on a NumPy line of samples of type `kind` ("f", "d", …), and the length of the transforms of tiles."""
    short, outputs, single = min(job.k[0], job.n[0]), job.out[0], kind in "fF"
    lines = job.batch * job.filters * job.channels // job.groups
    work = lines * outputs * short
    if work <= BRIEF or (short <= FEW and work <= 100 * BRIEF and not fits(job, kind)):
        return "direct", 0
    each = 1 + 0.17 * short if short <= 11 else max(16 - 0.35 * (short - 11), 7.5 + 0.045 * short)
    if not real or job.stride != (1,) or job.dilation != (1,):
        each = 2 + 1.5 * short
    elif single and short > EXACT:
        each = 1.5 * each + 2  # in double precision
    mixed = 0.06 if job.channels >= 8 * job.groups else 0.3  # a tap of many channels is a product of matrices
    whole = fast_length(job.stop[0] - job.first[0] + job.spans[0])
    pairs = job.batch * (job.channels + job.filters) / 2 + job.filters * job.channels / job.groups / 2
    pairs *= 1 if job.channels == job.groups else 3.5  # as for tiles
    tiled, points = tiles_cost(job)
    costs = {"direct": min(lines * (3e3 + outputs * each), short * (1e4 + mixed * lines * outputs)), "overlap_save": tiled,
             "fft": 2e4 + pairs * whole * max(1.2 * log2(whole) - 4, 4.0)}
    if serves(job, kind) and lines > 1:
        costs["columns"] = columns_cost(job, kind)
    if fits(job, kind):
        costs["blocked"] = products_cost(job, kind)
    return min(costs, key=costs.__getitem__), points
