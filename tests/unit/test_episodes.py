"""Each definition of the result tables, on journals written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowsim.episodes import Episodes, EpisodesFold, layout, rows
from flowsim.episodes.frames import words
from flowsim.journal import replay
from flowsim.vocabulary import Channel, Event, Fate, Fault, FoundBy, State, Urgency
from tests.journals import (
    ASSESS,
    BED,
    CLINIC,
    FILLER,
    FOLLOW_UP,
    GP,
    HOME,
    INTAKE,
    ORDER,
    PATIENT,
    START,
    STATUS,
    STAY,
    SUMMARY,
    TURNED_AWAY,
    WRONG,
    Story,
    small_header,
)

T0 = 200.0  # in the observation window; a Tuesday, 8:00


def read(story: Story) -> Episodes:
    (episodes,) = replay([story.block], small_header(), [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    return episodes


def one_delivery(story: Story) -> pd.Series[Any]:
    frame = read(story).deliveries
    assert len(frame) == 1
    return frame.iloc[0]


def one_case(story: Story) -> pd.Series[Any]:
    frame = read(story).cases
    assert len(frame) == 1
    return frame.iloc[0]


def begun(urgency: Urgency = Urgency.urgent) -> Story:
    return Story().created(T0, 1, urgency)


# Fates


def test_a_delivery_seen_before_its_deadline_is_on_time() -> None:
    d = one_delivery(begun().authored(T0, 1).delivered(T0, 1))
    assert (d.fate, d.first_outcome, d.was_late, d.stage_failed) == ("on_time", "arrived", False, "")
    assert (d.authored_hours, d.sent_hours, d.received_hours) == (T0, T0, T0 + 1)
    assert (d.listed_hours, d.seen_hours, d.done_hours) == (T0 + 1, T0 + 4, T0 + 5)
    assert (d.attempts, d.duplicates, d.deadline_hours) == (1, 0, T0 + 48)


def test_a_delivery_seen_after_its_deadline_is_late() -> None:
    d = one_delivery(begun().authored(T0, 1).delivered(T0, 1, seen_after=48.5))
    assert (d.fate, d.was_late, d.first_outcome) == ("late", True, "arrived")


def test_a_delivery_seen_at_its_deadline_is_on_time() -> None:
    assert one_delivery(begun().authored(T0, 1).delivered(T0, 1, seen_after=48.0)).fate == "on_time"


def test_a_delivery_in_a_silent_state_is_lost() -> None:
    d = one_delivery(begun().authored(T0, 1, state=State.silent, fault=Fault.not_emitted))
    assert (d.fate, d.first_outcome, d.stage_failed) == ("lost", "failed_silently", "emitted")
    assert (d.fault, d.silent_hours, d.attempts) == ("not_emitted", T0, 0)
    assert np.isnan(d.sent_hours)
    assert d.was_late


def test_a_delivery_on_a_watched_list_waits_however_overdue_it_is() -> None:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP)
    story.on(T0 + 1, Event.received, 1).on(T0 + 1, Event.listed, 1)
    d = one_delivery(story)
    assert (d.fate, d.was_late, d.first_outcome, d.last_state) == ("waiting", True, "arrived", "moving")


def test_a_delivery_whose_sender_was_told_waits_and_has_failed() -> None:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP)
    d = one_delivery(story.on(T0 + 2, Event.rejected, 1, service=GP, state=State.told, fault=Fault.rejected))
    assert (d.fate, d.first_outcome, d.stage_failed, d.told_hours) == (
        "waiting",
        "failed_told",
        "accepted",
        T0 + 2,
    )


def test_a_rejection_that_nobody_acts_on_is_lost() -> None:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP)
    d = one_delivery(
        story.on(T0 + 2, Event.rejected, 1, service=GP, state=State.silent, fault=Fault.rejected)
    )
    assert (d.fate, d.first_outcome) == ("lost", "failed_silently")


def test_what_was_silent_and_then_found_and_seen_is_recovered_even_if_late() -> None:
    story = begun().authored(T0, 1, state=State.silent, fault=Fault.not_emitted)
    story.on(T0 + 100, Event.found, 1, fault=Fault.not_emitted, attempt=FoundBy.referrer_chases)
    d = one_delivery(story.delivered(T0 + 101, 1))
    assert (d.fate, d.was_late, d.found_by) == ("recovered", True, "referrer_chases")
    assert (d.first_outcome, d.found_hours) == ("failed_silently", T0 + 100)


def test_what_was_found_without_having_been_silent_is_not_recovered() -> None:
    story = begun().authored(T0, 1).on(T0 + 1, Event.abandoned, 1, service=GP, state=State.told)
    story.on(T0 + 2, Event.found, 1, attempt=FoundBy.referrer_chases).delivered(T0 + 3, 1)
    # It went silent only after it had been found and seen.
    story.on(T0 + 20, Event.vanished, 1, state=State.silent)
    d = one_delivery(story)
    assert (d.fate, d.first_outcome) == ("on_time", "failed_told")


def test_what_was_found_but_not_seen_is_not_recovered() -> None:
    story = begun().authored(T0, 1, state=State.silent).on(T0 + 100, Event.found, 1)
    assert one_delivery(story).fate == "waiting"


def test_an_automatic_resend_is_no_recovery() -> None:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP)
    d = one_delivery(story.delivered(T0 + 12, 1))
    assert (d.fate, d.attempts) == ("on_time", 2)


def test_what_became_visible_again_without_being_found_is_no_recovery() -> None:
    story = begun().authored(T0, 1, state=State.silent).delivered(T0 + 12, 1)
    assert one_delivery(story).fate == "on_time"


def test_what_was_withdrawn_before_it_was_seen_is_cancelled() -> None:
    story = begun().authored(T0, 1).on(T0 + 3, Event.withdrawn, 1, 0, state=State.none)
    d = one_delivery(story.on(T0 + 3, Event.cancelled, 1, state=State.ended))
    assert (d.fate, d.ended_hours) == ("cancelled", T0 + 3)
    assert not d.followed_30_days


def test_what_was_taken_back_after_it_was_seen_keeps_its_fate() -> None:
    story = begun().authored(T0, 1).delivered(T0, 1)
    assert one_delivery(story.on(T0 + 9, Event.cancelled, 1, state=State.ended)).fate == "on_time"


def test_a_cancelled_delivery_that_had_been_silent_is_cancelled_and_not_lost() -> None:
    story = begun().authored(T0, 1, state=State.silent)
    d = one_delivery(story.on(T0 + 3, Event.cancelled, 1, state=State.ended))
    assert (d.fate, d.first_outcome) == ("cancelled", "failed_silently")


def test_every_delivery_has_exactly_one_fate() -> None:
    states = [State.moving, State.told, State.silent, State.seen, State.ended]
    story = begun()
    for i, state in enumerate(states):
        story.authored(T0, 1, delivery=(i + 1) << 24, state=state)
    fates = read(story).deliveries["fate"]
    assert list(fates) == ["waiting", "waiting", "lost", "on_time", "cancelled"]
    assert set(fates) <= {f.name for f in Fate}


def test_a_delivery_without_a_state_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(AssertionError, match="fates do not add up"):
        read(begun().authored(T0, 1, state=State.none))


# First outcome, stages, parties


def test_an_item_on_a_list_that_nobody_opens_has_failed_silently_though_received() -> None:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP).on(T0 + 1, Event.received, 1)
    d = one_delivery(story.on(T0 + 1, Event.listed, 1, state=State.silent, fault=Fault.unwatched))
    assert (d.fate, d.first_outcome, d.stage_failed) == ("lost", "failed_silently", "opened")
    assert d.received_hours == T0 + 1


def test_a_wrong_service_is_neither_receipt_nor_list() -> None:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP)
    story.on(T0 + 1, Event.received, 1, service=WRONG, state=State.silent, fault=Fault.misaddressed)
    story.on(T0 + 1, Event.listed, 1, service=WRONG, state=State.silent, fault=Fault.misaddressed)
    story.on(T0 + 9, Event.done, 1, service=WRONG, state=State.silent, fault=Fault.misaddressed)
    d = one_delivery(story)
    assert (d.fate, d.stage_failed, d.fault) == ("lost", "accepted", "misaddressed")
    assert np.isnan(d.received_hours)
    assert np.isnan(d.listed_hours)
    assert np.isnan(d.done_hours)


def test_failing_after_being_told_is_still_failed_and_told() -> None:
    story = begun().authored(T0, 1).on(T0 + 1, Event.abandoned, 1, service=GP, state=State.told)
    d = one_delivery(story.on(T0 + 2, Event.vanished, 1, service=GP, state=State.silent))
    assert (d.fate, d.first_outcome, d.stage_failed) == ("lost", "failed_told", "transported")


def test_nothing_yet_is_pending() -> None:
    assert one_delivery(begun().authored(T0, 1)).first_outcome == "pending"


@pytest.mark.parametrize(
    ("event", "service", "fault", "stage"),
    [
        (Event.authored, GP, Fault.copy_omitted, "emitted"),
        (Event.authored, GP, Fault.incomplete, "authored"),
        (Event.relay_in, GP, Fault.undelivered, "transported"),
        (Event.abandoned, GP, Fault.undelivered, "transported"),
        (Event.received, INTAKE, Fault.no_receipt, "accepted"),
        (Event.received, INTAKE, Fault.vanished, "listed"),
        (Event.vanished, INTAKE, Fault.vanished, "opened"),
    ],
)
def test_a_failure_is_charged_to_the_stage_it_did_not_get_through(
    event: Event, service: int, fault: Fault, stage: str
) -> None:
    if event == Event.authored:
        story = begun().authored(T0, 1, state=State.silent, fault=fault)
    else:
        story = begun().authored(T0, 1).on(T0 + 1, event, 1, service=service, state=State.silent, fault=fault)
    assert one_delivery(story).stage_failed == stage


def test_what_vanishes_after_it_was_read_failed_at_acting_and_had_arrived() -> None:
    story = begun().authored(T0, 1).on(T0 + 1, Event.opened, 1, state=State.seen)
    d = one_delivery(story.on(T0 + 2, Event.vanished, 1, state=State.silent, fault=Fault.vanished))
    assert (d.stage_failed, d.first_outcome, d.fate) == ("acted", "arrived", "on_time")


def test_a_blank_letter_that_arrives_failed_at_authoring() -> None:
    story = begun().authored(T0, 1, fault=Fault.incomplete).delivered(T0, 1)
    assert (one_delivery(story).stage_failed, one_delivery(story).fate) == ("authored", "on_time")


def test_arriving_twice_is_a_duplicate_and_the_first_counts() -> None:
    story = begun().authored(T0, 1).delivered(T0, 1).on(T0 + 9, Event.received, 1, attempt=2)
    d = one_delivery(story)
    assert (d.duplicates, d.received_hours) == (1, T0 + 1)


def test_a_second_copy_on_the_list_is_a_duplicate_and_neither_seen_nor_done() -> None:
    story = begun().authored(T0, 1).on(T0 + 1, Event.received, 1).on(T0 + 1, Event.listed, 1)
    story.on(T0 + 1, Event.listed, 1, state=State.none).on(T0 + 2, Event.taken, 1, state=State.none)
    d = one_delivery(story.on(T0 + 3, Event.done, 1, state=State.none))
    assert (d.duplicates, d.fate, d.listed_hours) == (1, "waiting", T0 + 1)
    assert np.isnan(d.seen_hours)
    assert np.isnan(d.done_hours)


def test_a_list_that_an_opened_message_leads_to_is_not_where_the_message_lay() -> None:
    story = (
        begun().authored(T0, 1).on(T0 + 1, Event.received, 1).on(T0 + 1, Event.opened, 1, state=State.seen)
    )
    story.on(T0 + 1, Event.listed, 1, step=BED, state=State.seen, list_length=5)
    assert np.isnan(one_delivery(story).listed_hours)


def refused() -> Story:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP)
    story.on(T0 + 1, Event.received, 1, fault=Fault.rejected)
    return story.on(T0 + 1, Event.rejected, 1, service=GP, state=State.told, fault=Fault.rejected)


def test_what_an_application_refused_was_not_received_and_starts_no_clock() -> None:
    assert np.isnan(one_delivery(refused()).received_hours)
    assert np.isnan(one_case(refused()).arrived_hours)


def test_what_was_refused_and_sent_again_is_received_the_second_time() -> None:
    story = refused().on(T0 + 9, Event.resent, 1, service=GP, fault=Fault.rejected)
    story.on(T0 + 10, Event.received, 1, fault=Fault.rejected)
    story.on(T0 + 11, Event.opened, 1, state=State.seen, fault=Fault.rejected)
    d = one_delivery(story)
    assert (d.received_hours, d.duplicates, d.attempts, d.sent_hours) == (T0 + 10, 0, 1, T0)
    assert one_case(story).arrived_hours == T0 + 10


def test_what_had_never_left_is_sent_when_it_is_sent_again() -> None:
    story = begun().authored(T0, 1, state=State.silent, fault=Fault.not_emitted)
    d = one_delivery(story.on(T0 + 9, Event.found, 1).on(T0 + 9, Event.resent, 1, service=GP))
    assert (d.sent_hours, d.attempts) == (T0 + 9, 0)


def test_a_receiver_without_an_address_is_no_fault_that_touches_a_case() -> None:
    assert not one_case(begun().authored(T0, 1, fault=Fault.no_endpoint).delivered(T0, 1)).touched


def test_the_fault_of_a_second_copy_does_not_replace_that_of_the_first() -> None:
    story = begun().authored(T0, 1).on(T0 + 1, Event.received, 1)
    story.on(T0 + 1, Event.listed, 1, state=State.silent, fault=Fault.unwatched)
    d = one_delivery(story.on(T0 + 2, Event.taken, 1, state=State.none, fault=Fault.duplicated))
    assert (d.fault, d.last_state, d.fate) == ("unwatched", "silent", "lost")


def test_the_defect_behind_a_fault_is_kept() -> None:
    story = begun().authored(T0, 1).delivered(T0, 1)
    story.authored(T0, 1, delivery=512)
    story.on(T0 + 1, Event.received, 1, 512, state=State.silent, fault=Fault.vanished, defect=3)
    assert list(read(story).deliveries["defect"]) == [-1, 3]


def test_the_channel_is_that_of_the_first_sending() -> None:
    story = begun().authored(T0, 1).on(T0, Event.sent, 1, service=GP, channel=Channel.letter)
    d = one_delivery(story.on(T0 + 5, Event.sent, 1, service=GP, channel=Channel.phone))
    assert d.channel == "letter"


@pytest.mark.parametrize(
    ("sender", "intended", "direction"),
    [
        (GP, INTAKE, "gp-hospital"),
        (CLINIC, GP, "gp-hospital"),
        (CLINIC, HOME, "hospital-municipality"),
        (HOME, GP, "gp-municipality"),
        (CLINIC, PATIENT, "patient"),
        (CLINIC, INTAKE, "other"),
    ],
)
def test_the_direction_is_the_pair_of_parties_either_way(sender: int, intended: int, direction: str) -> None:
    d = one_delivery(begun().authored(T0, 1, sender=sender, intended=intended))
    assert d.direction == direction


# Deadlines


def test_a_deadline_in_working_days_skips_the_weekend() -> None:
    friday = 4 * 24 + 7 * 24 + 15.0  # Friday 12 January, 15:00
    story = Story().created(friday, 1).authored(friday + 1, 1, step=SUMMARY, sender=CLINIC, intended=GP)
    assert one_delivery(story).deadline_hours == friday + 72


def test_a_deadline_counted_from_receipt_does_not_run_before_receipt() -> None:
    unreceived = one_delivery(begun().authored(T0, 1, step=STATUS))
    assert np.isnan(unreceived.deadline_hours)
    assert (unreceived.has_deadline, unreceived.was_late) == (True, False)
    undone = begun().authored(T0, 1, step=STATUS).on(T0 + 1, Event.received, 1)
    d = one_delivery(undone.on(T0 + 2, Event.taken, 1, state=State.seen))
    assert (d.deadline_hours, d.was_late, d.fate) == (T0 + 25, True, "late")


def test_copies_have_a_deadline_of_their_own() -> None:
    story = begun().authored(T0, 1).delivered(T0, 1).authored(T0, 1, delivery=257)
    story.on(T0 + 12, Event.received, 1, 257).authored(T0, 1, delivery=258).on(
        T0 + 13, Event.received, 1, 258
    )
    frame = read(story).deliveries.set_index("copy")
    assert list(frame["deadline_hours"]) == [T0 + 48, T0 + 12, T0 + 12]
    assert list(frame["was_late"]) == [False, False, True]


def test_a_kind_without_a_deadline_is_never_late() -> None:
    story = Story().created(T0, 1, step=ORDER).authored(T0, 1, step=ORDER).delivered(T0, 1, seen_after=2000.0)
    d = one_delivery(story)
    assert (d.has_deadline, d.was_late, d.fate) == (False, False, "on_time")


# The cohort and its horizon


@pytest.mark.parametrize(("created", "counts"), [(167.9, 0), (168.0, 1), (839.9, 1), (840.0, 0)])
def test_the_cohort_is_what_is_created_in_the_observation_window(created: float, counts: int) -> None:
    episodes = read(Story().created(created, 1).authored(created, 1).delivered(created, 1))
    assert (len(episodes.cases), len(episodes.deliveries)) == (counts, counts)


def test_what_happens_from_the_horizon_on_changes_nothing() -> None:
    def story() -> Story:
        return begun().authored(T0, 1, state=State.silent, fault=Fault.not_emitted)

    end = T0 + FOLLOW_UP
    later = story().on(end, Event.found, 1).delivered(end, 1).reached(end, 1, START)
    later.authored(end, 1, delivery=512).on(end + 1, Event.withdrawn, 1, 0, state=State.none)
    before, after = read(story()), read(later)
    pd.testing.assert_frame_equal(before.cases, after.cases)
    pd.testing.assert_frame_equal(before.deliveries, after.deliveries)


def test_what_happens_just_before_the_horizon_counts() -> None:
    end = T0 + FOLLOW_UP - 0.001
    story = begun().authored(T0, 1, state=State.silent).on(end, Event.found, 1)
    story.on(end, Event.opened, 1, state=State.seen).reached(end, 1, START)
    episodes = read(story)
    assert episodes.deliveries.iloc[0].fate == "recovered"
    assert episodes.cases.iloc[0].started


def test_a_pathway_that_only_fills_lists_is_in_no_table_but_on_the_lists() -> None:
    story = Story().created(T0, 1, step=FILLER).authored(T0, 1, step=FILLER).delivered(T0, 1, seen_after=30.0)
    episodes = read(story)
    assert len(episodes.cases) == len(episodes.deliveries) == 0
    backlog = episodes.profiles["backlog"].set_index("day")
    assert backlog.loc[9, "list_length"] == 1  # listed on day 9, with nobody ever said to have taken it


# Cases: care and the two clocks


def test_time_to_care_runs_from_creation_to_the_milestone() -> None:
    c = one_case(begun().authored(T0, 1).delivered(T0, 1).reached(T0 + 96, 1, START))
    assert (c.time_to_care_days, c.started, c.withdrawn, c.not_started) == (4.0, True, False, False)
    assert (c.target_days, c.delayed_after_days, c.arrived_hours) == (10.0, 14.0, T0 + 1)
    assert (c.delayed_start, c.statutory_breach, c.hidden_delay) == (False, False, False)


def test_a_case_not_started_counts_the_whole_follow_up() -> None:
    c = one_case(begun())
    assert (c.time_to_care_days, c.not_started, c.delayed_start) == (91.0, True, True)


def test_a_case_withdrawn_before_care_counts_the_time_until_then() -> None:
    story = begun().on(T0 + 48, Event.withdrawn, 1, 0, state=State.none).reached(T0 + 72, 1, START)
    c = one_case(story)
    assert (c.time_to_care_days, c.withdrawn, c.started, c.delayed_start) == (2.0, True, False, False)


def test_a_case_withdrawn_after_care_has_started() -> None:
    c = one_case(begun().reached(T0 + 24, 1, START).on(T0 + 48, Event.withdrawn, 1, 0, state=State.none))
    assert (c.time_to_care_days, c.started, c.withdrawn) == (1.0, True, False)


def test_a_case_turned_away_counts_the_time_until_then_and_is_not_waiting() -> None:
    c = one_case(begun().reached(T0 + 72, 1, TURNED_AWAY))
    assert (c.time_to_care_days, c.turned_away, c.withdrawn, c.not_started) == (3.0, True, False, False)


def test_a_pathway_that_begins_with_no_request_has_no_statutory_clock() -> None:
    c = one_case(Story().created(T0, 1, step=STAY))
    assert (c.not_started, c.delayed_start, c.has_clock) == (True, True, False)
    assert not (c.statutory_breach or c.hidden_delay)


def test_a_pathway_without_targets_has_no_time_to_care() -> None:
    c = one_case(Story().created(T0, 1, step=ORDER).authored(T0, 1, step=ORDER))
    assert np.isnan(c.time_to_care_days)
    assert not (c.has_care or c.started or c.not_started or c.hidden_delay)


def test_a_target_in_working_days_is_counted_in_the_calendar() -> None:
    c = one_case(begun(Urgency.routine))
    assert c.target_days == 42.0  # 30 working days from a Tuesday in January: six weeks


def test_a_referral_that_never_arrives_breaches_nothing_and_hides_its_delay() -> None:
    c = one_case(begun().authored(T0, 1, state=State.silent, fault=Fault.not_emitted))
    assert (c.statutory_breach, c.hidden_delay, c.silent_failures, c.touched) == (False, True, 1, True)
    assert np.isnan(c.arrived_hours)


def test_a_late_arrival_with_care_soon_after_is_a_hidden_delay() -> None:
    found = T0 + 300
    story = begun().authored(T0, 1, state=State.silent).on(found, Event.found, 1).delivered(found, 1)
    c = one_case(story.reached(found + 100, 1, START))
    assert (c.statutory_breach, c.hidden_delay, c.delayed_start) == (False, True, True)


def test_care_too_long_after_arrival_is_a_breach_and_hides_nothing() -> None:
    c = one_case(begun().authored(T0, 1).delivered(T0, 1).reached(T0 + 242, 1, START))
    assert (c.statutory_breach, c.hidden_delay) == (True, False)


def test_the_statutory_clock_needs_the_main_referral_and_no_copy() -> None:
    copy = begun().authored(T0, 1, delivery=257).delivered(T0, 1, delivery=257)
    assert np.isnan(one_case(copy).arrived_hours)
    status = begun().authored(T0, 1, step=STATUS).delivered(T0, 1)
    assert np.isnan(one_case(status).arrived_hours)


def test_a_case_counts_its_deliveries_and_how_overdue_the_worst_is() -> None:
    story = begun().authored(T0, 1).delivered(T0, 1, seen_after=58.0)
    story.authored(T0, 1, delivery=512).delivered(T0, 1, delivery=512)
    c = one_case(story.reached(T0 + 2, 1, ASSESS))
    assert (c.deliveries, c.silent_failures, c.most_overdue_hours, c.touched) == (2, 0, 10.0, False)
    assert c.assessed_hours == T0 + 2


def test_steps_of_one_name_are_one_in_the_table() -> None:
    assert list(words(np.array([0, 2, 1, -1, 9]), ["a", "b", "a"]).codes) == [0, 0, 1, -1, -1]


# Unseen after so many days


def test_unseen_after_30_days_does_not_care_about_what_comes_later() -> None:
    story = begun().authored(T0, 1, state=State.silent).on(T0 + 721, Event.found, 1)
    d = one_delivery(story.delivered(T0 + 721, 1))
    assert (d.followed_30_days, d.unseen_after_30_days, d.unseen_after_90_days) == (True, True, False)


def test_a_delivery_followed_for_less_than_90_days_says_nothing_about_90_days() -> None:
    d = one_delivery(begun().authored(T0 + 48, 1, state=State.silent))
    assert (d.followed_30_days, d.followed_90_days, d.unseen_after_90_days) == (True, False, False)


# Profiles


def test_the_backlog_is_the_list_at_the_end_of_each_day() -> None:
    story = begun().authored(T0, 1)
    story.on(10.0, Event.listed, 7, list_length=3).on(23.9, Event.taken, 7, list_length=2)
    story.on(24.0, Event.taken, 7, list_length=1).on(60.0, Event.snapshot, 0, 0, list_length=5)
    backlog = read(story).profiles["backlog"]
    assert list(backlog["list_length"][:4]) == [2, 1, 5, 5]
    assert set(backlog["service_kind"]) == {"referral_intake"}
    assert len(backlog) == np.ceil(small_header().end_hours / 24)


def test_those_waiting_for_a_bed_are_told_apart_from_the_work_list() -> None:
    story = Story().on(10.0, Event.listed, 7, service=CLINIC, list_length=4)
    story.on(11.0, Event.listed, 7, 0, service=CLINIC, step=BED, state=State.none, list_length=9)
    story.on(30.0, Event.placed, 7, 0, service=CLINIC, step=BED, state=State.none, list_length=8)
    story.on(50.0, Event.snapshot, 0, 0, service=CLINIC, step=-1, state=State.none, list_length=6)
    backlog = read(story).profiles["backlog"].set_index(["waiting_for", "day"])["list_length"]
    assert [backlog["work", day] for day in (1, 2, 3)] == [4, 4, 6]
    assert [backlog["place", day] for day in (1, 2, 3)] == [9, 8, 8]


def test_what_lies_where_nobody_looks_is_not_the_length_of_the_list() -> None:
    story = Story().on(10.0, Event.listed, 7, list_length=3)
    story.on(11.0, Event.listed, 8, state=State.silent, fault=Fault.unwatched, list_length=0)
    assert read(story).profiles["backlog"]["list_length"].iloc[0] == 3


def test_the_delay_profile_counts_every_delivery_once() -> None:
    story = begun().authored(T0, 1).delivered(T0, 1)
    story.authored(T0, 1, delivery=512).authored(T0, 1, delivery=768, state=State.silent)
    profile = read(story).profiles["delivery_delay"]
    assert dict(zip(profile["outcome"], profile["count"], strict=True)) == {
        "seen": 1,
        "lost": 1,
        "waiting": 1,
    }
    seen = profile[profile["outcome"] == "seen"].iloc[0]
    assert seen.low_hours <= 4.0 < seen.high_hours


def test_the_care_profile_adds_up_on_every_day() -> None:
    story = begun().reached(T0 + 48, 1, START).created(T0, 2).created(T0, 3)
    story.on(T0 + 120, Event.withdrawn, 3, 0, state=State.none)
    profile = read(story).profiles["time_to_care"]
    parts = profile[["started", "withdrawn", "turned_away", "not_started"]]
    assert (parts.sum(axis=1) == 3).all()
    by_day = profile.set_index("day")
    assert list(by_day.loc[[1, 2, 4, 5, 91], "started"]) == [0, 1, 1, 1, 1]
    assert list(by_day.loc[[1, 2, 4, 5, 91], "withdrawn"]) == [0, 0, 0, 1, 1]
    assert by_day["not_started"].iloc[-1] == 1


def test_the_stage_profile_counts_every_delivery_once() -> None:
    story = begun().authored(T0, 1).authored(T0, 1, delivery=512, state=State.silent, fault=Fault.not_emitted)
    stages = read(story).profiles["stages"]
    assert stages["count"].sum() == 2
    assert list(stages[stages["fault"] == "not_emitted"]["stage_failed"]) == ["emitted"]


def test_an_empty_journal_gives_empty_tables_with_all_columns() -> None:
    (empty,) = replay([], small_header(), [EpisodesFold()])
    full = read(begun().authored(T0, 1).delivered(T0, 1))
    assert list(empty.cases.columns) == list(full.cases.columns)
    assert list(empty.deliveries.columns) == list(full.deliveries.columns)
    for name, profile in empty.profiles.items():
        assert len(profile) == 0
        assert list(profile.columns) == list(full.profiles[name].columns), name


# The look-up table


def test_the_look_up_forgets_the_closed_and_keeps_the_open() -> None:
    fold = EpisodesFold()
    header = small_header(follow_up_hours=24.0)
    fold.start(header)
    fold._slots = np.full(16, -1, np.int64)
    found = 0
    for n in range(400):
        t = 170.0 + n
        story = Story().created(t, n + 1).authored(t, n + 1)
        fold.take(story.on(t + 0.5, Event.opened, n + 1, state=State.seen).block)
        found += 1
    assert len(fold._slots) <= 512  # 800 entries were made, and about 50 are open at a time
    episodes = fold.finish()
    assert len(episodes.deliveries) == found
    assert (episodes.deliveries["fate"] == "on_time").all()


def test_cases_and_deliveries_whose_numbers_collide_are_told_apart() -> None:
    slots = np.full(8, -1, np.int64)
    used = np.zeros(1, np.int64)
    cases = np.zeros(1, layout.CASE_ROW)
    deliveries = np.zeros(3, layout.DELIVERY_ROW)
    cases["case"] = -5
    rows._enter(slots, used, -5, 0, 0)
    for line, delivery in enumerate((256, 1 << 40, 257)):
        deliveries[line]["case"], deliveries[line]["delivery"] = -5, delivery
        rows._enter(slots, used, -5, delivery, line)
    assert used[0] == 4
    assert [rows._find(slots, cases, deliveries, -5, d) for d in (0, 256, 1 << 40, 257)] == [0, 0, 1, 2]
    assert rows._find(slots, cases, deliveries, -5, 258) == -1
    assert rows._find(slots, cases, deliveries, 5, 0) == -1
