"""Files on routing: what they may say, what is refused, and what becomes of them in hours and numbers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from flowsim.catalogue import catalogue_path
from flowsim.config.kinds import kind_of
from flowsim.config.loading import load, load_yaml
from flowsim.config.rules_file import MonitorFile
from flowsim.config.schema import RoutingFile
from flowsim.errors import FaultsInFile
from flowsim.experiment.checks import check_file
from flowsim.experiment.routing import resolve_routing, routing_faults
from flowsim.monitor.incidents import Incidents
from flowsim.vocabulary import Channel, Fault, Level, MessageKind, Party, RuleKind
from tests.alerts import DIRECTORY, RULES, alert, stream

START = date(2024, 3, 25)  # the Monday before Easter
EASTER = (date(2024, 3, 28), date(2024, 3, 29), date(2024, 4, 1))
ROUTING = """
basis: {source: Invented for tests., certainty: assumed}
calendars:
  office: {days: [monday, tuesday, wednesday, thursday, friday], hours: ["12:00-16:00", "08:00-11:00"]}
owners:
  desk: {calendar: office}
  chief: {}
routes:
  - {messages: [referral], severity: 2, to: [{owner: desk, within: 4 h}, {owner: chief}]}
  - {rules: [count], to: [{owner: chief}]}
  - to: [{owner: desk}]
downtime:
  - {id: upgrade, begins: 2024-03-26 22:00, ends: 2024-03-27 06:00, channels: [platform]}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "routing.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("owner: desk,", "owner: dsk,", "names no owner 'dsk' that there is. Did you mean 'desk'?"),
        ("calendar: office", "calendar: ofice", "Did you mean 'office'?"),
        ("within: 4 h", "within: 0 h", "needs a within longer than nothing"),
        ("desk, within: 4 h", "desk", "the next in line is never asked"),
        ("messages: [referral]", "messages: [referal]", "Did you mean 'referral'?"),
        ("severity: 2", "severity: 5", "at most 4"),
        ("to: [{owner: chief}]", "to: []", "at least 1"),
        ("ends: 2024-03-27", "ends: 2024-03-26", "before it begins"),
        ("2024-03-26 22:00", "next week", "a date and time"),
        ("2024-03-26 22:00", "2024-03-26T22:00:00Z", "without a zone"),
        ('days: [monday, tuesday, wednesday, thursday, friday], hours: ["12:00-16:00", "08:00-11:00"]',
         "every: 24 h", "owners need hours of work"),
        ("routes:", "rutes:", "Did you mean 'routes'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_file_and_what_is_meant(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in ROUTING
    with pytest.raises(FaultsInFile) as caught:
        load(written(tmp_path, ROUTING.replace(old, new, 1)), RoutingFile)
    assert told in str(caught.value) and "routing.yaml:" in str(caught.value)


def test_words_become_hours_routes_and_downtime(tmp_path: Path) -> None:
    routing = resolve_routing(load(written(tmp_path, ROUTING), RoutingFile), START, EASTER)
    desk = routing.hours["desk"]
    assert desk.add(8.0, 4.0) == 13.0  # over the break at noon
    assert desk.add(2 * 24 + 15.0, 2.0) == 8 * 24 + 9.0  # over Easter, to Tuesday
    assert routing.hours["chief"].add(5.0, 30.0) == 35.0
    assert routing.routes[0].messages == {MessageKind.referral}
    assert (routing.downtime[0].begins, routing.downtime[0].ends) == (46.0, 54.0)
    assert routing.downtime[0].channels == {Channel.platform}
    assert routing.reopen_within == 14 * 24.0


def test_the_first_route_that_fits_wins(tmp_path: Path) -> None:
    routing = resolve_routing(load(written(tmp_path, ROUTING), RoutingFile), START, EASTER)
    incidents = Incidents(DIRECTORY, RULES, routing)
    owners = {
        name: incidents.take(row)[0].owner
        for name, row in {
            "severe referral": alert(key=1, urgency=1, raised=5.0),
            "other referral": alert(key=2, template=1, raised=5.0),
            "count": stream(message=MessageKind.lab_order, raised=5.0),
        }.items()
    }
    assert owners == {"severe referral": "desk", "other referral": "desk", "count": "chief"}
    assert [each.due for each in incidents.open() if each.severity == 1] == [13.0]


def test_the_shipped_routing_is_known_as_such_and_names_rules_that_are_shipped() -> None:
    path = catalogue_path("routing", "routing")
    assert kind_of(load_yaml(path)) == "routing"
    assert check_file(path).summary.startswith("routing: ")
    rules = load(catalogue_path("monitor", "rules"), MonitorFile)
    assert routing_faults(load_yaml(path), load(path, RoutingFile), rules) == []


def test_a_route_for_a_rule_that_is_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, ROUTING.replace("rules: [count]", "rules: [emision]"))
    rules = load(catalogue_path("monitor", "rules"), MonitorFile)
    (found,) = routing_faults(load_yaml(path), load(path, RoutingFile), rules)
    assert found.line == 10 and "Did you mean 'emission'?" in str(found)


def test_every_incident_has_an_owner_in_the_shipped_routing() -> None:
    routing = resolve_routing(load(catalogue_path("routing", "routing"), RoutingFile), START, EASTER)
    incidents = Incidents(DIRECTORY, RULES, routing)
    for rule in range(len(RULES)):
        for level in Level:
            for receiver in range(-1, 3):
                for key in (0, 1):
                    row = alert(rule, key, receiver=receiver, level=level, subject=key)
                    assert all(each.owner for each in incidents.take(row))
    assert len(incidents.all()) > len(RULES)
    assert {each.kind for each in incidents.all()} <= set(RuleKind)
    assert {each.receiver_party for each in incidents.all()} >= {Party.hospital, None}
    assert Fault.not_emitted in {fault for each in incidents.all() for fault in each.guess}
