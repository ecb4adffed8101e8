"""The tables that the engine's compiled walk works on."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]

#: Roles of an event: what opens, what ends, and the mark of a whole snapshot.
OPENS, ENDS, WHOLE = 0, 1, 2
#: Kinds of rule that the walk knows; balance and the loss share use it to know what is still missing.
RESPONSE, PRECEDENCE, PERSISTENCE, AT_MOST, IDLE, MATCHING, TRIAL = range(7)
SOFT, HARD = 0, 1
LEVELS: Final = 2
#: How many whole snapshots of a list are remembered within one walk.
RING: Final = 64

#: One thing that happens to a rule: a row that fits its patterns.
EVENT: Final = np.dtype(
    [
        ("te", np.float64),
        ("key", np.int64),
        ("stream", np.int64),
        ("limit", np.float64, (LEVELS,)),  # deadlines where it opens something; infinite: none
        ("row", np.int64),
        ("role", np.uint8),
    ],
    align=True,
)

#: What is open for a key of a rule, or remembered of it.
SLOT: Final = np.dtype(
    [
        ("key", np.int64),
        ("stream", np.int64),
        ("since", np.float64),
        ("last", np.float64),  # the latest that ends, or -inf
        ("limit", np.float64, (LEVELS,)),
        ("alert", np.int64, (LEVELS,)),  # place of the alert raised, or -1
        ("message_key", np.int64),
        ("subject", np.int64),
        ("next", np.int64),
        ("count", np.int32),
        ("rule", np.int32),
        ("unit", np.int32),
        ("sender", np.int32),
        ("receiver", np.int32),
        ("template", np.int32),
        ("open", np.uint8),
        ("message", np.uint8),
        ("channel", np.uint8),
        ("urgency", np.uint8),
    ],
    align=True,
)

#: What the walk must know of a rule.
RULE_ROW: Final = np.dtype(
    [
        ("lateness", np.float64),  # of its lane
        ("tolerance", np.float64),
        ("waits_for", np.int64),  # bit mask over sources
        ("most", np.int64),
        ("kind", np.uint8),
    ],
    align=True,
)

#: One outcome of a trial (loss share): that it began, or that it failed; with what names its stream.
OUTCOME: Final = np.dtype(
    [
        ("since", np.float64),
        ("stream", np.int64),
        ("subject", np.int64),
        ("rule", np.int32),
        ("unit", np.int32),
        ("sender", np.int32),
        ("receiver", np.int32),
        ("template", np.int32),
        ("message", np.uint8),
        ("channel", np.uint8),
        ("failed", np.uint8),
    ],
    align=True,
)


class Tables(NamedTuple):
    """All open obligations, in chained buckets, with what was raised from them."""

    slots: Array  # SLOT
    heads: Array  # int64, a power of two: first slot of each bucket, or -1
    free: Array  # int64 of length 2: first free slot, slots in use
    snapshots: Array  # float64 [units, RING]: when a unit's list was seen whole
    taken: Array  # int64 [units]: how many whole snapshots so far


class Silence(NamedTuple):
    """When each source was silent: gaps that were longer than it may be; the last may be open (infinite)."""

    begins: Array  # float64 [sources, gaps]
    ends: Array  # float64 [sources, gaps]
    gaps: Array  # int64 [sources]: how many
    after: Array  # float64 [sources]


class Raised(NamedTuple):
    """Where the walk writes alerts and outcomes; ``used`` counts both, ``touched`` those that recovered."""

    alerts: Array  # ALERT_SCHEMA
    outcomes: Array  # OUTCOME
    used: Array  # int64 of length 3: alerts, outcomes, touched
    touched: Array  # int64: places of alerts that recovered in this walk
