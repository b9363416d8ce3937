"""Between an encoder and the file it writes."""

from __future__ import annotations

import io
from typing import Any

from ..errors import SigconvError
from ..writing import reason

__all__ = ["Sink"]


class Sink(io.RawIOBase):
    """What encoders write into: a file without a number, so that they write through Python and errors keep their words.

    soundfile calls from C, where an exception is lost: the first one is kept, and `check` raises it.
    """

    def __init__(self, file: Any):
        super().__init__()
        self.file, self.error = file, None  # type: Any, BaseException | None

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.error:
            return 0
        try:
            data = bytes(data) if not isinstance(data, (bytes, bytearray, memoryview)) else data
            self.file.write(data)
        except Exception as why:
            self.error = why
            return 0
        return memoryview(data).nbytes

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer: Any) -> int:
        return self.file.readinto(buffer)

    def flush(self) -> None:
        pass

    def check(self) -> None:
        if isinstance(self.error, OSError):
            raise SigconvError(f"the output: {reason(self.error)}") from None
        if self.error:
            raise self.error
