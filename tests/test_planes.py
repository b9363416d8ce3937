"""Planes and volumes: compiled loops and what decides whether they are loaded, sums of separable kernels, tiles."""

import os
import subprocess
import sys
from functools import reduce
from importlib import import_module

import numpy as np
import pytest
from command import REAL
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, definition, near

import sigconv as sc
from sigconv.engines import conv
from sigconv.engines.choose import choose
from sigconv.engines.job import Job
from sigconv.engines.lowrank import terms
from sigconv.engines.separable import factors
from sigconv.errors import SigconvError

compiled, planes = (import_module(f"sigconv.engines.{name}") for name in ("compiled", "planes"))
LOADED = "import sys; print('numba' in sys.modules)"


@st.composite
def jobs(draw):
    """x, w, groups and window: odd sizes, rows longer and shorter than a block, windows that reach no sample on one side, few or
    many taps, and on lines few or many channels and filters."""
    ndim = draw(st.integers(1, 3))
    n = [draw(st.integers(1, {1: 2500, 2: 40, 3: 12}[ndim])) for _ in range(ndim)]
    if ndim == 2 and draw(st.booleans()):
        n[1] = draw(st.integers(200, 1300))
    k = tuple(draw(st.integers(1, {1: 200, 2: 11, 3: 5}[ndim])) for _ in range(ndim))
    window = []
    for a, b in zip(n, k, strict=True):
        first = draw(st.integers(0, a + b - 2)) if draw(st.booleans()) else 0
        window.append((first, draw(st.integers(first + 1, a + b - 1))))
    dtype, rng = draw(st.sampled_from(["float32", "float64"])), np.random.default_rng(draw(st.integers(0, 999)))
    groups, each, per = draw(st.integers(1, 2)), draw(st.integers(1, 2)), 1
    if ndim == 1 and draw(st.booleans()):  # a layer, or a bank
        each, per = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    x, equal = rng.normal(size=(draw(st.integers(1, 2)), groups * per, *n)).astype(dtype), draw(st.booleans())
    lines = [rng.normal(size=taps) for taps in k]
    w = np.stack([[reduce(np.multiply, np.ix_(*lines)) * (i + 1)] * per for i in range(groups * each)]).astype(dtype)
    if not draw(st.booleans()):
        w = rng.normal(size=w.shape).astype(dtype)
    return (np.full_like(x, 0.1), np.full_like(w, 1 / 3)) if equal else (x, w), groups, window


def weight(w):
    return np.abs(w).sum(tuple(range(1, w.ndim))).max()


@given(jobs())
def test_compiled_loops_are_the_convolution(job):
    (x, w), groups, window = job
    y = conv(x, w, groups=groups, window=window, method="compiled")
    near(y, definition(x, w, groups=groups, window=window), bound(x, weight(w), x.dtype), "bounds")


@pytest.mark.parametrize("shape, taps", [((1, 4000), (1, 1024)), ((1, 90, 90), (1, 32, 32)), ((1, 20, 20, 20), (1, 10, 10, 10)),
                                         ((16, 300), (16, 64))])
def test_many_equal_terms_stay_within_the_bound(shape, taps):
    x, w = np.full((1, *shape), 0.1, np.float32), np.full((1, *taps), 1 / 3, np.float32)
    near(conv(x, w, method="compiled"), conv(x.astype(float), w.astype(float), method="direct"), bound(x, w, np.float32))


def test_loops_read_any_layout_and_change_nothing():
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(1, 1, 30, 40)), rng.normal(size=(1, 1, 3, 5))
    wanted = conv(x, w, method="compiled")
    for other in (np.asfortranarray(x), x.astype(">f8"), np.repeat(x, 2, -1)[..., ::2], x[..., ::-1][..., ::-1]):
        other.flags.writeable = False
        np.testing.assert_array_equal(conv(other, w, method="compiled"), wanted)


def test_whole_numbers_stay_whole_and_a_nan_stays_among_what_it_touches():
    rng = np.random.default_rng(4)
    x, w = rng.integers(-9, 10, (1, 1, 50, 60)).astype(np.float32), rng.integers(-9, 10, (1, 1, 5, 3)).astype(np.float32)
    y = conv(x, w, window=[(2, 52), (1, 61)], method="compiled")
    np.testing.assert_array_equal(y, definition(x, w, window=[(2, 52), (1, 61)]))
    x[0, 0, 20, 30] = np.nan
    z = conv(x, w, window=[(2, 52), (1, 61)], method="compiled")
    touched = np.zeros(z.shape, bool)
    touched[0, 0, 18:23, 29:32] = True
    np.testing.assert_array_equal(np.isnan(z), touched)
    np.testing.assert_array_equal(z[~touched], y[~touched])


def test_compiled_serves_real_filters_alone():
    x = np.ones((1, 2, 20, 20))
    for w, options in ((np.ones((2, 2, 3, 3)), {}), (np.ones((2, 1, 3, 3)), {"groups": 2, "stride": 2}),
                       (np.ones((2, 1, 3, 3)), {"groups": 2, "dilation": 2}), (np.ones((2, 1, 33, 33)), {"groups": 2})):
        with pytest.raises(SigconvError, match="compiled"):
            conv(x, w, method="compiled", window=[(0, 9), (0, 9)], **options)


def run(code):
    env = {name: value for name, value in os.environ.items() if name != "SIGCONV_NUMBA"}  # the command line sets it
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout.split()


def test_numba_waits_for_work_that_repays_it():
    small = "import numpy as np, sigconv as sc; x = np.ones((1, 3, 64, 64)); w = np.ones((3, 1, 3, 3)); "
    small += "[sc.engines.conv(x, w, groups=3) for _ in range(20)]; "
    assert run(f"import sigconv; {LOADED}") == ["False"]
    assert run(f"{small}{LOADED}") == ["False"]
    assert run(f"from sigconv.engines.compiled import loaded as f; print(f(1e9), f(1e9), f(1.1e9), f()); "
               f"{LOADED}") == ["False", "False", "True", "True", "True"]
    assert run("import numba; from sigconv.engines.compiled import loaded; print(loaded())") == ["True"]


def test_a_process_without_numba_goes_on_without():
    """The other methods serve; asked for by name, the loops say what they miss."""
    code = ("import sys; sys.modules['numba'] = None; import numpy as np; from sigconv.engines import conv; "
            "from sigconv.engines.compiled import loaded; x, w = np.ones((1, 1, 90, 90)), np.ones((1, 1, 3, 3)); "
            "print(loaded(1e12), conv(x, w).sum() == 9 * 88 * 88); ")
    assert run(code) == ["False", "True"]
    failed = subprocess.run([sys.executable, "-c", code + "conv(x, w, method='compiled')"], capture_output=True, text=True)
    assert "method 'compiled': numba" in failed.stderr


def test_a_cache_that_may_not_be_written_is_done_without(monkeypatch):
    numba = pytest.importorskip("numba")
    from sigconv.engines import loops

    real = numba.njit

    def nowhere(*args, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **options)

    monkeypatch.setattr(numba, "njit", nowhere)
    assert loops.jit(lambda a: a + 1)(2) == 3


def test_numba_is_not_opened_where_it_is_told_not_to_be():
    code = ("import sys, numpy as np; from sigconv.engines import compiled; "
            "assert not compiled.loaded(1e12) and not compiled.opened() and 'numba' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"SIGCONV_NUMBA": "0"})


def test_the_chooser_counts_what_the_loops_would_save(monkeypatch):
    monkeypatch.delenv("SIGCONV_NUMBA", raising=False)
    asked = []
    monkeypatch.setattr(compiled, "_state", {"saved": 0.0, "failed": False, "open": False, "lanes": None})
    monkeypatch.setattr(compiled, "_loop", lambda *names: asked.append(names))
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "numba")
    assert not compiled.loaded(compiled.PRICE / 2) and not compiled.loaded(-1e12) and not asked
    assert compiled.loaded(compiled.PRICE / 2) and asked == [("line", "f")]
    assert compiled.cost(Job(1, 1, 1, 1, (64, 64), (3, 3), (1, 1), (1, 1), (1, 1), (65, 65)), "f") > 0


def test_a_separable_gaussian_is_three_passes():
    """A volume through a 3D Gaussian, and through three on lines: SYSTEMS row 62."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(1, 1, 24, 25, 26)).astype(np.float32)
    lines = [np.exp(-0.5 * ((np.arange(k) - k // 2) / s) ** 2) for k, s in ((9, 1.5), (11, 2.0), (7, 1.0))]
    w = reduce(np.multiply, np.ix_(*lines))[None, None]
    w /= w.sum()
    same = [(4, 28), (5, 30), (3, 29)]
    y, z = conv(x, w, window=same), x
    for axis, h in enumerate(lines):
        shape = [1, 1, 1]
        shape[axis] = len(h)
        one = [(0, n) for n in x.shape[2:]]
        one[axis] = same[axis]
        z = conv(z, (h / h.sum()).reshape(1, 1, *shape), window=one)
    assert np.abs(y - z).max() <= 1e-5 * np.abs(y).max()
    near(y, definition(x, w, window=same), 3 * bound(x, w, np.float32))


def turned(angle, size=15):
    """A Gabor filter, a difference of Gaussians and a steered derivative: rank 2, 2 and 2 (1 along an axis)."""
    at = np.arange(size) - size // 2
    y, x = np.meshgrid(at, at, indexing="ij")
    g, wide = np.exp(-(x**2 + y**2) / 18), np.exp(-(x**2 + y**2) / 40)
    along = np.cos(angle) * x + np.sin(angle) * y
    return {"gabor": g * np.cos(0.9 * along), "dog": g / g.sum() - wide / wide.sum(), "steered": along * g}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["gabor", "dog", "steered"])
def test_sums_of_two_products_are_found_and_kept_within_the_bound(name, dtype):
    w = turned(0.7)[name].astype(dtype)[None, None]
    x = np.random.default_rng(6).normal(size=(1, 1, 70, 80)).astype(dtype)
    assert len(terms(w, 6)) == 2 and factors(w) is None
    y = conv(x, w, window=[(7, 77), (7, 87)], method="lowrank")
    near(y, definition(x, w, window=[(7, 77), (7, 87)]), bound(x, w, dtype))


def test_volumes_are_sums_of_products_too():
    at = np.arange(9) - 4
    one, other = (reduce(np.multiply, np.ix_(*[np.exp(-(at**2) / s)] * 3)) for s in (4, 12))
    for dtype in (np.float32, np.float64):
        w = np.stack([one / one.sum() - other / other.sum(), one * 0])[:, None].astype(dtype)
        x = np.random.default_rng(7).normal(size=(1, 2, 12, 13, 14)).astype(dtype)
        assert len(terms(w, 6)) <= 4
        near(conv(x, w, groups=2, method="lowrank"), definition(x, w, groups=2), bound(x, weight(w), dtype))


def test_rank_is_not_seen_where_it_is_not():
    """Random taps, one entry off by a thousandth, and terms that cancel to a millionth, which would cost the bound."""
    rng = np.random.default_rng(8)
    w = turned(0.7)["gabor"]
    assert terms(rng.normal(size=(1, 1, 9, 9)), 6) is None and terms(rng.normal(size=(1, 1, 9, 9, 9)), 6) is None
    off = w + 1e-3 * rng.normal(size=w.shape)
    assert terms(off[None, None], 6) is None and terms(off.astype(np.float32)[None, None], 6) is None
    for taps in (rng.normal(size=(1, 1, 9, 9)), off[None, None]):
        with pytest.raises(SigconvError, match="lowrank"):
            conv(np.ones((1, 1, 20, 20)), taps, method="lowrank")
    x = np.zeros((1, 1, 300, 300))
    assert choose(rng.normal(size=(1, 1, 31, 31)), Job.of(x, np.ones((1, 1, 31, 31)), 1, 1, 1, None), x.dtype.char) != "lowrank"


def test_a_large_picture_through_a_turned_gabor_takes_few_terms(monkeypatch):
    pytest.importorskip("numba")  # open, so that passes are compiled
    monkeypatch.setattr(import_module("sigconv.engines.folded"), "serves", lambda *_: False)
    x, w = np.zeros((1, 1, 1500, 1500), np.float32), turned(0.7, 31)["gabor"].astype(np.float32)[None, None]
    assert choose(w, Job.of(x, w, 1, 1, 1, None), x.dtype.char) == "lowrank"


@st.composite
def spectral_jobs(draw):
    """As for `jobs`, of any type, with strides and dilations, and parts that each axis is cut into."""
    ndim = draw(st.integers(2, 3))
    n = tuple(draw(st.integers(1, 40 if ndim == 2 else 12)) for _ in range(ndim))
    k, d, s, parts = (tuple(draw(st.integers(1, most)) for _ in range(ndim)) for most in (9 if ndim == 2 else 4, 2, 3, 5))
    dtype, rng = draw(st.sampled_from("fdFD")), np.random.default_rng(draw(st.integers(0, 999)))
    groups, each = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    x, w = (rng.normal(size=shape).astype(dtype) for shape in ((2, groups, *n), (groups * each, 1, *k)))
    if dtype in "FD":
        w *= np.exp(1j * rng.normal(size=w.shape)).astype(dtype)
    if draw(st.booleans()):
        w[:] = w[:1]
    window = []
    for size, taps, step in zip(n, k, d, strict=True):
        full = size + (taps - 1) * step
        first = draw(st.integers(0, full - 1))
        window.append((first, draw(st.integers(first + 1, full))))
    return x, w, {"stride": s, "dilation": d, "groups": groups, "window": window}, parts


@given(spectral_jobs())
def test_tiles_of_any_size_are_the_convolution(case):
    x, w, options, parts = case
    job = Job.of(x, w, *(options[name] for name in ("stride", "dilation", "groups", "window")))
    size = np.abs(w).sum(tuple(range(1, w.ndim))).max()
    wanted, real = definition(x, w, **options), x.real.dtype
    near(planes._in_parts(x, w, job, parts), wanted, bound(x, size, real), "bounds")
    for method in ("fft", "overlap_save"):
        near(conv(x, w, method=method, **options), wanted, bound(x, size, real))


def test_large_pictures_are_cut_and_small_ones_are_not():
    w = np.ones((1, 1, 61, 61))
    for n, cut in ((90, False), (2000, True)):
        job = Job.of(np.broadcast_to(0.0, (1, 1, n, n)), w, 1, 1, 1, None)
        assert (max(planes.cost(job, "f")[1]) > 1) == cut


def test_what_moves_is_told_by_a_kernel_that_moves_with_it():
    """A dot on a video answers most, in mean square, to the path of its own direction, of eight: SYSTEMS row 62."""
    steps = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
    paths = np.zeros((8, 1, 5, 9, 9))
    for m, (v, u) in enumerate(steps):
        for t in range(5):
            paths[m, 0, t, 4 + (t - 2) * v, 4 + (t - 2) * u] = 1
    rng = np.random.default_rng(9)
    for m, (v, u) in enumerate(steps):
        for _ in range(4):
            video = 0.1 * rng.normal(size=(1, 1, 12, 32, 32))
            y, x = rng.integers(13, 19, 2)
            for t in range(12):
                video[0, 0, t, y + (t - 6) * v, x + (t - 6) * u] += 1
            heard = conv(video, paths, window=[(2, 14), (4, 36), (4, 36)])
            assert (heard**4).mean((0, 2, 3, 4)).argmax() == m


def beam(x, delays):
    """Delay and sum: one kernel over (microphone × time), its taps where each microphone's delay is made up for."""
    most = max(delays)
    w = np.zeros((1, 1, len(delays), most + 1))
    for i, delay in enumerate(delays):
        w[0, 0, len(delays) - 1 - i, most - delay] = 1 / len(delays)
    m, n = x.shape
    return conv(x[None, None], w, window=[(m - 1, m), (most, n)])[0, 0, 0]


def test_delay_and_sum_gains_ten_log_of_the_microphones():
    rng, n, delays = np.random.default_rng(10), 20000, [0, 3, 5, 11]
    voice, noise = rng.normal(size=n + 11), rng.normal(size=(4, n))
    heard = np.stack([voice[11 - d: 11 - d + n] for d in delays])
    said, hiss = beam(heard, delays), beam(noise, delays)
    np.testing.assert_allclose(said, voice[11: 11 + len(said)], atol=1e-12)
    gain = 10 * np.log10(np.mean(said**2) / np.mean(hiss**2) * np.mean(noise**2) / np.mean(heard**2))
    assert gain >= 10 * np.log10(4) - 0.5


def test_delay_and_sum_of_a_real_array():
    """Four microphones that hear a voice at the delays that their correlation shows, with noise of our own on each."""
    path = REAL / "multichannel/speech_a.flac"
    if not path.exists():
        pytest.skip("no recordings beside the checkout")
    heard = np.asarray(sc.load(path).data, np.float64)[:, :32000]
    lag = [int(np.argmax(conv(heard[None, :1], heard[None, i: i + 1, ::-1], window=(n - 41, n + 40)))) - 40
           for i, n in enumerate([heard.shape[1]] * 4)]
    delays = [max(lag) - v for v in lag]
    noise = np.random.default_rng(11).normal(size=heard.shape) * heard.std()
    said, hiss = beam(heard, delays), beam(noise, delays)
    gain = 10 * np.log10(np.mean(said**2) / np.mean(hiss**2) * np.mean(noise**2) / np.mean(heard**2))
    assert gain >= 10 * np.log10(4) - 0.5, (gain, delays)


@given(st.integers(1, 2), st.integers(1, 2), st.integers(1, 3), st.sampled_from([1, 3, 17, 64, 70]), st.integers(1, 700),
       st.integers(1, 90), st.integers(2, 40), st.integers(-9, 200), st.integers(1, 500),
       st.sampled_from(["float32", "float64"]), st.booleans())
def test_compiled_strides_take_filters_abreast(batch, groups, per, each, n, k, stride, first, length, dtype, equal):
    rng = np.random.default_rng(n)
    x, w = rng.normal(size=(batch, groups * per, n)).astype(dtype), rng.normal(size=(groups * each, per, k)).astype(dtype)
    if equal:
        x, w = np.full_like(x, 0.1), np.full_like(w, 1 / 3)
    options = {"groups": groups, "stride": stride, "window": (first, first + length)}
    near(conv(x, w, method="compiled", **options), definition(x, w, **options), bound(x, weight(w), dtype), "bounds")
