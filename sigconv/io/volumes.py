"""Arrays, volumes and any Signal at all: `.npy` and `.npz`, without pickle.

A Signal is kept whole in `.npz`: `data`, and `sigconv`, a JSON text with step and start as exact fractions, unit, name and
channels. A bare array says nothing of its grid, and is read by its number of axes: (n,) a line in "sample", (h, w) an
image, (d, h, w) a volume, each of one channel. Headers and the table of an archive are checked before anything is
allocated.
"""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain import Domain, Number, grid, line
from ..errors import SigconvError
from ..signal import Signal
from .doors import Source
from .limits import exact, within
from .sink import Sink

if TYPE_CHECKING:
    from zipfile import ZipFile

__all__ = ["bare_array", "facts", "load_array", "write_npy", "write_npz"]

META = "sigconv"
MEMBERS = 64
FULL = {"uint8": 255, "uint16": 65535}
KINDS = {1: "array", 2: "image", 3: "volume"}


def load_array(source: Source, form: str, rate: Number | None = None) -> Signal:
    """The Signal of an opened .npy or .npz; `rate` reads a bare array's last axis as time."""
    if form == "NPY":
        return _bare(source, _read(source.file(), source.size), rate)
    with _archive(source.file()) as archive:
        names = _members(source, archive)
        if META not in names:
            return _bare(source, _only(source, archive, names), rate)
        if rate is not None:
            raise SigconvError(f"rate {rate}: this .npz holds its own grid; load it, then sc.resample(x, {rate})")
        text = _member(archive, META, "U")
        if text.ndim or "data" not in names:
            raise source.error("an .npz of sigconv without its data; is it damaged?")
        return _whole(source, json.loads(str(text)), _member(archive, "data"))


def _archive(file: Any, mode: Any = "r") -> ZipFile:
    from zipfile import ZIP_DEFLATED, ZipFile  # which imports every kind of compression there is

    return ZipFile(file, mode, ZIP_DEFLATED)


def bare_array(source: Source, form: str) -> np.ndarray:
    """The one array of an opened .npy or .npz, as it is."""
    if form == "NPY":
        return _read(source.file(), source.size)
    with _archive(source.file()) as archive:
        names = _members(source, archive)
        return _member(archive, "data") if META in names and "data" in names else _only(source, archive, names)


def facts(source: Source, form: str) -> dict[str, Any]:
    """Shape and type from the headers alone."""
    if form == "NPY":
        shape, _, dtype = _header(source.file(), source.size)
        return _facts(form, shape, dtype, None)
    with _archive(source.file()) as archive:
        names = _members(source, archive)
        own = META in names
        name = "data" if own else names[0]
        if name not in names or len(names) - own != 1:
            return {"kind": "array", "format": form, "subtype": None, "channels": None, "names": None, "rate": None,
                    "shape": None,                    "duration": None, "arrays": names}
        with archive.open(f"{name}.npy") as file:
            shape, _, dtype = _header(file, archive.getinfo(f"{name}.npy").file_size)
        return _facts(form, shape, dtype, json.loads(str(_member(archive, META, "U"))) if own else None)


def _facts(form: str, shape: tuple[int, ...], dtype: np.dtype, meta: Any) -> dict[str, Any]:
    common = {"format": form, "subtype": dtype.name, "names": None, "rate": None, "duration": None}
    if meta is None:
        return {"kind": KINDS.get(len(shape), "array"), **common, "channels": 1, "shape": (1, *shape)}
    domain, channels = _grid_of(meta, shape)
    lead = shape[:len(shape) - domain.ndim]
    kind = {1: "array", 2: "image", 3: "volume"}[domain.ndim]
    if domain.unit[0] == "s":
        kind = {1: "sound", 2: "array", 3: "video"}[domain.ndim]
    rate = domain.rate if domain.ndim == 1 else None
    names = tuple(channels[-1]) if channels and channels[-1] else None
    return {"kind": kind, **common, "channels": lead[-1] if lead else 1, "names": names, "rate": rate, "shape": shape,
            "step": tuple(map(str, domain.step)), "start": tuple(map(str, domain.start)), "unit": domain.unit,
            "duration": float(domain.shape[0] * domain.step[0]) if domain.unit[0] == "s" else None}


def _header(file: Any, size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, Fortran order, dtype) of an .npy, checked against the bytes that are there."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise SigconvError(f".npy of version {version[0]}.{version[1]}: wanted 1.0, 2.0 or 3.0")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise SigconvError("an array of Python objects, which only pickle reads, and that can run code: wanted numbers")
    if dtype.kind not in "biufcU" or dtype.subdtype or dtype.names:
        raise SigconvError(f"an array of type {str(dtype)[:60]}: wanted numbers")
    if len(shape) > 8 or any(n < 0 for n in shape):
        raise SigconvError(f"an array of shape {str(shape)[:60]}: wanted 1 to 3 axes")
    needed, found = prod(shape) * dtype.itemsize, size - file.tell()
    if needed > found:
        raise SigconvError(f"cut off: its header claims {needed} bytes (shape {shape}, {dtype}), the file has {found}")
    return shape, fortran, dtype


def _read(file: Any, size: int, kinds: str = "biufc") -> np.ndarray:
    _, _, dtype = _header(file, size)
    if dtype.kind not in kinds:
        raise SigconvError(f"an array of type {dtype}: wanted numbers")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _members(source: Source, archive: ZipFile) -> list[str]:
    """Names of the arrays, the whole unpacked size within the limit."""
    from zipfile import ZIP_DEFLATED, ZIP_STORED

    infos = archive.infolist()
    if not infos or not all(info.filename.endswith(".npy") for info in infos):
        raise source.error("a zip archive of other things than .npy arrays; wanted an .npz (numpy.savez)")
    if len(infos) > MEMBERS or len({info.filename for info in infos}) < len(infos):
        raise source.error(f"an .npz of {len(infos)} arrays; wanted one array, or a file by sigconv.save")
    if any(info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.flag_bits & 1 for info in infos):
        raise source.error("an .npz that is encrypted or packed in an unusual way; wanted numpy.savez or savez_compressed")
    size = sum(info.file_size for info in infos)
    within("unpacked", size, f"an .npz of {size} bytes unpacked")
    return [info.filename.removesuffix(".npy") for info in infos]


def _member(archive: ZipFile, name: str, kinds: str = "biufc") -> np.ndarray:
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        array = _read(file, info.file_size, kinds)
        file.read(1)  # the end of the stream, where the checksum is compared
    return array


def _only(source: Source, archive: ZipFile, names: list[str]) -> np.ndarray:
    if len(names) > 1:
        raise source.error(f"an .npz of {len(names)} arrays ({', '.join(names[:6])}); wanted one, or a file by sigconv.save: "
                           "make a Signal of the array you mean and save that")
    return _member(archive, names[0])


def _bare(source: Source, array: np.ndarray, rate: Number | None) -> Signal:
    if not 1 <= array.ndim <= 3:
        raise source.error(f"an array of shape {array.shape}: wanted (n,), (h, w) or (d, h, w); say what its axes are with "
                           "sc.Signal(data, domain) and save that as .npz")
    if not array.size:
        raise source.error(f"an empty array, of shape {array.shape}; wanted at least one number")
    data = _scaled(array)
    _finite(source, data)
    if rate is not None:
        if array.ndim > 2:
            raise source.error(f"rate {rate} for an array of shape {array.shape}: wanted (n,) or (channels, n)")
        data = np.atleast_2d(data)
        within("channels", len(data), f"{len(data)} channels")
        return Signal(data, line(data.shape[-1], rate))
    domain = line(len(array), 1, unit="sample") if array.ndim == 1 else grid(*array.shape)
    return Signal(data[None], domain)


def _scaled(array: np.ndarray) -> np.ndarray:
    """Numbers as they are, 8 and 16 bits without sign as 0 … 1."""
    if array.dtype.name in FULL:
        return array / np.float32(FULL[array.dtype.name])
    if array.dtype.kind == "b" or array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype.kind in "iu" or array.dtype.itemsize > 8 * (1 + (array.dtype.kind == "c")):
        return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _finite(source: Source, data: np.ndarray) -> None:
    if data.dtype.kind in "fc" and not np.isfinite(data).all():
        at = tuple(map(int, np.argwhere(~np.isfinite(data))[0]))
        raise source.error(f"{data[at]} at index {at}; wanted finite numbers")


def _grid_of(meta: Any, shape: tuple[int, ...]) -> tuple[Domain, Any]:
    """The grid that our own JSON describes, and the names of the value axes."""
    try:
        step, start = (tuple(exact(v) for v in meta[key]) for key in ("step", "start"))
        domain = Domain(shape[len(shape) - len(step):], step, start, tuple(meta["unit"]), tuple(meta["name"]))
        return domain, meta["channels"]
    except (KeyError, TypeError, ValueError):
        raise SigconvError("an .npz of sigconv whose grid makes no sense; is it damaged?") from None


def _whole(source: Source, meta: Any, data: np.ndarray) -> Signal:
    domain, channels = _grid_of(meta, data.shape)
    _finite(source, data)
    try:
        return Signal(data, domain, channels)
    except TypeError:
        raise source.error("an .npz of sigconv whose channel names make no sense; is it damaged?") from None


def write_npy(sink: Sink, signal: Signal) -> None:
    """The numbers alone, of shape `(*value, *Ω)`."""
    np.lib.format.write_array(sink, np.asarray(signal.numpy().data), allow_pickle=False)


def write_npz(sink: Sink, signal: Signal) -> None:
    """The whole Signal."""
    x = signal.numpy()
    d = x.domain
    channels = [None if names is None else list(names) for names in x.names]
    meta = {"version": 1, "step": list(map(str, d.step)), "start": list(map(str, d.start)), "unit": list(d.unit),
            "name": list(d.name), "channels": channels if any(channels) else None}
    from zipfile import ZipInfo

    with _archive(sink, "w") as archive:
        for name, array in (("data", x.data), (META, np.array(json.dumps(meta)))):
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)


