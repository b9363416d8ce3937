"""`sigconv listen`: filter, hear, see."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .common import Talk, array_options, chain_options, each, emit, files, kernel_for, kernel_option, loaded, talk_options
from .long import opened
from .samples import sample_for
from .together import joint, together_option, wanted

if TYPE_CHECKING:
    from sigconv.signal import Signal

    from .places import Places


EARS = ("match", "guard", "mode", "padding_mode", "on", "then", "mix", "wet", "scan", "along")  # options of hear.listen
JOINT = ("rate", "channels", "resample", "force")  # and of the page across all files
FINE = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_24", "ALAC_32")  # sounds that 16 bits on the page would coarsen


@click.command(epilog="\b\nWithout FILE a sample that comes along is heard; - is WAV from standard input.")
@kernel_option
@click.option("-o", "--output", metavar="PATH",
              help="The sound to write (the page stands beside it: out.wav, out.html); a folder for several kernels or files; "
                   "- writes WAV to standard output. Default: ./STEM.KERNEL.wav, the next free number on a second run.")
@click.option("--match", type=click.Choice(["loudness", "rms", "peak", "none"]), default="loudness", show_default=True,
              help="What of a result is made equal to the file's.")
@click.option("--guard/--no-guard", default=True, help="One common gain that keeps every peak below -1 dBTP.  [default: guard]")
@click.option("--mode", type=click.Choice(["same", "full", "valid"]), default="same", show_default=True,
              help="same: as long as the file; full: with the kernel's tail.")
@click.option("--padding-mode", type=click.Choice(["zeros", "reflect", "symmetric", "replicate", "circular"]), default="zeros",
              show_default=True, help="What lies beyond the ends.")
@chain_options
@array_options
@click.option("--resample", is_flag=True, help="Bring kernels at another rate to the file's.")
@click.option("--subtype", metavar="TYPE", help="Sample format of the sound, e.g. PCM_16, PCM_24.  [default: FLOAT]")
@together_option
@click.option("--page/--no-page", default=True, help="Write the page.  [default: page]")
@click.option("--open/--no-open", "opens", default=None, help="Open the page in a browser.  [default: on a desktop]")
@click.option("--play", is_flag=True, help="Play dry, then each result, where there is a sound device.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@talk_options
@click.argument("names", metavar="[FILE]...", nargs=-1)
@click.pass_context
def listen(ctx: click.Context, names: tuple[str, ...], kernels: tuple[str, ...], output: str | None, talk: Talk,
           **options: Any) -> None:
    """Filter sounds, images or volumes with a kernel; hear and see what changed.

    Writes the filtered sound and one web page that needs nothing else: players that switch between before, after and
    difference, the taps, the response, spectrograms and numbers. An image or a volume is filtered, written, shown, and
    scanned to sound. Results are as loud as the file (--match) and never clip (--no-guard); both gains are said.

    A kernel may stand in a chain, in this order: --on what it acts, --wet beside the dry signal, --then a nonlinearity, --mix of
    channels, --scan of pictures to sound.
    """
    from sigconv.errors import UsageError

    ears, together = {name: options.pop(name) for name in EARS}, options.pop("together")
    if ears["padding_mode"] != "zeros" and ears["mode"] != "same":
        raise UsageError(f"--padding-mode {ears['padding_mode']} with --mode {ears['mode']}: only 'same' looks beyond the ends; "
                         "wanted one of the two")
    if not kernels:
        raise UsageError("no kernel: wanted --kernel K, e.g. --kernel edge; 'sigconv kernels' lists them")
    paths = files(names) or [str(sample_for(kernels, ears["on"]))]
    if output == "-" and len(paths) * len(kernels) > 1:
        raise UsageError("-o - takes one kernel and one file: standard output holds one sound")
    several = len(paths) > 1 or len(kernels) > 1 or any(Path(name).is_dir() for name in names)
    made = False
    if output not in (None, "-") and (several or str(output).endswith("/")):
        from .places import ready

        made = ready(Path(str(output)))
    taken: set[Path] = set()
    try:
        code = each(paths, lambda path: _one(path, list(kernels), output, several, taken, talk, ears, **options), talk)
        if options["page"] and output != "-" and (some := wanted(paths, together)):
            folder = Path(output or "") if several else Path(output or "").parent
            joint(some, list(kernels), folder, talk, ears, **{name: options[name] for name in JOINT})
    finally:
        if made:
            with suppress(OSError):  # a folder with results in it stays
                Path(str(output)).rmdir()
    ctx.exit(code)


def _one(path: str, specs: list[str], output: str | None, several: bool, taken: set[Path], talk: Talk,
         ears: dict[str, Any], *, rate: float | None, channels: str | None, resample: bool, subtype: str | None, page: bool,
         opens: bool | None, play: bool, force: bool) -> None:
    """One file through every kernel."""
    from sigconv import hear, io, study
    from sigconv.specs import slug

    from .places import places

    facts = {"kind": "sound"} if path == "-" else io.info(path)
    source, bits = "stdin" if path == "-" else Path(path).name, 32 if facts.get("subtype") in FINE else 16
    inputs = [] if path == "-" else [path, *(s for s in specs if Path(s).is_file())]
    tail = "".join(f".{slug(word)}" for word in _tags(ears))
    found = partial(places, "stdin" if path == "-" else Path(path).stem, [slug(spec) + tail for spec in specs], output=output,
                    several=several, taken=taken)
    if long := opened(path, facts, specs, output, rate, channels, resample, ears, talk):
        where = found("sound")
        heard, changes = long.listen(where, source, bits, inputs, subtype, page, force, talk, ears)
    else:
        dry = loaded(path, rate, channels)
        heard = hear.listen(dry, [(spec, kernel_for(spec, dry, resample, talk, ears["on"])) for spec in specs], **ears)
        changes = [str(study.changed(heard.dry, take.wet)) for take in heard.takes]
        where = found(_kind(facts["kind"], heard))
        _write(heard, where, source, bits, inputs, subtype, changes if page else None, force, talk)
    for note in heard.notes:
        talk.say(f"note: {note}")
    for i, take in enumerate(heard.takes):
        for note in take.notes:
            talk.say(f"note: {note}")
        _tell(path, take, heard, ears, changes[i], where, i, page, talk, to_stderr=output == "-", last=i == len(heard.takes) - 1)
    if play:
        for sound in (heard.sound, *(take.sound for take in heard.takes)):
            if not hear.play(sound):
                talk.say("note: no sound device here (or sounddevice is not installed: pip install 'sigconv[play]'); "
                         "the file and the page are there")
                break
    if page and where.page and (_desktop() if opens is None else opens):
        import webbrowser

        webbrowser.open(where.page.resolve().as_uri())


def _kind(kind: str, heard: Any) -> str:
    """What the results are: a sound, or what a picture can't show (many channels) as an array."""
    if heard.dry.domain.ndim == 1 and heard.dry.domain.unit == ("s",):
        return "sound"
    if kind != "image":
        return kind
    values = [take.wet.value[: len(take.wet.value) - (len(take.kernel.value) == 1)] or (1,) for take in heard.takes]
    alpha = heard.dry.channels and heard.dry.channels[-1] == "A"
    return kind if heard.dry.domain.ndim == 2 and all(value in ((1,), (3,)) or alpha for value in values) else "array"


def _tags(ears: dict[str, Any]) -> list[str]:
    """What stands beside the kernel, for the names of files."""
    wet, mix, usual = ears["wet"], ears["mix"], (None, "signal", "rows")
    said = [ears["on"], f"wet={wet:g}" if wet != 1 else None, ears["then"], "mix" if mix and "[" in mix else mix, ears["scan"]]
    return [word for word in said if word not in usual]


def _write(heard: Any, where: Places, source: str, bits: int, inputs: list[str], subtype: str | None, changes: list[str] | None,
           force: bool, talk: Talk) -> None:
    """Every result of one file together, or none; the page where `changes` are given to stand on it."""
    from sigconv import io

    if where.sounds == (Path("-"),):
        io.save(heard.takes[0].sound, "-", subtype=subtype, comment=heard.takes[0].label)
        return
    with io.Outputs(overwrite=force, inputs=inputs) as out:
        rectified = any(word.startswith("then ") for word in heard.chain)
        for take, sound, thing in zip(heard.takes, where.sounds, where.things, strict=True):
            if sound is not None:
                io.write(out.open(sound), take.sound, sound.suffix, subtype, take.label)
            if thing is not None:
                io.write(out.open(thing), _shown(take, thing, talk, rectified), thing.suffix)
        if changes is not None and where.page:
            from sigconv.page import render

            out.open(where.page).write(render(heard, source=source, bits=bits, changes=changes).encode())


def _shown(take: Any, thing: Path, talk: Talk, rectified: bool) -> Signal:
    """The result as it is, or what a picture file can hold of it."""
    if thing.suffix.lower() in (".npz", ".npy"):
        return take.wet
    import numpy as np

    from sigconv.pictures import picture

    seen, said = picture(take.wet, take.kernel, visible=True, rectified=rectified)
    if said and (share := float(np.mean((seen.data < 0) | (seen.data > 1)))):  # by our own scale: not the user's to mend
        seen = type(seen)(np.clip(seen.data, 0, 1), seen.domain, seen.names)
        said += f", {100 * share:.2g} % of it beyond black or white"
    if said:
        talk.say(f"note: {thing.name} shows {said}; for true samples name an output that ends in .npz")
    return seen


def _tell(path: str, take: Any, heard: Any, ears: dict[str, Any], changed: str, where: Places, i: int, page: bool, talk: Talk, *,
          to_stderr: bool, last: bool) -> None:
    """Four lines: what the kernel does, what changed, where the results are, what to try next."""
    from sigconv import study
    from sigconv.spectrum import decibels
    from sigconv.study.words import decibel

    sentence = _with_chain(study.describe(take.given or take.kernel, take.name), take.name, heard.chain)
    written = [p for p in (where.sounds[i], where.things[i], where.page if page and last else None) if p]
    shown = [str(p) if p.is_absolute() or str(p) == "-" else f"./{p}" for p in written]
    line, *lines = heard.whole or (heard.dry.domain, *(t.sound.domain for t in heard.takes))
    inner = line.minus(take.kernel.domain) if heard.on == "signal" else None
    whole = None if inner is None or 0 in inner.shape else inner.extent
    level, dry = (decibel(float(decibels(gain)), 2) for gain in (take.gain, heard.gain))
    equal = "" if heard.match == "none" else f" for equal {heard.match}"
    gain = f"heard at {level} (gain {take.gain:.9g}){equal}, dry at {dry}"
    data = {"file": path, "kernel": take.name, "sentence": sentence, "gain": take.gain, "gain_db": float(decibels(take.gain)),
            "dry_gain": heard.gain, **ears, "scan": take.label and heard.scan,
            "loudness_before": heard.loudness,
            "loudness_after": take.loudness, "true_peak": take.true_peak, "changed": changed,
            "channels": take.sound.value[0], "rate": take.sound.rate, "samples": lines[i].shape[0],
            "notes": list(take.notes), "whole": whole,
            "sound": str(where.sounds[i]), "page": str(where.page) if page and where.page else None,
            "result": str(where.things[i]) if where.things[i] else None}
    emit(talk, [("does", sentence), ("changed", f"{changed}; {gain}"), ("written", "  ".join(shown)),
                ("next", _next(take.name, path, heard.dry.domain.ndim, heard.on))][: 4 if last else 3], data, err=to_stderr)
    talk.more(f"loudness {heard.loudness:.1f} → {take.loudness:.1f} LUFS, true peak {take.true_peak:.1f} dBTP before gain; "
              f"{_borders(line, whole) + '; ' if inner else ''}dry heard at gain {heard.gain:.9g}; "
              f"match {heard.match}, guard {'on' if heard.guard else 'off'}")


def _with_chain(sentence: str, name: str, chain: tuple[str, ...]) -> str:
    """The sentence about a kernel, what stands beside it put behind its name."""
    if not chain:
        return sentence
    called = name + (" " if chain[0].startswith("on ") else ", ") + ", ".join(chain)
    return called + sentence.removeprefix(name) if sentence.startswith(f"{name}:") else f"{called}: {sentence}"


def _borders(omega: Any, whole: Any) -> str:
    """Where the result reads samples alone, and no zeros beyond the ends."""
    if whole is None:
        return "the kernel is longer than the file: every sample reads beyond an end"
    return "whole in " + " × ".join(f"{a:.6g} … {b:.6g} {unit}" for (a, b), unit in zip(whole, omega.unit, strict=True)) + \
        ", the ends read beyond the file"


def _next(spec: str, path: str, ndim: int, on: str) -> str:
    """Commands that can be pasted: another kernel that serves such a file, the list, a picture."""
    from shlex import quote

    other = "edge" if "edge" not in spec else "room" if ndim == 1 and on == "signal" else "blur"
    if path == "-" or Path(path).parent == sample_for(()).parent:
        file = ""
    else:
        file = " " + quote(f"./{path}" if path.startswith("-") else path)
    there = " --on spectrogram" if on == "spectrogram" else ""
    look = f"{there} --kernel {quote(spec)}"
    return f"sigconv listen --kernel {other}{there}{file}   ·   sigconv kernels   ·   sigconv look{look}{file}"


def _desktop() -> bool:
    """Whether a person sits at a screen."""
    if os.environ.get("CI") or not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
