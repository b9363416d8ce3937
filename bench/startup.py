"""What `sigconv --help` costs over `python -c "import click"`, in CPU time. Usage: python bench/startup.py [RUNS]"""

from __future__ import annotations

import statistics
import sys

from measuring import RUNS, in_turn, installed, report, row

TARGET = 0.025  # CPU seconds over importing click


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with installed() as bin_:
        spent = in_turn({"import click": [bin_ / "python", "-c", "import click"], "help": [bin_ / "sigconv", "--help"]}, runs)
    base, helped = spent["import click"], spent["help"]
    ratio = statistics.median(helped) / statistics.median(base)
    over = statistics.median(helped) - statistics.median(base)
    report("startup", f"""
| command | CPU, median of {runs} | middle half |
|---|---|---|
{row('`python -c "import click"`', base)}
{row("`sigconv --help`", helped)}

`sigconv --help` costs **{1000 * over:+.0f} ms** over the import of click, {ratio:.2f} times as much; wanted at most
+{1000 * TARGET:.0f} ms: {"reached" if over <= TARGET else "not reached"}.
""")


if __name__ == "__main__":
    main()
