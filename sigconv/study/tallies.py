"""The power of a sound, in each channel and in each octave, as it comes: averaged periodograms (Welch) of about 0.2 s.

Frames begin half a frame before the first sample and run out as late after the last, so that every sample counts alike.
"""

from __future__ import annotations

import numpy as np

from ..domain import Domain
from ..engines.pocket import rfft
from ..spectrum import hann

__all__ = ["FIRST", "Tally"]

FIRST = 62.5  # Hz, the centre of the lowest octave
BLOCK = 64  # frames at a time


class Tally:
    """`add(data)` for each block of samples `(channels, n)`; `powers()` of the channels, `octaves()` of all together.

    >>> import sigconv as sc
    >>> tally = Tally(sc.line(1, 8000))
    >>> for _ in range(4):
    ...     tally.add(np.ones((1, 1000)))
    >>> tally.powers(), tally.octaves()[0][:3]
    (array([1.]), array([ 62.5, 125. , 250. ]))
    """

    def __init__(self, domain: Domain):
        self.rate = float(domain.rate)
        self.frame = 2 ** max(4, round(np.log2(0.2 * self.rate)))
        self.centres = FIRST * 2.0 ** np.arange(max(int(np.ceil(np.log2(self.rate / 2 / FIRST / np.sqrt(0.5)))), 1))
        self.power = np.zeros(len(self.centres) + 1)
        self.n = 0
        self.squares = np.zeros(0)
        self.held = np.zeros((0, 0))

    def add(self, data: np.ndarray) -> None:
        """The next samples."""
        if data.dtype.kind not in "fc":
            data = data.astype(np.float64)
        if not self.n:
            self.squares = np.zeros(len(data))
            self.held = np.zeros((len(data), self.frame // 2), data.dtype)
        for a in range(0, data.shape[1], BLOCK * self.frame):
            part = data[:, a: a + BLOCK * self.frame]
            self.squares += [_square(c) for c in part]
            self.held = np.concatenate([self.held, part], axis=1)
            self._frames()
        self.n += data.shape[1]

    def powers(self) -> np.ndarray:
        """The mean power of every channel."""
        return self.squares / max(self.n, 1)

    def octaves(self) -> tuple[np.ndarray, np.ndarray]:
        """Centres in Hz, and the mean power in each octave, of all that came; the end of it."""
        if self.held.size:
            self.held = np.pad(self.held, ((0, 0), (0, self.frame)))
            self._frames()
            self.held = self.held[:, :0]
        return self.centres, self.power[:-1] / max(self.n * len(self.squares), 1)

    def _frames(self) -> None:
        n, hop = self.frame, self.frame // 2
        count = (self.held.shape[1] - n) // hop + 1
        if count < 1:
            return
        whole = self.held.dtype.kind == "c"
        window = hann(n).astype(self.held.real.dtype)
        pitch = np.abs(np.fft.fftfreq(n, 1 / self.rate) if whole else np.fft.rfftfreq(n, 1 / self.rate))
        which = np.digitize(pitch, self.centres * np.sqrt(2))
        for channel in self.held:
            block = np.lib.stride_tricks.sliding_window_view(channel, n)[::hop][:count] * window
            spectrum = np.fft.fft(block) if whole else rfft(block)
            each = np.einsum("fn,fn->n", spectrum.real, spectrum.real) + np.einsum("fn,fn->n", spectrum.imag, spectrum.imag)
            if not whole:  # the lines between DC and half the rate stand for two
                each[1: n // 2] *= 2
            self.power += np.bincount(which, each, minlength=len(self.power))[:len(self.power)]
        self.held = self.held[:, count * hop:].copy()


def _square(x: np.ndarray) -> float:
    return sum(float(np.einsum("i,i->", part, part, dtype=np.float64))
               for part in ((x.real, x.imag) if x.dtype.kind == "c" else (x,)))
