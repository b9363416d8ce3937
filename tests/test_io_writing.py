"""All outputs or none, never over an input, never over a file that was not given up."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sigconv as sc
from sigconv import writing
from sigconv.io import Outputs, next_free

X = sc.Signal(np.zeros((1, 100), np.float32), sc.line(100, 8000))
WAYS = {"folder": "a folder", "fifo": "a FIFO", "link": "a link", "dangling": "a link"}


def everything(folder):
    return sorted(p.name for p in folder.iterdir())


def test_nothing_stands_before_all_stand(tmp_path):
    with Outputs() as out:
        out.open(tmp_path / "a").write(b"one")
        out.open(tmp_path / "b").write(b"two")
        assert not [p for p in tmp_path.iterdir() if p.name in "ab"]
    assert everything(tmp_path) == ["a", "b"]
    assert (tmp_path / "a").read_bytes() == b"one" and (tmp_path / "b").read_bytes() == b"two"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, sc.SigconvError, ZeroDivisionError, MemoryError])
@pytest.mark.parametrize("overwrite", [True, False])
def test_an_error_leaves_what_was(tmp_path, error, overwrite):
    if overwrite:
        (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(error), Outputs(overwrite) as out:
        out.open(tmp_path / "a").write(b"new")
        out.open(tmp_path / "b").write(b"new")
        raise error
    assert everything(tmp_path) == (["a"] if overwrite else [])
    assert not overwrite or (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failing_move_is_undone(tmp_path, monkeypatch, overwrite, error):
    """The second of three moves fails after it has happened, or before."""
    if overwrite:
        for name in "abc":
            (tmp_path / name).write_bytes(b"old")
    name = "replace" if overwrite else "link"
    real, calls = getattr(os, name), []

    def failing(a, b, *more):
        if not os.fsencode(b).endswith(b".tmp"):
            calls.append(b)
            if len(calls) == 2:
                if error is KeyboardInterrupt:
                    real(a, b, *more)
                raise error
        return real(a, b, *more)

    monkeypatch.setattr(writing.os, name, failing)
    with pytest.raises((KeyboardInterrupt, sc.SigconvError)), Outputs(overwrite) as out:
        for target in "abc":
            out.open(tmp_path / target).write(b"new")
    assert everything(tmp_path) == (["a", "b", "c"] if overwrite else [])
    assert all(p.read_bytes() == b"old" for p in tmp_path.iterdir())


def test_existing_files_need_overwrite(tmp_path):
    sc.save(X, tmp_path / "x.wav")
    before = (tmp_path / "x.wav").read_bytes()
    with pytest.raises(sc.SigconvError, match=r"exists; .*--force"):
        sc.save(X * 0.5, tmp_path / "x.wav")
    assert (tmp_path / "x.wav").read_bytes() == before
    (tmp_path / "x.wav").chmod(0o640)
    sc.save(X.between(0, 0.005), tmp_path / "x.wav", overwrite=True)
    assert sc.load(tmp_path / "x.wav").domain.shape == (40,)
    assert (tmp_path / "x.wav").stat().st_mode & 0o777 == 0o640
    assert everything(tmp_path) == ["x.wav"]


def test_a_file_that_appears_meanwhile_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(Outputs, "_check", lambda self, target: None)
    with pytest.raises(sc.SigconvError, match="meanwhile"), Outputs() as out:
        out.open(tmp_path / "a").write(b"mine")
        (tmp_path / "a").write_bytes(b"theirs")
    assert (tmp_path / "a").read_bytes() == b"theirs" and everything(tmp_path) == ["a"]


def test_no_links_on_the_file_system(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(writing.os, "link", refused)
    with Outputs() as out:
        out.open(tmp_path / "a").write(b"one")
        out.open(tmp_path / "b").write(b"two")
    assert everything(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("overwrite", [True, False])
def test_outputs_that_are_no_plain_files_are_refused(tmp_path, way, overwrite):
    target = tmp_path / "x.wav"
    (tmp_path / "there").write_bytes(b"kept")
    {"folder": target.mkdir, "fifo": lambda: os.mkfifo(target), "link": lambda: target.symlink_to("there"),
     "dangling": lambda: target.symlink_to("nowhere")}[way]()
    with pytest.raises(sc.SigconvError, match=WAYS[way]):
        sc.save(X, target, overwrite)
    assert (tmp_path / "there").read_bytes() == b"kept" and everything(tmp_path) == ["there", "x.wav"]


@pytest.mark.parametrize("alias", ["same", "hard", "symbolic", "dots"])
def test_an_input_is_never_written(tmp_path, alias):
    source = tmp_path / "in.wav"
    source.write_bytes(b"precious")
    target = tmp_path / "out.wav"
    if alias == "hard":
        os.link(source, target)
    elif alias == "symbolic":
        target.symlink_to(source)
    else:
        target = source if alias == "same" else tmp_path / ".." / tmp_path.name / "in.wav"
    with pytest.raises(sc.SigconvError, match="input"), Outputs(overwrite=True, inputs=[source, "-", tmp_path / "gone"]) as out:
        out.open(target)
    assert source.read_bytes() == b"precious"


def test_two_results_never_share_an_output(tmp_path):
    with pytest.raises(sc.SigconvError, match="two results"), Outputs(overwrite=True) as out:
        out.open(tmp_path / "a")
        out.open(tmp_path / "." / "a")
    assert not everything(tmp_path)


@pytest.mark.parametrize(("name", "words"), [("no/such/x.wav", "no folder"), ("x" * 300 + ".wav", "too long"),
                                             ("a\0b.wav", "NUL"), ("", "wanted"),
                                             (3, "file name"), ("file/x.wav", "Not a directory|no folder")])
def test_places_that_can_t_be_written(tmp_path, name, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(sc.SigconvError, match=words):
        sc.save(X, name)
    assert everything(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(sc.SigconvError, match="Permission denied"):
        sc.save(X, tmp_path / "x.wav")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".npy", ".npz", ".png", ".tiff", ".gif"])
def test_a_full_disk_keeps_the_system_s_words(tmp_path, suffix, monkeypatch):
    """A file size limit stands in for the disk; SIGXFSZ is ignored, so that write says "File too large"."""
    noise = np.random.default_rng(0).uniform(size=(1, 300, 300))
    x = sc.Signal(noise, sc.grid(300, 300)) if suffix in (".png", ".tiff", ".gif") else sc.Signal(noise.reshape(1, -1),
                                                                                                  sc.line(90000, 8000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
        with pytest.raises(sc.SigconvError, match=f"x{suffix}: File too large"):
            sc.save(x, tmp_path / f"x{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not everything(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_no_space_left_through_a_pipe():
    code = ("import sigconv as sc, numpy as np\ntry: sc.save(sc.Signal(np.zeros((1, 9)), sc.line(9, 8000)), '-')\n"
            "except sc.SigconvError as why:\n")
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run([sys.executable, "-c",
                               code + "    import sys, os; print(why, file=sys.stderr); sys.stderr.flush(); os._exit(1)"],
                              stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and done.stderr == b"standard output: No space left on device\n"


def test_what_kill_9_leaves_is_taken_over_by_the_next_run(tmp_path):
    code = ("import sys, time; from sigconv.io import Outputs\nwith Outputs() as out:\n out.open('x.wav').write(b'half')\n"
            " out.open('y.wav'); print('ready', flush=True); time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    with pytest.raises(sc.SigconvError, match="another process"):
        sc.save(X, tmp_path / "x.wav")
    process.kill()
    process.wait()
    process.stdout.close()
    left = everything(tmp_path)
    assert len(left) == 2 and all(name.startswith(".sigconv-") and name.endswith(".tmp") for name in left)
    for name in ("x.wav", "y.wav"):
        sc.save(X, tmp_path / name)
    assert everything(tmp_path) == ["x.wav", "y.wav"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_leave_nothing(tmp_path, number):
    code = ("import sys, time, signal; from sigconv.io import Outputs\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
            "with Outputs() as out:\n out.open('x.wav').write(b'half')\n print('ready', flush=True); time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    process.send_signal(number)
    process.wait(30)
    process.stdout.close()
    assert not everything(tmp_path)


def test_any_name_that_linux_allows(tmp_path):
    for name in (b"\xff\xfe.wav", b"a\nb\x1b[31m.wav", b"-o.wav", b" .wav", "été.wav".encode()):
        path = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118
        sc.save(X, path)
        assert sc.load(path).domain == X.domain and sc.load(os.fsdecode(path)).domain == X.domain
        with pytest.raises(sc.SigconvError) as why:
            sc.save(X, path)
        assert str(why.value).isprintable()


def test_next_free(tmp_path):
    assert next_free(tmp_path, "v.edge", [".wav", ".html"]) == "v.edge"
    (tmp_path / "v.edge.html").touch()
    (tmp_path / "v.edge-2.wav").symlink_to("nowhere")
    assert next_free(tmp_path, "v.edge", [".wav", ".html"]) == "v.edge-3"


def test_samples_are_there():
    for name in ("speech", "chime", "chime-dry", "stereo", "image", "volume", "room"):
        assert sc.load(sc.io.sample(name)).data.size
    with pytest.raises(sc.SigconvError, match="did you mean 'speech'"):
        sc.io.sample("speach")
