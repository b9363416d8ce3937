"""`sigconv bank` and the pictures of banks: what is drawn is what the bank is, voices add up, and the dB are the truth."""

import json

import numpy as np
import pytest
from command import run, tone
from matplotlib.figure import Figure

import sigconv as sc
from sigconv import see


@pytest.fixture
def folder(tmp_path):
    tone(tmp_path / "a.wav", 0.25, 8000)
    return tmp_path


def told(*args, cwd):
    ran = run("bank", *args, "--json", cwd=cwd)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize("spec, stride", [("gammatone:16", None), ("stft:64", None), ("mdct:size=32", None),
                                          ("sinc:20,taps=101", 4)])
def test_there_and_back(folder, spec, stride):
    options = ["--stride", stride] if stride else []
    said = told("a.wav", "--bank", spec, *options, "--complete", "--reconstruct", cwd=folder)
    x, back = sc.load(folder / "a.wav"), sc.load(folder / said["written"][1])
    error = np.linalg.norm(back.data - x.data)
    assert back.domain == x.domain and said["decibels"] > 110 and 20 * np.log10(np.linalg.norm(x.data) / error) > 110
    assert 0 < said["A"] <= said["B"] and said["condition"] == pytest.approx(said["B"] / said["A"])


def test_what_is_lost_is_told(folder):
    ran = run("bank", "a.wav", "--bank", "gammatone:8,500,2000", "--reconstruct", cwd=folder)
    assert ran.code == 0 and "would be lost" in ran.out and "nothing covers" in ran.out and "--complete" in ran.out
    said = told("a.wav", "--bank", "gammatone:8,500,2000", "--reconstruct", cwd=folder)
    x, back = sc.load(folder / "a.wav"), sc.load(folder / said["written"][1])
    assert said["decibels"] == pytest.approx(20 * np.log10(np.linalg.norm(x.data) / np.linalg.norm(back.data - x.data)), abs=1e-3)


def test_voices_add_up(folder):
    said = told("a.wav", "--bank", "gammatone:6,60,3500", "--complete", "--hear", "all", cwd=folder)
    voices = [sc.load(folder / name) for name in said["written"][1:]]
    x = sc.load(folder / "a.wav")
    assert len(voices) == len(said["centres"]) and abs(sum(v.data for v in voices) - x.data).max() < 1e-5
    named = told("a.wav", "--bank", "gammatone:6,60,3500", "--hear", "2-3,60 Hz", "-o", "b.png", cwd=folder)["written"]
    assert len(named) == 4 and named[0] == "./b.png" and "60-Hz" in named[3]


def test_a_bank_learned_from_the_file_is_a_kernel(folder):
    said = told("a.wav", "--learn", "oja", "--count", 4, "--taps", 24, cwd=folder)
    k = sc.kernel(str(folder / said["written"][1]), sc.line(1, 8000))
    assert k.value == (4,) and np.allclose(k.data @ k.data.T, np.eye(4), atol=1e-5)


@pytest.mark.parametrize("args, told", [
    (["--bank", "gamatone"], "gammatone"), (["--bank", "gammatone:0"], "count"), (["--hear", "99"], "99"),
    (["--hear", "x"], "wanted all"), (["--hear", ","], "wanted all"), (["-o", "a.wav"], "picture"),
    (["--bank", "cqt:low=200", "--stride", "4"], "its rates are its own"),
    (["--learn", "pca", "--bank", "mdct"], "one of the two"), (["--stride", "0"], "0")])
def test_bad_words_get_one_line(folder, args, told):
    ran = run("bank", "a.wav", *args, cwd=folder)
    assert ran.code == 2 and told in ran.err and ran.err.count("\n") == 1
    assert sorted(p.name for p in folder.iterdir()) == ["a.wav"]


def test_look_draws_banks(folder):
    for args in (["--bank", "sinc:12,taps=101"], ["--bank", "cqt:low=200", "a.wav"]):
        assert run("look", *args, cwd=folder).code == 0
    assert len(list(folder.glob("*.look.png"))) == 2
    ran = run("look", "--bank", "sinc", "--kernel", "edge", "a.wav", cwd=folder)
    assert ran.code == 2 and "one of the two" in ran.err


# ---- the numbers of the pictures


def test_a_tight_frame_is_flat_at_its_bound():
    x = sc.line(1, 16000)
    k = sc.kernels.fourier(x, 64)
    found, limits = see.bank_numbers(k, 16), sc.frames.bounds(k, 4096, 16, padding_mode="circular")
    assert np.ptp(found.total) < 1e-9 and 10 ** (found.total[0] / 10) == pytest.approx(limits.A)


def test_centres_widths_and_order():
    x = sc.line(1, 16000)
    centre, wide = np.array([4000.0, 500.0, 1500.0]), np.array([400.0, 100.0, 200.0])
    found = see.bank_numbers(sc.kernels.morlet(x, centre, wide))
    assert np.allclose(found.centre, centre, rtol=2e-3) and np.allclose(found.width, wide, rtol=1e-2)
    assert found.order.tolist() == [1, 2, 0] and found.log


def test_a_scalogram_shows_a_tone_where_it_is():
    x = sc.Signal([np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000)], sc.line(4000, 8000))
    for spec, stride in (("gammatone:32,100,3500", 16), ("cqt:low=110", None)):
        k = sc.kernels.bank(spec, x.domain)
        y = sc.convolve(x, k, stride=stride) if stride else [sc.convolve(x, one, stride=s) for one, s in k]
        found = see.scalogram_numbers(y, k)
        middle = found.level[:, found.level.shape[1] // 2]
        assert abs(np.log2(found.centre[middle.argmax()] / 1000)) < 0.15 and (np.diff(found.centre) > 0).all()
        assert found.time[0] <= 0 and found.time[-1] == pytest.approx(0.5, abs=0.01) and found.level.max() == 0


def test_pictures_draw_on_what_they_are_given():
    k = sc.kernels.bank("gammatone:8", sc.line(1, 16000))
    figure = Figure()
    first, second = figure.subplots(2, 1)
    assert see.bank(k, 4, ax=first).figure is figure and second in figure.axes
    assert "tight if flat" in first.get_legend().get_texts()[1].get_text()


@pytest.mark.parametrize("k", [3, sc.Signal(np.ones((2, 3, 3)), sc.grid(3, 3)), [sc.Signal([1.0], sc.line(1, 1))]])
def test_what_is_no_bank(k):
    with pytest.raises(sc.SigconvError, match="wanted a bank on a line"):
        see.bank_numbers(k)


def test_results_of_another_bank():
    x = sc.Signal([np.zeros(100)], sc.line(100, 8000))
    with pytest.raises(sc.SigconvError, match="wanted one for each"):
        see.scalogram_numbers([sc.convolve(x, sc.kernels.fourier(x, 8))], [(sc.kernels.fourier(x, 8), 1)] * 2)


def test_a_bank_of_several_rates_completed_is_drawn(tmp_path):
    """Strides as a `Bank` has them, one for each axis."""
    x = sc.Signal(np.random.default_rng(0).standard_normal((1, 2000)), sc.line(2000, 8000))
    bank = sc.Bank("cqt:low=200", x).complete()
    assert len(sc.see.bank_numbers(bank.kernel()).centre) == len(bank.channels)
    assert sc.see.scalogram_numbers(bank.analysis(x), bank.kernel()).level.shape[0] == len(bank.channels)
    lone = sc.Bank("gammatone:4", x, stride=8)
    assert np.array_equal(sc.see.bank_numbers(lone.kernel(), lone.stride).total, sc.see.bank_numbers(lone.kernel(), 8).total)
