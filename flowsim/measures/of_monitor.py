"""Measures of the monitor in the loop: what its alerts cost, and what acting on them brought back."""

from __future__ import annotations

from flowsim.episodes.organisation import Organisation
from flowsim.journal import RunHeader
from flowsim.measures.registry import Array, Better, Columns, Level, measure
from flowsim.units import HOURS_PER_YEAR

_MONITOR = Level.monitor


def _over(g: Columns, part: str, whole: str) -> float:
    of = float(g[whole].sum())
    return float(g[part].sum()) / of if of > 0.0 else float("nan")


@measure(_MONITOR, "alerts a working day", Better.lower)
def monitor_alerts_per_day(g: Columns) -> float:
    """Alerts handed to those who act on them, for each working day of the window."""
    return _over(g, "alerts", "working_days")


@measure(_MONITOR, "alerts a working day", Better.lower)
def monitor_tickets_per_day(g: Columns) -> float:
    """Tickets handed over, for each working day: alerts of one incident at one sweep are one ticket."""
    return _over(g, "tickets", "working_days")


@measure(_MONITOR, "hours a year", Better.lower)
def monitor_hours(g: Columns) -> float:
    """Staff hours a year that those who act on alerts spend on them, false alarms included."""
    return float(g["hours"].sum())


@measure(_MONITOR, "deliveries", Better.higher)
def monitor_items_found(g: Columns) -> float:
    """Messages and tasks that acting on an alert brought back, in the window."""
    return float(g["found"].sum())


@measure(_MONITOR, "share", Better.lower)
def monitor_false_share(g: Columns) -> float:
    """Items looked at that were not lost, or that somebody else had found, of all items looked at.

    None where nobody acts on alerts.
    """
    return 1.0 - _over(g, "found", "items")


def monitor_columns(organisation: Organisation, header: RunHeader) -> dict[str, Array]:
    """Return the columns that measures of the monitor read; hours are those of a year."""
    frame = organisation.monitor
    per_year = HOURS_PER_YEAR / header.observe_hours if header.observe_hours > 0.0 else float("nan")
    columns: dict[str, Array] = {name: frame[name].to_numpy(float) for name in frame.columns}
    return {**columns, "hours": columns["hours"] * per_year}
