"""What a convolution obeys, the data to try it on, and the one bound that says how nearly.

A law is a function of (ops, case): `ops` convolves plain arrays by one method and library, `case` holds the arrays. The same
functions judge the library (test_laws) and convolutions with planted bugs (test_mutants).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import currently_in_test_context, target
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import sigconv as sc
from sigconv import engines
from sigconv.signal import PADDING_MODES

METHODS = ("direct", "separable", "fft", "overlap_save", "matrix", "auto")
BACKENDS = ("numpy", "torch")
# numpy.pad's names
PADS = {"reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap", "zeros": "constant"}
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7}


def eps(dtype: Any) -> float:
    return EPS.get(str(dtype)) or float(np.finfo(dtype).eps)


def bound(x: Any, h: Any, dtype: Any, times: float = 16) -> float:
    """16 eps ‖h‖₁ max|x| and an underflow floor; h may be the norm itself."""
    x, h = np.abs(np.asarray(x)), np.abs(np.asarray(h))
    floor = (x.size + h.size) * float(np.finfo(np.float32 if str(dtype) in EPS else dtype).smallest_normal)
    if str(dtype) == "float16":
        floor = 2.0**-14
    return times * eps(dtype) * float(h.astype(np.longdouble).sum()) * float(x.max(initial=0)) + floor


def near(got: Any, wanted: Any, tolerance: float, label: str = "") -> None:
    """Everywhere within the tolerance; a label makes hypothesis search for the worst case."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    wide = np.clongdouble if got.dtype.kind == "c" or wanted.dtype.kind == "c" else np.longdouble
    error = float(np.abs(got.astype(wide) - wanted.astype(wide)).max(initial=0))
    if label and currently_in_test_context() and np.isfinite(error) and tolerance > 0:
        target(error / tolerance, label=label)
    assert error <= tolerance, f"off by {error:.3g}, allowed {tolerance:.3g}"


def same_bits(got: Any, wanted: Any) -> None:
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.dtype == wanted.dtype
    np.testing.assert_array_equal(got, wanted)


def definition(x: np.ndarray, w: np.ndarray, *, stride: Any = 1, dilation: Any = 1, groups: int = 1,
               window: Any = None) -> np.ndarray:
    """`engines.conv` tap by tap in long double: x (b, c, *n), w (m, c/groups, *k)."""
    (b, _, *n), (m, per, *k) = x.shape, w.shape
    s, d = ((v,) * len(n) if isinstance(v, int) else v for v in (stride, dilation))
    wide = np.clongdouble if "c" in (x.dtype.kind, w.dtype.kind) else np.longdouble
    x = x.astype(wide).reshape(b, groups, 1, per, *n)
    w = w.astype(wide).reshape(1, groups, m // groups, per, *k)
    full = np.zeros((b, groups, m // groups, *(a + (q - 1) * e for a, q, e in zip(n, k, d, strict=True))), wide)
    for tap in np.ndindex(*k) if prod(n) else ():
        at = tuple(slice(t * e, t * e + a) for t, e, a in zip(tap, d, n, strict=True))
        for i in range(per):
            part = w[(slice(None), slice(None), slice(None), i, *tap)].reshape(1, groups, -1, *(1,) * len(n))
            full[(..., *at)] += part * x[:, :, :, i]
    full = full.reshape(b, m, *full.shape[3:])
    if window is None:
        window = [((q - 1) * e, a) for q, e, a in zip(k, d, n, strict=True)]
    elif isinstance(window[0], int):
        window = [window]
    for axis, ((first, stop), step) in enumerate(zip(window, s, strict=True)):
        at = np.arange(first, max(stop, first), step)
        inside = (at >= 0) & (at < full.shape[axis + 2])
        cut = np.zeros((*full.shape[:axis + 2], len(at), *full.shape[axis + 3:]), wide)
        cut[(slice(None),) * (axis + 2) + (inside,)] = np.take(full, at[inside], axis + 2)
        full = cut
    return full


def exact(x: np.ndarray, h: np.ndarray, mode: str = "full", padding_mode: str = "zeros") -> np.ndarray:
    """x ∗ h in long double; kernels are centred; `numpy.pad` continues x."""
    pairs = list(zip(x.shape, h.shape, strict=True))
    if padding_mode != "zeros":
        wide = np.pad(x, [(k - 1 - (k - 1) // 2, (k - 1) // 2) for k in h.shape], PADS[padding_mode])
        return definition(wide[None, None], h[None, None])[0, 0]
    window = {"full": [(0, n + k - 1) for n, k in pairs], "same": [((k - 1) // 2, (k - 1) // 2 + n) for n, k in pairs],
              "valid": [(k - 1, n) for n, k in pairs]}[mode]
    return definition(x[None, None], h[None, None], window=window)[0, 0]


# ---- the library as it is called by the laws

@contextmanager
def only(method: str) -> Iterator[None]:
    """No other method of the engines runs in here."""
    def refuse(*_: Any) -> None:
        raise AssertionError(f"another method than {method} ran")

    before = dict(engines.METHODS)
    if method != "auto":
        engines.METHODS.update({name: refuse for name in before if name != method})
    try:
        yield
    finally:
        engines.METHODS.update(before)


def line_or_grid(shape: tuple[int, ...], centred: bool = False) -> sc.Domain:
    domain = sc.Domain(shape, 1 if len(shape) > 1 else sc.line(1, 8000).step, 0, "px" if len(shape) > 1 else "s")
    return domain.centre() if centred else domain


@dataclass(frozen=True)
class Ops:
    """Convolution and valid correlation of plain arrays; `free` takes any kernel where `conv` wants a separable one."""

    conv: Callable[..., np.ndarray]
    corr: Callable[..., np.ndarray]
    free: Callable[..., np.ndarray]
    exact: bool = True  # one tap costs no rounding


def _array(data: np.ndarray, backend: str) -> Any:
    if backend == "numpy":
        return data
    import torch

    torch.set_num_threads(1)
    return torch.from_numpy(np.array(data))


def call(verb: Callable, backend: str, method: str, x: np.ndarray, h: np.ndarray, mode: str = "full", padding_mode: str = "zeros",
         **options: Any) -> np.ndarray:
    shape = x.shape[x.ndim - h.ndim:]
    signal = sc.Signal(_array(x, backend), line_or_grid(shape))
    kernel = sc.Signal(_array(h, backend), line_or_grid(h.shape, centred=True))
    with only(method):
        y = verb(signal, kernel, mode=mode, padding_mode=padding_mode, method=method, **options)
    assert (type(y.data) is np.ndarray) == (backend == "numpy")
    return y.numpy().data


def library(backend: str, method: str) -> Ops:
    """sigconv by one method on one kind of array."""
    return Ops(conv=partial(call, sc.convolve, backend, method),
               corr=partial(call, sc.correlate, backend, method, mode="valid"),
               free=partial(call, sc.convolve, backend, "direct" if method == "separable" else method),
               exact=method in ("direct", "matrix"))


# ---- data, by kind

def _impulse(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    x = np.zeros(shape)
    x.flat[rng.integers(x.size)] = rng.normal()
    return x


KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "noise": lambda rng, shape: rng.normal(size=shape),
    "integers": lambda rng, shape: rng.integers(-9, 10, shape).astype(float),
    "impulse": _impulse,
    "constant": lambda rng, shape: np.full(shape, rng.uniform(-2, 2)),
    "step": lambda rng, shape: (np.arange(prod(shape)).reshape(shape) >= rng.integers(prod(shape))) * 1.0,
    "alternating": lambda rng, shape: (-1.0) ** np.indices(shape).sum(0) * rng.uniform(0.1, 3),
    "sparse": lambda rng, shape: rng.normal(size=shape) * (rng.random(shape) < 0.1),
    "ramp": lambda rng, shape: np.arange(prod(shape)).reshape(shape) / prod(shape) - rng.random(),
    "loud and soft": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.integers(-9, 4, shape),
    "tiny": lambda rng, shape: rng.normal(size=shape) * 1e-42,
}


def make(kind: str, shape: tuple[int, ...], seed: int, dtype: str, rank_one: bool = False) -> np.ndarray:
    """Data of a kind; of rank one, the product of a line an axis, where asked."""
    rng = np.random.default_rng(seed)
    if rank_one and len(shape) > 1:
        lines = [KINDS[kind](rng, (n,)) for n in shape]
        return reduce(np.multiply, np.ix_(*lines)).astype(dtype)
    return KINDS[kind](rng, shape).astype(dtype)


@dataclass(frozen=True)
class Case:
    """Signals x and z of one shape, kernels h and g, numbers a and b, a shift."""

    x: np.ndarray
    z: np.ndarray
    h: np.ndarray
    g: np.ndarray
    a: float = 0.75
    b: float = -2.5
    shift: int = 3
    padding_mode: str = "zeros"
    axis: int = 0
    ints: tuple[np.ndarray, np.ndarray] = field(default=(np.zeros(1), np.zeros(1)))

    @property
    def dtype(self) -> np.dtype:
        return self.x.dtype

    def bound(self, times: float = 16) -> float:
        return bound(self.x, self.h, self.dtype, times)


LONGEST = {1: 300, 2: 14, 3: 7}
TAPS = {1: (1, 2, 3, 4, 9, 64), 2: (1, 2, 3, 4, 6), 3: (1, 2, 3, 4)}


def assemble(n: tuple[int, ...], k: tuple[int, ...], kinds: tuple[str, str], seed: int, dtype: str, rank_one: bool,
             **rest: Any) -> Case:
    g = tuple(min(v, 5) for v in reversed(k))
    whole = (make("integers", n, seed + 4, dtype), make("integers", k, seed + 5, dtype, rank_one=False))
    if rank_one:
        whole = (whole[0], reduce(np.multiply, np.ix_(*(np.arange(1, v + 1) % 3 - 1 for v in k))).astype(dtype))
    return Case(make(kinds[0], n, seed, dtype), make("noise", n, seed + 1, dtype), make(kinds[1], k, seed + 2, dtype, rank_one),
                make("noise", g, seed + 3, dtype, rank_one), ints=whole, **rest)


@st.composite
def cases(draw: Any, rank_one: bool = False, dims: tuple[int, ...] = (1, 1, 2, 3)) -> Case:
    """Signals and kernels by kind: any floats too, kernels of 1, K = N and K > N always among them."""
    ndim = draw(st.sampled_from(dims))
    dtype = draw(st.sampled_from(("float32", "float64")))
    size = st.one_of(st.integers(1, LONGEST[ndim]), st.sampled_from((1, 2)))
    n = tuple(draw(size) for _ in range(ndim))
    taps = [st.sampled_from(TAPS[ndim]), st.sampled_from(TAPS[ndim]), st.just(0), st.just(-1)]
    k = tuple(v if v > 0 else size - 3 * v for v, size in zip((draw(st.one_of(taps)) for _ in range(ndim)), n, strict=True))
    kinds = (draw(st.sampled_from(sorted(KINDS))), draw(st.sampled_from(sorted(set(KINDS) - {"tiny"}))))
    case = assemble(n, k, kinds, draw(st.integers(0, 2**31)), dtype, rank_one,
                    a=draw(st.sampled_from((1.0, 0.75, -3.1, 1e-3, 0.0))),
                    b=draw(st.sampled_from((1.0, -2.5, 0.3))), shift=draw(st.sampled_from((1, 2, 17))),
                    padding_mode=draw(st.sampled_from(PADDING_MODES)), axis=draw(st.integers(0, ndim - 1)))
    if prod(n) <= 24 and draw(st.booleans()):
        width = int(dtype[-2:])
        case = replace(case, x=draw(arrays(dtype, n, elements=st.floats(-1000, 1000, width=width))))
    return case


# ---- the laws

LAWS: dict[str, Callable[[Ops, Case], None]] = {}


def law(f: Callable[[Ops, Case], None]) -> Callable[[Ops, Case], None]:
    LAWS[f.__name__.replace("_", " ")] = f
    return f


@law
def defined(ops: Ops, c: Case) -> None:
    """y = Σ h x, in every mode, and `same` with every way to continue the signal."""
    for mode in ("full", "same", "valid"):
        near(ops.conv(c.x, c.h, mode=mode), exact(c.x, c.h, mode), c.bound(), mode)
    near(ops.conv(c.x, c.h, mode="same", padding_mode=c.padding_mode), exact(c.x, c.h, "same", c.padding_mode), c.bound())


@law
def linearity(ops: Ops, c: Case) -> None:
    a, b = c.dtype.type(c.a), c.dtype.type(c.b)
    options = {"mode": "same", "padding_mode": c.padding_mode}
    both = ops.conv(a * c.x + b * c.z, c.h, **options)
    apart = a * ops.conv(c.x, c.h, **options) + b * ops.conv(c.z, c.h, **options)
    near(both, apart, bound(np.maximum(abs(a * c.x), abs(b * c.z)), c.h, c.dtype, 64) + abs(a) * bound(0, c.h, c.dtype) * 2)


@law
def shift(ops: Ops, c: Case) -> None:
    lead = [(c.shift if axis == c.axis else 0, 0) for axis in range(c.x.ndim)]
    near(ops.conv(np.pad(c.x, lead), c.h), np.pad(ops.conv(c.x, c.h), lead), c.bound(32))
    rolled = ops.conv(np.roll(c.x, c.shift, c.axis), c.h, mode="same", padding_mode="circular")
    near(rolled, np.roll(ops.conv(c.x, c.h, mode="same", padding_mode="circular"), c.shift, c.axis), c.bound(32))


@law
def commutativity(ops: Ops, c: Case) -> None:
    near(ops.conv(c.x, c.h), ops.free(c.h, c.x), c.bound() + bound(c.h, c.x, c.dtype))


@law
def associativity(ops: Ops, c: Case) -> None:
    one, other = ops.conv(ops.conv(c.x, c.h), c.g), ops.free(c.x, ops.free(c.h, c.g))
    scale = np.abs(c.g).astype(np.longdouble).sum()
    near(one, other, bound(c.x, np.abs(c.h).astype(np.longdouble).sum() * scale, c.dtype, 32)
         + float(scale + 1) * bound(0, c.h, c.dtype))


@law
def delay(ops: Ops, c: Case) -> None:
    """x ∗ a·δ_k = a·S_k x: to the bit where a sum of one product is one."""
    k = tuple(c.shift if axis == c.axis else 0 for axis in range(c.x.ndim))
    taps = np.zeros(tuple(v + 2 for v in k), c.dtype)
    taps[k] = c.b
    wanted = np.pad(c.x * c.dtype.type(c.b), [(v, 1) for v in k])
    got = ops.conv(c.x, taps)
    near(got, wanted, 0 if ops.exact else bound(c.x, c.b, c.dtype))
    same = ops.conv(c.x, np.ones((1,) * c.x.ndim, c.dtype), mode="same", padding_mode=c.padding_mode)
    near(same, c.x, 0 if ops.exact else bound(c.x, 1, c.dtype))  # the FFT of a long ±1, ∓1, … is off by up to 9 eps


@law
def impulse(ops: Ops, c: Case) -> None:
    one = np.zeros((3,) * c.h.ndim, c.dtype)
    one[(1,) * c.h.ndim] = 1
    near(ops.conv(one, c.h), np.pad(c.h, 1), 0 if ops.exact else bound(c.h, 1, c.dtype, 4 * c.h.ndim))


@law
def same(ops: Ops, c: Case) -> None:
    """`same` is the slice of `full` from (K−1)//2, as long as x; `valid` is the slice from K−1."""
    full = ops.conv(c.x, c.h)
    at = tuple(slice((k - 1) // 2, (k - 1) // 2 + n) for n, k in zip(c.x.shape, c.h.shape, strict=True))
    near(ops.conv(c.x, c.h, mode="same"), full[at], c.bound(32))
    inner = tuple(slice(k - 1, max(n, k - 1)) for n, k in zip(c.x.shape, c.h.shape, strict=True))
    near(ops.conv(c.x, c.h, mode="valid"), full[inner], c.bound(32))


@law
def length(ops: Ops, c: Case) -> None:
    pairs = list(zip(c.x.shape, c.h.shape, strict=True))
    assert ops.conv(c.x, c.h).shape == tuple(n + k - 1 for n, k in pairs)
    assert ops.conv(c.x, c.h, mode="valid").shape == tuple(max(n - k + 1, 0) for n, k in pairs)
    assert ops.conv(c.x, c.h, mode="same", padding_mode=c.padding_mode).shape == c.x.shape


@law
def total(ops: Ops, c: Case) -> None:
    """Σy = Σx Σh; a constant gives Σh times it, at the edges too where the signal is continued."""
    wide = [v.astype(np.longdouble) for v in (c.x, c.h, ops.conv(c.x, c.h))]
    scale = [float(np.abs(v).sum()) for v in wide]
    near(wide[2].sum(), wide[0].sum() * wide[1].sum(), (64 + 16 * np.sqrt(wide[2].size)) * eps(c.dtype) * scale[0] * scale[1]
         + wide[2].size * bound(0, 0, c.dtype) * (1 + scale[1]))
    level = np.full(c.x.shape, c.b, c.dtype)
    mode = "replicate" if c.padding_mode == "zeros" else c.padding_mode
    near(ops.conv(level, c.h, mode="same", padding_mode=mode), np.full(c.x.shape, level.flat[0] * wide[1].sum()),
         bound(level, c.h, c.dtype))


@law
def reversal(ops: Ops, c: Case) -> None:
    near(ops.conv(np.flip(c.x), np.flip(c.h)), np.flip(ops.conv(c.x, c.h)), c.bound(32))


@law
def parseval(ops: Ops, c: Case) -> None:
    y = ops.conv(c.x, c.h)
    spectra = [np.fft.fftn(v.astype(float), y.shape, range(y.ndim)) for v in (c.x, c.h)]
    energy = float((np.abs(spectra[0] * spectra[1]) ** 2).sum() / y.size)
    t = c.bound()
    near((y.astype(float) ** 2).sum(), energy, 2 * t * np.sqrt(y.size * energy) + y.size * t**2 + 64 * eps(c.dtype) * energy
         + 1e-290)


@law
def young(ops: Ops, c: Case) -> None:
    norm = [float(np.sqrt((np.abs(v.astype(np.longdouble)) ** 2).sum())) for v in (ops.conv(c.x, c.h), c.x)]
    size = float(np.abs(c.h).astype(np.longdouble).sum())
    assert norm[0] <= size * norm[1] * (1 + 16 * eps(c.dtype) * np.sqrt(c.x.size + c.h.size)) + c.bound(0) * np.sqrt(c.x.size)


@law
def adjoint(ops: Ops, c: Case) -> None:
    """<h ∗ x, y> = <x, h ★ y>, y on the full grid."""
    shape = tuple(n + k - 1 for n, k in zip(c.x.shape, c.h.shape, strict=True))
    y = np.resize(c.z, shape) + c.dtype.type(0.1) * np.arange(prod(shape), dtype=c.dtype).reshape(shape)
    left = (ops.conv(c.x, c.h).astype(np.longdouble) * y).sum()
    right = (c.x.astype(np.longdouble) * ops.corr(y, c.h)).sum()
    weight = float(np.abs(y).astype(np.longdouble).sum())
    near(left, right, c.bound() * (1 + weight) + bound(y, c.h, c.dtype) * float(np.abs(c.x).astype(np.longdouble).sum()))


@law
def batch(ops: Ops, c: Case) -> None:
    """Channels are filtered each for itself, and do not know of each other."""
    stack = np.stack([c.x, c.z, c.x])
    options = {"mode": "same", "padding_mode": c.padding_mode}
    together = ops.conv(stack, c.h, **options)
    for got, alone in zip(together, stack, strict=True):
        near(got, ops.conv(alone, c.h, **options), bound(alone if ops.exact else stack, c.h, c.dtype, 32))
    stack[1].flat[0] = np.nan
    poisoned = ops.conv(stack, c.h, **options)
    assert np.isnan(poisoned[1]).any() or not np.isnan(ops.conv(stack[1], c.h, **options)).any()
    assert np.isfinite(poisoned[[0, 2]]).all()


@law
def integers(ops: Ops, c: Case) -> None:
    got, wanted = ops.conv(*c.ints), exact(*c.ints)
    same_bits((got if ops.exact else np.rint(got)).astype(float) + 0, wanted.astype(float))


@law
def homogeneity(ops: Ops, c: Case) -> None:
    """A factor of 2^k commutes to the bit while nothing under- or overflows."""
    x = np.where(np.abs(c.x) < 1e-3, 0, c.x).astype(c.dtype)
    h = np.where(np.abs(c.h) < 1e-3, 0, c.h).astype(c.dtype)
    if ops.exact or np.abs(x).max() == 0:  # transforms leak rounding noise that may reach the denormals
        try:
            same_bits(ops.conv(x * c.dtype.type(2.0**7), h), ops.conv(x, h) * c.dtype.type(2.0**7))
        except sc.SigconvError:
            assert h.ndim > 1
    else:
        same_bits(ops.conv(x * c.dtype.type(2.0**7), c.h), ops.conv(x, c.h) * c.dtype.type(2.0**7))


@law
def purity(ops: Ops, c: Case) -> None:
    """Inputs stay, a second call gives the same bits."""
    before = c.x.copy(), c.h.copy()
    once = ops.conv(c.x, c.h, mode="same", padding_mode=c.padding_mode)
    same_bits(ops.conv(c.x, c.h, mode="same", padding_mode=c.padding_mode), once)
    same_bits(c.x, before[0])
    same_bits(c.h, before[1])


def products(*choices: Any) -> list[tuple[Any, ...]]:
    return list(product(*choices))
