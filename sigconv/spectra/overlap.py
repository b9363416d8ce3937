"""Frames laid over each other: the numerator and the denominator of a least-squares inverse."""

from __future__ import annotations

import numpy as np

from .. import arrays
from ..arrays import Array
from ..engines import pocket
from ..spectrum.transform import _added

__all__ = ["laid"]

CELLS = 2**18  # samples of frames in the cache at a time


def laid(F: Array, w: Array, norm: Array, hop: int, n: int, whole: bool) -> tuple[Array, Array]:
    """Σ_m w·x_m at m·hop, x_m the inverse transforms of F `(…, frames, rows)`, and Σ_m norm²: (…, samples) and (samples,)."""
    frames, length = F.shape[-2], max(F.shape[-2] - 1, 0) * hop + n
    xp = arrays.namespace(w)
    weight = _added(xp.broadcast_to(norm * norm, (frames, n)), hop)[:length]
    if arrays.is_tensor(F):
        from torch import fft

        cut = fft.ifft(F) if whole else fft.irfft(F, n=n)
        return _added(cut * norm, hop)[..., :length], weight
    y = np.zeros((*F.shape[:-2], length), F.dtype if whole else F.real.dtype)
    run = max(CELLS // (n * max(int(np.prod(F.shape[:-2])), 1)), 1)
    for a in range(0, frames, run):
        part = F[..., a: a + run, :]
        cut = pocket.ifft(part) if whole else pocket.irfft(np.ascontiguousarray(part), n)
        cut *= norm
        added = _added(cut, hop)[..., : length - a * hop]
        y[..., a * hop: a * hop + added.shape[-1]] += added
    return y, weight
