"""Convolution of a signal that comes in pieces: the kernel cut into partitions, small ones first (Gardner, JAES 43, 1995).

Input and output are numbered from 0 and dealt with in blocks of B samples, wherever the pieces are cut. With h[D … D+C) one
partition of C taps, its share of the outputs T … T+C−1 is the end of a circular convolution of length 2C that reads x from
T−D−C on:

    head    taps 0 … B−1      a matrix product: outputs of a block that is not yet full cost no waiting
    near    taps B … 2C−1     partitions of B taps, one transform of 2B a block; every share is known when its block begins
    far     taps 2C …         partitions of C taps: a share is wanted C samples after its input is complete, and the work in
                              between is spread over the blocks of these

Every sum is over arrays of the same shape in the same order, so the samples do not depend on how the input is cut, to the bit:
in the head the samples that are still to come stand as zeros, and a sum with zeros in it is the same sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SigconvError

__all__ = ["Partitioned"]

FAR = 32  # blocks in a far partition


class Partitioned:
    """y[m] = Σ_c h[m, c] ∗ x[c] in pieces: `step(x)` takes `(b, c, n)` and gives `(b, m, n)`, for taps `(m, c, K)`.

    `block`: samples dealt with at a time. With `waits` the output of a block comes when it is full, the head by transform: `step`
    then gives as many samples as there are (fewer at first), and `block` samples later than they could be.
    """

    def __init__(self, taps: np.ndarray, batch: int, dtype: Any, block: int = 64, waits: bool = False):
        self.taps, self.block, self.waits, self.batch = taps, block, waits, batch
        self.dtype = np.result_type(dtype, taps.dtype) if taps.dtype.kind == "c" else np.dtype(dtype)
        self.real = self.dtype.kind != "c"
        m, c, k = taps.shape
        far = FAR * block
        split = k if k <= 4 * far else 2 * far  # where the far partitions begin
        first = 0 if waits else block
        self.near = _Ring(taps[..., first:split], block, batch, self) if split > first else None
        self.far = _Spread(taps[..., split:], far, batch, self) if k > split else None
        self.head = None if waits else _toeplitz(taps[..., :block], block, self.dtype, c)
        self.count = 0  # samples seen
        self.last, self.now = (np.zeros((batch, c, block), self.dtype) for _ in range(2))
        self.share = np.zeros((batch, m, block), self.dtype)  # of near and far in the block at hand

    def step(self, x: np.ndarray) -> np.ndarray:
        """The next samples out."""
        n, at, parts = x.shape[-1], 0, []
        while at < n:
            place = self.count % self.block
            take = min(self.block - place, n - at)
            self.now[..., place: place + take] = x[..., at: at + take]
            if not self.waits:
                parts.append(self.share[..., place: place + take] + self._head()[..., place: place + take])
            self.count += take
            at += take
            if self.count % self.block == 0:
                if self.waits:
                    parts.append(self._turn())
                else:
                    self._turn()
        if not parts:
            return np.zeros((self.batch, len(self.taps), 0), self.dtype)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)

    def _head(self) -> np.ndarray:
        """The head's outputs in this block, right up to the last sample that is there."""
        assert self.head is not None
        seen = np.concatenate([self.last[..., 1:], self.now], axis=-1)
        y = self.head @ seen.reshape(self.batch, -1, 1)
        return y.reshape(self.batch, len(self.taps), self.block).astype(self.dtype, copy=False)

    def _turn(self) -> np.ndarray:
        """A block is full: with `waits` its outputs; the shares of the next one."""
        both = np.concatenate([self.last, self.now], axis=-1)
        near = self.near.push(both) if self.near else 0
        far = self.far.push(self.now) if self.far else 0
        self.last, self.now = self.now, np.zeros_like(self.now)
        if self.waits:
            y = self.share + near
            self.share = np.zeros_like(self.share) + far
            return y
        self.share = np.zeros_like(self.share) + near + far
        return self.share

    def state(self) -> dict[str, Any]:
        """Everything that the future depends on, as arrays and numbers; `restore` takes it back."""
        parts: dict[str, Any] = {"count": self.count, "last": self.last, "now": self.now, "share": self.share}
        for name in ("near", "far"):
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


class _Ring:
    """Partitions of one size and the transforms of the last blocks: Σ_p H_p X_{now − p}."""

    def __init__(self, taps: np.ndarray, size: int, batch: int, whole: Partitioned):
        m, c, k = taps.shape
        self.size, self.parts, self.whole = size, -(-k // size), whole
        wide = np.zeros((m, c, self.parts * size), taps.dtype)
        wide[..., :k] = taps
        blocks = wide.reshape(m, c, self.parts, size).astype(whole.dtype)
        self.spectra = np.ascontiguousarray(np.moveaxis(self.forward(blocks), 2, 0)[::-1])  # oldest input first
        self.seen = np.zeros((2 * self.parts, batch, c, self.spectra.shape[-1]), self.spectra.dtype)
        self.place = 0

    def forward(self, blocks: np.ndarray) -> np.ndarray:
        return np.fft.rfft(blocks, 2 * self.size) if self.whole.real else np.fft.fft(blocks, 2 * self.size)

    def inverse(self, spectrum: np.ndarray) -> np.ndarray:
        """The half of the circular convolution that is the linear one."""
        whole = np.fft.irfft(spectrum, 2 * self.size) if self.whole.real else np.fft.ifft(spectrum)
        return whole[..., self.size:]

    def keep(self, both: np.ndarray) -> None:
        """The transform of the last two blocks, into the ring, twice: the last `parts` are one slice, whatever the place."""
        X = self.forward(both)
        self.seen[self.place] = self.seen[self.place + self.parts] = X
        self.place = (self.place + 1) % self.parts

    def recent(self) -> np.ndarray:
        return self.seen[self.place: self.place + self.parts]

    def push(self, both: np.ndarray) -> np.ndarray:
        self.keep(both)
        return self.inverse(_sum(self.spectra, self.recent()))

    def state(self) -> dict[str, Any]:
        return {"seen": self.seen, "place": self.place}


class _Spread(_Ring):
    """Far partitions, whose sums are made a few at a time while the blocks go by."""

    def __init__(self, taps: np.ndarray, size: int, batch: int, whole: Partitioned):
        super().__init__(taps, size, batch, whole)
        m, c, _ = taps.shape
        self.steps = size // whole.block
        self.turn = 0
        self.before, self.filling = (np.zeros((batch, c, size), whole.dtype) for _ in range(2))
        self.partial = np.zeros((batch, m, self.spectra.shape[-1]), self.spectra.dtype)
        self.coming, self.going = (np.zeros((batch, m, size), whole.dtype) for _ in range(2))

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take a small block; give the far share of the small block that begins now."""
        small = block.shape[-1]
        self.filling[..., self.turn * small: (self.turn + 1) * small] = block
        self.work()
        self.turn += 1
        if self.turn == self.steps:
            self.turn, self.going = 0, self.coming
            self.keep(np.concatenate([self.before, self.filling], axis=-1))
            self.before, self.filling = self.filling, np.zeros_like(self.filling)
            self.partial = np.zeros_like(self.partial)
        return self.going[..., self.turn * small: (self.turn + 1) * small]

    def work(self) -> None:
        """This block's part of the sums over all partitions, and at the last the way back."""
        each = -(-self.parts // self.steps)
        a, b = self.turn * each, min((self.turn + 1) * each, self.parts)
        if a < b:
            self.partial += _sum(self.spectra[a:b], self.recent()[a:b])
        if self.turn == self.steps - 1:
            self.coming = self.inverse(self.partial).astype(self.whole.dtype, copy=False)

    def state(self) -> dict[str, Any]:
        return super().state() | {name: getattr(self, name)
                                  for name in ("turn", "before", "filling", "partial", "coming", "going")}


def _sum(spectra: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Σ_p Σ_c H[p, m, c, ν] X[p, b, c, ν] → (b, m, ν)."""
    if spectra.shape[1] == spectra.shape[2] == seen.shape[1] == 1:
        return np.einsum("pv,pv->v", spectra[:, 0, 0], seen[:, 0, 0])[None, None]
    return np.einsum("pmcv,pbcv->bmv", spectra, seen)


def _toeplitz(taps: np.ndarray, block: int, dtype: Any, channels: int) -> np.ndarray:
    """The matrix from the last 2·block − 1 samples of every channel to the block's outputs: (m·block, c·(2·block − 1))."""
    m, c, k = taps.shape
    wide = np.zeros((m, block, c, 2 * block - 1), dtype if channels * k <= 64 else np.result_type(dtype, np.float64))
    for i in range(block):
        wide[:, i, :, block - 1 + i - k + 1: block + i] = taps[..., ::-1]
    return wide.reshape(m * block, c * (2 * block - 1))
