"""Videos: some frames on one sheet, which the page's script shows one after another; without it the sheet itself stands there."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np

from ..signal import Signal
from .figures import SIDE, Picture, by_filter, caption_of, colours, figcaption, fitted, shades, shrink, size_class
from .markup import element, number

__all__ = ["film_figure", "reel", "reels"]

FRAMES = 32  # on a page at most


def chosen(n: int) -> list[int]:
    """The frames that are shown of n: all, or every second, third, …"""
    return list(range(0, n, max(-(-n // FRAMES), 1)))


def reels(x: Signal, limit: int = 6) -> list[Picture]:
    """The frames of a video, `pixels` (frames, h, w) or (frames, h, w, 3), one reel for each filter of a bank."""
    found = []
    for name, group in by_filter(x)[:limit]:
        frames = [colours(group[:, i], x, 3) for i in chosen(x.domain.shape[0])]
        found += [Picture(", ".join(filter(None, (name, parts[0][0]))), np.stack([pixels for _, pixels in parts]))
                  for parts in zip(*frames, strict=True)]
    return found[:limit]


def film_figure(picture: Picture, scale: float, signed: bool, budget: int, caption: str, factor: int = 1,
                name: str | None = None, track: str | None = None) -> str:
    """The frames of a reel, tiled on one sheet of about `budget` bytes; options as in `figures.picture_figure`."""
    n, across = len(picture.pixels), ceil(sqrt(len(picture.pixels)))
    grey, by = shades(picture.pixels, scale / factor, signed), max(1, -(-max(picture.pixels.shape[1:3]) // (SIDE // 2)))
    while True:
        small = np.stack([shrink(frame, by) for frame in grey])
        url = fitted(_tiled(small, across), budget, max(small.shape[1:3]) <= 24)
        if url:
            break
        by += 1
    h, w = small.shape[1:3]
    words = caption_of(picture, caption, factor)
    many = f"{words}, {n} frames".removeprefix(", ")
    image = element("img", src=url, width=w * across, height=h * -(-n // across), alt=many, id=name)
    return element("figure", image.removesuffix("</img>") + figcaption(words),
                   class_=f"film {size_class(h, w)}", data_across=across)


def _tiled(frames: np.ndarray, across: int) -> np.ndarray:
    """Frames row by row on one picture, `across` in a row."""
    n, h, w = frames.shape[:3]
    down = -(-n // across)
    sheet = np.zeros((across * down, *frames.shape[1:]), frames.dtype)
    sheet[:n] = frames
    whole = sheet.reshape(down, across, *frames.shape[1:])
    return np.moveaxis(whole, 2, 1).reshape(down * h, across * w, *frames.shape[3:])


def reel(x: Signal, films: str) -> str:
    """Films of one video, which are played together, under their controls."""
    times = [float((x.domain.start[0] + i) * x.domain.step[0]) for i in chosen(x.domain.shape[0])]
    every = times[1] - times[0] if len(times) > 1 else float(x.domain.step[0])
    controls = (f'<div class="scripted shuttle"><button type="button" class="roll">Play</button>'
                f'<input type="range" min="0" max="{len(times) - 1}" value="{len(times) // 2}" aria-label="Frame">'
                '<span class="when"></span></div>')
    return element("div", controls + films, class_="reel", data_frames=len(times), data_first=f"{times[0]:.9g}",
                   data_every=f"{every:.9g}")


def words(x: Signal) -> str:
    """Which frames are shown."""
    n, shown = x.domain.shape[0], len(chosen(x.domain.shape[0]))
    some = "" if shown == n else f" Of {n} frames every {_ordinal(-(-n // FRAMES))} is shown."
    return f" {n} frame{'s' if n != 1 else ''}, {number(float(x.domain.step[0]) * 1000)} ms each.{some}"


def _ordinal(n: int) -> str:
    return {2: "second", 3: "third"}.get(n, f"{n}th")
