"""The spectra that librosa has, each an instance of one Block, with librosa's names, parameters and defaults.

The rate is the signal's own, axes carry their units, and time stamps are those of the middles of frames.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any

import numpy as np

from .. import arrays
from ..chain import relu
from ..domain import Domain, natural
from ..errors import SigconvError
from ..kernels.registry import whole
from ..signal import Signal
from .bands import C1, chroma, cosines, folded, mel
from .block import Block, Spectrum
from .constantq import ConstantQ
from .framing import Fourier
from .nonlinear import decibels, magnitude, power, unit
from .nonlinear import pcen as normalised
from .tuned import tuning as tuning_of

__all__ = ["chroma_cqt", "chroma_stft", "cqt", "log_mel", "melspectrogram", "mfcc", "onset_strength", "pcen_mel", "rise"]


@Spectrum
def melspectrogram(n_fft: int = 2048, hop_length: int = 512, win_length: int | None = None, window: Any = "hann",
                   center: bool = True, pad_mode: str = "constant", power: float = 2.0, n_mels: int = 128, fmin: float = 0.0,
                   fmax: float | None = None, htk: bool = False, norm: Any = "slaney") -> Block:
    """The mel spectrogram, as `librosa.feature.melspectrogram` has it: a Signal on (mel, s).

    Fourier → |·|^power → `n_mels` triangles from `fmin` to `fmax` Hz (rate/2), even in mel (Slaney's, or `htk`), of area 1
    (`norm` "slaney") or height 1 (None). Frames as in `stft`. Differentiable on tensors.

    >>> import sigconv as sc
    >>> M = sc.spectra.melspectrogram(sc.load(sc.io.sample("speech")), n_mels=40)
    >>> M.domain.unit, M.value, M.domain.shape[0]
    (('mel', 's'), (1,), 40)

    Warns where bands are so narrow that no row of the spectrum lies in them. Raises `SigconvError` as `stft`.
    """
    return Block(bank=Fourier(n_fft, hop_length, win_length, window, center, pad_mode),
                 nonlinearity=partial(_power, exponent=power), pool=mel(n_mels, fmin, fmax, htk, norm))


_power = power


@Spectrum
def log_mel(ref: Any = 1.0, amin: float = 1e-10, top_db: float | None = 80.0, **mel: Any) -> Block:
    """The mel spectrogram in dB: `decibels` (`librosa.power_to_db`) of `melspectrogram`, whose parameters it takes too.

    >>> import sigconv as sc
    >>> M = sc.spectra.log_mel(sc.load(sc.io.sample("speech")), n_mels=40, ref=np.max)
    >>> float(M.data.max()), float(M.data.min())
    (0.0, -80.0)
    """
    return Block(bank=melspectrogram.block(**mel), nonlinearity=partial(decibels, ref=ref, amin=amin, top_db=top_db))


@Spectrum
def mfcc(n_mfcc: int = 20, dct_type: int = 2, norm: str | None = "ortho", lifter: float = 0, mel_norm: Any = "slaney",
         **mel: Any) -> Block:
    """Mel-frequency cepstral coefficients, as `librosa.feature.mfcc` has them: cosines of `log_mel`, on (coefficient, s).

    `dct_type`, `norm` and `lifter` as in `cosines`; the other parameters are those of `melspectrogram`.

    >>> import sigconv as sc
    >>> sc.spectra.mfcc(sc.load(sc.io.sample("speech")), n_mfcc=13).domain.shape[0]
    13
    """
    return Block(bank=melspectrogram.block(norm=mel_norm, **mel), nonlinearity=decibels,
                 pool=cosines(n_mfcc, dct_type, norm, lifter))


@Spectrum
def pcen_mel(gain: Any = 0.98, bias: Any = 2.0, power: Any = 0.5, time_constant: float = 0.4, eps: Any = 1e-6, b: Any = None,
             **mel: Any) -> Block:
    """`pcen` of a magnitude mel spectrogram, whose parameters it takes too (samples at the scale of 16-bit ones, as PCEN wants).

    >>> import sigconv as sc
    >>> P = sc.spectra.pcen_mel(sc.load(sc.io.sample("speech")) * 2.0**31, n_mels=40)
    >>> bool(P.data.min() >= 0)
    True
    """
    return Block(bank=melspectrogram.block(**{"power": 1.0, **mel}),
                 nonlinearity=partial(normalised, gain=gain, bias=bias, power=power, time_constant=time_constant, eps=eps, b=b))


@Spectrum
def cqt(hop_length: int = 512, fmin: float | None = None, n_bins: int = 84, bins_per_octave: int = 12,
        tuning: float | None = 0.0, filter_scale: float = 1, norm: float | None = 1, window: Any = "hann", scale: bool = True,
        pad_mode: str = "constant") -> Block:
    """The constant-Q transform with the parameters of `librosa.cqt`: a complex Signal on (octave, s), where 4 is C4.

    Its own defining inner products, to 1e-6 in single precision and to rounding in double; librosa's come by halving the rate
    octave by octave and differ from them by about −40 dB (docs/spectra.md). `fmin` is C1 by default; `tuning` in bins, None
    estimates it. For the magnitude put `magnitude` behind it, as ``sc.spectra.magnitude(sc.spectra.cqt(x))``.

    >>> import sigconv as sc
    >>> C = sc.spectra.cqt(sc.load(sc.io.sample("speech")), n_bins=48, bins_per_octave=12, fmin=110)
    >>> C.domain.unit, C.domain.shape[0]
    (('octave', 's'), 48)

    Raises `SigconvError` for bands beyond rate/2.
    """
    found = _tuning(bins_per_octave) if tuning is None else tuning
    return Block(bank=ConstantQ(hop_length, fmin, n_bins, bins_per_octave, found, filter_scale, norm, window, scale, pad_mode))


@Spectrum
def chroma_stft(norm: float | None = inf, n_fft: int = 2048, hop_length: int = 512, win_length: int | None = None,
                window: Any = "hann", center: bool = True, pad_mode: str = "constant", tuning: float | None = None,
                n_chroma: int = 12, ctroct: float = 5.0, octwidth: float | None = 2) -> Block:
    """Pitch classes of the power spectrum, as `librosa.feature.chroma_stft` has them: a Signal on (semitone, s), C first.

    Each frame is scaled to `norm` 1; `tuning` in bins, None estimates it; `ctroct`, `octwidth`: the octaves that count.

    >>> import sigconv as sc
    >>> t = np.arange(22050) / 22050
    >>> H = sc.spectra.chroma_stft(sc.Signal(np.sin(2 * np.pi * 440 * t)[None], sc.line(22050, 22050)))
    >>> H.domain.unit, int(H.data[0, :, 20].argmax())                  # A
    (('semitone', 's'), 9)
    """
    inner = Block(bank=Fourier(n_fft, hop_length, win_length, window, center, pad_mode), nonlinearity=power)
    found = partial(tuning_of, bins_per_octave=n_chroma) if tuning is None else tuning
    return Block(bank=inner, pool=_row(chroma(n_chroma, found, ctroct=ctroct, octwidth=octwidth), partial(unit, norm=norm)))


@Spectrum
def chroma_cqt(hop_length: int = 512, fmin: float | None = None, norm: float | None = inf, threshold: float | None = 0.0,
               tuning: float | None = None, n_chroma: int = 12, n_octaves: int = 7, bins_per_octave: int = 36) -> Block:
    """Pitch classes of the constant-Q magnitude, with the parameters of `librosa.feature.chroma_cqt`: on (semitone, s), C first.

    >>> import sigconv as sc
    >>> t = np.arange(22050) / 22050
    >>> H = sc.spectra.chroma_cqt(sc.Signal(np.sin(2 * np.pi * 440 * t)[None], sc.line(22050, 22050)))
    >>> int(H.data[0, :, 20].argmax())
    9
    """
    bank = cqt.block(hop_length, fmin, n_octaves * bins_per_octave, bins_per_octave, tuning)
    low = C1 if fmin is None else fmin
    pools: list[Callable[[Signal], Signal]] = [folded(bins_per_octave, n_chroma, low), partial(unit, norm=norm)]
    if threshold is not None:
        pools.insert(1, partial(_above, least=threshold))
    return Block(bank=bank, nonlinearity=magnitude, pool=_row(*pools))


@Spectrum
def onset_strength(lag: int = 1, max_size: int = 1, detrend: bool = False, center: bool = True, n_fft: int = 2048,
                   hop_length: int = 512, **mel: Any) -> Block:
    """How much louder bands have become, as `librosa.onset.onset_strength` has it: a Signal on the line of the frames.

    log_mel → difference from `lag` frames before (of the largest of `max_size` bands) → relu → mean over bands; moved by half a
    window if `center`, and without its slow part if `detrend`. Other parameters are those of `melspectrogram`.

    >>> import sigconv as sc
    >>> clicks = np.zeros((1, 22050)); clicks[0, [5000, 15000]] = 1
    >>> o = sc.spectra.onset_strength(sc.Signal(clicks, sc.line(22050, 22050)), fmax=11025)
    >>> o.domain.shape, [int(i) for i in np.argsort(o.data[0])[-2:]]
    ((44,), [10, 30])
    """
    natural((lag, max_size), "lag, max_size", 2)
    late = lag + (n_fft // (2 * hop_length) if center else 0)
    return Block(normalise=log_mel.block(n_fft=n_fft, hop_length=hop_length, **mel),
                 bank=partial(rise, lag=lag, max_size=max_size), nonlinearity=relu,
                 pool=partial(_envelope, late=late, lag=lag, trim=center, detrend=detrend))


def rise(S: Signal, lag: int = 1, max_size: int = 1) -> Signal:
    """S less what it was `lag` frames before; of that the largest of `max_size` neighbours in frequency, against vibrato.

    >>> import sigconv as sc
    >>> rise(sc.Signal([[1.0, 4.0, 2.0]], sc.grid(1, 3))).data
    array([[ 3., -2.]])
    """
    d = S.domain
    past = (S if max_size == 1 else _widest(S, max_size)).at((d.start[0], d.start[1] + lag))
    both = Domain((d.shape[0], max(d.shape[1] - lag, 0)), d.step, past.domain.start, d.unit, d.name)
    return S.on(both) - past.on(both)


def _widest(S: Signal, size: int) -> Signal:
    """The largest of `size` rows about each."""
    whole(size, "max_size")
    xp, axis, d = arrays.namespace(S.data), len(S.value), S.domain
    grid = Domain((d.shape[0] + size - 1, d.shape[1]), d.step, (d.start[0] - size // 2, d.start[1]), d.unit, d.name)
    wide, lead = S.on(grid, "replicate").data, (slice(None),) * axis
    most = wide[(*lead, slice(d.shape[0]))]
    for i in range(1, size):
        most = xp.maximum(most, wide[(*lead, slice(i, i + d.shape[0]))])
    return Signal(most, d, S.names)


def _envelope(S: Signal, late: int, lag: int, trim: bool, detrend: bool) -> Signal:
    """The mean over bands, `late` frames after the first, zeros before."""
    xp, d, frames = arrays.namespace(S.data), S.domain, S.domain.shape[1] + lag
    first = d.start[1] - lag
    line = Domain(d.shape[1], d.step[1], first + late, d.unit[1], d.name[1])
    whole_ = Domain(frames if trim else late + d.shape[1], line.step, first, line.unit, line.name)
    y = Signal(xp.mean(S.data, axis=len(S.value)), line, S.names).on(whole_)
    return _risen(y) if detrend else y


def _risen(x: Signal) -> Signal:
    """y(m) = x(m) − x(m − 1) + 0.99 y(m − 1): the slow part taken out, as the convolution with (1 − z)/(1 − 0.99z)."""
    from ..convolving import convolve

    n = max(x.domain.shape[0], 1)
    taps = np.append(1.0, -0.01 * 0.99 ** np.arange(n - 1))
    return convolve(x, Signal(taps, Domain(n, x.domain.step, 0, x.domain.unit, x.domain.name)))


def _above(S: Signal, least: float) -> Signal:
    """What lies below `least` is 0."""
    xp = arrays.namespace(S.data)
    return Signal(xp.where(S.data < least, xp.zeros_like(S.data), S.data), S.domain, S.names) if least > 0 else S


def _row(*stages: Callable[[Signal], Signal]) -> Callable[[Signal], Signal]:
    """Functions of Signals one after another as one."""
    def through(x: Signal) -> Signal:
        for stage in stages:
            x = stage(x)
        return x

    return through


def _tuning(bins_per_octave: int) -> Callable[[Signal], float]:
    """What finds the tuning of a sound, in bins."""
    def found(x: Signal) -> float:
        plain = x.numpy()
        if not plain.domain.size:
            raise SigconvError("the tuning of an empty signal: wanted samples, or tuning=0.0")
        return tuning_of(magnitude(Fourier(2048)(plain)), bins_per_octave)

    return found
