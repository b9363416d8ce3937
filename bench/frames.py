"""Banks there and back: the round trip in dB and the CPU of `frames.synthesis` in units of the analysis, beside what others give.

Usage: python bench/frames.py [SECONDS [LONG]]. On speech of the samples and white noise, 16 kHz, edges included, and LONG seconds
of noise for the CPU; librosa's icqt, torch's istft, the pseudo-inverse of asteroid-filterbanks and nnAudio's inverse STFT where
they are installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

from measuring import ONE_THREAD, report

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np

import sigconv as sc

RATE, HIGH = 16000, 44100
LONG = 60  # seconds


def banks(like: sc.Domain) -> dict[str, tuple[Any, int, dict[str, str]]]:
    """Each with its stride and the options of its analysis."""
    rng, K = np.random.default_rng(5), sc.kernels
    top = like.rate / 2
    mel = sc.scales.spaced(0, top, 81, "mel")

    def free(m: int, taps: int) -> sc.Signal:
        return sc.Signal(rng.standard_normal((m, taps)), sc.Domain(taps, like.step, -((taps - 1) // 2), "s"))

    ears = sc.frames.complete(K.gammatone(like, sc.scales.spaced(100, 0.87 * top, 40, "erb")), 4)
    return {"gammatone, 40, completed, at 4": (ears, 4, {}),
            "sinc in quadrature, 80 × 251 at 20": (K.sinc(like, mel[:-1], mel[1:], taps=251, quadrature=True), 20, {}),
            "free, 64 × 64 at 32": (free(64, 64), 32, {}), "free, 40 × 401 at 20": (free(40, 401), 20, {}),
            "constant Q, 36 an octave, completed": (sc.frames.complete(K.constant_q(like, 220, 0.87 * top, 36)), 1, {}),
            "STFT, 400 at 160": (K.fourier(like, 400), 160, {}), "MDCT, 256": (K.mdct(like, 256), 256, {}),
            "octaves, completed": (sc.frames.complete(K.octave_bands(like, 1, 125)), 1, {}),
            "Daubechies 4, 5 levels": (K.daubechies(like, 4, 5), 1, {"mode": "full"})}


def decibels(x: np.ndarray, y: np.ndarray) -> float:
    return float(20 * np.log10(np.linalg.norm(x) / np.linalg.norm(y - x)))


def spent(job: Callable[[], Any]) -> tuple[float, Any]:
    begin = process_time()
    result = job()
    return process_time() - begin, result


def row(name: str, sounds: list[sc.Signal], bank: Any, stride: int, options: dict[str, str], ratio: float) -> str:
    lone = isinstance(bank, sc.Signal)
    pairs = [(bank, stride)] if lone else bank

    def there(x: sc.Signal) -> Any:
        y = [sc.convolve(x, k, stride=s, **options) for k, s in pairs]
        return y[0] if lone else y

    def back(x: sc.Signal, y: Any) -> np.ndarray:
        return sc.frames.synthesis(y, bank, x.domain, stride, **options).data

    found = []
    for x in sounds:
        single = x.to(dtype="float32")
        found.append((decibels(x.data, back(x, there(x))), decibels(x.data, back(single, there(single)))))
    known = sc.frames.bounds(bank, x.domain.shape[0], stride, **options)
    cells = [f"{min(f[i] for f in found):.0f} dB" for i in (0, 1)]
    return f"| {name} | {known.redundancy:.2f} | {known.condition:.3g} | {cells[0]} | {cells[1]} | {ratio:.1f} |"


def cost(bank: Any, x: sc.Signal, stride: int, options: dict[str, str]) -> float:
    """CPU of the way back in units of the way there, single precision, the first call: its plan is counted."""
    lone = isinstance(bank, sc.Signal)
    pairs = [(bank, stride)] if lone else bank
    sc.convolve(x.between(0, 1), pairs[0][0], stride=pairs[0][1], **options)
    forth, y = spent(lambda: [sc.convolve(x, k, stride=s, **options) for k, s in pairs])
    return spent(lambda: sc.frames.synthesis(y[0] if lone else y, bank, x.domain, stride, **options))[0] / forth


def others(x: sc.Signal) -> Iterator[str]:
    """What peers give back of their own analysis of the same sound."""
    data = x.data[0].astype(np.float32)
    try:
        import librosa

        C = librosa.cqt(data, sr=RATE, fmin=110, n_bins=36 * 6 - 2, bins_per_octave=36)
        got = librosa.icqt(C, sr=RATE, fmin=110, bins_per_octave=36, length=len(data))
        yield f"| librosa {librosa.__version__}: " \
              f"cqt, icqt, 36 an octave, 110 Hz to 6.8 kHz, nothing beside | {decibels(data, got):.1f} dB |"
    except ImportError:
        pass
    try:
        import torch
        from asteroid_filterbanks import Decoder, Encoder, ParamSincFB

        bank = ParamSincFB(80, 251, stride=20, sample_rate=RATE)
        got = Decoder.pinv_of(bank)(Encoder(bank)(torch.from_numpy(data)[None, None]))[0, 0].detach().numpy()
        size = min(len(got), len(data))
        yield f"| asteroid-filterbanks: sinc 80 × 251 at 20, its pseudo-inverse | {decibels(data[:size], got[:size]):.1f} dB |"
    except ImportError:
        pass
    try:
        import torch

        window = torch.hann_window(400)
        made = torch.stft(torch.from_numpy(data), 400, 160, window=window, return_complex=True)
        got = torch.istft(made, 400, 160, window=window, length=len(data)).numpy()
        yield f"| torch {torch.__version__.split('+')[0]}: stft, istft, 400 at 160 | {decibels(data, got):.1f} dB |"
    except ImportError:
        pass
    try:
        import torch
        from nnAudio.features.stft import STFT

        layer = STFT(n_fft=400, hop_length=160, iSTFT=True, output_format="Complex", verbose=False)
        got = layer.inverse(layer(torch.from_numpy(data)[None]), length=len(data))[0].detach().numpy()
        yield f"| nnAudio: STFT 400 at 160, inverse | {decibels(data, got):.1f} dB |"
    except ImportError:
        pass


def main() -> None:
    given = [float(v) for v in sys.argv[1:3]]
    seconds, length = [*given, *(4.0, LONG)[len(given):]]
    n = int(seconds * RATE) // 256 * 256
    speech = sc.resample(sc.load(sc.io.sample("speech")), RATE).data[:1].astype(float)
    speech = np.tile(speech, (1, -(-n // speech.shape[1])))[:, :n]
    sounds = [sc.Signal(v, sc.line(n, RATE)) for v in (speech, np.random.default_rng(0).standard_normal((1, n)))]
    head = "| bank | redundancy | condition | double | single | CPU, × analysis |\n|---|---|---|---|---|---|"
    rows = []
    count = int(length * HIGH)
    long = sc.Signal(np.random.default_rng(1).standard_normal((1, count), dtype=np.float32), sc.line(count, HIGH))
    high = banks(long.domain)
    for name, (bank, stride, options) in banks(sc.line(n, RATE)).items():
        rows.append(row(name, sounds, bank, stride, options, cost(high[name][0], long, stride, options)))
        print(rows[-1], flush=True)
    peers = list(others(sounds[0]))
    theirs = ["", "| others, on the speech | round trip |", "|---|---|", *peers] if peers else []
    words = f"{seconds:g} s of speech and of white noise at {RATE} Hz, edges included, the worse of the two. CPU: "
    words += f"{length:g} s of noise at {HIGH} Hz, single precision, the first call."
    report("frames", "\n".join([head, *rows, *theirs, "", words]))


if __name__ == "__main__":
    main()
