"""What the chapters of the lesson are built from: players, timelines, questions, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..lessons import Lesson, Note
from .markup import element, signed, text
from .sections import PLAY
from .sounds import clock
from .svg import Plot, nice_ticks

__all__ = ["ask", "axis", "deck", "key", "row", "seconds", "spread", "table", "timeline", "top", "tracks"]

TOP = 2000.0  # Hz


def seconds(lesson: Lesson) -> float:
    """How long the sound is."""
    return lesson.mono.domain.shape[0] / float(lesson.mono.rate)


def top(lesson: Lesson) -> float:
    """The highest frequency that spectrograms and spectra show."""
    return min(max(TOP, 1.2 * max(n.frequency for n in lesson.notes)), float(lesson.mono.rate) / 2)


def deck(name: str, shown: Sequence[tuple[str, str, str]], order: bool = False) -> str:
    """A player: (id, name, kind) of each of its tracks; `order` adds a button that plays all results one after another."""
    buttons = "".join(element("button", text(word, 40), type="button", data_track=i, data_kind=kind, aria_pressed="false")
                      for i, word, kind in shown)
    every = '<button type="button" class="order" aria-pressed="false">All, one after another</button>' if order else ""
    return f"""<div class="deck scripted" data-deck="{name}"><div class="controls"><button type="button" class="play"
aria-label="Play">{PLAY}</button><div class="tracks" role="group" aria-label="What is heard">{buttons}{every}</div>
<input type="range" class="scrub" min="0" max="1000" value="0" aria-label="Position"><span class="clock"></span></div>
<p class="said" role="status"></p></div>"""


def tracks(notes: Sequence[Note], dry: bool = True) -> list[tuple[str, str, str]]:
    """The signal and a result for each note."""
    return [("dry", "Signal", "dry")] * dry + [(f"n{i}", n.name, "wet") for i, n in enumerate(notes)]


def timeline(name: str, content: str, span: tuple[float, float] | None = None) -> str:
    """Pictures over one time axis (its ends in s where they are not those of the sound), a line where the player stands."""
    first, last = span or (None, None)
    return element("div", content + '<i class="needle" hidden></i>', class_="timeline", data_follows=name, data_from=first,
                   data_to=last)


def row(name: str, picture: str, track: int | None = None) -> str:
    """A named picture, one of several; dimmed while another track is heard."""
    mine = None if track is None else f"n{track}"
    return f'<p class="rowname"><b>{text(name)}</b></p>{element("div", picture, data_row=mine)}'


def axis(length: float) -> str:
    """A time axis by itself, below pictures that have none."""
    plot = Plot(4, "time", foot=18)
    for t in nice_ticks(0, length, 6):
        plot.vertical(t / length, clock(t, length), line=False)
    return plot.svg()


def ask(question: str, answer: str) -> str:
    """A question whose answer waits to be asked for."""
    return f"<details><summary>Predict: {question}</summary><p>{answer}</p></details>"


def key(names: Iterable[tuple[str, str]]) -> str:
    """(class, name) of every colour; without a class words alone."""
    parts = "".join(f"<span>{f'<i class={kind!r}></i>' if kind else ''}{text(name)}</span>" for kind, name in names)
    return f'<p class="key names quiet">{parts}</p>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Numbers, a row for each name; cells are markup."""
    first, *rest = heads
    top = f'<th scope="col">{first}</th>' + "".join(f'<th scope="col" class="n">{head}</th>' for head in rest)
    body = "".join(f'<tr><th scope="row">{name}</th>' + "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>"
                   for name, *cells in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def spread(values: Sequence[float], digits: int, unit: str, sign: bool = False) -> str:
    """From the lowest to the highest of these numbers, or the one that they round to; those that are none left out.

    >>> spread([0.131, 0.142, float("nan")], 2, "s"), spread([5.2, 4.9], 0, "dB", sign=True)
    ('0.13 to 0.14 s', '+5 dB')
    """
    known = [v for v in values if np.isfinite(v)]
    if not known:
        return f"– {unit}"
    low, high = (signed(v, digits) if sign else f"{v:.{digits}f}" for v in (min(known), max(known)))
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"
