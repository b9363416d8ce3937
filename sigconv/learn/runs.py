"""A run's folder: what was trained how, what came of it, and all that it takes to go on after a kill.

    config.toml          the net, the recipe, the split: as they were resolved
    metrics.jsonl        a line for each epoch
    best.safetensors     the weights chosen by validation; `Net.load` reads it
    first.safetensors    the weights before training
    last.safetensors     weights, averages and optimizer where the run stands: `resume` reads it
    curves.png, confusion.png, card.md, report.json

An epoch's files appear together or not at all; a disk that is full leaves those of the epoch before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import SigconvError, printable
from ..writing import Outputs
from .config import toml
from .recipe import Recipe, explained
from .weights import head_of, packed, read

if TYPE_CHECKING:
    from .evaluating import Report
    from .nets import Net

__all__ = ["Run", "State", "begun", "finish", "keep", "resumed"]


@dataclass
class State:
    """Where a run stands after an epoch: all that the next one depends on."""

    net: Net
    average: dict[str, torch.Tensor]
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    best: tuple[float, float] = (-1.0, 0.0)
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Weights, their average, and the optimizer's moments, by name."""
        found = {f"net.{k}": v for k, v in self.net.state_dict().items()} | {f"average.{k}": v for k, v in self.average.items()}
        for i, moments in self.optimizer.state_dict()["state"].items():
            found |= {f"optimizer.{i}.{k}": torch.as_tensor(v) for k, v in moments.items() if v is not None}
        return found

    def words(self, recipe: Recipe) -> dict[str, Any]:
        """The rest. Random numbers are no state: each epoch draws them from (seed, epoch)."""
        return {"recipe": recipe.table(), "epoch": self.epoch, "best": list(self.best), "best_epoch": self.best_epoch,
                "history": self.history}


@dataclass
class Run:
    """A trained net: `net` with the weights that were chosen, its `folder` (None: nothing was written), `history` (an entry for
    each epoch), the `valid` and `test` reports, and the `protocol` by which clips were told apart."""

    net: Net
    recipe: Recipe
    protocol: str
    history: list[dict[str, Any]]
    valid: Report | None = None
    test: Report | None = None
    folder: Path | None = None

    def explain(self) -> list[str]:
        """The ten tips: on or off, and what was measured of them."""
        return explained(self.recipe, self.net.config, self._measured())

    def _measured(self) -> dict[str, str]:
        """What the last epoch showed of some of the tips."""
        last, front = self.history[-1] if self.history else {}, self.net.front
        found = {"normalise": f"bands had means of {float(front.mean.min()):.2g} … {float(front.mean.max()):.2g}"}
        if "noise_ratio" in last:
            found["minibatch"] = f"‖mean‖/‖deviation‖ of the gradients {last['noise_ratio']:.2g}"
        if ratios := last.get("update_ratios"):
            found["initialise"] = f"a step moves layers by {min(ratios.values()):.1g} … {max(ratios.values()):.1g} of themselves"
        if "lr" in last:
            found["schedule"] = f"ended at {last['lr']:.2g}"
        return found


def begun(folder: Path, state: State, recipe: Recipe, protocol: str) -> None:
    """Make the folder of a new run, with the weights before training.

    Raises `SigconvError` for a folder with a run in it.
    """
    if (folder / "last.safetensors").exists() or (folder / "best.safetensors").exists():
        raise SigconvError(f"{printable(folder, 200)}: a run is in it; wanted another folder, or resume (--resume) to go on "
                           f"with it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise SigconvError(f"{printable(folder, 200)}: {why.strerror}; wanted a folder for the run") from None
    table = {"net": state.net.config.table(), "training": recipe.table(), "split": {"protocol": protocol}}
    with Outputs(overwrite=True) as out:
        out.open(folder / "config.toml").write(toml(table).encode())
        out.open(folder / "first.safetensors").write(packed(state.net.config, state.net.state_dict(), {}))
    keep(folder, state, recipe, None)


def keep(folder: Path, state: State, recipe: Recipe, best: dict[str, torch.Tensor] | None) -> None:
    """Write where the run stands, and the weights that are now the best, if they are."""
    with Outputs(overwrite=True, durable=True) as out:
        out.open(folder / "last.safetensors").write(packed(state.net.config, state.tensors(), state.words(recipe)))
        out.open(folder / "metrics.jsonl").write("".join(json.dumps(line) + "\n" for line in state.history).encode())
        if best is not None:
            out.open(folder / "best.safetensors").write(packed(state.net.config, best, {"epoch": state.best_epoch}))


def resumed(folder: Path, state: State, recipe: Recipe) -> None:
    """Bring a fresh state to where the run in a folder stands.

    Raises `SigconvError` where there is none, or it was trained otherwise.
    """
    path = folder / "last.safetensors"
    words = head_of(path)
    mine, own = (json.loads(json.dumps(one.table())) for one in (recipe, state.net.config))
    if words.get("net") != own or words.get("recipe") != mine:
        theirs = words.get("recipe", {})
        other = [f"{k} {theirs.get(k)!r}, now {v!r}" for k, v in mine.items() if theirs.get(k) != v]
        raise SigconvError(f"{printable(path, 200)}: begun otherwise ({printable('; '.join(other) or 'another net', 200)}); "
                           f"wanted the options "
                           "that it was begun with, or none of them")
    tensors = read(path)
    try:
        state.net.load_state_dict(_under(tensors, "net."))
        state.average.clear()
        state.average.update({k: v.to(state.net.device) for k, v in _under(tensors, "average.").items()})
        plain = state.optimizer.state_dict()
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _under(tensors, "optimizer.").items():
            number, _, key = name.partition(".")
            moments.setdefault(int(number), {})[key] = value
        state.optimizer.load_state_dict({"state": moments, "param_groups": plain["param_groups"]})
    except (RuntimeError, ValueError, KeyError) as why:
        raise SigconvError(f"{printable(path, 200)}: {printable(why, 160)}; wanted a state that sigconv wrote") from None
    state.epoch, state.best_epoch, state.history = int(words["epoch"]), int(words["best_epoch"]), list(words["history"])
    state.best = (float(words["best"][0]), float(words["best"][1]))


def _under(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def finish(run: Run) -> None:
    """The pictures, the card, and the figures; and the chosen weights with their threshold."""
    from .drawings import confusion_picture, curves_picture

    assert run.folder is not None
    figures = {name: r.table() for name, r in (("valid", run.valid), ("test", run.test)) if r}
    with Outputs(overwrite=True) as out:
        out.open(run.folder / "best.safetensors").write(packed(run.net.config, run.net.state_dict(), {"protocol": run.protocol}))
        if run.history:
            out.open(run.folder / "curves.png").write(curves_picture(run.history))
        judged = run.test or run.valid
        if judged:
            out.open(run.folder / "confusion.png").write(confusion_picture(judged))
        out.open(run.folder / "report.json").write((json.dumps(figures, indent=1) + "\n").encode())
        out.open(run.folder / "card.md").write(card(run).encode())


def card(run: Run) -> str:
    """The model card: what it is for, how it was made, how good it is, and where it ends."""
    net, config = run.net, run.net.config
    lines = [f"# {config.preset or 'net'}: {len(net.labels)} labels", "",
             f"Says which of these a recording holds: {', '.join(net.labels)}.", "", "| | |", "|---|---|",
             f"| parameters | {net.parameter_count:,} |",
             f"| sound | any rate, level and length; brought to {net.rate} Hz, one level |",
             f"| a score reads | {net.window / net.rate:g} s, every {net.stride / net.rate:g} s |",
             f"| long sounds | {'scan: exact' if net.exact else 'not exactly scannable: window by window'} |",
             f"| confidence needed | {net.threshold:.3f} |", f"| clips told apart | {run.protocol} |",
             f"| trained | {len(run.history)} epochs, seed {run.recipe.seed} |"]
    lines += [f"| {name} | {r} |" for name, r in (("validation", run.valid), ("test", run.test)) if r]
    lines += ["", "## The ten tips", "", *(f"    {line}" for line in run.explain()), "", "## Limits", "",
              "Figures hold for recordings like those that it was trained on. Confidence is no proof: what sounds like speech "
              "may pass. Load it with `sigconv.learn.Net.load`.", ""]
    if run.test and run.test.per_speaker:
        rows = "".join(f"| {name} | {right} of {count} |\n" for name, (right, count) in run.test.per_speaker.items())
        lines += ["## By speaker (test)", "", "| | |", "|---|---|", rows]
    return "\n".join(lines)
