"""Sound to the loudspeaker, where there is one."""

from __future__ import annotations

import numpy as np

from ..signal import Signal
from .scans import audible

__all__ = ["play"]


def play(x: Signal, *, wait: bool = True) -> bool:
    """Play what `audible` makes of x; True when it was played, False where sounddevice or a device is missing.

    Never raises for a missing device. `wait` until it is over. Samples beyond ±1 are clipped by the device.
    """
    try:
        import sounddevice
    except (ImportError, OSError):  # OSError: the package without its PortAudio library
        return False
    sound = audible(x)
    try:
        sounddevice.query_devices(kind="output")
        sounddevice.play(np.ascontiguousarray(sound.data.T, dtype=np.float32), float(sound.rate), blocking=wait)
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True
