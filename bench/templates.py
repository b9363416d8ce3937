"""A linear head on templates cut from examples, and on a bank of as many filters that was learned with it.

    python bench/templates.py ../shared/data/fsdd [COUNT] [EPOCHS]

Spoken digits, official split (takes 0-4 test). Both: `COUNT` filters of 64 taps at a stride of 8, magnitude, log of the mean in
eight parts of the clip, a linear layer. The templates stay as k-means left them; the learned bank starts from noise.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

import sigconv as sc

TAPS, STRIDE, PARTS, LENGTH = 64, 8, 8, 5120


def clips(folder: Path) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sounds (n, LENGTH) of one level, digits, and whether each is one of the test."""
    paths = sorted((folder / "recordings").glob("*.wav"))
    sounds = np.zeros((len(paths), LENGTH), np.float32)
    for row, path in zip(sounds, paths, strict=True):
        data = sc.load(path).data[0][:LENGTH]
        row[: len(data)] = data / max(float(np.sqrt(np.mean(data**2))), 1e-9)
    words = [path.stem.split("_") for path in paths]
    return torch.from_numpy(sounds), torch.tensor([int(w[0]) for w in words]), torch.tensor([int(w[2]) < 5 for w in words])


def features(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """(n, filters · PARTS)."""
    y = torch.nn.functional.conv1d(x[:, None], taps[:, None], stride=STRIDE).abs()
    return torch.log(torch.nn.functional.adaptive_avg_pool1d(y, PARTS) + 0.01).flatten(1)


def head(inputs: torch.Tensor, labels: torch.Tensor) -> torch.nn.Sequential:
    """Logistic regression on features of mean 0 and deviation 1."""
    norm = torch.nn.BatchNorm1d(inputs.shape[1], affine=False, momentum=None)
    with torch.no_grad():
        norm(inputs)
    net = torch.nn.Sequential(norm.eval(), torch.nn.Linear(inputs.shape[1], 10))
    optimiser = torch.optim.LBFGS(net[1].parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(inputs), labels) + 1e-3 * net[1].weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return net


def learned(x: torch.Tensor, y: torch.Tensor, count: int, epochs: int) -> torch.Tensor:
    """The taps of a bank trained with its head, by Adam."""
    taps = torch.nn.Parameter(torch.randn(count, TAPS) / TAPS**0.5)
    norm, linear = torch.nn.BatchNorm1d(count * PARTS), torch.nn.Linear(count * PARTS, 10)
    optimiser = torch.optim.Adam([taps, *norm.parameters(), *linear.parameters()], 3e-3)
    for _ in range(epochs):
        for some in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(linear(norm(features(x[some], taps))), y[some]).backward()
            optimiser.step()
    return taps.detach()


def main(folder: str, count: str = "50", epochs: str = "6") -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    x, y, test = clips(Path(folder))
    line = sc.line(LENGTH, 8000)
    examples = [sc.Signal(row[None].numpy(), line) for row in x[~test]]
    labels = y[~test].tolist()

    def templates() -> torch.Tensor:
        return torch.from_numpy(sc.learn.templates(examples, int(count) // 10, TAPS, labels).data).float()

    def components() -> torch.Tensor:
        return torch.from_numpy(sc.learn.oja(examples[::20], int(count), TAPS).data).float()

    for name, make in (("templates from examples", templates), ("components (oja)", components),
                       ("random taps", lambda: torch.randn(int(count), TAPS) / TAPS**0.5),
                       ("learned bank", lambda: learned(x[~test], y[~test], int(count), int(epochs)))):
        begun = time.process_time()
        taps = make()
        with torch.no_grad():
            inputs = features(x, taps)
        net = head(inputs[~test], y[~test])
        right = float((net(inputs[test]).argmax(1) == y[test]).float().mean())
        spent = time.process_time() - begun
        print(f"{name}: {100 * right:.1f} % of {int(test.sum())} right, {len(taps)} filters, {spent:.0f} s CPU", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
