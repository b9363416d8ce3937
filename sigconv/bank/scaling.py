"""The scales on which parameters are learned: those on which a step of one size moves all of them alike.

A frequency f between 0 and rate/2 is learned as u = logit(f / (rate/2)), so that ∂f/∂u = f·(1 − f/(rate/2)): a step of 0.01 is
1 % of a low frequency, where a step of 0.01 on f itself would be 0.01 Hz. Whatever u is, f stays inside. What has a lower bound
alone is learned on a log scale, what has none in steps of its unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UsageError
from ..kernels.banking import Range

__all__ = ["inward", "outward"]

MARGIN = 1e-6  # of the range: how near to its ends a parameter may come


def inward(value: np.ndarray, where: Range, name: str) -> np.ndarray:
    """u of a value.

    >>> inward(np.array([2.0]), Range(0, 4), "f").tolist()
    [0.0]

    Raises `UsageError` for values out of range.
    """
    low, high = where.low, where.high
    inside = np.isfinite(value) & (value > (-np.inf if low is None else low)) & (value < (np.inf if high is None else high))
    if not inside.all():
        wanted = " and ".join([f"above {low:.6g}"] * (low is not None) + [f"below {high:.6g}"] * (high is not None))
        raise UsageError(f"{name} {value[~inside].flat[0]:.6g} to learn from: wanted {wanted or 'finite numbers'}")
    if low is None:
        return value / where.unit if high is None else -np.log(high - value)
    if high is None:
        return np.log(value - low)
    share = np.clip(((value - low) / (high - low) - MARGIN) / (1 - 2 * MARGIN), 1e-12, 1 - 1e-12)
    return np.log(share / (1 - share))


def outward(u: Any, where: Range) -> Any:
    """The value of u, a tensor: inside its range whatever u is."""
    low, high = where.low, where.high
    if low is None:
        return u * where.unit if high is None else high - (-u).exp()
    if high is None:
        return low + u.exp()
    return low + (high - low) * (MARGIN + (1 - 2 * MARGIN) * u.sigmoid())
