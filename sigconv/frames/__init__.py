"""Banks there and back: the transpose of an analysis, its least-squares inverse, and the bounds that say how good that is.

The analysis is ``sc.convolve(x, k, stride=…)``, a matrix A. `adjoint` is Aᴴ, `synthesis` (AᴴA)⁻¹Aᴴ, edges included; `bounds`
are the extreme eigenvalues of AᴴA. Banks of several rates are lists of (kernel, stride).

>>> import numpy as np, sigconv as sc
>>> haar = sc.Signal(np.array([[1.0, 1.0], [1.0, -1.0]]) / 2**0.5, sc.Domain(2, sc.line(1, 8000).step, -1, "s"))
>>> x = sc.Signal([[3.0, 1.0, 4.0, 1.0]], sc.line(4, 8000))
>>> synthesis(sc.convolve(x, haar, stride=2), haar, x.domain, 2).data.round(12)
array([[3., 1., 4., 1.]])
"""

from .shaping import complete, tighten
from .verbs import Bounds, adjoint, bounds, synthesis

__all__ = ["Bounds", "adjoint", "bounds", "complete", "synthesis", "tighten"]
