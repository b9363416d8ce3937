"""Streams against pedalboard, block by block, in one process, taken in turn. Usage: python bench/streams.py [ROUNDS]"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from statistics import median
from time import process_time_ns
from typing import Any

from measuring import ONE_THREAD, report

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np
import scipy.signal

import sigconv as sc

try:
    import pedalboard
except ImportError:
    pedalboard = None

RATE = 44100
TAPS = ((1024, 1), (16384, 1), (131072, 1), (131072, 2))  # and channels
BLOCKS = (64, 128, 512, 2048)
TURN = 16384  # samples in a row to each, and at least 64 blocks
HEAD = """| taps | channels | block | latency | mean | 99 % | largest | pedalboard | 99 % | largest | times as long | error |
|---|---|---|---|---|---|---|---|---|---|---|---|"""
Job = Callable[[np.ndarray], np.ndarray]


def response(taps: int) -> np.ndarray:
    """Noise that dies away by 60 dB."""
    noise = np.random.default_rng(taps).standard_normal(taps)
    return (noise * 10 ** (-3 * np.arange(taps) / taps)).astype(np.float32)


def peer(h: np.ndarray, block: int) -> Job:
    convolution: Any = pedalboard.Convolution(h, mix=1.0, sample_rate=float(RATE))
    return lambda x: convolution.process(x, RATE, buffer_size=block, reset=False)


def spent(jobs: dict[str, Job], channels: int, block: int, rounds: int) -> dict[str, np.ndarray]:
    """Microseconds of every block: (rounds, blocks a round); a first round is not counted."""
    rng, each = np.random.default_rng(block), max(TURN // block, 64)
    times: dict[str, list[list[float]]] = {name: [] for name in jobs}
    for turn in range(rounds + 1):
        blocks = rng.standard_normal((each, channels, block), dtype=np.float32)
        for name, job in jobs.items():
            row = []
            for x in blocks:
                begin = process_time_ns()
                job(x)
                row.append((process_time_ns() - begin) / 1e3)
            if turn:
                times[name].append(row)
    return {name: np.array(rows) for name, rows in times.items()}


def error(k: sc.Signal, channels: int, block: int, latency: int) -> float:
    """Over three halves of the kernel's length, in blocks."""
    n = k.domain.shape[0] * 3 // 2
    x = np.random.default_rng(n).standard_normal((channels, n), dtype=np.float32)
    stream = sc.Stream(k, latency=latency)
    parts = [stream(x[:, a:b]) for a, b in pairwise([*range(0, n, block), n])]
    exact = scipy.signal.fftconvolve(x.astype(float), k.data[None].astype(float), axes=-1)
    return float(np.abs(np.concatenate([*parts, stream.flush()], axis=-1) - exact).max() / np.abs(exact).max())


def told(times: np.ndarray) -> str:
    return f"{median(times.mean(axis=1)):.0f} µs | {np.percentile(times, 99):.0f} | {times.max():.0f}"


def cell(taps: int, channels: int, block: int, rounds: int) -> list[str]:
    """A row for each latency."""
    h = response(taps)
    k = sc.Signal(h, sc.line(taps, RATE))
    jobs: dict[str, Job] = {str(latency): sc.Stream(k, latency=latency) for latency in (block, 0)}
    if pedalboard:
        jobs["pedalboard"] = peer(h, block)
    times, rows = spent(jobs, channels, block, rounds), []
    theirs = times.get("pedalboard")
    for latency in (block, 0):
        ours, against = times[str(latency)], "– | – | – | –"
        if theirs is not None:
            against = f"{told(theirs)} | {median(theirs.mean(axis=1) / ours.mean(axis=1)):.2f}"
        rows.append(f"| {taps} | {channels} | {block} | {latency} | {told(ours)} | {against} | "
                    f"{error(k, channels, block, latency):.1e} |")
    return rows


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    rows = [row for taps, channels in TAPS for block in BLOCKS for row in cell(taps, channels, block, rounds)]
    said = f"Against pedalboard {version('pedalboard')}." if pedalboard else \
        "pedalboard is not installed, so there is nothing to compare with: `pip install pedalboard`."
    report("streams", "\n".join([HEAD, *rows, "", said]))


if __name__ == "__main__":
    main()
