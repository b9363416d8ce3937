"""What the main job costs over `python -c "import numpy"`: `sigconv listen --kernel edge` on 10 s of sound, WAV and page written.

Usage: python bench/listen.py [RUNS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from measuring import ROOT, RUNS, in_turn, installed, report, row

TARGET = 3.0  # times the import of numpy
SECONDS = 10


def sound(path: Path) -> str:
    """10 s of the speech sample, said again and again, as 16-bit WAV; how it is described."""
    data, rate = soundfile.read(ROOT / "samples" / "speech.wav", dtype="int16")
    soundfile.write(path, np.resize(data, SECONDS * rate), rate, subtype="PCM_16")
    return f"{SECONDS} s of speech at {rate} Hz, mono, 16 bits"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory() as scratch, installed() as bin_:
        folder = Path(scratch)
        what = sound(folder / "voice.wav")
        made = [folder / "out.wav", folder / "out.html"]

        def clear() -> None:
            for path in made:
                path.unlink(missing_ok=True)

        job: list[str | Path] = [bin_ / "sigconv", "listen", "--kernel", "edge", "--no-open", "-o", "out.wav", "voice.wav"]
        spent = in_turn({"numpy": [bin_ / "python", "-c", "import numpy"], "job": job}, runs, clear, folder)
        sizes = [path.stat().st_size / 1000 for path in made]
    base, whole = spent["numpy"], spent["job"]
    ratio = statistics.median(whole) / statistics.median(base)
    report("listen", f"""
| command | CPU, median of {runs} | middle half |
|---|---|---|
{row('`python -c "import numpy"`', base)}
{row("`sigconv listen --kernel edge`", whole)}

On {what}; written are {sizes[0]:.0f} kB of WAV and a page of {sizes[1]:.0f} kB. The job costs **{ratio:.2f} times** the import of
numpy; wanted at most {TARGET:g} times: {"reached" if ratio <= TARGET else "not reached"}.
""")


if __name__ == "__main__":
    main()
