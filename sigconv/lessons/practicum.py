"""The practicum "listening to convolution": four notes as kernels, and how a sound answers them.

A kernel is a template; correlation is the running scalar product of signal and template, ⟨x_t, a⟩ = ‖x_t‖‖a‖ cos: large where
the two line up. Convolution slides the mirrored template; of a sine, whose mirror image is a sine in another phase, it answers
at the same places with other signs. Of a template that is its own mirrored conjugate (a quadrature pair about its
centre) the two are one.

Times come from read-outs on Ω ⊕ K, the grid of the full convolution, so that an answer may begin before the sound does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

import numpy as np

from .. import arrays
from ..convolving import convolve, correlate
from ..domain import Domain
from ..errors import SigconvError, UsageError
from ..kernels import note as quadrature
from ..matching import alignment
from ..scales import note_to_hz
from ..signal import Signal
from .melody import piano, raw_sine, strongest
from .templates import level, onset, rises

__all__ = ["LESSONS", "Lesson", "Note", "listening"]

LESSONS = {"listening": "Four notes as kernels: what a convolution sounds like."}
RAW, TEMPLATE = 0.4, 0.2  # s, the lengths of the two kinds of kernel
SECONDS, SAMPLES = 30.0, 720_000  # the most that a lesson takes of a sound: its page stays small
NOTES = 8


@dataclass(frozen=True)
class Note:
    """One note as two kernels, and what the sound (its mean over channels) answers to each. Times in s, frequencies in Hz.

    `raw`: the practicum's sine, 0.4 s, amplitude 1, hard ends. `template`: `kernels.note`, 0.2 s, Hann, unit norm, complex.
    `convolved`, `correlated`: with `raw`, on Ω. `answer`: the amplitude of `correlated` over time, on Ω ⊕ K. `matched`: the
    complex read-out ``x ★ template`` on Ω ⊕ K; `cosine`: its `alignment`, on Ω.

    `onset`: the steepest rise of `|matched|`. `begun`: going back from there, the last time that `answer` lies below a fifth of
    its peak; `passed`: the same of `|matched|`. `agrees`: how far convolution and correlation with `template` lie apart, in parts
    of the peak. `played`: when the note truly begins, where that is known.
    """

    name: str
    frequency: float
    raw: Signal
    template: Signal
    convolved: Signal
    correlated: Signal
    answer: Signal
    matched: Signal
    cosine: Signal
    onset: float
    begun: float
    passed: float
    agrees: float
    played: float | None = None

    @property
    def early(self) -> float:
        """By how many seconds the raw sine's answer begins before the onset."""
        return self.onset - self.begun

    @property
    def peak(self) -> float:
        """max |x ∗ raw|."""
        return float(np.abs(self.convolved.data).max(initial=0))

    @property
    def dbfs(self) -> float:
        """The peak of x ∗ raw in dB of full scale: above 0 it clips."""
        return 20 * log10(self.peak) if self.peak > 0 else float("-inf")

    @property
    def beyond(self) -> float:
        """The share of the samples of x ∗ raw that lie beyond ±1."""
        return float(np.mean(np.abs(self.convolved.data) > 1)) if self.convolved.data.size else 0.0

    @property
    def differs(self) -> float:
        """How far convolution and correlation with the raw sine lie apart, in parts of the peak."""
        return float(np.abs((self.convolved - self.correlated).data).max(initial=0)) / self.peak if self.peak else 0.0


@dataclass(frozen=True)
class Lesson:
    """A sound, its notes in the order of their onsets, and all that a page shows of them.

    `signal`: the sound as it is played, `(channels, n)`; `mono`: the mean of its channels, value `()`, float64, from which all
    is computed. `piano`: how strongly each key of a piano answers, on (key, s). `chosen`: whether the notes were named; else
    they are the strongest keys. `said`: what was left out, in words.
    """

    signal: Signal
    mono: Signal
    notes: tuple[Note, ...]
    piano: Signal
    chosen: bool
    said: tuple[str, ...] = ()

    def numbers(self) -> dict[str, Any]:
        """What was measured, as plain numbers."""
        notes = [{"name": n.name, "frequency": n.frequency, "played": n.played, "onset": n.onset, "raw_begins": n.begun,
                  "raw_early": n.early, "template_begins": n.passed, "peak": n.peak, "peak_dbfs": n.dbfs, "beyond": n.beyond,
                  "convolution_minus_correlation": n.differs, "best_cosine": float(np.abs(n.cosine.data).max(initial=0))}
                 for n in self.notes]
        return {"rate": self.mono.rate, "samples": self.mono.domain.shape[0], "channels": self.signal.value[0],
                "notes_chosen": self.chosen, "notes": notes, "said": list(self.said)}


def listening(x: Signal, notes: str | Sequence[str] | None = None, played: Sequence[float] | None = None) -> Lesson:
    """The practicum on a sound `(channels, n)`.

    `notes`: names such as "Ab6,Eb6,Ab5,Bb5"; None takes the four strongest of a piano's 88 keys that outdo their neighbours.
    `played`: when each of them truly begins, in s, where that is known. At most 30 s and 720 000 samples are taken; `said`
    tells.

    >>> import sigconv as sc
    >>> lesson = listening(sc.load(sc.io.sample("chime")))
    >>> [note.name for note in lesson.notes], round(lesson.notes[0].dbfs), f"{lesson.notes[1].early:.2f} s early"
    (['A♭6', 'E♭6', 'A♭5', 'B♭5'], 58, '0.14 s early')

    Raises `SigconvError` for what is no sound, for silence, and for less than 0.2 s; `UsageError` for names that are no notes,
    more than eight of them, or ones above half the rate.
    """
    named = _names(notes, played)
    signal, said = _excerpt(x)
    data = arrays.to_numpy(signal.data).astype(float).mean(0)
    mono = Signal(data, signal.domain)
    if not data.any():
        raise SigconvError("a silent sound: no note answers; wanted one with notes in it")
    if signal.value[0] > 1:
        said.append(f"The mean of its {signal.value[0]} channels is analysed.")
    heard = piano(mono)
    if named is None:
        said.append("Its notes were not named: the strongest keys of a piano stand for them, overtones included.")
        named = [(name, None) for name in strongest(heard)]
    for name, _ in named:
        if note_to_hz(name) >= float(mono.rate) / 2:
            raise UsageError(f"note {name} at {note_to_hz(name):.0f} Hz in a sound at {mono.rate} Hz: wanted notes below "
                             f"{float(mono.rate) / 2:g} Hz")
    found = [_note(mono, name, time) for name, time in named]
    found.sort(key=lambda n: (not isfinite(n.onset), n.onset))
    return Lesson(signal, mono, tuple(found), heard, notes is not None, tuple(said))


def _names(notes: str | Sequence[str] | None, played: Sequence[float] | None) -> list[tuple[str, float | None]] | None:
    if notes is None:
        return None
    names = [name.strip() for name in (notes.split(",") if isinstance(notes, str) else notes)]
    if not 0 < len(names) <= NOTES or "" in names:
        raise UsageError(f"notes {notes!r}: wanted one to {NOTES} names with commas between, e.g. Ab6,Eb6,Ab5,Bb5")
    for name in names:
        try:
            note_to_hz(name)
        except SigconvError as why:
            raise UsageError(str(why)) from None
    if played is not None and len(played) != len(names):
        raise UsageError(f"{len(played)} times for {len(names)} notes: wanted one for each")
    return list(zip(names, played if played is not None else [None] * len(names), strict=True))


def _excerpt(x: Signal) -> tuple[Signal, list[str]]:
    """The sound as a lesson takes it: from 0 s on, not too long, long enough."""
    if not isinstance(x, Signal) or x.domain.ndim != 1 or x.domain.unit != ("s",) or len(x.value) != 1:
        what = repr(x) if isinstance(x, Signal) else f"a {type(x).__name__}"
        raise SigconvError(f"{what}: wanted a sound, channels on a line in seconds, as sc.load(path) gives")
    x = x.numpy().at(0)
    n, rate = x.domain.shape[0], float(x.rate)
    if n < TEMPLATE * rate:
        raise SigconvError(f"{n / rate:.3g} s of sound: wanted at least {TEMPLATE} s, the length of a template")
    most = min(int(SECONDS * rate), SAMPLES)
    if n <= most:
        return x, []
    return x.on(Domain(most, x.domain.step, 0, "s")), [f"The first {most / rate:.1f} s of {n / rate:.1f} s are taken."]


def _note(x: Signal, name: str, played: float | None) -> Note:
    hz = note_to_hz(name)
    raw, template = raw_sine(hz, x.rate, RAW), quadrature(x.domain, hz, TEMPLATE)
    full, matched = correlate(x, raw, mode="full"), correlate(x, template, mode="full")
    answer, at = level(full, 1 / hz), onset(matched)
    size = Signal(np.abs(matched.data), matched.domain)
    mirrored = np.abs(convolve(x, template, mode="full").data - matched.data).max() / max(float(size.data.max()), 1e-300)
    return Note(name[0].upper() + name[1:].replace("b", "♭").replace("#", "♯"), hz, raw, template, convolve(x, raw),
                full.on(x.domain), answer, matched, alignment(x, template), at, rises(answer, at, RAW), rises(size, at, RAW),
                float(mirrored), played)
