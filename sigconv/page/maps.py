"""Spectrograms that a kernel of the plane went through, before and after, as they lie on their own grid.

The frequency axis is linear, as on the grid that the kernel moves over: there its shape is the same at every pitch. A cell of
the picture shows the strongest of the bins, frames and channels that fall into it; 0 dB is the strongest spot of all maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import arrays
from ..signal import Signal
from .sounds import grid_figure

if TYPE_CHECKING:
    from ..hear import Listening, Take

__all__ = ["Level", "level_figures", "levels", "pooled"]

BYTES = 150_000  # of base64 for all maps
ROWS, COLUMNS = 220, 640  # of one picture at most
FILTERS = 4  # of a bank, a map each


@dataclass(frozen=True)
class Level:
    """A map to draw: `size` (frequency, time), the highest frequency first, over `span`, ((Hz, Hz), (s, s))."""

    name: str
    size: np.ndarray
    span: tuple[tuple[float, float], tuple[float, float]]


def level_figures(listening: Listening, shown: int, seconds: float, bytes_: int = BYTES) -> list[tuple[str, str]]:
    """(name, markup) of the map before and of each one after, of the first `shown` takes and `seconds`, in about `bytes_`."""
    assert listening.map is not None
    takes = listening.takes[:shown]
    found = levels(listening.map, "Before", seconds)
    for take in takes:
        found += _after(take, "After" if len(takes) == 1 else take.name, seconds)
    cells = max(bytes_ / len(found) * 0.75 / 0.72, 4000)
    rows = ROWS if cells > 25_000 else ROWS // 2
    columns = int(min(max(cells // rows, 60), COLUMNS))
    small = [pooled(level.size, rows, columns) for level in found]
    top = max((float(m.max(initial=0)) for m in small), default=0.0)
    return [(level.name, grid_figure(m, top, level.span, f"spectrogram on its grid, {level.name}"))
            for level, m in zip(found, small, strict=True)]


def levels(S: Signal, name: str, seconds: float, filters: int = 1) -> list[Level]:
    """The magnitudes of a map, the channels taken together; one map for each of the `filters` that stand last in its value."""
    size = np.abs(arrays.to_numpy(S.data)).reshape(-1, filters, *S.domain.shape).max(axis=0, initial=0.0)
    frames = int(min(S.domain.shape[1], max(np.ceil(seconds / float(S.domain.step[1])), 1)))
    spans = []
    for axis, n in enumerate((S.domain.shape[0], frames)):
        step, start = float(S.domain.step[axis]), float(S.domain.start[axis])
        spans.append(((start - 0.5) * step, (start + n - 0.5) * step))
    names = [name] if filters == 1 else [f"{name}, filter {S.channels[j] if S.channels else j + 1}" for j in range(filters)]
    return [Level(word, part[::-1, :frames], (spans[0], spans[1])) for word, part in zip(names, size, strict=True)]


def _after(take: Take, name: str, seconds: float) -> list[Level]:
    if take.map is None:
        return []
    many = take.kernel.value[0] if len(take.kernel.value) == 1 and len(take.map.value) > 1 else 1
    return levels(take.map, name, seconds, many)[:FILTERS]


def pooled(size: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The strongest value of each block, where there are more than `rows` and `columns`."""
    for axis, most in enumerate((rows, columns)):
        n = size.shape[axis]
        if n > most:
            size = np.maximum.reduceat(size, np.arange(most) * n // most, axis=axis)
    return size
