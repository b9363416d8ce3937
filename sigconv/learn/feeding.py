"""What a net is fed in training: clips in the order of an epoch, levelled, placed, changed, and what should be said of them.

What is drawn at random hangs on (seed, epoch) alone, so that an epoch can be begun again to the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .augmenting import Augment
from .decoys import nonwords
from .leveling import levelled, placed
from .masking import mask, mixup
from .nets import Net
from .recipe import Recipe
from .speech import Speech
from .steps import targets_of

__all__ = ["batch_of", "drawn", "heard", "masks_of"]


def batch_of(net: Net, data: Speech, index: np.ndarray, recipe: Recipe, draws: torch.Generator) -> tuple[torch.Tensor,
                                                                                                       dict[str, torch.Tensor]]:
    """Some clips as the net is to hear them, and what each head should say of them."""
    some = data.batch(index, net.rate)
    x, lengths = torch.from_numpy(some.x), torch.from_numpy(some.lengths)
    if recipe.on("normalise"):
        x = levelled(x, net.rate)
    if recipe.augment is None:
        x = placed(x, lengths, net.window)
    else:
        x = Augment(**recipe.augment)(x, net.rate, draws, lengths, net.window)
    answers = {"label": net.labels, **net.config.heads}
    targets = torch.cat([targets_of(_classes(data, index, head, words), len(words)) for head, words in answers.items()], 1)
    if recipe.mixup:
        x, targets = mixup(x, targets, draws, recipe.mixup, energy=True)
    if count := round(recipe.negatives * len(index)):
        x = torch.cat([x, nonwords((count, net.window), net.rate, draws)])
        nothing = [targets_of(torch.full((count,), -1), len(words)) for words in answers.values()]
        targets = torch.cat([targets, torch.cat(nothing, 1)])
    return x, dict(zip(answers, targets.split([len(words) for words in answers.values()], 1), strict=True))


def _classes(data: Speech, index: np.ndarray, head: str, words: Sequence[str]) -> torch.Tensor:
    """What a head should say of these clips: the place of the item's label, speaker, … among its words, −1 where that is not
    known."""
    at = {word: i for i, word in enumerate(words)}
    return torch.tensor([at.get(getattr(data.items[i], head), -1) for i in index])


def masks_of(recipe: Recipe, draws: torch.Generator) -> Any:
    """What takes bands and times out of the features, where that is wanted."""
    return None if recipe.masks is None else lambda bands: mask(bands, draws, **recipe.masks)


def drawn(recipe: Recipe, epoch: int, count: int, rank: int) -> tuple[np.ndarray, torch.Generator]:
    """The order of an epoch, the same in every process, and where its other random numbers come from, another in each."""
    order = np.random.default_rng([recipe.seed, epoch]).permutation(count) if recipe.on("shuffle") else np.arange(count)
    seed = int(np.random.default_rng([recipe.seed, epoch, rank, 1]).integers(2**62))
    torch.manual_seed(seed)  # what layers draw: dropout
    return order, torch.Generator().manual_seed(seed ^ 1)


def heard(net: Net, data: Speech, recipe: Recipe) -> torch.Tensor:
    """Training clips as the net will hear them, at most 512: what its bands are measured by."""
    index = np.random.default_rng([recipe.seed, 7]).permutation(len(data))[:512]
    x, _ = batch_of(net, data, np.sort(index), recipe.but(mixup=0, negatives=0), torch.Generator().manual_seed(recipe.seed))
    return x.to(net.device)
