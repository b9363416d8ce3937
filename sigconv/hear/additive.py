"""Images heard as spectra: x is time, y the logarithm of frequency, brightness the amplitude of one oscillator a row.

With T samples a column, column c stands at t_c = (c + ½) T, where a row of brightness a[r, c] sounds at amplitude A·a[r, c]:

    s(t) = A Σ_c w(t − t_c) Σ_r a[r, c] cos(2π f_r (t − τ[r, c]) + φ[r, c]),    w(t) = ½ + ½ cos(πt / T), |t| < T

Neighbouring weights add up to 1, so that a row of one brightness is one steady tone. τ is the centre of the row's last attack, a
column brighter than the one before by more than ¼ of the brightest of all; there φ = 0: what begins in one column begins
in phase, and a vertical line is a click at t_c. Before a row's first attack τ = 0 and φ is any (the same every time), so that a
photograph does not begin with a bang. In the first and the last column of a picture only a drawn line is an attack, of one
brightness in all its rows, in the first dark again within three columns: what a kernel makes of the picture's ends is none.

A = ¼ / √rows, whatever the picture: a photograph is about as loud as speech, a white picture at −15 dB, a white line across
512 rows a click that overshoots fivefold. For the frames, E[r, j] = exp(2πi f_r j / rate), j = −T … T−1, is the same in every
column, so all is one matrix product, Re(Cᵀ E) with C[r, c] = A·a·exp(2πi f_r (t_c − τ) + iφ), done in blocks.
"""

from __future__ import annotations

from math import ceil, floor, isfinite, prod
from typing import Any, NamedTuple

import numpy as np

from ..domain import Domain, line
from ..errors import UsageError
from ..signal import Signal
from .raster import RASTER, axis_of, joined

__all__ = ["HIGH", "LOW", "Pitches", "Plan", "plan", "sounded"]

LOW, HIGH = 110.0, 14080.0  # Hz: A2, and seven octaves above it
TOP = 0.45  # of the rate
ROWS = 1024  # oscillators at most; of more rows, neighbours are averaged
COLUMN = 0.010  # s
SHORTEST, LONGEST, FILM = 4.0, 6.0, 30.0  # s, of a picture, and of one slice by slice
LIMIT = 3600.0  # s
ATTACK = 0.25  # of the brightest
DRAWN = 0.01  # of its brightness, by which a line's rows may differ
BLOCK = 1 << 20


class Pitches(NamedTuple):
    """Where a scan by spectrum puts a picture: `times` (s) of the columns' centres, `frequencies` (Hz) of the rows."""

    times: np.ndarray
    frequencies: np.ndarray


class Plan(NamedTuple):
    """A scan by spectrum: the axes (slices, rows, columns) of Ω, how many of each, samples a column, rows averaged, range."""

    axes: tuple[int, ...]
    slices: int
    rows: int
    columns: int
    samples: int
    together: int
    low: float
    high: float

    @property
    def frequencies(self) -> np.ndarray:
        """Hz of the oscillators, the highest first."""
        each = np.geomspace(self.high, self.low, self.rows) if self.rows else np.zeros(0)
        first = np.arange(0, self.rows, self.together)
        many = np.minimum(self.together, self.rows - first)
        return np.exp(np.add.reduceat(np.log(each), first) / many) if self.rows else each

    @property
    def pitches(self) -> Pitches:
        """Times of all columns, slice after slice; frequencies of all rows, those averaged alike."""
        at = np.arange(self.slices * self.columns) * self.samples + self.samples // 2
        return Pitches(at / RASTER, np.repeat(self.frequencies, self.together)[: self.rows])


def plan(domain: Domain, along: str | int | None = None, seconds: Any = None, low: Any = None, high: Any = None) -> Plan:
    """How a grid is heard as spectra: of a volume the slices along `along`; of an image that axis is time."""
    if domain.ndim == 1:
        raise UsageError("a scan by spectrum of a line: wanted an image or a volume; 'rows' reads a line")
    if domain.ndim == 2:
        time = axis_of(domain, along, 1)
        axes: tuple[int, ...] = (1 - time, time)
    else:
        slow = axis_of(domain, along, 0)
        axes = (slow, *(axis for axis in range(3) if axis != slow))
    rows, columns = (domain.shape[axis] for axis in axes[-2:])
    slices = domain.shape[slow] if domain.ndim == 3 else 1
    samples = _samples(slices * columns, slices > 1, seconds)
    return Plan(axes, slices, rows, columns, samples, max(ceil(rows / ROWS), 1), *_range(low, high))


def _range(low: Any, high: Any) -> tuple[float, float]:
    ends = []
    for end, usual in ((low, LOW), (high, HIGH)):
        if end is not None and not (isinstance(end, (int, float)) and 0 < end <= TOP * RASTER):
            raise UsageError(f"a frequency of {end!r}: wanted above 0, at most {TOP * RASTER:g} Hz")
        ends.append(usual if end is None else float(end))
    if ends[0] >= ends[1]:
        raise UsageError(f"a range from {ends[0]:g} to {ends[1]:g} Hz: wanted low below high")
    return ends[0], ends[1]


def _samples(columns: int, film: bool, seconds: Any) -> int:
    """Samples a column: 10 ms, where that makes 4 to 6 s of a picture, at most 30 s of one slice by slice."""
    if seconds is None:
        least, most = SHORTEST * RASTER / max(columns, 1), (FILM if film else LONGEST) * RASTER / max(columns, 1)
        return max(min(max(round(COLUMN * RASTER), ceil(least)), floor(most)), 1)
    if not (isinstance(seconds, (int, float)) and isfinite(seconds) and 0 < seconds <= LIMIT):
        raise UsageError(f"seconds {seconds!r}: wanted above 0, at most {LIMIT:g}")
    each = round(seconds * RASTER / max(columns, 1))
    if each < 1:
        raise UsageError(f"{seconds:g} s for {columns} columns: wanted at least a sample each, {columns / RASTER:.3g} s")
    return each


def sounded(x: Signal, how: Plan) -> Signal:
    """What `brightness` made of a picture, by magnitude, as spectra."""
    lead, many = len(x.value), prod(x.value)
    maps = x.data.transpose(*range(lead), *(lead + axis for axis in how.axes)).reshape(many, how.slices, how.rows, how.columns)
    maps = np.swapaxes(maps, 1, 2).reshape(many, how.rows, how.slices * how.columns)
    n = maps.shape[2] * how.samples
    if how.together > 1:
        first = np.arange(0, how.rows, how.together)
        maps = np.add.reduceat(maps, first, axis=1) / np.minimum(how.together, how.rows - first)[:, None]
    data = np.zeros((many, n))
    if n and how.rows:
        for channel, a in zip(data, maps, strict=True):
            channel[:] = _voice(a, how.frequencies, how.samples, how.columns)
    return Signal(data.astype(x.data.dtype, copy=False), line(n, RASTER), joined(x.names, x.value))


def _voice(a: np.ndarray, hertz: np.ndarray, samples: int, width: int) -> np.ndarray:
    """The sound of one map (rows, columns), pictures of `width` columns side by side, `samples` a column."""
    rows, columns = a.shape
    enough = ATTACK * a.max()
    sound, half = np.zeros((columns + 1, samples)), samples // 2
    window = 0.5 + 0.5 * np.cos(np.pi * np.arange(-samples, samples) / samples)
    last = np.full(rows, -1)
    wide, deep = max(BLOCK // rows, 1), max(BLOCK // (2 * rows), 1)
    for first in range(0, columns, wide):
        block = slice(first, min(first + wide, columns))
        column = np.arange(block.start, block.stop)
        begun = np.where(_attacks(a, block, width, enough), column, -1)
        since = np.maximum.accumulate(np.maximum(begun, last[:, None]), axis=1)
        C, last = a[:, block] * _turns(column, since, hertz, samples), since[:, -1]
        for at in range(0, 2 * samples, deep):
            j = np.arange(at, min(at + deep, 2 * samples))
            E = np.exp(2j * np.pi * hertz[:, None] * ((j - samples) / RASTER))
            frames = (C.real.T @ E.real - C.imag.T @ E.imag) * window[j]
            for side in (0, 1):  # a frame reaches over its own column and the next
                mine = j // samples == side
                sound[block.start + side: block.stop + side, j[mine] - side * samples] += frames[:, mine]
    out = sound.reshape(-1)[samples - half:][: columns * samples]
    return _faded(out, half, samples)


def _attacks(a: np.ndarray, block: slice, width: int, enough: float) -> np.ndarray:
    """Which cells of a block of columns are attacks."""
    mine, columns = a[:, block].astype(np.float64), a.shape[1]
    before = a[:, max(block.start - 1, 0): block.stop - 1]
    if not block.start:
        ahead = a[:, 1:4].min(axis=1, keepdims=True) if columns > 1 else np.zeros((len(a), 1))
        before = np.concatenate([ahead, before], axis=1)
    risen = mine - before > enough
    for c in range(block.stop - block.start):
        if (block.start + c) % width in (0, width - 1):
            lit = mine[risen[:, c], c]
            risen[:, c] &= bool(lit.size) and bool(np.ptp(lit) <= DRAWN * lit.max())
    return risen


def _turns(column: np.ndarray, since: np.ndarray, hertz: np.ndarray, samples: int) -> np.ndarray:
    """A e^{iφ} e^{2πi f (t_c − τ)} of each row and column; `since` is the column of its last attack, −1 where there was none."""
    cycles = hertz[:, None] / RASTER * ((column - np.maximum(since, 0)) * samples)
    cycles += np.where(since < 0, np.random.default_rng(1770).random((len(hertz), 1)), 0.0)
    return 0.25 / np.sqrt(len(hertz)) * np.exp(2j * np.pi * (cycles % 1))


def _faded(sound: np.ndarray, half: int, samples: int) -> np.ndarray:
    """The first and the last half column from 0 and to 0, where the outer weights begin and end at ½."""
    rest = samples - half
    for edge, away, n in ((sound[:half], np.arange(half, 0, -1), half), (sound[-rest:], np.arange(rest), rest)):
        edge *= (1 + np.cos(np.pi * away / max(n, 1))) / (1 + np.cos(np.pi * away / samples))
    return sound
