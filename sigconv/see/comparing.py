"""`compare`: before, after, and their difference, to one reference and one colour scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SigconvError
from ..signal import Signal
from .levels import flat, level_maps, magnitudes
from .maps import Map, Sheet, draw, reach, span
from .panels import Axis
from .pictures import plane, slices

__all__ = ["compare", "compare_numbers"]

WORDS = ("before", "after", "difference")
MOST = 6  # filters of a bank shown, a row each


def compare_numbers(before: Signal, after: Signal, *, window: int | None = None) -> Sheet:
    """The numbers that `compare` draws.

    >>> import sigconv as sc
    >>> x = sc.Signal([[[0.0, 0.5], [1.0, 0.0]]], sc.grid(2, 2))
    >>> sheet = compare_numbers(x, 0.5 * x)
    >>> sheet.maps[2].values.tolist(), sheet.maps[2].limits
    ([[0.0, -0.25], [-0.5, 0.0]], (-1.0, 1.0))
    """
    _agree(before, after)
    x = flat(before)
    y = flat(after.on(before.domain))
    if not len(x.data):
        return Sheet(())
    many = len(y.data) // len(x.data)  # filters of a bank: each beside the same signal
    names = after.channels if many > 1 and after.channels else tuple(f"filter {i}" for i in range(many))
    results = y.data.reshape(len(x.data), many, *y.domain.shape)
    triples = [(x.data, results[:, m], results[:, m] - x.data) for m in range(min(many, MOST))]
    titles = [[f"after  {names[m]}" if many > 1 and word == "after" else word for word in WORDS] for m in range(len(triples))]
    left_out = many - len(triples)
    if before.domain.ndim == 1:
        return _levels(triples, titles, x, window, left_out)
    limits = _limits(before, triples)
    if before.domain.ndim == 2:
        rows = [_pictures(triple, title, before, limits) for triple, title in zip(triples, titles, strict=True)]
        return Sheet(tuple(rows), "", left_out)
    cuts = [slices(_mean(v), before, *scale, name) for triple, title in zip(triples, titles, strict=True)
            for v, name, scale in zip(triple, title, limits, strict=True)]
    return Sheet(tuple(cuts), "", left_out)


def compare(before: Signal, after: Signal, *, ax: Any = None, window: int | None = None) -> Any:
    """Before, after, and after − before, on before's grid: spectrograms of sound, pictures of images, slices of volumes.

    All share one reference. Sound: dB re amplitude 1, 80 dB below the loudest cell of the three, power mean over the
    channels, the difference being the spectrogram of the difference signal. Images and volumes: grey from 0 to full scale
    1, or to what is larger; what goes well below 0, and every difference, from blue to red over as many units on
    both sides (1 in 100 values may lie beyond; the bar says so). After a bank a row for each filter (6 at most).
    `ax`: its place is divided; None: a new figure. Returns the first Axes, the picture before.

    >>> import sigconv as sc
    >>> x = sc.Signal([[0.0, 1.0, 0.0]], sc.line(3, 8000))
    >>> ax = compare(x, x @ sc.kernel("edge", x.domain))
    >>> [a.get_title("left") for a in ax.figure.axes[:3]], len({a.images[0].get_clim() for a in ax.figure.axes[:3]})
    (['before', 'after', 'difference'], 1)

    Raises `SigconvError` where the two do not live on grids of one step, or their channels do not match.
    """
    sheet = compare_numbers(before, after, window=window)
    if before.domain.ndim == 1 and len(sheet.rows) > 1:
        return draw(sheet, ax, (8.0, min(3.0 + 1.5 * len(sheet.rows), 11.0)))
    return draw(sheet, ax)


def _agree(before: Signal, after: Signal) -> None:
    for x in (before, after):
        if not isinstance(x, Signal):
            raise SigconvError(f"a {type(x).__name__}: wanted two Signals, before and after")
    before.domain.agree(after.domain)
    a, b = before.value, after.value
    if b[: len(a)] != a and int(np.prod(a)) != int(np.prod(b)):
        raise SigconvError(f"values {a} before and {b} after: wanted the same channels, or a bank's result on them, {a} + (m,)")


def _levels(triples: list, titles: list, x: Signal, window: int | None, left_out: int) -> Sheet:
    sizes, frequency, when = [], None, None
    for data in (data for triple in triples for data in triple):
        size, frequency, when = magnitudes(Signal(data, x.domain), window)
        sizes.append(np.sqrt(np.mean(np.square(size), axis=0)))
    assert frequency is not None and when is not None
    maps = level_maps(sizes, frequency, when, [word for title in titles for word in title])
    rows = tuple(maps[i:i + 3] for i in range(0, len(maps), 3)) if len(triples) > 1 else tuple((m,) for m in maps)
    return Sheet(rows, "level (dB)", left_out)


def _limits(before: Signal, triples: list) -> list[tuple[tuple[float, float], str]]:
    """Limits and scale of before, after and difference: all as long as full scale, or as what is longer."""
    sources, results = ([_mean(triple[i]) for triple in triples] for i in (0, 1))
    lows, scales = zip(*(((low, high), scale) for (low, high), scale in (span(*sources), span(*results))), strict=True)
    top = max(lows[0][1], reach(*results) if scales[1] == "signed" else lows[1][1], 1.0 if "grey" in scales else 0.0)
    low = 0.0 if "signed" in scales else min(lows[0][0], lows[1][0])
    return [((-top, top) if scale == "signed" else (low, top), scale) for scale in (*scales, "signed")]


def _pictures(triple: tuple, titles: list[str], before: Signal, limits: list) -> tuple[Map, ...]:
    down, across = Axis.of(before.domain, 0), Axis.of(before.domain, 1)
    maps = [plane(_mean(v), down, across, limit, scale, title)
            for v, title, (limit, scale) in zip(triple, titles, limits, strict=True)]
    if before.value in ((3,), (4,)):
        for i in (0, 1) if limits[1][1] == "grey" else (0,):
            maps[i] = plane(np.moveaxis(triple[i][:3], 0, -1).real, down, across, (0.0, 1.0), "colour", titles[i])
    return tuple(maps)


def _mean(channels: np.ndarray) -> np.ndarray:
    """The mean of the channels; the real part of complex ones."""
    return channels.real.mean(axis=0)
