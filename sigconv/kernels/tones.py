"""Kernels of time: echoes, a room, a note."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..scales import note_to_hz
from ..signal import Signal
from .registry import COUNT, LENGTH, PITCH, PLAIN, Parameter, family, limit, number, on_grid, per, whole
from .shapes import interpolated

__all__ = ["echo", "note", "room"]

ROOMS = "a room answers sound, in time; echo serves every dimension"
NOTES = "a note has one pitch along one axis; gabor is its kin in space"


@family(formula="Σᵢ decayⁱ δ(t − i·delay), i = 0 … repeats",
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
    rate, seconds = 1 / step, unit == "s"
    pitch = (440.0 if seconds else rate / 8) if pitch is None else note_to_hz(pitch) if isinstance(pitch, str) else pitch
    duration = (0.2 if seconds else 64 * step) if duration is None else duration
    number(pitch, "pitch", per(unit), above=0, below=rate / 2)
    reach = max(ceil(number(duration, "duration", unit, above=0) / step / 2 - 1e-9) - 1, 0)
    limit((2 * reach + 1,))
    xp, (f, long, t) = arrays.constants(pitch, duration, np.arange(-reach, reach + 1) * step)
    window = xp.cos(np.pi * t / long) ** 2
    window = window / xp.sqrt(xp.sum(window**2))
    phase = 2 * np.pi * f * t
    return Signal(window * xp.cos(phase) + 1j * (window * xp.sin(phase)), on_grid(like, (2 * reach + 1,), (-reach,)))
