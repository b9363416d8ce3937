"""The least and the largest energy that a bank gives a signal of energy 1, edges included, and what it loses.

A ‖x‖² ≤ ‖Ax‖² ≤ B ‖x‖². A and B are the extreme eigenvalues of S = AᴴA: of the matrix itself where it is small; else those
of the bulk, frequency by frequency, or those of a signal that is just long enough to have both its edges, whichever lie
further out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import inf, log10, prod
from operator import itemgetter
from typing import Any

import numpy as np

from ..domain import Domain
from .bulk import CIRCLE, Bulk, period
from .system import ALONE, Diagonal, System, near, noise

__all__ = ["Extremes", "extremes"]

LOOKED = 1024  # samples of an end whose matrix is looked at
DENSE = 512  # unknowns up to which the matrix itself is looked at
TRIES = 3  # vectors at a time
TURNS = 40
LARGE = 8192  # unknowns beyond which a quarter of these turns has to do
NEAR = 1e-4  # of B, the rest of an eigenvector at which to stop; its eigenvalue is nearer by far
PLAIN = 1e-2  # a weakest of edges beyond which a still weaker one would not hide behind it
MARGIN = 1e3  # how much better than the limit a bank must look at a glance for nobody to look again


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """A and B, and for each a system and a signal on it that has it; `lost`: what falls below B / limit, in words."""

    least: float
    most: float
    lowest: tuple[System, np.ndarray]
    highest: tuple[System, np.ndarray]
    lost: str = ""

    @property
    def condition(self) -> float:
        """B / A."""
        return self.most / self.least if self.least > 0 else inf


def extremes(system: System, limit: float, domain: Domain, glance: bool = False) -> Extremes:
    """Of S on this grid; `domain` gives the units in which losses are told. At a `glance` a bank that is far from losing
    anything has A and B of the right order only."""
    if prod(system.shape) <= DENSE:
        return _dense(system, limit, domain)
    q = period(system.parts)
    few = 256 if len(q) == 1 else 16
    circle = tuple(-(-max(2 * max(p.spans[i] for p in system.parts), few) // s) * s for i, s in enumerate(q))
    short = _shortened(system, circle)
    if len(q) == 1 and (alone := _alone(short)):
        if alone.least * limit >= alone.most:
            return alone
        lost = system.diagonal()[0] * limit < alone.most
        words = _told(float(lost.mean()), _places(lost, domain)) if lost.any() else _told_edges(alone, domain, system.n)
        return replace(alone, lost=words)
    round_ = system.parts[0].padding == "circular" and not any(n % s for n, s in zip(system.n, q, strict=True))
    bulk = Bulk(system.parts, system.n if round_ and prod((*system.shape, *q)) <= CIRCLE else circle, system.real)
    if glance and (found := _glanced(system if round_ else short, bulk, limit, round_)):
        return found
    inner = _bulk(system, bulk)
    if round_:
        found_all = [inner]
    else:
        edges = _edges(short, inner.most, limit)
        found_all = [edges] if short.n == system.n and edges.most else [inner, edges]
    least, most = min(found_all, key=lambda e: e.least), max(found_all, key=lambda e: e.most)
    words = ""
    if least.least * limit < most.most:
        share = bulk.vectors(limit)[1] if inner.least * limit < inner.most else np.zeros(())
        words = _told(float(share.mean()), _bands(share, domain)) if share.any() else _told_edges(least, domain, system.n)
    return Extremes(least.least, most.most, least.lowest, most.highest, words)


def _dense(system: System, limit: float, domain: Domain) -> Extremes:
    size = prod(system.shape)
    if not size:
        return Extremes(1.0, 1.0, (system, np.zeros((1, *system.shape))), (system, np.zeros((1, *system.shape))))
    _, values, vectors = np.linalg.svd(system.dense(), full_matrices=len(system.dense()) < size)
    values = np.concatenate([values, np.zeros(size - len(values))]) ** 2
    lost, words = values * limit <= values[0], ""
    if lost.any():
        where = np.sum(np.abs(vectors[lost]) ** 2, axis=0).reshape(system.shape).max(0)
        spectrum = np.abs(np.fft.fftn(vectors[lost].reshape(-1, *system.shape), axes=tuple(range(2, 2 + len(system.n))))) ** 2
        spectrum = spectrum.mean(1).sum(0) / prod(system.n)
        at_edges = where.max() > 0.5 and (where > 0.05).mean() < 0.5
        words = _told(float(lost.mean()), _places(where > 0.05, domain) if at_edges else _bands(spectrum, domain))
    pick = [(system, np.conj(vectors[i]).reshape(1, *system.shape)) for i in (size - 1, 0)]
    return Extremes(float(values[-1]), float(values[0]), pick[0], pick[1], words)


def _bulk(system: System, bulk: Bulk) -> Extremes:
    """Of the bank without edges; the signals are eigenvectors of one group of frequencies, on the circle."""
    found = []
    for which, pick in ((0, np.argmin), (-1, np.argmax)):
        values = np.linalg.eigvalsh(bulk.matrices)[:, which]
        group = int(pick(values))
        vector = np.zeros((len(values), 1, bulk.matrices.shape[1]), complex)
        vector[group, 0] = np.linalg.eigh(bulk.matrices[group])[1][:, which]
        x: np.ndarray = np.fft.ifftn(bulk.scattered(vector, 1), axes=tuple(range(2, 2 + len(system.n))))
        if system.real:
            x = x.real if np.linalg.norm(x.real) >= np.linalg.norm(x.imag) else x.imag
        x = x / np.linalg.norm(x)
        parts = tuple(replace(p, n=bulk.size, o=tuple(n // s for n, s in zip(bulk.size, p.stride, strict=True)),
                              padding="circular") for p in system.parts)
        found.append((max(float(values[group]), 0.0), (System(parts, system.real), x)))
    return Extremes(found[0][0], found[1][0], found[0][1], found[1][1])


def _glanced(system: System, bulk: Bulk, limit: float, round_: bool) -> Extremes | None:
    """A ≥ μ · A of the bulk, μ the least eigenvalue of S preconditioned with what is known of the bulk; None if in doubt."""
    least, most = bulk.extremes()
    if least * limit < MARGIN * most:
        return None
    weakest = 1.0 if round_ else _weakest(system, _nearest(system))
    if weakest < PLAIN:
        return None
    least *= weakest
    x = np.zeros((1, *system.shape))
    return None if least * limit < MARGIN * most else Extremes(least, most, (system, x), (system, x))


def _weakest(system: System, solver: Any) -> float:
    """The least eigenvalue of P S by Lanczos' steps from noise, which conjugate gradients take along: what edges lose lies apart
    from all others, which are near 1, and is found in a few. Stops where two steps change nothing or nothing is left."""
    r = noise(system)
    d = solver.solve(r, 1e12)
    p, size = d, float(np.vdot(r, d).real)
    by: list[float] = []
    to: list[float] = []
    first, found = size, [np.inf]
    while len(by) < TURNS and size > 1e-12 * first:
        s = system.normal(p)
        energy = float(np.vdot(p, s).real)
        if energy <= 1e-14 * size:
            return 0.0
        by.append(size / energy)
        r = r - by[-1] * s
        d = solver.solve(r, 1e12)
        size, before = float(np.vdot(r, d).real), size
        to.append(size / before)
        p = d + to[-1] * p
        main = 1 / np.array(by) + np.append(0, np.array(to[:-1]) / np.array(by[:-1]))
        found.append(float(np.linalg.eigvalsh(np.diag(main) + np.diag(np.sqrt(to[:-1]) / by[:-1], -1))[0]))
        if len(found) > 4 and found[-1] > max(0.9 * found[-3], PLAIN):
            break
    return max(found[-1], 0.0)


def _nearest(system: System) -> Any:
    """What preconditions a system in one piece."""
    solver = near(system, tuple(-(-n // s) * s for n, s in zip(system.n, period(system.parts), strict=True)))
    return Diagonal(system) if isinstance(solver, Diagonal) else solver


def _shortened(system: System, circle: tuple[int, ...]) -> System:
    """The same bank on a signal that is only as long as its two edges need; ends stand where they stood in the period."""
    cut = []
    for i, (n, s) in enumerate(zip(system.n, period(system.parts), strict=True)):
        want = max(3 * circle[i], 512 if len(circle) == 1 else 48)
        cut.append(max((n - want) // s, 0) * s)
    parts = tuple(replace(p, n=tuple(n - c for n, c in zip(p.n, cut, strict=True)),
                          o=tuple(o - c // s for o, c, s in zip(p.o, cut, p.stride, strict=True))) for p in system.parts)
    return System(parts, system.real)


def _edges(system: System, most: float, limit: float) -> Extremes:
    """By LOBPCG (Knyazev, SIAM J. Sci. Comput. 23, 2001), preconditioned with what is known of the bulk."""
    from scipy.sparse.linalg import LinearOperator, lobpcg

    if prod(system.shape) <= DENSE:
        return replace(_dense(system, limit, Domain(system.n)), lost="")
    size, dtype = prod(system.shape), np.dtype(np.float64 if system.real else np.complex128)
    solver = _nearest(system)

    def on(f: Any) -> LinearOperator:
        def many(X: np.ndarray) -> np.ndarray:
            return f(np.ascontiguousarray(X.T).reshape(-1, *system.shape)).reshape(-1, size).T

        return LinearOperator((size, size), matvec=lambda v: many(v.reshape(size, 1)), matmat=many, dtype=dtype)

    S, P = on(system.normal), on(lambda z: solver.solve(z, 1e12))
    rng = np.random.default_rng(0)
    found = []
    # zeros beyond the ends take energy away: no signal has more of it than the bulk's B, which stands for long ones
    above = system.parts[0].padding != "zeros" or size <= LARGE
    for largest in (False, True) if above else (False,):
        X = rng.standard_normal((size, TRIES)) + (0 if system.real else 1j * rng.standard_normal((size, TRIES)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values, vectors = lobpcg(S, X, M=None if largest else P, largest=largest, tol=NEAR * most,
                                     maxiter=TURNS if size <= LARGE else TURNS // 4)
        best = int(np.argmax(values) if largest else np.argmin(values))
        x = vectors[:, best].reshape(1, *system.shape)
        energy = sum(float(np.sum(np.abs(y) ** 2)) for y in system.forward(x)) / float(np.sum(np.abs(x) ** 2))
        found.append((energy, (system, x / np.linalg.norm(x))))
    if found[0][0] < most / MARGIN:  # where little is left, Lanczos' steps come nearer: A ≤ μ · B of the bulk
        found[0] = (min(found[0][0], most * _weakest(system, solver)), found[0][1])
    return Extremes(found[0][0], found[-1][0] if above else 0.0, found[0][1], found[-1][1])


def _alone(system: System) -> Extremes | None:
    """Where S is diagonal but for a few samples at each end: its diagonal, and the eigenvalues of what is left there."""
    n, diagonal = system.n[0], Diagonal(system).values
    x = noise(system)
    z = system.normal(x)
    beside = np.flatnonzero((np.abs(z - diagonal * x)[0] > ALONE * diagonal.max()).any(0))
    left, right = (int(side.max(initial=-1)) + 1 for side in (beside[beside < n // 2], n - 1 - beside[beside >= n // 2]))
    if system.shape[0] > 1 or max(left, right) > min(LOOKED, n // 3):
        return None
    ends = [(-right, left)] if system.parts[0].padding == "circular" else [(0, left), (n - right, n)]
    inside = diagonal[0, left: n - right]
    found = [(float(inside[i]), _placed(n, [left + i], np.ones(1))) for i in (np.argmin(inside), np.argmax(inside))]
    for a, stop in ends:
        if stop > a:
            values, vectors = np.linalg.eigh(system.section(a, stop)[0].gram())
            found += [(float(values[i]), _placed(n, np.arange(a, stop) % n, vectors[:, i])) for i in (0, -1)]
    (least, low), (most, high) = min(found, key=itemgetter(0)), max(found, key=itemgetter(0))
    return Extremes(max(least, 0.0), most, (system, low), (system, high))


def _placed(n: int, at: Any, values: np.ndarray) -> np.ndarray:
    """A signal with these values there."""
    x = np.zeros((1, 1, n), values.dtype)
    x[0, 0, at] = values
    return x


def _told(share: float, where: str) -> str:
    level = f"{10 * log10(share):.1f} dB".replace("-", "−") if 0 < share < 1 else "0 dB"
    return f"of white noise {level} would be lost; nothing covers {where}"


def _told_edges(least: Extremes, domain: Domain, n: tuple[int, ...]) -> str:
    """Where the weakest signal of a shortened system lies, told on the whole grid."""
    system, x = least.lowest
    heard = np.abs(x[0]).max(0) > 0.05 * np.abs(x).max()
    if len(n) > 1:
        return "samples at the edges are in hardly any coefficient"
    whole = np.zeros(n, bool)
    at = np.flatnonzero(heard)
    whole[np.where(at < system.n[0] // 2, at, at + n[0] - system.n[0])] = True
    return _told(float(whole.mean()), _places(whole, domain))


def _runs(lost: np.ndarray) -> list[tuple[int, int]]:
    """(first, last) of every run of a line."""
    edge = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int), [0]])))
    return [(int(a), int(z) - 1) for a, z in zip(edge[::2], edge[1::2], strict=True)]


def _widest(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The three longest, in order."""
    return sorted(sorted(runs, key=lambda run: run[0] - run[1])[:3])


def _places(lost: np.ndarray, domain: Domain) -> str:
    """Positions, the three longest runs of them; their number in more dimensions."""
    if lost.ndim > 1:
        return f"{int(lost.sum())} of {lost.size} samples"
    runs = _runs(lost)
    step, start = float(domain.step[0]), float(domain.start[0])
    words = [f"{(start + a) * step:.6g} … {(start + z + 1) * step:.6g} {domain.unit[0]}" for a, z in _widest(runs)]
    return ", ".join(words) + (f" and {len(runs) - 3} more" if len(runs) > 3 else "") + f" ({int(lost.sum())} samples)"


def _bands(share: np.ndarray, domain: Domain) -> str:
    """Frequencies of which more than a quarter is lost, the three widest bands."""
    if share.ndim > 1:
        return f"{100 * float((share > 0.25).mean()):.3g} % of the frequencies"
    lost = np.fft.fftshift(share > 0.25)
    n, unit = share.size, "Hz" if domain.unit[0] == "s" else f"1/{domain.unit[0]}"
    each, zero = 1 / (n * float(domain.step[0])), n // 2
    if np.array_equal(lost[zero + 1:], lost[zero - 1: 0 if n % 2 == 0 else None: -1][: n - zero - 1]):  # both sides alike
        lost = np.append(lost[zero:], lost[0] if n % 2 == 0 else [])
        zero = 0
    runs = _runs(lost)
    words = [f"{(a - zero) * each:.5g}" + (f" … {(z - zero) * each:.5g}" if z > a else "") + f" {unit}" for a, z in _widest(runs)]
    return ", ".join(words) + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")
