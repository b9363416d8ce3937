"""What of a result can be shown as a picture: real numbers, one to a channel, with 0 … 1 as black to white."""

from __future__ import annotations

from math import ceil, floor, inf, log2

import numpy as np

from . import arrays
from .signal import Signal

__all__ = ["brightness", "picture", "signed"]

FAINT = 5e-3  # a gain at DC below this share of the largest possible is none: a high-pass has −53 dB, `log` −50


def signed(kernel: Signal | None) -> bool:
    """Whether a kernel answers flat areas with 0, so that its results swing around it (edge, laplace)."""
    if kernel is None:
        return False
    taps = arrays.to_numpy(kernel.data)
    axes = tuple(range(-kernel.domain.ndim, 0))
    return bool(np.all(np.abs(taps.sum(axes)) <= FAINT * np.abs(taps).sum(axes)))


def brightness(sizes: np.ndarray, scale: float = 1.0) -> int:
    """The largest power of two, at most 64, that leaves no more than one of these magnitudes in 50 beyond `scale`.

    >>> brightness(np.full(100, 0.2))
    4
    """
    if not sizes.size:
        return 1
    place = sizes.size - 1 - sizes.size // 50
    top = float(np.partition(sizes, place, axis=None)[place]) or float(sizes.max())
    return 2 ** min(max(floor(log2(scale / top)), 0), 6) if 0 < top < inf else 1


def picture(y: Signal, kernel: Signal | None = None, *, visible: bool = False,
            rectified: bool = False) -> tuple[Signal, str | None]:
    """A result as it is shown, and what was done to it in words (None: nothing).

    Complex values show their magnitude; the filters of a bank, which stand last in value, the root of their summed
    squares (for `edge` the length of the gradient); where the kernel has no DC gain, what is left that may be negative
    is drawn around middle grey, ½ + y/2. `visible`: faint results of such kernels are made brighter first (`brightness`),
    others darker, by a power of two, where more than one value in ten lies beyond 1. `rectified`: nothing swings, 0 is black.
    Values outside 0 … 1 stay: whoever draws clips, and says so.

    >>> import sigconv as sc
    >>> x = sc.Signal(np.eye(4)[None], sc.grid(4, 4))
    >>> k = sc.kernel("edge", x.domain)
    >>> picture(sc.convolve(x, k), k)[0].value, picture(sc.convolve(x, k), k)[1]
    ((1,), 'the length of its 2 filters taken together')
    """
    data = arrays.to_numpy(y.data)
    said = []
    if np.iscomplexobj(data):
        data = np.abs(data)
        said.append("magnitude")
    names = y.names
    if kernel is not None and len(kernel.value) == 1 and len(y.value) > 1:
        data = np.sqrt(np.sum(np.square(data), axis=len(y.value) - 1))
        names = names[:-1]
        said.append(f"the length of its {kernel.value[0]} filters taken together")
    flat = signed(kernel)
    swings = flat and not said and not rectified
    if visible and data.size:
        sizes = np.abs(data)
        top = float(np.quantile(sizes, 0.9))
        factor = float(brightness(sizes)) if flat else 2.0 ** -ceil(log2(top)) if 1 < top < inf else 1.0
        if factor != 1:
            data = data * factor
            said.append(f"{factor:g} times its values")
    if swings:
        data = 0.5 + 0.5 * data
        said.append("0 is middle grey")
    return Signal(data, y.domain, names), ", ".join(said) or None
