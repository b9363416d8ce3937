"""`sigconv bank`: a sound through a bank of filters, each of them heard and seen, and the way back."""

from __future__ import annotations

import re
from math import floor, log2
from pathlib import Path
from typing import Any

import click

from .common import Talk, each, emit, files, kernel_for, loaded, talk_options

USUAL = "gammatone:32"
HOPS = {"mdct": ("size", 256, 1), "fourier": ("window", 400, 4)}  # banks of frames: what counts a frame's samples, hops to one


@click.command()
@click.option("-b", "--bank", "spec", metavar="BANK", help="A bank in words: gammatone:32,100,7000, sinc:count=80,taps=251, "
              f"stft:400, mdct, cqt:low=110, piano; or a kernel of several channels.  [default: {USUAL}]")
@click.option("--learn", type=click.Choice(["oja", "pca"]), help="Learn the bank from the file itself, without labels.")
@click.option("--count", type=click.IntRange(1, 4096), default=16, show_default=True, help="How many filters are learned.")
@click.option("--taps", type=click.IntRange(1, 65536), default=64, show_default=True, help="Of each filter that is learned.")
@click.option("--stride", type=click.IntRange(1), metavar="S", help="Samples from one result to the next.  [default: what the "
              "widest filter allows]")
@click.option("--complete", "completed", is_flag=True, help="Add the low and high filters that the bank lacks.")
@click.option("--tight", is_flag=True, help="Bring all frequencies to one level: the transpose is the inverse.")
@click.option("--reconstruct", is_flag=True, help="Put the sound together again, write it, and say how near it comes, in dB.")
@click.option("--hear", metavar="WHICH", help="Write what filters add to the sound: all, numbers from 1 (3, 1-8), or names.")
@click.option("-o", "--output", metavar="PATH", help="The picture; sounds stand beside it.  [default: ./STEM.BANK.bank.png]")
@click.option("--resample", is_flag=True, help="Bring kernels at another rate to the file's.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@talk_options
@click.argument("names", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def bank(ctx: click.Context, names: tuple[str, ...], talk: Talk, **asked: Any) -> None:
    """Take sounds apart by a bank of filters.

    Draws the bank (all responses, their sum, the filters by centre) and what it makes of FILE, and says how well that can be
    taken back: frame bounds, condition number, redundancy.
    """
    from sigconv.errors import UsageError

    paths = files(names)
    if asked["output"] and len(paths) > 1:
        raise UsageError(f"-o {asked['output']} for {len(paths)} files: wanted one file, or no -o")
    if asked["learn"] and asked["spec"]:
        raise UsageError("--learn and --bank: wanted one of the two")
    ctx.exit(each(paths, lambda path: _one(path, asked, talk), talk))


def _one(path: str, asked: dict[str, Any], talk: Talk) -> None:
    import sigconv as sc
    from sigconv.errors import UsageError

    x = loaded(path)
    if x.domain.ndim != 1 or not x.domain.size:
        raise UsageError(f"{path}: {x.domain.ndim} axes, {x.domain.size} samples; wanted a sound")
    called, k, stride = _made(x, asked, talk)
    lone = isinstance(k, sc.Signal)
    y = sc.convolve(x, k, stride=stride) if lone else [sc.convolve(x, one, stride=s) for one, s in k]
    rows, data = _told(called, k, stride, x)
    sounds: list[tuple[str, Any]] = [("taps", k)] if asked["learn"] else []
    if asked["reconstruct"]:
        back, said, data["decibels"] = _back(y, k, x, stride)
        rows.append(("back", said))
        sounds.append(("back", back))
    if asked["hear"] is not None:
        which = _which(asked["hear"], y)
        wide = len(str(max(which) + 1))
        voices = sc.hear.voices(y, k, x.domain, stride, which=which, least_squares=True, real=True)
        sounds += [(f"{i + 1:0{wide}d}-{name}", voice) for i, (name, voice) in zip(which, voices, strict=True)]
    written = _write(path, called, _figure(k, y, stride), sounds, asked["output"], asked["force"])
    emit(talk, [*rows, *(("written", where) for where in written)], {"file": path} | data | {"written": written})


def _made(x: Any, asked: dict[str, Any], talk: Talk) -> tuple[str, Any, int]:
    """The bank that was asked for, what it is called, and its stride (1 for banks of several)."""
    import sigconv as sc
    from sigconv.errors import UsageError

    count, taps, stride = asked["count"], asked["taps"], asked["stride"]
    called = f"{asked['learn']}:{count},{taps}" if asked["learn"] else asked["spec"] or USUAL
    if asked["learn"]:  # patches are correlated with, a kernel convolves
        k = sc.learn.oja(x, count, taps, method=asked["learn"]).reverse()
    else:
        k = filters_of(called, x, asked["resample"], talk)
    if isinstance(k, sc.Signal):
        stride = stride or hop(called, sc.see.bank_numbers(k), x)
    elif stride:
        raise UsageError(f"--stride {stride} for {called}: its rates are its own; wanted none")
    if asked["completed"]:
        k = sc.frames.complete(k, stride or 1)
    return called, sc.frames.tighten(k, stride or 1, real=True) if asked["tight"] else k, stride or 1


def filters_of(called: str, x: Any, resample: bool, talk: Talk) -> Any:
    """The bank that words or a kernel mean."""
    import sigconv as sc
    from sigconv.errors import UsageError

    if sc.kernels.find_bank(called.partition(":")[0]):
        return sc.kernels.bank(called, x.domain)
    k = kernel_for(called, x, resample, talk)
    if len(k.value) > 1:
        raise UsageError(f"bank {called!r}: a layer of value {k.value}; wanted a bank of filters")
    return k if k.value else sc.Signal(k.data[None], k.domain)


def hop(called: str, filters: Any, x: Any) -> int:
    """The hop that frames come at, else the largest power of 2 that leaves four samples to a period of the widest width."""
    import sigconv as sc

    family = sc.kernels.find_bank(called.partition(":")[0])
    if family and family.name in HOPS:
        from sigconv.kernels.banking import read

        word, usual, share = HOPS[family.name]
        return max(int(read(called, x.domain)[1].get(word, usual)) // share, 1)
    widest = float(filters.width.max()) * float(x.domain.step[0])
    return int(2 ** max(floor(log2(1 / (4 * widest))), 0)) if widest else 1


def _told(called: str, k: Any, stride: int, x: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """The bank in words, and in numbers."""
    import sigconv as sc

    limits, found = sc.frames.bounds(k, x.domain.shape[0], stride, real=True), sc.see.bank_numbers(k, stride)
    strides = [stride] if isinstance(k, sc.Signal) else list(dict.fromkeys(s for _, s in k))
    words = f"stride{'s' * (len(strides) > 1)} {', '.join(map(str, strides))}"
    low, high = (f"{f / 1000:.3g} kHz" if f >= 1000 else f"{f:.3g} Hz" for f in (found.centre.min(), found.centre.max()))
    many = f"{len(found.centre)} filter{'s' * (len(found.centre) != 1)}"
    return [("bank", f"{called}, {many}, {low} to {high}, {words}"), ("bounds", str(limits))], {
        "bank": called, "strides": strides, "centres": found.centre, "widths": found.width, "A": float(limits.A),
        "B": float(limits.B), "condition": float(limits.condition), "redundancy": limits.redundancy}


def _back(y: Any, k: Any, x: Any, stride: int) -> tuple[Any, str, float]:
    """The sound that the coefficients give and how near it comes; the truth where the bank has lost something."""
    import numpy as np

    import sigconv as sc

    lost = ""
    try:
        back = sc.frames.synthesis(y, k, x.domain, stride, real=True)
    except sc.SigconvError as why:
        if "condition" not in str(why):
            raise
        lost = f", the nearest there is: {str(why).partition('; wanted')[0]}; --complete adds what is missing"
        back = sc.frames.synthesis(y, k, x.domain, stride, least_squares=True, real=True)
    error, size = float(np.linalg.norm(back.data - x.data)), float(np.linalg.norm(x.data))
    level = 20 * float(np.log10(size / error)) if error and size else float("inf")
    return back, f"{level:.1f} dB{lost}", level


def _which(text: str, y: Any) -> list[int]:
    """The channels that a text names: all, numbers from 1 and ranges of them, or names."""
    from sigconv.errors import UsageError, hint

    names = [name for r in (y if isinstance(y, list) else [y]) for name in (r.channels or [None] * r.value[-1])]
    wanted = f"wanted all, numbers from 1 to {len(names)}, or names"
    if text.strip() == "all":
        return list(range(len(names)))
    found: list[int] = []
    for word in filter(None, (w.strip() for w in text.split(","))):
        if word in names:
            found.append(names.index(word))
        elif match := re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", word):
            first, last = int(match[1]), int(match[2] or match[1])
            if not 1 <= first <= last <= len(names):
                raise UsageError(f"--hear {word}: the bank has {len(names)} filters; wanted 1 to {len(names)}")
            found += range(first - 1, last)
        else:
            raise UsageError(f"--hear {word!r}: {wanted}{hint(word, [n for n in names if n])}")
    if not found:
        raise UsageError(f"--hear {text!r}: {wanted}")
    return list(dict.fromkeys(found))


def _figure(k: Any, y: Any, stride: int) -> Any:
    """The bank above, what it made of the sound below."""
    from matplotlib.figure import Figure

    from sigconv import see

    figure = Figure(figsize=(9, 10), layout="constrained")
    top, bottom = figure.subplots(2, 1, height_ratios=[1.6, 1])
    see.bank(k, stride, ax=top)
    see.scalogram(y, k, ax=bottom)
    return figure


def _write(path: str, called: str, figure: Any, sounds: list[tuple[str, Any]], output: str | None, force: bool) -> list[str]:
    """The picture and the sounds, together or not at all."""
    import sigconv as sc
    from sigconv import io
    from sigconv.errors import UsageError
    from sigconv.specs import slug

    from .places import cut

    tails = ["." + re.sub(r"[^\w.=+@-]+", "-", tag).strip("-") + (".npz" if tag == "taps" else ".wav") for tag, _ in sounds]
    if output:
        picture = Path(output)
        known = figure.canvas.get_supported_filetypes()
        if picture.suffix.lower().lstrip(".") not in known:
            raise UsageError(f"output {output}: wanted the name of a picture, one of {', '.join(f'.{kind}' for kind in known)}")
        root = str(picture.with_suffix(""))
    else:
        stem = f"{cut('stdin' if path == '-' else Path(path).stem, 120)}.{slug(called)}"
        root = io.next_free(".", stem, [".bank.png", *tails])
        picture = Path(f"{root}.bank.png")
    places = [picture, *(Path(root + tail) for tail in tails)]
    with io.Outputs(overwrite=force, inputs=[] if path == "-" else [path]) as out:
        figure.savefig(out.open(picture), format=picture.suffix.lstrip("."))
        for where, (_, sound) in zip(places[1:], sounds, strict=True):
            io.write(out.open(where), sc.Signal(sound.data.astype("float32"), sound.domain, sound.names), where.suffix)
    return [str(p) if p.is_absolute() else f"./{p}" for p in places]
