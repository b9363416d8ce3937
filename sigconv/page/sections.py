"""The sections of the page, each a function from what was heard to markup; `document` puts them in order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import arrays
from .clips import Clip
from .figures import map_figure, response_map
from .filters import delay_words, response_figure, taps_figure
from .maps import level_figures
from .markup import base64_url, element, heading, number, signed, text
from .sounds import RANGE, clock, hertz, legend, spectrogram_cells, spectrogram_figure, waveform_figure

if TYPE_CHECKING:
    from ..domain import Domain
    from ..hear import Listening
    from ..signal import Signal

__all__ = ["PLAY", "SHOWN", "about", "first", "header", "kernels", "key", "looks", "maps", "numbers", "player", "sentence",
           "sounding"]

SPECTROGRAMS = 150_000  # bytes of base64 for all spectrograms
SHOWN = 12  # takes with pictures
FILTERS = 3  # of a bank in the plane or in space, with pictures
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
    beside = f" <small>{text(', '.join(listening.chain))}</small>" if listening.chain else ""
    title = f'<span class="dry">{text(source, 120)}</span>' + (f" <small>through</small> {names}{more}{beside}" if takes else "")
    words = "".join(f'<p class="lede">{sentence(describe(take.given or take.kernel, take.name), take.name)}</p>'
                    for take in takes[:SHOWN])
    return f"<header><h1>{title}</h1>{words}</header>"


def sentence(words: str, name: str) -> str:
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
<button type="button" id="play" class="play" aria-label="Play">{PLAY}</button>
<div id="tracks" class="tracks" role="group" aria-label="What is heard">{buttons}</div>
<button type="button" id="loop" aria-pressed="false">Loop</button><span id="clock" class="clock">0:00.0</span></div>
{STAGE if staged else ""}<div id="seek" class="seek" role="slider" tabindex="0" aria-label="Position" aria-valuemin="0"
aria-valuemax="0" aria-valuenow="0">
<svg id="strip" class="strip"><defs><clipPath id="past"><rect id="heard" x="0" y="0" width="0" height="400"/></clipPath></defs>
<svg width="100%" height="100%" viewBox="0 0 1000 400" preserveAspectRatio="none"><path class="all"/>
<path class="past" clip-path="url(#past)"/></svg>
<line id="head" class="now" x1="0" x2="0" y1="0" y2="100%"/></svg></div>
<p id="said" class="said" role="status"></p>
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
    gains = [listening.gain, *(take.gain for take in listening.takes)]
    names = ["Before", *("After" if len(clips) <= 2 else clip.name for clip in shown[1:])]
    parts = [f'<div>{heading(name, _decibels(gain), clip.id != "dry")}{wave}{levels}</div>'
             for clip, name, gain, (wave, levels) in zip(shown, names, gains, sounding(shown, names, rate), strict=False)]
    words = "Waveform, and below it the spectrogram: time runs to the right, pitch upwards, brighter is stronger. Drawn as\n" \
            "heard, all on one scale and with the same colours; 0 dB is the strongest spot of them all."
    return f"""<section id="look"><h2>{"What is heard" if listening.map is not None else "Before and after"}</h2>
<p class="quiet">{words}{first(listening)}</p>
<div class="pair">{"".join(parts)}</div>{key()}</section>"""


def key(name: str = "scale") -> str:
    """What the colours of spectrograms stand for."""
    return f'<div class="key">{legend(name)}<span class="quiet">{number(-RANGE)} dB to 0 dB</span></div>'


def sounding(clips: list[Clip], names: list[str], rate: float, bytes_: int = SPECTROGRAMS) -> list[tuple[str, str]]:
    """(waveform, spectrogram) of each clip, all on one scale and with the same colours."""
    seconds = clips[0].data.shape[-1] / rate
    peak = max((float(abs(clip.data).max(initial=0)) for clip in clips), default=0.0) or 1.0
    cells = max(bytes_ / len(clips) * 0.75 / 0.72, 4000)
    rows = 176 if cells > 40_000 else 96
    columns = int(min(max(cells // rows, 60), 640))
    found = [spectrogram_cells(clip.data, rate, columns, rows) for clip in clips]
    reference = max((float(m.max(initial=0)) for m in found), default=0.0)
    fine = 500 if len(clips) <= 3 else max(1500 // len(clips), 100)
    return [(waveform_figure(clip.data, seconds, peak, clip.kind, f"waveform, {name}", fine),
             spectrogram_figure(cell, reference, rate, seconds, f"spectrogram, {name}"))
            for clip, cell, name in zip(clips, found, names, strict=True)]


def maps(listening: Listening, seconds: float) -> str:
    """The spectrograms that the kernels moved over, before and after."""
    parts = [f'<div>{heading(name, "", bool(i))}{figure}</div>'
             for i, (name, figure) in enumerate(level_figures(listening, SHOWN, seconds))]
    return f"""<section id="maps"><h2>The spectrogram, before and after</h2>
<p class="quiet">The kernel moved over this picture, the phases following its magnitudes, and what it left was made sound again.
Time runs to the right, frequency upwards on a linear axis, as on the grid that the kernel moves over; one colour scale, 0 dB is
the strongest spot of all.</p>
<div class="pair">{"".join(parts)}</div>{key("maps-scale")}</section>"""


def _decibels(gain: float) -> str:
    return f"{signed(20 * np.log10(gain))} dB" if gain > 0 else "gain 0"


def first(listening: Listening) -> str:
    """Where more was heard than is drawn."""
    many = len(listening.takes)
    return f" Drawn are the first {SHOWN} of {many} results; all {many} can be heard above." if many > SHOWN else ""


def kernels(listening: Listening) -> str:
    """The taps and the response of each kernel."""
    many = len(listening.takes)
    blocks = [f'<div class="block"><h3 class="after">{text(take.name)}</h3>{_kernel(take.kernel)}</div>'
              for take in listening.takes[:SHOWN]]
    if not blocks:
        return ""
    more = f" Drawn are the first {SHOWN} of {many} kernels." if many > SHOWN else ""
    over = "signal" if listening.map is None else "spectrogram"
    then = " Then what they do to each frequency." if any(take.kernel.domain.ndim < 3 for take in listening.takes) else ""
    return f"""<section id="kernel"><h2>The kernel{"s" if len(blocks) > 1 else ""}</h2>
<p class="quiet">First the taps, which slide over the {over}: each output is a sum of inputs, weighted by
them.{then}{more}</p>{"".join(blocks)}</section>"""


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
    taps, omega = arrays.to_numpy(k.data), k.domain
    rows = []
    for j, h in enumerate(taps.reshape(-1, *omega.shape)[:FILTERS]):
        name = f"{k.channels[j]}: " if k.channels and taps.size > omega.size and j < len(k.channels) else ""
        parts = [("taps", h)] if not np.iscomplexobj(h) else [("taps, real part", h.real), ("imaginary part", h.imag)]
        found = [map_figure(cut, f"{name}{part}{where}, {number(float(v.min()))} … {number(float(v.max()))}")
                 for part, v in parts for cut, where in _cuts(v, omega)]
        if h.ndim == 2:
            top = number(float(20 * np.log10(max(abs(np.fft.fft2(h, (65, 65))).max(), 1e-12))))
            turned = h[::-1] if _mixed(omega) else h
            found.append(response_map(turned, f"{name}gain over {_frequencies(omega)}, at most {top} dB"))
        rows.append("".join(found))
    rows = rows if omega.ndim == 3 else ["".join(rows)]
    return "".join(f'<div class="gallery maps">{row}</div>' for row in rows)


def _mixed(omega: Domain) -> bool:
    """Whether the axes differ in kind, as frequency and time do: then the first runs upwards."""
    return len(set(omega.unit)) > 1 and omega.ndim == 2


def _cuts(h: np.ndarray, omega: Domain) -> list[tuple[np.ndarray, str]]:
    """The map of taps, in three dimensions three slices through the origin, and in words how large it is and where it lies."""
    if h.ndim == 3:
        at = [min(max(-int(s), 0), n - 1) for s, n in zip(omega.start, omega.shape, strict=True)]
        spots = omega.position(*at)
        return [(np.take(h, at[i], axis=i), f" at {omega.name[i]} = {number(spots[i])} {omega.unit[i]}") for i in range(3)]
    size = " × ".join(map(str, h.shape))
    if not _mixed(omega):
        return [(h, f" {size}")]
    sides = [(n * float(step), unit) for n, step, unit in zip(h.shape, omega.step, omega.unit, strict=True)]
    spans = " × ".join(hertz(v) if unit == "Hz" else clock(v, v) if unit == "s" else f"{number(v)} {unit}" for v, unit in sides)
    return [(h[::-1], f" {size} ({spans}; {omega.name[0]} upwards, {omega.name[1]} to the right)")]


def _frequencies(omega: Domain) -> str:
    """What the response of taps in the plane is drawn over."""
    if not _mixed(omega):
        return "frequency, 0 in the middle"
    return f"ripples along {omega.name[0]} (upwards) and along {omega.name[1]} (to the right), steady in the middle"


def numbers(listening: Listening, changes: Sequence[str] | None = None) -> str:
    """Everything measured, a column for dry and for each take."""
    if changes is None:
        from ..study import changed

        changes = [str(changed(listening.dry, take.wet)) for take in listening.takes]
    takes, sound = listening.takes, listening.sound
    lines = listening.whole or tuple(s.domain for s in (sound, *(take.sound for take in takes)))
    rate, n = float(sound.rate), lines[0].shape[0]
    heads = "".join(f'<th scope="col">{text(name, 60)}</th>' for name in ("Dry", *(take.name for take in takes)))
    every: tuple[Any, ...] = (listening, *takes)
    rows = [("Total gain", [f"× {listening.gain:.9g}", *(f"× {take.gain:.9g}" for take in takes)]),
            ("in dB", [_decibels(each.gain) for each in every]),
            ("Loudness before gain", [f"{signed(each.loudness)} LUFS" for each in every]),
            ("as heard", [f"{signed(each.loudness + _db(each.gain))} LUFS" for each in every]),
            ("True peak before gain", [f"{signed(each.true_peak)} dBTP" for each in every]),
            ("as heard", [f"{signed(each.true_peak + _db(each.gain))} dBTP" for each in every]),
            ("Channels", [str(s.data.shape[0] if s.data.ndim > 1 else 1) for s in (sound, *(take.sound for take in takes))]),
            ("Length", [_length(line, rate) for line in lines])]
    if all(take.kernel.domain.ndim == 1 for take in takes):
        rows.insert(6, ("Delay of the kernel", ["–", *(delay_words(take.kernel) for take in takes)]))
    rows.append(("What changed", ["–", *changes]))
    body = "".join(f'<tr><th scope="row">{text(name)}</th>{"".join(f"<td>{text(v, 600)}</td>" for v in values)}</tr>'
                   for name, values in rows)
    match = f"matched to the dry sound by {listening.match}" if listening.match != "none" else "not matched in level"
    guard = "one guard gain for all keeps every true peak at or below −1 dBTP" if listening.guard else "no guard against clipping"
    made = "convolution" if listening.map is None else "sound of the convolved spectrogram"
    held = f" The sound file holds the {made} times the total gain." if listening.dry.domain.ndim == 1 else ""
    return f"""<section id="numbers"><h2>Numbers</h2>
<p class="quiet">{number(rate, 7)} samples a second, {n} of them. Results are {match}; {guard}.{held}</p>
<div class="scroll"><table><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table></div>
{_notes(listening)}</section>"""


def _length(line: Domain, rate: float) -> str:
    n = line.shape[0]
    return f"{n} sample{'' if n == 1 else 's'}, {number(n / rate)} s"


def _db(gain: float) -> float:
    return 20 * float(np.log10(gain)) if gain > 0 else float("-inf")


def _notes(listening: Listening) -> str:
    notes = [*listening.notes, *(f"{take.name}: {note}" for take in listening.takes for note in take.notes)]
    return "<ul>" + "".join(f"<li>{text(note, 500)}</li>" for note in notes) + "</ul>" if notes else ""


def about() -> str:
    """Where the page comes from."""
    from .. import __version__ as version

    date = _date()
    when = f", {text(date)}" if date else ""
    return (f"<footer>Made by sigconv {text(version)}{when}. One file that asks no network for anything: keep it, send it, "
            "open it anywhere.</footer>")


def _date() -> str:
    """The date that SOURCE_DATE_EPOCH fixes, or none."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return f"{datetime.fromtimestamp(int(epoch), UTC):%Y-%m-%d %H:%M} UTC" if epoch.isdecimal() and len(epoch) < 12 else ""
