"""The page of the practicum: seven short chapters, each with a picture, something to play, and a question first.

One clip travels with the page. Every other sound is made in it from that clip or from sines, by `lesson.js`, at the gains that
`hear.listen` found: dry and every result equally loud, none beyond −1 dBTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import hear
from ..errors import SigconvError
from ..lessons import Lesson, Note
from ..signal import Signal
from . import lesson_chapters as chapters
from . import lesson_results as results
from .document import whole
from .markup import signed, text
from .sections import about
from .sounds import samples
from .wave import wav

__all__ = ["numbers", "render", "report"]

SCRIPTS = ("audio.js", "player.js", "lesson.js")
STYLES = ("page.css", "lesson.css")
BYTES = 1_450_000  # of the clip, before base64: a stereo sound that is larger is played as the mean of its channels
FADE = 0.01  # s
RECITED = 0.4  # s, each note of the reconstruction


@dataclass(frozen=True)
class Sounds:
    """What the page plays: the clip `dry` as it stands in the page, and gains on it and on sines of amplitude 1.

    `through`, `templates`: for each note the factor on ``clip ∗ kernel``; `mirrored` for the first note's kernel turned round;
    `pure`: for a sine. `total`: those of `through` on the sound itself, the guard's included.
    """

    dry: Signal
    through: tuple[float, ...]
    templates: tuple[float, ...]
    mirrored: float
    pure: float
    total: tuple[float, ...]
    said: tuple[str, ...]


def render(lesson: Lesson, *, source: str) -> str:
    """The lesson as one page that needs nothing else, as text in UTF-8; the same bytes for the same lesson.

    `source`: the name of the file, shown as it is, escaped.

    >>> import sigconv as sc
    >>> page = render(sc.lessons.listening(sc.load(sc.io.sample("chime-dry"))), source="chime-dry.wav")
    >>> page[:15], 'src="http' in page, len(page) < 3e6
    ('<!doctype html>', False, True)

    Raises `SigconvError` where nothing in the sound can be heard.
    """
    sounds = _sounds(lesson)
    rate, n = float(lesson.mono.rate), lesson.mono.domain.shape[0]
    clip = wav(samples(sounds.dry), rate)
    body = [chapters.header(source), chapters.idea(lesson),
            chapters.signal(lesson, clip, (*lesson.said, *sounds.said)), chapters.kernels(lesson),
            chapters.through(lesson, sounds.total), results.mirrored(lesson), results.recited(lesson, RECITED, FADE),
            results.matched(lesson), about()]
    data = {"rate": rate, "template": 0.2, "decks": _decks(lesson, sounds, n)}
    return whole(text(f"Listening to convolution: {source}"), "\n".join(body), data, SCRIPTS, STYLES)


def report(path: Any, lesson: Lesson, *, source: str, overwrite: bool = False, inputs: Sequence[Any] = ()) -> None:
    """Write the page to a file: never over an existing one unless `overwrite`, never over one of `inputs`.

    Raises `SigconvError` as `render` and `io.Outputs` do.
    """
    from ..io import Outputs

    content = render(lesson, source=source).encode("utf-8")
    with Outputs(overwrite=overwrite, inputs=inputs) as out:
        out.open(path).write(content)


def numbers(lesson: Lesson) -> dict[str, Any]:
    """What the lesson measured, and the gains at which the page plays its four convolutions."""
    found = lesson.numbers()
    for note, gain in zip(found["notes"], _sounds(lesson).total, strict=True):
        note["gain"] = gain
    return found


def _sounds(lesson: Lesson) -> Sounds:
    """Everything at one loudness, under one guard."""
    x, said = lesson.signal, []
    if x.value[0] > 2 or 2 * x.data.size > BYTES:
        if x.value[0] > 1:
            said.append(f"Its {x.value[0]} channels are played as their mean: so much fits on a page.")
        x = Signal(lesson.mono.data[None], x.domain)
    notes = lesson.notes
    kernels = [(n.name, n.raw) for n in notes] + [(n.name, n.template) for n in notes] + [("mirrored", notes[0].raw.reverse())]
    heard = hear.listen(x, kernels)
    if not np.isfinite(heard.loudness):
        raise SigconvError("nothing in this sound can be heard; wanted one that is loud enough")
    gains = tuple(take.gain / heard.gain for take in heard.takes)
    many = len(notes)
    sine = Signal(np.sin(2 * np.pi * notes[0].frequency * np.arange(x.domain.shape[0]) / float(x.rate))[None], x.domain)
    wanted = 10 ** ((heard.loudness - hear.loudness(sine)) / 20) * heard.gain
    return Sounds(heard.sound, gains[:many], gains[many: 2 * many], gains[-1], min(wanted, 0.7),
                  tuple(take.gain for take in heard.takes[:many]), tuple(said))


def _decks(lesson: Lesson, sounds: Sounds, n: int) -> list[dict[str, Any]]:
    """What each player plays, and how the page makes it."""
    notes, rate, first = lesson.notes, float(lesson.mono.rate), lesson.notes[0]
    guard = sounds.total[0] / sounds.through[0]  # is in the clip already
    long, starts = round(RECITED * rate), [max(round(float(np.nan_to_num(note.onset)) * rate), 0) for note in notes]
    stops = [min(b, a + long) for a, b in zip(starts, [*starts[1:], n], strict=True)]
    dry = _track("dry", "Signal", {"dry": True}, 1.0, "dry", "The sound itself.")

    def sung(gains: tuple[float, ...], kind: str) -> list[dict[str, Any]]:
        return [_track(f"n{i}", note.name, _kernel(note, kind), gain, "wet", _loud(note.name, gain * guard))
                for i, (note, gain) in enumerate(zip(notes, gains, strict=True))]

    def recital(first: list[int], last: list[int]) -> list[dict[str, Any]]:
        when = [[a, b, note.frequency] for a, b, note in zip(first, last, notes, strict=True)]
        return [_track(i, name, {"notes": when, "fade": fade}, sounds.pure, "wet", words) for i, name, fade, words in
                (("hard", "Hard joins", 0.0, "The sines cut off and set on as they are: a click at every join."),
                 ("soft", "Faded joins", FADE, f"Each note fades in and out within {1000 * FADE:.0f} ms."))]

    alone = [_track(f"n{i}", note.name, _kernel(note, "raw") | {"alone": True}, sounds.pure, "wet",
                    f"sin(2π · {note.frequency:.2f} Hz · t), 0.4 s") for i, note in enumerate(notes)]
    both = [_track("n0", "Convolution", _kernel(first, "raw"), sounds.through[0], "wet", f"x ∗ {first.name}"),
            _track("m0", "Correlation", _kernel(first, "mirrored"), sounds.mirrored, "near", f"x ★ {first.name}")]
    back = [long * i for i in range(len(notes) + 1)]
    return [_deck("signal", n, [dry]), _deck("kernels", first.raw.domain.shape[0], alone),
            _deck("through", n, [dry, *sung(sounds.through, "raw")]), _deck("mirrored", n, both),
            _deck("recited", back[-1], recital(back[:-1], back[1:])), _deck("timed", n, [dry, *recital(starts, stops)]),
            _deck("matched", n, [dry, *sung(sounds.templates, "template")])]


def _kernel(note: Note, kind: str) -> dict[str, Any]:
    """How the page makes a kernel: "raw", "mirrored" (raw, turned round) or "template"."""
    k = note.template if kind == "template" else note.raw
    return {"hz": note.frequency, "n": k.domain.shape[0], "start": int(k.domain.start[0]), "kind": kind, "alone": False}


def _loud(name: str, gain: float) -> str:
    return f"{name}, played at {signed(20 * np.log10(gain))} dB: as loud as the signal." if gain > 0 else name


def _deck(name: str, length: int, tracks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "length": length, "tracks": tracks}


def _track(name: str, shown: str, made: dict[str, Any], gain: float, kind: str, note: str) -> dict[str, Any]:
    return {"id": name, "name": shown, "from": made, "gain": gain, "kind": kind, "note": note}
