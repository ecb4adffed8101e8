"""Incidents as a ticket tool or a spreadsheet takes them: JSON lines and CSV, in codes and dates.

Identifiers are those of the directory; nothing of a message's content is there to be written.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from typing import Final, TextIO

from flowsim.monitor.records import Incident
from flowsim.units import Clock

#: The columns of incidents.csv and the keys of a line of JSON, in this order.
INCIDENT_COLUMNS: Final = (
    "id", "state", "level", "severity", "rule", "kind", "guess", "sender", "sender_party", "receiver",
    "receiver_party", "unit", "template", "message", "channel", "count", "recovered", "first_since", "raised",
    "last", "owner", "due", "reopened",
)  # fmt: skip
_TIMES: Final = ("first_since", "raised", "last", "due")

Plain = dict[str, str | int | list[str] | None]


def incident_row(incident: Incident, clock: Clock) -> Plain:
    """Return an incident as plain data: codes as words, times as ISO dates, classes as a list."""
    row: Plain = {}
    for name in INCIDENT_COLUMNS:
        value = getattr(incident, name)
        if name in _TIMES:
            known = math.isfinite(value)
            row[name] = clock.to_datetime(value).isoformat(timespec="seconds") if known else None
        elif name == "guess":
            row[name] = [fault.name for fault in value]
        elif name in ("kind", "state"):
            row[name] = value.value
        elif name in ("level", "message", "channel", "sender_party", "receiver_party"):
            row[name] = value.name if value is not None else None
        else:
            row[name] = value
    return row


def write_json_lines(incidents: Iterable[Incident], clock: Clock, file: TextIO) -> None:
    """Write one line of JSON for each incident, keys as ``INCIDENT_COLUMNS``."""
    file.writelines(
        json.dumps(incident_row(each, clock), ensure_ascii=False, allow_nan=False) + "\n"
        for each in incidents
    )


def write_csv(incidents: Iterable[Incident], clock: Clock, file: TextIO) -> None:
    """Write a table with a head, columns as ``INCIDENT_COLUMNS``; classes are joined by spaces."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(INCIDENT_COLUMNS)
    for incident in incidents:
        row = incident_row(incident, clock)
        writer.writerow([_cell(row, name) for name in INCIDENT_COLUMNS])


def _cell(row: Mapping[str, str | int | list[str] | None], name: str) -> str:
    value = row[name]
    if value is None:
        return ""
    text = " ".join(value) if isinstance(value, list) else str(value)
    # An id from a log may begin with a sign that a spreadsheet takes for a formula.
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def summary(incidents: Iterable[Incident]) -> dict[str, int]:
    """Return how many incidents there are: all, open, hard and open, messages in them, come after all."""
    found = list(incidents)
    still = [each for each in found if each.state.value in ("new", "acknowledged")]
    return {
        "incidents": len(found),
        "open": len(still),
        "open_hard": sum(each.level.name == "hard" for each in still),
        "count": sum(each.count for each in found),
        "recovered": sum(each.recovered for each in found),
    }
