"""Frequency scales, each map once: Hz to notes and octaves, and the words for them."""

from __future__ import annotations

import re

from .errors import SigconvError

__all__ = ["A4", "hz_to_note", "note_to_hz", "octaves"]

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
