"""The spectra against librosa and torch, which our side may not import; the constant Q against its own inner products."""

import sys
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch

import sigconv as sc
from sigconv import spectra as sp

librosa = pytest.importorskip("librosa")
RATE = 22050
ROUNDING = 2e-6  # of the largest value: single precision, which librosa's weights have in any case


@contextmanager
def alone(*names):
    """No module of these can be imported, nor has been."""
    gone = {m: sys.modules.pop(m) for m in list(sys.modules) if m.split(".")[0] in names}
    sys.modules.update(dict.fromkeys(names))
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(gone)


def ours(spectrum, x, **options):
    with alone("librosa", "torchaudio"):
        with pytest.raises(ImportError):
            import librosa as hidden  # noqa: F401
        return spectrum(x, **options)


def near(a, b, tolerance=ROUNDING):
    data = np.asarray(a.data)
    assert data.shape == b.shape
    assert np.abs(data - b).max() <= tolerance * np.abs(b).max()


@pytest.fixture(scope="module")
def speech():
    x = sc.load(sc.io.sample("speech"))
    assert x.rate == RATE
    return x.between(0, 1.5)


@pytest.fixture(scope="module")
def noise():
    rng = np.random.default_rng(3)
    return sc.Signal(rng.normal(size=(2, 11111)) * np.exp(-np.arange(11111) / 4000), sc.line(11111, RATE))


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("n_fft, hop, win, center, normalized, onesided",
                         [(16, 4, 16, True, False, None), (15, 4, 9, True, True, None), (16, 5, 12, False, False, False),
                          (9, 7, 9, True, True, False)])
def test_stft_is_that_of_torch(n_fft, hop, win, center, pad_mode, normalized, onesided):
    x = np.random.default_rng(n_fft).normal(size=(2, 101))
    window = torch.hann_window(win, dtype=torch.float64)
    theirs = torch.stft(torch.from_numpy(x), n_fft, hop, win, window, center, pad_mode, normalized, onesided is not False,
                        return_complex=True)
    for data in (x, torch.from_numpy(x)):
        S = sp.stft(sc.Signal(data, sc.line(101, 8000)), n_fft, hop, win, "hann", center, pad_mode, normalized, onesided)
        near(S, theirs.numpy(), 1e-10)


@pytest.mark.parametrize("n_fft, hop, win, normalized", [(16, 4, 16, False), (15, 4, 9, True), (32, 13, 32, False)])
def test_istft_is_that_of_torch_and_takes_stft_back(n_fft, hop, win, normalized):
    x = np.random.default_rng(n_fft).normal(size=(2, 101))
    window = torch.hann_window(win, dtype=torch.float64)
    S = sp.stft(sc.Signal(x, sc.line(101, 8000, start=7)), n_fft, hop, win, normalized=normalized)
    rng = np.random.default_rng(1)
    other = S.data + rng.normal(size=S.data.shape) + 1j * rng.normal(size=S.data.shape)  # frames of no sound
    theirs = torch.istft(torch.from_numpy(other), n_fft, hop, win, window, True, normalized, length=101).numpy()
    near(sp.istft(sc.Signal(other, S.domain)), theirs, 1e-10)
    made = sc.Domain(S.domain.shape, S.domain.step, S.domain.start, S.domain.unit, S.domain.name)  # knows no line
    again = sp.istft(sc.Signal(torch.from_numpy(other), made), n_fft=n_fft, win_length=win, normalized=normalized, length=101)
    near(again, theirs, 1e-10)
    assert again.domain == sc.line(101, 8000, start=7)
    near(sp.istft(S), x, 1e-12)
    assert sc.sound(S).domain == sc.line(101, 8000, start=7) and sp.istft(S, length=50).domain.shape == (50,)


def test_stft_is_its_bank(noise):
    bank = sp.Fourier(64, 16, 40, "hamming")
    y = sc.convolve(noise, bank.kernel(noise.domain), stride=16)
    near(bank(noise), y.data, 1e-12)


def test_frames_keep_time(noise):
    late = noise.at(441)
    for center in (True, False):
        S = sp.stft(late, 64, 10, center=center)
        clicks = sc.Signal((np.arange(500) == 300) * 1.0, sc.line(500, RATE, start=441))
        loudest = np.abs(sp.stft(clicks, 64, 10, center=center).data).sum(0).argmax()
        assert abs(S.coordinates(1)[loudest] - (441 + 300) / RATE) <= 5 / RATE


@pytest.mark.parametrize("options", [
    {}, {"n_mels": 40, "fmin": 100.0, "fmax": 7000.0, "htk": True}, {"power": 1.0, "norm": None, "n_fft": 1024},
    {"win_length": 800, "hop_length": 200, "window": "hamming", "center": False}, {"pad_mode": "reflect", "power": 0.7}])
def test_mel_is_that_of_librosa(speech, noise, options):
    for x in (speech, noise, noise.to(dtype="float32")):
        theirs = librosa.feature.melspectrogram(y=x.data, sr=RATE, **options)
        near(ours(sp.melspectrogram, x, **options), theirs)


def test_torch_and_numpy_agree(noise):
    for spectrum in (sp.stft, sp.melspectrogram, sp.log_mel, sp.mfcc, sp.onset_strength, sp.pcen_mel, sp.chroma_stft,
                     partial(sp.cqt, n_bins=36, fmin=220)):
        a, b = spectrum(noise), spectrum(noise.to("torch"))
        assert isinstance(b.data, torch.Tensor) and a.domain == b.domain
        near(b, a.data, 1e-9)


@pytest.mark.parametrize("options", [{}, {"n_mfcc": 13, "lifter": 22, "n_mels": 40}, {"dct_type": 3, "norm": None},
                                     {"dct_type": 1},
                                     {"dct_type": 1, "norm": None, "mel_norm": None}, {"dct_type": 3, "n_mfcc": 500}])
def test_mfcc_is_that_of_librosa(speech, options):
    near(ours(sp.mfcc, speech, **options), librosa.feature.mfcc(y=speech.data, sr=RATE, **options), 5e-6)


def test_decibels_are_those_of_librosa(speech):
    theirs = librosa.feature.melspectrogram(y=speech.data, sr=RATE)
    for options in ({}, {"ref": np.max}, {"ref": 0.1, "top_db": None, "amin": 1e-6}):
        near(ours(sp.log_mel, speech, **options), librosa.power_to_db(theirs, **options), 1e-5)


@pytest.mark.parametrize("options", [{}, {"gain": 0.5, "bias": 10.0, "power": 0.25, "b": 0.1}, {"power": 0}, {"bias": 0.0}])
def test_pcen_is_that_of_librosa(options):
    data = np.random.default_rng(0).uniform(0.1, 5, size=(2, 20, 150))
    S = sc.Signal(data, sc.Domain((20, 150), (1, 512 / RATE), 0, ("mel", "s")))
    near(ours(sp.pcen, S, **options), np.stack([librosa.pcen(v, sr=RATE, hop_length=512, **options) for v in data]), 1e-9)


@pytest.mark.parametrize("options", [{}, {"lag": 3, "max_size": 4}, {"detrend": True, "center": False}, {"hop_length": 300},
                                     {"max_size": 3, "n_mels": 64}])
def test_onsets_are_those_of_librosa(speech, options):
    theirs = librosa.onset.onset_strength(y=speech.data, sr=RATE, **options)
    near(ours(sp.onset_strength, speech, **options), theirs, 5e-6)


@pytest.mark.parametrize("options", [{}, {"tuning": 0.2, "norm": 2, "n_chroma": 24}, {"norm": None, "tuning": 0.0},
                                     {"octwidth": None},
                                     {"n_fft": 4096, "norm": 1}])
def test_chroma_is_that_of_librosa(speech, options):
    near(ours(sp.chroma_stft, speech, **options), librosa.feature.chroma_stft(y=speech.data, sr=RATE, **options), 5e-6)


def test_tuning_is_that_of_librosa(speech):
    for bins in (12, 36):
        S = sp.magnitude(sp.stft(speech))
        assert ours(sp.tuning, S, bins_per_octave=bins) == pytest.approx(
            librosa.estimate_tuning(S=S.data, sr=RATE, bins_per_octave=bins), abs=1e-12)


@pytest.mark.parametrize("bins", [12, 36])
def test_folding_is_that_of_librosa(bins):
    C = np.random.default_rng(0).uniform(size=(1, 5 * bins + 3, 4))
    for fmin in (None, 50.0):
        S = sc.Signal(C, sc.Domain(C.shape[1:], (1 / bins, 0.01), (bins, 0), ("octave", "s")))
        theirs = librosa.filters.cq_to_chroma(C.shape[1], bins_per_octave=bins, fmin=fmin) @ C
        near(ours(sp.folded(bins, 12, fmin or sp.bands.C1), S), theirs, 1e-12)


@pytest.mark.parametrize("bins", [12, 36])
def test_constant_q_is_its_inner_products(noise, bins):
    bank = sp.ConstantQ(512, 55.0, 7 * bins, bins)
    taps = bank.filters(float(RATE))
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-6)):
        C = bank(noise.to(dtype=dtype))
        for k in (0, 1, bins, 3 * bins + 1, 7 * bins - 1):
            r = len(taps[k]) // 2
            for row, x in zip(C.data[:, k], noise.data, strict=True):
                exact = np.convolve(x, taps[k])[r: r + len(x) + 1: 512]
                exact = np.append(exact, [0] * (len(row) - len(exact)))
                assert np.abs(row - exact).max() <= tolerance * np.abs(C.data).max()
    assert C.data.dtype == np.complex64


def test_the_half_band_is_flat_and_far_down():
    from sigconv.spectra.constantq import _half_band

    half = sc.Signal(_half_band(), sc.Domain(43, 1, -21, "s"))
    passed = sc.spectrum.response(half, np.linspace(0, 1 / 8, 200)).gain
    stopped = sc.spectrum.response(half, np.linspace(3 / 8, 1 / 2, 200)).gain
    assert np.abs(passed - 1).max() < 1e-7 and np.abs(stopped).max() < 1e-7


def test_constant_q_is_near_librosas(speech):
    """Centres, phases and scale are librosa's: what is left is what its halved rates cost, about −37 dB of speech."""
    for options in ({}, {"bins_per_octave": 24, "n_bins": 120, "scale": False, "tuning": 0.3}):
        theirs = librosa.cqt(y=speech.data[0], sr=RATE, **options)
        C = ours(sp.cqt, speech, **options)
        missing = 20 * np.log10(np.linalg.norm(theirs - C.data[0]) / np.linalg.norm(theirs))
        assert missing < -34
    assert np.allclose(sp.ConstantQ().centres(), librosa.cqt_frequencies(84, fmin=librosa.note_to_hz("C1")))
    near(ours(sp.chroma_cqt, speech), librosa.feature.chroma_cqt(y=speech.data, sr=RATE), 0.06)


def test_constant_q_paddings_and_hops(noise):
    bank = partial(sp.ConstantQ, fmin=440.0, n_bins=24)
    whole = bank(64)(noise)
    odd = bank(61)(noise.to(dtype="float32"))
    assert odd.domain.shape == (24, 1 + 11111 // 61)
    r = len(bank().filters(float(RATE))[0]) // 2
    mirrored = noise.on(sc.Domain(11111 + 2 * r, noise.domain.step, -r, "s"), "reflect")
    inner = bank(1)(mirrored).data[..., r: r + 11111: 64]
    near(bank(64, pad_mode="reflect")(noise), inner, 1e-12)
    assert not np.allclose(whole.data, inner)


def test_axes_are_regular_in_their_own_units(speech):
    M, C, H = sp.melspectrogram(speech), sp.cqt(speech), sp.chroma_stft(speech)
    assert np.allclose(sc.scales.mel_to_hz(M.coordinates(0)), librosa.mel_frequencies(130, fmin=0, fmax=RATE / 2)[1:-1])
    assert C.domain.start[0] == 12 and C.coordinates(0)[36] == 4.0 and C.domain.unit == ("octave", "s")  # C4
    assert H.domain.unit == ("semitone", "s") and H.domain.shape[0] == 12
    for S in (M, C, H, sp.mfcc(speech)):
        assert S.domain.step[1] == 512 * speech.domain.step[0]
        assert np.allclose(S.coordinates(1), librosa.frames_to_time(np.arange(S.domain.shape[1]), sr=RATE, hop_length=512))
    assert sp.onset_strength(speech).domain.shape == M.domain.shape[1:]


SMALL = {"stft": partial(sp.stft, n_fft=8, hop_length=3), "mel": partial(sp.melspectrogram, n_fft=16, hop_length=8, n_mels=3),
         "magnitude": partial(sp.melspectrogram, n_fft=16, hop_length=8, n_mels=3, power=1.0),
         "log_mel": partial(sp.log_mel, n_fft=16, hop_length=8, n_mels=3),
         "mfcc": partial(sp.mfcc, n_fft=16, hop_length=8, n_mels=4),
         "pcen": partial(sp.pcen_mel, n_fft=16, hop_length=8, n_mels=3, power=0.4),
         "cqt": partial(sp.cqt, fmin=1000, n_bins=4, hop_length=8),
         "onset": partial(sp.onset_strength, n_fft=16, hop_length=8, n_mels=3),
         "chroma": partial(sp.chroma_stft, n_fft=16, hop_length=8, tuning=0.0, norm=2)}


@pytest.mark.parametrize("name", SMALL)
def test_gradients(name):
    x = torch.randn(1, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)

    def run(data):
        y = SMALL[name](sc.Signal(data, sc.line(40, 8000))).data
        return torch.view_as_real(y) if y.is_complex() else y

    assert torch.autograd.gradcheck(run, x)
    silence = torch.zeros(1, 40, dtype=torch.float64, requires_grad=True)
    run(silence).sum().backward()
    assert torch.isfinite(silence.grad).all()


def test_gradients_reach_window_and_pcen():
    x = sc.Signal(torch.randn(1, 40, dtype=torch.float64), sc.line(40, 8000))
    window = torch.rand(8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: sp.istft(sp.stft(x, 8, 2, window=w)).data
                                    + sp.magnitude(sp.stft(x, 8, 2, window=w)).data.sum(), window)
    S = sc.Signal(torch.rand(1, 3, 70, dtype=torch.float64) + 0.1, sc.Domain((3, 70), (1, 0.01), 0, ("mel", "s")))
    some = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.9, 2.0, 0.5, 0.05)]
    assert torch.autograd.gradcheck(lambda g, o, r, b: sp.pcen(S, gain=g, bias=o, power=r, b=b).data, some)


ALL = (sp.stft, sp.melspectrogram, sp.log_mel, sp.mfcc, sp.pcen_mel, sp.cqt, sp.chroma_stft, sp.chroma_cqt, sp.onset_strength)


@pytest.mark.parametrize("spectrum", ALL, ids=repr)
@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "float16"])
def test_short_silent_many_and_whole_numbers(spectrum, kind):
    for shape in ((1, 1), (1, 300), (5, 700)):
        data = (np.random.default_rng(0).normal(size=shape) * 100).astype(kind)
        for x in (data, np.zeros_like(data)):
            S = spectrum(sc.Signal(x, sc.line(shape[1], 22050)))
            assert S.value == shape[:1] and S.domain.shape[-1] == 1 + shape[1] // 512
            assert np.isfinite(S.data).all()
            double = S.data.dtype in (np.float64, np.complex128)
            assert double == (kind in ("float64", "int16"))
    one = spectrum(sc.Signal(np.zeros(600, np.float32), sc.line(600, 22050)))
    assert one.value == ()


def test_pieces_are_the_whole(noise, monkeypatch):
    from sigconv.spectra import framing

    block = sp.melspectrogram.block(n_fft=256, hop_length=64, n_mels=12)
    monkeypatch.setattr(framing, "CELLS", 4096)
    near(block(noise), block.stages(noise)["pool"].data, 1e-12)
    assert block(noise).domain == block.stages(noise)["pool"].domain


def test_an_empty_band_is_said(noise):
    with pytest.warns(sc.SigconvWarning, match=r"mel bands are empty .*longer window, fewer bands"):
        sp.melspectrogram(noise, n_fft=128, n_mels=97)


@pytest.mark.parametrize("words, run", [
    ("frames of 2048 samples on a signal of 100: wanted at most as many, or center=True", lambda x: sp.stft(x, center=False)),
    ("pad_mode 'mean': wanted constant", lambda x: sp.stft(x, 16, pad_mode="mean")),
    ("win_length 32 of frames of 16", lambda x: sp.stft(x, 16, win_length=32)),
    ("window 'triangel'", lambda x: sp.stft(x, 16, window="triangel")),
    ("a window of shape", lambda x: sp.stft(x, 16, window=np.ones(3))),
    ("one-sided spectrum of complex", lambda x: sp.stft(x * 1j, 16, onesided=True)),
    ("a ndarray to a Block: wanted a Signal", lambda x: sp.melspectrogram(x.data)),
    ("wanted one axis", lambda x: sp.stft(sc.Signal(np.ones((4, 4)), sc.grid(4, 4)))),
    ("constant-Q band at", lambda x: sp.cqt(x, n_bins=120)),
    ("mel bands of an axis in mel", lambda x: sp.mel()(sp.mel()(sp.power(sp.stft(x))))),
    ("bands of complex samples", lambda x: sp.mel()(sp.stft(x))),
    ("dct_type 4", lambda x: sp.mfcc(x, dct_type=4)),
    ("bins_per_octave 30 for 12", lambda x: sp.chroma_cqt(x, bins_per_octave=30, fmin=100, n_octaves=2)),
    ("some samples stand in none", lambda x: sp.istft(sp.stft(x, 16, 16))),
    ("not those of n_fft", lambda x: sp.istft(sp.stft(x, 16, 4), n_fft=16, hop_length=5)),
    ("frames that were cropped", lambda x: sc.sound(sp.stft(x, 16, 4).between((0, 0.001), (None, 0.003)))),
    ("b 2: wanted 0 … 1", lambda x: sp.pcen(x, b=2.0)),
    ("decibels of complex samples", lambda x: sp.decibels(x * 1j)),
    ("top_db -1", lambda x: sp.log_mel(x, top_db=-1)),
])
def test_what_is_refused(words, run):
    x = sc.Signal(np.random.default_rng(0).normal(size=(1, 100)), sc.line(100, 8000))
    with pytest.raises(sc.SigconvError) as told:
        run(x)
    assert words in str(told.value)


def test_a_spectrum_tells_its_parameters():
    import inspect

    told = inspect.signature(sp.melspectrogram)
    assert next(iter(told.parameters)) == "x" and told.parameters["n_mels"].default == 128
    for name in ("melspectrogram", "mfcc", "chroma_stft"):
        theirs, mine = inspect.signature(getattr(librosa.feature, name)), inspect.signature(getattr(sp, name))
        for p in mine.parameters.values():
            if p.name in theirs.parameters:
                assert p.default == theirs.parameters[p.name].default, (name, p.name)


def test_a_constant_q_transform_of_no_samples_has_one_silent_frame():
    C = sc.spectra.cqt(sc.Signal(np.zeros((2, 0)), sc.line(0, 22050)), n_bins=12)
    assert C.value == (2,) and C.domain.shape == (12, 1) and not C.data.any()
