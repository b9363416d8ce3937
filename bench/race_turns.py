"""The turns of a race: who can do the job, in what time, in how much memory, how exactly."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

import numpy as np
import race_peers as peers
from race_cells import REGRET, Cell, Task

from sigconv.engines import METHODS

SLICE = 3e5  # ns that a turn of one contender takes at least
HOPELESS, BEHIND = 30, 3
BOUND = 5e-7  # of the peak, in single precision
OURS = "sigconv"
OTHER = (OURS, "sc.convolve", "planned")


@dataclass
class Result:
    """What a cell gave: nanoseconds a call and turn of each contender, and what is read off them."""

    cell: Cell
    spent: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    error: float = 0.0
    memory: int = 0

    def time(self, name: str) -> float:
        return median(self.spent[name])

    def peers(self, opencv: bool) -> list[str]:
        return [n for n in self.spent if n not in OTHER and n[:1] != "=" and (opencv or not n.startswith("OpenCV"))]

    def best(self, opencv: bool = False) -> str | None:
        return min(self.peers(opencv), key=self.time, default=None)

    def ratio(self, opencv: bool = False, mine: str = OURS) -> float | None:
        """The best peer's time over ours, turn by turn."""
        name = self.best(opencv)
        if name is None or mine not in self.spent:
            return None
        return median(b / a for a, b in zip(self.spent[mine], self.spent[name], strict=False))

    def beyond(self, mine: str = OURS) -> float | None:
        """Microseconds over a bare `numpy.convolve`."""
        if self.cell.micros is None or "numpy.convolve" not in self.spent:
            return None
        return median(a - b for a, b in zip(self.spent[mine], self.spent["numpy.convolve"], strict=False)) / 1e3

    def regret(self) -> tuple[float, str] | None:
        """The chosen method's time over that of the best method that does the job, and its name."""
        name = min((n for n in self.spent if n[:1] == "="), key=self.time, default=None)
        if name is None:
            return None
        return median(a / b for a, b in zip(self.spent[OURS], self.spent[name], strict=False)), name[1:]

    def reached(self) -> bool:
        """Whether every figure that the cell has is met."""
        cell, found = self.cell, [self.error <= BOUND]
        for goal, ratio in ((cell.target, self.ratio()), (cell.beside, self.ratio(True)),
                            (cell.planned, self.ratio(mine="planned"))):
            if goal is not None and ratio is not None:
                found.append(ratio >= goal)
        if (over := self.beyond()) is not None:
            found += [over <= (cell.micros or 0), (self.beyond("sc.convolve") or 0) <= 40]
        if cell.regret and (regret := self.regret()):
            found.append(regret[0] <= REGRET)
        return all(found)


def contenders(task: Task, regret: bool) -> dict[str, Callable[[], Any]]:
    """Who can do the job: ours, our other entries, the peers, and our methods by name (marked =)."""
    made: dict[str, Any] = {OURS: peers.ours(task), "sc.convolve": peers.signals(task), "planned": peers.planned(task)}
    made |= {name: peer(task) for name, peer in peers.PEERS.items()}
    if regret or task.cell.regret:
        slow = {"direct": peers.LONG, "matrix": 2**22, "blocked": peers.WIDE, "columns": peers.WIDE, "bands": peers.WIDE}
        made |= {f"={name}": peers.ours(task, name) for name in METHODS if task.cell.products <= slow.get(name, 1e14)}
    return {name: run for name, run in made.items() if run is not None}


def arrays(y: Any) -> list[np.ndarray]:
    return [np.asarray(v) for v in (y if isinstance(y, tuple) else (y,))]


def error(task: Task, y: Any, exact: list[np.ndarray]) -> float:
    """The largest error over the peak; infinite where the shape tells of another job."""
    worst = 0.0
    for v, e in zip(arrays(y), exact, strict=True):
        cell, out = task.cell, e.shape[2:]
        whole = (cell.batch, cell.filters, *out)
        if v.size != np.prod(whole) and e.shape != v.shape:
            return float("inf")
        if v.shape[-1] == cell.batch > 1 and cell.batch != out[-1]:  # lines or planes that lie together
            v = np.moveaxis(v, -1, 0)
        v = v.reshape(whole if v.size == np.prod(whole) else e.shape)
        worst = max(worst, float(np.abs(v[:e.shape[0], :e.shape[1]] - e).max() / np.abs(e).max()))
    return worst


@contextmanager
def peak() -> Iterator[list[int]]:
    """Bytes at the highest point of a block: what Python and NumPy ask for, or by how much the resident set grows."""
    found, mark = [0], Path("/proc/self/clear_refs")
    before = 0
    if mark.exists():
        mark.write_text("5")  # the high-water mark starts again
        before = resident("VmRSS")
    tracemalloc.start()
    yield found
    found[0] = max(tracemalloc.get_traced_memory()[1], resident("VmHWM") - before if mark.exists() else 0)
    tracemalloc.stop()


def resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def timed(run: Callable[[], Any], times: int = 1) -> float:
    begin = process_time_ns()
    for _ in range(times):
        run()
    return (process_time_ns() - begin) / times


def first(task: Task, regret: bool) -> tuple[Result, dict[str, Callable[[], Any]], dict[str, float]]:
    """Everyone once: is it the same job, and about how long does it take?"""
    result, exact, about = Result(task.cell), task.exact(), {}
    runs = contenders(task, regret)
    for name, run in list(runs.items()):
        begin = process_time_ns()
        try:
            y = run()
        except Exception as problem:
            if name == OURS:
                raise
            if name[:1] != "=":
                result.wrong.append(f"{name}: {str(problem).splitlines()[0][:60] if str(problem) else type(problem).__name__}")
            del runs[name]
            continue
        took, off = process_time_ns() - begin, error(task, y, exact)
        if name == OURS:
            result.error = off
        elif off > 1e-4:
            result.wrong.append(f"{name}: another result ({off:.0e})")
            del runs[name]
            continue
        del y
        about[name] = took if took > 5e8 else timed(run)
    with peak() as found:
        runs[OURS]()
    result.memory = found[0]
    return result, runs, about


def race(cell: Cell, seconds: float, regret: bool = False) -> Result:
    """The cell's turns, within about so many seconds (at least 3 turns)."""
    task = cell.task()
    result, runs, about = first(task, regret)
    best = min(about.values())
    runs = {name: run for name, run in runs.items() if name in OTHER or about[name] <= HOPELESS * best}
    result.spent = {name: [] for name in runs}
    times = {name: max(1, int(SLICE / about[name])) for name in runs}
    end, turn = process_time_ns() + seconds * 1e9, 0
    while turn < 3 or (turn < 300 and process_time_ns() < end):
        names = list(runs)
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            result.spent[name].append(timed(runs[name], times[name]))
        turn += 1
        if turn == 3:
            limit = BEHIND * min(result.time(name) for name in runs)
            runs = {name: run for name, run in runs.items() if name in OTHER or name == "numpy.convolve" or
                    result.time(name) <= limit or name == result.best()}
    return result
