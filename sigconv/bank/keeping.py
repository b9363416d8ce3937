"""Banks on the disk: tensors in a safetensors file, the configuration as JSON in its metadata. Nothing that is read is run."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from typing import Any

import numpy as np

from .. import arrays, tensorfiles
from ..domain import Domain
from ..errors import SigconvError, UsageError, printable
from ..kernels.banking import Range, find_bank
from ..signal import Signal
from ..writing import Outputs
from .sources import Source, _given

__all__ = ["load", "save"]

KEY, VERSION, WANTED = "sigconv.bank", 1, "a file that Bank.save wrote"


def save(bank: Any, path: Any, overwrite: bool) -> None:
    """Write a bank."""
    import torch
    from safetensors.torch import save as written

    source, tensors = bank._source, {}
    for name, p in bank.learned.items():
        tensors[f"learned.{name}"] = p.detach().cpu().contiguous()
    if bank.bias is not None:
        tensors["bias"] = bank.bias.detach().cpu().contiguous()
    for name, value in source.values.items():
        tensors[f"start.{name}"] = _stored(value)
    for i, (k, _) in enumerate(bank._also):
        tensors[f"also.{i}"] = _stored(k.data)
    made = bank._source.make(source.values) if source.name == "taps" else []
    given = [(made, 1)] if isinstance(made, Signal) else made
    config = {
        "version": VERSION, "family": source.name, "registered": source.registered, "options": source.options,
        "like": _grid(source.like), "stride": bank.stride, "dilation": bank.dilation, "mode": bank.mode,
        "padding_mode": bank.padding_mode, "zero_mean": bank.zero_mean, "bias": bank.bias is not None,
        "learn": list(bank.learned), "ranges": {n: [r.low, r.high, r.unit] for n, r in bank._ranges.items()},
        "lone": isinstance(made, Signal), "given": [[_grid(k.domain), k.names, s] for k, s in given],
        "also": [[_grid(k.domain), k.channels, s] for k, s in bank._also],
        "complex": [n for n, v in source.values.items() if np.iscomplexobj(v)] + [
            f"also.{i}" for i, (k, _) in enumerate(bank._also) if arrays.is_complex(k.data)],
    }
    try:
        text = json.dumps(config)
    except (TypeError, ValueError):
        raise UsageError(f"a bank of {source.name} with options that are no numbers or words: it can't be saved") from None
    if bad := [name for name, t in tensors.items() if not torch.isfinite(t).all()]:
        raise SigconvError(f"a bank whose {bad[0].partition('.')[2] or bad[0]} holds NaN or infinity: wanted finite numbers")
    with Outputs(overwrite) as out:
        out.open(path).write(written(tensors, {KEY: text}))


def load(kind: Any, path: Any, function: Any) -> Any:
    """The bank that a file holds."""
    config, tensors, name = _read(path)
    try:
        return _made(kind, config, tensors, function, name)
    except SigconvError as why:
        raise SigconvError(str(why) if str(why).startswith(name) else f"{name}: {why}") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError, ZeroDivisionError, OverflowError):
        raise SigconvError(f"{name}: a bank whose parts do not belong together; wanted a file as Bank.save wrote it") from None


def _read(path: Any) -> tuple[dict[str, Any], dict[str, Any], str]:
    text = tensorfiles.words(path, WANTED).get(KEY)
    name = printable(os.fspath(path), 300)
    try:
        config = json.loads(text) if text else None
    except (ValueError, RecursionError):
        raise SigconvError(f"{name}: a bank whose configuration can't be read; wanted {WANTED}") from None
    if not isinstance(config, dict) or config.get("version") != VERSION:
        raise SigconvError(f"{name}: no bank of version {VERSION} in it; wanted {WANTED}")
    return config, tensorfiles.tensors(path, WANTED), name


def _made(kind: Any, config: dict[str, Any], tensors: dict[str, Any], function: Any, name: str) -> Any:
    source = _source(config, tensors, function, name)
    bank = kind(source, stride=tuple(config["stride"]), dilation=tuple(config["dilation"]), mode=config["mode"],
                padding_mode=config["padding_mode"], zero_mean=config["zero_mean"], bias=config["bias"],
                learn=tuple(config["learn"]), ranges={n: Range(*r) for n, r in config["ranges"].items()})
    bank._also = [(Signal(_restored(config, tensors, f"also.{i}"), _domain(grid), names), tuple(stride))
                  for i, (grid, names, stride) in enumerate(config["also"])]
    for p in bank.learned:
        bank.learned[p].data = tensors[f"learned.{p}"].reshape(bank.learned[p].shape)
    if bank.bias is not None:
        bank.bias.data = tensors["bias"].reshape(bank.bias.shape)
    bank._pairs(bank._values(False))
    return bank


def _source(config: dict[str, Any], tensors: dict[str, Any], function: Any, name: str) -> Source:
    values = {key.removeprefix("start."): _restored(config, tensors, key) for key in tensors if key.startswith("start.")}
    like, family = _domain(config["like"]), config["family"]
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in config["options"].items()}
    if family == "taps" and not config["registered"]:
        given = [(Signal(values[f"taps{i}"], _domain(grid), names), stride if isinstance(stride, int) else tuple(stride))
                 for i, (grid, names, stride) in enumerate(config["given"])]
        return _given(given[0][0] if config["lone"] else given, like, {})
    if config["registered"]:
        known = find_bank(family)
        if known is None:
            raise SigconvError(f"{name}: a bank of the family {printable(family, 60)!r}, which is not known here; wanted a newer "
                               "sigconv")
        return Source(known.name, like, known.function, values, options, {}, True)
    if not callable(function):
        raise SigconvError(f"{name}: a bank of a function called {printable(family, 60)!r}; wanted it too, "
                           "Bank.load(path, function)")
    return Source(family, like, function, values, options)


def _stored(value: Any) -> Any:
    import torch

    t = torch.from_numpy(np.array(arrays.to_numpy(value)))
    return (torch.view_as_real(t) if t.is_complex() else t).contiguous()


def _restored(config: dict[str, Any], tensors: dict[str, Any], key: str) -> np.ndarray:
    import torch

    t = tensors[key]
    return arrays.to_numpy(torch.view_as_complex(t.contiguous()) if key.removeprefix("start.") in config["complex"] else t)


def _grid(d: Domain) -> dict[str, Any]:
    return {"shape": d.shape, "step": [str(Fraction(s)) for s in d.step], "start": [str(Fraction(s)) for s in d.start],
            "unit": d.unit, "name": d.name}


def _domain(saved: dict[str, Any]) -> Domain:
    return Domain(tuple(map(int, saved["shape"])), tuple(map(Fraction, saved["step"])), tuple(map(Fraction, saved["start"])),
                  tuple(map(str, saved["unit"])), tuple(map(str, saved["name"])))
