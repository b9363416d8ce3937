"""Pictures by their numbers: what is handed to the plot, where it stands, and that nothing else is touched."""

import io
import warnings
from fractions import Fraction

import numpy as np
import pytest

import sigconv as sc
from sigconv import see, spectrum
from sigconv.see.levels import magnitudes
from sigconv.signal import Signal

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
from command import REAL as DATA  # noqa: E402
from matplotlib import pyplot  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

real = pytest.mark.skipif(not DATA.is_dir(), reason="no real data")
RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def quiet():
    """No picture warns; every figure is closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    pyplot.close("all")


def sound(n=4000, rate=8000, value=(1,), **more):
    return Signal(RNG.standard_normal((*value, n)) * 0.1, sc.line(n, rate, **more))


def tone(frequency, n=8000, rate=8000, amplitude=1.0):
    return Signal(amplitude * np.sin(2 * np.pi * frequency * np.arange(n) / rate)[None], sc.line(n, rate))


def plane(*shape, value=(1,), **more):
    return Signal(RNG.random((*value, *shape)), sc.grid(*shape, **more))


def kernel(taps, start=None, step=Fraction(1, 8000), unit="s"):
    taps = np.asarray(taps)
    start = -((taps.shape[-1] - 1) // 2) if start is None else start
    return Signal(taps, sc.Domain(taps.shape, step, start, unit))


EDGE = kernel([1.0, -1.0], 0)
LAPLACE = kernel([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], -1, 1, "px")


def png(ax):
    """Size in pixels and the pixels of the figure as written, with no bbox trick."""
    from PIL import Image

    file = io.BytesIO()
    ax.figure.savefig(file)
    image = Image.open(io.BytesIO(file.getvalue()))
    image.load()
    assert image.format == "PNG"
    return image


def axes(ax):
    return [a for a in ax.figure.axes if a.get_label() != "<colorbar>"]


def drawn(ax):
    """The image arrays of a figure."""
    return [np.asarray(a.images[0].get_array()) for a in axes(ax) if a.images]


# signal

def test_signal_draws_the_samples_over_their_times():
    x = Signal([[0.0, 1.0, -0.5]], sc.line(3, 8000, start=2))
    ax = see.signal(x)
    curve = ax.lines[-1]
    np.testing.assert_array_equal(curve.get_ydata(), x.data[0])
    np.testing.assert_allclose(curve.get_xdata(), x.coordinates(), rtol=1e-15)
    assert ax.get_ylabel() == "amplitude"
    np.testing.assert_allclose(ax.get_xlim(), [1.5 / 8000, 4.5 / 8000])


def test_waveform_and_spectrogram_share_the_time_axis():
    ax = see.signal(sound(8000))
    wave, levels = axes(ax)
    assert wave.get_shared_x_axes().joined(wave, levels) and wave.get_xlim() == levels.get_xlim()
    assert levels.get_xlabel() == "time (s)" and levels.get_ylabel() == "frequency (kHz)"
    wave.set_xlim(0.2, 0.3)
    assert levels.get_xlim() == (0.2, 0.3)


def test_a_tone_of_amplitude_one_reads_0_db_at_its_frequency():
    numbers = see.signal_numbers(tone(1000.0))
    (panel,) = numbers.levels
    row, column = np.unravel_index(panel.values[:, 5:-5].argmax(), panel.values[:, 5:-5].shape)
    assert panel.down.at[row] == pytest.approx(1000.0, abs=1e-9) and panel.down.unit == "Hz"
    assert panel.values[row, 5 + column] == pytest.approx(0.0, abs=0.05)
    assert panel.limits[1] - panel.limits[0] == pytest.approx(80)
    assert see.signal_numbers(tone(1000.0, amplitude=0.1)).levels[0].values.max() == pytest.approx(-20, abs=0.05)


def test_a_tone_stands_in_the_picture_at_its_frequency():
    """The image's own geometry: the loudest row, through its extent, is 1 kHz."""
    ax = axes(see.signal(tone(1000.0)))[1]
    image = ax.images[0]
    left, right, low, high = image.get_extent()
    values = np.asarray(image.get_array())
    row = values[:, 20].argmax()
    assert image.origin == "lower"
    assert low + (row + 0.5) * (high - low) / len(values) == pytest.approx(1000.0)
    assert (left, right) == pytest.approx((-0.5 * 128 / 8000, 8000 / 8000 + 0.5 * 128 / 8000 - 64 / 8000), abs=0.01)


def test_a_click_stands_at_its_time():
    x = np.zeros((1, 16000))
    x[0, 12000] = 1
    (panel,) = see.signal_numbers(Signal(x, sc.line(16000, 8000))).levels
    assert panel.across.at[panel.values.max(0).argmax()] == pytest.approx(1.5, abs=panel.across.step)


@pytest.mark.parametrize("n", [1, 2, 511, 4001, 30000])
def test_blocks_of_a_long_signal_are_the_whole_spectrogram(n, monkeypatch):
    from sigconv.see import levels

    x = sound(n, value=(2,))
    whole = np.abs(spectrum.spectrogram(x, hop=100).data)
    monkeypatch.setattr(levels, "BLOCK", 4096)
    size, frequency, when = magnitudes(x)
    np.testing.assert_allclose(size, whole, atol=1e-14)
    np.testing.assert_allclose(when.at, spectrum.spectrogram(x, hop=100).coordinates(1))
    np.testing.assert_allclose(frequency.at, spectrum.spectrogram(x, hop=100).coordinates(0))
    monkeypatch.setattr(levels, "COLUMNS", 10)
    reduced, _, coarse = magnitudes(x)
    assert reduced.shape[-1] <= 10 and reduced.max() == pytest.approx(whole.max())
    assert coarse.edges[0] == pytest.approx(when.edges[0]) and coarse.edges[1] >= when.edges[1] - 1e-12


def test_long_waveforms_keep_their_peaks():
    x = sound(100_000)
    x.data[0, 54_321] = 5.0
    numbers = see.signal_numbers(x)
    assert numbers.time.n <= 2000
    assert numbers.high.max() == 5.0 and numbers.low.min() == x.data.min()
    at = numbers.time.at[numbers.high[0, 0].argmax()]
    assert at == pytest.approx(54_321 / 8000, abs=numbers.time.step)


def test_each_channel_has_its_panels_and_name():
    x = Signal(RNG.standard_normal((2, 3000)), sc.line(3000, 8000), ("left", "right"))
    ax = see.signal(x)
    panels = axes(ax)
    assert len(panels) == 4 and [panels[i].get_title("left") for i in (0, 2)] == ["left", "right"]
    assert len({p.images[0].get_clim() for p in panels[1::2]}) == 1
    many = see.signal_numbers(Signal(RNG.standard_normal((6, 3000)), sc.line(3000, 8000), ("L", "R", "C", "LFE", "Ls", "Rs")))
    each = [see.signal_numbers(Signal(many_row[None], sc.line(3000, 8000))) for many_row in many.high[:, 0]]
    power = np.mean([10 ** (e.levels[0].values / 10) for e in each], axis=0)
    np.testing.assert_allclose(many.levels[0].values, 10 * np.log10(power), atol=1e-3)
    lanes = axes(see.signal(Signal(RNG.standard_normal((6, 3000)), sc.line(3000, 8000), many.names)))[0]
    assert [t.get_text() for t in lanes.get_yticklabels()] == list(many.names)


def test_complex_signals_show_both_parts_and_both_signs():
    x = Signal(np.exp(-2j * np.pi * 1000 * np.arange(4000) / 8000)[None], sc.line(4000, 8000))
    numbers = see.signal_numbers(x)
    np.testing.assert_allclose(numbers.high[0], [x.data[0].real, x.data[0].imag])
    panel = numbers.levels[0]
    assert panel.down.at[panel.values[:, 20].argmax()] == pytest.approx(-1000)
    assert [t.get_text() for t in see.signal(x).get_legend().get_texts()] == ["real", "imaginary"]


# taps

def test_stems_stand_at_the_taps():
    ax = see.taps(EDGE)
    markers = ax.lines[-1]
    assert markers.get_marker() == "o" and markers.get_ydata().tolist() == [1.0, -1.0]
    np.testing.assert_allclose(markers.get_xdata(), [0, 1 / 8000])
    assert ax.get_xlabel() == "time (µs)" and ax.get_ylabel() == "tap"
    low, high = ax.get_ylim()
    assert low == -high and high > 1


def test_many_taps_are_a_line():
    ax = see.taps(kernel(RNG.standard_normal(201)))
    assert ax.lines[-1].get_marker() == "None" and len(ax.lines[-1].get_ydata()) == 201
    assert see.taps(kernel(RNG.standard_normal(200))).lines[-1].get_marker() == "o"


def test_a_map_of_taps_is_symmetric_about_zero_and_bears_its_numbers():
    ax = see.taps(LAPLACE)
    image = ax.images[0]
    assert image.get_clim() == (-4.0, 4.0)
    np.testing.assert_array_equal(image.get_array(), LAPLACE.data)
    assert image.get_extent() == [-1.5, 1.5, 1.5, -1.5] and ax.get_ylim() == (1.5, -1.5)
    texts = {t.get_position(): t.get_text() for t in ax.texts}
    assert texts[(0.0, 0.0)] == "−4" and texts[(-1.0, 0.0)] == "1" and len(texts) == 9
    assert ax.get_xlabel() == "x (px)" and ax.get_ylabel() == "y (px)"
    red, _, blue, _ = image.get_cmap()(0.5)
    assert red == pytest.approx(blue, abs=0.02) and red > 0.95
    (frame,) = ax.patches
    assert frame.get_xy() == (-0.5, -0.5)


def test_the_picture_is_not_upside_down():
    """Row 0 is drawn above row 1, and column 0 left of column 1, in the pixels written."""
    ax = see.image(Signal(np.array([[[1.0, 0.0], [0.0, 0.0]]]), sc.grid(2, 2)))
    image = png(ax).convert("L")
    def at(row, column):
        x, y = ax.transData.transform((column, row))
        return image.getpixel((round(x), image.height - round(y)))
    assert at(0, 0) == 255 and at(1, 0) == at(0, 1) == at(1, 1) == 0


def test_larger_maps_have_no_numbers():
    assert not see.taps(kernel(RNG.standard_normal((8, 8)), -3, 1, "px")).texts
    assert len(see.taps(kernel(RNG.standard_normal((7, 7)), -3, 1, "px")).texts) == 49


def test_a_bank_has_one_scale():
    bank = Signal(np.stack([[1.0, 2, 1], [0, -8, 0]]), sc.Domain(3, Fraction(1, 8000), -1, "s"), ("soft", "loud"))
    panels = axes(see.taps(bank))
    assert [p.get_title("left") for p in panels] == ["soft", "loud"]
    assert len({p.get_ylim() for p in panels}) == 1
    planes = Signal(RNG.standard_normal((3, 5, 5)), sc.Domain((5, 5), 1, -2))
    limits = {i.get_clim() for a in axes(see.taps(planes)) for i in a.images}
    assert limits == {(-np.abs(planes.data).max(), np.abs(planes.data).max())}


def test_a_layer_names_its_filters_and_says_what_it_leaves_out():
    layer = Signal(RNG.standard_normal((16, 3, 3, 3)), sc.Domain((3, 3), 1, -1))
    sheet = see.taps_numbers(layer)
    assert len(sheet.maps) == 36 and sheet.left_out == 12
    assert [m.title for m in sheet.maps[:4]] == ["0 ← 0", "0 ← 1", "0 ← 2", "1 ← 0"]
    np.testing.assert_array_equal(sheet.maps[4].values, layer.data[1, 1])
    assert any("12 more" in t.get_text() for a in see.taps(layer).figure.axes for t in a.texts)


def test_many_filters_on_a_line_are_a_map():
    bank = kernel(RNG.standard_normal((40, 9)), None)
    bank = Signal(bank.data, sc.Domain(9, Fraction(1, 8000), -4, "s"))
    (panel,) = see.taps_numbers(bank).maps
    np.testing.assert_array_equal(panel.values, bank.data)
    top = np.abs(bank.data).max()
    assert (panel.down.name, panel.across.name, panel.limits) == ("filter", "time", (-top, top))


def test_complex_taps_show_both_parts():
    taps = np.hanning(31) * np.exp(2j * np.pi * 0.1 * np.arange(31))
    stems = see.taps_numbers(kernel(taps))
    np.testing.assert_array_equal(stems.values[0], [taps.real, taps.imag])
    flat = see.taps_numbers(kernel(np.outer(taps, taps), -15, 1, "px"))
    assert [m.title for m in flat.maps] == ["real", "imaginary"]


def test_three_dimensions_are_slices_through_the_origin():
    k = Signal(RNG.standard_normal((3, 5, 7)), sc.Domain((3, 5, 7), 2, (-1, -2, -3), "mm"))
    cut = see.taps_numbers(k).maps
    for panel, axis in zip(cut, range(3), strict=True):
        np.testing.assert_array_equal(panel.values, np.take(k.data, (1, 2, 3)[axis], axis))
    assert [m.title for m in cut] == ["z = 0 mm", "y = 0 mm", "x = 0 mm"]


# response

def test_response_is_spectrums():
    k = kernel(RNG.standard_normal(33))
    numbers = see.response_numbers(k)
    exact = spectrum.response(k, numbers.frequency)
    np.testing.assert_allclose(numbers.gain[0], 20 * np.log10(np.abs(exact.gain)), atol=1e-6)
    seen = np.isfinite(numbers.phase[0])
    turned = np.exp(1j * np.radians(numbers.phase[0, seen]))
    np.testing.assert_allclose(turned * np.abs(exact.gain[seen]), exact.gain[seen], atol=1e-6)
    np.testing.assert_allclose(numbers.delay[0, seen], exact.delay[seen], atol=1e-9)
    assert numbers.frequency[0] == 0 and numbers.frequency[-1] == 4000 and np.all(np.diff(numbers.frequency) > 0)


def test_edge_climbs_six_db_an_octave_and_is_half_a_sample_late():
    ax = see.response(EDGE)
    gain, phase, delay = axes(ax)
    frequency, level = gain.lines[0].get_data()
    assert np.interp(200, frequency, level) - np.interp(100, frequency, level) == pytest.approx(6.02, abs=0.02)
    np.testing.assert_allclose(delay.lines[0].get_ydata()[5:], 0.5 / 8000)
    assert np.interp(100, *phase.lines[0].get_data()) == pytest.approx(90 - 180 * 100 / 8000, abs=0.01)
    assert gain.get_xscale() == "log" and delay.get_xlabel() == "frequency (Hz)"
    assert [a.get_ylabel() for a in (gain, phase, delay)] == ["gain (dB)", "phase (°)", "group delay (µs)"]
    low, high = delay.get_ylim()
    assert high - low == pytest.approx(1 / 8000) and (high + low) / 2 == pytest.approx(0.5 / 8000)
    assert gain.get_title("left") == "0 Hz: gain 0"


def test_low_frequencies_are_dense_enough_for_a_log_axis():
    frequency = see.response_numbers(EDGE).frequency[1:]
    assert frequency[0] <= 4.0 and np.diff(np.log2(frequency)).max() < 0.05


def test_phase_and_delay_are_masked_where_the_magnitude_vanishes():
    numbers = see.response_numbers(kernel(np.ones(8) / 8, 0))
    null = np.flatnonzero(np.isclose(numbers.frequency, 1000.0))
    assert len(null) and np.all(numbers.gain[0, null] < -80)
    assert np.isnan(numbers.phase[0, null]).all() and np.isnan(numbers.delay[0, null]).all()
    assert np.isfinite(numbers.gain).all()
    seen = np.isfinite(numbers.delay[0])
    np.testing.assert_allclose(numbers.delay[0, seen], 3.5 / 8000, atol=1e-9)
    assert seen.mean() > 0.9


def test_a_symmetric_kernel_has_no_phase_but_a_sign():
    n = np.arange(-50, 51)
    numbers = see.response_numbers(kernel(0.25 * np.sinc(n / 4) * np.hamming(101)))
    phase = numbers.phase[0][np.isfinite(numbers.phase[0])]
    assert np.all((np.abs(phase) < 1e-3) | (np.abs(phase - 180) < 1e-3))
    lines = axes(see.response(kernel(0.25 * np.sinc(n / 4) * np.hamming(101))))[1].lines[0].get_ydata()
    steps = np.diff(lines)
    assert np.nanmax(np.abs(steps)) < 1


def echo(gap, n=4, rate=16000):
    taps = np.zeros((n - 1) * gap + 1)
    taps[::gap] = 0.5 ** np.arange(n)
    return kernel(taps, 0, Fraction(1, rate))


def test_a_dense_comb_is_a_band_between_its_true_extremes():
    """H is periodic in 1/gap, so every column with a whole period has the same least and largest gain."""
    k = echo(4000)
    fine = 20 * np.log10(np.abs(np.fft.fft(0.5 ** np.arange(4), 4096)))
    ax = see.response(k)
    band = next(p for p in ax.patches if hasattr(p, "get_data"))
    high, edges, low = band.get_data()
    dense = np.isfinite(high)
    assert dense.sum() > 100 and dense[-50:].all() and not dense[:200].any()
    np.testing.assert_allclose(high[dense], fine.max(), atol=0.05)
    np.testing.assert_allclose(low[dense], fine.min(), atol=0.05)
    at, line = ax.lines[0].get_data()
    assert np.nanmax(at[np.isfinite(line)]) < edges[:-1][dense].min() * 1.02
    assert at[np.isfinite(line)].max() > edges[:-1][dense].min()


@pytest.mark.parametrize("k", [echo(4000), echo(400), kernel(RNG.standard_normal(6000), 0), echo(16000, 6)],
                         ids=["250 ms", "25 ms", "room", "5 s"])
def test_low_frequencies_of_long_kernels_are_no_polygon(k):
    """A point half-way between two neighbours, computed exactly, lies on the line between them."""
    numbers = see.response_numbers(k)
    frequency, gain = numbers.frequency[1:], 10 ** (numbers.gain[0, 1:] / 20)
    last = int(min(np.searchsorted(frequency, 10.0), len(frequency) - 1))
    some = slice(0, last, max(3, last // 150))
    between = (frequency[:-1] + frequency[1:])[some] / 2
    exact = np.abs(spectrum.response(k, between).gain)
    np.testing.assert_allclose(exact, ((gain[:-1] + gain[1:]) / 2)[some], atol=0.004 * gain.max())


def test_smooth_curves_stay_lines():
    for k in (EDGE, kernel(0.25 * np.sinc(np.arange(-50, 51) / 4) * np.hamming(101)), kernel([1.0], 0)):
        assert not any(a.patches for a in axes(see.response(k)))


def test_responses_of_a_bank_lie_over_each_other():
    bank = Signal(np.stack([[1.0, -1], [0.5, 0.5]]), sc.Domain(2, Fraction(1, 8000), 0, "s"), ("edge", "mean"))
    ax = see.response(bank)
    assert [line.get_label() for line in ax.lines] == ["edge", "mean"]
    assert ax.lines[0].get_color() != ax.lines[1].get_color()
    power = 10 ** (ax.lines[0].get_ydata() / 10) / 4 + 10 ** (ax.lines[1].get_ydata() / 10)
    np.testing.assert_allclose(power, 1, atol=1e-9)


def test_complex_taps_have_a_linear_axis():
    n = np.arange(-100, 101)
    ax = see.response(kernel(np.hanning(201) * np.exp(2j * np.pi * 1000 / 8000 * n)))
    assert ax.get_xscale() == "linear"
    low, high = ax.get_xlim()
    assert low < 1000 < high and high - low < 4000
    frequency, level = ax.lines[0].get_data()
    assert frequency[level.argmax()] == pytest.approx(1000, abs=4)


def test_response_in_two_dimensions_is_a_map_of_both_frequencies():
    (panel,) = see.response_numbers(LAPLACE).maps
    fy, fx = np.meshgrid(panel.down.at, panel.across.at, indexing="ij")
    exact = np.abs(2 * np.cos(2 * np.pi * fy) + 2 * np.cos(2 * np.pi * fx) - 4)
    np.testing.assert_allclose(10 ** (panel.values / 20), exact, atol=1e-9)
    assert panel.down.first == -0.5 and (panel.down.unit, panel.across.name) == ("1/px", "x frequency")
    assert panel.limits[1] == pytest.approx(20 * np.log10(8))
    ax = see.response(LAPLACE)
    assert ax.get_xlabel() == "x frequency (1/px)" and axes(ax)[0].images[0].origin == "upper"


def test_response_in_three_dimensions_meets_at_zero():
    k = Signal(RNG.standard_normal((3, 3, 3)), sc.Domain((3, 3, 3), 2, -1, "mm"))
    cut = see.response_numbers(k).maps
    for panel in cut:
        row, column = np.argmin(np.abs(panel.down.at)), np.argmin(np.abs(panel.across.at))
        assert panel.values[row, column] == pytest.approx(20 * np.log10(abs(k.data.sum())))
    assert cut[0].down.unit == "1/mm" and cut[0].down.first == -0.25


# compare

def test_compare_sound_has_one_reference_and_one_colour_scale():
    x = tone(1000.0)
    ax = see.compare(x, 0.5 * x)
    before, after, difference = axes(ax)
    assert [a.get_title("left") for a in (before, after, difference)] == ["before", "after", "difference"]
    assert len({a.images[0].get_clim() for a in (before, after, difference)}) == 1
    levels = drawn(ax)
    np.testing.assert_allclose(levels[0].max() - levels[1].max(), 6.02, atol=0.01)
    np.testing.assert_allclose(levels[2], levels[1], atol=1e-3)
    assert before.images[0].get_clim()[1] == pytest.approx(levels[0].max(), abs=1e-4)


def test_the_difference_of_a_signal_with_itself_is_silence():
    x = sound()
    assert see.compare_numbers(x, x).maps[2].values.max() == -200.0


def test_compare_aligns_by_the_grid():
    x = sound(3000)
    full = sc.convolve(x, EDGE, mode="full")
    same = sc.convolve(x, EDGE)
    for a, b in zip(see.compare_numbers(x, full).maps, see.compare_numbers(x, same).maps, strict=True):
        np.testing.assert_allclose(a.values, b.values, atol=1e-3)


@pytest.mark.parametrize("swapped", [False, True])
def test_real_and_complex_sound_share_one_true_frequency_axis(swapped):
    x = tone(1000.0)
    up = Signal(np.exp(2j * np.pi * 1000 * np.arange(8000) / 8000)[None], x.domain)
    maps = see.compare_numbers(*((up, x) if swapped else (x, up))).maps
    for panel in maps:
        assert panel.values.shape[0] == panel.down.n and panel.down == maps[0].down and panel.down.limits == (-4000.0, 4000.0)
    at, (real, whole) = maps[0].down.at, [maps[i].values[:, 30] for i in ((1, 0) if swapped else (0, 1))]
    for line in (1000.0, -1000.0):
        assert real[np.isclose(at, line)] == pytest.approx(20 * np.log10(0.5), abs=0.05)
    assert sorted(at[np.argsort(real)[-2:]]) == pytest.approx([-1000, 1000])
    assert at[whole.argmax()] == pytest.approx(1000) and whole[np.isclose(at, -1000)] < -80


@pytest.mark.parametrize("rate, window, part", [(16000, 512, 1), (8000, 256, 1j), (11025, None, 1), (8000, 255, 1),
                                                (8000, 255, 1j)])
def test_spectrograms_end_at_half_the_rate(rate, window, part):
    x = Signal(part * sound(4000, rate).data, sc.line(4000, rate))
    low = 0.0 if part == 1 else -rate / 2
    for ax in (axes(see.signal(x, window=window))[1], *axes(see.compare(x, x, window=window))):
        assert ax.get_ylim() == pytest.approx((low, rate / 2))
    ax = see.image(spectrum.spectrogram(x, window=window))
    assert ax.get_ylim() == pytest.approx((low, rate / 2), abs=0.51 * rate / 255) and ax.get_ylim()[1] <= rate / 2 + 1e-9


def test_compare_images_shows_pictures_to_one_scale():
    x = plane(70, 90)
    y = 0.5 * x
    ax = see.compare(x, y)
    before, after, difference = axes(ax)
    for panel, values in zip((before, after, difference), (x.data[0], y.data[0], y.data[0] - x.data[0]), strict=True):
        np.testing.assert_allclose(np.asarray(panel.images[0].get_array()), values)
    assert before.images[0].get_clim() == after.images[0].get_clim() == (0.0, 1.0)
    assert difference.images[0].get_clim() == (-0.5, 0.5) and difference.get_title("left") == "difference ×2"
    assert before.get_xlabel() == "x (px)"


def test_compare_after_a_signed_filter_keeps_the_reference():
    x = plane(70, 90)
    maps = see.compare_numbers(x, sc.convolve(x, LAPLACE)).maps
    assert [m.scale for m in maps] == ["grey", "signed", "signed"]
    full = maps[0].limits[1]
    assert maps[0].limits == (0.0, full) and maps[1].limits == (-full, full) and full >= 1.0
    assert maps[2].title == "difference ×1/2" and maps[2].limits == (-2 * full, 2 * full)


@pytest.mark.parametrize("share, title, limit", [(0.5, "difference ×2", 0.5), (0.3, "difference ×2", 0.5),
                                                 (0.25, "difference ×4", 0.25), (-0.12, "difference ×8", 0.125),
                                                 (1e-9, "difference ×65536", 2.0**-16), (0.0, "difference", 1.0)])
def test_a_difference_is_drawn_as_deep_as_fits(share, title, limit):
    x = Signal(np.full((1, 4, 4), 0.5), sc.grid(4, 4))
    maps = see.compare_numbers(x, Signal(x.data + share * np.eye(4), x.domain)).maps
    assert maps[0].limits == maps[1].limits == (0.0, 1.0)
    assert (maps[2].title, maps[2].limits) == (title, (-limit, limit))
    np.testing.assert_allclose(maps[2].values, share * np.eye(4), atol=1e-15)


def test_what_comes_after_does_not_lift_the_black_of_before():
    x = plane(70, 90)
    ringing = Signal(x.data - 0.02, x.domain)
    for after in (ringing, x @ LAPLACE):
        before = see.compare_numbers(x, after).maps[0]
        assert before.scale == "grey" and before.limits[0] == 0.0
    below = see.compare_numbers(ringing, x).maps
    assert below[0].limits[0] == below[1].limits[0] == ringing.data.min()


def test_one_bright_pixel_after_does_not_darken_before():
    x = plane(70, 90)
    spark = x.data.copy()
    spark[0, 3, 4] = 40.0
    maps = see.compare_numbers(x, Signal(spark, x.domain)).maps
    assert maps[0].limits == maps[1].limits == (0.0, 1.0)


def test_colour_bars_say_what_they_measure_and_stand_by_their_panels():
    x = plane(20, 30)
    def bars(ax):
        return [a.get_ylabel() for a in ax.figure.axes if a.get_label() == "<colorbar>"]
    assert bars(see.compare(x, x @ sc.kernel("blur", x))) == ["difference"]
    assert bars(see.compare(x, x @ (0.1 * LAPLACE))) == ["value", "difference"]
    assert bars(see.taps(LAPLACE)) == ["tap"] and bars(see.image(x - 0.5 * Signal(np.ones((1, 20, 30)), x.domain))) == ["value"]
    assert bars(see.compare(sound(), sound())) == ["level (dB)"]


def test_slices_have_one_scale_and_fill_the_figure():
    v = plane(49, 58, 47, step=4, unit="mm")
    ax = see.compare(v, 0.9 * v)
    image = png(ax).convert("L")
    long = [a.get_window_extent().width / np.ptp(a.get_xlim()) for a in axes(ax)]
    np.testing.assert_allclose(long, long[0], rtol=0.02)
    ink = np.flatnonzero((np.asarray(image) < 250).any(1))
    assert ink[0] < 0.05 * image.height and ink[-1] > 0.95 * image.height
    assert [m.title for m in see.compare_numbers(v, 0.9 * v).maps][6:] == ["difference ×8\nz = 96 mm", "y = 116 mm", "x = 92 mm"]


def test_compare_a_bank_gives_a_row_a_filter():
    x = plane(20, 30)
    k = sc.kernels.edge(x.domain)
    sheet = see.compare_numbers(x, sc.convolve(x, k))
    assert len(sheet.rows) == 2 and [row[1].title for row in sheet.rows] == ["after  y", "after  x"]
    np.testing.assert_allclose(sheet.rows[1][1].values, sc.convolve(x, k).data[0, 1])


def test_compare_colour_and_volumes():
    x = plane(20, 30, value=(3,))
    maps = see.compare_numbers(x, 0.5 * x).maps
    assert [m.scale for m in maps] == ["colour", "colour", "signed"] and maps[0].values.shape == (20, 30, 3)
    v = plane(5, 6, 7, step=2, unit="mm")
    sheet = see.compare_numbers(v, 0.5 * v)
    assert [len(row) for row in sheet.rows] == [3, 3, 3]
    np.testing.assert_allclose(sheet.rows[2][0].values, -0.5 * v.data[0, 2])


def test_compare_refuses_what_does_not_match():
    with pytest.raises(sc.SigconvError, match="one rate"):
        see.compare(sound(), sound(rate=16000))
    with pytest.raises(sc.SigconvError, match="a picture and a sound can't be compared: wanted two signals on the same axes"):
        see.compare(plane(9, 9), sound())
    for before, after in ((sound(), plane(9, 9)), (sound(), sound(rate=16000)), (plane(9, 9), plane(9, 9, step=2)),
                          (plane(9, 9), plane(9, 9, unit="mm")), (plane(9, 9), plane(9, 9, 9))):
        with pytest.raises(sc.SigconvError, match="wanted") as raised:
            see.compare(before, after)
        assert "kernel" not in str(raised.value)
    with pytest.raises(sc.SigconvError, match="same channels"):
        see.compare(sound(value=(2,)), sound(value=(3,)))


# image and volume

def test_a_grey_picture_is_not_stretched():
    x = 0.25 * plane(30, 40)
    (panel,) = see.image_numbers(x).maps
    np.testing.assert_array_equal(panel.values, x.data[0])
    assert panel.limits == (0.0, 1.0) and panel.scale == "grey"
    assert see.image_numbers(Signal(np.array([[[0, 255]]], dtype=np.uint8), sc.grid(1, 2))).maps[0].limits == (0.0, 255.0)


def test_a_signed_picture_is_white_at_zero():
    x = plane(30, 40) + (-0.5) * Signal(np.ones((1, 30, 40)), sc.grid(30, 40))
    (panel,) = see.image_numbers(x).maps
    assert panel.scale == "signed" and panel.limits[0] == -panel.limits[1] == -np.abs(x.data).max()


def test_colour_is_colour():
    x = plane(30, 40, value=(3,))
    image = see.image(x).images[0]
    np.testing.assert_array_equal(np.asarray(image.get_array()), np.moveaxis(x.data, 0, -1))


def test_a_spectrogram_is_levels_with_rising_frequency():
    S = spectrum.spectrogram(tone(1000.0))
    ax = see.image(S)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (kHz)") and ax.get_ylim()[0] < ax.get_ylim()[1]
    assert np.asarray(ax.images[0].get_array()).max() == pytest.approx(0, abs=0.05) and ax.get_aspect() == "auto"


def test_volume_slices_are_the_volumes():
    v = plane(5, 6, 7, step=2, unit="mm")
    ax = see.volume(v)
    for got, want in zip(drawn(ax), (v.data[0, 2], v.data[0, :, 3], v.data[0, :, :, 3]), strict=True):
        np.testing.assert_array_equal(got, want)
    assert [a.get_title("left") for a in axes(ax)] == ["z = 4 mm", "y = 6 mm", "x = 6 mm"]
    assert [a.get_xlabel() for a in axes(ax)] == ["x (mm)", "x (mm)", "y (mm)"]
    np.testing.assert_array_equal(see.volume_numbers(v, at=(0, 2, 12)).maps[2].values, v.data[0, :, :, 6])
    with pytest.raises(sc.SigconvError, match="wanted 0 … 12"):
        see.volume(v, at=(0, 0, 14))


def test_wrong_dimensions_name_the_cure():
    for call, x, cure in ((see.image, sound(), "see.signal"), (see.volume, plane(3, 3), "see.image")):
        with pytest.raises(sc.SigconvError, match=cure):
            call(x)
    assert [p.values.shape for p in see.signal_numbers(plane(3, 4, 5)).maps] == [(4, 5), (3, 5), (3, 4)]


# what holds for all

V = {"signal": lambda ax: see.signal(sound(2000, value=(2,)), ax=ax), "taps": lambda ax: see.taps(EDGE, ax=ax),
     "maps": lambda ax: see.taps(Signal(RNG.standard_normal((4, 3, 3)), sc.Domain((3, 3), 1, -1)), ax=ax),
     "response": lambda ax: see.response(EDGE, ax=ax), "response 2D": lambda ax: see.response(LAPLACE, ax=ax),
     "compare": lambda ax: see.compare(plane(20, 20), plane(20, 20), ax=ax), "image": lambda ax: see.image(plane(20, 20), ax=ax),
     "volume": lambda ax: see.volume(plane(4, 5, 6), ax=ax)}


@pytest.mark.parametrize("name", V)
def test_on_an_axes_of_yours_nothing_global_is_touched(name, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("pyplot was used")

    for verb in ("figure", "show", "subplots", "sca", "gcf", "gca"):
        monkeypatch.setattr(pyplot, verb, refused)
    monkeypatch.setitem(matplotlib.rcParams, "axes.labelsize", 17.0)
    before = dict(matplotlib.rcParams)
    figure = Figure(figsize=(9, 7), dpi=50)
    left, right = figure.subplots(1, 2)
    place = right.get_position().frozen()
    ax = V[name](right)
    assert ax is right and ax.figure is figure and dict(matplotlib.rcParams) == before
    for panel in figure.axes:
        if panel is not left:
            box = panel.get_position()
            assert box.x0 >= place.x0 - 1e-9 and box.x1 <= place.x1 + 1e-9
    assert not left.images and not left.lines
    assert png(ax).size == (450, 350)
    inset = Figure().add_axes((0.1, 0.1, 0.5, 0.5))
    assert V[name](inset) is inset


@pytest.mark.parametrize("layout", [None, "tight", "constrained", "compressed"])
def test_panels_fill_their_place_and_line_up(layout):
    """Time t stands at the same pixel in waveform and spectrogram, on any figure; no panel is squeezed."""
    figure = Figure(figsize=(8, 5), layout=layout)
    left, _ = figure.subplots(1, 2)
    warnings.filterwarnings("ignore", "This figure includes Axes that are not compatible with tight_layout")  # colour bars
    see.signal(sound(4000), ax=left)
    png(left)
    wave, levels = left, next(a for a in figure.axes if a.images)
    ends = [[a.transData.transform((t, 0))[0] for t in (0.1, 0.4)] for a in (wave, levels)]
    np.testing.assert_allclose(ends[0], ends[1], atol=0.01)
    assert min(a.get_position().height for a in (wave, levels)) > 0.2


@pytest.mark.parametrize("name", V)
def test_the_png_opens_with_the_stated_size_and_is_not_blank(name, monkeypatch):
    monkeypatch.setitem(matplotlib.rcParams, "axes.labelsize", 17.0)
    before = dict(matplotlib.rcParams)
    ax = V[name](None)
    assert dict(matplotlib.rcParams) == before
    image = png(ax)
    assert image.size == tuple(round(v * ax.figure.dpi) for v in ax.figure.get_size_inches())
    pixels = np.asarray(image.convert("L"))
    assert pixels.std() > 5 and (pixels[[0, -1]] == 255).all()


EMPTY = {"no samples": Signal(np.zeros((1, 0)), sc.line(0, 8000)), "no channels": Signal(np.zeros((0, 9)), sc.line(9, 8000)),
         "one sample": Signal([[0.5]], sc.line(1, 8000)), "silence": Signal(np.zeros((2, 5000)), sc.line(5000, 8000)),
         "constant": Signal(np.ones((1, 5000)), sc.line(5000, 8000)), "tiny": Signal(np.full((1, 99), 1e-300), sc.line(99, 8000)),
         "integers": Signal(np.arange(50)[None], sc.line(50, 8000)),
         "half": Signal(np.ones((1, 50), np.float16), sc.line(50, 8000)),
         "no pixels": Signal(np.zeros((1, 0, 4)), sc.grid(0, 4)), "one pixel": Signal(np.ones((1, 1, 1)), sc.grid(1, 1)),
         "black": Signal(np.zeros((3, 9, 9)), sc.grid(9, 9)), "no voxels": Signal(np.zeros((1, 0, 2, 2)), sc.grid(0, 2, 2))}


@pytest.mark.parametrize("name", EMPTY)
def test_the_smallest_signals_draw_without_a_warning(name):
    x = EMPTY[name]
    png(see.signal(x))
    png(see.compare(x, x))
    for sheet in (see.signal_numbers(x), see.compare_numbers(x, x)):
        maps = sheet.maps if isinstance(sheet, see.Sheet) else sheet.levels
        assert all(np.isfinite(m.values).all() and np.isfinite(m.limits).all() and m.limits[0] < m.limits[1] for m in maps)


@pytest.mark.parametrize("taps", [[1.0], [0.0], [0.0, 0.0, 0.0], np.ones(300) / 300, [1e-300, 0], [1j], [[1.0]],
                                  [[0.0, 0.0]], [[[0.0]]], [[[2.0]]]])
def test_the_plainest_kernels_draw_without_a_warning(taps):
    k = kernel(taps, 0, 1, "px" if np.ndim(taps) > 1 else "s")
    png(see.taps(k))
    ax = see.response(k)
    png(ax)
    low, high = ax.get_ylim()
    assert np.isfinite([low, high]).all() and low != high


def test_an_identity_is_flat_at_0_db():
    numbers = see.response_numbers(kernel([1.0], 0))
    assert np.all(numbers.gain == 0) and np.all(numbers.phase == 0) and np.all(numbers.delay == 0)
    low, high = see.response(kernel([1.0], 0)).get_ylim()
    assert low == -6 and high == 6


def test_kernels_without_taps_and_other_things_are_refused():
    for call in (see.taps, see.response):
        with pytest.raises(sc.SigconvError, match="without taps"):
            call(kernel(np.zeros(0), 0))
        with pytest.raises(sc.SigconvError, match="wanted a Signal"):
            call([1.0, -1.0])
    with pytest.raises(sc.SigconvError, match="Axes"):
        see.taps(EDGE, ax="here")


def test_tensors_draw_as_arrays_do():
    torch = pytest.importorskip("torch")
    x, k = sound(2000), kernel(RNG.standard_normal(9))
    leaf = Signal(torch.tensor(k.data, requires_grad=True), k.domain)
    np.testing.assert_array_equal(see.taps_numbers(leaf).values, see.taps_numbers(k).values)
    np.testing.assert_array_equal(see.response_numbers(leaf).gain, see.response_numbers(k).gain)
    np.testing.assert_array_equal(see.signal_numbers(x.to("torch")).levels[0].values, see.signal_numbers(x).levels[0].values)
    for half in (torch.float16, torch.bfloat16):
        png(see.signal(Signal(torch.ones(1, 50, dtype=half), sc.line(50, 8000))))
    png(see.compare(x.to("torch"), sc.convolve(x.to("torch"), leaf)))


def test_inputs_are_not_changed():
    x = sound(2000)
    x.data.setflags(write=False)
    see.signal(x)
    see.compare(x, x)


def test_opening_the_room_loads_no_matplotlib():
    import subprocess
    import sys

    code = ("import sys, sigconv.see; bad = {'matplotlib', 'scipy', 'torch', 'librosa'} & set(sys.modules); "
            "sys.exit(', '.join(bad) or 0)")
    subprocess.run([sys.executable, "-c", code], check=True)


@real
def test_real_speech_and_mri():
    import soundfile

    data, rate = soundfile.read(DATA / "audio" / "libri1.ogg", dtype="float32", always_2d=True)
    x = Signal(data.T, sc.line(len(data), rate))
    y = sc.convolve(x, Signal(EDGE.data, sc.Domain(2, x.domain.step, 0, "s")))
    maps = see.compare_numbers(x, y).maps
    frequency = maps[0].down.at
    low, high = (frequency > 100) & (frequency < 300), (frequency > 4000) & (frequency < 7000)
    change = maps[1].values - maps[0].values
    assert np.median(change[low]) < -15 and np.median(change[high]) > 3
    volume = np.load(DATA / "volume" / "mni152_t1_2mm.npy", allow_pickle=False)
    v = Signal(volume[None] / np.float32(255), sc.grid(*volume.shape, step=2, unit="mm"))
    np.testing.assert_array_equal(drawn(see.volume(v))[0], v.data[0, 49])


@pytest.mark.parametrize("draw", [see.signal, see.image, see.volume, see.taps, see.response])
def test_what_is_no_signal_is_said_so(draw):
    with pytest.raises(sc.SigconvError, match=r"int.*wanted"):
        draw(5)


# spectrograms, videos, measurements, several domains

def spectrogram():
    x = tone(1000.0)
    return spectrum.spectrogram(x, hop=100)


def test_compare_of_spectrograms_shows_levels_on_one_scale():
    S = spectrogram()
    maps = see.compare_numbers(S, 0.1 * S).maps
    assert [m.title for m in maps] == ["before", "after", "difference"] and len({m.limits for m in maps}) == 1
    loud = maps[0].values > -40
    np.testing.assert_allclose(maps[0].values[loud] - maps[1].values[loud], 20, atol=1e-4)
    row = maps[0].values[:, 40].argmax()
    assert maps[0].down.at[row] == 1000 and maps[0].upward and maps[0].down.limits == (0, 4000) and maps[0].across.unit == "s"
    bank = Signal(np.stack([S.data, 0.5 * S.data], 1), S.domain, ["frequency", "time"])
    rows = see.compare_numbers(S, bank).rows
    assert [row[1].title for row in rows] == ["after  frequency", "after  time"]


def test_taps_on_a_spectrogram_are_taps_and_not_levels():
    k = sc.kernel("gabor", spectrogram())
    maps = see.taps_numbers(k).maps
    assert [m.title for m in maps] == ["real", "imaginary"] and maps[0].scale == "signed" and maps[0].upward
    np.testing.assert_array_equal(maps[0].values, k.data.real)
    assert see.taps_numbers(sc.kernel("edge", spectrogram())).maps[0].down.limits == (-10, 30)
    (response,) = see.response_numbers(k).maps
    assert (response.down.name, response.down.unit, response.upward) == ("ripples along frequency", "1/Hz", True)


def test_measurements_are_seen_up_to_the_largest_value_and_pictures_up_to_white():
    assert see.volume_numbers(0.01 * plane(4, 5, 6)).maps[0].limits[1] == pytest.approx(0.01, rel=0.05)
    cube = Signal(0.01 * RNG.random((50, 6, 7)), sc.grid(6, 7))
    sheet = see.image_numbers(cube)
    assert len(sheet.maps) == 36 and sheet.left_out == 14 and sheet.maps[0].limits == (0, cube.data.max())
    np.testing.assert_array_equal([m.values for m in (sheet.maps[0], sheet.maps[-1])], cube.data[[0, -1]])
    assert see.image_numbers(0.01 * plane(4, 5)).maps[0].limits == (0, 1)
    assert see.compare_numbers(0.01 * plane(4, 5, 6), 0.01 * plane(4, 5, 6)).maps[0].limits[1] < 0.011


def clip(n=20, value=(1,)):
    return Signal(RNG.random((*value, n, 6, 8)), sc.Domain((n, 6, 8), (0.04, 1, 1), 0, ("s", "px", "px"), ("time", "y", "x")))


def test_a_video_is_drawn_as_frames_from_the_first_to_the_last():
    x = clip()
    sheet = see.video_numbers(x, frames=3)
    np.testing.assert_array_equal([m.values for m in sheet.maps], x.data[0, [0, 10, 19]])
    assert [m.title for m in sheet.maps] == ["0 s", "0.4 s", "0.76 s"] and sheet.left_out == 17
    assert {m.limits for m in sheet.maps} == {(0, 1)} and all(m.equal and not m.upward for m in sheet.maps)
    assert [m.title for m in see.signal_numbers(x).maps] == [m.title for m in see.video_numbers(x).maps]
    colour = see.video_numbers(clip(2, (3,)))
    assert [m.scale for m in colour.maps] == ["colour", "colour"] and colour.maps[1].values.shape == (6, 8, 3)
    assert [m.title for m in see.video_numbers(clip(2, (1, 2)), frames=1).maps] == ["channel 1  0 s", "channel 2  0 s"]
    assert see.video(x, frames=2).get_xlabel() == "x (px)"


def test_across_draws_a_row_for_each_domain():
    s, i, v, c, S = tone(1000.0), plane(8, 9), plane(4, 5, 6, unit="mm"), clip(5), spectrogram()
    bank = Signal(np.stack([3 * S.data, 4 * S.data], 1), S.domain)
    rows = [("Sound", s, 0.5 * s), ("Spectrogram", S, bank), ("Image", i, 0.5 * i), ("Volume", v, 0.5 * v), ("Video", c, 0.5 * c)]
    sheet = see.across_numbers(rows)
    where = ["", "", "", ", z = 2 mm", ", 0.08 s"]
    assert [row[0].title for row in sheet.rows] == [f"{row[0]}: before{at}" for row, at in zip(rows, where, strict=True)]
    for row, x in zip(sheet.rows[2:], (i.data[0], v.data[0, 2], c.data[0, 2]), strict=True):
        np.testing.assert_allclose(row[0].values, x)
        np.testing.assert_allclose(row[1].values, 0.5 * x)
    before, after = sheet.rows[1]
    loud = before.values > -60
    np.testing.assert_allclose(after.values[loud] - before.values[loud], 20 * np.log10(5), atol=1e-3)  # 3 and 4 make 5
    assert len(axes(see.across(rows))) == 10
    for bad in ([], [("Sound", s)], s):
        with pytest.raises(sc.SigconvError, match="wanted"):
            see.across(bad)
