"""Large jobs in pieces: the same samples within the bound, whatever the threads; small ones are left whole."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, near

from sigconv.engines import conv, methods, threads
from sigconv.engines.job import Job


@given(st.integers(1, 2), st.integers(1, 3), st.integers(1, 500), st.integers(1, 30), st.integers(1, 3), st.integers(1, 5),
       st.booleans())
def test_pieces_put_together_are_the_whole(batch, channels, n, k, stride, pieces, plane):
    rng = np.random.default_rng(n)
    shape, taps = ((n, 7), (k, 3)) if plane else ((n,), (k,))
    x, w = rng.normal(size=(batch, channels, *shape)), rng.normal(size=(channels, 1, *taps))
    window = [(-0, a + b - 1) for a, b in zip(shape, taps, strict=True)]
    job = Job.of(x, w, (stride,) * len(shape), 1, channels, window)
    run = methods.METHODS["direct"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "workers", lambda: pieces)
        y = threads.in_pieces(run, x, w, job)
    near(y, run(x, w, job), bound(x, np.abs(w).reshape(channels, -1).sum(1).max(), "float64"))


def test_a_large_job_is_shared_and_a_small_one_is_not(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 3)
    names = set()
    overlapped = methods.overlapped
    monkeypatch.setattr(methods, "overlapped", lambda *a: names.add(threading.current_thread().name) or overlapped(*a))
    rng = np.random.default_rng(0)
    w = rng.normal(size=(2, 1, 400)).astype("float32")
    conv(rng.normal(size=(1, 2, 20_000)).astype("float32"), w, groups=2, method="overlap_save")
    assert names == {threading.main_thread().name}
    names.clear()
    x = rng.normal(size=(1, 2, 3_500_000)).astype("float32")
    y = conv(x, w, groups=2, method="overlap_save")
    assert len(names) >= 2 and threading.main_thread().name not in names
    monkeypatch.setattr(threads, "workers", lambda: 1)
    near(y, conv(x, w, groups=2, method="overlap_save"), bound(x, np.abs(w).sum(2).max(), "float32"))


def test_a_long_line_is_shared(monkeypatch):
    asked = []
    monkeypatch.setattr(threads, "workers", lambda: asked.append(1) or 2)
    x, w = np.zeros((1, 1, 7_000_000), "float32"), np.ones((1, 1, 500), "float32")
    x[0, 0, ::1_000_003] = 1
    y = conv(x, w)
    assert asked
    assert y[0, 0, [0, 1, 1_000_003 - 500, 1_000_003 - 499, 1_000_003, 1_000_004]] == pytest.approx([1, 0, 0, 1, 1, 0], abs=1e-5)


@pytest.mark.parametrize(("told", "wanted"), [({"SIGCONV_THREADS": "5"}, 5), ({"OMP_NUM_THREADS": "3,2"}, 3),
                                              ({"SIGCONV_THREADS": "2", "OMP_NUM_THREADS": "7"}, 2)])
def test_the_number_of_threads_can_be_told(monkeypatch, told, wanted):
    for name in ("SIGCONV_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert threads.workers() >= 1
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert threads.workers() == wanted
