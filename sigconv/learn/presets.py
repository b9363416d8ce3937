"""Published nets, and ours, as configs: each a function of what may be asked of it, entered under its name.

Counts of parameters are those of the papers where these define them. What a paper pads layer by layer, these pad at the input:
the window of a score is a second and what the layers read beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import UsageError, hint
from .config import Config, in_hertz
from .words import fitted

__all__ = ["DEFAULT", "PRESETS", "known", "matched", "preset"]

PRESETS: dict[str, Callable[..., Config]] = {}
DEFAULT = "voices"  # what `train` takes


def _enter(make: Callable[..., Config]) -> Callable[..., Config]:
    PRESETS[make.__name__.lstrip("_")] = make
    return make


def preset(name: str, labels: Sequence[str], **options: Any) -> Config:
    """The config of a preset for these labels; `options` are its own (`size`, `rate`, `train`, …) or entries of `Config`.

    `bcresnet`, or `bcresnet3`: its width.

    >>> preset("m5", ["no", "yes"]).preset, preset("bcresnet2", "ab").preset
    ('m5', 'bcresnet2')

    Raises `UsageError` for a name or an option that is not known.
    """
    make, size = known(name)
    options |= size
    own = make.__kwdefaults__ or {}
    mine = {k: in_hertz(v) if k == "rate" else v for k, v in options.items() if k in own}
    config = make(tuple(labels), **fitted(make, mine, f"preset {name}"))
    rest = {k: v for k, v in options.items() if k not in own}
    if unknown := set(rest) - set(Config.__dataclass_fields__):
        raise UsageError(f"preset {name}: {sorted(unknown)[0]!r}; wanted {', '.join(own) or 'no options'}")
    return config.but(**rest, preset=str(name).lower())


def known(name: str) -> tuple[Callable[..., Config], dict[str, int]]:
    """The function of a preset, and the size that its name ends in."""
    word = str(name).lower().replace("-", "")
    stem = word.rstrip("0123456789")
    if word in PRESETS:
        return PRESETS[word], {}
    if stem in PRESETS and "size" in (PRESETS[stem].__kwdefaults__ or {}):
        return PRESETS[stem], {"size": int(word[len(stem):])}
    raise UsageError(f"preset {name!r}: wanted {', '.join(PRESETS)}{hint(word, PRESETS)}")


def _mel(count: int = 40, train: str = "fixed", front: str = "mel", **more: Any) -> dict[str, Any]:
    return {"kind": front, "count": count, "train": train, **more}


def _folded(width: int, count: int) -> list[dict[str, Any]]:
    """2D layers over frequency and time, the frequencies that are left folded into channels, two separable bypassed layers along
    time."""
    blocks: list[dict[str, Any]] = [
        {"kind": "fold", "how": "open"}, {"channels": 16, "taps": 5, "stride": [2, 2]},
        {"channels": 24, "taps": 3, "stride": [2, 1]},
        {"channels": 32, "taps": 3, "stride": [2, 2]}, {"kind": "fold"}, {"channels": width}]
    return [*blocks, *({"kind": "residual", "blocks": [{"channels": width, "taps": 5, "separable": True, "nonlinearity": "none"}]}
                       for _ in range(2))]


@_enter
def voices(labels: Sequence[str], *, rate: int = 8000, width: int = 64, count: int = 40, front: str = "mel",
           train: str = "fixed") -> Config:
    """What holds best on speakers never heard: log-mel, three layers over frequency and time, two along time."""
    return Config(labels, rate, window=1.25, front=_mel(count, train, front), blocks=_folded(width, count),
                  head={"pool": "mean+max", "drop": 0.3})


@_enter
def rawvoices(labels: Sequence[str], *, rate: int = 8000, width: int = 56, count: int = 40, front: str = "gabor",
              train: str = "learned") -> Config:
    """The same on the wave itself: its bands are filters whose centres and widths are learned."""
    return Config(labels, rate, window=1.25, front=_mel(count, train, front), blocks=_folded(width, count),
                  head={"pool": "mean+max", "drop": 0.3})


@_enter
def m5(labels: Sequence[str], *, rate: int = 8000) -> Config:
    """Dai et al., ICASSP 2017, in the width of torchaudio's tutorial: four layers on the wave; 26,915 parameters for 35
    labels."""
    layers = [(32, 80, 16), (32, 3, 1), (64, 3, 1), (64, 3, 1)]
    blocks = [{"channels": c, "taps": k, "stride": s, "bias": True, "pool": "max:4"} for c, k, s in layers]
    return Config(labels, rate, window=1.0 if rate == 8000 else 8000 / rate, blocks=blocks, head={"pool": "mean"})


@_enter
def tcresnet8(labels: Sequence[str], *, rate: int = 8000, width: float = 1.0, taps: int = 9, front: str = "mel",
              train: str = "fixed") -> Config:
    """Choi et al., Interspeech 2019: bands as channels, three residual blocks along time at a stride of 2."""
    c = [max(round(width * n), 1) for n in (16, 24, 32, 48)]
    blocks: list[dict[str, Any]] = [{"channels": c[0], "taps": 3, "normalise": "none", "nonlinearity": "none"}]
    for n in c[1:]:
        blocks.append({"kind": "residual", "shortcut": "conv", "blocks": [
            {"channels": n, "taps": taps, "stride": 2}, {"channels": n, "taps": taps, "nonlinearity": "none"}]})
    return Config(labels, rate, front=_mel(40, train, front), blocks=blocks, head={"pool": "mean", "drop": 0.5, "bias": False})


@_enter
def bcresnet(labels: Sequence[str], *, rate: int = 8000, size: int = 1, front: str = "mel", train: str = "fixed") -> Config:
    """Kim et al., Interspeech 2021: BC-ResNet-`size`, 1 to 8; frequency and time apart, and broadcast back."""
    if not 1 <= size <= 8:
        raise UsageError(f"bcresnet{size}: wanted 1 to 8")
    base = 8 * size
    c = [2 * base, base, int(1.5 * base), 2 * base, int(2.5 * base), 4 * base]
    blocks: list[dict[str, Any]] = [{"kind": "fold", "how": "open"}, {"channels": c[0], "taps": 5, "stride": [2, 1]}]
    for i, (count, stride) in enumerate([(2, 1), (2, 2), (4, 2), (4, 1)]):
        blocks += [{"kind": "broadcast", "channels": c[i + 1], "dilation": 2**i, "stride": stride if j == 0 else 1}
                   for j in range(count)]
    blocks += [{"channels": c[4], "taps": 5, "depthwise": True, "valid": True, "normalise": "none", "nonlinearity": "none"},
               {"channels": c[5]}, {"kind": "fold", "how": "mean"}]
    return Config(labels, rate, front=_mel(40, train, front), blocks=blocks, head={"pool": "mean"})


@_enter
def matchboxnet(labels: Sequence[str], *, rate: int = 8000, repeat: int = 1, channels: int = 64, front: str = "mel",
                train: str = "fixed") -> Config:
    """Majumdar and Ginsburg, Interspeech 2020: MatchboxNet-3×`repeat`×`channels`, separable filters along time."""
    blocks: list[dict[str, Any]] = [{"channels": 128, "taps": 11, "stride": 2, "separable": True}]
    for taps in (13, 15, 17):
        inner: list[dict[str, Any]] = [{"channels": channels, "taps": taps, "separable": True, "drop": 0.1}] * (repeat - 1)
        inner.append({"channels": channels, "taps": taps, "separable": True, "nonlinearity": "none"})
        blocks.append({"kind": "residual", "shortcut": "conv", "blocks": inner, "drop": 0.1})
    blocks += [{"channels": 128, "taps": 29, "dilation": 2, "separable": True}, {"channels": 128}]
    return Config(labels, rate, front=_mel(64, train, front), blocks=blocks, head={"pool": "mean"})


@_enter
def sincnet(labels: Sequence[str], *, rate: int = 8000, front: str = "sinc", train: str = "learned", count: int = 40) -> Config:
    """Ravanelli and Bengio, SLT 2018: band-passes whose edges are learned, then layers along time."""
    blocks = [{"channels": 32, "taps": 5, "stride": 2}, {"channels": 48, "taps": 5, "stride": 2, "separable": True},
              {"channels": 64, "taps": 5, "separable": True}]
    return Config(labels, rate, window=1.25, front=_mel(count, train, front), blocks=blocks,
                  head={"pool": "mean+max", "drop": 0.2})


@_enter
def lenet(labels: Sequence[str], *, rate: int = 8000, maps: int = 6, front: str = "mel", train: str = "fixed") -> Config:
    """LeCun et al., 1989-98, on a spectrogram: 5 × 5, pool 2, 5 × 5, pool 2, then all that is left of a second; it slides."""
    blocks: list[dict[str, Any]] = [{"kind": "fold", "how": "open"}]
    for m in (maps, 2 * maps):
        blocks.append({"channels": m, "taps": 5, "valid": True, "bias": True, "normalise": "none", "pool": "max:2x2"})
    blocks += [{"kind": "fold"}, {"channels": 50, "taps": 12, "bias": True, "normalise": "none"}]
    return Config(labels, rate, front=_mel(40, train, front, hop=0.0125), blocks=blocks, head={"pool": "max"}, window=1.0)


def _bell(labels: Sequence[str], rate: int, front: str, train: str, **smaller: Any) -> Config:
    plain = {"bias": True, "normalise": "none", "nonlinearity": "tanh"}
    blocks: list[dict[str, Any]] = [{"kind": "fold", "how": "open"}]
    blocks += [{"channels": 12, "taps": 5, **plain, **smaller}] * 2
    blocks += [{"kind": "fold"}, {"channels": 30, "taps": 12, **plain}]
    return Config(labels, rate, front=_mel(16, train, front, hop=0.0125), blocks=blocks, head={"pool": "max"}, window=1.0)


@_enter
def strided(labels: Sequence[str], *, rate: int = 8000, front: str = "mel", train: str = "fixed") -> Config:
    """The first convnet, Bell Labs 1989: 5 × 5 at a stride of 2, twice, no pooling."""
    return _bell(labels, rate, front, train, stride=2)


@_enter
def pooled(labels: Sequence[str], *, rate: int = 8000, front: str = "mel", train: str = "fixed") -> Config:
    """The same with every place computed, and the mean of 2 × 2 of them in the place of a stride, as from 1990 on."""
    return _bell(labels, rate, front, train, pool="mean:2x2")


@_enter
def multiscale(labels: Sequence[str], *, rate: int = 8000, front: str = "mel", train: str = "fixed",
               scales: Sequence[int] = (1, 2, 4)) -> Config:
    """Farabet et al., 2013: the same weights at scales 1, 2 and 4, stacked."""
    inner: list[dict[str, Any]] = [{"channels": 32, "taps": 5}, {"channels": 32, "taps": 5}]
    blocks: list[dict[str, Any]] = [{"kind": "multiscale", "scales": list(scales), "blocks": inner},
                                    {"channels": 64, "drop": 0.1}]
    return Config(labels, rate, front=_mel(40, train, front), blocks=blocks, head={"pool": "mean+max", "drop": 0.2})


@_enter
def dense(labels: Sequence[str], *, rate: int = 8000, hidden: int = 16, depth: int = 1, front: str = "mel", train: str = "fixed",
          window: float = 1.0, count: int = 40) -> Config:
    """A dense net: its first layer reads the whole window at once, as filters that are as long. `match` sets `hidden`."""
    table = _mel(count, train, front)
    from .fronts import front as made

    instants = made(table, rate).reach.count(round(window * rate))
    blocks: list[dict[str, Any]] = [{"channels": hidden, "taps": instants, "bias": True, "normalise": "none"}]
    blocks += [{"channels": hidden, "bias": True, "normalise": "none"}] * (depth - 1)
    return Config(labels, rate, window=window, front=table, blocks=blocks, head={"pool": "mean"})


def matched(config: Config, **options: Any) -> Config:
    """A dense net with as many parameters as that of a config, within 2 % where one hidden layer allows it.

    >>> matched(preset("m5", ["no", "yes"])).preset
    'dense'
    """
    from .fronts import front as made
    from .nets import Net

    goal, labels = Net(config).parameter_count, len(config.labels)
    instants = made(_mel(), config.rate).reach.count(config.rate)
    # count·instants·hidden + hidden + (hidden + 1)·labels, by the number of bands that comes nearest
    fits = []
    for count in range(40, 23, -1):
        each = count * instants + 1 + labels
        hidden = max(round((goal - labels) / each), 1)
        fits.append((abs(hidden * each + labels - goal), -count, hidden))
    _, count, hidden = min(fits)
    return preset("dense", config.labels, rate=config.rate, hidden=hidden, count=-count, **options)
