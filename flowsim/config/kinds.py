"""Which kind of file a file is, told from what it says, and its check."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from flowsim.config.documents import Document
from flowsim.config.schema import (
    ChannelsFile,
    DefectsFile,
    EconomicsFile,
    ExperimentFile,
    FaultsFile,
    LeversFile,
    LogsFile,
    MonitorFile,
    PathwayFile,
    PeopleFile,
    ResponseFile,
    RoutingFile,
    TopologyFile,
)
from flowsim.errors import Fault, FaultsInFile

#: The model of each kind of file.
KINDS: Final[dict[str, type[BaseModel]]] = {
    "experiment": ExperimentFile,
    "topology": TopologyFile,
    "pathway": PathwayFile,
    "channels": ChannelsFile,
    "faults": FaultsFile,
    "defects": DefectsFile,
    "people": PeopleFile,
    "levers": LeversFile,
    "economics": EconomicsFile,
    "monitor": MonitorFile,
    "routing": RoutingFile,
    "logs": LogsFile,
    "response": ResponseFile,
}


def kind_of(document: Document) -> str:
    """Return the kind whose keys a file has most of, by share of its keys; required ones count twice.

    Raises ``FaultsInFile`` where it has no key of any kind.
    """
    scores = {kind: _score(document, model) for kind, model in KINDS.items()}
    best = max(scores, key=lambda kind: scores[kind])
    if scores[best] > 0:
        return best
    message = "is no file of flowsim: it has no key that one would have."
    hint = "Experiments begin with 'name:' and 'topology:'; see docs/configuration.md."
    raise FaultsInFile([Fault(document.path, None, "", message, hint)])


def _score(document: Document, model: type[BaseModel]) -> float:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    known = sum(key in model.model_fields for key in document.data)
    there = sum(key in document.data for key in required)
    return known / max(len(document.data), 1) + there / len(required)
