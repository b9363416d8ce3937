"""There and back: the transpose of a bank, its least-squares inverse, and how well that is posed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, prod
from typing import Any, TypeVar

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain, natural
from ..errors import SigconvError
from ..signal import Signal
from .bulk import Bulk
from .extremes import Extremes, extremes
from .parts import Part, parts_of
from .solving import SMALL, Plan, dense, inverse, plan, solve
from .system import System, system_of

__all__ = ["Bounds", "adjoint", "bounds", "synthesis"]

T = TypeVar("T")
KEPT = 8  # banks whose plans are remembered
_PLANS: OrderedDict[Any, tuple[Plan | None, Extremes]] = OrderedDict()
_BOUNDS: OrderedDict[Any, Extremes] = OrderedDict()


def adjoint(y: Any, k: Any, domain: Domain, stride: Any = 1, *, mode: str = "same", padding_mode: str = "zeros",
            dilation: Any = 1) -> Signal:
    """Aᴴ y, the exact transpose (conjugated for complex taps) of ``x ↦ convolve(x, k, stride=stride, …)`` for x on `domain`.

    `k` a kernel of any value, or a sequence of (kernel, stride) pairs; then y is a list of Signals, one for each. Law, for
    every x and y: ``⟨A x, y⟩ = ⟨x, Aᴴ y⟩``, edges and padding included. On tensors differentiable in y and the taps.

    >>> import sigconv as sc
    >>> k = sc.Signal([[1.0, -1.0], [0.5, 0.5]], sc.line(2, 8000))
    >>> x = sc.Signal([[1.0, 2.0, 4.0]], sc.line(3, 8000))
    >>> adjoint(sc.convolve(x, k, stride=2), k, x.domain, 2).data
    array([[ 1.25, -0.5 ,  3.5 ]])

    Raises `SigconvError` where y is not what that convolution gives.
    """
    parts, ys, value, names, lead = _read(y, k, domain, stride, mode, padding_mode, dilation)
    total: Any = 0
    for p, v in zip(parts, ys, strict=True):
        exact = arrays.accurate(v) if isinstance(v, np.ndarray) else v
        total = total + replace(p, w=arrays.like(p.w, exact)).backward(exact)
    return _signal(total, lead, value, domain, names)


def synthesis(y: Any, k: Any, domain: Domain, stride: Any = 1, *, mode: str = "same", padding_mode: str = "zeros",
              dilation: Any = 1, limit: float = 1e6, least_squares: bool = False, real: bool | None = None) -> Signal:
    """The signal on `domain` whose coefficients come nearest to y: x = (AᴴA)⁻¹ Aᴴ y, the canonical dual.

    Of ``y = convolve(x, k, stride=stride, …)`` it is x, edges included, to the accuracy that the bounds allow: about 300 dB −
    10 log₁₀ of the condition number, solved in double precision always. `k`, `y` as in `adjoint`. Where the condition number
    B/A exceeds `limit` the bank has lost something, and this raises, naming how much of white noise in dB and where;
    `least_squares=True` gives the nearest signal all the same, with nothing where nothing was seen. `real`:
    whether the signal is; by default so for real taps and coefficients, and for complex taps that see half of the spectrum,
    which is all that a real signal needs.
    Lines are solved in sections, in memory that does not grow with the bank. Differentiable in y and taps on tensors.

    >>> import sigconv as sc
    >>> x = sc.Signal([np.sin(np.arange(50.0) ** 1.5)], sc.line(50, 8000))
    >>> k = sc.Signal(np.random.default_rng(0).normal(size=(8, 9)), sc.Domain(9, x.domain.step, -4, "s"))
    >>> y = sc.convolve(x, k, stride=4)
    >>> bool(abs(synthesis(y, k, x.domain, 4).data - x.data).max() < 1e-12)
    True

    Raises `SigconvError` where y is not what that convolution gives, is not finite, or the bank loses more than `limit` allows.
    """
    if not isinstance(limit, (int, float)) or not limit > 1:
        raise SigconvError(f"limit {limit!r}: wanted a condition number above 1")
    parts, ys, value, names, lead = _read(y, k, domain, stride, mode, padding_mode, dilation)
    plain = [arrays.to_numpy(v) for v in ys]
    if not all(np.isfinite(end(side, initial=0)) for v in plain for side in (v.real, v.imag) for end in (np.min, np.max)):
        raise SigconvError("coefficients that are not finite: wanted those of a finite signal")
    system = system_of(parts, any(np.iscomplexobj(v) for v in plain), real, limit)
    if system.real and not any(np.iscomplexobj(p.w) for p in system.parts):
        plain = [v.real for v in plain]
    kind = np.result_type(*(v.real.dtype for v in plain), np.float32)
    dtype = kind if system.real else np.result_type(kind, np.complex64)
    if not prod((*lead, *system.shape)):
        return _signal(arrays.like(np.zeros((prod(lead), *system.shape), dtype), ys[0]), lead, value, domain, names)
    how, ends = _planned(system, limit, domain)
    if ends.lost and not least_squares:
        raise SigconvError(f"a bank of condition {ends.condition:.3g}: {ends.lost}; wanted at most {limit:.3g}: add what is "
                           "missing (frames.complete, mode='full'), or take the nearest signal with least_squares=True")
    if how is None:
        x = dense(system, plain).astype(dtype, copy=False)
    else:
        x = solve(how, plain, limit, dtype)
    if not arrays.is_tensor(ys[0]):
        return _signal(x, lead, value, domain, names)
    return _signal(_on_graph(x, ys, parts, system, how, limit), lead, value, domain, names)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A ‖x‖² ≤ ‖A x‖² ≤ B ‖x‖²; `condition` is B / A, `redundancy` how many numbers there are for each of the signal's."""

    A: Any
    B: Any
    condition: Any
    redundancy: float

    def __str__(self) -> str:
        tight = " (tight)" if float(self.condition) < 1 + 1e-9 else ""
        return (f"A {float(self.A):.6g}, B {float(self.B):.6g}, condition {float(self.condition):.6g}{tight}, "
                f"redundancy {self.redundancy:.4g}")


def bounds(k: Any, n: Any, stride: Any = 1, *, mode: str = "same", padding_mode: str = "zeros", dilation: Any = 1,
           real: bool | None = None) -> Bounds:
    """The frame bounds of a bank on signals of n samples (one number, or one an axis), edges included.

    A and B are the extreme eigenvalues of AᴴA: exact for up to 512 unknowns; beyond, those of all frequencies and of both
    edges, to a percent or better. Differentiable where the taps are tensors. Arguments as for `synthesis`.

    >>> import sigconv as sc
    >>> haar = sc.Signal(np.array([[1.0, 1.0], [1.0, -1.0]]) / 2**0.5, sc.Domain(2, 1, -1))
    >>> print(bounds(haar, 64, 2))
    A 1, B 1, condition 1 (tight), redundancy 1

    Raises `SigconvError` for what is no bank and for n below 1.
    """
    pairs = isinstance(k, (list, tuple)) and k and isinstance(k[0], (list, tuple)) and k[0]
    first = k[0][0] if pairs else k
    if not isinstance(first, Signal):
        raise SigconvError(f"a {type(first).__name__} as bank: wanted a kernel Signal, or a list of (kernel, stride) pairs")
    like = first.domain
    domain = Domain(natural(n, "n", like.ndim), like.step, 0, like.unit, like.name)
    made, _, _ = parts_of(k, domain, stride, mode, padding_mode, dilation)
    parts = [p for _, p in made]
    system = system_of(parts, False, real, 1e6)
    ends = _kept(_BOUNDS, system, 1e6, domain, lambda: extremes(system, 1e6, domain))
    twice = 2 if system.real and any(np.iscomplexobj(p.w) for p in system.parts) else 1
    numbers = twice * sum(p.w.shape[0] / prod(p.stride) for p in parts) / system.shape[0]
    if not any(arrays.is_tensor(p.w) for p in parts):
        return Bounds(ends.least, ends.most, ends.condition, numbers)
    A, B = (_energy(parts, where, v) for where, v in (ends.lowest, ends.highest))
    return Bounds(A, B, B / A if ends.least > 0 else inf, numbers)


def _read(y: Any, k: Any, domain: Domain, stride: Any, mode: str, padding_mode: str, dilation: Any
          ) -> tuple[list[Part], list[Array], tuple[int, ...], Any, tuple[int, ...]]:
    """The matrices; coefficients as (b, m, *o); value and names of the signal; and what of its value counts as batch."""
    made, grids, lone = parts_of(k, domain, stride, mode, padding_mode, dilation)
    given = [y] if lone else y
    if not isinstance(given, (list, tuple)) or not all(isinstance(v, Signal) for v in given) or len(given) != len(made):
        what = f"{len(y)} Signals" if isinstance(y, (list, tuple)) else f"a {type(y).__name__}"
        raise SigconvError(f"{what} of coefficients: wanted "
                           + ("a Signal" if lone else f"a list of {len(made)}, one for each kernel"))
    ys, leads = [], set()
    for (kernel, part), grid, v in zip(made, grids, given, strict=True):
        m = kernel.value[:1]
        if v.domain != grid or v.value[len(v.value) - len(m):] != m:
            raise SigconvError(f"coefficients of value {v.value} on [{v.domain}]: wanted a value that ends in {m} on [{grid}], "
                               "as convolve gives them with this kernel, stride and mode")
        lead = v.value[: len(v.value) - len(m)]
        leads.add(lead)
        ys.append(arrays.computable(v.data).reshape(prod(lead), part.w.shape[0], *grid.shape))
    if len(leads) > 1:
        raise SigconvError(f"coefficients of values {sorted(leads)}: wanted those of one signal")
    kernel, first = made[0][0], given[0]
    value = lead if len(kernel.value) < 2 else (*lead, kernel.value[1])
    names = first.names[: len(lead)] + ((kernel.names[1],) if len(kernel.value) == 2 else ())
    return [p for _, p in made], ys, value, names, lead


def _signal(x: Array, lead: tuple[int, ...], value: tuple[int, ...], domain: Domain, names: Any) -> Signal:
    return Signal(x.reshape(*value, *domain.shape), domain, names)


def _planned(system: System, limit: float, domain: Domain) -> tuple[Plan | None, Extremes]:
    """Plan and bounds of a system; no plan: small enough for the matrix itself."""
    def made() -> tuple[Plan | None, Extremes]:
        small = prod(system.shape) <= SMALL
        how, ends = None if small else plan(system, limit), extremes(system, limit, domain, glance=True)
        if how is not None and isinstance(bulk := how.neighbour, Bulk):
            whole = bulk.extremes()[0] * limit >= ends.most
            if ends.lost and whole:
                how = replace(how, flat=ends.most)
            elif not ends.lost and not whole:
                bulk.fill()
        return how, ends

    return _kept(_PLANS, system, limit, domain, made)


def _kept(cache: OrderedDict[Any, T], system: System, limit: float, domain: Domain, made: Callable[[], T]) -> T:
    """What was made of a system, remembered for the last few."""
    from hashlib import blake2b

    taps = blake2b(b"".join(np.ascontiguousarray(p.w).tobytes() for p in system.parts)).digest()
    key = (taps, system.real, limit, domain, *((p.w.shape, p.w.dtype.char, p.n, p.o, p.first, p.stride, p.dilation, p.padding)
                                               for p in system.parts))
    if key not in cache:
        cache[key] = made()
        while len(cache) > KEPT:
            cache.popitem(last=False)
    cache.move_to_end(key)
    return cache[key]


def _energy(parts: Sequence[Part], where: System, v: np.ndarray) -> Any:
    """‖A v‖² with the taps of `parts` on the grid of `where`: at an eigenvector its gradient is that of the eigenvalue."""
    total: Any = 0
    for p, on in zip(parts, where.parts, strict=True):
        x = arrays.like(v, p.w) if arrays.is_tensor(p.w) else v
        y = replace(on, w=p.w).forward(x)
        total = total + (abs(y) ** 2).sum()
    return total


def _on_graph(x: np.ndarray, ys: Sequence[Array], parts: Sequence[Part], system: System, how: Plan | None, limit: float) -> Array:
    """x as a tensor. Where gradients are asked for, one more Newton step, x + S⁻¹ Aᴴ(y − A x), with x and S⁻¹ held: it changes
    nothing, and its derivatives in y and the taps are those of x."""
    import torch

    t = arrays.like(x, ys[0])
    if not torch.is_grad_enabled() or not any(v.requires_grad for v in (*ys, *(p.w for p in parts)) if arrays.is_tensor(v)):
        return t
    rest: Any = 0
    for p, v in zip(parts, ys, strict=True):
        tensor = replace(p, w=arrays.like(p.w, v))
        rest = rest + tensor.backward(v - tensor.forward(t))
    if system.real and rest.is_complex():
        rest = rest.real

    def solved(z: Array) -> Array:
        plain = arrays.to_numpy(z).astype(np.float64 if system.real else np.complex128)
        if how is not None:
            return arrays.like(inverse(how, plain, limit), z)
        matrix = system.dense()
        flat = plain.reshape(len(plain), -1) @ np.linalg.pinv(np.conj(matrix.T) @ matrix, hermitian=True).T
        return arrays.like(flat.reshape(plain.shape), z)

    class Solve(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, z: Array) -> Array:
            return solved(z)

        @staticmethod
        def backward(ctx: Any, grad: Array) -> Array:
            return solved(grad)

    return t + Solve.apply(rest)
