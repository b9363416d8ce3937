"""What each small preset reaches on spoken digits, layers taught without labels against back-propagation, two questions at once.

Usage: python bench/presets.py DIGITS [--keep FILE] [--seeds N] [--only TEXT] [--report]. DIGITS is the Free Spoken Digit Dataset,
in its official split (300 clips of the test). FILE keeps a line for each run that is done, and a second call goes on from there.
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

LIMIT, MINUTES = 100_000, 5  # parameters, and minutes of CPU that a run may take
WHOLE: dict[str, tuple[str, dict[str, Any], dict[str, float]]] = {
    "lenet": ("lenet", {}, {"digits": 93}), "m5": ("m5", {}, {"digits": 90}),
    "m5, first layer by Oja's rule": ("m5", {"layerwise": "oja"}, {}),
    "m5, all layers by Oja's rule": ("m5", {"layerwise": "oja", "layers": 0}, {}),
    "m5 goes on from there": ("m5", {"layerwise": "oja-start", "layers": 0}, {}),
    "voices, asked for digit and speaker": ("voices", {"heads": "speaker"}, {"digits": 90, "speaker": 95})}
OWN = {"dense": {"epochs": 48}, "bcresnet": {"epochs": 18, "batch": 16}}  # what learns slowly
SMALL: dict[str, tuple[str, dict[str, Any], dict[str, float]]] = {
    name: (name, OWN.get(name, {"epochs": 8}), {"digits": 90}) for name in sc.learn.PRESETS if name not in WHOLE}
SMALL["voices, front scattering"] = ("voices", {"epochs": 8, "front": "scattering"}, {"digits": 90})


def trained(parts: Any, preset: str, options: dict[str, Any], seed: int) -> dict[str, Any]:
    """One run: what it cost, and the share of test clips that each head has right."""
    begin = process_time()
    run = sc.learn.train(parts, preset, seed=seed, watch=lambda said: None, **options)
    right = {"digits": run.test.accuracy} | {head: sc.learn.evaluate(run.net, parts.test, head=head).accuracy
                                             for head in run.net.config.heads}
    return {"cpu": process_time() - begin, "parameters": run.net.parameter_count, "right": right, "epochs": len(run.history)}


def table(rows: dict[str, tuple[list[dict[str, Any]], dict[str, float]]]) -> str:
    """A line for each net and head, over seeds."""
    lines = ["| net | parameters | epochs | right, mean | over seeds | CPU a run | wanted |", "|---|---|---|---|---|---|---|"]
    for name, (runs, wanted) in rows.items():
        cost, size = mean(r["cpu"] for r in runs), runs[0]["parameters"]
        for head in runs[0]["right"]:
            right = [100 * r["right"][head] for r in runs]
            goal, timely = wanted.get(head), cost <= 60 * MINUTES
            said = "" if goal is None or size > LIMIT else "reached" if mean(right) >= goal and timely else "short"
            lines.append(f"| `{name}`{f', {head}' * (len(runs[0]['right']) > 1)} | {size:,} | {runs[0]['epochs']} | "
                         f"{mean(right):.1f} % | {spread(right)} | {cost:.0f} s | {said}{f' (≥ {goal} %)' if said else ''} |")
    return "\n".join(lines)


def main() -> None:
    """Run those whose names hold a text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("digits")
    parser.add_argument("--keep", type=Path, default=Path("presets.jsonl"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--report", action="store_true", help="write the tables into docs/benchmarks.md")
    asked = parser.parse_args()
    parts = sc.learn.Speech(asked.digits).split("official")
    bodies = []
    for part in (SMALL, WHOLE):
        rows: dict[str, Any] = {}
        for seed in range(asked.seeds):
            for name, (preset, options, wanted) in part.items():
                if asked.only in name:
                    key = {"net": name, "options": options, "seed": seed}
                    run = kept(asked.keep, key, lambda p=preset, o=options, s=seed: trained(parts, p, o, s))
                    rows.setdefault(name, ([], wanted))[0].append(run)
        bodies.append(table(rows))
    print(*bodies, sep="\n\n")
    if asked.report:
        report("presets", "\n\n".join(bodies))


if __name__ == "__main__":
    main()
