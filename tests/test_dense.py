"""Layers of many channels, and few outputs of long sums: products of matrices that keep the bound."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, definition, near

from sigconv.engines import Convolver, conv
from sigconv.engines.job import Job
from sigconv.errors import SigconvError

dense = importlib.import_module("sigconv.engines.dense")
lags = importlib.import_module("sigconv.engines.lags")


def arrays(rng, equal, *shapes):
    """Noise, or what rounding is worst for: equal samples and equal taps."""
    return [np.full(s, rng.uniform(0.5, 2), "float32") if equal else rng.normal(size=s).astype("float32") for s in shapes]


@given(st.integers(1, 2), st.sampled_from([(8, 8, 1), (9, 17, 1), (16, 16, 2), (70, 12, 1), (64, 8, 1)]), st.integers(1, 300),
       st.sampled_from([1, 2, 3, 9, 33, 60, 129, 193]), st.integers(-20, 60), st.integers(1, 300), st.booleans(),
       st.integers(0, 99))
def test_layers_by_products_are_the_definition(batch, shape, n, k, first, length, equal, seed):
    c, m, groups = shape
    x, w = arrays(np.random.default_rng(seed), equal, (batch, c, n), (m, c // groups, k))
    window = [(first, first + length)]
    full = definition(x, w, groups=groups, window=window)
    for method in ("dense", "layered"):
        y = conv(x, w, groups=groups, window=window, method=method)
        near(y, full, bound(x, np.abs(w).sum((1, 2)).max(), "float32"), f"bounds, {method}")


def test_layers_by_compiled_transforms_in_double_precision_and_made_ready():
    """Long kernels too; a kernel made ready gives the same bits for a signal of a batch alone."""
    rng = np.random.default_rng(0)
    for c, m, groups, k in ((9, 40, 1, 257), (34, 16, 2, 700)):
        x, w = rng.normal(size=(2, c, 3000)), rng.normal(size=(m, c // groups, k))
        y = conv(x, w, groups=groups, window=(0, 3000 + k - 1), method="layered")
        full = conv(x, w, groups=groups, window=(0, 3000 + k - 1), method="fft")
        near(y, full, bound(x, np.abs(w).sum((1, 2)).max(), "float64") / 4)
        ready = Convolver(w, x.shape, groups=groups, window=(0, 3000 + k - 1), method="layered")
        near(ready(x), full, bound(x, np.abs(w).sum((1, 2)).max(), "float64") / 4)
        np.testing.assert_array_equal(ready(x[1:]), ready(x)[1:])


@pytest.mark.parametrize("size", dense.SIZES)
def test_every_size_of_block_keeps_the_bound_on_equal_numbers(monkeypatch, size):
    rng = np.random.default_rng(size)
    for k in {3, size // 2 + 1} - {s for s in (3, size // 2 + 1) if s > dense.MOST}:
        for _ in range(4):
            x, w = arrays(rng, True, (1, 64, 500), (8, 64, k))
            job = Job.of(x, w, 1, 1, 1, None)
            monkeypatch.setattr(dense, "_best", lambda job: (size, 0.0))
            near(dense.dense(x, w, job), definition(x, w), bound(x, np.abs(w).sum((1, 2)).max(), "float32"))


@pytest.mark.parametrize("size", dense.SIZES)
def test_there_and_back_by_matrices_is_the_block(size):
    D, E = dense._waves(size), dense._inverse(size)
    np.testing.assert_allclose(E @ D, np.eye(size), atol=1e-13)
    x = np.random.default_rng(0).normal(size=(size, 1))
    order = np.concatenate([ν for _, ν in dense._levels(size)])
    got = (D @ x)[0::2, 0] + 1j * (D @ x)[1::2, 0]
    np.testing.assert_allclose(got, np.fft.rfft(x[:, 0])[order], atol=1e-11)


@given(st.sampled_from([1, 2, 9]), st.integers(1, 3), st.integers(1, 3), st.integers(40, 4000), st.integers(1, 3),
       st.integers(1, 3), st.sampled_from([1, 2, 7, 33, 150]), st.integers(-5, 60), st.sampled_from(["float32", "float64"]),
       st.booleans())
def test_few_outputs_of_long_sums_are_the_definition(c, b, m, k, dilation, stride, count, before, dtype, equal):
    count = min(count, k // 4)
    rng = np.random.default_rng(k)
    n = max(k * dilation + count * stride - before, 1)
    x, w = (np.full(s, 0.1, dtype) if equal else rng.normal(size=s).astype(dtype) for s in ((c, b, n), (m, b, k)))
    first = (k - 1) * dilation - before
    window = [(first, first + (count - 1) * stride + 1)]
    y = conv(x, w, stride=stride, dilation=dilation, window=window, method="lags")
    full = definition(x, w, stride=stride, dilation=dilation, window=window)
    near(y, full, bound(x, np.abs(w).sum((1, 2)).max(), dtype), "bounds")


def test_methods_say_what_they_serve():
    with pytest.raises(SigconvError, match="dense"):
        conv(np.ones((1, 8, 30)), np.ones((8, 8, 3)), method="dense")
    with pytest.raises(SigconvError, match="dense"):
        conv(np.ones((1, 2, 30), "float32"), np.ones((8, 2, 3), "float32"), method="dense")
    with pytest.raises(SigconvError, match="layered"):
        conv(np.ones((1, 2, 30), "float32"), np.ones((8, 2, 3), "float32"), method="layered")
    with pytest.raises(SigconvError, match="lags"):
        conv(np.ones((1, 1, 30)), np.ones((1, 1, 3)), method="lags")
