"""The reference page of the data: every column of journal, observations, alerts and truth.

Columns and types come from the schemas themselves; a column without a meaning here stops the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from flowsim.vocabulary import ALERT_SCHEMA, JOURNAL_SCHEMA, OBSERVATION_SCHEMA, TRUTH_COLUMNS

_HEAD: Final = """\
# Data

Every column of what flowsim writes and reads, row by row. This page is generated
(`flowsim schema --data docs/data.md`) and a test keeps it current. Words for the numbers of closed lists
are in [glossary.md](glossary.md); what a monitor makes of observations is in [monitor.md](monitor.md).

Times are hours from the start of the run on the standard clock (every day has 24 h), infinite where they
did not come. Services, steps, pathways and defects are numbers: their place in the header of the run
(`RunHeader`). -1 is none, or not known.
"""

_JOURNAL: Final = {
    "time": "when it happened (hours)",
    "case": "the case: hash of its family × 2^32 + its number in the family; 0: about no case",
    "delivery": "which message of the case: place × 2^24 + visit × 2^8 + copy; 0: about none",
    "step": "the step of the pathway",
    "service": "the service or relay where it happened",
    "peer": "the other end, as addressed: for a sender's row the receiver, else the sender",
    "list_length": "entries of the list after it; at a dead endpoint 1 + the service whose old address it is",
    "hours": "staff hours: of the work (taken), of search in it (done), of training (went_live)",
    "event": "what happened (`Event`)",
    "channel": "how the message travels (`Channel`); 0: none",
    "attempt": "which try; in a found row who found it (`FoundBy`); in defect_escalated the level",
    "urgency": "of the case (`Urgency`)",
    "intended": "truth: the service that it is meant for",
    "defect": "truth: the defect that hit it",
    "fault": "truth: its fault so far (`Fault`)",
    "state": "truth: who will see it (`State`)",
}
_OBSERVATION: Final = {
    "time": "when it happened, by the clock of the system whose log it is (hours)",
    "received": "when the monitor got it (hours)",
    "key": "the message, a 63-bit hash of its id; 0: no id was carried over",
    "subject": "the patient or conversation, a hash; 0: not known",
    "unit": "in whose log it stands, a number in the directory",
    "sender": "who sent it, as addressed; of care_started where the case began",
    "receiver": "to whom it was addressed, which need not be whom it was meant for",
    "template": "the document template (the send step); of an activity row which activity",
    "count": "of activity how many, of snapshot_taken how many items, of on_list how many entries of it",
    "seen": "what it says (`Seen`)",
    "source": "which log it stands in (`Source`)",
    "message": "kind of message (`MessageKind`); 0: a task without one, or not about one",
    "channel": "how it travels (`Channel`); 0: not known",
    "attempt": "which try",
    "urgency": "of the case (`Urgency`)",
}
_ALERT: Final = {
    "raised": "when the monitor knew (hours)",
    "since": "when what it waits on happened; of a stream the first (hours)",
    "deadline": "when the rule was broken (hours)",
    "earliest": "when it could have been known with logs at once (hours)",
    "recovered": "when what was missing came after all (hours)",
    "key": "the message; 0: the alert is about a stream",
    "subject": "the patient or conversation; 0: not known",
    "rule": "its place in the list of rules",
    "unit": "whose log, list or endpoint",
    "sender": "the sender of the message or stream",
    "receiver": "the receiver of the message or stream, as addressed",
    "template": "the document template",
    "count": "how many are missing, unread or too many",
    "level": "how much it asks for (`Level`)",
    "verdict": "what it says of the obligation (`Verdict`)",
    "message": "kind of message (`MessageKind`)",
    "channel": "how it travels (`Channel`)",
    "urgency": "of the case (`Urgency`)",
}
_ITEMS: Final = {
    "key": "the delivery, by the key that observations have; of a task without a message its case and step",
    "case": "the case, as in the journal",
    "delivery": "which message of the case, as in the journal; 0: a task without a message",
    "fault": "class of fault (`Fault`), by name; late: by fault, or past its deadline",
    "defect": "the defect that caused it, where its class is the defect's",
    "sender": "the sending service",
    "intended": "the service that it is meant for",
    "message": "kind of message (`MessageKind`), as a number",
    "channel": "channel when it was authored (`Channel`), as a number",
    "template": "the send step; of a task its work step",
    "urgency": "of the case (`Urgency`), as a number",
    "authored": "when it was written (hours)",
    "began": "when it took effect: the first journal row that shows it; of late: when it was written (hours)",
    "ended": "when somebody it is meant for took or opened it, it was taken back, or its case ended (hours); "
    "never for duplicated, incomplete and no_endpoint, which nobody mends by reading",
    "people_noticed": "when people first found it without monitor or command (hours)",
    "told": "when the sender's own system showed the failure and somebody was to act (hours)",
}
_EPISODES: Final = {
    "kind": "defect, unwatched_list, old_address or outage",
    "number": "which defect; the service of the list or old address; the relay",
    "fault": "class of fault that it gives, by name; empty for an outage",
    "began": "defect_began; owner_lost, or the first item where a list never had an owner; the first "
    "message that came out at the old address; relay_down (hours)",
    "ended": "defect_mended; owner_given; when no message lay at the old address any more; relay_up (hours)",
    "people_noticed": "defect_believed; owner_given; never for the other two (hours)",
}
_TOUCHED: Final = {
    "episode": "the row of `episodes`, from 0",
    "key": "a delivery: hit by the defect, unseen on the list, come out at the old address, held or lost "
    "at the relay",
}
_ITEM_TYPES: Final = {"fault": "text", "kind": "text", "authored": "float64", "began": "float64",
                      "ended": "float64", "people_noticed": "float64", "told": "float64"}  # fmt: skip


def data_page() -> str:
    """Return the text of ``docs/data.md``; KeyError where a column has no meaning here."""
    from flowsim.truth import EPISODE_COLUMNS, ITEM_COLUMNS, TOUCHED_COLUMNS  # noqa: PLC0415 (loads numba)

    truth = ", ".join(f"`{name}`" for name in TRUTH_COLUMNS)
    parts = [
        _HEAD,
        _section(
            "Journal",
            f"One row of `JOURNAL_SCHEMA`: what happened. The last columns ({truth}) are the truth.",
            _of_schema(JOURNAL_SCHEMA, _JOURNAL),
        ),
        _section(
            "Observations",
            "One row of `OBSERVATION_SCHEMA`: what a log shows of it. Numbers of units and templates are "
            "those of the `Directory`: unit s is service s, unit (number of services + s) the old address of "
            "service s. Tasks that come without a message have a key of their case and step, so it comes "
            "back when the step is done again.",
            _of_schema(OBSERVATION_SCHEMA, _OBSERVATION),
        ),
        _section("Alerts", "One row of `ALERT_SCHEMA`.", _of_schema(ALERT_SCHEMA, _ALERT)),
        _section(
            "Truth: items",
            "One row for each class of fault that a delivery ever had, in the whole run (`TruthFold`).",
            _of_columns(ITEM_COLUMNS, _ITEMS),
        ),
        _section(
            "Truth: episodes",
            "One row for what lay behind many faults at once.",
            _of_columns(EPISODE_COLUMNS, _EPISODES),
        ),
        _section(
            "Truth: touched", "Which deliveries an episode touched.", _of_columns(TOUCHED_COLUMNS, _TOUCHED)
        ),
    ]
    return "\n".join(parts)


def _section(title: str, text: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in rows]
    table = "\n".join(["| column | type | meaning |", "|---|---|---|", *lines])
    return f"## {title}\n\n{text}\n\n{table}\n"


def _of_schema(schema: np.dtype[np.void], meanings: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    return [(name, schema[name].name, meanings[name]) for name in schema.names or ()]


def _of_columns(names: Iterable[str], meanings: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    return [(name, _ITEM_TYPES.get(name, "int"), meanings[name]) for name in names]
