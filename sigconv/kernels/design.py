"""Filters by the window method: the ideal response's taps, under a window, scaled to be exact at one frequency.

An ideal band a … b (as shares of rate/2) has the taps b·sinc(b·m) − a·sinc(a·m), m counted from the centre. Cut to K of them
under a window w, every edge is smeared to a width of about D/K of the rate and passes −6 dB at the frequency asked for.
One scale factor makes the gain 1 at DC where the first band starts there, at rate/2 where it ends there, else at the band's
middle: the taps are those of `scipy.signal.firwin`.

In 2 and 3 dimensions the low-pass is the product of one low-pass an axis; band-pass is the difference of two of these, high-pass
and band-stop are δ less the low-pass and the band-pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..engines.spectral import fast_length
from ..errors import UsageError, hint
from ..signal import Signal
from .registry import COUNT, FREQUENCY, PLAIN, WORD, Parameter, centred, family, limit, number, per, product, whole

__all__ = ["Reached", "bandpass", "bandstop", "highpass", "lowpass", "reached"]

# Width of the transition between the bands, times taps, over the rate (Ifeachor & Jervis, Digital Signal Processing, ch. 7).
TRANSITION = {"hann": 3.1, "hamming": 3.3, "blackman": 5.5}
FINEST = 2**14  # the default transition is not narrower than this share of the rate
WINDOWS = (*TRANSITION, "kaiser")

TAPS = {"taps": Parameter(COUNT, "from width", "how many"),
        "width": Parameter(FREQUENCY, "cutoff/4", "transition between the bands, where taps are not given"),
        "window": Parameter(WORD, "hamming", "hann, hamming, blackman or kaiser"),
        "beta": Parameter(PLAIN, 8.6, "of the Kaiser window: about (attenuation dB − 8.7)/9.1")}
ONE = {"cutoff": Parameter(FREQUENCY, "1000 Hz or rate/8", "where the gain is −6 dB"), **TAPS}
TWO = {"low": Parameter(FREQUENCY, "500 Hz or rate/16", "lower edge, −6 dB"),
       "high": Parameter(FREQUENCY, "2000 Hz or rate/4", "upper edge, −6 dB"), **TAPS}


@family(formula="firwin: sinc under a window, gain 1 at DC", parameters=ONE, facts={"dc": 1.0, "symmetry": "even", "delay": 0.0})
def lowpass(like: Domain, cutoff: Any = None, taps: int | None = None, width: Any = None, window: str = "hamming",
            beta: float = 8.6) -> Signal:
    """Keeps what is below `cutoff`, removes what is above.

    `cutoff`: cycles per unit of the axis (Hz), above 0 and below rate/2. `taps`: how many; by default the odd number that gives
    the transition `width` (a quarter of the cutoff on a line, half of it on more axes, and no wider than what is left to
    rate/2). `window`: "hann", "hamming", "blackman", or "kaiser" with `beta`. Differentiable in the cutoff.

    >>> import sigconv as sc
    >>> k = lowpass(sc.line(1, 8000), 800, taps=513)
    >>> k.domain.start, round(float(k.data.sum()), 12)
    ((-256,), 1.0)
    """
    return _design(like, (cutoff,), taps, width, window, beta, stop=False)


@family(formula="firwin: δ − sinc under a window, gain 1 at rate/2", parameters=ONE,
        facts={"symmetry": "even", "delay": 0.0, "zero_mean": "to the attenuation"})
def highpass(like: Domain, cutoff: Any = None, taps: int | None = None, width: Any = None, window: str = "hamming",
             beta: float = 8.6) -> Signal:
    """Keeps what is above `cutoff`, removes what is below.

    Parameters as for `lowpass`; `taps` must be odd (an even number is zero at rate/2).

    >>> import sigconv as sc
    >>> abs(round(float(highpass(sc.line(1, 8000), 800).data.sum()), 3))
    0.001
    """
    return _design(like, (cutoff,), taps, width, window, beta, stop=True)


@family(formula="firwin: difference of two sincs under a window, gain 1 in the middle", parameters=TWO,
        facts={"symmetry": "even", "delay": 0.0, "zero_mean": "to the attenuation"})
def bandpass(like: Domain, low: Any = None, high: Any = None, taps: int | None = None, width: Any = None,
             window: str = "hamming", beta: float = 8.6) -> Signal:
    """Keeps what is between `low` and `high`, removes the rest.

    `low`, `high`: both edges, or neither. Other parameters as for `lowpass`.

    >>> import sigconv as sc
    >>> bandpass(sc.line(1, 8000), 300, 3400, taps=101).domain.shape
    (101,)
    """
    return _design(like, (low, high), taps, width, window, beta, stop=False)


@family(formula="firwin: δ − band-pass under a window, gain 1 at DC", parameters=TWO,
        facts={"dc": 1.0, "symmetry": "even", "delay": 0.0})
def bandstop(like: Domain, low: Any = None, high: Any = None, taps: int | None = None, width: Any = None,
             window: str = "hamming", beta: float = 8.6) -> Signal:
    """Removes what is between `low` and `high`, keeps the rest.

    `low`, `high`: both edges, or neither. Other parameters as for `lowpass`; `taps` must be odd.

    >>> import sigconv as sc
    >>> round(float(bandstop(sc.line(1, 8000), 300, 3400, taps=101).data.sum()), 12)
    1.0
    """
    return _design(like, (low, high), taps, width, window, beta, stop=True)


def _design(like: Domain, edges: tuple[Any, ...], taps: int | None, width: Any, window: str, beta: Any, stop: bool) -> Signal:
    """The filter with these edges on every axis; `stop`: what passes is outside the first band."""
    if window not in WINDOWS:
        raise UsageError(f"window {window!r}: wanted {', '.join(WINDOWS)}{hint(str(window), WINDOWS)}")
    number(beta, "beta", least=0)
    if len(edges) == 2 and (edges[0] is None) != (edges[1] is None):
        _lone(edges, "bandstop" if stop else "bandpass", per(like.unit[-1]))
    cuts = [_edges(edges, 1 / float(step), unit) for step, unit in zip(like.step, like.unit, strict=True)]
    counts = [_count(cut, taps, width, window, beta, 1 / float(step), unit, stop, like.ndim)
              for cut, step, unit in zip(cuts, like.step, like.unit, strict=True)]
    limit(counts)
    shares = [tuple(2 * f * float(step) for f in cut) for cut, step in zip(cuts, like.step, strict=True)]

    def low(which: int) -> Array:
        return product([_firwin(n, (0.0, share[which]), window, beta) for n, share in zip(counts, shares, strict=True)])

    if like.ndim == 1:
        bands = (0.0, *shares[0], 1.0) if stop and len(edges) == 2 else (*shares[0], 1.0) if stop else \
            (0.0, *shares[0]) if len(edges) == 1 else shares[0]
        return centred(like, _firwin(counts[0], bands, window, beta))
    passed = low(0) if len(edges) == 1 else low(1) - low(0)
    if stop:
        centre = np.zeros(counts)
        centre[tuple(n // 2 for n in counts)] = 1
        passed = arrays.constants(passed, centre)[1][1] - passed
    return centred(like, passed)


def _lone(edges: tuple[Any, ...], name: str, unit: str) -> None:
    """Refuse one edge of two: the other would be far off, by default."""
    which = "low" if edges[1] is None else "high"
    size = number(edges[which == "high"], which, unit, above=0)
    cure = f"for a band around {size:g} write low={0.9 * size:g},high={1.1 * size:g}"
    raise UsageError(f"{name} with {which} {size:g} {unit}".rstrip() + f" alone: wanted both edges, or neither; {cure}")


def _edges(edges: tuple[Any, ...], rate: float, unit: str) -> tuple[Any, ...]:
    """The edges on one axis, defaults filled in, checked."""
    seconds = unit == "s" and rate >= 5000
    names, defaults = (("cutoff",), (1000.0 if seconds else rate / 8,)) if len(edges) == 1 else \
        (("low", "high"), (500.0, 2000.0) if seconds else (rate / 16, rate / 4))
    got = tuple(d if e is None else e for e, d in zip(edges, defaults, strict=True))
    sizes = [number(e, name, per(unit), above=0) for e, name in zip(got, names, strict=True)]
    for size, name in zip(sizes, names, strict=True):
        if size >= rate / 2:
            raise UsageError(f"{name} {size:g} {per(unit)}".rstrip() + f": wanted below {rate / 2:g}, half the rate")
    if len(sizes) == 2 and sizes[0] >= sizes[1]:
        raise UsageError(f"low {sizes[0]:g} and high {sizes[1]:g} {per(unit)}".rstrip() + ": wanted low below high")
    return got


def _count(cut: tuple[Any, ...], taps: Any, width: Any, window: str, beta: Any, rate: float, unit: str, stop: bool,
           ndim: int) -> int:
    """How many taps one axis takes."""
    if taps is not None:
        count = whole(taps, "taps")
        if count == 2 and window in ("hann", "blackman"):
            raise UsageError(f"taps 2 under a {window} window: it is zero at both ends; wanted 3 or more, or hamming")
        if count % 2 == 0 and (stop or (ndim > 1 and len(cut) == 2)):
            kind = "highpass" if len(cut) == 1 else "bandstop" if stop else "bandpass"
            raise UsageError(f"taps {count} for {kind}: wanted an odd number, an even one is zero at rate/2; take {count + 1}")
        return count
    sizes = [number(f, "cutoff") for f in cut]
    if width is None:
        between = (sizes[1] - sizes[0]) / 2 if len(sizes) == 2 else rate
        wide = max(min(sizes[0] / (4 if ndim == 1 else 2), between, rate / 2 - sizes[-1]), rate / FINEST)
    else:
        wide = number(width, "width", per(unit), above=0)
    # Kaiser 1974: β = 0.1102 (A − 8.7), K − 1 = (A − 7.95)/14.36 · rate/width (Oppenheim & Schafer §7.5)
    factor = TRANSITION[window] if window != "kaiser" else max((number(beta, "beta") / 0.1102 + 0.75) / 14.36, 0.9)
    return ceil(min(factor * rate / wide, 1e12)) | 1


def _firwin(n: int, bands: tuple[Any, ...], window: str, beta: Any) -> Array:
    """n taps that pass the bands bands[0] … bands[1], bands[2] … bands[3], … as shares of rate/2."""
    xp, (*edges, m, shape) = arrays.constants(*bands, np.arange(n) - (n - 1) / 2, _window(n, window, beta))
    taps = 0 * m
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        taps = taps + b * xp.sinc(b * m) - a * xp.sinc(a * m)
    taps = taps * shape
    if _is(bands[0], 0):
        return taps / xp.sum(taps)
    middle = 1.0 if _is(bands[1], 1) else (edges[0] + edges[1]) / 2
    return taps / xp.sum(taps * xp.cos(m * (np.pi * middle)))


def _is(edge: Any, end: float) -> bool:
    return isinstance(edge, float) and edge == end


def _window(n: int, name: str, beta: Any) -> np.ndarray:
    """The symmetric window of n points."""
    if n == 1:
        return np.ones(1)
    kinds: dict[str, Callable[[], np.ndarray]] = {"hann": lambda: np.hanning(n), "hamming": lambda: np.hamming(n),
                                                  "blackman": lambda: np.blackman(n), "kaiser": lambda: np.kaiser(n, float(beta))}
    return kinds[name]()


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
    >>> r = reached(lowpass(sc.line(1, 8000), 800, taps=513))
    >>> round(r.ripple, 2), round(r.attenuation), round(r.transition)
    (0.02, 54, 54)

    Raises `UsageError` for kernels of more axes, of banks, and for those without a stop band.
    """
    if not isinstance(k, Signal):
        raise UsageError(f"reached of a {type(k).__name__}: wanted a Signal, e.g. sc.kernel(spec, like)")
    if k.domain.ndim != 1 or k.value or not k.domain.size:
        raise UsageError(f"reached of a kernel of value {k.value} on {k.domain.ndim} axes: wanted one filter on a line")
    taps = arrays.to_numpy(k.data)
    n = fast_length(max(points * len(taps), 4096))
    gain, frequency = np.abs(np.fft.rfft(taps, n)), np.fft.rfftfreq(n, float(k.domain.step[0]))
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
