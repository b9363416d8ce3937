"""What a file is, by its content: a name promises nothing.

libsndfile 1.2.2, the newest release, has known faults in the readers of old formats and codecs. Files are told apart, and
their codec is checked, before any decoder sees them; what is not on the safe list is refused by name.
"""

from __future__ import annotations

import os

from ..errors import SigconvError, printable
from .doors import Source

__all__ = ["identify", "trusted"]

# (offset, bytes, kind, format); the first that fits decides.
MAGIC = (
    (0, b"fLaC", "sound", "FLAC"), (0, b"OggS", "sound", "OGG"), (0, b".snd", "sound", "AU"), (0, b"dns.", "sound", "AU"),
    (0, b"caff", "sound", "CAF"), (0, b"RF64", "sound", "RF64"), (0, b"riff\x2e\x91\xcf\x11", "sound", "W64"),
    (8, b"WAVE", "sound", "WAV"), (8, b"AIFF", "sound", "AIFF"), (8, b"AIFC", "sound", "AIFF"), (0, b"ID3", "sound", "MP3"),
    (0, b"\x89PNG\r\n\x1a\n", "image", "PNG"), (0, b"\xff\xd8\xff", "image", "JPEG"), (0, b"GIF87a", "image", "GIF"),
    (0, b"GIF89a", "image", "GIF"), (0, b"II*\0", "image", "TIFF"), (0, b"MM\0*", "image", "TIFF"), (8, b"WEBP", "image", "WEBP"),
    (0, b"BM", "image", "BMP"), *((0, b"P%d" % n, "image", "PPM") for n in range(1, 7)),
    (0, b"\x93NUMPY", "array", "NPY"), (0, b"PK\x03\x04", "array", "NPZ"),
)
RIFF = (b"RIFF", b"RIFX", b"FORM")

# Known, and not read by default: libsndfile's other formats ("old"), and what people mistake for sound or images.
OLD = (
    (0, b"Creative Voice File", "VOC"), (0, b"MATLAB", "MAT5"), (8, b"8SVX", "SVX"), (8, b"16SV", "SVX"), (0, b" paf", "PAF"),
    (0, b"fap ", "PAF"), (0, b"2BIT", "AVR"), (0, b"\x64\xa3", "IRCAM"), (2, b"\xa3\x64", "IRCAM"), (0, b"\xf0\x7e", "SDS"),
    (0, b"Extended Instrument:", "XI"), (0, b"NIST_1A", "NIST"), (0, b"PVF1", "PVF"), (0, b"ALawSoundFile**", "WVE"),
)
OTHER = (
    (0, b"%PDF", "a PDF"), (0, b"%!PS", "PostScript"), (0, b"\x1f\x8b", "gzip; unpack it first"),
    (0, b"BZh", "bzip2; unpack it first"),
    (0, b"\x89HDF", "HDF5"), (4, b"ftyp", "MP4 or M4A; convert it first: ffmpeg -i FILE out.wav"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM; convert it first: ffmpeg -i FILE out.wav"),
    (0, b"\x30\x26\xb2\x75", "ASF or WMA; convert it first: ffmpeg -i FILE out.wav"),
    (8, b"AVI ", "AVI; convert it first: ffmpeg -i FILE out.wav"),
    (0, b"wvpk", "WavPack; convert it first: ffmpeg -i FILE out.wav"), (0, b"\x7fELF", "a program"),
    (0, b"\x80\x02", "a pickle, which could run code"), (344, b"n+1\0", "NIfTI; save its array as .npy"),
)
SAFE = "WAV, RF64, W64, FLAC, Ogg, MP3, AIFF, AU, CAF; PNG, JPEG, GIF, TIFF, BMP, WebP, PPM; .npy, .npz"


def trusted(formats: str | None) -> str:
    """Which formats are read: "safe", or "all" where that is said, by an argument or by SIGCONV_FORMATS."""
    formats = formats or os.environ.get("SIGCONV_FORMATS") or "safe"
    if formats not in ("safe", "all"):
        raise SigconvError(f"formats {printable(formats)!r}: wanted 'safe' or 'all'")
    return formats


def identify(source: Source, formats: str) -> tuple[str, str]:
    """(kind, format) of a file: kind "sound", "image" or "array".

    Raises `SigconvError` for what is none of them, and, unless `formats` is "all", for sound formats off the safe list.
    """
    head = source.peek(352)
    for at, magic, kind, form in MAGIC:
        if head[at:].startswith(magic) and (at == 0 or head[:4] in RIFF):
            return kind, form
    if _mpeg(head):
        return "sound", "MP3"
    for at, magic, form in OLD:
        if head[at:].startswith(magic):
            if formats == "all":
                return "sound", form
            raise refused(source, form)
    for at, magic, words in OTHER:
        if head[at:].startswith(magic):
            raise source.error(f"{words}; wanted one of {SAFE}")
    if formats == "all" and not _text(head):
        return "sound", "unknown"
    what = "text" if _text(head) else f"neither sound, image nor array (it begins with {head[:8]!r})"
    raise source.error(f"{what}; wanted one of {SAFE}")


def refused(source: Source, what: str) -> Exception:
    """The error for a format or codec off the safe list."""
    return source.error(f"{what}: not on the safe list, since its decoder has known faults; convert it (ffmpeg -i FILE out.wav), "
                        'or, if the file is to be trusted, load(path, formats="all") or SIGCONV_FORMATS=all')


def _mpeg(head: bytes) -> bool:
    """Whether the bytes begin a frame of MPEG audio: sync, and none of the reserved values."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, bits, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bits not in (0, 15) and rate != 3


def _text(head: bytes) -> bool:
    try:
        words = head.decode("utf-8", "strict") if len(head) < 352 else head[:-4].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\t\r\n\f" for c in words)
