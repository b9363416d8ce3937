"""The unit of everything that listens: normalise → bank → nonlinearity → pool, each stage a function of Signals.

A stage of a spectrum that looks at each frame alone says so (`framewise`). Then a bank that gives its frames in `pieces` is
followed piece by piece: what lies between bank and pool is never held whole, and stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import update_wrapper
from inspect import Parameter, signature
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from .. import arrays
from ..convolving import convolve
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["STAGES", "Block", "Spectrum", "framewise"]

STAGES = ("normalise", "bank", "nonlinearity", "pool")
Stage = Callable[[Signal], Signal]
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Signal])


def framewise(stage: F) -> F:
    """A function of Signals that looks at each frame, each place of the last axis of Ω, alone; said of a stage of one's own.

    >>> halved = framewise(lambda S: S / 2)
    >>> halved.framewise
    True
    """
    stage.framewise = True  # type: ignore[attr-defined]
    return stage


@dataclass(frozen=True, slots=True)
class Block:
    """normalise → bank → nonlinearity → pool: the block of a convolutional network, and every spectrum.

    Each stage is a function of a Signal that gives a Signal, or None. `bank` may also be a kernel: what `convolve` does with it.
    A Block is such a function itself, so it may be a stage of another. NumPy or tensors, one axis or three.

    Law: ``block(x)`` is the last of ``block.stages(x)``, each of which is a Signal to be heard (`hear.audible`) and seen.

    >>> import numpy as np
    >>> import sigconv as sc
    >>> from functools import partial
    >>> x = sc.Signal(np.random.default_rng(0).normal(size=(1, 800)), sc.line(800, 8000))
    >>> pool = partial(sc.spectra.pool, kind="max", size=8)
    >>> block = sc.Block(sc.spectra.standardise, sc.kernel("edge", x), sc.chain.relu, pool)
    >>> block(x).domain.shape, list(block.stages(x))
    ((100,), ['normalise', 'bank', 'nonlinearity', 'pool'])

    Raises `SigconvError` for a stage that is no such function, and for one that gives no Signal.
    """

    normalise: Any = None
    bank: Any = None
    nonlinearity: Any = None
    pool: Any = None

    def __post_init__(self) -> None:
        for name in STAGES:
            stage = getattr(self, name)
            if not (stage is None or callable(stage) or (name == "bank" and isinstance(stage, Signal))):
                raise SigconvError(f"a {type(stage).__name__} as {name} of a Block: wanted a function of a Signal that gives a "
                                   "Signal, or None" + (", or a kernel" if name == "bank" else ""))

    def __call__(self, x: Signal) -> Signal:
        """What comes out of the last stage."""
        x = _passed(self, "normalise", x)
        after = [stage for stage in (self.nonlinearity, self.pool) if stage is not None]
        if hasattr(self.bank, "pieces") and after and all(_alone(stage) for stage in after) and isinstance(x, Signal) \
                and isinstance(x.data, np.ndarray):
            return joined(_piecewise(self, x))
        for name in STAGES[1:]:
            x = _passed(self, name, x)
        return x

    def stages(self, x: Signal) -> dict[str, Signal]:
        """What comes out of each stage that there is, in order."""
        found = {}
        for name in STAGES:
            if getattr(self, name) is not None:
                found[name] = x = _passed(self, name, x)
        return found

    @property
    def framewise(self) -> bool:
        """Whether it is made of stages that look at each frame alone."""
        return all(_alone(stage) for stage in (getattr(self, name) for name in STAGES) if stage is not None)


class Spectrum(Generic[P]):
    """A spectrum by the function that builds its Block from parameters: ``spectrum(x, …)`` is ``spectrum.block(…)(x)``."""

    def __init__(self, block: Callable[P, Block]):
        update_wrapper(self, block)
        self.block = block
        x = Parameter("x", Parameter.POSITIONAL_OR_KEYWORD, annotation="Signal")
        told = signature(block)
        self.__signature__ = told.replace(parameters=[x, *told.parameters.values()], return_annotation="Signal")

    def __call__(self, x: Signal, *args: P.args, **kwargs: P.kwargs) -> Signal:
        return self.block(*args, **kwargs)(x)

    def __repr__(self) -> str:
        return f"<spectrum {self.block.__name__}>"


def _alone(stage: Any) -> bool:
    return getattr(getattr(stage, "func", stage), "framewise", False)


def _passed(block: Block, name: str, x: Any) -> Signal:
    """x through one stage."""
    if not isinstance(x, Signal):
        raise SigconvError(f"a {type(x).__name__} to a Block: wanted a Signal; wrap arrays as sc.Signal(data, domain)")
    stage = getattr(block, name)
    if stage is None:
        return x
    y = convolve(x, stage) if isinstance(stage, Signal) else stage(x)
    if not isinstance(y, Signal):
        raise SigconvError(f"the {name} of a Block gave a {type(y).__name__}: wanted a Signal")
    return y


def _piecewise(block: Block, x: Signal) -> Iterator[tuple[Signal, int]]:
    for piece, frames in block.bank.pieces(x):
        for name in STAGES[2:]:
            piece = _passed(block, name, piece)
        yield piece, frames


def joined(pieces: Iterator[tuple[Signal, int]]) -> Signal:
    """Pieces that follow each other along the last axis of Ω, each with the length of the whole."""
    whole, at, first = np.empty(0), 0, None
    for piece, frames in pieces:
        if first is None:
            first, whole = piece, np.empty((*piece.data.shape[:-1], frames), piece.data.dtype)
        n = piece.data.shape[-1]
        whole[..., at: at + n] = piece.data
        at += n
    assert first is not None
    d = first.domain
    return Signal(whole, Domain((*d.shape[:-1], at), d.step, d.start, d.unit, d.name, d.of), first.names)


def wanted_sound(x: Any, what: str) -> Any:
    """The samples of a signal on a line in a type that is computed in."""
    if not isinstance(x, Signal):
        raise SigconvError(f"{what} of a {type(x).__name__}: wanted a Signal; wrap arrays as sc.Signal(data, sc.line(n, rate))")
    if x.domain.ndim != 1:
        raise SigconvError(f"{what} of a signal of {x.domain.ndim} axes: wanted one axis (sound)")
    return arrays.computable(x.data)
