"""How much a file may ask for, checked before anything is allocated.

Each limit is raised by an environment variable, `SIGCONV_MAX_PIXELS=200000000` and so on: a number in a file never does.
"""

from __future__ import annotations

import os
import re
from fractions import Fraction

from ..errors import SigconvError

__all__ = ["LIMITS", "exact", "limit", "within"]

LIMITS = {
    "pixels": 89_478_485,  # of an image, Pillow's own threshold for decompression bombs
    "voxels": 2**28,  # of a video, all frames together
    "samples": 2**30,  # of a sound, all channels together
    "taps": 2**22,
    "channels": 256,
    "rate": 10**6,  # Hz
    "json": 16 * 2**20,  # bytes of a text of taps
    "unpacked": 2**30,  # bytes of an .npz, unpacked
}


UNITS = {"rate": "Hz", "json": "bytes of text", "unpacked": "bytes unpacked"}


def limit(name: str) -> int:
    """The limit in force.

    >>> limit("channels")
    256
    """
    raised = os.environ.get(f"SIGCONV_MAX_{name.upper()}", "")
    return int(raised) if raised.isascii() and raised.isdigit() else LIMITS[name]


def within(name: str, value: int, what: str) -> None:
    """Raise unless `value` is within the limit; the message says what was asked for and how to raise the limit."""
    if value > limit(name):
        raise SigconvError(f"{what}: more than the limit of {limit(name)} {UNITS.get(name, name)}; if the file is to be trusted, "
                           f"raise it with the environment variable SIGCONV_MAX_{name.upper()}={value}")


def exact(text: object) -> Fraction:
    """The fraction that a text such as "1/44100" gives; short ones alone, since "1e999999999" would compute for ever.

    >>> exact("-3/2")
    Fraction(-3, 2)
    """
    if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,60}(/[0-9]{1,60})?", text):
        raise SigconvError("a step or start that is no fraction of whole numbers; is the file damaged?")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise SigconvError(f"a step or start of {text}; is the file damaged?") from None
