"""Tensors: on the CPU the samples are NumPy's already, so the same methods run on them, with gradients of their own.

With the full convolution in mind, y[m, j] = Σ_(c, k) w[m, c, k] x[c, first + s·j − d·k], and a gradient g of y,

    ∂x[c, i] = Σ_(m, k) w[m, c, k] g[m, j]    where first + s·j − d·k = i
    ∂w[m, c, k] = Σ_(b, j) g[b, m, j] x[b, c, first + s·j − d·k]

Both are convolutions again. The first is one of g, s − 1 zeros between its samples, with the taps turned round, which gives i
at index i − first + d(K−1). The second is one of x, channels and batch changing places, with g turned round and pulled s apart,
which gives tap k at index first + s(o−1) − d·k. So they run on the same methods, and can be differentiated themselves; all that
is kept of the way forward is x and w. Complex numbers are conjugated on the way back, as torch has it.

Other devices, and what `torch.func` looks at, take torch's own operations (`methods.perform` on tensors). Under `torch.compile`
the whole convolution is one operation, `sigconv::conv`; exported it is torch's `conv`, which needs no sigconv where it runs, and
sums as torch does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from .. import arrays
from ..errors import SigconvError
from .job import Job
from .methods import perform
from .single import lone

__all__ = ["convolved", "held", "lines", "ready", "traced"]

Go = Callable[..., Any]


def held(*tensors: Any) -> bool:
    """Whether these lie in memory that NumPy can read."""
    import torch

    if torch.autograd.forward_ad._current_level >= 0:  # tangents go through torch's own operations
        return False
    wrapped = getattr(getattr(torch._C, "_functorch", None), "is_functorch_wrapped_tensor", lambda t: False)
    return all(t.device.type == "cpu" and t.layout is torch.strided and type(t) in (torch.Tensor, torch.nn.Parameter)
               and not wrapped(t) for t in tensors)


def lines(x: Any, w: Any, *options: Any) -> Any:
    """One filter on one line, where that is all and no gradient is asked for; else None."""
    import torch

    for t in (x, w):
        if type(t) is not torch.Tensor or t.dim() != 3 or t.dtype not in (torch.float32, torch.float64) or t.is_neg() \
                or (t.requires_grad and torch.is_grad_enabled()):
            return None
    if not held(x, w):
        return None
    ready()
    y = lone(x.detach().numpy(), w.detach().numpy(), *options)
    return None if y is None else torch.from_numpy(y)


def convolved(x: Any, w: Any, job: Job, method: str = "auto", turned: bool = False) -> Any:
    """The convolution of tensors that are `held`, by NumPy's methods; differentiable as often as one likes. `turned`: w comes
    last tap first, which costs NumPy nothing and torch a copy."""
    import torch

    if torch.is_grad_enabled() and (x.requires_grad or w.requires_grad):
        return _function().apply(x, w, job, method, turned)
    return _run(x, w, job, method, turned)


def _run(x: Any, w: Any, job: Job, method: str, turned: bool) -> Any:
    import torch

    taps = arrays.to_numpy(w)
    if turned:
        taps = arrays.flip(taps, range(2, taps.ndim))
    return torch.from_numpy(perform(arrays.to_numpy(x), taps, job, method))


@lru_cache(maxsize=1)
def _function() -> Any:
    import torch

    class Convolution(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any, job: Job, method: str, turned: bool) -> Any:
            ctx.save_for_backward(x, w)
            ctx.rest = job, turned
            return _run(x, w, job, method, turned)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x, w), (job, turned) = ctx.saved_tensors, ctx.rest
            axes = tuple(range(2, w.dim()))
            need_x, need_w, *_ = ctx.needs_input_grad
            of_x = _of_signal(g, w.flip(axes) if turned else w, job, convolved) if need_x else None
            of_w = _of_taps(x, g, job, convolved) if need_w else None
            if of_w is not None and turned:
                of_w = of_w.flip(axes)
            return of_x, of_w, None, None, None

    return Convolution


def _of_signal(g: Any, w: Any, job: Job, go: Go) -> Any:
    """∂x of a gradient g."""
    each, per = job.filters // job.groups, job.channels // job.groups
    taps = w.conj().resolve_conj() if w.is_complex() else w
    taps = taps.reshape(job.groups, each, per, *job.k).transpose(1, 2).flip(tuple(range(3, 3 + len(job.k))))
    if len(job.n) == 1 and job.stride[0] > 1 and job.dilation == (1,):
        return _by_phases(g, taps, job, go)
    if any(s > 1 for s in job.stride):
        wide = g.new_zeros((*g.shape[:2], *((o - 1) * s + 1 if o else 0 for o, s in zip(job.out, job.stride, strict=True))))
        places: Any = (..., *(slice(None, None, s) for s in job.stride))
        wide[places] = g
        g = wide
    first = tuple(span - f for span, f in zip(job.spans, job.first, strict=True))
    ones = (1,) * len(job.n)
    back = Job(job.batch, job.filters, job.channels, job.groups, tuple(g.shape[2:]), job.k, ones, job.dilation, first,
               tuple(f + n for f, n in zip(first, job.n, strict=True)))
    return go(g, taps.reshape(job.channels, each, *job.k), back)


def _by_phases(g: Any, taps: Any, job: Job, go: Go) -> Any:
    """∂x where outputs are s samples apart: each s-th sample i = first + s·u − r is reached by the taps k = r + s·q alone,

        ∂x[first + s·u − r] = Σ_q w[r + s·q] g[u + q]

    so that the s phases r are s filters of ⌈K/s⌉ taps on g as it is, and their outputs are laid between each other.
    """
    import torch

    (n,), (k,), (s,), (first,) = job.n, job.k, job.stride, job.first
    groups, per, each, _ = taps.shape  # turned round: tap k stands at K − 1 − k
    count = -(-k // s)
    taps = torch.nn.functional.pad(taps, (count * s - k, 0))  # tap r + s·q now at s·(count − 1 − q) + s − 1 − r
    filters = taps.reshape(groups, per, each, count, s).permute(0, 1, 4, 2, 3).reshape(groups * per * s, each, count)
    low = (s - 1 - first) // s  # the first u
    high = (n - 1 - first + s - 1) // s
    part = Job(job.batch, job.filters, job.channels * s, groups, job.out, (count,), (1,), (1,), (low + count - 1,),
               (high + count,))
    phases = go(g, filters, part).reshape(job.batch, job.channels, s, high + 1 - low)  # of r = s − 1 first
    at = s - 1 - first - s * low
    return phases.transpose(2, 3).reshape(job.batch, job.channels, s * (high + 1 - low))[..., at: at + n]


def _of_taps(x: Any, g: Any, job: Job, go: Go) -> Any:
    """∂w of a gradient g."""
    import torch

    if 0 in job.out:
        return x.new_zeros((job.filters, job.channels // job.groups, *job.k))
    each, per = job.filters // job.groups, job.channels // job.groups
    axes = tuple(range(2, 2 + len(job.k)))
    signal = (x.conj().resolve_conj() if x.is_complex() else x).transpose(0, 1)
    kernel = g.transpose(0, 1)  # turned round
    first = tuple(f + s * (o - 1) - span for f, s, o, span in zip(job.first, job.stride, job.out, job.spans, strict=True))
    part = Job(per, job.batch, each, 1, job.n, job.out, job.dilation, job.stride, first,
               tuple(f + span + 1 for f, span in zip(first, job.spans, strict=True)))
    parts = [go(signal[i * per: (i + 1) * per], kernel[i * each: (i + 1) * each], part, turned=True) for i in range(job.groups)]
    parts = [gradient.transpose(0, 1).flip(axes) for gradient in parts]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


# ---- torch.compile and torch.export


def traced(x: Any, w: Any, stride: Any, dilation: Any, groups: int, window: Any) -> Any:
    """`conv` as torch writes it down."""
    import torch

    ndim = x.dim() - 2
    if w.dim() != x.dim() or w.shape[1] * groups != x.shape[1] or w.shape[0] % groups or 0 in w.shape[2:]:
        raise SigconvError(f"w of shape {tuple(w.shape)} with groups={groups} on {x.shape[1]} channels: wanted (m, c/groups, *k)")
    x, w, dtype = _of_one_type(x, w)
    strides, dilations = (list(v) if isinstance(v, (tuple, list)) else [v] * ndim for v in (stride, dilation))
    spans = [(k - 1) * d for k, d in zip(w.shape[2:], dilations, strict=True)]
    whole = window is not None
    if window is None:
        window = [(span, n) for span, n in zip(spans, x.shape[2:], strict=True)]
    elif not isinstance(window[0], (tuple, list)):
        window = [window]
    first, stop = [a for a, _ in window], [b for _, b in window]
    if _READY and not torch.compiler.is_exporting() and x.device.type == "cpu":
        return torch.ops.sigconv.conv(x, w, strides, dilations, groups, first, stop).to(dtype)
    if whole:
        ends = zip(first, stop, spans, x.shape[2:], strict=True)
        around = [v for a, b, span, n in reversed(list(ends)) for v in (span - a, b - n)]
        x = torch.nn.functional.pad(x, around)
    convolve = getattr(torch.nn.functional, f"conv{ndim}d")
    return convolve(x, w.flip(tuple(range(2, ndim + 2))), stride=strides, dilation=dilations, groups=groups).to(dtype)


def _of_one_type(x: Any, w: Any) -> tuple[Any, Any, Any]:
    """`arrays.pair`, in torch's words alone."""
    import torch

    if not (x.dtype.is_floating_point or x.dtype.is_complex):
        x = x.to(torch.float64)
    dtype = x.dtype
    x = x.to(torch.float32) if dtype in (torch.float16, torch.bfloat16) else x
    if w.dtype.is_complex or x.dtype.is_complex:
        dtype = torch.complex128 if x.dtype in (torch.float64, torch.complex128) else torch.complex64
        return x.to(dtype), w.to(dtype), dtype
    return x, w.to(x.dtype), dtype


_READY: list[Any] = []


def ready() -> None:
    """Make `sigconv::conv` known, once torch is there."""
    if _READY:
        return
    import torch

    def job(x: Any, w: Any, stride: Sequence[int], dilation: Sequence[int], groups: int, first: Sequence[int],
            stop: Sequence[int]) -> Job:
        return Job(x.shape[0], x.shape[1], w.shape[0], groups, tuple(x.shape[2:]), tuple(w.shape[2:]), tuple(stride),
                   tuple(dilation), tuple(first), tuple(max(a, b) for a, b in zip(first, stop, strict=True)))

    @torch.library.custom_op("sigconv::conv", mutates_args=(), schema="(Tensor x, Tensor w, SymInt[] stride, SymInt[] dilation, "
                             "SymInt groups, SymInt[] first, SymInt[] stop) -> Tensor")
    def op(x: Any, w: Any, stride: Sequence[int], dilation: Sequence[int], groups: int, first: Sequence[int],
           stop: Sequence[int]) -> Any:
        return _run(x.detach(), w.detach(), job(x, w, stride, dilation, groups, first, stop), "auto", False)

    @op.register_fake
    def _(x: Any, w: Any, stride: Any, dilation: Any, groups: Any, first: Any, stop: Any) -> Any:
        return x.new_empty(job(x, w, stride, dilation, groups, first, stop).shape)

    def keep(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.rest = inputs[2:]

    def go(x: Any, w: Any, part: Job, turned: bool = False) -> Any:
        w = w.flip(tuple(range(2, w.dim()))) if turned else w
        return torch.ops.sigconv.conv(x.contiguous(), w.contiguous(), list(part.stride), list(part.dilation), part.groups,
                                      list(part.first), list(part.stop))

    def back(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        made = job(x, w, *ctx.rest)
        need_x, need_w, *_ = ctx.needs_input_grad
        return (_of_signal(g, w, made, go) if need_x else None, _of_taps(x, g, made, go) if need_w else None, *(None,) * 5)

    op.register_autograd(back, setup_context=keep)
    _READY.append(op)


if "torch" in sys.modules:
    ready()
