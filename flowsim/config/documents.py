"""A file of the user's in memory: plain data, and for each part of it the file and line it came from.

A *path* is a tuple of keys and list positions, such as ``("steps", 0, "send")``. A *dotted path* is what
people write: ``adoption.gp_practices``; where it meets a list, a segment is the ``id`` of an item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flowsim.errors import Fault, FaultsInFile, did_you_mean

Data = dict[str, Any]
DataPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Origin:
    """Where something was written: the file as the user gave it, and a line counted from 1."""

    file: str
    line: int | None = None


@dataclass(frozen=True)
class Document:
    """A mapping read from a file (with what it is based on), and where each part of it was written.

    ``data`` holds dict, list, str, int, float, bool and None only. ``origins`` has an entry for each key
    and list item; ``sources`` the lines of each file that was read. Immutable by convention: ``put``
    returns a new document.
    """

    path: str
    data: Data
    origins: Mapping[DataPath, Origin] = field(default_factory=dict, repr=False)
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    def where(self, path: DataPath = ()) -> Origin:
        """Return the file and line of a path, or of the nearest thing around it that was written."""
        for length in range(len(path), -1, -1):
            origin = self.origins.get(path[:length])
            if origin is not None:
                return origin
        return Origin(self.path)

    def line(self, path: DataPath = ()) -> int | None:
        """Return the line of a path, or of its nearest parent; None where nothing was read from a file."""
        return self.where(path).line

    def source(self, line: int | None, file: str | None = None) -> str:
        """Return the text of a line of a file (this document's own, unless told), or ""."""
        lines = self.sources.get(self.path if file is None else file, ())
        return lines[line - 1] if line is not None and 0 < line <= len(lines) else ""

    def file_at(self, path: DataPath) -> Path:
        """Return the file that the text at a path names, relative to the file in which it was written."""
        return Path(self.where(path).file).parent / str(get_path(self.data, path))

    def fault(self, path: DataPath, message: str, hint: str = "", *, quote: bool = False) -> Fault:
        """Return a fault at a path; with ``quote`` the source line is shown beneath."""
        origin = self.where(path)
        source = self.source(origin.line, origin.file) if quote else ""
        return Fault(origin.file, origin.line, dotted(path, self.data), message, hint, source)

    def put(self, path: str, value: object, origin: Origin | None = None) -> Document:
        """Return this document with the value at a dotted path replaced (``vary:`` and overrides).

        With ``origin``, faults in the new value are reported there. Raises ``FaultsInFile`` where the
        path does not fit.
        """
        try:
            steps = find_path(self.data, path)
        except ValueError as error:
            place = origin or Origin(self.path)
            source = self.source(place.line, place.file)
            fault = Fault(place.file, place.line, path, f"'{path}' {error}", source_line=source)
            raise FaultsInFile([fault]) from None
        kept = {key: old for key, old in self.origins.items() if key[: len(steps)] != steps}
        # Without an origin the replaced part keeps the place where it stood.
        kept[steps] = origin or self.where(steps)
        return replace(self, data=_with(self.data, steps, value), origins=kept)


def merge(base: object, override: object) -> Any:
    """Return what a base file becomes under an override: mappings merge key by key, all else replaces.

    Lists and single values are replaced whole, and so is a mapping by anything that is not one. Neither
    argument is changed.

    >>> merge({"a": {"x": 1, "y": 2}, "b": [1, 2]}, {"a": {"y": 3}, "b": [9]})
    {'a': {'x': 1, 'y': 3}, 'b': [9]}
    """
    if not (isinstance(base, dict) and isinstance(override, dict)):
        return override
    merged = dict(base)
    for key, value in override.items():
        merged[key] = merge(base[key], value) if key in base else value
    return merged


def merge_documents(base: Document, override: Document) -> Document:
    """Return the override on top of its base; each part keeps the line of the file it came from."""
    replaced = _replaced(base.data, override.data)
    kept = {
        path: origin
        for path, origin in base.origins.items()
        if not any(path[:length] in replaced for length in range(1, len(path) + 1))
    }
    return Document(
        override.path,
        merge(base.data, override.data),
        {**kept, **override.origins},
        {**base.sources, **override.sources},
    )


def _replaced(base: object, override: object, here: DataPath = ()) -> set[DataPath]:
    """Return the paths at which an override replaces the base whole."""
    if not (isinstance(base, dict) and isinstance(override, dict)):
        return {here}
    both = [key for key in override if key in base]
    return {path for key in both for path in _replaced(base[key], override[key], (*here, key))}


def find_path(data: object, path: str) -> DataPath:
    """Return a dotted path as keys and list positions; list items are found by their ``id``.

    Keys that are not there yet are allowed (a file need not write out defaults). Raises ``ValueError``
    with the predicate of a sentence where a segment meets a single value or an unknown item.
    """
    steps: list[str | int] = []
    here: object = data
    for segment in path.split("."):
        if not segment:
            raise ValueError("must be names with dots between, such as adoption.gp_practices")
        if isinstance(here, list):
            ids = [str(item.get("id")) if isinstance(item, dict) else "" for item in here]
            if segment not in ids:
                hint = did_you_mean(segment, [name for name in ids if name])
                raise ValueError(f"names no item: '{segment}' is not the id of any. {hint}".rstrip())
            steps.append(ids.index(segment))
            here = here[ids.index(segment)]
        elif isinstance(here, dict) or here is None:
            steps.append(segment)
            here = here.get(segment) if isinstance(here, dict) else None
        else:
            raise ValueError(
                f"leads nowhere: there is nothing inside '{steps[-1]}' by the name of '{segment}'"
            )
    return tuple(steps)


def set_path(data: Data, path: str, value: object) -> Data:
    """Return the data with the value at a dotted path replaced; what is given is not changed.

    Raises ``ValueError`` as ``find_path`` does.

    >>> set_path({"services": [{"id": "intake", "staff": 2}]}, "services.intake.staff", 3)
    {'services': [{'id': 'intake', 'staff': 3}]}
    """
    changed = _with(data, find_path(data, path), value)
    assert isinstance(changed, dict)
    return changed


def _with(data: object, steps: DataPath, value: object) -> Any:
    """Return data with one value replaced, copying only what lies on the way to it."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(data, list) and isinstance(first, int):
        return [_with(item, rest, value) if index == first else item for index, item in enumerate(data)]
    mapping = data if isinstance(data, dict) else {}
    return {**mapping, first: _with(mapping.get(first), rest, value)}


def get_path(data: object, path: DataPath) -> object:
    """Return what stands at a path, or None where nothing does."""
    here: Any = data
    for step in path:
        is_key = isinstance(here, dict) and step in here
        is_item = isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here)
        if is_key or is_item:
            here = here[step]
        else:
            return None
    return here


def dotted(path: DataPath, data: object = None) -> str:
    """Return a path as people write it: an item of a list by its ``id``, else by its number from 1.

    >>> dotted(("steps", 0, "send"))
    'steps[1].send'
    """
    text = ""
    for index, step in enumerate(path):
        if isinstance(step, int):
            item = get_path(data, path[: index + 1])
            name = item.get("id") if isinstance(item, dict) else None
            text += f".{name}" if isinstance(name, str) else f"[{step + 1}]"
        else:
            text += f".{step}" if text else step
    return text.removeprefix(".")
