"""What is known of a bank: its bounds, what it loses, and banks made tight and whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from banking import RATE, STEP, decibels, matrix, random_bank, rates, sounds, windowed

import sigconv as sc
from sigconv.frames import bulk, extremes, verbs


@pytest.mark.parametrize("dense", [512, 0], ids=["dense", "iterated"])
@pytest.mark.parametrize("options", [{}, {"padding_mode": "circular"}, {"padding_mode": "reflect"}, {"mode": "full"}],
                         ids=["zeros", "circular", "reflect", "full"])
def test_bounds_are_the_extreme_eigenvalues(options, dense, monkeypatch):
    monkeypatch.setattr(extremes, "DENSE", dense)
    verbs._BOUNDS.clear()
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
    assert float(got.A.detach()) == pytest.approx(sc.frames.bounds(k, n, 2).A, rel=1e-9)
    for what in ("A", "B", "condition"):
        (slope,) = torch.autograd.grad(getattr(got, what), taps, retain_graph=True)
        way = np.random.default_rng(1).standard_normal(k.data.shape)
        up, down = (getattr(sc.frames.bounds(sc.Signal(k.data + e * way, k.domain), n, 2), what) for e in (1e-4, -1e-4))
        assert float((slope.numpy() * way).sum()) == pytest.approx((up - down) / 2e-4, rel=2e-2, abs=1e-3)


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


@pytest.mark.parametrize("fade", [1, 3, 6, 9, 12])
def test_a_glance_overlooks_no_loss(fade):
    """Causal taps that fade: the last samples of a line are hardly read. What a glance says is a bound from below."""
    taps = np.random.default_rng(0).standard_normal((16, 12)) * 10 ** (-fade * np.arange(12)[::-1] / 22)
    part = sc.frames.parts.parts_of(sc.Signal(taps, sc.Domain(12, STEP, 0, "s")), sc.line(800, RATE), 4)[0][0][1]
    system = sc.frames.system.System((part,), True)
    values = np.linalg.svd(system.dense(), compute_uv=False) ** 2
    seen = extremes.extremes(system, 1e6, sc.line(800, RATE), glance=True)
    assert bool(seen.lost) == (values[-1] * 1e6 < values[0])
    assert seen.lost or seen.condition > values[0] / values[-1] / 2


def test_too_few_filters_for_the_stride():
    k = random_bank(3, 31)
    with pytest.raises(sc.SigconvError, match=r"of white noise −6.0 dB would be lost"):
        x = sc.Signal(sounds()["noise"], sc.line(24007, RATE))
        sc.frames.synthesis(sc.convolve(x, k, stride=4), k, x.domain, 4)


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
    banks = (1, random_bank(3, 5)), (1, random_bank(3, 5, 0, True)), (4, random_bank(6, 7)), (6, random_bank(8, 9, 1, True))
    for q, k in banks:
        domain = sc.line(48, RATE)
        A = matrix(k, domain, stride=q, padding_mode="circular")
        S = np.conj(A.T) @ A
        part = sc.frames.parts.parts_of(k, domain, q, "same", "circular")[0][0][1]
        circle = bulk.Bulk([part], (48,), False)
        assert circle.extremes() == pytest.approx((np.linalg.eigvalsh(S)[0], np.linalg.eigvalsh(S)[-1]), rel=1e-9)
        z = np.random.default_rng(0).standard_normal((2, 1, 48))
        assert np.abs(circle.solve(z, 1e12)[:, 0] - np.linalg.solve(S, z[:, 0].T).T).max() < 1e-10


@pytest.mark.parametrize("stride", [1, 4])
def test_filters_of_one_side_are_for_real_signals_though_they_leak(stride):
    """Short analytic filters near 0 Hz hear a little of −f; a bank of both sides is for complex signals."""
    x = sc.line(1, 8000)
    k = sc.frames.complete(sc.kernels.bank("sinc:20,taps=101", x), stride)
    told, real = sc.frames.bounds(k, 1000, stride), sc.frames.bounds(k, 1000, stride, real=True)
    assert (told.A, told.B) == (real.A, real.B) and told.condition < 3
    both = sc.kernels.fourier(x, 16, bins=16)
    assert sc.frames.bounds(both, 200, 4).A == sc.frames.bounds(both, 200, 4, real=False).A
