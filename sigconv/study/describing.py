"""A kernel in one sentence, from its taps alone: the same taps by name, typed or from a file say the same."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from math import prod

import numpy as np

from ..errors import SigconvError
from ..kernels import reached
from ..signal import Signal
from .kinds import Kind, recognise
from .leads import AFTER, lead, title
from .matrices import crossfed, mixing, one_tap
from .measures import Facts, count, facts, filters, plain, trimmed, wanted
from .waves import minimum_phase
from .words import both, decibel, delay, frequency, gain, share

__all__ = ["describe"]

LISTED, COUNTED = 6, 256  # filters of a bank that are named one by one, and that are looked at
LOUDEST = ("sharpen", "unsharp", "emboss", "", "room", "echo", "difference", "derivative", "log", "dog")  # the peak is told
FILTERS = ("lowpass", "highpass", "bandpass", "bandstop")
PLACED = ("identity", "gain", "delay", "phase")  # one tap
TUNED = ("note", "tone", "gabor", "chirp")  # for one pitch, or one after another
SLOPES = {"gradient": 6.02, "derivative": 6.02, "laplace": 12.04, "log": 12.04, "dog": 12.04}  # of images and volumes


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
    parts = [*lead(kind, k), *([] if kind.name in PLACED else _about(kind, found, k)), *_body(kind, found, k)]
    after = f": {AFTER[kind.name]}" if kind.name in AFTER and "diagonals" not in kind.parameters else ""
    if not kind.name:
        return f"{parts[0]}: {', '.join(parts[1:])}"
    return ", ".join(parts) + after


def _about(kind: Kind, found: Facts, k: Signal) -> list[str]:
    """How it weighs frequencies."""
    line, unit = k.domain.ndim == 1, k.domain.unit[-1]
    parts = []
    if not kind.name:
        parts += [*_passes(k), count(found.taps)]
    if kind.name in FILTERS and line:
        if found.edges:
            parts.append("−3 dB at " + " and ".join(frequency(f, unit) for f in found.edges[:4]))
        parts += _reached(k, unit)
    if kind.name in ("gaussian", "binomial", "box", "note", "tone", "gabor") and line and found.edges:
        parts.append("−3 dB at " + " and ".join(frequency(f, unit) for f in found.edges[:2]))
    if kind.name not in TUNED:
        parts.append("zero at DC" if found.zero_mean else f"gain {_ratio(found.dc)} at DC")
    slope = found.slope if line else _slope(kind, k.domain.ndim)
    if found.zero_mean and slope > 0.5 and kind.name not in (*TUNED, "hilbert"):
        parts.append(f"{decibel(slope)} an octave")
    if kind.name in LOUDEST and line:
        parts.append(f"most ({gain(found.peak_gain)}) at {frequency(found.peak, unit)}")
    if not kind.name:
        parts.append(f"sum of sizes {share(found.norm1)}, norm {share(found.norm2)}")
    return parts


def _slope(kind: Kind, ndim: int) -> float:
    """dB an octave at the low end, on all axes at once."""
    if kind.name == "corner":
        return 6.02 * len(kind.parameters["axes"])
    return 6.02 + 12.04 * (ndim - 1) if kind.name == "endpoint" else SLOPES.get(kind.name, 0.0)


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
    if kind.name not in (*PLACED, "echo", "room", "chirp"):
        parts.append(_late(kind, found, k))
    elif kind.name in ("echo", "room", "chirp") and float(d.start[-1]):
        parts.append(delay(float(d.start[-1]), float(d.step[-1]), d.unit[-1]))
    warned = "an even number: no centre, so the result lies half a sample off" if even_length else ""
    if kind.name:
        parts.append(count(found.taps) + (f" ({warned})" if warned else ""))
    elif warned:
        parts.append(warned)
    if kind.name in (*PLACED, "echo", "room"):
        return parts
    still = all(abs(t) < 1e-6 for t in found.delay)
    if found.symmetry == "even":
        parts.append(f"symmetric ({'zero' if still else 'linear'} phase)")
    elif found.symmetry == "odd":
        parts.append("antisymmetric (linear phase)")
    elif kind.name in FILTERS and d.ndim == 1 and minimum_phase(trimmed(plain(k), d.start)[0]):
        parts.append("minimum phase")
    elif not kind.name:
        parts.append("no symmetry")
    return parts


def _late(kind: Kind, found: Facts, k: Signal) -> str:
    """The delay, once where it is the same along every axis."""
    d, late = k.domain, found.delay
    if kind.name == "comb" and d.ndim == 1:
        late = (float(d.start[0]) + kind.parameters["middle"],)
    where = " at its peak" if found.symmetry == "none" and d.ndim == 1 and kind.name != "comb" else ""
    if all(abs(t) < 1e-6 for t in late):
        return "no delay" + where
    if d.ndim > 1 and set(late) == {0.5}:
        return "half-sample delay along each axis"
    said = [delay(t, float(s), u) for t, s, u in zip(late, d.step, d.unit, strict=True)]
    if len(set(said)) == 1:
        return said[0] + where + " along each axis" * (d.ndim > 1)
    return " and ".join(f"{w} along {n}" for w, n, t in zip(said, d.name, late, strict=True) if abs(t) > 1e-6)


def _bank(k: Signal) -> str:
    """A bank or layer: its size, then its filters one by one, or how many of each kind."""
    sizes = f"{k.value[0]} kernels × " + (f"{k.value[1]} channel{'s' * (k.value[1] != 1)} × " if len(k.value) == 2 else "") + \
        count(k.domain.shape)
    if whole := _gradient(k, sizes) if len(k.value) == 1 else _layer(k, sizes):
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
    kinds = Counter(title(recognise(one)) for one in each)
    listed = ", ".join(f"{n} {word}" for word, n in kinds.most_common())
    return f"{sizes}: {listed}" + (f" among the first {COUNTED}" if total > COUNTED else "")


def _gradient(k: Signal, sizes: str) -> str:
    """One gradient, slope or line end an axis, as `edge`, `derivative` and `endpoint` make them."""
    d = k.domain
    if k.value[0] != d.ndim or d.ndim == 1:
        return ""
    kinds = [recognise(one) for one in filters(k)]
    name = kinds[0].name
    if name not in ("gradient", "derivative", "endpoint") or {kind.name for kind in kinds} != {name} or \
            [kind.parameters.get("axis") for kind in kinds] != list(range(d.ndim)):
        return ""
    found = facts(next(filters(k)))
    late = delay(found.delay[0], float(d.step[0]), d.unit[0] if len(set(d.unit)) == 1 else "")
    tail = f"zero at DC, {decibel(_slope(kinds[0], d.ndim))} an octave, {late}"
    if name == "derivative":
        blur = lead(kinds[0], k)[0].partition("seen through ")[2]
        return f"slopes along {both(list(d.name))}, seen through {blur}: {sizes}, {tail}, antisymmetric (linear phase)"
    if name == "endpoint":
        return (f"line ends along {both(list(d.name))}: {sizes}, each the difference along one of {', '.join(d.name)}, the "
                f"second difference across, {tail} along its axis, antisymmetric (linear phase)")
    called = {str(kind.parameters["operator"]) for kind in kinds}
    word = called.pop() if len(called) == 1 else ""
    what = f"horizontal and vertical {word or 'gradient'}" if d.name == ("y", "x") else \
        f"{word or 'gradient'} along {', '.join(d.name[:-1])} and {d.name[-1]}"
    return (f"{what}: {sizes}, each the difference along one of {', '.join(d.name)}, smooth along the rest, "
            f"{tail}{' along each axis' if found.delay[0] else ''}, antisymmetric (linear phase)")


def _layer(k: Signal, sizes: str) -> str:
    """A layer that mixes channels: one tap, or a crossfeed; or each channel by itself."""
    d = k.domain
    if one_tap(k) is not None:
        found = mixing(k)
        gains = both([f"×{share(g)}" for g in found.gains[:4]]) + ", …" * (len(found.gains) > 4)
        at = recognise(Signal(np.abs(plain(k)).sum((0, 1)), d))
        moved = [lead(at, k)[0]] if at.name == "delay" else []
        return ", ".join([f"{found.words}: {sizes}", f"gain{'s' * (len(found.gains) > 1)} {gains}", *moved,
                          *(["mirrored (det < 0)"] if found.reflects else [])])
    if ears := crossfed(k):
        return f"{ears}: {sizes}"
    taps = np.abs(plain(k)).reshape(*k.value, -1).sum(-1)
    if k.value[0] != k.value[1] or k.value[0] > LISTED or (taps - np.diag(np.diag(taps))).any():
        return ""
    each = [_label(Signal(k.data[i, i], d)) for i in range(k.value[0])]
    names = (k.names[1] if k.names else None) or tuple(f"channel {i + 1}" for i in range(k.value[1]))
    return f"{sizes}, each channel by itself: " + \
        (each[0] if len(set(each)) == 1 else "; ".join(f"{n} {e}" for n, e in zip(names, each, strict=True)))


def _label(k: Signal) -> str:
    """The short name of one filter in a bank."""
    kind = recognise(k)
    said = lead(kind, k) if kind.name != "silence" else ["silent"]
    return ", ".join(said[:2]) if kind.name in FILTERS else \
        title(kind) + f" ({AFTER[kind.name]})" if kind.name in AFTER else said[0]


def _ratio(dc: float | complex) -> str:
    size = abs(dc)
    if isinstance(dc, float) and abs(dc - 1) < 5e-3:
        return "1"
    return gain(size) + (" (inverted)" if isinstance(dc, float) and dc < -0.01 else "")
