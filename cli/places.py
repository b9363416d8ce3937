"""Where results go: names that say what they are, never over something that is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sigconv.errors import SigconvError, UsageError

__all__ = ["LONGEST", "Places", "cut", "places", "ready"]

SOUND = ".wav"
SOUNDS = (".wav", ".flac", ".ogg", ".aiff", ".aif", ".caf", ".au", ".mp3", ".opus", ".w64", ".rf64")
LONGEST = 240  # bytes of a name: 255, less a suffix, a number and the dots between
PICTURE = {"sound": None, "image": ".png", "video": ".gif", "volume": ".npz", "array": ".npz"}


@dataclass(frozen=True, slots=True)
class Places:
    """Paths of one file's results: a sound and, where the file is none, the filtered thing, for each kernel; one page."""

    sounds: tuple[Path | None, ...]
    things: tuple[Path | None, ...]
    page: Path | None


def places(stem: str, slugs: list[str], kind: str, output: str | None, several: bool, taken: set[Path]) -> Places:
    """Where the results of one file and these kernels go.

    Without `output`: `./STEM.KERNEL.wav` and `.html`, with the next free number where one of them is there. With it:
    that file (and its page beside it), or for several kernels or files a folder. `taken`: what this run has given out.
    """
    names = [f"{cut(stem, LONGEST - len(os.fsencode(slug)))}.{slug}" for slug in slugs]
    names = [name if names.count(name) == 1 else f"{name}-{i + 1}" for i, name in enumerate(names)]
    page = names[0] if len(names) == 1 else f"{cut(stem, LONGEST - 80)}.{cut('+'.join(slugs), 80)}"
    if output == "-":
        return Places((Path("-"),), (None,), None)
    if output is not None and not several and not Path(output).is_dir() and not output.endswith("/"):
        return _one(Path(output), kind)
    folder = Path(output) if output is not None else Path()
    number = 1
    while True:
        tail = f"-{number}" if number > 1 else ""
        found = Places(tuple(folder / f"{name}{tail}{SOUND}" for name in names),
                       tuple(folder / f"{name}{tail}{PICTURE[kind]}" if PICTURE[kind] else None for name in names),
                       folder / f"{page}{tail}.html")
        paths = {p for p in (*found.sounds, *found.things, found.page) if p}
        if not paths & taken and (output is not None or not any(p.exists() or p.is_symlink() for p in paths)):
            taken |= paths
            return found
        number += 1


def cut(name: str, room: int) -> str:
    """A name's beginning that fits into `room` bytes."""
    return name if len(os.fsencode(name)) <= room else os.fsencode(name)[:room].decode("utf-8", "ignore")


def _one(path: Path, kind: str) -> Places:
    """The file that was named, and the others of its set beside it."""
    if not path.suffix:
        raise UsageError(f"output {path}: wanted a file name with a suffix ({path}{SOUND}), or a folder ({path}/)")
    if path.suffix.lower() == ".html":
        raise UsageError(f"output {path}: wanted the name of the sound ({path.with_suffix(SOUND)}); the page stands beside it")
    wanted = PICTURE[kind]
    if wanted is None:
        return Places((path,), (None,), path.with_suffix(".html"))
    if path.suffix.lower() in SOUNDS:
        return Places((path,), (path.with_suffix(wanted),), path.with_suffix(".html"))
    return Places((path.with_suffix(SOUND),), (path,), path.with_suffix(".html"))


def ready(path: Path) -> bool:
    """Make the folder that results go to, if it isn't there; its parent must be. Whether it was made."""
    if path.is_dir():
        return False
    if path.suffix.lower() in SOUNDS:
        raise UsageError(f"output {path}: one sound for several results; wanted a folder, e.g. {path.stem}/")
    if path.exists():
        raise SigconvError(f"{path}: a file; several results want a folder")
    try:
        path.mkdir()
        return True
    except OSError as why:
        raise SigconvError(f"{path}: {why.strerror}; wanted a folder that can be made and written") from None
