"""`sigconv test`: how good a trained net is on other recordings."""

from __future__ import annotations

from typing import Any

import click

from .common import Talk, one_thread, talk_options


@click.command()
@click.option("--sweep", is_flag=True, help="Also under noise, and at other levels.")
@click.option("--split", metavar="S",
              help="Only the test side of this split of DIR: official, speaker, speaker:NAME, fold:2/5, clips.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the split.")
@talk_options
@click.argument("run", metavar="RUN")
@click.argument("folder", metavar="DIR")
def test(run: str, folder: str, sweep: bool, split: str | None, seed: int, talk: Talk) -> None:
    """Judge a net by recordings with labels: right answers with their 95 % interval, by speaker, by label, and what its
    confidence is worth.

    RUN: the folder of a run, or its best.safetensors. DIR: as for train; all of it, unless --split takes a part. Clips that the
    net was trained on tell nothing.
    """
    from sigconv import learn
    from sigconv.errors import printable

    one_thread()
    net = learn.Net.load(run)
    data = learn.Speech(folder)
    protocol = f"all of {printable(folder, 100)}"
    if split:
        parts = data.split(split, seed=seed)
        data, protocol = parts.test, parts.protocol
    report = learn.evaluate(net, data, protocol=protocol)
    reports: dict[str, Any] = {"test": report, **(learn.sweep(net, data, protocol=protocol) if sweep else {})}
    lines = [f"{name:<12} {one if name == 'test' else short(one)}" for name, one in reports.items()]
    lines += [f"{name:<12} {100 * right / count:.1f} % of {count}" for name, (right, count) in report.per_speaker.items()
              if len(report.per_speaker) <= 20]
    lines += [f"accepted     {100 * report.accepted:.1f} %, at a confidence of {report.threshold:.3f}"]
    talk.result("\n".join(lines), {name: one.table() for name, one in reports.items()})


def short(report: Any) -> str:
    low, high = report.interval
    return f"{100 * report.accuracy:.1f} % (95 %: {100 * low:.1f} … {100 * high:.1f})"
