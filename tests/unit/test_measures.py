"""Each measure's arithmetic, on runs small enough to reckon by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from flowsim.episodes import Episodes, EpisodesFold, Organisation
from flowsim.journal import read_frame, replay, write_frame
from flowsim.measures import GROUPS, MEASURES, Better, Level, TwinTimes, measure_all
from flowsim.measures.registry import Table, lower_quantile, mean, measure, share
from flowsim.vocabulary import Event, Fault, State, Urgency
from tests.journals import (
    ASSESS,
    CLINIC,
    FOLLOW_UP,
    GP,
    INTAKE,
    ORDER,
    START,
    STAY,
    SUMMARY,
    TURNED_AWAY,
    Story,
    small_header,
)

T0 = 200.0
HEADER = small_header()


def read(story: Story) -> Episodes:
    (episodes,) = replay([story.block], HEADER, [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    return episodes


def values(story: Story, group: str = "", **twins: TwinTimes) -> dict[str, float]:
    frame = measure_all(read(story), HEADER, **twins)
    chosen = frame[frame["group"] == group]
    return dict(zip(chosen["measure"], chosen["value"], strict=True))


def organisation() -> Organisation:
    """Return an organisation in which a GP has worked and a defect has begun."""
    work = pd.DataFrame(
        {"service": ["gp"], "organisation": ["gp"], "party": ["gp"], "purpose": ["searching"], "hours": [2.0]}
    )
    life = {
        "began_hours": [0.0],
        "believed_hours": [24.0],
        "discovered_hours": [30.0],
        "mended_hours": [np.nan],
        "hit": [3],
    }
    named = {"defect": ["d/gp/0"], "kind": ["d"], "organisation": ["gp"], "party": ["gp"], "fault": ["late"]}
    monitor = {
        "alerts": [12],
        "tickets": [3],
        "hours": [2.0],
        "items": [6],
        "found": [2],
        "working_days": [20],
    }
    return Organisation(work, pd.DataFrame({**named, **life}), pd.DataFrame(monitor))


def ten_referrals() -> Story:
    """Cases 1 to 10: one lost, one late, one recovered, one waiting, one told, the others on time."""
    story = Story()
    for case in range(1, 11):
        story.created(T0, case)
        match case:
            case 1:
                story.authored(T0, 1, state=State.silent, fault=Fault.not_emitted)
            case 2:
                story.authored(T0, 2).delivered(T0, 2, seen_after=60.0)
            case 3:
                story.authored(T0, 3, state=State.silent, fault=Fault.misaddressed)
                story.on(T0 + 800, Event.found, 3).delivered(T0 + 800, 3)
            case 4:
                story.authored(T0, 4)
            case 5:
                story.authored(T0, 5).on(T0 + 1, Event.rejected, 5, state=State.told, fault=Fault.rejected)
            case _:
                story.authored(T0, case).delivered(T0, case)
    return story


def test_the_shares_of_deliveries_are_of_all_that_were_created() -> None:
    got = values(ten_referrals())
    assert got["deliveries_created"] == got["referrals_created"] == 10
    for name in ("lost", "recovered", "late"):
        assert got[f"deliveries_{name}_share"] == pytest.approx(0.1), name
        assert got[f"referrals_{name}_share"] == pytest.approx(0.1), name
    assert got["deliveries_waiting_share"] == pytest.approx(0.2)
    assert got["silent_failure_share"] == pytest.approx(0.2)
    assert got["failed_told_share"] == pytest.approx(0.1)
    assert got["faults_share"] == pytest.approx(0.3)


def test_unseen_after_30_days_counts_what_was_found_later() -> None:
    got = values(ten_referrals())
    assert got["unseen_after_30_days_share"] == pytest.approx(0.4)
    assert got["unseen_after_90_days_share"] == pytest.approx(0.3)


def test_kinds_without_a_deadline_are_in_neither_part_of_the_late_share() -> None:
    story = Story().created(T0, 1).authored(T0, 1).delivered(T0, 1, seen_after=60.0)
    story.created(T0, 2, step=ORDER).authored(T0, 2, step=ORDER).delivered(T0, 2, seen_after=900.0)
    got = values(story)
    assert got["deliveries_late_share"] == 1.0
    assert got["deliveries_created"] == 2
    no_due = values(story, "kind=lab_order")
    assert "deliveries_late_share" not in no_due
    assert no_due["deliveries_created"] == 1


def test_a_copy_is_a_delivery_but_no_referral() -> None:
    story = (
        Story().created(T0, 1).authored(T0, 1, delivery=256).authored(T0, 1, delivery=257, state=State.silent)
    )
    got = values(story)
    assert (got["deliveries_created"], got["referrals_created"]) == (2, 1)
    assert (got["deliveries_lost_share"], got["referrals_lost_share"]) == (0.5, 0.0)


def test_faults_are_split_by_fault_of_all_deliveries() -> None:
    frame = measure_all(read(ten_referrals()), HEADER)
    by_fault = frame[frame["measure"] == "faults_share"].set_index("group")["value"]
    assert by_fault["fault=not_emitted"] == by_fault["fault=misaddressed"] == pytest.approx(0.1)
    assert by_fault["fault=vanished"] == 0.0
    assert sum(v for g, v in by_fault.items() if str(g).startswith("fault=")) == pytest.approx(by_fault[""])


def test_a_referral_not_received_counts_the_whole_follow_up_in_a_quantile() -> None:
    got = values(ten_referrals())
    assert got["referral_delivery_hours_median"] == 1.0
    assert got["referral_delivery_hours_p90"] == FOLLOW_UP


def test_a_cancelled_referral_is_no_slow_delivery() -> None:
    story = Story().created(T0, 1).authored(T0, 1).delivered(T0, 1)
    story.created(T0, 2).authored(T0, 2).on(T0 + 1, Event.cancelled, 2, state=State.ended)
    assert values(story)["referral_delivery_hours_p90"] == 1.0


def four_cases() -> Story:
    """Urgent (target 10, delayed after 14 days): care after 4 and 20 days, never, and withdrawn at 2."""
    story = Story()
    for case in range(1, 5):
        story.created(T0, case).authored(T0, case).delivered(T0, case)
    story.reached(T0 + 96, 1, START).reached(T0 + 480, 2, START)
    return story.on(T0 + 48, Event.withdrawn, 4, 0, state=State.none)


def test_nobody_unfinished_is_left_out_of_time_to_care() -> None:
    got = values(four_cases())
    assert got["time_to_care_days_mean"] == pytest.approx((4 + 20 + 91 + 2) / 4)
    assert got["time_to_care_days_median"] == 20.0
    assert got["time_to_care_days_p90"] == 91.0
    assert got["start_of_care_delay_days_mean"] == pytest.approx((-6 + 10 + 81 - 8) / 4)
    assert got["start_of_care_delay_days_median"] == 10.0
    assert got["start_of_care_delay_days_p90"] == 81.0


def test_the_shares_of_cases() -> None:
    got = values(four_cases())
    assert got["delayed_start_share"] == 0.5
    assert got["not_started_share"] == got["withdrawn_share"] == 0.25
    assert got["statutory_breach_share"] == 0.5
    assert got["hidden_delay_share"] == 0.0


def test_a_case_turned_away_is_in_the_mean_and_in_no_quantile() -> None:
    story = four_cases()
    for case in range(5, 15):
        story.created(T0, case).reached(T0 + 24, case, TURNED_AWAY)
    got = values(story)
    assert got["time_to_care_days_mean"] == pytest.approx((117 + 10) / 14)
    assert (got["time_to_care_days_median"], got["time_to_care_days_p90"]) == (20.0, 91.0)
    assert (got["start_of_care_delay_days_median"], got["start_of_care_delay_days_p90"]) == (10.0, 81.0)
    assert got["not_started_share"] == pytest.approx(1 / 14)


def test_a_pathway_without_a_request_is_in_no_share_of_breaches() -> None:
    story = four_cases().created(T0, 5, step=STAY)
    assert values(story)["statutory_breach_share"] == 0.5
    assert values(story)["not_started_share"] == pytest.approx(2 / 5)


def test_two_clocks_are_never_mixed() -> None:
    story = four_cases().created(T0, 5).authored(T0, 5, state=State.silent, fault=Fault.not_emitted)
    got = values(story)
    assert got["statutory_breach_share"] == pytest.approx(0.4)
    assert got["hidden_delay_share"] == pytest.approx(0.2)


def test_care_measures_leave_out_pathways_without_care_and_people_measures_do_not() -> None:
    story = Story().created(T0, 1).authored(T0, 1).delivered(T0, 1).reached(T0 + 24, 1, START)
    story.created(T0, 2, step=ORDER).authored(T0, 2, step=ORDER, state=State.silent)
    got = values(story)
    assert got["time_to_care_days_mean"] == 1.0
    per_year = 100_000 / HEADER.inhabitants * 8760 / HEADER.observe_hours
    assert got["patients_exposed"] == pytest.approx(per_year)
    assert got["patients_delayed_30_days"] == 0.0


def test_people_are_per_100_000_inhabitants_and_year() -> None:
    got = values(four_cases())
    per_year = 100_000 / 1000 * 8760 / 672
    assert got["patients_exposed"] == pytest.approx(2 * per_year)
    assert got["patients_delayed_30_days"] == pytest.approx(per_year)


def test_a_delay_that_the_follow_up_cannot_show_has_no_value_instead_of_a_nought() -> None:
    assert np.isnan(values(four_cases())["patients_delayed_90_days"])


def test_assessment_counts_from_receipt_and_leaves_out_what_never_arrived() -> None:
    story = Story()
    for case in range(1, 5):
        story.created(T0, case)
    for case in (1, 2, 3):
        story.authored(T0, case).delivered(T0, case)
    story.authored(T0, 4, state=State.silent)
    arrived = T0 + 1
    story.reached(arrived + 14 * 24, 1, ASSESS).reached(arrived + 14 * 24 + 1, 2, ASSESS)  # 10 working days
    story.on(T0 + 24, Event.withdrawn, 3, 0, state=State.none)
    assert values(story)["assessment_within_10_working_days_share"] == 0.5
    # The referral of case 5 arrives in the last week of its follow-up: nobody can know yet.
    story.created(T0, 5).authored(T0, 5).delivered(T0 + FOLLOW_UP - 100, 5)
    assert values(story)["assessment_within_10_working_days_share"] == 0.5


def test_a_summary_that_only_looks_sent_is_not_sent_within_a_day() -> None:
    story = Story().created(T0, 1)
    made = {"step": SUMMARY, "sender": CLINIC, "intended": GP}
    story.authored(T0, 1, 256, **made).on(T0 + 23, Event.sent, 1, 256, service=CLINIC)
    story.authored(T0, 1, 512, state=State.silent, fault=Fault.not_emitted, **made)
    story.authored(T0, 1, 768, **made).on(T0 + 25, Event.sent, 1, 768, service=CLINIC)
    story.authored(T0, 1, 1024, **made).on(T0 + 2, Event.cancelled, 1, 1024, state=State.ended)
    assert values(story)["discharge_summary_sent_within_1_day_share"] == pytest.approx(1 / 3)


# Twins


def twin(*days: float) -> TwinTimes:
    """Return a twin of the four cases, given out of order."""
    return TwinTimes(np.array([4, 3, 2, 1]), np.array(days[::-1]))


def test_excess_delay_is_split_by_the_twins_and_the_parts_add_up() -> None:
    story = four_cases().authored(T0 + 1, 2, delivery=512, state=State.silent, fault=Fault.not_emitted)
    got = values(story, ideal=twin(3, 5, 60, 2), same_adoption=twin(5, 8, 70, 2))
    # Times are 4, 20, 91 and 2 days; a fault touched case 2 only.
    assert got["excess_delay_days_mean"] == pytest.approx((1 + 15 + 31 + 0) / 4)
    assert got["excess_delay_days_mean_faults"] == pytest.approx((-1 + 12 + 21 + 0) / 4)
    assert got["excess_delay_days_mean_way_of_working"] == pytest.approx((2 + 3 + 10 + 0) / 4)
    assert got["excess_delay_days_mean_own"] == pytest.approx(12 / 4)
    assert got["excess_delay_days_mean_others"] == pytest.approx((-1 + 21) / 4)
    assert got["excess_delay_negative_share"] == 0.0


def test_getting_care_sooner_than_in_the_twin_is_counted() -> None:
    assert values(four_cases(), ideal=twin(6, 5, 60, 2))["excess_delay_negative_share"] == 0.25


def test_cases_are_joined_by_their_number_and_not_by_their_place() -> None:
    story = Story().created(T0, 9).created(T0 + 1, 3)
    story.reached(T0 + 48, 9, START).reached(T0 + 1 + 240, 3, START)
    got = values(story, ideal=TwinTimes(np.array([3, 5, 9]), np.array([11.0, 0.0, 1.0])))
    assert got["excess_delay_days_mean"] == pytest.approx(((2 - 1) + (10 - 11)) / 2)
    assert got["excess_delay_negative_share"] == 0.5


def test_a_run_is_no_delay_of_itself() -> None:
    own = TwinTimes.of(read(four_cases()))
    got = values(four_cases(), ideal=own, same_adoption=own)
    assert all(value == 0.0 for name, value in got.items() if name.startswith("excess_delay"))


def test_without_a_twin_there_is_no_excess_delay_and_with_one_only_its_sum() -> None:
    assert not any(name.startswith("excess") for name in values(four_cases()))
    only = {name for name in values(four_cases(), ideal=twin(3, 5, 60, 2)) if name.startswith("excess")}
    assert only == {"excess_delay_days_mean", "excess_delay_negative_share"}


def test_a_twin_that_lacks_a_case_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(ValueError, match="lacks cases"):
        values(four_cases(), ideal=TwinTimes(np.array([1, 2, 4]), np.array([1.0, 2.0, 3.0])))
    with pytest.raises(ValueError, match="lacks cases"):
        values(four_cases(), ideal=TwinTimes(np.array([], np.int64), np.array([])))


# Groups and form


def test_groups_split_care_by_pathway_and_urgency_and_both() -> None:
    story = four_cases().created(T0, 5, Urgency.routine).reached(T0 + 24, 5, START)
    frame = measure_all(read(story), HEADER)
    means = frame[frame["measure"] == "time_to_care_days_mean"].set_index("group")["value"]
    assert set(means.index) == {
        "",
        "pathway=referral",
        "urgency=urgent",
        "urgency=routine",
        "pathway=referral,urgency=urgent",
        "pathway=referral,urgency=routine",
    }
    assert means["urgency=routine"] == means["pathway=referral,urgency=routine"] == 1.0
    assert means["urgency=urgent"] == pytest.approx(117 / 4)


def test_a_group_has_the_value_of_a_run_with_only_that_group() -> None:
    story = (
        ten_referrals().created(T0, 20, step=ORDER).authored(T0, 20, step=ORDER, sender=INTAKE, intended=GP)
    )
    whole = values(ten_referrals())
    part = values(story, "pathway=referral")
    for name, value in part.items():
        assert value == pytest.approx(whole[name]), name
    assert values(story, "kind=lab_order")["deliveries_waiting_share"] == 1.0


def test_the_whole_list_of_measures_is_there_with_unit_direction_and_formula() -> None:
    for name, entry in MEASURES.items():
        assert entry.name == name
        assert entry.unit
        assert isinstance(entry.better, Better)
        assert len(entry.formula) > 20, name
    assert {m.level for m in MEASURES.values()} == set(Level) == set(GROUPS)
    twins = twin(1, 1, 1, 1), twin(1, 1, 1, 1)
    got = set(measure_all(read(four_cases()), HEADER, *twins, organisation())["measure"])
    # This run has neither visits nor medication lists (tests/unit/test_recurring.py).
    recurring = {m.name for m in MEASURES.values() if m.level in (Level.visits, Level.lists)}
    assert got == set(MEASURES) - recurring


def test_an_empty_run_has_counts_of_nought_and_shares_without_value() -> None:
    got = values(Story())
    assert got["deliveries_created"] == 0.0
    assert got["patients_exposed"] == 0.0
    assert np.isnan(got["deliveries_lost_share"])
    assert np.isnan(got["time_to_care_days_mean"])


def test_stored_tables_give_the_same_measures(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    episodes = read(ten_referrals())
    stored = Episodes(
        read_frame(write_frame(episodes.cases, folder / "cases.parquet", HEADER)),
        read_frame(write_frame(episodes.deliveries, folder / "messages.parquet", HEADER)),
        {},
    )

    def ordered(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.sort_values(["measure", "group"], ignore_index=True)

    live, again = measure_all(episodes, HEADER), measure_all(stored, HEADER)
    pd.testing.assert_frame_equal(ordered(live), ordered(again))


def test_two_measures_cannot_have_one_name() -> None:
    def deliveries_created(g: object) -> float:
        return 0.0

    with pytest.raises(ValueError, match="two measures"):
        measure(Level.cases, "cases", Better.neutral)(deliveries_created)


def test_the_lower_quantile_is_the_smallest_value_with_so_much_at_or_below_it() -> None:
    ten = np.arange(10.0)[::-1]
    assert [lower_quantile(ten, q) for q in (0.1, 0.5, 0.51, 0.9, 1.0)] == [0.0, 4.0, 5.0, 8.0, 9.0]
    rng = np.random.default_rng(3)
    sample = rng.exponential(size=331)
    assert lower_quantile(sample, 0.9) == np.quantile(sample, 0.9, method="inverted_cdf")
    assert np.isnan(lower_quantile(np.array([]), 0.5))


def test_a_share_and_a_mean_of_nothing_have_no_value() -> None:
    assert np.isnan(share(0, 0))
    assert np.isnan(mean(np.array([])))


def test_groups_of_a_table_are_its_rows_and_negative_codes_are_in_none() -> None:
    table = Table({"x": np.array([10, 11, 12, 13, 14])})
    groups = {code: part["x"].tolist() for code, part in table.groups(np.array([2, -1, 0, 2, 0]))}
    assert groups == {0: [12, 14], 2: [10, 13]}
