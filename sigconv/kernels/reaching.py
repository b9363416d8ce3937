"""What the taps of a filter reach, measured on their response: ripple, attenuation, transition; where the gain is flat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import arrays
from ..engines.spectral import fast_length
from ..errors import UsageError
from ..signal import Signal
from .registry import number

__all__ = ["Reached", "flat", "reached"]


@dataclass(frozen=True, slots=True)
class Reached:
    """What a filter reaches: `ripple` (dB, the largest |gain − 1| in the pass band as decibels), `attenuation` (dB, the least
    in the stop band), `transition` (cycles per unit, the widest), `passband` and `stopband` as (from, to) pairs in cycles per
    unit."""

    ripple: float
    attenuation: float
    transition: float
    passband: tuple[tuple[float, float], ...]
    stopband: tuple[tuple[float, float], ...]


def reached(k: Signal, *, points: int = 16) -> Reached:
    """Ripple, attenuation and transition that the taps of a filter on a line reach, relative to its largest pass-band gain of 1.

    A band begins and ends at its last turning point (a null, or the top of a ripple) beside the crossing of −6 dB; the
    ripple is the largest deviation in all pass bands, the attenuation the least in all stop bands. The transition runs from
    where the gain leaves the ripple to where it has reached the attenuation. `points`: frequencies for each tap, at least.

    >>> import sigconv as sc
    >>> r = reached(sc.kernels.lowpass(sc.line(1, 8000), 800, taps=513))
    >>> round(r.ripple, 2), round(r.attenuation), round(r.transition)
    (0.02, 54, 54)

    Raises `UsageError` for kernels of more axes, of banks, and for those without a stop band.
    """
    frequency, gain = _response(k, "reached", points)
    gain = gain / _reference(gain)
    crossing = np.flatnonzero((gain[1:] < 0.5) != (gain[:-1] < 0.5))
    if not len(crossing):
        raise UsageError("reached of a kernel whose gain crosses −6 dB nowhere: wanted a filter with a pass and a stop band")
    turns = np.concatenate([[0], 1 + np.flatnonzero((gain[2:] - gain[1:-1]) * (gain[1:-1] - gain[:-2]) <= 0), [len(gain) - 1]])
    passing: list[tuple[int, int]] = []
    stopping: list[tuple[int, int]] = []
    start = 0
    for end in [*map(int, crossing), len(gain) - 1]:
        inside = turns[(turns >= (start + 1 if start else 0)) & (turns <= end)]
        band = (int(inside[0]), int(inside[-1])) if len(inside) else (end, end)
        (stopping if gain[min(start + 1, len(gain) - 1)] < 0.5 else passing).append(band)
        start = end
    ripple = max(float(np.abs(gain[a:b + 1] - 1).max()) for a, b in passing)
    leak = max(float(gain[a:b + 1].max()) for a, b in stopping) if stopping else 0.0
    wide = max(_crossed(gain, int(at), ripple, leak) for at in crossing)
    spans = [tuple((float(frequency[a]), float(frequency[b])) for a, b in bands) for bands in (passing, stopping)]
    return Reached(float(20 * np.log10(1 + ripple)), float(-20 * np.log10(max(leak, 1e-15))), wide * float(frequency[1]), *spans)


def flat(k: Signal, within: float = 0.01, *, points: int = 16) -> tuple[tuple[float, float], ...]:
    """Between which frequencies the gain of a filter on a line lies within a share of 1: (from, to) pairs in cycles per unit.

    `within`: 0.01 is 1 %, 0.086 dB. `points`: frequencies for each tap, at least.

    >>> import sigconv as sc
    >>> [(round(a), round(b)) for a, b in flat(sc.kernels.hilbert(sc.line(1, 8000), 255))]
    [(51, 3949)]

    Raises `UsageError` for kernels of more axes and of banks.
    """
    number(within, "within", above=0)
    frequency, gain = _response(k, "flat", points)
    inside = np.concatenate([[0], np.abs(gain - 1) <= within, [0]]).astype(np.int8)
    return tuple((float(frequency[a]), float(frequency[b - 1]))
                 for a, b in zip(*(np.flatnonzero(np.diff(inside) == turn) for turn in (1, -1)), strict=True))


def _response(k: Signal, what: str, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies from 0 to rate/2 and the gain there."""
    if not isinstance(k, Signal):
        raise UsageError(f"{what} of a {type(k).__name__}: wanted a Signal, e.g. sc.kernel(spec, like)")
    if k.domain.ndim != 1 or k.value or not k.domain.size:
        raise UsageError(f"{what} of a kernel of value {k.value} on {k.domain.ndim} axes: wanted one filter on a line")
    taps = arrays.to_numpy(k.data)
    n = fast_length(max(points * len(taps), 4096))
    return np.fft.rfftfreq(n, float(k.domain.step[0])), np.abs(np.fft.fft(taps, n)[: n // 2 + 1])


def _reference(gain: np.ndarray) -> float:
    """The pass band's gain: 1 where the peak is within ripple of it, else the middle gain of what passes."""
    peak = float(gain.max()) or 1.0
    return 1.0 if abs(peak - 1) < 0.15 else float(np.median(gain[gain > peak / 2]))


def _crossed(gain: np.ndarray, at: int, ripple: float, leak: float) -> int:
    """Frequencies between the last gain inside the ripple and the first inside the stop band, around a crossing."""
    rising = gain[at + 1] > gain[at]
    side = gain if not rising else gain[::-1]
    here = at if not rising else len(gain) - 2 - at
    above, below = side[: here + 1] >= 1 - ripple, side[here + 1:] <= leak
    first = int(np.flatnonzero(above)[-1]) if above.any() else 0
    last = here + 1 + int(np.flatnonzero(below)[0]) if below.any() else len(side) - 1
    return last - first
