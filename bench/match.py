"""`sc.match` beside what people use: scikit-image's template matching, and scipy's correlation divided by local norms.

Usage: python bench/match.py. In turn, one process, one thread, CPU time; every result is compared with ours before it is timed.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from time import process_time
from typing import Any

from measuring import ONE_THREAD, report

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np
from scipy import signal
from skimage.feature import match_template

import sigconv as sc

TURNS = 9


def by_scipy(x: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Cosines as one writes them with scipy, where the template lies inside."""
    energy = signal.fftconvolve(x**2, np.ones(k.shape), "valid")
    return signal.correlate(x, k, "valid", "fft") / (np.linalg.norm(k) * np.sqrt(np.maximum(energy, 1e-12)))


def cases() -> list[tuple[str, str, np.ndarray, np.ndarray, Callable[..., Any], bool]]:
    rng = np.random.default_rng(0)
    sound = rng.standard_normal(10 * 44100)
    motif, image, cube = sound[30000:36615].copy(), rng.random((512, 512)), rng.random((64, 64, 64))
    return [("10 s at 44.1 kHz, a motif of 0.15 s", "scipy", sound, motif, by_scipy, False),
            ("1 s at 16 kHz, 400 taps", "scipy", sound[:16000], sound[5000:5400], by_scipy, False),
            ("512 × 512, a patch of 32 × 32, means removed", "scikit-image", image, image[90:122, 200:232], match_template, True),
            ("512 × 512, a patch of 9 × 9, means removed", "scikit-image", image, image[90:99, 200:209], match_template, True),
            ("64 × 64 × 64, 8 × 8 × 8, means removed", "scikit-image", cube, cube[9:17, 20:28, 3:11], match_template, True)]


def grid(a: np.ndarray) -> sc.Domain:
    return sc.line(len(a), 44100) if a.ndim == 1 else sc.grid(*a.shape)


def row(name: str, peer: str, x: np.ndarray, k: np.ndarray, theirs: Callable[..., Any], centred: bool) -> str:
    X, K = sc.Signal(x, grid(x)), sc.Signal(k, grid(k))
    jobs = {"peer": lambda: theirs(x, k),
            "match": lambda: sc.match(X, K, centred=centred).scores.data[0],
            "p": lambda: sc.match(X, K, centred=centred).p.data[0]}
    inside = tuple(slice(0, n - m + 1) for n, m in zip(x.shape, k.shape, strict=True))
    want = jobs["peer"]()
    assert np.abs(jobs["match"]()[inside] - want).max() < 1e-6, name
    spent: dict[str, list[float]] = {job: [] for job in jobs}
    for _ in range(TURNS):
        for job, work in jobs.items():
            begin = process_time()
            work()
            spent[job].append(process_time() - begin)
    middle = {job: 1000 * statistics.median(times) for job, times in spent.items()}
    ratio = statistics.median(p / o for p, o in zip(spent["peer"], spent["match"], strict=True))
    return f"| {name} | {peer} | {middle['peer']:.1f} ms | {middle['match']:.1f} ms | {ratio:.2f} | {middle['p']:.1f} ms |"


def main() -> None:
    lines = ["| job | peer | peer takes | `sc.match` | times as long | `sc.match(…).p` |", "|---|---|---|---|---|---|",
             *(row(*case) for case in cases())]
    report("match", "\n".join(lines) + "\n\nFloat64, medians of CPU time; ours covers all places, also those where the template "
           "leans over the edge, theirs those where it\nlies inside. "
           "*Times as long*: theirs over ours. The last column also has the probability of each score, which they do not offer.")


if __name__ == "__main__":
    main()
