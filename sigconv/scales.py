"""Frequency scales, each map once: Hz to notes, octaves, mel, Bark and ERB, and the words for them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from .errors import SigconvError, among

__all__ = ["A4", "AXES", "bark_to_hz", "erb_to_hz", "erb_width", "hz_to_bark", "hz_to_erb", "hz_to_mel", "hz_to_note",
           "mel_to_hz", "note_to_hz", "octaves", "spaced", "widths"]

A4 = 440.0  # Hz, ISO 16
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
NOTE = re.compile(r"([A-Ga-g])([#♯b♭]*)(-?\d+)(?:([+-]\d+(?:\.\d+)?)c)?")


def note_to_hz(note: str) -> float:
    """The equal-tempered frequency of a note in Hz, A4 = 440: `"A4"`, `"Ab6"`, `"F#3"`, `"E♭5"`, cents as `"A4+12c"`.

    >>> note_to_hz("A4"), round(note_to_hz("Ab6"), 2)
    (440.0, 1661.22)

    Raises `SigconvError` for what is no note.
    """
    found = NOTE.fullmatch(note.strip())
    if not found:
        raise SigconvError(f"note {note!r}: wanted a letter, an octave and perhaps # or b, e.g. A4, Ab6, F#3")
    letter, accidentals, octave, cents = found.groups()
    semitone = STEPS[letter.upper()] + sum(1 if a in "#♯" else -1 for a in accidentals) + 12 * (int(octave) + 1)
    return A4 * 2 ** ((semitone - 69 + float(cents or 0) / 100) / 12)


def hz_to_note(frequency: float) -> str:
    """The nearest note, with cents where it is off by one or more.

    >>> hz_to_note(440), hz_to_note(1661), hz_to_note(450)
    ('A4', 'G♯6', 'A4+39c')
    """
    exact = 69 + 12 * octaves(A4, frequency)
    near = round(exact)
    cents = round(100 * (exact - near))
    return f"{NAMES[near % 12]}{near // 12 - 1}" + (f"{cents:+d}c" if cents else "")


def octaves(low: float, high: float) -> float:
    """How many octaves `high` lies above `low` (both in Hz, above 0).

    >>> octaves(220, 880)
    2.0

    Raises `SigconvError` for frequencies that are not above 0.
    """
    from math import log2

    if low <= 0 or high <= 0:
        raise SigconvError(f"octaves from {low} to {high} Hz: wanted frequencies above 0")
    return log2(high / low)


def hz_to_mel(frequency: Any, formula: str = "slaney") -> Any:
    """Mels of frequencies in Hz: `"slaney"` (linear below 1 kHz, then 27 a factor of 6.4) or `"htk"`, 2595 log₁₀(1 + f/700).

    >>> hz_to_mel(1000.0), round(float(hz_to_mel(1000.0, "htk")), 2)
    (np.float64(15.0), 999.99)

    Raises `SigconvError` for an unknown formula.
    """
    import numpy as np

    among(formula, ("slaney", "htk"), "formula")
    f = np.asarray(frequency, dtype=np.float64)
    if formula == "htk":
        return 2595 * np.log10(1 + f / 700)
    return np.where(f < 1000, f * 0.015, 15 + 27 * np.log(np.maximum(f, 1000) / 1000) / np.log(6.4))[()]


def mel_to_hz(mel: Any, formula: str = "slaney") -> Any:
    """The inverse of `hz_to_mel`.

    >>> mel_to_hz(15.0)
    np.float64(1000.0)
    """
    import numpy as np

    among(formula, ("slaney", "htk"), "formula")
    m = np.asarray(mel, dtype=np.float64)
    if formula == "htk":
        return 700 * (10 ** (m / 2595) - 1)
    return np.where(m < 15, m / 0.015, 1000 * np.exp(np.maximum(m - 15, 0) / 27 * np.log(6.4)))[()]


def hz_to_bark(frequency: Any) -> Any:
    """Critical-band rate in Bark, 26.81 f/(1960 + f) − 0.53 (Traunmüller, JASA 88, 1990, eq. 6, without its corrections).

    >>> round(float(hz_to_bark(1000.0)), 3)
    8.527
    """
    import numpy as np

    f = np.asarray(frequency, dtype=np.float64)
    return 26.81 * f / (1960 + f) - 0.53


def bark_to_hz(bark: Any) -> Any:
    """The inverse of `hz_to_bark`.

    >>> round(float(bark_to_hz(hz_to_bark(440.0))), 9)
    440.0
    """
    import numpy as np

    z = np.asarray(bark, dtype=np.float64) + 0.53
    return 1960 * z / (26.81 - z)


def hz_to_erb(frequency: Any) -> Any:
    """The ERB-rate, 21.4 log₁₀(1 + 0.00437 f) (Glasberg & Moore, Hearing Research 47, 1990).

    >>> round(float(hz_to_erb(1000.0)), 3)
    15.621
    """
    import numpy as np

    return 21.4 * np.log10(1 + 0.00437 * np.asarray(frequency, dtype=np.float64))


def erb_to_hz(erbs: Any) -> Any:
    """The inverse of `hz_to_erb`.

    >>> round(float(erb_to_hz(hz_to_erb(440.0))), 9)
    440.0
    """
    import numpy as np

    return (10 ** (np.asarray(erbs, dtype=np.float64) / 21.4) - 1) / 0.00437


def erb_width(frequency: Any) -> Any:
    """The equivalent rectangular bandwidth in Hz of hearing at a frequency: 24.7 (1 + 0.00437 f) (Glasberg & Moore, 1990).

    >>> round(float(erb_width(1000.0)), 3)
    132.639
    """
    import numpy as np

    return 24.7 * (1 + 0.00437 * np.asarray(frequency, dtype=np.float64))


_MAPS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "linear": (float, float), "log": (math.log2, lambda v: 2.0**v), "mel": (hz_to_mel, mel_to_hz),
    "bark": (hz_to_bark, bark_to_hz), "erb": (hz_to_erb, erb_to_hz),
    "octave": (math.log2, lambda v: 2.0**v), "htk": (lambda f: hz_to_mel(f, "htk"), lambda m: mel_to_hz(m, "htk"))}

C0 = A4 * 2**-4.75

# What a place on an axis of frequencies in these units is in Hz: octaves count from C0, pitch classes sound from C4 on.
AXES: dict[str, Callable[[Any], Any]] = {
    "Hz": lambda v: v, "mel": mel_to_hz, "HTK mel": lambda v: mel_to_hz(v, "htk"), "octave": lambda v: C0 * 2.0**v,
    "semitone": lambda v: C0 * 2.0 ** (4 + v / 12)}


def spaced(low: float, high: float, count: int, scale: str = "mel") -> Any:
    """`count` frequencies from `low` to `high` Hz, evenly spaced on a scale: linear, octave (or log), mel, htk, bark or erb.

    >>> spaced(100, 1600, 5, "log")
    array([ 100.,  200.,  400.,  800., 1600.])

    Raises `SigconvError` for an unknown scale, fewer than one, ends that are not in order, and 0 Hz on a log scale.
    """
    import numpy as np

    among(scale, tuple(_MAPS), "scale")
    if count < 1 or not 0 <= low <= high or (scale in ("log", "octave") and not low):
        raise SigconvError(f"{count} frequencies from {low:g} to {high:g} Hz, {scale}: wanted at least one, in order"
                           + (", above 0 Hz" if scale in ("log", "octave") else ""))
    there, back = _MAPS[scale]
    exact = np.array([float(back(v)) for v in np.linspace(float(there(low)), float(there(high)), count)])
    exact[0], exact[-1] = low, high if count > 1 else low
    return exact


def widths(frequencies: Any, scale: str = "mel") -> Any:
    """How wide in Hz a band is at each of some rising frequencies that meets its neighbours half-way between them on a scale.

    What the first and the last lack stands as far out as their one neighbour.

    >>> widths([100, 200, 300], "linear")
    array([100., 100., 100.])

    Raises `SigconvError` for an unknown scale, fewer than two frequencies, and such as do not rise.
    """
    import numpy as np

    among(scale, tuple(_MAPS), "scale")
    f = np.asarray(frequencies, dtype=np.float64)
    if f.ndim != 1 or len(f) < 2 or not (np.diff(f) > 0).all() or not f[0] >= 0 or (scale in ("log", "octave") and not f[0]):
        raise SigconvError(f"widths of {f.size} frequencies: wanted at least two that rise from 0 or more"
                           + (", above 0 Hz" if scale in ("log", "octave") else ""))
    there, back = _MAPS[scale]
    at = np.array([float(there(v)) for v in f])
    half = np.diff(at) / 2
    edges = np.concatenate([at[:1] - half[:1], at[:-1] + half, at[-1:] + half[-1:]])
    return np.diff([float(back(v)) for v in edges])
