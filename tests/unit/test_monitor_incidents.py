"""Alerts become incidents: what is one, what it counts, who has it, and what survives a restart."""

from __future__ import annotations

import csv
import io
import json
import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flowsim.catalogue import catalogue_path
from flowsim.config.loading import load
from flowsim.config.schema import MonitorFile, RoutingFile
from flowsim.errors import OutputConflict, UsageError
from flowsim.experiment.incident_overview import incident_table
from flowsim.labels import LANGUAGES, load_labels
from flowsim.monitor.incidents import Incidents, exit_code
from flowsim.monitor.outputs import INCIDENT_COLUMNS, incident_row, summary, write_csv, write_json_lines
from flowsim.monitor.records import Incident
from flowsim.monitor.routing import Downtime, Routing, severity
from flowsim.monitor.store import VERSION, Store
from flowsim.units import Clock
from flowsim.vocabulary import Channel, Fault, IncidentState, Level, MessageKind, Party, RuleKind, Verdict
from tests.alerts import (
    COUNT,
    DIRECTORY,
    HEARD,
    INTAKE,
    OFFICE,
    OPENED_ROUTINE,
    OPENED_URGENT,
    PATIENTS,
    ROUTING,
    RULES,
    START,
    alert,
    alerts,
    stream,
)

NEW, SEEN, EXPLAINED, CLOSED = IncidentState


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Give a function that opens the state of a monitor, again and again."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Store(tmp_path / "state.db")))


def incidents(routing: Routing = ROUTING, store: Store | None = None) -> Incidents:
    return Incidents(DIRECTORY, RULES, routing, store)


def taken(*rows: Any) -> list[Incident]:
    return incidents().take(alerts(*rows))


# --- what is one incident -------------------------------------------------------------------------------


def test_alerts_of_one_defect_are_one_incident_with_a_growing_count() -> None:
    found = incidents()
    (first,) = found.take(alerts(alert(key=1), alert(key=2)))
    (second,) = found.take(alerts(alert(key=3, raised=60.0)))
    assert (first.id, first.count) == (second.id, 2)
    assert (second.count, second.first_since, second.raised, second.last) == (3, 40.0, 50.0, 60.0)
    assert (second.rule, second.kind, second.guess) == ("emission", RuleKind.response, (Fault.not_emitted,))
    assert (second.sender, second.receiver, second.template) == ("gp", "intake", "referral/refer")
    assert (second.message, second.channel) == (MessageKind.referral, Channel.edi)
    assert (second.sender_party, second.receiver_party) == (Party.gp, Party.hospital)
    assert found.keys(second.id) == (1, 2, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"sender": INTAKE},
        {"receiver": PATIENTS},
        {"template": 1},
        {"channel": Channel.platform},
        {"message": MessageKind.lab_order},
        {"rule": OPENED_URGENT},
    ],
)
def test_another_way_template_receiver_or_class_is_another_incident(change: dict[str, int]) -> None:
    assert len(taken(alert(key=1), alert(**{"key": 2, **change}))) == 2


def test_rules_that_one_rule_of_a_file_stands_for_share_an_incident() -> None:
    (found,) = taken(alert(OPENED_URGENT, 1), alert(OPENED_ROUTINE, 2))
    assert (found.rule, found.count) == ("opened", 2)


def test_soft_and_hard_alert_of_one_message_count_once_and_the_incident_is_hard() -> None:
    (found,) = taken(alert(level=Level.soft), alert(raised=60.0, since=40.0, level=Level.hard))
    assert (found.count, found.level) == (1, Level.hard)


def test_alerts_of_a_stream_are_an_incident_by_stream_and_add_up() -> None:
    found = taken(
        stream(count=5),
        stream(count=7, raised=90.0),
        stream(sender=INTAKE, count=2),
        stream(HEARD, count=0),
    )
    assert sorted(each.count for each in found) == [1, 2, 12]


def test_the_count_of_a_spell_is_the_most_that_was_told_of_it() -> None:
    found = incidents()
    found.take(stream(count=5))
    assert found.take(stream(count=7, since=40.0))[0].count == 7
    assert found.take(stream(count=2)) == [] and found.all()[0].count == 7


def test_the_same_alert_twice_counts_once_and_is_no_news() -> None:
    found = incidents()
    found.take(alerts(alert(), stream()))
    assert found.take(alerts(alert(), stream())) == []
    assert sorted(each.count for each in found.all()) == [1, 5]


def test_an_alert_that_recovers_is_noted_and_never_deleted() -> None:
    found = incidents()
    found.take(alerts(alert(key=1), alert(key=2)))
    (after,) = found.take(alerts(alert(key=1, recovered=70.0)))
    assert (after.count, after.recovered, after.outstanding) == (2, 1, 1)
    # An older version of the alert does not take it back.
    assert found.take(alerts(alert(key=1))) == []
    assert found.all()[0].recovered == 1


def test_a_message_has_come_after_all_only_when_each_of_its_alerts_has() -> None:
    found = incidents()
    soft, hard = alert(level=Level.soft), alert(raised=60.0, since=40.0)
    found.take(alerts(soft, hard))
    soft["recovered"] = 65.0
    assert found.take(soft)[0].recovered == 0
    hard["recovered"] = 65.0
    assert found.take(hard)[0].recovered == 1


def test_a_verdict_that_could_not_be_given_is_counted_apart() -> None:
    found = incidents()
    unclear = alert(verdict=Verdict.inconclusive)
    assert found.take(unclear) == [] and found.take(unclear) == []
    assert found.all() == [] and found.inconclusive == {"emission": 1}


# --- severity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "urgency", "expected"),
    [
        (Level.hard, 0, 1),
        (Level.hard, 1, 1),
        (Level.hard, 2, 2),
        (Level.hard, 3, 3),
        (Level.hard, 255, 3),
        (Level.hard, None, 2),
        (Level.soft, 0, 2),
        (Level.soft, 2, 3),
        (Level.soft, 3, 4),
        (Level.soft, None, 4),
    ],
)
def test_severity_follows_level_and_urgency(level: Level, urgency: int | None, expected: int) -> None:
    assert severity(level, urgency) == expected


def test_an_incident_is_as_severe_as_its_most_severe_alert() -> None:
    (found,) = taken(alert(key=1, urgency=3), alert(key=2, urgency=1), alert(key=3, urgency=3))
    assert found.severity == 1


# --- owners ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "hours", "expected"),
    [
        (24.0, 2.0, 34.0),  # Tuesday midnight: from 8 o'clock
        (24 + 10.0, 4.0, 24 + 14.0),
        (24 + 15.0, 2.0, 48 + 9.0),  # over the night
        (4 * 24 + 15.0, 2.0, 7 * 24 + 9.0),  # Friday afternoon: over the weekend
        (0.0, 1.0, 24 + 9.0),  # New Year's Day is closed
        (24.0, 8.0, 40.0),  # to the very end of the day
    ],
)
def test_working_hours_are_counted_when_the_office_is_open(at: float, hours: float, expected: float) -> None:
    assert OFFICE.add(at, hours) == expected


def test_an_office_that_never_opens_never_gets_there_and_holidays_may_be_sundays() -> None:
    never = replace(OFFICE, spans=((),) * 7)
    assert never.add(0.0, 1.0) == math.inf
    sundays = replace(OFFICE, on_holidays="as_sunday", spans=(*OFFICE.spans[:6], ((10.0, 12.0),)))
    assert sundays.add(0.0, 1.0) == 11.0
    assert replace(OFFICE, on_holidays="as_usual").add(0.0, 1.0) == 9.0


def test_the_first_route_that_fits_says_who_owns_an_incident_and_until_when() -> None:
    found = incidents()
    severe, plain = found.take(alerts(alert(key=1, urgency=1), alert(key=2, template=1)))
    assert (severe.owner, severe.due) == ("desk", 54.0)
    assert (plain.owner, plain.due) == ("office", 2 * 24 + 16.0)  # a working day from Wednesday 08:00


def test_the_next_owner_is_asked_when_nobody_acknowledges_in_working_hours() -> None:
    found = incidents()
    found.take(alert(urgency=1))  # Wednesday 02:00; desk until 06:00, chief for 8 office hours
    assert found.tick(53.9) == []
    (moved,) = found.tick(54.0)
    assert (moved.owner, moved.due) == ("chief", 64.0)
    assert found.tick(60.0) == []
    (last,) = found.tick(64.0)
    assert (last.owner, last.due) == ("board", math.inf)


def test_whoever_acknowledges_keeps_it_and_nobody_else_is_asked() -> None:
    found = incidents()
    (first,) = found.take(alert(urgency=1))
    seen = found.set_state(first.id, SEEN, 52.0, by="desk")
    assert (seen.state, seen.owner, seen.due) == (SEEN, "desk", math.inf)
    assert found.tick(1000.0) == []
    assert found.open()[0].owner == "desk"


def test_without_a_route_nobody_owns_it() -> None:
    (found,) = incidents(Routing(START)).take(alert())
    assert (found.owner, found.due) == ("", math.inf)


# --- states ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [SEEN, EXPLAINED])
def test_an_incident_that_is_known_stays_quiet_but_counts_on(state: IncidentState) -> None:
    found = incidents()
    (first,) = found.take(alert(key=1))
    found.set_state(first.id, state, 55.0)
    assert found.take(alert(key=2, raised=60.0)) == []
    assert (found.all()[0].count, found.all()[0].state) == (2, state)


def test_an_acknowledged_incident_is_told_again_when_it_becomes_hard_an_explained_one_is_not() -> None:
    for state, told in ((SEEN, 1), (EXPLAINED, 0)):
        found = incidents()
        (first,) = found.take(alert(key=1, level=Level.soft))
        found.set_state(first.id, state, 55.0)
        assert len(found.take(alert(key=2, raised=60.0))) == told


def test_a_closed_incident_opens_again_soon_after_and_later_a_new_one_begins() -> None:
    found = incidents()
    (first,) = found.take(alert(key=1, raised=50.0))
    found.set_state(first.id, CLOSED, 100.0)
    assert found.open() == []
    (again,) = found.take(alert(key=2, raised=100.0 + ROUTING.reopen_within))
    assert (again.id, again.count, again.reopened, again.state) == (first.id, 2, 1, NEW)
    assert again.owner == "office" and again.due > again.last  # asked anew
    found.set_state(first.id, CLOSED, 500.0)
    (second,) = found.take(alert(key=3, raised=501.0 + ROUTING.reopen_within))
    assert second.id != first.id and second.count == 1
    assert len(found.all()) == 2


def test_what_was_raised_before_it_was_closed_belongs_to_the_closed_one() -> None:
    found = incidents()
    (first,) = found.take(alert(key=1))
    found.set_state(first.id, CLOSED, 100.0)
    assert found.take(alerts(alert(key=1), alert(key=2, raised=90.0), alert(key=1, recovered=120.0))) == []
    (after,) = found.all()
    assert (after.state, after.count, after.recovered) == (CLOSED, 2, 1)


def test_what_comes_after_all_of_an_older_incident_is_noted_there() -> None:
    found = incidents()
    (first,) = found.take(alert(key=1))
    found.set_state(first.id, CLOSED, 100.0)
    (second,) = found.take(alert(key=2, raised=101.0 + ROUTING.reopen_within))
    assert found.take(alert(key=1, recovered=900.0)) == []
    recovered = {each.id: each.recovered for each in found.all()}
    assert recovered == {first.id: 1, second.id: 0}


def test_an_unknown_incident_is_told_with_the_nearest() -> None:
    found = incidents()
    (first,) = found.take(alert())
    with pytest.raises(UsageError, match=f"Did you mean '{first.id}'"):
        found.set_state(first.id[:-1] + "7", CLOSED, 60.0)


# --- planned downtime -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "held"),
    [
        (Downtime("stop", 30.0, 60.0), 1),
        (Downtime("stop", 41.0, 60.0), 0),  # it began before
        (Downtime("stop", 30.0, 47.0), 0),  # it was due after
        (Downtime("stop", 30.0, 60.0, channels=frozenset([Channel.edi])), 1),
        (Downtime("stop", 30.0, 60.0, channels=frozenset([Channel.platform])), 0),
        (Downtime("stop", 30.0, 60.0, units=frozenset(["intake"])), 1),
        (Downtime("stop", 30.0, 60.0, units=frozenset(["patients"])), 0),
        (Downtime("stop", 30.0, 60.0, rules=frozenset(["emission"])), 1),
        (Downtime("stop", 30.0, 60.0, rules=frozenset(["opened"])), 0),
    ],
)
def test_alerts_inside_a_planned_downtime_are_held_and_counted(window: Downtime, held: int) -> None:
    found = incidents(replace(ROUTING, downtime=(window,)))
    told = found.take(alerts(alert(), alert()))
    assert (len(told), found.held["stop"]) == (1 - held, held)


# --- restart --------------------------------------------------------------------------------------------


def test_states_survive_a_restart(tmp_path: Path, state: Callable[[], Store]) -> None:
    window = Downtime("stop", 700.0, 800.0)
    routing = replace(ROUTING, downtime=(window,))
    first = incidents(routing, state())
    first.take(alerts(alert(key=1), alert(key=2, template=1), stream(), alert(key=5, raised=790.0)))
    first.set_state(first.all()[0].id, SEEN, 60.0, by="desk", note="looking")
    letter = next(each.id for each in first.all() if each.template == "letter/letter")
    first.set_state(letter, CLOSED, 60.0)
    first.take(alert(key=9, template=1, raised=70.0))
    first.tick(900.0)
    assert [each.reopened for each in first.all()].count(1) == 1
    again = incidents(routing, state())
    assert again.all() == first.all() and again.now == first.now and again.held == first.held == {"stop": 1}
    assert again.take(alerts(alert(key=1), alert(key=2, template=1), stream())) == []
    assert again.keys(again.all()[-1].id) == first.keys(first.all()[-1].id)
    with closing(sqlite3.connect(tmp_path / "state.db")) as database:
        history = database.execute("SELECT state, who, note FROM history").fetchall()
    assert history == [("acknowledged", "desk", "looking"), ("closed", "", "")]


def test_a_log_that_begins_on_another_day_finds_its_incidents_again(state: Callable[[], Store]) -> None:
    first = incidents(store=state())
    (told,) = first.take(alert(key=1))
    later = replace(ROUTING, start=START + timedelta(days=1))
    again = incidents(later, state())
    assert again.take(alert(key=1, raised=26.0)) == []  # the same alert, counted from the next day
    assert again.all()[0].id == told.id and again.all()[0].raised == 26.0
    back = incidents(store=state())
    assert back.all()[0].raised == 50.0


def test_a_file_that_is_no_state_is_refused_in_words(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("Some notes that are no database, but long enough to be taken for one." * 20)
    with pytest.raises(OutputConflict, match=r"notes\.txt cannot be read as the state of a monitor"):
        Store(text)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE birds (name TEXT)")
    with pytest.raises(OutputConflict, match=r"other\.db is a database of something else"):
        Store(other)
    assert text.read_text().startswith("Some notes")
    with pytest.raises(OutputConflict, match="cannot be read"):
        Store(tmp_path / "nowhere" / "state.db")


def test_a_state_of_a_later_version_is_refused(tmp_path: Path, state: Callable[[], Store]) -> None:
    path = tmp_path / "state.db"
    incidents(store=state())
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE version SET version = ?", (VERSION + 1,))
    with pytest.raises(OutputConflict, match="later flowsim"):
        Store(path)


# --- outputs --------------------------------------------------------------------------------------------


def test_the_exit_code_tells_of_hard_incidents_that_are_open() -> None:
    found = incidents()
    assert exit_code(found.all()) == 0
    (first,) = found.take(alert(level=Level.soft))
    assert exit_code(found.all()) == 0
    found.take(alert(raised=60.0, since=40.0))
    assert exit_code(found.all()) == 10 == exit_code(found.open(Level.hard))
    assert found.open(Level.soft) == []
    for state, code in ((SEEN, 10), (EXPLAINED, 0), (NEW, 10), (CLOSED, 0)):
        found.set_state(first.id, state, 70.0)
        assert exit_code(found.all()) == code


def test_what_came_after_all_is_no_open_hard_incident() -> None:
    found = incidents()
    found.take(alert())
    found.take(alert(recovered=70.0))
    assert found.open() and exit_code(found.all()) == 0


def test_incidents_are_written_as_lines_of_json_and_as_a_table() -> None:
    found = incidents()
    found.take(
        alerts(alert(key=1), alert(key=2), stream(HEARD, sender=-1, receiver=-1, message=0, channel=0))
    )
    lines, table = io.StringIO(), io.StringIO()
    write_json_lines(found.all(), Clock(START), lines)
    write_csv(found.all(), Clock(START), table)
    plain = [json.loads(line) for line in lines.getvalue().splitlines()]
    rows = list(csv.DictReader(io.StringIO(table.getvalue())))
    assert [list(each) for each in plain] == [list(INCIDENT_COLUMNS)] * 2 == [list(each) for each in rows]
    message = next(each for each in plain if each["message"])
    assert message["raised"] == "2024-01-03T02:00:00" and message["guess"] == ["not_emitted"]
    assert (message["level"], message["state"], message["count"]) == ("hard", "new", 2)
    silent = next(each for each in plain if not each["message"])
    assert (silent["sender"], silent["channel"], silent["rule"]) == ("", None, "heard")
    assert {row["count"] for row in rows} == {"2", "5"}


def test_an_id_that_looks_like_a_formula_is_none_in_a_spreadsheet() -> None:
    (found,) = taken(alert())
    table = io.StringIO()
    write_csv([replace(found, sender="=1+1")], Clock(START), table)
    assert "'=1+1" in table.getvalue()
    assert incident_row(replace(found, due=math.inf), Clock(START))["due"] is None


def test_the_summary_counts_what_there_is() -> None:
    found = incidents()
    found.take(alerts(alert(key=1), alert(key=2, recovered=70.0), stream(COUNT, count=4, level=Level.soft)))
    assert summary(found.all()) == {
        "incidents": 2,
        "open": 2,
        "open_hard": 1,
        "count": 6,
        "recovered": 1,
    }


def test_no_alerts_change_nothing() -> None:
    found = incidents()
    assert found.take(alerts()) == [] and found.take(alert()[:0]) == []


@pytest.mark.parametrize(("language", "word"), [("en", "ordered, not sent"), ("nb", "bestilt, ikke sendt")])
def test_incidents_are_shown_in_words_the_most_severe_first(language: str, word: str) -> None:
    found = incidents()
    rows = [alert(key=1), alert(key=2, template=1, urgency=1), stream(count=3), alert(key=1, recovered=70.0)]
    found.take(alerts(*rows))
    labels = load_labels(language)
    lines = incident_table(found.all(), Clock(START), labels).splitlines()
    assert [line[0] for line in lines[1:4]] == ["1", "2", "3"]
    assert word in lines[1] and "gp → intake" in lines[1] and "1 (1)" in lines[3]
    assert lines[-1].startswith("3 ")
    cut = incident_table(found.all(), Clock(START), labels, most=1).splitlines()
    assert len(cut) == 4 and "2" in cut[2]


def test_every_shipped_rule_and_owner_has_words_and_stands_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "monitor.md").read_text(encoding="utf-8")
    rules = [rule.id for rule in load(catalogue_path("monitor", "rules"), MonitorFile).rules]
    owners = list(load(catalogue_path("routing", "routing"), RoutingFile).owners)
    for language in LANGUAGES:
        tables = load_labels(language).tables
        assert set(tables["monitor_rule"]) == set(rules) and set(tables["owner"]) == set(owners)
    assert [name for name in rules if f"`{name}`" not in page] == []
