"""What a file on the response team may say: who acts on the monitor's alerts, when, and how long it takes."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from flowsim.config.logs_file import NEVER, SourceName
from flowsim.config.values import Basis, Distribution, Estimate, Identifier, Model, PlainDuration
from flowsim.units import Duration
from flowsim.vocabulary import Source

_RECEIPTS: Final = frozenset([Source.sent_log, Source.transport_receipts, Source.application_receipts])
_LISTS: Final = _RECEIPTS | {Source.received_log, Source.handling, Source.list_snapshots}
_ORDERS: Final = _LISTS | {Source.orders}
_DENOMINATORS: Final = _ORDERS | {Source.activity, Source.care_starts}
#: What an owner can be asked for: each set of sources by name, with all that stands before it.
SOURCE_SETS: Final[dict[str, frozenset[Source]]] = {
    "none": frozenset(),
    "receipts_only": _RECEIPTS,
    "and_lists": _LISTS,
    "and_orders": _ORDERS,
    "and_denominators": _DENOMINATORS,
    "all": _DENOMINATORS | {Source.notices},
}
SetName = Literal["none", "receipts_only", "and_lists", "and_orders", "and_denominators", "all"]

if {*SOURCE_SETS} != {*SetName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("SetName and SOURCE_SETS differ")


class Watch(Model):
    """How the monitor is used: what it may read, how often it looks, and whether anybody acts on it."""

    sources: SetName | tuple[SourceName, ...] = Field(
        default="all", description="Logs that it may read, a set or one by one; none: there is no monitor."
    )
    every: PlainDuration = Field(default=Duration(1.0, 0.0), description="It sweeps at this interval.")
    acts: bool = Field(default=True, description="Whether the response team acts on its alerts.")

    @model_validator(mode="after")
    def _sensible(self) -> Watch:
        if self.every.hours <= 0.0:
            raise ValueError("every must be longer than nothing")
        if isinstance(self.sources, tuple):
            double = sorted({name for name in self.sources if self.sources.count(name) > 1})
            if double:
                raise ValueError(f"sources names {', '.join(double)} twice")
            if not self.sources:
                raise ValueError("sources is a list that names none; for no monitor at all write none")
        return self

    def read(self) -> frozenset[Source]:
        """Return the sources that the monitor may read."""
        if isinstance(self.sources, tuple):
            return frozenset(Source[name] for name in self.sources)
        return SOURCE_SETS[self.sources]


class ResponseFile(Model):
    """The response team: who acts on alerts, in which hours, how long it takes, and what is left out."""

    basis: Basis = Field(description="Where the numbers come from.")
    staff: int = Field(ge=1, description="How many are at it at a time.")
    calendar: Identifier = Field(default="always", description="When they are; a calendar of the topology.")
    incident: Distribution = Field(
        description="Staff time each time an incident is taken up: read it, look it up, find who owns it."
    )
    item: Distribution = Field(description="Staff time for each item: check it, and act if it is lost.")
    unchecked: Estimate = Field(
        description="Share of items that are sent again without asking the receiver first."
    )
    swamped_at: int = Field(ge=1, description="With so many tickets waiting, they skim.")
    skim: float = Field(default=1.0, gt=0, le=1, description="Skimming: times the staff time of each item.")
    missed: Estimate = Field(
        default=NEVER, description="Skimming: share of items closed without being acted on."
    )
    sample: int = Field(
        ge=0, description="Of the unread items of a list or endpoint, they look at so many, the oldest first."
    )
    soft_too: bool = Field(default=True, description="Whether they look at soft alerts, too.")
