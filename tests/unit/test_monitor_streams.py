"""What is counted by stream: balances, charts of volumes and shares, and their thresholds."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from flowsim.monitor.control_charts import run_length, step, threshold
from flowsim.monitor.engine import Engine
from flowsim.monitor.rules import SOURCE_OF, Pattern, Rule, SourceSetting
from flowsim.observe.directory import Directory, Unit
from flowsim.units import Duration
from flowsim.vocabulary import OBSERVATION_SCHEMA, Level, RuleKind, Seen, Source

UNITS = Directory((Unit("sender", "Sender"), Unit("receiver", "Receiver")), activities=("visits",))


def hours(value: float) -> Duration:
    return Duration(value, 0.0)


def rows(*given: tuple[float, Seen, int]) -> Any:
    """Return observations: time, what was seen, key (for activity: the count)."""
    found = np.zeros(len(given), OBSERVATION_SCHEMA)
    for row, (at, seen, number) in zip(found, given, strict=True):
        row["time"] = row["received"] = at
        row["seen"], row["source"], row["receiver"], row["message"] = seen, SOURCE_OF[seen], 1, 1
        row["count" if seen == Seen.activity else "key"] = number
    return found


def alerts(rule: Rule, given: Any, end: float) -> Engine:
    engine = Engine([rule], UNITS, {s: SourceSetting() for s in rule.sources}, date(2024, 1, 1))
    engine.take(given)
    engine.finish(end)
    return engine


BALANCE = Rule(
    "count", RuleKind.balance, Pattern(frozenset([Seen.ordered])), Pattern(frozenset([Seen.sent])),
    hard=hours(0.0), by=("sender", "message"), sources=frozenset([Source.orders, Source.sent_log]), most=1,
)  # fmt: skip


def test_a_balance_names_what_is_missing_and_begins_anew() -> None:
    found = alerts(
        BALANCE,
        rows(
            (1, Seen.ordered, 11), (2, Seen.ordered, 12), (3, Seen.ordered, 13), (4, Seen.sent, 12),
            (30, Seen.ordered, 14), (31, Seen.sent, 14), (60, Seen.ordered, 15),
        ),
        200.0,
    )  # fmt: skip
    assert found.alerts[["raised", "since", "deadline", "count", "level"]].tolist() == [
        (24, 0, 24, 2, Level.hard)
    ]
    assert found.missing(found.alerts[0]).tolist() == [11, 13]


def test_what_is_on_its_way_at_midnight_is_no_loss() -> None:
    flow = [(23.9, Seen.ordered, 1), (24.1, Seen.sent, 1), (47.9, Seen.ordered, 2), (48.1, Seen.sent, 2)]
    assert not len(alerts(BALANCE, rows(*flow), 300.0).alerts)


def volume(change: float) -> Rule:
    return Rule(
        "volume", RuleKind.rate_change, Pattern(frozenset([Seen.sent])), soft=hours(0.0), by=("message",),
        sources=frozenset([Source.sent_log, Source.activity]), share=change, every=hours(24.0),
        false_alarm=hours(24.0 * 1000), training=hours(24.0 * 40), activity=frozenset([0]),
    )  # fmt: skip


def letters(luck: np.random.Generator, days: int, broken_from: int) -> Any:
    given: list[tuple[float, Seen, int]] = []
    for day in range(days):
        visits = int(luck.poisson(30))
        mean = visits * (0.4 if day >= broken_from else 0.8)
        times = 24.0 * day + 24.0 * luck.random(luck.poisson(mean))
        given += [(float(at), Seen.sent, 1) for at in times]
        given.append((24.0 * (day + 1), Seen.activity, visits))
    for row in (found := rows(*given)):
        row["template"] = 0 if row["seen"] == Seen.activity else -1
    return found


def test_half_of_the_letters_missing_is_noticed_within_days() -> None:
    found = alerts(volume(0.5), letters(np.random.default_rng(1), 70, 50), 24.0 * 71).alerts
    assert len(found) >= 1
    assert 50 * 24 < found[0]["raised"] <= 55 * 24


def test_nothing_missing_gives_no_more_false_alarms_than_set() -> None:
    """Four streams' worth of time between false alarms, a thousand days each: four are expected, 15 never."""
    luck = np.random.default_rng(2)
    false = sum(len(alerts(volume(0.5), letters(luck, 1040, 10**6), 24.0 * 1041).alerts) for _ in range(4))
    assert false <= 14


@pytest.mark.parametrize(("mean", "change"), [(3.0, 0.5), (20.0, 0.8), (2.0, 2.0), (0.5, 3.0)])
def test_the_run_length_of_the_markov_chain_is_that_of_simulated_charts(mean: float, change: float) -> None:
    limit = threshold(mean, change, 200.0)
    luck = np.random.default_rng(3)
    lengths = []
    for _ in range(600):
        value, n = 0.0, 0
        while value <= limit:
            value = max(0.0, value + step(float(luck.poisson(mean)), mean, change))
            n += 1
        lengths.append(n)
    spread = 3.0 * np.std(lengths) / np.sqrt(len(lengths))
    assert abs(np.mean(lengths) - run_length(mean, change, limit)) < spread + 0.05 * np.mean(lengths)


def test_a_longer_time_between_false_alarms_never_lowers_the_threshold() -> None:
    limits = [threshold(5.0, 0.5, buckets) for buckets in (20.0, 100.0, 1000.0)]
    assert limits == sorted(limits)
    assert limits[0] < limits[-1]


def test_a_rising_share_of_losses_is_noticed() -> None:
    rule = Rule(
        "loss",
        RuleKind.rate_change,
        Pattern(frozenset([Seen.sent])),
        Pattern(frozenset([Seen.transport_receipt])),
        soft=hours(0.0),
        hard=hours(10.0),
        by=("receiver",),
        share=3.0,
        every=hours(24.0),
        sources=frozenset([Source.sent_log, Source.transport_receipts]),
        false_alarm=hours(24.0 * 1000),
        training=hours(24.0 * 30),
    )
    luck = np.random.default_rng(4)
    given = []
    for key in range(1, 6001):
        at = key / 6001 * 24.0 * 60
        given.append((at, Seen.sent, key))
        if luck.random() > (0.12 if at > 24 * 45 else 0.02):
            given.append((at + 1.0, Seen.transport_receipt, key))
    found = alerts(rule, rows(*given), 24.0 * 61).alerts
    first = found[found["raised"] > 45 * 24]
    assert len(first)
    assert first[0]["raised"] < 49 * 24
    assert len(found) - len(first) <= 1
