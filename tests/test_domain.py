"""Grids add exactly, whatever was done to them before."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv.domain import Domain, grid, line

STEPS = st.one_of(st.fractions(Fraction(1, 10**6), 10**3, max_denominator=10**6), st.integers(1, 50).map(Fraction))
UNITS = ("px", "px", "mm")


@st.composite
def domains(draw, ndim=None, least=0, fractional=True):
    ndim = ndim or draw(st.integers(1, 3))
    start = st.one_of(st.integers(-100, 100), st.fractions(-9, 9, max_denominator=7)) if fractional else st.integers(-100, 100)
    return Domain(tuple(draw(st.integers(least, 40)) for _ in range(ndim)), tuple(draw(STEPS) for _ in range(ndim)),
                  tuple(draw(start) for _ in range(ndim)), UNITS[:ndim], ("z", "y", "x")[3 - ndim:])


@st.composite
def pairs(draw):
    """A grid and a kernel's grid with the same steps."""
    omega = draw(domains(least=1))
    k = tuple(draw(st.integers(1, 50)) for _ in omega.shape)
    return omega, Domain(k, omega.step, tuple(draw(st.integers(-50, 50)) for _ in k), omega.unit)


def places(domain, axis):
    return [(domain.start[axis] + i) * domain.step[axis] for i in range(domain.shape[axis])]


@given(pairs())
def test_plus_is_every_place_that_a_sample_and_a_tap_reach(pair):
    omega, k = pair
    full = omega.plus(k)
    for axis, (n, taps) in enumerate(zip(omega.shape, k.shape, strict=True)):
        assert full.shape[axis] == n + taps - 1
        reached = places(full, axis)
        assert reached[0] == places(omega, axis)[0] + places(k, axis)[0]
        assert reached[-1] == places(omega, axis)[-1] + places(k, axis)[-1]
    assert (full.step, full.unit, full.name) == (omega.step, omega.unit, omega.name)


@given(pairs())
def test_minus_reads_nothing_outside(pair):
    omega, k = pair
    valid = omega.minus(k)
    for axis in range(omega.ndim):
        inside = set(places(omega, axis))
        wanted = [p for p in places(omega.plus(k), axis) if {p - q for q in places(k, axis)} <= inside]
        assert places(valid, axis) == wanted


@given(pairs())
def test_needs_undoes_minus_and_is_undone_by_it(pair):
    """needs(Ω ⊖ K) = Ω where anything is valid, and needs(Ω) ⊖ K = Ω always."""
    omega, k = pair
    assert omega.needs(k).minus(k) == omega
    if all(n >= m for n, m in zip(omega.shape, k.shape, strict=True)):
        assert omega.minus(k).needs(k) == omega
    assert omega.needs(k).shape == omega.plus(k).shape


@given(pairs())
def test_the_full_grid_less_the_mirrored_kernel_is_the_grid(pair):
    omega, k = pair
    assert omega.plus(k).minus(k.reverse()) == omega
    assert k.reverse().reverse() == k


@given(pairs(), st.integers(1, 5))
def test_needs_after_a_stride_is_what_the_outputs_read(pair, stride):
    omega, k = pair
    out = omega.every(stride)
    read = out.needs(k)
    for axis in range(omega.ndim):
        wanted = {p - q for p in places(out, axis) for q in places(k, axis)}
        assert read.step[axis] == omega.step[axis]
        assert (min(wanted), max(wanted)) == (places(read, axis)[0], places(read, axis)[-1])


@given(domains(), st.integers(1, 9))
def test_every_keeps_the_places_0_s_2s(omega, stride):
    kept = omega.every(stride)
    for axis in range(omega.ndim):
        assert places(kept, axis) == places(omega, axis)[::stride]
        assert kept.shape[axis] == -(-omega.shape[axis] // stride)


@given(domains(), st.integers(1, 9), st.integers(1, 9))
def test_strides_multiply_without_rounding(omega, s, t):
    assert omega.every(s).every(t) == omega.every(s * t)
    assert hash(omega.every(s).every(t)) == hash(omega.every(s * t))


@given(pairs(), st.integers(1, 5))
def test_dilation_pulls_the_taps_apart_about_the_origin(pair, dilation):
    _, k = pair
    wide = k.dilate(dilation)
    for axis in range(k.ndim):
        assert places(wide, axis)[::dilation] == [p * dilation for p in places(k, axis)]
        assert wide.shape[axis] == (k.shape[axis] - 1) * dilation + 1


@given(pairs())
def test_sums_commute_and_associate(pair):
    omega, k = pair
    assert (omega.plus(k).shape, omega.plus(k).start) == (k.plus(omega).shape, k.plus(omega).start)
    assert omega.plus(k).plus(k) == omega.plus(k.plus(k))
    assert omega.plus(k).minus(k).shape == tuple(max(n, 0) for n in omega.shape)


@given(domains(least=1), st.integers(-5, 5))
def test_offset_finds_the_other_grid(omega, shift):
    other = Domain(omega.shape, omega.step, tuple(a + shift for a in omega.start), omega.unit)
    assert omega.offset(other) == (shift,) * omega.ndim
    half = Domain(omega.shape, omega.step, tuple(a + Fraction(1, 2) for a in omega.start), omega.unit)
    with pytest.raises(sc.SigconvError, match="fall between"):
        omega.offset(half)


@given(domains(ndim=1), st.fractions(-300, 300, max_denominator=50), st.fractions(-300, 300, max_denominator=50))
def test_window_holds_the_samples_between(omega, a, b):
    first, stop = omega.window(a, b, 0)
    inside = [i for i, p in enumerate(places(omega, 0)) if a <= p < b]
    assert list(range(first, stop)) == inside
    assert omega.window(None, None, 0) == (0, omega.shape[0])


@given(st.integers(1, 10**6), st.integers(1, 96000))
def test_floats_become_the_rational_that_was_meant(n, d):
    if Fraction(n, d).denominator <= 31622:  # n/d as a float lies nearer to n/d than to any other such fraction
        assert Domain(3, step=n / d).step == (Fraction(n, d),)
    assert line(9, float(d)) == line(9, d)
    assert line(9, d).rate == d
    assert isinstance(line(9, d).rate, int)


def test_numbers_of_any_kind_make_the_same_grid():
    for rate in (8000, 8000.0, np.int64(8000), np.float32(8000), Fraction(8000)):
        assert line(5, rate) == line(5, 8000)
        assert line(np.int64(5), rate) == line(5, 8000)
    assert Domain([4, 5]) == Domain((4, 5)) == Domain(np.array([4, 5])) == grid(4, 5)
    assert Domain((4, 5), np.array([0.5, 2])).step == (Fraction(1, 2), 2)
    assert line(1, 1e-12).step == (Fraction(10**12),)
    assert Domain(1, step=1e-12).step == (Fraction(1, 10**12),)


def test_positions_extents_and_words():
    x = line(44100, 44100, start=22050)
    assert (x.extent, x.position(0), x.rate, x.name, x.unit) == (((0.5, 1.5),), (0.5,), 44100, ("time",), ("s",))
    assert line(10, 3).every(2).rate == 1.5
    assert grid(3, 4).name == ("y", "x")
    assert grid(2, 3, 4).name == ("z", "y", "x")
    assert grid(98, 116, 94, step=2, unit="mm").extent[0] == (0.0, 196.0)
    assert str(line(3, 2)) == "3 × 0.5 s from 0"
    assert grid(5, 6).size == 30
    assert [line(k, 1).centre().start for k in (1, 2, 3, 4, 5)] == [(0,), (0,), (-1,), (-1,), (-2,)]


def test_an_empty_grid_stays_empty():
    k = line(3, 1)
    assert line(0, 1).plus(k).shape == line(0, 1).minus(k).shape == line(0, 1).needs(k).shape == line(0, 1).every(3).shape == (0,)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: line(5, 0), "rate 0: wanted above 0"),
    (lambda: line(5, -1), "rate -1: wanted above 0"),
    (lambda: line(5, float("nan")), "wanted a finite number"),
    (lambda: line(5, "fast"), "rate 'fast': wanted a number"),
    (lambda: line(-1, 1), "wanted 0 or more"),
    (lambda: line(2.5, 1), "wanted whole numbers"),
    (lambda: Domain(5, step=0), "step 0: wanted above 0"),
    (lambda: Domain((2, 2), step=(1, 2, 3)), "one for each of 2 axes"),
    (lambda: Domain((2, 2, 2, 2)), "4 axes: wanted 1, 2 or 3; put the others into the value"),
    (lambda: Domain(()), "0 axes"),
    (lambda: Domain(2, unit=3), "wanted words"),
    (lambda: grid(2, 2).rate, "no single rate"),
    (lambda: line(5, 1).every(0), "stride 0: wanted 1 or more"),
    (lambda: line(5, 1).every(1.5), "wanted whole numbers"),
    (lambda: line(5, 1).dilate(0), "dilation 0"),
    (lambda: line(5, 44100).plus(line(3, 48000)), "sc.resample(kernel, 44100, as_kernel=True)"),
    (lambda: line(5, 44100).plus(line(3, 44100, unit="m")), "a kernel in m on a signal in s"),
    (lambda: grid(5, 5).minus(grid(3)), "a kernel of 1 axes on a signal of 2"),
    (lambda: grid(5, 5).minus(grid(3, 3, step=2)), "resample"),
    (lambda: line(5, 3).needs(line(2, 7)), "sc.resample"),
    (lambda: grid(5, 5).plus((3, 3)), "a tuple as domain: wanted a Domain"),
    (lambda: grid(5, 5).needs(line(3, 1)), "axes"),
])
def test_errors_are_one_line(call, words):
    with pytest.raises(sc.SigconvError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
