"""Filters that recordings teach: Oja's rule ends in the principal components, templates in what the examples share."""

from __future__ import annotations

import numpy as np
import pytest
from command import REAL

import sigconv as sc
from sigconv.errors import SigconvError


def cosines(a, b):
    return np.abs((a.data * b.data).reshape(len(a.data), -1).sum(1))


def components(x, size, n):
    """From the definition: the singular vectors of all patches, a row each."""
    data = x.data.astype(float)
    patches = np.concatenate([np.lib.stride_tricks.sliding_window_view(c - data.mean(), size) for c in data])
    return np.linalg.svd(patches, full_matrices=False)[2][:n]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_oja_on_the_sample_is_its_principal_components(seed):
    x = sc.load(sc.io.sample("speech")).between(0.5, 1.5)
    learned, exact = sc.learn.oja(x, 4, 32, seed=seed), components(x, 32, 4)
    assert (np.abs((learned.data * exact).sum(1)) >= 0.99).all()
    assert np.abs(cosines(sc.learn.oja(x, 4, 32, method="pca"), sc.Signal(exact, learned.domain)) - 1).max() < 1e-9


@pytest.mark.skipif(not REAL.exists(), reason="no real data")
@pytest.mark.parametrize("name", ["libri1.ogg", "libri2.ogg"])
def test_oja_on_recorded_speech(name):
    """Two passes over 20 799 patches: the first filter is the first component, all are nearly rows of the DCT."""
    x = sc.load(REAL / "audio" / name)
    x = sc.Signal(x.data[:, 20000:20000 + 20799 + 31], sc.line(20830, 16000))
    learned = sc.learn.oja(x, 4, 32)
    likeness = np.abs((learned.data * components(x, 32, 4)).sum(1))
    assert likeness[0] >= 0.99 and likeness.min() > 0.95  # the third and fourth of libri1 have 16.5 % and 16.4 %
    rows = sc.learn.dct_matches(learned)
    assert sorted(row for row, _ in rows) == [0, 1, 2, 3] and min(cosine for _, cosine in rows) > 0.6


def test_components_are_orthonormal_ordered_and_named_by_their_share():
    x = sc.load(sc.io.sample("speech")).between(0, 1)
    k = sc.learn.oja(x, 6, 24)
    assert np.abs(k.data @ k.data.T - np.eye(6)).max() < 1e-12
    centred = sc.Signal(x.data.astype(float) - x.data.astype(float).mean(), x.domain)
    power = (sc.correlate(centred, k, mode="valid").data ** 2).mean((0, 2))
    assert (np.diff(power) < 0).all()
    total = (np.lib.stride_tricks.sliding_window_view(centred.data[0], 24) ** 2).sum(1).mean()
    shares = [float(name.split()[1]) for name in k.channels]
    assert shares == pytest.approx(100 * power / total, rel=0.05)
    assert (k.data[np.arange(6), np.abs(k.data).argmax(1)] > 0).all() and k.domain.start == (-11,)


def test_known_directions_are_found():
    """Of noise with a drawn covariance the components are known beforehand, in the plane too, over channels and clips."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:6, :6]
    first, second = np.cos(np.pi * (x + 0.5) / 6), np.cos(np.pi * (y + 0.5) / 6)
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    tiles = rng.standard_normal((3000, 1, 1)) * 3 * first + rng.standard_normal((3000, 1, 1)) * 2 * second
    tiles += 0.2 * rng.standard_normal(tiles.shape)
    clips = [sc.Signal(t[None], sc.grid(6, 6)) for t in tiles]
    for method in ("oja", "pca"):
        k = sc.learn.oja(clips, 2, 6, method=method)
        assert np.abs((k.data * np.stack([first, second])).sum((1, 2))) == pytest.approx([1, 1], abs=0.01)


def test_templates_are_what_the_examples_share():
    """Clips that repeat two shapes at any place, level and sign, in noise, give the two shapes back."""
    rng = np.random.default_rng(0)
    t = np.arange(-20, 21)
    shapes = np.stack([np.exp(-((t / 6) ** 2)), np.exp(-((t / 9) ** 2)) * np.cos(0.9 * t)])
    clips, labels = [], []
    for i in range(60):
        data = 0.01 * rng.standard_normal(600)
        for at in (90, 260, 430):
            at += rng.integers(-20, 20)
            data[at - 20:at + 21] += rng.choice([-1, 1]) * rng.uniform(0.5, 2) * shapes[i % 2]
        clips.append(sc.Signal(data[None], sc.line(600, 8000)))
        labels.append("ab"[i % 2])
    k = sc.learn.templates(clips, 1, 41, labels)
    unit = shapes / np.linalg.norm(shapes, axis=1, keepdims=True)
    assert k.channels == ("a 1", "b 1") and (np.sum(k.data * unit, axis=1) > 0.95).all()
    both = sc.learn.templates(clips, 2, 41).data @ unit.T
    assert both.max(0).min() > 0.9
    assert np.array_equal(sc.learn.templates(clips, 2, 41).data, sc.learn.templates(clips, 2, 41).data)


X = sc.line(100, 8000)
NOISE = sc.Signal(np.random.default_rng(0).standard_normal((1, 100)), X)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: sc.learn.oja(NOISE, 9, 8), "9 filters of 8 taps: wanted 1 to 8"),
    (lambda: sc.learn.oja(NOISE, 1, 101), "wanted patches of"),
    (lambda: sc.learn.oja([], 1, 8), "patches of nothing"),
    (lambda: sc.learn.oja(NOISE, 1, (8, 8)), "on 1 axes"),
    (lambda: sc.learn.oja(NOISE * float("nan"), 1, 8), "wanted finite numbers"),
    (lambda: sc.learn.oja(NOISE, 1, 8, method="ica"), "method 'ica': wanted oja, pca"),
    (lambda: sc.learn.oja(NOISE, 1, 8, passes=0), "0 passes"),
    (lambda: sc.learn.oja(sc.Signal(np.ones((1, 100)), X), 1, 8), "signals without power"),
    (lambda: sc.learn.oja([NOISE, sc.Signal(NOISE.data, sc.line(100, 16000))], 1, 8), "signals of several steps"),
    (lambda: sc.learn.templates([NOISE], 50, 8), "wanted at least 50"),
    (lambda: sc.learn.templates([NOISE], 1, 8, ["a", "b"]), "2 labels of 1 clips"),
    (lambda: sc.learn.templates([], 1, 8), "templates of nothing"),
    (lambda: sc.learn.templates([NOISE], 0, 8), "0 templates of 8 taps"),
    (lambda: sc.learn.templates([NOISE, sc.Signal(NOISE.data, sc.line(100, 16000))], 1, 8), "clips of several rates"),
])
def test_bad_input(call, message):
    with pytest.raises(SigconvError, match=message) as why:
        call()
    assert "\n" not in str(why.value)
