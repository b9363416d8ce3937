"""Files written whole or not at all.

Every output is written to a temporary in its own folder and moved into place when all of them are complete. A temporary is
called `.sigconv-HASH.tmp`, after its target's name, and is locked while it is written: one that nobody locks was left by a
process that was killed, and the next run that writes the same target takes it over.
"""

# ruff: noqa: PTH104, PTH105, PTH108, PTH109, PTH112, PTH116, PTH118, PTH119, PTH120
from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO

from .errors import SigconvError, printable

__all__ = ["Outputs", "next_free", "reason"]

NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def reason(why: OSError) -> str:
    """The system's own words for an error, without the path, and the cure where they name none."""
    said = why.strerror or str(why) or type(why).__name__
    return said + "; wanted a file and a folder that you may use" * (why.errno in (errno.EACCES, errno.EPERM, errno.EROFS))


class Outputs:
    """Several files that appear together, or not at all.

    `overwrite`: whether existing files may be replaced. `inputs`: paths that must never be written, whatever the options.
    `durable`: wait until the disk has them.

    >>> import tempfile; from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> with Outputs() as out:
    ...     _ = out.open(folder / "a.txt").write(b"one")
    ...     _ = out.open(folder / "b.txt").write(b"two")
    ...     sorted(p.name for p in folder.glob("*.txt"))
    []
    >>> sorted(p.name for p in folder.glob("*"))
    ['a.txt', 'b.txt']

    Raises `SigconvError` for an output that exists (unless `overwrite`), that is an input, a link, a folder, a FIFO or a
    device, that was opened before, or that the system does not let us write.
    """

    def __init__(self, overwrite: bool = False, inputs: Iterable[Any] = (), *, durable: bool = False):
        self.overwrite, self.durable = overwrite, durable
        self._inputs = {id_ for id_ in map(_identity, inputs) if id_}
        self._files: list[_Temporary] = []

    def open(self, path: Any) -> BinaryIO:
        """A binary file to write `path`'s content into; it moves into place when the `with` block ends well."""
        target = _resolve(path)
        self._check(target)
        if any(target == file.target for file in self._files):
            raise SigconvError(f"{shown(target)}: the output of two results at once; give each its own name")
        file = _Temporary(target)
        self._files.append(file)
        return file  # type: ignore[return-value]

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            for file in self._files:
                file.discard()
            self._files = []

    def _check(self, target: bytes) -> None:
        try:
            found = os.lstat(target)
        except FileNotFoundError:
            folder = os.path.dirname(target)
            if not os.path.isdir(folder):
                raise SigconvError(f"{shown(target)}: there is no folder {shown(folder)}; make it first") from None
            return
        except OSError as why:
            raise SigconvError(f"{shown(target)}: {reason(why)}") from None
        if (found.st_dev, found.st_ino) in self._inputs or _identity(target) in self._inputs:
            raise SigconvError(f"{shown(target)}: the output is the input; inputs are never changed; give another name")
        if not stat.S_ISREG(found.st_mode):
            raise SigconvError(f"{shown(target)}: {article(found.st_mode)}; wanted a plain file as output, or a new name")
        if not self.overwrite:
            raise SigconvError(f"{shown(target)}: exists; give another name, or overwrite it (overwrite=True, --force)")

    def _commit(self) -> None:
        for file in self._files:
            file.finish(self.durable)
            self._check(file.target)
        moved: list[_Temporary] = []
        try:
            for file in self._files:
                moved.append(file)
                if len(self._files) > 1:
                    file.keep_old()
                file.move(self.overwrite)
        except BaseException:
            for file in reversed(moved):
                file.undo()
            raise


class _Temporary(io.FileIO):
    """The file beside a target; its errors are `SigconvError`s that keep the system's words."""

    def __init__(self, target: bytes):
        self.target = target
        folder, name = os.path.split(target)
        self._stem = os.path.join(folder, b".sigconv-" + hashlib.sha256(name).hexdigest()[:16].encode())
        self._temporary, self._backup, self._done = self._stem + b".tmp", self._stem + b".old.tmp", False
        try:
            fd = _claim(self._temporary)
        except OSError as why:
            raise SigconvError(f"{shown(target)}: {reason(why)}") from None
        super().__init__(fd, "w+b")
        found = os.fstat(fd)
        self._id = found.st_dev, found.st_ino

    def write(self, data: Any) -> int:
        """All of `data`, or an error."""
        view = memoryview(data).cast("B")
        try:
            done = 0
            while done < len(view):
                done += super().write(view[done:]) or 0
        except OSError as why:
            raise SigconvError(f"{shown(self.target)}: {reason(why)}; nothing was written") from None
        return len(view)

    def finish(self, durable: bool) -> None:
        try:
            with suppress(FileNotFoundError):
                os.fchmod(self.fileno(), stat.S_IMODE(os.lstat(self.target).st_mode))
            if durable:
                os.fsync(self.fileno())
        except OSError as why:
            if why.errno not in (errno.EINVAL, errno.EPERM, errno.ENOTSUP):
                raise SigconvError(f"{shown(self.target)}: {reason(why)}; nothing was written") from None

    def keep_old(self) -> None:
        """A second name for what is about to be replaced."""
        with suppress(OSError):
            os.unlink(self._backup)
        with suppress(OSError):
            os.link(self.target, self._backup)

    def move(self, overwrite: bool) -> None:
        try:
            if overwrite:
                os.replace(self._temporary, self.target)
            else:
                _rename_new(self._temporary, self.target)
        except FileExistsError:
            raise SigconvError(f"{shown(self.target)}: exists; something else has written it meanwhile") from None
        except OSError as why:
            raise SigconvError(f"{shown(self.target)}: {reason(why)}; nothing was written") from None
        self._done = True

    def undo(self) -> None:
        """What the target held before."""
        with suppress(OSError):
            found = os.lstat(self.target)
            if (found.st_dev, found.st_ino) != self._id:
                return
            if os.path.lexists(self._backup):
                os.replace(self._backup, self.target)
            else:
                os.unlink(self.target)

    def close(self) -> None:
        """Nothing: writers may close the file, it stays ours until the others are complete."""

    def discard(self) -> None:
        if self.closed:
            return
        if not self._done:
            with suppress(OSError):
                os.unlink(self._temporary)
        with suppress(OSError):
            os.unlink(self._backup)
        with suppress(OSError):
            super().close()


def _claim(path: bytes) -> int:
    """A new, empty, locked file at `path`; one that a killed process left there is removed first."""
    for _ in range(100):
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:
            _sweep(path)
            continue
        if _lock(fd) and os.fstat(fd).st_nlink:
            return fd
        os.close(fd)
    raise OSError(errno.EBUSY, "another process is writing this file just now")


def _sweep(path: bytes) -> None:
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return
    try:
        if not _lock(fd):
            raise OSError(errno.EBUSY, "another process is writing this file just now")
        with suppress(FileNotFoundError):
            os.unlink(path)
    finally:
        os.close(fd)


def _lock(fd: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _rename_new(old: bytes, new: bytes) -> None:
    """Rename, but never over an existing file: a link can't be made where a name is taken."""
    try:
        os.link(old, new)
    except OSError as why:
        if why.errno not in NO_LINKS:
            raise
        if os.path.lexists(new):
            raise FileExistsError from None
        os.rename(old, new)
    else:
        os.unlink(old)


def _resolve(path: Any) -> bytes:
    try:
        target = os.fsencode(path)
    except (TypeError, UnicodeEncodeError):
        raise SigconvError(f"{printable(repr(path))} as a path: wanted a file name") from None
    if not target or b"\0" in target:
        raise SigconvError(f"{printable(repr(path))} as a path: wanted a file name without NUL bytes")
    if os.path.basename(target) in (b"", b".", b".."):
        raise SigconvError(f"{shown(target)}: names a folder; wanted a file name")
    return os.path.join(os.path.realpath(os.path.dirname(target) or b"."), os.path.basename(target))


def _identity(path: Any) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError, TypeError):
        return None
    return found.st_dev, found.st_ino


def shown(path: bytes) -> str:
    """A path as people see it: relative where it lies below the current folder, control bytes escaped."""
    text = os.fsdecode(path)
    with suppress(OSError):
        here = os.path.join(os.getcwd(), "")
        text = text.removeprefix(here)
    return printable(text, 300)


def article(mode: int) -> str:
    """What kind of thing a path is, in words."""
    for test, words in ((stat.S_ISDIR, "a folder"), (stat.S_ISLNK, "a link"), (stat.S_ISFIFO, "a FIFO"),
                        (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device")):
        if test(mode):
            return words
    return "no plain file"


def next_free(folder: Any, stem: str, suffixes: Iterable[str]) -> str:
    """`stem`, or `stem-2`, `stem-3`, …: the first for which no file stem + suffix exists in the folder.

    >>> import tempfile; from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "voice.edge.html").write_text("")
    >>> next_free(folder, "voice.edge", [".wav", ".html"])
    'voice.edge-2'
    """
    suffixes, free, number = tuple(suffixes), stem, 1
    while any(os.path.lexists(os.path.join(os.fspath(folder), free + suffix)) for suffix in suffixes):
        number += 1
        free = f"{stem}-{number}"
    return free
