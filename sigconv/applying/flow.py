"""A sound that comes in blocks through a kernel, block by block.

`Run` gives the full convolution, from index a + b on (signal's start plus kernel's). `same` is its window on Ω: what lies
before is dropped, what is not there yet or no more is zero. Where the signal goes on past its ends by something else than
zeros, that is put before and behind it: the left is read by outputs 0 … b+K−2, the right by the last −b, so that so many
samples of either end are held, and what Ω ⊕ K has beyond Ω is dropped alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import arrays
from ..convolving import diag
from ..domain import Domain
from ..engines.packed import Chunks
from ..errors import SigconvError, SigconvWarning, among
from ..io import Blocks
from ..signal import PADDING_MODES, Signal
from ..values import as_layer

__all__ = ["Run", "suited", "through"]


def through(blocks: Blocks, k: Signal, *, mode: str = "same", padding_mode: str = "zeros") -> Iterator[Signal]:
    """``convolve(load(path), k, mode=mode, padding_mode=padding_mode)`` in pieces that follow each other, of any length.

    `mode`: "same" or "full". Within the numeric bound of what `convolve` gives, and as long. A bank of c filters on c channels is
    taken channel by channel (`diag`), which is said.

    >>> import sigconv as sc
    >>> with sc.io.blocks(sc.io.sample("speech")) as x:
    ...     sum(y.domain.size for y in through(x, sc.kernel("blur", x.domain))) == x.frames
    True

    Raises `SigconvError` for another mode, for padding in mode "full", and as `convolve`.
    """
    among(mode, ("same", "full"), "mode")
    among(padding_mode, PADDING_MODES, "padding_mode")
    if mode == "full" and padding_mode != "zeros":
        raise SigconvError(f"padding_mode {padding_mode!r} with mode 'full': only 'same' looks beyond the edges; wanted "
                           "padding_mode='zeros'")
    k = suited(k, blocks.value)
    if not isinstance(k.domain.start[0], int):
        raise SigconvError(f"a kernel whose taps begin at sample {k.domain.start[0]}, between those of the file: wanted a whole "
                           "start; re-base it with .at(0)")
    run = Run(k, blocks.frames)
    return _full(run, blocks) if mode == "full" else _same(run, blocks, padding_mode)


def suited(k: Signal, value: tuple[int, ...]) -> Signal:
    """The kernel for a signal of this value: as many filters as channels are one for each."""
    if k.value == value and value != (1,):
        warnings.warn(SigconvWarning(f"{value[0]} filters on {value[0]} channels: channel by channel"), stacklevel=2)
        return diag(k)
    return k


class Run:
    """A kernel at work on a sound of about `length` samples: blocks in, the full convolution out, large blocks at a time (an
    empty one where none is complete), and what is left by `flush`."""

    def __init__(self, k: Signal, length: int | None = None):
        self.kernel, self.length = k.numpy(), length
        self._chunks: Chunks | None = None

    def __call__(self, x: Signal) -> Signal:
        self.kernel.domain.agree(x.domain)
        data, taps, value, names = as_layer(x, self.kernel)
        data, taps, self._dtype = arrays.pair(data, taps)
        if self._chunks is None:
            self._chunks = Chunks(taps, len(data), data.dtype, self.length)
            self._like, self._value, self._names = x.domain, value, names
            self._at = x.domain.start[0] + self.kernel.domain.start[0]
        return self._placed(self._chunks.step(data))

    def flush(self) -> Signal:
        """The rest."""
        assert self._chunks is not None
        return self._placed(self._chunks.flush())

    def _placed(self, y: np.ndarray) -> Signal:
        n, at = y.shape[-1], self._at
        self._at += n
        return Signal(y.reshape(*self._value, n).astype(self._dtype, copy=False), _line(self._like, at, n), self._names)


def _full(run: Run, blocks: Blocks) -> Iterator[Signal]:
    for x in blocks:
        yield run(x)
    yield run.flush()


def _same(run: Run, blocks: Blocks, padding_mode: str) -> Iterator[Signal]:
    """The window on Ω, whose end is known when the last block has come."""
    first = at = blocks.domain.start[0]
    seen = 0
    held: Signal | None = None
    for x, n in _continued(blocks, run.kernel.domain, padding_mode):
        held, seen = _after(held, run(x), at), seen + n
        give = min(held.domain.shape[0], first + seen - at)
        if give > 0:
            yield _piece(held, 0, give)
            held, at = _piece(held, give, held.domain.shape[0]), at + give
    held = _after(held, run.flush(), at)
    if first + seen > at:
        yield held.on(_line(held.domain, at, first + seen - at))


def _after(held: Signal | None, y: Signal, at: Any) -> Signal:
    """What is held and what has come, from index `at` on: zeros before the first, nothing before `at`."""
    if held is not None and not y.domain.shape[0]:
        return held
    if held is not None and held.domain.shape[0]:
        y = Signal(np.concatenate([held.data, y.data], axis=-1), _line(held.domain, held.domain.start[0],
                                                                      held.domain.shape[0] + y.domain.shape[0]), y.names)
    end = y.domain.start[0] + y.domain.shape[0]
    return y if y.domain.start[0] == at else y.on(_line(y.domain, at, max(end - at, 0) if y.domain.shape[0] else 0))


def _continued(blocks: Blocks, kernel: Domain, padding_mode: str) -> Iterator[tuple[Signal, int]]:
    """The blocks, with what lies before and behind them; how many of the samples are the signal's own."""
    left = max(kernel.start[0] + kernel.shape[0] - 1, 0)
    right = max(-kernel.start[0], 0)
    if padding_mode == "zeros" or left == right == 0:
        yield from ((x, x.domain.shape[0]) for x in blocks)
        return
    last = _end(blocks, left) if padding_mode == "circular" and left else None
    parts, span = iter(blocks), max(left, right) + 1
    head = next(parts)
    while head.domain.shape[0] < span and (more := next(parts, None)) is not None:
        head = _joined(head, more)
    d, n = head.domain, head.domain.shape[0]
    if n < span:  # all of it is there, and may be read more than once
        yield head.on(_line(d, d.start[0] - left, left + n + right), padding_mode), n
        return
    if left:
        yield last.at(d.start[0] - left) if last else head.on(_line(d, d.start[0] - left, left), padding_mode), 0
    yield head, n
    tail, begin = _piece(head, n - span, n), _piece(head, 0, right)
    for x in parts:
        yield x, x.domain.shape[0]
        tail = _joined(tail, x) if x.domain.shape[0] < span else x
        tail = _piece(tail, tail.domain.shape[0] - span, tail.domain.shape[0])
    if right:
        end = tail.domain.start[0] + span
        yield begin.at(end) if padding_mode == "circular" else tail.on(_line(d, end, right), padding_mode), 0


def _end(blocks: Blocks, n: Any) -> Signal:
    """The last n samples of a file (all where it has fewer), by going through it once."""
    tail = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the second time through it is said
        for x in blocks:
            tail = x if tail is None or x.domain.shape[0] >= n else _joined(tail, x)
            tail = _piece(tail, max(tail.domain.shape[0] - n, 0), tail.domain.shape[0])
    assert tail is not None
    return tail


def _joined(a: Signal, b: Signal) -> Signal:
    return Signal(np.concatenate([a.data, b.data], axis=-1), _line(a.domain, a.domain.start[0],
                                                                  a.domain.shape[0] + b.domain.shape[0]), a.names)


def _piece(x: Signal, a: Any, b: Any) -> Signal:
    """Samples a … b−1, counted from the first."""
    return Signal(x.data[..., a:b], _line(x.domain, x.domain.start[0] + a, b - a), x.names)


def _line(d: Domain, start: Any, n: Any) -> Domain:
    return Domain(n, d.step, start, d.unit, d.name)
