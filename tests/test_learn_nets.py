"""Nets: counts of the papers, exact scans, what a score reads, fronts, weights on the disk, taps as kernels."""

import json
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv.errors import SigconvError, UsageError
from sigconv.learn import PRESETS, Config, Net
from sigconv.learn.blocks import Shape, build
from sigconv.learn.fronts import FRONTS, front
from sigconv.learn.layers import NORMS, Norm, Reach, WholeFilters, standardise
from sigconv.learn.presets import matched

TEN = [str(i) for i in range(10)]
torch.set_num_threads(1)


def noise(seconds=4.0, rate=8000, seed=0):
    n = round(seconds * rate)
    return sc.Signal(np.random.default_rng(seed).standard_normal((1, n)), sc.line(n, rate))


def stirred(net, seed=0):
    """A net whose frozen statistics are not those of a fresh one."""
    g = torch.Generator().manual_seed(seed)
    for m in net.modules():
        if isinstance(m, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
            m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) + 0.5)
    net.front.measure(torch.randn(4, 8000, generator=g))
    return net.eval()


@pytest.mark.parametrize(("name", "labels", "count"), [
    ("m5", 35, 26_915), ("m5", 10, 25_290), ("bcresnet1", 12, 9_232), ("bcresnet8", 12, 321_068), ("tcresnet8", 12, 65_136)])
def test_parameters_are_those_of_the_papers(name, labels, count):
    net = Net(name, labels=[str(i) for i in range(labels)])
    assert net.parameter_count == count == sum(row.parameters for row in net.table())


@pytest.mark.parametrize(("repeat", "thousands"), [(1, 77), (2, 93)])
def test_matchboxnet_counts_as_its_paper_rounds(repeat, thousands):
    assert abs(Net("matchboxnet", labels=[str(i) for i in range(30)], repeat=repeat).parameter_count / 1000 - thousands) < 2.5


@pytest.mark.parametrize("name", PRESETS)
def test_scan_is_window_by_window_and_batch_mates_do_not_matter(name):
    net = stirred(Net(name, labels=TEN))
    assert net.exact
    x = noise(net.window / net.rate + 6.4 * net.stride / net.rate)
    scores = net.scan(x, level=False)
    wave = torch.from_numpy(x.data[0].astype(np.float32))
    with torch.no_grad():
        windows = wave.unfold(0, net.window, net.stride)
        one_by_one = torch.cat([net(w[None]) for w in windows])
        together = net(windows)
    assert scores.data.shape == (10, 7) and scores.channels == tuple(TEN)
    bound = 4e-6 if name == "dense" else 1e-6  # sums of 3880 terms in single precision
    assert np.abs(scores.data - torch.log_softmax(one_by_one.double(), 1).T.numpy()).max() <= bound
    assert (one_by_one - together).abs().max() <= 1e-5 * max(one_by_one.abs().max(), 1)


def test_finer_hops_are_windows_too():
    net = stirred(Net("tcresnet8", labels=TEN))
    x = noise(3.4)
    wave = torch.from_numpy(x.data[0].astype(np.float32))
    for hop in (240, 640, 1000, 1):
        part = x.between(0, (net.window + 5 * hop) / net.rate)
        scores = net.scan(part, hop / net.rate, level=False)
        with torch.no_grad():
            wanted = torch.log_softmax(net(wave[:part.domain.size].unfold(0, net.window, hop)).double(), 1).T.numpy()
        assert scores.domain.step[0] * net.rate == hop and scores.data.shape == wanted.shape
        assert np.abs(scores.data - wanted).max() <= 1e-6


def test_scores_stand_at_the_middle_of_what_they_read():
    net = Net("m5", labels=TEN)
    x = noise(3).at(800)
    scores = net.scan(x)
    assert scores.coordinates()[0] == pytest.approx(0.1 + (net.window - 1) / 2 / net.rate)


def test_a_net_with_statistics_over_time_says_so_and_goes_window_by_window():
    config = Config(TEN, window=1.0, blocks=[{"channels": 8, "taps": 80, "stride": 40, "normalise": "layer"}])
    net = Net(config).eval()
    assert not net.exact and Net(config.but(blocks=[{"channels": 8, "taps": 80, "stride": 40, "normalise": "channel"}])).exact
    x = noise(1.1)
    scores = net.scan(x, level=False)
    with torch.no_grad():
        windows = torch.from_numpy(x.data[0].astype(np.float32)).unfold(0, net.window, net.stride)
        assert np.abs(scores.data - torch.log_softmax(net(windows).double(), 1).T.numpy()).max() <= 1e-6
    padded = Net("tcresnet8", labels=TEN, pad="layers")
    assert not padded.exact and padded(torch.zeros(1, 8000)).shape == (1, 10)


def probe(net, layer, tries=12):
    """Which input samples the first output of a layer hangs on: the support of its gradient, over several random inputs."""
    net = net.double().eval()
    touched = torch.zeros(net.window, dtype=torch.bool)
    g = torch.Generator().manual_seed(1)
    for _ in range(tries):
        x = torch.randn(1, net.window, generator=g, dtype=torch.float64, requires_grad=True)
        h = net.front(x)
        for block in list(net.blocks)[:layer]:
            h = block(h)
        h[..., 0].square().sum().backward()
        touched |= x.grad[0] != 0
    at = touched.nonzero()[:, 0]
    return int(at[0]), int(at[-1])


@pytest.mark.parametrize("name", ["m5", "tcresnet8", "bcresnet1", "lenet", "multiscale", "sincnet"])
def test_fields_are_those_of_a_gradient_probe(name):
    net = stirred(Net(name, labels=TEN))
    rows = net.table()
    for layer in (1, len(net.blocks)):
        first, last = probe(net, layer)
        row = rows[layer]
        # a Hann window is 0 at its first sample
        assert (row.first <= first <= row.first + 1) and last == row.last, (name, layer)
        assert row.field == row.last - row.first + 1 and row.causal
        assert row.latency == pytest.approx((row.field - 1) / 2 / net.rate)


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 3), st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_fields_of_random_nets(layers):
    entries = [{"channels": 4, "taps": k, "stride": s, "dilation": d, "nonlinearity": "tanh", "pool": f"mean:{p}" if p else ""}
               for k, s, d, p in layers]
    net = Net(Config(("a", "b"), 1000, window=4.0, blocks=entries))
    reach = net.blocks.reach
    assert probe(net, len(layers), tries=1) == (reach.first, reach.last)
    with torch.no_grad():
        assert net.double().features(torch.zeros(1, net.window,
                                                 dtype=torch.float64)).shape[-1] == net.instants == reach.count(net.window)


def test_multiplications_are_those_of_a_hand_count():
    rows = Net("m5", labels=TEN).table()
    outs = [(6848 - 80) // 16 + 1, 104, 24, 4]
    assert [r.macs for r in rows[1:5]] == [outs[0] * 32 * 80, 104 * 32 * 32 * 3, 24 * 64 * 32 * 3, 4 * 64 * 64 * 3]
    assert rows[5].macs == 640 and rows[1].shape == (32, 106)
    bc = Net("bcresnet1", labels=TEN).table()
    frames = bc[0].shape[-1]
    assert bc[2].macs == 16 * 20 * (frames - 4) * 25


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("train", ["fixed", "initial", "learned"])
def test_what_is_fixed_stays_and_what_is_learned_moves(kind, train):
    if (kind, train) == ("scattering", "learned"):
        with pytest.raises(UsageError, match="wanted fixed or initial"):
            front({"kind": kind, "train": train}, 4000)
        return
    torch.manual_seed(0)
    f = front({"kind": kind, "train": train, **({"count": 6} if kind != "wave" else {})}, 4000)
    before = {k: v.clone() for k, v in f.state_dict().items()}
    free = [p for p in f.parameters() if p.requires_grad]
    assert bool(free) == (train != "fixed" and kind != "wave")
    if free:
        optimizer = torch.optim.SGD(free, lr=0.1)
        f(torch.randn(2, 4000)).square().sum().backward()
        optimizer.step()
    moved = max(float((v - before[k]).abs().max()) for k, v in f.state_dict().items())
    assert (moved > 0) == bool(free)


@pytest.mark.parametrize("kind", ["sinc", "gabor", "gammatone", "mel"])
def test_a_tone_is_loudest_in_the_band_around_it(kind):
    f = front({"kind": kind, "count": 20}, 8000)
    centres = sc.scales.spaced(60, 3800, 22, "htk")[1:-1] if kind == "mel" else f.centre
    t = torch.arange(8000) / 8000
    for band in (4, 10, 16):
        power = f.bands(torch.sin(2 * torch.pi * float(centres[band]) * t)[None]).mean(-1)[0]
        assert int(power.argmax()) == band


def test_white_noise_gives_every_mel_band_alike():
    f = front({"kind": "mel", "count": 20}, 8000)
    power = f.bands(torch.randn(8, 80000, generator=torch.Generator().manual_seed(0))).mean((0, 2))
    assert (power / power.mean() - 1).abs().max() < 0.05 and power.mean() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(("rate", "count"), [(8000, 40), (8000, 64), (16000, 40), (11025, 20)])
def test_mel_bands_are_those_of_kernels(rate, count):
    f = front({"kind": "mel", "count": count}, rate)
    weights = sc.kernels.mel_weights(f.frequency.double().numpy(), count, 60, 0.475 * rate, formula="htk", norm=None)
    weights /= weights.sum(1, keepdims=True)
    assert np.abs(f.triangles().detach().numpy() - weights).max() <= 2e-6


def test_log_mel_is_librosas():
    import librosa

    x = noise(1).data[0].astype(np.float32)
    ours = front({"kind": "mel", "count": 20, "high": 3800}, 8000)
    theirs = librosa.filters.mel(sr=8000, n_fft=256, n_mels=20, fmin=60, fmax=3800, htk=True, norm=None)
    theirs /= theirs.sum(1, keepdims=True)
    spectra = abs(librosa.stft(x, n_fft=256, hop_length=80, window="hann",
                               center=False)) ** 2 / np.sum(librosa.filters.get_window("hann", 256) ** 2)
    got = ours.bands(torch.from_numpy(x)[None])[0].numpy()
    assert np.abs(got - theirs @ spectra).max() <= 1e-4 * got.max()


@pytest.mark.parametrize(("rate", "order"), [(8000, 1), (8000, 2), (3000, 2)])
def test_the_scattering_front_is_the_scattering_away_from_the_ends(rate, order):
    f = front({"kind": "scattering", "count": 24, "order": order}, rate).double()
    hop = f.reach.stride
    assert abs(np.log2(hop / (0.01 * rate))) <= 0.5 and f.reach.first == 0
    x = noise(1.5, rate)
    scatter = sc.Scattering(x, round(np.log2(hop)), (f.wavelets, 1), order=order)
    whole, first = scatter(x).data[0], hop - f.centre % hop
    with torch.no_grad():
        got = f.bands(torch.from_numpy(x.data[:, first:]))[0].numpy()
    mine = [i for i, path in enumerate(scatter.paths) if path and path[0] >= f.marks[-1] * (1 - 1e-9)]
    wanted = whole[mine][:, (f.centre + first) // hop:][:, :got.shape[1]]
    assert got.shape == wanted.shape and len(got) == f.channels and f.channels > 24 * order - (order == 1)
    assert np.abs(got - wanted).max() <= 1e-7 * np.abs(wanted).max()  # its taps are in single precision


def test_the_scattering_front_in_a_net():
    net = stirred(Net("tcresnet8", labels=TEN, front="scattering"))
    base = Net("tcresnet8", labels=TEN)
    assert net.exact and net.parameter_count == base.parameter_count
    bank = net.kernels()["front"]
    assert bank.value == (40,) and [float(name.split()[0]) for name in bank.channels] == pytest.approx(
        sorted(net.front.marks), abs=10)
    taps = Net("tcresnet8", labels=TEN, front="scattering", train="initial")
    assert taps.parameter_count - base.parameter_count == sum(
        2 * len(ring.taps()) * ring.taps().shape[1] for ring in net.front.rings)
    x = noise(net.window / net.rate + 3.4 * net.stride / net.rate)
    wave = torch.from_numpy(x.data[0].astype(np.float32))
    with torch.no_grad():
        windows = torch.log_softmax(net(wave.unfold(0, net.window, net.stride)).double(), 1).T.numpy()
    assert windows.shape[1] == 4 and np.abs(net.scan(x, level=False).data - windows).max() <= 1e-6
    field = sc.learn.Net(Config(("a", "b"), 2000, front={"kind": "scattering", "count": 8, "order": 2}, blocks=[{"channels": 2}]))
    assert probe(field, 0, tries=2) == (0, field.front.reach.last)
    silent = torch.zeros(1, field.window, dtype=torch.float64, requires_grad=True)
    field(silent).sum().backward()
    assert bool(torch.isfinite(silent.grad).all())


@pytest.mark.parametrize(("table", "words"), [
    ({"count": 400}, "wanted 1 to"), ({"count": 0}, "from 1 to"), ({"order": 3}, "wanted 1 or 2"),
    ({"train": "learned"}, "gabor"), ({"cuont": 3}, "did you mean 'count'")])
def test_scattering_fronts_that_can_not_be(table, words):
    with pytest.raises(UsageError, match=words) as why:
        front({"kind": "scattering", **table}, 8000)
    assert "\n" not in str(why.value)


def test_pcen_does_not_hang_on_level():
    f = front({"kind": "pcen", "count": 8, "train": "learned"}, 8000)
    with torch.no_grad():
        f.past.alpha.fill_(1.0)
        x = torch.randn(1, 8000)
        assert (f(100 * x) - f(10 * x)).abs().max() < 1e-3


@pytest.mark.parametrize("kind", [*NORMS[:2], "trailing:5", *NORMS[4:7]])
def test_batch_mates_and_norms(kind):
    norm = Norm(kind, 4, 1).train()
    x = torch.randn(3, 4, 20, generator=torch.Generator().manual_seed(0))
    gap = float((norm(x)[:1] - norm(x[:1])).detach().abs().max())
    assert gap > 0.05 if kind == "batch" else gap <= 1e-6
    assert norm.eval()(x).shape[-1] == 20 - norm.reach.last


def test_the_trailing_norm_is_by_moments_of_the_last_instants():
    x = torch.randn(1, 2, 12, dtype=torch.float64)
    got = Norm("trailing:4", 2, 1).double()(x)
    wanted = (x[..., 7] - x[..., 4:8].mean(-1)) / (x[..., 4:8].var(-1, correction=0) + 1e-5).sqrt()
    assert (got[..., 4] - wanted).abs().max() < 1e-12


def test_a_bypass_takes_the_middle():
    block = build({"kind": "residual", "nonlinearity": "none", "blocks": [
        {"channels": 3, "taps": 5, "normalise": "none", "nonlinearity": "none"}]}, Shape(3))
    x = torch.randn(1, 3, 30)
    with torch.no_grad():
        block.body[0].bank.weight.zero_()
        assert torch.equal(block(x), x[..., 2:-2])


def test_a_bypass_lets_the_gradient_through():
    def first_layers(shortcut):
        torch.manual_seed(0)
        inner = [{"channels": 8, "taps": 3, "normalise": "none", "nonlinearity": "tanh"}]
        entries = [{"kind": "residual", "blocks": inner, "shortcut": shortcut, "nonlinearity": "none"}] * 20
        net = Net(Config(("a", "b"), 1000, window=0.2, blocks=[{"channels": 8, "normalise": "none"}, *entries]))
        net(torch.randn(4, net.window)).square().sum().backward()
        return float(next(net.blocks.parameters()).grad.norm())

    assert first_layers("auto") >= 10 * first_layers("none")


def test_a_multiscale_is_the_body_on_running_means():
    torch.manual_seed(0)
    m = build({"kind": "multiscale", "scales": [1, 3],
               "blocks": [{"channels": 2, "taps": 3, "normalise": "none", "nonlinearity": "none"}]}, Shape(1))
    x = torch.randn(1, 1, 31)
    y = m(x)
    w = m.body[0].bank.weight
    coarse = torch.nn.functional.conv1d(torch.nn.functional.avg_pool1d(x, 3, 1), w, dilation=3)
    margin = (m.reach.field - 3) // 2
    fine = torch.nn.functional.conv1d(x, w)[..., margin:margin + y.shape[-1]]
    assert torch.allclose(y, torch.cat([fine, coarse[..., :y.shape[-1]]], 1), atol=1e-6) and y.shape[-1] == 31 - m.reach.last


@pytest.mark.parametrize("name", ["m5", "tcresnet8", "bcresnet2"])
def test_a_dense_net_of_the_same_size(name):
    conv = Net(name, labels=TEN)
    dense = Net(matched(conv.config))
    assert abs(dense.parameter_count / conv.parameter_count - 1) <= 0.02


def test_whole_filters_are_dropped():
    drop = WholeFilters(0.5).train()
    y = drop(torch.ones(50, 40, 7))
    per = y[..., 0]
    assert torch.equal(y, per[..., None].expand_as(y)) and set(per.unique().tolist()) == {0.0, 2.0}
    assert 0.45 < float((per == 0).double().mean()) < 0.55 and torch.equal(drop.eval()(y), y)


def test_classify_any_rate_level_length_and_channels():
    net = stirred(Net("sincnet", labels=TEN))
    x = noise(0.5)
    said = net.classify(x)
    assert said in TEN and sum(said.probabilities.values()) == pytest.approx(1)
    assert said.confidence == max(said.probabilities.values())
    for louder in (x * 1e-3, x * 50, sc.Signal(np.repeat(x.data, 2, 0), x.domain)):
        again = net.classify(louder)
        assert again == said and again.confidence == pytest.approx(said.confidence, abs=1e-4)
    for other in (sc.resample(x, 16000), noise(0.01), noise(9), sc.Signal(np.zeros((1, 800)), sc.line(800, 8000))):
        assert net.classify(other) in TEN
    around = np.concatenate([np.zeros(8000), x.data[0], np.zeros(9000)])[None]
    assert net.classify(sc.Signal(around, sc.line(around.shape[1], 8000))) == said


@pytest.mark.parametrize("bad", [sc.Signal(np.zeros((3, 3)), sc.grid(3, 3)), sc.Signal(np.zeros((1, 0)), sc.line(0, 8000)),
                                 np.zeros(9),
                                 sc.Signal(np.array([[np.nan, 1.0]]), sc.line(2, 8000))])
def test_what_is_no_sound(bad):
    net = Net("m5", labels=TEN)
    for ask in (net.classify, net.scan):
        with pytest.raises(SigconvError) as why:
            ask(bad)
        assert "wanted" in str(why.value) and "\n" not in str(why.value)


def test_weights_come_back_to_the_bit(tmp_path):
    net = stirred(Net("bcresnet1", labels=["a", "ö,\"]"], threshold=0.25))
    net.save(tmp_path / "a.safetensors")
    twin = Net.load(tmp_path / "a.safetensors")
    assert twin.config == Net(twin.config).config and twin.labels == net.labels and twin.threshold == 0.25
    for name, t in net.state_dict().items():
        assert torch.equal(t, twin.state_dict()[name])
    x = torch.randn(2, net.window)
    with torch.no_grad():
        assert torch.equal(net(x), twin(x))
    with pytest.raises(SigconvError, match="exists"):
        net.save(tmp_path / "a.safetensors")


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


def test_files_that_are_no_net_are_refused_in_one_line(tmp_path):
    from safetensors.torch import save_file

    net = Net("m5", labels=TEN)
    net.save(tmp_path / "good.safetensors")
    whole = (tmp_path / "good.safetensors").read_bytes()
    bad = {"pickle": pickle.dumps(Trap()), "cut": whole[:len(whole) // 2], "short": whole[:5], "empty": b"",
           "text": b"hello " * 99,
           "flipped": b"\xff" * 8 + whole[8:]}
    for name, data in bad.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
    torch.save(net.state_dict(), tmp_path / "zip.safetensors")
    save_file({"x": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    head = {"format": "sigconv.net/1", "net": json.dumps(net.config.table())}
    save_file({"x": torch.zeros(3)}, tmp_path / "other.safetensors", head)
    wrong = net.config.table() | {"blocks": [{"channels": 3, "tabs": 1}]}
    save_file(net.state_dict(), tmp_path / "words.safetensors", head | {"net": json.dumps(wrong)})
    save_file(net.state_dict(), tmp_path / "json.safetensors", head | {"net": "{"})
    for name in [*bad, "zip", "foreign", "other", "words", "json", "missing"]:
        with pytest.raises(SigconvError) as why:
            Net.load(tmp_path / f"{name}.safetensors")
        assert len(str(why.value).splitlines()) == 1 and "wanted" in str(why.value) and "it ran" not in str(why.value), name
    for name in ("pickle", "zip"):
        with pytest.raises(SigconvError, match="pickle"):
            Net.load(tmp_path / f"{name}.safetensors")


def test_kernels_convolve_as_the_layers_correlate():
    net = Net("m5", labels=TEN)
    layers = net.kernels()
    assert list(layers) == ["front", "2", "3", "4"] and layers["front"].value == (32,) and layers["3"].value == (64, 32)
    x = noise(0.1)
    y = sc.convolve(x, layers["front"], mode="valid").data[0]
    conv = net.blocks[0].bank
    with torch.no_grad():
        wanted = torch.nn.functional.conv1d(torch.from_numpy(x.data)[None], conv.weight.double())[0].numpy()
    order = [int(abs(wanted - row).max(1).argmin()) for row in y]
    assert sorted(order) == list(range(32)) and np.abs(wanted[order] - y).max() < 1e-9
    centres = [float(name.split()[0]) for name in layers["front"].channels]
    assert centres == sorted(centres)


def test_kernels_of_a_net_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = Net("sincnet", labels=TEN, count=8)
    net.save("best.safetensors")
    x = noise(0.2)
    bank = sc.kernel("best.safetensors:front", x)
    assert bank.value == (8,) and np.array_equal(sc.kernel("best.safetensors:front#3", x).data, bank.data[3])
    assert np.array_equal(sc.kernel("best.safetensors", x).data,
                          bank.data) and sc.specs.slug("a/best.safetensors:front#3") == "best-front-3"
    for spec, words in (("best.safetensors:font", "front"), ("best.safetensors:front#8", "0 to 7"),
                        ("none.safetensors:front", "none.safetensors")):
        with pytest.raises(SigconvError, match=words):
            sc.kernel(spec, x)


@pytest.mark.parametrize("spec", [
    {"labels": ["a"]}, {"labels": ["a", "a"]}, {"rate": 5}, {"window": -1}, {"pad": "left"}, {"front": {"kind": "mal"}},
    {"front": {"kind": "mel", "cuont": 3}}, {"front": {"kind": "mel", "train": "maybe"}}, {"blocks": [{"kind": "blok"}]},
    {"blocks": [{"channels": 3, "tabs": 3}]}, {"blocks": [{"channels": 3, "taps": 0}]}, {"blocks": [{"pool": "max:x"}]},
    {"blocks": [{"normalise": "bath"}]}, {"blocks": [{"kind": "fold", "how": "open"}]},
    {"blocks": [{"taps": 9000}], "window": 1.0}, {"head": {"pool": "sum"}},
    {"blocks": [{"kind": "residual", "blocks": [{"channels": 2}], "shortcut": "short"}]}])
def test_configs_that_make_no_net(spec):
    with pytest.raises(SigconvError) as why:
        Net(Config.read({"labels": ["a", "b"], **spec}))
    assert "wanted" in str(why.value)


def test_names_are_helped():
    with pytest.raises(UsageError, match="did you mean 'tcresnet8'"):
        Net("tcresnt8", labels=TEN)
    with pytest.raises(UsageError, match="'wdith'"):
        Net("tcresnet8", labels=TEN, wdith=2)
    assert Reach(0, 4, 2).then(Reach(1, 1, 3)) == Reach(2, 6, 6)
    assert standardise(torch.tensor([[1.0, 3.0]]), (1,)).tolist()[0] == pytest.approx([-1, 1], abs=1e-4)
