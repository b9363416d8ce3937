"""Banks there and back on recordings: speech, music, noise, images and volumes; edges included."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from command import REAL

import sigconv as sc

pytestmark = pytest.mark.skipif(not REAL.exists(), reason="recordings are not here")

RATE, N = 16000, 3200
SOUNDS = ("audio/libri1.ogg", "audio/vibeace.ogg", "noise/running_tap.flac")


@cache
def sounds():
    """A fifth of a second of the middle of each."""
    found = []
    for name in SOUNDS:
        x = sc.load(REAL / name)
        middle, half = x.domain.shape[0] * float(x.domain.step[0]) / 2, N / RATE
        found.append(sc.resample(x.between(middle - half, middle + half), RATE).data[:1, N // 2: N // 2 + N].astype(float))
    return sc.Signal(np.concatenate(found), sc.line(N, RATE))


def free(m, taps):
    step = sc.line(1, RATE).step
    return sc.Signal(np.random.default_rng(5).standard_normal((m, taps)), sc.Domain(taps, step, -((taps - 1) // 2), "s"))


def bands(family, scale, stride, low=100):
    """A family spaced on a scale, as wide as the way to the next, completed."""
    like, edges = sc.line(1, RATE), sc.scales.spaced(low, 0.87 * RATE / 2, 41, scale)
    widths = [b - a for a, b in pairwise(edges)]
    return sc.frames.complete(family(like, edges[:-1], np.maximum(widths, 80)), stride), stride


def banks():
    like, K = sc.line(1, RATE), sc.kernels
    mel = sc.scales.spaced(0, RATE / 2, 81, "mel")
    ears = sc.scales.spaced(100, 0.87 * RATE / 2, 40, "erb")
    return {"gammatone": lambda: (sc.frames.complete(K.gammatone(like, ears), 8), 8),
            "gammachirp": lambda: (sc.frames.complete(K.gammachirp(like, ears), 8), 8),
            "sinc 80 × 251": lambda: (K.sinc(like, mel[:-1], mel[1:], taps=251, quadrature=True), 20),
            "free 64 × 64": lambda: (free(64, 64), 32), "free 40 × 401": lambda: (free(40, 401), 20),
            "constant Q": lambda: (sc.frames.complete(K.constant_q(like, 880, 0.87 * RATE / 2, 36)), 1),
            "variable Q": lambda: (sc.frames.complete(K.constant_q(like, 440, 0.87 * RATE / 2, 12, gamma=20)), 1),
            "STFT": lambda: (K.fourier(like, 400), 160), "MDCT": lambda: (K.mdct(like, 256), 256),
            "octaves": lambda: (sc.frames.complete(K.octave_bands(like, 1, 125)), 1),
            "Daubechies": lambda: (K.daubechies(like, 4, 5), 1),
            "morlet, mel": lambda: bands(K.morlet, "mel", 16), "morlet, Bark": lambda: bands(K.morlet, "bark", 16)}


@pytest.mark.parametrize("name", list(banks()))
def test_recordings_come_back(name):
    """200 dB in double precision, 110 dB in single."""
    bank, stride = banks()[name]()
    pairs = [(bank, stride)] if isinstance(bank, sc.Signal) else bank
    options = {"mode": "full"} if name == "Daubechies" else {}
    for dtype, wanted in (("float64", 200), ("float32", 110)):
        x = sounds().to(dtype=dtype)
        y = [sc.convolve(x, k, stride=s, **options) for k, s in pairs]
        back = sc.frames.synthesis(y, pairs, x.domain, **options)
        assert back.data.dtype == dtype and back.domain == x.domain
        wrong = np.linalg.norm(back.data - sounds().data, axis=1) / np.linalg.norm(sounds().data, axis=1)
        assert -20 * np.log10(wrong.max()) > wanted


@pytest.mark.parametrize("padding", ["zeros", "reflect", "circular", "replicate"])
@pytest.mark.parametrize("name", ["images/camera.png", "images/coffee.png", "volume/mni152_t1_2mm.npy",
                                  "hyperspectral/corn_kernel.npy"])
def test_pictures_come_back(name, padding):
    x = sc.load(REAL / name)
    x = x.to(dtype="float64")
    d = x.domain.ndim
    cut = x.data[(..., *(slice(n // 3, n // 3 + (61, 13)[d > 2]) for n in x.domain.shape))]
    x = sc.Signal(cut, sc.Domain(cut.shape[-d:], x.domain.step, 0, x.domain.unit, x.domain.name))
    w = np.random.default_rng(0).standard_normal((2**d * 3, *(3,) * d))
    k = sc.Signal(w, sc.Domain((3,) * d, x.domain.step, -1, x.domain.unit, x.domain.name))
    y = sc.convolve(x, k, stride=2, padding_mode=padding)
    back = sc.frames.synthesis(y, k, x.domain, 2, padding_mode=padding)
    assert np.linalg.norm(back.data - x.data) < 1e-10 * np.linalg.norm(x.data)
