"""Banks: bands where they were asked for and as wide, transforms that are what they are called, scales with their inverses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sigconv as sc
from sigconv.errors import UsageError
from sigconv.kernels.lapped import scaling

RATES = (8000, 16000, 44100)


def band(k, row, near, width):
    """Peak and −3 dB edges of one filter, measured on a fine grid about where they should be."""
    f = np.linspace(max(near - 1.5 * width, 0), near + 1.5 * width, 1201)
    gain = np.abs(sc.spectrum.response(sc.Signal(k.data[row], k.domain), f).gain)
    heard = f[gain >= gain.max() / np.sqrt(2)]
    return f[np.argmax(gain)], heard[0], heard[-1], gain.max()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("scale", ["mel", "erb", "bark", "linear", "log"])
def test_bands_stand_where_they_were_asked_for(rate, scale):
    """Centre within 1 %, −3 dB bandwidth within 5 %, gain 1, for every spacing."""
    like, centres = sc.line(1, rate), sc.scales.spaced(200, 0.4 * rate, 9, scale)
    widths = sc.scales.erb_width(centres)
    cases = [(sc.kernels.morlet(like, centres, widths), centres, widths),
             (sc.kernels.gammatone(like, centres), centres, 0.887 * widths),
             (sc.kernels.gammachirp(like, centres, chirp=-1.0), centres - 1.019 * widths / 4, None),
             (sc.kernels.sinc(like, centres - 90, centres + 90, taps=rate // 8 + 1, quadrature=True), centres, np.full(9, 180.0))]
    for k, middles, wide in cases:
        for i in (0, 4, 8):
            f = middles[i]
            peak, low, high, gain = band(k, i, f, widths[i] if wide is None else wide[i])
            assert gain == pytest.approx(1, abs=0.02)
            assert (peak if k is not cases[3][0] else (low + high) / 2) == pytest.approx(f, rel=0.01)
            assert wide is None or high - low == pytest.approx(wide[i], rel=0.05)


@pytest.mark.parametrize("rate", RATES)
def test_constant_q(rate):
    """Hann windows: −3 dB at 1.4406 / length."""
    pairs = sc.kernels.constant_q(sc.line(1, rate), 55, 0.4 * rate, 12)
    found = sum(k.value[0] for k, _ in pairs)
    assert found == np.ceil(12 * np.log2(0.4 * rate / 55))
    for k, stride in pairs:
        f = float(k.channels[0].split()[0])
        wide = f * (2 ** (1 / 12) - 1)
        peak, low, high, gain = band(k, 0, f, wide)
        assert peak == pytest.approx(f, rel=0.01) and gain == pytest.approx(1, abs=1e-3)
        assert high - low == pytest.approx(1.4406 * wide, rel=0.05)
        assert rate / stride >= 4 * float(k.channels[-1].split()[0]) * (2 ** (1 / 12) - 1)
    lower = sc.kernels.constant_q(sc.line(1, rate), 55, 0.4 * rate, 12, gamma=20)
    assert lower[-1][0].domain.shape[0] < pairs[-1][0].domain.shape[0]


def test_octaves_of_the_standard():
    """Exact mid-band frequencies of IEC 61260-1, table E.1, and the edges between them."""
    thirds = sc.kernels.octave_bands(sc.line(1, 44100), 3, 100, 10000)
    centres = 1000 * 10 ** (np.arange(-10, 11) / 10)
    assert thirds.value == (21,) and thirds.channels[0] == "100 Hz" and thirds.channels[-1] == "10000 Hz"
    for i in (0, 10, 20):
        edge = centres[i] * 10**0.05
        at_edge = np.abs(sc.spectrum.response(sc.Signal(thirds.data[i], thirds.domain), [edge]).gain)
        assert 20 * np.log10(at_edge[0]) == pytest.approx(-3.01, abs=0.1)
    assert len(sc.kernels.octave_bands(sc.line(1, 44100), 1, 31.5).channels) == 9


def test_fourier_is_the_stft():
    rng = np.random.default_rng(0)
    x = sc.Signal(rng.standard_normal((1, 4000)), sc.line(4000, 16000))
    k = sc.kernels.fourier(x.domain, 400)
    ours = sc.convolve(x, k, stride=160).data[0]
    window = torch.from_numpy(np.cos(np.pi * (np.arange(400) - 199.5) / 400) ** 2)
    # convolution reads the taps backwards about the centre: frames of torch, conjugated there and turned to the centre
    theirs = torch.stft(torch.from_numpy(np.pad(x.data[0], (200, 200))), 400, 160, 400, window, center=False, return_complex=True)
    assert np.abs(np.abs(ours[1:-1]) / np.sqrt(2) - np.abs(theirs.numpy()[1:-1, : ours.shape[1]])).max() < 1e-10


@pytest.mark.parametrize("size", [2, 16, 128])
def test_mdct_is_orthonormal_between_its_ends(size):
    n = 8 * size
    x = sc.Signal(np.random.default_rng(0).standard_normal((2, n)), sc.line(n, 8000))
    k = sc.kernels.mdct(x.domain, size)
    gram = sc.convolve(sc.Signal(np.eye(n)[:, None], x.domain), k, stride=size).data.reshape(n, -1)
    inner = slice(size, n - size)
    assert np.abs((gram @ gram.T - np.eye(n))[inner, inner]).max() < 1e-13
    back = sc.frames.synthesis(sc.convolve(x, k, stride=size), k, x.domain, size)
    assert np.abs(back.data - x.data).max() < 1e-12


@pytest.mark.parametrize("order", [1, 2, 4, 10, 20])
def test_daubechies(order):
    """Orthonormal shifts, vanishing moments, √2 at 0."""
    h = scaling(order)
    assert len(h) == 2 * order and h.sum() == pytest.approx(2**0.5)
    for shift in range(0, 2 * order, 2):
        assert h[shift:] @ h[: len(h) - shift] == pytest.approx(float(shift == 0), abs=1e-7 if order > 10 else 1e-11)
    g = h[::-1] * (-1.0) ** np.arange(len(h))
    for moment in range(min(order, 4)):
        assert abs(np.arange(len(h)) ** moment @ g) < 1e-6 * len(h) ** moment
    pairs = sc.kernels.daubechies(sc.line(1, 8000), order, 3)
    n = 40 * 8
    x = sc.Signal(np.random.default_rng(0).standard_normal((1, n)), sc.line(n, 8000))
    y = [sc.convolve(x, k, stride=s, padding_mode="circular") for k, s in pairs]
    assert sum(v.data.size for v in y) == n
    assert sum(np.sum(v.data**2) for v in y) == pytest.approx(np.sum(x.data**2), rel=1e-6)
    back = sc.frames.synthesis(y, pairs, x.domain, padding_mode="circular")
    assert np.abs(back.data - x.data).max() < 1e-10


def test_daubechies_of_the_book():
    want = (np.array([1, 3, 3, 1]) + np.sqrt(3) * np.array([1, 1, -1, -1])) / (4 * np.sqrt(2))
    assert scaling(2) == pytest.approx(want, abs=1e-12)


def test_gammatone_is_the_published_formula():
    rate, f = 16000, 1000.0
    k = sc.kernels.gammatone(sc.line(1, rate), f, quadrature=False)
    b = 1.019 * sc.scales.erb_width(f)
    t = k.coordinates() + 3 / (2 * np.pi * b)
    want = np.where(t > 0, t, 0) ** 3 * np.exp(-2 * np.pi * b * t) * np.cos(2 * np.pi * f * k.coordinates())
    assert np.abs(k.data / np.abs(k.data).max() - want / np.abs(want).max()).max() < 1e-12
    assert np.argmax(np.abs(k.data)) == -k.domain.start[0]  # its peak stands at 0


def test_piano_is_88_notes():
    like = sc.line(1, 22050)
    k = sc.kernels.piano(like)
    assert k.value == (88,) and k.channels[48] == "A4"
    assert np.array_equal(k.data[48], sc.kernels.note(like, "A4", 0.2).data)
    assert sc.kernels.piano(sc.line(1, 1000)).channels[-1] == "B4"


@pytest.mark.parametrize("make", [lambda f: sc.kernels.morlet(sc.line(1, 8000), f, f / 5),
                                  lambda f: sc.kernels.gammatone(sc.line(1, 8000), f, f / 5),
                                  lambda f: sc.kernels.gammachirp(sc.line(1, 8000), f, f / 5),
                                  lambda f: sc.kernels.sinc(sc.line(1, 8000), f, f * 1.3, taps=61),
                                  lambda f: sc.kernels.sinc(sc.line(1, 8000), f, f * 1.3, taps=61, quadrature=True)],
                         ids=["morlet", "gammatone", "gammachirp", "sinc", "sinc in quadrature"])
def test_bands_have_gradients(make):
    f = torch.tensor([700.0, 1500.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: make(f).data, (f,), eps=1e-3, atol=1e-7, rtol=1e-3)
    plain = make(np.array([700.0, 1500.0]))
    assert np.abs(make(f).numpy().data - plain.data).max() < 1e-12 and make(700.0).value == ()


@pytest.mark.parametrize(("call", "message"), [
    (lambda d: sc.kernels.morlet(d, 4000.0, 10.0), "centre 4000 … 4000 Hz: wanted one or a list above 0 and below 4000"),
    (lambda d: sc.kernels.gammatone(d, 0.0), "above 0 and below"),
    (lambda d: sc.kernels.gammatone(d, [100.0], 0.0), "bandwidth 0 Hz: wanted above 0"),
    (lambda d: sc.kernels.sinc(d, 500.0, 400.0), "wanted 0 ≤ low < high ≤ 4000 Hz"),
    (lambda d: sc.kernels.sinc(d, 500.0, np.nan), "wanted 0 ≤ low < high"),
    (lambda d: sc.kernels.morlet(d, [], 10.0), "centre none Hz"),
    (lambda d: sc.kernels.morlet(sc.grid(3, 3), 0.1, 0.1), "a bank of bands for 2 axes"),
    (lambda d: sc.kernels.morlet(8000, 0.1, 0.1), "a bank of bands for a int"),
    (lambda d: sc.kernels.morlet(d, "x", 1.0), "frequencies that are no numbers"),
    (lambda d: sc.kernels.morlet(d, 100.0, 1e-9), "wanted at most"),
    (lambda d: sc.kernels.fourier(d, 8, 9), "9 bins of a window of 8"),
    (lambda d: sc.kernels.mdct(d, 5), "size 5: wanted an even one"),
    (lambda d: sc.kernels.daubechies(d, 21), "order 21: wanted at most 20"),
    (lambda d: sc.kernels.constant_q(d, 100, 50), "high 50 Hz: wanted above 100"),
    (lambda d: sc.kernels.octave_bands(d, 1, 1100, 1200), "there is none"),
    (lambda d: sc.kernels.octave_bands(d, 1, 100, taps=51), "from 125.9 Hz with 51 taps: wanted at least 271"),
    (lambda d: sc.kernels.morlet(d, 100.0, 130.0), "bandwidth of 1.3 centres: wanted at most 1.1"),
    (lambda d: sc.kernels.piano(sc.line(1, 20)), "no key lies below"),
])
def test_bad_banks(call, message):
    with pytest.raises(UsageError, match=message) as why:
        call(sc.line(1, 8000))
    assert "\n" not in str(why.value)


@pytest.mark.parametrize("scale", ["mel", "bark", "erb"])
def test_scales_have_inverses(scale):
    f = np.linspace(0, 20000, 401)
    there = getattr(sc.scales, f"hz_to_{scale}")(f)
    assert np.abs(getattr(sc.scales, f"{scale}_to_hz")(there) - f).max() < 1e-8 and (np.diff(there) > 0).all()


def test_mel_is_librosas():
    librosa = pytest.importorskip("librosa")
    f = np.linspace(0, 20000, 401)
    assert np.abs(sc.scales.hz_to_mel(f) - librosa.hz_to_mel(f)).max() < 1e-10
    assert np.abs(sc.scales.hz_to_mel(f, "htk") - librosa.hz_to_mel(f, htk=True)).max() < 1e-10
    with pytest.raises(sc.SigconvError, match="formula 'x': wanted slaney, htk"):
        sc.scales.hz_to_mel(f, "x")


def test_spacing():
    assert sc.scales.spaced(0, 4000, 1, "mel").tolist() == [0.0]
    assert np.diff(sc.scales.hz_to_erb(sc.scales.spaced(50, 8000, 20, "erb"))).std() < 1e-12
    with pytest.raises(sc.SigconvError, match="above 0 Hz"):
        sc.scales.spaced(0, 100, 3, "log")


def speech(rate, n):
    return sc.Signal(sc.resample(sc.load(sc.io.sample("speech")), rate).data[:1, :n].astype(float), sc.line(n, rate))


@pytest.mark.parametrize("name", ["gammatone", "sinc", "octaves", "fourier", "mdct", "constant Q"])
def test_there_and_back(name):
    """200 dB for every bank whose condition is below 1000, on speech, edges included; several rates too."""
    x = speech(16000, 16384)
    like = x.domain
    mel = sc.scales.spaced(0, 8000, 81, "mel")
    ears = sc.scales.spaced(100, 7000, 40, "erb")
    k, stride = {"gammatone": lambda: (sc.frames.complete(sc.kernels.gammatone(like, ears), 4), 4),
                 "sinc": lambda: (sc.kernels.sinc(like, mel[:-1], mel[1:], taps=251, quadrature=True), 20),
                 "octaves": lambda: (sc.frames.complete(sc.kernels.octave_bands(like, 1, 125)), 1),
                 "fourier": lambda: (sc.kernels.fourier(like, 400), 160), "mdct": lambda: (sc.kernels.mdct(like, 256), 256),
                 "constant Q": lambda: (sc.frames.complete(sc.kernels.constant_q(like, 440, 7000, 36)), 1)}[name]()
    known = sc.frames.bounds(k, like.shape[0], stride)
    assert known.condition < 1000, str(known)
    pairs = [(k, stride)] if isinstance(k, sc.Signal) else k
    y = [sc.convolve(x, each, stride=s) for each, s in pairs]
    back = sc.frames.synthesis(y[0] if isinstance(k, sc.Signal) else y, k, like, stride)
    assert not np.iscomplexobj(back.data)
    assert 20 * np.log10(np.linalg.norm(x.data) / np.linalg.norm(back.data - x.data)) > 200
