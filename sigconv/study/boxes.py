"""Kernels of images and volumes: recognised by their factors where they are a product, by their profile along each axis else."""

from __future__ import annotations

import numpy as np

from . import bells, waves
from .kinds import Kind, on_line
from .measures import SAME, parity

__all__ = ["in_space"]

FILTERS = ("lowpass", "highpass", "bandpass", "bandstop")
SMOOTH = ("identity", "gain", "box", "binomial", "gaussian", "lowpass", "delay")
OPERATORS = {"Sobel": (1, 2, 1), "Prewitt": (1, 1, 1), "Scharr": (3, 10, 3)}  # the smooth factors beside -1,0,1


def in_space(taps: np.ndarray, first: tuple[float, ...]) -> Kind:
    """The family of trimmed taps on two or three axes, the first at index `first`."""
    one = _one_tap(taps, first)
    if np.iscomplexobj(taps) or one:
        return one or waves.gabor(taps) or Kind("")
    return (_star(taps) or _emboss(taps) or _product(taps, first) or bells.in_space(taps) or _motion(taps)
            or _profiles(taps, first) or Kind(""))


def _one_tap(taps: np.ndarray, first: tuple[float, ...]) -> Kind | None:
    top = np.unravel_index(int(np.abs(taps).argmax()), taps.shape)
    if np.abs(taps).sum() - abs(taps[top]) > 1e-7 * abs(taps[top]) * taps.size:
        return None
    at = tuple(a + int(i) for a, i in zip(first, top, strict=True))
    if np.iscomplexobj(taps):
        return waves.phase(complex(taps[top]), at)
    gain = float(taps[top])
    if any(at):
        return Kind("delay", gain, {"time": at})
    return Kind("identity" if abs(gain - 1) < SAME else "gain", gain)


def _star(taps: np.ndarray) -> Kind | None:
    """A centre and its direct neighbours, all alike, or all its neighbours: laplace, or what sharpens."""
    if taps.shape != (3,) * taps.ndim:
        return None
    if taps[(0,) * taps.ndim]:
        return _block(taps)
    arm = float(taps[(0,) + (1,) * (taps.ndim - 1)])
    star = np.zeros_like(taps)
    star[(1,) * taps.ndim] = -2.0 * taps.ndim
    for axis in range(taps.ndim):
        for end in (0, 2):
            star[tuple(end if a == axis else 1 for a in range(taps.ndim))] = 1
    rest = taps - arm * star
    gain = float(rest[(1,) * taps.ndim])
    rest[(1,) * taps.ndim] = 0
    near = 10 * SAME * np.abs(taps).max()
    if np.abs(rest).max() > near or not arm:
        return None
    if abs(gain) < near:
        return Kind("laplace", arm)
    return Kind("sharpen", gain, {"amount": -arm / gain}) if -arm / gain > 0 else None


def _block(taps: np.ndarray) -> Kind | None:
    """A centre among neighbours of one sign, diagonal ones too, the same along every axis and either way."""
    near, arm = 10 * SAME * np.abs(taps).max(), taps.copy()
    middle = (1,) * taps.ndim
    arm[middle] = 0
    turns = [np.flip(taps, axis) for axis in range(taps.ndim)] + [np.swapaxes(taps, 0, axis) for axis in range(1, taps.ndim)]
    around = np.delete(arm.ravel(), taps.size // 2) * np.sign(arm.sum())
    if around.min() <= near or any(np.abs(turn - taps).max() > near for turn in turns):
        return None
    gain, bend = float(taps.sum()), float(arm[(0, *middle[1:])])
    if abs(gain) < near:
        return Kind("laplace", bend, {"diagonals": True})
    if bend * gain > 0 or np.ptp(around) > near:
        return None
    return Kind("sharpen", gain, {"amount": -bend / gain, "diagonals": True})


def _emboss(taps: np.ndarray) -> Kind | None:
    """gain · (δ ∓ amount · i ∓ amount · j …), i, j = −1, 0, 1."""
    if taps.shape != (3,) * taps.ndim:
        return None
    middle = (1,) * taps.ndim
    gain = float(taps[middle])
    slopes = [float(taps[tuple(0 if a == axis else 1 for a in range(taps.ndim))]) for axis in range(taps.ndim)]
    places = np.indices(taps.shape) - 1
    rest = taps + sum(slope * at for slope, at in zip(slopes, places, strict=True))
    rest[middle] -= gain
    amount, near = abs(slopes[0]), 10 * SAME * float(np.abs(taps).max())
    if np.abs(rest).max() > near or abs(gain) < near or max(abs(abs(s) - amount) for s in slopes) > near or amount < near:
        return None
    return Kind("emboss", gain, {"amount": amount / abs(gain), "lit": tuple(float(np.sign(s / gain)) for s in slopes)})


def _motion(taps: np.ndarray) -> Kind | None:
    """The mean along a straight path: its shadow on every axis is a box as long as the path is along it."""
    total = float(taps.sum())
    if taps.min() * total < 0 or not total or any(n % 2 == 0 for n in taps.shape):
        return None
    at = np.meshgrid(*(np.arange(n) - n // 2 for n in taps.shape), indexing="ij", sparse=True)
    lead = int(np.argmax(taps.shape))
    path = []
    for axis, n in enumerate(taps.shape):
        if n == 1:
            path.append(0.0)
            continue
        box = on_line(taps.sum(axis=tuple(a for a in range(taps.ndim) if a != axis)), 0)
        if box.name not in ("box", "binomial"):  # a quarter, a half, a quarter is a box of two
            return None
        width = float(box.parameters["width"]) if box.name == "box" else 2.0
        path.append(width if float((taps * at[axis] * at[lead]).sum()) * total >= 0 else -width)
    if sum(v != 0 for v in path) < 2:
        return None
    path = [v * np.sign(path[-1] or path[lead]) for v in path]
    length = float(np.linalg.norm(path))
    first, last = np.array(-length / 2), np.array(length / 2)
    for v, i in zip(path, at, strict=True):
        if v:
            enters, leaves = (i - 0.5) * length / v, (i + 0.5) * length / v
            first, last = np.maximum(first, np.minimum(enters, leaves)), np.minimum(last, np.maximum(enters, leaves))
    if np.abs(total * np.maximum(last - first, 0) / length - taps).max() > 1e-5 * np.abs(taps).max():
        return None
    return Kind("motion", total, {"path": tuple(map(float, path))})


def _product(taps: np.ndarray, first: tuple[float, ...]) -> Kind | None:
    """Taps that are one factor an axis: the lines through the largest tap."""
    top = np.unravel_index(int(np.abs(taps).argmax()), taps.shape)
    peak = taps[top]
    lines = [taps[tuple(slice(None) if a == axis else int(i) for a, i in enumerate(top))] / peak for axis in range(taps.ndim)]
    outer = peak
    for axis, line in enumerate(lines):
        outer = outer * line.reshape([-1 if a == axis else 1 for a in range(taps.ndim)])
    if np.abs(outer - taps).max() > 1e-5 * abs(peak):
        return None
    kinds = [on_line(line, a) for line, a in zip(lines, first, strict=True)]
    names = [k.name for k in kinds]
    moving = [axis for axis, name in enumerate(names) if name not in ("identity", "gain")]
    total = float(taps.sum())
    for name, parameter in (("gaussian", "sigma"), ("box", "width"), ("binomial", "sigma")):
        if len(moving) == 1 and names[moving[0]] == name:
            return Kind(name, total, kinds[moving[0]].parameters | {"axis": moving[0]})
        if moving and {names[axis] for axis in moving} == {name}:
            return Kind(name, total, {parameter: tuple(k.parameters.get(parameter, 0.0) for k in kinds)})
    if moving and all(name in ("identity", "gain", "delay") for name in names):
        gain = float(np.prod([k.gain for k in kinds])) * float(peak)
        return Kind("delay", gain, {"time": tuple(k.parameters.get("time", 0.0) for k in kinds)})
    if len(moving) > 1 and {names[axis] for axis in moving} == {"edge"}:
        return Kind("corner", float(np.prod([k.gain for k in kinds])) * float(peak), {"axes": tuple(moving)})
    odd = [axis for axis in moving if parity(lines[axis]) == "odd"]
    if len(odd) == 1 and len(moving) > 1:
        across = {names[axis] for axis in moving if axis != odd[0]}
        if names[odd[0]] in ("edge", "difference") and across == {"laplace"}:
            gain = float(np.prod([k.gain if axis == odd[0] else -k.gain for axis, k in enumerate(kinds) if axis in moving]))
            return Kind("endpoint", gain * float(peak), {"axis": odd[0]})
        if names[odd[0]] == "derivative" and across == {"gaussian"}:
            gain = float(np.prod([k.gain for k in kinds])) * float(peak)
            return Kind("derivative", gain, {"axis": odd[0], "sigma": tuple(k.parameters.get("sigma", 0.0) for k in kinds)})
    alone = len(moving) == 1 and names[moving[0]] in ("derivative", "hilbert")
    smooth = all(names[axis] in SMOOTH or lines[axis].min() > 0 for axis in range(taps.ndim) if axis not in odd)
    if len(odd) == 1 and smooth and not alone:
        return Kind("gradient", 1.0, {"axis": odd[0], "operator": _operator(lines, odd[0])})
    if len(moving) == 1 and names[moving[0]]:
        only = kinds[moving[0]]
        return Kind(only.name, total if only.name in FILTERS else only.gain * float(peak), only.parameters | {"axis": moving[0]})
    if all(name == "lowpass" for name in names):
        return Kind("lowpass", total, {"cutoff": tuple(k.parameters["cutoff"] for k in kinds)})
    return None


def _operator(lines: list[np.ndarray], odd: int) -> str:
    """The name that a central difference with these smooth factors goes by."""
    if len(lines[odd]) != 3 or abs(lines[odd][1]) > 10 * SAME:
        return ""
    smooth = [line / line.sum() for axis, line in enumerate(lines) if axis != odd]
    for name, taps in OPERATORS.items():
        if all(len(line) == 3 and np.abs(line - np.divide(taps, sum(taps))).max() < 10 * SAME for line in smooth):
            return name
    return ""


def _profiles(taps: np.ndarray, first: tuple[float, ...]) -> Kind | None:
    """Even taps that are the same kind of filter along every axis (the sums over the others)."""
    if parity(taps) != "even":
        return None
    kinds = []
    for axis in range(taps.ndim):
        profile = taps.sum(axis=tuple(a for a in range(taps.ndim) if a != axis))
        kinds.append(on_line(profile, first[axis]))
    names = {k.name for k in kinds}
    if len(names) != 1 or kinds[0].name not in FILTERS:
        return None
    return Kind(kinds[0].name, kinds[0].gain,
                {word: tuple(k.parameters[word] for k in kinds) for word in kinds[0].parameters})
