"""What the catalogue's files on channels and faults may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from flowsim.config.pathway_file import MessageName
from flowsim.config.starts import UrgencyName
from flowsim.config.topology_file import Resend
from flowsim.config.values import Basis, Distribution, Estimate, Identifier, Model, PlainDuration, Share
from flowsim.vocabulary import Channel, Fault, FoundBy

ChannelName = Literal["platform", "edi", "letter", "portal", "phone"]
FaultName = Literal[
    "not_emitted", "undelivered", "no_receipt", "rejected", "misaddressed", "unwatched", "vanished",
    "duplicated", "late", "incomplete", "copy_omitted", "no_endpoint",
]  # fmt: skip
WayName = Literal[
    "patient_calls", "referrer_chases", "receiver_misses", "shared_record_look", "misdelivery_notice",
    "forwarded", "audit", "reconciliation", "phone_confirmation",
]  # fmt: skip

if {*Fault.__members__} - {"none"} != {*FaultName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("FaultName and vocabulary.Fault differ")
if {*FoundBy.__members__} - {"command", "monitor"} != {*WayName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("WayName and vocabulary.FoundBy differ")
if {*Channel.__members__} != {*ChannelName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("ChannelName and vocabulary.Channel differ")


class ChannelSettings(Model):
    """How a channel behaves when nothing is wrong."""

    latency: Distribution = Field(description="From sent to received.")
    receipts: Literal["none", "transport", "both"] = Field(description="Which receipts exist.")
    attempt_loss: Estimate = Field(default=Estimate(value=0.0), description="Share of single tries lost.")
    receipt_loss: Estimate = Field(default=Estimate(value=0.0), description="Share of receipts lost.")
    resend: Resend | None = Field(default=None, description="When no receipt comes; none: never again.")
    receipt_watch: Estimate = Field(
        default=Estimate(value=0.0),
        description="Share of missing application receipts that somebody follows up.",
    )
    receipt_limit: Distribution | None = Field(default=None, description="When a missing one is followed up.")
    search_factor: float = Field(
        default=1.0, ge=0, description="Times the search minutes of what came this way."
    )
    basis: Basis | None = Field(
        default=None, description="Where the numbers come from, if not as the file's."
    )


class FaultSettings(Model):
    """An independent fault: how often, on which channels, and who can find what it hit."""

    rate: Estimate = Field(description="Share of deliveries hit, the same on every channel it can strike.")
    channels: tuple[ChannelName, ...] = Field(description="Where it can strike.")
    messages: dict[MessageName, float] = Field(
        default_factory=dict, description="Times the rate for these kinds."
    )
    only: tuple[MessageName, ...] = Field(default=(), description="Strikes only these kinds; none: all.")
    templates: dict[Identifier, float] = Field(
        default_factory=dict, description="Times the rate for these document templates."
    )
    found_by: tuple[WayName, ...] = Field(default=(), description="Ways in which it can come to light.")
    delay: Distribution | None = Field(
        default=None, description="For late: how much later. For vanished: how long it is shown before."
    )


class FoundWay(Model):
    """A way in which a lost item comes to light: how often and when."""

    chance: Estimate = Field(description="The share of such items that come to light this way at all.")
    delay: Distribution = Field(description="How long after the fault.")
    messages: tuple[MessageName, ...] = Field(default=(), description="Only these kinds; none: all.")
    urgency: tuple[UrgencyName, ...] = Field(default=(), description="Only these cases; none: all.")


class AuditWay(Model):
    """Somebody goes through lists, or compares what was ordered with what was sent, at intervals."""

    every: Distribution = Field(description="The interval (a fixed length of time).")
    chance: Estimate = Field(description="The chance to see an item at each look.")


class Addresses(Model):
    """How addresses age: patients change GP at the turn of a month, doctors leave, books follow late."""

    patients_change_gp: Estimate = Field(description="Share of patients who change GP in a year.")
    former_gp: Estimate = Field(
        description="Share of senders that still write to the former GP right after; that inbox takes it in."
    )
    doctors_leave_per_year: float = Field(
        default=0.0,
        ge=0,
        description="How often a year each doctor leaves; books go stale for the leaver's patients.",
    )
    books_follow: PlainDuration = Field(description="In this time two in three stale entries are mended.")


class Misdelivery(Model):
    """What a wrong receiver does when it reads a message that was not for it."""

    forwards: Estimate = Field(description="The share passed on to the right service.")
    notifies: Estimate = Field(description="The share where the sender is told.")
    dead_endpoint: Estimate = Field(description="The share of wrong addresses where nobody reads at all.")


class ChannelsFile(Model):
    """The five channels."""

    basis: Basis = Field(description="Where the numbers come from.")
    channels: dict[ChannelName, ChannelSettings] = Field(description="One entry a channel.")

    @model_validator(mode="after")
    def _all(self) -> ChannelsFile:
        missing = sorted(set(Channel.__members__) - set(self.channels))
        if missing:
            raise ValueError(f"misses the channel {', '.join(missing)}")
        return self


class FaultsFile(Model):
    """Independent faults, how their items are found again, and the rate sets."""

    basis: Basis = Field(description="Where the numbers come from.")
    faults: dict[FaultName, FaultSettings] = Field(
        description="One entry a class; a missing class never strikes."
    )
    found_by: dict[WayName, FoundWay] = Field(default_factory=dict, description="Ways back.")
    audit: AuditWay | None = Field(default=None, description="Regular looks through lists.")
    reconciliation: AuditWay | None = Field(
        default=None, description="Regular comparison of what was ordered with what left the sender's system."
    )
    addresses: Addresses | None = Field(default=None, description="How addresses age; none: they do not.")
    misdelivery: Misdelivery = Field(description="What wrong receivers do.")
    redelivery: Distribution = Field(description="From being found to lying before the right service.")
    rate_sets: dict[str, dict[ChannelName, dict[FaultName, float]]] = Field(
        description="Named sets of factors on the rates of a channel; equal has none."
    )
    everywhere: Share = Field(default=1.0, description="Times all rates; 0 turns all faults off.")
