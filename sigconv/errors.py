"""The one exception of the library, and the words it uses."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["SigconvError", "SigconvWarning", "UsageError", "hint", "printable"]


class SigconvError(Exception):
    """What was got, what was wanted, what to do about it, in one line.

    Every error that sigconv raises on purpose is one; the command line prints it and exits with `exit_code`.

    >>> raise SigconvError("rate 0 Hz: a rate is above 0")
    Traceback (most recent call last):
    sigconv.errors.SigconvError: rate 0 Hz: a rate is above 0
    """

    exit_code = 1


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


def printable(text: object, limit: int = 500) -> str:
    """One line of at most `limit` characters, control and undecodable bytes escaped, fit for a terminal.

    >>> printable("a\\nb")
    'a\\\\nb'
    """
    line = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii")
                   if not 0xDC80 <= ord(c) <= 0xDCFF else f"\\x{ord(c) - 0xDC00:02x}" for c in str(text))
    return line if len(line) <= limit else line[: limit - 1] + "…"
