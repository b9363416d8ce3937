"""`sigconv match`: where templates are in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from .common import Talk, array_options, complete, emit, kernel_for, loaded, talk_options

LOOKS = 80  # places a template's length at which steady tones are looked for
PICTURES = (".png", ".svg", ".pdf")
SHOWN = 40


@click.command(epilog="\b\nExamples:\n  sigconv match song.flac --bank piano -o song.mid\n"
                      "  sigconv match take.wav --template take.wav@0.2-0.35 -o hits.json\n"
                      '  sigconv match --bank piano --rule "Ab6 then Eb6 within 0.4s"')
@click.option("-b", "--bank", "banks", multiple=True, metavar="BANK", shell_complete=complete,
              help="Several templates at once: piano, or a kernel of many channels.")
@click.option("-t", "--template", "templates", multiple=True, metavar="K", shell_complete=complete,
              help="One template, as listen takes kernels: note:A4, motif.wav, a.ogg@0.2-0.35, taps.")
@click.option("--between", nargs=2, type=float, metavar="LOW HIGH", help="Of a bank, only the notes between these, in Hz.")
@click.option("--rule", metavar="TEXT", help='What must hold: "Ab6 then Eb6 within 0.4s"; and, or, not, brackets.')
@click.option("--p", type=click.FloatRange(0, 1), metavar="P", help="At most so probable by chance.  [default: 0.001]")
@click.option("--threshold", type=click.FloatRange(0, 1), metavar="COS", help="Cosine at least this, instead of --p.")
@click.option("--across", type=click.Choice(["similar", "all", "none"]), default="similar", show_default=True,
              help="Which templates compete for one place.")
@click.option("--either", is_flag=True, help="Count copies that are upside down.")
@click.option("--centred", is_flag=True, help="Take the mean of each piece away first, as bright pictures want.")
@click.option("--resample", is_flag=True, help="Bring templates at another rate to the file's.")
@click.option("-o", "--output", metavar="PATH", help="Events to write (.json), notes (.mid), or a picture (.png, .svg, .pdf).")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@array_options
@talk_options
@click.argument("path", metavar="[FILE]", required=False)
def match(path: str | None, banks: tuple[str, ...], templates: tuple[str, ...], between: tuple[float, float] | None,
          rule: str | None, output: str | None, force: bool, centred: bool, resample: bool, rate: float | None,
          channels: str | None, talk: Talk, **limits: Any) -> None:
    """Find templates in a file: the notes of a melody, a motif in a recording, a patch in a picture.

    Without FILE the chime that comes along is searched. Each template is slid over the file; what counts is the cosine between
    it and the piece under it, 1 for a copy at any loudness, and how probable such a cosine is by chance.
    """
    from sigconv import io
    from sigconv.errors import UsageError

    if not banks and not templates:
        raise UsageError("nothing to look for: wanted --bank piano, or --template K")
    if output and Path(output).suffix.lower() not in (".json", ".mid", ".midi", *PICTURES):
        raise UsageError(f"output {output}: wanted a name that ends in .json, .mid, {', '.join(PICTURES)}")
    path = path or str(io.sample("chime"))
    x = loaded(path, rate, channels)
    given = [one for spec in banks for one in _bank(spec, x, between)]
    given += [_template(spec, x, resample, talk) for spec in templates]
    found = _found(x, given, centred)
    events = found.events(**limits)
    ruled = events.rule(rule) if rule else None
    if output:
        _write(Path(output), found, events if ruled is None else ruled, path, force)
    usual = limits["p"] is None and limits["threshold"] is None
    _tell(path, found, events, rule, ruled, output, talk, "p < 0.001" if usual else "")


def _bank(spec: str, x: Any, between: tuple[float, float] | None) -> list[Any]:
    """The templates of a bank by name, between two frequencies where these are given."""
    import sigconv
    from sigconv.errors import UsageError

    k = sigconv.kernel(spec, x.domain)
    if len(k.value) != 1:
        raise UsageError(f"--bank {spec!r}: one filter; wanted a bank such as piano, or --template {spec}")
    names = k.channels or [f"{spec} {i + 1}" for i in range(k.value[0])]
    each = [(name, sigconv.Signal(taps, k.domain)) for name, taps in zip(names, k.data, strict=True)]
    if between is None:
        return each
    try:
        kept = [i for i, name in enumerate(names) if between[0] <= sigconv.scales.note_to_hz(name) <= between[1]]
    except sigconv.SigconvError:
        raise UsageError(f"--between with --bank {spec!r}: its filters are not named after notes; wanted piano") from None
    if not kept:
        raise UsageError(f"--between {between[0]:g} {between[1]:g}: no note of {spec} lies there; wanted e.g. 780 1800")
    return [each[i] for i in kept]


def _template(spec: str, x: Any, resample: bool, talk: Talk) -> Any:
    """(name, kernel), its channels averaged where the file has others."""
    import numpy as np

    import sigconv
    from sigconv.specs import slug

    k = kernel_for(spec, x, resample, talk)
    if len(k.value) == 1 and k.value != x.value and k.domain.unit == ("s",):
        talk.say(f"note: template {spec!r}: the mean of its {k.value[0]} channels")
        k = sigconv.Signal(np.asarray(k.data).mean(0), k.domain)
    return slug(spec) if os.sep in spec else spec, k


def _found(x: Any, given: list[Any], centred: bool) -> Any:
    """The matching; steady tones, which change slowly, are looked for at every few samples."""
    import numpy as np

    import sigconv

    slow = x.domain.ndim == 1 and all(np.iscomplexobj(k.data) for _, k in given)
    stride = max(min(k.domain.shape[0] for _, k in given) // LOOKS, 1) if slow else 1
    return sigconv.match(x, given, stride=stride, centred=centred)


def _write(where: Path, found: Any, events: Any, path: str, force: bool) -> None:
    from sigconv import io, matching

    with io.Outputs(overwrite=force, inputs=[] if path == "-" else [path]) as out:
        if where.suffix.lower() in PICTURES:
            from sigconv import see

            figure = see.scores(found, events).figure
            kind = where.suffix.lstrip(".").lower()
            figure.savefig(out.open(where), format=kind, metadata={} if kind == "png" else None)
        else:
            text = events.json().encode() + b"\n" if where.suffix.lower() == ".json" else matching.midi(events.notes())
            out.open(where).write(text)


def _tell(path: str, found: Any, events: Any, rule: str | None, ruled: Any, output: str | None, talk: Talk, limit: str) -> None:
    many = len(found.templates)
    rows = [("found", f"{len(events)} event{'s' * (len(events) != 1)} of {many} template{'s' * (many != 1)}"
             + f", {limit}" * bool(limit))]
    rows += [(_place(e, found.scores.domain), _line(e, talk.verbose)) for e in events[:SHOWN]]
    rows += [("", f"… {len(events) - SHOWN} more: --json, or -o events.json")] * (len(events) > SHOWN)
    data: dict[str, Any] = {"file": path, "templates": [t.name for t in found.templates], "events": [e.facts() for e in events]}
    if ruled is not None:
        at = ", ".join(_place(e, found.scores.domain) for e in ruled[:5])
        rows.append(("rule", f"{rule}: {f'true, at {at}' if ruled else 'false'}"))
        data["rule"] = {"text": rule, "holds": bool(ruled), "events": [e.facts() for e in ruled]}
    if output:
        rows.append(("written", output if Path(output).is_absolute() else f"./{output}"))
        data["written"] = output
    emit(talk, rows, data)


def _place(e: Any, domain: Any) -> str:
    """Where an event begins, in the axes' units."""
    if domain.ndim == 1:
        return f"{max(e.start, 0) if abs(e.start) < 0.05 else e.start:.3f} {domain.unit[0]}".rstrip()
    return ", ".join(f"{name} {begin:.4g}" for (begin, _), name in zip(e.extent, domain.name, strict=True))


def _line(e: Any, more: bool) -> str:
    """An event in a row."""
    parts = [f"{e.name:<4}", f"cosine {e.score:.3f}".replace("-", "−"), f"p {e.p:.0e}" if e.p else "p 0"]
    if len(e.extent) == 1:
        parts.insert(1, f"{e.stop - e.start:.3f} long")
    if more and e.beaten:
        parts.append("before " + ", ".join(f"{b.name} {b.score:.2f}" for b in sorted(e.beaten, key=lambda b: -abs(b.score))[:3]))
    return "  ".join(parts)
