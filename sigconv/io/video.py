"""Animated GIFs: a video is a signal on (s, px, px)."""

from __future__ import annotations

import warnings
from fractions import Fraction
from functools import reduce
from math import gcd
from struct import pack
from typing import Any

import numpy as np

from ..domain import Domain
from ..errors import SigconvError, SigconvWarning
from ..signal import Signal
from .doors import Source
from .limits import limit, within
from .sink import Sink

__all__ = ["load_video", "write_video"]

USUAL = 100  # ms, where a frame gives no duration; browsers do the same


def load_video(source: Source, image: Any) -> Signal:
    """All frames of an opened GIF, value (1,) where every frame is grey, else (3,).

    Frames that last differently long are repeated, on the grid of their greatest common duration, and said.
    """
    frames, each = image.n_frames, image.width * image.height
    within("voxels", frames * each * 3, f"a GIF of {frames} frames of {image.width} × {image.height}")
    data, lasting, clear = np.empty((frames, image.height, image.width, 3), np.uint8), [], False
    for number in range(frames):
        image.seek(number)
        lasting.append(int(image.info.get("duration", 0)))
        picture = image.convert("RGBA")
        clear = clear or picture.getextrema()[3][0] < 255
        data[number] = np.asarray(picture)[..., :3]
    if clear:
        source.warn("its transparency was dropped")
    if 0 in lasting:
        source.warn(f"{lasting.count(0)} of {frames} frames without a duration; took {USUAL} ms")
        lasting = [ms or USUAL for ms in lasting]
    step = reduce(gcd, lasting)
    if min(lasting) != max(lasting):
        repeats = [ms // step for ms in lasting]
        if sum(repeats) * each * 3 > limit("voxels"):
            raise source.error(f"frames of {min(lasting)} to {max(lasting)} ms: {sum(repeats)} frames of {step} ms are too many")
        source.warn(f"frames of {min(lasting)} to {max(lasting)} ms were laid out as {sum(repeats)} frames of {step} ms")
        data = np.repeat(data, repeats, axis=0)
    grey = bool((data[..., 0] == data[..., 1]).all() and (data[..., 0] == data[..., 2]).all())
    value = np.ascontiguousarray(np.moveaxis(data[..., :1] if grey else data, -1, 0)) / np.float32(255)
    domain = Domain(value.shape[1:], (Fraction(step, 1000), 1, 1), 0, ("s", "px", "px"), ("time", "y", "x"))
    return Signal(value, domain, None if grey else ("R", "G", "B"))


def write_video(sink: Sink, signal: Signal) -> None:
    """Encode a signal of value `()`, (1,) or (3,) on (s, px, px) as an animated GIF."""
    x, cure = signal.numpy(), "; .npz holds any signal"
    if x.domain.ndim != 3 or x.domain.unit[0] != "s" or x.value not in ((), (1,), (3,)):
        raise SigconvError(f"a signal of value {x.value} on ({', '.join(x.domain.unit)}) as GIF: wanted 1 or 3 channels on "
                           f"(s, px, px){cure}")
    if not x.data.size:
        raise SigconvError(f"an empty signal: wanted at least one frame{cure}")
    from PIL import Image

    from .image import _bytes_of

    d = x.domain
    ms = max(round(float(d.step[0]) * 100), 1) * 10
    if Fraction(ms, 1000) != d.step[0]:
        warnings.warn(f"frames of {float(d.step[0]) * 1000:.6g} ms were written as {ms} ms: GIF counts in 10 ms",
                      SigconvWarning, stacklevel=2)
    planes = x.data.reshape(-1, *d.shape)
    flat = Signal(planes.reshape(len(planes), d.shape[0] * d.shape[1], d.shape[2]), Domain((d.shape[0] * d.shape[1], d.shape[2])))
    data = _bytes_of(flat, ".gif", "8").reshape(planes.shape)
    last = np.ascontiguousarray(np.moveaxis(data, 0, -1))
    if len(data) == 3:
        pictures = [Image.fromarray(frame) for frame in last]
        if many := sum(picture.getcolors(256) is None for picture in pictures):
            warnings.warn(f"{many} of {len(pictures)} frames had more than 256 colours and were reduced to 256 for GIF",
                          SigconvWarning, stacklevel=2)
        pictures = [picture.quantize(256, dither=Image.Dither.NONE) for picture in pictures]
    else:
        pictures = [Image.fromarray(frame[..., 0]) for frame in last]
        for picture in pictures:
            picture.putpalette(bytes(i // 3 for i in range(768)))
    if len(pictures) == 1:
        warnings.warn(f"one frame of {ms} ms: a GIF of one frame comes back as an image{cure}", SigconvWarning, stacklevel=2)
    _encode(sink, pictures, ms)


def _encode(sink: Sink, pictures: list[Any], ms: int) -> None:
    """Each frame as one of its own, of which only the part that changed is stored: Pillow's own writer merges frames that are
    alike, so that a video that stands still would come back as another one."""
    from PIL import ImageChops
    from PIL.GifImagePlugin import getdata

    width, height = pictures[0].size
    sink.write(b"GIF89a" + pack("<HHBBB", width, height, 0x70, 0, 0) + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")  # again for ever
    before = None
    for picture in pictures:
        now = picture.convert("RGB")
        box = (0, 0, width, height) if before is None else ImageChops.difference(before, now).getbbox() or (0, 0, 1, 1)
        for block in getdata(picture.crop(box), box[:2], duration=ms, include_color_table=True):
            sink.write(block)
        before = now
    sink.write(b";")
