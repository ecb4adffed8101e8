"""The closed word lists of flowsim, in the field's own terms.

Every code that the kernel writes and the analysis reads is defined here once. Numbers are part of
the journal's file format: a member is never renumbered, new members are added at the end.
``docs/glossary.md`` has each word in English and Norwegian.
"""

from flowsim.vocabulary.journal import (
    COMPARISON_COLUMNS,
    JOURNAL_SCHEMA,
    SUMMARY_COLUMNS,
    TRUTH_COLUMNS,
    Event,
    copy_of,
    delivery_code,
)
from flowsim.vocabulary.messages import (
    CAUSE_OF_FAULT,
    Cause,
    Channel,
    Fate,
    Fault,
    FirstOutcome,
    FoundBy,
    MessageKind,
    State,
    Urgency,
)
from flowsim.vocabulary.monitor import (
    ALERT_SCHEMA,
    OBSERVATION_SCHEMA,
    IncidentState,
    Level,
    RuleKind,
    Seen,
    Source,
    Verdict,
    message_key,
    message_keys,
)
from flowsim.vocabulary.region import (
    Basis,
    Certainty,
    CommandKind,
    Milestone,
    NoticeKind,
    Pace,
    Party,
    Purpose,
    RelayKind,
    ServiceKind,
    StepKind,
)

__all__ = [
    "ALERT_SCHEMA",
    "CAUSE_OF_FAULT",
    "COMPARISON_COLUMNS",
    "JOURNAL_SCHEMA",
    "OBSERVATION_SCHEMA",
    "SUMMARY_COLUMNS",
    "TRUTH_COLUMNS",
    "Basis",
    "Cause",
    "Certainty",
    "Channel",
    "CommandKind",
    "Event",
    "Fate",
    "Fault",
    "FirstOutcome",
    "FoundBy",
    "IncidentState",
    "Level",
    "MessageKind",
    "Milestone",
    "NoticeKind",
    "Pace",
    "Party",
    "Purpose",
    "RelayKind",
    "RuleKind",
    "Seen",
    "ServiceKind",
    "Source",
    "State",
    "StepKind",
    "Urgency",
    "Verdict",
    "copy_of",
    "delivery_code",
    "message_key",
    "message_keys",
]
