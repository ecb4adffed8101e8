"""Days on which discharge-ready patients wait, on stays small enough to reckon by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowsim.episodes import Episodes, EpisodesFold
from flowsim.journal import replay
from flowsim.measures import measure_all
from flowsim.vocabulary import Event, MessageKind, Milestone, State
from tests.journals import FOLLOW_UP, HOME, STAY, WRONG, Story, small_header

T0 = 200.0
#: Of the small world's observation window of 28 days to a year of 365.
YEAR = 365 / 28
DAY = 24.0

_STEPS: list[dict[str, Any]] = [
    {
        "id": step.id,
        "pathway": step.pathway,
        "kind": step.kind,
        "message": step.message,
        "milestone": step.milestone,
    }
    for step in small_header().steps
]
READY, DISCHARGED, TELL_READY, CALL_OFF = range(len(_STEPS), len(_STEPS) + 4)
HEADER = small_header(
    steps=[
        *_STEPS,
        {"id": "ready", "pathway": 3, "kind": "milestone", "milestone": Milestone.discharge_ready},
        {"id": "discharged", "pathway": 3, "kind": "milestone", "milestone": Milestone.discharged},
        {"id": "tell_ready", "pathway": 3, "kind": "send", "message": MessageKind.discharge_ready},
        {"id": "call_off", "pathway": 3, "kind": "send", "message": MessageKind.discharge_ready_cancelled},
    ]
)


def waited(story: Story, group: str = "") -> float:
    (episodes,) = replay([story.block], HEADER, [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    frame = measure_all(episodes, HEADER)
    part = frame[(frame["measure"] == "discharge_waiting_days") & (frame["group"] == group)]
    assert part["unit"].tolist() == ["days a year"]
    return float(part["value"].iloc[0])


def stay(story: Story, case: int, ready: float) -> Story:
    """Add a stay whose patient is ready so many hours after T0, and the message that says so."""
    story.created(T0, case, step=STAY).reached(T0 + ready, case, READY)
    return story.authored(T0 + ready, case, 256, step=TELL_READY, sender=WRONG, intended=HOME)


def test_a_stay_waits_from_ready_to_discharged_and_the_year_is_made_of_the_window() -> None:
    story = stay(stay(Story(), 1, 10.0), 2, 20.0)
    story.reached(T0 + 10.0 + 2 * DAY, 1, DISCHARGED).reached(T0 + 20.0 + 12.0, 2, DISCHARGED)
    assert waited(story) == pytest.approx(2.5 * YEAR)
    assert waited(story, "pathway=stay") == pytest.approx(2.5 * YEAR)


def test_one_who_is_not_discharged_waits_until_the_horizon() -> None:
    assert waited(stay(Story(), 1, 10.0)) == pytest.approx((FOLLOW_UP - 10.0) / 24 * YEAR)


def test_one_who_dies_waits_until_then() -> None:
    story = stay(Story(), 1, 10.0).on(T0 + 10.0 + 3 * DAY, Event.withdrawn, 1, 0, state=State.none)
    assert waited(story) == pytest.approx(3 * YEAR)


def called_off(story: Story, case: int, hours: float, again: float | None) -> Story:
    """Add that a patient is called off, and told of as ready again."""
    story.authored(T0 + hours, case, 512, step=CALL_OFF, sender=WRONG, intended=HOME)
    if again is not None:
        story.authored(T0 + again, case, 768, step=TELL_READY, sender=WRONG, intended=HOME)
    return story


def test_time_in_which_the_patient_was_called_off_is_no_waiting() -> None:
    story = called_off(stay(Story(), 1, 0.0), 1, 1 * DAY, again=5 * DAY)
    assert waited(story.reached(T0 + 7 * DAY, 1, DISCHARGED)) == pytest.approx((1 + 2) * YEAR)
    never_again = called_off(stay(Story(), 1, 0.0), 1, 1 * DAY, again=None)
    assert waited(never_again.reached(T0 + 7 * DAY, 1, DISCHARGED)) == pytest.approx(1 * YEAR)


def test_no_pathway_with_such_patients_has_no_value_and_no_patient_has_nought() -> None:
    story = Story().created(T0, 1).authored(T0, 1).delivered(T0, 1)
    assert np.isnan(waited(story))
    assert waited(story.created(T0, 2, step=STAY)) == 0.0
