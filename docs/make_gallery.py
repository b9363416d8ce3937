"""Make the gallery, one page a kernel, from the samples and the register. Usage: python docs/make_gallery.py [NAME…]

`page(name)` is the text of a page and `index()` that of the table: they say what the register and `sc.study.describe` say,
and a test compares them with the files. With names, only the pictures of those kernels are drawn again.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import sigconv as sc
from sigconv.kernels import FAMILIES

HERE = Path(__file__).resolve().parent
GALLERY, SAMPLES = HERE / "gallery", HERE.parent / "samples"
TITLES = {"sound": "Sound", "spectrogram": "Spectrogram", "image": "Image", "volume": "Volume", "video": "Video"}
AXES = {"sound": 1, "spectrogram": 2, "image": 2, "volume": 3, "video": 3}
FILES = {"image": "image.png", "volume": "volume.npy", "video": "video.gif"}
CUTS = {"speech.wav": (0.6, 2.9), "stereo.wav": (0.0, 1.6), "chime.wav": (0.0, 1.2)}  # s, of what is heard and drawn
FADE, BITS = 0.05, 14  # s; bits of a sample, so that a sound takes less than 60 kB

# what shows more than the default does: a kernel's specs, and the sound that it is heard on
EXAMPLES: dict[str, dict[str, str]] = {
    "box": {"sound": "box:1ms", "spectrogram": "box:60Hz:30ms", "image": "box:9", "volume": "box:5"},
    "comb": {"spectrogram": "comb:20Hz,4"},
    "delay": {"sound": "delay:0.2", "spectrogram": "delay:20steps:0", "image": "delay:24:40", "volume": "delay:6:0:10",
              "video": "delay:0.4:0:0"},
    "echo": {"image": "echo:40,0.5,2"},
    "emboss": {"volume": "emboss:0.3", "video": "emboss:0.3"},
    "gaussian": {"sound": "gaussian:0.3ms"},
    "motion": {"spectrogram": "motion:40ms", "image": "motion:21,30", "volume": "motion:9,45", "video": "motion:15,45"},
    "note": {"sound": "note:830"},
    "room": {"sound": "room:1,1"},
}
SOUNDS = {"note": "chime.wav"}


@dataclass(frozen=True)
class Example:
    """One kernel in one domain."""

    name: str
    domain: str
    spec: str
    file: str

    @property
    def kernel(self) -> sc.Signal:
        return sc.kernel(self.spec, grid(self.file, self.domain))

    @property
    def picture(self) -> str:
        return f"{self.name}-{self.domain}.png"

    @property
    def command(self) -> str:
        on = "--on spectrogram " if self.domain == "spectrogram" else ""
        return f"sigconv listen {on}--kernel {self.spec} samples/{self.file}"


@cache
def sample(file: str) -> sc.Signal:
    return sc.load(SAMPLES / file)


@cache
def grid(file: str, domain: str) -> sc.Domain:
    """What a kernel acts on."""
    return sc.spectrogram(sample(file)).domain if domain == "spectrogram" else sample(file).domain


def example(name: str, domain: str) -> Example | str:
    """A kernel in a domain, or why there is none."""
    spec = EXAMPLES.get(name, {}).get(domain, name)
    if AXES[domain] in FAMILIES[name].refused:
        return FAMILIES[name].refused[AXES[domain]]
    try:
        file = FILES.get(domain, SOUNDS.get(name, "speech.wav"))
        found = Example(name, domain, spec, file)
        return Example(name, domain, spec, "stereo.wav") if domain == "sound" and len(found.kernel.value) == 2 else found
    except sc.SigconvError as why:
        return str(why)


def examples(name: str) -> list[Example]:
    """A kernel in every domain that it serves."""
    found = (example(name, domain) for domain in TITLES)
    return [e for e in found if isinstance(e, Example)]


# text

def cells(*words: str) -> str:
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


def page(name: str) -> str:
    """The page of one kernel."""
    f, order = FAMILIES[name], sorted(FAMILIES)
    shown = examples(name)
    also = ", ".join(f"`{alias}`" for alias in f.aliases)
    lines = [f"# {name}", "", f"{f.summary}{f' Also called {also}.' if also else ''}", ""]
    if played := sounding(name):
        dry, on = Path(played.file).stem, " on its spectrogram" if played.domain == "spectrogram" else ""
        lines += [f"Hear it: [the {dry} as it is](dry-{dry}.flac), then [through {played.spec}{on}]({name}.flac).", ""]
    lines += [cells("", "1D", "2D", "3D"), "|---|---|---|---|", cells("taps", *(f.cell(n) for n in (1, 2, 3))), ""]
    if f.parameters:
        lines += ["| parameter | | default |", "|---|---|---|"]
        lines += [cells(f"`{word}`", p.meaning + (f" ({p.unit})" if p.unit else ""),
                        f"{p.default:g}" if isinstance(p.default, float) else str(p.default))
                  for word, p in f.parameters.items()]
        lines += [""]
    for e in shown:
        lines += [f"## {TITLES[e.domain]}", "", sc.study.describe(e.kernel, e.spec), "",
                  f"![{e.spec} on {Path(e.file).stem}: kernel, before, after]({e.picture})", "", "```sh", e.command, "```", ""]
    refused = [(TITLES[d], why) for d in TITLES if isinstance(why := example(name, d), str) and AXES[d] in f.dims]
    for title, why in refused:
        lines += [f"## {title}", "", f"Refused: {why}.", ""]
    i = order.index(name)
    around = [f"[{other}]({other}.md)" for other in (order[i - 1], order[(i + 1) % len(order)])]
    return "\n".join([*lines, f"{around[0]} · [all](index.md) · [parameters and facts](../kernels.md) · {around[1]}", ""])


def index() -> str:
    """The table of all kernels."""
    lines = ["# Gallery", "",
             "Each kernel in each domain that it serves: what it does in a sentence, its taps, a picture before and after, a "
             "sound. All sounds are at one loudness, as `sigconv listen` makes them, and pictures of sounds show them so. Taps "
             "are red above 0 and blue below, as deep as the root of their size; + or a frame is the origin. What was done to "
             "make a result visible stands below it. Made from the samples by `python docs/make_gallery.py`.", "",
             "| | kernel | what it does | serves | hear |", "|---|---|---|---|---|"]
    for name in sorted(FAMILIES):
        shown = examples(name)
        hear = f"[{name}.flac]({name}.flac)" if sounding(name) else ""
        lines.append(cells(f"[![{name}]({name}-small.png)]({name}.md)", f"[{name}]({name}.md)", FAMILIES[name].summary,
                           ", ".join(TITLES[e.domain].lower() for e in shown), hear))
    dry = sorted({Path(e.file).stem for name in FAMILIES if (e := sounding(name))})
    lines += ["", "The sounds as they are: " + ", ".join(f"[{stem}](dry-{stem}.flac)" for stem in dry) + "."]
    return "\n".join([*lines, ""])


def sounding(name: str) -> Example | None:
    """What is heard of a kernel: the sound through it, or where it serves none, through it on the spectrogram."""
    return next((e for e in examples(name) if e.domain in ("sound", "spectrogram")), None)


# sounds and pictures

def listenings() -> dict[tuple[str, str], Any]:
    """Each sound through all kernels at once, so that one guard gain serves all of them; and on its spectrogram, unguarded, for
    few are heard there."""
    every = [e for name in sorted(FAMILIES) for e in examples(name) if e.domain in ("sound", "spectrogram")]
    groups = {(file, domain): [(e.name, e.kernel) for e in every if (e.file, e.domain) == (file, domain)]
              for file, domain in sorted({(e.file, e.domain) for e in every})}
    return {(file, domain): sc.hear.listen(sample(file), kernels, guard=domain == "sound",
                                           on="spectrogram" if domain == "spectrogram" else "signal")
            for (file, domain), kernels in groups.items()}


def write_sound(name: str, x: sc.Signal, file: str) -> None:
    """The excerpt, faded at both ends; of more channels than its source has, less."""
    begin, end = CUTS[file]
    x = x.between(begin, begin + (end - begin) * min(1.25 * sample(file).value[0] / x.value[0], 1))
    n, fade = x.domain.shape[0], FADE * x.rate
    y = np.round(x.data * np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / fade, 0, 1) * 2 ** (BITS - 1)) / 2 ** (BITS - 1)
    sc.save(sc.Signal(y, sc.line(n, x.rate)), GALLERY / f"{name}.flac", overwrite=True, subtype="PCM_16")


def main(names: list[str]) -> None:
    from gallery_pictures import draw, thumbnail

    if not names:
        shutil.rmtree(GALLERY, ignore_errors=True)
    GALLERY.mkdir(exist_ok=True)
    takes: dict[tuple[str, str], Any] = {}
    for (file, domain), listening in listenings().items():
        if domain == "sound":
            write_sound(f"dry-{Path(file).stem}", listening.sound, file)
        takes |= {(take.name, domain): (listening, take) for take in listening.takes}
    for name in names or sorted(FAMILIES):
        if played := sounding(name):
            write_sound(name, takes[name, played.domain][1].sound, played.file)
        results = {}
        for e in examples(name):
            picture, results[e.domain] = draw(e, sample(e.file), e.kernel, takes.get((name, e.domain)), CUTS.get(e.file))
            (GALLERY / e.picture).write_bytes(picture)
        (GALLERY / f"{name}-small.png").write_bytes(thumbnail(results))
        (GALLERY / f"{name}.md").write_text(page(name), encoding="utf-8")
    (GALLERY / "index.md").write_text(index(), encoding="utf-8")
    print(f"{sum(p.stat().st_size for p in GALLERY.iterdir()) / 1e6:.2f} MB in {GALLERY.name}/")


if __name__ == "__main__":
    main(sys.argv[1:])
