"""`sigconv export`: a trained net for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from .common import Talk, talk_options


@click.command()
@click.option("--to", "form", type=click.Choice(["onnx", "export", "safetensors"]),
              help="ONNX, torch.export, or safetensors.  [default: "
              "as the name after -o ends]")
@click.option("-o", "--output", metavar="FILE", help="Where it goes.  [default: ./RUN.onnx, .pt2, .safetensors]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@talk_options
@click.argument("run", metavar="RUN")
def export(run: str, form: str | None, output: str | None, force: bool, talk: Talk) -> None:
    """Write a net in a form that other programs run; its answers are compared with the net's first.

    RUN: the folder of a run, or its best.safetensors. What is written takes samples (clips, window) and gives logits (clips,
    labels).
    """
    from sigconv import learn
    from sigconv.errors import UsageError

    if form is None and output is None:
        raise UsageError("export without a form: wanted --to onnx, export or safetensors, or -o with such a name")
    net = learn.Net.load(run)
    stem = (Path(run).resolve() if Path(run).is_dir() else Path(run).resolve().parent).name
    out = output or f"{stem or 'net'}{learn.FORMS[form or '']}"
    weights = Path(run) / "best.safetensors" if Path(run).is_dir() else Path(run)
    if Path(out).exists() and Path(out).samefile(weights):
        raise UsageError(f"{out}: the output is the input; inputs are never changed; give another name")
    gap = learn.export(net, out, form, force)
    talk.result(f"written  {out}, its logits within {gap:.1g} of the net's\ntakes    samples (clips, {net.window}) at "
                f"{net.rate} Hz",
                {"output": out, "difference": gap, "rate": net.rate, "window": net.window, "labels": list(net.labels)})
