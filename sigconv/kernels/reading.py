"""Kernels as people type them: a family's parameters in their units, and what the words of the field mean here.

A number may carry a prefix (1.5k), the axis's unit with one (20ms, 1.5kHz), or for a length be counted in samples; a frequency in
Hz may be a note. Where each axis may have its own, colons stand between them (blur:40Hz:25ms). Values without a name fill the
parameters in order, those with one follow.
"""

from __future__ import annotations

import re
from typing import Any

from ..domain import Domain
from ..errors import SigconvError, UsageError, hint, printable
from ..scales import note_to_hz
from .banking import BANKS, BankFamily, find_bank
from .registry import COUNT, DEGREES, EACH, FAMILIES, FREQUENCIES, LENGTH, LENGTHS, PITCH, SHIFTS, WORD, Family, Parameter, find

__all__ = ["NUMBER", "arguments", "names", "nearest", "plain", "quoted", "several"]

NUMBER = re.compile(r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*([^\s0-9]*)")
PREFIXES = {"": 1.0, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9}
LONG = (LENGTH, LENGTHS, SHIFTS)
COUNTED = ("sample", "samples", "step", "steps")
BENT = "no convolution, it is not linear; the nearest are gaussian and box"
MEANT = {  # words of the field: the nearest thing there is
    "sobel": "edge, or typed taps such as [[-1,0,1],[-2,0,2],[-1,0,1]]",
    "prewitt": "edge, or typed taps such as [[-1,0,1],[-1,0,1],[-1,0,1]]",
    "scharr": "edge, or typed taps such as [[-3,0,3],[-10,0,10],[-3,0,3]]",
    "difference": "edge, or the central difference 0.5,0,-0.5", "canny": "derivative, its first step",
    "outline": "laplace, or typed taps such as [[-1,-1,-1],[-1,8,-1],[-1,-1,-1]]",
    "median": BENT, "bilateral": BENT, "max": BENT, "min": BENT, "compressor": BENT,
    "hall": "room:t60=2, or a file such as hall.wav",
    "ir": "room, or a file such as room.wav", "rir": "room, or a file such as room.wav",
    "notch": "bandstop with both edges, e.g. bandstop:45,55", "eq": "bandpass:500,2000 or bandstop:500,2000",
    "equalizer": "bandpass:500,2000 or bandstop:500,2000", "equaliser": "bandpass:500,2000 or bandstop:500,2000",
    "hpf": "highpass", "lowcut": "highpass", "lpf": "lowpass", "highcut": "lowpass", "bpf": "bandpass",
    "bass": "lowpass:200", "treble": "highpass:4000",
    "average": "box", "movingaverage": "box", "smooth": "blur", "gauss": "gaussian",
    "binomial": "typed taps such as 0.25,0.5,0.25",
    "unsharpmask": "unsharp", "ricker": "log", "blob": "log or dog", "differenceofgaussians": "dog", "relief": "emboss",
    "motionblur": "motion", "streak": "motion", "directional": "motion:angle=45", "line": "motion:angle=45",
    "harris": "corner", "texture": "gabor:angle=45",
    "impulse": "identity", "dirac": "identity", "delta": "identity", "gain": "a number in brackets, e.g. [0.5]",
    "volume": "a number in brackets, e.g. [0.5]", "invert": "[-1]", "sine": "note:A4", "sin": "note:A4", "chorus": "echo",
}


def names() -> list[str]:
    """Every name and alias of a family, of kernels or of banks.

    >>> "blur" in names() and "gammatone" in names()
    True
    """
    known: list[Family | BankFamily] = [*FAMILIES.values(), *BANKS.values()]
    return sorted({word for f in known for word in (f.name, *f.aliases)})


def nearest(word: str) -> str:
    """What a word that is no family may have meant, as the end of a sentence; nothing where nothing is near.

    >>> nearest("egde"), nearest("Hall")
    ("did you mean 'edge'?", 'the nearest is room:t60=2, or a file such as hall.wav')
    """
    if len(word) >= 100:
        return ""
    meant = MEANT.get(re.sub(r"[\s_-]", "", word.lower()))
    if meant:
        return meant if meant == BENT else f"the nearest is {meant}"
    return hint(word.lower(), names()).removeprefix("; ")


def several(text: str) -> str:
    """The cure, where a text is families that stand beside each other without a `*`.

    >>> several("edge,blur:3")
    'two kernels; write edge*blur:3 for one after the other, --kernel twice for one beside the other'
    """
    pieces = [p.strip() for p in re.split(r"[,+|;&>\s]+", text[:200])]
    if len(pieces) < 2 or not all(find(p.partition(":")[0]) or find_bank(p.partition(":")[0]) for p in pieces[:2]):
        return ""
    return f"two kernels; write {pieces[0]}*{pieces[1]} for one after the other, --kernel twice for one beside the other"


def plain(text: str) -> float | None:
    """A number, or a fraction of two: `"-1.5e2"`, `"1/3"`; None for anything else.

    >>> plain("1/4"), plain("-2"), plain("1/0"), plain("2k")
    (0.25, -2.0, None, None)
    """
    if found := NUMBER.fullmatch(text):
        return None if found[2] else float(found[1])
    above, below = (NUMBER.fullmatch(part.strip()) for part in text.split("/")) if text.count("/") == 1 else (None, None)
    if not above or not below or above[2] or below[2] or not float(below[1]):
        return None
    return float(above[1]) / float(below[1])


def arguments(family: Family | BankFamily, called: str, text: str, like: Domain) -> dict[str, Any]:
    """A family's parameters as typed, each read in its unit.

    >>> import sigconv as sc
    >>> arguments(find("bandpass"), "bandpass", "500, 2k, window=hann", sc.line(1, 8000))
    {'low': 500.0, 'high': 2000.0, 'window': 'hann'}

    Raises `UsageError` for what is not known, not in order, or not in the unit; it says what the family takes.
    """
    known, options, named = list(family.parameters), {}, False
    for i, part in enumerate(text.split(",") if text.strip() else []):
        word, equals, value = (s.strip() for s in part.partition("="))
        if equals:
            word, named = word.lower(), True
        elif both := several(f"{called},{word}"):
            raise UsageError(f"kernel {called}: {both}")
        elif i < len(known) and not named:
            word, value, equals = known[i], word, "="
        if not equals or word not in family.parameters or word in options:
            why = _wrong(word, bool(equals), word in options, family)
            raise UsageError(f"kernel {called}: {why}{' ' if why.endswith('?') else '; '}{_takes(family, like)}")
        options[word] = _value(value, word, family.parameters[word], like, called)
    return options


def _wrong(word: str, equals: bool, twice: bool, family: Family | BankFamily) -> str:
    if twice:
        return f"{quoted(word)} twice"
    if not equals and family.parameters:
        return f"{quoted(word)} stands alone; write name=value"
    return f"no parameter {quoted(word)}{hint(word, family.parameters) if len(word) < 100 else ''}"


def _takes(family: Family | BankFamily, like: Domain) -> str:
    units = ((name, p.unit_on(like) or (p.unit if p.unit not in LONG else "")) for name, p in family.parameters.items())
    listed = ", ".join(f"{name} ({unit})" if unit else name for name, unit in units)
    return f"it takes {listed}" if listed else "it takes no parameters"


def _value(text: str, name: str, parameter: Parameter, like: Domain, called: str) -> Any:
    """One parameter's value: a number in its unit, a note for a frequency, a word."""
    if parameter.unit == WORD:
        return text.lower()
    entries = text.split(":") if parameter.unit in EACH and like.ndim > 1 else [text]
    if len(entries) > 1:
        if len(entries) != like.ndim:
            raise UsageError(f"kernel {called}: {name}={quoted(text)}: wanted one number, or one for each of "
                             f"{' : '.join(like.name)}")
        return tuple(_one(entry.strip(), name, parameter, like, called, axis) for axis, entry in enumerate(entries))
    if parameter.unit == LENGTHS and (found := NUMBER.fullmatch(text)) and found[2] in COUNTED:
        return tuple(float(found[1]) * float(step) for step in like.step)
    value = _one(text, name, parameter, like, called)
    if parameter.unit in (LENGTHS, FREQUENCIES) and len(set(like.unit)) > 1:
        units = " and ".join(dict.fromkeys(like.unit))
        example = ":".join(f"{2 * float(s):g}{u}" if parameter.unit == LENGTHS else f"{1 / (8 * float(s)):g}"
                           for s, u in zip(like.step, like.unit, strict=True))
        raise UsageError(f"kernel {called}: {name}={quoted(text)} on axes in {units}: wanted one for each, e.g. {name}={example}"
                         + (" or 2steps" if parameter.unit == LENGTHS else ""))
    return value


def _one(text: str, name: str, parameter: Parameter, like: Domain, called: str, axis: int = -1) -> Any:
    """One number in the unit of its axis, or a note for a frequency."""
    unit = parameter.unit_on(like, axis)
    bare = f"a number in {unit}" if unit else "a number"
    if parameter.unit in LONG and unit not in ("px", "sample"):
        bare += " or in samples, e.g. 3samples"
    wanted = {COUNT: "a whole number", PITCH: f"a note (A4) or {bare}"}.get(parameter.unit, bare)
    found = NUMBER.fullmatch(text)
    if not found and unit == "Hz" and parameter.unit not in LONG:
        try:
            return note_to_hz(text)
        except (SigconvError, OverflowError):
            pass
    factor = _factor(found[2], unit, parameter, float(like.step[axis])) if found else None
    if factor is None:
        raise UsageError(f"kernel {called}: {name}={quoted(text)}: wanted {wanted}")
    return float(found[1]) * factor  # type: ignore[index]


def _factor(suffix: str, unit: str, parameter: Parameter, step: float) -> float | None:
    """What a number with this suffix is multiplied by, or None where the suffix does not belong."""
    if suffix in ("", unit) or (len(unit) > 1 and suffix.lower() == unit.lower()):
        return 1.0
    if suffix in ("k", "M"):
        return PREFIXES[suffix]
    if suffix in COUNTED and parameter.unit in LONG:
        return step
    if parameter.unit == DEGREES and suffix in ("°", "deg"):
        return 1.0
    if unit in ("s", "Hz", "m") and suffix.lower().endswith(unit.lower()):
        return PREFIXES.get(suffix[: -len(unit)])
    return None


def quoted(text: str) -> str:
    """A word of a message, short and printable."""
    return printable(repr(text) if len(text) <= 60 else repr(text[:57] + "…"), 200)
