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

__all__ = ["SOUNDS", "write_sound"]

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


def write_sound(sink: Sink, signal: Signal, suffix: str, subtype: str | None = None) -> None:
    """Encode a signal of value `()` or `(channels,)` on a line into an open file."""
    form, usual = SOUNDS[suffix]
    subtype = (subtype or usual).upper()
    data, rate = _sound_of(signal, suffix)
    if subtype not in ("FLOAT", "DOUBLE"):
        _say_overs(data, f"{subtype} holds −1 … 1")
    elif subtype == "FLOAT" and data.dtype == np.float64 and np.abs(data).max() > np.finfo(np.float32).max:
        raise SigconvError(f"samples up to {np.abs(data).max():.3g}: more than float32 holds; ask for the subtype DOUBLE")
    if form == "WAV" and subtype in wav.CODES:
        _write_wav(sink, data, rate, subtype, signal)
    else:
        _by_soundfile(sink, data, rate, form, subtype)


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


def _say_overs(data: np.ndarray, holds: str) -> None:
    peak = float(max(data.max(), -data.min()))
    if peak > 1:
        over = int(np.count_nonzero(np.abs(data) > 1))
        warnings.warn(f"{over} of {data.size} samples beyond ±1 were clipped (peak {peak:.4g}, {20 * log10(peak):+.1f} dB): "
                      f"{holds}; write float (.wav), or scale by {1 / peak:.4g} first", SigconvWarning, stacklevel=2)


def _write_wav(sink: Sink, data: np.ndarray, rate: int, subtype: str, signal: Signal) -> None:
    d = signal.domain
    extra = wav.grid_extra(d.step[0], d.start[0], d.unit[0], d.name[0])
    names = signal.channels if len(signal.value) == 1 else None
    sink.write(wav.header(data.shape[1], len(data), rate, subtype, names, extra))
    written = 0
    for block in _blocks(data):
        raw = np.ascontiguousarray(wav.pcm(block, subtype))
        sink.write(raw)
        written += raw.nbytes
    sink.write(b"\0" * (written % 2))


def _by_soundfile(sink: Sink, data: np.ndarray, rate: int, form: str, subtype: str) -> None:
    import soundfile

    known = sorted(name for name in soundfile.available_subtypes(form) if name.startswith(READABLE.get(form, SAFE)))
    if subtype not in known:
        raise UsageError(f"subtype {subtype} in {form}: wanted one of {', '.join(known)}")
    try:
        with soundfile.SoundFile(sink, "w", rate, len(data), subtype, format=form) as file:
            for block in _blocks(data):
                file.write(np.ascontiguousarray(_whole(block, subtype)))
                sink.check()
    except AssertionError:  # soundfile's own, where less was written than asked for
        sink.check()
        raise
    except soundfile.LibsndfileError as why:
        sink.check()
        raise SigconvError(f"{len(data)} channels at {rate} Hz as {form} {subtype}: {str(why.error_string).rstrip('.')}; "
                           ".wav takes any number of channels and any rate") from None


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
