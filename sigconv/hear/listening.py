"""`listen`: the main job, up to the loudspeaker. Dry through every kernel, and what to hear of it.

A result lives on Ω like the dry signal, so both play in step, 0 samples apart. What is heard is the result times one number,
`gain` = match · guard (see `fair`); nothing else is done to it. With `match="none", guard=False` the number is 1.0 and the
samples are those of `sc.convolve`, bit for bit.

A kernel may stand in a chain: x → kernel, on the signal or on its spectrogram, beside a bypass → nonlinearity → channel matrix.
What is measured, matched and guarded is what comes out at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .fair import HOLD, Heard, check, decibels, gains, held_back, measure
from .passing import Chain, Result, silence
from .scans import _flat, is_sound

__all__ = ["Listening", "Take", "lines", "listen"]

BLOCK = 0.4  # s, a block of BS.1770


@dataclass(frozen=True)
class Take:
    """One kernel's result and what is heard of it.

    `kernel`: the taps that were used, with `wet` below 1 those of the bypass. `wet`: what came out of the chain (the real part
    under a complex kernel; for sound with a bank's filters as channels). `sound`: ``(channels, n)``, `wet` times `gain`, of an
    image or a volume its scan times `gain`. `loudness` (LUFS) and `true_peak` (dBTP) are those before `gain`; −inf for silence.
    `notes`: what was done or could not be done, in words. `map`: the spectrogram after the kernel, where it acted on one.
    `label`: of a scan, the comment by which `unscan` reads the WAV of `sound`. `given`: the kernel without the bypass.
    """

    name: str
    kernel: Signal
    wet: Signal
    sound: Signal
    gain: float
    loudness: float
    true_peak: float
    notes: tuple[str, ...] = ()
    map: Signal | None = None
    label: str | None = None
    given: Signal | None = None

    @property
    def gain_db(self) -> float:
        """`gain` in dB."""
        return decibels(self.gain)


@dataclass(frozen=True)
class Listening:
    """The dry signal and all takes, at levels that can be compared.

    `sound`: `dry`, scanned where it is no sound, times `gain`, which is the guard's alone. `loudness` and `true_peak` are
    those before `gain`. `on`: what the kernels acted on; `map`: dry's spectrogram, where it was that. `chain`: what stands beside
    the kernels, in words, in order. `scan`: how pictures became sound; `label`: as in `Take`. `whole`: where these are an
    excerpt of a sound too long to hold, the lines of the whole, dry's and each take's; levels and gains are those of the whole.
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
    on: str = "signal"
    map: Signal | None = None
    chain: tuple[str, ...] = ()
    scan: str = "rows"
    label: str | None = None
    whole: tuple[Domain, ...] = ()

    @property
    def gain_db(self) -> float:
        """`gain` in dB."""
        return decibels(self.gain)


def listen(dry: Signal, kernels: Sequence[tuple[str, Signal]], *, match: str = "loudness", guard: bool = True,
           mode: str = "same", padding_mode: str = "zeros", on: str = "signal", then: str | None = None, mix: Any = None,
           wet: float = 1.0, scan: str | None = None, along: str | None = None) -> Listening:
    """Hear `dry` through each of the named kernels, at one loudness and without clipping.

    `match`: bring each result to dry's "loudness" (BS.1770), "rms", "peak" (of the samples), or "none". `guard`: lower dry and
    all results by one gain so that no true peak exceeds −1 dBTP. `mode` and `padding_mode` as in `convolve`; "full" keeps the
    tail. Of a complex kernel the real part is heard. A bank of c filters on c channels is taken channel by channel
    (`sc.diag`), other banks give a channel for each filter. Images and volumes are filtered, and heard as scans: by rows with
    colours averaged and at most 30 s, or as `scan` says: "rows" keeps all of it, so that `unscan` takes it back, "spectrum" plays
    x as time and y as pitch; `along` as in `hear.scan`.

    `on="spectrogram"`: the kernels, of two axes, made for ``sc.spectrum.plane(dry.domain)``, act on the spectrogram's magnitudes,
    and its phases follow (`sc.spectrum.spectrally`). Then, in this order: `wet`, a share of the kernel beside the dry signal
    (`sc.bypass`); `then`, "relu" or "abs" (of complex results the magnitude); `mix`, a name or matrix on the channels (`sc.mix`).

    >>> import sigconv as sc
    >>> x = sc.Signal(np.eye(1, 8000), sc.line(8000, 8000))
    >>> heard = listen(x, [("half", sc.Signal([0.5], sc.line(1, 8000)))])
    >>> round(heard.takes[0].gain / heard.gain, 6), heard.takes[0].wet.data.max()
    (2.0, np.float64(0.5))
    >>> plane = sc.spectrum.plane(x.domain)
    >>> listen(x, [("blur", sc.kernel("blur", plane))], on="spectrogram", then="relu").chain
    ('on the spectrogram', 'then relu')

    Raises `SigconvError` for an empty signal, kernels that are not such pairs, and as `convolve`; `UsageError` for an unknown
    match, a spectrogram of what is no sound, and as `bypass` and `mix`.
    """
    check(match)
    if not isinstance(dry, Signal):
        raise SigconvError(f"a {type(dry).__name__} to listen to: wanted a Signal, e.g. sc.load(path)")
    if any(not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[1], Signal) for pair in kernels):
        raise SigconvError("kernels to listen through: wanted pairs of a name and a Signal, "
                           "e.g. [('edge', sc.kernel('edge', dry))]")
    if not dry.data.shape or 0 in dry.data.shape:
        raise SigconvError(f"a signal of shape {tuple(dry.data.shape)}: there is nothing to hear; wanted at least one sample")
    dry, chain = dry.numpy(), Chain(mode, padding_mode, on, then, mix, wet, scan, along)
    chain.check(dry)
    heard, label = (_flat(dry), None) if is_sound(dry) else chain.scanned(dry, len(dry.value), silence(dry))
    level = measure(heard)
    results = [chain.through(dry, kernel) for _, kernel in kernels]
    levels = [_level(dry, result) for result in results]
    common, own = gains(level, levels, match, guard)
    takes = [Take(name, r.kernel, r.wet, _scaled(r.sound, g * common), g * common, each.loudness, each.true_peak,
                  (*r.notes, *remarks(level, each, match, g * guard)), r.maps[1], r.label and r.label(g * common), given)
             for (name, given), r, g, each in zip(kernels, results, own, levels, strict=True)]
    before = results[0].maps[0] if results else None
    return Listening(dry, _scaled(heard, common), common, level.loudness, level.true_peak, tuple(takes), match, guard,
                     tuple(_about(dry, heard, level, chain)), on, before, chain.words, chain.how, label and label(common))


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


def _level(dry: Signal, result: Result) -> Heard:
    """The levels of a result; one that is nothing but rounding counts as silent."""
    kernel, wet, each = result.kernel, result.wet, measure(result.sound)
    taps = np.abs(kernel.data).reshape(*(kernel.value or (1,))[:1], -1).sum(axis=1).max()
    floor = 16 * np.finfo(wet.data.dtype).eps * float(taps) * arrays.peak(dry.data)
    if 0 < arrays.peak(wet.data) <= floor:
        return replace(each, note="nothing but rounding", mute=True)
    return each


def remarks(dry: Heard, wet: Heard, match: str, gain: float) -> list[str]:
    """What the match could not do."""
    said = [wet.note] if wet.note else []
    if match != "none" and held_back(dry, wet, gain):
        said.append(f"held back: to match its {match} would lower all others by more than {HOLD:g} dB")
    if match != "none" and wet.mute and not dry.mute:
        said.append("not matched, gain of the guard alone")
    return said


def _about(dry: Signal, heard: Signal, level: Heard, chain: Chain) -> list[str]:
    """What is to be known of the dry sound."""
    seconds = heard.domain.shape[0] / float(heard.rate)
    said = []
    if not is_sound(dry):
        said.append(f"scanned {chain.legend(dry)}" if chain.how == "rows" else f"scanned as a spectrum, {chain.legend(dry)}")
    if level.note:
        said.append(f"dry is {level.note}; nothing to match" if level.mute else level.note)
    if seconds < BLOCK and level.true_peak > -np.inf:
        said.append(f"{1000 * seconds:.3g} ms: loudness of one block")
    return said


def _scaled(sound: Signal, gain: float) -> Signal:
    return sound if gain == 1.0 else sound * gain
