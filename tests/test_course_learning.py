"""The course's facts about training, as this project's own pieces give them (SYSTEMS rows 4, 10, 11, 29, 37-41, 63, 79-89,
section B.5)."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

import sigconv as sc
from sigconv.learn import Config, Net, Recipe, perceptron
from sigconv.learn.answers import answers
from sigconv.learn.blocks import Shape, build
from sigconv.learn.fronts import front
from sigconv.learn.layers import Norm, Pool, nonlinear, standardise
from sigconv.learn.steps import averaged, loss_of, noise_ratio, optimizer_of, paced, shrink, targets_of, update_ratios

torch.set_num_threads(1)
PLAIN = Recipe(smooth=0.0)


def quadratic(condition):
    """½ wᵀAw with eigenvalues 1 and κ."""
    A = torch.diag(torch.tensor([1.0, float(condition)], dtype=torch.float64))
    return lambda w: 0.5 * w @ A @ w


def descended(f, step, w0, count):
    """w after so many gradient steps; `step(w, g)` gives the next w."""
    w = torch.tensor(w0, dtype=torch.float64)
    for _ in range(count):
        w = w.detach().requires_grad_()
        w = step(w.detach(), torch.autograd.grad(f(w), w)[0])
    return w


def by_torch(f, optimizer, w0, count):
    w = torch.nn.Parameter(torch.tensor(w0, dtype=torch.float64))
    opt = optimizer([w])
    for _ in range(count):
        opt.zero_grad()
        f(w).backward()
        opt.step()
    return w.detach()


# ------------------------------------------------------------------ gradients (rows 11, 37, B.5)

def test_the_two_gradients_of_the_tutorial():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    k = sc.Signal(torch.ones(1), sc.line(1, 1))
    y = sc.convolve(sc.Signal(x - 2, sc.line(2, 1)), k).data
    (3 * y * y).mean().backward()
    assert x.grad.tolist() == [[-1.5, 0.0], [1.5, 3.0]]
    x = torch.tensor([0.5, -0.9, 0.9], requires_grad=True)  # a norm that stays below 1000 until the tenth doubling
    double = sc.Signal(torch.tensor([2.0]), sc.line(1, 1))
    y, i = sc.convolve(sc.Signal(x, sc.line(3, 1)), double), 0
    while y.data.norm() < 1000:
        y, i = sc.convolve(y, double), i + 1
    y.data.backward(torch.tensor([0.1, 1.0, 0.0001]))
    assert i == 9 and x.grad.tolist() == pytest.approx([102.4, 1024.0, 0.1024])


def test_no_gradient_where_none_is_recorded():
    w = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        y = sc.convolve(sc.Signal(torch.ones(5), sc.line(5, 1)), sc.Signal(w, sc.line(3, 1))).data.sum()
    with pytest.raises(RuntimeError, match="does not require grad"):
        y.backward()


def test_shapes_of_the_practicum():
    for layer, shape, wanted in ((torch.nn.Conv1d(2, 16, 3), (2, 64), (16, 62)), (torch.nn.Conv1d(2, 16, 5), (2, 64), (16, 60)),
                                 (torch.nn.Conv2d(20, 16, (3, 5)), (20, 64, 128), (16, 62, 124))):
        grid = sc.grid(*shape[1:]) if len(shape) == 3 else sc.line(shape[1], 1)
        x = sc.Signal(torch.randn(shape), grid)
        y = sc.correlate(x, sc.kernel(layer.weight, grid), mode="valid")
        assert tuple(y.data.shape) == wanted
        assert torch.allclose(y.data + layer.bias.reshape(-1, *(1 for _ in shape[1:])), layer(x.data[None])[0], atol=1e-5)
    conv = torch.nn.Conv2d(20, 16, (3, 5))
    assert tuple(conv.weight.shape) == (16, 20, 3, 5)


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.mark.parametrize("op", [
    lambda x, w: sc.convolve(sc.Signal(x, sc.line(9, 1)), sc.Signal(w, sc.line(3, 1))).data,
    lambda x, w: sc.correlate(sc.Signal(x, sc.line(9, 1)), sc.Signal(w, sc.line(3, 1)), mode="full").data,
    lambda x, w: sc.convolve(sc.Signal(x, sc.line(9, 1)), sc.Signal(w, sc.line(3, 1)), mode="valid", stride=2, dilation=2).data,
    lambda x, w: sc.convolve(sc.Signal(x, sc.line(9, 1)), sc.Signal(w, sc.line(3, 1)), padding_mode="reflect").data,
    lambda x, w: sc.cascade(sc.Signal(x[0], sc.line(9, 1)), sc.Signal(w, sc.line(3, 1))).data,
    lambda x, w: sc.Signal(x, sc.line(9, 1)).mix(w[:2][None]).data,
    lambda x, w: sc.convolve(sc.Signal(x, sc.line(9, 1)), sc.bypass(sc.Signal(w, sc.line(3, 1)), 0.3)).data])
def test_gradcheck_of_public_ops(op):
    assert gradcheck(op, (double(2, 9), double(3)), rtol=1e-6)


@pytest.mark.parametrize("layer", [
    Norm("channel", 4, 1), Norm("layer", 4, 1), Norm("group:2", 4, 1), Norm("instance", 4, 1), Norm("trailing:3", 4, 1),
    Norm("batch", 4, 1),
    Pool("mean:2", 1), Pool("max:3/2", 1), Pool("rms:2", 1), nonlinear("log"), nonlinear("square"), nonlinear("swish"),
    build({"channels": 3, "taps": 3, "dilation": 2, "separable": True}, Shape(4)),
    build({"kind": "residual", "blocks": [{"channels": 4, "taps": 3, "stride": 2}]}, Shape(4)),
    build({"kind": "multiscale", "scales": [1, 2], "blocks": [{"channels": 2, "taps": 2, "nonlinearity": "tanh"}]}, Shape(4))],
    ids=lambda layer: f"{type(layer).__name__}-{getattr(layer, 'kind', '')}")
def test_gradcheck_of_layers(layer):
    layer = layer.double()
    assert gradcheck(lambda x: layer(x), (double(2, 4, 12),), rtol=1e-6)


@pytest.mark.parametrize("kind", ["taps", "sinc", "gabor", "gammatone", "mel", "pcen", "scattering"])
def test_gradcheck_of_fronts(kind):
    torch.manual_seed(0)
    options = {"train": "learned", "hop": 0.05, "frame": 0.1, "high": 400, **({"smooth": 0.1} if kind == "pcen" else {})}
    f = front({"kind": kind, "count": 3} | (options if kind != "scattering" else {"train": "initial"}), 1000).double()
    assert gradcheck(lambda x: f(x), (double(1, 260),), rtol=1e-5, atol=1e-6)
    moved = [p for p in f.parameters() if p.requires_grad]
    f(double(1, 260)).square().sum().backward()
    assert all(bool(torch.isfinite(p.grad).all()) and float(p.grad.abs().max()) > 0 for p in moved)


# ------------------------------------------------------------------ losses (rows 38, 46)

def test_log_softmax_far_out():
    scores = torch.tensor([[1000.0, 0.0, -1000.0]], dtype=torch.float64, requires_grad=True)
    assert scores.softmax(1).log()[0].tolist() == [0.0, -np.inf, -np.inf]  # the naive way
    losses = [float(loss_of(scores, targets_of(torch.tensor([k]), 3), PLAIN).detach()) for k in range(3)]
    assert losses == pytest.approx([0, 1000, 2000])
    loss_of(scores, targets_of(torch.tensor([2]), 3), PLAIN).backward()
    assert scores.grad[0].tolist() == pytest.approx([1, 0, -1])
    s = torch.tensor(0.7)
    assert float(torch.stack([s, torch.zeros(())]).softmax(0)[0]) == pytest.approx(float(s.sigmoid()))


def test_the_loss_of_knowing_nothing():
    assert float(loss_of(torch.zeros(5, 10), targets_of(torch.arange(5), 10), PLAIN)) == pytest.approx(2.3026, abs=1e-4)
    assert float(loss_of(torch.zeros(5, 10), targets_of(torch.full((5,), -1), 10), PLAIN)) == pytest.approx(2.3026, abs=1e-4)


def test_weights_of_labels_are_torchs():
    logits, y, weight = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 0, 0, 0, 1,
                                                                                                     2]), torch.tensor([0.5, 2,
                                                                                                                        2])
    ours = loss_of(logits, targets_of(y, 3), PLAIN, weight)
    losses = torch.nn.functional.cross_entropy(logits, y, weight, reduction="sum") / 6
    assert float(ours) == pytest.approx(float(losses))


# ------------------------------------------------------------------ descent (rows 10, 79-87)

def test_descent_diverges_above_two_over_the_largest_curvature():
    f = quadratic(5)
    for gamma in np.linspace(0.05, 0.8, 31):
        end = descended(f, lambda w, g, gamma=gamma: w - gamma * g, [1.0, 1.0], 400)
        assert bool(end.norm() > 1) == (gamma > 2 / 5), gamma


def test_the_two_forms_of_momentum_are_one():
    f, beta, gamma, A = quadratic(20), 0.9, 0.02, torch.diag(torch.tensor([1.0, 20.0], dtype=torch.float64))
    p, before = torch.zeros(2, dtype=torch.float64), torch.tensor([1.0, 1.0], dtype=torch.float64)
    w = v = before.clone()
    for _ in range(100):
        g = A @ w
        p = beta * p + g
        w = w - gamma * p
        g = A @ v
        v, before = v - gamma * g + beta * (v - before), v  # heavy ball
        assert (w - v).abs().max() < 1e-14
    assert (by_torch(f, lambda q: torch.optim.SGD(q, gamma, momentum=beta), [1.0, 1.0], 100) - w).abs().max() < 1e-14
    slow = descended(quadratic(100), lambda w, g: w - 0.01 * g, [1.0, 1.0], 100)
    fast = by_torch(quadratic(100), lambda q: torch.optim.SGD(q, 0.01, momentum=0.9), [1.0, 1.0], 100)
    assert quadratic(100)(fast) < quadratic(100)(slow) / 30


def test_sgds_rate_means_the_same_at_every_momentum():
    net = Net("m5", labels=("a", "b"))
    for beta in (0.0, 0.9, 0.99):
        recipe = Recipe(optimizer="sgd", momentum=beta)
        optimizer = optimizer_of(net, recipe)
        paced(optimizer, recipe, 0.1, 0)
        w, far = torch.zeros(1), torch.zeros(1)
        for _ in range(1000):  # under a steady gradient of 1
            far = beta * far + 1
            w = w - optimizer.param_groups[0]["lr"] * far
        assert float(optimizer.param_groups[0]["lr"] * far) == pytest.approx(0.1, rel=1e-3)


def test_nesterov_is_torchs():
    f, beta, gamma = quadratic(20), 0.9, 0.02
    p = torch.zeros(2, dtype=torch.float64)

    def step(w, g):
        p.mul_(beta).add_(g)
        return w - gamma * (g + beta * p)

    ours = descended(f, step, [1.0, 1.0], 100)
    assert (ours - by_torch(f, lambda q: torch.optim.SGD(q, gamma, momentum=beta, nesterov=True), [1.0, 1.0],
                            100)).abs().max() < 1e-15


def test_rmsprop_and_adam_are_their_formulas():
    f, v, m, t = quadratic(20), torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64), [0]

    def rms(w, g):
        v.mul_(0.99).add_(0.01 * g * g)
        return w - 0.01 * g / (v.sqrt() + 1e-8)

    assert (descended(f, rms, [1.0, 1.0], 100) - by_torch(f, lambda q: torch.optim.RMSprop(q, 0.01), [1.0, 1.0],
                                                          100)).abs().max() < 1e-12
    v.zero_()

    def adam(w, g):
        t[0] += 1
        m.mul_(0.9).add_(0.1 * g)
        v.mul_(0.999).add_(0.001 * g * g)
        return w - 0.01 * (m / (1 - 0.9 ** t[0])) / ((v / (1 - 0.999 ** t[0])).sqrt() + 1e-8)

    assert (descended(f, adam, [1.0, 1.0], 100) - by_torch(f, lambda q: torch.optim.Adam(q, 0.01), [1.0, 1.0],
                                                           100)).abs().max() < 1e-10


def test_reddis_example():
    """f_t(w) = 3w every third step, −w else, on [−1, 1]: the sum falls towards −1. Adam (β₁ 0, β₂ 1/10) ends at +1, SGD at −1."""
    def ends(optimizer):
        w = torch.nn.Parameter(torch.tensor(0.0, dtype=torch.float64))
        opt = optimizer([w])
        for t in range(1, 3001):
            w.grad = torch.tensor(3.0 if t % 3 == 1 else -1.0, dtype=torch.float64)
            for group in opt.param_groups:
                group["lr"] = 0.5 / t**0.5
            opt.step()
            w.data.clamp_(-1, 1)
        return float(w.detach())

    assert ends(lambda q: torch.optim.Adam(q, 0.1, betas=(0.0, 0.1), eps=1e-12)) > 0.9
    assert ends(lambda q: torch.optim.SGD(q, 0.1)) < -0.9


def regression(copies=1):
    g = torch.Generator().manual_seed(0)
    x = torch.randn(40, 5, generator=g, dtype=torch.float64)
    y = x @ torch.arange(1.0, 6.0, dtype=torch.float64)
    return x.repeat(copies, 1), y.repeat(copies)


def test_stochastic_descent_makes_use_of_redundancy():
    x, y = regression()
    loss = lambda w: float(((x @ w - y) ** 2).mean())  # noqa: E731

    def passes(copies, batch, rate):
        a, b = regression(copies)
        w, seen = torch.zeros(5, dtype=torch.float64), 0
        while loss(w) > 1e-3:
            i = torch.arange(seen, seen + batch) % len(a)
            w = w - rate * 2 * a[i].T @ (a[i] @ w - b[i]) / batch
            seen += batch
        return seen

    assert passes(10, 4, 0.05) == passes(1, 4, 0.05)
    assert passes(10, 400, 0.05) == 10 * passes(1, 40, 0.05)


def test_gradient_noise_does_not_change_with_copies():
    x, y = regression()
    gradients = 2 * x * (x @ torch.zeros(5, dtype=torch.float64) - y)[:, None]
    assert noise_ratio(gradients.repeat(10, 1)) == pytest.approx(noise_ratio(gradients), rel=0.05)
    assert noise_ratio(gradients) == pytest.approx(float(gradients.mean(0).norm() / gradients.std(0, correction=0).norm()))


def test_lbfgs_designs_a_filter_in_few_evaluations():
    from scipy.signal import firls

    f = np.linspace(0, 1, 400)
    used = (f < 0.2) | ((f > 0.25) & (f < 0.55)) | (f > 0.6)
    want = torch.tensor(((f > 0.25) & (f < 0.55))[used].astype(float))
    basis = torch.tensor(np.cos(np.pi * np.outer(f[used], np.arange(33))) * np.r_[1, np.full(32, 2.0)])
    error = lambda h: ((basis @ h - want) ** 2).mean()  # noqa: E731
    best = float(error(torch.tensor(firls(65, [0, 0.2, 0.25, 0.55, 0.6, 1], [0, 0, 1, 1, 0, 0])[32:].copy())))

    def evaluations(optimizer, limit):
        h = torch.nn.Parameter(torch.zeros(33, dtype=torch.float64))
        opt, count = optimizer([h]), 0

        def closure():
            nonlocal count
            count += 1
            opt.zero_grad()
            e = error(h)
            e.backward()
            return e

        while count < limit and 10 * np.log10(float(error(h)) / best) > 0.1:
            opt.step(closure)
        return count

    quick = evaluations(lambda q: torch.optim.LBFGS(q, history_size=40), 100)
    assert quick <= 50 and evaluations(lambda q: torch.optim.SGD(q, 0.25), 1000) >= 4 * quick


def test_the_mean_of_the_path_is_better_than_its_end():
    better = 0
    for seed in range(5):
        g = torch.Generator().manual_seed(seed)
        x = torch.randn(600, 10, generator=g)
        y = (x[:, 0] + 1.5 * torch.randn(600, generator=g) > 0).long()
        net = torch.nn.Linear(10, 2)
        torch.nn.init.zeros_(net.weight)
        mean = {k: v.clone() for k, v in net.state_dict().items()}
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
        for _ in range(300):
            i = torch.randint(300, (8,), generator=g)
            optimizer.zero_grad()
            loss_of(net(x[i]), targets_of(y[i], 2), PLAIN).backward()
            optimizer.step()
            averaged(mean, net.state_dict(), 0.02)
        with torch.no_grad():
            last = float(loss_of(net(x[300:]), targets_of(y[300:], 2), PLAIN))
            net.load_state_dict(mean)
            better += float(loss_of(net(x[300:]), targets_of(y[300:], 2), PLAIN)) <= last
    assert better >= 4


def test_update_ratios_by_hand():
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]))
    before = {"w": w.detach().clone()}
    w.data += torch.tensor([[0.03, -0.04]])
    assert update_ratios([("w", w)], before) == {"w": pytest.approx(0.01)}


def test_automatic_gain_settles():
    x = torch.sin(torch.arange(16000) * 0.3)
    x[8000:] *= 0.1  # 20 dB less from 1 s on
    y = sc.learn.levelled(x, 8000, seconds=0.2)
    assert abs(20 * torch.log10(y[8000 + 3 * 1600:].square().mean().sqrt() / 0.1)) < 1


# ------------------------------------------------------------------ normalisation (rows 88, 89)

def test_four_norms_are_one_on_other_axes():
    x = torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(0))
    theirs = {"layer": torch.nn.functional.layer_norm(x, (6, 8)), "instance": torch.nn.functional.instance_norm(x),
              "group:2": torch.nn.functional.group_norm(x, 2),
              "batch": torch.nn.functional.batch_norm(x, None, None, training=True)}
    for kind, wanted in theirs.items():
        assert (Norm(kind, 6, 1).train()(x) - wanted).abs().max() <= 1e-6
    assert (standardise(x, (0, 2)) - theirs["batch"]).abs().max() <= 1e-6
    flat = standardise(x, (1, 2)).flatten(1)
    assert flat.mean(1).abs().max() < 1e-5 and (flat.std(1, correction=0) - 1).abs().max() < 1e-4


def test_norms_stand_larger_steps():
    def largest(kind):
        good = []
        for rate in (0.1, 0.3, 1.0, 3.0):
            torch.manual_seed(0)
            net = torch.nn.Sequential(*[build({"channels": 16, "normalise": kind}, Shape(16)) for _ in range(2)],
                                      torch.nn.Conv1d(16, 2, 1))
            x, y = torch.randn(64, 16, 4) * 30, torch.randint(2, (64,))
            optimizer = torch.optim.SGD(net.parameters(), lr=rate)
            for _ in range(30):
                loss = loss_of(net(x).mean(-1), targets_of(y, 2), PLAIN)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if float(loss.detach()) < 0.5:
                good.append(rate)
        return max(good)

    assert largest("batch") >= 3 * largest("none")


# ------------------------------------------------------------------ small tasks (rows 4, 29, 40, 41, 63)

def two_tones(count, snr, seed=0, n=64):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % 2
    phase = torch.rand(count, 1, generator=g) * 6.28
    x = torch.sin(torch.arange(n) * torch.where(y == 0, 0.5, 1.3)[:, None] + phase)
    return x + torch.randn(count, n, generator=g) * (0.5 * 10 ** (-snr / 10)) ** 0.5, y


def test_a_perceptron_tells_two_tones_apart():
    x, y = two_tones(100, 10)
    power = torch.fft.rfft(x).abs().numpy()  # a frozen bank
    w, made = perceptron(power, y.numpy())
    said = (np.column_stack([power, np.ones(len(power))]) @ w.T).argmax(1)
    assert made <= 100 and (said == y.numpy()).all()
    with pytest.raises(sc.SigconvError, match="wanted finite"):
        perceptron([[np.nan]], [0])


def taught(drop=0.0, group=0.0):
    """A bank of 64 filters and a linear map, taught two tones in as much noise: its taps, and a function that says how many it
    tells apart."""
    torch.manual_seed(0)
    bank, head = build({"channels": 64, "taps": 16, "nonlinearity": "abs", "normalise": "none", "drop": drop},
                       Shape(1)), torch.nn.Linear(64, 2)
    x, y = two_tones(400, 0)
    optimizer = torch.optim.SGD([*bank.parameters(), *head.parameters()], lr=0.3, momentum=0.9)
    g = torch.Generator().manual_seed(1)
    for _ in range(200):
        i = torch.randint(400, (50,), generator=g)
        loss = loss_of(head(bank(x[i, None]).mean(-1)), targets_of(y[i], 2), PLAIN)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if group:
            shrink(bank.bank.weight.data, 0.3 * group, filters=True)
    bank.eval()
    x, y = two_tones(400, 0, seed=5)

    @torch.no_grad()
    def right(without=None):
        h = bank(x[:, None]).mean(-1)
        if without is not None:
            h[:, without] = 0
        return float((head(h).argmax(1) == y).double().mean())

    return bank.bank.weight.detach(), right


def test_group_l1_leaves_few_filters():
    _, usual = taught()
    w, sparse = taught(group=0.05)
    assert int((w.flatten(1).norm(dim=1) > 0).sum()) <= 8 and sparse() >= usual() - 0.01 > 0.9


def test_dropout_of_filters_makes_none_indispensable():
    _, right = taught(drop=0.5)
    assert right() - min(right(k) for k in range(64)) <= 0.03


def test_clips_of_several_lengths_in_a_batch_are_as_alone():
    net = Net("sincnet", labels=("a", "b", "c")).eval()
    g = torch.Generator().manual_seed(0)
    clips = [torch.randn(n, generator=g) for n in (3000, 9000, 15000)]
    together = answers(net, clips)
    alone = torch.cat([answers(net, [clip]) for clip in clips])
    assert (together - alone).abs().max() <= 1e-6


def test_more_input_more_outputs():
    twice = [{"channels": 2, "taps": 3, "pool": "max:2"}] * 2
    net = Net(Config(("a", "b"), 100, window=0.1, blocks=twice))
    assert net.stride == 4
    for n, count in ((10, 1), (14, 2), (18, 3), (100, 23)):
        assert net.eval().scores(torch.zeros(1, n)).shape[-1] == count
