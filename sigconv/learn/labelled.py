"""Files with labels: what recordings and images to learn from have in common."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..errors import SigconvError, SigconvWarning, hint, printable
from ..io import info
from .finding import Found
from .items import Item, natural

if TYPE_CHECKING:
    from .splits import Split

__all__ = ["Labelled", "headed", "tell"]


class Labelled:
    """Items with labels, of which parts can be taken; `skipped` holds the files that are none, each with the reason."""

    folder: Path
    layout: str
    labels: tuple[str, ...]
    items: tuple[Item, ...]
    skipped: list[tuple[str, str]]
    _rows: np.ndarray  # where each item stands in the whole

    def _found(self, found: Found, labels: Sequence[str] | None, what: str) -> None:
        """Take what was found, of these labels."""
        items = _chosen(found.items, labels)
        self.folder, self.layout, self.skipped = found.folder, found.layout, found.skipped
        self.labels = tuple(labels) if labels else tuple(sorted({item.label for item in items}, key=natural))
        self.items, self._rows = tuple(items), np.arange(len(items))
        _enough(self, labels, what)
        tell(self, self.skipped)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who speaks, sorted; empty where nothing is known of it."""
        return tuple(sorted({item.speaker for item in self.items} - {""}, key=natural))

    @property
    def targets(self) -> np.ndarray:
        """The class of each clip, int64 (n,)."""
        at = {label: i for i, label in enumerate(self.labels)}
        return np.array([at[item.label] for item in self.items], np.int64)

    @property
    def counts(self) -> dict[str, int]:
        """{label: how many clips}."""
        return dict(zip(self.labels, np.bincount(self.targets, minlength=len(self.labels)).tolist(), strict=True))

    def weights(self) -> np.ndarray:
        """What makes classes count the same, float32: clips / (classes · clips of this one); 0 for a class without clips."""
        counts = np.array(list(self.counts.values()), float)
        there = counts > 0
        return np.where(there, counts.sum() / (max(there.sum(), 1) * np.maximum(counts, 1)), 0).astype(np.float32)

    def __len__(self) -> int:
        return len(self.items)

    def only(self, chosen: Callable[[Item], bool] | Iterable[int]) -> Self:
        """The clips that a function of an `Item` is true of, or of these indices; labels and their classes stay.

        What is decoded is shared with the whole.
        """
        if callable(chosen):
            at = [i for i, item in enumerate(self.items) if chosen(item)]
        else:
            at = [int(i) for i in chosen]
        part = copy.copy(self)
        part.items, part._rows = tuple(self.items[i] for i in at), self._rows[at]
        return part

    def split(self, how: str = "auto", *, seed: int = 0, valid: str | float | None = "auto") -> Split[Self]:
        """Train, validation and test clips; see `sigconv.learn.splits.split`."""
        from .splits import split

        return split(self, how, seed=seed, valid=valid)

    def folds(self, how: str | int = "leave-one-out", *, seed: int = 0,
              valid: str | float | None = "auto") -> tuple[Split[Self], ...]:
        """One split for each speaker left out, or k of them; see `sigconv.learn.splits.folds`."""
        from .splits import folds

        return folds(self, how, seed=seed, valid=valid)


def headed(found: Found, kind: str = "sound") -> dict[str, Any]:
    """What the headers tell of each path; what has none, or is of another kind, is skipped."""
    heads: dict[str, Any] = {}
    bad: dict[str, str] = {}
    for path in dict.fromkeys(item.path for item in found.items):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SigconvWarning)
                told = info(found.folder / path)
            if told["kind"] != kind:
                bad[path] = f"it holds {told['kind']}; wanted {kind}"
            elif told.get("frames", 1) == 0:
                bad[path] = "no samples in it"
            else:
                heads[path] = told
        except SigconvError as why:
            bad[path] = printable(str(why).removeprefix(f"{found.folder / path}: "), 200)
    found.skipped += bad.items()
    found.items = [item for item in found.items if item.path in heads]
    return heads


def _chosen(items: list[Item], labels: Sequence[str] | None) -> list[Item]:
    if labels is None:
        return items
    if isinstance(labels, str) or not labels or len(set(labels)) != len(labels):
        raise SigconvError(f"labels {printable(labels, 80)!r}: wanted a list of names, none twice")
    there = sorted({item.label for item in items}, key=natural)
    if not set(labels) & set(there):
        raise SigconvError(f"labels {printable(', '.join(labels), 80)}: none of them is here; here are "
                           f"{printable(', '.join(there), 200)}{hint(labels[0], there)}")
    if "unknown" in labels:
        return [item if item.label in labels else replace(item, label="unknown") for item in items]
    return [item for item in items if item.label in labels]


def _enough(data: Labelled, labels: Any, what: str) -> None:
    """Refuse what nothing can be learned from."""
    where = printable(data.folder, 120)
    if not data.items:
        skipped = f"; {len(data.skipped)} files can't be taken, e.g. {': '.join(data.skipped[0])}" if data.skipped else ""
        raise SigconvError(f"{where}: no {what}{skipped}; wanted a folder for each label, names like 7_jackson_32.wav, or a CSV "
                           "with the columns file and label")
    if len(data.labels) < 2 and not labels:
        told = "one file" if len(data) == 1 else f"{len(data)} files, all"
        raise SigconvError(f"{where}: {told} of label {printable(data.labels[0], 60)!r}; wanted at least two labels (labels=[…] "
                           "names those of a trained net)")


def tell(data: Labelled, skipped: list[tuple[str, str]]) -> None:
    """One line for all that was left out."""
    if skipped:
        (path, why), more = skipped[0], len(skipped) - 1
        rest = f", and {more} more (all in .skipped)" if more else ""
        warnings.warn(printable(f"{data.folder}: {more + 1} left out: {path}: {why}{rest}"), SigconvWarning, stacklevel=4)
