"""A map on frequency and time as sound: each row at its own frequency, each column at its own time.

Rows are put, linearly, onto the even octaves of `additive`, where value is amplitude; a map that goes below 0, as one in dB
does, is raised until its least value is silent, as its picture has it. Pitch classes sound in the octave from C4 on.
"""

from __future__ import annotations

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError
from ..scales import AXES
from ..signal import Signal
from . import additive
from .raster import RASTER, joined

__all__ = ["is_map", "mapped"]

ROWS = 512  # at most
LOWEST = 20.0  # Hz


def is_map(x: Signal) -> bool:
    """Whether a signal lies on frequency and time."""
    return x.domain.ndim == 2 and x.domain.unit[0] in AXES and x.domain.unit[1] == "s"


def mapped(S: Signal) -> Signal:
    """The sound of a map on frequency and time, of complex values of their magnitude."""
    d, many = S.domain, int(np.prod(S.value))
    f = np.asarray(AXES[d.unit[0]](S.coordinates(0)), dtype=float)
    data = arrays.computable(arrays.to_numpy(S.data)).reshape(many, *d.shape)
    data = np.abs(data) if data.dtype.kind == "c" else data
    seconds = float(d.step[1]) * d.shape[1]
    heard = (f >= LOWEST) & (f <= additive.TOP * RASTER)
    if not data.size or not heard.any():
        raise SigconvError(f"a map of {d.shape[0]} × {d.shape[1]} on [{d}]: nothing of it lies between {LOWEST:g} and "
                           f"{additive.TOP * RASTER:g} Hz; wanted something to hear")
    low, high = float(f[heard].min()), float(f[heard].max())
    high = high if high > low else low * 2 ** (1 / 12)
    count = int(min(max(d.shape[0], 2), ROWS))
    at = np.interp(np.log(np.geomspace(high, low, count)), np.log(np.maximum(f, 1e-9)), np.arange(len(f)))
    below = np.minimum(at.astype(int), max(len(f) - 2, 0))
    part = (at - below)[:, None]
    rows = data[:, below] * (1 - part) + data[:, np.minimum(below + 1, len(f) - 1)] * part
    rows = rows - min(float(rows.min()), 0.0)
    rows = rows / (float(rows.max()) or 1.0)
    flat = Signal(rows, Domain(rows.shape[1:]), None)
    sound = additive.sounded(flat, additive.plan(flat.domain, seconds=seconds, low=low, high=high))
    return Signal(sound.data, sound.domain, joined(S.names, S.value))
