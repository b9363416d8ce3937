"""One kernel on one line against numpy and scipy, in one process, taken in turn. Usage: python bench/lines.py [ROUNDS]"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from statistics import median
from time import process_time_ns

from measuring import ONE_THREAD, report

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np
import scipy.ndimage
import scipy.signal

from sigconv.engines import conv

SIZES = ((10**3, (3, 33, 129, 513)), (10**4, (3, 33, 129, 513, 2049)), (10**5, (3, 9, 33, 129, 513, 2049, 16385)),
         (10**6, (3, 9, 33, 129, 513, 2049, 16385)))
SHORT = 10**8  # products beyond which numpy.convolve is left out
DRAWN = 8  # cells at random beside these, so that the choice is not fitted to a list


def cell(n: int, k: int, rounds: int) -> str:
    """One row: ours, the best peer, their ratio, and the error against double precision."""
    rng = np.random.default_rng(n + k)
    x, h = rng.standard_normal(n, dtype=np.float32), rng.standard_normal(k, dtype=np.float32)
    X, H, window = x[None, None], h[None, None], (0, n + k - 1)
    jobs: dict[str, Callable[[], np.ndarray]] = {
        "sigconv": lambda: conv(X, H, window=window), "numpy.convolve": lambda: np.convolve(x, h),
        "oaconvolve": lambda: scipy.signal.oaconvolve(x, h), "fftconvolve": lambda: scipy.signal.fftconvolve(x, h),
        "ndimage": lambda: scipy.ndimage.convolve1d(x, h, mode="constant")}
    if n * k > SHORT:
        del jobs["numpy.convolve"], jobs["ndimage"]
    turns = max(min(int(3e6 / (n + k)), 300), rounds)
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(turns + 1):
        for name, job in jobs.items():
            begin = process_time_ns()
            job()
            if turn:
                spent[name].append((process_time_ns() - begin) / 1e3)
    exact = scipy.signal.fftconvolve(x.astype(float), h.astype(float))
    error = float(np.abs(jobs["sigconv"]()[0, 0] - exact).max() / np.abs(exact).max())
    best = min((name for name in jobs if name != "sigconv"), key=lambda name: median(spent[name]))
    ratio = median(b / a for a, b in zip(spent["sigconv"], spent[best], strict=True))
    ours, theirs = median(spent["sigconv"]), median(spent[best])
    return f"| {n} | {k} | {ours:.0f} µs | {best} | {theirs:.0f} µs | {ratio:.2f} | {error:.1e} |"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    rng = np.random.default_rng(1)
    drawn = sorted((int(10 ** rng.uniform(3, 6)), int(10 ** rng.uniform(0.5, 4))) for _ in range(DRAWN))
    head = "| samples | taps | sigconv | best peer | its time | times as long | error |\n|---|---|---|---|---|---|---|"
    rows = [cell(n, k, rounds) for n, taps in SIZES for k in taps]
    report("lines", "\n".join([head, *rows, "", "At sizes drawn at random:", "", head, *(cell(n, k, rounds) for n, k in drawn)]))


if __name__ == "__main__":
    main()
