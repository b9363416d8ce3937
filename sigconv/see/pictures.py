"""`image` and `volume`: signals on two axes as pictures, on three as slices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import SigconvError
from ..signal import Signal
from ..spectrum import decibels
from .levels import FLOOR, RANGE, flat
from .maps import Map, Sheet, draw, gathered, peak, span
from .panels import Axis, spectral

__all__ = ["image", "image_numbers", "plane", "slices", "volume", "volume_numbers"]

CUTS = ((0, (1, 2)), (1, (0, 2)), (2, (0, 1)))  # the axis cut, and the two that a slice keeps


def image_numbers(x: Signal) -> Sheet:
    """The numbers that `image` draws.

    >>> import sigconv as sc
    >>> sheet = image_numbers(sc.Signal([[[0.0, 0.5], [1.0, 0.0]]], sc.grid(2, 2)))
    >>> sheet.maps[0].limits, sheet.maps[0].scale, sheet.maps[0].across.at.tolist()
    ((0.0, 1.0), 'grey', [0.0, 1.0])
    """
    _wanted(x, 2, "image")
    down, across = Axis.of(x.domain, 0), Axis.of(x.domain, 1)
    if x.value in ((3,), (4,)) and not np.iscomplexobj(channels := flat(x).data):
        rgb = np.moveaxis(channels[:3], 0, -1)
        if span(rgb)[1] == "grey":
            return Sheet(((Map(rgb, down, across, (0.0, 1.0), "colour", equal=down.unit == across.unit),),))
    panels, names, limits, scale = planes(x)
    maps = [plane(values, down, across, limits, scale, name) for values, name in zip(panels, names, strict=True)]
    return gathered(maps, "level (dB)" if scale == "level" else "")


def image(x: Signal, *, ax: Any = None) -> Any:
    """A signal on two axes as a picture: RGB in colour, anything else a grey panel for each channel.

    Grey runs from 0 to full scale 1 (or the largest value), so that a dark picture stays dark; values of which a good part
    lies below 0 run from blue over white to red, with the same limits on both sides (1 in 100 may lie beyond; the bar
    says so); complex ones on unlike axes (a spectrogram) as dB re amplitude 1, on like axes as real and imaginary parts.
    RGB is clipped to 0 … 1. `ax`: its place, divided among the channels; None: a new figure. Returns the first Axes.

    >>> import sigconv as sc
    >>> ax = image(sc.Signal([[[0.0, 0.5], [1.0, 0.0]]], sc.grid(2, 2, unit="mm")))
    >>> ax.get_xlabel(), ax.images[0].get_clim()
    ('x (mm)', (0.0, 1.0))

    Raises `SigconvError` for signals of other than two axes.
    """
    return draw(image_numbers(x), ax)


def volume_numbers(x: Signal, *, at: tuple[float, float, float] | None = None) -> Sheet:
    """The numbers that `volume` draws.

    >>> import sigconv as sc
    >>> sheet = volume_numbers(sc.Signal(np.arange(24.0).reshape(2, 3, 4), sc.grid(2, 3, 4)))
    >>> [m.values.shape for m in sheet.maps], sheet.maps[0].values[1, 2]
    ([(3, 4), (2, 4), (2, 3)], np.float64(18.0))
    """
    _wanted(x, 3, "volume")
    panels, names, limits, scale = planes(x)
    rows = tuple(slices(values, x, limits, scale, name, at) for values, name in zip(panels[:6], names, strict=False))
    return Sheet(rows, "level (dB)" if scale == "level" else "", max(len(panels) - 6, 0))


def volume(x: Signal, *, ax: Any = None, at: tuple[float, float, float] | None = None) -> Any:
    """A signal on three axes as three slices, one across each axis, a row for each channel (6 at most).

    `at`: the point in units that the slices meet in, by default the middle sample; dashed lines show it. Scales as in
    `image`, shared by all slices. Returns the first Axes, the slice across the first axis.

    >>> import sigconv as sc
    >>> ax = volume(sc.Signal(np.zeros((4, 5, 6)), sc.grid(4, 5, 6, unit="mm")))
    >>> [a.get_title("left") for a in ax.figure.axes]
    ['z = 2 mm', 'y = 2 mm', 'x = 3 mm']

    Raises `SigconvError` for signals of other than three axes.
    """
    return draw(volume_numbers(x, at=at), ax)


def planes(x: Signal) -> tuple[list[np.ndarray], list[str], tuple[float, float], str]:
    """The channels of a signal as real arrays with their names, one pair of limits and one scale for all."""
    whole = flat(x)
    names = list(whole.channels or ([""] if len(whole.data) == 1 else [f"channel {i + 1}" for i in range(len(whole.data))]))
    if not np.iscomplexobj(whole.data):
        return list(whole.data), names, *span(whole.data)
    if len(set(x.domain.unit)) > 1:
        level = decibels(whole.data, FLOOR)
        top = float(level.max()) if level.size and level.max() > FLOOR else 0.0
        return list(level), names, (top - RANGE, top), "level"
    top = peak(whole.data.real, whole.data.imag)
    panels = [part for channel in whole.data for part in (channel.real, channel.imag)]
    return panels, [f"{n} {part}".strip() for n in names for part in ("real", "imaginary")], (-top, top), "signed"


def plane(values: np.ndarray, down: Axis, across: Axis, limits: tuple[float, float], scale: str, title: str = "",
          **more: Any) -> Map:
    """A map whose rows run down where both axes are alike (a picture), up where they are not (a map over time)."""
    alike = down.unit == across.unit
    if not alike and down.name == "frequency":
        down = spectral(down)
    return Map(values, down, across, limits, scale, title, upward=not alike, equal=alike, **more)


def slices(values: np.ndarray, x: Signal, limits: tuple[float, float], scale: str, name: str = "",
           at: tuple[float, float, float] | None = None, **more: Any) -> tuple[Map, Map, Map]:
    """Three slices of `values` on x's grid that meet at a point."""
    axes = [Axis.of(x.domain, i) for i in range(3)]
    index = [_nearest(axis, at and at[i]) for i, axis in enumerate(axes)]
    cut = []
    for axis, (down, across) in CUTS:
        here = np.take(values, index[axis], axis) if axes[axis].n else np.zeros((axes[down].n, axes[across].n))
        where = f"{axes[axis].name} = {axes[axis].at[index[axis]]:.6g} {axes[axis].unit}".rstrip() if axes[axis].n else ""
        meet = tuple(float(axes[i].first + index[i] * axes[i].step) for i in (down, across))
        panel = plane(here, axes[down], axes[across], limits, scale, ", ".join(filter(None, (name, where))), **more)
        cut.append(replace(panel, cross=None if panel.written or panel.origin or not here.size else (meet[0], meet[1])))
    return cut[0], cut[1], cut[2]


def _nearest(axis: Axis, position: float | None) -> int:
    """The sample nearest to a position, the middle one for None."""
    if position is None or not axis.n:
        return axis.n // 2
    index = round((position - axis.first) / axis.step)
    if not 0 <= index < axis.n:
        raise SigconvError(f"a slice at {axis.name} = {position:g} {axis.unit}: wanted {axis.first:g} … {axis.at[-1]:g}")
    return index


def _wanted(x: Signal, ndim: int, name: str) -> None:
    if not isinstance(x, Signal):
        raise SigconvError(f"a {type(x).__name__}: wanted a Signal; wrap arrays as sc.Signal(data, domain)")
    if x.domain.ndim != ndim:
        cure = {1: "see.signal", 2: "see.image", 3: "see.volume"}[x.domain.ndim]
        raise SigconvError(f"see.{name} of a signal of {x.domain.ndim} axes: wanted {ndim}; use {cure}")
