"""A stream is the full convolution, however the signal is cut, to the bit."""

import tracemalloc
from itertools import pairwise

import laws
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import near, same_bits

import sigconv as sc
from sigconv.errors import SigconvError


def bound(x, k):
    """The numeric bound of a stream: two sums, head and rest, are added."""
    return 2 * laws.bound(x, k, x.dtype if x.dtype.kind != "c" else x.real.dtype)


def signals(value, n, dtype, seed=0):
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(*value, n)) + (1j * rng.normal(size=(*value, n)) if dtype == "complex128" else 0)
    return sc.Signal(data.astype(dtype), sc.line(n, 8000, 3))


def kernels(value, n, start=0, seed=1, kind=float):
    rng = np.random.default_rng(seed)
    taps = rng.normal(size=(*value, n)) + (1j * rng.normal(size=(*value, n)) if kind is complex else 0)
    return sc.Signal(taps, sc.line(n, 8000, start))


def run(stream, x, cuts):
    """The signal through the stream, cut at these places."""
    edges = [0, *sorted(cuts), x.domain.shape[-1]]
    parts = [stream(x.data[..., a:b]) for a, b in pairwise(edges)]
    return np.concatenate([*parts, stream.flush()], axis=-1)


@settings(max_examples=60)
@given(st.data())
def test_a_stream_is_the_full_convolution_to_the_bit_of_any_cutting(data):
    n, taps = data.draw(st.integers(0, 700)), data.draw(st.integers(1, 900))
    value, k_value = data.draw(st.sampled_from([((), ()), ((2,), ()), ((1,), (3,)), ((2,), (2, 2)), ((3,), (1, 3)),
                                                ((2, 3), (2, 3))]))
    dtype = data.draw(st.sampled_from(["float64", "float32", "complex128"]))
    kind = data.draw(st.sampled_from([float, complex]))
    latency = data.draw(st.sampled_from([0, 0, 1, 7, 64, 200]))
    x, k = signals(value, n, dtype), kernels(k_value, taps, data.draw(st.integers(-5, 5)), kind=kind)
    cuts = data.draw(st.lists(st.integers(0, n), max_size=12))
    whole = run(sc.Stream(k, latency=latency), x, [])
    pieces = run(sc.Stream(k, latency=latency), x, cuts)
    same_bits(pieces, whole)
    wanted = sc.convolve(x, k, mode="full")
    assert whole.dtype == wanted.data.dtype
    assert whole.shape == wanted.data.shape
    near(whole, wanted.data, bound(x.data, k.data) * max(k.value[-1] if len(k.value) == 2 else 1, 1) if n else 0)


@pytest.mark.parametrize("latency", [0, 128])
def test_far_partitions(latency):
    """Long kernels, whose far parts are summed a little at a time, and a block of every size."""
    x, k = signals((1,), 30_000, "float64"), kernels((), 11_000)
    k.data *= np.exp(-np.arange(11_000) / 3000)
    cuts = np.cumsum(np.random.default_rng(2).integers(0, 900, 70))
    whole, pieces = run(sc.Stream(k, latency=latency), x, []), run(sc.Stream(k, latency=latency), x, cuts[cuts < 30_000])
    same_bits(whole, pieces)
    near(whole, sc.convolve(x, k, mode="full").data, bound(x.data, k.data))
    one = run(sc.Stream(k, latency=latency), signals((1,), 200, "float64"), range(200))
    near(one, sc.convolve(signals((1,), 200, "float64"), k, mode="full").data, bound(x.data, k.data))


@pytest.mark.parametrize("latency", [0, 1, 5, 64, 100])
def test_as_many_out_as_in_less_the_latency(latency):
    stream, seen, given_ = sc.Stream(kernels((), 300), latency=latency), 0, 0
    for n in (3, 0, 1, 200, 64, 64, 17, 1):
        got = stream(np.ones((1, n)))
        seen, given_ = seen + n, given_ + got.shape[-1]
        assert given_ == max(seen - latency, 0)
    assert given_ + stream.flush().shape[-1] == seen + 299
    assert stream.latency == latency


def test_signals_keep_their_place_in_time():
    x, k = signals((2,), 500, "float32"), kernels((3,), 40, -7)
    x = sc.Signal(x.data, x.domain, ("L", "R"))
    stream, parts = sc.Stream(k), []
    for a, b in ((0, 100), (100, 101), (101, 500)):
        parts.append(stream(sc.Signal(x.data[:, a:b], sc.line(b - a, 8000, 3 + a), ("L", "R"))))
    parts.append(stream.flush())
    full = sc.convolve(x, k, mode="full")
    assert [p.domain.start[0] for p in parts] == [-4, 96, 97, 496]
    assert parts[-1].domain.extent[0][1] == full.domain.extent[0][1]
    assert all(p.names == full.names for p in parts)
    near(np.concatenate([p.data for p in parts], axis=-1), full.data, bound(x.data, k.data))
    with pytest.raises(SigconvError, match="wanted the next"):
        stream2 = sc.Stream(k)
        stream2(x)
        stream2(x)


def test_tensors_stay_tensors():
    torch = pytest.importorskip("torch")
    x, k = signals((1,), 400, "float32"), kernels((), 90)
    stream = sc.Stream(k)
    got = torch.cat([stream(torch.tensor(x.data[:, :150])), stream(torch.tensor(x.data[:, 150:])), stream.flush()], -1)
    assert got.dtype is torch.float32
    near(got.numpy(), sc.convolve(x, k, mode="full").data, bound(x.data, k.data))
    with pytest.raises(SigconvError, match="no gradient passes"):
        stream(torch.ones(1, 3, requires_grad=True))


def test_integers_and_halves_are_computed_as_everywhere():
    k = kernels((), 9)
    for dtype, wanted in (("int16", "float64"), ("float16", "float16"), ("bool", "float64")):
        x = np.array([[1, 0, 1, 1, 0]]).astype(dtype)
        got = sc.Stream(k)(x)
        assert got.dtype == wanted
        near(got.astype(float), sc.convolve(sc.Signal(x, sc.line(5, 8000)), k, mode="full").data[:, :5].astype(float), 1e-2)


@pytest.mark.parametrize("latency", [0, 64])
def test_state_restore_goes_on_to_the_bit(latency):
    x, k = signals((2,), 9000, "float64"), kernels((), 5000)
    wanted = run(sc.Stream(k, latency=latency), x, [])
    first, second = sc.Stream(k, latency=latency), sc.Stream(k, latency=latency)
    head = first(x.data[:, :4321])
    state = first.state()
    first(x.data[:, 4321:6000])  # must not reach into the state
    second(np.ones((2, 77)))
    second.restore(state)
    same_bits(np.concatenate([head, second(x.data[:, 4321:]), second.flush()], -1), wanted)
    first.restore(state)
    same_bits(np.concatenate([head, first(x.data[:, 4321:]), first.flush()], -1), wanted)
    other = sc.Stream(kernels((), 300), latency=latency)
    other(np.ones((2, 5)))
    other.restore(state)  # the kernel comes along
    same_bits(np.concatenate([head, other(x.data[:, 4321:]), other.flush()], -1), wanted)
    with pytest.raises(SigconvError, match="state of"):
        sc.Stream(k, latency=latency).restore(state)


@settings(max_examples=20)
@given(st.sampled_from([0, 50]), st.integers(0, 400), st.sampled_from([(30, 30), (30, 200), (200, 30)]),
       st.sampled_from([0, 1, 100]), st.lists(st.integers(0, 800), max_size=6))
def test_cross_fade_goes_from_the_one_convolution_to_the_other(latency, at, lengths, fade, cuts):
    x = signals((1,), 800, "float64")
    old, new = kernels((), lengths[0]), kernels((), lengths[1], seed=5)
    stream, parts, edges = sc.Stream(old, latency=latency), [], sorted({0, 800, at, *cuts})
    for a, b in pairwise(edges):
        if a == at and a:
            stream.swap(new, fade=fade)
        parts.append(stream(x.data[:, a:b]))
    got = np.concatenate([*parts, stream.flush()], -1)
    if not at:
        near(got, sc.convolve(x, old, mode="full").data, bound(x.data, old.data))
        return
    total = 800 + max(lengths) - 1
    heard = max(at - lengths[0] - 2 * stream._block, 0)  # of the past, a longer new kernel hears what is kept
    before = sc.convolve(x, old, mode="full").data
    kept = x.data.copy()
    if lengths[1] > lengths[0]:
        kept[:, :heard] = 0 if heard else kept[:, :heard]
    after = sc.convolve(sc.Signal(kept, x.domain), new, mode="full").data
    wide = [np.pad(y, [(0, 0), (0, total - y.shape[-1])]) for y in (before, after)]
    g = 0.5 - 0.5 * np.cos(np.pi * np.clip((np.arange(total) + 0.5 - at) / max(fade, 1e-9), 0, 1))
    assert got.shape[-1] == total
    near(got[:, :at], wide[0][:, :at], bound(x.data, old.data))
    if lengths[1] <= lengths[0]:
        near(got, wide[0] * (1 - g) + wide[1] * g, bound(x.data, old.data) + bound(x.data, new.data))
    else:
        near(got[:, at + lengths[1] + fade:], wide[1][:, at + lengths[1] + fade:], bound(x.data, new.data))


@pytest.mark.parametrize("latency", [0, 50, 128])
def test_cross_fade_to_the_bit_of_any_cutting(latency):
    """Also long after the first samples, of which a stream keeps no more than a kernel reaches."""
    x, at = signals((2,), 9000, "float32"), 6001
    kept = []
    for cuts in ([], range(500, 6000, 500), range(6002, 6100), (5999, 6000, 8000)):
        stream, parts = sc.Stream(kernels((), 900), latency=latency), []
        for a, b in pairwise(sorted({0, at, 9000, *cuts})):
            if a == at:
                stream.swap(kernels((), 700, seed=9), fade=77)
            parts.append(stream(x.data[:, a:b]))
        kept.append(np.concatenate([*parts, stream.flush()], axis=-1))
    for other in kept[1:]:
        same_bits(other, kept[0])


def test_state_restore_of_a_stream_at_its_beginning_brings_the_kernel():
    old, new = kernels((), 5), kernels((), 5, seed=2)
    stream = sc.Stream(old)
    blank = stream.state()
    stream.swap(new)
    stream(np.ones((1, 9)))
    stream.restore(blank)
    same_bits(stream(np.ones((1, 9))), sc.Stream(old)(np.ones((1, 9))))


@pytest.mark.parametrize("latency", [0, 512])
def test_memory_stays_flat(latency):
    """What a stream holds after a thousand blocks is what it held after a hundred; counted in bytes allocated."""
    stream, block = sc.Stream(kernels((), 20_000), latency=latency), np.ones((1, 512), np.float32)
    peaks = []
    tracemalloc.start()
    try:
        for blocks in (100, 100, 1000):
            tracemalloc.reset_peak()
            for _ in range(blocks):
                stream(block)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert abs(peaks[2] - peaks[1]) < 16_384 < 1000 * block.nbytes


def test_after_a_flush_it_begins_anew():
    x, k = signals((1,), 300, "float64"), kernels((), 50)
    stream = sc.Stream(k)
    once = run(stream, x, [100])
    same_bits(run(stream, x, [7, 250]), once)
    assert sc.Stream(k)(np.ones((2, 3, 4))).shape == (2, 3, 4)


def test_a_nan_stays_in_its_own_channel():
    x, k = signals((2,), 500, "float64"), kernels((), 90)
    x.data[0, 50] = np.nan
    got = run(sc.Stream(k), x, [30, 200])
    assert np.isfinite(got[1]).all()
    assert np.isnan(got[0]).any()


@pytest.mark.parametrize(("make", "words"), [
    (lambda k: sc.Stream(np.ones(3)), "wanted a kernel on a line"),
    (lambda k: sc.Stream(sc.kernel("edge", sc.grid(3, 3))), "wanted a kernel on a line"),
    (lambda k: sc.Stream(k, latency=-1), "wanted 0 or more"),
    (lambda k: sc.Stream(k).flush(), "wanted a block first"),
    (lambda k: sc.Stream(k)(3.0), "samples"),
    (lambda k: sc.Stream(k)(sc.Signal(np.ones((1, 5)), sc.line(5, 44100))), "resample"),
    (lambda k: sc.Stream(sc.diag(kernels((2,), 4)))(np.ones((1, 5))), "ends in 2"),
    (lambda k: sc.Stream(k).swap(kernels((), 9, 1)), "re-base"),
    (lambda k: sc.Stream(k).swap(kernels((2,), 9)), "wanted the same")])
def test_one_line_for_what_can_not_run(make, words):
    with pytest.raises(SigconvError) as caught:
        make(kernels((), 9))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_block_of_another_value():
    stream = sc.Stream(kernels((), 9))
    stream(np.ones((2, 5)))
    with pytest.raises(SigconvError, match="wanted the same from block to block"):
        stream(np.ones((1, 5)))
