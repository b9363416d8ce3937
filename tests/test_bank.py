"""`Bank`: the module is the convolution, what it learns moves and stays in range, what it saves comes back."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import sigconv as sc
from sigconv.bank import Energy, ears, octaves, symmetric
from sigconv.errors import SigconvError, UsageError
from sigconv.kernels import BANKS

LINE = sc.line(1, 8000)
BANDS = [name for name, f in BANKS.items() if f.dims == (1,) and {"centre", "bandwidth"} <= set(f.learnable)]
WORDS = {"gabor": "gabor:6", "morlet": "morlet:6,200", "gammatone": "gammatone:12", "gammachirp": "gammachirp:12",
         "sinc": "sinc:6,taps=101", "octave": "octave:low=250", "piano": "piano:duration=0.02",
         "constant_q": "constant_q:500,3000,4", "variable_q": "variable_q:500,3000,4",
         "fourier": "fourier:32", "mdct": "mdct:16", "daubechies": "daubechies:3,2",
         "haar": "haar:2", "free": "free:12,16"}


def listed(y):
    return y if isinstance(y, list) else [y]


def near(a, b, x, k):
    """Within the one numeric bound of single or double precision."""
    a, b = (np.asarray(v.detach() if torch.is_tensor(v) else v) for v in (a, b))
    eps = np.finfo(a.real.dtype).eps
    norm = np.abs(np.asarray(k.numpy().data)).reshape(*k.value, -1).sum(-1).max() * (k.value[1] if len(k.value) == 2 else 1)
    assert a.shape == b.shape and a.dtype == b.dtype
    assert np.abs(a - b).max(initial=0) <= 16 * eps * norm * np.abs(x).max(initial=0) + 1e-300


def compared(bank, x):
    """forward against convolve, value by value."""
    like = sc.Domain(x.shape[2:], bank.like.step, 0, bank.like.unit)
    ys, k = listed(bank(torch.from_numpy(x))), bank.kernel()
    for y, (kernel, stride) in zip(ys, [(k, bank.stride)] if bank.lone else k, strict=True):
        want = sc.convolve(sc.Signal(x, like), kernel.numpy(), mode=bank.mode, padding_mode=bank.padding_mode, stride=stride,
                           dilation=bank.dilation)
        m = kernel.value[0]
        near(y, want.data.reshape(x.shape[0], m if len(kernel.value) == 2 else m * x.shape[1], *want.domain.shape), x, kernel)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", WORDS.values(), ids=WORDS)
def test_forward_is_convolve(spec, dtype):
    rng = np.random.default_rng(0)
    bank = sc.Bank(spec, LINE, stride=3)
    for n, c in ((200, 1), (7, 2), (1, 3), (0, 1)):
        compared(bank, rng.standard_normal((2, c, n)).astype(dtype))
    compared(bank, np.zeros((1, 1, 50), dtype))


@pytest.mark.parametrize(("mode", "padding"), [("full", "zeros"), ("valid", "zeros"), ("same", "reflect"), ("same", "symmetric"),
                                               ("same", "replicate"), ("same", "circular")])
@pytest.mark.parametrize("start", [-5, 0, 4, -30])
def test_modes_paddings_and_places(mode, padding, start):
    rng = np.random.default_rng(1)
    k = sc.Signal(rng.standard_normal((3, 9)), sc.Domain(9, LINE.step, start, "s"))
    for dilation in (1, 2):
        bank = sc.Bank(k, mode=mode, padding_mode=padding, stride=2, dilation=dilation)
        compared(bank, rng.standard_normal((2, 2, 40)))
        if padding != "zeros":
            compared(bank, rng.standard_normal((1, 1, 3)))


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("value", [(), (3,), (3, 2)])
def test_planes_volumes_and_layers(shape, value):
    rng = np.random.default_rng(2)
    like = sc.Domain((1,) * len(shape), 1, 0)
    k = sc.Signal(rng.standard_normal((*value, *shape)), sc.Domain(shape, 1, [-1] * len(shape)))
    for padding in ("zeros", "reflect"):
        x = rng.standard_normal((2, 2, *(6 + i for i in range(len(shape)))))
        compared(sc.Bank(k, like, stride=2, padding_mode=padding), x)
    y = sc.Bank("free:3,4,seed=1", like)(torch.zeros(1, 2, *(6,) * len(shape)))
    assert y.shape == (1, 6, *(6,) * len(shape))


@pytest.mark.parametrize("spec", WORDS.values(), ids=WORDS)
def test_there_and_back(spec):
    """Every family, edges included; completed where it lacks the ends of the spectrum."""
    n = 960 if spec.startswith(("gammatone", "mdct", "free")) else 480
    x = sc.Signal(np.random.default_rng(0).standard_normal((2, n)), sc.line(n, 8000))
    stride = {"fourier": 8, "mdct": 16, "free": 3}.get(spec.split(":")[0], 1)
    bank = sc.Bank(spec, x, stride=stride, mode="full" if "aub" in spec else "same")
    if BANKS[spec.split(":")[0]].learnable[:1] == ("centre",):
        bank = bank.complete()
    known = bank.bounds(n)
    assert known.condition < (1e6 if "piano" in spec else 1000), (spec, str(known))
    back = bank.synthesis(bank.analysis(x), x.domain)
    assert 20 * np.log10(np.linalg.norm(x.data) / np.linalg.norm(back.data - x.data)) > 200
    single = sc.Signal(x.data.astype(np.float32), x.domain)
    back = bank.synthesis(bank.analysis(single), x.domain)
    assert back.data.dtype == np.float32
    assert 20 * np.log10(np.linalg.norm(x.data) / np.linalg.norm(back.data - single.data)) > 110


def test_a_bank_that_loses_something_says_so():
    x = sc.Signal(np.random.default_rng(0).standard_normal((1, 2000)), sc.line(2000, 8000))
    bank = sc.Bank("gammatone:8,500,2000", x)
    with pytest.raises(SigconvError, match="dB would be lost; nothing covers"):
        bank.synthesis(bank.analysis(x), x.domain)
    assert bank.synthesis(bank.analysis(x), x.domain, least_squares=True).domain == x.domain


# ---- learning


@pytest.mark.parametrize("name", [name for name in BANDS if not name.endswith("_q")])
def test_thirty_percent_off_is_learned(name):
    """Centres and bandwidths to within 1 %, from a sound and what the right bank makes of it, in far fewer than 500 steps."""
    centre, wide = np.array([600.0, 2000.0]), np.array([300.0, 700.0])
    words = {"taps": 101} if "taps" in BANKS[name].parameters else {}
    target = sc.Bank(name, LINE, centre=centre, bandwidth=wide, **words)
    bank = sc.Bank(name, LINE, centre=1.3 * centre, bandwidth=1.3 * wide, learn=("centre", "bandwidth"), **words)
    x = torch.randn(1, 1, 1000, generator=torch.Generator().manual_seed(0))
    wanted = target(x)
    steps = torch.optim.Adam([bank.group(lr=1e-2)])
    for _ in range(180):
        steps.zero_grad()
        (bank(x) - wanted).abs().square().mean().backward()
        steps.step()
    now = bank.values()
    assert np.abs(now["centre"] / centre - 1).max() < 0.01 and np.abs(now["bandwidth"] / wide - 1).max() < 0.01
    moved = bank.drift()["centre"]
    assert moved.octaves == pytest.approx([-np.log2(1.3)] * 2, abs=0.02)
    assert moved.percent == pytest.approx([100 * 0.3 / 1.3] * 2, abs=1)
    assert moved.by == pytest.approx(-0.3 * centre, rel=0.05) and "Hz" in str(moved)


@pytest.mark.parametrize("name", BANDS)
def test_nothing_leaves_its_range(name):
    bank = sc.Bank(WORDS[name], LINE, learn=("centre", "bandwidth"))
    for far in (1e6, -1e6, 30.0):
        with torch.no_grad():
            for p in bank.parameters():
                p.fill_(far)
        now = bank.values()
        assert (now["centre"] > 0).all() and (now["centre"] < 4000).all() and (now["bandwidth"] > 0).all()
        if far > 0:
            bank.kernel()


def test_parameters_in_the_middle_of_training_are_those_of_the_kernel():
    bank = sc.Bank("gammatone:3", LINE, learn="centre").eval()
    x = torch.randn(1, 1, 300, dtype=torch.float64)
    with torch.no_grad():
        first = bank(x)
        bank.learned["centre"].data += 0.1  # behind the back of everything
        assert not torch.equal(bank(x), first)
        compared(bank, x.numpy())
    twin = copy.deepcopy(bank)
    twin.load_state_dict(bank.state_dict())
    assert torch.equal(twin(x), bank(x)) and set(bank.state_dict()) == {"learned_centre"}
    single = bank.float()  # buffers are cast, taps are made anew
    assert torch.allclose(single(x), twin(x), atol=1e-6) and torch.equal(single.eval()(x), single(x))


def test_every_family_learns_its_taps():
    for spec in WORDS.values():
        bank = sc.Bank(spec, LINE, learn="taps")
        made, plain = bank.kernel(), sc.Bank(spec, LINE).kernel()
        for (a, _), (b, _) in zip([(made, 1)] if bank.lone else made, [(plain, 1)] if bank.lone else plain, strict=True):
            assert np.abs(a.numpy().data - b.data).max() <= 1e-7 * np.abs(b.data).max()
        sum(y.abs().square().sum() for y in listed(bank(torch.randn(1, 1, 64)))).backward()
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in bank.parameters())
        assert all(not p.is_complex() for p in bank.parameters())


def test_bias_and_means():
    bank = sc.Bank("free:4,9", LINE, bias=True, zero_mean=True)
    x = torch.randn(1, 2, 40, dtype=torch.float64)
    before = bank(x)
    with torch.no_grad():
        bank.bias.copy_(torch.arange(4.0))
    assert torch.allclose(bank(x) - before, torch.arange(4.0, dtype=torch.float64).repeat(2)[:, None].expand(8, 40))
    assert sc.Bank("free:4,9", LINE).bias is None


@pytest.mark.parametrize("spec", [WORDS[name] for name in ("gammatone", "sinc", "octave", "free", "gabor")])
def test_zero_mean(spec):
    """Row 34: |H(0)| ≤ 1e-6, a constant gives nothing; and what passes DC is said."""
    plain, bank = sc.Bank(spec, LINE), sc.Bank(spec, LINE, zero_mean=True)
    assert np.abs(bank.kernel().data.sum(-1)).max() <= 1e-6
    assert bank.passes_dc() == () and plain.passes_dc() and "pass DC" in repr(plain) and "pass DC" not in repr(bank)
    y = bank(torch.ones(1, 1, 4000, dtype=torch.float64))
    assert y[..., 1500:2500].abs().max() < 1e-6


# ---- what it is made of


@pytest.mark.parametrize("spec", ["gabor:1", "gammatone:1", "morlet:1"])
def test_simple_and_complex_cells(spec):
    """Row 6: moved by a quarter of a period, a simple cell's answer changes sign, a complex cell's by less than 2 %."""
    bank, period = sc.Bank(spec, LINE, centre=[500.0], bandwidth=[100.0]), 16
    n = np.arange(2000)

    def waves(shift):
        return sc.Signal(np.cos(2 * np.pi * (n - shift) / period + 3 * np.pi / 4)[None], sc.line(2000, 8000))

    a, b = (bank.analysis(waves(shift)).data.real[0, 0, 992] for shift in (0, period / 4))
    assert a * b < 0 and abs(a) > 0.3 and abs(b) > 0.3
    a, b = (bank.energy(waves(shift)).data[0, 0, 992] for shift in (0, period / 4))
    assert abs(a / b - 1) < 0.02
    real = sc.Bank(spec, LINE, centre=[500.0], bandwidth=[100.0], quadrature=False)
    x = torch.from_numpy(waves(0).data)[None]
    assert torch.allclose(real.energy(x), bank(x).abs()) and real.energy(x).dtype == torch.float64


def test_energy_has_gradients_at_silence():
    bank = sc.Bank("gabor:3", LINE, learn="centre")
    x = torch.zeros(1, 1, 100, requires_grad=True)
    Energy(bank)(x).sum().backward()
    assert torch.isfinite(x.grad).all() and torch.isfinite(bank.learned["centre"].grad).all()
    with pytest.raises(UsageError, match="energy of free on real taps"):
        sc.Bank("free", LINE).energy(x)


def test_complete_and_tighten():
    x = sc.Signal(np.random.default_rng(0).standard_normal((1, 1500)), sc.line(1500, 8000))
    bank = sc.Bank("gammatone:12,300,3000", x, stride=2, learn="centre", mode="full")
    full = bank.complete()
    assert np.abs(full.kernel().numpy().data - sc.frames.complete(bank.kernel().numpy(), 2).data).max() < 1e-12
    assert full.channels[-1] == "high" and full.learned["centre"] is bank.learned["centre"]
    tight = full.tighten()
    y = tight.analysis(x)
    back = sc.frames.adjoint(y, tight.kernel(), x.domain, 2, mode="full")
    assert np.abs(back.data.real - x.data).max() < 1e-9
    pairs = sc.Bank("cqt:500,3000,4", x).complete()
    assert not pairs.lone and pairs.channels[-1] == "high"
    assert pairs.bounds(1500).condition < 1000 and "strides" not in repr(pairs)


def test_bounds_have_gradients():
    bank = sc.Bank("gabor:4,500,3000", LINE, learn="bandwidth").complete()
    known = bank.bounds(256)
    known.B.backward()
    assert bank.learned["bandwidth"].grad.abs().max() > 0


def test_from_any_kernel():
    x = sc.load(sc.io.sample("speech")).between(0, 0.2)
    motif = sc.Signal(x.data[0, 100:400], sc.Domain(300, x.domain.step, 0, "s"))
    bank = sc.Bank(motif, learn="taps")
    assert bank.kernel().value == (1,) and bank.channels == ("0",)
    near(bank.analysis(x).data[:, 0], sc.convolve(x, motif).data, x.data, motif)
    assert sc.Bank(sc.kernel("-1,0,1", x)).analysis(x).data.shape == (1, 1, *x.domain.shape)
    pairs = sc.Bank([(sc.kernels.edge(LINE), 1), (sc.kernels.gaussian(LINE), 4)], LINE)
    assert [y.shape[-1] for y in pairs(torch.zeros(1, 1, 8))] == [8, 2]


# ---- w = H(u): rows 48 and 49


def test_the_update_of_row_48():
    """u ← u − η Hᵀ ∂C/∂w, so for linear H  w ← w − η H Hᵀ ∂C/∂w."""
    rng = np.random.default_rng(0)
    H, eta = torch.from_numpy(rng.standard_normal((9, 3))), 1e-2

    def linear(like, u):
        return sc.kernels.bands.free(like, (H @ u)[None])

    bank = sc.Bank(linear, LINE, learn="u", u=rng.standard_normal(3)).double()
    bank.learned["u"].data = torch.from_numpy(rng.standard_normal(3))
    x, wanted = (torch.from_numpy(rng.standard_normal((1, 1, 60))) for _ in range(2))
    w = bank.kernel().data.detach().requires_grad_()
    y = sc.engines.conv(x, w[:, None], window=(4, 64))
    (of_w,) = torch.autograd.grad((y - wanted).square().sum(), w)
    step = torch.optim.SGD(bank.parameters(), lr=eta)
    (bank(x) - wanted).square().sum().backward()
    step.step()
    assert (bank.kernel().data - (w - eta * (H @ H.T @ of_w[0]))).abs().max() < 1e-12


def test_a_band_is_found_by_its_two_numbers():
    """1 kHz and 100 Hz, from 30 % off on either side, on a loss that sees the gains in dB."""
    target, f = sc.kernels.morlet(LINE, [1000.0], [100.0]), np.linspace(400, 2000, 60)

    def level(k):
        t = torch.from_numpy(k.coordinates())
        waves = torch.polar(torch.ones(1, dtype=torch.float64), -2 * np.pi * torch.from_numpy(f)[:, None] * t)
        return ((waves @ torch.as_tensor(k.data).T).abs().square() + 1e-6).log()

    for off in (1.3, 0.7):
        bank = sc.Bank("gabor", LINE, centre=[1000 * off], bandwidth=[100 * off], learn=("centre", "bandwidth"))
        step, wanted = torch.optim.Adam(bank.parameters(), lr=1e-2), level(target)
        for _ in range(200):
            step.zero_grad()
            (level(bank.kernel()) - wanted).square().mean().backward()
            step.step()
        now = bank.values()
        assert now["centre"] == pytest.approx([1000], rel=0.01) and now["bandwidth"] == pytest.approx([100], rel=0.01), off


def of_each(H, u, x):
    """Gradients in u of a bank that ties, and in its taps."""
    bank = sc.Bank(H, LINE, learn="u", u=u).double()
    bank.learned["u"].data = torch.from_numpy(u)
    k = bank.kernel()
    free = sc.Bank(k.numpy(), LINE, learn="taps").double()
    free.learned["taps0"].data = k.data.detach().clone()
    for made in (bank, free):
        made(x).pow(3).sum().backward()
    return bank.learned["u"].grad, free.learned["taps0"].grad, k


def test_tied_gradients_are_sums_of_the_untied():
    """Row 49."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((1, 1, 50)))
    of_u, of_w, _ = of_each(lambda like, u: symmetric(like, u), rng.standard_normal((2, 4)), x)
    both = torch.cat([of_w[:, 3:4], of_w[:, 4:] + of_w[:, :3].flip(1)], dim=1)
    assert (of_u - both).abs().max() <= 1e-7 * both.abs().max()
    of_u, of_w, k = of_each(lambda like, u: octaves(like, u, count=3), rng.standard_normal(5), x)
    columns = [octaves(LINE, e, count=3).data for e in np.eye(5)]
    each = torch.tensor([(of_w.numpy() * c).sum() for c in columns])
    assert (of_u - each).abs().max() <= 1e-7 * each.abs().max() and k.value == (3,)
    stereo = torch.from_numpy(rng.standard_normal((1, 2, 50)))
    of_u, of_w, k = of_each(lambda like, u: ears(like, u), rng.standard_normal((2, 3)), stereo)
    both = of_w[:2, 0] + of_w[2:, 1]
    assert (of_u - both).abs().max() <= 1e-12 * both.abs().max() and k.value == (4, 2)


def test_symmetric_taps_have_no_delay():
    half = np.random.default_rng(0).standard_normal((3, 8))
    for sign, taps in ((1, half), (-1, half)):
        k = symmetric(LINE, taps, sign=sign)
        f = np.linspace(100, 3900, 50)
        at = (np.arange(k.domain.shape[0]) + k.domain.start[0])
        waves = np.exp(-2j * np.pi * np.outer(f / 8000, at))
        gain, turned = waves @ k.data.T, waves @ (k.data * at).T
        heard = np.abs(gain) > 1e-3
        assert np.abs((turned / gain).real[heard]).max() <= 1e-6  # group delay in samples


def test_octaves_hear_octaves():
    like = sc.line(1, 16000)
    k = octaves(like, sc.kernels.morlet(like, 3200.0, 800.0).data.real, count=4)
    f = np.linspace(50, 7900, 4000)
    gains = np.abs(sc.spectrum.response(k, f).gain)
    assert f[gains.argmax(1)] == pytest.approx(3200 / 2.0 ** np.arange(4), rel=0.01)
    assert gains.max(1) == pytest.approx(np.full(4, gains[0].max()), rel=0.02)


# ---- files


@pytest.mark.parametrize("spec", [*WORDS.values(), "kernel", "layer"])
def test_what_is_saved_comes_back(spec, tmp_path):
    rng = np.random.default_rng(0)
    family = {"kernel": sc.Signal(rng.standard_normal((2, 5)) + 1j, sc.Domain(5, LINE.step, -1, "s"), ["a", "b"]),
              "layer": sc.Signal(rng.standard_normal((3, 1, 5)), sc.Domain(5, LINE.step, -1, "s"))}.get(spec, spec)
    learn = ("centre", "bandwidth") if spec.split(":")[0] in BANDS else "taps"
    bank = sc.Bank(family, LINE, stride=2, learn=learn, mode="full", bias=spec == "layer")
    with torch.no_grad():
        for p in bank.parameters():
            p += 0.1 * torch.randn(p.shape)
    if spec.split(":")[0] in ("gammatone", "constant_q"):
        bank = bank.complete()
    bank.save(tmp_path / "x.safetensors")
    back, x = sc.Bank.load(tmp_path / "x.safetensors"), torch.randn(1, 1, 60)
    for a, b in zip(listed(bank(x)), listed(back(x)), strict=True):
        assert torch.equal(a, b)
    assert back.channels == bank.channels and repr(back) == repr(bank)
    assert all(np.array_equal(a.now, b.now) for a, b in zip(bank.drift().values(), back.drift().values(), strict=True))
    with pytest.raises(SigconvError, match="exists"):
        bank.save(tmp_path / "x.safetensors")
    bank.save(tmp_path / "x.safetensors", overwrite=True)


def test_functions_are_asked_for(tmp_path):
    def half(like, u):
        return symmetric(like, u)

    bank = sc.Bank(half, LINE, learn="u", u=np.ones((1, 3)))
    bank.save(tmp_path / "x.safetensors")
    with pytest.raises(SigconvError, match="a function called 'half'; wanted it too"):
        sc.Bank.load(tmp_path / "x.safetensors")
    assert torch.equal(sc.Bank.load(tmp_path / "x.safetensors", half).kernel().data, bank.kernel().data)


def test_other_files_are_refused_in_one_line(tmp_path):
    good = tmp_path / "x.safetensors"
    sc.Bank("gammatone:4", LINE, learn="centre").save(good)
    data = good.read_bytes()
    from safetensors.torch import save

    cases = {"cut": data[: len(data) // 2], "head": data[:9], "empty": b"", "sound": b"RIFF" + bytes(100), "long": b"\xff" * 64,
             "foreign": save({"a": torch.zeros(2)}), "null": save({"a": torch.zeros(2)}, {"sigconv.bank": "null"}),
             "json": save({"a": torch.zeros(2)}, {"sigconv.bank": "{"}),
             "bare": save({"a": torch.zeros(2)}, {"sigconv.bank": '{"version": 1}'}),
             "swapped": data.replace(b"gammatone", b"gammachir")}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SigconvError) as why:
            sc.Bank.load(tmp_path / name)
        assert "\n" not in str(why.value) and name in str(why.value), name
    for path in (tmp_path, tmp_path / "none", 5):
        with pytest.raises(SigconvError):
            sc.Bank.load(path)


# ---- elsewhere


EXPORTED = {"sinc": ("sinc:4,taps=31,quadrature=no", {}),
            "reflect": ("gabor:4,500,3000,bandwidth=800,quadrature=no", {"padding_mode": "reflect"}),
            "full": ("free:3,9", {"mode": "full", "bias": True}), "energy": ("gabor:4,500", {})}


def module(name):
    spec, options = EXPORTED[name]
    learn = "centre" if "free" not in spec else "taps"
    bank = sc.Bank(spec, LINE, stride=4, learn=learn, **options)
    with torch.no_grad():
        for p in bank.parameters():
            p += 0.1
    return (Energy(bank) if name == "energy" else bank).eval()


@pytest.mark.parametrize("name", EXPORTED)
def test_torch_export(name):
    made = module(name)
    free = {0: torch.export.Dim("batch"), 2: torch.export.Dim("time", min=64)}
    program = torch.export.export(made, (torch.randn(2, 1, 400),), dynamic_shapes=(free,)).module()
    for shape in ((2, 1, 400), (1, 1, 100), (5, 1, 777)):
        x = torch.randn(shape)
        assert (program(x) - made(x)).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["reflect", "full", "energy"])
def test_onnx(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    made, path = module(name), tmp_path / "x.onnx"
    free = {0: torch.export.Dim("batch"), 2: torch.export.Dim("time", min=64)}
    torch.onnx.export(made, (torch.randn(2, 1, 400),), path, dynamo=True, dynamic_shapes=(free,), verbose=False)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for shape in ((2, 1, 400), (1, 1, 100), (5, 1, 777)):
        x = torch.randn(shape)
        (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        assert np.abs(y - made(x).detach().numpy()).max() < 1e-5


def test_export_in_training_is_refused():
    bank = sc.Bank("gammatone:3,quadrature=no", LINE, learn="centre")
    with pytest.raises(Exception, match=r"wanted bank\.eval"):
        torch.export.export(bank, (torch.randn(1, 1, 100),))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: sc.Bank("gamatone", LINE), "bank 'gamatone': unknown; did you mean 'gammatone'"),
    (lambda: sc.Bank("gammatone"), "a bank for a NoneType: wanted the domain"),
    (lambda: sc.Bank(5, LINE), "a int as bank: wanted a name"),
    (lambda: sc.Bank("gammatone", LINE, learn="center"), "learn 'center': no array parameter of .*did you mean 'centre'"),
    (lambda: sc.Bank("mdct", LINE, learn="centre"), "wanted some of taps"),
    (lambda: sc.Bank("sinc", LINE, learn=("taps", "centre")), "wanted the taps, or parameters"),
    (lambda: sc.Bank("gammatone", LINE, stride=0), "stride"),
    (lambda: sc.Bank("gammatone", LINE, mode="sam"), "mode 'sam'"),
    (lambda: sc.Bank("gammatone", LINE, mode="full", padding_mode="reflect"), "only 'same' looks beyond"),
    (lambda: sc.Bank("gammatone", LINE, ranges={"centr": (0, 1)}), "ranges of 'centr'"),
    (lambda: sc.Bank("gammatone", LINE, centre=[100.0, 3000.0], learn="centre", ranges={"centre": (200, 4000)}),
     "centre 100 to learn from"),
    (lambda: sc.Bank(sc.kernels.edge(LINE), LINE, count=3), "given taps with count"),
    (lambda: sc.Bank([], LINE), "a list as bank"),
    (lambda: sc.Bank(lambda like: 3, LINE), "a int as bank"),
    (lambda: sc.Bank(sc.kernels.edge(sc.line(1, 44100)), LINE), "resample"),
    (lambda: sc.Bank("free", LINE)(torch.zeros(3, 4)), "tensor of shape .3, 4. into a bank on 1 axis"),
    (lambda: sc.Bank("free", LINE)(np.zeros((1, 1, 4))), "a ndarray into a bank"),
    (lambda: sc.Bank(sc.Signal(np.ones((2, 3, 1)), LINE))(torch.zeros(1, 2, 9)), "2 channels into a layer on 3"),
    (lambda: sc.Bank("free", LINE).analysis(torch.zeros(3)), "analysis of a Tensor"),
    (lambda: sc.Bank("free", LINE).synthesis(3, LINE), "synthesis of a int"),
    (lambda: sc.Bank("haar", LINE).tighten(), "several rates"),
    (lambda: sc.Bank("gammatone", sc.grid(1, 1)), "on 2 axes"),
    (lambda: symmetric(LINE, [1.0]), "wanted .m, K."), (lambda: symmetric(LINE, [[1.0]], sign=2), "sign 2"),
    (lambda: octaves(LINE, [[1.0]]), "template of shape"),
])
def test_wrong_banks(make, message):
    with pytest.raises(SigconvError, match=message) as why:
        make()
    assert "\n" not in str(why.value)


@pytest.mark.parametrize(("options", "said"), [({"learn": 3}, "learn 3"), ({"ranges": {"centre": 3}}, "range 3 of centre"),
                                               ({"ranges": {"centre": (5, 1)}}, "in order"),
                                               ({"ranges": {"centre": (float("nan"), 1)}}, "in order")])
def test_what_is_learned_in_which_range_is_told_in_words(options, said):
    with pytest.raises(UsageError, match=said):
        sc.Bank("gammatone:4", sc.line(1, 8000), **options)


def test_a_bank_that_ran_away_is_not_written(tmp_path):
    bank = sc.Bank("gammatone:4", sc.line(1, 8000), learn="centre")
    with torch.no_grad():
        bank.learned["centre"][1] = torch.nan
    with pytest.raises(SigconvError, match="centre holds NaN"):
        bank.save(tmp_path / "bank.safetensors")
    assert not list(tmp_path.iterdir())
