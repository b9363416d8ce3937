"""Training: it learns, it is told, it goes on after a kill to the same bit, and each tip can be switched off."""

import json
import os
import resource
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command import run as sigconv

import sigconv as sc
from sigconv.errors import SigconvError, UsageError
from sigconv.learn import TIPS, Config, Net, Recipe, Speech, compare, evaluate, sweep, train
from sigconv.learn.asking import resolved
from sigconv.learn.evaluating import report, wilson
from sigconv.learn.feeding import batch_of, drawn
from sigconv.learn.recipe import WORTH, explained, without
from sigconv.learn.steps import learning_rate, loss_of, optimizer_of, paced, shrink, targets_of

torch.set_num_threads(1)
RATE = 2000
TINY = Config(("x", "y"), RATE, window=0.3, front={"kind": "mel", "count": 8, "frame": 0.03}, head={"drop": 0.1},
              blocks=[{"channels": 8, "taps": 3}, {"channels": 8, "taps": 3, "drop": 0.1}])
QUICK = {"epochs": 5, "batch": 4, "lr": 0.02, "augment": None}


def tones(folder, count=24, rate=RATE, seconds=0.25):
    """Two words, high and low tones in noise, of three speakers."""
    rng = np.random.default_rng(0)
    t = np.arange(round(seconds * rate)) / rate
    for label, hertz in (("high", 600), ("low", 150)):
        for i in range(count // 2):
            x = np.sin(2 * np.pi * (hertz + 10 * (i % 7)) * t) + 0.1 * rng.standard_normal(len(t))
            sc.save(sc.Signal(0.2 * x[None], sc.line(len(t), rate)), folder / f"{label}_{('ann', 'bob', 'cy')[i % 3]}_{i}.wav")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return Speech(tones(tmp_path_factory.mktemp("tones")), cache=False)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run that nothing disturbed."""
    return train(data, TINY, tmp_path_factory.mktemp("whole") / "run", explain=True, average="ema", memory=0.9, **QUICK)


def weights(folder, name="last"):
    from safetensors.torch import load_file

    return load_file(folder / f"{name}.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(v, b[k]) for k, v in a.items())


def test_it_learns_and_tells(whole, data):
    assert whole.test.accuracy == 1 and whole.valid.count > 0 and "left out" in whole.protocol
    folder = whole.folder
    assert {p.name for p in folder.iterdir()} == {"config.toml", "metrics.jsonl", "curves.png", "confusion.png",
                                                  "best.safetensors",
                                                  "first.safetensors", "last.safetensors", "card.md", "report.json"}
    table = tomllib.loads((folder / "config.toml").read_text())
    assert Config.read(table["net"]).but(threshold=whole.net.threshold) == Net.load(folder).config
    assert Recipe.read(table["training"]) == whole.recipe and table["split"]["protocol"] == whole.protocol
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5] and lines[-1]["loss"] < lines[0]["loss"]
    assert lines[0]["noise_ratio"] > 0 and lines[0]["update_ratios"]["blocks.0.bank.weight"] > 0
    card = (folder / "card.md").read_text()
    assert whole.protocol in card and "confidence" in card and "| cy | 8 of 8 |" in card
    x = sc.load(data.folder / "low_ann_0.wav")
    assert Net.load(folder).classify(x) == "low" == Net.load(folder / "best.safetensors").classify(sc.resample(x * 0.01, 16000))
    first, best = Net.load(folder / "first.safetensors"), Net.load(folder)
    assert not np.array_equal(first.kernels()["1"].data, best.kernels()["1"].data)
    assert np.array_equal(first.kernels()["front"].data, best.kernels()["front"].data)


def test_the_threshold_loses_what_it_says(whole, data):
    parts = data.split(seed=0)
    assert evaluate(whole.net, parts.valid).accepted >= 1 - whole.recipe.lost - 1 / len(parts.valid)
    assert whole.net.threshold > 0.5


KILLED = """
import os, signal, sys
import torch
sys.path.insert(0, sys.argv[1])
from test_learn_training import QUICK, TINY, train, Speech
torch.set_num_threads(1)
def watch(said):
    if said["step"] == 5:
        os.kill(os.getpid(), signal.SIGKILL)
train(Speech(sys.argv[2], cache=False), TINY, sys.argv[3], explain=True, watch=watch, average="ema", memory=0.9, **QUICK)
"""


def test_a_killed_run_goes_on_to_the_same_bits(whole, data, tmp_path):
    folder = tmp_path / "run"
    done = subprocess.run([sys.executable, "-c", KILLED, str(Path(__file__).parent), str(data.folder), str(folder)],
                          capture_output=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    epochs = len((folder / "metrics.jsonl").read_text().splitlines())
    assert 0 < epochs < QUICK["epochs"] and not (folder / "card.md").exists()
    again = train(data, TINY, folder, resume=True, explain=True, average="ema", memory=0.9, **QUICK)
    assert same(weights(folder), weights(whole.folder)) and same(weights(folder, "best"), weights(whole.folder, "best"))
    assert (folder / "metrics.jsonl").read_text() == (whole.folder / "metrics.jsonl").read_text() and again.test.accuracy == 1


def test_a_finished_run_resumes_to_itself_and_other_options_are_refused(whole, data, tmp_path):
    before = weights(whole.folder)
    again = train(data, TINY, whole.folder, resume=True, explain=True, average="ema", memory=0.9, **QUICK)
    assert same(before, weights(whole.folder)) and len(again.history) == 5
    with pytest.raises(SigconvError, match=r"begun otherwise.*lr 0.02, now 0.5"):
        train(data, TINY, whole.folder, resume=True, average="ema", memory=0.9, **QUICK | {"lr": 0.5})
    with pytest.raises(SigconvError, match="a run is in it"):
        train(data, TINY, whole.folder, **QUICK)


def test_a_full_disk_leaves_the_old_checkpoint(data, tmp_path):
    folder, old = tmp_path / "run", resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def watch(said):
        if said["step"] == 5:  # in the second epoch
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))

    try:
        with pytest.raises(SigconvError) as why:
            train(data, TINY, folder, watch=watch, **QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "nothing was written" in str(why.value) and not list(folder.glob(".*"))
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 1
    assert train(data, TINY, folder, resume=True, **QUICK).test.accuracy == 1


def test_the_test_side_is_never_looked_at(data):
    parts = data.split(seed=0)
    few = replace(parts, test=parts.test.only(range(2)))
    options = QUICK | {"epochs": 2}
    assert same(train(parts, TINY, **options).net.state_dict(), train(few, TINY, **options).net.state_dict())


def test_early_stopping(data):
    assert len(train(data, TINY, patience=1, **QUICK | {"epochs": 30, "negatives": 0}).history) < 30


@pytest.mark.parametrize("options", [{"optimizer": "sgd", "nesterov": True, "schedule": "cosine", "average": "swa"},
                                     {"mixup": 0.3, "masks": {"frequency": 2, "time": 3}, "augment": {}, "schedule": "constant"},
                                     {"l1": 0.01, "group": 0.05, "late": 0, "choose": "last", "balance": True}])
def test_other_ways_to_train(data, options):
    run = train(data, TINY, **QUICK | {"epochs": 3} | options)
    assert np.isfinite(run.test.nll) and run.history[-1]["loss"] < 0.8


def test_two_questions_at_once(data):
    run = train(data, TINY, split="clips", heads="speaker", **QUICK | {"epochs": 8})
    both = run.net(torch.zeros(3, run.net.window), every=True)
    assert both["label"].shape == (3, 2) and both["speaker"].shape == (3, 3) and run.net.config.heads["speaker"] == ("ann", "bob",
                                                                                                                     "cy")
    assert run.test.accuracy == 1
    asked = evaluate(run.net, data, head="speaker")
    assert asked.labels == ("ann", "bob", "cy") and asked.confusion.sum() == 24 and [sum(row) for row in asked.confusion] == [8,
                                                                                                                              8,
                                                                                                                              8]


def test_what_is_lost_is_said_at_once(data, monkeypatch):
    monkeypatch.setattr("sigconv.learn.training.loss_of", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(SigconvError, match="loss is nan in epoch 1: wanted a lower learning rate"):
        train(data, TINY, **QUICK)


# ------------------------------------------------------------------ the ten tips

def made(tip, config=None):
    recipe = Recipe(without=(tip,) if tip else ())
    return recipe, Net(without(config or Config(("a", "b"), 8000, front={"kind": "mel"}, blocks=[
        {"kind": "residual", "blocks": [{"channels": 8, "taps": 3, "drop": 0.2}]}], head={"drop": 0.4}), recipe))


def kinds(net):
    return {type(m).__name__ for m in net.modules()}


def test_ten_tips_each_on_by_default():
    assert len(TIPS) == 10 and all(line.startswith("on ") for line in explained(Recipe(), TINY))
    for i, tip in enumerate(TIPS):
        lines = explained(Recipe(without=(tip,)), TINY)
        assert [line.startswith("off") for line in lines] == [j == i for j in range(10)]
    with pytest.raises(UsageError, match="did you mean 'shuffle'"):
        Recipe(without=("shufle",))


def test_what_the_tips_are_worth_is_what_the_bench_measured():
    page = (Path(__file__).parents[1] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.partition("<!-- tips: begin -->")[2].partition("<!-- tips: end -->")[0].splitlines()]
    lost = {row[1].split("`")[1]: float(row[4]) for row in rows if len(row) > 4 and "`" in row[1]}
    assert lost == WORTH and lost["shuffle"] > 0 < lost["normalise"] and [*WORTH] == [*TIPS]
    for (tip, points), line in zip(lost.items(), explained(Recipe(), TINY), strict=True):
        assert f"on   {tip} " in line and f"spoken digits without it: {0 - points:+.1f} points" in line


def test_tips_of_the_net():
    _, usual = made("")
    _, plain = made("relu")
    assert "ReLU" in kinds(usual) and "ReLU" not in kinds(plain) and "Tanh" in kinds(plain)
    _, wet = made("dropout")
    assert [net.head.drop.p for net in (usual, wet)] == [0.4, 0]
    assert [net.blocks[0].body[0].drop.p for net in (usual, wet)] == [0.2, 0]
    _, row = made("graph")
    assert row.blocks[0].plain and not usual.blocks[0].plain


def test_tips_of_the_steps():
    on, off = Recipe(), {tip: Recipe(without=(tip,)) for tip in TIPS}
    assert drawn(off["shuffle"], 3, 9, 0)[0].tolist() == list(range(9)) != drawn(on, 3, 9, 0)[0].tolist()
    assert drawn(on, 1, 9, 0)[0].tolist() != drawn(on, 2, 9, 0)[0].tolist()
    assert {learning_rate(off["schedule"], k, 100) for k in range(100)} == {on.lr}
    rates = [learning_rate(on, k, 100) for k in range(100)]
    assert max(rates) == pytest.approx(on.lr, rel=0.01) and rates[-1] == pytest.approx(on.lr / 1000) and np.argmax(rates) in (14,
                                                                                                                              15)
    net = made("")[1]
    for recipe, epoch, decay in ((on, 0, 0), (on, 1, 0), (on, 2, on.decay), (off["decay"], 9, 0)):
        optimizer = optimizer_of(net, recipe)
        paced(optimizer, recipe, 0.1, epoch)
        assert [g["weight_decay"] for g in optimizer.param_groups] == [decay, 0]
    logits, target = torch.randn(4, 3), targets_of(torch.tensor([0, 1, 2, -1]), 3)
    assert float(loss_of(logits, target,
                         off["cross-entropy"])) == pytest.approx(float(((logits.softmax(1) - target) ** 2).sum(1).mean()))
    assert target[3].tolist() == pytest.approx([1 / 3] * 3)


def test_tips_of_the_data(data):
    on = train(data, TINY, **QUICK | {"epochs": 1})
    raw = train(data, TINY, without=["normalise", "initialise", "minibatch"], **QUICK | {"epochs": 1, "lr": 0.0, "negatives": 0})
    assert float(on.net.front.mean.abs().min()) > 0 and float(raw.net.front.mean.abs().max()) == 0
    spread = [float(run.net.blocks[1].bank.weight.detach().std()) for run in (raw, on)]
    assert 0.008 < spread[0] < 0.012 < spread[1]
    steps = []
    train(data, TINY, without=["minibatch"], watch=lambda said: steps.append(said["steps"]), **QUICK | {"epochs": 1})
    assert set(steps) == {1}


BYPASSED = TINY.but(blocks=[*TINY.blocks, {"kind": "residual", "blocks": [{"channels": 8, "taps": 3}]}])
BRIEF = QUICK | {"epochs": 2, "late": 0, "decay": 1.0, "choose": "last"}


@pytest.fixture(scope="module")
def tipped(data):
    """A short run with all the tips, twice."""
    return [train(data, BYPASSED, **BRIEF).net.state_dict() for _ in range(2)]


@pytest.mark.parametrize("tip", TIPS)
def test_each_tip_changes_what_is_learned(data, tipped, tip):
    assert same(*tipped) and not same(tipped[0], train(data, BYPASSED, without=tip, **BRIEF).net.state_dict())


def test_the_level_is_part_of_the_normalisation(data):
    net, power = Net(TINY.but(labels=data.labels)), []
    for recipe in (Recipe(augment=None, negatives=0), Recipe(augment=None, negatives=0, without="normalise")):
        x, _ = batch_of(net, data, np.arange(4), recipe, torch.Generator().manual_seed(0))
        power.append(float(x.square().mean(1).max() * net.window / (0.25 * RATE)))
    assert power[0] == pytest.approx(1e-2, rel=0.1) and power[1] == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("kind", ["mel", "gammatone", "gabor", "sinc"])
def test_a_fixed_front_is_the_same_to_the_bit_after_training(data, kind):
    moved = {}
    for way in ("fixed", "initial", "learned"):
        net = train(data, TINY.but(front={"kind": kind, "count": 8, "train": way}), **QUICK | {"epochs": 1}).net
        before = dict(Net(net.config).front.named_parameters())
        moved[way] = max(float((p - before[name]).detach().abs().max()) for name, p in net.front.named_parameters())
    assert moved["fixed"] == 0 < min(moved["initial"], moved["learned"])


# ------------------------------------------------------------------ figures

def test_wilson_is_scipys():
    from scipy.stats import binomtest

    for right, count in ((0, 7), (7, 7), (98, 100), (250, 300)):
        theirs = binomtest(right, count).proportion_ci(method="wilson")
        assert wilson(right, count) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_figures_by_hand():
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    r = report(p, [0, 0, 1, 1], ["a", "b"], ["u", "u", "v", "v"], threshold=0.7)
    assert r.accuracy == 0.75 and r.confusion.tolist() == [[2, 0], [1, 1]] and r.balanced == 0.75 and r.per_speaker == {"u": (2,
                                                                                                                              2),
                                                                                                                        "v": (1,
                                                                                                                              2)}
    assert r.nll == pytest.approx(-np.log([0.9, 0.6, 0.8, 0.3]).mean()) and r.accepted == 0.75
    assert r.calibration == pytest.approx((abs(1 - 0.9) + abs(1 - 0.6) + abs(1 - 0.8) + abs(0 - 0.7)) / 4)
    lopsided = report(np.eye(2)[[0, 0, 0, 0]], [0, 0, 0, 1], ["a", "b"])
    assert lopsided.accuracy == 0.75 and lopsided.balanced == 0.5
    assert report(np.full((3, 10), 0.1), [0, 1, 2], list("0123456789")).nll == pytest.approx(2.3026, abs=1e-4)


def test_figures_of_different_protocols_do_not_compare():
    p = np.array([[0.9, 0.1], [0.1, 0.9]])
    a, b = (report(p, y, ["a", "b"], protocol="official") for y in ([0, 1], [1, 1]))
    assert "could be chance" in compare(a, b)
    with pytest.raises(SigconvError, match="do not compare"):
        compare(a, report(p, [0, 1], ["a", "b"], protocol="by speaker"))


def test_sweeps(whole, data):
    found = sweep(whole.net, data, snrs=[30, -20], gains=[-40, 20], protocol="all")
    assert [found[k].accuracy for k in ("gain -40 dB", "gain +20 dB", "snr 30 dB")] == [1, 1, 1]
    assert found["snr -20 dB"].accuracy < 1
    with pytest.raises(SigconvError, match="do not compare"):
        compare(found["snr 30 dB"], found["snr -20 dB"])


def test_labels_that_the_net_does_not_know(whole, tmp_path):
    for i, label in enumerate(("high", "odd") * 2):
        sc.save(sc.Signal(np.ones((1, 99)), sc.line(99, RATE)), tmp_path / f"{label}_ann_{i}.wav")
    with pytest.raises(SigconvError, match="'odd': the net knows high, low"):
        evaluate(whole.net, Speech(tmp_path, cache=False))


# ------------------------------------------------------------------ pieces

def test_shrinking_stops_at_nothing():
    w = torch.tensor([-0.5, 0.2, 3.0])
    shrink(w, 0.3)
    assert w.tolist() == pytest.approx([-0.2, 0.0, 2.7])


@pytest.mark.parametrize(("options", "words"), [({"lr": -1}, "lr -1"), ({"epochs": 1, "batch": 0}, "batch 0"),
                                                ({"optimizer": "adm"}, "adamw"),
                                                ({"lrr": 1}, "did you mean 'lr'"), ({"widht": 1}, "did you mean 'width'")])
def test_options_that_can_not_be_meant(data, options, words):
    with pytest.raises(SigconvError, match=words):
        resolved("tcresnet8", data, options)


def test_the_command_line(tmp_path):
    tones(tmp_path / "tones" if not (tmp_path / "tones").mkdir() else tmp_path, count=12, rate=8000)
    ran = sigconv("train", "tones", "--preset", "sincnet", "--epochs", 2, "--set", "batch=4", "--set", "lr=0.01", "--explain",
                  "-v", cwd=tmp_path)
    assert ran.code == 0 and "test     " in ran.out and "run/best.safetensors" in ran.out, ran.err
    assert "epoch 2/2" in ran.err and "on   relu" in ran.err
    told = json.loads(sigconv("test", "run", "tones", "--json", cwd=tmp_path).out)
    assert told["test"]["clips"] == 12 and set(told["test"]["per_speaker"]) == {"ann", "bob", "cy"}
    ran = sigconv("classify", "run", "tones/low_ann_0.wav", "tones/none.wav", cwd=tmp_path)
    assert ran.code == 3 and "low_ann_0.wav  " in ran.out and "none.wav" in ran.err
    assert json.loads(sigconv("classify", "run/best.safetensors", "tones/low_ann_0.wav", "--json",
                              cwd=tmp_path).out)["label"] in ("high", "low")
    ran = sigconv("export", "run", "--to", "safetensors", cwd=tmp_path)
    assert ran.code == 0 and Net.load(tmp_path / "run.safetensors").labels == ("high", "low")
    ran = sigconv("listen", "--no-open", "--kernel", "run/best.safetensors:front#3", "tones/low_ann_0.wav", cwd=tmp_path)
    assert ran.code == 0 and (tmp_path / "low_ann_0.best-front-3.wav").exists(), ran.err
    for words, code in (("train none", 1), ("train tones --preset nix", 2), ("train tones --resume", 2), ("test run none", 1),
                        ("classify tones x.wav", 1),
                        ("export run", 2), ("export run --to safetensors", 1), ("train tones --set lr", 2),
                        ("train tones --without fun", 2)):
        ran = sigconv(*words.split(), cwd=tmp_path)
        assert ran.code == code and ran.err.strip().splitlines()[-1].startswith("sigconv: "), (words, ran)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx", "export"])
def test_other_programs_give_the_same_answers(tmp_path, form):
    if form == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package)
    net = Net("voices", labels=("a", "b"))
    assert sc.learn.export(net, tmp_path / "net", form) < 1e-5


TOGETHER = """
import sys
import torch
sys.path.insert(0, sys.argv[1])
from test_learn_training import QUICK, TINY, train, Speech
torch.set_num_threads(1)
run = train(Speech(sys.argv[2], cache=False), TINY, sys.argv[3], **QUICK)
import torch.distributed as dist
mine = torch.cat([p.detach().flatten() for p in run.net.parameters()])
if run.test is None:
    dist.send(mine, 0)
else:
    print("accuracy", run.test.accuracy)
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_several_processes_train_one_net(data, tmp_path):
    script = tmp_path / "together.py"
    script.write_text(TOGETHER.replace("    dist.send(mine, 0)\n", "    pass\n"))
    done = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script),
                           str(Path(__file__).parent), str(data.folder), str(tmp_path / "run")], capture_output=True, text=True,
                          timeout=600,
                          env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 0, done.stderr
    assert "accuracy 1.0" in done.stdout and Net.load(tmp_path / "run").labels == ("high", "low")
