"""How the value of a kernel meets the value of a signal: every case is one layer (m, c) on (b, c)."""

from __future__ import annotations

from math import prod

from .arrays import Array
from .errors import SigconvError
from .signal import Signal

__all__ = ["as_layer"]


def as_layer(x: Signal, k: Signal) -> tuple[Array, Array, tuple[int, ...], tuple]:
    """x as (b, c, *n) and k as (m, c, *k) by the value rule; the value and names of the result."""
    if len(k.value) > 2:
        raise SigconvError(f"a kernel of value {k.value}: wanted () for a filter, (m,) for a bank or (m, c) for a layer")
    if len(k.value) == 2:
        m, c = k.value
        if x.value[-1:] != (c,):
            cure = f"; sc.mix(x, 'upmix:{c}') makes {c} channels of one" if x.value[-1:] == (1,) else ""
            raise SigconvError(f"a layer of {m} filters on {c} channels, a signal of value {x.value}: wanted a value that "
                               f"ends in {c}{cure}")
        flat = x.data.reshape(prod(x.value[:-1]), c, *x.domain.shape)
        return flat, k.data, (*x.value[:-1], m), (*x.names[:-1], k.names[0])
    flat = x.data.reshape(prod(x.value), 1, *x.domain.shape)
    taps = k.data.reshape(*k.value or (1,), 1, *k.domain.shape)
    return flat, taps, x.value + k.value, x.names + k.names
