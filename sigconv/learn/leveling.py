"""Level and position: what a recording owes to its microphone and its cutting, not to what was said.

Speech is measured where it sounds. A clip is cut into blocks of 25 ms; those within 20 dB of the loudest count, and the level
is the RMS over them, so that silence and quiet noise around a word do not change it. `level` looks at the whole clip,
`trailing_level` at what lies within a stated time before each sample, which a stream knows too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import SigconvError

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["BLOCK", "level", "levelled", "placed", "power_of_blocks", "trailing_level", "trimmed"]

BLOCK = 0.025  # s
GATE = 20.0  # dB below the loudest block
TARGET = 0.1  # RMS of what is levelled: −20 dB of full scale
MOST = 1000.0  # the largest gain: a clip below −80 dB of full scale is taken for silence, more or less


def level(x: Tensor, rate: float, *, block: float = BLOCK, gate: float = GATE) -> Tensor:
    """The RMS of the active part of each clip: x (…, n) gives (…); 0 for silence.

    `block` in seconds, `gate` in dB below the loudest block. Zeros around a clip, whole blocks of them, change nothing.

    >>> import torch
    >>> x = torch.zeros(2, 8000)
    >>> x[0, 2000:4000] = 0.5
    >>> level(x, 8000)
    tensor([0.5000, 0.0000])
    """
    return _gated(power_of_blocks(x, rate, block), gate)


def trailing_level(x: Tensor, rate: float, seconds: float = 1.0, *, block: float = BLOCK, gate: float = GATE) -> Tensor:
    """The same at each sample, over the whole blocks that ended within `seconds` before it: x (…, n) gives (…, n).

    It changes from block to block; the first block's samples have the first block's level. Nothing later than the end of the
    first block is looked at, so a stream that begins `seconds` earlier than another agrees with it.

    >>> import torch
    >>> trailing_level(torch.ones(8000), 8000).unique()
    tensor([1.])
    """
    import torch

    powers = power_of_blocks(x, rate, block)
    n, size = x.shape[-1], _samples(rate, block)
    if not n:
        return x
    count = max(round(seconds / block), 1)
    before = torch.nn.functional.pad(powers, (count - 1, 0)).unfold(-1, count, 1)
    ended = ((torch.arange(1, n + 1, device=x.device) // size) - 1).clamp(0, powers.shape[-1] - 1)
    return _gated(before, gate)[..., ended]


def levelled(x: Tensor, rate: float, target: float = TARGET, *, seconds: float | None = None) -> Tensor:
    """x (…, n) at gain target / level: one gain a clip, or, where `seconds` is given, by the trailing level at each sample.

    No gain is above 1000 (60 dB); silence stays silence.

    >>> import torch
    >>> levelled(0.02 * torch.ones(1, 8000), 8000)[0, :2]
    tensor([0.1000, 0.1000])
    """
    now = level(x, rate)[..., None] if seconds is None else trailing_level(x, rate, seconds)
    return x * (target / now.clamp(min=target / MOST))


def placed(x: Tensor, lengths: Any, window: int, generator: Generator | None = None) -> Tensor:
    """Clips (b, n) of these lengths in a window of so many samples, zeros around: (b, window).

    In the middle, or, given a generator, at a random onset, each as likely. Of a clip that is longer than the window the
    window's stretch is taken, the middle or a random one.

    >>> import torch
    >>> placed(torch.tensor([[1.0, 2.0, 0.0], [3.0, 4.0, 5.0]]), [2, 3], 4)
    tensor([[0., 1., 2., 0.],
            [3., 4., 5., 0.]])
    """
    import torch

    lengths = torch.as_tensor(lengths, device=x.device)
    free = window - lengths
    if generator is None:
        onset = torch.div(free, 2, rounding_mode="floor")
    else:
        share = torch.rand(len(x), generator=generator, dtype=torch.float64).to(x.device)
        onset = torch.floor(share * (free.abs() + 1)).long() * free.sign()
    at = torch.arange(window, device=x.device) - onset[:, None]
    inside = (at >= 0) & (at < lengths[:, None])
    return x.gather(1, at.clamp(0, x.shape[1] - 1)) * inside


def trimmed(x: Tensor, lengths: Any, rate: float, *, below: float = 40.0) -> tuple[Tensor, Tensor]:
    """Clips (b, n) without the silence at either end, moved to the beginning, and their new lengths.

    Silence is every block of 25 ms before the first, and after the last, within `below` dB of the loudest. Nothing in the library
    trims unless asked: a net that has heard trimmed clips alone fails on others.

    >>> import torch
    >>> x = torch.zeros(1, 8000)
    >>> x[0, 2000:4000] = 0.5
    >>> trimmed(x, [8000], 8000)[1]
    tensor([2000])
    """
    import torch

    powers, size = power_of_blocks(x, rate), _samples(rate, BLOCK)
    lengths = torch.as_tensor(lengths, device=x.device)
    heard = (powers >= powers.amax(-1, keepdim=True) * 10 ** (-below / 10)).long()
    first = heard.argmax(-1) * size
    stop = torch.minimum((powers.shape[-1] - heard.flip(-1).argmax(-1)) * size, lengths)
    at = torch.arange(x.shape[1], device=x.device)
    moved = x.gather(1, (at + first[:, None]).clamp(max=x.shape[1] - 1))
    return moved * (at < (stop - first)[:, None]), (stop - first).clamp(min=0)


def _samples(rate: float, block: float) -> int:
    size = round(rate * block)
    if size < 1:
        raise SigconvError(f"blocks of {block:g} s at {rate:g} Hz: wanted at least one sample in each")
    return size


def power_of_blocks(x: Tensor, rate: float, block: float = BLOCK) -> Tensor:
    """The mean square of each block, the last filled up with zeros."""
    import torch

    size = _samples(rate, block)
    x = torch.nn.functional.pad(x, (0, -x.shape[-1] % size or (size if not x.shape[-1] else 0)))
    return x.reshape(*x.shape[:-1], -1, size).square().mean(-1)


def _gated(powers: Tensor, gate: float) -> Tensor:
    """The root of the mean of what lies within the gate of the largest."""
    on = powers >= powers.amax(-1, keepdim=True) * 10 ** (-gate / 10)
    return ((powers * on).sum(-1) / on.sum(-1)).sqrt()
