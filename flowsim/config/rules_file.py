"""What a file of the monitor's rules may say; docs/monitor.md has the meaning of each kind, exactly."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from flowsim.config.catalogue_file import ChannelName, FaultName
from flowsim.config.limits import ByUrgency, Limit, SoftAndHard
from flowsim.config.pathway_file import MessageName
from flowsim.config.starts import UrgencyName
from flowsim.config.values import Basis, Estimate, Identifier, Model, PlainDuration
from flowsim.errors import legal_list
from flowsim.units import Duration
from flowsim.vocabulary import Party, RuleKind, Seen, ServiceKind, Source

#: What a rule can speak of; heartbeats and activity have rules and keys of their own.
SeenName = Literal[
    "ordered", "order_ended", "sent", "transport_receipt", "transport_failed", "received",
    "application_receipt", "application_rejected", "accepted", "on_list", "snapshot_taken", "opened",
    "closed", "followed_up", "wrong_delivery", "care_started",
]  # fmt: skip
SourceName = Literal[
    "orders", "sent_log", "transport_receipts", "application_receipts", "received_log", "list_snapshots",
    "handling", "notices", "care_starts", "activity",
]  # fmt: skip
PartyName = Literal["gp", "hospital", "municipality", "specialist", "patient", "other"]
ColumnName = Literal["key", "subject", "unit", "sender", "receiver", "template", "message", "channel"]
StreamColumn = Literal["unit", "sender", "receiver", "template", "message", "channel"]
LevelName = Literal["soft", "hard"]

if {*Seen.__members__} - {"heartbeat", "activity"} != {*SeenName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("SeenName and vocabulary.Seen differ")
if {*Source.__members__} != {*SourceName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("SourceName and vocabulary.Source differ")
if {*Party.__members__} != {*PartyName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("PartyName and vocabulary.Party differ")

#: Receipts exist on this channel only; everywhere else a rule that waits for one waits in vain.
RECEIPTS: Final = frozenset(
    ["transport_receipt", "transport_failed", "application_receipt", "application_rejected"]
)
RECEIPT_CHANNELS: Final = ("edi",)
NO_ADDRESS: Final = ("patient",)

NOTHING: Final = Estimate(value=0.0)
A_DAY: Final = Duration(24.0)


class What(Model):
    """Which observations are meant; a list that is not given means any. All that are given must fit."""

    seen: tuple[SeenName, ...] = Field(min_length=1, description="What the observation says.")
    messages: tuple[MessageName, ...] = Field(default=(), description="Kinds of message.")
    channels: tuple[ChannelName, ...] = Field(default=(), description="Channels.")
    urgencies: tuple[UrgencyName, ...] = Field(default=(), description="Urgencies.")
    sender_parties: tuple[PartyName, ...] = Field(default=(), description="Types of the sender.")
    receiver_parties: tuple[PartyName, ...] = Field(default=(), description="Types of the receiver.")
    units: tuple[str, ...] = Field(default=(), description="In whose log it stands, by id.")
    unit_kinds: tuple[ServiceKind, ...] = Field(default=(), description="In whose log, by kind of service.")
    templates: tuple[str, ...] = Field(default=(), description="Document templates, by id.")


class RuleBase(Model):
    """What all rules have."""

    id: Identifier = Field(description="The rule's name.")
    why: str = Field(min_length=1, description="What it shows, in a sentence.")
    on: bool = Field(default=True, description="False: it is not evaluated.")
    guess: tuple[FaultName, ...] = Field(default=(), description="Classes of fault that it points at.")
    basis: Basis | None = Field(default=None, description="Where its numbers come from; none: as the file's.")


def _differ(when: What, then: What) -> None:
    """Raise ValueError where a rule waits for the very thing that it begins with."""
    both = sorted(set(when.seen) & set(then.seen))
    if both and {*when.messages} == {*then.messages} and {*when.templates} == {*then.templates}:
        raise ValueError(f"has a then that is its own when ({', '.join(both)}): it can never be broken")


def _receipt_can_come(when: What, then: What) -> None:
    """Raise ValueError where a rule waits for a receipt that cannot exist."""
    if not RECEIPTS.issuperset(then.seen):
        return
    allowed = legal_list(RECEIPT_CHANNELS)
    wrong = [channel for channel in when.channels if channel not in RECEIPT_CHANNELS]
    if wrong:
        raise ValueError(
            f"needs when.channels: [{RECEIPT_CHANNELS[0]}]: it waits for a receipt ({', '.join(then.seen)}), "
            f"and none exists on {legal_list(wrong)}; only on {allowed}"
        )
    if not when.channels:
        raise ValueError(
            f"needs when.channels: [{RECEIPT_CHANNELS[0]}]: it waits for a receipt ({', '.join(then.seen)}), "
            f"and receipts exist only on {allowed}, not inside the platform, for letters, the portal or phone"
        )
    without = [party for party in when.receiver_parties if party in NO_ADDRESS]
    if without:
        raise ValueError(
            f"needs other when.receiver_parties: it waits for a receipt ({', '.join(then.seen)}), and "
            f"{legal_list(without)} has no electronic address that could give one"
        )


def _whole_key(by: tuple[str, ...]) -> None:
    if not by:
        raise ValueError("needs at least one column in by")
    if "key" in by and len(by) > 1:
        raise ValueError("has key and other columns in by; a key stands alone, as it names one message")
    if len(set(by)) < len(by):
        raise ValueError(f"has a column twice in by: {', '.join(by)}")


class ResponseRule(RuleBase, ByUrgency):
    """What happens must be followed by something else within a limit; a further try re-arms it."""

    kind: Literal["response"]
    when: What = Field(description="What begins it, such as sent.")
    then: What = Field(description="What must follow.")
    also: What | None = Field(
        default=None,
        description="What ends it as well; read where its source is on, and no loss where it is off.",
    )
    by: tuple[ColumnName, ...] = Field(default=("key",), description="What it is judged for, one by one.")
    tolerance: PlainDuration = Field(
        default=Duration(), description="What must follow may have come so long before."
    )

    @model_validator(mode="after")
    def _sound(self) -> ResponseRule:
        _whole_key(self.by)
        _differ(self.when, self.then)
        _receipt_can_come(self.when, self.then)
        if self.by_urgency and self.when.urgencies:
            raise ValueError("has by_urgency and when.urgencies; give one")
        return self


class PrecedenceRule(RuleBase, SoftAndHard):
    """What happens must have been preceded by something; the limit says how long that is remembered."""

    kind: Literal["precedence"]
    when: What = Field(description="What happened.")
    then: What = Field(description="What must have come before.")
    by: tuple[ColumnName, ...] = Field(default=("key",), description="What it is judged for, one by one.")
    tolerance: PlainDuration = Field(default=Duration(), description="It may come so long after.")

    @model_validator(mode="after")
    def _sound(self) -> PrecedenceRule:
        _whole_key(self.by)
        _differ(self.when, self.then)
        _one_limit(self)
        return self


class BalanceRule(RuleBase):
    """Two tiers must count the same, bucket by bucket, but for what is on its way."""

    kind: Literal["balance"]
    when: What = Field(description="The tier before, such as ordered.")
    then: What = Field(description="The tier after, such as sent.")
    by: tuple[StreamColumn, ...] = Field(min_length=1, description="What makes a stream.")
    every: PlainDuration = Field(default=A_DAY, description="Length of a bucket.")
    most: int = Field(ge=0, description="So many may be missing: on their way when the bucket ends.")
    share: Estimate = Field(default=NOTHING, description="And such a share of what was counted.")
    level: LevelName = Field(description="How much its alert asks for.")

    @model_validator(mode="after")
    def _sound(self) -> BalanceRule:
        _differ(self.when, self.then)
        _receipt_can_come(self.when, self.then)
        _bucket(self.every)
        return self


class PersistenceRule(RuleBase):
    """What is on a list in one whole snapshot and not in the next must have a closing event between."""

    kind: Literal["persistence"]
    when: What = Field(description="What stands on the list: on_list.")
    then: What = Field(description="The events that take an item off.")
    tolerance: PlainDuration = Field(default=Duration(), description="Clocks may differ so much.")
    level: LevelName = Field(description="How much its alert asks for.")

    @model_validator(mode="after")
    def _sound(self) -> PersistenceRule:
        if self.when.seen != ("on_list",):
            raise ValueError("needs when.seen: [on_list]: only a snapshot shows what stands on a list")
        _differ(self.when, self.then)
        return self


class AtMostRule(RuleBase, SoftAndHard):
    """Not more than so often within the limit, which counts from the first; 0: it must not happen at all."""

    kind: Literal["at_most"]
    when: What = Field(description="What may not happen too often.")
    by: tuple[ColumnName, ...] = Field(default=("key",), description="What it is judged for, one by one.")
    most: int = Field(default=1, ge=0, description="How often.")

    @model_validator(mode="after")
    def _sound(self) -> AtMostRule:
        _whole_key(self.by)
        _one_limit(self)
        return self


class IdleRule(RuleBase, SoftAndHard):
    """A list or an endpoint that gets items has one of them read by the limit after the first unread."""

    kind: Literal["idle"]
    when: What = Field(description="What comes, such as accepted.")
    then: What = Field(description="What shows that somebody reads, such as opened.")
    by: tuple[StreamColumn, ...] = Field(default=("unit",), min_length=1, description="What makes a stream.")
    most: int = Field(default=0, ge=0, description="So many may lie unread.")

    @model_validator(mode="after")
    def _sound(self) -> IdleRule:
        _differ(self.when, self.then)
        if not (self.soft or self.hard):
            raise ValueError("needs a limit: soft, hard or both")
        return self


class RateChangeRule(RuleBase):
    """A volume stays what it was beside an outside count, or a share of failures does; soft alerts only."""

    kind: Literal["rate_change"]
    when: What = Field(description="What is counted.")
    then: What | None = Field(default=None, description="Failures: what is counted and not followed by this.")
    hard: Limit | None = Field(default=None, description="With then: it has failed after this time.")
    activity: tuple[str, ...] = Field(
        default=(), description="Without then: the outside counts that the volume goes with, by name."
    )
    by: tuple[StreamColumn, ...] = Field(min_length=1, description="What makes a stream.")
    every: PlainDuration = Field(default=A_DAY, description="Length of a bucket.")
    share: float = Field(gt=0, description="The change to be found: 0.5 is halved, 3 is three times.")
    false_alarm: PlainDuration = Field(description="Mean time between false alarms of one stream.")
    training: PlainDuration = Field(description="How long it learns what is usual; not judged meanwhile.")

    @model_validator(mode="after")
    def _sound(self) -> RateChangeRule:
        if (self.then is None) == (not self.activity):
            raise ValueError("needs either activity (a volume) or then (a share of failures)")
        if self.then is not None:
            _differ(self.when, self.then)
            _receipt_can_come(self.when, self.then)
            if self.hard is None:
                raise ValueError("needs hard with then: the time after which it has failed")
            if self.share <= 1.0:
                raise ValueError(f"needs a share above 1, as failures rise (got {self.share:g})")
        elif self.share >= 1.0:
            raise ValueError(f"needs a share below 1, as a volume falls (got {self.share:g})")
        elif self.hard is not None:
            raise ValueError("takes no hard without then: a volume has no limit of time")
        _bucket(self.every)
        for name, length in (("training", self.training), ("false_alarm", self.false_alarm)):
            if length <= self.every:
                raise ValueError(f'needs a {name} longer than a bucket ("{length}", bucket "{self.every}")')
        return self


class HeartbeatRule(RuleBase, SoftAndHard):
    """Each of these sources is heard at least so often, by a row or a sign of life."""

    kind: Literal["heartbeat"]
    sources: tuple[SourceName, ...] = Field(min_length=1, description="Which sources.")

    @model_validator(mode="after")
    def _sound(self) -> HeartbeatRule:
        if not (self.soft or self.hard):
            raise ValueError("needs a limit: soft, hard or both")
        return self


def _one_limit(rule: SoftAndHard) -> None:
    if (rule.soft is None) == (rule.hard is None):
        raise ValueError("needs one limit, soft or hard; it says how much the alert asks for")


def _bucket(every: Duration) -> None:
    if not every:
        raise ValueError("needs an every that is longer than nothing")


AnyRule = Annotated[
    ResponseRule
    | PrecedenceRule
    | BalanceRule
    | PersistenceRule
    | AtMostRule
    | IdleRule
    | RateChangeRule
    | HeartbeatRule,
    Field(discriminator="kind"),
]

#: The class of each kind of rule.
RULE_CLASSES: Final[dict[RuleKind, type[RuleBase]]] = {
    RuleKind.response: ResponseRule,
    RuleKind.precedence: PrecedenceRule,
    RuleKind.balance: BalanceRule,
    RuleKind.persistence: PersistenceRule,
    RuleKind.at_most: AtMostRule,
    RuleKind.idle: IdleRule,
    RuleKind.rate_change: RateChangeRule,
    RuleKind.heartbeat: HeartbeatRule,
}


class MonitorFile(Model):
    """The rules of a monitor, and how strict they are."""

    basis: Basis = Field(description="Where the numbers come from, if a rule does not say otherwise.")
    strictness: float = Field(
        default=1.0,
        gt=0,
        description="Every limit, number and share that is allowed, and the time between false alarms, is "
        "divided by this: 2 is twice as strict, 0.5 half.",
    )
    rules: tuple[AnyRule, ...] = Field(min_length=1, description="The rules.")

    @model_validator(mode="after")
    def _names(self) -> MonitorFile:
        names = [rule.id for rule in self.rules]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"has two rules that are called {', '.join(double)}")
        return self
