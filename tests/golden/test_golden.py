"""Two small journals, frozen: any change of what the simulation does shows as a changed line here.

A change that is meant is written with ``FLOWSIM_REFRESH_GOLDEN=1 python -m pytest tests/golden``; the
changed lines are then looked at one by one before they are committed, and the commit says why they moved.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flowsim.plan import Plan
from flowsim.vocabulary import Channel, CommandKind, Event, Fault, State
from tests.small_worlds import Rows, at, busy_plan, index, one, rows_of, with_defect

FOLDER = Path(__file__).parent
#: Of each family of cases, one in so many is frozen, with its whole story.
ONE_IN = 14
COLUMNS = (
    "time", "event", "case", "delivery", "step", "service", "peer", "channel", "attempt", "urgency", "length",
    "intended", "defect", "fault", "state",
)  # fmt: skip


def with_faults() -> tuple[Plan, Rows]:
    """Return a few days of the region with every fault, relays and a practice on the platform."""
    given = busy_plan(days=6, level="34 %", seed=2024)
    return given, rows_of(given)


def with_commands() -> tuple[Plan, Rows]:
    """Return a few days in which the world changes things, after everybody has joined."""
    given = with_defect(busy_plan(days=6, level="100 %", seed=2025), Fault.misaddressed, chance=0.5)
    intake, town, platform = (
        index(given, "hospital/intake"),
        index(given, "town/case_office"),
        index(given, "platform"),
    )
    orders = [
        (6, CommandKind.activate_defect, 0, 0), (8.5, CommandKind.set_staff, intake, 1),
        (9, CommandKind.set_relay, platform, 0), (10, CommandKind.set_owner, town, 0),
        (11, CommandKind.set_relay, platform, 1), (20, CommandKind.mend_defect, 0, 1),
        (21, CommandKind.snapshot, intake, 0), (22, CommandKind.set_owner, town, 1),
    ]  # fmt: skip
    return given, rows_of(given, [at(hours, one(kind, a, b)) for hours, kind, a, b in orders])


def as_csv(plan: Plan, rows: Rows) -> str:
    """Return the rows of some cases as text, with the ids of steps and services."""
    steps = [s["id"] for s in plan.header["steps"]] + [""]
    services = [s["id"] for s in plan.header["services"]] + [""]
    lines = [",".join(COLUMNS)]
    for row in rows[(rows["case"] & 0xFFFFFFFF) % ONE_IN == 0]:
        cells = (
            f"{row['time']:.9g}", Event(row["event"]).name, f"{row['case']:x}", f"{row['delivery']:x}",
            steps[row["step"]], services[row["service"]], services[row["peer"]],
            Channel(row["channel"]).name if row["channel"] else "", f"{row['attempt']}", f"{row['urgency']}",
            f"{row['list_length']}", services[row["intended"]], f"{row['defect']}", Fault(row["fault"]).name,
            State(row["state"]).name,
        )  # fmt: skip
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("make", [with_faults, with_commands], ids=["with_faults", "with_commands"])
def test_the_journal_is_the_one_that_was_frozen(make: Callable[[], tuple[Plan, Rows]]) -> None:
    path = FOLDER / f"{make.__name__}.csv"
    found = as_csv(*make())
    if os.environ.get("FLOWSIM_REFRESH_GOLDEN") == "1":
        path.write_text(found, encoding="utf-8")
    wanted = path.read_text(encoding="utf-8")
    assert found.splitlines() == wanted.splitlines()


def test_the_frozen_journals_show_much_of_what_can_happen() -> None:
    words = {
        cell
        for path in FOLDER.glob("*.csv")
        for line in path.read_text(encoding="utf-8").splitlines()
        for cell in line.split(",")
    }
    assert len({e.name for e in Event} & words) >= 20
    assert len({f.name for f in Fault} & words) >= 10
    assert {s.name for s in State} <= words
