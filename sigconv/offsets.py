"""Which filters of a bank pass DC.

A filter passes a constant offset with the gain H(0) = Σ h, over all axes. A bank meant for what varies has H(0) = 0 in every
filter; where it has not, an offset in the input, or the bias of a trained layer, comes out as an offset.
"""

from __future__ import annotations

from math import log10

import numpy as np

from . import arrays
from .errors import UsageError
from .signal import Signal

__all__ = ["dc_warning", "passes_dc"]

ZERO = 1e-6  # of ‖h‖₁: a sum below this is a zero of the filter, not a small gain
LISTED = 6  # filters named one by one


def passes_dc(k: Signal) -> tuple[int, ...]:
    """The filters of a bank (m,), or rows of a layer (m, c), that pass DC: |H(0)| > 1e-6·‖h‖₁; a single filter is number 0.

    >>> import sigconv as sc
    >>> passes_dc(sc.Signal([[1.0, -1.0], [0.5, 0.5]], sc.line(2, 8000)))
    (1,)

    Raises `UsageError` for what is no Signal.
    """
    return tuple(int(i) for i in np.flatnonzero(_gains(k)))


def dc_warning(k: Signal) -> str | None:
    """The line that warns of a bank (m,) whose filters pass DC, or None. A single filter and a layer are what they are.

    >>> import sigconv as sc
    >>> dc_warning(sc.Signal([[1.0, -1.0], [0.5, 0.5]], sc.line(2, 8000)))
    'filter 2 of 2 passes DC (0.0 dB): an offset in the signal comes through; take its mean off the taps to stop it'
    >>> dc_warning(sc.kernel("blur", sc.line(1, 8000)))
    """
    gains = _gains(k)
    which, total = np.flatnonzero(gains), len(gains)
    if len(k.value) != 1 or total < 2 or not len(which):
        return None
    level = f"{20 * log10(gains.max()):+.1f} dB".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
    names = ", ".join([str(i + 1) for i in which[:LISTED]] + ["…"] * (len(which) > LISTED))
    many = len(which) > 1
    called = f"all {total} filters" if len(which) == total else f"filter{'s' * many} {names} of {total}"
    return (f"{called} pass{'es' * (not many)} DC ({'up to ' * many}{level}): an offset in the signal comes through; "
            f"take {'their means' if many else 'its mean'} off the taps to stop it")


def _gains(k: Signal) -> np.ndarray:
    """|H(0)| of each filter or row, 0 where it is a zero of the filter."""
    if not isinstance(k, Signal):
        raise UsageError(f"DC of a {type(k).__name__}: wanted a Signal, e.g. sc.kernel(spec, like)")
    taps = arrays.to_numpy(k.data)
    taps = taps.astype(np.result_type(taps.dtype, np.float64)).reshape(*k.value, -1)
    gain, size = np.abs(taps.sum(-1)), np.abs(taps).sum(-1)
    gain = np.where(gain > ZERO * size, gain, 0.0)
    return gain.max(-1, initial=0.0) if len(k.value) == 2 else np.atleast_1d(gain)
