"""Bad input gets one line with its cure, the right code, and leaves nothing half-written."""

from __future__ import annotations

import os
import resource
import struct
import sys

import numpy as np
import pytest
import soundfile
from command import run, spawn, tone


def wav(path, data, subtype="FLOAT"):
    soundfile.write(path, data, 16000, subtype=subtype)
    return path


def poisoned(path, value):
    """A float WAV with one bad sample, put into the bytes: writers refuse it."""
    wav(path, np.full(100, 0.25, np.float32))
    raw = path.read_bytes()
    at = raw.index(struct.pack("<f", 0.25) * 50) + 4 * 42
    path.write_bytes(raw[:at] + struct.pack("<f", value) + raw[at + 4:])
    return path


FILES = {
    "missing": (lambda p: p / "none.wav", "none.wav", 1),
    "empty": (lambda p: (p / "empty.wav").touch() or p / "empty.wav", "empty", 1),
    "text": (lambda p: (p / "text.wav").write_text("hello there, no sound in here\n" * 9) and p / "text.wav", "text.wav", 1),
    "truncated": (lambda p: (p / "cut.wav").write_bytes(tone(p / "x.wav").read_bytes()[:20]) and p / "cut.wav", "cut.wav", 1),
    "nan": (lambda p: poisoned(p / "nan.wav", float("nan")), "42", 1),
    "inf": (lambda p: poisoned(p / "inf.wav", float("inf")), "42", 1),
    "no frames": (lambda p: wav(p / "zero.wav", np.zeros(0, np.float32)), "zero.wav", 1),
    "folder": (lambda p: (p / "folder").mkdir() or p / "folder", "folder", 1),
    "pickle": (lambda p: np.save(p / "p.npy", np.array([{}], dtype=object), allow_pickle=True) or p / "p.npy", "p.npy", 1),
    "fifo": (lambda p: os.mkfifo(p / "fifo.wav") or p / "fifo.wav", "fifo", 1),
}


def one_line(ran, word, code):
    assert ran.code == code, ran
    assert ran.err.count("\n") == 1 and len(ran.err) <= 500 and ran.err.startswith("sigconv: "), ran.err
    assert word in ran.err and "Traceback" not in ran.err and ran.out == ""


@pytest.mark.parametrize("verb", ["listen", "info", "look"])
@pytest.mark.parametrize("case", FILES)
def test_files(tmp_path, case, verb):
    make, word, code = FILES[case]
    out = tmp_path / "out"
    out.mkdir()
    file = make(tmp_path)
    if verb == "info" and case in ("nan", "inf", "no frames", "pickle"):
        pytest.skip("info reads headers")
    args = ["listen", "-k", "edge"] if verb == "listen" else [verb]
    one_line(run(*args, file, cwd=out), word, code)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(("spec", "word", "code"), [
    ("egde", "edge", 2), ("lowpass:cutof=800", "cutoff", 2), ("lowpass:cutoff=9000", "8000", 2), ("1,nan,2", "", 2),
    ("0.5", "[0.5]", 2), ("[[1,2],[3]]", "", 2), ("[[0,1],[1,0]]", "", 2), ("none.npy", "none.npy", 2), ("", "", 2),
    ("net.safetensors:front#1", "", 2), ("delay:1e12", "", 2), ("box:width=1e9", "", 2)])
def test_kernels(tmp_path, spec, word, code):
    ran = run("listen", "-k", spec, tone(tmp_path / "in.wav"), "-o", tmp_path / "o.wav")
    assert ran.code in (1, code)
    one_line(ran, word, ran.code)
    assert not (tmp_path / "o.wav").exists() and not (tmp_path / "o.html").exists()


def test_kernel_file_with_nan(tmp_path):
    np.save(tmp_path / "k.npy", np.array([1.0, np.nan]))
    one_line(run("listen", "-k", tmp_path / "k.npy", tone(tmp_path / "in.wav"), cwd=tmp_path), "k.npy", 1)


def test_outputs(tmp_path):
    file = tone(tmp_path / "in.wav")
    before = file.read_bytes()
    (tmp_path / "there.wav").write_text("keep me")
    (tmp_path / "link.wav").symlink_to(file)
    os.link(file, tmp_path / "hard.wav")
    for name, extra, word in (("in.wav", ["--force"], "in.wav"), ("hard.wav", ["--force"], "hard.wav"),
                              ("link.wav", ["--force"], "link"), ("there.wav", [], "--force"), ("nowhere/o.wav", [], "nowhere")):
        one_line(run("listen", "-k", "edge", file, "-o", tmp_path / name, *extra), word, 1)
    assert file.read_bytes() == before and (tmp_path / "there.wav").read_text() == "keep me"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hard.wav", "in.wav", "link.wav", "there.wav"]
    assert run("listen", "-k", "edge", file, "-o", tmp_path / "there.wav", "--force").code == 0
    assert soundfile.info(tmp_path / "there.wav").frames == 8000


def test_page_that_is_there_keeps_the_sound_from_being_written(tmp_path):
    (tmp_path / "o.html").write_text("keep me")
    one_line(run("listen", "-k", "edge", tone(tmp_path / "in.wav"), "-o", tmp_path / "o.wav"), "o.html", 1)
    assert not (tmp_path / "o.wav").exists() and (tmp_path / "o.html").read_text() == "keep me"


def test_unwritable(tmp_path):
    ran = run("listen", "-k", "edge", tone(tmp_path / "in.wav"), "-o", "/proc/o.wav")
    assert ran.code == 1 and ran.err.count("\n") == 1


def test_full_disk(tmp_path):
    """A write that fails half-way (here at a limit of 64 KiB a file) leaves nothing and says why."""
    file = tone(tmp_path / "in.wav", 3)
    out = tmp_path / "out"
    out.mkdir()
    done = spawn("listen", "-k", "edge", file, "-o", out / "o.wav",
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)))
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"Traceback" not in done.stderr, done.stderr
    assert b"too large" in done.stderr.lower()
    assert list(out.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="bytes as names")
def test_any_name(tmp_path):
    for name in (b"-odd.wav", b"a b.wav", b"\xff\xfe.wav", "né♯.wav".encode(), b"new\nline.wav", b"<b>&amp;.wav", b"a*b.wav"):
        tone(tmp_path / "x.wav").rename(tmp_path / os.fsdecode(name))
        done = spawn("listen", "-k", "edge", "-q", "--", os.fsdecode(name), cwd=tmp_path)
        assert done.returncode == 0, (name, done.stderr)
    assert len(list(tmp_path.iterdir())) == 7 * 3
