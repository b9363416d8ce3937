"""The scattering front of a net: the paths of `sigconv.Scattering`, valid in time.

`Scattering` continues a signal past its ends; here nothing is: a path begins where its longest taps lie within the samples, and
those with shorter ones wait for it, so that instant j of every path is about the same sample. Away from the ends the two are
one.
"""

from __future__ import annotations

from fractions import Fraction
from math import log2
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..domain import Domain, line
from ..errors import UsageError
from ..scattering.filters import Ring, averaging, calm, line_rings
from ..signal import Signal
from .fronts import Front
from .layers import Reach

__all__ = ["Scattered"]

FINEST, HIGHEST = 32, 13  # wavelets an octave, J
ROOM = 2.0  # each modulus is kept at twice the rate that its band needs, as `Scattering` does
TINY = 1e-30  # a power whose root still has a slope


class Scattered(Front):
    """|x ∗ ψ| ∗ φ for `count` wavelets, from just below rate/2 down, and with `order` 2 ||x ∗ ψ| ∗ ψ′| ∗ φ below each of them.

    The average is over 2^J samples, the power of 2 next to `hop` (s), and that is the hop; there are as many wavelets an octave
    as it takes, and those below the last that is asked for are left out. `wavelets` is how many an octave.
    """

    def __init__(self, rate: int, train: str, *, count: int = 40, order: int = 1, hop: float = 0.01, compress: str = "log",
                 smooth: float = 0.4, quiet: float = 1e-3):
        if train == "learned":
            raise UsageError("front scattering, train learned: its wavelets tile the axis together; wanted fixed or initial "
                             "(centres and widths are learned by front gabor)")
        if order not in (1, 2):
            raise UsageError(f"front scattering, order {order!r}: wanted 1 or 2")
        J = min(max(round(log2(hop * rate)), 1), HIGHEST)
        self.wavelets, first = _rings(J, count)
        second = line_rings(J, 1, ROOM) if order == 2 else []
        gains = calm(line_rings(J, self.wavelets, ROOM), 1, J), calm(second, 1, J)
        parts: list[Wavelets] = []
        marks: list[float] = []
        for ring in first:
            n = min(len(ring.marks), count - len(marks))
            lows = [(low, [i for i, f in enumerate(low.marks) if f < ring.width]) for low in second]
            inner = [Wavelets(rate, low, keep, gains[1], ring.stride, J, [], train) for low, keep in lows if keep]
            parts.append(Wavelets(rate, ring, range(n), gains[0], 1, J, inner, train))
            marks += [f * rate for f in ring.marks[:n]]
        self.centre = max(part.field for part in parts)
        paths = count + sum(part.channels * inner.channels for part in parts for inner in part.below)
        super().__init__(paths, rate, Reach(0, 2 * self.centre, 2**J), compress, smooth, train, quiet)
        self.rings: Any = nn.ModuleList(parts)
        self.marks = marks

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        found = [ring(x, self.centre) for ring in self.rings]
        paths = [one for one, _ in found] + [two for _, twos in found for two in twos]
        frames = (x.shape[-1] - 2 * self.centre - 1) // self.reach.stride + 1
        return torch.cat([path[..., :frames] for path in paths], 1)

    def taps(self) -> Signal:
        """The wavelets of the first order."""
        each = [ring.taps() for ring in self.rings]
        half = max(h.shape[1] // 2 for h in each)
        data = np.concatenate([np.pad(h, ((0, 0), (half - h.shape[1] // 2,) * 2)) for h in each])
        return Signal(data, Domain(2 * half + 1, Fraction(1, self.rate), -half, "s"))

    def macs(self, frames: int) -> int:
        return sum(ring.macs(frames) for ring in self.rings)


class Wavelets(nn.Module):
    """|x ∗ ψ| of those of a ring that are `kept`, on a grid `grid` times as coarse as the finest, then its average, and `inner`
    ones of it. Output 0 reads the samples at most `field` before and after its centre."""

    low: torch.Tensor
    field: int
    channels: int

    def __init__(self, rate: int, ring: Ring, kept: range | list[int], gain: float, grid: int, J: int, inner: list[Wavelets],
                 train: str):
        super().__init__()
        like, after = line(1, rate), max(ring.stride, grid)
        k = (ring.taps(like, grid) * gain).data[list(kept)]
        mean = averaging(like, J, after).data
        self.stride, self.step = after // grid, 2**J // after
        self.weight = nn.Parameter(torch.tensor(np.concatenate([k.real, k.imag]), dtype=torch.float32), train == "initial")
        self.register_buffer("low", torch.tensor(mean.reshape(1, 1, -1), dtype=torch.float32))
        self.below: Any = nn.ModuleList(inner)
        self.arm, self.mean = k.shape[1] // 2, mean.size // 2
        self.margin = max([self.mean, *(one.field for one in inner)])
        self.field = self.arm + self.stride * self.margin
        self.channels = len(k)

    def forward(self, x: torch.Tensor, centre: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Of (b, n), where output 0 is about sample `centre`: (b, m, instants), and those of the inner ones."""
        y = F.conv1d(x[:, None, centre - self.field:], self.weight.flip(-1)[:, None], stride=self.stride).square()
        u = (y[:, :self.channels] + y[:, self.channels:]).clamp(min=TINY).sqrt()
        b, m, n = u.shape
        flat = u.reshape(b * m, n)
        mean = F.conv1d(flat[:, None, self.margin - self.mean:], self.low, stride=self.step).reshape(b, m, -1)
        return mean, [one(flat, self.margin)[0].reshape(b, m * one.channels, -1) for one in self.below]

    def taps(self) -> np.ndarray:
        """(m, taps), complex."""
        real, imaginary = self.weight.detach().double().cpu().numpy().reshape(2, self.channels, -1)
        return real + 1j * imaginary

    def macs(self, frames: int) -> int:
        """Multiplications for so many instants."""
        positions = (frames - 1) * self.step + 2 * self.margin + 1
        within = sum(one.macs(frames) for one in self.below)
        return self.channels * (2 * positions * self.weight.shape[1] + frames * self.low.numel() + within)


def _rings(J: int, count: int) -> tuple[int, list[Ring]]:
    """The fewest wavelets an octave that make so many bands, and the rings that hold the highest `count`."""
    for Q in range(1, FINEST + 1):
        rings = line_rings(J, Q, ROOM)
        ends = np.cumsum([len(ring.marks) for ring in rings])
        if ends[-1] >= count >= 1:
            return Q, rings[:int(np.searchsorted(ends, count)) + 1]
    raise UsageError(f"front scattering, count {count}: wanted 1 to {ends[-1]} at an average over {2**J} samples")
