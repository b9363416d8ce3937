"""The practicum's facts, its page and its verb."""

import base64
import hashlib
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from command import REAL, run, spawn
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv import hear, lessons
from sigconv.page import lesson as page

NAMES, TIMES = zip(*lessons.CHIME, strict=True)
RATE = 22050
PITCHES = [sc.scales.note_to_hz(name) for name in NAMES]


def mono(name):
    x = sc.load(sc.io.sample(name))
    return sc.Signal(x.data.astype(float).mean(0), x.domain)


@pytest.fixture(scope="module", params=["chime", "chime-dry"])
def lesson(request):
    return lessons.listening(sc.load(sc.io.sample(request.param)), NAMES, TIMES)


@pytest.fixture(scope="module")
def chime():
    return lessons.listening(sc.load(sc.io.sample("chime")), NAMES, TIMES)


def tone(seconds=1.0, rate=8000, hz=440.0, start=0.3, channels=1):
    t = np.arange(round(seconds * rate)) / rate
    y = 0.4 * np.sin(2 * np.pi * hz * t) * (t >= start)
    return sc.Signal(np.stack([y] * channels), sc.line(len(t), rate))


# What the notebook states, of any recording.

def test_the_kernels_are_the_notebooks():
    assert [round(hz, 2) for hz in PITCHES] == [1661.22, 1244.51, 830.61, 932.33]
    for hz in PITCHES:
        k = lessons.raw_sine(hz, RATE)
        assert k.domain.shape == (8820,) and k.domain.start == (-4409,)
        np.testing.assert_array_equal(k.data, np.sin(2 * np.pi * hz * np.arange(8820) / RATE))


def test_the_octave_has_half_the_cycles():
    first, third = (lessons.raw_sine(PITCHES[i], RATE).data for i in (0, 2))
    for n in (100, 8820):
        up = [int(np.sum((k[: n - 1] <= 0) & (k[1:n] > 0))) for k in (first, third)]
        assert abs(up[0] - 2 * up[1]) <= 1
    assert PITCHES[0] / PITCHES[2] == pytest.approx(2, rel=1e-12)


def test_the_reconstruction_is_the_kernels_in_a_row():
    y = lessons.recite(PITCHES, RATE)
    assert y.domain.shape == (35280,) and y.domain.extent == ((0.0, 1.6),)
    np.testing.assert_array_equal(y.data[0], np.concatenate([lessons.raw_sine(hz, RATE).data for hz in PITCHES]))


def test_hard_joins_are_vertical_bars_and_faded_joins_are_none():
    hard, soft = (lessons.recite(PITCHES, RATE, fade=f) for f in (0.0, 0.01))
    at, between = [0.0, 0.4, 0.8, 1.2], [0.2, 0.6, 1.0, 1.4]
    assert min(lessons.joins(hard, at, 4000)) > -40 and max(lessons.joins(hard, between, 4000)) < -100
    assert max(lessons.joins(soft, at, 4000)) < -85
    S = np.abs(sc.spectrogram(sc.Signal(hard.data[0], hard.domain), window=512, hop=128).data)
    high = S[int(4000 * 512 / RATE):].sum(0)
    peaks = [i for i in range(1, len(high) - 1) if high[i] > 0.2 * high.max() and high[i] == high[max(i - 8, 0): i + 9].max()]
    times = np.array(peaks) * 128 / RATE
    for t in at[1:]:
        assert np.abs(times - t).min() < 0.006
    assert all(np.abs(np.array([*at, 1.6]) - t).min() < 0.02 for t in times)


def test_recited_at_its_own_times_each_note_ends_with_the_next():
    y = lessons.recite([1000.0, 500.0], 8000, starts=[0.1, 0.25]).data[0]
    assert not y[:800].any() and len(y) == 2000 + 3200
    np.testing.assert_array_equal(y[800:2000], np.sin(2 * np.pi * 1000 * np.arange(1200) / 8000))
    np.testing.assert_array_equal(y[2000:], np.sin(2 * np.pi * 500 * np.arange(3200) / 8000))
    late = lessons.recite([1000.0, 500.0], 8000, starts=[0.0, 1.0]).data[0]
    assert not late[3200:8000].any() and late[3199] != 0


def test_convolution_and_correlation_are_numpys(lesson):
    x = lesson.mono.data
    for note in lesson.notes:
        bound = 16 * np.finfo(float).eps * abs(note.raw.data).sum() * abs(x).max()
        assert np.abs(note.convolved.data - np.convolve(x, note.raw.data, "same")).max() <= bound
        # the running scalar product of sample t with the kernel's middle there
        full = np.correlate(x, note.raw.data, "full")
        assert np.abs(note.correlated.data - full[4410: 4410 + len(x)]).max() <= bound
        assert note.peak == pytest.approx(np.abs(np.convolve(x, note.raw.data, "same")).max(), rel=1e-9)


def test_every_method_gives_the_same_convolution(chime):
    note, x = chime.notes[2], chime.mono
    bound = 16 * np.finfo(float).eps * abs(note.raw.data).sum() * abs(x.data).max()
    for method in ("direct", "fft", "overlap_save"):
        assert np.abs(sc.convolve(x, note.raw, method=method).data - note.convolved.data).max() <= bound


def test_raw_sines_reach_far_beyond_full_scale(lesson):
    for note in lesson.notes:
        assert 30 < note.dbfs < 70 and note.dbfs == pytest.approx(20 * np.log10(abs(note.convolved.data).max()))
        assert note.beyond == np.mean(abs(note.convolved.data) > 1) and 0.3 < note.beyond < 1


def test_raw_sines_tell_convolution_from_correlation_and_templates_do_not(lesson):
    for note in lesson.notes:
        apart = np.abs(note.convolved.data - note.correlated.data).max() / note.peak
        assert note.differs == pytest.approx(apart) and 0.2 < note.differs <= 2
        assert note.agrees <= 1e-12
        plain = sc.convolve(lesson.mono, note.template).data
        assert np.abs(plain - note.matched.on(lesson.mono.domain).data).max() <= 1e-12 * np.abs(plain).max()


def test_templates_have_unit_norm_and_are_conjugate_mirrored(lesson):
    for note in lesson.notes:
        assert np.sum(np.abs(note.template.data) ** 2) == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(note.template.data[::-1].conj(), note.template.data, atol=1e-15)
        assert note.template.domain.start[0] == -(note.template.domain.shape[0] // 2)


def test_the_onsets_are_found_and_the_raw_sines_are_early(lesson):
    assert [note.name for note in lesson.notes] == ["A♭6", "E♭6", "A♭5", "B♭5"]
    for note, true in zip(lesson.notes, TIMES, strict=True):
        assert note.played == true
        assert abs(note.onset - true) <= 0.02
        assert 0.12 < note.early < 0.17
        assert note.early > 3 * (note.onset - note.passed) > 0


def test_the_four_notes_are_the_strongest_keys(lesson):
    names = [name for name, _ in lessons.keys(RATE)]
    top = dict(zip(names, lesson.piano.data.max(1), strict=True))
    inside = sorted((name for name, hz in lessons.keys(RATE) if 780 <= hz <= 1800), key=lambda n: -top[n])
    assert set(inside[:4]) == {"A♭6", "E♭6", "A♭5", "B♭5"}
    assert top[inside[3]] >= 1.9 * top[inside[4]]
    assert set(lessons.strongest(lesson.piano)) == set(inside[:4])


def test_relu_keeps_positive_matches(chime):
    note = chime.notes[0]
    kept = sc.relu(note.convolved).data
    np.testing.assert_array_equal(kept, np.where(note.convolved.data > 0, note.convolved.data, 0))
    k = sc.Signal([1.0, -2.0, 1.0], sc.line(3, 8000, -1))
    twice = sc.Signal(np.concatenate([k.data, np.zeros(5), -k.data]), sc.line(11, 8000))
    matches = sc.relu(lessons.alignment(twice, k)).data
    assert matches[1] == pytest.approx(1) and matches[9] == 0


# The cosine scale.

@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 10**6), st.booleans())
def test_the_alignment_is_the_cosine(n, taps, seed, pair):
    rng = np.random.default_rng(seed)
    x, h = rng.standard_normal(n), rng.standard_normal(taps) + 1j * pair * rng.standard_normal(taps)
    first = -((taps - 1) // 2)
    k = sc.Signal(h if pair else h.real, sc.line(taps, 8000, first))
    got = lessons.alignment(sc.Signal(x, sc.line(n, 8000)), k).data
    wide = np.pad(x, taps)
    for t in range(n):
        piece = wide[t + first + taps:][:taps]
        size = np.linalg.norm(piece)
        assert abs(got[t].real - h.real @ piece / np.linalg.norm(h.real) / size) < 1e-9
        plane = np.linalg.qr(np.stack([h.real, h.imag], 1)[:, : 2 if pair and taps > 1 else 1])[0]
        assert abs(abs(got[t]) - np.linalg.norm(plane.T @ piece) / size) < 1e-9
    assert np.abs(got).max() <= 1 + 1e-12


def test_a_copy_of_the_template_at_any_gain_is_one():
    q = sc.kernels.note(sc.line(1, RATE), "Ab5")
    n = q.domain.shape[0]
    for gain in (1e-6, 1.0, -1.0, -300.0):
        x = np.zeros(3 * n)
        x[n: 2 * n] = gain * q.data.real
        y = lessons.alignment(sc.Signal(x, sc.line(len(x), RATE)), q).data
        assert y[n + n // 2].real == pytest.approx(np.sign(gain), abs=1e-4)
        assert np.abs(y).argmax() == n + n // 2


def test_noise_lines_up_by_chance_alone():
    q = sc.kernels.note(sc.line(1, 8000), 700.0)
    d = q.domain.shape[0]
    x = sc.Signal(np.random.default_rng(1).standard_normal(200_000), sc.line(200_000, 8000))
    y = lessons.alignment(x, q).data[d:-d]
    assert np.mean(np.abs(y.real) > 4 / np.sqrt(d)) < 1e-3
    assert np.sqrt(np.mean(np.abs(y) ** 2)) == pytest.approx(np.sqrt(2 / d), rel=0.1)


def test_silence_has_no_direction():
    x = sc.Signal(np.r_[np.zeros(500), np.ones(100), np.zeros(500)], sc.line(1100, 8000))
    y = lessons.alignment(x, sc.Signal(np.ones(10), sc.line(10, 8000))).data
    assert not y[:480].any() and not y[620:].any() and y[550] == pytest.approx(1)


# Reading times off a read-out.

@settings(max_examples=8)
@given(st.integers(0, 1500))
def test_a_later_sound_is_found_later_by_as_much(shift):
    x = np.zeros(6000)
    x[1000:4000] = np.sin(2 * np.pi * 880 * np.arange(3000) / 8000)
    early, late = (lessons.listening(sc.Signal(np.roll(x, s)[None], sc.line(6000, 8000)), "A5").notes[0] for s in (0, shift))
    assert abs(early.onset - 0.125) < 0.003
    for name in ("onset", "begun", "passed"):
        assert getattr(late, name) - getattr(early, name) == pytest.approx(shift / 8000, abs=1e-9)


def test_what_was_there_before_did_not_begin():
    steady = sc.Signal(np.ones(50), sc.line(50, 10))
    assert np.isnan(lessons.rises(steady, 3.0, 1.0)) and np.isnan(lessons.rises(steady, float("nan"), 1.0))
    assert lessons.rises(steady, 0.5, 1.0) == 0.0
    assert np.isnan(lessons.onset(steady)) and np.isnan(lessons.onset(sc.Signal(np.ones(1), sc.line(1, 10))))


def test_the_keys_are_a_pianos():
    every = dict(lessons.keys())
    assert len(every) == 88 and every["A0"] == 27.5 and every["A4"] == 440 and round(every["C8"], 2) == 4186.01
    assert all(round(sc.scales.note_to_hz(name.replace("♭", "b")), 6) == round(hz, 6) for name, hz in every.items())


def test_the_piano_is_a_template_a_key():
    x = tone(0.6, 8000, 440.0)
    flat = sc.Signal(x.data[0], x.domain)
    heard = lessons.piano(flat)
    assert heard.domain.unit == ("key", "s") and heard.domain.start == (21, 0) and heard.domain.step[1] * 100 == 1
    for i, name in ((48, "A4"), (60, "A5")):
        want = np.abs(sc.correlate(flat, sc.kernels.note(x.domain, name)).data)[::80]
        assert np.abs(heard.data[i] - want).max() < 1e-12 * abs(want).max() + 1e-9
    assert lessons.strongest(heard) == ["A4"]


# What is taken of a sound.

def test_notes_that_are_not_named_are_the_strongest_keys():
    found = lessons.listening(sc.load(sc.io.sample("chime")))
    assert [n.name for n in found.notes] == ["A♭6", "E♭6", "A♭5", "B♭5"] and not found.chosen
    assert any("not named" in said for said in found.said) and found.notes[0].played is None


def test_notes_come_in_the_order_in_which_they_begin():
    found = lessons.listening(sc.load(sc.io.sample("chime-dry")), " Bb5, Ab6,eb6 ")
    assert [n.name for n in found.notes] == ["A♭6", "E♭6", "B♭5"] and found.chosen


def test_stereo_is_kept_and_its_mean_analysed(chime):
    assert chime.signal.value == (2,) and chime.mono.value == ()
    np.testing.assert_allclose(chime.mono.data, mono("chime").data, atol=1e-12)
    assert any("2 channels" in said for said in chime.said)


def test_a_long_sound_is_cut_and_it_is_said():
    found = lessons.listening(tone(32.0, 2000), "A4")
    assert found.mono.domain.shape == (60000,) and "first 30.0 s of 32.0 s" in found.said[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sigconv.lessons.practicum.SAMPLES", 5000)
        assert lessons.listening(tone(1.0), "A4").mono.domain.shape == (5000,)


def test_a_sound_that_begins_elsewhere_is_rebased():
    x = tone()
    assert lessons.listening(x.at(777), "A4").notes[0].onset == lessons.listening(x, "A4").notes[0].onset


@pytest.mark.parametrize(("x", "notes", "words"), [
    (tone(0.1), None, "0.1 s of sound: wanted at least 0.2 s"),
    (tone() * 0.0, None, "a silent sound"),
    (sc.Signal(np.zeros((3, 8, 8)), sc.grid(8, 8)), None, "wanted a sound"),
    (sc.Signal(np.zeros((1, 800)), sc.Domain(800, 1, 0, "px")), None, "wanted a sound"),
    (np.zeros(800), None, "wanted a sound"),
    (tone(), "H4", "note 'H4'"),
    (tone(), "A4,,C5", "wanted one to 8 names"),
    (tone(), ["A4"] * 9, "wanted one to 8 names"),
    (tone(), "C8", "wanted notes below 4000 Hz"),
    (tone(20.0, 50, 5.0), None, "no key lies below"),
])
def test_what_is_no_lesson_is_one_line(x, notes, words):
    with pytest.raises(sc.SigconvError) as caught:
        lessons.listening(x, notes)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_times_fit_the_notes():
    with pytest.raises(sc.SigconvError, match="2 times for 1 notes"):
        lessons.listening(tone(), "A4", [0.0, 1.0])
    with pytest.raises(sc.SigconvError, match="2 notes, 1 starts"):
        lessons.recite([1.0, 2.0], 8000, starts=[0.0])
    with pytest.raises(sc.SigconvError, match="0 notes"):
        lessons.recite([], 8000)


# The page.

@pytest.fixture(scope="module")
def made(chime):
    return page.render(chime, source='a<b>"&.wav')


def block(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def test_the_page_is_the_same_again_small_and_closed(chime, made):
    again = lessons.listening(sc.load(sc.io.sample("chime")), NAMES, TIMES)
    assert page.render(again, source='a<b>"&.wav') == made
    assert len(made.encode()) < 3e6
    assert "<b>&quot;" not in made and "a&lt;b&gt;&quot;&amp;.wav" in made
    assert not re.search(r'(?:src|href)="(?!data:)', made) and not re.search(r"https?://(?!www\.w3\.org)", made)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)[1]
    assert "default-src 'none'" in policy and " style=" not in made.split("<body>")[1]
    for tag in ("script", "style"):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", made, re.S)[1]
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" in policy


def test_the_page_holds_every_chapter_question_and_player(made):
    for chapter in ("idea", "signal", "kernels", "through", "mirrored", "recited", "matched"):
        assert f'<section id="{chapter}">' in made
    assert made.count("<details><summary>Predict:") == 5
    decks = [deck["id"] for deck in block(made)["decks"]]
    assert decks == ["signal", "kernels", "through", "mirrored", "recited", "timed", "matched"]
    assert decks == re.findall(r'data-deck="(\w+)"', made)
    for deck in block(made)["decks"]:
        markup = made.split(f'data-deck="{deck["id"]}"')[1].split("</div></div>")[0].split('class="scrub"')[0]
        assert [t["id"] for t in deck["tracks"]] == re.findall(r'data-track="(\w+)"', markup)


def test_the_numbers_shown_are_the_librarys(chime, made):
    plain = re.sub(r"<[^>]+>", " ", made)
    for note in chime.notes:
        for shown in (f"{note.peak:.4g}", f"+{note.dbfs:.1f} dBFS", f"{100 * note.beyond:.0f} %", f"{note.onset:.3f} s",
                      f"{note.early:.3f} s", f"{note.name} {note.differs:.2f}", f"{note.frequency:.2f} Hz"):
            assert shown in plain, shown
    assert "35280 samples, 1.6 s" in plain and "8820 samples" in plain and "an octave below the sound" in plain


def test_the_convolutions_are_played_as_loud_as_the_signal_and_unclipped(chime, made):
    heard = hear.listen(chime.signal, [(n.name, n.raw) for n in chime.notes])
    deck = next(d for d in block(made)["decks"] if d["id"] == "through")
    for take, track, row in zip(heard.takes, deck["tracks"][1:], page.numbers(chime)["notes"], strict=True):
        assert track["gain"] * heard.gain == pytest.approx(take.gain, rel=1e-9)
        assert row["gain"] == pytest.approx(take.gain, rel=1e-9)
        assert hear.loudness(take.sound) == pytest.approx(hear.loudness(heard.sound), abs=0.01)
        assert hear.true_peak(take.sound) <= -1 + 1e-6
        assert f"{20 * np.log10(take.gain):.2f}".replace("-", "−") in track["note"]


def test_the_clip_is_the_file(chime, made):
    clip = base64.b64decode(re.search(r'id="clip"[^>]*src="data:audio/wav;base64,([^"]+)"', made)[1])
    assert np.array_equal(np.frombuffer(clip[44:], "<i2").reshape(-1, 2).T, np.rint(chime.signal.data * 32768))


def test_a_stereo_sound_too_large_for_a_page_is_played_as_its_mean(chime, monkeypatch):
    monkeypatch.setattr(page, "BYTES", 100_000)
    text = page.render(chime, source="x")
    assert "played as their mean" in text and len(text) < 600_000


@pytest.mark.parametrize("x", [tone(0.25, 8000, start=0.1), tone(1.5, 300, 110.0), tone(0.4, 96000), tone(1.0, 8000, channels=3)])
def test_any_sound_makes_a_page(x):
    text = page.render(lessons.listening(x), source="x")
    words = re.sub(r"<style>.*?</style>|<script>.*?</script>|base64,[^\"]*", "", text, flags=re.S)
    assert not re.search(r"\bnan\b|\binf\b", words)


@pytest.mark.skipif(not REAL.exists(), reason="recordings are not here")
def test_recordings_make_pages():
    for path in sorted(p for p in (REAL / "audio").rglob("*") if p.suffix.lower() in (".wav", ".flac", ".ogg"))[::4]:
        x = sc.load(path)
        found = lessons.listening(x.between(x.domain.extent[0][1] / 2, x.domain.extent[0][1] / 2 + 1.5))
        assert all(np.isfinite([n.peak, n.onset, n.differs]).all() for n in found.notes), path
        assert len(page.render(found, source=path.name).encode()) < 3e6


# The verb.

def test_the_chime_is_the_default_and_the_next_number_is_free(tmp_path):
    for name in ("chime.lesson.html", "chime.lesson-2.html"):
        ran = run("lesson", "listening", "--no-open", cwd=tmp_path)
        assert ran.code == 0 and f"./{name}" in ran.out and (tmp_path / name).exists()
    assert (tmp_path / "chime.lesson.html").read_bytes() == (tmp_path / "chime.lesson-2.html").read_bytes()
    assert "early, and reach +58 dBFS" in ran.out


def test_json_tells_the_numbers(tmp_path):
    ran = run("lesson", "listening", sc.io.sample("chime-dry"), "--json", "--no-open", "-o", tmp_path / "x.html")
    told = json.loads(ran.out)
    assert [n["played"] for n in told["notes"]] == list(TIMES) and told["rate"] == RATE and told["page"].endswith("x.html")
    assert all(abs(n["onset"] - n["played"]) < 0.02 and n["gain"] > 0 for n in told["notes"])


def test_a_page_that_is_there_is_kept_unless_forced(tmp_path):
    out = tmp_path / "x.html"
    out.write_text("mine")
    ran = run("lesson", "listening", sc.io.sample("chime-dry"), "--no-open", "-o", out)
    assert ran.code != 0 and out.read_text() == "mine"
    ran = run("lesson", "listening", sc.io.sample("chime-dry"), "--no-open", "--force", "-o", out)
    assert ran.code == 0 and out.stat().st_size > 1e5
    assert [p.name for p in tmp_path.iterdir()] == ["x.html"]


def test_the_file_itself_is_never_written_over(tmp_path):
    mine = tmp_path / "x.html"
    mine.write_bytes(sc.io.sample("chime-dry").read_bytes())
    ran = run("lesson", "listening", mine, "--no-open", "--force", "-o", mine)
    assert ran.code == 1 and "the output is the input" in ran.err
    assert mine.read_bytes() == sc.io.sample("chime-dry").read_bytes()


def test_standard_input_and_odd_names(tmp_path):
    odd = tmp_path / "a<b>&.wav"
    odd.write_bytes(sc.io.sample("chime-dry").read_bytes())
    assert spawn("lesson", "listening", "-", "--no-open", cwd=tmp_path, stdin=odd.read_bytes()).returncode == 0
    assert spawn("lesson", "listening", odd, "--no-open", cwd=tmp_path).returncode == 0
    named, piped = (tmp_path / f"{stem}.lesson.html" for stem in ("a<b>&", "stdin"))
    assert "a&lt;b&gt;&amp;.wav" in named.read_text() and "<b>&.wav" not in named.read_text()
    assert piped.read_text().replace("stdin", "") == named.read_text().replace("a&lt;b&gt;&amp;.wav", "")


@pytest.mark.parametrize(("args", "code", "words"), [
    (["listning"], 2, "wanted listening; did you mean 'listening'?"),
    (["listening", "--notes", "H4"], 2, "note 'H4'"),
    (["listening", "-o", "x.wav"], 2, "e.g. x.html"),
    (["listening", "nowhere.wav"], 1, "nowhere.wav"),
    (["listening", str(sc.io.sample("image"))], 1, "wanted a sound"),
    ([], 2, "Missing argument"),
])
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, args, code, words):
    ran = run("lesson", *args, "--no-open", cwd=tmp_path)
    assert ran.code == code and words in ran.err and ran.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_verb_waits_for_no_heavy_library(tmp_path):
    code = """
import sys
from sigconv_cli.main import main
sys.argv = ["sigconv", "lesson", "listening", "-q", "--no-open", sys.argv[1]]
try:
    main()
except SystemExit as stop:
    assert not stop.code
print(*{m.split(".")[0] for m in sys.modules} & {"torch", "scipy", "matplotlib", "librosa", "PIL"})
"""
    done = subprocess.run([sys.executable, "-c", code, sc.io.sample("chime-dry")], cwd=tmp_path, capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0 and done.stdout.strip() == "", done.stderr
