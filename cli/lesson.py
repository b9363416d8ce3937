"""`sigconv lesson`: a page to learn from, made of a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import Talk, emit, talk_options


@click.command(epilog="\b\nWithout FILE the chime that comes along is taken, whose notes are known; - is standard input.")
@click.option("--notes", metavar="NOTES", help='What to listen for, e.g. "Ab6,Eb6,Ab5,Bb5".  [default: the four strongest keys]')
@click.option("-o", "--output", metavar="PATH", help="The page to write.  [default: ./STEM.lesson.html, the next free number]")
@click.option("--open/--no-open", "opens", default=None, help="Open the page in a browser.  [default: on a desktop]")
@click.option("--force", is_flag=True, help="Write over a page that is there.")
@talk_options
@click.argument("name", metavar="NAME")
@click.argument("path", metavar="[FILE]", required=False)
def lesson(name: str, path: str | None, notes: str | None, output: str | None, opens: bool | None, force: bool,
           talk: Talk) -> None:
    """Make a lesson of a sound, as one web page.

    NAME is "listening": four notes as kernels; what a sound says to them, seen and heard; convolution against correlation;
    sines against better templates. At most 30 s of FILE are taken.
    """
    from sigconv import io
    from sigconv.errors import UsageError, hint
    from sigconv.lessons import CHIME, LESSONS, listening
    from sigconv.page.lesson import numbers, report

    if name not in LESSONS:
        raise UsageError(f"lesson {name!r}: wanted {', '.join(LESSONS)}{hint(name, LESSONS)}")
    source = Path("stdin" if path == "-" else path) if path else io.sample("chime")
    where = _where(source.stem, output)
    x = io.load(path or source)
    known = notes is None and _is_chime(source)
    found = listening(x, [each for each, _ in CHIME], [at for _, at in CHIME]) if known else listening(x, notes)
    report(where, found, source=source.name, overwrite=force, inputs=[] if path == "-" else [source])
    data = {"lesson": name, "file": str(path or source), "page": str(where)} | (numbers(found) if talk.json else {})
    shown = str(where) if where.is_absolute() else f"./{where}"
    emit(talk, [("notes", ", ".join(f"{n.name} at {max(n.onset, 0):.2f} s" for n in found.notes)),
                ("raw sines", _raw(found)), ("written", shown)], data)
    for said in found.said:
        talk.say(f"note: {said[0].lower()}{said[1:].rstrip('.')}")
    from .listen import _desktop

    if _desktop() if opens is None else opens:
        import webbrowser

        webbrowser.open(where.resolve().as_uri())


def _raw(found: Any) -> str:
    """What is wrong with plain sines, in numbers."""
    from sigconv.page.lesson_parts import spread

    early = spread([n.early for n in found.notes], 2, "s")
    return f"answer {early} early, and reach {max(n.dbfs for n in found.notes):+.0f} dBFS"


def _where(stem: str, output: str | None) -> Path:
    """The page that was named, or the first that isn't there."""
    from sigconv.errors import UsageError

    from .places import LONGEST, cut

    if output is not None:
        if Path(output).suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"output {output}: wanted the name of a page, e.g. {cut(Path(output).stem or stem, LONGEST)}.html")
        return Path(output)
    number, name = 1, cut(stem, LONGEST - len(".lesson"))
    while True:
        path = Path(f"{name}.lesson{f'-{number}' if number > 1 else ''}.html")
        if not path.exists() and not path.is_symlink():
            return path
        number += 1


def _is_chime(path: Path) -> bool:
    """Whether it is one of the two samples whose melody is known."""
    from sigconv import io

    return path.exists() and any(path.samefile(io.sample(name)) for name in ("chime", "chime-dry"))
