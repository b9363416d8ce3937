"""Where a bank's taps come from: a function and its parameters, whatever the bank was called by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import UsageError
from ..kernels.banking import Range, read
from ..signal import Signal

__all__ = ["Source", "as_taps", "pairs_of", "source_of"]

Pairs = list[tuple[Signal, Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """`function(like, **values, **options)` gives a Signal or pairs; `values` are the arrays that may be learned, with ranges.

    `name`: of the family, or of the function, or "taps"; `registered`: whether the family is one of the register.
    """

    name: str
    like: Domain
    function: Callable[..., Any]
    values: dict[str, np.ndarray]
    options: dict[str, Any] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    registered: bool = False

    def make(self, values: Mapping[str, Any]) -> Any:
        """The bank of these values, a Signal or pairs."""
        return self.function(self.like, **values, **self.options)


def source_of(family: Any, like: Any, params: Mapping[str, Any]) -> Source:
    """The source that a name, a spec, a function, a kernel or pairs of (kernel, stride) mean."""
    like = like.domain if isinstance(like, Signal) else like
    if isinstance(family, (Signal, list, tuple)):
        return _given(family, like, params)
    if not isinstance(like, Domain):
        raise UsageError(f"a bank for a {type(like).__name__}: wanted the domain that it will act on, e.g. x.domain")
    if isinstance(family, str):
        known, words = read(family, like)
        made = known.begin(like, **(words | dict(params)))
        values, options = _split(made)
        return Source(known.name, like, known.function, values, options, known.ranges(like, made), True)
    if not callable(family):
        raise UsageError(f"a {type(family).__name__} as bank: wanted a name such as 'gammatone:32', a function, a kernel Signal, "
                         "or (kernel, stride) pairs; of kernels in words and files, sc.kernel(spec, x)")
    values, options = _split(params)
    return Source(getattr(family, "__name__", "function"), like, family, values, options)


def pairs_of(made: Any, stride: Any) -> Pairs:
    """What a function gave, as pairs; a Signal at this stride."""
    if isinstance(made, Signal):
        return [(made, stride)]
    if isinstance(made, (list, tuple)) and made and all(
            isinstance(p, (list, tuple)) and len(p) == 2 and isinstance(p[0], Signal) for p in made):
        return [(k, s) for k, s in made]
    raise UsageError(f"a {type(made).__name__} as bank: wanted a kernel Signal, or a list of (kernel, stride) pairs")


def _given(family: Any, like: Any, params: Mapping[str, Any]) -> Source:
    """Taps as they are."""
    if params:
        raise UsageError(f"a bank of given taps with {', '.join(params)}: it takes none of these")
    lone, pairs = isinstance(family, Signal), pairs_of(family, 1)
    grids = [(k.domain, k.names, s) for k, s in pairs]
    for k, _ in pairs:
        if len(k.value) > 2 or 0 in (*k.value, *k.domain.shape):
            raise UsageError(f"a kernel of value {k.value} and {k.domain.shape} taps as bank: wanted (), (m,) or (m, c)")
        if isinstance(like, Domain):
            like.agree(k.domain)

    def function(like: Domain, **taps: Any) -> Any:
        made = [(Signal(taps[f"taps{i}"], grid, names), s) for i, (grid, names, s) in enumerate(grids)]
        return made[0][0] if lone else made

    values = {f"taps{i}": arrays.to_numpy(k.data) for i, (k, _) in enumerate(pairs)}
    return Source("taps", like if isinstance(like, Domain) else pairs[0][0].domain, function, values)


def _split(made: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays, and what else there is."""
    values, options = {}, {}
    for name, value in made.items():
        if arrays.is_tensor(value) or isinstance(value, np.ndarray) or (isinstance(value, list) and value):
            values[name] = np.array(arrays.to_numpy(arrays.asarray(value)))
        else:
            options[name] = value
    return values, options


def as_taps(source: Source) -> Source:
    """The same bank with its taps for parameters."""
    return source if source.name == "taps" else _given(source.make(source.values), source.like, {})
