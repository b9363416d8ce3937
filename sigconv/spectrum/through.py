"""A sound through a kernel on its spectrogram.

What one sees is what is convolved: the magnitudes. Complex convolution of S is linear in the sound, and hears nothing of what
the picture shows: along time, with phases from time 0, it multiplies the sound by one number; with phases from each frame it
is x(n) − x(n − hop), which knows no onsets. Shifts in time and in frequency do not commute, so no phase serves both.

So a kernel k makes of S the map |k ∗ |S||, and each cell speaks with the phase of the tap that says most there: with T_b the
shift by b frames and M_a the one by a rows, that of the largest |k(a, b)| · |M_a T_b S| among the strongest `TAPS`, near ones
first where two are equal. Exact where one tap is all there is: identity, a delay, a shift of pitch. Otherwise the map is no
sound's, and `ROUNDS` of Griffin & Lim (IEEE Trans. ASSP 32, 1984; magnitudes kept, phases those of the nearest sound) bring
phases closer to each other: a blurred sentence has its map within −12 dB, −5 without them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arrays
from ..convolving import convolve
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .transform import sound, spectrogram

__all__ = ["plane", "spectrally"]

CELLS = 2**22  # of a spectrogram held at once, about
TAPS = 16  # that are asked for a phase
ROUNDS = 8
NEAR = 1e-3  # what a tap loses against one that is a step nearer


def plane(line: Domain) -> Domain:
    """The grid on (Hz, s) that kernels for `spectrally` are made on: windows of 50 ms, bins 20 Hz apart, four frames a window.

    >>> import sigconv as sc
    >>> plane(sc.line(8000, 8000)).shape, [float(step) for step in plane(sc.line(8000, 8000)).step]
    ((201, 80), [20.0, 0.0125])

    Raises `SigconvError` for a domain that is not a line.
    """
    if not isinstance(line, Domain) or line.ndim != 1:
        raise SigconvError(f"the plane of {line!s}: wanted a line, the domain of a sound")
    point = Domain(0, line.step, line.start, line.unit, line.name)
    fine = spectrogram(Signal(np.zeros(0), point)).domain
    window = int(1 / (fine.step[0] * line.step[0]))
    hop = max(window // 4, 1)
    grid = spectrogram(Signal(np.zeros(0), point), window=window, hop=hop).domain
    return Domain((grid.shape[0], -(-line.shape[0] // hop)), grid.step, grid.start, grid.unit, grid.name, line)


def spectrally(x: Signal, k: Signal, *, padding_mode: str = "zeros", columns: int = 1000) -> tuple[Signal, Signal, Signal]:
    """A sound through a kernel on its spectrogram, and the maps before and after, complex Signals on (Hz, s).

    `k`: a kernel on the plane; its steps say window (rate over the step in Hz) and hop. Its value: `()`, or `(m,)`, a bank, whose
    filters the result has as its last value axis. Magnitudes are convolved, phases follow (see above): linear in loudness,
    not in the sound. The maps are thinned to at most about `columns` frames. Long sounds go through in blocks that overlap by as
    much as window and kernel reach ("circular" in one piece).

    Law: one tap of 1 at (a, b) gives the sound a rows higher and b frames later, identity the sound itself, to rounding.

    >>> import numpy as np
    >>> import sigconv as sc
    >>> x = sc.Signal(np.sin(np.arange(800.0))[None], sc.line(800, 8000))
    >>> y, before, after = spectrally(x, sc.kernel("[[1]]", plane(x.domain)))
    >>> float(abs(y.data - x.data).max()) < 1e-12, before.domain == after.domain
    (True, True)

    Raises `SigconvError` for what is no sound, kernels that are not on such a plane, and layers.
    """
    window, hop = _measures(x, k)
    n, rows = x.domain.shape[0], window // 2 + 1
    reach = (1 + ROUNDS) * window + hop * (k.domain.shape[1] + abs(int(k.domain.start[1])) + 1)
    every = max(-(-n // hop) // columns, 1)
    lap = hop * every
    margin, block = -(-reach // lap) * lap, max(CELLS // rows * hop, 4 * reach) // lap * lap or lap
    if n <= block + 2 * margin or padding_mode == "circular":
        return _piece(x, x.domain, k, padding_mode, window, hop, every)
    pieces = []
    for first in range(0, n, block):
        stop = min(first + block, n)
        near = x.on(_cropped(x.domain, max(first - margin, 0), min(stop + margin, n)))
        pieces.append(_piece(near, _cropped(x.domain, first, stop), k, padding_mode, window, hop, every))
    return tuple(_joined(list(parts)) for parts in zip(*pieces, strict=True))  # type: ignore[return-value]


def _measures(x: Any, k: Any) -> tuple[int, int]:
    """Window and hop that the kernel's steps stand for, in samples of x."""
    if not isinstance(x, Signal) or x.domain.ndim != 1:
        what = f"signal of {x.domain.ndim} axes" if isinstance(x, Signal) else type(x).__name__
        raise SigconvError(f"a {what} on its spectrogram: wanted a sound, on a line")
    unit = x.domain.unit[0]
    wanted = ("Hz" if unit == "s" else f"1/{unit}", unit)
    if not isinstance(k, Signal) or k.domain.unit != wanted:
        got = f"in {'×'.join(k.domain.unit)}" if isinstance(k, Signal) else f"that is a {type(k).__name__}"
        raise SigconvError(f"a kernel {got} on a spectrogram in {'×'.join(wanted)}: wanted one made on it, "
                           "sc.kernel(spec, sc.spectrum.plane(x.domain))")
    if len(k.value) > 1 or 0 in k.data.shape:
        raise SigconvError(f"a kernel of value {k.value} on a spectrogram: wanted () for a filter or (m,) for a bank, with taps")
    window, hop = (1 / (k.domain.step[0] * x.domain.step[0])), k.domain.step[1] / x.domain.step[0]
    if window.denominator != 1 or hop.denominator != 1 or any(float(s) % 1 for s in k.domain.start):
        raise SigconvError(f"a kernel with steps of {float(k.domain.step[0]):g} Hz and {float(k.domain.step[1]):g} s: its "
                           f"windows or frames lie between samples at {float(x.domain.rate):g} Hz; wanted the steps of "
                           "sc.spectrum.plane(x.domain)")
    return int(window), int(hop)


def _piece(x: Signal, wanted: Domain, k: Signal, padding_mode: str, window: int, hop: int,
           every: int) -> tuple[Signal, Signal, Signal]:
    """One block, cut down to the line that is wanted of it, and its maps."""
    S, k = spectrogram(x.numpy(), window=window, hop=hop), k.numpy()
    T = _phased(S, convolve(Signal(np.abs(S.data), S.domain, S.names), k, padding_mode=padding_mode), k, window, hop)
    size = np.abs(T.data)
    for _ in range(ROUNDS if k.domain.size > 1 else 0):
        near = spectrogram(sound(T), window=window, hop=hop).data
        T = Signal(size * _unit(near), T.domain, T.names)
    first = int(wanted.start[0] - x.domain.start[0]) // hop
    grid = _cropped(S.domain, first, first - (-wanted.shape[0] // hop))
    before, after = (Signal(np.ascontiguousarray(m.on(grid).data[..., ::every]), grid.every((1, every)), m.names) for m in (S, T))
    return sound(T).on(wanted), before, after


def _phased(S: Signal, size: Signal, k: Signal, window: int, hop: int) -> Signal:
    """Convolved magnitudes with the phases of the taps that say most."""
    bank = k.data.reshape(-1, *k.domain.shape)
    filters = [_spoken(S, taps, [int(b) for b in k.domain.start], window, hop) for taps in bank]
    phase = np.stack(filters, axis=len(S.value)) if k.value else filters[0]
    return Signal(np.abs(size.data) * phase, size.domain, size.names)


def _spoken(S: Signal, taps: np.ndarray, start: list[int], window: int, hop: int) -> np.ndarray:
    """For each cell the unit phase of its loudest term k(a, b) M_a T_b S.

    With phases from time 0 (see `transform`), row ν of S moved by b frames turns by e^(−2πi ν b hop/window), and moved by a rows
    keeps its phase.
    """
    best, phase = np.zeros(S.data.shape, S.data.real.dtype), np.zeros_like(S.data)
    nu = (np.arange(S.domain.shape[0]) + int(S.domain.start[0]))[:, None]
    order = np.argsort(-np.abs(taps), axis=None, kind="stable")[:TAPS]
    places = [np.unravel_index(i, taps.shape) for i in order if taps.flat[i]]
    places.sort(key=lambda p: abs(int(p[0]) + start[0]) + abs(int(p[1]) + start[1]))
    for place in places:
        a, b = (int(i) + s for i, s in zip(place, start, strict=True))
        moved = S.on(Domain(S.domain.shape, S.domain.step, (S.domain.start[0] - a, S.domain.start[1] - b), S.domain.unit)).data
        term = moved * (taps[place] * np.exp(-2j * np.pi * ((nu - a) * b * hop % window) / window)).astype(S.data.dtype)
        loud = np.abs(term) * (1 - NEAR) ** (abs(a) + abs(b))
        more = loud > best
        np.copyto(best, loud, where=more)
        np.copyto(phase, term, where=more)
    return _unit(phase)


def _unit(z: np.ndarray) -> np.ndarray:
    """z / |z|, 0 at 0."""
    return z / np.maximum(np.abs(z), np.finfo(z.dtype).tiny)


def _cropped(d: Domain, first: int, stop: int) -> Domain:
    """The part first … stop−1 of the last axis, time."""
    return Domain((*d.shape[:-1], stop - first), d.step, (*d.start[:-1], d.start[-1] + first), d.unit, d.name)


def _joined(parts: list[Signal]) -> Signal:
    """Blocks along the last axis as one signal."""
    d = parts[0].domain
    data = np.concatenate([arrays.to_numpy(p.data) for p in parts], axis=-1)
    return Signal(data, Domain((*d.shape[:-1], data.shape[-1]), d.step, d.start, d.unit, d.name), parts[0].names)
