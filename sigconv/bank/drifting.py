"""How far parameters have moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Drift", "drifted"]


EXACT = 1e-12  # of a value: what its scale rounds


@dataclass(frozen=True, slots=True)
class Drift:
    """A parameter at its start and now; `by` the difference, in `unit`; octaves where both are above 0, else NaN; percent."""

    name: str
    start: np.ndarray
    now: np.ndarray
    unit: str
    by: np.ndarray
    octaves: np.ndarray
    percent: np.ndarray

    def __str__(self) -> str:
        def most(v: np.ndarray) -> str:
            return f"{float(np.abs(v).max(initial=0)):.4g}"

        octaves = "" if np.isnan(self.octaves).any() or not self.unit else f"{most(self.octaves)} octaves, "
        moved = f"{most(self.by)} {self.unit}".rstrip()
        values = f"{self.start.size} value{'s' * (self.start.size != 1)}"
        return f"{self.name}: {values}, moved by up to {moved} ({octaves}{most(self.percent)} %)"


def drifted(name: str, start: np.ndarray, now: np.ndarray, unit: str) -> Drift:
    """The way from `start` to `now`."""
    by = np.where(np.abs(now - start) > EXACT * np.abs(start), now - start, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = (start.real > 0) & (now.real > 0) & (not np.iscomplexobj(now))
        up = np.log2(np.where(above, np.where(by != 0, now.real / start.real, 1.0), np.nan))
        share = np.where(by == 0, 0.0, 100 * np.abs(by) / np.abs(start))
    return Drift(name, start, now, unit, by, up, share)
