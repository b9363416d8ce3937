"""What a filter changed, in dB: the level, and for sound every octave."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, isnan, nan

import numpy as np

from .. import arrays
from ..signal import Signal
from ..spectrum import hann
from .measures import wanted
from .words import decibel, frequency

__all__ = ["Changed", "changed"]

FIRST = 62.5  # Hz, the centre of the lowest octave
BLOCK = 64  # frames at a time
CUT = 2**20  # samples squared at a time
EMPTY = 1e-12  # of all power: an octave below this is empty
FAINT = 1e-5  # of the power in dry's loudest octave, 50 dB: below this a click at a cut-off end outweighs what is there
MAIN = 1e-2  # of the power in wet's loudest octave: what is so strong in the result is never left out


@dataclass(frozen=True, slots=True)
class Changed:
    """`level`: wet over dry in dB (root mean square), −inf where wet is silent, NaN where dry is. `bands`: (centre in Hz, dB)
    for each octave that dry has something in (see `changed`); empty for what is not sound."""

    level: float
    bands: tuple[tuple[float, float], ...] = ()

    def __str__(self) -> str:
        if isnan(self.level):
            return "the dry signal is silent"
        if self.level == -inf:
            return "silence: nothing passes"
        heard = [(f, dB) for f, dB in self.bands if not isnan(dB)]
        if not heard:
            return f"{decibel(self.level)} overall"
        least, most = min(heard, key=lambda b: b[1]), max(heard, key=lambda b: b[1])
        if most[1] - least[1] < 0.5:
            return f"{decibel(self.level)} overall, the same in every octave"
        shown = sorted({heard[0], heard[-1], least, most})
        octaves = (f"{frequency(round(f + 0.1), 's')} {decibel(dB, 0)}" for f, dB in shown)
        return f"{decibel(self.level)} overall; {' … '.join(octaves)}"


def changed(dry: Signal, wet: Signal) -> Changed:
    """The change of level, and of every octave, from dry to wet.

    Powers are means over all samples and channels of each, so that a bank's outputs count as one. Octaves more than 50 dB below
    dry's loudest are left out, unless they come within 20 dB of wet's loudest: a change of next to nothing is no change to
    tell, and a sound cut off at an edge leaves a click there that is none of the kernel's doing.

    >>> import sigconv as sc
    >>> x = sc.Signal(np.ones((1, 8)), sc.grid(8, unit="px"))
    >>> str(changed(x, x * 0.5))
    '−6.0 dB overall'
    """
    wanted(dry, "changed")
    wanted(wet, "changed")
    before, after = _power(dry), _power(wet)
    level = nan if not before else -inf if not after else 10 * np.log10(after / before)
    if dry.domain.unit != ("s",) or wet.domain.unit != ("s",) or not isfinite(level):
        return Changed(float(level))
    centres, one, two = *_octaves(dry), _octaves(wet)[1]
    bands = []
    for f, a, b in zip(centres, one, two, strict=False):
        if a > FAINT * one.max() or (a > EMPTY * one.sum() and b > MAIN * two.max()):
            bands.append((float(f), float(10 * np.log10(b / a)) if b > 0 else -inf))
    return Changed(float(level), tuple(bands))


def _power(x: Signal) -> float:
    data = arrays.to_numpy(x.data)
    if not data.size:
        return 0.0
    flat = data.reshape(-1, data.shape[-1]) if data.ndim > 1 else data[None]
    rows = (channel[a: a + CUT].astype(np.result_type(channel.dtype, np.float64)) for channel in flat
            for a in range(0, len(channel), CUT))
    parts = (part for row in rows for part in ((row.real, row.imag) if np.iscomplexobj(row) else (row,)))
    return sum(float(np.einsum("i,i->", part, part)) for part in parts) / data.size  # np.vdot's threads spin on small work


def _octaves(x: Signal) -> tuple[np.ndarray, np.ndarray]:
    """Centres in Hz, and the mean power in each octave, by averaged periodograms (Welch) of about 0.2 s."""
    rate, data = float(x.domain.rate), arrays.to_numpy(x.data)
    flat = data.reshape(-1, data.shape[-1])
    n = 2 ** max(4, round(np.log2(0.2 * rate)))
    window, hop = hann(n).astype(data.real.dtype if data.dtype.kind in "fc" else np.float64), n // 2
    centres = FIRST * 2.0 ** np.arange(max(int(np.ceil(np.log2(rate / 2 / FIRST / np.sqrt(0.5)))), 1))
    whole = np.iscomplexobj(flat)
    pitch = np.abs(np.fft.fftfreq(n, 1 / rate) if whole else np.fft.rfftfreq(n, 1 / rate))
    which = np.digitize(pitch, centres * np.sqrt(2))
    power = np.zeros(len(centres) + 1)
    for channel in flat:
        for a in range(-hop, len(channel) + 1, BLOCK * hop):  # frames begin half a frame early and run out as late
            part, before = channel[max(a, 0): a + (BLOCK + 1) * hop], max(-a, 0)
            last = min(BLOCK, (len(channel) - a) // hop + 1)
            padded = np.pad(part, (before, max((last + 1) * hop - before - len(part), 0)))
            block = np.lib.stride_tricks.sliding_window_view(padded, n)[::hop][:last] * window
            spectrum = np.fft.fft(block) if whole else np.fft.rfft(block)
            each = np.einsum("fn,fn->n", spectrum.real, spectrum.real) + np.einsum("fn,fn->n", spectrum.imag, spectrum.imag)
            if not whole:  # the lines between DC and half the rate stand for two
                each[1: n // 2] *= 2
            power += np.bincount(which, each, minlength=len(power))[: len(power)]
    return centres, power[: len(centres)] / max(flat.size, 1)
