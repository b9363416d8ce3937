"""The picture of the race: a row a cell, how many times as long the best peer takes, on a log axis."""

from __future__ import annotations

from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from race_turns import Result

INK, AHEAD, BEHIND, GOAL = "#333a45", "#1b7f79", "#c8553d", "#e0a030"
LEAST, MOST = 0.05, 12


def plot(results: list[Result], path: Path) -> None:
    """Two columns of groups. A dot is against the peers, a ring counts OpenCV too, a bar is what is to be reached."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    groups = [list(group) for _, group in groupby(sorted(results, key=order(results)), key=lambda r: r.cell.group)]
    half, columns = sum(map(rows, groups)) / 2, ([], [])
    for group in groups:
        columns[sum(map(rows, columns[0])) + rows(group) / 2 > half].append(group)
    tall = max(sum(map(rows, column)) for column in columns)
    with plt.rc_context({"font.size": 7.5, "text.color": INK, "axes.edgecolor": INK, "xtick.color": INK, "axes.labelcolor": INK}):
        figure, axes = plt.subplots(1, 2, figsize=(11, 0.145 * tall + 1), sharex=True, layout="constrained")
        for ax, column in zip(axes, columns, strict=True):
            draw(ax, column, tall)
        legend(figure, axes[0])
        figure.savefig(drawn := BytesIO(), dpi=110)
        plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(path, optimize=True)


def order(results: list[Result]) -> Any:
    """Groups as they come first, cells as they come."""
    first = list(dict.fromkeys(r.cell.group for r in results))
    return lambda r: first.index(r.cell.group)


def rows(group: list[Result]) -> int:
    """A head and a gap beside its cells."""
    return len(group) + 2


def within(value: float) -> float:
    return min(max(value, LEAST * 1.03), MOST / 1.03)


def draw(ax: Any, column: list[list[Result]], tall: int) -> None:
    y = 0
    for group in column:
        ax.text(LEAST * 0.97, y, group[0].cell.group, ha="right", va="center", weight="bold", fontsize=8.5)
        for result in group:
            y += 1
            cell, ratio, beside = result.cell, result.ratio(), result.ratio(True)
            ax.text(LEAST * 0.97, y, cell.name.replace(", tensors", " (t)"), ha="right", va="center")
            if ratio is None or beside is None:
                continue
            color = AHEAD if ratio >= 1 else BEHIND
            ax.plot([1, within(ratio)], [y, y], color=color, lw=1.1, alpha=0.45, solid_capstyle="butt", zorder=2)
            if beside < ratio:
                ax.plot(within(beside), y, "o", ms=4, mfc="white", mec=AHEAD if beside >= 1 else BEHIND, mew=0.9, zorder=3)
            ax.plot(within(ratio), y, "o", ms=4.6, color=color, mec="white", mew=0.4, zorder=4)
            if cell.target is not None:
                ax.plot([cell.target] * 2, [y - 0.42, y + 0.42], color=GOAL, lw=2, zorder=5, solid_capstyle="butt")
        y += 2
    ax.set(xscale="log", xlim=(LEAST, MOST), ylim=(tall - 1, -1), yticks=[])
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10], ["0.1", "0.2", "0.5", "1", "2", "5", "10"])
    ax.minorticks_off()
    ax.grid(axis="x", color="#e4e6ea", lw=0.6, zorder=0)
    ax.axvline(1, color=INK, lw=0.9, zorder=1)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="x", length=3)
    ax.set_xlabel("best peer's CPU time ÷ sigconv's")


def legend(figure: Any, ax: Any) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker="o", ls="", ms=5, color=AHEAD, label="sigconv leads"),
             Line2D([], [], marker="o", ls="", ms=5, color=BEHIND, label="a peer leads"),
             Line2D([], [], marker="o", ls="", ms=4.5, mfc="white", mec=INK, label="OpenCV counted, where it leads"),
             Line2D([], [], marker="|", ls="", ms=8, mew=2, color=GOAL, label="to be reached"),
             Line2D([], [], ls="", label="(t): tensors in, tensors out")]
    figure.legend(handles=marks, loc="outside upper center", ncols=5, frameon=False, fontsize=8.5, handletextpad=0.3)
