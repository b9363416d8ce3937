"""`sigconv info`: what is in a file."""

from __future__ import annotations

from typing import Any

import click

from .common import Talk, each, files, talk_options


@click.command()
@talk_options
@click.argument("names", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def info(ctx: click.Context, names: tuple[str, ...], talk: Talk) -> None:
    """Say what is in a file: kind, channels, rate, length, size; without decoding all of it."""

    def tell(path: str) -> None:
        from sigconv import io
        from sigconv.errors import printable

        facts = io.info(path)
        talk.result(f"{printable(path)}: {sentence(facts)}", {"file": path} | facts)

    ctx.exit(each(files(names), tell, talk))


def sentence(facts: dict[str, Any]) -> str:
    """The facts of a file in words, the least surprising left out."""
    names = f" ({', '.join(facts['names'])})" if facts.get("names") else ""
    channels = facts.get("channels") or 1
    parts = [f"{facts['kind']}, {facts['format']} {facts.get('subtype') or ''}".rstrip(),
             f"{channels} channel{'s' * (channels != 1)}{names}"]
    if facts.get("rate"):
        parts.append(f"{facts['rate']:g} Hz")
    if facts.get("duration") is not None:
        count = f" ({facts['frames']} samples)" if facts["kind"] == "sound" else ""
        parts.append(f"{facts['duration']:.4g} s{count}")
    else:
        parts.append(" × ".join(map(str, facts["shape"][1:])))
    return ", ".join([*parts, f"{facts['bytes']:,} bytes".replace(",", " ")])
