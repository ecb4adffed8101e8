"""Rules as the engine takes them: plain, frozen, with every name resolved to numbers.

Files say rules in words (``config/rules_file.py``); ``experiment/rules.py`` turns one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flowsim.units import Duration
from flowsim.vocabulary import Channel, Fault, MessageKind, Party, RuleKind, Seen, Source, Urgency


@dataclass(frozen=True)
class Pattern:
    """Which observations are meant; an empty set means any. All sets that are given must fit.

    ``senders``, ``receivers`` and ``units`` are numbers in the directory, ``sender_parties`` and so on the
    types of their organisations.
    """

    seen: frozenset[Seen]
    messages: frozenset[MessageKind] = frozenset()
    channels: frozenset[Channel] = frozenset()
    urgencies: frozenset[Urgency] = frozenset()
    sender_parties: frozenset[Party] = frozenset()
    receiver_parties: frozenset[Party] = frozenset()
    units: frozenset[int] = frozenset()
    unit_kinds: frozenset[str] = frozenset()
    templates: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rule:
    """One rule. Which fields matter depends on its kind; docs/monitor.md has the meaning of each.

    ``soft`` and ``hard`` are the limits (None: no alert of that level). ``by`` names what an obligation or
    a stream is one of: columns of an observation. ``guess`` are the classes of fault it points at.
    """

    id: str
    kind: RuleKind
    when: Pattern
    then: Pattern | None = None
    soft: Duration | None = None
    hard: Duration | None = None
    by: tuple[str, ...] = ("key",)
    guess: tuple[Fault, ...] = ()
    sources: frozenset[Source] = frozenset()  # all that it reads; one that is off switches it off
    tolerance: Duration = field(default_factory=lambda: Duration(0.0, 0.0))  # of clocks that differ
    most: int = 1  # at_most: how often; balance: how many may be missing; idle: how many may lie unread
    every: Duration = field(default_factory=lambda: Duration(24.0, 0.0))  # buckets of balance and rate_change
    share: float = (
        0.0  # balance: share that may be missing; rate_change: the change to be found (0.5: halved)
    )
    false_alarm: Duration | None = None  # rate_change: mean time between false alarms of one stream
    training: Duration | None = None  # rate_change: how long it learns what is usual
    activity: frozenset[int] = frozenset()  # rate_change: outside denominators, numbers in the directory


@dataclass(frozen=True)
class SourceSetting:
    """How a source delivers: how late its rows may come, and after what silence it counts as gone."""

    lateness: float = 0.0  # hours
    silent_after: float = float("inf")  # hours without a row or a heartbeat
    units: frozenset[int] = frozenset()  # whose rows it claims to have; empty: all
    without_ids: frozenset[int] = frozenset()  # whose rows have no ids of e-messages: no key waits for one
