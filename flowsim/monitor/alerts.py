"""Alerts as rows: how one begins, what tells it from others, and in which order they stand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.vocabulary import ALERT_SCHEMA, Level, Verdict

Rows = NDArray[Any]

#: What tells one alert from every other.
_WHICH = (
    "rule", "level", "key", "since", "deadline", "subject", "unit", "sender", "receiver", "template",
    "message", "channel",
)  # fmt: skip


def sweep_at(instant: float, every: float) -> float:
    """Return the first sweep at or after an instant; compiled into the walk as well."""
    return math.ceil(instant / every) * every


def stream_alert(
    rule: int, level: Level, since: float, deadline: float, earliest: float, raised: float, count: int
) -> Any:
    """Return an alert about no message in particular: nobody's, until its columns are filled in."""
    alert = np.zeros(1, ALERT_SCHEMA)[0]
    for column in ("unit", "sender", "receiver", "template"):
        alert[column] = -1
    alert["since"], alert["deadline"], alert["earliest"], alert["raised"] = since, deadline, earliest, raised
    alert["recovered"], alert["verdict"] = math.inf, Verdict.violated
    alert["rule"], alert["level"], alert["count"] = rule, level, count
    return alert


def identity(alert: Any) -> tuple[Any, ...]:
    """Return what tells one alert from every other."""
    return tuple(alert[name].item() for name in _WHICH)


def in_order(alerts: Rows) -> Rows:
    """Return alerts in an order that only what they say decides."""
    return alerts[np.lexsort(tuple(alerts[name] for name in (*reversed(_WHICH), "raised")))]
