"""One kernel in every domain: a panel for each, all on one page, each with pictures before and after and a player."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import SigconvError
from .clips import Clip, clips, excerpt
from .document import notes, scanned_along, wanted, whole
from .figures import is_video
from .galleries import before_and_after
from .maps import level_figures
from .markup import base64_url, element, heading, text
from .sections import PLAY, about, key, sentence, sounding

if TYPE_CHECKING:
    from ..hear import Listening

__all__ = ["Panel", "across"]

SCRIPTS = ("audio.js", "player.js", "draw.js", "film.js", "players.js")
BYTES = 120_000  # of base64 for the pictures of one panel
SOUND, SCAN = 10, 6  # seconds of a sound and of a scan that are heard


@dataclass(frozen=True)
class Panel:
    """A domain on a page across domains: what was heard of the file called `source`, or why its kernel is `refused`.

    `domain` is what stands above it; "" takes it from the signal ("Sound", "Spectrogram", "Image", "Volume", "Video").
    """

    listening: Listening | None
    source: str
    refused: str = ""
    domain: str = ""


def across(panels: Sequence[Panel], *, kernel: str, bits: int = 16) -> str:
    """The page of one kernel, the first take of each panel's listening, in several domains, as text in UTF-8.

    A panel holds the sentence, pictures before and after, and a player that switches between the two at the same place; of
    all players one plays at a time. Heard are the first 10 s of a sound and at most 6 s of a scan, which its panel
    says. `bits` as in `render`.

    >>> import sigconv as sc
    >>> x = sc.Signal([[0.0, 1.0, 0.0, 0.0]], sc.line(4, 8000))
    >>> heard = sc.hear.listen(x, [("edge", sc.kernel("edge", x))])
    >>> page = across([Panel(heard, "click.wav"), Panel(None, "clip.gif", "wanted one axis")], kernel="edge")
    >>> page.count("data-panel="), "refused: wanted one axis" in page
    (1, True)

    Raises `SigconvError` for no panels, one without a take, and what is no Listening.
    """
    if not panels:
        raise SigconvError("a page across no domains: wanted at least one panel")
    parts, data = [], []
    for i, panel in enumerate(panels):
        if panel.listening is None:
            parts.append(_quiet(panel))
            continue
        wanted(panel.listening, bits)
        if not panel.listening.takes:
            raise SigconvError(f"a panel of {panel.source} without a take: wanted a kernel that it was heard through")
        part, entry = _panel(panel, panel.listening, i, bits)
        parts.append(part)
        data.append(entry)
    names = [panel.domain or _domain(panel.listening) for panel in panels if panel.listening is not None]
    title = f"{kernel} through {', '.join(dict.fromkeys(name.lower() for name in names))}"
    body = f"""<header><h1><span class="wet">{text(kernel, 80)}</span> <small>across domains</small></h1>
<p class="scripted">One kernel, one meaning in each domain. All panels play; before and after switch at the same place.</p>
</header>
<div class="panels">{"".join(parts)}</div>
{about()}"""
    return whole(text(title), body, {"panels": data}, SCRIPTS)


def _domain(listening: Listening | None) -> str:
    """What the kernel acted on, in a word."""
    if listening is None:
        return ""
    x = listening.dry
    if listening.map is not None:
        return "Spectrogram"
    return "Sound" if x.domain.unit == ("s",) else "Video" if is_video(x) else ("Line", "Image", "Volume")[x.domain.ndim - 1]


def _quiet(panel: Panel) -> str:
    """The panel of a domain that this kernel has no meaning in."""
    name = text(panel.domain or "Refused")
    return (f'<section class="refused"><h2>{name} <span class="quiet">{text(panel.source, 80)}</span></h2>'
            f'<p class="quiet">refused: {text(panel.refused, 400)}</p></section>')


def _panel(panel: Panel, listening: Listening, i: int, bits: int) -> tuple[str, dict[str, Any]]:
    """The markup of a panel, and what the script is to know of it."""
    from ..study import describe

    dry, take = listening.dry, listening.takes[0]
    scanned, n = dry.domain.unit != ("s",), listening.sound.domain.shape[0]
    heard, rate, said = clips(listening, bits, SCAN if scanned else SOUND, 2, middle=scanned)
    first, keep = excerpt(n, rate, SCAN, True) if scanned else (0, n)
    pictures = _pictures(listening, heard, rate, f"scale-{i}")
    tracks = "".join(element("button", "Before" if clip.id == "dry" else "After", type="button", data_track=clip.id,
                             data_kind=clip.kind, aria_pressed="false") for clip in heard)
    plain = "".join(f'<p>{"Before" if clip.id == "dry" else "After"}</p><audio id="clip-{i}-{clip.id}" controls preload="none" '
                    f'src="{base64_url(clip.wav, "audio/wav")}"></audio>' for clip in heard)
    name = panel.domain or _domain(listening)
    remarks = "".join(f'<p class="quiet">{text(note, 300)}</p>' for note in (*said, *listening.notes, *take.notes))
    part = f"""<section class="panel" data-panel="{i}" aria-label="{text(name)}">
<h2>{text(name)} <span class="quiet">{text(panel.source, 80)}</span></h2>
<p>{sentence(describe(take.given or take.kernel, take.name), take.name)}</p>{pictures}<div class="scripted"><div class="controls">
<button type="button" class="play" aria-label="Play">{PLAY}
</button><div class="tracks" role="group" aria-label="What is heard">{tracks}</div><span class="clock">0:00.0</span></div>
<div class="seek" role="slider" tabindex="0" aria-label="Position" aria-valuemin="0" aria-valuemax="0" aria-valuenow="0">
<svg class="strip"><defs><clipPath id="past-{i}"><rect class="heard" x="0" y="0" width="0" height="400"/></clipPath></defs>
<svg width="100%" height="100%" viewBox="0 0 1000 400" preserveAspectRatio="none"><path class="all"/>
<path class="past" clip-path="url(#past-{i})"/></svg><line class="now" x1="0" x2="0" y1="0" y2="100%"/></svg></div>
<p class="said" role="status"></p></div><div class="plain">{plain}</div>{remarks}</section>"""
    down = dry.domain.ndim == 2 and not scanned_along(listening)
    return part, {"rate": rate, "from": first / n, "reach": keep / n, "down": down,
                  "clips": [{"id": clip.id, "kind": clip.kind, "element": f"clip-{i}-{clip.id}", "note": note}
                            for clip, note in zip(heard, notes(listening), strict=False)]}


def _pictures(listening: Listening, heard: list[Clip], rate: float, scale: str) -> str:
    """Before and after in the panel's own domain."""
    if listening.dry.domain.ndim > 1:
        return before_and_after(listening, BYTES)
    if listening.map is not None:
        found = level_figures(listening, 1, heard[0].data.shape[-1] / rate, BYTES)
    else:
        names = ["Before", "After"]
        found = [(name, levels) for name, (_, levels) in zip(names, sounding(heard, names, rate, BYTES), strict=True)]
    parts = "".join(f'<div>{heading(name, "", bool(i))}'
                    f'<div class="seen" data-follow="{"t1" if i else "dry"}">{figure}<i></i></div></div>'
                    for i, (name, figure) in enumerate(found))
    return f'<div class="stack">{parts}</div>{key(scale)}'
