"""Weights on the disk: one safetensors file, which holds numbers and words and nothing that could be run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from ..errors import SigconvError, printable
from ..writing import Outputs
from .config import Config

if TYPE_CHECKING:
    from .nets import Net

__all__ = ["FORMAT", "head_of", "load", "packed", "read", "save"]

FORMAT = "sigconv.net/1"


def save(net: Net, path: Any, overwrite: bool, notes: Mapping[str, Any]) -> None:
    """Write a net."""
    with Outputs(overwrite, durable=True) as out:
        out.open(path).write(packed(net.config, net.state_dict(), notes))


def packed(config: Config, tensors: Mapping[str, torch.Tensor], notes: Mapping[str, Any]) -> bytes:
    """The file's bytes: tensors, and in the metadata the config and notes as JSON."""
    from safetensors.torch import save as pack

    words = {"format": FORMAT, "net": json.dumps(config.table(), ensure_ascii=False)}
    words |= {key: json.dumps(value, ensure_ascii=False) for key, value in notes.items()}
    return pack({name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}, words)


def head_of(path: Any) -> dict[str, Any]:
    """The metadata of a file of ours, read and checked; the tensors stay on the disk."""
    shown = printable(os.fspath(path), 200)
    try:
        if os.path.lexists(path) and not os.path.isfile(path):  # noqa: PTH113
            raise SigconvError(f"{shown}: no plain file; wanted the weights of a net, e.g. run/best.safetensors")
        with open(path, "rb") as file:  # noqa: PTH123
            start = file.read(9)
    except OSError as why:
        raise SigconvError(f"{shown}: {why.strerror or why}; wanted the weights of a net, e.g. run/best.safetensors") from None
    # safetensors begin with eight bytes of length and a brace; the length may begin like a zip or a pickle does
    if start[8:] != b"{" and (start[:2] == b"PK" or start[:1] == b"\x80"):
        raise SigconvError(f"{shown}: a pickle, which could run anything; it is not opened; wanted weights as .safetensors")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            words = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as why:
        raise SigconvError(f"{shown}: no whole safetensors file ({printable(why, 120)}); wanted the weights of a net") from None
    if words.get("format") != FORMAT:
        raise SigconvError(f"{shown}: safetensors, but not of a net of ours (format {printable(words.get('format'), 40)}); "
                           f"wanted {FORMAT}")
    try:
        return {key: value if key == "format" else json.loads(value) for key, value in words.items()}
    except ValueError:
        raise SigconvError(f"{shown}: metadata that can't be read; wanted those that sigconv writes") from None


def read(path: Any) -> dict[str, torch.Tensor]:
    """The tensors of a file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as why:
        raise SigconvError(f"{printable(os.fspath(path), 200)}: {printable(why, 160)}; wanted whole weights") from None


def load(cls: type[Net], path: Any) -> Net:
    """A net from its file."""
    from pathlib import Path

    path = Path(path) / "best.safetensors" if Path(path).is_dir() else path
    words, shown = head_of(path), printable(os.fspath(path), 200)
    tensors = {name.removeprefix("net."): t for name, t in read(path).items() if not name.startswith(("average.", "optimizer."))}
    try:
        net = cls(Config.read(words["net"]))
        net.load_state_dict(tensors)
        if bad := [name for name, t in tensors.items() if not torch.isfinite(t).all()]:
            raise SigconvError(f"{printable(bad[0], 80)} holds NaN or infinity; wanted finite weights")
    except SigconvError as why:
        raise SigconvError(f"{shown}: {why}") from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as why:
        raise SigconvError(f"{shown}: weights and config do not fit ({printable(why, 160)}); wanted a file that sigconv "
                           f"wrote") from None
    return net.eval()
