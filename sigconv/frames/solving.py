"""The least-squares signal of coefficients, x = (AᴴA)⁻¹ Aᴴ y: conjugate gradients, sections, and small cases dense.

Far from the edges S⁻¹ is known in closed form (`bulk`), and it decays: beyond its reach M a sample of z = Aᴴ y says nothing about
x. So a long line is solved in sections that overlap by M. Those inside are done by the closed form; where an edge, or a bank too
wide for it, leaves something, conjugate gradients take it away, with the closed form as preconditioner. Columns a … z−1 of A
have bounds no worse than A has (they interlace), so that sections are as well posed as the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .bulk import CIRCLE, Bulk, period
from .system import Diagonal, Flat, System, near

__all__ = ["SMALL", "Plan", "dense", "inverse", "plan", "solve"]

SMALL = 256  # unknowns up to which the matrix itself is solved
SECTION = 2**17  # samples of a section, at most, where nothing asks for more
CLOSE = {"d": 2e-14, "f": 1e-9}  # of the signal's peak: nearer than this is there, in double and in single precision
FADED = 1e-13  # of its peak: what a response has faded to at its reach
IN_ONE = 2**22  # samples that are solved in one where no closed form is exact: sections would only add to them
STEPS = 300


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a system is to be solved: with which neighbour of S⁻¹, in sections of what length, overlapping by how much."""

    system: System
    neighbour: Any  # Bulk, Diagonal, or None for the section's own diagonal
    size: int  # of a section; 0: in one
    reach: int
    flat: float = 0  # B, where an edge loses samples: what the preconditioner would put there is nobody's

    def solver(self, system: System, inside: bool = False) -> Any:
        """What preconditions a section."""
        if self.flat and not inside and isinstance(self.neighbour, Bulk):
            return Flat(self.flat)
        return Diagonal(system) if self.neighbour is None or isinstance(self.neighbour, Diagonal) else self.neighbour


def plan(system: System, limit: float) -> Plan:
    """Chosen by sizes and by how far a single sample's answer reaches."""
    q, n = period(system.parts), system.n
    if system.painless():
        in_one = len(n) > 1 or system.parts[0].padding != "zeros" or n[0] <= 2 * SECTION
        return Plan(system, None, 0 if in_one else -(-(SECTION + 4 * system.span) // q[0]) * q[0], system.span)
    whole = tuple(-(-(k + p) // p) * p for k, p in zip(n, q, strict=True))
    rows = system.shape[0] * prod(q)
    small = prod(whole) * rows <= CIRCLE // 4 and max(n) <= SECTION // 4
    if len(n) > 1 or system.parts[0].padding != "zeros" or small:
        return Plan(system, near(system, Bulk(system.parts, whole, system.real)), 0, 0)
    size = -(-max(8 * system.span, 2048) // q[0]) * q[0]
    if size >= n[0]:
        return Plan(system, near(system, Bulk(system.parts, whole, system.real)), 0, 0)
    while True:
        bulk = Bulk(system.parts, (size,), system.real)
        least, most = bulk.extremes()
        if least * limit <= most:  # something is lost: nothing fades
            return Plan(system, near(system, Bulk(system.parts, whole, system.real)), 0, 0)
        neighbour = near(system, bulk)
        if not neighbour.exact and n[0] <= IN_ONE and system.shape[0] == 1:
            return Plan(system, neighbour.stretched(whole[0]) if isinstance(neighbour, Bulk) else neighbour, 0, 0)
        reach = _reach(system, neighbour, size, limit)
        if 5 * reach <= size or size >= n[0] or 2 * size * rows > CIRCLE:
            break
        size *= 2
    if 5 * reach > size or size >= n[0]:  # no section is long enough for its ends not to meet
        return Plan(system, near(system, Bulk(system.parts, whole, system.real)), 0, 0)
    if not bulk.exact and size < SECTION < n[0]:
        size = -(-SECTION // q[0]) * q[0]
        neighbour = neighbour if isinstance(neighbour, Diagonal) else Bulk(system.parts, (size,), system.real)
    return Plan(system, neighbour, size, reach)


def solve(how: Plan, ys: Sequence[np.ndarray], limit: float, dtype: Any) -> np.ndarray:
    """x (b, c, *n) of coefficients y (b, m, *o), computed in double precision, handed back as `dtype`."""
    def rest(part: System, rows: Sequence[slice], columns: slice) -> Callable[[np.ndarray | None], np.ndarray]:
        cut = _double([y[..., r] for y, r in zip(ys, rows, strict=True)])
        return lambda x: part.backward(cut if x is None else [y - got for y, got in zip(cut, part.forward(x), strict=True)])

    return _solved(how, rest, ys[0].shape[0], limit, dtype)


def inverse(how: Plan, z: np.ndarray, limit: float) -> np.ndarray:
    """S⁻¹ z for z (b, c, *n)."""
    def rest(part: System, rows: Sequence[slice], columns: slice) -> Callable[[np.ndarray | None], np.ndarray]:
        (cut,) = _double([z[..., columns]])
        return lambda x: cut if x is None else cut - part.normal(x)

    return _solved(how, rest, z.shape[0], limit, z.dtype)


def _solved(how: Plan, rest: Callable[..., Any], batch: int, limit: float, dtype: Any) -> np.ndarray:
    """In one, or section by section; `rest` gives for a section what Aᴴ y leaves of a guess."""
    system, close = how.system, CLOSE[np.dtype(dtype).char.lower()]
    if not how.size:
        every, columns = [slice(None)] * len(system.parts), slice(None)
        x = _gradients(system, rest(system, every, columns), how.solver(system), limit, columns, close)
        return x.astype(dtype, copy=False)
    (n,), q, M = system.n, period(system.parts)[0], how.reach
    x = np.empty((batch, *system.shape), dtype)
    done = 0
    while done < n:
        a = max(done - M, 0) // q * q
        z = min(a + how.size, n)
        if z < n < z + q + M:  # leave the last one more than its margin
            z = a + 3 * how.size // 4
        part, rows = system.section(a, z)
        stop = n if z == n else z - M
        inside = a > 0 and z < n
        keep, solver, left = slice(done - a, stop - a), how.solver(part, inside), rest(part, rows, slice(a, z))
        if inside and isinstance(solver, Bulk) and solver.exact:
            found = solver.solve(left(None), limit)
        else:
            found = _gradients(part, left, solver, limit, keep, close)
        x[..., done:stop] = found[..., keep]
        done = stop
    return x


def dense(system: System, ys: Sequence[np.ndarray]) -> np.ndarray:
    """The answer of the pseudo-inverse."""
    matrix = system.dense()
    x = system.column(ys) @ np.linalg.pinv(matrix).T
    return x.reshape(x.shape[0], *system.shape)


def _double(ys: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [y.astype(np.complex128 if np.iscomplexobj(y) else np.float64, copy=False) for y in ys]


def _gradients(system: System, left: Callable[[np.ndarray | None], np.ndarray], solver: Any, limit: float,
               keep: slice, close: float) -> np.ndarray:
    """Conjugate gradients on S e = Aᴴ(y − A x), begun anew from the true rest until `keep` needs no correction."""
    x = solver.solve(left(None), limit)
    last = np.inf
    for _ in range(4):
        rest = left(x)
        step = solver.solve(rest, limit)
        peak, size = np.abs(x).max(initial=0), np.abs(step[..., keep]).max(initial=0)
        if size <= close * peak or size > last / 4:
            break
        last = size
        x = x + _descend(system, rest, step, solver, limit, keep, close * peak / 4)
    return x


def _descend(system: System, r: np.ndarray, p: np.ndarray, solver: Any, limit: float, keep: slice, close: float) -> np.ndarray:
    """One run of preconditioned conjugate gradients from 0, down to `close`, or by nine digits."""
    axes = tuple(range(1, r.ndim))
    e, d = np.zeros_like(p), p
    size = _inner(r, d, axes)
    goal = max(close, 1e-9 * np.abs(d[..., keep]).max(initial=0))
    for _ in range(STEPS):
        s = system.normal(p)
        by = _over(size, _inner(p, s, axes))
        e = e + by * p
        r = r - by * s
        d = solver.solve(r, limit)
        if np.abs(d[..., keep]).max(initial=0) <= goal:
            break
        size, before = _inner(r, d, axes), size
        p = d + _over(size, before) * p
    return e


def _inner(a: np.ndarray, b: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return np.sum((np.conj(a) * b).real, axis=axes, keepdims=True)


def _over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def _reach(system: System, neighbour: Any, size: int, limit: float) -> int:
    """How far from one sample its answer S⁻¹ δ fades to `FADED` of its peak; at a few phases of the period."""
    q, c = period(system.parts)[0], system.shape[0]
    middle = system.without_edges(size)
    solver = Diagonal(middle) if isinstance(neighbour, Diagonal) else neighbour
    places = sorted({size // 2 // q * q + phase for phase in (0, q // 2)})
    z = np.zeros((len(places), c, size), np.float64 if system.real else np.complex128)
    z[np.arange(len(places)), 0, places] = 1
    x = solver.solve(z, limit)
    if not (isinstance(solver, Bulk) and solver.exact):
        rest = z - middle.normal(x)
        x = x + _descend(middle, rest, solver.solve(rest, limit), solver, limit, slice(None), FADED * np.abs(x).max() / 100)
    far = 0
    for place, answer in zip(places, np.abs(x).max(axis=1), strict=True):
        heard = np.flatnonzero(answer > FADED * answer.max())
        far = max(far, place - int(heard[0]), int(heard[-1]) - place)
    return far + q + system.span
