"""The header of a WAV file, written.

Our own, because a float WAV by libsndfile holds the time of writing (its PEAK chunk), a plain WAV beyond 4 GiB reads back
short, and loudspeaker positions can't be given. All sizes are known beforehand, so it goes through pipes as well;
where the number of frames is not, the place of ds64 is kept by a chunk JUNK (EBU Tech 3306), and the header written again.

    RIFF or RF64 | WAVE | ds64 (RF64) | fmt | fact (not PCM) | sgcv (what a WAV can't say otherwise) | LIST (a comment) | data

Names of channels that are loudspeakers, in the order of the mask, go into WAVE_FORMAT_EXTENSIBLE's mask; others, a start
that is not 0 and a unit that is not s go into `sgcv`, a JSON object that other programs skip. A comment is ICMT in a
LIST of INFO, as everywhere, so that other programs show it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["CODES", "COMMENT", "SPEAKERS", "header", "mask_of", "names_of", "pcm"]

SPEAKERS = ("L", "R", "C", "LFE", "Lb", "Rb", "Lc", "Rc", "Cs", "Ls", "Rs", "Tc", "Tfl", "Tfc", "Tfr", "Tbl", "Tbc", "Tbr")
GUID = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
CODES = {"PCM_U8": (1, 8), "PCM_16": (1, 16), "PCM_24": (1, 24), "PCM_32": (1, 32), "FLOAT": (3, 32), "DOUBLE": (3, 64)}
LARGEST = 2**32 - 1
COMMENT = 1 << 16  # bytes of a comment, at most


def names_of(mask: int, channels: int) -> tuple[str, ...] | None:
    """The loudspeakers of a mask, in order; back pairs without side pairs are called Ls and Rs, as in 5.1."""
    names = [name for bit, name in enumerate(SPEAKERS) if mask >> bit & 1]
    if len(names) != channels or mask >> len(SPEAKERS):
        return None
    if "Ls" not in names and "Rs" not in names:
        names = [{"Lb": "Ls", "Rb": "Rs"}.get(name, name) for name in names]
    return tuple(names) if channels > 1 else None


def mask_of(names: Sequence[str]) -> int:
    """The mask whose names these are, or 0."""
    if not set(names) <= set(SPEAKERS):
        return 0
    mask = sum(1 << SPEAKERS.index(name) for name in set(names))
    return mask if names_of(mask, len(names)) == tuple(names) else 0


def header(frames: int, channels: int, rate: int, subtype: str, names: Sequence[str] | None = None,
           extra: dict[str, Any] | None = None, comment: str | None = None, room: bool = False) -> bytes:
    """Everything before the samples; a comment of at most COMMENT bytes. With `room` it is as long for any number of frames.

    >>> header(10**9, 2, 48000, "FLOAT")[:4], len(header(1, 1, 8000, "PCM_16"))
    (b'RF64', 44)
    """
    code, bits = CODES[subtype]
    block = channels * bits // 8
    mask = mask_of(names) if names and channels > 2 else 0
    if names and not mask and tuple(names) != ("L", "R"):
        extra = {"channels": list(names), **(extra or {})}
    common = struct.pack("<HIIHH", channels, rate, min(rate * block, LARGEST), block, bits)
    if channels > 2 or (bits > 16 and code == 1):
        fmt = struct.pack("<H", 0xFFFE) + common + struct.pack("<HHIH", 22, bits, mask, code) + GUID
    else:
        fmt = struct.pack("<H", code) + common + (b"" if code == 1 else b"\0\0")
    chunks = _chunk(b"fmt ", fmt)
    if code != 1:
        chunks += _chunk(b"fact", struct.pack("<I", min(frames, LARGEST)))
    if extra:
        chunks += _chunk(b"sgcv", json.dumps(extra, ensure_ascii=True, sort_keys=True).encode())
    if comment:
        chunks += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment.encode(errors="replace") + b"\0"))
    size = frames * block
    if room:
        chunks = _chunk(b"JUNK", bytes(28)) + chunks
    whole = 4 + len(chunks) + 8 + size + size % 2
    if whole <= LARGEST:
        return b"RIFF" + struct.pack("<I", whole) + b"WAVE" + chunks + b"data" + struct.pack("<I", size)
    if room:
        chunks, whole = chunks[36:], whole - 36
    ds64 = _chunk(b"ds64", struct.pack("<QQQI", whole + 36, size, frames, 0))
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + chunks + b"data\xff\xff\xff\xff"


def grid_extra(step: Fraction, start: Any, unit: str, name: str) -> dict[str, Any]:
    """What the header can't say of a grid; nothing for time that starts at 0."""
    extra = {}
    if start:
        extra["start"] = str(start)
    if unit != "s":
        extra["unit"] = unit
    if name != ("time" if unit == "s" else "x"):
        extra["name"] = name
    return extra


def pcm(block: np.ndarray, subtype: str) -> np.ndarray:
    """Samples (n, c) as the bytes of a codec; full scale is 1.0, and what lies beyond is clipped, never wrapped."""
    if subtype in ("FLOAT", "DOUBLE"):
        return block.astype("<f4" if subtype == "FLOAT" else "<f8")
    bits = CODES[subtype][1]
    full = 2.0 ** (bits - 1)
    # times a power of two is exact, and so is single precision of whole numbers below 2^24
    whole = np.multiply(block, full, dtype=np.float32 if bits <= 16 and block.dtype == np.float32 else np.float64)
    np.clip(np.rint(whole, out=whole), -full, full - 1, out=whole)
    if subtype == "PCM_U8":
        return (whole + 128).astype("u1")
    if subtype == "PCM_24":
        return np.ascontiguousarray(whole.astype("<i4")).view("u1").reshape(*whole.shape, 4)[..., :3]
    return whole.astype(f"<i{bits // 8}")


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
