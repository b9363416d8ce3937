"""What the tests of banks share: banks without structure, sounds, and A as a matrix."""

from __future__ import annotations

import numpy as np

import sigconv as sc

RATE = 16000
STEP = sc.line(1, RATE).step


def decibels(x, y):
    return 20 * np.log10(np.linalg.norm(x) / max(np.linalg.norm(np.asarray(y) - x), 1e-300))


def matrix(k, domain, channels=1, **options):
    """A by its columns, through `convolve` alone."""
    eye = np.eye(channels * domain.size).reshape(-1, channels, *domain.shape)
    return np.stack([sc.convolve(sc.Signal(e, domain), k, **options).data.ravel() for e in eye], axis=1)


def random_bank(m, taps, seed=0, quadrature=False):
    w = np.random.default_rng(seed).standard_normal((m, taps))
    w = w + 1j * np.random.default_rng(seed + 1).standard_normal((m, taps)) if quadrature else w
    return sc.Signal(w, sc.Domain(taps, STEP, -((taps - 1) // 2), "s"))


def windowed(window, bins=None):
    """Windowed exponentials, of a half spectrum or of a whole one."""
    t, f = np.arange(window), np.arange(window // 2 + 1 if bins is None else bins)
    w = np.cos(np.pi * (t - window // 2) / window) ** 2 * np.exp(2j * np.pi * np.outer(f, t) / window)
    return sc.Signal(w, sc.Domain(window, STEP, -((window - 1) // 2), "s"))


def rates():
    """A bank of several rates: octaves at strides of 1 to 8."""
    like = sc.line(1, RATE)
    bands = [(sc.kernels.bandpass(like, 1000 * 2**i, 2000 * 2**i, taps=127), 4 >> i) for i in range(2)]
    pairs = [(sc.kernels.lowpass(like, 1000, taps=127), 4), *bands, (sc.kernels.highpass(like, 4000, taps=127), 1)]
    return [(sc.Signal(k.data[None], k.domain), s) for k, s in pairs]


def sounds():
    speech = sc.resample(sc.load(sc.io.sample("speech")), RATE).data[:1, :24007].astype(float)
    return {"speech": speech, "noise": np.random.default_rng(9).standard_normal((1, 24007))}
