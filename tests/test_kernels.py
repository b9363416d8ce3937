"""The families: parity with scipy, the facts that each declares, and gradients."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv import kernels as K
from sigconv.errors import UsageError
from sigconv.kernels import FAMILIES
from sigconv.kernels.__main__ import banks, dimensions, table

GRIDS = {1: [sc.line(1, r) for r in (8000, 22050, 48000)] + [sc.grid(1, step=2, unit="mm")],
         2: [sc.grid(1, 1), sc.grid(1, 1, step=(2, 0.5), unit="mm"),
             sc.Domain((401, 200), (20, Fraction(1, 80)), 0, ("Hz", "s"))],
         3: [sc.grid(1, 1, 1), sc.grid(1, 1, 1, step=(1, 2, 3), unit="mm"),
             sc.Domain((9, 9, 9), (Fraction(1, 25), 1, 1), 0, ("s", "px", "px"))]}
SERVED = [pytest.param(f, like, id=f"{f.name}-{like.ndim}d-{i}") for f in FAMILIES.values() for d in f.dims
          for i, like in enumerate(GRIDS[d])]


@pytest.mark.parametrize(("f", "like"), SERVED)
def test_every_default_fits_every_grid(f, like):
    """Steps that differ, and units that do: what is declared is what study finds (test_kernel_facts measures it on signals)."""
    k = f.function(like)
    assert (k.domain.step, k.domain.unit, k.domain.ndim) == (like.step, like.unit, like.ndim)
    assert k.data.dtype in (np.float64, np.complex128) and np.isfinite(k.data).all()
    declared = f.declared(like.ndim)
    for one in sc.study.filters(k) if len(k.value) < 2 else ():
        got = sc.study.facts(one)
        for fact in ("dc", "norm1", "norm2"):
            if isinstance(declared.get(fact), float):
                assert abs(getattr(got, fact)) == pytest.approx(declared[fact], abs=1e-12), fact
        if declared.get("zero_mean") is True:
            assert got.zero_mean
        if isinstance(declared.get("delay"), float):
            assert got.delay == (declared["delay"],) * like.ndim
        if "slope" in declared and like.ndim == 1:
            assert got.slope == pytest.approx(declared["slope"], abs=0.05)
        if "symmetry" in declared:
            assert got.symmetry == declared["symmetry"]


@pytest.mark.parametrize("f", FAMILIES.values(), ids=FAMILIES)
def test_refused_dimensions_say_so_in_a_line(f):
    for d in {1, 2, 3} - set(f.dims):
        with pytest.raises(UsageError, match=rf"^{f.name} on {d} ax.s: {re.escape(f.refused[d])}; it serves ") as why:
            f.function(GRIDS[d][0])
        assert "\n" not in str(why.value) and f.cell(d) == f"refused: {f.refused[d]}"
    with pytest.raises(UsageError, match="wanted the domain"):
        f.function(8000)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_edge_of_a_ramp_is_its_slope(ndim):
    """Later minus earlier: a ramp of slopes 1, 2, 3 a step gives these, in this order, sign and all."""
    ramp = sum((axis + 1.0) * at for axis, at in enumerate(np.indices((6,) * ndim)))
    x = sc.Signal(ramp, sc.Domain((6,) * ndim))
    got = sc.convolve(x, K.edge(x.domain), mode="valid").data.reshape(ndim, -1)
    assert np.array_equal(got, np.broadcast_to(np.arange(1.0, ndim + 1)[:, None], got.shape))


def test_edge_slope_of_the_octaves_below_a_sixteenth_of_the_rate():
    for like in GRIDS[1]:
        k, rate = K.edge(like), like.rate
        tops = rate / 16 / 2.0 ** np.arange(8)
        rise = 20 * np.log10(abs(sc.spectrum.response(k, tops).gain) / abs(sc.spectrum.response(k, tops / 2).gain))
        assert abs(rise - 6.02).max() < 0.05


@pytest.mark.parametrize("n", [1, 2, 3, 31, 52, 513])
@pytest.mark.parametrize("window", ["hamming", "hann", "blackman", "kaiser"])
def test_firwin(n, window):
    from scipy.signal import firwin

    like, theirs = sc.line(1, 48000), ("kaiser", 6.5) if window == "kaiser" else window
    if n == 2 and window in ("hann", "blackman"):  # scipy gives NaN
        with pytest.raises(UsageError, match="wanted 3 or more"):
            K.lowpass(like, 3000, taps=2, window=window)
        return
    for beside, make, cuts, pass_zero in (
            (False, K.lowpass, (3000.0,), True), (True, K.highpass, (3000.0,), False),
            (False, K.bandpass, (300.0, 3400.0), False),
            (True, K.bandstop, (300.0, 3400.0), True)):
        if beside and n % 2 == 0:
            with pytest.raises(UsageError, match=f"take {n + 1}"):
                make(like, *cuts, taps=n)
            continue
        k = make(like, *cuts, taps=n, window=window, beta=6.5)
        wanted = firwin(n, cuts if len(cuts) > 1 else cuts[0], fs=48000, window=theirs, pass_zero=pass_zero)
        assert np.abs(k.data - wanted).max() < 1e-12
        assert k.domain.start == (-((n - 1) // 2),)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_ndimage(ndim):
    from scipy import ndimage

    like = GRIDS[ndim][0] if ndim > 1 else sc.grid(1)
    x = sc.Signal(np.random.default_rng(0).standard_normal((12,) * ndim), sc.grid(*(12,) * ndim))
    for k, theirs in ((K.gaussian(like, 1.3), ndimage.gaussian_filter(x.data, 1.3, mode="constant")),
                      (K.laplace(like), ndimage.laplace(x.data, mode="constant")),
                      (K.box(like, 5), ndimage.uniform_filter(x.data, 5, mode="constant")),
                      (K.sharpen(like, 0.7), x.data - 0.7 * ndimage.laplace(x.data, mode="constant"))):
        assert np.abs(sc.convolve(x, k).data - theirs).max() < 1e-12


def test_gaussian_on_steps_that_differ():
    from scipy import ndimage

    x = sc.Signal(np.random.default_rng(0).standard_normal((20, 30)), sc.grid(20, 30, step=(2, 0.5), unit="mm"))
    ours = sc.convolve(x, K.gaussian(x.domain, 2.0)).data
    assert np.abs(ours - ndimage.gaussian_filter(x.data, (1, 4), mode="constant")).max() < 1e-12
    assert K.gaussian(x.domain, (4.0, 1.0)).domain.shape == (17, 17)


@pytest.mark.parametrize("width", [1.0, 1.5, 2.0, 3.2, 4.0, 6.999999, 7.0])
def test_box_is_as_wide_as_it_says(width):
    for step in (1, 1 / 8000, 0.1):
        k = K.box(sc.grid(1, step=step, unit="s"), width * step)
        assert k.data.sum() == pytest.approx(1) and np.array_equal(k.data, k.data[::-1])
        assert k.data.max() == pytest.approx(1 / width)


def test_delays():
    like = sc.line(1, 8000)
    assert (K.delay(like, 0.001).domain.start, K.delay(like, 0.001).data.tolist()) == ((8,), [1.0])
    t = np.arange(400) / 8000
    for late in (0.00103, 0.0, -0.00042, 0.02):
        y = sc.convolve(sc.Signal(np.sin(2 * np.pi * 700 * t), sc.line(400, 8000)), K.delay(like, late)).data
        assert np.abs(y - np.sin(2 * np.pi * 700 * (t - late)))[220:300].max() < 1e-4
    assert K.delay(sc.grid(1, 1), (3, -2)).domain.start == (3, -2)
    assert K.delay(sc.grid(1, 1), 5).domain.start == (0, 5)


def test_echo_room_and_note_are_what_they_say():
    k = K.echo(sc.line(1, 1000), 0.05, 0.3, 4)
    assert {i: round(v, 12) for i, v in enumerate(k.data) if v} == {0: 1, 50: 0.3, 100: 0.09, 150: 0.027, 200: 0.0081}
    assert K.echo(sc.line(1, 1000), 0.05, repeats=0).data.tolist() == [1]
    room = K.room(sc.line(1, 48000), 1.0, seed=3)
    assert np.array_equal(room.data, K.room(sc.line(1, 48000), 1.0, seed=3).data)
    assert not np.array_equal(room.data, K.room(sc.line(1, 48000), 1.0, seed=4).data)
    level = [10 * np.log10(np.mean(room.data[a:a + 4800] ** 2)) for a in (1, 4800 * 5)]
    assert level[0] - level[1] == pytest.approx(30, abs=1)  # half of T60 later: half of 60 dB
    note = K.note(sc.line(1, 16000), "Ab6", 0.1)
    gain = np.abs(sc.spectrum.response(note, [1661.22, -1661.22, 1600.0, 1720.0]).gain)
    assert gain[0] == max(gain) and gain[1] < 1e-4 and np.linalg.norm(note.data) == pytest.approx(1)
    assert note.data.size == 2 * (0.1 * 16000 // 2 - 1) + 1


def test_reached_is_what_the_response_shows():
    like = sc.line(1, 48000)
    for make, cuts in ((K.lowpass, (4000,)), (K.highpass, (4000,)), (K.bandpass, (4000, 12000)), (K.bandstop, (4000, 12000))):
        k = make(like, *cuts, taps=301, window="kaiser", beta=7.0)
        r = K.reached(k)
        for band, low, high in ((r.passband, 10 ** (-r.ripple / 20) * 0.999, 10 ** (r.ripple / 20) * 1.001),
                                (r.stopband, 0, 1.02 * 10 ** (-r.attenuation / 20))):
            for a, b in band:
                gain = np.abs(sc.spectrum.response(k, np.linspace(a, b, 400)).gain)
                assert low <= gain.min() and gain.max() <= high
        assert 68 < r.attenuation < 76  # Kaiser: A = β/0.1102 + 8.7 = 72 dB
        assert r.transition == pytest.approx((72 - 7.95) / 14.36 / 301 * 48000, rel=0.1)
    with pytest.raises(UsageError, match="nowhere"):
        K.reached(K.identity(like))
    with pytest.raises(UsageError, match="one filter on a line"):
        K.reached(K.edge(sc.grid(1, 1)))


@pytest.mark.parametrize("ndim", [2, 3])
def test_filters_in_space(ndim):
    like = GRIDS[ndim][0]
    low, high = K.lowpass(like, 0.2, taps=15), K.highpass(like, 0.2, taps=15)
    line = K.lowpass(sc.grid(1), 0.2, taps=15).data
    assert np.abs(low.data.sum(axis=tuple(range(1, ndim))) - line).max() < 1e-12
    assert np.abs((low + high).data - np.pad([[1.0]] if ndim == 2 else [[[1.0]]], 7)).max() < 1e-15
    assert np.abs((K.bandpass(like, 0.1, 0.3, taps=15) + K.bandstop(like, 0.1, 0.3, taps=15)).data).sum() == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(st.floats(1, 40), st.floats(-720, 720), st.floats(-720, 720), st.sampled_from([*GRIDS[2], *GRIDS[3]]))
def test_a_path_is_whole_however_it_lies(steps, angle, elevation, like):
    """Taps of 0 and more that sum to 1, symmetric, in a box with no empty side; turned by 180° the same."""
    elevation = elevation if like.ndim == 3 else 0.0
    step = float(like.step[-1])
    k = K.motion(like, steps * step, angle, elevation).data
    assert k.min() >= 0 and abs(k.sum() - 1) < 1e-7 and np.abs(k - np.flip(k)).max() < 1e-12
    assert all(np.moveaxis(k, axis, 0)[0].sum() > 0 for axis in range(like.ndim))
    assert np.abs(k - K.motion(like, steps * step, angle + 180, -elevation).data).max() < 1e-9


TENSORS = {
    "delay": (0.00131,), "sharpen": (0.8,), "gaussian": (0.00021,), "box": (0.00052,), "echo": (0.0052, 0.4), "lowpass": (900.0,),
    "highpass": (900.0,), "bandpass": (700.0, 1900.0), "bandstop": (700.0, 1900.0), "note": (800.0, 0.0041), "room": (0.0043,
        0.3),
}


IMAGE, VOLUME, MAP = sc.grid(1, 1), sc.grid(1, 1, 1, step=(1, 2, 1), unit="mm"), GRIDS[2][2]
SHAPES = [  # family, grid, every parameter that is a number
    ("unsharp", IMAGE, {"sigma": 1.1, "amount": 0.8}), ("emboss", VOLUME, {"amount": 0.7}), ("log", IMAGE, {"sigma": 1.1}),
    ("log", VOLUME, {"sigma": 1.3}), ("dog", IMAGE, {"sigma": 0.9, "ratio": 1.7}), ("derivative", IMAGE, {"sigma": 1.1}),
    ("derivative", sc.line(1, 8000), {"sigma": 0.00021}), ("motion", IMAGE, {"length": 5.3, "angle": 33.0}),
    ("motion", VOLUME, {"length": 5.3, "angle": 33.0, "elevation": 21.0}), ("motion", MAP, {"length": 0.07, "angle": 200.0}),
    ("gabor", sc.line(1, 8000), {"frequency": 900.0, "bandwidth": 1.2, "phase": 20.0}),
    ("gabor", IMAGE, {"frequency": 0.21, "bandwidth": 1.2, "angle": 33.0, "phase": 20.0}),
    ("gabor", VOLUME, {"frequency": 0.31, "bandwidth": 1.6, "angle": 33.0, "elevation": 21.0, "phase": 20.0}),
]


@pytest.mark.parametrize("name", TENSORS)
def test_gradients(name):
    options = {"taps": 21} if "taps" in FAMILIES[name].parameters else {}
    sharp(name, sc.line(1, 8000), dict(zip(FAMILIES[name].parameters, TENSORS[name], strict=False)), options)


@pytest.mark.parametrize(("name", "like", "values"), SHAPES, ids=[f"{name}-{like.ndim}d" for name, like, _ in SHAPES])
def test_gradients_of_shapes(name, like, values):
    """All parameters at once, and each alone: the others are then plain numbers."""
    sharp(name, like, values, {})
    for alone, value in values.items():
        import torch

        at = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        made = FAMILIES[name].function(like, **{**values, alone: at}).data
        assert made.requires_grad and np.abs(made.detach().numpy() - FAMILIES[name].function(like, **values).data).max() < 1e-12


def sharp(name, like, values, options):
    """Taps of tensors are those of numbers, in the tensor's precision, and the gradients are right."""
    import torch

    torch.set_num_threads(1)
    f = FAMILIES[name].function
    at = {p: torch.tensor(v, dtype=torch.float64, requires_grad=True) for p, v in values.items()}

    def taps(*shares):
        made = f(like, **{p: v.detach() * s for (p, v), s in zip(at.items(), shares, strict=True)}, **options).data
        made = torch.view_as_real(made) if made.is_complex() else made
        return made.reshape(-1)[:: max(made.numel() // 500, 1)]

    ones = tuple(torch.ones((), dtype=torch.float64, requires_grad=True) for _ in at)
    assert torch.autograd.gradcheck(taps, ones)
    assert np.abs(taps(*ones).detach().abs().sum().item()) > 0
    single = f(like, **{p: v.detach().float() for p, v in at.items()}, **options).data
    assert single.dtype in (torch.float32, torch.complex64)
    if name not in ("delay", "echo"):
        double = f(like, **values, **options).data
        assert np.abs(single.numpy() - double).max() < 1e-3 * np.abs(double).max()


def test_gradients_on_images_and_at_whole_delays():
    import torch

    sigma = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    K.gaussian(sc.grid(1, 1), sigma).data.max().backward()
    assert sigma.grad < 0
    cutoff = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    K.highpass(sc.grid(1, 1), cutoff, taps=9).data.max().backward()
    assert cutoff.grad < 0
    time = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    k = K.delay(sc.grid(1, 1), time)
    assert k.data.shape == (1, 64) and k.data.max().item() == pytest.approx(1)
    (k.data * torch.arange(64)).sum().backward()
    assert time.grad.item() == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize(("call", "words"), [
    (lambda d: K.lowpass(d, 4000), "wanted below 4000, half the rate"), (lambda d: K.lowpass(d, -1), "above 0 Hz"),
    (lambda d: K.bandpass(d, 900, 300), "low below high"), (lambda d: K.bandstop(d, 50), "low=45,high=55"),
    (lambda d: K.bandpass(d, high=2000.0), "bandpass with high 2000 Hz alone: wanted both edges, or neither"),
    (lambda d: K.bandpass(d, "x"), "low 'x': wanted one number"),
    (lambda d: K.lowpass(d, 800, window="haning"), "did you mean 'hann'"),
    (lambda d: K.gaussian(d, 0), "above 0 s"), (lambda d: K.gaussian(d, 1e9), "wanted at most 4194304"),
    (lambda d: K.box(d, 1e-9), "at least 0.000125 s"), (lambda d: K.note(d, 5000), "below 4000 Hz"),
    (lambda d: K.room(d, 0), "at least"),
    (lambda d: K.echo(d, repeats=-1), "repeats -1"), (lambda d: K.sharpen(d, float("nan")), "finite"),
    (lambda d: K.lowpass(d, "loud"), "wanted one number in Hz"), (lambda d: K.delay(d, 1e300), "at most"),
    (lambda d: K.dog(d, ratio=1), "ratio 1: wanted above 1"), (lambda d: K.gabor(d, 5000), "below 4000 Hz"),
    (lambda d: K.gabor(d, bandwidth=0), "bandwidth 0 octaves: wanted above 0 octaves"),
    (lambda d: K.gabor(d, angle=30), "angle 30 on 1 axis: wanted 0, a line has one direction"),
    (lambda d: K.motion(IMAGE, elevation=30), "elevation 30 on 2 axes: wanted 0"),
    (lambda d: K.motion(IMAGE, 0.5), "length 0.5 px: wanted at least 1 px"), (lambda d: K.motion(IMAGE, 1e9), "wanted at most"),
    (lambda d: K.log(IMAGE, -1), "sigma -1 px: wanted above 0 px"), (lambda d: K.gabor(IMAGE, 1e-6), "wanted at most"),
    (lambda d: K.gaussian(MAP, 3), "sigma 3 on axes in Hz and s: wanted one for each, sigma=(y, x)"),
    (lambda d: K.lowpass(MAP, 3), "on axes in Hz and s: wanted one for each"),
    (lambda d: K.lowpass(d, 800, taps=2.5), "whole number"), (lambda d: K.echo(d, 1e-9, repeats=10**9), "at most"),
])
def test_refused_in_one_line(call, words):
    with pytest.raises(UsageError) as why:
        call(sc.line(1, 8000))
    assert words in str(why.value) and "\n" not in str(why.value) and len(str(why.value)) <= 500


@pytest.mark.parametrize(("spec", "like", "wanted"), [
    ("blur:40Hz:25ms", MAP, lambda d: K.gaussian(d, (40, 0.025))), ("blur:2steps", MAP, lambda d: K.gaussian(d, (40, 0.025))),
    ("mean:width=3px:1px", IMAGE, lambda d: K.box(d, (3, 1))), ("blur:3samples", VOLUME, lambda d: K.gaussian(d, (3, 6, 3))),
    ("blur:2mm", VOLUME, lambda d: K.gaussian(d, 2)), ("delay:20Hz:0", MAP, lambda d: K.delay(d, (20, 0))),
    ("delay:0.1", MAP, lambda d: K.delay(d, 0.1)), ("shift:3steps", MAP, lambda d: K.delay(d, 3 / 80)),
    ("echo:3steps", VOLUME, lambda d: K.echo(d, 3)), ("LoG:1.5px", IMAGE, lambda d: K.log(d, 1.5)),
    ("mexicanhat", IMAGE, K.log), ("motion:7,angle=30°", IMAGE, lambda d: K.motion(d, 7, 30)),
    ("motion:7px,30deg", IMAGE, lambda d: K.motion(d, 7, 30)), ("motion:50ms", MAP, lambda d: K.motion(d, 0.05)),
    ("gabor:E6,bandwidth=0.5octaves", GRIDS[1][0], lambda d: K.gabor(d, 1318.51, 0.5)),
    ("gabor:10Hz,angle=45", MAP, lambda d: K.gabor(d, 10, angle=45))])
def test_one_for_each_axis_as_typed(spec, like, wanted):
    k, own = sc.kernel(spec, like), wanted(like)
    assert k.domain == own.domain and np.allclose(k.data, own.data, atol=1e-6)


@pytest.mark.parametrize(("spec", "like", "words"), [
    ("blur:3", MAP, "sigma='3' on axes in Hz and s: wanted one for each, e.g. sigma=40Hz:0.025s or 2steps"),
    ("blur:3", GRIDS[3][2], "on axes in s and px: wanted one for each, e.g. sigma=0.08s:2px:2px or 2steps"),
    ("blur:1:2:3", IMAGE, "wanted one number, or one for each of y : x"),
    ("blur:1ms:2ms", MAP, "wanted a number in Hz or in samples"),
    ("lowpass:5", MAP, "cutoff='5' on axes in Hz and s: wanted one for each"), ("motion:30°", IMAGE, "wanted a number in px"),
    ("motion:angle=30px", IMAGE, "wanted a number in degrees"),
    ("motion", GRIDS[1][0], "motion on 1 axis: on a line it is box; it serves 2 and 3 axes"),
    ("unsharpmask", IMAGE, "the nearest is unsharp"), ("Ricker", IMAGE, "the nearest is log"),
    ("harris", IMAGE, "the nearest is corner"),
    ("differences", IMAGE, "unknown")])
def test_what_is_typed_wrong_is_told_in_a_line(spec, like, words):
    with pytest.raises(UsageError) as why:
        sc.kernel(spec, like)
    assert words in str(why.value) and "\n" not in str(why.value)


def test_kernels_cost_numpy_only():
    code = ("import sys, sigconv.kernels as K, sigconv as sc; [f.function({1: sc.line(1, 8000), 2: sc.grid(1, 1)}[f.dims[0]]) "
            "for f in K.FAMILIES.values()]; "
            "sys.exit(any(m in sys.modules for m in ('scipy', 'torch', 'matplotlib', 'librosa', 'soundfile', 'PIL')))")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_table_in_the_docs_is_the_register():
    page = (Path(__file__).parents[1] / "docs" / "kernels.md").read_text(encoding="utf-8")
    assert table() in page and dimensions() in page and banks() in page


def test_reached_of_no_signal_is_said_so():
    with pytest.raises(UsageError, match="reached of a int: wanted a Signal"):
        K.reached(5)
