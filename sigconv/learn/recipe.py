"""How a net is trained: a table of options whose defaults are the course's ten practical tips, each of which can be switched
off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import NoneType
from typing import Any

from ..errors import UsageError, among, hint
from .augmenting import Augment
from .config import Config, number, refuse_strangers
from .masking import mask
from .words import fitted

__all__ = ["TIPS", "Recipe", "explained", "without"]

TIPS = {
    "relu": "rectifiers as nonlinearity",
    "cross-entropy": "cross-entropy as the loss of a classifier",
    "minibatch": "stochastic gradient descent on minibatches",
    "shuffle": "clips in another order in every epoch",
    "normalise": "inputs of mean 0 and variance 1",
    "schedule": "a learning rate that falls",
    "decay": "a bit of weight decay, after a couple of epochs",
    "dropout": "dropout",
    "initialise": "first weights by the number of inputs they add up",
    "graph": "any graph will do: bypasses",
}

# what leaving it out of four epochs costs: points of accuracy on spoken digits, the mean of three seeds, by bench/tips.py
WORTH = {"relu": 11.1, "cross-entropy": 2.2, "minibatch": 83.1, "shuffle": 71.8, "normalise": 2.9, "schedule": -2.2, "decay": 0.1,
         "dropout": -2.4, "initialise": -2.6, "graph": 0.0}


@dataclass(frozen=True)
class Recipe:
    """Options of training.

    `optimizer`: adamw, or sgd with `momentum` (and `nesterov`), whose `lr` is scaled by 1 − momentum. `schedule`: one-cycle (up
    over `warm` of the steps, then down), cosine or constant. `decay`: weight decay from epoch `late` on; `l1` shrinks taps
    towards 0, `group` whole filters. `clip`: the longest gradient. `mixup`: Beta parameter; `smooth`: label smoothing.
    `balance`: all labels count the same, however many clips they have. `average`: ema (with `memory`), swa (of the last
    quarter), none. `drop`: of whole filters, in the head. `patience`: epochs without a better validation until it stops, 0 for
    never. `choose`: the weights of the best validation ("valid") or of the end ("last"). `negatives`: share of each batch that
    is noise, tones and clicks with no label at all, so that a net is sure of speech only. `augment`, `masks`: options of what is
    done to sounds and spectrograms; empty tables are the defaults, None nothing. `lost`: the share of validation clips,
    changed as in training, whose confidence lies under the net's threshold. `layerwise`: "oja", the first `layers` banks (0 for
    all) are the principal components of what reaches them, and stay so; "oja-start", they go on from there. `without`: tips to
    leave out.

    Raises `UsageError` for options out of range.
    """

    epochs: int = 24
    batch: int = 64
    optimizer: str = "adamw"
    lr: float = 4e-3
    momentum: float = 0.9
    nesterov: bool = False
    schedule: str = "one-cycle"
    warm: float = 0.15
    decay: float = 0.02
    late: int = 2
    l1: float = 0.0
    group: float = 0.0
    clip: float = 5.0
    mixup: float = 0.0
    smooth: float = 0.1
    balance: bool = False
    average: str = "ema"
    memory: float = 0.995
    drop: float | None = None
    patience: int = 0
    choose: str = "valid"
    negatives: float = 0.07
    lost: float = 0.05
    layerwise: str = "none"
    layers: int = 1
    seed: int = 0
    augment: Mapping[str, Any] | None = field(default_factory=dict)
    masks: Mapping[str, Any] | None = None
    without: Sequence[str] = ()

    def __post_init__(self) -> None:
        tips = self.without if isinstance(self.without, (list, tuple)) else (self.without,)
        object.__setattr__(self, "without", tuple(tips))
        for tip in self.without:
            if tip not in TIPS:
                raise UsageError(f"without {tip!r}: wanted some of {', '.join(TIPS)}{hint(str(tip), TIPS)}")
        among(self.optimizer, ("adamw", "sgd"), "optimizer")
        among(self.schedule, ("one-cycle", "cosine", "constant"), "schedule")
        among(self.average, ("ema", "swa", "none"), "average")
        among(self.choose, ("valid", "last"), "choose")
        among(self.layerwise, ("none", "oja", "oja-start"), "layerwise")
        for name, low, high in (("epochs", 0, 100_000), ("batch", 1, 100_000), ("lr", 0, 100), ("momentum", 0, 0.9999),
                                ("warm", 0, 1),
                                ("decay", 0, 10), ("l1", 0, 10), ("group", 0, 10), ("clip", 0, 1e9), ("mixup", 0, 10),
                                ("smooth", 0, 0.99),
                                ("memory", 0, 1), ("late", 0, 100_000), ("seed", 0, 2**62), ("patience", 0, 100_000),
                                ("negatives", 0, 0.9), ("lost", 0, 1), ("layers", 0, 1000)):
            value, whole = getattr(self, name), name in ("epochs", "batch", "late", "patience", "seed", "layers")
            if not number(value, low, high) or (whole and not isinstance(value, int)):
                raise UsageError(f"{name} {value!r}: wanted a {'whole ' * whole}number from {low} to {high:g}")
        if self.drop is not None and not (number(self.drop, 0, 1) and self.drop < 1):
            raise UsageError(f"drop {self.drop!r}: wanted a share from 0, below 1")
        for name in ("augment", "masks"):
            if not isinstance(getattr(self, name), (Mapping, NoneType)):
                raise UsageError(f"{name} {getattr(self, name)!r}: wanted a table of options, or None")
        if self.augment is not None:
            refuse_strangers(self.augment, Augment, "augment")
            Augment(**self.augment)
        if self.masks is not None:
            fitted(mask, self.masks, "masks", least=0)

    def on(self, tip: str) -> bool:
        """Whether a tip is followed."""
        return tip not in self.without

    def table(self) -> dict[str, Any]:
        """As plain lists, tables, words and numbers; what is None is told as false."""
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {k: False if v is None and k in ("augment", "masks") else v for k, v in plain.items() if v is not None
                or k != "drop"}

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> Recipe:
        """The inverse of `table`; words that are not known are refused."""
        refuse_strangers(table, cls, "training")
        plain: dict[str, Any] = {k: None if v is False and k in ("augment", "masks") else v for k, v in table.items()}
        return cls(**plain)

    def but(self, **changes: Any) -> Recipe:
        """With some options changed."""
        return replace(self, **changes)


def without(config: Config, recipe: Recipe) -> Config:
    """The net without the tips that are about nets: no rectifiers, no dropout, no bypasses."""
    blocks: Any = config.blocks
    if not recipe.on("relu"):
        blocks = _changed(blocks, "nonlinearity", lambda v: "tanh" if v in (None, "relu", "leaky", "swish") else v)
    if not recipe.on("dropout"):
        blocks = _changed(blocks, "drop", lambda v: 0.0, ("block", "residual", "broadcast"))
    if not recipe.on("graph"):
        blocks = _changed(blocks, "shortcut", lambda v: "none", ("residual",))
    drop = 0.0 if not recipe.on("dropout") else recipe.drop
    head = config.head if drop is None else {**config.head, "drop": drop}
    return config.but(blocks=blocks, head=head)


def _changed(blocks: Sequence[Mapping[str, Any]], word: str, change: Any,
             kinds: Sequence[str] = ("block", "residual")) -> list[dict[str, Any]]:
    """Entries of these kinds, and those within them, with one word of them changed."""
    done = []
    for entry in blocks:
        new = dict(entry)
        if "blocks" in new:
            new["blocks"] = _changed(new["blocks"], word, change, kinds)
        if new.get("kind", "block") in kinds:
            new[word] = change(new.get(word))
        done.append(new)
    return done


def explained(recipe: Recipe, config: Config, measured: Mapping[str, str] | None = None) -> list[str]:
    """The ten tips, a line each: on or off, what it is here, what was measured of it, and what it was worth on spoken digits.

    >>> explained(Recipe(without=("shuffle",)), Config(labels=("a", "b")))[3]
    'off  shuffle        clips in another order in every epoch: the order of the folder (spoken digits without it: -71.8 points)'
    """
    r = recipe
    rectifiers = "tanh" if not r.on("relu") else "relu"
    here = {
        "relu": rectifiers, "cross-entropy": f"label smoothing {r.smooth:g}" if r.on("cross-entropy")
        else "squared error of probabilities",
        "minibatch": f"{r.batch} clips, {r.optimizer}" if r.on("minibatch") else "all clips at once",
        "shuffle": f"seed {r.seed}" if r.on("shuffle") else "the order of the folder",
        "normalise": "each band, by the training clips" if r.on("normalise") else "bands as they are",
        "schedule": f"{r.schedule}, {r.lr:g} at the most" if r.on("schedule") else f"{r.lr:g} throughout",
        "decay": f"{r.decay:g} from epoch {r.late + 1} on" if r.on("decay") else "none",
        "dropout": f"of whole filters, {config.head.get('drop', 0.0):g} in the head" if r.on("dropout") else "none",
        "initialise": "uniform, ±1/√inputs" if r.on("initialise") else "normal, 0.01, whatever the layer",
        "graph": "as the preset has them" if r.on("graph") else "one straight row",
    }
    known = measured or {}
    notes = {tip: [*([known[tip]] if tip in known else []), f"spoken digits without it: {0 - WORTH[tip]:+.1f} points"]
             for tip in TIPS}
    return [f"{'on ' if r.on(tip) else 'off'}  {tip:<14} {sentence}: {here[tip]} ({'; '.join(notes[tip])})"
            for tip, sentence in TIPS.items()]
