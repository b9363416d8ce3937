"""A net in numbers: for each layer what it gives, costs, and reads; and the taps of its layers as Signals."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn

from ..domain import Domain
from ..signal import Signal
from .layers import Reach, Unshared

if TYPE_CHECKING:
    from .nets import Net

__all__ = ["Layer", "kernels_of", "ordered", "table_of"]


class Layer(NamedTuple):
    """A layer: `shape` of what it gives for one window, `parameters`, `macs` (multiplications for one window); `first` … `last`,
    the samples that output 0 reads, `field` their number, `stride` how far the next output is; `latency` (s), from the middle of
    the field to its end; `causal`, whether all of the field lies before its end (nothing is padded behind).
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    macs: int
    first: int
    last: int
    field: int
    stride: int
    latency: float
    causal: bool


@torch.no_grad()
def table_of(net: Net) -> list[Layer]:
    """Rows in the order of computation, measured on one silent window."""
    shapes: dict[str, Any] = {}
    macs: dict[str, int] = {}
    blocks = [(str(i + 1), block) for i, block in enumerate(net.blocks.parts())]
    top: list[tuple[str, Any]] = [("front", net.front), *blocks, ("head", net.head)]

    def shaped(name: str) -> Any:
        def hook(_: nn.Module, __: Any, out: torch.Tensor) -> None:
            shapes[name] = tuple(out.shape[1:])
        return hook

    def counted(name: str) -> Any:
        def hook(layer: nn.Module, _: Any, out: torch.Tensor) -> None:
            weight: Any = layer.weight
            each = weight[0, :, 0] if isinstance(layer, Unshared) else weight[0]
            macs[name] = macs.get(name, 0) + out.numel() * each.numel()
        return hook

    hooks = []
    for name, module in top:
        hooks.append(module.register_forward_hook(shaped(name)))
        hooks += [m.register_forward_hook(counted(name)) for m in module.modules()
                  if isinstance(m, (nn.Conv1d, nn.Conv2d, Unshared)) and name != "front"]
    training = net.training
    net.eval()
    net(torch.zeros(1, net.window, device=net.device))
    net.train(training)
    for hook in hooks:
        hook.remove()
    macs["front"] = net.front.macs(shapes["front"][-1])
    rows, reach = [], Reach()
    for name, module in top:
        own = Reach(0, net.instants - 1) if name == "head" else module.reach
        reach = reach.then(own)
        rows.append(Layer(name, _kind(net, name, module), shapes[name],
                          sum(p.numel() for p in module.parameters() if p.requires_grad),
                          macs.get(name, 0), reach.first, reach.last, reach.field, reach.stride,
                          (reach.field - 1) / 2 / net.rate, reach.first >= 0))
    return rows


def _kind(net: Net, name: str, module: nn.Module) -> str:
    return str(net.config.front.get("kind",
                                    "wave")) if name == "front" else "head" if name == "head" else type(module).__name__.lower()


def kernels_of(net: Net) -> dict[str, Signal]:
    """{layer: taps}."""
    found: dict[str, Signal] = {}
    taps = net.front.taps()
    step, step_unit = Fraction(1, net.rate), "s"
    reach = net.front.reach
    if taps is not None:
        found["front"] = ordered(taps)
    for i, block in enumerate(net.blocks.parts()):
        convs = [(n, m) for n, m in block.named_modules() if isinstance(m, (nn.Conv1d, nn.Conv2d)) and max(m.kernel_size) > 1]
        for j, (_, conv) in enumerate(convs):
            name = str(i + 1) if len(convs) == 1 else f"{i + 1}.{j + 1}"
            k = _layer(conv, step * reach.stride, step_unit)
            if taps is None and not found and reach.stride == 1 and k.value and len(k.value) == 1:
                name, k = "front", ordered(k)
            found[name] = k
        reach = reach.then(block.reach)
    return found


def _layer(conv: Any, step: Fraction, unit: str) -> Signal:
    """A convolution's taps, reversed; value (m, c), or (m,) where each filter sees one channel. Dilation is written out."""
    weight = conv.weight.detach().double().cpu()
    axes = tuple(range(2, weight.ndim))
    for axis, d in zip(axes, conv.dilation, strict=True):
        if d > 1:
            shape = list(weight.shape)
            shape[axis] = (shape[axis] - 1) * d + 1
            wide = weight.new_zeros(shape)
            wide.index_copy_(axis, torch.arange(0, shape[axis], d), weight)
            weight = wide
    data = weight.flip(axes).numpy()
    data = data[:, 0] if data.shape[1] == 1 else data
    shape = data.shape[-len(axes):]
    start = [-((n - 1) // 2) for n in shape]
    steps, units = ([step], [unit]) if len(axes) == 1 else ([Fraction(1), step], ["px", unit])
    names = None if len(axes) == 1 else ["frequency", "time"]
    return Signal(data, Domain(shape, steps, start, units, names))


def ordered(k: Signal) -> Signal:
    """A bank in the order of its centre frequencies: where the response of each filter is largest."""
    size = 1 << max(int(k.domain.shape[0] * 4 - 1).bit_length(), 10)
    gain = abs(np.fft.fft(k.data, size, axis=-1))
    if not np.iscomplexobj(k.data):
        gain = gain[:, :size // 2 + 1]
    peaks = gain.argmax(-1)
    order = np.argsort(peaks, kind="stable")
    hertz = peaks[order] / size * float(k.rate)
    return Signal(k.data[order], k.domain, [f"{f:.0f} Hz" for f in hertz])


