"""What came before nets of many layers, to compare with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SigconvError

__all__ = ["perceptron"]


def perceptron(features: Any, y: Any, updates: int = 100, *, classes: int | None = None) -> tuple[np.ndarray, int]:
    """Rosenblatt's perceptron: where an example is taken for another class, w ← w + x for its own and w ← w − x for the other.

    `features` (n, d), a constant 1 is added; `y` (n,) classes from 0. Goes through the examples in order until none is wrong, or
    `updates` are made. Returns weights (classes, d + 1) and how many updates it took.

    >>> w, count = perceptron([[2.0, 0.0], [0.0, 2.0]], [0, 1])
    >>> (w @ [2.0, 0.0, 1.0]).argmax(), (w @ [0.0, 2.0, 1.0]).argmax(), count <= 3
    (np.int64(0), np.int64(1), True)

    Raises `SigconvError` for shapes that do not fit, and values that are not finite.
    """
    x, target = np.asarray(features, float), np.asarray(y, int)
    if x.ndim != 2 or target.shape != x.shape[:1] or not np.isfinite(x).all() or (len(target) and target.min() < 0):
        raise SigconvError(f"features of shape {x.shape} for classes of shape {target.shape}: wanted finite (n, d), and (n,) "
                           f"from 0")
    x = np.column_stack([x, np.ones(len(x))])
    w = np.zeros((classes or int(target.max(initial=0)) + 1, x.shape[1]))
    made, wrong = 0, True
    while wrong and made < updates:
        wrong = False
        for row, own in zip(x, target, strict=True):
            said = int((w @ row).argmax())
            if said != own and made < updates:
                w[own] += row
                w[said] -= row
                made, wrong = made + 1, True
    return w, made
