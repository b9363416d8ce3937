"""What the chooser says, kernels made ready, and what a machine is told to be good at."""

import json

import numpy as np
import pytest
from command import run
from hypothesis import given
from hypothesis import strategies as st
from laws import near

from sigconv.engines import METHODS, Convolver, conv, plan, speeds, tuning
from sigconv.errors import SigconvError


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Speeds of this test alone."""
    monkeypatch.setenv("SIGCONV_SPEEDS", str(tmp_path / "deep" / "speeds.json"))
    speeds._changed()
    yield tmp_path / "deep" / "speeds.json"
    speeds._changed()


def test_a_plan_names_what_runs_and_why(kept):
    x, w = np.zeros((1, 1, 200_000), "float32"), np.ones((1, 1, 2000), "float32")
    said = plan(x, w)
    assert said.method in ("overlap_save", "folded")  # as numba is open or not
    assert said.method == next(iter(said.costs))
    assert list(said.costs.values()) == sorted(said.costs.values())
    assert str(said).startswith(f"{said.method}: about ")
    assert plan(x, w[..., :1]).method == "direct"
    assert plan(x[..., :0], w).method == "none"
    assert plan(x, np.ones((4, 1, 30)), stride=10).method in METHODS


@pytest.mark.parametrize(("dtype", "n", "k", "stride"), [("complex128", 66150, 8999, 1024), ("complex64", 847, 444, 256),
                                                        ("float64", 24240, 1132, 256)])
def test_what_would_go_tap_by_tap_is_priced_so(kept, dtype, n, k, stride):
    """`direct` takes line by line at stride 1 alone; a price that forgets it makes a loop of thousands of taps look short."""
    x, w = np.zeros((1, 1, n), dtype), np.zeros((2, 1, k), dtype)
    said = plan(x, w, stride=stride, window=(0, n))
    assert said.method != "direct" and said.costs["direct"] > k * 1e4


@given(st.sampled_from([(1, 1, 1), (3, 3, 3), (1, 4, 1), (9, 8, 1), (4, 2, 2)]), st.integers(1, 400), st.integers(1, 200),
       st.sampled_from([1, 1, 3]), st.sampled_from(["auto", "auto", "fft", "overlap_save", "direct"]),
       st.sampled_from(["float32", "float64", "complex128"]), st.booleans())
def test_a_kernel_made_ready_gives_the_same(shape, n, k, stride, method, dtype, whole):
    c, m, groups = shape
    rng = np.random.default_rng(n)
    x, w = rng.normal(size=(2, c, n)).astype(dtype), rng.normal(size=(m, c // groups, k)).astype(dtype)
    options = {"stride": stride, "groups": groups, "window": (0, n + k - 1) if whole else None, "method": method}
    ready = Convolver(w, x.shape, **options)
    wanted = conv(x, w, **options)
    scale = 32 * float(np.finfo(dtype).eps) * float(np.abs(w).sum((1, 2)).max()) * float(np.abs(x).max())
    for batch in (x, x[:1], x * 1):
        near(ready(batch), wanted[: len(batch)], scale)
    out = np.empty_like(wanted)
    assert ready(x, out=out) is out
    near(out, wanted, scale)


def test_a_convolver_serves_several_threads_and_batches():
    from concurrent.futures import ThreadPoolExecutor

    rng = np.random.default_rng(0)
    w = rng.normal(size=(1, 1, 9000)).astype("float32")
    ready = Convolver(w, (1, 1, 40_000), window=(0, 48_999), method="packed")
    signals = [rng.normal(size=(b, 1, 40_000)).astype("float32") for b in (1, 2, 1, 1, 3)]
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(ready, signals))
    for x, y in zip(signals, got, strict=True):
        near(y, conv(x, w, window=(0, 48_999), method="fft"), 32 * 1.2e-7 * float(np.abs(w).sum()) * float(np.abs(x).max()))


def test_a_convolver_refuses_other_signals():
    ready = Convolver(np.ones((1, 1, 3)), (1, 1, 9))
    for bad in (np.ones((1, 1, 8)), np.ones((1, 1, 9), "float32"), np.ones((1, 9)), [1.0]):
        with pytest.raises(SigconvError, match="made for"):
            ready(bad)


def test_speeds_change_the_choice_alone(kept):
    x, w = np.random.default_rng(0).normal(size=(1, 1, 100_000)).astype("float32"), np.ones((1, 1, 500), "float32")
    before, method = conv(x, w), plan(x, w).method
    speeds.keep({method: 100.0})
    assert kept.is_file()
    assert plan(x, w).method != method
    near(conv(x, w), before, 32 * 1.2e-7 * 500 * float(np.abs(x).max()))
    speeds.forget()
    assert plan(x, w).method == method


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"machine": 3}', "nonsense", "[" * 5000,
                                  '{"machine": "another", "factors": {"fft": 9}}', '{"machine": null, "factors": {"fft": "x"}}'])
def test_a_file_that_says_nothing_good_is_as_none(kept, text):
    kept.parent.mkdir()
    kept.write_text(text)
    speeds._changed()
    assert speeds.factor("fft") == 1


def test_factors_are_kept_in_bounds(kept):
    kept.parent.mkdir()
    kept.write_text(json.dumps({"machine": speeds.machine(), "factors": {"fft": 1e9, "direct": 0}}))
    speeds._changed()
    assert speeds.factor("fft") == 100
    assert speeds.factor("direct") == 0.01


def test_tune_finds_a_factor_for_what_it_times(kept, monkeypatch):
    """A machine on which transforms take twice as long as expected, and all else as long, is found out."""
    jobs = list(tuning.measured())
    assert all(min(times.values()) > 0 for _, times, _ in jobs)
    made = [(job, {name: cost * (2 if name in ("fft", "overlap_save") else 1) for name, cost in costs.items()}, costs)
            for job, _, costs in jobs]
    monkeypatch.setattr(tuning, "measured", lambda: iter(made))
    factors = tuning.tune()
    assert factors["fft"] / factors["direct"] == pytest.approx(2, rel=1e-3)
    assert np.exp(np.mean(np.log(list(factors.values())))) == pytest.approx(1, rel=1e-3)
    result = json.loads(run("tune", "--json").out)
    assert result["factors"] == factors
    assert kept.is_file()
    assert "forgotten" in run("tune", "--forget").out
    assert not kept.exists()
    run("tune", "--dry-run")
    assert not kept.exists()


def test_a_place_that_can_not_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIGCONV_SPEEDS", str(tmp_path / "file" / "speeds.json"))
    monkeypatch.setattr(tuning, "measured", lambda: iter(()))
    monkeypatch.setattr(tuning, "tune", lambda told: {"fft": 1.0})
    speeds._changed()
    result = run("tune")
    assert result.code == 1
    assert "SIGCONV_SPEEDS" in result.err
    assert result.err.count("\n") == 1
