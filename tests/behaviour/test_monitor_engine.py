"""The engine says what the reference says, however a log is permuted within its lateness and cut."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowsim.monitor.engine import Engine
from flowsim.monitor.rules import SOURCE_OF, Pattern, Rule, SourceSetting
from flowsim.observe.directory import Directory, Unit
from flowsim.units import Duration
from flowsim.vocabulary import OBSERVATION_SCHEMA, Channel, Party, RuleKind, Seen, Source, Urgency

_spec = importlib.util.spec_from_file_location(
    "reference_monitor", Path(__file__).parents[1] / "reference/monitor.py"
)
assert _spec is not None and _spec.loader is not None
reference = importlib.util.module_from_spec(_spec)
sys.modules["reference_monitor"] = reference
_spec.loader.exec_module(reference)

START = date(2024, 3, 25)
LOGS = 1_000
UNITS = Directory(tuple(Unit(f"u{n}", f"u{n}", kind, party) for n, (kind, party) in enumerate([
    ("gp_office", Party.gp), ("intake", Party.hospital), ("home_nursing", Party.municipality),
])))  # fmt: skip


def hours(value: float) -> Duration:
    return Duration(value, 0.0)


def pattern(*seen: Seen, **others: Any) -> Pattern:
    return Pattern(frozenset(seen), **{name: frozenset(value) for name, value in others.items()})


def rule(identifier: str, kind: RuleKind, when: Pattern, then: Pattern | None = None, **others: Any) -> Rule:
    seen = when.seen | (then.seen if then is not None else frozenset())
    sources = others.pop("sources", frozenset(SOURCE_OF[each] for each in seen if each in SOURCE_OF))
    if kind == RuleKind.persistence:
        sources |= {Source.list_snapshots}
    return Rule(identifier, kind, when, then, sources=frozenset(sources), **others)


RULES = (
    rule(
        "emission",
        RuleKind.response,
        pattern(Seen.ordered),
        pattern(Seen.sent, Seen.order_ended),
        soft=hours(2),
        hard=hours(9),
        tolerance=hours(1),
    ),
    rule(
        "receipt",
        RuleKind.response,
        pattern(Seen.sent, channels=[Channel.edi]),
        pattern(Seen.transport_receipt),
        hard=hours(7),
        tolerance=hours(3),
    ),
    rule(
        "opened",
        RuleKind.response,
        pattern(Seen.received, urgencies=[Urgency.urgent]),
        pattern(Seen.opened),
        soft=Duration(0.0, 1.0),
        hard=Duration(0.0, 2.0),
    ),
    rule(
        "answered",
        RuleKind.response,
        pattern(Seen.ordered),
        pattern(Seen.received),
        by=("subject",),
        soft=hours(20),
    ),
    rule(
        "came from",
        RuleKind.precedence,
        pattern(Seen.received),
        pattern(Seen.sent),
        tolerance=hours(2),
        hard=hours(30),
    ),
    rule("twice", RuleKind.at_most, pattern(Seen.received), hard=hours(24)),
    rule(
        "never",
        RuleKind.at_most,
        pattern(Seen.received, units=[2]),
        by=("sender", "unit"),
        most=0,
        soft=hours(30),
    ),
    rule(
        "idle",
        RuleKind.idle,
        pattern(Seen.received),
        pattern(Seen.opened),
        by=("unit",),
        most=1,
        soft=hours(10),
        hard=Duration(0.0, 1.0),
    ),
    rule(
        "left",
        RuleKind.persistence,
        pattern(Seen.on_list),
        pattern(Seen.opened),
        hard=hours(0),
        tolerance=hours(1),
    ),
    rule(
        "heard",
        RuleKind.heartbeat,
        pattern(Seen.heartbeat),
        sources=frozenset([Source.sent_log]),
        by=(),
        soft=hours(9),
        hard=hours(16),
    ),
)


def settings(luck: np.random.Generator) -> dict[Source, SourceSetting]:
    """Return sources with their own lateness and silence; some have not everybody's rows, or no ids."""
    found = {}
    for source in (Source.orders, Source.sent_log, Source.transport_receipts, Source.received_log,
                   Source.list_snapshots, Source.handling):  # fmt: skip
        units = frozenset({0, 1}) if luck.random() < 0.1 else frozenset()
        nameless = frozenset({2}) if luck.random() < 0.2 else frozenset()
        silent = float(luck.choice([8.0, 30.0, np.inf]))
        found[source] = SourceSetting(float(luck.choice([0.0, 0.5, 3.0, 12.0])), silent, units, nameless)
    return found


def log(luck: np.random.Generator, sources: dict[Source, SourceSetting]) -> Any:
    """Return a log of a few days: orders sent again, read, lost; ties, no keys, late rows, silence."""
    rows: list[tuple[Any, ...]] = []

    def add(at: float, seen: Seen, key: int, ends: tuple[int, int], urgency: int, channel: int) -> None:
        unit = ends[0] if seen <= Seen.transport_failed else ends[1]
        subject = key % 7 + 1 if key else 0
        rows.append(
            (at, 0.0, key, subject, unit, *ends, -1, 1, seen, SOURCE_OF[seen], 1, channel, 1, urgency)
        )

    for key in range(1, int(luck.integers(5, 25))):
        at = float(luck.integers(0, 80)) / (1 if luck.random() < 0.5 else 3)
        ends = (int(luck.integers(3)), int(luck.integers(3)))
        urgency, channel = int(luck.integers(4)), int(luck.choice([Channel.edi, Channel.letter]))
        name = 0 if luck.random() < 0.05 else key
        for seen in (Seen.ordered, Seen.sent, Seen.sent, Seen.transport_receipt, Seen.received, Seen.received,
                     Seen.opened, Seen.order_ended, Seen.on_list, Seen.on_list):  # fmt: skip
            if luck.random() < 0.55:
                wait = 0.0 if luck.random() < 0.3 else float(luck.exponential(8.0))
                add(at + wait, seen, name, ends, urgency, channel)
    for unit in range(3):
        for at in np.arange(6.0, 130.0, 12.0):
            if luck.random() < 0.8:
                add(float(at), Seen.snapshot_taken, 0, (unit, unit), 0, 0)
            for key in luck.integers(1, 25, 3).tolist():
                add(float(at), Seen.on_list, key, (0, unit), 1, int(Channel.edi))
    for source in sources:
        rows += [
            (float(at), 0.0, 0, 0, -1, -1, -1, -1, 0, Seen.heartbeat, source, 0, 0, 0, 0)
            for at in np.arange(0.0, 140.0, 5.0)
            if luck.random() < 0.7
        ]
    found = np.array(rows, OBSERVATION_SCHEMA)
    for row in found:
        lateness = sources[Source(int(row["source"]))].lateness
        row["received"] = row["time"] + luck.random() * lateness
        if luck.random() < 0.03:
            row["received"] = row["time"] + lateness + luck.exponential(20.0)
    return found


def online(rows: Any, sources: dict[Source, SourceSetting], luck: np.random.Generator, end: float) -> Engine:
    """Hand a log over as it comes, cut anywhere, with sweeps at any time."""
    engine = Engine(RULES, UNITS, sources, START)
    rows = rows[np.argsort(rows["received"], kind="stable")]
    place = 0
    while place < len(rows):
        more = int(luck.integers(1, 60))
        part = rows[place : place + more]
        engine.take(part[luck.permutation(len(part))])
        place += more
        if place < len(rows) and luck.random() < 0.7:
            # All that is received by then has been handed over.
            engine.advance(float(np.nextafter(rows[place]["received"], 0.0)))
    engine.advance(end)
    return engine


@pytest.mark.parametrize("first", range(0, LOGS, 100))
def test_engine_and_reference_say_the_same_of_random_logs(first: int) -> None:
    told = 0
    for seed in range(first, first + 100):
        luck = np.random.default_rng(seed)
        sources = settings(luck)
        rows = log(luck, sources)
        end = float(np.ceil(rows["received"].max()) + luck.integers(0, 60))
        engine = online(rows, sources, luck, end)
        expected = reference.Reference(RULES, UNITS, sources, START, rows, end).alerts
        assert reference.plain(engine.alerts) == expected, f"seed {seed}"
        told += len(expected)
    assert told > 1_000


def test_rows_that_come_in_another_order_within_the_lateness_change_nothing() -> None:
    for seed in range(60):
        luck = np.random.default_rng([seed, 1])
        sources = settings(luck)
        rows = log(luck, sources)
        lateness = np.array([sources[Source(int(s))].lateness for s in rows["source"]])
        rows["received"] = rows["time"] + luck.random(len(rows)) * lateness
        other = rows.copy()
        other["received"] = rows["time"] + luck.random(len(rows)) * lateness
        found = [reference.plain(online(each, sources, luck, 260.0).alerts) for each in (rows, other)]
        assert found[0] == found[1], f"seed {seed}"
        assert found[0]


def test_all_at_once_is_as_bit_by_bit() -> None:
    for seed in range(60):
        luck = np.random.default_rng([seed, 2])
        sources = settings(luck)
        rows = log(luck, sources)
        whole = Engine(RULES, UNITS, sources, START)
        whole.take(rows)
        whole.advance(300.0)
        assert reference.plain(whole.alerts) == reference.plain(online(rows, sources, luck, 300.0).alerts)
