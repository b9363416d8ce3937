"""The page in a browser: what it plays is what was computed, and nothing of it goes out."""

import math
import re

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser

import sigconv as sc
from sigconv import hear, page

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not here")

RATE = 22050


@pytest.fixture(scope="module")
def browser():
    window = Browser()
    yield window
    window.close()


def noise(channels=1, seconds=1.0, rate=RATE, level=0.2, dtype="float32"):
    rng = np.random.default_rng(7)
    n = round(seconds * rate)
    data = np.cumsum(rng.standard_normal((channels, n)), axis=1)
    data -= np.linspace(0, 1, n) * data[:, -1:]
    return sc.Signal((level * data / abs(data).max()).astype(dtype), sc.line(n, rate))


def heard(x, *specs, **options):
    return hear.listen(x, [(spec, sc.kernel(spec, x.domain)) for spec in specs], **options)


def shown(browser, tmp_path, listening, source="noise.wav", **options):
    path = tmp_path / "page.html"
    page.report(path, listening, source=source, **options)
    browser.open(path)
    return path


def quiet(browser, path):
    assert [entry["message"] for entry in browser.logs("browser")] == []
    assert browser.requests() == [path.resolve().as_uri()]


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_clips_are_the_samples_bit_for_bit(browser, tmp_path, bits, channels):
    listening = heard(noise(channels), "edge", "blur")
    path = shown(browser, tmp_path, listening, bits=bits)
    for name, sound in [("dry", listening.sound), ("t1", listening.takes[0].sound), ("t2", listening.takes[1].sound)]:
        for c in range(channels):
            want = sound.data[c].astype("f4")
            if bits == 16:
                want = (np.clip(np.rint(sound.data[c].astype(float) * 32768), -32768, 32767) / 32768).astype("f4")
            got = browser.floats(f"sigconv.clips.get('{name}').sound[{c}]")
            assert np.array_equal(got, want)
            buffered = browser.floats(f"sigconv.player.tracks.get('{name}').buffer.getChannelData({c})")
            assert np.array_equal(buffered, want)
    assert browser.run("return sigconv.player.tracks.get('dry').buffer.sampleRate") == RATE
    quiet(browser, path)


def test_the_difference_is_filtered_minus_dry(browser, tmp_path):
    listening = heard(noise(2), "edge", "blur")
    path = shown(browser, tmp_path, listening, bits=32)
    for take, name in zip(listening.takes, ("t1", "t2"), strict=True):
        browser.run(f"sigconv.choose('{name}'); sigconv.choose('difference')")
        for c in range(2):
            got = browser.floats(f"sigconv.clips.get('difference').sound[{c}]")
            assert np.array_equal(got, take.sound.data[c] - listening.sound.data[c])
        assert take.name in browser.run("return document.getElementById('said').textContent")
    quiet(browser, path)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_neighbours_are_convolved_as_the_library_does_it(browser, tmp_path, rate):
    listening = heard(noise(2, 0.7, rate), "edge")
    path = shown(browser, tmp_path, listening, bits=32)
    names = browser.run("return sigconv.data.neighbours.map((k) => k.name)")
    assert names == ["blur", "sharpen", "echo", "room", "lowpass", "note"]
    for i, name in enumerate(names):
        browser.run(f"await sigconv.hear({i})")
        gain = browser.run(f"return sigconv.extra.get('near-{name}').gain")
        k = sc.kernel(name, listening.dry.domain)
        k = sc.Signal(np.real(k.data), k.domain)
        want = gain * sc.convolve(listening.sound, k, mode="same").data
        got = np.stack([browser.floats(f"sigconv.clips.get('near-{name}').sound[{c}]") for c in range(2)])
        assert np.abs(got - want).max() <= 1e-4 * np.abs(want).max(), name
        assert np.abs(got).max() <= 1.0
        said = browser.run("return document.getElementById('said').textContent")
        assert float(re.search(r"total gain ([\d.e-]+)", said)[1]) == pytest.approx(gain * listening.gain, rel=1e-8)
    quiet(browser, path)


def test_neighbours_are_as_loud_as_dry_or_held_below_full_scale(browser, tmp_path):
    listening = heard(noise(1, 2.0, level=0.02), "edge")
    path = shown(browser, tmp_path, listening, bits=32)
    for i, name in enumerate(browser.run("return sigconv.data.neighbours.map((k) => k.name)")):
        browser.run(f"await sigconv.hear({i})")
        sound = sc.Signal(browser.floats(f"sigconv.clips.get('near-{name}').sound[0]")[None], listening.dry.domain)
        if "held back" not in browser.run("return document.getElementById('said').textContent"):
            assert hear.loudness(sound) == pytest.approx(hear.loudness(listening.sound), abs=0.1), name
        assert np.abs(sound.data).max() <= 10 ** (-1 / 20) + 1e-6
    quiet(browser, path)


def test_two_clicks_on_a_neighbour_make_one(browser, tmp_path):
    for x in (noise(1, 0.5), photo()):
        path = shown(browser, tmp_path, heard(x, "identity"))
        made = browser.run("""await sigconv.ready; await Promise.all([sigconv.hear(0), sigconv.hear(0)]);
          return [...document.querySelectorAll("[data-track]")].map((b) => b.dataset.track);""")
        assert made == ["dry", "t1", "near-blur", "difference"]
        quiet(browser, path)
        path.unlink()


def test_the_pages_loudness_is_the_librarys(browser, tmp_path):
    for i, (rate, seconds) in enumerate([(8000, 0.2), (44100, 1.7)]):
        listening = heard(noise(2, seconds, rate), "edge")
        page.report(tmp_path / f"{i}.html", listening, source="x", bits=32)
        browser.open(tmp_path / f"{i}.html")
        got = browser.run("return loudnessOf(sigconv.clips.get('t1').sound, sigconv.data.rate)")
        assert got == pytest.approx(hear.loudness(listening.takes[0].sound), abs=0.05)


def test_switching_keeps_the_place_and_every_source_runs_in_step(browser, tmp_path):
    path = shown(browser, tmp_path, heard(noise(1, 8.0), "edge", "blur"))
    jumps = browser.run("""
      const p = sigconv.player, wait = (ms) => new Promise((r) => setTimeout(r, ms)), jumps = [];
      await p.play(); await wait(300);
      for (const id of ["dry", "t2", "difference", "t1", "dry"]) {
        const before = p.position, clock = p.context.currentTime;
        sigconv.choose(id);
        jumps.push(Math.abs(p.position - before - (p.context.currentTime - clock)));
        await wait(60);
      }
      await sigconv.hear(0); await wait(150);
      const near = p.position, clock = p.context.currentTime;
      sigconv.choose("dry");
      jumps.push(Math.abs(p.position - near - (p.context.currentTime - clock)));
      const levels = [...p.tracks].map(([id, t]) => [id, t.source !== null]);
      await wait(100);
      const gains = [...p.tracks].map(([id, t]) => [id, t.gain.gain.value]);
      const place = p.position; p.pause();
      return {jumps, levels, gains, place, held: p.position, playing: p.playing};""")
    assert max(jumps["jumps"]) < 0.02 and len(jumps["jumps"]) == 6
    assert all(running for _, running in jumps["levels"])
    assert dict(jumps["gains"]) == {"dry": 1, "t1": 0, "t2": 0, "difference": 0, "near-sharpen": 0}
    assert 0.6 < jumps["place"] < 8 and abs(jumps["held"] - jumps["place"]) < 0.02 and not jumps["playing"]
    quiet(browser, path)


def test_a_switch_is_without_a_click(browser, tmp_path):
    """Rendered offline: two sines in opposite phase, at their peaks, cross within 10 ms, by no step larger than the ramp's."""
    path = shown(browser, tmp_path, heard(noise(1, 1.0), "edge"))
    browser.run("""
      const n = 22050, rate = 22050, wave = (_, i) => Math.cos(2 * Math.PI * 50 * i / rate);
      const sine = (a) => [Float32Array.from({length: n}, wave).map((v) => v * a)];
      const p = new Player(rate, n, () => {}), offline = new OfflineAudioContext(1, n, rate);
      p.context = offline;
      Object.defineProperty(offline, "resume", {value: async () => {}});
      Object.defineProperty(offline, "state", {get: () => "running"});
      p.add("loud", sine(0.8)); p.add("soft", sine(-0.8)); p.select("loud");
      await p.play();
      offline.suspend(0.495).then(() => { p.select("soft"); OfflineAudioContext.prototype.resume.call(offline); });
      window.rendered = (await offline.startRendering()).getChannelData(0).slice();""")
    y = browser.floats("window.rendered")
    t = np.arange(len(y)) / RATE
    late = int(0.04 * RATE)
    tone = 0.8 * np.cos(2 * np.pi * 50 * (t - late / RATE))
    assert np.abs(y[late + 50: RATE // 2 - 200] - tone[late + 50: RATE // 2 - 200]).max() < 1e-4
    assert np.abs(y[RATE // 2 + 500:] + tone[RATE // 2 + 500:]).max() < 1e-4
    steps = np.abs(np.diff(y[RATE // 2 - 300: RATE // 2 + 600]))
    assert steps.max() < 2 * math.pi * 50 / RATE * 0.8 + 1.6 / (0.010 * RATE) * 1.2
    quiet(browser, path)


def test_play_starts_where_it_was_held_and_a_late_track_joins_in_step(browser, tmp_path):
    path = shown(browser, tmp_path, heard(noise(1, 1.0), "edge"))
    browser.run("""
      const n = 22050, rate = 22050, ramp = (a) => [Float32Array.from({length: n}, (_, i) => a * i / n)];
      const p = new Player(rate, n, () => {}), offline = new OfflineAudioContext(1, n, rate);
      p.context = offline;
      Object.defineProperty(offline, "resume", {value: async () => {}});
      Object.defineProperty(offline, "state", {get: () => "running"});
      p.add("early", ramp(1)); p.held = 0.25;
      await p.play();
      const join = () => { p.add("late", ramp(-1)); p.select("late"); OfflineAudioContext.prototype.resume.call(offline); };
      offline.suspend(0.3).then(join);
      window.rendered = (await offline.startRendering()).getChannelData(0).slice();""")
    y, t = browser.floats("window.rendered"), np.arange(RATE) / RATE
    place = t - 0.04 + 0.25
    index = np.rint(y[2000:6000] * RATE)
    assert np.abs(y[2000:6000] * RATE - index).max() < 2e-3  # whole samples, not between them
    early, late = slice(round(0.06 * RATE), round(0.29 * RATE)), slice(round(0.4 * RATE), round(0.75 * RATE))
    assert np.abs(y[early] - place[early]).max() <= 1.5 / RATE and np.abs(y[late] + place[late]).max() <= 1.5 / RATE
    quiet(browser, path)


def test_keys_play_switch_seek_and_loop(browser, tmp_path):
    path = shown(browser, tmp_path, heard(noise(1, 5.0), "edge"))
    browser.key("1")
    assert browser.run("return sigconv.player.active") == "dry"
    browser.key("2")
    assert browser.run("return sigconv.player.active") == "t1"
    browser.key("3")
    assert browser.run("return sigconv.player.active") == "difference"
    browser.key("\ue014")
    assert browser.run("return sigconv.player.position") == pytest.approx(0.5, abs=1e-6)
    browser.key("l")
    assert browser.run("return sigconv.player.loop") is True
    browser.key(" ")
    assert browser.run("await new Promise((r) => setTimeout(r, 300)); return sigconv.player.playing") is True
    browser.key(" ")
    assert browser.run("return sigconv.player.playing") is False
    slider = browser.run("""const s = document.getElementById("seek");
      return [s.tabIndex, s.getAttribute("role"), +s.ariaValueNow > 0.5];""")
    assert slider == [0, "slider", True]
    quiet(browser, path)


def test_it_plays_to_the_end_and_loops(browser, tmp_path):
    path = shown(browser, tmp_path, heard(noise(1, 0.3), "edge"))
    ended = browser.run("""const p = sigconv.player; await p.play(); await new Promise((r) => setTimeout(r, 700));
      return [p.playing, p.position];""")
    assert ended == [False, 0]
    looping = browser.run("""const p = sigconv.player; p.setLoop(true); await p.play();
      await new Promise((r) => setTimeout(r, 800));
      const on = p.playing, at = p.position; p.pause(); return [on, at < p.duration];""")
    assert looping == [True, True]
    quiet(browser, path)


SHAPES = {
    "one sample": (np.full((1, 1), 0.5, "f4"), sc.line(1, 8000)),
    "silence": (np.zeros((2, 8000), "f4"), sc.line(8000, 8000)),
    "six channels": (np.random.default_rng(0).uniform(-0.1, 0.1, (6, 4000)).astype("f4"), sc.line(4000, 48000)),
    "slow": (np.sin(np.arange(1000)[None] / 9).astype("f4"), sc.line(1000, 360)),
    "fast": (np.sin(np.arange(900)[None] / 9).astype("f4"), sc.line(900, 500_000)),
    "image": (np.random.default_rng(1).random((3, 20, 30)).astype("f4"), sc.grid(20, 30)),
    "volume": (np.random.default_rng(2).random((1, 6, 8, 10)).astype("f4"), sc.grid(6, 8, 10)),
    "video": (np.random.default_rng(3).random((3, 5, 9, 12)).astype("f4"),
              sc.Domain((5, 9, 12), (0.04, 1, 1), 0, ("s", "px", "px"), ("time", "y", "x"))),
}


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("width", [400, 1280])
def test_any_shape_makes_a_sane_page(browser, tmp_path, kind, width):
    x = sc.Signal(*SHAPES[kind])
    path = shown(browser, tmp_path, heard(x, "edge"), source=kind)
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    state = browser.run("""const p = sigconv.player; await p.play(); await new Promise((r) => setTimeout(r, 120)); p.pause();
      for (let i = 0; i < sigconv.data.neighbours.length; i++) await sigconv.hear(i);
      const broken = [...document.images].filter((i) => !(i.complete && i.naturalWidth)).length;
      const marks = [...document.querySelectorAll("path, line, circle, text")];
      const odd = marks.filter((e) => /NaN|Infinity|undefined/.test(e.outerHTML)).length;
      const fits = document.documentElement.scrollWidth <= innerWidth;
      return [fits, broken, odd, /NaN|undefined|null/.test(document.body.innerText)];""")
    assert state == [True, 0, 0, False]
    quiet(browser, path)


def test_a_hostile_name_stays_text(browser, tmp_path):
    name = '</title></script><script>window.owned=1</script><img src=x onerror="window.owned=2">\u2028&lt;.wav'
    x = noise(1, 0.2)
    listening = hear.listen(x, [(name, sc.kernel("edge", x.domain))])
    path = shown(browser, tmp_path, listening, source=name)
    assert browser.run("return window.owned === undefined && document.images.length === 0")
    assert "<script>window.owned=1</script>" in browser.run("return document.querySelector('h1').textContent")
    assert "<img src=x" in browser.run("return document.title")
    quiet(browser, path)


def test_the_policy_lets_no_other_script_in(browser, tmp_path):
    shown(browser, tmp_path, heard(noise(1, 0.2), "edge"))
    assert browser.run("""const s = document.createElement("script"); s.textContent = "window.owned = 1"; document.body.append(s);
      let out = "open"; try { await fetch("https://example.com/"); } catch { out = "shut"; }
      return [window.owned === undefined, out];""") == [True, "shut"]
    assert any("Content Security Policy" in entry["message"] for entry in browser.logs("browser"))


def test_without_scripts_plain_players_stand_there(browser, tmp_path):
    path = tmp_path / "page.html"
    page.report(path, heard(noise(1, 0.2), "edge"), source="noise.wav")
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(path)
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
    state = browser.run("return [...document.querySelectorAll('audio')].map((a) => a.controls && a.offsetHeight > 20)")
    assert state == [True, True]
    assert browser.run("return document.getElementById('play').offsetHeight") == 0


# Pictures

def photo(colours=1, h=96, w=130):
    """Something smooth, something sharp and something fine, so that every kernel has work."""
    y, x = np.mgrid[:h, :w]
    planes = [0.5 + 0.3 * np.sin(x / (7 + c)) * np.cos(y / 11) + 0.15 * ((x - 60) ** 2 + (y - 40) ** 2 < 600 + 90 * c)
              for c in range(colours)]
    planes = np.array(planes) + np.random.default_rng(5).normal(0, 0.02, (colours, h, w))
    return sc.Signal((np.rint(np.clip(planes, 0, 1) * 255) / 255).astype("f4"), sc.grid(h, w))


HEAR = "await sigconv.ready; await sigconv.hear(sigconv.data.neighbours.findIndex((k) => k.name === arguments[0]));"


def near(browser, name):
    """Click a neighbour; the canvas it made, as (h, w, 4)."""
    browser.run(HEAR, name)
    w, h = browser.run(f"const c = sigconv.extra.get('near-{name}').canvas; return [c.width, c.height]")
    image = f"sigconv.extra.get('near-{name}').canvas.getContext('2d').getImageData(0, 0, {w}, {h})"
    flat = browser.floats(f"Float32Array.from({image}.data)")
    return flat.reshape(h, w, 4)


@pytest.mark.parametrize("colours", [1, 3])
def test_a_picture_through_a_neighbour_is_its_convolution(browser, tmp_path, colours):
    from sigconv.page.figures import Picture, brighter
    from sigconv.pictures import signed

    x = photo(colours)
    listening = heard(x, "identity")
    path = shown(browser, tmp_path, listening, source="photo.png")
    names = browser.run("await sigconv.ready; return sigconv.data.neighbours.map((k) => k.name)")
    assert names == ["blur", "sharpen", "edge", "laplace", "box", "lowpass", "echo"]
    for name in names:
        k = sc.kernel(name, x.domain)
        y = sc.convolve(x, k).data.astype(float)
        y = np.sqrt((y**2).sum(axis=1)) if k.value else y
        factor = brighter([Picture("", y)], 1.0) if signed(k) else 1
        want = np.clip((0.5 + 0.5 * factor * y if signed(k) and not k.value else factor * y), 0, 1) * 255
        got = near(browser, name)
        assert browser.run(f"return sigconv.extra.get('near-{name}').result.factor") == factor
        assert np.abs(got[..., :3] - np.moveaxis(np.broadcast_to(want, (3, *want.shape[1:])), 0, -1)).max() <= 1, name
        assert (got[..., 3] == 255).all()
        words = browser.run("return document.getElementById('seen-words').textContent")
        assert words.startswith(name) and (f"shown ×{factor}" in words) == (factor > 1)
        assert ("middle grey" in words) == (name == "laplace") and ("taken together" in words) == (name == "edge")
    quiet(browser, path)


@pytest.mark.parametrize("colours", [1, 3])
def test_a_picture_through_a_neighbour_is_heard_as_the_command_line_scans_it(browser, tmp_path, colours):
    x = photo(colours)
    listening = heard(x, "identity", "laplace")
    assert listening.gain < 0.99
    path = shown(browser, tmp_path, listening, source="photo.png", bits=32)
    for name in ("blur", "edge", "box", "echo"):
        near(browser, name)
        k = sc.kernel(name, x.domain)
        want = hear.listen(x, [(name, k)], match="none", guard=False).takes[0].sound.data * listening.gain
        gain = browser.run(f"return sigconv.extra.get('near-{name}').gain")
        channels = browser.run(f"return sigconv.clips.get('near-{name}').sound.length")
        got = np.stack([browser.floats(f"sigconv.clips.get('near-{name}').sound[{c}]") for c in range(channels)])
        assert got.shape == want.shape and np.abs(got - gain * want).max() <= 1e-5 * np.abs(gain * want).max(), name
        fair = hear.listen(x, [(name, k)], guard=False).takes[0].gain
        held = "held back" in browser.run("return document.getElementById('said').textContent")
        assert gain * listening.gain <= fair * 1.012 if held else gain == pytest.approx(fair, rel=0.012)
        assert np.abs(got).max() <= 10 ** (-1 / 20) + 1e-6
    quiet(browser, path)


def test_the_response_of_a_neighbour_of_pictures_is_its_response(browser, tmp_path):
    x = photo()
    path = shown(browser, tmp_path, heard(x, "identity"), source="photo.png")
    nu = (np.arange(65) - 32) / 65
    for i, name in enumerate(browser.run("return sigconv.data.neighbours.map((k) => k.name)")):
        taps = np.atleast_3d(sc.kernel(name, x.domain).data.reshape(-1, *sc.kernel(name, x.domain).domain.shape))[0]
        rows, columns = (np.exp(-2j * np.pi * np.outer(nu, np.arange(n))) for n in taps.shape)
        got = browser.floats(f"Float32Array.from(responseMap(sigconv.data.neighbours[{i}].filters[0]))").reshape(65, 65)
        want = 20 * np.log10(np.maximum(abs(rows @ taps @ columns.T), 1e-10))
        loud = want > want.max() - 60
        assert np.abs(got - want)[loud].max() < 0.05, name
    quiet(browser, path)


def test_what_is_heard_of_a_picture_is_seen(browser, tmp_path):
    x = photo(3)
    path = shown(browser, tmp_path, heard(x, "edge", "blur"), source="photo.png")
    seen = {}
    for track in ("dry", "t1", "t2", "difference"):
        browser.run("await sigconv.ready; sigconv.choose(arguments[0])", track)
        seen[track] = browser.run("""const c = document.getElementById("seen");
          return [c.toDataURL(), document.getElementById("seen-words").textContent, c.offsetHeight > 100];""")
    assert all(tall for _, _, tall in seen.values()) and len({url for url, _, _ in seen.values()}) == 4
    assert seen["dry"][1] == "before" and seen["t1"][1].startswith("edge, the length") and seen["t2"][1] == "blur"
    assert seen["difference"][1].startswith("difference, blur minus before")
    share = browser.run("""sigconv.player.pause(0.25 * sigconv.player.duration);
      const [row, all] = ["row", "seen"].map((id) => document.getElementById(id).getBoundingClientRect());
      return (row.top + row.height / 2 - all.top) / all.height;""")
    assert share == pytest.approx(0.25, abs=0.01)
    quiet(browser, path)


def test_a_picture_made_smaller_for_the_page_is_heard_at_full_length(browser, tmp_path):
    x = photo(1, 800, 900)
    listening = heard(x, "blur")
    path = shown(browser, tmp_path, listening, source="photo.png", bits=32)
    near(browser, "box")
    got = browser.floats("sigconv.clips.get('near-box').sound[0]")
    want = hear.scan(sc.convolve(x, sc.kernel("box:5", x.domain))).data[0]
    assert got.shape == want.shape and np.corrcoef(got, want)[0, 1] > 0.98
    assert re.search(r"\d+ of 900 px wide", browser.run("return document.getElementById('seen-words').textContent"))
    quiet(browser, path)


def test_a_scan_by_columns_is_followed_by_columns(browser, tmp_path):
    path = shown(browser, tmp_path, heard(photo(), "blur", scan="spectrum"), source="photo.png")
    place = browser.run("""await sigconv.ready; sigconv.player.pause(0.25 * sigconv.player.duration);
      const [line, all] = ["row", "seen"].map((id) => document.getElementById(id).getBoundingClientRect());
      sigconv.player.seek(sigconv.stage.share({clientX: all.left + 0.75 * all.width, clientY: 0}) * sigconv.player.duration);
      return [(line.left + line.width / 2 - all.left) / all.width, line.height / all.height,
              sigconv.player.position / sigconv.player.duration, sigconv.data.neighbours.length];""")
    assert place == pytest.approx([0.25, 1, 0.75, 0], abs=0.01)
    quiet(browser, path)


# Videos

def clip(n=9, h=30, w=40):
    frames = np.broadcast_to(np.arange(n)[:, None, None] / n, (n, h, w))
    return sc.Signal(frames[None].astype("f4"), sc.Domain((n, h, w), (0.04, 1, 1), 0, ("s", "px", "px"), ("time", "y", "x")))


def test_a_video_rolls_and_its_frames_are_the_videos(browser, tmp_path):
    path = shown(browser, tmp_path, heard(clip(), "identity"), source="clip.gif")
    seen = browser.run("""await sigconv.ready; const [reel] = sigconv.reels; await reel.ready;
      const pixel = ({canvas}) => {
        const one = new OffscreenCanvas(1, 1).getContext("2d");
        one.drawImage(canvas, -20, -10);
        return one.getImageData(0, 0, 1, 1).data[0];
      };
      const frames = Array.from({length: reel.frames}, (_, f) => { reel.show(f); return reel.films.map(pixel); });
      const words = reel.when.textContent;
      reel.button.click(); await new Promise((r) => setTimeout(r, 250)); const rolled = reel.frame; reel.button.click();
      const held = reel.frame; await new Promise((r) => setTimeout(r, 150));
      reel.slider.value = 2; reel.slider.dispatchEvent(new Event("input"));
      return [frames, words, rolled !== 8, reel.frame === 2 && held === rolled, reel.button.textContent];""")
    frames, words, rolled, held, button = seen
    assert np.abs(np.array(frames)[:, :2] - np.rint(255 * np.arange(9) / 9)[:, None]).max() <= 1
    assert np.abs(np.array(frames)[:, 2] - 127.5).max() <= 0.5
    assert words == "frame 9 of 9, 0.32 s" and rolled and held and button == "Play"
    quiet(browser, path)


# Several domains

@pytest.fixture
def across(browser, tmp_path):
    x, picture = noise(1, 3.0), photo(1, 200, 300)
    grid = sc.spectrogram(x, hop=275).domain
    panels = [page.Panel(heard(x, "blur"), "noise.wav"),
              page.Panel(hear.listen(x, [("blur", sc.kernel("blur", grid))], on="spectrogram"), "noise.wav"),
              page.Panel(heard(picture, "blur"), "photo.png"), page.Panel(heard(clip(40), "blur"), "clip.gif"),
              page.Panel(None, "x.npy", "no such axis", "Volume")]
    path = tmp_path / "across.html"
    path.write_text(page.across(panels, kernel="blur", bits=32), encoding="utf-8")
    browser.open(path)
    browser.run("await sigconv.ready")
    return panels, path


def test_of_several_players_one_plays(browser, across):
    _, path = across
    states = browser.run("""const wait = (ms) => new Promise((r) => setTimeout(r, ms));
      const on = () => sigconv.panels.map((p) => p.player.playing);
      const buttons = [...document.querySelectorAll(".play")], states = [];
      const first = sigconv.panels[0].player, play = first.play.bind(first);
      first.play = () => wait(100).then(play);
      buttons[0].click(); buttons[1].click(); await wait(300); states.push(on());
      first.play = play;
      for (const i of [0, 2, 1, 1, 3]) { buttons[i].click(); await wait(150); states.push(on()); }
      for (const p of sigconv.panels) p.player.pause();
      return states;""")
    assert [[i for i, playing in enumerate(state) if playing] for state in states] == [[1], [0], [2], [1], [], [3]]
    quiet(browser, path)


def test_before_and_after_switch_at_the_same_place(browser, across):
    panels, path = across
    jump = browser.run("""const {player: p, root} = sigconv.panels[0], wait = (ms) => new Promise((r) => setTimeout(r, ms));
      await sigconv.panels[0].play(); await wait(200);
      const before = p.position, clock = p.context.currentTime;
      root.querySelector("[data-track=dry]").click();
      const jump = p.position - before - (p.context.currentTime - clock);
      const pressed = root.querySelector("[aria-pressed=true]").dataset.track;
      p.pause(); return [Math.abs(jump), pressed, p.active];""")
    assert jump[0] < 0.02 and jump[1:] == ["dry", "dry"]
    for i, panel in enumerate(panels[:4]):
        for name, sound in (("dry", panel.listening.sound), ("t1", panel.listening.takes[0].sound)):
            got = browser.floats(f"sigconv.panels[{i}].clips.get('{name}').sound[0]")
            n, whole = len(got), sound.data.shape[1]
            begin = (whole - n) // 2 if i > 1 else 0
            assert np.array_equal(got, sound.data[0, begin:begin + n].astype("f4"))
    quiet(browser, path)


def test_a_line_stands_on_the_picture_where_it_is_heard(browser, across):
    _, path = across
    lines = browser.run("""return sigconv.panels.slice(0, 3).map(({player, root, lines}) => {
      player.pause(0.25 * player.duration); player.select("t1");
      const shown = lines.filter(({line}) => !line.hidden), [{line, track}] = shown;
      const all = line.parentElement.getBoundingClientRect(), box = line.getBoundingClientRect();
      return [shown.length, track, (box.left + 1 - all.left) / all.width, (box.top + 1 - all.top) / all.height];
    });""")
    assert [line[:2] for line in lines] == [[1, "t1"]] * 3
    assert lines[0][2] == pytest.approx(0.25, abs=0.01) and lines[1][2] == pytest.approx(0.25, abs=0.01)
    assert lines[2][3] == pytest.approx(0.25, abs=0.01)
    quiet(browser, path)


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_across_domains_is_sane(browser, across, width):
    _, path = across
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    state = browser.run("""const broken = [...document.images].filter((i) => !(i.complete && i.naturalWidth)).length;
      const marks = [...document.querySelectorAll("path, line, rect, text")];
      const odd = marks.filter((e) => /NaN|Infinity|undefined/.test(e.outerHTML)).length;
      const names = [...document.querySelectorAll("h2")].map((h) => h.textContent.split(" ")[0]);
      const fits = document.documentElement.scrollWidth <= innerWidth;
      return [fits, broken, odd, /NaN|undefined|null/.test(document.body.innerText), names];""")
    assert state == [True, 0, 0, False, ["Sound", "Spectrogram", "Image", "Video", "Volume"]]
    quiet(browser, path)


def test_without_scripts_the_panels_have_plain_players_and_sheets_of_frames(browser, across):
    _, path = across
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(path)
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
    state = browser.run("""const seen = (name) => [...document.querySelectorAll(name)].filter((e) => e.offsetHeight > 20).length;
      return [seen("audio"), seen(".film img"), seen(".play"), seen(".seen > i"), seen(".shuttle")];""")
    assert state == [8, 2, 0, 0, 0]
