"""Fair ears: one level for dry and filtered, and one guard for both.

The louder of two sounds is heard as the better one, so every result is first brought to the level of the dry sound (`match`),
and only then are dry and all results lowered together, by as much as the highest true peak among them needs (`guard`): the
match survives, nothing clips, and nothing is ever raised by the guard.

BS.1770 leaves out blocks under −70 LUFS, so a faint result's loudness depends on the level at which it is measured. What is
matched is the loudness as heard: at the level that match and guard bring each sound to, found in a few rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf, log10

import numpy as np

from ..errors import UsageError, hint
from ..signal import Signal
from .levels import block_powers, integrated, samples, true_peak

__all__ = ["CEILING", "HOLD", "MATCHES", "Heard", "check", "decibels", "gains", "held_back", "judged", "measure"]

MATCHES = ("loudness", "rms", "peak", "none")
CUT = 2**20  # samples squared at a time
CEILING = -1.0  # dBTP, EBU R 128's maximum
ROUNDS = 6
HOLD = 20.0  # dB that one result's match may cost all the others


@dataclass(frozen=True)
class Heard:
    """The levels of a sound: `loudness` in LUFS, true peak in dBTP; sample peak and RMS as factors; the powers of its blocks.

    `note` says what is odd about it; `mute`, that there is no level to match.
    """

    loudness: float
    true_peak: float
    peak: float
    rms: float
    powers: np.ndarray
    note: str = ""
    mute: bool = False

    def level(self, match: str, gain: float = 1.0) -> float:
        """What is matched, in dB, of this sound times `gain`."""
        if match == "loudness":
            return _loud(self.powers * gain**2, self.peak * gain)
        return decibels({"rms": self.rms, "peak": self.peak}[match] * gain)


def check(match: str) -> None:
    """`UsageError` for a match that is none."""
    if match not in MATCHES:
        raise UsageError(f"match {match!r}: wanted {', '.join(MATCHES)}{hint(str(match), MATCHES)}")


def measure(x: Signal) -> Heard:
    """The levels of a sound. One that lies below BS.1770's absolute gate is measured as if raised to full scale."""
    data = samples(x)
    peak = float(max(data.max(initial=0), -data.min(initial=0)))
    if not peak:
        return judged(0.0, 0.0, np.zeros(0), -inf)
    cuts = (data[:, a: a + CUT] / data.dtype.type(peak) for a in range(0, data.shape[1], CUT))
    rms = peak * float(np.sqrt(sum(float(np.square(cut, dtype=np.float64).sum()) for cut in cuts) / data.size))
    return judged(peak, rms, block_powers(x), true_peak(x))


def judged(peak: float, rms: float, powers: np.ndarray, top: float) -> Heard:
    """The levels of a sound of this sample peak and RMS, with blocks of these powers and this true peak."""
    if not peak:
        return Heard(-inf, -inf, 0.0, 0.0, np.zeros(0), "silent", True)
    loud, note = _loud(powers, peak), ""
    if loud == -inf:
        note = "nothing in it can be heard"
    elif integrated(powers) == -inf:
        note = "below the gate of -70 LUFS, measured without it"
    return Heard(loud, top, peak, rms, powers, note, loud == -inf)


def gains(dry: Heard, wets: list[Heard], match: str, guard: bool) -> tuple[float, list[float]]:
    """The guard's gain, common to all, and the match's gain of each result (1 where there is no level to match)."""
    common, own = 1.0, [1.0] * len(wets)
    for _ in range(ROUNDS if match == "loudness" else 1):
        before = common
        if match != "none":
            own = [1.0 if dry.mute or wet.mute else _match(dry, wet, match, common, g) for wet, g in zip(wets, own, strict=True)]
        if guard:
            own = [min(g, _most(dry, wet)) for wet, g in zip(wets, own, strict=True)] if match != "none" else own
            highest = max([dry.true_peak, *(wet.true_peak + decibels(g) for wet, g in zip(wets, own, strict=True))])
            common = 10 ** ((CEILING - highest) / 20) if highest > CEILING else 1.0
        if common == before:
            break
    return common, own


def held_back(dry: Heard, wet: Heard, gain: float) -> bool:
    """Whether a match stopped where the result peaks `HOLD` above dry, so that dry is still heard beside it."""
    return not (dry.mute or wet.mute) and gain >= _most(dry, wet) * (1 - 1e-9)


def _most(dry: Heard, wet: Heard) -> float:
    """The gain at which a result peaks `HOLD` above dry, or above the ceiling."""
    return inf if wet.true_peak == -inf else 10 ** ((max(CEILING, dry.true_peak) + HOLD - wet.true_peak) / 20)


def _match(dry: Heard, wet: Heard, match: str, common: float, gain: float) -> float:
    """The factor that brings `wet` to the level of `dry`, both times `common`."""
    target, off = dry.level(match, common), partial(wet.level, match)
    best = (inf, gain)
    for _ in range(ROUNDS):
        miss = target - off(gain * common)
        best = min(best, (abs(miss), gain))
        if abs(miss) < 1e-9:
            break
        gain *= 10 ** (miss / 20)
    return min(best, (abs(target - off(gain * common)), gain))[1]


def _loud(powers: np.ndarray, peak: float) -> float:
    """Loudness in LUFS of blocks of these powers; below the gate, that of the sound raised to a peak of 1, less the raise."""
    loud = integrated(powers)
    if loud > -inf or not peak:
        return loud
    return integrated(powers / peak / peak) + decibels(peak)


def decibels(gain: float) -> float:
    """20 lg of a factor; −inf for 0."""
    return 20 * log10(gain) if gain > 0 else -inf
