"""A spectrogram is a 2D signal: it goes back to sound, and what kernels do to it is what they do to tones and clicks."""

from functools import cache

import numpy as np
import pytest
import scipy.signal
from command import REAL
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import near

import sigconv as sc
from sigconv.errors import SigconvError
from sigconv.spectrum import plane, spectrally, through

RATES = (8000, 11025, 16000, 22050, 44100, 48000)


def decibels(part, whole):
    return 20 * np.log10(max(np.linalg.norm(part), 1e-300) / np.linalg.norm(whole))


@cache
def recorded(name):
    path = REAL / "audio" / name
    if not path.exists():
        pytest.skip("no recordings here")
    return sc.load(path).between(0, 3)


def tone(frequency, rate, seconds=1.0, phase=0.3):
    n = round(rate * seconds)
    return sc.Signal(np.cos(2 * np.pi * frequency * np.arange(n) / rate + phase)[None], sc.line(n, rate))


def shift(S, rows):
    return sc.Signal([[1.0]], sc.Domain((1, 1), S.domain.step, (rows, 0), S.domain.unit))


# ---- there and back

@given(st.integers(1, 900), st.integers(1, 64), st.integers(1, 32), st.sampled_from(("float64", "complex128", "float32")),
       st.fractions(-9, 9, max_denominator=3), st.integers(0, 99))
def test_any_sound_comes_back_edges_included(n, window, hop, dtype, start, seed):
    window = max(window, 2) if dtype == "complex128" else window  # a single row can't say whether it is both halves
    hop = min(hop, max(window // 2, 1))
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(2, n)) + (1j * rng.normal(size=(2, n)) if dtype == "complex128" else 0)
    x = sc.Signal(data.astype(dtype), sc.line(n, 8000, start), ("L", "R"))
    y = sc.sound(sc.spectrogram(x, window=window, hop=hop))
    assert y.domain == x.domain
    assert y.channels == x.channels
    assert y.data.dtype == x.data.dtype
    # what the last samples keep of their frame is cos²(π(hop − 1)/window): that much larger their rounding
    worst = np.cos(np.pi * (hop - 1) / window) ** 2 if hop > 1 else 1.0
    near(y.data, x.data, (1e-12 if dtype != "float32" else 2e-5) / max(worst, 1e-9) * 10)


@pytest.mark.parametrize("name", ["libri1.ogg", "trumpet.ogg", "vibeace.ogg"])
def test_recordings_come_back_beyond_100_db(name):
    x = recorded(name)
    exact = sc.Signal(x.data.astype(np.float64), x.domain, x.names)
    assert decibels(sc.sound(sc.spectrogram(exact)).data - exact.data, exact.data) < -250
    assert decibels(sc.sound(sc.spectrogram(x)).data - x.data, x.data) < -120
    unit = sc.kernel("identity", sc.spectrogram(exact).domain)
    assert decibels(sc.sound(sc.spectrogram(exact) @ unit).data - exact.data, exact.data) < -250


def test_it_is_the_nearest_sound_in_least_squares():
    """The normal equations: what is left of S is at right angles to every spectrogram (a row counts as two lines)."""
    rng = np.random.default_rng(0)
    x = sc.Signal(rng.normal(size=300), sc.line(300, 8000))
    S = sc.spectrogram(x, window=32, hop=8)
    inner = (np.arange(17) % 16 > 0)[:, None]
    bent = sc.Signal(S.data + rng.normal(size=S.data.shape) + 1j * rng.normal(size=S.data.shape) * inner, S.domain)
    rest = bent.data - sc.spectrogram(sc.sound(bent), window=32, hop=8).data
    weight = np.where(inner, 0.5, 1.0)
    for seed in range(5):
        z = sc.Signal(np.random.default_rng(seed + 1).normal(size=300), x.domain)
        Z = sc.spectrogram(z, window=32, hop=8).data
        assert abs((weight * rest * Z.conj()).sum().real) < 1e-12 * np.linalg.norm(rest) * np.linalg.norm(Z)


def test_scipys_frames_come_back_too():
    x = np.random.default_rng(3).normal(size=4096)
    frequency, times, theirs = scipy.signal.stft(x, fs=8000, nperseg=256, noverlap=192)
    _, back = scipy.signal.istft(theirs, fs=8000, nperseg=256, noverlap=192)
    S = sc.spectrogram(sc.Signal(x, sc.line(4096, 8000)), window=256, hop=64)
    near(S.coordinates(0), frequency, 1e-9)
    near(S.coordinates(1), times[: S.domain.shape[1]], 1e-12)
    near(sc.sound(S).data, back[:4096], 1e-12)


def test_a_spectrogram_without_its_line():
    x = tone(440, 8000, 0.5)
    S = sc.spectrogram(x, window=256, hop=60)
    bare = sc.Signal(S.data, sc.Domain(S.domain.shape, S.domain.step, S.domain.start, S.domain.unit, S.domain.name))
    assert bare.domain == S.domain
    assert bare.domain.of is None
    assert sc.sound(bare).domain == sc.line(67 * 60, 8000)
    near(sc.sound(bare).data[:, :4000], x.data, 1e-12)
    near(sc.sound(bare, x).data, x.data, 1e-12)
    part = sc.sound(S.between((None, 0.1), (None, 0.3)))
    assert part.domain.position(0) == (S.coordinates(1)[S.domain.window(0.1, 0.3, 1)[0]],)
    inner = part.between(0.13, 0.27)
    near(inner.data, x.on(inner.domain).data, 1e-12)
    low = sc.sound(S.between((None, None), (1000, None)), like=x)  # rows above 1 kHz silent: 440 Hz stays
    assert decibels((low.data - x.data)[:, 500:-500], x.data) < -60
    assert decibels(sc.sound(S.between((1000, None), None), like=x).data[:, 500:-500], x.data) < -60


def test_on_tensors_and_their_gradient():
    torch = pytest.importorskip("torch")
    x = tone(440, 8000, 0.1)
    there = sc.Signal(torch.tensor(x.data, requires_grad=True), x.domain)
    S = sc.spectrogram(there, window=64, hop=16)
    near(S.data.detach().numpy(), sc.spectrogram(x, window=64, hop=16).data, 1e-13)
    k = sc.kernel("blur", S.domain)
    y = sc.sound(S @ k)
    near(y.data.detach().numpy(), sc.sound(sc.spectrogram(x, window=64, hop=16) @ k).data, 1e-13)

    def there_and_back(v):
        small = sc.spectrogram(sc.Signal(v, sc.line(40, 8000)), window=8, hop=2)
        return sc.sound(small @ sc.kernel("[[0.5,0.5]]", small.domain)).data

    assert torch.autograd.gradcheck(there_and_back, torch.randn(1, 40, dtype=torch.float64, requires_grad=True))


# ---- what kernels on (Hz, s) do

@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [100.0, 440.0, 443.7, 1000.0, 3001.5])
def test_a_shift_by_one_row_moves_a_tone_by_one_row(rate, frequency):
    x = tone(frequency, rate)
    S = sc.spectrogram(x)
    inner = slice(rate // 8, -rate // 8)
    for rows in (1, 3, -1):
        moved = sc.sound(S @ shift(S, rows)).data[0, inner]
        wanted = tone(frequency + rows * float(S.domain.step[0]), rate).data[0, inner]
        assert decibels(moved - wanted, wanted) < -100
    moved = sc.sound(S @ sc.kernel(f"delay:{float(3 * S.domain.step[1])}", S.domain)).data[0, inner]
    late = int(3 * S.domain.step[1] * rate)
    turn = np.exp(-2j * np.pi * late / rate * frequency)  # three frames later, in every row
    assert abs(abs(np.vdot(moved, np.exp(2j * np.pi * frequency * np.arange(rate)[inner] / rate))) / len(moved) - 0.5) < 0.05
    assert abs(turn) == pytest.approx(1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [100.0, 440.0, 443.7, 1000.0, 3001.5])
@pytest.mark.parametrize("spec", ["edge", "[[1,-1]]", "[[0.5,0,-0.5]]"])
def test_a_difference_in_time_removes_steady_tones(rate, frequency, spec):
    x = tone(frequency, rate)
    S = sc.spectrogram(x)
    y = sc.sound(S @ sc.kernel(spec, S.domain)).data[0]
    y = y[1] if spec == "edge" else y  # edge: frequency, time
    assert decibels(y[rate // 8: -rate // 8], x.data[0, rate // 8: -rate // 8]) < -40


def test_what_is_left_of_a_tone_is_the_windows_autocorrelation():
    x = tone(440, 8000)
    window = sc.spectrum.hann(400)
    for hop, taps in ((12, (1.0, -1.0)), (50, (1.0, -1.0)), (100, (1.0, 0.5, -0.25))):
        S = sc.spectrogram(x, window=400, hop=hop)
        r = np.fft.ifft(np.abs(np.fft.fft(window)) ** 2).real / (window @ window)
        left = abs(sum(h * r[j * hop] for j, h in enumerate(taps)))
        y = sc.sound(S @ sc.Signal([taps], sc.Domain((1, len(taps)), S.domain.step, 0, S.domain.unit))).data[0]
        assert np.linalg.norm(y[1000:-1000]) / np.linalg.norm(x.data[0, 1000:-1000]) == pytest.approx(left, rel=2e-3)


def test_a_difference_in_frequency_is_a_factor_in_time():
    """[1, −1] along frequency is 1 − e^(2πi bin t) in time: a click at whole turns of it is silenced."""
    n, rate = 8000, 8000
    for at, left in ((4000, 0.0), (4200, 2.0), (4100, np.sqrt(2))):
        S = sc.spectrogram(sc.Signal(np.eye(1, n, at) + 0j, sc.line(n, rate)), window=400, hop=10)
        k = sc.Signal([[1.0], [-1.0]], sc.Domain((2, 1), S.domain.step, 0, S.domain.unit))
        y = sc.sound(sc.convolve(S, k, padding_mode="circular")).data[0]
        assert np.linalg.norm(y) == pytest.approx(left, abs=1e-9)


# ---- through its spectrogram: magnitudes, phases following

def at(grid, a, b, gain=1.0):
    return sc.Signal([[gain]], sc.Domain((1, 1), grid.step, (a, b), grid.unit))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [100.0, 440.0, 443.7, 1000.0, 3001.5])
def test_the_three_facts_for_any_tone(rate, frequency):
    x = tone(frequency, rate)
    grid = plane(x.domain)
    inner = slice(rate // 8, -rate // 8)
    dry = x.data[0, inner]
    y, before, after = spectrally(x, sc.kernel("identity", grid))
    assert decibels(y.data - x.data, x.data) < -250
    assert np.array_equal(before.data, after.data) or decibels(before.data - after.data, before.data) < -300
    for rows in (1, -1, 4):
        moved = spectrally(x, at(grid, rows, 0))[0].data[0, inner]
        wanted = tone(frequency + rows * float(grid.step[0]), rate).data[0, inner]
        assert decibels(moved - wanted, wanted) < -90
    late = spectrally(x, at(grid, 0, 4, -0.5))[0].data[0]
    wanted = -0.5 * np.roll(x.data[0], 4 * int(grid.step[1] * rate))[inner]
    assert decibels(late[inner] - wanted, dry) < -200
    for spec, pick in (("edge", 1), ("[[1,-1]]", ...), ("[[1,-2,1]]", ...), ("[[0.5,0,-0.5]]", ...)):
        left = spectrally(x, sc.kernel(spec, grid))[0].data[0][pick]
        assert decibels(left[inner], dry) < -80


def test_an_edge_in_time_keeps_onsets_and_one_in_frequency_keeps_tones():
    x = tone(1000, 16000)
    x.data[:, :8000] = 0
    y = spectrally(x, sc.kernel("edge", plane(x.domain)))[0]
    assert y.channels == ("frequency", "time")
    power = np.array([np.convolve(c**2, np.ones(800), "same") for c in y.data[0]])
    assert abs(power[1][:15000].argmax() - 8000) < 600
    assert power[1][12000] < 1e-9 * power[1].max()
    assert power[0][12000] > 0.1 * power[0].max()


@pytest.mark.parametrize("name", ["libri1.ogg", "trumpet.ogg"])
def test_on_recordings(name):
    x = recorded(name)
    x = sc.Signal(x.data.astype(float), x.domain, x.names)
    grid = plane(x.domain)
    hop = int(grid.step[1] * x.rate)
    assert decibels(spectrally(x, sc.kernel("identity", grid))[0].data - x.data, x.data) < -250
    late = spectrally(x, at(grid, 0, 7))[0].data
    assert decibels(late[..., 7 * hop + 1000:-1000] - x.data[..., 1000:-7 * hop - 1000], x.data) < -200
    echo = spectrally(x, sc.kernel("echo:delay=0.5,repeats=1,decay=0.5", grid))[0].data
    ear = x.data.copy()
    gap = round(0.5 * x.rate / hop) * hop
    ear[..., gap:] += 0.5 * x.data[..., :-gap]
    like = np.vdot(echo, ear) / np.linalg.norm(echo) / np.linalg.norm(ear)
    assert like > 0.9  # magnitudes add, not waves; yet it is that echo


def test_the_map_is_the_convolved_magnitude():
    x = recorded("libri1.ogg")
    grid = plane(x.domain)
    k = sc.kernel("log", grid)
    _, before, after = spectrally(x, k, columns=10**6)
    wanted = sc.convolve(sc.Signal(np.abs(before.data), before.domain), k)
    near(np.abs(after.data), np.abs(wanted.data), 1e-6 * float(np.abs(before.data).max()) * float(np.abs(k.data).sum()))


# ---- blocks

@settings(max_examples=25)
@given(st.integers(1, 12000), st.sampled_from(("edge", "blur", "delay:0.02", "echo:0.05", "identity", "gabor")),
       st.sampled_from(("zeros", "reflect", "replicate", "circular")), st.integers(-5, 5))
def test_blocks_make_no_difference(n, spec, padding, start):
    x = sc.Signal(np.random.default_rng(n).normal(size=(1, n)), sc.line(n, 8000, start))
    k = sc.kernel(spec, plane(x.domain))
    whole = spectrally(x, k, padding_mode=padding, columns=50)
    held = through.CELLS
    try:
        through.CELLS = 2**12
        blocks = spectrally(x, k, padding_mode=padding, columns=50)
    finally:
        through.CELLS = held
    for a, b in zip(whole, blocks, strict=True):
        assert a.domain == b.domain
        near(a.data, b.data, 1e-10)


# ---- what can't be

@pytest.mark.parametrize(("make", "words"), [
    (lambda x, S: sc.sound(x), "on frequency and time"),
    (lambda x, S: sc.sound(x.data), "wanted a spectrogram"),
    (lambda x, S: sc.sound(sc.Signal(np.ones((4, 4)), sc.grid(4, 4))), "all rows of a spectrogram"),
    (lambda x, S: sc.sound(S.between((100, None), None)), "like="),
    (lambda x, S: sc.sound(S, like=sc.grid(3, 3)), "wanted a line in s"),
    (lambda x, S: sc.sound(S, like=sc.line(800, 7999)), "between its samples"),
    (lambda x, S: sc.sound(sc.spectrogram(x, window=64, hop=64)), "hop of at most 32"),
    (lambda x, S: spectrally(x, sc.kernel("edge", sc.grid(3, 3))), "sc.spectrum.plane(x.domain)"),
    (lambda x, S: spectrally(x, sc.kernel("edge", x)), "sc.spectrum.plane(x.domain)"),
    (lambda x, S: spectrally(x, sc.kernel("edge", plane(sc.line(1, 7000)))), "lie between samples"),
    (lambda x, S: spectrally(S, sc.kernel("edge", S)), "wanted a sound"),
    (lambda x, S: spectrally(x, sc.diag(sc.kernel("edge", plane(x.domain)))), "() for a filter or (m,)"),
    (lambda x, S: plane(S.domain), "wanted a line")])
def test_one_line_for_what_has_no_sound(make, words):
    x = tone(440, 8000, 0.1)
    with pytest.raises(SigconvError) as caught:
        make(x, sc.spectrogram(x))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_and_silence():
    empty = sc.Signal(np.zeros((2, 0)), sc.line(0, 8000))
    assert sc.sound(sc.spectrogram(empty)).data.shape == (2, 0)
    silent = sc.Signal(np.zeros((1, 500)), sc.line(500, 8000))
    assert not sc.sound(sc.spectrogram(silent)).data.any()
