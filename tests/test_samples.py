"""The samples: the right notes at the right moments, levels, and the same bytes when made again."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sigconv as sc
from sigconv.hear import loudness, true_peak

SAMPLES = Path(__file__).parents[1] / "samples"
SOUNDS = {"speech.wav": (1, 3.0), "chime-dry.wav": (1, 1.5), "chime.wav": (2, 2.6), "stereo.wav": (2, 3.0), "room.wav": (1, 0.5)}
NOTES = ((0.0, 1661.0), (0.263, 1244.0), (0.517, 830.0), (0.781, 932.0))


def load(name):
    import soundfile

    x, rate = soundfile.read(SAMPLES / name, always_2d=True)
    return sc.Signal(x.T.copy(), sc.line(len(x), rate))


def onset_of(x, rate, pitch, seconds=0.049):
    """Where the amplitude at a pitch jumps most: the mean of the demodulated sound after, less that before.

    49 ms are five beats of 932 Hz against 830 Hz, so neighbours cancel.
    """
    total = np.concatenate([[0], np.cumsum(x * np.exp(-2j * np.pi * pitch * np.arange(len(x)) / rate))])
    n = int(seconds * rate)
    at = np.arange(n, len(x) - n)
    return at[np.argmax(np.abs(total[at + n] - 2 * total[at] + total[at - n]))] / rate


def test_they_are_under_3_megabytes_and_nothing_else_is_there():
    files = {p.name for p in SAMPLES.iterdir() if p.is_file()}
    assert files == {*SOUNDS, "image.png", "volume.npy", "video.gif", "make.py", "__init__.py", "README.md"}
    assert sum((SAMPLES / name).stat().st_size for name in files) < 3e6


@pytest.mark.parametrize("name", SOUNDS)
def test_every_sound_is_16_bit_at_22050_hz_and_neither_clips_nor_sleeps(name):
    import soundfile

    facts = soundfile.info(str(SAMPLES / name))
    channels, seconds = SOUNDS[name]
    assert (facts.samplerate, facts.subtype, facts.channels) == (22050, "PCM_16", channels)
    assert facts.duration == pytest.approx(seconds, abs=1e-3)
    x = load(name)
    assert 0.45 < np.abs(x.data).max() < 0.95 and true_peak(x) < -0.5
    assert abs(x.data.mean()) < 1e-3
    if name != "room.wav":
        assert -26 < loudness(x) < -10
        assert np.abs(x.data[:, -200:]).max() < (0.02 if name == "chime.wav" else 0.01)  # it ends, it isn't cut


@pytest.mark.parametrize("name", ["chime-dry.wav", "chime.wav"])
def test_the_chime_has_its_four_notes_within_half_a_percent_and_5_ms(name):
    x = load(name)
    mono, rate = x.data.mean(axis=0), x.rate
    for onset, pitch in NOTES:
        first = int((onset + 0.02) * rate)
        part = mono[first: first + int(0.22 * rate)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 17))
        f = np.arange(len(spectrum)) * rate / (1 << 17)
        near = (f > 0.94 * pitch) & (f < 1.06 * pitch)
        assert f[near][np.argmax(spectrum[near])] == pytest.approx(pitch, rel=0.005)
        if onset:
            assert onset_of(mono, rate, pitch) == pytest.approx(onset, abs=0.005), pitch
    begins = np.flatnonzero(np.abs(mono) > 0.1 * np.abs(mono).max())[0] / rate
    assert begins < 0.005


def test_the_dry_chime_is_one_note_at_a_time():
    x = load("chime-dry.wav")
    for i, (onset, pitch) in enumerate(NOTES):
        end = NOTES[i + 1][0] if i < 3 else 1.2
        a, b = int((onset + 0.03) * x.rate), int((end - 0.03) * x.rate)
        part = x.data[0, a:b] * np.hanning(b - a)
        spectrum = np.abs(np.fft.rfft(part, 1 << 15)) ** 2
        f = np.arange(len(spectrum)) * x.rate / (1 << 15)
        assert spectrum[np.abs(f - pitch) < 40].sum() > 0.999 * spectrum.sum()


def test_the_full_chime_has_partials_a_chord_two_sides_and_noise_at_30_db():
    x = load("chime.wav")
    early = x.data[0, : x.rate // 2]
    spectrum = np.abs(np.fft.rfft(early * np.hanning(len(early))))
    f = np.arange(len(spectrum)) * x.rate / len(early)
    floor = np.median(spectrum)
    for pitch in (207.65, 261.63, 311.13, 2.76 * 1661):
        assert spectrum[np.abs(f - pitch) < 6].max() > 20 * floor
    assert np.corrcoef(x.data)[0, 1] < 0.95
    tail = x.data[:, -200:]  # all else has faded: the noise alone
    assert 10 * np.log10(np.mean(x.data**2) / np.mean(tail**2)) == pytest.approx(30, abs=1)


def test_the_room_begins_with_the_direct_sound_and_decays():
    x = np.trim_zeros(load("room.wav").data[0])
    assert np.argmax(np.abs(x)) == 0 and x[0] == pytest.approx(0.9, abs=1e-4)
    left = 10 * np.log10(np.cumsum(x[:0:-1] ** 2)[::-1])
    level = np.interp([-5, -25], left[::-1] - left[0], np.arange(len(left))[::-1] / 22050)
    assert 3 * (level[1] - level[0]) == pytest.approx(0.62, rel=0.35)  # T60 from the fall by 20 dB


def test_the_speech_is_a_sentence_between_pauses():
    x = load("speech.wav")
    blocks = np.sqrt(np.mean(x.data[0, : 22050 * 3 // 441 * 441].reshape(-1, 441) ** 2, axis=1))
    assert 0.6 < np.mean(blocks > 0.01) < 0.95
    spectrum = np.abs(np.fft.rfft(x.data[0])) ** 2
    assert spectrum[: 3 * 4000].sum() > 0.9 * spectrum.sum()


def test_the_image_has_edges_and_colours():
    from PIL import Image

    with Image.open(SAMPLES / "image.png") as file:
        assert file.size == (256, 256) and file.mode == "RGB"
        pixels = np.asarray(file) / 255
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 500
    assert np.abs(np.diff(pixels, axis=1)).max() > 0.6 and 0.2 < pixels.mean() < 0.7


def test_the_volume_is_a_phantom():
    volume = np.load(SAMPLES / "volume.npy", allow_pickle=False)
    assert volume.shape == (48, 48, 48) and volume.dtype == np.uint8
    assert set(np.unique(volume)) == {0, 30, 90, 120, 140, 200, 240}
    assert not volume[[0, -1]].any() and not volume[:, [0, -1]].any() and not volume[:, :, [0, -1]].any()
    inside = np.mean(volume > 0)
    assert inside == pytest.approx(4 / 3 * np.pi * 0.90 * 0.92 * 0.74 / 8, rel=0.02)


@pytest.fixture(scope="module")
def video():
    return sc.load(sc.io.sample("video"))


def test_the_video_is_two_seconds_on_its_own_grid(video):
    assert (SAMPLES / "video.gif").stat().st_size < 120e3
    assert video.value == (1,) and video.data.dtype == np.float32 and 0.1 < video.data.min() < video.data.max() == 1
    assert video.domain == sc.Domain((25, 96, 96), ("0.08", 1, 1), 0, ("s", "px", "px"), ("time", "y", "x"))
    told = sc.io.info(sc.io.sample("video"))
    assert told["kind"] == "video" and told["duration"] == pytest.approx(2.0) and told["frames"] == 25


def middle(mask):
    return np.array([axis.mean() for axis in np.nonzero(mask)])


def test_what_moves_in_the_video(video):
    """One dot goes right, one down to the right as fast as across, a bar turns half round; the lamp lasts one frame."""
    frames = video.data[0]
    right = np.array([middle(f[:14, :] > 0.9) for f in frames])
    np.testing.assert_allclose(np.diff(right[:, 1]), 80 / 24, atol=0.5)
    assert np.ptp(right[:, 0]) < 0.5
    steps = np.diff([middle(f[14:76, 39:] > 0.9) for i, f in enumerate(frames) if i != 12], axis=0)
    np.testing.assert_allclose(np.delete(steps, 11, axis=0), 2, atol=0.3)
    bars = [np.nonzero(f[16:52, 12:40] > 0.5) for f in frames[:13]]
    turns = [np.degrees(np.arctan2(*np.linalg.svd(np.stack([y - y.mean(), x - x.mean()]))[0][:, 0])) % 180 for y, x in bars]
    off = (turns - 180 / 25 * np.arange(13) + 90) % 180 - 90  # 180° is 0° again
    np.testing.assert_allclose(off, 0, atol=2)
    np.testing.assert_array_equal(frames[:, 56:91, 7:42], np.broadcast_to(frames[0, 56:91, 7:42], (25, 35, 35)))
    lamp = np.abs(frames[:, 80, 60] - frames[0, 80, 60]) > 0.5
    assert np.flatnonzero(lamp).tolist() == [12]


def test_each_gradient_of_the_video_finds_its_own(video):
    """Standing things have no edge in time; the lamp is one in time and fades in the frame after."""
    k = sc.kernel("edge", video)
    along = dict(zip(k.channels, (video @ k).data[0], strict=True))
    assert list(along) == ["time", "y", "x"]
    assert np.abs(along["time"][1:, 58:90, 9:41]).max() < 1e-6 < 0.1 < np.abs(along["x"][1:, 58:90, 9:41]).max()
    lamp = along["time"][:, 78:83, 58:63].mean(axis=(1, 2))
    assert lamp[12] > 0.8 and lamp[13] < -0.8 and np.abs(np.delete(lamp, [0, 12, 13])).max() < 1e-6


def test_default_lengths_count_steps_on_the_video(video):
    assert sc.kernel("blur", video).domain.shape == (17, 17, 17)
    assert sc.kernel("delay:0.16:0:4", video).domain.start == (2, 0, 4)
    late = sc.convolve(video, sc.kernel("delay:0.16:0:0", video))
    np.testing.assert_array_equal(late.data[0, 2:], video.data[0, :-2])


@pytest.mark.slow
def test_made_again_they_are_the_same(tmp_path):
    if not shutil.which("espeak-ng"):
        pytest.skip("needs espeak-ng")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        subprocess.run([sys.executable, str(SAMPLES / "make.py"), str(tmp_path / folder)], check=True)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
        if path.name.endswith(".wav") and path.name != "speech.wav":  # another libm may round a sample otherwise
            import soundfile

            made, shipped = soundfile.read(path, dtype="int16")[0], soundfile.read(SAMPLES / path.name, dtype="int16")[0]
            assert np.abs(made.astype(int) - shipped).max() <= 1, path.name
