"""`response`: a kernel in frequency.

Taps that last T turn their response about every 1/T: 16 points to a turn, and below the 64th of them points at even ratios,
make a curve on a logarithmic axis; where it turns faster than the picture has columns, the range of each column is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import spectrum
from ..domain import Domain
from ..engines.spectral import fast_length
from ..signal import Signal
from .bands import COLUMNS, ruled
from .filters import plain, titles
from .levels import FLOOR
from .maps import Map, Sheet, draw, gathered
from .panels import Axis, along, log_hertz, panels
from .planes import CUTS
from .style import PALE, line_colours, styled

__all__ = ["Curves", "response", "response_numbers"]

HALF_TURN = -180 + 1e-6  # degrees; what rounds to it is drawn as +180
DEPTH = 100.0  # dB shown below the largest gain
SHOWN = 60.0  # dB of a map of gains
FAINT = 80.0  # dB below the largest gain from which phase and delay are left out
LONG = 2**16  # taps from which points at even ratios would take too long
FINE, WIDE = 4, 2**20  # how much longer taps are made with zeros, but not beyond so many in all
SHARE = 0.005  # of the energy, whose delays may lie outside the panel, on either side


@dataclass(frozen=True, slots=True)
class Curves:
    """A response on a line: over `frequency`, a row a filter: `gain` in dB, `phase` in degrees, `delay` in units of Ω, the
    last two NaN where the magnitude vanishes, or lies 80 dB below the largest. `log`: 0 is in the numbers, and left of
    the picture."""

    frequency: np.ndarray
    gain: np.ndarray
    phase: np.ndarray
    delay: np.ndarray
    names: tuple[str, ...]
    log: bool
    unit: str
    per: str
    delays: tuple[float, float]


def response_numbers(k: Signal) -> Curves | Sheet:
    """The numbers that `response` draws.

    >>> import sigconv as sc
    >>> curves = response_numbers(sc.kernel("edge", sc.line(1, 8000)))
    >>> curves.frequency[[0, -1]].tolist(), curves.gain[0, [0, -1]].round(2).tolist()
    ([0.0, 4000.0], [-200.0, 6.02])
    """
    k = plain(k)
    if k.domain.ndim > 1:
        return _maps(k)
    found, log = _fine(k), not np.iscomplexobj(k.data)
    frequency, gain, delay = found.frequency, found.gain, found.delay
    level = spectrum.decibels(gain, FLOOR)
    delay = np.where(level < level.max(-1, keepdims=True) - FAINT, np.nan, delay)
    phase = np.degrees(np.angle(gain))
    phase = np.where(np.isnan(delay), np.nan, np.where(phase < HALF_TURN, phase + 360, phase))
    step = float(k.domain.step[0])
    return Curves(frequency, level, phase, delay, titles(k), log, "Hz" if k.domain.unit == ("s",) else f"1/{k.domain.unit[0]}",
                  k.domain.unit[0], _delays(level, delay, step))


def _fine(k: Signal) -> spectrum.Response:
    """The response of taps on a line at frequencies dense enough to draw, for real taps 0 and a logarithmic axis."""
    n, omega = k.domain.shape[0], k.domain
    wide = n * min(max(WIDE // k.data.size, 1), FINE)
    found = spectrum.response(k.on(Domain((wide,), omega.step, omega.start, omega.unit, omega.name)))
    if np.iscomplexobj(k.data):
        return found
    frequency, gain, delay = found.frequency, found.gain, found.delay
    begin = frequency[-1] / max(2 * n, 1000)
    if n <= LONG:
        low = np.geomspace(begin, frequency[64], 256 if 64 * n <= LONG else 128)
        parts = [spectrum.response(k, some) for some in np.array_split(low, 1 + low.size * n // 2**21)]
        frequency, order = np.unique(np.concatenate([frequency, low]), return_index=True)
        gain = np.concatenate([gain, *(p.gain for p in parts)], -1)[..., order]
        delay = np.concatenate([delay, *(p.delay for p in parts)], -1)[..., order]
    else:
        begin *= 4
    kept = (frequency == 0) | (frequency >= begin)
    return spectrum.Response(frequency[kept], gain[..., kept], delay[..., kept])


def response(k: Signal, *, ax: Any = None) -> Any:
    """The frequency response of a kernel: gain, phase and group delay over log frequency; in two and three dimensions the
    gain over the frequencies.

    Gain is dB re 1, at most 100 dB of it; phase is that of taps where they stand on Ω (a kernel symmetric about the origin
    has none but 180°), and with the group delay left out where the magnitude vanishes. Banks are drawn over each other.
    Complex taps have a linear axis, about the frequencies that they let through.
    Where a curve turns more than once in a column of the picture (combs, rooms), a band fills the range of each column.
    `ax`: its place is divided; None: a new figure. Returns the first Axes, the gain.

    >>> import sigconv as sc
    >>> ax = response(sc.kernel("edge", sc.line(1, 8000)))
    >>> ax.get_xscale(), [a.get_ylabel() for a in ax.figure.axes]
    ('log', ['gain (dB)', 'phase (°)', 'group delay (µs)'])

    Raises `SigconvError` for a kernel without taps.
    """
    numbers = response_numbers(k)
    if isinstance(numbers, Sheet):
        return draw(numbers, ax)
    with styled():
        (gain,), (phase,), (delay,) = panels(ax, (7.0, 5.6), 3, 1, heights=[1.6, 1.0, 1.0], share="x")
        colours = line_colours(len(numbers.names))
        _frequencies((gain, phase, delay), numbers)
        begin, end = gain.get_xlim()
        columns = (np.geomspace if numbers.log else np.linspace)(begin, end, COLUMNS + 1)
        for i, colour in enumerate(colours):
            ruled(gain, numbers.frequency, numbers.gain[i], columns, 0.05, colour, label=numbers.names[i])
            ruled(phase, numbers.frequency, numbers.phase[i], columns, 1.0, colour, wraps=True)
            ruled(delay, numbers.frequency, numbers.delay[i], columns, 0.01 * np.ptp(numbers.delays), colour)
        gain.set_xlim(begin, end)
        top = float(numbers.gain.max(initial=FLOOR))
        low = max(float(numbers.gain.min(initial=0.0, where=numbers.frequency > 0)), top - DEPTH)
        gain.set(ylabel="gain (dB)", ylim=(low - 3, top + 3) if top - low > 6 else (top - 6, top + 6))
        gain.set_title(f"0 {numbers.unit}: {_gains(numbers)}" if numbers.log and len(colours) == 1 else "")
        phase.set(ylabel="phase (°)", ylim=(-190, 190), yticks=[-180, -90, 0, 90, 180])
        along(delay.yaxis, "group delay", numbers.per, max(map(abs, numbers.delays)))
        delay.set_ylim(*numbers.delays)
        if 1 < len(colours) <= 12:
            gain.legend(loc="best", ncols=2 if len(colours) > 4 else 1)
    return gain


def _frequencies(rows: tuple[Any, ...], numbers: Curves) -> None:
    name, last = "frequency", rows[-1].xaxis
    if numbers.log:
        rows[0].set_xscale("log")
        log_hertz(last, name, numbers.unit)
        rows[0].set_xlim(numbers.frequency[1], numbers.frequency[-1])
    else:
        rows[0].set_xlim(*_carried(numbers))
        along(last, name, numbers.unit, float(np.abs(numbers.frequency).max()))
    for row in rows:
        row.grid(True, which="major", color=PALE, linewidth=0.5, alpha=0.7)
        row.tick_params(labelbottom=row is rows[-1])
    for row in rows[:-1]:
        row.xaxis.set_label_text("")


def _carried(numbers: Curves) -> tuple[float, float]:
    """The frequencies that complex taps let through, half as much again on either side."""
    level, ends = numbers.gain.max(0), numbers.frequency[[0, -1]]
    low, high = numbers.frequency[level > level.max() - SHOWN][[0, -1]]
    margin = max((high - low) / 2, (ends[1] - ends[0]) / 100)
    return max(low - margin, ends[0]), min(high + margin, ends[1])


def _gains(numbers: Curves) -> str:
    level = float(numbers.gain[0, np.searchsorted(numbers.frequency, 0.0)])
    if level <= FLOOR + 1e-9 or level < numbers.gain.max() - 150:
        return "gain 0"
    return f"{level:+.2f} dB".replace("-", "−") if abs(level) >= 0.005 else "0.00 dB"


def _delays(level: np.ndarray, delay: np.ndarray, step: float) -> tuple[float, float]:
    """Limits for the delay that all but `SHARE` of the energy on either side lies within, at least a sample wide."""
    known = np.isfinite(delay)
    low = high = 0.0
    if known.any():
        order = np.argsort(delay[known])
        energy = np.cumsum(10 ** ((level[known] - level.max()) / 10)[order])
        low, high = delay[known][order][np.searchsorted(energy, energy[-1] * np.array([SHARE, 1 - SHARE]))].tolist()
    margin = max(0.08 * (high - low), step - (high - low), 0.0)
    return low - margin / (1 + (high - low < step)), high + margin / (1 + (high - low < step))


def _maps(k: Signal) -> Sheet:
    """|H| in dB over two frequencies, or over the slices of three that meet at 0."""
    ndim = k.domain.ndim
    least = 128 if ndim == 2 else 48
    points = [fast_length(max(n, least)) for n in k.domain.shape]
    axes, alike = [], len(set(k.domain.unit)) == 1
    for i, n in enumerate(points):
        step = float(1 / (n * k.domain.step[i]))
        name = f"{k.domain.name[i]} frequency" if alike else f"ripples along {k.domain.name[i]}"
        axes.append(Axis(name, f"1/{k.domain.unit[i]}", -(n // 2) * step, step, n))
    size = np.abs(np.fft.fftshift(np.fft.fftn(k.data, points, axes=range(1, ndim + 1)), axes=range(1, ndim + 1)))
    level = spectrum.decibels(size, FLOOR)
    top = float(level.max()) if level.max() > FLOOR else 0.0
    limits, names = (top - SHOWN, top), titles(k)
    if ndim == 2:
        maps = [Map(v, axes[0], axes[1], limits, "level", n, not alike, alike) for v, n in zip(level, names, strict=True)]
        return gathered(maps, "gain (dB)")
    rows = tuple(tuple(Map(np.take(v, points[cut] // 2, cut), axes[a], axes[b], limits, "level",
                           f"{n}, {k.domain.name[cut]} frequency 0".removeprefix(", "), equal=alike) for cut, (a, b) in CUTS)
                 for v, n in zip(level[:6], names, strict=False))
    return Sheet(rows, "gain (dB)", max(len(level) - 6, 0))
