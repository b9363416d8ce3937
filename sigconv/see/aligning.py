"""`scores`: how well templates line up over time, or over a picture, and the events found there."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np

from ..errors import SigconvError
from ..matching import Events, Matching
from .maps import Map, Sheet, draw
from .panels import Axis
from .style import GUIDE

__all__ = ["scores", "scores_numbers"]

COLUMNS = 1600
FEW = 24  # templates up to which each is shown and named; of more, those about the events
SIZE = (9.0, 4.5)


def scores_numbers(found: Matching) -> Sheet:
    """The numbers that `scores` draws.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("chime-dry"))
    >>> sheet = scores_numbers(sc.match(x, ["note:Ab6", "note:Eb6"], stride=100))
    >>> sheet.maps[0].values.shape, sheet.unit
    ((2, 331), 'cosine')
    """
    domain, m = found.scores.domain, len(found.templates)
    if domain.ndim > 2:
        raise SigconvError(f"scores on {domain.ndim} axes: wanted one or two; cut a slice out of the signal")
    best = np.abs(found.rows).reshape(len(found.rows) // m, m, *domain.shape).max(0, initial=0)
    if domain.ndim == 2:
        down, across = Axis.of(domain, 0), Axis.of(domain, 1)
        return Sheet(((Map(best.max(0), down, across, (0.0, 1.0), "level", equal=down.unit == across.unit),),), "cosine")
    across, block = Axis.of(domain, 0), ceil(domain.shape[0] / COLUMNS)
    if block > 1:  # the best of each block
        wide = np.pad(best, ((0, 0), (0, -best.shape[1] % block)))
        best = wide.reshape(m, -1, block).max(-1)
        across = replace(across, first=across.first + (block - 1) / 2 * across.step, step=block * across.step, n=best.shape[1])
    panel = Map(best, Axis("template", "", 0.0, 1.0, m), across, (0.0, 1.0), "level", upward=True, equal=False)
    return Sheet(((panel,),), "cosine")


def scores(found: Matching, events: Events | None = None, *, ax: Any = None) -> Any:
    """A matching as a heat map, a row a template (in two axes the best of all templates), with its events framed.

    `events`: those to frame; `found.events()` where it is None.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("chime-dry"))
    >>> ax = scores(sc.match(x, ["note:Ab6", "note:Eb6"], stride=100))
    >>> ax.get_xlabel(), [t.get_text() for t in ax.get_yticklabels()]
    ('time (s)', ['note:Ab6', 'note:Eb6'])

    Raises `SigconvError` for scores on three axes.
    """
    from matplotlib.patches import Rectangle

    events = found.events() if events is None else events
    drawn = draw(scores_numbers(found), ax, SIZE if found.scores.domain.ndim == 1 else None)
    names = [t.name for t in found.templates]
    parts = [part for e in events for part in (e.parts or (e,)) if part.name in names]
    for e in parts:
        if found.scores.domain.ndim == 2:
            (top, bottom), (left, right) = e.extent
        else:
            row = names.index(e.name)
            (left, right), top, bottom = e.extent[0], row - 0.5, row + 0.5
        drawn.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=GUIDE, linewidth=1.2))
    if found.scores.domain.ndim == 1:
        rows = [names.index(e.name) for e in parts] if len(names) > FEW else []
        low, high = (max(min(rows) - 2, 0), min(max(rows) + 2, len(names) - 1)) if rows else (0, len(names) - 1)
        shown = range(low, high + 1, ceil((high - low + 1) / FEW))
        drawn.set_yticks(list(shown), [names[i] for i in shown])
        drawn.set_ylim(low - 0.5, high + 0.5)
    return drawn
