"""Layers with other taps at every place: a convolution where they are equal, honest about what they are, and no slide."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv.errors import UsageError
from sigconv.learn import Config, Net, Recipe
from sigconv.learn.blocks import Shape, build
from sigconv.learn.layers import Unshared
from sigconv.learn.recipe import without

torch.set_num_threads(1)
BARE = {"normalise": "none", "nonlinearity": "none", "bias": True}
LOCAL = Config(("a", "b"), 1000, window=0.3, front={"kind": "mel", "count": 8, "frame": 0.04, "hop": 0.02}, blocks=[
    {"kind": "fold", "how": "open"}, {"channels": 3, "taps": 3, "stride": 2, "shared": False, **BARE}, {"kind": "fold"}])


def same(shared, own):
    """Give a convolution's taps and biases to every place of an unshared layer."""
    weight, bias = shared.bank.weight.detach(), shared.bank.bias.detach()
    with torch.no_grad():
        own.bank.weight.copy_(weight.flatten(1)[..., None].expand_as(own.bank.weight))
        own.bank.bias.copy_(bias[:, None].expand(len(bias), own.bank.weight.shape[2]).flatten())


@settings(max_examples=60)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 7), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4),
       st.integers(1, 3), st.integers(1, 2), st.booleans())
def test_equal_taps_at_each_place_are_a_convolution(c, m, height, n, high, long, stride, dilation, valid):
    dims = 2 if height else 1
    shape, taps = Shape(c, height, instants=n), [high, long][-dims:]
    entry = {"channels": m, "taps": taps, "stride": stride, "dilation": dilation, "valid": valid and height > 0, **BARE}
    if n <= (long - 1) * dilation or (height and valid and height <= (high - 1) * dilation):
        with pytest.raises(UsageError, match="wanted"):
            build(entry | {"shared": False}, shape)
        return
    try:
        shared = build(entry, shape)
    except UsageError:  # padded as even taps are, nothing may be left of the frequencies
        with pytest.raises(UsageError, match="wanted"):
            build(entry | {"shared": False}, shape)
        return
    own = build(entry | {"shared": False}, shape)
    same(shared, own)
    x = torch.randn(2, c, *([height] if height else []), n, generator=torch.Generator().manual_seed(0))
    assert own.reach == shared.reach and own.shape == shared.shape and own(x).shape == shared(x).shape
    bound = 16 * 2**-23 * float(shared.bank.weight.detach().abs().flatten(1).sum(1).max() + 1) * float(x.abs().max())
    assert float((own(x) - shared(x)).detach().abs().max()) <= bound
    places = own(x)[0, 0].numel()
    assert sum(p.numel() for p in own.parameters()) == places * sum(p.numel() for p in shared.parameters())


def test_other_taps_at_each_place():
    """Each output is the scalar product of its own taps with what lies under it."""
    layer = Unshared(2, 3, (5, 6), (3, 2), (2, 1), (0, 0), (1, 1), True).double()
    x = torch.randn(1, 2, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = layer(x)[0].detach()
    assert layer.places == (2, 5) and y.shape == (3, 2, 5)
    for i in range(2):
        for j in range(5):
            taps, bias = layer.weight[:, :, 5 * i + j].detach(), layer.bias.reshape(3, 10)[:, 5 * i + j].detach()
            assert (y[:, i, j] - taps @ x[0, :, 2 * i:2 * i + 3, j:j + 2].flatten() - bias).abs().max() < 1e-12


@pytest.mark.parametrize("shape", [Shape(2, 0, instants=9), Shape(2, 5, instants=6)])
def test_gradcheck(shape):
    layer = build({"channels": 2, "taps": 3, "stride": 2, "shared": False, **BARE}, shape).double()
    x = torch.randn(2, 2, *([shape.height] if shape.height else []), shape.instants, dtype=torch.float64, requires_grad=True)
    weights = tuple(p for p in layer.parameters())
    names = [name for name, _ in layer.named_parameters()]
    assert torch.autograd.gradcheck(lambda x, *w: torch.func.functional_call(layer, dict(zip(names, w, strict=True)), x),
                                    (x, *weights))


def test_the_table_counts_what_is_there():
    net, twin = Net(LOCAL), Net(LOCAL.but(blocks=[{k: v for k, v in b.items() if k != "shared"} for b in LOCAL.blocks]))
    row, shared = net.table()[2], twin.table()[2]
    assert row.shape == (3, 4, 6) and (row.parameters, shared.parameters) == (4 * 6 * 3 * (9 + 1), 3 * (9 + 1))
    assert row.macs == shared.macs == 3 * 4 * 6 * 9 and row[5:] == shared[5:] and row.shape == shared.shape
    assert net.parameter_count == sum(r.parameters for r in net.table())
    assert set(net.kernels()) == {"front"}  # there is no one kernel to hear


def test_it_says_that_it_does_not_slide_and_goes_window_by_window():
    net = Net(LOCAL).eval()
    twin = Net(LOCAL.but(blocks=[{k: v for k, v in b.items() if k != "shared"} for b in LOCAL.blocks]))
    assert not net.exact and twin.exact and net.window == 300
    x = np.random.default_rng(0).standard_normal((1, 420))
    wave = torch.from_numpy(x[0].astype(np.float32))
    scores = net.scan(sc.Signal(x, sc.line(420, 1000)), level=False)
    with torch.no_grad():
        windows = wave.unfold(0, 300, net.stride)
        one_by_one = torch.stack([net(w[None])[0] for w in windows], 1)
        assert net.stride == 40 and scores.data.shape == one_by_one.shape == (2, 4)
        assert np.abs(scores.data - torch.log_softmax(one_by_one.double(), 0).numpy()).max() < 1e-6
        assert torch.equal(net.scores(wave[None])[0], one_by_one)
        assert (net(wave[None])[0] - one_by_one.mean(1)).abs().max() < 1e-6
        assert torch.equal(net(wave[None], every=True)["label"], net(wave[None]))


def test_it_is_kept_and_handed_over(tmp_path):
    net = Net(LOCAL).eval()
    net.save(tmp_path / "net.safetensors")
    again = Net.load(tmp_path / "net.safetensors")
    x = torch.randn(2, 300)
    assert torch.equal(net(x), again(x)) and again.config == net.config
    assert sc.learn.export(net, tmp_path / "net.pt2") < 1e-6
    assert without(LOCAL, Recipe(without="relu")).blocks[1]["shared"] is False


@pytest.mark.parametrize(("config", "words"), [
    ({"window": 0.0}, "a net with a window"), ({"pad": "layers"}, "pad = \"input\""),
    ({"blocks": [{"shared": False, "groups": 8}]}, "not separable, depthwise or in groups"),
    ({"blocks": [{"shared": False, "separable": True}]}, "not separable"), ({"blocks": [{"shared": 3}]}, "true or false"),
    ({"blocks": [{"shared": False, "taps": 30}]}, "at most as many"),
    ({"blocks": [{"shared": False, "taps": 10, "channels": 2**20}]}, "numbers in all"),
    ({"blocks": [{"kind": "multiscale", "blocks": [{"shared": False, "taps": 3}]}]}, "a net with a window")])
def test_where_it_can_not_be(config, words):
    with pytest.raises(UsageError, match=words):
        Net(LOCAL.but(**config))
