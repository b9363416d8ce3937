"""The effects at random strengths: what a recording might have been elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any

from ..errors import SigconvError, printable
from .config import number
from .effects import coloured, equalised, noisy, reverberant, sped, tilted, tract
from .leveling import placed

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["Augment"]

MOST = 300  # dB, knots, s


@dataclass(frozen=True)
class Augment:
    """Random speed, onset, voice, colour, room, noise and gain, in this order; each drawn anew for every clip.

    `speed`: ± ln of the ratio (0.16: 0.85 to 1.17). `tract`: the same of the formants. `equaliser`: gains at `knots` knots, of a
    standard deviation drawn up to so many dB. `tilt`: ± dB an octave. `room`: share of the clips that ring; `t60`, in seconds,
    and `direct`, dB of the direct sound above the tail, from … to. `noise`: share of the clips with noise; `snr` in dB and
    `colour` (0 white, 1 pink, 2 brown), from … to; half of it from `recordings`, if any, tensors at the rate. `gain`: ± dB.

    ``Augment()(x, rate, generator, lengths, window)``: x (b, n) float32 of these lengths; (b, window), each clip at a random
    onset; without a window (b, n). The same generator gives the same bits. ``Augment.none()`` changes nothing but the place.

    >>> import torch
    >>> x = torch.ones(4, 4000)
    >>> y = Augment()(x, 8000, torch.Generator().manual_seed(0), window=8000)
    >>> y.shape, torch.equal(y, Augment()(x, 8000, torch.Generator().manual_seed(0), window=8000))
    (torch.Size([4, 8000]), True)

    Raises `SigconvError` for ranges that can't be meant.
    """

    speed: float = 0.16
    tract: float = 0.0
    equaliser: float = 6.0
    knots: int = 8
    tilt: float = 0.0
    room: float = 0.5
    t60: tuple[float, float] = (0.05, 0.6)
    direct: tuple[float, float] = (-8.0, 12.0)
    noise: float = 0.8
    snr: tuple[float, float] = (5.0, 40.0)
    colour: tuple[float, float] = (-0.6, 2.0)
    recordings: Sequence[Any] = ()
    gain: float = 6.0

    @classmethod
    def none(cls) -> Augment:
        """All off."""
        return cls(speed=0, equaliser=0, room=0, noise=0, gain=0)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            listed = isinstance(value, (tuple, list))
            if field.name == "recordings":
                wanted, fits = "a list of samples", listed and all(getattr(one, "ndim", 0) and len(one) for one in value)
            elif isinstance(field.default, tuple):
                wanted, fits = "two numbers, from … to", listed and len(value) == 2 and all(
                    number(v, -MOST, MOST) for v in value) and value[0] <= value[1]
            elif field.name in ("room", "noise"):
                wanted, fits = "a share of the clips, 0 … 1", number(value, 0, 1)
            else:
                wanted, fits = f"0 or more, at most {MOST}", number(value, 0, MOST)
            if not fits:
                raise SigconvError(f"{field.name} {printable(repr(value), 60)}: wanted {wanted}")
        if self.speed > 1 or self.tract > 1 or self.t60[0] < 0.001 or self.knots < 2 or not isinstance(self.knots, int):
            raise SigconvError("speed and tract are at most 1, t60 at least 0.001 s, knots a whole number, at least 2")

    def __call__(self, x: Tensor, rate: int, generator: Generator, lengths: Any = None, window: int | None = None) -> Tensor:
        import torch

        b, g = len(x), generator

        def even(low: float, high: float, *more: int) -> Tensor:
            return torch.rand(b, *more, generator=g) * (high - low) + low

        n = x.shape[1] if window is None else window
        lengths = torch.as_tensor(x.shape[1] if lengths is None else lengths).expand(b)
        if self.speed:
            x, lengths = sped(x, torch.exp(even(-self.speed, self.speed)), lengths)
        if self.tract:
            x = tract(x, rate, torch.exp(even(-self.tract, self.tract)))
        x = placed(x, lengths, n, g)
        if self.equaliser:
            x = equalised(x, rate, torch.randn(b, self.knots, generator=g) * even(0, self.equaliser, 1))
        if self.tilt:
            x = tilted(x, rate, even(-self.tilt, self.tilt))
        if self.room:
            on = torch.rand(b, generator=g) < self.room
            wet = 10 ** (-even(*self.direct) / 20) * on
            x = reverberant(x, rate, even(*self.t60), wet, g)
        if self.noise:
            on = torch.rand(b, generator=g) < self.noise
            snr = even(*self.snr).masked_fill(~on, inf)
            x = noisy(x, self._noise(b, n, rate, g).to(x), snr.to(x), rate)
        return x * (10 ** (even(-self.gain, self.gain, 1) / 20)).to(x) if self.gain else x

    def _noise(self, b: int, n: int, rate: int, g: Generator) -> Tensor:
        """Made, or of recordings: each from a random place of one of them, round its end."""
        import torch

        low, high = self.colour
        noise = coloured((b, n), rate, torch.rand(b, generator=g) * (high - low) + low, g)
        if not self.recordings:
            return noise
        which = torch.randint(2 * len(self.recordings), (b,), generator=g).tolist()
        share = torch.rand(b, generator=g, dtype=torch.float64).tolist()
        for i, (k, at) in enumerate(zip(which, share, strict=True)):
            if k < len(self.recordings):
                long = torch.as_tensor(self.recordings[k], dtype=torch.float32).reshape(-1)
                noise[i] = long[(int(at * len(long)) + torch.arange(n)) % len(long)]
        return noise
