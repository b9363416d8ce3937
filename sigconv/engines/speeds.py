"""How fast this machine is at each method, against the one that the methods' costs were measured on; `sigconv tune` finds out.

The factors lie in a file of the user's cache, for one processor and one version of NumPy; without it all are 1.
"""

from __future__ import annotations

import json
import os
import sys
from functools import lru_cache
from math import isfinite
from pathlib import Path

import numpy as np

__all__ = ["factor", "forget", "keep", "machine", "place", "version"]


def factor(method: str) -> float:
    """What the cost of a method is multiplied by on this machine."""
    return _factors().get(method, 1.0)


def version() -> int:
    """A number that changes when the factors do, for what is remembered of them."""
    return _state[0]


def place() -> Path:
    """Where factors are kept: `sigconv/speeds.json` in the cache folder, or what $SIGCONV_SPEEDS says."""
    if told := os.environ.get("SIGCONV_SPEEDS"):
        return Path(told)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "sigconv", "speeds.json")


def machine() -> str:
    """What factors hold for."""
    from platform import machine as kind

    return f"{kind()} {_processor()} numpy {np.__version__}"


def keep(factors: dict[str, float]) -> Path:
    """Write factors down and use them from now on; the file."""
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps({"machine": machine(), "factors": factors}, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _changed()
    return path


def forget() -> None:
    """Back to the factors that come along."""
    place().unlink(missing_ok=True)
    _changed()


_state = [0]


def _changed() -> None:
    _factors.cache_clear()
    _state[0] += 1


@lru_cache(maxsize=1)
def _factors() -> dict[str, float]:
    """What is kept; nothing where that is missing, damaged or another machine's."""
    try:
        with place().open("rb") as file:
            kept = json.loads(file.read(1 << 16))
        if kept["machine"] != machine():
            return {}
        return {str(name): min(max(float(value), 0.01), 100.0) for name, value in kept["factors"].items() if isfinite(value)}
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


@lru_cache(maxsize=1)
def _processor() -> str:
    if sys.platform == "linux":
        try:
            with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
                return next((text.split(":", 1)[1].strip() for text in file if text.startswith("model name")), "")
        except OSError:
            pass
    from platform import processor

    return processor()
