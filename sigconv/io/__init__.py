"""Files in, files out.

Told apart by content, never by name; checked before they are decoded; written whole or not at all. `docs/files.md` says
what each format keeps.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from .. import arrays
from ..domain import Number
from ..errors import SigconvError, UsageError, hint, printable
from ..signal import Signal
from ..writing import Outputs, next_free
from .doors import Retold, opened
from .sink import Sink
from .sniff import identify, trusted
from .streamed import Blocks, blocks
from .taps import load_taps

__all__ = ["Blocks", "Outputs", "blocks", "info", "load", "load_taps", "next_free", "sample", "save", "write"]


def load(path: Any, rate: Number | None = None, *, formats: str | None = None) -> Signal:
    """The Signal in a file: sound, image, volume, video or array, told apart by content.

    `path`: a file, or "-" for WAV through standard input. `rate`: sound is brought to this rate (Hz); a bare array's last
    axis becomes time at this rate. `formats="all"` (or SIGCONV_FORMATS=all) lets libsndfile try formats and codecs off the
    safe list. Full scale is 1.0. What is missing from the file, or was changed, is a `SigconvWarning`.

    >>> x = load(sample("speech"))
    >>> x.value, x.domain.unit
    ((1,), ('s',))

    Raises `SigconvError` for what is no such file, is damaged, holds no samples, or NaN or infinity.
    """
    formats = trusted(formats)
    with opened(path) as source, Retold(source):
        kind, form = identify(source, formats)
        if kind == "array":
            from .volumes import load_array

            return load_array(source, form, rate)
        if kind == "sound":
            from .audio import load_sound

            x = load_sound(source, form, formats)
            if rate is None or rate == x.rate:
                return x
            from ..resampling import resample

            return resample(x, rate)
        if rate is not None:
            raise source.error(f"rate {rate} for an image; wanted a rate for sound and bare arrays alone")
        from .image import load_image

        return load_image(source, form)


def info(path: Any, *, formats: str | None = None) -> dict[str, Any]:
    """What a file's headers say, without decoding it: kind, format, subtype, channels, names, rate, shape, duration,
    bytes; of sounds the comment (WAV).

    >>> info(sample("speech"))["kind"]
    'sound'

    Raises `SigconvError` for what is no such file, or one whose headers make no sense.
    """
    formats = trusted(formats)
    with opened(path) as source, Retold(source):
        kind, form = identify(source, formats)
        if kind == "array":
            from .volumes import facts

            found = facts(source, form)
        elif kind == "sound":
            from .audio import facts as sound_facts

            found = sound_facts(source, form, formats)
        else:
            from .image import facts as image_facts

            found = image_facts(source, form)
        return {"path": source.name, "bytes": source.size, **found}


def save(signal: Signal, path: Any, overwrite: bool = False, *, subtype: str | None = None, comment: str | None = None) -> None:
    """Write a Signal, in the format that the name's suffix says; "-" is WAV through standard output.

    `subtype`: how samples are stored (`"PCM_16"`, `"PCM_24"`, `"DOUBLE"`, …; `"16"` for grey images); sound is float32
    where the format has it. `comment`: a text that a WAV carries along (`sc.hear.label`). `.npz` keeps any Signal whole. Samples
    that a format can't hold are clipped and said.

    >>> import tempfile, sigconv as sc
    >>> file = Path(tempfile.mkdtemp()) / "click.wav"
    >>> save(sc.Signal([[0.0, 1.0, 0.0]], sc.line(3, 8000)), file)
    >>> load(file)
    <Signal 1 channel, 3 samples at 8000 Hz, 0 … 0.000375 s, float32>

    Raises `SigconvError` for an existing file (unless `overwrite`), NaN or infinity, a signal that the format can't
    hold; then nothing is written.
    """
    if isinstance(path, str) and path == "-":
        _to_standard_output(signal, subtype, comment)
        return
    suffix = _suffix(path)
    with Outputs(overwrite) as out:
        write(out.open(path), signal, suffix, subtype, comment)


def write(file: BinaryIO, signal: Signal, suffix: str, subtype: str | None = None, comment: str | None = None) -> None:
    """Encode a Signal into an open binary file, as `save` does for names with this suffix.

    >>> from io import BytesIO
    >>> import sigconv as sc
    >>> file = BytesIO()
    >>> write(file, sc.Signal([[0.5, -0.5]], sc.line(2, 8000)), ".wav", "PCM_16")
    >>> file.getvalue()[:4], file.getvalue()[-4:]
    (b'RIFF', b'\\x00@\\x00\\xc0')

    Raises `SigconvError` for suffixes that `save` does not know, and for NaN or infinity.
    """
    if not isinstance(signal, Signal):
        raise SigconvError(f"a {type(signal).__name__}: wanted a Signal, e.g. sc.Signal(data, sc.line(n, rate))")
    _finite(signal)
    suffix, sink = suffix.lower(), Sink(file)
    if suffix in (".npy", ".npz"):
        from . import volumes

        volumes.write_npy(sink, signal) if suffix == ".npy" else volumes.write_npz(sink, signal)
    elif suffix == ".gif" and signal.domain.ndim == 3:
        from .video import write_video

        write_video(sink, signal)
    else:
        _write_sound_or_image(sink, signal, suffix, subtype, comment)
    sink.check()


def sample(name: str = "speech") -> Path:
    """A file of the project's own samples: "speech", "chime", "stereo", "room", "image", "volume", "video".

    >>> sample("speech").suffix
    '.wav'

    Raises `SigconvError` for an unknown name; the message lists the known ones.
    """
    folder = Path(import_module("sigconv_samples").__path__[0])
    known = {p.name: p for p in sorted(folder.iterdir()) if p.suffix in (".gif", ".npy", ".npz", ".png", ".flac", ".wav")}
    stems = {p.stem: p for p in known.values()}
    found = known.get(name) or stems.get(name)
    if found is None:
        raise SigconvError(f"sample {name!r}: wanted one of {', '.join(sorted(stems)) or 'none, for none are installed'}"
                           + hint(name, stems))
    return found


def _write_sound_or_image(sink: Sink, signal: Signal, suffix: str, subtype: str | None, comment: str | None) -> None:
    from .sound import SOUNDS, write_sound

    if suffix in SOUNDS:
        write_sound(sink, signal, suffix, subtype, comment)
        return
    from .image import IMAGES, write_image

    if suffix in IMAGES:
        write_image(sink, signal, suffix, subtype)
    else:
        known = [*SOUNDS, *IMAGES, ".npy", ".npz"]
        raise UsageError(f"suffix {printable(suffix, 20)!r}: wanted one of {', '.join(known)}{hint(suffix, known)}")


def _to_standard_output(signal: Signal, subtype: str | None, comment: str | None) -> None:
    import io

    stdout = getattr(sys.stdout, "buffer", None)
    if stdout is None or stdout.isatty():
        raise SigconvError("-: standard output is a terminal; pipe it into a program or a file")
    spool = io.BytesIO()
    write(spool, signal, ".wav", subtype, comment)
    try:
        stdout.write(spool.getbuffer())
        stdout.flush()
    except OSError as why:
        raise SigconvError(f"standard output: {why.strerror}") from None


def _finite(signal: Signal) -> None:
    if arrays.finite(signal.data):
        return
    import numpy as np

    data = signal.numpy().data
    bad = ~np.isfinite(data)
    at = np.unravel_index(np.argmax(bad), bad.shape)
    place = ", ".join(str(int(i)) for i in at)
    raise SigconvError(f"{data[at]} at index ({place}), {int(bad.sum())} such in all: wanted finite samples; nothing was written")


def _suffix(path: Any) -> str:
    try:
        return Path(os.fsdecode(path)).suffix.lower()
    except TypeError:
        raise SigconvError(f"{printable(repr(path))} as a path: wanted a file name") from None
