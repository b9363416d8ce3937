"""Filters by the window method: the ideal response's taps, under a window, scaled to be exact at one frequency.

An ideal band a … b (as shares of rate/2) has the taps b·sinc(b·m) − a·sinc(a·m), m counted from the centre. Cut to K of them
under a window w, every edge is smeared to a width of about D/K of the rate and passes −6 dB at the frequency asked for.
One scale factor makes the gain 1 at DC where the first band starts there, at rate/2 where it ends there, else at the band's
middle: the taps are those of `scipy.signal.firwin`.

On a line `method` and `phase` ask for other designs, through scipy (see `optimal`); `reached` says what any of them reach.

In 2 and 3 dimensions the low-pass is the product of one low-pass an axis; band-pass is the difference of two of these, high-pass
and band-stop are δ less the low-pass and the band-pass.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError, hint
from ..signal import Signal
from .optimal import METHODS, PHASES, best, early, served
from .registry import COUNT, FREQUENCIES, PLAIN, WORD, Parameter, centred, family, limit, number, one_each, per, product, whole

__all__ = ["bandpass", "bandstop", "highpass", "lowpass"]

# Width of the transition between the bands, times taps, over the rate (Ifeachor & Jervis, Digital Signal Processing, ch. 7).
TRANSITION = {"hann": 3.1, "hamming": 3.3, "blackman": 5.5}
FINEST = 2**14  # the default transition is not narrower than this share of the rate
WINDOWS = (*TRANSITION, "kaiser")
NAMES = {1: ("cutoff",), 2: ("low", "high")}

LOW = ", l the 1D low-pass along each axis"

TAPS = {"taps": Parameter(COUNT, "from width", "how many"),
        "width": Parameter(FREQUENCIES, "cutoff/4", "transition between the bands, where taps are not given"),
        "window": Parameter(WORD, "hamming", "hann, hamming, blackman or kaiser"),
        "beta": Parameter(PLAIN, 8.6, "of the Kaiser window: about (attenuation dB − 8.7)/9.1"),
        "method": Parameter(WORD, "window", "window, equiripple, or ls (least squares)"),
        "phase": Parameter(WORD, "linear", "linear, or minimum: the same gain, causal, as early as can be")}
ONE = {"cutoff": Parameter(FREQUENCIES, "1000 Hz or rate/8", "where the gain is −6 dB"), **TAPS}
TWO = {"low": Parameter(FREQUENCIES, "500 Hz or rate/16", "lower edge, −6 dB"),
       "high": Parameter(FREQUENCIES, "2000 Hz or rate/4", "upper edge, −6 dB"), **TAPS}


@family(formula={1: "firwin: sinc under a window, gain 1 at DC; or remez, firls", 2: f"l ⊗ l{LOW}", 3: f"l ⊗ l ⊗ l{LOW}"},
        parameters=ONE, facts={"dc": 1.0, "symmetry": "even", "delay": 0.0})
def lowpass(like: Domain, cutoff: Any = None, taps: int | None = None, width: Any = None, window: str = "hamming",
            beta: float = 8.6, method: str = "window", phase: str = "linear") -> Signal:
    """Keeps what is below `cutoff`, removes what is above.

    `cutoff`: cycles per unit of the axis (Hz), above 0 and below rate/2. `taps`: how many; by default the odd number that gives
    the transition `width` (a quarter of the cutoff on a line, half of it on more axes, and no wider than what is left to
    rate/2). `window`: "hann", "hamming", "blackman", or "kaiser" with `beta`. Differentiable in the cutoff. On more axes cutoff
    and width may be tuples, one entry an axis.

    `method`, on a line: "equiripple" (the least largest error) or "ls" (least squares, an odd number of taps), through scipy; the
    cutoff is the middle of the transition `width`, 3.3 · rate/taps where that is not given. `phase`: "minimum" has the same gain
    and starts at 0, its energy as early as can be. Neither takes tensors. `sc.kernels.reached(k)` says what each reaches.

    >>> import sigconv as sc
    >>> k = lowpass(sc.line(1, 8000), 800, taps=513)
    >>> k.domain.start, round(float(k.data.sum()), 12)
    ((-256,), 1.0)
    """
    return _design(like, (cutoff,), How(taps, width, window, beta, method, phase), stop=False)


@family(formula={1: "firwin: δ − sinc under a window, gain 1 at rate/2; or remez, firls", 2: f"δ − l ⊗ l{LOW}",
                 3: f"δ − l ⊗ l ⊗ l{LOW}"}, parameters=ONE,
        facts={"symmetry": "even", "delay": 0.0, "zero_mean": "to the attenuation"})
def highpass(like: Domain, cutoff: Any = None, taps: int | None = None, width: Any = None, window: str = "hamming",
             beta: float = 8.6, method: str = "window", phase: str = "linear") -> Signal:
    """Keeps what is above `cutoff`, removes what is below.

    Parameters as for `lowpass`; `taps` must be odd (an even number is zero at rate/2).

    >>> import sigconv as sc
    >>> abs(round(float(highpass(sc.line(1, 8000), 800).data.sum()), 3))
    0.001
    """
    return _design(like, (cutoff,), How(taps, width, window, beta, method, phase), stop=True)


@family(formula={1: "firwin: difference of two sincs under a window, gain 1 in the middle; or remez, firls",
                 2: "lowpass(high) − lowpass(low)", 3: "lowpass(high) − lowpass(low)"}, parameters=TWO,
        facts={"symmetry": "even", "delay": 0.0, "zero_mean": "to the attenuation"})
def bandpass(like: Domain, low: Any = None, high: Any = None, taps: int | None = None, width: Any = None,
             window: str = "hamming", beta: float = 8.6, method: str = "window", phase: str = "linear") -> Signal:
    """Keeps what is between `low` and `high`, removes the rest.

    `low`, `high`: both edges, or neither. Other parameters as for `lowpass`.

    >>> import sigconv as sc
    >>> bandpass(sc.line(1, 8000), 300, 3400, taps=101).domain.shape
    (101,)
    """
    return _design(like, (low, high), How(taps, width, window, beta, method, phase), stop=False)


@family(formula={1: "firwin: δ − band-pass under a window, gain 1 at DC; or remez, firls",
                 2: "δ − lowpass(high) + lowpass(low)", 3: "δ − lowpass(high) + lowpass(low)"}, parameters=TWO,
        facts={"dc": 1.0, "symmetry": "even", "delay": 0.0})
def bandstop(like: Domain, low: Any = None, high: Any = None, taps: int | None = None, width: Any = None,
             window: str = "hamming", beta: float = 8.6, method: str = "window", phase: str = "linear") -> Signal:
    """Removes what is between `low` and `high`, keeps the rest.

    `low`, `high`: both edges, or neither. Other parameters as for `lowpass`; `taps` must be odd.

    >>> import sigconv as sc
    >>> round(float(bandstop(sc.line(1, 8000), 300, 3400, taps=101).data.sum()), 12)
    1.0
    """
    return _design(like, (low, high), How(taps, width, window, beta, method, phase), stop=True)


class How(NamedTuple):
    """What a design takes beside its edges."""

    taps: Any
    width: Any
    window: str
    beta: Any
    method: str
    phase: str


def _design(like: Domain, edges: tuple[Any, ...], how: How, stop: bool) -> Signal:
    """The filter with these edges on every axis; `stop`: what passes is outside the first band."""
    for what, word, known in (("window", how.window, WINDOWS), ("method", how.method, METHODS), ("phase", how.phase, PHASES)):
        if word not in known:
            raise UsageError(f"{what} {word!r}: wanted {', '.join(known)}{hint(str(word), known)}")
    number(how.beta, "beta", least=0)
    if len(edges) == 2 and (edges[0] is None) != (edges[1] is None):
        _lone(edges, "bandstop" if stop else "bandpass", per(like.unit[-1]))
    each = zip(*(_each(e, like, name) for e, name in zip(edges, NAMES[len(edges)], strict=True)), strict=True)
    cuts = [_edges(pair, 1 / float(step), unit) for pair, step, unit in zip(each, like.step, like.unit, strict=True)]
    hows = [how._replace(width=wide) for wide in _each(how.width, like, "width")]
    if served(like.ndim, how.method, how.phase, (how.window, how.beta), (*cuts[0], hows[0].width)):
        return _best(like, cuts[0], hows[0], stop)
    counts = [_count(cut, mine, 1 / float(step), unit, stop, like.ndim)
              for cut, mine, step, unit in zip(cuts, hows, like.step, like.unit, strict=True)]
    limit(counts)
    shares = [_share(cut, step) for cut, step in zip(cuts, like.step, strict=True)]
    if like.ndim == 1:
        return centred(like, _firwin(counts[0], _bands(shares[0], stop), how))

    def low(which: int) -> Array:
        return product([_firwin(n, (0.0, share[which]), how) for n, share in zip(counts, shares, strict=True)])

    passed = low(0) if len(edges) == 1 else low(1) - low(0)
    if stop:
        centre = np.zeros(counts)
        centre[tuple(n // 2 for n in counts)] = 1
        passed = arrays.constants(passed, centre)[1][1] - passed
    return centred(like, passed)


def _each(value: Any, like: Domain, what: str) -> tuple[Any, ...]:
    """One entry an axis; one frequency for axes in different units means nothing."""
    if len(set(like.unit)) > 1 and value is not None and not isinstance(value, (tuple, list)):
        example = ", ".join(f"{1 / (8 * float(step)):g}" for step in like.step)
        raise UsageError(f"{what} {number(value, what):g} on axes in {' and '.join(like.unit)}: wanted one for each, "
                         f"e.g. {what}=({example})")
    return one_each(value, like, what)


def _best(like: Domain, cut: tuple[Any, ...], how: How, stop: bool) -> Signal:
    """The filter on a line by another method, or of another phase."""
    rate, unit = float(1 / like.step[0]), like.unit[0]
    count = _count(cut, how, rate, unit, stop, 1)
    limit((count,))
    taps = _firwin(count, _bands(_share(cut, like.step[0]), stop), how) if how.method == "window" else \
        best(how.method, count, cut, how.width, rate, stop, per(unit))
    return centred(like, taps) if how.phase == "linear" else centred(like, early(taps)).at(0)


def _share(cut: tuple[Any, ...], step: Any) -> tuple[Any, ...]:
    """The edges as shares of rate/2."""
    return tuple(2 * f * float(step) for f in cut)


def _bands(share: tuple[Any, ...], stop: bool) -> tuple[Any, ...]:
    """What passes, as pairs of shares of rate/2."""
    if stop:
        return (0.0, *share, 1.0) if len(share) == 2 else (*share, 1.0)
    return (0.0, *share) if len(share) == 1 else share


def _lone(edges: tuple[Any, ...], name: str, unit: str) -> None:
    """Refuse one edge of two: the other would be far off, by default."""
    which = "low" if edges[1] is None else "high"
    size = number(edges[which == "high"], which, unit, above=0)
    cure = f"for a band around {size:g} write low={0.9 * size:g},high={1.1 * size:g}"
    raise UsageError(f"{name} with {which} {size:g} {unit}".rstrip() + f" alone: wanted both edges, or neither; {cure}")


def _edges(edges: tuple[Any, ...], rate: float, unit: str) -> tuple[Any, ...]:
    """The edges on one axis, defaults filled in, checked."""
    names, sound = NAMES[len(edges)], unit == "s" and rate >= 5000
    usual = {1: (1000.0,), 2: (500.0, 2000.0)} if sound else {1: (rate / 8,), 2: (rate / 16, rate / 4)}
    got = tuple(d if e is None else e for e, d in zip(edges, usual[len(edges)], strict=True))
    sizes = [number(e, name, per(unit), above=0) for e, name in zip(got, names, strict=True)]
    for size, name in zip(sizes, names, strict=True):
        if size >= rate / 2:
            raise UsageError(f"{name} {size:g} {per(unit)}".rstrip() + f": wanted below {rate / 2:g}, half the rate")
    if len(sizes) == 2 and sizes[0] >= sizes[1]:
        raise UsageError(f"low {sizes[0]:g} and high {sizes[1]:g} {per(unit)}".rstrip() + ": wanted low below high")
    return got


def _count(cut: tuple[Any, ...], how: How, rate: float, unit: str, stop: bool, ndim: int) -> int:
    """How many taps one axis takes."""
    taps, width, window, beta = how[:4]
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


def _firwin(n: int, bands: tuple[Any, ...], how: How) -> Array:
    """n taps that pass the bands bands[0] … bands[1], bands[2] … bands[3], … as shares of rate/2."""
    xp, (*edges, m, shape) = arrays.constants(*bands, np.arange(n) - (n - 1) / 2, _window(n, how.window, how.beta))
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
