"""Blocks folded into complex rows and transformed by compiled loops."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, definition, near, only, same_bits

import sigconv as sc
from sigconv.engines import Convolver, conv, folded, plan
from sigconv.engines.job import Job

pytest.importorskip("numba")
compiled = import_module("sigconv.engines.compiled")


@st.composite
def jobs(draw):
    """x, w and options: blocks cut short at both ends, one block for all, strides, dilation, several channels and filters."""
    groups, per, each, batch = (draw(st.integers(1, 3)) for _ in range(4))
    n, k = draw(st.integers(1, 3000)), draw(st.sampled_from([1, 2, 17, 100, 600, 1500]))
    stride, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 2))
    full = n + (k - 1) * dilation
    first = draw(st.integers(-9, full - 1))
    window = draw(st.sampled_from([(0, full), (first, draw(st.integers(first + 1, full + 9)))]))
    dtype, rng = draw(st.sampled_from(["float32", "float64"])), np.random.default_rng(draw(st.integers(0, 999)))
    x, w = rng.normal(size=(batch, groups * per, n)).astype(dtype), rng.normal(size=(groups * each, per, k)).astype(dtype)
    if draw(st.booleans()):
        x, w = np.full_like(x, 0.1), np.full_like(w, 1 / 3)
    return x, w, {"groups": groups, "stride": stride, "dilation": dilation, "window": window}


@given(jobs())
def test_it_is_the_convolution(job):
    x, w, options = job
    with only("folded"):
        y = conv(x, w, method="folded", **options)
    assert y.dtype == x.dtype
    near(y, definition(x, w, **options), bound(x, np.abs(w).sum((1, 2)).max(), x.dtype), "bounds")


@st.composite
def grids(draw):
    """The same of planes and volumes: windows of any end, so that rows stand as near as they may."""
    ndim, groups, batch = draw(st.integers(2, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    top, most = {2: (60, 20), 3: (14, 6)}[ndim]
    n, k, s, d = ([draw(st.integers(1, limit)) for _ in range(ndim)] for limit in (top, most, 3, 2))
    full = [a + (b - 1) * e for a, b, e in zip(n, k, d, strict=True)]
    first = [draw(st.integers(-3, f - 1)) for f in full]
    window = [(a, draw(st.integers(a + 1, f + 3))) for a, f in zip(first, full, strict=True)]
    dtype, rng = draw(st.sampled_from(["float32", "float64"])), np.random.default_rng(draw(st.integers(0, 999)))
    x, w = rng.normal(size=(batch, groups * 2, *n)).astype(dtype), rng.normal(size=(groups * 2, 2, *k)).astype(dtype)
    return x, w, {"groups": groups, "stride": tuple(s), "dilation": tuple(d), "window": window}


@given(grids())
def test_so_it_is_on_planes_and_volumes(job):
    x, w, options = job
    with only("folded"):
        y = conv(x, w, method="folded", **options)
    near(y, definition(x, w, **options), bound(x, np.abs(w).reshape(len(w), -1).sum(1).max(), x.dtype), "bounds")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", folded.ROWS[:16])
def test_every_length_of_a_block(rows, dtype):
    """Signal and taps that fill one block: transforms of 2ᵇ and 3 · 2ᵇ points, each stage of them."""
    rng = np.random.default_rng(rows)
    k = rows * folded.W
    x, w = rng.normal(size=(1, 1, k + 1)).astype(dtype), rng.normal(size=(1, 1, k)).astype(dtype)
    job = Job.of(x, w, 1, 1, 1, (0, 2 * k))
    assert folded.rows(job, np.dtype(dtype).char) == rows
    exact = np.fft.irfft(np.fft.rfft(x.astype(float), 2 * k) * np.fft.rfft(w.astype(float), 2 * k), 2 * k)
    near(conv(x, w, window=(0, 2 * k), method="folded"), exact, bound(x, w, dtype) / 4)


def test_a_long_line_in_blocks_of_a_million():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(1, 1, 700_000)), rng.normal(size=(1, 1, 150_001))
    y, whole = (conv(x, w, window=(0, 850_000), method=method) for method in ("folded", "fft"))
    near(y, whole, 2e-15 * float(np.abs(whole).max()))


def test_what_is_no_number_stays_in_its_line_and_silence_silent():
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(4, 1, 5000)), rng.normal(size=(2, 1, 200))
    x[1, 0, 3000], x[2] = np.nan, 0
    y = conv(x, w, method="folded")
    assert np.isnan(y[1]).any()
    assert not y[2].any()
    assert np.isfinite(np.delete(y, 1, 0)).all()
    same_bits(y[3], conv(x[3:], w, method="folded")[0])


def test_a_kernel_made_ready_is_the_same_to_the_bit():
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(3, 1, 4000)).astype("f4"), rng.normal(size=(5, 1, 301)).astype("f4")
    ready = Convolver(w, x.shape, stride=3, method="folded")
    same_bits(ready(x), conv(x, w, stride=3, method="folded"))
    same_bits(ready(x[1:2]), conv(x, w, stride=3, method="folded")[1:2])


def test_lines_that_lie_apart_and_big_endian_ones():
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(6000, 2)), rng.normal(size=(1, 1, 400))
    lines = x.T[:, None]
    wanted = conv(np.ascontiguousarray(lines), w, method="folded")
    same_bits(conv(lines, w, method="folded"), wanted)
    same_bits(conv(lines.astype(">f8"), w.astype(">f8"), method="folded"), wanted)


@pytest.mark.filterwarnings("ignore:invalid value")
@given(st.integers(2, 5), st.integers(1, 900), st.sampled_from([1, 3, 33, 300]), st.integers(1, 3), st.integers(1, 2),
       st.integers(0, 99))
def test_lines_whose_samples_take_turns_go_as_one(lines, n, k, stride, dilation, seed):
    """As frames of a recording lie; what is no number stays in its line even so."""
    rng = np.random.default_rng(seed)
    frames, w = rng.normal(size=(n, lines)), rng.normal(size=(1, 1, k))
    x, options = frames.T[:, None], {"stride": stride, "dilation": dilation, "window": (0, n + (k - 1) * dilation)}
    near(conv(x, w, **options), definition(x, w, **options), bound(x, w, "float64"))
    x[1, 0, n // 2] = np.inf
    y = conv(x, w, **options)
    assert np.isfinite(np.delete(y, 1, 0)).all()
    assert stride > 1 or not np.isfinite(y[1]).all()


def test_the_transforms_wait_until_they_are_on_the_disk_or_repay_their_making(monkeypatch):
    monkeypatch.delenv("SIGCONV_NUMBA", raising=False)
    for there in (False, True):
        monkeypatch.setattr(compiled, "_state", {"saved": 0.0, "failed": False, "open": True, "lanes": None})
        monkeypatch.setattr(compiled, "_on_disk", lambda there=there: there)
        assert compiled.opened() == 1 + there
        assert compiled.raised(compiled.LANES / 2) is False
        assert compiled.raised(compiled.LANES / 2) is not there
        assert compiled.opened() == 2
    monkeypatch.setattr(compiled, "_state", {"saved": 0.0, "failed": False, "open": False, "lanes": None})
    assert not compiled.transforms(1e12)


def test_nothing_of_numba_is_chosen_where_it_is_shut():
    x, w = np.zeros((1, 1, 50_000)), np.ones((1, 1, 3000))
    with compiled.shut():
        assert compiled.opened() == 0 and not compiled.loaded(1e12)
        assert plan(x, w).costs.keys().isdisjoint({"compiled", "folded", "layered"})
    assert compiled.opened() > 0


def test_it_is_taken_for_long_kernels_once_numba_is_open():
    conv(np.ones((1, 1, 9), np.float32), np.ones((1, 1, 2), np.float32), method="folded")  # made, so that they are there
    x = np.zeros((1, 1, 100_000), np.float32)
    assert {plan(x, np.ones((1, 1, k), np.float32)).method for k in (300, 3000, 30_000)} == {"folded"}
    assert "folded" not in plan(x.astype(complex), np.ones((1, 1, 300))).costs
    image = np.zeros((1, 1, 400, 400), np.float32)
    assert plan(image, np.random.default_rng(0).normal(size=(1, 1, 51, 51)).astype("f4")).method == "folded"
    with pytest.raises(sc.SigconvError, match="folded"):
        conv(np.ones((1, 1, 9)) * 1j, np.ones((1, 1, 2)), method="folded")
