"""The page: one HTML file that needs nothing else, and lets nothing else in.

Its policy allows one script and one style, by their hashes, and pictures and sound that stand in the page itself; no
address is ever fetched. The same input gives the same bytes; a date stands there only where SOURCE_DATE_EPOCH fixes it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import arrays
from ..errors import SigconvError
from . import galleries, sections
from .clips import clips
from .figures import DIVERGING, full_scale, is_signed, planes
from .markup import json_block, text
from .neighbours import neighbours, pictured
from .sounds import ANCHORS

if TYPE_CHECKING:
    from ..hear import Listening, Take
    from .overview import Overview

__all__ = ["notes", "render", "report", "scanned_along", "wanted", "whole"]

SCRIPTS = ("audio.js", "picture.js", "player.js", "draw.js", "stage.js", "film.js", "page.js")
CEILING = 10 ** (-1 / 20)


def render(listening: Listening, *, source: str, bits: int = 16, neighbours: bool = True,
           changes: Sequence[str] | None = None, overview: Overview | None = None) -> str:
    """The page of what was heard, as text in UTF-8.

    `source`: the name of the file, shown as it is, escaped. `bits`: 16 embeds sound as 16-bit PCM, 32 as float32, which keeps
    every sample. `neighbours`: whether other kernels stand one click away (sounds and images).
    `changes`: what each take changed, in words, where that is known already; otherwise `study.changed` is asked.
    `overview`: of a sound too long to hold, the pictures of the whole.

    Script, styles and pictures take less than 400 kB; the dry clip and each result come on top, once each, at most 60 s and
    two channels of them, which the page says.

    >>> import sigconv as sc
    >>> x = sc.Signal([[0.0, 1.0, 0.0, 0.0]], sc.line(4, 8000))
    >>> page = render(sc.hear.listen(x, [("edge", sc.kernel("edge", x))]), source="click.wav")
    >>> page[:15], "click.wav" in page, 'src="http' in page
    ('<!doctype html>', True, False)

    Raises `SigconvError` for other bits, and for what is no Listening.
    """
    wanted(listening, bits)
    heard, rate, said = clips(listening, bits)
    dry = listening.dry.domain
    stage = _stage(listening) if dry.ndim == 2 else None
    near = _neighbours(listening) if neighbours else []
    maps = [] if listening.map is None else [sections.maps(listening, heard[0].data.shape[-1] / rate)]
    body = [sections.header(listening, source), sections.player(heard, near, said, rate, stage is not None), *maps,
            *([overview.section(listening)] if overview else []),
            sections.looks(heard, rate, listening) if dry.ndim == 1 else
            galleries.pictures(listening, sections.SHOWN, sections.first(listening)),
            sections.kernels(listening), sections.numbers(listening, changes), sections.about()]
    data = {"rate": rate, "gain": listening.gain, "match": listening.match, "ceiling": CEILING,
            "clips": [{"id": clip.id, "name": clip.name, "kind": clip.kind, "element": f"clip-{i}", "note": note}
                      for i, (clip, note) in enumerate(zip(heard, notes(listening), strict=True))],
            "takes": [clip.id for clip in heard[1:]], "neighbours": near, "picture": stage}
    names = ", ".join(take.name for take in listening.takes[:3]) + (" …" if len(listening.takes) > 3 else "")
    return whole(text(f"{source} through {names}" if names else source), "\n".join(body), data)


def report(path: Any, listening: Listening, *, source: str, bits: int = 16, overwrite: bool = False) -> None:
    """Write the page to a file: beside, then moved into place; never over an existing file unless `overwrite`.

    >>> import sigconv as sc
    >>> x = sc.Signal([[0.0, 1.0, 0.0, 0.0]], sc.line(4, 8000))
    >>> heard = sc.hear.listen(x, [("edge", sc.kernel("edge", x))])
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     report(f"{folder}/click.html", heard, source="click.wav")
    ...     [path.name for path in Path(folder).iterdir()]
    ['click.html']

    Raises `SigconvError` as `render` and `io.Outputs` do.
    """
    from ..io import Outputs

    content = render(listening, source=source, bits=bits).encode("utf-8")
    with Outputs(overwrite=overwrite) as out:
        out.open(path).write(content)


def wanted(listening: Any, bits: int) -> None:
    """One line where this is no Listening, or the bits are none that sound is embedded in."""
    from ..hear import Listening

    if not isinstance(listening, Listening):
        raise SigconvError(f"a page of a {type(listening).__name__}: wanted a Listening, e.g. hear.listen(x, [(name, kernel)])")
    if bits not in (16, 32):
        raise SigconvError(f"bits {bits!r}: wanted 16 (PCM) or 32 (float)")


def _neighbours(listening: Listening) -> list[dict[str, Any]]:
    """The kernels one click away: of a sound, or of one plain picture read row by row."""
    taken = tuple(take.name for take in listening.takes)
    if listening.map is not None or listening.chain or listening.scan != "rows" or scanned_along(listening):
        return []
    if listening.dry.domain.ndim == 1:
        return neighbours(listening.dry.domain, taken)
    if listening.sound.data.shape[0] != 1:
        return []  # colours were kept as channels
    found, scale = planes(listening.dry, 2), full_scale(listening.dry)
    plain = len(found) == 1 and scale == 1 and not is_signed(found, scale) and not arrays.is_complex(listening.dry.data)
    return pictured(listening.dry.domain, taken) if plain else []


def _stage(listening: Listening) -> dict[str, Any] | None:
    """How the picture that is heard is scanned, and the colours of maps; None where it is not one picture."""
    shape = listening.dry.domain.shape
    if not galleries.alone(listening.dry):
        return None
    grey = json.loads(listening.label or "{}").get("grey", 0)
    return {"shape": shape, "rows": listening.sound.domain.shape[0] // shape[1], "taps": DIVERGING, "gain": ANCHORS,
            "grey": grey, "across": scanned_along(listening) == 1}


def scanned_along(listening: Listening) -> int:
    """The axis that a scan runs along, slowly: of an image 0 where it is read from the top down, 1 from left to right."""
    return int(json.loads(listening.label or "{}").get("along", 0))


def notes(listening: Listening) -> list[str]:
    """What the player says of each clip."""
    def gain(each: Any) -> str:
        return f"total gain {each.gain:.9g} ({sections._decibels(each.gain)})"

    silent = listening.true_peak == -inf
    said = [f"{take.name}: {gain(take)}, {_matched(listening, take)}" for take in listening.takes]
    return [f"Silence: {gain(listening)}" if silent else f"The sound as it is: {gain(listening)}", *said]


def _matched(listening: Listening, take: Take) -> str:
    """What the match came to."""
    if take.true_peak == -inf:
        return "silence, which has no level to match"
    if listening.match == "none":
        return "as the kernel gives it"
    if listening.true_peak == -inf:
        return "not matched: the dry sound is silent"
    own = take.gain != listening.gain or not (listening.match == "loudness" and abs(take.loudness - listening.loudness) > 0.1)
    return f"matched to the dry sound by {listening.match}" if own else "not matched: nothing in it can be heard"


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _hash(content: str) -> str:
    return "sha256-" + b64encode(sha256(content.encode()).digest()).decode()


def whole(title: str, body: str, data: Any, scripts: Sequence[str] = SCRIPTS, styles: Sequence[str] = ("page.css",)) -> str:
    """The page of this body (markup, as is `title`), its script and style made of these files; the script finds `data`."""
    style, script = "\n".join(map(_asset, styles)), '"use strict";\n' + "\n".join(map(_asset, scripts))
    policy = (f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
              "media-src data: blob:; base-uri 'none'; form-action 'none'")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
<script type="application/json" id="data">{json_block(data)}</script>
<script>{script}</script>
</body>
</html>
"""
