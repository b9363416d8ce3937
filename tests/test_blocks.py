"""Blocks of a file put together are what `load` gives, to the bit, and with the same words."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile
from command import REAL
from hypothesis import given, settings
from hypothesis import strategies as st
from test_io_audio import SAFE, patched, sound, tone, written
from test_io_bad import EXTREME, genuine

import sigconv as sc
from sigconv.io import streamed, wav
from sigconv.io.sink import Sink
from sigconv.io.sound import Sound


def told(read):
    """What a reader gives, and what it says."""
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        try:
            found = read()
        except sc.SigconvError as why:
            found = str(why)
    return found, sorted({str(w.message) for w in log if issubclass(w.category, sc.SigconvWarning)})


def joined(path, size=1000):
    """The blocks of a file as one Signal, after checking that they follow each other."""
    with sc.io.blocks(path, size) as parts:
        found = list(parts)
        at = parts.domain.start[0]
        for i, x in enumerate(found):
            d = parts.domain
            assert (x.domain.start[0], x.domain.step, x.domain.unit, x.domain.name) == (at, d.step, d.unit, d.name)
            assert x.value == parts.value and x.channels == parts.channels
            assert x.domain.shape[0] == size or i == len(found) - 1
            at += x.domain.shape[0]
        whole = sc.Domain(at - d.start[0], d.step, d.start, d.unit, d.name)
        return sc.Signal(np.concatenate([x.data for x in found], axis=1), whole, parts.channels)


def same(path, size=1000):
    (wanted, words), (got, said) = told(lambda: sc.load(path)), told(lambda: joined(path, size))
    assert words == said
    if isinstance(wanted, str):
        assert got == wanted
        return None
    assert got.data.dtype == wanted.data.dtype and got.domain == wanted.domain and got.names == wanted.names
    np.testing.assert_array_equal(got.data, wanted.data)
    return wanted


@pytest.mark.parametrize(("form", "subtype"), SAFE)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_safe_format(tmp_path, form, subtype, channels):
    assert same(written(tmp_path / "x.bin", tone(channels, 9000).T, 16000, subtype, form)) is not None


@settings(max_examples=60)
@given(st.data())
def test_a_wav_of_ours_however_it_is_cut(tmp_path_factory, data):
    n, channels = data.draw(st.integers(1, 400)), data.draw(st.sampled_from([1, 2, 3, 7]))
    subtype = data.draw(st.sampled_from(sorted(wav.CODES)))
    raw = np.random.default_rng(n).uniform(-1, 1, (channels, n))
    raw[0, 0] = data.draw(st.sampled_from([0.0, 1.0, -1.0, 1e-40]))
    path = tmp_path_factory.mktemp("x") / "x.wav"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.save(sc.Signal(raw, sc.line(n, 8000, start=data.draw(st.sampled_from([0, -3])))), path, subtype=subtype)
    same(path, data.draw(st.sampled_from([1, 7, 64, 399, 400, 1000])))


def test_a_plain_wav_is_read_without_soundfile(tmp_path):
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        sc.save(sound(2), tmp_path / f"{subtype}.wav", subtype=subtype)
    code = ("import sys, glob, sigconv as sc\n"
            "for p in glob.glob('*.wav'): assert sum(x.domain.size for x in sc.io.blocks(p)) == 4000\n"
            "print('soundfile' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True).stdout == b"False\n"


def test_what_a_wav_s_header_may_hide(tmp_path):
    """Big-endian, ambisonic, data twice, an odd byte, floats beyond 1, denormals and −0: as libsndfile has them."""
    path = tmp_path / "x.wav"
    for endian in ("BIG", "LITTLE"):
        soundfile.write(path, tone(2, 500).T, 8000, "PCM_16", endian, "WAV")
        assert same(path, 77) is not None
    raw = written(path, tone(1, 500).T, 8000, "PCM_24", "WAV").read_bytes()
    path.write_bytes(raw + raw[raw.index(b"data"):])
    same(path)
    path.write_bytes(raw + raw[12:raw.index(b"data")])
    same(path)
    path.write_bytes(raw[:-1])
    same(path)
    ambisonic = patched(written(path, tone(4, 500).T, 8000, "FLOAT", "WAVEX").read_bytes(), 46, b"\x21\x07\xd3\x11\x86\x44")
    path.write_bytes(ambisonic)
    same(path)
    path.write_bytes(patched(ambisonic, 48, b"????"))
    same(path)
    odd = np.array([[-0.0, 1e-44, 3e38, -7.5, np.float32(1) / 3]], np.float32)
    sc.save(sc.Signal(odd, sc.line(5, 8000)), path, True)
    assert np.array_equal(np.signbit(same(path, 2).data), np.signbit(odd))


@pytest.mark.parametrize("claim", [0, 1, 2, 3999, 4001, 2**31 - 1, 2**32 - 1])
def test_lying_wavs(tmp_path, claim):
    raw = written(tmp_path / "x.wav", tone(1, 4000).T, 16000, "PCM_16").read_bytes()
    (tmp_path / "x.wav").write_bytes(patched(raw, 40, struct.pack("<I", claim)))
    same(tmp_path / "x.wav")


@pytest.mark.parametrize("size", [300, 1000, 65536])
@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "W64"])
def test_cut_and_damaged_files(tmp_path, form, size):
    noise = np.random.default_rng(0).normal(size=(100000, 2)) * 0.1
    path = written(tmp_path / "x", noise, 16000, None, form)
    raw = path.read_bytes()
    for share in (0.9, 0.4, 0.01):
        path.write_bytes(raw[:int(len(raw) * share)])
        same(path, size)
    for at in (0.3, 0.6):
        path.write_bytes(patched(raw, int(len(raw) * at), b"\0" * 700))
        same(path, size)


def test_a_flac_that_lies_about_its_length(tmp_path):
    path = written(tmp_path / "x.flac", tone().T, subtype="PCM_16")
    raw = path.read_bytes()
    for frames in (0, 2**36 - 1):
        path.write_bytes(patched(raw, 18, (int.from_bytes(raw[18:26], "big") >> 36 << 36 | frames).to_bytes(8, "big")))
        same(path)


def test_what_is_not_finite_stops_at_its_place(tmp_path):
    data = tone(2)
    data[1, 2345] = np.nan
    path = written(tmp_path / "x.wav", data.T)
    parts = iter(sc.io.blocks(path, 1000))
    assert [next(parts).domain.start[0] for _ in range(2)] == [0, 1000]
    with pytest.raises(sc.SigconvError, match=r"x.wav: nan at sample 2345 of channel 2 \(R\); wanted finite"):
        next(parts)


def test_other_things_are_refused_in_one_line(tmp_path):
    with pytest.raises(sc.SigconvError, match="an image; wanted sound"):
        sc.io.blocks(sc.io.sample("image"))
    for name, raw in (("empty.wav", b""), ("text.wav", b"hello there\n"), ("cut.wav", b"RIFF\0\0\0\0WAVEfmt ")):
        (tmp_path / name).write_bytes(raw)
        wanted, got = told(lambda: sc.load(tmp_path / name))[0], told(lambda: sc.io.blocks(tmp_path / name))[0]  # noqa: B023
        assert wanted == got
    with pytest.raises(sc.SigconvError, match="wanted 1 or more"):
        sc.io.blocks(sc.io.sample("speech"), 0)
    with sc.io.blocks(sc.io.sample("speech")) as parts:
        pass
    with pytest.raises(sc.SigconvError, match="closed file"):
        list(parts)


def test_every_loop_begins_at_the_beginning_and_nothing_stays_open(tmp_path):
    path = written(tmp_path / "x.mp3", tone(1, 40000).T, 16000, None, "MP3")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for name in (path, sc.io.sample("speech")):
        with sc.io.blocks(name) as parts:
            next(iter(parts))
            first, second = list(parts), list(parts)
            assert all(np.array_equal(a.data, b.data) for a, b in zip(first, second, strict=True))
            assert sum(x.domain.size for x in first) == parts.frames == parts.domain.size == sc.load(name).domain.size
        del parts
        for x in sc.io.blocks(name):
            assert x.value == (1,)
    with pytest.raises(sc.SigconvError):
        sc.io.blocks(sc.io.sample("image"))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_through_a_pipe(tmp_path):
    sc.save(sound(2), tmp_path / "x.wav")
    raw = (tmp_path / "x.wav").read_bytes()
    endless = patched(patched(raw, 4, b"\xff" * 4), raw.index(b"data") + 4, b"\xff" * 4)  # what ffmpeg and sox send
    for sent in (raw, endless):
        code = "import sigconv as sc; b = sc.io.blocks('-', 999); print([x.domain.size for x in b], b.value, b.frames)"
        done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=True)
        assert done.stdout.startswith(b"[999, 999, 999, 999, 4] (2,) 4000"), done
        assert not done.stderr


@pytest.mark.parametrize("suffix", [".wav", ".rf64", ".w64", ".flac", ".ogg", ".mp3", ".aiff", ".au", ".caf"])
@pytest.mark.parametrize("told_frames", [True, False])
def test_written_in_blocks_is_saved_whole(tmp_path, suffix, told_frames):
    x = sound(2, 150_001, 16000)
    sc.save(x, tmp_path / f"whole{suffix}")
    with sc.io.Outputs() as out:
        file = Sound(Sink(out.open(tmp_path / f"parts{suffix}")), suffix, frames=150_001 if told_frames else None)
        for a in range(0, 150_001, 40_000):
            file.write(x.between(a / 16000, (a + 40_000) / 16000))
        file.close()
    whole, parts = (sc.load(tmp_path / f"{name}{suffix}") for name in ("whole", "parts"))
    assert whole.domain == parts.domain
    assert np.abs(whole.data - parts.data).max() == 0
    if suffix == ".wav":
        assert ((tmp_path / "whole.wav").read_bytes() == (tmp_path / "parts.wav").read_bytes()) is told_frames
        same(tmp_path / "parts.wav")


@pytest.mark.parametrize("claimed", [None, 5, 500, 2**32])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_header_that_was_not_right_is_written_again(tmp_path, claimed, subtype):
    x, file = sound(3, 333), io.BytesIO()
    writer = Sound(Sink(file), ".wav", subtype, frames=claimed)
    writer.write(x)
    writer.close()
    (tmp_path / "x.wav").write_bytes(file.getvalue())
    y = same(tmp_path / "x.wav")
    assert y.domain == x.domain and np.abs(y.data - x.data).max() <= 2.0**-16
    assert soundfile.info(tmp_path / "x.wav").frames == 333


def test_beyond_4_gib_the_room_becomes_ds64():
    most = (2**32 - 1) // 4
    short, long = wav.header(10, 1, 48000, "FLOAT", room=True), wav.header(most, 1, 48000, "FLOAT", room=True)
    assert len(short) == len(long) and (short[:4], long[:4]) == (b"RIFF", b"RF64")
    assert (short[12:16], long[12:16]) == (b"JUNK", b"ds64")
    assert long == wav.header(most, 1, 48000, "FLOAT")
    assert len(wav.header(10, 1, 48000, "FLOAT")) == len(short) - 36


def test_overs_of_all_blocks_are_said_once(tmp_path):
    with pytest.warns(sc.SigconvWarning, match=r"2 of 6 samples beyond ±1 were clipped \(peak 2, \+6.0 dB\)") as log, \
            (tmp_path / "x.wav").open("wb") as raw:
        file = Sound(Sink(raw), ".wav", "PCM_16")
        for part in ([0.0, 1.5], [-2.0, 1.0], [-1.0, 0.25]):
            file.write(sc.Signal([part], sc.line(2, 8000)))
        file.close()
    assert len(log) == 1
    with pytest.raises(sc.SigconvError, match="DOUBLE"):
        Sound(Sink(io.BytesIO()), ".wav").write(sc.Signal(np.full((1, 4), 1e39), sc.line(4, 8000)))


@pytest.mark.skipif(not REAL.exists(), reason="no real data here")
@pytest.mark.parametrize("name", ["audio/robin.ogg", "audio/libri1.ogg", "audio/loop_tabla.flac", "rir/rir3.wav",
                                  "multichannel/speech_a.flac"])
def test_real_sounds(name):
    assert same(REAL / name, streamed.SIZE) is not None


@pytest.mark.parametrize("suffix", [".wav", ".rf64", ".flac", ".ogg", ".mp3", ".aiff", ".caf"])
@settings(max_examples=25)
@given(st.data())
def test_whatever_is_damaged_blocks_say_and_give_what_load_does(tmp_path_factory, suffix, data):
    raw = bytearray(genuine(suffix))
    head = data.draw(st.sampled_from([64, 200, len(raw)]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(head, len(raw)) - 1))
        how = data.draw(st.sampled_from(["flip", "extreme", "cut", "drop"]))
        if how == "flip":
            raw[at] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "extreme":
            raw[at:at + 4] = data.draw(st.sampled_from(EXTREME))
        else:
            raw[at + 1:] = b"" if how == "cut" else raw[at + 5:]
    path = tmp_path_factory.mktemp("x") / f"x{suffix}"
    path.write_bytes(raw)
    size = data.draw(st.sampled_from([100, 4096]))
    (wanted, words), (got, said) = told(lambda: sc.load(path)), told(lambda: joined(path, size))
    if isinstance(wanted, str):
        if " such in all" in wanted:  # blocks stop at the first that is not finite, in time
            assert "; wanted finite samples" in got
        elif got != wanted:
            assert isinstance(got, str) and got.split(" (")[0] == wanted.split(" (")[0]
        return
    assert said == words and got.domain == wanted.domain and got.names == wanted.names
    np.testing.assert_array_equal(got.data, wanted.data)
