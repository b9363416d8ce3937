"""The lesson in a browser: what it plays is what the library computes, without a click, and nothing of it goes out."""

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser

import sigconv as sc
from sigconv import hear, lessons
from sigconv.page import lesson as page

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not here")

RATE = 22050
NAMES, TIMES = zip(*lessons.CHIME, strict=True)


@pytest.fixture(scope="module")
def browser():
    window = Browser()
    yield window
    window.close()


@pytest.fixture(scope="module", params=["chime", "chime-dry"])
def shown(browser, request, tmp_path_factory):
    """(lesson, what is heard of its convolutions, path of the open page)."""
    lesson = lessons.listening(sc.load(sc.io.sample(request.param)), NAMES, TIMES)
    path = tmp_path_factory.mktemp("page") / "lesson.html"
    page.report(path, lesson, source="chime.wav")
    browser.open(path)
    browser.run("await sigconv.ready")
    notes = lesson.notes
    kernels = [(n.name, n.raw) for n in notes] + [(n.name, n.template) for n in notes] + [("m", notes[0].raw.reverse())]
    return lesson, hear.listen(lesson.signal, kernels), path


def sound(browser, deck, track, channel=0):
    return browser.floats(f"sigconv.decks.get('{deck}').player.tracks.get('{track}').sound[{channel}]")


def ramped(y):
    n, long = np.arange(len(y)), round(0.005 * RATE)
    return y * np.clip(np.minimum(n, n[::-1]) / long, 0, 1)


def test_the_sounds_are_the_librarys(browser, shown):
    lesson, heard, _ = shown
    for i in range(4):
        for deck, take in (("through", heard.takes[i]), ("matched", heard.takes[4 + i])):
            for c in range(lesson.signal.value[0]):
                got, want = sound(browser, deck, f"n{i}", c), ramped(take.sound.data[c])
                assert np.abs(got - want).max() <= 2e-4 * np.abs(want).max()
                assert np.abs(got).max() <= 10 ** (-1 / 20)
    for track, take in (("n0", heard.takes[0]), ("m0", heard.takes[8])):
        want = ramped(take.sound.data[0])
        assert np.abs(sound(browser, "mirrored", track) - want).max() <= 2e-4 * np.abs(want).max()


def test_the_signal_is_the_clip_and_ends_softly(browser, shown):
    _, heard, _ = shown
    got, want = sound(browser, "signal", "dry"), heard.sound.data[0]
    assert np.abs(got[:-200] - want[:-200]).max() <= 1 / 32768 and got[-1] == 0


def test_correlation_is_what_is_called_so(browser, shown):
    lesson, heard, _ = shown
    want = ramped(sc.correlate(lesson.signal, lesson.notes[0].raw).data[0] * heard.takes[8].gain)
    assert np.abs(sound(browser, "mirrored", "m0") - want).max() <= 2e-4 * np.abs(want).max()


def test_sines_are_those_of_the_library(browser, shown):
    lesson, _, _ = shown
    pitches = [n.frequency for n in lesson.notes]
    gain = browser.run("return sigconv.data.decks.find((d) => d.id === 'recited').tracks[0].gain")
    for track, fade in (("hard", 0.0), ("soft", 0.01)):
        want = gain * lessons.recite(pitches, RATE, fade=fade).data[0]
        assert np.abs(sound(browser, "recited", track) - want).max() <= 2e-5
        timed = gain * lessons.recite(pitches, RATE, starts=[n.onset for n in lesson.notes], fade=fade).data[0]
        got = sound(browser, "timed", track)
        assert np.abs(got[: len(timed)] - timed[: len(got)]).max() <= 2e-5 and not got[len(timed):].any()
    for i, note in enumerate(lesson.notes):
        assert np.abs(sound(browser, "kernels", f"n{i}") - ramped(gain * note.raw.data)).max() <= 2e-5
    spoken = sc.Signal(gain * lessons.recite(pitches, RATE).data, lessons.recite(pitches, RATE).domain)
    assert abs(hear.loudness(spoken) - hear.loudness(lesson.signal)) < 3


def test_it_plays_one_deck_at_a_time_and_all_tracks_in_order(browser, shown):
    """In time that is bent: every track is cut to 60 ms, so that it ends soon."""
    heard = browser.run("""
      const wait = (ms) => new Promise((r) => setTimeout(r, ms)), { decks } = sigconv, deck = decks.get("through");
      await decks.get("signal").play(); await wait(50);
      const began = decks.get("signal").player.playing;
      for (const [id, t] of [...deck.player.tracks]) deck.player.add(id, t.sound.map((x) => x.slice(0, 1323)), t.level);
      deck.player.length = 1323;
      const seen = [];
      deck.root.querySelector(".order").click(); await wait(30);
      const stopped = !decks.get("signal").player.playing;
      const pressed = deck.root.querySelector(".order").getAttribute("aria-pressed");
      for (let i = 0; i < 300 && deck.order; i++) {
        if (seen.at(-1) !== deck.player.active) seen.push(deck.player.active);
        await wait(8);
      }
      await wait(250);
      return {began, stopped, pressed, seen, over: !deck.player.playing && !deck.order};""")
    assert heard == {"began": True, "stopped": True, "pressed": "true", "seen": ["n0", "n1", "n2", "n3"], "over": True}
    browser.open(shown[2])
    browser.run("await sigconv.ready")


def test_buttons_place_and_needle_follow_the_player(browser, shown):
    state = browser.run("""
      const deck = sigconv.decks.get("through"), needle = deck.lines[0].querySelector(".needle");
      const hidden = needle.hidden;
      deck.root.querySelector("[data-track=n2]").click();
      const scrub = deck.root.querySelector(".scrub");
      scrub.value = 500; scrub.dispatchEvent(new Event("input"));
      const matched = sigconv.decks.get("matched");
      await matched.player.seek(0);
      const lines = matched.lines.map((line) => { matched.tick(); return line.querySelector(".needle").style.left; });
      return {hidden, shown: !needle.hidden, left: needle.style.left, half: deck.player.position / deck.player.duration, lines,
        dim: [...deck.lines[0].querySelectorAll("[data-row]")].map((r) => r.classList.contains("dim")),
        pressed: [...deck.root.querySelectorAll("[data-track]")].map((b) => b.getAttribute("aria-pressed")),
        said: deck.root.querySelector(".said").textContent, value: scrub.getAttribute("aria-valuetext")};""")
    assert state["hidden"] and state["shown"] and state["left"] == "50%" and state["half"] == pytest.approx(0.5, abs=1e-3)
    assert state["dim"] == [True, True, False, True] and state["pressed"] == ["false", "false", "false", "true", "false"]
    assert state["said"].startswith("A♭5, played at −") and "seconds" in state["value"]
    long = shown[0].mono.domain.shape[0] / RATE
    assert [float(left[:-1]) for left in state["lines"]] == [pytest.approx(100 * 0.2 / (long + 0.2), abs=0.01), 0, 0]


def test_the_keyboard_reaches_everything(browser, shown):
    names = browser.run("""return [...document.querySelectorAll("button, input, summary")]
      .map((e) => [e.tabIndex, (e.getAttribute("aria-label") || e.textContent).trim()]);""")
    assert all(index >= 0 and name for index, name in names)
    assert browser.run("""const all = document.querySelectorAll("summary"); all[0].focus(); return all.length""") == 5
    browser.key("\uE006")
    assert browser.run("return document.querySelector('details').open")


def test_it_fits_a_phone_and_stays_by_itself(browser, shown, tmp_path):
    for width, scheme in ((400, "dark"), (1280, "light")):
        browser.shot(tmp_path / "x.png", width, None, scheme)
        assert browser.run("return document.documentElement.scrollWidth") <= width
    assert [entry["message"] for entry in browser.logs("browser")] == []
    assert browser.requests() == [shown[2].resolve().as_uri()]
