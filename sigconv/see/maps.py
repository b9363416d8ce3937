"""Maps, the pictures made of cells: what is drawn (`Map`, `Sheet`) and the one place that draws it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np

from .panels import Axis, along, nothing, panels
from .style import GUIDE, INK, colour_map, styled

__all__ = ["Map", "Sheet", "draw", "fill", "gathered", "peak", "reach", "span"]

BEYOND = 0.05  # share of the energy below 0 from which values are drawn as signed ones
FEW = 7  # cells along an axis up to which each has its tick
MANY, RARE = 4096, 0.99  # of more values than that, limits leave out the rarest


@dataclass(frozen=True, slots=True)
class Map:
    """One panel: `values` (rows, columns), or (rows, columns, 3) in colour; row i lies at ``down.at[i]``, column j at
    ``across.at[j]``. `scale`: "grey", "signed" (0 in the middle of `limits`), "heat", "level" (dB) or "colour"."""

    values: np.ndarray
    down: Axis
    across: Axis
    limits: tuple[float, float]
    scale: str
    title: str = ""
    upward: bool = False  # rows run upwards
    equal: bool = True  # one unit is as long on both axes
    written: bool = False  # the number in each cell
    origin: bool = False  # the cell at 0 is framed
    cross: tuple[float, float] | None = None  # (down, across) where other slices cut this one
    bar: str = "value"  # what its colour bar says; a sheet's `unit` of levels


@dataclass(frozen=True, slots=True)
class Sheet:
    """Panels in rows; `unit` is what their values are in, "" where they are pure numbers; `left_out` counts panels not shown."""

    rows: tuple[tuple[Map, ...], ...]
    unit: str = ""
    left_out: int = 0

    @property
    def maps(self) -> tuple[Map, ...]:
        """The panels one after another."""
        return sum(self.rows, ())


def peak(*arrays: np.ndarray) -> float:
    """The largest magnitude among these values; 1 where there is none."""
    return max((float(np.abs(a).max()) for a in arrays if a.size), default=0.0) or 1.0


def reach(*arrays: np.ndarray) -> float:
    """The magnitude that all of a few values, and 99 % of many, stay within."""
    sizes = [float(np.quantile(np.abs(a), RARE)) if a.size > MANY else peak(a) for a in arrays if a.size]
    return max(sizes, default=0.0) or peak(*arrays)


def span(*arrays: np.ndarray) -> tuple[tuple[float, float], str]:
    """Limits and scale that these values share: ±`reach`, signed, where a good part of the energy lies below 0; else grey
    from 0 (or their least value) to full scale 1 (or their largest one)."""
    values = [a for a in arrays if a.size]
    low = min((float(a.min()) for a in values), default=0.0)
    high = max((float(a.max()) for a in values), default=1.0)
    if low < 0:
        top = peak(*values)
        energy = sum(float(np.square(a / top, dtype=np.float64).sum()) for a in values)
        below = sum(float(np.square(np.minimum(a, 0) / top, dtype=np.float64).sum()) for a in values)
        if below > BEYOND * energy:
            top = reach(*values)
            return (-top, top), "signed"
    return (min(low, 0.0), max(high, 1.0)), "grey"


def gathered(maps: list[Map], unit: str = "", most: int = 36) -> Sheet:
    """Panels in a table that is about as wide as it is high, at most `most` of them."""
    shown = maps[:most]
    columns = max(ceil(sqrt(len(shown))), min(len(shown), 3))
    rows = tuple(tuple(shown[i:i + columns]) for i in range(0, len(shown), columns))
    return Sheet(rows, unit, len(maps) - len(shown))


def draw(sheet: Sheet, ax: Any = None, size: tuple[float, float] | None = None) -> Any:
    """The sheet on `ax`'s place or on a figure of its own; returns the first Axes."""
    rows, columns = len(sheet.rows), max(map(len, sheet.rows), default=0)
    with styled():
        lengths = _lengths(sheet)
        widths, heights = lengths or (None, [_height(row) for row in sheet.rows] or None)
        like = len({(p.down.edges, p.across.edges) for p in sheet.maps}) == 1
        table = panels(ax, size or _size(sheet, columns), max(rows, 1), max(columns, 1), widths=widths, heights=heights,
                       layout="compressed" if widths and like else "constrained")
        drawn = []
        for i, line in enumerate(table):
            for j, panel in enumerate(line):
                here = sheet.rows[i][j] if i < rows and j < len(sheet.rows[i]) else None
                if here is None:
                    panel.set_axis_off()
                else:
                    bottom, left = i + 1 == rows or _alone(sheet, i, j), j == 0 or not _same(sheet, i, j)
                    drawn.append((panel, fill(panel, here, bottom=bottom, left=left)))
        _bar(sheet, drawn)
        if sheet.left_out:
            table[-1][-1].annotate(f"{sheet.left_out} more not shown", (1, 0), xycoords="axes fraction", ha="right", va="bottom",
                                   xytext=(0, -46), textcoords="offset points", style="italic")
    return table[0][0]


def fill(ax: Any, panel: Map, *, bottom: bool = True, left: bool = True) -> Any:
    """One map in one panel; its image."""
    (low, high), (begin, end) = panel.down.edges, panel.across.edges
    along(ax.xaxis, panel.across.name, panel.across.unit, max(abs(begin), abs(end)))
    along(ax.yaxis, panel.down.name, panel.down.unit, max(abs(low), abs(high)))
    ends = panel.down.limits
    ax.set(xlim=panel.across.limits, ylim=ends if panel.upward else ends[::-1], title=panel.title)
    ax.set_aspect("equal" if panel.equal else "auto")
    for axis, matplotlib_axis, shown in ((panel.across, ax.xaxis, bottom), (panel.down, ax.yaxis, left)):
        if 0 < axis.n <= FEW:
            matplotlib_axis.set_ticks(axis.at)
        if not shown:
            matplotlib_axis.set_label_text("")
            matplotlib_axis.set_tick_params(labelbottom=False, labelleft=False)
    if not panel.values.size:
        nothing(ax, "empty")
        return None
    values = np.clip(panel.values, 0, 1) if panel.scale == "colour" else panel.values
    up, equal, small = panel.upward, panel.equal, min(values.shape[:2]) < 64
    extent = (begin, end, low, high) if up else (begin, end, high, low)
    image = ax.imshow(values, extent=extent, origin="lower" if up else "upper", aspect="equal" if equal else "auto",
                      cmap=colour_map(panel.scale), vmin=panel.limits[0], vmax=panel.limits[1],
                      interpolation="nearest" if small else "antialiased")
    for spine in ax.spines.values():
        spine.set_visible(True)
    if panel.cross:
        ax.axhline(panel.cross[0], color=GUIDE, linewidth=0.6, linestyle=(0, (4, 3)))
        ax.axvline(panel.cross[1], color=GUIDE, linewidth=0.6, linestyle=(0, (4, 3)))
    if panel.origin:
        _frame(ax, panel)
    if panel.written:
        _write(ax, panel)
    return image


def _frame(ax: Any, panel: Map) -> None:
    from matplotlib.patches import Rectangle

    (low, high), (begin, end) = panel.down.edges, panel.across.edges
    if low <= 0 <= high and begin <= 0 <= end:
        dy, dx = panel.down.step, panel.across.step
        ax.add_patch(Rectangle((-dx / 2, -dy / 2), dx, dy, fill=False, edgecolor=INK, linewidth=1.4))


def _write(ax: Any, panel: Map) -> None:
    top = max(map(abs, panel.limits))
    for y, row in zip(panel.down.at, panel.values, strict=True):
        for x, value in zip(panel.across.at, row, strict=True):
            ax.text(x, y, f"{value:.2g}".replace("-", "−"), ha="center", va="center", fontsize=8,
                    color="white" if abs(value) > 0.6 * top else INK)


def _bar(sheet: Sheet, drawn: list[tuple[Any, Any]]) -> None:
    """A colour bar for each scale and its limits, with arrows where values lie beyond its ends."""
    for kind in _bars(sheet):
        pairs = [(image, panel) for (_, image), panel in zip(drawn, sheet.maps, strict=True)
                 if image and (panel.scale, panel.limits) == kind]
        beside = [image.axes for image, _ in pairs]
        if not pairs:
            continue
        image, values, (scale, (low, high)) = pairs[0][0], [panel.values for _, panel in pairs], kind
        slack = 1e-6 * (high - low)
        over = (scale != "level" and any(v.min() < low - slack for v in values), any(v.max() > high + slack for v in values))
        bar = image.figure.colorbar(image, ax=beside, pad=0.015, aspect=28, shrink=0.9,
                                    extend={(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[over])
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8, length=2, width=0.7)
        words = dict.fromkeys(panel.bar for _, panel in pairs)
        bar.set_label(sheet.unit if scale == "level" else ", ".join(words))


def _bars(sheet: Sheet) -> list[tuple[str, tuple[float, float]]]:
    """The scales and limits that need a bar: grey from 0 to 1 with nothing beyond, and colour, need none."""
    kinds = dict.fromkeys((p.scale, p.limits) for p in sheet.maps if p.scale != "colour")
    beyond = any(p.scale == "grey" and p.values.size and max(-p.values.min(), p.values.max() - 1) > 1e-6 for p in sheet.maps)
    return [kind for kind in kinds if kind != ("grey", (0.0, 1.0)) or beyond]


def _alone(sheet: Sheet, i: int, j: int) -> bool:
    """Whether nothing with the same horizontal axis stands below."""
    below = sheet.rows[i + 1][j] if j < len(sheet.rows[i + 1]) else None
    return below is None or below.across != sheet.rows[i][j].across


def _same(sheet: Sheet, i: int, j: int) -> bool:
    return sheet.rows[i][j].down == sheet.rows[i][j - 1].down


def _size(sheet: Sheet, columns: int) -> tuple[float, float]:
    """Inches that suit the panels' shapes, with room for what is written about them."""
    if not sheet.maps:
        return 5.4, 3.0
    labelled = sum(j == 0 or not _same(sheet, 0, j) for j in range(len(sheet.rows[0])))
    wide = 5.4 if columns == 1 else 8.0
    kinds = _bars(sheet)  # those of one row stand side by side, those of different rows one below another
    bars = max(sum(any((p.scale, p.limits) == kind for p in row) for kind in kinds) for row in sheet.rows)
    room = wide - 0.6 * labelled - 0.75 * bars - 0.1 * columns
    if lengths := _lengths(sheet):
        high = room * sum(lengths[1]) / sum(lengths[0])
    else:
        high = sum(room / columns * _height(row) for row in sheet.rows)
    titles = sum(max(0.1 + 0.2 * (p.title.count("\n") + bool(p.title)) for p in row) for row in sheet.rows)
    return wide, round(min(max(high + titles + 0.6, 1.8), 14.0), 1)


def _lengths(sheet: Sheet) -> tuple[list[float], list[float]] | None:
    """The widths of the columns and the heights of the rows that give all panels one scale; None where axes differ in kind."""
    if not sheet.maps or not all(p.equal for p in sheet.maps):
        return None
    columns = range(max(map(len, sheet.rows)))
    widths = [max(_length(row[j].across) for row in sheet.rows if j < len(row)) for j in columns]
    widths = [max(w, 0.3 * max(widths)) for w in widths]
    return widths, [max(w * _ratio(p) for w, p in zip(widths, row, strict=False)) for row in sheet.rows]


def _height(row: tuple[Map, ...]) -> float:
    """The height of a row, in widths of a panel."""
    return max(_ratio(p) if p.equal else 0.62 for p in row)


def _ratio(panel: Map) -> float:
    """Height over width, of very long panels less."""
    return max(min(_length(panel.down) / _length(panel.across), 2.0), 0.15)


def _length(axis: Axis) -> float:
    return axis.edges[1] - axis.edges[0]
