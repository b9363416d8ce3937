"""Spectra: the CPU time of each beside librosa's, and beside torch's and torchaudio's on tensors.

Usage: python bench/spectra.py [TURNS]. Speech of the samples, end to end 10 s and 60 s long, 22050 Hz, mono, single precision;
default parameters, which are librosa's, given to torchaudio too. A B A B … in one process, one thread, medians; filters are
made before.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from measuring import ONE_THREAD, report

os.environ.update(ONE_THREAD)  # before numpy

import numpy as np

import sigconv as sc
from sigconv import spectra as sp

RATE, LENGTHS = 22050, (10, 60)
Job = Callable[[], Any]


def raced(ours: Job, theirs: Job, turns: int) -> tuple[float, float, float]:
    """Milliseconds of both, and how many times as long the other takes, medians."""
    spent: list[tuple[float, float]] = []
    for _ in range(turns + 1):
        a = process_time()
        ours()
        b = process_time()
        theirs()
        spent.append((b - a, process_time() - b))
    spent = spent[1:]
    return 1e3 * median(a for a, _ in spent), 1e3 * median(b for _, b in spent), median(b / max(a, 1e-9) for a, b in spent)


def beside_librosa(x: sc.Signal) -> dict[str, tuple[Job, Job]]:
    import librosa

    y = x.data[0]
    S, D, M = sp.stft(x), librosa.stft(y), librosa.feature.melspectrogram(y=y, sr=RATE)
    mel = sp.melspectrogram(x)
    return {"stft": (lambda: sp.stft(x), lambda: librosa.stft(y)),
            "istft": (lambda: sp.istft(S), lambda: librosa.istft(D, length=len(y))),
            "melspectrogram": (lambda: sp.melspectrogram(x), lambda: librosa.feature.melspectrogram(y=y, sr=RATE)),
            "log_mel": (lambda: sp.log_mel(x), lambda: librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=RATE))),
            "mfcc": (lambda: sp.mfcc(x), lambda: librosa.feature.mfcc(y=y, sr=RATE)),
            "cqt": (lambda: sp.cqt(x), lambda: librosa.cqt(y, sr=RATE)),
            "chroma_stft": (lambda: sp.chroma_stft(x), lambda: librosa.feature.chroma_stft(y=y, sr=RATE)),
            "chroma_cqt": (lambda: sp.chroma_cqt(x), lambda: librosa.feature.chroma_cqt(y=y, sr=RATE)),
            "pcen": (lambda: sp.pcen(mel), lambda: librosa.pcen(M, sr=RATE)),
            "onset_strength": (lambda: sp.onset_strength(x), lambda: librosa.onset.onset_strength(y=y, sr=RATE))}


def beside_torch(x: sc.Signal) -> dict[str, tuple[Job, Job]]:
    import torch

    torch.set_num_threads(1)
    t, window = x.to("torch"), torch.hann_window(2048)
    jobs: dict[str, tuple[Job, Job]] = {"stft": (lambda: sp.stft(t), lambda: torch.stft(
        t.data, 2048, 512, window=window, pad_mode="constant", return_complex=True))}
    try:
        from torchaudio.transforms import MFCC, MelSpectrogram
    except (ImportError, OSError):
        return jobs
    options: dict[str, Any] = {"n_fft": 2048, "hop_length": 512, "n_mels": 128, "norm": "slaney", "mel_scale": "slaney",
                               "pad_mode": "constant"}
    mel, mfcc = MelSpectrogram(RATE, **options), MFCC(RATE, 20, melkwargs=options)
    return jobs | {"melspectrogram": (lambda: sp.melspectrogram(t), lambda: mel(t.data)),
                   "mfcc": (lambda: sp.mfcc(t), lambda: mfcc(t.data))}


def main() -> None:
    warnings.simplefilter("ignore")
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    speech = sc.resample(sc.load(sc.io.sample("speech")), RATE).data[:1].astype(np.float32)
    sounds = [sc.Signal(np.tile(speech, (1, 100))[:, : n * RATE], sc.line(n * RATE, RATE)) for n in LENGTHS]
    columns = " | ".join(f"{n} s: sigconv | {{0}} | times as long" for n in LENGTHS)
    head = f"| spectrum | {columns} |\n|---" + "|---" * 6 + "|"
    parts = []
    for name, peers in (("librosa", beside_librosa), ("torch, torchaudio", beside_torch)):
        jobs, rows = [peers(x) for x in sounds], []
        for spectrum in jobs[0]:
            cells = []
            for each in jobs:
                a, b, ratio = raced(*each[spectrum], turns)
                cells.append(f"{a:.1f} ms | {b:.1f} ms | {ratio:.2f}")
            rows.append(f"| {spectrum} | " + " | ".join(cells) + " |")
            print(rows[-1], flush=True)
        parts.append("\n".join([head.format(name), *rows]))
    report("spectra", "\n\n".join([*parts, f"Speech at {RATE} Hz, single precision, default parameters; {turns} turns."]))


if __name__ == "__main__":
    main()
