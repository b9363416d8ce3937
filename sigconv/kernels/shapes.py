"""Kernels with one meaning in any dimension."""

from __future__ import annotations

import numpy as np

from ..domain import Domain
from ..signal import Signal

__all__ = ["edge"]


def edge(like: Domain) -> Signal:
    """The gradient, one channel an axis: the difference along it, the mean of neighbours along the others.

    On a line the two taps [1, −1]: value `()`, zero at DC, +6.02 dB an octave, half a sample of delay. In d > 1
    dimensions value `(d,)`, each ``[1, −1] ⊗ [½, ½] ⊗ …``, so that all stand at the same half sample and a ramp of slope 1
    a step gives 1.

    >>> import sigconv as sc
    >>> edge(sc.line(1, 8000)).data, edge(sc.grid(1, 1)).data[0]
    (array([ 1., -1.]), array([[ 0.5,  0.5],
           [-0.5, -0.5]]))
    """
    ndim = like.ndim
    grid = Domain((2,) * ndim, like.step, 0, like.unit)
    if ndim == 1:
        return Signal(np.array([1.0, -1.0]), grid)
    filters = []
    for axis in range(ndim):
        taps = np.ones((1,) * ndim)
        for other in range(ndim):
            pair = [1.0, -1.0] if other == axis else [0.5, 0.5]
            taps = taps * np.reshape(pair, tuple(2 if a == other else 1 for a in range(ndim)))
        filters.append(taps)
    return Signal(np.stack(filters), grid, like.name)
