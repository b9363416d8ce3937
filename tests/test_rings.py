"""The parts of a partitioned convolution, in every size: the choice among them is one of speed alone."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, near, same_bits

from sigconv import engines
from sigconv.engines import partitioned, rings
from sigconv.engines.partitioned import Partitioned
from sigconv.engines.rings import Past, Ring


def noise(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@given(st.data())
def test_any_far_partitions_make_the_same_sum(data):
    """Blocks, far sizes, channels and filters; the pieces that come out are the full convolution, late by a block at most."""
    block, waits = data.draw(st.sampled_from([1, 4, 16])), data.draw(st.booleans())
    far = data.draw(st.sampled_from([0, 4, 8, 32])) * block
    k, dtype = 2 * far + data.draw(st.integers(1, 300)), data.draw(st.sampled_from(["float32", "float64"]))
    b, m, c = data.draw(st.sampled_from([(1, 1, 1), (2, 1, 1), (1, 3, 1), (2, 2, 3)]))
    x, h = noise(b, c, 700, dtype=dtype), noise(m, c, k, dtype=dtype, seed=1)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, 700), max_size=8))), 700]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitioned, "far_size", lambda *_: far)
        patch.setattr(rings, "CHUNK", data.draw(st.sampled_from([1, 100, 2**15])))
        patch.setattr(rings, "PORTION", data.draw(st.sampled_from([1, 100, 2**15])))
        patch.setattr(rings, "BY_MATRIX", data.draw(st.sampled_from([0, 128])))
        engine, other = (Partitioned(h, b, dtype, block, waits) for _ in range(2))
    y = np.concatenate([engine.step(x[..., a:z]) for a, z in pairwise(cuts)], axis=-1)
    assert y.shape == (b, m, 700 // block * block if waits else 700)
    same_bits(y, other.step(x))
    near(y, engines.conv(x, h, window=(0, y.shape[-1])), 2 * c * bound(x, h, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 2, 16, 64])
def test_a_transform_by_its_matrix_is_the_transform(size, dtype):
    x = noise(2, 3, 2 * size, dtype=dtype)
    ring = Ring(noise(1, 3, size, dtype=dtype), size, 2, np.dtype(dtype))
    assert ring.matrices
    ring.keep(x)
    assert ring.seen.dtype == np.result_type(dtype, np.complex64)
    near(ring.seen[0], np.fft.rfft(x.astype(float)), bound(np.ones(2 * size), x, dtype))
    near(ring.inverse(ring.seen[0]), x[..., size:], bound(np.ones(2 * size), x, dtype))


def test_the_inner_transforms_are_the_public_ones(monkeypatch):
    """To the bit; where numpy has moved them, the public ones serve."""
    taps, x = noise(1, 1, 2000, dtype="float32"), noise(1, 1, 1000, dtype="float32")

    def made():
        rings._real_fft.cache_clear()
        return Partitioned(taps, 1, np.float32, 128, True).step(x)

    wanted = made()
    for moved in ({}, {"rfft_n_even": np.fft.rfft, "irfft": lambda x, factor, out: out}):
        monkeypatch.setattr(rings, "import_module", lambda _, moved=moved: SimpleNamespace(**moved))
        same_bits(made(), wanted)
        assert rings._real_fft()[1].__name__ == "<lambda>"
    rings._real_fft.cache_clear()


@given(st.integers(1, 20), st.integers(1, 20), st.lists(st.integers(0, 20), max_size=30))
def test_the_past_is_the_last_samples_with_zeros_around(room, more, pieces):
    past, all_ = Past((2,), room, more, float), np.zeros((2, room))
    for n in pieces:
        x = noise(2, min(n, more), seed=n)
        past.add(x)
        all_ = np.concatenate([all_, x], axis=-1)
        same_bits(past.last(room), all_[:, -room:])
        assert not past.data[:, past.stop:].any()


def test_far_partitions_serve_long_kernels_in_small_blocks_only():
    assert rings.far_size(131072, 4096) == rings.far_size(1024, 64) == 0
    for taps, block in ((131072, 64), (20_000, 64), (131072, 512)):
        far = rings.far_size(taps, block)
        assert far and 2 * far < taps and far % block == 0 and far >= 4 * block
