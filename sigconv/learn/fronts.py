"""Fronts: from samples (b, n) to bands (b, channels, instants), the first block of a net, each fixed, initial or learned.

    wave       the samples themselves: the first layer of the net is the bank
    taps       filters that begin as noise
    sinc, gabor, gammatone     the families of `sigconv.kernels`, in quadrature
    mel, pcen  short-time power spectra through triangles on the mel scale, then the logarithm, or energy by its own recent past
    scattering the paths of `sigconv.Scattering`, its average as long as a hop (`scattered`)

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
from ..errors import UsageError, among
from ..signal import Signal
from .config import number
from .layers import Reach
from .words import fitted

__all__ = ["FRONTS", "Front", "front"]

TRAIN = ("fixed", "initial", "learned")
QUIET = 1e-4  # power below which a band counts as silent; speech is levelled to a power of 1e-2


class Front(nn.Module):
    """What all fronts share: `channels`, `rate`, `reach`; `bands` (power), `compress`, and the statistics of the training set.

    `measure` sets a mean and a deviation for each band once, from training data; they are frozen constants of the net.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, channels: int, rate: int, reach: Reach, compress: str, smooth: float = 0.4, train: str = "fixed",
                 quiet: float = QUIET):
        super().__init__()
        among(compress, ("log", "pcen", "none"), "compress")
        self.channels, self.rate, self.compression, self.quiet = channels, rate, compress, quiet
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))
        self.memory = 1
        if compress == "pcen":
            self.memory = max(round(smooth * rate / reach.stride), 1)
            self.past = Past(channels, self.memory, train == "learned")
            reach = reach.then(Reach(0, self.memory - 1))
        self.reach = reach

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The bands, compressed."""
        power = self.bands(x)
        if self.compression == "pcen":
            return self.past(power)
        return (power + self.quiet).log() if self.compression == "log" else power

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
    """A bank of filters of unit energy, real or in quadrature: |x ★ hᵢ|² every quarter of a hop, under a Hann window `frame`
    long, every hop.

    `taps`: their length in samples, by default 25 ms; what of a filter lies beyond is cut off.
    """

    low: torch.Tensor

    def __init__(self, rate: int, train: str, family: str, *, count: int = 40, taps: int = 0, low: float = 60.0,
                 high: float = 0.0, scale: str = "mel", hop: float = 0.01, frame: float = 0.04, compress: str = "log",
                 smooth: float = 0.4, quiet: float = QUIET):
        self.length, high, step = taps or round(0.025 * rate) | 1, high or 0.475 * rate, max(round(hop * rate), 1)
        self.jump = next(d for d in (4, 3, 2, 1) if step % d == 0)
        self.fine = step // self.jump
        self.size = max(round(frame * rate / self.fine), 1)
        reach = Reach(0, self.length - 1, self.fine).then(Reach(0, self.size - 1, self.jump))
        super().__init__(count, rate, reach, compress, smooth, train, quiet)
        self.family, self.like, self.kept = family, line(1, rate), True
        window = torch.hann_window(self.size + 2)[1:-1]
        self.register_buffer("low", (window / window.sum())[None, None])
        if family == "taps":
            self.weight = nn.Parameter(torch.randn(count, self.length) / self.length**0.5, requires_grad=train != "fixed")
            return
        centre = np.asarray(scales.spaced(low, high, count + 2, scale))
        width = np.maximum((centre[2:] - centre[:-2]) / 2, 1.0 / (self.length / rate))
        # on a log scale a step is a share: of an octave, whatever the frequency
        self.log_centre = nn.Parameter(torch.tensor(np.log(centre[1:-1]), dtype=torch.float32), train == "learned")
        self.log_bandwidth = nn.Parameter(torch.tensor(np.log(width), dtype=torch.float32), train == "learned")
        self.kept = train != "learned"
        if self.kept:
            self.weight = nn.Parameter(self.made().detach(), requires_grad=train == "initial")

    @property
    def centre(self) -> torch.Tensor:
        """Centre frequencies in Hz."""
        return self.log_centre.exp().clamp(20.0, 0.49 * self.rate)

    @property
    def bandwidth(self) -> torch.Tensor:
        """Widths in Hz."""
        return self.log_bandwidth.exp().clamp(20.0, 0.49 * self.rate)

    def made(self) -> torch.Tensor:
        """The taps of the family at its parameters: real parts (count, taps), then imaginary ones; each filter of unit energy."""
        centre, wide = self.centre, self.bandwidth
        if self.family == "sinc":
            low, high = (centre - wide / 2).clamp(min=0.0), (centre + wide / 2).clamp(max=0.5 * self.rate)
            k = kernels.sinc(self.like, low, high, taps=self.length, quadrature=True)
        else:
            k = kernels.morlet(self.like, centre, wide) if self.family == "gabor" else kernels.gammatone(self.like, centre, wide)
        h = k.on(Domain(self.length, k.domain.step, -((self.length - 1) // 2), "s")).data
        h = h / h.abs().square().sum(1, keepdim=True).sqrt()
        return torch.cat([h.real, h.imag]).to(centre.dtype)

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight if self.kept else self.made()
        y = F.conv1d(x[:, None], weight.flip(-1)[:, None], stride=self.fine).square()
        if len(weight) > self.channels:
            y = y[:, :self.channels] + y[:, self.channels:]
        b, m, n = y.shape
        return F.conv1d(y.reshape(b * m, 1, n), self.low, stride=self.jump).reshape(b, m, -1)

    def taps(self) -> Signal:
        weight = (self.weight if self.kept else self.made()).detach().double().cpu()
        if len(weight) > self.channels:
            weight = torch.complex(weight[:self.channels], weight[self.channels:])
        return Signal(weight.numpy(), Domain(self.length, Fraction(1, self.rate), -((self.length - 1) // 2), "s"))

    def macs(self, frames: int) -> int:
        fine = (frames - 1) * self.jump + self.size
        return self.channels * (fine * self.length * (1 if self.family == "taps" else 2) + frames * self.size)


class Mel(Front):
    """Power spectra of frames under a Hann window, summed by triangles on the mel scale, each of unit area.

    White noise so gives all bands alike.
    """

    hann: torch.Tensor
    frequency: torch.Tensor

    def __init__(self, rate: int, train: str, *, count: int = 40, low: float = 60.0, high: float = 0.0, hop: float = 0.01,
                 frame: float = 0.032, compress: str = "log", smooth: float = 0.4, quiet: float = QUIET):
        self.window, self.hop = round(frame * rate), max(round(hop * rate), 1)
        super().__init__(count, rate, Reach(0, self.window - 1, self.hop), compress, smooth, train, quiet)
        self.size = 1 << (self.window - 1).bit_length()
        high = high or 0.475 * rate
        self.register_buffer("hann", torch.hann_window(self.window, dtype=torch.float64).float())
        self.hann /= self.hann.norm()
        edges = torch.tensor(np.asarray(scales.spaced(low, high, count + 2, "htk")), dtype=torch.float32)
        self.register_buffer("frequency", torch.linspace(0, rate / 2, self.size // 2 + 1))
        self.moves = train
        if train == "learned":
            self.log_centre = nn.Parameter(edges[1:-1].log())
            self.log_bandwidth = nn.Parameter(((edges[2:] - edges[:-2]) / 2).log())
        else:
            start = triangles(self.frequency, edges[:-2], edges[1:-1], edges[2:])
            self.weight = nn.Parameter(start, requires_grad=train == "initial")

    def triangles(self) -> torch.Tensor:
        """(bands, frequencies)."""
        if self.moves == "learned":
            centre, wide = self.log_centre.exp(), self.log_bandwidth.exp().clamp(min=5.0)
            return triangles(self.frequency, centre - wide, centre, centre + wide)
        return self.weight.abs() if self.moves == "initial" else self.weight

    def spectra(self, x: torch.Tensor) -> torch.Tensor:
        """|STFT|², (b, frequencies, instants)."""
        frames = x.unfold(1, self.window, self.hop) * self.hann
        spectrum = torch.fft.rfft(frames, self.size)
        return (spectrum.real.square() + spectrum.imag.square()).transpose(1, 2)

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        return self.triangles() @ self.spectra(x)

    def taps(self) -> Signal:
        """The zero-phase filters whose power responses are the bands."""
        response = self.triangles().detach().double().cpu().clamp(min=0).sqrt()
        h = torch.fft.fftshift(torch.fft.irfft(response, self.size), dim=-1)[:, 1:] * torch.hann_window(self.size - 1, False,
                                                                                                      dtype=torch.float64)
        return Signal(h.numpy(), Domain(self.size - 1, Fraction(1, self.rate), -(self.size // 2 - 1), "s"))

    def macs(self, frames: int) -> int:
        bits = self.size.bit_length() - 1
        return frames * (self.window + 2 * self.size * bits + 2 * len(self.frequency) + self.channels * len(self.frequency))


class Past(nn.Module):
    """((E/(ε + M)^α + δ)^r − δ^r), M the mean of the last instants under an exponential: energy by its own recent past (Wang et
    al., ICASSP 2017). The exponential is cut off after `memory` instants, so that a score hangs on a stated stretch of time."""

    weights: torch.Tensor

    def __init__(self, channels: int, memory: int, learn: bool):
        super().__init__()
        self.memory = memory
        weights = torch.exp(torch.arange(memory) / max(memory / 3, 1.0))
        self.register_buffer("weights", weights / weights.sum())
        self.alpha, self.delta, self.root = (nn.Parameter(torch.full((channels,), value), learn) for value in (0.8, 2.0, 0.5))

    def forward(self, power: torch.Tensor) -> torch.Tensor:
        b, c, n = power.shape
        mean = F.conv1d(power.reshape(b * c, 1, n), self.weights[None, None]).reshape(b, c, -1)
        late = power[..., self.memory - 1:]
        alpha, delta, root = (v[:, None].clamp(min=0.01) for v in (self.alpha, self.delta, self.root))
        return (late / (mean + 1e-4) ** alpha + delta) ** root - delta**root


def triangles(frequency: torch.Tensor, low: torch.Tensor, centre: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """(bands, frequencies): triangles from low over centre to high, each of sum 1."""
    up = (frequency - low[:, None]) / (centre - low)[:, None]
    down = (high[:, None] - frequency) / (high - centre)[:, None]
    rows = torch.minimum(up, down).clamp(min=0)
    return rows / rows.sum(1, keepdim=True).clamp(min=1e-9)


def _ranges(kind: str, options: Mapping[str, Any], rate: int) -> None:
    """Refuse numbers that no front can have."""
    for word, low, high in (("count", 1, 4096), ("taps", 0, rate), ("hop", 1 / rate, 60), ("frame", 2 / rate, 60),
                            ("low", 0, rate / 2), ("high", 0, rate / 2), ("smooth", 0, 60), ("quiet", 0, 1)):
        value = options.get(word, low)
        if not number(value, low, high) or (word in ("count", "taps") and not isinstance(value, int)):
            whole = "whole " * (word in ("count", "taps"))
            raise UsageError(f"front {kind}: {word} {value!r}: wanted a {whole}number from {low:g} to {high:g}")


FRONTS = ("wave", "taps", "sinc", "gabor", "gammatone", "mel", "pcen", "scattering")


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
    make: Any = Wave if kind == "wave" else Mel if kind in ("mel", "pcen") else Filters
    if kind == "scattering":
        from .scattered import Scattered

        make = Scattered
    options = fitted(make, options, f"front {kind}")
    _ranges(kind, options, rate)
    return make(rate, train, *[kind] * (make is Filters), **({"compress": "pcen"} if kind == "pcen" else {}) | options)
