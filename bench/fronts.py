"""Hand-made features against learned ones: the same net behind fronts that are fixed, start from there, or learn their places.

Usage: python bench/fronts.py DIGITS [--keep FILE] [--seeds N] [--report]. DIGITS is the Free Spoken Digit Dataset, in its
official split (300 clips of the test). A front is fixed; initial, every number of it trained from there; or learned, its centres
and widths are. Told beside the accuracy: the largest change of any of its numbers in training, relative to the largest of them.
"""

from __future__ import annotations

import argparse
import os
from itertools import product
from pathlib import Path
from statistics import mean
from time import process_time
from typing import Any

from measuring import ONE_THREAD, kept, report, spread

os.environ.update(ONE_THREAD)  # before numpy

import sigconv as sc

PRESET, EPOCHS = "sincnet", 6
FRONTS, WAYS = ("mel", "gammatone", "gabor", "sinc"), ("fixed", "initial", "learned")


def trained(parts: Any, front: str, way: str, seed: int) -> dict[str, Any]:
    """One run, and how far the front went."""
    begin = process_time()
    run = sc.learn.train(parts, PRESET, front=front, train=way, epochs=EPOCHS, seed=seed)
    fresh = dict(sc.learn.Net(run.net.config).front.named_parameters())
    moved = max(float((p - fresh[name]).abs().max() / fresh[name].abs().max()) for name, p in run.net.front.named_parameters())
    return {"right": run.test.accuracy, "moved": moved, "parameters": run.net.parameter_count, "cpu": process_time() - begin}


def table(rows: dict[tuple[str, str], list[dict[str, Any]]]) -> str:
    """A line for each front and way, over seeds."""
    lines = ["| front | | parameters | right, mean | over seeds | it moved by | CPU a run |", "|---|---|---|---|---|---|---|"]
    for (front, way), runs in rows.items():
        right, moved = [100 * r["right"] for r in runs], max(r["moved"] for r in runs)
        lines.append(f"| {front} | {way} | {runs[0]['parameters']:,} | {mean(right):.1f} % | {spread(right)} | {moved:.2g} | "
                     f"{mean(r['cpu'] for r in runs):.0f} s |")
    still = all(r["moved"] == 0 for (_, way), runs in rows.items() if way == "fixed" for r in runs)
    return "\n".join(lines) + (f"\n\n`{PRESET}`, {EPOCHS} epochs. Wanted: what is fixed moves by 0: "
                               f"{'reached' if still else 'short'}.")


def main() -> None:
    """All fronts, all seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("digits")
    parser.add_argument("--keep", type=Path, default=Path("fronts.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--report", action="store_true", help="write the table into docs/benchmarks.md")
    asked = parser.parse_args()
    parts = sc.learn.Speech(asked.digits).split("official")
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for seed, front, way in product(range(asked.seeds), FRONTS, WAYS):
        run = kept(asked.keep, {"front": front, "train": way, "seed": seed, "epochs": EPOCHS, "net": PRESET},
                   lambda f=front, w=way, s=seed: trained(parts, f, w, s))
        rows.setdefault((front, way), []).append(run)
    print(table(rows))
    if asked.report:
        report("fronts", table(rows))


if __name__ == "__main__":
    main()
