"""The four stages that a block is made of: normalise, bank, nonlinearity, pool. Time is the last axis of every array.

Each stage knows its reach along time, `Reach(first, last, stride)`: output j reads the inputs j·stride + first … j·stride + last.
One after another they compose, side by side they unite, and so the receptive field of any net is arithmetic on three numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import SigconvError, UsageError, among

__all__ = ["NONLINEARITIES", "NORMS", "Norm", "Pool", "Reach", "Unshared", "WholeFilters", "bank", "nonlinear", "standardise"]

NONLINEARITIES = ("relu", "leaky", "tanh", "swish", "abs", "square", "log", "none")
NORMS = ("batch", "channel", "subspectral", "trailing", "group", "layer", "instance", "none")
EPS = 1e-5
LARGEST = 2**26  # weights of a bank


class Reach(NamedTuple):
    """What an output reads: inputs j·stride + first … j·stride + last.

    >>> Reach(0, 79, 16).then(Reach(0, 3, 4)), Reach(0, 8, 2).beside(Reach(4, 4, 2))
    (Reach(first=0, last=127, stride=64), Reach(first=0, last=8, stride=2))
    """

    first: int = 0
    last: int = 0
    stride: int = 1

    def then(self, other: Reach) -> Reach:
        """`other` acting on what this gives."""
        return Reach(self.first + self.stride * other.first, self.last + self.stride * other.last, self.stride * other.stride)

    def beside(self, other: Reach) -> Reach:
        """Both of the same input, added."""
        if self.stride != other.stride:
            raise UsageError(f"branches of strides {self.stride} and {other.stride}: wanted one")
        return Reach(min(self.first, other.first), max(self.last, other.last), self.stride)

    @property
    def field(self) -> int:
        """How many inputs."""
        return self.last - self.first + 1

    def count(self, n: int) -> int:
        """How many outputs n inputs give."""
        return max((n - self.field) // self.stride + 1, 0)


def standardise(x: torch.Tensor, over: Sequence[int], eps: float = EPS) -> torch.Tensor:
    """(x − μ)/√(σ² + eps), mean and variance over these axes: all norms are this, on other axes.

    Of (batch, channel, *Ω): batch norm is over (0, *Ω), layer norm over (1, *Ω), instance norm over Ω, group norm over Ω and the
    channels of a group.

    >>> x = torch.tensor([[[1.0, 3.0], [5.0, 5.0]]])
    >>> standardise(x, (2,))[0, 0].round(decimals=3)
    tensor([-1.,  1.])
    """
    var, mean = torch.var_mean(x, tuple(over), correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(var + eps)


class Norm(nn.Module):
    """Normalisation of (b, c, …, t): a kind of `NORMS`, with learned gain and bias a channel.

    `batch`: by statistics frozen after training; `subspectral:5`: the same for each of 5 bands of the frequency axis; `channel`:
    over the channels (and frequencies) at each instant; `trailing:50`: by moments over the last 50 instants, which are cut off
    in front. A score then hangs neither on its batch-mates nor on where a window ends. `group:4`, `layer`, `instance` take
    statistics over all time: exact batches, but no exact scan (`exact` is False).
    """

    def __init__(self, kind: str, channels: int, dims: int, height: int = 0):
        super().__init__()
        self.kind, _, number = kind.partition(":")
        among(self.kind, NORMS, "normalise")
        usual = {"subspectral": 5, "trailing": 100}.get(self.kind, 1)
        self.size = _pair(_whole(number, kind), kind, 1)[0] if number else usual
        self.channels, self.dims = channels, dims
        if self.kind == "group" and channels % self.size:
            raise UsageError(f"normalise {kind!r} of {channels} channels: wanted a divisor of them")
        if self.kind == "subspectral" and (not height or height % self.size):
            raise UsageError(f"normalise {kind!r} of {height or 'no'} frequencies: wanted a divisor of them")
        if self.kind == "batch":
            self.batch = (nn.BatchNorm1d if dims == 1 else nn.BatchNorm2d)(channels)
        elif self.kind == "subspectral":
            self.batch = nn.BatchNorm2d(channels * self.size)
        else:
            self.weight = nn.Parameter(torch.ones(channels))
            self.bias = nn.Parameter(torch.zeros(channels))

    @property
    def exact(self) -> bool:
        """Whether scanning equals going window by window."""
        return self.kind not in ("group", "layer", "instance")

    @property
    def reach(self) -> Reach:
        return Reach(0, self.size - 1) if self.kind == "trailing" else Reach()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "batch":
            return self.batch(x)
        if self.kind == "subspectral":
            b, c, f, t = x.shape
            return self.batch(x.reshape(b, c * self.size, f // self.size, t)).reshape(b, c, f, t)
        space = tuple(range(2, x.ndim))
        if self.kind == "trailing":
            y = _trailing(x, self.size)
        elif self.kind == "group":
            y = standardise(x.reshape(len(x), self.size, self.channels // self.size, *x.shape[2:]), tuple(range(2, x.ndim + 1)))
            y = y.reshape(x.shape)
        else:
            y = standardise(x, {"channel": tuple(range(1, x.ndim - 1)), "layer": (1, *space), "instance": space}[self.kind])
        shape = (1, -1, *(1 for _ in space))
        return y * self.weight.reshape(shape) + self.bias.reshape(shape)


def _trailing(x: torch.Tensor, size: int) -> torch.Tensor:
    """Each instant by mean and variance, a channel, of the last `size` instants with it; the first size − 1 are cut off."""
    flat = x if x.ndim == 3 else x.mean(2)
    square = x.square() if x.ndim == 3 else x.square().mean(2)
    mean, power = F.avg_pool1d(flat, size, 1), F.avg_pool1d(square, size, 1)
    scale = torch.rsqrt((power - mean.square()).clamp(min=0) + EPS)
    late = x[..., size - 1:]
    return (late - mean) * scale if x.ndim == 3 else (late - mean[:, :, None]) * scale[:, :, None]


def nonlinear(kind: str) -> nn.Module:
    """A nonlinearity by name: one of `NONLINEARITIES`; `log` is log(|x| + 1e-3)."""
    among(kind, NONLINEARITIES, "nonlinearity")
    return {"relu": nn.ReLU, "leaky": nn.LeakyReLU, "tanh": nn.Tanh, "swish": nn.SiLU, "none": nn.Identity}.get(kind, _Plain)(
        *([kind] if kind in ("abs", "square", "log") else []))


class _Plain(nn.Module):
    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs() if self.kind == "abs" else x.square() if self.kind == "square" else (x.abs() + 1e-3).log()


class Pool(nn.Module):
    """`"max:4"`, `"mean:2"`, `"rms:4"` along time, `"max:2x4"` over 2 frequencies and 4 instants, `"max:4/2"` at a stride of
    2."""

    exact = True

    def __init__(self, words: str, dims: int):
        super().__init__()
        kind, _, sizes = words.partition(":")
        among(kind, ("max", "mean", "rms"), "pool")
        size, _, every = sizes.partition("/")
        self.kind, self.dims, self.size = kind, dims, _pair(size, words, dims)
        self.stride = _pair(every, words, dims) if every else self.size

    @property
    def reach(self) -> Reach:
        return Reach(0, self.size[-1] - 1, self.stride[-1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pools = {1: (F.max_pool1d, F.avg_pool1d), 2: (F.max_pool2d, F.avg_pool2d)}[self.dims]
        if self.kind == "max":
            return pools[0](x, self.size, self.stride)
        if self.kind == "mean":
            return pools[1](x, self.size, self.stride)
        return (pools[1](x.square(), self.size, self.stride) + 1e-12).sqrt()


class WholeFilters(nn.Module):
    """Dropout of whole filters: each channel of each clip is zeroed with probability p, the others grow by 1/(1 − p)."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.p:
            return x
        keep = torch.rand(x.shape[:2], device=x.device) >= self.p
        return x * (keep / (1 - self.p)).reshape(*x.shape[:2], *(1 for _ in x.shape[2:])).to(x.dtype)


class Unshared(nn.Module):
    """A bank whose taps are others at every place: locally connected, as a convolution before its weights were shared.

    Of (b, c, *size): (b, m, *places), `weight` (m, c·taps, places), a bias for each. It has a place for each sample of one size
    alone, so it does not slide (`exact` is False).
    """

    exact = False

    def __init__(self, incoming: int, channels: int, size: Sequence[int], taps: Sequence[int], stride: Sequence[int],
                 padding: Sequence[int], dilation: Sequence[int], bias: bool):
        super().__init__()
        self.size, self.cut = tuple(size), {"kernel_size": (1, *taps)[-2:], "stride": (1, *stride)[-2:],
                                            "padding": (0, *padding)[-2:], "dilation": (1, *dilation)[-2:]}
        self.places = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1
                            for n, k, s, p, d in zip(size, taps, stride, padding, dilation, strict=True))
        inputs, count = incoming * prod(taps), prod(self.places)
        _affordable(channels, inputs * count)
        if min(self.places) < 1:
            raise UsageError(f"shared = false: {' × '.join(map(str, taps))} taps on {' × '.join(map(str, size))}; wanted at most "
                             f"as many")
        self.weight = nn.Parameter(torch.empty(channels, inputs, count).uniform_(-inputs**-0.5, inputs**-0.5))
        self.bias = nn.Parameter(torch.empty(channels * count).uniform_(-inputs**-0.5, inputs**-0.5)) if bias else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = F.unfold(x if x.ndim == 4 else x[:, :, None], **self.cut)
        y = torch.einsum("bkp,mkp->bmp", patches, self.weight)
        if self.bias is not None:
            y = y + self.bias.reshape(y.shape[1:])
        return y.reshape(*y.shape[:2], *self.places)


def bank(dims: int, incoming: int, channels: int, taps: Any, *, stride: Any = 1, dilation: Any = 1, groups: int = 1,
         bias: bool = False, pad: bool = False, pad_frequency: bool = True,
         size: Sequence[int] | None = None) -> tuple[nn.Module, Reach]:
    """A convolution and its reach: unpadded along time unless `pad`, padded to the same size along frequency. With the `size` of
    what it is given, `Unshared`."""
    k, s, d = (_pair(v, "bank", dims) for v in (taps, stride, dilation))
    margin = [((n - 1) * e // 2) if pad_frequency else 0 for n, e in zip(k, d, strict=True)]
    if not pad:
        margin[-1] = 0
    reach = Reach(-margin[-1], (k[-1] - 1) * d[-1] - margin[-1], s[-1])
    if size is not None:
        return Unshared(incoming, channels, size, k, s, margin, d, bias), reach
    if channels % groups or incoming % groups:
        raise UsageError(f"{groups} groups of {incoming} channels into {channels}: wanted a divisor of both")
    _affordable(channels, incoming // groups * prod(k))
    kind: Any = nn.Conv1d if dims == 1 else nn.Conv2d
    return kind(incoming, channels, k, s, tuple(margin), d, groups, bias), reach


def _affordable(channels: int, inputs: int) -> None:
    if channels * inputs > LARGEST:
        raise UsageError(f"{channels} filters of {inputs} numbers: wanted at most {LARGEST} numbers in all")


def _pair(value: Any, words: str, dims: int) -> tuple[int, ...]:
    """(time,) or (frequency, time) of a number, a list or "2x4"; one number is time alone for pools, both for banks."""
    if isinstance(value, str):
        parts = [_whole(part, words) for part in value.split("x")]
        parts = parts if len(parts) == dims else [1] * (dims - 1) + parts
    else:
        parts = list(value) if isinstance(value, (list, tuple)) else [value] * dims
    if len(parts) != dims or any(type(v) is not int or v < 1 for v in parts):
        raise UsageError(f"{words}: {value!r}; wanted "
                         f"{'one whole number' if dims == 1 else 'two whole numbers, frequency and time'}")
    return tuple(parts)


def _whole(text: str, words: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SigconvError(f"{words!r}: {text!r} is no whole number; wanted e.g. max:4") from None
