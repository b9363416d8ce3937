"""What stands beside a convolution in a chain: nonlinearities, channel matrices, and a bypass that does not comb.

A matrix on channels is a layer of one tap, so `mix` is a convolution too. A bypass, the residual connection of deep networks
and the dry/wet knob of a studio, is one kernel: (1 − wet)·δ + wet·k. Where k delays by D samples the two meet out of step, and
|1 + e^{−iωD}| has a notch at every odd multiple of 1/(2D): a comb. So k is first brought back by its own delay: the centre of
taps that mirror themselves, else the place of the strongest.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, floor, nan, radians, sin, sqrt
from typing import Any

import numpy as np

from . import arrays
from .domain import Domain
from .errors import SigconvError, UsageError, hint
from .signal import Signal

__all__ = ["MIXES", "NONLINEARITIES", "absolute", "bypass", "delays", "median", "mix", "mixer", "quantize", "relu"]

SAME = 1e-6  # of the largest tap: taps nearer than this are equal (a float32 file keeps that much)
EMPTY = 1e-9  # of the largest tap: ends below this are no taps
MIDSIDE = ("mid", "side")


def relu(x: Signal) -> Signal:
    """max(x, 0), the half-wave rectifier: a tone of amplitude A becomes A/π of DC, A/2 of itself and even harmonics.

    >>> import sigconv as sc
    >>> relu(sc.Signal([1.0, -2.0, 3.0], sc.line(3, 8000))).data
    array([1., 0., 3.])

    Raises `SigconvError` for complex samples, which have no sign.
    """
    if arrays.is_complex(_samples(x, "relu")):
        raise SigconvError("relu of complex samples: they have no sign; wanted real ones, e.g. their magnitude (abs)")
    return Signal(x.data.relu() if arrays.is_tensor(x.data) else np.maximum(x.data, 0), x.domain, x.names)


def absolute(x: Signal) -> Signal:
    """|x|, the full-wave rectifier: a tone comes back an octave higher; of complex samples the magnitude, the envelope.

    >>> import sigconv as sc
    >>> absolute(sc.Signal([1.0, -2.0, 3j], sc.line(3, 8000))).data
    array([1., 2., 3.])
    """
    return Signal(abs(_samples(x, "abs")), x.domain, x.names)


def quantize(x: Signal, bits: int) -> Signal:
    """x in 2^bits steps over −1 … 1, rounded to the nearest and clipped, as PCM of so many bits has it.

    On tensors the gradient goes straight through, as if nothing had been rounded, and is 0 where something was clipped (Bengio,
    Léonard & Courville 2013).

    >>> import sigconv as sc
    >>> quantize(sc.Signal([0.3, -0.3, 2.0], sc.line(3, 8000)), 3).data
    array([ 0.25, -0.25,  0.75])

    Raises `SigconvError` for complex samples and for bits outside 1 … 32.
    """
    if arrays.is_complex(_samples(x, "quantize")):
        raise SigconvError("quantize of complex samples: wanted real ones")
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= 32:
        raise SigconvError(f"quantize to {bits!r} bits: wanted a whole number from 1 to 32")
    xp, step = arrays.namespace(x.data), 2.0 ** (1 - bits)
    data = arrays.computable(x.data)
    inside = xp.clip(data, -1.0, 1.0 - step)
    if not arrays.is_tensor(data):
        return Signal(np.round(inside / step) * step, x.domain, x.names)
    return Signal(inside + ((inside / step).round() * step - inside).detach(), x.domain, x.names)


def median(x: Signal, size: int) -> Signal:
    """The median of every `size` samples around each, along the last axis of Ω; beyond the ends the last sample goes on.

    It takes out clicks and keeps edges, which no convolution does. On tensors the gradient goes to the sample that was chosen.

    >>> import sigconv as sc
    >>> median(sc.Signal([1.0, 1.0, 9.0, 2.0, 2.0], sc.line(5, 8000)), 3).data
    array([1., 1., 2., 2., 2.])

    Raises `SigconvError` for complex samples and for a size that is not odd.
    """
    if arrays.is_complex(_samples(x, "median")):
        raise SigconvError("median of complex samples: they have no order; wanted real ones")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise SigconvError(f"a median of {size!r} samples: wanted an odd whole number")
    d, half = x.domain, size // 2
    if not d.size:
        return x
    ends = Domain((*d.shape[:-1], d.shape[-1] + 2 * half), d.step, (*d.start[:-1], d.start[-1] - half), d.unit, d.name)
    wide = x.on(ends, "replicate").data
    if arrays.is_tensor(wide):
        return Signal(wide.unfold(-1, size, 1).median(-1).values, d, x.names)
    return Signal(np.median(np.lib.stride_tricks.sliding_window_view(wide, size, -1), -1).astype(wide.dtype), d, x.names)


NONLINEARITIES: dict[str, Callable[[Signal], Signal]] = {"relu": relu, "abs": absolute}


def _samples(x: Any, what: str) -> Any:
    if not isinstance(x, Signal):
        raise SigconvError(f"{what} of a {type(x).__name__}: wanted a Signal")
    return x.data


def mix(x: Signal, how: Any) -> Signal:
    """The channels, the last axis of value, as combinations of themselves.

    `how`: a matrix `(m, c)`, as numbers, a tensor or text ("[[0,1],[1,0]]"), or a name: "midside" (its own inverse), "swap",
    "invert" or "invert:R", "rotate:30" (degrees), "width:1.5" (side times so much), "balance:-0.5" (−1 left … 1 right) on stereo;
    "mono" (the mean), "upmix" or "upmix:6" (one channel on each of so many), "left", "right", "grey" (of colours).

    >>> import sigconv as sc
    >>> x = sc.Signal([[1.0, 2.0], [1.0, 0.0]], sc.line(2, 8000))
    >>> mix(x, "mono").data, mix(x, "midside").channels
    (array([[1., 1.]]), ('mid', 'side'))

    Raises `UsageError` for names that are not known, and where the channels are not as many as `how` takes.
    """
    _samples(x, "a mix")
    if not x.value:
        raise UsageError(f"mix {_quoted(how)} of a signal without channels: wanted a value such as (2,) for stereo")
    return x.mix(*_weights(how, x.value[-1], x.channels))


def mixer(how: Any, channels: int, like: Domain) -> Signal:
    """The matrix of a mix as a layer `(m, channels)` of one tap: ``mix(x, how)`` is ``convolve(x, mixer(how, c, x.domain))``.

    >>> import sigconv as sc
    >>> mixer("swap", 2, sc.line(1, 8000)).data[..., 0]
    array([[0., 1.],
           [1., 0.]])
    """
    weights, names = _weights(how, channels, None)
    data = weights.reshape(*weights.shape, *(1,) * like.ndim)
    return Signal(data, Domain((1,) * like.ndim, like.step, 0, like.unit, like.name), (names, None) if names else None)


# name -> how many channels it takes (0: any), its parameter where none is given (None: it takes none), the matrix of both
MIXES: dict[str, tuple[int, float | None, Callable[[float, int], Any]]] = {
    "midside": (2, None, lambda v, c: np.array([[1, 1], [1, -1]]) * sqrt(0.5)),
    "mono": (0, None, lambda v, c: np.full((1, c), 1 / c)),
    "left": (2, None, lambda v, c: np.array([[1, 0]])),
    "right": (2, None, lambda v, c: np.array([[0, 1]])),
    "swap": (2, None, lambda v, c: np.array([[0, 1], [1, 0]])),
    "invert": (0, None, lambda v, c: -np.eye(c)),
    "rotate": (2, 90, lambda v, c: np.array([[cos(radians(v)), -sin(radians(v))], [sin(radians(v)), cos(radians(v))]])),
    "width": (2, 1.5, lambda v, c: np.array([[1 + v, 1 - v], [1 - v, 1 + v]]) / 2),
    "balance": (2, 0, lambda v, c: np.diag([min(1, 1 - v), min(1, 1 + v)])),
    "upmix": (1, 2, lambda v, c: np.ones((int(v), 1))),
    "grey": (3, None, lambda v, c: np.array([[1 / 3] * 3 + [0] * (c - 3)])),
}
RANGES = {"balance": (-1, 1), "upmix": (1, 256), "width": (0, 100), "rotate": (-1e6, 1e6)}
CURES = {1: "mono makes one of several", 2: "a matrix such as [[1,0,0],[0,1,0]] makes two of three", 3: "wanted a colour image"}
KEPT = ("swap", "invert", "rotate", "width", "balance")  # what comes out are the channels that went in


def _weights(how: Any, channels: int, names: tuple[str, ...] | None) -> tuple[Any, tuple[str, ...] | None]:
    """The matrix (m, channels), and names of what it makes."""
    text = how.strip() if isinstance(how, str) else ""
    if not text or text.startswith("["):
        return _matrix(_parsed(text) if text else how, channels, _quoted(how)), None
    name, _, rest = text.partition(":")
    if name not in MIXES:
        raise UsageError(f"mix {_quoted(how)}: wanted {', '.join(MIXES)}, or a matrix such as [[0.5,0.5]]{hint(name, MIXES)}")
    takes, usual, make = MIXES[name]
    if takes and channels != takes and (name, channels) != ("grey", 4):  # alpha is no colour
        raise UsageError(f"mix '{text}' on {_count(channels)}: it takes {_count(takes)}; "
                         f"{'upmix makes two of one' if (takes, channels) == (2, 1) else CURES[takes]}")
    if name == "invert" and rest:
        return _inverted(rest, channels, names), names
    if rest and usual is None:
        raise UsageError(f"mix '{text}': {name} takes no parameter; wanted '{name}'")
    weights = make(_number(name, rest) if rest else usual or 0, channels)
    made = {"mono": ("mono",), "grey": ("grey",), "midside": ("L", "R") if names == MIDSIDE else MIDSIDE}.get(name)
    return weights.astype(float), names if name in KEPT else made


def _matrix(how: Any, channels: int, what: str) -> Any:
    """Numbers as a finite (m, channels)."""
    try:
        weights = arrays.asarray(how)
        weights = weights if arrays.is_tensor(weights) or weights.dtype.kind == "c" else weights.astype(float)
    except (SigconvError, ValueError, TypeError, OverflowError):
        raise UsageError(f"mix {what}: wanted a matrix of numbers such as [[0.5,0.5]], a row a channel out") from None
    weights = weights[None] if weights.ndim == 1 else weights
    if weights.ndim != 2 or 0 in weights.shape or not arrays.finite(weights):
        raise UsageError(f"mix {what}: wanted finite numbers in rows and columns, a row a channel out, a column a channel in")
    if weights.shape[1] != channels:
        raise UsageError(f"mix {what} of {_count(weights.shape[1], 'column')} on {_count(channels)}: wanted a column a channel, "
                         f"e.g. {str([[1] * min(channels, 8)]).replace(' ', '')}")
    return weights


def _parsed(text: str) -> Any:
    import json

    try:
        return json.loads(text[: 2**16])
    except (ValueError, RecursionError):
        raise UsageError(f"mix {_quoted(text)}: wanted numbers in brackets, e.g. [[0.5,0.5]]") from None


def _number(name: str, text: str) -> float:
    low, high = RANGES[name]
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not low <= value <= high or (name == "upmix" and value != int(value)):
        raise UsageError(f"mix '{name}:{text[:40]}': wanted a {'whole ' * (name == 'upmix')}number in {low:g} … {high:g}, "
                         f"e.g. {name}:{MIXES[name][1]:g}")
    return value


def _inverted(which: str, channels: int, names: tuple[str, ...] | None) -> np.ndarray:
    """The polarity of one channel, by name or number, turned over."""
    known = [*(names or ()), *(("left", "right") if channels == 2 else ()), *map(str, range(1, channels + 1))]
    if which not in known:
        raise UsageError(f"mix 'invert:{which[:40]}': wanted one of {', '.join(known[:40])}{hint(which, known)}")
    weights = np.eye(channels)
    weights[:, known.index(which) % channels] *= -1
    return weights


def _count(n: int, word: str = "channel") -> str:
    return f"{n} {word}{'s' * (n != 1)}"


def _quoted(how: Any) -> str:
    return repr(how if isinstance(how, str) and len(how) <= 60 else f"{str(how)[:60]}…" if isinstance(how, str) else how)[:80]


def bypass(k: Signal, wet: Any) -> Signal:
    """Dry and wet as one kernel, ``(1 − wet)·δ + wet·k``, k first brought back by its `delays`, so that the two do not comb.

    `wet`: 0 is δ itself, to the bit; 1 is k as it stands, not moved: nothing dry to meet. Each filter of a bank is brought
    back by its own delay; a layer needs as many filters as channels, δ being the identity there.

    >>> import sigconv as sc
    >>> late = sc.Signal([0.25, 0.5, 0.25], sc.line(3, 8000))
    >>> bypass(late, 0.5).data, bypass(late, 0.5).domain.start
    (array([0.125, 0.75 , 0.125]), (-1,))

    Raises `UsageError` for shares outside 0 … 1, and layers that change the number of channels.
    """
    _samples(k, "a bypass")
    try:
        share = float(wet.detach() if arrays.is_tensor(wet) else wet)
    except (TypeError, ValueError):
        share = nan
    if not 0 <= share <= 1:
        raise UsageError(f"wet {wet!r}: wanted a share in 0 … 1: 0 all dry, 1 all wet")
    if len(k.value) == 2 and k.value[0] != k.value[1]:
        raise UsageError(f"a bypass of a layer of {k.value[0]} filters on {k.value[1]} channels: dry has {k.value[1]}; "
                         "wanted as many filters, or wet 1")
    if len(k.value) > 2:
        raise UsageError(f"a bypass of a kernel of value {k.value}: wanted () for a filter, (m,) a bank or (c, c) a layer")
    if share == 1:
        return k
    late = delays(k) if share else []
    first = [min(0, *(floor(a) - d[i] for d in late), 0) for i, a in enumerate(k.domain.start)]
    stop = [max(1, *(floor(a) + n - d[i] for d in late), 1) for i, (a, n) in enumerate(
        zip(k.domain.start, k.domain.shape, strict=True))]
    grid = Domain([b - a for a, b in zip(first, stop, strict=True)], k.domain.step, first, k.domain.unit, k.domain.name)
    dry = _identity(k, grid)
    if not share:
        return dry
    rows = [Signal(row, k.domain).at([s - n for s, n in zip(k.domain.start, d, strict=True)]).on(grid).data
            for row, d in zip(k.data if k.value else k.data[None], late, strict=True)]
    moved = arrays.namespace(k.data).stack(rows) if k.value else rows[0]
    return Signal(dry.data * (1 - wet) + moved * wet, grid, k.names)


def delays(k: Signal) -> list[tuple[int, ...]]:
    """How late each filter of a kernel is, in whole steps, an entry an axis: what `bypass` brings it back by.

    The centre of taps that mirror themselves (even, odd, or Hermitian), rounded down; else the place of the strongest tap.

    >>> import sigconv as sc
    >>> delays(sc.kernel("blur", sc.line(1, 8000))), delays(sc.Signal([0.0, 0.0, 1.0, 0.5], sc.line(4, 8000)))
    ([(0,)], [(2,)])
    """
    taps = arrays.to_numpy(k.data)
    return [tuple(floor(s) + d for s, d in zip(k.domain.start, _delay(row.reshape(-1, *k.domain.shape)), strict=True))
            for row in (taps if k.value else taps[None])]


def _delay(taps: np.ndarray) -> tuple[int, ...]:
    """The delay, from the first tap, of the filters (c, *K) of one output."""
    size = np.abs(taps).max(axis=0)
    top = size.max()
    if not top:
        return (0,) * size.ndim
    spans = [np.flatnonzero(size.max(axis=tuple(a for a in range(size.ndim) if a != axis), initial=0) > EMPTY * top)
             for axis in range(size.ndim)]
    inner = taps[(slice(None), *(slice(s[0], s[-1] + 1) for s in spans))]
    mirrored = np.flip(inner, tuple(range(1, inner.ndim))).conj()
    if all(min(np.abs(a - b).max(), np.abs(a + b).max()) <= SAME * top for a, b in zip(inner, mirrored, strict=True)):
        return tuple(int(s[0] + s[-1]) // 2 for s in spans)
    return tuple(int(i) for i in np.unravel_index(int(size.argmax()), size.shape))


def _identity(k: Signal, grid: Domain) -> Signal:
    """δ of k's value on a grid that holds the origin, at k's precision."""
    data = np.zeros((*k.value, *grid.shape))
    at: tuple[Any, ...] = (..., *(int(-a) for a in grid.start))
    data[at] = np.eye(k.value[0]) if len(k.value) == 2 else 1
    return Signal(arrays.like(data, arrays.computable(k.data)), grid, k.names)
