"""`sigconv train`: a net from a folder of recordings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from .common import Talk, talk_options


@click.command()
@click.option("-p", "--preset", metavar="P",
              help="The net and how it is trained: m5, tcresnet8, bcresnet1 … bcresnet8, matchboxnet, "
              "sincnet, lenet, strided, pooled, multiscale, dense, …  [default: what holds best on speakers never heard]")
@click.option("-o", "--output", metavar="RUN", help="The folder of the run.  [default: ./run, or the next free number]")
@click.option("--split", default="auto", metavar="S", help="Who is tested: official, speaker, speaker:NAME, fold:2/5, clips.  "
              "[default: by speaker where speakers are known]")
@click.option("--epochs", type=click.IntRange(0), help="How often every clip is heard.  [default: the preset's]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What random numbers begin with.")
@click.option("--labels", metavar="A,B,…", help="Which labels, of those that are there.")
@click.option("--classes", type=click.Choice(["10", "12", "35"]),
              help="Of Speech Commands: ten words, with unknown and silence, or all.")
@click.option("--without", multiple=True, metavar="TIP", help="Leave one of the ten tips out; --explain lists them.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              help="Any option of the recipe or the preset: lr=0.002, batch=32, "
              "front=pcen, train=learned, width=1.5, …")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of the CPU.")
@click.option("--resume", is_flag=True,
              help="Go on with the run in RUN: the weights will be those of a run that was not stopped.")
@click.option("--explain", is_flag=True, help="Tell what is done and why: the ten tips, on or off.")
@talk_options
@click.argument("folder", metavar="DIR")
def train(folder: str, preset: str | None, output: str | None, split: str, epochs: int | None, seed: int, labels: str | None,
          classes: str | None, without: tuple[str, ...], settings: tuple[str, ...], threads: int, resume: bool, explain: bool,
          talk: Talk) -> None:
    """Train a small convnet on a folder of recordings, and judge it on clips that it has not heard.

    DIR: a folder for each label, names like 7_jackson_32.wav, a CSV with columns file and label, or Google Speech Commands. RUN
    gets config.toml, metrics.jsonl, curves.png, confusion.png, best.safetensors (which test and classify read),
    last.safetensors, card.md.
    """
    from sigconv import learn
    from sigconv.errors import UsageError
    from sigconv.writing import next_free

    if resume and not output:
        raise UsageError("--resume without a run: wanted -o RUN, the folder to go on with")
    options: dict[str, Any] = {**read_settings(settings), "seed": seed}
    if epochs is not None:
        options["epochs"] = epochs
    if without:
        options["without"] = list(without)
    data = learn.Speech(folder, labels.split(",") if labels else None, classes=int(classes) if classes else None)
    talk.say(f"heard    {data!r}")
    out = output or next_free(".", "run", [""])
    with bar(talk) as watch:
        run = learn.train(data, preset, out, split=split, resume=resume, explain=explain, watch=watch, threads=threads,
                          **options)
    if explain:
        for line in run.explain():
            talk.say(line)
    figures = {name: report.table() for name, report in (("valid", run.valid), ("test", run.test)) if report}
    words = "\n".join([*(f"{name:<8} {report}" for name, report in (("valid", run.valid), ("test", run.test)) if report),
                       f"written  {out}/best.safetensors ({run.net.parameter_count:,} parameters), card.md, curves.png, …",
                       f"next     sigconv classify {out} FILE   ·   sigconv listen --kernel {out}/best.safetensors:front"])
    talk.result(words, {"run": str(out), "parameters": run.net.parameter_count, "epochs": len(run.history), **figures})


def read_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE as numbers, true and false, lists, or words, read as JSON where they are."""
    import json

    from sigconv.errors import UsageError

    found: dict[str, Any] = {}
    for one in settings:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {one!r}: wanted NAME=VALUE, e.g. lr=0.002")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


@contextmanager
def bar(talk: Talk) -> Iterator[Callable[[dict[str, Any]], None]]:
    """What is told while a net is trained: a bar on a terminal, else a line an epoch where more was asked for."""
    if talk.quiet or talk.json or not sys.stderr.isatty():
        def tell(said: dict[str, Any]) -> None:
            if said.get("done"):
                talk.more(_epoch(said))
        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("training", total=None, figures="")

        def show(said: dict[str, Any]) -> None:
            valid = f", valid {100 * said['valid']:.1f} %" if said.get("valid") is not None else ""
            progress.update(task, total=said["steps"], completed=said["step"],
                            description=f"epoch {said['epoch']}/{said['epochs']}",
                            figures=f"loss {said['loss']:.3f}{valid}")
        yield show


def _epoch(said: dict[str, Any]) -> str:
    valid = f", valid {100 * said['valid']:.1f} %, NLL {said['valid_nll']:.3f}" if "valid" in said else ""
    return f"epoch {said['epoch']}/{said['epochs']}: loss {said['loss']:.3f}{valid}"
