"""What ``change:``, ``vary:`` and ``scenarios:`` of an experiment file say: points, names, and faults.

A *point* is a list of changes to the tree of settings, each a dotted path, a value, and the file and
line it was written at. The grid has every combination of the varied values, the last one fastest.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowsim.config.documents import DataPath, Document, Origin
from flowsim.errors import Fault, FaultsInFile

#: More design points than this are a slip of the pen, not a question.
SCENARIOS_MAX: Final = 2000
#: The name of the only design point of an experiment that varies nothing.
AS_GIVEN: Final = "as given"

_LONGEST_VALUE: Final = 40


@dataclass(frozen=True)
class Change:
    """A value for a dotted path, and where it was written."""

    path: str
    value: Any
    origin: Origin


@dataclass(frozen=True)
class Point:
    """A named list of changes; ``settings`` has them as text."""

    name: str
    changes: tuple[Change, ...]

    @property
    def settings(self) -> dict[str, str]:
        """Return each changed path with its value as text."""
        return {change.path: value_text(change.value) for change in self.changes}


def value_text(value: object) -> str:
    """Return a varied value as text, as it stands in ``scenarios.csv``.

    >>> value_text("25 %"), value_text(True), value_text([1, 2])
    ('25 %', 'true', '[1,2]')
    """
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def common_changes(document: Document) -> tuple[Change, ...]:
    """Return what ``change:`` sets in every scenario; nothing where it is no mapping."""
    given = document.data.get("change")
    if not isinstance(given, Mapping):
        return ()
    return tuple(Change(path, value, document.where(("change", path))) for path, value in given.items())


def points(document: Document) -> list[Point]:
    """Return the points of ``vary:``, then of ``scenarios:``; one without changes if there is neither.

    Raises ``FaultsInFile`` for lists without values, values that stand twice and grids without end.
    What is no mapping is left to the model to refuse.
    """
    vary, named = document.data.get("vary") or {}, document.data.get("scenarios") or {}
    vary = vary if isinstance(vary, Mapping) else {}
    named = named if isinstance(named, Mapping) else {}
    faults = _grid_faults(document, vary)
    if faults:
        raise FaultsInFile(faults)
    result = [*_grid(document, vary), *_named(document, named)]
    return _unique(result) if result else [Point(AS_GIVEN, ())]


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return for each dotted path its last words, as few as tell it from the others.

    >>> short_names(["adoption.gp_practices", "rates"])
    {'adoption.gp_practices': 'gp_practices', 'rates': 'rates'}
    """
    names = {}
    for path in paths:
        words = path.split(".")
        for count in range(1, len(words) + 1):
            tail = ".".join(words[-count:])
            if not any(p != path and f".{p}".endswith(f".{tail}") for p in paths):
                break
        names[path] = tail
    return names


def _grid(document: Document, vary: Mapping[str, Any]) -> list[Point]:
    """Return every combination of the varied values."""
    if not vary:
        return []
    names = short_names(list(vary))
    axes = [
        [Change(path, value, document.where(("vary", path, index))) for index, value in enumerate(values)]
        for path, values in vary.items()
    ]
    return [
        Point(", ".join(f"{names[c.path]}={_short(c.value)}" for c in changes), changes)
        for changes in itertools.product(*axes)
    ]


def _named(document: Document, scenarios: Mapping[str, Any]) -> list[Point]:
    """Return the points that the file names, each with its settings."""
    return [
        Point(
            name,
            tuple(
                Change(path, value, document.where(("scenarios", name, path)))
                for path, value in (settings.items() if isinstance(settings, Mapping) else ())
            ),
        )
        for name, settings in scenarios.items()
    ]


def _grid_faults(document: Document, vary: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with the lists of ``vary:``, whatever their values mean."""
    faults = []
    count = 1
    for path, values in vary.items():
        at: DataPath = ("vary", path)
        if not isinstance(values, list):
            faults.append(document.fault(at, f"vary.{path} must be a list of values, such as [1, 2]."))
            continue
        if not values:
            faults.append(document.fault(at, f"vary.{path} has no values.", "Give at least one."))
        texts = [value_text(value) for value in values]
        for index, text in enumerate(texts):
            if text in texts[:index]:
                faults.append(document.fault((*at, index), f'vary.{path} has the value "{text}" twice.'))
        count *= max(1, len(values))
    if count > SCENARIOS_MAX:
        message = f"vary makes {count} scenarios; more than {SCENARIOS_MAX} are refused."
        faults.append(document.fault(("vary",), message, "Take out values, or split the experiment."))
    return faults


def _short(value: object) -> str:
    """Return a value for a scenario's name; lists of names are told by their size."""
    if isinstance(value, list) and not all(isinstance(item, int | float) for item in value):
        return f"{len(value)} named"
    text = value_text(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _unique(found: Iterable[Point]) -> list[Point]:
    """Return the points with a number behind a name that stood before."""
    seen: dict[str, int] = {}
    result = []
    for point in found:
        seen[point.name] = seen.get(point.name, 0) + 1
        count = seen[point.name]
        result.append(point if count == 1 else Point(f"{point.name} ({count})", point.changes))
    return result


def parse_half_width(value: str | float) -> float:
    """Return a half width in a measure's unit: "0.1 points" (of a hundred) is 0.001, "2 days" is 2.

    Raises ``ValueError`` for what is not a positive number with at most one word behind it.
    """
    number, _, word = str(value).strip().partition(" ")
    try:
        width = float(number)
    except ValueError:
        width = math.nan
    if not 0 < width < math.inf or (word.strip() and not word.strip().isalpha() and word.strip() != "%"):
        raise ValueError(f'must be a positive number such as "0.1 points" or 0.5 (got "{value}")')
    return width / 100 if word.strip() in ("point", "points", "%") else width
