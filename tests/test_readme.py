"""Every command and every line of Python in the README and the docs works, and their links lead somewhere."""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sigconv as sc

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [p for p in (README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))) if p.exists()]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page):
    """(command, lines shown below it) for every `$ sigconv …` of a page; in what is shown, … stands for anything."""
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            if command.startswith("sigconv "):
                yield command, lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files that the commands speak of, and the project's commands on the path."""
    place = tmp_path_factory.mktemp("readme")
    for name, sample in {"voice.wav": "speech", "room.wav": "room", "photo.png": "image", "volume.npy": "volume",
                         "stereo.wav": "stereo"}.items():
        shutil.copy(sc.io.sample(sample), place / name)
    return place


def test_two_commands_and_no_more():
    """One installs and runs the main job, one installs and runs the tests; .ci/run reads them from here."""
    first, second = blocks(README, "sh")
    assert first.strip() == "pip install . && sigconv listen --kernel edge"
    assert second.strip() == "pip install -e '.[test]' && pytest"


@pytest.mark.parametrize(("command", "lines"), [pytest.param(*c, id=f"{p.name}: {c[0]}") for p in PAGES for c in commands(p)])
def test_command(command, lines, folder):
    words = shlex.split(command, comments=True)
    assert words[0] == "sigconv" and not {"|", ">", "&&", ";"} & set(words)
    done = subprocess.run([sys.executable, "-m", "sigconv_cli", *words[1:]], cwd=folder, capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, env=os.environ | {"CI": "true"})
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for wanted in lines:
        pattern = ".*".join(map(re.escape, wanted.split("…")))
        assert re.search(f"^{pattern}$", done.stdout, re.MULTILINE), f"{wanted!r} is not in\n{done.stdout}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_python(page, folder, monkeypatch):
    """The Python of a page from top to bottom, as one doctest, or as one script where it shows no results."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    code = blocks(page, "python")
    exec(compile("\n".join(block for block in code if ">>>" not in block), str(page), "exec"), {})
    test = doctest.DocTestParser().get_doctest("\n".join(block for block in code if ">>>" in block), {}, page.name, str(page), 0)
    said = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False).run(test, out=said.append)
    assert not result.failed, "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert re.match(r"https?://", target) or (page.parent / target).exists(), target


def test_every_page_is_in_the_index():
    listed = re.findall(r"\]\(([\w.-]+\.md)\)", (ROOT / "docs/index.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(p.name for p in (ROOT / "docs").glob("*.md") if p.name != "index.md")
