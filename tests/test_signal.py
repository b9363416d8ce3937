"""A signal keeps its samples at their places, under their names."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import BACKENDS, PADS, same_bits

import sigconv as sc
from sigconv.signal import PADDING_MODES


def tensor(data):
    import torch

    torch.set_num_threads(1)
    return torch.from_numpy(np.array(data))


def sound(*value, n=8, rate=8000, start=0):
    return sc.Signal(np.arange(float(np.prod(value, dtype=int) * n)).reshape(*value, n), sc.line(n, rate, start))


# ---- on: the only code for the padding modes

@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_on_continues_as_numpy_pad_does_at_any_width(backend, mode):
    @given(st.data())
    def holds(data):
        shape = tuple(data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
        value = data.draw(st.sampled_from(((), (2,), (2, 3))))
        widths = [(data.draw(st.integers(0, 20)), data.draw(st.integers(0, 20))) for _ in shape]
        x = np.arange(1.0, 1 + np.prod(value + shape)).reshape(value + shape)
        wanted = np.pad(x, [(0, 0)] * len(value) + widths, PADS[mode])
        wide = sc.Domain(tuple(n + a + b for n, (a, b) in zip(shape, widths, strict=True)), 1, tuple(-a for a, _ in widths))
        got = sc.Signal(x if backend == "numpy" else tensor(x), sc.Domain(shape)).on(wide, mode)
        assert got.domain == wide
        same_bits(got.numpy().data, wanted)

    holds()


@pytest.mark.parametrize("mode", PADDING_MODES)
def test_one_sample_repeats_itself(mode):
    got = sc.Signal([5.0], sc.line(1, 1)).on(sc.line(5, 1, start=-2), mode).data
    same_bits(got, np.array([0, 0, 5.0, 0, 0]) if mode == "zeros" else np.full(5, 5.0))


@pytest.mark.parametrize("mode", PADDING_MODES)
def test_a_grid_that_does_not_touch_the_signal(mode):
    """Far away on either side, and partly: the same function everywhere."""
    x = sc.Signal([1.0, 2.0, 3.0], sc.line(3, 1))
    whole = x.on(sc.line(61, 1, start=-30), mode)
    for start in (-30, -7, -3, 2, 3, 9, 20):
        same_bits(x.on(sc.line(5, 1, start=start), mode).data, whole.data[start + 30: start + 35])


@given(st.integers(-20, 20), st.integers(0, 30), st.integers(-5, 5))
def test_crop_after_widening_gives_the_signal_back(low, extra, shift):
    x = sound(2, n=7, start=shift)
    for mode in PADDING_MODES:
        same_bits(x.on(sc.line(7 + 40, 8000, shift - 20), mode).on(x.domain).data, x.data)
    part = x.on(sc.line(extra, 8000, shift + low))
    for i, p in enumerate(part.coordinates()):
        j = i + low
        assert part.data[0, i] == (x.data[0, j] if 0 <= j < 7 else 0)
        assert p == pytest.approx((shift + j) / 8000)


def test_on_refuses_what_it_can_not_do():
    x = sound(1)
    for call, words in (
        (lambda: x.on(sc.line(8, 48000)), "sc.resample"),
        (lambda: x.on(x.domain, "mirror"), "padding_mode 'mirror': wanted zeros, reflect"),
        (lambda: x.on(x.domain, "symetric"), "did you mean 'symmetric'"),
        (lambda: x.on(None), "a NoneType as domain"),
        (lambda: x.on(x.domain, None), "padding_mode None"),
        (lambda: sound(1, n=0).on(sc.line(3, 8000), "reflect"), "nothing to continue"),
        (lambda: x.on(sc.Domain(4, x.domain.step, 0.5, "s")), "between"),
    ):
        with pytest.raises(sc.SigconvError) as caught:
            call()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
    same_bits(sound(1, n=0).on(sc.line(3, 8000)).data, np.zeros((1, 3)))


def test_on_keeps_type_device_and_gradient():
    x = sc.Signal(tensor(np.ones((1, 3), "float32")).requires_grad_(), sc.line(3, 1))
    for mode in PADDING_MODES:
        y = x.on(sc.line(9, 1, start=-3), mode).data
        assert y.dtype == x.data.dtype
        (y * y).sum().backward()
    assert float(x.data.grad.sum()) == 2 * (3 + 4 * 9)


# ---- places survive (row 77)

@given(st.integers(1, 400), st.integers(0, 399), st.integers(0, 399))
def test_between_keeps_every_sample_at_its_place(n, a, b):
    x = sc.Signal(np.arange(float(n))[None], sc.line(n, 100, start=7))
    y = x.between(a / 100, b / 100)
    places = x.coordinates()
    same_bits(y.data[0], x.data[0][(places >= a / 100 - 1e-12) & (places < b / 100 - 1e-12)])
    same_bits(y.data[0], np.round(y.coordinates() * 100) - 7)


def test_between_in_two_dimensions_and_with_open_ends():
    x = sc.Signal(np.arange(30.0).reshape(5, 6), sc.grid(5, 6, step=0.5, unit="mm"))
    same_bits(x.between((1.0, None), (None, 1.5)).data, x.data[2:, :3])
    assert x.between((1.0, None), None).domain.position(0, 0) == (1.0, 0.0)
    assert x.between(0.5, 1.0).domain.shape == (1, 1)
    assert x.between(7, 8).domain.shape == (0, 0)
    with pytest.raises(sc.SigconvError, match="one position for each of 2 axes"):
        x.between((1, 2, 3))


@given(st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000]), st.integers(300, 1500), st.integers(-50, 50))
def test_crop_filter_stride_and_resample_keep_a_pulse_at_its_time(rate, at, start):
    """A smooth pulse at time t is at time t after each of them and all of them."""
    n = 2000
    x = sc.Signal(np.exp(-0.5 * ((np.arange(n) - at) / 20.0) ** 2)[None], sc.line(n, 16000, start))
    when = (at + start) / 16000

    def centre(y):
        return float((y.data[0] ** 2 * y.coordinates()).sum() / (y.data[0] ** 2).sum())

    k = sc.Signal(np.hanning(33), sc.line(33, 16000).centre())
    late = sc.Signal([0.0, 0.0, 1.0], sc.line(3, 16000))
    tolerance = 1e-4 / 16000 + 1e-9
    assert centre(x) == pytest.approx(when, abs=tolerance)
    assert centre(x.between(max(when - 0.02, start / 16000))) == pytest.approx(when, abs=tolerance)
    assert centre(sc.convolve(x, k)) == pytest.approx(when, abs=tolerance)
    assert centre(sc.convolve(x, k, mode="full")) == pytest.approx(when, abs=tolerance)
    assert centre(sc.convolve(x, late, mode="valid")) == pytest.approx(when + 2 / 16000, abs=tolerance)
    assert centre(sc.convolve(x, k, stride=3)) == pytest.approx(when, abs=tolerance)
    other = sc.resample(x, rate)
    assert other.rate == rate
    assert centre(other) == pytest.approx(when, abs=0.02 / 16000)
    k_there = sc.Signal(np.hanning(9), sc.line(9, rate).centre())
    part = sc.convolve(other, k_there, mode="full").between(when - 0.02, when + 0.02)
    assert centre(part) == pytest.approx(when, abs=0.05 / 16000)


def test_re_basing_mirroring_and_coordinates():
    x = sound(2, n=4, start=3)
    assert x.at(0).domain == sc.line(4, 8000)
    same_bits(x.coordinates(), np.arange(3, 7) / 8000)
    back = x.reverse()
    same_bits(back.data, x.data[..., ::-1])
    assert back.domain.start == (-6,)
    assert back.reverse().domain == x.domain
    same_bits(tensor_back(sc.Signal(tensor(x.data), x.domain).reverse()), back.data)


def tensor_back(x):
    return x.numpy().data


# ---- values and names

@pytest.mark.parametrize(("value", "grid"), [((), (5,)), ((1,), (5,)), ((6,), (5,)), ((3,), (4, 5)), ((2, 3), (4,)),
                                             ((1,), (2, 3, 4))])
def test_value_is_what_is_left_of_the_shape(value, grid):
    """c = 6 on a line is a signal of one dimension with six channels."""
    x = sc.Signal(np.zeros(value + grid), sc.Domain(grid))
    assert (x.value, x.domain.ndim) == (value, len(grid))
    assert x.value + x.domain.shape == x.data.shape


FIVE_ONE = ("L", "R", "C", "LFE", "Ls", "Rs")


def test_five_point_one_is_one_dimension_with_six_named_channels():
    x = sc.Signal(np.zeros((6, 48000)), sc.line(48000, 48000), FIVE_ONE)
    assert x.domain.ndim == 1
    assert x.channels == FIVE_ONE
    assert repr(x) == "<Signal 6 channels (L, R, C, LFE, Ls, Rs), 48000 samples at 48000 Hz, 0 … 1 s, float64>"
    k = sc.Signal(np.ones(3) / 3, sc.line(3, 48000).centre())
    for y in (x.between(0.1, 0.2), x.on(sc.line(10, 48000)), x.at(5), x.reverse(), x * 2, -x, x + x, x - x, x / 3, x.numpy(),
              x @ k, x.to("torch"), x.to(dtype="float32"), sc.convolve(x, k), sc.correlate(x, k, mode="full"),
              sc.resample(x, 16000)):
        assert y.channels == FIVE_ONE
        assert y.value == (6,)


def test_a_bank_names_its_own_axis():
    x = sc.Signal(np.zeros((2, 9)), sc.line(9, 1), ("L", "R"))
    k = sc.Signal(np.ones((3, 2)), sc.line(2, 1), ("a", "b", "c"))
    y = sc.convolve(x, k)
    assert (y.value, y.names, y.channels) == ((2, 3), (("L", "R"), ("a", "b", "c")), ("a", "b", "c"))
    layer = sc.Signal(np.ones((2, 2, 1)), sc.line(1, 1), (("mid", "side"), ("L", "R")))
    assert sc.convolve(x, layer).channels == ("mid", "side")


def test_lift_and_lower_are_inverse():
    x = sc.Signal(np.arange(24.0).reshape(2, 3, 4), sc.line(4, 10), (("L", "R"), ("a", "b", "c")))
    up = x.lift(step=0.5, start=2, unit="mel")
    assert (up.value, up.domain.shape, up.domain.unit, up.domain.position(0, 0)) == ((2,), (3, 4), ("mel", "s"), (1.0, 0.0))
    assert up.channels == ("L", "R")
    down = up.lower(("a", "b", "c"))
    assert (down.domain, down.names) == (x.domain, x.names)
    same_bits(down.data, x.data)
    with pytest.raises(sc.SigconvError, match="without a value axis"):
        sc.Signal(np.zeros(3), sc.line(3, 1)).lift()
    with pytest.raises(sc.SigconvError, match="at least two axes"):
        x.lower()


@pytest.mark.parametrize(("data", "domain", "words"), [
    (np.zeros((1, 8)), sc.line(8, 8000), "<Signal 1 channel, 8 samples at 8000 Hz, 0 … 0.001 s, float64>"),
    (np.zeros(1, "float32"), sc.line(1, 8000), "<Signal 1 sample at 8000 Hz, 0 … 0.000125 s, float32>"),
    (np.zeros((3, 4, 5), "float32"), sc.grid(4, 5), "<Signal 3 channels, 4 × 5, 0 … 4 px × 0 … 5 px, float32>"),
    (np.zeros((1, 2, 3, 4)), sc.grid(2, 3, 4, step=2, unit="mm"),
     "<Signal 1 channel, 2 × 3 × 4, 0 … 4 mm × 0 … 6 mm × 0 … 8 mm, float64>"),
    (np.zeros((2, 3, 4)), sc.line(4, 2, start=-1), "<Signal 2 × 3 channels, 4 samples at 2 Hz, -0.5 … 1.5 s, float64>"),
    (np.zeros((4, 4, 4)), sc.line(4, 100, unit="mm"), "<Signal 4 × 4 channels, 4 samples at 100 /mm, 0 … 0.04 mm, float64>"),
])
def test_repr_tells_channels_grid_rate_extent_and_type(data, domain, words):
    assert repr(sc.Signal(data, domain)) == words
    assert repr(sc.Signal(tensor(data), domain)) == words[:-1] + " tensor>"


# ---- kinds of arrays

def test_to_and_back():
    import torch

    x = sound(2)
    t = x.to("torch")
    assert type(t.data) is torch.Tensor
    assert t.data.dtype == torch.float64
    same_bits(t.numpy().data, x.data)
    assert t.to("numpy").domain == x.domain
    assert x.to(dtype="float32").data.dtype == np.float32
    assert x.to("torch", dtype="float32").data.dtype == torch.float32
    assert t.to(torch.float32).data.dtype == torch.float32
    assert t.to("cpu").data.device.type == "cpu"
    assert x.to(np.float32).data.dtype == np.float32
    assert t.to("numpy", dtype=torch.float32).data.dtype == np.float32
    t.data[0, 0] = 99  # a copy: the NumPy signal does not feel it
    assert x.data[0, 0] == 0
    grad = sc.Signal(tensor(np.ones((1, 3))).requires_grad_(), sc.line(3, 1))
    assert isinstance((grad * 2).numpy().data, np.ndarray)
    assert sc.Signal(torch.ones(3, dtype=torch.bfloat16), sc.line(3, 1)).numpy().data.dtype == np.float32
    assert x.to("torch", dtype=np.float32).data.dtype == torch.float32
    assert x.to("torch", dtype="bfloat16").data.dtype == torch.bfloat16
    for call, words in ((lambda: x.to("cuda:99"), "wanted one that torch has here"), (lambda: x.to(dtype="foo"), "dtype 'foo'"),
                        (lambda: x.to("torch", dtype="foo"), "dtype 'foo'"),
                        (lambda: x.to("torch", dtype="float128"), "torch has")):
        with pytest.raises(sc.SigconvError) as caught:
            call()
        assert words in str(caught.value)


def test_arithmetic():
    x, y = sound(2), sound(2) * 3
    same_bits((x + y).data, x.data * 4)
    same_bits((y - x).data, x.data * 2)
    same_bits((-x).data, -x.data)
    same_bits((2 * x).data, x.data * 2)
    same_bits((np.float64(2) * x).data, x.data * 2)
    same_bits((x / 3).data, x.data / 3)
    same_bits((x * Fraction(1, 2)).data, x.data / 2)
    assert (x * 1j).data.dtype == np.complex128
    assert (x.to(dtype="float32") * 2.0).data.dtype == np.float32
    assert (x.to("torch") + x).data.sum() == 2 * x.data.sum()
    for call, words in (
        (lambda: x + 1, "wanted two signals"),
        (lambda: x + sound(1), "one shape on one grid"),
        (lambda: x + sound(2, start=1), "bring one there with .on(domain)"),
        (lambda: x * x, "x @ k"),
        (lambda: x / x, "x @ k"),
        (lambda: x * np.ones(8), "wanted a number"),
        (lambda: np.ones(8) * x, "sc.Signal(x.data * array, x.domain)"),
        (lambda: x * "a", "signal * str"),
    ):
        with pytest.raises(sc.SigconvError) as caught:
            call()
        assert words in str(caught.value)


def test_construction_refuses_what_does_not_fit():
    d = sc.line(4, 1)
    for call, words in (
        (lambda: sc.Signal(np.zeros(5), d), "data of shape (5,) on a domain of shape (4,)"),
        (lambda: sc.Signal(np.zeros(()), d), "wanted the domain's axes last"),
        (lambda: sc.Signal(np.zeros(4), sc.grid(4, 4)), "domain's axes last"),
        (lambda: sc.Signal(np.zeros(4), 8000), "a int as domain: wanted a Domain"),
        (lambda: sc.Signal(["a"] * 4, d), "wanted numbers"),
        (lambda: sc.Signal([[1.0], [1.0, 2.0]], d), "wanted a box of numbers"),
        (lambda: sc.Signal(np.zeros((2, 4)), d, ("L",)), "one name a channel"),
        (lambda: sc.Signal(np.zeros(4), d, ("L",)), "one name a channel"),
        (lambda: sc.Signal(np.zeros(4), d, 5), "wanted a sequence of words"),
        (lambda: sc.Signal(np.array([None] * 4), d), "wanted numbers"),
    ):
        with pytest.raises(sc.SigconvError) as caught:
            call()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_big_endian_data_become_native_and_keep_their_precision():
    x = sc.Signal(np.arange(4, dtype=">f4"), sc.line(4, 1))
    assert x.data.dtype == np.dtype("float32")
    assert x.data.dtype.isnative
    same_bits(x.data, np.arange(4, dtype="float32"))


def test_matmul_is_convolve():
    x, k = sound(1), sc.Signal([1.0, -1.0], sc.line(2, 8000))
    same_bits((x @ k).data, sc.convolve(x, k).data)


@given(st.text(max_size=40))
def test_text_round_trip(text):
    """Row 66: symbols are one-hot channels; there and back is exact, and a kernel of one tap moves the text."""
    x = sc.Signal.from_text(text)
    assert x.to_text() == text and x.value == (len(set(text)),) and x.domain.shape == (len(text),)
    if text:
        shifted = sc.convolve(x, sc.Signal([1.0], sc.Domain(1, 1, 1, "symbol")), mode="valid")
        assert shifted.to_text() == text and shifted.domain.start == (1,)
    with pytest.raises(sc.SigconvError, match="wanted only"):
        sc.Signal.from_text(text + "€", "abc")
    with pytest.raises(sc.SigconvError, match="each of them once"):
        sc.Signal.from_text("a", "aba")


def test_as_an_array_it_is_its_values():
    x = sound(2)
    assert np.shares_memory(np.asarray(x), x.data) and np.mean(x) == x.data.mean()
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    assert sc.Signal([x, x], x.domain).value == (2, 2)
