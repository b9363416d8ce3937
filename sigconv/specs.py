"""Kernels in words: one grammar for the command line and the library.

    edge                              a family by name or alias, in capitals or not
    lowpass:cutoff=800,taps=513       with parameters; without names in their order (lowpass:800, bandpass:500,2k, note:A4)
    gammatone:32,100,7000             a bank: how many, from where to where
    lowpass:cutoff=1.5k, delay:20ms   numbers with prefix or unit; notes for frequencies
    -1,0,1  [[0,1,0],[1,-4,1],…]      typed taps, centred; fractions as 1/3
    room.wav                          a sound file, from 0; c channels are a bank of c
    taps.npy  taps.json  taps.csv     taps, centred, at the step of the signal; an image is a 2D kernel
    trumpet.ogg@0.20-0.35             a motif cut from a recording, in seconds, from 0
    run/best.safetensors:front        a layer of a trained net, its filters a bank; :front#7 is one of them
    blur*edge                         one after another

Nothing is ever evaluated: taps are read as JSON, files by their own readers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from . import arrays
from .convolving import cascade
from .domain import Domain
from .errors import SigconvError, UsageError, printable
from .kernels.banking import bank, find_bank
from .kernels.reading import NUMBER, arguments, names, nearest, plain, quoted, several
from .kernels.registry import LIMIT, Family, find
from .signal import Signal

__all__ = ["kernel", "names", "slug"]

TEXT = 16 * 2**20  # characters of typed taps
DEPTH = 5  # brackets within brackets: three axes, and two of value in an array
FRACTION = re.compile(r"[-+0-9.eE]{1,40}\s{0,9}/\s{0,9}[-+0-9.eE]{1,40}")
MOTIF = re.compile(r"(.+)@\s*([0-9]*\.?[0-9]+)\s*s?\s*-\s*([0-9]*\.?[0-9]+)\s*s?", re.DOTALL)
LAYER = re.compile(r"(.+\.safetensors)(?::([\w.]*))?(?:#(\d{1,6}))?", re.DOTALL | re.IGNORECASE)
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64", ".npy", ".npz", ".json",
            ".csv", ".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm")
FORMS = "a name such as edge or lowpass:800, taps such as -1,0,1, or a file such as room.wav"


def kernel(spec: Any, like: Domain | Signal | None = None) -> Signal:
    """The kernel that `spec` means, to act on signals like `like` (a Domain, or a Signal on one).

    `spec`: a string of the grammar above; a Signal, passed through; numbers or an array (a tensor stays one, on its graph), taken
    as centred taps: the last axes are those of `like`, one or two in front of them are a bank (m,) or a layer (m, c). Layers of
    torch correlate, so `sc.correlate(x, sc.kernel(conv.weight, x))` is `conv(x)` without its bias, padded to the same size.

    >>> import sigconv as sc
    >>> sc.kernel("-1,0,1", sc.line(1, 8000)).domain.start, sc.kernel("blur*edge", sc.line(1, 8000)).domain.shape
    ((-1,), (18,))

    Raises `UsageError` for names and parameters that are not known (it says which are), taps that make no box of finite
    numbers, and kernels that do not fit the axes of `like`; `SigconvError` for files that can't be read.
    """
    like = like.domain if isinstance(like, Signal) else like
    if like is None:
        what = quoted(spec) if isinstance(spec, str) else type(spec).__name__
        call = f"sc.kernel({what if isinstance(spec, str) else 'taps'}, x)"
        raise UsageError(f"kernel {what}: wanted also the domain or signal it will act on: {call}")
    if not isinstance(like, Domain):
        raise UsageError(f"a kernel for a {type(like).__name__}: wanted the domain that it will act on, e.g. x.domain")
    if isinstance(spec, Signal):
        return _checked(spec, like, "kernel")
    if not isinstance(spec, str):
        return _checked(_taps(spec, like, "kernel", value=True), like, "kernel")
    text = spec.strip()
    if not text:
        raise UsageError(f"an empty kernel: wanted {FORMS}")
    if len(text) > TEXT:
        raise UsageError(f"a kernel of {len(text)} characters: wanted at most {TEXT}; put the taps into a .npy file")
    pieces = [text] if _exists(text) else _split(text)
    found = [_checked(_one(piece.strip(), like, text), like, f"kernel {quoted(piece)}") for piece in pieces]
    return found[0] if len(found) == 1 else _checked(_cascade(found), like, f"kernel {quoted(text)}")


def slug(spec: Any) -> str:
    """A short name for files: of a path its stem, of typed taps `"taps"`.

    >>> slug("edge"), slug("lowpass:cutoff=800"), slug("rooms/hall.wav"), slug("-1,0,1"), slug("blur*edge")
    ('edge', 'lowpass-cutoff=800', 'hall', 'taps', 'blur+edge')
    """
    if not isinstance(spec, str):
        return "kernel" if isinstance(spec, Signal) else "taps"
    text = spec.strip()[:4096]
    pieces = [text] if _exists(text) else [p.strip() for p in _split(text)]
    words = []
    for piece in pieces:
        if piece.startswith("[") or _is_typed(piece):
            words.append("taps")
            continue
        if layer := LAYER.fullmatch(piece):
            words.append("-".join(filter(None, (PurePath(layer[1]).stem, layer[2], layer[3]))))
            continue
        motif = None if _exists(piece) else MOTIF.fullmatch(piece)
        path, cut = (motif[1], f"@{motif[2]}-{motif[3]}") if motif else (piece, "")
        words.append(PurePath(path.replace("\0", "")).stem + cut if _is_path(path) else piece)
    name = re.sub(r"[^\w.=+@,-]+", "-", "+".join(filter(None, words))).strip(".-+,")
    name = name[:60].encode("utf-8", "ignore")[:120].decode("utf-8", "ignore").strip(".-+,")
    return name or "kernel"


def _split(text: str) -> list[str]:
    """The pieces between the `*` that stand outside brackets."""
    if "*" not in text:
        return [text]
    depth, cuts = 0, [-1]
    for i, c in enumerate(text):
        depth += (c == "[") - (c == "]")
        if c == "*" and depth <= 0:
            cuts.append(i)
    return [text[a + 1:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _cascade(kernels: Sequence[Signal]) -> Signal:
    """Kernels in a row, refused before they grow out of bounds."""
    result = kernels[0]
    for second in kernels[1:]:
        size = int(np.prod([a + b - 1 for a, b in zip(result.domain.shape, second.domain.shape, strict=True)]))
        size *= max(int(np.prod(result.value)), 1) * max(int(np.prod(second.value)), 1)
        if size > LIMIT:
            raise UsageError(f"a cascade of {size} taps: wanted at most {LIMIT}")
        result = cascade(result, second)
    return result


def _one(text: str, like: Domain, whole: str) -> Signal:
    if not text:
        raise UsageError(f"kernel {quoted(whole)}: nothing on one side of '*'; wanted a kernel on both")
    if text.startswith("["):
        return _taps(_nested(text), like, f"taps {quoted(text)}")
    if _is_typed(text):
        return _taps(_numbers(text.split(","), f"taps {quoted(text)}"), like, f"taps {quoted(text)}")
    if (gain := _lone(text)) is not None:
        raise UsageError(f"kernel {quoted(text)}: one number; for a gain write [{gain}]")
    name, colon, rest = text.partition(":")
    family = find(name.strip())
    if family:
        return _family(family, name.strip(), rest if colon else "", like)
    if find_bank(name):
        return _bank(text, name.strip(), like)
    if layer := LAYER.fullmatch(text):
        return _trained(layer[1], layer[2] or "", layer[3], text)
    if not _exists(text) and (motif := MOTIF.fullmatch(text)) and _is_path(motif[1]):
        return _motif(motif[1], float(motif[2]), float(motif[3]), like)
    if _is_path(text):
        return _file(text, like)
    if both := several(text):
        raise UsageError(f"kernel {quoted(text)}: {both}")
    near = nearest(name.strip())
    raise UsageError(f"kernel {quoted(name)}: unknown; {near or f'wanted {FORMS}; names: ' + ', '.join(names())}")


def _lone(text: str) -> str | None:
    """The digits of a text that is one number or fraction, perhaps with a unit, and no file."""
    found = NUMBER.fullmatch(text) if "/" not in text else None
    return found[1] if found else text if plain(text) is not None and not _exists(text) else None


def _family(family: Family, called: str, rest: str, like: Domain) -> Signal:
    """A family with its parameters, each read in its unit."""
    if like.ndim not in family.dims:
        family.function(like)
    options = arguments(family, called, rest, like)
    try:
        with np.errstate(all="ignore"):
            return family.function(like, **options)
    except SigconvError as why:
        raise UsageError(str(why) if str(why).startswith(family.name) else f"{called}: {why}") from None


def _bank(text: str, called: str, like: Domain) -> Signal:
    """A bank that is one Signal."""
    made = bank(text, like)
    if isinstance(made, Signal):
        return made
    raise UsageError(f"kernel {called}: {len(made)} kernels of strides {', '.join(str(s) for _, s in made)}; wanted a bank of "
                     "one rate; as pairs it is sc.kernels.bank, and sc.Bank")


def _motif(path: str, begin: float, end: float, like: Domain) -> Signal:
    from .io import load

    if end <= begin:
        raise UsageError(f"{printable(path, 200)}@{begin:g}-{end:g}: wanted a beginning before the end, in seconds")
    recording = load(path)
    if recording.domain.ndim != 1:
        raise UsageError(f"{printable(path, 200)}: a file of {recording.domain.ndim} axes; wanted sound, a motif is cut from it")
    cut = recording.between(begin, end)
    if not cut.domain.size:
        raise UsageError(f"{printable(path, 200)}@{begin:g}-{end:g}: the recording ends at {recording.domain.extent[0][1]:g} s; "
                         "wanted a part of it")
    return _squeezed(cut.at(0))


def _trained(path: str, layer: str, number: str | None, text: str) -> Signal:
    """The taps of a layer of a trained net, or one filter of it."""
    from .learn import Net

    layers = Net.load(path).kernels()
    layer = layer or next(iter(layers), "")
    if layer not in layers:
        raise UsageError(f"kernel {quoted(text)}: no layer {layer!r} with taps; wanted one of "
                         f"{', '.join(layers) or 'another net: it has none'}")
    k = layers[layer]
    if number is None:
        return k
    if not k.value or int(number) >= k.value[0]:
        raise UsageError(f"kernel {quoted(text)}: filters are numbered from 0 to {k.value[0] - 1 if k.value else 0}; wanted "
                         f"one of these")
    return Signal(k.data[int(number)], k.domain)


def _file(path: str, like: Domain) -> Signal:
    """A kernel from a file: sound from 0 at its own rate, anything else centred at the step of `like`."""
    suffix, what = PurePath(path).suffix.lower(), printable(path, 200)
    if suffix in (".npy", ".json", ".csv") or (suffix == ".npz" and not _is_signal(path)):
        from .io import load_taps

        return _taps(load_taps(path), like, what, value=suffix in (".npy", ".npz"))
    from .io import load

    loaded = _squeezed(load(path))
    if suffix == ".npz" or loaded.domain.ndim != like.ndim:
        return loaded
    if loaded.domain.unit == ("s",):
        return loaded.at(0)
    grid = loaded.domain.centre()
    return Signal(loaded.data, Domain(grid.shape, like.step, grid.start, like.unit, like.name), loaded.names)


def _is_signal(path: str) -> bool:
    """Whether an .npz holds a Signal with its grid, rather than a bare array."""
    from zipfile import ZipFile

    from .io.doors import opened

    with opened(path) as source, ZipFile(source.file()) as archive:
        return "sigconv.npy" in archive.namelist()


def _squeezed(k: Signal) -> Signal:
    """One channel is a plain filter."""
    return Signal(k.data[0], k.domain) if k.value == (1,) else k


def _numbers(words: Sequence[str], what: str) -> list[float]:
    if len(words) > LIMIT:
        raise UsageError(f"{what}: {len(words)} taps; wanted at most {LIMIT}")
    numbers = []
    for place, word in enumerate(words, 1):
        found = plain(word.strip())
        if found is None:
            raise UsageError(f"{what}: entry {place} is {quoted(word)}; wanted a number")
        numbers.append(found)
    return numbers


def _nested(text: str) -> Any:
    """Numbers in brackets, by JSON; too deep and too many are refused before it looks."""
    what = f"taps {quoted(text)}"
    if "/" in text:
        text = FRACTION.sub(lambda found: found[0] if plain(found[0]) is None else repr(plain(found[0])), text)
    opening = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    depth = int(np.cumsum((opening == ord("[")).astype(np.int32) - (opening == ord("]"))).max(initial=0))
    if depth > DEPTH or re.search(r"[^-+0-9eE.,\[\]\s]", text.replace("NaN", "").replace("Infinity", "")):
        raise UsageError(f"{what}: wanted numbers in at most {DEPTH} brackets, e.g. [[0,1,0],[1,-4,1],[0,1,0]]")
    if text.count(",") >= LIMIT:
        raise UsageError(f"{what}: {text.count(',') + 1} taps; wanted at most {LIMIT}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as why:
        reason = f"{why.msg} at character {why.pos + 1}" if isinstance(why, json.JSONDecodeError) else "a number too long to read"
        raise UsageError(f"{what}: {reason}; wanted numbers in brackets, e.g. [[0,1,0],[1,-4,1],[0,1,0]]") from None


def _taps(data: Any, like: Domain, what: str, value: bool = False) -> Signal:
    """Numbers as a centred kernel of like's axes; with `value`, axes in front of these are the value's."""
    try:
        taps = data if arrays.is_tensor(data) else np.asarray(data)
        taps = arrays.asarray(taps if arrays.is_tensor(taps) or taps.size else taps.astype(float))
    except (ValueError, TypeError, OverflowError, SigconvError):
        raise UsageError(f"{what}: wanted a full box of numbers, every row as long as the others") from None
    if taps.ndim < like.ndim or taps.ndim > like.ndim + 2 * value:
        raise UsageError(f"{what}: taps of {_axes(taps.ndim)} on a signal of {like.ndim}; {_cure(taps.ndim, like.ndim, value)}")
    if not arrays.is_tensor(taps) and taps.dtype.kind in "iub":
        taps = taps.astype(np.float64)
    shape = tuple(taps.shape[taps.ndim - like.ndim:])
    return _squeezed(Signal(taps, Domain(shape, like.step, [-((max(n, 1) - 1) // 2) for n in shape], like.unit, like.name)))


def _axes(count: int) -> str:
    return f"{count} ax{'i' if count == 1 else 'e'}s"


def _bigger(got: int, value: bool = False) -> str:
    """The signals that taps of so many axes act on."""
    fits = [n for n in (2, 3) if (got - 2 if value else got) <= n <= got]
    return f"a signal of {' or '.join(map(str, fits))} axes (an image, or --dims {fits[0]})" if fits else "taps of fewer axes"


def _cure(got: int, wanted: int, value: bool) -> str:
    if got > wanted:
        lists = "" if value or wanted > 1 else "one list of numbers, e.g. -1,0,1 (a bank is a .npy of shape (filters, taps)), or "
        return f"wanted {lists}{_bigger(got, value)}"
    return f"wanted {wanted} brackets around the taps, e.g. " + "[" * wanted + "-1,0,1" + "]" * wanted


def _checked(k: Signal, like: Domain, what: str) -> Signal:
    """The door: as many axes as `like`, taps, a value that convolution knows, and no NaN."""
    if k.domain.ndim != like.ndim:
        wanted = _bigger(k.domain.ndim) if k.domain.ndim > like.ndim else "as many as the signal has"
        raise UsageError(f"{what}: a kernel of {_axes(k.domain.ndim)} on a signal of {like.ndim}; wanted {wanted}")
    if len(k.value) > 2:
        raise UsageError(f"{what}: a kernel of value {k.value}; wanted () for a filter, (m,) for a bank or (m, c) for a layer")
    if 0 in k.data.shape:
        raise UsageError(f"{what}: no taps; wanted at least one")
    if not arrays.finite(k.data):
        data = arrays.to_numpy(k.data)
        place = np.unravel_index(int(np.argmin(np.isfinite(data))), data.shape)
        bad, spot = "NaN" if np.isnan(data[place]) else "an infinite value", ", ".join(str(int(i)) for i in place)
        raise UsageError(f"{what}: {bad} at tap {spot}; wanted finite numbers")
    return k


def _is_typed(text: str) -> bool:
    """Whether this reads as numbers with commas."""
    return "," in text and text[0] in "+-.0123456789 ," and ":" not in text and "=" not in text and not _exists(text)


def _is_path(text: str) -> bool:
    """Whether a word names a file: it exists, has a folder in it, or a file's suffix."""
    return text != "-" and ("/" in text or os.sep in text or text.lower().endswith(SUFFIXES) or _exists(text))


def _exists(text: str) -> bool:
    try:
        return len(text) < 4096 and os.path.lexists(text)
    except (ValueError, OSError):
        return False
