"""Files through kernels as they are: equal to `convolve`, as long, resumable, each file once."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from itertools import count, pairwise
from pathlib import Path

import laws
import numpy as np
import pytest
from command import run, spawn, tone
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import near

import sigconv as sc
from sigconv.applying import Died, Job, Record, apply, spread, through
from sigconv.engines import packed
from sigconv.engines.compiled import shut
from sigconv.errors import SigconvError
from sigconv.io import wav

PADDINGS = ("zeros", "reflect", "symmetric", "replicate", "circular")
RECORD = "sigconv-apply.jsonl"


def bound(x, k, y):
    """Two ways to compute it; a layer sums over channels."""
    return 2 * laws.bound(x.data, k.data, x.data.dtype) * (x.value[0] if len(k.value) == 2 else 1) + np.finfo(y.dtype).tiny


def saved(path, value=(1,), n=500, dtype=np.float32, seed=0):
    x = sc.Signal(np.random.default_rng(seed).uniform(-1, 1, (*value, n)).astype(dtype), sc.line(n, 8000))
    sc.save(x, path, True, subtype="DOUBLE" if dtype == np.float64 else None)
    return x


def joined(parts):
    parts = list(parts)
    for a, b in pairwise(parts):
        assert b.domain.start[0] == a.domain.start[0] + a.domain.shape[0]
    d = parts[0].domain
    data = np.concatenate([p.data for p in parts], axis=-1)
    return sc.Signal(data, sc.Domain(data.shape[-1], d.step, d.start, d.unit, d.name), parts[-1].names)


@settings(max_examples=60)
@given(st.data())
def test_a_file_through_a_kernel_is_its_convolution(tmp_path_factory, data):
    n, taps = data.draw(st.sampled_from([1, 2, 3, 40, 200, 501])), data.draw(st.sampled_from([1, 2, 3, 9, 64, 300, 900]))
    value, k_value = data.draw(st.sampled_from([((1,), ()), ((2,), ()), ((1,), (3,)), ((2,), (3,)), ((2,), (3, 2)),
                                                ((3,), (1, 3))]))
    start = data.draw(st.sampled_from([0, -((taps - 1) // 2), -taps + 1, -taps - 7, 5, -1, 250]))
    mode, padding = data.draw(st.sampled_from([("full", "zeros"), *(("same", p) for p in PADDINGS)]))
    size = data.draw(st.sampled_from([1, 7, 64, 499, 65536]) if n < 300 else st.sampled_from([64, 499, 65536]))
    path = tmp_path_factory.mktemp("x") / "x.wav"
    x = saved(path, value, n, data.draw(st.sampled_from([np.float32, np.float64])))
    k = sc.Signal(np.random.default_rng(taps).normal(size=(*k_value, taps)), sc.line(taps, 8000, start))
    with pytest.MonkeyPatch.context() as patch, sc.io.blocks(path, size) as parts:
        patch.setattr(packed, "CHUNK", data.draw(st.sampled_from([1, 16, 100])))
        patch.setattr(packed, "LONG", data.draw(st.sampled_from([1, 50, 5000])))
        got = joined(through(parts, k, mode=mode, padding_mode=padding))
    wanted = sc.convolve(x, k, mode=mode, padding_mode=padding)
    assert got.domain == wanted.domain and got.data.dtype == wanted.data.dtype
    near(got.data, wanted.data, bound(x, k, wanted.data))


@pytest.mark.parametrize("padding", PADDINGS)
def test_long_files_and_kernels(tmp_path, padding):
    """More than one block and one partition of everything."""
    x = saved(tmp_path / "x.wav", (2,), 200_000)
    k = sc.Signal(np.random.default_rng(1).normal(size=20_000) * np.exp(-np.arange(20_000) / 4000), sc.line(20_000, 8000, -3000))
    with sc.io.blocks(tmp_path / "x.wav") as parts:
        got = joined(through(parts, k, padding_mode=padding))
    wanted = sc.convolve(x, k, padding_mode=padding)
    near(got.data, wanted.data, bound(x, k, wanted.data))
    assert got.domain == wanted.domain


def test_how_the_file_is_cut_makes_no_difference_to_the_bit(tmp_path):
    saved(tmp_path / "x.wav", (1,), 30_000)
    k = sc.kernel("lowpass:cutoff=800", sc.line(1, 8000))
    both = [joined(through(sc.io.blocks(tmp_path / "x.wav", size), k, padding_mode="reflect")).data for size in (777, 65536)]
    assert np.array_equal(*both)


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.ogg", "x.mp3"])
@pytest.mark.parametrize("options", [[], ["--mode", "full"], ["--padding-mode", "circular"], ["--subtype", "PCM_16"]])
def test_the_command_writes_what_convolve_gives(tmp_path, name, options):
    sc.save(0.2 * saved(tmp_path / "y.wav", (2,), 20_000), tmp_path / name, True)
    done = run("apply", "--kernel", "lowpass:cutoff=800", "-o", "out", *options, name, cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, f"{name}  →  out/x.lowpass-cutoff=800.wav\n", "")
    x, more = sc.load(tmp_path / name), dict(zip((o[2:].replace("-", "_") for o in options[::2]), options[1::2], strict=True))
    k, subtype = sc.kernel("lowpass:cutoff=800", x), more.pop("subtype", None)
    wanted, got = sc.convolve(x, k, **more), sc.load(tmp_path / "out/x.lowpass-cutoff=800.wav")
    assert got.domain == wanted.domain and got.channels == ("L", "R")
    near(got.data, wanted.data, bound(x, k, wanted.data) + (2.0**-16 if subtype else 0))
    sc.save(got, tmp_path / "again.wav", subtype=subtype)
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "out/x.lowpass-cutoff=800.wav").read_bytes()


def test_a_bank_gives_channels_and_one_for_each_channel_is_said(tmp_path):
    x = saved(tmp_path / "x.wav", (2,), 3000)
    taps = np.random.default_rng(2).normal(size=(3, 50))
    np.save(tmp_path / "three.npy", taps)
    sc.save(sc.Signal(taps[:2], sc.line(50, 8000)), tmp_path / "room.wav", subtype="DOUBLE")
    done = run("apply", "-k", "three.npy", "-k", "room.wav", "-o", "out", "x.wav", cwd=tmp_path)
    assert done.code == 0 and done.err == "note: 2 filters on 2 channels: channel by channel\n"
    three = sc.convolve(x, sc.kernel(str(tmp_path / "three.npy"), x)).data.reshape(6, -1)
    near(sc.load(tmp_path / "out/x.three.wav").data, three, bound(x, sc.Signal(taps, sc.line(50, 8000)), three))
    room = np.stack([sc.convolve(sc.Signal(x.data[i:i + 1], x.domain), sc.Signal(taps[i], sc.line(50, 8000))).data[0]
                     for i in (0, 1)])
    near(sc.load(tmp_path / "out/x.room.wav").data, room, bound(x, sc.Signal(taps, sc.line(50, 8000)), room))


def test_images_and_volumes_whole(tmp_path):
    for name in ("image", "volume"):
        (tmp_path / sc.io.sample(name).name).write_bytes(sc.io.sample(name).read_bytes())
    assert run("apply", "-k", "edge", "--padding-mode", "reflect", ".", cwd=tmp_path).code == 0
    for name in ("image", "volume"):
        x, y = sc.load(sc.io.sample(name)), sc.load(tmp_path / f"{name}.edge.npz")
        with shut():  # as apply does, so that results are the same in whatever process
            wanted = sc.convolve(x, sc.kernel("edge", x), padding_mode="reflect")
        assert y.domain == wanted.domain and np.array_equal(y.data, wanted.data)


def tree(folder):
    """Every file below, but the records: its bytes' hash."""
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix != ".jsonl"}


def many(folder, n=9, seconds=0.3):
    (folder / "in/sub/deep").mkdir(parents=True)
    for i in range(n):
        tone(folder / "in" / ("", "sub", "sub/deep")[i % 3] / f"{i}.wav", seconds + i / 100, 8000 * (1 + i % 2), 1 + i % 2)
    return folder


def lines(path):
    return [entry for entry in map(json.loads, path.read_text().splitlines()) if not entry.get("begun")]


def test_a_second_run_does_what_changed(tmp_path):
    many(tmp_path, 4)
    order = ("apply", "-k", "blur", "-o", "out", "in")
    assert run(*order, cwd=tmp_path).out.count("→") == 4
    first, found = tree(tmp_path / "out"), lines(tmp_path / "out" / RECORD)
    assert sorted(first) == ["0.blur.wav", "3.blur.wav", "sub/1.blur.wav", "sub/deep/2.blur.wav"]
    for entry in found:
        source = tmp_path / "out" / entry["input"]
        assert entry["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest() and entry["size"] == source.stat().st_size
        assert entry["bytes"] == (tmp_path / "out" / entry["output"]).stat().st_size and entry["kernel"] == "blur"
    again = run(*order, cwd=tmp_path)
    assert (again.code, again.out, again.err) == (0, "", "0 written, 4 done before\n")
    tone(tmp_path / "in/0.wav", 0.5, 8000, 2)
    (tmp_path / "out/sub/1.blur.wav").unlink()
    (tmp_path / "out/3.blur.wav").write_bytes(b"cut")
    assert run(*order, cwd=tmp_path).out.count("→") == 3
    now = tree(tmp_path / "out")
    assert {name for name in now if now[name] != first[name]} == {"0.blur.wav"}
    assert run(*order, "--mode", "full", cwd=tmp_path).out.count("→") == 4
    assert run(*order, "--mode", "full", "--force", cwd=tmp_path).out.count("→") == 4
    (tmp_path / "k.npy").write_bytes(b"")
    for taps in ([1.0, 2.0], [1.0, 3.0]):  # the same name for other taps
        np.save(tmp_path / "k.npy", taps)
        assert run("apply", "-k", "k.npy", "-o", "out", "in/0.wav", cwd=tmp_path).out.count("→") == 1


def test_results_of_a_former_run_are_no_inputs(tmp_path):
    many(tmp_path, 3)
    for word in (".", "*.wav", "0.*"):
        done = run("apply", "-k", "blur", word, cwd=tmp_path / "in")
        assert done.code == 0, done.err
    assert len(tree(tmp_path / "in")) == 6
    done = run("apply", "-k", "edge", "0.blur.wav", cwd=tmp_path / "in")
    assert done.code == 2 and "results of former runs" in done.err
    assert run("apply", "-k", "edge", "-o", "../more", "0.blur.wav", cwd=tmp_path / "in").code == 0


def test_two_inputs_never_share_an_output_and_strangers_are_not_written_over(tmp_path):
    for name in ("a/x.wav", "b/x.wav", "a/x.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        sc.save(saved(tmp_path / "y.wav", n=100 + len(tree(tmp_path))), tmp_path / name)
    order = ("apply", "-k", "blur", "-k", "-1,0,1", "-k", "1,0,1", "-o", "out")
    assert run(*order, "a/x.wav", "a/x.flac", "b", cwd=tmp_path).code == 0
    assert len(tree(tmp_path / "out")) == 9
    (tmp_path / "x.edge.wav").write_bytes(b"mine")
    done = run("apply", "-k", "edge", "a/x.wav", cwd=tmp_path)
    assert done.code == 1 and "exists" in done.err and (tmp_path / "x.edge.wav").read_bytes() == b"mine"
    assert not (tmp_path / RECORD).exists()
    assert run("apply", "-k", "edge", "a/x.wav", "--force", cwd=tmp_path).code == 0
    done = run("apply", "-k", "edge", "b/x.wav", cwd=tmp_path)  # another x.wav
    assert done.code == 1 and "exists" in done.err


def test_two_processes_give_what_one_gives_to_the_byte(tmp_path):
    many(tmp_path, 7)
    (tmp_path / "in/bad.wav").write_bytes(b"RIFF\0\0\0\0WAVEnothing here")
    one, two = (spawn("apply", "-k", "room", "-o", f"out{j}", "-j", j, "--json", "in", cwd=tmp_path) for j in (1, 2))
    assert one.returncode == two.returncode == 3
    assert one.stderr == two.stderr and b"bad.wav" in one.stderr and b"1 of 8 files failed" in one.stderr
    assert tree(tmp_path / "out1") == tree(tmp_path / "out2") and len(tree(tmp_path / "out1")) == 7
    told = [[{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in done.stdout.splitlines()]
            for done in (one, two)]
    assert told[0] == told[1] and len(told[0]) == 7
    assert len(lines(tmp_path / "out2" / RECORD)) == 7


def test_shards_part_the_files(tmp_path):
    many(tmp_path, 12, 0.05)
    whole = run("apply", "-k", "blur", "-o", "whole", "in", cwd=tmp_path)
    parts = [run("apply", "-k", "blur", "-o", "parts", "--shard", f"{i}/3", "in", cwd=tmp_path) for i in (1, 2, 3)]
    assert all(p.code == 0 and p.out for p in parts) and sum(p.out.count("→") for p in parts) == 12 == whole.out.count("→")
    assert tree(tmp_path / "whole") == tree(tmp_path / "parts")
    records = sorted((tmp_path / "parts").glob("*.jsonl"))
    assert [p.name for p in records] == [f"sigconv-apply.{i}-of-3.jsonl" for i in (1, 2, 3)]
    assert sorted(e["output"] for p in records for e in lines(p)) == sorted(tree(tmp_path / "whole"))
    assert run("apply", "-k", "blur", "-o", "parts", "in", cwd=tmp_path).err == "0 written, 12 done before\n"
    for word in ("0/3", "4/3", "x", "1/", "1/0", "1/" + "9" * 99):
        done = run("apply", "-k", "blur", "--shard", word, "in", cwd=tmp_path)
        assert done.code == 2 and "wanted i/n" in done.err


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_in_the_middle_and_gone_on(tmp_path, jobs):
    many(tmp_path, 12, 4)
    order = [sys.executable, "-m", "sigconv_cli", "apply", "-k", "room", "-j", str(jobs), "-o", "out", "in"]
    with subprocess.Popen(order, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    for _ in range(100):  # the processes that it started end by themselves
        left = list((tmp_path / "out").rglob(".sigconv-*"))
        if jobs == 1 or not left:
            break
        time.sleep(0.1)
    time.sleep(0.3 * (jobs > 1))
    before = tree(tmp_path / "out")
    finished = len(lines(tmp_path / "out" / RECORD))
    assert 3 <= finished <= len([name for name in before if not Path(name).name.startswith(".")])
    with (tmp_path / "out" / RECORD).open("ab") as file:
        file.write(b'{"input": "torn')
    done = run(*order[3:], cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.count("→") == 12 - finished
    assert run("apply", "-k", "room", "-o", "fresh", "in", cwd=tmp_path).code == 0
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")
    assert len({e["output"] for e in map(json.loads, (line for line in (tmp_path / "out" / RECORD).read_text().splitlines()
                                                      if line != '{"input": "torn'))}) == 12


def test_killed_between_the_move_and_the_last_word(tmp_path):
    """The result is there, the line that says so is not: it is ours all the same."""
    saved(tmp_path / "x.wav")
    assert run("apply", "-k", "blur", "x.wav", cwd=tmp_path).code == 0
    record = tmp_path / RECORD
    record.write_text(record.read_text().splitlines(True)[0])
    (tmp_path / "x.blur.wav").write_bytes(b"of another time")
    assert run("apply", "-k", "blur", "x.wav", cwd=tmp_path).out.count("→") == 1
    assert len(lines(record)) == 1 and sc.load(tmp_path / "x.blur.wav").domain.size == 500


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_nothing_half(tmp_path, how, code, jobs):
    (tmp_path / "in").mkdir()
    for i in range(4):
        hole(tmp_path / f"in/{i}.wav", 20)
    order = [sys.executable, "-m", "sigconv_cli", "apply", "-k", "room", "-j", str(jobs), "-o", "out", "in"]
    with subprocess.Popen(order, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for _ in range(3000):
            if list((tmp_path / "out").glob(".sigconv-*")):
                break
            time.sleep(0.02)
        process.send_signal(how)
        process.communicate(timeout=20)
    assert process.returncode == code
    assert not list((tmp_path / "out").glob(".sigconv-*")) if (tmp_path / "out").exists() else True
    assert len(tree(tmp_path / "out")) < 4


def fatal(piece):
    """What may happen to a process."""
    if piece == "die":
        os._exit(9)
    return piece, os.getpid()


def test_a_process_that_dies_takes_its_piece_along_and_no_other():
    pieces = ["a", "die", "b", "c", "die", "d"]
    found = dict(spread(fatal, pieces, 2))
    assert sorted(found) == list(range(6))
    for i, piece in enumerate(pieces):
        assert found[i] == Died(9) if piece == "die" else found[i][0] == piece
    from sigconv_cli.apply import _raised

    with pytest.raises(SigconvError, match="exit code 9"):
        _raised(Died(9), None, set())


@pytest.mark.parametrize(("args", "code", "words"), [
    (["in/0.wav"], 2, "no kernel"), (["-k", "blur", "none.wav"], 1, "no such file"),
    (["-k", "blur", "-"], 2, "apply takes files"),
    (["-k", "blur", "empty"], 2, "no sounds"), (["-k", "blur", "-o", "file", "in"], 1, "a file"),
    (["-k", "blur", "-o", "file/sub", "in/0.wav"], 1, "wanted a folder"),
    (["-k", "blur", "-o", "/proc/nothing", "in/0.wav"], 1, "wanted a folder"),
    (["-k", "note:A4", "in/0.wav"], 1, "complex"), (["-k", "blr", "in/0.wav"], 2, "did you mean"),
    (["-k", "blur", "--mode", "full", "--padding-mode", "reflect", "in"], 2, "one of the two"),
    (["-k", "blur", "--subtype", "PCM_17", "in/0.wav"], 2, "wanted one of"),
    (["-k", "[1e300,1e300]", "in/0.wav"], 1, "not finite"),
    (["-k", "room.wav", "in/0.wav"], 1, "--resample"), (["-k", "blr", "in"], 2, "2 of 2 files failed")])
def test_one_line_for_what_can_not_be(tmp_path, args, code, words):
    many(tmp_path, 2)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    tone(tmp_path / "room.wav", 0.1, 11025)
    done = run("apply", *args, cwd=tmp_path)
    assert done.code == code and words in done.err and "Traceback" not in done.err
    assert sorted(p.name for p in tmp_path.rglob("*") if p.name.startswith(("sigconv-", ".sigconv")) or ".blur" in p.name) == []


def test_resample_brings_the_kernel_to_each_file(tmp_path):
    many(tmp_path, 2)
    tone(tmp_path / "room.wav", 0.1, 11025)
    done = run("apply", "-k", "room.wav", "--resample", "-o", "out", "in", cwd=tmp_path)
    assert done.code == 0 and done.err.count("resampled from 11025") == 2
    for name, rate in (("0", 8000), ("sub/1", 16000)):
        x, y = sc.load(tmp_path / f"in/{name}.wav"), sc.load(tmp_path / f"out/{name}.room.wav")
        k = sc.resample(sc.kernel(str(tmp_path / "room.wav"), x), rate, as_kernel=True)
        wanted = sc.convolve(x, k)
        near(y.data, wanted.data, bound(x, k, wanted.data))


def test_a_record_is_read_however_it_was_torn(tmp_path):
    good = {"input": "a", "output": "b", "bytes": 3}
    for junk in (b"[" * 10**5, b"\xff\xfe", b"3", b'{"input": 3, "output": "b"}', b'{"input": "a"', b"9" * 6000, b"null"):
        (tmp_path / RECORD).write_bytes(junk)
        Record(tmp_path).add(good)
        assert Record(tmp_path).done("a", "b") == good
    with pytest.raises(SigconvError, match="no/"):
        Record(tmp_path / "no").add(good)


def test_names_that_linux_allows(tmp_path):
    names = [b"-odd.wav", b"a\nb.wav", b"\xff.wav", b"x..wav", " ü 音.wav".encode(), b"y" * 250 + b".wav"]
    folder = os.fsencode(tmp_path)
    x = saved(tmp_path / "x.wav")
    for name in names:
        (tmp_path / "x.wav").rename(tmp_path / os.fsdecode(name))
        saved(tmp_path / "x.wav")
    done = run("apply", "-k", "blur", "-o", "out", "-j", "1", ".", cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(os.listdir(os.path.join(folder, b"out"))) == len(names) + 2  # noqa: PTH118, PTH208
    assert run("apply", "-k", "blur", "-o", "out", ".", cwd=tmp_path).err.endswith(f"{len(names) + 1} done before\n")
    assert x.domain.size == 500


MEMORY = """
import resource, sys
import sigconv as sc
from sigconv.applying import Job, apply
spec = sys.argv[2]
apply(Job(sys.argv[1], spec, "y", "."), lambda x: sc.kernel(spec, x.domain))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def hole(path, minutes, rate=22050):
    """Minutes of silent stereo that take no room on the disk."""
    n = minutes * 60 * rate
    head = wav.header(n, 2, rate, "PCM_16")
    path.write_bytes(head)
    os.truncate(path, len(head) + 4 * n)
    return n


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Twenty minutes against one, of stereo: 212 MB as float32."""
    used = {}
    for minutes in (1, 20):
        path = tmp_path / f"{minutes}.wav"
        n = hole(path, minutes)
        done = subprocess.run([sys.executable, "-c", MEMORY, path, "lowpass:cutoff=800"], cwd=tmp_path, capture_output=True,
                              check=True)
        used[minutes] = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
        assert sc.io.info(tmp_path / "y.wav")["frames"] == n
        (tmp_path / "y.wav").unlink()
        (tmp_path / RECORD).unlink()
    assert used[20] - used[1] < 60e6


def test_a_job_by_hand(tmp_path):
    x, calls = saved(tmp_path / "x.wav"), count()

    def kernel(source):
        assert (source.domain, source.value, source.rate) == (x.domain, (1,), 8000)
        next(calls)
        return sc.kernel("blur", source.domain)

    job = Job(str(tmp_path / "x.wav"), "blur", "sub/y", str(tmp_path), options={"mode": "same"})
    first = apply(job, kernel)
    second = apply(job.known(Record(tmp_path)), kernel)
    assert (first["skipped"], second["skipped"]) == (False, True)
    assert {**first, "skipped": True} == second
    assert first["output"] == "sub/y.wav" and (tmp_path / "sub/y.wav").exists()
