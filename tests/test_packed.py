"""Large blocks, two lines in one: the full convolution, however the signal is cut, to the bit."""

from itertools import pairwise

import laws
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import near, same_bits

from sigconv.engines import conv, packed, pocket
from sigconv.engines.packed import Chunks, Packed


def through(chunks, x, cuts):
    parts = [chunks.step(x[..., a:b]) for a, b in pairwise([0, *sorted(cuts), x.shape[-1]])]
    return np.concatenate([*parts, chunks.flush()], axis=-1)


def full(x, w):
    return conv(x, w, window=(0, x.shape[-1] + w.shape[-1] - 1))


def bound(x, w):
    return 2 * w.shape[1] * laws.bound(x, w, x.real.dtype)


@settings(max_examples=80)
@given(st.data())
def test_the_full_convolution_to_the_bit_of_any_cutting(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    (b, c, m), n, k = (data.draw(st.sampled_from(s)) for s in (
        [(1, 1, 1), (2, 1, 1), (3, 1, 1), (2, 1, 3), (1, 2, 2), (2, 2, 3), (4, 3, 1)], [1, 2, 50, 400, 3000],
        [1, 2, 9, 100, 700]))
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.complex128]))
    x, w = rng.normal(size=(b, c, n)).astype(dtype), rng.normal(size=(m, c, k)).astype(dtype)
    w[data.draw(st.integers(0, m - 1)), data.draw(st.integers(0, c - 1))] *= data.draw(st.sampled_from([0, 1]))
    length, chunk, long = (data.draw(st.sampled_from(s)) for s in ([None, n, n // 2, 10 * n], [1, 64, 1000], [1, 10**6]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "CHUNK", chunk)
        patch.setattr(packed, "LONG", long)
        whole = through(Chunks(w, b, dtype, length), x, [])
        chunks = Chunks(w, b, dtype, length)
        for _ in range(2):  # after flush all begins anew
            same_bits(through(chunks, x, data.draw(st.lists(st.integers(0, n), max_size=8))), whole)
    assert whole.dtype == dtype and whole.shape == (b, m, n + k - 1)
    near(whole, full(x, w), bound(x, w))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("b", "m"), [(1, 1), (2, 1), (2, 3)])
def test_long_kernels_of_every_plan(dtype, b, m):
    rng = np.random.default_rng(0)
    for k, n in ((packed.LONG, 200_000), (20_001, 300_000), (150_000, 1000)):
        x, w = rng.uniform(-1, 1, (b, 1, n)).astype(dtype), rng.normal(size=(m, 1, k)).astype(dtype)
        assert Packed.serves(w, dtype)
        near(through(Chunks(w, b, dtype), x, [7, n // 2]), full(x, w), bound(x, w))


def test_a_silent_line_stays_silent_beside_a_loud_one():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 1, 50_000)).astype(np.float32), rng.normal(size=(2, 1, packed.LONG)).astype(np.float32)
    x[1] = x[2] = 0
    y = through(Chunks(w, 4, np.float32), x, [])
    assert not y[1:3].any() and y[0].any() and y[3].any()


def test_what_it_does_not_serve_goes_to_conv(monkeypatch):
    long = np.ones((1, 1, packed.LONG))
    assert Packed.serves(long, np.float32) and not Packed.serves(long[..., 1:], np.float32)
    assert not Packed.serves(long.astype(complex), np.complex128)
    assert not Packed.serves(np.ones((3000, 1, packed.LONG)), np.float32)  # spectra of 400 MB
    monkeypatch.setattr(packed.Packed, "__call__", None)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 1, 9000)), rng.normal(size=(1, 1, packed.LONG - 1))
    near(through(Chunks(w, 1, x.dtype), x, []), full(x, w), bound(x, w))


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("axis", [0, 1])
def test_both_cores_transform_alike_and_in_place(dtype, axis, monkeypatch):
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(12, 40)) + 1j * rng.normal(size=(12, 40))).astype(dtype)
    eps = np.finfo(dtype).eps
    for forward in (True, False):
        wanted = np.fft.fft(z, axis=axis) if forward else np.fft.ifft(z, axis=axis, norm="forward")
        for core in (pocket._core(), pocket._by_numpy):
            monkeypatch.setattr(pocket, "_core", lambda core=core: core)
            out, place = np.empty_like(z), z.copy()
            assert pocket.along(z, axis, forward, out) is out and pocket.along(place, axis, forward, place) is place
            for y in (out, place):
                assert y.dtype == dtype and np.abs(y - wanted).max() <= 8 * eps * np.abs(wanted).max()
            monkeypatch.undo()


def test_where_scipy_is_another_numpy_does_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 1, 20_000)).astype(np.float32), rng.normal(size=(1, 1, packed.LONG)).astype(np.float32)
    usual = through(Chunks(w, 2, x.dtype), x, [])
    for broken in (lambda: 1 / 0, lambda: np, lambda: type("core", (), {"c2c": lambda *_: _[0]})):
        pocket._core.cache_clear()
        monkeypatch.setattr(pocket, "_opened", broken)
        assert pocket._core() is pocket._by_numpy
        near(through(Chunks(w, 2, x.dtype), x, []), usual, bound(x, w))
    monkeypatch.undo()
    pocket._core.cache_clear()
    assert pocket._core() is not pocket._by_numpy


def test_memory_is_that_of_a_few_blocks():
    import tracemalloc

    w = np.random.default_rng(0).normal(size=(1, 1, 20_000)).astype(np.float32)
    chunks, x = Chunks(w, 2, np.float32), np.ones((2, 1, 50_000), np.float32)
    used = []
    for _ in range(2):
        tracemalloc.start()
        for _ in range(20 * (1 + 4 * len(used))):
            chunks.step(x)
        used.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert used[1] <= used[0] * 1.1 < 16 * chunks.packed.points * 8


def test_single_precision_leans_to_neither_side():
    """The transforms' rounded constants make 1.5e-7 of energy, which is known and taken out."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=(1, 1, 17_000)).astype(np.float32)
    single, double = Packed(w, np.float32), Packed(w.astype(np.float64), np.float64)
    z = (rng.normal(size=(1, 1, single.points)) + 1j * rng.normal(size=(1, 1, single.points))).astype(np.complex64)
    got, wanted = single(z).astype(complex).ravel(), double(z.astype(complex)).ravel()
    assert abs(np.vdot(wanted, got) / np.vdot(wanted, wanted) - 1) < 3e-8
