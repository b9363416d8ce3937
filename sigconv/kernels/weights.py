"""Weights over an axis of frequencies, (bands, bins): what sums the bins of a spectrum into mel bands and pitch classes.

They are banks on the frequency axis, one filter a place, so matrices: `weights @ spectrum`. Bins are given as their frequencies
in Hz: an array, or the axis of a spectrogram (a Domain or Signal with an axis in Hz). Differentiable in centres that are tensors.
"""

from __future__ import annotations

from typing import Any
from warnings import warn

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import SigconvWarning, UsageError, among
from ..scales import A4, spaced
from ..signal import Signal
from .registry import number, whole

__all__ = ["chroma_weights", "mel_weights", "triangles"]


def mel_weights(frequency: Any, count: int = 128, low: float = 0.0, high: float | None = None, *, formula: str = "slaney",
                norm: str | None = "slaney") -> np.ndarray:
    """Triangles evenly spaced in mels: rows sum a spectrum at `frequency` (Hz, (bins,)) into `count` bands, (count, bins).

    Band i rises from centre i − 1 to its own and falls to centre i + 1, the outermost from `low` and to `high` (by default
    the last frequency). `formula`: slaney or htk, of the mel. `norm` "slaney": area 1 over Hz; None: peak 1 at the centre.
    Those of `librosa.filters.mel`, in float64. Bands between two bins are empty, and said (`SigconvWarning`).

    >>> mel_weights(np.arange(0, 4001, 250.0), 4, norm=None).shape
    (4, 17)

    Raises `UsageError` for frequencies that do not rise, ends out of order, and fewer than one band.
    """
    f = _bins(frequency)
    high = float(f[-1]) if high is None else number(high, "high", "Hz")
    n, low = whole(count, "count"), number(low, "low", "Hz", least=0, below=high)
    among(formula, ("slaney", "htk"), "formula")
    if norm is not None:
        among(norm, ("slaney",), "norm")
    weights = triangles(f, spaced(low, high, n + 2, "mel" if formula == "slaney" else "htk"), area=norm is not None)
    empty = np.flatnonzero(weights.max(axis=1) == 0)
    if len(empty):
        warn(f"{len(empty)} of {n} mel bands are empty (the first is band {empty[0]}): no bin lies in them, bins stand "
             f"{np.diff(f).max():g} Hz apart; take a longer window, fewer bands, or a higher low", SigconvWarning, stacklevel=2)
    return weights


def triangles(frequency: Any, edges: Any, *, area: bool = False) -> Array:
    """Triangular bands over `frequency` (Hz, (bins,)): band i stands on edges i, i + 1 and i + 2, its peak at the middle one.

    (m, bins) for m + 2 `edges`, rising. Peak 1, or with `area` an area of 1 over Hz. Differentiable in the edges.

    >>> triangles([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 4.0]).tolist()
    [[0.0, 0.5, 1.0, 0.5, 0.0]]
    """
    xp, (corners, f) = arrays.constants(edges, _bins(frequency))
    values = arrays.to_numpy(corners)
    if values.ndim != 1 or len(values) < 3 or not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
        raise UsageError(f"edges of shape {values.shape}: wanted at least three, rising")
    far, wide = corners[:, None] - f, corners[1:] - corners[:-1]
    rising, falling = -far[:-2] / wide[:-1, None], far[2:] / wide[1:, None]
    weights = xp.clip(xp.minimum(rising, falling), 0, None)
    return weights * (2 / (corners[2:] - corners[:-2]))[:, None] if area else weights


def chroma_weights(frequency: Any, bins: int = 12, *, tuning: float = 0.0, centre: float = 5.0, width: float | None = 2.0,
                   norm: float | None = 2.0, first: str = "C") -> np.ndarray:
    """Pitch classes: rows sum a spectrum at `frequency` (Hz, (n,), evenly spaced) into `bins` classes, (bins, n), from C on.

    A bin counts for a class by a Gaussian of their distance round the octave, as wide as the bin (at least one class). Each
    column is scaled to `norm` 1 (2, 1, inf, or None), then weighed by a Gaussian over octaves, counted from A0, about `centre`,
    `width` wide (None: all alike). `tuning`: of the recording, in classes away from A440; `first`: C or A. The bin at 0 Hz is
    put 1.5 octaves below the next. Those of `librosa.filters.chroma`, in float64. (Ellis, "Chroma feature analysis", 2007.)

    >>> w = chroma_weights(np.arange(0, 11025.1, 11025 / 2048))
    >>> w.shape, int(np.argmax(w[:, 82]))                   # 441 Hz: an A
    ((12, 2049), 9)

    Raises `UsageError` for frequencies that are not evenly spaced from 0.
    """
    f, m = _bins(frequency), whole(bins, "bins")
    step = f[1]
    if f[0] != 0 or not np.allclose(np.diff(f), step, rtol=1e-9):
        raise UsageError(f"frequencies from {f[0]:g} Hz: wanted evenly spaced ones from 0 Hz on, as an STFT has them")
    among(first, ("C", "A"), "first")
    a0 = A4 * 2 ** (number(tuning, "tuning") / m) / 16
    at = m * np.log2(np.append(f[1:], f[-1] + step) / a0)
    at = np.concatenate([[at[0] - 1.5 * m], at])
    wide, at = np.maximum(np.diff(at), 1.0), at[:-1]
    half = np.round(m / 2)
    far = np.remainder(at - np.arange(m)[:, None] + half + 10 * m, m) - half
    weights = np.exp(-0.5 * (2 * far / wide) ** 2)
    if norm is not None:
        size = np.linalg.norm(weights, ord=number(norm, "norm", above=0) if np.isfinite(norm) else np.inf, axis=0)
        weights = weights / np.where(size > np.finfo(np.float64).tiny, size, 1.0)
    if width is not None:
        weights = weights * np.exp(-0.5 * ((at / m - number(centre, "centre")) / number(width, "width", above=0)) ** 2)
    return np.roll(weights, -3 * (m // 12), axis=0) if first == "C" else weights


def _bins(frequency: Any) -> np.ndarray:
    """Frequencies in Hz, of an array or of the axis in Hz that a grid has."""
    grid = frequency.domain if isinstance(frequency, Signal) else frequency
    if isinstance(grid, Domain):
        axes = [a for a, unit in enumerate(grid.unit) if unit == "Hz"]
        if len(axes) != 1:
            raise UsageError(f"weights over axes in {', '.join(grid.unit)}: wanted one in Hz, as a spectrogram has")
        a, = axes
        return (float(grid.start[a]) + np.arange(grid.shape[a])) * float(grid.step[a])
    try:
        f = np.asarray(arrays.to_numpy(frequency) if arrays.is_tensor(frequency) else frequency, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError("frequencies that are no numbers: wanted numbers in Hz") from None
    if f.ndim != 1 or len(f) < 2 or not (np.isfinite(f).all() and (np.diff(f) > 0).all()):
        raise UsageError(f"frequencies of shape {f.shape}: wanted at least two, rising, in Hz")
    return f
