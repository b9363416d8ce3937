"""Convolution of a signal that comes in pieces: the kernel cut into partitions, small ones first (Gardner, JAES 43, 1995).

Input and output are numbered from 0 and dealt with in blocks of B samples, wherever the pieces are cut. With h[D … D+C) one
partition of C taps, its share of the outputs T … T+C−1 is the end of a circular convolution of length 2C that reads x from
T−D−C on to T−D+C−1:

    head    taps 0 … B−1      a matrix product: outputs of a block that is not yet full cost no waiting
    near    taps B … 2C−1     partitions of B taps, one transform of 2B a block; every share is known when its block begins
    far     taps 2C …         partitions of C taps: T−D+C = T−C, so a share is wanted C samples after its input is complete, and
                              the work in between is spread over the blocks of these

Where a block may be waited for, near begins at tap 0 and there is no head. `far_size` weighs C; short kernels have no far.

Every sum is over arrays of the same shape in the same order, so the samples do not depend on how the input is cut, to the bit:
in the head the samples that are still to come stand as zeros, and a sum with zeros in it is the same sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SigconvError
from .direct import EXACT
from .rings import Past, Ring, Spread, far_size

__all__ = ["Partitioned"]


class Partitioned:
    """y[m] = Σ_c h[m, c] ∗ x[c] in pieces: `step(x)` takes `(b, c, n)` and gives `(b, m, n)`, for taps `(m, c, K)`.

    `block`: samples dealt with at a time. With `waits` the output of a block comes when it is full, the head by transform: `step`
    then gives as many samples as there are (fewer at first), and `block` samples later than they could be.
    """

    def __init__(self, taps: np.ndarray, batch: int, dtype: Any, block: int = 64, waits: bool = False):
        self.taps, self.block, self.waits, self.batch = taps, block, waits, batch
        self.dtype = np.result_type(dtype, taps.dtype) if taps.dtype.kind == "c" else np.dtype(dtype)
        m, c, k = taps.shape
        far = far_size(k, block)
        first, split = 0 if waits else block, 2 * far or k
        self.near = Ring(taps[..., first:split], block, batch, self.dtype) if split > first else None
        self.far = Spread(taps[..., split:], far, batch, self.dtype, block) if far else None
        self.head = None if waits else _toeplitz(taps[..., :block], block, self.dtype, c)
        self.past = Past((batch, c), max(2 * far + block, 2 * block), max(far, 2 * block, 8192), self.dtype)
        self.count = 0  # samples seen
        self.share = np.zeros((batch, m, block), self.dtype)  # of near and far in the block at hand

    def step(self, x: np.ndarray) -> np.ndarray:
        """The next samples out."""
        n, at, parts = x.shape[-1], 0, []
        while at < n:
            place = self.count % self.block
            take = min(self.block - place, n - at)
            self.past.add(x[..., at: at + take])
            self.count += take
            at += take
            if not self.waits:
                parts.append(self._head(place, place + take))
            if place + take == self.block:
                y = self._turn()
                if self.waits:
                    parts.append(y)
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts, axis=-1) if parts else np.zeros((self.batch, len(self.taps), 0), self.dtype)

    def _head(self, a: int, b: int) -> np.ndarray:
        """Outputs a … b−1 of this block, right up to the last sample that is there."""
        assert self.head is not None
        first = self.past.stop - b - self.block + 1
        seen = self.past.data[..., first: first + 2 * self.block - 1].reshape(self.batch, -1, 1)
        y = (self.head @ seen).reshape(self.batch, len(self.taps), self.block)[..., a:b]
        return (y + self.share[..., a:b]).astype(self.dtype, copy=False)

    def _turn(self) -> np.ndarray:
        """A block is full: with `waits` its outputs; the shares of the next one."""
        y = self.near.push(self.past.last(2 * self.block)) if self.near else self.share
        if not self.far:
            self.share = self.share if self.waits else y
        elif self.waits:
            y += self.share
            self.share = self.far.advance(self.past)
        else:
            y += self.far.advance(self.past)
            self.share = y
        return y

    def state(self) -> dict[str, Any]:
        """Everything that the future depends on, as arrays and numbers; `restore` takes it back."""
        parts: dict[str, Any] = {"count": self.count, "share": self.share}
        for name in ("past", "near", "far"):
            part = getattr(self, name)
            parts |= {f"{name}.{key}": value for key, value in part.state().items()} if part else {}
        return {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in parts.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of a convolver of the same taps, block and batch."""
        known = self.state()
        if known.keys() != state.keys() or any(np.shape(known[key]) != np.shape(state[key]) for key in known):
            raise SigconvError("a state of another stream: wanted one of the same kernel, block and channels")
        for key, value in state.items():
            owner, _, name = key.rpartition(".")
            held = getattr(self, owner) if owner else self
            setattr(held, name, value.copy() if isinstance(value, np.ndarray) else int(value))


def _toeplitz(taps: np.ndarray, block: int, dtype: Any, channels: int) -> np.ndarray:
    """The matrix from the last 2·block − 1 samples of every channel to the block's outputs: (m·block, c·(2·block − 1))."""
    m, c, k = taps.shape
    wide = np.zeros((m, block, c, 2 * block - 1), dtype if channels * k <= EXACT else np.result_type(dtype, np.float64))
    for i in range(block):
        wide[:, i, :, block - 1 + i - k + 1: block + i] = taps[..., ::-1]
    return wide.reshape(m * block, c * (2 * block - 1))
