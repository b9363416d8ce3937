"""The banks of `turning` and `slopes` in words: `gabors:3,0.05,0.2,directions=6`, `steered:order=1,directions=8`.

Frequencies are spaced by octaves, in cycles per unit of the last axis; directions share out the half circle or the half sphere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..scales import spaced
from ..signal import Signal
from .banking import Range, Words, enter
from .registry import COUNT, FREQUENCY, LENGTHS, OCTAVES, PLAIN, Parameter, number, one_each, per, whole
from .slopes import curvature, steerable, steered
from .turning import directions, drifting, gabors

__all__: list[str] = []

WAVES = {"count": Parameter(COUNT, "3, or 2 in 3D", "how many frequencies"),
         "low": Parameter(FREQUENCY, "rate/20, or rate/10 in 3D", "the lowest"),
         "high": Parameter(FREQUENCY, "rate/5", "the highest")}
WIDE = {"bandwidth": Parameter(OCTAVES, 1.0, "between half gains")}
SHARED = {"directions": Parameter(COUNT, 6, "how many")}
SIGMA = {"sigma": Parameter(LENGTHS, "2 steps", "standard deviation")}
ORDER = {"order": Parameter(COUNT, 2, "1 to 4, of the derivative")}


def _waves(like: Domain, count: Any, low: Any, high: Any, bandwidth: Any, frequency: Any) -> Words:
    step, unit = float(like.step[-1]), per(like.unit[-1])
    if frequency is None:
        low = (0.1 if like.ndim == 3 else 0.05) / step if low is None else number(low, "low", unit, above=0, below=0.5 / step)
        high = 0.2 / step if high is None else number(high, "high", unit, above=0, below=0.5 / step)
        n = (2 if like.ndim == 3 else 3) if count is None else whole(count, "count")
        frequency = spaced(low, high, n, "octave") if n > 1 else np.array([(low * high) ** 0.5])
    return {"frequency": frequency, "bandwidth": np.full(np.shape(frequency), bandwidth) if not np.ndim(bandwidth) else bandwidth}


def _ways(like: Domain, count: Any, angle: Any, elevation: Any) -> Words:
    turns, rises = directions(like.ndim, 6 if count is None else count)
    return {"angle": turns if angle is None else angle,
            "elevation": elevation if elevation is not None else rises if angle is None else np.zeros(np.shape(angle))}


def _gabors(like: Domain, count: Any = None, low: Any = None, high: Any = None, directions: Any = None, bandwidth: Any = 1.0,
            frequency: Any = None, angle: Any = None, elevation: Any = None) -> Words:
    return _waves(like, count, low, high, bandwidth, frequency) | _ways(like, directions, angle, elevation)


def _drifting(like: Domain, count: Any = 1, low: Any = None, high: Any = None, headings: Any = 8, speed: Any = 1.0,
              bandwidth: Any = 1.0, frequency: Any = None, heading: Any = None) -> Words:
    ways = np.arange(whole(headings, "headings")) * (360 / whole(headings, "headings")) if heading is None else heading
    return _waves(like, count, low, high, bandwidth, frequency) | {"speed": np.atleast_1d(speed) if not arrays.is_tensor(speed)
                                                                  else speed, "heading": ways}


def _sigma(like: Domain, sigma: Any = None) -> Words:
    each = sigma if arrays.is_tensor(sigma) else one_each(tuple(sigma) if np.ndim(sigma) else sigma, like, "sigma")
    return {"sigma": each if arrays.is_tensor(each) else np.array([2 * float(s) if v is None else v
                                                                  for v, s in zip(each, like.step, strict=True)], dtype=float)}


def _least(values: Any) -> float:
    return float(arrays.to_numpy(arrays.asarray(values)).min())


def _wave_ranges(like: Domain, parameters: Words) -> dict[str, Range]:
    """Frequencies from a quarter of the lowest to what the grid holds; bandwidths above a fifth of an octave; angles anywhere."""
    return {"frequency": Range(_least(parameters["frequency"]) / 4, 0.5 / float(like.step[-1])), "bandwidth": Range(0.2),
            "angle": Range(unit=30.0), "elevation": Range(unit=30.0)}


def _drift_ranges(like: Domain, parameters: Words) -> dict[str, Range]:
    """Frequencies and speeds that go on fitting into the frames, f·√(1 + v²) < ½ a step, whichever way they go."""
    top = 0.5 / float(like.step[-1])
    most, fastest = (-_least(-arrays.to_numpy(arrays.asarray(parameters[name]))) for name in ("frequency", "speed"))
    high = (most * top / (1 + fastest**2) ** 0.5) ** 0.5
    return {"frequency": Range(_least(parameters["frequency"]) / 4, high), "bandwidth": Range(0.2), "heading": Range(unit=30.0),
            "speed": Range(-1e-9, ((top / high) ** 2 - 1) ** 0.5)}


def _slope_ranges(like: Domain, parameters: Words) -> dict[str, Range]:
    return {"sigma": Range(0.3 * min(map(float, like.step))), "angle": Range(unit=30.0), "elevation": Range(unit=30.0)}


def _steerable(like: Domain, order: Any, sigma: Any) -> Signal:
    return steerable(like, order, tuple(sigma))


def _steered(like: Domain, order: Any, angle: Any, elevation: Any, sigma: Any) -> Signal:
    return steered(like, order, angle, elevation, sigma=tuple(sigma))


def _curvature(like: Domain, sigma: Any) -> Signal:
    return curvature(like, tuple(sigma))


enter("gabors", "simple_cells", function=gabors, start=_gabors, dims=(2, 3), ranges=_wave_ranges,
      learnable=("frequency", "bandwidth", "angle", "elevation"), parameters=WAVES | SHARED | WIDE,
      summary="Gabor's waves at every frequency in every direction, quadrature pairs.")
enter("drifting", "motion_energy", function=drifting, start=_drifting, dims=(3,), ranges=_drift_ranges,
      learnable=("frequency", "bandwidth", "speed", "heading"),
      parameters=WAVES | {"count": Parameter(COUNT, 1, "how many frequencies"), "headings": Parameter(COUNT, 8, "how many"),
                          "speed": Parameter(PLAIN, 1.0, "steps a frame")} | WIDE,
      summary="What moves at a speed along each heading of a video, quadrature pairs.")
enter("steerable", function=_steerable, dims=(2, 3), learnable=("sigma",), ranges=_slope_ranges, parameters=ORDER | SIGMA,
      start=lambda like, order=2, **words: {"order": whole(order, "order")} | _sigma(like, **words),
      summary="The mixed derivatives of a Gaussian, of which those of every direction are made.")
enter("steered", function=_steered, dims=(2, 3), learnable=("angle", "elevation", "sigma"), ranges=_slope_ranges,
      start=lambda like, order=2, directions=None, angle=None, elevation=None, **words:
      {"order": whole(order, "order")} | _ways(like, directions, angle, elevation) | _sigma(like, **words),
      parameters=ORDER | SHARED | SIGMA, summary="Derivatives of a Gaussian along every direction.")
enter("curvature", "hessian", function=_curvature, start=_sigma, dims=(2, 3), learnable=("sigma",), ranges=_slope_ranges,
      parameters=SIGMA, summary="The second derivatives of a Gaussian, whose eigenvalues are the principal curvatures.")
