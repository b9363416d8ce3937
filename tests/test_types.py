"""The public surface as a type checker sees it: this file is checked by mypy and runs as a test too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import sigconv as sc

if TYPE_CHECKING:
    from typing import assert_type
else:
    def assert_type(value, kind):
        return value


def test_the_line_from_a_kernel_to_a_result() -> None:
    like = assert_type(sc.line(100, 8000), sc.Domain)
    x = assert_type(sc.Signal(np.ones((1, 100)), like), sc.Signal)
    k = assert_type(sc.kernel("edge", like), sc.Signal)
    assert_type(sc.kernels.edge(like), sc.Signal)
    y = assert_type(sc.convolve(x, k, mode="full", stride=2), sc.Signal)
    assert_type(x @ k, sc.Signal)
    assert_type(sc.correlate(x, k), sc.Signal)
    assert_type(sc.cascade(k, k), sc.Signal)
    assert_type(2 * x - x / 2 + x, sc.Signal)
    assert_type(x.between(0.0, 0.01).on(like, "reflect"), sc.Signal)
    assert_type(y.value, tuple[int, ...])
    assert_type(y.channels, tuple[str, ...] | None)
    assert_type(y.domain.extent, tuple[tuple[float, float], ...])
    assert_type(x.lift(unit="ch"), sc.Signal)
    assert_type(sc.grid(3, 4).plus(sc.grid(2, 2)), sc.Domain)


def test_files(tmp_path: Path) -> None:
    x = assert_type(sc.load(sc.io.sample("speech")), sc.Signal)
    assert_type(sc.resample(x, 8000), sc.Signal)
    sc.save(x, tmp_path / "x.wav", overwrite=True)
    assert_type(sc.io.info(tmp_path / "x.wav"), dict[str, Any])


def test_words_and_ears() -> None:
    x = sc.Signal(np.random.default_rng(0).standard_normal((1, 8000)), sc.line(8000, 8000))
    k = sc.kernel("blur", x.domain)
    assert_type(sc.study.describe(k), str)
    heard = assert_type(sc.hear.listen(x, [("blur", k)]), sc.hear.Listening)
    assert_type(heard.takes[0].gain, float)
    assert_type(sc.hear.loudness(x), float)
    assert_type(sc.page.render(heard, source="x.wav"), str)


def test_errors() -> None:
    try:
        sc.convolve(sc.Signal([1.0], sc.line(1, 2)), sc.Signal([1.0], sc.line(1, 3)))
    except sc.SigconvError as error:
        assert_type(error.exit_code, int)
