"""Which files a run over folders takes, which of them a shard does, and what the results are called."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Found", "gathered", "mine", "shard_of", "targets"]


@dataclass(frozen=True)
class Found:
    """A file, and its path in the folder that was named, which its results keep."""

    path: str
    inside: str


def gathered(names: Iterable[str]) -> list[Found]:
    """The files that arguments name: of folders all below them, of patterns what they match; each once."""
    from glob import glob, has_magic

    found: dict[str, Found] = {}
    for name in names:
        there = os.path.lexists(name)
        for one in [name] if there or not has_magic(name) else sorted(glob(name, recursive=True)) or [name]:  # noqa: PTH207
            for path, inside in _below(one) if Path(one).is_dir() else [(one, Path(one).name)]:
                found.setdefault(os.path.realpath(path), Found(path, inside))
    return list(found.values())


def _below(folder: str) -> Iterable[tuple[str, str]]:
    """The sounds, images and arrays in a folder and all folders in it; hidden ones and links to folders are left out."""
    from sigconv.specs import SUFFIXES

    wanted = tuple(suffix for suffix in SUFFIXES if suffix not in (".json", ".csv"))
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(wanted) and not name.startswith("."):
                path = Path(place, name)
                yield str(path), path.relative_to(folder).as_posix()


def shard_of(text: str) -> tuple[int, int]:
    """`"2/5"` as (2, 5): the second of five."""
    from sigconv.errors import UsageError

    first, slash, second = text.partition("/")
    if slash and first.isascii() and second.isascii() and first.isdigit() and second.isdigit() and len(text) < 20 \
            and 1 <= int(first) <= int(second):
        return int(first), int(second)
    raise UsageError(f"--shard {text!r}: wanted i/n, e.g. 1/4, 2/4, 3/4, 4/4")


def mine(inside: str, shard: tuple[int, int]) -> bool:
    """Whether a shard does a file: by its path in the folder alone, the same on every machine."""
    from hashlib import sha256

    return int.from_bytes(sha256(os.fsencode(inside)).digest()[:8], "big") % shard[1] == shard[0] - 1


def targets(found: Sequence[Found], slugs: Sequence[str]) -> dict[tuple[str, int], str]:
    """{(path, number of the kernel): where the result goes, without suffix}; no two of them the same."""
    from collections import Counter

    from .places import LONGEST, cut

    wanted: dict[tuple[str, int], tuple[str, str]] = {}
    for one in found:
        for i, slug in enumerate(slugs):
            stem, suffix = os.path.splitext(one.inside)  # noqa: PTH122 (no Path: names may end in a dot)
            head, _, name = stem.rpartition("/")
            wanted[one.path, i] = tuple(f"{head}/{cut(n, LONGEST - len(os.fsencode(slug)))}.{slug}".lstrip("/")  # type: ignore[assignment]
                                        for n in (name, f"{name}-{suffix[1:]}"))
    once = {short for short, count in Counter(short for short, _ in wanted.values()).items() if count == 1}
    taken, given = set(once), {}
    for key, (short, long) in wanted.items():
        name, number = (short if short in once else long), 1
        while short not in once and name in taken:
            number += 1
            name = f"{long}-{number}"
        taken.add(name)
        given[key] = name
    return given
