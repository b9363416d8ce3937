"""`match(x, templates)`: scores, their chance, and events."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, prod
from typing import Any

import numpy as np

from ..domain import natural
from ..errors import SigconvError, UsageError
from ..signal import Signal
from .chance import Null, null, tail
from .cosines import cosines, plain
from .events import Events
from .notes import Note
from .picking import OVERLAP, picked
from .templates import Template, gathered

__all__ = ["Matching", "match"]

MOST = 2**27  # scores, a GiB


@dataclass(frozen=True)
class Group:
    """Templates that share a grid: as unit vectors, the norms of the pieces of x under them, `(channels, *Ω)`, and their null."""

    x: Signal
    unit: Signal
    norms: np.ndarray
    centred: bool

    @cached_property
    def null(self) -> Null:
        """What chance brings, found when it is asked for."""
        return null(self.x, self.unit, self.centred)


@dataclass(frozen=True)
class Matching:
    """What `match` found. `scores`: the cosines, a channel a template, named; `templates`: what is known of each.

    Of x with one channel or none `scores` has the value `(m,)`; with c channels `(c, m)`, or `(m,)` where templates lie in all
    channels at once. Score ω is that of a template whose origin lies at ω.
    """

    scores: Signal
    templates: tuple[Template, ...]
    stride: tuple[int, ...] = field(repr=False)
    groups: tuple[Group, ...] = field(repr=False)
    x: Signal = field(repr=False)

    @cached_property
    def chance(self) -> Signal:
        """The chance level 1/√d of each score: the root mean square of the cosines that noise of the local spectrum would give.

        d are the degrees of freedom that the template effectively faces there; for a pair this is the level of either part.
        """
        return self._everywhere(lambda cosine, share, freedom, pair: np.sqrt(share))

    @cached_property
    def p(self) -> Signal:
        """How probable a cosine of at least this size, of either sign, is in noise of the local spectrum; 1 in silence."""
        return self._everywhere(tail)

    def events(self, *, p: float | None = None, threshold: float | None = None, overlap: float = OVERLAP, across: str = "similar",
               either: bool = False, faint: float | None = None) -> Events:
        """Where templates are, the best of each place, in order of time (or place); what they beat is listed in each.

        `p`: at most so probable by chance, 0.001 unless a `threshold` is given, the least score. `overlap`: of the smaller of two
        windows, the share up to which both may stand. `across`: what competes for a place: "similar" templates, whose spectra
        share at least half, so that scales of one thing compete and notes of a chord do not; "all"; or "none", each for itself.
        `either`: scores below 0, copies upside down, count by their size. `faint`: what is below this share of the template's
        best score is left out, 0.3 by default; of tones, below this share of the loudest of them all, 0.05.

        A steady tone (a complex template on a line that is alike all along) answers for as long as it sounds. Its events are the
        peaks of its amplitude, in all channels together; two of them need a fall of 3 dB between them. It begins where its
        amplitude rises most steeply and ends where it has fallen by half. Any other template begins and ends where its taps do.
        Places are read between samples, from a parabola.

        Raises `UsageError` for limits that are no shares.
        """
        return picked(self, p, threshold, overlap, across, either, faint)

    def json(self, **limits: Any) -> str:
        """The `events` as JSON."""
        return self.events(**limits).json()

    def notes(self, **limits: Any) -> list[Note]:
        """The `events` as notes: MIDI number, onset and duration in s, velocity."""
        return self.events(**limits).notes()

    @property
    def rows(self) -> np.ndarray:
        """The scores as `(channels · templates, *Ω)`."""
        return self.scores.data.reshape(prod(self.scores.value), *self.scores.domain.shape)

    def template(self, row: int) -> Template:
        """The template of a row."""
        return self.templates[row % len(self.templates)]

    def amplitude(self, row: int) -> np.ndarray:
        """The scalar products of a row, in units of the template: how large a copy of it they would be."""
        group, inner = self._group(row)
        return self.rows[row] * group.norms[inner // group.unit.value[0]] / self.template(row).size

    def loudness(self, row: int) -> np.ndarray:
        """The amplitude of a row's template in all channels together: the root of the sum of squares."""
        m = len(self.templates)
        return np.sqrt(sum(self.amplitude(r) ** 2 for r in range(row % m, len(self.rows), m)))

    def unit(self, row: int) -> np.ndarray:
        """The taps of a row's template as a unit vector, or an orthonormal pair."""
        group, inner = self._group(row)
        return group.unit.data[inner % group.unit.value[0]]

    def p_at(self, row: int, places: tuple[np.ndarray, ...]) -> np.ndarray:
        """`p` of one row at some places, given as indices of the scores."""
        return tail(self.rows[row][places], *self._null(row, *places), self.template(row).pair)

    def _everywhere(self, law: Any) -> Signal:
        out = np.empty(self.rows.shape)
        places = np.ix_(*map(np.arange, self.scores.domain.shape))
        for row, cosine in enumerate(self.rows):
            out[row] = law(cosine, *self._null(row, *places), self.template(row).pair)
        return Signal(out.reshape(self.scores.data.shape), self.scores.domain, self.scores.names)

    def _null(self, row: int, *places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and μ of a row."""
        group, inner = self._group(row)
        return group.null.at(inner, *(t * s for t, s in zip(places, self.stride, strict=True)))

    def _group(self, row: int) -> tuple[Group, int]:
        """The group that a row belongs to, and which row of the group it is."""
        channel, index = divmod(row, len(self.templates))
        for group in self.groups:
            if index < (many := group.unit.value[0]):
                return group, channel * many + index
            index -= many
        raise IndexError(row)


def match(x: Signal, templates: Any, *, stride: Any = 1, centred: bool = False) -> Matching:
    """How well templates line up with every piece of x: cosines in [−1, 1], what chance would bring, and events.

    `templates`: a Signal, of value `()`, `(m,)` for m templates, or `(m, c)` for m templates in c channels at once; words
    ("piano", "note:A4", "chirp:300,3000,0.1"); `{name: template}`; or a list of these, in which a Signal with as many channels as
    x lies in all of them at once. Complex templates are quadrature pairs: their score is the best of all phases, in [0, 1].

    `stride`: looks at every s-th place only. `centred`: takes the mean of each piece and template away first, which is what
    templates of bright pictures want; then the scores are those of `skimage.feature.match_template`.

    A copy of a template scores 1 at any gain, turned upside down −1, silence 0. Beyond Ω lie zeros. Computed in double precision,
    NumPy; for gradients take `Motif`.

    >>> import sigconv as sc
    >>> chime = sc.load(sc.io.sample("chime-dry"))
    >>> found = match(chime, "piano", stride=50)
    >>> [(e.name, round(e.start, 2)) for e in found.events()]
    [('G♯6', 0.0), ('D♯6', 0.26), ('G♯5', 0.52), ('A♯5', 0.78)]

    Raises `SigconvError` where rates or axes disagree, for values that are complex or not finite, for templates of zeros, and for
    more than 2²⁷ scores (`stride` is the cure); `UsageError` for words that name no kernel.
    """
    x = plain(x)
    steps = natural(stride, "stride", x.domain.ndim)
    given = gathered(templates, x, centred)
    known = tuple(t for found, _ in given for t in found)
    joint = {len(unit.value) == 2 for _, unit in given}
    if len(joint) > 1:
        raise UsageError("templates for all channels beside templates for one: wanted one kind; match them apart")
    value = x.value[:-1] if joint == {True} else x.value
    out, channels = x.domain.every(steps), prod(value)
    if (many := channels * len(known)) * out.size > MOST:
        least = ceil((many * out.size / MOST) ** (1 / out.ndim) * max(steps))
        raise SigconvError(f"{many} × {out.size} scores: wanted at most {MOST}; with stride={least + 1} they fit")
    rows, groups, at = np.empty((channels, len(known), *out.shape)), [], 0
    for _, unit in given:
        y, norms = cosines(x, unit, steps, centred)
        many = unit.value[0]
        part = np.abs(y.data) if np.iscomplexobj(y.data) else y.data
        rows[:, at: at + many] = part.reshape(channels, many, *out.shape)
        groups.append(Group(x, unit, norms.reshape(channels, *out.shape), centred))
        at += many
    value = value if channels != 1 else ()
    names = (*(x.names[: len(value)]), [t.name for t in known])
    return Matching(Signal(rows.reshape(*value, *rows.shape[1:]), out, names), known, steps, tuple(groups), x)
