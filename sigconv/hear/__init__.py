"""Ears: anything made audible, compared at one loudness, without clipping."""

from .alone import voices
from .labels import unscan
from .levels import loudness, true_peak
from .listening import Listening, Take, lines, listen
from .playing import play
from .scans import SCANS, Pitches, audible, label, legend, pitches, scan
from .sources import SOURCES, source

__all__ = ["SCANS", "SOURCES", "Listening", "Pitches", "Take", "audible", "label", "legend", "lines", "listen", "loudness",
           "pitches", "play", "scan", "source", "true_peak", "unscan", "voices"]
