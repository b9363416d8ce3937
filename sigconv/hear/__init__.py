"""Ears: anything made audible, compared at one loudness, without clipping."""

from .levels import loudness, true_peak
from .listening import Listening, Take, lines, listen
from .playing import play
from .scans import audible, scan
from .sources import SOURCES, source

__all__ = ["SOURCES", "Listening", "Take", "audible", "lines", "listen", "loudness", "play", "scan", "source", "true_peak"]
