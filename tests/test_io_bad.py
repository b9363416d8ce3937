"""Any bytes under any name: a Signal or one line, in bounded time."""

from __future__ import annotations

import io
import os
import time
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc

SUFFIXES = (".wav", ".rf64", ".w64", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aifc", ".au", ".caf", ".png", ".jpg", ".gif",
            ".tiff", ".bmp",
            ".webp", ".ppm", ".npy", ".npz")
READERS = (sc.load, sc.io.info, sc.io.load_taps)
EXTREME = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0")


@cache
def genuine(suffix):
    """A real file of each kind."""
    rng, file = np.random.default_rng(0), io.BytesIO()
    t = np.arange(3000) / 8000
    if suffix in SUFFIXES[:11]:
        x = sc.Signal((0.4 * np.sin(2 * np.pi * 440 * t) + 0.05 * rng.uniform(-1, 1, (2, 3000))).astype(np.float32),
                      sc.line(3000, 8000))
    elif suffix == ".gif":
        x = sc.Signal(rng.uniform(size=(1, 4, 9, 11)), sc.Domain((4, 9, 11), (0.05, 1, 1), 0, ("s", "px", "px")))
    else:
        x = sc.Signal(rng.uniform(size=(3, 20, 23)).astype(np.float32), sc.grid(20, 23))
    sc.io.write(file, x, suffix)
    return file.getvalue()


def judged(path):
    """Nothing but a result or one line leaves, and soon."""
    for read in READERS:
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                read(path)
            except sc.SigconvError as why:
                assert str(why).isprintable() and len(str(why)) <= 500
        assert time.perf_counter() - begin < 10


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=25)
@given(st.data())
def test_damaged_files(tmp_path_factory, suffix, data):
    raw = bytearray(genuine(suffix))
    head = data.draw(st.sampled_from([16, 64, 200, len(raw)]))
    for _ in range(data.draw(st.integers(1, 6))):
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
    judged(path)


@given(st.binary(max_size=300), st.sampled_from([*SUFFIXES, ".json", ".csv", ""]), st.sampled_from([0, 4, 12, 40]))
def test_random_bytes_under_any_name(tmp_path_factory, raw, suffix, kept):
    path = tmp_path_factory.mktemp("x") / f"x{suffix}"
    path.write_bytes((genuine(suffix)[:kept] if suffix in SUFFIXES else b"[[1,"[:kept]) + raw)
    judged(path)


@given(st.text(alphabet="[]{},0123456789.eE+-\"nulltrfasINty \n;#", max_size=60))
def test_texts_of_numbers(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("x") / "x.json"
    path.write_text(text)
    judged(path)


def test_things_that_are_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    os.symlink("loop", "loop")  # noqa: PTH211
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("hello there\n")
    wanted = {"none.wav": "no such file", ".": "a folder", "fifo": "a FIFO", "/dev/zero": "a device", "/dev/null": "a device",
              "loop": "links",
              "a" * 300: "too long", "x\0y": "NUL", "": "no such file", "empty.wav": "empty file", "text.wav": "text",
              "text.wav/x": "Not a directory"}
    for path, words in wanted.items():
        for read in READERS:
            if read is sc.io.load_taps and path == "text.wav":
                continue
            with pytest.raises(sc.SigconvError, match=words) as why:
                read(path)
            assert str(why.value).isprintable()
    for path in (None, 5, object()):
        with pytest.raises(sc.SigconvError, match="file name"):
            sc.load(path)


def test_closed_files_leak_nothing(tmp_path):
    (tmp_path / "x.wav").write_bytes(genuine(".wav"))
    (tmp_path / "bad.wav").write_bytes(genuine(".wav")[:50])

    def opened():
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    before = opened()
    for _ in range(5):
        sc.load(tmp_path / "x.wav")
        with pytest.raises(sc.SigconvError):
            sc.load(tmp_path / "bad.wav")
    assert opened() == before
