"""`Net`: from sounds to labels. A front, blocks, and a head that pools over the window; exact on long sounds by construction.

Nothing in a net pads or takes statistics along time, so a score is a function of the window's samples alone, and the scores of a
long sound are those of its windows, computed once instead of window by window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import UsageError, among
from ..signal import Signal
from .answers import Answer, answer, scan
from .blocks import Shape, chain
from .config import Config
from .fronts import front
from .layers import Norm, Reach, Unshared, WholeFilters
from .presets import preset as configured
from .tables import Layer, kernels_of, table_of
from .weights import load, save
from .words import fitted

__all__ = ["Net"]

POOLS = ("mean", "max", "mean+max", "rms", "moments", "attention")


class Net(nn.Module):
    """A net of blocks, from a `Config`, a table, or the name of a preset with labels.

    `net(x)`: samples (b, n) or (b, 1, n) at `net.rate` to logits (b, labels); sounds shorter than `net.window` samples are set
    into the middle of one, of longer ones the scores of all windows are averaged. `net.scores(x)`: (b, labels, positions), a
    score for every window, `net.stride` samples apart. `net.front`, `net.blocks`, `net.head` are what it is made of.

    >>> net = Net("m5", labels=["no", "yes"])
    >>> net(torch.zeros(3, 8000)).shape, net.parameter_count, net.exact
    (torch.Size([3, 2]), 24770, True)

    Raises `UsageError` for a config that makes no net.
    """

    def __init__(self, config: Config | Mapping[str, Any] | str, labels: Sequence[str] = (), **options: Any):
        super().__init__()
        if isinstance(config, str):
            config = configured(config, labels, **options)
        elif not isinstance(config, Config):
            config = Config.read({**config, **options})
        self.front = front(config.front, config.rate)
        instants = self.front.reach.count(round(config.window * config.rate))
        self.blocks = chain(config.blocks, Shape(self.front.channels, 0, config.pad == "layers", instants))
        if self.blocks.shape.height:
            raise UsageError("blocks that leave a frequency axis: wanted a last block of kind fold")
        self.rate, self.labels = config.rate, tuple(config.labels)
        self.reach: Reach = self.front.reach.then(self.blocks.reach)
        self.stride = self.reach.stride
        asked = round((config.window or config.clip) * config.rate) + (0 if config.window
                                                                       else self.reach.field - self.front.reach.field)
        self.instants = self._instants(asked, config)
        self.window = self.reach.field + (self.instants - 1) * self.stride if self.exact else asked
        options = fitted(Head, config.head, "head")
        self.head = Head(self.blocks.shape.channels, len(config.labels), self.instants, **options)
        self.others = nn.ModuleDict({name: Head(self.blocks.shape.channels, len(answers), self.instants, **options)
                                     for name, answers in config.heads.items()})
        self.config = config

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.front.mean.device

    @property
    def exact(self) -> bool:
        """Whether `scan` may compute all windows at once."""
        return self.reach.first == 0 and all(m.exact for m in self.modules() if isinstance(m, (Norm, Unshared)))

    @property
    def parameter_count(self) -> int:
        """How many numbers are learned."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    @property
    def threshold(self) -> float:
        """The confidence under which an answer is not accepted."""
        return self.config.threshold

    def features(self, x: torch.Tensor, change: Any = None) -> torch.Tensor:
        """What the front gives, `change` applied to it, through the blocks: (b, channels, instants)."""
        x = x[:, 0] if x.ndim == 3 else x
        bands = self.front(x)
        return self.blocks(bands if change is None else change(bands))

    def scores(self, x: torch.Tensor, change: Any = None) -> torch.Tensor:
        """Logits of every window: (b, labels, positions)."""
        return torch.cat([self.head(h) for h in self._heard(x, change)], -1)

    def forward(self, x: torch.Tensor, change: Any = None, every: bool = False) -> Any:
        """Logits (b, labels); with `every`, those of all heads by name, "label" the first."""
        if not every:
            return self.scores(self.filled(x), change).mean(-1)
        heard = self._heard(self.filled(x), change)
        return {name: torch.cat([head(h) for h in heard], -1).mean(-1)
                for name, head in (("label", self.head), *self.others.items())}

    def filled(self, x: torch.Tensor) -> torch.Tensor:
        """Zeros around what is shorter than a window: the only padding there is."""
        missing = self.window - x.shape[-1]
        return F.pad(x, (missing // 2, missing - missing // 2)) if missing > 0 else x

    def classify(self, x: Signal) -> Answer:
        """The label of a recording of any rate, level and length: a word, with its `confidence`, and whether it is `accepted`.

        Channels are mixed to their mean, the rate brought to the net's, the level of active speech to one level, and the window
        put around the loudest stretch.

        Raises `SigconvError` for what is no sound.
        """
        return answer(self, x)

    def scan(self, x: Signal, hop: float | None = None, *, level: bool = True) -> Signal:
        """Scores over a long sound: log-probabilities, a channel for each label, stamped with the middle of their window.

        `hop` in s: by default `net.stride` samples, finer ones cost as many passes. `level`: brought to one level by
        what was heard in the last 1.5 s. Equal to window by window within 1e-6; a net that is not exact is run so.

        Raises `SigconvError` for what is no sound, or shorter than a window.
        """
        return scan(self, x, hop, level)

    def kernels(self) -> dict[str, Signal]:
        """{layer: its taps as a Signal}, of every layer with taps; those of the front in the order of their centre frequencies.

        torch's layers correlate, a kernel convolves: the taps are reversed.
        """
        return kernels_of(self)

    def table(self) -> list[Layer]:
        """A row for each layer: shape, parameters, multiplications, and what an output of it reads."""
        return table_of(self)

    def save(self, path: Any, overwrite: bool = False, **notes: Any) -> None:
        """Write weights and config into one safetensors file, whole or not at all; `notes` go into its metadata."""
        save(self, path, overwrite, notes)

    @classmethod
    def load(cls, path: Any) -> Net:
        """A net from its safetensors file, ready to answer. Nothing in the file is run.

        Raises `SigconvError` for a file that is no net of ours, is cut off, or is a pickle.
        """
        return load(cls, path)

    def _heard(self, x: torch.Tensor, change: Any) -> list[torch.Tensor]:
        """The features of all of x; window by window where a layer has its own taps at each place, and so can't slide."""
        if any(isinstance(m, Unshared) for m in self.blocks.modules()):
            return [self.features(w, change) for w in x.unfold(-1, self.window, self.stride).unbind(-2)]
        return [self.features(x, change)]

    def _instants(self, asked: int, config: Config) -> int:
        """How many instants the head pools over."""
        if config.pad == "layers":
            with torch.no_grad():
                training, n = self.training, 0
                self.eval()
                n = self.features(torch.zeros(1, asked)).shape[-1]
                self.train(training)
        else:
            n = self.reach.count(asked)
        if n < 1:
            raise UsageError(f"a window of {asked / config.rate:g} s: its layers read {self.reach.field / config.rate:g} s; "
                             f"wanted at least that")
        return n


class Head(nn.Module):
    """Pooling over the instants of a window, dropout, a linear map to the labels; sliding where there are more instants."""

    def __init__(self, channels: int, answers: int, instants: int, *, pool: str = "mean", drop: float = 0.0, bias: bool = True):
        super().__init__()
        among(pool, POOLS, "pool")
        self.pool, self.instants = pool, instants
        wide = channels * (2 if pool in ("mean+max", "moments") else 1)
        self.attention = nn.Conv1d(channels, 1, 1) if pool == "attention" else None
        self.drop, self.linear = WholeFilters(drop), nn.Conv1d(wide, answers, 1, bias=bias)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        n = self.instants
        if self.pool == "attention":
            assert self.attention is not None
            weight = self.attention(h).clamp(-30, 30).exp()
            pooled = F.avg_pool1d(h * weight, n, 1) / F.avg_pool1d(weight, n, 1)
        elif self.pool == "max":
            pooled = F.max_pool1d(h, n, 1)
        elif self.pool == "rms":
            pooled = (F.avg_pool1d(h.square(), n, 1) + 1e-9).sqrt()
        else:
            pooled = F.avg_pool1d(h, n, 1)
            if self.pool == "mean+max":
                pooled = torch.cat([pooled, F.max_pool1d(h, n, 1)], 1)
            elif self.pool == "moments":
                spread = (F.avg_pool1d(h.square(), n, 1) - pooled.square()).clamp(min=1e-9).sqrt()
                pooled = torch.cat([pooled, spread], 1)
        return self.linear(self.drop(pooled))
