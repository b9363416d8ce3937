"""Weights that sum an axis of frequencies: mel bands, pitch classes, cosines. A pool over frequency, that is a matrix.

Each is a function of a Signal whose first axis of Ω is frequency; weights are made once for each grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError, among
from ..kernels.registry import whole
from ..kernels.weights import chroma_weights, mel_weights
from ..scales import hz_to_mel
from ..signal import Signal

__all__ = ["C0", "C1", "Weights", "chroma", "cosines", "folded", "mel"]

C1 = 440.0 * 2.0 ** (-45 / 12)  # Hz
C0 = C1 / 2  # octaves are counted from here, so that C4 lies at 4
Axis = tuple[Any, Any, str, str]  # step, start, unit, name


@dataclass(frozen=True, eq=False)
class Weights:
    """``weights @ S`` over the first axis of Ω: `make` gives the matrix (m, rows) of S's grid and the axis that it leads to."""

    make: Callable[[Domain], tuple[np.ndarray, Axis]]
    framewise = True

    def __call__(self, S: Signal) -> Signal:
        """S summed into bands."""
        if not isinstance(S, Signal) or S.domain.ndim < 2:
            raise SigconvError(f"bands of {S!r}: wanted a Signal on two axes, frequency first")
        if arrays.is_complex(S.data):
            raise SigconvError("bands of complex samples: wanted their magnitude or power")
        weights, (step, start, unit, name) = self.make(S.domain)
        d, data, lead = S.domain, arrays.computable(S.data), len(S.value)
        xp, W = arrays.namespace(data), arrays.like(weights, data)
        if d.ndim == 2:
            y = xp.matmul(W, data)
        else:
            y = xp.moveaxis(xp.tensordot(W, data, axes=([1], [lead])), 0, lead)
        grid = Domain((len(weights), *d.shape[1:]), (step, *d.step[1:]), (start, *d.start[1:]), (unit, *d.unit[1:]),
                      (name, *d.name[1:]))
        return Signal(y, grid, S.names)


def mel(n_mels: int = 128, fmin: float = 0.0, fmax: float | None = None, htk: bool = False, norm: Any = "slaney") -> Weights:
    """Mel bands (`kernels.mel_weights`) of a spectrum in Hz: an axis that is even in mel.

    >>> import sigconv as sc
    >>> S = sc.Signal(np.ones((1, 129, 1)), sc.Domain((129, 1), (31.25, 0.01), 0, ("Hz", "s"), ("frequency", "time")))
    >>> mel(20)(S).domain.unit
    ('mel', 's')
    """
    whole(n_mels, "n_mels")
    if norm is not None:
        among(norm, ("slaney",), "norm")

    def make(d: Domain) -> tuple[np.ndarray, Axis]:
        _hertz(d, "mel bands")
        return _mel(d.shape[0], d.step[0], d.start[0], n_mels, fmin, fmax, htk, norm)

    return Weights(make)


@lru_cache(maxsize=16)
def _mel(rows: int, step: Fraction, start: Any, n: int, low: float, high: float | None, htk: bool, norm: Any
         ) -> tuple[np.ndarray, Axis]:
    f, formula = (np.arange(rows) + float(start)) * float(step), "htk" if htk else "slaney"
    weights = mel_weights(f, n, low, high, formula=formula, norm=norm)
    ends = [float(hz_to_mel(v, formula)) for v in (low, f[-1] if high is None else high)]
    each = Fraction((ends[1] - ends[0]) / (n + 1)).limit_denominator(10**9)
    return weights, (each, Fraction(ends[0] / float(each) + 1).limit_denominator(10**9), "HTK mel" if htk else "mel", "frequency")


def chroma(n_chroma: int = 12, tuning: Callable[[Signal], float] | float | None = None, **options: Any) -> Callable[..., Signal]:
    """Pitch classes (`kernels.chroma_weights`) of a spectrum in Hz; `tuning` a number, or a function that finds it.

    >>> import sigconv as sc
    >>> S = sc.Signal(np.ones((1, 129, 1)), sc.Domain((129, 1), (31.25, 0.01), 0, ("Hz", "s"), ("frequency", "time")))
    >>> chroma(12, 0.0)(S).domain.shape
    (12, 1)
    """
    whole(n_chroma, "n_chroma")

    def classes(S: Signal) -> Signal:
        found = tuning(S) if callable(tuning) else tuning or 0.0

        def make(d: Domain) -> tuple[np.ndarray, Axis]:
            _hertz(d, "chroma")
            return _chroma(d.shape[0], d.step[0], n_chroma, found, tuple(sorted(options.items())))

        return Weights(make)(S)

    return classes


@lru_cache(maxsize=16)
def _chroma(rows: int, step: Fraction, n: int, tuning: float, options: Any) -> tuple[np.ndarray, Axis]:
    made = dict(options)
    weights = chroma_weights(np.arange(rows) * float(step), n, tuning=tuning, centre=made.get("ctroct", 5.0),
                             width=made.get("octwidth", 2.0), norm=made.get("weight_norm", 2.0))
    return weights, (Fraction(12, n), 0, "semitone", "pitch class")


def folded(bins_per_octave: int, n_chroma: int = 12, fmin: float = C1) -> Weights:
    """Pitch classes of a constant-Q spectrum: the bins of each class summed over octaves (`librosa.filters.cq_to_chroma`).

    >>> import sigconv as sc
    >>> C = sc.Signal(np.ones((1, 24, 1)), sc.Domain((24, 1), (1 / 12, 0.01), (12, 0), ("octave", "s"), ("frequency", "time")))
    >>> folded(12)(C).data[0, :, 0].tolist() == [2.0] * 12
    True
    """
    each = whole(bins_per_octave, "bins_per_octave")
    n = whole(n_chroma, "n_chroma")
    if each % n:
        raise SigconvError(f"bins_per_octave {each} for {n} pitch classes: wanted a multiple of them")

    def make(d: Domain) -> tuple[np.ndarray, Axis]:
        merged = each // n
        one = np.roll(np.repeat(np.eye(n), merged, axis=1), -(merged // 2), axis=1)
        whole_ = np.tile(one, -(-d.shape[0] // each))[:, : d.shape[0]]
        turn = (12 * np.log2(fmin / C0)) % 12
        return np.roll(whole_, round(turn * n / 12), axis=0), (Fraction(12, n), 0, "semitone", "pitch class")

    return Weights(make)


def cosines(n_mfcc: int = 20, dct_type: int = 2, norm: str | None = "ortho", lifter: float = 0) -> Weights:
    """The discrete cosine transform over frequency, its first `n_mfcc` coefficients, as `scipy.fft.dct` has them.

    `lifter` L > 0 weighs coefficient k by 1 + L/2·sin(π(k + 1)/L).

    >>> import sigconv as sc
    >>> S = sc.Signal(np.ones((1, 4, 1)), sc.Domain((4, 1), 1, 0, ("mel", "s")))
    >>> cosines(2)(S).data[0, :, 0].round(12).tolist()
    [2.0, 0.0]

    Raises `SigconvError` for a type other than 1, 2, 3, an unknown norm, and a lifter below 0.
    """
    whole(n_mfcc, "n_mfcc")
    if dct_type not in (1, 2, 3):
        raise SigconvError(f"dct_type {dct_type!r}: wanted 1, 2 or 3")
    if norm not in (None, "ortho"):
        raise SigconvError(f"norm {norm!r} of cosines: wanted 'ortho' or None")
    if not isinstance(lifter, (int, float)) or not 0 <= lifter < inf:
        raise SigconvError(f"lifter {lifter!r}: wanted a number of at least 0")
    return Weights(lambda d: (_cosines(d.shape[0], n_mfcc, dct_type, norm, lifter), (1, 0, "", "coefficient")))


@lru_cache(maxsize=16)
def _cosines(n: int, count: int, kind: int, norm: str | None, lifter: float) -> np.ndarray:
    if kind == 1 and n < 2:
        raise SigconvError("dct_type 1 of one band: wanted at least two")
    k, i = np.arange(n)[:, None], np.arange(n)
    if kind == 1:
        ends = np.where((i == 0) | (i == n - 1), 1.0, 2.0)
        M = ends * np.cos(np.pi * k * i / (n - 1))
        if norm:
            M = M / np.sqrt(2 * (n - 1)) * np.where(ends == 1, np.sqrt(2), 1) * np.where(ends == 1, np.sqrt(0.5), 1)[:, None]
    else:
        M = 2 * np.cos(np.pi * k * (2 * i + 1) / (2 * n))  # type 2; type 3 is its transpose, the first term counted once
        if norm:
            M *= np.where(k == 0, np.sqrt(1 / (4 * n)), np.sqrt(1 / (2 * n)))
        if kind == 3:
            M = M.T if norm else M.T * np.where(i == 0, 0.5, 1.0)
    M = M[:count]
    if lifter:
        M = M * (1 + lifter / 2 * np.sin(np.pi * np.arange(1, len(M) + 1) / lifter))[:, None]
    return M


def _hertz(d: Domain, what: str) -> None:
    if d.unit[0] != "Hz":
        raise SigconvError(f"{what} of an axis in {d.unit[0] or 'nothing'}: wanted a spectrum in Hz, as stft makes it of a sound")

