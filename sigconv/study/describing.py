"""A kernel in one sentence, from its taps alone: the same taps by name, typed or from a file say the same."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from ..errors import SigconvError
from ..kernels import reached
from ..scales import hz_to_note
from ..signal import Signal
from .kinds import Kind, recognise
from .measures import Facts, count, facts, filters, plain, wanted
from .words import decibel, delay, frequency, gain, length, share, span

__all__ = ["describe"]

LISTED, COUNTED = 6, 256  # filters of a bank that are named one by one, and that are looked at
TITLES = {"lowpass": "low-pass", "highpass": "high-pass", "bandpass": "band-pass", "bandstop": "band-stop", "edge": "high-pass",
          "difference": "band-pass", "laplace": "high-pass", "gaussian": "blur (Gaussian)", "binomial": "blur (binomial)",
          "box": "mean (box)", "": "unlike any named kernel"}
AFTER = {"edge": "the difference of neighbours", "difference": "the central difference, over two samples",
         "laplace": "the second difference (Laplace)"}


def describe(k: Signal, name: str | None = None) -> str:
    """What a kernel does, in one sentence made from its taps alone; `name` is put in front,
    unless the sentence begins with it.

    >>> import sigconv as sc
    >>> describe(sc.kernel("edge", sc.line(1, 8000))).split(":")[0]
    'high-pass, zero at DC, +6.0 dB an octave, half-sample delay, 2 taps, antisymmetric (linear phase)'
    """
    wanted(k, "describe")
    words = _words(k)
    return f"{name}: {words}" if name and not words.startswith(f"{name}:") else words


def _words(k: Signal) -> str:
    if 0 in k.data.shape:
        return "nothing: a kernel without taps"
    if not k.value:
        return _sentence(k)
    if prod(k.value) == 1:
        return _sentence(next(filters(k)))
    return _bank(k)


def _sentence(k: Signal) -> str:
    kind, found = recognise(k), facts(k)
    if kind.name == "silence":
        return f"silence: every tap is 0, {count(k.domain.shape)}"
    lead = _lead(kind, k)
    plain = kind.name in ("identity", "gain", "delay")
    parts = [*lead, *([] if plain else _about(kind, found, k)), *_body(kind, found, k)]
    after = f": {AFTER[kind.name]}" if kind.name in AFTER and "diagonals" not in kind.parameters else ""
    if not kind.name:
        return f"{parts[0]}: {', '.join(parts[1:])}"
    return ", ".join(parts) + after


def _lead(kind: Kind, k: Signal) -> list[str]:
    """What it is, with its parameters in units."""
    p, steps, units = kind.parameters, [float(s) for s in k.domain.step], k.domain.unit
    axis = p.get("axis", k.domain.ndim - 1)
    step, unit = steps[axis], units[axis]
    along = f" along {k.domain.name[axis]}" if "axis" in p else ""
    level = [] if kind.name in ("note", "tone") or abs(abs(kind.gain) - 1) < 1e-3 else [f"times {share(abs(kind.gain))}"]
    turned = ["inverted"] if kind.gain < 0 and kind.name not in ("edge", "difference", "laplace", "gradient") else []

    def each(values: Any, write: Any) -> str:
        values = values if isinstance(values, tuple) else (values,)
        on = zip(steps, units, strict=True) if len(values) > 1 else [(step, unit)]
        said = [write(v, s, u) for v, (s, u) in zip(values, on, strict=True)]
        return said[0] if len(set(said)) == 1 else " × ".join(said)

    def often(v: float, s: float, u: str) -> str:
        return frequency(v / s, u)

    if kind.name == "identity":
        return ["identity: changes nothing"]
    if kind.name == "gain":
        return [f"gain of {gain(kind.gain)}", *turned]
    if kind.name == "delay":
        return [_shifts(p["time"], along, k), "gain 1 at every frequency" if not level else f"gain {gain(kind.gain)}", *turned]
    if kind.name == "gaussian":
        return [f"blur{along} (Gaussian, σ {each(p['sigma'], span)})", "low-pass", *level, *turned]
    if kind.name == "binomial":
        like = f"like a Gaussian of σ {each(p['sigma'], span)}"
        triangle = p["sigma"] == (first := 0.5**0.5) or p["sigma"] == (first,) * k.domain.ndim
        also = f"triangle; also the mean over exactly {each(2.0, span)}; " if triangle else ""
        return [f"binomial blur{along} ({also}{like})", "low-pass", *level, *turned]
    if kind.name == "box":
        return [f"mean over {each(p['width'], span)}{along} (box)", "low-pass", *level, *turned]
    if kind.name == "sharpen":
        diagonals = ", diagonals too" * ("diagonals" in p)
        return [f"sharpen (what is there minus {share(p['amount'])} × its second difference{diagonals})", *level, *turned]
    if kind.name == "laplace" and "diagonals" in p:
        return ["Laplace with diagonals (outline): high-pass"]
    if kind.name == "echo":
        many = f"{p['repeats']} repeat{'s' * (p['repeats'] != 1)}"
        return [f"echo{along}: {many}, each {length(p['delay'] * step, unit)} later and {share(p['decay'])} times the last "
                f"({gain(p['decay'])})", *level, *turned]
    if kind.name == "room":
        return [f"room: a direct sound, then noise that decays by 60 dB in {length(p['t60'] * step, unit)} (T60)",
                f"its tail at {gain(p['wet'])}", *level, *turned]
    if kind.name in ("note", "tone"):
        pitch = p["pitch"] / step
        named = f"{hz_to_note(pitch)} ({frequency(pitch, unit)})" if unit == "s" and pitch > 8 else frequency(pitch, unit)
        kinds = f"note {named}" if kind.name == "note" else f"tone of {named} under a window"
        return [f"{kinds}, {length(p['duration'] * step, unit)} long", "band-pass", "a quadrature pair (complex)"]
    if kind.name == "gradient":
        axis, rest = p["axis"], [n for i, n in enumerate(k.domain.name) if i != p["axis"]]
        view = {"x": "horizontal ", "y": "vertical "}.get(k.domain.name[axis], "")
        called = f"{view}{p['operator'] or 'gradient'}"
        return [f"{called}: the difference along {k.domain.name[axis]}, smooth along {' and '.join(rest)}"]
    if kind.name in ("lowpass", "highpass"):
        return [f"{TITLES[kind.name]}{along}", f"cutoff {each(p['cutoff'], often)} (−6 dB)", *level, *turned]
    if kind.name in ("bandpass", "bandstop"):
        return [f"{TITLES[kind.name]}{along}", f"{each(p['low'], often)} to {each(p['high'], often)} (−6 dB)", *level, *turned]
    return [TITLES[kind.name]]


def _shifts(time: Any, along: str, k: Signal) -> str:
    """How far, along which axes."""
    if not isinstance(time, tuple):
        axis = k.domain.name.index(along.removeprefix(" along ")) if along else -1
        return delay(time, float(k.domain.step[axis]), k.domain.unit[axis]) + along
    axes = zip(time, k.domain.step, k.domain.unit, k.domain.name, strict=True)
    return " and ".join(f"{delay(t, float(s), u)} along {n}" for t, s, u, n in axes if t)


def _about(kind: Kind, found: Facts, k: Signal) -> list[str]:
    """How it weighs frequencies."""
    line, unit = k.domain.ndim == 1, k.domain.unit[-1]
    parts = []
    if not kind.name:
        parts += [*_passes(k), count(found.taps)]
    if kind.name in ("lowpass", "highpass", "bandpass", "bandstop") and line:
        if found.edges:
            parts.append("−3 dB at " + " and ".join(frequency(f, unit) for f in found.edges[:4]))
        parts += _reached(k, unit)
    if kind.name in ("gaussian", "binomial", "box", "note", "tone") and line and found.edges:
        parts.append("−3 dB at " + " and ".join(frequency(f, unit) for f in found.edges[:2]))
    if kind.name not in ("note", "tone"):
        parts.append("zero at DC" if found.zero_mean else f"gain {_ratio(found.dc)} at DC")
    slope = {"gradient": 6.02, "laplace": 12.04}.get(kind.name, 0.0) if not line else found.slope
    if found.zero_mean and slope > 0.5 and kind.name not in ("note", "tone"):
        parts.append(f"{decibel(slope)} an octave")
    if kind.name in ("sharpen", "", "room", "echo", "difference") and line:
        parts.append(f"most ({gain(found.peak_gain)}) at {frequency(found.peak, unit)}")
    if not kind.name:
        parts.append(f"sum of sizes {share(found.norm1)}, norm {share(found.norm2)}")
    return parts


def _passes(k: Signal) -> list[str]:
    """The word for which frequencies an unnamed kernel of an image or volume passes, where it is plain: the gain at DC and at
    the highest frequencies (half the rate along one axis at least), against the largest."""
    taps = plain(k)
    if taps.ndim == 1 or taps.size > 2**16:
        return []
    size = np.abs(np.fft.fftn(taps / np.abs(taps).max(), [max(16, n + n % 2) for n in taps.shape], range(taps.ndim)))
    most = float(size.max())
    faces = [size.take(n // 2, axis) for axis, n in enumerate(size.shape)]  # the rest of the spectrum on each
    dc, highest = float(size.flat[0]) / most, max(float(face.max()) for face in faces) / most
    if highest < 0.51:
        return ["low-pass"] if dc > 0.7 else ["band-pass"] if dc < 0.1 and highest < 0.3 else []
    alone = min(float(face.flat[0]) for face in faces) / most  # along one axis, the others at DC
    return ["high-pass"] if dc < 0.3 and highest > 0.7 and alone > 0.3 else []


def _reached(k: Signal, unit: str) -> list[str]:
    try:
        r = reached(k)
    except SigconvError:
        return []
    if r.ripple > 1 or r.attenuation > 200:
        return []
    return [f"ripple {share(round(r.ripple, 3))} dB", f"attenuation {r.attenuation:.0f} dB",
            f"transition {frequency(r.transition, unit)}"]


def _body(kind: Kind, found: Facts, k: Signal) -> list[str]:
    """Delay, size, symmetry."""
    d, parts = k.domain, []
    even_length = d.ndim == 1 and found.symmetry != "none" and found.delay[0] % 1 == 0.5 and d.shape[0] > 2
    if kind.name not in ("identity", "gain", "delay", "echo", "room"):
        where = " at its peak" if found.symmetry == "none" and d.ndim == 1 else ""
        said = [delay(t, float(s), u) for t, s, u in zip(found.delay, d.step, d.unit, strict=True)]
        if len(set(said)) == 1:
            parts.append(said[0] + where + (" along each axis" if d.ndim > 1 and found.delay[0] else ""))
        else:
            parts.append(" and ".join(f"{w} along {n}" for w, n in zip(said, d.name, strict=True)))
    elif kind.name in ("echo", "room") and float(d.start[-1]):
        parts.append(delay(float(d.start[-1]), float(d.step[-1]), d.unit[-1]))
    warned = "an even number: no centre, so the result lies half a sample off" if even_length else ""
    if kind.name:
        parts.append(count(found.taps) + (f" ({warned})" if warned else ""))
    elif warned:
        parts.append(warned)
    if kind.name in ("identity", "gain", "delay", "echo", "room"):
        return parts
    still = all(abs(t) < 1e-6 for t in found.delay)
    if found.symmetry == "even":
        parts.append(f"symmetric ({'zero' if still else 'linear'} phase)")
    elif found.symmetry == "odd":
        parts.append("antisymmetric (linear phase)")
    elif not kind.name:
        parts.append("no symmetry")
    return parts


def _bank(k: Signal) -> str:
    """A bank or layer: its size, then its filters one by one, or how many of each kind."""
    sizes = f"{k.value[0]} kernels × " + (f"{k.value[1]} channel{'s' * (k.value[1] != 1)} × " if len(k.value) == 2 else "") + \
        count(k.domain.shape)
    if len(k.value) == 1 and (whole := _gradient(k, sizes)):
        return whole
    total = prod(k.value)
    each = list(islice(filters(k), COUNTED))
    labels = [_label(one) for one in each]
    names = k.channels or ()
    if total <= LISTED and len(set(labels)) > 1:
        called = [f"{n} " for n in names] if len(k.value) == 1 and len(names) == total else [""] * total
        return f"{sizes}: " + "; ".join(f"{n}{label}" for n, label in zip(called, labels, strict=True))
    if len(set(labels)) == 1:
        return f"{sizes}, all {labels[0]}" + (f" (the first {COUNTED})" if total > COUNTED else "")
    kinds = Counter(TITLES.get(recognise(one).name, recognise(one).name) for one in each)
    listed = ", ".join(f"{n} {word}" for word, n in kinds.most_common())
    return f"{sizes}: {listed}" + (f" among the first {COUNTED}" if total > COUNTED else "")


def _gradient(k: Signal, sizes: str) -> str:
    """One gradient an axis, as `edge` makes them."""
    d = k.domain
    if k.value[0] != d.ndim or d.ndim == 1:
        return ""
    kinds = [recognise(one) for one in filters(k)]
    if [kind.parameters.get("axis") for kind in kinds if kind.name == "gradient"] != list(range(d.ndim)):
        return ""
    found = facts(next(filters(k)))
    late = delay(found.delay[0], float(d.step[0]), d.unit[0])
    called = {str(kind.parameters["operator"]) for kind in kinds}
    word = called.pop() if len(called) == 1 else ""
    what = f"horizontal and vertical {word or 'gradient'}" if d.name == ("y", "x") else \
        f"{word or 'gradient'} along {', '.join(d.name[:-1])} and {d.name[-1]}"
    return (f"{what}: {sizes}, each the difference along one of {', '.join(d.name)}, smooth along the rest, zero at DC, "
            f"+6.0 dB an octave, {late}{' along each axis' if found.delay[0] else ''}, antisymmetric (linear phase)")


def _label(k: Signal) -> str:
    """The short name of one filter in a bank."""
    kind = recognise(k)
    lead = _lead(kind, k) if kind.name != "silence" else ["silent"]
    return ", ".join(lead[:2]) if kind.name in ("lowpass", "highpass", "bandpass", "bandstop") else \
        TITLES[kind.name] + f" ({AFTER[kind.name]})" if kind.name in AFTER else lead[0]


def _ratio(dc: float | complex) -> str:
    size = abs(dc)
    if isinstance(dc, float) and abs(dc - 1) < 1e-3:
        return "1"
    return gain(size) + (" (inverted)" if isinstance(dc, float) and dc < -0.01 else "")
