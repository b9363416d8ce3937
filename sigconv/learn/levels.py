"""Level and place: the same speech at another level, or elsewhere in a recording, is the same to a net."""

from __future__ import annotations

import torch
from torch.nn import functional as F

__all__ = ["TARGET", "active", "levelled", "levelled_running", "placed"]

TARGET = 0.1  # RMS of speech where it is active
BLOCK = 0.025  # s
GATE = 1e-2  # of the loudest block's power: what is active
MEMORY = 1.5  # s that a running level looks back


def levelled(x: torch.Tensor, rate: int) -> torch.Tensor:
    """Each row of (b, n) scaled so that its active blocks, those at most 20 dB below its loudest one, have an RMS of `TARGET`.

    >>> quiet = 1e-3 * torch.sin(torch.arange(8000) * 0.5)[None]
    >>> bool(torch.isclose(levelled(quiet, 8000).square().mean().sqrt(), torch.tensor(0.1), rtol=1e-3))
    True
    """
    power = _blocks(x, rate)
    on = power >= GATE * power.amax(1, keepdim=True)
    rms = ((power * on).sum(1) / on.sum(1).clamp(min=1)).sqrt()
    return x * (TARGET / rms.clamp(min=1e-7))[:, None]


def levelled_running(x: torch.Tensor, rate: int) -> torch.Tensor:
    """The same with the level of the last `MEMORY` seconds before each block, itself included: what a running sound allows."""
    size = max(round(BLOCK * rate), 1)
    power = _blocks(x, rate)
    count = max(round(MEMORY / BLOCK), 1)
    past = F.pad(power, (count - 1, 0)).unfold(1, count, 1)
    on = past >= GATE * past.amax(2, keepdim=True).clamp(min=1e-14)
    rms = ((past * on).sum(2) / on.sum(2).clamp(min=1)).sqrt()
    gain = (TARGET / rms.clamp(min=1e-4)).repeat_interleave(size, 1)
    return x * gain[:, :x.shape[1]]


def _blocks(x: torch.Tensor, rate: int) -> torch.Tensor:
    """The power of blocks of `BLOCK` seconds, the last one filled up with zeros."""
    size = max(round(BLOCK * rate), 1)
    return F.pad(x, (0, -x.shape[1] % size)).unfold(1, size, size).square().mean(2)


def active(x: torch.Tensor, rate: int, longest: int) -> tuple[int, int]:
    """Where of a sound (n,) the speech is: the first and last active block, within the stretch of `longest` samples that has most of it."""
    size = max(round(BLOCK * rate), 1)
    power = _blocks(x[None], rate)[0]
    floor = power.sort().values[len(power) // 10]
    on = ((power - 2 * floor).clamp(min=0) >= GATE * (power.max() - floor)).to(power) * (power - floor).clamp(min=0).sqrt()
    if not on.any():
        return 0, len(x)
    count = max(longest // size, 1)
    total = torch.cumsum(F.pad(on, (1, count)), 0)
    begin = int((total[count:] - total[:-count]).argmax())
    inside = on[begin:begin + count].nonzero()[:, 0]
    return (begin + int(inside[0])) * size, min((begin + int(inside[-1]) + 1) * size, len(x))


def placed(x: torch.Tensor, lengths: torch.Tensor, window: int, share: torch.Tensor | float = 0.5) -> torch.Tensor:
    """Each clip, `lengths` samples of a row of (b, n), in a window: zeros before it take this share of the room that is left; of a clip
    that is longer the same share is cut off in front.

    >>> placed(torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([2]), 4)
    tensor([[0., 1., 2., 0.]])
    """
    start = ((window - lengths) * share).round().long()
    at = torch.arange(window, device=x.device)[None] - start[:, None]
    inside = (at >= 0) & (at < lengths[:, None])
    return x.gather(1, at.clamp(0, x.shape[1] - 1)) * inside
