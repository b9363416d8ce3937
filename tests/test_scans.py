"""Everything to sound: rows that come back as they went, pictures whose columns are times and whose rows are pitches."""

import io
import json
import struct
import warnings

import numpy as np
import pytest
from command import REAL
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv import hear
from sigconv.hear import additive, labels, raster
from sigconv.hear.raster import RASTER

RGB, YX = ("R", "G", "B"), ("y", "x")
needs = {name: pytest.mark.skipif(not (REAL / name).exists(), reason="needs the real data")
         for name in ("images/camera.png", "images/coffee.png", "volume/mni152_t1_2mm.npy")}


def image(data, **options):
    data = np.asarray(data, float)
    return sc.Signal(data, sc.grid(*data.shape[-2:]), **options)


def saved(x, subtype=None, how="rows", gain=1.0, **options):
    """The WAV of a scan, as bytes."""
    file = io.BytesIO()
    sc.io.write(file, hear.scan(x, how, **options) * gain, ".wav", subtype, hear.label(x, how, gain=gain, **options))
    return file.getvalue()


@pytest.fixture
def there_and_back(tmp_path):
    def go(x, subtype=None, gain=1.0, **options):
        (tmp_path / "x.wav").write_bytes(saved(x, subtype, gain=gain, **options))
        return hear.unscan(tmp_path / "x.wav")
    return go


# Rows.


def video():
    t, y, x = np.mgrid[:7, :9, :12]
    frames = np.stack([(t * 30 + y * 5 + x) % 256, (x * 20 + t) % 256, (y * 25) % 256]) / 255
    return sc.Signal(frames.astype("float32"), sc.Domain((7, 9, 12), (0.04, 1, 1), 0, ("s", "px", "px"),
                                                         ("time", "y", "x")), "RGB")


DRAWN = {"grey, odd sizes": (lambda: image(np.random.default_rng(0).integers(0, 256, (1, 33, 47)) / 255), 255),
         "16 bits": (lambda: image(np.arange(65536).reshape(1, 256, 256) / 65535), 65535),
         "video": (video, 255),
         "a scale in mm": (lambda: sc.Signal(np.arange(24).reshape(1, 2, 3, 4) / 30, sc.grid(2, 3, 4, step=2, unit="mm")), 255),
         "a line of nm": (lambda: sc.Signal(np.linspace(0.2, 0.7, 50)[None], sc.line(50, 0.5, 400, "nm")), 255),
         "two axes of value": (lambda: image(np.random.default_rng(1).random((3, 2, 5, 4)) - 0.5, channels=[RGB, YX]), 255)}


@pytest.mark.parametrize("subtype", [None, "PCM_16"])
@pytest.mark.parametrize("name", DRAWN)
def test_a_wav_loads_back_to_what_was_scanned_within_one_grey_level(name, subtype, there_and_back):
    make, full = DRAWN[name]
    x = make()
    for along in (None, *x.domain.name, -1):
        y = there_and_back(x, subtype, along=along, colours="channels")
        assert y.domain == x.domain and y.domain.name == x.domain.name and y.value == x.value and y.names == x.names
        assert np.abs(y.data - x.data).max() < 1 / full
        if subtype is None and along is None:
            assert np.abs(y.data - x.data).max() <= 2 ** -24


@pytest.mark.parametrize("subtype", [None, "PCM_16"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=mark) for name, mark in needs.items()])
def test_real_pictures_and_volumes_load_back_within_one_grey_level(name, subtype, there_and_back):
    x = sc.load(REAL / name)
    for along in x.domain.name:
        y = there_and_back(x, subtype, along=along)
        assert y.domain == x.domain and y.names == x.names and y.data.dtype == np.float32
        assert np.abs(y.data - x.data).max() < 1 / 255
        assert np.array_equal(np.rint(y.data * 255), np.rint(x.data * 255))


def test_the_projects_own_pictures_load_back(there_and_back):
    for name in ("image", "volume", "video"):
        try:
            x = sc.load(sc.io.sample(name))
        except sc.SigconvError:
            pytest.skip(f"no sample {name}")
        assert np.abs(there_and_back(x).data - x.data).max() < 2e-7


@given(st.data())
def test_any_signal_comes_back_from_its_scan_and_its_label(data):
    ndim = data.draw(st.integers(1, 3))
    shape = data.draw(st.tuples(*[st.integers(1, 6)] * ndim))
    value = data.draw(st.sampled_from([(), (1,), (3,), (2,), (2, 3)]))
    grid = sc.Domain(shape, [data.draw(st.sampled_from([1, 0.5, 2, 1 / 3])) for _ in shape],
                     [data.draw(st.integers(-5, 5)) for _ in shape], data.draw(st.sampled_from(["px", "mm"])))
    x = sc.Signal(np.random.default_rng(0).standard_normal((*value, *shape)), grid,
                  [tuple(f"é{i}" for i in range(n)) for n in value] if data.draw(st.booleans()) and value else None)
    along, gain = data.draw(st.integers(-ndim, ndim - 1)), data.draw(st.sampled_from([1.0, -0.25, 3.7]))
    grey = data.draw(st.sampled_from([None, 0.0, 0.3]))
    sound = hear.scan(x, along=along, colours="channels", grey=grey) * gain
    assert sound.rate == RASTER and sound.value == (max(int(np.prod(value)), 1),)
    how = labels.parsed(hear.label(x, along=along, colours="channels", grey=grey, gain=gain))
    y = how.write(sound)
    assert y.domain == x.domain and y.names == x.names and np.allclose(y.data, x.data, rtol=0, atol=1e-14)
    z = hear.unscan(sound, x.domain, grey=how.grey, gain=gain, along=along, value=x.value, names=x.names)
    assert np.array_equal(z.data, y.data) and z.names == x.names


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_a_scan_is_the_rows_less_grey(c, h, w):
    rng = np.random.default_rng(h * w)
    a = rng.random((c, h, w))
    x = hear.scan(image(a))
    assert x.value == (c,) and x.rate == RASTER and np.array_equal(x.data, a.reshape(c, -1) - 0.5)
    assert np.allclose(hear.scan(image(a), colours="mean").data[0], a.mean(0).ravel() - 0.5, atol=1e-15)
    loud = hear.scan(image(a * 300)).data  # no picture in 0 … 1: its mean is silence
    assert np.allclose(loud, (a * 300 - (a * 300).mean((1, 2), keepdims=True)).reshape(c, -1), atol=1e-11)
    assert np.array_equal(hear.scan(image(a), grey=0.1).data, a.reshape(c, -1) - 0.1)
    assert np.array_equal(hear.scan(image(a), grey=np.arange(c) / 8).data, a.reshape(c, -1) - np.arange(c)[:, None] / 8)


def test_the_axis_that_is_read_slice_by_slice_is_the_slow_one():
    v = np.random.default_rng(0).random((1, 3, 4, 5))
    x = sc.Signal(v, sc.grid(3, 4, 5))
    for axis, name in enumerate(("z", "y", "x")):
        want = np.moveaxis(v[0], axis, 0).ravel() - 0.5
        assert np.array_equal(hear.scan(x, along=name).data[0], want)
        assert np.array_equal(hear.scan(x, along=axis - 3).data[0], want)
    assert np.array_equal(hear.scan(image(v[:, 0]), along="x").data[0], v[0, 0].T.ravel() - 0.5)
    for wrong in ("t", 3, -4, 1.5, True):
        with pytest.raises(sc.SigconvError, match=r"along .*wanted z, y, x"):
            hear.scan(x, along=wrong)


def test_a_scan_of_a_convolution_is_the_convolution_of_what_was_scanned():
    rng = np.random.default_rng(0)
    x, k = image(rng.random((1, 30, 40))), sc.Signal(rng.standard_normal((3, 5)), sc.grid(3, 5).centre())
    inner = hear.scan(sc.convolve(x, k, mode="valid"), grey=0.5 * k.data.sum())
    want = sc.convolve(image(x.data - 0.5), k, mode="valid")
    assert np.allclose(inner.data, want.data.reshape(1, -1), atol=1e-13)


def test_colours_stay_channels_or_become_one_and_alpha_is_left_out():
    rng = np.random.default_rng(0)
    rgba = image(rng.random((4, 6, 5)), channels="RGBA")
    assert hear.scan(rgba).channels == RGB and np.array_equal(hear.scan(rgba).data, rgba.data[:3].reshape(3, -1) - 0.5)
    assert np.allclose(hear.scan(rgba, colours="mean").data[0], rgba.data[:3].mean(0).ravel() - 0.5)
    grey = image(rng.random((2, 6, 5)), channels="YA")
    assert np.array_equal(hear.scan(grey).data, grey.data[:1].reshape(1, -1) - 0.5)
    both = hear.scan(sc.Signal(rng.random((3, 2, 6, 5)), sc.grid(6, 5), [RGB, YX]))  # gradients left and right
    assert both.value == (2,) and both.channels == ("y", "x")
    many = image(rng.random((7, 6, 5)))
    assert hear.scan(many).value == (1,) and hear.scan(many, colours=0).value == (7,)
    for wrong in ("means", 2, -1, True):
        with pytest.raises(sc.SigconvError, match=r"colours .*wanted 'mean', 'channels'"):
            hear.scan(rgba, colours=wrong)


def test_what_is_long_is_thinned_and_said_and_can_not_come_back(tmp_path):
    whole = image(np.broadcast_to(0.25, (1, 1000, 1300)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hear.scan(whole).domain.shape == (1300 * 1000,)
    big = image(np.broadcast_to(0.25, (1, 1100, 1300)))
    with pytest.warns(sc.SigconvWarning, match="only every second row is read: the scan has no inverse"):
        thin = hear.scan(big)
    assert thin.domain.shape == (550 * 1300,) and hear.scan(big, longest=None).domain.shape == (1100 * 1300,)
    assert "only every second row is read" in hear.legend(big.domain) and "only" not in hear.legend(big.domain, longest=60)
    sc.save(thin, tmp_path / "thin.wav", comment=hear.label(big))
    with pytest.raises(sc.SigconvError, match=r"thin\.wav: a scan of which only every second row is read.*longest=None"):
        hear.unscan(tmp_path / "thin.wav")
    with pytest.raises(sc.SigconvError, match=r"1 channel of 1430000 samples.*thinned"):
        hear.unscan(thin, big.domain)
    assert hear.legend(sc.grid(200, 256, 320), along="z") == \
        "slice by slice along z, 44100 samples a second: 1.86 s a slice, 29.7 s; only every 13th slice is read"
    volume = sc.Signal(np.zeros((1, 10, 15, 20)), sc.grid(10, 15, 20))
    with pytest.warns(sc.SigconvWarning, match="every 10th slice and of it every second row"):
        assert hear.scan(volume, longest=160 / RASTER).domain.shape == (8 * 20,)
    with pytest.raises(sc.SigconvError, match="longest 0: wanted seconds"):
        hear.scan(volume, longest=0)


def test_what_is_no_such_scan_is_refused_in_one_line():
    x = image(np.random.default_rng(0).random((1, 4, 5)))
    s = hear.scan(x)
    with pytest.raises(sc.SigconvError, match="wanted 1 channel of 30 samples"):
        hear.unscan(s, sc.grid(5, 6))
    with pytest.raises(sc.SigconvError, match="no grey for a grid in mm×mm"):
        hear.unscan(s, sc.grid(4, 5, unit="mm"))
    for gain in (0, float("nan"), "1"):
        with pytest.raises(sc.SigconvError, match=r"gain .*wanted a finite number other than 0"):
            hear.unscan(s, x.domain, gain=gain)
    with pytest.raises(sc.SigconvError, match="NoneType as domain"):
        hear.unscan(s)
    for grey in ("light", [0.1, 0.2, 0.3], float("inf"), float("nan")):
        with pytest.raises(sc.SigconvError, match=r"grey .*wanted"):
            hear.scan(x, grey=grey)
    with pytest.raises(sc.SigconvError, match="seconds, low or high of a scan by rows"):
        hear.scan(x, seconds=3)
    with pytest.raises(sc.SigconvError, match="scan 'row': wanted rows, spectrum; did you mean 'rows'"):
        hear.scan(x, "row")
    with pytest.raises(sc.SigconvError, match="a list to be scanned: wanted a Signal"):
        hear.scan([1, 2])


# The comment.


def test_the_comment_is_the_usual_one_and_the_samples_are_those_without_it(tmp_path):
    import soundfile

    x = sc.Signal(np.linspace(-1, 1, 7)[None], sc.line(7, 8000))
    for comment in ("hello", "even", "Grüße, 日本", "a" * 65535):
        sc.save(x, tmp_path / "x.wav", True, comment=comment)
        if len(comment) < 1000:
            with soundfile.SoundFile(tmp_path / "x.wav") as file:
                assert file.comment == comment
        assert sc.io.info(tmp_path / "x.wav")["comment"] == comment
        text = comment.encode() + b"\0"
        assert b"ICMT" + struct.pack("<I", len(text)) + text in (tmp_path / "x.wav").read_bytes()
        assert np.array_equal(sc.load(tmp_path / "x.wav").data, x.data.astype("float32"))
        assert struct.unpack("<I", (tmp_path / "x.wav").read_bytes()[4:8])[0] == (tmp_path / "x.wav").stat().st_size - 8
    with pytest.raises(sc.SigconvError, match="a comment of 65536 characters"):
        sc.save(x, tmp_path / "y.wav", comment="a" * 65536)
    assert not (tmp_path / "y.wav").exists()
    sc.save(x, tmp_path / "none.wav")
    assert sc.io.info(tmp_path / "none.wav")["comment"] is None and b"LIST" not in (tmp_path / "none.wav").read_bytes()
    sc.save(x, tmp_path / "x.flac", comment="left out")
    assert sc.io.info(tmp_path / "x.flac")["comment"] is None


def riff(*chunks):
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(raw) if size is None else size) + raw + b"\0" * (len(raw) % 2)
                              for name, raw, size in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


FMT = (b"fmt ", struct.pack("<HHIIHH", 1, 1, 44100, 88200, 2, 16), None)
DATA = (b"data", bytes(8), None)


def note(raw, size=None):
    return b"ICMT" + struct.pack("<I", len(raw) if size is None else size) + raw + b"\0" * (len(raw) % 2)


@pytest.mark.parametrize(("chunks", "comment"), [
    ([FMT, DATA, (b"LIST", b"INFO" + note(b"after\0"), None)], "after"),
    ([FMT, (b"LIST", b"INFO" + b"ISFT" + struct.pack("<I", 3) + b"abc\0" + note(b"second"), None), DATA], "second"),
    ([FMT, (b"LIST", b"adtl" + note(b"no"), None), DATA], None),
    ([FMT, (b"LIST", b"INFO" + note(b"long", 2**31), None), DATA], None),
    ([FMT, (b"LIST", b"INFO" + note(b"x", 900), None), DATA], None),
    ([FMT, (b"LIST", b"IN", None), DATA], None),
    ([FMT, (b"LIST", b"INFO" + note(b"\xff\xfe bytes"), None), DATA], "\ufffd\ufffd bytes"),
    ([FMT, (b"LIST", b"INFO" + note(b"a" * 200000), None), DATA], None)])
def test_damaged_lists_are_no_comment_and_leave_the_sound_alone(chunks, comment, tmp_path):
    (tmp_path / "x.wav").write_bytes(riff(*chunks))
    assert sc.io.info(tmp_path / "x.wav")["comment"] == comment
    assert sc.load(tmp_path / "x.wav").domain.shape == (4,)


GOOD = json.loads(hear.label(image(np.zeros((1, 4, 5)))))
BAD = [{"shape": [4]}, {"shape": [4, -5]}, {"shape": [2**40, 5]}, {"shape": [4.0, 5]}, {"shape": "45"}, {"shape": [[4], [5]]},
       {"shape": [True, 20]}, {"step": ["1e999999999", "1"]}, {"step": ["1/0", "1"]}, {"step": ["0", "1"]}, {"step": [1, 1]},
       {"start": ["x", "0"]}, {"unit": 5}, {"unit": ["px"]}, {"name": [None, "x"]}, {"value": [2**30]}, {"value": [-1]},
       {"value": None}, {"along": 7}, {"along": "z"}, {"along": None}, {"every": [0, 1]}, {"every": [1]}, {"grey": "grey"},
       {"grey": [1, 2, 3]}, {"grey": float("nan")}, {"grey": None}, {"gain": 0}, {"gain": float("inf")}, {"gain": "exit()"},
       {"gain": None}, {"names": 5}, {"names": [["R", "G"]]}, {"names": [[1]]}, {"names": {"a": 1}}, {"how": "rose"}, {"how": []},
       {"sigconv": 1}]
TEXTS = ["", "{", "[]", "null", "Recorded by Bob", "[" * 100000, "{" + '"a":' * 5000, "1" * 10000, '{"sigconv": "scan"}',
         "\x00\x1b[31m", json.dumps({"sigconv": "scan", "how": "rows"} | {"shape": [1] * 9})]


@pytest.mark.parametrize("comment", [*({**GOOD, **bad} for bad in BAD), *TEXTS], ids=lambda c: str(c)[:40])
def test_a_malicious_or_damaged_comment_gives_one_line(comment, tmp_path):
    text = comment if isinstance(comment, str) else json.dumps(comment)
    sc.save(hear.scan(image(np.zeros((1, 4, 5)))), tmp_path / "x.wav", comment=text[:65000])
    with pytest.raises(sc.SigconvError) as caught:
        hear.unscan(tmp_path / "x.wav")
    said = str(caught.value)
    assert "\n" not in said and "x.wav: " in said and len(said) <= 500 and said.isprintable()
    assert "comment" in said or "channel" in said


@given(st.text(max_size=40), st.integers(0, 300), st.integers(0, 300))
def test_a_label_with_some_of_it_overwritten_is_read_or_refused(junk, first, length):
    text = json.dumps(GOOD)
    try:
        labels.parsed(text[:first] + junk + text[first + length:]).write(hear.scan(image(np.zeros((1, 4, 5)))))
    except sc.SigconvError as why:
        assert "\n" not in str(why)


def test_a_scan_by_spectrum_has_no_way_back(tmp_path):
    (tmp_path / "x.wav").write_bytes(saved(image(np.eye(9)[None]), how="spectrum", seconds=0.1))
    with pytest.raises(sc.SigconvError, match="a scan by spectrum, which has no inverse; wanted one by rows"):
        hear.unscan(tmp_path / "x.wav")
    told = json.loads(sc.io.info(tmp_path / "x.wav")["comment"])
    assert (told["low"], told["high"], told["column"]) == (110, 14080, 490)


# The spectrum.


def by_definition(a, samples, low, high, width):
    """The sum as it stands in the module, one oscillator and one column after the other."""
    rows, columns = a.shape
    f = high * (low / high) ** (np.arange(rows) / max(rows - 1, 1))
    any_phase = np.random.default_rng(1770).random(rows)
    n = np.arange(columns * samples)
    out = np.zeros(len(n))
    before = np.column_stack([a[:, 1:4].min(1) if columns > 1 else np.zeros(rows), a[:, :-1]])
    attack = a - before > a.max() / 4
    for c in sorted({*range(0, columns, width), *range(width - 1, columns, width)}):
        lit = a[attack[:, c], c]
        attack[:, c] &= len(lit) > 0 and lit.max() - lit.min() <= 0.01 * lit.max()
    for r in range(rows):
        last = None
        for c in range(columns):
            last = c if attack[r, c] else last
            t = n - (c * samples + samples // 2)
            w = np.where(np.abs(t) < samples, 0.5 + 0.5 * np.cos(np.pi * t / samples), 0)
            phase = f[r] * (t + (c - (last or 0)) * samples) / RASTER + (any_phase[r] if last is None else 0)
            out += 0.25 / np.sqrt(rows) * w * a[r, c] * np.cos(2 * np.pi * phase)
    return out


@pytest.mark.parametrize("block", [additive.BLOCK, 7])
@pytest.mark.parametrize("slices", [0, 3])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 6), (7, 1), (5, 9), (8, 3)])
def test_the_scan_is_the_sum_of_its_oscillators_whatever_the_blocks(rows, columns, slices, block, monkeypatch):
    monkeypatch.setattr(additive, "BLOCK", block)
    width, columns = columns, columns * max(slices, 1)
    a = np.random.default_rng(rows).random((rows, columns)) ** 3
    pictures = sc.Signal(np.stack(np.split(a, slices, 1)), sc.grid(slices, rows, width)) if slices else image(a[None])
    got = hear.scan(pictures, "spectrum", seconds=columns * 41 / RASTER, low=200, high=9000)
    got = got if got.value else sc.Signal(got.data[None], got.domain)
    want = by_definition(a, 41, 200, 9000, width)
    inside = slice(20, columns * 41 - 20)
    assert got.domain == sc.line(columns * 41, RASTER) and np.abs(got.data[0, inside] - want[inside]).max() < 1e-12
    assert np.all(np.abs(got.data[0]) <= np.abs(want) + 1e-12) and abs(got.data[0, 0]) < 1e-12  # the ends fade


def cents(got, wanted):
    return 1200 * np.log2(got / wanted)


@pytest.mark.parametrize("row", [0, 1, 60, 128, 199])
def test_a_horizontal_line_is_one_steady_tone_at_its_stated_frequency(row):
    a = np.zeros((1, 200, 300))
    a[0, row] = 1
    x = hear.scan(image(a), "spectrum")
    f = hear.pitches(x_domain := sc.grid(200, 300)).frequencies[row]
    assert f == pytest.approx(14080 * 2 ** (-7 * row / 199), rel=1e-12)
    edge = x.domain.shape[0] // 300  # a column at either end
    inner = x.data[0, edge:-edge]
    t = np.arange(edge, edge + len(inner)) / RASTER
    both = np.stack([np.cos(2 * np.pi * f * t), np.sin(2 * np.pi * f * t)], 1)
    fit, *_ = np.linalg.lstsq(both, inner, rcond=None)
    assert np.hypot(*fit) == pytest.approx(0.25 / np.sqrt(200), rel=1e-6)  # its stated amplitude
    assert np.abs(both @ fit - inner).max() < 1e-9  # and nothing else: no other tone, no flutter from column to column
    wide = np.abs(np.fft.rfft(inner * np.hanning(len(inner)), 1 << 20))
    assert abs(cents(np.argmax(wide) * RASTER / (1 << 20), f)) < 5
    assert "110 … 14080 Hz" in hear.legend(x_domain, "spectrum")


@pytest.mark.parametrize("background", [0.0, 0.5])
@pytest.mark.parametrize("size", [(200, 300), (320, 40), (40, 700)])
def test_a_vertical_line_is_a_click_at_the_time_of_its_column(size, background):
    grid = sc.grid(*size)
    for column in (0, 1, size[1] // 3, size[1] - 2, size[1] - 1):
        a = np.full((1, *size), background)
        a[0, :, column] = 1
        x = hear.scan(sc.Signal(a, grid), "spectrum")
        at = np.argmax(np.abs(x.data[0])) / RASTER
        assert abs(at - hear.pitches(grid).times[column]) < 0.001, column
        peak = 0.25 * np.sqrt(size[0])
        assert np.abs(x.data).max() == pytest.approx(peak, rel=1e-6) if not background else np.abs(x.data).max() > 0.9 * peak


def test_a_line_of_three_columns_at_the_left_edge_clicks_in_its_first():
    a = np.zeros((1, 60, 100))
    a[0, :, :3] = 0.8
    x = np.abs(hear.scan(image(a), "spectrum").data[0])
    assert abs(np.argmax(x) / RASTER - hear.pitches(sc.grid(60, 100)).times[0]) < 0.001
    assert x.max() == pytest.approx(0.8 * 0.25 * np.sqrt(60))


def test_several_lines_are_several_clicks_and_tones():
    a = np.zeros((1, 150, 400))
    a[0, :, [50, 200, 330]] = 1
    a[0, [20, 90]] = 1
    grid = sc.grid(150, 400)
    x, (times, hertz) = hear.scan(sc.Signal(a, grid), "spectrum"), hear.pitches(grid)
    size = np.abs(x.data[0])
    for column in (50, 200, 330):
        near = np.flatnonzero(np.abs(np.arange(len(size)) / RASTER - times[column]) < 0.03)
        assert abs(near[np.argmax(size[near])] / RASTER - times[column]) < 0.001
    quiet = x.data[0, int((times[60]) * RASTER): int(times[190] * RASTER)]
    spectrum = np.abs(np.fft.rfft(quiet * np.hanning(len(quiet)), 1 << 19))
    for row in (20, 90):
        near = np.flatnonzero(np.abs(cents(np.maximum(np.arange(len(spectrum)), 1) * RASTER / (1 << 19), hertz[row])) < 100)
        assert abs(cents(near[np.argmax(spectrum[near])] * RASTER / (1 << 19), hertz[row])) < 5


def octaves(x):
    """Energy in each of the seven octaves from 110 Hz, the highest first."""
    power = np.abs(np.fft.rfft(x.data[0].astype(float))) ** 2
    hz = np.arange(len(power)) * RASTER / x.domain.shape[0]
    return np.array([power[(hz >= 7040 / 2**k) & (hz < 14080 / 2**k)].sum() for k in range(7)])


@needs["images/camera.png"]
def test_the_spectrum_of_a_photograph_follows_its_rows_and_shuffled_rows():
    camera = sc.load(REAL / "images/camera.png")
    bands = np.array_split(np.arange(511), 7)
    blocks = np.arange(512).reshape(16, 32)[np.random.default_rng(3).permutation(16)]
    orders = [np.arange(512), np.arange(512)[::-1], blocks.ravel()]
    for order in orders:
        x = sc.Signal(camera.data[:, order], camera.domain)
        want = np.array([(x.data[0, b].astype(float) ** 2).sum() for b in bands])
        got = octaves(hear.scan(x, "spectrum"))
        off = 10 * np.log10((got / got.sum()) / (want / want.sum()))
        assert np.abs(off[:-1]).max() < 1, off  # dB
        assert abs(off[-1]) < 3, off  # 16 cents apart are 1 Hz at 110 Hz: neighbours beat slower than the picture lasts
    assert np.argmax(octaves(hear.scan(camera, "spectrum"))) != np.argmax(got)


@pytest.mark.parametrize("name", ["camera.png", "coffee.png", "brick.png", "coins.png", "china.jpg"])
def test_photographs_are_about_as_loud_as_speech_and_do_not_clip(name):
    if not (REAL / "images" / name).exists():
        pytest.skip("needs the real data")
    x = hear.scan(sc.load(REAL / "images" / name), "spectrum")
    assert -26 < hear.loudness(x) < -14 and np.abs(x.data).max() < 1 and abs(x.data.mean()) < 1e-3
    assert 4 <= x.domain.extent[0][1] <= 6.01 and x.value == (1,)
    assert np.abs(x.data[:, :4410]).max() < 0.5  # it does not begin with a bang


@needs["images/camera.png"]
@pytest.mark.parametrize("kernel", ["edge", "laplace"])
def test_what_zeros_beyond_the_ends_make_of_a_photograph_is_no_click(kernel):
    camera = sc.load(REAL / "images/camera.png")
    x = hear.scan(sc.convolve(camera, sc.kernel(kernel, camera.domain)), "spectrum", colours=1)
    size = np.abs(x.data).max(0)
    inner = size[4410:-4410].max()
    assert max(size[:882].max(), size[-882:].max()) < max(inner, 0.3)


def test_it_is_the_magnitude_of_the_mean_of_the_colours_and_grows_with_it():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, 20, 30))
    x = hear.scan(image(a), "spectrum", seconds=0.3)
    assert np.allclose(x.data, hear.scan(image(np.abs(a.mean(0, keepdims=True))), "spectrum", seconds=0.3).data, atol=1e-12)
    assert np.allclose(hear.scan(image(-3 * a), "spectrum", seconds=0.3).data, 3 * x.data, atol=1e-12)
    assert np.allclose(hear.scan(sc.Signal(1j * a, sc.grid(20, 30)), "spectrum", seconds=0.3).data, x.data, atol=1e-12)
    bank = sc.Signal(np.stack([a, 2 * a], 1), sc.grid(20, 30), [None, ("y", "x")])
    both = hear.scan(bank, "spectrum", seconds=0.3)
    assert both.channels == ("y", "x") and np.allclose(both.data, x.data * [[1], [2]], atol=1e-12)
    rgba = image(rng.random((4, 20, 30)), channels="RGBA")
    assert np.allclose(hear.scan(rgba, "spectrum").data, hear.scan(image(rgba.data[:3]), "spectrum").data, atol=1e-12)
    assert not hear.scan(image(np.zeros((1, 20, 30))), "spectrum").data.any()


def test_slices_each_have_their_share_of_the_time():
    for axis, name in enumerate(("z", "y", "x")):
        v = np.zeros((6, 8, 10))
        v[(slice(None),) * axis + (4,)] = 1
        x = hear.scan(sc.Signal(v, sc.grid(6, 8, 10)), "spectrum", along=name, seconds=3)
        share = x.data.shape[1] / v.shape[axis]
        loud = np.flatnonzero(np.abs(x.data[0]) > 1e-3)
        column = share / (10 if axis < 2 else 8)
        assert abs(loud[0] - 4 * share) < column and abs(loud[-1] - 5 * share) < column
    assert hear.legend(sc.grid(6, 8, 10), "spectrum", along="y", seconds=4) == \
        "y: 0 … 4 s, 500 ms a slice; x: 50 ms a column; z: 110 … 14080 Hz, 0.7143 rows an octave"
    grid = sc.grid(98, 116, 94)
    assert hear.pitches(grid).times.shape == (98 * 94,) and 25 < hear.pitches(grid).times[-1] <= 30


def test_an_image_along_y_is_the_image_turned():
    a = np.random.default_rng(0).random((1, 12, 17))
    turned = hear.scan(image(a.swapaxes(1, 2)), "spectrum", seconds=0.2)
    assert np.array_equal(hear.scan(image(a), "spectrum", along="y", seconds=0.2).data, turned.data)


def test_many_rows_share_oscillators_and_this_is_stated():
    grid = sc.grid(2500, 4)
    times, hertz = hear.pitches(grid)
    assert len(hertz) == 2500 and len(np.unique(hertz)) == 834 and hertz[0] == hertz[2] > hertz[3]
    assert np.abs(cents(hertz, np.geomspace(14080, 110, 2500))).max() < 5
    assert hear.legend(grid, "spectrum").endswith("357 rows an octave; 3 rows a tone, averaged")
    row = np.zeros((1, 2500, 4))
    row[0, 1200:1203] = 1
    got, one = hear.scan(sc.Signal(row, grid), "spectrum", seconds=0.1), np.zeros((1, 2500, 4))
    one[0, 1201] = 3
    assert np.allclose(got.data, hear.scan(sc.Signal(one, grid), "spectrum", seconds=0.1).data, atol=1e-12)
    assert times[1] - times[0] == pytest.approx(1, rel=1e-3)


def test_ranges_and_lengths_are_as_asked_or_refused():
    grid, x = sc.grid(50, 100), image(np.eye(50, 100)[None])
    p = hear.pitches(grid, seconds=2, low=50, high=5000)
    assert p.frequencies[[0, -1]] == pytest.approx([5000, 50]) and p.times[-1] == pytest.approx(1.99)
    assert hear.scan(x, "spectrum", seconds=2).domain.extent[0][1] == pytest.approx(2, abs=0.002)
    assert hear.legend(grid, "spectrum", seconds=2, low=50, high=5000) == \
        "x: 0 … 2 s, 20 ms a column; y: 50 … 5000 Hz, 7.375 rows an octave"
    for bad, said in (({"low": 20000}, "a frequency of 20000"), ({"high": 0}, "a frequency of 0"), ({"low": "a"}, "of 'a'"),
                      ({"low": 500, "high": 400}, "wanted low below high"), ({"seconds": 0}, "seconds 0: wanted above 0"),
                      ({"seconds": float("nan")}, "seconds nan"), ({"seconds": 0.001}, "wanted at least a sample each"),
                      ({"along": "t"}, "wanted y, x")):
        with pytest.raises(sc.SigconvError, match=said):
            hear.scan(x, "spectrum", **bad)
    with pytest.raises(sc.SigconvError, match=r"of a line.*'rows' reads a line"):
        hear.scan(sc.Signal([1.0, 2.0], sc.line(2, 1, unit="nm")), "spectrum")


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (1, 1), (1, 5), (5, 1)])
def test_the_smallest_pictures_have_a_sound(shape):
    x = sc.Signal(np.ones((1, *shape)), sc.grid(*shape))
    s = hear.scan(x, "spectrum")
    assert s.value == (1,) and np.isfinite(s.data).all() and (s.data.any() or 0 in shape)
    assert hear.scan(x).domain.size == x.domain.size and hear.legend(x.domain) and hear.legend(x.domain, "spectrum")


# Anything.


def test_a_spectrogram_sounds_as_what_it_is_of():
    x = sc.Signal(0.1 * np.random.default_rng(0).standard_normal((2, 4000)), sc.line(4000, 8000))
    heard = hear.audible(sc.spectrogram(x))
    assert heard.domain == x.domain and np.allclose(heard.data, x.data, atol=1e-9)
    louder = hear.audible(sc.spectrogram(x * 100))
    assert np.abs(louder.data).max() == pytest.approx(1)


def test_audible_takes_either_scan_and_lowers_what_is_too_loud():
    a = np.zeros((1, 60, 50))
    a[0, :, 20] = 1
    x = hear.audible(image(a), scan="spectrum", seconds=1)
    want = hear.scan(image(a), "spectrum", seconds=1).data
    assert np.abs(want).max() > 1 and np.allclose(x.data, want / np.abs(want).max(), atol=1e-14)
    assert np.array_equal(hear.audible(image(a), along="x").data, hear.scan(image(a), along="x").data)
    with pytest.raises(sc.SigconvError, match="scan 'spectra'"):
        hear.audible(image(a), scan="spectra")


def test_scans_wait_for_neither_torch_nor_scipy_and_take_tensors():
    import subprocess
    import sys

    script = ("import sys, numpy as np, sigconv as sc; from sigconv import hear;"
              "x = sc.Signal(np.eye(40)[None], sc.grid(40, 40)); hear.scan(x, 'spectrum'); hear.label(x);"
              "hear.unscan(hear.scan(x), x.domain);"
              "print([m for m in ('torch', 'scipy', 'matplotlib', 'soundfile') if m in sys.modules])")
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    torch = pytest.importorskip("torch")
    a = np.random.default_rng(0).random((1, 5, 6))
    x = sc.Signal(torch.tensor(a, requires_grad=True), sc.grid(5, 6))
    for how in hear.SCANS:
        assert np.array_equal(hear.scan(x, how).data, hear.scan(image(a), how).data)
    assert raster.axis_of(sc.grid(2, 3), None, -1) == 1
