"""What bends, and what is there with more of it: the second difference, its smooth kin, and the sharpeners."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..signal import Signal
from .registry import LENGTHS, PLAIN, Parameter, centred, family, limit, number, product
from .shapes import alike, bell, radius, sigmas

__all__ = ["dog", "emboss", "laplace", "log", "sharpen", "unsharp"]

SIGMA = Parameter(LENGTHS, "2 steps", "standard deviation")


@family(formula={1: "[1, −2, 1]", 2: "[1, −2, 1] along y + along x", 3: "[1, −2, 1] along z + along y + along x"},
        facts={"dc": 0.0, "zero_mean": True, "slope": 12.04, "symmetry": "even", "norm1": {1: 4.0, 2: 8.0, 3: 12.0},
               "norm2": {1: 6**0.5, 2: 20**0.5, 3: 42**0.5}, "delay": 0.0})
def laplace(like: Domain) -> Signal:
    """The second difference, summed over the axes: what bends.

    Per step squared, as `scipy.ndimage.laplace`.

    >>> import sigconv as sc
    >>> laplace(sc.line(1, 8000)).data
    array([ 1., -2.,  1.])
    """
    return centred(like, _laplace(like.ndim))


def _laplace(ndim: int) -> np.ndarray:
    taps = np.zeros((3,) * ndim)
    taps[(1,) * ndim] = -2.0 * ndim
    for axis in range(ndim):
        for end in (0, 2):
            taps[tuple(end if a == axis else 1 for a in range(ndim))] = 1
    return taps


@family("mexicanhat", formula={1: "g(i)·(i²/σ² − 1)/σ², g the Gaussian", 2: "along y + along x: g(i)·(i²/σ² − 1)/σ² ⊗ g",
                               3: "along z + along y + along x: g(i)·(i²/σ² − 1)/σ² ⊗ g ⊗ g"},
        parameters={"sigma": SIGMA},
        facts={"zero_mean": "to the cut at 4σ, −50 dB from σ = 0.75 steps on", "symmetry": "even", "delay": 0.0})
def log(like: Domain, sigma: Any = None) -> Signal:
    """The Laplacian of a Gaussian: what bends, seen through a blur; blobs of radius σ√2 answer most.

    `sigma`: as for `gaussian`. Per step squared, the taps of `scipy.ndimage.gaussian_laplace`: cut at 4σ, which leaves a gain
    at DC 50 dB or more below the largest, from 0.75 steps on. `dog` leaves none.

    >>> import sigconv as sc
    >>> log(sc.grid(1, 1)).domain.shape
    (17, 17)
    """
    widths = sigmas(sigma, like)
    smooth, bent = alike([bell(s) for s in widths]), alike([_bent(s) for s in widths])
    one, *others = [product([bent[b] if a == b else smooth[a] for a in range(like.ndim)]) for b in range(like.ndim)]
    return centred(like, sum(others, one))


def _bent(sigma: Any) -> Array:
    """The second derivative of the Gaussian, per step squared."""
    reach = radius(sigma)
    _, (width, i) = arrays.constants(sigma, np.arange(-reach, reach + 1.0))
    return bell(sigma) * (i**2 / width**2 - 1) / width**2


@family(formula="gaussian(σ) − gaussian(ratio·σ)",
        parameters={"sigma": SIGMA, "ratio": Parameter(PLAIN, 1.6, "of the wider Gaussian to the narrower, above 1")},
        facts={"dc": 0.0, "zero_mean": True, "slope": 12.04, "symmetry": "even", "delay": 0.0})
def dog(like: Domain, sigma: Any = None, ratio: Any = 1.6) -> Signal:
    """The difference of two Gaussians: what is about as large as `sigma`, a blur less a wider one.

    `sigma`: of the narrower, as for `gaussian`. The filter of `skimage.filters.difference_of_gaussians`; at ratio 1.6 shaped
    as −`log` (Marr & Hildreth, "Theory of edge detection", 1980).

    >>> import sigconv as sc
    >>> round(abs(float(dog(sc.grid(1, 1)).data.sum())), 12)
    0.0
    """
    number(ratio, "ratio", above=1)
    near, far = sigmas(sigma, like), [s * ratio for s in sigmas(sigma, like)]
    limit([2 * radius(s) + 1 for s in far])
    narrow = product(alike([bell(s, radius(wide)) for s, wide in zip(near, far, strict=True)]))
    narrow, wide = alike([narrow, product(alike([bell(s) for s in far]))])
    return centred(like, narrow - wide)


@family(formula="δ − amount · laplace", parameters={"amount": Parameter(PLAIN, 1.0, "how much of the bend is taken away")},
        facts={"dc": 1.0, "symmetry": "even", "delay": 0.0})
def sharpen(like: Domain, amount: Any = 1.0) -> Signal:
    """What is there, minus `amount` of its second difference: highs up, DC as it was.

    On a line [−a, 1 + 2a, −a]: at rate/2 the gain is 1 + 4a.

    >>> import sigconv as sc
    >>> sharpen(sc.line(1, 8000)).data
    array([-1.,  3., -1.])
    """
    number(amount, "amount")
    bend = _laplace(like.ndim)
    _, (a, here, around) = arrays.constants(amount, _centre(bend.shape), bend)
    return centred(like, here - a * around)


def _centre(shape: tuple[int, ...]) -> np.ndarray:
    taps = np.zeros(shape)
    taps[tuple(n // 2 for n in shape)] = 1
    return taps


@family("usm", formula="δ + amount · (δ − gaussian(σ))",
        parameters={"sigma": SIGMA, "amount": Parameter(PLAIN, 1.0, "how much of the detail is added")},
        facts={"dc": 1.0, "symmetry": "even", "delay": 0.0})
def unsharp(like: Domain, sigma: Any = None, amount: Any = 1.0) -> Signal:
    """What is there, plus `amount` of what a blur takes away: detail up, DC as it was.

    `sigma`: of the blur, as for `gaussian`. The filter of `skimage.filters.unsharp_mask`, which clips after it.

    >>> import sigconv as sc
    >>> round(float(unsharp(sc.line(1, 8000)).data.sum()), 12)
    1.0
    """
    number(amount, "amount")
    blur = product(alike([bell(s) for s in sigmas(sigma, like)]))
    a, blur, here = _together(amount, blur, _centre(tuple(blur.shape)))
    return centred(like, here + a * (here - blur))


def _together(amount: Any, *taps: Array) -> tuple[Array, ...]:
    """An amount and taps as one kind of array."""
    lead = next((t for t in taps if arrays.is_tensor(t)), amount)
    amount = arrays.constants(lead, amount)[1][1]
    return (amount, *alike([amount, *taps])[1:])


@family(formula={1: "δ − amount · i, i = −1, 0, 1", 2: "δ − amount · (i + j), i, j = −1, 0, 1: lit from the first corner",
                 3: "δ − amount · (i + j + k), i, j, k = −1, 0, 1: lit from the first corner"},
        parameters={"amount": Parameter(PLAIN, 1.0, "how deep the relief")}, facts={"dc": 1.0, "symmetry": "none"})
def emboss(like: Domain, amount: Any = 1.0) -> Signal:
    """A relief: what is there, plus how much it grows towards the last corner, as if lit from the first.

    As the rows of pixels see it, in 2D, [[−2, −1, 0], [−1, 1, 1], [0, 1, 2]]; convolution flips.

    >>> import sigconv as sc
    >>> emboss(sc.grid(1, 1)).data.astype(int).tolist()
    [[2, 1, 0], [1, 1, -1], [0, -1, -2]]
    """
    number(amount, "amount")
    slope = np.indices((3,) * like.ndim).sum(0) - float(like.ndim)
    _, (a, here, rise) = arrays.constants(amount, _centre(slope.shape), slope)
    return centred(like, here - a * rise)
