"""The page as text: what it holds, what it may not hold, its size, and its numbers."""

import base64
import io
import json
import re
import struct
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv import hear, page
from sigconv.page import clips, figures, filters, markup, neighbours, sounds, svg, wave
from sigconv.page.png import png

RATE = 22050


def sound(channels=1, seconds=1.0, rate=RATE, level=0.3):
    rng = np.random.default_rng(3)
    n = round(seconds * rate)
    t = np.arange(n) / rate
    data = np.stack([np.sin(2 * np.pi * 220 * (c + 1) * t) + 0.3 * rng.standard_normal(n) for c in range(channels)])
    return sc.Signal((level * data / abs(data).max()).astype("f4"), sc.line(n, rate))


def heard(x, *specs, **options):
    return hear.listen(x, [(spec, sc.kernel(spec, x.domain)) for spec in specs], **options)


class Elements(HTMLParser):
    """Start tags with their attributes, and the text inside."""

    VOID = ("meta", "img", "input", "br", "link", "path", "line", "circle", "rect", "image", "stop")

    def __init__(self, content):
        super().__init__()
        self.found, self.texts, self.open = [], [], []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def data_of(content):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', content, re.DOTALL)[1])


def embedded(content):
    urls = [a["src"] for a in Elements(content).all("audio")]
    return [base64.b64decode(u.split(",")[1]) for u in urls]


def test_the_policy_allows_exactly_the_script_and_style_that_are_there():
    content = page.render(heard(sound(), "edge"), source="a.wav")
    policy = next(a["content"] for a in Elements(content).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    parts = dict(p.strip().split(" ", 1) for p in policy.split(";"))
    assert parts["default-src"] == "'none'" and "unsafe" not in policy and "http" not in policy
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", content, re.DOTALL)[1]
        assert parts[rule] == f"'sha256-{base64.b64encode(sha256(body.encode()).digest()).decode()}'"
    assert parts["img-src"] == "data:" and parts["media-src"] == "data: blob:"


def test_nothing_in_it_points_outward_and_nothing_is_inline():
    elements = Elements(page.render(heard(sound(2), "edge", "room"), source="a.wav"))
    assert elements.open == []
    for tag, attributes in elements.found:
        assert "style" not in attributes or tag == "style"
        assert not [a for a in attributes if a.startswith("on")]
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
    assert not elements.all("link") and not elements.all("iframe") and not elements.all("base")
    assert [a for a in elements.all("script") if a.get("type") != "application/json"] == [{}]


@given(st.text(min_size=1, max_size=60))
def test_no_name_becomes_markup(name):
    x = TINY
    k = sc.kernel("edge", x.domain)

    def of(name):
        take = hear.Take(name, k, x, x, 1.0, -20.0, -6.0, (name,))
        return hear.Listening(x, x, 1.0, -20.0, -6.0, (take,), "loudness", True, (name,))

    listening, plain = of(name), of("k")
    got = Elements(page.render(listening, source=name, neighbours=False))
    want = Elements(page.render(plain, source="k", neighbours=False))
    assert [tag for tag, _ in got.found] == [tag for tag, _ in want.found]
    assert got.open == [] and data_of(page.render(listening, source=name, neighbours=False))["takes"] == ["t1"]


TINY = sc.Signal(np.array([[0.0, 0.5, -0.5, 0.25]], "f4"), sc.line(4, 8000))
HOSTILE = "</script><script>alert(1)</script><!-- \u2028\u2029 & \" ' \x00\x1b[31m \udcff.wav"


def test_a_hostile_name_is_escaped_everywhere_and_encodes():
    listening = hear.listen(TINY, [(HOSTILE, sc.kernel("edge", TINY.domain))])
    content = page.render(listening, source=HOSTILE)
    assert content.encode("utf-8").count(b"<script") == 2 and "\x1b" not in content and "\x00" not in content
    assert "\u2028" not in content and "alert(1)" in data_of(content)["clips"][1]["name"]


def test_the_same_input_gives_the_same_bytes(monkeypatch):
    listening = heard(sound(), "edge", "room")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    first = page.render(listening, source="a.wav")
    assert first == page.render(listening, source="a.wav") and " UTC. One file" not in first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert "1970-01-02 00:00 UTC" in page.render(listening, source="a.wav")


@pytest.mark.parametrize(("rate", "specs", "channels"), [
    (48000, ("edge",), 2), (44100, ("edge",), 1), (96000, ("blur",), 1), (8000, ("edge",), 1), (192_000, ("edge",), 1),
    (44100, ("edge", "blur", "lowpass:500", "room:0.3", "echo", "note:C5"), 2)])
def test_all_but_the_sound_stays_below_400_kb(rate, specs, channels):
    rng = np.random.default_rng(0)
    n = 4 * rate
    x = sc.Signal((0.1 * rng.standard_normal((channels, n))).astype("f4"), sc.line(n, rate))  # noise packs worst
    listening = heard(x, *specs)
    content = page.render(listening, source="noise.wav")
    clips_size = sum(len(u["src"]) for u in Elements(content).all("audio"))
    assert len(Elements(content).all("audio")) == 1 + len(specs)
    assert clips_size == pytest.approx((1 + len(specs)) * 4 / 3 * 2 * channels * n, rel=0.001)
    assert len(content.encode()) - clips_size < 400_000


def test_a_long_file_shows_60_s_and_says_so():
    x = sc.Signal(np.zeros((1, 70 * 4000), "f4"), sc.line(70 * 4000, 4000))
    content = page.render(heard(x, "edge"), source="long.wav")
    assert all(len(wav) == 44 + 2 * 60 * 4000 for wav in embedded(content))
    assert "the first 60 s of 70.0 s" in content


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_wav_reads_back_as_it_was(bits, channels):
    import soundfile

    x = sound(channels)
    if bits == 16:
        x = sc.Signal((np.rint(x.data * 32768) / 32768).astype("f4"), x.domain)
    data, rate = soundfile.read(io.BytesIO(wave.wav(x.data, RATE, bits)), dtype="float32", always_2d=True)
    assert rate == RATE and np.array_equal(data.T, x.data)


def test_16_bits_round_to_the_nearest_step_and_clip():
    steps = np.frombuffer(wave.wav(np.array([[0.4 / 32768, 0.6 / 32768, 2.0, -2.0, -1.0]]), 8000)[44:], "<i2")
    assert steps.tolist() == [0, 1, 32767, -32768, -32768]


def test_the_clips_are_what_is_heard_once_each():
    listening = heard(sound(2), "edge")
    made, rate, said = clips.clips(listening, 32)
    assert rate == RATE and said == [] and [clip.name for clip in made] == ["Dry", "edge"]
    assert np.array_equal(made[0].data, listening.sound.data) and np.array_equal(made[1].data, listening.takes[0].sound.data)
    assert embedded(page.render(listening, source="a", bits=32)) == [clip.wav for clip in made]


def test_in_full_mode_clips_are_aligned_by_their_place():
    x = sc.Signal(np.array([[0.0, 1.0, 0.0, 0.0]]), sc.line(4, 8000))
    k = sc.Signal([1.0, 2.0, 4.0], sc.Domain(3, x.domain.step, -1, "s"))
    listening = hear.listen(x, [("k", k)], mode="full", match="none", guard=False)
    made, _, _ = clips.clips(listening, 32)
    assert made[0].data.tolist() == [[0, 0, 1, 0, 0, 0]] and made[1].data.tolist() == [[0, 1, 2, 4, 0, 0]]


def test_the_numbers_on_the_page():
    listening = heard(sound(2), "edge")
    content = page.render(listening, source="a.wav")
    take = listening.takes[0]
    assert f"× {take.gain:.9g}" in content and f"× {listening.gain:.9g}" in content
    assert f"total gain {take.gain:.9g}" in data_of(content)["clips"][1]["note"]
    for value in (take.loudness, listening.loudness, take.loudness + take.gain_db):
        assert f"{markup.signed(value)} LUFS" in content
    assert f"{markup.signed(take.true_peak)} dBTP" in content
    assert "0.5 samples (0.0227 ms) at every frequency" in content
    assert "22050 samples a second, 22050 of them" in content


def test_what_is_noted_is_shown():
    x = sound(6, 0.1)
    content = page.render(heard(x, "note"), source="a.wav")
    assert "complex: the real part is heard" in content and "Of up to 6 channels the first two" in content


def test_energy_delay_is_the_group_delay():
    line = sc.line(1, 8000)
    for k, want in [(sc.kernel("edge", line), 0.5), (sc.kernel("blur", line), 0.0), (sc.kernel("lowpass", line), 0.0),
                    (sc.Signal([0.0, 0.0, 3.0], sc.Domain(3, line.step, 1, "s")), 3.0)]:
        mean, everywhere = filters.delay(k)
        assert mean == pytest.approx(want, abs=1e-9) and everywhere
        delay = sc.spectrum.response(k, np.array([500.0, 1500.0])).delay * 8000
        assert np.allclose(delay[np.isfinite(delay)], want, atol=1e-6)
    k = sc.Signal([1.0, 0.5, 0.0, 0.25], sc.Domain(4, line.step, 0, "s"))
    mean, everywhere = filters.delay(k)
    r = sc.spectrum.response(k, np.linspace(0, 4000, 4001))
    energy = abs(r.gain) ** 2
    trapezoid = (energy * r.delay)[1:-1].sum() + (energy * r.delay)[[0, -1]].sum() / 2
    assert not everywhere and mean == pytest.approx(8000 * trapezoid / (energy[1:-1].sum() + energy[[0, -1]].sum() / 2), rel=1e-9)


@pytest.mark.parametrize("spec", ["edge", "lowpass:800", "echo:0.002"])
def test_the_response_drawn_is_the_response(spec):
    k = sc.kernel(spec, sc.line(1, 8000))
    at, level = filters.response_points(k)
    want = abs(sc.spectrum.response(k, at).gain)
    got = 10 ** (level[0] / 20)
    edges = np.sqrt(at[:-1] * at[1:])
    for i in range(1, len(at) - 1):  # what is drawn lies within what happens between the halves to the neighbours
        inside = abs(sc.spectrum.response(k, np.linspace(edges[i - 1] - 1, edges[i] + 1, 40)).gain)
        assert inside.min() - 0.05 * want.max() <= got[i] <= inside.max() + 0.05 * want.max()
    if spec == "edge":
        assert np.allclose(level[0], 20 * np.log10(2 * np.sin(np.pi * at / 8000)), atol=1e-9)


def test_a_narrow_peak_is_not_lost_between_the_points():
    k = sc.kernel("note:3500", sc.line(1, 44100))
    _, level = filters.response_points(k)
    assert level.max() == pytest.approx(20 * np.log10(abs(sc.spectrum.response(k, [3500.0]).gain[0])), abs=0.5)


def test_spectrograms_share_reference_and_find_the_tone():
    t = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * t)[None].astype("f4")
    cells = sounds.spectrogram_cells(tone, RATE, 300, 176)
    assert 10 ** (-1.43 / 20) <= cells.max() <= 1.01  # at most the scalloping of the Hann window
    row = 175 - int(cells[:, 150].argmax())
    low, high = (np.expm1(r / 176 * np.log1p(RATE / 2 / 700)) * 700 for r in (row - 1, row + 2))
    assert low < 1000 < high
    loud, soft = (sounds.spectrogram_png(c, 1.0) for c in (cells, cells / 100))
    assert loud != soft and sounds.spectrogram_png(cells, 1.0) == sounds.spectrogram_png(cells / 100, 0.01)


def test_a_click_is_not_lost_in_a_long_spectrogram():
    x = np.zeros((1, 60 * 8000), "f4")
    x[0, 123_456] = 1
    cells = sounds.spectrogram_cells(x, 8000, 300, 96)
    column = int(cells.max(axis=0).argmax())
    assert cells.shape[1] == 300 and cells.max() > 0 and column == pytest.approx(123_456 / 480_000 * 300, abs=1.5)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (64, 3), (1, 300), (9, 9, 3), (4, 5, 4)])
def test_png_reads_back_as_it_was(shape):
    from PIL import Image

    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, shape, dtype=np.uint8)
    smooth = np.cumsum(rng.integers(0, 3, shape), axis=0).astype(np.uint8)
    for each in (pixels, smooth, np.cumsum(smooth, axis=1).astype(np.uint8)):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(each)))), each)


def test_palette_png_reads_back():
    from PIL import Image

    index = np.arange(64, dtype=np.uint8).reshape(8, 8)
    image = Image.open(io.BytesIO(png(index, sounds.PALETTE)))
    assert np.array_equal(np.asarray(image), index)
    assert np.array_equal(np.asarray(image.convert("RGB")), sounds.PALETTE[index])


def test_an_image_is_shown_at_its_own_level():
    from PIL import Image

    x = sc.Signal(np.linspace(0, 1, 12).reshape(1, 3, 4), sc.grid(3, 4))
    url, size = figures.encode(figures.planes(x)[0].pixels, 1.0, False, 10_000)
    got = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))
    assert size == (3, 4) and np.array_equal(got, np.rint(x.data[0] * 255).astype(np.uint8))
    url, _ = figures.encode(figures.planes(-x)[0].pixels, 1.0, True, 10_000)
    got = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))
    assert got[0, 0] == 128 and got[-1, -1] == 0


def test_a_large_photograph_fits():
    x = sc.Signal(np.random.default_rng(0).random((3, 700, 900)).astype("f4"), sc.grid(700, 900))
    content = page.render(heard(x, "blur"), source="photo.png")
    clips_size = sum(len(u["src"]) for u in Elements(content).all("audio"))
    assert len(Elements(content).all("img")) >= 3 and len(content.encode()) - clips_size < 400_000


def test_a_volume_shows_three_slices_before_and_after():
    rng = np.random.default_rng(0)
    x = sc.Signal(rng.random((1, 6, 8, 10)), sc.grid(6, 8, 10, unit="mm"))
    content = page.render(heard(x, "blur"), source="brain.npy")
    captions = re.findall(r"<figcaption>([^<]*)</figcaption>", content)
    for where in ("z = 3 mm", "y = 4 mm", "x = 5 mm"):
        assert sum(where in c for c in captions) >= 3
    assert [c for c in captions if c.startswith("difference")]
    assert np.array_equal(figures.planes(x)[1].pixels, x.data[0, :, 4].astype(float))


def pixels(content, name):
    """The picture with this id, as an array."""
    from PIL import Image

    url = next(a["src"] for a in Elements(content).all("img") if a.get("id") == name)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


def test_the_length_of_a_bank_is_black_where_it_is_0_and_says_how_much_brighter_it_is():
    data = np.full((1, 64, 64), 0.5)
    data[:, :, 32:] += 0.12
    x = sc.Signal(data, sc.grid(64, 64))
    content = page.render(heard(x, "edge"), source="step.png")
    k = sc.kernel("edge", x.domain)
    length = np.sqrt((sc.convolve(x, k).data[0] ** 2).sum(axis=0))
    got = pixels(content, "seen-t1")
    assert got[40, 10] == 0 and length[40, 32] == pytest.approx(0.12)
    factor = int(re.search(r"after, the length of its 2 filters taken together, shown ×(\d+)<", content)[1])
    assert np.abs(got - np.clip(factor * length, 0, 1) * 255).max() <= 0.5 + 1e-9
    beyond = np.sum(factor * length > 1)
    assert beyond <= length.size / 50 < np.sum(2 * factor * length > 1)
    assert f"after, filter y, shown ×{factor}" in content and "Faint results are shown brighter" in content


def test_what_can_be_compared_stays_on_one_scale():
    x = sc.Signal(np.linspace(0.2, 0.3, 900).reshape(1, 30, 30), sc.grid(30, 30))
    content = page.render(heard(x, "blur"), source="faint.png")
    assert "shown ×" not in re.sub(r"<script.*?</script>", "", content, flags=re.DOTALL)
    assert np.abs(pixels(content, "seen-dry") - x.data[0] * 255).max() <= 0.5 + 1e-9
    assert np.abs(pixels(content, "seen-difference-t1") - 127.5).max() < 40


@pytest.mark.parametrize(("level", "factor"), [(0.9, 1), (0.5, 2), (0.49, 2), (0.2, 4), (1e-9, 64), (0.0, 1), (3.0, 1)])
def test_brighter_is_the_largest_power_of_two_that_fits(level, factor):
    assert figures.brighter([figures.Picture("", np.full((10, 10), -level))], 1.0) == factor
    assert figures.brighter([figures.Picture("", np.full((10, 10), 7 * level))], 7.0) == factor


def test_brighter_looks_past_one_value_in_50_but_not_past_the_only_ones():
    dots = np.zeros((100, 100))
    dots[:2] = 0.9  # 200 of 10000
    assert figures.brighter([figures.Picture("", np.maximum(dots, 0.1))], 1.0) == 8
    assert figures.brighter([figures.Picture("", dots)], 1.0) == 1


def test_neighbours_of_a_picture_rebuild_the_kernels():
    domain = sc.grid(40, 50)
    found = neighbours.pictured(domain, ("box",))
    assert [k["name"] for k in found] == ["blur", "sharpen", "edge", "laplace", "lowpass", "echo"]
    for entry in found:
        k = sc.kernel(entry["name"], domain)
        for passes, taps in zip(entry["filters"], k.data.reshape(-1, *k.domain.shape), strict=True):
            built = np.ones((1, 1))
            for each in passes:
                built = np.kron(built, unpack(each).reshape(each["shape"])) if 1 in built.shape else built
            assert np.allclose(built, taps, atol=1e-7 * abs(taps).max()), entry["name"]
            assert [sum(each["start"][i] for each in passes) for i in range(2)] == list(map(int, k.domain.start))
    assert {k["name"]: k["view"] for k in found} == {"blur": "plain", "sharpen": "plain", "edge": "length", "laplace": "grey",
                                                     "lowpass": "plain", "echo": "plain"}


def test_only_plain_pictures_have_neighbours():
    rng = np.random.default_rng(0)
    for data, domain in [(rng.random((1, 6, 8, 10)), sc.grid(6, 8, 10)), (rng.random((7, 9, 9)), sc.grid(9, 9)),
                         (rng.random((1, 9, 9)) - 0.5, sc.grid(9, 9)), (100 * rng.random((1, 9, 9)), sc.grid(9, 9))]:
        content = page.render(heard(sc.Signal(data, domain), "blur"), source="x")
        assert data_of(content)["neighbours"] == [] and "Try another kernel" not in content


def test_more_results_than_are_drawn_are_said():
    listening = hear.listen(TINY, [(f"k{i}", sc.Signal([1.0, i], sc.line(2, 8000))) for i in range(13)])
    content = page.render(listening, source="a")
    assert all(content.count(f"Drawn are the first 12 of 13 {what}") == 1 for what in ("results", "kernels"))
    twelve = page.render(hear.listen(TINY, [(f"k{i}", sc.Signal([1.0, i], sc.line(2, 8000))) for i in range(12)]), source="a")
    assert "Drawn are the first" not in twelve


def test_silence_is_not_said_to_be_matched():
    def notes(x, k):
        listening = hear.listen(x, [("k", sc.Signal(k, sc.Domain(len(k), x.domain.step, 0, "s")))])
        return [clip["note"] for clip in data_of(page.render(listening, source="a"))["clips"]]

    still = sc.Signal(np.zeros((1, 800), "f4"), sc.line(800, 8000))
    assert notes(still, [1.0])[0].startswith("Silence") and "silence, which has no level" in notes(still, [1.0])[1]
    assert "silence, which has no level" in notes(sound(), [0.0])[1] and "matched to the dry sound" in notes(sound(), [0.5])[1]
    assert "matched to the dry sound" in notes(sound(), [1.0])[1]
    flat = sc.Signal(np.full((1, 8000), 0.1), sc.line(8000, 8000))
    rounding = hear.listen(flat, [("k", sc.Signal([0.1 + 0.2, -0.3], sc.line(2, 8000)))], padding_mode="replicate")
    assert 0 < abs(rounding.takes[0].wet.data).max() < 1e-16
    assert "not matched: nothing in it can be heard" in data_of(page.render(rounding, source="a"))["clips"][1]["note"]


def test_changes_that_are_known_are_not_measured_again():
    content = page.render(heard(sound(), "edge"), source="a", changes=["louder <than> before"])
    assert "louder &lt;than&gt; before" in content
    listening = heard(sound(), "edge")
    known = [str(sc.study.changed(sound(), listening.takes[0].wet))]
    assert page.render(listening, source="a") == page.render(listening, source="a", changes=known)


def test_taps_travel_exactly_enough():
    rng = np.random.default_rng(0)
    rir = rng.standard_normal(20_000) * np.exp(-np.arange(20_000) / 2000)
    rir[0] = 50
    assert np.abs(unpack(neighbours.packed(rir)) - rir).max() < 50 / 32766
    assert np.abs(unpack(neighbours.packed(rir)) - rir)[64:].max() < 6e-5
    even = np.hanning(20_001) * np.cos(np.arange(-10_000, 10_001) / 7)
    assert neighbours.packed(even)["mirror"] and np.abs(unpack(neighbours.packed(even)) - even).max() < 2e-5
    sparse = np.zeros(40_000)
    sparse[[0, 11, 39_999]] = 1.0, 0.5, 0.25
    assert np.array_equal(unpack(neighbours.packed(sparse)), sparse) and len(neighbours.packed(sparse)["taps"]) == 16


def unpack(entry):
    raw = np.frombuffer(base64.b64decode(entry["taps"]), "<" + entry["type"]).astype(float)
    if "scales" in entry:
        raw *= np.repeat(np.frombuffer(base64.b64decode(entry["scales"]), "<f4").astype(float), entry["block"])[: len(raw)]
    taps = np.zeros(entry["n"])
    taps[entry.get("at", np.arange(len(raw)))] = raw
    if "mirror" in entry:
        taps[entry["n"] - len(raw):] = raw[::-1]
    return taps


def test_neighbours_are_those_of_the_issue_less_the_one_asked_for():
    content = page.render(heard(sound(), "blur"), source="a.wav")
    assert [k["name"] for k in data_of(content)["neighbours"]] == ["sharpen", "echo", "room", "lowpass", "note"]
    assert data_of(page.render(heard(sound(), "blur"), source="a.wav", neighbours=False))["neighbours"] == []
    entry = data_of(content)["neighbours"][3]
    k = sc.kernel("lowpass", sc.line(1, RATE))
    assert entry["start"] == k.domain.start[0] and np.allclose(unpack(entry), k.data, atol=1e-7)


def test_the_waveform_drawn_holds_every_peak():
    x = np.zeros(50_000)
    x[12_345] = 1
    path = svg.envelope(x, 1.0, 500)
    ys = [int(v) for v in re.findall(r",(-?\d+)", path)]
    assert min(ys) <= 0 and path.endswith("Z")


def test_without_takes_and_with_results_of_another_length():
    x = sound(1, 0.1)
    assert data_of(page.render(hear.listen(x, []), source="a.wav"))["takes"] == []
    for mode, n in (("full", 2205 + 999), ("valid", 2205)):
        k = sc.Signal(np.ones(1000), sc.Domain(1000, x.domain.step, 0, "s"))
        listening = hear.listen(x, [("k", k)], mode=mode)
        assert [len(wav) for wav in embedded(page.render(listening, source="a.wav"))] == [44 + 2 * n] * 2


def test_report_writes_all_or_nothing(tmp_path):
    target = tmp_path / "a.html"
    page.report(target, heard(sound(), "edge"), source="a.wav")
    before = target.read_bytes()
    with pytest.raises(sc.SigconvError):
        page.report(target, heard(sound(), "blur"), source="a.wav")
    assert target.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.html"]
    page.report(target, heard(sound(), "blur"), source="a.wav", overwrite=True)
    assert b"through blur" in target.read_bytes()
    with pytest.raises(sc.SigconvError, match="16"):
        page.render(heard(sound(), "edge"), source="a", bits=24)


def test_the_page_needs_no_torch_scipy_matplotlib():
    import subprocess
    import sys

    code = ("import sys, numpy as np, sigconv as sc; from sigconv import hear, page\n"
            "x = sc.Signal(np.sin(np.arange(4000)[None] / 9).astype('f4'), sc.line(4000, 8000))\n"
            "page.render(hear.listen(x, [('edge', sc.kernel('edge', x.domain))]), source='a')\n"
            "print([m for m in ('torch', 'scipy.signal', 'matplotlib', 'librosa', 'PIL') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Signal._repr_html_

def test_embed_plays_the_samples_at_their_own_level():
    for level in (0.001, 0.3, 3.0):
        x = sound(2, 0.2, level=level)
        content = page.embed.html(x)
        wav = embedded(content)[0]
        assert struct.unpack("<H", wav[20:22])[0] == 3
        assert np.array_equal(np.frombuffer(wav[-x.data.size * 4:], "<f4").reshape(-1, 2).T, x.data)
        assert ("will clip" in content) == (level > 1)
    assert x._repr_html_() == content


def test_embed_keeps_60_s_and_says_so():
    x = sc.Signal(np.zeros((1, 61 * 2000), "f4"), sc.line(61 * 2000, 2000))
    content = page.embed.html(x)
    assert len(embedded(content)[0]) < 44 + 60 * 2000 * 4 + 100 and "first 60 s" in content


@pytest.mark.parametrize("x", [
    sc.Signal(np.zeros((1, 0)), sc.line(0, 8000)), sc.Signal([1.0, -1.0], sc.line(2, 8000)), sc.Signal([[1.0]], sc.line(1, 8000)),
    sc.Signal(np.exp(1j * np.arange(500)), sc.line(500, 8000)), sc.Signal(np.full((1, 900), np.nan), sc.line(900, 8000)),
    sc.Signal(np.zeros((0, 100)), sc.line(100, 8000)), sc.Signal(np.arange(30).reshape(3, 10), sc.line(10, 1, unit="m")),
    sc.Signal(np.random.default_rng(0).random((3, 9, 9)), sc.grid(9, 9)), sc.Signal(np.eye(3) - 0.5, sc.grid(3, 3)),
    sc.Signal(np.zeros((1, 4, 5, 6)), sc.grid(4, 5, 6)), sc.Signal(np.zeros((7, 4, 5)), sc.grid(4, 5)),
    sc.Signal(np.full((4, 5), np.inf), sc.grid(4, 5)), sc.Signal(np.ones((2, 2, 4, 5)), sc.grid(4, 5)),
], ids=repr)
def test_embed_of_anything_is_whole_and_says_what_it_is(x):
    content = page.embed.html(x)
    elements = Elements(content)
    assert elements.open == [] and markup.text(repr(x), 500) in content
    assert "NaN" not in re.sub(r"<code>.*?</code>", "", content) and "nan," not in content
    assert not elements.all("script") and all(a.get("src", "data:").startswith("data:") for _, a in elements.found)


def test_embed_escapes_channel_names():
    x = sc.Signal(np.zeros((2, 4000), "f4"), sc.line(4000, 8000), ("<img src=x>", "b"))
    assert "<img" not in page.embed.html(x)


def test_embed_shows_an_image_with_its_own_grey():
    from PIL import Image

    x = sc.Signal(np.linspace(0.2, 0.4, 12).reshape(1, 3, 4), sc.grid(3, 4))
    url = Elements(page.embed.html(x)).all("img")[0]["src"]
    got = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))
    assert np.array_equal(got, np.rint(x.data[0] * 255).astype(np.uint8))


def test_spectrograms_are_seen_in_db_and_videos_as_frames():
    t = np.arange(4000) / 8000
    x = sc.Signal((np.sin(2 * np.pi * 1000 * t) + 0.001 * np.sin(2 * np.pi * 3000 * t))[None], sc.line(4000, 8000))
    content = page.embed.html(sc.spectrogram(x, hop=100))
    url = Elements(content).all("img")[0]["src"]
    from PIL import Image

    index = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))).astype(float)
    level = (index[:, 20] / (sounds.LEVELS - 1) - 1) * sounds.RANGE
    rows = len(level) - 1 - np.array([1000, 3000]) // 20  # the highest frequency stands first
    assert level[rows] == pytest.approx([0, -60], abs=1.5)
    assert "frequency 0 … 4000 Hz upwards, time 0 … 0.4875 s to the right" in content
    clip = sc.Signal(np.zeros((1, 12, 4, 5)), sc.Domain((12, 4, 5), (0.1, 1, 1), 0, ("s", "px", "px"), ("time", "y", "x")))
    assert [a["alt"] for a in Elements(page.embed.html(clip)).all("img")] == ["time = 0.2 s", "time = 0.6 s", "time = 1 s"]


def test_many_channels_are_seen_as_their_mean_up_to_the_largest_value():
    x = sc.Signal(0.01 * np.random.default_rng(4).random((60, 9, 8)), sc.grid(9, 8))
    found = figures.planes(x)
    assert [p.name for p in found] == ["mean of 60 channels", "channel 11", "channel 31", "channel 51"]
    assert np.allclose(found[0].pixels, x.data.mean(axis=0)) and np.array_equal(found[2].pixels, x.data[30])
    assert figures.full_scale(x) == x.data.max() and figures.full_scale(0.01 * sc.Signal(np.ones((3, 9, 8)), x.domain)) == 1
