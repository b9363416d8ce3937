"""Notes on a staff, drawn: a treble clef, E♭ major where it holds them all, time below each."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ..lessons import Note
from .markup import text

__all__ = ["score", "written"]

STEPS = "CDEFGAB"
LINE = 30  # the lowest line of the staff, E4, counted in white keys from C0
CLEF = ("M2,71C-6,71 -6,59 2,58C13,57 17,74 4,78C-12,82 -19,66 -9,53C-1,43 10,37 8,22C7,12 -1,16 -2,29C-3,40 3,66 6,86"
        "C8,98 -6,99 -6,91")
FLAT = "M0,-15V5.5C8,1 8.5,-5.5 3.5,-5.2C1.8,-5.1 0.6,-4 0,-2.6"
SHARP = "M-2.2,-9V10M2.2,-10V9M-5,-2.2L5,-5M-5,4.6L5,1.8"


def written(notes: Sequence[Note]) -> int:
    """By how many octaves a treble clef stands below the sound (−: above), so that the notes lie about its middle line."""
    return round((sum(_degree(n.name) for n in notes) / len(notes) - LINE - 5) / 7)


def _degree(name: str) -> int:
    """The note's place among the white keys: C0 is 0."""
    octave = re.search(r"-?\d+", name[1:])
    return 7 * int(octave[0] if octave else 4) + STEPS.index(name[0])


def score(notes: Sequence[Note], rhythm: bool) -> str:
    """The notes on a staff; with `rhythm` as the melody is written: a triplet of crotchets, then a minim."""
    wide, down = 150 + 90 * len(notes), 7 * written(notes)
    flats = all((n.name[0] in "CDFG" and n.name[1] not in "♭♯") or n.name[:2] in ("E♭", "A♭", "B♭") for n in notes)
    marks = [f'<path class="staff" d="M10,{y}H{wide - 10}"/>' for y in range(40, 81, 10)]
    marks += [_pen(CLEF, 2.4, 34, 0), '<circle class="ink" cx="30" cy="91" r="3.6"/>', _pen(f"M{wide - 10},40V80", 1.4)]
    if flats:
        marks += [_pen(FLAT, 1.6, 60 + 11 * i, y) for i, y in enumerate((60, 45, 65))]
    if rhythm:
        marks += [f'<text class="beat" x="112" y="{y}">4</text>' for y in (60, 80)]
        marks += [_pen("M158,15V9H236M258,9H350V15", 1.2), '<text x="247" y="13.5" font-style="italic">3</text>']
    for i, note in enumerate(notes):
        x, y = 164 + 90 * i, 80 - 5 * (_degree(note.name) - down - LINE)
        marks += _head(x, y, hollow=rhythm and i == len(notes) - 1)
        if not flats and note.name[1] in "♭♯":
            marks.append(_pen(FLAT if note.name[1] == "♭" else SHARP, 1.6, x - 18, y))
        time = f"{max(note.onset, 0):.2f} s" if np.isfinite(note.onset) else "–"
        marks.append(f'<text x="{x}" y="124">{text(note.name)}</text><text class="time" x="{x}" y="141">{time}</text>')
    said = text("score: " + ", ".join(n.name for n in notes))
    return (f'<svg class="score" viewBox="0 0 {wide} 146" width="{round(1.1 * wide)}" role="img" aria-label="{said}">'
            f'{"".join(marks)}</svg>')


def _head(x: int, y: int, hollow: bool) -> list[str]:
    """A note's head, stem and ledger lines."""
    stem = f"M{x - 5.6},{y}V{y + 34}" if y <= 60 else f"M{x + 5.6},{y}V{y - 34}"
    ledgers = [*range(30, y - 1, -10), *range(90, y + 1, 10)]
    kind = 'class="pen" stroke-width="1.9"' if hollow else 'class="ink"'
    return [*(f'<path class="staff" d="M{x - 11},{v}H{x + 11}"/>' for v in ledgers),
            f'<ellipse {kind} cx="{x}" cy="{y}" rx="6.2" ry="4.4" transform="rotate(-20 {x} {y})"/>', _pen(stem, 1.4)]


def _pen(path: str, wide: float, x: int = 0, y: int = 0) -> str:
    moved = f' transform="translate({x} {y})"' if x or y else ""
    return f'<path class="pen" stroke-width="{wide}"{moved} d="{path}"/>'
