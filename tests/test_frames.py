"""Banks there and back: the transpose and the pseudo-inverse, round trips, sections, gradients."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
import torch
from banking import RATE, decibels, matrix, random_bank, rates, sounds, windowed
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv.frames import bulk, solving, verbs

PADDINGS = ("zeros", "reflect", "symmetric", "replicate", "circular")


@st.composite
def cases(draw, most=(20, 8, 4), covering=False):
    """(kernel, domain, channels, options) of any value, stride and padding; `covering`: with filters enough for the stride."""
    d = draw(st.sampled_from([1, 1, 2, 3]))
    n = tuple(draw(st.integers(1, most[d - 1])) for _ in range(d))
    taps = tuple(draw(st.integers(1, 5 if d == 1 else 3)) for _ in range(d))
    stride = tuple(draw(st.integers(1, 3 if d == 1 else 2)) for _ in range(d))
    m = draw(st.integers(1, 3)) + (prod(stride) * 2 if covering else 0)
    value = draw(st.sampled_from([(m,), (m, 2), *([] if covering else [()])]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    w = rng.standard_normal((*value, *taps)) + (1j * rng.standard_normal((*value, *taps)) if draw(st.booleans()) else 0)
    start = tuple(-((k - 1) // 2) for k in taps) if covering else tuple(draw(st.integers(-4, 3)) for _ in taps)
    padding = draw(st.sampled_from(PADDINGS))
    mode = draw(st.sampled_from(["same", "full", "valid"])) if padding == "zeros" else "same"
    options = {"stride": stride, "mode": mode, "padding_mode": padding, "dilation": draw(st.integers(1, 2))}
    return sc.Signal(w, sc.Domain(taps, 1, start)), sc.Domain(n), 2 if len(value) == 2 else 1, options, rng


@settings(max_examples=150, deadline=None)
@given(cases())
def test_adjoint_is_the_transpose(case):
    k, domain, channels, options, rng = case
    x = sc.Signal(rng.standard_normal((channels, *domain.shape)), domain)
    ax = sc.convolve(x, k, **options)
    noise = sc.Signal(rng.standard_normal(ax.data.shape), ax.domain)
    y = ax * 1j + noise if np.iscomplexobj(k.data) else noise
    back = sc.frames.adjoint(y, k, domain, **options)
    assert back.domain == domain and back.value == x.value
    size = np.abs(k.data).sum() * np.linalg.norm(x.data) * np.linalg.norm(y.data)
    assert abs(np.vdot(ax.data, y.data) - np.vdot(x.data, back.data)) <= 1e-13 * size
    on_tensors = sc.frames.adjoint(y.to("torch"), k, domain, **options)
    rounding = 1e-13 * np.abs(k.data).sum() * np.abs(y.data).max(initial=1)
    assert np.abs(on_tensors.numpy().data - back.data).max(initial=0) <= rounding


@pytest.mark.parametrize("small", [256, 0], ids=["dense", "gradients"])
@settings(max_examples=60, deadline=None)
@given(case=cases(covering=True))
def test_synthesis_is_the_pseudo_inverse(case, small):
    """Of coefficients that no signal has, too; by the matrix and by conjugate gradients."""
    k, domain, channels, options, rng = case
    A = matrix(k, domain, channels, **options)
    singular = np.linalg.svd(A, compute_uv=False)
    if A.shape[0] < A.shape[1] or singular[-1] ** 2 * 1e4 < singular[0] ** 2:
        return
    like = sc.convolve(sc.Signal(np.zeros((channels, *domain.shape)), domain), k, **options)
    y = rng.standard_normal(like.data.shape) + (1j * rng.standard_normal(like.data.shape) if np.iscomplexobj(k.data) else 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verbs, "SMALL", small)
        verbs._PLANS.clear()
        options = options | ({"real": False} if np.iscomplexobj(k.data) else {})
        got = sc.frames.synthesis(sc.Signal(y, like.domain), k, domain, limit=1e9, **options)
    want = np.linalg.pinv(A) @ y.ravel()
    assert np.abs(got.data.ravel() - want).max() <= 1e-10 * np.abs(want).max()


@settings(max_examples=60, deadline=None)
@given(case=cases(), data=st.data(), small=st.sampled_from([256, 0]))
def test_several_rates_give_the_pseudo_inverse(case, data, small):
    """Two or three kernels, each with its stride, in any mode and padding; where a line is covered."""
    k, domain, channels, options, rng = case
    stride = options.pop("stride")
    more = data.draw(st.lists(st.integers(1, 2), min_size=1, max_size=2))
    taps = [rng.standard_normal((2 * s ** domain.ndim, *k.value[1:], *k.domain.shape)) for s in more]
    extra = [(sc.Signal(w, k.domain), s) for w, s in zip(taps, more, strict=True)]
    bank = [(k if k.value else sc.Signal(k.data[None], k.domain), stride), *extra]
    A = np.concatenate([matrix(k, domain, channels, stride=s, **options) for k, s in bank])
    singular = np.linalg.svd(A, compute_uv=False)
    if not A.size or A.shape[0] < A.shape[1] or singular[-1] ** 2 * 1e4 <= singular[0] ** 2:
        return
    zero = sc.Signal(np.zeros((channels, *domain.shape)), domain)
    grids = [sc.convolve(zero, k, stride=s, **options) for k, s in bank]
    kind = any(np.iscomplexobj(k.data) for k, _ in bank)
    y = [rng.standard_normal(v.data.shape) + (1j * rng.standard_normal(v.data.shape) if kind else 0) for v in grids]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verbs, "SMALL", small)
        verbs._PLANS.clear()
        got = sc.frames.synthesis([sc.Signal(v, g.domain) for v, g in zip(y, grids, strict=True)], bank, domain,
                                  limit=1e9, real=not kind, **options)
    want = np.linalg.pinv(A) @ np.concatenate([v.ravel() for v in y])
    assert np.abs(got.data.ravel() - want).max() <= 1e-10 * np.abs(want).max()


BANKS = {"free 64 × 64 at 32": (random_bank(64, 64), 32), "free 40 × 401 at 20": (random_bank(40, 401), 20),
         "STFT 400 at 160": (windowed(400), 160), "STFT 400 at 160, all bins": (windowed(400, 400), 160),
         "complex 24 × 48 at 8": (random_bank(24, 48, 3, True), 8), "plain": (random_bank(6, 33), 1)}



@pytest.mark.parametrize("name", BANKS)
def test_round_trip(name):
    """200 dB in double precision, 110 dB in single, edges included."""
    k, stride = BANKS[name]
    for data in sounds().values():
        x = sc.Signal(data, sc.line(data.shape[-1], RATE))
        for dtype, wanted in (("float64", 200), ("float32", 110)):
            y = sc.convolve(x.to(dtype=dtype), k, stride=stride)
            back = sc.frames.synthesis(y, k, x.domain, stride)
            assert back.domain == x.domain and back.data.real.dtype == dtype
            assert decibels(x.data, back.data) > wanted


def test_round_trip_of_several_rates():
    bank, data = rates(), sounds()["speech"]
    x = sc.Signal(np.stack([data, data[:, ::-1]]).repeat(2, 1), sc.line(data.shape[-1], RATE))
    y = [sc.convolve(x, k, stride=s) for k, s in bank]
    assert decibels(x.data, sc.frames.synthesis(y, bank, x.domain).data) > 200
    z = [sc.Signal(np.random.default_rng(0).standard_normal(v.data.shape), v.domain) for v in y]
    left = sum(np.vdot(a.data, b.data) for a, b in zip(y, z, strict=True))
    assert abs(left - np.vdot(x.data, sc.frames.adjoint(z, bank, x.domain).data)) < 1e-10 * abs(np.vdot(x.data, x.data))


def in_one(system, limit):
    """A plan without sections."""
    size = tuple(-(-n // q) * q + q for n, q in zip(system.n, bulk.period(system.parts), strict=True))
    return solving.Plan(system, solving.near(system, size))


@pytest.mark.parametrize(("padding", "n"), [("zeros", 12007), ("reflect", 12007), ("circular", 12007), ("circular", 12000),
                                            ("symmetric", 12000), ("replicate", 12000)])
@pytest.mark.parametrize("name", ["free 64 × 64 at 32", "complex 24 × 48 at 8", "plain", "rates", "fourier", "mdct"])
def test_sections_equal_the_whole(name, padding, n, monkeypatch):
    """Of coefficients of no signal; whatever lies beyond the edges; a circle of whole periods and one with a seam."""
    like = sc.line(1, RATE)
    bank = {"rates": rates(), "fourier": [(sc.kernels.fourier(like, 400), 160)], "mdct": [(sc.kernels.mdct(like, 256), 256)]
            }.get(name) or [BANKS[name]]
    x = sc.Signal(sounds()["noise"][:, :n], sc.line(n, RATE))
    y = [sc.convolve(x, k, stride=s, padding_mode=padding) for k, s in bank]
    y = [v + sc.Signal(np.random.default_rng(4).standard_normal(v.data.shape), v.domain) for v in y]
    options = {"padding_mode": padding, "least_squares": True}
    monkeypatch.setattr(solving, "SECTION", 4096)
    verbs._PLANS.clear()
    cut = sc.frames.synthesis(y, bank, x.domain, **options)
    how, ends = next(reversed(verbs._PLANS.values()))
    assert 0 < how.size < n or ends.lost, "in sections"
    monkeypatch.setattr(verbs, "plan", in_one)
    verbs._PLANS.clear()
    whole = sc.frames.synthesis(y, bank, x.domain, **options)
    assert np.abs(cut.data - whole.data).max() < 1e-11 * np.abs(whole.data).max()


def completed(name):
    like, K = sc.line(1, RATE), sc.kernels
    if name == "constant Q":
        return sc.frames.complete(K.constant_q(like, 3520, 7000, 36))
    return [(sc.frames.complete(K.gammatone(like, sc.scales.spaced(1000, 7000, 16, "erb")), 4), 4)]


@pytest.mark.parametrize("largest", [256, 1], ids=["exact", "interpolated"])
@pytest.mark.parametrize("name", ["constant Q", "gammatone", "free 40 × 401 at 20"])
def test_sections_of_wide_banks_equal_the_whole(name, largest, monkeypatch):
    """Where S⁻¹ reaches far, and where it is known only as if each frequency stood alone."""
    bank, n = [BANKS[name]] if name in BANKS else completed(name), 60007
    x = sc.Signal(np.random.default_rng(1).standard_normal((1, n)), sc.line(n, RATE))
    y = [sc.convolve(x, k, stride=s) for k, s in bank]
    y = [v + sc.Signal(np.random.default_rng(4).standard_normal(v.data.shape), v.domain) for v in y]
    for module, limit, value in ((bulk, "LARGEST", largest), (solving, "SECTION", 4096), (solving, "LONG", 5)):
        monkeypatch.setattr(module, limit, value)
    verbs._PLANS.clear()
    cut = sc.frames.synthesis(y, bank, x.domain)
    how = next(reversed(verbs._PLANS.values()))[0]
    assert how.size and len(list(how.sections())) >= 3, "in sections"
    assert how.neighbour.exact == (largest > 1)
    monkeypatch.setattr(verbs, "plan", in_one)
    verbs._PLANS.clear()
    whole = sc.frames.synthesis(y, bank, x.domain)
    assert np.abs(cut.data - whole.data).max() < 1e-9 * np.abs(whole.data).max()


@pytest.mark.parametrize("small", [256, 0])
def test_synthesis_has_gradients(small, monkeypatch):
    monkeypatch.setattr(verbs, "SMALL", small)
    verbs._PLANS.clear()
    k, domain = random_bank(4, 5), sc.line(14, RATE)
    y = torch.randn(1, 4, 7, dtype=torch.float64, requires_grad=True)
    w = torch.tensor(k.data, requires_grad=True)

    def back(y, w):
        return sc.frames.synthesis(sc.Signal(y, domain.every(2)), sc.Signal(w, k.domain), domain, 2).data

    assert torch.autograd.gradcheck(back, (y, w), atol=1e-6)
    def transposed(y, w):
        return sc.frames.adjoint(sc.Signal(y, domain.every(2)), sc.Signal(w, k.domain), domain, 2).data

    assert torch.autograd.gradcheck(transposed, (y, w))


def test_tensors_keep_their_type():
    k, x = random_bank(4, 5), torch.randn(2, 50)
    signal = sc.Signal(x, sc.line(50, RATE))
    back = sc.frames.synthesis(sc.convolve(signal, k, stride=2), k, signal.domain, 2)
    assert back.data.dtype == torch.float32 and decibels(x.numpy(), back.data.numpy()) > 110


@pytest.mark.parametrize(("n", "taps"), [(0, 9), (1, 9), (2, 9), (9, 9), (5, 64)])
def test_short_signals(n, taps):
    k, x = random_bank(9, taps), sc.Signal(np.ones((2, n)), sc.line(n, RATE))
    y = sc.convolve(x, k, stride=2)
    assert np.abs(sc.frames.synthesis(y, k, x.domain, 2).data - x.data).max(initial=0) < 1e-10
    assert sc.frames.adjoint(y, k, x.domain, 2).data.shape == (2, n)


def test_silence_stays_silence_and_one_filter_is_a_bank():
    domain = sc.line(5000, RATE)
    k = sc.kernel("[1,0.5]", domain)
    zero = sc.Signal(np.zeros((1, 5000)), domain)
    assert not sc.frames.synthesis(sc.convolve(zero, k), k, domain).data.any()
    x = sc.Signal(sounds()["noise"][:, :5000], domain)
    assert decibels(x.data, sc.frames.synthesis(x @ k, k, domain).data) > 250
    assert sc.frames.synthesis(x @ k, k, domain).value == (1,)


@pytest.mark.parametrize(("call", "message"), [
    (lambda k, y, d: sc.frames.synthesis(y, k, d, 3), "wanted a value that ends in"),
    (lambda k, y, d: sc.frames.synthesis(y.data, k, d, 2), "a ndarray of coefficients: wanted a Signal"),
    (lambda k, y, d: sc.frames.adjoint([y], [(k, 2), (k, 2)], d), "1 Signals of coefficients: wanted a list of 2"),
    (lambda k, y, d: sc.frames.adjoint(y, k.data, d), "a ndarray as bank: wanted a kernel Signal"),
    (lambda k, y, d: sc.frames.adjoint(y, k, 100), "a int as domain"),
    (lambda k, y, d: sc.frames.synthesis(y * np.nan, k, d, 2), "coefficients that are not finite"),
    (lambda k, y, d: sc.frames.synthesis(y, k, d, 2, limit=0), "wanted a condition number above 1"),
    (lambda k, y, d: sc.frames.bounds(k, 0.5), "wanted whole numbers"),
    (lambda k, y, d: sc.frames.bounds(3, 5), "a int as bank"),
    (lambda k, y, d: sc.frames.synthesis(y, k, d, 2, mode="full", padding_mode="reflect"), "only 'same' looks beyond"),
    (lambda k, y, d: sc.frames.tighten(sc.kernel("edge", sc.grid(4, 4))), "wanted a kernel of value"),
    (lambda k, y, d: sc.frames.tighten(random_bank(2, 9), 4), "wanted a condition of at most"),
    (lambda k, y, d: sc.frames.complete(4), "complete of what is no bank"),
])
def test_bad_input(call, message):
    k, domain = random_bank(4, 5), sc.line(100, RATE)
    y = sc.convolve(sc.Signal(np.ones((1, 100)), domain), k, stride=2)
    with pytest.raises(sc.SigconvError, match=message) as why:
        call(k, y, domain)
    assert "\n" not in str(why.value)
