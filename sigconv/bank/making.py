"""The taps of a bank: made of its parameters, on the graph while these are learned, kept while they stand still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import arrays
from ..domain import Domain, natural
from ..errors import SigconvError, UsageError, among, hint
from ..kernels.banking import Range
from ..signal import PADDING_MODES, Signal
from .scaling import inward, outward
from .sources import Source, as_taps, pairs_of, source_of

if TYPE_CHECKING:
    import torch
    from torch.nn import Module
else:  # whoever opens this room wants torch
    from importlib import import_module

    torch = import_module("torch")
    Module = torch.nn.Module

__all__ = ["Taps"]

Learn = Sequence[str] | str


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Taps that are made: the parameters that they are of, with the values and versions that these had; grids, and strides."""

    of: list[Any]
    values: list[Any]
    versions: list[int]
    kernels: list[tuple[Domain, bool, Any]]


class Taps(Module):
    """What a `Bank` is made of; its contract stands there."""

    def __init__(self, family: Any, like: Any = None, *, stride: Any = 1, learn: Learn = (), mode: str = "same",
                 padding_mode: str = "zeros", dilation: Any = 1, zero_mean: bool = False, bias: bool = False,
                 ranges: Mapping[str, Any] | None = None, **params: Any):
        super().__init__()
        among(mode, ("full", "same", "valid"), "mode")
        among(padding_mode, PADDING_MODES, "padding_mode")
        if padding_mode != "zeros" and mode != "same":
            raise UsageError(f"padding_mode {padding_mode!r} with mode {mode!r}: only 'same' looks beyond the edges")
        source = family if isinstance(family, Source) else source_of(family, like, params)
        if not isinstance(learn, (str, list, tuple)):
            raise UsageError(f"learn {learn!r}: wanted the name of a parameter, or a list of names")
        names = [learn] if isinstance(learn, str) else list(learn)
        if "taps" in names and "taps" not in source.values:
            if len(names) > 1:
                raise UsageError(f"learn {', '.join(names)}: wanted the taps, or parameters that make them")
            source = as_taps(source)
            names = list(source.values)
        self.like, self.mode, self.padding_mode, self.zero_mean = source.like, mode, padding_mode, bool(zero_mean)
        self.stride, self.dilation = natural(stride, "stride", self.like.ndim), natural(dilation, "dilation", self.like.ndim)
        self._source, self._ranges = self._learnable(source, names, ranges or {})
        self._also: list[tuple[Signal, Any]] = []
        self._begin: dict[str, np.ndarray] = {}  # u at the start, of what has a range
        self._held: _Held | None = None
        self._learn = tuple(names)
        for name in names:
            value, where = self._source.values[name], self._ranges[name]
            if where.low is None and where.high is None:
                start = _real(torch.from_numpy(np.array(value / where.unit)))
            else:
                self._begin[name] = inward(np.asarray(value, np.float64), where, name)
                start = torch.zeros(value.shape)
            self.register_parameter(f"learned_{name}", torch.nn.Parameter(start.to(torch.get_default_dtype())))
        m = sum(k.value[0] for k, _ in self._pairs(self._values(grad=False)))  # what can't be made is told now
        self.bias = torch.nn.Parameter(torch.zeros(m)) if bias else None

    @staticmethod
    def _learnable(source: Source, names: Sequence[str], given: Mapping[str, Any]) -> tuple[Source, dict[str, Range]]:
        """The source with numbers that are to be learned as arrays, and the range of each."""
        values, options = dict(source.values), dict(source.options)
        for name in names:
            if name not in values and isinstance(options.get(name), (int, float)) and not isinstance(options[name], bool):
                values[name] = np.array(float(options.pop(name)))
            if name not in values:
                near = hint(name, values) or f"; wanted some of {', '.join([*values, 'taps'])}"
                raise UsageError(f"learn {name!r}: no array parameter of {source.name}{near}")
        for name in given.keys() - values.keys():
            raise UsageError(f"ranges of {name!r}: no array parameter of {source.name}{hint(name, values)}")
        made = {n: _range(w, n) for n, w in given.items()}
        ranges = {name: made.get(name, source.ranges.get(name, Range())) for name in values}
        return Source(source.name, source.like, source.function, values, options, source.ranges, source.registered), ranges

    @property
    def learned(self) -> dict[str, Any]:
        """The parameters by name, as they are learned: `values` has them in their units."""
        return {name: getattr(self, f"learned_{name}") for name in self._learn}

    def kernel(self) -> Any:
        """The kernel as it stands, in double precision, on the graph where gradients are recorded; pairs for several rates."""
        pairs = self._pairs(self._values(torch.is_grad_enabled()))
        return pairs[0][0] if self.lone else pairs

    @property
    def lone(self) -> bool:
        """Whether the bank is one Signal, of one rate."""
        return self._lone

    def values(self) -> dict[str, np.ndarray]:
        """The array parameters as they stand.

        >>> import sigconv as sc
        >>> sc.Bank("octave:low=500,high=1000", sc.line(1, 8000)).values()["centre"].round(1).tolist()
        [501.2, 1000.0]
        """
        return {name: arrays.to_numpy(v) for name, v in self._values(grad=False).items()}

    def _values(self, grad: bool) -> dict[str, Any]:
        """Every array parameter: tensors where they are learned, all in double precision."""
        with torch.set_grad_enabled(grad and torch.is_grad_enabled()):
            made: dict[str, Any] = dict(self._source.values)
            for name, p in self.learned.items():
                where, value = self._ranges[name], p.double()
                if name in self._begin:
                    value = value + torch.from_numpy(self._begin[name]).to(value.device)
                elif np.iscomplexobj(made[name]):
                    value = torch.view_as_complex(value)
                made[name] = outward(value, where)
            return made

    def _pairs(self, values: Mapping[str, Any]) -> list[tuple[Signal, Any]]:
        """Kernels of value (m,) or (m, c) with their strides."""
        made = self._source.make(values)
        self._lone = isinstance(made, Signal) and not self._also
        pairs = [(_many(self._without_mean(k)), s) for k, s in pairs_of(made, self.stride)]
        if self._also and isinstance(made, Signal) and len(self._also) == 1 and self._also[0][1] == self.stride:
            self._lone = True
            return [(_beside(pairs[0][0], self._also[0][0]), self.stride)]
        return pairs + self._also

    def _without_mean(self, k: Signal) -> Signal:
        if not self.zero_mean:
            return k
        windows = np.ix_(*(np.hanning(n + 2)[1:-1] for n in k.domain.shape))
        window = np.prod(np.broadcast_arrays(*windows), axis=0) if len(windows) > 1 else windows[0]
        axes = tuple(range(len(k.value), k.data.ndim))
        xp = arrays.namespace(k.data)
        mean = xp.sum(k.data, axis=axes, keepdims=True)
        return Signal(k.data - mean * arrays.like(window / window.sum(), k.data), k.domain, k.names)

    def _ready(self) -> list[tuple[Any, Any, Any]]:
        """(grid, taps, stride) of each kernel: kept ones in export and wherever no gradient is asked for."""
        if torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export():
            if self._held is None or self._held.versions != [p._version for p in self._held.of]:
                raise SigconvError("export of a bank whose taps are not those of its parameters: wanted bank.eval() first")
        elif any(p.requires_grad for p in self.learned.values()) and torch.is_grad_enabled():
            return self._fresh()
        else:
            self._hold()
        assert self._held is not None
        return [(grid, _whole(getattr(self, f"_taps{i}"), wide), s) for i, (grid, wide, s) in enumerate(self._held.kernels)]

    @torch.compiler.disable
    def _fresh(self) -> list[tuple[Any, Any, Any]]:
        pairs = self._pairs(self._values(True))
        self._counts = [k.value[0] for k, _ in pairs]
        return [(k.domain, k.data, s) for k, s in pairs]

    @torch.compiler.disable
    def _hold(self) -> None:
        """Make the taps, where they are not those of the parameters as they stand."""
        held, now = self._held, list(self.learned.values())
        if held is not None and self._taps0.dtype == torch.float64 and all(
                a is b and torch.equal(a.detach(), was) for a, b, was in zip(now, held.of, held.values, strict=True)):
            return
        pairs = self._pairs(self._values(False))
        self._counts = [k.value[0] for k, _ in pairs]
        kernels = []
        for i, (k, s) in enumerate(pairs):
            taps = k.data if arrays.is_tensor(k.data) else torch.from_numpy(np.array(k.data))
            self.register_buffer(f"_taps{i}", _real(taps).detach(), persistent=False)
            kernels.append((k.domain, taps.is_complex(), s))
        self._held = _Held(now, [p.detach().clone() for p in now], [p._version for p in now], kernels)

    def train(self, mode: bool = True) -> Any:
        """As in torch; `eval` makes the taps ready."""
        super().train(mode)
        if not mode:
            self._hold()
        return self


def _range(given: Any, name: str) -> Range:
    """(low, high), either of them None for no end, as a Range."""
    if isinstance(given, Range):
        return given
    ends = given if isinstance(given, (list, tuple)) and len(given) == 2 else (0, 0)
    low, high = (float("nan") if not isinstance(v, (int, float, type(None))) else v for v in ends)
    if not (-inf if low is None else low) < (inf if high is None else high):
        raise UsageError(f"range {given!r} of {name}: wanted (low, high) in order, None for no end")
    return Range(low, high)


def _many(k: Signal) -> Signal:
    """A kernel of value () as a bank of one."""
    return k if k.value else Signal(k.data[None], k.domain)


def _real(taps: Any) -> Any:
    """Complex numbers as pairs of real ones, in a last axis; nothing else in memory that optimisers and files know."""
    return torch.view_as_real(taps.resolve_conj()) if taps.is_complex() else taps


def _whole(taps: Any, complex_: bool) -> Any:
    return torch.view_as_complex(taps) if complex_ else taps


def _beside(k: Signal, more: Signal) -> Signal:
    """Two banks as one, on a grid that holds both."""
    a = min(int(each.domain.start[0]) for each in (k, more))
    z = max(int(each.domain.start[0]) + each.domain.shape[0] for each in (k, more))
    grid = Domain(z - a, k.domain.step, a, k.domain.unit, k.domain.name)
    first, rest = k.on(grid).data, more.on(grid).data
    xp = arrays.namespace(first)
    data = np.concatenate([first, rest]) if xp is np else xp.concat([first, arrays.like(rest, first)])
    names = [each.channels or tuple(map(str, range(each.value[0]))) for each in (k, more)]
    return Signal(data, grid, names[0] + names[1])
