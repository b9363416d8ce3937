"""Recordings with labels: found by name, decoded once, handed out as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import SigconvError, among
from . import decoding
from .commands import CORE, NOISE, twelve
from .finding import Found, find
from .items import Item
from .labelled import Labelled, headed, tell

__all__ = ["Batch", "Speech"]


class Batch(NamedTuple):
    """Clips of several lengths: `x` (b, n) float32, zeros after each end; `y`, `lengths`, `rows` int64: class, samples, which."""

    x: np.ndarray
    y: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray


class Speech(Labelled):
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

    def __init__(self, folder: str | Path, labels: Sequence[str] | None = None, layout: str | None = None, *,
                 pattern: str | None = None, classes: int | None = None, seed: int = 0,
                 cache: str | Path | bool | None = None, dtype: str = "float32"):
        among(dtype, ("float32", "float16"), "dtype")
        found = find(folder, layout, pattern)
        heads = headed(found)
        if classes is not None:
            labels = _commands(found, heads, classes, seed, labels)
        self._found(found, labels, "recordings")
        rates = np.array([heads[item.path]["rate"] for item in self.items], np.int64)
        self._store = _Store(found.folder, self.items, rates, dtype, decoding.place(cache))

    @property
    def rates(self) -> dict[int, int]:
        """{rate in Hz: how many clips are recorded at it}."""
        return dict(sorted(Counter(self._store.rates[self._rows].tolist()).items()))

    @property
    def rate(self) -> int:
        """The rate in Hz that most clips of the whole set have, whatever part this is; the lower of two equally frequent ones."""
        found, counts = np.unique(self._store.rates, return_counts=True)
        return int(found[counts.argmax()])

    def __repr__(self) -> str:
        speakers = f"{len(self.speakers)} speakers, " if self.speakers else ""
        return f"<Speech {len(self)} clips, {len(self.labels)} labels, {speakers}{'/'.join(map(str, self.rates)) or 'no'} Hz>"

    def arrays(self, rate: int | None = None, length: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All clips: x float32 (n, longest) with zeros after each end, classes int64 (n,), lengths int64 (n,).

        `rate` in Hz: None is `rate`, which most clips have. Of clips longer than `length` samples the loudest stretch of that
        length stays. Clips that turn out damaged leave `items` and are told.
        """
        return self.batch(np.arange(len(self.whole(rate))), rate, length)[:3]

    def batches(self, size: int, rate: int | None = None, length: int | None = None, *,
                seed: int | None = None) -> Iterator[Batch]:
        """All clips, `size` at a time, each batch as long as its longest clip; shuffled where a seed is given."""
        if not isinstance(size, int) or size < 1:
            raise SigconvError(f"batches of {size!r} clips: wanted a whole number, at least 1")
        rate = self.rate if rate is None else rate
        order = np.arange(len(self.whole(rate)))
        if seed is not None:
            order = np.random.default_rng(seed).permutation(order)
        for at in range(0, len(order), size):
            yield self.batch(order[at: at + size], rate, length)

    def batch(self, index: Any, rate: int | None = None, length: int | None = None) -> Batch:
        """The clips of these indices."""
        index = np.asarray(index, np.int64)
        pool = self.whole(rate)._store.pool(self.rate if rate is None else rate)
        clips = [_loudest(pool.clip(self._rows[i]), length) for i in index]
        lengths = np.array([len(clip) for clip in clips], np.int64)
        x = np.zeros((len(clips), int(lengths.max(initial=0)) if length is None else length), np.float32)
        for row, clip in zip(x, clips, strict=True):
            row[: len(clip)] = clip
        at = {label: i for i, label in enumerate(self.labels)}
        return Batch(x, np.array([at[self.items[i].label] for i in index], np.int64), lengths, index)

    def whole(self, rate: int | None = None) -> Speech:
        """Itself, decoded at a rate, without the clips that turn out damaged: these leave `items` and are told."""
        pool = self._store.pool(self.rate if rate is None else _hertz(rate))
        if pool.bad and np.isin(self._rows, list(pool.bad)).any():
            keep = [i for i, row in enumerate(self._rows) if row not in pool.bad]
            left = self.only(keep)
            self.items, self._rows = left.items, left._rows
            new = [(self._store.items[i].path, why) for i, why in pool.bad.items()]
            fresh = [one for one in new if one not in self.skipped]
            self.skipped.extend(fresh)
            if fresh:
                tell(self, fresh)
        return self


class _Store:
    """The decoded clips of one scan, shared by all its parts."""

    def __init__(self, folder: Path, items: tuple[Item, ...], rates: np.ndarray, dtype: str, cache: Path | None):
        self.folder, self.items, self.rates, self.dtype, self.cache = folder, items, rates, dtype, cache
        self.pools: dict[int, decoding.Pool] = {}

    def pool(self, rate: int) -> decoding.Pool:
        if rate not in self.pools:
            self.pools[rate] = decoding.pooled(self.folder, self.items, rate, self.dtype, self.cache)
        return self.pools[rate]


def _commands(found: Found, heads: dict[str, Any], classes: int, seed: int, labels: Any) -> Sequence[str] | None:
    """Bring Speech Commands to so many classes; their labels."""
    if found.layout != "commands" or labels is not None or classes not in (10, 12, 35):
        raise SigconvError(f"classes {classes!r}: wanted 10, 12 or 35, of Speech Commands, without labels; elsewhere say labels=")
    if classes == 35:
        return None
    if classes == 10:
        return CORE
    noises = Found(found.folder, "commands", [Item(path, "silence") for path in found.sounds if NOISE in path])
    lengths = headed(noises)
    found.skipped += noises.skipped or [] if noises.items else [(NOISE, "not there: no clips of silence")]
    heads.update(lengths)
    found.items = twelve(found.items, [(path, told["frames"] or 0, told["rate"]) for path, told in lengths.items()], seed=seed)
    return (*CORE, "unknown", "silence")


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
