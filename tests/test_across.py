"""One kernel in every domain: the page of panels, the picture of rows, and the verbs that make them."""

import base64
import io
import json
import re

import numpy as np
import pytest
from command import REAL, run, tone
from test_page import Elements, data_of, embedded

import sigconv as sc
from sigconv import hear, page
from sigconv.kernels import FAMILIES
from sigconv.page import films, maps, markup, sounds

real = pytest.mark.skipif(not REAL.is_dir(), reason="no real data")
RNG = np.random.default_rng(11)
AXES = (1, 2, 2, 3, 3)
DOMAINS = ["Sound", "Spectrogram", "Image", "Volume", "Video"]


def picture(*shape, **more):
    smooth = RNG.random((1, *shape))
    for axis in range(1, len(shape) + 1):
        smooth = smooth + np.roll(smooth, 1, axis)
    return sc.Signal((smooth / smooth.max()).astype("f4"), sc.grid(*shape, **more))


def clip(n=7, h=12, w=10):
    frames = np.zeros((1, n, h, w), "f4")
    for i in range(n):
        frames[0, i, 4:8, i % w:i % w + 3] = 0.8
    return sc.Signal(frames, sc.Domain((n, h, w), (0.04, 1, 1), 0, ("s", "px", "px"), ("time", "y", "x")))


def voice(seconds=0.5, rate=8000):
    t = np.arange(round(seconds * rate)) / rate
    return sc.Signal((0.3 * np.sin(2 * np.pi * (300 + 400 * t) * t))[None].astype("f4"), sc.line(len(t), rate))


def grid(x):
    """Where kernels on the spectrogram of x live."""
    return sc.spectrogram(x, hop=100).domain


def panel(x, spec, source, on="signal"):
    try:
        return page.Panel(hear.listen(x, [(spec, sc.kernel(spec, grid(x) if on == "spectrogram" else x))], on=on), source)
    except sc.SigconvError as why:
        return page.Panel(None, source, str(why))


def everywhere(spec):
    sound = voice()
    if spec in ("midside", "crossfeed"):
        sound = sc.Signal(np.concatenate([sound.data, 0.5 * sound.data[:, ::-1]]), sound.domain)
    others = {"photo.png": picture(24, 32), "brain.npy": picture(8, 9, 10), "clip.gif": clip()}
    return [panel(sound, spec, "voice.wav"), panel(sound, spec, "voice.wav", "spectrogram"),
            *(panel(x, spec, name) for name, x in others.items())]


def pixels(url):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_named_kernel_has_a_panel_in_every_domain_that_it_serves(name):
    panels, serves = everywhere(name), [n in FAMILIES[name].dims for n in AXES]
    content = page.across(panels, kernel=name)
    heads = [domain if served else "Refused" for domain, served in zip(DOMAINS, serves, strict=True)]
    assert Elements(content).open == [] and re.findall(r"<h2>(\w+)", content) == heads
    assert len(data_of(content)["panels"]) == content.count('data-panel="') == content.count('class="play"') == sum(serves)
    words = re.sub(r"<[^>]+>", "", content)
    for p in panels:
        said = sc.study.describe(p.listening.takes[0].kernel, name) if p.listening else f"refused: {p.refused}"
        assert markup.text(said, 600) in words


def test_a_domain_without_a_meaning_is_a_quiet_panel():
    panels = [panel(voice(), "room", "voice.wav"), page.Panel(None, "<b>.png", "room on 2 axes: <no>", "Image")]
    content = page.across(panels, kernel="room")
    assert content.count('class="refused"') == 1 and "refused: room on 2 axes: &lt;no&gt;" in content
    assert "&lt;b&gt;.png" in content and len(data_of(content)["panels"]) == 1
    for bad, why in (([], "at least one panel"), ([page.Panel(voice(), "x")], "wanted a Listening"),
                     ([page.Panel(hear.listen(voice(), []), "x")], "without a take")):
        with pytest.raises(sc.SigconvError, match=why):
            page.across(bad, kernel="room")
    with pytest.raises(sc.SigconvError, match="a page of a Signal: wanted a Listening"):
        page.render(voice(), source="x")


def test_the_page_lets_nothing_in_and_is_the_same_twice():
    panels = everywhere("edge")
    content = page.across(panels, kernel="edge")
    assert content == page.across(panels, kernel="edge")
    elements = Elements(content)
    policy = next(a["content"] for a in elements.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
    for tag, attributes in elements.found:
        assert "style" not in attributes and not [a for a in attributes if a.startswith("on")], tag
        assert all(attributes.get(name, "data:").startswith("data:") for name in ("src", "href"))
    ids = [a["id"] for _, a in elements.found if "id" in a]
    assert len(ids) == len(set(ids))


def test_what_is_heard_in_a_panel_is_what_was_listened_to():
    panels = everywhere("edge")
    wavs = iter(embedded(page.across(panels, kernel="edge", bits=32)))
    for p in panels:
        for sound in (p.listening.sound, p.listening.takes[0].sound):
            want = sound.data[:2].astype("<f4")
            assert np.array_equal(np.frombuffer(next(wavs)[-want.nbytes:], "<f4").reshape(-1, len(want)).T, want)
    assert next(wavs, None) is None


def test_a_long_sound_begins_at_its_beginning_and_a_long_scan_in_its_middle():
    long = sc.Signal(RNG.standard_normal((1, 12 * 1000)).astype("f4"), sc.line(12000, 1000))
    deep = picture(600, 500)  # 6.8 s
    listened = [panel(long, "blur", "a.wav"), panel(deep, "blur", "b.png")]
    content = page.across(listened, kernel="blur", bits=32)
    assert "the first 10 s of 12.0 s" in content and "6 s from the middle of 6.8 s" in content
    first, second = data_of(content)["panels"]
    assert (first["from"], first["reach"]) == (0, 1) and second["from"] == pytest.approx((1 - second["reach"]) / 2, abs=1e-5)
    assert second["reach"] == pytest.approx(6 * 44100 / 300_000) and second["down"] and not first["down"]
    sound = np.frombuffer(embedded(content)[2][-4 * 6 * 44100:], "<f4")
    begin = (300_000 - 6 * 44100) // 2
    assert np.array_equal(sound, listened[1].listening.sound.data[0, begin:begin + 6 * 44100])


def test_the_frames_of_a_film_are_the_videos():
    x = clip(13, 16, 24)
    (reel,) = films.reels(x)
    markup = films.reel(x, films.film_figure(reel, 1.0, False, 10**6, "before"))
    root, sheet = Elements(markup).all("div")[0], pixels(re.search(r'src="(data:[^"]+)"', markup)[1])
    across = int(re.search(r'data-across="(\d+)"', markup)[1])
    assert (root["data-frames"], root["data-first"], root["data-every"]) == ("13", "0", "0.04")
    for i in range(13):
        y, column = i // across * 16, i % across * 24
        assert np.array_equal(sheet[y:y + 16, column:column + 24], np.rint(255 * x.data[0, i]))
    assert films.chosen(33) == list(range(0, 33, 2)) and films.chosen(0) == [] and len(films.chosen(10_000)) <= films.FRAMES


def test_a_film_that_is_too_large_is_made_smaller_frame_by_frame():
    x = sc.Signal(picture(20, 90, 110).data, clip(20, 90, 110).domain)
    markup = films.film_figure(films.reels(x)[0], 1.0, False, 20_000, "")
    sheet = pixels(re.search(r'src="(data:[^"]+)"', markup)[1])
    assert len(markup) < 4 / 3 * 20_000 + 1000 and sheet.shape[0] % 4 == sheet.shape[1] % 5 == 0
    wide = sheet.shape[1] // 5
    mean = films.shrink(x.data[0, 7], 110 // wide)
    assert np.abs(sheet[sheet.shape[0] // 4:][: mean.shape[0], 2 * wide: 3 * wide] / 255 - mean).mean() < 0.03  # JPEG


def test_a_video_is_shown_as_films_and_a_volume_with_the_names_of_its_axes():
    content = page.render(hear.listen(clip(), [("edge", sc.kernel("edge", clip()))]), source="clip.gif")
    assert content.count('class="film') == 5 and "7 frames, 40 ms each." in content
    x = picture(6, 7, 8, unit="mm")
    content = page.render(hear.listen(x, [("blur", sc.kernel("blur", x))]), source="brain.npy")
    for words in ("z = 3 mm (y down, x right)", "y = 3 mm (z down, x right)", "x = 4 mm (z down, y right)"):
        assert f"before, {words}" in content


# maps

def test_the_maps_of_a_sound_stand_on_one_scale():
    x, k = voice(), sc.Signal([[0.1]], sc.Domain((1, 1), grid(voice()).step, 0, ("Hz", "s"), ("frequency", "time")))
    heard = hear.listen(x, [("tenth", k)], on="spectrogram")
    (_, before), (_, after) = maps.level_figures(heard, 12, 1.0)
    levels = [pixels(re.search(r'href="(data:[^"]+)"', figure)[1]).astype(float) for figure in (before, after)]
    strong = levels[0] > 0.5 * (sounds.LEVELS - 1)
    step = sounds.RANGE / (sounds.LEVELS - 1)  # dB
    assert levels[0].max() == sounds.LEVELS - 1 and strong.sum() > 20
    assert np.abs((levels[0] - levels[1])[strong] * step - 20).max() < 2 * step


def test_a_tone_stands_at_its_frequency_and_every_filter_has_a_map():
    t = np.arange(8000) / 8000
    x = sc.Signal(np.sin(2 * np.pi * 1000 * t)[None], sc.line(8000, 8000))
    heard = hear.listen(x, [("edge", sc.kernel("edge", grid(x)))], on="spectrogram")
    (level,) = maps.levels(heard.map, "Before", 60)
    (low, high), (begin, end) = level.span
    row = level.size[:, 30].argmax()
    assert high - (row + 0.5) * (high - low) / len(level.size) == pytest.approx(1000, abs=1e-6)
    assert begin < 0 and end == pytest.approx(1, abs=0.02)
    content = page.render(heard, source="tone.wav")
    named = re.findall(r'spectrogram on its grid, ([^"]+)"', content)
    assert named == ["Before", "After, filter frequency", "After, filter time"]
    assert data_of(content)["neighbours"] == [] and "on the spectrogram" in content and "Delay of the kernel" not in content
    assert re.search(r"taps 2 × 2 \(40 Hz × [\d.]+ ms; frequency upwards, time to the right\)", content)


def test_the_maps_end_where_the_excerpt_ends():
    x = voice(2.0)
    S = sc.spectrogram(x, hop=100)
    assert maps.levels(S, "", 0.5)[0].size.shape == (201, 40) and maps.levels(S, "", 60)[0].size.shape == (201, 160)


def test_all_but_the_sound_stays_below_400_kb():
    x = sc.Signal((0.1 * RNG.standard_normal((2, 16000 * 4))).astype("f4"), sc.line(64000, 16000))  # noise packs worst
    v = sc.Signal(RNG.random((3, 30, 90, 120)).astype("f4"), clip(30, 90, 120).domain)
    heard = [hear.listen(x, [(name, sc.kernel(name, grid(x))) for name in ("edge", "blur")], on="spectrogram"),
             hear.listen(v, [(name, sc.kernel(name, v)) for name in ("edge", "blur")])]
    pages = [page.render(each, source="noise") for each in heard]
    for content in (*pages, page.across([page.Panel(each, "noise") for each in heard], kernel="edge")):
        assert len(content.encode()) - sum(len(a["src"]) for a in Elements(content).all("audio")) < 400_000


# the command line

@pytest.fixture
def given(tmp_path):
    tone(tmp_path / "voice.wav", 0.3, 8000)
    np.save(tmp_path / "brain.npy", picture(6, 8, 7).data[0])
    for name, x in (("photo.png", picture(20, 24)), ("clip.gif", clip())):
        sc.save(x, tmp_path / name)
    return ["voice.wav", "photo.png", "brain.npy", "clip.gif"]


def test_listen_makes_one_page_of_files_of_different_kinds(tmp_path, given):
    ran = run("listen", "-k", "edge", *given, cwd=tmp_path)
    assert (ran.code, ran.err.count("refused")) == (0, 0)
    content = (tmp_path / "across.edge.html").read_text()
    heads = re.findall(r'<h2>(\w+) <span class="quiet">([^<]+)', content)
    assert heads == list(zip(DOMAINS, [given[0], *given], strict=True))
    assert "./across.edge.html  (sound, spectrogram, image, volume, video)" in ran.out
    assert (tmp_path / "voice.edge.html").exists() and (tmp_path / "clip.edge.html").exists()
    again = run("listen", "-k", "edge", "--json", *given[:2], cwd=tmp_path)
    said = json.loads(again.out.splitlines()[-1])
    assert said["together"] == "across.edge-2.html" and said["domains"] == ["sound", "spectrogram", "image"]


@pytest.mark.parametrize(("words", "pages"), [
    (["--apart", "voice.wav", "photo.png"], []), (["voice.wav"], []), (["--together", "voice.wav"], ["across.edge.html"]),
    (["--no-page", "voice.wav", "photo.png"], []), (["voice.wav", "other.wav"], []),
    (["-k", "blur", "-o", "out", "voice.wav", "photo.png"], ["out/across.blur.html", "out/across.edge.html"])])
def test_when_there_is_one_page_for_all(tmp_path, given, words, pages):
    tone(tmp_path / "other.wav", 0.2, 8000)
    assert run("listen", "-q", "-k", "edge", *words, cwd=tmp_path).code == 0
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("across.*")) == pages


def test_a_file_that_fails_and_a_kernel_that_is_refused_do_not_stop_the_page(tmp_path, given):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    ran = run("listen", "-q", "-k", "room", "broken.png", *given, cwd=tmp_path)
    content = (tmp_path / "across.room.html").read_text()
    assert ran.code == 3 and "4 of 5 files failed" in ran.err
    assert len(data_of(content)["panels"]) == 1 and content.count("refused: room") == 4


def test_look_draws_one_picture_of_files_of_different_kinds(tmp_path, given):
    ran = run("look", "-k", "edge", *given, cwd=tmp_path)
    assert ran.code == 0 and "edge through sound, spectrogram, image, volume, video, before and after" in ran.out
    assert [p.name for p in tmp_path.glob("*look*")] == ["across.edge.look.png"]
    assert run("look", "-q", "--apart", "-k", "edge", *given[1:3], cwd=tmp_path).code == 0
    assert {p.name for p in tmp_path.glob("*look*")} == {"across.edge.look.png", "photo.edge.look.png", "brain.edge.look.png"}
    ran = run("look", "-k", "room", *given[:2], "-o", "room.png", cwd=tmp_path)
    assert ran.code == 0 and "note: image photo.png: refused: room" in ran.err and (tmp_path / "room.png").exists()


def test_taps_are_told_from_signals():
    from sigconv_cli.look import _is_kernel

    line = sc.line(64, 8000)
    taps = [np.ones(64), np.ones((2, 2, 64)), np.ones((12, 64))]
    assert [_is_kernel(sc.Signal(data, line)) for data in taps] == [True] * 3
    signals = [((1, 4000), sc.line(4000, 8000)), ((1, 64), sc.line(64, 1, unit="sample")), ((4, 4), sc.grid(4, 4))]
    assert [_is_kernel(sc.Signal(np.ones(shape), domain)) for shape, domain in signals] == [False] * 3


def test_look_at_kernels_on_a_spectrogram_and_at_what_they_do(tmp_path, given):
    assert run("look", "-k", "edge", "--on", "spectrogram", "-o", "k.png", cwd=tmp_path).code == 0
    ran = run("look", "-k", "blur", "--on", "spectrogram", "voice.wav", "-o", "s.png", cwd=tmp_path)
    assert ran.code == 0 and "frequency" in ran.out and (tmp_path / "s.png").exists()


@real
def test_real_files_meet_on_one_page(tmp_path):
    files = [REAL / "audio/libri1.ogg", REAL / "images/camera.png", REAL / "volume/mni152_t1_2mm.npy"]
    assert run("listen", "-q", "-k", "blur", *files, cwd=tmp_path).code == 0
    content = (tmp_path / "across.blur.html").read_text()
    assert re.findall(r"<h2>(\w+)", content) == DOMAINS[:4] and "the first 10 s" not in content
    sound = embedded(content)[0]
    assert len(sound) == 44 + 2 * 10 * 16000
