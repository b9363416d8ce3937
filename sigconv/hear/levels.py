"""How loud a sound is, and how high it peaks between its samples (ITU-R BS.1770-5, EBU R 128 / Tech 3341).

Loudness (BS.1770, annex 1) is the mean square of the K-weighted sound, L = −0.691 + 10 lg Σ_c G_c ⟨y_c²⟩ LUFS, over the
400 ms blocks (75 % overlap) that pass two gates: −70 LUFS, then 10 LU below the mean of what passed the first.

K-weighting is two biquads. Their analogue parameters (De Man, "Evaluation of implementations of the EBU R128 loudness
measurement", 145th AES Convention, 2018) go through the bilinear transform, K = tan(π f₀ / rate), so that every rate has
its own; at 48 kHz they are the standard's tables. The transform warps low rates (at 8 kHz by −0.2 dB at 1 kHz, and the
unscaled [1, −2, 1] of the high-pass adds 0.26 dB), so each rate is calibrated as the standard calibrates its meter: a 997
Hz sine of full scale reads −3.01 LUFS, which is a gain of 0.691 dB there. Applied as an impulse response of some 80 ms: the
energy cut off is below −120 dB of the whole, so the taps go through the same engines as any kernel.

The true peak (annex 2) looks at the sound four times oversampled: three more phases of a Kaiser-windowed sinc, 32 taps
each. A phase with taps p can't exceed ‖p‖₁ · max|x| of the samples it reads, so only stretches that could beat the best
sample are interpolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import inf, log10, pi, tan

import numpy as np

from .. import arrays
from ..domain import line
from ..engines import conv
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["block_powers", "highest", "integrated", "kweighting", "loudness", "samples", "steps", "true_peak", "weights",
           "windows"]

SHELF = (1681.974450955533, 0.7071752369554196, 3.999843853973347)  # Hz, Q, dB
HIGHPASS = (38.13547087602444, 0.5003270373238773)  # Hz, Q
MINUTE = 600  # steps of 100 ms weighted at a time, so that memory does not grow with the sound
CALIBRATION = 997  # Hz, where the gain is −OFFSET dB
DROPPED = 1e-12  # energy of the impulse response that may be cut off: −120 dB
OFFSET = -0.691
SURROUND = {"ls": 1.41, "rs": 1.41, "lfe": 0.0}  # weights by channel name; every other channel counts 1
PHASES, HALF, BETA = 4, 16, 5.0  # true peak: oversampling, taps on either side, Kaiser's β
STRETCH = 4096  # samples that are interpolated, or passed over, together
BLOCK = 2 * HALF  # of these in a row of a matrix; as wide as what it reads beside it, so that two turns do


def loudness(x: Signal, *, gate: float = -70.0) -> float:
    """Integrated loudness of a sound in LUFS (ITU-R BS.1770-5), of any rate and channel count.

    Channels named Ls and Rs count 1.41, LFE 0, all others 1. A clip under 0.4 s is one block. Silence, and a sound that
    lies wholly below the absolute `gate` (LUFS), is −inf.

    >>> import sigconv as sc
    >>> t = np.arange(48000) / 48000
    >>> round(loudness(sc.Signal(np.sin(2 * np.pi * 997 * t)[None], sc.line(48000, 48000))), 2)
    -3.01

    Raises `SigconvError` for what is no sound: a signal that is not on a line in seconds.
    """
    return integrated(block_powers(x), gate)


def true_peak(x: Signal) -> float:
    """The highest peak of the sound between its samples, in dB of full scale (dBTP), four times oversampled.

    >>> import sigconv as sc
    >>> x = np.sin(np.pi / 2 * np.arange(480) + np.pi / 4) * np.hanning(480)  # samples of a quarter of the rate, at most 0.707
    >>> round(true_peak(sc.Signal(x[None], sc.line(480, 48000))), 2)
    -0.0

    Never below the sample peak; −inf for silence. Raises `SigconvError` for what is no sound.
    """
    highest = max((_highest(channel) for channel in samples(x)), default=0.0)
    return 20 * log10(highest) if highest > 0 else -inf


def block_powers(x: Signal) -> np.ndarray:
    """Σ_c G_c ⟨y_c²⟩ of every block: what the gates choose from."""
    return _blocks(samples(x), float(x.domain.rate)).T @ _weights(x)


def integrated(powers: np.ndarray, gate: float = -70.0) -> float:
    """The loudness in LUFS of blocks of these powers, through both gates; −inf where none passes.

    >>> round(integrated(np.array([1.0, 1.0, 0.01, 0.0])), 3)  # the third lies 20 LU below, the fourth is silent
    -0.691
    """
    heard = powers[powers > 10 ** ((gate - OFFSET) / 10)]
    if not len(heard):
        return -inf
    return float(OFFSET + 10 * np.log10(heard[heard > 0.1 * heard.mean()].mean()))


def samples(x: Signal) -> np.ndarray:
    """The samples of a sound as a real array `(channels, n)` of single or double precision."""
    if not isinstance(x, Signal):
        raise SigconvError(f"a {type(x).__name__}: wanted a sound, a Signal such as sc.load(path) gives")
    if x.domain.ndim != 1 or x.domain.unit != ("s",):
        raise SigconvError(f"a signal in {'×'.join(x.domain.unit)} on {x.domain.ndim} axes: wanted a sound, on a line in "
                           "seconds; sc.hear.audible(x) makes it one")
    data = arrays.computable(arrays.to_numpy(x.data))
    data = data.real if data.dtype.kind == "c" else data
    return data.reshape(-1, x.domain.shape[0]) if data.size else data.reshape(max(np.prod(x.value, dtype=int), 1), 0)


@lru_cache(maxsize=16)
def kweighting(rate: float) -> Signal:
    """The K-weighting filter at a rate, as a causal kernel; less than −120 dB of its energy is cut off.

    Below 3600 Hz, where the shelf would begin above half the rate, without it; below 100 Hz flat.

    >>> h = kweighting(48000)
    >>> h.data[0].round(4), h.domain.shape[0] < 0.1 * 48000
    (np.float64(1.5351), True)
    """
    if rate < 100:
        return Signal(np.ones(1), line(1, rate))
    stages = ([] if rate < 3600 else [_shelf(rate)]) + [_highpass(rate)]
    y = [1.0] + [0.0] * int(0.2 * rate)
    for b, a in stages:
        y = _recursion(b, a, y)
    h = np.array(y)
    left = np.cumsum(h[::-1] ** 2)[::-1]
    n = int(np.sum(left > DROPPED * left[0]))
    at, gain = (CALIBRATION, 10 ** (-OFFSET / 20)) if len(stages) == 2 else (rate / 2, 1.0)
    h = h[:n] * (gain / abs(np.exp(-2j * pi * at / rate * np.arange(n)) @ h[:n]))
    return Signal(h, line(n, rate))


def _shelf(rate: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    f0, q, gain = SHELF
    k, high = tan(pi * f0 / rate), 10 ** (gain / 20)
    band, a0 = high ** 0.4996667741545416, 1 + k / q + k * k
    return ((high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / q + k * k) / a0), _poles(k, q)


def _highpass(rate: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    f0, q = HIGHPASS
    return (1.0, -2.0, 1.0), _poles(tan(pi * f0 / rate), q)


def _poles(k: float, q: float) -> tuple[float, float]:
    a0 = 1 + k / q + k * k
    return 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0


def _recursion(b: tuple[float, ...], a: tuple[float, ...], x: list[float]) -> list[float]:
    """y[n] = b0 x[n] + b1 x[n−1] + b2 x[n−2] − a1 y[n−1] − a2 y[n−2]."""
    (b0, b1, b2), (a1, a2) = b, a
    x1 = x2 = y1 = y2 = 0.0
    y = []
    for v in x:
        now = b0 * v + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x1, x2, y1, y2 = v, x1, now, y1
        y.append(now)
    return y


def _blocks(data: np.ndarray, rate: float) -> np.ndarray:
    """The mean square of each channel in every block, K-weighted: (channels, blocks)."""
    n = data.shape[1]
    if not n or not data.any():
        return np.zeros((len(data), 0))
    def weighted(first: int, stop: int) -> np.ndarray:
        return conv(data[:, None], kweighting(rate).data[None, None], window=(first, stop))[:, 0]

    edges = steps(n, rate)
    if len(edges) < 5 or edges[1] < 1:  # under 0.4 s, or too slow to cut: one block
        return np.array([[np.dot(c, c) / n] for c in weighted(0, n).astype(np.float64)])
    minutes = [edges[i: i + MINUTE + 1] for i in range(0, len(edges) - 1, MINUTE)]
    sums = np.hstack([[np.add.reduceat(np.square(c, dtype=np.float64), cut[:-1] - cut[0]) for c in weighted(cut[0], cut[-1])]
                      for cut in minutes])
    return windows(sums, edges)


def steps(n: int, rate: float) -> np.ndarray:
    """Where each 100 ms of n samples begin, and where the last whole ones end."""
    return np.round(np.arange(int(10 * n / rate + 1e-9) + 1) * rate / 10).astype(int)


def windows(sums: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Means over four steps at a time, from the sums of each."""
    return (sums[:, :-3] + sums[:, 1:-2] + sums[:, 2:-1] + sums[:, 3:]) / (edges[4:] - edges[:-4])


def _weights(x: Signal) -> np.ndarray:
    names = x.channels if len(x.value) == 1 else None
    return weights(names, max(int(np.prod(x.value)), 1) if 0 not in x.value else 0)


def weights(names: Sequence[str] | None, count: int) -> np.ndarray:
    """G of each channel."""
    return np.array([SURROUND.get(name.lower(), 1.0) for name in names] if names else [1.0] * count)


@lru_cache(maxsize=1)
def _phases() -> np.ndarray:
    """The three phases between samples, (3, taps): output f of the full convolution lies at sample f − HALF + phase/4."""
    shift = np.arange(1, PHASES)[:, None] / PHASES
    t = np.arange(-HALF, HALF)[None] + shift  # the distance from the point to each sample
    taps = np.sinc(t) * np.i0(BETA * np.sqrt(np.maximum(1 - (t / HALF) ** 2, 0))) / np.i0(BETA)
    return taps / taps.sum(axis=1, keepdims=True)


def _highest(x: np.ndarray) -> float:
    """max|x| of one channel, samples and the three phases between them."""
    return highest(x, 0.0, 0, len(x))


def highest(x: np.ndarray, best: float, first: int, stop: int) -> float:
    """The higher of `best` and max|x| from `first` to `stop`, which read the samples around them too."""
    body = x[first:stop]
    best = max(best, float(max(body.max(initial=0), -body.min(initial=0))))
    if not 0 < best < inf or not len(body):
        return best
    bound = float(np.abs(_phases()).sum(axis=-1).max()) * (1 + 1e-6)
    cuts = np.arange(0, len(body), STRETCH)
    peaks = np.maximum(np.maximum.reduceat(body, cuts), -np.minimum.reduceat(body, cuts))
    ends = [np.abs(part).max(initial=0) for part in (x[max(first - 2 * HALF, 0):first], x[stop:stop + 2 * HALF])]
    near = np.concatenate([ends[:1], peaks, ends[1:]])
    reach = bound * np.maximum(np.maximum(near[:-2], near[2:]), peaks)
    for i in np.argsort(-reach):
        if reach[i] <= best:
            break
        y = _between(x, first + i * STRETCH - 1)
        best = max(best, float(y.max()), -float(y.min()))
    return best


def _between(x: np.ndarray, at: int) -> np.ndarray:
    """The phases after each of STRETCH + 1 samples from `at` on, zeros around x: as in `engines.products`, blocks of samples read
    so many, by one matrix, every second block at once."""
    matrix, blocks = _matrix(x.dtype.char), STRETCH // BLOCK + 1
    low, high = at - HALF + 1, at - HALF + (blocks + 1) * BLOCK
    wide = x[max(low, 0):high]
    if len(wide) < high - low or not wide.flags.c_contiguous:
        wide = np.zeros(high - low, x.dtype)
        wide[max(-low, 0): max(-low, 0) + len(x[max(low, 0):high])] = x[max(low, 0):high]
    y, step = np.empty((blocks, matrix.shape[1]), x.dtype), x.itemsize
    for turn in (0, 1):
        rows = y[turn::2]
        frames = np.ndarray((len(rows), len(matrix)), x.dtype, wide, turn * BLOCK * step, (2 * BLOCK * step, step))
        np.matmul(frames, matrix, out=rows)
    return y.reshape(-1, PHASES - 1)[:STRETCH + 1]


@lru_cache(maxsize=2)
def _matrix(kind: str) -> np.ndarray:
    """What a block of samples and those around it, BLOCK + 2·HALF − 1, give at the phases after each."""
    taps = _phases()[:, ::-1].T
    matrix = np.zeros((BLOCK + 2 * HALF - 1, BLOCK, PHASES - 1), kind)
    for i in range(BLOCK):
        matrix[i: i + 2 * HALF, i] = taps
    return matrix.reshape(len(matrix), -1)
