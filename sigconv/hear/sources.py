"""Sounds to hear a kernel through: the same samples every time, at stated levels.

| name | what | level |
|---|---|---|
| `speech` | the sentence that ships with sigconv | as recorded, peak about 0.6 |
| `noise` | 2 s of white noise: the kernel's colour | RMS 0.1 (−20 dB) |
| `sweep` | 3 s exponential sine, 40 Hz to 0.45 of the rate: its response, in time | peak 0.5 |
| `impulses` | four clicks, half a second apart: the kernel itself | peak 0.5 |
| `loop` | four plucked notes, A3 C4 E4 A4, twice: what it does to pitch and attack | peak 0.5 |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..domain import Number, line
from ..errors import UsageError, hint
from ..resampling import resample
from ..signal import Signal

__all__ = ["SOURCES", "source"]

LOOP = (220.0, 261.6256, 329.6276, 440.0)  # Hz: A3 C4 E4 A4
BEAT = 0.25  # s a note


def source(name: str, rate: Number) -> Signal:
    """One of `SOURCES` as a mono sound `(1, n)` at a rate in Hz.

    >>> source("impulses", 8000).data.max(), source("noise", 8000).domain.shape
    (np.float64(0.5), (16000,))

    Raises `UsageError` for an unknown name.
    """
    if name not in SOURCES:
        raise UsageError(f"through {name!r}: wanted a sound, or one of {', '.join(SOURCES)}{hint(str(name), SOURCES)}")
    return SOURCES[name](rate)


def _speech(rate: Number) -> Signal:
    from ..io import load, sample

    return resample(load(sample("speech")), rate)


def _noise(rate: Number) -> Signal:
    return _sound(0.1 * np.random.default_rng(1770).standard_normal(_count(2, rate)), rate)


def _sweep(rate: Number) -> Signal:
    n, low = _count(3, rate), 40 / float(rate)
    low, high = min(low, 0.05), 0.45
    growth = np.log(high / low) / n
    return _sound(0.5 * np.sin(2 * np.pi * low / growth * np.expm1(growth * np.arange(n))) * _ends(n, rate), rate)


def _impulses(rate: Number) -> Signal:
    x = np.zeros(_count(2, rate))
    x[np.round(np.arange(4) * float(rate) / 2).astype(int)] = 0.5
    return _sound(x, rate)


def _loop(rate: Number) -> Signal:
    n = _count(BEAT, rate)
    t = np.arange(n) / float(rate)
    notes = []
    for pitch in LOOP:
        note = np.zeros(n)
        for partial in range(1, 13):
            if partial * pitch < 0.45 * float(rate):
                note += np.exp(-(3 + partial) * t) * np.sin(2 * np.pi * partial * pitch * t) / partial
        notes.append(note * _ends(n, rate))
    bar = np.concatenate(notes)
    return _sound(0.5 / max(np.abs(bar).max(initial=0), 1e-9) * np.tile(bar, 2), rate)


def _sound(samples: np.ndarray, rate: Number) -> Signal:
    return Signal(samples[None], line(len(samples), rate))


def _count(seconds: float, rate: Number) -> int:
    return max(round(seconds * float(rate)), 4)


def _ends(n: int, rate: Number) -> np.ndarray:
    """One, with 5 ms raised cosines at either end."""
    t = np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.005 * float(rate))
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(t, 1))


SOURCES: dict[str, Callable[[Number], Signal]] = {
    "speech": _speech, "noise": _noise, "sweep": _sweep, "impulses": _impulses, "loop": _loop}
