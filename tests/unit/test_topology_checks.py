"""Each check tells its finding, with the offender and the mend; loads are the sums they claim to be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowsim.config.loading import load_yaml, validate
from flowsim.config.schema import PathwayFile, TopologyFile
from flowsim.config.topology_file import OpeningHours
from flowsim.topology import (
    build,
    check_pathway,
    check_topology,
    in_document,
    load_per_service,
    load_table,
    mean_hours,
    warn,
)
from flowsim.topology.checks import CHECKS
from flowsim.topology.load import cases_at_opening, cases_per_week, open_hours_per_week
from flowsim.topology.pathway_checks import CHECKS as PATHWAY_CHECKS
from flowsim.topology.walks import expected_visits, reminders

File = dict[str, Any]

OFFICE = {"days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "hours": ["08:00-16:00"]}
TOPOLOGY: File = {
    "name": "Test",
    "basis": {"source": "invented", "certainty": "assumed"},
    "inhabitants": 5200,
    "calendars": {"office": {**OFFICE, "holidays": "as_usual"}},
    "relays": [
        {"id": "record", "kind": "platform"},
        {"id": "gateway", "kind": "gateway"},
        {"id": "broker", "kind": "broker"},
        {"id": "client", "kind": "message_client"},
    ],
    "organisations": [
        {
            "id": "hospital",
            "kind": "hospital",
            "on_platform": True,
            "services": [
                {
                    "id": "intake",
                    "kind": "referral_intake",
                    "area": "heart",
                    "staff": 1,
                    "calendar": "office",
                },
                {"id": "clinic", "kind": "clinic", "staff": 1, "calendar": "office", "slots_per_week": 20},
                {"id": "ward", "kind": "ward", "staff": 1, "places": 4},
            ],
        },
        {
            "id": "town",
            "kind": "municipality",
            "message_client": "client",
            "error_queue": {"staff": 1, "calendar": "office", "minutes": "5 min", "ignored": 0},
            "services": [{"id": "nurses", "kind": "home_nursing", "area": "north", "staff": 1}],
        },
    ],
    "practice_template": {"message_client": "client", "staff_per_gp": 0.5, "calendar": "office"},
    "practices": [
        {"id": "one", "gps": 2, "patients": 3000, "municipality": "town"},
        {"id": "two", "gps": 1, "patients": 1000, "municipality": "town"},
    ],
}

PATHWAY: File = {
    "id": "referral",
    "label": "Referral",
    "basis": {"source": "invented", "certainty": "assumed"},
    "starts": {
        "at": "gp_office",
        "arrivals": {"per_year": 0.26, "per": "listed_patient"},
        "urgency": {"urgent": 0.25, "routine": 0.75},
        "areas": {"heart": 2.0},
    },
    "steps": [
        {"id": "send", "do": "send", "message": "referral", "sender": "origin", "to": "referral_intake"},
        {"id": "assess", "do": "work", "service": "referral_intake", "minutes": "30 min", "search": "15 min"},
        {
            "id": "sort", "do": "branch",
            "choices": [
                {"share": 0.5, "go": "visit"}, {"share": 0.5, "go": "no"},
                {"share": 1.0, "go": "visit", "urgency": ["urgent"]},
            ],
        },
        {"id": "visit", "do": "place", "service": "clinic", "hold": "1 h"},
        {
            "id": "note", "do": "send", "message": "outpatient_note", "sender": "clinic", "to": "origin",
            "copies": ["home_nursing"], "waits": False, "reading": "6 min",
        },
        {"id": "no", "do": "end"},
    ],
}  # fmt: skip


def topology(edit: Callable[[File], object] = lambda _: None) -> TopologyFile:
    data = copy.deepcopy(TOPOLOGY)
    edit(data)
    return TopologyFile.model_validate(data)


def pathway(edit: Callable[[File], object] = lambda _: None) -> PathwayFile:
    data = copy.deepcopy(PATHWAY)
    edit(data)
    return PathwayFile.model_validate(data)


def putting(value: object, *path: str | int) -> Callable[[File], None]:
    """Return an edit that puts a value at a path."""

    def edit(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        if isinstance(data, list) and path[-1] == len(data):
            data.append(value)
        else:
            data[path[-1]] = value

    return edit


def without(*path: str | int) -> Callable[[File], None]:
    def edit(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        del data[path[-1]]

    return edit


def test_a_whole_topology_and_pathway_have_no_findings() -> None:
    region = build(topology())
    assert check_topology(topology()) == []
    assert check_pathway(region, pathway()) == []
    assert warn(region, [pathway()]) == []


PATIENTS = {"id": "patients", "kind": "patients", "services": [{"id": n, "kind": "patients"} for n in "ab"]}
SERVICES = ("organisations", 0, "services")

FINDINGS: list[tuple[str, Callable[[File], None], str, str, str]] = [
    ("duplicate_id", putting("client", "relays", 0, "id"), "relays.client.id", "second relay", "'client_2'"),
    ("duplicate_id", putting("two", "practices", 0, "id"), "practices.two.id", "called 'two'", "'two_2'"),
    ("duplicate_id", putting("one", "organisations", 0, "id"), "practices.one.id", "called 'one'", "'one_2'"),
    (
        "duplicate_id",
        putting("ward", *SERVICES, 0, "id"),
        "services.ward.id",
        "service of 'hospital'",
        "'ward_2'",
    ),
    (
        "duplicate_id",
        putting("nowhere", "practices", 0, "id"),
        "practices.nowhere.id",
        "itself",
        "'nowhere_1'",
    ),
    (
        "duplicate_id",
        putting("errors", "organisations", 1, "services", 0, "id"),
        "errors.id",
        "queue",
        "another",
    ),
    (
        "unknown_calendar",
        putting("ofice", *SERVICES, 0, "calendar"),
        "intake.calendar",
        "'ofice'",
        "'office'",
    ),
    ("unknown_calendar", putting("day", *SERVICES, 1, "slot_calendar"), "slot_calendar", "'day'", "'always'"),
    (
        "unknown_calendar",
        putting("offices", "organisations", 1, "error_queue", "calendar"),
        "organisations.town.error_queue.calendar",
        "'offices'",
        "'office'",
    ),
    (
        "unknown_calendar",
        putting("offics", "practice_template", "calendar"),
        "practice_template.calendar",
        "'offics'",
        "'office'",
    ),
    (
        "slots_without_calendar",
        without(*SERVICES, 1, "calendar"),
        "clinic.slots_per_week",
        "'hospital/clinic'",
        "slot_calendar",
    ),
    (
        "unknown_relay",
        putting("cliant", "organisations", 1, "message_client"),
        "organisations.town.message_client",
        "no relay 'cliant'",
        "'client'",
    ),
    (
        "unknown_relay",
        putting("gateway", "practice_template", "message_client"),
        "practice_template.message_client",
        "'gateway' is a gateway, not a message client",
        "'client'",
    ),
    (
        "unknown_municipality",
        putting("twon", "practices", 1, "municipality"),
        "practices.two.municipality",
        "'twon'",
        "'town'",
    ),
    (
        "unknown_municipality",
        putting(["towns"], "organisations", 0, "serves"),
        "organisations.hospital.serves[1]",
        "'towns'",
        "'town'",
    ),
    ("unknown_district", putting("nroth", "practices", 0, "district"), "one.district", "'nroth'", "'north'"),
    (
        "practices_without_template",
        without("practice_template"),
        "practices",
        "practice_template",
        "staff_per_gp",
    ),
    ("missing_relay", without("relays", 2), "relays", "kind broker", "{id: broker, kind: broker}"),
    ("missing_relay", without("relays", 0), "relays", "kind platform", "on_platform"),
    ("missing_relay", without("relays", 1), "relays", "kind gateway", "{id: gateway"),
    (
        "missing_message_client",
        without("organisations", 1, "message_client"),
        "organisations.town",
        "'town' is not on the platform",
        "message_client: client",
    ),
    (
        "missing_message_client",
        without("practice_template", "message_client"),
        "practice_template",
        "Practices have no message client",
        "message_client: client",
    ),
    (
        "several_patients",
        putting(PATIENTS, "organisations", 2),
        "patients.services.b",
        "second",
        "one is enough",
    ),
]


@pytest.mark.parametrize(("check", "edit", "path", "said", "hint"), FINDINGS)
def test_a_check_names_the_offender_and_the_mend(
    check: str, edit: Callable[[File], None], path: str, said: str, hint: str
) -> None:
    broken = topology(edit)
    assert check in [c.__name__ for c in CHECKS if list(c(broken))]
    faults = check_topology(broken)
    assert len(faults) == 1
    assert faults[0].file == "Test"
    assert faults[0].path.endswith(path)
    assert said in faults[0].message or said in faults[0].hint
    assert hint in faults[0].hint or hint in faults[0].message


def test_every_check_of_a_topology_has_a_case_that_makes_it_fire() -> None:
    assert {c.__name__ for c in CHECKS} == {finding[0] for finding in FINDINGS}


def test_a_topology_without_relays_is_whole() -> None:
    def edit(data: File) -> None:
        data["relays"] = []
        del data["practice_template"]["message_client"], data["organisations"][1]["message_client"]

    assert check_topology(topology(edit)) == []


def test_a_finding_points_at_its_line_in_the_file(tmp_path: Path) -> None:
    text = Path("topologies/minimal.yaml")
    lines = (Path(__file__).parents[2] / text).read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if "id: intake" in line)
    lines[at] = lines[at].replace("calendar: office", "calendar: offcie")
    file = tmp_path / "broken.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    document = load_yaml(file)
    (fault,) = check_topology(validate(document, TopologyFile), in_document(document))
    assert (fault.file, fault.line, fault.source_line) == (str(file), at + 1, lines[at])


def test_what_a_rule_wrote_is_checked_and_pointed_at_without_an_error() -> None:
    group = {"municipality": "twon", "number": 2, "gps": 4, "patients": 4000}
    faults = check_topology(topology(putting({"practices": [group]}, "generate")))
    assert [f.path for f in faults] == [
        "practices.practice_01.municipality",
        "practices.practice_02.municipality",
    ]


STEP = ("steps", 1)
PATHWAY_FINDINGS: list[tuple[str, Callable[[File], None], str, str, str]] = [
    (
        "unknown_service",
        putting("referal_intake", "steps", 0, "to"),
        "steps.send.to",
        "'Test'",
        "'referral_intake'",
    ),
    (
        "unknown_service",
        putting("hospital/ward_1", *STEP, "service"),
        "assess.service",
        "'assess'",
        "'hospital/ward'",
    ),
    (
        "unknown_service",
        putting(["case_office"], "steps", 4, "copies"),
        "note.copies[1]",
        "'referral'",
        "'gp_office'",
    ),
    ("unknown_service", putting("origin", "starts", "at"), "starts.at", "begin at 'origin'", "service kind"),
    (
        "area_without_service",
        putting({"eye": 1}, "starts", "areas"),
        "send.to",
        "area 'eye'",
        "There is one for heart",
    ),
    (
        "place_without_places",
        putting("home_nursing", "steps", 3, "service"),
        "visit.service",
        "'town/nurses'",
        "places",
    ),
    (
        "place_without_places",
        putting("origin", "steps", 3, "service"),
        "visit.service",
        "'one/inbox'",
        "slots",
    ),
    ("unknown_profile", putting("day", "starts", "arrivals", "profile"), "profile", "no profile 'day'", ""),
    (
        "unknown_step_calendar",
        putting({"id": "pause", "do": "wait", "time": "1 h", "calendar": "ofice"}, "steps", 5),
        "pause.calendar",
        "'ofice'",
        "'office'",
    ),
    (
        "no_arrivals",
        putting("referral_intake", "starts", "at"),
        "arrivals.per",
        "no GP practice",
        "inhabitant",
    ),
    (
        "endless_loop",
        lambda data: data["steps"].insert(
            0, {"id": "again", "do": "branch", "choices": [{"share": 1.0, "go": "again"}]}
        ),
        "steps.again",
        "again",
        "repeat",
    ),
]


@pytest.mark.parametrize(("check", "edit", "path", "said", "hint"), PATHWAY_FINDINGS)
def test_a_pathway_that_does_not_fit_is_told_with_the_mend(
    check: str, edit: Callable[[File], None], path: str, said: str, hint: str
) -> None:
    def whole(data: File) -> None:
        if check == "unknown_step_calendar":  # the step that ends the pathway makes room
            data["steps"][2]["choices"][1]["go"] = "pause"
        edit(data)

    region, broken = build(topology()), pathway(whole)
    assert check in [c.__name__ for c in PATHWAY_CHECKS if list(c(region, broken))]
    fault = next(f for f in check_pathway(region, broken) if f.path.endswith(path))
    assert said in fault.message
    assert hint in fault.hint


def test_every_check_of_a_pathway_has_a_case_that_makes_it_fire() -> None:
    assert {c.__name__ for c in PATHWAY_CHECKS} == {finding[0] for finding in PATHWAY_FINDINGS}


def test_patients_that_no_organisation_serves_are_found() -> None:
    def edit(data: File) -> None:
        data["organisations"][0]["serves"] = ["village"]
        data["organisations"].append({"id": "village", "kind": "municipality", "on_platform": True})

    faults = check_pathway(build(topology(edit)), pathway())
    assert {f.path for f in faults} == {"steps.send.to", "steps.assess.service", "steps.visit.service",
                                        "steps.note.sender"}  # fmt: skip
    assert all("serves patients in 'town'" in f.message for f in faults)


def test_a_watched_list_without_staff_is_told_and_not_refused() -> None:
    nobody = topology(putting(0, *SERVICES, 0, "staff"))
    (fault,) = warn(build(nobody), [pathway()])
    assert "nothing on its list will ever be taken" in fault.message
    assert fault.path == "organisations.hospital.services.intake"
    assert check_topology(nobody) == []
    unwatched = topology(lambda d: d["organisations"][0]["services"][0].update(staff=0, watched=False))
    assert warn(build(unwatched), [pathway()]) == []
    assert warn(build(nobody), []) == []  # no pathway uses it


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            putting(12, *SERVICES, 1, "slots_per_week"),
            "'hospital/clinic' is asked for 12.5 slots a week and has 12.0",
        ),
        (
            putting({**OFFICE, "hours": ["08:00-10:00"]}, "calendars", "office"),
            "'hospital/intake' is asked for",
        ),
    ],
)
def test_more_work_than_capacity_is_told(edit: Callable[[File], None], said: str) -> None:
    faults = warn(build(topology(edit)), [pathway()])
    assert any(said in f.message and "depends on the run's length" in f.message for f in faults)


def test_many_overloaded_services_of_a_kind_are_told_as_one() -> None:
    def edit(data: File) -> None:
        data["practices"] = [
            {"id": f"p{i}", "gps": 1, "patients": 1000, "municipality": "town"} for i in range(6)
        ]

    slow = pathway(putting("900 min", "steps", 4, "reading"))
    faults = [f for f in warn(build(topology(edit)), [slow]) if "gp_office" in f.message]
    assert len(faults) == 1
    assert "5 more of kind gp_office" in faults[0].message


def test_loads_are_arrivals_times_shares_times_means() -> None:
    region = build(topology())
    weekly = cases_per_week(region, pathway())
    assert {region.services[i].key: w for i, w in weekly.items()} == {
        "one/inbox": pytest.approx(3000 * 0.26 * 7 / 365),
        "two/inbox": pytest.approx(1000 * 0.26 * 7 / 365),
    }
    cases = sum(weekly.values())
    rows = {(row.key, row.of): row for row in load_per_service(region, [pathway()])}
    accepted = 0.25 * 1.0 + 0.75 * 0.5
    intake = rows["hospital/intake", "staff"]
    assert (intake.offered, intake.capacity) == (pytest.approx(cases * 0.75), 40.0)
    assert intake.load == pytest.approx(cases * 0.75 / 40)
    slots = rows["hospital/clinic", "slots"]
    assert (slots.offered, slots.capacity) == (pytest.approx(cases * accepted), 20.0)
    assert rows["one/inbox", "staff"].offered == pytest.approx(cases * 0.75 * accepted * 0.1)
    assert rows["town/nurses", "staff"].offered == pytest.approx(cases * accepted * 0.1)
    assert rows["hospital/ward", "beds"].load == 0.0


def test_a_message_that_somebody_waits_for_is_read_as_work_and_only_its_copies_are_read() -> None:
    region = build(topology())
    waited = pathway(putting(True, "steps", 4, "waits"))
    rows = {(row.key, row.of): row for row in load_per_service(region, [waited])}
    assert rows["one/inbox", "staff"].offered == 0.0
    assert rows["town/nurses", "staff"].offered > 0.0


def test_an_area_that_is_never_drawn_needs_no_service() -> None:
    areas = pathway(putting({"heart": 1.0, "eye": 0.0}, "starts", "areas"))
    assert check_pathway(build(topology()), areas) == []


def test_the_table_of_loads_has_a_line_for_each_service_that_is_used() -> None:
    head, *lines = load_table(load_per_service(build(topology()), [pathway()])).splitlines()
    assert head.split() == ["service", "of", "offered", "capacity", "load"]
    assert [line.split()[:2] for line in lines] == [
        ["hospital/intake", "staff"],
        ["hospital/clinic", "slots"],
        ["town/nurses", "staff"],
        ["one/inbox", "staff"],
        ["two/inbox", "staff"],
    ]
    assert lines[1].split()[2:] == ["12.5", "20.0", "0.62"]


def test_two_pathways_add_up_and_scale_counts() -> None:
    region = build(topology())
    once = {(r.key, r.of): r.offered for r in load_per_service(region, [pathway()])}
    tenth = pathway(putting(0.1, "scale"))
    both = {(r.key, r.of): r.offered for r in load_per_service(region, [pathway(), tenth])}
    assert both == {key: pytest.approx(1.1 * value) for key, value in once.items()}


def test_a_bed_without_a_stated_hold_is_kept_until_the_thread_ends() -> None:
    def edit(data: File) -> None:
        data["starts"]["arrivals"] = {"per_year": 365.0, "per": "origin"}
        data["starts"] |= {"at": "ward", "areas": {}}
        data["steps"] = [
            {"id": "bed", "do": "place", "service": "origin"},
            {"id": "stay", "do": "wait", "time": "2 days"},
            {"id": "fork", "do": "fork", "branches": ["long"]},
            {"id": "paper", "do": "work", "service": "origin", "minutes": "60 min"},
            {"id": "over", "do": "end"},
            {"id": "long", "do": "wait", "time": "9 weeks"},
        ]

    rows = {(r.key, r.of): r for r in load_per_service(build(topology()), [pathway(edit)])}
    assert rows["hospital/ward", "beds"].offered == pytest.approx(49 / 24)
    assert rows["hospital/ward", "staff"].offered == pytest.approx(7.0)


def test_arrivals_for_the_region_are_divided_over_the_origins() -> None:
    region = build(topology())
    starts = {"per_year": 1.0, "per": "inhabitant"}
    assert sum(
        cases_per_week(region, pathway(putting(starts, "starts", "arrivals"))).values()
    ) == pytest.approx(5200 * 7 / 365)
    hourly = {"hourly": [0.0, 2.0]}
    assert set(cases_per_week(region, pathway(putting(hourly, "starts", "arrivals"))).values()) == {168.0}
    times = {"times": ["1 h", "2 h", "336 h"]}
    assert set(cases_per_week(region, pathway(putting(times, "starts", "arrivals"))).values()) == {1.5}


def test_visits_follow_forks_joins_repeats_and_both_ways_of_a_comparison() -> None:
    def edit(data: File) -> None:
        data["steps"] = [
            {"id": "split", "do": "fork", "branches": ["left"]},
            {"id": "left", "do": "wait", "time": "1 h"},
            {"id": "meet", "do": "join", "threads": 2},
            {"id": "visit", "do": "work", "service": "home_nursing", "minutes": "10 min"},
            {"id": "again", "do": "repeat", "to": "visit", "times": 4},
            {"id": "same", "do": "compare", "first": "a", "second": "b", "equal": "good", "different": "bad"},
            {"id": "good", "do": "end"},
            {"id": "bad", "do": "end"},
        ]

    visits = expected_visits(pathway(edit))
    expected = {"split": 1, "left": 2, "meet": 2, "visit": 4, "again": 4, "same": 1, "good": 0.5, "bad": 0.5}
    assert visits == {name: pytest.approx(value) for name, value in expected.items()}


def test_visits_follow_both_ways_of_shared() -> None:
    def edit(data: File) -> None:
        data["steps"] = [
            {"id": "one", "do": "shared", "services": ["gp_office", "home_nursing"], "yes": "a", "no": "b"},
            {"id": "a", "do": "work", "service": "home_nursing", "minutes": "10 min"},
            {"id": "b", "do": "end"},
        ]

    assert expected_visits(pathway(edit)) == {"one": 1.0, "a": 0.5, "b": 1.0}


@pytest.mark.parametrize(("leaves", "times"), [(0.0, 5), (0.2, 5), (0.2, 1000), (0.001, 1000), (1.0, 3)])
def test_a_repeat_that_some_leave_on_the_way_counts_who_comes_round(leaves: float, times: int) -> None:
    """Round by round: all visit once, and those who have not left visit again, so many times at most."""

    def edit(data: File) -> None:
        data["steps"] = [
            {"id": "visit", "do": "work", "service": "home_nursing", "minutes": "10 min"},
            {"id": "stays", "do": "branch", "choices": [
                {"share": 1.0 - leaves, "go": "again"}, {"share": leaves, "go": "over"}]},
            {"id": "again", "do": "repeat", "to": "visit", "times": times},
            {"id": "over", "do": "end"},
        ]  # fmt: skip

    found = expected_visits(pathway(edit))
    assert found["visit"] == pytest.approx(sum((1.0 - leaves) ** k for k in range(times)))
    assert found["over"] == pytest.approx(1.0)


def test_cases_for_each_inhabitant_begin_where_people_live() -> None:
    def edit(data: File) -> None:
        data["organisations"][1]["inhabitants"] = 9000
        data["organisations"].append({
            "id": "village", "kind": "municipality", "inhabitants": 1000, "services": [
                {"id": name, "kind": "home_care", "staff": 1} for name in ("north", "south")],
        })  # fmt: skip
        data["organisations"][1]["services"].append({"id": "care", "kind": "home_care", "staff": 1})

    def starts(data: File) -> None:
        data["starts"] = {
            "at": "home_care",
            "arrivals": {"per_year": 1.0, "per": "inhabitant", "at_opening": 0.5},
            "urgency": {"routine": 1.0},
        }

    here = build(topology(edit))
    weekly = {here.services[i].key: n for i, n in cases_per_week(here, pathway(starts)).items()}
    everybody = here.topology.inhabitants
    assert weekly == {
        "town/care": pytest.approx(0.9 * everybody * 7 / 365),
        "village/north": pytest.approx(0.05 * everybody * 7 / 365),
        "village/south": pytest.approx(0.05 * everybody * 7 / 365),
    }
    opening = {here.services[i].key: n for i, n in cases_at_opening(here, pathway(starts)).items()}
    assert sum(opening.values()) == pytest.approx(0.5 * everybody)


def test_a_service_that_nobody_has_is_told_of_where_a_step_asks_whether_it_is_shared() -> None:
    def edit(data: File) -> None:
        data["steps"] = [
            {"id": "one", "do": "shared", "services": ["gp_office", "home_nursingg"], "yes": "b", "no": "b"},
            {"id": "b", "do": "end"},
        ]

    (fault, *_) = check_pathway(build(topology()), pathway(edit))
    assert "'home_nursingg'" in str(fault) and "home_nursing" in fault.hint


def test_a_reminder_that_is_cancelled_counts_as_never_due() -> None:
    def edit(data: File) -> None:
        data["steps"] = [
            {"id": "ask", "do": "fork", "branches": ["remind"]},
            {"id": "answer", "do": "work", "service": "home_nursing", "minutes": "10 min"},
            {"id": "stop", "do": "cancel", "thread": "remind"},
            {"id": "over", "do": "end"},
            {"id": "remind", "do": "wait", "time": "3 days"},
            {"id": "phone", "do": "work", "service": "home_nursing", "minutes": "10 min"},
        ]

    assert reminders(pathway(edit)) == {"remind"}
    assert expected_visits(pathway(edit))["phone"] == 0.0


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("90 min", 1.5),
        ({"kind": "exponential", "mean": "2 h"}, 2.0),
        ({"kind": "uniform", "low": "1 h", "high": "2 h"}, 1.5),
        ({"kind": "triangular", "low": "1 h", "mode": "2 h", "high": "6 h"}, 3.0),
        ({"kind": "lognormal", "mean": "3 h", "sd": "1 h"}, 3.0),
        ({"kind": "lognormal", "median": "1 h", "p90": "3.6022244792791567 h"}, 1.6487212707),  # sigma 1
        ({"kind": "gamma", "mean": "3 h", "sd": "1 h"}, 3.0),
        ({"kind": "weibull", "shape": 1.0, "scale": "4 h"}, 4.0),
        ({"kind": "truncated_normal", "mean": "5 h", "sd": "1 h", "low": "4 h", "high": "6 h"}, 5.0),
        ({"kind": "truncated_normal", "mean": "0 h", "sd": "1 h"}, 0.7978845608),  # half a bell
        ({"kind": "empirical", "values": ["1 h", "4 h"], "weights": [2, 1]}, 2.0),
    ],
)
def test_means_are_those_of_the_textbook(written: object, hours: float) -> None:
    step = pathway(putting({"id": "pause", "do": "wait", "time": written}, "steps", 6)).steps[-1]
    assert mean_hours(step.time) == pytest.approx(hours, rel=1e-9)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ({"always": True}, 168.0),
        ({**OFFICE, "holidays": "as_usual"}, 40.0),
        ({**OFFICE, "holidays": "closed"}, 40.0 * (1 - 8.47 / (365 * 5 / 7))),
        ({"days": ["saturday"], "hours": ["10:00-12:00"], "holidays": "closed"}, 2.0),
        ({"every": "24 h"}, float("inf")),
    ],
)
def test_open_hours_leave_out_holidays(written: File, hours: float) -> None:
    assert open_hours_per_week(OpeningHours.model_validate(written)) == pytest.approx(hours)
