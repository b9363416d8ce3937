"""Banks that a recording teaches by itself: what fires together grows together, after Hebb, kept finite by Oja.

Hebb's Δw = η·y·x grows without bound. Oja's Δw = η·y·(x − y·w) is that with ‖w‖ held at 1, to first order in η, and its rest
is the first principal component of the patches x (Oja, J. Math. Biology 15, 1982). Several units go in order where each sees only
what those before it leave (Sanger, Neural Networks 2, 1989): W + η·x·y, and then Gram–Schmidt, is both at any η. With
η = g/(λ(t + t₀)) the noise averages out.

Principal components of sound come in pairs, a cosine and a sine of nearly one strength: the rule tells them apart slowly, the
more so the more alike they are. What they span it finds fast where some more units learn than are asked for, and inside it the
covariance of the units' own answers, a sum that goes along, says which is first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError, among
from ..signal import Signal

__all__ = ["dct_matches", "oja"]

BLOCK, STEPS = 32, 8192  # patches a step at least, and steps a pass at most
GAIN, REST = 2.0, 20.0  # of the rate g/(λ(t + t₀)), λ the strength of the weakest unit that is asked for
FLOOR = 1e-6  # of the strongest: what a weaker unit counts as
MORE = 8  # units beyond those asked for


def oja(x: Signal | Sequence[Signal], n: int, taps: int | Sequence[int], passes: int = 2, seed: int = 0,
        method: str = "oja") -> Signal:
    """`n` filters that a recording teaches without labels: the principal components of its patches, the strongest first.

    `x`: a Signal of any kind, or several of one step; each patch of `taps` samples (one an axis, or one for all) of each
    channel is looked at once a pass, in random order, after the mean of all is taken away. `method`: oja, Hebb's rule as
    Oja and Sanger bound it, a block of patches at a time; or pca, the eigenvectors of their covariance. Value `(n,)`,
    orthonormal, the largest tap of each positive, centred, as patches lie: `correlate` says how much of each a place has.
    Channels are called by the share of the power that they carry.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("speech"))
    >>> learned, exact = oja(x, 2, 32), oja(x, 2, 32, method="pca")
    >>> bool((abs((learned.data * exact.data).sum(1)) > 0.99).all())
    True

    Raises `SigconvError` for more filters than taps, signals shorter than a patch, of several steps or without power.
    """
    among(method, ("oja", "pca"), "method")
    fields, domain, size = _fields(x, taps)
    if not 1 <= n <= prod(size):
        raise SigconvError(f"{n} filters of {prod(size)} taps: wanted 1 to {prod(size)}")
    if passes < 1:
        raise SigconvError(f"{passes} passes: wanted at least 1")
    w, shares = _rule(fields, size, n, passes, seed) if method == "oja" else _exact(fields, size, n)
    w = w * np.sign(w[np.arange(n), np.argmax(np.abs(w), axis=1)])[:, None]
    grid = Domain(size, domain.step, [-((k - 1) // 2) for k in size], domain.unit, domain.name)
    return Signal(w.reshape(n, *size), grid, [f"{i + 1}: {100 * share:.3g} %" for i, share in enumerate(shares)])


def dct_matches(k: Signal) -> list[tuple[int, float]]:
    """For each filter of a bank on a line the row of the DCT (II, orthonormal) that is most like it, and |cosine|.

    Neighbours in sound are alike, and of such signals the DCT is nearly the principal components.

    >>> import sigconv as sc
    >>> dct_matches(sc.Signal([[1.0, 1.0, 1.0], [1.0, 0.1, -1.0]], sc.line(3, 8000)))
    [(0, 1.0), (1, 0.9975...)]
    """
    from scipy.fft import dct

    taps = np.atleast_2d(arrays.to_numpy(k.data)).reshape(-1, k.domain.size)
    likeness = np.abs(dct(taps, axis=1, norm="ortho")) / np.linalg.norm(taps, axis=1, keepdims=True)
    return [(int(row), round(float(value), 12)) for row, value in zip(likeness.argmax(1), likeness.max(1), strict=True)]


def _fields(x: Any, taps: Any) -> tuple[list[np.ndarray], Domain, tuple[int, ...]]:
    """Every channel, as its patches lie in it: (*places, *size), views; the mean of all is 0."""
    signals = [x] if isinstance(x, Signal) else list(x)
    if not signals or not all(isinstance(s, Signal) for s in signals):
        raise SigconvError("patches of nothing: wanted a Signal, or several")
    domain = signals[0].domain
    size = (int(taps),) * domain.ndim if not isinstance(taps, Sequence) else tuple(int(t) for t in taps)
    if len(size) != domain.ndim or min(size) < 1:
        raise SigconvError(f"taps {taps!r} on {domain.ndim} axes: wanted one number above 0, or one an axis")
    for s in signals:
        if s.domain.ndim != domain.ndim or s.domain.step != domain.step:
            raise SigconvError("signals of several steps: wanted one; sc.resample brings sound to one rate")
    long = [s for s in signals if all(a >= b for a, b in zip(s.domain.shape, size, strict=True))]
    if not long:
        raise SigconvError(f"signals of at most {max(s.domain.shape for s in signals)} samples: wanted patches of {size} in them")
    flat = [arrays.to_numpy(s.data).reshape(-1, *s.domain.shape).astype(np.float64) for s in long]
    if not all(np.isfinite(f).all() for f in flat):
        raise SigconvError("signals with NaN or infinite samples: wanted finite numbers")
    mean = sum(f.sum() for f in flat) / sum(f.size for f in flat)
    for f in flat:
        f -= mean
    if not any(f.any() for f in flat):
        raise SigconvError("signals without power, once their mean is taken away: wanted a recording of something")
    axes = tuple(range(domain.ndim))
    return [np.lib.stride_tricks.sliding_window_view(channel, size, axes) for f in flat for channel in f], domain, size


def _blocks(fields: list[np.ndarray], size: tuple[int, ...], rng: np.random.Generator | None) -> Iterator[np.ndarray]:
    """All patches, (block, taps) at a time, in order or in a random one."""
    counts = [prod(f.shape[: len(size)]) for f in fields]
    ends = np.cumsum(counts)
    order = np.arange(ends[-1]) if rng is None else rng.permutation(ends[-1])
    block = max(BLOCK, ceil(len(order) / STEPS))
    for first in range(0, len(order), block):
        some = order[first:first + block]
        found = np.empty((len(some), *size))
        which = np.searchsorted(ends, some, "right")
        for i in np.unique(which):
            here = which == i
            found[here] = fields[i][np.unravel_index(some[here] - (ends[i] - counts[i]), fields[i].shape[: len(size)])]
        yield found.reshape(len(some), -1)


def _rule(fields: list[np.ndarray], size: tuple[int, ...], n: int, passes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Oja's rule in Sanger's order, and its answers' own axes."""
    rng, k = np.random.default_rng(seed), prod(size)
    units = min(k, n + max(MORE, n // 2))
    w = np.linalg.qr(rng.standard_normal((k, units)))[0]
    step, strength = 0, np.zeros(units)
    for _ in range(passes):
        spread, power = np.zeros((units, units)), 0.0
        for x in _blocks(fields, size, rng):
            y = x @ w
            step += 1
            strength += (np.mean(y * y, axis=0) - strength) / step
            last = max(np.sort(strength)[-n], FLOOR * strength.max())
            if last > 0:
                w = np.linalg.qr(w + x.T @ y * (GAIN / ((step + REST) * last * len(x))))[0]
            spread += y.T @ y
            power += float(np.sum(x * x))
    values, turn = np.linalg.eigh(spread)
    return (w @ turn[:, ::-1]).T[:n], values[::-1][:n] / power


def _exact(fields: list[np.ndarray], size: tuple[int, ...], n: int) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvectors of the covariance."""
    covariance = sum((x.T @ x for x in _blocks(fields, size, None)), start=np.zeros((prod(size),) * 2))
    values, vectors = np.linalg.eigh(covariance)
    return vectors[:, ::-1].T[:n], values[::-1][:n] / np.trace(covariance)
