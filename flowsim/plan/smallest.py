"""The smallest plan: an empty region in which nothing happens. It wakes the compiled kernel."""

from __future__ import annotations

from functools import cache

from flowsim.config.experiment_file import Design
from flowsim.plan.build import Plan, build_plan

_BASIS = {"source": "none: nothing happens", "certainty": "assumed"}
_SHARE = {"value": 0.0, **_BASIS}


@cache
def smallest_plan() -> Plan:
    """Return a plan with one organisation, one pathway without arrivals, and an hour to live."""
    channel = {"latency": "0 h", "receipts": "none"}
    return build_plan(
        Design.model_validate(
            {
                "experiment": "smallest",
                "scenario": "smallest",
                "start": "2024-01-01",
                "warm_up": "0 h",
                "observe": "1 h",
                "follow_up": "0 h",
                "seed": 1,
                "adoption": {
                    "joining": {"stale_share": _SHARE, "stale_lag": "1 day", "old_inbox_read": _SHARE}
                },
                "topology": {
                    "name": "Smallest",
                    "basis": _BASIS,
                    "inhabitants": 1,
                    "organisations": [
                        {
                            "id": "somebody",
                            "kind": "other",
                            "services": [{"id": "desk", "kind": "other", "staff": 1}],
                        }
                    ],
                },
                "pathways": {
                    "nothing": {
                        "id": "nothing",
                        "label": "Nothing",
                        "basis": _BASIS,
                        "starts": {"at": "other", "arrivals": {"per_year": 0}, "urgency": {"routine": 1.0}},
                        "steps": [{"id": "stop", "do": "end"}],
                    }
                },
                "channels": {
                    "basis": _BASIS,
                    "channels": dict.fromkeys(("platform", "edi", "letter", "portal", "phone"), channel),
                },
                "faults": {
                    "basis": _BASIS,
                    "faults": {},
                    "misdelivery": {"forwards": _SHARE, "notifies": _SHARE, "dead_endpoint": _SHARE},
                    "redelivery": "1 h",
                    "rate_sets": {"equal": {}},
                },
            }
        )
    )
