"""`Stream`: convolution of a signal that comes block by block, as long as it likes.

What comes out is the full convolution from its first sample on, and does not depend on where the blocks are cut, to the bit:
inside, `engines.partitioned` works on blocks of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import arrays
from .domain import Domain, natural
from .engines.partitioned import Partitioned
from .engines.rings import Past
from .errors import SigconvError
from .signal import Signal
from .values import as_layer

__all__ = ["Stream"]

BLOCK = 64  # samples dealt with at a time where latency is less
FADE = 512  # samples in which one kernel gives way to the next


@dataclass
class _Voice:
    """A kernel at work, heard from sample `at` on, fully after `fade` more."""

    engine: Partitioned
    at: int
    fade: int


class Stream:
    """A kernel that signals run through, block after block: ``stream(block) -> block``, then ``stream.flush()`` for the tail.

    `k`: a kernel on a line, of any value (see `convolve`). A block is an array `(*value, n)` or a Signal; what comes back is of
    the same kind, n samples for n, any n, also 1, changing from block to block. `latency` (samples): 0 answers at once; above 0
    the stream holds back that many samples (fewer come at first, never leading zeros) and large blocks cost less.

    Laws: all blocks, then `flush()`, are ``convolve(x, k, mode="full")`` within the numeric bound, and the same to the bit
    however x is cut. Zeros stand before and after. A Signal's time stamps are those of the full convolution: they begin at
    x.start + k.start.

    >>> import sigconv as sc
    >>> stream = Stream(sc.Signal([1.0, 0.5], sc.line(2, 8000)))
    >>> stream(np.array([[1.0, 0.0]])), stream(np.array([[2.0]])), stream.flush()
    (array([[1. , 0.5]]), array([[2.]]), array([[1.]]))

    Raises `SigconvError` for what is no kernel on a line, a negative latency, blocks that do not go on where the last one
    ended or change their value, and tensors that require grad (`convolve` has gradients).
    """

    _past: Past  # what has run in, (batch, channels, as much as a new kernel may want to have heard)
    _held: np.ndarray  # what has been made and not given yet

    def __init__(self, k: Signal, *, latency: int = 0):
        _check(k)
        (self.latency,) = natural(latency, "latency", 1, 0)
        self.kernel = k.numpy()
        self._waits = self.latency >= BLOCK
        self._block = 2 ** (self.latency.bit_length() - 1) if self._waits else BLOCK
        self._begin()

    def __call__(self, block: Any) -> Any:
        """The next samples of the convolution, as many as there are of the block (fewer at first, with latency)."""
        data = self._as_before(block) if self._first is not None and type(block) is np.ndarray else None
        if data is None:
            x = self._signal(block)
            data, taps, value, names = as_layer(x, self._live(x))
            if self._first is None:
                self._open(x, data, taps, value, names, block)
            elif x.value != self._first.value:
                raise SigconvError(f"a block of value {x.value} in a stream of value {self._first.value}: wanted the same from "
                                   "block to block; flush() begins anew")
        self._past.add(data if data.shape[-1] <= self._past.room else data[..., -self._past.room:])
        return self._given(self._through(data), block)

    def flush(self) -> Any:
        """What is still to come once the signal has ended: the K−1 samples of the tail, and what latency holds back. The stream
        then begins anew."""
        if self._first is None:
            raise SigconvError("flush of a stream that nothing ran through: wanted a block first")
        rest = self._seen + self.kernel.domain.shape[0] - 1 - self._out if self._seen else 0
        parts: list[np.ndarray] = []
        kind = self._kind
        while sum(p.shape[-1] for p in parts) < rest:
            parts.append(self._through(np.zeros((*self._lead, max(rest, self._block)), self._past.data.dtype)))
        y = np.concatenate(parts, axis=-1)[..., :rest] if parts else self._empty()
        self._out += rest - sum(p.shape[-1] for p in parts)
        tail = self._given(y, kind)
        self._begin()
        return tail

    def swap(self, k: Signal, *, fade: int = FADE) -> None:
        """Go on with another kernel, the old one giving way to it over the next `fade` samples (raised cosine).

        The new kernel hears what has run through before, as far back as the longest kernel so far reaches. `k`: of the same
        value and start as the old one.

        >>> import sigconv as sc
        >>> stream = Stream(sc.Signal([1.0], sc.line(1, 8000)))
        >>> _ = stream(np.ones((1, 10)))
        >>> stream.swap(sc.Signal([3.0], sc.line(1, 8000)), fade=4)
        >>> stream(np.ones((1, 6))).round(2)
        array([[1.08, 1.62, 2.38, 2.92, 3.  , 3.  ]])
        """
        _check(k)
        (fade,) = natural(fade, "fade", 1, 0)
        self.kernel.domain.agree(k.domain)
        if k.value != self.kernel.value or k.domain.start != self.kernel.domain.start:
            start = self.kernel.domain.start[0]
            raise SigconvError(f"a kernel of value {k.value} from {k.domain.start[0]} for one of value {self.kernel.value} from "
                               f"{start}: wanted the same; re-base it with .at({start})")
        longest = max(self.kernel.domain.shape[0], k.domain.shape[0])
        self.kernel = Signal(np.pad(k.numpy().data, [(0, 0)] * len(k.value) + [(0, longest - k.domain.shape[0])]),
                             Domain(longest, k.domain.step, k.domain.start, k.domain.unit, k.domain.name), k.names)
        if self._first is None:
            return
        taps, before = as_layer(self._first, self._live(self._first))[1], self._past
        self._voices.append(self._voice(taps, self._seen, fade))
        self._remember(before.last(before.room))

    def state(self) -> dict[str, Any]:
        """All that the future depends on, as arrays and numbers (see `restore`)."""
        known: dict[str, Any] = {"kernel": self.kernel.data, "latency": self.latency, "seen": self._seen, "out": self._out}
        if self._first is None:
            return known
        voices = [{"taps": v.engine.taps, "at": v.at, "fade": v.fade, "engine": v.engine.state()} for v in self._voices]
        return known | {"history": self._past.last(self._past.room).copy(), "held": self._held.copy(), "voices": voices}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state()` of this stream, or of one of the same latency and blocks; the kernel comes along."""
        blank = "voices" not in state
        if state["latency"] != self.latency or not (blank or (self._first and state["history"].shape[:2] == self._lead)):
            raise SigconvError("a state of blocks that this stream has not seen: wanted one block of their value through it "
                               "first, and the same latency")
        d, taps = self.kernel.domain, state["kernel"]
        self.kernel = Signal(taps, Domain(taps.shape[-1], d.step, d.start, d.unit, d.name), self.kernel.names)
        if blank:
            self._begin()
            return
        self._seen, self._out = int(state["seen"]), int(state["out"])
        self._held = state["held"].copy()
        self._remember(state["history"])
        self._voices.clear()
        for saved in state["voices"]:
            engine = self._engine(saved["taps"])
            engine.restore(saved["engine"])
            self._voices.append(_Voice(engine, saved["at"], saved["fade"]))

    def _begin(self) -> None:
        self._first: Signal | None = None
        self._seen = self._out = 0
        self._voices: list[_Voice] = []

    def _as_before(self, block: np.ndarray) -> np.ndarray | None:
        """A block as the engines take it, where it is of the kind of the first, which has been looked at."""
        if block.dtype != self._past.data.dtype or not block.shape or block.shape[:-1] != self._first_value:
            return None
        return block.reshape(*self._lead, block.shape[-1])

    def _signal(self, block: Any) -> Signal:
        """The block as a Signal on NumPy at its place."""
        if isinstance(block, Signal):
            self.kernel.domain.agree(block.domain)
            if self._first is not None and block.domain.start[0] != self._first.domain.start[0] + self._seen:
                raise SigconvError(f"a block from sample {block.domain.start[0]}: the one before ended at "
                                   f"{self._first.domain.start[0] + self._seen}; wanted the next")
            data, start = block.data, block.domain.start[0]
        else:
            data, start = arrays.asarray(block), self._seen
        if arrays.is_tensor(data) and data.requires_grad:
            raise SigconvError("a block that requires grad in a stream: no gradient passes; wanted .detach(), or sc.convolve")
        if not len(data.shape):
            raise SigconvError("a number as a block: wanted samples, (*value, n)")
        d = self.kernel.domain
        return Signal(arrays.computable(arrays.to_numpy(data)), Domain(data.shape[-1], d.step, start, d.unit, d.name),
                      block.names if isinstance(block, Signal) else None)

    def _live(self, x: Signal) -> Signal:
        return Signal(arrays.like(self.kernel.data, x.data), self.kernel.domain, self.kernel.names)

    def _open(self, x: Signal, data: np.ndarray, taps: np.ndarray, value: tuple, names: tuple, block: Any) -> None:
        """The first block says what the others are."""
        self._first, self._value, self._names, self._kind = x, value, names, block
        self._dtype = arrays.pair(block.data if isinstance(block, Signal) else arrays.asarray(block), taps)[2]
        self._lead, self._first_value = data.shape[:2], x.value
        self._remember(np.zeros((*self._lead, 0), data.dtype))
        self._voices = [self._voice(taps, 0, 0)]
        self._held = self._empty()

    def _engine(self, taps: np.ndarray) -> Partitioned:
        return Partitioned(taps, self._lead[0], self._past.data.dtype, self._block, self._waits)

    def _voice(self, taps: np.ndarray, at: int, fade: int) -> _Voice:
        """A kernel at work from sample `at` on, having heard what is kept of the past."""
        engine, kept = self._engine(taps), max(at - self._past.room, 0)
        first = -(-kept // self._block) * self._block  # blocks of all voices end together
        engine.step(self._past.last(at - first))
        return _Voice(engine, at, fade)

    def _remember(self, past: np.ndarray) -> None:
        """Begin to keep as much of the input as a new kernel may want to have heard."""
        room = self.kernel.domain.shape[0] + 2 * self._block
        self._past = Past(self._lead, room, room, past.dtype)
        self._past.add(past)

    def _made(self) -> int:
        """Outputs that have been made, given or held back."""
        return self._out + self._held.shape[-1]

    def _through(self, data: np.ndarray) -> np.ndarray:
        """What may be given now."""
        made = self._made()
        y = self._voices[0].engine.step(data)
        for voice in self._voices[1:]:
            new, n = voice.engine.step(data), y.shape[-1]
            t = (np.arange(made, made + n) + 0.5 - voice.at) / max(voice.fade, 1e-9)
            g = 0.5 - 0.5 * np.cos(np.pi * np.clip(t, 0, 1))
            y = (y * (1 - g) + new[..., :n] * g).astype(y.dtype, copy=False)
        self._seen += data.shape[-1]
        while len(self._voices) > 1 and made >= self._voices[1].at + self._voices[1].fade:
            del self._voices[0]
        n = max(self._seen - self.latency - self._out, 0)
        if n == self._held.shape[-1] and self.latency:
            y, self._held = self._held, y
        elif self.latency:
            both = np.concatenate([self._held, y], axis=-1)
            y, self._held = both[..., :n], both[..., n:]
        self._out += n
        return y

    def _empty(self) -> np.ndarray:
        engine = self._voices[0].engine
        return np.zeros((engine.batch, len(engine.taps), 0), engine.dtype)

    def _given(self, y: np.ndarray, block: Any) -> Any:
        """Samples as the kind of the block, with their place in time."""
        assert self._first is not None
        y = y.reshape(*self._value, y.shape[-1])
        if type(block) is np.ndarray:
            return y if y.dtype == self._dtype else y.astype(self._dtype)
        kind = arrays.asarray(block.data if isinstance(block, Signal) else block)
        data = arrays.like(y, arrays.computable(kind)) if arrays.is_tensor(kind) else y
        data = arrays.namespace(data).astype(data, self._dtype, copy=False)
        if not isinstance(block, Signal):
            return data
        d, start = block.domain, self._first.domain.start[0] + self.kernel.domain.start[0] + self._out - y.shape[-1]
        return Signal(data, Domain(y.shape[-1], d.step, start, d.unit, d.name), self._names)


def _check(k: Any) -> None:
    if not isinstance(k, Signal) or k.domain.ndim != 1 or 0 in k.data.shape:
        what = f"a kernel of shape {tuple(k.data.shape)} on {k.domain.ndim} axes" if isinstance(k, Signal) else \
            f"a {type(k).__name__}"
        raise SigconvError(f"a stream through {what}: wanted a kernel on a line, e.g. sc.kernel(spec, x)")
