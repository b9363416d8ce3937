"""Banks in words: every family where and as wide as it says, from its words alone; words that are wrong in one line."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sigconv as sc
from sigconv.errors import UsageError
from sigconv.kernels import BANKS, bank, find_bank

RATES = (8000, 16000, 44100)
BANDS = [name for name, f in BANKS.items() if f.dims == (1,) and {"centre", "bandwidth"} <= set(f.learnable)]
MIDDLE = {"sinc": lambda peak, low, high: (low + high) / 2, "octave": lambda peak, low, high: np.sqrt(low * high)}


def rows(made, parameters):
    """(taps, first index, centre, bandwidth) of every filter."""
    pairs = made if isinstance(made, list) else [(made, 1)]
    taps = [(k.data[i], k.domain.start[0]) for k, _ in pairs for i in range(k.value[0])]
    order = np.argsort(parameters["strides"], kind="stable") if isinstance(made, list) else np.arange(len(taps))
    return [(*t, parameters["centre"][i], parameters["bandwidth"][i]) for t, i in zip(taps, order, strict=True)]


def measured(taps, first, rate, near, width):
    """Peak, −3 dB edges and largest gain, on a fine grid about where they should be."""
    f = np.linspace(max(near - 1.2 * width, 0), min(near + 1.2 * width, rate / 2), 601)
    gain = np.abs(np.exp(-2j * np.pi * np.outer(f, (np.arange(len(taps)) + first) / rate)) @ taps)
    heard = f[gain >= gain.max() / np.sqrt(2)]
    return f[gain.argmax()], heard[0], heard[-1], gain.max()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", BANDS)
def test_bands_are_where_they_say_and_as_wide(name, rate):
    """Centre within 1 %, −3 dB bandwidth within 5 %, gain 1."""
    family, like = BANKS[name], sc.line(1, rate)
    parameters = family.begin(like)
    every = rows(family.function(like, **parameters), parameters)
    for i in np.unique(np.linspace(0, len(every) - 1, 3).astype(int)):
        taps, first, f, wide = every[i]
        peak, low, high, gain = measured(taps, first, rate, f, wide)
        assert MIDDLE.get(name, lambda peak, low, high: peak)(peak, low, high) == pytest.approx(f, rel=0.01)
        assert high - low == pytest.approx(wide, rel=0.05)
        assert name == "piano" or gain == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("scale", ["mel", "htk", "bark", "erb", "octave", "linear"])
@pytest.mark.parametrize("name", ["sinc", "gabor"])
def test_neighbours_meet_at_minus_three_decibels(name, scale):
    like = sc.line(1, 16000)
    k = bank(f"{name}:12,200,6000,scale={scale}", like)
    centres = sc.scales.spaced(200, 6000, 12, scale)
    assert k.channels == tuple(f"{f:.5g} Hz" for f in centres)
    wide = sc.scales.widths(centres, scale)
    for i in (3, 7):
        gains = np.abs(sc.spectrum.response(k, [centres[i] + wide[i] / 2]).gain)[[i, i + 1], 0]
        assert 20 * np.log10(gains[0]) == pytest.approx(-3.01, abs=0.35)
        assert 20 * np.log10(gains[1]) == pytest.approx(-3.01, abs=0.35 if scale == "linear" else 2)


def test_words_are_those_of_the_functions():
    like = sc.line(1, 16000)
    ears = sc.scales.spaced(100, 7000, 32, "erb")
    assert np.abs(bank("gammatone:32,100,7000", like).data - sc.kernels.gammatone(like, ears).data).max() < 1e-12
    assert np.array_equal(sc.kernel("gammatone:32,100,7000", like).data, bank("GAMMATONE:32,100,7k", like).data)
    ours, theirs = bank("cqt:A2,7040", like), sc.kernels.constant_q(like, 110, 7040, 12)
    assert sum(k.value[0] for k, _ in ours) == sum(k.value[0] for k, _ in theirs)
    for (a, s), (b, t) in zip(ours, theirs, strict=True):
        assert s == t and a.channels == b.channels and np.abs(a.on(b.domain).data - b.data).max() < 1e-12
    assert np.abs(bank("piano", like).on(sc.kernels.piano(like).domain).data - sc.kernels.piano(like).data).max() < 1e-12
    assert bank("octave:3,100,6k", like).channels[0] == "100 Hz"
    assert np.array_equal(bank("stft:window=64", like).data, sc.kernels.fourier(like, 64).data)
    assert np.array_equal(bank("haar:2", like)[1][0].data, sc.kernels.daubechies(like, 1, 2)[1][0].data)
    assert bank("free:3,5,seed=2", sc.grid(1, 1)).data.shape == (3, 5, 5)


@pytest.mark.parametrize("name", BANDS)
def test_real_parts_and_one_band(name):
    like = sc.line(1, 8000)
    if "quadrature" in BANKS[name].parameters:
        pair, real = bank(name, like), bank(f"{name}:quadrature=no", like)
        assert np.abs(2 * pair.data.real - real.data).max() < 1e-15 and real.data.dtype == float
    if "count" in BANKS[name].parameters:
        one = BANKS[name].begin(like, count=1, low=1000, high=2000)
        assert one["centre"].shape == one["bandwidth"].shape == (1,) and 1000 < one["centre"][0] < 2000
        assert name.startswith("gamma") or one["bandwidth"][0] == pytest.approx(1000)
        assert BANKS[name].function(like, **one).value == (1,)


@pytest.mark.parametrize("name", BANDS)
def test_gradients(name):
    """Every array parameter, in double precision."""
    family, like = BANKS[name], sc.line(1, 8000)
    words = {"strides": (2, 1)} if name.endswith("_q") else {"taps": 61} if "taps" in family.parameters else {}
    f = torch.tensor([700.0, 1500.0], dtype=torch.float64, requires_grad=True)
    wide = torch.tensor([310.0, 420.0], dtype=torch.float64, requires_grad=True)
    more = {"chirp": torch.tensor(-1.5, dtype=torch.float64, requires_grad=True)} if "chirp" in family.learnable else {}

    def taps(f, wide, *rest):
        made = family.function(like, centre=f, bandwidth=wide, **words, **dict(zip(more, rest, strict=True)))
        return tuple(k.data for k, _ in made) if isinstance(made, list) else made.data

    assert torch.autograd.gradcheck(taps, (f, wide, *more.values()), eps=1e-4, atol=1e-6, rtol=1e-3)
    plain = family.function(like, centre=[700.0, 1500.0], bandwidth=[310.0, 420.0], **words)
    pairs = zip(taps(f, wide, *([-2.0] * len(more))), (k.data for k, _ in plain), strict=True) if isinstance(plain, list) \
        else [(taps(f, wide, *([-2.0] * len(more))), plain.data)]
    assert all(np.abs(a.detach().numpy() - b).max() < 1e-12 for a, b in pairs)


@pytest.mark.parametrize(("spec", "words", "message"), [
    ("gamatone:8", {}, "bank 'gamatone': unknown; did you mean 'gammatone'"),
    ("xyzzy", {}, "unknown; wanted one of constant_q, "),
    ("gammatone:0", {}, "count 0: wanted at least 1"),
    ("gammatone:8,100,5000", {}, "high 5000 Hz: wanted above 0 and below 4000 Hz"),
    ("gammatone:8,500,100", {}, "8 frequencies from 500 to 100"),
    ("gammatone:8,scale=oct", {}, "scale 'oct': wanted .*did you mean 'octave'"),
    ("gammatone:8,cuont=3", {}, "no parameter 'cuont'; did you mean 'count'"),
    ("gammatone", {"centr": [1.0]}, "no parameter 'centr'; did you mean 'centre'"),
    ("gammatone:quadrature=maybe", {}, "quadrature 'maybe': wanted yes or no"),
    ("gammatone", {"centre": [0.0, 100.0]}, "centre 0 … 100 Hz: wanted one or a list above 0 and below 4000"),
    ("gammatone", {"centre": [4000.0]}, "centre 4000"),
    ("gabor", {"bandwidth": 0.0}, "bandwidth 0 Hz: wanted above 0"),
    ("morlet:8,0", {}, "above 0 Hz"),
    ("sinc:bandwidth=10,taps=101", {}, "bandwidth 10 Hz with 101 taps: wanted at least 103.2"),
    ("sinc", {"centre": torch.tensor([500.0]), "bandwidth": torch.tensor([10.0]), "taps": 101}, "or 1043 taps"),
    ("octave:low=1100,high=1200", {}, "there is none"), ("octave:fraction=0", {}, "fraction 0"),
    ("free:0", {}, "count 0"), ("daubechies:order=21", {}, "order 21"),
    ("cqt:5000", {}, "low 5000 Hz: wanted above 0 and below 4000"),
])
def test_wrong_words(spec, words, message):
    with pytest.raises(UsageError, match=message) as why:
        bank(spec, sc.line(1, 8000), **words)
    assert "\n" not in str(why.value)


def test_where_they_serve():
    with pytest.raises(UsageError, match="bank gammatone on 2 axes: it serves 1"):
        bank("gammatone", sc.grid(3, 3))
    with pytest.raises(UsageError, match="for a int: wanted the domain"):
        bank("gammatone", 8000)
    assert find_bank("nothing") is None


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.parametrize("rate", [300, 1000])
def test_low_rates_have_banks_too(name, rate):
    if name not in ("piano", "constant_q", "variable_q", "octave") or rate == 1000:
        made = bank(name, sc.line(1, rate) if 1 in BANKS[name].dims else sc.grid(*(1,) * BANKS[name].dims[0]))
        assert all(np.isfinite(k.data).all() for k, _ in (made if isinstance(made, list) else [(made, 1)]))
