"""What a recognised kernel is, in a person's words first, then its parameters in the units of its axes."""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, degrees, hypot, sqrt
from typing import Any

import numpy as np

from ..domain import Domain
from ..kernels import flat
from ..scales import hz_to_note
from ..signal import Signal
from .kinds import Kind
from .measures import plain
from .words import both, delay, frequency, gain, length, share, span

__all__ = ["AFTER", "TITLES", "lead", "title"]

TITLES = {"lowpass": "low-pass", "highpass": "high-pass", "bandpass": "band-pass", "bandstop": "band-stop", "edge": "high-pass",
          "difference": "band-pass", "laplace": "high-pass", "gaussian": "blur (Gaussian)", "binomial": "blur (binomial)",
          "box": "mean (box)", "unsharp": "unsharp mask", "log": "Laplacian of a Gaussian", "dog": "difference of Gaussians",
          "derivative": "derivative of a Gaussian", "motion": "motion blur", "endpoint": "line end",
          "hilbert": "Hilbert transformer", "phase": "phase turn", "": "unlike any named kernel"}
AFTER = {"edge": "the difference of neighbours", "difference": "the central difference, over two samples",
         "laplace": "the second difference (Laplace)"}
UNLEVELLED = ("note", "tone", "chirp")  # their gain is their norm
SIGNED = ("edge", "difference", "laplace", "gradient", "corner", "endpoint", "hilbert", "derivative")  # either sign is one
SIDES = {"y": ("top", "bottom"), "x": ("left", "right"), "z": ("front", "back")}


def title(kind: Kind) -> str:
    """What many of a kind are called."""
    return TITLES.get(kind.name, kind.name)


class _Said:
    """A kernel's parameters, ready to be said."""

    def __init__(self, kind: Kind, k: Signal):
        self.kind, self.k, self.p = kind, k, kind.parameters
        self.steps, self.units, self.names = [float(s) for s in k.domain.step], k.domain.unit, k.domain.name
        self.axis = self.p.get("axis", k.domain.ndim - 1)
        self.step, self.unit = self.steps[self.axis], self.units[self.axis]
        self.along = f" along {self.names[self.axis]}" if "axis" in self.p else ""
        near = 3e-3 if kind.name.endswith(("pass", "stop")) else 1e-3  # of filters, within their ripple
        self.level = [] if kind.name in UNLEVELLED or abs(abs(kind.gain) - 1) < near else [f"times {share(abs(kind.gain))}"]
        self.turned = ["inverted"] if kind.gain < 0 and kind.name not in SIGNED else []

    def each(self, values: Any, write: Callable[..., str]) -> str:
        """One value an axis, once where all say the same."""
        values = values if isinstance(values, tuple) else (values,)
        on = list(zip(self.steps, self.units, strict=True)) if len(values) > 1 else [(self.step, self.unit)]
        said = [write(v, s, u) for v, (s, u) in zip(values, on, strict=True)]
        if len(said) > 1 and len(set(self.units)) > 1:
            return both([f"{word} along {name}" for word, name in zip(said, self.names, strict=True)])
        return said[0] if len(set(said)) == 1 else " × ".join(said)

    def spans(self, samples: Any) -> str:
        """Lengths in the units of the axes, and in steps: once for all axes where that will do."""
        if not isinstance(samples, tuple) or len(set(zip(samples, self.steps, self.units, strict=True))) == 1:
            one = samples[0] if isinstance(samples, tuple) else samples
            return span(one, self.step, self.unit)
        lengths = self.each(samples, lambda v, step, unit: length(v * step, unit))
        if set(self.units) == {"px"} and set(self.steps) == {1.0}:
            return lengths
        steps = [share(v) for v in samples]
        said = f"{steps[0]} steps each" if len(set(steps)) == 1 else f"{' × '.join(steps)} steps"
        return f"{lengths}{',' if len(set(self.units)) > 1 else ' ='} {said}"

    def long(self, samples: float) -> str:
        return length(samples * self.step, self.unit)

    def often(self, pitch: float) -> str:
        """A frequency in cycles a sample; on seconds as a note too."""
        value = pitch / self.step
        sound = self.units == ("s",) and 8 < value < 2e4
        return f"{hz_to_note(value)} ({frequency(value, self.unit)})" if sound else \
            frequency(value, self.unit)

    def beyond(self) -> list[str]:
        return [*self.level, *self.turned]

    def at_angle(self, vector: tuple[float, ...], half: bool) -> str:
        """`"at 30° from x to y"`; `half`: of a line, which has two directions."""
        if len(vector) == 1:
            return ""
        angle = degrees(atan2(vector[-2], vector[-1])) if hypot(*vector[-2:]) > 1e-9 * float(np.linalg.norm(vector)) else 0.0
        angle = angle % 180 if half else angle
        raised = degrees(atan2(vector[0], hypot(*vector[1:]))) if len(vector) == 3 else 0.0
        up = f", raised {share(round(raised, 2))}° towards {self.names[0]}" if abs(raised) > 0.005 else ""
        return f" at {share(round(angle, 2) + 0.0)}° from {self.names[-1]} to {self.names[-2]}{up}"


def lead(kind: Kind, k: Signal) -> list[str]:
    """What it is, with its parameters in units."""
    said = _Said(kind, k)
    return WORDS[kind.name](said) if kind.name in WORDS else [title(kind)]


def _identity(_: _Said) -> list[str]:
    return ["identity: changes nothing"]


def _gain(s: _Said) -> list[str]:
    return [f"gain of {gain(s.kind.gain)}", *s.turned]


def _delay(s: _Said) -> list[str]:
    where = _shifts(s.p["time"], s.along, s.k)
    return [where, "gain 1 at every frequency" if not s.level else f"gain {gain(s.kind.gain)}", *s.turned]


def _phase(s: _Said) -> list[str]:
    moved = [_shifts(s.p["time"] if len(s.p["time"]) > 1 else s.p["time"][0], "", s.k)] if any(s.p["time"]) else []
    return [f"turns the phase by {share(round(s.p['angle'], 2))}°", *moved, *s.level]


def _shifts(time: Any, along: str, k: Signal) -> str:
    """How far, along which axes."""
    if not isinstance(time, tuple):
        axis = k.domain.name.index(along.removeprefix(" along ")) if along else -1
        return delay(time, float(k.domain.step[axis]), k.domain.unit[axis]) + along
    axes = zip(time, k.domain.step, k.domain.unit, k.domain.name, strict=True)
    return " and ".join(f"{delay(t, float(s), u)} along {n}" for t, s, u, n in axes if t)


def _gaussian(s: _Said) -> list[str]:
    return [f"blur{s.along} (Gaussian, σ {s.spans(s.p['sigma'])})", "low-pass", *s.beyond()]


def _binomial(s: _Said) -> list[str]:
    like = f"like a Gaussian of σ {s.spans(s.p['sigma'])}"
    triangle = s.p["sigma"] == (first := 0.5**0.5) or s.p["sigma"] == (first,) * s.k.domain.ndim
    also = f"triangle; also the mean over exactly {s.each(2.0, span)}; " if triangle else ""
    return [f"binomial blur{s.along} ({also}{like})", "low-pass", *s.beyond()]


def _box(s: _Said) -> list[str]:
    return [f"mean over {s.spans(s.p['width'])}{s.along} (box)", "low-pass", *s.beyond()]


def _motion(s: _Said) -> list[str]:
    path = s.p["path"]
    if len(set(s.units)) == 1:
        far = [v * step for v, step in zip(path, s.steps, strict=True)]
        where = f"{length(float(np.linalg.norm(far)), s.unit)}{s.at_angle(tuple(far), half=True)}"
    else:
        parts = [f"{'−' * bool(v < 0)}{span(abs(v), step, u)} along {n}"
                 for v, step, u, n in zip(path, s.steps, s.units, s.names, strict=True) if v]
        where = f"a straight path of {' by '.join(parts)}"
    return [f"motion blur: the mean along {where}", "low-pass", *s.beyond()]


def _sharpen(s: _Said) -> list[str]:
    diagonals = ", diagonals too" * ("diagonals" in s.p)
    return [f"sharpen{s.along} (what is there minus {share(s.p['amount'])} × its second difference{diagonals})", *s.beyond()]


def _unsharp(s: _Said) -> list[str]:
    return [f"unsharp mask{s.along} (what is there plus {share(s.p['amount'])} × what a blur of σ {s.spans(s.p['sigma'])} "
            "takes away)", *s.beyond()]


def _emboss(s: _Said) -> list[str]:
    ends, names = [int(v < 0) for v in s.p["lit"]], [s.names[s.axis]] if "axis" in s.p else s.names
    if s.k.domain.ndim > 1 and all(n in SIDES for n in names):
        light = " ".join(SIDES[n][end] for n, end in zip(names, ends, strict=True))
        return [f"emboss: a relief lit from the {light} (what is there plus {share(s.p['amount'])} × how much it grows away from "
                "the light)", *s.beyond()]
    along = [[n for n, end in zip(names, ends, strict=True) if end == which] for which in (0, 1)]
    ways = " and ".join(f"{way} along {both(on)}" for way, on in zip(("grows", "falls"), along, strict=True) if on)
    return [f"emboss: a relief (what is there plus {share(s.p['amount'])} × how much it {ways})", *s.beyond()]


def _laplace(s: _Said) -> list[str]:
    return ["Laplace with diagonals (outline): high-pass"] if "diagonals" in s.p else [f"high-pass{s.along}"]


def _log(s: _Said) -> list[str]:
    size = s.each(tuple(v * sqrt(2) for v in s.p["sigma"]) if isinstance(s.p["sigma"], tuple) else s.p["sigma"] * sqrt(2),
                  lambda v, step, unit: length(v * step, unit))
    many = f"blobs of radius {size} answer most" if s.k.domain.ndim > 1 else f"bumps of half width {size} answer most"
    return [f"Laplacian of a Gaussian{s.along} (σ {s.spans(s.p['sigma'])}): what bends, seen through a blur; {many}",
            "band-pass", *s.beyond()]


def _dog(s: _Said) -> list[str]:
    narrow, ratio = s.p["sigma"], s.p["ratio"]
    wide = tuple(v * ratio for v in narrow) if isinstance(narrow, tuple) else narrow * ratio
    return [f"difference of Gaussians{s.along} (a blur of σ {s.spans(narrow)} less one of σ {s.spans(wide)}): "
            "what is about that large", "band-pass", *s.beyond()]


def _derivative(s: _Said) -> list[str]:
    falls = ["turned round"] if s.kind.gain < 0 else []
    return [f"slope{s.along}, seen through a blur (derivative of a Gaussian, σ {s.spans(s.p['sigma'])})", *s.level, *falls]


def _gradient(s: _Said) -> list[str]:
    axis, rest = s.p["axis"], [n for i, n in enumerate(s.names) if i != s.p["axis"]]
    view = {"x": "horizontal ", "y": "vertical "}.get(s.names[axis], "")
    called = f"{view}{s.p['operator'] or 'gradient'}"
    return [f"{called}: the difference along {s.names[axis]}, smooth along {both(rest)}"]


def _corner(s: _Said) -> list[str]:
    axes = [s.names[a] for a in s.p["axes"]]
    return [f"corner: the difference along {both(axes)} at once, where their edges meet", *s.level]


def _endpoint(s: _Said) -> list[str]:
    rest = [n for i, n in enumerate(s.names) if i != s.axis]
    return [f"line end: the difference along {s.names[s.axis]}, the second difference across ({both(rest)}), where a thin line "
            "ends", *s.level]


def _echo(s: _Said) -> list[str]:
    many = f"{s.p['repeats']} repeat{'s' * (s.p['repeats'] != 1)}"
    return [f"echo{s.along}: {many}, each {s.long(s.p['delay'])} later and {share(s.p['decay'])} times the last "
            f"({gain(s.p['decay'])})", *s.beyond()]


def _comb(s: _Said) -> list[str]:
    period = s.p["period"]
    return [f"comb{s.along}: the mean at {s.p['teeth']} instants {s.long(period)} apart" if s.unit == "s" else
            f"comb{s.along}: the mean at {s.p['teeth']} places {s.long(period)} apart",
            f"passes 0 and every multiple of {s.often(1 / period)}", *s.beyond()]


def _room(s: _Said) -> list[str]:
    return [f"room: a direct sound, then noise that decays by 60 dB in {s.long(s.p['t60'])} (T60)",
            f"its tail at {gain(s.p['wet'])}", *s.beyond()]


def _note(s: _Said) -> list[str]:
    pitch = s.p["pitch"] / s.step
    named = f"{hz_to_note(pitch)} ({frequency(pitch, s.unit)})" if s.unit == "s" and pitch > 8 else frequency(pitch, s.unit)
    kinds = f"note {named}" if s.kind.name == "note" else f"tone of {named} under a window"
    return [f"{kinds}, {s.long(s.p['duration'])} long", "band-pass", "a quadrature pair (complex)"]


def _chirp(s: _Said) -> list[str]:
    low, high = s.p["ends"]
    how = "every octave takes the same time" if s.p["scale"] == "octave" else "at a constant rate"
    below = ", negative frequencies" * s.p["negative"]
    way = f"{'up' if high > low else 'down'} from {_often(low, s.step, s.unit)} to {_often(high, s.step, s.unit)}"
    return [f"sweep (chirp) {way} in {s.long(s.p['duration'])}, {how}{below}", "band-pass", "a quadrature pair (complex)"]


def _gabor(s: _Said) -> list[str]:
    wave, sigma = s.p["frequency"], s.p["sigma"]
    if len(wave) == 1:
        waves = f"a wave of {s.often(wave[0])}"
    elif len(set(s.units)) == 1:
        per = [f / step for f, step in zip(wave, s.steps, strict=True)]
        waves = f"waves {length(1 / float(np.linalg.norm(per)), s.unit)} long{s.at_angle(tuple(per), half=False)}"
    else:
        waves = " and ".join(f"a wave every {'−' * bool(f < 0)}{length(step / abs(f), u)} along {n}"
                             for f, step, u, n in zip(wave, s.steps, s.units, s.names, strict=True) if abs(f) > 1e-9)
    shift = [f"phase {share(round(s.p['phase'], 2))}°"] if abs(s.p["phase"]) > 0.005 else []
    wide = sigma if len(sigma) > 1 else sigma[0]
    return [f"Gabor: {waves} under a Gaussian of σ {s.spans(wide)}", *shift, "band-pass", "a quadrature pair (complex)",
            *s.level]


def _hilbert(s: _Said) -> list[str]:
    turn = "−90°: a cosine becomes the sine" if s.kind.gain > 0 else "+90°: a sine becomes the cosine"
    h = plain(s.k).sum(axis=tuple(a for a in range(s.k.domain.ndim) if a != s.axis)) / s.kind.gain
    level = flat(Signal(h, Domain((len(h),), s.k.domain.step[s.axis], 0, s.unit)))
    said = [f"gain within 1 % from {frequency(level[0][0], s.unit)} to {frequency(level[-1][1], s.unit)}"] if level else []
    return [f"Hilbert transformer{s.along}: turns every frequency by {turn}", *said, *s.level]


def _often(value: float, step: float, unit: str) -> str:
    return frequency(value / step, unit)


def _pass(s: _Said) -> list[str]:
    return [f"{TITLES[s.kind.name]}{s.along}", f"cutoff {s.each(s.p['cutoff'], _often)} (−6 dB)", *s.beyond()]


def _band(s: _Said) -> list[str]:
    ends = [s.each(s.p[end], _often) for end in ("low", "high")]
    return [f"{TITLES[s.kind.name]}{s.along}", f"{ends[0]} to {ends[1]} (−6 dB)", *s.beyond()]


WORDS: dict[str, Callable[[_Said], list[str]]] = {
    "identity": _identity, "gain": _gain, "delay": _delay, "phase": _phase, "gaussian": _gaussian, "binomial": _binomial,
    "box": _box, "motion": _motion, "sharpen": _sharpen, "unsharp": _unsharp, "emboss": _emboss, "laplace": _laplace, "log": _log,
    "dog": _dog, "derivative": _derivative, "gradient": _gradient, "corner": _corner, "endpoint": _endpoint, "echo": _echo,
    "comb": _comb, "room": _room, "note": _note, "tone": _note, "chirp": _chirp, "gabor": _gabor, "hilbert": _hilbert,
    "lowpass": _pass, "highpass": _pass, "bandpass": _band, "bandstop": _band}
