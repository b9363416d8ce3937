"""Kernels of time: echoes, a comb, a room; a note and a sweep."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError
from ..scales import note_to_hz
from ..signal import Signal
from .registry import COUNT, LENGTH, PITCH, PLAIN, Parameter, family, limit, number, on_grid, per, whole
from .shapes import NEAR, interpolated

__all__ = ["chirp", "comb", "echo", "note", "room"]

ROOMS = "a room answers sound, in time; echo serves every dimension"
NOTES = "a note has one pitch along one axis; gabor is its kin in space"
SWEEPS = "a sweep runs through its pitches along one axis, time"


@family(formula="Σᵢ decayⁱ δ(t − i·delay), i = 0 … repeats, along the last axis",
        parameters={"delay": Parameter(LENGTH, "0.25 s or 16 steps", "from one repeat to the next"),
                    "decay": Parameter(PLAIN, 0.5, "gain from one repeat to the next"),
                    "repeats": Parameter(COUNT, 3, "how many after the first")},
        facts={"dc": "Σ decayⁱ", "norm1": "Σ |decay|ⁱ", "symmetry": "none"})
def echo(like: Domain, delay: Any = None, decay: Any = 0.5, repeats: int = 3) -> Signal:
    """The sound, then `repeats` copies of it, each `delay` later and `decay` times as strong.

    Causal, along the last axis. A `delay` that is a number goes to the nearest sample (at least one); a tensor's is
    interpolated as in `delay`, differentiable in it. On seconds 0.25 by default, elsewhere 16 steps.

    >>> import sigconv as sc
    >>> echo(sc.line(1, 8), 0.25, repeats=2).data
    array([1.  , 0.  , 0.5 , 0.  , 0.25])
    """
    step, unit, count = float(like.step[-1]), like.unit[-1], whole(repeats, "repeats", 0)
    delay = (0.25 if unit == "s" else 16 * step) if delay is None else delay
    gap = number(delay, "delay", unit, above=0) / step
    number(decay, "decay")
    space = max(round(gap), 1)
    limit((count * max(ceil(gap), space) + 1,))
    xp, (gain, order, rest) = arrays.constants(decay, np.arange(count + 1), np.zeros((count + 1, space - 1)))
    if arrays.is_tensor(delay):
        taps = _interpolated_echo(delay, decay, count, step)
    else:
        taps = xp.concat([(gain**order)[:, None], rest], axis=1).reshape(-1)[: count * space + 1]
    shape = (1,) * (like.ndim - 1) + (len(taps),)
    return Signal(taps.reshape(shape), on_grid(like, shape, (0,) * like.ndim))


def _interpolated_echo(delay: Any, decay: Any, count: int, step: float) -> Any:
    """Copies between samples: differentiable in the delay, cut off before 0."""
    copies = [interpolated(delay * i, step, "") for i in range(1, count + 1)]
    _, (_, gain, taps) = arrays.constants(delay, decay, np.zeros(1 + max((a + len(t) - 1 for t, a in copies), default=0)))
    taps[0] = 1
    for i, (copy, first) in enumerate(copies, 1):
        cut = max(-first, 0)
        at = np.arange(first + cut, first + len(copy))
        taps = taps.index_add(0, arrays.namespace(taps).asarray(at, device=taps.device), copy[cut:] * gain**i)
    return taps


@family(formula="mean of δ(t − i/pitch), teeth of them about i = 0; between samples sinc·hann, 64 taps each",
        parameters={"pitch": Parameter(PITCH, "A4 or rate/8", "the lowest tone that it lets through, and their distance"),
                    "teeth": Parameter(COUNT, 8, "how many impulses")},
        facts={"dc": 1.0})
def comb(like: Domain, pitch: Any = None, teeth: int = 8) -> Signal:
    """A comb that sings: lets `pitch` and its harmonics through, and quietens what lies between them.

    The mean of what is there at `teeth` instants, one period of `pitch` apart, with tooth (teeth − 1)//2 at 0: gain 1 and no
    phase at 0 and at every multiple of the pitch, teeth − 1 nulls between each two. Along the last axis. `pitch`: a note's name
    or cycles per unit (Hz), between 0 and rate/2; a period that is no whole number of samples is interpolated as in `delay`, so
    that the comb's teeth lie on the pitch (gain 1 within 0.1 dB up to 0.9 · rate/2). On seconds A4 by default, elsewhere rate/8.

    >>> import sigconv as sc
    >>> comb(sc.line(1, 8000), 4000 / 3, teeth=3).data.round(3).tolist()
    [0.333, 0.0, 0.0, 0.0, 0.0, 0.0, 0.333, 0.0, 0.0, 0.0, 0.0, 0.0, 0.333]
    """
    step, unit, count = float(like.step[-1]), like.unit[-1], whole(teeth, "teeth")
    pitch = _pitch(pitch, step, unit)
    period = 1 / (number(pitch, "pitch", per(unit), above=0, below=0.5 / step) * step)
    limit((ceil((count - 1) * period) + 2 * 64,))
    first, every = -((count - 1) // 2), round(period)
    if not arrays.is_tensor(pitch) and abs(period - every) < NEAR * period:
        taps = np.zeros((count - 1) * every + 1)
        taps[::every] = 1 / count
        first *= every
    else:
        taps, first = _between([interpolated(1 / pitch * i, step, "") for i in range(first, first + count)])
    shape, start = (1,) * (like.ndim - 1) + (len(taps),), (0,) * (like.ndim - 1) + (first,)
    return Signal(taps.reshape(shape), on_grid(like, shape, start))


def _between(teeth: list[tuple[Array, int]]) -> tuple[Array, int]:
    """The mean of impulses between samples, each as its taps and their first index."""
    begin, end = min(first for _, first in teeth), max(first + len(tooth) for tooth, first in teeth)
    _, (_, taps) = arrays.constants(teeth[0][0], np.zeros(end - begin))
    for tooth, first in teeth:
        taps[first - begin: first - begin + len(tooth)] += tooth / len(teeth)
    return taps, begin


def _pitch(pitch: Any, step: float, unit: str) -> Any:
    """A pitch in cycles per unit: of a note's name, by default A4, or rate/8 where that is no sound."""
    if pitch is None:
        return 440.0 if unit == "s" and step <= 1 / 5000 else 1 / (8 * step)
    return note_to_hz(pitch) if isinstance(pitch, str) else pitch


@family("reverb", refused={2: ROOMS, 3: ROOMS}, formula="δ + wet · n(t)·10^(−3t/T60) / ‖·‖₂, n Gaussian noise",
        parameters={"t60": Parameter(LENGTH, "0.4 s or 256 steps", "time to fall by 60 dB"),
                    "wet": Parameter(PLAIN, 0.5, "norm of the tail; the direct sound has 1"),
                    "seed": Parameter(COUNT, 0, "which noise")},
        facts={"norm2": "√(1 + wet²)", "symmetry": "none"})
def room(like: Domain, t60: Any = None, wet: Any = 0.5, seed: int = 0) -> Signal:
    """A synthetic room: the direct sound, then noise that falls by 60 dB in `t60`.

    Causal, `t60` long; the tail has the norm `wet`, so that it carries wet² of the direct sound's energy. The same seed
    gives the same room. On seconds 0.4 by default, elsewhere 256 steps. After Moorer, "About this reverberation business",
    Computer Music Journal, 1979.

    >>> import sigconv as sc
    >>> k = room(sc.line(1, 8000))
    >>> k.domain.shape, float(k.data[0]), round(float(np.sum(k.data**2)), 12)
    ((3201,), 1.0, 1.25)
    """
    step, unit = float(like.step[0]), like.unit[0]
    t60 = (0.4 if unit == "s" else 256 * step) if t60 is None else t60
    length = ceil(number(t60, "t60", unit, least=step * (1 - 1e-9)) / step - 1e-9)
    number(wet, "wet")
    limit((length + 1,))
    noise = np.random.default_rng(whole(seed, "seed", 0)).standard_normal(length)
    xp, (time, level, t, n, direct) = arrays.constants(t60, wet, np.arange(1, length + 1) * step, noise, np.ones(1))
    tail = n * xp.exp(t / time * (-3 * np.log(10)))
    tail = level * tail / xp.sqrt(xp.sum(tail**2))
    return Signal(xp.concat([direct, tail]), on_grid(like, (length + 1,), (0,)))


@family(refused={2: NOTES, 3: NOTES}, formula="hann(t/duration)·exp(2πi·pitch·t) / ‖·‖₂",
        parameters={"pitch": Parameter(PITCH, "A4 or rate/8", "its frequency"),
                    "duration": Parameter(LENGTH, "0.2 s or 64 steps", "length of the window")},
        facts={"norm2": 1.0, "symmetry": "even", "delay": 0.0})
def note(like: Domain, pitch: Any = None, duration: Any = None) -> Signal:
    """A matched filter for one note: a windowed complex exponential of unit norm.

    `pitch`: a note's name or cycles per unit (Hz), between 0 and rate/2. The window is a Hann of length `duration`, centred.
    Its real and imaginary part are a quadrature pair: the result's magnitude is how strongly the note sounds there. On
    seconds A4 and 0.2 by default, elsewhere rate/8 and 64 steps.

    >>> import sigconv as sc
    >>> k = note(sc.line(1, 8000), "A4")
    >>> k.domain.shape, round(float(np.sum(abs(k.data)**2)), 12)
    ((1599,), 1.0)
    """
    step, unit = float(like.step[0]), like.unit[0]
    pitch = _pitch(pitch, step, unit)
    duration = (0.2 if unit == "s" else 64 * step) if duration is None else duration
    number(pitch, "pitch", per(unit), above=0, below=0.5 / step)
    reach = max(ceil(number(duration, "duration", unit, above=0) / step / 2 - 1e-9) - 1, 0)
    limit((2 * reach + 1,))
    xp, (f, long, t) = arrays.constants(pitch, duration, np.arange(-reach, reach + 1) * step)
    window = xp.cos(np.pi * t / long) ** 2
    window = window / xp.sqrt(xp.sum(window**2))
    phase = 2 * np.pi * f * t
    return Signal(window * xp.cos(phase) + 1j * (window * xp.sin(phase)), on_grid(like, (2 * reach + 1,), (-reach,)))


@family("sweep", refused={2: SWEEPS, 3: SWEEPS},
        formula="hann(t/duration)·exp(2πi·low·L·(exp(t/L) − 1)) / ‖·‖₂, L = duration/ln(high/low)",
        parameters={"low": Parameter(PITCH, "200 Hz or rate/32", "where it begins"),
                    "high": Parameter(PITCH, "2000 Hz or rate/4", "where it ends"),
                    "duration": Parameter(LENGTH, "0.2 s or 256 steps", "how long it takes")},
        facts={"norm2": 1.0, "symmetry": "none"})
def chirp(like: Domain, low: Any = None, high: Any = None, duration: Any = None) -> Signal:
    """A matched filter for one rising sweep: every octave takes the same time; of unit norm.

    From `low` at 0 to `high` at `duration`, each a note's name or cycles per unit (Hz), between 0 and rate/2, exponentially,
    under a Hann window. Real and imaginary part are a quadrature pair: `correlate` with it is largest, whatever the phase, where
    such a sweep begins, to the sample; `convolve` smears every click into one. Backwards, from `high` to `low`, it is
    `chirp(…).reverse()`. On seconds 200 Hz, 2000 Hz and 0.2 by default, elsewhere rate/32, rate/4 and 256 steps.

    >>> import sigconv as sc
    >>> k = chirp(sc.line(1, 8000), 300, 3000, 0.1)
    >>> k.domain.start, k.domain.shape, round(float(np.sum(abs(k.data)**2)), 12)
    ((0,), (800,), 1.0)
    """
    step, unit = float(like.step[0]), like.unit[0]
    sound = unit == "s" and step <= 1 / 5000
    low = (200.0 if sound else 1 / (32 * step)) if low is None else low
    high = (2000.0 if sound else 1 / (4 * step)) if high is None else high
    duration = (0.2 if sound else 256 * step) if duration is None else duration
    low, high = _pitch(low, step, unit), _pitch(high, step, unit)
    ends = [number(f, name, per(unit), above=0, below=0.5 / step) for f, name in ((low, "low"), (high, "high"))]
    if ends[0] >= ends[1]:
        cure = "for one pitch take note" if ends[0] == ends[1] else "for a falling sweep take chirp(…).reverse()"
        raise UsageError(f"low {ends[0]:g} and high {ends[1]:g} {per(unit)}".rstrip() + f": wanted low below high; {cure}")
    count = ceil(number(duration, "duration", unit, least=2 * step * (1 - NEAR)) / step - NEAR)
    limit((count,))
    xp, (f, top, long, t) = arrays.constants(low, high, duration, np.arange(count) * step)
    window = xp.sin(np.pi * t / long) ** 2
    window = window / xp.sqrt(xp.sum(window**2))
    octave = long / xp.log(top / f)
    phase = 2 * np.pi * f * octave * (xp.exp(t / octave) - 1)
    return Signal(window * xp.cos(phase) + 1j * (window * xp.sin(phase)), on_grid(like, (count,), (0,)))
