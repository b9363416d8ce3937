"""Every law, by every method, on NumPy and torch, in one to three dimensions."""

import pytest
from hypothesis import given
from laws import BACKENDS, LAWS, METHODS, cases, library


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", LAWS)
def test_law(name, method, backend):
    ops = library(backend, method)

    @given(cases(rank_one=method == "separable"))
    def holds(case):
        LAWS[name](ops, case)

    holds()
