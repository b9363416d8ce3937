"""Clips decoded once: mono, at one rate, one after another in a cache that any number of processes share.

An entry is two files, the samples (`.npy`, one row) and an index (`.json`: where each clip begins, what could not be
decoded, a checksum of the samples). Its name is a hash of all that decides its content: each file's path, size and time of
change, the rate, the type, and the version of this code. So writers of one name write the same bytes, each beside and
moved into place, and readers need no lock; what does not fit its checksum is made again.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import SigconvError, SigconvWarning, printable
from ..io import load
from ..resampling import resample
from .items import Item

__all__ = ["Pool", "decoded", "place", "pooled"]

VERSION = 1  # of what is kept: to be raised with any change of what a sample of it is
BROKEN = ("claims", "cut off", "damaged")  # words of the warnings that say: this is not the whole clip
CHUNK = 1 << 22


@dataclass(frozen=True)
class Pool:
    """All clips in one row: clip i is ``samples[begins[i]: begins[i + 1]]``; `bad` says why one is empty."""

    samples: np.ndarray
    begins: np.ndarray
    bad: dict[int, str]

    def clip(self, i: int) -> np.ndarray:
        return self.samples[self.begins[i]: self.begins[i + 1]]


def place(cache: str | Path | bool | None) -> Path | None:
    """The folder that is meant; None is $SIGCONV_CLIPS or `sigconv/clips` in the user's cache folder, False none."""
    if cache is False:
        return None
    if cache is None or cache is True:
        told = os.environ.get("SIGCONV_CLIPS")
        return Path(told or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "sigconv", "clips"))
    return Path(cache)


def decoded(path: Path, rate: int, start: int | None = None, stop: int | None = None) -> np.ndarray:
    """A clip as one row of float32 at a rate; of several channels their mean. Raises `SigconvError` unless it is whole."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        x = _file(path) if start is not None or stop is not None else load(path)
    for entry in said:
        if any(word in str(entry.message) for word in BROKEN):
            raise SigconvError(str(entry.message))
    if x.domain.unit != ("s",):
        raise SigconvError(f"{printable(path)}: no sound; wanted a recording")
    if start is not None or stop is not None:
        x = x.between(float((start or 0) * x.domain.step[0]), float((stop or x.domain.shape[0]) * x.domain.step[0]))
    mono = x.data.mean(axis=tuple(range(x.data.ndim - 1)), keepdims=True) if x.data.ndim > 1 and x.data.shape[0] != 1 else x.data
    return resample(type(x)(mono, x.domain), rate).data.reshape(-1).astype(np.float32, copy=False)


@lru_cache(maxsize=4)
def _file(path: Path) -> Any:
    """The long recordings that several clips are cut from."""
    return load(path)


def pooled(folder: Path, items: Sequence[Item], rate: int, dtype: str, cache: Path | None) -> Pool:
    """The clips of a folder at a rate, from the cache, or decoded and kept there."""
    if cache is None:
        parts, bad = _apart(_all(folder, items, rate), dtype)
        return Pool(np.concatenate([np.zeros(0, dtype), *parts]), _begins([len(part) for part in parts]), bad)
    name = _name(folder, items, rate, dtype)
    found = _kept(cache, name, len(items), dtype)
    if found is None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _keep(cache, name, _all(folder, items, rate), dtype)
            found = _kept(cache, name, len(items), dtype)
        except OSError as why:
            warnings.warn(f"{printable(cache)}: clips can't be kept there ({printable(why.strerror or why, 80)}); "
                          "decoded for this process alone; cache=FOLDER names another place", SigconvWarning, stacklevel=4)
    return found or pooled(folder, items, rate, dtype, None)


def _all(folder: Path, items: Sequence[Item], rate: int) -> Iterator[np.ndarray | str]:
    """Each clip, or why there is none."""
    _file.cache_clear()
    for item in items:
        try:
            yield decoded(folder / item.path, rate, item.start, item.stop)
        except SigconvError as why:
            yield printable(str(why).removeprefix(f"{folder / item.path}: "), 200)
    _file.cache_clear()


def _apart(clips: Iterator[np.ndarray | str], dtype: str) -> tuple[list[np.ndarray], dict[int, str]]:
    parts, bad = [], {}
    for i, clip in enumerate(clips):
        if isinstance(clip, str):
            bad[i] = clip
        parts.append(np.zeros(0, dtype) if isinstance(clip, str) else clip.astype(dtype))
    return parts, bad


def _begins(lengths: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, np.int64))]).astype(np.int64)


def _name(folder: Path, items: Sequence[Item], rate: int, dtype: str) -> str:
    def facts(item: Item) -> tuple[Any, ...]:
        try:
            now = (folder / item.path).stat()
            return item.path, now.st_size, now.st_mtime_ns, item.start, item.stop
        except OSError:
            return item.path, -1, -1, item.start, item.stop

    told = json.dumps([VERSION, rate, dtype, str(folder), [facts(item) for item in items]])
    return sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _kept(cache: Path, name: str, count: int, dtype: str) -> Pool | None:
    """What is kept under a name; None where nothing is, or what is there is not whole."""
    try:
        index = json.loads((cache / f"{name}.json").read_text(encoding="utf-8"))
        begins = np.asarray(index["begins"], np.int64)
        samples = np.load(cache / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        if samples.dtype != dtype or samples.shape != (begins[-1],) or len(begins) != count + 1 or (np.diff(begins) < 0).any():
            return None
        crc = 0
        for at in range(0, len(samples), CHUNK):
            crc = zlib.crc32(samples[at: at + CHUNK], crc)
        return Pool(samples, begins, {int(i): str(why) for i, why in index["bad"].items()}) if crc == index["crc"] else None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError):
        return None


def _keep(cache: Path, name: str, clips: Iterator[np.ndarray | str], dtype: str) -> None:
    """Write an entry as the clips come, so that memory does not grow with their number."""
    ending = f"{os.getpid()}-{threading.get_ident()}"
    samples, index = cache / f".{name}.npy.{ending}", cache / f".{name}.json.{ending}"
    lengths: list[int] = []
    bad, crc = {}, 0
    try:
        with samples.open("wb") as file:
            _header(file, 0, dtype)
            for i, clip in enumerate(clips):
                if isinstance(clip, str):
                    bad[i] = clip
                row = np.zeros(0, dtype) if isinstance(clip, str) else clip.astype(dtype)
                lengths.append(len(row))
                crc = zlib.crc32(row, crc)
                file.write(row.tobytes())
            _header(file, sum(lengths), dtype)
        index.write_text(json.dumps({"crc": crc, "bad": bad, "begins": _begins(lengths).tolist()}), encoding="utf-8")
        samples.replace(cache / f"{name}.npy")
        index.replace(cache / f"{name}.json")
    finally:
        samples.unlink(missing_ok=True)
        index.unlink(missing_ok=True)


def _header(file: BinaryIO, n: int, dtype: str) -> None:
    """NumPy's header of one row; it leaves room for the number to grow, so that it can be written again at the end."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (n,)})
