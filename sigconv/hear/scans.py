"""Anything as sound: a sound as it is, a kernel by what it does, an image or a volume by reading it row by row.

A scan is a raster, as in television: the rows of an image one after another, the slices of a volume or the frames of a video
one after another, at RASTER samples a second. So along a row is fast and from row to row is slow:

    a vertical line      comes back in every row: a tone at RASTER / width Hz, with overtones (width 256: 172 Hz)
    stripes, p px apart  a tone at RASTER / p Hz
    a horizontal line    one row: a short click at the moment of its row
    a smooth gradient    almost nothing: slow changes are no sound

The values are the samples: no scaling, only the mean is taken off (a constant is no sound), so a scan is linear, and a
picture of twice the contrast is heard 6 dB louder.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from .. import arrays
from ..convolving import convolve
from ..domain import line
from ..errors import SigconvError
from ..signal import Signal
from .sources import source

__all__ = ["RASTER", "audible", "is_sound", "scan"]

RASTER = 44100  # samples a second
LONGEST = 30 * RASTER  # samples; what is larger is scanned by every second, third, … slice or row


def audible(signal: Signal, *, through: str | Signal | None = None) -> Signal:
    """The signal as a sound `(channels, n)` on a line in seconds.

    A sound, a line in seconds with channels, is handed back as it is. A kernel, a line in seconds of value `()`, is heard
    `through` "speech" (default), "noise", "sweep", "impulses", "loop" or a sound of its rate: the full convolution, tail and
    all. A bank `(m,)` is heard so when `through` is named, a channel for each filter. Anything else is scanned (`scan`).
    What is made here peaks at 1.0 at most: it is lowered where it would not, never raised. Complex values give their real part.

    >>> import sigconv as sc
    >>> audible(sc.kernel("edge", sc.line(1, 8000)), through="impulses")
    <Signal 1 channel, 16001 samples at 8000 Hz, 0 … 2.00013 s, float64>
    >>> audible(sc.Signal(np.eye(3), sc.grid(3, 3))).data.round(2)
    array([[ 0.67, -0.33, -0.33, -0.33,  0.67, -0.33, -0.33, -0.33,  0.67]])

    Raises `UsageError` for an unknown `through`, `SigconvError` for what is no Signal, or where its rate is not the
    kernel's.
    """
    if not isinstance(signal, Signal):
        raise SigconvError(f"a {type(signal).__name__} to be heard: wanted a Signal, e.g. sc.load(path)")
    x = signal.numpy()
    if not is_sound(x):
        return _lowered(scan(x))
    if through is None and x.value:
        return _flat(x)
    heard = source(through or "speech", x.rate) if through is None or isinstance(through, str) else through.numpy()
    return _lowered(_flat(convolve(heard, x, mode="full")))


def scan(x: Signal, *, colours: int | None = None) -> Signal:
    """An image, a volume, a video, or a line that is not time, read row by row at 44100 samples a second; mean 0.

    The first `colours` axes of the value are averaged (default: one, where there is one; alpha left out), the others become
    channels: the two gradients of an image are heard left and right. Above 30 s only every second, third, … slice (of a
    volume) or row (of an image) is read.

    >>> import sigconv as sc
    >>> scan(sc.Signal(np.zeros((3, 256, 256)), sc.grid(256, 256))).domain.extent[0][1].__round__(3)
    1.486
    """
    colours = min(len(x.value), 1) if colours is None else colours
    data = arrays.computable(arrays.to_numpy(x.data))
    data = data.real if data.dtype.kind == "c" else data
    names = x.names[colours - 1] if colours else None
    if names and "A" in names:
        data = np.compress([name != "A" for name in names], data, axis=colours - 1)
    lead = len(x.value)
    for axis in range(lead, lead + x.domain.ndim - 1):
        size = int(np.prod(data.shape[lead:]))
        every = min(max(ceil(size / LONGEST), 1), data.shape[axis] or 1)
        data = data[(slice(None),) * axis + (slice(None, None, every),)]
    if colours:
        data = data.mean(axis=tuple(range(colours)), dtype=np.float64)
    n = int(np.prod(data.shape[lead - colours:]))
    rows = data.reshape(int(np.prod(data.shape[: lead - colours])), n).astype(np.float64)
    if n:
        rows -= rows.mean(axis=1, keepdims=True)
    dtype = np.float32 if x.data.dtype in (np.float16, np.float32, np.complex64) else np.float64
    return Signal(rows.astype(dtype, copy=False), line(n, RASTER), _joined(x.names[colours:], x.value[colours:]))


def is_sound(x: Signal) -> bool:
    """Whether the signal lies on a line in seconds."""
    return x.domain.ndim == 1 and x.domain.unit == ("s",)


def _flat(x: Signal) -> Signal:
    """A sound with all its value axes as one axis of channels, real; the same array where it is so already."""
    if len(x.value) == 1 and x.data.dtype.kind == "f":
        return x
    data = arrays.computable(x.data)
    data = data.real if data.dtype.kind == "c" else data
    return Signal(data.reshape(int(np.prod(x.value)), x.domain.shape[0]), x.domain, _joined(x.names, x.value))


def _joined(names: tuple, value: tuple[int, ...]) -> tuple[str, ...] | None:
    """Names of flattened channels: those of every axis, put together; None where an axis of several has no names."""
    words = [""]
    for axis, n in zip(names, value, strict=True):
        if axis:
            words = [f"{a} {b}".strip() for a in words for b in axis]
        elif n != 1:
            return None
    return tuple(words) if any(words) else None


def _lowered(x: Signal) -> Signal:
    peak = float(np.abs(x.data).max(initial=0))
    if not np.isfinite(peak):
        raise SigconvError("a signal with values that are not finite: wanted numbers that can be heard")
    return x / peak if peak > 1 else x
