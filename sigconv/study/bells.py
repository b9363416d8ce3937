"""Kernels made of Gaussians e(i) = exp(−i²/2σ²): unsharp, the Laplacian, the difference and the derivative of one.

On a line each gives its σ away: off its centre an unsharp mask is −amount · e; the derivative over i is e; the Laplacian,
(i²/σ² − 1) e, crosses zero near ±σ; of a difference the tail is the wider Gaussian alone. On more axes the sums over all axes
but one are the same kernels on a line (of the Laplacian with a little of e, what its cut leaves), because a Gaussian sums to 1.
Whatever is found is made again and must give the taps back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.registry import product
from ..kernels.shapes import bell
from .kinds import Kind
from .measures import parity

__all__ = ["in_space", "least", "on_line", "width_of"]

NEAR = 5e-4  # of the largest tap: what the taps made again may differ by
CUT = 0.02  # of a Laplacian: the most of e that its cut leaves
REACHES = 2.5  # σ: a Gaussian cut nearer is not known for one


def on_line(h: np.ndarray) -> Kind | None:
    """The kind of taps on a line that are made of Gaussians, or None."""
    if len(h) < 5 or len(h) % 2 == 0:
        return None
    kind = parity(h)
    return _unsharp(h) or _log(h) or _dog(h) if kind == "even" else _derivative(h) if kind == "odd" else None


def _same(h: np.ndarray, model: np.ndarray) -> bool:
    return h.shape == model.shape and bool(np.abs(h - model).max() <= NEAR * np.abs(h).max())


def _fit(model: np.ndarray, reach: int) -> np.ndarray:
    """Centred taps cut or padded to 2·reach + 1."""
    own = len(model) // 2
    return model[own - reach: own + reach + 1] if own >= reach else np.pad(model, reach - own)


def width_of(e: np.ndarray, first: int = 0) -> float:
    """σ of the right half of a Gaussian, from its values at `first` and where it has fallen to 0.3 of that; NaN where it has not
    that shape."""
    if len(e) <= first + 1 or not e[first]:
        return np.nan
    share = e / e[first]
    here = np.flatnonzero(share[first + 1:] > 0.3)
    far = first + 1 + (int(here[-1]) if len(here) else 0)
    if not 0 < share[far] < 1:
        return np.nan
    return float(np.sqrt((far**2 - first**2) / (-2 * np.log(share[far]))))


def _unsharp(h: np.ndarray) -> Kind | None:
    """gain · (δ + amount (δ − Gaussian))."""
    middle, gain = len(h) // 2, float(h.sum())
    around = h[middle:]
    if not gain or (around[1:] * gain >= 0).any():
        return None
    sigma = width_of(around, 1)
    if not middle >= REACHES * sigma:
        return None
    e = _fit(bell(sigma), middle)
    amount = float(-around[1] / gain / e[middle + 1])
    model = -amount * e
    model[middle] += 1 + amount
    return Kind("unsharp", gain, {"sigma": sigma, "amount": amount}) if _same(h, gain * model) else None


def least(cost: Callable[[float], float], low: float, high: float, steps: int = 60) -> float:
    """Where a cost with one valley is least: by golden section."""
    share = (5**0.5 - 1) / 2
    one, two = high - share * (high - low), low + share * (high - low)
    at_one, at_two = cost(one), cost(two)
    for _ in range(steps):
        if at_one < at_two:
            high, two, at_two = two, one, at_one
            one = high - share * (high - low)
            at_one = cost(one)
        else:
            low, one, at_one = one, two, at_two
            two = low + share * (high - low)
            at_two = cost(two)
    return (low + high) / 2


def _log(h: np.ndarray, cut: float = CUT) -> Kind | None:
    """gain · (i²/σ² − 1) e / σ², and a little of e."""
    middle = len(h) // 2
    right = h[middle:]
    turns = np.flatnonzero(right[1:] * right[:-1] <= 0)
    if not right[0] or not len(turns) or right[int(turns[0]) + 1:].min() * right[int(turns[0]) + 1:].max() < 0:
        return None
    at = int(turns[0])
    crossing = at + float(right[at] / (right[at] - right[at + 1]))
    i = np.arange(middle + 1.0)
    weight = np.where(i > 0, 2.0, 1.0)

    def solved(sigma: float) -> tuple[np.ndarray, np.ndarray]:
        e = np.exp(-0.5 * (i / sigma) ** 2)
        base = np.stack([(i**2 / sigma**2 - 1) * e, e], 1)
        return np.linalg.lstsq(base * weight[:, None], right * weight, rcond=None)[0], base

    def cost(sigma: float) -> float:
        share, base = solved(sigma)
        return float(np.abs(base @ share - right).max())

    sigma = least(cost, 0.75 * crossing, 1.33 * crossing, 40)
    share, _ = solved(sigma)
    if cost(sigma) > NEAR * np.abs(h).max() or abs(share[1]) > cut * abs(share[0]) or middle < REACHES * sigma:
        return None
    own = bell(sigma)
    return Kind("log", float(share[0]) * sigma**2 / float(own[len(own) // 2]), {"sigma": sigma})


def _dog(h: np.ndarray) -> Kind | None:
    """gain · (Gaussian − wider Gaussian), each cut at its 4σ."""
    middle = len(h) // 2
    right = h[middle:]
    if right[0] * right[-1] >= 0 or abs(h.sum()) > 1e-3 * np.abs(h).sum():
        return None

    def peeled(wide: float) -> tuple[float, float, float]:
        """The narrower σ, the gain, and how far off the taps are, if the wider Gaussian is this."""
        e = _fit(bell(wide), middle)[middle:]
        gain = float(-right[-1] / e[-1])
        narrow = width_of(right / gain + e)
        if not 0 < narrow < wide:
            return np.nan, gain, np.inf
        off = gain * (_fit(bell(narrow), middle)[middle:] - e) - right
        return narrow, gain, float(np.abs(off).max())

    low, high = (middle - 0.5) / 4, (middle + 0.5) / 4 * (1 - 1e-9)
    tries = np.linspace(low, high, 24)
    best = int(np.argmin([peeled(float(wide))[2] for wide in tries]))
    wide = least(lambda s: peeled(s)[2], tries[max(best - 1, 0)], tries[min(best + 1, len(tries) - 1)], 40)
    narrow, gain, off = peeled(wide)
    if not off <= NEAR * np.abs(h).max():
        return None
    return Kind("dog", gain, {"sigma": narrow, "ratio": wide / narrow})


def _derivative(h: np.ndarray) -> Kind | None:
    """−gain · i/σ² · Gaussian."""
    middle = len(h) // 2
    i = np.arange(1, middle + 1)
    e = h[middle + 1:] / i
    if (e * e[0] <= 0).any():
        return None
    sigma = width_of(np.concatenate([[0.0], e]), 1)
    if not middle >= REACHES * sigma:
        return None
    own = _fit(bell(sigma), middle)
    model = -np.arange(-middle, middle + 1) / sigma**2 * own
    gain = float(h[middle + 1] / model[middle + 1])
    return Kind("derivative", gain, {"sigma": sigma}) if _same(h, gain * model) else None


def in_space(taps: np.ndarray) -> Kind | None:
    """The same on two or three axes; the derivative, a product, is found by its factors."""
    if any(n % 2 == 0 for n in taps.shape) or max(taps.shape) < 5 or parity(taps) != "even":
        return None
    everything = tuple(range(taps.ndim))
    lines = [taps.sum(axis=tuple(a for a in everything if a != axis)) for axis in everything]
    if min(len(line) for line in lines) < 5:
        return None
    for find, make in ((_unsharp, _whole_unsharp), (_log, _whole_log), (_dog, _whole_dog)):
        kinds = [find(line) for line in lines]
        if all(kinds):
            sigmas = tuple(float(k.parameters["sigma"]) for k in kinds if k)
            rest = {word: float(np.mean([k.parameters[word] for k in kinds if k])) for word in kinds[0].parameters  # type: ignore
                    if word != "sigma"}
            gain = float(np.mean([k.gain for k in kinds if k]))
            if _same(taps, gain * make(sigmas, taps.shape, **rest)):
                return Kind(kinds[0].name, gain, {"sigma": sigmas, **rest})  # type: ignore[union-attr]
            return None
    return None


def _bells(sigmas: tuple[float, ...], shape: tuple[int, ...]) -> list[np.ndarray]:
    return [_fit(bell(s), n // 2) for s, n in zip(sigmas, shape, strict=True)]


def _whole_unsharp(sigmas: tuple[float, ...], shape: tuple[int, ...], amount: float) -> np.ndarray:
    taps: np.ndarray = -amount * product(_bells(sigmas, shape))
    taps[tuple(n // 2 for n in shape)] += 1 + amount
    return taps


def _whole_log(sigmas: tuple[float, ...], shape: tuple[int, ...]) -> np.ndarray:
    smooth = _bells(sigmas, shape)
    bent = [e * ((np.arange(len(e)) - len(e) // 2) ** 2 / s**2 - 1) / s**2 for e, s in zip(smooth, sigmas, strict=True)]
    parts: list[Any] = [product([bent[b] if a == b else smooth[b] for b in range(len(shape))]) for a in range(len(shape))]
    return sum(parts[1:], parts[0])


def _whole_dog(sigmas: tuple[float, ...], shape: tuple[int, ...], ratio: float) -> np.ndarray:
    return product(_bells(sigmas, shape)) - product(_bells(tuple(ratio * s for s in sigmas), shape))
