"""The register of families: what each is called, takes, serves and promises.

A family is a plain function ``f(like, …) -> Signal``. `@family` keeps what it declares, refuses what it cannot serve in one
line, and leaves the function a function: differentiable in every parameter that is a tensor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from math import isfinite, prod
from typing import Any, ParamSpec

from .. import arrays
from ..domain import Domain
from ..errors import UsageError
from ..signal import Signal

__all__ = ["FAMILIES", "LIMIT", "Family", "Parameter", "family", "find"]

LIMIT = 2**22  # taps
P = ParamSpec("P")

LENGTH, FREQUENCY, PITCH, COUNT, WORD, PLAIN = "s or px", "Hz or 1/px", "note or Hz", "count", "word", ""
LENGTHS, FREQUENCIES, SHIFTS = f"{LENGTH}, or per axis", f"{FREQUENCY}, or per axis", f"{LENGTH} along the last axis, or per axis"
DEGREES, OCTAVES = "degrees", "octaves"
EACH = (LENGTHS, FREQUENCIES, SHIFTS)  # what a tuple with one entry an axis may be given for


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a parameter is measured in (`"s or px"` is the unit of the axis, `"Hz or 1/px"` cycles per that unit,
    `""` a plain number), its default as a value or in words, and what it means."""

    unit: str
    default: Any
    meaning: str = ""

    def unit_on(self, like: Domain, axis: int = -1) -> str:
        """The unit on an axis of this grid: `"ms"` axes give `"ms"`, a frequency there is in `"1/ms"`, on seconds in `"Hz"`."""
        unit = like.unit[axis]
        if self.unit in (LENGTH, LENGTHS, SHIFTS):
            return unit
        return per(unit) if self.unit in (FREQUENCY, FREQUENCIES, PITCH) else self.unit if self.unit in (DEGREES, OCTAVES) else ""


@dataclass(frozen=True, slots=True)
class Family:
    """A family of kernels and what it declares.

    `formula`: its taps, one for all dimensions or one for each; `refused`: why it does not serve a dimension. `facts`: what
    the tests hold it to: `dc` (gain at frequency 0), `slope` (dB an octave near 0, on all axes at once), `zero_mean`, `symmetry`
    ("even", "odd", "none": of the taps mirrored at their centre), `norm1`, `norm2`, `delay` (samples); one for all
    dimensions, or a dict with one for each.
    """

    name: str
    function: Callable[..., Signal]
    aliases: tuple[str, ...]
    summary: str
    formula: str | dict[int, str]
    parameters: dict[str, Parameter]
    refused: dict[int, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def dims(self) -> tuple[int, ...]:
        """How many axes it serves."""
        return tuple(n for n in (1, 2, 3) if n not in self.refused)

    def cell(self, ndim: int) -> str:
        """Its taps in so many dimensions, or why there are none."""
        if ndim in self.refused:
            return f"refused: {self.refused[ndim]}"
        return self.formula if isinstance(self.formula, str) else self.formula[ndim]

    def declared(self, ndim: int) -> dict[str, Any]:
        """Its facts in so many dimensions."""
        return {fact: value[ndim] if isinstance(value, dict) else value for fact, value in self.facts.items()
                if not isinstance(value, dict) or ndim in value}


FAMILIES: dict[str, Family] = {}


def find(name: str) -> Family | None:
    """The family of this name or alias, in capitals or not.

    >>> find("Blur").name
    'gaussian'
    """
    name = name.lower()
    return FAMILIES.get(name) or next((f for f in FAMILIES.values() if name in f.aliases), None)


def family(*aliases: str, formula: str | Mapping[int, str], facts: Mapping[str, Any], refused: Mapping[int, str] | None = None,
           parameters: Mapping[str, Parameter] | None = None) -> Callable[[Callable[P, Signal]], Callable[P, Signal]]:
    """Enter a function of (like, …) under its own name; `like` may be a Domain or a Signal on one.

    `formula` has an entry for each dimension that is not `refused`, or is one for all of them.
    """

    def enter(function: Callable[P, Signal]) -> Callable[P, Signal]:
        name = function.__name__
        declared, why_not = dict(parameters or {}), dict(refused or {})
        if list(inspect.signature(function).parameters)[1:] != list(declared):
            raise TypeError(f"family {name}: parameters {list(declared)} are not those of its signature")

        @wraps(function)
        def checked(*args: P.args, **options: P.kwargs) -> Signal:
            like = args[0] if args else options.pop("like", None)
            like = like.domain if isinstance(like, Signal) else like
            if not isinstance(like, Domain):
                raise UsageError(f"{name} for a {type(like).__name__}: wanted the domain that it will act on, e.g. x.domain")
            if like.ndim in why_not:
                serves = [n for n in (1, 2, 3) if n not in why_not]
                raise UsageError(f"{name} on {like.ndim} {'axis' if like.ndim == 1 else 'axes'}: {why_not[like.ndim]}; it serves "
                                 f"{' and '.join(map(str, serves))} {'axis' if serves == [1] else 'axes'}")
            try:
                return function(like, *args[1:], **options)  # type: ignore[arg-type]
            except OverflowError:
                raise UsageError(f"{name}: a kernel of more taps than can be counted; wanted at most {LIMIT}") from None

        summary = (function.__doc__ or "").strip().splitlines()[0]
        taps = formula if isinstance(formula, str) else dict(formula)
        if not isinstance(taps, str) and sorted({*taps, *why_not}) != [1, 2, 3]:
            raise TypeError(f"family {name}: formulas for {sorted(taps)}, refused {sorted(why_not)}")
        FAMILIES[name] = Family(name, checked, tuple(aliases), summary, taps, declared, why_not, dict(facts))
        return checked

    return enter


def per(unit: str) -> str:
    """The unit of frequency on an axis in `unit`."""
    return "Hz" if unit == "s" else f"1/{unit}" if unit else ""


def number(value: Any, what: str, unit: str = "", *, above: float | None = None, least: float | None = None,
           below: float | None = None) -> float:
    """A parameter as a float (a tensor's value off the graph), refused where it is no finite number in range."""
    try:
        got = float(value.detach() if arrays.is_tensor(value) else value)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"{what} {value!r}: wanted one number{' in ' + unit if unit else ''}") from None
    bounds = (("above", above), ("at least", least), ("below", below))
    wanted = [f"{word} {bound:g}" for word, bound in bounds if bound is not None]
    good = isfinite(got) and (above is None or got > above) and (least is None or got >= least) and (below is None or got < below)
    if not good:
        raise UsageError(f"{what} {got:g} {unit}".rstrip() + f": wanted {' and '.join(wanted) or 'a finite number'}"
                         + (f" {unit}" if wanted and unit else ""))
    return got


def whole(value: Any, what: str, least: int = 1) -> int:
    """A parameter that counts."""
    got = number(value, what, least=least)
    if got != int(got):
        raise UsageError(f"{what} {got:g}: wanted a whole number")
    return int(got)


def on_grid(like: Domain, shape: Sequence[int], start: Sequence[int]) -> Domain:
    """The grid of a kernel with like's steps and units, refused where it would have too many taps."""
    limit(shape)
    return Domain(tuple(shape), like.step, tuple(start), like.unit, like.name)


def limit(shape: Sequence[int]) -> None:
    """Refuse shapes of more than `LIMIT` taps, before anything is allocated."""
    if prod(shape) > LIMIT:
        raise UsageError(f"a kernel of {' × '.join(f'{n:.12g}' for n in shape)} taps: wanted at most {LIMIT}; use a shorter one")


def centred(like: Domain, data: Any) -> Signal:
    """Taps on the grid from −((K−1)//2)."""
    shape = tuple(data.shape)
    return Signal(data, on_grid(like, shape, [-((n - 1) // 2) for n in shape]))


def product(factors: Sequence[Any]) -> Any:
    """The taps ``f₁ ⊗ f₂ ⊗ …``, one factor an axis."""
    whole = factors[0]
    for factor in factors[1:]:
        whole = whole[..., None] * factor
    return whole


def one_each(value: Any, like: Domain, what: str) -> tuple[Any, ...]:
    """One entry an axis; a scalar is for all, where all are in one unit."""
    if isinstance(value, (tuple, list)):
        if len(value) != like.ndim:
            raise UsageError(f"{what} with {len(value)} entries: wanted one, or one for each of {like.ndim} axes")
        return tuple(value)
    if value is not None and len(set(like.unit)) > 1:
        units = " and ".join(dict.fromkeys(like.unit))
        raise UsageError(f"{what} {number(value, what):g} on axes in {units}: wanted one for each, "
                         f"{what}=({', '.join(like.name)})")
    return (value,) * like.ndim
