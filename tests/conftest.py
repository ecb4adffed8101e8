"""Settings for all tests: the same examples on every machine, and no leftovers in the checkout."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Examples are derandomised, so that a test that passes here passes everywhere; HYPOTHESIS_PROFILE=search
# looks for new ones.
settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    max_examples=50,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Charts are drawn without a screen.
os.environ.setdefault("MPLBACKEND", "Agg")
