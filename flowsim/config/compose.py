"""From an experiment file and the files it names to design points, each a whole, checked ``Design``.

The files become one tree of plain data, ``{start, …, adoption, topology, pathways, channels, faults}``,
in which every part knows the file and line it came from. ``change:`` is applied to it, then each point
of ``vary:`` (the full grid) and each of ``scenarios:``, by dotted path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from flowsim.config.documents import Data, DataPath, Document, Origin, set_path
from flowsim.config.experiment_file import Design, ExperimentFile
from flowsim.config.grid import AS_GIVEN, Change, Point, common_changes, parse_half_width, points, value_text
from flowsim.config.loading import load_yaml, validate
from flowsim.config.schema import ChannelsFile, FaultsFile, PathwayFile, TopologyFile
from flowsim.errors import Fault, FaultsInFile, did_you_mean
from flowsim.labels import load_labels

#: In ``compare.to``: the scenario's own value.
SAME: Final = "same"

_CATALOGUE: Final = Path(__file__).parents[1] / "catalogue"
#: What a design takes straight from the experiment file.
_SETTINGS: Final = tuple(name for name in Design.model_fields if name in ExperimentFile.model_fields)
_WORLD: Final = {"topology": TopologyFile, "channels": ChannelsFile, "faults": FaultsFile}
_SETTINGS_ONLY: Final = tuple(name for name in _SETTINGS if name not in (*_WORLD, "pathways"))
_ALWAYS_LEGAL_RATES: Final = "equal"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class DesignPoint:
    """One scenario: its name, each varied setting as text, and the whole design."""

    name: str
    settings: Mapping[str, str]
    design: Design


@dataclass(frozen=True)
class Study:
    """An experiment with all its files read and checked: the base design and every design point.

    ``settings`` are the dotted paths that differ between points, in the order of the file.
    """

    path: Path
    experiment: ExperimentFile
    base: Design
    settings: tuple[str, ...]
    points: tuple[DesignPoint, ...] = field(repr=False)

    def designs(self) -> list[DesignPoint]:
        """Return every design point, grid first (the last setting changes fastest), then named ones."""
        return list(self.points)

    def scenario_rows(self) -> list[dict[str, str]]:
        """Return one row a scenario: ``scenario`` and a column for each varied setting."""
        return [{"scenario": point.name, **point.settings} for point in self.points]

    def baseline_rule(self) -> dict[str, str]:
        """Return for every varied setting the baseline's value, or "same"; empty without ``compare:``."""
        compare = self.experiment.compare
        if compare is None:
            return {}
        wanted = {path: value_text(value) for path, value in compare.to.items()}
        named = wanted.get("scenario")
        if named is not None:
            return dict(next(point.settings for point in self.points if point.name == named))
        return {path: wanted.get(path, SAME) for path in self.settings}

    def resolved(self) -> dict[str, Any]:
        """Return everything that is run as plain data with every default, for ``resolved.yaml``."""
        from_design = {*_WORLD, "pathways", *_SETTINGS_ONLY}
        given = self.experiment.model_dump(mode="json", exclude={"base", "change", "scenarios", *from_design})
        design = self.base.model_dump(mode="json", include=from_design)
        settings = {name: design.pop(name) for name in _SETTINGS_ONLY}
        scenarios = {point.name: dict(point.settings) for point in self.points}
        return {**given, **settings, "scenarios": scenarios, **design}


def load_study(path: str | os.PathLike[str]) -> Study:
    """Read an experiment file and all that it names, and return its checked design points.

    Raises ``FaultsInFile`` with the faults of all files at once.
    """
    document = load_yaml(path)
    faults: list[Fault] = []
    experiment = _checked(document, ExperimentFile, faults)
    parts = _read_parts(document, faults)
    found = _points(document, faults)
    if parts is None or found is None:
        raise FaultsInFile(faults)
    common = common_changes(document)
    composer = _Composer(_compose(document, parts, experiment))
    base = composer.design(Point(AS_GIVEN, ()), common)
    designs = [composer.design(point, common) for point in found]
    # What the files' own models have said already is not said again in the words of the whole.
    faults += composer.faults if not faults else [f for f in composer.faults if (f.file, f.line) in composer.lines]
    faults += _stopping_faults(document, experiment)
    settings = tuple(dict.fromkeys(path for point in found for path in point.settings))
    if experiment is not None:
        faults += _comparison_faults(document, experiment, found, settings)
    if faults or experiment is None or base is None:
        raise FaultsInFile(faults)
    whole = tuple(
        DesignPoint(point.name, _texts(point, settings, composer.data), design)
        for point, design in zip(found, designs, strict=True)
        if design is not None
    )
    return Study(Path(path), experiment, base, settings, whole)


def _checked(document: Document, model: type[Model], faults: list[Fault]) -> Model | None:
    """Return the document as a model, or None after noting its faults."""
    try:
        return validate(document, model)
    except FaultsInFile as error:
        faults += error.faults
        return None


def _points(document: Document, faults: list[Fault]) -> list[Point] | None:
    """Return the scenarios' points, or None after noting what is wrong with their lists."""
    try:
        return points(document)
    except FaultsInFile as error:
        faults += error.faults
        return None


# --- the files that an experiment names -------------------------------------------------------------


@dataclass
class _Parts:
    """The documents that an experiment names: topology, channels and faults, and pathways by id."""

    world: dict[str, Document]
    pathways: dict[str, Document]


def _read_parts(document: Document, faults: list[Fault]) -> _Parts | None:
    """Return the documents of all named files, or None where one cannot be read; note all faults."""
    world: dict[str, Document] = {}
    pathways: dict[str, Document] = {}
    whole = True
    for name, model in _WORLD.items():
        given = document.data.get(name, ExperimentFile.model_fields[name].default)
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
    return _Parts(world, pathways) if whole and pathways else None


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
        if not path.is_file():
            # The line that names the file is where it is mended.
            what = _unreadable(path)
            raise FaultsInFile([document.fault(at, what.message, what.hint, quote=True)])
        part = load_yaml(path)
    except FaultsInFile as error:
        faults += error.faults
        return None
    _checked(part, model, faults)
    return part


def _unreadable(path: Path) -> Fault:
    """Return the fault that reading a file which is not there, or is a folder, gives."""
    try:
        load_yaml(path)
    except FaultsInFile as error:
        return error.faults[0]
    raise AssertionError(f"{path} can be read")


def _file(document: Document, at: DataPath, given: str, kind: str) -> Path:
    """Return the file that a name stands for: relative to the file that says it, or in the catalogue."""
    if kind == "topology" or given.endswith((".yaml", ".yml")):
        folder = Path(document.where(at).file).parent
        return Path(os.path.normpath(folder / given))
    folder = _CATALOGUE / "pathways" if kind == "pathways" else _CATALOGUE
    known = sorted(path.stem for path in folder.glob("*.yaml" if kind == "pathways" else f"{kind}*.yaml"))
    if given not in known:
        message = f"The catalogue has no {kind} called '{given}'."
        hint = f"{did_you_mean(given, known)} A file of your own ends in .yaml."
        raise FaultsInFile([document.fault(at, message, hint, quote=True)])
    return folder / f"{given}.yaml"


# --- the tree, and designs from it --------------------------------------------------------------------


def _compose(document: Document, parts: _Parts, experiment: ExperimentFile | None) -> Document:
    """Return the tree of a design as one document whose parts know where they were written."""
    data: Data = {name: document.data[name] for name in _SETTINGS_ONLY if name in document.data}
    origins: dict[DataPath, Origin] = dict(document.origins)
    sources: dict[str, Sequence[str]] = dict(document.sources)
    places: list[tuple[DataPath, Document]] = [((name,), part) for name, part in parts.world.items()]
    places += [(("pathways", name), part) for name, part in parts.pathways.items()]
    for at, part in places:
        sources.update(part.sources)
        origins.update({(*at, *path): origin for path, origin in part.origins.items()})
    data |= {name: part.data for name, part in parts.world.items()}
    data["pathways"] = {name: part.data for name, part in parts.pathways.items()}
    data["experiment"] = experiment.name if experiment else str(document.data.get("name", ""))
    return Document(document.path, data, origins, sources)


class _Composer:
    """Builds designs from the tree; parts that no change touches are checked once and shared."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data = document.data
        self.faults: list[Fault] = []
        #: Where changes were written: the lines whose faults only the whole can tell.
        self.lines: set[tuple[str, int | None]] = set()
        self._shared: dict[str, tuple[object, Any]] = {}

    def design(self, point: Point, common: tuple[Change, ...]) -> Design | None:
        """Return the design of a point, or None after noting what is wrong with it."""
        data = {**self.document.data, "scenario": point.name}
        changes = (*common, *point.changes)
        for change in changes:
            self.lines.add((change.origin.file, change.origin.line))
            fault = self._unknown(data, change)
            if fault is not None:
                self.faults.append(fault)
                return None
            data = set_path(data, change.path, change.value)
        try:
            design = Design.model_validate(self._with_shared(data))
        except ValidationError:
            self.faults += _explained(self.document, point, changes)
            return None
        if not common and not point.changes or not self._shared:
            self._share(data, design)
        if design.rates != _ALWAYS_LEGAL_RATES and design.rates not in design.faults.rate_sets:
            self.faults.append(self._rates_fault(design, changes))
            return None
        return design

    def _with_shared(self, data: Data) -> Data:
        """Return the tree with the models of all parts that are as they were in the first design."""
        result = dict(data)
        for name, (plain, model) in self._shared.items():
            if data.get(name) is plain:
                result[name] = model
        return result

    def _share(self, data: Data, design: Design) -> None:
        self._shared = {name: (data[name], getattr(design, name)) for name in (*_WORLD, "pathways")}

    def _unknown(self, data: Data, change: Change) -> Fault | None:
        """Return the fault of a path whose first parts do not exist; the rest is the models' to check."""
        words = change.path.split(".")
        known = [name for name in Design.model_fields if name in (*_SETTINGS_ONLY, *_WORLD, "pathways")]
        if words[0] not in known:
            return self._path_fault(change, f"'{words[0]}' is not known here.", did_you_mean(words[0], known))
        if words[0] == "pathways" and (len(words) == 1 or words[1] not in data["pathways"]):
            word = words[1] if len(words) > 1 else ""
            message = f"'{change.path}': no pathway of this experiment is called '{word}'."
            return self._path_fault(change, message, did_you_mean(word, data["pathways"]))
        try:
            set_path(data, change.path, change.value)
        except ValueError as error:
            return self._path_fault(change, f"'{change.path}' {error}", "")
        return None

    def _path_fault(self, change: Change, message: str, hint: str) -> Fault:
        origin = change.origin
        source = self.document.source(origin.line, origin.file)
        return Fault(origin.file, origin.line, change.path, message, hint, source)

    def _rates_fault(self, design: Design, changes: Iterable[Change]) -> Fault:
        """Return the fault of a rate set that the faults file does not have."""
        known = sorted({_ALWAYS_LEGAL_RATES, *design.faults.rate_sets})
        hint = did_you_mean(design.rates, known)
        message = f"rates: the faults file has no rate set called '{design.rates}'."
        for change in changes:
            if change.path == "rates":
                return self._path_fault(change, message, hint)
        return self.document.fault(("rates",), message, hint, quote=True)


def _explained(document: Document, point: Point, changes: Iterable[Change]) -> list[Fault]:
    """Return what is wrong with a design, each fault at the line that was written for it."""
    document = document.put("scenario", point.name)
    for change in changes:
        document = document.put(change.path, change.value, change.origin)
    try:
        validate(document, Design)
    except FaultsInFile as error:
        return error.faults
    raise AssertionError("a design that is refused in parts is right as a whole")


def _texts(point: Point, settings: Iterable[str], data: Data) -> dict[str, str]:
    """Return every varied setting of a point as text; what it does not set is as in the files."""
    own = point.settings
    return {path: own[path] if path in own else value_text(_standing(data, path)) for path in settings}


def _standing(data: Data, path: str) -> object:
    """Return what a dotted path has in the files, or the default's text where nothing stands there."""
    here: Any = data
    for word in path.split("."):
        if isinstance(here, list):
            here = next((item for item in here if isinstance(item, dict) and item.get("id") == word), None)
        elif isinstance(here, dict):
            here = here.get(word)
    return "default" if here is None else here


# --- checks that need the scenarios --------------------------------------------------------------------


def _comparison_faults(
    document: Document, experiment: ExperimentFile, found: Sequence[Point], settings: Sequence[str]
) -> list[Fault]:
    """Return what is wrong with ``compare:``: settings that are not varied, values that none has."""
    if experiment.compare is None:
        return []
    faults = []
    for path, value in experiment.compare.to.items():
        at: DataPath = ("compare", "to", path)
        text = value_text(value)
        if path == "scenario":
            names = [point.name for point in found]
            if text not in names:
                message = f"compare.to.scenario: no scenario is called '{text}'."
                faults.append(document.fault(at, message, did_you_mean(text, names)))
        elif path not in settings:
            message = f"compare.to names '{path}', which is not varied."
            faults.append(document.fault(at, message, did_you_mean(path, [*settings, "scenario"])))
        elif text != SAME:
            values = list(dict.fromkeys(p.settings[path] for p in found if path in p.settings))
            if "".join(text.split()) not in {"".join(v.split()) for v in values}:
                message = f"compare.to.{path}: no scenario has '{text}'."
                faults.append(document.fault(at, message, did_you_mean(text, [*values, SAME])))
    return faults


def _stopping_faults(document: Document, experiment: ExperimentFile | None) -> list[Fault]:
    """Return what is wrong with the stopping rule: its measure, its half width, or nothing to compare."""
    until = experiment.replications.until if experiment else None
    if experiment is None or until is None:
        return []
    at: DataPath = ("replications", "until")
    faults = []
    measures = load_labels("en").tables["measure"]
    if until.difference_in not in measures:
        message = f"'{until.difference_in}' is not a measure."
        faults.append(document.fault((*at, "difference_in"), message, did_you_mean(until.difference_in, measures)))
    try:
        parse_half_width(until.half_width)
    except ValueError as error:
        faults.append(document.fault((*at, "half_width"), f"replications.until.half_width {error}"))
    if experiment.compare is None:
        hint = "Add compare: {to: …}, or take out until."
        faults.append(document.fault(at, "replications.until needs differences to judge.", hint))
    return faults
