"""A scan's label, the text in the comment of its WAV, and the way back from the sound to what was scanned.

The label is JSON, small, and all that `unscan` must know, so that nobody has to remember it: the grid (shape, step, start, unit,
name), the shape and names of the channels, the axis that was read slice by slice and which slices were, grey and gain.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite, prod
from typing import Any

import numpy as np

from ..domain import Domain
from ..errors import SigconvError, UsageError, printable
from ..signal import Signal
from .raster import Raster, axis_of, levels

__all__ = ["parsed", "text", "unscan"]

WANTED = "wanted a WAV of a scan as sigconv writes it, or the domain of what was scanned"


def text(how: Raster) -> str:
    """The label of a raster."""
    d, grey = how.domain, how.grey
    return json.dumps({
        "sigconv": "scan", "how": "rows", "shape": d.shape, "step": [*map(str, d.step)], "start": [*map(str, d.start)],
        "unit": d.unit, "name": d.name, "value": how.value, "names": how.names if any(how.names) else None, "along": how.along,
        "every": how.every, "grey": grey[0] if len(set(grey)) == 1 else grey, "gain": how.gain})


def parsed(label: str | None) -> Raster:
    """The raster that a label describes; nothing in it is believed before it fits, and nothing allocated from it."""
    if not label:
        raise SigconvError(f"no comment that says what was scanned; {WANTED}")
    from ..io.limits import exact, limit

    try:
        found = json.loads(label)
        if found["sigconv"] == "scan" and found["how"] == "spectrum":
            raise SigconvError("a scan by spectrum, which has no inverse; wanted one by rows")
        shape, value, every, along = tuple(found["shape"]), tuple(found["value"]), tuple(found["every"]), found["along"]
        whole = all(type(n) is int and 0 <= n < 2**31 for n in (*shape, *value, *every, along))
        if (found["sigconv"], found["how"]) != ("scan", "rows") or not whole or prod(value) > limit("channels"):
            raise ValueError
        steps, starts = ([exact(v) for v in found[key]] for key in ("step", "start"))
        grid = Domain(shape, steps, starts, found["unit"], found["name"])
        gain, names = float(found["gain"]), found["names"]
        words = [word for axis in names or () for word in axis or ()]
        if not isfinite(gain) or not gain or len(every) != grid.ndim or 0 in every or found["grey"] is None or \
                not all(isinstance(word, str) for word in words):
            raise ValueError
        return _raster(grid, value, names, along, found["grey"], gain, every)
    except (SigconvError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as why:
        raise why if "no inverse" in str(why) else SigconvError(f"a comment that describes no scan; {WANTED}") from None


def unscan(sound: Any, domain: Domain | None = None, *, grey: Any = None, gain: float = 1.0, along: str | int | None = None,
           value: Sequence[int] | None = None, names: Sequence[Any] | None = None) -> Signal:
    """The image, volume, video or line that a scan by rows was made of: its inverse.

    `sound`: a scan, or the path of a WAV that holds one; a WAV by sigconv says in its comment all that follows. `domain`: the
    grid that was scanned. `grey`: what was taken off, a number or one a channel (½ by default where the grid is in px).
    `gain`: what the scan was multiplied by. `along`: the axis that was read slice by slice. `value`, `names`: shape and names
    of the channels (by default those of the sound).

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("image"))
    >>> float(abs(unscan(sc.hear.scan(x) * 0.5, x.domain, gain=0.5).data - x.data).max()) < 1e-7
    True

    Raises `SigconvError` for a WAV whose comment is no scan's, a scan by "spectrum", one from which slices or rows were
    left out, and a sound that is not as long as the grid is large.
    """
    if not isinstance(sound, Signal):
        from ..io import info, load

        if domain is None:
            about = info(sound)
            try:
                return parsed(about.get("comment")).write(load(sound))
            except SigconvError as why:
                raise SigconvError(printable(f"{about['path']}: {str(why).removeprefix(about['path'] + ': ')}")) from None
        sound = load(sound)
    if not isinstance(domain, Domain):
        raise UsageError(f"a {type(domain).__name__} as domain: wanted the Domain of what was scanned, or the path of a WAV that "
                         "says it")
    if grey is None and domain.unit[-2:] != ("px", "px"):
        raise UsageError(f"no grey for a grid in {'×'.join(domain.unit)}: wanted grey=, the number that the scan took off")
    if not isinstance(gain, (int, float)) or not isfinite(gain) or not gain:
        raise UsageError(f"gain {gain!r}: wanted a finite number other than 0")
    if value is None:
        value, names = sound.value, sound.names if names is None else names
    every = (1,) * domain.ndim
    return _raster(domain, tuple(value), names, along, 0.5 if grey is None else grey, float(gain), every).write(sound)


def _raster(domain: Domain, value: tuple, names: Any, along: Any, grey: Any, gain: float, every: tuple) -> Raster:
    none = Signal(np.zeros((*value, *(0,) * domain.ndim)), Domain((0,) * domain.ndim), names)  # where names are checked
    return Raster(domain, value, none.names, axis_of(domain, along, 0), every, levels(none, grey), gain)
