"""Where engines were found out once: kernels made ready, what is not finite, many channels, odd tensors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from laws import near

from sigconv.engines import Convolver, conv, plan, toeplitz_matrix
from sigconv.errors import SigconvError

ONE = np.ones((1, 1, 1))


@given(st.integers(0, 200), st.integers(1, 20), st.integers(1, 5), st.integers(1, 3), st.sampled_from(["auto", "direct"]))
def test_a_convolver_keeps_stride_dilation_and_method(n, k, stride, dilation, method):
    rng = np.random.default_rng(n)
    x, w = rng.integers(-9, 9, (2, 1, n)).astype(float), rng.integers(-9, 9, (1, 1, k)).astype(float)
    options = {"stride": stride, "dilation": dilation, "method": method}
    assert np.array_equal(np.rint(Convolver(w, x.shape, **options)(x)), np.rint(conv(x, w, **options)))


def test_whole_numbers_stay_whole_where_a_convolver_is_told_to_sum():
    rng = np.random.default_rng(0)
    x, w = rng.integers(-9, 9, (1, 1, 4000)).astype(float), rng.integers(-9, 9, (1, 1, 3000)).astype(float)
    y = Convolver(w, x.shape, window=(0, 6999), method="direct")(x)
    assert np.array_equal(y, np.rint(y))


@pytest.mark.parametrize(("shape", "taps", "batches"), [
    ((1, 40_000), (1, 1, 2500), (64, 1, 0, 3)), ((64, 500), (64, 64, 20), (16, 1, 0)), ((1, 40_000), (1, 1, 9000), (3, 0, 1))])
def test_a_convolver_serves_other_batches(shape, taps, batches):
    rng = np.random.default_rng(0)
    w = rng.normal(size=taps).astype("float32")
    ready = Convolver(w, (1, *shape))
    for batch in batches:
        x = rng.normal(size=(batch, *shape)).astype("float32")
        y = ready(x)
        near(y, conv(x, w), 32 * 1.2e-7 * float(np.abs(w).sum((1, 2)).max()) * float(np.abs(x).max(initial=0)))


def test_a_convolver_keeps_taps_of_its_own():
    w = np.ones((1, 1, 3))
    ready = Convolver(w, (1, 1, 9))
    w[:] = 5
    assert np.array_equal(ready(np.ones((1, 1, 9))), np.full((1, 1, 7), 3.0))


def test_what_is_not_finite_stays_in_its_signal():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 1, 60_000)).astype("float32"), rng.normal(size=(1, 1, 6000)).astype("float32")
    clean = conv(x, w, method="packed")
    turns = np.ascontiguousarray(x[:, 0].T).T[:, None]
    aside = conv(turns, w[..., :600], method="overlap_save")
    for bad in (np.nan, np.inf):
        x[0, 0, 100] = turns[0, 0, 100] = bad
        with np.errstate(invalid="ignore"):
            y, z = conv(x, w, method="packed"), conv(turns, w[..., :600], method="overlap_save")
        near(y[1], clean[1], 32 * 1.2e-7 * float(np.abs(w).sum()) * 6)
        near(z[1], aside[1], 32 * 1.2e-7 * float(np.abs(w[..., :600]).sum()) * 6)
        assert not np.isfinite(y[0]).all() and not np.isfinite(z[0]).all()


@pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap_save"])
def test_many_equal_channels_keep_the_bound_in_double_precision(method):
    x, w = np.full((1, 4096, 40), 0.7), np.full((1, 4096, 3), 0.1)
    exact = np.longdouble(0.7) * np.longdouble(0.1) * 4096 * 3
    assert np.abs(conv(x, w, method=method) - exact).max() <= 16 * 2.3e-16 * float(exact)


def test_a_line_shorter_than_its_kernel_is_planned_as_it_is_done():
    x, w = np.zeros((1, 1, 300), "float32"), np.ones((1, 1, 90_000), "float32")
    assert plan(x, w, window=(0, 90_299)).method == plan(w, x, window=(0, 90_299)).method


def test_gradients_of_no_signals():
    x, w = torch.zeros((0, 1, 10), requires_grad=True), torch.ones((1, 1, 4), requires_grad=True)
    conv(x, w, stride=2).sum().backward()
    assert x.grad.shape == x.shape and not w.grad.any()


def test_tangents_go_forward():
    import torch.autograd.forward_ad as forward

    with forward.dual_level():
        y = conv(forward.make_dual(torch.ones(1, 1, 9), torch.full((1, 1, 9), 2.0)), torch.ones(1, 1, 3))
        assert torch.equal(forward.unpack_dual(y).tangent, torch.full((1, 1, 7), 6.0))


def test_compiled_types_are_those_of_the_rest():
    compiled = torch.compile(lambda x, w: conv(x, w), backend="aot_eager")
    for x, w in ((torch.ones(1, 1, 9), torch.ones(1, 1, 3) * 1j), (torch.ones(1, 1, 9, dtype=torch.int64), torch.ones(1, 1, 3)),
                 (torch.ones(1, 1, 300, dtype=torch.bfloat16), torch.ones(1, 1, 9))):
        torch.testing.assert_close(compiled(x, w), conv(x, w))


def test_a_result_goes_into_a_mapped_file(tmp_path):
    out = np.memmap(tmp_path / "out", np.float64, "w+", shape=(1, 1, 7))
    assert conv(np.ones((1, 1, 9)), np.ones((1, 1, 3)), out=out) is out
    assert (out == 3).all()


@pytest.mark.parametrize("call", [
    lambda: toeplitz_matrix(ONE, 5.5), lambda: toeplitz_matrix(ONE, None), lambda: toeplitz_matrix(ONE, -3),
    lambda: toeplitz_matrix(ONE, 5, groups="a"), lambda: Convolver(ONE, 5), lambda: Convolver(ONE, (1, 1, -5)),
    lambda: conv(np.ones((1, 1, 9, 9)), np.full((1, 1, 5, 5), np.nan), method="lowrank"),
    lambda: conv(torch.ones(1, 1, 9).to_sparse(), torch.ones(1, 1, 3)),
    lambda: Convolver(ONE, (1, 1, 5), dtype="zz"), lambda: Convolver(ONE, (1, 1, 5))(np.ones((1, 1, 5)), out=np.ones((2, 1, 5))),
    lambda: conv(torch.ones(1, 1, 9), torch.ones(1, 1, 3), out=torch.ones(1, 1, 7, requires_grad=True))])
def test_one_line_for_what_can_not_be(call):
    with pytest.raises(SigconvError) as why:
        call()
    assert "wanted" in str(why.value) and "\n" not in str(why.value)
