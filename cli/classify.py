"""`sigconv classify`: what recordings say, by a trained net."""

from __future__ import annotations

from math import exp

import click

from .common import Talk, each, files, one_thread, talk_options


@click.command()
@click.option("--scan", is_flag=True, help="Scores over time of long sounds, instead of one label.")
@click.option("--hop", type=click.FloatRange(0, min_open=True), metavar="S",
              help="Seconds from score to score.  [default: the net's]")
@talk_options
@click.argument("run", metavar="RUN")
@click.argument("names", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def classify(ctx: click.Context, run: str, names: tuple[str, ...], scan: bool, hop: float | None, talk: Talk) -> None:
    """Say which label each recording holds, of any rate, level and length.

    RUN: the folder of a run, or its best.safetensors. A confidence under the net's threshold is told as "not accepted": perhaps
    no speech at all.
    """
    import sigconv
    from sigconv.errors import printable

    one_thread()
    net = sigconv.learn.Net.load(run)

    def tell(path: str) -> None:
        x = sigconv.load(path)
        if scan:
            scores = net.scan(x, hop)
            at, best = scores.coordinates(), scores.data.argmax(0)
            chances = [float(scores.data[b, i]) for i, b in enumerate(best)]
            rows = [(float(t), net.labels[b], chance) for t, b, chance in zip(at, best, chances, strict=True)]
            words = "\n".join(f"{t:9.3f} s  {label}  {exp(chance):.3f}" for t, label, chance in rows)
            talk.result(f"{printable(path)}\n{words}", {"file": path, "scores": [{"time": t, "label": label, "log": c} for t,
                                                                                 label, c in rows]})
            return
        said = net.classify(x)
        remark = "" if said.accepted else f"  not accepted: below {net.threshold:.3f}"
        talk.result(f"{printable(path)}  {said}  {said.confidence:.3f}{remark}",
                    {"file": path, "label": str(said), "confidence": said.confidence, "accepted": said.accepted,
                     "probabilities": said.probabilities})

    ctx.exit(each(files(names), tell, talk))
