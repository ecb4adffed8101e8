"""What a file on logs may say: which logs a site hands over, how late, and how far from perfect they are."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from flowsim.config.values import Basis, Estimate, Model, PlainDuration
from flowsim.units import Duration
from flowsim.vocabulary import Certainty, Party, Source

SourceName = Literal[
    "orders", "sent_log", "transport_receipts", "application_receipts", "received_log", "list_snapshots",
    "handling", "notices", "care_starts", "activity",
]  # fmt: skip
#: Who keeps a log: a type of organisation, or the practices that are on the platform.
KeeperName = Literal[
    "gp", "hospital", "municipality", "specialist", "patient", "other", "practices_on_platform"
]

if {*Source.__members__} != {*SourceName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("SourceName does not name the sources that there are")
if {*Party.__members__, "practices_on_platform"} != {*KeeperName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("KeeperName does not name the parties that there are")

EVERYBODY: tuple[KeeperName, ...] = ("gp", "hospital", "municipality", "specialist", "patient", "other")


class Lasting(Model):
    """A length of time with its source, how sure it is, and the range over which it is varied."""

    value: PlainDuration = Field(description="The default.")
    range: tuple[PlainDuration, PlainDuration] | None = Field(
        default=None, description="Shortest and longest that are plausible."
    )
    source: str = Field(default="", description="Where it comes from; empty: as the file's basis.")
    certainty: Certainty | None = Field(default=None, description="How sure; empty: as the file's basis.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Lasting) else {"value": data}

    @model_validator(mode="after")
    def _inside(self) -> Lasting:
        if self.range is not None:
            low, high = self.range
            if not low.hours <= self.value.hours <= high.hours:
                raise ValueError(f'value "{self.value}" lies outside its range "{low}" to "{high}"')
        return self


AT_ONCE = Lasting(value=Duration(0.0, 0.0))
NEVER = Estimate(value=0.0)


class SourceLog(Model):
    """One log: who keeps it, when its rows come, and what the monitor may count on."""

    on: bool = Field(default=True, description="Whether it is handed over.")
    kept_by: tuple[KeeperName, ...] = Field(
        default=EVERYBODY, min_length=1, description="Who has such a log; nobody else's rows are in it."
    )
    earliest: Lasting = Field(default=AT_ONCE, description="The soonest that a row comes.")
    latest: Lasting = Field(default=AT_ONCE, description="When all but the late rows have come.")
    late: Estimate = Field(default=NEVER, description="Share of rows that come later than that.")
    late_by: Lasting = Field(default=AT_ONCE, description="How much later, at most.")
    lateness: Lasting = Field(
        default=AT_ONCE, description="How late rows may come, as the monitor is told; not below latest."
    )
    missing: Estimate = Field(
        default=NEVER, description="Share of its keepers' units left out of the export; the monitor knows."
    )
    heartbeat: Lasting | None = Field(
        default=None, description="How often it says that it is there; none: never."
    )
    silent_after: Lasting | None = Field(
        default=None, description="After so long without a row the monitor counts it as gone; none: never."
    )

    @model_validator(mode="after")
    def _possible(self) -> SourceLog:
        earliest, latest = self.earliest.value.hours, self.latest.value.hours
        if earliest > latest:
            raise ValueError(
                f'earliest ("{self.earliest.value}") must not be after latest ("{self.latest.value}")'
            )
        if self.lateness.value.hours < latest:
            raise ValueError(
                f'lateness ("{self.lateness.value}") must not be below latest ("{self.latest.value}"), '
                "or most rows would come too late to count at their own time"
            )
        if self.silent_after is not None and self.heartbeat is not None:
            least = self.heartbeat.value.hours + latest - earliest
            if self.silent_after.value.hours <= least:
                raise ValueError(
                    f'silent_after ("{self.silent_after.value}") must be longer than a heartbeat '
                    f"and the spread of its arrival ({least:g} h), or the source would seem gone at once"
                )
        return self


class NeverSent(Model):
    """Orders that are legitimately never sent: handed over, printed, given up."""

    share: Estimate = Field(default=NEVER, description="How many, as a share of all that are sent.")
    ended: Estimate = Field(default=NEVER, description="Share of them that the order log ends by a row.")
    within: Lasting = Field(default=AT_ONCE, description="How long until that row, at most.")


class AutoClosed(Model):
    """Items that the system closes by itself although nobody has worked on them."""

    share: Estimate = Field(default=NEVER, description="Share of items whose kind is cleared away so.")
    after: Lasting = Field(default=AT_ONCE, description="How long they lie on the list before.")


class LogsFile(Model):
    """Which logs a site hands over, how late, and how far from perfect they are."""

    basis: Basis = Field(description="Where the numbers come from.")
    log_seed: int = Field(
        default=1, ge=0, description="What the luck of rows and units is a hash of, with their own names."
    )
    snapshots_every: Lasting = Field(description="How often whole work lists are read.")
    logs: dict[SourceName, SourceLog] = Field(description="Each source; one that is not named is off.")
    clock_offset: Lasting = Field(
        default=AT_ONCE, description="How far a unit's clock is ahead or behind, at most."
    )
    ids_lost: Estimate = Field(
        default=NEVER,
        description="Share of receiving units to which no id of an e-message comes through the gateway.",
    )
    never_sent: NeverSent = Field(default=NeverSent(), description="Orders that are never sent.")
    auto_closed: AutoClosed = Field(
        default=AutoClosed(), description="Items that the system closes by itself."
    )
    opened_only: Estimate = Field(
        default=NEVER, description="Share of items that are opened and left lying before they are worked on."
    )
