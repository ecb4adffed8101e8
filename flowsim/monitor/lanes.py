"""Rules in lanes by how long they wait for late rows, and the rows that are due for a lane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.monitor import layout
from flowsim.monitor.matching import Claims, Matcher
from flowsim.monitor.rules import Rule
from flowsim.monitor.streams import StreamRule
from flowsim.vocabulary import OBSERVATION_SCHEMA, RuleKind, Seen, Source

Rows = NDArray[Any]

_ORDER = ("seen", "key", "subject", "unit", "sender", "receiver", "template", "attempt")


@dataclass
class Lane:
    """The rules that wait equally long for late rows, and the rows that are not yet due for them."""

    lateness: float
    rules: list[int]
    seen: NDArray[np.bool_]
    rows: list[Rows] = field(default_factory=list)
    te: list[NDArray[np.float64]] = field(default_factory=list)


@dataclass
class Working:
    """A rule with all that it needs to be evaluated."""

    rule: Rule
    when: Matcher
    then: Matcher | None
    claims: Claims
    streams: StreamRule | None
    keyed: bool


@dataclass
class Statistics:
    """What there is to tell about the rows, by source: how many, how many too late or without id."""

    rows: dict[Source, int] = field(default_factory=dict)
    late: dict[Source, int] = field(default_factory=dict)
    without_key: dict[Source, int] = field(default_factory=dict)


def all_seen(rule: Rule) -> list[int]:
    """Return the kinds of observation that a rule reads."""
    found = {int(each) for each in rule.when.seen}
    if rule.then is not None:
        found |= {int(each) for each in rule.then.seen}
    if rule.activity:
        found.add(int(Seen.activity))
    if rule.kind == RuleKind.persistence:
        found.add(int(Seen.snapshot_taken))
    return sorted(found)


def due_rows(lane: Lane, cutoff: float) -> tuple[Rows, NDArray[np.float64]]:
    """Take the rows of a lane that are due at a cutoff, in the order in which they count."""
    if not lane.rows:
        return np.zeros(0, OBSERVATION_SCHEMA), np.zeros(0)
    rows = lane.rows[0] if len(lane.rows) == 1 else np.concatenate(lane.rows)
    te = lane.te[0] if len(lane.te) == 1 else np.concatenate(lane.te)
    due = te <= cutoff
    if not due.any():
        lane.rows, lane.te = [rows], [te]
        return rows[:0], te[:0]
    left = ~due
    lane.rows, lane.te = ([rows[left]], [te[left]]) if left.any() else ([], [])
    rows, te = rows[due], te[due]
    order = np.lexsort((rows["seen"], te))
    rows, te = rows[order], te[order]
    # Rows that tie in both go by all else that tells them apart; there are few of them.
    same = (np.diff(te) == 0.0) & (rows["seen"][1:] == rows["seen"][:-1])
    if same.any():
        tied = np.zeros(len(te), np.bool_)
        tied[1:] |= same
        tied[:-1] |= same
        places = np.flatnonzero(tied)
        part = rows[places]
        fine = np.lexsort((*(part[name] for name in reversed(_ORDER)), te[places]))
        rows[places] = part[fine]
    return rows, te


def events(te: NDArray[np.float64], places: NDArray[np.int64], role: int) -> Rows:
    """Return rows at some places as events of a rule, in one role."""
    found = np.zeros(len(places), layout.EVENT)
    found["te"], found["row"], found["role"] = te[places], places, role
    return found
