"""Sound as the bytes of a WAV file, small enough to stand in a page."""

from __future__ import annotations

import struct

import numpy as np

__all__ = ["wav"]


def wav(samples: np.ndarray, rate: float, bits: int = 16) -> bytes:
    """The samples (c, n) as a WAV file: 16-bit PCM with full scale 1.0 = 32768, or 32-bit float for `bits` 32.

    16 bits clip beyond full scale and round to the nearest step; float keeps every float32 sample as it is.

    >>> wav(np.array([[0.5, -1.0, 1.0]]), 8000)[44:].hex()
    '00400080ff7f'
    """
    channels, n = samples.shape
    if bits == 16:
        body = np.clip(np.rint(samples.T * 32768), -32768, 32767).astype("<i2").tobytes()
        kind, extra = 1, b""
    else:
        bits = 32
        body = np.ascontiguousarray(samples.T, dtype="<f4").tobytes()
        kind, extra = 3, b"fact" + struct.pack("<II", 4, n)
    frame, hz = channels * bits // 8, min(max(round(rate), 1), 2**32 // max(channels * bits // 8, 1) - 1)
    form = b"fmt " + struct.pack("<IHHIIHH", 16, kind, channels, hz, hz * frame, frame, bits)
    pad = b"\0" * (len(body) % 2)
    chunks = form + extra + b"data" + struct.pack("<I", len(body)) + body + pad
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
