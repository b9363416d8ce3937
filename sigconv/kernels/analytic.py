"""The quadrature of a sound: the Hilbert transformer, and the analytic signal that it makes.

−90° at every positive frequency and +90° at every negative one, gain 1 throughout, is the response −i·sign(f). Its taps, the
integral of −i·sign(f)·exp(2πi·f·n) over one period of f, are 2/(πn) at odd n and 0 at even n. Cut to K of them under a window,
the gain is smeared where the sign jumps, at 0 and at rate/2, and is even about rate/4; between the smears it is 1. No even
number of taps serves, and no direction-free kernel on more axes: there the sign needs a direction.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from ..domain import Domain
from ..errors import UsageError
from ..signal import Signal
from .registry import COUNT, FREQUENCY, Parameter, centred, family, limit, number, per, whole

__all__ = ["hilbert"]

TURNS = "a quarter turn needs a direction, which a line has; the plane has the Riesz transform, edge is its kin"
WITHIN = 1.75  # (taps + 1) · low / rate: from `low` on the gain under a Hamming window lies within 1 % (measured: 1.60 … 1.73)


@family("quadrature", refused={2: TURNS, 3: TURNS}, formula="2/(πn) at odd n, 0 at even n, under a Hamming window",
        parameters={"taps": Parameter(COUNT, "from low", "how many, an odd number"),
                    "low": Parameter(FREQUENCY, "50 Hz or rate/64", "from here to rate/2 − low the gain lies within 1 %")},
        facts={"dc": 0.0, "zero_mean": True, "symmetry": "odd", "delay": 0.0})
def hilbert(like: Domain, taps: int | None = None, low: Any = None) -> Signal:
    """Turns every frequency by a quarter: a cosine becomes the sine, loudness as it was.

    The Hilbert transformer, −90° at every positive frequency: ``x + 1j * (x @ hilbert(x.domain))`` is the analytic signal, whose
    magnitude is the envelope. Its gain lies within 1 % (0.09 dB) between `low` and rate/2 − `low`, and falls to 0 at DC and at
    rate/2; `flat(k)` says the range for any number of `taps`, which must be odd (3, 7, 11, …: of the others the end taps are 0).
    On seconds `low` is 50 Hz by default, elsewhere rate/64; where `taps` are given it is not read.

    >>> import sigconv as sc
    >>> np.round(hilbert(sc.line(1, 8000), 7).data, 3)
    array([-0.017,  0.   , -0.49 ,  0.   ,  0.49 ,  0.   ,  0.017])
    """
    step, unit = float(like.step[0]), like.unit[0]
    rate = 1 / step
    if taps is None:
        low = (50.0 if unit == "s" and rate >= 5000 else rate / 64) if low is None else low
        count = 4 * ceil(WITHIN * rate / number(low, "low", per(unit), above=0, below=rate / 4) / 4) - 1
    else:
        count = whole(taps, "taps", 3)
        if count % 2 == 0:
            raise UsageError(f"hilbert with {count} taps: wanted an odd number, with one in the middle; take {count + 1}")
    limit((count,))
    n = np.arange(1, count // 2 + 1)
    half = np.where(n % 2, 2 / (np.pi * n), 0.0) * np.hamming(count)[count // 2 + 1:]
    return centred(like, np.concatenate([0.0 - half[::-1], [0.0], half]))
