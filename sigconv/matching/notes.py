"""Events as notes, and notes as a MIDI file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from ..errors import SigconvError
from ..scales import A4, note_to_hz

__all__ = ["Note", "midi", "number"]

TICKS = 480  # a beat of half a second


@dataclass(frozen=True)
class Note:
    """A note as MIDI has it: `number` (A4 is 69), `name`, `start` and `duration` in s, `velocity` 1 … 127."""

    number: int
    name: str
    start: float
    duration: float
    velocity: int


def number(name: str) -> int | None:
    """The MIDI number of a note's name, None for what is none.

    >>> number("A4"), number("note:Ab6"), number("kick")
    (69, 92, None)
    """
    try:
        found = round(69 + 12 * log2(note_to_hz(name.strip().rpartition(":")[2]) / A4))
    except SigconvError:
        return None
    return found if 0 <= found < 128 else None


def midi(notes: Sequence[Note]) -> bytes:
    """A Standard MIDI File (type 0, 120 beats a minute) that plays these notes; what begins before 0 begins at 0.

    >>> midi([Note(69, "A4", 0.0, 0.5, 100)])[:4], len(midi([]))
    (b'MThd', 26)
    """
    turns = []
    for note in notes:
        on = max(round(note.start * 2 * TICKS), 0)
        off = max(round((note.start + note.duration) * 2 * TICKS), on + 1)
        turns += [(off, 0, note.number, 0x80, 64), (on, 1, note.number, 0x90, note.velocity)]
    track, now = b"", 0
    for at, _, pitch, status, velocity in sorted(turns):  # at one time, ends before beginnings
        track += _length(at - now) + bytes((status, pitch, velocity))
        now = at
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + bytes((0, 0, 0, 6, 0, 0, 0, 1)) + TICKS.to_bytes(2, "big") + b"MTrk" + len(track).to_bytes(4, "big") + track


def _length(ticks: int) -> bytes:
    """A number in sevens of bits, the highest first, all but the last marked."""
    parts = [ticks & 127]
    while ticks := ticks >> 7:
        parts.append(ticks & 127 | 128)
    return bytes(reversed(parts))
