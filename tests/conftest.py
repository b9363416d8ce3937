"""Hypothesis profiles: "ci" (the same examples every time) by default, "night" searches on (HYPOTHESIS_PROFILE=night)."""

import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # tests run side by side, a core each
    os.environ.setdefault(threads, "1")

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

pytest.register_assert_rewrite("laws")

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("ci", derandomize=True, max_examples=40, deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.register_profile("night", max_examples=1000, deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
