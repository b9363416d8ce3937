"""The methods for lines of NumPy samples: products of frames, tiles in batches, and the short way for one filter on one line."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, definition, near

from sigconv import engines
from sigconv.engines import conv, methods, products, tiles
from sigconv.engines.job import Job
from sigconv.errors import SigconvError

single = importlib.import_module("sigconv.engines.single")


def drawn(n, k, dtype, seed, kind):
    """Noise, or what rounding is worst for: equal samples and equal taps."""
    rng = np.random.default_rng(seed)
    if kind == "equal":
        return np.full(n, 0.1, dtype), np.full(k, 1 / 3, dtype)
    return rng.normal(size=n).astype(dtype), rng.normal(size=k).astype(dtype)


@st.composite
def lines(draw, longest=3000, widest=400):
    n, k = draw(st.integers(1, longest)), draw(st.integers(1, widest))
    first = draw(st.integers(0, n + k - 2))
    stop = draw(st.integers(first + 1, n + k - 1))
    whole = draw(st.booleans())
    dtype, kind = draw(st.sampled_from(["float32", "float64"])), draw(st.sampled_from(["noise", "equal"]))
    x, h = drawn(n, k, dtype, draw(st.integers(0, 99)), kind)
    return x, h, *((0, n + k - 1) if whole else (first, stop))


def wanted(x, h, first, stop):
    return definition(x[None, None], h[None, None], window=[(first, stop)])[0, 0]


@given(lines())
def test_products_of_frames_are_the_convolution(job):
    x, h, first, stop = job
    near(products.products(x, h, first, stop), wanted(*job), bound(x, h, x.dtype), "bounds")


@given(lines(), st.sampled_from([256, 512, 1024, 4096]))
def test_tiles_are_the_convolution(job, points):
    x, h, first, stop = job
    points = max(points, 2 ** (2 * len(h)).bit_length())
    near(tiles.tiles(x, h, first, stop, points), wanted(*job), bound(x, h, x.dtype), "bounds")


@pytest.mark.parametrize("method", ["direct", "exactly", "blocked", "compiled", "overlap_save", "fft"])
def test_the_short_way_of_every_method(monkeypatch, method):
    @given(lines(1200, 1200))
    def holds(job):
        x, h, first, stop = job
        if 2 * (stop - first) < max(len(x), len(h)):
            first, stop = 0, len(x) + len(h) - 1
        points = 2 ** (2 * min(len(x), len(h))).bit_length() if method == "overlap_save" else 2 ** (len(x) + len(h)).bit_length()
        monkeypatch.setattr(single, "_plan", lambda *_: (method, points, 0.0))
        y = single.lone(x[None, None], h[None, None], 1, 1, 1, (first, stop))
        assert y.shape == (1, 1, stop - first)
        assert y.dtype == x.dtype
        terms = 4 if method == "direct" and x.dtype == np.float32 else 1  # sums of any length in single precision: not chosen so
        near(y[0, 0], wanted(x, h, first, stop), terms * bound(x, h, x.dtype) * (1 + min(len(x), len(h)) / 64 * (terms > 1)))

    holds()


@given(lines(4000, 4000), st.sampled_from(["window", "pair", "none"]))
def test_what_is_planned_is_within_the_bound(job, how):
    x, h, first, stop = job
    if how == "none":
        first, stop = len(h) - 1, len(x)
        if stop <= first:
            return
    window = {"window": [(first, stop)], "pair": (first, stop), "none": None}[how]
    y = conv(x[None, None], h[None, None], window=window)
    near(y[0, 0], wanted(x, h, first, stop), bound(x, h, x.dtype), "bounds")


@given(st.integers(1, 3), st.sampled_from([(1, 1, 1), (2, 3, 1), (4, 4, 4), (4, 2, 2)]), st.integers(1, 900), st.integers(1, 120),
       st.integers(1, 4), st.integers(1, 3), st.sampled_from(["float32", "float64", "complex128"]))
def test_batched_tiles_serve_every_job(batch, shape, n, k, stride, dilation, dtype):
    c, m, groups = shape
    rng = np.random.default_rng(n)
    x, w = (rng.normal(size=s).astype(dtype) for s in ((batch, c, n), (m, c // groups, k)))
    window = [(3, n + 7)]
    y = conv(x, w, stride=stride, dilation=dilation, groups=groups, window=window, method="overlap_save")
    full = definition(x, w, stride=stride, dilation=dilation, groups=groups, window=window)
    near(y, full, bound(x, np.abs(w).sum(1), x.real.dtype) * 2)


def test_blocked_serves_filters_on_lines_alone():
    x, w = np.ones((2, 3, 400)), np.ones((3, 1, 20))
    near(conv(x, w, groups=3, method="blocked"), definition(x, w, groups=3), 1e-12)
    for bad in ({"stride": 2}, {"dilation": 2}, {"groups": 1}):
        with pytest.raises(SigconvError, match="blocked"):
            conv(x, w if bad.get("groups") != 1 else np.ones((3, 3, 20)), **({"groups": 3} | bad), method="blocked")


def test_the_short_way_leaves_other_jobs_alone():
    x, w = np.ones((1, 1, 50)), np.ones((1, 1, 5))
    for args in ((x.astype(complex), w, 1, 1, 1, None), (x, w.astype(complex), 1, 1, 1, None),
                 (x.astype(int), w, 1, 1, 1, None), (x.astype(">f8"), w, 1, 1, 1, None), (x, w, 2, 1, 1, None),
                 (x, w, 1, 2, 1, None), (np.ones((2, 1, 50)), w, 1, 1, 1, None), (x, w, 1, 1, 1, (-1, 30)),
                 (x, w, 1, 1, 1, (0, 99)), (x, w, 1, 1, 1, (0, 3)), (x, w, 1, 1, 1, "no"), (x[0], w[0], 1, 1, 1, None)):
        assert single.lone(*args) is None


def test_the_choice_follows_the_sizes():
    """Long sums in single precision are not numpy.convolve's; a short kernel goes by products, a long one by transforms."""
    def chosen(n, k, kind="f"):
        return methods.choose(None, Job(1, 1, 1, 1, (n,), (k,), (1,), (1,), (0,), (n + k - 1,)), kind)

    assert all(chosen(10**6, k) in ("blocked", "compiled") for k in (17, 33))
    assert chosen(10**6, 2049) in ("overlap_save", "folded")
    assert chosen(300, 9) == "direct"
    assert engines.METHODS.keys() >= {"direct", "blocked", "fft", "overlap_save", "separable", "matrix"}


@given(st.integers(1, 3), st.sampled_from([(1, 1, 1), (1, 7, 1), (3, 5, 1), (64, 2, 1), (4, 4, 4), (8, 4, 2)]),
       st.integers(1, 700), st.integers(1, 150), st.sampled_from([1, 1, 2, 40, 160]), st.integers(1, 3),
       st.sampled_from(["float32", "float64"]), st.booleans(), st.integers(-20, 60), st.integers(1, 400))
def test_columns_serve_channels_and_strides(batch, shape, n, k, stride, dilation, dtype, equal, first, length):
    c, m, groups = shape
    rng = np.random.default_rng(n)
    x, w = (np.full(s, 0.1, dtype) if equal else rng.normal(size=s).astype(dtype) for s in ((batch, c, n), (m, c // groups, k)))
    window = [(first, first + length)]
    y = conv(x, w, stride=stride, dilation=dilation, groups=groups, window=window, method="columns")
    full = definition(x, w, stride=stride, dilation=dilation, groups=groups, window=window)
    near(y, full, bound(x, np.abs(w).sum((1, 2)).max(), dtype), "bounds")


def test_columns_serve_lines_alone():
    with pytest.raises(SigconvError, match="columns"):
        conv(np.ones((1, 1, 9, 9)), np.ones((1, 1, 3, 3)), method="columns")


@pytest.mark.parametrize("method", ["auto", "direct", "blocked", "overlap_save", "fft"])
@pytest.mark.parametrize(("k", "n"), [(5000, 5300), (20000, 20010), (20000, 22000), (300, 50000)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_sums_of_equal_numbers_keep_the_bound(method, k, n, dtype):
    """Rounding adds up worst where every term is the same: 20 000 in a row would be off by 40 eps and more."""
    for a, b in ((1 / 3, 0.1), (0.7, 0.1), (0.1, 0.3)):
        x, w = np.full((1, 1, n), a, dtype), np.full((1, 1, k), b, dtype)
        exact = np.longdouble(x[0, 0, 0]) * np.longdouble(w[0, 0, 0]) * k
        y = conv(x, w, method=method)
        assert np.abs(y.astype(np.longdouble) - exact).max() <= 16 * np.finfo(dtype).eps * float(exact)


def test_out_that_can_not_be_written():
    with pytest.raises(SigconvError, match="read-only"):
        conv(np.ones((1, 1, 9)), np.ones((1, 1, 3)), out=np.broadcast_to(np.zeros(1), (1, 1, 7)))
