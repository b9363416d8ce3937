"""The way in: a path becomes an open plain file, whatever its name, or one line of error."""

# ruff: noqa: PTH116
from __future__ import annotations

import os
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..errors import SigconvError, SigconvWarning, printable
from ..writing import article, reason

__all__ = ["Retold", "Source", "entered", "opened", "told"]


@dataclass
class Source:
    """An open file: its number, its name as shown, its size; `piped` where it came through standard input."""

    fd: int
    name: str
    size: int
    piped: bool = False

    def peek(self, n: int, at: int = 0) -> bytes:
        """Up to n bytes from `at`; the file then stands at its beginning."""
        try:
            os.lseek(self.fd, min(at, self.size), os.SEEK_SET)
            parts = []
            while n > 0 and (part := os.read(self.fd, n)):
                parts.append(part)
                n -= len(part)
            return b"".join(parts)
        finally:
            os.lseek(self.fd, 0, os.SEEK_SET)

    def file(self) -> BinaryIO:
        """The file from its beginning, as Python has it."""
        os.lseek(self.fd, 0, os.SEEK_SET)
        return open(self.fd, "rb", closefd=False)

    def error(self, words: str) -> SigconvError:
        return SigconvError(printable(f"{self.name}: {words}"))

    def warn(self, words: str) -> None:
        """Say something about this file that should not pass in silence."""
        warnings.warn(printable(f"{self.name}: {words}"), SigconvWarning, stacklevel=2)


@contextmanager
def opened(path: Any) -> Iterator[Source]:
    """The plain file at `path`, open for reading; `-` is standard input, spooled to a temporary.

    Whatever goes wrong inside, in any library, leaves as one `SigconvError` that names the file. Raises it for what is not
    there, not readable, empty, or no plain file: opening a FIFO could wait for ever.
    """
    source = entered(path)
    try:
        with told(source):
            yield source
    finally:
        os.close(source.fd)


def entered(path: Any) -> Source:
    """The same, not closed by itself."""
    source = _standard_input() if isinstance(path, str) and path == "-" else _plain_file(path)
    if not source.size:
        os.close(source.fd)
        raise source.error("an empty file; wanted sound, an image, a volume or an array")
    return source


@contextmanager
def told(source: Source) -> Iterator[None]:
    """Whatever goes wrong inside leaves as one `SigconvError` that names the file."""
    try:
        yield
    except SigconvError as why:
        if str(why).startswith(source.name):
            raise
        raise type(why)(printable(f"{source.name}: {why}")) from None
    except OSError as why:
        raise source.error(reason(why) if why.errno else f"can't be read ({_first_line(why)})") from None
    except MemoryError:
        raise source.error(f"needs more memory than there is ({source.size} bytes on disk)") from None
    except Exception as why:  # a decoder's own way to say that the bytes make no sense
        raise source.error(f"can't be read ({type(why).__name__}: {_first_line(why)}); is the file damaged?") from None


class Retold(warnings.catch_warnings):
    """Warnings of the decoders, said as ours and with the file's name; ours pass as they are."""

    def __init__(self, source: Source):
        super().__init__(record=True)
        self.source = source

    def __enter__(self) -> Any:
        self.log = super().__enter__()
        warnings.simplefilter("always")
        return self.log

    def __exit__(self, *why: Any) -> None:
        super().__exit__(*why)
        said = set()
        for entry in self.log or ():
            words = str(entry.message)
            if words in said or issubclass(entry.category, (DeprecationWarning, PendingDeprecationWarning, ResourceWarning)):
                continue
            said.add(words)
            if isinstance(entry.message, SigconvWarning):
                warnings.warn(entry.message, stacklevel=3)
            elif why[0] is None:
                self.source.warn(words.splitlines()[0][:200] if words else entry.category.__name__)


def _plain_file(path: Any) -> Source:
    try:
        raw = os.fsencode(path)
    except (TypeError, UnicodeEncodeError):
        raise SigconvError(f"{printable(repr(path))} as a path: wanted a file name") from None
    name = printable(os.fsdecode(raw), 300)
    if b"\0" in raw:
        raise SigconvError(f"{name}: a file name can't hold a NUL byte")
    try:
        _wanted_plain(name, os.stat(raw))
        fd = os.open(raw, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise SigconvError(f"{name or repr(name)}: no such file") from None
    except OSError as why:
        raise SigconvError(f"{name}: {reason(why)}") from None
    try:
        found = os.fstat(fd)
        _wanted_plain(name, found)
    except BaseException:
        os.close(fd)
        raise
    return Source(fd, name, found.st_size)


def _wanted_plain(name: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SigconvError(f"{name}: {article(found.st_mode)}; wanted a plain file"
                           + ("" if stat.S_ISDIR(found.st_mode) else ", or - for WAV through standard input"))


def _standard_input() -> Source:
    stdin = getattr(sys.stdin, "buffer", None)
    if stdin is None:
        raise SigconvError("-: there is no standard input here; name a file")
    if stdin.isatty():
        raise SigconvError("-: standard input is a terminal; pipe a WAV file into it, or name a file")
    from tempfile import TemporaryFile

    with TemporaryFile(prefix="sigconv-") as spool:
        size = 0
        while block := stdin.read(1 << 20):
            spool.write(block)
            size += len(block)
        spool.flush()
        return Source(os.dup(spool.fileno()), "standard input", size, piped=True)


def _first_line(why: BaseException) -> str:
    return next((line for line in str(why).splitlines() if line.strip()), "no reason given")[:160]
