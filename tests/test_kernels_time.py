"""Kernels of time and of two ears: a quarter turn, a comb, a sweep, the piano's notes, crossfeed, mid and side."""

from __future__ import annotations

import numpy as np
import pytest
from command import REAL, run
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import same_bits

import sigconv as sc
from sigconv import kernels as K
from sigconv.errors import SigconvError, UsageError
from sigconv.kernels import FAMILIES

RATES = (8000, 16000, 22050, 44100, 48000)
MINE = ("chirp", "comb", "crossfeed", "hilbert", "midside", "note")
LIKES = {1: [*(sc.line(1, r) for r in (*RATES, 80)), sc.grid(1, step=2, unit="mm"), sc.grid(1)],
         2: [sc.grid(1, 1), sc.Domain((1, 1), (20, "0.0125"), 0, ("Hz", "s"))], 3: [sc.grid(1, 1, 1, step=(1, 2, 3), unit="mm")]}
SAMPLES = {"speech": "audio/libri1.ogg", "chime": "audio/trumpet.ogg", "stereo": "audio/vibeace.ogg"}


def real(name: str) -> sc.Signal:
    """A recording in float64: a real one, or where these are absent one of ours."""
    path = REAL / SAMPLES[name]
    return sc.load(path if path.exists() else sc.io.sample(name)).to(dtype="float64")


def noise(n: int) -> np.ndarray:
    """A running tap, of norm 1 a sample."""
    path = REAL / "noise" / "running_tap.flac"
    x = np.asarray(sc.load(path).data[0, :n], np.float64) if path.exists() else np.random.default_rng(0).standard_normal(n)
    return x / np.sqrt(np.mean(x**2))


def gain(k: sc.Signal, frequencies) -> np.ndarray:
    return np.abs(sc.spectrum.response(k, np.atleast_1d(frequencies)).gain)


@pytest.mark.parametrize("name", MINE)
def test_defaults_serve_every_domain(name):
    for like in (like for d in FAMILIES[name].dims for like in LIKES[d]):
        k = FAMILIES[name].function(like)
        assert (k.domain.step, k.domain.unit) == (like.step, like.unit) and np.isfinite(k.data).all() and np.abs(k.data).max() > 0


# hilbert

@settings(max_examples=40)
@given(st.sampled_from(RATES), st.floats(0, 1), st.floats(0, 6.28))
def test_hilbert_makes_a_sine_of_a_cosine(rate, place, phase):
    """Between 50 Hz and rate/2 − 50 Hz the gain is 1 within 1 %, and the turn is exactly 90°."""
    f = 50 + place * (rate / 2 - 100)
    k = K.hilbert(sc.line(1, rate))
    t = (np.arange(200 + k.data.size) / rate) * 2 * np.pi * f + phase
    y = sc.convolve(sc.Signal(np.cos(t), sc.line(t.size, rate)), k, mode="valid")
    at = slice(k.data.size // 2, k.data.size // 2 + y.domain.shape[0])
    level = float(sc.spectrum.response(k, [f]).gain[0].imag)
    assert abs(-level - 1) < 0.01
    assert np.abs(y.data + level * np.sin(t[at])).max() < 1e-10


@pytest.mark.parametrize("rate", RATES)
def test_hilbert_says_where_it_serves(rate):
    k = K.hilbert(sc.line(1, rate))
    (low, high), = K.flat(k)
    assert low < 50 and high == pytest.approx(rate / 2 - low) and k.data.size % 4 == 3
    turn = sc.spectrum.response(k, np.linspace(low, high, 50)).gain
    assert np.abs(turn.real).max() < 1e-12 and (turn.imag < 0).all()  # −90°
    same_bits(k.data, -k.data[::-1])
    assert not k.data[k.data.size // 2 % 2::2].any() and gain(k, [0, rate / 2]).max() < 1e-12
    (longer, _), = K.flat(K.hilbert(sc.line(1, rate), low=25))
    assert longer < 25 and K.reached(k).ripple < 0.1


@pytest.mark.parametrize("name", ["speech", "chime"])
def test_hilbert_is_scipys_analytic_signal_inside(name):
    from scipy.signal import hilbert

    x = real(name).between(1.0, 1.5)
    x = sc.convolve(x, K.bandpass(x.domain, 150, 0.4 * x.rate, width=100))
    ours = (x + 1j * (x @ K.hilbert(x.domain))).data[0]
    theirs = hilbert(x.data[0])
    inside = slice(x.domain.shape[0] // 8, -x.domain.shape[0] // 8)
    assert np.abs(ours - theirs)[inside].max() < 0.012 * np.abs(theirs).max()
    assert np.linalg.norm((ours - theirs)[inside]) < 0.006 * np.linalg.norm(theirs[inside])


# comb

@settings(max_examples=40)
@given(st.sampled_from(RATES), st.floats(0.004, 0.2), st.integers(2, 12))
def test_comb_sings_at_its_pitch(rate, share, teeth):
    pitch = share * rate
    k = K.comb(sc.line(1, rate), pitch, teeth)
    assert k.data.sum() == pytest.approx(1, abs=1e-12)
    harmonics = pitch * np.arange(1, int(0.45 * rate / pitch) + 1)
    assert np.abs(sc.spectrum.response(k, harmonics).gain - 1).max() < 0.0115  # 0.1 dB, and in phase
    nulls = (pitch * (np.arange(0, 3)[:, None] + np.arange(1, teeth) / teeth)).ravel()
    assert gain(k, nulls[nulls < 0.45 * rate]).max() < 1e-3
    a, b, c = gain(k, pitch * 2 ** (np.array([-3, 0, 3]) / 1200))  # the top of the tooth, by the parabola through three points
    assert abs(3 * (a - c) / (a - 2 * b + c) / 2) < 1


def test_comb_of_whole_periods_is_the_mean_of_what_was_and_will_be():
    x = real("speech")
    x = sc.Signal(x.data[0, 20000:22000], sc.line(2000, 16000))
    k = K.comb(x.domain, 1000, 3)
    assert np.array_equal(k.data.nonzero()[0], [0, 16, 32]) and k.domain.start == (-16,)
    y = sc.convolve(x, k, mode="valid").data
    assert np.abs(y - (x.data[:-32] + x.data[16:-16] + x.data[32:]) / 3).max() < 1e-15
    assert K.comb(x.domain, 440, 1).data.tolist() == [1]


def test_comb_lets_the_pitch_through_a_rush_of_water():
    rate = 44100
    x = sc.Signal(noise(rate), sc.line(rate, rate))
    y = sc.convolve(x, sc.kernel("comb:A4,teeth=16", x), mode="valid").data
    power = np.abs(np.fft.rfft(y * np.hanning(y.size))) ** 2
    f = np.fft.rfftfreq(y.size, 1 / rate)
    before = np.abs(np.fft.rfft(x.data[: y.size] * np.hanning(y.size))) ** 2
    off = np.abs((f / 440 + 0.5) % 1 - 0.5)
    use = (f > 300) & (f < 8000)
    on, between = ((power[use & part].sum() / before[use & part].sum()) for part in (off < 1 / 64, np.abs(off - 0.25) < 3 / 16))
    assert 10 * np.log10(on) > -1.5 and 10 * np.log10(between) < -17


@pytest.mark.parametrize("ndim", [2, 3])
def test_comb_runs_along_the_last_axis(ndim):
    like = sc.grid(*(1,) * ndim)
    k = K.comb(like, 0.1, 4)
    assert k.domain.shape == (1,) * (ndim - 1) + (31,) and k.domain.start == (0,) * (ndim - 1) + (-10,)
    same_bits(k.data.ravel(), K.comb(sc.grid(1), 0.1, 4).data)
    stripes = np.broadcast_to(np.sin(0.2 * np.pi * np.arange(60)), (5,) * (ndim - 1) + (60,))
    x = sc.Signal(stripes, sc.grid(*stripes.shape))
    inner = sc.convolve(x, k, mode="valid").data
    assert np.abs(inner - stripes[..., 20:-10]).max() < 1e-12


# chirp

@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("phase", [0.0, 2.0])
def test_chirp_finds_a_buried_sweep_to_the_sample(rate, phase):
    """10 dB below a running tap, whatever its phase."""
    k = K.chirp(sc.line(1, rate), 300, 0.45 * rate, 0.5)
    x = noise(rate)
    sweep = np.real(k.data * np.exp(1j * phase))
    sweep = sweep / np.sqrt(np.mean(sweep**2) * 10)
    at = int(0.3137 * rate)
    x[at: at + sweep.size] += sweep
    y = np.abs(sc.correlate(sc.Signal(x, sc.line(rate, rate)), k).data)
    assert y.argmax() == at


def test_chirp_runs_through_its_pitches_at_an_even_pace():
    k = K.chirp(sc.line(1, 48000), "A3", "A6", 0.3)
    assert np.linalg.norm(k.data) == pytest.approx(1) and k.domain.start == (0,) and k.data.size == 14400
    inside = np.unwrap(np.angle(k.data[100:-100]))
    f = np.diff(inside) / 2 / np.pi * 48000
    t = (np.arange(100, 14299) + 0.5) / 48000
    assert np.abs(f / (220 * 8 ** (t / 0.3)) - 1).max() < 1e-5
    assert np.abs(k.data[7200]) == np.abs(k.data).max() and k.data[0] == 0
    assert gain(k, -np.geomspace(220, 1760, 30)).max() < 1e-3 * gain(k, 700)[0]


# note

@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_the_notes_of_a_piano(rate):
    """88 keys: each is loudest at its own pitch within a cent, does not hear it an octave off, nor its negative."""
    from sigconv.scales import hz_to_note

    like, served = sc.line(1, rate), 0
    for key in range(88):
        f = 27.5 * 2 ** (key / 12)
        name = hz_to_note(f).replace("♯", "#")
        if f >= rate / 2:
            with pytest.raises(UsageError, match=f"below {rate // 2} Hz"):
                sc.kernel(f"note:{name}", like)
            continue
        served += 1
        k = sc.kernel(f"note:{name}", like)
        assert np.linalg.norm(k.data) == pytest.approx(1)
        a, b, c, other, negative = gain(k, np.array([f * 2 ** (-3 / 1200), f, f * 2 ** (3 / 1200), f / 2, -f]))
        assert abs(3 * (a - c) / (a - 2 * b + c) / 2) < 1 and other < 0.04 * b and negative < 1e-3 * b
    assert served == (87 if rate == 8000 else 88)


def test_notes_with_flats():
    like = sc.line(1, 44100)
    same_bits(sc.kernel("note:Ab6,0.4s", like).data, K.note(like, 440 * 2 ** (23 / 12), 0.4).data)
    for flat, sharp in (("Bb3", "A#3"), ("Cb4", "B3"), ("E♭5", "D#5"), ("ab6", "G#6")):
        same_bits(K.note(like, flat).data, K.note(like, sharp).data)
    assert K.note(like, "Ab6", 0.4).data.size == 2 * 8820 - 1


# two ears

def test_midside_is_its_own_inverse():
    x = real("stereo").between(1, 3)
    k = K.midside(x.domain)
    y = sc.convolve(x, k)
    assert y.channels == ("mid", "side")
    assert np.abs(y.data - np.array([x.data[0] + x.data[1], x.data[0] - x.data[1]]) / np.sqrt(2)).max() < 1e-15
    assert np.abs(sc.convolve(y, k).data - x.data).max() < 1e-15
    assert np.sum(y.data**2) == pytest.approx(np.sum(x.data**2))
    single = x.to(dtype="float32")
    assert np.abs(sc.convolve(sc.convolve(single, k), k).data - single.data).max() <= 1e-7 * np.abs(single.data).max() + 1e-7
    twice = sc.cascade(k, k).data[..., 0]
    assert np.abs(twice - np.eye(2)).max() < 1e-15


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_in_both_ears_has_no_side(dtype):
    x = real("speech").to(dtype=dtype)
    y = sc.convolve(sc.Signal(np.concatenate([x.data, x.data]), x.domain), K.midside(x.domain))
    assert not y.data[1].any() and np.abs(y.data[0]).max() > 0


@pytest.mark.parametrize("rate", RATES)
def test_crossfeed_is_duller_later_and_softer(rate):
    k = K.crossfeed(sc.line(1, rate), 6.0)
    assert k.value == (2, 2) and k.names == (("left", "right"), ("left", "right"))
    near, far = (sc.Signal(k.data[0, c], k.domain) for c in (0, 1))
    same_bits(k.data, k.data[::-1, ::-1])  # the ears are alike
    assert (near + far).data.sum() == pytest.approx(1, abs=1e-12)  # mono, DC
    assert near.data.sum() / far.data.sum() == pytest.approx(10 ** (6 / 20))
    assert far.data.nonzero()[0][0] == round(3e-4 * rate) and far.data.argmax() == round(3e-4 * rate)
    duller = 20 * np.log10(gain(far, [700])[0] / far.data.sum())
    assert duller == pytest.approx(-3, abs=0.2)
    assert gain(near, [rate / 2])[0] > 0.85 and gain(far, [rate / 2])[0] < 0.1


def test_crossfeed_is_the_recursion_on_a_recording():
    from scipy.signal import lfilter

    x = real("stereo").between(1, 3)
    n, rate = x.domain.shape[0], x.rate
    pole = np.exp(-2 * np.pi * 700 / rate)
    head = lfilter([1 - pole], [1, -pole], x.data) / (1 + 10 ** (4.5 / 20))
    late = round(3e-4 * rate)
    around = np.concatenate([np.zeros((2, late)), head[::-1, : n - late]], axis=1)
    y = sc.convolve(x, sc.kernel("crossfeed", x))
    assert y.channels == ("left", "right")
    assert np.abs(y.data - (x.data - head + around)).max() < 1e-5 * np.abs(x.data).max()


def test_crossfeed_between_samples():
    like = sc.line(1, 8000)
    late = [sc.study.facts(sc.Signal(K.crossfeed(like, delay=d).data[0, 1], K.crossfeed(like, delay=d).domain)).dc
            for d in (0.0005, 0.00053)]
    assert late[0] == pytest.approx(late[1], abs=1e-12)
    far = [sc.Signal(k.data[0, 1], k.domain) for k in (K.crossfeed(like, delay=0.0005), K.crossfeed(like, delay=0.00053))]
    turned = sc.spectrum.response(far[1], [300.0]).gain / sc.spectrum.response(far[0], [300.0]).gain
    assert -np.angle(turned[0]) / 2 / np.pi / 300 == pytest.approx(3e-5, rel=1e-3)


# parameters

TENSORS = {"comb": (1830.0,), "chirp": (300.0, 2100.0, 0.0061), "crossfeed": (4.0, 0.00043, 1900.0), "note": (1661.0, 0.0043)}


@pytest.mark.parametrize("name", TENSORS)
def test_gradients(name):
    import torch

    torch.set_num_threads(1)
    like, f = sc.line(1, 8000), FAMILIES[name].function
    options = {"teeth": 2} if name == "comb" else {}
    order = ("level", "delay", "cutoff") if name == "crossfeed" else tuple(FAMILIES[name].parameters)[: len(TENSORS[name])]

    def taps(*shares):
        made = f(like, **{p: v * s for p, v, s in zip(order, TENSORS[name], shares, strict=True)}, **options).data
        return torch.view_as_real(made) if made.is_complex() else made

    ones = tuple(torch.ones((), dtype=torch.float64, requires_grad=True) for _ in order)
    assert torch.autograd.gradcheck(taps, ones)
    numbers = dict(zip(order, TENSORS[name], strict=True))
    for one in order:  # one tensor among numbers is enough
        assert f(like, **numbers | {one: torch.tensor(numbers[one])}, **options).data.dtype in (torch.float32, torch.complex64)
    plain = f(like, **numbers, **options)
    same = f(like, **{p: torch.tensor(v, dtype=torch.float64) for p, v in numbers.items()}, **options)
    assert np.abs(same.numpy().data - plain.on(same.domain).data).max() < 1e-12


@pytest.mark.parametrize(("spec", "words"), [
    ("hilbert:taps=100", "hilbert with 100 taps: wanted an odd number, with one in the middle; take 101"),
    ("hilbert:taps=1", "at least 3"), ("hilbert:low=9k", "above 0 and below 4000 Hz"),
    ("hilbert:low=0.001", "wanted at most 4194304"), ("comb:9k", "pitch 9000 Hz: wanted above 0 and below 8000 Hz"),
    ("comb:-3", "above 0"), ("comb:440,0", "teeth 0: wanted at least 1"),
    ("comb:440,2.5", "whole number"), ("comb:0.001", "wanted at most 4194304"), ("comb:H4", "a note"),
    ("chirp:2k,200", "wanted low below high; for a falling sweep take chirp(…).reverse()"),
    ("chirp:2k,2k", "for one pitch take note"), ("chirp:200,9k", "high 9000 Hz: wanted above 0 and below 8000 Hz"),
    ("chirp:200,2k,-1s", "duration -1 s: wanted at least"), ("chirp:200,2k,0", "at least"), ("chirp:1,2,1e9", "wanted at most"),
    ("crossfeed:-3", "level -3 dB: wanted above 0 dB"), ("crossfeed:delay=-1ms", "at least 0 s"),
    ("crossfeed:cutoff=90k", "below 8000 Hz"), ("crossfeed:cutoff=1e-5", "wanted at most"), ("crossfeed:delay=1e9", "at most"),
    ("midside:3", "it takes no parameters"), ("note:A10", "below 8000 Hz"), ("note:H4", "a note (A4)"),
])
def test_refused_in_one_line(spec, words):
    with pytest.raises(UsageError) as why:
        sc.kernel(spec, sc.line(1, 16000))
    assert words in str(why.value) and "\n" not in str(why.value) and len(str(why.value)) <= 500


@pytest.mark.parametrize(("name", "words"), [
    ("hilbert", "a quarter turn needs a direction"), ("chirp", "one axis, time"), ("note", "one pitch along one axis"),
    ("crossfeed", "images and volumes have none"), ("midside", "images and volumes have none")])
def test_refused_in_the_plane(name, words):
    for like in (LIKES[2][0], sc.load(sc.io.sample("image")), LIKES[3][0]):
        with pytest.raises(UsageError, match=words):
            sc.kernel(name, like)


def test_stereo_kernels_on_mono_say_how_to_get_there():
    x = real("speech")
    for name in ("crossfeed", "midside"):
        with pytest.raises(SigconvError, match=r"wanted a value that ends in 2; sc.mix\(x, 'upmix:2'\)") as why:
            sc.convolve(x, sc.kernel(name, x))
        assert "\n" not in str(why.value)
    assert sc.convolve(sc.mix(x, "upmix:2"), sc.kernel("crossfeed", x)).value == (2,)


@pytest.mark.parametrize(("name", "words"), [
    ("hilbert", "cosine becomes the sine"), ("comb", "sings"), ("chirp", "matched filter"), ("crossfeed", "headphones"),
    ("midside", "mid and side"), ("lowpass", "equiripple")])
def test_told_on_the_command_line(name, words):
    told = run("kernels", name)
    assert told.code == 0 and words in told.out


def test_a_mono_file_under_crossfeed_is_one_line(tmp_path):
    told = run("listen", "--kernel", "crossfeed", sc.io.sample("speech"), "-o", tmp_path / "out.wav", cwd=tmp_path)
    assert told.code in (1, 2) and "in stereo" in told.err and len(told.err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
