"""What filtering a long file costs as a whole process: `sigconv apply`, ffmpeg's afir and sox's fir, 10 min of stereo through a
response of 2 s; and `apply` on 3 h, for its memory. Usage: python bench/apply.py [MINUTES [RUNS [HOURS]]]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from measuring import Cost, installed, report, run

RATE = 44100
RESPONSE = 2.0  # s
TARGETS = {"ffmpeg": 1.3, "sox": 2.2}  # times the CPU of ours, at least
MOST = {"file": 110, "hours": 150}  # MB
RUNS = 5


def sound(path: Path, seconds: float) -> None:
    """Stereo noise of 16 bits, written a minute at a time."""
    rng, left = np.random.default_rng(0), round(seconds * RATE)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        while left > 0:
            n = min(left, 60 * RATE)
            file.write((rng.standard_normal((n, 2), dtype=np.float32) * 2000).astype(np.int16))
            left -= n


def response(folder: Path) -> None:
    """A decay, as sound and as the text that sox takes."""
    n = round(RESPONSE * RATE)
    taps = np.random.default_rng(1).standard_normal(n) * np.exp(-np.arange(n) / (0.2 * n))
    taps = (taps / np.abs(taps).sum()).astype(np.float32)
    soundfile.write(folder / "room.wav", taps, RATE, subtype="FLOAT")
    (folder / "room.txt").write_text("\n".join(map(repr, taps.tolist())) + "\n")


def commands(bin_: Path, name: str) -> dict[str, list[str | Path]]:
    """What is raced: same file, same response, 16 bits out; sox and ffmpeg where they are installed."""
    raced: dict[str, list[str | Path]] = {
        "sigconv": [bin_ / "sigconv", "apply", "--force", "-k", "room.wav", "--subtype", "PCM_16", "-o", "out", name],
        "ffmpeg": ["ffmpeg", "-nostdin", "-y", "-loglevel", "error", "-threads", "1", "-filter_complex_threads", "1", "-i", name,
                   "-i", "room.wav", "-lavfi", "afir", "-c:a", "pcm_s16le", "out-ffmpeg.wav"],
        "sox": ["sox", "-V1", name, "out-sox.wav", "fir", "room.txt"]}
    return {who: command for who, command in raced.items() if who == "sigconv" or shutil.which(who)}


def row(who: str, costs: Sequence[Cost], ours: float) -> str:
    cpu, resident = statistics.median(c.cpu for c in costs), max(c.resident for c in costs) / 1e6
    target = TARGETS.get(who)
    judged = f"{'reached' if cpu / ours >= target else 'not reached'} (≥ {target:g})" if target else \
        f"{'reached' if resident <= MOST['file'] else 'not reached'} (≤ {MOST['file']} MB)"
    return f"| {who} | {cpu:.2f} s | {cpu / ours:.2f} | {resident:.0f} MB | {judged} |"


def main() -> None:
    given = [float(text) for text in sys.argv[1:4]]
    minutes, runs, hours = [*given, *(10.0, RUNS, 3.0)[len(given):]]
    with tempfile.TemporaryDirectory() as scratch, installed() as bin_:
        folder = Path(scratch)
        response(folder)
        sound(folder / "file.wav", 60 * minutes)
        raced = commands(bin_, "file.wav")
        spent: dict[str, list[Cost]] = {who: [] for who in raced}
        for _ in range(int(runs)):
            for who, command in raced.items():
                spent[who].append(run(command, folder))
        sound(folder / "hours.wav", 3600 * hours)
        long = run(commands(bin_, "hours.wav")["sigconv"], folder)
    ours = statistics.median(c.cpu for c in spent["sigconv"])
    resident = long.resident / 1e6
    report("apply", "\n".join([
        f"| {minutes:g} min of stereo through {RESPONSE:g} s | CPU, median of {int(runs)} | of ours | resident set | wanted |",
        "|---|---|---|---|---|", *(row(who, costs, ours) for who, costs in spent.items()), "",
        f"{hours:g} h of the same: {long.cpu:.0f} s, largest resident set {resident:.0f} MB; wanted at most {MOST['hours']} MB: "
        f"{'reached' if resident <= MOST['hours'] else 'not reached'}. 16 bits in and out at {RATE} Hz."]))


if __name__ == "__main__":
    main()
