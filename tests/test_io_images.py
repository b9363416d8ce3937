"""Images and videos: 8 and 16 bits come back exactly, what is converted is said, bombs are refused before they are decoded."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
from command import REAL
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

import sigconv as sc

NAMES = {1: None, 2: ("Y", "A"), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}
SIZES = st.tuples(st.integers(1, 20), st.integers(1, 20))
RAMP = (np.arange(600) % 256).astype(np.uint8).reshape(20, 30)


def image(data, channels=None):
    return sc.Signal(data, sc.grid(*data.shape[-2:]), channels)


def png(width, height, depth, colour, rows):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".webp", ".bmp", ".ppm"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_eight_bits_come_back_exactly(tmp_path, suffix, channels):
    if channels in (2, 4) and suffix in (".bmp", ".ppm"):
        pytest.skip("no transparency")
    data = np.random.default_rng(channels).integers(0, 256, (channels, 21, 33)).astype(np.uint8)
    sc.save(image(data / np.float32(255), NAMES[channels]), tmp_path / f"x{suffix}")
    x = sc.load(tmp_path / f"x{suffix}")
    if suffix == ".webp" and channels < 3:  # WebP has colour alone
        assert x.value == (channels + 2,)
        assert (np.rint(x.data[0] * 255) == data[0]).all() and (x.data[0] == x.data[1]).all()
        return
    np.testing.assert_array_equal(x.data, data / np.float32(255))
    assert x.data.dtype == np.float32 and x.domain == sc.grid(21, 33) and x.channels == NAMES[channels]
    told = sc.io.info(tmp_path / f"x{suffix}")
    assert told["kind"] == "image" and told["shape"] == (channels, 21, 33)


@given(SIZES.flatmap(lambda size: arrays(np.uint16, size)), st.sampled_from([".png", ".tiff"]))
def test_sixteen_bit_grey_comes_back_exactly(tmp_path_factory, data, suffix):
    path = tmp_path_factory.mktemp("x") / f"x{suffix}"
    sc.save(image((data / np.float32(65535))[None]), path, subtype="16")
    x = sc.load(path)
    assert (np.rint(x.data[0].astype(np.float64) * 65535) == data).all() and x.value == (1,)
    with Image.open(path) as theirs:
        assert (np.asarray(theirs) == data).all()
    sc.save(image(data[None]), path, overwrite=True)
    np.testing.assert_array_equal(sc.load(path).data, x.data)


def test_a_plain_kernel_value_is_grey(tmp_path):
    sc.save(image(np.eye(4)), tmp_path / "x.png")
    np.testing.assert_array_equal(sc.load(tmp_path / "x.png").data, np.eye(4, dtype=np.float32)[None])


def test_jpeg_is_near(tmp_path):
    y, x = np.mgrid[0:64, 0:64] / 63
    data = np.stack([x, y, 1 - x]).astype(np.float32)
    sc.save(image(data), tmp_path / "x.jpg")
    assert np.abs(sc.load(tmp_path / "x.jpg").data - data).max() < 0.02


def test_values_outside_are_clipped_and_said(tmp_path):
    data = np.array([[[-0.5, 0.0, 0.5, 1.0, 2.0]]])
    with pytest.warns(sc.SigconvWarning, match=r"2 of 5 values outside 0 … 1 were clipped \(they reach from -0.5 to 2\)"):
        sc.save(image(data), tmp_path / "x.png")
    assert sc.load(tmp_path / "x.png").data.ravel().tolist() == [0, 0, np.float32(128 / 255), 1, 1]


def test_every_kind_of_pixel(tmp_path):
    path, grey = tmp_path / "x.png", Image.fromarray(RAMP)

    def loaded(picture, **how):
        picture.save(path, **how)
        return sc.load(path)

    np.testing.assert_array_equal(loaded(grey).data[0], RAMP / np.float32(255))
    assert set(loaded(grey.convert("1")).data.ravel()) <= {0.0, 1.0}
    colours = Image.fromarray(np.stack([RAMP, RAMP[::-1], RAMP], -1)).quantize(16)
    x = loaded(colours)
    np.testing.assert_array_equal(x.data, np.moveaxis(np.asarray(colours.convert("RGB")), -1, 0) / np.float32(255))
    x = loaded(colours, transparency=3)
    assert x.channels == NAMES[4] and (x.data[3] == (np.asarray(colours) != 3)).all()
    path = tmp_path / "x.tiff"
    np.testing.assert_array_equal(loaded(Image.fromarray(RAMP.astype(np.float32) * 7)).data[0], RAMP.astype(np.float32) * 7)
    np.testing.assert_array_equal(loaded(Image.fromarray(RAMP.astype(np.int32) * 1000)).data[0], RAMP * 1000.0)
    with pytest.warns(sc.SigconvWarning, match="CMYK"):
        assert loaded(grey.convert("RGB").convert("CMYK")).value == (3,)


def test_orientation_is_applied_and_said(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RAMP).save(tmp_path / "x.png", exif=exif)
    with pytest.warns(sc.SigconvWarning, match="EXIF orientation 6"):
        x = sc.load(tmp_path / "x.png")
    np.testing.assert_array_equal(x.data[0], np.rot90(RAMP, -1) / np.float32(255))


def test_sixteen_bits_of_colour_are_said_to_be_read_as_eight(tmp_path):
    (tmp_path / "x.png").write_bytes(png(2, 1, 16, 2, b"\0" + bytes(range(12))))
    with pytest.warns(sc.SigconvWarning, match="16 bits a colour"):
        x = sc.load(tmp_path / "x.png")
    assert (np.rint(x.data * 255).astype(int)[:, 0, 0] == [0, 2, 4]).all()


def test_bombs_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(png(20000, 20000, 8, 0, b"\0" * 2_000_100))
    for read in (sc.load, sc.io.info):
        with pytest.raises(sc.SigconvError, match=r"20000 × 20000.*SIGCONV_MAX_PIXELS=400000000"):
            read(path)
    path.write_bytes(png(20, 20, 8, 0, b"\0" * 420))
    monkeypatch.setenv("SIGCONV_MAX_PIXELS", "399")
    with pytest.raises(sc.SigconvError, match="limit of 399 pixels"):
        sc.load(path)
    monkeypatch.setenv("SIGCONV_MAX_PIXELS", "400")
    assert sc.load(path).domain.shape == (20, 20)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".tiff", ".bmp", ".webp", ".ppm"])
@pytest.mark.parametrize("part", [0.2, 0.7])
def test_cut_images_are_refused_in_one_line(tmp_path, suffix, part):
    path = tmp_path / f"x{suffix}"
    sc.save(image(np.random.default_rng(0).uniform(size=(3, 40, 50))), path)
    raw = path.read_bytes()
    path.write_bytes(raw[:int(len(raw) * part)])
    with pytest.raises(sc.SigconvError) as why:
        sc.load(path)
    assert "\n" not in str(why.value) and path.name in str(why.value)


def test_a_name_promises_nothing(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "x.wav", format="PNG")
    assert sc.load(tmp_path / "x.wav").domain.shape == (20, 30)
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(sc.SigconvError, match="PostScript"):
        sc.load(tmp_path / "x.png")
    with pytest.raises(sc.SigconvError, match="rate"):
        sc.load(tmp_path / "x.wav", rate=8000)


@pytest.mark.parametrize(("x", "name"), [
    (image(np.zeros((2, 4, 4)), ("y", "x")), "x.png"), (image(np.zeros((5, 4, 4))), "x.png"),
                                         (image(np.zeros((1, 2, 4, 4))), "x.png"),
    (image(np.zeros((4, 4, 4))), "x.jpg"), (image(np.zeros((1, 4, 4), int)), "x.png"),
                                         (image(np.zeros((3, 4, 4), np.uint16)), "x.png"),
    (image(np.zeros((1, 4, 4), np.uint16)), "x.jpg"), (image(np.zeros((1, 0, 4))), "x.png"),
                                         (image(np.zeros((1, 4, 4), complex)), "x.png"),
    (sc.Signal(np.zeros((1, 3, 4, 4)), sc.grid(3, 4, 4)), "x.gif"), (sc.Signal(np.zeros((1, 3, 4, 4)), sc.grid(3, 4, 4)),
                                                                     "x.png")])
def test_what_an_image_can_t_hold_is_said(tmp_path, x, name):
    with pytest.raises(sc.SigconvError, match="wanted"):
        sc.save(x, tmp_path / name)
    assert not list(tmp_path.iterdir())


def video(data, ms=40, channels=None):
    return sc.Signal(data, sc.Domain(data.shape[-3:], (Fraction(ms, 1000), 1, 1), 0, ("s", "px", "px"), ("time", "y", "x")),
                     channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gif_is_a_video_and_comes_back(tmp_path, channels):
    frames = np.random.default_rng(0).integers(0, 256, (channels, 7, 9, 11)).astype(np.float32) / np.float32(255)
    x = video(frames, channels=NAMES[channels])
    sc.save(x, tmp_path / "x.gif")
    y = sc.load(tmp_path / "x.gif")
    assert y.domain == x.domain and y.channels == x.channels
    np.testing.assert_array_equal(y.data, x.data)  # 99 colours at most
    told = sc.io.info(tmp_path / "x.gif")
    assert told["kind"] == "video" and told["shape"] == x.data.shape and told["duration"] == pytest.approx(0.28)


def test_frames_of_different_length_are_laid_out_and_said(tmp_path):
    frames = [Image.fromarray(np.full((8, 9), 20 * k, np.uint8)) for k in (1, 2, 3)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:], duration=[100, 200, 50])
    with pytest.warns(sc.SigconvWarning, match="7 frames of 50 ms"):
        x = sc.load(tmp_path / "x.gif")
    assert np.rint(x.data[0, :, 0, 0] * 255).tolist() == [20, 20, 40, 40, 40, 40, 60]
    assert x.domain.step[0] == Fraction(1, 20)


@pytest.mark.filterwarnings("always::sigconv.SigconvWarning")
def test_what_a_gif_loses_is_said(tmp_path):
    with pytest.warns(sc.SigconvWarning, match="256 colours"):
        sc.save(video(np.random.default_rng(0).uniform(size=(3, 2, 40, 40))), tmp_path / "x.gif")
    with pytest.warns(sc.SigconvWarning, match="counts in 10 ms"):
        sc.save(video(np.random.default_rng(0).uniform(size=(1, 2, 40, 40)), 33), tmp_path / "y.gif")
    buffer, frames = io.BytesIO(), [Image.fromarray(RAMP), Image.fromarray(RAMP[::-1])]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    (tmp_path / "z.gif").write_bytes(buffer.getvalue())
    with pytest.warns(sc.SigconvWarning, match="without a duration; took 100 ms"):
        assert sc.load(tmp_path / "z.gif").domain.step[0] == Fraction(1, 10)


@pytest.mark.parametrize("pattern", ["AABB", "AAAA", "ABBA", "AB"])
@pytest.mark.parametrize("channels", [1, 3])
def test_frames_that_are_alike_stay_frames(tmp_path, pattern, channels):
    """Pillow's writer merges them; a video that stands still came back as an image."""
    rng = np.random.default_rng(0)
    kinds = {letter: rng.integers(0, 4, (channels, 6, 8)).astype(np.float32) / np.float32(255) * 85 for letter in "AB"}
    x = video(np.stack([kinds[letter] for letter in pattern], axis=1), channels=NAMES[channels])
    sc.save(x, tmp_path / "x.gif")
    y = sc.load(tmp_path / "x.gif")
    assert y.domain == x.domain
    np.testing.assert_array_equal(y.data, x.data)


@pytest.mark.filterwarnings("always::sigconv.SigconvWarning")
def test_a_gif_of_one_frame_is_an_image_and_that_is_said(tmp_path):
    x = video(np.full((1, 1, 6, 8), 0.2, np.float32))
    with pytest.warns(sc.SigconvWarning, match="comes back as an image; .npz"):
        sc.save(x, tmp_path / "x.gif")
    assert sc.load(tmp_path / "x.gif").domain == sc.grid(6, 8)
    sc.save(x, tmp_path / "x.npz")
    assert sc.load(tmp_path / "x.npz").domain == x.domain


REAL_IMAGES = {"camera.png": (1, 512, 512), "coffee.png": (3, 400, 600), "coins.png": (1, 303, 384), "brick.png": (1, 512, 512),
               "china.jpg": (3, 427, 640)}


@pytest.mark.skipif(not REAL.exists(), reason="no real data here")
@pytest.mark.parametrize("name", REAL_IMAGES)
def test_real_images(name):
    x = sc.load(REAL / "images" / name)
    with Image.open(REAL / "images" / name) as theirs:
        want = np.atleast_3d(np.asarray(theirs)).transpose(2, 0, 1)
    assert x.data.shape == REAL_IMAGES[name] == sc.io.info(REAL / "images" / name)["shape"]
    np.testing.assert_array_equal(np.rint(x.data * 255), want)
