"""The whole of a sound too long to hold, drawn while it goes by: its outline, and in each column the strongest of every band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .markup import heading, number
from .sounds import spectrogram_cells, spectrogram_figure, waveform_figure

if TYPE_CHECKING:
    from ..hear import Listening
    from ..signal import Signal

__all__ = ["Overview"]

COLUMNS, ROWS = 480, 96
MOST = 1 << 16  # samples looked at together
SHOWN = 12


class Overview:
    """Pictures of several sounds of about `frames` samples, made of their blocks: `see(i, block)` for each in order, 0 for dry.

    >>> import sigconv as sc
    >>> seen = Overview(8000, 8000)
    >>> for part in np.split(np.sin(np.arange(8000.0)), 4):
    ...     seen.see(0, sc.Signal(part[None], sc.line(2000, 8000)))
    >>> seen.outline(0).shape, round(float(seen.outline(0).max()), 2), seen.cells(0).shape
    ((1, 942), 1.0, (96, 471))
    """

    def __init__(self, frames: int, rate: float):
        whole = max(-(-frames // COLUMNS), 1)
        self.parts = -(-whole // MOST)  # of a column, so that long ones are looked at piece by piece
        self.width, self.rate = -(-whole // self.parts), rate
        self._count: dict[int, int] = {}
        self._held: dict[int, np.ndarray] = {}
        self._columns: dict[int, np.ndarray] = {}  # of each its lowest and highest sample and its cells, made room for at once

    def see(self, i: int, block: Signal) -> None:
        """The next block of the i-th sound."""
        data = block.data[:2]
        if i in self._held and self._held[i].shape[1]:
            data = np.concatenate([self._held[i], data], axis=1)
        n = data.shape[1]
        for a in range(0, n - self.width + 1, self.width):
            self._column(i, data[:, a: a + self.width])
        self._held[i] = data[:, n - n % self.width:].copy()

    def outline(self, i: int) -> np.ndarray:
        """Lowest and highest of each column, in turn: a line (1, 2 · columns)."""
        return self._all(i)[:, :2].reshape(1, -1)

    def cells(self, i: int) -> np.ndarray:
        """Magnitudes, the highest frequency first (see `spectrogram_cells`)."""
        return self._all(i)[:, 2:].T

    def section(self, listening: Listening) -> str:
        """The pictures, as heard, all on one scale."""
        count = min(len(self._columns), SHOWN + 1)
        gains = [listening.gain, *(take.gain for take in listening.takes)][:count]
        lines, cells = ([g * f(i) for i, g in enumerate(gains)] for f in (self.outline, self.cells))
        peak, strongest = max(float(abs(v).max()) for v in lines) or 1.0, max(float(c.max()) for c in cells)
        seconds = listening.whole[0].shape[0] / self.rate
        names = ["Before", *("After" if count <= 2 else take.name for take in listening.takes)]
        parts = [f'<div>{heading(name, "", bool(i))}'
                 + waveform_figure(lines[i], seconds, peak, "wet" if i else "dry", f"waveform of the whole, {name}")
                 + spectrogram_figure(cells[i], strongest, self.rate, seconds, f"spectrogram of the whole, {name}") + "</div>"
                 for i, name in enumerate(names[:count])]
        each = number(self.parts * self.width / self.rate, 3)
        return f"""<section id="whole"><h2>The whole file</h2>
<p class="quiet">All {number(seconds)} s, as heard: the outline, and below it the strongest of each band in every column of
{each} s.</p>
<div class="pair">{"".join(parts)}</div></section>"""

    def _column(self, i: int, data: np.ndarray) -> None:
        count = self._count.get(i, 0)
        if not count:
            self._columns[i] = np.zeros((COLUMNS + 1, 2 + ROWS))
        new = np.concatenate([[data.min(), data.max()], spectrogram_cells(data, self.rate, 1, ROWS)[:, 0]])
        here = self._columns[i][min(count // self.parts, COLUMNS)]
        if count % self.parts:
            new[0], new[1:] = min(new[0], here[0]), np.maximum(new[1:], here[1:])
        here[:] = new
        self._count[i] = count + 1

    def _all(self, i: int) -> np.ndarray:
        if self._held[i].shape[1]:
            self._column(i, self._held[i])
            self._held[i] = self._held[i][:, :0]
        return self._columns[i][: -(-self._count[i] // self.parts)]
