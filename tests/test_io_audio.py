"""Sound files: what goes in comes out, what a header claims is checked, what is lost is said."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from command import REAL
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import sigconv as sc
from sigconv.io import audio, wav

FLOATS = st.floats(-4, 4, width=32, allow_nan=False)
PRECISE = ("PCM_32", "DOUBLE", "ALAC_32")


def tone(channels=1, n=4000, rate=16000):
    t = np.arange(n) / rate
    return np.stack([0.5 / (c + 1) * np.sin(2 * np.pi * 300 * (c + 1) * t) for c in range(channels)]).astype(np.float32)


def sound(channels=1, n=4000, rate=16000, **more):
    return sc.Signal(tone(channels, n, rate), sc.line(n, rate, **more))


def written(path, data, rate=16000, subtype="FLOAT", form=None):
    soundfile.write(path, data, rate, subtype=subtype, format=form)
    return path


@given(arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 50)), elements=FLOATS), st.integers(1, 10**6))
def test_a_float_wav_gives_every_sample_back(tmp_path_factory, data, rate):
    path = tmp_path_factory.mktemp("x") / "x.wav"
    sc.save(sc.Signal(data, sc.line(data.shape[1], rate)), path)
    x = sc.load(path)
    assert x.data.dtype == np.float32 and x.domain == sc.line(data.shape[1], rate)
    np.testing.assert_array_equal(x.data, data)
    other, other_rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert other_rate == rate
    np.testing.assert_array_equal(other.T, data)


@pytest.mark.parametrize("subtype", wav.CODES)
@pytest.mark.parametrize("channels", [1, 2, 3, 6, 256])
def test_our_header_is_read_by_others_to_the_bit(tmp_path, subtype, channels):
    from scipy.io import wavfile

    path, x = tmp_path / "x.wav", sound(channels, 301)
    sc.save(x, path, subtype=subtype)
    rate, theirs = wavfile.read(path)
    mine = sc.load(path)
    full = {"u1": 128.0, "i2": 2.0**15, "i4": 2.0**31}.get(theirs.dtype.str[1:], 1.0)
    offset = 128 if theirs.dtype == np.uint8 else 0
    np.testing.assert_array_equal(mine.data, (theirs.reshape(301, -1).T.astype(np.float64) - offset) / full)
    step = {"PCM_U8": 2.0**-7, "PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "PCM_32": 2.0**-31}.get(subtype, 0)
    assert rate == 16000 and mine.domain == x.domain
    assert np.abs(mine.data - x.data).max() <= step / 2
    assert mine.data.dtype == (np.float64 if subtype in PRECISE else np.float32)


SAFE = [(form, sub) for form in ("WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF")
        for sub in soundfile.available_subtypes(form)
        if sub.startswith(("PCM", "FLOAT", "DOUBLE", "ALAW", "ULAW", "ALAC", "VORBIS", "OPUS"))
        or (sub == "MPEG_LAYER_III" and form == "MP3")]


@pytest.mark.parametrize(("form", "subtype"), SAFE)
def test_every_safe_format_is_what_libsndfile_reads(tmp_path, form, subtype):
    path = written(tmp_path / "x.bin", tone(2, 9000).T, 16000, subtype, form)
    x = sc.load(path)
    theirs, rate = soundfile.read(path, dtype=str(x.data.dtype), always_2d=True)
    assert x.data.shape == theirs.T.shape and np.abs(x.data - theirs.T).max() <= (2e-7 if form == "MP3" else 0)
    assert x.rate == rate and x.channels == ("L", "R")
    assert x.data.dtype == (np.float64 if subtype in PRECISE else np.float32)
    told = sc.io.info(path)
    assert (told["kind"], told["channels"], told["rate"], told["frames"]) == ("sound", 2, rate, x.domain.shape[0])


UNSAFE = [("AVR", "PCM_16"), ("IRCAM", "PCM_16"), ("MAT5", "PCM_16"), ("NIST", "PCM_16"), ("PAF", "PCM_16"), ("PVF", "PCM_16"),
          ("SVX", "PCM_16"), ("SDS", "PCM_16"), ("VOC", "PCM_16"), ("WVE", "ALAW"), ("XI", "DPCM_16"), ("WAV", "IMA_ADPCM"),
          ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAV", "G721_32"), ("WAV", "NMS_ADPCM_16"), ("AIFF", "IMA_ADPCM"),
          ("AU", "G721_32"),
          ("W64", "MS_ADPCM")]


@pytest.mark.parametrize(("form", "subtype"), UNSAFE)
def test_what_is_off_the_safe_list_is_refused_by_name_and_opened_on_demand(tmp_path, form, subtype, monkeypatch):
    path = written(tmp_path / "x.wav", tone(1, 4000, 8000).T, 8000, subtype, form)
    with pytest.raises(sc.SigconvError, match=r"safe list.*formats=\"all\""):
        sc.load(path)
    assert sc.load(path, formats="all").value == (1,)
    monkeypatch.setenv("SIGCONV_FORMATS", "all")
    assert sc.io.info(path)["channels"] == 1


@pytest.mark.parametrize("suffix", [".flac", ".aiff", ".aifc", ".au", ".caf", ".w64", ".rf64"])
def test_other_formats_round_trip(tmp_path, suffix):
    x = sound(2)
    sc.save(x, tmp_path / f"x{suffix}")
    y = sc.load(tmp_path / f"x{suffix}")
    assert y.domain == x.domain
    assert np.abs(y.data - x.data).max() <= 2.0**-24


@pytest.mark.parametrize("suffix", [".ogg", ".opus", ".mp3"])
def test_lossy_formats_stay_in_place(tmp_path, suffix):
    x = np.zeros((1, 48000), np.float32)
    x[0, 20000:22000] = np.hanning(2000) * np.sin(np.arange(2000) / 8) * 0.5
    sc.save(sc.Signal(x, sc.line(48000, 48000)), tmp_path / f"x{suffix}")
    y = sc.load(tmp_path / f"x{suffix}").data[0]
    assert len(y) == 48000
    assert np.correlate(y[18000:24000], x[0, 20000:22000], "valid").argmax() == 2000


@pytest.mark.parametrize("form", ["MP3", "OGG", "FLAC"])
def test_reading_in_blocks_is_reading_at_once(tmp_path, form, monkeypatch):
    """soundfile's own blocks are not, for MP3: it seeks after each."""
    path = written(tmp_path / "x", tone(1, 60000).T, 16000, None, form)
    whole = sc.load(path).data
    monkeypatch.setattr(audio, "BLOCK", 1000)
    np.testing.assert_array_equal(sc.load(path).data, whole)


def test_same_signal_same_bytes(tmp_path):
    for name in ("a.wav", "b.wav"):
        sc.save(sound(2), tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert b"PEAK" not in (tmp_path / "a.wav").read_bytes()


def test_beyond_4_gib_it_is_rf64(tmp_path):
    most = (2**32 - 1 - 4 - 26 - 12 - 8) // 4
    assert wav.header(most, 1, 48000, "FLOAT")[:4] == b"RIFF"
    assert wav.header(most + 1, 1, 48000, "FLOAT")[:4] == b"RF64"
    frames, path = 545_259_520, tmp_path / "long.wav"  # read back as 536 870 911 from a plain WAV
    head = wav.header(frames, 1, 192000, "FLOAT")
    path.write_bytes(head)
    os.truncate(path, len(head) + 4 * frames)  # a hole, not 2 GB
    assert sc.io.info(path)["frames"] == frames == sc.io.info(path)["claimed_frames"]
    frames = 2**30 + 5
    head = wav.header(frames, 1, 192000, "FLOAT")
    path.write_bytes(head)
    os.truncate(path, len(head) + 4 * frames)
    told = sc.io.info(path)
    assert (told["format"], told["frames"]) == ("RF64", frames)


def test_six_channels_have_their_names(tmp_path):
    names = ("L", "R", "C", "LFE", "Ls", "Rs")
    x = sc.Signal(tone(6), sc.line(4000, 16000), names)
    sc.save(x, tmp_path / "x.wav")
    raw = (tmp_path / "x.wav").read_bytes()
    assert struct.unpack("<HHI", raw[36:44]) == (22, 32, 0x60F)
    y = sc.load(tmp_path / "x.wav")
    assert y.channels == names and sc.io.info(tmp_path / "x.wav")["names"] == names
    np.testing.assert_array_equal(x.data, y.data)
    assert sc.load(written(tmp_path / "y.wav", tone(6).T)).channels == names  # by count, where there is no mask
    assert wav.names_of(0x3F, 6) == names  # back instead of side
    assert wav.names_of(0x63F, 8) == ("L", "R", "C", "LFE", "Lb", "Rb", "Ls", "Rs")


@given(st.lists(st.sampled_from(wav.SPEAKERS), unique=True, min_size=2))
def test_a_mask_gives_its_names_back_or_is_not_written(names):
    mask = wav.mask_of(names)
    assert not mask or wav.names_of(mask, len(names)) == tuple(names)


def test_names_start_and_unit_survive_a_wav(tmp_path):
    x = sc.Signal(tone(3), sc.line(4000, 16000, start=-7), ("near", "far", "Mikró"))
    sc.save(x, tmp_path / "x.wav")
    y = sc.load(tmp_path / "x.wav")
    assert y.channels == x.channels and y.domain == x.domain
    z = sc.Signal(tone(1), sc.Domain((4000,), Fraction(1, 50), Fraction(1, 3), "mm", "depth"))
    sc.save(z, tmp_path / "z.wav")
    assert sc.load(tmp_path / "z.wav").domain == z.domain
    np.testing.assert_array_equal(soundfile.read(tmp_path / "z.wav", dtype="float32")[0], z.data[0])


@pytest.mark.parametrize("chunk", [b"[", b'{"start": "1e999999999"}', b'{"start": "1/0"}', b'{"start": 5, "channels": 3}',
                                   b"\xff\xfe",
                                   b'{"channels": ["a", "b"]}', b'{"unit": null}'])
def test_a_foreign_chunk_of_our_name_does_no_harm(tmp_path, chunk):
    path = tmp_path / "x.wav"
    sc.save(sound(), path)
    raw = path.read_bytes()
    path.write_bytes(raw[:12] + b"sgcv" + struct.pack("<I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2) + raw[12:])
    if b"start\": \"" in chunk:
        with pytest.warns(sc.SigconvWarning, match="sgcv"):
            x = sc.load(path)
    else:
        x = sc.load(path)
    assert x.domain == sc.line(4000, 16000) and x.channels is None


def test_overs_are_clipped_and_said_never_wrapped(tmp_path):
    data = np.array([[0.0, 1.5, -2.0, 1.0, -1.0, 0.25]], np.float32)
    x = sc.Signal(data, sc.line(6, 8000))
    for subtype, full in (("PCM_16", 2**15), ("PCM_24", 2**23), ("PCM_U8", 128)):
        with pytest.warns(sc.SigconvWarning, match=r"2 of 6 samples beyond ±1 were clipped \(peak 2, \+6.0 dB\)"):
            sc.save(x, tmp_path / "x.wav", True, subtype=subtype)
        np.testing.assert_array_equal(sc.load(tmp_path / "x.wav").data, np.clip(data, -1, 1 - 1 / full))
    with pytest.warns(sc.SigconvWarning, match="clipped"):
        sc.save(x, tmp_path / "x.flac")
    np.testing.assert_array_equal(sc.load(tmp_path / "x.flac").data, np.clip(data, -1, 1 - 2.0**-23))
    sc.save(x, tmp_path / "float.wav")
    np.testing.assert_array_equal(sc.load(tmp_path / "float.wav").data, data)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stops_at_the_door_with_its_place(tmp_path, value):
    data = tone(2)
    data[1, 1234] = value
    for suffix in (".wav", ".flac", ".npy", ".npz"):
        with pytest.raises(sc.SigconvError, match=r"index \(1, 1234\)"):
            sc.save(sc.Signal(data, sc.line(4000, 16000)), tmp_path / f"x{suffix}")
    assert not list(tmp_path.iterdir())
    with pytest.raises(sc.SigconvError, match=r"sample 1234 of channel 2 \(R\)"):
        sc.load(written(tmp_path / "x.wav", data.T))


def test_large_finite_samples_pass(tmp_path):
    data = np.full((1, 100), 3e38, np.float32)
    sc.save(sc.Signal(data, sc.line(100, 8000)), tmp_path / "x.wav")
    np.testing.assert_array_equal(sc.load(tmp_path / "x.wav").data, data)
    with pytest.raises(sc.SigconvError, match="DOUBLE"):
        sc.save(sc.Signal(np.full((1, 4), 1e39), sc.line(4, 8000)), tmp_path / "y.wav")


def patched(raw, at, new):
    return raw[:at] + new + raw[at + len(new):]


@pytest.mark.filterwarnings("always::sigconv.SigconvWarning")
def test_lying_and_cut_files_are_counted(tmp_path):
    path, n = tmp_path / "x", 4000
    written(path, tone().T, subtype="PCM_16", form="WAV")
    raw = path.read_bytes()
    for claim in (b"\xf0\xff\xff\xff", b"\xff\xff\xff\x7f"):
        path.write_bytes(patched(raw, 40, claim))
        with pytest.warns(sc.SigconvWarning, match=r"claims \d+ samples a channel, the file has 4000"):
            assert sc.load(path).domain.shape == (n,)
    for form, subtype in (("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("AU", "FLOAT"), ("W64", "PCM_16"), ("RF64", "PCM_24"),
                          ("MP3", None)):
        written(path, tone().T, 16000, subtype, form)
        raw = path.read_bytes()
        path.write_bytes(raw[:len(raw) * 2 // 3])
        with pytest.warns(sc.SigconvWarning, match=r"claims 4000 samples a channel, the file has \d+"):
            assert 1000 < sc.load(path).domain.shape[0] < 3200
    noise = np.random.default_rng(0).normal(size=(100000, 1)) * 0.1
    for form, words in (("FLAC", "damaged|claims"), ("OGG", "last page")):
        written(path, noise, 16000, None, form)
        whole, raw = sc.load(path).data, path.read_bytes()
        path.write_bytes(raw[:len(raw) * 2 // 3])
        with pytest.warns(sc.SigconvWarning, match=words):
            x = sc.load(path).data
        assert 40000 < x.shape[1] < 70000
        np.testing.assert_array_equal(x, whole[:, :x.shape[1]])


@pytest.mark.parametrize(("frames", "said"), [(2**36 - 1, True), (0, False)])
def test_a_flac_that_lies_about_its_length_is_read(tmp_path, frames, said):
    path = written(tmp_path / "x.flac", tone().T, subtype="PCM_16")
    raw = path.read_bytes()
    bits = int.from_bytes(raw[18:26], "big") >> 36 << 36 | frames
    path.write_bytes(patched(raw, 18, bits.to_bytes(8, "big")))
    if said:
        with pytest.warns(sc.SigconvWarning, match="claims 68719476735"):
            x = sc.load(path)
    else:
        x = sc.load(path)
    np.testing.assert_array_equal(x.data, np.rint(tone() * 2**15) / 2**15)


@pytest.mark.parametrize(("at", "new", "words"), [
    (34, b"\x11\0", "17 bits"), (24, b"\0\0\0\0", "rate of 0"), (24, b"\xff\xff\xff\x7f", "rate of 2.1.*1000000 Hz"),
    (22, b"\0\0", "0 channels"), (20, b"\x02\0", "MS ADPCM"), (20, b"\x99\x99", "0x9999"), (40, b"\0\0\0\0", "claims 0 samples"),
    (12, b"junk", "fmt"), (36, b"junk", "data chunk")])
def test_impossible_headers_are_refused_in_words(tmp_path, at, new, words):
    path = written(tmp_path / "x.wav", tone().T, subtype="PCM_16")
    path.write_bytes(patched(path.read_bytes(), at, new))
    with pytest.raises(sc.SigconvError, match=words):
        sc.load(path)


def test_an_aiff_whose_rate_is_nan_is_refused(tmp_path):
    path = written(tmp_path / "x.aiff", tone().T, subtype="PCM_16")
    raw = path.read_bytes()
    path.write_bytes(patched(raw, raw.index(b"COMM") + 16, b"\x7f\xff" + b"\xff" * 8))
    with pytest.raises(sc.SigconvError, match="rate of nan"):
        sc.load(path)


def test_too_many_channels_are_refused_and_the_limit_can_be_raised(tmp_path, monkeypatch):
    path = written(tmp_path / "x.wav", np.zeros((10, 300), np.float32))
    with pytest.raises(sc.SigconvError, match=r"300 channels.*256.*SIGCONV_MAX_CHANNELS=300"):
        sc.load(path)
    monkeypatch.setenv("SIGCONV_MAX_CHANNELS", "300")
    assert sc.load(path).value == (300,)


def test_rate_resamples(tmp_path):
    path = written(tmp_path / "x.wav", tone(1, 16000).T)
    x = sc.load(path, rate=8000)
    assert x.domain == sc.line(8000, 8000)
    want = np.sin(2 * np.pi * 300 * np.arange(8000) / 8000) * 0.5
    assert np.abs(x.data[0, 500:-500] - want[500:-500]).max() < 1e-4
    assert sc.load(path, rate=16000).rate == 16000


@pytest.mark.parametrize("x", [
    sc.Signal(np.zeros((17, 17, 5)), sc.line(5, 8000)), sc.Signal(np.zeros((1, 5), complex), sc.line(5, 8000)),
    sc.Signal(np.zeros((1, 0)), sc.line(0, 8000)), sc.Signal(np.zeros((1, 5), int), sc.line(5, 8000)),
    sc.Signal(np.zeros((1, 5)), sc.line(5, 0.5)), sc.Signal(np.zeros((1, 5, 5)), sc.grid(5, 5)),
    sc.Signal(np.zeros((1, 5)), sc.line(5, 2 * 10**6)), sc.Signal(np.zeros((257, 5)), sc.line(5, 8000))], ids=range(8))
def test_what_sound_can_t_hold_is_said_and_nothing_is_left(tmp_path, x):
    with pytest.raises(sc.SigconvError, match=r"wanted|limit"):
        sc.save(x, tmp_path / "x.wav")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("suffix", "subtype"), [(".wav", "PCM_17"), (".flac", "FLOAT"), (".mp3", None), (".xyz", None),
                                                 ("", None)])
def test_impossible_outputs_name_what_is_possible(tmp_path, suffix, subtype):
    with pytest.raises(sc.SigconvError, match=r"wanted|takes"):
        sc.save(sound(rate=7777), tmp_path / f"x{suffix}", subtype=subtype)
    assert not list(tmp_path.iterdir())


def run(code, stdin=b""):
    return subprocess.run([sys.executable, "-c", code], input=stdin, capture_output=True, timeout=60)


def test_wav_through_pipes(tmp_path):
    path = tmp_path / "x.wav"
    sc.save(sound(2), path)
    raw = path.read_bytes()
    assert run("import sigconv as sc; sc.save(sc.load('-'), '-')", raw).stdout == raw
    endless = patched(patched(raw, 4, b"\xff" * 4), raw.index(b"data") + 4, b"\xff" * 4)  # what ffmpeg and sox send
    done = run("import sigconv as sc; print(sc.load('-').domain.shape)", endless)
    assert (done.stdout, done.stderr) == (b"(4000,)\n", b"")
    bad = run("import sigconv as sc\ntry: sc.load('-')\nexcept sc.SigconvError as why: print(why)")
    assert bad.stdout.startswith(b"standard input: an empty file")


def test_loading_wav_waits_for_numpy_and_soundfile_alone(tmp_path):
    sc.save(sound(), tmp_path / "x.wav")
    code = (f"import sys, sigconv as sc; sc.save(sc.load({str(tmp_path / 'x.wav')!r}), "
            f"{str(tmp_path / 'y.wav')!r}); "
            "import json; print(json.dumps([m for m in sys.modules "
            "if m in ('scipy', 'torch', 'matplotlib', 'PIL', 'librosa', 'soxr')]))")
    assert json.loads(run(code).stdout) == []


@pytest.mark.filterwarnings("always::sigconv.SigconvWarning")
def test_the_mp3_decoder_prints_nothing(capfd, tmp_path):
    """libmpg123 writes to standard error from C: it is a warning of ours instead."""
    path = written(tmp_path / "x.mp3", tone(1, 40000).T, 16000, "MPEG_LAYER_III", "MP3")
    raw = path.read_bytes()
    path.write_bytes(raw[:2000] + b"\0" * 700 + raw[2700:])
    with pytest.warns(sc.SigconvWarning, match="MP3 decoder says"):
        sc.load(path)
    assert capfd.readouterr().err == ""


REAL_SOUNDS = {"audio/trumpet.ogg": (2, 235201, 44100), "audio/robin.ogg": (2, 119009, 44100),
               "audio/libri1.ogg": (1, 222561, 16000),
               "audio/libri2.ogg": (1, 267920, 16000), "audio/loop_tabla.flac": (2, 470723, 44100),
               "audio/guit_em9.flac": (2, 439768, 44100),
               "noise/running_tap.flac": (1, 480000, 16000), "rir/rir1.wav": (1, 16000, 16000), "rir/rir3.wav": (1, 32000, 16000),
               "multichannel/speech_a.flac": (4, 160000, 16000), "audio/vibeace.ogg": (2, 2710336, 44100)}


@pytest.mark.skipif(not REAL.exists(), reason="no real data here")
@pytest.mark.parametrize("name", REAL_SOUNDS)
def test_real_sounds(name):
    x, told = sc.load(REAL / name), sc.io.info(REAL / name)
    assert (*x.data.shape, x.rate) == REAL_SOUNDS[name]
    assert (*told["shape"], told["rate"]) == REAL_SOUNDS[name]
    assert x.data.dtype == np.float32
    assert 0.01 < np.abs(x.data).max() <= 1.3


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("form, channels", [("WAV", 1), ("WAV", 2), ("WAVEX", 2), ("WAVEX", 6)])
def test_a_plain_wav_is_told_of_as_libsndfile_has_it(tmp_path, subtype, form, channels, monkeypatch):
    """Which is not opened for it."""
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros((11, channels)), 22050, subtype, format=form)
    with soundfile.SoundFile(path) as file:
        wanted = file.format, file.subtype, file.channels, file.samplerate, file.frames
    monkeypatch.setattr(soundfile, "SoundFile", None)
    told = sc.io.info(path)
    assert (told["format"], told["subtype"], told["channels"], told["rate"], told["frames"]) == wanted
