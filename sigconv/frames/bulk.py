"""The frame operator S = Aᴴ A of a bank far from the edges, where it is solved exactly, frequency by frequency.

On a circle of N samples, N a multiple of every stride, a filter of stride s reads frequencies that lie N/s apart as one:

    S[f, f′] = (1/s) Σ_m conj ĥ_m(f) ĥ_m(f′)   where f ≡ f′ (mod N/s), and 0 elsewhere.

So S falls into N/q small Hermitian matrices, q the least common multiple of the strides: one for the q frequencies that are
confused, times the channels of a layer. Each is inverted on its own; their eigenvalues are those of S. Where q is large the
frequencies are taken as if each stood alone: exact for bands narrower than their rate, and near otherwise. For a real signal
under complex taps, S is the mean of that of the taps and of their conjugates; on a line the matrices at −f are then those at f,
conjugated, and half of them are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm, prod
from typing import Any

import numpy as np

from ..engines import pocket
from .parts import Part

__all__ = ["CIRCLE", "Bulk", "period"]

LARGEST = 256  # rows of a small matrix
CIRCLE = 2**23  # entries of all of them
PIECE = 2**21  # values of transforms at a time


def period(parts: Sequence[Part]) -> tuple[int, ...]:
    """The least common multiple of the strides, an axis."""
    return tuple(lcm(*(p.stride[i] for p in parts)) for i in range(len(parts[0].n)))


class Bulk:
    """S on a circle of `size` samples an axis, multiples of the period, as small matrices (groups, r, r)."""

    def __init__(self, parts: Sequence[Part], size: tuple[int, ...], real: bool):
        self.size, self.real, self.channels = size, real, parts[0].channels
        q = period(parts)
        rows = self.channels * prod(q)
        self.exact = rows <= LARGEST and rows * prod(size) * self.channels <= CIRCLE
        self.q = q if self.exact else (1,) * len(q)
        self.groups = tuple(n // q for n, q in zip(size, self.q, strict=True))  # frequencies before they are confused
        self.kept = (self.groups[0] // 2 + 1,) if real and len(size) == 1 else self.groups
        self.matrices: np.ndarray = sum(self._of(p) for p in parts)  # type: ignore[assignment]
        self._inverse: np.ndarray | None = None
        self._extremes: tuple[float, float] | None = None
        self._rest = 0.0

    def _of(self, p: Part) -> np.ndarray:
        """The matrices of one kernel."""
        if self.q == (1,) and self.channels == 1:
            return _energy(p, self.size[0], self.real)[: self.kept[0], None, None]
        rows, each = self.channels * prod(self.q), max(PIECE // (self.channels * prod(self.size)), 1)
        total = np.zeros((prod(self.kept), rows, rows), np.complex128)
        for i in range(0, p.w.shape[0], each):
            h = self._grouped(_response(p, slice(i, i + each), self.size))
            total += np.conj(h.swapaxes(1, 2)) @ h
            if self.real and np.iscomplexobj(p.w):
                h = self._grouped(_response(p, slice(i, i + each), self.size, mirrored=True))
                total += np.conj(h.swapaxes(1, 2)) @ h
        if self.real and np.iscomplexobj(p.w):
            total /= 2
        if self.exact:
            total *= _confused(self.q, p.stride, self.channels)
        return total / prod(p.stride)

    def _grouped(self, h: np.ndarray) -> np.ndarray:
        """(m, c, *N) → (groups, m, c·q)."""
        d, lead = len(self.size), h.shape[:2]
        h = h.reshape(*lead, *(e for q, g in zip(self.q, self.groups, strict=True) for e in (q, g)))[..., : self.kept[-1]]
        h = h.transpose(*(3 + 2 * i for i in range(d)), 0, 1, *(2 + 2 * i for i in range(d)))
        return np.ascontiguousarray(h.reshape(prod(self.kept), lead[0], -1))

    def scattered(self, h: np.ndarray, batch: int) -> np.ndarray:
        """(groups, b, c·q) → (b, c, *N), the inverse of `_grouped`."""
        d = len(self.size)
        h = h.reshape(*self.kept, batch, self.channels, *self.q)
        h = h.transpose(d, d + 1, *(e for i in range(d) for e in (d + 2 + i, i)))
        if self.kept != self.groups:  # −(g + i·G) = (G − g) + (q − 1 − i)·G
            rest = h[..., ::-1, self.groups[0] - self.kept[0]: 0: -1]
            h = np.concatenate([h, np.conj(rest)], axis=-1)
        return h.reshape(batch, self.channels, *self.size)

    def extremes(self) -> tuple[float, float]:
        """The least and the largest eigenvalue, A and B of the bank without edges."""
        if self._extremes is None:
            values = self.matrices.real if self.matrices.shape[1] == 1 else np.linalg.eigvalsh(self.matrices)
            self._extremes = max(float(values.min()), 0.0), float(values.max())
        return self._extremes

    def shared(self) -> float:
        """Of the power that is heard at f or −f, how much is heard at both: near 0 where filters take one side."""
        power = self.scattered(np.einsum("gii->gi", self.matrices)[:, None], 1)[0].real.sum(0)
        axes = tuple(range(power.ndim))
        turned = np.roll(np.flip(power, axes), 1, axes)
        return float(np.minimum(power, turned).sum() / (np.maximum(power, turned).sum() or 1.0))

    def vectors(self, limit: float) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues (groups, r) and for each frequency (N,) how much of it lies in directions below B/limit (1: all)."""
        values, vectors = np.linalg.eigh(self.matrices)
        lost = values < values.max() / limit
        share = np.einsum("gre,ge->gr", np.abs(vectors) ** 2, lost.astype(float))
        return values, self.scattered(share[:, None, :].astype(complex), 1)[0].real.mean(0)

    def solve(self, z: np.ndarray, limit: float) -> np.ndarray:
        """S⁻¹ z for z (b, c, *n) that fits into the circle; directions below B/limit are left at 0."""
        if self._inverse is None:
            self._inverse = _inverse(self.matrices, *self.extremes(), limit, self._rest)
        f = self._grouped(_spectrum(z, self.size))
        x = f * self._inverse[:, 0, :, None].swapaxes(1, 2) if self._inverse.shape[1] == 1 else f @ self._inverse.swapaxes(1, 2)
        x = self.scattered(x, z.shape[0])
        x = pocket.ifftn(x[..., : self.size[-1] // 2 + 1] if self.real else x, self.size, self.real)
        cut: Any = (..., *(slice(k) for k in z.shape[2:]))
        return x[cut]

    def fill(self) -> None:
        """From now on `solve` takes directions below B/limit for average ones: what stands in for them is the edges' doing."""
        self._rest, self._inverse = 1 / (self.extremes()[1] or 1.0), None


def _spectrum(x: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """All frequencies of the last axes, zeros beyond the end."""
    if np.iscomplexobj(x) or len(size) > 1:
        return np.fft.fftn(x, size, axes=tuple(range(-len(size), 0)))
    half = pocket.rfft(x, size[0])
    return np.concatenate([half, np.conj(half[..., (size[0] - 1) // 2: 0: -1])], axis=-1)


def _energy(p: Part, size: int, real: bool) -> np.ndarray:
    """Σ_m |ĥ_m|² / s on a circle: the transform of what the taps have in common with themselves, which is short."""
    w, lags = p.w[:, 0], np.arange(1 - p.w.shape[2], p.w.shape[2])
    r = np.fft.ifft(np.sum(np.abs(np.fft.fft(w, 2 ** len(lags).bit_length())) ** 2, axis=0))[lags]
    round_ = np.zeros(size, complex)
    np.add.at(round_, lags * p.dilation[0] % size, r.real if real else r)
    return np.fft.fft(round_).real / p.stride[0] + 0j


def _response(p: Part, rows: slice, size: tuple[int, ...], mirrored: bool = False) -> np.ndarray:
    """ĥ(f) of some filters on the circle, each turned to where its outputs stand."""
    w = np.conj(p.w[rows]) if mirrored else p.w[rows]
    round_: Any = np.zeros((*w.shape[:2], *size), np.result_type(w, np.float64))
    every: Any = (slice(None), slice(None))
    places = [np.arange(k) * d % n for k, d, n in zip(w.shape[2:], p.dilation, size, strict=True)]
    if all(len(np.unique(at)) == len(at) for at in places):
        round_[(*every, *np.ix_(*places))] = w
    else:
        np.add.at(round_, (*every, *np.ix_(*places)), w)
    h = _spectrum(round_, size)
    for axis, (n, first) in enumerate(zip(size, p.first, strict=True)):
        turn = np.exp(2j * np.pi * (np.arange(n) * (first % n) % n) / n)
        h *= turn.reshape(-1, *(1,) * (len(size) - 1 - axis))
    return h


def _confused(q: tuple[int, ...], stride: tuple[int, ...], channels: int) -> np.ndarray:
    """Which of the q frequencies of a group a stride takes for one another: (c·q, c·q)."""
    same = np.ones((channels, channels))
    for total, s in zip(q, stride, strict=True):
        a = np.arange(total) % (total // s)
        same = np.kron(same, (a[:, None] == a[None, :]).astype(float))
    return same


def _inverse(S: np.ndarray, least: float, most: float, limit: float, rest: float) -> np.ndarray:
    floor = most / limit
    if S.shape[1] > 1 and least > floor:
        return np.linalg.inv(S)
    values, vectors = (S.real[..., 0], None) if S.shape[1] == 1 else np.linalg.eigh(S)
    turned = np.where(values > floor, 1 / np.where(values > floor, values, 1), rest)
    return turned[..., None] + 0j if vectors is None else (vectors * turned[:, None, :]) @ np.conj(vectors.swapaxes(1, 2))
