"""The parts of `partitioned`: what has run in, and partitions of one size, summed at once (`Ring`) or over time (`Spread`).

With partitions h_p of S taps and the transforms X_j of the last blocks, each 2S long (half of it the block before),

    Y = Σ_p H_p X_{now − p}

is the transform of this block's outputs: the second half of its circle is the linear convolution. X goes round in place; H
stands there twice over, so that wherever the round begins, what meets X is one slice of it. Products are made some at a time,
and their sums summed: that is kind to caches, and to the last bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from math import log2
from typing import Any

import numpy as np

from .direct import EXACT

__all__ = ["Past", "Ring", "Spread", "far_size"]

BY_MATRIX = 128  # points up to which the matrix of a transform, whose sums are longer, is quicker than a call of the fast one
CHUNK = 2**16  # products at a time, what a cache close by holds
PORTION = 2**14  # products of a far sum in one block
# Microseconds: calls for a block; a point there and back, per log2 of their number; a product summed; a turn of far partitions.
CALL, POINT, PRODUCT, TURN = 4.0, 6e-4, 4.7e-4, 2.0


class Past:
    """The last `room` samples that came in, as one piece; zeros stand before the first, and ahead of the last.

    They come in pieces of at most `more`. Where these divide into blocks, as `room` and `more` do, and no piece runs across two,
    every sample lies in memory where its number says, however it came.
    """

    def __init__(self, lead: tuple[int, ...], room: int, more: int, dtype: Any):
        self.data, self.room, self.stop = np.zeros((*lead, room + more), dtype), room, room

    def add(self, x: np.ndarray) -> None:
        n = x.shape[-1]
        if self.stop + n > self.data.shape[-1]:
            self.data[..., : self.room] = self.last(self.room).copy()
            self.data[..., self.room:] = 0
            self.stop = self.room
        self.data[..., self.stop: self.stop + n] = x
        self.stop += n

    def last(self, n: int) -> np.ndarray:
        return self.data[..., self.stop - n: self.stop]

    def state(self) -> dict[str, Any]:
        return {"data": self.data, "stop": self.stop}


class Ring:
    """Partitions of `size` taps for `(b, c, 2·size)` in and `(b, m, size)` out, of taps `(m, c, k)`."""

    def __init__(self, taps: np.ndarray, size: int, batch: int, dtype: np.dtype):
        m, c, k = taps.shape
        self.size, self.parts, self.dtype, self.place = size, -(-k // size), dtype, 0
        self.matrices = _matrices(size, dtype.char) if dtype.char in "fd" and 2 * size <= BY_MATRIX else None
        wide = np.zeros((m, c, self.parts * size), dtype)
        wide[..., :k] = taps
        blocks = np.moveaxis(wide.reshape(m, c, self.parts, size), 2, 0)[::-1]  # what meets the oldest input first
        kernel = np.fft.rfft(blocks, 2 * size) if dtype.kind == "f" else np.fft.fft(blocks, 2 * size)
        self.kernel = np.concatenate([kernel, kernel])  # (2·partitions, m, c, frequency)
        self.seen = np.zeros((self.parts, batch, c, kernel.shape[-1]), kernel.dtype)
        self.rows = min(max(CHUNK // (batch * m * size), 4), EXACT, self.parts)  # partitions summed at a time
        self.products = np.empty((self.rows, batch, m, kernel.shape[-1]), kernel.dtype)

    def keep(self, both: np.ndarray) -> None:
        """The last two blocks, transformed, over the oldest in the ring."""
        row = self.seen[self.place]
        if self.matrices:
            np.matmul(both, self.matrices[0], out=row.view(self.dtype))
        elif self.dtype.kind == "f":
            _real_fft()[0](both, self.dtype.type(1), out=row)
        else:
            np.fft.fft(both, out=row)
        self.place = (self.place + 1) % self.parts

    def inverse(self, spectrum: np.ndarray) -> np.ndarray:
        """The half of the circular convolution that is the linear one."""
        if self.matrices:
            return spectrum.view(self.dtype) @ self.matrices[1]
        if self.dtype.kind == "c":
            return np.fft.ifft(spectrum)[..., self.size:]
        whole = np.empty((*spectrum.shape[:-1], 2 * self.size), self.dtype)
        return _real_fft()[1](spectrum, self.dtype.type(1 / (2 * self.size)), out=whole)[..., self.size:]

    def sums(self, first: int, stop: int, total: np.ndarray | None = None) -> np.ndarray:
        """Σ_p Σ_c H[p, m, c, ν] X[p, b, c, ν] over the places first … stop−1 of the ring, added to `total`: (b, m, ν)."""
        turned = (self.parts - self.place) % self.parts
        for a in range(first, stop, self.rows):
            b = min(a + self.rows, stop)
            kernel, seen = self.kernel[turned + a: turned + b, None], self.seen[a:b, :, None]
            for c in range(kernel.shape[3]):
                part = np.add.reduce(np.multiply(kernel[..., c, :], seen[..., c, :], out=self.products[: b - a]), axis=0)
                total = part if total is None else np.add(total, part, out=total)
        assert total is not None
        return total

    def push(self, both: np.ndarray) -> np.ndarray:
        """The outputs of the second of two blocks."""
        self.keep(both)
        return self.inverse(self.sums(0, self.parts))

    def state(self) -> dict[str, Any]:
        return {"seen": self.seen, "place": self.place}


class Spread(Ring):
    """Far partitions, a share of whose work falls on each of the `size / block` blocks that fill the next one of theirs.

    The first transforms what is complete, the next ones sum some partitions each, the last transforms back.
    """

    def __init__(self, taps: np.ndarray, size: int, batch: int, dtype: np.dtype, block: int):
        super().__init__(taps, size, batch, dtype)
        self.block, self.turns, self.turn = block, size // block, 0
        self.each = max(-(-self.parts // (self.turns - 2)), min(self.rows, PORTION // size))  # partitions a block
        self.total = np.zeros((batch, len(taps), self.seen.shape[-1]), self.seen.dtype)
        self.going = np.zeros((batch, len(taps), size), dtype)

    def advance(self, past: Past) -> np.ndarray:
        """A block more of the past; the share of the outputs in the block that begins now."""
        if self.turn == 0:
            self.keep(past.last(2 * self.size + self.block)[..., : 2 * self.size])
            self.total = np.zeros_like(self.total)
        elif self.turn < self.turns - 1:
            a = (self.turn - 1) * self.each
            if a < self.parts:
                self.sums(a, min(a + self.each, self.parts), self.total)
        else:
            self.going = self.inverse(self.total)
        self.turn = (self.turn + 1) % self.turns
        return self.going[..., self.turn * self.block: (self.turn + 1) * self.block]

    def state(self) -> dict[str, Any]:
        return super().state() | {"turn": self.turn, "total": self.total, "going": self.going}


def far_size(taps: int, block: int) -> int:
    """The size of far partitions, which begin at twice that, with the least mean cost a block; 0 for none, unless they save
    a tenth: their work is less even.

    >>> [far_size(131072, block) for block in (64, 512, 2048)], far_size(1024, 64)
    ([2048, 4096, 0], 0)
    """
    def cost(taps: int, size: int) -> float:
        return CALL + POINT * 2 * size * log2(2 * size) + PRODUCT * (size + 1) * -(-taps // size)

    def whole(far: int) -> float:
        if not far:
            return 0.9 * cost(taps, block)
        return cost(2 * far, block) + TURN + cost(taps - 2 * far, far) * block / far

    sizes = (block << i for i in range(2, 10))
    return min((0, *(far for far in sizes if 2 * far < taps)), key=whole)


@lru_cache(maxsize=32)
def _matrices(size: int, char: str) -> tuple[np.ndarray, np.ndarray]:
    """The transform of 2·size real numbers, and the last `size` of its inverse, complex numbers being pairs."""
    bins = np.eye(size + 1)
    back = np.stack([np.fft.irfft(bins, 2 * size), np.fft.irfft(1j * bins, 2 * size)], axis=1)
    return (np.fft.rfft(np.eye(2 * size)).view(float).astype(char),
            np.ascontiguousarray(back[..., size:]).reshape(-1, size).astype(char))


@cache
def _real_fft() -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    """`rfft` and `irfft` as `f(x, factor, out=y)`: numpy's inner loops, which spare a small block a quarter of its time, while
    they are where they were and do the same; else the public functions, whose factor is their own. `np.fft.rfft` takes single
    precision through double, slowly, unless its result is divided by the length: a power of two here."""
    try:
        inner = import_module("numpy.fft._pocketfft_umath")
        x, X = np.arange(8.0), np.fft.rfft(np.arange(8.0))
        if np.array_equal(inner.rfft_n_even(x, 1.0, out=np.empty_like(X)), X) and \
                np.array_equal(inner.irfft(X, 1 / 8, out=np.empty_like(x)), np.fft.irfft(X)):
            return inner.rfft_n_even, inner.irfft
    except (ImportError, AttributeError, TypeError, ValueError):
        pass
    return (lambda x, _, out: np.multiply(np.fft.rfft(x, norm="forward", out=out), x.shape[-1], out=out),
            lambda x, _, out: np.fft.irfft(x, out=out))
