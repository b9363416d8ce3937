"""Layers that the clips teach without labels, one after another: each bank the principal components of what reaches it, by
Oja's rule, before any step of back-propagation; as Fukushima's neocognitron (1982) grew, against LeCun's nets (1989), that learn
all at once."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
from torch import nn

from ..domain import Domain
from ..errors import UsageError
from ..signal import Signal
from .hebbian import oja
from .nets import Net

__all__ = ["banks", "teach"]

PATCHES = 200_000  # that a layer looks at


def banks(net: Net, layers: int) -> list[Any]:
    """The first `layers` banks of the blocks, all with 0: those whose filters see all channels, as they lie side by side.

    Raises `UsageError` for more filters than taps: principal components are no more than these.
    """
    found = [m for m in net.blocks.modules() if isinstance(m, (nn.Conv1d, nn.Conv2d)) and m.groups == 1
             and set(m.dilation) == {1}]
    found = found[:layers or None]
    if not found:
        raise UsageError("layerwise: the net has no bank that sees all channels; wanted one")
    for m in found:
        if len(m.weight) > m.weight[0].numel():
            raise UsageError(f"layerwise: {len(m.weight)} filters of {m.weight[0].numel()} taps; wanted at most as many filters "
                             f"as taps, or fewer layers")
    return found


@torch.no_grad()
def teach(net: Net, x: torch.Tensor, layers: int, seed: int = 0) -> None:
    """Set the filters of the first banks, in order, to the principal components of their patches, from samples (b, n)."""
    training = net.training
    net.eval()
    for bank in banks(net, layers):
        seen: list[torch.Tensor] = []
        hook = bank.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[0]))
        for part in x.split(64):
            net(part)
        hook.remove()
        alone = bank.weight.shape[1] == 1
        size = tuple(bank.weight.shape[1 + alone:])
        same = torch.cat([h for h in seen if h.shape[1:] == seen[0].shape[1:]])  # scales share a bank: the finest teaches it
        fields = (same[:, 0] if alone else same).double().cpu().numpy()
        learned = oja(_cut(fields, size, np.random.default_rng(seed)), len(bank.weight), size, seed=seed)
        bank.weight.copy_(torch.from_numpy(learned.data).reshape(bank.weight.shape))
    net.train(training)


def _cut(fields: np.ndarray, size: tuple[int, ...], rng: np.random.Generator) -> list[Signal]:
    """A stretch of each at random, as many instants as make PATCHES of them all."""
    across = prod(n - k + 1 for n, k in zip(fields.shape[1:-1], size[:-1], strict=True))
    n = min(max(PATCHES // (len(fields) * across), 1) + size[-1] - 1, fields.shape[-1])
    domain = Domain((*fields.shape[1:-1], n), (1,) * len(size))
    starts = rng.integers(0, fields.shape[-1] - n + 1, len(fields))
    return [Signal(field[..., start:start + n], domain) for field, start in zip(fields, starts, strict=True)]
