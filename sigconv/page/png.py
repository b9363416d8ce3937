"""PNG written with zlib alone: what `sigconv listen` draws, it draws without waiting for an image library.

Of the five PNG filters each row takes the one with the least sum of absolute residues (the standard's own heuristic);
residues look at the raw neighbours only, so that all rows are filtered at once. Palette images are left unfiltered.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

__all__ = ["png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(pixels: np.ndarray, palette: np.ndarray | None = None, level: int = 6) -> bytes:
    """8-bit pixels as a PNG: (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA; with a `palette` (≤ 256, 3), (h, w) of its indices.

    >>> png(np.zeros((1, 1), np.uint8))[:8] == SIGNATURE
    True
    """
    h, w = pixels.shape[:2]
    kind = 3 if palette is not None else {2: 0, 3: 2}.get(pixels.ndim if pixels.ndim == 2 else pixels.shape[2], 6)
    raw = np.ascontiguousarray(pixels, dtype=np.uint8).reshape(h, -1)
    rows = np.concatenate([np.zeros((h, 1), np.uint8), raw], axis=1) if palette is not None else _filtered(raw, raw.shape[1] // w)
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, kind, 0, 0, 0))]
    if palette is not None:
        chunks.append(_chunk(b"PLTE", np.ascontiguousarray(palette, dtype=np.uint8).tobytes()))
    chunks += [_chunk(b"IDAT", zlib.compress(rows.tobytes(), level)), _chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(chunks)


def _filtered(raw: np.ndarray, size: int) -> np.ndarray:
    """Each row behind the number of its filter; `size` bytes make a pixel."""
    here = raw.astype(np.int16)
    left, up, corner = np.zeros_like(here), np.zeros_like(here), np.zeros_like(here)
    left[:, size:], up[1:], corner[1:, size:] = here[:, :-size], here[:-1], here[:-1, :-size]
    guess = left + up - corner
    a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
    paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
    tried = np.stack([here, here - left, here - up, here - (left + up) // 2, here - paeth]).astype(np.uint8)
    cost = abs(tried.view(np.int8).astype(np.int32)).sum(axis=2)
    best = cost.argmin(axis=0)
    rows = tried[best, np.arange(len(raw))]
    return np.concatenate([best.astype(np.uint8)[:, None], rows], axis=1)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
