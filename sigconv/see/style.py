"""One look for every picture: type, colours, maps; used inside `rc_context`, never as global settings.

Lines take the Okabe-Ito colours, which the common kinds of colour blindness tell apart. Levels take `magma`, even steps of
which look even; signed values take `RdBu_r` without its darkest ends, white at 0, red above; pictures are grey.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["COLOURS", "GUIDE", "INK", "PALE", "colour_map", "dress", "line_colours", "styled"]

INK, PALE, PAPER, GUIDE = "#22262b", "#c9ced6", "#ffffff", "#E69F00"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8a8a8a")

RC: Any = {
    "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.labelsize": 9, "axes.linewidth": 0.7, "axes.titlecolor": INK,
    "axes.titlelocation": "left", "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlepad": 5,
    "figure.constrained_layout.h_pad": 0.06, "figure.constrained_layout.w_pad": 0.06, "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "font.family": "DejaVu Sans", "font.size": 9, "image.interpolation": "nearest", "legend.fontsize": 8, "legend.frameon": False,
    "lines.linewidth": 1.2, "lines.solid_capstyle": "round", "path.simplify": True, "text.color": INK,
}


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib's settings while one of our pictures is drawn; what was set before is set after."""
    import matplotlib

    with matplotlib.rc_context(RC):
        yield


def dress(ax: Any, *, grid: str | None = None) -> None:
    """What matplotlib reads at drawing time, long after `styled` has ended: ticks and frame, set on the axes themselves."""
    ax.set_facecolor(PAPER)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set(size=9, color=INK, family="DejaVu Sans")
    ax.tick_params(which="both", labelsize=8, colors=INK, width=0.7, labelfontfamily="DejaVu Sans")
    ax.tick_params(which="major", length=3)
    ax.tick_params(which="minor", length=1.5)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set(color=INK, linewidth=0.7)
    if grid:
        ax.grid(True, axis=grid, color=PALE, linewidth=0.5, alpha=0.7)
        ax.set_axisbelow(True)


def line_colours(n: int) -> list[Any]:
    """n colours: the Okabe-Ito ones while they last, then even steps of a sequential map."""
    if n <= len(COLOURS):
        return list(COLOURS[:n])
    import matplotlib

    ramp = matplotlib.colormaps["viridis"]
    return [ramp(i / (n - 1)) for i in range(n)]


def colour_map(scale: str) -> Any:
    """matplotlib's colour map of a scale of `Map`; None for values that are colours."""
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap

    if scale == "signed":
        whole = matplotlib.colormaps["RdBu_r"]
        return LinearSegmentedColormap.from_list("signed", [whole(0.07 + 0.86 * i / 64) for i in range(65)])
    name = {"level": "magma", "heat": "magma", "grey": "gray"}.get(scale)
    return name and matplotlib.colormaps[name]
