"""Responses, delays and spectrograms against scipy, and against what tones and clicks have to read."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from laws import near

import sigconv as sc
from sigconv.spectrum import decibels, hann, response, spectrogram


@given(st.integers(1, 60), st.integers(-40, 40), st.booleans(), st.integers(0, 10**6))
def test_the_response_is_the_transform_of_the_taps_at_their_places(n, start, is_complex, seed):
    rng = np.random.default_rng(seed)
    taps = rng.normal(size=(2, n)) + (1j * rng.normal(size=(2, n)) if is_complex else 0)
    k = sc.Signal(taps, sc.line(n, 8000, start))
    nu = rng.uniform(-4000, 4000, 9)
    wanted = taps @ np.exp(-2j * np.pi * np.outer(k.coordinates(), nu))
    near(response(k, nu).gain, wanted, 1e-11 * float(np.abs(taps).sum()))
    whole = response(k)
    assert whole.frequency.min() == (-4000 if is_complex else 0) or len(whole.frequency) % 2
    assert len(whole.frequency) >= 1024
    exact = taps @ np.exp(-2j * np.pi * np.outer(k.coordinates(), whole.frequency))
    near(whole.gain, exact, 1e-11 * float(np.abs(taps).sum()))


@given(st.integers(2, 40), st.integers(0, 10**6))
def test_group_delay_is_minus_the_slope_of_the_phase(n, seed):
    rng = np.random.default_rng(seed)
    taps = rng.normal(size=n)
    nu, late = scipy.signal.group_delay((taps, [1.0]), w=np.linspace(100, 3900, 30), fs=8000)
    got = response(sc.Signal(taps, sc.line(n, 8000)), nu)
    clear = np.abs(got.gain) > 1e-2 * np.abs(taps).sum()
    near(got.delay[clear] * 8000, late[clear], 1e-6 * n)


@given(st.integers(-30, 30), st.integers(1, 31), st.integers(0, 10**6))
def test_a_symmetric_kernel_has_the_delay_of_its_middle_everywhere(start, n, seed):
    half = np.random.default_rng(seed).normal(size=n)
    taps = half + half[::-1]
    r = response(sc.Signal(taps, sc.line(n, 8000, start)))
    clear = np.isfinite(r.delay) & (np.abs(r.gain) > 1e-3 * np.abs(taps).sum())
    near(r.delay[clear] * 8000, np.full(clear.sum(), start + (n - 1) / 2), 1e-6)


def test_a_delay_that_can_not_be_told_is_nan():
    r = response(sc.Signal([1.0, -1.0], sc.line(2, 8000)), [0.0, 4000.0])
    assert np.isnan(r.delay[0])
    assert r.delay[1] * 8000 == pytest.approx(0.5)
    assert np.isnan(response(sc.Signal(np.zeros(3), sc.line(3, 1))).delay).all()


def test_decibels_and_windows():
    near(decibels([1, 10, 0.1, 0]), [0, 20, -20, -200], 1e-12)
    assert decibels([0.0], -90).tolist() == [-90]
    for n in (1, 2, 5, 256):
        if n % 2 == 0:
            near(hann(n), scipy.signal.get_window("hann", n), 1e-15)
        near(hann(n)[::-1] if n % 2 else np.roll(hann(n)[::-1], 1), hann(n), 1e-15)


# ---- spectrograms

@given(st.integers(1, 600), st.sampled_from((1, 2, 16, 31, 64, 65)), st.integers(1, 40), st.integers(-20, 20))
def test_each_frame_is_the_windowed_transform_with_phases_from_time_0(n, window, hop, start):
    rng = np.random.default_rng(n)
    x = sc.Signal(rng.normal(size=(2, n)), sc.line(n, 8000, start), ("L", "R"))
    S = spectrogram(x, window=window, hop=hop)
    assert S.domain.shape == (window // 2 + 1, -(-n // hop))
    assert S.domain.unit == ("Hz", "s")
    assert S.channels == ("L", "R")
    near(S.coordinates(0), np.arange(window // 2 + 1) * 8000 / window, 1e-9)
    near(S.coordinates(1), (start + hop * np.arange(S.domain.shape[1])) / 8000, 1e-12)
    w = hann(window) / hann(window).sum()
    j = S.domain.shape[1] - 1
    at = j * hop - window // 2 + np.arange(window)
    for b in {0, min(1, window // 2), window // 2}:
        inside = (at >= 0) & (at < n)
        samples = np.where(inside, x.data[1][np.clip(at, 0, n - 1)], 0)
        wanted = (samples * w * np.exp(-2j * np.pi * b / window * (at + start))).sum()
        once = b == 0 or (window % 2 == 0 and b == window // 2)
        near(S.data[1, b, j], wanted * (1 if once else 2), 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("b", [5, 32, 100])
def test_a_tone_of_amplitude_one_reads_one_at_its_bin(b, dtype):
    n, window = 8000, 256
    x = sc.Signal(np.cos(2 * np.pi * b / window * np.arange(n) + 0.3)[None].astype(dtype), sc.line(n, 8000))
    S = spectrogram(x, window=window, hop=64)
    inner = np.abs(S.data[0, :, 4:-4])
    assert S.data.dtype == ("complex64" if dtype == "float32" else "complex128")
    near(inner[b], np.ones(inner.shape[1]), 1e-5 if dtype == "float32" else 1e-12)
    assert inner.argmax(0).tolist() == [b] * inner.shape[1]
    turned = np.angle(S.data[0, b, 4:-4])
    near(turned, np.full(turned.shape, 0.3), 1e-4 if dtype == "float32" else 1e-9)  # a steady tone is one constant row


def test_one_side_of_scipys_transform_doubled():
    x = np.random.default_rng(1).normal(size=8000)
    _, _, theirs = scipy.signal.stft(x, nperseg=512, noverlap=384, window="hann", boundary="zeros")
    ours = np.abs(spectrogram(sc.Signal(x, sc.line(8000, 8000)), window=512, hop=128).data)
    theirs = np.abs(theirs)[:, : ours.shape[1]]
    near(ours[1:-1], 2 * theirs[1:-1], 1e-12)
    near(ours[[0, -1]], theirs[[0, -1]], 1e-12)


def test_a_click_is_all_frequencies_at_one_time():
    n, at = 4000, 1024
    S = spectrogram(sc.Signal(np.eye(1, n, at), sc.line(n, 8000)), window=128, hop=32)
    power = (np.abs(S.data[0]) ** 2).sum(0)
    assert S.coordinates(1)[power.argmax()] == at / 8000
    assert np.ptp(np.abs(S.data[0, 1:-1, power.argmax()])) < 1e-12


def test_a_complex_signal_has_both_halves():
    n, window = 2000, 200
    x = sc.Signal(np.exp(-2j * np.pi * 30 / window * np.arange(n))[None], sc.line(n, 8000))
    S = spectrogram(x, window=window, hop=50)
    assert S.domain.shape[0] == window
    assert S.coordinates(0)[0] == -4000
    row = np.abs(S.data[0, :, 20]).argmax()
    assert S.coordinates(0)[row] == -30 * 8000 / window
    near(np.abs(S.data[0, row, 20]), 1.0, 1e-12)


def test_defaults_edges_and_errors():
    S = spectrogram(sc.Signal(np.zeros((1, 44100)), sc.line(44100, 44100)))
    assert S.domain.shape == (1103, -(-44100 // 68))
    assert S.domain.step[0] == 20
    same = spectrogram(sc.Signal(np.arange(5.0), sc.line(5, 8000)), window=1, hop=1)  # a window of one sample is the signal
    assert same.data.tolist() == [[0, 1, 2, 3, 4]]
    assert spectrogram(sc.Signal(np.zeros((1, 0)), sc.line(0, 8000)), window=16).data.shape == (1, 9, 0)
    for call, words in ((lambda: spectrogram(sc.Signal(np.ones((3, 3)), sc.grid(3, 3))), "wanted one axis"),
                        (lambda: spectrogram(sc.Signal(np.ones(9), sc.line(9, 1)), window=0), "window 0: wanted 1 or more"),
                        (lambda: spectrogram(sc.Signal(np.ones(9), sc.line(9, 1)), hop=0), "hop 0: wanted 1 or more"),
                        (lambda: spectrogram(sc.Signal(np.ones(9), sc.line(9, 1)), window=2.5),
                         "window 2.5: wanted whole numbers"),
                        (lambda: response(sc.Signal(np.ones((3, 3)), sc.grid(3, 3))), "wanted one axis"),
                        (lambda: response(sc.Signal(np.ones(0), sc.line(0, 1))), "without taps")):
        with pytest.raises(sc.SigconvError) as caught:
            call()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
