"""Channel matrices in words: what a layer (m, c) of one tap does to the channels.

W = U diag(s) Vᵀ. For two channels the polar form reads better: W = Q P with P = V diag(s) Vᵀ, which stretches along two
directions at right angles, and Q = U Vᵀ, which turns the plane of the channels (and mirrors it where det W < 0). The
directions of left and right are its axes, those of mid (left + right) and side (left − right) its diagonals: a stretch along
the axes scales the channels, along the diagonals it widens or narrows the stereo image.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees

import numpy as np

from ..errors import UsageError
from ..kernels import crossfeed
from ..signal import Signal
from .bells import least
from .measures import plain, wanted
from .words import both, frequency, gain, length, share

__all__ = ["Mixing", "crossfed", "mixing", "one_tap"]

SAME = 2e-6  # of the largest entry: entries nearer than this are equal (a float32 file keeps that much)
EVEN = 1e-4  # of a ratio or, in radians, of an angle: what four digits do not show


@dataclass(frozen=True, slots=True)
class Mixing:
    """A channel matrix: `words`; `gains`, its singular values, largest first; `reflects`, whether det < 0. For two real
    channels also `angle`, by how many degrees it turns left towards right, and `width`, the gain of side over that of mid."""

    words: str
    gains: tuple[float, ...]
    reflects: bool = False
    angle: float = 0.0
    width: float = 1.0

    def __str__(self) -> str:
        return self.words


def one_tap(k: Signal) -> np.ndarray | None:
    """The matrix of a layer (m, c) that has taps at one place alone, or None."""
    if len(k.value) != 2 or 0 in k.data.shape:
        return None
    taps = plain(k).reshape(*k.value, -1)
    size = np.abs(taps).sum((0, 1))
    top = int(size.argmax())
    return taps[..., top] if size.sum() - size[top] <= 1e-9 * size[top] and size[top] else None


def mixing(k: Signal) -> Mixing:
    """What a layer of one tap does to the channels.

    >>> import sigconv as sc
    >>> stereo = sc.line(1, 48000)
    >>> turn = np.deg2rad(30)
    >>> W = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1.2, -0.2], [-0.2, 1.2]]
    >>> str(mixing(sc.Signal(W[..., None], stereo)))
    'widens ×1.4, then rotates 30° (left towards right)'
    >>> str(mixing(sc.Signal([[[0.0], [1.0]], [[1.0], [0.0]]], stereo)))
    'swaps left and right'

    Raises `UsageError` for what is no layer of one tap.
    """
    wanted(k, "mixing")
    W = one_tap(k)
    if W is None:
        raise UsageError(f"mixing of a kernel of value {k.value} and {' × '.join(map(str, k.domain.shape))} taps: wanted a layer "
                         "(m, c) with one tap, e.g. sc.Signal(W[..., None], sc.line(1, rate))")
    into, out = _names(k, 1), _names(k, 0)
    u, s, vt = np.linalg.svd(W)
    gains = tuple(float(v) for v in s)
    near = SAME * float(np.abs(W).max())
    rank = int((s > 10 * SAME * s[0]).sum())
    if np.iscomplexobj(W) and np.abs(W.imag).max() > near:
        return Mixing(_weights(W, into, out) or _anything(W, s, rank), gains)
    W = W.real
    square = W.shape[0] == W.shape[1]
    reflects = square and rank == len(W) and bool(np.linalg.det(u.real @ vt.real) < 0)
    plane, angle, width = W.shape == (2, 2) and rank == 2, 0.0, 1.0
    if plane:
        angle = degrees(_angle(u.real @ vt.real))
        width = float(np.linalg.norm(W @ [1, -1]) / np.linalg.norm(W @ [1, 1]))
    words = _one_each(W, near, into, out) or _sums(W, near, into, out)
    words = words or (_plane(W, into) if plane else _anything(W, s, rank, reflects))
    return Mixing(words, gains, reflects, angle, width)


def _names(k: Signal, axis: int) -> tuple[str, ...]:
    """What the channels are called: as they are named, else left and right of sound, else by number."""
    n, named = k.value[axis], k.names[axis] if k.names else None
    if named:
        return named
    return ("left", "right") if n == 2 and k.domain.unit == ("s",) else tuple(f"channel {i + 1}" for i in range(n))


def _times(value: float) -> str:
    return f"×{share(value)}"


def _one_each(W: np.ndarray, near: float, into: tuple[str, ...], out: tuple[str, ...]) -> str:
    """Every output one input at most: scaled, inverted, swapped, silenced."""
    if ((np.abs(W) > near).sum(1) > 1).any() or W.shape[0] != W.shape[1]:
        return ""
    n = len(W)
    source = np.abs(W).argmax(1)
    level = W[np.arange(n), source]
    silent = [i for i in range(n) if abs(level[i]) <= near]
    if silent:
        kept = [_named(into[source[i]], level[i]) + f" to {out[i]}" * int(source[i] != i) for i in range(n) if i not in silent]
        return f"silences {both([out[i] for i in silent])}, keeps {both(kept)}"
    if len(set(source)) < n:
        if len(set(source)) == 1 and np.ptp(level) <= 10 * near:
            return f"{_named(into[source[0]], level[0])} in {'both' if n == 2 else 'every channel'}"
        return f"takes {both([f'{_named(into[j], g)} to {name}' for j, g, name in zip(source, level, out, strict=True)])}"
    parts = []
    moved = [i for i in range(n) if source[i] != i]
    if len(moved) == 2:
        parts.append(f"swaps {both([into[i] for i in moved])}")
    elif moved:
        parts.append("reorders the channels: " + ", ".join(f"{into[source[i]]} to {out[i]}" for i in moved))
    size = np.abs(level)
    if np.ptp(size) <= 10 * near:
        if abs(size[0] - 1) > EVEN:
            parts.append(f"scales {'both' if n == 2 else 'every channel' if n > 1 else into[0]} {_times(size[0])} "
                         f"({gain(float(size[0]))})")
    else:
        parts.append("scales " + ", ".join(f"{out[i]} {_times(size[i])}" for i in range(n) if abs(size[i] - 1) > EVEN))
    flipped = [out[i] for i in range(n) if level[i] < 0]
    if flipped:
        parts.append("inverts the polarity of " + ("every channel" if len(flipped) == n > 2 else both(flipped)))
    return ", ".join(parts) or "changes nothing: every channel to itself"


def _named(name: str, level: float) -> str:
    """A channel with its factor."""
    return ("−" if level < 0 else "") + (name if abs(abs(level) - 1) < EVEN else f"{share(abs(level))} {name}")


def _sum(row: np.ndarray, names: tuple[str, ...]) -> str:
    """`"0.5 left + 0.5 right"`."""
    least_said = SAME * np.abs(row).max()
    said = [("−" if v < 0 else "+", _named(n, abs(v))) for v, n in zip(row, names, strict=True) if abs(v) > least_said]
    first, *rest = said
    return ("−" if first[0] == "−" else "") + first[1] + "".join(f" {sign} {word}" for sign, word in rest)


def _sums(W: np.ndarray, near: float, into: tuple[str, ...], out: tuple[str, ...]) -> str:
    """One signal made of all inputs: mono, a copy, or the same sum in several places."""
    m, c = W.shape
    u, s, vt = np.linalg.svd(W)
    if len(s) > 1 and s[1] > 10 * near:
        return ""
    row, column = vt[0], u[:, 0] * s[0]
    flip = np.sign(row[int(np.flatnonzero(np.abs(row) > 1e-9)[0])])
    row, column = row * flip, column * flip
    if np.ptp(row) <= 10 * SAME and c > 1:  # every input alike: name the sum by its mean
        row, column = row * 0 + 1 / c, column * row[0] * c
    else:
        row, column = row / (top := np.abs(row).max()), column * top
    total = row[0] * column[0]
    if np.ptp(row) <= 10 * SAME and c > 1:
        what = f"mixes to mono ({'the mean' if abs(column[0] - 1) < EVEN else _sum(row * column[0], into)})"
        if m == 1:
            return what
        return f"{what}, the same in {'both' if m == 2 else 'every channel'}" if np.ptp(column) <= 10 * near else \
            f"mixes to mono, sent {both([f'{_times(v)} to {n}' for v, n in zip(column, out, strict=True)])}"
    if c == 1:
        one = np.ptp(column) <= 10 * near
        how = "" if one and abs(total - 1) < EVEN else f", {_times(total)}" if one else \
            ": " + ", ".join(f"{_times(v)} to {n}" for v, n in zip(column, out, strict=True))
        return f"copies one channel to {m}{how}"
    if m == 1:
        return f"one channel of {c}: {_sum(row * column[0], into)}"
    if m == c == 2 and np.abs(row - [1, -1]).max() < EVEN and abs(column.sum()) <= 10 * near:
        level = float(column[0] * 2)
        return "removes what both channels share (keeps side alone)" + (f", {_times(level)}" if abs(level - 1) > EVEN else "")
    return f"mixes {c} channels to one signal, {_sum(row, into)}, sent " + \
        both([f"{_times(v)} to {n}" for v, n in zip(column, out, strict=True)])


def _angle(Q: np.ndarray) -> float:
    """Of a plane rotation, or of the rotation after a flip of the second channel, in radians."""
    return float(np.arctan2(Q[1, 0], Q[0, 0]))


def _plane(W: np.ndarray, names: tuple[str, ...]) -> str:
    """Two channels of full rank: a stretch along the axes or diagonals, a flip, a turn."""
    u, s, vt = np.linalg.svd(W)
    Q = u @ vt
    first, nice = _stretch(vt.T * s @ vt, names)
    last, nice_last = ("", False) if nice else _stretch(u * s @ u.T, names)
    angle = _angle(Q)
    if _even(s) and np.linalg.det(Q) < 0 and abs(angle - np.pi / 4) < EVEN:
        return f"mid and side: {names[0]} + {names[1]} and {names[0]} − {names[1]}, {_times(float(W[0, 0]))}"
    turn = _turn(Q, angle, names)
    parts = [*turn, last] if nice_last else [first, *turn]
    return ", then ".join(p for p in parts if p)


def _even(s: np.ndarray) -> bool:
    return bool(s[0] - s[-1] <= EVEN * s[0])


def _turn(Q: np.ndarray, angle: float, names: tuple[str, ...]) -> list[str]:
    """The flip and the rotation of Q, each where there is one."""
    size = abs(degrees(angle))
    if np.linalg.det(Q) < 0:
        for at, words in ((0, f"inverts the polarity of {names[1]}"), (np.pi / 2, f"swaps {names[0]} and {names[1]}"),
                          (-np.pi / 2, f"swaps {names[0]} and {names[1]}, inverted")):
            if abs(angle - at) < EVEN:
                return [words]
        if abs(abs(angle) - np.pi) < EVEN:
            return [f"inverts the polarity of {names[0]}"]
        return [f"inverts the polarity of {names[1]}", _rotates(size, angle, names)]
    if size < degrees(EVEN):
        return []
    return ["inverts the polarity of both"] if 180 - size < degrees(EVEN) else [_rotates(size, angle, names)]


def _rotates(size: float, angle: float, names: tuple[str, ...]) -> str:
    one, other = names if angle > 0 else names[::-1]
    return f"rotates {share(round(size, 2))}° ({one} towards {other})"


def _stretch(P: np.ndarray, names: tuple[str, ...]) -> tuple[str, bool]:
    """A symmetric positive matrix in words, and whether it lies along the axes or the diagonals."""
    s, v = np.linalg.eigh(P)
    if _even(s[::-1]):
        return ("" if abs(s[0] - 1) < EVEN else f"scales both {_times(s[0])} ({gain(float(s[0]))})"), True
    near = 10 * SAME * float(s[-1])
    if abs(P[0, 1]) < near:
        scaled = [f"{n} {_times(g)}" for n, g in zip(names, np.diag(P), strict=True) if abs(g - 1) > EVEN]
        return f"scales {both(scaled)}", True
    if abs(P[0, 0] - P[1, 1]) < near:
        mid, side = P[0, 0] + P[0, 1], P[0, 0] - P[0, 1]
        level = "" if abs(mid - 1) < EVEN else f" and scales ×{share(mid)}"
        return f"{'widens' if side > mid else 'narrows'} {_times(side / mid)}{level}", True
    along = degrees(float(np.arctan2(v[1, 1], v[0, 1]))) % 180
    return f"stretches ×{share(s[1])} at {share(round(along, 1))}° and ×{share(s[0])} across it", False


def _weights(W: np.ndarray, into: tuple[str, ...], out: tuple[str, ...]) -> str:
    """Complex, each channel to itself: a level and a phase."""
    if W.shape[0] != W.shape[1] or np.abs(W - np.diag(np.diag(W))).max() > SAME * np.abs(W).max() or not np.diag(W).all():
        return ""
    said = [f"{n} by {share(round(degrees(float(np.angle(v))), 2))}°" + f" ({_times(abs(v))})" * bool(abs(abs(v) - 1) > EVEN)
            for n, v in zip(out, np.diag(W), strict=True)]
    return f"turns the phase of {both(said)}"


def _anything(W: np.ndarray, s: np.ndarray, rank: int, reflects: bool = False) -> str:
    """More channels, or none of the above: what its singular values say."""
    m, c = W.shape
    most = ", ".join(_times(v) for v in s[:4]) + (", …" if len(s) > 4 else "")
    mirrored = " and reflects" if reflects else ""
    if rank == min(m, c) and _even(s):
        level = "" if abs(s[0] - 1) < EVEN else f", {_times(s[0])}"
        kept = "keeps every distance" if c <= m else "keeps what it can of every distance"
        return f"rotates{mirrored} {c} channels{f' into {m}' if m != c else ''} ({kept}{level})"
    lost = f", {c - rank} of {c} directions lost" if rank < c else ""
    return f"mixes{mirrored} {c} channels to {m} (gains {most}{lost})"


def crossfed(k: Signal) -> str:
    """What a crossfeed does, or "" for another layer: each ear its own sound less a low-pass, and that of the other, later."""
    d = k.domain
    taps = plain(k)
    if k.value != (2, 2) or d.ndim != 1 or np.iscomplexobj(taps) or not -d.shape[0] < d.start[0] <= 0 or d.shape[0] < 4:
        return ""
    near, far = taps[0]
    top = float(np.abs(taps).max())
    begin = -int(d.start[0])
    if np.abs(taps[1] - taps[0, ::-1]).max() > SAME * top or len(near) < begin + 3 or not near[begin + 1] * near[begin + 2] > 0:
        return ""
    other, fall = float(far.sum()), float(near[begin + 2] / near[begin + 1])
    if not 0 < other < 0.5 or not 0 < fall < 1:
        return ""
    at, step = np.arange(len(near)) - begin, float(d.step[0])
    late = max(float((far * at).sum() / other + (near * at).sum() / other), 0.0)
    level, cutoff = -20 * float(np.log10(other / (1 - other))), -float(np.log(fall)) / (2 * np.pi * step)
    if not cutoff < 0.5 / step:
        return ""

    def off(samples: float) -> float:
        made = crossfeed(d, level, max(samples, 0.0) * step, cutoff)
        return float(np.abs(plain(made.on(d)) - taps).max())

    late = least(off, late - 0.01, late + 0.01, 16) if abs(late - round(late)) > 1e-4 else round(late)
    if off(late) > 1e-3 * top:
        return ""
    unit = d.unit[0]
    return (f"crossfeed: each ear also hears the other's lows, {share(round(level, 2))} dB softer and "
            f"{length(late * step, unit)} later, below {frequency(cutoff, unit)} (−3 dB); gain 1 at DC for what both share")
