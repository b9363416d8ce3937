"""Rules in words: ``Ab6 then Eb6 within 0.4s and not (C4 or E4)``.

    any = all { "or" all }        all = row { "and" row }        row = one { "then" one ["within" time] }
    one = "not" one | "(" any ")" | name
"""

from __future__ import annotations

import re

from ..errors import UsageError
from ..kernels.reading import quoted
from .events import Events

__all__ = ["judged"]

WORDS = re.compile(r"\(|\)|\"[^\"]*\"|[^\s()\"]+")
TIME = re.compile(r"([0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?)(s|ms)?")
KNOWN = ("and", "or", "not", "then", "within", "(", ")")
FORM = "wanted e.g. 'Ab6 then Eb6 within 0.4s', with and, or, not, brackets"
DEEP, LONGEST = 50, 10_000


def judged(text: str, events: Events) -> Events:
    """The events that a rule holds for."""
    if not isinstance(text, str) or len(text) > LONGEST:
        what = f"{len(text)} letters" if isinstance(text, str) else f"type {type(text).__name__}"
        raise UsageError(f"a rule of {what}: {FORM}, at most {LONGEST} letters")
    reader = _Reader(text, events)
    found = reader.any()
    if reader.words:
        raise UsageError(f"rule {quoted(text)}: {quoted(reader.words[0])} where the rule could end; {FORM}")
    return found


class _Reader:
    """The words that are left, read from the front."""

    def __init__(self, text: str, events: Events):
        self.text, self.events, self.words, self.depth = text, events, WORDS.findall(text), 0

    def next(self, *wanted: str) -> bool:
        """Whether the next word is one of these; it is taken."""
        if self.words and self.words[0].lower() in wanted:
            del self.words[0]
            return True
        return False

    def any(self) -> Events:
        found = self.all()
        while self.next("or", "|"):
            found = found | self.all()
        return found

    def all(self) -> Events:
        found, reach = self.row()
        while self.next("and", "&"):
            second, reach = self.row()
            found = (found if reach is None else found.within(reach)) & second
            reach = None
        if reach is not None:
            raise UsageError(f"rule {quoted(self.text)}: 'within' after one name; {FORM}")
        return found

    def row(self) -> tuple[Events, float | None]:
        """Steps one after another; of a single one, also the `within` that follows it."""
        steps, bounds = [self.one()], [self.bound()]
        while self.next("then"):
            steps.append(self.one())
            bounds.append(self.bound())
        if len(steps) == 1:
            return steps[0], bounds[0]
        if bounds[0] is not None:
            raise UsageError(f"rule {quoted(self.text)}: 'within' before the first 'then'; {FORM}")
        for i in range(len(bounds) - 2, 0, -1):
            bounds[i] = bounds[i + 1] if bounds[i] is None else bounds[i]
        found = steps[0]
        for step, bound in zip(steps[1:], bounds[1:], strict=True):
            found = found.then(step, bound)
        return found, None

    def bound(self) -> float | None:
        if not self.next("within"):
            return None
        read = TIME.fullmatch(self.words[0].lower()) if self.words else None
        if not read:
            raise UsageError(f"rule {quoted(self.text)}: 'within' without a time; wanted e.g. within 0.4s")
        del self.words[0]
        unit = read[2] or (self.words.pop(0).lower() if self.words and self.words[0].lower() in ("s", "ms") else "s")
        return float(read[1]) * (0.001 if unit == "ms" else 1)

    def one(self) -> Events:
        self.depth += 1
        if self.depth > DEEP:
            raise UsageError(f"rule {quoted(self.text)}: more than {DEEP} names and brackets; wanted a shorter one")
        if self.next("not", "~"):
            return ~self.one()
        if self.next("("):
            found = self.any()
            if not self.next(")"):
                raise UsageError(f"rule {quoted(self.text)}: a bracket that does not close; {FORM}")
            return found
        if not self.words or self.words[0].lower() in KNOWN:
            what = f"{quoted(self.words[0])} where" if self.words else "an end where"
            raise UsageError(f"rule {quoted(self.text)}: {what} a name should stand; {FORM}")
        return self.events.named(self.words.pop(0).strip('"'))
