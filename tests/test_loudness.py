"""BS.1770: the standard's own facts, and parity with torchaudio and ffmpeg on real sounds."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from command import REAL
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv.engines import conv
from sigconv.hear import levels, loudness, true_peak

SOUNDS = [p for p in ("audio/trumpet.ogg", "audio/libri1.ogg", "audio/robin.ogg", "audio/guit_em9.flac", "audio/loop_tabla.flac",
                      "noise/running_tap.flac") if (REAL / p).exists()]
RATES = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000]


def sound(data, rate, channels=None):
    data = np.atleast_2d(data)
    return sc.Signal(data, sc.line(data.shape[1], rate), channels)


def tone(frequency, rate, seconds, db=0.0, phase=0.0):
    return 10 ** (db / 20) * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate + phase)


def real(name, seconds=None):
    import soundfile

    x, rate = soundfile.read(REAL / name, dtype="float32", always_2d=True)
    return sound(x[: None if seconds is None else int(seconds * rate)].T.copy(), rate)


@pytest.mark.parametrize("rate", RATES)
def test_a_full_scale_997_hz_sine_reads_minus_3_01_at_every_rate(rate):
    assert loudness(sound(tone(997, rate, 2), rate)) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_ebu_tech_3341_cases_1_to_5(rate):
    def stereo(*parts):
        x = np.concatenate([tone(1000, rate, seconds, db) for seconds, db in parts])
        return loudness(sound(np.stack([x, x]), rate))

    assert stereo((20, -23)) == pytest.approx(-23, abs=0.1)
    assert stereo((20, -33)) == pytest.approx(-33, abs=0.1)
    assert stereo((10, -36), (60, -23), (10, -36)) == pytest.approx(-23, abs=0.1)
    assert stereo((10, -72), (10, -36), (60, -23), (10, -36), (10, -72)) == pytest.approx(-23, abs=0.1)
    assert stereo((20, -26), (20.1, -20), (20, -26)) == pytest.approx(-23, abs=0.1)


def test_ebu_tech_3341_case_6_surround_channels_by_name():
    levels_db = {"L": -28, "R": -28, "C": -24, "LFE": 0, "Ls": -30, "Rs": -30}
    x = np.stack([tone(1000, 48000, 5, db) for db in levels_db.values()])
    assert loudness(sound(x, 48000, list(levels_db))) == pytest.approx(-23, abs=0.1)
    alone = loudness(sound(x[4:5], 48000, ["Ls"])) - loudness(sound(x[4:5], 48000, ["L"]))
    assert alone == pytest.approx(10 * np.log10(1.41), abs=1e-9)
    assert loudness(sound(x[3:4], 48000, ["LFE"])) == -np.inf


def test_the_filter_is_the_tables_of_the_standard_at_48_khz():
    from scipy.signal import freqz, lfilter

    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585])
    highpass = ([1, -2, 1], [1, -1.99004745483398, 0.99007225036621])
    h = levels.kweighting(48000).data
    impulse = np.zeros(len(h) + 48000)
    impulse[0] = 1
    expected = lfilter(*highpass, lfilter(*shelf, impulse))
    assert np.abs(h - expected[: len(h)]).max() < 1e-5
    assert np.sum(expected[len(h):] ** 2) < 1.1e-12 * np.sum(expected**2)
    f = np.geomspace(20, 20000, 200)
    response = abs(freqz(*shelf, f, fs=48000)[1] * freqz(*highpass, f, fs=48000)[1])
    ours = abs(np.exp(-2j * np.pi * np.outer(f, np.arange(len(h))) / 48000) @ h)
    assert np.abs(20 * np.log10(ours / response)).max() < 0.01


@pytest.mark.parametrize("rate", RATES)
def test_the_weighting_in_hz_is_that_of_48_khz_at_other_rates(rate):
    def response(at, f):
        h = levels.kweighting(at).data
        return 20 * np.log10(abs(np.exp(-2j * np.pi * np.outer(f, np.arange(len(h))) / at) @ h))

    f = np.geomspace(25, min(0.4 * rate, 18000), 100)
    error = np.abs(response(rate, f) - response(48000, f))
    assert error[f < 1000].max() < (0.25 if rate < 16000 else 0.06)  # the bilinear transform's warp, calibrated at 997 Hz
    assert error.max() < (0.5 if rate < 32000 else 0.2)


@pytest.mark.parametrize("rate", [1, 7, 50, 100, 360, 1000, 3500, 3700, 1_000_000])
def test_any_rate_has_a_stable_filter_and_a_number(rate):
    h = levels.kweighting(rate).data
    assert np.isfinite(h).all() and np.abs(h).max() < 3
    x = np.random.default_rng(0).standard_normal((2, 3 * max(rate, 2) if rate < 10**5 else rate // 2))
    assert np.isfinite(loudness(sound(x, rate)))


@pytest.mark.parametrize("name", SOUNDS)
def test_parity_with_torchaudio_on_real_sounds(name):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchaudio.functional")
    x = real(name, 8)
    x = x * (0.25 / np.abs(x.data).max())  # its filters clip at ±1
    assert loudness(x) == pytest.approx(float(functional.loudness(torch.tensor(x.data), x.rate)), abs=0.1)


def _ffmpeg(name):
    done = subprocess.run(["ffmpeg", "-nostats", "-hide_banner", "-i", str(REAL / name), "-filter_complex", "ebur128=peak=true",
                           "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    summary = done[done.rfind("Integrated"):]
    return [float(re.search(pattern, summary)[1]) for pattern in (r"I:\s+(\S+)", r"Peak:\s+(\S+)")]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
@pytest.mark.parametrize("name", SOUNDS)
def test_parity_with_ffmpeg_on_real_sounds(name):
    loud, peak = _ffmpeg(name)
    x = real(name)
    assert loudness(x) == pytest.approx(loud, abs=0.1)
    assert true_peak(x) == pytest.approx(peak, abs=0.1)


@pytest.mark.parametrize("name", [n for n in SOUNDS if "libri" in n or "tap" in n])
def test_loudness_is_that_of_the_same_sound_at_48_khz(name):
    x = real(name, 6)
    assert loudness(x) == pytest.approx(loudness(sc.resample(x, 48000)), abs=0.2)  # the warp: 0.15 LU on noise at 16 kHz


@given(st.integers(-40, 30), st.sampled_from([8000, 44100]), st.sampled_from(["float32", "float64"]))
def test_loudness_follows_the_level(db, rate, dtype):
    x = 0.05 * np.random.default_rng(3).standard_normal((2, rate)).astype(dtype)
    x[:, : rate // 3] *= 0.5
    factor = 10 ** (db / 20)
    assert loudness(sound(x * factor, rate)) == pytest.approx(loudness(sound(x, rate)) + db, abs=2e-3)
    assert true_peak(sound(x * factor, rate)) == pytest.approx(true_peak(sound(x, rate)) + db, abs=1e-4)


@given(st.integers(1, 6), st.integers(1, 400))
def test_k_equal_channels_are_10_lg_k_louder(k, milliseconds):
    x = np.random.default_rng(k).standard_normal(8 * milliseconds)
    assert loudness(sound(np.stack([x] * k), 8000)) == pytest.approx(loudness(sound(x, 8000)) + 10 * np.log10(k), abs=1e-6)


def test_a_clip_under_400_ms_is_one_block_and_the_gates_leave_it():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(3000)
    y = conv(x[None, None], levels.kweighting(8000).data[None, None], window=(0, 3000))[0, 0]
    assert loudness(sound(x, 8000)) == pytest.approx(-0.691 + 10 * np.log10(np.mean(y**2)), abs=1e-9)
    once = loudness(sound(np.concatenate([x, np.zeros(200)]), 8000))  # exactly 400 ms: still one block, of all 3200
    assert once == pytest.approx(-0.691 + 10 * np.log10(np.sum(y**2) / 3200), abs=0.05)


def test_silence_and_what_lies_under_the_gate_are_minus_infinity():
    assert loudness(sound(np.zeros((2, 8000)), 8000)) == -np.inf
    assert loudness(sound(np.zeros((2, 0)), 8000)) == -np.inf
    assert true_peak(sound(np.zeros((1, 100)), 8000)) == -np.inf
    faint = sound(tone(1000, 8000, 1, -80), 8000)
    assert loudness(faint) == -np.inf and loudness(faint, gate=-100) == pytest.approx(-83.0, abs=0.1)


def test_a_constant_is_no_sound_after_its_onset():
    x = np.ones((1, 5 * 8000))
    later = levels._blocks(x, 8000.0)[0, 4:]
    assert later.max() < 1e-9


def test_only_sounds_have_a_loudness():
    with pytest.raises(sc.SigconvError, match="wanted a sound"):
        loudness(sc.Signal(np.zeros((3, 4, 4)), sc.grid(4, 4)))
    with pytest.raises(sc.SigconvError, match="audible"):
        true_peak(sc.Signal(np.zeros((1, 4)), sc.line(4, 1, unit="nm")))


def test_true_peak_of_a_sine_at_a_quarter_of_the_rate_lies_between_its_samples():
    x = tone(12000, 48000, 1, 0, np.pi / 4) * np.clip(np.minimum(np.arange(48000), np.arange(48000)[::-1]) / 4800, 0, 1)
    assert 20 * np.log10(np.abs(x).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak(sound(x, 48000)) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("frequency", [100, 997, 5000, 11025, 15000, 17640])
def test_true_peak_of_any_sine_is_its_amplitude_within_the_grid(frequency):
    n = 44100
    fade = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 2000, 0, 1)
    got = true_peak(sound(0.5 * np.cos(2 * np.pi * frequency / 44100 * (np.arange(n) + 0.37)) * fade, 44100))
    under = 20 * np.log10(np.cos(np.pi * frequency / 44100 / 4))  # the most that four times oversampling can miss
    assert -6.02 + under - 0.05 <= got <= -6.02 + 0.05


@pytest.mark.parametrize("name", SOUNDS)
def test_true_peak_is_that_of_a_long_interpolation(name):
    from scipy.signal import resample

    x = real(name, 5)
    padded = np.pad(x.data.astype(np.float64), ((0, 0), (500, 500)))
    ideal = np.abs(resample(padded, 4 * padded.shape[1], axis=1))[:, 4 * 490: -4 * 490].max()
    assert true_peak(x) == pytest.approx(20 * np.log10(ideal), abs=0.05)


@given(st.integers(1, 3 * levels.STRETCH), st.integers(0, 10**6), st.sampled_from(["noise", "burst", "click", "alternating"]))
def test_the_true_peak_found_in_stretches_is_that_of_the_whole(n, seed, kind):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    if kind == "burst":
        x *= np.exp(-((np.arange(n) - rng.integers(n)) / 50.0) ** 2)
    elif kind == "click":
        x *= np.arange(n) == rng.integers(n)
    elif kind == "alternating":
        x = (-1.0) ** np.arange(n) * (1 + 0.01 * x)
    between = conv(x[None, None], levels._phases()[:, None], window=(levels.HALF - 1, n + levels.HALF))
    whole = max(np.abs(x).max(), np.abs(between).max())
    got = 10 ** (true_peak(sound(x, 48000)) / 20) if x.any() else 0.0
    assert np.abs(x).max() * (1 - 1e-12) <= got == pytest.approx(whole, rel=1e-12)


def test_the_phases_are_interpolation():
    taps = levels._phases()
    assert taps.shape == (3, 2 * levels.HALF)
    assert taps.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert taps[0] == pytest.approx(taps[2, ::-1], abs=1e-12)
    t = np.arange(-levels.HALF, levels.HALF)
    for phase, row in enumerate(taps, 1):  # a tone, shifted by the phase
        for f in (0.05, 0.2, 0.4):
            got = np.sum(row * np.cos(2 * np.pi * f * -t))
            assert got == pytest.approx(np.cos(2 * np.pi * f * phase / 4), abs=5e-3)
