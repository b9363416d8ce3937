"""Kernels that are a sum of a few products of lines: a difference of Gaussians, a Gabor filter at any angle, a steerable one.

A plane of taps W of rank r is a sum of r outer products. Whether r ≤ p is seen without its singular values, from p columns
mixed at random, Y = W Ω: they span the columns of W, so Q Qᵀ W = W with Q an orthonormal basis of Y. The small matrix Qᵀ W then
gives the terms, the strongest first. Of a volume the first axis is split off so, and then each of its planes.

Terms are trusted where what a split leaves out is rounding, at most 4 eps ‖w‖₁ as of one product (`separable`), twice that in
all, and where they do not cancel: Σ‖term‖₁ ≤ 4 ‖w‖₁, so that the sum of their convolutions keeps the numeric bound.
"""

from __future__ import annotations

from math import inf, prod

import numpy as np

from ..errors import SigconvError
from .job import Job
from .separable import ROUNDING, passed
from .separable import cost as separable_cost

__all__ = ["cost", "lowrank", "serves", "terms"]

MOST = 6  # terms
FEWEST = 5  # taps an axis that passes are worth
CANCELLING = 4  # ‖·‖₁ of the terms together, in ‖w‖₁
LOOK = 2e5  # ns that a look at a kernel costs, about


def serves(job: Job, kind: str) -> bool:
    """Whether these are filters on real planes or volumes, each on one channel."""
    axes = sum(k > 1 for k in job.k)
    return kind in "fd" and axes > 1 and job.channels == job.groups and min(k for k in job.k if k > 1) >= FEWEST


def cost(w: np.ndarray, job: Job, kind: str, least: float) -> float:
    """Nanoseconds, about; inf where another method, that costs `least`, is better in any case, or the kernel is no such sum."""
    each = separable_cost(job, kind) + 0.5 * job.batch * job.filters * prod(job.out)
    most = min(int((least - LOOK) / each), MOST)
    lines = terms(w, most) if most > 1 and np.isfinite(w).all() else None
    return inf if lines is None else len(lines) * each


def lowrank(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution term by term; `SigconvError` where the kernel is no such sum."""
    lines = terms(w, MOST) if np.isfinite(w).all() else None
    if lines is None:
        raise SigconvError(f"method 'lowrank' with a kernel that is no sum of {MOST} products of lines or fewer; wanted another, "
                           "or 'auto'")
    y = passed(x, lines[0], job)
    for term in lines[1:]:
        y += passed(x, term, job)
    return y


def terms(w: np.ndarray, most: int) -> list[list[np.ndarray]] | None:
    """Lines (m, 1, K_axis), one an axis, of each of at most `most` terms whose sum is w (m, 1, *k); None where it takes more.

    >>> w = np.outer([1.0, 2, 1], [1, 2, 1]) - np.outer([0, 1.0, 0], [0, 1, 0])
    >>> len(terms(w[None, None], 4)), terms(np.random.default_rng(0).normal(size=(1, 1, 9, 9)), 4)
    (2, None)
    """
    rounding, alike = ROUNDING * float(np.finfo(w.dtype).eps), len(w) > 1 and bool((w == w[:1]).all())
    found = [_terms(h[0].astype(np.float64), rounding * float(np.abs(h).sum()), most) for h in (w[:1] if alike else w)]
    found *= len(w) if alike else 1
    if not all(found):
        return None
    count = max(map(len, found))
    silent = [np.zeros(k) for k in w.shape[2:]]
    padded = [term + [silent] * (count - len(term)) for term in found]
    return [[np.stack([filters[i][axis] for filters in padded])[:, None].astype(w.dtype) for axis in range(w.ndim - 2)]
            for i in range(count)]


def _terms(h: np.ndarray, rounding: float, most: int) -> list[list[np.ndarray]]:
    """The terms of one filter, none where they are too many, leave too much out, or cancel."""
    found: list[list[np.ndarray]] = []
    for a, rest in _split(h, rounding, most):
        inner = [(rest,)] if rest.ndim == 1 else _split(rest, rounding / max(float(np.abs(a).sum()), 1e-300), most)
        if not inner:
            return []
        found += [[a, *lines] for lines in inner]
    rebuilt = sum((_outer(lines) for lines in found), np.zeros_like(h))
    size = sum(float(np.prod([np.abs(line).sum() for line in lines])) for lines in found)
    good = len(found) <= most and np.abs(h - rebuilt).sum() <= 2 * rounding and size <= CANCELLING * float(np.abs(h).sum())
    return found if good else []


def _split(h: np.ndarray, rounding: float, most: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The first axis against the others: as few pairs as leave out no more than rounding, at most `most`."""
    flat = h.reshape(len(h), -1)
    mixed = flat @ np.random.default_rng(0).normal(size=(flat.shape[1], min(most, *flat.shape)))
    basis = np.linalg.qr(mixed)[0]
    left, strength, right = np.linalg.svd(basis.T @ flat, full_matrices=False)
    root = np.sqrt(strength)
    pairs = [(basis @ left[:, i] * root[i], (root[i] * right[i]).reshape(h.shape[1:])) for i in range(len(strength))]
    rest = flat.copy()
    for count, (a, b) in enumerate(pairs, 1):
        rest -= np.outer(a, b)
        if np.abs(rest).sum() <= rounding:
            return pairs[:count]
    return []


def _outer(lines: list[np.ndarray]) -> np.ndarray:
    product = lines[0]
    for line in lines[1:]:
        product = np.multiply.outer(product, line)
    return product
