"""Replications that stop when precise enough: the 95 % interval of what is reported holds the known mean."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.stopping import RULES, coverage


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule[3] >= 0.4], ids=str)
def test_stopping_when_precise_enough_keeps_the_coverage(rule: tuple[int, int, int, float]) -> None:
    """Normal differences with mean 0: at the step where the rule says enough, and at the one reported.

    2,000 studies have a standard error of 0.5 points, so what is asked of them is 93 % less two of these.
    """
    found = coverage(*rule, studies=2000, seed=3)
    assert found["not_enough"] == 0
    assert found["coverage_at_n"] >= 0.93 - 2 * 0.005
    assert found["coverage_reported"] >= 0.93


def test_looking_too_early_and_too_often_does_not_keep_it() -> None:
    """From two replications on, after each one: lucky narrow moments come, and the simulation sees it."""
    hasty = coverage(2, 1, 1, 0.6, studies=3000, seed=3)
    assert hasty["coverage_reported"] < 0.92
