"""What the benches share: CPU time of a command, a fresh installation of this tree, and the report.

CPU time (user + system, of the process and its children, by `os.wait4`) is compared as a ratio, or as a
difference, of medians of runs taken in turn: A B A B …, so that whatever else the machine does falls on both. One thread each.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "benchmarks.md"
THREADS = 1
RUNS = 15
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(THREADS))
LEFT_OUT = shutil.ignore_patterns(".git", ".*_cache", "__pycache__", "*.egg-info", "build", "dist")


@dataclass(frozen=True)
class Cost:
    """CPU seconds and the largest resident set (bytes) of one run."""

    cpu: float
    resident: int


def run(command: Sequence[str | Path], folder: Path | None = None) -> Cost:
    """One run of a command, its output thrown away; an error where it fails."""
    with tempfile.TemporaryFile() as talk:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=talk,
                                   env=os.environ | ONE_THREAD | {"PYTHONDONTWRITEBYTECODE": "1"})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            talk.seek(0)
            said = talk.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))} failed ({process.returncode}): {said}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def in_turn(commands: Mapping[str, Sequence[str | Path]], runs: int = RUNS, before: Callable[[], None] = lambda: None,
            folder: Path | None = None) -> dict[str, list[float]]:
    """CPU seconds of each command, run in turn; a first round, which warms the file cache, is not counted."""
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            before()
            cpu = run(command, folder).cpu
            if turn:
                spent[name].append(cpu)
    return spent


@contextmanager
def installed() -> Iterator[Path]:
    """The `bin` of a new environment with this tree installed as a user would have it; what it rests on is this Python's."""
    with tempfile.TemporaryDirectory() as scratch:
        tree, home = Path(scratch, "tree"), Path(scratch, "env")
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
        bin_ = home / ("Scripts" if os.name == "nt" else "bin")
        python = bin_ / "python"
        site = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, text=True,
                              capture_output=True).stdout.strip()
        Path(site, "rest.pth").write_text("\n".join(dict.fromkeys(sysconfig.get_path(p) for p in ("purelib", "platlib"))) + "\n")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore",
                        "--no-deps", "--no-build-isolation", "--ignore-installed", tree], check=True)
        shutil.rmtree(tree)
        where = subprocess.run([python, "-c", "import sigconv; print(sigconv.__file__)"], check=True, text=True,
                               capture_output=True, cwd=scratch).stdout
        assert where.startswith(site), f"sigconv comes from {where}: wanted {site}"
        yield bin_


def row(name: str, seconds: Sequence[float]) -> str:
    """A line of a table: the median, and the quarter and three-quarter points."""
    low, middle, high = statistics.quantiles(seconds, n=4)
    return f"| {name} | {1000 * middle:.0f} ms | {1000 * low:.0f} … {1000 * high:.0f} ms |"


def machine() -> str:
    """What the numbers were taken on, without a name or a path."""
    models = (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name"))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "click", "soundfile"))
    model, python = next(models, platform.machine()), platform.python_version()
    return f"{model}, {cores} cores, {platform.system()}; Python {python}, {packages}; {THREADS} thread a process."


def kept(file: Path, key: Mapping[str, Any], make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """What a run of this key gave: of the file's line for it, or made now and kept as one."""
    for line in _lines(str(file)):
        if key == (old := json.loads(line))["key"]:
            return old["run"]
    run = dict(make())
    with file.open("a") as out:
        out.write(json.dumps({"key": dict(key), "run": run}) + "\n")
    print(dict(key), run, flush=True)
    return run


def spread(values: Sequence[float]) -> str:
    """Each of them, and their standard deviation."""
    return ", ".join(f"{v:.1f}" for v in values) + (f"; ± {statistics.stdev(values):.1f}" if len(values) > 1 else "")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def report(section: str, text: str) -> None:
    """Put the text between the marks of a section of the report, and on the screen."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    page = REPORT.read_text(encoding="utf-8")
    head, found, rest = page.partition(begin)
    if not found or end not in rest:
        raise SystemExit(f"{REPORT.name} has no section {section}: wanted the marks {begin} and {end}")
    block = f"{begin}\n{text.strip()}\n\n{machine()}\n{end}"
    REPORT.write_text(head + block + rest.partition(end)[2], encoding="utf-8")
    print(text.strip(), machine(), sep="\n\n")
