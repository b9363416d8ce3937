"""NumPy arrays and torch tensors under one roof, and the rules of types.

`namespace(x)` gives the array-API functions that fit x: NumPy itself for an ndarray, `array_api_compat`'s torch for a
tensor, told apart by type alone. torch is never imported here: whoever holds a tensor has done that.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import SigconvError

__all__ = ["Array", "accurate", "asarray", "computable", "constants", "finite", "flip", "is_complex", "is_tensor",
           "like", "namespace", "pair", "peak", "real_dtype", "to_numpy"]

Array = Any  # numpy.ndarray or torch.Tensor; shapes and types stand in the docstrings
HALF = ("float16", "bfloat16")


def is_tensor(x: object) -> bool:
    """Whether x is a torch tensor, without importing torch to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def namespace(x: Array) -> Any:
    """The functions of the array-API standard for x: `numpy`, or `array_api_compat.torch`."""
    if isinstance(x, np.ndarray):
        return np
    if is_tensor(x):
        import array_api_compat.torch as xp

        return xp
    raise SigconvError(f"a {type(x).__name__}: wanted a NumPy array or a torch tensor")


def asarray(data: object) -> Array:
    """A tensor as it is; anything else as a NumPy array of numbers in native byte order."""
    if is_tensor(data):
        return data
    try:
        array = np.asarray(data)
    except ValueError as why:
        raise SigconvError(f"data that make no array ({why}): wanted a box of numbers") from None
    if array.dtype.kind not in "fiubc":
        raise SigconvError(f"data of type {array.dtype}: wanted numbers")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def dtype_name(x: Array) -> str:
    """`"float32"` for NumPy and torch alike."""
    return x.dtype.name if isinstance(x, np.ndarray) else str(x.dtype).removeprefix("torch.")


def is_complex(x: Array) -> bool:
    """Whether x holds complex numbers."""
    return x.dtype.kind == "c" if isinstance(x, np.ndarray) else x.is_complex()


def real_dtype(x: Array) -> Any:
    """The real dtype of x's precision."""
    return x.real.dtype if is_complex(x) else x.dtype


def to_numpy(x: Array) -> np.ndarray:
    """The values of x as a NumPy array, off the graph and on the CPU; bfloat16, which NumPy lacks, becomes float32."""
    if isinstance(x, np.ndarray):
        return x
    if dtype_name(x) == "bfloat16":
        x = x.float()
    return x.detach().resolve_conj().resolve_neg().cpu().numpy()


def like(data: Array, x: Array) -> Array:
    """`data` as x's kind of array, at x's precision and on x's device; complex stays complex."""
    if isinstance(x, np.ndarray):
        if is_tensor(data) and data.requires_grad:
            raise SigconvError("a kernel that requires grad on a NumPy signal: gradients flow through tensors only; "
                               "bring the signal over with x.to(\"torch\")")
        data = to_numpy(data)
        return data.astype(np.result_type(real_dtype(x), np.complex64) if data.dtype.kind == "c" else real_dtype(x), copy=False)
    import torch

    if not is_tensor(data):
        data = torch.from_numpy(np.require(data, requirements=["C", "W"]) if data.flags.writeable else data.copy())
    dtype = real_dtype(x)
    return data.to(device=x.device, dtype=torch.complex64 if dtype is torch.float32 else torch.complex128) \
        if data.is_complex() else data.to(device=x.device, dtype=dtype)


def computable(x: Array) -> Array:
    """x in a type that convolution is computed in: integers and bool as float64, half precisions as float32."""
    if type(x) is np.ndarray and x.dtype.char in "fdFD":
        return x
    name = dtype_name(x)
    if name.startswith(("float", "complex")) and name not in HALF:
        return x
    xp = namespace(x)
    return xp.astype(x, xp.float32 if name in HALF else xp.float64)


def pair(x: Array, w: Array) -> tuple[Array, Array, Any]:
    """x and w in one type to compute in, and the dtype of the result.

    x decides: floats keep their dtype (halves are computed in float32), integers and bool become float64; complex
    taps make the result complex of x's precision. Raises `SigconvError` for taps that require grad on a NumPy x.
    """
    xc = computable(x)
    if type(xc) is type(w) is np.ndarray and xc.dtype == w.dtype:
        return xc, w, x.dtype if x.dtype.kind in "fc" else xc.dtype
    wc = like(computable(w), xc)
    if is_complex(wc) == is_complex(xc):
        return xc, wc, x.dtype if dtype_name(x).startswith(("float", "complex", "bfloat")) else xc.dtype
    xp = namespace(xc)
    dtype = xp.result_type(xc.dtype, wc.dtype)
    return xp.astype(xc, dtype), xp.astype(wc, dtype), dtype


def accurate(x: Array) -> Array:
    """x in double precision, for sums that single precision would spoil."""
    xp = namespace(x)
    return xp.astype(x, xp.complex128 if is_complex(x) else xp.float64)


def finite(x: Array) -> bool:
    """Whether no value is NaN or infinite."""
    xp = namespace(x)
    return bool(xp.all(xp.isfinite(x))) if dtype_name(x).startswith(("float", "complex", "bfloat")) else True


def peak(x: np.ndarray) -> float:
    """The largest magnitude of a real array, 0 for an empty one; no copy is made."""
    return max(float(x.max()), -float(x.min())) if x.size else 0.0


def flip(x: Array, axes: Sequence[int]) -> Array:
    """x with these axes reversed."""
    return np.flip(x, tuple(axes)) if isinstance(x, np.ndarray) else x.flip(tuple(axes))


def constants(*values: Any) -> tuple[Any, tuple[Any, ...]]:
    """The namespace that formulas of these parameters are written in, and the parameters as its floating arrays.

    float64 NumPy unless a value is a tensor: then that tensor's dtype and device for all of them.
    """
    lead = next((v for v in values if is_tensor(v)), None)
    if lead is None:
        return np, tuple(np.asarray(v, dtype=np.float64) for v in values)
    import torch

    lead = lead if lead.is_floating_point() else lead.to(torch.float64)
    return namespace(lead), tuple(torch.as_tensor(v, dtype=lead.dtype, device=lead.device) for v in values)
