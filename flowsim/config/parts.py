"""The files that an experiment names: topology, pathways, channels, faults, economics; found and read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel

from flowsim.config.documents import DataPath, Document
from flowsim.config.experiment_file import ExperimentFile
from flowsim.config.loading import load_yaml, validate
from flowsim.config.schema import (
    ChannelsFile,
    DefectsFile,
    EconomicsFile,
    FaultsFile,
    LeversFile,
    LogsFile,
    MonitorFile,
    PathwayFile,
    PeopleFile,
    ResponseFile,
    TopologyFile,
)
from flowsim.errors import Fault, FaultsInFile, did_you_mean

#: The parts of a design that are one file each, with their models.
WORLD: Final[dict[str, type[BaseModel]]] = {
    "topology": TopologyFile,
    "channels": ChannelsFile,
    "faults": FaultsFile,
    "defects": DefectsFile,
    "people": PeopleFile,
    "levers": LeversFile,
    "economics": EconomicsFile,
    "monitor": MonitorFile,
    "logs": LogsFile,
    "response": ResponseFile,
}
#: Parts that an experiment may do without.
OPTIONAL: Final = frozenset({"economics", "monitor", "logs", "response"})
#: What a part is where another is named: a monitor reads logs as they come.
_WITH: Final = {"logs": ("monitor", "logs_imperfect")}

_CATALOGUE: Final = Path(__file__).parents[1] / "catalogue"
#: Folder and beginning of a kind's files in the catalogue, where they are not simply called as the kind.
_PLACES: Final = {
    "pathways": ("pathways", ""),
    "monitor": ("monitor", "rules"),
    "logs": ("monitor", "logs"),
    "response": ("monitor", "response"),
}

Model = TypeVar("Model", bound=BaseModel)


def checked(document: Document, model: type[Model], faults: list[Fault]) -> Model | None:
    """Return the document as a model, or None after noting its faults."""
    try:
        return validate(document, model)
    except FaultsInFile as error:
        faults += error.faults
        return None


@dataclass
class Parts:
    """The documents that an experiment names: its world, perhaps economics, and pathways by id."""

    world: dict[str, Document]
    pathways: dict[str, Document]


def read_parts(document: Document, faults: list[Fault]) -> Parts | None:
    """Return the documents of all named files, or None where one cannot be read; note all faults."""
    world: dict[str, Document] = {}
    pathways: dict[str, Document] = {}
    whole = True
    for name, model in WORLD.items():
        given = document.data.get(name, ExperimentFile.model_fields[name].default)
        if given is None and name in _WITH and document.data.get(_WITH[name][0]) is not None:
            given = _WITH[name][1]
        if given is None and name in OPTIONAL:
            continue
        part = _read_part(document, (name,), given, name, model, faults)
        whole = whole and part is not None
        if part is not None:
            world[name] = part
    named = document.data.get("pathways")
    for index, given in enumerate(named if isinstance(named, list) else []):
        part = _read_part(document, ("pathways", index), given, "pathways", PathwayFile, faults)
        whole = whole and part is not None
        if part is None:
            continue
        identifier = str(part.data.get("id", Path(part.path).stem))
        if identifier in pathways:
            faults.append(document.fault(("pathways", index), f"The pathway '{identifier}' is named twice."))
        pathways[identifier] = part
    return Parts(world, pathways) if whole and pathways else None


def _read_part(
    document: Document,
    at: DataPath,
    given: object,
    kind: str,
    model: type[BaseModel],
    faults: list[Fault],
) -> Document | None:
    """Return one named file as a document, noting the faults of its reading and of its model."""
    if not isinstance(given, str):
        return None  # the experiment's model has said so
    try:
        path = _file(document, at, given, kind)
        part = load_yaml(path)
    except FaultsInFile as error:
        if len(error.faults) == 1 and error.faults[0].line is None:
            # What cannot be read at all is mended in the line that names it.
            told = error.faults[0]
            message = told.message if told.message.startswith("'") else f"'{given}' {told.message}"
            error = FaultsInFile([document.fault(at, message, told.hint, quote=True)])
        faults += error.faults
        return None
    checked(part, model, faults)
    return part


def _file(document: Document, at: DataPath, given: str, kind: str) -> Path:
    """Return the file that a name stands for: relative to the file that says it, or in the catalogue."""
    if kind == "topology" or given.endswith((".yaml", ".yml")):
        folder = Path(document.where(at).file).parent
        return Path(os.path.normpath(folder / given))
    below, begins = _PLACES.get(kind, ("", kind))
    folder = _CATALOGUE / below
    known = sorted(path.stem for path in folder.glob(f"{begins}*.yaml"))
    if given not in known:
        message = f"The catalogue has no {kind} called '{given}'."
        hint = f"{did_you_mean(given, known)} A file of your own ends in .yaml."
        raise FaultsInFile([document.fault(at, message, hint, quote=True)])
    return folder / f"{given}.yaml"
