"""A Signal into sound: WAV by our own header, the other formats by soundfile."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from math import log10
from typing import Any

import numpy as np

from ..errors import SigconvError, SigconvWarning, UsageError
from ..signal import Signal
from . import wav
from .limits import within
from .sink import Sink

__all__ = ["SOUNDS", "Sound", "write_sound"]

BLOCK = 1 << 16
# suffix -> (libsndfile's format, the subtype taken when none is asked for)
SOUNDS = {".wav": ("WAV", "FLOAT"), ".wave": ("WAV", "FLOAT"), ".rf64": ("RF64", "FLOAT"),
          ".w64": ("W64", "FLOAT"), ".flac": ("FLAC", "PCM_24"),
          ".ogg": ("OGG", "VORBIS"), ".oga": ("OGG", "VORBIS"), ".opus": ("OGG", "OPUS"), ".mp3": ("MP3", "MPEG_LAYER_III"),
          ".aiff": ("AIFF", "PCM_24"), ".aif": ("AIFF", "PCM_24"), ".aifc": ("AIFF", "FLOAT"),
          ".au": ("AU", "FLOAT"), ".snd": ("AU", "FLOAT"), ".caf": ("CAF", "FLOAT")}
WHOLE = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32,
         "ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24, "ALAC_32": 32}
# subtypes that `load` takes back: others have decoders that are not trusted
SAFE = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW", "ALAC_")
READABLE = {"OGG": ("VORBIS", "OPUS"), "MP3": ("MPEG_LAYER_III",)}


def write_sound(sink: Sink, signal: Signal, suffix: str, subtype: str | None = None, comment: str | None = None) -> None:
    """Encode a signal of value `()` or `(channels,)` on a line into an open file; `comment` in a WAV of ours alone."""
    sound = Sound(sink, suffix, subtype, comment, signal.domain.size)
    sound.write(signal)
    sound.close()


class Sound:
    """Sound on its way into an open file, block by block: `write(signal)` for each, then `close()`.

    The first block says rate, channels, names and where the grid begins. `frames`: how many there will be, if that is known; the
    header of a WAV is then right from the start, and else written again at the end. What is clipped is said at the end.
    """

    def __init__(self, sink: Sink, suffix: str, subtype: str | None = None, comment: str | None = None,
                 frames: int | None = None):
        self.sink, self.suffix, self.comment, self.frames = sink, suffix, comment, frames
        self.form, usual = SOUNDS[suffix]
        self.subtype = (subtype or usual).upper()
        self.done = self.size = self.over = 0
        self.peak = 0.0
        self._first: Signal | None = None
        self._file: Any = None
        self._held: Any = None

    @property
    def ours(self) -> bool:
        """Whether the file is written by our own header."""
        return self.form == "WAV" and self.subtype in wav.CODES

    def write(self, block: Signal) -> None:
        """The next samples."""
        if self._first is not None and not block.domain.size:
            return
        data, rate = _sound_of(block, self.suffix)
        self._look(data)
        if self._first is None:
            self._begin(block, data, rate)
        if self.ours:
            for part in _blocks(data):
                self.sink.write(np.ascontiguousarray(wav.pcm(part, self.subtype)))
                self.sink.check()
        else:
            self._gather(data)
        self.done += data.shape[1]

    def close(self) -> None:
        """The end of the file, and its header where that was not right."""
        if self._first is None:
            raise SigconvError(f"no samples came: wanted at least one block; {self.suffix} holds sound")
        if self.ours:
            self._finish()
        else:
            self._gather(None)
            self._encode(None)
        if self.over:
            warnings.warn(f"{self.over} of {self.size} samples beyond ±1 were clipped (peak {self.peak:.4g}, "
                          f"{20 * log10(self.peak):+.1f} dB): {self.subtype} holds −1 … 1; write float (.wav), or scale by "
                          f"{1 / self.peak:.4g} first", SigconvWarning, stacklevel=2)

    def _look(self, data: np.ndarray) -> None:
        """Whether the samples fit into the format."""
        self.size += data.size
        if self.subtype == "DOUBLE" or (self.subtype == "FLOAT" and data.dtype == np.float32):
            return
        peak = float(max(data.max(), -data.min()))
        if self.subtype == "FLOAT":
            if peak > float(np.finfo(np.float32).max):
                raise SigconvError(f"samples up to {peak:.3g}: more than float32 holds; ask for the subtype DOUBLE")
        elif peak > 1:
            self.over += int(np.count_nonzero(np.abs(data) > 1))
            self.peak = max(peak, self.peak)

    def _begin(self, block: Signal, data: np.ndarray, rate: int) -> None:
        self._first, self._shape = block, (len(data), rate)
        if self.ours:
            if self.comment and len(self.comment.encode(errors="replace")) >= wav.COMMENT:
                raise SigconvError(f"a comment of {len(self.comment)} characters: wanted less than {wav.COMMENT} bytes")
            self._room = self.frames is None or self._header(self.frames, False)[:4] == b"RF64"
            self._head = self._header(self.frames or 0, self._room and self.frames is None)
            self.sink.write(self._head)
            return
        import soundfile

        known = sorted(name for name in soundfile.available_subtypes(self.form)
                       if name.startswith(READABLE.get(self.form, SAFE)))
        if self.subtype not in known:
            raise UsageError(f"subtype {self.subtype} in {self.form}: wanted one of {', '.join(known)}")
        self._encode(None)

    def _gather(self, data: np.ndarray | None) -> None:
        """Encode in blocks of one size, since Vorbis hears where they are cut; None for what is left."""
        if data is not None:
            held = data if self._held is None else np.concatenate([self._held, data], axis=1)
            full = held.shape[1] - held.shape[1] % BLOCK
            self._held = held[:, full:].copy()
        else:
            held, full = self._held, self._held.shape[1]
        for part in _blocks(held[:, :full]):
            self._encode(part)

    def _header(self, frames: int, room: bool) -> bytes:
        assert self._first is not None
        d = self._first.domain
        extra = wav.grid_extra(d.step[0], d.start[0], d.unit[0], d.name[0])
        names = self._first.channels if len(self._first.value) == 1 else None
        return wav.header(frames, *self._shape, self.subtype, names, extra, self.comment, room)

    def _finish(self) -> None:
        """Pad the data, and write the header again where the number of frames came out otherwise."""
        self.sink.write(b"\0" * (self.done * self._shape[0] * wav.CODES[self.subtype][1] // 8 % 2))
        if self.done == self.frames:
            return
        head = self._header(self.done, self._room)
        if len(head) != len(self._head):
            raise SigconvError(f"{self.done} samples a channel where {self.frames} were told: more than such a WAV holds")
        self.sink.seek(0)
        self.sink.write(head)

    def _encode(self, part: Any) -> None:
        """A block through soundfile, which is opened before the first and, for None, closed after the last."""
        import soundfile

        count, rate = self._shape
        try:
            if self._file is None:
                self._file = soundfile.SoundFile(self.sink, "w", rate, count, self.subtype, format=self.form)
            elif part is None:
                self._file.close()
            else:
                self._file.write(np.ascontiguousarray(_whole(part, self.subtype)))
            self.sink.check()
        except AssertionError:  # soundfile's own, where less was written than asked for
            self.sink.check()
            raise
        except soundfile.LibsndfileError as why:
            self.sink.check()
            raise SigconvError(f"{count} channels at {rate} Hz as {self.form} {self.subtype}: "
                               f"{str(why.error_string).rstrip('.')}; .wav takes any number of channels and any rate") from None


def _sound_of(signal: Signal, suffix: str) -> tuple[np.ndarray, int]:
    """Samples (c, n) as real floats (a bank's filters are channels), and the rate; one line where the format can't hold them."""
    x, cure = signal.numpy(), f"; .npz holds any signal, {suffix} holds sound"
    if x.domain.ndim != 1:
        raise SigconvError(f"a signal of value {x.value} on {x.domain.ndim} axes: wanted channels on one axis{cure}")
    data = x.data.reshape(-1, *x.domain.shape) if x.data.size else x.data
    if data.dtype.kind == "c":
        raise SigconvError(f"complex samples: wanted real ones, e.g. the real part{cure}")
    if data.dtype.kind in "iub":
        raise SigconvError(f"samples of type {data.dtype}: wanted floats with full scale 1.0; divide them first{cure}")
    if not data.size:
        raise SigconvError(f"an empty signal: wanted at least one sample{cure}")
    rate = x.domain.rate
    if not isinstance(rate, int):
        raise SigconvError(f"a rate of {rate:g}: wanted a whole number; sc.resample(x, {max(round(rate), 1)}) makes it one"
                           + cure)
    within("rate", rate, f"a rate of {rate} Hz")
    within("channels", len(data), f"{len(data)} channels")
    return data.astype(np.float32 if data.dtype == np.float16 else data.dtype, copy=False), rate


def _whole(block: np.ndarray, subtype: str) -> np.ndarray:
    """Whole numbers for the formats that store them, so that rounding and clipping are ours; floats for the others."""
    bits = WHOLE.get(subtype)
    if not bits:
        return np.clip(block, -1, 1) if subtype not in ("FLOAT", "DOUBLE") else block
    full = 2.0 ** (bits - 1)
    return np.clip(np.rint(block.astype(np.float64) * full), -full, full - 1).astype(np.int32) << (32 - bits)


def _blocks(data: np.ndarray) -> Iterator[Any]:
    for first in range(0, data.shape[1], BLOCK):
        yield data[:, first:first + BLOCK].T
