"""What each of the ten practical tips is worth: spoken digits with all of them, then with each left out.

Usage: python bench/tips.py DIGITS [--keep FILE] [--seeds N] [--report]. DIGITS is the Free Spoken Digit Dataset, in its official
split (300 clips of the test). A short run of a small net, so that what helps shows. `sigconv train --explain` tells the means,
which stand beside the tips in sigconv/learn/recipe.py.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from statistics import mean
from time import process_time
from typing import Any

from measuring import ONE_THREAD, kept, report, spread

os.environ.update(ONE_THREAD)  # before numpy

import sigconv as sc

PRESET, EPOCHS = "voices", 4
MUST = ("normalise", "shuffle")


def trained(parts: Any, tip: str, seed: int) -> dict[str, Any]:
    """One run without a tip ("": with all)."""
    begin = process_time()
    try:
        run = sc.learn.train(parts, PRESET, epochs=EPOCHS, seed=seed, without=[tip] if tip else [])
        right = run.test.accuracy
    except sc.SigconvError as why:  # it ran away
        print(why)
        right = 1 / 10
    return {"right": right, "cpu": process_time() - begin}


def table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """A line for each tip: what is right without it, and how much less that is, seed by seed."""
    right = {tip: [100 * r["right"] for r in runs] for tip, runs in rows.items()}
    lines = ["| left out | right, mean | over seeds | lost, mean | over seeds | wanted |", "|---|---|---|---|---|---|",
             f"| nothing | {mean(right['']):.1f} % | {spread(right[''])} | | | |"]
    for tip, some in right.items():
        if tip:
            lost = [a - b for a, b in zip(right[""], some, strict=True)]
            said = ("reached" if mean(lost) > 0 and min(lost) > 0 else "short") + " (a drop)" if tip in MUST else ""
            points = round(mean(lost), 1) + 0.0  # no −0
            lines.append(f"| `{tip}`: {sc.learn.TIPS[tip]} | {mean(some):.1f} % | {spread(some)} | {points:.1f} | "
                         f"{spread(lost)} | {said} |")
    spent = sum(r["cpu"] for runs in rows.values() for r in runs) / 60
    return "\n".join(lines) + f"\n\n`{PRESET}`, {EPOCHS} epochs; {spent:.0f} minutes of CPU for the whole table."


def main() -> None:
    """All tips, all seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("digits")
    parser.add_argument("--keep", type=Path, default=Path("tips.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--report", action="store_true", help="write the table into docs/benchmarks.md")
    asked = parser.parse_args()
    parts = sc.learn.Speech(asked.digits).split("official")
    rows: dict[str, list[dict[str, Any]]] = {}
    for seed in range(asked.seeds):
        for tip in ("", *sc.learn.TIPS):
            run = kept(asked.keep, {"without": tip, "seed": seed, "epochs": EPOCHS, "net": PRESET},
                       lambda t=tip, s=seed: trained(parts, t, s))
            rows.setdefault(tip, []).append(run)
    print(table(rows))
    if asked.report:
        report("tips", table(rows))


if __name__ == "__main__":
    main()
