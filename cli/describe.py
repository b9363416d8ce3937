"""`sigconv describe`: a kernel in words."""

from __future__ import annotations

import click

from .common import Talk, complete, nowhere, talk_options


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=44100.0, show_default=True,
              help="Sample rate that the kernel is made for, in Hz.")
@click.option("--dims", type=click.IntRange(1, 3), help="1 for sound, 2 for images, 3 for volumes.  [default: as the taps are]")
@talk_options
@click.argument("specs", metavar="KERNEL...", nargs=-1, required=True, shell_complete=complete)
def describe(specs: tuple[str, ...], rate: float, dims: int | None, talk: Talk) -> None:
    """Say what a kernel does, from its taps alone.

    KERNEL is what listen takes: edge, lowpass:cutoff=800, -1,0,1, room.wav, "blur*edge", …
    """
    from dataclasses import asdict

    import sigconv
    from sigconv.errors import printable

    for spec in specs:
        k = sigconv.kernel(spec, nowhere(spec, rate, dims))
        facts = [asdict(sigconv.study.facts(one)) for one in sigconv.study.filters(k)] if talk.json else []
        talk.result(printable(sigconv.study.describe(k, spec), 2**16), {"kernel": spec, "sentence": sigconv.study.describe(k),
                                                      "facts": facts if k.value else facts[0] if facts else None})
