"""Overlap-save by compiled transforms (`lanes.py`): blocks of 2N real samples, N = n·W, without a transposition or a shuffle.

A block is a polynomial in t whose product with the taps is wanted modulo t^2N + 1, where what runs over the end comes back
negated at the front, into the outputs that overlap-save throws away. Three steps make small ones of it:

    folded    t^2N + 1 = (t^N − i)(t^N + i), and a real polynomial is known by its remainder by the first: x_j + i·x_(j+N)
    columns   j = W·r + v, and t^W = s: for each of the W lanes v a polynomial in s, modulo s^n = i. With s = ω·σ, ω^n = i, that
              is a circle, σ^n = 1: row r times ω^r, and a transform of n points down each column, all lanes at once
    lanes     at frequency k what is left are W coefficients in t, modulo t^W = s_k = exp(−2πi (k − ¼)/n): for these

                  y_v = Σ_u x_u · h_(v−u),        h_(v−W) = s_k · h_v,

              as it stands, 2W multiplications a sample, which lie in the machine's registers as they lie in memory

(right-angle convolution: Nussbaumer, Fast Fourier Transform and Convolution Algorithms, 1982, ch. 7; polyphase matrices:
Vaidyanathan, Multirate Systems and Filter Banks, 1993, ch. 5). Several channels are summed, several filters served, from one
transform of each block; a stride takes of a block what is wanted. Transforms are out of place and in natural order (Stockham):
from those of m/4 points, of every (4n/m)-th row, to those of m points, p < m/4, l < 4,

    X_m[p + l·m/4] = Σ_(j<4) (−i)^(jl) · exp(−2πi·jp/m) · X_(m/4, j)[p],

and back they are the same with real and imaginary parts exchanged.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, prod
from threading import local
from typing import Any

import numpy as np

from . import compiled
from .job import Job
from .spectral import spread

__all__ = ["ROWS", "cost", "folded", "line", "prepared", "rows", "run", "scratch", "serves", "tables"]

W = 16  # as in `lanes`, which is not opened for it
ROWS = tuple(sorted(r << e for r, e in [(1, e) for e in range(4, 18)] + [(3, e) for e in range(3, 16)]))
FEW = 1 << 24  # numbers of all spectra
HELD = 1 << 15  # numbers of spectra that stay near while filters take them in turn
KEPT = 1 << 22  # numbers that a thread keeps to write on


def serves(job: Job, kind: str) -> bool:
    """Whether these are real samples, and the spectra of the kernel few enough."""
    return kind in "fd" and _best(_line(job), kind)[1] > 0


def cost(job: Job, kind: str) -> float:
    """Nanoseconds, about."""
    flat = _line(job)
    laid = 0.0 if len(job.n) == 1 else (0.3 if kind == "f" else 0.6) * job.batch * job.channels * flat.n[0]
    return _best(flat, kind)[0] + laid


def rows(job: Job, kind: str) -> int:
    """Of a block."""
    return _best(_line(job), kind)[1]


def _pitch(job: Job) -> tuple[int, ...]:
    """How far apart in memory rows stand, and planes, so that none reaches into the wanted outputs of the next."""
    return tuple(max(stop, n, n + span - first, span + 1)
                 for n, span, first, stop in zip(job.n[1:], job.spans[1:], job.first[1:], job.stop[1:], strict=True))


@lru_cache(maxsize=1024)
def _line(job: Job) -> Job:
    """The same job on lines: a plane's rows one after another with zeros between, where a shift along any axis is a shift."""
    if len(job.n) == 1:
        return job
    pitch = _pitch(job)
    steps = [prod(pitch[axis:]) for axis in range(len(job.n))]
    taps = 1 + sum(span * step for span, step in zip(job.spans, steps, strict=True))
    first = sum(at * step for at, step in zip(job.first, steps, strict=True))
    return Job(job.batch, job.channels, job.filters, job.groups, (job.n[0] * steps[0],), (taps,), (1,), (1,), (first,),
               (first + (job.stop[0] - job.first[0]) * steps[0],))


@lru_cache(maxsize=4096)
def _best(job: Job, kind: str) -> tuple[float, int]:
    """The least cost, and its rows; 0 of them where no block is long enough."""
    best, pairs = (inf, 0), job.filters * job.channels // job.groups
    for n in ROWS:
        step, _, _ = _blocks(job, n)
        if step < 1 or pairs * 4 * n * W > FEW:
            continue
        wide, turns = (1 if kind == "f" else 2), -(-(job.stop[0] - job.first[0]) // step)
        stage = 0.06 if n <= 1024 else 0.08 if n <= 4096 else 0.11
        turn = 2 * n * W * (stage * (n.bit_length() - 1) / 2) * wide
        moved = 2 * n * W * wide
        each = job.channels * (turn + 0.1 * moved) + pairs * 0.7 * moved + job.filters * (turn + 0.2 * moved)
        total = job.batch * turns * (each + 30 * (job.channels + job.filters)) + pairs * (turn + 0.25 * moved) + 9e3
        best = min(best, (total, n))
        if turns == 1:
            break
    return best


def _blocks(job: Job, n: int) -> tuple[int, int, int]:
    """How many outputs, before the stride, a block of n rows gives, where the first begins, and its first clean sample."""
    return _first_block(2 * n * W, job.spans[0], job.n[0], job.first[0], job.stop[0], job.stride[0])


def _first_block(size: int, span: int, n: int, first: int, stop: int, stride: int) -> tuple[int, int, int]:
    low = max(first - span, 0)  # all at once: what lies before the signal is zero
    if size >= max(stop - low, min(stop, n) + span - first):
        return -(-(stop - first) // stride) * stride, low, first - low
    return max(size - span, 0) // stride * stride, first - span, span


def folded(x: np.ndarray, w: np.ndarray, job: Job) -> np.ndarray:
    """The convolution; for jobs that it `serves`."""
    return run(x, prepared(w, job), job)


def prepared(w: np.ndarray, job: Job) -> tuple[int, np.ndarray, np.ndarray]:
    """The rows of a block, and the spectra of the kernel for them."""
    n, taps = rows(job, w.dtype.char), spread(w, job)
    if len(job.n) > 1:
        taps = _apart(taps, _pitch(job))[..., : _line(job).k[0]]
    return n, *_spectra(taps, n)


def run(x: np.ndarray, ready: tuple[int, np.ndarray, np.ndarray], job: Job) -> np.ndarray:
    """The convolution with what was `prepared`, for as many signals at once."""
    (n, *spectra), flat = ready, _line(job)
    y = np.empty((len(x), job.filters, flat.out[0]), spectra[0].dtype)
    shape = len(x), job.groups, job.channels // job.groups, job.filters // job.groups, flat.n[0]
    lines = x if len(job.n) == 1 else _apart(x, _pitch(job))
    _convolve(lines, n, spectra, shape, (*_blocks(flat, n), flat.first[0], flat.stop[0], flat.stride[0]), y)
    if len(job.n) == 1:
        return y
    inside: Any = (..., *(slice(0, b - a, s) for a, b, s in zip(job.first, job.stop, job.stride, strict=True)))
    return y.reshape(*y.shape[:2], -1, *_pitch(job))[inside]


def _apart(x: np.ndarray, pitch: tuple[int, ...]) -> np.ndarray:
    """Planes or volumes as lines, zeros between rows."""
    wide = np.zeros((*x.shape[:3], *pitch), x.dtype.newbyteorder("="))
    inside: Any = (..., *(slice(n) for n in x.shape[3:]))
    wide[inside] = x
    return wide.reshape(*x.shape[:2], -1)


def line(x: np.ndarray, h: np.ndarray, first: int, stop: int, n: int) -> np.ndarray:
    """Outputs first … stop−1 of the full convolution of a line and its taps, in blocks of n rows."""
    y = np.empty(stop - first, h.dtype)
    ends = _first_block(2 * n * W, len(h) - 1, len(x), first, stop, 1)
    _convolve(x, n, _spectra(h, n), (1, 1, 1, 1, len(x)), (*ends, first, stop, 1), y)
    return y


def _spectra(h: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    count, k = h.size // h.shape[-1], h.shape[-1]
    real, imaginary = (np.empty(count * 2 * n * W, h.dtype) for _ in range(2))
    compiled.opened_loop("spectra", h.dtype.char)(
        compiled.flat(h), count, k, n, *tables(n, h.dtype.char), real, imaginary, scratch(6 * n * W, h.dtype))
    return real, imaginary


def _convolve(x: np.ndarray, n: int, spectra: Any, shape: tuple[int, ...], ends: tuple[int, ...], y: np.ndarray) -> None:
    step, begin, low, first, stop, stride = ends
    _, _, channels, filters, length = shape
    many = min(max(HELD // (n * W * channels), 1), -(-(stop - first) // step)) if filters > 1 else 1
    sizes = np.array((*shape, n, begin, low, step, stop - first, stride, y.shape[-1], min(length, stop), many))
    room = 6 * n * W + step + 2 * many * channels * n * W * (channels * filters > 1)
    c, s, _, turns = tables(n, y.dtype.char)
    compiled.opened_loop("lines", y.dtype.char)(
        compiled.flat(x), *spectra, sizes, c, s, turns, y.reshape(-1), scratch(room, y.dtype))


_own = local()


def scratch(room: int, dtype: np.dtype) -> np.ndarray:
    """Numbers to write on, of this thread: new pages take longer than what is done with them."""
    held = getattr(_own, dtype.char, None)
    if held is None or len(held) < room:
        held = np.empty(room, dtype)
        if room <= KEPT:
            setattr(_own, dtype.char, held)
    return held


@lru_cache(maxsize=16)
def tables(n: int, kind: str) -> tuple[np.ndarray, ...]:
    """ω^r for each number of a block, real and imaginary; s_k; and the factors of the transforms' stages."""
    turn = np.repeat(np.exp(0.5j * np.pi / n * np.arange(n)), W)
    parts: list[Any] = [turn.real, turn.imag, _pairs(np.exp(-2j * np.pi / n * (np.arange(n) - 0.25))), _stages(n)]
    return tuple(np.ascontiguousarray(part, kind) for part in parts)


def _stages(n: int) -> np.ndarray:
    """exp(−2πi·jp/m) for j = 1, 2, 3, stage after stage; before them those from three to six."""
    m, made = (3 if n % 3 == 0 else 1), []
    if (n // m).bit_length() % 2 == 0:  # an odd power of two
        m *= 2
        made += [_pairs(np.exp(-2j * np.pi / m * np.arange(3)))] if m == 6 else []
    while m < n:
        m *= 4
        made.append(_pairs(np.exp(-2j * np.pi / m * np.outer(np.arange(m // 4), (1, 2, 3)))))
    return np.concatenate([*made, np.zeros(1)])


def _pairs(z: np.ndarray) -> np.ndarray:
    """Real and imaginary parts in turn."""
    return np.stack([z.real, z.imag], -1).reshape(-1)
