"""Examples made of examples: bands and times taken out of spectrograms, and two clips mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import SigconvError

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["lengths_mask", "mask", "mixup"]


def mask(S: Tensor, generator: Generator, *, frequency: int = 8, time: int = 20, count: int = 1,
         value: float | None = 0.0) -> Tensor:
    """Spectrograms (b, bands, frames) with `count` stretches of up to `frequency` bands, and of up to `time` frames, set to
    `value`; None is each spectrogram's mean. Widths and places are drawn evenly, for each spectrogram its own.

    Park et al., "SpecAugment", Interspeech 2019, arXiv:1904.08779.

    >>> import torch
    >>> S = mask(torch.ones(1, 40, 100), torch.Generator().manual_seed(1))
    >>> bool((S == 0).any()), bool((S == 1).any())
    (True, True)
    """
    import torch

    b, bands, frames = S.shape
    keep = torch.ones(b, bands, frames, dtype=torch.bool)
    for most, size, shape in ((frequency, bands, (b, bands, 1)), (time, frames, (b, 1, frames))):
        for _ in range(count):
            width, start = torch.rand(2, b, 1, generator=generator)
            width = torch.floor(width * (min(most, size) + 1))
            start = torch.floor(start * (size - width + 1))
            at = torch.arange(size)
            keep &= ((at < start) | (at >= start + width)).reshape(shape)
    fill = S.mean((1, 2), keepdim=True) if value is None else torch.full((), value, dtype=S.dtype, device=S.device)
    return torch.where(keep.to(S.device), S, fill)


def mixup(x: Tensor, targets: Tensor, generator: Generator, alpha: float = 0.2, *,
          energy: bool = False) -> tuple[Tensor, Tensor]:
    """λ·x + (1 − λ)·x′ with a shuffled x′, and the same of the targets (b, classes); λ ≥ 1/2 of Beta(alpha, alpha), row by row.

    `energy`: mix waves by √λ and √(1 − λ), which keeps the energy of what is not alike. alpha 0 leaves all as it is.
    Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, arXiv:1710.09412.

    >>> import torch
    >>> x, t = mixup(torch.ones(3, 5), torch.eye(3), torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(t.sum(1), torch.ones(3))), bool((t.diagonal() >= 0.5).all())
    (True, True)
    """
    import numpy as np
    import torch

    if alpha < 0:
        raise SigconvError(f"mixup alpha {alpha:g}: wanted 0 or more")
    other = torch.randperm(len(x), generator=generator).to(x.device)
    seed = int(torch.randint(2**62, (1,), generator=generator))
    if not alpha:
        return x, targets
    share = np.random.default_rng(seed).beta(alpha, alpha, len(x))
    lam = torch.as_tensor(np.maximum(share, 1 - share), dtype=x.dtype, device=x.device)
    mine, its = (lam.sqrt(), (1 - lam).sqrt()) if energy else (lam, 1 - lam)
    wide = (-1,) + (1,) * (x.ndim - 1)
    return mine.reshape(wide) * x + its.reshape(wide) * x[other], lam[:, None] * targets + (1 - lam[:, None]) * targets[other]


def lengths_mask(lengths: Tensor, n: int) -> Tensor:
    """Where clips of these lengths have samples: (b,) gives bool (b, n).

    >>> import torch
    >>> lengths_mask(torch.tensor([1, 3]), 3).int()
    tensor([[1, 0, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    import torch

    return torch.arange(n, device=lengths.device) < lengths[:, None]
