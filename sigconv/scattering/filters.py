"""The wavelets of a scattering: Morlets of every scale, and the Gaussian that averages.

Frequencies here are in cycles per sample of the finest grid. A Gaussian band that is w wide at −3 dB has σ = w/(2√ln 2);
neighbours meet at −3 dB. On a line they are constant-Q, w ∝ f, while that is wider than the average, and evenly spaced below;
on a plane there are L directions an octave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log, log2, pi, sqrt
from typing import Any

import numpy as np

from ..domain import Domain
from ..kernels import gaussian, morlet
from ..kernels.banks import corrected
from ..kernels.registry import limit
from ..signal import Signal

__all__ = ["Ring", "averaging", "calm", "coarser", "line_rings", "plane_rings"]

HALF = sqrt(log(2))  # σ's to where a Gaussian has lost 3 dB
LOW = 0.1  # σ of the average in frequency, in cycles per 2^J samples
ROOM = 4.5  # −3 dB widths from where a Gaussian is at −60 dB below its peak to where it is above
TOP = 0.35  # the highest centre of bands an octave apart
FINE, SLANT = 0.8, 0.5  # on a plane: σ of the finest wavelet in samples, and of its width over its length
REACH = 4.0  # σ's at which a plane's wavelets are cut off


@dataclass(frozen=True, slots=True)
class Ring:
    """Wavelets of gain 1 that share a rate.

    `taps(like, stride)`: on a grid `stride` times as coarse as `like`; `power(ω)`: their |ψ̂|² at frequencies (..., axes), in
    cycles per sample; `marks`: centres, f or (f, degrees); `width`: above it their moduli hold nothing; `stride`: samples that
    their results may be apart.
    """

    taps: Callable[[Domain, int], Signal]
    power: Callable[[np.ndarray], np.ndarray]
    marks: tuple[Any, ...]
    width: float
    stride: int


def averaging(like: Domain, J: int, stride: int = 1) -> Signal:
    """The Gaussian that averages over 2^J samples, on the grid `stride` times as coarse."""
    return gaussian(coarser(like, stride), tuple(_spread(like.ndim, J) * float(s) for s in like.step))


def _spread(ndim: int, J: int) -> float:
    """σ of the average, in samples."""
    return 2**J * (FINE if ndim == 2 else 1 / (2 * pi * LOW))


def line_rings(J: int, Q: int, room: float) -> list[Ring]:
    """Bands of a line from just below rate/2 down to the average over 2^J samples, Q an octave."""
    q = 2 * (1 - 2 ** (-1 / Q)) / (1 + 2 ** (-1 / Q))  # bands q·f wide meet their neighbours at −3 dB
    least = 2 * HALF * LOW / 2**J  # as wide as the average, over both signs
    f = max(1 / (1 + 2 ** (1 / Q)), TOP)
    groups: dict[int, list[tuple[float, float]]] = {}
    while not groups or f > least:  # the average reaches to least/2
        wide = max(q * f, least)
        groups.setdefault(_stride(wide, room, J), []).append((f, wide))
        f = f * 2 ** (-1 / Q) if q * f * 2 ** (-1 / Q) >= least else f - (wide + least) / 2
    return [_line_ring(np.array(group), stride) for stride, group in groups.items()]


def _stride(width: float, room: float, J: int) -> int:
    """The coarsest power of 2 at which a band this wide has `room` times the rate that it needs."""
    return int(2 ** min(max(floor(log2(1 / (ROOM * room * width))), 0), J))


def _line_ring(bands: np.ndarray, stride: int) -> Ring:
    f, wide = bands.T
    wave, sigma = (f * v for v in corrected(np, wide / f))

    def taps(like: Domain, stride: int) -> Signal:
        rate = 1 / float(like.step[0])
        return morlet(coarser(like, stride), f * rate, wide * rate)

    def power(w: np.ndarray) -> np.ndarray:
        return (_gain(w, wave, sigma) ** 2 / _gain(f, wave, sigma) ** 2).sum(-1)

    return Ring(taps, power, tuple(map(float, f)), float(wide.max()), stride)


def _gain(w: Any, wave: Any, sigma: Any, across: Any = 0.0) -> Any:
    """A Gaussian about the wave's frequency, less so much of one about 0 that nothing is left there."""
    return np.exp(-((w - wave) ** 2 + across**2) / (2 * sigma**2)) - np.exp(-(wave**2 + w**2 + across**2) / (2 * sigma**2))


def plane_rings(J: int, L: int, room: float) -> list[Ring]:
    """An octave each of a plane's wavelets, in L directions over half a turn, from the finest down to 2^J samples."""
    return [_plane_ring(0.375 / 2**j, FINE * 2**j, np.arange(L) * (180 / L), int(2 ** max(floor(j - log2(room)), 0)))
            for j in range(J)]


def _plane_ring(f: float, sigma: float, angles: np.ndarray, stride: int) -> Ring:
    turn = np.deg2rad(angles)

    def taps(like: Domain, stride: int) -> Signal:
        return _oriented(coarser(like, stride), f * stride, sigma / stride, turn)

    def power(w: np.ndarray) -> np.ndarray:
        y, x = w[..., :1], w[..., 1:]
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        return (_gain(along, f, 1 / (2 * pi * sigma), across / SLANT) ** 2).sum(-1)

    return Ring(taps, power, tuple((f, float(a)) for a in angles), f * 0.75, stride)


def _oriented(like: Domain, f: float, sigma: float, turn: np.ndarray) -> Signal:
    """Morlets of a plane: f in cycles per step, σ in steps along the wave, σ/SLANT across it; gain 1, nothing at 0."""
    reach = ceil(REACH * sigma / SLANT)
    limit((len(turn), 2 * reach + 1, 2 * reach + 1))
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1]
    cos, sin = np.cos(turn)[:, None, None], np.sin(turn)[:, None, None]
    along, across = x * cos + y * sin, y * cos - x * sin
    g = np.exp(-(along**2 + (across * SLANT) ** 2) / (2 * sigma**2))
    g /= g.sum((1, 2), keepdims=True)
    wave = np.exp(2j * pi * f * along)
    data = g * (wave - (g * wave).sum((1, 2), keepdims=True))
    return Signal(data, Domain(data.shape[1:], like.step, (-reach, -reach), like.unit, like.name))


def coarser(like: Domain, stride: int) -> Domain:
    """A grid of `stride` times the step."""
    return Domain((1,) * like.ndim, tuple(s * stride for s in like.step), 0, like.unit, like.name)


def calm(rings: list[Ring], ndim: int, J: int) -> float:
    """The gain at which wavelets and average together expand nothing.

    Littlewood and Paley's sum for real signals, |φ̂|² + ½ Σ |ψ̂(ω)|² + |ψ̂(−ω)|², is at most 1 then (Mallat, Comm. Pure Appl.
    Math. 65, 2012, Prop. 2.1). It is looked at from rate/2 down, octave by octave; frequencies beyond rate/2 fold back.
    """
    if not rings:
        return 1.0
    fine = np.linspace(0, 0.5, 513 if ndim == 1 else 65)
    w = fine[:, None] if ndim == 1 else np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 65), fine, indexing="ij"), -1).reshape(-1, 2)
    w = np.concatenate([w / 2**j for j in range(J + 3)])
    folds = [np.array(fold) for fold in np.ndindex((3,) * ndim)]
    turns = [sign * w + fold - 1 for sign in (1, -1) for fold in folds]
    waves = np.sum([ring.power(turned) for ring in rings for turned in turns], 0)
    mean = np.exp(-((2 * pi * _spread(ndim, J)) ** 2) * (w**2).sum(-1))
    seen = mean < 0.99  # nearer to 0 the wavelets fall away as fast as the average rises, folds and all
    return float(np.sqrt(((1 - mean)[seen] / waves[seen] * 2).min()))
