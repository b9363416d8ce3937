"""The same numbers as the libraries around us, wherever they mean the same.

docs/conventions.md is a table of what each library calls what. Every row of it ends in the name of the test here that holds
it; `test_every_row_of_the_table_is_held` reads the page and refuses a row without one.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, near, same_bits

import sigconv as sc

PAGE = Path(__file__).parents[1] / "docs" / "conventions.md"
NDIMAGE = {"zeros": "constant", "reflect": "mirror", "symmetric": "reflect", "replicate": "nearest", "circular": "grid-wrap"}
NUMPY = {"zeros": "constant", "reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap"}
TORCH = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def held(row):
    """The test holds this row of docs/conventions.md."""
    return pytest.mark.parametrize("row", [row])


def signal(data, start=0):
    data = np.asarray(data)
    return sc.Signal(data, sc.Domain(data.shape, 1, start))


def centred(taps):
    taps = np.asarray(taps)
    return sc.Signal(taps, sc.Domain(taps.shape).centre())


def tensor(data):
    import torch

    torch.set_num_threads(1)
    return torch.from_numpy(np.array(data))


@st.composite
def problems(draw, ndim=1, complex_too=False, longer=True):
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    n = tuple(draw(st.integers(1, {1: 40, 2: 9, 3: 6}[ndim])) for _ in range(ndim))
    k = tuple(draw(st.integers(1, m + 4 if longer else m)) for m in n)
    x, h = rng.normal(size=n), rng.normal(size=k)
    if complex_too and draw(st.booleans()):
        x, h = x + 1j * rng.normal(size=n), h + 1j * rng.normal(size=k)
    return x, h


def tolerance(x, h):
    return bound(x, h, "float64", 32)


# ---- flips and conjugates

@held("convolve (numpy)")
@given(problems(complex_too=True))
def test_numpy_convolve(row, problem):
    """full always; same and valid while K ≤ N, above which numpy swaps the two."""
    x, h = problem
    near(sc.convolve(signal(x), signal(h), mode="full").data, np.convolve(x, h), tolerance(x, h))
    if len(h) <= len(x):
        near(sc.convolve(signal(x), centred(h), mode="same").data, np.convolve(x, h, "same"), tolerance(x, h))
        near(sc.convolve(signal(x), signal(h), mode="valid").data, np.convolve(x, h, "valid"), tolerance(x, h))


@held("correlate (numpy)")
@given(problems(complex_too=True))
def test_numpy_correlate(row, problem):
    """numpy.correlate(x, h) does not flip and conjugates h."""
    x, h = problem
    near(sc.correlate(signal(x), signal(h), mode="full").data, np.correlate(x, h, "full"), tolerance(x, h))
    if len(h) <= len(x):
        near(sc.correlate(signal(x), signal(h), mode="valid").data, np.correlate(x, h, "valid"), tolerance(x, h))
        near(sc.convolve(signal(x), centred(np.conj(h[::-1])), mode="same").data, np.correlate(x, h, "same"), tolerance(x, h))
    assert len(np.correlate(x, h, "same")) == max(len(x), len(h))


@held("scipy.signal.convolve, fftconvolve, oaconvolve")
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_scipy_signal_convolve(row, ndim):
    """scipy.signal.convolve, fftconvolve and oaconvolve: same is centred, as long as the first, whatever K."""
    @given(problems(ndim, complex_too=True))
    def holds(problem):
        x, h = problem
        for f in (scipy.signal.convolve, scipy.signal.fftconvolve, scipy.signal.oaconvolve):
            near(sc.convolve(signal(x), signal(h), mode="full").data, f(x, h, "full"), tolerance(x, h))
            near(sc.convolve(signal(x), centred(h), mode="same").data, f(x, h, "same"), tolerance(x, h))
            if all(k <= n for n, k in zip(x.shape, h.shape, strict=True)):
                near(sc.convolve(signal(x), signal(h), mode="valid").data, f(x, h, "valid"), tolerance(x, h))

    holds()


@held("scipy.signal.correlate")
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_scipy_signal_correlate(row, ndim):
    """No flip, conjugate; its same is full[(K−1)//2:], which for an even kernel is the mirrored taps centred after the mirror."""
    @given(problems(ndim, complex_too=True))
    def holds(problem):
        x, h = problem
        near(sc.correlate(signal(x), signal(h), mode="full").data, scipy.signal.correlate(x, h, "full"), tolerance(x, h))
        mirrored = centred(np.conj(np.flip(h)))
        near(sc.convolve(signal(x), mirrored, mode="same").data, scipy.signal.correlate(x, h, "same"), tolerance(x, h))
        if all(k % 2 for k in h.shape):
            near(sc.correlate(signal(x), centred(h), mode="same").data, scipy.signal.correlate(x, h, "same"), tolerance(x, h))
        if all(k <= n for n, k in zip(x.shape, h.shape, strict=True)):
            near(sc.correlate(signal(x), signal(h), mode="valid").data, scipy.signal.correlate(x, h, "valid"), tolerance(x, h))

    holds()


@held("scipy.ndimage.convolve")
@pytest.mark.parametrize("mode", NDIMAGE)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_scipy_ndimage_convolve(row, ndim, mode):
    """Flips and never changes the length; an even kernel stands at −(K/2), half a sample the other way."""
    @given(problems(ndim, longer=False))
    def holds(problem):
        x, h = problem
        k = sc.Signal(h, sc.Domain(h.shape, 1, tuple(-(n // 2) for n in h.shape)))
        near(sc.convolve(signal(x), k, padding_mode=mode).data, scipy.ndimage.convolve(x, h, mode=NDIMAGE[mode]), tolerance(x, h))
        if all(n % 2 for n in h.shape):
            near(sc.convolve(signal(x), centred(h), padding_mode=mode).data, scipy.ndimage.convolve(x, h, mode=NDIMAGE[mode]),
                 tolerance(x, h))

    holds()


@held("scipy.ndimage.correlate")
@pytest.mark.parametrize("mode", NDIMAGE)
def test_scipy_ndimage_correlate(row, mode):
    """No flip; the taps stand at −(K//2) for odd and even K alike. A complex kernel is conjugated."""
    @given(problems(2, longer=False))
    def holds(problem):
        x, h = problem
        k = sc.Signal(h, sc.Domain(h.shape, 1, tuple(-(n // 2) for n in h.shape)))
        near(sc.correlate(signal(x), k, padding_mode=mode).data, scipy.ndimage.correlate(x, h, mode=NDIMAGE[mode]),
             tolerance(x, h))
        near(sc.correlate(signal(x), k * (1 + 2j), padding_mode=mode).data,
             scipy.ndimage.correlate(x.astype(complex), h * (1 + 2j), mode=NDIMAGE[mode]), 3 * tolerance(x, h))

    holds()


@held("origin")
@pytest.mark.parametrize(("taps", "origin"), [(3, 1), (3, -1), (4, 1), (4, -2), (5, 2)])
def test_ndimage_origin(row, taps, origin):
    """ndimage's origin moves the taps the other way: they stand at −(K//2) − origin, in convolve and correlate alike."""
    rng = np.random.default_rng(taps)
    x, h = rng.normal(size=20), rng.normal(size=taps)
    k = signal(h, -(taps // 2) - origin)
    for ours, theirs in ((sc.convolve, scipy.ndimage.convolve), (sc.correlate, scipy.ndimage.correlate)):
        near(ours(signal(x), k, padding_mode="symmetric").data, theirs(x, h, mode="reflect", origin=origin), tolerance(x, h))


@held("torch.nn.functional.conv1d/2d/3d")
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_torch_convolutions(row, ndim):
    """They correlate, without a conjugate: our taps are theirs reversed; padding p is the window from (K−1)·d − p."""
    from torch.nn import functional

    @given(problems(ndim), st.integers(1, 3), st.integers(1, 2), st.integers(0, 3), st.sampled_from((1, 2)), st.booleans())
    def holds(problem, stride, dilation, padding, groups, complex_too):
        x, h = problem
        rng = np.random.default_rng(0)
        x, h = rng.normal(size=(2, 2 * groups, *x.shape)), rng.normal(size=(3 * groups, 2, *h.shape))
        if complex_too:
            h, x = h + 1j * rng.normal(size=h.shape), x.astype(complex)
        spans = [(k - 1) * dilation for k in h.shape[2:]]
        if any(n + 2 * padding <= span for n, span in zip(x.shape[2:], spans, strict=True)):
            return
        wanted = getattr(functional, f"conv{ndim}d")(tensor(x), tensor(h), stride=stride, padding=padding, dilation=dilation,
                                                     groups=groups)
        window = [(span - padding, n + padding) for n, span in zip(x.shape[2:], spans, strict=True)]
        flipped = np.flip(h, range(2, ndim + 2))
        options = {"stride": stride, "dilation": dilation, "groups": groups, "window": window}
        for method in ("auto", "fft"):
            near(sc.engines.conv(x, flipped, method=method, **options), wanted.numpy(), tolerance(x, np.abs(h).sum()))

    holds()


@held("torch.nn.functional.conv_transpose1d")
def test_torch_transposed_convolution(row):
    """The transpose of torch's layer is a true convolution in full mode: the adjoint of sc.correlate."""
    import torch

    rng = np.random.default_rng(1)
    y, w = rng.normal(size=9), rng.normal(size=4)
    wanted = torch.nn.functional.conv_transpose1d(tensor(y)[None, None], tensor(w)[None, None])[0, 0].numpy()
    near(sc.convolve(signal(y), signal(w), mode="full").data, wanted, tolerance(y, w))


# ---- what "same" is for an even kernel, and for a long one

ODD, EVEN = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])


def place(f, taps):
    """Index of the first tap against the impulse, for f(x, taps) -> y as long as x."""
    x = np.zeros(20)
    x[8] = 1
    y = np.asarray(f(x, taps))
    assert len(y) == 20
    return int(np.flatnonzero(np.round(y, 9))[0]) - 8


SAME = {
    "sigconv": lambda x, h: sc.convolve(signal(x), centred(h)).data,
    "numpy.convolve": lambda x, h: np.convolve(x, h, "same"),
    "scipy.signal.convolve": lambda x, h: scipy.signal.convolve(x, h, "same"),
    "scipy.ndimage.convolve": lambda x, h: scipy.ndimage.convolve(x, h, mode="constant"),
    "scipy.ndimage.convolve1d": lambda x, h: scipy.ndimage.convolve1d(x, h, mode="constant"),
    "torch padding='same', taps reversed": lambda x, h: torch_same(x, h[::-1].copy()),
}


def torch_same(x, h):
    import torch

    return torch.nn.functional.conv1d(tensor(x)[None, None], tensor(h)[None, None], padding="same")[0, 0].numpy()


@held("same, odd kernel")
@pytest.mark.parametrize("library", SAME)
def test_same_for_odd_kernels_is_one_thing(row, library):
    assert place(SAME[library], ODD) == -1
    assert place(SAME[library], np.arange(1.0, 8)) == -3


@held("same, even kernel")
@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
@pytest.mark.parametrize(("library", "start"), [
    ("sigconv", -1), ("numpy.convolve", -1), ("scipy.signal.convolve", -1), ("scipy.ndimage.convolve", -2),
    ("scipy.ndimage.convolve1d", -2), ("torch padding='same', taps reversed", -2)])
def test_same_for_four_taps(row, library, start):
    """The taps of an impulse begin one sample early in numpy and scipy.signal, two in scipy.ndimage and torch."""
    assert place(SAME[library], EVEN) == start


@held("same, even kernel, correlation")
@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
def test_same_for_four_taps_in_correlations(row):
    """The mirrored taps 4 3 2 1 begin at −1 in numpy, scipy.signal and scipy.ndimage, at −2 in torch and sigconv."""
    x = np.zeros(20)
    x[8] = 1

    def first(y):
        assert list(np.round(y[np.flatnonzero(np.round(y, 9))], 9)) == [4, 3, 2, 1]
        return int(np.flatnonzero(np.round(y, 9))[0]) - 8

    assert first(sc.correlate(signal(x), centred(EVEN)).data) == -2
    assert first(scipy.signal.correlate(x, EVEN, "same")) == -1
    assert first(np.correlate(x, EVEN, "same")) == -1
    assert first(scipy.ndimage.correlate(x, EVEN, mode="constant")) == -1
    assert first(torch_same(x, EVEN)) == -2


@held("same, K > N")
def test_same_with_a_kernel_longer_than_the_signal(row):
    """numpy.convolve swaps the two and gives K samples; everyone else gives N."""
    x, h = np.arange(1.0, 4), np.arange(1.0, 8)
    assert len(np.convolve(x, h, "same")) == 7
    for f in (SAME["sigconv"], SAME["scipy.signal.convolve"]):
        assert len(f(x, h)) == 3
    near(SAME["sigconv"](x, h), SAME["scipy.signal.convolve"](x, h), tolerance(x, h))
    assert len(scipy.ndimage.convolve(x, h, mode="constant")) == 3
    assert len(torch_same(x, h)) == 3


@held("valid, K > N")
def test_valid_with_a_kernel_longer_than_the_signal(row):
    """numpy and scipy.signal swap the two; torch raises; ours is empty, since no output is reached by every tap."""
    import torch

    x, h = np.arange(1.0, 4), np.arange(1.0, 8)
    assert sc.convolve(signal(x), signal(h), mode="valid").data.shape == (0,)
    assert len(np.convolve(x, h, "valid")) == 5
    assert len(scipy.signal.convolve(x, h, "valid")) == 5
    with pytest.raises(RuntimeError):
        torch.nn.functional.conv1d(tensor(x)[None, None], tensor(h)[None, None])


@held("full, same, valid")
@given(problems())
def test_lengths(row, problem):
    """full N + K − 1, same N, valid N − K + 1; torch's default is valid, its padding K − 1 full."""
    x, h = problem
    n, k = len(x), len(h)
    ours = {mode: sc.convolve(signal(x), signal(h), mode=mode).data.shape[0] for mode in ("full", "same", "valid")}
    assert ours == {"full": n + k - 1, "same": n, "valid": max(n - k + 1, 0)}
    if k <= n:
        assert {mode: len(np.convolve(x, h, mode)) for mode in ours} == ours
        assert {mode: len(scipy.signal.convolve(x, h, mode)) for mode in ours} == ours
        from torch.nn.functional import conv1d

        a, b = tensor(x)[None, None], tensor(h)[None, None]
        assert conv1d(a, b).shape[-1] == ours["valid"]
        assert conv1d(a, b, padding=k - 1).shape[-1] == ours["full"]


# ---- what lies beyond the edges

@held("padding modes")
@pytest.mark.parametrize("mode", NUMPY)
def test_names_of_the_padding_modes(row, mode):
    """One continuation, four names: a kernel of one late tap looks beyond the end."""
    x = np.arange(1.0, 8)
    ours = signal(x).on(sc.Domain(7 + 10, 1, -5), mode).data
    same_bits(ours, np.pad(x, 5, mode=NUMPY[mode]))
    by_ndimage = [scipy.ndimage.correlate1d(x, np.eye(1, 11, 5 + shift)[0], mode=NDIMAGE[mode]) for shift in (-5, 5)]
    same_bits(np.concatenate([by_ndimage[0][:5], x, by_ndimage[1][-5:]]), ours)
    if mode in TORCH:
        import torch

        theirs = torch.nn.functional.pad(tensor(x)[None, None], (5, 5), mode=TORCH[mode])[0, 0]
        same_bits(theirs.numpy(), ours)


@held("wider than the signal")
@pytest.mark.parametrize("mode", NUMPY)
def test_padding_wider_than_the_signal(row, mode):
    """numpy, scipy.ndimage and sigconv go on reflecting; torch refuses to reflect or wrap further than the signal is long."""
    import torch

    x = np.arange(1.0, 4)
    wide = signal(x).on(sc.Domain(3 + 18, 1, -9), mode).data
    same_bits(wide, np.pad(x, 9, mode=NUMPY[mode]))
    for shift in range(-9, 10):
        same_bits(scipy.ndimage.correlate1d(x, np.eye(1, 19, 9 + shift)[0], mode=NDIMAGE[mode]), wide[9 + shift: 12 + shift])
    if mode in ("reflect", "circular"):
        with pytest.raises(RuntimeError):
            torch.nn.functional.pad(tensor(x)[None, None], (9, 9), mode=TORCH[mode])


@held("reflect")
def test_reflect_means_two_things(row):
    """numpy's and torch's reflect leaves the edge out (ndimage: mirror); ndimage's reflect repeats it (numpy: symmetric)."""
    x, late = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 0.0])  # y[n] = x[n + 1]
    assert scipy.ndimage.convolve(x, late, mode="reflect").tolist() == [2, 3, 3]
    assert scipy.ndimage.convolve(x, late, mode="mirror").tolist() == [2, 3, 2]
    assert sc.convolve(signal(x), centred(late), padding_mode="reflect").data.tolist() == [2, 3, 2]
    assert sc.convolve(signal(x), centred(late), padding_mode="symmetric").data.tolist() == [2, 3, 3]
    assert np.pad(x, 1, "reflect").tolist() == [2, 1, 2, 3, 2]


@held("wrap")
def test_ndimage_wrap_and_grid_wrap_are_one_in_filters(row):
    x, h = np.arange(1.0, 6), np.array([1.0, 2.0, 4.0])
    for mode in ("wrap", "grid-wrap"):
        near(scipy.ndimage.convolve(x, h, mode=mode), sc.convolve(signal(x), centred(h), padding_mode="circular").data,
             tolerance(x, h))


@held("default edges")
def test_what_is_assumed_beyond_the_edges_by_default(row):
    """Zeros in numpy, scipy.signal, torch and sigconv; ndimage repeats the edge."""
    x, h = np.ones(5), np.ones(3)
    zeros = [2, 3, 3, 3, 2]
    for library in ("sigconv", "numpy.convolve", "scipy.signal.convolve"):
        assert np.round(SAME[library](x, h), 9).tolist() == zeros
    assert torch_same(x, h).tolist() == zeros
    assert scipy.ndimage.convolve(x, h).tolist() == [3] * 5


@held("scipy.signal.convolve2d boundary")
@pytest.mark.parametrize(("boundary", "mode"), [("fill", "zeros"), ("symm", "symmetric"), ("wrap", "circular")])
def test_scipy_convolve2d(row, boundary, mode):
    """Its symm is symmetric, its same is centred as ours."""
    rng = np.random.default_rng(2)
    for k in ((3, 3), (2, 4), (5, 1)):
        x, h = rng.normal(size=(8, 9)), rng.normal(size=k)
        near(sc.convolve(signal(x), centred(h), padding_mode=mode).data, scipy.signal.convolve2d(x, h, "same", boundary),
             tolerance(x, h))


# ---- complex taps, types, frequency

@held("conjugation")
def test_who_conjugates(row):
    """The correlations of numpy, scipy.signal and scipy.ndimage conjugate the kernel, torch does not; no convolution does."""
    import torch

    x, h = np.array([1.0 + 0j, 0, 0, 0]), np.array([1j])
    assert np.correlate(x, h)[0] == scipy.signal.correlate(x, h, "full")[0] == sc.correlate(signal(x), signal(h)).data[0] == -1j
    assert scipy.ndimage.correlate(x, h)[0] == -1j
    assert np.convolve(x, h)[0] == scipy.signal.convolve(x, h)[0] == sc.convolve(signal(x), signal(h)).data[0] == 1j
    assert scipy.ndimage.convolve(x, h)[0] == 1j
    assert complex(torch.nn.functional.conv1d(tensor(x)[None, None], tensor(h)[None, None])[0, 0, 0]) == 1j


@held("result type")
def test_types_of_results(row):
    """float32 with float64 taps stays in sigconv and ndimage, becomes float64 in numpy and scipy.signal, and torch raises."""
    import torch

    x, h = np.ones(9, "float32"), np.ones(3)
    assert sc.convolve(signal(x), signal(h)).data.dtype == "float32"
    assert scipy.ndimage.convolve(x, h).dtype == "float32"
    assert np.convolve(x, h).dtype == scipy.signal.convolve(x, h).dtype == "float64"
    with pytest.raises(RuntimeError):
        torch.nn.functional.conv1d(tensor(x)[None, None], tensor(h)[None, None])
    i = np.ones(9, "int64")
    assert sc.convolve(signal(i), signal(h)).data.dtype == "float64"
    assert np.convolve(i, np.ones(3, int)).dtype == scipy.ndimage.convolve(i, h).dtype == "int64"
    assert scipy.signal.convolve(i, np.ones(3, int)).dtype == "int64"


@held("frequency response")
@given(problems())
def test_responses_are_those_of_freqz(row, problem):
    """scipy.signal.freqz takes taps from 0; ours counts from the kernel's own origin."""
    _, h = problem
    nu, gain = scipy.signal.freqz(h, worN=64, fs=8000)
    near(sc.spectrum.response(sc.Signal(h, sc.line(len(h), 8000)), nu).gain, gain, 1e-12 * float(np.abs(h).sum()))
    turned = gain * np.exp(2j * np.pi * nu / 8000 * ((len(h) - 1) // 2))
    near(sc.spectrum.response(sc.Signal(h, sc.line(len(h), 8000).centre()), nu).gain, turned, 1e-12 * float(np.abs(h).sum()))


@held("Toeplitz matrix")
@given(problems(longer=False))
def test_toeplitz_matrices(row, problem):
    """scipy.linalg.toeplitz and convolution_matrix."""
    from scipy.linalg import convolution_matrix, toeplitz

    x, h = problem
    for mode in ("full", "same", "valid"):
        same_bits(sc.matrix(centred(h), sc.Domain(x.shape), mode=mode).toarray(), convolution_matrix(h, len(x), mode))
    same_bits(sc.matrix(signal(h), sc.Domain(x.shape)).toarray(),
              toeplitz(np.pad(h, (0, len(x) - 1)), np.pad(h[:1], (0, len(x) - 1))))


# ---- the page

def test_every_row_of_the_table_is_held():
    """Each row of the tables names its test, and the test says that it holds the row."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in PAGE.read_text("utf-8").splitlines()
            if line.startswith("| ") and not line.startswith("| what ")]
    assert len(rows) == 25
    assert {len(cells) for cells in rows} == {3, 7}
    here = {mark.args[1][0]: f.__name__ for f in globals().values() if callable(f)
            for mark in getattr(f, "pytestmark", ()) if mark.name == "parametrize" and mark.args[0] == "row"}
    named = {re.sub(r"[`*]", "", cells[0]): re.sub(r"[`*]", "", cells[-1]) for cells in rows}
    assert named == here
