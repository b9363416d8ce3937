"""What a course on convolution tells its students, checked: shapes of layers, the Toeplitz matrix, padding, stride and Ω."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import bound, near, same_bits

import sigconv as sc


def tensor(data):
    import torch

    torch.set_num_threads(1)
    return torch.from_numpy(np.array(data))


def layer(module, start):
    """A torch layer as a kernel: its taps reversed, since it correlates."""
    weight = module.weight.detach().numpy()
    taps = np.flip(weight, range(2, weight.ndim)).copy()
    shape = taps.shape[2:]
    return sc.Signal(taps, sc.Domain(shape, 1, start))


# ---- shapes of convolutional layers

@pytest.mark.parametrize(("k", "out"), [(3, 62), (5, 60)])
def test_sixteen_kernels_on_stereo(k, out):
    """Conv1d(2, 16, k): weight [16, 2, k], (1, 2, 64) → (1, 16, 64 − k + 1); as a kernel the layer (16, 2)."""
    import torch

    conv = torch.nn.Conv1d(2, 16, k, bias=False)
    assert tuple(conv.weight.shape) == (16, 2, k)
    x = np.random.default_rng(0).normal(size=(1, 2, 64)).astype("float32")
    K = layer(conv, -(k - 1))
    y = sc.convolve(sc.Signal(x, sc.Domain(64)), K, mode="valid")
    assert K.value == (16, 2)
    assert y.data.shape == (1, 16, out)
    assert y.domain == sc.Domain(out)
    near(y.data, conv(tensor(x)).detach().numpy(), bound(x, np.abs(K.data).sum((1, 2)).max(), "float32", 32))


@pytest.mark.parametrize(("padding", "out"), [((0, 0), (62, 124)), ((1, 2), (64, 128))])
def test_sixteen_kernels_on_twenty_planes(padding, out):
    """Conv2d(20, 16, (3, 5)): weight [16, 20, 3, 5]; (1, 20, 64, 128) → (1, 16, 62, 124), padded (1, 2) → as it was."""
    import torch

    conv = torch.nn.Conv2d(20, 16, (3, 5), padding=padding, bias=False)
    assert tuple(conv.weight.shape) == (16, 20, 3, 5)
    x = np.random.default_rng(1).normal(size=(1, 20, 64, 128)).astype("float32")
    K = layer(conv, (-1, -2))
    y = sc.convolve(sc.Signal(x, sc.grid(64, 128)), K, mode="same" if any(padding) else "valid")
    assert y.data.shape == (1, 16, *out)
    near(y.data, conv(tensor(x)).detach().numpy(), bound(x, np.abs(K.data).sum((1, 2, 3)).max(), "float32", 32))


def test_kernels_of_one_dimensional_data_have_three_axes():
    """2 kernels of thickness 7 with 3 taps: 1D data take a 2 × 7 × 3 tensor, 2D data four axes (row 68)."""
    K = sc.Signal(np.ones((2, 7, 3)), sc.Domain(3))
    y = sc.convolve(sc.Signal(np.ones((7, 64)), sc.Domain(64)), K, mode="valid")
    assert (K.data.ndim, y.value, y.domain.shape) == (3, (2,), (62,))
    assert sc.convolve(sc.Signal(np.ones((3, 9, 9)), sc.grid(9, 9)),
                       sc.Signal(np.ones((5, 3, 3, 3)), sc.grid(3, 3))).value == (5,)


@pytest.mark.parametrize(("c", "shape"), [(1, (40,)), (2, (40,)), (6, (40,)), (1, (8, 9)), (3, (8, 9)), (20, (8, 9))])
def test_a_signal_is_a_function_from_omega_to_channels(c, shape):
    """Ω is a line for mono, stereo and 5.1 alike, a plane for grey, colour and twenty spectral bands (row 77)."""
    x = sc.Signal(np.ones((c, *shape)), sc.Domain(shape))
    y = sc.convolve(x, sc.Signal(np.ones((3,) * len(shape)), sc.Domain((3,) * len(shape)).centre()))
    assert (x.domain.ndim, y.domain, y.value) == (len(shape), x.domain, (c,))


def test_a_text_is_a_signal_of_one_hot_channels():
    """A channel a symbol, named by it: the text comes back exactly, and a word is a kernel that scores its letters (row 66)."""
    text = "the cat sat on the mat"
    symbols = sorted(set(text))

    def signal(words):
        hot = np.array([[s == w for w in words] for s in symbols], float)
        return sc.Signal(hot, sc.line(len(words), 1, unit="letter"), symbols)

    x, word = signal(text), signal("at")
    assert "".join(x.channels[i] for i in x.data.argmax(0)) == text
    found = sc.correlate(x, sc.Signal(word.data[None], word.domain), mode="valid").data[0]
    assert np.flatnonzero(found == 2).tolist() == [5, 9, 20]
    assert [text[i: i + 2] for i in np.flatnonzero(found == 2)] == ["at"] * 3


# ---- sizes and times (row 52)

def test_a_hundred_samples_and_five_taps():
    x, k = sc.Signal(np.ones(100), sc.Domain(100)), sc.Signal(np.ones(5), sc.Domain(5).centre())
    assert [sc.convolve(x, k, mode="valid", stride=s).domain.shape[0] for s in (1, 2)] == [96, 48]
    assert sc.convolve(x, k).domain.shape == (100,)  # (k − 1)/2 zeros at either end


def test_output_sizes_are_those_of_torch_in_a_thousand_settings():
    """⌊(n + 2p − d(k−1) − 1)/s⌋ + 1."""
    import torch

    rng, tried = np.random.default_rng(2), 0
    while tried < 1000:
        n, k, s, d, p = (int(rng.integers(1, top)) for top in (60, 8, 6, 5, 9))
        p -= 1
        if n + 2 * p <= d * (k - 1):
            continue
        tried += 1
        wanted = torch.nn.functional.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), stride=s, padding=p, dilation=d).shape[-1]
        assert (n + 2 * p - d * (k - 1) - 1) // s + 1 == wanted
        padded = sc.Domain(n + 2 * p, 1, -p)
        taps = sc.Domain(k, 1, -(k - 1)).dilate(d)
        assert padded.minus(taps).every(s).shape == (wanted,)
        window = (d * (k - 1) - p, n + p)
        assert sc.engines.conv(np.zeros((1, 1, n)), np.zeros((1, 1, k)), stride=s, dilation=d, window=window).shape[-1] == wanted


@given(st.integers(0, 10**9))
@settings(max_examples=100)
def test_a_click_keeps_its_exact_time_through_any_chain(seed):
    """Padding, kernels of one tap anywhere and strides: what is left of a click is exactly where it should be."""
    rng = np.random.default_rng(seed)
    n, at, rate = int(rng.integers(40, 200)), int(rng.integers(0, 40)), int(rng.choice([8000, 44100, 48000]))
    start = int(rng.integers(-50, 50))
    ramp = sc.Signal(np.arange(start, start + n, dtype=float), sc.line(n, rate, start))  # its value is its time in samples
    click = sc.Signal(np.eye(1, n, at)[0], ramp.domain)
    late, every = 0, 1
    for _ in range(int(rng.integers(1, 6))):
        step = int(rng.choice(3))
        if step == 0:  # a delay by one tap of a kernel that stands anywhere
            k, origin, hot = int(rng.integers(1, 6)), int(rng.integers(-4, 4)), 0
            hot = int(rng.integers(k))
            kernel = sc.Signal(np.eye(1, k, hot)[0], sc.Domain(k, ramp.domain.step, origin, "s"))
            mode = str(rng.choice(["full", "same", "valid"]))
            click, ramp = (sc.convolve(v, kernel, mode=mode) for v in (click, ramp))
            late += (origin + hot) * every
        elif step == 1:
            stride = int(rng.integers(1, 4))
            unit = sc.Signal([1.0], sc.Domain(1, ramp.domain.step, 0, "s"))
            click, ramp = (sc.convolve(v, unit, stride=stride) for v in (click, ramp))
            every *= stride
        else:
            d = ramp.domain
            low, high = (int(v) for v in rng.integers(0, 5, 2))
            wide = sc.Domain(d.shape[0] + low + high, d.step, d.start[0] - low, "s")
            click, ramp = click.on(wide), ramp.on(wide)
    for i in np.flatnonzero(click.data):
        exact = (click.domain.start[0] + int(i)) * click.domain.step[0]  # a fraction of seconds, not a float
        assert exact * rate == start + at + late
    kept = np.flatnonzero(ramp.data)
    times = [(ramp.domain.start[0] + int(i)) * ramp.domain.step[0] * rate - late for i in kept]
    assert times == ramp.data[kept].tolist()


@given(st.integers(0, 10**9))
def test_which_input_made_an_output(seed):
    """`needs`, followed back through a random chain, is the interval that a perturbation of the input finds."""
    rng = np.random.default_rng(seed)
    y, chain = sc.Signal(np.eye(120), sc.Domain(120)), []  # every row another perturbed sample
    for _ in range(int(rng.integers(1, 5))):
        taps = sc.Domain(int(rng.integers(1, 6)), y.domain.step, int(rng.integers(-3, 3)))
        if y.domain.minus(taps).shape[0] < 3:
            break
        chain.append(taps)
        y = sc.convolve(y, sc.Signal(np.ones(taps.shape), taps), mode="valid", stride=int(rng.integers(1, 4)), method="direct")
    for j in {0, y.domain.shape[0] // 2, y.domain.shape[0] - 1}:
        reads = sc.Domain(1, y.domain.step, y.domain.start[0] + j)
        for taps in chain[::-1]:
            reads = reads.needs(taps)
        felt = np.flatnonzero(y.data[:, j])
        first = reads.start[0] * reads.step[0]
        assert (felt[0], felt[-1] + 1) == (first, first + reads.shape[0])


# ---- two names (row 53)

@pytest.mark.parametrize("shape", [(50,), (9, 8), (6, 5, 4)])
def test_convolution_and_cross_correlation_differ_by_a_flip(shape):
    import scipy.ndimage
    import scipy.signal

    rng = np.random.default_rng(3)
    x, h = rng.normal(size=shape), rng.normal(size=tuple(min(n, 3) for n in shape))
    a, k = sc.Signal(x, sc.Domain(shape)), sc.Signal(h, sc.Domain(h.shape))
    near(sc.convolve(a, k, mode="full").data, scipy.signal.convolve(x, h), bound(x, h, "float64", 32))
    near(sc.correlate(a, k, mode="full").data, scipy.signal.correlate(x, h), bound(x, h, "float64", 32))
    if len(shape) == 1:
        near(sc.convolve(a, k, mode="full").data, np.convolve(x, h), bound(x, h, "float64"))
        near(sc.correlate(a, k, mode="full").data, np.correlate(x, h, "full"), bound(x, h, "float64"))
    assert np.abs(sc.convolve(a, k).data - sc.correlate(a, k).data).max() > 0.1
    flipped = sc.Signal(np.flip(h), k.domain.reverse())
    same_bits(sc.correlate(a, k).data, sc.convolve(a, flipped).data)


# ---- weights and receptive fields (row 67)

def test_locality_and_stationarity_leave_three_of_fifteen_weights():
    """5 inputs, 3 outputs: 15 weights dense, 9 local, 3 shared; two such layers see 3, 3 and 5 samples."""
    k = sc.Signal(np.array([1.0, 2.0, 3.0]), sc.Domain(3).centre())
    T = sc.matrix(k, sc.Domain(5), mode="valid").toarray()
    assert T.shape == (3, 5)
    assert (T.size, np.count_nonzero(T), len(np.unique(T[T != 0]))) == (15, 9, 3)
    two = sc.matrix(k, sc.Domain(3), mode="valid").toarray()
    seen = [np.count_nonzero(row) for row in (T[0], two[0], (two @ T)[0])]
    assert seen == [3, 3, 5]
    assert sc.Domain(1).needs(k.domain).needs(k.domain).shape == (5,)
    assert np.count_nonzero(sc.cascade(k, k).data) == 5


# ---- the matrix (row 74)

@pytest.mark.parametrize("seed", range(5))
def test_the_matrix_correlates_and_its_transpose_convolves(seed):
    """Taps as rows: T·x is the valid correlation; Tᵀ·y the full convolution, what back-propagation sends back."""
    rng = np.random.default_rng(seed)
    x, w, y = rng.normal(size=64), rng.normal(size=5), rng.normal(size=60)
    k = sc.Signal(w[::-1], sc.Domain(5, 1, -4))
    T = sc.matrix(k, sc.Domain(64), mode="valid")
    assert T.shape == (60, 64)
    near(T @ x, np.correlate(x, w, "valid"), 1e-12)
    near(T @ x, sc.correlate(sc.Signal(x, sc.Domain(64)), sc.Signal(w, sc.Domain(5)), mode="valid").data, 1e-12)
    near(T.T @ y, np.convolve(y, w), 1e-12)
    near(T.T @ y, sc.convolve(sc.Signal(y, sc.Domain(60)), sc.Signal(w, sc.Domain(5)), mode="full").data, 1e-12)


def test_a_matrix_with_a_lot_of_zeros():
    """n = 64, k = 5: every row of the valid part holds the whole band, and 92.2 % of the matrix is zero."""
    T = sc.matrix(sc.Signal(np.ones(5), sc.Domain(5)), sc.Domain(64), mode="valid").toarray()
    assert set(np.count_nonzero(T, 1)) == {5}
    assert round(100 * float((T == 0).mean()), 1) == 92.2
    for shift in range(1, 60):  # constant along each descending diagonal
        same_bits(T[shift], np.roll(T[0], shift))


def test_many_kernels_stack_their_planes():
    rng = np.random.default_rng(4)
    bank = sc.Signal(rng.normal(size=(3, 4)), sc.Domain(4))
    T = sc.matrix(bank, sc.Domain(9)).toarray()
    planes = [sc.matrix(sc.Signal(taps, bank.domain), sc.Domain(9)).toarray() for taps in bank.data]
    same_bits(T, np.concatenate(planes))


def test_in_the_plane_the_matrix_is_doubly_block_toeplitz():
    rng = np.random.default_rng(5)
    h = rng.normal(size=(3, 2))
    T = sc.matrix(sc.Signal(h, sc.grid(3, 2)), sc.grid(6, 5), mode="valid").toarray().reshape(4, 4, 6, 5)
    for i in range(4):
        for a in range(6):
            block = T[i, :, a]  # (4, 5), the same for equal i − a, and Toeplitz itself
            wanted = np.zeros((4, 5)) if not 0 <= i + 2 - a < 3 else \
                sc.matrix(sc.Signal(h[i + 2 - a], sc.Domain(2)), sc.Domain(5), mode="valid").toarray()
            same_bits(block, wanted)


def test_the_columns_say_what_a_sample_sends_out_and_the_rows_what_an_output_hears():
    rng = np.random.default_rng(6)
    h, x = rng.normal(size=4), rng.normal(size=10)
    T = sc.matrix(sc.Signal(h, sc.Domain(4)), sc.Domain(10)).toarray()
    for j in range(10):
        same_bits(T[j: j + 4, j], h)
    same_bits(T[3:10][0][:4], h[::-1])
    near(sum(x[j] * T[:, j] for j in range(10)), np.convolve(x, h), bound(x, h, "float64"))


def test_a_circle_is_diagonal_in_the_fourier_basis():
    """The bridge from the matrix to the frequency response: circular convolution multiplies each frequency."""
    rng = np.random.default_rng(7)
    h, n = rng.normal(size=5), 32
    k = sc.Signal(h, sc.line(5, n).centre())
    C = np.stack([sc.convolve(sc.Signal(e, sc.line(n, n)), k, padding_mode="circular").data for e in np.eye(n)], 1)
    F = np.fft.fft(np.eye(n)) / np.sqrt(n)
    D = F @ C @ F.conj().T
    near(D - np.diag(np.diag(D)), np.zeros((n, n)), 1e-13)
    gain = sc.spectrum.response(k, np.arange(n // 2 + 1)).gain
    near(np.diag(D)[: n // 2 + 1], gain, 1e-13)


# ---- even kernels (row 69)

@pytest.mark.parametrize("k", [2, 3, 4, 5, 8, 9, 64])
def test_an_even_kernel_stands_half_a_sample_off(k):
    """A causal symmetric kernel of k taps is k/2 − 0.5 samples late; centred, an even one half a sample, an odd one not."""
    rng = np.random.default_rng(k)
    half = rng.uniform(0.5, 1, -(-k // 2))
    taps = np.concatenate([half[: k // 2], half[::-1]])
    nu = np.array([0.0, 100.0, 300.0])
    causal = sc.Signal(taps, sc.line(k, 8000))
    near(sc.spectrum.response(causal, nu).delay * 8000, np.full(3, k / 2 - 0.5), 1e-9)
    centred = sc.Signal(taps, sc.line(k, 8000).centre())
    near(sc.spectrum.response(centred, nu).delay * 8000, np.full(3, 0.0 if k % 2 else 0.5), 1e-9)


@pytest.mark.parametrize("k", [2, 4, 6])
def test_the_half_sample_is_measured_on_a_tone(k):
    """The phase that a 200 Hz tone loses through k equal taps is that of k/2 − 0.5 samples."""
    n, rate, f = 8000, 8000, 200
    t = np.arange(n) / rate
    x = sc.Signal(np.sin(2 * np.pi * f * t), sc.line(n, rate))
    y = sc.convolve(x, sc.Signal(np.ones(k) / k, sc.line(k, rate)), mode="valid")
    m = y.data.size // 40 * 40  # whole periods
    turn = np.exp(-2j * np.pi * f * y.coordinates()[:m])
    phase = np.angle((y.data[:m] * turn).sum() / (np.sin(2 * np.pi * f * y.coordinates()[:m]) * turn).sum())
    assert -phase / (2 * np.pi * f) * rate == pytest.approx(k / 2 - 0.5, abs=1e-9)


def test_the_two_taps_of_edge_are_high_pass_with_six_decibels_an_octave():
    """+6.02 ± 0.05 dB for octaves that end at or below rate/16; zero at DC, +6.02 dB at rate/2, half a sample late (row 76)."""
    k = sc.kernel("edge", sc.line(1, 48000))
    top = 48000 / 16 / 2.0 ** np.arange(6)
    r = sc.spectrum.response(k, np.concatenate([top, [0, 24000.0]]))
    level = sc.spectrum.decibels(r.gain)
    assert np.abs(level[:5] - level[1:6] - 6.02).max() <= 0.05
    assert (abs(r.gain[-2]), round(float(level[-1]), 2)) == (0, 6.02)
    near(r.delay[:6] * 48000, np.full(6, 0.5), 1e-9)


# ---- no graph unless asked for (row 92)

def test_numpy_signals_never_build_a_graph():
    x, k = sc.Signal(np.ones((1, 9)), sc.Domain(9)), sc.Signal(np.ones(3), sc.Domain(3))
    assert not getattr(sc.convolve(x, k).data, "requires_grad", False)
    assert not sc.convolve(x.to("torch"), k).data.requires_grad
    assert sc.convolve(x.to("torch"), k).data.grad_fn is None


def test_autograd_gives_the_gradients_of_the_course():
    """Gradients of a matching score with respect to the taps are what each tap heard: the correlation."""
    import torch

    rng = np.random.default_rng(8)
    x, c = rng.normal(size=20), rng.normal(size=18)
    w = tensor(rng.normal(size=3)).requires_grad_()
    y = sc.convolve(sc.Signal(tensor(x), sc.Domain(20)), sc.Signal(w, sc.Domain(3)), mode="valid")
    (grad,) = torch.autograd.grad(y.data, w, tensor(c))
    near(grad.numpy(), np.convolve(x, c[::-1], "valid")[::-1], 1e-13)


# ---- gradients of one's own (row 93)

def test_a_copy_adds_gradients_a_sum_hands_them_on_and_a_maximum_goes_where_it_came_from():
    """Two branches through the same signal, .25 + .25 = .5; a mean of three, ⅓ each; the largest, one-hot."""
    import torch

    one = sc.Signal(torch.ones(1, dtype=torch.float64), sc.Domain(1))
    x = torch.tensor([1.0, 5.0, 2.0], dtype=torch.float64, requires_grad=True)
    signal = sc.Signal(x, sc.Domain(3))
    split = 0.25 * sc.convolve(signal, one) + 0.25 * sc.convolve(signal, one)
    near(torch.autograd.grad(split.data.sum(), x)[0].numpy(), np.full(3, 0.5), 1e-15)
    mean = sc.convolve(signal, sc.Signal(torch.full((3,), 1 / 3, dtype=torch.float64), sc.Domain(3)), mode="valid")
    near(torch.autograd.grad(mean.data.sum(), x)[0].numpy(), np.full(3, 1 / 3), 1e-15)
    assert torch.autograd.grad(sc.convolve(signal, one).data.max(), x)[0].tolist() == [0, 1, 0]


def test_rounding_lets_gradients_straight_through_and_a_median_to_the_one_that_it_took():
    import torch

    x = torch.tensor([0.3, -0.3, 2.0, -2.0], dtype=torch.float64, requires_grad=True)
    y = sc.quantize(sc.Signal(x, sc.Domain(4)), 3)
    assert y.data.tolist() == [0.25, -0.25, 0.75, -1]
    assert torch.autograd.grad(y.data.sum(), x)[0].tolist() == [1, 1, 0, 0]
    z = torch.tensor([1.0, 9.0, 2.0, 3.0, 0.0], dtype=torch.float64, requires_grad=True)
    m = sc.median(sc.Signal(z, sc.Domain(5)), 3)
    assert m.data.tolist() == [1, 2, 3, 2, 0]
    assert torch.autograd.grad(m.data.sum(), z)[0].tolist() == [1, 0, 2, 1, 1]
    assert torch.autograd.gradcheck(lambda z: sc.median(sc.Signal(z, sc.Domain(5)), 3).data, (z,))
