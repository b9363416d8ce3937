"""Who trains and who is tested: the official split, by speaker, one speaker left out, k folds; the same for the same seed.

Validation clips come from the training side, never from the test's.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from zlib import crc32

import numpy as np

from ..errors import SigconvError, SigconvWarning, hint, printable
from .labelled import Labelled

__all__ = ["Split", "folds", "split"]

T = TypeVar("T", bound=Labelled)
TEST, VALID = 0.2, 0.1  # shares of the clips


@dataclass(frozen=True)
class Split(Generic[T]):
    """Clips to learn from, to choose by, and to be judged by; `protocol` says how they were told apart.

    ``train, valid, test = data.split()`` works too. Figures of different protocols are not to be compared.
    """

    train: T
    valid: T
    test: T
    protocol: str

    def __iter__(self) -> Iterator[T]:
        return iter((self.train, self.valid, self.test))


def split(data: T, how: str = "auto", *, seed: int = 0, valid: str | float | None = "auto") -> Split[T]:
    """Train, validation and test clips of a set.

    `how`: "speaker", a fifth of the clips and at least one speaker for the test (what "auto" takes where speakers are known);
    "speaker:theo" tests on theo; "fold:2/5", the second of five folds by speaker; "official", as the set's lists, table or
    names say; "clips", a fifth of each label's clips, whoever speaks (what "auto" takes elsewhere).

    `valid`: "speaker", a tenth of the training side's clips and at least one speaker of it; "clips", a tenth of each label's
    training clips, or another share; None, none. "auto" takes what the official split has, "speaker" where that leaves two
    speakers or more to learn from, or else "clips".

    >>> import tempfile, sigconv as sc
    >>> folder, click = tempfile.mkdtemp(), sc.Signal(np.ones((1, 80)), sc.line(80, 8000))
    >>> for name in ("0_ann_1", "0_bob_1", "0_cid_1", "1_ann_1", "1_bob_1", "1_cid_1"):
    ...     sc.save(click, f"{folder}/{name}.wav")
    >>> made = split(sc.learn.Speech(folder), "speaker:ann", valid=None)
    >>> made.train.speakers, made.test.speakers, made.protocol
    (('bob', 'cid'), ('ann',), 'speaker ann left out, no validation, seed 0')

    Raises `SigconvError` for a protocol that this set does not know, and a speaker who is not in it; labels that are on one
    side alone are a `SigconvWarning`.
    """
    if not isinstance(seed, int) or seed < 0:
        raise SigconvError(f"seed {seed!r}: wanted a whole number, 0 or more")
    speakers = data.speakers
    how = ("speaker" if len(speakers) > 1 else "clips") if how == "auto" else how
    rng = np.random.default_rng([seed, 1])
    word, _, rest = str(how).partition(":")
    if word == "official":
        return _official(data, seed, valid)
    if word == "clips" and not rest:
        test = _of_labels(data, range(len(data)), TEST, rng)
        return _made(data, test, "clips, speakers on both sides" if speakers else "clips", seed, valid)
    if word == "speaker" and rest:
        if rest not in speakers:
            there = printable(", ".join(speakers), 200) or "nobody knows who"
            raise SigconvError(f"speaker {rest!r}: here speak {there}{hint(rest, speakers)}")
        return _without(data, (rest,), f"speaker {rest} left out", seed, valid)
    if word == "speaker":
        _several(data, 2)
        chosen = _voices(data, range(len(data)), TEST, rng)
        return _without(data, chosen, f"by speaker, {_names(chosen)} left out", seed, valid)
    if word == "fold":
        which, _, count = rest.partition("/")
        if which.isdecimal() and count.isdecimal() and 1 <= int(which) <= int(count):
            return folds(data, int(count), seed=seed, valid=valid)[int(which) - 1]
    if word == "leave-one-out":
        raise SigconvError("split 'leave-one-out' is one split a speaker: wanted data.folds(), or 'speaker:NAME' for one of them")
    raise SigconvError(f"split {how!r}: wanted official, speaker, speaker:NAME, fold:2/5 or clips"
                       + hint(str(how), ("official", "speaker", "clips")))


def folds(data: T, how: str | int = "leave-one-out", *, seed: int = 0,
          valid: str | float | None = "auto") -> tuple[Split[T], ...]:
    """One split for each speaker left out, in the order of their names, or for each of k groups of speakers of like size.

    Every clip with a known speaker is tested once.

    >>> import tempfile, sigconv as sc
    >>> folder, click = tempfile.mkdtemp(), sc.Signal(np.ones((1, 80)), sc.line(80, 8000))
    >>> for name in ("0_ann_1", "0_bob_1", "1_ann_1", "1_bob_1"):
    ...     sc.save(click, f"{folder}/{name}.wav")
    >>> [fold.test.speakers for fold in folds(sc.learn.Speech(folder), valid=None)]
    [('ann',), ('bob',)]

    Raises `SigconvError` for fewer speakers than folds.
    """
    if how == "leave-one-out":
        _several(data, 2)
        return tuple(_without(data, (name,), f"speaker {name} left out", seed, valid) for name in data.speakers)
    if isinstance(how, bool) or not isinstance(how, int) or how < 2:
        raise SigconvError(f"folds {how!r}: wanted 'leave-one-out' or a number of folds, at least 2")
    _several(data, how)
    counts = Counter(item.speaker for item in data.items if item.speaker)
    shuffled = np.random.default_rng([seed, 2]).permutation(data.speakers).tolist()
    groups: list[list[str]] = [[] for _ in range(how)]
    for name in sorted(shuffled, key=lambda name: -counts[name]):  # the largest first, each to the group that is smallest
        min(groups, key=lambda group: sum(counts[one] for one in group)).append(name)
    return tuple(_without(data, group, f"fold {i} of {how} by speaker", seed, valid) for i, group in enumerate(groups, 1))


def _several(data: Labelled, count: int) -> None:
    if len(data.speakers) < count:
        cure = "say split 'clips', or pattern= with a group (?P<speaker>…)" if not data.speakers else "say split 'clips'"
        raise SigconvError(f"{len(data.speakers)} known speakers: wanted at least {count}; {cure}")


def _official(data: T, seed: int, valid: str | float | None) -> Split[T]:
    parts = {part: [i for i, item in enumerate(data.items) if item.part == part] for part in ("train", "valid", "test")}
    if not parts["train"] or not parts["test"]:
        raise SigconvError(f"official split of {printable(data.folder, 120)}: none is known (lists, a column split, folders "
                           "train and test, or FSDD's names would tell); say 'speaker' or 'clips'")
    if valid != "auto" or not parts["valid"]:
        rest = parts["train"] + parts["valid"]
        return _made(data, parts["test"], "official", seed, "clips" if valid == "auto" else valid, rest)
    return _checked(Split(data.only(parts["train"]), data.only(parts["valid"]), data.only(parts["test"]), "official"))


def _without(data: T, voices: Sequence[str], protocol: str, seed: int, valid: str | float | None) -> Split[T]:
    return _made(data, [i for i, item in enumerate(data.items) if item.speaker in voices], protocol, seed, valid,
                 [i for i, item in enumerate(data.items) if item.speaker and item.speaker not in voices])


def _made(data: T, test: Sequence[int], protocol: str, seed: int, valid: str | float | None,
          rest: Sequence[int] | None = None) -> Split[T]:
    """A split with validation clips taken from the rest."""
    tested = set(test)
    rng = np.random.default_rng([seed, 3, crc32(protocol.encode())])  # other validation speakers for other folds
    rest = [i for i in range(len(data)) if i not in tested] if rest is None else rest
    voices = {data.items[i].speaker for i in rest} - {""}
    spoken = any(data.items[i].speaker in voices for i in test)
    if valid == "auto":
        valid = "speaker" if len(voices) > 2 and not spoken else "clips"
    if valid == "speaker":
        if len(voices) < 2:
            raise SigconvError(f"validation by speaker with {len(voices)} to learn from: wanted at least 2; say valid='clips'")
        chosen = _voices(data, rest, VALID, rng)
        held, told = [i for i in rest if data.items[i].speaker in chosen], f"validation on {_names(chosen)}"
    elif valid in (None, 0):
        held, told = [], "no validation"
    else:
        share = VALID if valid == "clips" else valid
        if isinstance(share, (str, bool)) or not 0 < share < 1:
            raise SigconvError(f"valid {valid!r}: wanted 'speaker', 'clips', None, or a share between 0 and 1")
        held, told = _of_labels(data, rest, float(share), rng), f"validation on {share:.3g} of the training clips"
    train = data.only(sorted(set(rest) - set(held)))
    return _checked(Split(train, data.only(held), data.only(test), f"{protocol}, {told}, seed {seed}"))


def _names(speakers: Sequence[str]) -> str:
    return ", ".join(speakers) if len(speakers) < 4 else f"{len(speakers)} speakers"


def _voices(data: Labelled, among: Sequence[int], share: float, rng: np.random.Generator) -> list[str]:
    """Speakers, drawn until they have about this share of the clips: at least one, and one is left."""
    counts = Counter(data.items[i].speaker for i in among if data.items[i].speaker)
    order = rng.permutation(sorted(counts)).tolist()
    goal, chosen, total = share * sum(counts.values()), order[:1], counts[order[0]]
    for name in order[1:-1]:
        if total + counts[name] / 2 <= goal:
            chosen.append(name)
            total += counts[name]
    return sorted(chosen)


def _of_labels(data: Labelled, among: Sequence[int], share: float, rng: np.random.Generator) -> list[int]:
    """This share of each label's clips, at least one where there are two."""
    held: list[int] = []
    for label in data.labels:
        mine = [i for i in among if data.items[i].label == label]
        count = min(max(round(share * len(mine)), 1), len(mine) - 1)
        held += rng.permutation(mine)[:max(count, 0)].tolist()
    return sorted(int(i) for i in held)


def _checked(made: Split[T]) -> Split[T]:
    """Say which labels one side has and the other has not."""
    sides = [{item.label for item in part.items} for part in (made.train, made.test)]
    told = [f"{printable(', '.join(sorted(a - b)), 120)} only in {name}" for a, b, name in
            ((sides[0], sides[1], "train"), (sides[1], sides[0], "test")) if a - b]
    if told and sides[1]:
        warnings.warn(f"labels differ between the sides of the split: {'; '.join(told)}", SigconvWarning, stacklevel=4)
    return made
