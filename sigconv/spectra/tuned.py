"""How far the pitches of a sound stand from A440: the fullest bin of a histogram of its spectral peaks."""

from __future__ import annotations

import numpy as np

from .. import arrays
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["tuning"]

LOW, HIGH = 150.0, 4000.0  # Hz, where peaks are looked for
FAINT = 0.1  # of a frame's largest sample


def tuning(S: Signal, bins_per_octave: int = 12, resolution: float = 0.01) -> float:
    """The tuning of a magnitude or power spectrogram in Hz, −0.5 … 0.5 of a bin, as `librosa.estimate_tuning` has it.

    Peaks between 150 Hz and 4 kHz, put between rows by parabolas; those at least as strong as the median are counted. 0 where
    there is none. A number, not differentiable.

    >>> import sigconv as sc
    >>> t = np.arange(22050) / 22050
    >>> x = sc.Signal(np.sin(2 * np.pi * 440 * 2 ** (0.2 / 12) * t)[None], sc.line(22050, 22050))
    >>> S = sc.spectra.magnitude(sc.spectra.stft(x))
    >>> abs(tuning(S) - 0.2) < 0.05
    True

    Raises `SigconvError` for what is no real spectrogram in Hz.
    """
    if not isinstance(S, Signal) or S.domain.ndim != 2 or S.domain.unit[0] != "Hz" or arrays.is_complex(S.data):
        raise SigconvError(f"the tuning of {S!r}: wanted magnitudes on (Hz, s), as of stft")
    if not 0 < resolution < 1:
        raise SigconvError(f"resolution {resolution}: wanted between 0 and 1 bins")
    x = arrays.computable(arrays.to_numpy(S.data))
    step, rows = float(S.domain.step[0]), S.domain.shape[0]
    f = S.coordinates(0)
    some = np.flatnonzero((f >= LOW) & (f < min(HIGH, step * (rows - 1))))
    some = some[(some > 0) & (some < rows - 1)]
    if not len(some) or not x.size:
        return 0.0
    a, z = some[0], some[-1] + 1
    near = x[..., a - 1: z + 1, :]
    loud = np.where(near > FAINT * x.max(axis=-2, keepdims=True), near, 0)
    here = loud[..., 1:-1, :]
    at = np.nonzero((here > loud[..., :-2, :]) & (here >= loud[..., 2:, :]))
    below, middle, above = (near[(*at[:-2], at[-2] + i, at[-1])] for i in range(3))
    bend, slope = above + below - 2 * middle, (above - below) / 2
    sharp = np.abs(slope) < np.abs(bend)
    shift = np.where(sharp, -slope / np.where(sharp, bend, 1), 0)
    size, pitch = middle + slope * shift / 2, (at[-2] + a + shift) * step
    if not len(size):
        return 0.0
    pitch = pitch[size >= np.median(size)]
    rest = np.mod(bins_per_octave * np.log2(pitch / 27.5), 1.0)
    rest[rest >= 0.5] -= 1
    counts, edges = np.histogram(rest, np.linspace(-0.5, 0.5, int(np.ceil(1 / resolution)) + 1))
    return float(edges[np.argmax(counts)])
