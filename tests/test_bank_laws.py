"""Every family of bands is where it was asked to be and as wide, at three rates, on four scales, from 50 Hz to near rate/2.

Centre within 1 %, −3 dB bandwidth within 5 %, gain 1: measured on the taps by a zoomed transform, for the families as functions
and for the register's, in centre and bandwidth.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import zoom_fft

import sigconv as sc
from sigconv.kernels import BANKS
from sigconv.kernels.lapped import scaling

RATES = (8000, 16000, 44100)
SCALES = ("erb", "mel", "linear", "octave")
HANN = 1.4406  # −3 dB width of a Hann window times its length


def measured(taps, rate, near, width, points=1601):
    """Peak, −3 dB edges and largest gain about where they should be; frequencies wrap round at the rate."""
    first, last = near - 1.6 * width, near + 1.6 * width
    turned = taps * np.exp(-2j * np.pi * first / rate * np.arange(len(taps)))
    gain = np.abs(zoom_fft(turned, [0, last - first], m=points, fs=rate))
    f = np.linspace(first, last, points, endpoint=False)
    top = int(gain.argmax())
    half = gain[top] / np.sqrt(2)
    low, high = top - int(np.argmax(gain[top::-1] < half)), top + int(np.argmax(gain[top:] < half))
    return (f[top], np.interp(half, gain[[low, low + 1]], f[[low, low + 1]]), np.interp(half, gain[[high, high - 1]],
            f[[high, high - 1]]), gain[top])


def check(k, rate, centres, widths, middle=None, gain=0.01):
    """Every filter of a bank; `middle`: of its −3 dB edges, where the peak is flat."""
    assert k.value == (len(centres),)
    for i, (f, wide) in enumerate(zip(centres, widths, strict=True)):
        peak, low, high, top = measured(k.data[i], rate, f, wide)
        found = peak if middle is None else middle(low, high)
        assert found == pytest.approx(f, rel=0.01), (i, f)
        assert high - low == pytest.approx(wide, rel=0.05), (i, f)
        assert gain is None or top == pytest.approx(1, abs=gain), (i, f)


def mean(low, high):
    return (low + high) / 2


def spread(rate, scale, count=9):
    """From 50 Hz to 0.95 of rate/2, as wide as hearing is; on a scale."""
    centres = sc.scales.spaced(50, 0.475 * rate, count, scale)
    return sc.line(1, rate), centres, sc.scales.erb_width(centres)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("scale", SCALES)
def test_ears_and_wavelets(rate, scale):
    like, f, wide = spread(rate, scale)
    check(sc.kernels.morlet(like, f, wide), rate, f, wide)
    check(sc.kernels.gammatone(like, f), rate, f, 2 * 1.019 * (2**0.25 - 1) ** 0.5 * wide)
    chirp = -2.0
    peaks = f + chirp * 1.019 * wide / 4
    k = sc.kernels.gammachirp(like, f, chirp=chirp)
    for i in range(len(f)):  # its bandwidth is the register's matter
        assert measured(k.data[i], rate, peaks[i], wide[i])[0] == pytest.approx(peaks[i], rel=0.01)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("scale", SCALES)
def test_sincs_with_taps_enough(rate, scale):
    """By default a sinc has as many taps as its narrowest band needs; real ones too, beside 0 and rate/2."""
    like, f = sc.line(1, rate), sc.scales.spaced(50, 0.44 * rate, 5, scale)
    wide = sc.scales.erb_width(f)
    for quadrature in (True, False):
        check(sc.kernels.sinc(like, f - wide / 2, f + wide / 2, quadrature=quadrature), rate, f, wide, mean, 0.02)


@pytest.mark.parametrize("taps", [101, 251, 1001])
def test_sincs_with_taps_of_ones_own(taps):
    """The contract's sentence: high − low − 0.8·rate/taps, to 3 %, from four windows' widths on."""
    rate = 16000
    like = sc.line(1, rate)
    for wide in (4 * rate / taps, 7 * rate / taps, 12 * rate / taps):
        k = sc.kernels.sinc(like, 4000 - wide / 2, 4000 + wide / 2, taps=taps, quadrature=True)
        _, low, high, _ = measured(k.data, rate, 4000, wide)
        assert high - low == pytest.approx(wide - 0.8 * rate / taps, rel=0.03)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["sinc", "gabor", "morlet", "gammatone", "gammachirp"])
def test_families_in_words(name, rate, scale):
    """The register's, by centre and bandwidth; as neighbours on the scale have them, and asked for."""
    family, like = BANKS[name], sc.line(1, rate)
    for words in ({}, {"bandwidth": 40.0}):
        start = family.begin(like, count=7, low=50, high=0.45 * rate, scale=scale, **words)
        check(family.function(like, **start), rate, start["centre"], start["bandwidth"], mean if name == "sinc" else None)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fraction", [1, 3])
def test_octaves_and_thirds(rate, fraction):
    """IEC 61260-1: centres 1000·G^(i/b), and −3 dB at G^(±1/2b) of them."""
    k = sc.kernels.octave_bands(sc.line(1, rate), fraction, 50)
    g = 10**0.3
    steps = np.array([round(fraction * np.log(float(name.split()[0]) / 1000) / np.log(g)) for name in k.channels])
    f = 1000 * g ** (steps / fraction)
    assert (np.diff(steps) == 1).all() and f[0] == pytest.approx(50, rel=0.27) and f[-1] * g ** (0.5 / fraction) <= rate / 2
    half = g ** (0.5 / fraction)
    for i, centre in enumerate(f):
        _, low, high, top = measured(k.data[i], rate, mean(centre / half, centre * half), centre * (half - 1 / half))
        assert low == pytest.approx(centre / half, rel=0.005) and high == pytest.approx(centre * half, rel=0.005)
        assert np.sqrt(low * high) == pytest.approx(centre, rel=0.01) and top == pytest.approx(1, abs=0.02)
        assert high - low == pytest.approx(centre * (half - 1 / half), rel=0.05)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("bins", "gamma"), [(12, 0.0), (36, 0.0), (3, 0.0), (12, 20.0)])
def test_constant_and_variable_q(rate, bins, gamma):
    """1/length = f·(2^(1/bins) − 1) + gamma, centres at librosa's."""
    librosa = pytest.importorskip("librosa")
    pairs = sc.kernels.constant_q(sc.line(1, rate), 50, None, bins, gamma=gamma)
    f = librosa.cqt_frequencies(sum(k.value[0] for k, _ in pairs), fmin=50, bins_per_octave=bins)
    assert f[-1] < rate / 2 <= f[-1] * 2 ** (2 / bins)
    for k, stride in pairs[::-1]:
        own, f = f[: k.value[0]], f[k.value[0]:]
        lengths = own * (2 ** (1 / bins) - 1) + gamma
        check(k, rate, own, HANN * lengths)
        assert rate / stride >= 4 * lengths[-1] or stride == 1
    assert not len(f)


@pytest.mark.parametrize("rate", RATES)
def test_keys_and_frames(rate):
    like = sc.line(1, rate)
    k = sc.kernels.piano(like)
    f = 440 * 2 ** ((np.arange(21, 21 + k.value[0]) - 69) / 12)
    check(k, rate, f, np.full(len(f), HANN / 0.2), gain=None)
    for window in (400, 63):
        k = sc.kernels.fourier(like, window)
        at = np.arange(k.value[0]) * rate / window
        check(sc.Signal(k.data[1:], k.domain), rate, at[1:], np.full(len(at) - 1, HANN * rate / window), mean, None)


@pytest.mark.parametrize("rate", RATES)
def test_gabors_in_hertz(rate):
    """Half gains an octave apart: of a Gaussian the −3 dB width is √(½) of the −6 dB one, and its centre between them."""
    f = sc.scales.spaced(50, 0.4 * rate, 7, "octave")
    k = sc.kernels.gabors(sc.line(1, rate), f)
    check(k, rate, f, 2 / 3 * f / 2**0.5, gain=0.01)


@pytest.mark.parametrize("rate", RATES)
def test_nothing_at_zero_where_declared(rate):
    like, f, wide = spread(rate, "erb")
    for k in (sc.kernels.morlet(like, f, wide), sc.kernels.morlet(like, f, f / 2)):
        assert np.abs(k.data.sum(-1)).max() <= 1e-6
    for order in (1, 4, 8):
        details = sc.kernels.daubechies(like, order, 3)[:-1]
        assert max(abs(k.data.sum()) for k, _ in details) <= 1e-6
    for order in (1, 2, 3, 4):
        k = sc.kernels.steerable(sc.grid(1, 1), order, 0.8)
        assert np.abs(k.data.sum((1, 2))).max() <= 1e-6


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_gammatones_magnitude_is_the_published_one(order):
    """|H(f)| = (1 + ((f − f₀)/b)²)^(−n/2), b = 1.019 ERB(f₀) (Holdsworth, Patterson et al. 1988; Slaney 1993), to 0.15 dB down to
    −30 dB."""
    rate = 16000
    for f0 in (100.0, 1000.0, 4000.0):
        k, b = sc.kernels.gammatone(sc.line(1, rate), f0, order=order), 1.019 * 24.7 * (1 + 4.37 * f0 / 1000)
        f = np.linspace(max(f0 - 3 * b, 0), f0 + 3 * b, 201)
        want = (1 + ((f - f0) / b) ** 2) ** (-order / 2)
        got = np.abs(sc.spectrum.response(k, f).gain)
        assert np.abs(20 * np.log10(got / want))[want > 10**-1.5].max() < 0.15


@pytest.mark.parametrize("size", [2, 16, 64])
@pytest.mark.parametrize("n", [1, 2, 7, 64, 101, 501])
def test_mdct_loses_nothing_at_any_length(size, n):
    """In mode full its transpose is its inverse, in mode same frames.synthesis, for odd lengths as for even ones."""
    x = sc.Signal(np.random.default_rng(n).standard_normal((1, n)), sc.line(n, 8000))
    k = sc.kernels.mdct(x.domain, size)
    y = sc.convolve(x, k, stride=size, mode="full")
    assert np.abs(sc.frames.adjoint(y, k, x.domain, size, mode="full").data - x.data).max() < 1e-12
    assert np.abs(sc.frames.synthesis(y, k, x.domain, size, mode="full").data - x.data).max() < 1e-12
    y = sc.convolve(x, k, stride=size)
    assert np.abs(sc.frames.synthesis(y, k, x.domain, size).data - x.data).max() < 1e-12


# Daubechies, Ten Lectures on Wavelets (1992), table 6.1, as PyWavelets has them (db1 … db4, rec_lo), good to 4e-12
PUBLISHED = {
    1: [0.70710678118654752, 0.70710678118654752],
    2: [0.48296291314469025, 0.83651630373746899, 0.22414386804185735, -0.12940952255092145],
    3: [0.33267055295095688, 0.80689150931333875, 0.45987750211933132, -0.13501102001039084, -0.085441273882241486,
        0.035226291882100656],
    4: [0.23037781330885523, 0.71484657055254153, 0.63088076792959036, -0.027983769416983849, -0.18703481171888114,
        0.030841381835986965, 0.032883011666982945, -0.010597401784997278]}


@pytest.mark.parametrize("order", PUBLISHED)
def test_daubechies_has_the_published_coefficients(order):
    assert np.abs(scaling(order) - PUBLISHED[order]).max() < 4e-12
    detail, coarse = (k.data[0] for k, _ in sc.kernels.daubechies(sc.line(1, 1), order))
    assert np.abs(coarse[::-1] - PUBLISHED[order]).max() < 4e-12
    assert np.abs(np.abs(detail) - np.abs(PUBLISHED[order])).max() < 4e-12 and abs(detail @ coarse) < 1e-15


@pytest.mark.parametrize("order", [1, 2, 4, 8])
def test_daubechies_is_pywavelets(order):
    pywt = pytest.importorskip("pywt")
    assert np.abs(scaling(order) - pywt.Wavelet(f"db{order}").rec_lo).max() < 1e-9
    x = np.random.default_rng(0).standard_normal(64)
    coarse, detail = pywt.wavedec(x, f"db{order}", "periodization", level=1)
    for (k, _), theirs in zip(sc.kernels.daubechies(sc.line(64, 1), order), (detail, coarse), strict=True):
        every = sc.convolve(sc.Signal(x, sc.line(64, 1)), k, padding_mode="circular").data[0]
        ours = np.roll(every, order - 1)[::2]
        assert np.abs(ours - theirs).max() < 1e-9


def test_constant_q_and_keys_have_gradients():
    like = sc.line(1, 8000)
    low = torch.tensor(900.0, dtype=torch.float64, requires_grad=True)
    gamma = torch.tensor(350.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f, g: sc.kernels.constant_q(like, f, 1500.0, 2, gamma=g)[0][0].data, (low, gamma),
                                    eps=1e-4, atol=1e-6)
    long = torch.tensor(0.004, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: sc.kernels.piano(sc.line(1, 800), t).data, (long,), eps=1e-8, atol=1e-3)
