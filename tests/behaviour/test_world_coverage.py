"""A year of the smallest region meets every process of the world and every lever of the catalogue.

With everything off it meets none. So a story that is never told, or a lever that is read and then
forgotten, shows here.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from flowsim.catalogue import catalogue_path, names
from flowsim.config.loading import load_yaml
from flowsim.plan import Plan
from flowsim.plan.layout import DIAL_FALLBACK, DIAL_STALE, DIAL_WAY
from flowsim.simulation import Mail
from flowsim.vocabulary import Channel, CommandKind, Event, Fault, FoundBy, Pace, State
from tests.small_worlds import Rows, plan, rows_of

ROOT = Path(__file__).parents[2]
OF_THE_WORLD = {event for event in Event if Event.went_live <= event <= Event.relay_up}
LEVERS = [
    "more_testing", "better_training", "wait_for_others", "simpler_to_use", "address_clean_up",
    "owner_for_every_list", "reconciliation", "phone_confirmation", "faster_escalation", "more_intake_staff",
    "paper_fallback",
]  # fmt: skip
#: Where each organisation begins on its own, all join within half a year, and one of them leaves again.
ADOPTION = {
    "gp_practices": "0 %",
    "organisations": [],
    "order": "smallest_first",
    "joining": {"stale_share": 0.3, "stale_lag": "8 weeks", "old_inbox_read": 0.2},
    "go_live": [
        {"on": "2024-02-05", "organisations": ["hospital"], "gp_practices": "1 practice"},
        {"on": "2024-03-04", "organisations": ["town"], "gp_practices": "2 practices"},
        {"on": "2024-04-08", "organisations": ["specialist"], "gp_practices": "3 practices"},
        {"on": "2024-09-02", "leave": ["specialist"], "gp_practices": "2 practices"},
    ],
}
QUIET = {
    "gp_practices": "0 %",
    "organisations": [],
    "joining": {"stale_share": 0, "stale_lag": "1 h", "old_inbox_read": 0},
}
RELAYS = ("platform", "gateway", "broker")


def catalogue(kind: Any, name: str) -> Any:
    return load_yaml(catalogue_path(kind, name)).data


def a_lot_of(defects: Any) -> Any:
    """Return the catalogue's defects, more of each and sooner believed, so that one year meets them all."""
    often = [
        {**kind, "number": 6.0, "reach": ["40 %", "80 %"], "visible": "50 %"} for kind in defects["latent"]
    ]
    own = {**defects["owners"], "lost_at_go_live": "60 %", "reorganisations_per_year": 3.0}
    own |= {"lost_at_reorganisation": "60 %", "search_every": "6 weeks"}
    return {**defects, "latent": often, "owners": own, "noticing": {"reports": [1, 3]}}


def at_full_strength(levers: Any) -> Any:
    """Return the catalogue's levers, each with all of its effect; two practices wait for each other."""
    one = {"reach": 1.0, "adherence": 1.0, "effect": 1.0}
    full = {name: {**lever, **one} for name, lever in levers["levers"].items()}
    full["wait_for_others"] = {**full["wait_for_others"], "acts": [{"on": "together", "full": 2}]}
    return {**levers, "levers": full}


@cache
def settings() -> dict[str, Any]:
    """Return the world in which everything happens."""
    topology = load_yaml(ROOT / "topologies" / "minimal.yaml").data
    specialist = next(o for o in topology["organisations"] if o["kind"] == "specialist")
    specialist["id"] = "specialist"
    for service in topology["organisations"][0]["services"]:
        service["staff"] = 3 if service["kind"] == "referral_intake" else service["staff"]
    faults = catalogue("faults", "faults_aging")
    faults["addresses"] |= {"patients_change_gp": "60 %", "doctors_leave_per_year": 1.0}
    return {
        "topology": topology,
        "channels": catalogue("channels", "channels"),
        "faults": faults,
        "defects": a_lot_of(catalogue("defects", "defects")),
        "people": catalogue("people", "people"),
        "levers": at_full_strength(catalogue("levers", "levers")),
        "outages": [{"relay": relay, "per_year": 20, "lasts": "12 h"} for relay in RELAYS],
        "adoption": ADOPTION,
        "view": "transition",
        "start": "2024-01-01",
        "days": 364,
    }


def lived(made: Plan) -> tuple[Rows, Counter[Any]]:
    """Return a plan's journal, and how often each command was given, and to which dial or pace."""
    given: Counter[Any] = Counter()
    real = Mail.command

    def counted(mail: Mail, kind: CommandKind, a: int = 0, b: int = 0, **about: int) -> None:
        given[kind] += 1
        if kind in {CommandKind.set_dial, CommandKind.set_pace}:
            given[kind, a if kind == CommandKind.set_dial else b] += 1
        real(mail, kind, a, b, **about)

    with patch.object(Mail, "command", counted):
        return rows_of(made), given


@cache
def living(*levers: str) -> tuple[Plan, Rows, Counter[Any]]:
    """Return the plan of the year with some levers, its journal, and how often commands were given."""
    pathways = [catalogue("pathways", name) for name in names("pathways")]
    made = plan(*pathways, **settings(), use_levers=list(levers))
    return made, *lived(made)


def number(rows: Rows, event: Event) -> int:
    return int((rows["event"] == event).sum())


def found(rows: Rows, way: FoundBy) -> int:
    return int(((rows["event"] == Event.found) & (rows["attempt"] == way)).sum())


# --- every process ---------------------------------------------------------------------------------


def test_a_year_meets_every_event_of_the_world() -> None:
    _, rows, _ = living()
    for event in OF_THE_WORLD:
        assert number(rows, event) > 0, event.name


def test_each_process_of_the_world_commands_the_mail() -> None:
    _, rows, given = living()
    told = {
        CommandKind.set_adoption: "roll_out", CommandKind.set_relay: "outage",
        CommandKind.set_staff: "staffing", CommandKind.set_pace: "keep_pace",
        CommandKind.set_owner: "owners", CommandKind.set_address: "doctors_leave",
        CommandKind.activate_defect: "defect", CommandKind.mend_defect: "defect", CommandKind.note: "all",
    }  # fmt: skip
    for command, story in told.items():
        assert given[command] > 0, story
    assert all(given[CommandKind.set_pace, int(what)] > 0 for what in Pace)
    levels = rows["attempt"][rows["event"] == Event.defect_escalated]
    assert set(levels.tolist()) == {1, 2, 3, 4, 5}


def test_every_class_of_defect_strikes_and_every_one_can_be_believed() -> None:
    made, rows, _ = living()
    kinds = {d["kind"] for d in made.header["defects"]}
    of = np.array([d["kind"] for d in made.header["defects"]])
    hit = set(of[rows["defect"][(rows["event"] == Event.authored) & (rows["defect"] >= 0)]].tolist())
    assert hit == kinds == {kind["id"] for kind in catalogue("defects", "defects")["latent"]}
    believed = set(of[rows["defect"][rows["event"] == Event.defect_believed]].tolist())
    assert believed == kinds


@pytest.mark.parametrize(("searched", "missed", "given"), [(1, 0, True), (0, 1, True), (0, 0, False)])
def test_a_list_gets_an_owner_if_somebody_searches_or_misses_what_lies_there(
    searched: int, missed: int, given: bool
) -> None:
    owners = {**settings()["defects"]["owners"], "search_every": "2 weeks" if searched else None}
    blind: dict[str, Any] = {"found_by": {}, "audit": None, "addresses": None}
    more = {
        "defects": {**settings()["defects"], "owners": owners, "latent": []},
        "faults": {**settings()["faults"], **({} if missed else blind)},
        "days": 200,
    }
    pathways = [catalogue("pathways", name) for name in ("gp_referral", "laboratory_results")]
    rows = rows_of(plan(*pathways, **{**settings(), **more}))
    assert number(rows, Event.owner_lost) > 0
    assert (number(rows, Event.owner_given) > 0) is given


# --- every lever -----------------------------------------------------------------------------------


def test_the_levers_here_are_those_of_the_catalogue() -> None:
    assert set(LEVERS) == set(catalogue("levers", "levers")["levers"])


@pytest.mark.parametrize("lever", LEVERS)
def test_each_lever_is_really_hit(lever: str) -> None:
    """What only this lever brings about is there, and is not in a year without it."""
    base, calm, _ = living()
    made, rows, given = living(lever)
    phoned = (rows["event"] == Event.sent) & (rows["channel"] == Channel.phone)
    silent = (rows["fault"] == Fault.unwatched) & (rows["state"] == State.silent)

    def mean_life(of: Plan, journal: Rows) -> float:
        del of
        taken = [journal[journal["event"] == e] for e in (Event.defect_believed, Event.defect_escalated)]
        last = {int(r["defect"]): float(r["time"]) for r in taken[1] if r["attempt"] == 5}
        begun = {int(r["defect"]): float(r["time"]) for r in taken[0]}
        both = [last[d] - begun[d] for d in last]
        return float(np.mean(both))

    hits: dict[str, Any] = {
        "more_testing": lambda: number(rows, Event.defect_began) < 0.8 * number(calm, Event.defect_began),
        "better_training": lambda: sum(p[3] for p in made.world.pace) < sum(p[3] for p in base.world.pace),
        "wait_for_others": lambda: _lives(made) != _lives(base),
        "simpler_to_use": lambda: (
            all(given[CommandKind.set_pace, int(what)] > 0 for what in Pace)
            and _median_hours(rows) < _median_hours(calm)
        ),
        "address_clean_up": lambda: (
            given[CommandKind.set_dial, DIAL_STALE] == 1
            and given[CommandKind.set_dial, int(Fault.misaddressed)] == 1
            and _struck(rows, Fault.misaddressed) < _struck(calm, Fault.misaddressed)
        ),
        "owner_for_every_list": lambda: (
            number(rows, Event.owner_lost) < number(calm, Event.owner_lost)
            and not silent[rows["time"] > 28 * 24].any()
        ),
        "reconciliation": lambda: (
            found(rows, FoundBy.reconciliation) > 100
            and given[CommandKind.set_dial, DIAL_WAY + FoundBy.reconciliation] > 0
        ),
        "phone_confirmation": lambda: (
            found(rows, FoundBy.phone_confirmation) > 0
            and given[CommandKind.set_dial, DIAL_WAY + FoundBy.phone_confirmation] > 0
        ),
        "faster_escalation": lambda: mean_life(made, rows) < 0.7 * mean_life(base, calm),
        "more_intake_staff": lambda: (
            given[CommandKind.set_staff] > 0 and _most(made, rows, "referral_intake")
        ),
        "paper_fallback": lambda: phoned.any() and given[CommandKind.set_dial, DIAL_FALLBACK] == 1,
    }
    assert hits[lever]()
    assert found(calm, FoundBy.reconciliation) == found(calm, FoundBy.phone_confirmation) == 0
    assert not ((calm["event"] == Event.sent) & (calm["channel"] == Channel.phone)).any()


def _lives(of: Plan) -> list[tuple[float, str]]:
    return [(life.at_hours, life.organisation) for life in of.world.go_lives]


def _median_hours(rows: Rows) -> float:
    taken = rows[(rows["event"] == Event.taken) & (rows["hours"] > 0) & (rows["time"] > 200 * 24)]
    return float(np.median(taken["hours"]))


def _struck(rows: Rows, fault: Fault) -> int:
    return int(((rows["event"] == Event.received) & (rows["fault"] == fault)).sum())


def _most(of: Plan, rows: Rows, kind: str) -> bool:
    """Return whether more than the usual number of people are at work at once at a kind of service."""
    services = [k for k, s in enumerate(of.header["services"]) if s["kind"] == kind]
    at_work, most = Counter[int](), 0
    about = rows[np.isin(rows["service"], services) & np.isin(rows["event"], [Event.taken, Event.done])]
    for row in about:
        at_work[int(row["service"])] += 1 if row["event"] == Event.taken else -1
        most = max(most, at_work[int(row["service"])])
    return most > 3


# --- everything off --------------------------------------------------------------------------------


def test_with_everything_off_nothing_of_the_world_happens() -> None:
    pathways = [catalogue("pathways", name) for name in names("pathways")]
    made = plan(
        *pathways,
        topology=settings()["topology"],
        channels=settings()["channels"],
        faults=catalogue("faults", "faults"),
        defects=catalogue("defects", "defects_none"),
        people=catalogue("people", "people_plain"),
        levers=catalogue("levers", "levers"),
        adoption=QUIET,
        days=364,
    )
    rows, given = lived(made)
    assert not given
    assert not np.isin(rows["event"], [int(event) for event in OF_THE_WORLD]).any()
    assert (rows["defect"] == -1).all()
    assert found(rows, FoundBy.reconciliation) == found(rows, FoundBy.phone_confirmation) == 0
    assert found(rows, FoundBy.command) == 0
