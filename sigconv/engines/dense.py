"""Layers of many channels on a line: blocks of F samples to frequency, mixed there, and back, all as products of matrices.

A transform of F points by matrix costs F products a sample, which for F of some dozens is less than it costs to move the sample:
so the cosines and sines D are laid out as a matrix, and a block x (F, c) of any layout goes through

    X = D x,        Y[ν] = X[ν] M[ν],        y = E Y

with, at each frequency ν, the complex product (c → m) as one real matrix M[ν] = [[Re H, Im H], [−Im H, Re H]], (2c, 2m). E gives
only the S = F − K + 1 outputs that do not fold (overlap-save). Nothing is copied in between: D writes the rows of one frequency,
real and imaginary, side by side, which is how M reads them.

Two thirds of D are saved by adding and subtracting the halves of a block, u = x[t] + x[t+F/2], v = x[t] − x[t+F/2]: odd
frequencies read v alone, even ones are those of u, a block of half the length, which is halved again until it is short. These
sums are made once for the whole line, whatever the blocks, and no constant is summed over more than `SHORT` samples in a row.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .direct import EXACT
from .job import Job
from .tiles import samples

__all__ = ["cost", "dense", "prepared", "serves"]

SIZES = (16, 32, 48, 64, 96, 128, 192, 256, 384)  # of blocks
LEAST = 8  # channels and filters
MOST = 193  # taps
SHORT = 32  # samples of the block that is halved no more
KERNEL = 44  # taps of the kernel summed in a row
ROOM = 2**18  # numbers in spectra held at a time


def serves(job: Job, kind: str) -> bool:
    """Whether this is a layer of single precision on a line, stride and dilation 1, whose kernel fits a block."""
    return kind == "f" and len(job.n) == 1 and job.stride == job.dilation == (1,) and job.k[0] <= MOST \
        and min(job.channels, job.filters) >= LEAST * job.groups


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about, of the best block."""
    return _best(job)[1]


@lru_cache(maxsize=1024)
def _best(job: Job) -> tuple[int, float]:
    """The size of block, and nanoseconds."""
    (k,), c, m = job.k, job.channels // job.groups, job.filters // job.groups
    found = {}
    for size in SIZES:
        step = size - k + 1
        if step < 1 or (2 * step < size and size != SIZES[-1]):
            continue
        blocks, half = -(-job.out[0] // step), size // 2 + 1
        transforms = blocks * 2 * half * (0.4 * size * c + step * m)
        mixed = blocks * half * 4 * c * m
        laid = half * c * m * (2 * k * 0.014 + 2.5)
        moved = blocks * size * (c * 0.5 + m * 0.3)
        found[size] = job.groups * (laid + job.batch * (0.015 * (transforms + mixed) + moved + 3e3 * blocks / 8)) + 3e4
    size = min(found, key=found.__getitem__)
    return size, found[size]


def dense(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution in blocks; for jobs that it `serves`."""
    return mixed(x, prepared(w, job), job)


def prepared(w: np.ndarray, job: Job) -> tuple[int, list[np.ndarray]]:
    """F, and M of every group: (F/2 + 1, 2c, 2m)."""
    size, (k,), groups = _best(job)[0], job.k, job.groups
    per, each = job.channels // groups, job.filters // groups
    rows = _waves(size)[:, :k].astype(w.dtype)
    spectra = []
    for g in range(groups):
        taps = w[g * each: (g + 1) * each].transpose(1, 0, 2).reshape(per * each, k)
        parts = [rows[:, a: a + KERNEL] @ taps[:, a: a + KERNEL].T for a in range(0, k, KERNEL)]
        H = sum(parts[1:], parts[0]).reshape(-1, 2, per, each)  # frequencies, real and imaginary
        M = np.empty((len(H), 2, per, 2, each), w.dtype)
        M[:, 0, :, 0] = M[:, 1, :, 1] = H[:, 0]
        M[:, 0, :, 1] = H[:, 1]
        np.negative(H[:, 1], out=M[:, 1, :, 0])
        spectra.append(M.reshape(len(H), 2 * per, 2 * each))
    return size, spectra


def mixed(x: np.ndarray, ready: tuple[int, list[np.ndarray]], job: Job) -> np.ndarray:
    """The convolution with what was `prepared`."""
    (size, spectra), (k,), total = ready, job.k, job.out[0]
    step, groups = size - k + 1, job.groups
    per, each = job.channels // groups, job.filters // groups
    blocks = -(-total // step)
    whole = np.empty((job.batch, job.filters, blocks * step), x.dtype)
    together = min(max(ROOM // ((size + 2) * max(per, each)), 1), blocks)
    back = _inverse(size)[size - step:].astype(x.dtype)
    X, Y = (np.empty((together, size + 2, count), x.dtype) for count in (per, each))
    first = job.first[0] - k + 1
    for b in range(job.batch):
        for g in range(groups):
            lines, out = x[b, g * per: (g + 1) * per], whole[b, g * each: (g + 1) * each]
            for j in range(0, blocks, together):
                n = min(together, blocks - j)
                wide = samples(lines, first + j * step, (n - 1) * step + size)
                _transformed(wide, size, step, X[:n])
                _mix(X[:n], spectra[g], Y[:n])
                y = out[:, j * step: (j + n) * step]
                np.matmul(back, Y[:n], out=np.lib.stride_tricks.as_strided(
                    y, (n, step, each), (step * y.strides[1], y.strides[1], y.strides[0])))
    return whole[..., :total]


def _transformed(wide: np.ndarray, size: int, step: int, X: np.ndarray) -> None:
    """Spectra of the blocks of lines (c, n): X (blocks, F + 2, c)."""
    at, matrices = 0, _matrices(size)
    for level, D in enumerate(matrices):
        length = D.shape[1]
        if level < len(matrices) - 1:
            line, wide = wide[:, :-length] - wide[:, length:], wide[:, :-length] + wide[:, length:]
        else:
            line = wide
        c, t = line.strides
        frames = np.lib.stride_tricks.as_strided(line, (len(X), length, len(wide)), (step * t, t, c), writeable=False)
        np.matmul(D, frames, out=X[:, at: at + len(D)])
        at += len(D)


def _mix(X: np.ndarray, M: np.ndarray, Y: np.ndarray) -> None:
    """Y[ν] = X[ν] M[ν], channels summed in parts of at most `EXACT`."""
    blocks, rows, c = X.shape
    V, U = (Z.reshape(blocks, rows // 2, -1).transpose(1, 0, 2) for Z in (X, Y))
    if c <= EXACT:
        np.matmul(V, M, out=U)
        return
    for a in range(0, 2 * c, c):
        for b in range(a, a + c, EXACT):
            z = min(b + EXACT, a + c)
            if b:
                U += V[:, :, b:z] @ M[:, b:z]
            else:
                np.matmul(V[:, :, :z], M[:, :z], out=U)


def _levels(size: int) -> list[tuple[int, np.ndarray]]:
    """Of every sum and difference its length and its frequencies, odd multiples of 1, 2, 4 …, at the last all that are left."""
    levels, each = [], 1
    while size // each > SHORT and size // each % 2 == 0:
        levels.append((size // each // 2, np.arange(each, size // 2 + 1, 2 * each)))
        each *= 2
    return [*levels, (size // each, np.arange(0, size // 2 + 1, each))]


@lru_cache(maxsize=32)
def _matrices(size: int) -> list[np.ndarray]:
    """D of every level: real and imaginary part of each of its frequencies."""
    return [_rows(size, ν)[:, :length].astype(np.float32) for length, ν in _levels(size)]


@lru_cache(maxsize=32)
def _waves(size: int) -> np.ndarray:
    """D as a whole, (F + 2, F), its frequencies in the order of the levels."""
    return np.concatenate([_rows(size, ν) for _, ν in _levels(size)])


@lru_cache(maxsize=32)
def _inverse(size: int) -> np.ndarray:
    """E of all outputs, (F, F + 2)."""
    ν = np.repeat(np.concatenate([ν for _, ν in _levels(size)]), 2)
    return (_waves(size) * (np.where((ν == 0) | (2 * ν == size), 1.0, 2.0) / size)[:, None]).T


def _rows(size: int, ν: np.ndarray) -> np.ndarray:
    angles = 2 * np.pi / size * (np.outer(ν, np.arange(size)) % size)
    return np.stack([np.cos(angles), -np.sin(angles)], 1).reshape(-1, size)
