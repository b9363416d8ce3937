"""The levels of a sound that comes in blocks: what `fair.measure` says of the whole, in memory that does not grow with it.

K-weighting goes on across blocks, reading what came before; squares are summed over steps of 100 ms. The true peak is looked for
in the same stretches as in a whole sound, each with its neighbourhood, so that it is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log10, sqrt

import numpy as np

from ..engines import conv
from .fair import Heard, judged
from .levels import HALF, STRETCH, highest, kweighting, steps, weights, windows

__all__ = ["Meter"]


class Meter:
    """`add(data)` for each block of samples `(channels, n)`, real, then `heard()`.

    >>> meter, x = Meter(8000), np.sin(np.arange(16000.0))[None]
    >>> for part in np.split(x, 4, axis=1):
    ...     meter.add(part)
    >>> import sigconv as sc
    >>> abs(meter.heard().loudness - sc.hear.loudness(sc.Signal(x, sc.line(16000, 8000)))) < 1e-9
    True
    """

    def __init__(self, rate: float, names: Sequence[str] | None = None):
        self.rate, self.names = float(rate), names
        self.n, self.peak, self.top, self.square = 0, 0.0, 0.0, 0.0
        self.taps = kweighting(self.rate).data
        self.sums: list[np.ndarray] = []  # of steps and channels, as many as a block ended
        self.open = np.zeros(0)  # of the step that is under way
        self.before = self.held = np.zeros((0, 0))

    def add(self, data: np.ndarray) -> None:
        """The next samples."""
        if not data.shape[1]:
            return
        data = np.ascontiguousarray(data)
        if not self.n:
            self.before = np.zeros((len(data), len(self.taps) - 1), data.dtype)
            self.held = np.zeros((len(data), 0), data.dtype)
            self.open = np.zeros(len(data))
        self.peak = max(self.peak, float(max(data.max(), -data.min())))
        self.square += sum(float(np.einsum("i,i->", c, c, dtype=np.float64)) for c in data)
        self._weigh(data)
        self._look(data)
        self.n += data.shape[1]

    def heard(self) -> Heard:
        """The levels of all that came."""
        if not self.peak:
            return judged(0.0, 0.0, np.zeros(0), -inf)
        for channel in self.held:
            self.top = highest(channel, self.top, self._left(), len(channel))
        edges, sums = steps(self.n, self.rate), np.concatenate([*self.sums, self.open[None]]).T
        if len(edges) < 5 or edges[1] < 1:
            means = sums.sum(axis=1, keepdims=True) / self.n
        else:
            means = windows(sums[:, :len(edges) - 1], edges)
        rms = sqrt(self.square / (self.n * len(sums)))
        return judged(self.peak, rms, means.T @ weights(self.names, len(sums)), 20 * log10(self.top))

    def _weigh(self, data: np.ndarray) -> None:
        both, reach = np.concatenate([self.before, data], axis=1), self.before.shape[1]
        y = conv(both[:, None], self.taps[None, None], window=(reach, both.shape[1]))[:, 0]
        self.before = both[:, both.shape[1] - reach:]
        n = data.shape[1]
        around = np.arange(int(10 * self.n / self.rate), int(10 * (self.n + n) / self.rate) + 2)
        edges = np.unique(np.round(around * self.rate / 10).astype(int)) - self.n
        cuts = np.concatenate([[0], edges[(edges > 0) & (edges < n)]])
        parts = np.stack([np.add.reduceat(np.square(c, dtype=np.float64), cuts) for c in y], axis=1)
        parts[0] += self.open
        if n in edges:
            parts = np.concatenate([parts, np.zeros((1, len(data)))])
        self.sums.append(parts[:-1].copy())
        self.open = parts[-1].copy()

    def _look(self, data: np.ndarray) -> None:
        self.held = np.concatenate([self.held, data], axis=1)
        left = self._left()
        stop = left + (self.held.shape[1] - left - 2 * HALF) // STRETCH * STRETCH
        if stop > left:
            for channel in self.held:
                self.top = highest(channel, self.top, left, stop)
            self.held, self.looked = self.held[:, stop - 2 * HALF:].copy(), True

    looked = False  # whether something stands before what is held

    def _left(self) -> int:
        return 2 * HALF if self.looked else 0
