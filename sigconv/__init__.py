"""Hear and see what a convolution does.

A signal is a function on a regular grid, a kernel is a signal on a small grid, and `convolve` takes the one by the other.
Names open on first use (PEP 562): `import sigconv` costs next to nothing, and a room that needs torch or matplotlib is
entered only by whoever asks for it.

>>> import sigconv as sc
>>> x = sc.Signal([[0.0, 1.0, 0.0, 0.0]], sc.line(4, 8000))
>>> sc.convolve(x, sc.kernel("edge", x.domain)).data
array([[ 0.,  1., -1.,  0.]])
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Where each public name lives; modules stand for themselves.
_HOMES = {
    "Domain": "domain", "grid": "domain", "line": "domain",
    "Signal": "signal",
    "Stream": "streaming",
    "SigconvError": "errors", "SigconvWarning": "errors",
    "cascade": "convolving", "convolve": "convolving", "correlate": "convolving", "diag": "convolving",
    "matrix": "convolving",
    "resample": "resampling", "warp": "resampling",
    "bypass": "chain", "median": "chain", "mix": "chain", "quantize": "chain", "relu": "chain",
    "sound": "spectrum", "spectrogram": "spectrum",
    "load": "io", "save": "io",
    "kernel": "specs",
}
_ROOMS = ("applying", "chain", "engines", "frames", "hear", "io", "kernels", "learn", "lessons", "page", "scales", "see",
          "spectrum", "study")

__all__ = sorted([*_HOMES, *_ROOMS])


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _ROOMS:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
