"""Chapters 5 to 7 of the lesson: convolution or correlation, the melody built back, a better template."""

from __future__ import annotations

import numpy as np

from ..lessons import Lesson, Note, joins, recite
from ..signal import Signal
from .lesson_figures import curves, keyboard, pooled, waterfall
from .lesson_parts import ask, deck, key, row, seconds, spread, table, timeline, top, tracks
from .markup import number, signed, text
from .sounds import grid_figure

__all__ = ["matched", "mirrored", "recited"]


def mirrored(lesson: Lesson) -> str:
    """True convolution against correlation, for raw sines and for templates."""
    notes, note, rate = lesson.notes, lesson.notes[0], float(lesson.mono.rate)
    wide = max(round(5 / note.frequency * rate), 8)
    own = note.matched.on(lesson.mono.domain).data.real
    raw = _both(note.convolved.data, note.correlated.data, wide, "convolution and correlation with the raw sine")
    same = _both(own, own, wide, "convolution and correlation with the template")
    apart = ", ".join(f"{text(n.name)} {n.differs:.2f}" for n in notes)
    agree = max(n.agrees for n in notes)
    answer = f"""No: a mirrored sine is the same pitch in another phase. Yet sample by sample the two results differ by up to
{max(n.differs for n in notes):.2f} × the peak. Listen to both."""
    return f"""<section id="mirrored"><h2>5 · Convolution or correlation?</h2>
<p class="quiet">The running scalar product is the <i>correlation</i>, x ★ a. <i>Convolution</i>, x ∗ a, turns the template round
first. Titles often say one where programs compute the other.</p>
{ask("turned round, does a note sound different?", answer)}
{deck("mirrored", [("n0", "Convolution", "wet"), ("m0", "Correlation", "near")])}
<div class="pair"><figure>{raw}<figcaption>Raw sine {text(note.name)}, {number(1000 * wide / rate, 2)} ms: same shape, other
phase. The largest difference in parts of the peak: {apart}.</figcaption></figure>
<figure>{same}<figcaption>The template of chapter 7, a centred quadrature pair: its mirror image is its conjugate, so both are
one. Largest difference: {"0" if agree == 0 else f"{agree:.0e}"}.</figcaption></figure></div>
{key([("c0", "convolution"), ("near", "correlation")])}</section>"""


def _both(y: np.ndarray, z: np.ndarray, wide: int, label: str) -> str:
    """Two results around the peak of the first."""
    first, size = max(int(np.abs(y).argmax()) - wide // 2, 0), float(np.abs(y).max()) or 1.0
    cut = slice(first, first + wide)
    return curves([(y[cut] / size, "c0"), (z[cut] / size, "near thin")], 130, label, scale=1.1)


def recited(lesson: Lesson, length: float, fade: float) -> str:
    """The melody from sines alone, with hard and with faded joins."""
    notes, rate, high = lesson.notes, float(lesson.mono.rate), top(lesson)
    pitches = [n.frequency for n in notes]
    words = ("Hard joins", "Faded joins")
    sounds = [recite(pitches, lesson.mono.rate, seconds=length, fade=f) for f in (0.0, fade)]
    times, samples = [length * i for i in range(len(notes))], sounds[0].domain.shape[0]
    above = min(max(2 * max(pitches), 1000.0), 0.4 * rate)
    cells = [waterfall(s.data[0], rate, high, 0.025) for s in sounds]
    peak = max(float(c.max()) for c in cells)
    maps = "".join(row(word, grid_figure(c, peak, ((0.0, high), (0.0, samples / rate)), f"spectrogram, {word}", height=150))
                   for word, c in zip(words, cells, strict=True))
    levels = [(word, *(f"{signed(v, 0)} dB" for v in joins(s, times, above))) for word, s in
              zip(("hard", f"faded, {1000 * fade:.0f} ms"), sounds, strict=True)]
    both = [("hard", words[0], "wet"), ("soft", words[1], "wet")]
    answer = f"""At the joins, {", ".join(number(t) for t in times)} s: a jump holds every frequency, so each is a vertical bar,
and a click. Notes that fade in and out over {1000 * fade:.0f} ms have none."""
    return f"""<section id="recited"><h2>6 · Building it back</h2>
<p class="quiet">The kernels themselves, one after another, {length:g} s each: {samples} samples, {samples / rate:.3g} s.</p>
{ask("where will the spectrogram show more than the notes?", answer)}{deck("recited", both)}{timeline("recited", maps)}
{table((f"energy above {above:.0f} Hz at", *(f"{number(t)} s" for t in times)), levels)}
<h3>In its own time</h3><p class="quiet">The same sines, each from where chapter 7 finds its note until the next, 0.4 s at
most. Switch while it plays.</p>{deck("timed", [("dry", "Signal", "dry"), *both])}</section>"""


def matched(lesson: Lesson) -> str:
    """Raw sines against templates: when each answers, how well it lines up, and all keys at once."""
    notes, long, every = lesson.notes, seconds(lesson), lesson.piano.domain.shape[0]
    span, last = (-0.2, long), len(notes) - 1
    rows = "".join(row(n.name, _answers(n, span, i == last), i) for i, n in enumerate(notes))
    cosines = "".join(row(n.name, _cosine(n, long, i == last), i) for i, n in enumerate(notes))
    known = all(n.played is not None for n in notes)
    heads = ["note", *["begins"] * known, "template finds", *["off by"] * known, "raw sine answers from", "early by",
             "template, same rule"]
    best = max(float(np.abs(n.cosine.data).max(initial=0)) for n in notes)
    chance = (2 / notes[0].template.domain.shape[0]) ** 0.5
    answer = f"""The raw sine, and too early: by {spread([n.early for n in notes], 2, "s")}. Its answer begins as soon as its end
touches the note."""
    return f"""<section id="matched"><h2>7 · A better template</h2>
<p class="quiet">A sine of 0.4 s reaches 0.2 s ahead of itself, and asks for one phase. Take instead 0.2 s under a Hann window, a
cosine and a sine together (a quadrature pair: one complex kernel), divided by its norm. Its magnitude says how much of the note
is there, in any phase.</p>
{ask("which of the two answers first?", answer)}
{deck("matched", tracks(notes), order=True)}{timeline("matched", rows, span)}
{key([("soft", "raw sine: amplitude of x ★ a"), ("c0", "template: |x ★ q|"),
      ("", "dashed: the onset, where |x ★ q| rises most steeply")])}
{table(heads, [_times(n, known) for n in notes])}
<p class="quiet">“Answers from”: going back from the onset, the last moment below a fifth of the peak; the last column holds the
template to that rule.</p>
<h3>The cosine scale</h3><p class="quiet">Divided by the energy of the piece under the template, the read-out is a cosine. It no
longer asks how loud, only how alike: 1 is a copy of the template at any gain, −1 the copy upside down. Drawn is its magnitude,
the best of all phases: here at most {best:.2f}, for a note that keeps its level is not shaped like the window, and others sound
with it. White noise reaches about {chance:.2f}.</p>{timeline("matched", cosines)}
<h3>{f"All {every} keys" if every == 88 else f"The {every} keys below half the rate"}</h3>
<p class="quiet">A template for every key of a piano: the convolution writes the score. Circles: the notes, at their onsets.</p>
{timeline("matched", keyboard(lesson))}</section>"""


def _answers(n: Note, span: tuple[float, float], last: bool) -> str:
    """The raw sine's and the template's read-out over time, each to its own peak, the onset marked."""
    raw, own = pooled(n.answer, span), pooled(Signal(np.abs(n.matched.data), n.matched.domain), span)
    lines = [(v / (float(v.max()) or 1.0), kind) for v, kind in ((raw, "soft"), (own, "c0"))]
    return curves(lines, 70, f"{n.name}: raw sine and template", scale=1.08, low=0.0, over=span, times=last, marks=(n.onset,))


def _cosine(n: Note, long: float, last: bool) -> str:
    drawn = pooled(Signal(np.abs(n.cosine.data), n.cosine.domain), (0.0, long))
    return curves([(drawn, "c0")], 52, f"cosine with {n.name}", low=0.0, ticks=(0, 0.5), fill="wet", over=(0.0, long), times=last)


def _times(n: Note, known: bool) -> list[str]:
    """A row: when the note begins, where that is known, and when each read-out says so."""
    def at(v: float) -> str:
        return f"{'−' if round(v, 3) < 0 else ''}{abs(v):.3f} s" if np.isfinite(v) else "–"

    played = n.played or 0.0
    off = f"{signed(1000 * (n.onset - played), 0)} ms"
    return [text(n.name), *[at(played)] * known, at(n.onset), *[off] * known, at(n.begun), f"<b>{at(n.early)}</b>",
            at(n.onset - n.passed)]
