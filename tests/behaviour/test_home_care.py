"""Which way missed visits and medication lists go, with the same luck, and what must not move."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowsim.catalogue import catalogue_path
from flowsim.config.compose import load_study
from flowsim.config.loading import load
from flowsim.config.pathway_file import Branch
from flowsim.config.schema import Design, PathwayFile, TopologyFile
from flowsim.config.twins import same_adoption_twin
from flowsim.config.values import Estimate
from flowsim.episodes import Episodes, EpisodesFold
from flowsim.journal import RunHeader
from flowsim.plan import build_plan
from flowsim.simulation import simulate
from flowsim.units import parse_duration
from flowsim.vocabulary import Event, Milestone
from tests.small_worlds import Rows, named, of_pathway, rows_of

ROOT = Path(__file__).parents[2]


@cache
def scenarios(name: str) -> dict[str, Design]:
    """Return the designs of a shipped experiment by scenario, in the district and for some weeks only."""
    topology = load(ROOT / "topologies" / "district.yaml", TopologyFile)
    short = {"topology": topology, "observe": parse_duration("1 week")}
    short["follow_up"] = parse_duration("3 weeks" if name == "home_care_tasks" else "39 weeks")
    points = load_study(ROOT / "experiments" / f"{name}.yaml").points
    return {point.name: point.design.model_copy(update=short) for point in points}


def run(design: Design, replication: int = 1) -> Episodes:
    plan = build_plan(design)
    fold = EpisodesFold()
    fold.start(RunHeader.from_dict(plan.header))
    simulate(plan, replication, fold.take)
    return fold.finish()


def milestones(design: Design, milestone: Milestone) -> set[tuple[int, float]]:
    """Return the cases and instants at which a milestone was reached."""
    plan = build_plan(design)
    rows = rows_of(plan)
    steps = [i for i, step in enumerate(plan.header["steps"]) if step["milestone"] == milestone]
    chosen = rows[(rows["event"] == Event.milestone) & np.isin(rows["step"], steps)]
    return set(zip(chosen["case"].tolist(), chosen["time"].tolist(), strict=True))


def with_rate(design: Design, share: float) -> Design:
    """Return a design in which so many tasks vanish."""
    faults = dict(design.faults.faults)
    faults["vanished"] = faults["vanished"].model_copy(update={"rate": Estimate(value=share)})
    return design.model_copy(update={"faults": design.faults.model_copy(update={"faults": faults})})


# --- visits -----------------------------------------------------------------------------------------------


def test_no_visit_is_missed_where_nothing_vanishes_and_there_are_people_enough() -> None:
    cases = run(same_adoption_twin(scenarios("home_care_tasks")["as assumed"])).cases
    assert cases.visits_due.sum() > 30_000
    assert cases.visits_missed.sum() == 0
    assert (cases.visits_due - cases.visits_done).between(0, 1).all()


def test_visits_are_due_as_often_as_the_pathway_says_and_first_visits_come_within_an_interval() -> None:
    cases = run(same_adoption_twin(scenarios("home_care_tasks")["as assumed"])).cases
    a_week = 7.0 * cases.groupby("urgency", observed=True)[["visits_due", "followed_days"]].sum()
    rates = a_week["visits_due"] / (a_week["followed_days"] / 7.0)
    expected = {"urgent": 21.0, "soon": 3.5, "routine": 1.0}
    assert rates.to_dict() == {name: pytest.approx(rate, rel=0.06) for name, rate in expected.items()}
    assert not cases.delayed_start.any()


def test_what_vanishes_at_a_lower_rate_vanishes_at_a_higher_one_too() -> None:
    base = scenarios("home_care_tasks")["as assumed"]
    missed = [
        milestones(with_rate(base, share), Milestone.visit_missed) for share in (0.0, 0.001, 0.01, 0.05)
    ]
    assert not missed[0] and len(missed[1]) > 20
    assert missed[0] < missed[1] < missed[2] < missed[3]


def test_a_version_that_loses_tasks_adds_to_what_vanishes_anyway() -> None:
    own = scenarios("home_care_tasks")
    usual = milestones(own["as assumed"], Milestone.visit_missed)
    losing = milestones(own["a version that loses tasks"], Milestone.visit_missed)
    assert usual < losing and len(losing) > 3 * len(usual)


def test_a_missed_visit_is_gone_and_not_late() -> None:
    own = scenarios("home_care_tasks")["tenfold rate"]
    deliveries = run(own).deliveries
    gone = deliveries[deliveries.fault == "vanished"]
    assert len(gone) > 100
    assert gone.seen_hours.isna().mean() > 0.99  # but for the few that relatives phone about in time
    assert (gone.first_outcome == "failed_silently").all()


def test_nothing_in_home_care_moves_with_the_adoption_of_gps() -> None:
    """The negative control: beside pathways of GPs, every row is the same at every level of adoption."""
    base = scenarios("home_care_tasks")["as assumed"]
    others = ("gp_referral", "municipal_application", "medication_list")
    pathways = {**base.pathways, **{n: load(catalogue_path("pathways", n), PathwayFile) for n in others}}
    control: list[Any] = []
    moved: list[Rows] = []
    for level in ("0 %", "2 practices", "100 %"):
        adoption = base.adoption.model_copy(update={"gp_practices": level})
        plan = build_plan(base.model_copy(update={"adoption": adoption, "pathways": pathways}))
        rows = rows_of(plan)
        control.append(named(plan, of_pathway(plan, rows, "home_care")))
        moved.append(of_pathway(plan, rows, "gp_referral"))
    assert len(control[0]) > 100_000
    assert control[0] == control[1] == control[2]
    assert len({part.tobytes() for part in moved}) == 3


# --- medication lists ---------------------------------------------------------------------------------------


@cache
def share_of_lists(scenario: str) -> pd.Series[float]:
    """Return the share of patients whose lists are not right at the end of each week, over replications."""
    tables = [run(scenarios("medication_lists")[scenario], r).profiles["weeks"] for r in (1, 2, 3)]
    wide = pd.concat(tables).pivot_table(index="week", columns="measure", values="count", aggfunc="sum")
    return (wide["cases_differing"] / wide["cases_followed"])[:39]


def test_lists_are_found_about_as_separate_systems_leave_them() -> None:
    before = share_of_lists("before")
    assert before.iloc[:4].mean() == pytest.approx(before.iloc[-13:].mean(), abs=0.03)


def test_a_shared_list_that_is_badly_kept_gives_a_rise_at_the_go_live_and_no_fall() -> None:
    outside, badly = share_of_lists("GPs stay outside"), share_of_lists("badly kept")
    assert badly.iloc[8:13].mean() > 1.7 * outside.iloc[8:13].mean()
    assert badly.iloc[-8:].mean() > 0.9 * badly.iloc[8:13].mean()


def test_lists_converted_wrongly_and_then_well_kept_give_a_rise_and_then_a_fall() -> None:
    outside, wrong = share_of_lists("GPs stay outside"), share_of_lists("well kept, wrong at first")
    assert wrong.iloc[6:10].max() > 1.4 * outside.iloc[6:10].mean()
    assert wrong.iloc[-8:].mean() < 0.8 * outside.iloc[-8:].mean()


def test_a_shared_list_that_is_well_kept_gives_no_rise() -> None:
    outside, well = share_of_lists("GPs stay outside"), share_of_lists("well kept")
    assert (well.iloc[4:] < outside.iloc[4:]).all()


def test_more_reports_change_reports_only() -> None:
    own = scenarios("medication_lists")
    few, many = (run(own[name]).cases for name in ("GPs join", "GPs join, more reported"))
    assert many.deviations_reported.sum() > 1.4 * few.deviations_reported.sum()
    assert (many.deviations_reported >= few.deviations_reported).all()
    pd.testing.assert_series_equal(few.differing_days, many.differing_days)


def test_where_no_list_is_shared_nothing_that_only_shared_lists_have_matters() -> None:
    design = scenarios("medication_lists")["GPs stay outside"]
    pathway = design.pathways["medication_list"]
    of_sharing = ("conversion", "gp_enters", "gp_enters_how", "reported_when_shared")
    steps = tuple(
        _with_shares_swapped(step) if isinstance(step, Branch) and step.id in of_sharing else step
        for step in pathway.steps
    )
    other = {"medication_list": pathway.model_copy(update={"steps": steps})}
    pd.testing.assert_frame_equal(run(design).cases, run(design.model_copy(update={"pathways": other})).cases)


def _with_shares_swapped(branch: Branch) -> Branch:
    """Return a branch of two ways with the share of each given to the other."""
    one, other = branch.choices
    swapped = (one.model_copy(update={"share": other.share}), other.model_copy(update={"share": one.share}))
    return branch.model_copy(update={"choices": swapped})
