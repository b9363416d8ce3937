"""Every method against one reference in long double; what it costs in types, memory and gradients."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import BACKENDS, METHODS, bound, definition, eps, near, only, same_bits

import sigconv as sc
from sigconv import engines
from sigconv.engines import conv, methods, toeplitz_matrix
from sigconv.engines.job import Job
from sigconv.engines.separable import factors
from sigconv.engines.spectral import fast_length

spectral = import_module("sigconv.engines.spectral")

DTYPES = ("float32", "float64", "complex64", "complex128", "int64", "int16", "bool", "float16")
RESULT = {"int64": "float64", "int16": "float64", "bool": "float64"}


def tensor(data):
    import torch

    torch.set_num_threads(1)
    return torch.from_numpy(np.array(data))


def on(backend, data):
    return data if backend == "numpy" else tensor(data)


def back(y):
    return y if isinstance(y, np.ndarray) else y.detach().numpy()


def weight(w):
    return np.abs(w.astype(np.clongdouble)).reshape(len(w), -1).sum(1).max(initial=0)


def draw_array(rng, shape, dtype):
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype.startswith("int"):
        return rng.integers(-50, 50, shape).astype(dtype)
    values = rng.normal(size=shape) * 10.0 ** rng.integers(-3, 2, shape) if dtype != "float16" else rng.normal(size=shape)
    return (values + 1j * rng.normal(size=shape)).astype(dtype) if dtype.startswith("complex") else values.astype(dtype)


@st.composite
def jobs(draw, ndim, rank_one=False):
    """x, w and options: strides, dilations, groups, windows that reach outside the full convolution, K > N, batch 0."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    n = tuple(draw(st.integers(1, {1: 60, 2: 10, 3: 6}[ndim])) for _ in range(ndim))
    k = tuple(draw(st.sampled_from((1, 2, 3, 4, m, m + 3))) for m in n)
    groups, per, each = draw(st.sampled_from((1, 1, 2, 3))), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    if ndim == 3:
        groups, k = min(groups, 2), tuple(min(v, 5) for v in k)
    dtype, taps = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(("float32", "float64", "complex128", "int64", "float16")))
    x = draw_array(rng, (draw(st.sampled_from((0, 1, 1, 2, 3))), groups * per, *n), dtype)
    w = draw_array(rng, (groups * each, per, *k), taps)
    if rank_one and ndim > 1:
        lead = (groups * each, per)
        w = np.ones((*lead, *(1,) * ndim), dtype=w.dtype)
        for axis, taps_here in enumerate(k):
            line = draw_array(rng, (*lead, *(taps_here if a == axis else 1 for a in range(ndim))),
                              "int64" if taps == "int64" else "float64")
            w = w * (line % 5 if taps == "int64" else line)
        if taps != "int64":
            w = w.astype("complex128" if taps == "complex128" else "float64")
    stride = tuple(draw(st.sampled_from((1, 1, 2, 3))) for _ in n)
    dilation = tuple(draw(st.sampled_from((1, 1, 2, 3))) for _ in n)
    window = None
    if draw(st.booleans()):
        firsts = [draw(st.integers(-5, m + 8)) for m in n]
        window = [(a, a + draw(st.integers(0, 20))) for a in firsts]
    return x, w, {"stride": stride, "dilation": dilation, "groups": groups, "window": window}


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("backend", [*BACKENDS, "portable"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_the_definition(method, backend, ndim, monkeypatch):
    """On tensors that NumPy can't read ("portable") by torch's own operations."""
    if backend == "portable":
        monkeypatch.setattr(engines, "held", lambda *_: False)

    @given(jobs(ndim, method == "separable"))
    def holds(job):
        x, w, options = job
        with only(method):
            y = back(conv(on(backend, x), on(backend, w), method=method, **options))
        wanted = definition(x, w, **options)
        dtype = RESULT.get(x.dtype.name, x.dtype.name)
        if w.dtype.kind == "c" and x.dtype.kind != "c":
            dtype = "complex128" if dtype == "float64" else "complex64"
        assert y.dtype == dtype
        if w.size and x.dtype == np.float16:
            w = w.astype(np.complex64 if w.dtype.kind == "c" else np.float32)
        # float16 is rounded once more, at the result's own precision
        once = 0 if x.dtype != np.float16 or dtype != "float16" else eps("float16") * float(np.abs(wanted).max(initial=0))
        precision = {"float16": "float32"}.get(dtype, dtype)
        narrow = eps(precision) * 2 * float(weight(w)) * float(np.abs(x).max(initial=0)) if w.dtype != precision else 0
        near(y, wanted, bound(x, weight(w), precision) + once + narrow + (2.0**-24 if once else 0), "bounds")

    holds()


def test_an_empty_signal_batch_or_window_is_an_empty_or_silent_result():
    w = np.ones((2, 1, 3))
    for method in METHODS:
        assert conv(np.zeros((0, 1, 9)), w, method=method).shape == (0, 2, 7)
        assert conv(np.zeros((1, 1, 0)), w, method=method).shape == (1, 2, 0)
        same_bits(conv(np.zeros((1, 1, 0)), w, method=method, window=(-1, 3)), np.zeros((1, 2, 4)))
        assert conv(np.zeros((1, 1, 9)), w, method=method, window=(4, 4)).shape == (1, 2, 0)
        same_bits(conv(np.ones((1, 1, 4)), w, method=method, window=(-3, 0)), np.zeros((1, 2, 3)))
        same_bits(conv(np.ones((1, 1, 4)), w, method=method, window=(50, 53)), np.zeros((1, 2, 3)))
        assert conv(np.ones((1, 1, 2)), w, method=method).shape == (1, 2, 0)  # K > N: nothing is valid
        assert conv(tensor(np.zeros((0, 1, 9))), tensor(w), method=method).shape == (0, 2, 7)
        assert conv(tensor(np.ones((1, 1, 2))), tensor(w), method=method).shape == (1, 2, 0)


LAYOUTS = {
    "strided": lambda x: np.repeat(np.repeat(x, 2, -1), 3, 1)[:, ::3, ..., ::2],
    "reversed": lambda x: np.flip(np.ascontiguousarray(np.flip(x))),
    "Fortran": np.asfortranarray,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "transposed": lambda x: np.ascontiguousarray(np.swapaxes(x, -1, -2)).swapaxes(-1, -2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("method", METHODS)
def test_the_layout_of_memory_does_not_matter(method, layout):
    rng = np.random.default_rng(1)
    for shape, taps in (((2, 2, 40), (3, 2, 5)), ((1, 2, 9, 8), (2, 2, 3, 1))):
        x, w = rng.normal(size=shape).astype("float32"), rng.normal(size=taps).astype("float32")
        turned = LAYOUTS[layout](x), LAYOUTS[layout](w)
        keep = [v.copy() for v in turned]
        near(conv(*turned, method=method), conv(x, w, method=method), bound(x, weight(w), "float32"))
        assert conv(*turned, method=method).dtype == "float32"
        for got, before in zip(turned, keep, strict=True):
            same_bits(got, before)
    if layout in ("strided", "transposed"):
        import torch

        t = torch.arange(80.0).reshape(1, 8, 10).permute(0, 2, 1)
        v = torch.arange(60.0).reshape(2, 3, 10).permute(0, 2, 1)
        near(conv(t, v, method=method).numpy(), conv(t.contiguous(), v.contiguous(), method=method).numpy(),
             bound(t.numpy(), weight(v.numpy()), "float32"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_same_call_same_bits_and_inputs_unchanged(method, backend):
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(2, 3, 500)).astype("float32"), rng.normal(size=(4, 3, 70)).astype("float32")
    keep = x.copy(), w.copy()
    a, b = on(backend, x), on(backend, w)
    same_bits(back(conv(a, b, method=method)), back(conv(a, b, method=method)))
    same_bits(back(a), keep[0])
    same_bits(back(b), keep[1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_a_thousand_taps_of_direct_current_in_single_precision(method, backend):
    """Sums in order lose a digit: torch's own are off by 33 eps ‖h‖₁ max|x| for the first of these."""
    x, flat = np.full((1, 1, 1500), 0.1, "float32"), np.full((1, 1, 1001), 0.1, "float32")
    with only(method):
        for w in (flat, np.full_like(flat, 1 / 1001), np.random.default_rng(3).uniform(0.5, 1.5, flat.shape).astype("f4")):
            near(back(conv(on(backend, x), on(backend, w), method=method)), definition(x, w), bound(x, w, "float32"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [(5, 5, 8), (9, 9, 9), (30, 31)])
def test_a_thousand_equal_terms_in_double_precision(method, backend, k):
    """In order they would be off by 123 eps."""
    x, w = np.full((1, 1, *k), -0.9535), np.full((1, 1, *k), 1.9471889)
    near(back(conv(on(backend, x), on(backend, w), method=method)), definition(x, w), bound(x, w, "float64"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 20, 7, 8), (1, 900, 20), (1, 2000, 6, 5)])
def test_many_channels_in_single_precision(method, backend, shape):
    """Channels are terms of the same sum."""
    x, w = np.full(shape, 0.1, "float32"), np.full((1, shape[1], *(3,) * (len(shape) - 2)), 0.1, "float32")
    near(back(conv(on(backend, x), on(backend, w), method=method)), definition(x, w), bound(x, weight(w), "float32"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_overlap_save_in_tiles_of_any_size(ndim, backend):
    """Tiles as short as the kernel's span and one sample, so that every job is cut many times."""
    @given(jobs(ndim), st.integers(1, 5))
    def holds(job, spare):
        x, w, options = job

        def few(job):
            return tuple(fast_length(span + spare) for span in job.spans)

        with only("overlap_save"), pytest.MonkeyPatch.context() as patch:
            patch.setattr(spectral, "tile_points", few)
            y = back(conv(on(backend, x), on(backend, w), method="overlap_save", **options))
            whole = back(conv(on(backend, x), on(backend, w), method="overlap_save", **options))
        same_bits(whole, y)
        wanted = definition(x, w, **options)
        once = 2 * eps("float16") * float(np.abs(wanted).max(initial=0)) + 2.0**-24 if y.dtype == np.float16 else 0
        precision = "float32" if y.dtype == np.float16 else y.dtype
        near(y, wanted, bound(x, weight(w), precision, 18) + once)

    holds()


@pytest.mark.parametrize(("n", "k"), [((30000,), (200,)), ((400, 300), (9, 12)), ((60, 50, 70), (4, 5, 3))])
def test_overlap_save_in_its_own_tiles(n, k):
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(1, 1, *n)), rng.normal(size=(1, 1, *k))
    full = [(0, a + b - 1) for a, b in zip(n, k, strict=True)]
    for stride in (1, 3, 37, 5000):
        options = {"stride": stride, "window": full}
        near(conv(x, w, method="overlap_save", **options), conv(x, w, method="direct", **options), bound(x, w, "float64", 32))
    assert any(a < b for a, b in zip(spectral.tile_points(Job.of(x, w, 1, 1, 1, None)), n, strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_powers_of_two_commute_to_the_bit(dtype, method, backend):
    rng = np.random.default_rng(4)
    x, w = draw_array(rng, (2, 2, 200), dtype), rng.normal(size=(2, 2, 40)).astype(dtype)
    y = back(conv(on(backend, x), on(backend, w), method=method))
    same_bits(back(conv(on(backend, x * x.dtype.type(2.0**9)), on(backend, w), method=method)), y * y.dtype.type(2.0**9))
    same_bits(back(conv(on(backend, x), on(backend, w * w.dtype.type(0.25)), method=method)), y * y.dtype.type(0.25))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_a_nan_stays_in_its_channel(method, backend, bad):
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(2, 3, 100)), rng.normal(size=(3, 1, 7))
    clean = back(conv(on(backend, x), on(backend, w), method=method, groups=3, window=(0, 106)))
    x[1, 2, 50] = bad
    with np.errstate(invalid="ignore"):
        y = back(conv(on(backend, x), on(backend, w), method=method, groups=3, window=(0, 106)))
    good = np.ones_like(y, dtype=bool)
    if method in ("direct", "separable", "auto"):
        good[1, 2, 50:57] = False
    else:
        good[1, 2] = False
    assert not np.isfinite(y[1, 2, 50:57]).any()
    near(y[good], clean[good], bound(np.nan_to_num(x, posinf=0), weight(w), "float64", 32))


def test_the_chooser_is_asked_only_by_auto(monkeypatch):
    def unasked(*_):
        raise AssertionError("choose was asked")

    monkeypatch.setattr(methods, "choose", unasked)
    x, w = np.ones((1, 2, 9)), np.ones((2, 1, 3))
    for name in engines.METHODS.keys() - {"bands", "dense", "lags", "layered", "lowrank", "packed"}:  # which serve other jobs
        conv(x, w, groups=2, method=name)
    with pytest.raises(AssertionError, match="asked"):
        conv(x, w, groups=2)


@pytest.mark.parametrize(("n", "k", "name"), [
    ((1000,), (5,), "direct"), ((100000,), (20000,), ("fft", "overlap_save", "folded")),
    ((1000000,), (4000,), ("overlap_save", "folded")),
    ((900, 900), (15, 15), "separable"), ((9, 9), (3, 3), "direct"), ((400, 400), (41, 41), ("fft", "overlap_save", "folded"))])
def test_auto_chooses_sensibly(n, k, name):
    x = np.broadcast_to(np.float32(0), (1, 1, *n))
    rng = np.random.default_rng(0)
    w = np.ones((1, 1, *k), "float32") if name == "separable" else rng.normal(size=(1, 1, *k)).astype("float32")
    assert methods.choose(w, Job.of(x, w, 1, 1, 1, None), "f") in (name if isinstance(name, tuple) else (name,))


def test_the_matrix_is_refused_above_its_limit_before_it_is_made():
    with pytest.raises(sc.SigconvError, match=r"entries: wanted at most 2\^26; use another method"):
        conv(np.broadcast_to(0.0, (1, 1, 2**21)), np.ones((1, 1, 64)), method="matrix")
    with pytest.raises(sc.SigconvError, match=r"2\^26"):
        toeplitz_matrix(tensor(np.ones((1, 1, 2))), 2**13 + 1)
    toeplitz_matrix(np.ones((1, 1, 2)), 2**13 + 1)  # sparse: two entries a row


def test_out_is_written_and_returned():
    x, w, out = np.arange(5.0).reshape(1, 1, 5), np.ones((1, 1, 2)), np.empty((1, 1, 4))
    assert conv(x, w, out=out) is out
    same_bits(out, conv(x, w))
    for wrong in (np.empty((1, 1, 5)), np.empty((1, 1, 4), "float32"), tensor(np.empty((1, 1, 4)))):
        with pytest.raises(sc.SigconvError, match="out of shape"):
            conv(x, w, out=wrong)


X, W = np.ones((1, 2, 9)), np.ones((2, 2, 3))


@pytest.mark.parametrize(("call", "words"), [
    (lambda: conv(X, W, method="dirct"), "did you mean 'direct'"),
    (lambda: conv(X[0], W), "wanted (b, c, *n) and (m, c/groups, *k)"),
    (lambda: conv(np.ones((1, 1, 2, 2, 2, 2)), np.ones((1, 1, 2, 2, 2, 2))), "1 to 3 axes"),
    (lambda: conv(X, np.ones((2, 3, 3))), "wanted (m, 2/groups, *k)"),
    (lambda: conv(X, W, groups=2), "multiples of groups"),
    (lambda: conv(X, W, groups=0), "groups 0: wanted 1 or more"),
    (lambda: conv(X, W, groups=1.0), "groups 1.0: wanted whole numbers"),
    (lambda: conv(X, W, method=None), "method None: wanted auto, direct"),
    (lambda: conv(X, np.ones((2, 2, 0))), "a kernel without taps"),
    (lambda: conv(X, W, stride=0), "stride 0: wanted 1 or more"),
    (lambda: conv(X, W, stride=1.5), "wanted whole numbers"),
    (lambda: conv(X, W, stride=(1, 2)), "one for each of 1 axes"),
    (lambda: conv(X, W, dilation=-1), "dilation -1"),
    (lambda: conv(X, W, window=(1, 2, 3)), "window (1, 2, 3): wanted (first, stop)"),
    (lambda: conv(X, W, window=(0.5, 2)), "window"),
    (lambda: conv(X, W, window=5), "window 5: wanted (first, stop)"),
    (lambda: conv(X, W, window=()), "window (): wanted (first, stop)"),
    (lambda: conv(np.array(["a"]), W), "wanted numbers"),
    (lambda: conv(np.ones((1, 1, 4, 4)), np.eye(3)[None, None], method="separable"), "no product of one line an axis"),
])
def test_errors_are_one_line(call, words):
    with pytest.raises(sc.SigconvError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 500


def test_taps_that_require_grad_on_numpy_are_refused_with_the_cure():
    w = tensor(np.ones((1, 1, 3))).requires_grad_()
    with pytest.raises(sc.SigconvError, match=r'x\.to\("torch"\)'):
        conv(np.ones((1, 1, 9)), w)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
@pytest.mark.parametrize("method", METHODS)
def test_half_precisions_of_torch_are_summed_in_single(method, name):
    import torch

    rng = np.random.default_rng(6)
    x = torch.from_numpy(rng.normal(size=(1, 1, 300))).to(getattr(torch, name))
    w = torch.from_numpy(rng.normal(size=(1, 1, 60))).to(getattr(torch, name))
    y = conv(x, w, method=method)
    assert y.dtype == x.dtype
    wanted = definition(x.double().numpy(), w.double().numpy())
    exact = bound(x.double().numpy(), w.double().numpy(), "float32")
    near(y.double().numpy(), wanted, exact + eps(name) / 2 * (np.abs(wanted).max() + exact))


# ---- factors and lengths

@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6), st.sampled_from(("float32", "float64")))
def test_rank_one_kernels_are_found_and_others_are_not(a, b, c, seed, dtype):
    rng = np.random.default_rng(seed)
    w = np.einsum("mi,mj,mk->mijk", *(rng.normal(size=(2, v)) for v in (a, b, c))).astype(dtype)[:, None]
    lines = factors(w)
    assert lines is not None
    rebuilt = np.einsum("mci,mcj,mck->mcijk", *lines)
    near(rebuilt, w, 4 * eps(dtype) * float(np.abs(w).sum()))
    if min(a, b) > 1:
        assert factors(w + np.eye(a, b)[:, :, None].astype(dtype)) is None


def test_silent_filters_are_separable():
    same_bits(conv(np.ones((1, 1, 5, 5)), np.zeros((2, 1, 3, 3)), method="separable"), np.zeros((1, 2, 3, 3)))


def test_fast_lengths_are_the_least_5_smooth_ones():
    def smooth(n):
        for p in (2, 3, 5):
            while n % p == 0:
                n //= p
        return n == 1

    known = [n for n in range(1, 5001) if smooth(n)]
    for n in range(1, known[-1] + 1):
        assert fast_length(n) == known[np.searchsorted(known, n)]
    assert fast_length(2**20 + 1) == 1049760


# ---- the operator, and gradients

SETTINGS = [{}, {"stride": 2, "window": (0, 15)}, {"dilation": 2, "groups": 2}, {"stride": 3, "dilation": 2, "window": (-2, 20)}]
SHAPES = [((2, 4, 13), (2, 4, 3)), ((2, 2, 13), (2, 2, 3)), ((1, 4, 13), (4, 2, 3)), ((2, 2, 11), (3, 2, 4))]


@pytest.mark.parametrize("case", range(4))
@pytest.mark.parametrize("method", METHODS)
def test_gradients(method, case):
    """gradcheck and gradgradcheck; `separable` has a kernel off its manifold under finite differences, so x alone."""
    import torch
    from torch.autograd import gradcheck, gradgradcheck

    torch.set_num_threads(1)
    rng = np.random.default_rng(case)
    x, w = (torch.from_numpy(rng.normal(size=shape)).requires_grad_() for shape in SHAPES[case])

    def f(x, w):
        return conv(x, w, method=method, **SETTINGS[case])

    assert gradcheck(f, (x, w), fast_mode=True, nondet_tol=0.0)
    assert gradgradcheck(f, (x, w), fast_mode=True, nondet_tol=0.0)
    if method in ("direct", "fft"):
        assert gradcheck(f, (x, w))


def test_gradients_of_complex_taps():
    from torch.autograd import gradcheck

    rng = np.random.default_rng(9)
    x, w = tensor(rng.normal(size=(1, 2, 9))).requires_grad_(), tensor(rng.normal(size=(2, 2, 3)) + 1j).requires_grad_()
    for method in METHODS:
        assert gradcheck(lambda x, w, method=method: conv(x, w, method=method), (x, w), fast_mode=True)


def test_gradients_of_the_separable_method_are_those_of_the_definition():
    import torch

    rng = np.random.default_rng(7)
    line = rng.normal(size=(2, 2, 3))
    w0 = torch.from_numpy(np.einsum("mci,mcj->mcij", line, line))
    x0, cotangent = torch.from_numpy(rng.normal(size=(2, 2, 8, 7))), None
    got = {}
    for method in ("separable", "direct"):
        x, w = x0.clone().requires_grad_(), w0.clone().requires_grad_()
        with only(method):
            y = conv(x, w, method=method, stride=(1, 2), window=[(0, 9), (1, 9)])
        cotangent = torch.from_numpy(rng.normal(size=tuple(y.shape))) if cotangent is None else cotangent
        got[method] = torch.autograd.grad(y, (x, w), cotangent)
    for a, b in zip(*got.values(), strict=True):
        near(a.numpy(), b.numpy(), 64 * eps("float64") * float(cotangent.abs().sum()) * max(float(x0.abs().max()), 10))
    x = x0.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: conv(x, w0, method="separable"), (x,), fast_mode=True)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_the_jacobian_is_the_matrix_and_its_transpose_the_adjoint(ndim):
    """Autograd's Jacobian equals T, to the bit for the direct method, at every stride, dilation, group and window."""
    import torch

    rng = np.random.default_rng(ndim)
    n, k = (6, 5, 4)[:ndim], (3, 2, 2)[:ndim]
    for options in ({}, {"stride": 2}, {"dilation": 2}, {"groups": 2},
                    {"window": [(-1, m + 3) for m in n], "stride": 2, "groups": 2}):
        w = rng.normal(size=(2, 2 // options.get("groups", 1), *k))
        T = toeplitz_matrix(w, n, **options).toarray()
        dense = toeplitz_matrix(tensor(w), n, **options)
        same_bits(dense.numpy(), T)
        for method in ("direct", "fft", "matrix"):
            J = torch.autograd.functional.jacobian(lambda v, m=method, w=w, o=options: conv(v[None], tensor(w), method=m, **o)[0],
                                                   torch.zeros((2, *n), dtype=torch.float64))
            near(J.reshape(T.shape).numpy(), T, eps("float64") * (8 if method == "fft" else 0) * float(np.abs(w).sum()))
        x, y = rng.normal(size=(1, 2, *n)), rng.normal(size=T.shape[0])
        near(conv(x, w, **options).ravel(), T @ x.ravel(), bound(x, weight(w), "float64"))
        near(T @ x.ravel() @ y, x.ravel() @ (T.T @ y), bound(x, weight(w), "float64") * float(np.abs(y).sum()))


def test_one_and_two_threads_agree():
    import torch

    rng = np.random.default_rng(8)
    x, w = rng.normal(size=(2, 3, 4000)).astype("float32"), rng.normal(size=(4, 3, 40)).astype("float32")
    once = {m: back(conv(tensor(x), tensor(w), method=m)) for m in ("direct", "fft")}
    torch.set_num_threads(2)
    try:
        for method, y in once.items():
            near(conv(torch.from_numpy(x), torch.from_numpy(w), method=method).numpy(), y, bound(x, weight(w), "float32"))
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("method", [*METHODS, "columns"])
def test_a_stride_beyond_the_window_leaves_its_first_output(method):
    rng = np.random.default_rng(8)
    x, w = rng.normal(size=(2, 1, 64)), rng.normal(size=(3, 1, 5))
    with only(method):
        dense = conv(x, w, window=(3, 68), method=method)
        for stride in (11, 64, 65, 2**30, 2**70):
            y = conv(x, w, stride=stride, window=(3, 68), method=method)
            near(y, dense[..., :: min(stride, 65)], bound(x, w, "float64"))
