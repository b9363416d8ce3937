"""`across`: one kernel in several domains, a row for each, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import SigconvError
from ..signal import Signal
from .comparing import compare_numbers
from .levels import flat
from .maps import Map, Sheet, draw
from .planes import is_video, levelled

__all__ = ["across", "across_numbers"]


def across_numbers(rows: Sequence[tuple[str, Signal, Signal]]) -> Sheet:
    """The numbers that `across` draws.

    >>> import sigconv as sc
    >>> x = sc.Signal([[[0.0, 0.5], [1.0, 0.0]]], sc.grid(2, 2))
    >>> sheet = across_numbers([("Image", x, 0.5 * x)])
    >>> [m.title for m in sheet.maps], sheet.maps[1].values.tolist()
    (['Image: before', 'after'], [[0.0, 0.25], [0.5, 0.0]])
    """
    if not isinstance(rows, Sequence) or not rows or any(not isinstance(row, (tuple, list)) or len(row) != 3 for row in rows):
        raise SigconvError("rows of a picture across domains: wanted triples of a name, the Signal before and the one after")
    return Sheet(tuple(_pair(*row) for row in rows), "level (dB)")


def across(rows: Sequence[tuple[str, Signal, Signal]], *, ax: Any = None) -> Any:
    """One kernel in several domains: for each (name, before, after) a row of the two, to the scales of `compare`.

    Of a volume the middle slice across its first axis is drawn, of a video the middle frame; of a bank on a spectrogram all
    filters taken together. Returns the first Axes.

    >>> import sigconv as sc
    >>> x, s = sc.load(sc.io.sample("image")), sc.Signal([[0.0, 1.0, 0.0]], sc.line(3, 8000))
    >>> ax = across([("Sound", s, s @ sc.kernel("blur", s)), ("Image", x, x @ sc.kernel("blur", x))])
    >>> [a.get_title("left") for a in ax.figure.axes[:4]]
    ['Sound: before', 'after', 'Image: before', 'after']

    Raises `SigconvError` for what is no such list, and as `compare`.
    """
    return draw(across_numbers(rows), ax)


def _pair(name: str, before: Signal, after: Signal) -> tuple[Map, Map]:
    if isinstance(before, Signal) and isinstance(after, Signal) and levelled(after) and len(after.value) > 1:
        before, after = _together(before, 1), _together(after, after.value[-1])
    sheet = compare_numbers(before, after)
    deep = before.domain.ndim == 3
    first, second = (sheet.rows[0][0], sheet.rows[1][0]) if deep else sheet.maps[:2]
    return (replace(first, title=f"{name}: before{_place(before) if deep else ''}", cross=None),
            replace(second, title="after", cross=None))


def _together(x: Signal, filters: int) -> Signal:
    """The magnitude of all channels and filters: powers are summed over the filters, their mean taken over the channels."""
    whole = flat(x)
    power = np.square(np.abs(whole.data)).mean(axis=0, keepdims=True) * filters
    return Signal(np.sqrt(power).astype(whole.data.dtype), x.domain)


def _place(x: Signal) -> str:
    """Where the middle slice lies."""
    d = x.domain
    at = d.position(*(n // 2 for n in d.shape))[0]
    return f", {at:.4g} {d.unit[0]}" if is_video(x) else f", {d.name[0]} = {at:.4g} {d.unit[0]}"
