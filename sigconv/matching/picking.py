"""From scores to events: non-maximum suppression across time (or space), templates and channels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain import Domain
from ..errors import UsageError, among
from ..signal import Signal
from ..spectrum import hann
from .events import Event, Events

if TYPE_CHECKING:
    from .matched import Matching

__all__ = ["OVERLAP", "picked"]

OVERLAP = 0.1  # of a window: sidelobes of a lone copy that stand less far in are below √0.1
ALIKE = 0.5  # of two spectra: what similar templates share
VALLEY = 0.71  # of the lower of two peaks: 3 dB, what a tone falls by between two strokes
CHANCE = 0.001
FAINT, WEAK = 0.05, 0.3  # of the loudest tone, which spills so much over others as it begins; of a template's best score
MOST = 2**16  # peaks
HALF = 0.5  # of its amplitude: where a tone has set in, or is over
BACK = 0.6  # of a template's length: how much earlier it may have begun
STEEP = 0.4  # of the steepest rise: steep enough for a beginning
FINE = 256  # looks at a tone's beginning, a template's length long


def picked(found: Matching, p: float | None, threshold: float | None, overlap: float, across: str, either: bool,
           faint: float | None) -> Events:
    """The events of a matching: see `Matching.events`."""
    among(across, ("similar", "all", "none"), "across")
    for word, value in (("p", p), ("threshold", threshold), ("overlap", overlap), ("faint", faint)):
        if value is not None and not (isinstance(value, (int, float)) and 0 <= value <= 1):
            raise UsageError(f"{word} {value!r}: wanted a share from 0 to 1")
    limit = CHANCE if p is None and threshold is None else p
    peaks = _peaks(found, limit, threshold or 0.0, either, faint)
    kept, beaten = _suppressed(found, peaks, overlap, _rivals(found, across))
    events = []
    for i, losers in zip(kept, beaten, strict=True):
        event = replace(_event(found, peaks, i), beaten=tuple(_event(found, peaks, j) for j in losers))
        row = int(peaks.row[i])
        events.append(replace(event, extent=(_sounds(found, row, int(peaks.at[0, i]), peaks.hills[row]),))
                      if found.template(row).steady else event)
    return Events(events, found.scores.domain.extent, tuple(t.name for t in found.templates))


class Peaks:
    """Peaks of the scores, strongest first: their row, indices `(d, n)`, score and p; and how loud the tones of each row are."""

    def __init__(self, hills: list[Any], rows: np.ndarray, at: np.ndarray, score: np.ndarray, p: np.ndarray, rank: np.ndarray):
        order = np.lexsort((*at[::-1], rows, -rank))[:MOST]
        self.hills, self.row, self.at, self.score, self.p = hills, rows[order], at[:, order], score[order], p[order]


def _peaks(found: Matching, limit: float | None, threshold: float, either: bool, faint: float | None) -> Peaks:
    every = []
    hills: list[Any] = [found.loudness(row) if found.template(row).steady else None for row in range(len(found.rows))]
    loud = (FAINT if faint is None else faint) * max((hill.max(initial=0) for hill in hills if hill is not None), default=0)
    for row, scores in enumerate(found.rows):
        size = np.abs(scores) if either else scores
        hill = size if hills[row] is None else hills[row]
        least = (WEAK if faint is None else faint) * size.max(initial=0) if hills[row] is None else loud
        places = np.nonzero((hill >= _around(hill)) & (hill >= least) & (size > 0) & (size >= threshold))
        chances = found.p_at(row, places)
        near = chances < limit if limit is not None else np.ones(len(chances), bool)
        at = np.stack(places)[:, near]
        every.append((np.full(at.shape[1], row), at, scores[tuple(at)], chances[near], hill[tuple(at)]))
    return Peaks(hills, *(np.concatenate(part, -1) for part in zip(*every, strict=True)))


def _around(a: np.ndarray) -> np.ndarray:
    """The largest of each value and its neighbours."""
    for axis in range(a.ndim):
        wide = np.pad(a, [(int(i == axis),) * 2 for i in range(a.ndim)], constant_values=-np.inf)
        rolled = np.moveaxis(wide, axis, 0)
        a = np.moveaxis(np.maximum(np.maximum(rolled[:-2], rolled[1:-1]), rolled[2:]), 0, axis)
    return a


def _rivals(found: Matching, across: str) -> np.ndarray:
    """Which templates compete for a place: `(m, m)`."""
    m = len(found.templates)
    if across != "similar":
        return np.full((m, m), True) if across == "all" else np.eye(m, dtype=bool)
    d = found.scores.domain.ndim
    axes = tuple(range(-d, 0))
    shape = [max(t.grid.shape[i] for t in found.templates) for i in range(d)]
    spectra = []
    for group in found.groups:
        taps = group.unit.data.reshape(group.unit.value[0], -1, *group.unit.domain.shape)
        size = np.sqrt(np.sum(np.abs(np.fft.fftn(taps, shape, axes)) ** 2, 1)).reshape(len(taps), -1)
        spectra.append(size / np.sqrt(np.sum(size**2, -1, keepdims=True)))
    every = np.concatenate(spectra)
    return every @ every.T >= ALIKE


def _suppressed(found: Matching, peaks: Peaks, overlap: float, rivals: np.ndarray) -> tuple[list[int], list[list[int]]]:
    """The peaks that stand, strongest first, and those that each of them beats."""
    m, stride = len(found.templates), np.array(found.stride)[:, None]
    index = peaks.row % m
    begin = np.array([t.grid.start for t in found.templates], dtype=float)[index].T + peaks.at * stride
    shape = np.array([t.grid.shape for t in found.templates])[index].T
    kept: list[int] = []
    beaten: list[list[int]] = []
    for i in range(len(peaks.row)):
        old = np.array(kept, dtype=int)
        shared = np.minimum(begin[:, old] + shape[:, old], begin[:, i, None] + shape[:, i, None]) - np.maximum(
            begin[:, old], begin[:, i, None])
        part = np.prod(np.maximum(shared, 0), 0) / np.minimum(np.prod(shape[:, old], 0), np.prod(shape[:, i]))
        over = (part > overlap) & rivals[index[i], index[old]]
        if not over.any() and found.templates[index[i]].steady:
            over = _sounding(peaks, i, old, m)
        if over.any():
            beaten[int(np.flatnonzero(over)[np.argmax(part[over])])].append(i)
        else:
            kept.append(i)
            beaten.append([])
    return kept, beaten


def _sounding(peaks: Peaks, i: int, old: np.ndarray, m: int) -> np.ndarray:
    """Which stronger answers of the same tone have not died away between them and peak i: the nearest on either side may."""
    over = np.zeros(len(old), bool)
    same, here = np.flatnonzero(peaks.row[old] % m == peaks.row[i] % m), peaks.at[0, i]
    size = peaks.hills[int(peaks.row[i])]
    for side in (same[peaks.at[0, old[same]] < here], same[peaks.at[0, old[same]] > here]):
        if len(side):
            j = side[np.argmin(np.abs(peaks.at[0, old[side]] - here))]
            low, high = sorted((int(here), int(peaks.at[0, old[j]])))
            over[j] = size[low: high + 1].min() > VALLEY * min(size[low], size[high])
    return over


def _event(found: Matching, peaks: Peaks, i: int) -> Event:
    row, at = int(peaks.row[i]), tuple(int(a) for a in peaks.at[:, i])
    template, domain = found.template(row), found.scores.domain
    size = np.abs(found.rows[row])
    exact = [a + _between(size, at, axis) for axis, a in enumerate(at)]
    place = tuple((float(s) + t) * float(d) for s, t, d in zip(domain.start, exact, domain.step, strict=True))
    fine = [float(d / s) for d, s in zip(domain.step, found.stride, strict=True)]
    extent = tuple((t + float(b) * f, t + float(b + k) * f)
                   for t, b, k, f in zip(place, template.grid.start, template.grid.shape, fine, strict=True))
    channel = row // len(found.templates) if found.scores.value[:-1] else None
    return Event(template.name, float(peaks.score[i]), float(peaks.p[i]), place, extent, float(found.amplitude(row)[at]), channel)


def _between(a: np.ndarray, at: tuple[int, ...], axis: int) -> float:
    """How far the top of the parabola through a peak and its neighbours lies from it, in samples."""
    index: Any = (*at[:axis], slice(None), *at[axis + 1:])
    line = a[index]
    i = at[axis]
    if not 0 < i < len(line) - 1:
        return 0.0
    low, top, high = line[i - 1: i + 2]
    bend = low - 2 * top + high
    return float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _sounds(found: Matching, row: int, at: int, loud: np.ndarray) -> tuple[float, float]:
    """From when to when a tone sounds that answers at index `at` of the scores, in units."""
    domain = found.scores.domain
    after = np.flatnonzero(loud[at:] < HALF * loud[at])
    end = at + int(after[0]) if len(after) else domain.shape[0]
    return _onset(found, row, at, loud), float((domain.start[0] + end) * domain.step[0])


def _onset(found: Matching, row: int, at: int, loud: np.ndarray) -> float:
    """When a tone that answers at index `at` of the scores began, in units.

    The amplitude rises most steeply while the template's middle, its greatest weight, passes the beginning. About where it was
    last below half this is looked at with the template's middle quarter alone, in all channels together; of several steep rises
    the first counts, as what follows is the room.
    """
    before = np.flatnonzero(loud[:at] < HALF * loud[at])
    template = found.unit(row)
    n, x = template.shape[-1], found.x
    reach, hop = n // 8, max(n // FINE, 1)
    middle = template[..., n // 2 - reach: n // 2 + reach + 1]
    taps = np.exp(-1j * np.angle(middle)) * np.abs(middle).max(-1, keepdims=True) * hann(middle.shape[-1] + 2)[1:-1]
    half = (before[-1] + 1 if len(before) else 0) * found.stride[0]
    first = half + int(found.template(row).grid.start[0]) + n // 2 - int(BACK * n)  # of the middles that are looked at
    count = max(min(half + n // 4, at * found.stride[0]) - half + int(BACK * n), hop) // hop + 1
    start = x.domain.start[0] + first - reach
    grid = Domain((count - 1) * hop + taps.shape[-1], x.domain.step, start, x.domain.unit)
    wide = Signal(x.data, Domain(x.domain.shape, x.domain.step, x.domain.start, x.domain.unit)).on(grid).data
    pieces = np.lib.stride_tricks.sliding_window_view(wide.reshape(-1, grid.shape[0]), taps.shape[-1], -1)[:, ::hop]
    y = pieces @ taps if taps.ndim == 1 else np.einsum("ctk,ck->t", pieces, taps)[None]
    rise = np.diff(np.sqrt(np.sum(np.abs(y) ** 2, 0)), prepend=0, append=0)
    steep = np.flatnonzero((rise[1:-1] >= rise[:-2]) & (rise[1:-1] >= rise[2:]) & (rise[1:-1] >= STEEP * rise.max())) + 1
    best = int(steep[0]) if len(steep) and rise.max() > 0 else count - 1
    middle_at = first + (best - 0.5 + _between(rise, (best,), 0)) * hop
    return float((float(x.domain.start[0]) + middle_at) * float(x.domain.step[0]))
