"""The numbers behind every picture of a filter.

The frequency response of taps h at κ·step is H(ν) = Σ_κ h(κ) e^{−2πi ν κ step}: positions count from the origin of Ω, so a
centred kernel has no phase but its own, and a causal one shows its delay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import arrays
from ..engines.spectral import fast_length
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["Response", "decibels", "response"]

QUIET = 1e-6  # below this share of the largest magnitude a phase, and so a delay, is rounding noise


@dataclass(frozen=True, slots=True)
class Response:
    """A frequency response on a line: `frequency` (f,) in cycles per unit (Hz for s), `gain` (*value, f) complex,
    `delay` (*value, f) the group delay in units, NaN where the magnitude vanishes."""

    frequency: np.ndarray
    gain: np.ndarray
    delay: np.ndarray


def decibels(magnitude: Any, floor: float = -200.0) -> np.ndarray:
    """20·log₁₀|magnitude|, not below `floor` (so that silence is a number).

    >>> decibels([1.0, 0.5, 0.0]).round(2).tolist()
    [0.0, -6.02, -200.0]
    """
    size = np.abs(np.asarray(magnitude, dtype=np.result_type(np.asarray(magnitude).dtype, np.float64)))
    return 20 * np.log10(np.maximum(size, 10 ** (floor / 20)))


def response(k: Signal, frequency: Any = None) -> Response:
    """The frequency response and group delay of a kernel on a line.

    `frequency`: cycles per unit, `(f,)`; None takes 0 … rate/2 (−rate/2 … rate/2 for complex taps) on at
    least 1024 points and four to the kernel's length. Group delay is −dφ/dω = Re(FT[κ·h]/FT[h]), exact at every
    frequency, without unwrapping.

    >>> import sigconv as sc
    >>> r = response(sc.kernel("edge", sc.line(1, 8000)), [0.0, 4000.0])
    >>> abs(r.gain).round(12).tolist(), round(float(r.delay[1] * 8000), 9)
    ([0.0, 2.0], 0.5)

    Raises `SigconvError` for a kernel of more than one axis, or without taps.
    """
    if not isinstance(k, Signal):
        raise SigconvError(f"the response of a {type(k).__name__}: wanted a kernel, e.g. sc.kernel(spec, like)")
    taps = np.atleast_1d(arrays.to_numpy(k.data))
    if k.domain.ndim != 1:
        raise SigconvError(f"the response of a kernel of {k.domain.ndim} axes: wanted one axis; see.response draws the map of "
                           "two")
    if not k.domain.size:
        raise SigconvError("a kernel without taps has no response: wanted at least one")
    taps = taps.astype(complex if np.iscomplexobj(taps) else float)
    at = np.arange(k.domain.shape[0]) + float(k.domain.start[0])
    rate = float(1 / k.domain.step[0])
    if frequency is None:
        points = fast_length(max(4 * len(at), 2048))
        two_sided = np.iscomplexobj(taps)
        nu = np.fft.fftshift(np.fft.fftfreq(points)) if two_sided else np.fft.rfftfreq(points)

        def spectrum(h: np.ndarray) -> np.ndarray:
            whole = np.fft.fftshift(np.fft.fft(h, points), axes=-1) if two_sided else np.fft.rfft(h, points)
            return whole * np.exp(-2j * np.pi * nu * at[0])
    else:
        try:
            nu = np.atleast_1d(np.asarray(frequency, dtype=float)) / rate
        except (TypeError, ValueError):
            raise SigconvError(f"frequency {frequency!r}: wanted numbers in cycles per unit") from None

        def spectrum(h: np.ndarray) -> np.ndarray:
            return h @ np.exp(-2j * np.pi * np.outer(at, nu))

    gain, moment = spectrum(taps), spectrum(taps * at)
    audible = np.abs(gain) > QUIET * np.abs(taps).sum(-1, keepdims=True)
    delay = np.full(gain.shape, np.nan)
    delay[audible] = (moment[audible] / gain[audible]).real / rate
    return Response(nu * rate, gain, delay)
