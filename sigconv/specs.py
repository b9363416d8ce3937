"""Kernels in words."""

from __future__ import annotations

from .domain import Domain
from .errors import UsageError
from .signal import Signal

__all__ = ["kernel"]


def kernel(spec: str, like: Domain) -> Signal:
    from . import kernels

    if spec != "edge":
        raise UsageError(f"kernel {spec!r}: unknown")
    return kernels.edge(like)
