"""Banks that turn: waves where and whither they were asked for, motion told by its heading, derivatives steered exactly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.ndimage as ndi
import torch

import sigconv as sc
from sigconv.errors import UsageError

GRIDS = {1: sc.line(1, 1, unit="px"), 2: sc.grid(1, 1), 3: sc.grid(1, 1, 1)}
RNG = np.random.default_rng(5)


def gain(k, row, *frequency):
    """What a filter of a bank does to the plane wave of this frequency, cycles a step of each axis."""
    places = np.meshgrid(*(s + np.arange(n) for s, n in zip(k.domain.start, k.domain.shape, strict=True)), indexing="ij")
    turn = sum(f * p for f, p in zip(frequency, places, strict=True))
    return np.sum(k.data[row] * np.exp(-2j * np.pi * turn))


def along(angle, elevation=0.0):
    a, e = np.radians(angle), np.radians(elevation)
    return np.array([np.sin(e), np.cos(e) * np.sin(a), np.cos(e) * np.cos(a)])


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_bank_of_gabors_is_its_gabors(ndim):
    like, pitches = GRIDS[ndim], [0.11, 0.23]
    turns, rises = sc.kernels.directions(ndim, {1: 1, 2: 5, 3: 4}[ndim])
    k = sc.kernels.gabors(like, pitches, turns, rises, bandwidth=[1.0, 1.5])
    assert k.value == (2 * len(turns),)
    for i, (f, (a, e)) in enumerate(product(pitches, zip(turns, rises, strict=True))):
        one = sc.kernels.gabor(like, f, {0.11: 1.0, 0.23: 1.5}[f], a, e)
        assert np.array_equal(k.data[i], one.on(k.domain).data)
        middle = f * along(a, e)[3 - ndim:]
        top = abs(gain(k, i, *middle))
        assert top == pytest.approx(1, abs=0.01)
        for axis in range(ndim):
            for step in (-0.01, 0.01):
                beside = middle + step * f * np.eye(ndim)[axis]
                assert abs(gain(k, i, *beside)) < top + 1e-5  # the peak lies within 1 %


def test_half_gains_stand_an_octave_apart():
    k = sc.kernels.gabors(sc.grid(1, 1), [0.12], [30.0], bandwidth=1.0)
    f = np.linspace(0.05, 0.24, 400)
    heard = f[[abs(gain(k, 0, *(v * along(30.0)[1:]))) >= 0.5 for v in f]]
    assert np.log2(heard[-1] / heard[0]) == pytest.approx(1, abs=0.03)


def test_simple_and_complex_cells():
    """A quarter of a period turns the simple cell's answer over into the other's; the complex cell's moves by less than 2 %."""
    k = sc.kernels.gabors(sc.grid(1, 1), [0.125], [0.0])
    x = np.indices((48, 48))[1]
    waves = [sc.Signal(np.cos(2 * np.pi * 0.125 * (x + shift)), sc.grid(48, 48)) for shift in (0, 2, 4)]
    answers = [sc.convolve(w, k).data[0, 24, 24] for w in waves]
    assert answers[0].real == pytest.approx(-answers[2].real, rel=0.01) and abs(answers[1].real) < 0.02 * abs(answers[0].real)
    assert np.ptp(np.abs(answers)) < 0.02 * abs(answers[0])


def test_directions_share_out_the_circle_and_the_sphere():
    turns, rises = sc.kernels.directions(2, 6)
    assert np.diff(turns).tolist() == [30.0] * 5 and not rises.any()
    for count in (6, 20, 60):
        u = np.stack([along(a, e) for a, e in zip(*sc.kernels.directions(3, count), strict=True)])
        moment = u.T @ u / count
        assert np.abs(moment - np.eye(3) / 3).max() < 0.5 / count + 0.02  # as many along every axis
    with pytest.raises(UsageError, match="a line has one"):
        sc.kernels.directions(1, 2)


@pytest.mark.parametrize("speed", [0.0, 0.5, 1.0, 1.6])
def test_drifting_waves_pass_and_others_do_not(speed):
    k, f = sc.kernels.drifting(sc.grid(1, 1, 1), 0.14, speed, [0, 90, 210]), 0.14
    for i, heading in enumerate((0, 90, 210)):
        u = along(heading)[1:]
        assert abs(gain(k, i, -speed * f, *(f * u))) == pytest.approx(1, abs=0.01)
        assert abs(gain(k, i, speed * f, *(f * u))) < (0.03 if speed else 1.01)  # the way back
    assert k.channels[1] == f"0.14 1/px {speed:g} px/frame 90°"


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_a_moving_dot_is_told_by_its_heading(speed):
    """Eight of eight, by the energy in the quadrature pairs."""
    k = sc.kernels.drifting(sc.grid(1, 1, 1), 0.12, speed)
    t, y, x = np.mgrid[:20, :28, :28]
    for i, heading in enumerate(range(0, 360, 45)):
        _, v, u = along(heading) * speed
        dot = np.exp(-((x - 14 - u * (t - 10)) ** 2 + (y - 14 - v * (t - 10)) ** 2) / 2)
        energy = np.sum(np.abs(sc.convolve(sc.Signal(dot, sc.grid(20, 28, 28)), k).data) ** 2, axis=(1, 2, 3))
        assert np.argmax(energy) == i and energy[i] > 1.2 * np.sort(energy)[-2]


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_steerable_filters_are_scipys_derivatives(ndim, order):
    like = GRIDS[ndim]
    k = sc.kernels.steerable(like, order, 2.0)
    data = RNG.standard_normal((9,) * ndim)
    mixed = [p for p in product(range(order, -1, -1), repeat=ndim) if sum(p) == order]
    assert k.value == ((len(mixed),) if ndim > 1 else ())
    for i, powers in enumerate(mixed):
        if ndim > 1:
            assert k.channels[i] == "".join(f"∂{a}" + "  ²³⁴"[n].strip() for a, n in zip(like.name, powers, strict=True) if n)
        want = ndi.gaussian_filter(data, 2.0, order=powers, truncate=6.0, mode="constant")
        one = sc.Signal(k.data[i] if k.value else k.data, k.domain)
        got = sc.convolve(sc.Signal(data, sc.Domain(data.shape)), one).data
        assert np.abs(got - want).max() < 1e-7
        assert abs(one.data.sum()) < 1e-12


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("ndim", [2, 3])
def test_steering_is_turning(order, ndim):
    """A steered filter is the derivative along x, turned: the same function of turned places; before or after filtering."""
    like, sigma = GRIDS[ndim], 2.5
    basis = sc.kernels.steerable(like, order, sigma)
    turns, rises = np.array([0.0, 23.0, 90.0, 131.0, 300.0]), np.array([0.0, 12.0, 50.0, -33.0, 90.0]) * (ndim == 3)
    k = sc.kernels.steered(like, order, turns, rises, sigma=sigma)
    places = np.meshgrid(*(s + np.arange(n) for s, n in zip(k.domain.start, k.domain.shape, strict=True)), indexing="ij")
    far = sum(p**2.0 for p in places)
    g = np.exp(-far / (2 * sigma**2)) / (2 * np.pi * sigma**2) ** (ndim / 2)
    for i, (a, e) in enumerate(zip(turns, rises, strict=True)):
        z = sum(u * p for u, p in zip(along(a, e)[3 - ndim:], places, strict=True)) / sigma
        hermite = np.polynomial.hermite_e.hermeval(z, np.eye(5)[order])
        want = (-1) ** order * hermite * g / sigma**order
        assert np.abs(k.data[i] - want).max() < 1e-6 * np.abs(want).max()
    x = sc.Signal(RNG.standard_normal((12,) * ndim), sc.Domain((12,) * ndim))
    weights = sc.kernels.steering(like, order, turns, rises)
    after = np.tensordot(weights, sc.convolve(x, basis).data, 1)
    before = sc.convolve(x, k).data
    assert np.abs(after - before).max() < 1e-12


def test_steering_counts_true_lengths():
    """A picture whose rows stand twice as far apart has half the slope a step... along true lengths, the same slope."""
    like = sc.Domain((1, 1), (2.0, 1.0), unit="mm")
    y, x = np.mgrid[:40, :80]
    a = 40.0
    ramp = sc.Signal(2 * y * np.sin(np.radians(a)) + x * np.cos(np.radians(a)), sc.Domain((40, 80), (2.0, 1.0), unit="mm"))
    for angle in (a, a + 90):
        slope = sc.convolve(ramp, sc.kernels.steered(like, 1, angle, sigma=3.0)).data[20, 40]
        assert slope == pytest.approx(np.cos(np.radians(angle - a)), abs=1e-6)


@pytest.mark.parametrize("ndim", [2, 3])
def test_principal_curvatures(ndim):
    """Of a turned paraboloid its own, and skimage's eigenvalues of the same Hessian."""
    features = pytest.importorskip("skimage.feature")
    turn = np.linalg.qr(RNG.standard_normal((ndim, ndim)))[0]
    bends = np.array([-0.5, 0.25, 1.5])[:ndim]
    hessian = turn @ np.diag(bends) @ turn.T
    places = np.stack(np.meshgrid(*[np.arange(30.0) - 15] * ndim, indexing="ij"))
    bowl = sc.Signal(0.5 * np.einsum("i...,ij,j...->...", places, hessian, places), sc.Domain((30,) * ndim))
    y = sc.convolve(bowl, sc.kernels.curvature(bowl, 2.0))
    found = sc.kernels.principal(y)
    assert found.value == (ndim,) and found.data[(slice(None),) + (15,) * ndim] == pytest.approx(np.sort(bends), abs=1e-6)
    theirs = features.hessian_matrix_eigvals(list(y.data))
    assert np.abs(found.data[::-1] - theirs).max() < 1e-9 * np.abs(theirs).max()
    with pytest.raises(sc.SigconvError, match="wanted what curvature gives"):
        sc.kernels.principal(bowl)


T = torch.float64


@pytest.mark.parametrize(("make", "start"), [
    (lambda f, a: sc.kernels.gabors(sc.grid(1, 1), f, a, bandwidth=1.7), ([0.23, 0.24], [10.0])),
    (lambda f, b: sc.kernels.gabors(sc.line(1, 1), f, bandwidth=b), ([0.2, 0.23], [1.1, 1.2])),
    (lambda f, e: sc.kernels.gabors(sc.grid(1, 1, 1), f, 20.0, e, bandwidth=2.5), ([0.24], [15.0])),
    (lambda f, v: sc.kernels.drifting(sc.grid(1, 1, 1), f, v, [30.0], bandwidth=2.5), ([0.24], [0.7])),
    (lambda f, h: sc.kernels.drifting(sc.grid(1, 1, 1), f, 0.5, h, bandwidth=2.5), ([0.24], [15.0])),
    (lambda s, a: sc.kernels.steered(sc.grid(1, 1), 3, a, sigma=s[0]), ([0.55], [20.0, 140.0])),
    (lambda a, e: sc.kernels.steered(sc.grid(1, 1, 1), 2, a, e, sigma=0.45), ([20.0], [30.0])),
    (lambda s, t: sc.kernels.curvature(sc.grid(1, 1), (s[0], t[0])), ([0.6], [0.45])),
])
def test_gradients(make, start):
    tensors = [torch.tensor(v, dtype=T, requires_grad=True) for v in start]

    def taps(*values):
        data = make(*values).data
        return torch.view_as_real(data) if data.is_complex() else data

    assert torch.autograd.gradcheck(taps, tensors, eps=1e-5, atol=1e-6, rtol=1e-4)
    assert np.abs(make(*tensors).numpy().data - make(*map(np.array, start)).data).max() < 1e-12


def test_in_words():
    image, video = sc.grid(1, 1), sc.grid(1, 1, 1)
    for spec, like, want in (
            ("gabors:2,0.1,0.2,directions=4", image, sc.kernels.gabors(image, [0.1, 0.2])),
            ("drifting:speed=0.5,headings=4", video, sc.kernels.drifting(video, (0.1 * 0.2) ** 0.5, 0.5, [0, 90, 180, 270])),
            ("steerable:3,sigma=1.5", image, sc.kernels.steerable(image, 3, 1.5)),
            ("steered:1,directions=3", image, sc.kernels.steered(image, 1, [0.0, 60.0, 120.0])),
            ("hessian:1.5:2", image, sc.kernels.curvature(image, (1.5, 2)))):
        got = sc.kernel(spec, like)
        assert got.domain == want.domain and np.abs(got.data - want.data).max() < 1e-15 and got.channels == want.channels


@pytest.mark.parametrize("name", ["gabors", "drifting", "steerable", "steered", "curvature"])
def test_words_may_be_learned(name):
    """Every array that may be learned starts inside its range, and the taps have its gradient."""
    family = sc.kernels.BANKS[name]
    like = sc.grid(*(1,) * family.dims[-1])
    words = {"count": 1, "low": 0.2, "high": 0.21, "bandwidth": 2.0} if name in ("gabors", "drifting") else {"sigma": 1.0}
    start = family.begin(like, **words)
    ranges = family.ranges(like, start)
    tensors = {k: torch.tensor(np.asarray(start[k], dtype=float), requires_grad=True) for k in family.learnable}
    data = family.function(like, **(start | tensors)).data
    (data.abs() ** 2 * torch.from_numpy(RNG.standard_normal(data.shape))).sum().backward()
    for k, value in tensors.items():
        low, high = ranges[k].low, ranges[k].high
        assert low is None or (value > low).all()
        assert high is None or (value < high).all()
        assert value.grad.abs().sum() > 0


@pytest.mark.parametrize(("call", "message"), [
    (lambda: sc.kernels.gabors(5, 0.1), "gabors for a int: wanted the domain"),
    (lambda: sc.kernels.gabors(sc.grid(1, 1), 0.6), "frequency 0.6 1/px: wanted above 0 and below 0.5"),
    (lambda: sc.kernels.gabors(sc.grid(1, 1), []), "frequency without entries"),
    (lambda: sc.kernels.gabors(sc.grid(1, 1), [0.1, 0.2, 0.3], bandwidth=[1.0, 2.0]), "3 entries, bandwidth with 2"),
    (lambda: sc.kernels.gabors(sc.line(1, 8000), 440.0, [0, 45]), "a line has one direction"),
    (lambda: sc.kernels.drifting(sc.grid(1, 1), 0.1), "drifting on 2 axes"),
    (lambda: sc.kernels.drifting(sc.grid(1, 1, 1), 0.2, 3.0), "wanted frequency·√\\(1 \\+ speed²\\) below 0.5"),
    (lambda: sc.kernels.drifting(sc.grid(1, 1, 1), 0.2, -1.0), "speed -1 px/frame: wanted at least 0"),
    (lambda: sc.kernels.steerable(sc.grid(1, 1), 5), "order 5: wanted 1, 2, 3 or 4"),
    (lambda: sc.kernels.steerable(sc.grid(1, 1), 0), "order 0: wanted at least 1"),
    (lambda: sc.kernels.steered(sc.grid(1, 1), 2, sigma=1e5), "wanted at most"),
])
def test_bad_banks(call, message):
    with pytest.raises(UsageError, match=message) as why:
        call()
    assert "\n" not in str(why.value)
