"""The verb: modes, origins, values, edges, kernels in a row, and the operator as a matrix."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import BACKENDS, METHODS, PADS, bound, definition, exact, near, only, same_bits

import sigconv as sc
from sigconv.signal import PADDING_MODES

STEP = Fraction(1, 8000)


def tensor(data):
    import torch

    torch.set_num_threads(1)
    return torch.from_numpy(np.array(data))


def on(backend, signal):
    return signal if backend == "numpy" else sc.Signal(tensor(signal.data), signal.domain, signal.names)


def random(rng, value, shape, start=0, dtype="float64"):
    return sc.Signal(rng.normal(size=(*value, *shape)).astype(dtype), sc.Domain(shape, 1, start))


# ---- modes, origins, strides, edges

@st.composite
def problems(draw):
    ndim = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    n = tuple(draw(st.integers(1, {1: 30, 2: 8, 3: 5}[ndim])) for _ in range(ndim))
    k = tuple(draw(st.sampled_from((1, 2, 3, m, m + 2))) for m in n)
    starts = [tuple(draw(st.integers(-9, 9)) for _ in n) for _ in range(2)]
    options = {"stride": tuple(draw(st.integers(1, 3)) for _ in n), "dilation": tuple(draw(st.integers(1, 3)) for _ in n)}
    return random(rng, draw(st.sampled_from(((), (1,), (2,), (2, 2)))), n, starts[0]), random(rng, (), k, starts[1]), options


def at_places(x, k, dilation, wanted, padding_mode="zeros"):
    """y(ω) = Σ_κ k(κ) x(ω − κ) on the grid `wanted`, straight from the definition; x continued by numpy.pad."""
    grid = wanted.needs(k.domain.dilate(dilation))
    low = [max(a - b, 0) for a, b in zip(x.domain.start, grid.start, strict=True)]
    high = [max(b + m - a - n, 0) for a, n, b, m in zip(x.domain.start, x.domain.shape, grid.start, grid.shape, strict=True)]
    wide = np.pad(x.data, [(0, 0)] * len(x.value) + list(zip(low, high, strict=True)), PADS[padding_mode])
    cut = tuple(slice(int(b - a + pad), int(b - a + pad) + m)
                for a, b, m, pad in zip(x.domain.start, grid.start, grid.shape, low, strict=True))
    wide = wide[(..., *cut)]
    steps = tuple(int(a / b) for a, b in zip(wanted.step, x.domain.step, strict=True))
    y = definition(wide.reshape(-1, 1, *wide.shape[len(x.value):]), k.data[None, None], stride=steps, dilation=dilation)
    return y.reshape(*x.value, *y.shape[2:])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_every_output_is_the_sum_at_its_place(method, backend):
    """Any origin, stride, dilation and mode: sample ω of the result is Σ k(κ) x(ω − κ)."""
    @given(problems(), st.sampled_from(("full", "same", "valid")), st.sampled_from(PADDING_MODES))
    def holds(problem, mode, padding_mode):
        x, k, options = problem
        if method == "separable":
            k = sc.Signal(np.ones(k.domain.shape) * 0.5, k.domain)
        padding_mode = padding_mode if mode == "same" else "zeros"
        with only(method):
            y = sc.convolve(on(backend, x), on(backend, k), mode=mode, padding_mode=padding_mode, method=method, **options)
        grid = k.domain.dilate(options["dilation"])
        wanted = {"full": x.domain.plus(grid), "same": x.domain, "valid": x.domain.minus(grid)}[mode].every(options["stride"])
        assert y.domain == wanted
        if wanted.size:
            summed = at_places(x, k, options["dilation"], wanted, padding_mode)
            near(y.numpy().data, summed, bound(x.data, k.data, "float64"), "bounds")
        else:
            assert y.numpy().data.shape == (*x.value, *wanted.shape)

    holds()


@given(problems())
def test_a_stride_keeps_samples_of_the_unstrided_result(problem):
    x, k, options = problem
    for mode in ("full", "same", "valid"):
        whole = sc.convolve(x, k, mode=mode, dilation=options["dilation"])
        every = sc.convolve(x, k, mode=mode, **options)
        cut = tuple(slice(None, None, s) for s in options["stride"])
        assert every.domain == whole.domain.every(options["stride"])
        near(every.data, whole.data[(..., *cut)], bound(x.data, k.data, "float64", 32))


def test_an_impulse_gives_the_kernel_at_its_origin():
    rng = np.random.default_rng(0)
    for start in (-7, -2, 0, 3):
        k = random(rng, (), (6,), start)
        x = sc.Signal(np.eye(1, 20, 9)[0], sc.Domain(20))
        y = sc.convolve(x, k)
        wanted = np.zeros(20)
        wanted[9 + start: 15 + start] = k.data
        same_bits(y.data, wanted)


def test_dilation_is_zeros_between_the_taps():
    rng = np.random.default_rng(1)
    x, k = random(rng, (2,), (30,)), random(rng, (), (4,), -1)
    wide = sc.Signal(np.kron(k.data, [1, 0, 0])[:10], sc.Domain(10, 1, -3))
    near(sc.convolve(x, k, dilation=3).data, sc.convolve(x, wide).data, bound(x.data, k.data, "float64"))


def test_a_result_after_a_stride_can_be_filtered_again():
    """Starts become fractions of the new step, and add exactly."""
    rng = np.random.default_rng(2)
    x = random(rng, (), (41,), 1)
    y = sc.convolve(x, random(rng, (), (4,), 0), mode="valid", stride=3)
    assert y.domain.start == (Fraction(4, 3),)
    assert y.domain.position(0) == (4.0,)
    z = sc.convolve(y, sc.Signal([1.0, 1.0], sc.Domain(2, 3)), mode="valid")
    assert z.domain.position(0) == (7.0,)
    near(z.data, y.data[1:] + y.data[:-1], 1e-15)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0)])
def test_an_empty_signal_is_empty_in_every_mode(shape):
    x, three = sc.Signal(np.zeros((2, *shape)), sc.Domain(shape)), (3,) * len(shape)
    k = sc.Signal(np.ones(three), sc.Domain(three, 1, -1))
    for mode in ("full", "same", "valid"):
        y = sc.convolve(x, k, mode=mode)
        assert y.data.size == 0
        assert y.data.shape == (2, *y.domain.shape)
    for padding_mode in PADDING_MODES:
        assert sc.convolve(x, k, padding_mode=padding_mode).data.shape == (2, *shape)


# ---- the value rule

@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("value", "taps", "result"), [
    ((), (), ()), ((2,), (), (2,)), ((2, 3), (), (2, 3)), ((), (4,), (4,)), ((2,), (4,), (2, 4)), ((3, 2), (4,), (3, 2, 4)),
    ((2,), (4, 2), (4,)), ((3, 2), (4, 2), (3, 4)), ((1,), (1, 1), (1,)), ((0,), (), (0,)), ((0, 2), (4, 2), (0, 4)),
    ((0,), (3,), (0, 3))])
def test_what_a_kernel_does_to_channels(value, taps, result, backend):
    rng = np.random.default_rng(3)
    x, k = random(rng, value, (9, 5)), random(rng, taps, (2, 3), -1)
    y = sc.convolve(on(backend, x), on(backend, k)).numpy().data
    assert y.shape == (*result, 9, 5)
    for index in np.ndindex(*result):
        if len(taps) == 2:
            pairs = [((*index[:-1], c), (index[-1], c)) for c in range(taps[1])]
        else:
            pairs = [(index[: len(value)], index[len(value):])]
        wanted = sum(exact_at(x.data[at], k.data[tap], k.domain.start) for at, tap in pairs)
        near(y[index], wanted, bound(x.data, k.data, "float64"))


def exact_at(x, h, start):
    full = exact(x, h, "full")
    return full[tuple(slice(-a, n - a) for a, n in zip(start, x.shape, strict=True))]


def test_delta_layers():
    """[[1, 0], [0, 1]] changes no bit; [[0, 1], [1, 0]] swaps left and right exactly (row 91)."""
    rng = np.random.default_rng(4)
    for dtype in ("float32", "float64"):
        x = sc.Signal(rng.normal(size=(2, 500)).astype(dtype), sc.line(500, 44100), ("L", "R"))
        for backend in BACKENDS:
            for taps, wanted in (([[1, 0], [0, 1]], x.data), ([[0, 1], [1, 0]], x.data[::-1])):
                k = sc.Signal(np.array(taps, float)[..., None], sc.line(1, 44100))
                same_bits(sc.convolve(on(backend, x), k, method="direct").numpy().data, wanted)
                same_bits(sc.convolve(on(backend, x), k).numpy().data, wanted)


def test_diag_gives_each_channel_its_own_filter():
    rng = np.random.default_rng(5)
    x, k = random(rng, (3,), (20,)), random(rng, (3,), (4,))
    y = sc.convolve(x, sc.diag(k))
    for c in range(3):
        near(y.data[c], sc.convolve(sc.Signal(x.data[c], x.domain), sc.Signal(k.data[c], k.domain)).data,
             bound(x.data, k.data, "float64"))
    assert sc.diag(sc.Signal(k.data, k.domain, ("a", "b", "c"))).names == (("a", "b", "c"),) * 2
    assert sc.diag(on("torch", k)).data.shape == (3, 3, 4)
    with pytest.raises(sc.SigconvError, match="wanted a bank"):
        sc.diag(random(rng, (), (4,)))


# ---- types

def test_the_signal_decides_the_type():
    import torch

    k = sc.Signal(np.ones(3), sc.Domain(3))
    for dtype, wanted in (("float32", "float32"), ("float64", "float64"), ("float16", "float16"), ("int16", "float64"),
                          ("bool", "float64"), ("complex64", "complex64")):
        assert sc.convolve(sc.Signal(np.ones(9, dtype), sc.Domain(9)), k).data.dtype == wanted
    x = sc.Signal(np.ones(9, "float32"), sc.Domain(9))
    assert sc.convolve(x, k * 1j).data.dtype == "complex64"
    assert sc.convolve(x, on("torch", k)).data.dtype == np.float32  # NumPy in, NumPy out
    mixed = sc.convolve(on("torch", x), k).data
    assert (type(mixed), mixed.dtype) == (torch.Tensor, torch.float32)


def test_results_require_grad_only_where_an_input_does():
    """No graph on NumPy, none on plain tensors (row 92)."""
    x, k = sc.Signal(np.ones(9), sc.Domain(9)), sc.Signal(np.ones(3), sc.Domain(3))
    assert isinstance(sc.convolve(x, k).data, np.ndarray)
    assert not sc.convolve(on("torch", x), on("torch", k)).data.requires_grad
    learned = sc.Signal(tensor(k.data).requires_grad_(), k.domain)
    y = sc.convolve(on("torch", x), learned)
    assert y.data.requires_grad
    assert not y.numpy().data.dtype.hasobject
    with pytest.raises(sc.SigconvError, match=r'x\.to\("torch"\)'):
        sc.convolve(x, learned)


def test_gradients_reach_the_taps_through_every_padding_mode():
    from torch.autograd import gradcheck

    rng = np.random.default_rng(6)
    x, k = tensor(rng.normal(size=(2, 7))).requires_grad_(), tensor(rng.normal(size=(2, 2, 4))).requires_grad_()
    for mode in PADDING_MODES:
        def f(x, k, mode=mode):
            return sc.convolve(sc.Signal(x, sc.Domain(7)), sc.Signal(k, sc.Domain(4, 1, -1)), padding_mode=mode, stride=2).data

        assert gradcheck(f, (x, k), fast_mode=True)


# ---- correlate

def test_correlate_is_the_running_scalar_product():
    rng = np.random.default_rng(7)
    x = random(rng, (), (12,))
    k = sc.Signal(rng.normal(size=4) + 1j * rng.normal(size=4), sc.Domain(4))
    y = sc.correlate(x, k, mode="valid")
    assert y.domain.start == (0,)
    for i in range(9):
        near(y.data[i], (np.conj(k.data) * x.data[i: i + 4]).sum(), 1e-14)


@given(problems())
def test_correlate_is_convolve_with_the_mirrored_kernel(problem):
    x, k, options = problem
    for mode in ("full", "same", "valid"):
        same_bits(sc.correlate(x, k, mode=mode, **options).data, sc.convolve(x, k.reverse(), mode=mode, **options).data)


@given(problems())
def test_correlation_on_the_full_grid_is_the_adjoint(problem):
    """<k ∗ x, y> = <x, k ★ y> on grids: the adjoint comes back to Ω by itself."""
    x, k, _ = problem
    rng = np.random.default_rng(0)
    full = sc.convolve(x, k, mode="full")
    y = sc.Signal(rng.normal(size=full.data.shape), full.domain)
    back = sc.correlate(y, k, mode="valid")
    assert back.domain == x.domain
    near((full.data * y.data).sum(), (x.data * back.data).sum(),
         bound(x.data, k.data, "float64", 32) * float(np.abs(y.data).sum()))


# ---- kernels in a row

@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("first", "second"), [
    ((), ()), ((), (3,)), ((), (3, 2)), ((3,), ()), ((3,), (2,)), ((3,), (4, 3)), ((3, 2), ()), ((3, 2), (2,)), ((3, 2), (4, 3))])
def test_cascade_is_one_after_the_other(first, second, backend):
    rng = np.random.default_rng(8)
    lead = (2,)
    for n, k1, k2 in (((20,), (4,), (3,)), ((5, 6), (2, 3), (3, 1))):
        x, a, b = random(rng, lead, n), random(rng, first, k1, -1), random(rng, second, k2, 2)
        row = sc.convolve(sc.convolve(on(backend, x), on(backend, a), mode="full"), on(backend, b), mode="full").numpy()
        both = sc.cascade(on(backend, a), on(backend, b))
        once = sc.convolve(on(backend, x), both, mode="full").numpy()
        assert once.domain == row.domain
        near(once.data.reshape(row.data.shape), row.data,
             bound(x.data, float(np.abs(a.data).sum() * np.abs(b.data).sum()), "float64", 32))


@given(st.lists(st.sampled_from(("()", "bank", "layer")), min_size=1, max_size=4), st.integers(0, 10**6))
def test_any_chain_of_kernels_is_one_kernel(kinds, seed):
    rng = np.random.default_rng(seed)
    x = random(rng, (2,), (11,))
    kernels, y, scale = [], x, 1.0
    for kind in kinds:
        if kind == "layer" and kernels and sc.cascade(*kernels).value[:1] not in ((), y.value[-1:]):
            with pytest.raises(sc.SigconvError, match="as many channels as filters"):  # mixes the flattened filters of two banks
                sc.cascade(*kernels, random(rng, (3, y.value[-1]), (1,)))
            break
        value = {"()": (), "bank": (2,), "layer": (3, y.value[-1])}[kind]
        kernels.append(random(rng, value, (int(rng.integers(1, 4)),), int(rng.integers(-2, 2))))
        y = sc.convolve(y, kernels[-1], mode="full")
        scale *= float(np.abs(kernels[-1].data).sum())
    once = sc.convolve(x, sc.cascade(*kernels), mode="full")
    assert once.domain == y.domain
    near(once.data.reshape(y.data.shape), y.data, bound(x.data, scale, "float64", 64))


def test_cascade_joins_names_and_keeps_one_kernel_as_it_is():
    bank = sc.Signal(np.ones((2, 1)), sc.Domain(1), ("low", "high"))
    other = sc.Signal(np.ones((2, 1)), sc.Domain(1), ("a", "b"))
    assert sc.cascade(bank, other).channels == ("low*a", "low*b", "high*a", "high*b")
    assert sc.cascade(bank) is bank
    assert sc.cascade(bank, sc.Signal(np.ones(1), sc.Domain(1))).channels == ("low", "high")
    with pytest.raises(sc.SigconvError, match="wanted at least one"):
        sc.cascade()
    with pytest.raises(sc.SigconvError, match="as many channels as filters"):
        sc.cascade(bank, sc.Signal(np.ones((2, 3, 1)), sc.Domain(1)))
    with pytest.raises(sc.SigconvError, match=r"sc\.resample"):
        sc.cascade(sc.Signal([1.0], sc.line(1, 8000)), sc.Signal([1.0], sc.line(1, 16000)))


# ---- the operator

@pytest.mark.parametrize("value", [(), (3,), (3, 2)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_the_matrix_is_the_convolution_and_its_transpose_the_adjoint(mode, value):
    @given(problems())
    def holds(problem):
        x, k, options = problem
        rng = np.random.default_rng(0)
        taps = random(rng, value, k.domain.shape, k.domain.start)
        x = random(rng, (2,) if len(value) == 2 else (), x.domain.shape, x.domain.start)
        T = sc.matrix(taps, x.domain, mode=mode, **options)
        y = sc.convolve(x, taps, mode=mode, **options)
        near(T @ x.data.ravel(), y.data.ravel(), bound(x.data, taps.data, "float64"))
        z = rng.normal(size=y.data.size)
        near((y.data.ravel() * z).sum(), (x.data.ravel() * (T.T @ z)).sum(),
             bound(x.data, taps.data, "float64", 32) * float(np.abs(z).sum()))
        dense = sc.matrix(on("torch", taps), x.domain, mode=mode, **options)
        same_bits(dense.numpy(), T.toarray())

    holds()


def test_the_matrix_differentiates():
    import torch

    k = tensor([1.0, 2.0, 3.0]).requires_grad_()
    T = sc.matrix(sc.Signal(k, sc.Domain(3)), sc.Domain(5))
    (grad,) = torch.autograd.grad(T.sum(), k)
    assert grad.tolist() == [5, 5, 5]


# ---- errors

X, K = sc.Signal(np.ones((2, 9)), sc.line(9, 8000)), sc.Signal(np.ones(3), sc.line(3, 8000))


@pytest.mark.parametrize(("call", "words"), [
    (lambda: sc.convolve(X, sc.Signal(np.ones(3), sc.line(3, 48000))), "a kernel at 48000 Hz on a signal at 8000 Hz"),
    (lambda: sc.convolve(X, sc.Signal(np.ones(3), sc.line(3, 48000))), "sc.resample(kernel, 8000, as_kernel=True)"),
    (lambda: sc.convolve(X, sc.Signal(np.ones(3), sc.Domain(3))), "a kernel in px on a signal in s"),
    (lambda: sc.convolve(X, sc.Signal(np.ones((3, 3)), sc.grid(3, 3))), "a kernel of 2 axes on a signal of 1"),
    (lambda: sc.convolve(X, sc.Signal(np.ones(0), sc.line(0, 8000))), "a kernel without taps"),
    (lambda: sc.convolve(X, sc.Signal(np.ones((2, 3, 4)), sc.line(4, 8000))), "wanted a value that ends in 3"),
    (lambda: sc.convolve(X, sc.Signal(np.ones((2, 2, 2, 4)), sc.line(4, 8000))), "value (2, 2, 2)"),
    (lambda: sc.convolve(X, K, mode="sam"), "did you mean 'same'"),
    (lambda: sc.convolve(X, K, mode="full", padding_mode="reflect"), "only 'same' looks beyond the edges"),
    (lambda: sc.convolve(X, K, mode="valid", padding_mode="circular"), "wanted padding_mode='zeros'"),
    (lambda: sc.convolve(X, K, padding_mode="mirror"), "wanted zeros, reflect, symmetric, replicate, circular"),
    (lambda: sc.convolve(X, K, stride=0), "stride 0: wanted 1 or more"),
    (lambda: sc.convolve(X, K, stride=(1, 1)), "one for each of 1 axes"),
    (lambda: sc.convolve(X, K, dilation=0.5), "dilation 0.5: wanted whole numbers"),
    (lambda: sc.convolve(X, K, method="fast"), "method 'fast': wanted auto"),
    (lambda: sc.convolve(X.data, K), "wrap arrays as sc.Signal(data, domain)"),
    (lambda: sc.convolve(X, [1, 2]), "sc.kernel(spec, x.domain)"),
    (lambda: sc.correlate(X, [1, 2]), "sc.kernel(spec, x.domain)"),
    (lambda: sc.matrix(K, sc.line(2**26, 8000)), "wanted at most 2^26"),
    (lambda: sc.matrix(K, sc.line(9, 16000)), "sc.resample"),
    (lambda: sc.matrix(K, 9), "a int as domain"),
    (lambda: sc.matrix([1, 2], X.domain), "a list as kernel"),
    (lambda: sc.cascade(K, [1, 2]), "a list as kernel"),
    (lambda: sc.cascade("edge"), "sc.kernel(spec, x.domain)"),
    (lambda: sc.diag([1, 2]), "a list as kernel"),
    (lambda: sc.convolve(X, K, method=3), "method 3: wanted auto"),
    (lambda: sc.convolve(X, K, mode=3), "mode 3: wanted full"),
])
def test_errors_are_one_line_and_name_the_cure(call, words):
    with pytest.raises(sc.SigconvError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 500
