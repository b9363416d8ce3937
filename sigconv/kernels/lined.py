"""The banks of `bands` and `lapped` on a line in words: how many bands, from where to where, on which scale.

Where no bandwidth is asked for, neighbours meet at −3 dB half-way between their centres on the scale; a gammatone is as
wide as hearing is there (0.887 of `scales.erb_width` at order 4); a single band reaches from `low` to `high`. Without `low` and
`high` the bands lie side by side from 50 Hz (or rate/200) to 0.48 · rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import UsageError
from ..scales import erb_width, spaced, widths
from . import bands
from .banking import Range, Words, enter
from .lapped import daubechies, fourier, mdct
from .registry import COUNT, FREQUENCY, LENGTH, PITCH, PLAIN, WORD, Parameter, number, per, whole

__all__: list[str] = []

BANDS = {"count": Parameter(COUNT, 32, "how many bands"),
         "low": Parameter(PITCH, "bands from 50 Hz or rate/200", "the lowest centre"),
         "high": Parameter(PITCH, "bands to 0.48 · rate", "the highest centre"),
         "scale": Parameter(WORD, "", "of their spacing: mel, htk, bark, erb, octave or linear"),
         "bandwidth": Parameter(FREQUENCY, "from the spacing", "of all of them, at −3 dB")}
QUADRATURE = {"quadrature": Parameter(WORD, "yes", "complex filters of the positive frequencies, or their real part")}
ORDER = {"order": Parameter(COUNT, 4, "of the filter")}
TAPS = {"taps": Parameter(COUNT, "for half the narrowest band", "how many")}
BAND = ("centre", "bandwidth")


def spread(like: Domain, scale: str, width: Callable[[Any], Any] | None = None, count: Any = 32, low: Any = None,
           high: Any = None, bandwidth: Any = None, centre: Any = None) -> Words:
    """Centres from low to high, or those that are given, and bandwidths; `width(centre)` where these are not from the spacing."""
    step, unit = float(like.step[0]), like.unit[0]
    top, m = 0.5 / step, whole(count, "count")
    ends = [50.0 if unit == "s" and top >= 2500 else top / 100, 0.96 * top]
    low = low if low is None else number(low, "low", per(unit), least=0)
    high = high if high is None else number(high, "high", per(unit), above=0, below=top)
    alone: Any = None
    if centre is None:
        if m == 1:
            ends = [ends[0] if low is None else low, ends[1] if high is None else high]
            alone = np.array([ends[1] - ends[0]])
            low = high = spaced(ends[0], ends[1], 3, scale)[1]
        middles = spaced(ends[0], ends[1], 2 * m + 1, scale)[1::2]
        centre = spaced(middles[0] if low is None else low, middles[-1] if high is None else high, m, scale)
    if bandwidth is None:
        f = np.atleast_1d(arrays.to_numpy(arrays.asarray(centre)))
        if width is not None:
            bandwidth = width(f)
        elif len(f) > 1:
            order = np.argsort(f)
            bandwidth = np.empty(len(f))
            bandwidth[order] = widths(f[order], scale)
        else:
            bandwidth = alone if alone is not None and alone.min() > 0 else f / 4
        bandwidth = np.minimum(bandwidth, 1.9 * np.minimum(f, top - f)) if ((f > 0) & (f < top)).all() else bandwidth
    if not arrays.is_tensor(centre):
        centre = np.asarray(centre, dtype=np.float64)
    if not arrays.is_tensor(bandwidth):
        bandwidth = np.broadcast_to(np.asarray(bandwidth, dtype=np.float64), np.shape(centre)).copy()
    return {"centre": centre, "bandwidth": bandwidth}


def yes(value: Any, what: str) -> bool:
    """A word that says yes or no."""
    words = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
    got = words.get(str(value).lower())
    if got is None:
        raise UsageError(f"{what} {value!r}: wanted yes or no")
    return got


def _bounded(like: Domain, parameters: Words) -> dict[str, Range]:
    """Centres between 0 and rate/2; bandwidths below rate/2, and such that filters grow at most sixteen times as long."""
    top = 0.5 / float(like.step[0])
    least = float(arrays.to_numpy(arrays.asarray(parameters["bandwidth"])).min()) / 16
    if "taps" in parameters:
        least = bands.narrowest(like, parameters["taps"])
    return {"centre": Range(0.0, top), "bandwidth": Range(least, top)}


def _gammatone(like: Domain, scale: str = "erb", order: Any = 4, quadrature: Any = True, **words: Any) -> Words:
    n = whole(order, "order")
    half = 2 * 1.019 * (2 ** (1 / n) - 1) ** 0.5
    return spread(like, scale, lambda f: half * erb_width(f), **words) | {"order": n, "quadrature": yes(quadrature, "quadrature")}


def _gammachirp(like: Domain, chirp: Any = -2.0, **words: Any) -> Words:
    number(chirp, "chirp")
    return _gammatone(like, **words) | {"chirp": chirp}


def _plain(like: Domain, scale: str = "mel", quadrature: Any = True, **words: Any) -> Words:
    return spread(like, scale, **words) | {"quadrature": yes(quadrature, "quadrature")}


def _octaves(like: Domain, scale: str = "octave", quadrature: Any = True, **words: Any) -> Words:
    """What is not asked for is no wider than its centre is high, so that nothing at 0 Hz can be."""
    made = _plain(like, scale, quadrature, **words)
    if words.get("bandwidth") is None:
        made["bandwidth"] = np.minimum(made["bandwidth"], arrays.to_numpy(arrays.asarray(made["centre"])))
    return made


def _sinc(like: Domain, scale: str = "mel", taps: Any = None, quadrature: Any = True, **words: Any) -> Words:
    return _with_taps(like, _plain(like, scale, quadrature, **words), taps, words.get("bandwidth") is not None)


def _with_taps(like: Domain, made: Words, taps: Any, asked: bool) -> Words:
    """So many taps that the window is half as wide as the narrowest band, or that no band that is not asked for is narrower
    than they can make it."""
    width = made["bandwidth"]
    narrow = float(arrays.to_numpy(width).min())
    number(narrow, "bandwidth", per(like.unit[0]), above=0)
    if taps is None:
        taps = 2 * int(np.ceil(bands.narrowest(like, 1) / narrow)) + 1
    count = whole(taps, "taps")
    if not asked:
        made["bandwidth"] = np.maximum(width, 1.1 * bands.narrowest(like, count))
    return made | {"taps": count}


def _fractions(like: Domain, fraction: Any = 1, low: Any = 31.25, high: Any = None, taps: Any = None, quadrature: Any = True,
               centre: Any = None, bandwidth: Any = None) -> Words:
    from .banks import exact_octaves

    if centre is None:
        centre = exact_octaves(like, fraction, low, high)
    asked = bandwidth is not None
    if not asked:
        half = 10 ** (0.15 / whole(fraction, "fraction"))
        bandwidth = arrays.to_numpy(arrays.asarray(centre)) * (half - 1 / half)
    made = spread(like, "octave", centre=centre, bandwidth=bandwidth) | {"quadrature": yes(quadrature, "quadrature")}
    return _with_taps(like, made, taps, asked)


def _piano(like: Domain, duration: Any = 0.2, centre: Any = None, bandwidth: Any = None, quadrature: Any = True) -> Words:
    from .banks import piano_keys

    centre = piano_keys(like) if centre is None else centre
    if bandwidth is None:
        bandwidth = bands.HANN / number(duration, "duration", like.unit[0], above=0)
    return spread(like, "octave", centre=centre, bandwidth=bandwidth) | {"quadrature": yes(quadrature, "quadrature")}


def _constant_q(like: Domain, low: Any = None, high: Any = None, bins: Any = 12, gamma: Any = 0.0, oversampling: Any = 4.0,
                centre: Any = None, bandwidth: Any = None) -> Words:
    from .lapped import octaves_of

    if gamma is None:  # as wide as hearing at all frequencies (Schörkhuber et al., 2014)
        gamma = 24.7 / 0.108 * (2 ** (1 / whole(bins, "bins")) - 1)
    given = {"low": low} if low is not None else {}
    groups = octaves_of(like, high=high, bins=bins, gamma=gamma, oversampling=oversampling, **given)[::-1]
    strides = tuple(stride for f, _, stride in groups for _ in f)
    made = spread(like, "octave", centre=np.concatenate([f for f, _, _ in groups]) if centre is None else centre,
                  bandwidth=bands.HANN * np.concatenate([w for _, w, _ in groups]) if bandwidth is None else bandwidth)
    return made | {"strides": strides}


def _variable_q(like: Domain, gamma: Any = None, **words: Any) -> Words:
    return _constant_q(like, gamma=gamma, **words)


def _free(like: Domain, count: Any = 32, taps: Any = 64, seed: Any = 0) -> Words:
    m = whole(count, "count")
    if arrays.is_tensor(taps) or np.ndim(taps):
        return {"taps": taps}
    shape = (m, *(whole(taps, "taps"),) * like.ndim)
    rng = np.random.default_rng(whole(seed, "seed", 0))
    return {"taps": rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))}


def _scaled(default: str) -> dict[str, Parameter]:
    return BANDS | {"scale": Parameter(WORD, default, BANDS["scale"].meaning)}


enter("sinc", "sincnet", function=bands.sinc_bands, start=_sinc, learnable=BAND, ranges=_bounded,
      parameters=_scaled("mel") | TAPS | QUADRATURE, summary="Windowed sincs: flat, with edges as sharp as their taps allow.")
enter("gabor", function=bands.gabors, start=_plain, learnable=BAND, ranges=_bounded,
      parameters=_scaled("mel") | QUADRATURE, summary="Gaussians in frequency and in time.")
enter("morlet", "wavelet", function=bands.morlets, start=_octaves, learnable=BAND, ranges=_bounded,
      parameters=_scaled("octave") | QUADRATURE, summary="Gaussians in frequency that let nothing through at 0 Hz.")
enter("gammatone", function=bands.gammatones, start=_gammatone, learnable=BAND, ranges=_bounded,
      parameters=_scaled("erb") | ORDER | QUADRATURE, summary="The filters of the ear, as wide as hearing is there.")
enter("gammachirp", function=bands.gammachirps, start=_gammachirp, learnable=(*BAND, "chirp"), ranges=_bounded,
      parameters=_scaled("erb") | {"chirp": Parameter(PLAIN, -2.0, "how its pitch glides; below 0 steeper above")} | ORDER
      | QUADRATURE, summary="Gammatones whose slopes differ, as those of the ear do.")
enter("octave", "octaves", "octave_bands", function=bands.edge_bands, start=_fractions, learnable=BAND, ranges=_bounded,
      parameters={"fraction": Parameter(COUNT, 1, "bands an octave, 3 for thirds"),
                  "low": Parameter(PITCH, "31.25 Hz", "from here"), "high": Parameter(PITCH, "rate/2", "to here")} | TAPS
      | QUADRATURE, summary="Octave and third-octave bands, centres after IEC 61260-1, −3 dB at their edges.")
enter("piano", "keys", function=bands.notes, start=_piano, learnable=BAND, ranges=_bounded,
      parameters={"duration": Parameter(LENGTH, "0.2 s", "of each note's window")} | QUADRATURE,
      summary="The 88 keys, A0 to C8, as notes of unit norm.")
CQ = {"low": Parameter(PITCH, "C1", "the lowest centre"), "high": Parameter(PITCH, "rate/2", "what no centre reaches"),
      "bins": Parameter(COUNT, 12, "bands an octave")}
OVER = {"oversampling": Parameter(PLAIN, 4.0, "the rate of an octave over its widest band")}
enter("constant_q", "cqt", function=bands.constant_q_bands, start=_constant_q, learnable=BAND, ranges=_bounded,
      parameters=CQ | {"gamma": Parameter(FREQUENCY, 0.0, "added to every width")} | OVER,
      summary="Bands as many to every octave, each octave at its own rate.")
enter("variable_q", "vqt", function=bands.constant_q_bands, start=_variable_q, learnable=BAND, ranges=_bounded,
      parameters=CQ | {"gamma": Parameter(FREQUENCY, "24.7/0.108/Q", "added to every width")} | OVER,
      summary="Constant Q with wider bands below, as hearing has them.")
enter("fourier", "stft", function=fourier, start=lambda like, **words: words,
      parameters={"window": Parameter(COUNT, 400, "samples of a frame"), "bins": Parameter(COUNT, "window/2 + 1", "how many")},
      summary="The frames of an STFT, Hann windows.")
enter("mdct", function=mdct, start=lambda like, **words: words,
      parameters={"size": Parameter(COUNT, 256, "cosines, and the stride at which they are orthonormal")},
      summary="Cosines that overlap by half and lose nothing.")
enter("daubechies", "db", function=daubechies, start=lambda like, **words: words,
      parameters={"order": Parameter(COUNT, 4, "vanishing moments"), "levels": Parameter(COUNT, 1, "octaves taken off")},
      summary="Orthonormal wavelets, an octave at a time.")
enter("haar", function=daubechies, start=lambda like, levels=1: {"order": 1, "levels": levels},
      parameters={"levels": Parameter(COUNT, 1, "octaves taken off")}, summary="Means and differences, an octave at a time.")
enter("free", "random", function=bands.free, start=_free, dims=(1, 2, 3), learnable=("taps",),
      parameters={"count": Parameter(COUNT, 32, "how many filters"), "taps": Parameter(COUNT, 64, "of each, an axis"),
                  "seed": Parameter(COUNT, 0, "which noise")}, summary="Taps with no shape, noise to begin with.")
