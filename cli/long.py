"""A file too long to hold, through `listen`: heard block by block, twice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .common import Talk, kernel_for

if TYPE_CHECKING:
    from .places import Places

__all__ = ["Long", "opened"]


class Long:
    """The file, and the kernels that are made for it."""

    def __init__(self, blocks: Any, kernels: list[tuple[str, Any]]):
        self.blocks, self.kernels = blocks, kernels

    def listen(self, where: Places, source: str, bits: int, inputs: list[str], subtype: str | None, page: bool, force: bool,
               talk: Talk, ears: dict[str, Any]) -> tuple[Any, list[str]]:
        """Every result and the page together, or none: what was heard, and what changed."""
        from sigconv import io, reels
        from sigconv.io.sink import Sink
        from sigconv.io.sound import Sound
        from sigconv.page.overview import Overview

        n, rate = self.blocks.frames, float(self.blocks.rate)
        overview = Overview(n, rate) if page and where.page else None
        with (self.blocks, io.Outputs(overwrite=force, inputs=inputs) as out,
              _progress(2 * n * (1 + len(self.kernels)), talk) as tick):
            sounds = []
            for path, (_, k) in zip(where.sounds, self.kernels, strict=True):
                assert path is not None
                tail = k.domain.shape[0] - 1 if ears["mode"] == "full" else 0
                sounds.append(Sound(Sink(out.open(path)), path.suffix.lower(), subtype, frames=n + tail))
            options = {name: ears[name] for name in ("match", "guard", "mode", "padding_mode")}
            heard, changes = reels.listen(self.blocks, self.kernels, [sound.write for sound in sounds], tick=tick,
                                          see=overview.see if overview else None, **options)
            for sound in sounds:
                sound.close()
                sound.sink.check()
            if overview and where.page:
                from sigconv.page import render

                out.open(where.page).write(render(heard, source=source, bits=bits, changes=changes, overview=overview).encode())
        return heard, changes


def opened(path: str, facts: dict[str, Any], specs: list[str], output: str | None, rate: float | None, channels: str | None,
           resample: bool, ears: dict[str, Any], talk: Talk) -> Long | None:
    """The file as blocks, where it is a sound too long to hold that can go through the kernels so; None for all others."""
    from sigconv import io, reels
    from sigconv.io.sound import SOUNDS
    count = (facts.get("frames") or 0) * (facts.get("channels") or 1)
    if facts["kind"] != "sound" or count < reels.LONG:
        return None
    suffix = Path(output or "").suffix.lower() or ".wav"
    plain = rate is channels is None and ears["on"] == "signal"
    if plain and path != "-" and output != "-" and suffix in SOUNDS:
        blocks = io.blocks(path)
        kernels = [(spec, kernel_for(spec, blocks, resample, talk)) for spec in specs]
        if blocks.frames and all(reels.serves(k, **ears) for _, k in kernels):
            return Long(blocks, kernels)
        blocks.close()
    talk.say(f"note: {4 * count // 10**6} MB of samples at once in memory: only a real kernel alone, mode same or full, to a "
             "sound file, works block by block")
    return None


@contextmanager
def _progress(total: int, talk: Talk) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal."""
    if talk.quiet or talk.json or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda n: bar.advance(task, n)
