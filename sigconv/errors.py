"""The one exception of the library, and the words it uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["SigconvError", "SigconvWarning", "UsageError", "among", "hint", "printable"]

LIMIT = 500  # characters of a message


class SigconvError(Exception):
    """What was got, what was wanted, what to do about it, in one line.

    Every error that sigconv raises on purpose is one; the command line prints it and exits with `exit_code`.

    >>> raise SigconvError("rate 0 Hz: a rate is above 0")
    Traceback (most recent call last):
    sigconv.errors.SigconvError: rate 0 Hz: a rate is above 0
    """

    exit_code = 1

    def __str__(self) -> str:
        text = " ".join(line.strip() for line in super().__str__().splitlines())
        return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


class UsageError(SigconvError):
    """An argument that can't be meant: an unknown kernel, a wrong parameter, options that exclude each other."""

    exit_code = 2


class SigconvWarning(UserWarning):
    """Something was done to the data, or is missing from it, that should not pass in silence."""


def hint(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'edge'?"` for the nearest of the known words, or nothing when none is near.

    >>> hint("egde", ["edge", "blur"])
    "; did you mean 'edge'?"
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


def among(value: object, known: Sequence[str], what: str) -> None:
    """Raise unless the value is one of the known words.

    >>> among("sam", ("full", "same", "valid"), "mode")
    Traceback (most recent call last):
    sigconv.errors.SigconvError: mode 'sam': wanted full, same, valid; did you mean 'same'?
    """
    if not isinstance(value, str) or value not in known:
        raise SigconvError(f"{what} {value!r}: wanted {', '.join(known)}{hint(str(value), known)}")


def printable(text: object, limit: int = LIMIT) -> str:
    """One line of at most `limit` characters, control and undecodable bytes escaped, fit for a terminal.

    >>> printable("a\\nb")
    'a\\\\nb'
    """
    line = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii")
                   if not 0xDC80 <= ord(c) <= 0xDCFF else f"\\x{ord(c) - 0xDC00:02x}" for c in str(text))
    return line if len(line) <= limit else line[: limit - 1] + "…"
