"""Run the command line in this process, or as one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

REAL = Path(os.environ.get("SIGCONV_DATA", Path(__file__).parents[2] / "shared" / "data")) / "real"


@dataclass
class Ran:
    code: int
    out: str
    err: str


def run(*args: object, cwd: Path | None = None) -> Ran:
    """`sigconv ARGS` in this process."""
    from sigconv_cli.main import main

    out, err, argv, where = io.StringIO(), io.StringIO(), sys.argv, Path.cwd()
    sys.argv = ["sigconv", *map(str, args)]
    try:
        if cwd:
            os.chdir(cwd)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            try:
                main()
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 1
    finally:
        os.chdir(where)
        sys.argv = argv
    return Ran(code, out.getvalue(), err.getvalue())


def spawn(*args: object, cwd: Path | None = None, stdin: bytes = b"", **options) -> subprocess.CompletedProcess:
    """`sigconv ARGS` as a process."""
    return subprocess.run([sys.executable, "-m", "sigconv_cli", *map(os.fspath, map(str, args))], cwd=cwd, input=stdin,
                          capture_output=True, timeout=120, check=False, **options)


def tone(path: Path, seconds: float = 0.5, rate: int = 16000, channels: int = 1, subtype: str = "PCM_16") -> Path:
    """A WAV with a little of everything in it: two tones and noise, each channel its own."""
    rng = np.random.default_rng(0)
    t = np.arange(round(seconds * rate)) / rate
    x = np.stack([0.3 * np.sin(2 * np.pi * 220 * (c + 1) * t) + 0.1 * np.sin(2 * np.pi * 3000 * t)
                  + 0.05 * rng.standard_normal(len(t)) for c in range(channels)], 1)
    soundfile.write(path, x, rate, subtype=subtype)
    return path
