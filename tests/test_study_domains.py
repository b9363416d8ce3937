"""Kernels of every domain in words: what each family is recognised by, channel matrices, DC, and what changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv import kernels as K
from sigconv.errors import UsageError
from sigconv.offsets import dc_warning, passes_dc
from sigconv.study import changed, describe, facts, filters, mixing, recognise

SOUND, IMAGE, VOLUME = sc.line(1, 44100), sc.grid(1, 1), sc.Domain((1, 1, 1), (2, 1, 1), 0, "mm")
VIDEO = sc.Domain((1, 1, 1), (0.04, 1, 1), 0, ("s", "px", "px"), ("time", "y", "x"))
MAP = sc.Domain((1, 1), (20, 0.0125), 0, ("Hz", "s"), ("frequency", "time"))


def turn(degrees):
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def wide(width):
    return np.array([[1 + width, 1 - width], [1 - width, 1 + width]]) / 2


def layer(W, like=SOUND):
    return sc.Signal(np.asarray(W, float)[..., None], sc.Domain((1,), like.step, 0, like.unit))


# What comes back from the taps ------------------------------------------------------------------------------------------------

NAMES = ("identity", "delay", "edge", "laplace", "sharpen", "unsharp", "emboss", "log", "dog", "derivative", "gaussian", "box",
         "motion", "corner", "endpoint", "gabor", "hilbert", "comb", "chirp", "echo", "note", "lowpass", "highpass", "bandpass")


def drawn(rng):
    """A random family on a random grid: its kernel, its name, and what has to come back in steps."""
    ndim, step = int(rng.integers(1, 4)), 1 / int(rng.choice([8000, 22050, 44100, 48000]))
    name = str(rng.choice([n for n in NAMES if ndim in K.FAMILIES[n].dims]))
    like = sc.line(1, 1 / step) if ndim == 1 else sc.grid(*(1,) * ndim)
    step = step if ndim == 1 else 1.0
    sigma, samples = float(rng.uniform(0.7, 20 if ndim == 1 else 3)), int(rng.integers(2, 500))
    pitch = float(np.exp(rng.uniform(np.log(0.02 if ndim < 3 else 0.08), np.log(0.4))))
    amount = float(rng.uniform(0.2, 3))
    make = K.FAMILIES[name].function
    options, wanted = {
        "delay": lambda: ({"time": samples * step}, {"time": samples}),
        "sharpen": lambda: ({"amount": amount}, {"amount": amount}),
        "unsharp": lambda: ({"sigma": sigma * step, "amount": amount}, {"sigma": sigma, "amount": amount}),
        "emboss": lambda: ({"amount": amount}, {"amount": amount}),
        "log": lambda: ({"sigma": sigma * step}, {"sigma": sigma}),
        "dog": lambda: ({"sigma": sigma * step, "ratio": 1 + amount}, {"sigma": sigma, "ratio": 1 + amount}),
        "derivative": lambda: ({"sigma": sigma * step}, {"sigma": sigma}),
        "gaussian": lambda: ({"sigma": sigma * step}, {"sigma": sigma}),
        "box": lambda: ({"width": (sigma + 2) * step}, {"width": sigma + 2}),
        "motion": lambda: ({"length": 5 + 8 * amount, "angle": float(rng.uniform(15, 75))}, {}),
        "gabor": lambda: ({"frequency": pitch / step, "bandwidth": 1.0}, {"frequency": pitch}),
        "comb": lambda: ({"pitch": 1 / ((2.5 + samples) * step), "teeth": 5}, {"period": 2.5 + samples, "teeth": 5}),
        "chirp": lambda: ({"low": 0.01 / step, "high": pitch / step, "duration": 900 * step}, {"ends": (0.01, pitch)}),
        "echo": lambda: ({"delay": samples * step, "decay": 0.3 + amount / 5}, {"delay": samples, "decay": 0.3 + amount / 5}),
        "note": lambda: ({"pitch": pitch / step}, {"pitch": pitch}),
        "lowpass": lambda: ({"cutoff": pitch / step}, {"cutoff": pitch}),
        "highpass": lambda: ({"cutoff": pitch / step}, {"cutoff": pitch}),
        "bandpass": lambda: ({"low": 0.3 * pitch / step, "high": pitch / step}, {"low": 0.3 * pitch, "high": pitch}),
    }.get(name, lambda: ({}, {}))()
    if ndim == 3 and name in ("lowpass", "highpass", "bandpass"):
        options["taps"] = 17
        wanted = {}
    k = make(like, **options)
    name = "gradient" if name == "edge" and ndim > 1 else name
    return name, next(filters(k)), wanted


def test_two_hundred_kernels_of_every_dimension_come_back():
    rng, wrong = np.random.default_rng(11), []
    for _ in range(200):
        name, k, wanted = drawn(rng)
        found = recognise(k)
        if found.name != name:
            wrong.append((name, k.domain.shape, found.name))
            continue
        for word, value in wanted.items():
            got = np.asarray(found.parameters[word], float)
            got = got[np.abs(got) > 1e-9]
            if word in ("pitch", "cutoff", "low", "high", "frequency", "ends", "period"):
                assert np.abs(1200 * np.log2(got / value)).max() < 10, (name, word, got, value)
            elif word in ("time", "delay", "teeth"):
                assert (got == value).all(), (name, word)
            else:
                assert got == pytest.approx(value, rel=2e-3), (name, word)
    assert len(wrong) <= 10, wrong


@pytest.mark.parametrize("angle", [0, 20, 45, 71.5, 90, 120, 160])
def test_paths_and_waves_keep_their_direction(angle):
    path = np.array(recognise(K.motion(IMAGE, 15, angle)).parameters.get("path", (0, 0)))
    if angle % 90:
        assert np.hypot(*path) == pytest.approx(15) and np.degrees(np.arctan2(*path)) % 180 == pytest.approx(angle)
        assert f"15 px at {angle:g}° from x to y" in describe(K.motion(IMAGE, 15, angle))
    wave = recognise(K.gabor(IMAGE, 0.125, angle=angle)).parameters["frequency"]
    assert np.hypot(*wave) == pytest.approx(0.125) and (np.degrees(np.arctan2(*wave)) + 90) % 360 == pytest.approx(angle + 90)
    assert f"waves 8 px long at {angle:g}° from x to y" in describe(K.gabor(IMAGE, 0.125, angle=angle))


NEW = {"unsharp": {}, "emboss": {}, "log": {}, "dog": {}, "derivative": {}, "motion": {"length": 9, "angle": 30}, "corner": {},
       "endpoint": {}, "gabor": {}, "hilbert": {}, "comb": {"teeth": 5}, "chirp": {}}


def each(name, like):
    return list(filters(K.FAMILIES[name].function(like, **NEW[name]))) if like.ndim in K.FAMILIES[name].dims else []


@pytest.mark.parametrize("name", NEW)
def test_a_hundredth_of_noise_is_no_name(name):
    """On a line what is left may still be called by what it passes: low, high or a band."""
    rng = np.random.default_rng(3)
    for like in (SOUND, IMAGE, sc.grid(1, 1, 1)):
        for k in each(name, like):
            assert recognise(k).name == name
            noise = rng.standard_normal(k.domain.shape) * (1 + 1j if np.iscomplexobj(k.data) else 1)
            found = recognise(k + sc.Signal(0.01 * np.abs(k.data).max() * noise, k.domain)).name
            assert found == "" or (like.ndim == 1 and found == "bandpass"), like.ndim


def test_random_taps_of_every_dimension_are_unlike_any():
    rng = np.random.default_rng(0)
    for shape in ((3, 3), (5, 5), (3, 3, 3), (9, 2), (1, 7), (6, 6)):
        for complex_too in (False, True):
            data = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if complex_too else 0)
            assert describe(sc.Signal(data, sc.grid(*shape))).startswith("unlike any named kernel: "), shape
    for n in (16, 65, 401):
        data = rng.standard_normal(n) + 1j * rng.standard_normal(n)
        assert recognise(sc.Signal(data, sc.line(n, 8000))).name == ""


@pytest.mark.parametrize("name", NEW)
def test_a_name_and_a_file_say_the_same(name, tmp_path):
    for like in (sc.line(1, 8000), IMAGE):
        for i, k in enumerate(each(name, like)):
            said = describe(k)
            np.save(tmp_path / f"{i}{like.ndim}.npy", k.data)
            assert describe(sc.kernel(str(tmp_path / f"{i}{like.ndim}.npy"), like).at(k.domain.start)) == said
            sc.save(k, tmp_path / f"{i}{like.ndim}.npz")
            assert describe(sc.kernel(str(tmp_path / f"{i}{like.ndim}.npz"), like)) == said
            single = sc.Signal(k.data.astype(np.complex64 if np.iscomplexobj(k.data) else np.float32), k.domain)
            assert recognise(single).name == name


# Sentences --------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("spec", "like", "words"), [
    ("unsharp:2px,0.5", IMAGE, "unsharp mask (what is there plus 0.5 × what a blur of σ 2 px takes away), gain 1 at DC"),
    ("emboss", IMAGE, "emboss: a relief lit from the top left (what is there plus 1 × how much it grows away from the light)"),
    ("[[-2,-1,0],[-1,1,1],[0,1,2]]", IMAGE, "emboss: a relief lit from the bottom right"),
    ("[[0,-1,-2],[1,1,-1],[2,1,0]]", IMAGE, "emboss: a relief lit from the bottom left"),
    ("emboss", SOUND, "emboss: a relief (what is there plus 1 × how much it grows along time)"),
    ("log:3px", IMAGE, "blobs of radius 4.243 px answer most, band-pass"),
    ("dog:2px,2", IMAGE, "difference of Gaussians (a blur of σ 2 px less one of σ 4 px): what is about that large, band-pass"),
    ("derivative:1ms", SOUND, "slope, seen through a blur (derivative of a Gaussian, σ 1 ms = 44.1 samples), zero at DC"),
    ("derivative", IMAGE, "slopes along y and x, seen through a blur (derivative of a Gaussian, σ 2 px): 2 kernels × 17 × 17"),
    ("motion:12,30", IMAGE, "motion blur: the mean along 12 px at 30° from x to y, low-pass, gain 1 at DC, no delay"),
    ("corner", IMAGE, "corner: the difference along y and x at once, where their edges meet, zero at DC, +12.0 dB an octave"),
    ("endpoint", IMAGE, "line ends along y and x: 2 kernels"),
    ("gabor:0.125,angle=45", IMAGE, "waves 8 px long at 45° from x to y"),
    ("gabor:A4", SOUND, "Gabor: a wave of A4 (440 Hz) under a Gaussian of σ 1.278 ms"),
    ("hilbert:1001", SOUND, "turns every frequency by −90°: a cosine becomes the sine, gain within 1 % from 70.78 Hz to 21.98"),
    ("comb:A4", SOUND, "comb: the mean at 8 instants 2.273 ms apart, passes 0 and every multiple of A4 (440 Hz), gain 1 at DC"),
    ("comb:441", SOUND, "8 instants 2.268 ms apart, passes 0 and every multiple of A4+4c (441 Hz)"),
    ("chirp:300,3000", SOUND, "sweep (chirp) up from 300 Hz to 3 kHz in 200 ms, every octave takes the same time"),
    ("crossfeed", SOUND, "crossfeed: each ear also hears the other's lows, 4.5 dB softer and 0.2948 ms later, below 700"),
    ("crossfeed:6,0.31ms,500", SOUND, "6 dB softer and 0.31 ms later, below 500 Hz (−3 dB)"),
    ("midside", SOUND, "mid and side: left + right and left − right, ×0.7071: 2 kernels × 2 channels × 1 tap, gains ×1 and ×1"),
    ("blur:2px", IMAGE, "blur (Gaussian, σ 2 px), low-pass, gain 1 at DC, no delay"),
])
def test_sentences(spec, like, words):
    assert words in describe(sc.kernel(spec, like)), describe(sc.kernel(spec, like))


@pytest.mark.parametrize(("name", "like", "words"), [
    ("edge", MAP, "gradient along frequency and time"), ("edge", VIDEO, "gradient along time, y and x"),
    ("gaussian", MAP, "σ 40 Hz along frequency and 25 ms along time, 2 steps each"),
    ("gaussian", VOLUME, "σ 4 mm × 2 mm × 2 mm = 2 steps each"),
    ("box", MAP, "60 Hz along frequency and 37.5 ms along time, 3 steps each"),
    ("delay", MAP, "delay of 100 ms (8 samples) along time"), ("emboss", MAP, "how much it grows along frequency and time"),
    ("corner", MAP, "corner: the difference along frequency and time at once"), ("gabor", MAP, "a wave every 100 ms along time"),
    ("log", MAP, "blobs of radius 56.57 Hz along frequency and 35.36 ms along time answer most"),
    ("lowpass", MAP, "cutoff 1 cycle in 160 Hz along frequency and 10 Hz along time"), ("comb", MAP, "every multiple of 10 Hz"),
    ("derivative", VIDEO, "σ 80 ms along time, 2 px along y and 2 px along x"), ("laplace", VIDEO, "second difference"),
    ("unsharp", VOLUME, "σ 4 mm × 2 mm × 2 mm = 2 steps each takes away"), ("emboss", VOLUME, "lit from the front top left"),
])
def test_sentences_in_the_units_of_the_axes(name, like, words):
    assert words in describe(K.FAMILIES[name].function(like)), describe(K.FAMILIES[name].function(like))


def test_kernels_of_a_line_laid_along_an_axis_keep_their_name():
    for spec in ("unsharp", "emboss", "log", "dog", "derivative", "hilbert:21", "comb:0.2", "gabor", "laplace", "sharpen"):
        line = sc.kernel(spec, sc.line(1, 1, unit="px"))
        for shape, axis in (((1, -1), "x"), ((-1, 1), "y")):
            taps = line.data.reshape(shape)
            k = sc.Signal(taps, sc.Domain(taps.shape, 1, tuple(-((n - 1) // 2) for n in taps.shape)))
            assert recognise(k).name == spec.split(":")[0]
            where = {"x": "lit from the left", "y": "lit from the top"} if spec == "emboss" else \
                {"x": "at 0°", "y": "at 90°"} if spec == "gabor" else {"x": " along x", "y": " along y"}
            assert where[axis] in describe(k) and "times" not in describe(k), describe(k)


def test_moves_along_a_spectrum_are_up_and_down():
    assert "40 Hz up (2 bins) along frequency" in describe(K.delay(MAP, (40, 0.0)))
    assert "20 Hz down (1 bin) along frequency and delay of 25 ms" in describe(K.delay(MAP, (-20, 0.025)))
    moving = describe(K.motion(MAP, 0.1, 45))
    assert "a straight path of 113.1 Hz = 5.657 bins along frequency by 70.71 ms" in moving, moving


def test_every_family_has_a_sentence_on_every_grid():
    for like in (SOUND, sc.line(1, 1, unit="px"), sc.line(1, 2, unit="m"), IMAGE, MAP, VOLUME, VIDEO):
        for name, family in K.FAMILIES.items():
            if like.ndim not in family.dims or (like.ndim == 3 and name.startswith("band")):
                continue
            said = describe(family.function(like))
            assert "unlike" not in said and "nan" not in said and "\n" not in said, (name, said)


@pytest.mark.parametrize("method", ["window", "equiripple", "ls"])
@pytest.mark.parametrize("name", ["lowpass:1000", "highpass:1000", "bandpass:500,2000", "bandstop:500,2000"])
def test_minimum_phase_is_told_and_what_it_reaches(name, method):
    like = sc.line(1, 8000)
    early, linear = (sc.kernel(f"{name},method={method},phase={p}", like) for p in ("minimum", "linear"))
    assert describe(early).endswith("minimum phase") and "minimum" not in describe(linear)
    r = K.reached(early)
    assert f"attenuation {r.attenuation:.0f} dB" in describe(early) and r.attenuation > 40
    late = early.reverse()
    assert describe(late.at(0)).startswith(describe(early).split(",")[0]) and "minimum" not in describe(late)


def test_one_complex_tap_turns_the_phase():
    assert describe(sc.Signal([1j], sc.line(1, 8000))).startswith("turns the phase by 90°")
    assert "times 2" in describe(sc.Signal(np.full((1, 1), -2j), IMAGE))


def test_banks_and_layers_of_complex_taps():
    like = sc.line(1, 8000)
    pair = sc.Signal(np.stack([K.note(like, p, 0.1).data for p in ("A4", "A5")]), K.note(like, "A4", 0.1).domain)
    assert [round(f.peak) for f in map(facts, filters(pair))] == [440, 880]
    assert "note A4 (440 Hz)" in describe(pair) and "note A5 (880 Hz)" in describe(pair)
    square = sc.Signal(np.stack([pair.data, pair.data[::-1]]), pair.domain)
    assert len(list(filters(square))) == 4 and describe(square).startswith("2 kernels × 2 channels × 799 taps")
    one = facts(next(filters(pair)))
    assert one.norm2 == pytest.approx(1) and one.symmetry == "even" and one.delay == (0.0,)


def test_each_channel_by_itself():
    k = sc.diag(sc.Signal(np.stack([K.edge(SOUND).data, [0.5, 0.5]]), K.edge(SOUND).domain))
    assert "each channel by itself: channel 1 high-pass" in describe(k) and "mean over" in describe(k)


# Channel matrices -------------------------------------------------------------------------------------------------------------

KNOWN = [
    (np.eye(2), "changes nothing"), ([[0, 1], [1, 0]], "swaps left and right"), (wide(1.4), "widens ×1.4"),
    ([[1, 0], [0, -1]], "inverts the polarity of right"), (turn(30), "rotates 30° (left towards right)"),
    (turn(30) @ wide(1.4), "widens ×1.4, then rotates 30°"), ([[0.5, 0.5]], "mixes to mono (the mean)"),
    (np.array([[1, 1], [1, -1]]) / np.sqrt(2), "mid and side: left + right and left − right"),
    ([[2, 0], [0, 0.5]], "scales left ×2, right ×0.5"), ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], "reorders the channels"),
    (turn(-20) @ [[1, 0], [0, -1]], "inverts the polarity of right, then rotates 20°"),
    (wide(0.5) @ turn(40), "rotates 40° (left towards right), then narrows ×0.5"),
    ([[1], [1]], "copies one channel to 2"), (wide(0), "mixes to mono (the mean), the same in both"),
    (0.5 * np.eye(3), "scales every channel ×0.5 (−6.0 dB)"),
    ([[0.5, -0.5], [-0.5, 0.5]], "removes what both channels share"), ([[1, 0], [0, 0]], "silences right, keeps left"),
    (-np.eye(2), "inverts the polarity of left and right"), ([[0.2, 0.7, 0.1]], "0.2 channel 1 + 0.7 channel 2 + 0.1 channel 3"),
]


@pytest.mark.parametrize(("W", "words"), KNOWN)
def test_known_matrices_are_told(W, words):
    """Row 26: ten of ten (and more); det < 0 is told."""
    found = mixing(layer(W))
    assert words in found.words
    assert describe(layer(W)).startswith(found.words)
    assert np.allclose(found.gains, np.linalg.svd(np.asarray(W, float))[1])
    W = np.asarray(W, float)
    square = W.shape[0] == W.shape[1]
    assert found.reflects == bool(square and np.linalg.det(W) < -1e-12) == ("mirrored" in describe(layer(W)))


@settings(max_examples=60, deadline=None)
@given(st.floats(-179.5, 179.5), st.floats(0.2, 5), st.booleans())
def test_rotation_and_width_come_back(angle, width, widened_first):
    W = turn(angle) @ wide(width) if widened_first else wide(width) @ turn(angle)
    found = mixing(layer(W))
    assert (found.angle - angle + 180) % 360 - 180 == pytest.approx(0, abs=0.1)
    if widened_first:
        assert found.width == pytest.approx(width, rel=0.01)
    assert not found.reflects and sorted(found.gains) == pytest.approx(sorted((1, width)))
    if abs(width - 1) > 0.01 and 0.5 < abs(angle) < 179 and min(abs(abs(angle) - right) for right in (45, 90, 135)) > 0.5:
        said = found.words
        assert f"{abs(round(angle, 2)):.4g}°" in said and f"×{width:.4g}" in said, said


def test_only_layers_of_one_tap_are_matrices():
    for k in (K.edge(SOUND), K.crossfeed(SOUND), layer(np.zeros((2, 2)))):
        with pytest.raises(UsageError, match=r"wanted a layer \(m, c\) with one tap"):
            mixing(k)
    late = layer(turn(30)).at(441)
    assert "rotates 30°" in describe(late) and "delay of 10 ms (441 samples)" in describe(late)
    named = sc.Signal(np.array([[[0.0], [1.0]], [[1.0], [0.0]]]), sc.line(1, 8000), (("a", "b"), ("c", "d")))
    assert describe(named).startswith("swaps c and d")


# DC ---------------------------------------------------------------------------------------------------------------------------

def test_filters_that_pass_dc_are_found():
    """Row 34: of zero-mean kernels |H(0)| ≤ 1e-6 · ‖h‖₁, and these alone are not named."""
    rng = np.random.default_rng(0)
    bank = rng.standard_normal((6, 64))
    bank -= bank.mean(-1, keepdims=True)
    k = sc.Signal(bank, sc.line(64, 8000))
    assert passes_dc(k) == () and dc_warning(k) is None
    bank[[1, 4]] += 1e-3
    assert passes_dc(sc.Signal(bank, k.domain)) == (1, 4)
    assert dc_warning(sc.Signal(bank, k.domain)).startswith("filters 2, 5 of 6 pass DC (up to −")
    assert passes_dc(sc.kernel("edge", IMAGE)) == () and passes_dc(sc.kernel("blur", IMAGE)) == (0,)
    assert dc_warning(sc.kernel("blur", IMAGE)) is None and dc_warning(K.crossfeed(SOUND)) is None
    assert passes_dc(K.midside(SOUND)) == (0, 1)
    assert dc_warning(sc.Signal(np.ones((9, 1)), sc.line(1, 8000))).startswith("all 9 filters pass DC (up to 0.0 dB)")
    assert passes_dc(sc.Signal([[1j, -1j], [1j, 1j]], sc.line(2, 8000))) == (1,)
    assert passes_dc(sc.Signal(np.zeros((2, 3)), sc.line(3, 8000))) == ()


# What changed -----------------------------------------------------------------------------------------------------------------

def test_what_a_kernel_does_to_an_image_is_told():
    rng = np.random.default_rng(0)
    x = sc.Signal(rng.uniform(size=(1, 256, 256)), sc.grid(256, 256))
    found = changed(x, sc.convolve(x, sc.kernel("blur", x), padding_mode="circular"))
    assert found.mean == pytest.approx(0, abs=1e-9)
    for axis in range(2):  # white noise: the power of the difference of neighbours, through the Gaussian
        g = K.gaussian(sc.line(1, 1)).data
        wanted = 10 * np.log10((np.diff(np.pad(g, 1)) ** 2).sum() * (g**2).sum() / 2)
        assert found.detail[axis][1] == pytest.approx(wanted, abs=0.5)
    rows = sc.convolve(x, sc.Signal(np.ones((1, 9)) / 9, sc.Domain((1, 9), 1, (0, -4))), padding_mode="circular")
    said = str(changed(x, rows))
    assert "mean 0.0 dB, detail along y −" in said and ", along x −" in said
    gone = sc.convolve(x, sc.kernel("laplace", x), padding_mode="circular")
    assert "the mean is gone, detail +" in str(changed(x, gone))
    flat = sc.Signal(np.ones((1, 8, 8)), sc.grid(8, 8))
    assert str(changed(flat, flat * 0.5)) == "−6.0 dB overall"
    assert "no detail is left" in str(changed(x, sc.Signal(np.full_like(x.data, 0.5), x.domain)))


def test_volumes_videos_and_maps():
    rng = np.random.default_rng(1)
    frames = sc.Domain((6, 16, 16), VIDEO.step, 0, VIDEO.unit, VIDEO.name)
    video = sc.Signal(rng.uniform(size=(3, 6, 16, 16)).astype(np.float32), frames)
    still = sc.Signal(np.broadcast_to(video.data.mean(1, keepdims=True), video.data.shape), video.domain)
    assert [name for name, _ in changed(video, still).detail] == ["time", "y", "x"]
    assert "detail along time gone, along y −7." in str(changed(video, still))
    t = np.arange(8000) / 8000
    x = sc.Signal((np.sin(2 * np.pi * 1000 * t) + np.sin(2 * np.pi * 125 * t))[None], sc.line(8000, 8000))
    S = sc.spectrogram(x, window=400, hop=100)
    low = sc.Signal(S.data * (np.arange(S.domain.shape[0]) * 20 < 500)[:, None], S.domain)
    found = changed(S, low)
    assert dict(found.bands)[125] == pytest.approx(0, abs=0.1) and dict(found.bands)[1000] < -60
    assert "63 Hz 0 dB … 1 kHz −inf dB" in str(found) and "detail" in str(found)
    assert [name for name, _ in found.detail] == ["frequency", "time"]
    assert str(changed(S, S * 0.5)) == "−6.0 dB overall, the same in every octave"
    assert changed(x, S).detail == ()  # a sound and a map: their level alone


def test_a_complex_result_is_taken_by_its_size():
    rng = np.random.default_rng(2)
    x = sc.Signal(rng.uniform(size=(1, 32, 32)), sc.grid(32, 32))
    turned = changed(x, sc.Signal(x.data * 1j, x.domain))
    assert turned.level == pytest.approx(0) and str(turned) == "0.0 dB overall"
    assert "nan" not in str(changed(x, sc.convolve(x, sc.kernel("gabor", x))))


def test_channels_are_told_where_they_differ():
    rng = np.random.default_rng(3)
    x = sc.Signal(rng.standard_normal((2, 8000)), sc.line(8000, 8000))
    louder = sc.Signal(x.data * [[2], [1]], x.domain)
    assert str(changed(x, louder)).endswith("; left +6.0 dB, right 0.0 dB")
    assert str(changed(x, sc.Signal(x.data * [[1], [0]], x.domain))).endswith("; left 0.0 dB, right silent")
    assert "right silent before" in str(changed(sc.Signal(x.data * [[1], [0]], x.domain), x))
    mono = changed(x, sc.Signal(x.data.mean(0, keepdims=True), x.domain))
    assert mono.count == (2, 1) and str(mono).endswith("; 2 channels → 1")
    assert str(changed(x, sc.Signal(np.concatenate([x.data] * 3), x.domain))).endswith("; 2 channels → 6")
    twin = sc.Signal(np.stack([x.data[0]] * 2), x.domain)
    sides = changed(twin, sc.convolve(twin, K.midside(twin)))
    image = sc.Signal(rng.uniform(size=(3, 16, 16)) * np.linspace(1, 9, 16), sc.grid(16, 16))
    bank = sc.Signal(np.stack([np.eye(1), 0.1 * np.eye(1)]), sc.grid(1, 1), ("whole", "tenth"))
    assert str(changed(image, sc.convolve(image, bank))).endswith("3 channels → 6: whole 0.0 dB, tenth −20.0 dB")
    assert "mid +3.0 dB, side " in str(sides) and dict(sides.channels)["side"] < -200


def test_silence_and_nothing():
    for domain in (sc.line(64, 8000), sc.grid(8, 8), sc.grid(4, 4, 4)):
        zero = sc.Signal(np.zeros((2, *domain.shape)), domain)
        one = sc.Signal(np.ones((2, *domain.shape)), domain)
        assert str(changed(zero, zero)) == "the dry signal is silent" and str(changed(one, zero)) == "silence: nothing passes"
        long = sc.Domain((99,) * domain.ndim, domain.step, 0, domain.unit)
        short = sc.convolve(one, sc.Signal(np.ones(long.shape), long), mode="valid")
        assert str(changed(one, short)) == "nothing is left: the result is empty"
