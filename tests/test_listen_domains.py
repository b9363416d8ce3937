"""`listen` in every domain: spectrograms, chains, scans; each input right, or one line with the cure."""

import json

import numpy as np
import pytest
import soundfile
from command import REAL, run, tone
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv import chain, hear
from sigconv.hear import listen, loudness
from sigconv.spectrum import plane, spectrally

RNG = np.random.default_rng
HONEST = {"match": "none", "guard": False}


def sound(data, rate=8000, channels=None):
    data = np.atleast_2d(data)
    return sc.Signal(data, sc.line(data.shape[-1], rate), channels)


def noise(n=4000, channels=1, seed=0):
    return sound(0.2 * RNG(seed).standard_normal((channels, n)))


def picture(*shape, seed=0, **options):
    return sc.Signal(RNG(seed).random(shape), sc.grid(*shape[1:]), **options)


def one_line(ran, *words):
    assert ran.code == 2 and ran.out == "", ran
    assert ran.err.count("\n") == 1 and len(ran.err) <= 500 and ran.err.startswith("sigconv: "), ran.err
    assert all(word in ran.err for word in words), ran.err


# On the spectrogram

def test_the_identity_on_a_spectrogram_is_the_sound():
    x = noise(9000, 2)
    heard = listen(x, [("identity", sc.kernel("identity", plane(x.domain)))], on="spectrogram", **HONEST)
    take = heard.takes[0]
    assert np.abs(take.wet.data - x.data).max() < 1e-5 * np.abs(x.data).max()  # 100 dB
    assert take.wet.domain == x.domain and heard.on == "spectrogram" and heard.chain == ("on the spectrogram",)
    assert heard.map.domain.unit == take.map.domain.unit == ("Hz", "s") and np.iscomplexobj(take.map.data)
    assert heard.map.value == (2,) and np.allclose(np.abs(heard.map.data), np.abs(take.map.data), atol=1e-9)


def test_what_is_heard_is_the_kernel_on_the_map():
    x = noise()
    k = sc.kernel("blur", plane(x.domain))
    wet, before, after = spectrally(x, k)
    heard = listen(x, [("blur", k)], on="spectrogram", **HONEST)
    assert np.array_equal(heard.takes[0].sound.data, wet.data)
    assert np.array_equal(heard.map.data, before.data) and np.array_equal(heard.takes[0].map.data, after.data)
    assert listen(x, [("one", sc.kernel("blur", x))]).map is None


def test_a_bin_up_is_a_bin_up():
    """A tone on a bin, moved by a kernel that shifts three bins of 20 Hz: 60 Hz higher."""
    t = np.arange(16000) / 8000
    x, grid = sound(np.sin(2 * np.pi * 1000 * t)), plane(sc.line(16000, 8000))
    up = sc.Signal([[1.0]], sc.Domain((1, 1), grid.step, (3, 0), grid.unit))
    y = listen(x, [("up", up)], on="spectrogram", **HONEST).takes[0].wet.data[0, 4000:12000]
    lines = np.abs(np.fft.rfft(y))
    assert np.argmax(lines) == 1060 and 20 * np.log10(lines[1000] / lines[1060]) < -40


def test_the_filters_of_a_bank_are_heard_as_channels():
    x = noise()
    take = listen(x, [("edge", sc.kernel("edge", plane(x.domain)))], on="spectrogram").takes[0]
    assert take.sound.value == (2,) and take.map.value == (1, 2)
    assert "2 channels" in " ".join(take.notes) and "DC" not in " ".join(take.notes)
    stereo = listen(noise(4000, 2), [("edge", sc.kernel("edge", plane(x.domain)))], on="spectrogram").takes[0]
    assert stereo.sound.value == (4,)  # each channel along frequency and along time, not one of the two each


@pytest.mark.parametrize(("dry", "options", "word"), [
    (picture(1, 8, 8), {}, "only a sound has one"), (noise(), {"mode": "full"}, "wanted mode 'same'"),
    (sc.Signal(np.ones((1, 9)), sc.line(9, 1, unit="nm")), {}, "only a sound"),
])
def test_what_has_no_spectrogram_is_said(dry, options, word):
    with pytest.raises(sc.SigconvError, match=word):
        listen(dry, [], on="spectrogram", **options)


@pytest.mark.parametrize("like", [sc.line(1, 8000), sc.grid(1, 1)])
def test_a_kernel_for_something_else_is_none_for_a_spectrogram(like):
    with pytest.raises(sc.SigconvError, match=r"sc\.spectrum\.plane"):
        listen(noise(), [("blur", sc.kernel("blur", like))], on="spectrogram")


def test_words_that_are_none():
    for options, word in (({"on": "spectrum"}, "did you mean 'spectrogram'"), ({"then": "rel"}, "did you mean 'relu'"),
                          ({"scan": "rows"}, "as it is"), ({"along": "z"}, "as it is"), ({"scan": "row"}, "did you mean 'rows'")):
        with pytest.raises(sc.SigconvError, match=word):
            listen(noise(), [], **options)


# The chain

@given(st.sampled_from([None, "relu", "abs"]), st.sampled_from([None, "midside", "mono", [[1.0, -2.0]]]),
       st.sampled_from([1.0, 0.4]), st.integers(1, 200))
def test_the_chain_is_kernel_beside_dry_then_rectifier_then_mix(then, how, wet, n):
    x, k = noise(n, 2, seed=n), sc.Signal(RNG(n).standard_normal(5), sc.line(5, 8000))
    y = sc.convolve(x, sc.bypass(k, wet))
    y = chain.NONLINEARITIES[then](y) if then else y
    y = y if how is None else sc.mix(y, how)
    take = listen(x, [("k", k)], then=then, mix=how, wet=wet, **HONEST).takes[0]
    assert np.array_equal(take.wet.data, y.data) and np.array_equal(take.sound.data, y.data) and take.given is k
    loud = listen(x, [("k", k)], then=then, mix=how, wet=wet).takes[0]
    assert np.array_equal(loud.sound.data, y.data * loud.gain)


def test_what_is_matched_is_what_comes_out_at_the_end():
    x = noise(16000, 2)
    heard = listen(x, [("edge", sc.kernel("edge", x))], then="relu", mix="mono", wet=0.7)
    assert loudness(heard.takes[0].sound) == pytest.approx(loudness(heard.sound), abs=0.02)
    assert heard.takes[0].loudness == pytest.approx(loudness(heard.takes[0].wet), abs=1e-9)
    assert heard.chain == ("70 % wet beside 30 % dry", "then relu", "mix mono")
    assert [note.split(":")[0] for note in heard.takes[0].notes] == ["70 % wet", "relu", "mix mono"]


def test_the_magnitude_of_a_note_is_its_envelope():
    """`then abs` of a quadrature pair comes before the real part is taken: no ripple at the note's own frequency."""
    x = sound(np.sin(2 * np.pi * 440 * np.arange(8000) / 8000))
    k = sc.kernel("note:440", x)
    envelope = listen(x, [("note", k)], then="abs", **HONEST).takes[0].wet.data[0, 3500:4500]
    assert envelope.std() < 1e-3 * envelope.mean()
    assert np.array_equal(listen(x, [("note", k)], then="relu", **HONEST).takes[0].wet.data,
                          np.maximum(sc.convolve(x, k).data.real, 0))


def test_colours_are_mixed_under_each_filter_of_a_bank():
    x, k = picture(3, 20, 20), sc.kernel("edge", sc.grid(20, 20))
    take = listen(x, [("edge", k)], mix="grey", **HONEST).takes[0]
    assert take.wet.value == (1, 2)
    assert np.allclose(take.wet.data[0], sc.convolve(x, k).data.mean(axis=0), atol=1e-12)
    assert listen(x, [("blur", sc.kernel("blur", x))], mix="grey").takes[0].wet.value == (1,)


def test_what_the_bypass_did_is_said():
    x = noise()
    late = sc.Signal(np.hanning(9), sc.line(9, 8000))
    said = " ".join(listen(x, [("late", late)], wet=0.5).takes[0].notes)
    assert "50 % wet" in said and "4 samples" in said
    assert "brought" not in " ".join(listen(x, [("blur", sc.kernel("blur", x))], wet=0.5).takes[0].notes)
    dry = listen(x, [("late", late)], wet=0, **HONEST).takes[0]
    assert np.array_equal(dry.sound.data, x.data)


def test_a_bank_that_passes_dc_is_warned_about():
    """Row 34."""
    x = noise(2000)
    bank = sc.Signal([[1.0, -1.0], [0.5, 0.5]], sc.line(2, 8000))
    assert "filter 2 of 2 passes DC" in " ".join(listen(x, [("bank", bank)]).takes[0].notes)
    assert "passes DC" in " ".join(listen(noise(2000, 2), [("bank", bank)]).takes[0].notes)
    level = sc.Signal([[1.0, -1.0], [0.5, -0.5]], sc.line(2, 8000))
    assert "DC" not in " ".join(listen(x, [("bank", level)]).takes[0].notes)
    assert "DC" not in " ".join(listen(x, [("one", sc.kernel("blur", x))]).takes[0].notes)


def test_a_tone_through_relu_from_file_to_file(tmp_path):
    """Row 9, from the command line."""
    rate = 44100
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate), rate, subtype="DOUBLE")
    ran = run("listen", "-k", "identity", "--then", "relu", "--match", "none", "--no-guard", "--no-page", "-o", "y.wav", "a.wav",
              cwd=tmp_path)
    assert ran.code == 0 and "then relu" in ran.out, ran
    y, _ = soundfile.read(tmp_path / "y.wav")
    lines = np.abs(np.fft.rfft(y)) / rate * 2
    assert lines[0] / 2 == pytest.approx(0.5 / np.pi, rel=1e-4) and lines[880] == pytest.approx(1 / np.pi / 3, rel=1e-3)
    assert 20 * np.log10(max(lines[1320::880]) / lines[440]) < -60


# Scans

@pytest.mark.parametrize("how", [[], ["--match", "none", "--no-guard"]])
@pytest.mark.parametrize(("spec", "channels"), [("blur", 3), ("edge", 6), ("laplace", 3)])
def test_rows_that_were_asked_for_load_back(tmp_path, how, spec, channels):
    from PIL import Image

    Image.fromarray(RNG(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    ran = run("listen", "-k", spec, "--scan", "rows", *how, "-o", "y.wav", "a.png", "--no-page", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert soundfile.info(tmp_path / "y.wav").channels == channels
    x = sc.load(tmp_path / "a.png")
    y, back = sc.convolve(x, sc.kernel(spec, x)), hear.unscan(tmp_path / "y.wav")
    assert back.domain == y.domain and back.value == y.value
    assert np.abs(back.data - y.data).max() < (1e-6 if how else 1 / 255)


@pytest.mark.parametrize("spec", ["blur", "edge", "sharpen", "laplace"])
def test_silence_stays_silence_under_a_kernel(spec):
    """A picture of middle grey is silent, before and after, where the kernel reads samples alone."""
    x = sc.Signal(np.full((1, 40, 40), 0.5), sc.grid(40, 40))
    x.data[0, 20, 20] = 0.75
    heard = listen(x, [(spec, sc.kernel(spec, x))], **HONEST)
    assert not np.delete(heard.sound.data[0], 20 * 40 + 20).any()
    for channel in heard.takes[0].sound.data:
        rows = np.abs(channel.reshape(40, 40))
        assert rows[9:31, 9:31].max() > 0.001 and rows[[9, 31], 9:31].max() < 1e-3


def test_by_itself_a_picture_is_heard_in_one_channel_and_said_how():
    heard = listen(picture(3, 30, 40, channels=("R", "G", "B")), [("blur", sc.kernel("blur", sc.grid(30, 40)))])
    assert heard.sound.value == heard.takes[0].sound.value == (1,) and heard.scan == "rows"
    assert "row by row" in " ".join(heard.notes) and "30 × 40" not in " ".join(heard.notes)


def test_rows_that_were_asked_for_are_all_read_and_by_itself_no_more_than_30_s():
    big = sc.Signal(np.zeros((1, 1400, 1000), "float32"), sc.grid(1400, 1000))
    brief, whole = listen(big, []), listen(big, [], scan="rows")
    assert whole.sound.domain.size == 1400 * 1000 and "every second row" not in " ".join(whole.notes)
    assert brief.sound.domain.size == 700 * 1000 and "every second row" in " ".join(brief.notes)


def test_a_scan_by_spectrum_says_its_ranges():
    x = picture(1, 30, 40)
    heard = listen(x, [("blur", sc.kernel("blur", x))], scan="spectrum")
    assert heard.scan == "spectrum" and "110 … 14080 Hz" in " ".join(heard.notes)
    assert np.array_equal(heard.sound.data, hear.scan(x, "spectrum").data * heard.gain)
    assert np.array_equal(heard.takes[0].sound.data, hear.scan(heard.takes[0].wet, "spectrum").data * heard.takes[0].gain)


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_a_volume_is_read_along_a_named_axis(axis):
    x = picture(1, 4, 5, 6)
    heard = listen(x, [("id", sc.kernel("identity", x))], along=axis, **HONEST)
    slow = "zyx".index(axis)
    wanted = np.moveaxis(x.data[0], slow, 0).ravel() - 0.5
    assert np.allclose(heard.sound.data[0], wanted, atol=1e-12) and f"along {axis}" in " ".join(heard.notes)


# From the command line: right, or one line

def test_what_is_said_of_a_chain(tmp_path):
    file = tone(tmp_path / "a.wav", channels=2)
    ran = run("listen", "-k", "edge", "--on", "spectrogram", "--then", "relu", "--mix", "mono", "--wet", 0.5, "--no-page", file,
              cwd=tmp_path)
    assert ran.code == 0, ran
    assert ran.out.startswith("does     edge on the spectrogram, 50 % wet beside 50 % dry, then relu, mix mono: ")
    assert "gradient along frequency and time" in ran.out.splitlines()[0]
    assert [p.name for p in tmp_path.glob("a.e*")] == ["a.edge.spectrogram.wet=0.5.relu.mono.wav"]
    told = json.loads(run("listen", "-k", "edge", "--then", "abs", "--json", "--no-page", file, cwd=tmp_path).out)
    assert (told["then"], told["on"], told["mix"], told["wet"], told["scan"]) == ("abs", "signal", None, 1.0, None)


@pytest.mark.parametrize("options", [["--on", "spectrogram"], ["--then", "relu", "--wet", "0.5"]])
def test_what_is_proposed_next_runs_after_a_chain(tmp_path, options):
    import shlex

    said = run("listen", "-k", "edge", *options, "--no-page", tone(tmp_path / "a.wav"), cwd=tmp_path).out.splitlines()[3]
    for command in said.removeprefix("next").strip().split("   ·   "):
        ran = run(*shlex.split(command)[1:], cwd=tmp_path)
        assert ran.code == 0, (command, ran.err)


def test_a_spectrogram_of_a_file(tmp_path):
    file = tone(tmp_path / "a.wav", 1)
    ran = run("listen", "-k", "identity", "--on", "spectrogram", "--match", "none", "--no-guard", "-o", tmp_path / "y.wav", file)
    assert ran.code == 0, ran.err
    x, y = sc.load(file), sc.load(tmp_path / "y.wav")
    assert np.abs(x.data - y.data).max() < 1e-5 and (tmp_path / "y.html").stat().st_size > 1e4


BAD = {
    "image too small for the kernel": (["-k", "blur", "--mode", "valid", "small.png"], ["17 × 17 on 4 × 4", "'same' or 'full'"]),
    "colours under a stereo kernel": (["-k", "stereo.wav", "small.png"], ["1 axis", "of 2"]),
    "four axes": (["-k", "blur", "four.npy"], ["(2, 2, 2, 2)", "wanted (n,), (h, w) or (d, h, w)"]),
    "mono under midside": (["-k", "edge", "--mix", "midside", "mono.wav"], ["1 channel", "upmix"]),
    "a line on a spectrogram": (["-k", "mono.wav", "--on", "spectrogram", "mono.wav"], ["1 axis", "frequency, time"]),
    "taps on a spectrogram": (["-k", "-1,0,1", "--on", "spectrogram", "mono.wav"], ["2 brackets", "[[-1,0,1]]"]),
    "a picture's spectrogram": (["-k", "edge", "--on", "spectrogram", "small.png"], ["only a sound has one"]),
    "a sound scanned": (["-k", "edge", "--scan", "rows", "mono.wav"], ["it is heard as it is"]),
    "a sound scanned along": (["-k", "edge", "--along", "time", "mono.wav"], ["it is heard as it is"]),
    "an axis that is none": (["-k", "edge", "--along", "q", "small.png"], ["'q'", "wanted y, x"]),
    "a mix that is none": (["-k", "edge", "--mix", "midsid", "stereo.wav"], ["did you mean 'midside'"]),
    "a share that is none": (["-k", "edge", "--wet", "2", "mono.wav"], ["--wet", "0<=x<=1"]),
    "a rectifier that is none": (["-k", "edge", "--then", "rel", "mono.wav"], ["--then", "'relu', 'abs'"]),
    "channels that are none": (["-k", "blur", "--channels", "w", "volume.npy"], ["wanted one of z, y, x"]),
    "channels that are there": (["-k", "blur", "--channels", "x", "small.png"], ["3 channels already"]),
    "channels of a line": (["-k", "edge", "--channels", "x", "mono.wav"], ["at least two"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(tmp_path, case):
    from PIL import Image

    Image.fromarray(RNG(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)).save(tmp_path / "small.png")
    np.save(tmp_path / "four.npy", np.zeros((2, 2, 2, 2)))
    np.save(tmp_path / "volume.npy", np.zeros((2, 3, 4)))
    tone(tmp_path / "mono.wav"), tone(tmp_path / "stereo.wav", channels=2)
    before = sorted(p.name for p in tmp_path.iterdir())
    args, words = BAD[case]
    ran = run("listen", *args, cwd=tmp_path)
    if case in ("four axes", "image too small for the kernel"):
        assert ran.code == 1
        ran.code = 2
    one_line(ran, *words)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize("options", [[], ["--on", "spectrogram"], ["--then", "relu"], ["--wet", "0.5"]])
def test_silence_is_silence(tmp_path, options):
    soundfile.write(tmp_path / "none.wav", np.zeros(8000), 8000)
    ran = run("listen", "-k", "edge", *options, "-o", "y.wav", "none.wav", cwd=tmp_path)
    assert ran.code == 0 and "silent" in ran.out + ran.err, ran
    assert not sc.load(tmp_path / "y.wav").data.any()


def test_a_video_of_one_frame_is_a_picture(tmp_path):
    from PIL import Image

    Image.fromarray(RNG(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(tmp_path / "one.gif")
    ran = run("listen", "-k", "blur", "one.gif", cwd=tmp_path)
    assert ran.code == 0 and (tmp_path / "one.blur.png").exists(), ran


def test_a_result_of_two_colours_is_written_as_samples(tmp_path):
    from PIL import Image

    Image.fromarray(RNG(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    ran = run("listen", "-k", "blur", "--mix", "[[1,0,0],[0,1,0]]", "--no-page", "a.png", cwd=tmp_path)
    assert ran.code == 0 and sc.load(tmp_path / "a.blur.mix.npz").value == (2,), ran


def test_rectified_contours_lie_on_black(tmp_path):
    from PIL import Image

    Image.fromarray(np.tile(np.repeat([40, 90], 20).astype(np.uint8), (40, 1))).save(tmp_path / "step.png")
    assert run("listen", "-k", "[[0,0,0],[1,0,-1],[0,0,0]]", "--then", "relu", "--no-page", "step.png", cwd=tmp_path).code == 0
    seen = np.asarray(Image.open(next(tmp_path.glob("step.taps*.png"))))
    assert seen[20, 10] == 0 and seen[20, 19] > 100


def test_channels_of_a_cube_and_time_of_a_line(tmp_path):
    """Row 62: a cube as an image of many channels; a bare line as sound at its rate."""
    cube = RNG(0).random((6, 7, 20))
    np.save(tmp_path / "cube.npy", cube)
    assert run("listen", "-k", "blur", "--channels", "x", "--no-page", "cube.npy", cwd=tmp_path).code == 0
    y = sc.load(tmp_path / "cube.blur.npz")
    x = sc.Signal(np.moveaxis(cube, 2, 0), sc.grid(6, 7))
    assert y.value == (20,) and np.allclose(y.data, sc.convolve(x, sc.kernel("blur", x)).data)
    np.save(tmp_path / "line.npy", RNG(1).standard_normal(900))
    ran = run("listen", "-k", "edge", "--rate", 360, "--match", "none", "--no-guard", "--no-page", "line.npy", cwd=tmp_path)
    assert ran.code == 0 and sc.load(tmp_path / "line.edge.wav").rate == 360
    assert not (tmp_path / "line.edge.npz").exists()


@pytest.mark.skipif(not REAL.exists(), reason="no real data beside the checkout")
@pytest.mark.parametrize(("args", "file"), [
    ("--on spectrogram -k edge", "audio/libri1.ogg"), ("-k edge --then relu", "audio/trumpet.ogg"),
    ("-k room --wet 0.3", "audio/robin.ogg"), ("-k lowpass --mix midside", "audio/vibeace.ogg"),
    ("-k edge --scan spectrum", "images/camera.png"), ("-k blur --scan rows", "images/coins.png"),
    ("-k blur --along x", "volume/mni152_t1_2mm.npy"), ("-k blur --channels x", "hyperspectral/corn_kernel.npy"),
    ("-k edge", "hyperspectral/corn_kernel.npy"), ("-k edge --rate 360", "biosignal/ecg.npy"), ("-k edge", "biosignal/ecg.npy")])
def test_real_input(tmp_path, args, file):
    path = REAL / file
    if "audio" in file:  # a second is enough
        x, rate = soundfile.read(path, frames=44100)
        x = np.stack([x, x[::-1]], 1) if "midside" in args and x.ndim == 1 else x
        path = tmp_path / "cut.wav"
        soundfile.write(path, x, rate)
    ran = run("listen", *args.split(), path, "-o", f"{tmp_path}/out/", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    y, _ = soundfile.read(told["sound"])
    assert 0.001 < np.abs(y).max() <= 1 and len(y) == told["samples"]


def test_what_is_hardly_heard_is_held_back():
    """An envelope is mostly DC, which ears do not hear: raised to dry's loudness it would push everything else down."""
    n, rate = 44100, 44100
    t = np.arange(n) / rate
    dry = sc.Signal((0.3 * np.sin(2 * np.pi * 523 * t) * np.minimum(t * 20, 1))[None], sc.line(n, rate))
    heard = sc.hear.listen(dry, [("note", sc.kernel("note:523,0.2", dry))], then="abs")
    (take,) = heard.takes
    assert heard.gain >= 10 ** (-(20 + 0.1) / 20)
    assert any("held back" in note for note in take.notes)
    assert sc.hear.true_peak(take.sound) <= -0.99
    plain = sc.hear.listen(dry, [("edge", sc.kernel("edge", dry))])
    assert not any("held back" in note for note in plain.takes[0].notes)


def test_a_border_that_makes_much_of_a_picture_is_told():
    bright = sc.Signal(np.full((1, 60, 60), 0.9), sc.grid(60, 60))
    k = sc.kernel("edge", bright)

    def notes(x, **options):
        return " ".join(sc.hear.listen(x, [("edge", k)], **options).takes[0].notes)

    assert "100 % of the result's energy is its border" in notes(bright)
    assert "border" not in notes(bright, padding_mode="reflect")
    drawn = np.zeros((1, 60, 60))
    drawn[0, 20:40, 20:40] = 1
    assert "border" not in notes(sc.Signal(drawn, bright.domain))
