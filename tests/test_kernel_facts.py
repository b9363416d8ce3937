"""Every family keeps what it declares, in every dimension that it serves, measured on what it does to a real signal.

The taps are not looked at: a full convolution is y = h ∗ x, so the response is H = Y/X, bin by bin, on any FFT grid that holds y.
A crop's edges fill its spectrum, and in float64 H is good to 1e-7 of its peak. Two stereo excerpts give the four responses of a
layer: Y = H X with X two by two.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import sqrt

import numpy as np
import pytest
from command import REAL

import sigconv as sc
from sigconv.kernels import FAMILIES

NEAR = 1e-6
COUNTED = {  # facts that depend on parameters, at their defaults
    "Σ decayⁱ": 1.875, "Σ |decay|ⁱ": 1.875, "√(1 + wet²)": sqrt(1.25),
}
QUIET = -50.0  # dB: what a filter of zero mean "to the attenuation" or "to the cut" may pass


def loaded(real: str, sample: str) -> sc.Signal:
    x = sc.load(REAL / real if real and REAL.exists() else sc.io.sample(sample))
    return x.to(dtype="float64")


def excerpt(x: sc.Signal, first: int, size: int) -> sc.Signal:
    """A block of so many samples an axis."""
    at = tuple(slice(first, first + size) for _ in x.domain.shape)
    data = np.array(x.data[(..., *at)])
    return sc.Signal(data, sc.Domain(data.shape[len(x.value):], x.domain.step, 0, x.domain.unit, x.domain.name))


@cache
def signal(name: str) -> sc.Signal:
    """Something real, of value (): a vowel, a trumpet, a photograph, a head, a spectrogram; and a video, drawn."""
    if name == "speech":
        return one(excerpt(loaded("audio/libri1.ogg", "speech"), 30000, 1500))
    if name == "trumpet":
        return one(excerpt(loaded("audio/trumpet.ogg", "chime"), 20000, 2000))
    if name == "image":
        return one(excerpt(loaded("images/camera.png", "image"), 100, 40))
    if name == "volume":
        return one(excerpt(loaded("volume/mni152_t1_2mm.npy", "volume"), 20, 18))
    if name == "video":
        return one(excerpt(loaded("", "video"), 6, 18))
    S = sc.spectrogram(loaded("audio/libri1.ogg", "speech").between(2.0, 4.0))
    assert S.domain.unit == ("Hz", "s")
    return one(excerpt(S, 10, 40))


def one(x: sc.Signal) -> sc.Signal:
    return sc.Signal(x.data[0], x.domain)


SIGNALS = {1: ("speech", "trumpet"), 2: ("image", "spectrogram"), 3: ("volume", "video")}
CASES = [pytest.param(f, name, id=f"{f.name}-{name}") for f in FAMILIES.values() for d in f.dims for name in SIGNALS[d]]


@dataclass
class Response:
    """H on an odd, cubic FFT grid (there is no bin at rate/2), its phase counted from the kernel's origin."""

    gain: np.ndarray
    start: tuple[int, ...]
    low: tuple[float, ...]  # the gain on the diagonal, 1/200, 1/100 and 1/50 of the rate on every axis

    @property
    def top(self) -> float:
        return float(np.abs(self.gain).max())

    @property
    def dc(self) -> complex:
        return complex(self.gain.flat[0])

    def taps(self) -> np.ndarray:
        """The taps, from their first on."""
        return np.fft.ifftn(self.gain)

    def late(self, delay) -> np.ndarray:
        """H with this delay, in samples an axis, taken back."""
        turned = self.gain
        for axis, (size, d, first) in enumerate(zip(self.gain.shape, delay, self.start, strict=True)):
            shape = [1] * self.gain.ndim
            shape[axis] = size
            turned = turned * np.exp(2j * np.pi * np.fft.fftfreq(size) * (d - first)).reshape(shape)
        return turned

    def delay(self) -> tuple[float, ...]:
        """The phase's slope at DC, an axis each."""
        found = []
        for axis, first in enumerate(self.start):
            at = [0] * self.gain.ndim
            at[axis] = 1
            found.append(first - np.angle(self.gain[tuple(at)] / self.dc) * self.gain.shape[axis] / (2 * np.pi))
        return tuple(found)

    def slope(self) -> float:
        """dB an octave towards DC, on all axes at once; of two octaves the line to frequency 0, where both are one."""
        first, second, fourth = 20 * np.log10(self.low)
        return (4 * (second - first) - (fourth - second)) / 3


def diagonal(data: np.ndarray, ndim: int) -> np.ndarray:
    """The spectrum there, of every channel."""
    found = []
    for f in (1 / 200, 1 / 100, 1 / 50):
        sums = data
        for _ in range(ndim):
            sums = sums @ np.exp(-2j * np.pi * f * np.arange(sums.shape[-1]))
        found.append(np.abs(sums))
    return np.stack(found, -1)


def size_of(x: sc.Domain, k: sc.Domain) -> int:
    """An odd number of samples an axis that holds the full convolution."""
    return max(n + m for n, m in zip(x.shape, k.shape, strict=True)) | 1


def responses(x: sc.Signal, k: sc.Signal) -> list[Response]:
    """What each filter of a kernel does to x."""
    y = sc.convolve(x, k, mode="full")
    size = (size_of(x.domain, k.domain),) * x.domain.ndim
    axes = tuple(range(-x.domain.ndim, 0))
    gain = np.fft.fftn(y.data, size, axes) / np.fft.fftn(x.data, size, axes)
    with np.errstate(divide="ignore"):
        low = diagonal(y.data, x.domain.ndim) / diagonal(x.data, x.domain.ndim)
    return [Response(g, y.domain.start, tuple(d)) for g, d in zip(gain.reshape(-1, *size), low.reshape(-1, 3), strict=True)]


def layer(family) -> list[Response]:
    """The four responses of a (2, 2) layer, from two excerpts of a stereo recording."""
    stereo = loaded("audio/trumpet.ogg", "stereo")
    parts = [excerpt(stereo, first, 2000) for first in (20000, 50000)]
    k = family.function(stereo.domain)
    size = size_of(parts[0].domain, k.domain)
    X = np.stack([np.fft.fft(x.data, size) for x in parts], -1)  # (channel, bin, excerpt)
    out = [sc.convolve(x, k, mode="full") for x in parts]
    Y = np.stack([np.fft.fft(y.data, size) for y in out], -1)
    H = np.moveaxis(Y, 0, 1) @ np.linalg.inv(np.moveaxis(X, 0, 1))
    return [Response(H[:, m, c], out[0].domain.start, ()) for m in (0, 1) for c in (0, 1)]


def holds(h: Response, fact: str, value, declared: dict, axis: int, like: sc.Domain) -> bool:
    """Whether the response shows the fact; an unknown fact is refused."""
    if fact == "dc":
        return abs(abs(h.dc) - COUNTED.get(value, value)) < NEAR * max(1, h.top) and abs(h.dc.imag) < NEAR * h.top
    if fact == "zero_mean":
        return abs(h.dc) < (NEAR if value is True else 10 ** (QUIET / 20)) * h.top
    if fact == "norm1":
        return abs(np.abs(h.taps()).sum() - COUNTED.get(value, value)) < 1e-4 * value_of(value)
    if fact == "norm2":
        return abs(np.sqrt(np.mean(np.abs(h.gain) ** 2)) - COUNTED.get(value, value)) < NEAR * value_of(value)
    if fact == "slope":
        return abs(h.slope() - value) < 0.05
    if fact == "symmetry":
        return symmetric(h, value, declared.get("delay"), axis)
    if fact == "delay":
        return delayed(h, value, axis, like)
    raise AssertionError(f"no measure of {fact}")


def value_of(value) -> float:
    return COUNTED.get(value, value)


def delays(value, axis: int, ndim: int) -> list[tuple[float, ...]]:
    """The delays that a declared one allows."""
    if value == "0.5 along its axis":
        return [tuple(0.5 if a == axis else 0.0 for a in range(ndim))]
    if value == "0, or half a sample":
        return [(0.0,) * ndim, (0.0,) * (ndim - 1) + (0.5,)]
    return [(float(value),) * ndim]


def real_or_imaginary(h: Response, delay) -> tuple[bool, bool]:
    turned = h.late(delay)
    return bool(np.abs(turned.imag).max() < NEAR * h.top), bool(np.abs(turned.real).max() < NEAR * h.top)


def symmetric(h: Response, value: str, delay, axis: int) -> bool:
    """Taps mirrored at their centre are as they were (H real there) or negated (H imaginary), or neither, anywhere."""
    if value == "none":
        support = np.argwhere(np.abs(h.taps()) > NEAR * h.top)
        middle = tuple((support.min(0) + support.max(0)) / 2 + h.start)
        return real_or_imaginary(h, middle) == (False, False)
    return any(real_or_imaginary(h, d) == (value == "even", value == "odd") for d in delays(delay, axis, h.gain.ndim))


def delayed(h: Response, value, axis: int, like: sc.Domain) -> bool:
    """One delay at every frequency: by it taken back H is real or imaginary throughout; of `delay`, the phase's slope."""
    if value == "time":
        late = round(0.1 / float(like.step[-1])) if like.unit[-1] == "s" else 16
        return np.allclose(h.delay(), (0,) * (like.ndim - 1) + (late,), atol=1e-3)
    return any(any(real_or_imaginary(h, d)) for d in delays(value, axis, h.gain.ndim))


@pytest.mark.parametrize(("family", "name"), CASES)
def test_what_it_declares_is_what_it_does(family, name):
    x = signal(name)
    k = family.function(x.domain)
    declared = family.declared(x.domain.ndim)
    if len(k.value) == 2:
        found = layer(family)
        if declared.pop("dc", None) == "1 for mono":
            assert all(abs(a.dc + b.dc - 1) < NEAR for a, b in (found[:2], found[2:]))
    else:
        found = responses(x, k)
    for axis, h in enumerate(found):
        wrong = [f"{fact} {value}" for fact, value in declared.items() if not holds(h, fact, value, declared, axis, x.domain)]
        assert not wrong, f"{family.name} on {name}: {wrong}"


def test_every_family_declares_something():
    assert all(f.facts for f in FAMILIES.values())


@pytest.mark.parametrize(("spec", "fact", "value"), [
    ("0.5,0.5", "delay", 0.0), ("1,-1.001", "dc", 0.0), ("1,-1.001", "zero_mean", True), ("1,2,1.001", "symmetry", "even"),
    ("1,-1", "slope", 12.04), ("1,-1", "symmetry", "even"), ("1,2,1", "symmetry", "none"), ("1,-1", "norm1", 2.001),
    ("1,-1", "norm2", 1.4143), ("delay:0.101", "delay", "time")])
def test_the_measures_see_what_is_wrong(spec, fact, value):
    x = signal("trumpet")
    (h,) = responses(x, sc.kernel(spec, x))
    assert not holds(h, fact, value, {"delay": 0.5 if spec == "1,-1" else 0.0}, 0, x.domain)


# ---- physical facts of the new shapes

def drawn(ndim: int, points, size: int = 33) -> sc.Signal:
    data = np.zeros((size,) * ndim)
    data[tuple(np.asarray(points).T)] = 1
    return sc.Signal(data, sc.Domain(data.shape, 1, 0, "px"))


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_a_line_lights_motion_along_it(angle):
    """Of eight directions its own answers most, with 1 all along the line."""
    down, right = {0: (0, 1), 45: (1, 1), 90: (1, 0), 135: (1, -1)}[angle]
    x = drawn(2, [(16 + i * down, 16 + i * right) for i in range(-12, 13)])
    answers = {a: sc.convolve(x, sc.kernels.motion(x.domain, 7, a)).data[16, 16] for a in np.arange(8) * 22.5}
    assert max(answers, key=answers.get) == angle and answers[angle] == pytest.approx(1)
    assert sorted(answers.values())[-2] < 0.5


@pytest.mark.parametrize(("angle", "speed"), [
    (0, (0, 1)), (45, (1, 1)), (90, (1, 0)), (135, (1, -1)), (180, (0, -1)), (225, (-1, -1)), (270, (-1, 0)), (315, (-1, 1))])
def test_motion_follows_what_moves_on_a_video(angle, speed):
    """Eight directions on (s, px, px): the path that rises with the frames keeps a moving dot whole, the other seven smear it."""
    grid = sc.Domain((17, 40, 40), (Fraction(1, 25), 1, 1), 0, ("s", "px", "px"))
    video = np.zeros(grid.shape)
    for t in range(17):
        video[t, 20 + speed[0] * (t - 8), 20 + speed[1] * (t - 8)] = 1
    rise = np.degrees(np.arctan2(1, np.hypot(*speed)))
    length = 7 / np.sin(np.radians(rise))
    x = sc.Signal(video, grid)
    peak = {a: sc.convolve(x, sc.kernels.motion(grid, length, a, rise)).data[8].max() for a in (angle, *range(0, 360, 45))}
    assert max(peak, key=peak.get) == angle
    assert peak[angle] == pytest.approx(1, abs=1e-9) and sorted(peak.values())[-2] < 0.7


def test_angles_are_true_where_the_axes_share_a_unit():
    """On steps of 2 × 1 mm a path of 45° goes down one row for every two columns, and is as long as it says."""
    like = sc.grid(1, 1, step=(2, 1), unit="mm")
    k = sc.kernels.motion(like, 20, 45).data
    rows, columns = np.indices(k.shape)
    spread = [np.sqrt((k * (at - at.mean()) ** 2).sum()) for at in (2 * rows, columns)]
    assert spread[0] == pytest.approx(spread[1], rel=0.05)
    assert np.hypot(*spread) == pytest.approx(20 / sqrt(12), rel=0.05)
    S = sc.Domain((1, 1), (20, Fraction(1, 80)), 0, ("Hz", "s"))
    assert np.array_equal(sc.kernels.motion(S, angle=45).data, sc.kernels.motion(sc.grid(1, 1), angle=45).data)


def test_motion_along_an_axis_is_box():
    for length in (1, 3, 4.3, 9):
        for angle, axis in ((0, 1), (90, 0), (180, 1)):
            k = sc.kernels.motion(sc.grid(1, 1), length, angle)
            assert np.allclose(k.data.squeeze(1 - axis), sc.kernels.box(sc.grid(1), length).data, atol=1e-12)


LETTERS = {"C": ("#####", "#....", "#....", "#....", "#....", "#....", "#####"),
           "D": ("#####", "#...#", "#...#", "#...#", "#...#", "#...#", "#####")}


@pytest.mark.parametrize("letter", LETTERS)
def test_a_c_has_two_ends_and_a_d_none_wherever_they_are(letter):
    """Template, threshold, sum, threshold: C and D are told apart at every place of the picture."""
    taps = np.array([[c == "#" for c in row] for row in LETTERS[letter]], float)
    for dy in range(12):
        for dx in range(12):
            picture = np.zeros((20, 18))
            picture[dy: dy + 7, dx: dx + 5] = taps
            x = sc.Signal(picture, sc.grid(20, 18))
            ends = (np.abs(sc.convolve(x, sc.kernels.endpoint(x.domain), mode="full").data) > 1.5).sum()
            assert ends == {"C": 2, "D": 0}[letter]


@pytest.mark.parametrize("ndim", [2, 3])
def test_straight_edges_and_lines_give_corner_and_endpoint_nothing(ndim):
    half = np.zeros((9,) * ndim)
    for axis in range(ndim):
        edge, thin = half.copy(), half.copy()
        edge[(slice(None),) * axis + (slice(4, None),)] = 1
        thin[tuple(slice(None) if a == axis else 4 for a in range(ndim))] = 1
        for make in (sc.kernels.corner, sc.kernels.endpoint):
            for data in (edge, thin):
                x = sc.Signal(data, sc.Domain(data.shape))
                assert not np.any(sc.convolve(x, make(x.domain), mode="valid").data)
    block = half.copy()
    block[(slice(4, None),) * ndim] = 1
    x = sc.Signal(block, sc.Domain(block.shape))
    assert np.argwhere(sc.convolve(x, sc.kernels.corner(x.domain), mode="valid").data).tolist() == [[3] * ndim]


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 120])
def test_gabor_answers_most_at_its_own_frequency_and_orientation(angle):
    like, turn = sc.grid(64, 64), np.radians(angle)
    k = sc.kernels.gabor(like, 0.15, angle=angle)
    y, x = np.indices((64, 64))

    def answer(frequency, direction):
        wave = np.cos(2 * np.pi * frequency * (x * np.cos(direction) + y * np.sin(direction)))
        return np.abs(sc.convolve(sc.Signal(wave, like), k).data[20:44, 20:44]).mean()

    own = answer(0.15, turn)
    assert own == pytest.approx(0.5, abs=5e-3)  # half a cosine is e^{+i}
    assert all(answer(f, turn) < own for f in (0.1, 0.13, 0.17, 0.2))
    assert all(answer(0.15, turn + a) < own for a in np.radians([-90, -45, -15, 15, 45]))
    assert answer(0.1, turn) == pytest.approx(own / 2, rel=0.02) == answer(0.2, turn)  # an octave between half gains


def test_gabor_is_turned_and_as_strong_in_millimetres_too():
    x = sc.grid(40, 80, step=(2, 1), unit="mm")
    y, across = np.indices((40, 80)) * np.array([2, 1]).reshape(2, 1, 1)
    wave = np.cos(2 * np.pi * 0.1 * (across * np.cos(np.radians(30)) + y * np.sin(np.radians(30))))
    own, other = (np.abs(sc.convolve(sc.Signal(wave, x), sc.kernels.gabor(x, 0.1, angle=a)).data[20, 40]) for a in (30, 60))
    assert own == pytest.approx(0.5, abs=5e-3) and other < 0.4


def test_gabor_hears_a_note_and_sees_a_moving_grating():
    like = sc.line(1, 44100)
    k = sc.kernels.gabor(like, "A4")
    gain = np.abs(sc.spectrum.response(k, [440.0, 440 * 2 / 3, 440 * 4 / 3, -440.0, 0.0]).gain)
    assert gain[:3] == pytest.approx([1, 0.5, 0.5], abs=0.01) and gain[3:].max() < 3e-3
    t, _, x = np.indices((16, 40, 40))
    video = sc.Signal(np.cos(2 * np.pi * (x - t) / 8), sc.Domain(t.shape, (Fraction(1, 25), 1, 1), 0, ("s", "px", "px")))
    right, left = (np.abs(sc.convolve(video, sc.kernels.gabor(video.domain, sqrt(2) / 8, angle=a, elevation=-45)).data[8, 20, 20])
                   for a in (0, 180))
    assert right == pytest.approx(0.5, abs=0.01) and left < 0.01


def test_dog_is_the_inverted_log_and_both_find_blobs():
    """A disc of radius r answers most at σ = r/√2."""
    like = sc.grid(1, 1)
    far = np.hypot(*(np.indices((61, 61)) - 30))
    x = sc.Signal((far <= 8).astype(float), sc.grid(61, 61))
    sizes = np.arange(3.0, 9.0, 0.5)
    answers = [-s**2 * sc.convolve(x, sc.kernels.log(like, s)).data[30, 30] for s in sizes]
    assert abs(sizes[int(np.argmax(answers))] - 8 / sqrt(2)) <= 0.5
    dog, log = sc.kernels.dog(like, 2).data, sc.kernels.log(like, sqrt(2) * 2 * 1.6 * sqrt(np.log(1.6) / (1.6**2 - 1))).data
    n = min(dog.shape[0], log.shape[0]) // 2
    a, b = (k[k.shape[0] // 2 - n: k.shape[0] // 2 + n + 1, k.shape[1] // 2 - n: k.shape[1] // 2 + n + 1] for k in (dog, -log))
    assert (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b) > 0.99


def test_log_leaves_at_dc_what_its_words_say():
    """The cut at 4σ passes DC 50 dB and more below the peak gain, for every sigma that taps can draw."""
    for ndim in (1, 2, 3):
        for sigma in (0.75, 1, 2, 3.3) if ndim < 3 else (1, 2):
            k = sc.kernels.log(sc.grid(*(1,) * ndim), sigma)
            gain = np.abs(np.fft.fftn(k.data, (64,) * ndim, range(ndim)))
            assert 20 * np.log10(gain.flat[0] / gain.max()) < QUIET
