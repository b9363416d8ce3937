"""Spectrograms as maps of level: the loudest frame of each column, so that an hour fits a picture and no click is lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..signal import Signal
from ..spectrum import decibels, spectrogram
from .maps import Map
from .panels import Axis, spectral

__all__ = ["FLOOR", "RANGE", "flat", "level_maps", "magnitudes"]

COLUMNS = 1500  # no more than a picture has pixels
RANGE = 80.0  # dB shown below the loudest cell
FLOOR = -200.0  # dB re full scale that silence is drawn at
BLOCK = 2**22  # samples of windowed frames held at once


def flat(x: Signal) -> Signal:
    """The signal as NumPy with one value axis of all its channels; halves in single precision."""
    data = arrays.computable(arrays.to_numpy(x.data))
    lead = x.domain.ndim
    count = int(np.prod(data.shape[: data.ndim - lead], dtype=int))
    return Signal(data.reshape(count, *x.domain.shape), x.domain, _names(x, count))


def _names(x: Signal, count: int) -> Any:
    """A name for each channel where any value axis has names, those of several axes joined by a space."""
    if not x.value or not any(x.names):
        return None
    axes = [names or [str(i) for i in range(n)] for names, n in zip(x.names, x.value, strict=True) if names or n > 1]
    words = [""]
    for names in axes:
        words = [f"{a} {b}".strip() for a in words for b in names]
    return words if len(words) == count else None


def magnitudes(x: Signal, window: int | None = None) -> tuple[np.ndarray, Axis, Axis]:
    """|spectrogram| of a flat signal on a line, `(channels, frequency, column)`, its frequency axis and its time axis.

    A column is the largest of as many frames as it takes to have at most `COLUMNS`.
    """
    n, start = x.domain.shape[0], x.domain.start[0]
    none = Signal(x.data[..., :0], Domain((0,), x.domain.step, start, x.domain.unit, x.domain.name))
    probe = spectrogram(none, window=window, hop=1)
    wide = int(1 / (probe.domain.step[0] * x.domain.step[0]))
    hop = max(wide // 4, 1)
    frames = -(-n // hop)
    group = max(-(-frames // COLUMNS), 1)
    pad = -(-wide // hop)
    block = max(BLOCK // (wide * max(len(x.data), 1)) // group, 1) * group
    columns = []
    for a in range(0, frames, block):
        b = min(a + block, frames)
        part = x.on(Domain(((b - a + 2 * pad) * hop,), x.domain.step, start + (a - pad) * hop, x.domain.unit, x.domain.name))
        size = np.abs(spectrogram(part, window=wide, hop=hop).data[..., pad:pad + b - a])
        columns.append(np.maximum.reduceat(size, np.arange(0, b - a, group), axis=-1))
    size = np.concatenate(columns, axis=-1) if columns else np.abs(probe.data)
    step = float(hop * x.domain.step[0])
    first = float(start * x.domain.step[0]) + (group - 1) * step / 2
    when = Axis(x.domain.name[0], x.domain.unit[0], first, step * group, size.shape[-1])
    return size, spectral(Axis.of(probe.domain, 0), 0.5 / float(x.domain.step[0])), when


def level_maps(sizes: list[np.ndarray], frequency: Axis, when: Axis, titles: list[str]) -> tuple[Map, ...]:
    """Maps of these magnitudes in dB, all with one reference, amplitude 1, and one scale, `RANGE` below the loudest."""
    loudest = max((float(s.max()) for s in sizes if s.size), default=0.0)
    top = float(decibels(loudest, FLOOR)) if loudest else 0.0
    return tuple(Map(decibels(s, FLOOR).astype(np.float32), frequency, when, (top - RANGE, top), "level", title, upward=True,
                     equal=False) for s, title in zip(sizes, titles, strict=True))
