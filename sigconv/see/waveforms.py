"""`signal`: the waveform over its spectrogram, on one time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SigconvError
from ..signal import Signal
from .levels import flat, level_maps, magnitudes
from .maps import Map, Sheet, draw, fill, peak
from .panels import Axis, along, makes_room, nothing, panels
from .planes import image_numbers, is_video, video_numbers, volume_numbers
from .style import COLOURS, INK, PALE, line_colours, styled

__all__ = ["Wave", "signal", "signal_numbers"]

SEPARATE = 4  # channels that get panels of their own; more share one of lanes
POINTS = 4000  # samples drawn one by one; longer signals as the range of each of 2000 columns


@dataclass(frozen=True, slots=True)
class Wave:
    """A signal on a line as drawn: over `time.at`, channel c and part p (real, then imaginary) run from ``low[c, p]`` to
    ``high[c, p]``, one curve where the two are equal; under it the `levels`, one map a channel, or one for all of many."""

    time: Axis
    low: np.ndarray
    high: np.ndarray
    levels: tuple[Map, ...]
    names: tuple[str, ...]
    full: tuple[float, float]  # where the signal begins and ends


def signal_numbers(x: Signal, *, window: int | None = None) -> Wave | Sheet:
    """The numbers that `signal` draws.

    >>> import sigconv as sc
    >>> wave = signal_numbers(sc.Signal([[0.0, 1.0, -1.0]], sc.line(3, 8000)))
    >>> wave.high[0, 0].tolist(), wave.levels[0].values.shape
    ([0.0, 1.0, -1.0], (201, 1))
    """
    if not isinstance(x, Signal):
        raise SigconvError(f"signal of a {type(x).__name__}: wanted a Signal, e.g. sc.load(path)")
    if x.domain.ndim > 1:
        return image_numbers(x) if x.domain.ndim == 2 else video_numbers(x) if is_video(x) else volume_numbers(x)
    x = flat(x)
    names = x.channels or (("",) if len(x.data) == 1 else tuple(f"channel {i + 1}" for i in range(len(x.data))))
    size, frequency, when = magnitudes(x, window)
    if len(size) > SEPARATE:
        size = np.sqrt(np.mean(np.square(size), axis=0, keepdims=True))
    titles = list(names) if len(size) == len(names) else [f"power mean of {len(names)} channels"]
    time = Axis.of(x.domain, 0)
    parts = np.stack([x.data.real, x.data.imag], 1) if np.iscomplexobj(x.data) else x.data[:, None]
    low, high, columns = _ranges(parts, time)
    return Wave(columns, low, high, level_maps(list(size), frequency, when, titles), names, time.edges)


def signal(x: Signal, *, ax: Any = None, window: int | None = None) -> Any:
    """A signal on a line as waveform and spectrogram on one time axis; on two or three axes as `image`, `volume` or `video` does.

    Up to 4 channels have a pair of panels each; more lie in lanes of one panel, over the power mean of their
    spectrograms. Levels are dB re a sine of amplitude 1, 80 dB below the loudest cell being black. `window`: length of the
    Hann window in samples (50 ms by default). `ax`: its place is divided; None: a new figure. Returns the first
    Axes (the waveform of the first channel), its `.figure` the whole.

    >>> import sigconv as sc
    >>> ax = signal(sc.Signal([[0.0, 1.0, 0.0]], sc.line(3, 8000)))
    >>> ax.get_ylabel(), ax.figure.axes[1].get_ylabel()
    ('amplitude', 'frequency (kHz)')

    Raises `SigconvError` for an `ax` that is no Axes.
    """
    numbers = signal_numbers(x, window=window)
    if isinstance(numbers, Sheet):
        return draw(numbers, ax)
    pairs = max(len(numbers.levels), 1)
    lanes = len(numbers.names) > SEPARATE
    with styled():
        heights = [1.1 if lanes else 0.62, 1.0] * pairs
        table = panels(ax, (8.0, 1.1 + min(3.2 * pairs, 10.0) + 0.8 * lanes), 2 * pairs, 1, heights=heights, share="x")
        rows = [row[0] for row in table]
        images = []
        for i, (above, below) in enumerate(zip(rows[::2], rows[1::2], strict=True)):
            (_lanes if lanes else _wave)(above, numbers, i)
            above.tick_params(labelbottom=False)
            if i < len(numbers.levels):
                last = i + 1 == pairs
                images.append(fill(below, _untitled(numbers.levels[i], lanes), bottom=last))
                below.tick_params(labelbottom=last)
        rows[0].set_xlim(*numbers.full)
        if any(images):
            figure = rows[0].figure
            bar = figure.colorbar(images[0], ax=rows[1::2] if makes_room(figure) else rows, pad=0.015, aspect=14 * pairs)
            bar.set_label("level (dB)")
            bar.outline.set_visible(False)
            bar.ax.tick_params(labelsize=8, length=2, width=0.7)
    return rows[0]


def _ranges(parts: np.ndarray, time: Axis) -> tuple[np.ndarray, np.ndarray, Axis]:
    """Least and greatest value of each of at most POINTS/2 columns; the samples themselves where they are few."""
    if time.n <= POINTS:
        return parts, parts, time
    group = -(-time.n // (POINTS // 2))
    starts = np.arange(0, time.n, group)
    columns = Axis(time.name, time.unit, time.first + (group - 1) * time.step / 2, time.step * group, len(starts))
    return np.minimum.reduceat(parts, starts, -1), np.maximum.reduceat(parts, starts, -1), columns


def _wave(ax: Any, wave: Wave, channel: int) -> None:
    top = peak(wave.low, wave.high) * 1.08
    ax.axhline(0, color=PALE, linewidth=0.6, zorder=0)
    ax.set(ylim=(-top, top), ylabel="amplitude")
    along(ax.xaxis, "", wave.time.unit, max(map(abs, wave.full)))
    ax.xaxis.set_label_text("")
    if channel >= len(wave.low) or not wave.time.n:
        nothing(ax, "empty: no samples" if len(wave.low) else "no channels")
        return
    ax.set_title(wave.names[channel])
    for part, word in enumerate(("real", "imaginary")[: wave.low.shape[1]]):
        _curve(ax, wave, wave.low[channel, part], wave.high[channel, part], COLOURS[part], word)
    if wave.low.shape[1] > 1:
        ax.legend(loc="upper right", ncols=2)


def _curve(ax: Any, wave: Wave, low: np.ndarray, high: np.ndarray, colour: Any, word: str) -> None:
    if low is high or np.shares_memory(low, high):
        marker = "o" if wave.time.n <= 32 else None
        ax.plot(wave.time.at, high, color=colour, linewidth=0.9, label=word, marker=marker, markersize=3)
    else:
        ax.fill_between(wave.time.at, low, high, color=colour, linewidth=0.4, label=word)


def _lanes(ax: Any, wave: Wave, _: int) -> None:
    """Channels from top to bottom, each in a lane of its own, all to one scale."""
    top = peak(wave.low, wave.high)
    for i, colour in enumerate(line_colours(len(wave.names))):
        _curve(ax, wave, i - wave.high[i, 0] / top / 2, i - wave.low[i, 0] / top / 2, colour if len(wave.names) <= 8 else INK, "")
    ax.set(ylim=(len(wave.names) - 0.4, -0.6), ylabel="")
    along(ax.xaxis, "", wave.time.unit, max(map(abs, wave.full)))
    ax.xaxis.set_label_text("")
    if len(wave.names) <= 16:
        ax.set_yticks(range(len(wave.names)), wave.names)
    else:
        ax.set_ylabel("channel")


def _untitled(panel: Map, keep: bool) -> Map:
    from dataclasses import replace

    return panel if keep else replace(panel, title="")
