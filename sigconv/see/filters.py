"""`taps`: a kernel in its own domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SigconvError
from ..signal import Signal
from .levels import flat
from .maps import Map, Sheet, draw, gathered, peak
from .panels import Axis, along, panels
from .planes import plane, planes, slices
from .style import COLOURS, PALE, styled

__all__ = ["Stems", "plain", "taps", "taps_numbers", "titles"]

STEMS = 200  # taps drawn as stems; more as a line
ROWS = 8  # filters of a bank on a line drawn one below another; more as a map
CELLS = 7  # taps an axis up to which a map has its numbers written


@dataclass(frozen=True, slots=True)
class Stems:
    """Taps on a line: over `at.at`, filter m and part p (real, then imaginary) are ``values[m, p]``; one `limit` for all."""

    at: Axis
    values: np.ndarray
    limit: float
    names: tuple[str, ...]


def taps_numbers(k: Signal) -> Stems | Sheet:
    """The numbers that `taps` draws.

    >>> import sigconv as sc
    >>> stems = taps_numbers(sc.kernel("edge", sc.line(1, 8000)))
    >>> stems.values[0, 0].tolist(), stems.at.at.tolist(), stems.limit
    ([1.0, -1.0], [0.0, 0.000125], 1.0)
    """
    k = plain(k)
    ndim, many = k.domain.ndim, len(k.data)
    if ndim == 1 and many <= ROWS:
        parts = np.stack([k.data.real, k.data.imag], 1) if np.iscomplexobj(k.data) else k.data[:, None]
        return Stems(Axis.of(k.domain, 0), parts, peak(parts), titles(k))
    small = max(k.domain.shape) <= CELLS and (ndim == 3 or many <= 4)
    if ndim == 1:
        return _as_map(k)
    panels_, names, _, _ = planes(k, levels=False)
    top = peak(*panels_)
    look: dict[str, Any] = {"written": small, "origin": True, "bar": "tap", "bins": False}
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
    names = ("real", "imaginary") if len(parts) > 1 else ("",)
    return gathered([Map(v, filters, Axis.of(k.domain, 0), (-top, top), "signed", name, equal=False, bar="tap")
                     for v, name in zip(parts, names, strict=True)])


def plain(k: Signal) -> Signal:
    """The kernel as NumPy with one value axis, every filter named where there are several."""
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


def titles(k: Signal) -> tuple[str, ...]:
    """The names of its filters; one empty one where it has none."""
    return k.channels or ("",)
