"""A visit whose task vanishes is missed, one whose task is found in time is made; and what the files say."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flowsim.catalogue import catalogue_path, names
from flowsim.config.compose import load_study
from flowsim.config.loading import load
from flowsim.config.pathway_file import Branch, PathwayFile, Repeat, Send, Wait, Work
from flowsim.config.schema import FaultsFile, TopologyFile
from flowsim.topology import build, load_per_service, mean_hours
from flowsim.topology.load import cases_at_opening, cases_per_week
from flowsim.topology.walks import expected_visits
from flowsim.vocabulary import MessageKind, ServiceKind
from tests.small_worlds import log, pathway, plan, read, same

ROOT = Path(__file__).parents[2]
#: A visit of a care plan in a line or two; both ends are on the platform, so a task takes an hour.
VISIT = """
- {id: due, do: milestone, name: visit_due}
- {id: tell, do: send, message: task, sender: home_nursing, to: home_nursing}
- {id: go, do: work, service: home_nursing, minutes: 30 min, patience: 4 h, impatient: missed}
- {id: been, do: milestone, name: visit_done, next: over}
- {id: missed, do: milestone, name: visit_missed}
- {id: over, do: end}
"""


def vanishing(**more: Any) -> Any:
    """Return faults by which every task vanishes half an hour after it was listed."""
    faults = read("faults_none")
    found_by = ["patient_calls"] if more else []
    vanished = {
        "rate": 1.0, "channels": ["platform"], "only": ["task"], "delay": "30 min", "found_by": found_by
    }  # fmt: skip
    return {**faults, "faults": {"vanished": vanished}, **more}


def calls(after: str) -> Any:
    """Return faults by which relatives phone some time after a task has vanished."""
    way = {"chance": 1.0, "delay": after}
    return vanishing(found_by={"patient_calls": way}, redelivery="15 min")


def test_a_task_that_vanishes_from_the_list_is_a_visit_that_is_missed() -> None:
    assert same(log(plan(pathway(VISIT), faults=vanishing())), """
        0 created due practice_1 practice_1
        0 milestone due practice_1 -
        0 authored tell home home main/platform/1/moving
        0 sent tell home home main/platform/1/moving
        1 received tell home home main/platform/1/moving
        1 listed go home home length=1 main/platform/1/moving
        1.5 vanished go home home main/platform/1/silent vanished
        5 cancelled go home home main/platform/1/ended vanished
        5 milestone missed practice_1 -
        5 closed over practice_1 -
    """)  # fmt: skip


def test_a_task_that_somebody_misses_in_time_is_a_visit_that_is_made() -> None:
    """Relatives phone an hour after it vanished, and the team has it an hour and a quarter later."""
    assert same(log(plan(pathway(VISIT), faults=calls("1 h"))), """
        0 created due practice_1 practice_1
        0 milestone due practice_1 -
        0 authored tell home home main/platform/1/moving
        0 sent tell home home main/platform/1/moving
        1 received tell home home main/platform/1/moving
        1 listed go home home length=1 main/platform/1/moving
        1.5 vanished go home home main/platform/1/silent vanished
        2.5 found tell home home main/platform/1/moving vanished
        2.5 resent tell home home main/phone/1/moving vanished
        3.75 received tell home home main/phone/1/moving vanished
        3.75 listed go home home length=1 main/phone/1/moving vanished
        3.75 taken go home home main/phone/1/seen vanished
        4.25 done go home home main/phone/1/seen vanished
        4.25 milestone been practice_1 -
        4.25 closed over practice_1 -
    """)  # fmt: skip


def test_a_call_after_the_window_brings_no_visit_back() -> None:
    found = log(plan(pathway(VISIT), faults=calls("4 h")))
    assert found == log(plan(pathway(VISIT), faults=vanishing()))


def test_a_visit_that_nobody_has_time_for_is_missed_without_any_fault() -> None:
    given = pathway(VISIT.replace("home_nursing", "radiology"))
    found = log(plan(given)).splitlines()
    assert found[-3:] == [
        "5 cancelled go unmanned unmanned main/platform/1/ended",
        "5 milestone missed practice_1 -",
        "5 closed over practice_1 -",
    ]


# --- the files ------------------------------------------------------------------------------------------


@cache
def shipped(name: str) -> PathwayFile:
    return load(catalogue_path("pathways", name), PathwayFile)


@cache
def faults() -> FaultsFile:
    return load(catalogue_path("faults", "faults"), FaultsFile)


def test_a_region_of_330000_has_some_six_million_visits_a_year() -> None:
    region = build(load(ROOT / "topologies" / "trondheim.yaml", TopologyFile))
    plans = sum(cases_per_week(region, shipped("home_care")).values()) * 365 / 7
    assert plans == pytest.approx(sum(cases_at_opening(region, shipped("home_care")).values()), rel=1e-3)
    assert 5e6 < plans * expected_visits(shipped("home_care"))["visit"] < 7e6


@pytest.mark.parametrize(("name", "low", "high"), [
    ("trondheim", 0.6, 0.7), ("district", 0.6, 0.7), ("minimal", 0.6, 0.7), ("midt_norge", 0.45, 0.7),
])  # fmt: skip
def test_home_care_is_busy_but_not_full(name: str, low: float, high: float) -> None:
    region = build(load(ROOT / "topologies" / f"{name}.yaml", TopologyFile))
    rows = [row for row in load_per_service(region, [shipped("home_care")]) if row.offered > 0]
    assert {region.services[row.service].kind for row in rows} == {ServiceKind.home_care}
    assert all(low < row.load < high for row in rows)


@pytest.mark.parametrize(("name", "years"), [("home_care", 1.0), ("medication_list", 1.92)])
def test_as_many_begin_as_end(name: str, years: float) -> None:
    """What is there at the opening stays as many, so that the load of a run does not depend on its length."""
    arrivals = shipped(name).starts.arrivals
    assert arrivals.per_year == pytest.approx(arrivals.at_opening / years, rel=0.01)


def test_a_plan_lasts_a_year_whatever_its_urgency() -> None:
    """The share that ends at each visit is the interval over a year; visits lie in 15 hours of a day."""
    steps = {step.id: step for step in shipped("home_care").steps}
    for interval, goes_on in (
        ("some_hours", "plan_goes_on_hours"),
        ("some_days", "plan_goes_on_days"),
        ("a_week", "plan_goes_on_weeks"),
    ):
        wait, branch = steps[interval], steps[goes_on]
        assert isinstance(wait, Wait) and isinstance(branch, Branch)
        ends = next(choice.share for choice in branch.choices if choice.go == "plan_ends")
        assert mean_hours(wait.time) / 15.0 / ends == pytest.approx(365.0, rel=0.01)


def test_the_window_of_a_visit_is_its_deadline() -> None:
    found = shipped("home_care")
    works = {step.id: step for step in found.steps if isinstance(step, Work)}
    for step in found.steps:
        if isinstance(step, Send):
            assert step.deadline is not None and step.next is not None
            patience = works[step.next].patience
            assert patience is not None
            assert mean_hours(patience) == step.deadline.within.hours, step.id


def test_what_a_team_writes_onto_its_own_list_can_only_vanish() -> None:
    templates = {step.template for step in shipped("home_care").steps if isinstance(step, Send)}
    assert templates == {"planned_visit", "plan_update", "hand_over"}
    others = {
        step.template
        for name in names("pathways")
        if name != "home_care"
        for step in shipped(name).steps
        if isinstance(step, Send)
    }
    assert not templates & others
    for name, fault in faults().faults.items():
        if name == "vanished":
            assert fault.only == ("task",)
            assert fault.templates["plan_update"] > 1.0 and fault.templates["hand_over"] > 1.0
        elif not fault.rate.value or name == "copy_omitted":  # it has no copies
            continue
        else:
            assert {fault.templates[template] for template in templates} == {0.0}, name


def test_no_step_of_home_care_meets_a_practice() -> None:
    """What makes it a negative control for the adoption of GPs: one service, no search."""
    for step in shipped("home_care").steps:
        if isinstance(step, Send):
            assert (step.sender, step.to, step.copies) == ("origin", "origin", ()), step.id
        elif isinstance(step, Work):
            assert step.service == "origin" and step.search is None, step.id
        else:
            assert not hasattr(step, "services"), step.id


def test_what_nobody_has_measured_of_medication_lists_is_equal_before_and_after() -> None:
    steps = {step.id: step for step in shipped("medication_list").steps}

    def shares(name: str) -> list[float]:
        step = steps[name]
        assert isinstance(step, Branch)
        return [choice.share for choice in step.choices]

    assert shares("gp_sends") == shares("gp_enters") == shares("hospital_enters")
    assert shares("gp_sends") == shares("hospital_enters_for_home")
    assert shares("home_typed") == shares("gp_enters_how") == shares("hospital_enters_how")
    assert shares("home_typed") == shares("gp_typed") == shares("home_typed_hospitals")
    assert shares("reported_when_apart") == shares("reported_when_shared")


def test_lists_are_sent_only_where_they_are_not_shared() -> None:
    kinds = {step.message for step in shipped("medication_list").steps if isinstance(step, Send)}
    assert kinds == {MessageKind.medication_list.name}
    repeats = [step.times for step in shipped("medication_list").steps if isinstance(step, Repeat)]
    longest = max(
        point.design.warm_up.hours + point.design.observe.hours + point.design.follow_up.hours
        for point in load_study(ROOT / "experiments" / "medication_lists.yaml").points
    )
    assert min(repeats) * 7 * 24 > longest
