"""Scattering as features: spoken digits told apart by logistic regression, and what the transform costs.

Usage: python bench/scattering.py FOLDER [--report]. FOLDER is the Free Spoken Digit Dataset. Its official split: takes 0 to 4 are
the test; the penalty is chosen on takes 5 to 9. Features: the log of every path in each third of a clip.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import process_time

from measuring import ONE_THREAD, report

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np
from scipy.optimize import minimize

import sigconv as sc

J, Q, PARTS, FLOOR = 8, 12, 3, 1e-3
PENALTIES = (3e-4, 1e-3, 3e-3, 1e-2)


def features(scatter: sc.Scattering, x: sc.Signal) -> np.ndarray:
    """log(S + floor), averaged over each part of the clip, which is brought to a peak of 1."""
    y = x.data[:1] / max(abs(x.data).max(), 1e-9)
    s = np.log(scatter(sc.Signal(y.astype(np.float32), x.domain)).data[0, 1:] + FLOOR)
    place = (np.arange(s.shape[-1]) + 0.5) / s.shape[-1] * PARTS - 0.5
    weight = np.maximum(1 - abs(place[:, None] - np.arange(PARTS)) / 1.0, 1e-3)
    return np.asarray((s @ (weight / weight.sum(0))).ravel(), np.float32)


def regression(x: np.ndarray, labels: np.ndarray, penalty: float) -> np.ndarray:
    """Weights (classes, features) of the least negative log-likelihood + penalty·|w|²."""
    hot = np.eye(labels.max() + 1, dtype=np.float32)[labels]

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(hot.shape[1], -1).astype(np.float32)
        z = x @ w.T
        z -= z.max(1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(1, keepdims=True))
        slope = (np.exp(logs) - hot).T @ x / len(x) + 2 * penalty * w
        return float(-(hot * logs).sum() / len(x) + penalty * (w * w).sum()), slope.ravel().astype(float)

    start = np.zeros(hot.shape[1] * x.shape[1])
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x.reshape(hot.shape[1], -1))


def accuracy(x: np.ndarray, labels: np.ndarray, learn: np.ndarray, ask: np.ndarray, penalty: float) -> float:
    mean, spread = x[learn].mean(0), x[learn].std(0) + 1e-6
    y = np.concatenate([(x - mean) / spread, np.ones((len(x), 1))], 1).astype(np.float32)
    return float(((y[ask] @ regression(y[learn], labels[learn], penalty).T).argmax(1) == labels[ask]).mean())


def main() -> None:
    files = sorted(Path(sys.argv[1]).rglob("*_*_*.wav"))
    names = [p.stem.split("_") for p in files]
    labels, takes = np.array([int(n[0]) for n in names]), np.array([int(n[2]) for n in names])
    sounds = [sc.load(p) for p in files]
    scatter = sc.Scattering(sounds[0], J, Q)
    scatter(sounds[0])
    begin = process_time()
    x = np.stack([features(scatter, s) for s in sounds])
    cost = process_time() - begin
    test, choice = takes < 5, (takes >= 5) & (takes < 10)
    tried = {p: accuracy(x, labels, ~test & ~choice, choice, p) for p in PENALTIES}
    best = max(tried, key=lambda p: tried[p])
    reached = accuracy(x, labels, ~test, test, best)
    seconds = sum(s.domain.shape[0] / s.rate for s in sounds)
    body = f"""| | |
|---|---|
| scattering, J = {J}, Q = {Q}, two orders | {len(scatter.paths)} paths |
| features of a clip | {x.shape[1]} |
| penalty, chosen on takes 5 to 9 ({100 * tried[best]:.1f} %) | {best:g} |
| official split, takes 0 to 4 of six speakers | {100 * reached:.1f} % of {int(test.sum())} |
| CPU of the transform | {1e3 * cost / len(files):.1f} ms a clip, {seconds / cost:.0f} × real time |

{len(files)} clips, {seconds:.0f} s at {sounds[0].rate:g} Hz, one by one; the log of each path, averaged
over the thirds of a clip."""
    print(body)
    if "--report" in sys.argv:
        report("scattering", body)


if __name__ == "__main__":
    main()
