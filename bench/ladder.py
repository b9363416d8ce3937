"""The ladder of 1989, on spoken digits: what knowing that a picture has places is worth, when there are few examples.

Usage: python bench/ladder.py DIGITS [--keep FILE] [--seeds N] [--report]. DIGITS is the Free Spoken Digit Dataset.

Five nets on log-mel maps of 16 bands and 17 instants, after LeCun, "Generalization and network design strategies" (1989): linear;
dense with 12 hidden units; two layers that see 3 × 3 and then 5 × 5 places, with taps of their own at each; the first of them
shared, with two maps; both shared, with two and four maps. His digits were 13 pixels wide and stood at one of four places in 16;
ours are the loudest 0.42 s of a clip, at one of four places, 30 ms apart, in 0.54 s. Trained on 32 clips a digit, drawn by seed
from the official training side, to the end as in 1989, or stopped at the epoch that 320 other clips choose; tested on all the
rest. Beside them the net of Bell Labs, on maps of its own, with strides and with pooling in their place.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from itertools import product
from pathlib import Path
from statistics import mean
from time import process_time
from typing import Any

from measuring import ONE_THREAD, kept, report, spread

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np

import sigconv as sc

EACH, TEN = 32, tuple("0123456789")
RATE, WINDOW, LONG, STEP = 8000, 0.54, 0.42, 0.03  # Hz, s
RECIPE = {"epochs": 120, "batch": 32, "augment": None, "negatives": 0}
ENDS = {"last": "to the end", "valid": "stopped"}
PLAIN = {"bias": True, "normalise": "none", "nonlinearity": "tanh"}
OPEN, FLAT = {"kind": "fold", "how": "open"}, {"kind": "fold"}


def whole(channels: int, instants: int, **more: Any) -> dict[str, Any]:
    """A unit on all that there is."""
    return {"channels": channels, "taps": instants, **PLAIN, **more}


def local(first: int, second: int, shared: tuple[bool, bool]) -> list[dict[str, Any]]:
    """3 × 3 every second place, then 5 × 5: 16 × 17, 8 × 8, 4 × 4; then all of it."""
    return [OPEN, {"channels": first, "taps": 3, "stride": 2, "shared": shared[0], **PLAIN},
            {"channels": second, "taps": 5, "valid": True, "shared": shared[1], **PLAIN}, FLAT, last(4)]


def last(instants: int) -> dict[str, Any]:
    """Ten sums, which the head maps to ten scores: linear in all."""
    return whole(10, instants, nonlinearity="none")


NETS: dict[str, list[dict[str, Any]]] = {
    "FC1": [last(17)], "FC2": [whole(12, 17), last(1)], "local, unshared": local(1, 1, (False, False)),
    "first layer shared, two maps": local(2, 1, (True, False)), "both shared, two and four maps": local(2, 4, (True, True))}


def placed(data: Any, folder: str) -> Any:
    """Every clip's loudest stretch at one of four places in a window, as a set of its own."""
    x, _, lengths = data.arrays(RATE, round(LONG * RATE))
    rng = np.random.default_rng(1989)
    for row, length, item in zip(x, lengths, data.items, strict=True):
        wave = np.zeros(round(WINDOW * RATE), np.float32)
        begin = round(rng.integers(4) * STEP * RATE) + (len(row) - length) // 2
        wave[begin:begin + length] = row[:length]
        sc.save(sc.Signal(wave[None], sc.line(len(wave), RATE)), Path(folder) / Path(item.path).name)
    return sc.learn.Speech(folder, cache=False)


def split(data: Any, seed: int) -> Any:
    """32 clips a digit of the training side to learn from, as many more to choose by; all others are the test."""
    items, rng = data.split("official", valid=None).train.items, np.random.default_rng([seed, 1989])
    some = [rng.permutation([item.path for item in items if item.label == label])[:2 * EACH] for label in TEN]
    train, valid = ({path for paths in some for path in paths[part]} for part in (slice(EACH), slice(EACH, None)))
    return sc.learn.Split(*(data.only(test) for test in (lambda item: item.path in train, lambda item: item.path in valid,
                                                         lambda item: item.path not in train | valid)), f"seed {seed}")


def trained(data: Any, name: str, seed: int, choose: str) -> dict[str, Any]:
    """One run."""
    front = {"kind": "mel", "count": 16, "hop": STEP, "frame": 2 * STEP}
    net: Any = name if name in sc.learn.PRESETS else sc.learn.Config(TEN, window=WINDOW, front=front, blocks=NETS[name])
    begin = process_time()
    run = sc.learn.train(split(data, seed), net, seed=seed, choose=choose, **RECIPE)
    return {"right": run.test.accuracy, "count": run.test.count, "parameters": run.net.parameter_count,
            "cpu": process_time() - begin}


def table(rows: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    """A line for each net, over seeds, and whether they stand in order."""
    lines = ["| net | parameters | to the end, mean | over seeds | stopped, mean | over seeds | CPU a run |",
             "|---|---|---|---|---|---|---|"]
    right = {name: {end: [100 * r["right"] for r in runs] for end, runs in ends.items()} for name, ends in rows.items()}
    for name, ends in rows.items():
        figures = " | ".join(f"{mean(some):.1f} % | {spread(some)}" for some in right[name].values())
        runs = [run for runs in ends.values() for run in runs]
        lines.append(f"| {f'`{name}`' if name in sc.learn.PRESETS else name} | {runs[0]['parameters']:,} | {figures} | "
                     f"{mean(r['cpu'] for r in runs):.0f} s |")
    said = []
    for end, words in ENDS.items():
        fc, _, own, *shared = (mean(right[name][end]) for name in NETS)
        said.append(f"{words}: {'reached' if min(shared) >= own >= fc else 'short'}")
    count = rows["FC1"]["last"][0]["count"]
    return "\n".join(lines) + f"\n\nEach tested on {count} clips. Wanted: shared ≥ unshared ≥ FC1; {', '.join(said)}."


def main() -> None:
    """All nets, all seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("digits")
    parser.add_argument("--keep", type=Path, default=Path("ladder.jsonl"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--report", action="store_true", help="write the table into docs/benchmarks.md")
    asked = parser.parse_args()
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = placed(sc.learn.Speech(asked.digits), folder)
        for seed, name, end in product(range(asked.seeds), (*NETS, "strided", "pooled"), ENDS):
            run = kept(asked.keep, {"net": name, "seed": seed, "choose": end},
                       lambda n=name, s=seed, e=end: trained(data, n, s, e))
            rows.setdefault(name, {}).setdefault(end, []).append(run)
    print(table(rows))
    if asked.report:
        report("ladder", table(rows))


if __name__ == "__main__":
    main()
