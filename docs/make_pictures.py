"""Make the pictures of docs/pictures.md from the samples. Usage: python docs/make_pictures.py"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

import sigconv as sc
from sigconv import see
from sigconv.pictures import picture
from sigconv.spectrum import plane, spectrally

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "samples"
COLOURS = 128  # a palette of that many keeps a picture small
DPI = 80


def pictures() -> dict[str, Callable[[], Any]]:
    """The name of each picture, and what draws it, as docs/pictures.md shows it."""
    speech, stereo, photo, volume = (sc.load(SAMPLES / name) for name in ("speech.wav", "stereo.wav", "image.png", "volume.npy"))
    lowpass = sc.kernel("lowpass:cutoff=800", speech)
    video = sc.load(SAMPLES / "video.gif")
    octaves = sc.kernels.bank("cqt:low=110,bins=24", speech)
    return {
        "signal": lambda: see.signal(speech),
        "stereo": lambda: see.signal(stereo),
        "taps": lambda: see.taps(lowpass),
        "taps-2d": lambda: see.taps(sc.kernel("laplace", photo)),
        "response": lambda: see.response(lowpass),
        "response-echo": lambda: see.response(sc.kernel("echo", speech)),
        "response-2d": lambda: see.response(sc.kernel("edge", photo)),
        "bank": lambda: see.bank(sc.kernels.bank("gammatone:32", speech), 4),
        "scalogram": lambda: see.scalogram([sc.convolve(speech, k, stride=s) for k, s in octaves], octaves),
        "compare": lambda: see.compare(speech.between(0.7, 2.2), (speech @ lowpass).between(0.7, 2.2)),
        "compare-image": lambda: see.compare(photo, photo @ sc.kernel("blur", photo)),
        "volume": lambda: see.volume(volume),
        "across": lambda: see.across([("Sound", *through("edge", speech)), ("Spectrogram", *ringing("edge", speech)),
                                      *((name, *through("edge", x)) for name, x in
                                        (("Image", photo), ("Volume", volume), ("Video", video)))]),
    }


def through(spec: str, x: sc.Signal) -> tuple[sc.Signal, sc.Signal]:
    """Before and after a kernel, the filters of a bank taken together."""
    k = sc.kernel(spec, x)
    y = sc.convolve(x, k)
    return x, picture(y, k)[0] if x.domain.ndim > 1 else y


def ringing(spec: str, x: sc.Signal) -> tuple[sc.Signal, sc.Signal]:
    """The spectrograms before and after a kernel that moves over them."""
    return spectrally(x, sc.kernel(spec, plane(x.domain)))[1:]


def main() -> None:
    matplotlib.use("agg")
    from matplotlib import pyplot
    from PIL import Image

    folder = HERE / "pictures"
    folder.mkdir(exist_ok=True)
    total = 0
    for name, draw in pictures().items():
        figure, file = draw().figure, io.BytesIO()
        figure.savefig(file, dpi=DPI)
        pyplot.close(figure)
        path = folder / f"{name}.png"
        small = Image.open(file).convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        total += path.stat().st_size
    print(f"{total / 1000:.0f} kB in {folder.name}/")


if __name__ == "__main__":
    main()
