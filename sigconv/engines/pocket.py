"""Transforms of many lines at once by the compiled core of `scipy.fft`, without the wait for the package around it.

Opening `scipy.fft` costs a process more than filtering a minute of sound; its pocketfft is one extension module that needs none
of it, opens in a millisecond, and works on whole vectors of lines in place, which numpy's does not. It is no public name, so it
is tried once, and where it is not what it was, `numpy.fft` does the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["along", "fft", "fftn", "ifft", "ifftn", "irfft", "rfft"]

NAME = "scipy.fft._pocketfft.pypocketfft"


def along(z: np.ndarray, axis: int, forward: bool, out: np.ndarray) -> np.ndarray:
    """The transform of complex `z` along one axis into `out`, which may be z itself; no scaling either way.

    >>> z = np.arange(6, dtype=np.complex64).reshape(3, 2)
    >>> along(along(z, 0, True, np.empty_like(z)), 0, False, z.copy()).real
    array([[ 0.,  3.],
           [ 6.,  9.],
           [12., 15.]], dtype=float32)
    """
    return _core()(z, (axis,), forward, 0, out, 1)


def rfft(x: np.ndarray, n: int | None = None, axis: int = -1, out: np.ndarray | None = None) -> np.ndarray:
    """`numpy.fft.rfft`, in the precision of x, into `out` where it is given.

    >>> rfft(np.ones((1, 3), np.float32), 4)
    array([[3.+0.j, 0.-1.j, 1.+0.j]], dtype=complex64)
    """
    x = _wide(x, n, axis)
    if _core() is _by_numpy or not x.size:
        return np.fft.rfft(x, axis=axis, out=out)
    return _opened().r2c(x, (axis % x.ndim,), True, 0, out, 1)


def irfft(X: np.ndarray, n: int, axis: int = -1) -> np.ndarray:
    """`numpy.fft.irfft`, in the precision of X."""
    if _core() is _by_numpy or not X.size:
        return np.fft.irfft(X, n, axis=axis)
    return _opened().c2r(X, (axis % X.ndim,), n, False, 2, None, 1)


def fft(x: np.ndarray, n: int | None = None, axis: int = -1) -> np.ndarray:
    """`numpy.fft.fft` of complex or real x, in its precision."""
    x = _wide(x, n, axis)
    if _core() is _by_numpy or not x.size or x.dtype.kind != "c":
        return np.fft.fft(x, axis=axis)
    return _opened().c2c(x, (axis % x.ndim,), True, 0, None, 1)


def ifft(X: np.ndarray, n: int | None = None, axis: int = -1) -> np.ndarray:
    """`numpy.fft.ifft`, in the precision of X."""
    X = _wide(X, n, axis)
    if _core() is _by_numpy or not X.size:
        return np.fft.ifft(X, axis=axis)
    return _opened().c2c(X, (axis % X.ndim,), False, 2, None, 1)


def fftn(x: np.ndarray, s: Sequence[int]) -> np.ndarray:
    """The spectrum of the last axes, with zeros up to s samples, in the precision of x; of real x the half that tells all.

    >>> fftn(np.ones((1, 2, 2)), (2, 4)).shape
    (1, 2, 3)
    """
    axes = tuple(range(x.ndim - len(s), x.ndim))
    for n, axis in zip(s, axes, strict=True):
        x = _wide(x, n, axis)
    real = x.dtype.kind != "c"
    if _core() is _by_numpy or not x.size:
        return (np.fft.rfftn if real else np.fft.fftn)(x, axes=axes)
    return (_opened().r2c if real else _opened().c2c)(x, axes, True, 0, None, 1)


def ifftn(X: np.ndarray, s: Sequence[int], real: bool) -> np.ndarray:
    """The signal of such a spectrum."""
    axes = tuple(range(X.ndim - len(s), X.ndim))
    if _core() is _by_numpy or not X.size:
        return np.fft.irfftn(X, tuple(s), axes) if real else np.fft.ifftn(X, axes=axes)
    return _opened().c2r(X, axes, s[-1], False, 2, None, 1) if real else _opened().c2c(X, axes, False, 2, None, 1)


def _wide(x: np.ndarray, n: int | None, axis: int) -> np.ndarray:
    """x with zeros up to n samples of an axis, or its first n."""
    here = x.shape[axis]
    if n is None or n == here:
        return x
    place: list[slice] = [slice(None)] * x.ndim
    place[axis] = slice(min(n, here))
    if n < here:
        return x[tuple(place)]
    shape = list(x.shape)
    shape[axis] = n
    wide = np.zeros(shape, x.dtype)
    wide[tuple(place)] = x
    return wide


@lru_cache(maxsize=1)
def _core() -> Callable[..., np.ndarray]:
    try:
        core, rows = _opened().c2c, _opened().r2c
        probe = np.arange(4, dtype=np.complex64).reshape(2, 2)
        if np.array_equal(core(probe, (0,), True, 0, probe, 1), [[2, 4], [-2, -2]]) and probe[0, 0] == 2 \
                and np.array_equal(rows(probe.real.copy(), (1,), True, 0, None, 1), [[6, -2], [-4, 0]]):
            return core
    except Exception:  # another scipy, built otherwise
        pass
    return _by_numpy


@lru_cache(maxsize=1)
def _opened() -> Any:
    """The extension module: as scipy has it open, or by its file."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    from importlib.machinery import PathFinder
    from importlib.util import find_spec, module_from_spec, spec_from_file_location

    package = find_spec("scipy")
    folders = [os.path.join(place, "fft", "_pocketfft") for place in package.submodule_search_locations or ()]  # type: ignore[union-attr]  # noqa: PTH118
    found = PathFinder.find_spec("pypocketfft", folders)
    spec = spec_from_file_location(NAME, found.origin)  # type: ignore[union-attr, arg-type]
    module = module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def _by_numpy(z: np.ndarray, axes: tuple[int], forward: bool, _: int, out: np.ndarray, __: int) -> np.ndarray:
    """The same by `numpy.fft`."""
    return (np.fft.fft if forward else np.fft.ifft)(z, axis=axes[0], norm="backward" if forward else "forward", out=out)
