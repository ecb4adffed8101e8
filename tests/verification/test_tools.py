"""The rule of comparison can fail: for a mean that is off, and for one that is too rough to tell."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tools import agrees, erlang_b, erlang_wait

LUCK = np.random.default_rng(1).normal(10.0, 0.5, 20)


def test_a_mean_that_is_right_agrees() -> None:
    """Twenty values around 10 agree with 10."""
    agrees(LUCK, 10.0)


def test_a_mean_that_is_off_does_not_agree() -> None:
    """Seven per cent off is more than noise."""
    with pytest.raises(AssertionError, match="SE off"):
        agrees(LUCK + 0.7, 10.0)


def test_a_mean_that_is_too_rough_is_refused_even_where_it_is_right() -> None:
    """What could not fail is no test."""
    with pytest.raises(AssertionError, match="too few to tell"):
        agrees(10.0 + 5.0 * (LUCK - 10.0), 10.0)


def test_one_server_is_the_simple_case_of_many() -> None:
    """M/M/1: B = a/(1 + a) and Wq = ρ/(μ − λ)."""
    assert erlang_b(1, 0.5) == pytest.approx(1 / 3)
    assert erlang_wait(1, 5.0, 8.0) == pytest.approx((5 / 8) / 3)
