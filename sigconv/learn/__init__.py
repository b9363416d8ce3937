"""Small convnets on speech: recordings with labels, what is done to them, nets, and the loop that trains them.

Opens name by name: what needs torch waits for it only when it is used.

>>> import sigconv as sc
>>> sc.learn.oja(sc.load(sc.io.sample("speech")), 4, 32).value
(4,)
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Augment": "augmenting",
    "Images": "pictures",
    "Batch": "speech", "Speech": "speech",
    "Item": "items", "read_labels": "items", "write_labels": "items",
    "Split": "splits", "folds": "splits", "split": "splits",
    "fetch_commands": "commands",
    "dct_matches": "hebbian", "oja": "hebbian", "templates": "examples",
    "nonwords": "decoys",
    "coloured": "effects", "equalised": "effects", "noisy": "effects", "pitched": "effects", "reverberant": "effects",
    "sped": "effects", "tilted": "effects", "tract": "effects",
    "level": "leveling", "levelled": "leveling", "placed": "leveling", "trailing_level": "leveling", "trimmed": "leveling",
    "lengths_mask": "masking", "mask": "masking", "mixup": "masking",
    "Config": "config", "Net": "nets", "PRESETS": "presets", "Answer": "answers",
    "Recipe": "recipe", "TIPS": "recipe", "Run": "runs", "train": "training", "perceptron": "baselines",
    "Rates": "ranging", "lr_range": "ranging",
    "Report": "evaluating", "compare": "evaluating", "evaluate": "evaluating", "sweep": "evaluating",
    "FORMS": "exporting", "export": "exporting",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return list(__all__)
