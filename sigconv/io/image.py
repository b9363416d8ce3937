"""Images into Signals and back, by Pillow.

Full scale is 1.0: 8 bits are v/255, 16 bits v/65535, so that either comes back exactly. Pillow opens by content, which
could reach any of its readers; it is given the one format that the magic bytes name.
"""

from __future__ import annotations

import logging
import warnings
from importlib import import_module
from typing import Any, cast

import numpy as np

from ..domain import grid
from ..errors import SigconvError, SigconvWarning
from ..signal import Signal
from .doors import Source
from .limits import within
from .sink import Sink

__all__ = ["IMAGES", "facts", "load_image", "opened_image", "pixels", "write_image"]

NOISE = 1e-5  # beyond 0 … 1, which is rounding
NAMES = {"L": None, "LA": ("Y", "A"), "RGB": ("R", "G", "B"), "RGBA": ("R", "G", "B", "A")}
PLUGINS = {"PNG": "Png", "JPEG": "Jpeg", "GIF": "Gif", "TIFF": "Tiff", "BMP": "Bmp", "WEBP": "WebP", "PPM": "Ppm"}
IMAGES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP",
          ".webp": "WEBP",          ".ppm": "PPM", ".pgm": "PPM", ".pnm": "PPM"}
UPRIGHT = 1


def opened_image(source: Source, form: str) -> Any:
    """Pillow's image, not decoded yet, its size within the limits."""
    from PIL import Image

    logging.getLogger("PIL").addHandler(logging.NullHandler())  # what Pillow logs, it also raises
    import_module(f"PIL.{PLUGINS[form]}ImagePlugin")
    quiet, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # the limit is ours, below
    try:
        image = Image.open(source.file(), formats=[form])
    except Image.UnidentifiedImageError:
        raise source.error(f"not readable as {form}; is it cut off or damaged?") from None
    finally:
        Image.MAX_IMAGE_PIXELS = quiet
    if 0 in image.size:
        raise source.error("an image without pixels")
    within("pixels", image.width * image.height, f"an image of {image.width} × {image.height} pixels")
    return image


def load_image(source: Source, form: str) -> Signal:
    """An image of an opened file: value (1,), (3,) or, with transparency, (2,), (4,) on a grid in px, float32 in 0 … 1."""
    image = opened_image(source, form)
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and form == "GIF":
        from .video import load_video

        return load_video(source, image)
    if frames > 1:
        source.warn(f"holds {frames} images; took the first")
        image.seek(0)
    if _bits(image, form) > 8 and len(image.getbands()) > 1:
        source.warn("16 bits a colour were read as 8, which is what Pillow decodes of colour; 16-bit grey is kept")
    turn = image.getexif().get(0x0112, UPRIGHT) if form != "GIF" else UPRIGHT
    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as why:
        raise source.error(f"a {form} that can't be decoded ({why}); is it cut off or damaged?") from None
    if turn != UPRIGHT and turn in range(1, 9):
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
        source.warn(f"turned upright, as its EXIF orientation {turn} asks")
    return _signal(source, *pixels(source, image))


def facts(source: Source, form: str) -> dict[str, Any]:
    """What the header says, without decoding."""
    image = opened_image(source, form)
    frames, bands = getattr(image, "n_frames", 1), _mode(image)
    shape = (len(NAMES.get(bands) or "1"), image.height, image.width)
    common = {"format": form, "subtype": f"{_bits(image, form)} bit {image.mode}", "channels": shape[0],
              "names": NAMES.get(bands), "rate": None}
    if frames > 1 and form == "GIF":
        from .video import load_video

        x = load_video(source, image)
        return {"kind": "video", **common, "channels": x.value[0], "names": x.channels, "rate": float(1 / x.domain.step[0]),
                "frames": x.domain.shape[0], "shape": x.data.shape, "duration": x.domain.extent[0][1]}
    return {"kind": "image", **common, "frames": frames, "shape": shape, "duration": None}


def _signal(source: Source, data: np.ndarray, names: Any) -> Signal:
    if not np.isfinite(data).all():
        row, column = np.argwhere(~np.isfinite(data))[0][-2:]
        raise source.error(f"NaN or infinity at row {row}, column {column}; wanted finite pixels")
    return Signal(data, grid(*data.shape[1:]), names)


def pixels(source: Source, image: Any) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """A decoded image as (c, h, w) floats and the names of its channels; 16 and 32 bits as they are, palettes expanded."""
    if image.mode.startswith(("I", "F")):
        v = np.asarray(image)
        if v.dtype.kind == "f":
            return v[None].astype(np.float32), None
        if image.mode.startswith("I;16") or image.format == "PPM" or image.format == "PNG":
            return (v[None] / np.float32(65535)).astype(np.float32), None
        return v[None].astype(np.float64), None
    mode = _mode(image)
    if image.mode not in ("1", "P", "PA", "L", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX"):
        source.warn(f"{image.mode} colours were converted to RGB, without a colour profile")
    image = image.convert(mode)
    v = np.asarray(image, dtype=np.uint8)
    v = v[None] if v.ndim == 2 else np.moveaxis(v, -1, 0)
    return np.ascontiguousarray(v) / np.float32(255), NAMES[mode]


def _mode(image: Any) -> str:
    """What an image is expanded to: L, LA, RGB or RGBA."""
    clear = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    grey = image.mode in ("1", "L", "LA", "La") or image.mode.startswith(("I", "F"))
    return {(True, False): "L", (True, True): "LA", (False, False): "RGB", (False, True): "RGBA"}[grey, clear]


def _bits(image: Any, form: str) -> int:
    if form == "PNG":
        file = image.fp
        at = file.tell()
        file.seek(24)
        depth = file.read(1)
        file.seek(at)
        return depth[0] if depth else 8
    if form == "TIFF":
        return int(max(image.tag_v2.get(258, (1,))))
    return 16 if image.mode.startswith("I") else 1 if image.mode == "1" else 8


def write_image(sink: Sink, signal: Signal, suffix: str, subtype: str | None = None) -> None:
    """Encode a signal of value `()`, (1,), (2,), (3,) or (4,) on a grid into an open file.

    Floats mean 0 … 1 and become 8 bits; uint8 and uint16 are written as they are. `subtype` "8" or "16": bits (16: grey,
    as .png or .tiff). Values outside 0 … 1 are clipped, and said.
    """
    form = IMAGES[suffix]
    data = _bytes_of(signal, suffix, subtype)
    grey16 = data.dtype == np.uint16
    if grey16 and form not in ("PNG", "TIFF"):
        raise SigconvError(f"16 bits in {suffix}: wanted .png or .tiff, or 8 bits")
    if form in ("JPEG", "BMP", "PPM", "GIF") and len(data) in (2, 4):
        raise SigconvError(f"transparency in {suffix}: wanted .png, .webp or .tiff; or drop the channel A")
    from PIL import Image

    import_module(f"PIL.{PLUGINS[form]}ImagePlugin")
    image = Image.fromarray(data[0] if len(data) == 1 else np.ascontiguousarray(np.moveaxis(data, 0, -1)))
    options: Any = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True, "exact": True}}.get(form, {})
    try:
        image.save(cast(Any, sink), format=form, **options)
    except (OSError, ValueError) as why:
        sink.check()
        raise SigconvError(f"an image of {image.width} × {image.height} as {form}: {why}") from None


def _bytes_of(signal: Signal, suffix: str, subtype: str | None) -> np.ndarray:
    """(c, h, w) as uint8, or uint16 for one channel."""
    x, cure = signal.numpy(), f"; .npz holds any signal, {suffix} holds images"
    if x.domain.ndim != 2 or len(x.value) > 1 or (x.value and x.value[0] not in (1, 2, 3, 4)):
        raise SigconvError(f"a signal of value {x.value} on {x.domain.ndim} axes: wanted 1 to 4 channels on two axes{cure}")
    if x.value == (2,) and x.channels is not None and x.channels[-1] != "A":
        raise SigconvError(f"two channels {x.channels}: wanted grey, RGB, or grey with transparency (Y, A); save "
                           f"each channel by itself{cure}")
    if not x.data.size:
        raise SigconvError(f"an empty signal: wanted at least one pixel{cure}")
    data = x.data.reshape(-1, *x.domain.shape)
    bits = {None: None, "8": 8, "16": 16, "PCM_U8": 8, "PCM_16": 16}.get(subtype and subtype.upper(), 0)
    if bits == 0:
        raise SigconvError(f"subtype {subtype!r} of an image: wanted 8 or 16 (bits)")
    if data.dtype in (np.uint8, np.uint16) and bits in (None, 8 * data.dtype.itemsize):
        bits = 8 * data.dtype.itemsize
    else:
        data, bits = _scaled(data, bits or 8, cure), bits or 8
    if bits == 16 and len(data) > 1:
        raise SigconvError(f"{len(data)} channels of 16 bits: wanted one, as Pillow writes 16 bits for grey alone; save "
                           f"each channel by itself{cure}")
    return data


def _scaled(data: np.ndarray, bits: int, cure: str) -> np.ndarray:
    if data.dtype.kind not in "fb":
        raise SigconvError(f"pixels of type {data.dtype} as {bits} bits: wanted floats in 0 … 1, uint8 or uint16{cure}")
    low, high = float(data.min()), float(data.max())
    if low < -NOISE or high > 1 + NOISE:
        outside = int(np.count_nonzero((data < -NOISE) | (data > 1 + NOISE)))
        warnings.warn(f"{outside} of {data.size} values outside 0 … 1 were clipped (they reach from {low:.4g} to {high:.4g}): "
                      "scale them first, or write .npz", SigconvWarning, stacklevel=2)
    full = 2**bits - 1
    return np.rint(np.clip(data.astype(np.float64), 0, 1) * full).astype(np.uint8 if bits == 8 else np.uint16)
