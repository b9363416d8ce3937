"""`image` and `volume`: signals on two axes as pictures, on three as slices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .. import arrays
from ..errors import SigconvError
from ..signal import Signal
from ..spectrum import decibels
from .levels import FLOOR, RANGE, flat
from .maps import Map, Sheet, draw, gathered, peak, span
from .panels import SCALED, Axis, spectral

__all__ = ["image", "image_numbers", "is_video", "levelled", "measured", "plane", "slices", "video", "video_numbers", "volume",
           "volume_numbers"]

FRAMES = 9  # of a video
COLOURS = 4  # channels that are colours, with full scale 1; more are measurements
SHOWN = 36  # channels at most
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
    some = sorted({round(i) for i in np.linspace(0, len(panels) - 1, min(SHOWN, len(panels)))}) if panels else []
    maps = [plane(panels[i], down, across, limits, scale, names[i]) for i in some]
    return replace(gathered(maps, "level (dB)" if scale == "level" else ""), left_out=len(panels) - len(some))


def image(x: Signal, *, ax: Any = None) -> Any:
    """A signal on two axes as a picture: RGB in colour, anything else a grey panel for each channel.

    Grey runs from 0 to full scale 1 (or the largest value), so that a dark picture stays dark (more than 4 channels are no
    colours: there to the largest value, and of more than 36 some are drawn, evenly spread); values of which a good part
    lies below 0 run from blue over white to red, with the same limits on both sides (1 in 100 may lie beyond; the bar
    says so); complex ones on unlike axes (a spectrogram) as dB re amplitude 1, on like axes as real and imaginary parts.
    Real ones on frequency and time (mel bands, magnitudes, dB) run from black to the largest, ticks in Hz or notes.
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

    `at`: the point in units that the slices meet in, by default the middle sample; dashed lines show it. Grey runs to the
    largest value, else as in `image`, shared by all slices. Returns the first Axes, the slice across the first axis.

    >>> import sigconv as sc
    >>> ax = volume(sc.Signal(np.zeros((4, 5, 6)), sc.grid(4, 5, 6, unit="mm")))
    >>> [a.get_title("left") for a in ax.figure.axes]
    ['z = 2 mm', 'y = 2 mm', 'x = 3 mm']

    Raises `SigconvError` for signals of other than three axes.
    """
    return draw(volume_numbers(x, at=at), ax)


def video_numbers(x: Signal, *, frames: int = FRAMES) -> Sheet:
    """The numbers that `video` draws.

    >>> import sigconv as sc
    >>> clip = sc.Signal(np.zeros((30, 4, 4)), sc.Domain((30, 4, 4), (0.04, 1, 1), 0, ("s", "px", "px"), ("time", "y", "x")))
    >>> sheet = video_numbers(clip, frames=3)
    >>> [m.title for m in sheet.maps], sheet.left_out
    (['0 s', '0.56 s', '1.16 s'], 27)
    """
    _wanted(x, 3, "video")
    time, down, across = (Axis.of(x.domain, i) for i in range(3))
    shown = sorted({round(i) for i in np.linspace(0, time.n - 1, min(max(frames, 1), time.n))}) if time.n else []
    if x.value in ((3,), (4,)) and not np.iscomplexobj(channels := flat(x).data) and span(channels[:3])[1] == "grey":
        panels, names, limits, scale = [np.moveaxis(channels[:3], 0, -1)], [""], (0.0, 1.0), "colour"
    else:
        panels, names, limits, scale = planes(x)
    maps = [replace(plane(values[i], down, across, limits, scale, f"{name}  {time.at[i]:.4g} {time.unit}".strip()), equal=True)
            for values, name in zip(panels[:6], names, strict=False) for i in shown]
    return replace(gathered(maps, "level (dB)" if scale == "level" else ""), left_out=time.n - len(shown))


def video(x: Signal, *, ax: Any = None, frames: int = FRAMES) -> Any:
    """A video, a signal whose first axis of three is time, as at most so many `frames`, evenly spread from the first to the last.

    Scales as in `image`, shared by all frames. Returns the first Axes, the first frame.

    >>> import sigconv as sc
    >>> ax = video(sc.load(sc.io.sample("video")), frames=2)
    >>> len(ax.figure.axes)
    2

    Raises `SigconvError` for signals of other than three axes.
    """
    return draw(video_numbers(x, frames=frames), ax)


def planes(x: Signal, *, levels: bool = True) -> tuple[list[np.ndarray], list[str], tuple[float, float], str]:
    """The channels of a signal as real arrays with their names, one pair of limits and one scale for all; without `levels`
    complex ones are always parts, as those of taps."""
    whole = flat(x)
    names = list(whole.channels or ([""] if len(whole.data) == 1 else [f"channel {i + 1}" for i in range(len(whole.data))]))
    if not np.iscomplexobj(whole.data) and spectral_map(x):
        least, most = (float(whole.data.min()), float(whole.data.max())) if whole.data.size else (0.0, 1.0)
        return list(whole.data), names, (min(least, 0.0 if most > 0 else least), most if most > least else least + 1), "heat"
    if not np.iscomplexobj(whole.data):
        limits, scale = span(whole.data)
        if scale == "grey" and measured(x) and whole.data.size:
            limits = limits[0], float(whole.data.max()) or 1.0
        return list(whole.data), names, limits, scale
    if levels and levelled(x):
        level = decibels(whole.data, FLOOR)
        top = float(level.max()) if level.size and level.max() > FLOOR else 0.0
        return list(level), names, (top - RANGE, top), "level"
    top = peak(whole.data.real, whole.data.imag)
    panels = [part for channel in whole.data for part in (channel.real, channel.imag)]
    return panels, [f"{n} {part}".strip() for n in names for part in ("real", "imaginary")], (-top, top), "signed"


def levelled(x: Signal) -> bool:
    """Whether a signal is drawn as levels: complex values on two or three axes that differ in kind, as those of a spectrogram."""
    return x.domain.ndim > 1 and len(set(x.domain.unit)) > 1 and arrays.is_complex(x.data)


def spectral_map(x: Signal) -> bool:
    """Whether a signal lies on frequency and time, as spectrograms do."""
    return x.domain.ndim == 2 and x.domain.unit[0] in ("Hz", *SCALED) and x.domain.unit[1] == "s"


def measured(x: Signal) -> bool:
    """Whether values are measurements, to be seen up to the largest, rather than brightness up to 1: volumes, many channels."""
    return (x.domain.ndim == 3 and not is_video(x)) or int(np.prod(x.value[:1])) > COLOURS


def is_video(x: Signal) -> bool:
    """Whether its first axis of three is time and the others are not: frames one after another."""
    return x.domain.ndim == 3 and x.domain.unit[0] == "s" and "s" not in x.domain.unit[1:]


def plane(values: np.ndarray, down: Axis, across: Axis, limits: tuple[float, float], scale: str, title: str = "",
          bins: bool = True, **more: Any) -> Map:
    """A map whose rows run down where both axes are alike (a picture), up where they are not (a map over time); a frequency axis
    of Fourier `bins` ends where they do."""
    alike = down.unit == across.unit
    if bins and not alike and down.name == "frequency":
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
