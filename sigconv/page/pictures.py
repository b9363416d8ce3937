"""Images, slices of volumes and maps of kernels as pictures, with no level touched but to fit the screen.

Two scales, and the caption says which: plain, 0 is black and full scale white; diverging for signed data, 0 is mid-grey and
± full scale white and black. Full scale is 1 for images; for volumes the largest magnitude of the volume before. Results
of kernels that answer flat areas with 0 (edge, laplace) are faint: they are shown 2, 4, 8, … times brighter (`brighter`).
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

__all__ = ["DIVERGING", "Picture", "brighter", "encode", "full_scale", "map_figure", "picture_figure", "planes", "response_map"]

SIGNED = 0.02  # more than this share of full scale below 0 makes data signed
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
    """What counts as white: 1 for images, the largest magnitude for volumes and data in other units."""
    data = arrays.to_numpy(dry.data)
    peak = float(abs(data).max()) if data.size else 0.0
    return peak if peak and (dry.domain.ndim == 3 or peak > 1.5) else 1.0


def planes(x: Signal, limit: int = 6) -> list[Picture]:
    """The pictures of an image or the three middle slices of a volume, one set for each filter of a bank."""
    data = arrays.to_numpy(x.data)
    data = data.real if np.iscomplexobj(data) else data
    data = data.astype(np.float64 if data.dtype.itemsize > 4 else np.float32, copy=False)
    d = x.domain
    if not d.size:
        return []
    filters = np.moveaxis(data, len(x.value) - 1, 0) if len(x.value) > 1 else data[None]
    groups = [(_name(x, j) if len(x.value) > 1 else "", group) for j, group in enumerate(filters)]
    found: list[Picture] = []
    for name, group in groups[:limit]:
        group = group.reshape(-1, *d.shape)
        for axis, cut in _cuts(group, d.ndim):
            middle = d.position(*(n // 2 for n in d.shape))[axis]
            where = f"{d.name[axis]} = {number(middle)} {d.unit[axis]}" if d.ndim == 3 else ""
            found += [Picture(", ".join(filter(None, (name, where, part))), pixels) for part, pixels in _colours(cut, x, d.ndim)]
    return found[: limit * (3 if d.ndim == 3 else 1)]


def _name(x: Signal, j: int) -> str:
    return f"filter {x.channels[j] if x.channels else j + 1}"


def _cuts(group: np.ndarray, ndim: int) -> list[tuple[int, np.ndarray]]:
    if ndim == 2:
        return [(0, group)]
    return [(axis, np.take(group, group.shape[1 + axis] // 2, axis=1 + axis)) for axis in range(3)]


def _colours(cut: np.ndarray, x: Signal, ndim: int) -> list[tuple[str, np.ndarray]]:
    """(c, h, w) as grey, RGB (alpha over white), or a grey picture a channel."""
    c = len(cut)
    if c == 1:
        return [("", cut[0])]
    if c == 2 and ndim == 2 and x.channels is None and len(x.value) == 1 and x.domain.unit[0] == "px":
        return [("", cut[0] * cut[1] + 1 - cut[1])]
    if c == 3:
        return [("", np.moveaxis(cut, 0, -1))]
    if c == 4:
        return [("", np.moveaxis(cut[:3] * cut[3] + 1 - cut[3], 0, -1))]
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
    grey = pixels / scale * (0.5 if signed else 1.0) + (0.5 if signed else 0.0)
    grey = _shrink(grey, max(1, -(-max(grey.shape[:2]) // SIDE)))
    factor = 1
    while True:
        small = _shrink(grey, factor)
        eight = np.clip(np.rint(small * 255), 0, 255).astype(np.uint8)
        if eight.size <= 3 * budget:
            content = png(eight)
            if len(content) <= budget or max(eight.shape[:2]) <= 64:
                return base64_url(content, "image/png"), eight.shape[:2]
        for quality in QUALITIES:
            photo = _jpeg(eight, quality)
            if len(photo) <= budget:
                return base64_url(photo, "image/jpeg"), eight.shape[:2]
        factor += 1


def _shrink(pixels: np.ndarray, factor: int) -> np.ndarray:
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
                   name: str | None = None) -> str:
    """A picture, `factor` times brighter, with its caption; `name` is the id by which the page's script finds it."""
    url, (h, w) = encode(picture.pixels, scale / factor, signed, budget)
    kind = "pixels" if max(h, w) <= SMALL else "photo"
    words = ", ".join(filter(None, (caption, picture.name, f"shown ×{factor}" if factor > 1 else "")))
    image = element("img", src=url, width=w, height=h, alt=words, id=name).removesuffix("</img>")
    return element("figure", f'{image}<figcaption>{text(words)}</figcaption>', class_=kind)


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
