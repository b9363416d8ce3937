"""A table of words and numbers, held against what it is to call: which words that has, and which values each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

from ..errors import UsageError, hint, printable
from .config import number

__all__ = ["fitted"]

LIMIT = 2**20  # of whole numbers


def fitted(make: Callable[..., Any], table: Any, what: str, least: int = 1) -> dict[str, Any]:
    """The table, as keywords that `make` can take: all of them known, none missing, each of the kind that is written there.

    Whole numbers begin at `least`, or at 0 where that is the default; `drop` is a share.

    >>> def block(*, channels: int, drop: float = 0.0): ...
    >>> fitted(block, {"channels": 8}, "block")
    {'channels': 8}
    >>> fitted(block, {"channels": 8, "drop": "a"}, "block")
    Traceback (most recent call last):
    sigconv.errors.UsageError: block: drop 'a': wanted a share from 0, below 1

    Raises `UsageError` for a table that is none, or does not fit.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"{what} {printable(repr(table), 60)}: wanted a table of words")
    known = {p.name: p for p in signature(make).parameters.values() if p.kind is Parameter.KEYWORD_ONLY}
    for word, value in table.items():
        if word not in known:
            some = f"some of {', '.join(sorted(known))}" if known else "no options"
            raise UsageError(f"{what}: {word!r}; wanted {some}{hint(str(word), known)}")
        if wanted := _unfit(known[word], value, least):
            raise UsageError(f"{what}: {word} {printable(repr(value), 60)}: wanted {wanted}")
    if missing := [word for word, p in known.items() if p.default is Parameter.empty and word not in table]:
        raise UsageError(f"{what} without {', '.join(missing)}")
    return {str(word): value for word, value in table.items()}


def _unfit(word: Parameter, value: Any, least: int) -> str:
    """What a value should have been; empty where it is that."""
    kind, least = word.annotation, 0 if word.default == 0 else least
    if value is None and kind.endswith("None"):
        return ""
    listed = isinstance(value, (list, tuple))
    wanted, fits = {
        "bool": ("true or false", isinstance(value, bool)),
        "int": (f"a whole number from {least} to {LIMIT}", number(value, least, LIMIT) and isinstance(value, int)),
        "float": ("a number", number(value, -LIMIT, LIMIT)),
        "str": ("a word", isinstance(value, str)),
        "Sequence[int]": ("a list of whole numbers from 1 on",
                          listed and len(value) > 0 and all(number(v, 1, LIMIT) and isinstance(v, int) for v in value)),
        "Sequence[Mapping[str, Any]]": ("a list of tables", listed and all(isinstance(v, Mapping) for v in value)),
    }.get(kind.removesuffix(" | None"), ("", True))
    if word.name == "drop":
        wanted, fits = "a share from 0, below 1", number(value, 0, 1) and value < 1
    return "" if fits else wanted
