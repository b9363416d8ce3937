"""A signal through a kernel and what stands beside it, up to the sound before any gain.

    x → kernel, on the signal or on its spectrogram, beside a bypass → nonlinearity → channel matrix → scan
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..convolving import convolve, diag
from ..domain import Domain
from ..errors import SigconvError, SigconvWarning, UsageError, hint
from ..signal import Signal
from .raster import LONGEST, brightness, levels
from .scans import SCANS, _flat, is_sound, label, legend, scan

__all__ = ["Chain", "Result", "silence"]

PLACES = ("signal", "spectrogram")
MUCH = 0.1  # of the energy of a result, that is said of a border
RECTIFIED = {"relu": "what is below 0 is cut off", "abs": "what is below 0 is turned over"}


@dataclass(frozen=True)
class Result:
    """What came out: `kernel` the taps that were used, `wet` the result, `sound` of it before any gain, `label` of a
    scan under a gain, `notes` what there is to say, `maps` the spectrograms before and after, where the kernel acted on one."""

    kernel: Signal
    wet: Signal
    sound: Signal
    label: Callable[[float], str] | None
    notes: tuple[str, ...]
    maps: tuple[Signal | None, Signal | None] = (None, None)


@dataclass(frozen=True)
class Chain:
    """How a signal goes through a kernel; the fields are the options of `listen`."""

    mode: str = "same"
    padding_mode: str = "zeros"
    on: str = "signal"
    then: str | None = None
    mix: Any = None
    wet: float = 1.0
    scan: str | None = None
    along: str | None = None

    def check(self, dry: Signal) -> None:
        """`UsageError` for what can't be meant."""
        _among(self.on, PLACES, "on")
        if self.then is not None:
            from ..chain import NONLINEARITIES

            _among(self.then, tuple(NONLINEARITIES), "then")
        if self.scan is not None:
            _among(self.scan, SCANS, "scan")
        if is_sound(dry) and (self.scan or self.along):
            asked = f"scan {self.scan!r}" if self.scan else f"along {self.along!r}"
            raise UsageError(f"{asked} for a sound: it is heard as it is; wanted an image, a volume or a video to scan")
        if self.on == "spectrogram" and not is_sound(dry):
            raise UsageError(f"on 'spectrogram' for a signal in {' × '.join(dry.domain.unit)}: only a sound has one; wanted a "
                             "sound, or the kernel on the signal itself")
        if self.on == "spectrogram" and self.mode != "same":
            raise UsageError(f"mode {self.mode!r} on a spectrogram: it goes back to the sound's own grid; wanted mode 'same'")

    @property
    def words(self) -> tuple[str, ...]:
        """What stands beside the kernel, in order."""
        said = [f"on the {self.on}"] if self.on != "signal" else []
        said += [f"{100 * self.wet:.4g} % wet beside {100 * (1 - self.wet):.4g} % dry"] if self.wet != 1 else []
        said += [f"then {self.then}"] if self.then else []
        said += [] if self.mix is None else [f"mix {self.mix.strip()}" if isinstance(self.mix, str) else "mix by a matrix"]
        return tuple(said)

    @property
    def how(self) -> str:
        """The scan."""
        return self.scan or "rows"

    def scanned(self, x: Signal, colours: int, rest: Signal) -> tuple[Signal, Callable[[float], str]]:
        """A picture as sound, and what labels that sound times a gain; `rest` is what stands for silence, on one pixel.

        For ears the first `colours` axes of value are averaged; where "rows" was asked for, everything is kept, so that it can
        be taken back.
        """
        options: dict[str, Any] = {"along": self.along, "colours": 0 if self.scan == "rows" else colours}
        if self.how == "rows":
            options |= {"grey": brightness(rest, options["colours"]).data.ravel(), "longest": None if self.scan else LONGEST}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SigconvWarning)  # what is left out stands in the legend
            return scan(x, self.how, **options), lambda gain: label(x, self.how, gain=gain, **options)

    def legend(self, dry: Signal) -> str:
        """What the scan puts where, in words."""
        return legend(dry.domain, self.how, along=self.along, **({"longest": None} if self.scan == "rows" else {}))

    def through(self, dry: Signal, kernel: Signal) -> Result:
        """`dry` through one kernel and what stands beside it."""
        kernel, notes, sound = kernel.numpy(), list[str](), is_sound(dry)
        bank = len(kernel.value) == 1
        if sound and self.on == "signal" and kernel.value not in ((), (1,)):
            from ..offsets import dc_warning

            notes += filter(None, [dc_warning(kernel)])
            if kernel.value == dry.value[-1:]:
                notes.append(f"{kernel.value[0]} filters on {kernel.value[0]} channels: channel by channel")
                kernel = diag(kernel)
        if self.wet != 1:
            kernel, said = _beside(kernel, self.wet)
            notes.append(said)
        before = after = None
        if self.on == "signal":
            wet = self._convolved(dry, kernel)
        else:
            from ..spectrum import spectrally

            if kernel.domain.unit != ("Hz", "s"):
                raise UsageError(f"a kernel in {' × '.join(kernel.domain.unit)} on a spectrogram: wanted one in Hz × s, made for "
                                 "sc.spectrum.plane(x.domain)")
            hertz, seconds = map(float, kernel.domain.step)
            notes.append(f"on the spectrogram: {hertz:.4g} Hz × {1000 * seconds:.4g} ms a cell")
            wet, before, after = spectrally(dry, kernel, padding_mode=self.padding_mode)
        if sound and len(kernel.value) == 1 and kernel.value != (1,):
            names = f" ({', '.join(kernel.channels)})" if kernel.channels and len(kernel.channels) <= 6 else ""
            notes.append(f"a bank of {kernel.value[0]} filters{names}: {wet.data.size // max(wet.domain.size, 1)} channels")
        wet = self._after(wet, notes, sound, bank)
        if not sound:
            notes += _border(dry, kernel, wet) if (self.mode, self.padding_mode) == ("same", "zeros") else []
            rest = self._after(convolve(silence(dry), _total(kernel)), [], sound, bank)
            return Result(kernel, wet, *self.scanned(wet, len(wet.value) - bank, rest), tuple(notes))
        shift = wet.domain.start[0] - dry.domain.start[0]
        if shift:
            notes.append(f"begins {abs(shift)} sample{'s' * (abs(shift) != 1)} {'before' if shift < 0 else 'after'} dry")
        return Result(kernel, wet, _flat(wet), None, tuple(notes), (before, after))

    def _convolved(self, dry: Signal, kernel: Signal) -> Signal:
        wet = convolve(dry, kernel, mode=self.mode, padding_mode=self.padding_mode)
        if not wet.domain.size:
            raise SigconvError(f"mode {self.mode!r} with a kernel of {_sizes(kernel)} on {_sizes(dry)} samples: no output reads "
                               "samples alone; wanted a shorter kernel, or mode 'same' or 'full'")
        late = int(wet.domain.start[0] - dry.domain.start[0])
        if late > 0 and self.mode == "full" and is_sound(dry):  # begin where dry does, so that the two can be laid side by side
            wet = wet.on(Domain(wet.domain.shape[0] + late, wet.domain.step, dry.domain.start, wet.domain.unit))
        return wet

    def _after(self, wet: Signal, notes: list[str], sound: bool, bank: bool) -> Signal:
        """What comes after the kernel, on real samples: of complex ones the real part, or under abs the magnitude."""
        complex_ = wet.data.dtype.kind == "c"
        if complex_ and self.then != "abs":
            notes.append("complex: the real part is heard")
            wet = Signal(np.ascontiguousarray(wet.data.real), wet.domain, wet.names)
        if self.then is not None:
            from ..chain import NONLINEARITIES

            notes.append("abs: the magnitude" if complex_ and self.then == "abs" else f"{self.then}: {RECTIFIED[self.then]}")
            wet = NONLINEARITIES[self.then](wet)
        if (sound and len(wet.value) > 1) or (self.mix is not None and not wet.value):
            wet = _flat(wet)
        return wet if self.mix is None else self._mixed(wet, notes, colours=not sound and bank)

    def _mixed(self, wet: Signal, notes: list[str], colours: bool) -> Signal:
        """The channels mixed; of a picture the colours, under each filter of a bank alike."""
        from ..chain import mix

        turn = colours and len(wet.value) == 2
        mixed = mix(_turned(wet) if turn else wet, self.mix)
        before, after = wet.value[0 if turn else -1], mixed.value[-1]
        called = f"mix {self.mix.strip()}" if isinstance(self.mix, str) else "mix"
        notes.append(f"{called}: {before} channel{'s' * (before != 1)} to {after}"
                     + (f" ({', '.join(mixed.channels)})" if mixed.channels and mixed.channels != wet.channels else ""))
        return _turned(mixed) if turn else mixed


def _beside(kernel: Signal, wet: float) -> tuple[Signal, str]:
    """The kernel with a bypass, and what was done to it."""
    from ..chain import bypass, delays

    late = sorted({d for d in delays(kernel) if any(d)}) if 0 < wet < 1 else []
    said = f"{100 * wet:.4g} % wet"
    if late:
        steps = ", ".join(" × ".join(map(str, d)) for d in late[:4]) + (" …" if len(late) > 4 else "")
        said += f": the kernel brought back by its delay, {steps} sample{'s' * (steps != '1')}, to meet the dry signal"
        if np.count_nonzero(kernel.data) == max(kernel.data.size // max(kernel.domain.size, 1), 1):  # a pure delay
            said += ", which leaves it as it is; echo keeps both"
    return bypass(kernel, wet), said


def _border(dry: Signal, kernel: Signal, wet: Signal) -> list[str]:
    """A word where much of a picture's result is only its border, beyond which zeros stand."""
    inner = dry.domain.minus(kernel.domain)
    if wet.domain != dry.domain or 0 in inner.shape:
        return []
    power = np.square(np.abs(wet.data.astype(np.float64, copy=False)))
    whole = float(power.sum())
    part = tuple(slice(a, a + n) for a, n in zip(wet.domain.offset(inner), inner.shape, strict=True))
    share = 1 - float(power[(..., *part)].sum()) / whole if whole else 0.0
    if share < MUCH or share < 3 * (1 - inner.size / wet.domain.size):
        return []
    return [f"{100 * share:.0f} % of the result's energy is its border, beyond which zeros stand: padding mode 'reflect' has "
            "none"]


def silence(dry: Signal) -> Signal:
    """What stands for silence in a picture, one number a channel, on one pixel: a scan takes off what becomes of it."""
    data = np.zeros(dry.value)
    seen = brightness(dry, 0)
    data[tuple(slice(n) for n in seen.value)] = np.reshape(levels(seen, None), seen.value)
    one = (1,) * dry.domain.ndim
    return Signal(data.reshape(*dry.value, *one), Domain(one, dry.domain.step, 0, dry.domain.unit, dry.domain.name), dry.names)


def _total(kernel: Signal) -> Signal:
    """A kernel's answer to what is constant, as one tap."""
    one = (1,) * kernel.domain.ndim
    data = kernel.data.sum(tuple(range(-len(one), 0)), keepdims=True)
    return Signal(data, Domain(one, kernel.domain.step, 0, kernel.domain.unit, kernel.domain.name), kernel.names)


def _turned(x: Signal) -> Signal:
    """The two axes of value exchanged."""
    return Signal(x.data.swapaxes(0, 1), x.domain, x.names[::-1])


def _sizes(x: Signal) -> str:
    return " × ".join(map(str, x.domain.shape))


def _among(value: Any, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise UsageError(f"{what} {value!r}: wanted {', '.join(known)}{hint(str(value), known)}")
