"""All kernels of a bank on one grid as one matrix A, with its transpose, its edges, and what stands near (AᴴA)⁻¹."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from .bulk import Bulk, period
from .parts import Part

__all__ = ["Diagonal", "Flat", "System", "near", "system_of"]

FRAME = 4096  # taps up to which a frame's own matrix is looked at
ALONE = 1e-10  # what may stand beside a diagonal, relative to it, for it to count as one


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

    def section(self, a: int, z: int) -> tuple[System, list[slice]]:
        """The columns a … z−1 of A on a line with zeros beyond, and each kernel's rows there."""
        cut = [p.section(a, z) for p in self.parts]
        return System(tuple(p for p, _ in cut), self.real), [rows for _, rows in cut]

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

    def painless(self) -> bool:
        """Whether the samples of every single frame are told apart by its filters alone: S is diagonal, edges included."""
        if self.parts[0].channels > 1:
            return False
        for p in self.parts:
            flat = p.w.reshape(p.w.shape[0], -1)
            if not 1 < flat.shape[1] <= FRAME or len(flat) * (1 + np.iscomplexobj(flat)) < flat.shape[1]:
                if flat.shape[1] == 1:
                    continue
                return False
            gram = np.conj(flat.T) @ flat
            gram = gram.real if self.real else gram
            if np.abs(gram - np.diag(np.diagonal(gram))).max() > ALONE * np.abs(gram).max():
                return False
        return True


def system_of(parts: Sequence[Part], complex_: bool, real: bool | None, limit: float) -> System:
    """NumPy in double precision. Whether the signal is real is asked of the coefficients (`complex_`), and of complex taps: those
    that see half of the spectrum are for real signals."""
    double = tuple(replace(p, w=arrays.accurate(arrays.to_numpy(p.w))) for p in parts)
    if real is not None:
        return System(double, bool(real))
    if not any(np.iscomplexobj(p.w) for p in double):
        return System(double, not complex_)
    size = tuple(-(-max(2 * max(p.spans[i] for p in double), 64) // s) * s for i, s in enumerate(period(double)))
    least, most = Bulk(double, size, False).extremes()
    return System(double, least * limit < most)


class Flat:
    """1 / B: no more than a scale, which adds nothing that Aᴴ does not reach."""

    exact = False

    def __init__(self, most: float):
        self.most = most

    def solve(self, z: np.ndarray, limit: float) -> np.ndarray:
        """z / B."""
        return z / self.most


class Diagonal:
    """1 / diagonal of S."""

    exact = False

    def __init__(self, system: System):
        self.values = system.diagonal()

    def solve(self, z: np.ndarray, limit: float) -> np.ndarray:
        """z / diagonal, 0 where nothing is read."""
        floor = self.values.max(initial=0) / limit
        return z * np.where(self.values > floor, 1 / np.where(self.values > floor, self.values, 1), 0)


def near(system: System, bulk: Bulk) -> Any:
    """Which stands nearer to S⁻¹: what `bulk` knows of frequencies, or the diagonal; tried on noise away from the edges."""
    if bulk.exact or len(system.n) > 1:
        return bulk
    middle = system.without_edges(bulk.size[0])
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, *middle.shape)) + (0 if system.real else 1j * rng.standard_normal((1, *middle.shape)))
    z, inner = middle.normal(x), slice(middle.n[0] // 4, 3 * middle.n[0] // 4)
    diagonal = Diagonal(middle)
    errors = [np.linalg.norm((p.solve(z, 1e12) - x)[..., inner]) for p in (bulk, diagonal)]
    return bulk if errors[0] <= errors[1] else diagonal
