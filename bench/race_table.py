"""The race told: a line a cell on the screen, tables and the plot in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from race import Result

HEAD = f"{'cell':44} {'ours':>9} {'best peer':>22} {'its time':>9} {'ratio':>6} {'goal':>5} {'OpenCV':>6} {'goal':>5}  error    MB"


def span(ns: float) -> str:
    """Three figures and a unit."""
    value, unit = (ns / 1e3, "µs") if ns < 1e6 else (ns / 1e6, "ms")
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def verdict(result: Result) -> str:
    return "reached" if result.reached() else "short"


def line(result: Result) -> str:
    """For the screen; what a cell has beside (microseconds, regret, who was left out) comes after."""
    cell, best = result.cell, result.best()
    opencv = result.best(True)
    beside = figure(result.ratio(True)) if opencv != best else "="
    text = (f"{cell.name[:44]:44} {span(result.time('sigconv')):>9} {best or '':>22} {span(result.time(best)) if best else '':>9} "
            f"{figure(result.ratio()):>6} {figure(cell.target):>5} {beside:>6} {figure(cell.beside):>5}  {result.error:.0e} "
            f"{result.memory / 1e6:5.0f}  {verdict(result)}")
    return text + "".join(f"; {note}" for note in notes(result))


def notes(result: Result) -> list[str]:
    said = []
    if (over := result.beyond()) is not None:
        said.append(f"conv {over:+.1f} µs, sc.convolve {result.beyond('sc.convolve'):+.0f} µs over numpy.convolve")
    if (planned := result.ratio(mine="planned")) is not None:
        said.append(f"planned {planned:.2f}")
    if regret := result.regret():
        said.append(f"regret {regret[0]:.2f} ({regret[1]})")
    return said + [f"out: {text}" for text in result.wrong]


def summary(results: list[Result]) -> str:
    short = [r for r in results if not r.reached()]
    return f"{len(results) - len(short)} of {len(results)} cells reached; largest error {max((r.error for r in results), default=0):.1e}"


def write(results: list[Result], numba: bool) -> None:
    raise SystemExit("not yet")
