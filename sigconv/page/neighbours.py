"""Kernels one click away from the one that was asked for, small enough to travel with the page.

Taps are embedded as float32, or, where there are many, as 16-bit steps whose size is stated for every few taps (so that
the tail of a room is as exact as its start); the page convolves them with the dry clip when they are asked for.

For pictures a kernel is a list of filters, each a list of passes, one after another: a filter of rank one is a pass down
and a pass across, which on zero edges is the same, K₁ + K₂ taps of work instead of K₁ · K₂.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .markup import to_base64

__all__ = ["NEIGHBOURS", "PICTURED", "neighbours", "packed", "pictured"]

# What each is made by, and by what where that is too long to embed.
NEIGHBOURS = {"blur": ("blur",), "sharpen": ("sharpen",), "echo": ("echo",), "room": ("room", "room:t60=0.2"),
              "lowpass": ("lowpass",), "note": ("note",)}
PICTURED = ("blur", "sharpen", "edge", "laplace", "box", "lowpass", "echo")  # the same for pictures
BUDGET = 130_000  # bytes of base64 for all of them
TAPS = 400  # numbers a filter of a picture may hold: a colour picture of 720 × 720 takes them in about a second
BLOCK = 64
LONG = 8192  # taps above which 16 bits a tap must do


def neighbours(domain: Domain, taken: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The neighbours on this grid, without those already `taken`; one that can't be made here, or is too long, is left out."""
    if domain.ndim != 1 or domain.unit != ("s",) or not domain.size:
        return []
    found, spent = [], 0
    for name in NEIGHBOURS:
        specs = () if name in taken else NEIGHBOURS[name]
        entry = next((e for e in (_entry(spec, domain, BUDGET - spent) for spec in specs) if e is not None), None)
        if entry is not None:
            found.append(entry | {"name": name})
            spent += len(entry["taps"])
    return found


def _entry(spec: str, domain: Domain, budget: int) -> dict[str, Any] | None:
    from ..specs import kernel
    from ..study import describe

    try:
        k = kernel(spec, domain)
    except SigconvError:
        return None
    real = k if not arrays.is_complex(k.data) else Signal(arrays.to_numpy(k.data).real, k.domain)
    if real.value not in ((), (1,)) or real.domain.ndim != 1:
        return None
    entry = packed(arrays.to_numpy(real.data).reshape(-1))
    start = k.domain.start[0]
    if len(entry["taps"]) > budget or int(start) != start:
        return None
    return entry | {"start": int(start), "words": describe(k)}


def pictured(domain: Domain, taken: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The neighbours for pictures on this grid: each with `filters`, and `view`, how its result is shown.

    "length": the filters taken together, never negative; "grey": values around 0, which is middle grey; "plain": as it is.
    """
    found = [_pictured(name, domain) for name in PICTURED if name not in taken] if domain.ndim == 2 and domain.size else []
    return [entry for entry in found if entry is not None]


def _pictured(name: str, domain: Domain) -> dict[str, Any] | None:
    from ..pictures import signed
    from ..specs import kernel
    from ..study import describe

    try:
        k = kernel(name, domain)
    except SigconvError:
        return None
    if arrays.is_complex(k.data) or len(k.value) > 1 or any(int(s) != s for s in k.domain.start):
        return None
    first, second = map(int, k.domain.start)
    filters = [_passes(taps, (first, second)) for taps in arrays.to_numpy(k.data).reshape(-1, *k.domain.shape)]
    if any(len(each.get("at", range(each["n"]))) > TAPS for passes in filters for each in passes):
        return None
    view = "length" if len(filters) > 1 else "grey" if signed(k) else "plain"
    return {"name": name, "words": describe(k), "filters": filters, "view": view}


def _passes(taps: np.ndarray, start: tuple[int, int]) -> list[dict[str, Any]]:
    """A filter of the plane as passes {"shape", "start", taps as `packed`}."""
    from ..engines.separable import factors

    lines = factors(taps[None, None]) if min(taps.shape) > 1 else None
    if lines is None:
        return [packed(taps.reshape(-1)) | {"shape": list(taps.shape), "start": list(start)}]
    down, across = (line.reshape(-1) for line in lines)
    return [packed(down) | {"shape": [len(down), 1], "start": [start[0], 0]},
            packed(across) | {"shape": [1, len(across)], "start": [0, start[1]]}]


def packed(taps: np.ndarray) -> dict[str, Any]:
    """Taps as {"n", "type", "taps"}: base64 of little-endian float32, or int16 in steps of `scales`, one a `block` of taps.

    With "at", the numbers stand at those places and zeros elsewhere; with "mirror", they are the first half of an even
    kernel, its middle included.

    >>> packed(np.array([1.0, -1.0]))
    {'n': 2, 'type': 'f4', 'taps': 'AACAPwAAgL8='}
    """
    n = len(taps)
    entry: dict[str, Any] = {}
    at = np.flatnonzero(taps)
    if len(at) < n // 8:
        entry, taps = {"at": at.tolist()}, taps[at]
    elif n > LONG and np.allclose(taps, taps[::-1], rtol=0, atol=1e-9 * abs(taps).max()):
        entry, taps = {"mirror": True}, taps[: (n + 1) // 2]
    if len(taps) <= LONG:
        return {"n": n, "type": "f4", "taps": to_base64(taps.astype("<f4").tobytes())} | entry
    wide = np.append(taps, np.zeros(-len(taps) % BLOCK)).reshape(-1, BLOCK)
    scales = np.maximum(abs(wide).max(axis=1) / 32766, 1e-30).astype("<f4")
    steps = np.rint(wide / scales[:, None].astype(float)).astype("<i2").reshape(-1)[: len(taps)]
    entry |= {"block": BLOCK, "scales": to_base64(scales.tobytes())}
    return {"n": n, "type": "i2", "taps": to_base64(steps.tobytes())} | entry
