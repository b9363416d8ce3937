"""Banks in words: a register of families, each in two steps, words -> parameters -> taps.

`family.start(like, **words)` makes of words (count, low, high, scale, …) the parameters, arrays and options by name;
`family.function(like, **parameters)` makes the taps of them: a Signal of value (m,), or a list of (Signal, stride) pairs,
differentiable in every parameter that is a tensor. Families of bands on a line speak `centre` and `bandwidth`, at −3 dB.
A spec names one as it names a kernel: `gammatone:32,100,7000`, `sinc:count=80,taps=251,scale=mel`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..domain import Domain
from ..errors import SigconvError, UsageError, hint
from ..signal import Signal
from .registry import Parameter

__all__ = ["BANKS", "BankFamily", "Range", "Words", "bank", "enter", "find_bank", "read"]

Words = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Range:
    """Where a parameter is learned: between `low` and `high`, above `low`, or anywhere, then in steps of `unit`."""

    low: float | None = None
    high: float | None = None
    unit: float = 1.0


@dataclass(frozen=True, slots=True)
class BankFamily:
    """A family of banks: its words (`parameters`, with their units), its start and its function; `learnable` names the arrays
    that a `Bank` may learn, `ranges(like, parameters)` where they may lie."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    function: Callable[..., Any]
    learnable: tuple[str, ...]
    start: Callable[..., Words]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    dims: tuple[int, ...] = (1,)
    ranges: Callable[[Domain, Words], dict[str, Range]] = lambda like, parameters: {}

    def begin(self, like: Any, **words: Any) -> Words:
        """`start`, for words that it has; refused in one line otherwise."""
        like = like.domain if isinstance(like, Signal) else like
        if not isinstance(like, Domain):
            raise UsageError(f"bank {self.name} for a {type(like).__name__}: wanted the domain it will act on, e.g. x.domain")
        if like.ndim not in self.dims:
            serves = " and ".join(map(str, self.dims)) + (" axis" if self.dims == (1,) else " axes")
            raise UsageError(f"bank {self.name} on {like.ndim} {'axis' if like.ndim == 1 else 'axes'}: it serves {serves}")
        known = dict.fromkeys([*self.parameters, *self.learnable])
        for word in words.keys() - known.keys():
            near = hint(word, known) or f"; it takes {', '.join(known)}"
            raise UsageError(f"bank {self.name}: no parameter {word!r}{near}")
        try:
            return self.start(like, **words)
        except SigconvError as why:
            raise UsageError(str(why) if str(why).startswith("bank") else f"bank {self.name}: {why}") from None

    def make(self, like: Any, **words: Any) -> Any:
        """The bank that these words mean."""
        return self.function(like, **self.begin(like, **words))


BANKS: dict[str, BankFamily] = {}


def enter(name: str, *aliases: str, function: Callable[..., Any], start: Callable[..., Words], summary: str,
          parameters: Mapping[str, Parameter], learnable: tuple[str, ...] = (), dims: tuple[int, ...] = (1,),
          ranges: Callable[[Domain, Words], dict[str, Range]] = lambda like, parameters: {}) -> None:
    """Enter a family into the register.

    >>> from sigconv.kernels.bands import free
    >>> enter("one", function=lambda like, taps: free(like, taps), start=lambda like: {"taps": [[1.0]]},
    ...       summary="Nothing changes.", parameters={})
    >>> bank("one", Domain(1)).value, BANKS.pop("one").dims
    ((1,), (1,))
    """
    BANKS[name] = BankFamily(name, aliases, summary, function, learnable, start, dict(parameters), dims, ranges)


def find_bank(name: str) -> BankFamily | None:
    """The family of banks of this name or alias, in capitals or not.

    >>> find_bank("VQT").name
    'variable_q'
    """
    name = name.strip().lower()
    return BANKS.get(name) or next((f for f in BANKS.values() if name in f.aliases), None)


def read(spec: str, like: Any) -> tuple[BankFamily, Words]:
    """The family and the words of a spec, each in its unit.

    >>> import sigconv as sc
    >>> read("gammatone:8,100,scale=bark", sc.line(1, 8000))[1]
    {'count': 8.0, 'low': 100.0, 'scale': 'bark'}

    Raises `UsageError` for a name that is none, with the nearest, and for words that the family has not.
    """
    from .reading import arguments, quoted

    name, _, rest = spec.partition(":")
    family = find_bank(name)
    if family is None:
        known = sorted(word for f in BANKS.values() for word in (f.name, *f.aliases))
        near = hint(name.strip().lower(), known) if len(name) < 100 else ""
        raise UsageError(f"bank {quoted(name)}: unknown{near or '; wanted one of ' + ', '.join(sorted(BANKS))}")
    like = like.domain if isinstance(like, Signal) else like
    if not isinstance(like, Domain) or like.ndim not in family.dims:
        return family, family.begin(like)
    return family, arguments(family, name.strip(), rest, like)


def bank(spec: str, like: Any, **words: Any) -> Any:
    """The bank that a spec means on grids like `like`: a Signal of value (m,), or a list of (Signal, stride) pairs.

    `spec`: a name, perhaps with words after a colon, `"gammatone:32,100,7000"`: count, low, high in this order, others by
    name. `words`: more of them, which may be arrays, or tensors, in which the taps are then differentiable.

    >>> import sigconv as sc
    >>> bank("gammatone:4,100,3000", sc.line(1, 8000)).channels
    ('100 Hz', '475.32 Hz', '1279 Hz', '3000 Hz')
    >>> bank("sinc", sc.line(1, 8000), centre=[500.0, 1500.0], bandwidth=[400.0, 600.0], taps=251).value
    (2,)

    Raises `UsageError` for names, words and values that are not known, in one line.
    """
    family, options = read(spec, like)
    return family.make(like, **(options | words))
