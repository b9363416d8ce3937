"""Kernels of two ears: layers of value (2, 2), from (left, right).

A layer is a matrix of filters: y_m = Σ_c k_mc * x_c. `midside` is the matrix alone, one tap each. Crossfeed with a low-pass L of
gain 1 at DC, a share c of it, and a delay T is

    [[δ − c·L,     c·T·L  ],
     [c·T·L,       δ − c·L]],    c = g/(1 + g),

so that at low frequencies the far ear's sound lies g below the near one's, both sum to 1, and highs stay where they were.
"""

from __future__ import annotations

from math import ceil, log, pi
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..domain import Domain
from ..engines import conv
from ..signal import Signal
from .registry import FREQUENCY, LENGTH, PLAIN, Parameter, family, limit, number, on_grid, per
from .shapes import interpolated

__all__ = ["crossfeed", "midside"]

EARS = "it mixes the left and the right ear, images and volumes have none"
SIDES = ("left", "right")
FAINT = 1e-5  # −100 dB: where the low-pass is cut off


@family(refused={2: EARS, 3: EARS}, formula="[[1, 1], [1, −1]]/√2 · δ: (left, right) → (mid, side)",
        facts={"symmetry": "even", "delay": 0.0})
def midside(like: Domain) -> Signal:
    """Left and right as mid and side: what both ears share, and what tells them apart.

    A layer of value (2, 2), orthonormal and its own inverse: applied twice it gives left and right back, and the energy stays.
    Sound that is the same in both ears has a side of 0.

    >>> import sigconv as sc
    >>> np.round(midside(sc.line(1, 8000)).data[..., 0], 3).tolist()
    [[0.707, 0.707], [0.707, -0.707]]
    """
    taps = np.array([[1.0, 1.0], [1.0, -1.0]])[..., None] * 0.5**0.5
    return Signal(taps, on_grid(like, (1,), (0,)), (("mid", "side"), SIDES))


@family(refused={2: EARS, 3: EARS}, formula="near ear δ − c·L, far ear c·L(t − delay); L(t) ∝ exp(−2π·cutoff·t), Σ L = 1",
        parameters={"level": Parameter(PLAIN, 4.5, "how much softer the far ear's lows are, in dB"),
                    "delay": Parameter(LENGTH, "0.3 ms or 13 steps", "how much later it begins there"),
                    "cutoff": Parameter(FREQUENCY, "700 Hz or rate/64", "−3 dB of the low-pass on the way around the head")},
        facts={"dc": "1 for mono"})
def crossfeed(like: Domain, level: Any = 4.5, delay: Any = None, cutoff: Any = None) -> Signal:
    """Stereo for headphones: each ear also hears the other's sound, duller, later and softer, as around a head.

    A layer of value (2, 2). `level`: by how many dB the far ear's sound lies below the near one's at low frequencies, above 0.
    `delay`: how much later it begins; between samples it is interpolated. `cutoff`: −3 dB of the one-pole low-pass that stands
    for the head; its response is cut off 100 dB down, which drops 1e-10 of its energy. Sound that is the same in both ears has
    gain 1 at DC, and a dip of about 3 dB near 1 kHz, where the far ear's comes out of step. On seconds 0.3 ms (to the nearest
    sample) and 700 Hz by default, elsewhere 13 steps and rate/64. After Bauer, "Stereophonic earphones and binaural
    loudspeakers", J. Audio Eng. Soc. 9, 1961; 700 Hz and 4.5 dB are the defaults of the library bs2b.

    >>> import sigconv as sc
    >>> k = crossfeed(sc.line(1, 44100))
    >>> k.channels, k.value, np.round(k.data.sum(-1), 3).tolist()
    (('left', 'right'), (2, 2), [[0.627, 0.373], [0.373, 0.627]])
    """
    step, unit = float(like.step[0]), like.unit[0]
    seconds = unit == "s" and step <= 1 / 5000
    delay = (round(3e-4 / step) if seconds else 13) * step if delay is None else delay
    cutoff = (700.0 if seconds else 1 / (64 * step)) if cutoff is None else cutoff
    number(delay, "delay", unit, least=0)
    number(level, "level", "dB", above=0)
    count = ceil(-log(FAINT) / (2 * pi * number(cutoff, "cutoff", per(unit), above=0, below=0.5 / step) * step))
    late, first = interpolated(delay, step, unit)
    limit((2, 2, abs(first) + len(late) + count))
    xp, (softer, edge, at, late) = arrays.constants(level, cutoff, np.arange(count), late)
    ratio = 10 ** (-softer / 20)
    head = xp.exp(-2 * np.pi * step * edge * at)
    head = head / xp.sum(head) * (ratio / (1 + ratio))
    around = conv(late[None, None], head[None, None], window=(0, len(late) + count - 1))[0, 0]
    return _ears(like, head, around, first)


def _ears(like: Domain, head: Array, around: Array, first: int) -> Signal:
    """δ − head for the near ear and `around`, from sample `first`, for the far one, on one grid."""
    xp = arrays.namespace(head)
    start, stop = min(0, first), max(len(head), first + len(around))

    def placed(taps: Array, at: int) -> Array:
        _, (_, before, after) = arrays.constants(taps, np.zeros(at - start), np.zeros(stop - at - len(taps)))
        return xp.concat([before, taps, after])

    _, (_, here) = arrays.constants(head, np.arange(start, stop) == 0)
    near, far = here - placed(head, 0), placed(around, first)
    taps = xp.stack([xp.stack([near, far]), xp.stack([far, near])])
    return Signal(taps, on_grid(like, (stop - start,), (start,)), (SIDES, SIDES))
