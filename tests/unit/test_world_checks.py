"""What the world cannot do as it is written is refused with file and line; what it does in vain is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowsim.config.compose import load_study
from flowsim.errors import Fault, FaultsInFile
from flowsim.experiment.checks import check_file, check_study
from tests import studies

JOINING = "  joining: {stale_share: 5 %, stale_lag: 4 weeks, old_inbox_read: 50 %}\n"
GRID = studies.EXPERIMENT[studies.EXPERIMENT.index("vary:") :]
#: A single scenario on the minimal topology, 2024-01-01 to 2024-02-11.
ONE = studies.EXPERIMENT.replace(GRID, "")
DEFECTS = """\
basis: {source: Invented for tests., certainty: assumed}
known:
  - id: letters
    fault: not_emitted
    messages: [referral]
    reach: 50 %
    begins: 2024-01-10
latent:
  - {id: blank, at: gp, fault: incomplete, messages: [referral], number: 1, reach: [1 %, 2 %], visible: 50 %}
escalation:
  levels:
    - {id: unit, owner: town, calendar: office, takes: 8 h, accepts: 80 %, again_after: 8 h}
mending: {takes: 1 day}
"""
PEOPLE = """\
basis: {source: Invented for tests., certainty: assumed}
chase: 15 min
consultation: 20 min
"""
LEARNING = "learning: {lasts: 4 weeks, history_moved: 4 weeks, training: {away: %s}}\n"


def adoption(settings: str, text: str = ONE) -> str:
    """Return the experiment with other settings of adoption than its level."""
    lines = "".join(f"  {line}\n" for line in settings.splitlines())
    return text.replace("  gp_practices: 0 %\n", lines)


def faults_of(folder: Path, text: str, **files: str) -> list[Fault]:
    """Return why an experiment is refused, with files of its own beside it."""
    study = written(folder, text, **files)
    with pytest.raises(FaultsInFile) as error:
        check_study(load_study(study))
    return error.value.faults


def written(folder: Path, text: str, **files: str) -> Path:
    """Write an experiment that names files of its own, and return its path."""
    for name, content in files.items():
        text += f"{name}: own_{name}.yaml\n"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"own_{name}.yaml").write_text(content, encoding="utf-8")
    return studies.write_study(folder, text)


def warnings_of(folder: Path, text: str, **files: str) -> list[str]:
    """Return what an analyst is told of an experiment that can be run."""
    return check_study(load_study(written(folder, text, **files)))


# --- refused ---------------------------------------------------------------------------------------


GO_LIVE = "gp_practices: 0 %\ngo_live:\n  - "
TRANSITION = ONE + "view: transition\n"


def on_tenth(what: str) -> str:
    """Return an experiment in which something happens on the tenth day."""
    return adoption(GO_LIVE + "{on: 2024-01-10, " + what)


REFUSED: list[tuple[str, str, str]] = [
    (adoption(GO_LIVE + "{on: 2023-12-31, gp_practices: 100 %}"), "before the start", "to 2024-02-11"),
    (adoption(GO_LIVE + "{on: 2024-02-12, gp_practices: 100 %}"), "after the end", "to 2024-02-11"),
    (ONE + "outages: [{relay: broker, at: 2024-03-01 12:00, lasts: 1 h}]\n", "after the end", "2024-02-11"),
    (on_tenth("organisations: [twon]}"), "no organisation 'twon'", "Did you mean 'town'?"),
    (on_tenth("leave: [hospitl]}"), "no organisation", "Did you mean 'hospital'?"),
    (on_tenth("leave: [practice_1]}"), "is a practice", "gp_practices"),
    (on_tenth("organisations: [town]}"), "on the platform already", "organisations"),
    (
        adoption(f"organisations: [hospital]\n{GO_LIVE}{{on: 2024-01-10, leave: [town]}}"),
        "'town' is not on the platform on 2024-01-10",
        "On it: 'hospital'",
    ),
    (
        on_tenth("leave: [town]}\n  - {on: 2024-01-20, leave: [town]}"),
        "not on the platform on 2024-01-20",
        "On it: 'hospital'",
    ),
    (on_tenth("gp_practices: 2 practices}\ntogether: 3"), "until 3 are ready", "2 practices"),
    (adoption("gp_practices: 100 %\ntogether: 4", TRANSITION), "until 4 are ready", "3 practices join"),
    (
        adoption("gp_practices: 34 %\nbefore: 67 %", TRANSITION),
        "begins with 2 practices (before)",
        "at most gp_practices",
    ),
    (
        adoption("gp_practices: 0 %\nbefore: 1 practice\nwaves: {practices: 1, every: 1 week}"),
        "begins with 1 practice (before)",
        "at most gp_practices",
    ),
    (ONE + "use_levers: [reconcilation]\n", "no lever 'reconcilation'", "Did you mean 'reconciliation'?"),
    (ONE + "use_levers: [more_testing, more_testing]\n", "named twice", "Once"),
    (
        adoption("gp_practices: 100 %", TRANSITION + "use_levers: [wait_for_others]\n"),
        "'wait_for_others' waits until 10 practices are ready",
        "3 practices join",
    ),
]


@pytest.mark.parametrize(("text", "message", "more"), REFUSED, ids=[case[1] for case in REFUSED])
def test_what_the_world_cannot_do_is_refused_at_its_line(
    tmp_path: Path, text: str, message: str, more: str
) -> None:
    told = faults_of(tmp_path, text)
    assert message in str(told[0])
    assert more in str(told[0])
    assert told[0].line is not None and Path(told[0].file).name == "small.yaml"


CONTRADICTIONS = [
    (GO_LIVE + "{on: 2024-01-10, organisations: [town], leave: [town]}", "join and leave on the same day"),
    (
        GO_LIVE + "{on: 2024-01-10, organisations: [town]}\n  - {on: 2024-01-10, leave: [town]}",
        "lets town join and leave on 2024-01-10",
    ),
    (
        GO_LIVE + "{on: 2024-01-10, gp_practices: 34 %}\n  - {on: 2024-01-10, gp_practices: 67 %}",
        "two levels of gp_practices on 2024-01-10",
    ),
    (
        GO_LIVE + "{on: 2024-01-10, gp_practices: 34 %}\nwaves: {practices: 1, every: 1 week}",
        "both go_live and waves",
    ),
    ("gp_practices: []", "names nobody"),
    ("gp_practices: 0 %\norder: []", "names nobody"),
    (GO_LIVE + "{on: 2024-01-10, gp_practices: []}", "names nobody"),
    (GO_LIVE + "{on: 2024-01-10}", "names nobody"),
]


@pytest.mark.parametrize(("settings", "message"), CONTRADICTIONS, ids=[case[1] for case in CONTRADICTIONS])
def test_settings_that_contradict_each_other_or_name_nobody_are_refused(
    tmp_path: Path, settings: str, message: str
) -> None:
    with pytest.raises(FaultsInFile) as error:
        load_study(studies.write_study(tmp_path, adoption(settings)))
    assert message in str(error.value)
    assert error.value.faults[0].line is not None


LEVEL = "{id: unit, owner: a, takes: 1 h, accepts: 1, again_after: 1 h}"
DEFECT_FAULTS = [
    ("messages: [referral]\n    reach", "messages: [referal]\n    reach", "Did you mean 'referral'?", True),
    ("messages: [referral]\n    reach", "messages: [lab_order]\n    reach", "No pathway here sends", False),
    ("reach: 50 %", "reach: 50 %\n    channel: eddi", "Did you mean 'edi'?", True),
    ("reach: 50 %", "reach: 50 %\n    sender: hospitall", "Did you mean 'hospital'?", False),
    ("reach: 50 %", "reach: 50 %\n    sender: practice_9", "Did you mean 'practice_", False),
    ("reach: 50 %", "reach: 50 %\n    receiver: hospital/intak", "Did you mean 'hospital/intake'?", False),
    ("reach: 50 %", "reach: 50 %\n    template: standrd", "Did you mean 'standard'?", False),
    ("visible: 50 %}", "visible: 50 %, template: other}", "Known here: 'standard'", False),
    ("begins: 2024-01-10", "begins: 2023-12-01", "before the start", False),
    ("begins: 2024-01-10", "begins: 2024-02-12", "after the end", False),
    ("calendar: office", "calendar: offices", "Did you mean 'office'?", False),
    ("at: gp", "at: gps", "Did you mean 'gp'?", True),
    ("fault: not_emitted\n", "fault: not_emited\n", "Did you mean 'not_emitted'?", True),
    ("id: blank", "id: letters", "Two defects are called letters", True),
    ("  levels:\n", f"  levels:\n    - {LEVEL}\n", "two levels", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message", "alone"), DEFECT_FAULTS, ids=[case[1] for case in DEFECT_FAULTS]
)
def test_a_defect_that_hits_nothing_there_is_refused_at_its_line_in_its_own_file(
    tmp_path: Path, old: str, new: str, message: str, alone: bool
) -> None:
    """What the file's own model can see is refused when the file is checked alone, too."""
    assert DEFECTS.count(old) == 1
    wrong = DEFECTS.replace(old, new)
    path = written(tmp_path, ONE, defects=wrong)
    with pytest.raises(FaultsInFile) as error:
        check_file(path)
    fault = error.value.faults[0]
    assert message in str(fault)
    assert Path(fault.file).name == "own_defects.yaml"
    assert fault.line is not None
    if alone:
        with pytest.raises(FaultsInFile, match=message[:20].replace("?", ".")):
            check_file(tmp_path / "own_defects.yaml")


@pytest.mark.parametrize(
    ("people", "message"),
    [
        (PEOPLE + "absence: 40 %\nholidays: [{first: 01-05, last: 01-20, away: 60 %}]\n", "Nobody is left"),
        (
            PEOPLE
            + "holidays:\n  - {first: 01-05, last: 01-20, away: 50 %}\n"
            + "  - {first: 01-15, last: 01-30, away: 50 %}\n",
            "holidays 100 %",
        ),
        (PEOPLE + "absence: 10 %\n" + LEARNING % "90 %", "Training before a go-live leaves nobody"),
        (PEOPLE + "holidays: [{first: 13-01, last: 12-01, away: 1 %}]\n", "month and a day"),
        (PEOPLE + "holidays: [{first: 12-20, last: 01-02, away: 1 %}]\n", "split it at the new year"),
    ],
)
def test_weeks_in_which_nobody_is_left_are_refused(tmp_path: Path, people: str, message: str) -> None:
    text = adoption("gp_practices: 100 %", ONE + "view: transition\n")
    path = written(tmp_path, text, people=people)
    with pytest.raises(FaultsInFile) as error:
        check_file(path)
    assert message in str(error.value)
    assert Path(error.value.faults[0].file).name == "own_people.yaml"
    assert error.value.faults[0].line is not None


def test_holidays_outside_the_run_empty_nothing(tmp_path: Path) -> None:
    people = PEOPLE + "absence: 40 %\nholidays: [{first: 07-01, last: 07-20, away: 60 %}]\n"
    assert warnings_of(tmp_path, ONE, people=people) == []


def test_a_fault_of_a_scenario_is_told_at_the_scenarios_line(tmp_path: Path) -> None:
    text = ONE + "scenarios:\n  one: {adoption.together: 1}\n  two:\n    use_levers: [fasster_escalation]\n"
    (fault,) = faults_of(tmp_path, text)
    assert fault.line == len(text.splitlines())
    assert "Did you mean 'faster_escalation'?" in str(fault)


# --- warned of -------------------------------------------------------------------------------------


SWITCHED_OFF = """\
basis: {source: Invented for tests., certainty: assumed}
levers:
  off:
    label: Off
    acts: [{on: staff, what: referral_intake, full: 3}]
    reach: 100 %
    adherence: 0 %
    effect: 100 %
    start_up: 0 h
"""


@pytest.mark.parametrize(
    ("lever", "reason"),
    [
        ("paper_fallback", "there is no outage"),
        ("faster_escalation", "no defect is lifted"),
        ("more_testing", "no latent defects to test for"),
        ("better_training", "no dip to train for"),
        ("wait_for_others", "no practice goes live inside the run"),
    ],
)
def test_a_lever_that_changes_nothing_here_is_a_warning_with_its_reason(
    tmp_path: Path, lever: str, reason: str
) -> None:
    (told,) = warnings_of(tmp_path, ONE + f"use_levers: [{lever}]\n")
    assert f"'{lever}' changes nothing here" in told
    assert reason in told
    assert "small.yaml:" in told


def test_what_is_in_vain_in_one_scenario_only_is_not_told(tmp_path: Path) -> None:
    """At 0 % nobody goes live, so nothing can be tested there; that is what the scenario is for."""
    text = TRANSITION + "use_levers: [more_testing]\ndefects: defects\n"
    both = text + "vary: {adoption.gp_practices: [0 %, 100 %]}\n"
    assert warnings_of(tmp_path, both) == []
    assert len(warnings_of(tmp_path, text)) == 2


def test_a_lever_without_strength_is_a_warning(tmp_path: Path) -> None:
    (told,) = warnings_of(tmp_path, ONE + "use_levers: [off]\n", levers=SWITCHED_OFF)
    assert "reach × adherence × effect is 0" in told


ACTS: list[tuple[str, str, str]] = [
    ("{on: staff, what: emergency_clinic, full: 1.2}", "", "no whole person more or less"),
    ("{on: staff, what: dead_endpoint, full: 2}", "", "no staff of kind 'dead_endpoint'"),
    ("{on: way, what: audit, full: 0.5}", "change: {faults.audit.chance.value: 60 %}\n", "60 % without it"),
    ("{on: way, what: audit, full: 0.5}", "change: {faults.audit: null}\n", "no way back 'audit'"),
    ("{on: fault, what: vanished, full: 0}", "", "'vanished' never strikes"),
    ("{on: addresses, full: 0}", "", "no address goes stale"),
    ("{on: owners, full: 1}", "", "no list loses its owner"),
    ("{on: search, full: 0.5}", "change: {adoption.organisations: []}\n", "nobody is on the platform"),
    ("{on: search, full: 1}", "", "its factor is 1"),
]


@pytest.mark.parametrize(("act", "more", "reason"), ACTS, ids=[case[2] for case in ACTS])
def test_each_act_that_is_in_vain_has_a_reason(tmp_path: Path, act: str, more: str, reason: str) -> None:
    levers = SWITCHED_OFF.replace("adherence: 0 %", "adherence: 100 %")
    levers = levers.replace("{on: staff, what: referral_intake, full: 3}", act)
    (told,) = warnings_of(tmp_path, ONE + "use_levers: [off]\n" + more, levers=levers)
    assert reason in told


def test_levers_that_change_something_are_no_warning(tmp_path: Path) -> None:
    """All that the catalogue has, in a run with go-lives, defects, a dip and an outage."""
    levers = [
        "more_testing", "better_training", "simpler_to_use", "address_clean_up", "owner_for_every_list",
        "reconciliation", "phone_confirmation", "faster_escalation", "paper_fallback", "more_intake_staff",
    ]  # fmt: skip
    text = adoption("gp_practices: 100 %", ONE + "view: transition\ndefects: defects\npeople: people\n")
    text += "outages: [{relay: broker, per_year: 2, lasts: 1 h}]\n"
    text += "change: {topology.organisations.hospital.services.intake.staff: 2}\n"
    for lever in levers:
        assert warnings_of(tmp_path, text + f"use_levers: [{lever}]\n") == [], lever


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (adoption(GO_LIVE + "{on: 2024-01-10, gp_practices: 100 %}"), "Write view: transition"),
        (adoption("gp_practices: 100 %\nleave_per_year: 20 %"), "Write view: transition"),
        (ONE + "defects: defects\n", "nobody goes live in it"),
    ],
)
def test_views_and_defects_that_do_not_fit_are_warned_of(tmp_path: Path, text: str, told: str) -> None:
    (warning,) = warnings_of(tmp_path, text)
    assert told in warning


@pytest.mark.parametrize(
    ("kind", "content"), [("defects", DEFECTS), ("people", PEOPLE), ("levers", SWITCHED_OFF)]
)
def test_a_file_of_each_kind_is_checked_alone(tmp_path: Path, kind: str, content: Any) -> None:
    path = tmp_path / f"mine_{kind}.yaml"
    path.write_text(content, encoding="utf-8")
    checked = check_file(path)
    assert checked.summary.startswith(f"{kind}: ")
    path.write_text(content + "unheard_of: 1\n", encoding="utf-8")
    with pytest.raises(FaultsInFile, match=rf"mine_{kind}\.yaml:{len(content.splitlines()) + 1}"):
        check_file(path)
