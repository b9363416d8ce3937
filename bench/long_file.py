"""Memory for an hour of sound at 16 kHz: how far the resident set grows over that for 10 s. Usage: python bench/long_file.py"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from measuring import ROOT, Cost, installed, report, run

TARGET = 100  # MB of growth
RATE, SHORT, LONG = 16000, 10, 3600
SIZE = LONG * RATE * 4 / 1e6  # MB of the hour as float32

CONVOLVE = """
import sys
import numpy as np
import sigconv as sc
n = int(sys.argv[1])
x = sc.Signal(np.random.default_rng(0).standard_normal((1, n), dtype=np.float32), sc.line(n, 16000))
y = sc.convolve(x, sc.kernel(sys.argv[2], x.domain))
assert y.data.dtype == np.float32 and y.domain == x.domain
"""


def sound(path: Path, seconds: int) -> None:
    """The speech sample again and again at 16 kHz, written a minute at a time, as 16-bit WAV."""
    data, _ = soundfile.read(ROOT / "samples" / "speech.wav", dtype="int16")
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(0, seconds, 60):
            file.write(np.resize(data, min(seconds, 60) * RATE))


def line(name: str, costs: Sequence[Cost]) -> str:
    short, whole = costs
    grown = (whole.resident - short.resident) / 1e6
    sizes = " | ".join(f"{v:{sign}.0f} MB" for v, sign in ((short.resident / 1e6, ""), (whole.resident / 1e6, ""), (grown, "+"),
                                                           (grown - 2 * SIZE, "+")))
    return f"| {name} | {sizes} | {whole.cpu:.1f} s | {'reached' if grown <= TARGET else 'not reached'} |"


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as scratch, installed() as bin_:
        folder = Path(scratch)
        for seconds in (SHORT, LONG):
            sound(folder / f"{seconds}.wav", seconds)
        for kernel in ("edge", "lowpass:cutoff=800"):
            rows.append(line(f"`sc.convolve`, `{kernel}`, signal in memory",
                             [run([bin_ / "python", "-c", CONVOLVE, str(s * RATE), kernel], folder) for s in (SHORT, LONG)]))
        listen: list[str | Path] = [bin_ / "sigconv", "listen", "--kernel", "edge", "--no-open", "-o"]
        jobs = [[*listen, f"out{s}.wav", f"{s}.wav"] for s in (SHORT, LONG)]
        rows.append(line("`sigconv listen --kernel edge`", [run(job, folder) for job in jobs]))
    report("long file", "\n".join([
        f"| what | {SHORT} s | 1 h | growth | of it beyond signal and result | CPU, 1 h | growth of at most {TARGET} MB |",
        "|---|---|---|---|---|---|---|", *rows, "",
        f"Largest resident set. The hour is {SIZE:.0f} MB as float32, once as signal and once as result."]))


if __name__ == "__main__":
    main()
