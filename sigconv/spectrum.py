"""Spectra of signals and of kernels: the numbers behind every picture of a filter.

The frequency response of taps h at κ·step is H(ν) = Σ_κ h(κ) e^{−2πi ν κ step}: positions count from the origin of Ω, so a
centred kernel has no phase but its own, and a causal one shows its delay.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from . import arrays
from .domain import Domain, natural
from .engines.spectral import fast_length
from .errors import SigconvError
from .signal import Signal

__all__ = ["Response", "decibels", "hann", "response", "spectrogram"]

QUIET = 1e-6  # below this share of the largest magnitude a phase, and so a delay, is rounding noise


@dataclass(frozen=True, slots=True)
class Response:
    """A frequency response on a line: `frequency` (f,) in cycles per unit (Hz for s), `gain` (*value, f) complex,
    `delay` (*value, f) the group delay in units, NaN where the magnitude vanishes."""

    frequency: np.ndarray
    gain: np.ndarray
    delay: np.ndarray


def decibels(magnitude: Any, floor: float = -200.0) -> np.ndarray:
    """20·log₁₀|magnitude|, not below `floor` (so that silence is a number).

    >>> decibels([1.0, 0.5, 0.0]).round(2).tolist()
    [0.0, -6.02, -200.0]
    """
    size = np.abs(np.asarray(magnitude, dtype=np.result_type(np.asarray(magnitude).dtype, np.float64)))
    return 20 * np.log10(np.maximum(size, 10 ** (floor / 20)))


def hann(n: int) -> np.ndarray:
    """The periodic Hann window of n points.

    >>> hann(4).round(12).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n) if n > 1 else np.ones(n)


def response(k: Signal, frequency: Any = None) -> Response:
    """The frequency response and group delay of a kernel on a line.

    `frequency`: cycles per unit, `(f,)`; None takes 0 … rate/2 (−rate/2 … rate/2 for complex taps) on at
    least 1024 points and four to the kernel's length. Group delay is −dφ/dω = Re(FT[κ·h]/FT[h]), exact at every
    frequency, without unwrapping.

    >>> import sigconv as sc
    >>> r = response(sc.kernel("edge", sc.line(1, 8000)), [0.0, 4000.0])
    >>> abs(r.gain).round(12).tolist(), round(float(r.delay[1] * 8000), 9)
    ([0.0, 2.0], 0.5)

    Raises `SigconvError` for a kernel of more than one axis, or without taps.
    """
    if not isinstance(k, Signal):
        raise SigconvError(f"the response of a {type(k).__name__}: wanted a kernel, e.g. sc.kernel(spec, like)")
    taps = np.atleast_1d(arrays.to_numpy(k.data))
    if k.domain.ndim != 1:
        raise SigconvError(f"the response of a kernel of {k.domain.ndim} axes: wanted one axis; see.response draws the map of "
                           "two")
    if not k.domain.size:
        raise SigconvError("a kernel without taps has no response: wanted at least one")
    taps = taps.astype(complex if np.iscomplexobj(taps) else float)
    at = np.arange(k.domain.shape[0]) + float(k.domain.start[0])
    rate = float(1 / k.domain.step[0])
    if frequency is None:
        points = fast_length(max(4 * len(at), 2048))
        two_sided = np.iscomplexobj(taps)
        nu = np.fft.fftshift(np.fft.fftfreq(points)) if two_sided else np.fft.rfftfreq(points)

        def spectrum(h: np.ndarray) -> np.ndarray:
            whole = np.fft.fftshift(np.fft.fft(h, points), axes=-1) if two_sided else np.fft.rfft(h, points)
            return whole * np.exp(-2j * np.pi * nu * at[0])
    else:
        try:
            nu = np.atleast_1d(np.asarray(frequency, dtype=float)) / rate
        except (TypeError, ValueError):
            raise SigconvError(f"frequency {frequency!r}: wanted numbers in cycles per unit") from None

        def spectrum(h: np.ndarray) -> np.ndarray:
            return h @ np.exp(-2j * np.pi * np.outer(at, nu))

    gain, moment = spectrum(taps), spectrum(taps * at)
    audible = np.abs(gain) > QUIET * np.abs(taps).sum(-1, keepdims=True)
    delay = np.full(gain.shape, np.nan)
    delay[audible] = (moment[audible] / gain[audible]).real / rate
    return Response(nu * rate, gain, delay)


def spectrogram(x: Signal, *, window: int | None = None, hop: int | None = None) -> Signal:
    """The windowed Fourier transform of a signal on a line: a complex Signal on (Hz, s).

    `window`: length of the periodic Hann window in samples (by default about 46 ms, a power of two; on other units 256); `hop`:
    samples between frames (window/4). Frames are centred on the samples 0, hop, 2·hop, … of Ω, zeros beyond its ends; a
    tone of amplitude 1 reads 1 at its bin (0.5 for each of the two lines of a real tone, one of which is shown, doubled).
    Result: ``x.value`` on a grid of (window/2 + 1, ceil(n/hop)), steps rate/window and hop/rate; for complex x the rows run
    from −rate/2.

    >>> import sigconv as sc
    >>> t = np.arange(8000) / 8000
    >>> S = spectrogram(sc.Signal(np.sin(2 * np.pi * 1000 * t)[None], sc.line(8000, 8000)), window=256)
    >>> S.domain.unit, S.domain.shape, round(float(abs(S.data[0, 32, 60])), 6)
    (('Hz', 's'), (129, 125), 1.0)

    Raises `SigconvError` for a signal of more than one axis or windows and hops below 1.
    """
    if not isinstance(x, Signal):
        raise SigconvError(f"a spectrogram of a {type(x).__name__}: wanted a Signal")
    omega = x.domain
    if omega.ndim != 1:
        raise SigconvError(f"a spectrogram of a signal of {omega.ndim} axes: wanted one axis (sound)")
    if window is None:
        window = 2 ** max(4, round(np.log2(0.046 * omega.rate))) if omega.unit == ("s",) else 256
    (window,) = natural(window, "window", 1)
    (hop,) = natural(max(window // 4, 1) if hop is None else hop, "hop", 1)
    n, frames = omega.shape[0], -(-omega.shape[0] // hop)
    half = window // 2
    wide = arrays.to_numpy(x.on(Domain((max(frames - 1, 0) * hop + window,), omega.step, omega.start[0] - half, omega.unit)).data)
    wide = wide.astype(np.result_type(wide.dtype, np.float32), copy=False)
    cut = np.lib.stride_tricks.sliding_window_view(wide, window, axis=-1)[..., ::hop, :][..., :frames, :] if n else \
        np.zeros((*wide.shape[:-1], 0, window), wide.dtype)
    shape = hann(window).astype(wide.real.dtype)
    cut = cut * (shape / shape.sum())
    phase = np.exp(2j * np.pi * np.arange(window) * half / window).astype(np.result_type(wide.dtype, np.complex64))
    if np.iscomplexobj(wide):
        S = np.fft.fftshift(np.fft.fft(cut) * phase, axes=-1)
        low = -(window // 2)
    else:
        S = np.fft.rfft(cut)
        S *= phase[: S.shape[-1]] * 2
        S[..., 0] /= 2
        if window % 2 == 0:
            S[..., -1] /= 2
        low = 0
    grid = Domain((S.shape[-1], frames), (1 / (omega.step[0] * window), omega.step[0] * hop),
                  (low, Fraction(omega.start[0]) / hop), ("Hz" if omega.unit == ("s",) else f"1/{omega.unit[0]}", omega.unit[0]),
                  ("frequency", omega.name[0]))
    return Signal(np.swapaxes(S, -1, -2), grid, x.names)
