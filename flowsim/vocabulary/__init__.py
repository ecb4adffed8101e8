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
    "CAUSE_OF_FAULT",
    "COMPARISON_COLUMNS",
    "JOURNAL_SCHEMA",
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
    "MessageKind",
    "Milestone",
    "NoticeKind",
    "Pace",
    "Party",
    "Purpose",
    "RelayKind",
    "ServiceKind",
    "State",
    "StepKind",
    "Urgency",
    "copy_of",
    "delivery_code",
]
