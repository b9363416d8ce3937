"""Level, position, augmentation: each does what its parameter says, nothing at the neutral one, the same for the same seed."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv.errors import SigconvError
from sigconv.learn import (
    Augment,
    coloured,
    equalised,
    lengths_mask,
    level,
    levelled,
    mask,
    mixup,
    noisy,
    nonwords,
    pitched,
    placed,
    reverberant,
    sped,
    tilted,
    tract,
    trailing_level,
    trimmed,
)

RATE = 8000


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def white(b=3, n=8000, seed=0):
    return torch.randn(b, n, generator=generator(seed))


def tone(f, n=8000, rate=RATE):
    return torch.sin(2 * math.pi * f / rate * torch.arange(n, dtype=torch.float64)).to(torch.float32)


def strongest(x, rate=RATE):
    """The frequency of the highest peak, by a parabola through a log spectrum under a Gaussian window."""
    n = len(x)
    window = np.exp(-0.5 * (np.linspace(-3.5, 3.5, n)) ** 2)
    S = np.log(np.abs(np.fft.rfft(np.asarray(x, float) * window, 4 * n)) + 1e-12)
    i = int(S.argmax())
    a, b, c = S[i - 1: i + 2]
    return (i + 0.5 * (a - c) / (a - 2 * b + c)) * rate / (4 * n)


def gain(f, effect, rate=RATE):
    """In dB, at a frequency, away from the ends."""
    x = tone(f)[None]
    y = effect(x)
    return 10 * math.log10(float(y[:, 1000:-1000].square().mean() / x[:, 1000:-1000].square().mean()))


# ---- level and position

@given(st.integers(0, 5), st.integers(0, 5), st.floats(1e-3, 10))
def test_level_is_of_speech_alone_and_linear(before, after, factor):
    x = white()
    padded = torch.nn.functional.pad(x, (200 * before, 200 * after))
    assert torch.allclose(level(padded, RATE), level(x, RATE), rtol=1e-6)
    assert torch.allclose(level(factor * x, RATE), factor * level(x, RATE), rtol=1e-5)


def test_level_is_the_rms_of_what_is_steady_and_passes_over_what_is_20_db_below():
    x = tone(400)[None]
    assert float(level(x, RATE)[0]) == pytest.approx(0.5**0.5, rel=1e-6)
    quiet = torch.cat([0.05 * x, x, 0.05 * x], 1)  # 26 dB below
    assert float(level(quiet, RATE)[0]) == pytest.approx(0.5**0.5, rel=1e-6)
    heard = torch.cat([0.2 * x, x], 1)  # 14 dB below: it counts
    assert float(level(heard, RATE)[0]) == pytest.approx((0.5 * (1 + 0.04) / 2) ** 0.5, rel=1e-6)


@given(st.sampled_from([1, 2, 199, 200, 201, 3999]))
def test_levelled_clips_have_the_target(n):
    x = white(2, n) * torch.tensor([[0.001], [3.0]])
    y = levelled(x, RATE, 0.1)
    assert torch.allclose(level(y, RATE), torch.full((2,), 0.1), rtol=1e-5)
    assert torch.equal(levelled(torch.zeros(1, n), RATE), torch.zeros(1, n))
    assert levelled(x, RATE, seconds=0.5).shape == x.shape


def test_gain_is_at_most_a_thousand():
    assert float(levelled(torch.full((1, 400), 1e-6), RATE)[0, 0]) == pytest.approx(1e-3)


def test_trailing_level_is_the_level_of_the_window_that_ends_there():
    x = white(2, 16000) * torch.linspace(0.01, 1, 16000)
    trailing = trailing_level(x, RATE, 0.5)
    for stop in (4000, 4200, 9000, 16000):
        assert torch.allclose(trailing[:, stop - 1], level(x[:, stop - 4000: stop], RATE), rtol=1e-6)
    assert torch.allclose(trailing_level(x, RATE, 2.0)[:, -1], level(x, RATE), rtol=1e-6)


@given(st.integers(1, 8000))
def test_trailing_level_looks_at_nothing_later(at):
    x = white(1)
    y = x.clone()
    y[:, at:] = 7
    seen = max(at, 200) if at >= 200 else 0
    assert torch.equal(trailing_level(x, RATE)[:, :seen], trailing_level(y, RATE)[:, :seen])


def test_level_serves_any_leading_axes_and_nothing():
    x = white(6, 400).reshape(2, 3, 400)
    assert level(x, RATE).shape == (2, 3) and trailing_level(x, RATE).shape == x.shape
    assert level(torch.zeros(2, 0), RATE).tolist() == [0, 0] and trailing_level(torch.zeros(2, 0), RATE).shape == (2, 0)
    with pytest.raises(SigconvError, match="at least one sample in each"):
        level(x, 10)


@given(st.integers(1, 30), st.integers(0, 99) | st.none())
def test_placed_clips_are_whole_or_a_stretch(window, seed):
    lengths = torch.tensor([1, 5, 20])
    x = (torch.arange(20) + 1.0) * lengths_mask(lengths, 20)
    y = placed(x, lengths, window, None if seed is None else generator(seed))
    assert y.shape == (3, window)
    for row, n in zip(y, lengths.tolist(), strict=True):
        kept = row[row > 0]
        assert len(kept) == min(n, window) and torch.equal(kept.diff(), torch.ones(len(kept) - 1))
        if n <= window:
            assert kept[0] == 1
            at = int(row.nonzero()[0])
            assert seed is not None or at == (window - n) // 2


def test_every_onset_is_as_likely():
    at = placed(torch.ones(6000, 1), [1] * 6000, 6, generator()).argmax(1).bincount(minlength=6)
    assert at.min() > 900 and at.max() < 1100
    cut = placed(torch.arange(6.0).expand(6000, 6), [6] * 6000, 1, generator())[:, 0].long().bincount(minlength=6)
    assert cut.min() > 900 and cut.max() < 1100


def test_trimmed_clips_lose_their_silence_alone():
    x = torch.zeros(2, 8000)
    x[0, 1000:3000] = white(1, 2000)[0]
    x[1] = white(1)[0]
    y, lengths = trimmed(x, [8000, 7000], RATE)
    assert lengths.tolist() == [2000, 7000]
    assert torch.equal(y[0, :2000], x[0, 1000:3000]) and not y[0, 2000:].any()
    assert torch.equal(y[1, :7000], x[1, :7000])


# ---- speed, pitch, voice

@pytest.mark.parametrize("ratio", [0.5, 0.75, 5 / 6, 23 / 24, 25 / 24, 1.25, 1.5, 2.0])
def test_speed_moves_a_tone_by_the_ratio_and_keeps_its_strength(ratio):
    y, lengths = sped(tone(700)[None], ratio)
    n = int(lengths[0])
    assert n == math.ceil(8000 / ratio - 1e-9) == y.shape[1]
    assert strongest(y[0]) == pytest.approx(700 * ratio, rel=1e-4)
    assert float(y[0, 500:-500].square().mean()) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("ratio", [0.75, 1.25])
def test_speed_is_the_sound_read_at_other_times(ratio):
    f, n = 300.0, 4000
    y, _ = sped(tone(f, n)[None], ratio)
    wanted = tone(f * ratio, y.shape[1])
    assert (y[0] - wanted)[100:-100].abs().max() < 1e-3


def test_what_would_fold_is_kept_out():
    y, _ = sped(tone(3800)[None], 1.25)
    assert y[:, 300:-300].abs().max() < 0.01
    assert torch.allclose(sped(torch.ones(1, 999), 1.25)[0][:, 60:-60], torch.ones(()), atol=1e-5)


def test_rows_go_at_their_own_speed_and_a_row_at_1_is_left():
    x = white(3, 1001)
    y, lengths = sped(x, [1.0, 1.25, 0.75], [1001, 500, 1001])
    assert torch.equal(y[0, :1001], x[0]) and not y[0, 1001:].any()
    assert lengths.tolist() == [1001, 400, 1335] and y.shape == (3, 1335)
    for i, ratio in ((1, 1.25), (2, 0.75)):
        alone = sped(x[i: i + 1], ratio)[0][0]
        assert (y[i, : len(alone)] - alone).abs().max() < 1e-6
    assert sped(x[:0], [])[0].shape == (0, 1001)
    with pytest.raises(SigconvError, match=r"speeds from 0.125 to 8: wanted 0.25"):
        sped(x, [0.125, 1, 8])


def vowel(pitch=100, formant=1000.0, n=8000):
    """Pulses through one resonance."""
    pulses = np.zeros(n)
    pulses[:: RATE // pitch] = 1
    t = np.arange(400) / RATE
    y = np.convolve(pulses, np.exp(-300 * t) * np.sin(2 * np.pi * formant * t))[:n]
    return torch.tensor(y, dtype=torch.float32)[None]


def formant_of(x):
    """Where the spectrum, smoothed over two harmonics, is highest."""
    S = np.abs(np.fft.rfft(np.asarray(x[0], float) * np.hanning(x.shape[1]))) ** 2
    width = round(200 * x.shape[1] / RATE)
    smooth = np.convolve(S, np.hanning(width), "same")
    return smooth.argmax() * RATE / x.shape[1]


def pitch_of(x):
    S = np.abs(np.fft.rfft(np.asarray(x[0], float), 2 * x.shape[1])) ** 2
    r = np.fft.irfft(S)
    return RATE / (30 + int(r[30:200].argmax()))


@pytest.mark.parametrize(("pitch", "ratio"), [(100, 0.8), (100, 1.2), (125, 1.25), (160, 1.2)])
def test_a_shorter_tract_moves_formants_and_not_the_pitch(pitch, ratio):
    formant = {160: 800}.get(pitch, 1000)
    x = vowel(pitch, formant)
    y = tract(x, RATE, ratio)
    assert formant_of(x) == pytest.approx(formant, rel=0.01) and pitch_of(x) == pytest.approx(pitch, rel=0.02)
    assert formant_of(y) == pytest.approx(formant * ratio, rel=0.01)
    assert pitch_of(y) == pytest.approx(pitch, rel=0.02) and y.shape == x.shape


def test_pitch_moves_and_formants_stay():
    y, _ = pitched(vowel(), RATE, 1.25)
    assert pitch_of(y) == pytest.approx(125, rel=0.02) and formant_of(y) == pytest.approx(1000, rel=0.1)


@pytest.mark.parametrize("n", [0, 1, 2, 100, 255, 257])
def test_short_clips_have_a_tract_too(n):
    y = tract(white(2, n), RATE, [1.1, 1.0])
    assert y.shape == (2, n) and torch.isfinite(y).all() and torch.equal(y[1], white(2, n)[1])


# ---- colour, room, noise

@pytest.mark.parametrize("slope", [-6.0, -2.0, 3.0])
def test_tilt_is_in_decibels_an_octave(slope):
    gains = [gain(f, lambda x: tilted(x, RATE, slope)) for f in (250, 500, 1000, 2000)]
    assert np.diff(gains) == pytest.approx([slope] * 3, abs=0.1 * abs(slope))
    assert gains[2] == pytest.approx(0, abs=0.1)


def test_an_equaliser_has_its_gains_at_its_knots():
    knots = 700 * np.expm1(np.arange(6) / 5 * np.log1p(4000 / 700))
    wanted = [0.0, 6.0, -6.0, 3.0, -3.0, 0.0]
    got = [gain(f, lambda x: equalised(x, RATE, [wanted])) for f in knots[1:-1]]
    assert got == pytest.approx(wanted[1:-1], abs=0.8)
    with pytest.raises(SigconvError, match="1 knots: wanted at least 2"):
        equalised(white(1, 9), RATE, [[1.0]])


def test_filters_are_linear_and_do_not_delay():
    x = torch.zeros(1, 999)
    x[0, 400] = 1
    h = tilted(x, RATE, 3.0)[0]
    assert int(h.abs().argmax()) == 400
    assert (h[400 - 100: 400] - h[401: 501].flip(0)).abs().max() < 1e-6
    a, b = white(1, 999, 1), white(1, 999, 2)
    both = tilted(a + 2 * b, RATE, 3.0)
    assert (both - tilted(a, RATE, 3.0) - 2 * tilted(b, RATE, 3.0)).abs().max() < 1e-4


def test_a_room_is_the_kernel_room():
    x = torch.zeros(2, 4000)
    x[:, 0] = 1
    y = reverberant(x, RATE, [0.1, 0.3], [0.5, 2.0], generator(3))
    seeds = torch.randint(2**31, (2,), generator=generator(3)).tolist()
    for row, t60, wet, seed in zip(y, (0.1, 0.3), (0.5, 2.0), seeds, strict=True):
        k = sc.kernels.room(sc.line(1, RATE), t60, wet, seed).data / (1 + wet**2) ** 0.5
        assert np.abs(row[: len(k)].numpy() - k).max() < 1e-5 and not row[len(k) + 5:].abs().gt(1e-5).any()
        assert float(row.square().sum()) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize(("colour", "slope"), [(-1.0, 3.01), (0.0, 0.0), (1.0, -3.01), (2.0, -6.02)])
def test_colours_fall_by_the_octave(colour, slope):
    noise = coloured((40, 8000), RATE, colour, generator())
    power = np.abs(np.fft.rfft(noise.numpy())) ** 2
    octaves = [10 * np.log10(power[:, f: 2 * f].mean()) for f in (250, 500, 1000, 2000)]
    assert np.diff(octaves) == pytest.approx([slope] * 3, abs=0.25)
    assert torch.allclose(noise.square().mean(1), torch.ones(40), rtol=1e-4)
    assert [coloured((2, n), RATE, 1.0, generator()).shape for n in (1, 2, 99)] == [(2, 1), (2, 2), (2, 99)]


@given(st.lists(st.floats(-20, 60), min_size=3, max_size=3), st.floats(0, 2))
def test_noise_is_at_its_snr(snr, colour):
    x = torch.nn.functional.pad(tone(440, 4000).expand(3, 4000), (2000, 2000)) * torch.tensor([[1.0], [0.03], [0.4]])
    noise = 5 * coloured((3, 8000), RATE, colour, generator())
    y = noisy(x.double(), noise.double(), snr, RATE)
    speech = x[:, 2000:6000].square().mean(1).double()
    got = 10 * torch.log10(speech / (y - x).square().mean(1))
    assert torch.allclose(got, torch.tensor(snr, dtype=torch.float64), atol=0.1)


def test_silence_stays_silent():
    assert not noisy(torch.zeros(1, 800), white(1, 800), 0.0, RATE).any()


# ---- neutral, and reproducible

@pytest.mark.parametrize("effect", [
    lambda x: sped(x, 1.0)[0], lambda x: tract(x, RATE, 1.0), lambda x: pitched(x, RATE, 1.0)[0], lambda x: tilted(x, RATE, 0.0),
    lambda x: equalised(x, RATE, torch.zeros(len(x), 5)), lambda x: reverberant(x, RATE, 0.3, 0.0, generator()),
    lambda x: noisy(x, white(*x.shape), math.inf, RATE), lambda x: placed(x, [x.shape[1]] * len(x), x.shape[1], generator()),
    lambda x: Augment.none()(x, RATE, generator()), lambda x: mixup(x, torch.eye(len(x)), generator(), 0.0)[0],
    lambda x: mask(x[:, None], generator(), frequency=0, time=0)[:, 0]])
@pytest.mark.parametrize("n", [1, 2, 777])
def test_nothing_happens_at_the_neutral_parameter(effect, n):
    x = white(3, n)
    assert torch.equal(effect(x), x)


ALL = Augment(speed=0.2, tract=0.1, equaliser=6, tilt=3, room=0.5, noise=0.8, gain=6, recordings=[np.sin(np.arange(500.0))])


@given(st.integers(0, 2**31), st.sampled_from([1, 3, 801, 4000]), st.sampled_from([None, 1, 2000, 5000]))
def test_the_same_seed_gives_the_same_bits(seed, n, window):
    x = white(4, n)
    before = x.clone()
    y = ALL(x, RATE, generator(seed), window=window)
    assert torch.equal(y, ALL(x, RATE, generator(seed), window=window)) and y.dtype == torch.float32
    assert y.shape == (4, window or n) and torch.isfinite(y).all() and torch.equal(x, before)
    if n > 3 and (window or n) > 1:
        assert not torch.equal(y, ALL(x, RATE, generator(seed + 1), window=window))


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    a = torch.rand(3)
    torch.manual_seed(0)
    ALL(white(), RATE, generator())
    assert torch.equal(torch.rand(3), a)


@given(st.sampled_from(["speed", "tract", "equaliser", "tilt", "room", "noise", "gain"]))
def test_each_part_of_an_augmentation_does_something(name):
    only = Augment(**dict.fromkeys(("speed", "tract", "equaliser", "tilt", "room", "noise", "gain"), 0) | {name: 0.9})
    x = white(8, 1000)
    assert not torch.equal(only(x, RATE, generator()), x)


def test_recordings_are_heard():
    whistle = np.sin(np.arange(500) * 2 * np.pi / 10)
    loud = Augment(speed=0, equaliser=0, room=0, noise=1, snr=(0, 0), gain=0, recordings=[whistle])
    x = torch.zeros(200, 4000)
    x[:, :2000] = 0.1
    added = loud(x, RATE, generator()) - x
    S = torch.fft.rfft(added).abs().square()
    pure = S[:, 400] > 0.9 * S.sum(1)  # 800 Hz
    assert 70 < int(pure.sum()) < 130


@pytest.mark.parametrize(("more", "why"), [
    ({"snr": (30, 5)}, "from … to"), ({"room": 1.5}, "a share of the clips"), ({"gain": -1}, "wanted 0 or more"),
    ({"speed": 2}, "speed and tract are at most 1"), ({"t60": (0, 1)}, "t60 at least"), ({"t60": (1, 2, 3)}, "two numbers")])
def test_ranges_that_make_no_sense(more, why):
    with pytest.raises(SigconvError, match=why):
        Augment(**more)


# ---- masks and mixtures

@given(st.integers(0, 99), st.integers(0, 50), st.integers(0, 50), st.integers(1, 3))
def test_masks_are_stretches_of_at_most_that_width(seed, frequency, time, count):
    S = torch.ones(5, 40, 30)
    M = mask(S, generator(seed), frequency=frequency, time=time, count=count)
    rows, columns = (M == 0).all(2).sum(1), (M == 0).all(1).sum(1)
    whole = (M == 0).flatten(1).all(1)
    assert (rows[~whole] <= count * frequency).all() and (columns[~whole] <= count * time).all()
    for one, r, c in zip(M[~whole], rows[~whole], columns[~whole], strict=True):
        assert int((one == 0).sum()) == 40 * 30 - (40 - int(r)) * (30 - int(c))
    assert torch.equal(M, mask(S, generator(seed), frequency=frequency, time=time, count=count))


def test_masks_reach_their_widest_and_fill_with_what_is_said():
    S = torch.randn(3000, 10, 12, generator=generator())
    rows = (mask(S, generator(), frequency=3, time=0) == 0).all(2).sum(1)
    assert rows.bincount(minlength=4).min() > 650 and int(rows.max()) == 3
    M = mask(S, generator(), frequency=3, time=3, value=None)
    changed = M != S
    assert torch.allclose(M[changed], S.mean((1, 2), keepdim=True).expand_as(S)[changed])


@given(st.floats(0.05, 2), st.booleans())
def test_mixtures_are_of_two_rows_and_their_targets_of_the_same(alpha, energy):
    x = torch.eye(6)
    y, t = mixup(x, torch.eye(6), generator(), alpha, energy=energy)
    assert torch.allclose((y**2 if energy else y).sum(1), torch.ones(6), atol=1e-6) or (t.diagonal() == 1).any() or energy
    assert torch.allclose(t.sum(1), torch.ones(6)) and (t.diagonal() >= 0.5).all()
    assert torch.allclose(y**2 if energy else y, t, atol=1e-6) or (t.diagonal() == 1).any()
    with pytest.raises(SigconvError, match="wanted 0 or more"):
        mixup(x, x, generator(), -1)


def test_mixup_draws_from_beta():
    t = mixup(torch.zeros(4000, 1), torch.eye(4000), generator(), 0.4)[1]
    lam = t.amax(1).numpy()
    draws = np.random.default_rng(1).beta(0.4, 0.4, 4000)
    assert lam.mean() == pytest.approx(np.maximum(draws, 1 - draws).mean(), abs=0.01)


# ---- what is no word

@given(st.integers(0, 99), st.sampled_from([99, 800, 4001]))
def test_nonwords_are_levelled_and_the_same_for_the_same_seed(seed, n):
    x = nonwords((4, n), RATE, generator(seed))
    assert x.shape == (4, n) and torch.equal(x, nonwords((4, n), RATE, generator(seed)))
    assert torch.allclose(level(x, RATE), torch.full((4,), 0.1), rtol=1e-3)


def test_nonwords_are_noises_notes_and_hits():
    x = nonwords((300, 8000), RATE, generator())
    S = torch.fft.rfft(x).abs().square()
    tonal = S.topk(200).values.sum(1) / S.sum(1)  # in 200 of 4001 bins
    crest = x.abs().amax(1) / x.square().mean(1).sqrt()
    assert (tonal > 0.9).float().mean() > 0.2 and (tonal < 0.4).float().mean() > 0.2  # notes, and what fills the spectrum
    assert (crest > 8).float().mean() > 0.2 and (crest < 5).float().mean() > 0.2  # hits, and what goes on
