"""What a filter changed, in dB: the level, for sound every octave, for the rest the mean and the detail along each axis.

Detail is the difference of neighbours: its power falls under a blur, rises under an edge. Complex results are taken by their
magnitude, a spectrogram's as it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, isnan, nan, prod

import numpy as np

from .. import arrays
from ..signal import Signal
from .measures import wanted
from .tallies import FIRST, Tally
from .words import decibel, frequency

__all__ = ["Changed", "changed", "changed_so_far"]

CUT = 2**20  # samples squared at a time
EMPTY = 1e-12  # of all power: an octave below this is empty
FAINT = 1e-5  # of the power in dry's loudest octave, 50 dB: below this a click at a cut-off end outweighs what is there
MAIN = 1e-2  # of the power in wet's loudest octave: what is so strong in the result is never left out
GONE = -50  # dB: next to nothing of it is left
APART = 1.5  # dB: channels that change more alike than this change alike
NAMED = 6  # channels that are told one by one
SOUND, MAP = ("s",), ("Hz", "s")


@dataclass(frozen=True, slots=True)
class Changed:
    """`level`: wet over dry in dB (root mean square), −inf where wet is silent, NaN where dry is. `bands`: (centre in Hz, dB)
    for each octave that dry has something in (see `changed`); of sound and its spectrograms. `mean`, and `detail` as (axis, dB):
    of what is not sound; NaN where dry has none. `channels`: (name, dB), where they differ; `count`: how many before and after.
    `empty`: the result has no samples."""

    level: float
    bands: tuple[tuple[float, float], ...] = ()
    mean: float = nan
    detail: tuple[tuple[str, float], ...] = ()
    channels: tuple[tuple[str, float], ...] = ()
    count: tuple[int, int] = (1, 1)
    empty: bool = False

    def __str__(self) -> str:
        if isnan(self.level):
            return "the dry signal is silent"
        if self.level == -inf:
            return "nothing is left: the result is empty" if self.empty else "silence: nothing passes"
        return "; ".join(part for part in (self._octaves(), self._details(), self._channels()) if part)

    def _octaves(self) -> str:
        heard = [(f, dB) for f, dB in self.bands if not isnan(dB)]
        if not heard:
            return f"{decibel(self.level)} overall"
        least, most = min(heard, key=lambda b: b[1]), max(heard, key=lambda b: b[1])
        if most[1] - least[1] < 0.5:
            return f"{decibel(self.level)} overall, the same in every octave"
        shown = sorted({heard[0], heard[-1], least, most})
        octaves = (f"{frequency(round(f + 0.1), 's')} {decibel(dB, 0)}" for f, dB in shown)
        return f"{decibel(self.level)} overall; {' … '.join(octaves)}"

    def _details(self) -> str:
        known = [(name, dB) for name, dB in self.detail if not isnan(dB)]
        if all(abs(dB - self.level) < 0.5 for dB in (*(dB for _, dB in known), *([] if isnan(self.mean) else [self.mean]))):
            return ""
        mean = [] if isnan(self.mean) else ["the mean is gone" if self.mean < GONE else f"mean {decibel(self.mean)}"]
        levels = [dB for _, dB in known]
        if not levels:
            alike = []
        elif max(levels) - min(levels) < 0.5:
            alike = ["no detail is left" if max(levels) < GONE else f"detail {decibel(sum(levels) / len(levels))}"]
        else:
            alike = [f"detail {', '.join(f'along {name} ' + ('gone' if dB < GONE else decibel(dB)) for name, dB in known)}"]
        return ", ".join([*mean, *alike])

    def _channels(self) -> str:
        before, after = self.count
        counted = f"{before} channel{'s' * (before != 1)} → {after}" if before != after else ""
        words = {-inf: "silent", inf: "silent before"}
        levels = [f"{name} {words.get(dB) or decibel(dB)}" for name, dB in self.channels]
        return ": ".join(part for part in (counted, ", ".join(levels)) if part)


def changed(dry: Signal, wet: Signal) -> Changed:
    """The change of level, of every octave of sound, of mean and detail of the rest, and of the channels, from dry to wet.

    Powers are means over all samples and channels of each, so that a bank's outputs count as one. Octaves more than 50 dB below
    dry's loudest are left out, unless they come within 20 dB of wet's loudest: a change of next to nothing is no change to
    tell, and a sound cut off at an edge leaves a click there that is none of the kernel's doing. Channels are told one by one
    where they change by different amounts: against themselves, or, where they are others than before, against all of dry.

    >>> import sigconv as sc
    >>> x = sc.Signal(np.ones((1, 8)), sc.grid(8, unit="px"))
    >>> str(changed(x, x * 0.5))
    '−6.0 dB overall'
    >>> image = sc.Signal(np.random.default_rng(0).uniform(size=(1, 64, 64)), sc.grid(64, 64))
    >>> str(changed(image, sc.convolve(image, sc.kernel("blur", image), padding_mode="symmetric")))
    '−1.2 dB overall; mean 0.0 dB, detail −29.5 dB'
    """
    wanted(dry, "changed")
    wanted(wet, "changed")
    return _changed(dry, wet, _powers(dry), _powers(wet))


def changed_so_far(dry: Signal, wet: Signal, before: Tally, after: Tally) -> Changed:
    """The same of sounds that came in blocks, of which these are any, and that were tallied."""
    return _changed(dry, wet, before.powers(), after.powers(), (before, after))


def _changed(dry: Signal, wet: Signal, before: np.ndarray, after: np.ndarray,
             tallies: tuple[Tally, Tally] | None = None) -> Changed:
    level = _over(_mean(after), _mean(before))
    count = (prod(dry.value), prod(wet.value))
    if not isfinite(level):
        return Changed(level, count=count, empty=0 in wet.data.shape)
    channels = _each(dry, wet, before, after)
    if dry.domain.unit != wet.domain.unit:
        return Changed(level, channels=channels, count=count)
    if dry.domain.unit == SOUND:
        one, two = (t.octaves() for t in tallies) if tallies else (_octaves(dry), _octaves(wet))
        return Changed(level, _bands(one, two), channels=channels, count=count)
    size = any(np.iscomplexobj(arrays.to_numpy(x.data)) for x in (dry, wet))
    first, second = _details(dry, size), _details(wet, size)
    bands = _bands(_rows(dry), _rows(wet)) if dry.domain.unit == MAP and dry.domain.step[0] == wet.domain.step[0] else ()
    mean = nan if first[0] <= EMPTY * _mean(before) else max(_over(second[0], first[0]), -200.0)
    detail = tuple((name, nan if a <= EMPTY * _mean(before) else max(_over(b, a), -200.0))
                   for name, a, b in zip(dry.domain.name, first[1:], second[1:], strict=True))
    return Changed(level, bands, mean, detail, channels, count)


def _over(after: float, before: float) -> float:
    """A ratio of powers in dB."""
    return nan if not before else -inf if not after else float(10 * np.log10(after / before))


def _mean(powers: np.ndarray) -> float:
    return float(powers.mean()) if powers.size else 0.0


def _bands(one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray]) -> tuple[tuple[float, float], ...]:
    """The change of every octave that is worth telling."""
    bands = []
    for f, a, b in zip(one[0], one[1], two[1], strict=False):
        if a > FAINT * one[1].max() or (a > EMPTY * one[1].sum() and b > MAIN * two[1].max()):
            bands.append((float(f), float(10 * np.log10(b / a)) if b > 0 else -inf))
    return tuple(bands)


def _each(dry: Signal, wet: Signal, before: np.ndarray, after: np.ndarray) -> tuple[tuple[str, float], ...]:
    """The change of every channel, where these differ."""
    if len(wet.value) > len(dry.value) and wet.value[:-1] == dry.value:  # a bank: filter by filter
        before, after = before.mean(keepdims=True), after.reshape(-1, wet.value[-1]).mean(0)
    n = len(after)
    if not 1 < n <= NAMED or (len(before) != n and not wet.channels):
        return ()
    alone = len(before) == n and wet.channels == dry.channels
    other = before if alone else np.full(n, before.mean())
    levels = [_over(b, a) if a else inf if b else nan for a, b in zip(other, after, strict=True)]
    known = [v for v in levels if not isnan(v)]
    if len(known) < 2 or (isfinite(max(known)) and max(known) - min(known) < APART):
        return ()
    names = wet.channels if wet.channels and len(wet.channels) == n else \
        ("left", "right") if n == 2 and wet.domain.unit == SOUND else tuple(f"channel {i + 1}" for i in range(n))
    return tuple((name, v) for name, v in zip(names, levels, strict=True) if not isnan(v))


def _powers(x: Signal) -> np.ndarray:
    """The mean power of every channel."""
    flat = arrays.to_numpy(x.data).reshape(prod(x.value), -1) if x.data.shape and 0 not in x.data.shape else np.zeros((1, 0))
    return np.array([_power(channel) for channel in flat])


def _details(x: Signal, size: bool) -> list[float]:
    """The power of the mean, and of the difference of neighbours along each axis; `size`: of the magnitudes."""
    shape, total = x.domain.shape, max(prod(x.data.shape), 1)
    power = [0.0] * (1 + len(shape))
    rows = max(CUT // max(prod(shape[1:]), 1), 1)
    for channel in arrays.to_numpy(x.data).reshape(-1, *shape):
        summed = 0.0
        for a in range(0, shape[0], rows):
            part = channel[a: a + rows + 1]
            part = np.abs(part) if size else part.astype(np.result_type(part.dtype, np.float64))
            own = part[:rows]
            summed += float(own.sum())
            for axis in range(len(shape)):
                bend = np.diff(part if axis == 0 else own, axis=axis).ravel()
                power[1 + axis] += float(np.einsum("i,i->", bend, bend, dtype=np.float64))
        power[0] += (summed / prod(shape)) ** 2 * prod(shape)
    return [p / total for p in power]


def _rows(x: Signal) -> tuple[np.ndarray, np.ndarray]:
    """Centres in Hz, and the mean power in each octave, of a map over frequency and time."""
    d, data = x.domain, arrays.to_numpy(x.data)
    pitch = np.abs((np.arange(d.shape[0]) + float(d.start[0])) * float(d.step[0]))
    centres = FIRST * 2.0 ** np.arange(max(int(np.ceil(np.log2(max(pitch.max(), 2 * FIRST) / FIRST / np.sqrt(0.5)))), 1))
    flat = np.abs(data.reshape(-1, *d.shape)) ** 2
    power = np.bincount(np.digitize(pitch, centres * np.sqrt(2)), flat.sum((0, 2)), minlength=len(centres) + 1)
    return centres, power[: len(centres)] / max(flat.size, 1)


def _power(channel: np.ndarray) -> float:
    """The mean power of one channel."""
    if not channel.size:
        return 0.0
    rows = (channel[a: a + CUT].astype(np.result_type(channel.dtype, np.float64)) for a in range(0, len(channel), CUT))
    parts = (part for row in rows for part in ((row.real, row.imag) if np.iscomplexobj(row) else (row,)))
    return sum(float(np.einsum("i,i->", part, part)) for part in parts) / channel.size  # np.vdot's threads spin on small work


def _octaves(x: Signal) -> tuple[np.ndarray, np.ndarray]:
    """Centres in Hz, and the mean power in each octave."""
    data = arrays.to_numpy(x.data)
    tally = Tally(x.domain)
    tally.add(data.reshape(-1, data.shape[-1]))
    return tally.octaves()
