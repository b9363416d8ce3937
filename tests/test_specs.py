"""The grammar of kernels: what it reads, what it refuses and how, and that nothing else comes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import REAL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv import kernels as K
from sigconv.errors import SigconvError, UsageError
from sigconv.specs import kernel, names, slug

SOUND, IMAGE = sc.line(1, 16000), sc.grid(1, 1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def equal(a, b):
    return a.domain == b.domain and a.value == b.value and np.allclose(a.data, b.data, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("spec", "made"), [
    ("edge", lambda d: K.edge(d)), (" edge ", lambda d: K.edge(d)), ("gradient", lambda d: K.edge(d)),
    ("EDGE", lambda d: K.edge(d)), ("LowPass:Cutoff=800,window=Hann", lambda d: K.lowpass(d, 800, window="hann")),
    ("bandpass:500,2k", lambda d: K.bandpass(d, 500, 2000)), ("bandpass:500,2k,31", lambda d: K.bandpass(d, 500, 2000, 31)),
    ("bandpass:500,high=2k", lambda d: K.bandpass(d, 500, 2000)), ("note:A4,50ms", lambda d: K.note(d, 440, 0.05)),
    ("blur:3samples", lambda d: K.gaussian(d, 3 / 16000)), ("box:5steps", lambda d: K.box(d, 5 / 16000)),
    ("lowpass:800hz", lambda d: K.lowpass(d, 800)),
    ("blur", lambda d: K.gaussian(d)),
    ("lowpass:cutoff=800,taps=513", lambda d: K.lowpass(d, 800, 513)), ("lowpass:800", lambda d: K.lowpass(d, 800)),
    ("lowpass: 1.5k , taps = 31", lambda d: K.lowpass(d, 1500, 31)), ("lowpass:1.5kHz", lambda d: K.lowpass(d, 1500)),
    ("lowpass:800Hz", lambda d: K.lowpass(d, 800)), ("lowpass:A5,taps=31", lambda d: K.lowpass(d, 880, 31)),
    ("lowpass:8e2,window=kaiser,beta=5,taps=9", lambda d: K.lowpass(d, 800, 9, window="kaiser", beta=5)),
    ("delay:2ms", lambda d: K.delay(d, 0.002)), ("delay:500us", lambda d: K.delay(d, 0.0005)),
    ("delay:500µs", lambda d: K.delay(d, 0.0005)),
    ("delay:0.5s", lambda d: K.delay(d, 0.5)), ("delay:12samples", lambda d: K.delay(d, 12 / 16000)),
    ("delay:-1ms", lambda d: K.delay(d, -1e-3)),
    ("echo:delay=0.1,decay=.7,repeats=2", lambda d: K.echo(d, 0.1, 0.7, 2)), ("note:A4", lambda d: K.note(d, 440)),
    ("note:Ab6,duration=50ms", lambda d: K.note(d, "Ab6", 0.05)), ("note:1661", lambda d: K.note(d, 1661)),
    ("note:F#3", lambda d: K.note(d, "F#3")), ("room:t60=0.2,seed=4", lambda d: K.room(d, 0.2, seed=4)),
    ("edge:", lambda d: K.edge(d)),
    ("blur*edge", lambda d: sc.cascade(K.gaussian(d), K.edge(d))), ("[2] * edge", lambda d: K.edge(d) * 2),
    ("delay:1ms*delay:2ms", lambda d: K.delay(d, 0.003)),
])
def test_families(spec, made):
    assert equal(kernel(spec, SOUND), made(SOUND))
    assert equal(kernel(spec, sc.Signal(np.zeros((1, 1)), SOUND)), made(SOUND))


def test_units_are_those_of_the_axis():
    assert equal(kernel("blur:3px", IMAGE), K.gaussian(IMAGE, 3))
    assert equal(kernel("blur:3PX", IMAGE), K.gaussian(IMAGE, 3))
    assert equal(kernel("lowpass:0.1", IMAGE), K.lowpass(IMAGE, 0.1))
    volume = sc.grid(1, 1, 1, step=2, unit="mm")
    assert equal(kernel("blur:3mm", volume), K.gaussian(volume, 3))
    for spec, like, words in (("blur:3px", SOUND, "a number in s or in samples, e.g. 3samples"),
                              ("blur:3ms", IMAGE, "a number in px"),
    ("lowpass:A4", IMAGE, "in 1/px"),
                              ("blur:3", sc.line(1, 16000, unit="ms"), None)):
        if words:
            with pytest.raises(UsageError, match=words):
                kernel(spec, like)
        else:
            assert kernel(spec, like).domain.unit == ("ms",)


@pytest.mark.parametrize(("spec", "like", "taps"), [
    ("-1,0,1", SOUND, [-1, 0, 1]), (" -1 , 0, +1.5e-1", SOUND, [-1, 0, 0.15]), ("[1, 2]", SOUND, [1, 2]),
    ("[0.5]", SOUND, [0.5]), (".5,1.,2", SOUND,
     [0.5, 1, 2]), ("[[0,1,0],\n[1,-4,1], [0,1,0]]", IMAGE, [[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
     ("[[1,2,3,4]]", IMAGE, [[1, 2, 3, 4]]),
    ("1/3,1/3, 1 / 4", SOUND, [1 / 3, 1 / 3, 0.25]), ("[[1/9,-2/9]]", IMAGE, [[1 / 9, -2 / 9]]), ("-1e1/4,1", SOUND, [-2.5, 1]),
    ([1, 2, 3], SOUND, [1, 2, 3]), (np.eye(3), IMAGE, np.eye(3)), ((1, 2), SOUND, [1, 2]), ([1j, 2], SOUND, [1j, 2]),
])
def test_typed_taps_are_centred(spec, like, taps):
    k = kernel(spec, like)
    assert np.array_equal(k.data, taps) and k.value == ()
    assert k.domain.start == tuple(-((n - 1) // 2) for n in np.shape(taps)) and k.domain.step == like.step


def test_files(folder):
    like = sc.line(1, 16000)
    np.save("taps.npy", [1.0, 2.0, 3.0, 4.0])
    np.save("bank.npy", np.arange(10.0).reshape(2, 5))
    np.save("layer.npy", np.arange(24.0).reshape(4, 2, 3))
    Path("taps.json").write_text("[1, 2, 3, 4]")
    Path("taps.csv").write_text("# from a course\n1\n2\n3\n4\n")
    Path("row.csv").write_text("1, 2, 3, 4\n")
    Path("square.csv").write_text("0,1,0\n1,-4,1\n0,1,0\n")
    for name in ("taps.npy", "taps.json", "taps.csv", "row.csv", "./taps.npy", str(folder / "taps.json")):
        assert equal(kernel(name, like), sc.Signal([1.0, 2.0, 3.0, 4.0], sc.line(4, 16000, -1)))
    assert kernel("bank.npy", like).value == (2,) and kernel("layer.npy", like).value == (4, 2)
    assert equal(kernel("square.csv", IMAGE), K.laplace(IMAGE))
    with pytest.raises(UsageError, match="taps of 2 axes on a signal of 1"):
        kernel("square.csv", like)
    sc.save(K.edge(IMAGE), "edge.npz")
    assert equal(kernel("edge.npz", IMAGE), K.edge(IMAGE)) and kernel("edge.npz", IMAGE).channels == ("y", "x")


def test_sound_files_begin_at_0_and_keep_their_rate(folder):
    rng = np.random.default_rng(0)
    mono, pair = (sc.Signal(rng.uniform(-1, 1, (c, 800)).astype(np.float32), sc.line(800, 16000)) for c in (1, 2))
    sc.save(mono, "mono.wav")
    sc.save(pair, "pair.wav")
    k, bank = kernel("mono.wav", SOUND), kernel("pair.wav", SOUND)
    assert k.value == () and k.domain.start == (0,) and np.array_equal(k.data, mono.data[0])
    assert bank.value == (2,) and np.array_equal(bank.data, pair.data)
    other = kernel("mono.wav", sc.line(1, 44100))
    assert other.rate == 16000
    with pytest.raises(SigconvError, match="resample"):
        sc.convolve(sc.Signal(np.zeros((1, 10)), sc.line(10, 44100)), other)
    cut = kernel("pair.wav@0.01-0.02", SOUND)
    assert cut.domain == sc.line(160, 16000) and np.array_equal(cut.data, pair.data[:, 160:320])
    sc.save(mono, "odd@0.1-0.2.wav")
    assert kernel("odd@0.1-0.2.wav", SOUND).domain.shape == (800,)
    for spec, words in (("mono.wav@0.02-0.01", "beginning before the end"), ("mono.wav@1-2", "ends at 0.05 s"),
    ("none.wav@0-1", "no such file"),
                        ("none.wav", "no such file"), (str(folder), "folder"), ("no/such/folder.npy", "no such file")):
        with pytest.raises(SigconvError, match=words):
            kernel(spec, SOUND)
    with pytest.raises(UsageError, match="1 axis on a signal of 2"):
        kernel("mono.wav", IMAGE)


def test_an_existing_file_of_the_whole_name_wins(folder):
    np.save("blur*edge.npy", [1.0, 5.0, 1.0])
    assert kernel("blur*edge.npy", SOUND).data.tolist() == [1, 5, 1]
    Path("edge").write_text("no kernel")
    assert kernel("edge", SOUND).data.tolist() == [1, -1]
    assert slug("blur*edge.npy") == "blur-edge"


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real recordings")
def test_a_motif_of_a_real_recording():
    k = kernel(f"{REAL}/audio/trumpet.ogg@0.20-0.35", sc.line(1, 44100))
    whole = sc.load(REAL / "audio" / "trumpet.ogg")
    assert np.array_equal(k.data, whole.data[:, 8820:15435]) and k.domain.start == (0,)


@pytest.mark.parametrize(("spec", "like", "words"), [
    ("egde", SOUND, "did you mean 'edge'"), ("EGDE:3", SOUND, "did you mean 'edge'"),
    ("low-pass", SOUND, "did you mean 'lowpass'"),
    ("notch:50", SOUND, "bandstop:45,55"), ("bandstop:50", SOUND, "bandstop with low 50 Hz alone: wanted both edges, or neither"),
    ("bandpass:high=2k", SOUND, "low=1800,high=2200"), ("sobel", IMAGE, "[[-1,0,1],[-2,0,2],[-1,0,1]]"),
    ("Median:3", IMAGE, "not linear"), ("eq", SOUND, "bandpass:500,2000"), ("moving average", SOUND, "the nearest is box"),
    ("edge,blur", SOUND, "edge*blur for one after the other, --kernel twice"),
    ("edge + blur:3samples", SOUND, "edge*blur:3samples"),
    ("edge,lowpass:800,taps=31", SOUND, "edge*lowpass:800"), ("lowpass:800,edge", SOUND, "two kernels"),
    ("lowpass:800,800Hz", SOUND, "taps='800Hz': wanted a whole number"),
    ("1/3", SOUND, "for a gain write [1/3]"), ("1/0,1", SOUND, "entry 1 is '1/0'"), ("[1/0]", SOUND, "numbers"),
    ("1/2/3,1", SOUND, "entry 1"), ("[" + "9" * 10**6 + "/", SOUND, "numbers"),
    ("1e300/1e-300,1", SOUND, "infinite value at tap 0"),
 ("zzzz", SOUND, "names: bandpass"), ("", SOUND, "an empty kernel"),
    ("lowpass:cutof=800", SOUND, "did you mean 'cutoff'? it takes cutoff (Hz), taps (count)"),
    ("lowpass:cutoff=loud", SOUND, "cutoff='loud': wanted a number in Hz"), ("lowpass:9k", SOUND, "wanted below 8000"),
    ("lowpass:800,taps=11,taps=13", SOUND, "'taps' twice"), ("lowpass:taps=11,800", SOUND, "'800' stands alone"),
    ("edge:3", SOUND, "it takes no parameters"), ("note:H9", SOUND, "wanted a note (A4) or a number in Hz"),
    ("note:A4", IMAGE, "note on 2 axes"), ("highpass:800,taps=10", SOUND, "take 11"), ("2*edge", SOUND, "write [2]"),
    ("blur*", SOUND, "both"),
    ("[1,NaN]", SOUND, "NaN at tap 1"), ("[1,-Infinity]", SOUND, "infinite value at tap 1"), ("[1e999]", SOUND, "infinite"),
    ("1,2,1e400", SOUND, "infinite value at tap 2"), ("[[1,2],[3]]", IMAGE, "every row as long"), ("[]", SOUND, "no taps"),
    ("[[]]", IMAGE, "no taps"),
    ("[[1,2],[3,4]]", SOUND, "wanted one list"), ("[[1,2],[3,4]]", SOUND, "a signal of 2 axes (an image, or --dims 2)"),
    ("1,2,3", IMAGE, "taps of 1 axis on a signal of 2"), (np.ones((2, 2, 3, 3)), SOUND, "2 or 3 axes (an image, or --dims 2)"),
    (np.ones((2,) * 6), SOUND, "taps of fewer axes"),
    ("1,2,3", IMAGE, "[[-1,0,1]]"), ("[" * 50000, SOUND, "at most 5 brackets"),
    ("[" + "9" * 6000 + "]", SOUND, "too long"), ('["a"]', SOUND, "numbers"), ("[true,null]", SOUND, "numbers"),
    ('[{"a":1}]', SOUND, "brackets"),
    ("1,2,x", SOUND, "entry 3"), ("[1,2", SOUND, "at character"),
    ("gaussian:1e9", SOUND, "at most 4194304"), ("x" * 100000, SOUND, "unknown"), ("-", SOUND, "unknown"),
    ("\0", SOUND, "unknown"),
    ("room:t60=1e9", SOUND, "at most"), ("room:t60=200*room:t60=200", SOUND, "at most"), ("__import__('os')", SOUND, "unknown"),
    (None, SOUND, "wanted a full box"), (np.array([1, np.nan]), SOUND, "NaN at tap 1"), (np.zeros((2, 0)), IMAGE, "no taps"),
    ("edge*" * 40 + "edge", IMAGE, "at most"), ("echo:decay=1e300,repeats=9,delay=1samples", SOUND, "infinite"),
])
def test_refusals_are_one_line_with_the_cure(spec, like, words):
    with pytest.raises(UsageError) as why:
        kernel(spec, like)
    said = str(why.value)
    assert words in said and said.isprintable() and len(said) <= 500, said
    assert why.value.exit_code == 2


def test_signals_pass_and_are_checked():
    k = K.edge(SOUND)
    assert kernel(k, SOUND) is k
    bad = sc.Signal(np.array([[0.0, 1.0], [2.0, np.inf]]), sc.line(2, 16000))
    for signal, words in ((bad, "infinite value at tap 1, 1"), (K.edge(IMAGE), "2 axes on a signal of 1"),
                          (sc.Signal(np.ones((2, 2, 2, 3)), sc.line(3, 16000)), "value"),
                          (sc.Signal(np.zeros(0), sc.line(0, 16000)), "no taps")):
        with pytest.raises(UsageError, match=words):
            kernel(signal, SOUND)
    with pytest.raises(UsageError, match="domain"):
        kernel("edge", 16000)
    with pytest.raises(UsageError, match=r"kernel 'edge': wanted also the domain .* sc.kernel\('edge', x\)"):
        kernel("edge")
    with pytest.raises(UsageError, match=r"sc.kernel\(taps, x\)"):
        kernel([1, 2, 3])


def test_a_guess_comes_alone():
    for spec, there in (("egde", False), ("reverb2", False), ("sobel", False), ("zzzz", True)):
        with pytest.raises(UsageError) as why:
            kernel(spec, SOUND)
        assert ("names: bandpass" in str(why.value)) == there


def test_arrays_follow_the_rule_of_their_files(folder):
    rng = np.random.default_rng(0)
    for like, shapes in ((SOUND, [(5,), (4, 5), (4, 2, 5)]), (IMAGE, [(3, 4), (2, 3, 4), (6, 3, 3, 3)]),
                         (sc.grid(1, 1, 1), [(2, 1, 3, 3, 3)])):
        for shape in shapes:
            data = rng.standard_normal(shape)
            np.save("taps.npy", data)
            k = kernel(data, like)
            assert equal(k, kernel("taps.npy", like)) and k.value == shape[: len(shape) - like.ndim]
            assert k.domain.start == tuple(-((n - 1) // 2) for n in shape[len(shape) - like.ndim:])
    assert kernel([[1, 2, 3], [4, 5, 6]], SOUND).value == (2,)


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_layer_of_torch_is_a_kernel_to_correlate_with(size, dims):
    import torch

    torch.manual_seed(size)
    conv = (torch.nn.Conv1d, torch.nn.Conv2d)[dims - 1](3, 4, size, padding="same", bias=False)
    shape = (17, 12)[:dims]
    image = sc.Signal(torch.randn(3, *shape), sc.grid(*shape) if dims == 2 else sc.line(17, 8000))
    k = kernel(conv.weight, image)
    assert k.data is conv.weight and k.value == (4, 3) and k.data.requires_grad
    got, wanted = sc.correlate(image, k), conv(image.data[None])[0]
    bound = 16 * torch.finfo(torch.float32).eps * conv.weight.abs().sum(tuple(range(1, 2 + dims))).max() * image.data.abs().max()
    assert got.domain == image.domain and (got.data - wanted).abs().max() <= bound
    got.data.sum().backward()
    assert conv.weight.grad is not None
    assert "4 kernels × 3 channels" in sc.study.describe(k)


def test_a_file_with_nan_is_refused_with_the_place(folder):
    np.save("nan.npy", [0.0, 1.0, np.nan])
    Path("deep.json").write_text("[" * 100000)
    Path("wide.json").write_text(json.dumps([1] * 10 + ["x"]))
    np.save("object.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("nan.npy", "deep.json", "wide.json", "object.npy"):
        with pytest.raises(SigconvError) as why:
            kernel(name, SOUND)
        assert name in str(why.value) and "\n" not in str(why.value)
    with pytest.raises(SigconvError, match="2"):
        kernel("nan.npy", SOUND)


@pytest.mark.parametrize(("spec", "wanted"), [
    ("edge", "edge"), ("lowpass:cutoff=800", "lowpass-cutoff=800"), ("a/b/room.wav", "room"),
    ("trumpet.ogg@0.20-0.35", "trumpet@0.20-0.35"),
    ("[[1,2],[3,4]]", "taps"), ("-1,0,1", "taps"), ("blur*edge", "blur+edge"), ("note:A♭6", "note-A-6"), ("../..", "kernel"),
    ("", "kernel"),
    ([1, 2], "taps"), ("edge*1,2", "edge+taps"),
])
def test_slugs(spec, wanted):
    assert slug(spec) == wanted


def test_every_name_is_a_kernel():
    assert {"edge", "blur", "gaussian", "room", "note"} <= set(names()) and names() == sorted(names())
    for name in names():
        assert slug(name) == name
        family = K.find(name) or K.find_bank(name)
        like = SOUND if 1 in family.dims else IMAGE if 2 in family.dims else sc.grid(1, 1, 1)
        if not isinstance(family, K.BankFamily) or isinstance(family.make(like), sc.Signal):
            assert isinstance(kernel(name, like), sc.Signal)
            continue
        with pytest.raises(UsageError, match=r"strides .* wanted a bank of one rate"):
            kernel(name, like)


PIECES = st.sampled_from([*names(), ":", "*", ",", "=", "[", "]", "@", "-", ".", "/", "1", "0.5", "1e9", "-3", "NaN", "taps",
    "cutoff", "k", "Hz",
                          "ms", "A4", ".wav", ".npy", "#", " ", "\n", "\0", "\udcff", "é", "sigma", "repeats", "window", "hann",
                              "~", "$(x)"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join)), like=st.sampled_from([SOUND, IMAGE]))
def test_nothing_but_our_error_comes_out(spec, like, folder):
    name = slug(spec)
    assert 0 < len(name) <= 60 and name.isprintable() and "/" not in name and "\0" not in name and not name.startswith((".", "-"))
    assert len(name.encode()) <= 120
    try:
        k = kernel(spec, like)
    except SigconvError as why:
        assert str(why).isprintable() and len(str(why)) <= 500
    else:
        assert np.isfinite(k.data).all() and k.domain.size and k.domain.ndim == like.ndim
