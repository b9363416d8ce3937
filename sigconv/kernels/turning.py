"""Banks of waves in many directions: Gabor's in space, and those of what moves which way.

Directions are those of `oriented`: `angle` in degrees from the last axis towards the one before it, `elevation` out of that plane
towards the first. A bank has value `(m,)`, its channels named by what they answer to, and is differentiable in every parameter
that is a tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import UsageError
from ..signal import Signal
from .oriented import gabor
from .registry import DEGREES, limit, number, per, whole
from .shapes import alike

__all__ = ["directions", "drifting", "gabors"]


def directions(ndim: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` directions that share out the half circle (2 axes) or the half sphere (3) evenly: their angles and elevations.

    A direction and its opposite are one: half is all. In 3D a spiral by the golden angle.

    >>> directions(2, 4)[0].tolist()
    [0.0, 45.0, 90.0, 135.0]
    """
    m = whole(count, "count")
    if ndim == 2:
        return np.arange(m) * (180 / m), np.zeros(m)
    if ndim == 3:
        return np.arange(m) * 180 * (3 - np.sqrt(5)) % 360, np.degrees(np.arcsin((np.arange(m) + 0.5) / m))
    if m > 1:
        raise UsageError(f"{m} directions on {ndim} axis: wanted 1, a line has one")
    return np.zeros(1), np.zeros(1)


def gabors(like: Any, frequency: Any, angle: Any = None, elevation: Any = 0.0, *, bandwidth: Any = 1.0) -> Signal:
    """Gabor's waves at every frequency in every direction, quadrature pairs: simple cells, whose magnitude is the complex cell.

    Each is `gabor` of its `frequency` (cycles per unit of the last axis), `angle` and `elevation` (degrees; they go together, an
    entry a direction; four on an image and six in a volume by default, one on a line) and `bandwidth` (octaves, for all or one a
    frequency). Frequencies run slowest: channel i·d + j has frequency i and direction j of d.

    >>> import sigconv as sc
    >>> k = gabors(sc.grid(1, 1), [0.1, 0.2], [0, 45, 90, 135])
    >>> k.value, k.channels[1]
    ((8,), '0.1 1/px 45°')

    Raises `UsageError` as `gabor`.
    """
    domain = domain_of(like, "gabors")
    if angle is None:
        angle, elevation = directions(domain.ndim, {1: 1, 2: 4, 3: 6}[domain.ndim])
    turns, rises = together(angle, elevation, "angle", "elevation")
    pitches, widths = together(frequency, bandwidth, "frequency", "bandwidth")
    found, names = [], []
    for f, wide in zip(pitches, widths, strict=True):
        for a, e in zip(turns, rises, strict=True):
            found.append(gabor(domain, f, wide, a, e))
            where = [f"{number(v, 'angle'):.4g}°" for v in (a, e)][: domain.ndim - 1]
            names.append(" ".join([f"{number(f, 'frequency'):.4g} {per(domain.unit[-1])}".strip(), *where]))
    return _stacked(found, names)


def drifting(like: Any, frequency: Any, speed: Any = 1.0, heading: Any = (0, 45, 90, 135, 180, 225, 270, 315), *,
             bandwidth: Any = 1.0) -> Signal:
    """What moves, how fast and which way: Gabor's waves in space and time, of a video (t, y, x).

    One wave for each `heading` (degrees, as `angle`) at each `speed` (steps of the last axis a frame) and `frequency` (cycles
    per unit of the last axis; slowest in order, headings fastest), in quadrature. It passes at gain 1 the wave of that frequency
    that runs along the heading at that speed; its magnitude is the motion energy of Adelson & Bergen (J. Opt. Soc. Am. A 2,
    1985). A pattern p(x − vt) has its spectrum on the plane ν_t = −v·ν: the wave is `gabor` of f·√(1 + speed²) at elevation
    −atan(speed).

    >>> import sigconv as sc
    >>> drifting(sc.grid(1, 1, 1), 0.15, [0.5, 1]).channels[9]
    '0.15 1/px 1 px/frame 45°'

    Raises `UsageError` for other than three axes, a negative speed, and frequencies whose wave is too fast for the frames.
    """
    domain = domain_of(like, "drifting")
    if domain.ndim != 3:
        raise UsageError(f"drifting on {domain.ndim} axes: what moves needs three, of a video (t, y, x)")
    pitches, widths = together(frequency, bandwidth, "frequency", "bandwidth")
    speeds, headings = listed(speed, "speed"), listed(heading, "heading")
    step, unit = float(domain.step[-1]), domain.unit[-1]
    found, names = [], []
    for f, wide in zip(pitches, widths, strict=True):
        for v in speeds:
            pace, pitch = number(v, "speed", f"{unit}/frame", least=0), number(f, "frequency", per(unit), above=0)
            if pitch * step * (1 + pace**2) ** 0.5 >= 0.5:
                raise UsageError(f"frequency {pitch:g} {per(unit)} at speed {pace:g}: wanted frequency·√(1 + speed²) below "
                                 f"{0.5 / step:g}, that frames can hold; take a slower or a longer wave")
            xp, (wave, rate) = arrays.constants(f, v)
            rise, total = -xp.atan(rate) * (180 / np.pi), wave * (1 + rate**2) ** 0.5
            found += [gabor(domain, total, wide, h, rise) for h in headings]
            names += [f"{pitch:.4g} {per(unit)} {pace:.4g} {unit}/frame {number(h, 'heading', DEGREES):.4g}°" for h in headings]
    return _stacked(found, names)


def domain_of(like: Any, name: str) -> Domain:
    domain = like.domain if isinstance(like, Signal) else like
    if not isinstance(domain, Domain):
        raise UsageError(f"{name} for a {type(like).__name__}: wanted the domain that it will act on, e.g. x.domain")
    return domain


def listed(value: Any, what: str) -> list[Any]:
    """One number or several as a list; entries of a tensor stay on its graph."""
    if arrays.is_tensor(value) or isinstance(value, np.ndarray):
        value = list(value) if value.ndim else [value]
    found = list(value) if isinstance(value, (list, tuple, range)) else [value]
    if not found:
        raise UsageError(f"{what} without entries: wanted one number or several")
    return found


def together(first: Any, second: Any, one: str, other: str) -> tuple[list[Any], list[Any]]:
    """Two parameters that go in step: a single entry serves all of the other's."""
    a, b = listed(first, one), listed(second, other)
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        raise UsageError(f"{one} with {len(a)} entries, {other} with {len(b)}: wanted as many, or one for all")
    count = max(len(a), len(b))
    return a * (count if len(a) == 1 else 1), b * (count if len(b) == 1 else 1)


def _stacked(kernels: list[Signal], names: list[str]) -> Signal:
    """Centred kernels as one bank, on the largest of their grids."""
    largest = max((k.domain for k in kernels), key=lambda d: d.size)
    limit((len(kernels), *largest.shape))
    taps = alike([k.on(largest).data for k in kernels])
    return Signal(arrays.namespace(taps[0]).stack(taps), largest, names)
