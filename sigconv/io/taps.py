"""Taps from a file of numbers: .npy, .npz, JSON, CSV."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .doors import Source, opened
from .limits import within
from .volumes import bare_array

__all__ = ["load_taps"]


def load_taps(path: Any) -> np.ndarray:
    """The array of taps in a file of numbers, told apart by content: .npy, .npz, a JSON list, or CSV.

    float64, or complex128; a row or a column of CSV gives one axis. Integers are taken as they are, unlike pixels.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "taps.csv"
    >>> _ = file.write_text("0,1,0\\n1,-4,1\\n0,1,0\\n")
    >>> load_taps(file).shape
    (3, 3)

    Raises `SigconvError` for what is no array of finite numbers, more than 2²² taps, text above 16 MB.
    """
    with opened(path) as source:
        head = source.peek(8)
        if head.startswith((b"\x93NUMPY", b"PK\x03\x04")):
            taps = bare_array(source, "NPY" if head.startswith(b"\x93") else "NPZ")
        else:
            taps = _text(source)
        if not taps.size or not taps.ndim:
            raise source.error(f"no taps in it (shape {taps.shape}); wanted at least one number in a list")
        within("taps", taps.size, f"{taps.size} taps")
        taps = taps.astype(np.complex128 if taps.dtype.kind == "c" else np.float64)
        if not np.isfinite(taps).all():
            at = tuple(map(int, np.argwhere(~np.isfinite(taps))[0]))
            raise source.error(f"tap {at if len(at) > 1 else at[0]} is {taps[at]}; wanted finite numbers")
        return taps


def _text(source: Source) -> np.ndarray:
    within("json", source.size, f"a text of {source.size} bytes")
    try:
        text = source.peek(source.size).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise source.error("no numbers; wanted .npy, .npz, or a text of numbers in JSON or CSV") from None
    return _json(source, text) if text.lstrip()[:1] in ("[", "{") else _csv(source, text)


def _json(source: Source, text: str) -> np.ndarray:
    def refuse(word: str) -> float:
        raise source.error(f"{word} in JSON; wanted finite numbers")

    try:
        found = json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise source.error("JSON nested too deep; wanted lists of numbers, three deep at most") from None
    except json.JSONDecodeError as why:
        raise source.error(f"no JSON ({why.msg}, line {why.lineno}); wanted a list of numbers, e.g. [-1, 0, 1]") from None
    except ValueError:
        raise source.error("a number of thousands of digits; wanted finite numbers") from None
    if not isinstance(found, list):
        raise source.error(f"a JSON {type(found).__name__}; wanted a list of numbers, e.g. [-1, 0, 1]")
    _numbers(source, found)
    try:
        return np.array(found, dtype=np.float64)
    except (ValueError, TypeError):
        raise source.error("JSON lists of different lengths; wanted a box of numbers") from None
    except OverflowError:
        raise source.error("a number above 1.8e308; wanted finite numbers") from None


def _numbers(source: Source, found: list[Any], depth: int = 1) -> None:
    """Raise unless nested lists hold numbers alone: numpy would make numbers of texts and of true."""
    if depth > 5:
        raise source.error("JSON nested too deep; wanted lists of numbers, three deep at most")
    for entry in found:
        if isinstance(entry, list):
            _numbers(source, entry, depth + 1)
        elif isinstance(entry, bool) or not isinstance(entry, (int, float)):
            raise source.error(f"{str(entry)[:40]!r} in JSON; wanted numbers")


def _csv(source: Source, text: str) -> np.ndarray:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].replace(",", " ").replace(";", " ").split()
        try:
            if words:
                rows.append([float(word) for word in words])
        except ValueError as why:
            raise source.error(f"line {number}: {str(why)[:80]}; wanted numbers between commas, semicolons or spaces") from None
        if rows and len(rows[-1]) != len(rows[0]):
            raise source.error(f"line {number} has {len(rows[-1])} numbers, the first {len(rows[0])}; wanted rows of one length")
    taps = np.array(rows, dtype=np.float64)
    return taps.ravel() if 1 in taps.shape else taps
