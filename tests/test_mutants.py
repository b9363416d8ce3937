"""A test of the tests: bugs planted in a convolution, and the laws that must see each of them.

`KILLS` says for each bug which laws catch it and which are blind to it: the definition, the adjoint and `same` together kill all
that touch one plain call, `batch` those between channels, `purity` (the same call twice, inputs unchanged) hidden
randomness. Linearity, shift, Parseval and the total alone let a flipped kernel through.
"""

from dataclasses import replace
from functools import cache
from itertools import count

import numpy as np
import pytest
from laws import LAWS, Ops, assemble, library

RIGHT = library("numpy", "direct")
_calls = count()


def correlation(x, h, **options):
    return RIGHT.conv(x, np.flip(h), **options)


def same_off_by_one(x, h, mode="full", **options):
    if mode != "same" or options.get("padding_mode", "zeros") != "zeros":
        return RIGHT.conv(x, h, mode=mode, **options)
    lead = x.ndim - h.ndim
    full = RIGHT.conv(x, h)
    return full[(..., *(slice(k // 2, k // 2 + n) for n, k in zip(x.shape[lead:], h.shape, strict=True)))]


def swaps_long_kernel(x, h, mode="full", **options):
    """numpy's `same`: as long as the longer of the two."""
    if mode == "same" and x.ndim == h.ndim == 1 and len(h) > len(x):
        return RIGHT.conv(h, x, mode="same")
    return RIGHT.conv(x, h, mode=mode, **options)


def wraps(x, h, mode="full", **options):
    y = RIGHT.conv(x, h, mode=mode, **options)
    if mode != "full" or h.ndim != 1 or len(h) < 2:
        return y
    circle = np.zeros_like(y)
    np.add.at(circle.T, np.arange(y.shape[-1]) % x.shape[-1], y.T)
    return circle


def tail_lost(x, h, mode="full", **options):
    y = RIGHT.conv(x, h, mode=mode, **options)
    if mode == "full":
        y[..., x.shape[-1]:] = 0
    return y


def half_sums(x, h, **options):
    return RIGHT.conv(x.astype(np.float16), h, **options).astype(x.dtype)


def clips(x, h, **options):
    return np.clip(RIGHT.conv(x, h, **options), -1, 1)


def removes_dc(x, h, **options):
    y = RIGHT.conv(x, h, **options)
    return y - y.mean() if y.size else y


def normalises_peak(x, h, **options):
    y = RIGHT.conv(x, h, **options)
    return y / (np.abs(y).max(initial=0) or 1)


def gain(x, h, **options):
    y = RIGHT.conv(x, h, **options)
    return y * y.dtype.type(10 ** (0.1 / 20))


def noise(x, h, **options):
    y = RIGHT.conv(x, h, **options)
    return y + np.random.default_rng(next(_calls)).normal(size=y.shape).astype(y.dtype) * y.dtype.type(1e-4)


def crosstalk(x, h, **options):
    y = RIGHT.conv(x, h, **options)
    return y + y.dtype.type(1e-3) * y.mean(0) if y.ndim > h.ndim else y


def writes_input(x, h, **options):
    y = RIGHT.conv(x, h, **options)
    x *= 0.5
    return y


def unflipped(y, h):
    return RIGHT.conv(y, h, mode="valid")


def shifts_circle(x, h, mode="full", padding_mode="zeros"):
    return RIGHT.conv(x, h, mode=mode, padding_mode="replicate" if padding_mode == "circular" else padding_mode)


def planted(conv):
    return Ops(conv, RIGHT.corr, conv)


MUTANTS = {name: planted(f) for name, f in {
    "correlation": correlation, "same, off by one": same_off_by_one, "swaps long kernel": swaps_long_kernel,
    "circular wrap": wraps,
    "tail lost": tail_lost, "float16 sums": half_sums, "clips to ±1": clips, "removes DC": removes_dc,
    "normalises peak": normalises_peak, "gain 0.1 dB": gain, "noise 1e-4": noise, "crosstalk": crosstalk,
    "writes its input": writes_input, "circular is replicate": shifts_circle}.items()}
MUTANTS["adjoint unflipped"] = Ops(RIGHT.conv, unflipped, RIGHT.free)

MINIMAL = {"defined", "adjoint", "same", "batch", "purity"}
KILLS = {  # laws that must see it; laws that must be blind to it
    "correlation": ("defined commutativity delay impulse adjoint",
                    "linearity shift total parseval reversal young same length homogeneity"),
    "same, off by one": ("defined same", "commutativity associativity impulse total reversal parseval young adjoint length"),
    "swaps long kernel": ("defined same length", "commutativity associativity impulse reversal parseval young adjoint"),
    "circular wrap": ("defined shift parseval reversal adjoint", "linearity total young length homogeneity"),
    "tail lost": ("defined commutativity impulse total parseval reversal adjoint", "linearity length"),
    "float16 sums": ("defined linearity total parseval adjoint", "shift length purity"),
    "clips to ±1": ("defined total parseval adjoint homogeneity", "shift length"),
    "removes DC": ("defined delay impulse total adjoint", "linearity length young"),
    "normalises peak": ("defined linearity homogeneity adjoint total", "shift length"),
    "gain 0.1 dB": ("defined delay impulse total parseval adjoint", "linearity shift commutativity reversal homogeneity length"),
    "noise 1e-4": ("defined purity", "length"),
    "crosstalk": ("batch", "defined adjoint same shift impulse"),
    "writes its input": ("purity", "length"),
    "circular is replicate": ("defined shift", "same adjoint parseval commutativity impulse"),
    "adjoint unflipped": ("adjoint", "defined same linearity parseval impulse"),
}


@cache
def draws():
    rng, kinds = np.random.default_rng(0), ["noise", "integers", "ramp", "constant", "step"]
    found = []
    for n, k in [((40,), (4,)), ((9,), (12,)), ((23,), (3,)), ((6,), (6,)), ((50,), (9,)), ((7, 6), (2, 3)), ((5, 4), (6, 2)),
                 ((12,), (2,))]:
        for dtype in ("float32", "float64"):
            case = assemble(n, k, tuple(rng.choice(kinds, 2)), int(rng.integers(1000)), dtype, False,
                            padding_mode=str(rng.choice(["zeros", "circular", "reflect", "symmetric"])))
            found.append(replace(case, x=case.x * 3))
    return found


@cache
def killed(mutant, name):
    """Whether the law sees the bug in any of the draws."""
    def broken(case):
        try:
            LAWS[name](MUTANTS[mutant], replace(case, x=case.x.copy()))
        except (AssertionError, ValueError):
            return True
        return False

    return any(map(broken, draws()))


@pytest.mark.parametrize("name", LAWS)
def test_the_right_convolution_breaks_no_law(name):
    for case in draws():
        LAWS[name](RIGHT, case)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_minimal_set_kills(mutant):
    assert {name for name in MINIMAL if killed(mutant, name)}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_what_sees_it_and_what_is_blind(mutant):
    sees, blind = (set(words.split()) for words in KILLS[mutant])
    assert {name for name in sees if not killed(mutant, name)} == set()
    assert {name for name in blind if killed(mutant, name)} == set()


def test_every_law_kills_something():
    assert {name for name in LAWS if not any(killed(mutant, name) for mutant in MUTANTS)} == set()
