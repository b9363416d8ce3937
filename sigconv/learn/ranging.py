"""The rates that a net stands: a short run whose learning rate grows at every step, until the loss does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from ..errors import UsageError
from .asking import resolved, split_of
from .config import Config
from .feeding import batch_of, drawn, heard, masks_of
from .nets import Net
from .recipe import without
from .steps import loss_of, optimizer_of, paced

__all__ = ["Rates", "lr_range"]

SMOOTH, LOST = 0.9, 4.0  # of the loss: memory, and how many times the least counts as lost


class Rates(NamedTuple):
    """Learning rates, the smoothed loss at each, and `best`, where half of its fall was done: what `lr` may
    be."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    best: float


def lr_range(data: Any, preset: str | Config | None = None, *, low: float = 1e-5, high: float = 100.0, steps: int = 100,
             split: str = "auto", **options: Any) -> Rates:
    """Train as `train` would, each step at a rate a little higher, from `low` to `high`, and tell the loss at each.

    It stops where the loss is lost: at four times its least, or no number (Smith, WACV 2017). The rate at which it was least is
    too much to stay at, and nets that normalise hold on long beyond what helps; where half of the fall was done is much the
    same whatever the seed. The test clips are not looked at, nothing is written.

    >>> import tempfile, sigconv as sc
    >>> folder, t = tempfile.mkdtemp(), np.arange(2000) / 8000
    >>> for name, hertz in [(f"{word}_ann_{i}", f + 10 * i) for word, f in (("low", 300), ("high", 1200)) for i in range(8)]:
    ...     sc.save(sc.Signal(np.sin(2 * np.pi * hertz * t)[None], sc.line(2000, 8000)), f"{folder}/{name}.wav")
    >>> found = lr_range(sc.learn.Speech(folder, cache=False), "sincnet", steps=20, batch=4)
    >>> found.rates[0], 1e-5 < found.best < 1
    (1e-05, True)

    Raises `UsageError` for rates that do not rise and fewer than two steps, and what `train` raises.
    """
    if not 0 < low < high or steps < 2:
        raise UsageError(f"rates from {low!r} to {high!r} in {steps!r} steps: wanted 0 < low < high, at least 2 steps")
    parts = split_of(data, split, int(options.get("seed", 0)))
    config, recipe = resolved(preset, parts.train, options)
    torch.manual_seed(recipe.seed)
    net = Net(without(config, recipe))
    if recipe.on("normalise"):
        net.front.measure(heard(net, parts.train, recipe))
    optimizer, batch = optimizer_of(net, recipe), min(recipe.batch, len(parts.train))
    rates, losses, mean = np.geomspace(low, high, steps), list[float](), 0.0
    order, draws = np.zeros(0, int), torch.Generator()
    for step, rate in enumerate(rates):
        if len(order) < batch:
            order, draws = drawn(recipe, step, len(parts.train), 0)
        x, targets = batch_of(net.train(), parts.train, order[:batch], recipe, draws)
        order = order[batch:]
        paced(optimizer, recipe, float(rate), 0)
        said = net(x, masks_of(recipe, draws), every=True)
        loss = torch.stack([loss_of(said[head], target, recipe) for head, target in targets.items()]).sum()
        mean += (1 - SMOOTH) * (float(loss.detach()) - mean)
        now = mean / (1 - SMOOTH ** (step + 1))
        if not np.isfinite(now) or now > LOST * min([now, *losses]):
            break
        losses.append(now)
        optimizer.zero_grad()
        loss.backward()
        if recipe.clip:
            torch.nn.utils.clip_grad_norm_(net.parameters(), recipe.clip)
        optimizer.step()
    return Rates(tuple(map(float, rates[:len(losses)])), tuple(losses), float(rates[_half(np.array(losses))]))


def _half(losses: np.ndarray) -> int:
    """The first place after the top at which the loss has come half the way down to its least."""
    least = int(losses.argmin())
    top = int(losses[:least + 1].argmax())
    return top + int(np.argmax(losses[top:] <= (losses[top] + losses[least]) / 2))
