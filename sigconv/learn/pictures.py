"""Images with labels, each a Signal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SigconvError, printable
from ..io import load
from ..signal import Signal
from .finding import find
from .labelled import Labelled, headed

__all__ = ["Images"]

KINDS = {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp", ".ppm", ".pgm"}


class Images(Labelled):
    """The images of a folder, each with its label: `[train/]label/image.png`, or what else `Speech` reads names and tables for.

    What is no image or damaged is left out, told in one warning, and listed in `skipped`.

    >>> import tempfile, sigconv as sc
    >>> folder = Path(tempfile.mkdtemp())
    >>> for label in ("black", "white"):
    ...     (folder / label).mkdir()
    ...     sc.save(sc.Signal(np.full((1, 4, 6), float(label == "white")), sc.grid(4, 6)), folder / label / "0.png")
    >>> data = Images(folder)
    >>> data, data.image(1)
    (<Images 2 images, 2 labels>, <Signal 1 channel, 4 × 6, 0 … 4 px × 0 … 6 px, float32>)
    >>> x, y = data.arrays()
    >>> x.shape, x.max(axis=(1, 2, 3)).tolist(), y.tolist()
    ((2, 1, 4, 6), [0.0, 1.0], [0, 1])

    Raises `SigconvError` for a folder that is not there, holds no images, or images of one label alone.
    """

    def __init__(self, folder: str | Path, labels: Sequence[str] | None = None, layout: str | None = None, *,
                 pattern: str | None = None):
        found = find(folder, layout, pattern, KINDS)
        headed(found, "image")
        self._found(found, labels, "images")

    def __repr__(self) -> str:
        return f"<Images {len(self)} images, {len(self.labels)} labels>"

    def image(self, i: int) -> Signal:
        """One of them, value `(channels,)` on a grid in px."""
        return load(self.folder / self.items[i].path)

    def arrays(self, shape: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """All of them, x float32 (n, channels, h, w), and their classes int64 (n,).

        `shape`: (h, w) to bring all to, by Pillow's bicubic with anti-aliasing; None where all have one shape. Grey among
        coloured ones becomes three equal channels; transparency is left out.
        """
        planes = [_opaque(self.image(i).data) for i in range(len(self))]
        if shape is not None:
            planes = [_sized(plane, shape) for plane in planes]
        sizes = sorted({plane.shape[1:] for plane in planes})
        if len(sizes) > 1:
            told = " and ".join(f"{h}×{w}" for h, w in sizes[:2])
            raise SigconvError(f"{printable(self.folder, 120)}: images of {told} px: wanted one shape; say arrays(shape=(h, w))")
        channels = max((len(plane) for plane in planes), default=1)
        x = np.stack([np.broadcast_to(plane, (channels, *plane.shape[1:])) for plane in planes])
        return x.astype(np.float32, copy=False), self.targets


def _opaque(data: Any) -> np.ndarray:
    """One channel or three."""
    return data[:3] if len(data) >= 3 else data[:1]


def _sized(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    if plane.shape[1:] == tuple(shape):
        return plane
    size = (int(shape[1]), int(shape[0]))
    if min(size) < 1:
        raise SigconvError(f"shape {shape}: wanted (h, w) of at least 1 px")
    return np.stack([np.asarray(Image.fromarray(c.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)) for c in plane])
