"""How an obligation begins, is broken, and recovers; what silence makes of a verdict."""

from __future__ import annotations

import math
from typing import Any

from flowsim.monitor.alerts import sweep_at as first_sweep
from flowsim.monitor.compiling import compiled
from flowsim.monitor.layout import (
    AT_MOST,
    HARD,
    LEVELS,
    PERSISTENCE,
    PRECEDENCE,
    SOFT,
    Array,
    Raised,
    Silence,
)
from flowsim.vocabulary import Verdict

sweep_at = compiled(first_sweep)

VIOLATED, INCONCLUSIVE = int(Verdict.violated), int(Verdict.inconclusive)


@compiled
def the_limit(limit: Array) -> float:
    """Return the hard limit, or the soft one where there is no hard."""
    return float(limit[HARD] if limit[HARD] < math.inf else limit[SOFT])


@compiled
def was_silent(silence: Silence, sources: int, since: float, deadline: float, cutoff: float) -> bool:
    """Return whether one of the sources was silent while something was awaited, as known at a cutoff."""
    for s in range(len(silence.gaps)):
        if not sources >> s & 1:
            continue
        for g in range(silence.gaps[s] - 1, -1, -1):
            if silence.ends[s, g] <= since:
                break
            known = min(silence.ends[s, g], cutoff) - silence.begins[s, g] > silence.after[s]
            if known and (silence.begins[s, g] < deadline or silence.ends[s, g] > cutoff):
                return True
    return False


@compiled
def open_at(slot: Any, row: Any, te: float) -> None:
    """Begin what is open with the row that opens it."""
    slot["open"] = 1
    slot["since"] = te
    slot["count"] = 1
    slot["message_key"] = row["key"]
    slot["subject"] = row["subject"]
    slot["unit"] = row["unit"]
    slot["sender"] = row["sender"]
    slot["receiver"] = row["receiver"]
    slot["template"] = row["template"]
    slot["message"] = row["message"]
    slot["channel"] = row["channel"]
    slot["urgency"] = row["urgency"]


@compiled
def raise_alert(
    rules: Array, silence: Silence, raised: Raised, slot: Any, level: int, deadline: float, every: float
) -> None:
    """Write an alert of a slot: its deadline is past. ``known`` is when it could be judged."""
    rule = rules[slot["rule"]]
    known = deadline
    if rule["kind"] == PRECEDENCE or rule["kind"] == PERSISTENCE:
        known = deadline + rule["tolerance"]
    at = sweep_at(known + rule["lateness"], every)
    n = raised.used[0]
    raised.used[0] = n + 1
    alert = raised.alerts[n]
    alert["raised"] = at
    alert["since"] = slot["since"]
    alert["deadline"] = deadline
    alert["earliest"] = known
    alert["recovered"] = math.inf
    alert["key"] = slot["message_key"]
    alert["subject"] = slot["subject"]
    alert["rule"] = slot["rule"]
    alert["unit"] = slot["unit"]
    alert["sender"] = slot["sender"]
    alert["receiver"] = slot["receiver"]
    alert["template"] = slot["template"]
    alert["count"] = slot["count"]
    alert["level"] = level + 1
    alert["message"] = slot["message"]
    alert["channel"] = slot["channel"]
    alert["urgency"] = slot["urgency"]
    silent = rule["kind"] != AT_MOST and was_silent(
        silence, rule["waits_for"], slot["since"], deadline, at - rule["lateness"]
    )
    alert["verdict"] = INCONCLUSIVE if silent else VIOLATED
    slot["alert"][level] = n


@compiled
def recover(raised: Raised, slot: Any, te: float) -> None:
    """Write into the alerts of a slot that what was missing has come."""
    for level in range(LEVELS):
        n = slot["alert"][level]
        if n >= 0 and raised.alerts[n]["recovered"] == math.inf:
            raised.alerts[n]["recovered"] = max(te, raised.alerts[n]["raised"])
            raised.touched[raised.used[2]] = n
            raised.used[2] += 1
            slot["alert"][level] = -1


@compiled
def overdue(
    rules: Array, silence: Silence, raised: Raised, slot: Any, te: float, every: float, at: bool
) -> None:
    """Raise the alerts of a slot whose deadlines lie before an instant (or at it)."""
    for level in range(LEVELS):
        limit = slot["limit"][level]
        if slot["alert"][level] == -1 and (limit < te or (at and limit <= te)):
            raise_alert(rules, silence, raised, slot, level, limit, every)


@compiled
def outcome(raised: Raised, slot: Any, failed: int) -> None:
    """Write down that a trial began, or failed."""
    n = raised.used[1]
    raised.used[1] = n + 1
    found = raised.outcomes[n]
    found["since"] = slot["since"]
    found["stream"] = slot["stream"]
    found["subject"] = slot["subject"]
    found["rule"] = slot["rule"]
    found["unit"] = slot["unit"]
    found["sender"] = slot["sender"]
    found["receiver"] = slot["receiver"]
    found["template"] = slot["template"]
    found["message"] = slot["message"]
    found["channel"] = slot["channel"]
    found["failed"] = failed
