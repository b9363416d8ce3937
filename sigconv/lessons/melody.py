"""Notes as sound and as kernels: the piano's keys, raw sines, a melody recited, and the clicks at its joins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import arrays, kernels
from ..convolving import correlate
from ..domain import line
from ..errors import SigconvError
from ..signal import Signal
from ..spectrum import hann

__all__ = ["CHIME", "joins", "keys", "piano", "raw_sine", "recite", "strongest"]

CHIME = (("Ab6", 0.0), ("Eb6", 0.263), ("Ab5", 0.517), ("Bb5", 0.781))  # the melody of the samples, and when it plays, in s
FLATS = ("C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B")
LOWEST, KEYS = 21, 88  # MIDI's number of A0
FAINT = 0.05  # of the strongest key
SPARSE = 0.01  # s between two looks through all keys
WIDTH = 0.04  # s, the window that looks at a join


def keys(rate: float = 44100) -> list[tuple[str, float]]:
    """The 88 keys of a piano, A0 27.5 Hz … C8 4186 Hz, spelled in flats, with their frequencies; those below rate/2.

    >>> [(name, round(hz, 2)) for name, hz in keys()[47:49]], len(keys()), len(keys(8000))
    ([('A♭4', 415.3), ('A4', 440.0)], 88, 87)
    """
    found = [(f"{FLATS[m % 12]}{m // 12 - 1}", 440.0 * 2 ** ((m - 69) / 12)) for m in range(LOWEST, LOWEST + KEYS)]
    return [(name, hz) for name, hz in found if hz < rate / 2]


def raw_sine(frequency: float, rate: float, seconds: float = 0.4) -> Signal:
    """The kernel as the practicum cut it: sin(2πft) from phase 0, amplitude 1, hard ends, centred.

    >>> k = raw_sine(1661.22, 22050)
    >>> k.domain.shape, k.domain.start, round(float((k.data**2).sum()))
    ((8820,), (-4409,), 4410)
    """
    n = max(round(seconds * rate), 1)
    return Signal(np.sin(2 * np.pi * frequency * np.arange(n) / rate), line(n, rate, -((n - 1) // 2)))


def piano(x: Signal) -> Signal:
    """The sound (value `()`) through a quadrature template for every key: magnitudes on (key, s), 10 ms apart.

    Keys are MIDI numbers, A0 = 21. Templates are `kernels.note` of 0.2 s.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("chime-dry"))
    >>> y = piano(sc.Signal(x.data[0], x.domain))
    >>> y.domain.unit, 21 + int(y.data.max(1).argmax())
    (('key', 's'), 92)

    Raises `SigconvError` for a sound so slow that no key fits below rate/2.
    """
    y = correlate(x, kernels.piano(x.domain), stride=max(round(SPARSE * x.rate), 1))
    return Signal(np.abs(arrays.to_numpy(y.data)), y.domain).lift(start=LOWEST, unit="key", name="key")


def strongest(heard: Signal, count: int = 4) -> list[str]:
    """The keys of a `piano` map that answer most strongly, each stronger than its neighbours, in flats.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("chime"))
    >>> strongest(piano(sc.Signal(x.data.mean(0), x.domain)))
    ['A♭6', 'E♭6', 'A♭5', 'B♭5']

    Overtones count as notes. Keys 26 dB or more below the strongest do not: they are what a note's beginning spills over
    others. Fewer than `count` where there are no more; none in silence.
    """
    top = arrays.to_numpy(heard.data).max(1, initial=0)
    around = np.pad(top, 1)
    peaks = np.flatnonzero((top > FAINT * top.max(initial=0)) & (top >= around[:-2]) & (top > around[2:]))
    names = [name for name, _ in keys()]
    return [names[i] for i in peaks[np.argsort(-top[peaks], kind="stable")][:count]]


def recite(frequencies: Sequence[float], rate: float, *, starts: Sequence[float] | None = None, seconds: float = 0.4,
           fade: float = 0.0) -> Signal:
    """Notes as pure sines of amplitude 1, one after another: `(1, n)`.

    Each lasts `seconds`; with `starts` (s, ascending) each sounds from its own, until the next at most. `fade`: s of a raised
    cosine at both ends of each; 0 joins them hard, as the practicum did.

    >>> recite([1661.22, 1244.51, 830.61, 932.33], 22050).domain.shape
    (35280,)

    Raises `SigconvError` for no notes, or starts that do not fit them.
    """
    if not len(frequencies) or (starts is not None and len(starts) != len(frequencies)):
        raise SigconvError(f"{len(frequencies)} notes, {'no' if starts is None else len(starts)} starts: wanted at least one "
                           "note, and a start for each")
    long = round(seconds * rate)
    first = [long * i for i in range(len(frequencies))] if starts is None else [max(round(t * rate), 0) for t in starts]
    stops = [min(b, a + long) for a, b in zip(first, [*first[1:], first[-1] + long], strict=True)]
    y = np.zeros(max(stops))
    for a, b, hz in zip(first, stops, frequencies, strict=True):
        n = max(b - a, 0)
        t = np.minimum(np.arange(n), np.arange(n)[::-1]) / rate
        ends = np.minimum(t / fade, 1) if fade else np.ones(n)
        y[a: a + n] = raw_sine(hz, rate, n / rate).data[:n] * np.sin(np.pi / 2 * ends) ** 2
    return Signal(y[None], line(len(y), rate))


def joins(sound: Signal, times: Sequence[float], above: float) -> list[float]:
    """How much of the energy around each time lies `above` a frequency (Hz), in dB: a jump has all frequencies, a note one.

    Seen through a Hann window of 40 ms, zeros beyond the sound's ends; −200 at least, also for silence.

    >>> hard, soft = (recite([400.0, 700.3], 8000, seconds=0.1013, fade=f) for f in (0, 0.01))
    >>> joins(hard, [0.1013], 2000)[0] > -40, joins(soft, [0.1013], 2000)[0] < -60
    (True, True)
    """
    rate, n = float(sound.rate), max(round(WIDTH * sound.rate), 2)
    found = []
    for t in times:
        cut = sound.on(line(n, sound.rate, round(t * rate) - n // 2)).data.reshape(-1, n)[0]
        power = np.abs(np.fft.rfft(cut * hann(n))) ** 2
        whole = power.sum()
        high = power[np.fft.rfftfreq(n, 1 / rate) > above].sum()
        found.append(float(10 * np.log10(max(high / whole, 1e-20))) if whole > 0 else -200.0)
    return found
