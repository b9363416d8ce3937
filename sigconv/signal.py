"""`Signal`: a function x: Ω → R^c, data with the grid that they were sampled on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from . import arrays
from .domain import Domain, Number, rational
from .errors import SigconvError, among

__all__ = ["PADDING_MODES", "Signal"]

PADDING_MODES = ("zeros", "reflect", "symmetric", "replicate", "circular")
UNITS = {"s": "Hz"}


class Signal:
    """Samples of a function on a regular grid.

    `data`: array or tensor of shape `(*value, *domain.shape)`, batch first, channels last in value: mono `(1, n)`,
    stereo `(2, n)`, RGB `(3, h, w)`, a volume `(1, d, h, w)`, a kernel `(*taps)`. `domain`: a `Domain`.
    `channels`: names of the last value axis, or one entry (names or None) for each value axis.

    Shape law: `x.value + x.domain.shape == x.data.shape`. Signals are not changed in place: every method gives a new one.

    >>> import sigconv as sc
    >>> x = sc.Signal([[0.0, 1.0, 0.0, -1.0]], sc.line(4, 8000))
    >>> x
    <Signal 1 channel, 4 samples at 8000 Hz, 0 … 0.0005 s, float64>
    >>> (x @ sc.kernel("edge", x.domain)).data
    array([[ 0.,  1., -1., -1.]])

    Raises `SigconvError` where data and domain disagree, or channel names do not fit.
    """

    __slots__ = ("_names", "data", "domain")
    __array_ufunc__ = None  # numpy leaves `array * signal` to Signal.__rmul__

    def __init__(self, data: Any, domain: Domain, channels: Sequence[Any] | None = None):
        self.data = arrays.asarray(data)
        if not isinstance(domain, Domain):
            raise SigconvError(f"a {type(domain).__name__} as domain: wanted a Domain, e.g. sc.line(n, rate) or sc.grid(h, w)")
        self.domain = domain
        shape = tuple(self.data.shape)
        if shape[len(shape) - domain.ndim:] != domain.shape or len(shape) < domain.ndim:
            raise SigconvError(f"data of shape {shape} on a domain of shape {domain.shape}: wanted the domain's axes last")
        self._names = _check_names(channels, self.value)

    @classmethod
    def from_text(cls, text: str, symbols: Sequence[str] | None = None) -> Signal:
        """A text as a signal: one channel a symbol, 1 where it stands (one-hot), on a line of positions.

        `symbols`: the channels, in order; by default those of the text, sorted. `to_text` is the inverse.

        >>> Signal.from_text("abba").data
        array([[1., 0., 0., 1.],
               [0., 1., 1., 0.]])

        Raises `SigconvError` for a text with a symbol that is not among `symbols`, and for one listed twice.
        """
        known = sorted(set(text)) if symbols is None else list(symbols)
        place = {symbol: i for i, symbol in enumerate(known)}
        if len(place) < len(known):
            raise SigconvError(f"symbols {''.join(map(str, known))!r}: wanted each of them once")
        if strange := sorted(set(text) - place.keys()):
            raise SigconvError(f"symbol {strange[0]!r} in the text: wanted only {''.join(known)!r}")
        data = np.zeros((len(known), len(text)))
        data[[place[symbol] for symbol in text], np.arange(len(text))] = 1
        return cls(data, Domain(len(text), 1, 0, "symbol", "position"), known)

    def to_text(self) -> str:
        """The text whose symbols, the channel names, are strongest at each position: the inverse of `from_text`.

        >>> Signal.from_text("hear and see").to_text()
        'hear and see'

        Raises `SigconvError` for a signal that is not on a line or whose channels have no names.
        """
        if self.domain.ndim != 1 or len(self.value) != 1 or (self.channels is None and self.data.size):
            raise SigconvError(f"to_text of {self!r}: wanted named channels on a line, as from_text makes them")
        return "".join(self.channels[i] for i in arrays.to_numpy(self.data).argmax(0)) if self.channels else ""

    @property
    def value(self) -> tuple[int, ...]:
        """Shape of the value at one point of Ω: `()` for a plain kernel, `(2,)` for stereo."""
        return tuple(self.data.shape[: self.data.ndim - self.domain.ndim])

    @property
    def channels(self) -> tuple[str, ...] | None:
        """Names of the last value axis, where they are known."""
        return self._names[-1] if self._names else None

    @property
    def names(self) -> tuple[tuple[str, ...] | None, ...]:
        """Names of every value axis."""
        return self._names

    @property
    def rate(self) -> int | float:
        """Samples per unit of a signal on a line."""
        return self.domain.rate

    def coordinates(self, axis: int = 0) -> np.ndarray:
        """Where the samples of one axis lie, in its unit (float64)."""
        step, start = self.domain.step[axis], self.domain.start[axis]
        return (np.arange(self.domain.shape[axis]) + float(start)) * float(step)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The bare values, for functions that take arrays; the grid is left behind."""
        return np.array(arrays.to_numpy(self.data), dtype=dtype, copy=copy)

    def numpy(self) -> Signal:
        """The same values in a NumPy array, off the graph."""
        return self._with(arrays.to_numpy(self.data))

    def to(self, target: Any = None, *, dtype: Any = None, device: Any = None) -> Signal:
        """Elsewhere, or as another type: `"numpy"`, `"torch"`, a device (`"cuda"`) or a dtype of either library.

        >>> import sigconv as sc
        >>> sc.Signal([1.0, 2.0], sc.line(2, 1)).to("torch", dtype="float32").data
        tensor([1., 2.])

        Raises `SigconvError` for what is no target, device or dtype here.
        """
        if isinstance(target, np.ndarray) or isinstance(dtype, np.ndarray):
            raise SigconvError("to(array): wanted 'numpy', 'torch', a device or a dtype")
        if target == "numpy":
            moved = self.numpy()
            return moved if dtype is None else moved._with(moved.data.astype(_dtype(dtype)))
        if isinstance(target, (np.dtype, type)) and not self._is_tensor():
            return self._with(self.data.astype(_dtype(target)))
        if dtype is not None and target is None and device is None and not self._is_tensor():
            return self._with(self.data.astype(_dtype(dtype)))
        import torch

        if isinstance(target, torch.dtype):
            target, dtype = None, target
        elif target not in (None, "torch"):
            target, device = None, target
        if dtype is not None and not isinstance(dtype, torch.dtype):
            name = dtype if dtype == "bfloat16" else _dtype(dtype).name
            dtype = getattr(torch, name, None)
            if dtype is None:
                raise SigconvError(f"dtype {name!r}: wanted one that torch has, such as 'float32'")
        data = self.data if self._is_tensor() else torch.from_numpy(np.array(self.data))
        try:
            return self._with(data.to(device=device, dtype=dtype))
        except (RuntimeError, AssertionError, TypeError, ValueError) as why:
            raise SigconvError(f"device {device!r}: {str(why).splitlines()[0]}; wanted one that torch has here") from None

    def on(self, domain: Domain, padding_mode: str = "zeros") -> Signal:
        """The same function on another grid of the same step: cropped, or continued past its ends.

        `padding_mode` says how: `zeros`; `reflect` (d c b | a b c d | c b a, the edge not repeated); `symmetric`
        (c b a | a b c d | d c b, the edge repeated); `replicate` (a a | a b c d | d d); `circular`. Any width, also
        wider than the signal; `reflect` on one sample repeats it.

        >>> import sigconv as sc
        >>> x = sc.Signal([1.0, 2.0, 3.0], sc.line(3, 1))
        >>> x.on(sc.line(7, 1, start=-2), "reflect").data
        array([3., 2., 1., 2., 3., 2., 1.])

        Raises `SigconvError` where steps differ, grids fall between each other's samples, the mode is unknown, or an
        empty signal would have to be continued by anything but zeros.
        """
        among(padding_mode, PADDING_MODES, "padding_mode")
        data, lead = self.data, len(self.value)
        for axis, (first, n, size) in enumerate(zip(self.domain.offset(domain), domain.shape, self.domain.shape, strict=True)):
            if (first, n) != (0, size):
                data = _extend(data, lead + axis, first, n, padding_mode)
        return Signal(data, domain, self._names)

    def between(self, a: Any = None, b: Any = None) -> Signal:
        """The part with a ≤ position < b, in units; one pair for all axes or one an axis, None an open end.

        >>> import sigconv as sc
        >>> sc.Signal(np.zeros((1, 16000)), sc.line(16000, 8000)).between(0.2, 1.5).domain.shape
        (10400,)

        Raises `SigconvError` for what is no position, or not one for each axis.
        """
        ndim = self.domain.ndim
        begin, end = ((v if isinstance(v, (tuple, list)) else (v,) * ndim) for v in (a, b))
        if len(begin) != ndim or len(end) != ndim:
            raise SigconvError(f"between({a!r}, {b!r}): wanted one position for each of {ndim} axes")
        index, shape, start = [], [], []
        for axis, ends in enumerate(zip(begin, end, strict=True)):
            first, stop = self.domain.window(*ends, axis)
            index.append(slice(first, stop))
            shape.append(stop - first)
            start.append(self.domain.start[axis] + first)
        return Signal(self.data[(..., *index)], self._grid(tuple(shape), start=tuple(start)), self._names)

    def at(self, start: Any = 0) -> Signal:
        """The same samples, re-based so that the first lies at index `start` (one entry an axis, or one for all)."""
        return Signal(self.data, self._grid(self.domain.shape, start=start), self._names)

    def reverse(self) -> Signal:
        """The signal mirrored at the origin of Ω: x(−ω)."""
        axes = range(len(self.value), self.data.ndim)
        return Signal(arrays.flip(self.data, tuple(axes)), self.domain.reverse(), self._names)

    def mix(self, weights: Any, channels: Sequence[str] | None = None) -> Signal:
        """The channels (the last value axis) as combinations of themselves: `weights` is a matrix `(m, c)`, a row a channel out.

        `channels`: their names. Summed in double precision, entry by entry, so that what cancels is 0 and a 0 lets nothing in.

        >>> import sigconv as sc
        >>> sc.Signal([[1.0, 2.0], [1.0, 0.0]], sc.line(2, 1)).mix([[0.5, 0.5]]).data
        array([[1., 1.]])

        Raises `SigconvError` for a matrix that does not have a column for each channel.
        """
        weights = arrays.asarray(weights)
        if not self.value or weights.ndim != 2 or tuple(weights.shape)[1:] != self.value[-1:] or not len(weights):
            raise SigconvError(f"weights of shape {tuple(weights.shape)} on a signal of value {self.value}: wanted (m, c) for a "
                               "value that ends in c")
        lead, parts = (slice(None),) * (len(self.value) - 1), []
        for row in weights:
            used = [c for c in range(self.value[-1]) if arrays.is_tensor(row) or row[c]]
            total = sum(self.data[(*lead, c)] * row[c] for c in used) if used else self.data[(*lead, 0)] * 0.0
            parts.append(total)
        data, kind = arrays.namespace(parts[0]).stack(parts, axis=len(lead)), arrays.computable(self.data)
        return Signal(arrays.like(data, kind), self.domain, (*self._names[:-1], channels))

    def lift(self, step: Number = 1, start: Number = 0, unit: str = "", name: str = "channel") -> Signal:
        """The last value axis as the first axis of Ω: a bank's result as a map over (channel, time).

        >>> import sigconv as sc
        >>> sc.Signal(np.zeros((40, 100)), sc.line(100, 100)).lift(unit="mel").domain.shape
        (40, 100)

        Raises `SigconvError` for a signal without a value axis, or of three axes.
        """
        if not self.value:
            raise SigconvError("lift on a signal without a value axis: wanted channels, e.g. the result of a bank")
        d = self.domain
        omega = Domain(self.value[-1:] + d.shape, (rational(step, "step"), *d.step), (rational(start, "start"), *d.start),
                       (unit, *d.unit), (name, *d.name))
        return Signal(self.data, omega, self._names[:-1])

    def lower(self, channels: Sequence[str] | None = None, axis: int = 0) -> Signal:
        """An axis of Ω, the first by default, as the last value axis: the inverse of `lift`."""
        d, lead = self.domain, len(self.value)
        if d.ndim < 2 or not -d.ndim <= axis < d.ndim:
            raise SigconvError(f"lower of axis {axis} on {d.ndim}: wanted one of at least two axes")
        rest = [i for i in range(d.ndim) if i != axis % d.ndim]
        step, start, unit, name = (tuple(entry[i] for i in rest) for entry in (d.step, d.start, d.unit, d.name))
        data = arrays.namespace(self.data).moveaxis(self.data, lead + axis % d.ndim, lead)
        return Signal(data, Domain(tuple(data.shape[lead + 1:]), step, start, unit, name), (*self._names, channels))

    def __add__(self, other: Signal) -> Signal:
        return self._with(self.data + self._matching(other))

    def __sub__(self, other: Signal) -> Signal:
        return self._with(self.data - self._matching(other))

    def __neg__(self) -> Signal:
        return self._with(-self.data)

    def __mul__(self, factor: Any) -> Signal:
        return self._with(self.data * _number(factor, "*"))

    __rmul__ = __mul__

    def __truediv__(self, factor: Any) -> Signal:
        return self._with(self.data / _number(factor, "/"))

    def __matmul__(self, kernel: Signal) -> Signal:
        """`x @ k` is `sc.convolve(x, k)`."""
        from .convolving import convolve

        return convolve(self, kernel)

    def __repr__(self) -> str:
        return f"<Signal {self._words()}, {arrays.dtype_name(self.data)}{' tensor' if self._is_tensor() else ''}>"

    def _repr_html_(self) -> str:
        """A player, or a picture, for Jupyter: the samples as they are, at their own level."""
        from .page.embed import html

        return html(self)

    def _words(self) -> str:
        d, many = self.domain, {0: "", 1: "1 channel, "}
        value = " × ".join(map(str, self.value))
        named = f" ({', '.join(self.channels)})" if self.channels and len(self.channels) <= 8 else ""
        lead = f"{value} channels{named}, " if self.value and self.value != (1,) else many[len(self.value)]
        if d.ndim == 1:
            per = UNITS.get(d.unit[0], f"/{d.unit[0]}" if d.unit[0] else "")
            grid = f"{d.shape[0]} sample{'s' * (d.shape[0] != 1)} at {d.rate:.10g} {per}".rstrip()
        else:
            grid = " × ".join(map(str, d.shape))
        spans = []
        for (a, b), unit in zip(d.extent, d.unit, strict=True):
            spans.append(f"{a:.6g} … {b:.6g} {unit}".rstrip())
        return f"{lead}{grid}, {' × '.join(spans)}"

    def _grid(self, shape: tuple[int, ...], **changes: Any) -> Domain:
        d = self.domain
        return Domain(shape, **({"step": d.step, "start": d.start, "unit": d.unit, "name": d.name} | changes))

    def _with(self, data: Any) -> Signal:
        return Signal(data, self.domain, self._names)

    def _is_tensor(self) -> bool:
        return not isinstance(self.data, np.ndarray)

    def _matching(self, other: Signal) -> Any:
        if not isinstance(other, Signal):
            raise SigconvError(f"a signal and a {type(other).__name__}: wanted two signals on one grid")
        if other.domain != self.domain or other.value != self.value:
            raise SigconvError(f"signals {self.value} on [{self.domain}] and {other.value} on [{other.domain}]: wanted one "
                               "shape on one grid; bring one there with .on(domain)")
        return arrays.like(other.data, self.data) if type(other.data) is not type(self.data) else other.data


def _number(factor: Any, sign: str) -> Any:
    if isinstance(factor, Fraction):
        return float(factor)
    if isinstance(factor, (int, float, complex)) or (getattr(factor, "ndim", None) == 0
                                                     and getattr(factor.dtype, "kind", "f") in "fiubc"):
        return factor
    if isinstance(factor, Signal):
        raise SigconvError(f"signal {sign} signal: wanted a number; to convolve write x @ k")
    raise SigconvError(f"signal {sign} {type(factor).__name__}: wanted a number; for data of your own make "
                       f"sc.Signal(x.data {sign} array, x.domain)")


def _dtype(name: Any) -> Any:
    """NumPy's type of a name or of a type of either library."""
    try:
        return np.dtype(str(name).removeprefix("torch.")) if not isinstance(name, (np.dtype, type)) else np.dtype(name)
    except (TypeError, ValueError, SyntaxError):
        raise SigconvError(f"dtype {name!r}: wanted one such as 'float32'") from None


def _check_names(channels: Sequence[Any] | None, value: tuple[int, ...]) -> tuple[tuple[str, ...] | None, ...]:
    if channels is None:
        return (None,) * len(value)
    if not isinstance(channels, Sequence) or not all(c is None or isinstance(c, (str, tuple, list)) for c in channels):
        raise SigconvError(f"channel names {channels!r}: wanted a sequence of words")
    if not any(channels):
        return (None,) * len(value)
    if all(isinstance(c, str) for c in channels):
        channels = (None,) * (len(value) - 1) + (tuple(channels),)
    names = tuple(None if c is None else tuple(map(str, c)) for c in channels)
    if len(names) != len(value) or any(c is not None and len(c) != n for c, n in zip(names, value, strict=True)):
        raise SigconvError(f"channel names {names} for values of shape {value}: wanted one name a channel")
    return names


def _extend(data: Any, axis: int, first: int, n: int, padding_mode: str) -> Any:
    """Samples first … first+n−1 of one axis, those outside it made by the padding mode."""
    xp, size = arrays.namespace(data), data.shape[axis]
    low, high = min(max(first, 0), size), min(max(first + n, 0), size)
    index = (slice(None),) * axis
    if first >= 0 and first + n <= size:
        return data[(*index, slice(first, first + n))]
    if padding_mode == "zeros":
        inside = data[(*index, slice(low, max(high, low)))]
        before = min(max(-first, 0), n)

        def zeros(m: int) -> Any:
            shape = (*data.shape[:axis], m, *data.shape[axis + 1:])
            return xp.zeros(shape, dtype=data.dtype, **({} if xp is np else {"device": data.device}))

        return xp.concat([zeros(before), inside, zeros(n - before - inside.shape[axis])], axis=axis)
    if not size:
        raise SigconvError(f"padding_mode {padding_mode!r} on an empty axis: there is nothing to continue; use 'zeros'")
    # Fold every position into 0 … size−1; reflect has period 2·size−2, symmetric 2·size.
    at = np.arange(first, first + n)
    if padding_mode == "replicate":
        at = np.clip(at, 0, size - 1)
    elif padding_mode == "circular":
        at = at % size
    else:
        period = max(2 * size - 2, 1) if padding_mode == "reflect" else 2 * size
        at = at % period
        at = np.minimum(at, (period if padding_mode == "reflect" else period - 1) - at) if size > 1 else at * 0
    return xp.take(data, at if xp is np else xp.asarray(at, device=data.device), axis=axis)
