"""Derivatives of a Gaussian that turn: a basis for every angle at once, and how a picture bends.

Angles and elevations as in `oriented`. Differentiable in angles and widths that are tensors: a steered kernel is w = H(u), u the
angle, and taps are linear in the weights.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import ceil, factorial, prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..errors import SigconvError, UsageError
from ..signal import Signal
from .oriented import direction, paces
from .registry import centred, limit, number, product, whole
from .shapes import alike, sigmas
from .turning import domain_of, together

__all__ = ["curvature", "principal", "steerable", "steered", "steering"]

FAR = 6  # σ: how far the derivatives reach, where the fourth has fallen to 5e-6 of its peak


def steerable(like: Any, order: int = 2, sigma: Any = None) -> Signal:
    """Derivatives of a Gaussian of one order in all axes: of them every directional derivative is made, exactly.

    (∂_u)ⁿ = (Σ u_a ∂_a)ⁿ: `order` + 1 filters on an image hold those of all angles, `steering` has the weights, and what is
    filtered once may be turned afterwards (Freeman & Adelson, IEEE Trans. PAMI 13, 1991). `order` 1 to 4; `sigma` as for
    `gaussian`. Channels are the mixed derivatives, products of one factor ``g·(−1)ⁿ·Heₙ(i/σ)/σⁿ`` an axis, to 6σ, per step;
    all have sum 0. On a line one filter, value `()`.

    >>> import sigconv as sc
    >>> k = steerable(sc.grid(1, 1), 2)
    >>> k.channels, k.domain.shape
    (('∂y²', '∂y∂x', '∂x²'), (25, 25))

    Raises `UsageError` for an order that is not 1, 2, 3 or 4.
    """
    domain = domain_of(like, "steerable")
    powers = _powers(domain.ndim, order)
    factors = alike([_slopes(s, n) for s in sigmas(sigma, domain) for n in range(whole(order, "order") + 1)])
    lines = [factors[i:i + order + 1] for i in range(0, len(factors), order + 1)]
    limit((len(powers), *(len(line[0]) for line in lines)))
    made = [product([line[n] for line, n in zip(lines, power, strict=True)]) for power in powers]
    grid = centred(domain, made[0]).domain
    names = ["".join(f"∂{name}" + ("²³⁴"[n - 2] if n > 1 else "") for name, n in zip(domain.name, power, strict=True) if n)
             for power in powers]
    return Signal(made[0], grid) if domain.ndim == 1 else Signal(arrays.namespace(made[0]).stack(made), grid, names)


def steering(like: Any, order: int = 2, angle: Any = 0.0, elevation: Any = 0.0) -> Array:
    """The weights of `steerable` for the derivative along a direction, (m,), or (k, m) for k of them: n!/Πα! · Πu^α.

    Along true lengths, in steps of the last axis. Of what the basis filters gave it makes what the turned filter gives.

    >>> import sigconv as sc
    >>> steering(sc.grid(1, 1), 2, 45.0).round(6).tolist()
    [0.5, 1.0, 0.5]
    """
    domain = domain_of(like, "steering")
    powers = _powers(domain.ndim, order)
    turns, rises = together(angle, elevation, "angle", "elevation")
    rows = []
    for a, e in zip(turns, rises, strict=True):
        along = [u / pace for u, pace in zip(direction(domain, a, e), paces(domain), strict=True)]
        row = [prod((u**n for u, n in zip(along, power, strict=True) if n), start=factorial(order) / prod(map(factorial, power)))
               for power in powers]
        xp, alone = arrays.constants(*row)
        rows.append(xp.stack(alone))
    several = any(isinstance(v, (list, tuple, range)) or getattr(v, "ndim", 0) for v in (angle, elevation))
    return arrays.namespace(rows[0]).stack(alike(rows)) if several else rows[0]


def steered(like: Any, order: int = 2, angle: Any = 0.0, elevation: Any = 0.0, *, sigma: Any = None) -> Signal:
    """The derivative of a Gaussian along each direction: `steering` times `steerable`, value `()` for one and `(k,)` for k.

    >>> import sigconv as sc
    >>> k = steered(sc.grid(1, 1), 1, [0.0, 90.0])
    >>> k.channels, bool(abs(k.data[1] - k.data[0].T).max() < 1e-15)
    (('0°', '90°'), True)
    """
    domain = domain_of(like, "steered")
    basis, weights = steerable(domain, order, sigma), steering(domain, order, angle, elevation)
    taps, weights = alike([basis.data.reshape(weights.shape[-1], -1), weights])
    shape = (*weights.shape[:-1], *basis.domain.shape)
    turned = zip(*together(angle, elevation, "angle", "elevation"), strict=True)
    names = [" ".join(f"{number(v, 'angle'):.4g}°" for v in both[: max(domain.ndim - 1, 1)]) for both in turned]
    return Signal((weights @ taps).reshape(shape), basis.domain, names if weights.ndim > 1 else None)


def curvature(like: Any, sigma: Any = None) -> Signal:
    """How a picture bends, in every pair of axes: the Hessian of a Gaussian, ∂y², ∂y∂x, ∂x²; `principal` makes curvatures of it.

    `steerable` of order 2. Ridges have one large principal curvature, blobs two of one sign, saddles two of either.

    >>> import sigconv as sc
    >>> curvature(sc.grid(1, 1, 1)).value
    (6,)
    """
    return steerable(like, 2, sigma)


def principal(y: Signal) -> Signal:
    """The principal curvatures of what `curvature` made of a signal: eigenvalues of the Hessian at every place, the least first.

    Value (…, 3) in the plane becomes (…, 2), (…, 6) in space (…, 3). Along angles that the axes do not show they are what the
    second derivative has as least and most (`skimage.feature.hessian_matrix_eigvals`).

    >>> import sigconv as sc
    >>> bowl = sc.Signal(np.add.outer(np.arange(40.0) ** 2, 2 * np.arange(40.0) ** 2), sc.grid(40, 40))
    >>> principal(sc.convolve(bowl, curvature(bowl))).data[:, 20, 20].round(3).tolist()
    [2.0, 4.0]

    Raises `SigconvError` where the value does not end in the second derivatives of the axes.
    """
    ndim = y.domain.ndim
    pairs = list(combinations_with_replacement(range(ndim), 2))
    if y.value[-1:] != (len(pairs),) or ndim == 1:
        raise SigconvError(f"curvatures of value {y.value} on {ndim} axes: wanted what curvature gives, "
                           + ("(…, 3) on an image or (…, 6) in a volume" if ndim != 3 else "(…, 6)"))
    xp, lead = arrays.namespace(y.data), len(y.value) - 1
    each = [y.data[(slice(None),) * lead + (i,)] for i in range(len(pairs))]
    rows = [[each[pairs.index((min(a, b), max(a, b)))] for b in range(ndim)] for a in range(ndim)]
    values = xp.linalg.eigvalsh(xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2))
    return Signal(xp.moveaxis(values, -1, lead), y.domain)


def _slopes(sigma: Any, order: int) -> Array:
    """A derivative of the Gaussian on one axis, sigma in steps: Hermite's polynomial times it; its sum is made 0."""
    reach = ceil(FAR * number(sigma, "sigma"))
    xp, (width, i) = arrays.constants(sigma, np.arange(-reach, reach + 1.0))
    z = i / width
    g = xp.exp(-0.5 * z**2)
    g = g / xp.sum(g)
    hermite = [1.0, -z, z**2 - 1, 3 * z - z**3, z**4 - 6 * z**2 + 3][order]
    taps = g * hermite / width**order
    return taps - xp.sum(taps) * g if order else taps


def _powers(ndim: int, order: int) -> list[tuple[int, ...]]:
    """How often each axis is derived, for every mixed derivative of an order: (2, 0), (1, 1), (0, 2)."""
    n = whole(order, "order")
    if n > 4:
        raise UsageError(f"order {n}: wanted 1, 2, 3 or 4")
    return [tuple(axes.count(a) for a in range(ndim)) for axes in combinations_with_replacement(range(ndim), n)]
