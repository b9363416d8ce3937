"""`taps` and `response`: a kernel in its own domain, and in frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import spectrum
from ..engines.spectral import fast_length
from ..errors import SigconvError
from ..signal import Signal
from .levels import FLOOR, flat
from .maps import Map, Sheet, draw, gathered, peak
from .panels import Axis, along, log_hertz, panels
from .pictures import CUTS, plane, planes, slices
from .style import COLOURS, PALE, line_colours, styled

__all__ = ["Curves", "Stems", "response", "response_numbers", "taps", "taps_numbers"]

STEMS = 200  # taps drawn as stems; more as a line
HALF_TURN = -180 + 1e-6  # degrees; what rounds to it is drawn as +180
ROWS = 8  # filters of a bank on a line drawn one below another; more as a map
CELLS = 7  # taps an axis up to which a map has its numbers written
DEPTH = 100.0  # dB shown below the largest gain
SHOWN = 60.0  # dB of a map of gains
FAINT = 80.0  # dB below the largest gain from which phase and delay are left out
LONG = 8192  # taps whose Fourier bins are dense enough on a logarithmic axis
SHARE = 0.005  # of the energy, whose delays may lie outside the panel, on either side


@dataclass(frozen=True, slots=True)
class Stems:
    """Taps on a line: over `at.at`, filter m and part p (real, then imaginary) are ``values[m, p]``; one `limit` for all."""

    at: Axis
    values: np.ndarray
    limit: float
    names: tuple[str, ...]


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


def taps_numbers(k: Signal) -> Stems | Sheet:
    """The numbers that `taps` draws.

    >>> import sigconv as sc
    >>> stems = taps_numbers(sc.kernel("edge", sc.line(1, 8000)))
    >>> stems.values[0, 0].tolist(), stems.at.at.tolist(), stems.limit
    ([1.0, -1.0], [0.0, 0.000125], 1.0)
    """
    k = _plain(k)
    ndim, many = k.domain.ndim, len(k.data)
    if ndim == 1 and many <= ROWS:
        parts = np.stack([k.data.real, k.data.imag], 1) if np.iscomplexobj(k.data) else k.data[:, None]
        return Stems(Axis.of(k.domain, 0), parts, peak(parts), _titles(k))
    small = max(k.domain.shape) <= CELLS and (ndim == 3 or many <= 4)
    if ndim == 1:
        return _as_map(k)
    panels_, names, _, _ = planes(k)
    top = peak(*panels_)
    look: dict[str, Any] = {"written": small, "origin": True}
    if ndim == 3:
        at = tuple(min(max(0.0, axis.at[0]), axis.at[-1]) for axis in (Axis.of(k.domain, i) for i in range(3)))
        cuts = tuple(slices(v, k, (-top, top), "signed", n, at, **look) for v, n in zip(panels_[:6], names, strict=False))
        return Sheet(cuts, "", max(len(panels_) - 6, 0))
    axes = Axis.of(k.domain, 0), Axis.of(k.domain, 1)
    return gathered([plane(v, *axes, (-top, top), "signed", n, **look) for v, n in zip(panels_, names, strict=True)])


def taps(k: Signal, *, ax: Any = None) -> Any:
    """The taps of a kernel, a bank or a layer: stems on a line, a map in two dimensions, slices through the origin in three.

    On a line more than 200 taps are drawn as a curve, banks as rows to one scale and, above 8 filters, as a map over
    (filter, time). Maps are white at 0, equally deep for equal magnitudes on both sides; up to 7 × 7 the numbers stand in
    the cells; the cell at the origin of Ω is framed. Complex taps show real and imaginary parts. `ax`: its place is
    divided; None: a new figure. Returns the first Axes.

    >>> import sigconv as sc
    >>> ax = taps(sc.kernel("edge", sc.line(1, 8000)))
    >>> ax.get_xlabel(), ax.lines[-1].get_ydata().tolist()
    ('time (µs)', [1.0, -1.0])

    Raises `SigconvError` for a kernel without taps.
    """
    numbers = taps_numbers(k)
    if isinstance(numbers, Sheet):
        return draw(numbers, ax)
    rows = len(numbers.names)
    with styled():
        table = panels(ax, (7.0, 1.2 + 1.4 * rows + 0.8 * (rows == 1)), rows, 1, share="xy")
        for i, (row,) in enumerate(table):
            _stems(row, numbers, i)
            row.tick_params(labelbottom=i + 1 == rows)
            if i + 1 < rows:
                row.xaxis.set_label_text("")
        low, high = numbers.at.edges
        margin = 0.02 * (high - low)
        table[0][0].set(xlim=(low - margin, high + margin), ylim=(-1.12 * numbers.limit, 1.12 * numbers.limit))
    return table[0][0]


def _stems(ax: Any, numbers: Stems, i: int) -> None:
    at, parts = numbers.at, numbers.values[i]
    ax.axhline(0, color=PALE, linewidth=0.7, zorder=0)
    ax.axvline(0, color=PALE, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
    for part, (values, word) in enumerate(zip(parts, ("real", "imaginary"), strict=False)):
        if at.n > STEMS:
            ax.plot(at.at, values, color=COLOURS[part], label=word)
            continue
        size = 5 if at.n <= 64 else 3
        ax.vlines(at.at, 0, values, color=COLOURS[part], linewidth=1.0)
        ax.plot(at.at, values, "oD"[part], color=COLOURS[part], markersize=size - part, label=word)
    along(ax.xaxis, at.name, at.unit, max(map(abs, at.edges)))
    ax.set(ylabel="tap", title=numbers.names[i])
    if len(parts) > 1:
        ax.legend(loc="upper right", ncols=2)


def _as_map(k: Signal) -> Sheet:
    """A bank on a line as maps over (filter, time)."""
    filters = Axis("filter", "", 0.0, 1.0, len(k.data))
    parts = [k.data.real, k.data.imag] if np.iscomplexobj(k.data) else [k.data]
    top = peak(*parts)
    return gathered([Map(v, filters, Axis.of(k.domain, 0), (-top, top), "signed", word if len(parts) > 1 else "", equal=False)
                     for v, word in zip(parts, ("real", "imaginary"), strict=False)])


def response_numbers(k: Signal) -> Curves | Sheet:
    """The numbers that `response` draws.

    >>> import sigconv as sc
    >>> curves = response_numbers(sc.kernel("edge", sc.line(1, 8000)))
    >>> curves.frequency[[0, -1]].tolist(), curves.gain[0, [0, -1]].round(2).tolist()
    ([0.0, 4000.0], [-200.0, 6.02])
    """
    k = _plain(k)
    if k.domain.ndim > 1:
        return _maps(k)
    found = spectrum.response(k)
    frequency, gain, delay = found.frequency, found.gain, found.delay
    log = not np.iscomplexobj(k.data)
    if log and k.domain.shape[0] <= LONG:
        # Bins a constant distance apart are sparse on a logarithmic axis: below the 64th, add points at even ratios.
        low = np.geomspace(frequency[-1] / 1000, frequency[64], 256)
        below = spectrum.response(k, low)
        frequency, order = np.unique(np.concatenate([frequency, low]), return_index=True)
        gain = np.concatenate([gain, below.gain], -1)[..., order]
        delay = np.concatenate([delay, below.delay], -1)[..., order]
    level = spectrum.decibels(gain, FLOOR)
    delay = np.where(level < level.max(-1, keepdims=True) - FAINT, np.nan, delay)
    phase = np.degrees(np.angle(gain))
    phase = np.where(np.isnan(delay), np.nan, np.where(phase < HALF_TURN, phase + 360, phase))
    step = float(k.domain.step[0])
    return Curves(frequency, level, phase, delay, _titles(k), log, "Hz" if k.domain.unit == ("s",) else f"1/{k.domain.unit[0]}",
                  k.domain.unit[0], _delays(level, delay, step))


def response(k: Signal, *, ax: Any = None) -> Any:
    """The frequency response of a kernel: gain, phase and group delay over log frequency; in two and three dimensions the
    gain over the frequencies.

    Gain is dB re 1, at most 100 dB of it; phase is that of taps where they stand on Ω (a kernel symmetric about the origin
    has none but 180°), and with the group delay left out where the magnitude vanishes. Banks are drawn over each other.
    Complex taps have a linear axis, about the frequencies that they let through.
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
        for i, colour in enumerate(colours):
            gain.plot(numbers.frequency, numbers.gain[i], color=colour, label=numbers.names[i])
            phase.plot(*_broken(numbers.frequency, numbers.phase[i]), color=colour)
            delay.plot(numbers.frequency, numbers.delay[i], color=colour)
        _frequencies((gain, phase, delay), numbers)
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


def _broken(at: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The curve with a gap wherever it wraps round or changes sign."""
    with np.errstate(invalid="ignore"):
        jumps = np.flatnonzero(np.abs(np.diff(degrees)) > 179) + 1
    return np.insert(at, jumps, np.nan), np.insert(degrees, jumps, np.nan)


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
    axes = []
    for i, n in enumerate(points):
        step = float(1 / (n * k.domain.step[i]))
        axes.append(Axis(f"{k.domain.name[i]} frequency", f"1/{k.domain.unit[i]}", -(n // 2) * step, step, n))
    size = np.abs(np.fft.fftshift(np.fft.fftn(k.data, points, axes=range(1, ndim + 1)), axes=range(1, ndim + 1)))
    level = spectrum.decibels(size, FLOOR)
    top = float(level.max()) if level.max() > FLOOR else 0.0
    limits, names = (top - SHOWN, top), _titles(k)
    alike = len(set(k.domain.unit)) == 1
    if ndim == 2:
        maps = [Map(v, axes[0], axes[1], limits, "level", n, equal=alike) for v, n in zip(level, names, strict=True)]
        return gathered(maps, "gain (dB)")
    rows = tuple(tuple(Map(np.take(v, points[cut] // 2, cut), axes[a], axes[b], limits, "level",
                           f"{n}, {k.domain.name[cut]} frequency 0".removeprefix(", "), equal=alike) for cut, (a, b) in CUTS)
                 for v, n in zip(level[:6], names, strict=False))
    return Sheet(rows, "gain (dB)", max(len(level) - 6, 0))


def _plain(k: Signal) -> Signal:
    if not isinstance(k, Signal):
        raise SigconvError(f"a {type(k).__name__} as kernel: wanted a Signal, e.g. sc.kernel(spec, x.domain)")
    if not k.data.shape or 0 in k.data.shape:
        raise SigconvError("a kernel without taps: wanted at least one")
    whole = flat(k)
    if whole.channels or len(whole.data) == 1:
        return whole
    if len(k.value) == 2:
        names = [f"{m} ← {c}" for m in range(k.value[0]) for c in range(k.value[1])]
    else:
        names = [f"filter {i}" for i in range(len(whole.data))]
    return Signal(whole.data, whole.domain, names)


def _titles(k: Signal) -> tuple[str, ...]:
    return k.channels or ("",)
