"""Layers taught without labels, the rates that a net stands, and nets of every kind in one step."""

import numpy as np
import pytest
import torch
from test_learn_training import QUICK, RATE, TINY, tones

from sigconv.errors import SigconvError, UsageError
from sigconv.learn import PRESETS, Config, Net, Recipe, Speech, lr_range, train
from sigconv.learn.layerwise import banks, teach
from sigconv.learn.steps import loss_of, optimizer_of, targets_of

torch.set_num_threads(1)
RAW = TINY.but(front={"kind": "wave"}, blocks=[{"channels": 8, "taps": 32, "stride": 4, "nonlinearity": "abs", "pool": "mean:8"},
                                               {"channels": 12, "taps": 3}])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return Speech(tones(tmp_path_factory.mktemp("tones")), cache=False)


def straight(weight):
    """How far rows are from orthonormal."""
    rows = weight.flatten(1)
    return float((rows @ rows.T - torch.eye(len(rows))).abs().max())


def share(patches, rows):
    """The power that orthonormal filters take, of that which as many principal components take."""
    patches = patches - patches.mean()
    exact = np.linalg.svd(patches, full_matrices=False)[2][:len(rows)]
    return np.square(patches @ rows.T).sum() / np.square(patches @ exact.T).sum()


def test_banks_are_the_principal_components_of_what_reaches_them():
    g = np.random.default_rng(0)
    waves = torch.from_numpy(np.cumsum(g.standard_normal((6, 900)), 1) * 0.01).float()
    net = Net(Config(("a", "b"), RATE, window=0.3, blocks=[
        {"channels": 4, "taps": 16, "stride": 2, "normalise": "none", "nonlinearity": "abs"}, {"channels": 3, "taps": 5}])).eval()
    assert len(banks(net, 0)) == 2 and len(banks(net, 1)) == 1
    untaught = net.blocks[1].bank.weight.clone()
    teach(net, waves, 1)
    assert torch.equal(net.blocks[1].bank.weight, untaught)
    teach(net, waves, 0)
    with torch.no_grad():
        above = net.blocks[0](waves[:, None])
    for bank, fields in ((net.blocks[0].bank, waves[:, None]), (net.blocks[1].bank, above)):
        _, c, k = bank.weight.shape
        patches = fields.double().unfold(2, k, 1).permute(0, 2, 1, 3).reshape(-1, c * k).numpy()
        assert 0.995 < share(patches, bank.weight.detach().flatten(1).double().numpy()) <= 1 + 1e-9
        assert straight(bank.weight.detach()) < 1e-5


def test_a_plane_of_bands_is_taught_too():
    net = Net("lenet", labels=["a", "b"]).eval()
    teach(net, torch.randn(3, net.window, generator=torch.Generator().manual_seed(0)), 2)
    assert all(straight(bank.weight.detach()) < 1e-5 for bank in banks(net, 2))
    assert [tuple(bank.weight.shape[:2]) for bank in banks(net, 2)] == [(6, 1), (12, 6)]


def test_layers_by_oja_stay_or_go_on(data):
    taught = {how: train(data, RAW, layerwise=how, layers=2, **QUICK | {"epochs": 12}) for how in ("oja", "oja-start")}
    for how, run in taught.items():
        gaps = [straight(bank.weight.detach()) for bank in banks(run.net, 2)]
        assert max(gaps) < 1e-5 if how == "oja" else min(gaps) > 1e-3
        assert run.test.accuracy == 1


def test_more_filters_than_taps_are_refused(data):
    with pytest.raises(UsageError, match="8 filters of 2 taps; wanted at most"):
        train(data, RAW.but(blocks=[{"channels": 8, "taps": 2}]), layerwise="oja", **QUICK)
    with pytest.raises(SigconvError, match="layerwise"):
        train(data, RAW, layerwise="hebb", **QUICK)


@pytest.mark.parametrize("options", [{}, {"optimizer": "sgd"}])
def test_rates_that_a_net_stands(data, options):
    quick = {"batch": 8, "augment": None, "negatives": 0.0, **options}
    first, second = (lr_range(data, TINY, high=1e4, seed=seed, **quick) for seed in (0, 1))
    assert first.rates[:2] == pytest.approx((1e-5, 1e-5 * 1e9 ** (1 / 99))) and len(first.rates) == len(first.losses) < 100
    assert min(first.losses) < 0.75 * first.losses[0] and first == lr_range(data, TINY, high=1e4, **quick)
    assert 1 / 3 < first.best / second.best < 3
    at = [train(data, TINY, schedule="constant", epochs=6, lr=lr, **quick).history[-1]["loss"]
          for lr in (first.best, first.best / 100, min(first.rates[-1], 100.0))]
    assert at[0] == min(at)


@pytest.mark.parametrize("rates", [{"low": 0.0}, {"low": 1.0, "high": 0.1}, {"steps": 1}])
def test_rates_that_do_not_rise(data, rates):
    with pytest.raises(UsageError, match="wanted 0 < low < high"):
        lr_range(data, TINY, **rates)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_small_and_takes_a_step(name):
    torch.manual_seed(0)
    net = Net(name, labels=[str(i) for i in range(10)], heads={"speaker": ("ann", "bob")}).train()
    assert Net(name, labels=net.labels).parameter_count <= 100_000
    x = 0.1 * torch.randn(4, net.window, generator=torch.Generator().manual_seed(0))
    net.front.measure(x)
    recipe = Recipe(lr=1e-3)
    optimizer, losses = optimizer_of(net, recipe), []
    for _ in range(8):
        said = net(x, every=True)
        loss = loss_of(said["label"], targets_of(torch.arange(4), 10), recipe) + loss_of(
            said["speaker"], targets_of(torch.arange(4) % 2, 2), recipe)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in net.parameters() if p.requires_grad)
        optimizer.step()
        losses.append(float(loss.detach()))
    assert min(losses[4:]) < losses[0]
