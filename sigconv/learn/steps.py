"""What a step of training is made of: groups of weights, learning rates, shrinking, averages, targets, and clips that are no
speech."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from .nets import Net
    from .recipe import Recipe

__all__ = ["averaged", "learning_rate", "loss_of", "noise_ratio", "optimizer_of", "paced", "share_of", "shrink",
           "targets_of", "update_ratios"]


def optimizer_of(net: Net, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW, or SGD with momentum; weights of layers decay, biases, gains and frequencies do not.

    The two forms of momentum, p ← βp + g with a step of γ(1 − β), and p ← βp + (1 − β)g with γ, are one: so SGD's rate means the
    same at every β.
    """
    moved = [p for p in net.parameters() if p.requires_grad]
    groups = [{"params": [p for p in moved if (p.ndim > 1) == layers], "kind": kind, "weight_decay": 0.0}
              for kind, layers in (("layers", True), ("rest", False))]
    groups = [g for g in groups if g["params"]]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98))
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.nesterov and recipe.momentum > 0)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The rate at a step of all steps.

    One cycle: from a tenth up to `lr` over the share `warm`, then down to a thousandth, both along half a cosine (Smith and
    Topin, 2018); cosine: from `lr` down to nothing.
    """
    at = step / max(steps - 1, 1)
    if recipe.schedule == "constant" or not recipe.on("schedule"):
        return recipe.lr
    if recipe.schedule == "cosine":
        return recipe.lr * (1 + cos(pi * at)) / 2
    low, end = recipe.lr / 10, recipe.lr / 1000
    if at < recipe.warm:
        return low + (recipe.lr - low) * (1 - cos(pi * at / recipe.warm)) / 2
    return end + (recipe.lr - end) * (1 + cos(pi * (at - recipe.warm) / max(1 - recipe.warm, 1e-9))) / 2


def paced(optimizer: torch.optim.Optimizer, recipe: Recipe, rate: float, epoch: int) -> None:
    """Set rates and weight decay for the next step."""
    scale = 1 - recipe.momentum if recipe.optimizer == "sgd" else 1.0
    for group in optimizer.param_groups:
        group["lr"] = rate * scale
        group["weight_decay"] = recipe.decay if group["kind"] == "layers" and recipe.on("decay") and epoch >= recipe.late else 0.0


@torch.no_grad()
def shrink(weight: torch.Tensor, amount: float, filters: bool = False) -> None:
    """The step that an L1 penalty takes, exactly: every tap moves towards 0 by `amount` and stops there; with `filters` each
    whole filter, by its length (group L1), so that some vanish.

    >>> w = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    >>> shrink(w, 1.0, filters=True)
    >>> w
    tensor([[2.4000, 3.2000],
            [0.0000, 0.0000]])
    """
    if filters:
        length = weight.flatten(1).norm(dim=1).reshape(-1, *(1 for _ in weight.shape[1:]))
        weight.mul_((1 - amount / length.clamp(min=1e-12)).clamp(min=0))
    else:
        weight.copy_(weight.sign() * (weight.abs() - amount).clamp(min=0))


@torch.no_grad()
def averaged(mean: dict[str, torch.Tensor], now: dict[str, torch.Tensor], share: float) -> None:
    """mean ← mean + share·(now − mean) for all weights and statistics: a one-pole low-pass on the path of the weights."""
    for name, m in mean.items():
        if m.is_floating_point():
            m.lerp_(now[name], share)
        else:
            m.copy_(now[name])


def share_of(recipe: Recipe, step: int, steps: int) -> float:
    """The share of the average that this step's weights are: 1 means that there is no average yet."""
    if recipe.average == "ema":
        return 1 - min(recipe.memory, (1 + step) / (10 + step))
    begin = int(0.75 * steps)
    return 1.0 if step <= begin else 1 / (step - begin + 1)


def targets_of(y: torch.Tensor, classes: int) -> torch.Tensor:
    """One-hot rows; of class −1 the uniform distribution: no label at all."""
    rows = F.one_hot(y.clamp(min=0), classes).to(torch.float32)
    return torch.where((y < 0)[:, None], torch.full_like(rows, 1 / classes), rows)


def loss_of(logits: torch.Tensor, target: torch.Tensor, recipe: Recipe, weight: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy with label smoothing, computed from log-softmax: never the logarithm of a rounded probability.
    `weight`: of each class."""
    if recipe.on("cross-entropy"):
        return F.cross_entropy(logits, target, weight, label_smoothing=recipe.smooth)
    return (logits.softmax(1) - target).square().sum(1).mean()


def update_ratios(named: Iterable[tuple[str, torch.Tensor]], before: dict[str, torch.Tensor]) -> dict[str, float]:
    """‖change‖/‖weight‖ of every layer over a step: a thousandth is usual; layers that lag or run away show."""
    return {name: float((p.detach() - before[name]).norm() / before[name].norm().clamp(min=1e-12)) for name, p in named
            if name in before}


def noise_ratio(gradients: Any) -> float:
    """‖mean‖/‖deviation‖ of gradients (batches, numbers): below 1 a step is mostly noise."""
    deviation = gradients.std(0, correction=0).norm().clamp(min=1e-30)
    return float(gradients.mean(0).norm() / deviation)


