"""Anything as sound: a sound as it is, a kernel by what it does, a spectrogram by its inverse, all else scanned.

Two scans read a picture: `raster` row by row, and back; `additive` as a spectrum, x the time and y the pitch.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from .. import arrays
from ..convolving import convolve
from ..domain import Domain
from ..errors import SigconvError, SigconvWarning, UsageError, among
from ..signal import Signal
from . import additive, labels
from .additive import Pitches
from .mapped import is_map, mapped
from .raster import LONGEST, RASTER, brightness, joined, raster, thinned
from .sources import source

__all__ = ["RASTER", "SCANS", "Pitches", "audible", "is_sound", "label", "legend", "pitches", "scan"]

SCANS = ("rows", "spectrum")


def audible(signal: Signal, *, through: str | Signal | None = None, scan: str | None = None, **options: Any) -> Signal:
    """The signal as a sound `(channels, n)` on a line in seconds.

    A sound, a line in seconds with channels, is handed back as it is. A kernel, a line in seconds of value `()`, is heard
    `through` "speech" (default), "noise", "sweep", "impulses", "loop" or a sound of its rate: the full convolution, tail and
    all. A bank `(m,)` is heard so when `through` is named, a channel for each filter. A complex spectrogram, on (Hz, s), is the
    sound of it (`sc.sound`); any other map on frequency (Hz, mel, octave, semitone) and time sounds row by row at those
    frequencies, magnitudes as amplitudes. Anything else, and what `scan` is named for, is scanned ("rows" or "spectrum", with
    its `options`).
    What is made here peaks at 1.0 at most: it is lowered where it would not, never raised. Complex values give their real part.

    >>> import sigconv as sc
    >>> audible(sc.kernel("edge", sc.line(1, 8000)), through="impulses")
    <Signal 1 channel, 16001 samples at 8000 Hz, 0 … 2.00013 s, float64>
    >>> audible(sc.Signal(np.eye(3), sc.grid(3, 3))).data
    array([[ 0.5, -0.5, -0.5, -0.5,  0.5, -0.5, -0.5, -0.5,  0.5]])

    Raises `UsageError` for an unknown `through` or `scan`, `SigconvError` for what is no Signal, or where its rate is not the
    kernel's.
    """
    if not isinstance(signal, Signal):
        raise SigconvError(f"a {type(signal).__name__} to be heard: wanted a Signal, e.g. sc.load(path)")
    x = signal.numpy()
    if x.domain.unit == ("Hz", "s") and x.data.dtype.kind == "c":
        from ..spectrum import sound

        return _lowered(_flat(sound(x)))
    if is_map(x) and scan is None and not options:
        return _lowered(mapped(x))
    if not is_sound(x):
        return _lowered(_scanned(x, scan or "rows", **options))
    if through is None and x.value:
        return _flat(x)
    heard = source(through or "speech", x.rate) if through is None or isinstance(through, str) else through.numpy()
    return _lowered(_flat(convolve(heard, x, mode="full")))


def scan(x: Signal, how: str = "rows", *, along: str | int | None = None, colours: str | int | None = None, grey: Any = None,
         seconds: float | None = None, low: float | None = None, high: float | None = None,
         longest: float | None = LONGEST) -> Signal:
    """An image, a volume, a video, or a line that is not time, as a sound `(channels, n)` at 44100 samples a second.

    "rows": row after row, slice after slice, the values as samples less `grey`; `unscan` takes it back. `grey`: the level
    that is silence, a number or one a channel; by default ½ of pictures (px) in 0 … 1, the mean of other data. Beyond `longest`
    seconds (None: no limit) only every second, third, … slice or row is read, and said.
    "spectrum": x is time, y log frequency from `low` (110 Hz, the last row) to `high` (14080 Hz, the first), brightness (the
    magnitude) amplitude: a horizontal line is a tone, a vertical one a click. `seconds`: 10 ms a column, within 4 … 6 s; up to
    30 s slice by slice.

    `along`: the axis (name or index) that is read slice by slice (default: the first); under "spectrum" that of an image
    which is time (default: the last). `colours`: "channels" keeps them, "mean" averages, a number says how many axes of the
    value to average; by default up to three stay channels under "rows", while more, those of a bank's result, and all
    under "spectrum" are averaged. Alpha is left out.

    >>> import sigconv as sc
    >>> scan(sc.Signal(np.zeros((3, 256, 256)), sc.grid(256, 256), "RGB"))
    <Signal 3 channels (R, G, B), 65536 samples at 44100 Hz, 0 … 1.48608 s, float64>

    Raises `UsageError` for an unknown scan, axis, or range.
    """
    among(how, SCANS, "scan")
    if how == "spectrum":
        plain = brightness(x, colours, magnitude=True)
        return additive.sounded(plain, additive.plan(x.domain, along, seconds, low, high))
    _rows_alone(seconds, low, high)
    plain = brightness(x, colours)
    read = raster(plain, along, grey, longest)
    if said := thinned(read.every):
        warnings.warn(f"{said}: the scan has no inverse; longest=None reads all", SigconvWarning, stacklevel=2)
    return read.read(plain)


_scanned = scan  # under `audible`, `scan` is a word


def pitches(domain: Domain, *, along: str | int | None = None, seconds: float | None = None, low: float | None = None,
            high: float | None = None) -> Pitches:
    """Where a scan by spectrum puts a picture: `times` (s) of the columns' centres, `frequencies` (Hz) of the rows.

    >>> import sigconv as sc
    >>> times, frequencies = pitches(sc.grid(85, 500))
    >>> float(times[0]).__round__(3), float(frequencies[0]), float(frequencies[-13]).__round__(1)
    (0.005, 14080.0, 220.0)
    """
    return additive.plan(domain, along, seconds, low, high).pitches


def legend(domain: Domain, how: str = "rows", *, along: str | int | None = None, seconds: float | None = None,
           low: float | None = None, high: float | None = None, longest: float | None = LONGEST) -> str:
    """What a scan of such a grid puts where, in words.

    >>> import sigconv as sc
    >>> legend(sc.grid(512, 512), "spectrum")
    'x: 0 … 5.12 s, 10 ms a column; y: 110 … 14080 Hz, 73 rows an octave'
    >>> legend(sc.grid(512, 512))
    'row by row along y, 44100 samples a second: 11.6 ms a row, 5.94 s'
    """
    among(how, SCANS, "scan")
    if how == "spectrum":
        return _ranges(domain, additive.plan(domain, along, seconds, low, high))
    _rows_alone(seconds, low, high)
    read = raster(Signal(np.broadcast_to(np.float32(0), domain.shape), domain), along, 0.0, longest)
    shape = [-(-domain.shape[axis] // n) for axis, n in zip(read.order, read.every, strict=True)]
    each, what = int(np.prod(shape[1:])), {2: "row", 3: "slice"}.get(domain.ndim, "sample")
    said = f"{what} by {what} along {domain.name[read.along]}, {RASTER} samples a second: "
    said += f"{_span(each)} a {what}, {shape[0] * each / RASTER:.3g} s"
    return "; ".join(filter(None, [said, thinned(read.every)]))


def label(x: Signal, how: str = "rows", *, along: str | int | None = None, colours: str | int | None = None, grey: Any = None,
          seconds: float | None = None, low: float | None = None, high: float | None = None, longest: float | None = LONGEST,
          gain: float = 1.0) -> str:
    """The comment for the WAV of ``scan(x, how, …) * gain``, by which `unscan` reads it back.

    >>> import io, sigconv as sc
    >>> x = sc.load(sc.io.sample("image"))
    >>> sc.io.write(io.BytesIO(), scan(x), ".wav", comment=label(x))
    """
    among(how, SCANS, "scan")
    if how == "spectrum":
        p = additive.plan(x.domain, along, seconds, low, high)
        return json.dumps({"sigconv": "scan", "how": how, "shape": x.domain.shape, "along": p.axes[0 if p.slices > 1 else -1],
                           "column": p.samples, "low": p.low, "high": p.high, "gain": gain})
    _rows_alone(seconds, low, high)
    return labels.text(replace(raster(brightness(x, colours), along, grey, longest), gain=gain))


def is_sound(x: Signal) -> bool:
    """Whether the signal lies on a line in seconds."""
    return x.domain.ndim == 1 and x.domain.unit == ("s",)


def _rows_alone(seconds: Any, low: Any, high: Any) -> None:
    if (seconds, low, high) != (None, None, None):
        raise UsageError("seconds, low or high of a scan by rows, which has one rate: wanted them with 'spectrum'")


def _span(samples: int) -> str:
    return f"{samples / RASTER:.3g} s" if samples >= RASTER else f"{1000 * samples / RASTER:.3g} ms"


def _ranges(domain: Domain, p: additive.Plan) -> str:
    y, x = (domain.name[axis] for axis in p.axes[-2:])
    span, each = f"0 … {p.slices * p.columns * p.samples / RASTER:.4g} s", f"{_span(p.samples)} a column"
    said = [f"{x}: {each}" if p.slices > 1 else f"{x}: {span}, {each}",
            f"{y}: {p.low:g} … {p.high:g} Hz, {(p.rows - 1) / np.log2(p.high / p.low):.4g} rows an octave"]
    if p.slices > 1:
        said.insert(0, f"{domain.name[p.axes[0]]}: {span}, {_span(p.columns * p.samples)} a slice")
    if p.together > 1:
        said.append(f"{p.together} rows a tone, averaged")
    return "; ".join(said)


def _flat(x: Signal) -> Signal:
    """A sound with all its value axes as one axis of channels, real; the same array where it is so already."""
    if len(x.value) == 1 and x.data.dtype.kind == "f":
        return x
    data = arrays.computable(x.data)
    data = data.real if data.dtype.kind == "c" else data
    return Signal(data.reshape(int(np.prod(x.value)), x.domain.shape[0]), x.domain, joined(x.names, x.value))


def _lowered(x: Signal) -> Signal:
    peak = float(np.abs(x.data).max(initial=0))
    if not np.isfinite(peak):
        raise SigconvError("a signal with values that are not finite: wanted numbers that can be heard")
    return x / peak if peak > 1 else x
