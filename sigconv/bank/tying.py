"""Taps that share their numbers, functions ``w = H(u)`` for a `Bank`: the gradient in u is the sum over all that u stands for."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import UsageError
from ..kernels.registry import whole
from ..signal import Signal

__all__ = ["ears", "octaves", "symmetric"]

LOBES = 8  # of the sinc that stands between samples


def symmetric(like: Domain, half: Any, *, sign: int = 1) -> Signal:
    """Filters of linear phase: `half` (m, r+1), the taps from the middle on, mirrored about 0; no delay at any frequency.

    `sign` −1 makes them antisymmetric, with `half` (m, r) from the first tap beside the middle on, which is 0.

    >>> import sigconv as sc
    >>> symmetric(sc.line(1, 8000), [[3.0, 2.0, 1.0]]).data
    array([[1., 2., 3., 2., 1.]])
    """
    half = _of_line(like, half, "half")
    if sign not in (1, -1):
        raise UsageError(f"sign {sign!r}: wanted 1 or −1")
    xp = arrays.namespace(half)
    rest = half[:, 1:] if sign == 1 else half
    middle = half[:, :1] if sign == 1 else xp.zeros_like(half[:, :1])
    mirrored = arrays.flip(rest, (1,))
    data = xp.concat([mirrored * sign, middle, rest], axis=1)
    return Signal(data, Domain(int(data.shape[1]), like.step, -int(rest.shape[1]), like.unit, like.name))


def octaves(like: Domain, template: Any, *, count: int = 4) -> Signal:
    """One template, `count` times, each an octave below the last: ``h_i(t) = 2^−i · template(t / 2^i)``.

    `template` (K,), centred, the highest; what lies between its samples is interpolated by a windowed sinc, so that copies hear
    an octave below what it hears, and nothing above.

    >>> import sigconv as sc
    >>> octaves(sc.line(1, 8000), sc.kernels.morlet(sc.line(1, 8000), 1500.0, 400.0).data, count=3).value
    (3,)
    """
    taps, m = arrays.asarray(template), whole(count, "count")
    if taps.ndim != 1 or like.ndim != 1:
        raise UsageError(f"template of shape {tuple(taps.shape)} on {like.ndim} axes: wanted (K,) on a line")
    k = int(taps.shape[0])
    middle, wide = (k - 1) // 2, 2 ** (m - 1)
    reach = wide * (max(middle, k - 1 - middle) + (LOBES if m > 1 else 0))
    at = np.arange(-reach, reach + 1)
    rows = []
    xp = arrays.namespace(taps)
    for i in range(m):
        u = at[:, None] / 2**i - (np.arange(k) - middle)
        between = np.sinc(u) * np.where(np.abs(u) < LOBES, np.cos(np.pi * u / (2 * LOBES)) ** 2, 0) / 2**i
        rows.append(_applied(between if i else (u == 0).astype(float), taps))
    return Signal(xp.stack(rows), Domain(len(at), like.step, -reach, like.unit, like.name))


def ears(like: Domain, taps: Any) -> Signal:
    """The same filters for the left ear and for the right: `taps` (m, K), centred, as a layer (2m, 2), left first.

    >>> import sigconv as sc
    >>> ears(sc.line(1, 8000), [[1.0, -1.0]]).data.tolist()
    [[[1.0, -1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, -1.0]]]
    """
    taps = _of_line(like, taps, "taps")
    xp = arrays.namespace(taps)
    none = xp.zeros_like(taps)
    data = xp.concat([xp.stack([taps, none], axis=1), xp.stack([none, taps], axis=1)])
    k = int(taps.shape[1])
    return Signal(data, Domain(k, like.step, -ceil((k - 1) / 2 - 0.5), like.unit, like.name), (None, ("left", "right")))


def _of_line(like: Domain, taps: Any, what: str) -> Any:
    taps = arrays.asarray(taps)
    if taps.ndim != 2 or like.ndim != 1:
        raise UsageError(f"{what} of shape {tuple(taps.shape)} on {like.ndim} {'axis' if like.ndim == 1 else 'axes'}: wanted "
                         "(m, K) on a line")
    return taps


def _applied(matrix: np.ndarray, taps: Any) -> Any:
    if isinstance(taps, np.ndarray):
        return matrix @ taps
    m = arrays.like(matrix, taps)
    return m.to(taps.dtype) @ taps
