"""Filters that are best in a sense, through scipy.signal, which is imported here on request only.

Equiripple (`remez`, Parks & McClellan) has the least largest error over the bands, least squares (`firls`) the least sum of
squares; between the bands, over `width`, both leave the gain free. Minimum phase (`minimum_phase`, homomorphic) moves all zeros
into the unit circle: the same gain, with its energy as early as it can be. No gradient runs through any of them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .. import arrays
from ..errors import UsageError
from .registry import number

__all__ = ["METHODS", "PHASES", "best", "early", "served"]

METHODS, PHASES = ("window", "equiripple", "ls"), ("linear", "minimum")
LONGEST = {"equiripple": 4097, "ls": 4097, "minimum": 16385}  # taps: a second's work
LENGTH = 3.3  # taps · width / rate, where one of taps and width is not given: equiripple reaches about 60 dB


def served(ndim: int, method: str, phase: str, window: tuple[str, Any], parameters: tuple[Any, ...]) -> bool:
    """Whether a design goes through here; refused on more axes, for tensors, and with a window that it would not read."""
    asked = f"method {method}" if method != "window" else f"phase {phase}"
    if (method, phase) == ("window", "linear"):
        return False
    if ndim > 1:
        raise UsageError(f"{asked} on {ndim} axes: it designs along a line; wanted method=window and phase=linear")
    if any(arrays.is_tensor(p) for p in (*parameters, window[1])):
        raise UsageError(f"{asked} with a tensor: no gradient runs through this design; wanted numbers, or method=window and "
                         "phase=linear")
    if method != "window" and window != ("hamming", 8.6):
        raise UsageError(f"window {window[0]} with method {method}: wanted one of them, only method=window takes a window")
    return True


def best(method: str, count: int, cut: tuple[Any, ...], width: Any, rate: float, stop: bool, unit: str) -> np.ndarray:
    """Taps by `remez` or `firls` for these edges, each in the middle of a transition of `width`.

    Where `width` is not given it is 3.3 · rate/taps, but no wider than the bands beside it are.
    """
    from scipy import signal

    if count < 3 or (method == "ls" and count % 2 == 0):
        raise UsageError(f"taps {count} for method {method}: wanted {'an odd number, ' * (method == 'ls')}3 or more; "
                         f"take {max(count + 1, 3)}")
    _short(count, method, "width")
    cuts = [number(f, "cutoff") for f in cut]
    room = min(cuts[0], rate / 2 - cuts[-1], *((b - a) / 2 for a, b in pairwise(cuts)))
    wide = min(LENGTH * rate / count, room) if width is None else number(width, "width", unit, above=0, below=2 * room)
    edges = [0.0, *(e for f in cuts for e in (f - wide / 2, f + wide / 2)), rate / 2]
    passes = [float(band % 2 == (len(cuts) == 2) ^ stop) for band in range(len(cuts) + 1)]
    design = {"equiripple": _equiripple, "ls": _least}[method]
    taps = design(signal, count, edges, passes, rate)
    if taps is None and count % 2:  # δ − the best pass is the best stop, and remez finds long band-passes where it loses stops
        passed = design(signal, count, edges, [1 - p for p in passes], rate)
        taps = None if passed is None else (np.arange(count) == count // 2) - passed
    if taps is None:
        raise UsageError(f"method {method}, {count} taps over a width of {wide:g} {unit}".rstrip() + ": it did not converge; "
                         "wanted another number of taps or another width, or method=ls")
    return taps


def _equiripple(signal: Any, count: int, edges: list[float], passes: list[float], rate: float) -> np.ndarray | None:
    """By `remez`; None where it fails."""
    try:
        taps = signal.remez(count, edges, passes, fs=rate)
    except (ValueError, RuntimeError):
        return None
    return taps if np.isfinite(taps).all() else None


def _least(signal: Any, count: int, edges: list[float], passes: list[float], rate: float) -> np.ndarray:
    """By `firls`."""
    return signal.firls(count, edges, np.repeat(passes, 2), fs=rate)


def early(taps: np.ndarray) -> np.ndarray:
    """The taps of minimum phase with the gain of these, as many of them; the first is the one at 0."""
    from scipy import signal

    if len(taps) < 3:
        raise UsageError(f"taps {len(taps)} for phase minimum: wanted 3 or more")
    _short(len(taps), "minimum", "width or phase=linear")
    return signal.minimum_phase(taps, half=False)


def _short(count: int, what: str, cure: str) -> None:
    if count > LONGEST[what]:
        raise UsageError(f"{count} taps for {'phase' if what == 'minimum' else 'method'} {what}: wanted at most {LONGEST[what]}; "
                         f"give taps or a larger {cure}, or take method=window")
