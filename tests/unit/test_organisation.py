"""Where staff hours go and how defects live, from rows written by hand and from small worlds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowsim.episodes import Episodes, EpisodesFold, Organisation, OrganisationFold
from flowsim.journal import RunHeader, replay
from flowsim.measures import measure_all
from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import JOURNAL_SCHEMA, Event, Fault, FoundBy, State
from tests.journals import GP, HOME, INTAKE, WRONG, Story, pieces, small_header
from tests.small_worlds import Rows, pathway, plan, read, rows_of

DEFECT = {
    "id": "letters/hospital/0", "kind": "letters", "fault": int(Fault.not_emitted),
    "organisation": "hospital", "latent": True, "begins_hours": 0.0, "happened_days": 110,
}  # fmt: skip
HEADER = small_header(defects=[DEFECT], chase_hours=0.25, consultation_hours=0.5)
T0 = 200.0


def row(time: float, event: Event, service: int = -1, **more: Any) -> Rows:
    """Return one row; what is not said is as in a row about nothing."""
    out = np.zeros(1, JOURNAL_SCHEMA)
    out["peer"] = out["intended"] = out["defect"] = out["step"] = -1
    out["time"], out["event"], out["service"] = time, event, service
    for name, value in more.items():
        out[name] = value
    return out


def organisation(rows: list[Rows], header: RunHeader = HEADER, cuts: tuple[int, ...] = ()) -> Organisation:
    (answer,) = replay(pieces(np.concatenate(rows), list(cuts)), header, [OrganisationFold()])
    assert isinstance(answer, Organisation)
    return answer


def hours(given: Organisation) -> dict[tuple[str, str], float]:
    frame = given.work
    return dict(zip(zip(frame["service"], frame["purpose"], strict=True), frame["hours"], strict=True))


def test_hours_of_work_are_split_into_search_and_the_work_itself() -> None:
    rows = [
        row(T0, Event.taken, GP, hours=1.0, intended=GP, delivery=1, state=State.seen),
        row(T0 + 1, Event.done, GP, hours=0.25),
    ]
    assert hours(organisation(rows)) == {("gp", "clinical"): 0.75, ("gp", "searching"): 0.25}


def test_what_came_twice_or_to_the_wrong_service_is_doing_again() -> None:
    rows = [
        row(T0, Event.taken, GP, hours=1.0, intended=GP, delivery=1, state=State.none),
        row(T0, Event.taken, WRONG, hours=2.0, intended=GP, delivery=1, state=State.silent),
    ]
    assert hours(organisation(rows)) == {("gp", "doing_again"): 1.0, ("wrong", "doing_again"): 2.0}


def test_what_is_found_costs_whoever_found_it_the_time_to_chase() -> None:
    rows = [
        row(T0, Event.found, INTAKE, peer=GP, attempt=FoundBy.referrer_chases),
        row(T0, Event.found, INTAKE, peer=GP, attempt=FoundBy.receiver_misses),
    ]
    assert hours(organisation(rows)) == {("gp", "chasing"): 0.25, ("intake", "chasing"): 0.25}


def test_only_the_window_counts_and_training_in_it() -> None:
    opens, closes = HEADER.warm_up_hours, HEADER.warm_up_hours + HEADER.observe_hours
    rows = [row(t, Event.went_live, HOME, hours=3.0) for t in (opens - 1, opens, closes - 1, closes)]
    assert hours(organisation(rows)) == {("home", "training"): 6.0}


def test_a_defect_is_followed_from_its_beginning_to_its_mending() -> None:
    rows = [
        row(10.0, Event.defect_began, defect=0),
        row(12.0, Event.authored, GP, defect=0, delivery=1),
        row(13.0, Event.authored, GP, defect=0, delivery=2),
        row(20.0, Event.defect_reported, HOME, defect=0),
        row(30.0, Event.defect_reported, GP, defect=0),
        row(30.0, Event.defect_believed, defect=0),
        row(40.0, Event.defect_escalated, defect=0, attempt=1),
        row(58.0, Event.defect_mended, defect=0),
    ]
    (life,) = organisation(rows).defects.to_dict("records")
    assert (life["began_hours"], life["first_report_hours"], life["believed_hours"]) == (10.0, 20.0, 30.0)
    assert (life["mended_hours"], life["reports"], life["levels"], life["hit"]) == (58.0, 2, 1, 2)
    assert life["happened_days"] == 110.0 and life["party"] == "hospital"


def test_a_defect_that_never_began_is_no_row() -> None:
    assert organisation([row(T0, Event.authored, GP)]).defects.empty


@pytest.mark.parametrize("cuts", [(1,), (0, 3), (2, 3, 4)])
def test_any_block_size_gives_the_same_accounts(cuts: tuple[int, ...]) -> None:
    rows = [row(T0 + k, Event.taken, GP, hours=0.1 * k, intended=GP, delivery=1) for k in range(1, 8)]
    whole, parts = organisation(rows), organisation(rows, cuts=cuts)
    pd.testing.assert_frame_equal(whole.work, parts.work)
    pd.testing.assert_frame_equal(whole.defects, parts.defects)


def measured(rows: list[Rows], header: RunHeader = HEADER) -> dict[tuple[str, str], float]:
    (episodes,) = replay([np.concatenate(rows)], header, [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    frame = measure_all(episodes, header, organisation=organisation(rows, header))
    return dict(zip(zip(frame["measure"], frame["group"], strict=True), frame["value"], strict=True))


def test_hours_are_told_for_a_year_and_consultations_are_what_gps_lose() -> None:
    """The window of the header is 28 days of a year; a consultation is half an hour."""
    rows = [
        row(T0, Event.taken, GP, hours=1.0, intended=GP, delivery=1, state=State.seen),
        row(T0 + 1, Event.done, GP, hours=0.25),
        row(T0 + 2, Event.taken, INTAKE, hours=9.0, intended=INTAKE, delivery=1, state=State.seen),
    ]
    got = measured(rows)
    year = HOURS_PER_YEAR / HEADER.observe_hours
    assert got["staff_hours_searching", ""] == pytest.approx(0.25 * year)
    assert got["staff_hours_clinical", "party=hospital"] == pytest.approx(9.0 * year)
    assert got["consultations_displaced", ""] == pytest.approx(0.5 * year)
    assert ("consultations_displaced", "party=hospital") not in got


def test_a_defect_that_is_not_mended_counts_until_the_end() -> None:
    rows = [row(24.0, Event.defect_began, defect=0), row(72.0, Event.defect_believed, defect=0)]
    got = measured(rows)
    assert got["defect_days_to_believed_mean", "defect=letters"] == 2.0
    assert got["defect_days_to_mended_mean", ""] == pytest.approx((HEADER.end_hours - 24.0) / 24.0)
    assert got["defects_mended_share", ""] == 0.0


def test_for_each_failure_somebody_notices_there_are_those_that_nobody_does() -> None:
    story = Story()
    for case in range(1, 5):
        story.created(T0, case).authored(T0, case, state=State.silent, fault=Fault.not_emitted)
    story.on(T0 + 50, Event.found, 4)
    (episodes,) = replay([story.block], HEADER, [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    frame = measure_all(episodes, HEADER).set_index(["measure", "group"])["value"]
    assert frame["silent_ratio", ""] == 3.0


def test_a_practice_notices_in_the_months_in_which_something_comes_to_light_there() -> None:
    """One practice, one month of window: a told failure of its own is noticed, a patient's letter is not."""
    gp = replace(HEADER.services[GP], practice=True)
    header = replace(HEADER, services=(gp, *HEADER.services[1:]))
    for state, noticed in ((State.told, 1.0), (State.silent, 0.0)):
        story = Story()
        story.created(T0, 1).authored(T0, 1, state=state, fault=Fault.rejected)
        (episodes,) = replay([story.block], header, [EpisodesFold()])
        assert isinstance(episodes, Episodes)
        frame = measure_all(episodes, header).set_index(["measure", "group"])["value"]
        assert frame["practices_noticing_share", ""] == noticed
        assert frame["practices_noticing_share", "direction=gp-hospital"] == noticed


def test_the_kernel_tells_how_long_work_and_its_search_took() -> None:
    given = pathway("- {id: look, do: work, service: gp_office, minutes: 1 h, search: 30 min}", times="0 h")
    rows = rows_of(plan(given))
    assert rows["hours"][rows["event"] == Event.taken].tolist() == [1.5]
    assert rows["hours"][rows["event"] == Event.done].tolist() == [0.5]


def test_search_grows_with_the_systems_that_hold_the_patients_information() -> None:
    """The practice outside looks into its own system and the hospital's; once it has joined there is one."""
    text = "- {id: look, do: work, service: ward, minutes: 1 h, search: 1 h}"
    found = []
    for level in ("0 %", "100 %"):
        basis = {"source": "test", "certainty": "assumed"}
        people = {"basis": basis, "search_per_system": 0.5, "chase": "0 h", "consultation": "20 min"}
        rows = rows_of(plan(pathway(text, times="0 h"), level=level, people=people))
        found.append(float(rows["hours"][rows["event"] == Event.done][0]))
    assert found == [1.5, 1.0]


def test_who_is_swamped_slips_more_in_what_it_sends() -> None:
    """Of the letters of a service with a long list more go astray; of others none more."""
    topology, faults = read("bare"), read("faults_none")
    topology["organisations"][0]["services"][0]["swamped_at"] = 3
    faults["faults"] = {"misaddressed": {"rate": 0.1, "channels": ["platform", "edi"]}}
    basis = {"source": "test", "certainty": "assumed"}
    people = {"basis": basis, "overload": {"slips": 1.0}, "chase": "0 h", "consultation": "20 min"}
    work = "- {id: look, do: work, service: referral_intake, minutes: 1 h}"
    text = (
        f"{work}\n- {{id: tell, do: send, message: referral_status, sender: referral_intake, to: gp_office}}"
    )
    astray = []
    for at_once in (1, 40):
        times = ", ".join(f"{10 * (k // at_once)} h" for k in range(400))
        rows = rows_of(
            plan(pathway(text, times=times), topology=topology, faults=faults, people=people, days=400)
        )
        sent = rows[rows["event"] == Event.authored]
        hit = np.unique(rows["case"][rows["fault"] == Fault.misaddressed])
        astray.append(len(hit) / len(sent))
    assert 0.06 < astray[0] < 0.14 and 0.15 < astray[1] < 0.25
