"""Whatever is given to the core, one class of exception comes out, in one line."""

import numpy as np
import pytest

import sigconv as sc
from sigconv import engines, spectrum

BIG = 2**70  # a size of an array: memory says no
JUNK = [None, "x", "", b"x", 1.5, -1, 0, True, (), (1, 2, 3), (None,), [[1]], {}, {"a": 1}, float("nan"), float("inf"), 1j, BIG,
        object(), len, np.array([1, 2]), np.zeros((2, 2)), np.array("a"), np.float32(2), sc.line(3, 1)]
X, K = sc.Signal(np.ones((2, 9)), sc.line(9, 8000)), sc.Signal(np.ones(3), sc.line(3, 8000))
IMAGE = sc.Signal(np.ones((3, 5, 6)), sc.grid(5, 6))
A, W = np.ones((1, 2, 9)), np.ones((2, 2, 3))

CALLS = {
    "convolve x": lambda v: sc.convolve(v, K),
    "convolve k": lambda v: sc.convolve(X, v),
    "correlate k": lambda v: sc.correlate(X, v),
    "mode": lambda v: sc.convolve(X, K, mode=v),
    "padding_mode": lambda v: sc.convolve(X, K, padding_mode=v),
    "stride": lambda v: sc.convolve(X, K, stride=v),
    "dilation": lambda v: sc.convolve(X, K, dilation=v) if v is not BIG else None,
    "method": lambda v: sc.convolve(X, K, method=v),
    "conv x": lambda v: engines.conv(v, W),
    "conv w": lambda v: engines.conv(A, v),
    "groups": lambda v: engines.conv(A, W, groups=v),
    "window": lambda v: engines.conv(A, W, window=v),
    "windows": lambda v: engines.conv(A, W, window=[v]),
    "out": lambda v: engines.conv(A, W, out=v) if v is not None else None,
    "cascade": lambda v: sc.cascade(K, v),
    "diag": lambda v: sc.diag(v),
    "matrix": lambda v: sc.matrix(v, X.domain),
    "matrix domain": lambda v: sc.matrix(K, v),
    "matrix mode": lambda v: sc.matrix(K, X.domain, mode=v),
    "data": lambda v: sc.Signal(v, sc.line(2, 1)),
    "domain": lambda v: sc.Signal(np.ones(3), v),
    "channels": lambda v: sc.Signal(np.ones((2, 3)), sc.line(3, 1), v),
    "shape": lambda v: sc.Domain(v),
    "step": lambda v: sc.Domain((2, 2), v),
    "start": lambda v: sc.Domain((2, 2), 1, v),
    "unit": lambda v: sc.Domain((2, 2), 1, 0, v),
    "name": lambda v: sc.Domain((2, 2), 1, 0, "px", v),
    "line": lambda v: sc.line(v, 1),
    "rate": lambda v: sc.line(3, v),
    "grid": lambda v: sc.grid(v, 2),
    "plus": lambda v: X.domain.plus(v),
    "minus": lambda v: X.domain.minus(v),
    "needs": lambda v: X.domain.needs(v),
    "every": lambda v: X.domain.every(v),
    "offset": lambda v: X.domain.offset(v),
    "on": lambda v: X.on(v),
    "on mode": lambda v: X.on(sc.line(20, 8000, -3), v),
    "between": lambda v: IMAGE.between(v, v),
    "at": lambda v: X.at(v),
    "lift": lambda v: X.lift(v),
    "lower": lambda v: IMAGE.lower(v),
    "to": lambda v: X.to(v),
    "dtype": lambda v: X.to(dtype=v),
    "torch dtype": lambda v: X.to("torch", dtype=v),
    "plus signal": lambda v: X + v,
    "times": lambda v: X * v,
    "over": lambda v: X / v if not isinstance(v, (int, float, complex, np.generic)) or v else None,
    "matmul": lambda v: X @ v,
    "resample": lambda v: sc.resample(v, 8000),
    "new rate": lambda v: sc.resample(X, v) if v is not BIG else None,
    "quality": lambda v: sc.resample(X, 16000, quality=v),
    "spectrogram": lambda v: sc.spectrogram(v),
    "spectrogram window": lambda v: sc.spectrogram(X, window=v) if v is not BIG else None,
    "spectrogram hop": lambda v: sc.spectrogram(X, hop=v),
    "response": lambda v: spectrum.response(v),
    "frequency": lambda v: spectrum.response(K, v),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", CALLS)
def test_one_class_of_exception(name):
    for value in JUNK:
        try:
            CALLS[name](value)
        except sc.SigconvError as error:
            assert "\n" not in str(error)
            assert len(str(error)) <= 500
