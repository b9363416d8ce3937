"""Long sounds, reel to reel: what `hear.listen` does to a sound in memory, of a file that goes by in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .listening import EXCERPT, excerpt, listen, serves

__all__ = ["EXCERPT", "LONG", "excerpt", "listen", "serves"]

LONG = 1 << 23  # samples of all channels that are held in memory: 3 min of mono at 44.1 kHz, 9 at 16 kHz


def __getattr__(name: str) -> Any:
    """Opened where a file is long enough."""
    if name in __all__:
        from . import listening

        return getattr(listening, name)
    raise AttributeError(f"module {__name__} has no attribute {name!r}")
