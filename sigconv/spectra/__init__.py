"""`Block`: normalise → bank → nonlinearity → pool, on one, two or three axes; and the spectra that are made of it.

The spectra bear librosa's names, parameters and defaults, take a Signal, whose rate they know, and give one on the right axes:
(Hz, s), (mel, s), (octave, s), (semitone, s). Each is a function that builds a Block of its parameters:
``melspectrogram(x, n_mels=40)`` is ``melspectrogram.block(n_mels=40)(x)``.
"""

from .bands import Weights, chroma, cosines, folded, mel
from .block import Block, Spectrum, framewise
from .constantq import ConstantQ
from .features import chroma_cqt, chroma_stft, cqt, log_mel, melspectrogram, mfcc, onset_strength, pcen_mel, rise
from .framing import Fourier, istft, stft
from .nonlinear import decibels, log, magnitude, pcen, power, unit
from .normalising import local_contrast, local_mean, standardise, whiten
from .pooling import lost, pool, unpool
from .tuned import tuning

__all__ = ["Block", "ConstantQ", "Fourier", "Spectrum", "Weights", "chroma", "chroma_cqt", "chroma_stft", "cosines", "cqt",
           "decibels", "folded", "framewise", "istft", "local_contrast", "local_mean", "log", "log_mel", "lost", "magnitude",
           "mel", "melspectrogram", "mfcc", "onset_strength", "pcen", "pcen_mel", "pool", "power", "rise", "standardise", "stft",
           "tuning", "unit", "unpool", "whiten"]
