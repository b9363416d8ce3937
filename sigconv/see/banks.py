"""`bank` and `scalogram`: the filters of a bank over each other and together, and what they make of a sound.

For real sound the power of all filters together is Σ_m (|H_m(ν)|² + |H_m(−ν)|²)/2s, s the stride: what AᴴA does to a tone,
whatever else the stride lets through. Where it is flat the frame is tight; what it leaves out is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import arrays, spectrum
from ..domain import natural
from ..engines.spectral import fast_length
from ..errors import SigconvError
from ..kernels.registry import per
from ..signal import Signal
from .levels import FLOOR
from .panels import along as labelled
from .panels import log_hertz, panels
from .style import GUIDE, INK, PALE, colour_map, line_colours, styled

__all__ = ["Filters", "Scales", "bank", "bank_numbers", "scalogram", "scalogram_numbers"]

FINE, LEAST = 4, 2**13  # how much longer taps are made with zeros to be looked at, and how long at least
POINTS = 1200
SHOWN = 60.0  # dB
HALF = 0.5  # of the power: −3 dB
EVEN = 0.05  # of their mean, how much steps between centres may vary and still be even


@dataclass(frozen=True, slots=True)
class Filters:
    """Responses over `frequency` (f,): `gain` (m, f) in dB, `total` (f,) in dB the power of all together over their strides;
    `centre` (m,), half-way between the −3 dB points, and `width` (m,) between them; `order` sorts the filters by centre; `log`:
    the centres are not evenly spaced."""

    frequency: np.ndarray
    gain: np.ndarray
    total: np.ndarray
    centre: np.ndarray
    width: np.ndarray
    order: np.ndarray
    names: tuple[str, ...]
    log: bool
    per: str


@dataclass(frozen=True, slots=True)
class Scales:
    """`level` (m, n) in dB of the largest, row i about `centre[i]`, rising; `edges` (m + 1,) between them, `time` (n + 1,) where
    the columns begin and end."""

    level: np.ndarray
    centre: np.ndarray
    edges: np.ndarray
    time: np.ndarray
    log: bool
    per: str
    unit: str


def bank_numbers(k: Any, stride: Any = 1) -> Filters:
    """The numbers that `bank` draws.

    >>> import sigconv as sc
    >>> found = bank_numbers(sc.kernels.bank("gammatone:4,200,3000", sc.line(1, 8000)))
    >>> found.centre.round(-1).tolist(), abs(found.gain.max(1)).round(1).tolist()
    ([200.0, 610.0, 1420.0, 3000.0], [0.0, 0.0, 0.0, 0.0])
    """
    pairs = _pairs(k, stride)
    step, unit = float(pairs[0][0].domain.step[0]), pairs[0][0].domain.unit[0]
    found = [(row, s) for kernel, s in pairs for row in _powers(kernel)]
    centre, width = np.array([_band(p) for p, _ in found]).T / step
    gaps = np.diff(np.sort(centre))
    log = bool(len(gaps) > 1 and gaps.std() > EVEN * gaps.mean())
    top = 0.5 / step
    low = max(float(centre[centre > 0].min(initial=top)) / 4, top / 1e4)
    ruler = np.geomspace(low, top, POINTS) if log else np.linspace(0, top, POINTS)
    near = (centre[:, None] + width[:, None] * np.linspace(-1, 1, 9)).ravel()
    frequency = np.unique(np.concatenate([ruler, near[(near >= ruler[0]) & (near <= top)]]))
    rows = np.array([_at(p, frequency * step) for p, _ in found])
    other = np.array([_at(p, -frequency * step) for p, _ in found])
    total = ((rows + other) / 2 / np.array([[s] for _, s in found])).sum(0)
    names = [name for kernel, _ in pairs for name in kernel.channels or [""] * (kernel.value or (1,))[0]]
    return Filters(frequency, _decibels(rows), _decibels(total), centre, width, np.argsort(centre, kind="stable"), tuple(names),
                   log, per(unit))


def bank(k: Any, stride: Any = 1, *, ax: Any = None) -> Any:
    """A bank in frequency: its filters over each other, all of them together, and a map of them sorted by centre.

    `k`: a kernel of value `(m,)` on a line, or pairs (kernel, stride). Above, gains in dB re 1 and, thick, the power of all
    together, divided by the stride, with its range over the band that the centres span: a line that is flat is a tight frame.
    Below, a row for each filter, each to its own largest gain. `ax` as everywhere; returns the first Axes.

    >>> import sigconv as sc
    >>> ax = bank(sc.kernels.bank("gammatone:16", sc.line(1, 16000)), 4)
    >>> ax.get_ylabel(), ax.get_xscale()
    ('gain (dB)', 'log')

    Raises `SigconvError` for what is no bank on a line.
    """
    numbers = bank_numbers(k, stride)
    with styled():
        (gain,), (rows,) = panels(ax, (8.0, 6.4), 2, 1, heights=[1.3, 1.0], share="x")
        order, f = numbers.order, numbers.frequency
        for colour, row in zip(line_colours(max(len(order), 9)), numbers.gain[order], strict=False):
            gain.plot(f, row, color=colour, linewidth=0.9, alpha=0.85)
        inside = _inside(numbers)
        gain.plot(f, numbers.total, color=INK, linewidth=1.8, label="all together")
        low, high = numbers.total[inside].min(), numbers.total[inside].max()
        flat = f"tight if flat: ±{round((high - low) / 2, 9):.3g} dB"
        gain.axhline((low + high) / 2, color=GUIDE, linewidth=1.0, linestyle=(0, (5, 3)), label=flat)
        top = max(float(numbers.gain.max()), float(numbers.total.max()))
        gain.set(ylabel="gain (dB)", ylim=(top - SHOWN, top + 6))
        gain.legend(loc="lower left", ncols=2, framealpha=0.85, frameon=True, edgecolor=PALE)
        gain.grid(True, color=PALE, linewidth=0.5, alpha=0.7)
        gain.tick_params(labelbottom=False)
        if numbers.log:
            gain.set_xscale("log")
        gain.set_xlim(f[0] or f[1] * (not numbers.log), f[-1])
        shade = numbers.gain[order] - numbers.gain[order].max(1, keepdims=True)
        rows.pcolormesh(_between(f), np.arange(len(order) + 1) + 0.5, shade, cmap=colour_map("level"), vmin=-SHOWN, vmax=0,
                        rasterized=True)
        rows.set(ylabel="filter, by centre", ylim=(0.5, len(order) + 0.5))
        if numbers.log:
            log_hertz(rows.xaxis, "frequency", numbers.per)
            gain.xaxis.set_label_text("")
        else:
            labelled(rows.xaxis, "frequency", numbers.per, float(f[-1]))
    return gain


def scalogram_numbers(y: Any, k: Any) -> Scales:
    """The numbers that `scalogram` draws: of several channels of sound the root of their mean power.

    >>> import sigconv as sc
    >>> x = sc.Signal([np.sin(np.arange(800) * 2 * np.pi / 8)], sc.line(800, 8000))
    >>> k = sc.kernels.morlet(x, [500.0, 1000.0, 2000.0], [100.0, 200.0, 400.0])
    >>> found = scalogram_numbers(sc.convolve(x, k, stride=8), k)
    >>> float(found.centre[found.level[:, 50].argmax()].round()), found.level.shape
    (1000.0, (3, 100))
    """
    results = [y] if isinstance(y, Signal) else list(y)
    pairs = _pairs(k, 1)
    if len(results) != len(pairs):
        raise SigconvError(f"{len(results)} results of a bank of {len(pairs)} rates: wanted one for each")
    filters = bank_numbers(k)
    fine = min(results, key=lambda r: float(r.domain.step[0]))
    step, n = float(fine.domain.step[0]), fine.domain.shape[0]
    time = (np.arange(n + 1) - 0.5 + float(fine.domain.start[0])) * step
    rows = []
    for result in results:
        size = np.abs(arrays.to_numpy(result.data)).astype(float)
        size = np.sqrt((size.reshape(-1, *size.shape[-2:]) ** 2).mean(0)) if result.value else size[None]
        own = np.round((time[:-1] + step / 2) / float(result.domain.step[0]) - float(result.domain.start[0])).astype(int)
        rows.append(size[:, np.clip(own, 0, max(size.shape[1] - 1, 0))] if size.shape[1] else np.zeros((len(size), n)))
    level = _decibels(np.concatenate(rows)[filters.order] ** 2)
    centre = filters.centre[filters.order]
    log = filters.log and centre[0] > 0
    edges = _between(np.log(centre)) if log else _between(centre)
    return Scales(level - level.max(initial=FLOOR), centre, np.exp(edges) if log else edges, time, log, filters.per,
                  fine.domain.unit[0])


def scalogram(y: Any, k: Any, *, ax: Any = None) -> Any:
    """What a bank made of a sound: levels in dB of the largest over time and the centres of the filters.

    `y`: `convolve(x, k, stride=s)`, or for pairs the list of their results; `k`: the bank, or its pairs. `ax` as everywhere.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("speech")).between(0, 0.5)
    >>> k = sc.kernels.bank("gammatone:16", x)
    >>> scalogram(sc.convolve(x, k, stride=64), k).get_ylabel()
    'frequency (Hz)'

    Raises `SigconvError` for results that are not of this bank.
    """
    numbers = scalogram_numbers(y, k)
    with styled():
        ((panel,),) = panels(ax, (8.0, 4.2))
        image = panel.pcolormesh(numbers.time, numbers.edges, numbers.level, cmap=colour_map("level"), vmin=-SHOWN, vmax=0,
                                 rasterized=True)
        name = "time" if numbers.unit == "s" else "position"
        labelled(panel.xaxis, name, numbers.unit, float(abs(numbers.time).max(initial=0)))
        if numbers.log:
            panel.set_yscale("log")
            log_hertz(panel.yaxis, "frequency", numbers.per)
        else:
            labelled(panel.yaxis, "frequency", numbers.per, float(numbers.edges[-1]))
        panel.set_ylim(numbers.edges[0], numbers.edges[-1])
        panel.figure.colorbar(image, ax=panel, label="level (dB)", pad=0.02)
    return panel


def _pairs(k: Any, stride: Any) -> list[tuple[Signal, int]]:
    pairs = [(k, stride)] if isinstance(k, Signal) else list(k) if isinstance(k, Sequence) else []
    for pair in pairs or [None]:
        kernel = pair[0] if isinstance(pair, tuple) and len(pair) == 2 else None
        if not isinstance(kernel, Signal) or kernel.domain.ndim != 1 or len(kernel.value) > 1 or not kernel.domain.size:
            got = f"a {type(k).__name__}"
            if isinstance(kernel, Signal):
                got = f"a kernel of value {kernel.value} on {kernel.domain.ndim} axes"
            raise SigconvError(f"{got}: wanted a bank on a line, of value (m,), or pairs of one and its stride")
    return [(kernel.numpy(), natural(s, "stride", 1)[0]) for kernel, s in pairs]


def _powers(k: Signal) -> list[np.ndarray]:
    """|H|² of each filter on an even grid of a whole turn, zero in the middle."""
    taps = k.data.reshape(-1, k.domain.shape[0])
    points = fast_length(max(FINE * taps.shape[1], LEAST))
    return [np.fft.fftshift(np.abs(np.fft.fft(row, points)) ** 2) for row in taps]


def _at(power: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """A power at frequencies in cycles per sample, −½ … ½."""
    n = len(power)
    grid = (np.arange(n + 1) - n // 2) / n
    return np.interp(nu, grid, np.append(power, power[0]))


def _band(power: np.ndarray) -> tuple[float, float]:
    """Centre and width at −3 dB about the largest gain at positive frequencies, in cycles per sample."""
    n = len(power)
    upper = np.append(power[n // 2:], power[0])
    top = int(upper.argmax())
    below = np.flatnonzero(upper < HALF * upper[top])
    first, last = below[below < top], below[below > top]

    def crossing(i: int, j: int) -> float:
        return i + (j - i) * (HALF * upper[top] - upper[i]) / (upper[j] - upper[i])

    low = crossing(first[-1], first[-1] + 1) if len(first) else 0.0
    high = crossing(last[0] - 1, last[0]) if len(last) else len(upper) - 1.0
    return (low + high) / 2 / n, (high - low) / n


def _inside(numbers: Filters) -> np.ndarray:
    f = numbers.frequency
    inside = (f >= numbers.centre.min()) & (f <= numbers.centre.max())
    return inside if inside.any() else np.ones(len(f), bool)


def _between(at: np.ndarray) -> np.ndarray:
    """Where the cells about these positions begin and end."""
    if len(at) < 2:
        width = abs(float(at[0])) * 0.1 or 0.5
        return np.array([at[0] - width, at[0] + width])
    middle = (at[1:] + at[:-1]) / 2
    return np.concatenate([[1.5 * at[0] - 0.5 * at[1]], middle, [1.5 * at[-1] - 0.5 * at[-2]]])


def _decibels(power: np.ndarray) -> np.ndarray:
    return spectrum.decibels(np.sqrt(power), FLOOR)
