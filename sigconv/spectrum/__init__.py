"""Spectra of signals and of kernels, and the way back: a spectrogram is a signal on (Hz, s), and has a sound."""

from .responses import Response, decibels, response
from .through import plane, spectrally
from .transform import hann, sound, spectrogram

__all__ = ["Response", "decibels", "hann", "plane", "response", "sound", "spectrally", "spectrogram"]
