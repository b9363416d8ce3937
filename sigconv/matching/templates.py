"""What may stand for templates, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import arrays, kernels
from ..domain import Domain
from ..errors import SigconvError, UsageError, hint
from ..kernels.reading import arguments, quoted
from ..kernels.registry import find
from ..scales import note_to_hz
from ..signal import Signal
from .cosines import orthonormal

__all__ = ["Template", "called", "gathered", "key", "spoken"]

STEADY = 0.5  # of its peak: what a tone's autocorrelation still reaches a quarter of its length away


@dataclass(frozen=True)
class Template:
    """One template: its name, its grid, its norm (of a pair that of its real part), whether it is a pair (complex), and whether
    it is a steady tone, alike all along."""

    name: str
    grid: Domain
    size: float
    pair: bool
    steady: bool


def gathered(templates: Any, x: Signal, centred: bool) -> list[tuple[list[Template], Signal]]:
    """Templates in groups that share a grid, in order, each as a bank `(m,)`, or a layer `(m, c)` of all channels at once."""
    groups: list[tuple[list[str], list[np.ndarray], Domain]] = []
    for name, taps, grid in _each(templates, x, None, alone=True):
        x.domain.agree(grid)
        if groups and groups[-1][2] == grid and groups[-1][1][0].shape == taps.shape \
                and groups[-1][1][0].dtype == taps.dtype:
            groups[-1][0].append(name)
            groups[-1][1].append(taps)
        else:
            groups.append(([name], [taps], grid))
    if not groups:
        raise UsageError("no templates: wanted at least one")
    found = []
    for names, every, grid in groups:
        unit = orthonormal(Signal(np.stack(every), grid), centred)
        pair = np.iscomplexobj(unit.data)
        steady = _steady(unit.data) if pair and grid.ndim == 1 else [False] * len(names)
        sizes = [float(np.linalg.norm(one.real)) or float(np.linalg.norm(one)) for one in every]
        found.append(([Template(n, grid, z, pair, s) for n, z, s in zip(names, sizes, steady, strict=True)], unit))
    return found


def _each(given: Any, x: Signal, name: str | None, alone: bool) -> Iterator[tuple[str, np.ndarray, Domain]]:
    """(name, taps, grid) of every template; `alone`: a Signal that is all there is, so that its channels are a bank."""
    if isinstance(given, str):
        yield from _each(spoken(given, x), x, name or given.strip(), alone)
    elif isinstance(given, Signal):
        yield from _signal(given, x, name, alone)
    elif isinstance(given, Mapping):
        for word, one in given.items():
            yield from _each(one, x, str(word), alone=False)
    elif isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], str) and not isinstance(given[1], str):
        yield from _each(given[1], x, given[0], alone=False)
    elif isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Signal) and isinstance(given[1], int):
        yield from _each(given[0], x, name, alone)  # a kernel and its stride, as banks of several rates are
    elif isinstance(given, Iterable) and not arrays.is_tensor(given) and not isinstance(given, np.ndarray):
        for i, one in enumerate(given, 1):
            lone = isinstance(one, Signal) and not one.channels
            yield from _each(one, x, f"template {i}" if lone else None, alone=False)
    else:
        raise UsageError(f"a {type(given).__name__} as templates: wanted Signals, words such as 'piano' or 'note:A4', or "
                         "{name: Signal}")


def _signal(k: Signal, x: Signal, name: str | None, alone: bool) -> Iterator[tuple[str, np.ndarray, Domain]]:
    taps = arrays.to_numpy(k.data)
    joint = len(k.value) == 2 or (not alone and len(k.value) == 1 and x.value[-1:] == k.value and k.value[0] > 1)
    if not k.domain.size or len(k.value) > 2 or 0 in k.value:
        raise SigconvError(f"a template of shape {taps.shape}: wanted taps, of value (), (m,) for m templates, or (m, c) for c "
                           "channels")
    if len(k.value) == 2 and x.value[-1:] != k.value[1:]:
        raise SigconvError(f"templates for {k.value[1]} channels, a signal of value {x.value}: wanted as many channels")
    if not k.value or (joint and len(k.value) == 1):
        yield name or "template", taps, k.domain
        return
    word, many = name or "template", k.value[0]
    names = k.names[0] or ([word] if many == 1 else [f"{word} {i}" for i in range(1, many + 1)])
    yield from ((word, one, k.domain) for word, one in zip(names, taps, strict=True))


def spoken(text: str, x: Signal) -> Signal:
    """A bank or a kernel by name."""
    word, _, rest = text.strip().partition(":")
    if kernels.find_bank(word):
        made = kernels.bank(text.strip(), x.domain)
        if not isinstance(made, Signal):
            raise UsageError(f"template {quoted(text)}: a bank of several rates; wanted one of a single rate, e.g. piano")
        return made
    family = find(word.strip())
    if family is None:
        near = hint(word, [*kernels.FAMILIES, *kernels.BANKS])
        raise UsageError(f"template {quoted(text)}: no name of a kernel{near}; files and typed taps become one by "
                         "sc.kernel(spec, x)")
    return family.function(x.domain, **arguments(family, word.strip(), rest, x.domain))


def _steady(taps: np.ndarray) -> list[bool]:
    """Whether a template is alike all along: its autocorrelation, of any phase, is wide."""
    n = taps.shape[-1]
    rows = taps.reshape(len(taps), -1, n)
    spectra = np.abs(np.fft.fft(rows, 2 * n)) ** 2
    own = np.abs(np.fft.ifft(spectra.sum(1)))
    return [bool(row[n // 4] > STEADY * row[0]) for row in own] if n >= 4 else [False] * len(taps)


def key(name: str) -> str:
    """What two names of one thing have in common: A♭4, Ab4 and G#4 are one note; capitals do not count.

    >>> key("Ab4") == key("G♯4"), key("Kick") == key("kick")
    (True, True)
    """
    word = name.strip().rpartition(":")[2] if name.strip().lower().startswith("note:") else name.strip()
    try:
        return f"{note_to_hz(word):.6g} Hz"
    except SigconvError:
        return word.casefold()


def called(names: Sequence[str], name: str) -> list[int]:
    """Which of these names is meant; an error that says what there is."""
    found = [i for i, n in enumerate(names) if key(n) == key(name)]
    if not found:
        some = ", ".join(names[:12]) + ", …" * (len(names) > 12)
        raise UsageError(f"no template {quoted(name)}: wanted one of {some}{hint(name, names)}")
    return found
