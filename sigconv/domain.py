"""Ω, the regular grid that a signal lives on, and the arithmetic of grids.

Sample i of an axis lies at (start + i) · step, in the axis's unit. `step` is an exact rational and `start` an exact
multiple of it (whole for anything read from a file, a fraction after a stride), so that grids compare equal, and add,
without rounding. Convolution adds grids, which is why the three modes are three grids:

    full  on  Ω ⊕ K      every output that at least one tap reaches
    same  on  Ω
    valid on  Ω ⊖ K      only outputs that every tap reaches

With the taps of a kernel at b … b+K−1 and samples at a … a+N−1, y[f] = Σ_k h[k] x[f−k] is non-zero for f in
a+b … a+b+N+K−2, and reads only samples that exist for f in a+b+K−1 … a+b+N−1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, isfinite, prod
from operator import index
from typing import Any

from .errors import SigconvError

__all__ = ["Domain", "grid", "line"]

Number = int | float | Fraction
AXES = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}


def rational(value: Any, what: str) -> int | Fraction:
    """An exact number: whole numbers as int, floats through `limit_denominator(10**9)`."""
    if isinstance(value, Fraction):
        exact = value
    else:
        try:
            return index(value)
        except TypeError:
            pass
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise SigconvError(f"{what} {value!r}: wanted a number") from None
        if not isfinite(number):
            raise SigconvError(f"{what} {value!r}: wanted a finite number")
        exact = Fraction(number).limit_denominator(10**9)
        if not exact and number:  # finer than a billionth: keep the relative precision instead
            exact = 1 / Fraction(1 / number).limit_denominator(10**9)
    return exact.numerator if exact.denominator == 1 else exact


def _listed(value: Any) -> Any:
    """An array of one axis as a list."""
    return value.tolist() if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist") else value


def _per_axis(value: Any, ndim: int, what: str) -> tuple:
    """One entry an axis; a scalar is broadcast."""
    value = _listed(value)
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        return (value,) * ndim
    if len(value) != ndim:
        raise SigconvError(f"{what} {tuple(value)!r} has {len(value)} entries: wanted one for each of {ndim} axes")
    return tuple(value)


def natural(value: Any, what: str, ndim: int, least: int = 1) -> tuple[int, ...]:
    """Whole numbers of at least `least`, one an axis (strides, dilations, shapes)."""
    try:
        entries = tuple(index(v) for v in _per_axis(value, ndim, what))
    except TypeError:
        raise SigconvError(f"{what} {value!r}: wanted whole numbers") from None
    if any(v < least for v in entries):
        raise SigconvError(f"{what} {value!r}: wanted {least} or more")
    return entries


@dataclass(frozen=True, slots=True)
class Domain:
    """A regular grid of 1, 2 or 3 axes: `shape` samples, `step` apart, from index `start`, in `unit`, called `name`.

    Every argument but `shape` is one entry an axis, or a scalar for all. Sample i of an axis lies at
    ``(start + i) * step``: `start` counts steps, it is not a position. `of` is the line whose spectrogram this is the grid
    of, where that is known; grids that differ in it alone are equal.

    >>> Domain(5, step=0.5, start=-2, unit="mm").extent
    ((-1.0, 1.5),)
    >>> x, k = line(100, 8000), Domain(5, Fraction(1, 8000), -2, "s")
    >>> x.plus(k).shape, x.plus(k).start, x.minus(k).shape, x.minus(k).start
    ((104,), (-2,), (96,), (2,))

    Raises `SigconvError` for a negative shape, a step that is not above 0, entries that do not fit the axes, and for
    more than three axes.
    """

    shape: tuple[int, ...]
    step: tuple[Fraction, ...] = (Fraction(1),)
    start: tuple[int | Fraction, ...] = (0,)
    unit: tuple[str, ...] = ("px",)
    name: tuple[str, ...] = ()
    of: Domain | None = field(default=None, compare=False, repr=False)

    def __init__(self, shape: int | Sequence[int], step: Any = 1, start: Any = 0, unit: Any = "px", name: Any = None,
                 of: Domain | None = None):
        shape = _listed(shape)
        ndim = len(shape) if isinstance(shape, Sequence) else 1
        if ndim not in AXES:
            raise SigconvError(f"a domain of {ndim} axes: wanted 1, 2 or 3; put the others into the value")
        steps = tuple(Fraction(rational(s, "step")) for s in _per_axis(step, ndim, "step"))
        if any(s <= 0 for s in steps):
            raise SigconvError(f"step {step!r}: wanted above 0")
        units = _per_axis(unit, ndim, "unit")
        names = _per_axis(AXES[ndim] if name is None else name, ndim, "name")
        if not all(isinstance(word, str) for word in units + names):
            raise SigconvError(f"unit {unit!r}, name {name!r}: wanted words")
        if name is None and units == ("s",):
            names = ("time",)
        _fill(self, natural(shape, "shape", ndim, 0), steps,
              tuple(rational(s, "start") for s in _per_axis(start, ndim, "start")), units, names, of)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of samples."""
        return prod(self.shape)

    @property
    def rate(self) -> int | float:
        """Samples per unit on a line (Hz where the unit is s); whole where it is."""
        if self.ndim != 1:
            raise SigconvError(f"a domain of {self.ndim} axes has no single rate: take 1 / step of the axis you mean")
        per_unit = 1 / self.step[0]
        return per_unit.numerator if per_unit.denominator == 1 else float(per_unit)

    @property
    def extent(self) -> tuple[tuple[float, float], ...]:
        """Where each axis begins, and where its next sample after the last would lie, in its unit."""
        return tuple((float(a * s), float((a + n) * s)) for n, s, a in zip(self.shape, self.step, self.start, strict=True))

    def position(self, *samples: int) -> tuple[float, ...]:
        """Where the sample with these indices lies, in units."""
        return tuple(float((a + i) * s) for i, s, a in zip(samples, self.step, self.start, strict=True))

    def plus(self, kernel: Domain) -> Domain:
        """Ω ⊕ K, the grid of the full convolution."""
        self.agree(kernel)
        return _with(self, tuple(n and n + k - 1 for n, k in zip(self.shape, kernel.shape, strict=True)),
                     tuple(a + b for a, b in zip(self.start, kernel.start, strict=True)))

    def minus(self, kernel: Domain) -> Domain:
        """Ω ⊖ K, the grid of the outputs that read no sample outside Ω."""
        self.agree(kernel)
        return _with(self, tuple(max(n - k + 1, 0) for n, k in zip(self.shape, kernel.shape, strict=True)),
                     tuple(a + b + k - 1 for a, b, k in zip(self.start, kernel.start, kernel.shape, strict=True)))

    def needs(self, kernel: Domain) -> Domain:
        """The input grid that this output grid reads through `kernel`, whose step may be a whole fraction of ours.

        >>> line(100, 8000).every(4).needs(Domain(3, Fraction(1, 8000), -1, "s")).shape
        (99,)
        """
        if not isinstance(kernel, Domain) or self.ndim != kernel.ndim or self.unit != kernel.unit:
            self.agree(kernel)
        ratios = [out / fine for out, fine in zip(self.step, kernel.step, strict=True)]
        if any(r.denominator != 1 for r in ratios):
            self.agree(kernel)
        shape, start = [], []
        for n, a, k, b, r in zip(self.shape, self.start, kernel.shape, kernel.start, map(int, ratios), strict=True):
            shape.append(n and (n - 1) * r + k)
            start.append(_whole(a * r - b - k + 1))
        return _box(tuple(shape), kernel.step, tuple(start), self.unit, self.name)

    def every(self, stride: int | Sequence[int]) -> Domain:
        """The samples 0, s, 2s, … of this grid: ceil(N/s) of them, from the same place, s steps apart."""
        strides = natural(stride, "stride", self.ndim)
        if max(strides) == 1:
            return self
        return _box(tuple(-(-n // s) for n, s in zip(self.shape, strides, strict=True)),
                    tuple(d * s for d, s in zip(self.step, strides, strict=True)),
                    tuple(_whole(Fraction(a, s)) for a, s in zip(self.start, strides, strict=True)), self.unit, self.name)

    def dilate(self, dilation: int | Sequence[int]) -> Domain:
        """The grid of a kernel whose taps are pulled `dilation` samples apart, about the origin."""
        factors = natural(dilation, "dilation", self.ndim)
        return _with(self, tuple(k and (k - 1) * d + 1 for k, d in zip(self.shape, factors, strict=True)),
                     tuple(b * d for b, d in zip(self.start, factors, strict=True)))

    def reverse(self) -> Domain:
        """The grid mirrored at the origin."""
        return _with(self, self.shape, tuple(1 - a - n for n, a in zip(self.shape, self.start, strict=True)))

    def centre(self) -> Domain:
        """The same grid, from −((K−1)//2): where a kernel with a centre lives."""
        return _with(self, self.shape, tuple(-((max(n, 1) - 1) // 2) for n in self.shape))

    def offset(self, other: Domain) -> tuple[int, ...]:
        """The index in this grid of `other`'s first sample, an axis each; an error where it falls between samples."""
        self.agree(other)
        steps = tuple(b - a for a, b in zip(self.start, other.start, strict=True))
        if any(isinstance(s, Fraction) and s.denominator != 1 for s in steps):
            raise SigconvError(f"grids that start at {_words(self.start)} and {_words(other.start)} steps fall between "
                               "each other's samples: wanted a whole number of steps between them")
        return tuple(map(int, steps))

    def window(self, a: Number | None, b: Number | None, axis: int) -> tuple[int, int]:
        """The index range (first, stop) of the samples with a ≤ position < b on one axis; None is an open end."""
        n, step, start = self.shape[axis], self.step[axis], self.start[axis]
        ends = [None if v is None else ceil(rational(v, "position") / step - start) for v in (a, b)]
        first = 0 if ends[0] is None else min(max(ends[0], 0), n)
        stop = n if ends[1] is None else min(max(ends[1], first), n)
        return first, stop

    def agree(self, kernel: Domain) -> None:
        """Raise unless both grids have the same axes, units and steps; the message names the cure."""
        if not isinstance(kernel, Domain):
            raise SigconvError(f"a {type(kernel).__name__} as domain: wanted a Domain, e.g. sc.line(n, rate) or sc.grid(h, w)")
        if self.step == kernel.step and self.unit == kernel.unit:
            return
        if self.ndim != kernel.ndim:
            raise SigconvError(f"a kernel of {kernel.ndim} axes on a signal of {self.ndim}: wanted as many axes as the signal")
        if self.unit != kernel.unit:
            raise SigconvError(f"a kernel in {'×'.join(kernel.unit)} on a signal in {'×'.join(self.unit)}: wanted the same "
                               "units; make the kernel with the signal's domain as `like`")
        if self.ndim == 1 and self.unit == ("s",):
            raise SigconvError(f"a kernel at {_hz(kernel)} on a signal at {_hz(self)}: wanted one rate; bring the kernel "
                               f"there with sc.resample(kernel, {self.rate}, as_kernel=True), or the signal with "
                               f"sc.resample(x, {kernel.rate})")
        raise SigconvError(f"a kernel with steps of {_words(kernel.step)} on a signal with steps of {_words(self.step)} "
                           f"{self.unit[0]}: wanted the same; resample one of them (sc.resample)")

    def __str__(self) -> str:
        spans = [f"{n} × {float(s):g} {u} from {float(a * s):g}" for n, s, u, a in
                 zip(self.shape, self.step, self.unit, self.start, strict=True)]
        return "; ".join(spans)


def _hz(domain: Domain) -> str:
    return f"{domain.rate:g} Hz" if isinstance(domain.rate, float) else f"{domain.rate} Hz"


def _words(values: Sequence[int | Fraction]) -> str:
    return " × ".join(str(v) for v in values)


def _whole(value: int | Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def _fill(domain: Domain, shape: Any, step: Any, start: Any, unit: Any, name: Any, of: Domain | None = None) -> Domain:
    for slot, value in (("shape", shape), ("step", step), ("start", start), ("unit", unit), ("name", name), ("of", of)):
        object.__setattr__(domain, slot, value)
    return domain


def _box(*fields: Any) -> Domain:
    """A Domain from fields that are known to be right: grid arithmetic stands in front of every convolution."""
    return _fill(object.__new__(Domain), *fields)


def _with(domain: Domain, shape: tuple[int, ...], start: tuple) -> Domain:
    return _box(shape, domain.step, tuple(_whole(a) for a in start), domain.unit, domain.name)


def line(n: int, rate: Number, start: Number = 0, unit: str = "s") -> Domain:
    """A 1D grid of n samples, `rate` of them a unit (Hz for seconds), the first at index `start`.

    >>> line(44100, 44100).extent, line(3, 8000).step
    (((0.0, 1.0),), (Fraction(1, 8000),))

    Raises `SigconvError` where the rate is not above 0.
    """
    per_unit = Fraction(rational(rate, "rate"))
    if per_unit <= 0:
        raise SigconvError(f"rate {rate!r}: wanted above 0")
    return Domain((n,), 1 / per_unit, start, unit)


def grid(*shape: int, step: Any = 1.0, unit: Any = "px") -> Domain:
    """A grid of pixels or voxels that starts at 0; `step` and `unit` are one for all axes or one an axis.

    >>> grid(98, 116, 94, step=2, unit="mm").extent[0]
    (0.0, 196.0)
    """
    return Domain(shape, step, 0, unit)
