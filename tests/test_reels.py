"""A file that goes by in blocks is heard as the file in memory: same samples, gains, words; memory that does not grow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import laws
import numpy as np
import pytest
from command import run, tone
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import near
from test_apply import hole

import sigconv as sc
from sigconv import reels
from sigconv.hear.fair import measure
from sigconv.hear.metering import Meter
from sigconv.page.overview import Overview
from sigconv.reels import listening
from sigconv.study.changes import changed_so_far
from sigconv.study.tallies import Tally


def sound(n, channels=1, rate=8000, seed=0, dtype=np.float32, names=None):
    rng = np.random.default_rng(seed)
    swell = 0.05 + np.sin(np.linspace(0, 3, n)) ** 2
    return sc.Signal((rng.normal(size=(channels, n)) * 0.2 * swell).astype(dtype), sc.line(n, rate), names)


def cut(n, data):
    """Somewhere in n samples, in order."""
    return [0, *sorted(data.draw(st.lists(st.integers(0, n), max_size=6))), n]


@settings(max_examples=40)
@given(st.data())
def test_a_meter_says_what_is_measured_of_the_whole(data):
    n, rate = data.draw(st.sampled_from([1, 33, 3000, 9000, 40_000])), data.draw(st.sampled_from([8000, 11025, 44100, 90]))
    channels, dtype = data.draw(st.sampled_from([1, 2, 6])), data.draw(st.sampled_from([np.float32, np.float64]))
    names = sc.Signal(np.zeros((6, 1)), sc.line(1, 8000)).names if channels != 6 else (("L", "R", "C", "LFE", "Ls", "Rs"),)
    x = sound(n, channels, rate, n, dtype, names if channels == 6 else None) * data.draw(st.sampled_from([1.0, 1e-5, 0.0]))
    meter = Meter(rate, x.channels)
    edges = cut(n, data)
    for a, b in pairwise(edges):
        meter.add(x.data[:, a:b])
    got, wanted = meter.heard(), measure(x)
    assert (got.true_peak, got.peak, got.note, got.mute) == (wanted.true_peak, wanted.peak, wanted.note, wanted.mute)
    assert got.powers.shape == wanted.powers.shape
    np.testing.assert_allclose(got.powers, wanted.powers, rtol=1e-5 if dtype == np.float32 else 1e-11,
                               atol=1e-9 * wanted.powers.max(initial=0))
    assert got.rms == pytest.approx(wanted.rms, rel=1e-6) and got.loudness == pytest.approx(wanted.loudness, abs=1e-6)


@settings(max_examples=30)
@given(st.data())
def test_a_tally_says_what_changed_in_the_whole(data):
    n = data.draw(st.sampled_from([1, 500, 2048, 30_000]))
    dry, tallies = sound(n, 2), []
    wet = sc.convolve(dry, sc.kernel("lowpass:cutoff=800", dry))
    for x in (dry, wet):
        edges = cut(n, data)
        tallies.append(Tally(x.domain))
        for a, b in pairwise(edges):
            tallies[-1].add(x.data[:, a:b])
    got, wanted = changed_so_far(dry, wet, *tallies), sc.study.changed(dry, wet)
    assert str(got) == str(wanted)
    np.testing.assert_allclose(got.bands, wanted.bands, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"mode": "full"}, {"padding_mode": "reflect"}, {"padding_mode": "circular"},
                                     {"match": "rms"}, {"match": "peak"}, {"match": "none", "guard": False}])
@pytest.mark.parametrize("spec", ["edge", "room", "room.wav", "three.npy", "delay:time=0.01", "0,0"])
def test_heard_as_in_memory(tmp_path, spec, options):
    x = sound(300_000, 2, 8000)
    sc.save(x, tmp_path / "x.wav")
    sc.save(sound(6000, 2, seed=1), tmp_path / "room.wav")
    np.save(tmp_path / "three.npy", np.random.default_rng(2).normal(size=(3, 50)))
    k = sc.kernel(str(tmp_path / spec) if "." in spec and ":" not in spec else spec, x)
    kept, seen = [], []
    with sc.io.blocks(tmp_path / "x.wav") as blocks, pytest.MonkeyPatch.context() as patch:
        patch.setattr(listening, "EXCERPT", 5)
        if not reels.serves(k, **options):
            assert options == {"mode": "full"} and k.domain.start[0] > 0
            return
        pairs = [("one", k), ("two", sc.kernel("blur", x))]
        heard, changes = reels.listen(blocks, pairs, [kept.append, lambda _: None], see=lambda i, y: seen.append((i, y)),
                                      **options)
    wanted = sc.hear.listen(x, pairs, **options)
    loud = heard.takes[0]
    got = np.concatenate([y.data for y in kept], axis=1)
    near(got, wanted.takes[0].sound.data, 3 * laws.bound(x.data, k.data, np.float32) * max(loud.gain, 1))
    assert (heard.notes, heard.match, heard.guard, heard.gain) == (wanted.notes, wanted.match, wanted.guard,
                                                                  pytest.approx(wanted.gain, rel=1e-6))
    for take, whole, line, words in zip(heard.takes, wanted.takes, heard.whole[1:], changes, strict=True):
        assert take.gain == pytest.approx(whole.gain, rel=1e-6) and take.loudness == pytest.approx(whole.loudness, abs=1e-5)
        assert take.notes == whole.notes and line == whole.sound.domain and words == str(sc.study.changed(x, whole.wet))
        assert take.wet.domain == heard.dry.domain and take.wet.domain.shape[0] == 5 * 8000
        at = int(take.wet.domain.start[0] - whole.sound.domain.start[0])
        near(take.sound.data, whole.sound.data[:, at:at + 40_000], 3 * laws.bound(x.data, take.kernel.data, np.float32)
             * max(take.gain, 1))
    assert sum(y.domain.size for i, y in seen if i == 0) == 300_000


def test_gains_are_those_of_the_whole_as_far_as_single_precision_goes(tmp_path):
    x = sound(400_000, 1, 16000)
    sc.save(x, tmp_path / "x.wav")
    for spec, most in (("edge", 3e-8), ("-1,0,1", 3e-8), ("lowpass:cutoff=800", 2e-7), ("room", 2e-7), ("echo", 2e-7)):
        with sc.io.blocks(tmp_path / "x.wav") as blocks:
            heard, _ = reels.listen(blocks, [(spec, sc.kernel(spec, x))])
        assert heard.takes[0].gain == pytest.approx(sc.hear.listen(x, [(spec, sc.kernel(spec, x))]).takes[0].gain, rel=most)


def test_what_does_not_go_by_in_blocks():
    k, late = sc.kernel("edge", sc.line(1, 8000)), sc.Signal([1.0], sc.line(1, 8000, 5))
    assert reels.serves(k) and reels.serves(k, mode="full", match="rms") and reels.serves(late)
    assert not any(reels.serves(k, **o) for o in ({"mode": "valid"}, {"on": "spectrogram"}, {"then": "relu"}, {"mix": "mono"},
                                                  {"wet": 0.5}))
    assert not reels.serves(sc.kernel("note:A4", k.domain)) and not reels.serves(late, mode="full")


def test_the_excerpt_is_where_it_is_loudest():
    rng = np.random.default_rng(0)
    for first in (0, 17, 70):
        x = rng.normal(size=(1, 100 * 1000)) * 0.01
        x[:, first * 1000:(first + reels.EXCERPT) * 1000] *= 50
        x = sc.Signal(x, sc.line(100_000, 1000, start=-500))
        found = reels.excerpt(measure(x).powers, x.domain)
        assert found.shape == (1000 * reels.EXCERPT,) and abs(found.start[0] + 500 - first * 1000) <= 1000


def test_an_overview_holds_every_peak():
    x = np.zeros(50_000)
    x[[123, 40_000]] = 0.5, -0.7
    seen = Overview(50_000, 8000)
    for part in np.split(x, [7, 9000, 9001, 33_000]):
        seen.see(0, sc.Signal(part[None], sc.line(len(part), 8000)))
    line, cells = seen.outline(0), seen.cells(0)
    assert line.max() == 0.5 and line.min() == -0.7
    assert set(np.flatnonzero(cells.max(axis=0) > 1e-6)) == {123 // seen.width, 40_000 // seen.width}


@pytest.mark.parametrize("options", [[], ["--mode", "full"], ["-k", "blur", "-o", "out/"], ["--subtype", "PCM_16"],
                                     ["-o", "y.flac"]])
def test_the_command_by_either_way(tmp_path, monkeypatch, options):
    tone(tmp_path / "x.wav", 40, 8000, 2)
    found = {}
    for way, most in (("blocks", 1000), ("memory", 10**9)):
        monkeypatch.setattr(reels, "LONG", most)
        more = options if "-o" in options else ["-o", "y.wav", *options]
        done = run("listen", "-k", "edge", "--json", "--no-open", "--force", *more, "x.wav", cwd=tmp_path)
        assert (done.code, done.err) == (0, "") or way == "memory", done.err
        lines = [json.loads(line) for line in done.out.splitlines()]
        found[way] = lines, [sc.load(tmp_path / line["sound"]) for line in lines], \
            [(tmp_path / line["page"]).read_text() for line in lines if line["page"]]
    for one, two in zip(*(found[way][0] for way in found), strict=True):
        assert one.keys() == two.keys()
        for name in one:
            same = pytest.approx(two[name], rel=1e-6, abs=1e-6) if isinstance(two[name], float) else two[name]
            assert one[name] == same, name
    for one, two in zip(*(found[way][1] for way in found), strict=True):
        assert one.domain == two.domain and one.channels == two.channels
        near(one.data, two.data, 2.0**-14 if options else 1e-5)
    page = found["blocks"][2][0]
    assert "The whole file" in page and "The whole file" not in found["memory"][2][0]
    assert re.search(r"the loudest 15 s, from \d+ s on, of 40.0 s", page)


def test_one_line_where_it_can_not(tmp_path, monkeypatch):
    tone(tmp_path / "x.wav", 2, 8000)
    monkeypatch.setattr(reels, "LONG", 1000)
    for more in (["--then", "relu"], ["--wet", "0.5"], ["--mix", "mono"], ["--mode", "valid"], ["--on", "spectrogram"]):
        kernel = ["-k", "blur" if "--on" in more else "edge"]
        done = run("listen", *kernel, *more, "--no-open", "--no-page", "x.wav", cwd=tmp_path)
        assert done.code == 0 and done.err.count("in memory") == 1, done.err
    done = run("listen", "-k", "[1e300,1e300]", "--no-open", "--match", "none", "-o", "y.wav", "x.wav", cwd=tmp_path)
    assert done.code == 1 and not list(tmp_path.glob("y.*")) and not list(tmp_path.glob(".sigconv*"))


def test_an_error_half_way_leaves_nothing(tmp_path, monkeypatch):
    data = np.zeros((1, 200_000), np.float32)
    data[0, 150_000] = np.nan
    import soundfile

    soundfile.write(tmp_path / "x.wav", data.T, 8000, "FLOAT")
    monkeypatch.setattr(reels, "LONG", 1000)
    done = run("listen", "-k", "edge", "--no-open", "-o", "y.wav", "x.wav", cwd=tmp_path)
    assert done.code == 1 and "nan at sample 150000" in done.err
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]


def test_memory_does_not_grow_with_the_file(tmp_path):
    used = {}
    for minutes in (4, 40):
        path = tmp_path / f"{minutes}.wav"
        hole(path, minutes)
        with path.open("r+b") as file:  # not silent
            file.seek(10_000)
            file.write(np.random.default_rng(0).integers(-9999, 9999, 200_000).astype("<i2").tobytes())
        code = ("import resource, sys\nfrom sigconv_cli.main import main\nsys.argv[0] = 'sigconv'\ntry: main()\n"
                "except SystemExit as end: print(end.code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
        done = subprocess.run([sys.executable, "-c", code, "listen", "-k", "edge", "-q", "--no-open", "-o", "y.wav", path.name],
                              cwd=tmp_path, capture_output=True, check=True, env={**os.environ, "CI": "1"})
        ended, most = done.stdout.split()
        assert ended == b"0"
        used[minutes] = int(most) * (1 if sys.platform == "darwin" else 1024)
        (tmp_path / "y.wav").unlink()
        (tmp_path / "y.html").unlink()
    assert used[40] - used[4] < 40e6
