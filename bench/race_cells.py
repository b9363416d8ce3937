"""The cells of the race: what is convolved with what, and how far ahead of the best peer it is to be.

A cell is sizes only; `Cell.task` makes its arrays, float32 white noise from a seed of its own. The groups are the rows of what
the engine has to reach. A target is best peer ÷ sigconv, `beside` the same with OpenCV among the peers; a cell of short lines is
judged by what a call costs beyond a bare `numpy.convolve` (`micros`), one drawn at random by its `regret` alone: the time of the
chosen method over the best that the engine has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any
from zlib import crc32

import numpy as np

REGRET = 1.5


@dataclass(frozen=True)
class Cell:
    """x `(batch, channels, *n)` with w `(filters, channels, *k)`; `mode` as in scipy, centred on x for "same"."""

    group: str
    name: str
    n: tuple[int, ...]
    k: tuple[int, ...]
    batch: int = 1
    channels: int = 1
    filters: int = 1
    stride: int = 1
    mode: str = "full"
    separable: bool = False  # general random taps an axis: the kernel is their outer product
    interleaved: bool = False  # (n, batch) in, (n', batch) out
    tensor: bool = False
    grad: bool = False
    target: float | None = None
    beside: float | None = None
    planned: float | None = None
    micros: float | None = None
    regret: bool = False

    @property
    def window(self) -> tuple[tuple[int, int], ...]:
        """The outputs asked for, as `sc.engines.conv` takes them."""
        ends = {"full": lambda n, k: (0, n + k - 1), "same": lambda n, k: (k // 2, k // 2 + n), "valid": lambda n, k: (k - 1, n)}
        return tuple(ends[self.mode](n, k) for n, k in zip(self.n, self.k, strict=True))

    @property
    def pad(self) -> list[int]:
        """The zeros at each end with which a valid correlation gives the same outputs; taps are odd where mode is "same"."""
        return [{"full": k - 1, "same": k // 2, "valid": 0}[self.mode] for k in self.k]

    @property
    def products(self) -> int:
        """Multiplications of the plain sums."""
        outputs = prod(-(-(b - a) // self.stride) for a, b in self.window)
        return self.batch * self.channels * self.filters * outputs * prod(self.k)

    def task(self) -> Task:
        rng = np.random.default_rng(crc32(self.name.encode()))

        def noise(*shape: int) -> np.ndarray:
            return rng.standard_normal(shape, dtype=np.float32)

        if self.interleaved:
            x = noise(*self.n, self.batch).T[:, None]
        else:
            x = noise(self.batch, self.channels, *self.n)
        lines = tuple(noise(k) for k in self.k) if self.separable else ()
        w = reduce(np.multiply.outer, lines)[None, None] if lines else noise(self.filters, self.channels, *self.k)
        return Task(self, x, w, lines)


@dataclass(frozen=True)
class Task:
    """A cell with its arrays."""

    cell: Cell
    x: np.ndarray
    w: np.ndarray
    lines: tuple[np.ndarray, ...]

    def exact(self) -> list[np.ndarray]:
        """Some of the outputs in double precision, `(batch ≤ 2, filters ≤ 4, *o)`; with gradients (of noise), those too."""
        from scipy.signal import oaconvolve

        axes = tuple(range(-len(self.cell.n), 0))
        x, w = self.x[:2].astype(float), self.w[:4].astype(float)
        if x.size == x.shape[-1] and w.size < 64:  # one line, few taps: the plain sum is sooner done
            y: Any = np.convolve(x.ravel(), w.ravel())[None, None]
        else:
            y = sum(oaconvolve(x[:, c, None], w[None, :, c], axes=axes) for c in range(x.shape[1]))
        if not self.cell.grad:
            cut: Any = (..., *(slice(a, b, self.cell.stride) for a, b in self.cell.window))
            return [y[cut]]
        g = self.seed().astype(float)
        gx, gw = (oaconvolve(g, v[..., ::-1], "valid", axes=axes) for v in (w, x))
        return [y, gx, gw]

    def seed(self) -> np.ndarray:
        """What the backward pass starts from: noise, as long as the full result."""
        shape = (self.cell.batch, self.cell.filters, *(b - a for a, b in self.cell.window))
        return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def size(n: int) -> str:
    """1e5 where it is one, else the number."""
    e = len(str(n)) - 1
    return f"1e{e}" if n == 10**e and e > 2 else str(n)


def lines(numba: bool) -> Iterator[Cell]:
    """One kernel on one line. Short kernels on short lines are a matter of microseconds; elsewhere of ratios."""
    for n in (10**e for e in range(3, 8)):
        for k in (3, 9):
            big = n >= 10**5
            yield Cell("1D K ≤ 11", f"1D {size(n)} × {k}", (n,), (k,), target=(2.0 if numba else 1.0) if big else None,
                       beside=0.9 if big else None, micros=None if big else 5.0)
        for k in (33, 129):
            goal = 0.9 if n == 10**3 else 2.3 if n <= 10**5 else 3.5 if k == 33 else 1.9
            yield Cell("1D K = 12 … 129", f"1D {size(n)} × {k}", (n,), (k,), target=goal, beside=1.3 if n >= 10**6 else None)
        for k in (513, 2049):
            yield Cell("1D K = 513 … 2049", f"1D {size(n)} × {k}", (n,), (k,), target=1.6, beside=1.2 if n >= 10**5 else 1.1)
        for k in (16385, 131073):
            if n >= 10**4:
                goal = 3.5 if (n, k) == (10**7, 131073) else 1.15
                yield Cell("1D K = 16 k … 131 k", f"1D {size(n)} × {k}", (n,), (k,), target=goal, planned=max(goal, 1.25))


def channels() -> Iterator[Cell]:
    """Stereo, banks, a batch of sounds through a bank, layers."""
    for n in (10**5, 10**6):
        for k in (33, 513, 16385):
            yield Cell("stereo", f"planar {size(n)} × {k}", (n,), (k,), batch=2, target=1.15, beside=1.0)
            yield Cell("stereo", f"interleaved {size(n)} × {k}", (n,), (k,), batch=2, interleaved=True, target=1.8, beside=1.0)
    for k, goal in ((33, 1.25), (129, 2.0), (513, 1.5), (2049, 1.3)):
        yield Cell("bank 1 → 64", f"bank 1e5 × 64 × {k}", (10**5,), (k,), filters=64, mode="same", target=goal)
    for stride, goal in ((1, 2.5), (160, 1.0)):
        yield Cell("batch × bank", f"batch 32 × 16000, bank 64 × 401, stride {stride}", (16000,), (401,), batch=32, filters=64,
                   stride=stride, mode="valid", target=goal)
    for tensor in (False, True):
        for k, goal in ((3, 1.0), (9, 1.2), (33, 2.2), (129, 5.0)):
            yield Cell("dense 64 → 64", f"dense 64 → 64 × {k}" + ", tensors" * tensor, (16384,), (k,), channels=64, filters=64,
                       mode="same", tensor=tensor, target=goal)


def tensors() -> Iterator[Cell]:
    """Tensors in, tensors out, against what takes them: beside the table, so to be no slower than any."""
    for n, k in ((10**3, 9), (10**4, 129), (10**5, 33), (10**6, 9), (10**6, 33), (10**6, 513), (10**6, 16385)):
        yield Cell("1D, tensors", f"1D {size(n)} × {k}, tensors", (n,), (k,), tensor=True, target=1.0)
    for k in (33, 513):
        yield Cell("forward + backward", f"gradients 1e6 × {k}", (10**6,), (k,), tensor=True, grad=True, target=4.0)


def space() -> Iterator[Cell]:
    """Three planes, or one volume; as large as the input, zeros beyond the border."""
    for n in (512, 2048):
        for k in (3, 7, 31, 101):
            goal = 1.4 if k > 7 else 1.0 if (n, k) == (512, 7) else 2.0
            yield Cell("2D dense", f"2D {n}² × 3, {k}²", (n, n), (k, k), batch=3, mode="same", target=goal,
                       beside=0.6 if k <= 7 else None)
            yield Cell("2D separable", f"2D {n}² × 3, separable {k}", (n, n), (k, k), batch=3, mode="same", separable=True,
                       target=2.0, beside=1.0)
    for n in (64, 192):
        for k, goal in ((3, 2.0), (7, 1.1), (15, 1.25)):
            yield Cell("3D dense", f"3D {n}³, {k}³", (n,) * 3, (k,) * 3, mode="same", target=goal)
            yield Cell("3D separable", f"3D {n}³, separable {k}", (n,) * 3, (k,) * 3, mode="same", separable=True,
                       target=1.0 if n == 64 else 2.2)


def drawn(count: int, seed: int) -> Iterator[Cell]:
    """Cells at random sizes, so that the choice isn't fitted to a list; each size is log-uniform."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> int:
        return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))

    for i in range(count):
        kind, tensor = ("line", "bank", "dense", "strided", "image", "volume")[i % 6], bool(rng.random() < 0.25)
        more: dict[str, Any] = {}
        if kind in ("image", "volume"):
            axes, top, taps = (2, 1500, 80) if kind == "image" else (3, 130, 16)
            n, k = tuple(between(16, top) for _ in range(axes)), tuple(2 * between(1, taps / 2) + 1 for _ in range(axes))
            more = {"batch": between(1, 4), "mode": "same", "separable": bool(rng.random() < 0.3)}
        else:
            n, k = (between(300, 3e6 if kind == "line" else 6e4),), (2 * between(1, 2e4 if kind == "line" else 600) + 1,)
            m, c, b = between(2, 64), between(2, 64), between(1, 8)
            more = {"bank": {"filters": m, "batch": b}, "dense": {"filters": m, "channels": c}, "line": {},
                    "strided": {"filters": m, "batch": b, "stride": between(2, 200)}}[kind]
        told = ", ".join(f"{key} {value}" for key, value in more.items() if key != "mode" and value is not False)
        sizes = " × ".join("·".join(map(str, v)) for v in (n, k))
        name = f"drawn {i}: {sizes}" + (", " + told if told else "") + ", tensors" * tensor
        yield Cell("drawn", name, n, k, tensor=tensor, regret=True, **more)


def cells(numba: bool = False) -> list[Cell]:
    """All cells of the table."""
    return [*lines(numba), *channels(), *tensors(), *space()]
