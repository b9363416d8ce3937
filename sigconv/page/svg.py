"""Plots as SVG that keep their letters at one size on any width.

A plot has a fixed height in px and takes the width it is given: lines, stems and labels stand at percentages of it, curves
in a nested picture that stretches (their strokes don't). Colours come from the page's style by class.
"""

from __future__ import annotations

from math import ceil, floor, log10

import numpy as np

from .markup import element, text

__all__ = ["WIDE", "Plot", "envelope", "nice_ticks", "polyline"]

WIDE, TALL = 1000, 400  # the units of the stretching picture
FOOT = 22  # px below the plot for the labels of the horizontal axis


class Plot:
    """Marks of one plot; x runs from 0 to 1 along its width, y from 0 (top) to 1 (bottom) of the plotting area."""

    def __init__(self, height: int, label: str, foot: int = FOOT):
        self.height, self.label, self.foot = height, label, foot
        self.marks: list[str] = []

    def _y(self, y: float) -> float:
        return round(y * self.height, 1)

    def vertical(self, x: float, word: str = "", minor: bool = False, line: bool = True) -> None:
        """A grid line across, its label below."""
        at = f"{100 * x:.2f}%"
        if line:
            self.marks.append(f'<line class="grid" x1="{at}" x2="{at}" y1="0" y2="{self.height}"/>')
        if word:
            anchor = "start" if x < 0.02 else "end" if x > 0.98 else "middle"
            self.marks.append(f'<text class="tick{" minor" * minor}" x="{at}" y="{self.height + 16}" text-anchor="{anchor}">'
                              f'{text(word)}</text>')

    def horizontal(self, y: float, word: str = "", strong: bool = False) -> None:
        """A grid line along, its label above it at the left."""
        at = self._y(y)
        self.marks.append(f'<line class="{"axis" if strong else "grid"}" x1="0" x2="100%" y1="{at}" y2="{at}"/>')
        if word:
            above = max(at - 4, 11) if at > 14 else at + 13
            self.marks.append(f'<text class="tick inside" x="4" y="{above}">{text(word)}</text>')

    def stem(self, x: float, y: float, foot: float, kind: str = "") -> None:
        """A tap: a line from `foot` to y with a head."""
        at, top = f"{100 * x:.2f}%", self._y(y)
        self.marks.append(f'<line class="stem {kind}" x1="{at}" x2="{at}" y1="{self._y(foot)}" y2="{top}"/>'
                          f'<circle class="head {kind}" cx="{at}" cy="{top}" r="3.5"/>')

    def curve(self, path: str, kind: str) -> None:
        """A path in units of WIDE × TALL, stretched over the plot."""
        self.marks.append(f'<svg width="100%" height="{self.height}" viewBox="0 0 {WIDE} {TALL}" preserveAspectRatio="none">'
                          f'<path class="{kind}" d="{path}"/></svg>')

    def image(self, url: str) -> None:
        """A picture stretched over the plot."""
        self.marks.append(f'<image href="{url}" width="100%" height="{self.height}" preserveAspectRatio="none"/>')

    def svg(self, **attributes: object) -> str:
        """The plot's markup."""
        return element("svg", "".join(self.marks), class_="plot", role="img", aria_label=self.label,
                       width="100%", height=self.height + self.foot, **attributes)


def envelope(samples: np.ndarray, scale: float, columns: int = 600) -> str:
    """The path of a waveform: a line where each sample has room, the outline of lowest and highest value otherwise.

    >>> envelope(np.array([0.0, 1.0]), 1.0)
    'M0,200 1000,0'
    """
    n = len(samples)
    if not n:
        return f"M0,{TALL // 2}H{WIDE}"
    if n <= 2 * columns:
        path = polyline(np.linspace(0, WIDE, n), TALL / 2 * (1 - samples / scale))
        return path if n > 1 else f"{path}h{WIDE}"
    edges = np.arange(columns) * n // columns
    high, low = np.maximum.reduceat(samples, edges), np.minimum.reduceat(samples, edges)
    x = (np.arange(columns) + 0.5) * (WIDE / columns)
    thin = 0.75  # so that a quiet stretch is still a line
    top, bottom = TALL / 2 * (1 - high / scale) - thin, TALL / 2 * (1 - low / scale) + thin
    return polyline(np.concatenate([x, x[::-1]]), np.concatenate([top, bottom[::-1]])) + "Z"


def polyline(x: np.ndarray, y: np.ndarray) -> str:
    """The path through these points, in whole units."""
    points = np.rint(np.stack([x, y], axis=1)).astype(int).tolist()
    return "M" + " ".join(f"{a},{b}" for a, b in points)


def nice_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers from low to high, some `about` of them.

    >>> nice_ticks(0, 10), nice_ticks(-0.2, 0.21, 5)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [-0.2, -0.1, 0.0, 0.1, 0.2])
    """
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    return [round(i * step, 12) for i in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
