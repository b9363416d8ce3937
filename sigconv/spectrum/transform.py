"""The spectrogram of a sound, a complex signal on (Hz, s), and the sound of a spectrogram.

Frame m is cut out by a window w about sample c_m = m·hop, and row ν counts turns from time 0:

    S(ν, m) = Σ_n x(n) w(n − c_m) e^(−2πi ν n) / Σ w        (twice that for a real x, whose mirrored line is not shown)

So a tone at ν₀ stands in row ν as ŵ(ν₀ − ν) e^(2πi (ν₀ − ν) c_m): moved by one row, S is the spectrogram of that tone one bin
higher, whatever its frequency. The way back is least squares, y(n) = Σ_m w(n − c_m) x_m(n) / Σ_m w(n − c_m)², x_m the inverse
transform of frame m. A kernel along time, Σ_j h_j S(ν, m − j), meets a tone in all its rows at once: what is left of it is
Σ_j h_j r(j·hop), r the window's circular autocorrelation, r(0) = 1, whatever its frequency: a difference of neighbours leaves
1 − r(hop) ≈ 6.6 (hop/window)², −44 dB for a hop of window/32. So it does with all else: for what a picture shows see `through`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain, natural
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["FRAME", "hann", "sound", "spectrogram"]

FRAME = "frame time"  # the name of an axis of frames whose phases count from each of them, as `spectra.stft` has them
FAINT = 1e-3  # where samples keep so little of their frames, single precision would be lost on the way back


def hann(n: int) -> np.ndarray:
    """The Hann window of n points about its sample n//2: for even n the periodic one, for odd n symmetric.

    >>> hann(4).round(12).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return np.cos(np.pi * (np.arange(n) - n // 2) / n) ** 2


def spectrogram(x: Signal, *, window: int | None = None, hop: int | None = None) -> Signal:
    """The windowed Fourier transform of a signal on a line: a complex Signal on (Hz, s), which `sound` takes back.

    `window`: samples of the Hann window (by default 50 ms, so that bins lie 20 Hz apart; on other units 256); `hop`: samples
    between frames (window/32; a picture needs no more than window/4). Frames are centred on the samples 0, hop, 2·hop, … of Ω,
    zeros beyond its ends. A tone of amplitude 1 reads 1 at its bin (a real tone has two lines: the one shown counts for both).
    Phases count from time 0, not from each frame: a steady tone on a bin is one constant row, and a kernel that shifts by one
    bin moves every tone by one bin. Result: ``x.value`` on a grid of (window//2 + 1, ceil(n/hop)), steps rate/window and
    hop/rate; for complex x the rows run from −rate/2. Its domain remembers the line (`domain.of`). A tensor stays one, on its
    graph.

    >>> import sigconv as sc
    >>> t = np.arange(8000) / 8000
    >>> S = spectrogram(sc.Signal(np.sin(2 * np.pi * 1000 * t)[None], sc.line(8000, 8000)))
    >>> S.domain.unit, S.domain.shape, S.coordinates(0)[50], round(float(abs(S.data[0, 50, 300])), 6)
    (('Hz', 's'), (201, 667), np.float64(1000.0), 1.0)

    Raises `SigconvError` for a signal of more than one axis or windows and hops below 1.
    """
    if not isinstance(x, Signal):
        raise SigconvError(f"a spectrogram of a {type(x).__name__}: wanted a Signal")
    omega = x.domain
    if omega.ndim != 1:
        raise SigconvError(f"a spectrogram of a signal of {omega.ndim} axes: wanted one axis (sound)")
    if window is None:
        window = max(round(omega.rate / 20), 16) if omega.unit == ("s",) else 256
    (window,) = natural(window, "window", 1)
    (hop,) = natural(max(window // 32, 1) if hop is None else hop, "hop", 1)
    frames = -(-omega.shape[0] // hop)
    reads = Domain((max(frames - 1, 0) * hop + window,), omega.step, omega.start[0] - window // 2, omega.unit)
    wide = arrays.computable(x.on(reads).data)
    xp, w = arrays.namespace(wide), hann(window)
    cut = _cut(wide, window, hop)[..., :frames, :] * arrays.like(w / w.sum(), wide)
    two_sided = arrays.is_complex(wide)
    low = -(window // 2) if two_sided else 0
    S = xp.fft.fftshift(xp.fft.fft(cut), axes=(-1,)) if two_sided else xp.fft.rfft(cut)
    S = S * arrays.like(_turns(window, hop, low, S.shape[-1], frames, reads.start[0]) * _sides(window, two_sided), S)
    inverse = "Hz" if omega.unit == ("s",) else f"1/{omega.unit[0]}"
    steps = 1 / (omega.step[0] * window), omega.step[0] * hop
    grid = Domain((S.shape[-1], frames), steps, (low, Fraction(omega.start[0]) / hop), (inverse, omega.unit[0]),
                  ("frequency", omega.name[0]), omega)
    return Signal(S.swapaxes(-1, -2), grid, x.names)


def sound(S: Signal, like: Any = None) -> Signal:
    """The sound of a spectrogram: the signal on a line whose `spectrogram` comes nearest to S, in least squares.

    `like`: the Domain of that line (or a Signal on it); by default the one that S came from. A spectrogram that does not
    know it (cropped in time, or made by hand) gives frames · hop samples, at the rate that its rows fill up to rate/2. Rows and
    frames that S lacks count as silent. Of S as `spectrogram` made it this is the inverse, edges included, to rounding; after
    a kernel, which leaves S a spectrogram of no sound, the nearest there is (Griffin & Lim, IEEE Trans. ASSP 32, 1984).

    >>> import sigconv as sc
    >>> x = sc.Signal(np.sin(np.arange(1000.0))[None], sc.line(1000, 8000))
    >>> S = sc.spectrogram(x)
    >>> up = sc.Signal([[1.0]], sc.Domain((1, 1), S.domain.step, (3, 0), S.domain.unit))  # three bins up: 60 Hz
    >>> float(abs(sound(S).data - x.data).max()) < 1e-14, sound(S @ up).domain == x.domain
    (True, True)

    Raises `SigconvError` for a signal that is not on (frequency, time), frames that lie between samples, and hops so long
    that samples stand in no frame.
    """
    back = getattr(S.domain.of, "back", None) if isinstance(S, Signal) else None
    if back is not None:  # frames that know how they were cut
        return back(S, like.domain if isinstance(like, Signal) else like)
    line = _line(S, like)
    rate, (bins, hops) = 1 / line.step[0], S.domain.step
    wide, step, centre = (Fraction(v) for v in (rate / bins, hops * rate, S.domain.start[1] * hops * rate))
    if any(v.denominator != 1 for v in (wide, step, centre - line.start[0])):
        raise SigconvError(f"a spectrogram with steps of {float(bins):g} Hz and {float(hops):g} s for a line at {float(rate):g} "
                           "Hz: windows or frames lie between its samples; wanted the line that it came from (like=)")
    return _synthesis(S, line, int(wide), int(step), centre)


def _line(S: Any, like: Any) -> Domain:
    """The line that S is, or is to be, a spectrogram of."""
    if not isinstance(S, Signal):
        raise SigconvError(f"the sound of a {type(S).__name__}: wanted a spectrogram, e.g. sc.spectrogram(x)")
    grid, line = S.domain, like.domain if isinstance(like, Signal) else like
    if grid.ndim != 2:
        raise SigconvError(f"the sound of a signal of {grid.ndim} axes: wanted a spectrogram, on frequency and time")
    if grid.name[1] == FRAME:
        raise SigconvError("the sound of frames that were cropped: their phases count from each frame; wanted spectra.istft")
    if like is not None:
        if not isinstance(line, Domain) or line.ndim != 1 or line.unit != grid.unit[1:]:
            raise SigconvError(f"like {line!s}: wanted a line in {grid.unit[1]}, e.g. the domain of the sound")
        return line
    if grid.of is not None:
        return grid.of
    window = 2 * (grid.shape[0] - 1) if grid.start[0] == 0 else grid.shape[0] if grid.start[0] == -(grid.shape[0] // 2) else 0
    if window < 2 or grid.unit[0] != ("Hz" if grid.unit[1] == "s" else f"1/{grid.unit[1]}"):
        raise SigconvError(f"the sound of a signal in {'×'.join(grid.unit)} with rows from {float(grid.extent[0][0]):g}: wanted "
                           "all rows of a spectrogram, from 0 to rate/2, or the line that it came from (like=)")
    hop = grid.step[1] * window * grid.step[0]
    return Domain((int(grid.shape[1] * hop),), 1 / (window * grid.step[0]), grid.start[1] * hop, grid.unit[1], grid.name[1])


def _synthesis(S: Signal, line: Domain, window: int, hop: int, centre: Fraction) -> Signal:
    """y = Σ_m w(n − c_m) x_m(n) / Σ_m w(n − c_m)²: the least-squares inverse of frames x_m under a window w."""
    two_sided = S.domain.start[0] == -(window // 2) != 0
    low, rows, frames = (-(window // 2), window, S.domain.shape[1]) if two_sided else (0, window // 2 + 1, S.domain.shape[1])
    S = S.on(Domain((rows, frames), S.domain.step, (low, S.domain.start[1]), S.domain.unit))
    first, w, shown = centre - window // 2, hann(window), arrays.computable(S.data)
    weight = _added(np.broadcast_to(w * w, (frames, window)), hop)
    block = Domain(len(weight), line.step, first, line.unit, line.name)
    inside = (np.arange(len(weight)) >= window // 2) & (np.arange(len(weight)) < window // 2 + frames * hop)
    heard = weight > 1e-13 * weight.max(initial=0)
    if np.any(Signal(inside & ~heard, block).on(line).data):
        raise SigconvError(f"a spectrogram with a frame every {hop} samples under a window of {window}: samples between them "
                           f"stand in none; wanted a hop of at most {window // 2}")
    faint = inside.any() and weight[inside].min() < FAINT * weight.max()
    F = (arrays.accurate(shown) if faint else shown).swapaxes(-1, -2)
    xp = arrays.namespace(F)
    F = F * arrays.like(np.conj(_turns(window, hop, low, rows, frames, first)) / _sides(window, two_sided), F)
    cut = xp.fft.ifft(xp.fft.ifftshift(F, axes=(-1,))) if two_sided else xp.fft.irfft(F, n=window)
    y = _added(cut * arrays.like(w * w.sum(), cut), hop)
    y = y * arrays.like(np.where(heard, 1 / np.where(heard, weight, 1), 0), y)
    return Signal(arrays.like(y, shown if two_sided or not arrays.is_complex(shown) else shown.real), block, S.names).on(line)


def _cut(wide: Any, window: int, hop: int) -> Any:
    """Frames of `window` samples, one every `hop`: (…, frames, window), views."""
    if arrays.is_tensor(wide):
        return wide.unfold(-1, window, hop)
    return np.lib.stride_tricks.sliding_window_view(wide, window, axis=-1)[..., ::hop, :]


def _sides(window: int, two_sided: bool) -> np.ndarray:
    """How many lines of the transform each row stands for: 2, but 1 at 0 and at rate/2, and where both halves are there."""
    rows = np.arange(window if two_sided else window // 2 + 1)
    return np.where(two_sided | (rows == 0) | (2 * rows == window), 1.0, 2.0)


def _turns(window: int, hop: int, low: int, rows: int, frames: int, first: Any) -> np.ndarray:
    """e^(−2πi ν t) for row ν and the first sample t of each frame: what makes a transform's phases count from time 0."""
    nu, whole = np.arange(low, low + rows), int(first // 1)
    roots = np.exp(-2j * np.pi * np.arange(window) / window)
    turns = roots[np.outer((whole % window + hop % window * np.arange(frames)) % window, nu) % window]
    return turns if whole == first else turns * np.exp(-2j * np.pi * nu * float(first - whole) / window)


def _added(frames: Any, hop: int) -> Any:
    """Frames laid `hop` apart and added up: (…, frames, window) → (…, samples)."""
    xp, (count, window) = arrays.namespace(frames), frames.shape[-2:]
    laps = -(-window // hop)
    if laps * hop != window:
        rest = arrays.like(np.zeros((*frames.shape[:-1], laps * hop - window)), frames)
        frames = xp.concat([frames, rest], axis=-1)
    pieces = frames.reshape(*frames.shape[:-1], laps, hop)
    y = arrays.like(np.zeros((*frames.shape[:-2], count + laps - 1, hop)), frames)
    if arrays.is_complex(frames):
        y = y + 0j
    for lap in range(laps):
        y[..., lap: lap + count, :] += pieces[..., lap, :]
    return y.reshape(*y.shape[:-2], -1)
