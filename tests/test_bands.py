"""Planes and volumes of NumPy samples: products with band matrices, and passes along one axis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import bound, definition, near

from sigconv.engines import conv
from sigconv.errors import SigconvError


@st.composite
def jobs(draw, widest):
    ndim = draw(st.sampled_from([2, 2, 3]))
    n = tuple(draw(st.integers(1, 70 if ndim == 2 else 14)) for _ in range(ndim))
    k = tuple(draw(st.integers(1, widest if ndim == 2 else 5)) for _ in range(ndim))
    window = []
    for a, b in zip(n, k, strict=True):
        first = draw(st.integers(0, a + b - 2)) if draw(st.booleans()) else 0
        window.append((first, draw(st.integers(first + 1, a + b - 1))))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    batch, channels = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    x = rng.normal(size=(batch, channels, *n)).astype(dtype)
    return x, k, channels, window, rng, draw(st.booleans())


@given(jobs(7))
def test_bands_are_the_convolution(job):
    x, k, channels, window, rng, equal = job
    w = np.full((channels, 1, *k), 1 / 3, x.dtype) if equal else rng.normal(size=(channels, 1, *k)).astype(x.dtype)
    x = np.full_like(x, 0.1) if equal else x
    y = conv(x, w, groups=channels, window=window, method="bands")
    size = np.abs(w).sum(tuple(range(1, w.ndim))).max()
    near(y, definition(x, w, groups=channels, window=window), bound(x, size, x.dtype), "bounds")


@settings(max_examples=40)
@given(jobs(90))
def test_passes_along_the_axes_are_the_convolution(job):
    x, k, channels, window, rng, equal = job
    w = np.ones((channels, 1, *(1,) * len(k)))
    for axis, taps in enumerate(k):
        line = np.full(taps, 0.5) if equal else rng.normal(size=taps)
        w = w * line.reshape(*(taps if a == axis else 1 for a in range(len(k))))
    x = np.full_like(x, 0.1) if equal else x
    y = conv(x, w, groups=channels, window=window, method="separable")
    size = np.abs(w).sum(tuple(range(1, w.ndim))).max()
    near(y, definition(x, w, groups=channels, window=window), bound(x, size, x.dtype) * (1 + len(k)), "bounds")


@pytest.mark.parametrize("k", [(201, 5), (5, 301), (129, 129)])
def test_long_lines_of_a_plane(k):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 1, 90, 110)).astype(np.float32)
    a, b = rng.normal(size=k[0]), rng.normal(size=k[1])
    w = np.outer(a, b)[None, None]
    y = conv(x, w, window=[(3, 200), (0, 240)], method="separable")
    exact = conv(x.astype(float), w, window=[(3, 200), (0, 240)], method="fft")
    near(y, exact, 3 * bound(x, np.abs(w).sum(), np.float32))


@given(jobs(9))
def test_whatever_is_chosen_is_the_convolution(job):
    x, k, channels, window, rng, _ = job
    w = rng.normal(size=(channels, 1, *k)).astype(x.dtype)
    y = conv(x, w, groups=channels, window=window)
    near(y, definition(x, w, groups=channels, window=window), bound(x, np.abs(w).sum(tuple(range(1, w.ndim))).max(), x.dtype))


def test_bands_serve_small_filters_on_planes_alone():
    x = np.ones((1, 2, 20, 20))
    for w, options in ((np.ones((2, 2, 3, 3)), {}), (np.ones((2, 1, 3, 3)), {"groups": 2, "stride": 2}),
                       (np.ones((2, 1, 3, 3)), {"groups": 2, "dilation": 2}), (np.ones((2, 1, 3, 99)), {"groups": 2})):
        with pytest.raises(SigconvError, match="bands"):
            conv(x, w, method="bands", window=[(0, 9), (0, 9)], **options)
