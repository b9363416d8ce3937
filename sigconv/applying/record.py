"""What has been done in a folder, a JSON line a file, so that a run that was stopped goes on where it was.

A line is added at once, to the end; one that was torn by a full disk or a power cut is not read. `begun` is written when the
result is complete, right before it is moved into place: the next run then knows the file as ours, whatever happened in between.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..errors import SigconvError
from ..writing import reason

__all__ = ["Record"]


class Record:
    """The lines of all `sigconv-apply*.jsonl` of a folder, of which `name` is written; `read=False` for writing alone.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> Record(folder).add({"input": "a.wav", "output": "a.edge.wav", "sha256": "…"})
    >>> Record(folder).done("a.wav", "a.edge.wav")["sha256"], Record(folder).ours("b.wav", "a.edge.wav")
    ('…', False)
    """

    def __init__(self, folder: Any, name: str = "sigconv-apply.jsonl", *, read: bool = True):
        self.folder, self.name = Path(folder), name
        self._done: dict[tuple[str, str], dict[str, Any]] = {}
        self._known: set[tuple[str, str]] = set()
        for path in sorted(self.folder.glob("sigconv-apply*.jsonl")) if read else ():
            self._read(path)

    def done(self, source: str, output: str) -> dict[str, Any] | None:
        """The line of a file that was finished."""
        return self._done.get((source, output))

    def ours(self, source: str, output: str) -> bool:
        """Whether an output was made of this input, here."""
        return (source, output) in self._known

    def outputs(self) -> set[str]:
        """The real paths of everything that was made here."""
        return {os.path.realpath(self.folder / output) for _, output in self._known}

    def relative(self, path: Any) -> str:
        """A path as the lines have it: as seen from the folder."""
        return os.path.relpath(os.path.realpath(path), os.path.realpath(self.folder))

    def add(self, entry: dict[str, Any]) -> None:
        """Write a line, whole or not at all."""
        line = json.dumps(entry, ensure_ascii=True, sort_keys=True).encode() + b"\n"
        path = self.folder / self.name
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
            try:
                size = os.lseek(fd, 0, os.SEEK_END)
                if size:
                    os.lseek(fd, size - 1, os.SEEK_SET)
                    if os.read(fd, 1) != b"\n":
                        line = b"\n" + line
                if os.write(fd, line) != len(line):
                    raise SigconvError(f"{path}: written in part; is the disk full?")
            finally:
                os.close(fd)
        except OSError as why:
            raise SigconvError(f"{path}: {reason(why)}") from None

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_bytes().splitlines()
        except OSError as why:
            raise SigconvError(f"{path}: {reason(why)}; wanted a list of what was done here, or no such file") from None
        for line in lines:
            try:
                entry = json.loads(line)
                key = entry["input"], entry["output"]
            except (ValueError, RecursionError, KeyError, TypeError):
                continue
            if all(isinstance(word, str) for word in key):
                self._known.add(key)
                if not entry.get("begun"):
                    self._done[key] = entry
