"""What a template's read-out says: how well sound and template line up, and when.

A running scalar product ⟨x_t, a⟩ is ‖x_t‖‖a‖ cos: divided by the energy of the piece x_t under the template, the cosine is left.
A quadrature template q = w·e^{2πift}/‖w‖ is two templates in one, a cosine and a sine of norm 1/√2 each, at right angles: the
projection of x_t on their plane has the length √2·|⟨x_t, q⟩|, so √2·⟨x_t, q⟩/‖x_t‖ has the cosine with either in its real and
imaginary part and, in its magnitude, the best cosine of any phase.

The magnitude rises while the window slides over a note's beginning, fastest where the window's middle, its greatest weight,
crosses it: the steepest rise is the onset.
"""

from __future__ import annotations

import numpy as np

from .. import arrays
from ..convolving import convolve, correlate
from ..domain import Domain
from ..signal import Signal

__all__ = ["FIFTH", "alignment", "level", "onset", "rises"]

FIFTH = 0.2  # of the highest read-out: where a read-out counts as begun
QUIET = 1e-10  # of the highest local energy: below it a piece has no direction


def alignment(x: Signal, k: Signal) -> Signal:
    """The cosine between a kernel and every piece of x: ``x ★ k`` over ``‖k‖`` and the norm of the piece under it, in [−1, 1].

    A complex kernel counts as the pair of its parts, each of norm 1/√2 of its own: the real part of the result is the cosine
    with its real part, the magnitude that with the nearest phase, in [0, 1]. Silence has no direction: 0.

    >>> import sigconv as sc
    >>> k = sc.Signal([1.0, 2.0, -1.0], sc.line(3, 8000))
    >>> x = sc.Signal([0.0, -3.0, -6.0, 3.0, 0.0], sc.line(5, 8000))
    >>> alignment(x, k).data.round(3)
    array([ 0.   , -1.   ,  0.   ,  0.408,  0.   ])

    Raises `SigconvError` where rates or axes disagree, as `correlate` does.
    """
    exact = Signal(arrays.to_numpy(x.data).astype(float), x.domain, x.names)
    taps = arrays.to_numpy(k.data)
    y = arrays.to_numpy(correlate(exact, k).data)
    ones = Signal(np.ones(k.domain.shape), k.domain)
    energy = correlate(Signal(exact.data**2, x.domain), ones).data
    energy = np.where(energy > QUIET * energy.max(initial=0), energy, np.inf)
    pair = 2 if np.iscomplexobj(taps) else 1
    cosine = y * np.sqrt(pair / np.sum(np.abs(taps) ** 2)) / np.sqrt(energy)
    return Signal(cosine / np.maximum(np.abs(cosine), 1), x.domain, x.names)


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
