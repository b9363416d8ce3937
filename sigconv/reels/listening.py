"""`listen` for files too long to hold: through each kernel twice, once to measure, once to write.

What is matched and guarded is known when the whole has been heard, so the first time through gives levels alone, and the second
convolves again and gives every block of every result times its gain. Of all samples an excerpt is kept, the loudest there is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import arrays
from ..applying import through
from ..applying.flow import suited
from ..domain import Domain
from ..errors import SigconvError, SigconvWarning
from ..hear import Listening, Take
from ..hear.fair import Heard, check, gains
from ..hear.listening import remarks
from ..hear.metering import Meter
from ..hear.scans import _flat
from ..io import Blocks
from ..offsets import dc_warning
from ..signal import Signal
from ..study.changes import changed_so_far
from ..study.tallies import Tally

__all__ = ["EXCERPT", "excerpt", "listen", "serves"]

EXCERPT = 15  # s that are kept


@dataclass
class _Told:
    """What the first time through says of a sound."""

    meter: Meter
    tally: Tally
    some: Signal  # a block of it, for names and grid
    n: int = 0
    start: Any = 0

    def add(self, x: Signal) -> None:
        data = _flat(x).data
        self.meter.add(data)
        self.tally.add(data)
        self.n += data.shape[1]

    @property
    def whole(self) -> Domain:
        d = self.some.domain
        return Domain(self.n, d.step, self.start, d.unit, d.name)


def serves(k: Signal, *, mode: str = "same", on: str = "signal", then: Any = None, mix: Any = None, wet: float = 1.0,
           **_: Any) -> bool:
    """Whether a file can go through a kernel block by block, with these options of `hear.listen`: a real kernel on the signal
    itself, nothing beside it, mode "same" or "full"."""
    late = mode == "full" and k.domain.start[0] > 0
    return mode in ("same", "full") and not late and on == "signal" and then is mix is None and wet == 1 \
        and not arrays.is_complex(k.data) and k.domain.ndim == 1 and isinstance(k.domain.start[0], int)


def listen(blocks: Blocks, kernels: Sequence[tuple[str, Signal]], write: Sequence[Callable[[Signal], None]] = (), *,
           match: str = "loudness", guard: bool = True, mode: str = "same", padding_mode: str = "zeros",
           see: Callable[[int, Signal], None] | None = None, tick: Callable[[int], None] | None = None,
           ) -> tuple[Listening, list[str]]:
    """Hear a file through each of the named kernels, as `hear.listen` does; and what changed, in words, a line each.

    `write`: a function for each kernel, which is given every block of what is heard, in order. `see`: is given every block before
    any gain, with 0 for the file's own and i for the i-th kernel's. `tick`: is told how many samples went by.

    The Listening holds `EXCERPT` seconds, the loudest of the file; its levels and gains are those of the whole file, whose lines
    are its `whole`. Gains are what `hear.listen` gives to the accuracy of the samples.

    >>> import sigconv as sc
    >>> kept = []
    >>> with sc.io.blocks(sc.io.sample("speech")) as x:
    ...     heard, changes = listen(x, [("edge", sc.kernel("edge", x.domain))], [kept.append])
    >>> same = sc.hear.listen(sc.load(sc.io.sample("speech")), [("edge", sc.kernel("edge", heard.dry))])
    >>> abs(heard.takes[0].gain / same.takes[0].gain - 1) < 1e-6, sum(y.domain.size for y in kept)
    (True, 66150)

    Raises `SigconvError` as `io.blocks` and `convolve`, and for a result that is not finite.
    """
    check(match)
    see, tick = see or (lambda *_: None), tick or (lambda _: None)
    dry = _told(blocks, 0, see, tick)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SigconvWarning)  # said the first time
        wets = [_told(through(blocks, k, mode=mode, padding_mode=padding_mode), i, see, tick)
                for i, (_, k) in enumerate(kernels, 1)]
        level, levels = dry.meter.heard(), [_level(dry, w, k) for w, (_, k) in zip(wets, kernels, strict=True)]
        common, own = gains(level, levels, match, guard)
        kept = excerpt(level.powers, dry.whole)
        part = _kept(blocks, kept, tick)
        takes = []
        for i, ((name, k), w, g, each) in enumerate(zip(kernels, wets, own, levels, strict=True)):
            y = through(blocks, k, mode=mode, padding_mode=padding_mode)
            wet = _kept(_heard(y, g * common, write[i] if write else None), kept, tick)
            said = (*_notes(k, blocks, w), *remarks(level, each, match, g * guard))
            takes.append(Take(name, _suited(k, blocks), wet, wet * (g * common), g * common, each.loudness, each.true_peak, said,
                              given=k))
    about = [f"{level.note}"] if level.note and not level.mute else [f"dry is {level.note}; nothing to match"] * bool(level.note)
    changes = [str(changed_so_far(dry.some, w.some, dry.tally, w.tally)) for w in wets]
    heard = Listening(part, part * common, common, level.loudness, level.true_peak, tuple(takes), match, guard, tuple(about),
                      whole=(dry.whole, *(w.whole for w in wets)))
    return heard, changes


def excerpt(powers: np.ndarray, whole: Domain) -> Domain:
    """Where the loudest `EXCERPT` seconds of a sound are, from the powers of its blocks, 100 ms apart; whole seconds.

    >>> import sigconv as sc
    >>> powers = np.zeros(1000); powers[500:600] = 1  # loud from 50 to 60 s
    >>> excerpt(powers, sc.line(100 * 8000, 8000)).extent
    ((45.0, 60.0),)
    """
    rate = float(whole.rate)
    n, width = min(whole.shape[0], round(EXCERPT * rate)), 10 * EXCERPT
    first = 0
    if n < whole.shape[0] and len(powers) > width:
        sums = np.convolve(powers, np.ones(width), "valid")[::10]
        first = min(round(int(np.argmax(sums >= sums.max() * (1 - 1e-9))) * rate), whole.shape[0] - n)
    return Domain(n, whole.step, whole.start[0] + first, whole.unit, whole.name)


def _told(blocks: Any, i: int, see: Callable[[int, Signal], None], tick: Callable[[int], None]) -> _Told:
    """The levels of a sound, while it is seen."""
    told = None
    for x in blocks:
        if not x.domain.shape[0]:
            continue
        flat = _flat(x)
        if told is None:
            names = x.channels if len(x.value) == 1 else None
            told = _Told(Meter(float(x.domain.rate), names), Tally(x.domain), x, start=x.domain.start[0])
        told.add(flat)
        see(i, flat)
        tick(x.domain.shape[0])
    assert told is not None
    return told


def _level(dry: _Told, wet: _Told, k: Signal) -> Heard:
    """The levels of a result; one that is nothing but rounding counts as silent."""
    taps = np.abs(k.numpy().data).reshape(*(k.value or (1,))[:1], -1).sum(axis=1).max()
    floor = 16 * np.finfo(wet.some.data.dtype).eps * float(taps) * dry.meter.peak
    each = wet.meter.heard()
    return replace(each, note="nothing but rounding", mute=True) if 0 < wet.meter.peak <= floor else each


def _heard(parts: Iterator[Signal], gain: float, write: Callable[[Signal], None] | None) -> Iterator[Signal]:
    """The blocks of a result, each written times its gain."""
    for y in parts:
        y = _flat(y)
        if write and y.domain.shape[0]:
            if not arrays.finite(y.data):
                raise SigconvError(f"the result is not finite in the block from {y.domain.extent[0][0]:.6g} s on: the taps are "
                                   "too large for its type; wanted smaller ones")
            write(y if gain == 1.0 else y * gain)
        yield y


def _kept(parts: Any, kept: Domain, tick: Callable[[int], None]) -> Signal:
    """What of a sound lies in the excerpt; all of it goes by."""
    data, names = None, None
    for x in parts:
        n = x.domain.shape[0]
        tick(n)
        flat, first = _flat(x), int(x.domain.start[0] - kept.start[0])
        if data is None:
            data, names = np.zeros((flat.data.shape[0], kept.shape[0]), flat.data.dtype), flat.names
        a, b = max(first, 0), min(first + n, kept.shape[0])
        if a < b:
            data[:, a:b] = flat.data[:, a - first: b - first]
    assert data is not None
    return Signal(data, kept, names)


def _suited(k: Signal, blocks: Blocks) -> Signal:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SigconvWarning)
        return suited(k, blocks.value)


def _notes(k: Signal, blocks: Blocks, wet: _Told) -> list[str]:
    """What is to be known of a result, as `hear.listen` says it."""
    said: list[str] = []
    if k.value not in ((), (1,)):
        said += filter(None, [dc_warning(k)])
        if k.value == blocks.value:
            said.append(f"{k.value[0]} filters on {k.value[0]} channels: channel by channel")
        elif len(k.value) == 1:
            names = f" ({', '.join(k.channels)})" if k.channels and len(k.channels) <= 6 else ""
            said.append(f"a bank of {k.value[0]} filters{names}: {len(wet.tally.squares)} channels")
    shift = wet.start - blocks.domain.start[0]
    if shift:
        said.append(f"begins {abs(shift)} sample{'s' * (abs(shift) != 1)} {'before' if shift < 0 else 'after'} dry")
    return said
