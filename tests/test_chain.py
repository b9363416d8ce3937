"""What stands beside a convolution in a chain: rectifiers, channel matrices, the bypass, and the warp of a domain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from laws import bound

import sigconv as sc
from sigconv import chain

RATE = 44100
RNG = np.random.default_rng


def sound(data, rate=8000, channels=None):
    data = np.atleast_2d(data)
    return sc.Signal(data, sc.line(data.shape[-1], rate), channels)


def taps(data, start=None, rate=8000):
    data = np.asarray(data)
    k = sc.Signal(data, sc.line(data.shape[-1], rate))
    return sc.Signal(k.data, k.domain.centre()) if start is None else k.at(start)


def torch():
    found = pytest.importorskip("torch")
    found.set_num_threads(1)
    return found


def amplitudes(x):
    """The amplitude of each frequency in one second."""
    lines = np.abs(np.fft.rfft(x)) / len(x) * 2
    lines[0] /= 2
    return lines


# Rectifiers (row 9)

@pytest.mark.parametrize("amplitude", [1.0, 0.3])
def test_a_tone_through_relu_is_the_fourier_series_of_a_half_wave(amplitude):
    tone = amplitude * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    lines = amplitudes(sc.relu(sound(tone, RATE)).data[0])
    assert lines[0] == pytest.approx(amplitude / np.pi, rel=1e-4)
    assert lines[440] == pytest.approx(amplitude / 2, rel=1e-4)
    for m in range(1, 12):
        assert lines[2 * m * 440] == pytest.approx(2 * amplitude / np.pi / (4 * m**2 - 1), rel=2e-3)
        assert 20 * np.log10(lines[(2 * m + 1) * 440] / lines[440]) < -60
    others = np.delete(lines, np.arange(0, len(lines), 440))
    assert 20 * np.log10(others.max() / lines[440]) < -60  # what the sampling folds back


def test_a_full_wave_is_an_octave_higher():
    lines = amplitudes(chain.absolute(sound(np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE), RATE)).data[0])
    assert lines[0] == pytest.approx(2 / np.pi, rel=1e-4) and lines[440] < 1e-6
    assert lines[880] == pytest.approx(4 / np.pi / 3, rel=1e-3)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=50))
def test_a_wave_is_the_difference_of_its_halves(values):
    x = sound(np.array(values))
    assert np.array_equal((sc.relu(x) - sc.relu(-x)).data, x.data)
    assert np.array_equal((sc.relu(x) + sc.relu(-x)).data, chain.absolute(x).data)


def test_the_magnitude_of_a_quadrature_pair_is_the_envelope():
    n = np.arange(8000)
    envelope = 0.5 + 0.4 * np.sin(2 * np.pi * 2 * n / 8000)
    pair = sc.Signal(envelope * np.exp(2j * np.pi * 440 * n / 8000), sc.line(8000, 8000))
    assert np.allclose(chain.absolute(pair).data, envelope, atol=1e-12)
    with pytest.raises(sc.SigconvError, match="no sign"):
        sc.relu(pair)


@pytest.mark.parametrize("name", list(chain.NONLINEARITIES))
def test_rectifiers_are_those_of_torch_and_differentiable(name):
    t = torch()
    x = sound(RNG(0).standard_normal((2, 30)))
    data = t.tensor(x.data, requires_grad=True)
    y = chain.NONLINEARITIES[name](sc.Signal(data, x.domain))
    assert np.array_equal(y.numpy().data, chain.NONLINEARITIES[name](x).data)
    y.data.sum().backward()
    assert np.array_equal(data.grad.numpy(), np.where(x.data > 0, 1.0, 0.0 if name == "relu" else -1.0))


def test_rectifiers_keep_the_type():
    x = sound(np.array([[-1, 2]], "float32"))
    assert sc.relu(x).data.dtype == np.float32 and chain.absolute(x).data.dtype == np.float32


# Channel matrices (row 26)

STEREO = ["midside", "mono", "left", "right", "swap", "invert", "invert:R", "invert:1", "rotate:30", "width:1.5", "balance:-0.5",
          "[[0.5,0.5],[1,0],[0,-2]]"]


@given(st.integers(1, 60), st.integers(0, 10**6), st.sampled_from(["float32", "float64"]))
def test_mid_side_and_back(n, seed, dtype):
    x = sound(RNG(seed).uniform(-1, 1, (2, n)).astype(dtype), channels=("L", "R"))
    there = sc.mix(x, "midside")
    back = sc.mix(there, "midside")
    assert np.abs(back.data - x.data).max() <= 1e-7 and back.data.dtype == dtype
    assert there.channels == ("mid", "side") and back.channels == ("L", "R")
    assert np.sum(there.data.astype(float) ** 2) == pytest.approx(np.sum(x.data.astype(float) ** 2), rel=1e-6)  # orthonormal


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=40))
def test_mono_content_has_no_side(values):
    assert not sc.mix(sound(np.array([values, values], "float32")), "midside").data[1].any()
    assert not sc.mix(sound(np.array([values, values])), "width:0.7").mix([[1, -1]]).data.any()


@pytest.mark.parametrize("how", STEREO)
def test_a_mix_is_a_layer_of_one_tap(how):
    x = sound(RNG(1).standard_normal((2, 500)), channels=("L", "R"))
    how = how.replace("R", "right")
    layer = chain.mixer(how, 2, x.domain)
    assert layer.domain.shape == (1,) and layer.value[1] == 2
    y = sc.convolve(x, layer)
    assert np.abs(sc.mix(x, how).data - y.data).max() <= bound(x.data, 4.0, "float64")
    assert sc.mix(x, how).domain == x.domain


def test_what_the_names_mean():
    x = sound([[1.0, 2.0], [3.0, 5.0]], channels=("L", "R"))

    def mixed(how):
        return sc.mix(x, how).data.round(12).tolist()

    assert mixed("left") == [[1, 2]] and mixed("right") == [[3, 5]] and mixed("mono") == [[2, 3.5]]
    assert mixed("swap") == [[3, 5], [1, 2]] and mixed("invert") == [[-1, -2], [-3, -5]]
    assert mixed("invert:R") == mixed("invert:right") == mixed("invert:2") == [[1, 2], [-3, -5]]
    assert mixed("rotate") == [[-3, -5], [1, 2]]
    assert mixed("rotate:360") == mixed("width:1") == mixed("balance:0") == x.data.tolist()
    assert mixed("width:0") == [[2, 3.5], [2, 3.5]] and mixed("balance:1") == [[0, 0], [3, 5]]
    assert mixed("balance:-0.5") == [[1, 2], [1.5, 2.5]]
    wide = sc.mix(sc.mix(x, "width:2"), "midside").data / sc.mix(x, "midside").data
    assert np.allclose(wide, [[1, 1], [2, 2]])
    assert sc.mix(sound([[1.0, 2.0]]), "upmix:3").data.tolist() == [[1, 2]] * 3
    assert sc.mix(x, "swap").channels == ("L", "R") and sc.mix(x, "mono").channels == ("mono",)


@given(st.floats(-720, 720))
def test_a_rotation_keeps_the_power_and_turns_back(angle):
    x = sound(RNG(2).standard_normal((2, 50)))
    y = sc.mix(x, f"rotate:{angle}")
    assert np.sum(y.data**2) == pytest.approx(np.sum(x.data**2), rel=1e-12)
    assert np.allclose(sc.mix(y, f"rotate:{-angle}").data, x.data, atol=1e-12)


def test_what_is_left_out_is_left_out():
    x = sound([[1.0, 2.0], [np.nan, np.inf]])
    assert sc.mix(x, "left").data.tolist() == [[1, 2]] and sc.mix(x, [[2.0, 0.0], [0.0, 0.0]]).data[0].tolist() == [2, 4]


def test_colours_become_grey():
    x = sc.load(sc.io.sample("image"))
    grey = sc.mix(x, "grey")
    assert grey.value == (1,) and np.allclose(grey.data[0], x.data.mean(axis=0), atol=1e-7)
    assert np.array_equal(sc.mix(x, np.eye(3)[[2, 1, 0]]).data, x.data[::-1])
    clear = sc.Signal(np.concatenate([x.data, np.zeros((1, *x.domain.shape), "float32")]), x.domain, ("R", "G", "B", "A"))
    assert np.array_equal(sc.mix(clear, "grey").data, grey.data)


def test_a_matrix_may_be_learned():
    t = torch()
    x = sound(RNG(3).standard_normal((2, 20)))
    weights = t.tensor([[0.5, -1.0]], dtype=t.float64, requires_grad=True)
    y = sc.mix(x.to("torch"), weights)
    y.data.square().sum().backward()
    assert np.allclose(y.numpy().data, weights.detach().numpy() @ x.data)
    assert np.allclose(weights.grad.numpy(), 2 * y.numpy().data @ x.data.T)


@pytest.mark.parametrize(("how", "channels", "cure"), [
    ("midside", 1, "upmix makes two of one"), ("midside", 3, "1,0,0"), ("upmix", 2, "mono makes one"), ("invert:C", 2, "left"),
    ("grey", 2, "colour image"), ("midsid", 2, "did you mean 'midside'"), ("rotate:x", 2, "rotate:90"), ("mono:3", 2, "no para"),
    ("balance:2", 2, "-1 … 1"), ("", 2, "matrix"), ("upmix:1.5", 1, "whole"), ("[]", 1, "rows"), ([["a"]], 1, "numbers"),
    ("[[1]]", 2, "a column a channel"), ("[[1,", 2, "in brackets"), ("[[NaN,1]]", 2, "finite"), ("[[[1]]]", 1, "and columns"),
])
def test_mixes_that_can_not_be(how, channels, cure):
    with pytest.raises(sc.SigconvError, match=cure) as told:
        sc.mix(sound(np.ones((channels, 4))), how)
    assert "\n" not in str(told.value) and told.value.exit_code == 2


NAMED = st.tuples(st.sampled_from(list(chain.MIXES)), st.text(max_size=6)).map(":".join)


@given(st.one_of(st.text(max_size=12), NAMED, st.text("[]0123456789.,-eE ", max_size=14).map("[{}".format)))
def test_any_text_is_a_mix_or_one_line(text):
    try:
        y = sc.mix(sound(np.ones((2, 3))), text)
    except sc.SigconvError as why:
        assert len(str(why)) <= 500 and "\n" not in str(why) and why.exit_code == 2
    else:
        assert len(y.value) == 1 and np.isfinite(y.data).all()


def test_a_signal_without_channels_has_none_to_mix():
    with pytest.raises(sc.SigconvError, match="without channels"):
        sc.mix(sc.Signal(np.ones(4), sc.line(4, 8000)), "mono")
    with pytest.raises(sc.SigconvError, match="ends in c"):
        sound([[1.0]]).mix(np.ones((2, 2)))


# The bypass (row 71)

KERNELS = {"filter": RNG(4).standard_normal(7), "bank": RNG(5).standard_normal((3, 7)),
           "layer": RNG(6).standard_normal((2, 2, 7)), "symmetric": np.hanning(9), "one tap": np.array([2.0])}


@pytest.mark.parametrize("name", list(KERNELS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_dry_is_the_input_to_the_bit(name, dtype):
    x, k = sound(RNG(7).standard_normal((2, 300)).astype(dtype)), taps(KERNELS[name], start=3)
    y = sc.convolve(x, sc.bypass(k, 0))
    if name == "bank":
        y = sc.Signal(y.data[:, 1], y.domain)
    assert y.data.dtype == dtype and np.array_equal(y.data, x.data)


def test_all_dry_is_the_input_in_the_plane_too():
    x = sc.load(sc.io.sample("image"))
    assert np.array_equal(sc.convolve(x, sc.bypass(sc.kernel("blur", x), 0)).data, x.data)


@pytest.mark.parametrize("name", list(KERNELS))
def test_all_wet_is_the_kernel_where_it_stands(name):
    k = taps(KERNELS[name], start=5)
    assert sc.bypass(k, 1) is k


@given(st.integers(1, 12), st.integers(-20, 40), st.sampled_from([1, -1]), st.integers(0, 3), st.integers(0, 10**6))
def test_the_delay_of_taps_that_mirror_themselves_is_their_centre(half, start, sign, zeros, seed):
    side, middle = RNG(seed).standard_normal(half), [RNG(seed + 1).standard_normal() if sign > 0 else 0.0]
    k = taps(np.concatenate([np.zeros(zeros), side, middle, sign * side[::-1]]), start)
    assert chain.delays(k) == [(start + zeros + half,)]


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=9), st.integers(-30, 30))
def test_the_delay_moves_with_the_kernel(values, late):
    k = taps(np.array(values), 0)
    (here,), (there,) = chain.delays(k), chain.delays(k.at(late))
    assert there[0] - here[0] == late


def test_the_delay_of_other_taps_is_where_the_strongest_stands():
    room = sc.kernel("room", sc.line(1, 8000))
    late = room.at(37)
    assert chain.delays(late)[0][0] - 37 == int(np.abs(room.data).argmax())
    assert chain.delays(taps([[0.0, 1.0, 0.5], [3.0, 1.0, 0.5]], 2)) == [(3,), (2,)]
    assert chain.delays(taps(np.array([3j, 1.0, -3j]), 4)) == [(5,)]  # Hermitian: a quadrature pair


@pytest.mark.parametrize("wet", [0.5, 0.25, 0.9])
@pytest.mark.parametrize("name", ["filter", "bank", "symmetric"])
def test_it_is_dry_beside_wet(wet, name):
    x, k = sound(RNG(8).standard_normal((1, 200))), taps(KERNELS[name], start=4)
    filters = k.data if k.value else k.data[None]
    y = sc.convolve(x, sc.bypass(k, wet)).data.reshape(len(filters), -1)
    for row, h, (late,) in zip(y, filters, chain.delays(k), strict=True):
        exact = (1 - wet) * x.data[0] + wet * sc.convolve(x, taps(h, start=4 - late)).data[0]
        assert np.abs(row - exact).max() <= bound(x.data, np.append(h, 1.0), "float64")


def test_a_layer_keeps_the_relations_of_its_inputs():
    k = taps(KERNELS["layer"], start=4)
    x = sound(RNG(9).standard_normal((2, 100)))
    y = sc.convolve(x, sc.bypass(k, 0.5)).data
    for row in range(2):
        late = chain.delays(k)[row][0]
        moved = sc.convolve(x, sc.Signal(k.data[row: row + 1], k.domain).at(4 - late)).data[0]
        assert np.abs(y[row] - (x.data[row] + moved) / 2).max() <= bound(x.data, np.abs(k.data).sum() + 1, "float64")


def test_a_linear_phase_lowpass_from_a_file_does_not_comb(tmp_path):
    """As a WAV its taps begin at 0, late by half. Half and half it is (1 + H)/2; left where they stand it has notches."""
    from scipy.signal import firwin

    h = firwin(401, 800, fs=8000)
    sc.save(sound(h), tmp_path / "lowpass.wav", subtype="DOUBLE")
    k = sc.kernel(str(tmp_path / "lowpass.wav"), sc.line(1, 8000))
    assert k.domain.start == (0,)
    frequency = np.linspace(0, 4000, 2001)
    exact = (1 + sc.spectrum.response(taps(h), frequency).gain.real) / 2
    mixed = sc.spectrum.response(sc.bypass(k, 0.5), frequency)
    assert np.abs(mixed.gain - exact).max() < 1e-12  # no phase of its own either
    assert 20 * np.log10(np.abs(mixed.gain).min()) > -6.1
    naive = k.data / 2
    naive[0] += 0.5
    notches = np.abs(sc.spectrum.response(taps(naive, 0), frequency).gain[:350])
    assert 20 * np.log10(notches.min()) < -30 and np.sum((notches[1:-1] < notches[:-2]) & (notches[1:-1] < notches[2:])) > 10


def test_a_bypass_in_the_plane_meets_the_picture():
    x = sc.Signal(np.eye(1, 81, 40).reshape(1, 9, 9), sc.grid(9, 9))
    blur = sc.Signal(np.full((3, 3), 1 / 9), sc.Domain((3, 3), 1, (4, -7)))
    y = sc.convolve(x, sc.bypass(blur, 0.5)).data[0]
    exact = np.zeros((9, 9))
    exact[3:6, 3:6] = 1 / 18
    exact[4, 4] += 0.5
    assert np.allclose(y, exact)


@pytest.mark.parametrize("wet", [-0.1, 1.1, float("nan"), "half", None])
def test_shares_that_are_none(wet):
    with pytest.raises(sc.SigconvError, match="0 … 1"):
        sc.bypass(taps([1.0]), wet)


def test_a_layer_that_changes_the_channels_has_no_dry():
    with pytest.raises(sc.SigconvError, match="3 filters on 2 channels"):
        sc.bypass(taps(np.ones((3, 2, 4))), 0.5)


def test_the_taps_and_the_share_may_be_learned():
    t = torch()
    h, wet = t.tensor([0.5, 1.0, 0.5], dtype=t.float64, requires_grad=True), t.tensor(0.3, dtype=t.float64, requires_grad=True)
    grid = sc.line(3, 8000)
    assert t.autograd.gradcheck(lambda h, wet: sc.bypass(sc.Signal(h, grid), wet).data, (h, wet))


def test_twenty_layers_with_a_bypass_have_a_gradient_at_the_first():
    t = torch()

    def first_gradient(wet):
        draw = t.Generator().manual_seed(0)
        layers = [((2 * t.rand(4, 4, 3, generator=draw, dtype=t.float64) - 1) / 12**0.5).requires_grad_() for _ in range(20)]
        x = sc.Signal(t.rand(4, 200, generator=draw, dtype=t.float64), sc.line(200, 8000))
        for w in layers:
            x = sc.relu(sc.correlate(x, sc.bypass(sc.Signal(w, sc.line(3, 8000)).at(-1), wet)))
        x.data.square().mean().sqrt().backward()
        return float(layers[0].grad.norm())

    assert first_gradient(0.2) >= 10 * first_gradient(1)


# The warp

def angle(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def test_quarter_turns_and_reflections_are_exact():
    x = sc.Signal(RNG(10).random((2, 6, 6)), sc.grid(6, 6))
    assert np.allclose(sc.warp(x, angle(90), order=1).data, np.rot90(x.data, 1, (1, 2)), atol=1e-12)
    assert np.allclose(sc.warp(x, np.diag([-1, 1]), order=1).data, x.data[:, ::-1], atol=1e-12)
    assert np.allclose(sc.warp(x, np.eye(2)).data, x.data, atol=1e-12)
    assert sc.warp(x, np.eye(2)).domain == x.domain


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize(("ours", "theirs"), [("zeros", "constant"), ("replicate", "nearest"), ("symmetric", "reflect")])
def test_a_rotation_is_scipys(order, ours, theirs):
    from scipy.ndimage import rotate

    x = sc.Signal(RNG(11).random((1, 15, 15)), sc.grid(15, 15))
    y = rotate(x.data[0], 20, reshape=False, order=order, mode=theirs)
    assert np.abs(sc.warp(x, angle(20), order=order, padding_mode=ours).data[0] - y).max() < 1e-9


def test_a_warp_is_scikit_images():
    transform = pytest.importorskip("skimage.transform")
    x = sc.Signal(RNG(12).random((1, 20, 30)), sc.grid(20, 30))
    moves = np.array([[1.2, 0.3], [-0.2, 0.8]])
    to = np.eye(3)  # (x, y) about the centre, the other way round
    to[:2, :2] = np.linalg.inv(moves)[::-1, ::-1]
    centre = np.array([14.5, 9.5])
    to[:2, 2] = centre - to[:2, :2] @ centre
    y = transform.warp(x.data[0], to, order=1, mode="constant")
    inner = np.s_[4:-4, 4:-4]
    assert np.abs(sc.warp(x, moves, order=1).data[0] - y)[inner].max() < 1e-9


def test_what_stood_at_p_comes_to_matrix_p_in_units():
    """Steps of 1 and 2 mm: a blob 6 mm down goes, turned by 90 degrees, 6 mm to the right, three steps."""
    grid = sc.grid(21, 21, step=(1, 2), unit="mm")
    x = np.zeros((1, 21, 21))
    x[0, 16, 10] = 1
    y = sc.warp(sc.Signal(x, grid), angle(90), order=1).data[0]
    assert np.unravel_index(y.argmax(), y.shape) == (10, 13) and y[10, 13] == pytest.approx(1)


def test_volumes_lines_and_complex_values_warp_too():
    x = sc.Signal(RNG(13).random((1, 4, 5, 6)) + 1j, sc.grid(4, 5, 6))
    assert np.allclose(sc.warp(x, np.diag([1, -1, 1]), order=1).data, x.data[:, :, ::-1])
    assert np.allclose(sc.warp(sound([[1.0, 2.0, 3.0]]), [[-1.0]], order=1).data, [[3, 2, 1]])


@pytest.mark.parametrize("matrix", [np.eye(3), np.zeros((2, 2)), [[1, np.nan], [0, 1]], "turn", 2.0])
def test_matrices_that_warp_nothing(matrix):
    with pytest.raises(sc.SigconvError, match="with an inverse"):
        sc.warp(sc.Signal(np.eye(4), sc.grid(4, 4)), matrix)


# ---- rounding and order

@pytest.mark.parametrize("backend", ["numpy", "torch"])
@given(hnp.arrays(np.float64, st.integers(0, 40), elements=st.floats(-3, 3)), st.integers(1, 24))
def test_quantize_is_pcm(backend, data, bits):
    """Whole steps of 2^(1−bits), the nearest within −1 … 1; twice is once."""
    x = sc.Signal(data, sc.Domain(len(data)))
    y = sc.quantize(x.to("torch") if backend == "torch" else x, bits).numpy().data
    steps = y * 2.0 ** (bits - 1)
    assert np.array_equal(steps, np.round(steps))
    inside = np.clip(data, -1, 1 - 2.0 ** (1 - bits))
    assert np.abs(y - inside).max(initial=0) <= 2.0**-bits * (1 + 1e-12)
    assert np.array_equal(sc.quantize(sc.Signal(y, x.domain), bits).data, y)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-9, 9)), st.sampled_from([1, 3, 5, 11, 41]))
def test_the_median_is_scipys(backend, data, size):
    from scipy.ndimage import median_filter

    x = sc.Signal(data, sc.line(len(data), 8000, start=3))
    y = sc.median(x.to("torch") if backend == "torch" else x, size)
    assert np.array_equal(y.numpy().data, median_filter(data, size, mode="nearest"))
    assert y.domain == x.domain


def test_what_can_not_be_rounded_or_put_in_order():
    x = sc.Signal(np.ones(4), sc.Domain(4))
    for bits in (0, 33, 2.5, True, "8"):
        with pytest.raises(sc.SigconvError, match="bits"):
            sc.quantize(x, bits)
    for size in (0, 2, -1, 1.5, True):
        with pytest.raises(sc.SigconvError, match="odd"):
            sc.median(x, size)
    for verb in (sc.quantize, sc.median):
        with pytest.raises(sc.SigconvError, match="complex"):
            verb(sc.Signal(np.ones(4) * 1j, sc.Domain(4)), 3)
        with pytest.raises(sc.SigconvError, match="Signal"):
            verb([1.0], 3)
    empty = sc.Signal(np.zeros((2, 0)), sc.Domain(0))
    assert sc.median(empty, 3).data.shape == sc.quantize(empty, 3).data.shape == (2, 0)
