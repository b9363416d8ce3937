"""The logic of events, and motifs that are there anywhere."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sigconv as sc
from sigconv.matching import Event, Events, Motif

NOTES = ("Ab6", "Eb6", "Ab5", "Bb5")
END = 12


def events(name, spans):
    return Events([Event(name, 1.0, 0.0, (a,), ((a, b),)) for a, b in spans], ((0, END),), [name])


def on(found):
    """Where events are, as a mask of half units."""
    times = np.arange(0, END, 0.5) + 0.25
    return np.array([any(e.start < t < e.stop for e in found) for t in times])


spans = st.lists(st.tuples(st.integers(0, END - 2), st.integers(1, 4)).map(lambda s: (s[0], min(sum(s), END))), max_size=4)


@settings(max_examples=60)
@given(spans, spans)
def test_the_logic_is_that_of_sets(first, second):
    """Row 1: nets of thresholds make AND, OR, NOT, and so XOR."""
    a, b = events("a", first), events("b", second)
    p, q = on(a), on(b)
    np.testing.assert_array_equal(on(a & b), p & q)
    np.testing.assert_array_equal(on(a | b), p | q)
    np.testing.assert_array_equal(on(~a), ~p)
    np.testing.assert_array_equal(on((a & ~b) | (~a & b)), p ^ q)
    np.testing.assert_array_equal(on(~(a & b)), on(~a | ~b))
    both = a | b
    np.testing.assert_array_equal(on(both.rule("(a and not b) or (not a and b)")), p ^ q)
    assert bool(a.then(b)) == any(t > s for s, _ in first for t, _ in second)
    assert bool(a.then(b, within=2)) == any(0 < t - s <= 2 for s, _ in first for t, _ in second)


def test_the_four_notes_in_their_order_and_in_no_other():
    found = sc.match(sc.load(sc.io.sample("chime-dry")), "piano", stride=50).events()
    held = {order: bool(found.rule(" then ".join(order))) for order in permutations(NOTES)}
    assert held.pop(NOTES) and not any(held.values()) and len(held) == 23
    full = sc.match(sc.load(sc.io.sample("chime")), "piano", stride=50).events()
    held = {order: bool(full.rule(" then ".join(order) + " within 0.4s")) for order in permutations(NOTES)}
    assert held.pop(NOTES) and not any(held.values()) and len(held) == 23


def test_within_bounds_the_steps():
    a, b, c = events("a", [(0, 1)]), events("b", [(3, 4)]), events("c", [(5, 6)])
    every = a | b | c
    for rule, holds in (("a then b within 3s", True), ("a then b within 2.9 s", False), ("a then b within 0s", False),
                        ("a then b then c within 2s", False),
                        ("a then b within 3s then c within 2000ms", True), ("a then c and not (b then a)", True),
                        ("a and b within 1s", False), ("a and b within 2.5", True), ("not a then c", True), ("A THEN B", True),
                        ('"a" then (b or c)', True), ("b then a or c then b", False)):
        assert bool(every.rule(rule)) is holds, rule
    found, = every.rule("a then b then c")
    assert [e.name for e in found.parts] == ["a", "b", "c"] and found.extent == ((0, 6),)


@pytest.mark.parametrize("rule, said", [
    ("a then", "an end where a name should stand"), ("", "an end where"), ("d", "no template 'd': wanted one of a"),
    ("(a then a", "does not close"), ("a a", "where the rule could end"), ("a within 2s", "after one name"),
    ("a then a within", "without a time"), ("a within 1s then a", "before the first"), ("(" * 99, "more than 50"),
    ("a" * 10_001, "10001 letters"),
])
def test_rules_that_are_none(rule, said):
    with pytest.raises(sc.SigconvError, match=said) as caught:
        events("a", [(0, 1)]).rule(rule)
    assert "\n" not in str(caught.value)


def test_names_of_one_note_are_one():
    found = events("G♯4", [(0, 1)])
    assert all(found.named(name) for name in ("Ab4", "A♭4", "g#4", "note:Ab4"))
    assert len(found.fire(0.5)) == 1 and not found.fire(1.1)


# Motifs anywhere.

C = ["####", "#...", "#...", "#...", "####"]
D = ["####", "#..#", "#..#", "#..#", "####"]


def bitmap(rows, dy=0, dx=0, size=16):
    x = np.zeros((size, size))
    x[1 + dy: 1 + dy + len(rows), 1 + dx: 1 + dx + len(rows[0])] = [[float(c == "#") for c in row] for row in rows]
    return sc.Signal(x, sc.grid(size, size))


def test_c_and_d_wherever_they_stand():
    """Row 51: endpoints and corners, thresholded, summed, thresholded."""
    like = sc.grid(1, 1)
    ends = Motif(sc.kernel("endpoint", like), 1.5, "sum", least=0.25, either=True)
    corners = Motif(sc.kernel("corner", like), 0.5, "sum", least=0.25, either=True)
    kinds = {name: [(ends.score(x), corners.score(x), ends.fires(x)) for dy in range(10) for dx in range(11)
                    for x in (bitmap(rows, dy, dx),)] for name, rows in (("C", C), ("D", D))}
    assert all(fires for *_, fires in kinds["C"]) and not any(fires for *_, fires in kinds["D"])
    for found in kinds.values():
        scores = np.array([row[:2] for row in found])
        assert np.ptp(scores, axis=0).max() <= 1e-6 and (scores[:, 1] > 0).all()


def test_a_motif_is_where_it_is():
    rng = np.random.default_rng(0)
    k = sc.Signal(rng.standard_normal(20), sc.line(20, 100))
    motif = Motif(k, 0.9 * float((k.data**2).sum()))
    scores = []
    for at in range(0, 180, 7):
        x = np.zeros(200)
        x[at: at + 20] = k.data
        x = sc.Signal(x, sc.line(200, 100))
        assert motif.fires(x) and not motif.fires(0.5 * x)
        answer = motif.map(x)
        assert answer.domain.position(int(answer.data.argmax())) == (at / 100,)
        scores.append(motif.score(x))
    assert np.ptp(scores) < 1e-6


@pytest.mark.parametrize("agg", ["max", "sum"])
def test_the_gradient_comes_from_the_places_that_count(agg):
    import torch

    rng = np.random.default_rng(1)
    x = sc.Signal(torch.tensor(rng.standard_normal(50)), sc.line(50, 100))
    taps = torch.tensor(rng.standard_normal(5), requires_grad=True)

    def score(w):
        return Motif(sc.Signal(w, sc.line(5, 100)), 1.0, agg).score(x)

    assert torch.autograd.gradcheck(score, (taps,))
    y = sc.correlate(x, sc.Signal(taps.detach(), sc.line(5, 100)), mode="full").data
    pieces = torch.nn.functional.pad(x.data, (4, 4)).unfold(0, 5, 1)
    score(taps).backward()
    want = pieces[y.argmax()] if agg == "max" else pieces[y > 1].sum(0)
    assert torch.allclose(taps.grad, want)


def test_what_a_motif_refuses():
    k = sc.Signal([1.0], sc.line(1, 100))
    with pytest.raises(sc.SigconvError, match="agg 'mean'"):
        Motif(k, agg="mean")
    with pytest.raises(sc.SigconvError, match="an empty signal"):
        Motif(k).score(sc.Signal(np.zeros(0), sc.line(0, 100)))
