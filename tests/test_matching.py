"""`sc.match`: cosines, their chance, events, in one to three dimensions."""

import json

import numpy as np
import pytest
from command import REAL
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc

RATE = 8000


def line(data, rate=RATE):
    data = np.asarray(data)
    return sc.Signal(data, sc.line(data.shape[-1], rate))


def box(data):
    data = np.asarray(data)
    return sc.Signal(data, sc.grid(*data.shape))


# Cosines.

@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 10**6), st.booleans(), st.integers(1, 3))
def test_scores_are_cosines(n, taps, seed, pair, stride):
    rng = np.random.default_rng(seed)
    x, h = rng.standard_normal(n), rng.standard_normal(taps) + 1j * pair * rng.standard_normal(taps)
    h = h if pair else h.real
    first = -((taps - 1) // 2)
    found = sc.match(line(x), sc.Signal(h, sc.line(taps, RATE, first)), stride=stride)
    wide = np.pad(x, taps)
    for i, t in enumerate(range(0, n, stride)):
        piece = wide[t + first + taps:][:taps]
        plane = np.linalg.qr(np.stack([h.real, h.imag], 1)[:, :1 + (pair and taps > 1)])[0]
        want = np.linalg.norm(plane.T @ piece) if pair else h @ piece / np.linalg.norm(h)
        assert abs(found.scores.data[0, i] - want / np.linalg.norm(piece)) < 1e-9
    assert found.scores.domain == sc.line(n, RATE).every(stride)
    assert ((found.p.data >= 0) & (found.p.data <= 1)).all() and ((found.chance.data > 0) & (found.chance.data <= 1)).all()


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("channels", [None, 3])
def test_a_copy_at_any_gain_is_one(d, channels):
    rng = np.random.default_rng(d)
    side = (7, 5, 3)[:d]
    lead = () if channels is None else (channels,)
    k = rng.standard_normal((*lead, *side))
    x = np.zeros((*lead, *(60, 9, 5)[:d]))
    gains = (1e-30, -1e-9, 1.0, -1e12)
    for i, gain in enumerate(gains):
        x[(..., slice(10 * i + 2, 10 * i + 9), *(slice(2, 2 + s) for s in side[1:]))] = gain * k
    grid = sc.Domain(side, 1 / 8 if d == 1 else 1, 0, "s" if d == 1 else "px")
    found = sc.match(sc.Signal(x, sc.Domain(x.shape[-d:], grid.step, 0, grid.unit)), [sc.Signal(k, grid)])
    at = found.scores.data[0]
    copies = [float(at[(10 * i + 2, *(2,) * (d - 1))]) for i in range(4)]
    assert copies == pytest.approx([1, -1, 1, -1], abs=1e-9)
    assert found.p.data[(0, 2, *(2,) * (d - 1))] == 0
    assert np.isfinite(at).all() and np.abs(at).max() <= 1


def test_a_pair_hears_any_phase():
    """Row 6: a quarter period later a simple cell changes its sign, a complex one nothing."""
    k = sc.kernels.note(sc.line(1, RATE), 500.0, 0.05)
    t = np.arange(2000) / RATE
    sine, quarter = (line(np.sin(2 * np.pi * 500 * t + turn)) for turn in (0, np.pi / 2))
    real = sc.Signal(k.data.real, k.domain)
    simple = [sc.match(x, real).scores.data[0, 998] for x in (sine, quarter)]  # an eighth of a period off its peak
    either = [sc.match(x, k).scores.data[0, 998] for x in (sine, quarter)]
    assert simple[0] == pytest.approx(-simple[1], rel=0.02) and abs(simple[0]) > 0.5
    assert either[0] == pytest.approx(either[1], rel=0.02) and either[0] == pytest.approx(np.hypot(*simple), rel=0.02)


def test_silence_is_zero_and_never_nan():
    for x in (np.zeros(50), np.r_[np.zeros(40), np.ones(4), np.zeros(40)]):
        found = sc.match(line(x), [line([1.0, 2.0, 3.0]), sc.kernels.note(sc.line(1, RATE), 900.0, 0.001)])
        for signal in (found.scores, found.p, found.chance):
            assert np.isfinite(signal.data).all()
        assert not found.scores.data[:, :30].any() and (found.p.data[:, :30] == 1).all()


@pytest.mark.parametrize("lead", [(3,), (3, 2)])
@pytest.mark.parametrize("pair", [False, True])
def test_a_few_places_are_every_stride_of_all(lead, pair):
    rng = np.random.default_rng(2)
    x = line(rng.standard_normal((2, 1000)))
    k = line(rng.standard_normal((*lead, 61)) + (1j * rng.standard_normal((*lead, 61)) if pair else 0)).at(-20)
    every, some = (sc.match(x, k, stride=s) for s in (1, 7))
    for a, b in ((every.scores, some.scores), (every.p, some.p), (every.chance, some.chance)):
        assert np.abs(a.data[..., ::7] - b.data).max() < 1e-9 and b.domain == x.domain.every(7)


@pytest.mark.parametrize("shape", [(0,), (1, 0), (1,), (2, 3)])
def test_next_to_nothing(shape):
    """No sample, one sample, a template longer than the signal, one of one tap."""
    x = line(np.ones(shape))
    for templates in (line([1.0]), line(np.arange(1.0, 6)), "note:1k,0.002"):
        found = sc.match(x, templates)
        assert found.scores.domain == x.domain and found.scores.value == ((2, 1) if shape == (2, 3) else (1,))
        assert np.isfinite(found.p.data).all() and np.isfinite(found.chance.data).all()
        assert len(found.events(threshold=0.5)) <= 3 * x.domain.size
    assert (sc.match(x, line([1.0])).p.data == 1).all()  # one tap lines up with anything


def test_centred_scores_are_scikit_images():
    match_template = pytest.importorskip("skimage.feature").match_template
    rng = np.random.default_rng(0)
    for shape, side in (((40, 50), (7, 9)), ((12, 14, 16), (3, 5, 4))):
        x = rng.random(shape) + 100
        k = x[tuple(slice(3, 3 + s) for s in side)]
        got = sc.match(box(x), box(k), centred=True).scores.data[0]
        want = match_template(x, k)
        assert np.abs(got[tuple(slice(n) for n in want.shape)] - want).max() < 1e-9
    flat = sc.match(box(np.full((9, 9), 7.0)), box([[1.0, 2.0], [3.0, 5.0]]), centred=True).scores.data
    assert not flat[0, :8, :8].any()


def test_channels_and_kinds_of_templates():
    rng = np.random.default_rng(1)
    stereo, mono = line(rng.standard_normal((2, 90))), line(rng.standard_normal((1, 90)))
    bank, lone = line(rng.standard_normal((2, 5))), line(rng.standard_normal(5))
    assert sc.match(mono, lone).scores.value == (1,)
    assert sc.match(mono, bank).scores.value == (2,) and sc.match(stereo, bank).scores.value == (2, 2)
    assert sc.match(stereo, [bank]).scores.value == (1,)
    layer = sc.Signal(bank.data[None], bank.domain)
    np.testing.assert_array_equal(sc.match(stereo, layer).scores.data, sc.match(stereo, [bank]).scores.data)
    found = sc.match(mono, {"a": lone, "b": line(rng.standard_normal(7)), "c": "note:1k,0.01"})
    assert found.scores.channels == ("a", "b", "c") and [t.pair for t in found.templates] == [False, False, True]
    same = sc.match(mono.to("torch"), lone)
    np.testing.assert_array_equal(same.scores.data, sc.match(mono, lone).scores.data)


@pytest.mark.parametrize("call, said", [
    (lambda x: sc.match(x, "pianoo"), "did you mean 'piano'"),
    (lambda x: sc.match(x, "piano:x"), "wanted a number in s"),
    (lambda x: sc.match(x, []), "no templates"),
    (lambda x: sc.match(x, 3), "a int as templates"),
    (lambda x: sc.match(x, line(np.zeros(5))), "not all 0"),
    (lambda x: sc.match(x, line(np.ones(5)), centred=True), "nor all the same"),
    (lambda x: sc.match(x, line(np.ones(5), 44100)), "resample"),
    (lambda x: sc.match(sc.Signal(x.data * 1j, x.domain), "note"), "complex"),
    (lambda x: sc.match(sc.Signal(x.data * np.nan, x.domain), "note"), "not finite"),
    (lambda x: sc.match(x.data, "note"), "wanted a Signal"),
    (lambda x: sc.match(x, [line(np.ones(5)), line(np.ones((1, 1, 5)))]), "match them apart"),
    (lambda x: sc.match(x, line(np.ones((1, 2, 5)))), "as many channels"),
    (lambda x: sc.match(sc.Signal(np.broadcast_to(0.0, (1, 2**24)), sc.line(2**24, RATE)), "piano"), "with stride="),
    (lambda x: sc.match(x, "note").events(p=2), "wanted a share"),
    (lambda x: sc.match(x, "note").events(across="time"), "across 'time'"),
])
def test_bad_input_is_one_line(call, said):
    with pytest.raises(sc.SigconvError, match=said) as caught:
        call(line(np.ones((1, 100))))
    assert "\n" not in str(caught.value)


# Chance.

def noises():
    rng = np.random.default_rng(7)
    n = 120_000
    yield "white", 16000, rng.standard_normal(n), 0.15
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    yield "pink", 16000, np.fft.irfft(spectrum, n), 0.3
    for name in ("running_tap", "exercise_bike"):
        if (REAL / f"noise/{name}.flac").exists():
            yield name, 16000, sc.load(REAL / f"noise/{name}.flac").data[0, :n], 0.3


@pytest.mark.parametrize("name, rate, x, most", list(noises()), ids=lambda v: v if isinstance(v, str) else "")
def test_one_in_a_thousand_is_one_in_a_thousand(name, rate, x, most):
    x, rng = line(x, rate), np.random.default_rng(8)
    speech = sc.resample(sc.load(sc.io.sample("speech")), rate).data[0]
    motifs = (rng.standard_normal(400), speech[8000:9600], speech[16000:20000], [1.0, -1.0, 0.5])
    rates = [100 * np.mean(sc.match(x, line(motif, rate), stride=3).p.data < 0.001) for motif in motifs]
    keys = 100 * np.mean(sc.match(x, "piano", stride=400).p.data < 0.001)
    assert max(keys, np.mean(rates)) <= most
    if name == "white":
        assert sum(rates) > 0.1  # p is no mere 1


def test_the_chance_level_of_white_noise_is_one_over_root_d():
    """Row 73: random directions have cosines of that size."""
    rng = np.random.default_rng(3)
    x = line(rng.standard_normal(60_000))
    for d in (2, 16, 256):
        found = sc.match(x, line(rng.standard_normal(d)))
        assert np.sqrt(np.mean(found.scores.data**2)) == pytest.approx(1 / np.sqrt(d), rel=0.1)
        assert np.sqrt(np.mean(found.chance.data**2)) == pytest.approx(1 / np.sqrt(d), rel=0.15)
        assert d < 16 or np.mean(np.abs(found.scores.data) > 4 / np.sqrt(d)) < 1e-3
    pair = sc.match(x, sc.kernels.note(x.domain, 1000.0, 0.05))
    assert np.sqrt(np.mean(pair.scores.data**2) / 2) == pytest.approx(1 / np.sqrt(399), rel=0.15)
    short = sc.match(x.between(0, 1.2), sc.kernels.note(x.domain, 1000.0, 0.05))  # too short for what lasts: the floor alone
    assert np.sqrt(np.mean(short.chance.data**2)) == pytest.approx(1 / np.sqrt(399), rel=0.25)


@pytest.mark.parametrize("d", [2, 3])
def test_chance_in_planes_and_volumes(d):
    rng = np.random.default_rng(d)
    x = box(rng.standard_normal((128, 160) if d == 2 else (24, 30, 36)))
    found = sc.match(x, box(rng.standard_normal((6, 7, 5)[:d])))
    assert 1e-5 < np.mean(found.p.data < 0.001) < 0.0015
    assert np.sqrt(np.mean(found.scores.data**2)) == pytest.approx(np.median(found.chance.data), rel=0.15)


# Events.

@pytest.mark.parametrize("seed", range(3))
def test_fifty_pulses_are_fifty_events(seed):
    """Row 94: jittered scores, at least a window apart: no doubles, runners-up on demand."""
    rng = np.random.default_rng(seed)
    k = rng.standard_normal(40) * np.hanning(40)
    starts = np.cumsum(rng.integers(40, 90, 50))
    x = 0.02 * rng.standard_normal(starts[-1] + 200)
    for s in starts:
        x[s: s + 40] += rng.uniform(0.3, 3) * k
    events = sc.match(line(x), [line(k), line(np.roll(k, 15)), line(np.repeat(k, 2))]).events(threshold=0.65)
    assert len(events) == 50 and {e.name for e in events} == {"template 1"}
    np.testing.assert_allclose([e.start * RATE for e in events], starts, atol=0.6)
    assert all(e.start == pytest.approx(e.at[0]) and e.stop - e.start == pytest.approx(40 / RATE) for e in events)
    assert any(e.beaten for e in events) and all(abs(b.score) <= abs(e.score) for e in events for b in e.beaten)


def test_fifty_blobs_in_a_picture_across_scales():
    rng = np.random.default_rng(4)
    image = 0.02 * rng.standard_normal((260, 260))
    like, size = sc.grid(1, 1), 2.0
    blob = sc.kernels.log(like, size)
    r = blob.domain.shape[0]
    places = [(y, x) for y in range(2, 250 - r, r + 6) for x in range(2, 250 - r, r + 6)][:50]
    for y, x in places:
        image[y: y + r, x: x + r] += rng.uniform(0.5, 2) * blob.data / np.abs(blob.data).max()
    found = sc.match(box(image), {"small": sc.kernels.log(like, 1.4), "right": blob, "large": sc.kernels.log(like, 2.8)})
    events = found.events(threshold=0.7)
    assert len(events) == len(places) == 50 and all(e.name == "right" for e in events)
    corners = [(e.extent[0][0], e.extent[1][0]) for e in events]
    assert {(round(y), round(x)) for y, x in corners} == set(places)


def test_what_competes_is_asked_for():
    t = np.arange(4000) / RATE
    chord = line(np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 660 * t))
    found = sc.match(chord, {"A4": "note:A4", "E5": "note:E5"}, stride=8)
    assert {e.name for e in found.events()} == {"A4", "E5"}
    assert len(found.events(across="all")) == 1
    flipped = sc.match(line(-np.r_[np.zeros(30), np.arange(9.0), np.zeros(30)]), line(np.arange(9.0)))
    assert not flipped.events(threshold=0.9) and flipped.events(threshold=0.9, either=True)[0].score == pytest.approx(-1)


def test_a_tone_is_one_event_and_two_strokes_are_two():
    t = np.arange(16000) / RATE
    held = np.where((t > 0.3) & (t < 1.5), np.sin(2 * np.pi * 440 * t), 0)
    event, = sc.match(line(held), "note:A4", stride=8).events()
    assert (event.start, event.stop) == pytest.approx((0.3, 1.5), abs=0.005)
    struck = sum(np.where(t > s, np.exp(-(t - s) / 0.15), 0) * np.sin(2 * np.pi * 440 * (t - s)) for s in (0.2, 0.9))
    assert [e.start for e in sc.match(line(struck), "note:A4", stride=8).events()] == pytest.approx([0.2, 0.9], abs=0.01)


# The chimes.

def melody(shift=0, tempo=1.0, full=False):
    """The chime of the samples, as its maker makes it, in another key and time: signal, {key: onset}."""
    import importlib

    make = importlib.import_module("sigconv_samples.make")
    notes = [(onset / tempo, pitch * 2 ** (shift / 12)) for onset, pitch in make.CHIME]
    n = round((2.6 if full else 1.5) * make.RATE / min(tempo, 1))
    if full:
        y = sum(np.array([[0.6], [0.8]]) * make.bell(on, pitch, n) for on, pitch in notes)
        chord = [make.string(0.0, pitch * 2 ** (shift / 12), n, decay=1.5, soft=2.5) for pitch in make.CHORD]
        y = y + np.array([[0.45], [0.22]]) * sum(chord)
        wet = np.stack([np.convolve(c, make.room(0.25, 0.05, s))[:n] for c, s in zip(y, (11, 12), strict=True)])
        y = 0.6 * y + 0.4 * wet
        y += 10 ** (-make.NOISE / 20) * np.sqrt(np.mean(y**2)) * np.random.default_rng(5).standard_normal(y.shape)
    else:
        y, ends = np.zeros((1, n)), [on for on, _ in notes[1:]] + [1.4 / tempo]
        for (on, pitch), end in zip(notes, ends, strict=True):
            t, first = make.after(on, n)
            envelope = np.clip(t / 0.003, 0, 1) * np.clip((end - on - t) / 0.01, 0, 1) * np.exp(-2 * t)
            y[0, first:] += envelope * np.sin(2 * np.pi * pitch * t)
    return sc.Signal(y, sc.line(n, make.RATE)), {round(69 + 12 * np.log2(pitch / 440)): on for on, pitch in notes}


def hears(x, want, low=0.0, high=1e9):
    """Whether the best four events are the wanted keys at the wanted times."""
    events = sc.match(x, "piano", stride=50).events().where(lambda e: low <= sc.scales.note_to_hz(e.name) <= high)
    got = {note.number: note.start for note in sc.matching.Events(events.best(4), events.extent).notes()}
    return got.keys() == want.keys() and max(abs(got[k] - want[k]) for k in want) < 0.02


def test_the_melody_of_the_samples():
    want = dict(zip((92, 87, 80, 82), (0.0, 0.263, 0.517, 0.781), strict=True))
    assert hears(sc.load(sc.io.sample("chime-dry")), want)
    assert hears(sc.load(sc.io.sample("chime")), want, 780, 1800)


def test_the_melody_in_other_keys_and_times():
    shifts, tempos = [*range(-7, 0), *range(1, 6)], [0.5, 2, 0.6, 1.8, 0.75, 1.5, 0.8, 1.25, 2, 0.5, 1, 1.7]
    right = [hears(*melody(shift, tempo)) for shift, tempo in zip(shifts, tempos, strict=True)]
    assert sum(right) == 12
    some = [hears(*melody(shift, tempo, full=True), 780 * 2 ** (shift / 12), 1800 * 2 ** (shift / 12))
            for shift, tempo in ((-6, 2), (-3, 0.75))]
    assert all(some)


def test_events_as_json_and_notes():
    found = sc.match(sc.load(sc.io.sample("chime-dry")), "piano", stride=50)
    told = json.loads(found.json())["events"]
    assert [e["name"] for e in told] == ["G♯6", "D♯6", "G♯5", "A♯5"]
    assert set(told[0]) >= {"start", "stop", "score", "p", "gain", "beaten"}
    notes = found.notes()
    assert [n.number for n in notes] == [92, 87, 80, 82] and max(n.velocity for n in notes) == 127
    with pytest.raises(sc.SigconvError, match="wanted names of notes"):
        sc.match(line(np.arange(9.0)), line([1.0, 2.0])).notes(threshold=0.1)


def test_a_midi_file_plays_the_notes():
    notes = [sc.matching.Note(69, "A4", -0.1, 0.6, 100), sc.matching.Note(71, "B4", 0.5, 2.0, 90)]
    data = sc.matching.midi(notes)
    assert data[:14] == b"MThd\0\0\0\6\0\0\0\1\1\xe0" and data[14:18] == b"MTrk" and int.from_bytes(data[18:22]) == len(data) - 22
    track, now, found, i = data[22:], 0, [], 0
    while track[i + 1] != 0xFF or track[i] != 0:
        delta = 0
        while True:
            byte = track[i]
            i, delta = i + 1, delta << 7 | byte & 127
            if byte < 128:
                break
        now += delta
        found.append((now / 960, *track[i: i + 3]))
        i += 3
    assert found == [(0, 0x90, 69, 100), (0.5, 0x80, 69, 64), (0.5, 0x90, 71, 90), (2.5, 0x80, 71, 64)]
    assert track[i:] == b"\x00\xff\x2f\x00"
