"""How good a net is: right answers with an interval, per label and per speaker, and how far its confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import SigconvError, printable
from .answers import answers

if TYPE_CHECKING:
    from .nets import Net
    from .speech import Speech

__all__ = ["Report", "calibration_error", "compare", "evaluate", "report", "sweep", "wilson"]


def wilson(right: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The interval of a share that was seen `right` times in `count`, of 95 % by default (Wilson, 1927): never beyond 0 and 1.

    >>> tuple(round(v, 4) for v in wilson(98, 100))
    (0.93, 0.9945)
    """
    if not count:
        return 0.0, 1.0
    p, w = right / count, z * z / count
    middle, half = (p + w / 2) / (1 + w), z / (1 + w) * sqrt(p * (1 - p) / count + w / (4 * count))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: |share right − mean confidence| over bins of confidence, weighted by how many clips lie in each
    (Guo et al., ICML 2017).

    >>> calibration_error(np.array([0.8] * 5), np.array([1, 1, 1, 1, 0]))
    0.0
    """
    at = np.clip((confidence * bins).astype(int), 0, bins - 1)
    counts = np.bincount(at, minlength=bins)
    gap = np.bincount(at, weights=right.astype(float) - confidence, minlength=bins)
    return float(np.round(np.abs(gap).sum() / max(counts.sum(), 1), 12))


@dataclass(frozen=True)
class Report:
    """Figures of one net on one set of clips, under one `protocol`.

    `accuracy` with its 95 % `interval` (Wilson); `balanced`, the mean over labels; `per_label`, `per_speaker`: (right, count);
    `confusion` (true, said); `nll`, mean −log of the true label's probability (10 equal ones: 2.3026); `calibration`: expected
    calibration error; `accepted`: share whose confidence reaches the net's `threshold`; `right`: which clips.
    """

    accuracy: float
    interval: tuple[float, float]
    balanced: float
    nll: float
    calibration: float
    accepted: float
    threshold: float
    count: int
    labels: tuple[str, ...]
    confusion: np.ndarray = field(repr=False)
    per_label: dict[str, tuple[int, int]] = field(repr=False)
    per_speaker: dict[str, tuple[int, int]] = field(repr=False)
    right: np.ndarray = field(repr=False)
    protocol: str = ""

    def __str__(self) -> str:
        low, high = self.interval
        return (f"{100 * self.accuracy:.1f} % of {self.count} clips (95 %: {100 * low:.1f} … {100 * high:.1f}), balanced "
                f"{100 * self.balanced:.1f} %, "
                f"NLL {self.nll:.3f}, calibration error {100 * self.calibration:.1f} %"
                + (f"; {self.protocol}" if self.protocol else ""))

    def table(self) -> dict[str, Any]:
        """As plain lists, tables, words and numbers."""
        return {"accuracy": self.accuracy, "interval": list(self.interval), "balanced": self.balanced, "nll": self.nll,
                "calibration": self.calibration, "threshold": self.threshold, "accepted": self.accepted, "clips": self.count,
                "protocol": self.protocol, "per_speaker": {k: v[0] / v[1] for k, v in self.per_speaker.items()},
                "per_label": {k: v[0] / v[1] for k, v in self.per_label.items() if v[1]}, "confusion": self.confusion.tolist(),
                "labels": list(self.labels)}


def report(probabilities: Any, y: Any, labels: Sequence[str], speakers: Sequence[str] = (), *, protocol: str = "",
           threshold: float = 0.0) -> Report:
    """The figures of probabilities (clips, labels) and true classes.

    >>> even = np.full((4, 10), 0.1)
    >>> round(report(even, [0, 1, 2, 3], list("0123456789")).nll, 4)
    2.3026

    Raises `SigconvError` for no clips, and shapes that do not fit.
    """
    p, y = np.asarray(probabilities, float), np.asarray(y, int)
    if p.shape != (len(y), len(labels)) or not len(y):
        raise SigconvError(f"probabilities of shape {p.shape} for {len(y)} clips and {len(labels)} labels: wanted (clips, "
                           f"labels), at least one")
    said = p.argmax(1)
    right = said == y
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (y, said), 1)
    totals = confusion.sum(1)
    per = {name: (int(confusion[i, i]), int(totals[i])) for i, name in enumerate(labels)}
    voices: dict[str, tuple[int, int]] = {}
    for name, good in zip(speakers, right, strict=False):
        before = voices.get(name, (0, 0))
        voices[name] = before[0] + int(good), before[1] + 1
    confidence = p.max(1)
    nll = -np.log(np.maximum(p[np.arange(len(y)), y], np.finfo(float).tiny))
    return Report(float(right.mean()), wilson(int(right.sum()), len(y)),
                  float((confusion.diagonal()[totals > 0] / totals[totals > 0]).mean()),
                  float(nll.mean()), calibration_error(confidence, right), float((confidence >= threshold).mean()), threshold,
                  len(y),
                  tuple(labels), confusion, per, dict(sorted(voices.items())), right, protocol)


def evaluate(net: Net, data: Speech, *, head: str = "label", protocol: str = "", snr: float | None = None, gain: float = 0.0,
             seed: int = 0, batch: int = 100) -> Report:
    """A net's figures on a set of clips, each brought to one level and set into the middle of the net's window.

    `head`: which question, of a net with several. `snr`: white noise at so many dB below the speech is added; `gain`: dB. The
    set's labels must be among the net's.

    >>> import tempfile, sigconv as sc
    >>> folder = tempfile.mkdtemp()
    >>> for name in ("no_ann_0", "no_bob_0", "yes_ann_0", "yes_bob_0"):
    ...     sc.save(sc.Signal(np.ones((1, 800)), sc.line(800, 8000)), f"{folder}/{name}.wav")
    >>> net, data = sc.learn.Net("m5", labels=["no", "yes"]), sc.learn.Speech(folder, cache=False)
    >>> evaluate(net, data).accuracy  # whatever it says, it says of all
    0.5

    Raises `SigconvError` for labels that the net does not know, and no clips.
    """
    if strange := [label for label in data.labels if label not in net.labels and data.counts[label]]:
        raise SigconvError(f"label {printable(strange[0], 60)!r}: the net knows {printable(', '.join(net.labels), 200)}; "
                           f"wanted clips of these")
    if not len(data.whole(net.rate)):
        raise SigconvError("no clips to judge by: wanted some that are whole")
    p, classes = probabilities_of(net, data, head, snr=snr, gain=gain, seed=seed, batch=batch)
    return report(p, classes, net.labels if head == "label" else net.config.heads[head], [item.speaker for item in data.items]
                  if data.speakers else (), protocol=protocol,
                  threshold=net.threshold)


@torch.no_grad()
def probabilities_of(net: Net, data: Speech, head: str = "label", *, snr: float | None = None, gain: float = 0.0, seed: int = 0,
                     batch: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (clips, answers) and true classes, in the net's order of answers."""
    words = {word: i for i, word in enumerate(net.labels if head == "label" else net.config.heads[head])}
    g = torch.Generator().manual_seed(seed)
    parts, classes = [], []
    for some in data.batches(batch, net.rate):
        x, lengths = torch.from_numpy(some.x), some.lengths
        if snr is not None:
            power = x.square().sum(1, keepdim=True) / torch.from_numpy(np.maximum(lengths, 1))[:, None]
            x = x + torch.randn(x.shape, generator=g) * (power * 10 ** (-snr / 10)).sqrt()
        x = x * 10 ** (gain / 20)
        parts.append(answers(net, [row[:n] for row, n in zip(x, lengths, strict=True)], head).numpy())
        classes.append([words.get(getattr(data.items[i], head), -1) for i in some.rows])
    return np.concatenate(parts), np.concatenate(classes)


def sweep(net: Net, data: Speech, *, snrs: Sequence[float] = (20, 10, 5, 0), gains: Sequence[float] = (-30, 0, 20),
          protocol: str = "") -> dict[str, Report]:
    """Reports under noise and at other levels: {"snr 10 dB": …, "gain -30 dB": …}.

    >>> import tempfile, sigconv as sc
    >>> folder = tempfile.mkdtemp()
    >>> for name in ("no_ann_0", "no_bob_0", "yes_ann_0", "yes_bob_0"):
    ...     sc.save(sc.Signal(np.ones((1, 800)), sc.line(800, 8000)), f"{folder}/{name}.wav")
    >>> net, data = sc.learn.Net("m5", labels=["no", "yes"]), sc.learn.Speech(folder, cache=False)
    >>> list(sweep(net, data, snrs=[10], gains=[-30]))
    ['snr 10 dB', 'gain -30 dB']
    """
    found = {f"snr {v:g} dB": evaluate(net, data, snr=v, protocol=f"{protocol}, white noise at {v:g} dB") for v in snrs}
    return found | {f"gain {v:+g} dB": evaluate(net, data, gain=v, protocol=f"{protocol}, gain {v:+g} dB") for v in gains}


def compare(a: Report, b: Report) -> str:
    """Which of two is better, and whether that could be chance: a sentence, by McNemar's test on the clips where they differ.

    >>> p = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> compare(report(p, [0, 1], ["no", "yes"]), report(p, [0, 0], ["no", "yes"]))
    '100.0 % and 50.0 %: the first is better on 1 clips, worse on 0 (p = 1, could be chance)'

    Raises `SigconvError` for figures of different protocols or sets: they do not compare.
    """
    from scipy.stats import binomtest

    if a.protocol != b.protocol or a.count != b.count or a.labels != b.labels:
        raise SigconvError(f"figures of {a.protocol or 'an unknown protocol'!r} ({a.count} clips) and "
                           f"{b.protocol or 'an unknown protocol'!r} "
                           f"({b.count}): they do not compare; wanted one protocol, the same clips")
    more, less = int((a.right & ~b.right).sum()), int((b.right & ~a.right).sum())
    p = binomtest(more, more + less).pvalue if more + less else 1.0
    word = "the first" if more > less else "the second" if less > more else "neither"
    return (f"{100 * a.accuracy:.1f} % and {100 * b.accuracy:.1f} %: {word} is better on {max(more, less)} clips, worse on "
            f"{min(more, less)} "
            f"(p = {p:.2g}" + (", could be chance)" if p > 0.05 else ")"))
