"""One page, or one picture, of a kernel across files of different kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .common import Talk, kernel_for, loaded

if TYPE_CHECKING:
    from sigconv.signal import Signal

__all__ = ["Case", "domains", "joint", "together_option", "wanted"]

EXCERPT = 10  # seconds of a sound
KINDS = ("sound", "image", "volume", "video")

together_option = click.option("--together/--apart", "together", default=None,
                               help="One more for all files: a panel for each kind of them, and for a sound's spectrogram.  "
                                    "[default: where their kinds differ]")


def wanted(paths: list[str], together: bool | None) -> list[str]:
    """The first file of each kind, where they are wanted together; none where each stands alone."""
    from sigconv.errors import SigconvError
    from sigconv.io import info

    first: dict[str, str] = {}
    for path in [] if together is False or (together is None and len(paths) < 2) else paths:
        try:
            first.setdefault(info(path)["kind"] if path != "-" else "", path)
        except (SigconvError, OSError):
            continue  # it fails by itself, and says so
    first.pop("", None)
    some = sorted(first, key=lambda kind: KINDS.index(kind) if kind in KINDS else len(KINDS))
    return [first[kind] for kind in some] if together or len(some) > 1 else []


@dataclass(frozen=True)
class Case:
    """What a kernel meets: a file, of a sound at most its first 10 s, or that sound's spectrogram; the `kernel`, or why none."""

    path: str
    name: str
    x: Signal
    on: str
    kernel: Signal | None
    refused: str = ""


def domains(paths: Iterable[str], spec: str, talk: Talk, *, rate: float | None, channels: str | None,
            resample: bool) -> Iterator[Case]:
    """The domains of these files under a kernel."""
    from sigconv.errors import SigconvError

    for path in paths:
        try:
            x = loaded(path, rate, channels)
        except (SigconvError, OSError):
            continue  # it failed by itself, and said so
        sound = x.domain.unit == ("s",)
        if sound:
            x = x.between(None, x.domain.extent[0][0] + EXCERPT)
        for on in ("signal", "spectrogram") if sound else ("signal",):
            name = "Spectrogram" if on == "spectrogram" else _name(x)
            try:
                yield Case(path, name, x, on, kernel_for(spec, x, resample, talk, on))
            except SigconvError as why:
                yield Case(path, name, x, on, None, str(why))


def joint(paths: list[str], specs: list[str], folder: Path, talk: Talk, ears: dict[str, Any], *, force: bool,
          **reading: Any) -> None:
    """Write a page for each kernel, `across.KERNEL.html` in the folder; options as of `listen`."""
    from sigconv import io, page
    from sigconv.specs import slug

    for spec in specs:
        panels = [_heard(case, spec, ears) for case in domains(paths, spec, talk, **reading)]
        shown = [panel.domain.lower() for panel in panels if panel.listening]
        if not shown:
            continue  # each file has said why
        stem = f"across.{slug(spec)}"
        where = folder / f"{stem if force else io.next_free(folder, stem, ['.html'])}.html"
        with io.Outputs(overwrite=force, inputs=paths) as out:
            out.open(where).write(page.across(panels, kernel=spec).encode())
        refused = [panel.domain.lower() for panel in panels if not panel.listening]
        named = ", ".join(shown) + (f"; refused: {', '.join(refused)}" if refused else "")
        talk.result(f"together  {where if where.is_absolute() else f'./{where}'}  ({named})",
                    {"kernel": spec, "together": str(where), "domains": shown, "refused": refused})


def _heard(case: Case, spec: str, ears: dict[str, Any]) -> Any:
    """The panel of a case."""
    from sigconv import hear, page
    from sigconv.errors import SigconvError

    listening, why = None, case.refused
    fit = {"scan": None, "along": None} if case.x.domain.unit == ("s",) else {}
    if case.kernel is not None:
        try:
            listening = hear.listen(case.x, [(spec, case.kernel)], **{**ears, **fit, "on": case.on})
        except SigconvError as error:
            why = str(error)
    return page.Panel(listening, Path(case.path).name, why, case.name)


def _name(x: Signal) -> str:
    """What a signal is called in a heading."""
    units = x.domain.unit
    return "Sound" if units == ("s",) else "Video" if len(units) == 3 and units[0] == "s" else \
        ("Line", "Image", "Volume")[len(units) - 1]
