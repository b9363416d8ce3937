"""Scattering on a line and on a plane: wavelets, modulus, average; then the same on every modulus.

    S₀ = x ∗ φ,   S₁(λ) = |x ∗ ψ_λ| ∗ φ,   S₂(λ, μ) = ||x ∗ ψ_λ| ∗ ψ_μ| ∗ φ

A modulus moves what its band holds down to 0 Hz, no farther than the band is wide, so that it can be kept at a lower rate, and
only the μ below that width find anything in it: these are the paths. Edges: the signal is continued by reflection to a whole
number of steps of 2^J; as ψ(−t) is the conjugate of ψ(t), the modulus of a real signal that is reflected is the modulus,
reflected, so each convolution reflects for itself.
"""

from __future__ import annotations

from math import prod
from typing import Any

from .. import arrays
from ..convolving import convolve
from ..domain import Domain
from ..errors import SigconvError, UsageError
from ..kernels.registry import per, whole
from ..signal import Signal
from .filters import Ring, averaging, calm, coarser, line_rings, plane_rings

__all__ = ["Scattering"]

HIGHEST = 13  # J: beyond it the longest wavelets of an octave have more taps than a kernel may


class Scattering:
    """The scattering transform of signals like `like`, on a line or a plane, of up to two orders.

    `J`: the average is over 2^J samples, which also is the stride of the result; at most 13. `Q`: wavelets an octave on a line,
    one number (the second order then has 1) or two; `L`: directions on a plane. `order`: 0, 1 or 2. `oversampling`: each
    modulus is kept at 2^… times the rate that its band needs; 0, 1, 2 are off the definition by about 2e-3, 3e-4, 6e-5.

    Called with a real Signal of any value (batches, channels) it gives one of value ``x.value + (paths,)`` on
    ``Ω.every(2**J)``, NumPy or a tensor, differentiable. `paths` are tuples of centres, () for the average, in Hz (cycles per
    unit), on a plane each with its direction in degrees; the channels are named by them.

    Laws: ‖S x − S y‖ ≤ ‖x − y‖ before the stride (Littlewood and Paley's sum is at most 1); constants give S₀ alone; a tone
    lights the path of its pitch, a tremolo the second-order path of both its pitches. (Andén & Mallat, "Deep scattering
    spectrum", IEEE Trans. Signal Process. 62, 2014; Bruna & Mallat, IEEE Trans. PAMI 35, 2013.)

    >>> import numpy as np, sigconv as sc
    >>> scatter = Scattering(sc.line(1, 8000), J=8, Q=8)
    >>> t = np.arange(8000) / 8000
    >>> tremolo = sc.Signal([(1 + np.cos(2 * np.pi * 40 * t)) * np.sin(2 * np.pi * 1000 * t)], sc.line(8000, 8000))
    >>> s = scatter(tremolo)
    >>> second = [i for i, path in enumerate(scatter.paths) if len(path) == 2]
    >>> s.domain.rate, s.channels[second[int(s.data[0, second, 16].argmax())]]
    (31.25, '1040 Hz, 43.8 Hz')

    Raises `SigconvError` for signals of another step, complex ones, and axes other than one or two; `UsageError` for parameters.
    """

    def __init__(self, like: Domain | Signal, J: int = 8, Q: Any = 8, *, L: int = 8, order: int = 2, oversampling: int = 1):
        like = like.domain if isinstance(like, Signal) else like
        if not isinstance(like, Domain) or like.ndim not in (1, 2):
            what = f"{like.ndim} axes" if isinstance(like, Domain) else f"a {type(like).__name__}"
            raise UsageError(f"a scattering of {what}: wanted the domain of a line or a plane, e.g. x.domain")
        self.J, self.order = whole(J, "J"), whole(order, "order", 0)
        if self.order > 2 or self.J > HIGHEST:
            what, got, wanted = ("order", self.order, "0, 1 or 2") if self.order > 2 else ("J", self.J, f"at most {HIGHEST}")
            raise UsageError(f"{what} {got}: wanted {wanted}")
        self._unit = coarser(like, 1)
        room = 2 ** whole(oversampling, "oversampling", 0)
        if like.ndim == 1:
            one, two = Q if isinstance(Q, (tuple, list)) and len(Q) == 2 else (Q, 1)
            first, second = line_rings(self.J, whole(one, "Q"), room), line_rings(self.J, whole(two, "Q"), room)
        else:
            first = second = plane_rings(self.J, whole(L, "L"), room)
        first, second = (rings if self.order > depth else [] for depth, rings in enumerate((first, second)))
        self._gain = calm(first, like.ndim, self.J), calm(second, like.ndim, self.J)
        self._rings = [(ring, [(low, keep) for low in second if (keep := _below(low, ring.width))]) for ring in first]
        self._taps: dict[Any, Signal] = {}
        rate = 1 / float(like.step[-1])
        marks = {id(ring): [_scaled(m, rate) for m in ring.marks] for ring in (*first, *second)}
        self.paths: list[tuple[Any, ...]] = [(), *((m,) for ring in first for m in marks[id(ring)])]
        self.paths += [(a, marks[id(low)][i]) for ring, lows in self._rings for low, keep in lows for a in marks[id(ring)]
                       for i in keep]

    def __call__(self, x: Signal) -> Signal:
        self._check(x)
        omega, lead = x.domain, len(x.value)
        grid = omega.every(2**self.J)
        shape = tuple(n and -(-(n - 1) // 2**self.J) * 2**self.J + 1 for n in omega.shape)
        x = x.on(Domain(shape, omega.step, omega.start, omega.unit, omega.name), "reflect")
        moduli = [self._modulus(x, ring, 0, 1) for ring, _ in self._rings]
        found = [self._mean(x, 1), *(self._mean(u, ring.stride) for u, (ring, _) in zip(moduli, self._rings, strict=True))]
        for u, (ring, lows) in zip(moduli, self._rings, strict=True):
            for low, keep in lows:
                found.append(self._mean(self._modulus(u, low, 1, ring.stride, keep), max(low.stride, ring.stride)))
        here = tuple(slice(n) for n in grid.shape)
        flat = [s.data[(..., *here)].reshape(*x.value, prod(s.value[lead:]), *grid.shape) for s in found]
        data = arrays.namespace(flat[0]).concat(flat, axis=lead)
        return Signal(data, grid, (*x.names, [self._name(path) for path in self.paths]))

    def _modulus(self, x: Signal, ring: Ring, depth: int, stride: int, keep: tuple[int, ...] | None = None) -> Signal:
        """|x ∗ ψ| of a ring, x being `stride` samples apart."""
        key = (depth, ring.marks, stride, keep)
        if key not in self._taps:
            k = ring.taps(self._unit, stride) * self._gain[depth]
            self._taps[key] = k if keep is None else Signal(k.data[list(keep)], k.domain)
        y = convolve(x, self._taps[key], padding_mode="reflect", stride=max(ring.stride // stride, 1))
        return Signal(arrays.namespace(y.data).abs(y.data), y.domain)

    def _mean(self, u: Signal, stride: int) -> Signal:
        """u ∗ φ, 2^J samples apart."""
        if stride not in self._taps:
            self._taps[stride] = averaging(self._unit, self.J, stride)
        return convolve(u, self._taps[stride], padding_mode="reflect", stride=2**self.J // stride)

    def _check(self, x: Any) -> None:
        if not isinstance(x, Signal):
            raise SigconvError(f"a scattering of a {type(x).__name__}: wanted a Signal")
        x.domain.agree(self._unit)
        if arrays.is_complex(x.data):
            raise SigconvError("a scattering of complex samples: wanted real ones, e.g. their magnitude")

    def _name(self, path: tuple[Any, ...]) -> str:
        unit = per(self._unit.unit[-1])
        marks = [m if isinstance(m, tuple) else (m,) for m in path]
        return ", ".join(f"{_short(f)} {unit}".strip() + "".join(f" at {a:.4g}°" for a in turn) for f, *turn in marks) or "mean"


def _below(ring: Ring, width: float) -> tuple[int, ...]:
    """The wavelets whose centres lie below a width."""
    return tuple(i for i, m in enumerate(ring.marks) if (m if isinstance(m, float) else m[0]) < width)


def _scaled(mark: Any, rate: float) -> Any:
    return mark * rate if isinstance(mark, float) else (mark[0] * rate, mark[1])


def _short(f: float) -> str:
    """Three figures, without a power of ten."""
    return f"{float(f'{f:.3g}'):g}"
