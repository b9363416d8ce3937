"""What may happen to a recording on its way: speed, voice, colour, room, noise. Batched, on tensors (b, n), each row its own.

Each is a convolution, done by the engines, and each leaves a row as it is, to the bit, where its parameter is neutral.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd, log, log2, pi
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain import line
from ..engines import conv
from ..errors import SigconvError
from ..kernels import room
from .leveling import level

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["coloured", "equalised", "noisy", "pitched", "reverberant", "sped", "tilted", "tract"]

GRID = 24  # speeds are multiples of 1/24, so that a few polyphase banks serve all rows
ZEROS, BETA, PASS = 12, 8.0, 0.95  # of the interpolating sinc: zero crossings on either side, Kaiser's β, share of the band
TAPS = 256  # of an equaliser at 8 kHz, in proportion elsewhere
LOWEST = 60.0  # Hz, below which a tilt is flat
KNOT = 700.0  # Hz: knots are even in ln(1 + f/700)
QUEFRENCY = 0.003  # s: what of the cepstrum is the vocal tract, and not the voice's pitch


def sped(x: Tensor, ratio: Any, lengths: Any = None) -> tuple[Tensor, Tensor]:
    """Clips (b, n) faster by a ratio each, and their new lengths: a tone at f comes out at ratio · f, the clip 1/ratio as long.

    Ratios are taken to the nearest 1/24, from 1/4 to 4; a row at 1 is left as it is.

    A row at p/q reads x at the times j·p/q. With j = q·m + φ these are p·m + φ·p/q: for each phase φ the same fraction at
    every m. So it is a bank of q kernels with stride p, h_φ[o] = c·sinc(c·(φp/q − o)) under a Kaiser window, where
    c = min(1, q/p) · 0.95 keeps out what would fold.

    >>> import torch
    >>> y, lengths = sped(torch.ones(2, 2400), [1.0, 1.25])
    >>> y.shape, lengths
    (torch.Size([2, 2400]), tensor([2400, 1920]))
    """
    import torch

    steps = (torch.as_tensor(ratio, dtype=torch.float64).expand(len(x)) * GRID).round().long()
    if len(steps) and not GRID // 4 <= int(steps.min()) <= int(steps.max()) <= 4 * GRID:
        raise SigconvError(f"speeds from {int(steps.min()) / GRID:.3g} to {int(steps.max()) / GRID:.3g}: wanted 0.25 … 4")
    lengths = torch.as_tensor(x.shape[1] if lengths is None else lengths).expand(len(x))
    new = -(-lengths * GRID // steps)
    out = x.new_zeros(len(x), int((-(-x.shape[1] * GRID // steps)).max()) if len(x) else x.shape[1])
    for step in steps.unique().tolist():
        rows = (steps == step).nonzero()[:, 0].to(x.device)
        y = x[rows] if step == GRID else _read(x[rows], step // gcd(step, GRID), GRID // gcd(step, GRID))
        out[rows, : y.shape[1]] = y
    return out, new


def _read(x: Tensor, p: int, q: int) -> Tensor:
    """Rows at the times 0, p/q, 2·p/q, …"""
    import torch

    n, taps = x.shape[1], _phases(p, q)
    reach, count = taps.shape[1], ceil(n / p)
    before = reach - 1 - (reach - p - 1) // 2 - p
    x = torch.nn.functional.pad(x, (before, p * (count - 1) + reach - before - n))
    w = torch.as_tensor(taps[:, None, ::-1].copy(), dtype=x.dtype, device=x.device)
    # many short kernels at a stride, in single precision: torch's own layer does them ten times as fast as `engines.conv`
    y = torch.nn.functional.conv1d(x[:, None], w, stride=p)
    return y.transpose(1, 2).reshape(len(x), -1)[:, : -(-n * q // p)]


@lru_cache(maxsize=4 * GRID)
def _phases(p: int, q: int) -> np.ndarray:
    """h_φ turned round, (q, p + 2·reach + 1): tap κ reads x at p·m + p + reach − κ. Each phase sums to 1, so a constant stays."""
    c = min(1.0, q / p) * PASS
    reach = ceil(ZEROS / c)
    t = np.arange(q)[:, None] * p / q - np.arange(p + reach, -reach - 1, -1)
    h = np.sinc(c * t) * np.i0(BETA * np.sqrt(np.maximum(1 - (t / reach) ** 2, 0))) * (abs(t) <= reach)
    return h / h.sum(axis=1, keepdims=True)


def tract(x: Tensor, rate: float, ratio: Any) -> Tensor:
    """Clips (b, n) as of a vocal tract shorter by a ratio each: formants move up by it, the pitch and the time stay.

    In each frame of a short-time spectrum, ln|X| is split by its cepstrum: what lies below 3 ms is the tract's, E, a cosine
    series in f, which can be read at any frequency. The frame is filtered by E(f / ratio) / E(f), at most 20 dB; phases stay.

    >>> import torch
    >>> x = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    >>> torch.equal(tract(x, 8000, 1.0), x)
    True
    """
    import torch

    ratio = torch.as_tensor(ratio, dtype=x.dtype, device=x.device).expand(len(x))
    rows = (ratio != 1).nonzero()[:, 0]
    if not len(rows) or not x.shape[1]:
        return x
    size = 1 << ceil(log2(0.03 * rate))
    window = torch.hann_window(size, dtype=x.dtype, device=x.device)
    chosen = torch.nn.functional.pad(x[rows], (0, max(size - x.shape[1], 0)))
    S = torch.stft(chosen, size, size // 2, window=window, return_complex=True, pad_mode="constant")
    power = S.real.square() + S.imag.square()
    logs = 0.5 * torch.log(power + 1e-8 * power.amax((1, 2), keepdim=True) + 1e-30)
    bins, order = size // 2 + 1, torch.arange(1, round(QUEFRENCY * rate) + 1, dtype=x.dtype, device=x.device)
    f = torch.arange(bins, dtype=x.dtype, device=x.device) * (2 * pi / size)
    ends = torch.full((bins,), 2.0, dtype=x.dtype, device=x.device)
    ends[0] = ends[-1] = 1.0
    series = torch.cos(order[:, None] * f) * ends * (2 / size) @ logs  # (b, order, frames): the cepstrum, twice
    there = torch.cos((f / ratio[rows, None]).clamp(max=pi)[..., None] * order) - torch.cos(f[:, None] * order)
    y = torch.istft(S * torch.exp((there @ series).clamp(-2.3, 2.3)), size, size // 2, window=window, length=chosen.shape[1])
    return x.index_copy(0, rows, y[:, : x.shape[1]])


def pitched(x: Tensor, rate: float, ratio: Any, lengths: Any = None) -> tuple[Tensor, Tensor]:
    """Clips (b, n) at a pitch higher by a ratio each, and their new lengths: faster by it, with the formants put back.

    >>> import torch
    >>> pitched(torch.ones(1, 1200), 8000, 1.5)[1]
    tensor([800])
    """
    import torch

    ratio = (torch.as_tensor(ratio, dtype=torch.float64).expand(len(x)) * GRID).round() / GRID
    y, lengths = sped(x, ratio, lengths)
    return tract(y, rate, (1 / ratio).to(x.dtype)), lengths


def tilted(x: Tensor, rate: float, slope: Any) -> Tensor:
    """Clips (b, n) through a filter that rises by `slope` dB an octave each, 0 dB at 1 kHz, flat below 60 Hz; no delay.

    >>> import torch
    >>> torch.equal(tilted(torch.ones(1, 99), 8000, 0.0), torch.ones(1, 99))
    True
    """
    import torch

    slope = torch.as_tensor(slope, dtype=x.dtype, device=x.device).expand(len(x))
    f = _bins(rate, x)
    return _through(x, slope[:, None] * torch.log2(f.clamp(min=LOWEST) / 1000))


def equalised(x: Tensor, rate: float, gains: Any) -> Tensor:
    """Clips (b, n) through filters with these gains in dB, (b, k), at k knots from 0 to rate/2, lines between; no delay.

    Knots are even in ln(1 + f / 700 Hz), as on the mel scale. Drawn at random the gains make a random FIR.

    >>> import torch
    >>> y = equalised(torch.ones(1, 999), 8000, [[6.0206, 0.0, 0.0, 0.0]])
    >>> round(float(y[0, 500]), 1)
    2.0
    """
    import torch

    gains = torch.as_tensor(gains, dtype=x.dtype, device=x.device)
    return _through(x, gains @ _hats(_bins(rate, x), gains.shape[-1]))


def _bins(rate: float, x: Tensor) -> Tensor:
    import torch

    half = max(round(TAPS * rate / 16000), 8)
    return torch.arange(half + 1, dtype=x.dtype, device=x.device) * (rate / 2 / half)


def _hats(f: Tensor, count: int) -> Tensor:
    """What each knot counts at each frequency, (count, bins)."""
    import torch

    if count < 2:
        raise SigconvError(f"{count} knots: wanted at least 2")
    place = torch.log1p(f / KNOT) / log(1 + float(f[-1]) / KNOT) * (count - 1)
    return (1 - (place - torch.arange(count, dtype=f.dtype, device=f.device)[:, None]).abs()).clamp(min=0)


def _through(x: Tensor, decibels: Tensor) -> Tensor:
    """Rows through FIRs of these gains at the bins, (b, bins): even taps under a Hann window, so none delays."""
    import torch

    rows = (decibels != 0).any(1).nonzero()[:, 0]
    if not len(rows) or not x.shape[1]:
        return x
    h = torch.fft.irfft(10 ** (decibels[rows] / 20))
    half = h.shape[1] // 2
    h = torch.roll(h, half, 1) * torch.hann_window(2 * half, dtype=x.dtype, device=x.device)
    return x.index_copy(0, rows, _each(x[rows], h, half))


def _each(x: Tensor, h: Tensor, first: int) -> Tensor:
    """Each row with its own kernel; as many samples, from index `first` of the full convolution."""
    return conv(x[None], h[:, None], groups=len(x), window=(first, first + x.shape[1]), method="fft")[0]


def reverberant(x: Tensor, rate: float, t60: Any, wet: Any, generator: Generator) -> Tensor:
    """Clips (b, n) in rooms: the kernel `room` of these decays in seconds and norms of the tail, each with its own noise.

    Scaled to keep the kernel's energy at 1; what rings past the clip's end is cut off. A row whose `wet` is 0 is left as it is.

    >>> import torch
    >>> click = torch.nn.functional.pad(torch.ones(1, 1), (0, 3999))
    >>> round(float(reverberant(click, 8000, 0.3, 1.0, torch.Generator().manual_seed(0)).square().sum()), 3)
    1.0
    """
    import torch

    seeds = torch.randint(2**31, (len(x),), generator=generator).tolist()
    times, wets = (torch.as_tensor(v, dtype=torch.float64).expand(len(x)).tolist() for v in (t60, wet))
    rows = [i for i, part in enumerate(wets) if part]
    if not rows or not x.shape[1]:
        return x
    like = line(1, rate)
    taps = [room(like, times[i], wets[i], seeds[i]).data / (1 + wets[i] ** 2) ** 0.5 for i in rows]
    h = np.zeros((len(rows), max(map(len, taps))))
    for row, tap in zip(h, taps, strict=True):
        row[: len(tap)] = tap
    at = torch.tensor(rows, device=x.device)
    return x.index_copy(0, at, _each(x[at], torch.as_tensor(h, dtype=x.dtype, device=x.device), 0))


def coloured(shape: tuple[int, int], rate: float, colour: Any, generator: Generator) -> Tensor:
    """Noise (b, n) of unit RMS whose power falls as f^−colour: 0 is white, 1 pink, 2 brown, below 0 blue; flat below 60 Hz.

    >>> import torch
    >>> coloured((2, 8000), 8000, 1.0, torch.Generator().manual_seed(0)).square().mean(1)
    tensor([1.0000, 1.0000])
    """
    import torch

    b, n = shape
    size = n + n % 2
    f = torch.arange(size // 2 + 1) * (rate / max(size, 1))
    colour = torch.as_tensor(colour, dtype=torch.float32).expand(b)
    bins = torch.view_as_complex(torch.randn(b, len(f), 2, generator=generator))
    noise = torch.fft.irfft(bins * torch.exp(-0.5 * colour[:, None] * torch.log(f.clamp(min=LOWEST) / 1000)), size)[:, :n]
    return noise / noise.square().mean(1, keepdim=True).sqrt().clamp(min=1e-30)


def noisy(x: Tensor, noise: Tensor, snr: Any, rate: float) -> Tensor:
    """Clips (b, n) with noise (b, n) added at an SNR in dB each; infinite leaves a row as it is, and silence stays silent.

    The SNR is that of the clip's active `level` to the RMS of the noise.

    >>> import torch
    >>> x = torch.ones(1, 8000)
    >>> y = noisy(x, torch.full((1, 8000), 5.0), 20.0, 8000)
    >>> round(float((y - x)[0, 0]), 4)
    0.1
    """
    import torch

    snr = torch.as_tensor(snr, dtype=x.dtype, device=x.device).expand(len(x))
    rms = noise.square().mean(1).sqrt().clamp(min=1e-30)
    gain = level(x, rate) * 10 ** (-snr / 20) / rms
    return torch.where(torch.isinf(snr)[:, None], x, x + gain[:, None] * noise)
