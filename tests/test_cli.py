"""The main job, from the command line to the samples on disk."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
from command import REAL, run, spawn, tone

EPS = np.finfo(np.float32).eps


def results(folder):
    return sorted(p.name for p in folder.iterdir())


def read(path):
    x, rate = soundfile.read(path, always_2d=True)
    return x.T, rate


def near(y, exact, taps, x):
    bound = 16 * EPS * np.abs(taps).sum() * np.abs(x).max()
    assert y.shape == exact.shape
    assert np.abs(y - exact).max() <= bound, (np.abs(y - exact).max(), bound)


def test_the_first_minute(tmp_path):
    first = run("listen", "--kernel", "edge", cwd=tmp_path)
    assert first.code == 0, first.err
    assert results(tmp_path) == ["speech.edge.html", "speech.edge.wav"]
    lines = first.out.splitlines()
    assert len(lines) == 4 and [line.split()[0] for line in lines] == ["does", "changed", "written", "next"]
    assert "high-pass" in lines[0] and "dB" in lines[1] and "./speech.edge.wav" in lines[2] and "sigconv " in lines[3]
    again = run("listen", "--kernel", "edge", cwd=tmp_path)
    assert again.code == 0
    assert results(tmp_path) == ["speech.edge-2.html", "speech.edge-2.wav", "speech.edge.html", "speech.edge.wav"]
    assert (tmp_path / "speech.edge.wav").read_bytes() == (tmp_path / "speech.edge-2.wav").read_bytes()


@pytest.mark.parametrize("spec", ["edge", "-1,0,1", "lowpass:cutoff=800", "blur", "1,2,3,4"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_the_sound_is_scipys_times_the_printed_gain(tmp_path, spec, channels):
    import sigconv as sc

    file = tone(tmp_path / "in.wav", channels=channels)
    ran = run("listen", "--kernel", spec, "--json", "--no-page", "-o", tmp_path / "out.wav", file)
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    x, rate = read(file)
    y, got = read(tmp_path / "out.wav")
    assert got == rate == said["rate"] and soundfile.info(tmp_path / "out.wav").subtype == "FLOAT"
    k = sc.kernel(spec, sc.line(1, rate))
    full = np.stack([scipy.signal.convolve(c, k.data, "full") for c in x])
    exact = full[:, -k.domain.start[0]:][:, : x.shape[1]]
    if k.domain.start[0] == -((len(k.data) - 1) // 2) and x.shape[1] >= len(k.data):
        assert np.allclose(exact, [scipy.signal.convolve(c, k.data, "same") for c in x])
    near(y, exact * said["gain"], k.data * said["gain"], x)
    printed = run("listen", "--kernel", spec, "--no-page", "-o", tmp_path / "again.wav", file).out
    assert float(re.search(r"gain ([\d.e+-]+)\)", printed).group(1)) == pytest.approx(said["gain"], rel=1e-8)


def test_match_none_no_guard_writes_convolve_as_it_is(tmp_path):
    import sigconv as sc

    file = tone(tmp_path / "in.wav", channels=2)
    run("listen", "-k", "1,1,1,1", "--match", "none", "--no-guard", "--no-page", "-o", tmp_path / "out.wav", file)
    x = sc.load(file)
    y = sc.convolve(x, sc.kernel("1,1,1,1", x.domain))
    assert np.array_equal(sc.load(tmp_path / "out.wav").data, y.data)


@pytest.mark.parametrize("spec", ["3,1,2", "edge", "lowpass:cutoff=1000", "echo:delay=0.01", "[0.5]"])
def test_an_impulse_gives_the_taps_at_gain_one(tmp_path, spec):
    import sigconv as sc

    x = np.zeros(8001)
    x[4000] = 1
    soundfile.write(tmp_path / "click.wav", x, 16000, subtype="FLOAT")
    run("listen", "-k", spec, "--match", "none", "--no-guard", "--no-page", "-o", tmp_path / "out.wav", tmp_path / "click.wav")
    y = read(tmp_path / "out.wav")[0][0]
    k = sc.kernel(spec, sc.line(1, 16000))
    at = 4000 + int(k.domain.start[0])
    near(y[at: at + len(k.data)], k.data, k.data, np.ones(1))
    assert np.abs(np.delete(y, slice(at, at + len(k.data)))).max() <= 16 * EPS * np.abs(k.data).sum()


def test_same_again(tmp_path):
    """Same input, same options: same bytes of sound and page, whatever the hash seed."""
    file = tone(tmp_path / "in.wav")
    for name, seed in (("a", "1"), ("b", "2")):
        (tmp_path / name).mkdir()
        done = spawn("listen", "-k", "edge", "-k", "room", file, "-o", tmp_path / name,
                     env=os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": "C"})
        assert done.returncode == 0, done.stderr
    assert results(tmp_path / "a") == results(tmp_path / "b") != []
    for name in results(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_several_kernels_one_page(tmp_path):
    file = tone(tmp_path / "in.wav")
    ran = run("listen", "-k", "edge", "-k", "blur", file, cwd=tmp_path)
    assert ran.code == 0
    assert results(tmp_path) == ["in.blur.wav", "in.edge+blur.html", "in.edge.wav", "in.wav"]


def test_files_of_one_name_share_no_output(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        tone(tmp_path / name / "x.wav")
    ran = run("listen", "-k", "edge", tmp_path / "a", tmp_path / "b" / "*.wav", "-o", tmp_path / "out", "--no-page")
    assert ran.code == 0, ran.err
    assert results(tmp_path / "out") == ["x.edge-2.wav", "x.edge.wav"]


def test_goes_on_past_a_bad_file(tmp_path):
    tone(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_text("no sound")
    tone(tmp_path / "c.wav")
    ran = run("listen", "-k", "edge", *(tmp_path / f"{name}.wav" for name in "abc"), "-o", tmp_path / "out", "--json")
    assert ran.code == 3
    assert len([json.loads(line) for line in ran.out.splitlines()]) == 2
    assert "b.wav" in ran.err and "1 of 3 files failed" in ran.err
    assert results(tmp_path / "out") == ["a.edge.html", "a.edge.wav", "c.edge.html", "c.edge.wav"]


def test_pipes(tmp_path):
    file = tone(tmp_path / "in.wav", channels=2)
    done = spawn("listen", "-k", "edge", "-", "-o", "-", "--match", "none", "--no-guard", stdin=file.read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "out.wav").write_bytes(done.stdout)
    y, rate = read(tmp_path / "out.wav")
    x, _ = read(file)
    assert rate == 16000 and np.abs(y - np.diff(x, prepend=0)).max() < 1e-6
    assert b"high-pass" in done.stderr


def test_pcm_is_written_when_asked_for(tmp_path):
    file = tone(tmp_path / "in.wav")
    assert run("listen", "-k", "edge", "--subtype", "PCM_16", "--no-page", "-o", tmp_path / "o.wav", file).code == 0
    assert soundfile.info(tmp_path / "o.wav").subtype == "PCM_16"


def test_kernel_at_another_rate(tmp_path):
    file, room = tone(tmp_path / "in.wav"), tone(tmp_path / "room.wav", 0.05, 8000)
    refused = run("listen", "-k", room, file, cwd=tmp_path)
    assert refused.code == 1 and "8000 Hz" in refused.err and "--resample" in refused.err
    assert run("listen", "-k", room, "--resample", file, cwd=tmp_path).code == 0


def test_image_gives_a_picture_and_its_scan(tmp_path):
    from PIL import Image

    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))).save(tmp_path / "ramp.png")
    ran = run("listen", "-k", "blur", "ramp.png", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert results(tmp_path) == ["ramp.blur.html", "ramp.blur.png", "ramp.blur.wav", "ramp.png"]
    got = np.asarray(Image.open(tmp_path / "ramp.blur.png")).astype(int)
    assert np.abs(got[10:-10, 10:-10] - (np.arange(64) * 4)[10:-10]).max() <= 1  # a blur keeps a ramp


def test_volume_keeps_true_samples(tmp_path):
    import scipy.ndimage

    import sigconv as sc

    v = np.random.default_rng(0).random((9, 10, 11)).astype(np.float32)
    np.save(tmp_path / "v.npy", v)
    ran = run("listen", "-k", "laplace", "v.npy", cwd=tmp_path)
    assert ran.code == 0, ran.err
    y = sc.load(tmp_path / "v.laplace.npz")
    assert y.domain.shape == v.shape
    assert np.allclose(y.data[0], scipy.ndimage.laplace(v, mode="constant"), atol=1e-5)


@pytest.mark.skipif(not REAL.exists(), reason="no real data beside the checkout")
@pytest.mark.parametrize(("file", "spec", "kinds"), [
    ("audio/libri1.ogg", "lowpass:cutoff=800", {".wav", ".html"}), ("audio/trumpet.ogg", "edge", {".wav", ".html"}),
    ("images/coffee.png", "edge", {".wav", ".html", ".png"}), ("volume/mni152_t1_2mm.npy", "blur", {".wav", ".html", ".npz"})])
def test_real_input(tmp_path, file, spec, kinds):
    ran = run("listen", "-k", spec, REAL / file, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert {p.suffix for p in tmp_path.iterdir()} == kinds
    (sound,) = tmp_path.glob("*.wav")
    y, _ = read(sound)
    assert 0.01 < np.abs(y).max() <= 1


def test_info_kernels_describe_as_json(tmp_path):
    file = tone(tmp_path / "in.wav", channels=2)
    facts = json.loads(run("info", "--json", file).out)
    assert (facts["kind"], facts["rate"], facts["channels"]) == ("sound", 16000, 2)
    listed = [json.loads(line)["name"] for line in run("kernels", "--json").out.splitlines()]
    assert {"identity", "delay", "edge", "laplace", "gaussian", "box", "sharpen", "echo", "lowpass", "highpass", "bandpass",
            "bandstop", "note", "room"} <= set(listed)
    assert "parameters" in json.loads(run("kernels", "--json", "lowpass").out)


def test_describe_says_the_same_of_name_taps_and_file(tmp_path):
    np.save(tmp_path / "taps.npy", np.array([1.0, -1.0]))
    said = [run("describe", *spec).out for spec in (["edge"], ["1,-1"], [str(tmp_path / "taps.npy")])]
    sentences = [s.split("high-pass", 1)[1] for s in said]
    assert sentences[0] == sentences[1] == sentences[2] and "6.0" in sentences[0]


@pytest.mark.parametrize("args", [["--kernel", "edge"], ["--kernel", "[[0,1,0],[1,-4,1],[0,1,0]]", "image"], ["image"], ["sound"],
                                  ["--kernel", "edge", "sound"], ["--kernel", "edge", "image"]])
def test_look_draws(tmp_path, args):
    from PIL import Image

    Image.fromarray(np.eye(32, dtype=np.uint8) * 255).save(tmp_path / "image.png")
    tone(tmp_path / "sound.wav")
    named = [{"image": tmp_path / "image.png", "sound": tmp_path / "sound.wav"}.get(a, a) for a in args]
    ran = run("look", *named, "-o", tmp_path / "o.png", "--size", 800, 600)
    assert ran.code == 0, ran.err
    assert Image.open(tmp_path / "o.png").size == (800, 600)


def test_help_and_usage():
    assert "listen" in run().out and "Examples" in run().out
    for args, word in ((["lisen"], "listen"), (["listen", "--kernle", "edge"], "--kernel"), (["listen"], "--kernel"),
                       (["look"], "kernel"), (["kernels", "egde"], "edge")):
        ran = run(*args)
        assert ran.code == 2 and word in ran.err and ran.err.count("\n") == 1, (args, ran)


def test_completion_offers_kernels():
    asked = {"_SIGCONV_COMPLETE": "bash_complete", "COMP_WORDS": "sigconv listen --kernel lowp", "COMP_CWORD": "3"}
    done = subprocess.run([sys.executable, "-m", "sigconv_cli"], capture_output=True, text=True, check=False, timeout=60,
                          env=os.environ | asked)
    assert "lowpass" in done.stdout


def at_work(process):
    """Wait until a process has begun to load what the work needs, which is after its handlers are set."""
    while process.poll() is None and "_multiarray_umath" not in Path(f"/proc/{process.pid}/maps").read_text():
        time.sleep(0.005)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path, number):
    """Stopped at any moment of its work: the code says so and nothing new is left."""
    file = tone(tmp_path / "long.wav", 120, 44100, 2)
    (tmp_path / "out").mkdir()
    stopped = 0
    for wait in (0.01, 0.2, 0.5, 0.8, 1.2):
        command = [sys.executable, "-m", "sigconv_cli", "listen", "-k", "room", file, "-o", tmp_path / "out" / "x.wav"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        at_work(process)
        try:
            process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        _, err = process.communicate(timeout=60)
        if process.returncode:
            assert process.returncode == 128 + number and b"Traceback" not in err and err.count(b"\n") <= 1, err
            assert results(tmp_path / "out") == []
            stopped += 1
        else:
            for path in (tmp_path / "out").iterdir():
                path.unlink()
    assert stopped


@pytest.mark.parametrize("kind", ["sound", "image"])
def test_what_is_proposed_next_runs(tmp_path, kind):
    import shlex

    from PIL import Image

    name = {"sound": "my voice.wav", "image": "a picture.png"}[kind]
    if kind == "sound":
        tone(tmp_path / name)
    else:
        Image.fromarray(np.eye(32, dtype=np.uint8) * 255).save(tmp_path / name)
    for spec in ("edge", "blur*edge", "blur"):
        said = run("listen", "-k", spec, name, cwd=tmp_path).out.splitlines()[3].removeprefix("next").strip()
        for command in said.split("   ·   "):
            ran = run(*shlex.split(command)[1:], cwd=tmp_path)
            assert ran.code == 0, (command, ran.err)


def test_what_is_proposed_next_names_the_file_wherever_it_lies(tmp_path):
    (tmp_path / "samples").mkdir()
    tone(tmp_path / "samples" / "a.wav")
    assert "--kernel room samples/a.wav" in run("listen", "-k", "edge", "samples/a.wav", cwd=tmp_path).out.splitlines()[3]
    assert "--kernel room   ·" in run("listen", "-k", "edge", cwd=tmp_path).out.splitlines()[3]


def test_an_empty_folder_among_files_is_one_bad_file(tmp_path):
    (tmp_path / "empty").mkdir()
    tone(tmp_path / "a.wav")
    ran = run("listen", "-k", "edge", "empty", "a.wav", cwd=tmp_path)
    assert ran.code == 3 and "empty: a folder" in ran.err and "1 of 2 files failed" in ran.err
    assert (tmp_path / "a.edge.wav").exists()
    alone = run("listen", "-k", "edge", "empty", cwd=tmp_path)
    assert alone.code == 1 and "wanted some in it" in alone.err


def test_a_family_tells_its_parameters():
    told = run("kernels", "lowpass").out
    assert ":cutoff  where the gain is −6 dB (Hz or 1/px, or per axis, default 1000 Hz or rate/8)" in told
    assert json.loads(run("kernels", "--json", "echo").out)["parameters"]["decay"] == {
        "unit": "", "default": 0.5, "meaning": "gain from one repeat to the next"}


def test_a_bank_is_described_filter_by_filter():
    ran = run("describe", "--dims", 2, "--json", "edge")
    assert ran.code == 0, ran.err
    assert [f["dc"] for f in json.loads(ran.out)["facts"]] == pytest.approx([0, 0])


def test_a_mistake_for_all_files_is_said_once_and_is_usage(tmp_path):
    for name in "ab":
        tone(tmp_path / f"{name}.wav")
    ran = run("listen", "-k", "egde", "a.wav", "b.wav", "-o", "new", cwd=tmp_path)
    assert ran.code == 2 and ran.err.count("egde") == 1 and "2 of 2 files failed" in ran.err
    assert results(tmp_path) == ["a.wav", "b.wav"]


def test_where_several_results_go(tmp_path):
    tone(tmp_path / "a.wav")
    refused = run("listen", "-k", "edge", "-k", "blur", "a.wav", "-o", "x.wav", cwd=tmp_path)
    assert refused.code == 2 and "folder" in refused.err and not (tmp_path / "x.wav").exists()
    assert run("listen", "-k", "edge", "a.wav", "-o", "out/", cwd=tmp_path).code == 0
    assert results(tmp_path / "out") == ["a.edge.html", "a.edge.wav"]
    (tmp_path / "notes.txt").write_text("not for ears")
    assert run("listen", "-k", "edge", tmp_path, "-o", "all", "--no-page", cwd=tmp_path).code == 0
    assert results(tmp_path / "all") == ["a.edge.wav"]


def test_full_begins_where_the_file_does(tmp_path):
    file = tone(tmp_path / "in.wav")
    run("listen", "-k", "delay:0.01", "--mode", "full", "--match", "none", "--no-guard", "--no-page", "-o", tmp_path / "o.wav",
        file)
    x, y = read(file)[0], read(tmp_path / "o.wav")[0]
    assert y.shape == (1, 8160) and not y[:, :160].any() and np.array_equal(y[:, 160:], x.astype(np.float32))


def test_contours_can_be_seen(tmp_path):
    """A faint gradient is written brighter, by a factor that is said; true samples are there for the asking."""
    from PIL import Image

    import sigconv as sc

    ramp = np.tile(np.arange(128, dtype=np.uint8), (64, 1))
    ramp[:, 64:] += 20
    Image.fromarray(ramp).save(tmp_path / "steps.png")
    ran = run("listen", "-k", "edge", "steps.png", "--no-page", cwd=tmp_path)
    assert "times its values" in ran.err
    seen = np.asarray(Image.open(tmp_path / "steps.edge.png"))
    factor = float(re.search(r"([\d.]+) times its values", ran.err).group(1))
    assert seen[32, 64] == min(round(21 * factor), 255) and seen[32, 30] == round(factor)
    assert run("listen", "-k", "edge", "steps.png", "--no-page", "-o", "true.npz", cwd=tmp_path).code == 0
    assert sc.load(tmp_path / "true.npz").data[0, 1, 32, 64] == pytest.approx(21 / 255, rel=1e-5)


def test_look_resamples_when_asked(tmp_path):
    file, room = tone(tmp_path / "in.wav"), tone(tmp_path / "room.wav", 0.05, 8000)
    assert "--resample" in run("look", "-k", room, file, cwd=tmp_path).err
    assert run("look", "-k", room, "--resample", file, cwd=tmp_path).code == 0


def test_the_filters_of_a_bank_are_channels_of_a_wav(tmp_path):
    import sigconv as sc

    x = sc.load(tone(tmp_path / "in.wav", channels=2))
    bank = sc.Signal([[1.0, 0.0], [0.5, 0.5], [1.0, -1.0]], sc.line(2, 16000))
    sc.save(x @ bank, tmp_path / "bank.wav")
    assert np.array_equal(sc.load(tmp_path / "bank.wav").data, (x @ bank).data.reshape(6, -1))


def test_what_the_borders_touch_is_said(tmp_path):
    """Row 52: the range whose outputs read samples alone is stated, in units; outside it another padding changes the result."""
    file = tone(tmp_path / "in.wav")
    got = {}
    for mode in ("zeros", "reflect"):
        ran = run("listen", "-k", "1,2,3,4,5", "--json", "--padding-mode", mode, "--match", "none", "--no-guard", "--no-page",
                  "-o", tmp_path / f"{mode}.wav", file)
        got[mode], said = read(tmp_path / f"{mode}.wav")[0][0], json.loads(ran.out)
    (first, stop), = said["whole"]
    differ = np.flatnonzero(got["zeros"] != got["reflect"])
    assert (round(first * 16000), round(stop * 16000)) == (2, 7998)
    assert set(differ) == {0, 1, 7998, 7999}
    spoken = run("listen", "-k", "1,2,3,4,5", "-v", "--no-page", "-o", tmp_path / "o.wav", file).err
    assert "whole in 0.000125 … 0.499875 s" in spoken


def test_one_bright_spot_does_not_hide_the_contours():
    """The brightness of a contour picture comes from nearly all of its values, not from the largest one."""
    import sigconv as sc
    from sigconv.pictures import picture

    x = np.zeros((1, 64, 64))
    x[0, :, 32:], x[0, 5, 5] = 0.1, 1
    k = sc.kernel("laplace", sc.grid(64, 64))
    y = sc.convolve(sc.Signal(x, sc.grid(64, 64)), k)
    seen, said = picture(y, k, visible=True)
    factor = float(re.match(r"([\d.]+) times", said).group(1))
    assert factor >= 8 and np.allclose(seen.data, 0.5 + 0.5 * factor * y.data)
