"""Images, volumes and videos read row by row, and back.

A raster, as in television: the rows of an image one after another, the slices of a volume or the frames of a video one after
another, at RASTER samples a second. Along a row is fast, from row to row is slow:

    a vertical line      comes back in every row: a tone at RASTER / width Hz, with overtones (width 256: 172 Hz)
    stripes, p px apart  a tone at RASTER / p Hz
    a horizontal line    one row: a short click at the moment of its row
    a smooth gradient    almost nothing: slow changes are no sound

The values are the samples, less one number, `grey`: nothing is scaled. So s = (x − grey) · gain has an inverse; and of h ∗ x,
read with grey · Σh, it is h ∗ (x − grey), away from the ends: the scan of a convolution is the convolution of the scan's values.
`labels` writes what the way back must know into the WAV's comment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain, line
from ..errors import SigconvError, UsageError, printable
from ..signal import Signal

__all__ = ["LONGEST", "RASTER", "Raster", "axis_of", "brightness", "joined", "levels", "raster", "thinned"]

RASTER = 44100  # samples a second
LONGEST = 30.0  # s: 1.3 million pixels; what is larger is read by every second, third, … slice or row
COLOURS = 3  # channels that stay channels by themselves
CLEAR = (("Y", "A"), ("R", "G", "B", "A"))
NTH = {2: "second", 3: "third"}
NOISE = 1e-6  # of rounding, by which a picture may leave 0 … 1


@dataclass(frozen=True)
class Raster:
    """How a signal was read: its `domain`, the shape and names of what became channels, the axis that was read slice by
    slice, which slices and rows were (`every`, first that axis, then the others in order), and `grey`, one number a channel."""

    domain: Domain
    value: tuple[int, ...]
    names: tuple[tuple[str, ...] | None, ...]
    along: int
    every: tuple[int, ...]
    grey: tuple[float, ...]
    gain: float = 1.0

    @property
    def order(self) -> list[int]:
        """The axes of Ω from slow to fast."""
        return [self.along, *(axis for axis in range(self.domain.ndim) if axis != self.along)]

    def read(self, x: Signal) -> Signal:
        """The scan of what `brightness` made of a signal."""
        lead, data = len(self.value), x.data
        data = data.transpose(*range(lead), *(lead + axis for axis in self.order))
        data = data[(slice(None),) * lead + tuple(slice(None, None, n) for n in self.every)]
        rows = data.reshape(prod(self.value), prod(data.shape[lead:])).astype(np.float64) - np.array(self.grey)[:, None]
        return Signal(rows.astype(data.dtype, copy=False), line(rows.shape[1], RASTER), joined(self.names, self.value))

    def write(self, sound: Signal) -> Signal:
        """The signal that a scan was made of."""
        rows = arrays.computable(arrays.to_numpy(sound.data))
        wanted = (prod(self.value), self.domain.size)
        if max(self.every) > 1:
            raise SigconvError(f"a scan of which {thinned(self.every)}: the others are not in it; wanted a scan of all "
                               "(longest=None)")
        if sound.domain.ndim != 1 or (rows.size // max(sound.domain.size, 1), sound.domain.size) != wanted:
            raise SigconvError(f"{sound!r} as a scan of {' × '.join(map(str, self.domain.shape))}: wanted {wanted[0]} "
                               f"channel{'s' * (wanted[0] != 1)} of {wanted[1]} samples; was it cut, resampled, or thinned?")
        whole = rows.reshape(wanted).astype(np.float64) / self.gain + np.array(self.grey)[:, None]
        slow = whole.astype(rows.dtype, copy=False).reshape(*self.value, *(self.domain.shape[axis] for axis in self.order))
        lead = len(self.value)
        back = slow.transpose(*range(lead), *(lead + int(axis) for axis in np.argsort(self.order)))
        return Signal(np.ascontiguousarray(back), self.domain, self.names if any(self.names) else None)


def raster(x: Signal, along: str | int | None, grey: Any, longest: float | None) -> Raster:
    """How `brightness`' signal is to be read."""
    d, first = x.domain, axis_of(x.domain, along, 0)
    if longest is not None and not (isinstance(longest, (int, float)) and longest > 0):
        raise UsageError(f"longest {longest!r}: wanted seconds above 0, or None for no limit")
    shape, every = [d.shape[first], *(n for axis, n in enumerate(d.shape) if axis != first)], []
    for axis, n in enumerate(shape):
        many = 1 if longest is None or axis == d.ndim - 1 else ceil(prod(shape) / (longest * RASTER))
        every.append(min(max(many, 1), max(n, 1)))
        shape[axis] = ceil(n / every[-1])
    return Raster(d, x.value, x.names, first, tuple(every), levels(x, grey))


def brightness(x: Signal, colours: str | int | None, *, magnitude: bool = False) -> Signal:
    """The real numbers of a signal that are to be heard: colours averaged where asked, alpha left out."""
    if not isinstance(x, Signal):
        raise SigconvError(f"a {type(x).__name__} to be scanned: wanted a Signal, e.g. sc.load(path)")
    data, names = arrays.computable(arrays.to_numpy(x.data)), list(x.names)
    for axis, words in enumerate(names):
        if words in CLEAR:
            data, names[axis] = data.take(range(len(words) - 1), axis), words[:-1]
    lead = _averaged(data.shape[: len(names)], colours, magnitude)
    if lead:
        kind = np.result_type(data.dtype, np.float64)
        data = (data.sum(axis=tuple(range(lead)), dtype=kind) / max(prod(data.shape[:lead]), 1)).astype(data.dtype)
    if magnitude:
        data = np.abs(data)
    return Signal(data.real if data.dtype.kind == "c" else data, x.domain, names[lead:] if any(names[lead:]) else None)


def _averaged(value: tuple[int, ...], colours: str | int | None, magnitude: bool) -> int:
    """How many of the first axes of the value are averaged."""
    if colours is None:
        return int(bool(value) and (magnitude or len(value) > 1 or value[0] > COLOURS))
    if colours in ("mean", "channels"):
        return int(bool(value) and colours == "mean")
    if isinstance(colours, int) and not isinstance(colours, bool) and 0 <= colours <= len(value):
        return colours
    raise UsageError(f"colours {colours!r}: wanted 'mean', 'channels', or how many of {len(value)} axes of the value to average")


def levels(x: Signal, grey: Any) -> tuple[float, ...]:
    """The level that is silence, for each channel: ½ of pictures in 0 … 1, else the mean, where none is given."""
    many = prod(x.value)
    if grey is None:
        data = x.data.reshape(many, x.domain.size)
        picture = x.domain.unit[-2:] == ("px", "px")
        if picture and (not data.size or (data.min() >= -NOISE and data.max() <= 1 + NOISE)):
            return (0.5,) * many
        return tuple(data.mean(axis=1, dtype=np.float64).tolist()) if data.size else (0.0,) * many
    try:
        found = np.broadcast_to(np.asarray(grey, dtype=float).reshape(-1), many)
    except (TypeError, ValueError):
        raise UsageError(f"grey {grey!r} of {many} channels: wanted a number, or one for each") from None
    if not np.isfinite(found).all():
        raise UsageError(f"grey {grey!r}: wanted finite numbers")
    return tuple(found.tolist())


def axis_of(domain: Domain, along: str | int | None, default: int) -> int:
    """The axis called `along`, or with that index.

    >>> import sigconv as sc
    >>> axis_of(sc.grid(98, 116, 94), "x", 0)
    2
    """
    if along is None:
        return default % domain.ndim
    if isinstance(along, str) and along in domain.name:
        return domain.name.index(along)
    if isinstance(along, int) and not isinstance(along, bool) and -domain.ndim <= along < domain.ndim:
        return along % domain.ndim
    raise UsageError(f"along {printable(repr(along), 80)}: wanted {', '.join(domain.name)}, or an index below {domain.ndim}")


def thinned(every: Sequence[int]) -> str:
    """What of a signal was read, in words; nothing for all of it.

    >>> thinned((2, 1)), thinned((5, 1, 1))
    ('only every second row is read', 'only every 5th slice is read')
    """
    names = ["row"] if len(every) == 2 else ["slice", "row"]
    said = [f"every {NTH.get(n, f'{n}th')} {name}" for n, name in zip(every, names, strict=False) if n > 1]
    return f"only {' and of it '.join(said)} is read" if said else ""


def joined(names: Sequence[tuple[str, ...] | None], value: tuple[int, ...]) -> tuple[str, ...] | None:
    """Names of flattened channels: those of every axis, put together; None where an axis of several has no names."""
    words = [""]
    for axis, n in zip(names, value, strict=True):
        if axis:
            words = [f"{a} {b}".strip() for a in words for b in axis]
        elif n != 1:
            return None
    return tuple(words) if any(words) else None
