"""What nets reach on spoken digits and commands, and what that costs: every figure of docs/learn.md.

Usage: python bench/learn.py DIGITS COMMANDS [--keep FILE] [--seeds N] [--only TEXT] [--report]. DIGITS is the Free Spoken Digit
Dataset, COMMANDS a folder of Speech Commands; FILE keeps a line for each run that is done, and a second call goes on from
there. One configuration for every fold; validation speakers come from the training side; the test clips are looked at once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import mean, median, stdev
from time import process_time
from typing import Any

from measuring import ONE_THREAD, report

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np
import torch

import sigconv as sc

PRESETS = ("voices", "rawvoices")
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
LONG = 60  # epochs on the small set of commands
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOICES = ("en-us", "en-gb", "en-gb-scotland", "en-us+f3", "en-gb+f4", "en-us+m3", "en-gb-x-rp+m7", "en-us+f5")
PACES = (130, 160, 190)
WANTED = {"official voices": 99.5, "official rawvoices": 97.5, "speaker voices": 90.0, "speaker rawvoices": 80.0,
          "fold voices": 88.0}


def jobs(digits: Any, commands: Any, seeds: int) -> Iterator[tuple[str, str, Any, str, int, dict[str, Any]]]:
    """Each run: what it is called, the set, its protocol, the preset, the seed, options."""
    for seed in range(seeds):
        for preset in PRESETS:
            yield "official", "digits", digits, "official", preset, seed, {}
        for preset in PRESETS:
            for name in digits.speakers:
                yield "speaker", "digits", digits, f"speaker:{name}", preset, seed, {}
        for fold in range(1, 6):
            yield "fold", "commands", commands, f"fold:{fold}/5", "voices", seed, {"epochs": LONG, "rate": 8000}


def done(keep: Path) -> list[dict[str, Any]]:
    """The runs that were kept."""
    return [json.loads(line) for line in keep.read_text().splitlines()] if keep.exists() else []


def trained(data: Any, how: str, preset: str, seed: int, options: dict[str, Any], out: Path | None = None) -> dict[str, Any]:
    """One run: figures, seconds of CPU, and when the validation clips were first 99 % right."""
    begin, steps = process_time(), []

    def watch(said: dict[str, Any]) -> None:
        if said.get("done"):
            steps.append((process_time() - begin, said.get("valid", 0.0)))

    run = sc.learn.train(data, preset, out, split=how, seed=seed, watch=watch, **options)
    early = [seconds for seconds, valid in steps if valid >= 0.99]
    return {"accuracy": run.test.accuracy, "valid": run.valid.accuracy if run.valid else None, "cpu": process_time() - begin,
            "to99": early[0] if early else None, "parameters": run.net.parameter_count, "epochs": len(run.history),
            "threshold": run.net.threshold}


def table(runs: list[dict[str, Any]]) -> str:
    """Mean over folds for each seed, then mean and spread over seeds."""
    rows = ["| set, protocol | preset | parameters | test, mean | over seeds | worst fold | CPU a run | wanted |",
            "|---|---|---|---|---|---|---|---|"]
    for kind in dict.fromkeys((r["kind"], r["preset"]) for r in runs):
        some = [r for r in runs if (r["kind"], r["preset"]) == kind]
        seeds = sorted({r["seed"] for r in some})
        means = [100 * mean(r["accuracy"] for r in some if r["seed"] == seed) for seed in seeds]
        folds = dict.fromkeys(r["how"] for r in some)
        worst = min(100 * mean(r["accuracy"] for r in some if r["how"] == how) for how in folds)
        spread = f"{', '.join(f'{m:.1f}' for m in means)}" + (f"; ± {stdev(means):.1f}" if len(means) > 1 else "")
        goal = WANTED[" ".join(kind)]
        named = {"official": "digits, official split", "speaker": "digits, each of six speakers left out",
                 "fold": "ten commands, five folds by speaker"}[kind[0]]
        rows.append(f"| {named} | `{kind[1]}` | {some[0]['parameters']:,} | {mean(means):.1f} % | {spread} | {worst:.1f} % | "
                    f"{median(r['cpu'] for r in some):.0f} s | {'reached' if mean(means) >= goal else 'short'} (≥ {goal:g} %) |")
    first = [r["to99"] for r in runs if r["kind"] == "official" and r["preset"] == "voices" and r["to99"]]
    if first:
        rows.append(f"\nThe official split's log-mel run has 99 % of its validation clips right after {median(first):.0f} s "
                    "of CPU (wanted: 90).")
    return "\n".join(rows)


def spoken(rate: int = 16000) -> Iterator[tuple[sc.Signal, str]]:
    """Digits of another source: a synthesiser's voices and paces, at another rate and level, with a second of room around."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for voice in VOICES:
            for pace in PACES:
                for i, word in enumerate(DIGITS):
                    path = Path(folder) / "word.wav"
                    subprocess.run(["espeak-ng", "-v", voice, "-s", str(pace), "-w", str(path), word], check=True)
                    x = sc.resample(sc.load(path), rate).data[0]
                    y = np.concatenate([np.zeros(rate), x, np.zeros(rate)]) * 10 ** rng.uniform(-2, 0)
                    y += rng.standard_normal(len(y)) * 1e-3 * abs(y).max()
                    yield sc.Signal(y[None], sc.line(len(y), rate)), str(i)


def silent(folder: Path, rate: int = 8000) -> Iterator[sc.Signal]:
    """Two seconds each of what is no speech: recordings of noise and music, and made noise and tones."""
    rng = np.random.default_rng(1)
    for path in sorted([*folder.glob("noise/*"), *folder.glob("audio/*")]):
        try:
            x = sc.load(path)
        except sc.SigconvError:
            continue
        if x.domain.ndim != 1 or "speech" in path.name or "libri" in path.name or "voice" in path.name:
            continue
        n = int(2 * x.rate)
        for at in np.linspace(0, max(x.domain.shape[0] - n, 0), 12).astype(int):
            cut = x.data[:1, at:at + n]
            yield sc.Signal(cut, sc.line(cut.shape[1], x.rate))
    t = np.arange(2 * rate) / rate
    for _ in range(20):
        white, brown, tone = rng.standard_normal(len(t)), rng.standard_normal(len(t)).cumsum(), rng.uniform(100, 3000) * t
        for y in (white, brown, np.sin(2 * np.pi * tone)):
            yield sc.Signal(y[None] / abs(y).max(), sc.line(len(t), rate))


def in_use(digits: Any, real: Path) -> str:
    """A net of the official split on what it was not trained for, and what it costs to ask it."""
    run = sc.learn.train(digits, split="official", seed=0, watch=lambda said: None)
    net = run.net
    strange = [(net.classify(x), label) for x, label in spoken()]
    right = mean(said == label for said, label in strange)
    nothing = [net.classify(x) for x in silent(real)]
    test = sc.learn.evaluate(net, digits.split("official").test)
    x = torch.randn(1, net.window)
    net.eval()
    spent = []
    with torch.no_grad():
        for _ in range(200):
            begin = process_time()
            net(x)
            spent.append(process_time() - begin)
    return "\n".join([
        "| of the official split's log-mel net | | wanted |", "|---|---|---|",
        f"| synthetic digits, 16 kHz, 40 dB of levels, a second of room around | {100 * right:.1f} % of {len(strange)} | ≥ 85 |",
        f"| of these rejected | {100 * mean(not said.accepted for said, _ in strange):.1f} % | |",
        f"| clips without speech, rejected | {100 * mean(not s.accepted for s in nothing):.1f} % of {len(nothing)} | ≥ 90 |",
        f"| test digits that are rejected | {100 * (1 - test.accepted):.1f} % of {test.count} | ≤ 2 |",
        f"| a clip at batch 1, one thread | {1e3 * median(spent):.2f} ms | < 3 |",
        f"| share of a training step that the data take | {100 * share(digits):.0f} % | ≤ 50 |"])


def share(digits: Any, steps: int = 30) -> float:
    """CPU of making batches over CPU of training steps."""
    from sigconv.learn import training

    made, spent = training.batch_of, [0.0]

    def timed(*args: Any) -> Any:
        begin = process_time()
        result = made(*args)
        spent[0] += process_time() - begin
        return result

    training.batch_of = timed
    try:
        marks: list[float] = []

        def watch(said: dict[str, Any]) -> None:
            if not said.get("done") and said["step"] in (2, 2 + steps):
                marks.append(process_time())
                if len(marks) == 1:
                    spent[0] = 0.0
                else:
                    raise StopIteration

        with suppress(StopIteration):
            sc.learn.train(digits, split="official", watch=watch)
    finally:
        training.batch_of = made
    return spent[0] / (marks[1] - marks[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("digits", type=Path)
    parser.add_argument("commands", type=Path)
    parser.add_argument("--real", type=Path, help="recordings without speech")
    parser.add_argument("--keep", type=Path, default=Path("learn.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--part", default="1/1", help="the I-th of N parts of the runs")
    parser.add_argument("--report", action="store_true", help="write what was kept into docs/benchmarks.md")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    digits, commands = sc.learn.Speech(asked.digits), sc.learn.Speech(asked.commands, WORDS)
    which, parts = map(int, asked.part.split("/"))
    for i, (kind, what, data, how, preset, seed, options) in enumerate(jobs(digits, commands, asked.seeds)):
        name = {"kind": kind, "set": what, "how": how, "preset": preset, "seed": seed}
        if i % parts != which - 1 or asked.only not in f"{kind} {how} {preset} {seed}" or asked.report \
                or any(all(old[k] == v for k, v in name.items()) for old in done(asked.keep)):
            continue
        line = name | trained(data, how, preset, seed, options)
        with asked.keep.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(line, flush=True)
    runs = done(asked.keep)
    body = table(runs) + ("\n\n" + in_use(digits, asked.real) if asked.real else "")
    print(body)
    if asked.report:
        report("learn", body)


if __name__ == "__main__":
    main()
