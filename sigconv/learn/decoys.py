"""Sounds that are no words, for a net to learn what it does not know."""

from __future__ import annotations

from math import log, pi
from typing import TYPE_CHECKING

from ..engines import conv
from .effects import coloured
from .leveling import levelled

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["nonwords"]

HARMONICS = 8


def nonwords(shape: tuple[int, int], rate: float, generator: Generator) -> Tensor:
    """Made sounds (b, n) that nobody speaks, levelled: noise that swells and fades, notes that glide and decay, things hit.

    One of the three in each row, over a little of the other two. A share of a batch with targets that are even over the
    classes teaches a net to be unsure of what is no word.

    >>> import torch
    >>> x = nonwords((3, 8000), 8000, torch.Generator().manual_seed(0))
    >>> x.shape, bool(x.isfinite().all())
    (torch.Size([3, 8000]), True)
    """
    import torch

    b, n = shape
    kinds = torch.stack([_unit(made(b, n, rate, generator)) for made in (_swelling, _notes, _hits)])
    main = torch.randint(3, (b,), generator=generator)
    beside = 10 ** (-_even(generator, b, 6, 70, 3).T / 20)  # dB below, of each kind in each row
    beside[main, torch.arange(b)] = 1.0
    return levelled((kinds * beside[..., None]).sum(0), rate)


def _even(g: Generator, b: int, low: float, high: float, count: int = 1) -> Tensor:
    import torch

    return torch.rand(b, count, generator=g) * (high - low) + low


def _unit(x: Tensor) -> Tensor:
    return x / x.square().mean(1, keepdim=True).sqrt().clamp(min=1e-3)


def _swelling(b: int, n: int, rate: float, g: Generator) -> Tensor:
    """Coloured noise through a band that some have more of, under an envelope of twelve random heights."""
    import torch

    noise = coloured((b, n), rate, _even(g, b, -0.6, 2.4)[:, 0], g)
    f = torch.arange(n // 2 + 1) * (rate / max(n, 1))
    peak = 1 + _even(g, b, 0, 6) * torch.exp(-((f - _even(g, b, 100, 0.44 * rate)) / _even(g, b, 50, 1000)).square())
    noise = torch.fft.irfft(torch.fft.rfft(noise) * peak, n)
    heights = torch.rand(b, 1, 12, generator=g) ** _even(g, b, 0, 4)[:, None]
    return noise * torch.nn.functional.interpolate(heights, n, mode="linear", align_corners=True)[:, 0]


def _notes(b: int, n: int, rate: float, g: Generator) -> Tensor:
    """Harmonics of 80 to 2500 Hz, steady or gliding up to an octave and a half a second, that begin anywhere and decay."""
    import torch

    t = torch.arange(n) / rate
    pitch = torch.exp(_even(g, b, log(80), log(min(2500, 0.4 * rate))))
    glide = _even(g, b, -1, 1) * (_even(g, b, 0, 1) < 0.4)
    phase = 2 * pi * pitch / rate * torch.cumsum(torch.exp(glide * t), 1)
    highest = pitch * torch.exp(glide.clamp(min=0) * n / rate)
    roll, x = _even(g, b, 0.2, 3), torch.zeros(b, n)
    for h in range(1, HARMONICS + 1):
        strength = (highest * h < rate / 2) * h**-roll * _even(g, b, 0.3, 1)
        x = x + strength * torch.sin(h * phase + _even(g, b, 0, 2 * pi))
    since = t - _even(g, b, -0.5, 0.7) * n / rate
    return x * (since > 0) * torch.exp(-since.clamp(min=0) * torch.exp(_even(g, b, -2.5, 3)))


def _hits(b: int, n: int, rate: float, g: Generator) -> Tensor:
    """One to a dozen clicks, each ringing in noise that decays within 2 to 50 ms."""
    import torch

    clicks = (torch.rand(b, n, generator=g) < _even(g, b, 1, 12) / max(n, 1)) * torch.randn(b, n, generator=g)
    clicks = clicks.index_put((torch.arange(b), torch.randint(n, (b,), generator=g)), torch.ones(b))
    taps = min(round(0.128 * rate), n)
    h = torch.randn(b, taps, generator=g) * torch.exp(-torch.arange(taps) / rate / torch.exp(_even(g, b, -6.5, -3)))
    return conv(clicks[None], h[:, None], groups=b, window=(0, n), method="fft")[0]
