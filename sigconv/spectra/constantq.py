"""The constant-Q transform as librosa defines it, by its inner products.

    C(k, m) = √N_k Σ_j w_k(j)/‖w_k‖ e^(2πi f_k j/rate) x(m·hop − j),    N_k = Q·rate/f_k samples under a window w_k,

f_k = fmin·2^(k/b), Q = filter_scale/α, α = (2^(2/b) − 1)/(2^(2/b) + 1): a bank of complex filters at a stride of hop. The
lowest are a hundred times as long as the highest and change a hundred times as slowly. In single precision x is therefore
halved in rate as often as an octave allows, and its filters are read at every second sample, fourth, …. What a window lets
through `FAR` bins of 1/N_k away is below 1e-7; so as long as the half-band filter is flat up to there, and as far below where
it folds, sums differ by no more than that, and by less than single precision does. In double precision nothing is halved: the
sums stand as above. librosa makes its filters anew at each halved rate, half a slow sample beside their middles, and drops the
smallest 1 % of each one's spectrum, which is what the two differ by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor, inf, log2, prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain, natural
from ..engines import conv
from ..errors import SigconvError, among
from ..kernels.registry import limit, number, whole
from ..signal import Signal
from .bands import C0, C1
from .block import wanted_sound
from .framing import PADDINGS, hertz, window_of

__all__ = ["ConstantQ"]

FAR = 150.0  # bins of a window's own width, beyond which it lets nothing through
GROUP = 1.45  # times as long as its shortest a filter of one group may be: they are made as long as the longest
STOP = 150.0  # dB


@dataclass(frozen=True, eq=False)
class ConstantQ:
    """The bank of a constant-Q transform: a function of a Signal on a line that gives a complex one on (octave, s).

    `tuning`: in bins, or a function of the signal that finds it.

    >>> import sigconv as sc
    >>> t = np.arange(22050) / 22050
    >>> C = ConstantQ()(sc.Signal(np.sin(2 * np.pi * 440 * t)[None], sc.line(22050, 22050)))
    >>> float(C.coordinates(0)[abs(C.data[0, :, 20]).argmax()])       # A4: three quarters of the octave from C4
    4.75
    """

    hop_length: int = 512
    fmin: float | None = None
    n_bins: int = 84
    bins_per_octave: int = 12
    tuning: float | Callable[[Signal], float] = 0.0
    filter_scale: float = 1.0
    norm: float | None = 1
    window: Any = "hann"
    scale: bool = True
    pad_mode: str = "constant"

    def __post_init__(self) -> None:
        natural((self.hop_length,), "hop_length", 1)
        whole(self.n_bins, "n_bins")
        whole(self.bins_per_octave, "bins_per_octave")
        number(self.filter_scale, "filter_scale", above=0)
        among(self.pad_mode, tuple(PADDINGS), "pad_mode")
        if self.norm not in (None, 1, 2, inf):
            raise SigconvError(f"norm {self.norm!r} of a constant-Q filter: wanted 1, 2, inf or None")

    def centres(self, tuning: float = 0.0) -> np.ndarray:
        """The frequencies in Hz."""
        low = C1 if self.fmin is None else number(self.fmin, "fmin", "Hz", above=0)
        return low * 2.0 ** ((np.arange(self.n_bins) + tuning) / self.bins_per_octave)

    def filters(self, rate: float, tuning: float = 0.0) -> list[np.ndarray]:
        """The taps of every band at a rate, each `(2r + 1,)` about its middle."""
        f, q = self.centres(tuning), self._quality()
        highest = float(f[-1] * (1 + 0.75 / q))  # 1.5 bins, the bandwidth of a Hann window
        if highest > rate / 2:
            raise SigconvError(f"a constant-Q band at {f[-1]:.6g} Hz that reaches {highest:.6g} Hz: wanted below rate/2 = "
                               f"{rate / 2:g} Hz; take fewer bins or a lower fmin")
        return [self._atom(float(v), q * rate / float(v), rate) for v in f]

    def __call__(self, x: Signal) -> Signal:
        """The transform of x."""
        data = wanted_sound(x, "a constant-Q transform")
        if arrays.is_complex(data):
            raise SigconvError("a constant-Q transform of complex samples: wanted real ones")
        d, found = x.domain, self.tuning(x) if callable(self.tuning) else float(self.tuning)
        frames = 1 + d.shape[0] // self.hop_length
        rows = data.reshape(prod(x.value), 1, d.shape[0])
        before = 0  # samples that the padding has put before the first
        if PADDINGS[self.pad_mode] != "zeros" and d.size:
            before = max(len(taps) for taps in self.filters(float(d.rate), found)) // 2
            wide = Domain(d.shape[0] + 2 * before, d.step, d.start[0] - before, d.unit)
            rows = arrays.computable(x.on(wide, PADDINGS[self.pad_mode]).data).reshape(-1, 1, wide.shape[0])
        single = arrays.dtype_name(data) == "float32"
        groups = _groups(self._key(), float(d.rate), found, self.hop_length if single else 1) if self._plain() \
            else _grouped(self, float(d.rate), found, self.hop_length if single else 1)
        y = self._products(rows, groups, frames, before)
        low = float(self.centres(found)[0])
        each = Fraction(1, self.bins_per_octave)
        start = Fraction(log2(low / C0) * self.bins_per_octave).limit_denominator(10**9)
        if start.denominator > 1 and abs(start - round(start)) < Fraction(1, 10**8):
            start = Fraction(round(start))
        grid = Domain((self.n_bins, frames), (each, d.step[0] * self.hop_length), (start, Fraction(d.start[0]) / self.hop_length),
                      ("octave" if hertz(d) == "Hz" else f"octave {hertz(d)}", d.unit[0]), ("frequency", d.name[0]))
        return Signal(y.reshape(*x.value, self.n_bins, frames), grid, x.names)

    def _products(self, rows: Array, groups: list[Any], frames: int, before: int) -> Array:
        """The sums, group by group from the highest, x halved when a group asks for it: (channels, bands, frames)."""
        xp, parts, half, at = arrays.namespace(rows), [], _half_band(), 1
        first = -before  # the place of the first sample, in steps of the rate that x has come to
        for every, taps in groups:
            while at < every:
                reach = len(half) // 2
                low = -((reach - first) // 2)  # of the halved line: the first sample that is reached
                stop = (first + rows.shape[-1] + reach + 1) // 2
                window = (2 * low - first + reach, 2 * stop - first + reach)
                rows = conv(rows, arrays.like(half[None, None], rows), stride=2, window=window)
                first, at = low, 2 * at
            reach, stride = taps.shape[-1] // 2, self.hop_length // every
            far = max(first + rows.shape[-1] - 1, (frames - 1) * stride - first, 0)
            if reach > far:  # taps that no sample reaches
                taps, reach = taps[:, reach - far: reach + far + 1], far
            begin = reach - first
            y = conv(rows, arrays.like(taps[:, None], rows), stride=stride, window=(begin, begin + (frames - 1) * stride + 1))
            m = len(taps) // 2
            parts.append(y[:, :m] + 1j * y[:, m:])
        return xp.concat(parts[::-1], axis=1)

    def _quality(self) -> float:
        r = 2.0 ** (2 / self.bins_per_octave)
        return self.filter_scale * (r + 1) / (r - 1)

    def _atom(self, f: float, length: float, rate: float) -> np.ndarray:
        first, stop = floor(-length / 2), floor(length / 2)
        limit((stop - first,))
        j = np.arange(first, max(stop, first + 1))
        w = window_of(self.window, len(j))
        size = {None: 1.0, 1: np.abs(w).sum(), 2: np.sqrt((w**2).sum()), inf: np.abs(w).max()}[self.norm]
        taps = w * np.exp(2j * np.pi * f / rate * j) * (np.sqrt(length) if self.scale else length) / max(size, 1e-300)
        return np.append(taps, np.zeros(max(-2 * first - len(taps) + 1, 0)))  # as many after 0 as before

    def _plain(self) -> bool:
        return self.window is None or isinstance(self.window, (str, tuple))

    def _key(self) -> tuple[Any, ...]:
        return (self.fmin, self.n_bins, self.bins_per_octave, self.filter_scale, self.norm, self.window, self.scale)


@lru_cache(maxsize=8)
def _groups(key: tuple[Any, ...], rate: float, tuning: float, halve: int) -> list[tuple[int, np.ndarray]]:
    fmin, n, b, scale, norm, window, scaled = key
    return _grouped(ConstantQ(512, fmin, n, b, 0.0, scale, norm, window, scaled), rate, tuning, halve)


def _grouped(bank: ConstantQ, rate: float, tuning: float, halve: int) -> list[tuple[int, np.ndarray]]:
    """Filters of about one length together, from the highest: the factor that x is slowed by, and taps (2m, K) about the middle,
    real parts and then imaginary ones. `halve`: what the factor must divide."""
    made, f, q = bank.filters(rate, tuning), bank.centres(tuning), bank._quality()
    factor = [_factor(rate / (float(v) * (1 + FAR / q)), halve) for v in f]
    groups, k = [], bank.n_bins
    while k:
        low = k - 1
        while low and factor[low - 1] == factor[k - 1] and len(made[low - 1]) <= GROUP * len(made[k - 1]):
            low -= 1
        every = factor[k - 1]
        reach = max(len(made[low]) // 2 // every, 0)
        taps = np.zeros((k - low, 2 * reach + 1), complex)
        for row, atom in zip(taps, made[low:k], strict=True):
            r = len(atom) // 2 // every
            row[reach - r: reach + r + 1] = every * atom[len(atom) // 2 - r * every:: every][: 2 * r + 1]
        groups.append((every, np.concatenate([taps.real, taps.imag])))
        k = low
    return groups


def _factor(room: float, halve: int) -> int:
    """The largest power of 2 up to room/4 that divides `halve`: all that is let through lies below a quarter of the slow rate."""
    factor = 1
    while 2 * factor <= room / 4 and halve % (2 * factor) == 0:
        factor *= 2
    return factor


@lru_cache(maxsize=1)
def _half_band() -> np.ndarray:
    """A low-pass that is flat up to 1/8 of the rate and `STOP` dB down from 3/8 on: a sinc under a Kaiser window."""
    reach = 21
    j = np.arange(-reach, reach + 1)
    beta = 0.1102 * (STOP - 8.7)
    return np.sinc(j / 2) / 2 * np.i0(beta * np.sqrt(1 - (j / (reach + 1)) ** 2)) / np.i0(beta)
