"""Rules as the engine takes them: plain, frozen, with every name resolved to numbers.

Files say rules in words (``config/rules_file.py``); ``experiment/rules.py`` turns one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

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

    ``soft`` and ``hard`` are the limits (None: no alert of that level); balance and persistence have no limit
    of time, and the one of the two that is 0 h says their level. A heartbeat has one source, and no ``by``.
    ``by`` names what an obligation or a stream is one of: columns of an observation. ``guess`` are the
    classes of fault it points at.
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


#: The log in which each kind of observation stands.
SOURCE_OF: Final[dict[Seen, Source]] = {
    Seen.activity: Source.activity,
    Seen.ordered: Source.orders,
    Seen.order_ended: Source.orders,
    Seen.sent: Source.sent_log,
    Seen.transport_receipt: Source.transport_receipts,
    Seen.transport_failed: Source.transport_receipts,
    Seen.received: Source.received_log,
    Seen.application_receipt: Source.application_receipts,
    Seen.application_rejected: Source.application_receipts,
    Seen.accepted: Source.handling,
    Seen.on_list: Source.list_snapshots,
    Seen.snapshot_taken: Source.list_snapshots,
    Seen.opened: Source.handling,
    Seen.closed: Source.handling,
    Seen.followed_up: Source.handling,
    Seen.wrong_delivery: Source.notices,
    Seen.care_started: Source.care_starts,
}


#: Observations of these stand in the log of the sender; the others in that of the receiver.
IN_SENDERS_LOG: Final = frozenset(
    [seen for seen, source in SOURCE_OF.items() if source <= Source.application_receipts] + [Seen.followed_up]
)


def rule_name(identifier: str) -> str:
    """Return the name of a rule as its file has it: "opened" for "opened.urgent".

    A rule with limits by urgency, or for several sources, is several rules to the engine.
    """
    return identifier.partition(".")[0]
