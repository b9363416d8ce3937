"""`Bank`: a bank whose parameters may be learned; plain tensors in `forward`, Signals everywhere else."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .. import arrays, frames
from ..convolving import convolve
from ..domain import Domain, natural
from ..errors import UsageError
from ..kernels.registry import per
from ..offsets import passes_dc
from ..signal import Signal
from . import keeping
from .drifting import Drift, drifted
from .making import Taps
from .running import run
from .sources import Source

if TYPE_CHECKING:
    import torch
    from torch.nn import Module
else:
    torch = import_module("torch")
    Module = torch.nn.Module

__all__ = ["Bank", "Drift", "Energy"]


class Bank(Taps):
    """A bank as a module: ``forward(x)`` of x `(b, c, *n)` is `(b, c·m, *o)`, what `convolve` gives with `kernel()`.

    `family`: a name or spec of `kernels.BANKS` ("gammatone:32,100,7000"), a differentiable function ``f(like, …)`` of
    parameters to taps (w = H(u): a Signal, or (Signal, stride) pairs), a kernel Signal as it is (of a motif, of
    `sc.kernel(spec, x)`, on one to three axes), or pairs of these. `like`: the Domain (or a Signal on one) that it will act
    on. `params`: the family's words, or the function's parameters. A bank of several rates gives lists, one entry a rate.

    `learn`: names of array parameters, such as "centre" and "bandwidth", or "taps" for the taps themselves. Centres
    are learned on a scale that is logarithmic below and ends at 0 and rate/2, bandwidths likewise, so that a step of 0.01
    moves them by about 1 % and nothing leaves its range; `ranges`, (low, high) by name, says so for others, else they are
    learned as they are. Parameters with a range are kept as what they have moved by, 0 at the start.

    `stride`, `mode`, `padding_mode`, `dilation` as in `convolve`, with the stride inside the convolution. `zero_mean` takes
    off the taps what they pass at 0 Hz, under a Hann window; `bias` adds a learned offset to every filter, in
    `forward`; `analysis`, `energy` and what is made of the bank are of the taps alone.

    >>> import sigconv as sc
    >>> bank = Bank("sinc:4,scale=bark", sc.line(1, 8000), stride=4, learn="centre", quadrature=False)
    >>> bank(torch.zeros(2, 1, 100)).shape, bank.channels
    (torch.Size([2, 4, 25]), ('228.78 Hz', '702.4 Hz', '1437.6 Hz', '2733.7 Hz'))

    Raises `UsageError` for names, words, and what is to be learned that are not known, in one line.
    """

    def forward(self, x: Any) -> Any:
        """x `(b, c, *n)` through the bank: `(b, c·m, *o)`, the filters of the first channel first; a list for several rates.

        A layer `(m, c)` gives `(b, m, *o)`. Complex taps give complex numbers (`Energy` their magnitude). In `eval` the taps are
        made once and kept until a parameter changes; `torch.export` and ONNX take them from there.
        """
        ys = [run(x, w, start, stride, self) for start, w, stride in self._ready()]
        if self.bias is not None:
            at = 0
            for i, (y, m) in enumerate(zip(ys, self._counts, strict=True)):
                b = self.bias[at: at + m].repeat(y.shape[1] // m)
                ys[i], at = y + b.reshape(-1, *(1,) * (y.dim() - 2)), at + m
        return ys[0] if self.lone else ys

    # ---- Signals

    def analysis(self, x: Signal) -> Any:
        """`convolve` with `kernel()`: a Signal, or a list of them for several rates. NumPy signals are computed without torch.

        >>> import numpy as np, sigconv as sc
        >>> x = sc.Signal(np.ones((1, 32)), sc.line(32, 8000))
        >>> Bank("haar:2", x).analysis(x)[0].data.shape
        (1, 1, 16)
        """
        if not isinstance(x, Signal):
            raise UsageError(f"analysis of a {type(x).__name__}: wanted a Signal; tensors go through bank(x)")
        made = [convolve(x, k, mode=self.mode, padding_mode=self.padding_mode, stride=s, dilation=self.dilation)
                for k, s in self._for(x)]
        return made[0] if self.lone else made

    def synthesis(self, y: Any, domain: Domain, **options: Any) -> Signal:
        """The signal on `domain` whose coefficients come nearest to y, edges included: `frames.synthesis`, with its options.

        >>> import numpy as np, sigconv as sc
        >>> x = sc.Signal([np.sin(np.arange(64.0) ** 1.5)], sc.line(64, 8000))
        >>> bank = Bank("mdct:16", x, stride=16)
        >>> bool(abs(bank.synthesis(bank.analysis(x), x.domain).data - x.data).max() < 1e-12)
        True

        Raises `SigconvError` where the bank has lost something, with the dB and where.
        """
        first = y[0] if isinstance(y, (list, tuple)) and y else y
        if not isinstance(first, Signal):
            raise UsageError(f"synthesis of a {type(first).__name__}: wanted what analysis gives")
        pairs = self._for(first)
        if self.lone:
            return frames.synthesis(y, pairs[0][0], domain, self.stride, **self._window(), **options)
        return frames.synthesis(y, pairs, domain, **self._window(), **options)

    def bounds(self, n: Any) -> frames.Bounds:
        """The frame bounds on signals of n samples: `frames.bounds`, differentiable in what is learned.

        >>> import sigconv as sc
        >>> print(Bank("haar", sc.line(1, 8000), padding_mode="circular").bounds(64))
        A 1, B 1, condition 1 (tight), redundancy 1
        """
        k = self.kernel()
        if not self.lone:
            return frames.bounds(k, n, **self._window())
        return frames.bounds(k, n, self.stride, **self._window())

    def energy(self, x: Any) -> Any:
        """The magnitude of a quadrature pair, of a tensor or a Signal: what a complex cell of vision answers, alike wherever in
        its period a wave stands, half the amplitude of a sine at the centre. Complex taps are such pairs; of others the family
        is taken in quadrature.

        >>> import numpy as np, sigconv as sc
        >>> x = sc.Signal([np.sin(2 * np.pi * 1000 * np.arange(800) / 8000)], sc.line(800, 8000))
        >>> Bank("gabor", x, centre=[1000.0], bandwidth=[200.0]).energy(x).data[0, 0, 400].round(6)
        np.float64(0.5)

        Raises `UsageError` for real taps that have no partner.
        """
        bank = self.paired()
        if not isinstance(x, Signal):
            return Energy(bank)(x)
        ys = bank.analysis(x)
        made = [Signal(abs(y.data), y.domain, y.names) for y in ([ys] if bank.lone else ys)]
        return made[0] if bank.lone else made

    def paired(self) -> Bank:
        """This bank in quadrature, with the same parameters."""
        if any(arrays.is_complex(k.data) for k, _ in self._pairs(self._values(False))):
            return self
        if "quadrature" not in self._source.options:
            raise UsageError(f"energy of {self._source.name} on real taps: wanted quadrature pairs, complex taps")
        twin = self._twin(self._source)
        twin._source.options["quadrature"] = True
        return twin

    # ---- banks made better

    def complete(self) -> Bank:
        """This bank with the low and high channels that it lacks to cover the spectrum, which are not learned: `frames.complete`.

        >>> import sigconv as sc
        >>> bank = Bank("gammatone:8,200,3000", sc.line(1, 8000)).complete()
        >>> bank.channels[-1], bank.bounds(800).condition < 100
        ('high', True)
        """
        twin = self._twin(self._source)
        pairs = [(k.numpy(), s) for k, s in self._pairs(self._values(False))]
        if self.lone:
            (k, stride), = pairs
            full = frames.complete(k, stride[0])
            twin._also = [(Signal(full.data[k.value[0]:], full.domain, full.channels[k.value[0]:]), stride)] \
                if full.value > k.value else []
        else:
            twin._also = [(k, natural(s, "stride", 1)) for k, s in frames.complete(pairs)[len(pairs):]]
        twin._held = None
        twin._pairs(twin._values(False))
        return twin

    def tighten(self, **options: Any) -> Bank:
        """The nearest bank with A = B = 1 at this stride, given by its taps: `frames.tighten`."""
        if not self.lone:
            raise UsageError("tighten of a bank of several rates: wanted one of one rate")
        (k, stride), = self._pairs(self._values(False))
        return Bank(frames.tighten(k.numpy(), stride[0], **options), self.like, stride=stride, mode=self.mode,
                    padding_mode=self.padding_mode)

    def _twin(self, source: Source) -> Bank:
        """The same bank with the same parameters, shared."""
        twin = Bank(replace(source, options=dict(source.options)), stride=self.stride, learn=tuple(self.learned), mode=self.mode,
                    dilation=self.dilation, padding_mode=self.padding_mode, zero_mean=self.zero_mean, ranges=self._ranges)
        for name, p in self.learned.items():
            setattr(twin, f"learned_{name}", p)
        twin._also = list(self._also)
        return twin

    # ---- what it is

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of all filters: by their centres as they stand, where they have some, else numbers."""
        pairs = self._pairs(self._values(False))
        names = [k.names[0] or map(str, range(k.value[0])) for k, _ in pairs]
        return tuple(name for some in names for name in some)

    def group(self, **options: Any) -> dict[str, Any]:
        """The parameters as a group of their own for an optimiser, without weight decay unless it is asked for.

        >>> import sigconv as sc
        >>> bank = Bank("gammatone:4", sc.line(1, 8000), learn="centre")
        >>> torch.optim.AdamW([bank.group(lr=1e-2)]).param_groups[0]["lr"]
        0.01
        """
        return {"params": list(self.parameters()), "weight_decay": 0.0, **options}

    def drift(self) -> dict[str, Drift]:
        """How far every parameter that is learned has moved from its start, filter by filter.

        >>> import sigconv as sc
        >>> print(Bank("octave:low=500", sc.line(1, 8000), learn="centre").drift()["centre"])
        centre: 3 values, moved by up to 0 Hz (0 octaves, 0 %)
        """
        unit = per(self.like.unit[0])
        now = self._values(False)
        return {name: drifted(name, self._source.values[name], arrays.to_numpy(now[name]),
                              unit if name in ("centre", "bandwidth") else "") for name in self.learned}

    def passes_dc(self) -> tuple[int, ...]:
        """The numbers of the filters that pass DC, so that an offset of the signal comes through; `zero_mean` stops it."""
        return _passing(self._pairs(self._values(False)))

    def extra_repr(self) -> str:
        pairs = self._pairs(self._values(False))
        m, passing = sum(k.value[0] for k, _ in pairs), len(_passing(pairs))
        taps = sorted({k.domain.shape for k, _ in pairs})
        sizes = " … ".join(" × ".join(map(str, n)) for n in (taps[:1] + taps[1:][-1:]))
        strides = ", ".join(str(s if isinstance(s, int) else " × ".join(map(str, dict.fromkeys(s)))) for _, s in pairs)
        return (f"{self._source.name}, {m} filters of {sizes} taps, stride {strides}"
                + f", learns {', '.join(self.learned)}" * bool(self.learned) + f", {passing} pass DC" * bool(passing))

    def save(self, path: Any, *, overwrite: bool = False) -> None:
        """Write the bank as one safetensors file, its configuration in the metadata; whole or not at all.

        >>> import sigconv as sc, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "ears.safetensors"
        >>> Bank("gammatone:8", sc.line(1, 8000), learn="centre", stride=4).save(path)
        >>> Bank.load(path).channels[0]
        '100.85 Hz'

        Raises `SigconvError` where the file exists (unless `overwrite`) or can't be written.
        """
        keeping.save(self, path, overwrite)

    @classmethod
    def load(cls, path: Any, function: Any = None) -> Bank:
        """The bank that `save` wrote; `function` where it was made by one of your own. Nothing that is read is run.

        Raises `SigconvError` for what is no such file.
        """
        return keeping.load(cls, path, function)

    def _for(self, x: Signal) -> list[tuple[Signal, Any]]:
        """Kernels for x: of NumPy for NumPy."""
        tensor = arrays.is_tensor(x.data)
        pairs = self._pairs(self._values(tensor))
        return pairs if tensor else [(k.numpy(), s) for k, s in pairs]

    def _window(self) -> dict[str, Any]:
        return {"mode": self.mode, "padding_mode": self.padding_mode, "dilation": self.dilation}


def _passing(pairs: list[tuple[Signal, Any]]) -> tuple[int, ...]:
    """The numbers of the filters that pass DC."""
    found, at = [], 0
    for k, _ in pairs:
        found += [at + i for i in passes_dc(k)]
        at += k.value[0]
    return tuple(found)


class Energy(Module):
    """`bank.energy` as a module, real in and real out, which exports to ONNX as it is.

    >>> import sigconv as sc
    >>> Energy(Bank("gammatone:4", sc.line(1, 8000), stride=10))(torch.zeros(1, 1, 100)).shape
    torch.Size([1, 4, 10])
    """

    def __init__(self, bank: Bank):
        super().__init__()
        self.bank = bank.paired()
        self.train(bank.training)

    def forward(self, x: Any) -> Any:
        """x (b, c, *n) -> (b, c·m, *o), a list for several rates."""
        made = []
        for grid, w, stride in self.bank._ready():
            re, im = (run(x, part, grid, stride, self.bank) for part in (w.real, w.imag))
            made.append((re * re + im * im).clamp(min=torch.finfo(re.dtype).tiny).sqrt())
        return made[0] if self.bank.lone else made
