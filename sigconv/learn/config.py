"""What a net is, in words and numbers: the table that stands in a run's config.toml and in the metadata of its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ..errors import UsageError, among, hint, printable

__all__ = ["Config", "toml"]

LIMIT = 4096  # labels
QUESTIONS = ("speaker", "take", "part")  # that a net may be asked of a clip beside its label


@dataclass(frozen=True)
class Config:
    """A net: its front, its blocks, its head, and what it answers.

    `rate` (Hz): sounds are brought to it. `window` (s): what one score reads; 0 asks for `clip` seconds and what the layers read
    beyond. `pad`: "input" (the window itself is filled up, nothing within) or "layers" (each layer pads along time: not
    exactly scannable). `head`: {"pool": mean, max, mean+max, rms, moments or attention, "drop": …}. `votes`: how many
    neighbouring windows a clip's score is the mean of. `threshold`: confidence under which an answer is no answer. `heads`:
    further questions, each with its answers, to the same blocks.

    >>> Config(labels=("no", "yes"), blocks=({"channels": 8, "taps": 80, "stride": 16},)).labels
    ('no', 'yes')

    Raises `UsageError` for fewer than two labels, labels that are there twice, and a rate or window out of range.
    """

    labels: Sequence[str] = ()
    rate: int = 8000
    window: float = 0.0
    clip: float = 1.0
    pad: str = "input"
    votes: int = 1
    threshold: float = 0.0
    preset: str = ""
    front: Mapping[str, Any] = field(default_factory=lambda: {"kind": "wave"})
    blocks: Sequence[Mapping[str, Any]] = ()
    head: Mapping[str, Any] = field(default_factory=dict)
    heads: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.labels, (str, Sequence)):
            raise UsageError(f"labels {printable(self.labels, 60)!r}: wanted a list of words")
        labels = tuple(map(str, self.labels))
        object.__setattr__(self, "labels", labels)
        if not 2 <= len(labels) <= LIMIT or len(set(labels)) < len(labels):
            raise UsageError(f"{len(labels)} label{'s' * (len(labels) != 1)} ({', '.join(labels[:4])}): wanted at least two, "
                             f"each once")
        in_hertz(self.rate)
        if not (number(self.window, 0, 60) and number(self.clip, 0, 60) and self.clip > 0):
            raise UsageError(f"window {self.window!r} s, clip {self.clip!r} s: wanted at most 60 s")
        if not (isinstance(self.votes, int) and number(self.votes, 1, 1000) and number(self.threshold, 0, 1)):
            raise UsageError(f"votes {self.votes!r}, threshold {self.threshold!r}: wanted a whole number, 1 to 1000, and a "
                             f"confidence from 0 to 1")
        for name, kind in (("front", Mapping), ("head", Mapping), ("heads", Mapping), ("blocks", (list, tuple))):
            if not isinstance(getattr(self, name), kind):
                raise UsageError(f"{name} {printable(getattr(self, name), 60)!r}: wanted a "
                                 f"{'table' if kind is Mapping else 'list of tables'}")
        for name, answers in self.heads.items():
            among(name, QUESTIONS, "heads")
            if not isinstance(answers, (list, tuple)) or not 1 <= len(set(map(str, answers))) == len(answers):
                raise UsageError(f"heads: {name} {printable(answers, 60)!r}: wanted a list of answers, each once")
        if self.pad not in ("input", "layers"):
            raise UsageError(f"pad {self.pad!r}: wanted input or layers")

    def table(self) -> dict[str, Any]:
        """As plain lists, tables, words and numbers."""
        return _plain(asdict(self))

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> Config:
        """The inverse of `table`; words that are not known are refused."""
        refuse_strangers(table, cls, "a net's config")
        return cls(**table)

    def but(self, **changes: Any) -> Config:
        """With some entries changed."""
        return replace(self, **changes)


def refuse_strangers(table: Mapping[str, Any], kind: type[Any], what: str) -> None:
    """`UsageError` for a word that is no field of this dataclass, with the nearest."""
    known = [f.name for f in fields(kind)]
    for word in table:
        if word not in known:
            raise UsageError(f"{what}: {word!r}; wanted some of {', '.join(known)}{hint(str(word), known)}")


def number(value: Any, low: float, high: float) -> bool:
    """Whether this is a number within these ends, and not true or false."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def in_hertz(rate: Any) -> int:
    """A rate that a net may have.

    Raises `UsageError` for any other.
    """
    if not (isinstance(rate, int) and number(rate, 100, 400_000)):
        raise UsageError(f"rate {rate!r}: wanted a whole number of Hz, 100 to 400000")
    return rate


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def toml(table: Mapping[str, Any], head: str = "") -> str:
    """A table as TOML: what `tomllib` reads back as it was. None is left out.

    >>> print(toml({"rate": 8000, "net": {"labels": ["a", "b"], "blocks": [{"taps": 3}]}}))
    rate = 8000
    <BLANKLINE>
    [net]
    labels = ["a", "b"]
    blocks = [
        {taps = 3},
    ]
    <BLANKLINE>
    """
    lines, below = [], []
    for key, value in table.items():
        if isinstance(value, Mapping):
            name = f"{head}.{_key(key)}" if head else _key(key)
            below.append(f"\n[{name}]\n" + toml(value, name) if value else "")
        elif value is not None:
            lines.append(f"{_key(key)} = {_list(value)}")
    return "\n".join([*lines, ""] if lines else []) + "".join(below)


def _list(value: Any) -> str:
    """A value; tables in a list stand each on a line."""
    if isinstance(value, (list, tuple)) and any(isinstance(v, Mapping) for v in value):
        return "[\n" + "".join(f"    {_value(v)},\n" for v in value) + "]"
    return _value(value)


def _value(value: Any) -> str:
    import json

    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else "nan" if value != value else f"{value:+}".lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(text: object) -> str:
    import json
    import re

    return str(text) if re.fullmatch(r"[A-Za-z0-9_-]+", str(text)) else json.dumps(str(text), ensure_ascii=False)
