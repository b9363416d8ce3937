"""One file through one kernel, into one file: whole or not at all, and not again when nothing has changed."""

# ruff: noqa: PTH202
from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from .. import arrays
from ..convolving import convolve
from ..engines.compiled import shut
from ..errors import SigconvError, UsageError
from ..io import Blocks, Outputs, load, write
from ..io.doors import opened
from ..io.sink import Sink
from ..io.sniff import identify, trusted
from ..io.sound import Sound
from ..signal import Signal
from ..writing import reason
from .flow import through
from .record import Record

__all__ = ["Job", "apply"]

USUAL = ("mode", "padding_mode", "subtype")  # options of the writer; others are told by the record alone


@dataclass
class Job:
    """A file, a kernel by name, where the result goes (`target`: below the folder, its suffix left out), what was done before."""

    path: str
    spec: str
    target: str
    folder: str
    record: str = "sigconv-apply.jsonl"
    options: dict[str, Any] = field(default_factory=dict)  # mode, padding_mode, subtype, and what else decides the result
    keep: Sequence[str] = ()  # files that must not be written
    force: bool = False
    before: dict[str, dict[str, Any]] = field(default_factory=dict)  # of an output: the line of it that says "done"
    ours: Sequence[str] = ()  # outputs that may be written over

    def known(self, record: Record) -> Job:
        """With what the record knows of it."""
        source = record.relative(self.path)
        for suffix in (".wav", ".npz"):
            name = self.target + suffix
            if (entry := record.done(source, name)) is not None:
                self.before[name] = entry
            if record.ours(source, name):
                self.ours = [*self.ours, name]
        return self


def apply(job: Job, kernel: Callable[[Any], Signal]) -> dict[str, Any]:
    """Do a job, unless it is done: the line of the record that says so, with `skipped` true where nothing was to be done.

    `kernel`: makes the kernel for what has a `domain`, a `value` and a `rate`. Sound is written as WAV, anything else as .npz.

    >>> import sigconv as sc, tempfile
    >>> job = Job(str(sc.io.sample("speech")), "edge", "speech.edge", tempfile.mkdtemp())
    >>> apply(job, lambda x: sc.kernel("edge", x.domain))["output"]
    'speech.edge.wav'

    Raises `SigconvError` for what can't be read, convolved or written, and for a result that is there and was not made here.
    """
    begin = time.monotonic()
    with opened(job.path) as source:
        kind = identify(source, trusted(None))[0]
        digest, size = hashlib.file_digest(cast(Any, source.file()), "sha256").hexdigest(), source.size
    name = job.target + (".wav" if kind == "sound" else ".npz")
    place, record = Path(job.folder, name), Record(job.folder, job.record, read=False)
    x: Any = Blocks(job.path) if kind == "sound" else load(job.path)
    try:
        k = kernel(x)
        entry = {"input": record.relative(job.path), "size": size, "sha256": digest, "kernel": job.spec, "taps": _digest(k),
                 "start": [str(v) for v in k.domain.start], "step": [str(v) for v in k.domain.step], "options": job.options,
                 "output": name}
        if not job.force and (done := job.before.get(name)) and _same(done, entry, place):
            return done | {"skipped": True}
        _folder(place.parent)
        with shut(), Outputs(job.force or name in job.ours, [job.path, *job.keep]) as out:
            _write(out.open(place), x, k, **{key: value for key, value in job.options.items() if key in USUAL})
            record.add({"begun": True, "input": entry["input"], "output": name})
    finally:
        if isinstance(x, Blocks):
            x.close()
    entry |= {"bytes": os.path.getsize(place), "seconds": round(time.monotonic() - begin, 3)}
    record.add(entry)
    return entry | {"skipped": False}


def _write(file: Any, x: Any, k: Signal, mode: str = "same", padding_mode: str = "zeros", subtype: str | None = None) -> None:
    """The result into an open file."""
    if not isinstance(x, Blocks):
        write(file, convolve(x, k, mode=mode, padding_mode=padding_mode), ".npz")
        return
    if arrays.is_complex(k.data):
        raise SigconvError("a complex kernel: its result is complex, and a sound holds real samples; sc.convolve gives it whole")
    if subtype and (len(subtype) > 40 or not subtype.isascii()):
        raise UsageError("a subtype of that name: wanted e.g. PCM_16, PCM_24 or FLOAT")
    frames = x.frames
    if frames is not None and mode == "full":
        frames += k.domain.shape[0] - 1
    sink = Sink(file)
    sound = Sound(sink, ".wav", subtype, frames=frames)
    for y in through(x, k, mode=mode, padding_mode=padding_mode):
        if y.domain.shape[0]:
            if not arrays.finite(y.data):
                raise SigconvError(f"the result is not finite in the block from {y.domain.extent[0][0]:.6g} s on: the taps are "
                                   "too large for its type; wanted smaller ones")
            sound.write(y)
            sink.check()
    sound.close()
    sink.check()


def _digest(k: Signal) -> str:
    data = k.numpy().data
    return hashlib.sha256(f"{data.dtype.str} {data.shape} ".encode() + data.tobytes()).hexdigest()


def _same(done: dict[str, Any], entry: dict[str, Any], place: Path) -> bool:
    """Whether a result is there and would come out the same."""
    if any(done.get(key) != value for key, value in entry.items()):
        return False
    try:
        return place.is_file() and place.stat().st_size == done.get("bytes")
    except OSError:
        return False


def _folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise SigconvError(f"{path}: {reason(why)}; wanted a folder that can be made and written") from None
