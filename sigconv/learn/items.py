"""A clip and what is known of it, and the words that tell it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import SigconvError, printable

__all__ = ["PARTS", "Item", "natural", "read_labels", "write_labels"]

PARTS = {"train": "train", "training": "train", "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
         "development": "valid", "test": "test", "testing": "test", "eval": "test", "evaluation": "test"}


@dataclass(frozen=True)
class Item:
    """A clip: `path` from the folder, its `label`; `speaker`, `take` and official `part` ("train", "valid", "test") where known.

    `start`, `stop`: where it begins and ends in its file, in samples of the file's own rate; None is the file's end.

    >>> Item("recordings/7_jackson_32.wav", "7", "jackson", take="32").speaker
    'jackson'
    """

    path: str
    label: str
    speaker: str = ""
    start: int | None = None
    stop: int | None = None
    take: str = ""
    part: str = ""


def natural(word: str) -> tuple[tuple[bool, int, str], ...]:
    """What labels are sorted by: digits as numbers.

    >>> sorted(["take 10", "take 2"], key=natural)
    ['take 2', 'take 10']
    """
    return tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", word))


def write_labels(path: str | Path, labels: tuple[str, ...] | list[str]) -> None:
    """Write labels down, one a line: the n-th line names class n.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.txt"
    >>> write_labels(file, ["no", "yes"])
    >>> read_labels(file)
    ('no', 'yes')

    Raises `SigconvError` for an existing file, a label of more than one line, one with blanks at its ends, and one given twice.
    """
    from ..io import Outputs

    wrong = [label for label in labels if label.strip() != label or not label or len(label.splitlines()) != 1]
    if wrong or len(set(labels)) != len(labels):
        raise SigconvError(f"labels {printable(list(labels), 80)}: wanted names of one line each, none twice")
    with Outputs() as out:
        out.open(path).write(("\n".join(labels) + "\n").encode())


def read_labels(path: str | Path) -> tuple[str, ...]:
    """The labels that a file names, one a line, as `write_labels` leaves them.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.txt"
    >>> file.write_text("no\\nyes\\n")
    7
    >>> read_labels(file)
    ('no', 'yes')

    Raises `SigconvError` for a file that is not there, is no text, names none, or names one twice.
    """
    wanted = "wanted text, a label a line, none twice"
    try:
        labels = tuple(line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, ValueError) as why:
        raise SigconvError(f"{printable(path)}: can't be read as labels ({printable(why, 80)}); {wanted}") from None
    if not labels or len(set(labels)) != len(labels):
        raise SigconvError(f"{printable(path)}: {len(labels)} labels, {len(set(labels))} different; {wanted}")
    return labels
