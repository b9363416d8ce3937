"""Planes and volumes: compiled loops and what decides whether they are loaded, sums of separable kernels, tiles."""

import subprocess
import sys
from functools import reduce
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, definition, near

from sigconv.engines import conv
from sigconv.engines.job import Job
from sigconv.errors import SigconvError

compiled = import_module("sigconv.engines.compiled")
LOADED = "import sys; print('numba' in sys.modules)"


@st.composite
def jobs(draw):
    """x, w, groups and window: odd sizes, rows longer than a run, windows that reach no sample on one side, few or many taps."""
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
    groups, each = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    x, equal = rng.normal(size=(draw(st.integers(1, 2)), groups, *n)).astype(dtype), draw(st.booleans())
    lines = [rng.normal(size=taps) for taps in k]
    w = np.stack([[reduce(np.multiply, np.ix_(*lines)) * (i + 1)] for i in range(groups * each)]).astype(dtype)
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


@pytest.mark.parametrize("shape, taps", [((4000,), (1024,)), ((90, 90), (32, 32)), ((20, 20, 20), (10, 10, 10))])
def test_many_equal_terms_stay_within_the_bound(shape, taps):
    x, w = np.full((1, 1, *shape), 0.1, np.float32), np.full((1, 1, *taps), 1 / 3, np.float32)
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
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


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


def test_the_chooser_counts_what_the_loops_would_save(monkeypatch):
    asked = []
    monkeypatch.setattr(compiled, "_state", {"saved": 0.0, "failed": False, "open": False})
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
