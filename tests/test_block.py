"""Block and its stages: four of them on one, two and three axes, each heard and seen; normalisers and pools by their laws."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv import spectra as sp


@pytest.fixture(autouse=True)
def closed():
    yield
    from matplotlib import pyplot

    pyplot.close("all")


LINE = sc.line(900, 8000)
GRIDS = {1: LINE, 2: sc.grid(20, 24), 3: sc.grid(8, 9, 10, step=2, unit="mm")}
KINDS = {"mean": {}, "max": {}, "rms": {}, "lp": {"p": 3}, "lse": {"b": 2.0}}


def signal(d, seed=0, channels=2):
    return sc.Signal(np.random.default_rng(seed).normal(size=(channels, *d.shape)), d)


def block(d):
    return sc.Block(sp.local_contrast, sc.kernel("edge", d), sc.chain.relu, partial(sp.pool, kind="max", size=2))


@pytest.mark.parametrize("dim", GRIDS)
def test_four_stages_on_three_dimensions_are_heard_and_seen(dim, tmp_path):
    x, b = signal(GRIDS[dim], channels=1), block(GRIDS[dim])
    stages = b.stages(x)
    assert list(stages) == ["normalise", "bank", "nonlinearity", "pool"]
    assert np.array_equal(b(x).data, stages["pool"].data) and b(x).domain == stages["pool"].domain
    picture = {1: sc.see.signal, 2: sc.see.image, 3: sc.see.volume}[dim]
    for name, y in stages.items():
        sound = sc.hear.audible(y)
        sc.save(sound, tmp_path / f"{name}.wav")
        back = sc.load(tmp_path / f"{name}.wav")
        assert back.domain.size > 0 and np.isfinite(back.data).all() and np.ptp(back.data) > 0
        picture(y).figure.savefig(tmp_path / f"{name}.png")
    assert len(list(tmp_path.glob("*.wav"))) == 4
    t = b(x.to("torch"))
    assert isinstance(t.data, torch.Tensor) and np.allclose(t.data.numpy(), b(x).data)


@pytest.mark.parametrize("make", [sp.stft, sp.melspectrogram, sp.log_mel, sp.mfcc, sp.chroma_stft, sp.onset_strength, sp.cqt],
                         ids=repr)
def test_every_stage_of_a_spectrum_is_heard_and_seen(make):
    t = np.arange(11025) / 22050
    x = sc.Signal(np.sin(2 * np.pi * 440 * t)[None], sc.line(11025, 22050))
    for y in make.block().stages(x).values():
        assert np.ptp(sc.hear.audible(y).data) > 0
        ax = (sc.see.image if y.domain.ndim == 2 else sc.see.signal)(y)
        assert any("time" in panel.get_xlabel() or "(s)" in panel.get_xlabel() for panel in ax.figure.axes)


def test_maps_sound_at_their_own_frequencies():
    t = np.arange(22050) / 22050
    x = sc.Signal(np.sin(2 * np.pi * 440 * t)[None], sc.line(22050, 22050))
    for S, cents in ((sp.magnitude(sp.stft(x)), 40), (sp.melspectrogram(x), 70), (sp.log_mel(x), 70), (sp.cqt(x), 10),
                     (sp.chroma_stft(x), 10)):
        sound = sc.hear.audible(S)
        power = np.abs(np.fft.rfft(sound.data[0] * np.hanning(sound.data.shape[1])))
        heard = power[2:].argmax() + 2
        assert abs(1200 * np.log2(heard * sound.rate / sound.data.shape[1] / 440)) < cents
        assert sound.domain.extent[0][1] == pytest.approx(float(S.domain.extent[1][1]), abs=0.05)
    assert np.allclose(sc.hear.audible(sp.stft(x)).data, x.data)  # frames know the way back


def test_axes_tell_hertz_and_notes():
    x = sc.Signal(np.random.default_rng(0).normal(size=(1, 11025)), sc.line(11025, 22050))
    said = {}
    for name, S in (("mel", sp.log_mel(x)), ("octave", sp.magnitude(sp.cqt(x))), ("chroma", sp.chroma_stft(x))):
        ax = sc.see.image(S)
        ax.figure.canvas.draw()
        said[name] = ax.get_ylabel(), {label.get_text() for label in ax.get_yticklabels()}
    assert said["mel"][0] == "frequency (Hz, even in mel)" and {"500", "1k", "8k"} <= said["mel"][1]
    assert said["octave"][0] == "frequency (even in octaves)" and {"C2", "C4"} <= said["octave"][1]
    assert said["chroma"][0] == "pitch class" and {"C", "F♯", "B"} <= said["chroma"][1]


def test_a_block_is_a_stage_and_a_kernel_is_a_bank():
    x, k = signal(LINE), sc.kernel("edge", LINE)
    inner = sc.Block(bank=k)
    outer = sc.Block(bank=inner, nonlinearity=sc.chain.relu)
    assert np.array_equal(outer(x).data, np.maximum((x @ k).data, 0))
    assert sc.Block()(x) is x and sc.Block().stages(x) == {}
    logs = sp.log_mel.block(n_fft=256, n_mels=8)
    assert np.allclose(logs(x).data, sp.decibels(sp.melspectrogram(x, n_fft=256, n_mels=8)).data)


@pytest.mark.parametrize("words, run", [
    ("a str as bank of a Block", lambda x: sc.Block(bank="edge")),
    ("a Signal as pool of a Block", lambda x: sc.Block(pool=x)),
    ("a ndarray to a Block", lambda x: sc.Block()(x.data) or sc.Block(sp.standardise)(x.data)),
    ("the nonlinearity of a Block gave a ndarray", lambda x: sc.Block(nonlinearity=lambda y: y.data)(x)),
    ("pool 'median'", lambda x: sp.pool(x, "median")),
    ("complex samples: they have no order", lambda x: sp.pool(x * 1j)),
    ("indices of pool 'mean'", lambda x: sp.pool(x, "mean", return_indices=True)),
    ("p 0: wanted above 0", lambda x: sp.pool(x, "lp", p=0)),
    ("indices of shape", lambda x: sp.unpool(x, np.zeros((1, 2), int), x.domain)),
    ("wanted the domain of the signal before", lambda x: sp.unpool(*sp.pool(x, return_indices=True), sc.line(3, 8000))),
    ("over 'frequency': wanted of time, channel, 0", lambda x: sp.standardise(x, ["frequency"])),
    ("to be normalised: wanted a Signal", lambda x: sp.local_mean(x.data)),
    ("reach 0", lambda x: sp.whiten(x, 0)),
])
def test_what_is_refused(words, run):
    with pytest.raises(sc.SigconvError) as told:
        run(signal(LINE))
    assert words in str(told.value)


@given(n=st.integers(1, 30), size=st.integers(1, 7), stride=st.integers(1, 9), kind=st.sampled_from(sorted(KINDS)),
       start=st.integers(-5, 5))
def test_pools_are_their_sums_and_keep_time(n, size, stride, kind, start):
    x = signal(sc.line(n, 10, start=start), n)
    y = sp.pool(x, kind, size, stride, **KINDS[kind])
    begins = range(0, n - size + 1, stride)
    assert y.domain.shape == (len(begins),)
    exact = {"mean": lambda w: w.mean(-1), "max": lambda w: w.max(-1), "rms": lambda w: np.sqrt((w**2).mean(-1)),
             "lp": lambda w: (abs(w) ** 3).sum(-1) ** (1 / 3), "lse": lambda w: np.log(np.exp(2 * w).mean(-1)) / 2}[kind]
    for j, i in enumerate(begins):
        assert np.allclose(y.data[:, j], exact(x.data[:, i: i + size]), rtol=1e-12, atol=1e-14)
        assert y.coordinates()[j] == pytest.approx(np.mean(x.coordinates()[i: i + size]), abs=1e-12)
    t = sp.pool(x.to("torch"), kind, size, stride, **KINDS[kind])
    assert t.domain == y.domain and np.allclose(t.data.numpy(), y.data, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dim", GRIDS)
def test_limits_of_pools(dim):
    x, n = sp.magnitude(signal(GRIDS[dim])), 3**dim
    pooled = partial(sp.pool, x, size=3)
    most, mean = pooled("max").data, pooled("mean").data
    assert np.allclose(pooled("lp", p=1).data, mean * n)
    assert np.all(np.abs(pooled("lp", p=200).data / most - 1) <= np.log(n) / 200 * 1.01)  # at most n equal ones: n^(1/p)
    if dim == 1:
        assert np.all(np.abs(pooled("lp", p=200).data / most - 1) <= 0.01)
    assert np.allclose(pooled("lse", b=1e5).data, most, atol=1e-3)
    assert np.allclose(pooled("lse", b=1e-9).data, mean, atol=1e-8) and np.array_equal(pooled("lse", b=0).data, mean)
    assert np.allclose(pooled("lse", b=-1e5).data, -sp.pool(-x, "max", 3).data, atol=1e-3)
    assert np.isfinite(sp.pool(1e200 * x, "lp", 3, p=50.0).data).all()
    assert np.all(sp.pool(0 * x, "lp", 3).data == 0)


@pytest.mark.parametrize("dim", GRIDS)
@pytest.mark.parametrize("size, stride", [(2, None), (3, 2)])
def test_unpool_puts_back_what_max_chose(dim, size, stride):
    x = signal(GRIDS[dim])
    pools = {1: torch.nn.functional.max_pool1d, 2: torch.nn.functional.max_pool2d, 3: torch.nn.functional.max_pool3d}
    theirs, places = pools[dim](torch.from_numpy(x.data), size, stride, return_indices=True)
    for given_ in (x, x.to("torch")):
        y, at = sp.pool(given_, "max", size, stride, return_indices=True)
        assert np.array_equal(np.asarray(y.data), theirs.numpy()) and np.array_equal(np.asarray(at), places.numpy())
        back = sp.unpool(y, at, x.domain)
        data = np.asarray(back.data)
        kept = data != 0
        assert back.domain == x.domain and np.array_equal(data[kept], x.data[kept])
        assert sp.lost(x, back) == pytest.approx(10 * np.log10((x.data[~kept] ** 2).sum() / (x.data**2).sum()))
    assert sp.lost(x, x) == -np.inf


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_pools_and_normalisers(kind):
    d = sc.grid(4, 6)
    data = torch.randn(1, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    pooled = partial(sp.pool, kind=kind, size=2, **KINDS[kind])
    assert torch.autograd.gradcheck(lambda v: pooled(sc.Signal(v, d)).data, data)
    for f in (sp.standardise, partial(sp.local_mean, sigma=0.5), partial(sp.local_contrast, sigma=0.5, floor=0.1)):
        assert torch.autograd.gradcheck(lambda v, f=f: f(sc.Signal(v, d)).data, data)
    for f in (pooled, sp.standardise, sp.local_contrast, sp.magnitude, sp.unit):
        silence = torch.zeros(1, 4, 6, dtype=torch.float64, requires_grad=True)
        f(sc.Signal(silence, d)).data.sum().backward()
        assert torch.isfinite(silence.grad).all()


@pytest.mark.parametrize("over, axes", [(None, (2, 3)), (["y"], (2,)), (["channel", "x"], (1, 3)), ([0, "y", "x"], (0, 2, 3)),
                                        ("x", (3,))])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_statistics_over_the_named_axes(over, axes, dtype):
    """Mean 0 and deviation 1 within 1e-5 (batch, layer and instance normalisation are names of axes)."""
    data = np.random.default_rng(0).normal(3, 7, size=(4, 3, 9, 11)).astype(dtype)
    y = sp.standardise(sc.Signal(data, sc.grid(9, 11)), over)
    assert np.abs(y.data.mean(axes)).max() < 1e-5 and np.abs(y.data.std(axes) - 1).max() < 1e-5
    z = sp.standardise(sc.Signal(data, sc.grid(9, 11)), over, gain=2, offset=5)
    assert np.abs(z.data.mean(axes) - 5).max() < 2e-5 and np.abs(z.data.std(axes) - 2).max() < 2e-5
    theirs = torch.nn.functional.instance_norm(torch.from_numpy(data.astype(float)), eps=0)
    if over is None:
        assert np.abs(y.data - theirs.numpy()).max() < 1e-5
    flat = sp.standardise(sc.Signal(np.full((2, 9, 11), 0.1, dtype), sc.grid(9, 11)), offset=1)
    assert np.all(flat.data == 1)


@pytest.mark.parametrize("dim", GRIDS)
def test_local_normalisers(dim):
    d = GRIDS[dim]
    x = signal(d)
    constant = sc.Signal(np.full((1, *d.shape), 3.0), d)
    assert np.abs(sp.local_mean(constant).data).max() < 1e-12 and np.abs(sp.local_contrast(constant).data).max() < 1e-6
    assert np.allclose(sp.local_mean(x + sc.Signal(np.full(x.data.shape, 5.0), d)).data, sp.local_mean(x).data)
    assert np.allclose(sp.local_contrast(1000 * x).data, sp.local_contrast(x).data)
    ramp = sc.Signal(x.data * np.linspace(0.1, 10, d.shape[-1]), d)
    half = d.shape[-1] // 2
    before = ramp.data[..., half:].std() / ramp.data[..., :half].std()
    y = sp.local_contrast(ramp, tuple(float(step) for step in d.step), floor=1e-6).data
    after = y[..., half:].std() / y[..., :half].std()
    assert before > 2.5 and abs(after - 1) < 0.25 * (before - 1)


@pytest.mark.parametrize("dim", GRIDS)
def test_whitening_makes_neighbours_unlike(dim):
    d = {1: sc.line(4000, 8000), 2: sc.grid(80, 90), 3: sc.grid(24, 26, 28)}[dim]
    coloured = sc.convolve(signal(d), sc.kernels.gaussian(d, tuple(0.7 * float(step) for step in d.step)))

    def alike(x):
        a = np.moveaxis(x.data, -1, 0)
        return float(np.corrcoef(a[:-1].ravel(), a[1:].ravel())[0, 1])

    white = sp.whiten(coloured, 8 if dim == 1 else 4, floor=1e-4)
    assert alike(coloured) > 0.4 and abs(alike(white)) < 0.3 * alike(coloured)
    assert np.mean(white.data**2) == pytest.approx(np.mean(coloured.data**2), rel=0.25)
    k = sp.whiten(coloured, 4, kernel=True)
    assert np.allclose(k.data, k.reverse().data) and k.domain.start == (-4,) * dim
    assert np.array_equal(sp.whiten(0 * coloured).data, 0 * coloured.data)


def test_empty_signals_stay_empty():
    x = sc.Signal(np.zeros((2, 0)), sc.line(0, 8000))
    for f in (sp.local_mean, sp.local_contrast, sp.standardise, sp.whiten, sp.pool, sp.magnitude, sp.power, sp.decibels, sp.unit,
              sp.pcen):
        assert f(x).data.shape == (2, 0)
