"""What the header of a sound file claims, read by ourselves before a decoder believes it.

Only fields that decide something are read: codec, channels, rate, bits, the number of frames, loudspeakers. Every walk over
chunks is bounded, and no number read here is allocated from.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .doors import Source
from .wav import COMMENT, GUID, names_of

__all__ = ["Head", "read_head"]

CHUNKS = 4096  # walked at most
RIFF_CODECS = {1: "PCM", 3: "FLOAT", 6: "ALAW", 7: "ULAW"}
OTHER_CODECS = {2: "MS ADPCM", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x14: "G.723", 0x40: "G.721", 0x50: "MPEG", 0x55: "MP3",
                0x38: "NMS ADPCM", 0x3A: "NMS ADPCM", 0x3B: "NMS ADPCM"}
AIFC_CODECS = {b"NONE": "PCM", b"twos": "PCM", b"sowt": "PCM", b"raw ": "PCM", b"in24": "PCM", b"in32": "PCM", b"42ni": "PCM",
               b"23ni": "PCM", b"fl32": "FLOAT", b"FL32": "FLOAT", b"fl64": "FLOAT", b"FL64": "FLOAT", b"ulaw": "ULAW",
               b"ULAW": "ULAW", b"alaw": "ALAW", b"ALAW": "ALAW"}
AU_CODECS = {1: "ULAW", 2: "PCM", 3: "PCM", 4: "PCM", 5: "PCM", 6: "FLOAT", 7: "FLOAT", 27: "ALAW"}
CAF_CODECS = {b"lpcm": "PCM", b"alac": "ALAC", b"ulaw": "ULAW", b"alaw": "ALAW"}
OGG_CODECS = {b"\x01vorbis": "VORBIS", b"OpusHead": "OPUS"}
OGG_6 = ("L", "C", "R", "Ls", "Rs", "LFE")
BY_COUNT = {2: ("L", "R"), 6: ("L", "R", "C", "LFE", "Ls", "Rs")}


@dataclass
class Head:
    """`codec` is None where it is not on the safe list (`what` names it); `frames` None where the header gives no number."""

    codec: str | None
    what: str = ""
    channels: int | None = None
    rate: float | None = None
    bits: int | None = None
    frames: int | None = None
    names: tuple[str, ...] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""  # why the file can't be meant as it stands


def read_head(source: Source, form: str) -> Head:
    """What the header claims; an empty `Head` where the format says nothing worth checking."""
    readers: dict[str, Callable[[Source], Head]] = {
        "WAV": _wav, "RF64": _wav, "W64": _w64, "AIFF": _aiff, "AU": _au, "CAF": _caf, "OGG": _ogg, "FLAC": _flac, "MP3": _mp3}
    try:
        head = readers.get(form, lambda source: Head(None, form))(source)
    except (struct.error, IndexError):
        raise source.error(f"a {form} whose header is cut off") from None
    if form in ("WAV", "RF64", "W64", "FLAC") and head.names is None and not head.extra.get("unplaced"):
        head.names = BY_COUNT.get(head.channels or 0)
    return head


def _walk(source: Source, at: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """(name, position, size) of each chunk of a RIFF or an IFF."""
    for _ in range(CHUNKS):
        head = source.peek(8, at)
        if len(head) < 8:
            return
        size = struct.unpack(order + "I", head[4:])[0]
        yield head[:4], at + 8, size
        at += 8 + size + size % 2


def _wav(source: Source) -> Head:
    order = ">" if source.peek(4) == b"RIFX" else "<"
    head, long_size, found = Head(None, "a WAV without a fmt chunk"), None, False
    for name, at, size in _walk(source, 12, order):
        if name == b"ds64":
            long_size = struct.unpack("<Q", source.peek(16, at)[8:16])[0]
        elif name == b"fmt ":
            kept, head, found = head.extra, _fmt(source.peek(min(size, 40), at), order), True
            head.extra |= kept
        elif name == b"sgcv" and size <= 1 << 20:
            head.extra |= _extra(source.peek(size, at))
        elif name == b"LIST":
            head.extra |= _comment(source, at, size, order)
        elif name == b"data":
            if not found:
                head.trouble = "a WAV without a fmt chunk before its data"
            size = long_size if size == 2**32 - 1 and long_size is not None else size
            head.extra["data"] = at, size
            for after, place, length in _walk(source, at + size + size % 2, order):
                if after in (b"fmt ", b"data"):
                    del head.extra["data"]
                    break
                head.extra |= _comment(source, place, length, order) if after == b"LIST" else {}
            return _counted(head, size, source.piped and size >= 2**31 - 2**16)
    head.trouble = "a WAV without a data chunk; is it cut off?" if found else "a WAV without a fmt chunk; is it cut off?"
    return head


def _fmt(raw: bytes, order: str) -> Head:
    code, channels, rate, _, block, bits = struct.unpack(order + "HHIIHH", raw[:16])
    names, extra = None, {}
    if code == 0xFFFE:
        mask, code = struct.unpack(order + "IH", raw[20:26])
        names = names_of(mask, channels)
        extra = {} if names else {"unplaced": True}
    codec = RIFF_CODECS.get(code)
    head = Head(codec, OTHER_CODECS.get(code, f"codec {code:#06x}") + " in WAV", channels, rate, bits, None, names, extra)
    head.extra |= {"block": block, "format": "WAVEX" if raw[:2] == b"\xfe\xff" else "WAV"}
    head.extra["plain"] = order == "<" and (raw[:2] != b"\xfe\xff" or raw[26:40] == GUID)
    if codec and (not 1 <= bits <= 64 or block != channels * -(-bits // 8) or (codec == "FLOAT" and bits not in (32, 64))
                  or (codec in ("ALAW", "ULAW") and bits != 8) or (codec == "PCM" and bits > 32)):
        head.trouble = f"a WAV of {bits} bits {codec} in blocks of {block} bytes for {channels} channels; these don't go together"
    elif codec == "PCM" and bits not in (8, 16, 24, 32):
        head.trouble = f"a WAV of {bits}-bit samples; wanted 8, 16, 24 or 32; convert it (sox FILE -b 24 out.wav)"
    return head


def _counted(head: Head, size: int, unknown: bool = False) -> Head:
    block = head.extra.get("block")
    if block and not unknown:
        head.frames = size // block
    return head


def _extra(raw: bytes) -> dict[str, Any]:
    """Our own chunk, of which only what we wrote is taken."""
    try:
        found = json.loads(raw)
        names = found.get("channels")
        taken = {key: found[key][:80] for key in ("start", "unit", "name") if isinstance(found.get(key), str)}
        if isinstance(names, list) and all(isinstance(n, str) for n in names):
            taken["channels"] = tuple(n[:80] for n in names)
        return taken
    except (ValueError, RecursionError, AttributeError):
        return {}


def _comment(source: Source, at: int, size: int, order: str) -> dict[str, str]:
    """The comment in a LIST of INFO, whoever wrote it."""
    if size > 2 * COMMENT or source.peek(4, at) != b"INFO":
        return {}
    for name, place, length in _walk(source, at + 4, order):
        if place + min(length, COMMENT) > at + size:
            break
        if name == b"ICMT":
            return {"comment": source.peek(min(length, COMMENT), place).split(b"\0")[0].decode(errors="replace")}
    return {}


def _w64(source: Source) -> Head:
    at, head = 40, Head(None, "", trouble="a W64 without fmt and data; is it cut off?")
    for _ in range(CHUNKS):
        raw = source.peek(24, at)
        if len(raw) < 24:
            break
        size = struct.unpack("<Q", raw[16:])[0]
        if raw.startswith(b"fmt "):
            head = _fmt(source.peek(min(size, 40), at + 24), "<")
        elif raw.startswith(b"data"):
            return _counted(head, max(size - 24, 0))
        if size < 24:
            break
        at += size + -size % 8
    return head


def _aiff(source: Source) -> Head:
    packed = source.peek(12)[8:] == b"AIFC"
    head = Head(None, "", trouble="an AIFF without COMM and SSND; is it cut off?")
    for name, at, size in _walk(source, 12, ">"):
        if name == b"COMM":
            raw = source.peek(min(size, 22), at)
            channels, frames, bits, exponent, mantissa = struct.unpack(">hIhHQ", raw[:18])
            code = raw[18:22] if packed else b"NONE"
            rate = mantissa * 2.0 ** (exponent - 16383 - 63) if exponent < 16447 else float("nan")
            head = Head(AIFC_CODECS.get(code), f"codec {code.decode('latin1')!r} in AIFC", channels, rate, bits, frames)
            if head.codec == "PCM" and not 1 <= bits <= 32:
                head.trouble = f"an AIFF of {bits}-bit samples; wanted 1 to 32"
    return head


def _au(source: Source) -> Head:
    raw = source.peek(24)
    order = ">" if raw.startswith(b".snd") else "<"
    _begin, size, code, rate, channels = struct.unpack(order + "IIIII", raw[4:24])
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(code, 0) * channels
    frames = None if size == 2**32 - 1 or not width else size // width
    return Head(AU_CODECS.get(code), f"codec {code} in AU", channels, rate, None, frames)


def _caf(source: Source) -> Head:
    head, at = Head(None, "", trouble="a CAF without a desc chunk; is it cut off?"), 8
    for _ in range(CHUNKS):
        raw = source.peek(12, at)
        if len(raw) < 12:
            break
        name, size = raw[:4], struct.unpack(">q", raw[4:])[0]
        if name == b"desc":
            rate, code, flags, block, _, channels, bits = struct.unpack(">d4sIIIII", source.peek(32, at + 12))
            codec = CAF_CODECS.get(code)
            codec = "FLOAT" if codec == "PCM" and flags & 1 else codec
            head = Head(codec, f"codec {code.decode('latin1')!r} in CAF", channels, rate, bits)
            head.extra["block"] = block
        elif name == b"data" and size >= 4:
            return _counted(head, size - 4) if head.codec != "ALAC" else head
        elif name == b"pakt" and head.codec == "ALAC":
            head.frames = struct.unpack(">q", source.peek(16, at + 12)[8:])[0]
        if size < 0:
            break
        at += 12 + size
    return head


def _ogg(source: Source) -> Head:
    raw = source.peek(512)
    packet = raw[27 + raw[26]:]
    for magic, codec in OGG_CODECS.items():
        if packet.startswith(magic):
            channels = packet[11] if codec == "VORBIS" else packet[9]
            rate = struct.unpack("<I", packet[12:16])[0] if codec == "VORBIS" else 48000
            head = Head(codec, "", channels, rate, names=OGG_6 if channels == 6 else None)
            head.extra["cut"] = not _ended(source)
            return head
    others = {b"\x7fFLAC": "FLAC", b"Speex": "Speex", b"\x80theo": "Theora video"}
    return Head(None, others.get(packet[:5], "this codec") + " in Ogg")


def _ended(source: Source) -> bool:
    """Whether the last page of an Ogg file says that it is the last."""
    tail = source.peek(1 << 17, max(source.size - (1 << 17), 0))
    last = tail.rfind(b"OggS")
    return last < 0 or last + 6 > len(tail) or bool(tail[last + 5] & 4)


def _flac(source: Source) -> Head:
    raw = source.peek(42)
    if raw[4] & 127:
        return Head("FLAC", "", trouble="a FLAC that does not begin with STREAMINFO")
    bits = int.from_bytes(raw[18:26], "big")
    frames = bits & (1 << 36) - 1
    return Head("FLAC", "", (bits >> 41 & 7) + 1, bits >> 44, (bits >> 36 & 31) + 1, frames or None)


def _mp3(source: Source) -> Head:
    head = Head("MP3")
    raw = source.peek(10)
    size = sum((b & 127) << 7 * (3 - i) for i, b in enumerate(raw[6:10])) + 10 if raw.startswith(b"ID3") else 0
    first = source.peek(200, size)
    head.extra["tagged"] = b"Xing" in first or b"Info" in first  # then the number of frames is counted, not guessed
    return head
