"""`compare`: before, after, and their difference.

Before and after have one scale. A difference is often far smaller: that of pictures is drawn 2^e times as deep, as deep as
it can be with 99 in 100 values between the ends of its bar, and its title says so.
"""

from __future__ import annotations

from dataclasses import replace
from math import floor, log2
from typing import Any

import numpy as np

from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .levels import flat, level_maps, magnitudes
from .maps import Map, Sheet, draw, reach, span
from .panels import Axis, spectral
from .planes import levelled, measured, plane, slices

__all__ = ["compare", "compare_numbers"]

WORDS = ("before", "after", "difference")
BARS = ("value", "value", "difference")
DEEPEST = 16  # powers of two that a difference is deepened by at most, so that rounding stays invisible
MOST = 6  # filters of a bank shown, a row each


def compare_numbers(before: Signal, after: Signal, *, window: int | None = None) -> Sheet:
    """The numbers that `compare` draws.

    >>> import sigconv as sc
    >>> x = sc.Signal([[[0.0, 0.5], [1.0, 0.0]]], sc.grid(2, 2))
    >>> sheet = compare_numbers(x, 0.5 * x)
    >>> sheet.maps[2].values.tolist(), sheet.maps[2].limits
    ([[0.0, -0.25], [-0.5, 0.0]], (-0.5, 0.5))
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
    words = [[f"after  {names[m]}" if many > 1 and word == "after" else word for word in WORDS] for m in range(len(triples))]
    left_out = many - len(triples)
    if before.domain.ndim == 1 or levelled(x):
        return _levels(triples, words, x, window, left_out)
    scales, deeper = _scales(triples, 0.0 if measured(before) else 1.0)
    titles = [[*word[:2], f"{word[2]}{deeper}"] for word in words]
    if before.domain.ndim == 2:
        rows = [_pictures(triple, title, before, scales) for triple, title in zip(triples, titles, strict=True)]
        return Sheet(tuple(rows), "", left_out)
    cuts = [_titled(slices(_mean(v), before, *scale, bar=bar), name) for triple, title in zip(triples, titles, strict=True)
            for v, name, scale, bar in zip(triple, title, scales, BARS, strict=True)]
    return Sheet(tuple(cuts), "", left_out)


def compare(before: Signal, after: Signal, *, ax: Any = None, window: int | None = None) -> Any:
    """Before, after, and after − before, on before's grid: spectrograms of sound, pictures of images, slices of volumes.

    Sound, and spectrograms (complex, on unlike axes): dB re amplitude 1, 80 dB below the loudest cell of the three, power mean
    over the channels, the difference being that of the signals; from −rate/2 to rate/2 where a sound is complex. Images and
    volumes (real parts, mean of the channels): before and after have one scale, full at 1 (of volumes and of more than 4
    channels at the largest value) or at what is larger in either.
    Black is 0 (or the least value of `before`, where that is lower) and white is full; an `after` a good part of which lies
    below 0 runs from blue at −full over white to red, and leaves the black of `before` where it is. The difference runs
    from blue to red over ±full/2^e, the largest e ≤ 16 that fits: "difference ×8" is drawn 8 times as deep. Fitting
    leaves out 1 in 100 of the values after and of the difference; the bar has an arrow where some lie beyond. After a
    bank a row for each filter (6 at most).
    `ax`: its place is divided; None: a new figure. Returns the first Axes, the picture before.

    >>> import sigconv as sc
    >>> x = sc.Signal([[0.0, 1.0, 0.0]], sc.line(3, 8000))
    >>> ax = compare(x, x @ sc.kernel("edge", x.domain))
    >>> [a.get_title("left") for a in ax.figure.axes[:3]], len({a.images[0].get_clim() for a in ax.figure.axes[:3]})
    (['before', 'after', 'difference'], 1)

    Raises `SigconvError` where the two do not live on the same axes, at one step, or their channels do not match.
    """
    sheet = compare_numbers(before, after, window=window)
    if before.domain.ndim == 1 and len(sheet.rows) > 1:
        return draw(sheet, ax, (8.0, min(3.0 + 1.5 * len(sheet.rows), 11.0)))
    return draw(sheet, ax)


def _agree(before: Signal, after: Signal) -> None:
    for x in (before, after):
        if not isinstance(x, Signal):
            raise SigconvError(f"a {type(x).__name__}: wanted two Signals, before and after")
    a, b = before.domain, after.domain
    if a.unit != b.unit:
        raise SigconvError(f"{_kind(a)} and {_kind(b)} can't be compared: wanted two signals on the same axes")
    if a.step != b.step and a.ndim == 1:
        raise SigconvError(f"a signal at {_short(a.rate)} before and one at {_short(b.rate)} per {a.unit[0]} after: wanted one "
                           f"rate; sc.resample(after, {_short(a.rate)}) brings it there")
    if a.step != b.step:
        raise SigconvError(f"steps of {_steps(a)} before and {_steps(b)} after: wanted the same; sc.resample brings one there")
    _channels(before, after)


def _kind(domain: Domain) -> str:
    """What a signal on this grid is called, with its units where they are unusual."""
    names = {("s",): "a sound", ("Hz", "s"): "a spectrogram", ("px",) * 2: "a picture", ("px",) * 3: "a volume"}
    other = {1: "a line", 2: "a picture", 3: "a volume"}[domain.ndim]
    return names.get(domain.unit) or f"{other} in {'×'.join(dict.fromkeys(domain.unit))}"


def _steps(domain: Domain) -> str:
    return " × ".join(f"{_short(s)} {u}" for s, u in zip(domain.step, domain.unit, strict=True))


def _short(value: Any) -> str:
    return f"{float(value):.10g}"


def _channels(before: Signal, after: Signal) -> None:
    a, b = before.value, after.value
    if b[: len(a)] != a and int(np.prod(a)) != int(np.prod(b)):
        raise SigconvError(f"values {a} before and {b} after: wanted the same channels, or a bank's result on them, {a} + (m,)")


def _levels(triples: list, titles: list, x: Signal, window: int | None, left_out: int) -> Sheet:
    sizes, frequency, when = [], None, None
    kind = np.result_type(*triples[0])
    for data in (data.astype(kind, copy=False) for triple in triples for data in triple):
        if x.domain.ndim == 1:
            size, frequency, when = magnitudes(Signal(data, x.domain), window)
        else:
            size, frequency, when = np.abs(data), spectral(Axis.of(x.domain, 0)), Axis.of(x.domain, 1)
        sizes.append(np.sqrt(np.mean(np.square(size), axis=0)))
    assert frequency is not None and when is not None
    maps = level_maps(sizes, frequency, when, [word for title in titles for word in title])
    rows = tuple(maps[i:i + 3] for i in range(0, len(maps), 3)) if len(triples) > 1 else tuple((m,) for m in maps)
    return Sheet(rows, "level (dB)", left_out)


def _scales(triples: list, white: float) -> tuple[list[tuple[tuple[float, float], str]], str]:
    """Limits and scale of before, after and difference (grey at least to `white`), and what the difference's title says."""
    sources, results, differences = ([_mean(triple[i]) for triple in triples] for i in range(3))
    (low, high), kind = span(*sources)
    other = span(*results)[1]
    if kind == "grey" and not white:
        high = max((float(v.max()) for v in sources if v.size), default=1.0)
    full = max(high, reach(*results), white if "grey" in (kind, other) else 0.0)
    grey = (low if kind == "grey" else 0.0, full)
    largest = reach(*differences) if any(d.any() for d in differences) else full
    power = floor(log2(min(full / largest, 2.0**DEEPEST)))
    limits = full / 2.0**power
    scales = [((-full, full) if scale == "signed" else grey, scale) for scale in (kind, other)]
    return [*scales, ((-limits, limits), "signed")], f" ×{2**power}" if power > 0 else f" ×1/{2**-power}" if power else ""


def _pictures(triple: tuple, titles: list[str], before: Signal, limits: list) -> tuple[Map, ...]:
    down, across = Axis.of(before.domain, 0), Axis.of(before.domain, 1)
    maps = [plane(_mean(v), down, across, limit, scale, title, bar=bar)
            for v, title, (limit, scale), bar in zip(triple, titles, limits, BARS, strict=True)]
    if before.value in ((3,), (4,)):
        for i in (0, 1) if limits[1][1] == "grey" else (0,):
            maps[i] = plane(np.moveaxis(triple[i][:3], 0, -1).real, down, across, (0.0, 1.0), "colour", titles[i])
    return tuple(maps)


def _titled(cuts: tuple[Map, ...], name: str) -> tuple[Map, ...]:
    return replace(cuts[0], title=f"{name}\n{cuts[0].title}"), *cuts[1:]


def _mean(channels: np.ndarray) -> np.ndarray:
    """The mean of the channels; the real part of complex ones."""
    return channels.real.mean(axis=0)
