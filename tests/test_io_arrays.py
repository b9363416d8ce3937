"""Arrays, volumes and whole Signals; taps from files of numbers."""

from __future__ import annotations

import io
import os
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from command import REAL
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import sigconv as sc
from sigconv.io import load_taps

DTYPES = ("float16", "float32", "float64", "complex64", "complex128", "int32", "uint8", "uint16", "bool")
STEPS = st.fractions(min_value=Fraction(1, 10**6), max_value=1000)
WORDS = st.text(max_size=8)


@st.composite
def signals(draw):
    shape = draw(st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple))
    value = draw(st.lists(st.integers(1, 3), max_size=2).map(tuple))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    elements = {"allow_nan": False, "allow_infinity": False} if dtype.kind in "fc" else {}
    data = draw(arrays(dtype, value + shape, elements=elements or None) if not elements else
                arrays(dtype, value + shape, elements=st.just(1.5) | st.just(-0.0)))
    each = [draw(st.tuples(STEPS, st.fractions(-100, 100, max_denominator=7), WORDS, WORDS)) for _ in shape]
    names = [draw(st.none() | st.lists(WORDS, min_size=n, max_size=n)) for n in value]
    return sc.Signal(data, sc.Domain(shape, *map(tuple, zip(*each, strict=True))), names)


@given(signals())
def test_npz_keeps_a_signal_whole(tmp_path_factory, x):
    path = tmp_path_factory.mktemp("x") / "x.npz"
    sc.save(x, path)
    y = sc.load(path)
    assert y.domain == x.domain and y.names == x.names and y.data.dtype == x.data.dtype
    np.testing.assert_array_equal(y.data, x.data)
    told = sc.io.info(path)
    assert told["shape"] == x.data.shape and told["names"] == x.channels


def test_a_tensor_comes_back_as_numpy(tmp_path):
    torch = pytest.importorskip("torch")
    x = sc.Signal(torch.arange(6.0).reshape(1, 2, 3).requires_grad_(), sc.grid(2, 3))
    sc.save(x, tmp_path / "x.npz")
    np.testing.assert_array_equal(sc.load(tmp_path / "x.npz").data, np.arange(6, dtype=np.float32).reshape(1, 2, 3))


def test_same_signal_same_bytes(tmp_path):
    x = sc.Signal(np.eye(5), sc.grid(5, 5))
    for suffix in (".npy", ".npz", ".png"):
        for name in "ab":
            sc.save(x, tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_what_info_calls_a_signal(tmp_path):
    kinds = {"sound": sc.line(3, 8000), "image": sc.grid(2, 3), "volume": sc.grid(2, 3, 4, step=2, unit="mm"),
             "video": sc.Domain((2, 3, 4), (Fraction(1, 25), 1, 1), 0, ("s", "px", "px")), "array": sc.Domain(5, 1, 0, "sample")}
    for kind, domain in kinds.items():
        sc.save(sc.Signal(np.zeros((1, *domain.shape)), domain), tmp_path / f"{kind}.npz")
        assert sc.io.info(tmp_path / f"{kind}.npz")["kind"] == kind


@pytest.mark.parametrize(("array", "value", "unit"), [
    (np.arange(5.0), (1,), ("sample",)), (np.ones((4, 6)), (1,), ("px", "px")), (np.ones((3, 4, 5)), (1,), ("px", "px", "px"))])
def test_a_bare_array_is_read_by_its_axes(tmp_path, array, value, unit):
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", array)
    for name in ("x.npy", "x.npz"):
        x = sc.load(tmp_path / name)
        assert (x.value, x.domain.shape, x.domain.unit, set(x.domain.step)) == (value, array.shape, unit, {1})
        np.testing.assert_array_equal(x.data[0], array)


def test_a_rate_reads_a_bare_array_as_sound(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 50), np.float32))
    x = sc.load(tmp_path / "x.npy", rate=250)
    assert x.domain == sc.line(50, 250) and x.value == (2,)
    sc.save(x, tmp_path / "y.npz")
    with pytest.raises(sc.SigconvError, match="its own grid"):
        sc.load(tmp_path / "y.npz", rate=250)


@pytest.mark.parametrize(("dtype", "full", "result"), [("uint8", 255, "float32"), ("uint16", 65535, "float32"),
                                                       ("int16", 1, "float64"),
                                                       (">i2", 1, "float64"), ("bool", 1, "float32"), ("float16", 1, "float32"),
                                                       (">f4", 1, "float32"), ("float64", 1, "float64"),
                                                       ("complex64", 1, "complex64")])
def test_full_scale_of_bare_arrays(tmp_path, dtype, full, result):
    array = np.asfortranarray(np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype))
    np.save(tmp_path / "x.npy", array)
    x = sc.load(tmp_path / "x.npy")
    assert x.data.dtype.name == result
    np.testing.assert_array_equal(x.data[0], array.astype(result) / np.float32(full))


def npy(shape, dtype="<f8", body=b"\0" * 64):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue() + body


@pytest.mark.parametrize(("raw", "words"), [
    (npy((10**12,)), "claims 8000000000000 bytes"), (npy((8,), "|O"), "pickle"), (npy((2,), "<U4"), "wanted numbers"),
    (npy((2,), "<M8[s]"), "wanted numbers"), (npy((0, 3)), "empty"), (npy(()), r"shape \(\)"),
                                            (npy((2, 2, 2, 1)), r"\(2, 2, 2, 1\)"),
    (npy((1,), [("a", "<f8")]), "wanted numbers"), (npy((2,), body=b"\0" * 8 + b"\xff" * 8), r"nan at index \(1,\)"),
    (npy((8,))[:20], "can't be read"), (b"\x93NUMPY\x09\x00" + b"\0" * 99, "version 9"),
                                            (b"\x93NUMPY\x01\x00\x10\x00(" + b"(" * 300, "can't be read")])
def test_bad_arrays_are_refused_before_they_are_read(tmp_path, raw, words):
    (tmp_path / "x.npy").write_bytes(raw)
    with pytest.raises(sc.SigconvError, match=words):
        sc.load(tmp_path / "x.npy")


def test_no_pickle_is_ever_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    np.save(tmp_path / "x.npy", np.array([Trap()], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", np.array([Trap()], object))
    for name in ("x.npy", "x.npz"):
        for read in (sc.load, load_taps, sc.io.info):
            with pytest.raises(sc.SigconvError, match="pickle"):
                read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_bombs_and_foreign_archives_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, np.zeros(10**6))
    monkeypatch.setenv("SIGCONV_MAX_UNPACKED", "8000000")
    with pytest.raises(sc.SigconvError, match=r"8000128 bytes unpacked.*SIGCONV_MAX_UNPACKED=8000128"):
        sc.load(path)
    monkeypatch.delenv("SIGCONV_MAX_UNPACKED")
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\x01\x02") + 24
    raw[at:at + 4] = (9000).to_bytes(4, "little")  # the table of contents lies about the size
    path.write_bytes(raw)
    with pytest.raises(sc.SigconvError):
        sc.load(path)
    np.savez(path, a=np.ones(2), b=np.ones(3))
    with pytest.raises(sc.SigconvError, match=r"2 arrays \(a, b\)"):
        sc.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "x")
    with pytest.raises(sc.SigconvError, match="other things"):
        sc.load(path)


@pytest.mark.parametrize("meta", ['{"step": ["1e999999999"], "start": ["0"], "unit": ["s"], "name": ["t"], "channels": null}',
                                  "[]", "{}", "3",
                                  '{"step": ["1/0"], "start": ["0"], "unit": ["s"], "name": ["t"], "channels": null}', "[" * 9999,
                                  '{"step": ["1"], "start": ["0"], "unit": ["s"], "name": ["t"], "channels": [["a", "b"]]}',
                                  '{"step": ["1", "1", "1", "1"], "start": ["0"], "unit": ["s"], "name": ["t"], "channels": 5}'])
def test_a_damaged_grid_is_one_line(tmp_path, meta):
    np.savez(tmp_path / "x.npz", data=np.ones((1, 3)), sigconv=np.array(meta))
    with pytest.raises(sc.SigconvError):
        sc.load(tmp_path / "x.npz")


TAPS = {"[1, 2.5, -3e2]": [1, 2.5, -300], "[[0,1],[2,3]]": [[0, 1], [2, 3]], " [1]\n": [1], "1,2,3\n": [1, 2, 3],
        "1\n2\n\n3 # last\n": [1, 2, 3],
        "1;2\n3;4": [[1, 2], [3, 4]], "# taps\n-1 0 1": [-1, 0, 1], "\ufeff1,2": [1, 2],
        "[[[1,2]],[[3,4]]]": [[[1, 2]], [[3, 4]]]}


@pytest.mark.parametrize("text", TAPS)
def test_taps_from_text(tmp_path, text):
    (tmp_path / "taps").write_text(text, encoding="utf-8")
    taps = load_taps(tmp_path / "taps")
    assert taps.dtype == np.float64
    np.testing.assert_array_equal(taps, TAPS[text])


def test_taps_from_arrays_are_the_numbers_themselves(tmp_path):
    for array in (np.arange(5, dtype=np.uint8), np.ones((3, 3), np.float32), np.array([1j, 2])):
        np.save(tmp_path / "x.npy", array)
        np.savez(tmp_path / "x.npz", array)
        for name in ("x.npy", "x.npz"):
            np.testing.assert_array_equal(load_taps(tmp_path / name), array)
    sc.save(sc.Signal(np.array([1.0, -1.0]), sc.line(2, 8000)), tmp_path / "k.npz")
    np.testing.assert_array_equal(load_taps(tmp_path / "k.npz"), [1, -1])


@pytest.mark.parametrize(("text", "words"), [
    ("[1, Infinity]", "Infinity"), ("[NaN]", "NaN"), ("[" * 100_000, "nested"), ("[" + "1" * 6000 + "]", "digits|1.8e308"),
    ("[1" + "0" * 400 + "]", "1.8e308"), ("[1e999]", "tap 0 is inf"), ('{"a": 1}', "wanted a list"),
                                             ("[[1, 2], [3]]", "different lengths"),
    ('["1", 2]', "wanted numbers"), ("[true]", "wanted numbers"), ("[null]", "wanted numbers"), ("[]", "no taps"),
                                             ("[[]]", "no taps"),
    ("[1, 2", "line 1"), ("[[[[[[1]]]]]]", "nested"), ("1,2\n3", "line 2"), ("1,x", "line 1"), ("nan,1", "tap 0 is nan"),
                                             (" \n", "no taps"),
    ("hello", "line 1"), ("[1,2],[3]", "JSON")])
def test_bad_taps_are_one_line(tmp_path, text, words):
    (tmp_path / "taps").write_text(text)
    with pytest.raises(sc.SigconvError, match=words) as why:
        load_taps(tmp_path / "taps")
    assert "\n" not in str(why.value) and len(str(why.value)) <= 500


def test_too_many_taps_and_too_long_texts(tmp_path, monkeypatch):
    path = tmp_path / "taps.csv"
    path.write_text("1,2,3,4")
    monkeypatch.setenv("SIGCONV_MAX_TAPS", "3")
    with pytest.raises(sc.SigconvError, match="SIGCONV_MAX_TAPS=4"):
        load_taps(path)
    path.touch()
    os.truncate(path, 17 * 2**20)
    with pytest.raises(sc.SigconvError, match="SIGCONV_MAX_JSON"):
        load_taps(path)


REAL_ARRAYS = {"volume/mni152_t1_2mm.npy": ((1, 98, 116, 94), "float32"), "biosignal/ecg.npy": ((1, 1024), "float64"),
               "hyperspectral/corn_kernel.npy": ((1, 31, 43, 580), "float32")}


@pytest.mark.skipif(not REAL.exists(), reason="no real data here")
@pytest.mark.parametrize("name", REAL_ARRAYS)
def test_real_arrays(name):
    x = sc.load(REAL / name)
    assert (x.data.shape, x.data.dtype.name) == REAL_ARRAYS[name]
    assert sc.io.info(REAL / name)["shape"] == x.data.shape


@pytest.mark.skipif(not REAL.exists(), reason="no real data here")
def test_nifti_is_named():
    with pytest.raises(sc.SigconvError, match="NIfTI"):
        sc.load(REAL / "volume/anatomical.nii")
