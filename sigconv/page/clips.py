"""The sounds of a page: what is heard of dry and of each take, on one time axis, as the clips that are embedded.

A page carries at most 60 s and two channels of each; clips that begin elsewhere or are longer (mode "full") are brought
onto the union of all, so that they play in step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..domain import Domain
from .sounds import samples
from .wave import wav

if TYPE_CHECKING:
    from ..hear import Listening
    from ..signal import Signal

__all__ = ["CHANNELS", "SECONDS", "Clip", "clips", "excerpt"]

SECONDS = 60
CHANNELS = 2


@dataclass(frozen=True)
class Clip:
    """One sound of the page: `data` (channels, n) float, as heard, and as the page holds it in `wav`."""

    id: str
    name: str
    kind: str
    data: np.ndarray
    wav: bytes


def clips(listening: Listening, bits: int, seconds: float = SECONDS,
          most: int | None = None, middle: bool = False) -> tuple[list[Clip], float, list[str]]:
    """(dry first, then every take, `most` clips in all; rate in Hz; what was left out, in words).

    Of more than `seconds` the first are kept, or those in the `middle`.
    """
    sounds = [listening.sound, *(take.sound for take in listening.takes)][:most]
    rate, union = float(listening.sound.rate), _union(sounds)
    first, keep = excerpt(union.shape[0], rate, seconds, middle)
    grid = Domain(keep, union.step, union.start[0] + first, union.unit)
    which = f"{seconds:g} s from the middle" if middle else f"the first {seconds:g} s"
    said = [_of_whole(listening)] if listening.whole else [] if keep == union.shape[0] else \
        [f"An excerpt: {which} of {union.shape[0] / rate:.1f} s are on this page."]
    many = max((s.data.shape[0] for s in sounds), default=1)
    if many > CHANNELS:
        said.append(f"Of up to {many} channels the first two are heard and drawn on this page.")
    names = ["Dry", *(take.name for take in listening.takes)][:most]
    made = []
    for i, (name, sound) in enumerate(zip(names, sounds, strict=True)):
        data = samples(sound.on(grid) if sound.domain != grid else sound)[:CHANNELS]
        made.append(Clip(f"t{i}" if i else "dry", name, "wet" if i else "dry", data, wav(data, rate, bits)))
    if bits == 16 and any(abs(clip.data).max(initial=0) > 1 for clip in made):
        said.append("Some samples lie beyond full scale: they clip here, in 16 bits.")
    elif any(abs(clip.data).max(initial=0) > 1 for clip in made):
        said.append("Some samples lie beyond ±1: the loudspeaker will clip them.")
    return made, rate, said


def _of_whole(listening: Listening) -> str:
    n, (whole, *_) = listening.sound.domain, listening.whole
    rate = float(whole.rate)
    at, seconds = float(n.start[0] - whole.start[0]) / rate, n.shape[0] / rate
    return (f"An excerpt: the loudest {seconds:.3g} s, from {at:.6g} s on, of {whole.shape[0] / rate:.1f} s. The whole "
            "result is in the sound file beside this page; levels and gains are those of the whole.")


def excerpt(n: int, rate: float, seconds: float, middle: bool) -> tuple[int, int]:
    """Which of n samples are kept: (first, how many)."""
    keep = min(n, round(seconds * rate))
    return (n - keep) // 2 if middle else 0, keep


def _union(sounds: list[Signal]) -> Domain:
    lead = sounds[0].domain
    offsets = [(lead.offset(s.domain)[0], s.domain.shape[0]) for s in sounds]
    first, stop = min(o for o, _ in offsets), max(o + n for o, n in offsets)
    return Domain(stop - first, lead.step, lead.start[0] + first, lead.unit)
