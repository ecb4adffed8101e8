"""The score against the truth: each definition on a case small enough to count by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.monitor.due import due_times
from flowsim.monitor.rules import Pattern, Rule
from flowsim.monitor.score import Exposure, Score, Truth, found_curve, score
from flowsim.observe.directory import Directory, Unit
from flowsim.units import Duration, WorkingDays
from flowsim.vocabulary import (
    ALERT_SCHEMA,
    Channel,
    Fault,
    Level,
    MessageKind,
    Party,
    RuleKind,
    Seen,
    Urgency,
    Verdict,
)

DIRECTORY = Directory(
    (
        Unit("gp", "GP", party=Party.gp),
        Unit("intake", "Intake", party=Party.hospital),
        Unit("ward", "Ward", party=Party.hospital),
        Unit("old_intake", "old address of Intake", party=Party.hospital, old_address_of=1),
    ),
    ("referral/send",),
)
DAYS = WorkingDays(date(2024, 1, 1), 400)  # a Monday
EMISSION, OPENED, IDLE, BALANCE, RATE, HEARD, ANSWERED = range(7)
RULES = (
    Rule(
        "emission",
        RuleKind.response,
        Pattern(frozenset([Seen.ordered])),
        soft=Duration(4),
        hard=Duration(48),
        guess=(Fault.not_emitted,),
    ),
    Rule(
        "opened.routine",
        RuleKind.response,
        Pattern(frozenset([Seen.accepted]), urgencies=frozenset([Urgency.routine])),
        hard=Duration(working_days=10),
        guess=(Fault.unwatched,),
    ),
    Rule(
        "idle_list",
        RuleKind.idle,
        Pattern(frozenset([Seen.accepted])),
        hard=Duration(working_days=4),
        by=("unit",),
        guess=(Fault.unwatched,),
    ),
    Rule(
        "counts",
        RuleKind.balance,
        Pattern(frozenset([Seen.ordered])),
        soft=Duration(),
        by=("sender", "message"),
        guess=(Fault.not_emitted,),
    ),
    Rule(
        "volume",
        RuleKind.rate_change,
        Pattern(frozenset([Seen.sent])),
        soft=Duration(),
        by=("message",),
        guess=(Fault.not_emitted,),
    ),
    Rule("heard", RuleKind.heartbeat, Pattern(frozenset([Seen.heartbeat])), hard=Duration(96), by=()),
    Rule(
        "answered",
        RuleKind.response,
        Pattern(frozenset([Seen.ordered])),
        soft=Duration(working_days=10),
        by=("subject",),
        guess=(Fault.misaddressed,),
    ),
)
EXPOSURE = Exposure(deliveries=2000, working_days=50.0, units=4, end=2000.0)


def item(key: int, fault: str, began: float, ended: float = np.inf, **more: Any) -> dict[str, Any]:
    plain = {
        "subject": 100 + key,
        "sender": 0,
        "intended": 1,
        "message": int(MessageKind.referral),
        "channel": int(Channel.edi),
        "template": 0,
        "urgency": int(Urgency.routine),
        "people_noticed": np.inf,
    }
    return {"key": key, "fault": fault, "began": began, "ended": ended, **plain, **more}


def alert(rule: int, raised: float, **more: Any) -> dict[str, Any]:
    plain = {"since": raised - 10, "key": 0, "recovered": np.inf, "verdict": Verdict.violated}
    return {"rule": rule, "raised": raised, "level": Level.hard, **plain, **more}


def alerts_of(*rows: dict[str, Any]) -> np.ndarray[Any, Any]:
    found = np.zeros(len(rows), ALERT_SCHEMA)
    for name in ("unit", "sender", "receiver", "template"):
        found[name] = -1
    for place, row in enumerate(rows):
        for name, value in row.items():
            found[name][place] = value
    return found


def scored(
    alerts: list[dict[str, Any]],
    items: list[dict[str, Any]],
    episodes: Sequence[tuple[str, int, str, float, float]] = (),
    touched: Sequence[tuple[int, int]] = (),
    listed: Mapping[float, list[int]] = MappingProxyType({}),
    exposure: Exposure = EXPOSURE,
) -> Score:
    table = pd.DataFrame(items)
    table["due"] = due_times(table, RULES, DIRECTORY, DAYS)
    things = pd.DataFrame(episodes, columns=["kind", "number", "fault", "began", "ended"])
    truth = Truth(
        table, things.assign(people_noticed=np.inf), pd.DataFrame(touched, columns=["episode", "key"])
    )
    return score(
        alerts_of(*alerts),
        lambda row: listed.get(float(row["raised"]), []),
        RULES,
        DIRECTORY,
        truth,
        exposure,
    )


def row(result: Score, name: str, level: str = "hard", unit: str = "item") -> Any:
    table = result.classes
    found = table[(table["class"] == name) & (table["level"] == level) & (table["unit"] == unit)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_fault_is_due_once_it_lasted_beyond_the_hard_limit_of_its_class() -> None:
    items = pd.DataFrame(
        [item(1, "not_emitted", 10.0), item(2, "not_emitted", 10.0, ended=58.0), item(3, "incomplete", 5.0)]
    )
    assert due_times(items, RULES, DIRECTORY, DAYS).tolist() == [58.0, np.inf, 5.0]


def test_the_limit_is_that_of_a_rule_that_speaks_of_such_a_message() -> None:
    """Ten working days for a routine item by its own rule, four by the list's: the shorter counts."""
    items = pd.DataFrame([item(1, "unwatched", 0.0, urgency=int(Urgency.urgent)), item(2, "unwatched", 0.0)])
    assert due_times(items, RULES, DIRECTORY, DAYS).tolist() == [96.0, 96.0]
    only = due_times(items, [RULES[OPENED]], DIRECTORY, DAYS)
    assert only.tolist() == [14 * 24.0, 14 * 24.0], "none speaks of the urgent one: the class's own limit"


def test_soft_limits_count_only_where_a_class_has_no_hard_one() -> None:
    items = pd.DataFrame([item(1, "misaddressed", 0.0), item(2, "not_emitted", 0.0)])
    assert due_times(items, RULES, DIRECTORY, DAYS).tolist() == [14 * 24.0, 48.0]


def test_recall_counts_items_that_an_alert_names_after_the_fault_began() -> None:
    result = scored(
        [
            alert(EMISSION, 70.0, key=1),
            alert(EMISSION, 80.0, key=1),
            alert(EMISSION, 50.0, key=2),  # before its fault began: about something else
            alert(EMISSION, 90.0, key=99),  # no fault: false
        ],
        [item(1, "not_emitted", 10.0), item(2, "not_emitted", 100.0), item(3, "not_emitted", 10.0)],
    )
    found = row(result, "not_emitted")
    assert (found["due"], found["found"]) == (3, 1)
    assert found["recall"] == pytest.approx(1 / 3)
    burden = result.burden.set_index("level").loc["hard"]
    assert (burden["alerts"], burden["true"], burden["precision"]) == (4, 2, 0.5)
    assert burden["per_working_day"] == 4 / 50
    assert burden["per_1000_deliveries"] == 2.0
    assert burden["per_unit_and_working_day"] == 4 / 200


def test_missing_ids_that_a_count_lists_are_found_too() -> None:
    result = scored(
        [alert(BALANCE, 80.0, sender=0, message=int(MessageKind.referral), level=Level.soft)],
        [item(1, "not_emitted", 10.0), item(2, "not_emitted", 20.0)],
        listed={80.0: [1, 77]},
    )
    assert row(result, "not_emitted", "any")["found"] == 1
    assert row(result, "not_emitted", "hard")["found"] == 0
    assert result.burden.set_index("level").loc["soft", "precision"] == 1.0


def test_people_who_noticed_first_are_counted_apart() -> None:
    result = scored(
        [alert(EMISSION, 106.0, key=1), alert(EMISSION, 106.0, key=2), alert(EMISSION, 106.0, key=3)],
        [
            item(1, "not_emitted", 10.0, people_noticed=58.0),
            item(2, "not_emitted", 10.0, people_noticed=202.0),
            item(3, "not_emitted", 10.0),
        ],
    )
    found = row(result, "not_emitted")
    assert found["recall"] == 1.0
    assert found["recall_before_people"] == pytest.approx(2 / 3)
    assert found["people_share"] == pytest.approx(2 / 3)
    assert found["lead_days"] == pytest.approx((-2.0 + 4.0) / 2)
    assert found["people_median_days"] == pytest.approx(5.0)


def test_what_was_missed_is_censored_not_left_out() -> None:
    """Found on days 3 and 5, missed until day 4 and until the end: 1/4, then 1/4 + 3/4 · 1/2."""
    result = scored(
        [alert(EMISSION, 72.0, key=1), alert(EMISSION, 120.0, key=2)],
        [
            item(1, "not_emitted", 0.0),
            item(2, "not_emitted", 0.0),
            item(3, "not_emitted", 0.0, ended=96.0),
            item(4, "not_emitted", 0.0),
        ],
    )
    times = result.times
    curve = found_curve(times[(times["level"] == "hard") & (times["class"] == "not_emitted")])
    assert curve.set_index("days")["found_share"].loc[[3.0, 5.0]].tolist() == pytest.approx([0.25, 0.625])
    found = row(result, "not_emitted")
    assert found["median_days"] == 5.0 and np.isinf(found["days_90"])
    assert found["median_days_found"] == 4.0


def test_an_episode_is_found_by_the_first_alert_on_its_stream_while_it_lasts() -> None:
    items = [item(1, "not_emitted", 100.0), item(2, "not_emitted", 300.0, sender=2)]
    episodes = [("defect", 0, "not_emitted", 90.0, 900.0), ("defect", 1, "not_emitted", 290.0, 400.0)]
    stream = {"message": int(MessageKind.referral), "level": Level.soft}
    late = [alert(RATE, 950.0, **stream), alert(RATE, 80.0, **stream)]
    missed = row(scored(late, items, episodes, [(0, 1), (1, 2)]), "not_emitted", "any", "episode")
    assert (missed["due"], missed["found"]) == (2, 0)
    inside = [alert(RATE, 330.0, **stream), alert(RATE, 600.0, **stream)]
    found = row(scored(inside, items, episodes, [(0, 1), (1, 2)]), "not_emitted", "any", "episode")
    assert found["found"] == 2
    assert found["median_days_found"] == pytest.approx((240 / 24 + 40 / 24) / 2)
    of_sender = [alert(RATE, 330.0, sender=2, **stream)]
    assert (
        row(scored(of_sender, items, episodes, [(0, 1), (1, 2)]), "not_emitted", "any", "episode")["found"]
        == 1
    )


def test_an_episode_that_made_nothing_due_is_owed_no_alert() -> None:
    items = [item(1, "not_emitted", 100.0, ended=110.0), item(2, "not_emitted", 100.0)]
    result = scored([], items, [("outage", 0, "", 90.0, 105.0)], [(0, 1)])
    assert result.classes[result.classes["unit"] == "episode"].empty


def test_an_unread_list_is_an_episode_and_its_alert_is_true() -> None:
    items = [item(n, "unwatched", 100.0) for n in (1, 2, 3)]
    episodes = [("unwatched_list", 1, "", 50.0, np.inf)]
    touched = [(0, n) for n in (1, 2, 3)]
    result = scored(
        [alert(IDLE, 300.0, unit=1, count=3), alert(IDLE, 300.0, unit=2, count=3)], items, episodes, touched
    )
    assert row(result, "unwatched_list", unit="episode")["found"] == 1
    assert result.burden.set_index("level").loc["hard", "precision"] == 0.5
    assert row(result, "unwatched")["found"] == 0, "it names no message"


def test_an_old_address_is_another_stream_than_the_service_that_had_it() -> None:
    items = [item(1, "unwatched", 100.0)]
    episodes = [("old_address", 1, "", 50.0, np.inf)]
    rules = list(RULES)
    at_new = scored([alert(IDLE, 300.0, unit=1, count=9)], items, episodes, [(0, 1)])
    assert row(at_new, "old_address", unit="episode")["found"] == 0
    # The list's rule guesses unwatched; what lies at an old address was misaddressed.
    rules[IDLE] = Rule(**{**vars(RULES[IDLE]), "guess": (Fault.misaddressed,)})
    table = pd.DataFrame(items).assign(due=150.0)
    things = pd.DataFrame(episodes, columns=["kind", "number", "fault", "began", "ended"]).assign(
        people_noticed=np.inf
    )
    truth = Truth(table, things, pd.DataFrame([(0, 1)], columns=["episode", "key"]))
    found = score(
        alerts_of(alert(IDLE, 300.0, unit=3, count=9)), lambda _: [], rules, DIRECTORY, truth, EXPOSURE
    )
    assert row(found, "old_address", unit="episode")["found"] == 1


def test_a_stream_alert_must_be_explained_by_as_many_faults_as_it_counts() -> None:
    items = [item(n, "unwatched", 100.0) for n in (1, 2)]
    few = scored([alert(IDLE, 300.0, unit=1, count=9)], items)
    enough = scored([alert(IDLE, 300.0, unit=1, count=2)], items)
    assert few.burden.set_index("level").loc["hard", "precision"] == 0.0
    assert enough.burden.set_index("level").loc["hard", "precision"] == 1.0


def test_an_alert_about_a_patient_is_true_but_names_no_message() -> None:
    result = scored(
        [
            alert(ANSWERED, 400.0, subject=101, level=Level.soft),
            alert(ANSWERED, 400.0, subject=5, level=Level.soft),
        ],
        [item(1, "misaddressed", 10.0)],
    )
    assert result.burden.set_index("level").loc["soft", "precision"] == 0.5
    assert row(result, "misaddressed", "any")["found"] == 0


def test_what_no_rule_can_show_is_told_apart_from_what_was_missed() -> None:
    result = scored(
        [], [item(1, "incomplete", 10.0), item(2, "unwatched", 10.0), item(3, "not_emitted", 10.0)]
    )
    assert row(result, "incomplete")["due"] == 1 and row(result, "incomplete")["spoken_of"] == 0
    assert row(result, "not_emitted")["spoken_of"] == 1


def test_alerts_about_the_logs_and_inconclusive_ones_are_no_false_alarms() -> None:
    result = scored(
        [
            alert(HEARD, 300.0),
            alert(EMISSION, 300.0, key=9, verdict=Verdict.inconclusive),
            alert(EMISSION, 300.0, key=1),
        ],
        [item(1, "not_emitted", 10.0)],
    )
    burden = result.burden.set_index("level").loc["hard"]
    assert (burden["alerts"], burden["precision"], burden["inconclusive"]) == (2, 1.0, 1)
    assert np.isnan(result.rules.set_index(["rule", "level"]).loc[("heard", "hard"), "precision"])


def test_what_began_too_early_or_was_due_too_late_does_not_count() -> None:
    items = [item(n, "not_emitted", began) for n, began in ((1, 50.0), (2, 150.0), (3, 1850.0), (4, 1000.0))]
    watched = Exposure(2000, 50.0, 4, end=2000.0, begin=100.0, settle=168.0)
    result = scored([alert(EMISSION, 99.0, key=1), alert(EMISSION, 101.0, key=1)], items, exposure=watched)
    assert row(result, "not_emitted")["due"] == 2
    assert result.burden.set_index("level").loc["hard", "alerts"] == 1


def test_nothing_due_and_nothing_raised_has_a_score() -> None:
    result = scored([], [item(1, "not_emitted", 10.0, ended=11.0)])
    assert result.classes.empty and (result.burden["alerts"] == 0).all()


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)), st.randoms(use_true_random=False))
def test_the_order_of_alerts_plays_no_part(order: list[int], luck: Any) -> None:
    classes = ["not_emitted", "unwatched", "misaddressed"]
    items = [item(n, luck.choice(classes), 10.0 * n) for n in range(1, 7)]
    episodes = [("defect", 0, "not_emitted", 5.0, 900.0)]
    rows = [
        alert(luck.choice([EMISSION, OPENED]), 60.0 + 20 * n, key=luck.randint(1, 8)) for n in range(8)
    ] + [alert(RATE, 200.0 + n, message=1, level=Level.soft) for n in range(4)]
    plain = scored(rows, items, episodes, [(0, 1)])
    mixed = scored([rows[n] for n in order], items, episodes, [(0, 1)])
    for name in ("classes", "rules", "burden", "times"):
        pd.testing.assert_frame_equal(getattr(plain, name), getattr(mixed, name))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(20, 900)), max_size=12), st.integers(1, 9))
def test_one_more_alert_never_lowers_recall(rows: list[tuple[int, int]], key: int) -> None:
    items = [item(n, "not_emitted", 10.0 * n) for n in range(1, 9)]
    before = [alert(EMISSION, float(raised), key=k) for k, raised in rows]
    less = row(scored(before, items), "not_emitted")
    more = row(scored([*before, alert(EMISSION, 500.0, key=key)], items), "not_emitted")
    assert more["recall"] >= less["recall"]
