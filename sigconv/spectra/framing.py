"""The windowed Fourier transform as torch and librosa have it, and the way back.

Frame m is the samples c_m − n_fft//2 … about its centre c_m = m·hop, under a window w:

    S(f, m) = Σ_i w(i) x(c_m − n_fft//2 + i) e^(−2πi f i / n_fft)

That is a bank of n_fft/2 + 1 complex filters at a stride of hop (`Fourier.kernel`), whose outputs come cheaper by transforms of
frames. Phases count from each frame's beginning, where those of `sc.spectrogram` count from time 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain, natural
from ..engines import pocket
from ..engines.tensors import held
from ..errors import SigconvError, among
from ..kernels.registry import limit
from ..signal import Signal
from ..spectrum.transform import FRAME
from .block import Block, Spectrum, wanted_sound
from .overlap import laid

__all__ = ["Fourier", "hertz", "istft", "stft", "window_of"]

PADDINGS = {"constant": "zeros", "zeros": "zeros", "reflect": "reflect", "symmetric": "symmetric", "edge": "replicate",
            "replicate": "replicate", "circular": "circular", "wrap": "circular"}
COSINES = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08)}
ONES = (None, "ones", "boxcar", "rectangular")
CELLS = 2**18  # samples of frames in the cache at a time


@dataclass(frozen=True, eq=False)
class Fourier:
    """The bank of an STFT: a function of a Signal on a line, with the taps (`kernel`) and the inverse of what it does.

    >>> import sigconv as sc
    >>> bank, x = Fourier(8, 2), sc.Signal(np.random.default_rng(0).normal(size=(1, 20)), sc.line(20, 8000))
    >>> S = bank(x)
    >>> bool(np.allclose(S.data[..., :10], sc.convolve(x, bank.kernel(x.domain), stride=2).data))
    True
    >>> bool(np.allclose(bank.inverse(S).data, x.data))
    True
    """

    n_fft: int = 2048
    hop_length: int | None = None
    win_length: int | None = None
    window: Any = "hann"
    center: bool = True
    pad_mode: str = "constant"
    normalized: bool = False
    onesided: bool | None = None

    def __post_init__(self) -> None:
        natural((self.n_fft,), "n_fft", 1)
        natural((self.hop,), "hop_length", 1)
        natural((self.width,), "win_length", 1)
        if self.width > self.n_fft:
            raise SigconvError(f"win_length {self.width} of frames of {self.n_fft}: wanted at most n_fft")
        among(self.pad_mode, tuple(PADDINGS), "pad_mode")

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        return max(self.width // 4, 1) if self.hop_length is None else self.hop_length

    @property
    def width(self) -> int:
        """Samples of the window."""
        return self.n_fft if self.win_length is None else self.win_length

    @property
    def ahead(self) -> int:
        """Samples of the first frame before the signal's first."""
        return self.n_fft // 2 if self.center else 0

    def weights(self) -> Array:
        """The window in the middle of n_fft samples, scaled if `normalized`."""
        w, left = window_of(self.window, self.width), (self.n_fft - self.width) // 2
        if self.n_fft > self.width:
            w = Signal(w, Domain(self.width)).on(Domain(self.n_fft, start=-left)).data
        return w * self.n_fft**-0.5 if self.normalized else w

    def kernel(self, like: Domain) -> Signal:
        """The taps as a bank `(n_fft//2 + 1,)` of complex filters, whose frames ``convolve(x, k, stride=hop)`` gives."""
        rows, i = self.n_fft // 2 + 1, np.arange(self.n_fft)
        limit((rows, self.n_fft))
        roots = np.exp(-2j * np.pi * i / self.n_fft)[np.outer(np.arange(rows), i) % self.n_fft]
        taps = arrays.flip(self.weights() * arrays.like(roots, self.weights()), (1,))
        return Signal(taps, Domain(self.n_fft, like.step, self.n_fft // 2 - self.n_fft + 1, like.unit, like.name))

    def __call__(self, x: Signal) -> Signal:
        """The spectrogram of x, complex, on (Hz, s)."""
        if isinstance(x, Signal) and arrays.is_tensor(x.data) and self._plain(x.data):
            import torch

            y = self(x.numpy())
            return Signal(torch.from_numpy(y.data), y.domain, y.names)
        data, grid = self._planned(x)
        if arrays.is_tensor(data):
            wide = x.on(self._reads(x.domain, 0, grid.shape[1]), PADDINGS[self.pad_mode]).data
            from torch import fft

            frames = arrays.computable(wide).unfold(-1, self.n_fft, self.hop) * arrays.like(self.weights(), data)
            S = fft.fft(frames) if self._whole(data) else fft.rfft(frames)
        else:
            S = np.empty((*x.value, grid.shape[1], grid.shape[0]), np.result_type(data.dtype, np.complex64))
            for _ in self._pieces(x, data, grid, S):
                pass
        return Signal(S.swapaxes(-1, -2), grid, x.names)

    def pieces(self, x: Signal) -> Iterator[tuple[Signal, int]]:
        """The same some frames at a time, each with the number of all, of arrays; each lasts until the next."""
        data, grid = self._planned(x)
        for a, piece in self._pieces(x, data, grid, None):
            part = Domain((grid.shape[0], piece.shape[-2]), grid.step, (0, grid.start[1] + a), grid.unit, grid.name, grid.of)
            yield Signal(piece.swapaxes(-1, -2), part, x.names), grid.shape[1]

    def _plain(self, data: Array) -> bool:
        """Whether NumPy can read a tensor's samples, and no gradient is asked for."""
        import torch

        asked = data.requires_grad or (arrays.is_tensor(self.window) and self.window.requires_grad)
        return held(data) and not (asked and torch.is_grad_enabled())

    def inverse(self, S: Signal, length: int | None = None, like: Domain | None = None) -> Signal:
        """The signal whose frames come nearest to S, least squares: Σ_m w x_m / Σ_m w², of `length` samples or on `like`."""
        line = self._line(S, length, like)
        whole = S.domain.start[0] == 0 and S.domain.shape[0] == self.n_fft and self.onesided is not True
        rows = self.n_fft if whole else self.n_fft // 2 + 1
        if not arrays.is_complex(S.data) or S.domain.shape[0] != rows:
            raise SigconvError(f"frames of {S.domain.shape[0]} rows, {arrays.dtype_name(S.data)}: wanted complex ones of {rows} "
                               f"rows, those of n_fft {self.n_fft}")
        F, w = S.data.swapaxes(-1, -2), arrays.like(self.weights(), S.data)
        norm = w / self.n_fft**-0.5 if self.normalized else w
        y, weight = laid(F, w, norm, self.hop, self.n_fft, whole)
        if self.normalized:
            y = y * float(self.n_fft) ** 0.5
        first = self.ahead + int(line.start[0] - self._begin(S.domain))
        covered = arrays.to_numpy(weight)[max(first, 0): max(first, 0) + line.shape[0]]
        if covered.size and covered.min() < 1e-11:
            raise SigconvError(f"a frame every {self.hop} samples under a window of {self.width}: some samples stand in none; "
                               "wanted frames that overlap, centred ones, or a shorter length")
        xp = arrays.namespace(weight)
        y = y / xp.where(weight < 1e-11, xp.ones_like(weight), weight)
        on = Domain(y.shape[-1], line.step, line.start[0] - first, line.unit, line.name)
        return Signal(y, on, S.names).on(line)

    def _begin(self, grid: Domain) -> Fraction:
        """Where the signal begins, in samples, of a grid of frames."""
        return Fraction(grid.start[1]) * self.hop - self.n_fft // 2 + self.ahead

    def _line(self, S: Signal, length: int | None, like: Domain | None) -> Domain:
        grid = S.domain
        if grid.ndim != 2:
            raise SigconvError(f"istft of a signal of {grid.ndim} axes: wanted frames, on frequency and time")
        rate = grid.step[0] * self.n_fft
        if grid.step[1] * rate != self.hop:
            raise SigconvError(f"frames every {float(grid.step[1]):g} {grid.unit[1]} with bins {float(grid.step[0]):g} "
                               f"{grid.unit[0]} apart: not those of n_fft {self.n_fft} and hop_length {self.hop}; wanted the "
                               "parameters they were made with")
        known = like or (grid.of if length is None else None)
        if known is not None:
            return Domain(known.shape, known.step, known.start, known.unit, known.name)
        samples = (grid.shape[1] - 1) * self.hop + self.n_fft - 2 * self.ahead if length is None else length
        return Domain(max(samples, 0), 1 / rate, self._begin(grid), grid.unit[1], "time")

    def _planned(self, x: Signal) -> tuple[Array, Domain]:
        """The samples, and the grid of the frames."""
        data = wanted_sound(x, "the frames")
        d, n = x.domain, x.domain.shape[0]
        if n + 2 * self.ahead < self.n_fft:
            raise SigconvError(f"frames of {self.n_fft} samples on a signal of {n}: wanted at most as many, or center=True")
        if self.onesided and arrays.is_complex(data):
            raise SigconvError("a one-sided spectrum of complex samples: both sides differ; wanted onesided=False")
        count = 1 + (n + 2 * self.ahead - self.n_fft) // self.hop
        steps = 1 / (d.step[0] * self.n_fft), d.step[0] * self.hop
        start = Fraction(d.start[0] + self.n_fft // 2 - self.ahead) / self.hop
        names = "frequency", FRAME if d.name[0] == "time" else d.name[0]
        return data, Domain((self.n_fft if self._whole(data) else self.n_fft // 2 + 1, count), steps, (0, start),
                            (hertz(d), d.unit[0]), names, Framed.of_line(d, self))

    def _reads(self, d: Domain, a: int, count: int) -> Domain:
        """The samples that `count` frames from the a-th on read."""
        return Domain((count - 1) * self.hop + self.n_fft, d.step, d.start[0] + a * self.hop - self.ahead, d.unit, d.name)

    def _pieces(self, x: Signal, data: np.ndarray, grid: Domain, S: np.ndarray | None) -> Iterator[tuple[int, np.ndarray]]:
        """Transforms of some frames at a time, `(…, frames, rows)`, each with the place of its first; in S where it is given."""
        w, total = arrays.like(arrays.to_numpy(self.weights()), data), grid.shape[1]
        run = max(CELLS // (self.n_fft * max(data.size // max(data.shape[-1], 1), 1)), 1)
        shape = (*x.value, min(run, total))
        room = np.empty((*shape, self.n_fft), data.dtype)
        spectra = np.empty((*shape, grid.shape[0]) if S is None else 0, np.result_type(data.dtype, np.complex64))
        for a in range(0, total, run):
            count = min(run, total - a)
            low, need = a * self.hop - self.ahead, (count - 1) * self.hop + self.n_fft
            if low >= 0 and low + need <= data.shape[-1]:
                part = data[..., low: low + need]
            else:
                part = arrays.computable(x.on(self._reads(x.domain, a, count), PADDINGS[self.pad_mode]).data)
            frames = np.lib.stride_tricks.sliding_window_view(part, self.n_fft, axis=-1)[..., ::self.hop, :]
            into = spectra[..., :count, :] if S is None else S[..., a: a + count, :]
            if self._whole(data):
                into[...] = pocket.fft(np.multiply(frames, w).astype(into.dtype, copy=False))
            else:
                pocket.rfft(np.multiply(frames, w, out=room[..., :count, :]), out=into)
            yield a, into

    def _whole(self, data: Array) -> bool:
        """Whether all rows are wanted, not only those up to rate/2."""
        return arrays.is_complex(data) or self.onesided is False


class Framed(Domain):
    """A line with the way that its frames were cut, by which `sc.sound` takes them back."""

    __slots__ = ("fourier",)
    fourier: Fourier

    @classmethod
    def of_line(cls, d: Domain, fourier: Fourier) -> Framed:
        """The line `d`, cut so."""
        line = cls(d.shape, d.step, d.start, d.unit, d.name)
        object.__setattr__(line, "fourier", fourier)
        return line

    def back(self, S: Signal, like: Domain | None = None) -> Signal:
        """The signal of its frames."""
        return self.fourier.inverse(S, like=like)


@Spectrum
def stft(n_fft: int = 2048, hop_length: int | None = None, win_length: int | None = None, window: Any = "hann",
         center: bool = True, pad_mode: str = "constant", normalized: bool = False, onesided: bool | None = None) -> Block:
    """The short-time Fourier transform of a sound, as `torch.stft` and `librosa.stft` have it: a complex Signal on (Hz, s).

    `n_fft`: samples of a frame; `hop_length`: from frame to frame (win_length/4); `win_length`: of the window, in the middle
    of the frame; `window`: hann, hamming, blackman, ones, any of `scipy.signal.get_window`, or its samples, an array or tensor.
    `center`: frame m lies about sample m·hop, with `pad_mode` beyond the ends (constant, reflect, symmetric, edge, circular);
    else it begins there. Time stamps are those of the middle of the frame, either way. `normalized`: over √n_fft. `onesided`:
    rows up to rate/2 (by default for real samples), else all n_fft, as they come. Differentiable on tensors, in the window too.

    Value ``x.value``; `istft`, and `sc.sound`, take it back.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("speech"))
    >>> S = sc.spectra.stft(x, n_fft=512)
    >>> S.domain.unit, S.domain.shape[0], S.data.dtype
    (('Hz', 's'), 257, dtype('complex64'))

    Raises `SigconvError` for a signal that is not on a line, one shorter than a frame where `center` is off, an unknown
    padding or window, a window longer than the frame, and one side of complex samples.
    """
    return Block(bank=Fourier(n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided))


def istft(S: Signal, *, n_fft: int | None = None, hop_length: int | None = None, win_length: int | None = None,
          window: Any = "hann", center: bool = True, normalized: bool = False, onesided: bool | None = None,
          length: int | None = None) -> Signal:
    """The sound of an STFT, least squares, as `torch.istft` and `librosa.istft` have it.

    What `stft` made knows how: then no parameter is needed, and the result has all samples of the line that it came from.
    `length`: so many of them. Else `n_fft` and `hop_length` are read from the grid, the others as given to `stft`.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("speech"))
    >>> back = sc.spectra.istft(sc.spectra.stft(x, n_fft=512))
    >>> float(abs(back.data - x.data).max()) < 1e-6, back.domain == x.domain
    (True, True)

    Raises `SigconvError` for what are no frames of these parameters, and where samples stand in none.
    """
    if not isinstance(S, Signal):
        raise SigconvError(f"istft of a {type(S).__name__}: wanted frames, as stft makes them")
    known = S.domain.of
    given = (n_fft, hop_length, win_length, window, center, normalized, onesided)
    if isinstance(known, Framed) and given == (None, None, None, "hann", True, False, None):
        return known.fourier.inverse(S, length)
    rows = S.domain.shape[0]
    n_fft = n_fft or (rows if onesided is False else 2 * (rows - 1))
    if S.domain.ndim == 2 and hop_length is None:
        hop_length = max(round(S.domain.step[1] * S.domain.step[0] * n_fft), 1)
    return Fourier(n_fft, hop_length, win_length, window, center, "constant", normalized, onesided).inverse(S, length)


def window_of(name: Any, n: int) -> Array:
    """A window of n samples, periodic, by its name (`scipy.signal.get_window`), or those given, in double precision."""
    if arrays.is_tensor(name) or isinstance(name, (np.ndarray, list)):
        w = name if arrays.is_tensor(name) else np.asarray(name, np.float64)
        if tuple(w.shape) != (n,):
            raise SigconvError(f"a window of shape {tuple(w.shape)}: wanted win_length = {n} samples")
        return w
    if name in ONES or n == 1:
        return np.ones(n)
    if isinstance(name, str) and name in COSINES:
        turn = 2 * np.pi * np.arange(n) / n
        return sum((-1) ** k * a * np.cos(k * turn) for k, a in enumerate(COSINES[name]))
    from scipy.signal import get_window

    try:
        return get_window(name, n)
    except (ValueError, TypeError) as why:
        raise SigconvError(f"window {name!r}: {why}; wanted hann, hamming, blackman, ones, or one that scipy knows") from None


def hertz(d: Domain) -> str:
    """The unit of frequencies on a line."""
    return "Hz" if d.unit == ("s",) else f"1/{d.unit[0]}"
