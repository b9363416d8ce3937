"""What a template's read-out says: how loud an answer is, and when it began.

The magnitude of a read-out with a quadrature template rises while the window slides over a note's beginning, fastest where the
window's middle, its greatest weight, crosses it: the steepest rise is the onset. How well sound and template line up is told by
`matching.alignment`.
"""

from __future__ import annotations

import numpy as np

from .. import arrays
from ..convolving import convolve
from ..domain import Domain
from ..signal import Signal

__all__ = ["FIFTH", "level", "onset", "rises"]

FIFTH = 0.2  # of the highest read-out: where a read-out counts as begun


def onset(matched: Signal) -> float:
    """When a template's magnitude rises most steeply, in units of the axis: the beginning of its strongest note.

    >>> import sigconv as sc
    >>> onset(sc.Signal([0.0, 0.0, 1j, 2.0, 2.0], sc.line(5, 1)))
    1.5

    NaN where nothing rises.
    """
    size = np.abs(arrays.to_numpy(matched.data))
    rise = np.diff(size)
    if not rise.size or rise.max() <= 0:
        return float("nan")
    return float((matched.domain.start[0] + int(rise.argmax()) + 0.5) * matched.domain.step[0])


def level(y: Signal, period: float) -> Signal:
    """The amplitude of an oscillation over time: √2 times its RMS over one period (in units), on y's own grid."""
    many = max(round(period / float(y.domain.step[0])), 1)
    box = Signal(np.full(many, 2 / many), Domain(many, y.domain.step, -((many - 1) // 2), y.domain.unit))
    mean = convolve(Signal(np.abs(arrays.to_numpy(y.data)) ** 2, y.domain), box).data
    return Signal(np.sqrt(np.maximum(mean, 0)), y.domain)


def rises(size: Signal, by: float, reach: float, share: float = FIFTH) -> float:
    """When a read-out began that stands at time `by`: going back from there, the last time below `share` of its peak.

    `size`: a magnitude; its peak is the highest within `reach` of `by` (both in units of the axis), and no further back is gone.

    >>> import sigconv as sc
    >>> rises(sc.Signal([9.0, 0.0, 1.0, 2.0, 8.0, 10.0], sc.line(6, 1)), 4, 3)
    3.0

    NaN where `by` is, and where it never lies below: what was there before did not begin. Before the axis it is 0.
    """
    data, step, start = arrays.to_numpy(size.data), float(size.domain.step[0]), float(size.domain.start[0])
    if not np.isfinite(by) or not data.size:
        return float("nan")
    at, wide = min(max(round(by / step - start), 0), len(data) - 1), round(reach / step)
    first = max(at - wide, 0)
    below = np.flatnonzero(data[first: at + 1] < share * data[first: at + wide + 1].max())
    if not len(below):
        return start * step if first == 0 else float("nan")
    return (first + float(below[-1]) + 1 + start) * step
