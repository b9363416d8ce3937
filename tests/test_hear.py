"""Fair ears: one loudness, no clipping, no offset, and gains that say all that was done; everything made audible."""

import sys
import types

import numpy as np
import pytest
from command import REAL
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv import hear
from sigconv.hear import fair, listen, loudness, true_peak
from sigconv.hear.scans import RASTER

SOUNDS = [p for p in ("audio/trumpet.ogg", "audio/libri1.ogg", "audio/guit_em9.flac", "audio/loop_tabla.flac",
                      "multichannel/speech_a.flac", "noise/running_tap.flac") if (REAL / p).exists()]
CENTRED = {"edge3": [0.5, 0.0, -0.5], "laplace": [1.0, -2.0, 1.0], "box": [1 / 9] * 9, "sharpen": [-1.0, 3.0, -1.0],
           "loud": [0.0, 50.0, 0.0], "faint": [0.0, 1e-5, 0.0]}


def sound(data, rate=8000, channels=None):
    data = np.atleast_2d(data)
    return sc.Signal(data, sc.line(data.shape[-1], rate), channels)


def taps(values, rate=8000, start=None):
    values = np.asarray(values)
    k = sc.Signal(values, sc.line(values.shape[-1], rate))
    return sc.Signal(values, k.domain.centre()) if start is None else k.at(start)


def voice(n=8000, channels=1, rate=8000, seed=0):
    """Noise in bursts, coloured: something with peaks and pauses."""
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.standard_normal((channels, n)), axis=1)
    x = x - np.linspace(0, 1, n) * x[:, -1:]
    x = 0.2 * np.diff(x, axis=1, prepend=0) + 0.01 * x
    return sound(x * (0.6 + 0.4 * np.sin(np.arange(n) / n * 40)) * 0.3, rate)


def kernels(rate):
    named = [(name, taps(values, rate)) for name, values in CENTRED.items()]
    rng = np.random.default_rng(7)
    room = rng.standard_normal(rate // 4) * np.exp(-np.arange(rate // 4) / (0.05 * rate))
    return [*named, ("edge", taps([1.0, -1.0], rate, 0)), ("room", taps(room, rate, 0))]


def check_fair(heard, dry):
    """What every listening with match and guard keeps."""
    target = loudness(heard.sound)
    assert heard.sound.data.shape == dry.data.shape and heard.sound.domain == dry.domain
    peaks = [true_peak(heard.sound)]
    for take in heard.takes:
        assert take.sound.data.shape == dry.data.shape and take.sound.domain == dry.domain
        assert loudness(take.sound) == pytest.approx(target, abs=0.05), take.name
        assert np.abs(take.sound.data).max() < 1
        peaks.append(true_peak(take.sound))
        assert take.loudness + take.gain_db == pytest.approx(target, abs=0.3)  # less the blocks that cross the gate
        assert take.true_peak + take.gain_db == pytest.approx(peaks[-1], abs=1e-3)
    assert max(peaks) <= -1 + 1e-3
    assert heard.gain <= 1
    if heard.gain < 1:  # the guard lowers no more than it must
        assert max(peaks) == pytest.approx(-1, abs=1e-3)


@pytest.mark.parametrize("name", SOUNDS)
def test_real_sounds_are_heard_at_one_loudness_and_never_clip(name):
    import soundfile

    x, rate = soundfile.read(REAL / name, dtype="float32", always_2d=True, frames=4 * 44100)
    dry = sound(x.T.copy(), rate)
    heard = listen(dry, kernels(rate))
    check_fair(heard, dry)
    assert [take.name for take in heard.takes] == [name for name, _ in kernels(rate)]


@pytest.mark.parametrize("name", SOUNDS[:3])
def test_results_lie_0_samples_apart_from_dry_under_symmetric_kernels(name):
    import soundfile

    x, rate = soundfile.read(REAL / name, dtype="float32", always_2d=True, frames=2 * 44100)
    dry = sound(x.T.copy(), rate)
    for take in listen(dry, [(n, taps(CENTRED[n], rate)) for n in ("box", "sharpen", "laplace")]).takes:
        a, b = dry.data[0].astype(float), take.sound.data[0].astype(float)
        near = [abs(np.dot(a[50:-50], b[50 + lag: len(b) - 50 + lag])) for lag in range(-50, 51)]
        assert int(np.argmax(near)) - 50 == 0, take.name


@given(st.integers(40, 9000), st.integers(1, 3), st.integers(0, 10**6), st.sampled_from(["float32", "float64"]))
def test_any_sound_and_any_kernel_are_made_fair(n, channels, seed, dtype):
    rng = np.random.default_rng(seed)
    dry = voice(n, channels, seed=seed).to(dtype=dtype) * float(10 ** rng.uniform(-4, 1))
    kernel = taps(rng.standard_normal(rng.integers(1, 2 * n)) * 10 ** rng.uniform(-3, 3))
    heard = listen(dry, [("k", kernel)])
    take = heard.takes[0]
    for s in (heard.sound, take.sound):
        assert np.abs(s.data).max() < 1 and true_peak(s) <= -0.99
    assert fair.measure(take.sound).loudness == pytest.approx(fair.measure(heard.sound).loudness, abs=0.05)


@given(st.integers(1, 300), st.integers(1, 400), st.sampled_from(["float32", "float64"]), st.sampled_from(["same", "full"]),
       st.sampled_from([(), (3,), (2, 2)]))
def test_without_match_and_guard_the_samples_are_those_of_convolve(n, k, dtype, mode, value):
    rng = np.random.default_rng(n)
    dry = sound(5 * rng.standard_normal((2, n)).astype(dtype))
    kernel = taps(rng.standard_normal((*value, k)))
    take = listen(dry, [("k", kernel)], match="none", guard=False, mode=mode).takes[0]
    y = sc.convolve(dry, kernel, mode=mode)
    assert take.gain == 1.0 and take.sound.domain == y.domain
    assert take.sound.data.dtype == y.data.dtype
    assert np.array_equal(take.sound.data, y.data.reshape(-1, y.domain.shape[0]))
    assert take.wet.data.shape == take.sound.data.shape


@given(st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=40), st.integers(-20, 0))
def test_an_impulse_returns_the_taps_at_gain_1(values, start):
    dry = sound(np.eye(1, 101, 50))
    take = listen(dry, [("k", taps(values, start=start))], match="none", guard=False).takes[0]
    assert take.gain == 1.000
    assert np.array_equal(take.sound.data[0, 50 + start: 50 + start + len(values)], values)
    assert np.count_nonzero(take.sound.data) == np.count_nonzero(values)


@pytest.mark.parametrize("match", ["loudness", "rms", "peak", "none"])
@pytest.mark.parametrize("guard", [True, False])
def test_the_gains_are_all_that_was_done_and_their_product_is_applied(match, guard):
    dry = voice(16000, 2) * 4
    heard = listen(dry, kernels(8000), match=match, guard=guard)
    assert np.array_equal(heard.sound.data, dry.data * heard.gain)
    for take in heard.takes:
        wet = sc.convolve(dry, take.kernel)
        assert type(take.gain) is float and np.array_equal(take.sound.data, wet.data * take.gain)
        assert np.array_equal(take.wet.data, wet.data)
        own = take.gain / heard.gain
        if match == "none":
            assert own == 1.0
        elif match == "rms":
            assert np.sqrt(np.mean(take.sound.data**2)) == pytest.approx(np.sqrt(np.mean(heard.sound.data**2)), rel=1e-9)
        elif match == "peak":
            assert np.abs(take.sound.data).max() == pytest.approx(np.abs(heard.sound.data).max(), rel=1e-9)
        else:
            assert loudness(take.sound) == pytest.approx(loudness(heard.sound), abs=0.02)
    assert heard.gain == (heard.gain if guard else 1.0)
    highest = max(true_peak(s) for s in [heard.sound, *(take.sound for take in heard.takes)])
    assert (highest == pytest.approx(-1, abs=1e-3)) if guard else (highest > 0)


def test_a_faint_result_is_matched_at_the_level_where_it_is_heard():
    """Its quiet blocks lie under the gate as it is, and above it as heard: 1.6 LU apart if that were overlooked."""
    dry = voice(40000) * 3
    faint = dry.data * np.where(np.arange(40000) % 16000 < 8000, 1.0, 0.35) * 0.001
    heard = listen(sound(faint * 1000), [("faint", taps([0.001]))])
    check_fair(heard, sound(faint))
    assert loudness(heard.takes[0].sound) == pytest.approx(loudness(heard.sound), abs=1e-3)


def test_the_guard_only_lowers():
    heard = listen(voice() * 0.01, [("one", taps([1.0]))])
    assert heard.gain == 1.0 and heard.takes[0].gain == pytest.approx(1.0, abs=1e-12)


def test_the_filtered_sound_is_scipys_times_the_gain():
    from scipy.signal import convolve

    dry = voice(12000).to(dtype="float32")
    kernel = np.random.default_rng(2).standard_normal(255)
    take = listen(dry, [("k", taps(kernel))]).takes[0]
    expected = convolve(dry.data[0].astype(float), kernel, "same") * take.gain
    bound = 16 * np.finfo("float32").eps * np.abs(kernel).sum() * np.abs(dry.data).max() * take.gain
    assert np.abs(take.sound.data[0] - expected).max() < bound


def test_silence_is_said_and_left_alone():
    heard = listen(voice(), [("none", taps([0.0])), ("one", taps([1.0]))])
    silent, one = heard.takes
    assert silent.gain == heard.gain and silent.loudness == silent.true_peak == -np.inf
    assert not silent.sound.data.any() and "silent" in " ".join(silent.notes) and not one.notes
    assert "silence" in hear.lines(heard)[1] and "not matched" in hear.lines(heard)[1]
    dead = listen(sound(np.zeros(8000)), [("edge", taps([1.0, -1.0]))])
    assert dead.gain == dead.takes[0].gain == 1.0 and dead.loudness == -np.inf and "silent" in " ".join(dead.notes)


def test_what_is_nothing_but_rounding_is_not_raised_to_be_heard():
    ramp = sound((np.arange(4000) / 4000).astype("float32"))
    second = [("second difference", taps([1.0, -2.0, 1.0]))]
    heard = listen(ramp, second, mode="valid")
    assert "nothing but rounding" in heard.takes[0].notes and heard.takes[0].gain == heard.gain
    assert "nothing but rounding" not in listen(ramp, second).takes[0].notes  # there the ends are edges


def test_a_sound_below_the_gate_is_matched_all_the_same():
    dry = voice() * 1e-5
    assert loudness(dry) == -np.inf
    heard = listen(dry, [("ten", taps([10.0]))])
    assert heard.takes[0].gain == pytest.approx(0.1, rel=1e-6) and "below the gate" in " ".join(heard.notes)
    assert heard.loudness == pytest.approx(loudness(dry * 1e5) - 100, abs=1e-6)


def test_a_clip_of_one_block_is_said():
    assert "one block" in " ".join(listen(voice(800), []).notes)
    assert listen(voice(8000), []).notes == ()


def test_of_a_complex_kernel_the_real_part_is_heard_and_said():
    k = taps(np.exp(2j * np.pi * np.arange(64) / 8) / 64)
    take = listen(voice(), [("note", k)]).takes[0]
    assert take.wet.data.dtype == np.float64 and "real part" in " ".join(take.notes)
    assert np.array_equal(take.wet.data, sc.convolve(voice(), k).data.real)


def test_a_bank_of_c_filters_on_c_channels_goes_channel_by_channel():
    dry, k = voice(4000, 2), taps(np.array([[1.0, -1.0], [0.5, 0.5]]))
    take = listen(dry, [("pair", k)], match="none", guard=False).takes[0]
    assert take.wet.value == (2,) and "channel by channel" in " ".join(take.notes)
    for c in range(2):
        alone = sc.convolve(sound(dry.data[c]), taps(k.data[c]))
        assert np.allclose(take.sound.data[c], alone.data[0], atol=1e-12)


def test_another_bank_gives_a_channel_for_each_filter_with_its_name():
    dry = sc.Signal(voice(4000, 2).data, sc.line(4000, 8000), ("L", "R"))
    k = sc.Signal(np.eye(3), sc.line(3, 8000), ("a", "b", "c"))
    take = listen(dry, [("bank", k)], match="none", guard=False).takes[0]
    assert take.wet.value == (6,) and take.wet.channels == ("L a", "L b", "L c", "R a", "R b", "R c")
    assert np.array_equal(take.wet.data[4, 1:], dry.data[1, :-1]) and "bank of 3" in " ".join(take.notes)
    mono = listen(voice(4000), [("bank", k)], match="none", guard=False).takes[0]
    assert mono.wet.channels == ("a", "b", "c")
    one = listen(voice(100), [("bank of one", taps(np.array([[1.0, 2.0]])))], match="none", guard=False).takes[0]
    assert one.sound.value == (1,)


@pytest.mark.parametrize("n", [1, 2, 7, 500])
def test_kernels_longer_than_the_signal(n):
    dry = sound(np.random.default_rng(n).standard_normal(n))
    heard = listen(dry, [("long", taps(np.random.default_rng(1).standard_normal(1001)))])
    assert heard.takes[0].sound.domain == dry.domain and np.isfinite(heard.takes[0].sound.data).all()


def test_full_keeps_the_tail_and_says_where_it_begins():
    dry = voice(4000)
    late, early = listen(dry, [("room", taps(np.ones(400), start=0)), ("box", taps(np.ones(9)))], mode="full").takes
    assert late.sound.domain.shape == (4399,) and late.sound.domain.start == (0,) and late.notes == ()
    assert early.sound.domain.start == (-4,) and "4 samples before dry" in " ".join(early.notes)


def test_inputs_are_left_as_they_are_and_the_same_call_gives_the_same_bits():
    dry, ks = voice(), kernels(8000)
    before = dry.data.copy()
    dry.data.setflags(write=False)
    a, b = listen(dry, ks), listen(dry, ks)
    assert np.array_equal(dry.data, before)
    assert all(np.array_equal(p.sound.data, q.sound.data) and p.gain == q.gain for p, q in zip(a.takes, b.takes, strict=True))


def test_tensors_are_heard_without_their_graph():
    torch = pytest.importorskip("torch")
    k = taps([1.0, -1.0], start=0)
    kt = sc.Signal(torch.tensor([1.0, -1.0], dtype=torch.float64, requires_grad=True), k.domain)
    got = listen(voice().to("torch"), [("edge", kt)]).takes[0]
    assert type(got.sound.data) is np.ndarray
    assert np.array_equal(got.sound.data, listen(voice(), [("edge", k)]).takes[0].sound.data)


def test_bad_questions_have_one_line_answers():
    with pytest.raises(sc.SigconvError, match="did you mean 'loudness'"):
        listen(voice(), [], match="loudnes")
    with pytest.raises(sc.SigconvError, match="nothing to hear"):
        listen(sound(np.zeros((1, 0))), [])
    with pytest.raises(sc.SigconvError, match="resample"):
        listen(voice(), [("edge", taps([1.0, -1.0], rate=44100))])
    with pytest.raises(sc.SigconvError, match="wanted a Signal"):
        listen(np.zeros(4), [])


def test_lines_print_the_fields_to_9_digits():
    heard = listen(voice(), [("edge", taps([1.0, -1.0]))])
    first, second = hear.lines(heard)
    assert first.startswith("dry: gain ") and f"× {heard.takes[0].gain:.9g})" in second
    assert f"{heard.takes[0].loudness:.1f} LUFS" in second
    printed = float(second.split("× ")[1].split(")")[0])
    assert printed == pytest.approx(heard.takes[0].gain, rel=1e-8)


# Images, volumes, kernels as sound.


def image(data, **options):
    data = np.asarray(data, float)
    return sc.Signal(data, sc.grid(*data.shape[-2:]), **options)


def peak_hz(x):
    spectrum = np.abs(np.fft.rfft(x.data[0] * np.hanning(x.data.shape[1])))
    return np.argmax(spectrum[1:]) + 1, x.rate / x.data.shape[1]


def test_a_vertical_line_is_a_tone_at_the_row_rate_and_stripes_at_their_own():
    one = np.zeros((1, 200, 256))
    one[:, :, 100] = 1
    x = hear.audible(image(one))
    spectrum = np.abs(np.fft.rfft(x.data[0]))
    comb = spectrum[:: 200]  # 200 rows: multiples of RASTER / 256
    assert np.sum(comb**2) == pytest.approx(np.sum(spectrum**2), rel=1e-9)
    stripes = np.tile(np.sin(2 * np.pi * np.arange(256) / 16), (1, 200, 1))
    bin_, hz = peak_hz(hear.audible(image(stripes)))
    assert bin_ * hz == pytest.approx(RASTER / 16, rel=0.002)


def test_a_horizontal_line_is_a_click_at_its_row():
    one = np.zeros((1, 200, 256))
    one[:, 150] = 1
    x = hear.audible(image(one))
    loud = np.flatnonzero(x.data[0] == 0.5)
    assert loud[0] == 150 * 256 and loud[-1] == 151 * 256 - 1 and len(loud) == 256


def test_gradients_are_left_and_right():
    rgb = image(np.random.default_rng(0).random((3, 32, 32)), channels=("R", "G", "B"))
    k = sc.Signal(np.random.default_rng(1).standard_normal((2, 3, 3)), sc.grid(3, 3).centre(), ("y", "x"))
    take = listen(rgb, [("edge", k)], match="none", guard=False).takes[0]
    assert take.wet.value == (3, 2) and take.sound.value == (2,) and take.sound.channels == ("y", "x")
    y = sc.convolve(image(rgb.data.mean(axis=0)), sc.Signal(k.data[1], k.domain)).data.ravel()
    assert np.allclose(take.sound.data[1], y - 0.5 * k.data[1].sum(), atol=1e-12)


@pytest.mark.parametrize("value", [(), (1,), (3,)])
@pytest.mark.parametrize("bank", [(), (2,)])
def test_images_and_volumes_are_heard_fairly(value, bank):
    rng = np.random.default_rng(4)
    for shape in ((40, 50), (10, 20, 30)):
        dry = sc.Signal(rng.random((*value, *shape)), sc.grid(*shape))
        k = sc.Signal(rng.standard_normal((*bank, *(3,) * len(shape))), sc.grid(*(3,) * len(shape)).centre())
        heard = listen(dry, [("k", k)])
        take = heard.takes[0]
        assert take.wet.value == value + bank and np.array_equal(take.wet.data, sc.convolve(dry, k).data)
        assert take.sound.value == (bank or (1,)) and take.sound.domain == heard.sound.domain
        assert loudness(take.sound) == pytest.approx(loudness(heard.sound), abs=0.02)
        assert max(true_peak(take.sound), true_peak(heard.sound)) <= -0.999
        assert hear.legend(dry.domain) in " ".join(heard.notes)


@pytest.mark.parametrize("name", ["images/coffee.png", "volume/mni152_t1_2mm.npy"])
def test_a_real_photograph_and_volume(name):
    if not (REAL / name).exists():
        pytest.skip("needs the real data")
    dry = sc.load(REAL / name)
    k = sc.Signal(np.full((3,) * dry.domain.ndim, 1 / 3 ** dry.domain.ndim),
                  sc.Domain((3,) * dry.domain.ndim, dry.domain.step, -1, dry.domain.unit))
    heard = listen(dry, [("box", k)])
    assert loudness(heard.takes[0].sound) == pytest.approx(loudness(heard.sound), abs=0.05)
    assert 1 < heard.sound.domain.extent[0][1] <= 30.1


def test_a_line_that_is_not_time_is_one_row():
    spectrum = sc.Signal(np.arange(5.0), sc.line(5, 1, unit="nm"))
    x = hear.audible(spectrum)
    assert x.rate == RASTER and np.allclose(x.data, np.array([[-2, -1, 0, 1, 2]]) / 2)
    assert listen(spectrum, [("d", sc.Signal([1.0, -1.0], sc.line(2, 1, unit="nm")))]).takes[0].sound.rate == RASTER


def test_a_sound_is_audible_as_it_is():
    x = voice(100, 2) * 50
    assert hear.audible(x) is x or np.array_equal(hear.audible(x).data, x.data)


@pytest.mark.parametrize("through", list(hear.SOURCES))
@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_kernels_are_heard_through_every_source_at_its_stated_level(through, rate):
    one = hear.audible(taps([1.0], rate), through=through)
    assert one.value == (1,) and one.rate == rate and 1 < one.domain.extent[0][1] < 4
    peak, rms = np.abs(one.data).max(), np.sqrt(np.mean(one.data**2))
    stated = {"noise": (rms, 0.1, 0.003), "sweep": (peak, 0.5, 0.01), "impulses": (peak, 0.5, 0), "loop": (peak, 0.5, 0.001),
              "speech": (peak, 0.6, 0.05)}
    value, level, tolerance = stated[through]
    assert value == pytest.approx(level, abs=tolerance)
    assert np.array_equal(one.data, hear.audible(taps([1.0], rate), through=through).data)
    loud = hear.audible(taps([40.0, 0.0, 3.0], rate), through=through)
    assert np.abs(loud.data).max() == pytest.approx(1.0)
    bank = hear.audible(taps(np.eye(3), rate), through=through)
    assert bank.value == (3,)


def test_impulses_are_the_kernel_and_its_tail_is_kept():
    k = taps([0.5, 0.25, 0.125], start=0)
    x = hear.audible(k, through="impulses")
    assert np.allclose(x.data[0, :3], k.data / 2) and np.allclose(x.data[0, 4000:4003], k.data / 2)
    assert hear.audible(k, through=voice(100)).domain.shape == (102,)


def test_a_sweep_hears_the_response():
    lowpass = taps(np.sinc(np.arange(-64, 65) / 4) * np.hanning(129) / 4)  # cuts at 1 kHz
    x = hear.audible(lowpass, through="sweep").data[0]
    low, high = np.abs(x[: len(x) // 2]).max(), np.abs(x[-len(x) // 8: -200]).max()
    assert low == pytest.approx(0.5, abs=0.02) and high < 0.005


def test_through_has_its_own_errors():
    with pytest.raises(sc.SigconvError, match="did you mean 'sweep'"):
        hear.audible(taps([1.0]), through="swep")
    with pytest.raises(sc.SigconvError, match="resample"):
        hear.audible(taps([1.0]), through=voice(100, rate=16000))


class Device(types.ModuleType):
    """sounddevice as it is seen from here."""

    class PortAudioError(Exception):
        pass

    def __init__(self, there=True):
        super().__init__("sounddevice")
        self.there, self.played = there, []

    def query_devices(self, kind):
        if not self.there:
            raise self.PortAudioError("no default output device")

    def play(self, data, rate, blocking):
        self.played.append((data, rate, blocking))


def test_play_plays_or_says_that_it_can_not(monkeypatch):
    there = Device()
    monkeypatch.setitem(sys.modules, "sounddevice", there)
    x = voice(100, 2)
    assert hear.play(x) is True
    data, rate, blocking = there.played[0]
    assert np.array_equal(data, x.data.T.astype("float32")) and rate == 8000 and blocking
    monkeypatch.setitem(sys.modules, "sounddevice", Device(there=False))
    assert hear.play(x) is False
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert hear.play(x) is False


def test_ears_wait_for_neither_torch_nor_scipy():
    import subprocess

    script = ("import sys, numpy as np, sigconv as sc; from sigconv import hear;"
              "x = sc.Signal(np.random.default_rng(0).standard_normal((2, 44100)), sc.line(44100, 44100));"
              "k = sc.Signal([1.0, -1.0], sc.line(2, 44100)); hear.lines(hear.listen(x, [('k', k)])); hear.scan(x);"
              "print([m for m in ('torch', 'scipy', 'matplotlib', 'librosa', 'soxr', 'soundfile') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("ears", [hear.audible, loudness, true_peak])
@pytest.mark.parametrize("thing", [5, None, [1.0, 2.0]])
def test_what_is_no_signal_is_said_so(ears, thing):
    with pytest.raises(sc.SigconvError, match=f"a {type(thing).__name__}.*wanted a"):
        ears(thing)


@pytest.mark.parametrize("kernels", [["edge"], [5], [("edge", "edge")], [("edge",)]])
def test_kernels_that_are_no_pairs_are_said_so(kernels):
    with pytest.raises(sc.SigconvError, match="wanted pairs of a name and a Signal"):
        listen(sc.Signal([[1.0, 0.0]], sc.line(2, 8000)), kernels)
