"""The numbers behind the words: what the taps alone say of a filter.

Frequencies inside are cycles a sample, lengths samples; `Facts` carries them in the units of the axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import nan, prod
from typing import Any

import numpy as np

from .. import arrays
from ..engines.spectral import fast_length
from ..errors import UsageError, printable
from ..signal import Signal

__all__ = ["Facts", "Spectrum", "facts", "filters"]

ZERO = 1e-6  # of ‖h‖₁: a sum below this is a zero of the filter, not a small gain
SAME_PEAK = 2e-3  # of the largest gain, 0.02 dB: peaks nearer than this are equal (the grid misses their tops by as much)
SAME = 1e-6  # of the largest tap: taps nearer than this are equal (a float32 file keeps that much)


@dataclass(frozen=True, slots=True)
class Facts:
    """Numbers of one filter.

    `taps` an axis; `dc` the gain at frequency 0; `norm1` = Σ|h|, the most that a signal can grow; `norm2` = √Σ|h|², the growth
    of white noise; `symmetry` "even" (for complex taps Hermitian), "odd" or "none"; `delay` in samples, one an axis, for a
    filter with symmetry its constant group delay, else that at its peak (the centre of its energy on more axes); `zero_mean`.
    On a line also `peak` (cycles per unit; the lowest of equal ones) and `peak_gain`, `edges` where the gain passes −3 dB of the
    peak, and `slope` (dB an octave at the low end); NaN and () on more axes.
    """

    taps: tuple[int, ...]
    dc: float | complex
    norm1: float
    norm2: float
    symmetry: str
    delay: tuple[float, ...]
    zero_mean: bool
    peak: float
    peak_gain: float
    edges: tuple[float, ...]
    slope: float


class Spectrum:
    """The response of taps on a line: `frequency` in cycles a sample, complex `gain`, both on a dense grid."""

    def __init__(self, taps: np.ndarray):
        self.taps = taps
        points = fast_length(max((16 if len(taps) < 4096 else 4) * len(taps), 4096))
        if np.iscomplexobj(taps):
            self.frequency = np.fft.fftshift(np.fft.fftfreq(points))
            self.gain = np.fft.fftshift(np.fft.fft(taps, points))
        else:
            self.frequency, self.gain = np.fft.rfftfreq(points), np.fft.rfft(taps, points)

    @cached_property
    def size(self) -> np.ndarray:
        return np.abs(self.gain)

    @cached_property
    def top(self) -> int:
        """Where the gain is largest: of peaks within a rounding of it (an echo's) the lowest."""
        size, most = self.size, float(self.size.max())
        if np.iscomplexobj(self.taps) or not most:
            return int(size.argmax())
        round_top = np.concatenate([[True], size[1:] >= size[:-1]]) & np.concatenate([size[:-1] >= size[1:], [True]])
        return int(np.flatnonzero((size >= (1 - SAME_PEAK) * most) & round_top)[0])

    def crossings(self, level: float) -> np.ndarray:
        """Where |gain| passes the level, between grid points by the line through them."""
        over = self.size - level
        at = np.flatnonzero((over[1:] > 0) != (over[:-1] > 0))
        share = over[at] / (over[at] - over[at + 1])
        return self.frequency[at] + share * (self.frequency[1] - self.frequency[0])


def facts(k: Signal) -> Facts:
    """The numbers of one filter (a kernel of value `()`), from its taps alone.

    >>> import sigconv as sc
    >>> f = facts(sc.kernel("edge", sc.line(1, 8000)))
    >>> f.dc, f.symmetry, f.delay, f.peak, f.peak_gain, round(f.slope, 2)
    (0.0, 'odd', (0.5,), 4000.0, 2.0, 6.02)

    Raises `UsageError` for banks and layers: take `filters(k)`; and for what is no Signal.
    """
    wanted(k, "facts")
    if k.value:
        raise UsageError(f"facts of a kernel of value {k.value}: wanted one filter; take them one by one from study.filters(k)")
    full = plain(k)
    taps, first = trimmed(full, k.domain.start)
    if not taps.size:
        zero = (0.0,) * k.domain.ndim
        return Facts(k.domain.shape, 0.0, 0.0, 0.0, "even", zero, True, nan, 0.0, (), nan)
    norm1, total = float(np.abs(taps).sum()), taps.sum()
    dc = complex(total) if np.iscomplexobj(taps) else float(total)
    symmetry, silent = parity(taps), abs(dc) <= ZERO * norm1
    spectrum = Spectrum(taps) if k.domain.ndim == 1 else None
    line = _on_line(taps, k, spectrum) if spectrum else (nan, nan, (), nan)
    return Facts(k.domain.shape, 0.0 if silent else dc, norm1, _norm(taps), symmetry,
                 delay_of(taps, first, symmetry, spectrum), bool(silent), *line)


def _norm(taps: np.ndarray) -> float:
    top = float(np.abs(taps).max())
    return top * float(np.sqrt((np.abs(taps / top) ** 2).sum()))


def filters(k: Signal) -> Iterator[Signal]:
    """The filters of a bank or layer, one by one.

    >>> import sigconv as sc
    >>> [float(f.data[0]) for f in filters(sc.Signal([[1.0], [2.0]], sc.line(1, 8000)))]
    [1.0, 2.0]
    """
    wanted(k, "filters")
    for index in np.ndindex(*k.value):
        yield Signal(k.data[index], k.domain)


def wanted(k: Any, what: str) -> None:
    """Refuse what is no Signal."""
    if not isinstance(k, Signal):
        got = repr(k) if k is None or (isinstance(k, str) and len(k) < 60) else f"a {type(k).__name__}"
        spec = repr(k) if got.startswith(("'", '"')) else "spec"
        raise UsageError(printable(f"{what} of {got}: wanted a Signal; make a kernel with sc.kernel({spec}, like)"))


def plain(k: Signal) -> np.ndarray:
    """The taps as NumPy float64 or complex128."""
    taps = arrays.to_numpy(k.data)
    return taps.astype(np.complex128 if np.iscomplexobj(taps) else np.float64)


def trimmed(taps: np.ndarray, start: tuple) -> tuple[np.ndarray, tuple[float, ...]]:
    """The taps without the zeros around them, and the index of the first that stays."""
    size = np.abs(taps)
    if not size.size or not size.max():
        return taps[(slice(0, 0),) * taps.ndim], tuple(map(float, start))
    kept = size > 1e-12 * size.max()
    cut, first = [], []
    for axis, begin in enumerate(start):
        along = np.flatnonzero(kept.any(axis=tuple(a for a in range(taps.ndim) if a != axis)))
        cut.append(slice(int(along[0]), int(along[-1]) + 1))
        first.append(float(begin) + int(along[0]))
    taps = taps[tuple(cut)]
    return (taps.real if np.iscomplexobj(taps) and not taps.imag.any() else taps), tuple(first)


def parity(taps: np.ndarray) -> str:
    """"even", "odd" or "none" about the middle of the taps, on all axes at once."""
    mirrored, near = np.conj(np.flip(taps)), SAME * np.abs(taps).max()
    if np.abs(taps - mirrored).max() <= near:
        return "even"
    return "odd" if np.abs(taps + mirrored).max() <= near else "none"


def delay_of(taps: np.ndarray, first: tuple[float, ...], symmetry: str, spectrum: Spectrum | None = None) -> tuple[float, ...]:
    """The delay in samples, one an axis; `spectrum`: that of the taps, where it is known."""
    if symmetry != "none":
        return tuple(a + (n - 1) / 2 for a, n in zip(first, taps.shape, strict=True))
    if taps.ndim == 1:
        at = np.arange(len(taps))
        spectrum = spectrum or Spectrum(taps)
        turn = np.exp(-2j * np.pi * spectrum.frequency[spectrum.top] * at)
        return (first[0] + float(((taps * at * turn).sum() / (taps * turn).sum()).real),)
    energy = np.abs(taps) ** 2
    where = np.meshgrid(*map(np.arange, taps.shape), indexing="ij", sparse=True)
    return tuple(a + float((energy * i).sum() / energy.sum()) for a, i in zip(first, where, strict=True))


def low_slope(taps: np.ndarray) -> float:
    """dB an octave over the octave that ends at 1/(32 K) of the rate."""
    if np.iscomplexobj(taps):
        return nan
    at = np.arange(len(taps)) - (len(taps) - 1) / 2
    end = 1 / (32 * max(len(taps), 2))
    low, high = (abs(np.sum(taps * np.exp(-2j * np.pi * f * at))) for f in (end / 2, end))
    return float(20 * np.log10(high / low)) if low > 1e-13 * np.abs(taps).sum() and high else nan


def _on_line(taps: np.ndarray, k: Signal, spectrum: Spectrum) -> tuple[float, float, tuple[float, ...], float]:
    rate = float(1 / k.domain.step[0])
    top, peak_gain = spectrum.top, float(spectrum.size.max())
    edges = tuple(float(f) * rate for f in spectrum.crossings(peak_gain / np.sqrt(2))[:16])
    return float(spectrum.frequency[top]) * rate, peak_gain, edges, low_slope(taps)


def count(shape: tuple[int, ...]) -> str:
    """`"2 taps"`, `"3 × 3 taps"`."""
    return f"{' × '.join(map(str, shape))} tap{'s' * (prod(shape) != 1)}"
