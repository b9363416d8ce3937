"""What a run was asked for: clips told apart, and a net and a recipe of a name and options."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SigconvError, SigconvWarning, UsageError, among, hint, printable
from . import presets
from .config import QUESTIONS, Config
from .recipe import Recipe
from .speech import Speech

if TYPE_CHECKING:
    from .splits import Split

__all__ = ["resolved", "split_of"]



def split_of(data: Any, how: str, seed: int) -> Split:
    if isinstance(data, (str, Path)):
        data = Speech(data)
    return data.split(how, seed=seed) if isinstance(data, Speech) else data


def resolved(preset: str | Config | None, data: Speech, options: Mapping[str, Any]) -> tuple[Config, Recipe]:
    """The net and the recipe of a preset's name (or a config) and options of either."""
    if not len(data):
        raise SigconvError("no clips to learn from: wanted some on the training side")
    silent = [label for label, count in data.counts.items() if not count]
    if len(data.labels) - len(silent) < 2:
        alone = printable(data.items[0].label, 60)
        raise SigconvError(f"clips of one label alone, {alone!r}: wanted some of two on the training side")
    if silent:
        warnings.warn(f"no clip of {printable(', '.join(silent), 120)} to learn from: a net answers that hardly ever",
                      SigconvWarning, stacklevel=4)
    words = {f.name for f in fields(Recipe)}
    mine = {k: v for k, v in options.items() if k in words}
    rest = {k: v for k, v in options.items() if k not in words}
    if "labels" in rest:
        raise UsageError("option 'labels': the clips say which there are; for some of them wanted Speech(folder, labels), "
                         "--labels")
    heads = rest.get("heads", ())
    if not isinstance(heads, Mapping):
        names = heads.split(",") if isinstance(heads, str) else list(heads)
        for name in names:
            among(name, ("label", *QUESTIONS), "heads")
        rest["heads"] = {name: tuple(sorted({getattr(item, name) for item in data.items})) for name in names if name != "label"}
    if isinstance(preset, Config):
        if unknown := set(rest) - set(Config.__dataclass_fields__):
            raise UsageError(f"option {sorted(unknown)[0]!r}: wanted one of the recipe or of Config")
        return preset.but(labels=data.labels, **{k: v for k, v in rest.items() if v or k != "heads"}), Recipe.read(mine)
    name = preset or presets.DEFAULT
    made, _ = presets.known(name)
    known = {*words, *(made.__kwdefaults__ or {}), *Config.__dataclass_fields__}
    for word in rest:
        if word not in known:
            raise UsageError(f"option {printable(word, 60)!r}: wanted one of the recipe or of preset {name}: "
                             f"{', '.join(sorted(known))}"
                             + hint(word, known))
    rest.setdefault("rate", min(data.rate, 8000))  # words are told apart below 4 kHz as well as with more
    return presets.preset(name, data.labels, **rest), Recipe.read(mine)
