"""Weights on the disk: one safetensors file, which holds numbers and words and nothing that could be run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from .. import tensorfiles
from ..errors import SigconvError, printable
from ..writing import Outputs
from .config import Config

if TYPE_CHECKING:
    from .nets import Net

__all__ = ["FORMAT", "head_of", "load", "packed", "read", "save"]

FORMAT = "sigconv.net/1"
WANTED = "the weights of a net, e.g. run/best.safetensors"


def save(net: Net, path: Any, overwrite: bool, notes: Mapping[str, Any]) -> None:
    """Write a net."""
    with Outputs(overwrite, durable=True) as out:
        out.open(path).write(packed(net.config, net.state_dict(), notes))


def packed(config: Config, weights: Mapping[str, torch.Tensor], notes: Mapping[str, Any]) -> bytes:
    """The file's bytes: weights, and in the metadata the config and notes as JSON."""
    from safetensors.torch import save as pack

    head = {"format": FORMAT, "net": json.dumps(config.table(), ensure_ascii=False)}
    head |= {key: json.dumps(value, ensure_ascii=False) for key, value in notes.items()}
    return pack({name: t.detach().cpu().contiguous().clone() for name, t in weights.items()}, head)


def head_of(path: Any) -> dict[str, Any]:
    """The metadata of a file of ours, read and checked; the tensors stay on the disk."""
    found, shown = tensorfiles.words(path, WANTED), printable(os.fspath(path), 200)
    if found.get("format") != FORMAT:
        raise SigconvError(f"{shown}: safetensors, but not of a net of ours (format {printable(found.get('format'), 40)}); "
                           f"wanted {FORMAT}")
    try:
        return {key: value if key == "format" else json.loads(value) for key, value in found.items()}
    except ValueError:
        raise SigconvError(f"{shown}: metadata that can't be read; wanted those that sigconv writes") from None


def read(path: Any) -> dict[str, torch.Tensor]:
    """The tensors of a file."""
    return tensorfiles.tensors(path, WANTED)


def load(cls: type[Net], path: Any) -> Net:
    """A net from its file."""
    from pathlib import Path

    path = Path(path) / "best.safetensors" if Path(path).is_dir() else path
    head, shown = head_of(path), printable(os.fspath(path), 200)
    weights = {name.removeprefix("net."): t for name, t in read(path).items() if not name.startswith(("average.", "optimizer."))}
    try:
        net = cls(Config.read(head["net"]))
        net.load_state_dict(weights)
        if bad := [name for name, t in weights.items() if not torch.isfinite(t).all()]:
            raise SigconvError(f"{printable(bad[0], 80)} holds NaN or infinity; wanted finite weights")
    except SigconvError as why:
        raise SigconvError(f"{shown}: {why}") from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as why:
        raise SigconvError(f"{shown}: weights and config do not fit ({printable(why, 160)}); wanted a file that sigconv "
                           f"wrote") from None
    return net.eval()
