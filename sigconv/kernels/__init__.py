"""Families of kernels: plain functions of a domain and their parameters.

A family ``f(like, …) -> Signal`` reads only step, unit and dimension of `like`, a Domain (or a Signal on one); its parameters
are in the units of the axis. It gives float64 NumPy taps, or tensors where a parameter is one, differentiable in it.
`FAMILIES` holds what each declares; `python -m sigconv.kernels` writes the table of the docs. Each raises `UsageError` for
parameters out of range, dimensions that it does not serve, and more than 2²² taps.

>>> import sigconv as sc
>>> sc.kernels.lowpass(sc.line(1, 8000), 800, taps=5).domain.start
(-2,)
"""

from . import lined as lined  # these enter their banks into the register
from . import turned as turned
from .analytic import hilbert
from .banking import BANKS, BankFamily, Range, bank, find_bank
from .banks import gammachirp, gammatone, morlet, octave_bands, piano, sinc
from .bends import dog, emboss, laplace, log, sharpen, unsharp
from .design import bandpass, bandstop, highpass, lowpass
from .lapped import constant_q, daubechies, fourier, mdct
from .oriented import corner, derivative, edge, endpoint, gabor, motion
from .reaching import Reached, flat, reached
from .registry import FAMILIES, Family, Parameter, family, find
from .shapes import box, delay, gaussian, identity
from .slopes import curvature, principal, steerable, steered, steering
from .stereo import crossfeed, midside
from .tones import chirp, comb, echo, note, room
from .turning import directions, drifting, gabors
from .weights import chroma_weights, mel_weights, triangles

__all__ = ["BANKS", "FAMILIES", "BankFamily", "Family", "Parameter", "Range", "Reached", "bandpass", "bandstop", "bank", "box",
           "chirp", "chroma_weights", "comb", "constant_q", "corner", "crossfeed", "curvature", "daubechies", "delay",
           "derivative", "directions", "dog", "drifting", "echo", "edge", "emboss", "endpoint", "family", "find", "find_bank",
           "flat", "fourier", "gabor", "gabors", "gammachirp", "gammatone", "gaussian", "highpass", "hilbert", "identity",
           "laplace", "log", "lowpass", "mdct", "mel_weights", "midside", "morlet", "motion", "note", "octave_bands", "piano",
           "principal", "reached", "room", "sharpen", "sinc", "steerable", "steered", "steering", "triangles", "unsharp"]
