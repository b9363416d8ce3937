"""Training: one loop, all of it here.

What an epoch draws at random hangs on (seed, epoch) alone, so a run that was killed goes on where an epoch began, and ends with
the same weights to the bit. Several processes (torchrun) run the same loop on their shares of each batch.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import SigconvError, SigconvWarning, printable
from . import layerwise
from .asking import resolved, split_of
from .config import Config
from .evaluating import evaluate, probabilities_of, report
from .feeding import batch_of, drawn, heard, masks_of
from .nets import Net
from .recipe import Recipe, without
from .runs import Run, State, begun, finish, keep, resumed
from .speech import Speech
from .steps import (
    averaged,
    learning_rate,
    loss_of,
    noise_ratio,
    optimizer_of,
    paced,
    share_of,
    shrink,
    update_ratios,
)

if TYPE_CHECKING:
    from .splits import Split

__all__ = ["train"]

Watch = Callable[[dict[str, Any]], None]


def train(data: Speech | Split | str | Path, preset: str | Config | None = None, out: str | Path | None = None, *,
          split: str = "auto", resume: bool = False, explain: bool = False, watch: Watch | None = None, device: str | None = None,
          threads: int = 1, **options: Any) -> Run:
    """Train a net on recordings, and judge it on clips that it has not seen.

    `data`: a folder, a `Speech`, or a `Split` of one; `split` says how clips are told apart (by speaker where speakers are
    known). `preset`: a name of `PRESETS` (by default the one that holds on unheard speakers) or a `Config`. `out`: the run's
    folder; without it nothing is written. `resume`: go on with the run in `out`. `explain`: measure what the tips do, a little
    slower. `watch` is called with each step. `threads`: of the CPU; nets this small win little by more, and lose much where
    others want the cores. `options`: of `Recipe` (epochs, lr, seed, …) or of the preset (width, front, train, …).

    The test clips are looked at once, at the end; what is chosen is chosen by validation clips.

    >>> import tempfile, sigconv as sc
    >>> folder = Path(tempfile.mkdtemp())
    >>> t = np.arange(4000) / 8000
    >>> for label, hertz in (("high", 1200), ("low", 300)):
    ...     for i in range(12):
    ...         x = np.sin(2 * np.pi * (hertz + 10 * i) * t)[None]
    ...         sc.save(sc.Signal(x, sc.line(4000, 8000)), folder / f"{label}_ann{i % 3}_{i}.wav")
    >>> run = train(sc.learn.Speech(folder, cache=False), "sincnet", epochs=6, batch=4, lr=0.01, watch=lambda said: None)
    >>> run.net.classify(sc.Signal(np.sin(2 * np.pi * 350 * t)[None], sc.line(4000, 8000)))
    'low'

    Raises `SigconvError` for data that nothing can be learned from, options that are not known, and a run that can't go on.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return _trained(data, preset, out, split, resume, explain, watch or (lambda said: None), device, options)
    finally:
        torch.set_num_threads(before)


def _trained(data: Any, preset: str | Config | None, out: str | Path | None, split: str, resume: bool, explain: bool,
             watch: Watch, device: str | None, options: dict[str, Any]) -> Run:
    """The run, in as many threads as torch now has."""
    parts = split_of(data, split, Recipe(seed=options.get("seed", 0)).seed)
    config, recipe = resolved(preset, parts.train, options)
    _settled()
    torch.manual_seed(recipe.seed)
    net = Net(without(config, recipe))
    for part in parts:
        part.whole(net.rate)
    if not len(parts.train):
        raise SigconvError("no clips to learn from: those of the training side are all damaged")
    if not recipe.on("initialise"):
        _flat(net)
    taught = layerwise.banks(net, recipe.layers) if recipe.layerwise != "none" else []
    for bank in taught:
        bank.weight.requires_grad = recipe.layerwise == "oja-start"
    rank, world = _together()
    net.to(_device(device))
    state = State(net, {}, optimizer_of(net, recipe))
    folder = Path(out) if out is not None else None
    if resume and folder is not None and (folder / "last.safetensors").exists():
        resumed(folder, state, recipe)
    else:
        if resume:
            warnings.warn(f"{printable(folder, 200)}: no run in it to go on with; a new one begins", SigconvWarning, stacklevel=2)
        if recipe.on("normalise") or taught:
            x = heard(net, parts.train, recipe)
            if recipe.on("normalise"):
                net.front.measure(x)
            if taught:
                layerwise.teach(net, x, recipe.layers, recipe.seed)
        state.average = {k: v.detach().clone() for k, v in net.state_dict().items()}
        if folder is not None and rank == 0:
            begun(folder, state, recipe, parts.protocol)
    best = _loop(state, recipe, parts, folder, rank, world, watch, explain)
    if rank:
        return Run(net, recipe, parts.protocol, state.history)
    return _judged(state, recipe, parts, folder, best)


def _loop(state: State, recipe: Recipe, parts: Split, folder: Path | None, rank: int, world: int, watch: Watch,
          explain: bool) -> dict[str, torch.Tensor]:
    """The loop. Returns the weights that were chosen."""
    net, optimizer, data = state.net, state.optimizer, parts.train
    batch = len(data) if not recipe.on("minibatch") else min(recipe.batch, len(data))
    per_epoch = max(len(data) // batch, 1)
    steps, device = recipe.epochs * per_epoch, net.device
    model = net if world == 1 else torch.nn.parallel.DistributedDataParallel(net)
    weight = torch.from_numpy(data.weights()).to(device) if recipe.balance else None
    chosen = _chosen(folder, state)
    while state.epoch < recipe.epochs and not _patient_no_more(state, recipe):
        epoch = state.epoch
        order, draws = drawn(recipe, epoch, len(data), rank)
        total, gradients, ratios = 0.0, [], {}
        net.train()
        for i in range(per_epoch):
            step = epoch * per_epoch + i
            x, targets = batch_of(net, data, order[i * batch:(i + 1) * batch][rank::world], recipe, draws)
            paced(optimizer, recipe, learning_rate(recipe, step, steps), epoch)
            said = model(x.to(device), masks_of(recipe, draws), every=True)
            losses = [loss_of(said[head], t.to(device), recipe, weight if head == "label" else None) for head,
                      t in targets.items()]
            loss = torch.stack(losses).sum()
            if not torch.isfinite(loss):
                raise SigconvError(f"the loss is {float(loss.detach())} in epoch {epoch + 1}: wanted a lower learning rate (lr "
                                   f"{recipe.lr:g}), or clip > 0")
            optimizer.zero_grad()
            loss.backward()
            if recipe.clip:
                torch.nn.utils.clip_grad_norm_(net.parameters(), recipe.clip)
            before = _copied(net) if explain and i == per_epoch - 1 else {}
            if explain:
                gradients.append(torch.cat([p.grad.flatten() for p in net.parameters()
                                            if p.grad is not None])[:50_000].cpu().clone())
            optimizer.step()
            _shrunk(net, recipe, optimizer.param_groups[0]["lr"], epoch)
            averaged(state.average, net.state_dict(), share_of(recipe, step, steps) if recipe.average != "none" else 1.0)
            ratios = update_ratios(net.named_parameters(), before) if before else {}
            total += float(loss.detach())
            watch({"epoch": epoch + 1, "epochs": recipe.epochs, "step": step + 1, "steps": steps, "loss": total / (i + 1),
                   "valid": state.history[-1].get("valid") if state.history else None})
        if not all(torch.isfinite(v).all() for v in net.state_dict().values()):
            raise SigconvError(f"weights that are no numbers after epoch {epoch + 1}: wanted a lower learning rate (lr "
                               f"{recipe.lr:g}), or clip > 0")
        line: dict[str, Any] = {"epoch": epoch + 1, "loss": total / per_epoch,
                                "lr": learning_rate(recipe, (epoch + 1) * per_epoch - 1, steps)}
        if explain:
            line |= {"noise_ratio": noise_ratio(torch.stack(gradients)), "update_ratios": ratios}
        state.epoch += 1
        improved = _validated(state, parts.valid, line, recipe)
        state.history.append(line)
        if improved:
            chosen = {k: v.detach().clone() for k, v in state.average.items()}
        if folder is not None and rank == 0:
            keep(folder, state, recipe, chosen if improved else None)
        watch({**line, "epochs": recipe.epochs, "steps": steps, "step": state.epoch * per_epoch, "done": True})
    return chosen


def _validated(state: State, valid: Speech, line: dict[str, Any], recipe: Recipe) -> bool:
    """Judge the average by the validation clips; whether it is the best so far, or the last is what is wanted."""
    if not len(valid):
        state.best_epoch = state.epoch
        return True
    judge = Net(state.net.config).to(state.net.device)
    judge.load_state_dict(state.average)
    found = evaluate(judge, valid)
    line |= {"valid": found.accuracy, "valid_nll": found.nll}
    if (found.accuracy, -found.nll) > state.best or state.epoch == 1:
        state.best, state.best_epoch = (found.accuracy, -found.nll), state.epoch
        return True
    return recipe.choose == "last"


def _judged(state: State, recipe: Recipe, parts: Split, folder: Path | None, chosen: dict[str, torch.Tensor]) -> Run:
    """The run, with its reports and its threshold."""
    config = state.net.config
    net = Net(config).to(state.net.device)
    net.load_state_dict(chosen)
    valid = None
    if len(parts.valid):
        p, y = probabilities_of(net, parts.valid)
        config = config.but(threshold=_threshold(net, parts.valid, recipe))
        net.config = config
        valid = report(p, y, net.labels, [item.speaker for item in parts.valid.items], protocol=f"{parts.protocol}; validation",
                       threshold=config.threshold)
    test = evaluate(net, parts.test, protocol=parts.protocol) if len(parts.test) else None
    run = Run(net.eval(), recipe, parts.protocol, state.history, valid, test, folder)
    if folder is not None:
        finish(run)
    return run


@torch.no_grad()
def _threshold(net: Net, valid: Speech, recipe: Recipe) -> float:
    """The confidence that `lost` of the validation clips do not reach, when they are changed as in training: of voices that are
    known, clips as they are would ask for more than a stranger's can give."""
    plain, found = recipe.but(mixup=0, negatives=0), []
    draws = torch.Generator().manual_seed(recipe.seed)
    net.eval()
    for index in np.array_split(np.arange(len(valid)), -(-len(valid) // 100)):
        x, _ = batch_of(net, valid, index, plain, draws)
        found.append(net(x.to(net.device)).softmax(1).amax(1).cpu())
    return floor(1e4 * float(torch.cat(found).quantile(recipe.lost))) / 1e4  # down: a threshold of 1 would accept nothing


def _chosen(folder: Path | None, state: State) -> dict[str, torch.Tensor]:
    """The weights chosen so far."""
    from .weights import read

    if state.best_epoch and folder is not None and (folder / "best.safetensors").exists():
        return read(folder / "best.safetensors")
    return {k: v.detach().clone() for k, v in state.average.items()}


def _patient_no_more(state: State, recipe: Recipe) -> bool:
    return bool(recipe.patience) and state.epoch - state.best_epoch >= recipe.patience


@torch.no_grad()
def _flat(net: Net) -> None:
    for p in net.blocks.parameters():
        if p.ndim > 1:
            p.normal_(0, 0.01)


def _shrunk(net: Net, recipe: Recipe, rate: float, epoch: int) -> None:
    if epoch < recipe.late or not (recipe.l1 or recipe.group):
        return
    for p in net.blocks.parameters():
        if p.ndim > 1 and p.requires_grad:
            if recipe.l1:
                shrink(p.data, rate * recipe.l1)
            if recipe.group:
                shrink(p.data, rate * recipe.group, filters=True)


def _copied(net: Net) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in net.named_parameters() if p.requires_grad and p.ndim > 1}


def _device(name: str | None) -> str:
    if name is not None:
        return name
    if torch.cuda.is_available():
        return f"cuda:{int(os.environ.get('LOCAL_RANK', 0))}"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _together() -> tuple[int, int]:
    """(rank, processes) of a run under torchrun; (0, 1) elsewhere."""
    if "WORLD_SIZE" not in os.environ or int(os.environ["WORLD_SIZE"]) < 2:
        return 0, 1
    import torch.distributed as dist

    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return dist.get_rank(), dist.get_world_size()


def _settled() -> None:
    """The same sums in the same order, wherever torch gives the choice."""
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
