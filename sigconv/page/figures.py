"""Images, slices of volumes, frames of videos and maps of kernels as pictures, with no level touched but to fit the screen.

Two scales, and the caption says which: plain, 0 is black and full scale white; diverging for signed data, 0 is mid-grey and
± full scale white and black. Full scale is 1 for images and videos; for volumes the largest magnitude of the volume before.
Results of kernels that answer flat areas with 0 (edge, laplace) are faint: they are shown 2, 4, 8, … times brighter
(`brighter`).
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from .. import arrays
from ..pictures import brightness
from ..signal import Signal
from .markup import base64_url, element, number, text
from .png import png

__all__ = ["DIVERGING", "SIDE", "Picture", "brighter", "by_filter", "caption_of", "colours", "encode", "figcaption", "fitted",
           "full_scale", "is_signed", "is_video", "map_figure", "picture_figure", "planes", "response_map", "shades", "shrink",
           "size_class"]

SIGNED = 0.02  # more than this share of full scale below 0 makes data signed
COLOURS = 4  # channels that are colours; more are measurements
SIDE = 720
QUALITIES = (88, 75)  # of JPEG
SMALL = 240  # pictures smaller than this are magnified with visible pixels
DIVERGING = ((18, 52, 110), (88, 146, 201), (238, 238, 240), (226, 138, 88), (128, 42, 10))


@dataclass(frozen=True)
class Picture:
    """One picture: `pixels` (h, w) or (h, w, 3) in the signal's own values."""

    name: str
    pixels: np.ndarray


def full_scale(dry: Signal) -> float:
    """What counts as white: 1 for images and videos; the largest magnitude for volumes, many channels and data in other units."""
    data = arrays.to_numpy(dry.data)
    peak = float(abs(data).max()) if data.size else 0.0
    measured = (dry.domain.ndim == 3 and not is_video(dry)) or (dry.value[:1] > (COLOURS,))
    return peak if peak and (measured or peak > 1.5) else 1.0


def is_video(x: Signal) -> bool:
    """Whether its first axis of three is time and the others are not: frames one after another."""
    units = x.domain.unit
    return len(units) == 3 and units[0] == "s" and "s" not in units[1:]


def planes(x: Signal, limit: int = 6) -> list[Picture]:
    """The pictures of an image, three middle slices of a volume or three frames of a video, a set for each filter of a bank."""
    d = x.domain
    found: list[Picture] = []
    for name, group in by_filter(x)[:limit]:
        for axis, index in _cuts(x):
            cut, where = (np.take(group, index, axis=1 + axis), _where(x, axis, index)) if d.ndim == 3 else (group, "")
            found += [Picture(", ".join(filter(None, (name, where, part))), pixels) for part, pixels in colours(cut, x, d.ndim)]
    return found[: limit * (3 if d.ndim == 3 else 1)]


def by_filter(x: Signal) -> list[tuple[str, np.ndarray]]:
    """(name, (channels, *Ω)) of each filter of a bank's result, or of the signal itself; real, single or double precision."""
    if not x.domain.size:
        return []
    data = arrays.to_numpy(x.data)
    data = data.real if np.iscomplexobj(data) else data
    data = data.astype(np.float64 if data.dtype.itemsize > 4 else np.float32, copy=False)
    filters = np.moveaxis(data, len(x.value) - 1, 0) if len(x.value) > 1 else data[None]
    return [(_name(x, j) if len(x.value) > 1 else "", group.reshape(-1, *x.domain.shape)) for j, group in enumerate(filters)]


def _name(x: Signal, j: int) -> str:
    return f"filter {x.channels[j] if x.channels else j + 1}"


def _cuts(x: Signal) -> list[tuple[int, int]]:
    """(axis, index) of each slice."""
    shape = x.domain.shape
    if x.domain.ndim == 3 and is_video(x):
        return [(0, i) for i in sorted({shape[0] * j // 6 for j in (1, 3, 5)})]
    return [(axis, shape[axis] // 2) for axis in range(3 if x.domain.ndim == 3 else 1)]


def _where(x: Signal, axis: int, index: int) -> str:
    """Where a slice lies, and which of the other axes runs down and which to the right."""
    d = x.domain
    at = float((d.start[axis] + index) * d.step[axis])
    down, right = (name for i, name in enumerate(d.name) if i != axis)
    return f"{d.name[axis]} = {number(at)} {d.unit[axis]}".rstrip() + ("" if is_video(x) else f" ({down} down, {right} right)")


def colours(cut: np.ndarray, x: Signal, ndim: int) -> list[tuple[str, np.ndarray]]:
    """(c, h, w) as grey, RGB (alpha over white), or a grey picture a channel; of many channels their mean, and three of them
    where they are not those of a bank's filter."""
    c = len(cut)
    if c == 1:
        return [("", cut[0])]
    if c == 2 and ndim == 2 and x.channels is None and len(x.value) == 1 and x.domain.unit[0] == "px":
        return [("", cut[0] * cut[1] + 1 - cut[1])]
    if c == 3:
        return [("", np.moveaxis(cut, 0, -1))]
    if c == 4:
        return [("", np.moveaxis(cut[:3] * cut[3] + 1 - cut[3], 0, -1))]
    if c > COLOURS:
        some = [(f"channel {i + 1}", cut[i]) for i in (c // 6, c // 2, 5 * c // 6)] if len(x.value) == 1 else []
        return [(f"mean of {c} channels", cut.mean(axis=0)), *some]
    return [(f"channel {i + 1}", plane) for i, plane in enumerate(cut[:3])]


def is_signed(pictures: list[Picture], scale: float) -> bool:
    """Whether any picture holds values clearly below 0."""
    return any(float(p.pixels.min()) < -SIGNED * scale for p in pictures)


def brighter(pictures: list[Picture], scale: float) -> int:
    """The factor that makes these pictures, taken together, visible on one scale."""
    sizes = np.concatenate([abs(p.pixels).reshape(-1) for p in pictures]) if pictures else np.zeros(1)
    return brightness(sizes, scale)


def encode(pixels: np.ndarray, scale: float, signed: bool, budget: int) -> tuple[str, tuple[int, int]]:
    """(data: address, size shown) of a picture in about `budget` bytes: PNG, for photographs JPEG, shrunk where needed."""
    grey = shrink(shades(pixels, scale, signed), max(1, -(-max(pixels.shape[:2]) // SIDE)))
    factor = 1
    while True:
        small = shrink(grey, factor)
        url = fitted(small, budget, max(small.shape[:2]) <= 64)
        if url:
            return url, small.shape[:2]
        factor += 1


def shades(pixels: np.ndarray, scale: float, signed: bool) -> np.ndarray:
    """Values as 0 (black) … 1 (white)."""
    return pixels / scale * (0.5 if signed else 1.0) + (0.5 if signed else 0.0)


def fitted(grey: np.ndarray, budget: int, anyhow: bool = False) -> str | None:
    """The data: address of a picture in at most `budget` bytes, PNG or else JPEG, if it can be had; `anyhow`: PNG if not."""
    eight = np.clip(np.rint(grey * 255), 0, 255).astype(np.uint8)
    if eight.size <= 3 * budget or anyhow:
        content = png(eight)
        if len(content) <= budget or anyhow:
            return base64_url(content, "image/png")
    for quality in QUALITIES:
        photo = _jpeg(eight, quality)
        if len(photo) <= budget:
            return base64_url(photo, "image/jpeg")
    return None


def shrink(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks of factor × factor pixels; a rest at the edge is dropped."""
    if factor == 1:
        return pixels
    h, w = (max(n // factor, 1) for n in pixels.shape[:2])
    fy, fx = (factor if n >= factor else n for n in pixels.shape[:2])
    return pixels[: h * fy, : w * fx].reshape(h, fy, w, fx, *pixels.shape[2:]).mean(axis=(1, 3))


def _jpeg(eight: np.ndarray, quality: int) -> bytes:
    from PIL import Image

    file = BytesIO()
    Image.fromarray(eight).save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def picture_figure(picture: Picture, scale: float, signed: bool, budget: int, caption: str, factor: int = 1,
                   name: str | None = None, track: str | None = None) -> str:
    """A picture, `factor` times brighter, with its caption; `name` is the id by which the page's script finds it, `track` the
    sound whose place a line on the picture follows."""
    url, (h, w) = encode(picture.pixels, scale / factor, signed, budget)
    words = caption_of(picture, caption, factor)
    image = element("img", src=url, width=w, height=h, alt=words or "picture", id=name).removesuffix("</img>")
    seen = image if track is None else element("div", image + "<i></i>", class_="seen", data_follow=track)
    return element("figure", seen + figcaption(words), class_=size_class(h, w))


def figcaption(words: str) -> str:
    """What stands below, if anything."""
    return f"<figcaption>{text(words)}</figcaption>" if words else ""


def caption_of(picture: Picture, caption: str, factor: int) -> str:
    """What stands below a picture."""
    return ", ".join(filter(None, (caption, picture.name, f"shown ×{factor}" if factor > 1 else "")))


def size_class(h: int, w: int) -> str:
    """Small pictures are magnified with visible pixels."""
    return "pixels" if max(h, w) <= SMALL else "photo"


def map_figure(values: np.ndarray, caption: str) -> str:
    """A small map of signed numbers: blue below 0, orange above, white at 0."""
    size = float(abs(values).max()) or 1.0
    index = np.clip(np.rint((values / size + 1) * 63.5), 0, 127).astype(np.uint8)
    return _map(png(_shown(index), _ramp(DIVERGING, 128)), values.shape, caption)


def response_map(taps: np.ndarray, caption: str, points: int = 65) -> str:
    """|H| of a 2D kernel in dB over the two frequencies, −½ … ½ a sample each, 0 in the middle; 48 dB from dark to bright."""
    from .sounds import PALETTE

    size = tuple(max(points, n) for n in taps.shape)
    gain = abs(np.fft.fftshift(np.fft.fft2(taps, size)))
    top = float(gain.max()) or 1.0
    level = 20 * np.log10(np.maximum(gain / top, 1e-9))
    index = np.clip(np.rint((level / 48 + 1) * (len(PALETTE) - 1)), 0, len(PALETTE) - 1).astype(np.uint8)
    return _map(png(index, PALETTE), index.shape, caption)


def _shown(index: np.ndarray) -> np.ndarray:
    return index if max(index.shape) <= SIDE else index[:: -(-max(index.shape) // SIDE), :: -(-max(index.shape) // SIDE)]


def _ramp(anchors: Any, levels: int) -> np.ndarray:
    at, known = np.linspace(0, len(anchors) - 1, levels), np.array(anchors, float)
    return np.stack([np.interp(at, np.arange(len(anchors)), known[:, i]) for i in range(3)], axis=1).round().astype(np.uint8)


def _map(content: bytes, shape: tuple[int, ...], caption: str) -> str:
    image = f'<img src="{base64_url(content, "image/png")}" width="{shape[1]}" height="{shape[0]}" alt="{text(caption)}">'
    return element("figure", f"{image}<figcaption>{text(caption)}</figcaption>", class_="pixels")
