"""Events: what is where, and the logic of it.

A detector that fires where its score reaches a threshold is the neuron of McCulloch and Pitts, y = 1[w·x ≥ θ]; nets of them make
AND, OR, NOT. Here they act on stretches of time (in two and three axes, on boxes): `a & b` is where both are, `a | b` where
either is, `~a` where a is not; `then` looks at the order. What comes out are events again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

from ..errors import UsageError
from .notes import Note, number
from .templates import called, key

__all__ = ["Event", "Events"]


@dataclass(frozen=True)
class Event:
    """Something at a place.

    `score`, `p`: the cosine there, and how probable it is by chance. `at`: where the template's origin lies, between samples, in
    units. `extent`: (begin, end) an axis. `gain`: how large a copy of the template it is. `channel`: where it is strongest, of
    several. `beaten`: the runners-up for this place. `parts`: the events that a rule put it together from.
    """

    name: str
    score: float
    p: float
    at: tuple[float, ...]
    extent: tuple[tuple[float, float], ...]
    gain: float = 1.0
    channel: int | None = None
    beaten: tuple[Event, ...] = field(default=(), repr=False)
    parts: tuple[Event, ...] = field(default=(), repr=False)

    @property
    def start(self) -> float:
        """Where it begins, on the first axis: of a sound, its onset in s."""
        return self.extent[0][0]

    @property
    def stop(self) -> float:
        """Where it ends, on the first axis."""
        return self.extent[0][1]

    def facts(self) -> dict[str, Any]:
        """What there is to say of it, in plain numbers."""
        place = {"start": self.start, "stop": self.stop} if len(self.extent) == 1 else {"extent": [list(e) for e in self.extent]}
        told = {"name": self.name, **place, "at": list(self.at), "score": self.score, "p": self.p, "gain": self.gain}
        if self.channel is not None:
            told["channel"] = self.channel
        if self.parts:
            told["parts"] = [e.facts() for e in self.parts]
        return told | {"beaten": [{"name": e.name, "at": list(e.at), "score": e.score} for e in self.beaten]}


class Events(Sequence[Event]):
    """Events in order of time, or place. `extent`: of the signal that they were found in; `names`: what was looked for.

    >>> a, b = (Events([Event(n, 1.0, 0.0, (t,), ((t, t + 1),))], ((0, 10),), ["A", "B"]) for n, t in (("A", 2.0), ("B", 2.5)))
    >>> [(e.name, *e.extent[0]) for e in a & b], [e.extent[0] for e in ~a]
    ([('A & B', 2.5, 3.0)], [(0, 2.0), (3.0, 10)])
    >>> bool(a.then(b, within=0.6)), bool(b.then(a)), bool((a | b).rule("A then B and not (B then A)"))
    (True, False, True)
    """

    def __init__(self, events: Iterable[Event], extent: Sequence[tuple[float, float]], names: Sequence[str] = ()):
        self._events = tuple(sorted(events, key=lambda e: (e.extent, -abs(e.score))))
        self.extent, self.names = tuple(extent), tuple(names)

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> Events: ...

    def __getitem__(self, index: int | slice) -> Event | Events:
        return self._with(self._events[index]) if isinstance(index, slice) else self._events[index]

    def __repr__(self) -> str:
        return f"<{len(self)} events: {', '.join(e.name for e in self._events[:8])}{', …' * (len(self) > 8)}>"

    def best(self, count: int) -> list[Event]:
        """Those of the highest scores, the best first."""
        return sorted(self._events, key=lambda e: -abs(e.score))[:count]

    def named(self, name: str) -> Events:
        """Those of one template; A♭4, Ab4 and G♯4 are one note. Raises `UsageError` for what was not looked for."""
        if self.names:
            called(self.names, name)
        return self._with(e for e in self if key(e.name) == key(name))

    def fire(self, threshold: float) -> Events:
        """Those whose score is at least the threshold."""
        return self._with(e for e in self if e.score >= threshold)

    def where(self, keep: Callable[[Event], bool]) -> Events:
        """Those that a function keeps."""
        return self._with(filter(keep, self))

    def __and__(self, other: Events) -> Events:
        both = []
        for a in self:
            for b in other:
                extent = tuple((max(p[0], q[0]), min(p[1], q[1])) for p, q in zip(a.extent, b.extent, strict=True))
                if all(begin < end for begin, end in extent):
                    both.append(_joined(a, b, "&", extent))
        return self._with(both, other)

    def __or__(self, other: Events) -> Events:
        return self._with({id(e): e for e in (*self, *other)}.values(), other)

    def __invert__(self) -> Events:
        if len(self.extent) != 1:
            raise UsageError(f"not, on {len(self.extent)} axes: wanted events in time; what is left of a plane is no box")
        gaps, at, end = [], *self.extent[0]
        for e in self:
            if e.start > at:
                gaps.append((at, min(e.start, end)))
            at = max(at, e.stop)
        gaps += [(at, end)] if at < end else []
        word = f"not {' | '.join(dict.fromkeys(e.name for e in self)) or 'anything'}"
        return self._with(Event(word, 1.0, 1.0, (gap[0],), (gap,)) for gap in gaps)

    def within(self, reach: float) -> Events:
        """Each with what lies up to `reach` (in units) around it: ``a.within(0.2) & b`` is b near a."""
        return self._with(replace(e, extent=tuple((a - reach, b + reach) for a, b in e.extent)) for e in self)

    def then(self, other: Events, within: float | None = None) -> Events:
        """Each of the other that begins after one of these, at most `within` later (in units), together with the last such."""
        if len(self.extent) != 1:
            raise UsageError(f"then, on {len(self.extent)} axes: wanted events in time")
        found, most = [], float("inf") if within is None else within
        for b in other:
            before = [a for a in self if a.start <= b.start and 0 < b.start - _last(a).start <= most]
            if before:
                a = max(before, key=lambda e: _last(e).start)
                found.append(_joined(a, b, "then", ((a.start, max(a.stop, b.stop)),)))
        return self._with(found, other)

    def rule(self, text: str) -> Events:
        """Where a rule holds: ``"Ab6 then Eb6 within 0.4s"``, with `and`, `or`, `not`, brackets; no events where it does not.

        `within` after `then` bounds that step, and earlier steps that have no bound of their own; after `and`, how far apart the
        two may lie. Names with spaces stand in quotes. Raises `UsageError` for what is no rule, and names not looked for.
        """
        from .rules import judged

        return judged(text, self)

    def json(self) -> str:
        """The events as JSON: names, places, scores, chance, runners-up."""
        return json.dumps({"events": [e.facts() for e in self]}, ensure_ascii=False, indent=1)

    def notes(self) -> list[Note]:
        """Those, and their parts, that are named after notes: MIDI number, onset, duration in s, velocity beside the loudest."""
        parts = {id(part): part for e in self for part in e.parts or (e,)}.values()
        heard = [(e, n) for e in sorted(parts, key=lambda e: e.start) if (n := number(e.name)) is not None]
        if self and not heard:
            raise UsageError(f"events such as {self[0].name!r}: wanted names of notes, as the bank 'piano' and 'note:A4' have")
        loudest = max((abs(e.gain) for e, _ in heard), default=1.0) or 1.0
        return [Note(n, e.name, e.start, e.stop - e.start, max(round(127 * (abs(e.gain) / loudest) ** 0.5), 1)) for e, n in heard]

    def _with(self, events: Iterable[Event], other: Events | None = None) -> Events:
        names = dict.fromkeys((*self.names, *(other.names if other is not None else ())))
        return Events(events, self.extent, tuple(names))


def _joined(a: Event, b: Event, word: str, extent: tuple[tuple[float, float], ...]) -> Event:
    """Two events as one: as sure as the less sure of them."""
    weak = a if abs(a.score) < abs(b.score) else b
    parts = (*(a.parts or (a,)), *(b.parts or (b,)))
    return Event(f"{a.name} {word} {b.name}", weak.score, max(a.p, b.p), a.at, extent, weak.gain, None, (), parts)


def _last(e: Event) -> Event:
    """The part that began last."""
    return max(e.parts, key=lambda part: part.start) if e.parts else e
