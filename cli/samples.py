"""What is heard where no file is named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["sample_for"]


def sample_for(specs: Iterable[str], on: str = "signal") -> Path:
    """The sample that comes along and that these kernels serve: speech, else stereo or a picture."""
    from sigconv.io import sample
    from sigconv.kernels import find

    named = [find(spec.partition("*")[0].partition(":")[0].strip()) for spec in specs]
    if on == "signal" and any(f and 1 not in f.dims for f in named):
        return sample("image")
    return sample("stereo" if any(f and f.name in ("midside", "crossfeed") for f in named) else "speech")
