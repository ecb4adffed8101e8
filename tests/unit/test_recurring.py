"""Counts of visits and deviations, by case and by week, and their measures, on journals written by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from flowsim.episodes import Episodes, EpisodesFold
from flowsim.journal import replay
from flowsim.measures import MEASURES, Level, measure_all
from flowsim.vocabulary import Event
from tests.journals import Story, small_header
from tests.recurring import (
    AGREE,
    DIFFER,
    DONE,
    DUE,
    FOLLOW_UP,
    LIST,
    MISSED,
    OPENS,
    PLAN,
    REPORT,
    begin,
    close,
    header,
)

END = OPENS + FOLLOW_UP  # the horizon of a case that begins at the opening


def read(story: Story) -> Episodes:
    (episodes,) = replay([story.block], header(), [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    return episodes


def one(story: Story) -> pd.Series:  # type: ignore[type-arg]
    cases = read(story).cases
    assert len(cases) == 1
    return cases.iloc[0]


def week_by_week(story: Story, measure: str, pathway: str = "") -> list[int]:
    table = read(story).profiles["weeks"]
    chosen = table["measure"] == measure
    if pathway:
        chosen &= table["pathway"] == pathway
    return [int(n) for n in table.loc[chosen, "count"]]


def measured(story: Story) -> dict[str, float]:
    frame = measure_all(read(story), header())
    frame = frame[frame["group"] == ""]
    return dict(zip(frame["measure"], frame["value"], strict=True))


def lists(*turns: tuple[float, int]) -> Story:
    """Return a case with lists that begins at the opening."""
    story = begin(Story(), OPENS, 1)
    for after, step in turns:
        story.reached(OPENS + after, 1, step)
    return story


# Days on which lists differ


def test_days_run_from_when_lists_differ_until_they_agree() -> None:
    case = one(lists((24, DIFFER), (72, AGREE), (100, DIFFER), (112, AGREE)))
    assert (case.differing_days, case.deviations) == (2.5, 1)  # the second lasted for half a day
    assert case.followed_days == pytest.approx(FOLLOW_UP / 24)


def test_lists_that_differ_at_the_horizon_have_differed_until_then() -> None:
    assert one(lists((40, DIFFER))).differing_days == pytest.approx((FOLLOW_UP - 40) / 24)
    late = one(lists((40, DIFFER), (FOLLOW_UP + 10, AGREE)))
    assert late.differing_days == pytest.approx((FOLLOW_UP - 40) / 24)


def test_saying_the_same_again_changes_nothing() -> None:
    once = one(lists((24, DIFFER), (72, AGREE)))
    again = one(lists((24, DIFFER), (30, DIFFER), (72, AGREE), (90, AGREE)))
    pd.testing.assert_series_equal(once, again)


def test_lists_that_agree_without_having_differed_are_no_time_at_all() -> None:
    assert one(lists((30, AGREE), (72, AGREE))).differing_days == 0.0


def test_a_patient_who_leaves_is_followed_no_longer() -> None:
    case = one(close(lists((24, DIFFER)), OPENS + 72, 1))
    assert (case.differing_days, case.followed_days, case.deviations) == (2.0, 3.0, 1)


def test_lists_that_differ_from_the_beginning_count_their_days_and_are_no_new_deviation() -> None:
    case = one(lists((0, DIFFER), (48, AGREE)))
    assert (case.differing_days, case.deviations) == (2.0, 0)


def test_what_lasts_a_day_is_a_deviation_and_what_lasts_an_hour_less_is_none() -> None:
    assert one(lists((10, DIFFER), (34, AGREE))).deviations == 1
    assert one(lists((10, DIFFER), (33, AGREE))).deviations == 0


# Visits and reports


def test_visits_and_reports_are_counted_up_to_the_horizon() -> None:
    story = begin(Story(), OPENS, 1, PLAN)
    for step, times in ((DUE, (1, 2, 3, FOLLOW_UP + 1)), (DONE, (2,)), (MISSED, (4, FOLLOW_UP))):
        for after in times:
            story.reached(OPENS + after, 1, step)
    case = one(story)
    assert (case.visits_due, case.visits_done, case.visits_missed) == (3, 1, 1)
    assert one(lists((5, REPORT), (6, REPORT))).deviations_reported == 2


def test_cases_of_before_and_after_the_window_are_not_counted() -> None:
    story = begin(Story(), OPENS - 1, 1, PLAN).reached(OPENS + 1, 1, DUE)
    begin(story, OPENS + 200, 2, PLAN).reached(OPENS + 201, 2, DUE)
    assert read(story).cases.empty
    assert week_by_week(story, "visits_due") == [0, 0, 0, 0]


def test_cases_of_other_pathways_have_nothing_to_count() -> None:
    story = lists((24, DIFFER)).created(OPENS + 5, 2)
    cases = read(story).cases.set_index("case")
    assert cases.loc[2, "differing_days"] == 0.0 and cases.loc[2, "visits_due"] == 0
    assert cases.loc[1, "differing_days"] > 0.0


# Week by week


def test_weeks_count_from_the_opening() -> None:
    story = begin(Story(), OPENS, 1, PLAN)
    for after in (0, 167.9, 168, 335, 336):
        story.reached(OPENS + after, 1, DUE)
    assert week_by_week(story, "visits_due") == [2, 2, 1, 0]
    assert week_by_week(story, "cases_followed", "visits") == [1, 1, 0, 0]  # 400 hours end in the third


def test_a_week_tells_whose_lists_differ_at_its_end() -> None:
    assert week_by_week(lists((10, DIFFER), (100, AGREE)), "cases_differing") == [0, 0, 0, 0]
    assert week_by_week(lists((10, DIFFER), (200, AGREE)), "cases_differing") == [1, 0, 0, 0]
    assert week_by_week(lists((10, DIFFER)), "cases_differing") == [1, 1, 0, 0]
    assert week_by_week(lists((10, DIFFER), (200, AGREE)), "deviations") == [1, 0, 0, 0]


def test_go_lives_are_ticked_in_their_week() -> None:
    story = lists((10, DIFFER))
    for time in (OPENS - 1, OPENS, OPENS + 170, OPENS + 171):
        story.row(time, Event.went_live, 0, step=-1)
    assert week_by_week(story, "go_lives") == [1, 2, 0, 0]


def test_a_run_without_visits_and_lists_has_no_weeks() -> None:
    (episodes,) = replay([Story().created(200.0, 1).block], small_header(), [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    assert episodes.profiles["weeks"].empty
    assert episodes.cases["visits_due"].tolist() == [0]


# Measures


def test_measures_of_visits_and_lists_by_hand() -> None:
    story = lists((24, DIFFER), (72, AGREE), (100, REPORT))
    begin(story, OPENS, 2)
    for case, missed in ((3, 0), (4, 2)):
        begin(story, OPENS, case, PLAN)
        for k in range(4):
            story.reached(OPENS + 10 + k, case, DUE)
            story.reached(OPENS + 20 + k, case, MISSED if k < missed else DONE)
    close(story, OPENS + 100, 4)
    got = measured(story)
    days = FOLLOW_UP / 24
    assert got["visits_due"] == 8
    assert got["visits_missed_share"] == pytest.approx(2 / 8)
    assert got["patients_with_missed_visit_share"] == pytest.approx(1 / 2)
    assert got["visits_missed_per_1000_days"] == pytest.approx(1000 * 2 / (days + 100 / 24))
    assert got["medication_deviation_days_share"] == pytest.approx(2 / (2 * days))
    assert got["medication_deviations_true_per_1000_days"] == pytest.approx(1000 / (2 * days))
    assert got["medication_deviations_reported_per_1000_days"] == pytest.approx(1000 / (2 * days))


def test_measures_of_visits_and_lists_are_there_only_where_a_pathway_has_them() -> None:
    levels = (Level.visits, Level.lists)
    names = {m.name for m in MEASURES.values() if m.level in levels}
    (episodes,) = replay([Story().created(200.0, 1).block], small_header(), [EpisodesFold()])
    assert not names & set(measure_all(episodes, small_header())["measure"])
    assert names <= set(measured(lists()))


def test_a_run_with_such_pathways_and_no_patient_has_no_value() -> None:
    got = measured(Story())
    assert got["visits_due"] == 0.0
    assert np.isnan(got["visits_missed_share"]) and np.isnan(got["medication_deviation_days_share"])


def test_groups_are_by_pathway_and_urgency() -> None:
    frame = measure_all(read(begin(lists((24, DIFFER)), OPENS, 2, PLAN)), header())
    groups = set(frame.loc[frame["measure"] == "medication_deviation_days_share", "group"])
    assert groups == {"", "pathway=lists", "urgency=routine", "pathway=lists,urgency=routine"}
    assert LIST != PLAN
