"""What the world will do is computed from the design: who goes live and when, who is away, which defects."""

from __future__ import annotations

from typing import Any

import pytest

from flowsim.plan import Plan
from flowsim.plan.rollout import GoLive
from flowsim.simulation import Clock, Mail
from flowsim.vocabulary import Event
from tests.small_worlds import pathway, plan, read, rows_of

NOTHING = pathway("- {id: stop, do: end}")
BASIS = {"source": "Invented for tests.", "certainty": "assumed"}
NO_TIME = {"basis": BASIS, "chase": "0 h", "consultation": "20 min"}


def adoption(**more: Any) -> dict[str, Any]:
    """Return settings of adoption without anything that joining changes."""
    return {"joining": {"stale_share": 0, "stale_lag": "1 h", "old_inbox_read": 0}, **more}


def lives(view: str = "transition", days: float = 200, **more: Any) -> tuple[GoLive, ...]:
    """Return the go-lives and leavings of practices in a small region."""
    given = plan(NOTHING, view=view, days=days, adoption=adoption(**more))
    return tuple(life for life in given.world.go_lives if life.organisation.startswith("practice"))


def told(found: tuple[GoLive, ...]) -> list[tuple[str, float, str]]:
    """Return who does what on which day."""
    return [
        (
            life.organisation,
            life.at_hours / 24,
            "before" if life.before else "joins" if life.joins else "leaves",
        )
        for life in found
    ]


# --- who goes live ---------------------------------------------------------------------------------


def test_in_the_transition_view_the_others_go_live_evenly_from_the_opening_on() -> None:
    found = lives(gp_practices="100 %", before="1 practice", order="largest_first", roll_out="20 days")
    assert told(found) == [
        ("practice_1", 0, "before"), ("practice_2", 0, "joins"), ("practice_3", 10, "joins"),
    ]  # fmt: skip
    assert told(lives(view="settled", gp_practices="34 %", order="largest_first")) == [
        ("practice_1", 0, "before")
    ]


def test_nobody_goes_live_before_so_many_are_ready_and_whoever_leaves_first_never_does() -> None:
    common: dict[str, Any] = {"gp_practices": "100 %", "order": "largest_first", "roll_out": "30 days"}
    assert told(lives(together=2, **common)) == [
        ("practice_1", 10, "joins"), ("practice_2", 10, "joins"), ("practice_3", 20, "joins"),
    ]  # fmt: skip
    assert lives(together=4, **common) == ()
    dated = [
        {"on": "2024-01-18", "gp_practices": ["practice_3"]},
        {"on": "2024-01-20", "gp_practices": ["practice_1"]},
    ]
    assert told(lives(together=2, go_live=dated)) == [("practice_1", 12, "joins")]


def test_a_practice_leaves_once_whether_by_date_or_by_chance() -> None:
    """Whoever has left by chance before its day is not told to leave again."""
    go = [{"on": "2024-06-28", "gp_practices": "0 %"}]
    for seed in range(8):
        found = told(lives(gp_practices="100 %", go_live=go, leave_per_year=0.8, order_seed=seed, days=190))
        for practice in ("practice_1", "practice_2", "practice_3"):
            own = [what for name, _, what in found if name == practice]
            assert own == ["before", "leaves"], seed


# --- defects -----------------------------------------------------------------------------------------


LATENT = {
    "basis": BASIS,
    "latent": [
        {"id": "blank", "fault": "not_emitted", "messages": ["referral"], "at": "gp", "number": 1,
         "reach": [0.5, 1.0], "visible": 0.5},
    ],
}  # fmt: skip


def defects(given: Plan) -> set[str]:
    return {d["organisation"] for d in given.header["defects"]}


def test_defects_come_with_go_lives_inside_the_run_and_not_with_those_long_before() -> None:
    settings = adoption(gp_practices="100 %", before="1 practice", order="largest_first")
    found = plan(NOTHING, view="transition", adoption=settings, defects=LATENT)
    assert defects(found) == {"practice_2", "practice_3"}
    assert defects(plan(NOTHING, view="settled", adoption=settings, defects=LATENT)) == set()


def test_whoever_joins_again_meets_no_second_set_of_defects() -> None:
    go = [
        {"on": f"2024-01-{day}", "gp_practices": level}
        for day, level in ((10, "100 %"), (12, "0 %"), (14, "100 %"))
    ]
    once = plan(NOTHING, adoption=adoption(go_live=go[:1]), defects=LATENT)
    twice = plan(NOTHING, adoption=adoption(go_live=go), defects=LATENT)
    assert len(once.header["defects"]) == len(twice.header["defects"]) > 3


# --- staff -------------------------------------------------------------------------------------------


def people(**more: Any) -> dict[str, Any]:
    return {**NO_TIME, **more}


def staff_of(given: Plan, service: str) -> list[tuple[float, int]]:
    """Return when the number of staff at a service changes, and to what."""
    number = [s["id"] for s in given.header["services"]].index(service)
    seen: list[tuple[float, int]] = []

    def watch(clock: Clock, mail: Mail) -> Any:
        while True:
            yield clock.timeout(12.0)
            there = int(mail.state.service[number]["staff"])
            if not seen or seen[-1][1] != there:
                seen.append((clock.now, there))

    rows_of(given, [watch])
    return seen


@pytest.mark.parametrize("start", ["2024-01-08", "2024-01-11"])
def test_a_lever_within_a_week_leaves_everybody_elses_absence_as_it_was(start: str) -> None:
    topology = read("bare")
    topology["organisations"][0]["services"][0]["staff"] = 20
    lever = {
        "label": "More staff", "acts": [{"on": "staff", "what": "case_office", "full": 3.0}],
        "reach": 1.0, "adherence": 1.0, "effect": 1.0, "start_up": "10 days",
    }  # fmt: skip
    common = {
        "topology": topology, "people": people(absence=0.3), "days": 60, "start": start,
        "levers": {"basis": BASIS, "levers": {"more": lever}},
    }  # fmt: skip
    without, with_it = plan(NOTHING, **common), plan(NOTHING, use_levers=["more"], **common)
    intake = staff_of(without, "hospital/intake")
    assert len(intake) > 4
    assert staff_of(with_it, "hospital/intake") == intake
    assert max(n for _, n in staff_of(with_it, "town/case_office")) == 3


def test_people_are_at_training_in_the_week_before_a_go_live() -> None:
    learning = {"lasts": "4 weeks", "history_moved": "4 weeks", "training": {"away": 0.99, "hours": 8}}
    topology = read("bare")
    topology["practice_template"]["staff_per_gp"] = 20
    go = [{"on": "2024-01-22", "gp_practices": "100 %"}]  # a Monday
    given = plan(
        NOTHING, topology=topology, days=40, adoption=adoption(go_live=go), people=people(learning=learning)
    )
    assert staff_of(given, "practice_1/inbox") == [(12, 20), (168, 1), (336, 20)]
    rows = rows_of(given)
    live = rows[rows["event"] == Event.went_live]
    assert live["time"].tolist() == [336.0] * 3
    assert live["hours"].tolist() == [16.0] * 3  # two people a doctor, 8 hours each


def test_testing_takes_hours_for_each_go_live_by_its_coverage() -> None:
    go = [{"on": "2024-01-22", "gp_practices": "2 practices"}]
    testing = {"basis": BASIS, "testing": {"coverage": 0.25, "hours": 80}}
    rows = rows_of(plan(NOTHING, days=40, adoption=adoption(go_live=go), defects=testing))
    assert rows["hours"][rows["event"] == Event.went_live].tolist() == [20.0] * 2
    lever = {
        "label": "More tests", "acts": [{"on": "test_coverage", "full": 0.5}], "start_up": "0 h",
        "reach": 1.0, "adherence": 1.0, "effect": 1.0,
    }  # fmt: skip
    more = {"levers": {"basis": BASIS, "levers": {"more": lever}}, "use_levers": ["more"]}
    rows = rows_of(plan(NOTHING, days=40, adoption=adoption(go_live=go), defects=testing, **more))
    assert rows["hours"][rows["event"] == Event.went_live].tolist() == [40.0] * 2


def test_holidays_are_by_day_of_the_year_also_over_the_new_year() -> None:
    holidays = [
        {"first": "12-23", "last": "12-31", "away": 0.9}, {"first": "01-01", "last": "01-03", "away": 0.9},
    ]  # fmt: skip
    given = plan(NOTHING, start="2024-12-16", days=30, people=people(holidays=holidays))
    assert given.world.staffing is not None
    assert given.world.staffing.away == (0.0, 0.9, 0.9, 0.0, 0.0)
