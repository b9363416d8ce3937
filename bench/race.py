"""Every cell of the engine's table against every peer that installs. Usage: python bench/race.py --help

All contenders of a cell run in one process, one thread, in turn: A B A B …, each turn begun by another, and a turn of short
calls is as many as make 0.3 ms. Process CPU time. The best peer is the one with the least median; the ratio is the median over
the turns of its time ÷ ours. Out of the later turns goes who took 30 times the best in the first, or 3 times in three.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings

from measuring import ONE_THREAD


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="TEXT", default=[], help="cells whose group or name has one of these in it")
    parser.add_argument("--quick", action="store_true", help="few turns: what an engineer looks at")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="as many cells at random sizes beside")
    parser.add_argument("--seed", type=int, default=1, help="of those")
    parser.add_argument("--regret", action="store_true", help="race our own methods too: auto over the best of them")
    parser.add_argument("--bare", action="store_true", help="without numba: what the first calls of a process take")
    parser.add_argument("--report", action="store_true", help="write table and plot into the docs")
    asked = parser.parse_args()
    held = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(os.environ)  # what an environment may set that slows NumPy
    if held:
        os.execve(sys.executable, [sys.executable, *sys.argv], {k: v for k, v in os.environ.items() if k not in held})
    os.environ.update(ONE_THREAD)  # before numpy
    run(asked)


def run(asked: argparse.Namespace) -> None:
    """The cells asked for, each told as it comes."""
    warnings.simplefilter("ignore")
    if asked.bare:
        os.environ["SIGCONV_NUMBA"] = "0"
    else:
        os.environ["SIGCONV_NUMBA"] = "1"
        importlib.import_module("numba")
    import race_table as table
    from race_cells import cells, drawn
    from race_turns import race

    only = [text.lower() for text in asked.only] or [""]
    chosen = [c for c in cells(not asked.bare) if any(text in f"{c.group} {c.name}".lower() for text in only)]
    chosen += drawn(asked.random, asked.seed)
    print(table.HEAD, flush=True)
    results = []
    for cell in chosen:
        results.append(race(cell, 0.25 if asked.quick else 2.0, asked.regret))
        print(table.line(results[-1]), flush=True)
    print(table.summary(results))
    if asked.report:
        table.write(results, asked.bare)


if __name__ == "__main__":
    main()
