"""`sigconv match`: melodies, motifs, patches; what is written, and what is refused."""

import json

import numpy as np
import pytest
import soundfile
from command import REAL, run

import sigconv as sc

CHIME = sc.io.sample("chime-dry")


def test_the_notes_of_a_melody(tmp_path):
    ran = run("match", CHIME, "--bank", "piano", "--rule", "Ab6 then Eb6 within 0.4s", cwd=tmp_path)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "found    4 events of 88 templates, p < 0.001"
    assert [line.split()[2] for line in lines[1:5]] == ["G♯6", "D♯6", "G♯5", "A♯5"]
    assert lines[5].startswith("rule     Ab6 then Eb6 within 0.4s: true, at 0.00")
    told = json.loads(run("match", CHIME, "-b", "piano", "--rule", "Eb6 then Ab6", "--json", cwd=tmp_path).out)
    assert len(told["events"]) == 4 and told["rule"] == {"text": "Eb6 then Ab6", "holds": False, "events": []}
    assert not list(tmp_path.iterdir())


def test_the_full_chime_comes_along(tmp_path):
    told = json.loads(run("match", "-b", "piano", "--between", 780, 1800, "--json", cwd=tmp_path).out)
    assert [e["name"] for e in told["events"]] == ["G♯6", "D♯6", "G♯5", "A♯5"] and len(told["templates"]) == 15
    assert [e["start"] for e in told["events"]] == pytest.approx([0, 0.263, 0.517, 0.781], abs=0.02)


def test_a_motif_in_a_recording(tmp_path):
    rng, rate = np.random.default_rng(0), 8000
    motif = rng.standard_normal(800) * np.hanning(800)
    x = 0.01 * rng.standard_normal(12000)
    for at, gain in ((1000, 0.2), (7000, -0.1), (9500, 0.4)):
        x[at: at + 800] += gain * motif
    soundfile.write(tmp_path / "take.wav", x, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "motif.wav", motif[:, None] * [0.3, 0.3], rate, subtype="FLOAT")
    for template, said in (("take.wav@0.125-0.225", 0), ("motif.wav", 1)):
        ran = run("match", "take.wav", "-t", template, "--json", "-o", "hits.json", "--force", cwd=tmp_path)
        assert ran.code == 0 and ran.err.count("the mean of its 2 channels") == said
        events = json.loads((tmp_path / "hits.json").read_text())["events"]
        assert events == json.loads(ran.out)["events"]
        assert [e["start"] for e in events] == pytest.approx([0.125, 9500 / rate], abs=1 / rate)
    either = json.loads(run("match", "take.wav", "-t", "motif.wav", "--either", "--json", cwd=tmp_path).out)["events"]
    assert [round(e["start"], 3) for e in either] == [0.125, 0.875, 1.188] and either[1]["score"] < -0.9


def test_notes_and_pictures_are_written(tmp_path):
    assert run("match", CHIME, "-b", "piano", "-o", "melody.mid", cwd=tmp_path).code == 0
    assert (tmp_path / "melody.mid").read_bytes().count(b"\x90") == 4
    assert run("match", CHIME, "-b", "piano", "-o", "melody.png", cwd=tmp_path).code == 0
    assert sc.load(tmp_path / "melody.png").domain.ndim == 2
    again = run("match", CHIME, "-b", "piano", "-o", "melody.mid", cwd=tmp_path)
    assert again.code == 1 and "melody.mid" in again.err


def test_a_patch_in_a_picture(tmp_path):
    image = sc.load(sc.io.sample("image"))
    patch = sc.Signal(image.data[:, 150:170, 100:130], sc.grid(20, 30))
    sc.save(patch, tmp_path / "patch.png")
    limits = ("--centred", "--threshold", 0.95, "--json", "-o", "p.png")
    ran = run("match", sc.io.sample("image"), "-t", "patch.png", *limits, cwd=tmp_path)
    event, = json.loads(ran.out)["events"]
    assert event["extent"] == [[pytest.approx(150, abs=0.6), pytest.approx(170, abs=0.6)],
                               [pytest.approx(100, abs=0.6), pytest.approx(130, abs=0.6)]]


@pytest.mark.skipif(not REAL.exists(), reason="no recordings")
def test_a_loop_comes_round(tmp_path):
    tabla = REAL / "audio/loop_tabla.flac"
    told = json.loads(run("match", tabla, "-t", f"{tabla}@0.0-0.2", "--json", cwd=tmp_path).out)
    assert [round(e["start"], 2) for e in told["events"]] == [0.0, 5.33] and told["templates"] == ["loop_tabla@0.0-0.2"]


@pytest.mark.parametrize("words, said, code", [
    ("{chime}", "nothing to look for", 2), ("{chime} -b edge", "one filter", 2), ("{chime} -b pianoo", "pianoo", 2),
    ("{chime} -b piano --rule x", "no template 'x'", 2), ("{chime} -b piano --rule (Ab6", "does not close", 2),
    ("{chime} -b piano -o x.wav", "wanted a name that ends in", 2), ("{chime} -b piano --between 1 2", "no note of piano", 2),
    ("{chime} -t gone.wav", "gone.wav", 1), ("gone.wav -b piano", "gone.wav", 1), ("{image} -b piano", "it serves 1 axis", 2),
    ("{chime} -t -1,0,1 -o x.mid", "wanted names of notes", 2), ("{chime} -b piano -o {chime}.json/x.json", "folder", 1),
])
def test_what_is_refused_is_said_in_one_line(words, said, code, tmp_path):
    ran = run("match", *words.format(chime=CHIME, image=sc.io.sample("image")).split(), cwd=tmp_path)
    assert (ran.code, ran.out) == (code, "") and said in ran.err and ran.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
