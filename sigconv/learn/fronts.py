"""Fronts: from samples (b, n) to bands (b, channels, instants), the first block of a net, each fixed, initial or learned.

    wave       the samples themselves: the first layer of the net is the bank
    taps       filters that begin as noise
    sinc, gabor, gammatone     the families of `sigconv.kernels`, in quadrature
    mel, pcen  short-time power spectra through triangles on the mel scale, then the logarithm, or energy by its own recent past

`train`: "fixed" (nothing moves), "initial" (every tap is trained from there), "learned" (the family's parameters are: centres and
bandwidths, in Hz). Bands of filters are |·|², averaged over a frame, every hop; all then go through `compress`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .. import kernels, scales
from ..domain import Domain, line
from ..errors import UsageError, among, hint
from ..signal import Signal
from .layers import Reach

__all__ = ["FRONTS", "Front", "front"]

TRAIN = ("fixed", "initial", "learned")
QUIET = 1e-3  # power below which a band counts as silent; speech is levelled to a power of 1e-2


class Front(nn.Module):
    """What all fronts share: `channels`, `rate`, `reach`; `bands` (power), `compress`, and the statistics of the training set.

    `measure` sets a mean and a deviation for each band once, from training data; they are frozen constants of the net.
    """

    def __init__(self, channels: int, rate: int, reach: Reach, compress: str, smooth: float = 0.4, train: str = "fixed"):
        super().__init__()
        self.channels, self.rate, self.compression = channels, rate, compress
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))
        self.memory = 1
        if compress == "pcen":
            self.memory = max(round(smooth * rate / reach.stride), 1)
            self.pcen = _Pcen(channels, self.memory, train == "learned")
            reach = reach.then(Reach(0, self.memory - 1))
        self.reach = reach

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The bands, compressed."""
        power = self.bands(x)
        if self.compression == "pcen":
            return self.pcen(power)
        return (power + QUIET).log() if self.compression == "log" else power

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.features(x) - self.mean[:, None]) / self.deviation[:, None]

    @torch.no_grad()
    def measure(self, x: torch.Tensor) -> None:
        """Mean and deviation of each band over these samples (b, n): from now on constants."""
        values = torch.cat([self.features(part) for part in x.split(64)]).double()
        self.mean.copy_(values.mean((0, 2)))
        self.deviation.copy_(values.std((0, 2), correction=0).clamp(min=1e-3))

    def taps(self) -> Signal | None:
        """The bank as a Signal of value (channels,), or None where there is none."""
        return None

    def macs(self, frames: int) -> int:
        """Multiplications and additions for so many instants."""
        return 0


class Wave(Front):
    """The samples as they are, one channel."""

    def __init__(self, rate: int, train: str):
        super().__init__(1, rate, Reach(), "none")

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, None]


class Filters(Front):
    """A bank of filters, real or in quadrature: |x ★ hᵢ|² every `every` samples, its mean over a frame, every hop."""

    def __init__(self, rate: int, train: str, *, family: str, count: int = 40, taps: int = 0, low: float = 60.0, high: float = 0.0,
                 scale: str = "mel", hop: float = 0.01, frame: float = 0.025, compress: str = "log", every: int = 0):
        taps, high = taps or round(0.02 * rate) | 1, high or 0.475 * rate
        step = round(hop * rate)
        fine = every or max(d for d in range(1, min(step, 5) + 1) if step % d == 0)
        size = max(round(frame * rate / fine), 1)
        super().__init__(count, rate, Reach(0, taps - 1, fine).then(Reach(0, size - 1, step // fine)), compress, train=train)
        self.family, self.train_, self.size, self.fine, self.jump, self.length = family, train, size, fine, step // fine, taps
        self.like = line(1, rate)
        if family == "taps":
            start = torch.randn(count, taps) / taps**0.5
            self.weight = nn.Parameter(start, requires_grad=train != "fixed")
            return
        centre = np.asarray(scales.spaced(low, high, count + 2, scale))
        self.register_parameter("centre", nn.Parameter(torch.tensor(centre[1:-1], dtype=torch.float32), train == "learned"))
        width = (centre[2:] - centre[:-2]) / 2
        self.register_parameter("bandwidth", nn.Parameter(torch.tensor(width, dtype=torch.float32), train == "learned"))
        if train != "learned":
            self.weight = nn.Parameter(self.made().detach().float(), requires_grad=train == "initial")

    def made(self) -> torch.Tensor:
        """The taps of the family at its parameters, (count, taps) or (2·count, taps): real parts, then imaginary ones."""
        top = 0.499 * self.rate
        centre = self.centre.clamp(20.0, top)
        wide = self.bandwidth.abs().clamp(min=20.0)
        if self.family == "sinc":
            low, high = (centre - wide / 2).clamp(0.0, top - 20), (centre + wide / 2).clamp(max=top)
            k = kernels.sinc(self.like, low, torch.maximum(high, low + 10), taps=self.length, quadrature=True)
        else:
            k = kernels.morlet(self.like, centre, wide) if self.family == "gabor" else kernels.gammatone(self.like, centre, wide)
        k = k.on(Domain(self.length, k.domain.step, -((self.length - 1) // 2), "s")).data
        return torch.cat([k.real, k.imag]).to(torch.float32)

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight if hasattr(self, "weight") else self.made()
        y = F.conv1d(x[:, None], weight.flip(-1)[:, None], stride=self.fine).square()
        if len(weight) > self.channels:
            y = y[:, :self.channels] + y[:, self.channels:]
        return F.avg_pool1d(y, self.size, self.jump)

    def taps(self) -> Signal:
        weight = (self.weight if hasattr(self, "weight") else self.made()).detach().double()
        if len(weight) > self.channels:
            weight = torch.complex(weight[:self.channels], weight[self.channels:])
        return Signal(weight.cpu().numpy(), Domain(self.length, Fraction(1, self.rate), -((self.length - 1) // 2), "s"))

    def macs(self, frames: int) -> int:
        fine = (frames - 1) * self.jump + self.size
        return fine * self.length * (self.channels if self.family == "taps" else 2 * self.channels)


class Mel(Front):
    """Power spectra of frames under a Hann window, summed by triangles on the mel scale, each of unit area.

    White noise so gives all bands alike. `warp` (octaves) is asked for in training: the bands of a voice with a longer or shorter tract.
    """

    def __init__(self, rate: int, train: str, *, count: int = 40, low: float = 60.0, high: float = 0.0, hop: float = 0.01,
                 frame: float = 0.032, compress: str = "log", smooth: float = 0.4):
        self.window, self.hop = round(frame * rate), round(hop * rate)
        super().__init__(count, rate, Reach(0, self.window - 1, self.hop), compress, smooth, train)
        self.size = 1 << (self.window - 1).bit_length()
        high = high or 0.475 * rate
        self.register_buffer("hann", torch.hann_window(self.window, dtype=torch.float64).float())
        self.hann /= self.hann.norm()
        edges = torch.tensor(_mel_spaced(low, high, count + 2), dtype=torch.float32)
        self.register_buffer("frequency", torch.linspace(0, rate / 2, self.size // 2 + 1))
        self.train_ = train
        if train == "learned":
            self.centre = nn.Parameter(edges[1:-1].clone())
            self.bandwidth = nn.Parameter((edges[2:] - edges[:-2]) / 2)
        else:
            self.register_buffer("edges", edges)
            start = triangles(self.frequency, edges[:-2], edges[1:-1], edges[2:])
            self.weight = nn.Parameter(start, requires_grad=train == "initial")

    def triangles(self, stretch: float = 1.0) -> torch.Tensor:
        """(bands, frequencies), with all band edges moved by a factor."""
        if self.train_ == "learned":
            wide = self.bandwidth.abs().clamp(min=5.0)
            return triangles(self.frequency, (self.centre - wide) * stretch, self.centre * stretch, (self.centre + wide) * stretch)
        if stretch == 1.0:
            return self.weight.abs() if self.train_ == "initial" else self.weight
        edges = _warped(self.edges, stretch, self.rate / 2, float(self.edges[-1]))
        return triangles(self.frequency, edges[:-2], edges[1:-1], edges[2:])

    def spectra(self, x: torch.Tensor) -> torch.Tensor:
        """|STFT|², (b, frequencies, instants)."""
        frames = x.unfold(1, self.window, self.hop) * self.hann
        spectrum = torch.fft.rfft(frames, self.size)
        return (spectrum.real.square() + spectrum.imag.square()).transpose(1, 2)

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        return self.triangles() @ self.spectra(x)

    def warped(self, x: torch.Tensor, stretches: torch.Tensor) -> torch.Tensor:
        """Features with the band edges of each clip moved by its own factor: another length of the vocal tract."""
        power = torch.bmm(torch.stack([self.triangles(float(s)) for s in stretches]), self.spectra(x))
        power = self.pcen(power) if self.compression == "pcen" else (power + QUIET).log()
        return (power - self.mean[:, None]) / self.deviation[:, None]

    def taps(self) -> Signal:
        """The zero-phase filters whose power responses are the bands."""
        response = self.triangles().detach().double().cpu().clamp(min=0).sqrt()
        h = torch.fft.fftshift(torch.fft.irfft(response, self.size), dim=-1)[:, 1:] * torch.hann_window(self.size - 1, False,
                                                                                                      dtype=torch.float64)
        return Signal(h.numpy(), Domain(self.size - 1, Fraction(1, self.rate), -(self.size // 2 - 1), "s"))

    def macs(self, frames: int) -> int:
        bits = self.size.bit_length() - 1
        return frames * (self.window + 2 * self.size * bits + 2 * len(self.frequency) + self.channels * len(self.frequency))


class _Pcen(nn.Module):
    """((E/(ε + M)^α + δ)^r − δ^r), M the mean of the last instants under an exponential: energy by its own recent past (Wang et
    al., ICASSP 2017). The exponential is cut off after `memory` instants, so that a score hangs on a stated stretch of time."""

    def __init__(self, channels: int, memory: int, learn: bool):
        super().__init__()
        self.memory = memory
        weights = torch.exp(torch.arange(memory) / max(memory / 3, 1.0))
        self.register_buffer("past", weights / weights.sum())
        for name, value in (("alpha", 0.8), ("delta", 2.0), ("root", 0.5)):
            self.register_parameter(name, nn.Parameter(torch.full((channels,), value), learn))

    def forward(self, power: torch.Tensor) -> torch.Tensor:
        b, c, n = power.shape
        mean = F.conv1d(power.reshape(b * c, 1, n), self.past[None, None]).reshape(b, c, -1)
        late = power[..., self.memory - 1:]
        alpha, delta, root = (v[:, None].clamp(min=0.01) for v in (self.alpha, self.delta, self.root))
        return (late / (mean + 1e-4) ** alpha + delta) ** root - delta**root


def triangles(frequency: torch.Tensor, low: torch.Tensor, centre: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """(bands, frequencies): triangles from low over centre to high, each of sum 1."""
    up = (frequency - low[:, None]) / (centre - low)[:, None]
    down = (high[:, None] - frequency) / (high - centre)[:, None]
    rows = torch.minimum(up, down).clamp(min=0)
    return rows / rows.sum(1, keepdim=True).clamp(min=1e-9)


def _mel_spaced(low: float, high: float, count: int) -> np.ndarray:
    return np.asarray(scales.mel_to_hz(np.linspace(*(float(scales.hz_to_mel(f, "htk")) for f in (low, high)), count), "htk"))


def _warped(edges: torch.Tensor, stretch: float, top: float, high: float) -> torch.Tensor:
    """Frequencies times a factor below a corner, then a line to the top, which stays: vocal tract length perturbation."""
    corner = 0.7 * high
    end = corner * min(1.0, stretch)
    begin = end / stretch
    return torch.where(edges < begin, edges * stretch, top - (top - edges) * (top - end) / (top - begin))


FRONTS = ("wave", "taps", "sinc", "gabor", "gammatone", "mel", "pcen")


def front(spec: Mapping[str, Any], rate: int) -> Front:
    """The front of a table such as {"kind": "mel", "count": 40, "train": "fixed"}.

    >>> front({"kind": "mel", "count": 20}, 8000).reach
    Reach(first=0, last=255, stride=80)

    Raises `UsageError` for a kind, a way to train or a word that is not known.
    """
    options = dict(spec)
    kind, train = options.pop("kind", "wave"), options.pop("train", None)
    among(kind, FRONTS, "front")
    train = train or ("learned" if kind == "taps" else "fixed")
    among(train, TRAIN, "train")
    try:
        if kind == "wave":
            return Wave(rate, train, **options)
        if kind in ("mel", "pcen"):
            return Mel(rate, train, **({"compress": "pcen"} if kind == "pcen" else {}) | options)
        return Filters(rate, train, family=kind, **options)
    except TypeError as why:
        word = str(why).split("'")[-2]
        raise UsageError(f"front {kind}: {word!r} is not known{hint(word, ('count', 'low', 'high', 'hop', 'frame', 'scale'))}") from None
