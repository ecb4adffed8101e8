"""Losses from their chances: what the catalogue says of each path against what the journal counts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import small_worlds

from flowsim.config.experiment_file import Design
from flowsim.episodes import EpisodesFold
from flowsim.experiment.conditional import (
    CONDITIONAL_COLUMNS,
    FIRST,
    conditional_table,
    first_chances,
    has_known_chances,
)
from flowsim.journal import RunHeader
from flowsim.plan import Plan
from flowsim.simulation import simulate
from flowsim.statistics import Interval, score_interval_of_sum

SETTINGS = {"topology": "region", "channels": "channels_plain", "faults": "faults_many", "days": 60}


def deliveries(plan: Plan, replication: int) -> pd.DataFrame:
    fold = EpisodesFold()
    fold.start(RunHeader.from_dict(plan.header))
    simulate(plan, replication, fold.take)
    return fold.finish().deliveries


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_worlds.plan("referral", follow_up="60 days", level="50 %", **SETTINGS)


@pytest.fixture(scope="module")
def frames(plan: Plan) -> list[pd.DataFrame]:
    return [deliveries(plan, replication) for replication in range(1, 9)]


def test_as_many_are_struck_first_by_each_fault_as_the_chances_say(
    plan: Plan, frames: list[pd.DataFrame]
) -> None:
    """Every class within 3.5 standard errors; all of them occur a hundred times at least."""
    expected = sum(first_chances(plan, frame).sum(axis=0) for frame in frames)
    variance = sum((p * (1 - p)).sum(axis=0) for p in (first_chances(plan, frame) for frame in frames))
    struck = [sum((frame["fault"] == fault.name).sum() for frame in frames) for fault in FIRST]
    assert min(struck) > 100
    assert (np.abs(np.array(struck) - expected) / np.sqrt(variance) < 3.5).all()


def test_the_share_lost_by_chance_agrees_with_that_by_coin_and_is_more_certain(
    plan: Plan, frames: list[pd.DataFrame]
) -> None:
    table = conditional_table("a", plan, frames)
    assert tuple(table.columns) == CONDITIONAL_COLUMNS
    assert table["measure"].tolist() == ["deliveries_lost_share", "referrals_lost_share"]
    for row in table.to_dict("records"):
        half = (row["high"] - row["low"]) / 2
        by_coin = 1.96 * np.sqrt(row["coin"] * (1 - row["coin"]) / row["deliveries"])
        assert half < 0.95 * by_coin
        assert abs(row["share"] - row["coin"]) < 3 * by_coin


def test_where_something_else_decides_the_chances_are_not_known() -> None:
    def known(**settings: object) -> bool:
        whole: Design = small_worlds.design("referral", **{**SETTINGS, **settings})
        return has_known_chances(whole)

    base = small_worlds.read("faults_many")
    plain = {name: value for name, value in base.items() if name != "addresses"}
    assert not known()  # patients change GP
    assert known(faults=plain)
    assert not known(faults=plain, view="transition")
    assert not known(faults=plain, channels="channels_rough")
    assert not known(
        faults=plain,
        outages=[{"relay": "platform", "per_year": 1, "lasts": {"kind": "fixed", "value": "1 h"}}],
    )


def test_a_sum_of_estimates_has_an_interval_from_theirs() -> None:
    one, other = Interval(0.01, 0.007, 0.014, 5), Interval(0.02, 0.016, 0.023, 5)
    found = score_interval_of_sum([one, other], 5)
    assert (found.mean, found.low, found.high) == pytest.approx((0.03, 0.025, 0.035))
    unseen = score_interval_of_sum([one, Interval(np.nan, 0.0, 0.003, 5)], 5)
    assert (unseen.mean, unseen.high) == pytest.approx((0.01, 0.015))
