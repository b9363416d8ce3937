"""Mel bands and pitch classes over an axis of frequencies: librosa's, number for number; what is empty is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sigconv as sc
from sigconv.errors import SigconvWarning

CASES = [(8000, 256, 20), (16000, 512, 40), (22050, 2048, 128), (44100, 2048, 64)]


def bins(rate, window):
    return np.arange(window // 2 + 1) * (rate / window)


@pytest.mark.parametrize(("rate", "window", "count"), CASES)
@pytest.mark.parametrize("formula", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["slaney", None])
def test_mel_is_librosas(rate, window, count, formula, norm):
    librosa = pytest.importorskip("librosa")
    for low, high in ((0, None), (60, rate / 2.5)):
        want = librosa.filters.mel(sr=rate, n_fft=window, n_mels=count, fmin=low, fmax=high, htk=formula == "htk", norm=norm,
                                   dtype=np.float64)
        got = sc.kernels.mel_weights(bins(rate, window), count, low, high, formula=formula, norm=norm)
        assert got.shape == want.shape and np.abs(got - want).max() <= 1e-12 * want.max()


@pytest.mark.parametrize(("rate", "window", "count"), CASES)
def test_chroma_is_librosas(rate, window, count):
    librosa = pytest.importorskip("librosa")
    cases = [({}, {}), ({"tuning": 0.3}, {"tuning": 0.3}), ({"octwidth": None}, {"width": None}),
             ({"norm": None}, {"norm": None}), ({"norm": 1}, {"norm": 1}), ({"norm": np.inf}, {"norm": np.inf}),
             ({"base_c": False}, {"first": "A"}), ({"n_chroma": 24}, {"bins": 24}), ({"ctroct": 4.0}, {"centre": 4.0})]
    for theirs, ours in cases:
        want = librosa.filters.chroma(sr=rate, n_fft=window, dtype=np.float64, **theirs)
        got = sc.kernels.chroma_weights(bins(rate, window), **ours)
        assert got.shape == want.shape and np.abs(got - want).max() <= 1e-12


def test_a_spectrogram_brings_its_axis():
    x = sc.load(sc.io.sample("speech")).between(0, 0.3)
    S = sc.spectrogram(x)
    axis = S.domain.unit.index("Hz")
    f = np.arange(S.domain.shape[axis]) * float(S.domain.step[axis])
    assert np.array_equal(sc.kernels.mel_weights(S, 20), sc.kernels.mel_weights(f, 20))
    assert np.array_equal(sc.kernels.chroma_weights(S.domain), sc.kernels.chroma_weights(f))


def test_triangles_tile_and_have_their_area():
    """At peak 1 the bands between the outermost centres sum to 1; scaled, each has area 1 where bins are fine."""
    f = np.arange(0, 4000.5, 0.5)
    edges = sc.scales.spaced(100, 4000, 12, "mel")
    weights = sc.kernels.triangles(f, edges)
    inside = (f >= edges[1]) & (f <= edges[-2])
    assert np.abs(weights.sum(0)[inside] - 1).max() < 1e-12
    assert np.abs(sc.kernels.triangles(f, edges, area=True).sum(1) * 0.5 - 1).max() < 1e-3
    assert [f[i] for i in weights.argmax(1)] == pytest.approx(edges[1:-1], abs=0.25)


def test_triangles_have_gradients():
    edges = torch.tensor([90.0, 310.0, 720.0, 1130.0], dtype=torch.float64, requires_grad=True)
    f = np.arange(0, 1500, 62.5)
    for area in (False, True):
        assert torch.autograd.gradcheck(lambda e, area=area: sc.kernels.triangles(f, e, area=area), (edges,), eps=1e-4)


def test_empty_bands_are_said():
    with pytest.warns(SigconvWarning, match="of 128 mel bands are empty .*take a longer window, fewer bands, or a higher low"):
        weights = sc.kernels.mel_weights(bins(16000, 256), 128)
    assert (weights.max(1) == 0).any()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: sc.kernels.mel_weights([0.0, 1.0, 1.0]), "wanted at least two, rising"),
    (lambda: sc.kernels.mel_weights("x"), "no numbers"),
    (lambda: sc.kernels.mel_weights(bins(8000, 64), 4, 5000), "low 5000 Hz: wanted at least 0 and below 4000 Hz"),
    (lambda: sc.kernels.mel_weights(bins(8000, 64), 0), "count 0: wanted at least 1"),
    (lambda: sc.kernels.mel_weights(bins(8000, 64), norm="x"), "norm 'x'"),
    (lambda: sc.kernels.mel_weights(sc.grid(3, 3)), "weights over axes in px, px: wanted one in Hz"),
    (lambda: sc.kernels.chroma_weights([1.0, 2.0]), "evenly spaced ones from 0 Hz on"),
    (lambda: sc.kernels.chroma_weights(bins(8000, 64), first="B"), "first 'B'"),
    (lambda: sc.kernels.triangles([0.0, 1.0], [3.0, 2.0, 1.0]), "wanted at least three, rising"),
])
def test_bad_weights(call, message):
    with pytest.raises(sc.SigconvError, match=message) as why:
        call()
    assert "\n" not in str(why.value)
