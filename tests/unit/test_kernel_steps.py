"""What each kind of step does, on pathways of a line or two: the whole journal is compared each time."""

from __future__ import annotations

import inspect
import math
import re
from pathlib import Path

import pytest

from flowsim.config.docs import json_schema
from flowsim.config.pathway_file import STEP_CLASSES
from flowsim.kernel import steps
from flowsim.vocabulary import StepKind
from tests.small_worlds import log, pathway, plan, rows_of, same

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"
REFER = "- {id: refer, do: send, message: referral, sender: origin, to: referral_intake"


def test_every_kind_of_step_has_a_word_a_class_a_kernel_function_and_an_example() -> None:
    words = {kind.name for kind in StepKind}
    functions = {name.removeprefix("do_") for name, _ in inspect.getmembers(steps) if name.startswith("do_")}
    examples = {}
    for part in json_schema("pathway")["$defs"].values():
        if "do" in part.get("properties", {}):
            (examples[part["properties"]["do"]["const"]],) = part["examples"]
    assert words == set(STEP_CLASSES) == functions == set(examples)
    page = DOCS.read_text(encoding="utf-8")
    for kind, example in examples.items():
        assert STEP_CLASSES[kind].model_validate(example).model_dump()["do"] == kind
        assert re.search(rf"^- {{id: {example['id']}, do: {kind}\b", page, re.MULTILINE), (
            f"no example of {kind}"
        )


def test_each_kernel_function_says_which_step_it_does() -> None:
    for kind in StepKind:
        function = getattr(steps, f"do_{kind.name}")
        text = getattr(function, "py_func", function).__doc__
        assert text.startswith(f"{kind.name}: ")


def test_send_goes_on_when_the_message_has_arrived_and_been_read() -> None:
    given = pathway(f"{REFER}, reading: 15 min}}\n- {{id: after, do: milestone, name: assessed}}")
    assert same(log(plan(given)), """
        0 created refer practice_1 practice_1
        0 authored refer practice_1 intake main/edi/1/moving
        0 sent refer practice_1 intake main/edi/1/moving
        2 transport_receipt refer practice_1 intake main/edi/1/moving
        2 received refer intake practice_1 main/edi/1/moving
        2 application_receipt refer practice_1 intake main/edi/1/moving
        2 listed refer intake practice_1 length=1 main/edi/1/moving
        2 taken refer intake practice_1 main/edi/1/seen
        2.25 done refer intake practice_1 main/edi/1/seen
        2.25 milestone after practice_1 -
        2.25 closed - practice_1 -
    """)  # fmt: skip


def test_send_without_waiting_goes_on_at_once_and_every_copy_is_a_delivery_of_its_own() -> None:
    given = pathway(
        f"{REFER}, copies: [home_nursing, gp_office], reading: 15 min, waits: false}}\n"
        "- {id: after, do: milestone, name: assessed}"
    )
    assert same(log(plan(given, level="100 %")), """
        0 created refer practice_1 practice_1
        0 authored refer practice_1 home copy1/platform/1/moving
        0 sent refer practice_1 home copy1/platform/1/moving
        0 authored refer practice_1 practice_1 copy2/platform/1/moving
        0 sent refer practice_1 practice_1 copy2/platform/1/moving
        0 authored refer practice_1 intake main/platform/1/moving
        0 sent refer practice_1 intake main/platform/1/moving
        0 milestone after practice_1 -
        1 received refer home practice_1 copy1/platform/1/moving
        1 listed refer home practice_1 length=1 copy1/platform/1/moving
        1 taken refer home practice_1 copy1/platform/1/seen
        1 received refer practice_1 practice_1 copy2/platform/1/moving
        1 listed refer practice_1 practice_1 length=1 copy2/platform/1/moving
        1 taken refer practice_1 practice_1 copy2/platform/1/seen
        1 received refer intake practice_1 main/platform/1/moving
        1 listed refer intake practice_1 length=1 main/platform/1/moving
        1 taken refer intake practice_1 main/platform/1/seen
        1.25 done refer home practice_1 copy1/platform/1/seen
        1.25 done refer practice_1 practice_1 copy2/platform/1/seen
        1.25 done refer intake practice_1 main/platform/1/seen
        1.25 closed refer practice_1 -
    """)  # fmt: skip


def test_a_message_is_seen_when_the_work_that_it_asks_for_is_taken() -> None:
    given = pathway(f"{REFER}}}\n- {{id: look, do: work, service: referral_intake, minutes: 30 min}}")
    assert same(log(plan(given)), """
        0 created refer practice_1 practice_1
        0 authored refer practice_1 intake main/edi/1/moving
        0 sent refer practice_1 intake main/edi/1/moving
        2 transport_receipt refer practice_1 intake main/edi/1/moving
        2 received refer intake practice_1 main/edi/1/moving
        2 application_receipt refer practice_1 intake main/edi/1/moving
        2 listed look intake practice_1 length=1 main/edi/1/moving
        2 taken look intake practice_1 main/edi/1/seen
        2.5 done look intake practice_1 main/edi/1/seen
        2.5 closed - practice_1 -
    """)  # fmt: skip


def test_a_message_that_asks_for_no_work_where_it_came_is_opened_as_it_comes() -> None:
    given = pathway(f"{REFER}}}\n- {{id: look, do: work, service: home_nursing, minutes: 30 min}}")
    assert "2 opened refer intake practice_1 main/edi/1/seen" in log(plan(given)).splitlines()


def test_an_ideal_message_is_there_the_instant_it_is_written() -> None:
    given = pathway(
        f"{REFER}}}\n- {{id: look, do: work, service: referral_intake, minutes: 30 min, search: 9 h}}"
    )
    assert same(log(plan(given, ideal=True)), """
        0 created refer practice_1 practice_1
        0 authored refer practice_1 intake main/ideal/1/moving
        0 sent refer practice_1 intake main/ideal/1/moving
        0 received refer intake practice_1 main/ideal/1/moving
        0 listed look intake practice_1 length=1 main/ideal/1/moving
        0 taken look intake practice_1 main/ideal/1/seen
        0.5 done look intake practice_1 main/ideal/1/seen
        0.5 closed - practice_1 -
    """)  # fmt: skip


def test_work_takes_its_time_and_the_time_for_search_one_after_the_other() -> None:
    given = pathway(
        "- {id: look, do: work, service: referral_intake, minutes: 2 h, search: 1 h}", times="0 h, 1 h, 2 h"
    )
    assert same(log(plan(given)), """
        0 created look practice_1 practice_1
        0 listed look intake - length=1
        0 taken look intake -
        1 created look practice_1 practice_1
        1 listed look intake - length=1
        2 created look practice_1 practice_1
        2 listed look intake - length=2
        3 done look intake - length=2
        3 taken look intake - length=1
        3 closed - practice_1 -
        6 done look intake - length=1
        6 taken look intake -
        6 closed - practice_1 -
        9 done look intake -
        9 closed - practice_1 -
    """)  # fmt: skip


def test_work_begins_in_opening_hours_and_is_finished_after_them() -> None:
    given = pathway("- {id: look, do: work, service: case_office, minutes: 2 h}", times="7 h, 15 h, 15 h")
    assert same(log(plan(given)), """
        7 created look practice_1 practice_1
        7 listed look case_office - length=1
        8 taken look case_office -
        10 done look case_office -
        10 closed - practice_1 -
        15 created look practice_1 practice_1
        15 listed look case_office - length=1
        15 taken look case_office -
        15 created look practice_1 practice_1
        15 listed look case_office - length=1
        17 done look case_office - length=1
        17 closed - practice_1 -
        32 taken look case_office -
        34 done look case_office -
        34 closed - practice_1 -
    """)  # fmt: skip


def test_a_list_that_is_looked_at_once_a_day_is_emptied_at_that_look() -> None:
    given = pathway("- {id: look, do: work, service: emergency_clinic, minutes: 1 h}", times="0 h, 6 h, 7 h")
    taken = [line for line in log(plan(given)).splitlines() if " taken " in line]
    assert taken == ["6 taken look looked_at -", "6 taken look looked_at -", "30 taken look looked_at -"]


@pytest.mark.parametrize(
    ("priority", "order"),
    [("none", "1 2 3"), ("urgency", "3 1 2"), ("first", "1 2 3"), ("last", "1 2 3")],
)
def test_staff_take_the_most_urgent_first_where_a_step_says_so(priority: str, order: str) -> None:
    """Three wait behind a fourth: two routine, then an urgent one."""
    text = f"- {{id: look, do: work, service: referral_intake, minutes: 2 h, priority: {priority}}}"
    routine = pathway(text, times="0 h, 1 h, 1.2 h", name="routine")
    urgent = pathway(text, times="1.5 h", name="urgent")
    urgent["starts"]["urgency"] = {"urgent": 1.0}
    rows = rows_of(plan(routine, urgent))
    created = {row["case"]: f"{row['time']:g}" for row in rows if row["event"] == 1}
    found = [created[row["case"]] for row in rows if row["event"] == 11][1:]
    assert " ".join(str(["1", "1.2", "1.5"].index(at) + 1) for at in found) == order


def test_first_and_last_stand_before_and_behind_all_others() -> None:
    text = "- {{id: look, do: work, service: referral_intake, minutes: 2 h, priority: {}}}"
    given = [
        pathway(text.format(p), times=t, name=p)
        for p, t in (("last", "0 h, 1 h"), ("urgency", "1.1 h"), ("first", "1.2 h"))
    ]
    rows = rows_of(plan(*given))
    created = {row["case"]: f"{row['time']:g}" for row in rows if row["event"] == 1}
    assert [created[row["case"]] for row in rows if row["event"] == 11] == ["0", "1.2", "1.1", "1"]


def test_whoever_is_impatient_leaves_the_list_and_goes_elsewhere() -> None:
    given = pathway("""
- {id: look, do: work, service: radiology, minutes: 2 h, patience: 3 h, impatient: other}
- {id: never, do: milestone, name: assessed}
- {id: other, do: milestone, name: turned_away}
""")
    assert same(log(plan(given)), """
        0 created look practice_1 practice_1
        0 listed look unmanned - length=1
        3 cancelled look unmanned -
        3 milestone other practice_1 -
        3 closed - practice_1 -
    """)  # fmt: skip


def test_whoever_is_impatient_and_has_nowhere_to_go_withdraws() -> None:
    given = pathway("- {id: look, do: work, service: radiology, minutes: 2 h, patience: 3 h}")
    assert same(log(plan(given)), """
        0 created look practice_1 practice_1
        0 listed look unmanned - length=1
        3 withdrawn - practice_1 -
        3 cancelled look unmanned -
        3 closed - practice_1 -
    """)  # fmt: skip


def test_patience_ends_when_work_begins() -> None:
    """The second waits from 1:00 to 2:30 and is at work when its patience would have ended, at 4:00."""
    text = "- {id: look, do: work, service: referral_intake, minutes: 2.5 h, patience: 3 h}"
    found = log(plan(pathway(text, times="0 h, 1 h")))
    assert "2.5 taken look intake -" in found and "withdrawn" not in found


def test_place_holds_a_bed_and_gives_it_to_the_next() -> None:
    given = pathway("- {id: bed, do: place, service: ward, hold: 5 h}", times="0 h, 1 h")
    assert same(log(plan(given)), """
        0 created bed practice_1 practice_1
        0 placed bed ward -
        1 created bed practice_1 practice_1
        1 listed bed ward - length=1
        5 left bed ward - length=1
        5 closed - practice_1 -
        5 placed bed ward -
        10 left bed ward -
        10 closed - practice_1 -
    """)  # fmt: skip


def test_a_place_without_a_hold_is_kept_until_the_end() -> None:
    given = pathway(
        "- {id: bed, do: place, service: ward}\n- {id: stay, do: wait, time: 4 h}", times="0 h, 1 h"
    )
    assert same(log(plan(given)), """
        0 created bed practice_1 practice_1
        0 placed bed ward -
        1 created bed practice_1 practice_1
        1 listed bed ward - length=1
        4 left bed ward - length=1
        4 closed - practice_1 -
        4 placed bed ward -
        8 left bed ward -
        8 closed - practice_1 -
    """)  # fmt: skip


def test_place_turns_away_who_finds_none_free_where_the_step_says_so() -> None:
    given = pathway("""
- {id: bed, do: place, service: ward, hold: 5 h, turned_away: away}
- {id: well, do: end}
- {id: away, do: milestone, name: turned_away}
""", times="0 h, 1 h, 5 h")  # fmt: skip
    assert same(log(plan(given)), """
        0 created bed practice_1 practice_1
        0 placed bed ward -
        1 created bed practice_1 practice_1
        1 milestone away practice_1 -
        1 closed - practice_1 -
        5 left bed ward -
        5 closed well practice_1 -
        5 created bed practice_1 practice_1
        5 placed bed ward -
        10 left bed ward -
        10 closed well practice_1 -
    """)  # fmt: skip


def test_slots_lie_on_a_grid_of_open_hours_and_lapse_when_nobody_waits() -> None:
    """40 a week in 40 open hours: one at the end of each. Those of 11:00 to 15:00 lapse."""
    given = pathway("- {id: visit, do: place, service: clinic, hold: 30 min}", times="0 h, 8 h, 15.5 h")
    assert same(log(plan(given)), """
        0 created visit practice_1 practice_1
        0 listed visit clinic - length=1
        8 created visit practice_1 practice_1
        8 listed visit clinic - length=2
        9 placed visit clinic - length=1
        9.5 left visit clinic - length=1
        9.5 closed - practice_1 -
        10 placed visit clinic -
        10.5 left visit clinic -
        10.5 closed - practice_1 -
        15.5 created visit practice_1 practice_1
        15.5 listed visit clinic - length=1
        16 placed visit clinic -
        16.5 left visit clinic -
        16.5 closed - practice_1 -
    """)  # fmt: skip


def test_wait_counts_by_the_clock_or_in_open_hours() -> None:
    """From 1:30, ten open hours end at 10:00 the next day."""
    given = pathway(
        "- {id: pause, do: wait, time: 90 min}\n- {id: open, do: wait, time: 10 h, calendar: office}"
    )
    assert same(log(plan(given)), """
        0 created pause practice_1 practice_1
        34 closed - practice_1 -
    """)  # fmt: skip


def test_branch_goes_by_the_shares_for_the_urgency() -> None:
    steps_text = """
- {id: way, do: branch, choices: [
   {share: 0, go: a}, {share: 1.0, go: b}, {share: 1.0, go: a, urgency: [urgent]}]}
- {id: a, do: milestone, name: custom_1, next: over}
- {id: b, do: milestone, name: custom_2}
- {id: over, do: end}
"""
    routine, urgent = pathway(steps_text), pathway(steps_text)
    urgent["starts"]["urgency"] = {"urgent": 1.0}
    assert "0 milestone b " in log(plan(routine)) and "milestone a" not in log(plan(routine))
    assert "0 milestone a " in log(plan(urgent)) and "milestone b" not in log(plan(urgent))


def test_branch_shares_its_cases_out() -> None:
    """600 cases, 30 %: within four standard errors."""
    times = ", ".join(f"{h} h" for h in range(600))
    given = pathway("""
- {id: way, do: branch, choices: [{share: 30 %, go: a}, {share: 70 %, go: b}]}
- {id: a, do: milestone, name: custom_1}
- {id: b, do: end}
""", times=times)  # fmt: skip
    share = sum(rows_of(plan(given, days=30))["event"] == 24) / 600
    assert abs(share - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 600)


def test_fork_starts_threads_and_join_waits_for_the_last() -> None:
    given = pathway("""
- {id: both, do: fork, branches: [other]}
- {id: quick, do: wait, time: 1 h, next: meet}
- {id: other, do: wait, time: 3 h}
- {id: meet, do: join, threads: 2}
- {id: after, do: milestone, name: custom_1}
""")
    assert same(log(plan(given)), """
        0 created both practice_1 practice_1
        3 milestone after practice_1 -
        3 closed - practice_1 -
    """)  # fmt: skip


def test_set_copy_and_compare_work_on_numbers_of_the_case() -> None:
    given = pathway("""
- {id: one, do: set, into: a, value: 2}
- {id: more, do: set, into: a, value: 3, add: true}
- {id: before, do: compare, first: a, second: b, equal: bad, different: take}
- {id: take, do: copy, source: a, target: b}
- {id: five, do: set, into: a, value: 5}
- {id: after, do: compare, first: a, second: b, equal: good, different: bad}
- {id: good, do: milestone, name: custom_1, next: over}
- {id: bad, do: milestone, name: custom_2}
- {id: over, do: end}
""")
    assert same(log(plan(given)), """
        0 created one practice_1 practice_1
        0 milestone good practice_1 -
        0 closed over practice_1 -
    """)  # fmt: skip


def test_numbers_of_a_case_are_its_own_and_begin_at_zero() -> None:
    """The second case gets the slot of the first, and must not find its numbers there."""
    given = pathway("""
- {id: look, do: compare, first: a, second: b, equal: fresh, different: stale}
- {id: fresh, do: milestone, name: custom_1}
- {id: write, do: set, into: a, value: 7, next: over}
- {id: stale, do: milestone, name: custom_2}
- {id: over, do: end}
""", times="0 h, 1 h")  # fmt: skip
    found = log(plan(given))
    assert found.count("milestone fresh") == 2 and "stale" not in found


def test_repeat_goes_back_and_every_round_has_its_own_message() -> None:
    given = pathway("""
- {id: visit, do: wait, time: 2 h}
- {id: told, do: send, message: service_notice, sender: home_nursing, to: gp_office, waits: false}
- {id: again, do: repeat, to: visit, times: 3}
- {id: after, do: milestone, name: custom_1}
""")
    found = [line for line in log(plan(given)).splitlines() if "receipt" not in line and " sent " not in line]
    assert same("\n".join(found), """
        0 created visit practice_1 practice_1
        2 authored told home practice_1 main/edi/1/moving
        4 received told practice_1 home main/edi/1/moving
        4 opened told practice_1 home main/edi/1/seen
        4 authored told home practice_1 main/edi/1/moving visit=1
        6 received told practice_1 home main/edi/1/moving visit=1
        6 opened told practice_1 home main/edi/1/seen visit=1
        6 authored told home practice_1 main/edi/1/moving visit=2
        6 milestone after practice_1 -
        8 received told practice_1 home main/edi/1/moving visit=2
        8 opened told practice_1 home main/edi/1/seen visit=2
        8 closed told practice_1 -
    """)  # fmt: skip


def test_going_back_by_next_or_by_a_branch_has_its_own_luck_and_message_too() -> None:
    """With the first round's luck again, a branch that has gone back once would go back for ever."""
    given = pathway("""
- {id: visit, do: send, message: service_notice, sender: home_nursing, to: gp_office, waits: false}
- {id: pause, do: wait, time: {kind: exponential, mean: 1 h}}
- {id: again, do: branch, choices: [{share: 80 %, go: visit}, {share: 20 %, go: over}]}
- {id: over, do: end}
""", times=", ".join(["0 h"] * 40))  # fmt: skip
    rows = rows_of(plan(given))
    authored = rows[rows["event"] == 2]
    assert len({(row["case"], row["delivery"]) for row in authored}) == len(authored) > 100
    assert sum(rows["event"] == 13) == 40, "somebody goes round for ever"


def test_cancel_ends_the_threads_that_began_at_a_step_and_then_all_others() -> None:
    given = pathway("""
- {id: both, do: fork, branches: [first, second]}
- {id: refer, do: send, message: referral, sender: origin, to: referral_intake, waits: false}
- {id: pause, do: wait, time: 1 h}
- {id: stop, do: cancel, thread: first}
- {id: again, do: wait, time: 30 min}
- {id: stop_all, do: cancel}
- {id: over, do: end}
- {id: first, do: work, service: radiology, minutes: 1 h}
- {id: second, do: place, service: ward, hold: 5 h}
""")
    assert same(log(plan(given)), """
        0 created both practice_1 practice_1
        0 authored refer practice_1 intake main/edi/1/moving
        0 sent refer practice_1 intake main/edi/1/moving
        0 listed first unmanned - length=1
        0 placed second ward -
        1 cancelled first unmanned -
        1.5 cancelled refer practice_1 intake main/edi/1/ended
        1.5 left second ward -
        1.5 closed over practice_1 -
    """)  # fmt: skip


def test_milestone_marks_a_point_and_nobody_withdraws_once_care_has_started() -> None:
    text = """
- {{id: pause, do: wait, time: {}}}
- {{id: care, do: milestone, name: care_started}}
- {{id: stay, do: wait, time: 9 h}}
"""
    withdrawal = {"chance": 1.0, "after": "3 h"}
    before = pathway(text.format("4 h"), withdrawal=withdrawal)
    after = pathway(text.format("2 h"), withdrawal=withdrawal)
    assert same(log(plan(before)), """
        0 created pause practice_1 practice_1
        3 withdrawn - practice_1 -
        3 closed - practice_1 -
    """)  # fmt: skip
    assert same(log(plan(after)), """
        0 created pause practice_1 practice_1
        2 milestone care practice_1 -
        11 closed - practice_1 -
    """)  # fmt: skip


def test_end_ends_a_thread_and_the_last_one_closes_the_case() -> None:
    given = pathway("""
- {id: both, do: fork, branches: [later]}
- {id: over, do: end}
- {id: later, do: wait, time: 2 h}
""")
    assert same(log(plan(given)), """
        0 created both practice_1 practice_1
        2 closed - practice_1 -
    """)  # fmt: skip
