"""Few outputs of long sums on a line: the gradient of taps, the correlation of two recordings at some lags.

Here the kernel is the long one: y[c, m, j] = Σ_b Σ_t w[m, b, t] x[c, b, first + s·j − d·t] for a handful of j. With the kernel
turned round, g[t] = w[T−1−t], and a = first − d(T−1), it is the running scalar product

    y[j] = Σ_t g[t] x[a + d·t + s·j]

With s = 1 the samples that t reads for all j stand in a row, rows d apart: a product g (m, T) @ frames (T, J). Frames that
overlap are taken in P turns, as in `products`; of few filters B samples of g are B filters at a stride of B·d, of which the
diagonals of the product are summed. With many channels each j is a product of its own, g (m, T) @ x (T, c).

Where the outputs are many, blocks of g and the samples that they read are transformed, and their cross spectra added before the
one way back: F points take S = F − J + 1 samples of g.

A product sums at most `ROWS` terms in a row; what it gives is added up in double precision.
"""

from __future__ import annotations

import numpy as np

from . import pocket as fft
from .job import Job
from .tiles import samples

__all__ = ["cost", "lags", "serves"]

SHORT = 96  # lags that products of rows are faster for
ROWS = 64  # terms in a row
BLOCK = 32  # samples of g that are filters
WIDE = 8  # channels from which on each lag is a product
TOGETHER = 32  # products that are added before they are told apart from single precision
CHUNK = 2**17  # terms at a time: what is read stays in the cache
FEW = 4  # times as many terms as outputs


def serves(job: Job, kind: str) -> bool:
    """Whether these are long sums of real samples, a few of them."""
    return kind in "fd" and len(job.n) == 1 and job.groups == 1 and job.k[0] >= FEW * job.out[0]


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about."""
    (t,), j = job.k, job.out[0]
    each = 0.02 if kind == "f" else 0.04
    if job.batch >= WIDE or job.stride[0] > 1:
        return job.channels * t * j * job.batch * (each * job.filters + 0.6) + 1e4 * j
    terms, (block, reach) = job.batch * job.channels * t, _blocks(job)
    if _spectral(job):
        return terms * (job.filters + 1) * 3.0 * (1 if kind == "f" else 1.6) + 5e4
    return terms * (each * reach * job.filters + 0.3 * job.filters) + 2e4 * job.batch * -(-reach // (block * job.dilation[0]))


def _blocks(job: Job) -> tuple[int, int]:
    """Samples of g that are filters, and the samples that one row then reads."""
    block = max(BLOCK // job.filters, 1)
    return block, job.out[0] + (block - 1) * job.dilation[0]


def _spectral(job: Job) -> bool:
    """Whether transforms are less work."""
    return job.dilation == (1,) and job.out[0] > SHORT


def lags(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution as scalar products; for jobs that it `serves`."""
    g = w[..., ::-1]
    (s,), (d,), (t,), j = job.stride, job.dilation, job.k, job.out[0]
    a = job.first[0] - d * (t - 1)
    if job.batch >= WIDE or s > 1:
        return _each(x, g, a, d, s, j)
    y = np.zeros((job.batch, job.filters, j))
    for c in range(job.batch):
        for b in range(job.channels):
            y[c] += (_crossed if _spectral(job) else _rows)(x[c, b], np.ascontiguousarray(g[:, b]), a, d, job)
    return y.astype(x.dtype)


def _each(x: np.ndarray, g: np.ndarray, a: int, d: int, s: int, count: int) -> np.ndarray:
    """Lag by lag: (m, b·T) @ (b·T, c), the long axis in pieces of `ROWS`."""
    c, b, _ = x.shape
    m, _, t = g.shape
    pieces = -(-t // ROWS)
    left = np.zeros((m, b, pieces * ROWS), x.dtype)
    left[..., :t] = g
    left = np.ascontiguousarray(left.reshape(m, b * pieces, ROWS).swapaxes(0, 1))
    y = np.empty((c, m, count), x.dtype)
    right = np.zeros((c, b, pieces * ROWS), x.dtype)
    for j in range(count):
        right[..., :t] = samples(x, a + s * j, (t - 1) * d + 1)[..., ::d]
        y[..., j] = _summed(left, right.reshape(c, b * pieces, ROWS).transpose(1, 2, 0)).T
    return y


def _rows(x: np.ndarray, g: np.ndarray, a: int, d: int, job: Job) -> np.ndarray:
    """All lags of one line: (m, J) in double precision."""
    block, reach = _blocks(job)
    (m, t), j = g.shape, job.out[0]
    step = block * d  # from row to row of frames
    turns = -(-reach // step)
    group = ROWS * turns * block  # terms that make one product a turn
    per = max(CHUNK // group, 1) * group
    total = np.zeros((m * block, reach))
    for at in range(0, t, per):
        count = -(-min(per, t - at) // group)
        wide = np.ascontiguousarray(samples(x, a + at * d, (count * ROWS * turns - 1) * step + reach))
        left = samples(g, at, count * group)
        size = x.itemsize
        for p in range(turns):
            frames = np.ndarray((count, ROWS, reach), x.dtype, wide, p * step * size,
                                (ROWS * turns * step * size, turns * step * size, size))
            if m == 1:
                of = np.lib.stride_tricks.as_strided(left[0, p * block:], (count, block, ROWS),
                                                     (group * size, size, turns * block * size), writeable=False)
            else:
                of = left.reshape(m, count, ROWS, turns, block)[:, :, :, p].transpose(1, 0, 3, 2).reshape(count, m * block, ROWS)
            total += _summed(of, frames)
    y = np.zeros((m, j))
    for i, each in enumerate(total.reshape(m, block, reach).swapaxes(0, 1)):
        y += each[:, i * d: i * d + j]
    return y


def _crossed(x: np.ndarray, g: np.ndarray, a: int, d: int, job: Job) -> np.ndarray:
    """All lags of one line from cross spectra: (m, J) in double precision."""
    (m, t), j = g.shape, job.out[0]
    points = 1 << (4 * j).bit_length()
    step = points - j + 1
    per = min(max(CHUNK // points, 1), ROWS)
    total = np.zeros((m, points // 2 + 1), np.complex128)
    for at in range(0, t, per * step):
        count = -(-min(per * step, t - at) // step)
        wide = np.ascontiguousarray(samples(x, a + at, (count - 1) * step + points))
        size = wide.itemsize
        X = fft.rfft(np.lib.stride_tricks.as_strided(wide, (count, points), (step * size, size), writeable=False))
        G = fft.rfft(samples(g, at, count * step).reshape(m, count, step), points)
        total += np.einsum("bf,mbf->mf", X, np.conj(G, out=G))
    return np.fft.irfft(total, points)[:, :j]


def _summed(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Σ_p left[p] @ right[p] in double precision, a few in single precision first."""
    total = np.zeros((left.shape[1], right.shape[2]))
    for p in range(0, len(left), TOGETHER):
        total += (left[p: p + TOGETHER] @ right[p: p + TOGETHER]).sum(0)
    return total
