"""Where panels stand, and how their axes label themselves.

`ax` is an Axes whose place is divided among the panels of a picture (it becomes the first of them), or None: then a figure
of the picture's own size is made, the only thing that pyplot is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..domain import Domain
from ..errors import SigconvError
from ..scales import AXES, NAMES, hz_to_mel, hz_to_note
from .style import dress

__all__ = ["Axis", "along", "log_hertz", "makes_room", "nothing", "panels", "spectral"]

PREFIXES = {"s": ((0.9, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs")), "Hz": ((1e3, 1e-3, "kHz"), (0.0, 1.0, "Hz"))}


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a picture: `n` samples from position `first`, `step` apart, in `unit`."""

    name: str
    unit: str
    first: float
    step: float
    n: int
    ends: tuple[float, float] | None = None  # where the picture ends, if not at the edges

    @classmethod
    def of(cls, domain: Domain, axis: int) -> Axis:
        """The axis of a grid."""
        step = float(domain.step[axis])
        return cls(domain.name[axis], domain.unit[axis], float(domain.start[axis]) * step, step, domain.shape[axis])

    @property
    def at(self) -> np.ndarray:
        """Where the samples lie."""
        return self.first + self.step * np.arange(self.n)

    @property
    def edges(self) -> tuple[float, float]:
        """Where the cell of the first sample begins and that of the last one ends; a cell wide even where there is none."""
        return self.first - self.step / 2, self.first + (max(self.n, 1) - 0.5) * self.step

    @property
    def limits(self) -> tuple[float, float]:
        """Where the picture ends: at its `ends`, else at the edges."""
        return self.ends or self.edges


def spectral(axis: Axis, half: float | None = None) -> Axis:
    """An axis of Fourier bins that ends at 0 or −half and at half the rate, where the cells of its outermost bins go beyond;
    without `half`, at what the bins themselves say."""
    first, last = axis.first, axis.first + (axis.n - 1) * axis.step
    if half is None:
        if axis.n < 2 or first > 0:
            return axis
        half = last if first == 0 else axis.edges[1] if last == -first else -first
    return replace(axis, ends=(0.0 if first == 0 else -half, half))


def panels(ax: Any, size: tuple[float, float], rows: int = 1, columns: int = 1, *, heights: Sequence[float] | None = None,
           widths: Sequence[float] | None = None, share: str = "", layout: str = "constrained") -> list[list[Any]]:
    """A table of Axes; the first is `ax` where one is given. `share`: "x", "y" or "xy", the limits of all in common; `layout`
    is that of a figure of our own."""
    if ax is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=size, layout=layout)
        spec = figure.add_gridspec(rows, columns, height_ratios=heights, width_ratios=widths)
        first = figure.add_subplot(spec[0, 0])
    else:
        if not hasattr(ax, "get_subplotspec"):
            raise SigconvError(f"ax is a {type(ax).__name__}: wanted a matplotlib Axes, or None for a new figure")
        figure, first = ax.figure, ax
        if rows * columns > 1:
            spec = _divided(ax, rows, columns, {"height_ratios": heights, "width_ratios": widths})
            ax.set_subplotspec(spec[0, 0])
    shared = {f"share{axis}": first for axis in share}
    table = [[figure.add_subplot(spec[i, j], **shared) if i or j else first for j in range(columns)] for i in range(rows)]
    for panel in (panel for row in table for panel in row):
        dress(panel)
    return table


def _divided(ax: Any, rows: int, columns: int, ratios: dict[str, Any]) -> Any:
    """The grid that stands where `ax` stood."""
    from matplotlib.gridspec import GridSpec

    here = ax.get_subplotspec()
    gaps = {} if here is not None and makes_room(ax.figure) else {"hspace": 0.4, "wspace": 0.5}
    if here is not None:
        return here.subgridspec(rows, columns, **ratios, **gaps)
    box = ax.get_position()
    return GridSpec(rows, columns, ax.figure, left=box.x0, right=box.x1, bottom=box.y0, top=box.y1, **ratios, **gaps)


def makes_room(figure: Any) -> bool:
    """Whether the figure's layout finds room for what is written between panels (constrained and compressed layouts do)."""
    engine = figure.get_layout_engine()
    return engine is not None and not engine.adjust_compatible


def along(axis: Any, name: str, unit: str, span: float) -> None:
    """Name and unit on one matplotlib axis; ticks of seconds and Hz are written with the prefix that fits `span`, while the
    data stay in the unit itself."""
    from matplotlib.ticker import FuncFormatter

    if unit in SCALED:
        axis.set_major_locator(_places(unit, span))
        axis.set_major_formatter(FuncFormatter(lambda v, _: SCALED[unit][1](v)))
        axis.set_label_text(f"{name} ({SCALED[unit][0]})" if SCALED[unit][0] else name)
        return
    factor, shown = next(((f, word) for least, f, word in PREFIXES.get(unit, ()) if span >= least), (1.0, unit))
    axis.set_major_formatter(FuncFormatter(lambda v, _: _short(v * factor)))
    axis.set_label_text(f"{name} ({shown})" if shown else name)


def _places(unit: str, span: float) -> Any:
    """Where ticks stand on an axis of mel, octaves or semitones: at round frequencies, at every C, at every note."""
    from matplotlib.ticker import FixedLocator, MultipleLocator

    if unit.endswith("mel"):
        formula = "slaney" if unit == "mel" else "htk"
        return FixedLocator([float(hz_to_mel(f, formula)) for f in (0, 200, 500, 1000, 2000, 4000, 8000, 16000, 32000)])
    return MultipleLocator(1 if unit == "semitone" or span > 2 else 1 / 4)


def _hertz(unit: str) -> Callable[[float], str]:
    """A place in mel as its frequency."""
    def words(v: float) -> str:
        f = round(float(AXES[unit](v)))
        return f"{_short(f / 1000)}k" if f >= 1000 else _short(f)

    return words


# Units that are told in other words: what stands beside the axis's name, and what a place is called.
SCALED: dict[str, tuple[str, Callable[[float], str]]] = {
    "mel": ("Hz, even in mel", _hertz("mel")), "HTK mel": ("Hz, even in mel", _hertz("HTK mel")),
    "octave": ("even in octaves", lambda v: hz_to_note(AXES["octave"](round(12 * v) / 12))),
    "semitone": ("", lambda v: NAMES[round(v) % 12])}


def log_hertz(axis: Any, name: str, unit: str) -> None:
    """A logarithmic frequency axis with ticks at 1, 2, 5, 10, …, thousands as k."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(LogLocator(subs=tuple(range(1, 10))))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{_short(v / 1000)}k" if unit == "Hz" and v >= 1000 else _short(v)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_label_text(f"{name} ({unit})")


def nothing(ax: Any, words: str) -> None:
    """Say in the panel why it is empty."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", style="italic")


def _short(value: float) -> str:
    return f"{0.0 if abs(value) < 1e-12 else value:.6g}".replace("-", "−")
