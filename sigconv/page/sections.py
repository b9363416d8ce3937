"""The sections of the page, each a function from what was heard to markup; `document` puts them in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import arrays
from ..pictures import signed as signed_kernel
from .clips import Clip
from .filters import delay_words, response_figure, taps_figure
from .markup import base64_url, element, number, signed, text
from .pictures import Picture, brighter, full_scale, is_signed, map_figure, picture_figure, planes, response_map
from .sounds import RANGE, legend, spectrogram_cells, spectrogram_figure, waveform_figure

if TYPE_CHECKING:
    from ..hear import Listening, Take
    from ..signal import Signal

__all__ = ["about", "header", "kernels", "looks", "numbers", "pictures", "player"]

SPECTROGRAMS = 150_000  # bytes of base64 for all spectrograms
PICTURES = 300_000  # and for all pictures of an image or a volume
SHOWN = 12  # takes with pictures
PLAY = ('<svg viewBox="0 0 24 24" aria-hidden="true"><path class="triangle" d="M7 4v16l13-8z"/>'
        '<path class="bars" d="M6 4h4v16H6zM14 4h4v16h-4z"/></svg>')

STAGE = """<figure id="stage" hidden><div><canvas id="seen" role="img"></canvas><i id="row"></i></div>
<figcaption id="seen-words"></figcaption></figure>
"""


def header(listening: Listening, source: str) -> str:
    """What is on the page, and in a sentence each what the kernels do."""
    from ..study import describe

    takes = listening.takes
    names = ", ".join(f'<span class="wet">{text(take.name, 80)}</span>' for take in takes[:SHOWN])
    more = f" and {len(takes) - SHOWN} more" if len(takes) > SHOWN else ""
    title = f'<span class="dry">{text(source, 120)}</span>' + (f" <small>through</small> {names}{more}" if takes else "")
    words = "".join(f'<p class="lede">{_sentence(describe(take.kernel, take.name), take.name)}</p>' for take in takes[:SHOWN])
    return f"<header><h1>{title}</h1>{words}</header>"


def _sentence(words: str, name: str) -> str:
    """The sentence, the kernel's name in it set off."""
    return f"<b>{text(name)}</b>{text(words.removeprefix(name), 600)}" if words.startswith(name) else text(words, 600)


def player(clips: list[Clip], neighbours: list[dict[str, Any]], said: list[str], rate: float, staged: bool = False) -> str:
    """The player, with a stage for the picture that is heard; without scripts the clips stand as plain players."""
    tracks = [(clip.name, clip.id, clip.kind) for clip in clips] + [("Difference", "difference", "difference")] * (len(clips) > 1)
    buttons = "".join(element("button", text(name, 60), type="button", data_track=name_id, data_kind=kind, aria_pressed="false")
                      for name, name_id, kind in tracks)
    plain = "".join(f'<p>{text(clip.name)}</p><audio id="clip-{i}" controls preload="none" aria-label="{text(clip.name)}" '
                    f'src="{base64_url(clip.wav, "audio/wav")}"></audio>' for i, clip in enumerate(clips))
    notes = "".join(f'<p class="quiet">{text(note)}</p>' for note in said)
    if rate < 3000:
        notes += '<p class="quiet">Sampled too slowly for a loudspeaker: each sample is repeated, the speed is kept.</p>'
    return f"""<section id="listen" aria-label="Listen"><div class="scripted"><div class="controls">
<button type="button" id="play" aria-label="Play">{PLAY}</button>
<div id="tracks" role="group" aria-label="What is heard">{buttons}</div>
<button type="button" id="loop" aria-pressed="false">Loop</button><span id="clock">0:00.0</span></div>
{STAGE if staged else ""}<div id="seek" role="slider" tabindex="0" aria-label="Position" aria-valuemin="0" aria-valuemax="0"
aria-valuenow="0">
<svg id="strip"><defs><clipPath id="past"><rect id="heard" x="0" y="0" width="0" height="400"/></clipPath></defs>
<svg width="100%" height="100%" viewBox="0 0 1000 400" preserveAspectRatio="none"><path class="all"/>
<path class="past" clip-path="url(#past)"/></svg>
<line id="head" x1="0" x2="0" y1="0" y2="100%"/></svg></div>
<p id="said" role="status"></p>
<p class="hint keys"><kbd>space</kbd> plays and pauses, <kbd>←</kbd> <kbd>→</kbd> move,
<kbd>1</kbd> <kbd>2</kbd> <kbd>3</kbd> … switch at the same place, <kbd>L</kbd> loops.</p></div>
<div class="plain">{plain}</div>{notes}{_near(neighbours, staged)}</section>"""


def _near(neighbours: list[dict[str, Any]], staged: bool) -> str:
    if not neighbours:
        return ""
    chips = "".join(element("button", text(k["name"]), type="button", data_near=i, title=k["words"], aria_pressed="false")
                    for i, k in enumerate(neighbours))
    words = "The same picture through a neighbour, convolved here in the page: seen above, heard beside the others." if staged \
        else "The same sound through a neighbour, convolved here in the page and put beside the others."
    return f"""<div class="scripted more"><h2>Try another kernel</h2>
<p class="quiet">{words}</p>
<div class="chips">{chips}</div><div id="near" hidden><p id="near-words"></p><div class="pair">
<div><h3>Taps</h3><div id="near-taps"></div></div><div><h3>Response</h3><div id="near-response"></div></div></div></div></div>"""


def looks(clips: list[Clip], rate: float, listening: Listening) -> str:
    """Waveforms and spectrograms, before and after, as heard."""
    shown = clips[: SHOWN + 1]
    seconds = shown[0].data.shape[-1] / rate
    peak = max((float(abs(clip.data).max(initial=0)) for clip in shown), default=0.0) or 1.0
    cells = max(SPECTROGRAMS / len(shown) * 0.75 / 0.72, 4000)
    rows = 176 if cells > 40_000 else 96
    columns = int(min(max(cells // rows, 60), 640))
    maps = [spectrogram_cells(clip.data, rate, columns, rows) for clip in shown]
    reference = max((float(m.max(initial=0)) for m in maps), default=0.0)
    fine = 500 if len(shown) <= 3 else max(1500 // len(shown), 100)
    gains = [listening.gain, *(take.gain for take in listening.takes)]
    parts = []
    for clip, cell, gain in zip(shown, maps, gains, strict=False):
        name = "Before" if clip.id == "dry" else "After" if len(clips) <= 2 else clip.name
        parts.append(f'<div><h3 class="{"before" if clip.id == "dry" else "after"}">{text(name)} '
                     f'<span class="quiet">{_decibels(gain)}</span></h3>'
                     + waveform_figure(clip.data, seconds, peak, clip.kind, f"waveform, {name}", fine)
                     + spectrogram_figure(cell, reference, rate, seconds, f"spectrogram, {name}") + "</div>")
    scale = f'<div class="key">{legend()}<span class="quiet">{number(-RANGE)} dB to 0 dB</span></div>'
    return f"""<section id="look"><h2>Before and after</h2>
<p class="quiet">Waveform, and below it the spectrogram: time runs to the right, pitch upwards, brighter is stronger. Drawn as
heard, all on one scale and with the same colours; 0 dB is the strongest spot of them all.{_first(listening)}</p>
<div class="pair">{"".join(parts)}</div>{scale}</section>"""


def _decibels(gain: float) -> str:
    return f"{signed(20 * np.log10(gain))} dB" if gain > 0 else "gain 0"


def pictures(listening: Listening) -> str:
    """An image or the middle slices of a volume: before, after and difference on one scale."""
    dry, takes = listening.dry, listening.takes[:SHOWN]
    scale, before = full_scale(dry), planes(dry)
    swings = is_signed(before, scale)
    groups = [_Group("before", before, swings, seen="seen-dry")]
    for i, take in enumerate(takes, 1):
        groups += _results(take, "after" if len(takes) == 1 else take.name, scale, swings, f"t{i}")
        if take.wet.value == dry.value and take.wet.domain == dry.domain:
            name = "after" if len(takes) == 1 else take.name
            groups.append(_Group(f"difference, {name} minus before", planes(take.wet - dry), True, seen=f"seen-difference-t{i}"))
    alone = dry.domain.ndim == 2 and len(before) == 1
    count = sum(len(group.found) for group in groups)
    share = PICTURES * 3 // 4 // max(count + 2 * alone, 1)  # neighbours are made from the one before: it gets thrice the bytes
    rows = ["".join(picture_figure(p, scale, g.swings, 3 * share if alone and g is groups[0] else share, g.name, g.factor,
                                   g.seen if alone and not j else None) for j, p in enumerate(g.found)) for g in groups]
    body = "".join(f'<div class="block"><div class="gallery">{row}</div></div>' for row in rows) if dry.domain.ndim == 3 else \
        f'<div class="gallery">{"".join(rows)}</div>'
    words = f"Black is 0 and white {number(scale)}, the same for all; what lies beyond is drawn as black or white."
    if any(g.swings for g in groups):
        words += (f" Where values swing around 0, as in a difference, 0 is middle grey, {number(scale)} white and "
                  f"{number(-scale)} black.")
    if any(g.factor > 1 for g in groups):
        words += " Faint results are shown brighter, by the factor that stands below them."
    return f'<section id="look"><h2>Before and after</h2><p class="quiet">{words}{_first(listening)}</p>{body}</section>'


@dataclass(frozen=True)
class _Group:
    """Pictures that are shown alike; `swings` around 0, `factor` times brighter; the first is found by its id `seen`."""

    name: str
    found: list[Picture]
    swings: bool
    factor: int = 1
    seen: str | None = None


def _results(take: Take, name: str, scale: float, swings: bool, track: str) -> list[_Group]:
    """What a kernel made: of a bank all filters together, then each."""
    found, together, flat = planes(take.wet), _together(take), signed_kernel(take.kernel)
    factor = brighter(together or found, scale) if flat else 1
    own = _Group(name, found, flat or swings, factor, None if together else f"seen-{track}")
    return [_Group(name, together, False, factor, f"seen-{track}"), own] if together else [own]


def _first(listening: Listening) -> str:
    """Where more was heard than is drawn."""
    many = len(listening.takes)
    return f" Drawn are the first {SHOWN} of {many} results; all {many} can be heard above." if many > SHOWN else ""


def _together(take: Take) -> list[Picture]:
    """Of a bank also the picture of all filters together, as it is written to an image file."""
    if len(take.wet.value) < 2 or take.wet.value[-1] < 2:
        return []
    from ..pictures import picture

    seen, said = picture(take.wet, take.kernel)
    return [Picture(", ".join(filter(None, (said, p.name))), p.pixels) for p in planes(seen)]


def kernels(listening: Listening) -> str:
    """The taps and the response of each kernel."""
    many = len(listening.takes)
    blocks = [f'<div class="block"><h3 class="after">{text(take.name)}</h3>{_kernel(take.kernel)}</div>'
              for take in listening.takes[:SHOWN]]
    if not blocks:
        return ""
    more = f" Drawn are the first {SHOWN} of {many} kernels." if many > SHOWN else ""
    return f"""<section id="kernel"><h2>The kernel{"s" if len(blocks) > 1 else ""}</h2>
<p class="quiet">First the taps, which slide over the signal: each output is a sum of inputs, weighted by them. Then what they do
to each frequency.{more}</p>{"".join(blocks)}</section>"""


def _kernel(k: Signal) -> str:
    if k.domain.ndim > 1:
        return _kernel_maps(k)
    many = k.domain.shape[0]
    filters = int(np.prod(k.value)) if k.value else 1
    kind = " (solid: real part, second colour: imaginary)" if arrays.is_complex(k.data) else \
        f" of the first of {filters} filters, a colour each" if filters > 1 else ""
    return f"""<div class="pair"><figure>{taps_figure(k)}<figcaption>{many} tap{"s" if many != 1 else ""}{kind}, by place from the
origin in samples</figcaption></figure><figure>{response_figure(k)}<figcaption>Gain over frequency. Delay: {text(delay_words(k))}.
</figcaption></figure></div>"""


def _kernel_maps(k: Signal) -> str:
    taps = arrays.to_numpy(k.data)
    taps = (taps.real if np.iscomplexobj(taps) else taps).reshape(-1, *k.domain.shape)[:3]
    figures = []
    for j, h in enumerate(taps):
        name = f"{k.channels[j]}: " if k.channels and len(taps) > 1 and j < len(k.channels) else ""
        span = f"{number(float(h.min()))} … {number(float(h.max()))}"
        if h.ndim == 3:
            for axis in range(3):
                middle = h.shape[axis] // 2
                figures.append(map_figure(np.take(h, middle, axis=axis), f"{name}taps, {k.domain.name[axis]} = {middle}, {span}"))
        else:
            figures.append(map_figure(h, f"{name}taps {h.shape[0]} × {h.shape[1]}, {span}"))
            figures.append(response_map(h, f"{name}gain over frequency, 0 in the middle, at most "
                                           f"{number(float(20 * np.log10(max(abs(np.fft.fft2(h, (65, 65))).max(), 1e-12))))} dB"))
    return f'<div class="gallery maps">{"".join(figures)}</div>'


def numbers(listening: Listening, changes: Sequence[str] | None = None) -> str:
    """Everything measured, a column for dry and for each take."""
    if changes is None:
        from ..study import changed

        changes = [str(changed(listening.dry, take.wet)) for take in listening.takes]
    takes, sound = listening.takes, listening.sound
    rate, n = float(sound.rate), sound.domain.shape[0]
    heads = "".join(f'<th scope="col">{text(name, 60)}</th>' for name in ("Dry", *(take.name for take in takes)))
    every: tuple[Any, ...] = (listening, *takes)
    rows = [("Total gain", [f"× {listening.gain:.9g}", *(f"× {take.gain:.9g}" for take in takes)]),
            ("in dB", [_decibels(each.gain) for each in every]),
            ("Loudness before gain", [f"{signed(each.loudness)} LUFS" for each in every]),
            ("as heard", [f"{signed(each.loudness + _db(each.gain))} LUFS" for each in every]),
            ("True peak before gain", [f"{signed(each.true_peak)} dBTP" for each in every]),
            ("as heard", [f"{signed(each.true_peak + _db(each.gain))} dBTP" for each in every]),
            ("Channels", [str(s.data.shape[0] if s.data.ndim > 1 else 1) for s in (sound, *(take.sound for take in takes))]),
            ("Length", [_length(s, rate) for s in (sound, *(take.sound for take in takes))])]
    if listening.dry.domain.ndim == 1:
        rows.insert(6, ("Delay of the kernel", ["–", *(delay_words(take.kernel) for take in takes)]))
    rows.append(("What changed", ["–", *changes]))
    body = "".join(f'<tr><th scope="row">{text(name)}</th>{"".join(f"<td>{text(v, 600)}</td>" for v in values)}</tr>'
                   for name, values in rows)
    match = f"matched to the dry sound by {listening.match}" if listening.match != "none" else "not matched in level"
    guard = "one guard gain for all keeps every true peak at or below −1 dBTP" if listening.guard else "no guard against clipping"
    held = " The sound file holds the convolution times the total gain." if listening.dry.domain.ndim == 1 else ""
    return f"""<section id="numbers"><h2>Numbers</h2>
<p class="quiet">{number(rate, 7)} samples a second, {n} of them. Results are {match}; {guard}.{held}</p>
<div class="scroll"><table><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table></div>
{_notes(listening)}</section>"""


def _length(x: Signal, rate: float) -> str:
    n = x.domain.shape[0]
    return f"{n} sample{'' if n == 1 else 's'}, {number(n / rate)} s"


def _db(gain: float) -> float:
    return 20 * float(np.log10(gain)) if gain > 0 else float("-inf")


def _notes(listening: Listening) -> str:
    notes = [*listening.notes, *(f"{take.name}: {note}" for take in listening.takes for note in take.notes)]
    return "<ul>" + "".join(f"<li>{text(note, 500)}</li>" for note in notes) + "</ul>" if notes else ""


def about(version: str, date: str) -> str:
    """Where the page comes from."""
    when = f", {text(date)}" if date else ""
    return (f"<footer>Made by sigconv {text(version)}{when}. One file that asks no network for anything: keep it, send it, "
            "open it anywhere.</footer>")
