"""Blocks, and what is built of blocks: rows of them, bypasses, scales side by side; all from plain entries of a config.

An entry is a table of words and numbers with a `kind`, by default "block"; `build` makes the module. Nothing pads along time
(unless the net is told to), so a bypass takes of its input the middle that the other branch leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import UsageError, hint, printable
from .layers import Norm, Pool, Reach, Unshared, WholeFilters, bank, nonlinear
from .words import fitted

__all__ = ["Block", "Chain", "Shape", "build", "chain"]


@dataclass(frozen=True)
class Shape:
    """What an array of a net looks like beside the batch: its channels, its frequencies (0: it has no such axis), its instants
    for a window (0: not known); whether layers pad along time."""

    channels: int
    height: int = 0
    pad: bool = False
    instants: int = 0

    @property
    def dims(self) -> int:
        return 2 if self.height else 1


class Part(nn.Module):
    """What every part of a net knows: what it reads, and the shape of what it gives."""

    reach: Reach
    shape: Shape


class Block(Part):
    """Normalise → bank → nonlinearity → pool, the unit of every net; each stage may be absent.

    `normalise` acts on what the bank gives, as in published nets, or with `before` on what it takes. `taps`, `stride`,
    `dilation`: a number, or [frequency, time]. `separable`: a filter a channel, then 1 × 1. `shared` false: other taps at every
    place (`layers.Unshared`), for which the net must have a `window`. `drop`: dropout of whole filters.
    """

    def __init__(self, shape: Shape, *, channels: int = 0, taps: Any = 1, stride: Any = 1, dilation: Any = 1, groups: int = 1,
                 separable: bool = False, depthwise: bool = False, shared: bool = True, bias: bool = False,
                 normalise: str = "batch", before: bool = False, nonlinearity: str = "relu", pool: str = "", drop: float = 0.0,
                 valid: bool = False):
        super().__init__()
        m, dims = channels or shape.channels, shape.dims
        options: dict[str, Any] = {"stride": stride, "dilation": dilation, "pad": shape.pad, "pad_frequency": not valid}
        if not shared:
            if separable or depthwise or groups > 1:
                raise UsageError("shared = false: wanted a block that is not separable, depthwise or in groups")
            if shape.pad or not shape.instants:
                raise UsageError('shared = false, other taps at every instant: wanted a net with a window, and pad = "input"')
            options["size"] = (shape.height, shape.instants)[-dims:]
        if separable or depthwise:
            deep, reach = bank(dims, shape.channels, shape.channels, taps, groups=shape.channels, bias=bias and depthwise,
                               **options)
            self.bank = deep if depthwise else nn.Sequential(deep, bank(dims, shape.channels, m, 1, bias=bias)[0])
            m = shape.channels if depthwise else m
        else:
            self.bank, reach = bank(dims, shape.channels, m, taps, groups=groups, bias=bias, **options)
        inner = replace(shape, channels=m, height=_height(self.bank, shape.height))
        self.normalise = _norm(normalise, shape if before else inner) if normalise != "none" else None
        self.before = before
        self.nonlinearity = nonlinear(nonlinearity)
        self.drop = WholeFilters(drop)
        self.pool = Pool(pool, dims) if pool else None
        parts = [self.normalise.reach] if self.normalise else []
        parts = [*parts, reach] if before else [reach, *parts]
        self.reach = _row([*parts, *([self.pool.reach] if self.pool else [])])
        self.shape = replace(inner, height=_pooled(self.pool, inner.height))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.normalise is not None and self.before:
            x = self.normalise(x)
        x = self.bank(x)
        if self.normalise is not None and not self.before:
            x = self.normalise(x)
        x = self.drop(self.nonlinearity(x))
        return x if self.pool is None else self.pool(x)


class Chain(nn.ModuleList):
    """Parts in a row."""

    reach: Reach
    shape: Shape

    def __init__(self, modules: Sequence[Any], shape: Shape):
        super().__init__(modules)
        self.reach = _row([m.reach for m in modules])
        self.shape = modules[-1].shape if modules else shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for module in self:
            x = module(x)
        return x

    def parts(self) -> list[Any]:
        """Its parts, in order."""
        return list(self)


class Residual(Part):
    """x + f(x), then a nonlinearity: the bypass is the middle of x, every stride-th, through 1 × 1 filters where channels differ.

    `shortcut`: "auto"; "conv", always through filters; "none" leaves the bypass out.
    """

    def __init__(self, shape: Shape, *, blocks: Sequence[Mapping[str, Any]], shortcut: str = "auto", nonlinearity: str = "relu",
                 drop: float = 0.0):
        super().__init__()
        self.body = chain(blocks, shape)
        self.nonlinearity, self.drop = nonlinear(nonlinearity), WholeFilters(drop)
        self.reach, self.shape, self.bypass = self.body.reach, self.body.shape, None
        self.plain = shortcut == "none"
        if shortcut not in ("auto", "conv", "none"):
            raise UsageError(f"shortcut {shortcut!r}: wanted auto, conv or none")
        self.skip = (self.reach.first + self.reach.last) // 2
        self.every = (max(shape.height // self.shape.height, 1) if shape.height else 1, self.reach.stride)
        if shortcut == "conv" or (shortcut == "auto" and (self.every != (1, 1) or shape.channels != self.shape.channels)):
            self.bypass = nn.Sequential(bank(shape.dims, shape.channels, self.shape.channels, 1)[0],
                                        Norm("batch", self.shape.channels, shape.dims))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        if not self.plain:
            x = x[..., self.skip::self.reach.stride] if self.skip or self.reach.stride > 1 else x
            x = x[..., ::self.every[0], :] if self.every[0] > 1 else x
            x = x[..., :y.shape[-1]]
            y = y + (x if self.bypass is None else self.bypass(x))
        return self.drop(self.nonlinearity(y))


class Broadcast(Part):
    """A block of BC-ResNet: f₂ along frequency at each instant, its mean over frequency through f₁ along time, and that
    broadcast back over the frequencies: y = relu(x + f₂(x) + f₁(mean f₂(x))) (Kim et al., Interspeech 2021)."""

    def __init__(self, shape: Shape, *, channels: int, stride: int = 1, dilation: int = 1, drop: float = 0.1, bands: int = 5):
        super().__init__()
        if not shape.height:
            raise UsageError("broadcast without a frequency axis: wanted a fold that opens one")
        self.same = channels == shape.channels
        first = [] if self.same else [bank(2, shape.channels, channels, 1)[0], Norm("batch", channels, 2), nn.ReLU()]
        deep = bank(2, channels, channels, (3, 1), stride=(stride, 1), groups=channels)[0]
        left = replace(shape, channels=channels, height=_height(deep, shape.height))
        self.frequency = nn.Sequential(*first, deep, _norm(f"subspectral:{bands}", left))
        along, self.reach = bank(2, channels, channels, (1, 3), dilation=(1, dilation), groups=channels, pad=shape.pad)
        self.time = nn.Sequential(along, Norm("batch", channels, 2), nn.SiLU(), bank(2, channels, channels, 1)[0],
                                  WholeFilters(drop))
        self.shape = left
        self.skip = (self.reach.first + self.reach.last) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.frequency(x)
        late = self.time(y.mean(2, keepdim=True))
        n = late.shape[-1]
        total = late + y[..., self.skip:self.skip + n]
        return F.relu(total + x[..., self.skip:self.skip + n] if self.same else total)


class Fold(Part):
    """The frequency axis into the channels ("flat"), averaged away ("mean"), or the channels seen as frequencies ("open")."""

    def __init__(self, shape: Shape, *, how: str = "flat"):
        super().__init__()
        if how not in ("flat", "mean", "open") or (shape.height == 0) != (how == "open"):
            raise UsageError(f"fold {how!r} of {shape.dims} axes: wanted flat or mean with a frequency axis, open without")
        self.how, self.reach = how, Reach()
        self.shape = {"flat": replace(shape, channels=shape.channels * shape.height, height=0), "mean": replace(shape, height=0),
                      "open": replace(shape, channels=1, height=shape.channels)}[how]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1, 2) if self.how == "flat" else x.mean(2) if self.how == "mean" else x[:, None]


class Multiscale(Part):
    """One chain of blocks, the same weights, on the signal and on its means over 2, 4, … instants, stacked: context grows with
    the scale, parameters do not (Farabet et al., PAMI 2013). Each instant takes the coarse ones that lie around it."""

    def __init__(self, shape: Shape, *, blocks: Sequence[Mapping[str, Any]], scales: Sequence[int] = (1, 2, 4)):
        super().__init__()
        self.body = chain(blocks, replace(shape, instants=0))
        if shape.dims != 1 or self.body.reach.stride != 1 or not scales:
            raise UsageError("multiscale: wanted blocks of stride 1 along time, on channels without a frequency axis")
        self.scales = tuple(scales)
        self.shape = replace(self.body.shape, channels=self.body.shape.channels * len(self.scales))
        # at scale s the body sees running means, s apart (dilation: exact at every instant, where a decimated copy is not)
        self.fields = [Reach(self.body.reach.first * s, self.body.reach.last * s + s - 1) for s in self.scales]
        self.reach = Reach(0, max(f.last for f in self.fields) - min(f.first for f in self.fields))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n = x.shape[-1] - self.reach.last
        parts = []
        for s, field in zip(self.scales, self.fields, strict=True):
            margin = (self.reach.field - field.field) // 2
            y = x[..., margin:margin + n + field.field - 1]
            y = F.avg_pool1d(y, s, 1) if s > 1 else y
            parts.append(_dilated(self.body, y, s)[..., :n])
        return torch.cat(parts, 1)


def _dilated(body: Chain, x: torch.Tensor, s: int) -> torch.Tensor:
    """A chain of stride 1 on each of the s interleaved parts of x."""
    if s == 1:
        return body(x)
    b, c, n = x.shape
    whole = -(-n // s) * s
    parts = F.pad(x, (0, whole - n)).reshape(b, c, whole // s, s).permute(0, 3, 1, 2).reshape(b * s, c, whole // s)
    y = body(parts)
    y = y.reshape(b, s, y.shape[1], y.shape[2]).permute(0, 2, 3, 1).flatten(2)
    return y[..., :n - (body.reach.field - 1) * s]


KINDS: dict[str, type[Any]] = {"block": Block, "residual": Residual, "broadcast": Broadcast, "fold": Fold,
                                     "multiscale": Multiscale}


def build(entry: Mapping[str, Any], shape: Shape) -> Any:
    """The module of an entry of the config.

    >>> build({"channels": 32, "taps": 80, "stride": 16, "pool": "max:4"}, Shape(1)).reach
    Reach(first=0, last=127, stride=64)

    Raises `UsageError` for a kind or a word that is not known.
    """
    if not isinstance(entry, Mapping):
        raise UsageError(f"a block {printable(repr(entry), 60)}: wanted a table, e.g. {{channels = 32, taps = 3}}")
    options = dict(entry)
    kind = options.pop("kind", "block")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UsageError(f"a block of kind {kind!r}: wanted {', '.join(KINDS)}{hint(str(kind), KINDS)}")
    return KINDS[kind](shape, **fitted(KINDS[kind], options, kind))


def chain(entries: Sequence[Mapping[str, Any]], shape: Shape) -> Chain:
    """The modules of several entries, each on what the one before gives."""
    modules: list[Any] = []
    at = shape
    for entry in entries:
        modules.append(build(entry, at))
        at = replace(modules[-1].shape, instants=modules[-1].reach.count(at.instants))
    return Chain(modules, shape)


def _row(reaches: Sequence[Reach]) -> Reach:
    total = Reach()
    for one in reaches:
        total = total.then(one)
    return total


def _height(bank: Any, height: int) -> int:
    """The frequencies that a bank leaves."""
    conv: Any = bank[0] if isinstance(bank, nn.Sequential) else bank
    if not height:
        return 0
    if isinstance(conv, Unshared):
        return conv.places[0]
    return _some((height + 2 * conv.padding[0] - conv.dilation[0] * (conv.kernel_size[0] - 1) - 1) // conv.stride[0] + 1)


def _pooled(pool: Pool | None, height: int) -> int:
    """The frequencies that a pool leaves."""
    return _some((height - pool.size[0]) // pool.stride[0] + 1) if pool and height else height


def _some(height: int) -> int:
    if height < 1:
        raise UsageError("a block that leaves no frequency: wanted fewer taps, or a smaller pool")
    return height


def _norm(kind: str, shape: Shape) -> Norm:
    return Norm(kind, shape.channels, shape.dims, shape.height)
