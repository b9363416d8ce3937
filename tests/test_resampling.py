"""Another rate: positions kept, tones kept, images gone."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import near, same_bits

import sigconv as sc

RATES = (8000, 11025, 16000, 22050, 44100, 48000)


def tone(frequency, rate, n, start=0, dtype="float64"):
    x = sc.Signal(np.zeros((1, n), dtype), sc.line(n, rate, start))
    return sc.Signal(np.sin(2 * np.pi * frequency * x.coordinates())[None].astype(dtype), x.domain)


def level(x, y):
    """Error of y against x in dB."""
    return 10 * np.log10(((x - y) ** 2).sum() / (x**2).sum() + 1e-30)


@given(st.integers(0, 3000), st.sampled_from(RATES), st.sampled_from(RATES), st.integers(-300, 300))
def test_length_and_start(n, old, new, start):
    """ceil(n · new/old) samples; the first where the old first lay, or less than a sample before it."""
    x = sc.Signal(np.ones((2, n)), sc.line(n, old, start), ("L", "R"))
    y = sc.resample(x, new)
    assert y.domain.shape == (ceil(Fraction(n * new, old)),) or n == 0
    assert y.rate == new
    assert y.channels == ("L", "R")
    gap = Fraction(start, old) - Fraction(y.domain.start[0], new)
    assert 0 <= gap < Fraction(1, new)
    if old == new:
        assert y is x


@pytest.mark.parametrize("old", RATES)
@pytest.mark.parametrize("new", RATES)
def test_a_tone_below_the_edge_lives_at_its_place(old, new):
    """0.4 of the lower Nyquist rate, started off zero: the same function of time to −80 dB inside."""
    f = 0.4 * min(old, new) / 2
    x = tone(f, old, old // 4, start=137)
    y = sc.resample(x, new)
    inner = slice(new // 40, -(new // 40))
    assert level(np.sin(2 * np.pi * f * y.coordinates())[inner], y.data[0][inner]) <= -80


@pytest.mark.parametrize(("old", "new"), [(48000, 8000), (44100, 16000), (22050, 8000)])
def test_a_tone_above_the_edge_dies(old, new):
    for share in (1.2, 1.5):
        y = sc.resample(tone(share * new / 2, old, old // 2), new)
        inner = y.data[0][new // 20: -(new // 20)]
        assert 10 * np.log10((inner**2).mean() / 0.5) <= -80


@pytest.mark.parametrize(("old", "new"), [(8000, 48000), (16000, 44100), (22050, 44100)])
def test_up_and_down_gives_the_signal_back(old, new):
    rng = np.random.default_rng(0)
    smooth = sc.convolve(sc.Signal(rng.normal(size=(1, 4000)), sc.line(4000, old, 11)),
                         sc.Signal(np.sinc(np.arange(-200, 201) * 0.6) * np.hanning(401) * 0.6, sc.line(401, old).centre()))
    back = sc.resample(sc.resample(smooth, new), old)
    near_grid = back.on(smooth.domain)
    assert level(smooth.data[0, 300:-300], near_grid.data[0, 300:-300]) <= -80


@pytest.mark.parametrize(("old", "new"), [(8000, 48000), (48000, 16000), (44100, 48000), (48000, 44100)])
@pytest.mark.parametrize("start", [0, -20])
def test_a_kernel_keeps_its_gain_in_hertz_and_its_delay(old, new, start):
    """as_kernel scales the taps by old/new: the same response at every frequency that both rates hold."""
    taps = np.sinc(np.arange(-20, 21) / 6) * np.hanning(41) / 6
    k = sc.Signal(taps, sc.line(41, old, start))
    there = sc.resample(k, new, as_kernel=True)
    nu = np.linspace(0, 0.8 * min(old, new) / 2, 50)
    want, got = sc.spectrum.response(k, nu), sc.spectrum.response(there, nu)
    near(got.gain, want.gain, 1e-4)
    assert there.data.sum() == pytest.approx(taps.sum(), abs=1e-4)
    plain = sc.resample(k, new)
    assert abs(plain.data.sum() * old / new - taps.sum()) < 0.05


def test_types_and_tensors():
    import torch

    x = tone(440, 8000, 800, dtype="float32")
    assert sc.resample(x, 16000).data.dtype == np.float32
    t = sc.resample(x.to("torch"), 16000)
    assert (type(t.data), t.data.dtype) == (torch.Tensor, torch.float32)
    near(t.numpy().data, sc.resample(x, 16000).data, 0)
    whole = sc.Signal((x.data * 1000).astype("int16"), x.domain)
    rounded = sc.resample(whole, 16000)
    assert rounded.data.dtype == np.float64  # integers would be cut off between samples
    near(rounded.data, 1000 * sc.resample(x, 16000).data, 2.0)
    turning = sc.Signal(x.data + 1j * x.data[:, ::-1], x.domain)
    both = sc.resample(turning, 16000).data
    assert both.dtype == np.complex64
    near(both.real, sc.resample(x, 16000).data, 0)
    near(both.imag, sc.resample(sc.Signal(turning.data.imag, x.domain), 16000).data, 0)
    assert sc.resample(turning.to("torch"), 16000).data.dtype == torch.complex64
    before = x.data.copy()
    sc.resample(x, 11025)
    same_bits(x.data, before)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: sc.resample(sc.Signal(np.ones((3, 3)), sc.grid(3, 3)), 2), "wanted one axis"),
    (lambda: sc.resample(tone(1, 8000, 9), 0), "rate 0: wanted above 0"),
    (lambda: sc.resample(tone(1, 8000, 9), -8000), "wanted above 0"),
    (lambda: sc.resample(np.ones(9), 16000), "a ndarray: wanted a Signal"),
    (lambda: sc.resample(tone(1, 8000, 9), 16000, quality="best"), "wanted QQ, LQ, MQ, HQ, VHQ"),
    (lambda: sc.resample(tone(1, 8000, 9), "fast"), "wanted a number"),
    (lambda: sc.resample(sc.Signal(tone(1, 8000, 9).to("torch").data.requires_grad_(), sc.line(9, 8000)), 16000),
     "torchaudio.functional.resample"),
])
def test_errors_are_one_line(call, words):
    with pytest.raises(sc.SigconvError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
