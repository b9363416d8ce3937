"""A Signal in Jupyter: sound as a player, images as pictures, anything else as a plot; levels never touched.

Styles stand in presentation attributes and inline SVG: a notebook brings neither our style sheet nor our script.
"""

from __future__ import annotations

import numpy as np

from ..signal import Signal
from .clips import SECONDS
from .figures import encode, full_scale, is_signed, is_video, planes
from .maps import levels, pooled
from .markup import base64_url, element, number, text
from .sounds import RANGE, samples, spectrogram_png
from .svg import TALL, WIDE, envelope
from .wave import wav

__all__ = ["html"]

BUDGET = 300_000  # bytes of one picture
SHORT = 0.05  # s: a shorter line of samples is a kernel to look at, not a sound to play
CURVES = 6
INKS = ("#cf5a1d", "#3f78a8", "#20856a", "#76559e", "#b08a1e", "#c44d7b")


def html(signal: Signal) -> str:
    """A player, a picture or a plot of a Signal, and its `repr`, escaped.

    A line in seconds with channels is a player of its samples as they are (32-bit float, the first 60 s; where they go
    beyond ±1 the loudspeaker will clip, which is said). Kernels and other lines are plots; planes are pictures, black 0 and
    white full scale, signed data around middle grey; volumes are their three middle slices, videos three frames, spectrograms
    levels in dB.

    >>> import sigconv as sc
    >>> html(sc.Signal([1.0, -1.0], sc.line(2, 8000)))[:4]
    '<div'
    """
    x = signal.numpy()
    parts = [] if not x.data.size else _sound(x) if _is_sound(x) else _plot(x) if x.domain.ndim == 1 else _pictures(x)
    head = element("div", f"<code>{text(repr(signal), 500)}</code>")
    return f"<div>{head}{''.join(parts)}</div>"


def _is_sound(x: Signal) -> bool:
    d = x.domain
    return d.ndim == 1 and d.unit == ("s",) and bool(x.value) and not np.iscomplexobj(x.data) and \
        d.shape[0] >= SHORT * float(d.rate) and 1000 <= float(d.rate) <= 768_000


def _sound(x: Signal) -> list[str]:
    data, rate = samples(x), float(x.rate)
    clip = data[:, : round(SECONDS * rate)]
    finite = np.nan_to_num(clip, nan=0.0, posinf=0.0, neginf=0.0)
    parts = [element("audio", "", controls=True, preload="metadata", src=base64_url(wav(finite, rate, 32), "audio/wav"))]
    if clip.shape[1] < data.shape[1]:
        parts.append(_note(f"The first {SECONDS} s of {number(data.shape[1] / rate)} s."))
    peak = float(abs(finite).max(initial=0))
    if peak > 1:
        parts.append(_note(f"The peak is {number(peak)}: beyond ±1 the player will clip."))
    if not np.isfinite(clip).all():
        parts.append(_note("Samples that are not finite are played as 0."))
    return parts


def _plot(x: Signal) -> list[str]:
    data = x.data.reshape(-1, x.data.shape[-1])
    lines = [part for row in data[:CURVES] for part in ((row.real, row.imag) if np.iscomplexobj(row) else (row,))][:CURVES]
    lines = [np.nan_to_num(np.asarray(v, dtype=float), nan=0.0, posinf=0.0, neginf=0.0) for v in lines]
    peak = max(float(abs(v).max()) for v in lines) or 1.0
    height, n = 150, data.shape[-1]
    marks = [f'<svg x="0" y="0" width="100%" height="{height}" viewBox="0 0 {WIDE} {TALL}" preserveAspectRatio="none">'
             f'<path d="M0,{TALL // 2}H{WIDE}" stroke="#8888" stroke-width="1" vector-effect="non-scaling-stroke"/>']
    marks += [_line(v, 1.05 * peak, n, INKS[j]) for j, v in enumerate(lines)]
    (a, b), unit = x.domain.extent[0], text(x.domain.unit[0])
    svg = f'<svg width="100%" height="{height}" role="img" aria-label="plot">{"".join(marks)}</svg></svg>'
    more = f"; the first {CURVES} of {len(data)}" if len(data) > CURVES else ""
    return [svg, _note(f"{number(a)} … {number(b)} {unit}, from {number(-peak)} to {number(peak)}{more}")]


def _line(v: np.ndarray, scale: float, n: int, ink: str) -> str:
    if n <= 64:  # a stem each
        x, y, zero = (np.arange(n) + 0.5) / n * WIDE, TALL / 2 * (1 - v / scale), TALL // 2
        path = " ".join(f"M{a:.0f},{zero}V{b:.0f}" for a, b in zip(x, y, strict=True))
        return f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="3" vector-effect="non-scaling-stroke"/>'
    path = envelope(v, scale)
    fill = ink if path.endswith("Z") else "none"
    return (f'<path d="{path}" fill="{fill}" fill-opacity="0.7" stroke="{ink}" stroke-width="1.2" '
            'vector-effect="non-scaling-stroke"/>')


def _pictures(x: Signal) -> list[str]:
    if x.value and np.iscomplexobj(x.data) and x.domain.ndim == 2 and len(set(x.domain.unit)) > 1:
        return _levels(x)
    scale, found = full_scale(x), planes(x)
    diverging = is_signed(found, scale)
    parts = []
    for picture in found:
        url, (h, w) = encode(np.nan_to_num(picture.pixels), scale, diverging, BUDGET)
        times = max(1, 200 // max(h, w, 1))
        parts.append(f'<img src="{url}" width="{w * times}" height="{h * times}" alt="{text(picture.name or "picture")}" '
                     f'title="{text(picture.name)}"> ')
    words = f"0 is middle grey, white {number(scale)}, black {number(-scale)}" if diverging else f"black 0, white {number(scale)}"
    return [*parts, _note(f"{words}{'; some frames' if is_video(x) else '; middle slices' if x.domain.ndim == 3 else ''}")]


def _levels(x: Signal) -> list[str]:
    """A spectrogram in dB, its channels and filters taken together, the first axis upwards."""
    (level,) = levels(x, "", float("inf"))
    cells = pooled(level.size, 220, 640)
    url = base64_url(spectrogram_png(cells, float(cells.max(initial=0))), "image/png")
    ends = zip(x.domain.position(0, 0), x.domain.position(*(n - 1 for n in x.domain.shape)), strict=True)
    axes = zip(x.domain.name, ends, x.domain.unit, strict=True)
    up, right = (f"{name} {number(a)} … {number(b)} {unit}" for name, (a, b), unit in axes)
    words = f"{up} upwards, {right} to the right, {number(RANGE)} dB from dark to bright"
    return [f'<img src="{url}" width="640" height="220" alt="spectrogram"> ', _note(text(words))]


def _note(words: str) -> str:
    return f"<div><small>{words}</small></div>"
