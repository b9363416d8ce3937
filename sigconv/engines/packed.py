"""Convolution of long signals with long kernels: overlap-save in large blocks, two real lines in one complex transform.

Packed: h is real, so that of z = a + i·b the circular convolution h ∗ z = h ∗ a + i·(h ∗ b) holds two, of two lines or of two
neighbouring blocks of one.

Four-step: a transform of F = n₁·n₂ points, the block written as n₁ rows of n₂,

    X[k₁ + n₁·k₂] = Σ_j₂ w_n₂^(j₂·k₂) · ( w_F^(j₂·k₁) · Σ_j₁ w_n₁^(j₁·k₁) z[j₁·n₂ + j₂] )

is n₂ short ones down the columns, a factor each, and n₁ along the rows: batches, which run many abreast. X stays where it
comes to lie, since the kernel's spectrum lies alike and the way back is the same way backwards: nothing is put in order.

`Chunks` cuts a signal that comes in pieces into blocks of one length, whatever the pieces, so that samples are the same to the
bit; short kernels and whatever else is not served above go to `conv`, block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np

from .job import Job
from .pocket import along

__all__ = ["Chunks", "Packed", "cost", "packed", "prepared", "run", "serves"]

LONG = 1 << 12  # taps that are worth it
CHUNK = 1 << 17  # outputs of a block where `conv` makes them
MOST = 1 << 23  # points of all spectra


class Packed:
    """Real taps `(m, c, K)`, planned: `packed(z)` takes complex lines `(p, c, points)` and gives the clean part of their full
    convolutions summed over c, `(p, m, points − K + 1)`.

    >>> taps = np.zeros((1, 1, 4)); taps[..., 1] = 2
    >>> packed = Packed(taps, np.dtype("f4"))
    >>> z = np.arange(packed.points, dtype="c8").reshape(1, 1, -1)
    >>> packed(z)[0, 0, :3].real.round(3)
    array([4., 6., 8.], dtype=float32)
    """

    def __init__(self, taps: np.ndarray, dtype: Any, length: int | None = None):
        self.filters, self.channels, k = taps.shape
        self.points, self.first = points(k, length), k - 1
        self.kind = np.result_type(dtype, np.complex64)
        rows = _rows(self.points)
        self.shape = rows, self.points // rows
        self.factor, self.back = _factors(*self.shape, self.kind.char)
        self.spectra = {}
        lean = (_lean(rows, self.kind.char) * _lean(self.shape[1], self.kind.char)) ** 3  # of signal, kernel, and the way back
        for m, c in zip(*np.nonzero(taps.any(axis=-1)), strict=True):
            wide = np.zeros(self.points, self.kind)
            wide[:k] = taps[m, c].astype(np.float64) / (self.points * lean)
            self.spectra[int(m), int(c)] = self._forward(wide, wide)

    @staticmethod
    def serves(taps: np.ndarray, dtype: Any) -> bool:
        """Whether the taps are long enough, real, and few enough together."""
        used = int(np.count_nonzero(taps.any(axis=-1)))
        return taps.shape[-1] >= LONG and taps.dtype.kind == np.dtype(dtype).kind == "f" and used * points(taps.shape[-1]) <= MOST

    def __call__(self, z: np.ndarray) -> np.ndarray:
        out = np.empty((len(z), self.filters, self.points), self.kind)
        for line, place in zip(z, out, strict=True):
            if self.channels == 1:
                self._alone(line[0], place)
            else:
                self._summed(line, place)
        return out[..., self.first:]

    def _alone(self, z: np.ndarray, out: np.ndarray) -> None:
        spectrum = self._forward(z, out[-1])
        for m in range(self.filters):  # the last lies where the spectrum does
            if (m, 0) in self.spectra:
                np.multiply(spectrum, self.spectra[m, 0], out=out[m].reshape(self.shape))
                self._inverse(out[m])
            else:
                out[m] = 0

    def _summed(self, z: np.ndarray, out: np.ndarray) -> None:
        out[...] = 0
        held, part = np.empty(self.points, self.kind), np.empty(self.shape, self.kind)
        for c in range(self.channels):
            spectrum = self._forward(z[c], held)
            for m in range(self.filters):
                if (m, c) in self.spectra:
                    out[m].reshape(self.shape)[...] += np.multiply(spectrum, self.spectra[m, c], out=part)
        for line in out:
            self._inverse(line)

    def _forward(self, z: np.ndarray, out: np.ndarray) -> np.ndarray:
        y = along(z.reshape(self.shape), 0, True, out.reshape(self.shape))
        y *= self.factor
        return along(y, 1, True, y)

    def _inverse(self, y: np.ndarray) -> None:
        y = y.reshape(self.shape)
        along(y, 1, False, y)
        y *= self.back
        along(y, 0, False, y)


def points(taps: int, length: int | None = None) -> int:
    """Four kernel lengths and more, a power of two, so that an eighth to a quarter of the outputs is thrown away; no more than
    make all outputs of `length` samples at once."""
    usual = 4 << (taps - 1).bit_length()
    return usual if length is None else min(usual, 1 << (length + 2 * taps).bit_length())


@lru_cache(maxsize=2)
def _factors(rows: int, columns: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """w_F^(j₂·k₁), and its conjugate."""
    few = 1 << rows.bit_length() // 2  # w^((few·a + b)·j) is a product of two that are made for few a and few b
    turn = np.arange(columns) * (-2j * np.pi / (rows * columns))
    coarse, fine = (np.exp(np.arange(0, stop, step)[:, None] * turn) for stop, step in ((rows, few), (few, 1)))
    factor = (coarse[:, None] * fine[:rows]).astype(kind).reshape(rows, columns)
    return factor, factor.conj()


def _rows(points: int) -> int:
    """n₁, as measured."""
    return max(min(points // 4, 512 if points < 1 << 18 else 4096), 1)


@lru_cache(maxsize=64)
def _lean(n: int, kind: str) -> float:
    """How much too large a transform of n points comes out: its constants, rounded, lean to one side (√½ by 2·10⁻⁸)."""
    rng = np.random.default_rng(0)
    z = (rng.standard_normal((n, 8)) + 1j * rng.standard_normal((n, 8))).astype(kind)
    there = along(z, 0, True, np.empty_like(z))
    before, after = (float(np.square(np.abs(y.astype(np.complex128))).sum()) for y in (z, there))
    return (after / before / n) ** 0.5


def serves(job: Job, kind: str) -> bool:
    """Whether these are long filters, each on its own line of real samples, stride and dilation 1, most of whose outputs are
    wanted."""
    return kind in "fd" and len(job.n) == 1 and job.channels == job.groups == job.filters and job.stride == job.dilation == (1,) \
        and LONG <= job.k[0] <= job.n[0] and 2 * job.out[0] > job.full[0] and points(job.k[0], job.n[0]) <= MOST


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about: two blocks a transform, and the kernel's."""
    size = points(job.k[0], job.n[0])
    blocks = -(-job.full[0] // (2 * (size - job.k[0] + 1)))
    each = size * (9.0 if size < 1 << 18 else 14.0) * (1 if kind == "f" else 1.8)
    return job.channels * (job.batch * blocks + 0.6) * each + 1e5


def packed(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution of each line; for jobs that it `serves`."""
    return run(x, prepared(w, job), job)


def prepared(w: np.ndarray, job: Job) -> list[Chunks]:
    """A convolver for each filter."""
    return [Chunks(taps[None], job.batch, taps.dtype, job.n[0]) for taps in w]


def run(x: np.ndarray, ready: list[Chunks], job: Job) -> np.ndarray:
    """The convolution with what was `prepared`, for as many signals at once."""
    y = np.empty((len(x), job.filters, job.full[0]), x.dtype)
    for c, chunks in enumerate(ready):
        chunks, at = chunks.anew(len(x)), 0
        for a in range(0, x.shape[-1], chunks.size):  # a block at a time, so that what is made on the way stays small
            part = chunks.step(x[:, c: c + 1, a: a + chunks.size])
            y[:, c: c + 1, at: at + part.shape[-1]] = part
            at += part.shape[-1]
        y[:, c: c + 1, at:] = chunks.flush()
    return y[..., job.first[0]: job.stop[0]]


class Chunks:
    """y[m] = Σ_c h[m, c] ∗ x[c] of a signal in pieces: `step(x)` takes `(b, c, n)` and gives what is complete, `(b, m, …)`, in
    blocks of one length; `flush()` the rest, up to the K−1 outputs of the tail.

    `length`: of x, where it is known, for short ones.

    Laws: all that comes out is the full convolution, the same to the bit however x is cut. What was given stays as it is.

    >>> chunks = Chunks(np.ones((1, 1, 2)), 1, np.float64)
    >>> chunks.step(np.ones((1, 1, 3))).shape, chunks.flush()
    ((1, 1, 0), array([[[1., 2., 2., 1.]]]))
    """

    def __init__(self, taps: np.ndarray, batch: int, dtype: Any, length: int | None = None):
        self.taps, self.batch, self.dtype, self.length = taps, batch, np.dtype(dtype), length
        k = taps.shape[-1]
        self.work: Callable[[np.ndarray], np.ndarray]
        self.abreast = 1  # lines side by side in memory, as one complex line
        if Packed.serves(taps, dtype):
            self.packed = Packed(taps, dtype, length)
            clean = self.packed.points - k + 1
            self.abreast = 2 - batch % 2
            self.size, self.work = (clean, self._lines) if self.abreast == 2 else (2 * clean, self._neighbours)
        else:
            self.size, self.work = max(CHUNK, 4 << k.bit_length()), self._direct
        self._begin()

    def _begin(self) -> None:
        k = self.taps.shape[-1]
        self.held = np.zeros((self.batch // self.abreast, self.taps.shape[1], k - 1 + self.size, self.abreast), self.dtype)
        self.at, self.seen, self.given = k - 1, 0, 0

    def anew(self, batch: int) -> Chunks:
        """One of its own for as many signals, which nothing ran through; spectra are shared."""
        if batch != self.batch:
            return Chunks(self.taps, batch, self.dtype, self.length)
        other = copy(self)
        other.work = getattr(other, self.work.__name__)
        other._begin()
        return other

    def step(self, x: np.ndarray) -> np.ndarray:
        """The next samples in; what is complete."""
        made = list(self._taken(x))
        self.seen += x.shape[-1]
        self.given += sum(y.shape[-1] for y in made)
        return self._one(made)

    def flush(self) -> np.ndarray:
        """What is still to come of a signal that has ended; then all begins anew."""
        rest = self.seen + self.taps.shape[-1] - 1 - self.given if self.seen else 0
        made, left, reach = [], rest, self.taps.shape[-1] - 1
        while left > 0:
            self.held[:, :, self.at:] = 0
            last = left <= self.size and self.work == self._direct  # no more of it than is wanted
            made.append(self.work(self.held[:, :, :reach + left]) if last else self._turn())
            left -= made[-1].shape[-1]
        y = self._one(made)[..., :rest]
        self._begin()
        return y

    def _one(self, made: list[np.ndarray]) -> np.ndarray:
        if not made:
            return np.zeros((self.batch, len(self.taps), 0), self.dtype)
        return made[0] if len(made) == 1 else np.concatenate(made, axis=-1)

    def _taken(self, x: np.ndarray) -> Iterator[np.ndarray]:
        b, c, n = x.shape
        side = x.reshape(b // self.abreast, self.abreast, c, n).transpose(0, 2, 3, 1)
        done, end = 0, self.held.shape[2]
        while done < n:
            take = min(end - self.at, n - done)
            self.held[:, :, self.at: self.at + take] = side[:, :, done: done + take]
            self.at, done = self.at + take, done + take
            if self.at == end:
                yield self._turn()

    def _turn(self) -> np.ndarray:
        """A block is full: its outputs; what the next one reads of it goes to the front."""
        y = self.work(self.held)
        reach = self.taps.shape[-1] - 1
        self.held[:, :, :reach] = self.held[:, :, self.size:].copy()
        self.at = reach
        return y

    def _direct(self, held: np.ndarray) -> np.ndarray:
        from . import conv

        return np.asarray(conv(held[..., 0], self.taps))

    def _lines(self, held: np.ndarray) -> np.ndarray:
        """Two lines as one; a silent one stays silent."""
        if not np.isfinite(held.sum(dtype=np.float64)):  # one line after the other, so that each keeps what is not finite
            alone = [np.where(np.arange(2) == i, held, 0).astype(held.dtype).view(self.packed.kind)[..., 0] for i in (0, 1)]
            parts = [self.packed(z) for z in alone]
            y = np.stack([parts[0].real, parts[1].imag], 1)
            return y.reshape(self.batch, len(self.taps), -1)
        z = held.view(self.packed.kind)[..., 0]
        y = np.ascontiguousarray(self.packed(z)).view(self.dtype) if len(z) > 1 else self.packed(z).view(self.dtype)
        y = y.reshape(*y.shape[:2], -1, 2)
        for i in (0, 1):
            for line, out in zip(held[..., i], y[..., i], strict=True):
                if not line[:, :64].any() and not line.any():
                    out[...] = 0
        return y.transpose(0, 3, 1, 2).reshape(self.batch, len(self.taps), -1)

    def _neighbours(self, held: np.ndarray) -> np.ndarray:
        """Two blocks, one after the other, as one."""
        lines, clean = held[..., 0], self.size // 2
        z = np.empty((*lines.shape[:2], self.packed.points), self.packed.kind)
        z.real, z.imag = lines[..., :z.shape[-1]], lines[..., clean:]
        y = self.packed(z)
        return np.concatenate([y.real, y.imag], axis=-1)
