"""The verb: `convolve(Signal, Signal) → Signal`, its mirror `correlate`, and kernels in a row.

Everything that is usually quarrelled about is arithmetic on grids here. The full convolution begins at index a + b,
signal's start plus kernel's, so output index ω stands at place ω − (a + b) of it; `same`, on Ω itself, is the window
from −b, wherever the kernel keeps its origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import arrays
from .domain import Domain
from .engines import conv, toeplitz_matrix
from .errors import SigconvError, among
from .signal import PADDING_MODES, Signal
from .values import as_layer

__all__ = ["cascade", "convolve", "correlate", "diag", "matrix"]

MODES = ("full", "same", "valid")


def convolve(x: Signal, k: Signal, *, mode: str = "same", padding_mode: str = "zeros", stride: Any = 1,
             dilation: Any = 1, method: str = "auto") -> Signal:
    """x ∗ k, a true convolution (the kernel is flipped): ``y(ω) = Σ_κ k(κ) x(ω − κ)``.

    The kernel's value says what it does to channels: `()` filters each; `(m,)` is a bank, the result has value
    ``x.value + (m,)``; `(m, c)` is a layer, x.value must end in c, the result has ``x.value[:-1] + (m,)``.

    `mode`: where the result lives: "same" on Ω, "full" on Ω ⊕ K, "valid" on Ω ⊖ K. `padding_mode` says what lies
    outside Ω: "zeros", or for "same" also "reflect" (edge not repeated), "symmetric" (edge repeated), "replicate",
    "circular". `stride` keeps samples 0, s, 2s, … of that grid; `dilation` pulls the taps apart about the kernel's
    origin; one number or one an axis. `method` as in `engines.conv`.

    Laws: linear; shifts with the signal; commutes and associates for kernels of value `()` in full mode; an impulse
    gives the kernel at gain 1. Error at most 16 eps · ‖k‖₁ · max|x|. An empty signal gives an empty result.

    >>> import sigconv as sc
    >>> x = sc.Signal([[0.0, 1.0, 0.0, 0.0]], sc.line(4, 8000))
    >>> k = sc.Signal([3.0, 2.0, 1.0], sc.Domain(3, x.domain.step, -1, "s"))
    >>> convolve(x, k).data, convolve(x, k, mode="full").domain.start
    (array([[3., 2., 1., 0.]]), (-1,))

    Raises `SigconvError` where rates, units or axes disagree (the message names `resample`), the value rule is broken,
    the kernel has no taps, a mode is unknown, or padding other than zeros is asked of "full" or "valid".
    """
    grid = _kernel_grid(x, k, dilation)
    out = _result_grid(x.domain, grid, mode)
    among(padding_mode, PADDING_MODES, "padding_mode")
    if padding_mode != "zeros":
        if mode != "same":
            raise SigconvError(f"padding_mode {padding_mode!r} with mode {mode!r}: only 'same' looks beyond the edges; "
                               "wanted padding_mode='zeros'")
        if x.domain.size:
            x = x.on(out.needs(grid), padding_mode)
    window = _window(x.domain, grid, out)
    flat_x, flat_k, value, names = as_layer(x, k)
    y = conv(flat_x, flat_k, stride=stride, dilation=dilation, window=window, method=method)
    out = out.every(stride)
    return Signal(y.reshape(*value, *out.shape), out, names)


def correlate(x: Signal, k: Signal, *, mode: str = "same", padding_mode: str = "zeros", stride: Any = 1,
              dilation: Any = 1, method: str = "auto") -> Signal:
    """x ★ k, the running scalar product: ``y(ω) = Σ_κ conj(k(κ)) x(ω + κ)``; no flip, a complex kernel conjugated.

    It is `convolve` with the mirrored, conjugated kernel, and takes the same options. `numpy.correlate` and torch's
    convolution layers mean this (torch without the conjugate).

    >>> import sigconv as sc
    >>> x = sc.Signal([0.0, 1.0, 2.0, 3.0], sc.line(4, 1))
    >>> correlate(x, sc.Signal([1.0, 10.0], sc.line(2, 1)), mode="valid").data
    array([10., 21., 32.])
    """
    return convolve(x, _mirror(k), mode=mode, padding_mode=padding_mode, stride=stride, dilation=dilation, method=method)


def cascade(*kernels: Signal) -> Signal:
    """The kernel that does what these do one after another: ``convolve(convolve(x, k1), k2)`` in full mode.

    Kernels of value `()` convolve; banks flatten to ``(m1·m2,)`` with joined names; layers multiply as matrices,
    ``(m1, c)`` then ``(m2, m1)`` being ``(m2, c)``; a layer before a bank gives ``(m1·m2, c)``.

    >>> import sigconv as sc
    >>> difference = sc.Signal([1.0, -1.0], sc.line(2, 1))
    >>> cascade(difference, difference).data
    array([ 1., -2.,  1.])

    Raises `SigconvError` where rates or channel counts disagree.
    """
    if not kernels:
        raise SigconvError("cascade of no kernels: wanted at least one")
    for k in kernels:
        _check(k)
    first, *rest = kernels
    for second in rest:
        first = _pair(first, second)
    return first


def diag(k: Signal) -> Signal:
    """A bank `(c,)` as the layer `(c, c)` that gives each channel its own filter; also named so.

    >>> import sigconv as sc
    >>> diag(sc.Signal([[1.0], [2.0]], sc.line(1, 1))).data[..., 0]
    array([[1., 0.],
           [0., 2.]])

    Raises `SigconvError` for what is no bank.
    """
    _check(k)
    if len(k.value) != 1:
        raise SigconvError(f"diag of a kernel of value {k.value}: wanted a bank (c,), one filter a channel")
    xp = arrays.namespace(k.data)
    eye = arrays.like(xp.eye(k.value[0]), k.data)
    data = eye.reshape(*eye.shape, *(1,) * k.domain.ndim) * k.data[:, None]
    return Signal(data, k.domain, (k.channels, k.channels))


def matrix(k: Signal, domain: Domain, *, mode: str = "full", stride: Any = 1, dilation: Any = 1) -> Any:
    """The Toeplitz matrix T of ``convolve(x, k, mode=mode)`` for x on `domain` (zeros outside it).

    ``T @ x.data.ravel() == convolve(x, k).data.ravel()`` for x of value `()`, or `(c,)` under a layer `(m, c)`; its
    transpose is the adjoint. A `scipy.sparse.csr_array`; for kernels on tensors dense and differentiable. Doubly block
    Toeplitz in 2D. Refused (`SigconvError`) above 2²⁶ entries.

    >>> import sigconv as sc
    >>> matrix(sc.Signal([1.0, 2.0], sc.line(2, 1)), sc.line(3, 1), mode="valid").toarray()
    array([[2., 1., 0.],
           [0., 2., 1.]])
    """
    _check(k)
    if not isinstance(domain, Domain):
        raise SigconvError(f"a {type(domain).__name__} as domain: wanted that of the signals, e.g. x.domain")
    domain.agree(k.domain)
    grid = k.domain.dilate(dilation)
    w = k.data.reshape(*{0: (1, 1), 1: (*k.value, 1)}.get(len(k.value), k.value), *k.domain.shape)
    window = _window(domain, grid, _result_grid(domain, grid, mode))
    return toeplitz_matrix(w, domain.shape, stride=stride, dilation=dilation, window=window)


def _check(k: Any) -> None:
    if not isinstance(k, Signal):
        raise SigconvError(f"a {type(k).__name__} as kernel: wanted a Signal, e.g. sc.kernel(spec, x.domain)")


def _kernel_grid(x: Signal, k: Signal, dilation: Any) -> Domain:
    if not isinstance(x, Signal) or not isinstance(k, Signal):
        wrong = x if not isinstance(x, Signal) else k
        raise SigconvError(f"a {type(wrong).__name__}: wanted Signals; wrap arrays as sc.Signal(data, domain), "
                           "or make a kernel with sc.kernel(spec, x.domain)")
    if 0 in k.domain.shape:
        raise SigconvError("a kernel without taps: wanted at least one")
    x.domain.agree(k.domain)
    return k.domain.dilate(dilation)


def _result_grid(omega: Domain, grid: Domain, mode: str) -> Domain:
    among(mode, MODES, "mode")
    if mode == "same":
        return omega
    return omega.plus(grid) if mode == "full" else omega.minus(grid)


def _window(omega: Domain, grid: Domain, out: Domain) -> list[tuple[int, int]]:
    """(first, stop) an axis of the grid `out` in the full convolution of `omega` and `grid`."""
    full = Domain(omega.shape, omega.step, tuple(a + b for a, b in zip(omega.start, grid.start, strict=True)), omega.unit)
    return [(first, first + n) for first, n in zip(full.offset(out), out.shape, strict=True)]


def _mirror(k: Signal) -> Signal:
    """The kernel at −κ, conjugated where complex: convolving with it correlates."""
    _check(k)
    mirrored = k.reverse()
    if not arrays.is_complex(k.data):
        return mirrored
    return Signal(arrays.namespace(k.data).conj(mirrored.data), mirrored.domain, k.names)


def _pair(first: Signal, second: Signal) -> Signal:
    """`first`, then `second`, as one kernel."""
    a, b = len(first.value), len(second.value)
    if a == 0 or (a, b) == (1, 0):  # a plain filter commutes with everything
        plain, other = (first, second) if a == 0 else (second, first)
        return convolve(other, plain, mode="full")
    if (a, b) == (2, 0):
        return convolve(first, second, mode="full")
    if b == 2:  # Σ over the middle channels: the layer applied to `first`, whose channels stand last
        if second.value[1] != first.value[0]:
            raise SigconvError(f"a layer on {second.value[1]} channels after {first.value[0]} filters: wanted as many "
                               "channels as filters")
        if a == 1:
            return convolve(first, second, mode="full")
        turned = Signal(arrays.namespace(first.data).moveaxis(first.data, 0, 1), first.domain, first.names[::-1])
        y = convolve(turned, second, mode="full")
        return Signal(arrays.namespace(y.data).moveaxis(y.data, 0, 1), y.domain, (second.names[0], first.names[1]))
    # a bank after a bank (m1,) or a layer (m1, c): every filter of the second on every filter of the first
    y = convolve(first, second, mode="full")
    data = y.data if a == 1 else arrays.namespace(y.data).moveaxis(y.data, 2, 1)
    m1, m2 = first.value[0], second.value[0]
    joined = [f"{p}*{q}" for p in _labels(first.names[0], m1) for q in _labels(second.names[0], m2)] \
        if first.names[0] or second.names[0] else None
    data = data.reshape(m1 * m2, *data.shape[2:])
    return Signal(data, y.domain, (joined, *first.names[1:]))


def _labels(names: Sequence[str] | None, n: int) -> Sequence[str]:
    return names or [str(i) for i in range(n)]
