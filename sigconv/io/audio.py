"""Sound into a Signal, by soundfile, in blocks.

What the header claims is compared with what the file has; the difference is said, never filled up. Data are float32, and
float64 where the source has more precision than that (32-bit whole numbers, double).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np

from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal
from .doors import Source
from .heads import Head, read_head
from .limits import exact, limit, within
from .sniff import refused
from .wav import CODES

__all__ = ["facts", "load_sound"]

BLOCK = 1 << 20  # samples read at once
CAREFUL = 1 << 9
PRECISE = ("PCM_32", "DOUBLE", "ALAC_32")


def load_sound(source: Source, form: str, formats: str = "safe") -> Signal:
    """The sound of an opened file: value (channels,), on a line in s, names of the channels where they are known."""
    head = checked(source, form, formats)
    overheard = Overheard(source, form)
    with overheard.listening():
        data, rate, decodable = _undisguised(source, form, head) or _decoded(source, form)
    overheard.tell()
    name_pair(head, len(data))
    counted(source, head, data.shape[1], decodable)
    finite(source, data, head.names)
    domain, names = placed(source, head, data.shape[1], rate, len(data))
    return Signal(data, domain, names)


def name_pair(head: Head, channels: int) -> None:
    """Two channels of which nothing else is said are left and right."""
    if channels == 2 and head.names is None and not head.extra.get("unplaced"):
        head.names = ("L", "R")


def claim(head: Head, decodable: int) -> int | None:
    """How many frames the header claims, None where it says nothing that is to be believed."""
    return decodable if head.extra.get("tagged") else head.frames if head.codec else None


def counted(source: Source, head: Head, found: int, decodable: int) -> None:
    """Compare what was found with what the header claims."""
    claimed = claim(head, decodable)
    if not found:
        raise source.error(_nothing(source, head))
    if claimed is not None and found != claimed:
        source.warn(f"its header claims {claimed} samples a channel, the file has {found}; took the {found}")
    elif head.extra.get("cut"):
        source.warn(f"cut off: the last page of the stream is missing; took the {found} samples a channel that are there")


def _nothing(source: Source, head: Head) -> str:
    if head.frames == 0 and source.size > 4096:
        return f"its header claims 0 samples, though {source.size} bytes are there; mend it (sox --ignore-length FILE out.wav)"
    if head.frames or head.extra.get("cut"):
        return f"cut off before its first sample{f'; its header claims {head.frames} a channel' if head.frames else ''}"
    return "no samples in it (0 frames); wanted at least one"


def facts(source: Source, form: str, formats: str = "safe") -> dict[str, Any]:
    """What the header says, and what libsndfile makes of it, without decoding."""
    head = checked(source, form, formats)
    overheard = Overheard(source, form)
    kind, subtype, count, rate, frames = _written(source, form, head) or _looked_into(source, form, overheard)
    overheard.tell()
    known = frames if 0 <= frames < 2**62 else None
    name_pair(head, count)
    return {"kind": "sound", "format": kind, "subtype": subtype, "channels": count, "names": head.names, "rate": rate,
            "frames": known, "shape": (count, known), "duration": known and known / rate, "claimed_frames": head.frames,
            "comment": head.extra.get("comment")}


def _looked_into(source: Source, form: str, overheard: Overheard) -> tuple[str, str, int, int, int]:
    with overheard.listening(), decoder(source, form) as file:
        return file.format, file.subtype, file.channels, file.samplerate, file.frames


def _written(source: Source, form: str, head: Head) -> tuple[str, str, int, int, int] | None:
    """The same from the header of a WAV that is as it says; None for all others."""
    from .streamed import plain

    if form != "WAV" or not plain(source, head):
        return None
    code = {"PCM": 1, "FLOAT": 3}[head.codec or ""], head.bits
    subtype = next(name for name, stored in CODES.items() if stored == code)
    return str(head.extra["format"]), subtype, head.channels or 0, int(head.rate or 0), head.frames or 0


def checked(source: Source, form: str, formats: str) -> Head:
    """What the header claims, refused where that can't be, or is off the safe list."""
    head = read_head(source, form)
    if head.trouble:
        raise source.error(head.trouble)
    if head.codec is None and formats != "all":
        raise refused(source, head.what)
    if head.channels is not None and head.codec is not None:
        _in_range(source, head.channels, head.rate)
    return head


def _in_range(source: Source, channels: int, rate: float | None) -> None:
    if channels < 1:
        raise source.error(f"{channels} channels; wanted 1 to {limit('channels')}")
    within("channels", channels, f"{channels} channels")
    if rate is not None:
        if not isfinite(rate) or rate < 1:
            raise source.error(f"a rate of {rate:g} Hz; wanted 1 Hz to {limit('rate')} Hz")
        within("rate", int(rate), f"a rate of {rate:g} Hz")


def decoder(source: Source, form: str) -> Any:
    """The file from its beginning, as soundfile has it."""
    import soundfile

    os.lseek(source.fd, 0, os.SEEK_SET)
    try:
        file = soundfile.SoundFile(os.dup(source.fd), "r", closefd=True)
    except soundfile.LibsndfileError as why:
        raise source.error(f"not readable as {form} ({words(why)}); is it cut off or damaged?") from None
    try:
        _in_range(source, file.channels, file.samplerate)
    except BaseException:
        file.close()
        raise
    return file


class Overheard:
    """What the decoder of MP3 would print, which writes to the process's standard error from C: kept, and said as one warning."""

    def __init__(self, source: Source, form: str):
        self.source, self.form = source, form
        self.heard: Any = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While the decoder works."""
        if self.form != "MP3":
            yield
            return
        from tempfile import TemporaryFile

        self.heard = self.heard or TemporaryFile(prefix="sigconv-")  # noqa: SIM115 (closed by tell)
        try:
            sys.stderr.flush()
            kept = os.dup(2)
        except (OSError, AttributeError, ValueError):  # there is no standard error here
            yield
            return
        try:
            os.dup2(self.heard.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)

    def tell(self) -> None:
        """Say it."""
        if self.heard is None:
            return
        with self.heard as heard:
            heard.seek(0)
            lines = [line.strip() for line in heard.read(1 << 16).decode(errors="replace").splitlines() if line.strip()]
        self.heard = None
        if lines:
            self.source.warn(f"its MP3 decoder says: {lines[0]}" + f" (and {len(lines) - 1} lines more)" * (len(lines) > 1))


def _undisguised(source: Source, form: str, head: Head) -> tuple[np.ndarray, int, int] | None:
    """The same of a WAV that is as it says, for which libsndfile need not be opened; None for all others."""
    from .streamed import from_wav, plain

    if form != "WAV" or not plain(source, head):
        return None
    frames, count = head.frames or 0, head.channels or 0
    within("samples", frames * count, f"at least {frames * count} samples")
    parts = from_wav(source, head, BLOCK // count + 1)
    first, at = next(parts), 0
    data = np.empty((count, frames), first.dtype)
    for part in chain((first,), parts):
        data[:, at: at + part.shape[1]] = part
        at += part.shape[1]
    return data[:, :at], int(head.rate or 0), frames


def _decoded(source: Source, form: str) -> tuple[np.ndarray, int, int]:
    """Data (channels, n), the rate, and how many frames libsndfile expected.

    Where decoding fails, the frames of the failing block are lost; so it is done again in small blocks, and what comes
    before the damage is kept, and said.
    """
    import soundfile

    with decoder(source, form) as file:
        try:
            return _whole(file, BLOCK), file.samplerate, file.frames
        except soundfile.LibsndfileError as why:
            reason = words(why)
    with decoder(source, form) as file:
        data = _whole(file, CAREFUL, stop=True)
        damaged(source, data.shape[1], reason)
        return data, file.samplerate, data.shape[1]


def damaged(source: Source, found: int, reason: str) -> None:
    """Say how far it could be decoded."""
    if not found:
        raise source.error(f"can't be decoded ({reason}); is it cut off or damaged?")
    source.warn(f"damaged: can't be decoded beyond sample {found} ({reason})")


def samples(file: Any, frames: int, stop: bool = False) -> Iterator[np.ndarray]:
    """What can be decoded, in blocks (frames, channels); nothing is allocated from what the header claims.

    `stop`: where decoding fails, stop instead of raising.
    """
    import soundfile

    dtype = kind(file.subtype)
    file.seekable = bool  # soundfile seeks after every block to where it is already, which spoils the next block of an MP3
    while True:
        block = np.empty((frames, file.channels), dtype)
        try:
            n = file.buffer_read_into(block, dtype)
        except soundfile.LibsndfileError:
            if not stop:
                raise
            return
        if n:
            yield block[:n]
        if n < frames:
            return


def kind(subtype: str) -> str:
    """The type that samples are read as."""
    return "float64" if subtype in PRECISE else "float32"


def careful(channels: int) -> int:
    """Frames of a block where damage is looked for."""
    return CAREFUL // channels + 1


def _whole(file: Any, size: int, stop: bool = False) -> np.ndarray:
    """All that can be decoded, as (channels, n)."""
    channels, blocks, total = file.channels, [], 0
    frames = min(max(file.frames, 1), size // channels + 1)
    for block in samples(file, frames, stop):
        total += len(block)
        within("samples", total * channels, f"at least {total * channels} samples")
        blocks.append(block if len(block) > frames // 2 else block.copy())
    data = np.empty((channels, total), kind(file.subtype))
    while blocks:
        n = len(blocks[-1])
        data[:, total - n:total] = blocks.pop().T
        total -= n
    return data


def finite(source: Source, data: np.ndarray, names: tuple[str, ...] | None, at: int | None = None) -> None:
    """Refuse what is not finite, with its place; `at`: where a block begins of which there are more to come."""
    if np.isfinite(data.sum(dtype=np.float64)):
        return
    bad = ~np.isfinite(data)
    if bad.any():
        channel, sample = np.unravel_index(np.argmax(bad), bad.shape)
        name = f" ({names[channel]})" if names else ""
        count = f", {bad.sum()} such in all" if at is None else ""
        raise source.error(f"{data[channel, sample]} at sample {sample + (at or 0)} of channel {channel + 1}{name}{count}; "
                           "wanted finite samples; export the sound again, or cut them out")


def placed(source: Source, head: Head, n: int, rate: int, channels: int) -> tuple[Domain, tuple[str, ...] | None]:
    """The line that n samples lie on, and the names of the channels."""
    names = head.extra.get("channels", head.names)
    names = names if names and len(names) == channels else None
    plain = Domain((n,), Fraction(1, rate), 0, "s")
    if not {"start", "unit", "name"} & set(head.extra):
        return plain, names
    try:
        unit = head.extra.get("unit", "s")
        return Domain(plain.shape, plain.step, exact(head.extra.get("start", "0")), unit, head.extra.get("name")), names
    except SigconvError:
        source.warn("its sgcv chunk makes no sense; took the samples from 0 s")
        return plain, names


def words(why: Any) -> str:
    return str(getattr(why, "error_string", why)).rstrip(".")
