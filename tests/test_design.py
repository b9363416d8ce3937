"""Designs through scipy: its taps to the bit, what makes each the best of its kind, and what each says that it reached."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import same_bits
from scipy import signal

import sigconv as sc
from sigconv import kernels as K
from sigconv.errors import UsageError

KINDS = {"lowpass": ((800.0,), (1, 0)), "highpass": ((800.0,), (0, 1)), "bandpass": ((500.0, 2000.0), (0, 1, 0)),
         "bandstop": ((500.0, 2000.0), (1, 0, 1))}
METHODS = ("window", "equiripple", "ls")


def make(kind: str, rate: float, **options) -> sc.Signal:
    return getattr(K, kind)(sc.line(1, rate), *KINDS[kind][0], **options)


def bands(kind: str, rate: float, width: float) -> list[float]:
    return [0.0, *(e for f in KINDS[kind][0] for e in (f - width / 2, f + width / 2)), rate / 2]


def error(k: sc.Signal, kind: str, width: float, points: int = 4001) -> tuple[np.ndarray, np.ndarray]:
    """Gain less what is wanted, inside the bands, and which of them is wanted to pass."""
    rate = float(k.domain.rate)
    f = np.linspace(0, rate / 2, points)
    gain, edges, wanted = np.abs(sc.spectrum.response(k, f).gain), bands(kind, rate, width), KINDS[kind][1]
    inside = [(a <= f) & (f <= b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    off = np.concatenate([gain[part] - w for part, w in zip(inside, wanted, strict=True)])
    return off, np.concatenate([np.full(part.sum(), w) for part, w in zip(inside, wanted, strict=True)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_scipy_to_the_bit(kind, rate):
    wanted, edges = KINDS[kind][1], bands(kind, rate, 250.0)
    equiripple = make(kind, rate, taps=201, width=250.0, method="equiripple")
    same_bits(equiripple.data, signal.remez(201, edges, wanted, fs=rate))
    least = make(kind, rate, taps=201, width=250.0, method="ls")
    same_bits(least.data, signal.firls(201, edges, np.repeat(wanted, 2), fs=rate))
    assert equiripple.domain.start == least.domain.start == (-100,)
    for linear, options in ((equiripple, {"method": "equiripple"}), (least, {"method": "ls"}), (make(kind, rate, taps=201), {})):
        early = make(kind, rate, taps=201, width=250.0, phase="minimum", **options)
        same_bits(early.data, signal.minimum_phase(linear.data, half=False))
        assert early.domain.start == (0,) and early.domain.step == linear.domain.step


@pytest.mark.parametrize("kind", KINDS)
def test_the_usual_path_is_as_it_was(kind):
    """firwin, to rounding."""
    cuts, wanted = KINDS[kind]
    theirs = signal.firwin(201, cuts if len(cuts) > 1 else cuts[0], fs=44100, pass_zero=bool(wanted[0]))
    assert np.abs(make(kind, 44100, taps=201).data - theirs).max() < 1e-12
    same_bits(make(kind, 44100, taps=201).data, make(kind, 44100, taps=201, method="window", phase="linear").data)


def test_scipy_is_imported_on_request_only():
    code = ("import sys, sigconv as sc; like = sc.line(1, 8000); [sc.kernel(kind, like) for kind in sys.argv[1:]]; "
            "usual = 'scipy' in sys.modules; sc.kernel('lowpass:phase=minimum', like); "
            "sys.exit(usual or 'scipy.signal' not in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code, *KINDS], check=False).returncode == 0


def test_method_without_width_takes_what_the_taps_can_do():
    k = sc.kernel("lowpass:800,method=equiripple,taps=101", sc.line(1, 16000))
    half = 3.3 * 16000 / 101 / 2
    same_bits(k.data, signal.remez(101, [0, 800 - half, 800 + half, 8000], [1, 0], fs=16000))
    assert K.reached(k).attenuation == pytest.approx(60, abs=1.5)
    short = sc.kernel("lowpass:800,method=equiripple,taps=21", sc.line(1, 16000))  # never wider than the cutoff
    same_bits(short.data, signal.remez(21, [0, 400, 1200, 8000], [1, 0], fs=16000))
    assert sc.kernel("lowpass:800,method=ls", sc.line(1, 16000)).data.size == K.lowpass(sc.line(1, 16000), 800).data.size


@pytest.mark.parametrize("kind", KINDS)
def test_equiripple_is_the_least_largest_error_and_alternates(kind):
    """Chebyshev: at least (K + 1)/2 + 1 extremes of one size, of alternating sign (Parks & McClellan 1972)."""
    width, taps = 250.0, 101
    k = make(kind, 8000, taps=taps, width=width, method="equiripple")
    f, edges, wanted = np.linspace(0, 4000, 20001), bands(kind, 8000, width), KINDS[kind][1]
    amplitude = sc.spectrum.response(k, f).gain.real
    extremes = []
    for a, b, w in zip(edges[::2], edges[1::2], wanted, strict=True):
        e = amplitude[(a <= f) & (f <= b)] - w
        turns = np.flatnonzero(np.diff(np.sign(np.diff(e)))) + 1
        extremes += [e[0], *e[turns], e[-1]]
    size = np.abs(extremes).max()
    signs = [np.sign(e) for e in extremes if abs(e) > 0.97 * size]
    # a sign counts once: the error keeps it across a transition only where an extreme is left out
    assert 1 + np.count_nonzero(np.diff(signs)) >= (taps + 1) // 2 + 1
    off, passes = error(k, kind, width)
    assert np.abs(off[passes == 1]).max() == pytest.approx(np.abs(off[passes == 0]).max(), rel=0.02)
    for other in ("ls", "window"):
        assert np.abs(off).max() < np.abs(error(make(kind, 8000, taps=taps, width=width, method=other), kind, width)[0]).max()


@pytest.mark.parametrize("kind", KINDS)
def test_ls_is_the_least_sum_of_squares(kind):
    sums = {m: np.sum(error(make(kind, 8000, taps=101, width=250.0, method=m), kind, 250.0)[0] ** 2) for m in METHODS}
    assert min(sums, key=sums.__getitem__) == "ls"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_minimum_phase_is_the_same_gain_as_early_as_can_be(kind, method):
    linear = make(kind, 44100, taps=301, width=600.0, method=method)
    early = make(kind, 44100, taps=301, width=600.0, method=method, phase="minimum")
    f = np.linspace(0, 22050, 5000)
    gains = [np.abs(sc.spectrum.response(k, f).gain) for k in (linear, early)]
    assert np.abs(gains[1] - gains[0]).max() < 1e-4
    energy = [np.cumsum(k.data**2) for k in (linear, early)]
    assert (energy[1] - energy[0] > -1e-5).all() and energy[1][150] > 0.99 * energy[1][-1]
    assert np.abs(np.roots(make(kind, 8000, taps=31, width=700.0, method=method, phase="minimum").data)).max() < 1 + 2e-3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("phase", ["linear", "minimum"])
def test_each_says_what_it_reached(kind, method, phase):
    k = make(kind, 16000, taps=301, width=250.0, method=method, phase=phase)
    r = K.reached(k)
    assert 45 < r.attenuation < 90 and r.ripple < 0.06 and r.transition < 350
    for spans, low, high in ((r.passband, 10 ** (-r.ripple / 20) * 0.9995, 10 ** (r.ripple / 20) * 1.0005),
                             (r.stopband, 0, 1.03 * 10 ** (-r.attenuation / 20))):
        for a, b in spans:
            gain = np.abs(sc.spectrum.response(k, np.linspace(a, b, 500)).gain)
            assert low <= gain.min() and gain.max() <= high
    flat = K.flat(k, 10 ** (r.ripple / 20) - 1 + 1e-9)
    assert len(flat) >= len(r.passband) == 1 + (kind == "bandstop")
    assert all(any(a <= p + 60 and q - 60 <= b for a, b in flat) for p, q in r.passband)
    assert f"attenuation {r.attenuation:.0f} dB" in sc.study.describe(k)


def test_a_tone_that_passes_lives_and_one_that_does_not_dies():
    rate, t = 16000, np.arange(8000) / 16000
    for method in METHODS:
        for phase in ("linear", "minimum"):
            k = make("lowpass", rate, taps=201, width=300.0, method=method, phase=phase)
            r = K.reached(k)
            for f, level in ((600, 1.0), (1100, 0.0)):
                x = sc.Signal(np.sin(2 * np.pi * f * t), sc.line(8000, rate))
                top = np.abs(sc.convolve(x, k).data[400:-400]).max()
                assert abs(top - level) < 10 ** (-r.attenuation / 20) * 1.05 + (10 ** (r.ripple / 20) - 1) + 2e-4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_defaults_at_every_rate(kind, method):
    for like in (*map(partial(sc.line, 1), (8000, 16000, 22050, 44100, 48000, 80)), sc.grid(1, step=2, unit="mm"), sc.grid(1)):
        r = K.reached(getattr(K, kind)(like, method=method))
        assert r.attenuation > 50 and r.ripple < 0.06, like
        early = K.reached(getattr(K, kind)(like, method=method, phase="minimum"))
        assert early.attenuation == pytest.approx(r.attenuation, abs=1)


def test_a_long_band_stop_that_remez_loses_is_one_less_the_band_pass():
    edges = bands("bandstop", 44100, 124.918)
    with pytest.raises((ValueError, RuntimeError)):
        signal.remez(1165, edges, [1, 0, 1], fs=44100)
    k = make("bandstop", 44100, taps=1165, width=124.918, method="equiripple")
    passed = signal.remez(1165, edges, [0, 1, 0], fs=44100)
    same_bits(k.data, (np.arange(1165) == 582) - passed)
    assert K.reached(k).attenuation > 58


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(tuple(KINDS)), st.sampled_from(METHODS), st.sampled_from(("linear", "minimum")), st.integers(1, 160),
       st.none() | st.floats(1, 3000))
def test_taps_or_one_line(kind, method, phase, taps, width):
    try:
        k = make(kind, 8000, taps=taps, width=width, method=method, phase=phase)
    except UsageError as why:
        assert "wanted" in str(why) and "\n" not in str(why) and len(str(why)) <= 500
        return
    assert k.data.shape == (taps,) and np.isfinite(k.data).all()
    assert k.domain.start == ((0,) if phase == "minimum" else (-((taps - 1) // 2),))


@pytest.mark.parametrize(("spec", "words"), [
    ("lowpass:800,method=remez", "method 'remez': wanted window, equiripple, ls"),
    ("lowpass:800,method=equirippel", "did you mean 'equiripple'"), ("lowpass:800,phase=min", "did you mean 'minimum'"),
    ("lowpass:800,method=ls,taps=100", "wanted an odd number, 3 or more; take 101"),
    ("lowpass:800,method=equiripple,taps=2", "wanted 3 or more; take 3"),
    ("highpass:800,method=equiripple,taps=100", "taps 100 for highpass: wanted an odd number"),
    ("lowpass:800,phase=minimum,taps=2", "taps 2 for phase minimum: wanted 3 or more"),
    ("lowpass:800,method=equiripple,window=hann", "only method=window takes a window"),
    ("lowpass:800,method=ls,window=kaiser,beta=5", "only method=window takes a window"),
    ("lowpass:800,method=equiripple,width=1700", "width 1700 Hz: wanted above 0 and below 1600 Hz"),
    ("bandpass:500,900,method=ls,width=400,taps=101", "width 400 Hz: wanted above 0 and below 400 Hz"),
    ("lowpass:800,method=equiripple,width=-3", "above 0"),
    ("lowpass:5k,method=equiripple,taps=501,width=5k", "it did not converge; wanted another number of taps or another width"),
    ("lowpass:20,method=equiripple", "wanted at most 4097; give taps or a larger width"),
    ("lowpass:20,method=ls", "wanted at most 4097"), ("lowpass:800,width=0.05,phase=minimum", "wanted at most 16385"),
    ("lowpass:800,method=equiripple,taps=10000000", "wanted at most 4194304"), ("bandpass:2k,500,method=ls", "low below high"),
    ("lowpass:9k,method=equiripple", "wanted below 8000"),
])
def test_refused_in_one_line(spec, words):
    with pytest.raises(UsageError) as why:
        sc.kernel(spec, sc.line(1, 16000))
    assert words in str(why.value) and "\n" not in str(why.value) and len(str(why.value)) <= 500


@pytest.mark.parametrize("options", [{"method": "equiripple"}, {"method": "ls"}, {"phase": "minimum"}])
def test_lines_and_numbers_only(options):
    import torch

    for like in (sc.grid(1, 1), sc.grid(1, 1, 1)):
        with pytest.raises(UsageError, match=r"axes: it designs along a line; wanted method=window and phase=linear"):
            K.lowpass(like, 0.2, **options)
    for cutoff, width in ((torch.tensor(800.0), None), (800.0, torch.tensor(100.0, requires_grad=True))):
        with pytest.raises(UsageError, match="no gradient runs through this design; wanted numbers, or method=window"):
            K.lowpass(sc.line(1, 8000), cutoff, width=width, **options)
    assert K.lowpass(sc.line(1, 8000), torch.tensor(800.0, requires_grad=True)).data.requires_grad


def test_an_edge_for_each_axis():
    like = sc.Domain((1, 1), (20, "0.0125"), 0, ("Hz", "s"))  # a spectrogram's: 20 Hz by 12.5 ms
    k = K.lowpass(like, (0.005, 8), taps=15)
    wanted = [K.lowpass(sc.grid(1, step=step, unit=unit), cutoff, taps=15).data
              for step, unit, cutoff in ((20, "Hz", 0.005), (0.0125, "s", 8))]
    assert np.abs(k.data - wanted[0][:, None] * wanted[1]).max() < 1e-15
    assert np.abs(sc.kernel("lowpass:0.005:8,15", like).data - k.data).max() < 1e-15
    with pytest.raises(UsageError, match=r"cutoff 8 on axes in Hz and s: wanted one for each, e.g. cutoff=\(0.00625, 10\)"):
        K.lowpass(like, 8)
    with pytest.raises(UsageError, match="cutoff with 3 entries"):
        K.lowpass(like, (1, 2, 3))
    stop = K.bandstop(like, (0.002, 4), (0.01, 20), taps=15)
    assert np.abs((stop + K.bandpass(like, (0.002, 4), (0.01, 20), taps=15)).data).sum() == pytest.approx(1)
