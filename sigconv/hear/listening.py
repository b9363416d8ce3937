"""`listen`: the main job, up to the loudspeaker. Dry through every kernel, and what to hear of it.

A result lives on Ω like the dry signal, so both play in step, 0 samples apart. What is heard is the result times one number,
`gain` = match · guard (see `fair`); nothing else is done to it. With `match="none", guard=False` the number is 1.0 and the
samples are those of `sc.convolve`, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .. import arrays
from ..convolving import convolve, diag
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .fair import Heard, check, decibels, gains, measure
from .scans import RASTER, _flat, is_sound, scan

__all__ = ["Listening", "Take", "lines", "listen"]

BLOCK = 0.4  # s, a block of BS.1770


@dataclass(frozen=True)
class Take:
    """One kernel's result and what is heard of it.

    `wet`: the convolution as it is (the real part under a complex kernel; for sound with a bank's filters as channels).
    `sound`: ``(channels, n)``, `wet` times `gain`, of an image or a volume its scan times `gain`. `loudness` (LUFS) and
    `true_peak` (dBTP) are those before `gain`; −inf for silence. `notes`: what was done or could not be done, in words.
    """

    name: str
    kernel: Signal
    wet: Signal
    sound: Signal
    gain: float
    loudness: float
    true_peak: float
    notes: tuple[str, ...] = ()

    @property
    def gain_db(self) -> float:
        """`gain` in dB."""
        return decibels(self.gain)


@dataclass(frozen=True)
class Listening:
    """The dry signal and all takes, at levels that can be compared.

    `sound`: `dry`, scanned where it is no sound, times `gain`, which is the guard's alone. `loudness` and `true_peak` are
    those before `gain`.
    """

    dry: Signal
    sound: Signal
    gain: float
    loudness: float
    true_peak: float
    takes: tuple[Take, ...]
    match: str
    guard: bool
    notes: tuple[str, ...] = ()

    @property
    def gain_db(self) -> float:
        """`gain` in dB."""
        return decibels(self.gain)


def listen(dry: Signal, kernels: Sequence[tuple[str, Signal]], *, match: str = "loudness", guard: bool = True,
           mode: str = "same", padding_mode: str = "zeros") -> Listening:
    """Hear `dry` through each of the named kernels, at one loudness and without clipping.

    `match`: bring each result to dry's "loudness" (BS.1770), "rms", "peak" (of the samples), or "none". `guard`: lower dry and
    all results by one gain so that no true peak exceeds −1 dBTP. `mode` and `padding_mode` as in `convolve`; "full" keeps the
    tail. Of a complex kernel the real part is heard. A bank of c filters on c channels is taken channel by channel
    (`sc.diag`), other banks give a channel for each filter. Images and volumes are filtered, and heard as scans.

    >>> import sigconv as sc
    >>> x = sc.Signal(np.eye(1, 8000), sc.line(8000, 8000))
    >>> heard = listen(x, [("half", sc.Signal([0.5], sc.line(1, 8000)))])
    >>> round(heard.takes[0].gain / heard.gain, 6), heard.takes[0].wet.data.max()
    (2.0, np.float64(0.5))

    Raises `SigconvError` for an empty signal, kernels that are not such pairs, and as `convolve`; `UsageError` for an unknown
    match.
    """
    check(match)
    if not isinstance(dry, Signal):
        raise SigconvError(f"a {type(dry).__name__} to listen to: wanted a Signal, e.g. sc.load(path)")
    if any(not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[1], Signal) for pair in kernels):
        raise SigconvError("kernels to listen through: wanted pairs of a name and a Signal, "
                           "e.g. [('edge', sc.kernel('edge', dry))]")
    if not dry.data.shape or 0 in dry.data.shape:
        raise SigconvError(f"a signal of shape {tuple(dry.data.shape)}: there is nothing to hear; wanted at least one sample")
    dry = dry.numpy()
    heard = _flat(dry) if is_sound(dry) else scan(dry)
    level = measure(heard)
    results = [_result(dry, kernel, mode, padding_mode) for _, kernel in kernels]
    levels = [_level(dry, kernel, wet, sound) for (_, kernel), (wet, sound, _) in zip(kernels, results, strict=True)]
    common, own = gains(level, levels, match, guard)
    takes = [Take(name, kernel, wet, _scaled(sound, g * common), g * common, each.loudness, each.true_peak,
                  (*notes, *_remarks(level, each, match)))
             for (name, kernel), (wet, sound, notes), g, each in zip(kernels, results, own, levels, strict=True)]
    return Listening(dry, _scaled(heard, common), common, level.loudness, level.true_peak, tuple(takes), match, guard,
                     tuple(_about(dry, heard, level)))


def lines(listening: Listening) -> list[str]:
    """What was heard at which gain, a line each for dry and every take; the factor to 9 digits.

    >>> import sigconv as sc
    >>> x = sc.Signal(np.eye(1, 8000), sc.line(8000, 8000))
    >>> for text in lines(listen(x, [("twice", sc.Signal([2.0], sc.line(1, 8000)))])): print(text)
    dry: gain -1.00 dB (× 0.891250938), -32.8 LUFS, 0.0 dBTP before it
    twice: gain -7.02 dB (× 0.445625469), -26.8 LUFS, +6.0 dBTP before it
    """
    return [_line("dry", listening, listening.notes)] + [_line(take.name, take, take.notes) for take in listening.takes]


def _line(name: str, heard: Listening | Take, notes: tuple[str, ...]) -> str:
    if heard.true_peak == -np.inf:
        levels = "silence"
    else:
        levels = f"{heard.loudness:.1f} LUFS, {_signed(heard.true_peak, 1)} dBTP before it"
    said = f" ({'; '.join(notes)})" if notes else ""
    return f"{name}: gain {_signed(heard.gain_db, 2)} dB (× {heard.gain:.9g}), {levels}{said}"


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}" if round(value, digits) else f"{0:.{digits}f}"


def _result(dry: Signal, kernel: Signal, mode: str, padding_mode: str) -> tuple[Signal, Signal, list[str]]:
    """The convolution, the sound of it before any gain, and what there is to say."""
    kernel, notes = kernel.numpy(), []
    if len(kernel.value) == 1 and kernel.value == dry.value[-1:] and kernel.value != (1,) and is_sound(dry):
        notes.append(f"{kernel.value[0]} filters on {kernel.value[0]} channels: channel by channel")
        kernel = diag(kernel)
    wet = convolve(dry, kernel, mode=mode, padding_mode=padding_mode)
    if not wet.domain.size:
        raise SigconvError(f"mode {mode!r} with a kernel of {_sizes(kernel)} on {_sizes(dry)} samples: no output reads samples "
                           "alone; wanted a shorter kernel, or mode 'same' or 'full'")
    late = int(wet.domain.start[0] - dry.domain.start[0])
    if late > 0 and mode == "full" and is_sound(dry):  # begin where dry does, so that the two can be laid side by side
        wet = wet.on(Domain(wet.domain.shape[0] + late, wet.domain.step, dry.domain.start, wet.domain.unit))
    if wet.data.dtype.kind == "c":
        notes.append("complex: the real part is heard")
        wet = Signal(np.ascontiguousarray(wet.data.real), wet.domain, wet.names)
    if not is_sound(dry):
        return wet, scan(wet, colours=len(wet.value) - (1 if len(kernel.value) == 1 else 0)), notes
    if len(kernel.value) == 1 and kernel.value != (1,):
        notes.append(f"a bank of {kernel.value[0]} filters: {wet.data.size // max(wet.domain.size, 1)} channels")
    wet = wet if len(wet.value) <= 1 else _flat(wet)
    shift = wet.domain.start[0] - dry.domain.start[0]
    if shift:
        notes.append(f"begins {abs(shift)} sample{'s' * (abs(shift) != 1)} {'before' if shift < 0 else 'after'} dry")
    return wet, _flat(wet), notes


def _sizes(x: Signal) -> str:
    return " × ".join(map(str, x.domain.shape))


def _level(dry: Signal, kernel: Signal, wet: Signal, sound: Signal) -> Heard:
    """The levels of a result; one that is nothing but rounding counts as silent."""
    each = measure(sound)
    taps = np.abs(arrays.to_numpy(kernel.data)).reshape(*(kernel.value or (1,))[:1], -1).sum(axis=1).max()
    floor = 16 * np.finfo(wet.data.dtype).eps * float(taps) * arrays.peak(dry.data)
    if 0 < arrays.peak(wet.data) <= floor:
        return replace(each, note="nothing but rounding", mute=True)
    return each


def _remarks(dry: Heard, wet: Heard, match: str) -> list[str]:
    """What the match could not do."""
    said = [wet.note] if wet.note else []
    if match != "none" and wet.mute and not dry.mute:
        said.append("not matched, gain of the guard alone")
    return said


def _about(dry: Signal, heard: Signal, level: Heard) -> list[str]:
    """What is to be known of the dry sound."""
    seconds = heard.domain.shape[0] / float(heard.rate)
    said = []
    if not is_sound(dry):
        said.append(f"scanned row by row at {RASTER} samples a second, {seconds:.3g} s")
    if level.note:
        said.append(f"dry is {level.note}; nothing to match" if level.mute else level.note)
    if seconds < BLOCK and level.true_peak > -np.inf:
        said.append(f"{1000 * seconds:.3g} ms: loudness of one block")
    return said


def _scaled(sound: Signal, gain: float) -> Signal:
    return sound if gain == 1.0 else sound * gain
