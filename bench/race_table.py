"""The race told: a line a cell on the screen, a table and the picture in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measuring import REPORT, report

if TYPE_CHECKING:
    from race_turns import Result

HEAD = (f"{'cell':44} {'ours':>9} {'best peer':>22} {'its time':>9} {'ratio':>6} {'goal':>5} {'OpenCV':>6} {'goal':>5}  "
        "error   MB")
COLUMNS = ("cell", "sigconv", "best peer", "its time", "times as long", "to reach", "OpenCV counted", "to reach", "error",
           "memory", "beside", "")
PICTURE = REPORT.parent / "pictures" / "race.png"


def span(ns: float) -> str:
    """Three figures and a unit."""
    value, unit = (ns / 1e3, "µs") if ns < 1e6 else (ns / 1e6, "ms")
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def parts(result: Result) -> list[str]:
    """What screen and report say of a cell; "=" where OpenCV doesn't lead the other peers."""
    cell, best = result.cell, result.best()
    beside = "=" if result.best(True) == best else figure(result.ratio(True))
    return [cell.name, span(result.time("sigconv")), best or "", span(result.time(best)) if best else "", figure(result.ratio()),
            figure(cell.target), beside, figure(cell.beside), f"{result.error:.0e}", f"{result.memory / 1e6:.0f}"]


def line(result: Result) -> str:
    """For the screen; what a cell has beside (microseconds, regret, who was left out) comes after."""
    widths = (-44, 9, 22, 9, 6, 5, 6, 5, 6, 4)
    told = " ".join(f"{p[:-w]:{-w}}" if w < 0 else f"{p:>{w}}" for p, w in zip(parts(result), widths, strict=True))
    out = [f"out: {text}" for text in result.wrong]
    return "; ".join([told + ("  reached" if result.reached() else "  short"), *notes(result), *out])


def notes(result: Result) -> list[str]:
    said = []
    if (over := result.beyond()) is not None:
        said.append(f"conv {over:+.1f} µs, sc.convolve {result.beyond('sc.convolve'):+.0f} µs over numpy.convolve")
    if (planned := result.ratio(mine="planned")) is not None:
        said.append(f"planned {planned:.2f} (to reach {result.cell.planned:.2f})")
    if regret := result.regret():
        said.append(f"{regret[0]:.2f} × the best method, {regret[1]}")
    return said


def summary(results: list[Result]) -> str:
    reached, largest = sum(r.reached() for r in results), max((r.error for r in results), default=0)
    return f"{reached} of {len(results)} cells reached; largest error {largest:.1e} of the peak."


def table(results: list[Result]) -> str:
    """All cells, with a line where a group begins."""
    text, group = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"], ""
    for result in results:
        if result.cell.group != group:
            group = result.cell.group
            text.append(f"| **{group}** " + "| " * (len(COLUMNS) - 1) + "|")
        found = [*parts(result), ", ".join(notes(result)), "reached" if result.reached() else "**short**"]
        found[9] += " MB"
        text.append("| " + " | ".join(found) + " |")
    return "\n".join(text)


def write(results: list[Result], bare: bool) -> None:
    """Into the report: one section for the race, one for that without numba."""
    if not bare:
        from race_plot import plot

        plot(results, PICTURE)
    picture = "" if bare else f"![How many times as long the best peer takes, cell by cell](pictures/{PICTURE.name})\n\n"
    report("race without numba" if bare else "race", f"{picture}{summary(results)}\n\n{table(results)}")
