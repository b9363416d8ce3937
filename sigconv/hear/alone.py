"""What each filter of a bank adds to a sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["voices"]


def voices(y: Any, k: Any, domain: Domain, stride: Any = 1, *, which: Any = None, **options: Any) -> Iterator[tuple[str, Signal]]:
    """The sound of each channel of an analysis alone: `frames.synthesis` with all others silent, each with its name.

    Law: they add up to the synthesis of `y`, which for a bank that loses nothing is the sound itself. `y`, `k`, `domain`,
    `stride` and `options` as in `frames.synthesis`; `which`: indices of channels, over all rates of pairs, None for all.

    >>> import numpy as np, sigconv as sc
    >>> x = sc.load(sc.io.sample("speech")).between(0, 0.1)
    >>> k = sc.kernels.fourier(x, 64)
    >>> some = [voice.data for _, voice in voices(sc.convolve(x, k, stride=16), k, x.domain, 16)]
    >>> len(some), bool(np.abs(sum(some) - x.data).max() < 1e-6)
    (33, True)

    Raises `SigconvError` as `frames.synthesis`, and for a channel that there is none of.
    """
    from .. import frames

    lone = isinstance(y, Signal)
    results: list[Signal] = [y] if lone else list(y)
    names = [name for r in results for name in (r.channels or [str(i + 1) for i in range(r.value[-1])])]
    places = [(i, j) for i, r in enumerate(results) for j in range(r.value[-1])]
    for index in range(len(places)) if which is None else which:
        if not 0 <= index < len(places):
            raise SigconvError(f"channel {index}: wanted 0 to {len(places) - 1}")
        i, j = places[index]
        alone = [_only(r, j if i == at else None) for at, r in enumerate(results)]
        yield names[index], frames.synthesis(alone[0] if lone else alone, k, domain, stride, **options)


def _only(y: Signal, channel: int | None) -> Signal:
    """All channels of the last value axis silent but one, or all."""
    xp = arrays.namespace(y.data)
    data = xp.zeros_like(y.data)
    if channel is not None:
        at = (slice(None),) * (len(y.value) - 1) + (channel,)
        data[at] = y.data[at]
    return Signal(data, y.domain, y.names)
