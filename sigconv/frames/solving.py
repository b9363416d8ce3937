"""The least-squares signal of coefficients, x = (AᴴA)⁻¹ Aᴴ y: conjugate gradients, sections, and small cases dense.

Far from the edges S⁻¹ is known in closed form (`bulk`), and it decays: beyond its reach M a sample of z = Aᴴ y says nothing about
x. So a long line is solved in sections that overlap by M. Those inside are done by the closed form; at the two ends, and
where a bank is too wide for it, conjugate gradients take away what is left, with the closed form as preconditioner. A circular
line has one seam instead of two ends, or none where it is a whole number of periods. Columns a … z−1 of A have bounds no worse
than A has (they interlace), so that sections are as well posed as the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .bulk import Bulk, period
from .system import Diagonal, Flat, System, near

__all__ = ["SMALL", "Plan", "dense", "inverse", "plan", "solve"]

SMALL = 256  # unknowns up to which the matrix itself is solved
SECTION = 2**17  # samples of a section, where nothing asks for more
LONG = 10  # reaches in a section that takes iterations
CLOSE = {"d": 2e-14, "f": 1e-8}  # of the signal's peak: nearer than this is there, in double and in single precision
DIGITS = {"d": 1e-9, "f": 1e-4}  # what one run takes away before the rest is computed anew, in double precision always
FADED = 1e-12  # of its peak: what a response has faded to at its reach
CLEAR = 0.3  # how much a neighbour may be wrong for its answer to fade as S⁻¹ does
STEPS = 300


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a system is to be solved: with which neighbour of S⁻¹, in sections of what length, overlapping by how much."""

    system: System
    neighbour: Bulk | Diagonal
    size: int = 0  # of a section; 0: in one
    reach: int = 0
    flat: float = 0  # B, where an edge loses samples: what the preconditioner would put there is nobody's

    def solver(self, system: System, inside: bool = False) -> Any:
        """What preconditions a section."""
        if self.flat and not inside and isinstance(self.neighbour, Bulk):
            return Flat(self.flat)
        return Diagonal(system, inside and self.neighbour.exact) if isinstance(self.neighbour, Diagonal) else self.neighbour

    def sections(self) -> Iterator[tuple[int, int, int, int, bool]]:
        """Columns a … z−1, those of them that are kept, start … stop−1, and whether these lie far from every end."""
        (n,), q, M = self.system.n, period(self.system.parts)[0], self.reach
        done, last = M, n - M
        if self.system.parts[0].padding != "circular":
            yield 0, 2 * M, 0, M, False
            yield (n - 2 * M) // q * q, n, n - M, n, False
        elif any(n % p.stride[0] for p in self.system.parts):
            yield -2 * M, 2 * M, -M, M, False
        else:
            done, last = 0, n
        while done < last:
            stop = min(done + self.size - 2 * M, last)
            yield done - M, stop + M, done, stop, True
            done = stop


def _up(n: int, q: int) -> int:
    """The next multiple of q."""
    return -(-n // q) * q


def plan(system: System, limit: float) -> Plan:
    """Chosen by sizes and by how far a single sample's answer reaches."""
    q, n = period(system.parts), system.n
    size = _up(max(8 * system.span, 2048), q[0])
    while len(n) == 1 and size <= n[0]:
        neighbour = near(system, (size,))
        least, most = neighbour.extremes()
        if least * limit <= most:  # something is lost: nothing fades
            break
        reach = _up(_reach(system, neighbour, size, limit), q[0])
        if 5 * reach <= size:
            return _lengthened(Plan(system, neighbour, size, reach), q[0])
        size = _up(max(size + size // 2, 5 * reach), q[0])
    return Plan(system, near(system, tuple(_up(k + p, p) for k, p in zip(n, q, strict=True))))


def _lengthened(how: Plan, q: int) -> Plan:
    """Longer sections where these cost no more: less of them overlaps. A line hardly longer than one is solved in one."""
    neighbour, n = how.neighbour, how.system.n[0]
    if neighbour.exact and isinstance(neighbour, Bulk):
        return how
    size = _up(max(SECTION, how.size if neighbour.exact else LONG * how.reach), q)
    if not neighbour.exact and size > n:
        how, size = replace(how, size=0), _up(n + q, q)
    else:
        how = replace(how, size=size)
    return replace(how, neighbour=Bulk(how.system.parts, (size,), how.system.real)) if isinstance(neighbour, Bulk) else how


def solve(how: Plan, ys: Sequence[np.ndarray], limit: float, dtype: Any) -> np.ndarray:
    """x (b, c, *n) of coefficients y (b, m, *o), computed in double precision, handed back as `dtype`."""
    def rest(part: System, rows: Sequence[tuple[int, slice]], columns: Any) -> Callable[[np.ndarray | None], np.ndarray]:
        cut = [_double(ys[i][..., r]) for i, r in rows]
        return lambda x: part.backward(cut if x is None else [y - got for y, got in zip(cut, part.forward(x), strict=True)])

    return _solved(how, rest, ys[0].shape[0], limit, dtype)


def inverse(how: Plan, z: np.ndarray, limit: float) -> np.ndarray:
    """S⁻¹ z for z (b, c, *n)."""
    def rest(part: System, rows: Any, columns: Any) -> Callable[[np.ndarray | None], np.ndarray]:
        cut = _double(z[..., columns])
        return lambda x: cut if x is None else cut - part.normal(x)

    return _solved(how, rest, z.shape[0], limit, z.dtype)


def _solved(how: Plan, rest: Callable[..., Any], batch: int, limit: float, dtype: Any) -> np.ndarray:
    """In one, or section by section; `rest` gives for a section what Aᴴ y leaves of a guess."""
    system, close = how.system, CLOSE[np.dtype(dtype).char.lower()]
    if not how.size:
        left = rest(system, [(i, slice(None)) for i in range(len(system.parts))], slice(None))
        return _gradients(system, left, how.solver(system), limit, slice(None), close).astype(dtype, copy=False)
    x, n = np.empty((batch, *system.shape), dtype), system.n[0]
    for a, z, start, stop, inside in how.sections():
        part, rows = system.section(a, z)
        keep, solver = slice(start - a, stop - a), how.solver(part, inside)
        left = rest(part, rows, slice(a, z) if a >= 0 and z <= n else np.arange(a, z) % n)
        found = solver.solve(left(None), limit) if inside and solver.exact else _gradients(part, left, solver, limit, keep, close)
        x[..., slice(start, stop) if start >= 0 else np.arange(start, stop) % n] = found[..., keep]
    return x


def dense(system: System, ys: Sequence[np.ndarray]) -> np.ndarray:
    """The answer of the pseudo-inverse."""
    matrix = system.dense()
    x = system.column(ys) @ np.linalg.pinv(matrix).T
    return x.reshape(x.shape[0], *system.shape)


def _double(y: np.ndarray) -> np.ndarray:
    return y.astype(np.complex128 if np.iscomplexobj(y) else np.float64, copy=False)


def _gradients(system: System, left: Callable[[np.ndarray | None], np.ndarray], solver: Any, limit: float,
               keep: slice, close: float) -> np.ndarray:
    """Conjugate gradients on S e = Aᴴ(y − A x), begun anew from the true rest until `keep` needs no correction; where single
    precision is asked for, runs are in it as long as they help."""
    x = solver.solve(left(None), limit)
    last, inner = np.inf, system.single() if close >= CLOSE["f"] else system
    for _ in range(6):
        rest = left(x)
        step = solver.solve(rest, limit)
        peak, size = np.abs(x).max(initial=0), np.abs(step[..., keep]).max(initial=0)
        if size <= close * peak or (size > last / 4 and inner is system):
            break
        last, inner = size, inner if size <= last / 4 else system
        x = x + _descend(inner, rest, step, solver, limit, keep, close * peak / 4)
    return x


def _descend(system: System, r: np.ndarray, p: np.ndarray, solver: Any, limit: float, keep: slice, close: float) -> np.ndarray:
    """One run of preconditioned conjugate gradients from 0, down to `close` or by some digits."""
    axes, kind = tuple(range(1, r.ndim)), system.dtype
    r, p = r.astype(kind, copy=False), p.astype(kind, copy=False)
    e, d = np.zeros_like(p), p
    size = _inner(r, d, axes)
    goal = max(close, DIGITS[kind.char.lower()] * np.abs(d[..., keep]).max(initial=0))
    for _ in range(STEPS):
        s = system.normal(p)
        by = _over(size, _inner(p, s, axes))
        e = e + by * p
        r = r - by * s
        d = solver.solve(r, limit).astype(kind, copy=False)
        if np.abs(d[..., keep]).max(initial=0) <= goal:
            break
        size, before = _inner(r, d, axes), size
        p = d + _over(size, before) * p
    return e


def _inner(a: np.ndarray, b: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return np.sum((np.conj(a) * b).real, axis=axes, keepdims=True)


def _over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def _reach(system: System, neighbour: Bulk | Diagonal, size: int, limit: float) -> int:
    """How far from one sample S⁻¹ δ fades to `FADED` of its peak; at two phases of the period where that is cheap."""
    q, c = period(system.parts)[0], system.shape[0]
    if neighbour.exact and isinstance(neighbour, Diagonal):
        return q + system.span
    places = sorted({size // 2 // q * q + phase for phase in ((0, q // 2) if neighbour.exact else (q // 2,))})
    z = np.zeros((len(places), c, size), np.float64 if system.real else np.complex128)
    z[np.arange(len(places)), 0, places] = 1
    x = neighbour.solve(z, limit)
    if not neighbour.exact:
        middle = system.without_edges(size)
        rest = z - middle.normal(x)
        step = neighbour.solve(rest, limit)
        if isinstance(neighbour, Bulk) and np.linalg.norm(step) < CLEAR * np.linalg.norm(x):
            x = x + step
        else:
            x = x + _descend(middle, rest, step, neighbour, limit, slice(None), FADED * np.abs(x).max() / 100)
    far = 0
    for place, answer in zip(places, np.abs(x).max(axis=1), strict=True):
        heard = np.flatnonzero(answer > FADED * answer.max())
        far = max(far, place - int(heard[0]), int(heard[-1]) - place)
    return far + q + system.span
