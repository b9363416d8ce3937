"""Long sounds, reel to reel: what `hear.listen` does to a sound in memory, of a file that goes by in blocks."""

from .listening import EXCERPT, LONG, excerpt, listen, serves

__all__ = ["EXCERPT", "LONG", "excerpt", "listen", "serves"]
