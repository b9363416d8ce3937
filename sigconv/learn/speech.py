"""Recordings with labels: found by name, decoded once, handed out as arrays."""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import SigconvError, SigconvWarning, among, hint, printable
from ..io import info
from . import decoding
from .commands import CORE, NOISE, twelve
from .finding import Found, find
from .items import Item, natural

if TYPE_CHECKING:
    from .splits import Split

__all__ = ["Batch", "Speech"]


class Batch(NamedTuple):
    """Clips of several lengths: `x` (b, n) float32, zeros after each end; `y`, `lengths`, `rows` int64: class, samples, which."""

    x: np.ndarray
    y: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray


class Speech:
    """The recordings of a folder, each with its label, and its speaker where that is known.

    `folder`: a folder for each label (`[train/]label/[speaker/]clip.wav`), names like `7_jackson_32.wav`, a CSV (or a folder
    that holds one) with a column for files and one for labels, or Google Speech Commands; `layout` ("folders", "names",
    "table", "commands") says which where it can't be seen. `pattern`: a regular expression on each path, with a group
    `(?P<label>…)`, at will `speaker`, `take` and `part`. `labels`: those to keep, in the order of their classes; others are
    left out, or go to "unknown" where that is among them. `classes`: of Speech Commands, 12 (ten words, unknown, silence),
    10, or 35 (all words there are). `seed`: which unknown words and silences.

    Names and headers are read at once, samples when they are asked for, and then kept decoded in `cache`: None is the
    user's cache folder, a path another, False none. `dtype`: float32, or float16 for half the room. Several channels are
    mixed to their mean. What is no sound, empty, or damaged is left out, told in one warning, and listed in `skipped`.

    >>> import tempfile, sigconv as sc
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("0_ann_0", "0_bob_0", "1_ann_0", "1_bob_0"):
    ...     sc.save(sc.Signal(np.ones((1, 80)), sc.line(80, 8000)), folder / f"{name}.wav")
    >>> data = Speech(folder, cache=False)
    >>> data
    <Speech 4 clips, 2 labels, 2 speakers, 8000 Hz>
    >>> x, y, lengths = data.arrays()
    >>> x.shape, y.tolist(), lengths.tolist()
    ((4, 80), [0, 0, 1, 1], [80, 80, 80, 80])

    Raises `SigconvError` for a folder that is not there, holds no recordings, or clips of one label alone.
    """

    folder: Path
    layout: str
    labels: tuple[str, ...]
    items: tuple[Item, ...]
    skipped: list[tuple[str, str]]

    def __init__(self, folder: str | Path, labels: Sequence[str] | None = None, layout: str | None = None, *,
                 pattern: str | None = None, classes: int | None = None, seed: int = 0,
                 cache: str | Path | bool | None = None, dtype: str = "float32"):
        among(dtype, ("float32", "float16"), "dtype")
        found = find(folder, layout, pattern)
        heads = _headed(found)
        if classes is not None:
            labels = _commands(found, heads, classes, seed, labels)
        items = _chosen(found.items, labels)
        self.folder, self.layout, self.skipped = found.folder, found.layout, found.skipped
        self.labels = tuple(labels) if labels else tuple(sorted({item.label for item in items}, key=natural))
        self.items = tuple(items)
        self._store = _Store(found.folder, self.items, dtype, decoding.place(cache))
        self._rows = np.arange(len(items))
        self._rates = np.array([heads[item.path][1] for item in items], np.int64)
        _enough(self, found, labels)
        _tell(self)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who speaks, sorted; empty where nothing is known of it."""
        return tuple(sorted({item.speaker for item in self.items} - {""}, key=natural))

    @property
    def rates(self) -> dict[int, int]:
        """{rate in Hz: how many clips are recorded at it}."""
        return dict(sorted(Counter(self._rates.tolist()).items()))

    @property
    def rate(self) -> int:
        """The rate in Hz that most clips have, the lower of two that are equally frequent."""
        return max(self.rates.items(), key=lambda one: (one[1], -one[0]))[0]

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

    def __repr__(self) -> str:
        speakers = f"{len(self.speakers)} speakers, " if self.speakers else ""
        return f"<Speech {len(self)} clips, {len(self.labels)} labels, {speakers}{'/'.join(map(str, self.rates)) or 'no'} Hz>"

    def only(self, chosen: Callable[[Item], bool] | Iterable[int]) -> Speech:
        """The clips that a function of an `Item` is true of, or of these indices; labels and their classes stay.

        What is decoded is shared with the whole.
        """
        if callable(chosen):
            at = [i for i, item in enumerate(self.items) if chosen(item)]
        else:
            at = [int(i) for i in chosen]
        part = copy.copy(self)
        part.items, part._rows, part._rates = tuple(self.items[i] for i in at), self._rows[at], self._rates[at]
        return part

    def split(self, how: str = "auto", *, seed: int = 0, valid: str | float | None = "auto") -> Split:
        """Train, validation and test clips; see `sigconv.learn.splits.split`."""
        from .splits import split

        return split(self, how, seed=seed, valid=valid)

    def folds(self, how: str | int = "leave-one-out", *, seed: int = 0, valid: str | float | None = "auto") -> tuple[Split, ...]:
        """One split for each speaker left out, or k of them; see `sigconv.learn.splits.folds`."""
        from .splits import folds

        return folds(self, how, seed=seed, valid=valid)

    def arrays(self, rate: int | None = None, length: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All clips: x float32 (n, longest) with zeros after each end, classes int64 (n,), lengths int64 (n,).

        `rate` in Hz: None is `rate`, which most clips have. Of clips longer than `length` samples the loudest stretch of that
        length stays. Clips that turn out damaged leave `items` and are told.
        """
        return self.batch(np.arange(len(self._whole(rate))), rate, length)[:3]

    def batches(self, size: int, rate: int | None = None, length: int | None = None, *,
                seed: int | None = None) -> Iterator[Batch]:
        """All clips, `size` at a time, each batch as long as its longest clip; shuffled where a seed is given."""
        if not isinstance(size, int) or size < 1:
            raise SigconvError(f"batches of {size!r} clips: wanted a whole number, at least 1")
        order = np.arange(len(self._whole(rate)))
        if seed is not None:
            order = np.random.default_rng(seed).permutation(order)
        for at in range(0, len(order), size):
            yield self.batch(order[at: at + size], rate, length)

    def batch(self, index: Any, rate: int | None = None, length: int | None = None) -> Batch:
        """The clips of these indices."""
        index = np.asarray(index, np.int64)
        pool = self._whole(rate)._store.pool(self.rate if rate is None else rate)
        clips = [_loudest(pool.clip(self._rows[i]), length) for i in index]
        lengths = np.array([len(clip) for clip in clips], np.int64)
        x = np.zeros((len(clips), int(lengths.max(initial=0)) if length is None else length), np.float32)
        for row, clip in zip(x, clips, strict=True):
            row[: len(clip)] = clip
        return Batch(x, self.targets[index], lengths, index)

    def _whole(self, rate: int | None) -> Speech:
        """Itself, decoded, without the clips that can't be."""
        if not len(self):
            return self
        pool = self._store.pool(self.rate if rate is None else _hertz(rate))
        if pool.bad:
            keep = [i for i, row in enumerate(self._rows) if row not in pool.bad]
            left = self.only(keep)
            self.items, self._rows, self._rates = left.items, left._rows, left._rates
            new = [(self._store.items[i].path, why) for i, why in pool.bad.items()]
            fresh = [one for one in new if one not in self.skipped]
            self.skipped.extend(fresh)
            if fresh:
                _tell(self, fresh)
        return self


class _Store:
    """The decoded clips of one scan, shared by all its parts."""

    def __init__(self, folder: Path, items: tuple[Item, ...], dtype: str, cache: Path | None):
        self.folder, self.items, self.dtype, self.cache = folder, items, dtype, cache
        self.pools: dict[int, decoding.Pool] = {}

    def pool(self, rate: int) -> decoding.Pool:
        if rate not in self.pools:
            self.pools[rate] = decoding.pooled(self.folder, self.items, rate, self.dtype, self.cache)
        return self.pools[rate]


def _headed(found: Found) -> dict[str, tuple[int, int]]:
    """{path: (samples, rate)} of what the headers tell; clips whose header can't be read are skipped."""
    heads: dict[str, tuple[int, int]] = {}
    bad: dict[str, str] = {}
    for path in dict.fromkeys(item.path for item in found.items):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SigconvWarning)
                told = info(found.folder / path)
            if told["kind"] != "sound":
                bad[path] = f"holds an {told['kind']}; wanted sound"
            elif told["frames"] == 0:
                bad[path] = "no samples in it"
            else:
                heads[path] = (told["frames"] or 0, int(told["rate"]))
        except SigconvError as why:
            bad[path] = printable(str(why).removeprefix(f"{found.folder / path}: "), 200)
    found.skipped += bad.items()
    found.items = [item for item in found.items if item.path in heads]
    return heads


def _commands(found: Found, heads: dict[str, tuple[int, int]], classes: int, seed: int, labels: Any) -> Sequence[str] | None:
    """Bring Speech Commands to so many classes; their labels."""
    if found.layout != "commands" or labels is not None or classes not in (10, 12, 35):
        raise SigconvError(f"classes {classes!r}: wanted 10, 12 or 35, of Speech Commands, without labels; elsewhere say labels=")
    if classes == 35:
        return None
    if classes == 10:
        return CORE
    noises = Found(found.folder, "commands", [Item(path, "silence") for path in found.sounds if NOISE in path])
    lengths = _headed(noises)
    found.skipped += noises.skipped or [] if noises.items else [(NOISE, "not there: no clips of silence")]
    heads.update(lengths)
    found.items = twelve(found.items, [(path, *told) for path, told in lengths.items()], seed=seed)
    return (*CORE, "unknown", "silence")


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
        from dataclasses import replace

        return [item if item.label in labels else replace(item, label="unknown") for item in items]
    return [item for item in items if item.label in labels]


def _enough(data: Speech, found: Found, labels: Any) -> None:
    """Refuse what nothing can be learned from."""
    where = printable(found.folder, 120)
    if not data.items:
        skipped = f"; {len(found.skipped)} files can't be taken, e.g. {': '.join(found.skipped[0])}" if found.skipped else ""
        raise SigconvError(f"{where}: no recordings{skipped}; wanted a folder for each label, names like 7_jackson_32.wav, or a "
                           "CSV with the columns file and label")
    if len(data.labels) < 2 and not labels:
        told = "one clip" if len(data) == 1 else f"{len(data)} clips, all"
        raise SigconvError(f"{where}: {told} of label {printable(data.labels[0], 60)!r}; wanted at least two labels (labels=[…] "
                           "names those of a trained net)")


def _tell(data: Speech, skipped: list[tuple[str, str]] | None = None) -> None:
    """One line for all that was left out."""
    skipped = data.skipped if skipped is None else skipped
    if skipped:
        (path, why), more = skipped[0], len(skipped) - 1
        rest = f", and {more} more (all in .skipped)" if more else ""
        warnings.warn(printable(f"{data.folder}: {more + 1} left out: {path}: {why}{rest}"), SigconvWarning, stacklevel=4)


def _loudest(clip: np.ndarray, length: int | None) -> np.ndarray:
    """The stretch of `length` samples with the most energy, the first of equal ones."""
    if length is None or len(clip) <= length:
        return clip
    energy = np.concatenate([[0.0], np.cumsum(np.square(clip, dtype=np.float64))])
    at = int(np.argmax(energy[length:] - energy[:-length]))
    return clip[at: at + length]


def _hertz(rate: Any) -> int:
    if isinstance(rate, bool) or not isinstance(rate, (int, np.integer)) or rate < 1:
        raise SigconvError(f"rate {rate!r}: wanted a whole number of Hz above 0")
    return int(rate)
