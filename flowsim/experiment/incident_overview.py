"""Incidents as a person reads them on the console: the most severe first, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from flowsim.labels import Labels
from flowsim.monitor.outputs import summary
from flowsim.monitor.records import Incident
from flowsim.units import Clock

_HEADS: Final = ("severity", "level", "state", "what", "guess", "way", "count", "since", "owner")
_NOTHING: Final = "–"
_LONGEST: Final = 44


def incident_table(
    incidents: Sequence[Incident], clock: Clock, labels: Labels, most: int | None = None
) -> str:
    """Return a table of incidents as text, the most severe first, with a line of counts beneath.

    ``most`` cuts it to so many rows; how many are left out is said. Times are of the log's clock.
    """
    shown = list(incidents)[:most]
    rows = [[labels.word("incident", head) for head in _HEADS]]
    rows += [_row(each, clock, labels) for each in shown]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines = [line.rstrip() for line in lines]
    if len(shown) < len(incidents):
        lines.append(labels.text("incidents_more", count=len(incidents) - len(shown)))
    return "\n".join([*lines, labels.text("incidents_summary", **summary(incidents))])


def _row(incident: Incident, clock: Clock, labels: Labels) -> list[str]:
    since = incident.first_since
    way = f"{incident.sender or _NOTHING} → {incident.receiver or _NOTHING}"
    if not incident.sender and not incident.receiver:
        way = incident.unit or _NOTHING
    what = [labels.word("monitor_rule", incident.rule)]
    if incident.message is not None:
        what.append(labels.member(incident.message))
    count = f"{incident.count}"
    if incident.recovered:
        count += f" ({incident.recovered})"
    return [
        str(incident.severity),
        labels.member(incident.level),
        labels.member(incident.state),
        _cut(", ".join(what)),
        _cut(", ".join(labels.member(fault) for fault in incident.guess) or _NOTHING),
        _cut(way),
        count,
        clock.to_datetime(since).strftime("%Y-%m-%d %H:%M") if math.isfinite(since) else _NOTHING,
        labels.word("owner", incident.owner) if incident.owner else _NOTHING,
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
