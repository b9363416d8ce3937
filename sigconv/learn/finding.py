"""Clips found in a folder: what names, folders and tables say of them, before a sample is read.

Four layouts, told apart by what is there: "commands" (a folder a word and the lists of Speech Commands), "table" (a CSV),
"names" (`7_jackson_32.wav`) and "folders" (a folder a label).
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import SigconvError, among, printable
from .commands import LISTS, NOHASH, NOISE, of_commands
from .items import PARTS, Item

__all__ = ["LAYOUTS", "Found", "find"]

LAYOUTS = ("commands", "table", "names", "folders")
SOUNDS = {
    ".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"}
BESIDE = {  # what lies beside the recordings, at the top
    "", ".md", ".txt", ".csv", ".tsv", ".json", ".html", ".py", ".toml", ".yaml", ".yml", ".rst", ".pdf", ".cff"}
NAME = re.compile(r"(?P<label>.+)_(?P<speaker>[^_]+)_(?P<take>\d+)")
COLUMNS = {
    "path": ("file", "path", "filename", "file_name", "filepath", "file_path", "wav", "audio", "clip"),
    "label": ("label", "word", "digit", "class", "category", "command", "target", "keyword"),
    "speaker": ("speaker", "speaker_id", "speakerid", "client_id", "talker", "user", "user_id"),
    "take": ("take", "repetition"),
    "part": ("split", "part", "subset", "set"),
}


@dataclass
class Found:
    """What a folder holds: clips, and the files that are none of them, each with the reason."""

    folder: Path
    layout: str
    items: list[Item] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    sounds: dict[str, None] = field(default_factory=dict)  # every file with the name of one, in order

    def take(self, found: Iterator[Item | tuple[str, str]]) -> None:
        """Keep each file that is told of once."""
        named: set[str] = set()
        for one in found:
            if isinstance(one, Item) and one.path in named and one.start is None:
                one = (one.path, f"named again, as {one.label!r}")
            if isinstance(one, Item):
                named.add(one.path)
                self.items.append(one)
            else:
                self.skipped.append(one)


def find(folder: str | Path, layout: str | None = None, pattern: str | None = None, kinds: Set[str] = SOUNDS) -> Found:
    """The files of these kinds in a folder, or of the CSV file that is named instead."""
    if layout is not None:
        among(layout, LAYOUTS, "layout")
    place, table = _place(folder)
    if table and layout not in (None, "table"):
        raise SigconvError(f"{printable(table)} with layout {layout!r}: a CSV is a table; name the folder instead")
    found = Found(place, layout or "")
    for path in _files(place):
        kind = PurePosixPath(path).suffix.lower()
        if kind in kinds:
            found.sounds[path] = None
        elif ("/" in path or kind not in BESIDE) and NOISE not in path and not table:
            found.skipped.append((path, f"of no kind that is wanted ({printable(PurePosixPath(path).name, 40)})"))
    tables = [table] if table else [p for p in sorted(place.glob("*.csv")) if _columns(p)]
    found.layout = layout or _layout(found, bool(tables))
    if found.layout == "table":
        found.skipped.clear()
    if pattern is not None:
        found.take(_by_pattern(found.sounds, pattern))
    elif found.layout == "table":
        found.take(_of_table(found, _only(place, tables)))
    else:
        found.take({"commands": of_commands, "names": _of_names, "folders": _of_folders}[found.layout](place, found.sounds))
    return found


def _place(folder: str | Path) -> tuple[Path, Path | None]:
    try:
        place = Path(os.path.abspath(os.fspath(folder)))  # noqa: PTH100 (links are left as they are)
    except TypeError:
        raise SigconvError(f"{printable(repr(folder), 80)} as a folder: wanted a path") from None
    if place.is_file() and place.suffix.lower() in (".csv", ".tsv"):
        return place.parent, place
    if not place.is_dir():
        what = "a file" if place.exists() else "not there"
        raise SigconvError(f"{printable(folder)}: {what}; wanted a folder of recordings, or a CSV that lists them")
    return place, None


def _files(folder: Path) -> Iterator[str]:
    """Every file below, as paths from the folder, hidden ones left out; links are followed, to each folder once."""
    seen = set()
    for at, folders, names in os.walk(folder, followlinks=True):
        place = os.path.realpath(at)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(at).relative_to(folder)
        yield from ((here / name).as_posix() for name in sorted(names) if not name.startswith("."))


def _layout(found: Found, table: bool) -> str:
    """What the folder looks like."""
    if any((found.folder / name).is_file() for name in LISTS):
        return "commands"
    if table:
        return "table"
    stems = [PurePosixPath(path) for path in found.sounds]
    if any(NOHASH in path.stem for path in stems):
        return "commands"
    named = sum(NAME.fullmatch(path.stem) is not None for path in stems)
    return "names" if len({path.parent for path in stems}) == 1 and 2 * named > len(stems) else "folders"


def _of_names(folder: Path, sounds: dict[str, None]) -> Iterator[Item | tuple[str, str]]:
    """`label_speaker_take`; where the labels are the ten digits these are FSDD's, and its takes 0 to 4 the official test."""
    told = {path: NAME.fullmatch(PurePosixPath(path).stem) for path in sounds}
    digits = {m["label"] for m in told.values() if m} <= set("0123456789")
    for path, m in told.items():
        if m is None:
            yield path, "its name is not label_speaker_take, e.g. 7_jackson_32.wav"
        else:
            part = ("test" if int(m["take"]) < 5 else "train") if digits else ""
            yield Item(path, m["label"], m["speaker"], take=m["take"], part=part)


def _of_folders(folder: Path, sounds: dict[str, None]) -> Iterator[Item | tuple[str, str]]:
    """`[part/]label/[speaker/]file`; the file's name tells the speaker where it is label_speaker_take."""
    for path in sounds:
        parts = list(PurePosixPath(path).parts[:-1])
        part = PARTS.get(parts[0].lower(), "") if len(parts) > 1 else ""
        label, *below = parts[bool(part):] or [""]
        if not label:
            yield path, "in no label's folder"
            continue
        m = NAME.fullmatch(PurePosixPath(path).stem)
        speaker = below[0] if below else m["speaker"] if m and m["label"] == label else ""
        yield Item(path, label, speaker, take=m["take"] if m else "", part=part)


def _by_pattern(sounds: dict[str, None], pattern: str) -> Iterator[Item | tuple[str, str]]:
    try:
        find = re.compile(pattern)
    except re.error as why:
        raise SigconvError(f"pattern {printable(pattern, 80)!r}: {why}; wanted a regular expression") from None
    unknown = set(find.groupindex) - {"label", "speaker", "take", "part"}
    if "label" not in find.groupindex or unknown:
        raise SigconvError(f"pattern {printable(pattern, 80)!r}: wanted a group (?P<label>…), and at will speaker, take and part")
    for path in sounds:
        m = find.search(path)
        if m is None or not m["label"]:
            yield path, "its path does not match the pattern"
        else:
            yield _item(path, {name: text or "" for name, text in m.groupdict().items()})


def _item(path: str, told: dict[str, str]) -> Item:
    part = PARTS.get(told.get("part", "").lower(), "")
    return Item(path, told["label"], told.get("speaker", ""), take=told.get("take", ""), part=part)


def _only(folder: Path, tables: list[Path]) -> Path:
    if len(tables) != 1:
        raise SigconvError(f"{printable(folder)}: {len(tables)} CSV files with columns for files and labels; name the one")
    return tables[0]


def _rows(table: Path) -> Iterator[dict[str, str]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t" if table.suffix.lower() == ".tsv" else ",", restval="")
            names = rows.fieldnames or []
            yield {name.strip().lower(): name for name in names if name}
            yield from rows
    except (OSError, ValueError, csv.Error) as why:
        raise SigconvError(f"{printable(table)}: can't be read ({printable(why, 80)}); wanted a CSV in UTF-8") from None


def _columns(table: Path) -> dict[str, str]:
    """{what: the column's name} of a table that lists clips; empty for any other."""
    try:
        names = next(_rows(table))
    except SigconvError:
        return {}
    told = {what: names[word] for what, words in COLUMNS.items() for word in reversed(words) if word in names}
    return told if {"path", "label"} <= set(told) else {}


def _of_table(found: Found, table: Path) -> Iterator[Item | tuple[str, str]]:
    columns = _columns(table)
    if not columns:
        names = list(next(_rows(table)).values())
        raise SigconvError(f"{printable(table)}: columns {printable(', '.join(names), 120)}; wanted one of "
                           f"{', '.join(COLUMNS['path'][:3])} and one of {', '.join(COLUMNS['label'][:4])}")
    rows = _rows(table)
    next(rows)
    by_name: dict[str, list[str]] = {}
    for path in found.sounds:
        by_name.setdefault(PurePosixPath(path).name, []).append(path)
    for row in rows:
        told = {what: (row[name] or "").strip() for what, name in columns.items()}
        path = told["path"].replace("\\", "/")
        near = by_name.get(PurePosixPath(path).name, [])
        if not path or not told["label"]:
            yield path or "(no file)", "a row of the table without a file or a label"
        elif path in found.sounds or (found.folder / path).is_file():
            yield _item(path, told)
        elif len(near) == 1:  # named without its folder
            yield _item(near[0], told)
        else:
            yield path, "in the table, not in the folder" if not near else f"{len(near)} files of this name"
