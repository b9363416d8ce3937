"""Google Speech Commands: the official lists, 12 classes of the 35 words, silence from `_background_noise_`.

Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", arXiv:1804.03209.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha1
from math import ceil
from pathlib import Path, PurePosixPath

import numpy as np

from ..errors import SigconvError, printable
from .items import Item

__all__ = ["CORE", "LISTS", "NOHASH", "NOISE", "fetch_commands", "of_commands", "twelve", "which"]

LISTS = {"validation_list.txt": "valid", "testing_list.txt": "test"}
NOHASH = "_nohash_"
NOISE = "_background_noise_"
CORE = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
PERCENT = 10  # of the ten words' clips: how many unknown words, and how many silences, a part is given
SHARES = {"train": (0.0, 0.8), "valid": (0.8, 0.9), "test": (0.9, 1.0)}  # of each noise: no part hears another's


def which(name: str) -> str:
    """The part that a clip belongs to by its speaker's hash, the rule that the official lists were made by.

    >>> which("bed/0a7c2a8d_nohash_0.wav") == which("cat/0a7c2a8d_nohash_3.wav")
    True
    """
    most = 2**27 - 1
    share = (int(sha1(PurePosixPath(name).stem.split(NOHASH)[0].encode()).hexdigest(), 16) % (most + 1)) * (100.0 / most)
    return "valid" if share < 10 else "test" if share < 20 else "train"


def of_commands(folder: Path, sounds: dict[str, None]) -> Iterator[Item | tuple[str, str]]:
    """Every clip `word/speaker_nohash_take.wav`, its part by the lists, or by the hash where there are none."""
    lists = {name: part for name, part in LISTS.items() if (folder / name).is_file()}
    if len(lists) == 1:
        raise SigconvError(f"{printable(folder)}: {next(iter(lists))} alone; wanted both {' and '.join(LISTS)}")
    listed = {path: part for name, part in lists.items() for path in _lines(folder / name)}
    for path in sounds:
        at = PurePosixPath(path)
        if NOISE in at.parts:
            continue
        speaker, told, take = at.stem.partition(NOHASH)
        if not told or len(at.parts) != 2:
            yield path, f"not word/speaker{NOHASH}take"
        else:
            yield Item(path, at.parts[0], speaker, take=take, part=listed.get(path, "train") if lists else which(path))
    for path in listed:
        if path not in sounds:
            yield path, "in the lists, not in the folder"


def twelve(items: Sequence[Item], noises: Sequence[tuple[str, int, int]], seed: int = 0) -> list[Item]:
    """The ten words, "unknown" and "silence": of the clips of a part a tenth as many as its ten words have of each.

    `noises`: (path, samples, rate) of the long recordings that silences of one second are cut from; each part has its own
    stretch of every recording. What is taken is decided by the seed alone.
    """
    rng = np.random.default_rng([seed, 12])
    chosen: list[Item] = []
    for part, (low, high) in SHARES.items():
        known = [item for item in items if item.part == part and item.label in CORE]
        others = [item for item in items if item.part == part and item.label not in CORE]
        count = ceil(len(known) * PERCENT / 100)
        picked = sorted(rng.permutation(len(others))[:count])
        chosen += known + [replace(others[i], label="unknown") for i in picked]
        long = [(path, int(low * n), int(high * n), rate) for path, n, rate in noises if int(high * n) - int(low * n) >= rate]
        for i in range(count if long else 0):
            path, first, stop, rate = long[i % len(long)]
            start = first + int(rng.integers(stop - first - rate + 1))
            chosen.append(Item(path, "silence", start=start, stop=start + rate, take=str(i), part=part))
    return chosen


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip().replace("\\", "/") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as why:
        raise SigconvError(f"{printable(path)}: can't be read ({printable(why, 80)}); wanted a path a line") from None


def fetch_commands(folder: str | Path, version: int = 2) -> Path:
    """Download and unpack Speech Commands (2.3 GB) with torchaudio: the folder for `Speech`; one that is there is left.

    `version`: 1 or 2.

    Raises `SigconvError` where torchaudio can't be opened, and where the download fails.
    """
    if version not in (1, 2):
        raise SigconvError(f"version {version!r}: wanted 1 or 2")
    name = f"speech_commands_v0.0{version}"
    try:
        from torchaudio.datasets import SPEECHCOMMANDS
    except Exception as why:  # beside another build of torch it fails in many ways
        raise SigconvError(f"torchaudio can't be opened ({printable(why, 80)}); install the one that fits torch, or unpack "
                           f"{name} by hand") from None
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        SPEECHCOMMANDS(folder, name, download=True)
    except Exception as why:
        raise SigconvError(f"{name} can't be fetched ({printable(why, 120)}); is there a way to the network, and room?") from None
    return Path(folder, "SpeechCommands", name)
