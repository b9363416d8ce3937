"""Curves that turn faster than a picture has columns: there the range of each column is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["COLUMNS", "pooled", "ruled"]

COLUMNS = 600  # about as many as a panel has pixels
NEAR, OFTEN = 15, 6  # columns that decide together whether a curve is dense: so many turns in each
JUMP = 179.0  # degrees from which a phase wraps, or changes sign


def pooled(at: np.ndarray, values: np.ndarray, edges: np.ndarray, least: float,
           jump: float = np.inf) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values of a line, NaN where a band stands instead, and the band: `low` and `high` of each column, NaN elsewhere.

    `at` rises. A column between two of the `edges` has a band where the curve turns at least 6 times a column hereabouts
    and travels more than `least` in this one, steps above `jump` not counted. The line runs on to the first point of a
    band, so that the two meet.

    >>> line, low, high = pooled(np.arange(16.0), np.array(8 * [2.0, 3.0]), np.array([0.0, 7.5, 15.5]), 0.1)
    >>> line.tolist()[:2], low.tolist(), high.tolist()
    ([2.0, nan], [2.0, 2.0], [3.0, 3.0])
    """
    low, high = np.full((2, len(edges) - 1), np.nan)
    a, b = np.searchsorted(at, edges[0]), np.searchsorted(at, edges[-1], "right")
    if b - a < 3:
        return values, low, high
    some = values[a:b]
    column = np.clip(np.searchsorted(edges, at[a:b], "right") - 1, 0, len(low) - 1)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    with np.errstate(invalid="ignore"):
        rising = np.diff(some)
        rising[np.abs(rising) > jump] = 0
        turns = np.flatnonzero(rising[1:] * rising[:-1] < 0) + 1
    near = np.ones(min(NEAR, len(low)))
    counted = np.bincount(column[turns], minlength=len(low))
    often = np.convolve(counted, near, "same") >= OFTEN * np.convolve(np.ones(len(low)), near, "same")
    least_of, most_of = (f.reduceat(some, first) for f in (np.fmin, np.fmax))
    travelled = np.add.reduceat(np.append(np.abs(np.nan_to_num(rising)), 0.0), first)
    dense = often[column[first]] & (travelled > least)
    low[column[first[dense]]], high[column[first[dense]]] = least_of[dense], most_of[dense]
    hidden = np.zeros(len(at) + 2, bool)
    hidden[a + 1:b + 1] = np.isfinite(low)[column]
    return np.where(hidden[1:-1] & hidden[:-2], np.nan, values), low, high


def ruled(ax: Any, at: np.ndarray, values: np.ndarray, edges: np.ndarray, least: float, colour: Any, *, label: str = "",
          wraps: bool = False) -> None:
    """One curve on `ax` as a line and, where it is dense, a band; one that `wraps` has gaps wherever it jumps by half a turn."""
    line, low, high = pooled(at, values, edges, least, JUMP if wraps else np.inf)
    if np.isfinite(low).any():
        ax.stairs(high, edges, baseline=low, fill=True, color=colour, alpha=0.6, linewidth=0)
    kept = np.isfinite(line) | np.isfinite(np.concatenate([[0.0], line[:-1]]))
    at, line = at[kept], line[kept]
    if wraps:
        with np.errstate(invalid="ignore"):
            jumps = np.flatnonzero(np.abs(np.diff(line)) > JUMP) + 1
        at, line = np.insert(at, jumps, np.nan), np.insert(line, jumps, np.nan)
    ax.plot(at, line, color=colour, label=label)
