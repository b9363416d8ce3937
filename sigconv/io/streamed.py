"""Sound as blocks that follow each other: files of any length in memory that does not grow.

`load` and this share their readers (`audio.py`), so that the blocks put together are what `load` gives, to the bit, with the same
words where a file is cut, damaged or not finite. A WAV whose header keeps its word is read without libsndfile: whole numbers of
b bits are divided by 2^(b−1), which is exact in the type they come in.

Where decoding fails, the frames of the failing read are lost, and `load` decodes again in small reads. What is given here ends at
a multiple of these, so that it is never more than what `load` would keep.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np

from ..domain import Domain, natural
from ..errors import SigconvError
from ..signal import Signal
from . import audio
from .doors import Retold, Source, entered, told
from .heads import Head
from .sniff import identify, trusted

__all__ = ["Blocks", "blocks", "from_wav", "plain"]

SIZE = 1 << 16
WIDTHS = {("PCM", 8): "u1", ("PCM", 16): "<i2", ("PCM", 24): "u1", ("PCM", 32): "<i4", ("FLOAT", 32): "<f4", ("FLOAT", 64): "<f8"}


def blocks(path: Any, size: int = SIZE, *, formats: str | None = None) -> Blocks:
    """The sound in a file as blocks of `size` samples (the last may be shorter), each a Signal of value (channels,) that goes on
    where the one before ended.

    `path`: a file, or "-" for WAV through standard input. Together the blocks are ``load(path)``, to the bit; memory depends on
    `size` and channels alone. Every loop over it begins at the beginning.

    >>> import sigconv as sc
    >>> with blocks(sc.io.sample("speech"), 40000) as parts:
    ...     parts.domain.rate, [x.domain.shape[0] for x in parts]
    (22050, [40000, 26150])

    Raises `SigconvError` for what is no sound, and at the block where it shows for what is damaged from its first sample on or
    not finite; says (`SigconvWarning`) what `load` says. The limit on samples is `load`'s alone.
    """
    return Blocks(path, size, formats)


class Blocks:
    """An opened file that gives its sound in blocks (see `blocks`); to be closed, or used in a `with`.

    `domain`: the line as the header claims it, of 0 samples where it does not say; `frames`: how many, then None; `value`,
    `channels`, `rate` as of a Signal.
    """

    def __init__(self, path: Any, size: int = SIZE, formats: str | None = None):
        (self.size,) = natural(size, "size", 1)
        self._formats = trusted(formats)
        self._file: Any = None  # as soundfile has it
        self._source = entered(path)
        try:
            with told(self._source), Retold(self._source):
                self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        """What is known before the first sample."""
        source = self._source
        kind, self._form = identify(source, self._formats)
        if kind != "sound":
            raise source.error(f"an {kind}; wanted sound, which comes in blocks; sc.load reads it whole")
        self._head = audio.checked(source, self._form, self._formats)
        self._overheard = audio.Overheard(source, self._form)
        self._plain = plain(source, self._head)
        if self._plain and self._form == "WAV":
            self._decodable, count, rate = self._head.frames or 0, self._head.channels or 0, int(self._head.rate or 0)
        else:
            with self._overheard.listening():
                self._file = audio.decoder(source, self._form)
            self._decodable, count, rate = self._file.frames, self._file.channels, self._file.samplerate
            self._plain &= (self._decodable, count, rate) == (self._head.frames, self._head.channels, self._head.rate)
        audio.name_pair(self._head, count)
        known = audio.claim(self._head, self._decodable)
        self.frames = self._decodable if known is None and 0 < self._decodable < 2**62 else known
        self.value = (count,)
        self.domain, self.channels = audio.placed(source, self._head, self.frames or 0, rate, count)

    @property
    def rate(self) -> int | float:
        return self.domain.rate

    def __repr__(self) -> str:
        count, n = self.value[0], "?" if self.frames is None else self.frames
        return f"<Blocks of {self._source.name}, {count} channel{'s' * (count > 1)}, {n} samples at {self.rate:g} Hz>"

    def __iter__(self) -> Iterator[Signal]:
        raw, done, d = _cut(self._decoded(), self.size), 0, self.domain
        while True:
            with told(self._source), Retold(self._source):
                data = next(raw, None)
                if data is None:
                    self._overheard.tell()
                    audio.counted(self._source, self._head, done, self._decodable)
                    return
                if not (self._plain and self._head.codec == "PCM"):
                    audio.finite(self._source, data, self._head.names, done)
            n = data.shape[1]
            yield Signal(data, Domain(n, d.step, d.start[0] + done, d.unit, d.name), self.channels)
            done += n

    def __enter__(self) -> Blocks:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        if self._source.fd >= 0:
            os.close(self._source.fd)
        self._file, self._source.fd = None, -1

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):  # not opened at all
            self.close()

    def _decoded(self) -> Iterator[np.ndarray]:
        """Samples (channels, n) as they come, from the first."""
        if self._source.fd < 0:
            raise SigconvError(f"{self._source.name}: blocks of a closed file; wanted sc.io.blocks(path) anew")
        if self._plain:
            return from_wav(self._source, self._head, self.size)
        return self._by_soundfile()

    def _by_soundfile(self) -> Iterator[np.ndarray]:
        import soundfile

        small = audio.careful(self.value[0])
        file, done = self._begun(), 0
        try:
            for block in self._heard(audio.samples(file, small * -(-self.size // small))):
                done += len(block)
                yield block.T
            return
        except soundfile.LibsndfileError as why:
            reason = audio.words(why)
        file, found = self._begun(), 0
        for block in self._heard(audio.samples(file, small, stop=True)):
            found += len(block)
            if found > done:
                yield block.T
        audio.damaged(self._source, found, reason)
        self._decodable = found

    def _heard(self, parts: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The same, while the decoder is listened to."""
        while True:
            with self._overheard.listening():
                part = next(parts, None)
            if part is None:
                return
            yield part

    def _begun(self) -> Any:
        """The file at its beginning; the one that was opened to look into it is taken for the first time through."""
        file, self._file = self._file, None
        with self._overheard.listening():
            return file or audio.decoder(self._source, self._form)


def plain(source: Source, head: Head) -> bool:
    """Whether this is a WAV that is as it says, all of it there."""
    at, size = head.extra.get("data", (0, 0))
    block = head.extra.get("block") or 0
    return bool(head.extra.get("plain") and head.codec and (head.codec, head.bits) in WIDTHS and head.frames and at
                and head.frames * block == size and at + size <= source.size)


def from_wav(source: Source, head: Head, size: int) -> Iterator[np.ndarray]:
    (at, whole), block, width = head.extra["data"], head.extra["block"], WIDTHS[head.codec or "", head.bits or 0]
    raw, end = bytearray(min(size * block, whole)), at + whole
    with source.file() as file:
        while at < end:
            file.seek(at)
            n = file.readinto(memoryview(raw)[:end - at]) // block  # type: ignore[attr-defined]
            if not n:
                return
            at += n * block
            yield _floats(np.frombuffer(raw, "u1", n * block).view(width).reshape(n, -1), head.bits or 0)


def _floats(raw: np.ndarray, bits: int) -> np.ndarray:
    """Frames as they are stored, as samples (channels, n) with full scale 1.0, the channels side by side in memory."""
    if raw.dtype.kind == "f":
        return raw.astype(raw.dtype.newbyteorder("=")).T
    if bits == 24:
        wide = np.zeros((raw.size // 3, 4), "u1")
        wide[:, 1:] = raw.reshape(-1, 3)
        raw = wide.view("<i4").reshape(len(raw), -1)
    out: Any = raw.astype(np.float64 if bits == 32 else np.float32)
    out *= out.dtype.type(2.0 ** (1 - 8 * raw.itemsize))
    if bits == 8:
        out -= 1
    return out.T


def _cut(parts: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same samples, `size` at a time."""
    held: list[np.ndarray] = []
    count = 0
    for part in parts:
        if not held and part.shape[1] == size:
            yield part
            continue
        held.append(part)
        count += part.shape[1]
        if count >= size:
            data = np.concatenate(held, axis=1)
            for first in range(0, count - size + 1, size):
                yield np.ascontiguousarray(data[:, first:first + size])
            held, count = [data[:, count - count % size:].copy()] if count % size else [], count % size
    if held:
        yield np.concatenate(held, axis=1)
