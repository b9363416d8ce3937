"""`Motif`: is it there, anywhere?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import arrays
from ..convolving import correlate
from ..errors import SigconvError, among
from ..signal import Signal

__all__ = ["Motif"]


@dataclass(frozen=True)
class Motif:
    """A detector that does not ask where: the kernel slides over the signal, and what reaches `threshold` is gathered.

    `score` of a signal: by "max" the strongest answer that there is; by "sum" how far answers lie above the threshold, all places
    together. A bank answers by its strongest filter, complex and `either` ones by their size. `fires`: whether "max" reaches the
    threshold, or "sum" is above `least`. Tensors stay on their graph: the gradient comes from the places that count.

    Law: the same wherever the thing stands, as long as all of it is there (the kernel also looks across the edges).

    >>> import sigconv as sc
    >>> ends = Motif(sc.kernels.endpoint(sc.grid(1, 1)), 1.5, "sum", either=True)
    >>> c = [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    >>> ends.fires(sc.Signal(c, sc.grid(6, 5)))
    True

    Raises `SigconvError` for an unknown `agg`, and what `correlate` refuses.
    """

    kernel: Signal
    threshold: Any = 0.0
    agg: str = "max"
    least: Any = 0.0
    either: bool = False

    def __post_init__(self) -> None:
        among(self.agg, ("max", "sum"), "agg")

    def map(self, x: Signal) -> Signal:
        """What the strongest filter answers at each place of Ω ⊕ K: value `()`."""
        y = correlate(x, self.kernel, mode="full")
        if not y.data.shape or 0 in y.data.shape:
            raise SigconvError("an empty signal: wanted samples to look for a motif in")
        xp, data = arrays.namespace(y.data), y.data
        if self.either or arrays.is_complex(data):
            data = xp.abs(data)
        flat = data.reshape(-1, *y.domain.shape)
        return Signal(xp.max(flat, axis=0), y.domain)

    def score(self, x: Signal) -> Any:
        """How much of it there is: one number, an array or tensor without axes."""
        answer = self.map(x).data
        xp = arrays.namespace(answer)
        if self.agg == "max":
            return xp.max(answer)
        above = answer - self.threshold
        return xp.sum(xp.where(above > 0, above, above * 0))

    def fires(self, x: Signal) -> bool:
        """Whether it is there."""
        return bool(self.score(x) >= self.threshold) if self.agg == "max" else bool(self.score(x) > self.least)
