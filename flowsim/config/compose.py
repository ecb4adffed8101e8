"""From an experiment file and the files it names to design points, each a whole, checked ``Design``.

The files become one tree of plain data, ``{start, …, adoption, topology, pathways, channels, faults}``,
in which every part knows the file and line it came from. ``change:`` is applied to it, then each point
of ``vary:`` (the full grid) and each of ``scenarios:``, by dotted path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from flowsim.config.documents import Data, DataPath, Document, Origin, find_path, get_path, set_path
from flowsim.config.experiment_file import Design, ExperimentFile
from flowsim.config.grid import AS_GIVEN, Change, Point, common_changes, parse_half_width, points, value_text
from flowsim.config.loading import load_yaml, validate
from flowsim.config.parts import OPTIONAL, WORLD, Parts, checked, read_parts
from flowsim.errors import Fault, FaultsInFile, did_you_mean
from flowsim.labels import load_labels

#: In ``compare.to``: the scenario's own value.
SAME: Final = "same"

#: What a design takes straight from the experiment file.
_SETTINGS: Final = tuple(name for name in Design.model_fields if name in ExperimentFile.model_fields)
_SETTINGS_ONLY: Final = tuple(name for name in _SETTINGS if name not in (*WORLD, "pathways"))
_ALWAYS_LEGAL_RATES: Final = "equal"


@dataclass(frozen=True)
class DesignPoint:
    """One scenario: its name, each varied setting as text, the whole design, and what was changed for it."""

    name: str
    settings: Mapping[str, str]
    design: Design
    changes: tuple[Change, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Study:
    """An experiment with all its files read and checked: the base design and every design point.

    ``settings`` are the dotted paths that differ between points, in the order of the file; ``document``
    is the tree of all files, each part with the place where it was written.
    """

    path: Path
    experiment: ExperimentFile
    base: Design
    settings: tuple[str, ...]
    points: tuple[DesignPoint, ...] = field(repr=False)
    document: Document = field(repr=False)

    def designs(self) -> list[DesignPoint]:
        """Return every design point, grid first (the last setting changes fastest), then named ones."""
        return list(self.points)

    def document_of(self, point: DesignPoint) -> Document:
        """Return the tree of a point, in which what was changed for it stands where it was written."""
        return _changed(self.document, point.changes)

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

    def declared_measures(self) -> tuple[str, ...]:
        """Return the measures that the question is about: those of ``compare:``, else that of ``until:``."""
        compare, until = self.experiment.compare, self.experiment.replications.until
        if compare is not None and compare.measures is not None:
            return compare.measures
        return () if until is None else (until.difference_in,)

    def resolved(self) -> dict[str, Any]:
        """Return everything that is run as plain data with every default, for ``resolved.yaml``."""
        from_design = {*WORLD, "pathways", *_SETTINGS_ONLY}
        given = self.experiment.model_dump(mode="json", exclude={"base", "change", "scenarios", *from_design})
        design = self.base.model_dump(mode="json", include=from_design)
        design = {name: part for name, part in design.items() if part is not None or name not in OPTIONAL}
        settings = {name: design.pop(name) for name in _SETTINGS_ONLY}
        scenarios = {point.name: dict(point.settings) for point in self.points}
        return {**given, **settings, "scenarios": scenarios, **design}


def load_study(path: str | os.PathLike[str]) -> Study:
    """Read an experiment file and all that it names, and return its checked design points.

    Raises ``FaultsInFile`` with the faults of all files at once.
    """
    document = load_yaml(path)
    faults: list[Fault] = []
    experiment = checked(document, ExperimentFile, faults)
    parts = read_parts(document, faults)
    found = _points(document, faults)
    if parts is None or found is None:
        raise FaultsInFile(faults)
    common = common_changes(document)
    composer = _Composer(_compose(document, parts, experiment), common)
    base = composer.design(Point(AS_GIVEN, ()))
    designs = [composer.design(point) for point in found]
    # What the files' own models have said already is not said again in the words of the whole.
    faults += (
        composer.faults if not faults else [f for f in composer.faults if (f.file, f.line) in composer.lines]
    )
    faults += _stopping_faults(document, experiment)
    settings = tuple(dict.fromkeys(path for point in found for path in point.settings))
    if experiment is not None:
        faults += _comparison_faults(document, experiment, found, settings)
    if faults or experiment is None or base is None:
        raise FaultsInFile(faults)
    whole = tuple(
        DesignPoint(p.name, _texts(p, settings, composer.data, base), design, (*common, *p.changes))
        for p, design in zip(found, designs, strict=True)
        if design is not None
    )
    return Study(Path(path), experiment, base, settings, whole, composer.document)


def _points(document: Document, faults: list[Fault]) -> list[Point] | None:
    """Return the scenarios' points, or None after noting what is wrong with their lists."""
    try:
        return points(document)
    except FaultsInFile as error:
        faults += error.faults
        return None


# --- the tree, and designs from it --------------------------------------------------------------------


def _compose(document: Document, parts: Parts, experiment: ExperimentFile | None) -> Document:
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
    """Builds designs from the tree; parts that no point touches are checked once and shared."""

    def __init__(self, document: Document, common: tuple[Change, ...]) -> None:
        self.document = document
        self.common = common
        self.faults: list[Fault] = []
        #: Where changes were written: the lines whose faults only the whole can tell.
        self.lines: set[tuple[str, int | None]] = set()
        self._shared: dict[str, tuple[object, Any]] = {}
        #: The tree with what every scenario has in common.
        self.data = self._apply(document.data, common) or document.data
        self._broken = bool(self.faults)

    def design(self, point: Point) -> Design | None:
        """Return the design of a point, or None after noting what is wrong with it."""
        data = self._apply({**self.data, "scenario": point.name}, point.changes)
        if data is None or self._broken:
            return None
        changes = (*self.common, *point.changes)
        try:
            design = Design.model_validate(self._with_shared(data))
        except ValidationError:
            self.faults += _explained(self.document, point, changes)
            return None
        if not self._shared:
            parts = [name for name in (*WORLD, "pathways") if name in data]
            self._shared = {name: (data[name], getattr(design, name)) for name in parts}
        if design.rates != _ALWAYS_LEGAL_RATES and design.rates not in design.faults.rate_sets:
            self.faults.append(self._rates_fault(design, changes))
            return None
        return design

    def _apply(self, data: Data, changes: Iterable[Change]) -> Data | None:
        """Return the tree with changes made, or None after noting a path that does not fit."""
        for change in changes:
            self.lines.add((change.origin.file, change.origin.line))
            fault = self._unknown(data, change)
            if fault is not None:
                self.faults.append(fault)
                return None
            data = set_path(data, change.path, change.value)
        return data

    def _with_shared(self, data: Data) -> Data:
        """Return the tree with the models of all parts that are as they were in the first design."""
        result = dict(data)
        for name, (plain, model) in self._shared.items():
            if data.get(name) is plain:
                result[name] = model
        return result

    def _unknown(self, data: Data, change: Change) -> Fault | None:
        """Return the fault of a path whose first parts do not exist; the rest is the models' to check."""
        words = change.path.split(".")
        known = [name for name in Design.model_fields if name in (*_SETTINGS_ONLY, *WORLD, "pathways")]
        if words[0] not in known:
            return self._path_fault(change, f"'{words[0]}' is not known here.", did_you_mean(words[0], known))
        if words[0] in OPTIONAL and words[0] not in data:
            message = f"'{change.path}': this experiment names no {words[0]}."
            return self._path_fault(change, message, f"Add {words[0]}: {words[0]}")
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
    try:
        validate(_changed(document.put("scenario", point.name), changes), Design)
    except FaultsInFile as error:
        return error.faults
    raise AssertionError("a design that is refused in parts is right as a whole")


def _changed(document: Document, changes: Iterable[Change]) -> Document:
    """Return the tree with changes made, each part of them known to stand where it was written."""
    for change in changes:
        steps = find_path(document.data, change.path)
        # What the path makes on its way stands there too.
        made = [steps[:n] for n in range(1, len(steps)) if get_path(document.data, steps[:n]) is None]
        document = document.put(change.path, change.value, change.origin)
        if made:
            document = replace(document, origins={**document.origins, **dict.fromkeys(made, change.origin)})
    return document


def _texts(point: Point, settings: Iterable[str], data: Data, base: Design) -> dict[str, str]:
    """Return every varied setting of a point as text; what it does not set is as in the files."""
    own = point.settings
    return {path: own[path] if path in own else _standing(path, data, base) for path in settings}


def _standing(path: str, data: Data, base: Design) -> str:
    """Return what a dotted path has in the files, else its default; "none" where there is none."""
    written = get_path(data, find_path(data, path))
    if written is None:
        whole = base.model_dump(mode="json")
        written = get_path(whole, find_path(whole, path))
    return "none" if written is None else value_text(written)


# --- checks that need the scenarios --------------------------------------------------------------------


def _comparison_faults(
    document: Document, experiment: ExperimentFile, found: Sequence[Point], settings: Sequence[str]
) -> list[Fault]:
    """Return what is wrong with ``compare:``: settings that are not varied, values that none has."""
    if experiment.compare is None:
        return []
    faults = []
    known = load_labels("en").tables["measure"]
    for index, name in enumerate(experiment.compare.measures or ()):
        if name not in known:
            message = f"'{name}' is not a measure."
            faults.append(document.fault(("compare", "measures", index), message, did_you_mean(name, known)))
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
        faults.append(
            document.fault((*at, "difference_in"), message, did_you_mean(until.difference_in, measures))
        )
    try:
        parse_half_width(until.half_width)
    except ValueError as error:
        faults.append(document.fault((*at, "half_width"), f"replications.until.half_width {error}"))
    if experiment.compare is None:
        hint = "Add compare: {to: …}, or take out until."
        faults.append(document.fault(at, "replications.until needs differences to judge.", hint))
    return faults
