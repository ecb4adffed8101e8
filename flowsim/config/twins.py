"""What a design is compared with, and which designs are the same simulation.

A *twin* is a design with causes switched off. What those causes would have read is set to one canonical
value, so that all scenarios that differ only there share one twin, which is then simulated once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from hashlib import blake2b
from typing import Any, Final

from pydantic import BaseModel

from flowsim.config.catalogue_file import ChannelsFile, FaultsFile
from flowsim.config.experiment_file import NO_DEFECTS, NO_LEVERS, PLAIN_PEOPLE, Adoption, Design
from flowsim.config.people_file import PeopleFile
from flowsim.config.response_file import Watch
from flowsim.vocabulary import Channel

#: Fields that people read and the simulation does not.
_FOR_PEOPLE: Final = frozenset({"label", "basis", "notice", "question"})
#: Fields of certain models that the simulation does not read.
_FOR_PEOPLE_IN: Final[dict[str, frozenset[str]]] = {
    "Design": frozenset({"experiment", "scenario", "economics"}),
    "TopologyFile": frozenset({"name"}),
    "Estimate": frozenset({"range", "source", "certainty"}),
    "Lever": frozenset({"costs"}),
    "Known": frozenset({"happened"}),
}
_NOBODY: Final = {"source": "a twin: this cause is switched off", "certainty": "derived"}
#: What the ideal-message twin has instead of an adoption level, channels and faults.
NO_ADOPTION: Final = Adoption.model_validate(
    {"organisations": (), "joining": {"stale_share": 0, "stale_lag": "0 h", "old_inbox_read": 0}}
)
NO_CHANNELS: Final = ChannelsFile.model_validate(
    {"basis": _NOBODY, "channels": {c.name: {"latency": "0 h", "receipts": "none"} for c in Channel}}
)
NO_FAULTS: Final = FaultsFile.model_validate(
    {
        "basis": _NOBODY,
        "faults": {},
        "misdelivery": {"forwards": 0, "notifies": 0, "dead_endpoint": 0},
        "redelivery": "0 h",
        "rate_sets": {"equal": {}},
    }
)
#: What a design has where nobody watches.
NO_MONITOR: Final[dict[str, Any]] = {
    "monitor": None,
    "logs": None,
    "response": None,
    "watch": Watch(),
}


def ideal_twin(design: Design) -> Design:
    """Return the ideal-message twin: each message there the instant it is authored, nothing else changed.

    It has no platform, channel or fault, so it is one for every adoption level, rate set and outage.
    """
    return design.model_copy(
        update={
            "scenario": "ideal messages",
            "ideal": True,
            "faults_off": True,
            "view": "settled",
            "rates": "equal",
            "adoption": NO_ADOPTION,
            "outages": (),
            "channels": NO_CHANNELS,
            "faults": NO_FAULTS,
            "defects": NO_DEFECTS,
            "people": _without_learning(design.people),
            "levers": NO_LEVERS,
            "use_levers": (),
            **NO_MONITOR,
        }
    )


def same_adoption_twin(design: Design) -> Design:
    """Return the same-adoption twin: faults off and no outage, the same channels and practices joined."""
    return design.model_copy(
        update={
            "scenario": "faults off",
            "faults_off": True,
            "rates": "equal",
            "outages": (),
            "faults": NO_FAULTS,
            "defects": NO_DEFECTS,
            **NO_MONITOR,
        }
    )


def _without_learning(people: PeopleFile) -> PeopleFile:
    """Return how people work with the same absence, as capacity is the same, and no platform to learn."""
    return PLAIN_PEOPLE.model_copy(update={"absence": people.absence, "holidays": people.holidays})


def design_key(design: Design) -> str:
    """Return 32 hexadecimal digits that two designs share if the simulation cannot tell them apart.

    BLAKE2b over canonical JSON without names, labels and sources, which people read and draws do not.
    """
    text = json.dumps(essence(design), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def essence(value: Any) -> Any:
    """Return as plain data what of a model matters to the simulation."""
    if isinstance(value, BaseModel):
        kind = type(value).__name__
        hidden = _FOR_PEOPLE | _FOR_PEOPLE_IN.get(kind, frozenset())
        return {
            name: essence(getattr(value, name)) for name in type(value).model_fields if name not in hidden
        }
    if isinstance(value, Mapping):
        return {str(key): essence(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [essence(part) for part in value]
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)  # durations and dates, whose text is exact
