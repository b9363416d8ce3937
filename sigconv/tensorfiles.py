"""The door for files of tensors: safetensors, which hold numbers and words and nothing that could be run.

`wanted` in each function is what the caller reads, "the weights of a net", and ends its refusals, one line each: of what is no
plain file, of a pickle or zip (never opened), and of what is cut off.
"""

from __future__ import annotations

import os
from typing import Any

from .errors import SigconvError, printable

__all__ = ["tensors", "words"]


def words(path: Any, wanted: str) -> dict[str, str]:
    """The metadata of a file; the tensors stay on the disk.

    Raises `SigconvError` for what is no whole safetensors file.
    """
    try:
        shown = printable(os.fspath(path), 300)
    except TypeError:
        raise SigconvError(f"a {type(path).__name__} as a path: wanted {wanted}") from None
    try:
        if os.path.lexists(path) and not os.path.isfile(path):  # noqa: PTH113
            raise SigconvError(f"{shown}: no plain file; wanted {wanted}")
        with open(path, "rb") as file:  # noqa: PTH123
            start = file.read(9)
    except (OSError, ValueError) as why:
        raise SigconvError(f"{shown}: {getattr(why, 'strerror', None) or why}; wanted {wanted}") from None
    # safetensors begin with eight bytes of length and a brace; the length may begin like a zip or a pickle does
    if start[8:] != b"{" and (start[:2] == b"PK" or start[:1] == b"\x80"):
        raise SigconvError(f"{shown}: a pickle, which could run anything; it is not opened; wanted {wanted}")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as whole:
            return whole.metadata() or {}
    except (SafetensorError, OSError, ValueError) as why:
        raise SigconvError(f"{shown}: no whole safetensors file ({printable(why, 120)}); wanted {wanted}") from None


def tensors(path: Any, wanted: str) -> dict[str, Any]:
    """The tensors of a file that `words` has let in, by name.

    Raises `SigconvError` for what is no whole safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as why:
        raise SigconvError(f"{printable(os.fspath(path), 300)}: {printable(why, 160)}; wanted {wanted}") from None
