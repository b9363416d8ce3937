"""What alignment chance alone brings: noise with the spectrum of the piece at hand, against the template at hand.

For noise of power spectrum S and a unit template of power spectrum A, E⟨x_t, a⟩² = Σ A S / Σ A and E‖x_t‖² = K · mean S, so a
squared cosine is on average

    g = Σ A S / (K Σ S / L · Σ A),

1/K for white noise: the template faces d = 1/g degrees of freedom, and √g is the chance level. S is the spectrum of the signal in
blocks as long as the template, half overlapping. A real template must be told from what has its spectrum and other phases. A pair
asks for no phase, and a tone is told by standing out of its neighbourhood: there S is the noise floor, a geometric mean over
neighbouring frequencies, which other tones hardly lift. Where a signal is long, what its frequencies nearly always hold is noise
too.

Of cos² = U/(U + V), U in the template's direction (two for a pair) and V in all others, the odds U/V are F distributed in noise:

    p = P(F(ν, μ) > cos²/ν · (1 − νg) / (g (1 − cos²))),   ν = 1, or 2 for a pair,

μ counting the independent frequencies that S is told by, at most the dimensions that are left. In white noise, where μ is K − ν,
that is the law of random directions, cos² ~ Beta(ν/2, (K − ν)/2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..domain import Domain
from ..signal import Signal
from ..spectrum import hann
from .cosines import FLAT

__all__ = ["Null", "null", "tail"]

SHORTEST = {1: 64, 2: 16, 3: 8}  # samples an axis of a block, by dimensions
REACH = {1: 20, 2: 4, 3: 2}  # frequencies to either side that S is smoothed over;
LEAST = 2  # towards 0, where spectra fall steeply, half way there, but at least two;
HOLE = {1: 3, 2: 1, 3: 1}  # the template's own are left out, except next to 0
FAINT = 1e-30  # of the loudest frequency of all: as good as nothing
LOGS = 6 / np.pi**2  # what a mean of logarithms of powers is worth beside a mean of powers
LONG, LASTING = 64, 0.25  # of so many blocks: what is there in all but a quarter of them is noise, whatever its spectrum
SPREAD = 1.5  # of a frequency over its neighbours, by the Hann window


@dataclass(frozen=True)
class Null:
    """g and μ of every row (a template on a channel) in every block, and which part of a template lies inside Ω.

    `share`, `freedom`: (rows, *blocks), blocks `hops` apart. `weight`: sums of the templates' squares from their corner,
    `(m, *K + 1)`; row r belongs to template r mod m. `grid`: of the templates; `sides`: samples of Ω an axis.
    """

    share: np.ndarray
    freedom: np.ndarray
    weight: np.ndarray
    hops: tuple[int, ...]
    grid: Domain
    first: tuple[int, ...]
    sides: tuple[int, ...]

    def at(self, rows: Any, *places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and μ for rows and sample numbers of Ω, arrays that broadcast together; between blocks they run straight."""
        many = self.share.shape[1:]
        low = [np.minimum(t // h, n - 2) if n > 1 else 0 * t for t, h, n in zip(places, self.hops, many, strict=True)]
        far = [t / h - i for t, h, i in zip(places, self.hops, low, strict=True)]
        found: list[Any] = [0.0, 0.0]
        for corner in product((0, 1), repeat=len(places)):
            if any(c and n == 1 for c, n in zip(corner, many, strict=True)):
                continue
            share = prod((f if c else 1 - f for c, f in zip(corner, far, strict=True)), start=1.0)
            here = (rows, *(i + c for c, i in zip(corner, low, strict=True)))
            found = [total + share * a[here] for total, a in zip(found, (self.share, self.freedom), strict=True)]
        inside, count = self._inside(rows, places)
        size = prod(self.grid.shape)
        return np.minimum(found[0] * inside * size / np.maximum(count, 1), 1), np.minimum(found[1], found[1] * count / size + 1)

    def _inside(self, rows: Any, places: Sequence[np.ndarray]) -> tuple[np.ndarray, Any]:
        """How much of a template's energy, and how many of its taps, meet samples of Ω."""
        ends = [tuple(np.clip(e - t - s, 0, k) for e in (0, n))
                for t, s, k, n in zip(places, self.first, self.grid.shape, self.sides, strict=True)]
        total: np.ndarray | float = 0.0
        for corner in product((0, 1), repeat=len(places)):
            sign = (-1) ** (len(places) - sum(corner))
            total = total + sign * self.weight[(rows % len(self.weight), *(e[c] for c, e in zip(corner, ends, strict=True)))]
        return np.maximum(total, 0), prod((high - low for low, high in ends), start=1)


def tail(cosine: np.ndarray, share: np.ndarray, freedom: np.ndarray, pair: bool) -> np.ndarray:
    """p, the probability that chance brings a cosine of at least this size: 1 where it is 0, 0 where it is 1."""
    from scipy.special import fdtrc

    nu = 1 + pair
    share = np.clip(share, 1e-300, (1 - 1e-9) / nu)
    squared = np.minimum(np.abs(cosine) ** 2, 1)
    with np.errstate(divide="ignore", over="ignore"):
        odds = squared / nu * (1 - nu * share) / (share * (1 - squared))
    return np.where(freedom > 0, np.where(squared < 1 - FLAT, fdtrc(nu, np.maximum(freedom, 1e-9), odds), 0), 1)


def null(x: Signal, unit: Signal, centred: bool) -> Null:
    """The null of `plain` x and `orthonormal` templates `(m,)`, or `(m, c)` in all channels at once."""
    joint, d, grid = len(unit.value) == 2, x.domain.ndim, unit.domain
    taps = unit.data if joint else unit.data[:, None]  # (m, c, *K)
    parts = [taps.real, taps.imag] if np.iscomplexobj(taps) else [taps]
    sides = tuple(max(k, SHORTEST[d]) for k in grid.shape)
    hops, blocks = _blocks(x, grid, sides, centred)  # (rows, c, *blocks, *sides)
    blocks = blocks if joint else blocks.reshape(-1, 1, *blocks.shape[2:])
    axes, many, pairs = tuple(range(-d, 0)), blocks.shape[2: 2 + d], list(product(range(taps.shape[1]), repeat=2))
    spectra = np.fft.fftn(blocks, axes=axes).reshape(*blocks.shape[:2], prod(many), *sides)
    power = [np.fft.fftn(part, sides, axes) for part in parts]
    A: dict[tuple[int, int], Any] = {(i, j): sum(p[:, i].conj() * p[:, j] for p in power) / len(power) for i, j in pairs}
    S: dict[tuple[int, int], Any] = {(i, j): spectra[:, i].conj() * spectra[:, j] for i, j in pairs if i != j}
    S |= {(i, i): np.abs(spectra[:, i]) ** 2 for i in range(taps.shape[1])}
    dims, total = (grid.size - centred) * taps.shape[1], sum(S[i, i].sum(axes) for i, j in pairs if i == j)
    as_it_is = _shares(A, S, total * grid.size, dims)
    share, freedom = _shares(A, _floor(S, d), total * grid.size, dims, d) if len(parts) > 1 else as_it_is
    if prod(many) >= LONG:
        share = np.maximum(share, _lasting(*as_it_is))
    shape = (len(blocks) * len(taps), *many)
    weight = np.pad(sum(part**2 for part in parts).sum(1) / len(parts), [(0, 0), *[(1, 0)] * d])
    for axis in axes:
        weight = np.cumsum(weight, axis)
    return Null(share.reshape(shape), np.minimum(freedom / SPREAD**d, dims - len(parts)).reshape(shape), weight, hops, grid,
                tuple(int(s) for s in grid.start), x.domain.shape)


def _floor(S: dict[tuple[int, int], np.ndarray], d: int) -> dict[tuple[int, int], np.ndarray]:
    """The noise floor under spectra: geometric means over neighbours, which a few loud ones hardly lift."""
    least = FAINT * max(S[ij].max(initial=0) for ij in S if ij[0] == ij[1]) or 1.0
    floor = {i: np.exp(_smoothed(np.log(np.maximum(S[i, j], least)), d) + np.euler_gamma) for i, j in S if i == j}
    even = {i: np.maximum(_smoothed(S[i, j], d), least) for i, j in S if i == j} if len(floor) > 1 else {}
    return {(i, j): floor[i] if i == j else _smoothed(s, d) * np.sqrt(floor[i] * floor[j] / (even[i] * even[j]))
            for (i, j), s in S.items()}


def _shares(A: dict[tuple[int, int], np.ndarray], S: dict[tuple[int, int], np.ndarray], total: np.ndarray, dims: int,
            d: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Σ A S / total, over channels and their cross spectra, and how many frequencies that is told by: `(rows, m, blocks)`.

    `A`: of the templates `(m, *frequencies)`, `S`: of the blocks `(rows, blocks, *frequencies)`, for each two channels; `d`: axes
    along which S was smoothed.
    """
    turned = {ij: np.swapaxes(s.reshape(*s.shape[:2], -1), -1, -2) for ij, s in S.items()}
    flat = {ij: a.reshape(len(a), -1) for ij, a in A.items()}
    wide = {i: _smoothed(a, d).real.reshape(len(a), -1) if d else flat[i, j].real for (i, j), a in A.items() if i == j}
    share, own, square = np.zeros((3, len(total), len(flat[0, 0]), total.shape[1]))
    for i, j in A:
        share += (flat[i, j].conj() @ turned[i, j]).real
        square += (wide[i] * wide[j]) @ (turned[i, i] * turned[j, j])
        own += wide[i] @ turned[i, i] if i == j else 0
    total = total[:, None]
    heard = total > 0
    return (np.where(heard, np.maximum(share, 0) / np.where(heard, total, 1), 1 / max(dims, 1)),
            np.where(heard, own**2 / np.maximum(square, 1e-300), dims) * (LOGS if d else 1))


def _lasting(share: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """The share that a template's own frequencies have in all but a quarter of the blocks, were it that of steady noise."""
    from scipy.special import gammaincinv

    half = np.maximum(np.median(freedom, -1, keepdims=True) / 2, 0.5)
    return np.quantile(share, LASTING, axis=-1, keepdims=True) * half / gammaincinv(half, LASTING)


def _blocks(x: Signal, grid: Domain, sides: tuple[int, ...], centred: bool) -> tuple[tuple[int, ...], np.ndarray]:
    """How far pieces of x lie apart, and they, a template in their middles, under a Hann window: `(rows, c, *blocks, *sides)`."""
    hops = tuple(max(side // 2, 1) for side in sides)
    many = tuple(-(-(n - 1) // h) + 1 for n, h in zip(x.domain.shape, hops, strict=True))
    shape = tuple((m - 1) * h + side for m, h, side in zip(many, hops, sides, strict=True))
    start = tuple(a + b - (side - k) // 2 for a, b, k, side in zip(x.domain.start, grid.start, grid.shape, sides, strict=True))
    wide = x.on(Domain(shape, x.domain.step, start, x.domain.unit, x.domain.name)).data
    wide = wide.reshape(-1, *(x.value[-1:] or (1,)), *shape)
    axes = tuple(range(2, wide.ndim))
    index: Any = (..., *(slice(None, None, h) for h in hops), *(slice(None),) * len(sides))
    blocks = np.lib.stride_tricks.sliding_window_view(wide, sides, axes)[index]
    if centred:
        blocks = blocks - blocks.mean(tuple(range(-len(sides), 0)), keepdims=True)
    for axis, side in enumerate(sides):
        window = hann(side + 1)[1:]
        blocks = blocks * window.reshape(-1, *(1,) * (len(sides) - 1 - axis))
    return hops, blocks


def _smoothed(a: np.ndarray, d: int) -> np.ndarray:
    """Each frequency of the last d axes as the mean of its neighbours, those next to it left out."""
    near = [np.minimum(np.arange(n), n - np.arange(n)) for n in a.shape[-d:]]
    reaches = [np.minimum(np.clip(k // 2, LEAST, REACH[d]), (len(k) - 1) // 2) for k in near]
    holes = [np.minimum(np.minimum(k // 3, HOLE[d]), np.maximum(reach - 1, 0)) for k, reach in zip(near, reaches, strict=True)]
    counts = [prod(np.ix_(*(2 * r + 1 for r in some))) for some in (reaches, holes)]  # type: ignore[arg-type]
    holed = counts[1] > 1
    return (_box(a, reaches) - np.where(holed, _box(a, holes), 0)) / (counts[0] - np.where(holed, counts[1], 0))


def _box(a: np.ndarray, reaches: list[np.ndarray]) -> np.ndarray:
    """Sums of the values within reach along the last axes, which are circles."""
    for axis, reach in enumerate(reaches, -len(reaches)):
        far, k = int(reach.max()), np.arange(a.shape[axis])
        line = np.moveaxis(a, axis, -1)
        line = np.concatenate([np.zeros_like(line[..., :1]), line[..., line.shape[-1] - far:], line, line[..., :far]], -1)
        run = np.cumsum(line, -1)
        a = np.moveaxis(run[..., k + reach + far + 1] - run[..., k - reach + far], -1, axis)
    return a
