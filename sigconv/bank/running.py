"""One kernel on a tensor: windows and padding by plain arithmetic, so that they can be written down for any batch and length."""

from __future__ import annotations

from typing import Any

from .. import arrays
from ..domain import Domain, natural
from ..engines import conv
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["run"]


def run(x: Any, w: Any, grid: Domain, stride: Any, how: Any) -> Any:
    """x (b, c, *n) by taps w (m, *k) or (m, c, *k) that stand on `grid`: (b, c·m, *o) or (b, m, *o).

    With d the dilation and b the first tap's place, output j reads x from j − d(b+K−1) to j − d·b and stands at place j − d·b of
    the full convolution: "same" is the window −d·b … n − d·b, "full" 0 … n + d(K−1), "valid" d(K−1) … n.
    """
    ndim = grid.ndim
    if not arrays.is_tensor(x) or x.ndim != ndim + 2:
        what = f"a tensor of shape {tuple(x.shape)}" if arrays.is_tensor(x) else f"a {type(x).__name__}"
        raise SigconvError(f"{what} into a bank on {ndim} {'axis' if ndim == 1 else 'axes'}: wanted a tensor (batch, channels, "
                           f"{', '.join(grid.name) or 'samples'}); Signals go through bank.analysis")
    layer = w.ndim == ndim + 2
    batch, channels, size = x.shape[0], x.shape[1], x.shape[2:]
    if layer and w.shape[1] != channels:
        raise SigconvError(f"{channels} channels into a layer on {w.shape[1]}: wanted as many")
    pull = natural(how.dilation, "dilation", ndim)
    if any(int(b) != b for b in grid.start):
        raise SigconvError(f"taps that stand between samples, from {grid.start[0]}: wanted whole places")
    begin = [d * int(b) for d, b in zip(pull, grid.start, strict=True)]
    span = [d * (k - 1) for d, k in zip(pull, grid.shape, strict=True)]
    windows: dict[str, list[tuple[Any, Any]]] = {"same": [(-b, n - b) for b, n in zip(begin, size, strict=True)],
               "full": [(0, n + s) for n, s in zip(size, span, strict=True)],
              "valid": [(s, n) for n, s in zip(size, span, strict=True)]}
    window = windows[how.mode]
    if how.padding_mode != "zeros":
        before = [max(b + s, 0) for b, s in zip(begin, span, strict=True)]
        after = [max(-b, 0) for b in begin]
        x = _padded(x, before, after, how.padding_mode)
        window = [(a + e, z + e) for (a, z), e in zip(window, before, strict=True)]
    if not layer:
        x, w = x.reshape(batch * channels, 1, *x.shape[2:]), w[:, None]
    y = conv(x, w, stride=stride, dilation=pull, window=window)
    return y if layer else y.reshape(batch, channels * w.shape[0], *y.shape[2:])


def _padded(x: Any, before: list[int], after: list[int], how: str) -> Any:
    import torch

    if not torch.compiler.is_exporting():
        n = x.shape[2:]
        grid = Domain(tuple(n), 1, 0)
        wide = Domain(tuple(a + k + z for a, k, z in zip(before, n, after, strict=True)), 1, tuple(-a for a in before))
        return Signal(x, grid).on(wide, how).data if x.numel() else x
    if how == "symmetric":
        raise SigconvError("export of a bank with padding_mode 'symmetric', which torch has not: wanted reflect or replicate")
    around = [v for a, z in zip(reversed(before), reversed(after), strict=True) for v in (a, z)]
    return torch.nn.functional.pad(x, around, mode=how)
