"""Kernels that know directions: differences along the axes, and templates that turn.

Angles are in degrees, from the last axis towards the one before it: on an image 0 is along the rows and 90 down the columns, on
a spectrogram 45 rises. The elevation, in 3D, leads out of that plane towards the first axis: on a video, (t, y, x), a thing
that moves by v pixels a frame lies along the elevation atan(1/v). Axes in the unit of the last keep their true lengths; others
count in steps of their own, so that on a spectrogram or a video angles are those of the picture, bin by frame or pixel by frame.
"""

from __future__ import annotations

from math import ceil, log, pi, prod, sqrt
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError
from ..scales import note_to_hz
from ..signal import Signal
from .registry import DEGREES, LENGTH, LENGTHS, OCTAVES, PITCH, Parameter, centred, family, limit, number, on_grid, per, product
from .shapes import NEAR, alike, bell, radius, sigmas

__all__ = ["corner", "derivative", "edge", "endpoint", "gabor", "motion"]

DIFFERENCE, MEAN = np.array([1.0, -1.0]), np.array([0.5, 0.5])
TINY = 1e-9  # of a direction: flatter than this along an axis is flat
ANGLE = Parameter(DEGREES, 0.0, "from the last axis towards the one before it")
ELEVATION = Parameter(DEGREES, 0.0, "out of that plane towards the first axis, in 3D")


@family("gradient", formula={1: "[1, −1]", 2: "one an axis, y and x: [1, −1] along it ⊗ [½, ½] along the other",
                             3: "one an axis, z, y and x: [1, −1] along it ⊗ [½, ½] ⊗ [½, ½] along the others"},
        facts={"dc": 0.0, "zero_mean": True, "slope": 6.02, "symmetry": "odd", "norm1": 2.0,
               "norm2": {1: sqrt(2), 2: 1.0, 3: sqrt(0.5)}, "delay": 0.5})
def edge(like: Domain) -> Signal:
    """The gradient, one channel an axis: the difference along it, the mean of neighbours along the others.

    On a line the two taps [1, −1]: value `()`, zero at DC, +6.02 dB an octave, half a sample of delay. In d > 1
    dimensions value `(d,)`, each ``[1, −1] ⊗ [½, ½] ⊗ …``, so that all stand at the same half sample and a ramp of slope 1
    a step gives 1.

    >>> import sigconv as sc
    >>> edge(sc.line(1, 8000)).data, edge(sc.grid(1, 1)).data[0]
    (array([ 1., -1.]), array([[ 0.5,  0.5],
           [-0.5, -0.5]]))
    """
    grid = on_grid(like, (2,) * like.ndim, (0,) * like.ndim)
    return _one_an_axis(like, [DIFFERENCE] * like.ndim, [MEAN] * like.ndim, grid)


def _one_an_axis(like: Domain, along: list[Array], across: list[Array], grid: Domain | None = None) -> Signal:
    """A bank of products: channel a has along[a] along axis a, across[b] along every other axis b; `()` on a line."""
    ndim = like.ndim
    filters = [product([along[b] if a == b else across[b] for b in range(ndim)]) + 0.0 for a in range(ndim)]
    grid = grid or centred(like, filters[0]).domain
    return Signal(filters[0], grid) if ndim == 1 else Signal(arrays.namespace(filters[0]).stack(filters), grid, like.name)


@family(formula={1: "−i/σ² · g(i), g the Gaussian", 2: "one an axis, y and x: −i/σ² · g(i) along it ⊗ g along the other",
                 3: "one an axis, z, y and x: −i/σ² · g(i) along it ⊗ g ⊗ g along the others"},
        parameters={"sigma": Parameter(LENGTHS, "2 steps", "standard deviation")},
        facts={"dc": 0.0, "zero_mean": True, "slope": 6.02, "symmetry": "odd", "delay": 0.0})
def derivative(like: Domain, sigma: Any = None) -> Signal:
    """The slope, seen through a blur: the derivative of a Gaussian, one channel an axis, without delay.

    `sigma`: as for `gaussian`. Per step, the taps of `scipy.ndimage.gaussian_filter` with order 1 along the axis; value
    `()` on a line, `(d,)` in d > 1 dimensions.

    >>> import sigconv as sc
    >>> derivative(sc.line(1, 8000)).domain.shape, derivative(sc.grid(1, 1)).channels
    ((17,), ('y', 'x'))
    """
    widths = sigmas(sigma, like)
    return _one_an_axis(like, alike([_sloped(s) for s in widths]), alike([bell(s) for s in widths]))


def _sloped(sigma: Any) -> Array:
    """The derivative of the Gaussian, per step."""
    _, (width, i) = arrays.constants(sigma, np.arange(-radius(sigma), radius(sigma) + 1.0))
    return -i / width**2 * bell(sigma)


@family(formula={2: "[1, −1] along y ⊗ [1, −1] along x", 3: "[1, −1] along z ⊗ along y ⊗ along x"},
        refused={1: "on a line a corner is an edge"},
        facts={"dc": 0.0, "zero_mean": True, "slope": {2: 12.04, 3: 18.06}, "symmetry": {2: "even", 3: "odd"},
               "norm1": {2: 4.0, 3: 8.0}, "norm2": {2: 2.0, 3: sqrt(8)}, "delay": 0.5})
def corner(like: Domain) -> Signal:
    """Where edges of all axes meet: the difference along every axis; straight edges along an axis give nothing.

    >>> import sigconv as sc
    >>> corner(sc.grid(1, 1)).data
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    return Signal(product([DIFFERENCE] * like.ndim), on_grid(like, (2,) * like.ndim, (0,) * like.ndim))


@family("lineend", formula={2: "one an axis, y and x: [1, −1] along it ⊗ [−1, 2, −1] along the other",
                            3: "one an axis, z, y and x: [1, −1] along it ⊗ [−1, 2, −1] ⊗ [−1, 2, −1] along the others"},
        refused={1: "a thin line needs a second axis to be thin in; on a line its end is an edge"},
        facts={"dc": 0.0, "zero_mean": True, "slope": {2: 18.06, 3: 30.1}, "symmetry": "odd", "norm1": {2: 8.0, 3: 32.0},
               "norm2": {2: sqrt(12), 3: sqrt(72)}, "delay": "0.5 along its axis"})
def endpoint(like: Domain) -> Signal:
    """Where a thin line ends, one channel an axis: the difference along it, the second difference across, negated.

    Zero on straight lines without end and on straight edges, both along the axes.

    >>> import sigconv as sc
    >>> endpoint(sc.grid(1, 1)).data[1]
    array([[ 0., -1.,  1.],
           [ 0.,  2., -2.],
           [ 0., -1.,  1.]])
    """
    return _one_an_axis(like, [np.array([0.0, 1.0, -1.0])] * like.ndim, [np.array([-1.0, 2.0, -1.0])] * like.ndim)


@family(formula={2: "length of the segment in each pixel / length, along `angle`",
                 3: "length of the segment in each voxel / length, along `angle` and `elevation`"},
        refused={1: "on a line it is box"},
        parameters={"length": Parameter(LENGTH, "9 steps", "of the path, at least one step"), "angle": ANGLE,
                    "elevation": ELEVATION},
        facts={"dc": 1.0, "symmetry": "even", "norm1": 1.0, "delay": 0.0})
def motion(like: Domain, length: Any = None, angle: Any = 0.0, elevation: Any = 0.0) -> Signal:
    """Motion blur: the mean along a straight path, centred.

    `length`: in the unit of the last axis; 9 steps by default. `angle` 0 is along the last axis, 90 along the one before it;
    `elevation`, in 3D only, leads from there to the first axis: on a video 45 follows what moves by a pixel a frame.
    Each pixel counts by the length of path inside it: along an axis that is `box`, and lines in between are smooth.

    >>> import sigconv as sc
    >>> (motion(sc.grid(1, 1), 3, 90).data * 3).tolist()
    [[1.0], [1.0], [1.0]]
    """
    step = float(like.step[-1])
    length = 9 * step if length is None else length
    size = number(length, "length", like.unit[-1], least=step * (1 - NEAR)) / step
    speed = [u / pace for u, pace in zip(direction(like, angle, elevation), paces(like), strict=True)]
    reaches = [max(ceil(size / 2 * abs(number(v, "angle")) - 0.5 - NEAR), 0) for v in speed]
    xp, (half, *rest) = arrays.constants(length, *speed, *_indices(reaches))
    half = half / (2 * step)
    first, last = -half, half  # of the path, in steps of the last axis: what lies inside each pixel
    for v, i in zip(rest[: like.ndim], rest[like.ndim:], strict=True):
        v = xp.where(xp.abs(v) < TINY, TINY * xp.ones_like(v), v)
        enters, leaves = (i - 0.5) / v, (i + 0.5) / v
        first = xp.maximum(first, xp.minimum(enters, leaves))
        last = xp.minimum(last, xp.maximum(enters, leaves))
    inside = last - first
    return centred(like, xp.where(inside > TINY, inside, xp.zeros_like(inside)) / (2 * half))


@family(formula={1: "g(x)·exp(2πi·frequency·x + i·phase), g(x) = exp(−x²/2σ²)/(σ√2π), |x| ≤ 3σ",
                 2: "g(y)·g(x)·exp(2πi·frequency·(x, y)·u + i·phase), u along `angle`",
                 3: "g(z)·g(y)·g(x)·exp(2πi·frequency·(x, y, z)·u + i·phase), u along `angle` and `elevation`"},
        parameters={"frequency": Parameter(PITCH, "A4 or rate/8", "of its wave, along the last axis at angle 0"),
                    "bandwidth": Parameter(OCTAVES, 1.0, "between its half gains"), "angle": ANGLE, "elevation": ELEVATION,
                    "phase": Parameter(DEGREES, 0.0, "of its wave at the centre")},
        facts={"symmetry": "even", "delay": 0.0})
def gabor(like: Domain, frequency: Any = None, bandwidth: Any = 1.0, angle: Any = 0.0, elevation: Any = 0.0,
          phase: Any = 0.0) -> Signal:
    """A wave under a Gaussian, turned to `angle`: the best of both, where and how often (Gabor, 1946).

    `frequency`: a note's name or cycles per unit of the last axis, below rate/2; A4 by default on seconds (rates of 5000 and
    more), elsewhere rate/8. `bandwidth`: octaves between the frequencies of half gain, 1 by default. Real and imaginary part
    are a quadrature pair: the magnitude of the result is the strength of the wave, whatever its phase. The gain at its
    frequency is 1; that at DC is 1/512 for one octave, 1/7 for two. The taps of `skimage.filters.gabor_kernel`.

    >>> import sigconv as sc
    >>> k = gabor(sc.grid(1, 1), 0.25, angle=30)
    >>> k.domain.shape, round(float(abs(k.data).sum()), 2)
    ((15, 15), 1.0)
    """
    step, unit = float(like.step[-1]), like.unit[-1]
    if frequency is None:
        frequency = 440.0 if unit == "s" and 1 / step >= 5000 else 1 / (8 * step)
    elif isinstance(frequency, str):
        frequency = note_to_hz(frequency)
    pitch = number(frequency, "frequency", per(unit), above=0, below=1 / (2 * step)) * step
    octaves = number(bandwidth, "bandwidth", "octaves", above=0)
    number(phase, "phase", DEGREES)
    pace, turn = paces(like), direction(like, angle, elevation)
    spread = _spread(2.0**octaves) / pitch  # of the Gaussian, in steps of the last axis
    reaches = [ceil(max(3 * spread / p, 1)) for p in pace]
    xp, (f, wide, shift, *rest) = arrays.constants(frequency, bandwidth, phase, *turn, *_indices(reaches))
    sigma = _spread(2**wide) / (f * step)
    places = [i * p for i, p in zip(rest[like.ndim:], pace, strict=True)]
    along = sum(u * x for u, x in zip(rest, places, strict=False))
    far = sum(x**2 for x in places)
    window = xp.exp(-far / (2 * sigma**2)) * (prod(pace) / (sqrt(2 * pi) * sigma) ** like.ndim)
    angles = 2 * pi * f * step * along + shift * (pi / 180)
    return centred(like, window * xp.cos(angles) + 1j * (window * xp.sin(angles)))


def _spread(ratio: Any) -> Any:
    """σ times frequency for half gains this ratio apart: exp(−(2πσ(f₂ − f)(…))²/2) = ½ at both ends."""
    return sqrt(log(2) / 2) / pi * (ratio + 1) / (ratio - 1)


def direction(like: Domain, angle: Any, elevation: Any) -> list[Any]:
    """The unit vector of these angles, an axis each."""
    turned, raised = number(angle, "angle", DEGREES), number(elevation, "elevation", DEGREES)
    if (turned and like.ndim < 2) or (raised and like.ndim < 3):
        what, size = ("angle", turned) if like.ndim == 1 and turned else ("elevation", raised)
        raise UsageError(f"{what} {size:g} on {like.ndim} {'axis' if like.ndim == 1 else 'axes'}: wanted 0, "
                         + ("a line has one direction" if like.ndim == 1 else "it leads out of the plane of an image"))
    xp, (a, e) = arrays.constants(angle, elevation)
    a, e = a * (pi / 180), e * (pi / 180)
    level = xp.cos(e)
    return [xp.sin(e), level * xp.sin(a), level * xp.cos(a)][3 - like.ndim:]


def paces(like: Domain) -> list[float]:
    """What a step of each axis measures in steps of the last: its true length where they share a unit, else one."""
    return [float(s / like.step[-1]) if u == like.unit[-1] else 1.0 for s, u in zip(like.step, like.unit, strict=True)]


def _indices(reaches: list[int]) -> list[np.ndarray]:
    """−r … r of each axis, standing so that they broadcast to the taps."""
    limit([2 * r + 1 for r in reaches])
    return list(np.ogrid[tuple(slice(-r, r + 1.0) for r in reaches)])
