"""Chapters 1 to 4 of the lesson: the idea, the signal, the kernels, and the signal through each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..lessons import Lesson, Note, alignment, raw_sine
from ..signal import Signal
from ..spectrum import decibels
from .lesson_figures import curves, spectra, waterfall
from .lesson_parts import ask, axis, deck, key, row, seconds, spread, table, timeline, top, tracks
from .lesson_score import score, written
from .markup import base64_url, number, signed, text
from .sounds import grid_figure, samples, waveform_figure

__all__ = ["header", "idea", "kernels", "signal", "through"]

PIECE = 100  # samples of a kernel that are drawn, as in the practicum; more where that is less than three periods
COUNT = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")


def header(source: str) -> str:
    """What this is."""
    return f"""<header><h1>Listening to convolution <small>{text(source, 120)}</small></h1>
<p class="lede"><b>A kernel is a template.</b> Slide it along the signal; at every moment, multiply and add up. The sum is large
where the two line up, near zero where they have nothing in common, negative where one is the other upside down. That running
scalar product is all that a convolution is. Here the templates are notes, so you can hear it.</p></header>"""


def idea(lesson: Lesson) -> str:
    """Five periods of a note as a template on the sound, where they fit well: in step, a quarter and half a period later."""
    rate, found = float(lesson.mono.rate), []
    for n in lesson.notes:
        k = raw_sine(n.frequency, lesson.mono.rate, 5 / n.frequency)
        found.append((n, k, alignment(lesson.mono, k).data))
    good = 0.9 * max(float(c.max()) for _, _, c in found)
    note, k, cosine = min((f for f in found if f[2].max() >= good), key=lambda f: f[0].frequency)
    period, at, last = rate / note.frequency, int(cosine.argmax()), len(cosine) - 1
    half = min(at + max(round(period / 2), 1), last)
    shifts = [at, at + int(np.abs(cosine[at: half + 1]).argmin()), half]
    words = ("in step", "about a quarter of a period later", "half a period later")
    tiles = "".join(_tile(lesson.mono, k, s, float(cosine[s]), word) for s, word in zip(shifts, words, strict=True))
    first, stop = max(at - round(2 * period), 0), min(at + round(4 * period), last) + 1
    dots = [((s - first) / max(stop - 1 - first, 1), float(cosine[s])) for s in shifts]
    line = curves([(cosine[first:stop], "c0")], 110, "the cosine as the template slides", scale=1.1, ticks=(1, 0, -1),
                  dots=dots, fill="wet")
    return f"""<section id="idea"><h2>1 · The running scalar product</h2>
<p class="quiet">Blue: {number(5000 * period / rate, 2)} ms of the signal. Orange: the template, five periods of
{text(note.name)}. Their scalar product, divided by both norms, is the cosine of the angle between them: 1 in step, 0 at right
angles, −1 opposed.</p><div class="three">{tiles}</div>{line}
<p class="quiet">The same number for every shift: this curve is the convolution, up to scale and a mirror (chapter 5). A ReLU
would keep the shaded part: the matches, without their opposites.</p></section>"""


def _tile(x: Signal, k: Signal, at: int, cosine: float, word: str) -> str:
    """The template over the piece of the signal under it."""
    first = at + int(k.domain.start[0])
    piece = np.pad(x.data, len(k.data))[first + len(k.data):][: len(k.data)]
    size = float(abs(piece).max()) or 1.0
    plot = curves([(piece / size, "dry"), (k.data, "c0")], 84, f"signal and template {word}", scale=1.15)
    return f"<figure>{plot}<figcaption>{word}: <b>{signed(cosine)}</b></figcaption></figure>"


def signal(lesson: Lesson, clip: bytes, said: Sequence[str]) -> str:
    """The sound: player, waveform, spectrogram, score."""
    x, long, high = samples(lesson.signal)[:2], seconds(lesson), top(lesson)
    cells = waterfall(lesson.mono.data, float(lesson.mono.rate), high)
    wave = waveform_figure(x, long, float(abs(x).max()) or 1.0, "dry", "waveform")
    picture = grid_figure(cells, float(cells.max()), ((0.0, high), (0.0, long)), "spectrogram")
    shift, rhythm = written(lesson.notes), len(lesson.notes) == 4 and all(n.played is not None for n in lesson.notes)
    octaves = {0: "at the pitch that sounds", 1: "an octave below the sound", -1: "an octave above the sound"}.get(
        shift, f"{abs(shift)} octaves {'below' if shift > 0 else 'above'} the sound")
    how = "A triplet of crotchets, then a minim; the treble stands" if rhythm else "The treble stands"
    notes = "".join(f'<p class="quiet">{text(each)}</p>' for each in said)
    plain = f'<audio id="clip" controls preload="none" aria-label="the signal" src="{base64_url(clip, "audio/wav")}"></audio>'
    return f"""<section id="signal"><h2>2 · The signal</h2>
<p class="quiet">Its waveform, and what is in it: time runs to the right, frequency up to {high:g} Hz, brighter is stronger.</p>
{deck("signal", [("dry", "Signal", "dry")])}{timeline("signal", wave + picture)}<div class="plain">{plain}</div>
<h3>The score</h3>{score(lesson.notes, rhythm)}
<p class="quiet">{how} {octaves}. Below each note its name as it sounds, and when it begins here, as chapter 7 finds it.</p>
{notes}</section>"""


def kernels(lesson: Lesson) -> str:
    """The note kernels: heard, seen over the signal, and their spectra."""
    notes, rate = lesson.notes, float(lesson.mono.rate)
    many = max(PIECE, round(3 * rate / min(n.frequency for n in notes)))
    tiles = "".join(f'<figure>{_over(lesson.mono, n, many)}<figcaption><b>{text(n.name)}</b> {n.frequency:.2f} Hz, '
                    f"{many * n.frequency / rate:.1f} periods</figcaption></figure>" for n in notes)
    high, low = (pick(notes, key=lambda n: n.frequency) for pick in (max, min))
    ratio = high.frequency / low.frequency
    why = "an octave lower, half as many" if abs(ratio - 2) < 0.01 else f"{number(ratio, 3)} times lower, as many times fewer"
    question = ask(f"how many periods does {text(high.name)} make in {many} samples, and {text(low.name)}?",
                   f"{many} · {high.frequency:.2f} / {number(rate, 6)} = {many * high.frequency / rate:.1f}, and "
                   f"{many * low.frequency / rate:.1f}: {why}.") if len(notes) > 1 else ""
    colours = [("soft", "the signal"), *((f"c{i % 6}", n.name) for i, n in enumerate(notes))]
    return f"""<section id="kernels"><h2>3 · {COUNT[len(notes)]} note{"s as kernels" if len(notes) > 1 else " as a kernel"}</h2>
<p class="quiet">Each is a plain sine, 0.4 s long ({notes[0].raw.domain.shape[0]} samples), amplitude 1, cut off hard at both
ends.</p>{question}{deck("kernels", tracks(notes, dry=False))}<div class="four">{tiles}</div>
<p class="quiet">Orange: the first {many} samples of each kernel. Blue: {many} samples of the signal while that note sounds, to a
scale of their own. Where the periods match, the products all have one sign.</p>
<h4>Their spectra</h4>{spectra(notes, lesson.mono, top(lesson))}{key(colours)}</section>"""


def _over(x: Signal, note: Note, many: int) -> str:
    """So many samples of the kernel over as many of the sound, from where it crosses 0 upwards."""
    first = min(round((max(np.nan_to_num(note.onset), 0) + 0.08) * float(x.rate)), max(len(x.data) - 2 * many, 0))
    ahead = x.data[first: first + many]
    up = np.flatnonzero((ahead[:-1] <= 0) & (ahead[1:] > 0))
    piece = x.data[first + (int(up[0]) if len(up) else 0):][:many]
    size = float(abs(piece).max(initial=0)) or 1.0
    return curves([(piece / size, "dry"), (note.raw.data[:many], "c0")], 96, f"{note.name} over the signal", scale=1.15)


def through(lesson: Lesson, gains: Sequence[float]) -> str:
    """The convolutions on one scale, and how far they would clip."""
    notes, long = lesson.notes, seconds(lesson)
    peak, loud = max(n.peak for n in notes), max(notes, key=lambda n: n.peak)
    rows = "".join(row(f"x ∗ {n.name}", waveform_figure(n.convolved.data[None], long, peak, "wet", f"x ∗ {n.name}", height=64), i)
                   for i, n in enumerate(notes))
    cells = [(text(n.name), number(n.peak), f"{signed(n.dbfs, 1)} dBFS", f"{100 * n.beyond:.0f} %",
              f"{signed(float(decibels(g)), 1)} dB") for n, g in zip(notes, gains, strict=True)]
    answer = f"""{spread([n.dbfs for n in notes], 0, "dB", sign=True)}: {notes[0].raw.domain.shape[0]} products that agree add up.
The strongest, {text(loud.name)}, peaks at {number(loud.peak)}. A player that just clips would make noise of them; one that
stretches each to fit would hide which is stronger. Here each is as loud as the signal, and the gain that it took is said."""
    return f"""<section id="through"><h2>4 · The signal through each kernel</h2>
{ask("full scale is 1. How far beyond it do the results reach?", answer)}
{deck("through", tracks(notes), order=True)}{timeline("through", rows + axis(long))}
<p class="quiet">All on one scale. Each grows while more of its note comes under the kernel: 0.4 s of memory.</p>
{table(("", "peak", "in dB", "samples beyond ±1", "played at"), cells)}</section>"""
