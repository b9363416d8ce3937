"""All kernels of a bank on one grid as one matrix A, with its transpose, its edges, and what stands near (AᴴA)⁻¹."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from .bulk import PIECE, Bulk, period
from .parts import Part

__all__ = ["ALONE", "Diagonal", "Flat", "System", "near", "noise", "system_of"]

ALONE = 1e-12  # what may stand beside a diagonal, relative to it, for it to count as one
SHARED = 0.2  # of the power that filters hear at ν or −ν, what they may hear at both and still be for real signals


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """A for NumPy taps in double precision; `real` says that the signal is real, so that Aᴴ keeps the real part."""

    parts: tuple[Part, ...]
    real: bool

    @property
    def n(self) -> tuple[int, ...]:
        """Samples an axis."""
        return self.parts[0].n

    @property
    def shape(self) -> tuple[int, ...]:
        """(c, *n), one signal."""
        return (self.parts[0].channels, *self.n)

    @property
    def span(self) -> int:
        """The longest way from a first tap to its last."""
        return max(max(p.spans) for p in self.parts)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its signals."""
        kind = np.result_type(*(p.w.real.dtype for p in self.parts))
        return kind if self.real else np.result_type(kind, np.complex64)

    def single(self) -> System:
        """The same in single precision."""
        return System(tuple(replace(p, w=p.w.astype("c8" if np.iscomplexobj(p.w) else "f4")) for p in self.parts), self.real)

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """A x, one array a kernel."""
        return [p.forward(x) for p in self.parts]

    def backward(self, ys: Sequence[np.ndarray]) -> np.ndarray:
        """Aᴴ y."""
        total: Any = 0
        for p, y in zip(self.parts, ys, strict=True):
            x = p.backward(y)
            total = total + (x.real if self.real else x)
        return total

    def normal(self, x: np.ndarray) -> np.ndarray:
        """S x = Aᴴ A x."""
        return self.backward(self.forward(x))

    def section(self, a: int, z: int) -> tuple[System, list[tuple[int, slice]]]:
        """The columns a … z−1 of A on a line, and for each of its parts of whose rows it is made. A circular line is unrolled:
        columns below 0 stand before those from 0 on, with which they are read."""
        n, found = self.n[0], []
        for i, p in enumerate(self.parts):
            turns = (-n, 0, n) if p.padding == "circular" else (0,)
            cut = [(i, *p.section(a + turn, z + turn)) for turn in turns]
            found += [c for c in cut if c[2].stop > c[2].start] or cut[:1]
        return System(tuple(p for _, p, _ in found), self.real), [(i, rows) for i, _, rows in found]

    def without_edges(self, n: int) -> System:
        """n columns of A in the middle of a line that has no end; their first stands on the period."""
        q, margin = period(self.parts)[0], 2 * (self.span + max(p.stride[0] + abs(p.first[0]) for p in self.parts))
        a = -(-margin // q) * q
        long = tuple(replace(p, n=(n + 2 * a,), o=((n + 2 * a) // p.stride[0] + 1,), padding="zeros") for p in self.parts)
        return System(long, self.real).section(a, a + n)[0]

    def dense(self) -> np.ndarray:
        """A as a matrix; for a real signal under complex taps real rows, then imaginary ones."""
        size = prod(self.shape)
        rows = [y.reshape(size, -1) for y in self.forward(np.eye(size).reshape(size, *self.shape))]
        return self.column(rows).T

    def gram(self) -> np.ndarray:
        """S as a matrix, some columns at a time."""
        size, rows = prod(self.shape), sum(p.w.shape[0] * prod(p.o) for p in self.parts)
        eye, each = np.eye(size), max(PIECE // max(rows, size), 1)
        columns = [self.normal(eye[i: i + each].reshape(-1, *self.shape)) for i in range(0, size, each)]
        return np.concatenate([c.reshape(-1, size) for c in columns]).T

    def column(self, ys: Sequence[np.ndarray]) -> np.ndarray:
        """Coefficients (b, …) in the order of the rows of `dense`."""
        y = np.concatenate([y.reshape(y.shape[0], -1) for y in ys], axis=1)
        complex_ = any(np.iscomplexobj(p.w) for p in self.parts)
        if not self.real:
            return y
        return np.concatenate([y.real, y.imag], axis=1) if complex_ else y.real

    def diagonal(self) -> np.ndarray:
        """The diagonal of S, (c, *n): the energy with which each sample is read."""
        total = np.zeros(self.shape)
        for p in self.parts:
            energy = np.sum(np.abs(p.w) ** 2, axis=0, keepdims=True)
            total += replace(p, w=energy).backward(np.ones((1, 1, *p.o)))[0]
        return total


def system_of(parts: Sequence[Part], complex_: bool, real: bool | None, limit: float) -> System:
    """NumPy in double precision. Whether the signal is real is asked of the coefficients (`complex_`), and of complex taps: those
    that see half of the spectrum are for real signals."""
    double = tuple(replace(p, w=arrays.accurate(arrays.to_numpy(p.w))) for p in parts)
    if real is not None:
        return System(double, bool(real))
    if not any(np.iscomplexobj(p.w) for p in double):
        return System(double, not complex_)
    size = tuple(-(-max(2 * max(p.spans[i] for p in double), 64) // s) * s for i, s in enumerate(period(double)))
    bulk = Bulk(double, size, False)
    least, most = bulk.extremes()
    return System(double, bulk.shared() < SHARED or least * limit < most)


class Flat:
    """1 / B: no more than a scale, which adds nothing that Aᴴ does not reach."""

    exact = False

    def __init__(self, most: float):
        self.most = most

    def solve(self, z: np.ndarray, limit: float) -> np.ndarray:
        """z / B."""
        return z / self.most


class Diagonal:
    """1 / diagonal of S; `exact` where away from the edges nothing stands beside it, as in painless banks and in tight ones."""

    def __init__(self, system: System, exact: bool = False):
        self.values, self.exact = system.diagonal(), exact

    def extremes(self) -> tuple[float, float]:
        """The least and the largest."""
        return float(self.values.min()), float(self.values.max())

    def solve(self, z: np.ndarray, limit: float) -> np.ndarray:
        """z / diagonal, 0 where nothing is read."""
        floor = self.values.max(initial=0) / limit
        return z * np.where(self.values > floor, 1 / np.where(self.values > floor, self.values, 1), 0)


def noise(system: System) -> np.ndarray:
    """White noise that a system reads."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((1, *system.shape)) + (0 if system.real else 1j * rng.standard_normal((1, *system.shape)))


def near(system: System, size: tuple[int, ...]) -> Bulk | Diagonal:
    """What stands nearest to S⁻¹: the diagonal, where that is all there is; what is known of frequencies on a circle of `size`,
    where that is exact; else the nearer one, tried on noise away from the edges."""
    if len(system.n) > 1:
        return Bulk(system.parts, size, system.real)
    middle = system.without_edges(size[0])
    x = noise(middle)
    z = middle.normal(x)
    diagonal = Diagonal(middle)
    if np.abs(z - diagonal.values * x).max() <= ALONE * diagonal.values.max():
        diagonal.exact = True
        return diagonal
    bulk = Bulk(system.parts, size, system.real)
    if bulk.exact:
        return bulk
    inner = slice(size[0] // 4, 3 * size[0] // 4)
    errors = [np.linalg.norm((p.solve(z, 1e12) - x)[..., inner]) for p in (bulk, diagonal)]
    return bulk if errors[0] <= errors[1] else diagonal
