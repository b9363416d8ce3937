"""The gallery says what the register and `describe` say now, shows and plays what it names, and keeps to its size."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from command import run
from PIL import Image

import sigconv as sc
from sigconv.kernels import FAMILIES

DOCS = Path(__file__).parents[1] / "docs"
GALLERY = DOCS / "gallery"
CURE = "python docs/make_gallery.py makes it again"


@pytest.fixture(scope="module")
def make():
    """The script's functions."""
    return runpy.run_path(str(DOCS / "make_gallery.py"))


def text(name):
    return (GALLERY / f"{name}.md").read_text(encoding="utf-8")


def commands(name):
    return re.findall(r"^sigconv .*$", text(name), re.MULTILINE)


def test_there_is_a_page_for_every_family_and_nothing_else():
    assert {p.stem for p in GALLERY.glob("*.md")} == {"index", *FAMILIES}, CURE
    named = {target for p in GALLERY.glob("*.md") for target in re.findall(r"\]\(([\w.-]+)\)", p.read_text(encoding="utf-8"))}
    assert {p.name for p in GALLERY.iterdir()} == named | {"index.md"}, CURE


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_page_says_what_the_code_says(make, name):
    page = text(name)
    assert page == make["page"](name), CURE
    f = FAMILIES[name]
    assert f.summary in page
    for ndim in (1, 2, 3):
        assert f.cell(ndim).replace("|", "\\|") in page
    shown = re.findall(r"^## (\w+)$", page, re.MULTILINE)
    assert {"Sound"} & set(shown) == ({"Sound"} if 1 in f.dims else set())
    assert {"Spectrogram", "Image"} & set(shown) == ({"Spectrogram", "Image"} if 2 in f.dims else set())
    assert {"Volume", "Video"} & set(shown) == ({"Volume", "Video"} if 3 in f.dims else set())


def test_the_table_says_what_the_code_says(make):
    assert text("index") == make["index"](), CURE


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_command_is_one_that_listen_reads(name):
    from sigconv_cli.listen import listen

    for command in commands(name):
        program, verb, *words = shlex.split(command)
        assert (program, verb) == ("sigconv", "listen")
        options = listen.make_context("listen", words, resilient_parsing=False).params
        (spec,), (file,) = options["kernels"], options["names"]
        x = sc.load(DOCS.parent / file)
        grid = sc.spectrogram(x).domain if options.get("on") == "spectrogram" else x.domain
        assert sc.study.describe(sc.kernel(spec, grid), spec) in text(name)


@pytest.mark.parametrize("name", ["edge", "delay"])
def test_its_commands_run(name, tmp_path):
    for i, command in enumerate(commands(name)):
        done = run(*shlex.split(command)[1:], "--no-page", "-o", tmp_path / f"{i}.wav", cwd=DOCS.parent)
        assert done.code == 0, done.err
        assert (tmp_path / f"{i}.wav").stat().st_size > 1000


def test_pictures_are_palettes_and_small():
    for path in GALLERY.glob("*.png"):
        with Image.open(path) as image:
            image.load()
            assert image.mode == "P" and image.width in (96, 800), path.name
        assert path.stat().st_size <= 90e3, path.name
    assert sum(p.stat().st_size for p in GALLERY.iterdir()) <= 5e6


def test_sounds_are_equally_loud_whole_and_small():
    import soundfile

    loud = {}
    for path in GALLERY.glob("*.flac"):
        x, rate = soundfile.read(path, always_2d=True)
        assert rate == 22050 and path.stat().st_size <= 60e3, path.name
        assert 1 <= len(x) / rate <= 3 and 0.2 < np.abs(x).max() < 0.9, path.name
        assert np.abs(x[[0, -1]]).max() < 2**-10, path.name  # it fades, it is not cut
        loud[path.stem] = float(sc.hear.loudness(sc.Signal(x.T.copy(), sc.line(len(x), rate))))
    for name in FAMILIES:
        (dry, _), (own, _) = re.findall(r"\]\(([\w-]+)\.(flac)\)", text(name))
        assert own == name and abs(loud[name] - loud[dry]) < 3, name  # an excerpt of two that are equal as wholes


def test_a_picture_is_drawn_again_the_same(make, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    from gallery_pictures import draw

    for e in make["examples"]("edge")[2:]:
        first, again = (draw(e, make["sample"](e.file), e.kernel) for _ in range(2))
        assert first[0] == again[0] and first[1].min() >= 0 and first[1].max() <= 1
    sys.modules.pop("gallery_pictures", None)
