"""What a net, a run and their files refuse: one line, never a traceback, and nothing that hangs."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import torch
from command import run

import sigconv as sc
from sigconv.errors import SigconvError, SigconvWarning, UsageError
from sigconv.learn import Config, Net, Recipe, Speech, evaluate, train

RATE = 8000
QUICK = {"epochs": 1, "batch": 4, "augment": None}
TINY = Config(("high", "low"), RATE, window=0.2, blocks=({"channels": 4, "taps": 40, "stride": 20},))


def tones(folder, cut=()):
    """Two labels of three speakers, the last part of some files missing."""
    folder.mkdir()
    t = np.arange(2000) / RATE
    for label, hertz in (("high", 1200), ("low", 300)):
        for who in ("ann", "bob", "cid"):
            for i in range(3):
                path = folder / f"{label}_{who}_{i}.wav"
                sc.save(sc.Signal(np.sin(2 * np.pi * (hertz + 10 * i) * t)[None], sc.line(2000, RATE)), path)
                if i in cut:
                    path.write_bytes(path.read_bytes()[:1000])
    return folder


def test_clips_that_turn_out_damaged_are_left_out_of_training(tmp_path):
    data = Speech(tones(tmp_path / "some", cut=(0, 2)), cache=False)
    with pytest.warns(SigconvWarning, match="left out"):
        done = train(data, TINY, split="speaker:ann", **QUICK)
    assert done.test.count == 2


@pytest.mark.filterwarnings("ignore::sigconv.errors.SigconvWarning")
def test_clips_that_are_all_damaged_are_told(tmp_path):
    folder = tones(tmp_path / "none", cut=(0, 1, 2))
    with pytest.raises(SigconvError, match="all damaged"):
        train(Speech(folder, cache=False), TINY, **QUICK)
    with pytest.raises(SigconvError, match="no clips to judge by"):
        evaluate(Net(TINY), Speech(folder, cache=False))


def test_a_resume_with_nothing_to_go_on_with_is_told(tmp_path):
    data = Speech(tones(tmp_path / "data"), cache=False)
    with pytest.warns(SigconvWarning, match="no run in it to go on with"):
        train(data, TINY, tmp_path / "run", resume=True, **QUICK)


def test_a_threshold_is_never_above_what_a_sure_net_says(tmp_path, monkeypatch):
    """All validation clips at 0.99999: a threshold rounded to 1 would accept none of them."""
    from sigconv.learn.training import _threshold

    monkeypatch.setattr(Net, "forward", lambda self, x: torch.tensor([[0.0, 11.5129]]).repeat(len(x), 1))
    assert _threshold(Net(TINY), Speech(tones(tmp_path / "data"), cache=False), Recipe()) == 0.9999


@pytest.mark.parametrize(("option", "said"), [
    ({"batch": 2.5}, "whole number"), ({"epochs": 1.5}, "whole number"), ({"late": "x"}, "late 'x'"), ({"drop": "a"}, "drop 'a'"),
    ({"drop": 1}, "drop 1"), ({"augment": 1}, "augment 1"), ({"masks": 1}, "masks 1"), ({"without": 3}, "without 3"),
    ({"seed": -1}, "seed -1"), ({"seed": "a"}, "seed 'a'"), ({"rate": 0}, "rate 0"), ({"front": "foo"}, "front 'foo'"),
    ({"blocks": 1}, "blocks '1'"), ({"head": 3}, "head '3'"), ({"votes": 0}, "votes 0"), ({"heads": "foo"}, "heads 'foo'"),
    ({"threshold": float("nan")}, "threshold nan"), ({"window": "x"}, "window 'x'"), ({"labels": "x"}, "option 'labels'"),
    ({"augment": {"noise": "a"}}, "noise 'a': wanted a share"), ({"augment": {"snr": 3}}, "snr 3: wanted two numbers"),
    ({"augment": {"snr": ["a", "b"]}}, "two numbers"), ({"augment": {"gain": float("inf")}}, "gain inf"),
    ({"augment": {"nois": 1}}, "did you mean 'noise'"), ({"augment": {"knots": 2.5}}, "knots a whole number"),
    ({"augment": {"recordings": ["a"]}}, "a list of samples"), ({"masks": {"freq": 3}}, "did you mean 'frequency'"),
    ({"masks": {"time": -5}}, "time -5: wanted a whole number from 0"), ({"masks": {"value": "x"}}, "value 'x': wanted a number"),
    ({"head": {"pol": "mean"}}, "did you mean 'pool'"), ({"head": {"drop": "a"}}, "drop 'a': wanted a share"),
    ({"head": {"bias": 1}}, "bias 1: wanted true or false"), ({"heads": {"spekaer": ["a"]}}, "did you mean 'speaker'"),
    ({"heads": {"speaker": []}}, "a list of answers"), ({"heads": {"speaker": 3}}, "a list of answers"),
    ({"front": {3: 3}}, "wave: 3; wanted no options")])
def test_options_that_are_none_are_refused_in_a_line(option, said, tmp_path):
    data = Speech(tones(tmp_path / "data"), cache=False)
    with pytest.raises(SigconvError, match=said):
        train(data, "m5", **{"epochs": 0} | option)


@pytest.mark.parametrize(("entry", "said"), [
    (3, "a block 3: wanted a table"), ("block", "wanted a table"), ({"kind": ["a"]}, "a block of kind"), ({5: 3}, "block: 5"),
    ({"channels": -1}, "whole number from 0"), ({"channels": "a"}, "channels 'a'"), ({"taps": True}, "bank: True"),
    ({"channels": 2**20, "taps": 999}, "numbers in all"), ({"groups": 0}, "groups 0"), ({"groups": 3}, "a divisor of both"),
    ({"drop": 2}, "below 1"), ({"before": "x"}, "true or false"), ({"normalise": 3}, "normalise 3: wanted a word"),
    ({"normalise": "group:0"}, "wanted one whole number"), ({"normalise": "trailing:-3"}, "one whole number"),
    ({"normalise": "subspectral:3"}, "no frequencies"), ({"pool": 3}, "pool 3: wanted a word"),
    ({"kind": "residual"}, "residual without blocks"), ({"kind": "residual", "blocks": [3]}, "a list of tables"),
    ({"kind": "multiscale", "blocks": [{}], "scales": [0]}, "whole numbers from 1"),
    ({"kind": "broadcast", "channels": 4}, "without a frequency axis")])
def test_blocks_that_are_none_are_refused_in_a_line(entry, said):
    with pytest.raises(UsageError, match=said):
        Net(TINY.but(blocks=[entry]))


@pytest.mark.parametrize(("entry", "said"), [
    ({"taps": 99, "valid": True}, "no frequency"), ({"pool": "max:99x1"}, "no frequency"),
    ({"kind": "broadcast", "channels": 8, "bands": 7}, "'subspectral:7' of 40 frequencies")])
def test_blocks_on_frequencies_that_they_do_not_fit(entry, said):
    with pytest.raises(UsageError, match=said):
        Net(TINY.but(front={"kind": "mel"}, blocks=[{"kind": "fold", "how": "open"}, entry, {"kind": "fold", "how": "mean"}]))


@pytest.mark.parametrize(("name", "option"), [
    ("tcresnet8", {"width": "a"}), ("bcresnet", {"size": 1.5}), ("voices", {"width": -3}), ("multiscale", {"scales": 3}),
    ("dense", {"window": "a"}), ("lenet", {"maps": 0})])
def test_options_that_no_preset_can_take(name, option):
    with pytest.raises(UsageError, match=f"preset {name}: {next(iter(option))} .*wanted a"):
        Net(name, labels=("a", "b"), **option)


def test_labels_without_a_clip_are_told(tmp_path):
    folder, labels = tones(tmp_path / "data"), ("low", "zz", "high", "yy")
    with pytest.warns(SigconvWarning, match="no clip of zz, yy to learn from"):
        assert train(Speech(folder, labels, cache=False), TINY, **QUICK).net.labels == labels
    with pytest.raises(SigconvError, match="clips of one label alone, 'high'"):
        train(Speech(folder, ["high", "zz"], cache=False), TINY, **QUICK)
    ran = run("train", "data", "--labels", "high,low,zz", "--preset", "m5", "--epochs", 0, cwd=tmp_path)
    assert ran.code == 0 and "no clip of zz to learn from" in ran.err, ran


def test_a_seed_of_a_split_is_a_whole_number(tmp_path):
    with pytest.raises(SigconvError, match="seed -1"):
        Speech(tones(tmp_path / "data"), cache=False).split(seed=-1)


def test_a_tip_alone_is_a_list_of_one():
    assert Recipe(without="shuffle").without == ("shuffle",)


def rewritten(net, path, tensors=(), **config):
    """A net's file with some tensors and entries of its config changed."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    net.save(path, overwrite=True)
    with safe_open(path, "pt") as file:
        words = file.metadata()
    words["net"] = json.dumps(json.loads(words["net"]) | config)
    save_file(load_file(path) | dict(tensors), path, words)
    return path


@pytest.mark.parametrize("config", [{"threshold": "x"}, {"votes": "a"}, {"votes": 10**9}, {"window": "q"}, {"blocks": 5},
                                    {"blocks": [{"channels": 4, "taps": 40, "stride": 0}]}, {"head": 3}, {"front": []}])
def test_a_file_whose_config_is_none_is_refused(config, tmp_path):
    with pytest.raises(SigconvError, match=r"n\.safetensors: "):
        Net.load(rewritten(Net(TINY), tmp_path / "n.safetensors", **config))


def test_weights_that_are_not_finite_are_refused(tmp_path):
    net = Net(TINY)
    name = next(name for name, _ in net.named_parameters())
    path = rewritten(net, tmp_path / "n.safetensors", {name: torch.full_like(net.state_dict()[name], float("nan"))})
    with pytest.raises(SigconvError, match="NaN"):
        Net.load(path)


def test_a_fifo_is_no_net(tmp_path):
    os.mkfifo(tmp_path / "f")
    with pytest.raises(SigconvError, match="no plain file"):
        Net.load(tmp_path / "f")


@pytest.mark.parametrize("hop", [0, -1, float("nan"), float("inf"), "a", 1e-9])
def test_hops_that_are_none_are_refused(hop):
    with pytest.raises(SigconvError, match="hop"):
        Net(TINY).scan(sc.Signal(np.zeros((1, 4000)), sc.line(4000, RATE)), hop)


def test_an_export_over_its_own_weights_is_refused(tmp_path):
    (tmp_path / "run.v2").mkdir()
    Net(TINY).save(tmp_path / "run.v2" / "best.safetensors")
    before = (tmp_path / "run.v2" / "best.safetensors").read_bytes()
    ran = run("export", "run.v2", "-o", "run.v2/best.safetensors", "--force", cwd=tmp_path)
    assert ran.code == 2 and "the input" in ran.err and (tmp_path / "run.v2" / "best.safetensors").read_bytes() == before
    ran = run("export", "run.v2", "--to", "safetensors", cwd=tmp_path)
    assert ran.code == 0 and (tmp_path / "run.v2.safetensors").exists(), ran.err


def test_presets_want_a_rate():
    with pytest.raises(UsageError, match="rate 0"):
        Net("m5", labels=["a", "b"], rate=0)


@pytest.mark.parametrize("front", [{"count": 0}, {"count": "a"}, {"count": 2.5}, {"hop": 0}, {"frame": 0}, {"low": 5000},
                                   {"high": 9000}, {"low": float("nan")}, {"smooth": -1}])
def test_fronts_beyond_their_rate_are_refused(front):
    with pytest.raises(SigconvError, match="front mel: "):
        Net(Config(("a", "b"), RATE, front={"kind": "mel", **front}, blocks=({"channels": 4, "taps": 3},)))


def test_weights_that_ran_away_at_the_last_step_of_an_epoch_are_not_kept(tmp_path, monkeypatch):
    from sigconv.learn import training

    def away(net, *_):
        with torch.no_grad():
            next(net.head.parameters()).fill_(torch.nan)

    data, folder = Speech(tones(tmp_path / "data"), cache=False), tmp_path / "run"
    monkeypatch.setattr(training, "_shrunk", away)
    with pytest.raises(SigconvError, match="no numbers after epoch 1"):
        train(data, TINY, folder, **QUICK | {"batch": 64})
    assert not (folder / "best.safetensors").exists() and Net.load(folder / "last.safetensors")
