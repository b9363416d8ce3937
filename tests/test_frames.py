"""Banks there and back: the transpose, the pseudo-inverse, bounds, and what is said where something is lost."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv.frames import bulk, extremes, solving, verbs

PADDINGS = ("zeros", "reflect", "symmetric", "replicate", "circular")
RATE = 16000
STEP = sc.line(1, RATE).step


def decibels(x, y):
    return 20 * np.log10(np.linalg.norm(x) / max(np.linalg.norm(np.asarray(y) - x), 1e-300))


def matrix(k, domain, channels=1, **options):
    """A by its columns, through `convolve` alone."""
    eye = np.eye(channels * domain.size).reshape(-1, channels, *domain.shape)
    return np.stack([sc.convolve(sc.Signal(e, domain), k, **options).data.ravel() for e in eye], axis=1)


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
    if not A.size or A.shape[0] < A.shape[1] or singular[-1] ** 2 * 1e4 < singular[0] ** 2:
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


def random_bank(m, taps, seed=0, quadrature=False):
    w = np.random.default_rng(seed).standard_normal((m, taps))
    w = w + 1j * np.random.default_rng(seed + 1).standard_normal((m, taps)) if quadrature else w
    return sc.Signal(w, sc.Domain(taps, STEP, -((taps - 1) // 2), "s"))


def windowed(window, bins=None):
    """Windowed exponentials, of a half spectrum or of a whole one."""
    t, f = np.arange(window), np.arange(window // 2 + 1 if bins is None else bins)
    w = np.cos(np.pi * (t - window // 2) / window) ** 2 * np.exp(2j * np.pi * np.outer(f, t) / window)
    return sc.Signal(w, sc.Domain(window, STEP, -((window - 1) // 2), "s"))


def rates():
    """A bank of several rates: octaves at strides of 1 to 8."""
    like = sc.line(1, RATE)
    bands = [(sc.kernels.bandpass(like, 1000 * 2**i, 2000 * 2**i, taps=127), 4 >> i) for i in range(2)]
    pairs = [(sc.kernels.lowpass(like, 1000, taps=127), 4), *bands, (sc.kernels.highpass(like, 4000, taps=127), 1)]
    return [(sc.Signal(k.data[None], k.domain), s) for k, s in pairs]


BANKS = {"free 64 × 64 at 32": (random_bank(64, 64), 32), "free 40 × 401 at 20": (random_bank(40, 401), 20),
         "STFT 400 at 160": (windowed(400), 160), "STFT 400 at 160, all bins": (windowed(400, 400), 160),
         "complex 24 × 48 at 8": (random_bank(24, 48, 3, True), 8), "plain": (random_bank(6, 33), 1)}


def sounds():
    speech = sc.resample(sc.load(sc.io.sample("speech")), RATE).data[:1, :24007].astype(float)
    return {"speech": speech, "noise": np.random.default_rng(9).standard_normal((1, 24007))}


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


@pytest.mark.parametrize("dense", [512, 0], ids=["dense", "iterated"])
@pytest.mark.parametrize("options", [{}, {"padding_mode": "circular"}, {"padding_mode": "reflect"}, {"mode": "full"}],
                         ids=["zeros", "circular", "reflect", "full"])
def test_bounds_are_the_extreme_eigenvalues(options, dense, monkeypatch):
    monkeypatch.setattr(extremes, "DENSE", dense)
    verbs._PLANS.clear()
    for k, stride, n in ((random_bank(8, 12), 4, 160), (random_bank(3, 9, 2, True), 2, 122), (windowed(16), 4, 100)):
        domain = sc.line(n, RATE)
        A = matrix(k, domain, stride=stride, **options)
        A = np.concatenate([A.real, A.imag]) if k.data.shape[0] == 9 else A  # half a spectrum serves real signals
        values = np.linalg.svd(A, compute_uv=False) ** 2
        got = sc.frames.bounds(k, n, stride, **options)
        assert pytest.approx(values[-1], rel=1e-3) == got.A and pytest.approx(values[0], rel=1e-3) == got.B
        assert got.condition == got.B / got.A


def test_bounds_of_long_signals_hold_every_signal():
    k, rng = random_bank(40, 101), np.random.default_rng(0)
    known, exact = sc.frames.bounds(k, 100_003, 20), sc.frames.bounds(k, 2003, 20)
    assert pytest.approx(exact.A, rel=0.02) == known.A and pytest.approx(exact.B, rel=0.02) == known.B
    assert known.redundancy == 2
    for f in rng.uniform(0, RATE / 2, 20):
        x = sc.Signal(np.sin(2 * np.pi * f / RATE * np.arange(4003) + 1)[None], sc.line(4003, RATE))
        ratio = np.sum(sc.convolve(x, k, stride=20).data ** 2) / np.sum(x.data**2)
        assert known.A * (1 - 1e-3) <= ratio <= known.B * (1 + 1e-3)


@pytest.mark.parametrize("n", [60, 1500])
def test_bounds_have_gradients(n):
    """Against differences of the bounds themselves."""
    k = random_bank(6, 9, 7)
    taps = torch.tensor(k.data, requires_grad=True)
    got = sc.frames.bounds(sc.Signal(taps, k.domain), n, 2)
    assert float(got.A) == pytest.approx(sc.frames.bounds(k, n, 2).A, rel=1e-9)
    for what in ("A", "B", "condition"):
        (slope,) = torch.autograd.grad(getattr(got, what), taps, retain_graph=True)
        way = np.random.default_rng(1).standard_normal(k.data.shape)
        up, down = (getattr(sc.frames.bounds(sc.Signal(k.data + e * way, k.domain), n, 2), what) for e in (1e-4, -1e-4))
        assert float((slope.numpy() * way).sum()) == pytest.approx((up - down) / 2e-4, rel=2e-2, abs=1e-3)


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


@pytest.mark.parametrize(("bank", "stride"), [(random_bank(6, 5), 2), (random_bank(3, 5, 2, True), 2), (random_bank(2, 4), 1)],
                         ids=["strided", "complex", "plain"])
def test_tighten_and_bounds_have_gradients(bank, stride):
    taps = torch.tensor(bank.data, requires_grad=True)

    def tight(w):
        k = sc.frames.tighten(sc.Signal(w, bank.domain), stride)
        near = k.on(sc.Domain(41, STEP, -20, "s")).data  # where it does not fade beyond
        return near.real, near.imag if near.is_complex() else near

    def known(w):
        got = sc.frames.bounds(sc.Signal(w, bank.domain), 24, stride)
        return got.A, got.B, got.condition

    assert torch.autograd.gradcheck(tight, taps, atol=1e-5) and torch.autograd.gradcheck(known, taps, atol=1e-5)
    again = sc.frames.tighten(sc.frames.tighten(sc.Signal(taps, bank.domain), stride), stride)  # all eigenvalues alike
    (slope,) = torch.autograd.grad(again.data.abs().pow(4).sum(), taps)
    assert torch.isfinite(torch.view_as_real(slope) if slope.is_complex() else slope).all()


@pytest.mark.parametrize("stride", [1, 8])
def test_complete_has_gradients(stride):
    centre = torch.tensor([1500.0, 2500.0], dtype=torch.float64, requires_grad=True)

    def filled(f, pairs):
        k = sc.kernels.morlet(sc.line(1, RATE), f, torch.full_like(f, 700.0))
        full = sc.frames.complete([(k, stride)])[1][0] if pairs else sc.frames.complete(k, stride)
        return full.data[0 if pairs else 2:]

    for pairs in (False, True):
        weight = torch.cos(torch.arange(filled(centre, pairs).numel()).double() ** 1.5).reshape(filled(centre, pairs).shape)
        assert torch.autograd.gradcheck(lambda f, w=weight, p=pairs: (filled(f, p) * w).abs().sum(), centre, eps=1e-2, atol=1e-7)


def test_tensors_keep_their_type():
    k, x = random_bank(4, 5), torch.randn(2, 50)
    signal = sc.Signal(x, sc.line(50, RATE))
    back = sc.frames.synthesis(sc.convolve(signal, k, stride=2), k, signal.domain, 2)
    assert back.data.dtype == torch.float32 and decibels(x.numpy(), back.data.numpy()) > 110


def test_losses_are_told():
    like = sc.line(1, RATE)
    k = sc.kernels.bandpass(like, 1000, 3000, taps=255)
    k, x = sc.Signal(k.data[None], k.domain), sc.Signal(sounds()["speech"], sc.line(24007, RATE))
    y = sc.convolve(x, k)
    words = r"of white noise −\d\.\d dB would be lost; nothing covers 0 … \d+.* Hz, 3\d+.* … 8000 Hz"
    with pytest.raises(sc.SigconvError, match=words):
        sc.frames.synthesis(y, k, x.domain, limit=1e4)
    near = sc.frames.synthesis(y, k, x.domain, limit=1e4, least_squares=True)
    assert decibels(y.data, sc.convolve(near, k).data) > 45  # the same coefficients
    assert np.linalg.norm(near.data) < 1.01 * np.linalg.norm(x.data)  # and nothing where nothing was seen


@pytest.mark.parametrize(("bank", "domain", "words"), [
    (rates()[1:], sc.line(6000, RATE), r"−\d.*dB would be lost; nothing covers 0 … \d+"),
    ([(random_bank(1, 9, 3, True), 2)], sc.line(200, RATE), r"−3.0 dB would be lost"),
    ([(sc.Signal(np.random.default_rng(2).standard_normal((2, 3, 3)), sc.Domain((3, 3), 1, -1)), 2)], sc.Domain((12, 12)),
     r"−3.0 dB would be lost"),
    ([(sc.Signal(np.random.default_rng(2).standard_normal((2, 3, 3)), sc.Domain((3, 3), 1, -1)), 2)], sc.Domain((26, 26)),
     r"−\d\.\d dB would be lost"),
], ids=["rates", "complex", "plane", "larger plane"])
def test_losses_of_every_kind_are_told(bank, domain, words):
    """And the nearest signal is that of the pseudo-inverse."""
    options = {"real": False} if np.iscomplexobj(bank[0][0].data) else {}
    x = sc.Signal(np.random.default_rng(1).standard_normal((1, *domain.shape)), domain)
    y = [sc.convolve(x, k, stride=s) for k, s in bank]
    with pytest.raises(sc.SigconvError, match=words):
        sc.frames.synthesis(y, bank, domain, **options)
    if domain.size <= 256:
        A = np.concatenate([matrix(k, domain, stride=s) for k, s in bank])
        near = sc.frames.synthesis(y, bank, domain, least_squares=True, **options)
        want = np.linalg.pinv(A) @ np.concatenate([v.data.ravel() for v in y])
        assert np.abs(near.data.ravel() - want).max() < 1e-10


def test_losses_at_the_edges_are_told():
    """Causal taps at a stride never see the last samples; in full mode they do."""
    k = sc.Signal(np.random.default_rng(0).standard_normal((16, 12)), sc.Domain(12, STEP, 0, "s"))
    for n in (104, 4004):
        x = sc.Signal(np.random.default_rng(1).standard_normal((1, n)), sc.line(n, RATE))
        with pytest.raises(sc.SigconvError, match=rf"nothing covers .* … {n / RATE:.6g} s \(3 samples\)"):
            sc.frames.synthesis(sc.convolve(x, k, stride=4), k, x.domain, 4)
        near = sc.frames.synthesis(sc.convolve(x, k, stride=4), k, x.domain, 4, least_squares=True)
        assert np.abs(near.data - x.data)[0, :-3].max() < 1e-10 and np.abs(near.data[0, -3:]).max() < 1e-10
        y = sc.convolve(x, k, stride=4, mode="full")
        assert decibels(x.data, sc.frames.synthesis(y, k, x.domain, 4, mode="full").data) > 200


def test_too_few_filters_for_the_stride():
    k = random_bank(3, 31)
    with pytest.raises(sc.SigconvError, match=r"of white noise −6.0 dB would be lost"):
        x = sc.Signal(sounds()["noise"], sc.line(24007, RATE))
        sc.frames.synthesis(sc.convolve(x, k, stride=4), k, x.domain, 4)


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


@pytest.mark.parametrize(("k", "stride"), [(random_bank(8, 20), 4), (random_bank(3, 9), 1), (random_bank(6, 16, 5, True), 4),
                                           (windowed(64), 16)], ids=["strided", "plain", "complex", "STFT"])
def test_tight_banks(k, stride):
    tight = sc.frames.tighten(k, stride)
    got = sc.frames.bounds(tight, 240 * stride, stride, padding_mode="circular")
    assert pytest.approx(1, abs=1e-10) == got.A and pytest.approx(1, abs=1e-10) == got.B
    x = sc.Signal(sounds()["noise"][:, :3001], sc.line(3001, RATE))
    back = sc.frames.adjoint(sc.convolve(x, tight, stride=stride, mode="full"), tight, x.domain, stride, mode="full")
    assert decibels(x.data, back.data.real) > 200
    again = sc.frames.tighten(tight, stride)  # already tight: nothing changes
    grid = tight.domain if tight.domain.shape >= again.domain.shape else again.domain
    assert np.abs(again.on(grid).data - tight.on(grid).data).max() < 1e-9


@pytest.mark.parametrize("stride", [1, 4, 16])
def test_completed_banks(stride):
    """Octave bands from 250 Hz to 4 kHz, and what lies beside them."""
    like = sc.line(1, RATE)
    edges = 250 * 2 ** np.arange(0, 4.1, 0.25)
    bands = [sc.kernels.bandpass(like, a, b, taps=511) for a, b in pairwise(edges)]
    analytic = np.fft.ifft(np.fft.fft([k.data for k in bands]) * (2 * (np.arange(511) < 256)))
    k = sc.Signal(analytic, bands[0].domain)
    assert sc.frames.bounds(k, 4000, stride, padding_mode="circular", real=True).condition > 1e6
    full = sc.frames.complete(k, stride)
    assert {"low", "high"} == set(full.channels[16:])
    assert sc.frames.bounds(full, 8000, stride).condition < 50
    x = sc.Signal(sounds()["speech"][:, :8000], sc.line(8000, RATE))
    assert decibels(x.data, sc.frames.synthesis(sc.convolve(x, full, stride=stride), full, x.domain, stride).data) > 200


def test_complete_leaves_alone_what_is_complete():
    k = sc.Signal(np.ones((1, 1)), sc.Domain(1, STEP, 0, "s"))
    assert sc.frames.complete(k) is k
    pairs = rates()[1:2]
    assert len(sc.frames.complete(pairs)) == 2


def test_the_bulk_is_the_matrix_of_a_circle():
    for q, k in ((1, random_bank(3, 5)), (4, random_bank(6, 7)), (6, random_bank(8, 9, 1, True))):
        domain = sc.line(48, RATE)
        A = matrix(k, domain, stride=q, padding_mode="circular")
        S = np.conj(A.T) @ A
        part = sc.frames.parts.parts_of(k, domain, q, "same", "circular")[0][0][1]
        circle = bulk.Bulk([part], (48,), False)
        assert circle.extremes() == pytest.approx((np.linalg.eigvalsh(S)[0], np.linalg.eigvalsh(S)[-1]), rel=1e-9)
        z = np.random.default_rng(0).standard_normal((2, 1, 48))
        assert np.abs(circle.solve(z, 1e12)[:, 0] - np.linalg.solve(S, z[:, 0].T).T).max() < 1e-10
