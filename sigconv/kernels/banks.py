"""Bands of a line as banks: one filter for each frequency that is given, value `(m,)`; a single frequency gives value `()`.

Frequencies and widths are in Hz (cycles per unit of the axis): numbers, arrays, or tensors, in which the taps are then
differentiable. `scales.spaced` spaces them. Peaks stand at 0, so that what a bank reads at the ends of a line is what is there.
"""

from __future__ import annotations

from math import ceil, log, pi, sqrt
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..errors import UsageError
from ..scales import erb_width, hz_to_note
from ..signal import Signal
from .registry import limit, number, per, whole

__all__ = ["gammachirp", "gammatone", "morlet", "octave_bands", "piano", "sinc"]

OCTAVE = 10**0.3  # of the standard
FAINT = 1e-6  # of its peak: what an envelope has faded to where it is cut off
THIN = 0.35  # ξ/σ_f of the widest wavelet


def sinc(like: Any, low: Any, high: Any, *, taps: int | None = None, quadrature: bool = False) -> Signal:
    """Band-passes between `low` and `high`, windowed sincs under a Hamming window: those of SincNet, in Hz.

    ``h(t) = 2·high·sinc(2·high·t) − 2·low·sinc(2·low·t)`` per step, −6 dB at both edges, gain 1 between. `low` may be 0.
    `taps`: the width at −3 dB is high − low − 0.8·rate/taps, as long as that is 3·rate/taps or more; below, the window's own
    1.3·rate/taps is the least, and the gain falls. By default so many that the narrowest band is right within 4 %; give a
    number where edges are learned. (The bank `"sinc"` is made by centre and −3 dB width.) `quadrature`: the complex filter of
    the positive frequencies alone, gain 1; at a stride a bank of symmetric filters mistakes f for −f at multiples of half the
    rate that is left, quadrature does not. (Ravanelli & Bengio, "Speaker recognition from raw waveform with SincNet", SLT 2018.)

    >>> import sigconv as sc
    >>> k = sinc(sc.line(1, 16000), [300, 1000], [1000, 3000], taps=251)
    >>> k.value, k.domain.start, round(float(abs(sc.spectrum.response(k, [2000.0]).gain[1, 0])), 2)
    ((2,), (-125,), 1.0)

    Raises `UsageError` for edges out of order, below 0 or above rate/2.
    """
    domain, step = _line(like)
    top = 0.5 / step
    xp, (a, b) = _all(low, high)
    ends = np.stack(np.broadcast_arrays(arrays.to_numpy(a), arrays.to_numpy(b)))
    if not (np.isfinite(ends).all() and (ends >= 0).all() and (ends[0] < ends[1]).all() and (ends <= top * (1 + 1e-12)).all()):
        unit = per(domain.unit[0])
        raise UsageError(f"bands from {ends[0].min():g} to {ends[1].max():g} {unit}: wanted 0 ≤ low < high ≤ {top:g} {unit}")
    count = 2 * ceil(10 / ((ends[1] - ends[0]).min() * step)) + 1 if taps is None else whole(taps, "taps", 1)
    return _sincs(domain, xp, a, b, count, quadrature)


def _sincs(domain: Domain, xp: Any, low: Array, high: Array, count: int, quadrature: bool) -> Signal:
    step, reach = float(domain.step[0]), (count - 1) // 2
    limit((*low.shape, count))
    _, (_, t, window) = arrays.constants(high, (np.arange(count) - reach) * step, _hamming(count))
    wide, centre = (high - low)[..., None], ((low + high) / 2)[..., None]
    envelope = 2 * wide * step * xp.sinc(wide * t) * window
    phase = 2 * pi * centre * t
    real = envelope * xp.cos(phase)
    return _bank(domain, (real + 1j * (envelope * xp.sin(phase))) / 2 if quadrature else real, -reach)


def morlet(like: Any, centre: Any, bandwidth: Any, *, correction: bool = True) -> Signal:
    """Gaussian bands, Gabor's atoms in time: complex, gain 1 at `centre`, `bandwidth` wide at −3 dB, nothing at 0 Hz.

    ``h(t) ∝ g(t)·(e^(2πi·ξ·t) − κ)``, κ such that the sum is 0 (Morlet's correction). That moves the peak up and narrows the band
    where it is nearly as wide as its centre is high, so ξ and g are chosen such that both are what was asked for; else ξ is
    the centre and σ_t = √ln 2/(π·bandwidth). `correction` False leaves it out. Symmetric about 0, cut off at −120 dB.

    >>> import sigconv as sc
    >>> k = morlet(sc.line(1, 16000), [500.0, 1000.0], [50.0, 100.0])
    >>> [round(float(abs(v)), 3) for v in sc.spectrum.response(k, [1000.0, 1050.0]).gain[1]]
    [1.0, 0.707]

    Raises `UsageError` for a centre outside 0 … rate/2, a bandwidth that is not above 0, and one above 1.1 centres, the widest
    that leaves 0 Hz out (of tensors, which wander as they learn, 1.1 is then taken).
    """
    domain, step = _line(like)
    xp, (f, wide) = _all(centre, bandwidth)
    _within(f, "centre", domain)
    _positive(wide, "bandwidth", domain)
    shift, spread = corrected(xp, wide / f) if correction else (f * 0 + 1, wide / f / (2 * sqrt(log(2))))
    f, wave, sigma = (v[..., None] for v in _broadcast(xp, f, f * shift, f * spread))
    narrow = float(arrays.to_numpy(sigma).min())
    reach = max(ceil(sqrt(-2 * log(FAINT)) / (2 * pi * narrow) / step), 1)
    limit((2 * reach + 1,))
    _, (_, t) = arrays.constants(wide, np.arange(-reach, reach + 1) * step)
    g = xp.exp(-2 * (pi * sigma * t) ** 2)
    g = g / xp.sum(g, axis=-1, keepdims=True)
    phase, here = 2 * pi * wave * t, 2 * pi * f * t
    kappa = xp.sum(g * xp.cos(phase), axis=-1, keepdims=True) if correction else 0.0
    re, im = g * (xp.cos(phase) - kappa), g * xp.sin(phase)
    gain = xp.sum(re * xp.cos(here) + im * xp.sin(here), axis=-1, keepdims=True)
    return _bank(domain, (re + 1j * im) / gain, -reach)


def _broadcast(xp: Any, *values: Array) -> Any:
    return xp.broadcast_arrays(*values) if xp is np else xp.broadcast_tensors(*values)


def corrected(xp: Any, ratio: Array) -> tuple[Array, Array]:
    """ξ and σ_f over the centre, for a band `ratio` centres wide: |H| ∝ exp(−(u² + v²)/2)·(exp(uv) − 1), u = f/σ_f, v = ξ/σ_f, so
    the ratio fixes v. Differentiable to first order."""
    value = np.atleast_1d(arrays.to_numpy(arrays.asarray(ratio)))
    widest = float(_wavelet(np.array([THIN]))[0][0])
    if xp is np and value.max() > widest:
        raise UsageError(f"bandwidth of {value.max():.3g} centres: wanted at most {widest:.3g}, for nothing at 0 Hz")
    value = np.minimum(value, widest)
    low, high = np.full(value.shape, THIN), 2.4 / value + 2  # a plain Gaussian has v = 2·√ln 2/ratio
    for _ in range(60):
        middle = (low + high) / 2
        wider = _wavelet(middle)[0] > value
        low, high = np.where(wider, middle, low), np.where(wider, high, middle)
    at, (before, after) = _wavelet(low), (_wavelet(low * (1 - 1e-4)), _wavelet(low * (1 + 1e-4)))
    slopes = [(a - b) / (after[0] - before[0]) for a, b in zip(after[1:], before[1:], strict=True)]
    shape = tuple(ratio.shape)
    parts = [v.reshape(shape) for v in (*at, *slopes)]
    _, (_, r, shift, spread, shift_, spread_) = arrays.constants(ratio, *parts)
    beyond = xp.clip(ratio, None, widest) - r
    return shift + shift_ * beyond, spread + spread_ * beyond


def _wavelet(v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a corrected Gaussian: its −3 dB width, ξ and σ_f, each over its peak."""
    peak = np.maximum(v, 1.0)
    for _ in range(60):
        peak = (peak + v / -np.expm1(-peak * v)) / 2

    def level(u: np.ndarray) -> np.ndarray:
        return -(u - v) ** 2 / 2 + np.log(-np.expm1(-u * v))

    edges, floor = [], level(peak) - log(2) / 2
    for inside, outside in ((peak, peak * 1e-9), (peak, peak + 3)):
        for _ in range(60):
            middle = (inside + outside) / 2
            loud = level(middle) > floor
            inside, outside = np.where(loud, middle, inside), np.where(loud, outside, middle)
        edges.append(inside)
    return (edges[1] - edges[0]) / peak, v / peak, 1 / peak


def gammatone(like: Any, centre: Any, bandwidth: Any = None, *, order: int = 4, quadrature: bool = True) -> Signal:
    """The filters of the ear: ``t^(order−1)·e^(−2πbt)·e^(2πi·centre·t)``, finite, gain 1 at `centre`, their peak at time 0.

    `bandwidth`: the equivalent rectangular one, by default `scales.erb_width(centre)`; b is 1.019 times that, and the −3 dB
    width 2b·√(2^(1/order) − 1), 0.887 of it at order 4. Stable at every centre, cut off at −120 dB. `quadrature`:
    complex; else twice the real part. (Patterson et al., "Complex sounds and auditory images", 1992; Glasberg & Moore, Hearing
    Research 47, 1990.)

    >>> import sigconv as sc
    >>> k = gammatone(sc.line(1, 16000), sc.scales.spaced(100, 7000, 32, "erb"))
    >>> k.value, round(float(abs(sc.spectrum.response(k, [100.0]).gain[0, 0])), 6)
    ((32,), 1.0)

    Raises `UsageError` for a centre outside 0 … rate/2 and a bandwidth that is not above 0.
    """
    return _ear(like, centre, bandwidth, 0.0, order, quadrature)


def gammachirp(like: Any, centre: Any, bandwidth: Any = None, *, chirp: Any = -2.0, order: int = 4,
               quadrature: bool = True) -> Signal:
    """A gammatone whose pitch glides, ``… · e^(i·chirp·ln t)``: its peak lies at centre + chirp·b/order, gain 1 there.

    A negative `chirp` gives the steeper slope above the peak that the ear has (Irino & Patterson, JASA 101, 1997). `chirp`
    0 is `gammatone`, with whose other parameters it shares the rest.

    >>> import sigconv as sc
    >>> k = gammachirp(sc.line(1, 16000), 1000.0, chirp=-2)
    >>> peak = 1000 - 2 * 1.019 * sc.scales.erb_width(1000) / 4
    >>> gains = abs(sc.spectrum.response(k, [peak - 20, peak, peak + 20]).gain)
    >>> bool(gains[1] > gains[0] and gains[1] > gains[2])
    True

    Raises as `gammatone`.
    """
    return _ear(like, centre, bandwidth, chirp, order, quadrature)


def _ear(like: Any, centre: Any, bandwidth: Any, chirp: Any, order: int, quadrature: bool, within: bool = True) -> Signal:
    domain, step = _line(like)
    power = whole(order, "order") - 1
    if bandwidth is None:
        bandwidth = centre * (24.7 * 0.00437) + 24.7 if arrays.is_tensor(centre) else erb_width(centre)
    number(chirp, "chirp")
    xp, (f, wide, glide) = _all(centre, bandwidth, chirp)
    if within:
        _within(f, "centre", domain)
    _positive(wide, "bandwidth", domain)
    narrow = 1.019 * float(arrays.to_numpy(wide).min())
    t = np.arange(1, ceil((power + 1) * 8 / (2 * pi * narrow) / step) + 2) * step
    envelope = t**power * np.exp(-2 * pi * narrow * t)
    count = int(np.flatnonzero(envelope > FAINT * envelope.max())[-1]) + 1
    first = round(power / (2 * pi * narrow) / step)
    limit((count + first,))
    _, (_, i) = arrays.constants(wide, np.arange(-first, count) * step)
    # every filter is moved so that its envelope peaks at 0; what would lie before its own beginning is 0
    b, f = 1.019 * wide[..., None], f[..., None]
    late = power / (2 * pi * b)
    since = i + late
    begun = since > 0
    safe = xp.where(begun, since, xp.ones_like(since))
    envelope = xp.where(begun, safe**power * xp.exp(-2 * pi * b * safe), xp.zeros_like(since))
    phase = 2 * pi * f * i + glide * xp.log(safe / (late + step))
    peak = 2 * pi * (f + glide * b / (power + 1)) * i
    re, im = envelope * xp.cos(phase), envelope * xp.sin(phase)
    c, s = xp.cos(peak), xp.sin(peak)
    gain = xp.sqrt(xp.sum(re * c + im * s, axis=-1, keepdims=True) ** 2 + xp.sum(im * c - re * s, axis=-1, keepdims=True) ** 2)
    return _bank(domain, (re + 1j * im) / gain if quadrature else 2 * re / gain, -first)


def octave_bands(like: Any, fraction: int = 1, low: float = 31.25, high: float | None = None, *,
                 taps: int | None = None) -> Signal:
    """Octave bands, or thirds (fraction 3), with the exact centres of IEC 61260-1: 1000·G^(i/fraction), G = 10^0.3.

    Those between `low` and `high` (rate/2/√2 by default), −3 dB at G^(±1/(2·fraction)), as `sinc` in quadrature, whose own
    edges stand 0.4·rate/taps farther out; `taps` so many that the lowest band is sharp, twelve of its periods. Channels are
    named by their centres.

    >>> import sigconv as sc
    >>> octave_bands(sc.line(1, 8000), low=250).channels
    ('251 Hz', '501 Hz', '1000 Hz', '1995 Hz')

    Raises `UsageError` where no band lies between `low` and `high`, and for fewer taps than the lowest band needs.
    """
    domain, step = _line(like)
    centres = exact_octaves(domain, fraction, low, high)
    b = whole(fraction, "fraction")
    half = OCTAVE ** (1 / (2 * b))
    needed = ceil(3 / (centres[0] * (half - 1 / half) * step))
    count = 2 * ceil(6 * b / float(centres[0]) / step) + 1 if taps is None else whole(taps, "taps")
    if count < needed:
        raise UsageError(f"octave bands from {centres[0]:.4g} Hz with {count} taps: wanted at least {needed}, or a higher low")
    apart = 0.4 / (count * step)
    k = _sincs(domain, np, centres / half - apart, centres * half + apart, count, True)
    return Signal(k.data, k.domain, [f"{f:.0f} Hz" if f >= 100 else f"{f:.3g} Hz" for f in centres])


def exact_octaves(like: Any, fraction: Any = 1, low: Any = 31.25, high: Any = None) -> np.ndarray:
    """The centres of `octave_bands`."""
    _, step = _line(like)
    b = whole(fraction, "fraction")
    top = 0.5 / step / OCTAVE ** (1 / (2 * b))
    high = top if high is None else min(number(high, "high", "Hz", above=0), top)
    number(low, "low", "Hz", above=0)
    # an even fraction has its centres half a band beside 1000 Hz (IEC 61260-1, 5.2.2)
    shift = 0.5 if b % 2 == 0 else 0.0
    first, last = (log(v / 1000) / log(OCTAVE) * b - shift for v in (low * (1 - 0.01), high * (1 + 1e-9)))
    centres = 1000 * OCTAVE ** ((np.arange(ceil(first), int(np.floor(last)) + 1) + shift) / b)
    if not len(centres):
        raise UsageError(f"octave bands from {low:g} to {high:g} Hz: there is none; wanted a wider range")
    return centres


def piano(like: Any, duration: float = 0.2) -> Signal:
    """The keys of a piano, A0 to C8, as far as they lie below rate/2: quadrature pairs under a Hann window, of unit norm.

    Each is `note` of that pitch; the channels bear the notes' names. A magnitude is how strongly that key sounds there.

    >>> import sigconv as sc
    >>> k = piano(sc.line(1, 16000))
    >>> k.value, k.channels[0], k.channels[-1]
    ((88,), 'A0', 'C8')

    Raises `UsageError` for a duration that is not above 0, or a rate at which there is no key.
    """
    from .tones import note

    domain, _ = _line(like)
    keys = piano_keys(domain)
    made = [note(domain, float(f), duration) for f in keys]
    xp = arrays.namespace(made[0].data)
    return Signal(xp.stack([k.data for k in made]), made[0].domain, [hz_to_note(float(f)) for f in keys])


def piano_keys(like: Any) -> np.ndarray:
    """The frequencies of the keys that lie below rate/2."""
    domain, step = _line(like)
    keys = 440 * 2 ** ((np.arange(21, 109) - 69) / 12)
    keys = keys[keys < 0.5 / step]
    if not len(keys):
        raise UsageError(f"a piano at {1 / step:g} {per(domain.unit[0])}: no key lies below half of that rate")
    return keys


def _line(like: Any) -> tuple[Domain, float]:
    domain = like.domain if isinstance(like, Signal) else like
    if not isinstance(domain, Domain) or domain.ndim != 1:
        what = f"{domain.ndim} axes" if isinstance(domain, Domain) else f"a {type(like).__name__}"
        raise UsageError(f"a bank of bands for {what}: wanted the domain of a line, e.g. x.domain")
    return domain, float(domain.step[0])


def _all(*values: Any) -> tuple[Any, tuple[Array, ...]]:
    try:
        return arrays.constants(*values)
    except (TypeError, ValueError):
        raise UsageError("frequencies that are no numbers: wanted numbers in Hz") from None


def _within(f: Array, what: str, domain: Domain) -> None:
    values, top = arrays.to_numpy(f), 0.5 / float(domain.step[0])
    if not values.size or values.ndim > 1 or not (np.isfinite(values).all() and (values > 0).all() and (values < top).all()):
        got = f"{values.min():g} … {values.max():g}" if values.size else "none"
        raise UsageError(f"{what} {got} {per(domain.unit[0])}: wanted one or a list above 0 and below {top:g}")


def _positive(f: Array, what: str, domain: Domain) -> None:
    values = arrays.to_numpy(f)
    if not values.size or not (np.isfinite(values).all() and (values > 0).all()):
        raise UsageError(f"{what} {values.min(initial=0):g} {per(domain.unit[0])}: wanted above 0")


def _hamming(count: int) -> np.ndarray:
    return np.hamming(count) if count > 1 else np.ones(1)


def _bank(domain: Domain, taps: Array, start: int) -> Signal:
    limit(tuple(taps.shape))
    return Signal(taps, Domain(int(taps.shape[-1]), domain.step, start, domain.unit, domain.name))
