"""A stream under any sequence of blocks, swaps, states and flushes: all that came out so far is the start of what is due."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from laws import bound, near, same_bits

import sigconv as sc

SIZES = st.one_of(st.sampled_from([0, 1, 2, 63, 64, 65, 97, 128, 509]), st.integers(0, 300))


def taps(n, seed):
    return np.random.default_rng(seed).normal(size=n)


@dataclass(frozen=True)
class Run:
    """What went in and came out since the stream began: samples, kernels (taps, heard from, fade), and outputs."""

    x: np.ndarray
    kernels: tuple
    y: np.ndarray
    opened: bool = False

    def due(self):
        """The convolutions in double precision, each giving way to the next."""
        (h, _, _), *later = self.kernels
        n = self.x.size + h.size - 1 if self.x.size else 0
        y = np.convolve(self.x, h) if n else np.zeros(0)
        for h, at, fade in later:
            g = 0.5 - 0.5 * np.cos(np.pi * np.clip((np.arange(n) + 0.5 - at) / max(fade, 1e-9), 0, 1))
            y = y * (1 - g) + (np.convolve(self.x, h) if n else y) * g
        return y


class Streamed(RuleBasedStateMachine):
    @initialize(n=st.sampled_from([1, 2, 64, 65, 130, 700]), latency=st.sampled_from([0, 0, 1, 64, 100, 256]),
                dtype=st.sampled_from(["float32", "float64"]))
    def begin(self, n, latency, dtype):
        self.n, self.dtype, self.saved = n, dtype, None
        self.stream = sc.Stream(self.kernel(taps(n, 0)), latency=latency)
        self.run = self.anew(taps(n, 0))

    def kernel(self, h):
        return sc.Signal(h, sc.line(self.n, 8000))

    def anew(self, h):
        return Run(np.zeros(0, self.dtype), ((h, 0, 0),), np.zeros(0, self.dtype))

    @rule(n=SIZES, seed=st.integers(0, 99))
    def push(self, n, seed):
        x = np.random.default_rng(seed).normal(size=n).astype(self.dtype)
        y = self.stream(x[None])[0]
        self.run = replace(self.run, x=np.append(self.run.x, x), y=np.append(self.run.y, y), opened=True)

    @rule(seed=st.integers(1, 99), fade=st.sampled_from([0, 1, 60, 200]))
    def swap(self, seed, fade):
        h, run = taps(self.n, seed), self.run
        self.stream.swap(self.kernel(h), fade=fade)
        self.run = replace(run, kernels=(*run.kernels, (h, run.x.size, fade))) if run.opened else self.anew(h)

    @rule()
    def save(self):
        self.saved = self.stream.state(), self.run

    @precondition(lambda self: self.saved and self.run.opened)
    @rule()
    def restore(self):
        state, self.run = self.saved
        self.stream.restore(state)

    @precondition(lambda self: self.run.opened)
    @rule()
    def flush(self):
        run = replace(self.run, y=np.append(self.run.y, self.stream.flush()[0]))
        assert run.y.size == run.due().size
        self.check(run)
        same_bits(self.again(run), run.y)
        self.run = self.anew(run.kernels[-1][0])

    def again(self, run):
        """The same in pieces that only swaps part."""
        stream, at, parts = sc.Stream(self.kernel(run.kernels[0][0]), latency=self.stream.latency), 0, []
        for h, stop, fade in run.kernels[1:]:
            parts.append(stream(run.x[None, at:stop]))
            stream.swap(self.kernel(h), fade=fade)
            at = stop
        return np.concatenate([*parts, stream(run.x[None, at:]), stream.flush()], axis=-1)[0]

    def check(self, run):
        near(run.y, run.due()[: run.y.size], sum(2 * bound(run.x, h, self.dtype) for h, _, _ in run.kernels))

    @invariant()
    def what_came_out_is_the_start_of_what_is_due(self):
        if not hasattr(self, "run"):
            return
        assert self.run.y.size == max(self.run.x.size - self.stream.latency, 0)
        assert self.run.y.dtype == self.dtype
        self.check(self.run)


Streamed.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestStreamed = Streamed.TestCase
