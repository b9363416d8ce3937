"""Kernels in words: recognised from their taps, and the numbers right."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from command import REAL

import sigconv as sc
from sigconv import kernels as K
from sigconv.errors import UsageError
from sigconv.study import changed, describe, facts, filters, recognise

SOUND, IMAGE = sc.line(1, 16000), sc.grid(1, 1)


def taps(data, rate=8000, start=0):
    return sc.Signal(np.asarray(data), sc.line(len(data), rate, start))


def drawn(rng):
    """A random description: family, rate, parameters, and what has to come back."""
    rate = int(rng.choice([8000, 16000, 22050, 44100, 48000]))
    like, name = sc.line(1, rate), str(rng.choice(["identity", "gain", "delay", "fraction", "edge", "laplace", "sharpen",
        "gaussian", "box",
                                                   "echo", "room", "note", "lowpass", "highpass", "bandpass", "bandstop"]))
    pitch = float(np.exp(rng.uniform(np.log(60), np.log(0.4 * rate))))
    low = float(np.exp(rng.uniform(np.log(60), np.log(0.15 * rate))))
    high, width = low * float(rng.uniform(1.5, 2.5)), float(rng.uniform(1.5, 40))
    samples = int(rng.integers(1, 5000))
    made = {
        "identity": lambda: (K.identity(like), "identity", {}),
        "gain": lambda: (K.identity(like) * float(rng.uniform(0.1, 0.9)), "gain", {}),
        "delay": lambda: (K.delay(like, samples / rate), "delay", {"time": samples}),
        "fraction": lambda: (K.delay(like, (samples + 0.3) / rate), "delay", {"time": samples + 0.3}),
        "edge": lambda: (K.edge(like), "edge", {}),
        "laplace": lambda: (K.laplace(like), "laplace", {}),
        "sharpen": lambda: (K.sharpen(like, (a := float(rng.uniform(0.1, 4)))), "sharpen", {"amount": a}),
        "gaussian": lambda: (K.gaussian(like, width / rate), "gaussian", {"sigma": width}),
        "box": lambda: (K.box(like, (width + 2) / rate), "box", {"width": width + 2}),
        "echo": lambda: (K.echo(like, samples / rate + 2 / rate, g := float(rng.uniform(0.1, 0.95))), "echo",
                         {"delay": samples + 2, "decay": g}),
        "room": lambda: (K.room(like, t := float(rng.uniform(0.1, 0.8)), seed=int(rng.integers(1000))), "room",
            {"t60": t * rate}),
        "note": lambda: (K.note(like, pitch), "note", {"pitch": pitch / rate}),
        "lowpass": lambda: (K.lowpass(like, pitch), "lowpass", {"cutoff": pitch / rate}),
        "highpass": lambda: (K.highpass(like, pitch), "highpass", {"cutoff": pitch / rate}),
        "bandpass": lambda: (K.bandpass(like, low, high), "bandpass", {"low": low / rate, "high": high / rate}),
        "bandstop": lambda: (K.bandstop(like, low, high), "bandstop", {"low": low / rate, "high": high / rate}),
    }
    return made[name]()


def test_two_hundred_descriptions_come_back():
    rng, right = np.random.default_rng(7), 0
    for _ in range(200):
        k, name, wanted = drawn(rng)
        found = recognise(k)
        right += found.name == name
        if found.name != name:
            continue
        for word, value in wanted.items():
            got = found.parameters[word]
            if word in ("pitch", "cutoff", "low", "high"):
                assert abs(1200 * np.log2(got / value)) < 10, (name, word, got, value)
            elif word in ("time", "delay"):
                assert got == pytest.approx(value, abs=0 if value == int(value) else 1e-3)
            else:
                assert got == pytest.approx(value, rel=0.1 if word == "t60" else 2e-3), (name, word)
    assert right >= 190


def test_edge_says_what_the_course_says():
    said = describe(sc.kernel("edge", SOUND))
    assert said.startswith("high-pass, zero at DC, +6.0 dB an octave, half-sample delay, 2 taps, antisymmetric (linear phase)")
    assert describe(sc.kernel("edge", SOUND), "edge") == f"edge: {said}"


@pytest.mark.parametrize("spec", ["edge", "laplace", "lowpass:900,taps=31", "gaussian:0.2ms", "box:0.3ms", "sharpen",
    "delay:2ms"])
def test_the_same_taps_say_the_same(spec, tmp_path):
    k = sc.kernel(spec, SOUND)
    by_hand = ",".join(repr(float(t)) for t in k.data)
    typed = sc.kernel(by_hand if len(k.data) > 1 else f"[{by_hand}]", SOUND).at(k.domain.start)
    np.save(tmp_path / "taps.npy", k.data)
    (tmp_path / "taps.json").write_text(f"[{by_hand}]")
    (tmp_path / "taps.csv").write_text(by_hand.replace(",", "\n"))
    for other in (typed, *(sc.kernel(str(tmp_path / f"taps.{s}"), SOUND).at(k.domain.start) for s in ("npy", "json", "csv"))):
        assert describe(other) == describe(k)


def test_centred_names_need_no_moving(tmp_path):
    for spec in ("edge", "laplace", "lowpass:900,taps=31", "sharpen"):
        k = sc.kernel(spec, SOUND)
        assert describe(sc.kernel(",".join(repr(float(t)) for t in k.data), SOUND)) == describe(k)
        sc.save(sc.Signal(k.data[None], k.domain), tmp_path / f"{k.domain.shape[0]}{spec[:3]}.wav")
        if spec == "edge":
            assert describe(sc.kernel(str(tmp_path / "2edg.wav"), SOUND)) == describe(k)


@pytest.mark.parametrize("n", [5, 9, 16, 64, 200, 1000])
def test_random_taps_are_unlike_any(n):
    rng, wrong = np.random.default_rng(n), 0
    for _ in range(20):
        wrong += recognise(taps(rng.standard_normal(n))).name != ""
        assert not describe(sc.Signal(rng.standard_normal((5, 5)), sc.grid(5, 5))).startswith(("blur", "low", "high", "mean"))
    assert wrong <= 1
    assert describe(taps(rng.standard_normal(9))).startswith("unlike any named kernel: 9 taps")


@pytest.mark.parametrize(("spec", "words"), [
    ("0,1,0", "identity"), ("[0.5]", "gain of −6.0 dB"), ("[-1]", "inverted"), ("0,0,0", "silence"),
    ("delay:2ms", "delay of 2 ms (32 samples)"),
    ("delay:1.03ms", "delay of 1.03 ms (16.48 samples)"), ("laplace", "+12.0 dB an octave"), ("-1,0,1", "central difference"),
    ("blur", "σ 0.125 ms = 2 samples)"), ("box:1ms", "mean over 1 ms = 16 samples (box)"),
    ("1,2,1", "binomial blur (triangle; also the mean over exactly 0.125 ms = 2 samples; like a Gaussian of σ 44.19 µs = 0.7071"),
    ("1,3,3,1", "binomial blur (like a Gaussian"), ("1/16,4/16,6/16,4/16,1/16", "of σ 62.5 µs = 1 sample), low-pass, −3 dB"),
    ("1,1,1", "mean over 0.1875 ms = 3 samples (box)"), ("1,2,2,2,1", "mean over 0.25 ms = 4 samples (box)"),
    ("1,1", "mean over 0.125 ms = 2 samples (box)"), ("echo", "most (+5.5 dB) at 0 Hz"),
    ("sharpen:2", "minus 2 × its second difference"),
    ("echo", "3 repeats, each 250 ms later and 0.5 times the last (−6.0 dB)"), ("lowpass:800", "cutoff 800"),
    ("room:t60=1s", "(T60)"),
    ("bandpass:low=300,high=3400", "3.4 kHz (−6 dB)"), ("note:A4", "note A4 (440 Hz), 200 ms long"),
    ("highpass:500", "high-pass"),
    ("note:450", "A4+39c"), ("blur*edge", "+6.0 dB an octave"), ("1,1,1,1", "an even number: no centre"),
    ("bandstop", "band-stop"),
])
def test_sentences(spec, words):
    assert words in describe(sc.kernel(spec, SOUND)), describe(sc.kernel(spec, SOUND))


@pytest.mark.parametrize(("spec", "words"), [
    ("edge", "horizontal and vertical gradient"), ("blur:3", "σ 3 px"), ("box:5", "mean over 5 px"),
    ("laplace", "second difference"),
    ("sharpen", "sharpen"), ("lowpass", "low-pass, cutoff 0.125 cycles/px"), ("highpass", "high-pass"), ("bandpass", "band-pass"),
    ("bandstop", "band-stop"), ("delay:7", "delay of 7 px along x"), ("identity", "identity"), ("echo", "echo along x"),
    ("[[-1,0,1],[-2,0,2],[-1,0,1]]", "horizontal Sobel: the difference along x"),
    ("[[1,2,1],[0,0,0],[-1,-2,-1]]", "vertical Sobel: the difference along y"),
    ("[[1/8,0,-1/8],[1/4,0,-1/4],[1/8,0,-1/8]]", "horizontal Sobel"),
    ("[[-1,0,1],[-1,0,1],[-1,0,1]]", "horizontal Prewitt: "), ("[[3,10,3],[0,0,0],[-3,-10,-3]]", "vertical Scharr: "),
    ("[[-1,0,1],[-5,0,5],[-1,0,1]]", "horizontal gradient: "), ("[[-1,1],[-1,1]]", "horizontal gradient: "),
    ("[[-1,-1,-1],[-1,8,-1],[-1,-1,-1]]", "Laplace with diagonals (outline): high-pass, zero at DC, +12.0 dB an octave"),
    ("[[1,4,1],[4,-20,4],[1,4,1]]", "Laplace with diagonals (outline)"),
    ("[[-1,-1,-1],[-1,9,-1],[-1,-1,-1]]", "sharpen (what is there minus 1 × its second difference, diagonals too), gain 1 at DC"),
    ("[[1,2,1],[2,4,2],[1,2,1]]", "binomial blur (triangle; also the mean over exactly 2 px; like a Gaussian of σ 0.7071 px)"),
    ("[[1,2,1]]", "binomial blur along x (triangle"), ("[[1,1,1],[1,1,1],[1,1,1]]", "mean over 3 px (box)"),
    ("[[1],[1],[1]]", "mean over 3 px along y (box)"),
    ("[[0,1,0],[1,4,1],[0,1,0]]", "unlike any named kernel: low-pass, 3 × 3 taps"),
    ("[[1,0],[0,-1]]", "unlike any named kernel: high-pass, 2 × 2 taps"),
    ("[[-2,-1,0],[-1,1,1],[0,1,2]]", "emboss: a relief lit from the bottom right"),
    ("[[-2,-1,0],[-1,1,1],[0,1,3]]", "unlike any named kernel: 3 × 3 taps"),
])
def test_sentences_of_images(spec, words):
    assert words in describe(sc.kernel(spec, IMAGE)), describe(sc.kernel(spec, IMAGE))
    if not spec.startswith("[") and "px" not in words and spec not in ("edge", "bandpass", "bandstop"):
        assert words.split(",")[0] in describe(sc.kernel(spec, sc.grid(1, 1, 1)))


def test_binomial_rows_are_their_gaussians():
    """The σ said is the standard deviation of the row, and no Gaussian of the family is taken for a row."""
    from math import comb

    for order in (2, 3, 7, 20):
        row = np.array([comb(order, i) for i in range(order + 1)], float)
        at = np.arange(order + 1) - order / 2
        found = recognise(taps(row / row.sum()))
        sigma = np.sqrt((row * at**2).sum() / row.sum())
        assert found.name == "binomial" and found.parameters["sigma"] == pytest.approx(sigma)
    for sigma in (0.4, 0.7071, 1.0, 2.0):
        assert recognise(K.gaussian(SOUND, sigma / 16000)).name == "gaussian"


def test_the_lowest_of_equal_peaks_is_named():
    """An echo's comb: 1 + g + g² + g³ at every multiple of 1/delay, or halfway between where g is negative."""
    assert facts(sc.kernel("echo", sc.line(1, 44100))).peak == 0  # its comb at 8400 grid points is larger by a rounding
    for rate in (8000, 44100):
        found = facts(sc.kernel("echo:delay=10ms", sc.line(1, rate)))
        assert found.peak == 0 and found.peak_gain == pytest.approx(1.875)
        found = facts(sc.kernel("echo:delay=10ms,decay=-0.5", sc.line(1, rate)))
        assert found.peak == pytest.approx(50, abs=2) and found.peak_gain == pytest.approx(1.875, rel=2e-3)
    assert facts(taps([1.0, 0, 0, -1.0])).peak == pytest.approx(8000 / 6, abs=2)
    assert facts(taps([1.0, -1.0])).peak == 4000


def test_what_is_no_kernel_is_refused_with_the_cure():
    x = sc.Signal(np.zeros((1, 8)), sc.line(8, 8000))
    for call in (describe, facts, recognise, lambda k: next(filters(k)), lambda k: changed(k, x), lambda k: changed(x, k)):
        for bad in ("edge", None, np.ones(3), [1.0]):
            with pytest.raises(UsageError, match=r"wanted a Signal; make a kernel with sc.kernel\(") as why:
                call(bad)
            assert "\n" not in str(why.value)
    with pytest.raises(UsageError, match=r"describe of 'edge': .*sc.kernel\('edge', like\)"):
        describe("edge")


def test_the_sentences_in_the_docs_are_what_is_said():
    rows = re.findall(r"^\| `([^`]+)` (at 16 kHz|on an image) \| (.*) \|$",
                      (Path(__file__).parents[1] / "docs" / "kernels.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) >= 8
    for spec, where, said in rows:
        assert describe(sc.kernel(spec, SOUND if "Hz" in where else IMAGE)) == said


def test_layers_in_words():
    rng = np.random.default_rng(0)
    layer = sc.Signal(rng.standard_normal((16, 2, 3)), sc.line(3, 8000))
    assert describe(layer).startswith("16 kernels × 2 channels × 3 taps")
    pair = sc.Signal(np.stack([K.edge(SOUND).data, [0.5, 0.5]]), sc.line(2, 16000), ["low", "high"])
    assert describe(pair) == "2 kernels × 2 taps: " \
        "low high-pass (the difference of neighbours); high mean over 0.125 ms = 2 samples (box)"
    many = sc.Signal(rng.standard_normal((2000, 1, 9)), sc.line(9, 8000))
    assert "2000 kernels × 1 channel × 9 taps" in describe(many)


@pytest.mark.parametrize("n", [2, 4, 10, 65])
def test_even_kernels_report_their_delay(n):
    """Row 69: k/2 − 1/2 for a causal symmetric kernel, as the phase of a tone has it."""
    rng = np.random.default_rng(n)
    half = rng.uniform(0.5, 1, (n + 1) // 2)
    k = taps(np.concatenate([half, half[::-1][n % 2:]]))
    assert facts(k).delay == ((n - 1) / 2,)
    turn = np.exp(2j * np.pi * 0.01 * np.arange(200))
    late = -np.angle(np.convolve(turn, k.data)[150] / turn[150]) / (2 * np.pi * 0.01)
    assert late == pytest.approx((n - 1) / 2, abs=1e-9)
    assert ("even number" in describe(k)) == (n % 2 == 0 and n > 2)


def test_facts_are_the_numbers():
    k = sc.kernel("lowpass:1000,taps=201", SOUND)
    f = facts(k)
    assert f.dc == pytest.approx(1, abs=1e-12) and f.norm1 == pytest.approx(np.abs(k.data).sum())
    assert (f.taps, f.symmetry, f.delay, f.zero_mean) == ((201,), "even", (0.0,), False)
    gain = abs(sc.spectrum.response(k, [f.edges[0]]).gain[0])
    assert 20 * np.log10(gain / f.peak_gain) == pytest.approx(-3.01, abs=0.02)
    assert facts(taps([1.0, -1.0])).slope == pytest.approx(6.02, abs=0.01)
    random = taps(np.random.default_rng(1).standard_normal(30))
    response = sc.spectrum.response(random, [facts(random).peak])
    assert facts(random).delay[0] / 8000 == pytest.approx(response.delay[0], rel=1e-6)
    with pytest.raises(UsageError, match="one by one"):
        facts(sc.kernel("edge", IMAGE))
    assert [facts(one).zero_mean for one in filters(sc.kernel("edge", IMAGE))] == [True, True]


def test_odd_kernels_do_not_trouble():
    import torch

    for k in (sc.Signal(np.zeros(0), sc.line(0, 8000)), sc.Signal(np.zeros((0, 3)), sc.line(3, 8000)), taps(np.zeros(4)),
        taps([1j]),
              taps([2.0]), taps(np.array([1, 2, 3])), taps(np.exp(1j * np.arange(9))), taps(torch.ones(3,
                  requires_grad=True).numpy(force=True)),
              sc.Signal(torch.tensor([1.0, -1.0], requires_grad=True), sc.line(2, 8000)), sc.Signal(np.ones((2, 2)) * 1j,
                  sc.grid(2, 2)),
              sc.Signal(np.zeros((3, 4)), sc.grid(3, 4)), taps([1e-300, 1e-300, 2e-300]), taps([1e300, -1e300, 1.0])):
        said = describe(k)
        assert said and "\n" not in said and "nan" not in said, said
    assert describe(sc.kernel("edge", SOUND).to("torch", dtype="float32")) == describe(sc.kernel("edge", SOUND))


def test_a_long_room_is_known_by_its_decay():
    k = K.room(sc.line(1, 44100), 1.0)
    said = describe(k)
    assert said.startswith("room") and abs(recognise(k).parameters["t60"] / 44100 - 1) < 0.03


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real recordings")
def test_real_rooms_are_rooms_and_music_is_none():
    for name in ("rir1.wav", "rir3.wav"):
        assert describe(sc.kernel(str(REAL / "rir" / name), SOUND)).startswith("room")
    assert "unlike any" in describe(sc.kernel(f"{REAL}/audio/trumpet.ogg@0.20-0.35", SOUND))


def test_changes_of_tones_are_the_response():
    rate, k = 16000, sc.kernel("edge", SOUND)
    t = np.arange(4 * rate) / rate
    x = sc.Signal(sum(np.sin(2 * np.pi * 1.3 * f * t) for f in (250, 1000, 4000))[None], sc.line(len(t), rate))
    bands = dict(changed(x, x @ k).bands)
    for f in (250, 1000, 4000):
        assert bands[f] == pytest.approx(20 * np.log10(abs(sc.spectrum.response(k, [1.3 * f]).gain[0])), abs=0.1)


def test_octaves_of_next_to_nothing_are_left_out():
    """A tone cut off behind its onset: the click is louder than the hiss around, and no change of the kernel's."""
    rate = 16000
    t = np.arange(2 * rate) / rate
    hiss = 1e-4 * np.random.default_rng(0).standard_normal(len(t))
    fade = np.minimum(1, np.minimum(t, t[-1] - t) / 0.02)
    x = sc.Signal((np.cos(2 * np.pi * 1000 * t) * np.sin(np.pi / 2 * fade) ** 2 + hiss)[None], sc.line(len(t), rate))
    y = sc.convolve(x, sc.kernel("delay:-20ms", x))
    assert [f for f, _ in changed(x, y).bands] == [1000] and "same in every octave" in str(changed(x, y))
    only = sc.convolve(x, sc.kernel("bandpass:300,500,taps=2001", x))
    assert dict(changed(x, only).bands)[500] == pytest.approx(0, abs=8)  # all that is left is told


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real recordings")
def test_a_shift_changes_no_octave_of_a_real_recording():
    for name in ("trumpet.ogg", "robin.ogg", "guit_em9.flac"):
        x = sc.load(REAL / "audio" / name)
        found = changed(x, sc.convolve(x, sc.kernel("delay:-20ms", x)))
        assert len(found.bands) >= 4 and all(abs(dB) < 0.6 for _, dB in found.bands), (name, str(found))


def test_changes_of_level():
    rng = np.random.default_rng(0)
    x = sc.Signal(rng.standard_normal((2, 16000)), sc.line(16000, 16000))
    assert str(changed(x, x * 0.5)) == "−6.0 dB overall, the same in every octave"
    assert changed(x, x * 0.0).level == -np.inf and str(changed(x, x * 0.0)) == "silence: nothing passes"
    assert np.isnan(changed(x * 0.0, x).level) and str(changed(x * 0.0, x)) == "the dry signal is silent"
    assert changed(x, sc.convolve(x, sc.kernel("note:A4", x))).level == pytest.approx(0, abs=1)  # unit norm on white noise
    image = sc.Signal(rng.standard_normal((3, 8, 8)), sc.grid(8, 8))
    assert str(changed(image, image * 2.0)) == "+6.0 dB overall"
    empty = sc.Signal(np.zeros((1, 0)), sc.line(0, 8000))
    assert str(changed(empty, empty)) == "the dry signal is silent"
    assert changed(x, sc.Signal(x.data[:, None] * np.ones((1, 3, 1)), x.domain)).level == pytest.approx(0)
    low = changed(x, sc.convolve(x, sc.kernel("lowpass:1000,taps=401", x)))
    assert dict(low.bands)[250] == pytest.approx(0, abs=0.1) and dict(low.bands)[4000] < -45
    assert "\n" not in str(low) and str(low).startswith("−")


def test_a_name_is_said_once():
    k = sc.kernel("echo", sc.line(1, 8000))
    assert describe(k).startswith("echo: ")
    assert describe(k, "echo") == describe(k) and describe(k, "mine") == f"mine: {describe(k)}"
