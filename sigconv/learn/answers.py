"""What a net says of a recording: one label for a clip, scores over time for a long sound."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError
from ..resampling import resample
from ..signal import Signal
from .config import number
from .leveling import BLOCK, levelled, power_of_blocks

if TYPE_CHECKING:
    from .nets import Net

__all__ = ["Answer", "answer", "answers", "samples", "scan"]

LONGEST = 86_400  # s from score to score
MEMORY = 1.5  # s over which a running level looks back
PIECE = 2**20  # samples of a long sound that are scanned at a time


class Answer(str):
    """A label, with the `confidence` (probability) that the net gives it, whether that is `accepted`, and all `probabilities`.

    >>> said = Answer("yes", {"no": 0.25, "yes": 0.75}, threshold=0.5)
    >>> said == "yes", said.confidence, said.accepted
    (True, 0.75, True)
    """

    confidence: float
    accepted: bool
    probabilities: dict[str, float]

    def __new__(cls, label: str, probabilities: dict[str, float], threshold: float = 0.0) -> Answer:
        one = super().__new__(cls, label)
        one.probabilities, one.confidence = probabilities, probabilities[label]
        one.accepted = one.confidence >= threshold
        return one


def samples(x: Any, rate: int) -> torch.Tensor:
    """A sound as (n,) float32 samples at this rate, its channels mixed to their mean."""
    if not isinstance(x, Signal) or x.domain.ndim != 1 or x.domain.unit != ("s",) or len(x.value) > 1 \
            or arrays.is_complex(x.data):
        raise SigconvError(f"{x!r}: wanted a sound, a Signal on a line in seconds, e.g. sc.load(path)")
    if not x.domain.size:
        raise SigconvError("a sound of no samples: wanted some")
    data = arrays.to_numpy(x.data)
    if not np.isfinite(data).all():
        raise SigconvError("a sound with NaN or infinite samples: wanted finite numbers")
    data = data.astype(np.float64).reshape(-1, data.shape[-1]).mean(0, keepdims=True)
    mono = Signal(data, x.domain)
    if mono.rate != rate:
        mono = resample(mono, rate)
    return torch.from_numpy(np.ascontiguousarray(mono.data[0], np.float32))


@torch.no_grad()
def answer(net: Net, x: Signal) -> Answer:
    """The label of one recording."""
    probabilities = answers(net, [samples(x, net.rate)])[0]
    best = int(probabilities.argmax())
    return Answer(net.labels[best], dict(zip(net.labels, map(float, probabilities), strict=True)), net.threshold)


@torch.no_grad()
def answers(net: Net, clips: list[torch.Tensor], head: str = "label") -> torch.Tensor:
    """Probabilities (clips, answers) of clips of any length at the net's rate: levelled, the window around the loudest stretch
    of each."""
    net.eval()
    spare = (net.config.votes - 1) * net.stride
    rows = torch.stack([centred(clip.cpu(), net, spare) for clip in clips])
    rows = levelled(rows, net.rate).to(net.device)
    logits = net(rows, every=True)[head] if spare == 0 or not net.exact else _positions(net, rows, head)
    return torch.log_softmax(logits.double(), 1).reshape(len(rows), logits.shape[1], -1).mean(-1).softmax(1).cpu()


def _positions(net: Net, rows: torch.Tensor, head: str) -> torch.Tensor:
    h = net.features(rows)
    return (net.head if head == "label" else net.others[head])(h)


def centred(x: torch.Tensor, net: Net, spare: int = 0) -> torch.Tensor:
    """A window (and `spare` samples more) of a sound (n,), its middle where the middle of the speech is; zeros beyond its
    ends."""
    size = net.window + spare
    first, last = active(x, net.rate, net.window) if len(x) > net.window else (0, len(x))
    begin = (first + last - size) // 2
    begin = min(max(begin, 0), len(x) - size) if len(x) >= size else (len(x) - size) // 2
    left, right = max(-begin, 0), max(begin + size - len(x), 0)
    return F.pad(x[max(begin, 0):begin + size], (left, right))


def active(x: torch.Tensor, rate: int, longest: int) -> tuple[int, int]:
    """Where of a sound (n,) the speech is: the first and last active block, within the stretch of `longest` samples that has
    most of it."""
    size, power = round(BLOCK * rate), power_of_blocks(x, rate)
    floor = power.sort().values[len(power) // 10]
    on = ((power - 2 * floor).clamp(min=0) >= 1e-2 * (power.max() - floor)).to(power) * (power - floor).clamp(min=0).sqrt()
    if not on.any():
        return 0, len(x)
    count = max(longest // size, 1)
    total = torch.cumsum(F.pad(on, (1, count)), 0)
    begin = int((total[count:] - total[:-count]).argmax())
    inside = on[begin:begin + count].nonzero()[:, 0]
    return (begin + int(inside[0])) * size, min((begin + int(inside[-1]) + 1) * size, len(x))


@torch.no_grad()
def scan(net: Net, x: Signal, hop: float | None, level: bool) -> Signal:
    """Log-probabilities of every window."""
    wave = samples(x, net.rate)
    if len(wave) < net.window:
        raise SigconvError(f"a sound of {len(wave) / net.rate:g} s: a score reads {net.window / net.rate:g} s; wanted a longer "
                           f"one, or classify")
    net.eval()
    seconds = net.stride / net.rate if hop is None else hop
    jump = round(seconds * net.rate) if number(seconds, 0, LONGEST) else 0
    if jump < 1:
        raise SigconvError(f"hop {hop!r} s: wanted at least a sample, {1 / net.rate:g} s, at most {LONGEST} s")
    if level:
        wave = levelled(wave, net.rate, seconds=MEMORY)
    wave = wave.to(net.device)
    logits = _slid(net, wave, jump) if net.exact else _windows(net, wave, jump)
    data = torch.log_softmax(logits.double(), 0).cpu().numpy()
    # a score stands at the middle of the samples that it reads
    begin = Fraction(x.domain.start[0]) * x.domain.step[0] + Fraction(net.window - 1, 2 * net.rate)
    step = Fraction(jump, net.rate)
    return Signal(data, Domain(data.shape[1], step, begin / step, "s"), net.labels)


def _slid(net: Net, wave: torch.Tensor, jump: int) -> torch.Tensor:
    """(labels, positions) `jump` samples apart: positions that are a multiple of the net's stride apart come of one pass."""
    from math import gcd

    count = (len(wave) - net.window) // jump + 1
    apart = net.stride // gcd(net.stride, jump)  # so many passes, each of every apart-th position
    found = torch.empty(len(net.labels), count, device=wave.device)
    for shift in range(min(apart, count)):
        positions = range(shift, count, apart)
        every = jump * apart // net.stride
        piece = max(PIECE // (jump * apart), 1)
        for at in range(0, len(positions), piece):
            some = positions[at:at + piece]
            cut = wave[some[0] * jump:some[-1] * jump + net.window]
            found[:, some.start:some[-1] + 1:apart] = net.scores(cut[None])[0, :, ::every]
    return found


def _windows(net: Net, wave: torch.Tensor, jump: int) -> torch.Tensor:
    """The same, window by window."""
    windows = wave.unfold(0, net.window, jump)
    return torch.cat([net(part) for part in windows.split(64)]).T
