"""Scattering: equal to its definition, expands nothing, and each path hears what its name says."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv.scattering.filters import averaging

RATE = 8000


def line(data, rate=RATE):
    return sc.Signal(data, sc.line(np.shape(data)[-1], rate))


def tone(f, n=8192, depth=0.0, pace=0.0):
    t = np.arange(n) / RATE
    return line(((1 + depth * np.cos(2 * np.pi * pace * t)) * np.sin(2 * np.pi * f * t))[None])


def dense(scatter, x, J):
    """The definition on the signal as reflection repeats it, by DFT at the full rate: nothing is left out between."""
    n = x.domain.shape[0]
    whole = -(-(n - 1) // 2**J) * 2**J + 1
    one = x.on(sc.line(whole, x.rate), "reflect").data[0]
    period = np.concatenate([one, one[-2:0:-1]])
    N = len(period)

    def spectrum(k):
        taps = np.zeros((k.data.reshape(-1, k.domain.shape[0]).shape[0], N), complex)
        at = (np.arange(k.domain.shape[0]) + int(k.domain.start[0])) % N
        for i, row in enumerate(k.data.reshape(-1, k.domain.shape[0])):
            np.add.at(taps[i], at, row)
        return np.fft.fft(taps)

    phi = spectrum(averaging(x.domain, J))[0]

    def mean(u):
        return np.fft.ifft(np.fft.fft(u) * phi).real[..., :whole:2**J][..., : -(-n // 2**J)]

    found, second = [mean(period)[None]], []
    for ring, lows in scatter._rings:
        u = abs(np.fft.ifft(np.fft.fft(period) * spectrum(ring.taps(x.domain, 1) * scatter._gain[0])))
        found.append(mean(u))
        for low, keep in lows:
            psi = spectrum(low.taps(x.domain, 1) * scatter._gain[1])[list(keep)]
            second.append(mean(abs(np.fft.ifft(np.fft.fft(u)[:, None] * psi))).reshape(-1, found[0].shape[-1]))
    return np.concatenate(found + second)


@pytest.mark.parametrize("n, J, Q", [(1000, 5, 8), (1025, 6, (4, 2)), (333, 4, 1), (40, 5, 3)])
def test_is_its_definition(n, J, Q):
    x = line(np.random.default_rng(n).standard_normal((1, n)))
    for oversampling, bound in ((0, 1e-2), (1, 2e-3), (2, 3e-4), (9, 1e-12)):
        scatter = sc.Scattering(x, J, Q, oversampling=oversampling)
        got, wanted = scatter(x).data[0], dense(scatter, x, J)
        assert got.shape == wanted.shape and abs(got - wanted).max() < bound * abs(wanted).max()


@pytest.mark.parametrize("scatter, n", [(sc.Scattering(sc.line(1, 1), 6, 8), 4096), (sc.Scattering(sc.line(1, 1), 5, 1), 4096),
                                        (sc.Scattering(sc.grid(1, 1), 3, L=6), 128)])
def test_the_sum_of_gains_is_at_most_one(scatter, n):
    """Littlewood and Paley's sum of the very taps, by DFT; at most 1, and reaching it."""
    axes = tuple(range(-scatter._unit.ndim, 0))

    def power(taps):
        return abs(np.fft.fftn(taps, (n,) * len(axes), axes)) ** 2

    for depth in (0, 1):
        lows = {id(low): low for _, lows in scatter._rings for low, _ in lows}
        rings = [ring for ring, _ in scatter._rings] if depth == 0 else list(lows.values())
        waves = sum(power(ring.taps(scatter._unit, 1).data * scatter._gain[depth]).sum(0) for ring in rings)
        total = power(averaging(scatter._unit, scatter.J).data) + (waves + np.roll(np.flip(waves, axes), 1, axes)) / 2
        assert total.max() < 1.002 and (depth or total.max() > 0.99)


@given(st.integers(1, 700), st.integers(0, 2**31))
def test_expands_nothing(n, seed):
    """‖S x − S y‖ ≤ ‖x − y‖, the samples of S standing for 2^J of x each; at the ends the reflection adds its own."""
    scatter, rng = SMALL, np.random.default_rng(seed)
    a, b = (line(np.concatenate([np.zeros(200), rng.standard_normal(n), np.zeros(200)])[None]) for _ in "ab")
    grown = (scatter(a).data - scatter(b).data) ** 2
    assert 2**scatter.J * grown.sum() <= ((a.data - b.data) ** 2).sum() * (1 + 1e-2)


SMALL = sc.Scattering(sc.line(1, RATE), 5, 4)


@given(st.floats(-1e3, 1e3), st.integers(1, 300))
def test_a_constant_is_its_mean_alone(value, n):
    s = SMALL(line(np.full((1, n), value))).data[0]
    assert np.allclose(s[0], value, rtol=1e-12) and abs(s[1:]).max() <= 1e-9 * abs(value)


def test_a_tone_lights_its_path():
    scatter = sc.Scattering(sc.line(1, RATE), 8, 12)
    first = [i for i, p in enumerate(scatter.paths) if len(p) == 1]
    for f in (100, 440, 1000, 3300):
        s = scatter(tone(f)).data[0, first].mean(-1)
        assert abs(np.log2(scatter.paths[first[int(s.argmax())]][0] / f)) <= 0.5 / 12 + 1e-3


def test_a_tremolo_lights_the_path_of_both_its_pitches():
    scatter = sc.Scattering(sc.line(1, RATE), 8, 8)
    second = [i for i, p in enumerate(scatter.paths) if len(p) == 2]
    for f, pace in ((1000, 35), (2000, 70), (1000, 90)):
        s = scatter(tone(f, depth=0.5, pace=pace)).data[0, second][:, 8:24].mean(-1)
        high, low = scatter.paths[second[int(s.argmax())]]
        assert abs(np.log2(high / f)) < 1 / 8 and abs(np.log2(low / pace)) <= 0.5 + 1e-3
        still = scatter(tone(f)).data[0, second][:, 8:24].mean(-1)
        assert s.max() > 20 * still.max()


def test_shifts_and_warps_change_little():
    """A shift far below 2^J; a warp of 1 %, which carries a high partial over many bins of a spectrum (Andén & Mallat, II.B)."""
    scatter, rng = sc.Scattering(sc.line(1, RATE), 8, 4), np.random.default_rng(1)
    noise = np.concatenate([np.zeros(2048), rng.standard_normal(4096), np.zeros(2048)])

    def apart(a, b):
        return np.linalg.norm(a - b) / np.linalg.norm(a)

    s = scatter(line(noise[None])).data[0, 1:]
    assert apart(s, scatter(line(np.roll(noise, 8)[None])).data[0, 1:]) < 0.05 < 1 < apart(noise, np.roll(noise, 8))
    t = np.arange(8192) / RATE
    plain, warped = (sum(np.sin(2 * np.pi * 200 * m * a * t) for m in range(10, 18)) for a in (1, 1.01))
    spectra = [abs(np.fft.rfft(v * np.hanning(8192))) for v in (plain, warped)]
    assert apart(scatter(line(plain[None])).data[0, 1:], scatter(line(warped[None])).data[0, 1:]) < 0.2 * apart(*spectra)


def test_channels_and_batches_are_each_their_own():
    x = np.random.default_rng(2).standard_normal((2, 3, 400))
    together = SMALL(line(x))
    assert together.value == (2, 3, len(SMALL.paths)) and together.names[-1][0] == "mean"
    for i in range(2):
        for j in range(3):
            assert np.allclose(together.data[i, j], SMALL(line(x[i, j])).data, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensors_are_the_same_and_differentiable(dtype):
    x = np.random.default_rng(3).standard_normal((1, 300)).astype(dtype)
    a, b = SMALL(line(x)), SMALL(line(torch.from_numpy(x)))
    assert a.data.dtype == dtype and abs(a.data - b.numpy().data).max() < (1e-5 if dtype == "float32" else 1e-12)
    tiny = sc.Scattering(sc.line(1, 1), 2, 1)
    w = torch.randn(1, 9, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(lambda v: tiny(sc.Signal(v, sc.line(9, 1))).data, (w,))


def test_on_a_plane_stripes_light_their_direction():
    scatter = sc.Scattering(sc.grid(1, 1), 4, L=8, order=1)
    y, x = np.mgrid[:96, :96]
    for path in (scatter.paths[i][0] for i in (10, 13, 19)):
        f, degrees = path
        turn = np.deg2rad(degrees)
        stripes = sc.Signal(np.cos(2 * np.pi * f * (x * np.cos(turn) + y * np.sin(turn)))[None], sc.grid(96, 96))
        s = scatter(stripes).data[0, 1:33, 2:4, 2:4].mean((1, 2))
        assert scatter.paths[1 + int(s.argmax())][0] == path
    flat = scatter(sc.Signal(np.ones((1, 50, 70)), sc.grid(50, 70)))
    assert flat.domain.shape == (4, 5) and np.allclose(flat.data[0, 0], 1) and abs(flat.data[0, 1:]).max() < 1e-12


def test_orders_paths_and_time():
    assert sc.Scattering(sc.line(1, RATE), 5, 4, order=0).paths == [()]
    assert {len(p) for p in sc.Scattering(sc.line(1, RATE), 5, 4, order=1).paths} == {0, 1}
    x = line(np.zeros((1, 1000))).at(64)
    s = SMALL(x)
    assert s.domain == x.domain.every(32) and not s.data.any()


@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 33])
def test_short_signals(n):
    s = SMALL(line(np.ones((1, n))))
    assert s.data.shape == (1, len(SMALL.paths), -(-n // 32)) and np.isfinite(s.data).all()


@pytest.mark.parametrize("call, told", [
    (lambda: SMALL(sc.Signal(np.zeros((1, 9)), sc.line(9, 16000))), "resample"),
    (lambda: SMALL(sc.Signal(np.zeros((1, 9), complex), sc.line(9, RATE))), "complex"),
    (lambda: SMALL(np.zeros(9)), "wanted a Signal"),
    (lambda: sc.Scattering(sc.grid(2, 2, 2)), "3 axes"),
    (lambda: sc.Scattering(sc.line(1, 1), 0), "J"),
    (lambda: sc.Scattering(sc.line(1, 1), 3, 1.5), "Q"),
    (lambda: sc.Scattering(sc.line(1, 1), order=3), "order 3"),
    (lambda: sc.Scattering(sc.line(1, 1), 22), "J 22")])
def test_what_it_refuses(call, told):
    with pytest.raises(sc.SigconvError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)
