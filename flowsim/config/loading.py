"""Reading YAML files so that every fault can point at its line, and checking them against a model.

YAML 1.2 (``NO`` is a word, not false). Keys are text, dates stay text, and a key may stand once only.
A file may name another with ``base:``, relative to itself; it is then merged on top of that file (see
``documents.merge``), and each part still knows the file and line that it came from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flowsim.config.documents import (
    Data,
    DataPath,
    Document,
    Origin,
    dotted,
    get_path,
    merge,
    merge_documents,
    set_path,
)
from flowsim.config.explaining import explain
from flowsim.errors import Fault, FaultsInFile, nearest
from flowsim.units import shown

__all__ = [
    "Data",
    "DataPath",
    "Document",
    "Origin",
    "dotted",
    "gather",
    "get_path",
    "load",
    "load_yaml",
    "merge",
    "set_path",
    "validate",
]

#: A bound on what anchors may unfold to, so that a small file cannot fill the memory.
NODES_MAX = 1_000_000

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = (_TAG + "str", _TAG + "timestamp")
_NUMBER_TAGS = (_TAG + "int", _TAG + "float", _TAG + "bool", _TAG + "null")

Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")


def load_yaml(path: str | os.PathLike[str]) -> Document:
    """Return the mapping in a YAML file, on top of the file that its ``base:`` names, if any.

    Raises ``FaultsInFile``: a file that is missing, a folder, no text, empty, no YAML or no mapping gives
    one fault; keys that stand twice one each.
    """
    return _load(str(path), ())


def validate(document: Document, model: type[Model]) -> Model:
    """Return the document as a model, or raise ``FaultsInFile`` with every fault, in plain words."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise FaultsInFile(explain(document, model, error)) from None


def load(path: str | os.PathLike[str], model: type[Model]) -> Model:
    """Return a YAML file as a model, or raise ``FaultsInFile``."""
    return validate(load_yaml(path), model)


def gather(calls: Iterable[Callable[[], Result]]) -> list[Result]:
    """Call each, and return their results; raise the faults of all of them at once, if there are any.

    >>> gather([lambda: 1, lambda: 2])
    [1, 2]
    """
    results: list[Result] = []
    faults: list[Fault] = []
    for call in calls:
        try:
            results.append(call())
        except FaultsInFile as error:
            faults.extend(error.faults)
    if faults:
        raise FaultsInFile(faults)
    return results


def _load(path: str, chain: tuple[str, ...]) -> Document:
    """Read a file and what it is based on; ``chain`` holds the real paths of the files that led here."""
    document = _read(path)
    if "base" not in document.data:
        return document
    named = document.data["base"]
    if not isinstance(named, str):
        message = f'base must be the path of a file, such as "common.yaml" (got {shown(named)})'
        raise FaultsInFile([document.fault(("base",), message)])
    base_path = os.path.normpath(Path(path).parent / named)  # "a/../b" is shown as "b"
    chain = (*chain, os.path.realpath(path))
    if os.path.realpath(base_path) in chain:
        fault = document.fault(("base",), f"'{named}' is based on this very file.", "Take one of them out.")
        raise FaultsInFile([fault])
    if not Path(base_path).is_file():
        fault = _unreadable(base_path)
        raise FaultsInFile([document.fault(("base",), f"base: {fault.message}", fault.hint)])
    merged = merge_documents(_load(base_path, chain), document)
    del merged.data["base"]
    return merged


def _read(path: str) -> Document:
    """Read one file, without its base."""
    lines = _text(path).splitlines()
    node = _compose(path, "\n".join(lines) + "\n")
    if node is None:
        raise FaultsInFile([Fault(path, None, "", "is empty; it must have keys and values.")])
    reader = _Reader(path, lines)
    data = reader.value(node, ())
    if not isinstance(data, dict):
        message = f'must be a mapping of keys to values, such as "name: …" (got {shown(data)}).'
        reader.faults.append(Fault(path, node.start_mark.line + 1, "", message))
    if reader.faults:
        raise FaultsInFile(reader.faults)
    return Document(path, data, reader.origins, {path: lines})


def _text(path: str) -> str:
    """Return the text of a file, or raise the one fault that says why there is none."""
    try:
        raw = Path(path).read_bytes()
    except OSError:
        raise FaultsInFile([_unreadable(path)]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        fault = Fault(path, line, "", "is not text in UTF-8.", "Save it as UTF-8.")
        raise FaultsInFile([fault]) from None
    if "\0" in text:
        raise FaultsInFile([Fault(path, None, "", "is not a text file.")])
    return text


def _unreadable(path: str) -> Fault:
    """Return the fault of a file that cannot be opened."""
    file = Path(path)
    if file.is_dir():
        names = sorted(child.name for child in file.glob("*.yaml"))
        hint = f"Name a file in it, such as {file / names[0]}." if names else "Name a file."
        return Fault(path, None, "", "is a folder, not a file.", hint)
    if file.exists():
        return Fault(path, None, "", "cannot be read: no permission.")
    folder = file.parent
    near = nearest(file.name, (child.name for child in folder.iterdir())) if folder.is_dir() else None
    return Fault(
        path, None, "", f"'{path}' does not exist.", f"Did you mean '{folder / near}'?" if near else ""
    )


def _compose(path: str, text: str) -> Node | None:
    """Return the tree of YAML nodes, or raise the one fault that says where it cannot be read."""
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        problem = str(error.problem or error.context)
        raise FaultsInFile([_syntax_fault(path, line, problem, text.splitlines())]) from None
    except YAMLError as error:
        problem = getattr(error, "reason", None) or str(error).splitlines()[0]
        raise FaultsInFile([Fault(path, None, "", f"cannot be read as YAML: {problem}.")]) from None
    return node


def _syntax_fault(path: str, line: int | None, problem: str, lines: list[str]) -> Fault:
    """Return a YAML parser's complaint in words that help somebody who does not know YAML."""
    source = lines[line - 1] if line is not None and line <= len(lines) else ""
    indent = source[: len(source) - len(source.lstrip())]
    hint = ""
    if "\t" in indent or "'\\t'" in problem:
        message, hint = "A tab stands here.", "Indent with spaces."
    elif "another document" in problem or "document start" in problem:
        message, hint = "A second document begins here.", "Take out the line '---'."
    elif "undefined alias" in problem:
        message, hint = (
            "A name with '*' stands here that no '&' has set.",
            "Put text that begins with '*' in quotes.",
        )
    elif "mapping values are not allowed" in problem:
        message, hint = "A ':' stands where none can.", "Check the indentation, or put the text in quotes."
    elif "cannot start any token" in problem:
        message, hint = f"Cannot be read as YAML: {problem}.", "Put the text in quotes."
    else:
        message = f"Cannot be read as YAML: {problem}."
    return Fault(path, line, "", message, hint, source)


class _Reader:
    """Turns YAML nodes into plain data, noting the line of each key and item, and faults as they come."""

    def __init__(self, path: str, lines: list[str]) -> None:
        self.path = path
        self.lines = lines
        self.origins: dict[DataPath, Origin] = {(): Origin(path, 1)}
        self.faults: list[Fault] = []
        self.plain = YAML(typ="safe", pure=True).constructor
        self.count = 0
        self.open: set[int] = set()  # nodes that we are inside of, to refuse an anchor within itself

    def fault(self, node: Node, where: DataPath, message: str, hint: str = "") -> None:
        line = node.start_mark.line + 1
        source = self.lines[line - 1] if line <= len(self.lines) else ""
        self.faults.append(Fault(self.path, line, dotted(where), message, hint, source))

    def value(self, node: Node, where: DataPath) -> Any:
        """Return the plain data of a node."""
        self.count += 1
        if self.count > NODES_MAX:
            message = f"unfolds to more than {NODES_MAX} values."
            raise FaultsInFile([Fault(self.path, None, "", message, "Use fewer anchors.")])
        if isinstance(node, ScalarNode):
            return self.scalar(node, where)
        if id(node) in self.open:
            self.fault(node, where, "An anchor stands inside itself.", "Take out the '*' that names it.")
            return None
        self.open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.item(child, (*where, index)) for index, child in enumerate(node.value)]
            assert isinstance(node, MappingNode)
            return self.mapping(node, where)
        finally:
            self.open.discard(id(node))

    def item(self, node: Node, where: DataPath) -> Any:
        self.origins[where] = Origin(self.path, node.start_mark.line + 1)
        return self.value(node, where)

    def mapping(self, node: MappingNode, where: DataPath) -> Data:
        """Return a mapping; keys that ``<<`` brings in stand behind those written here."""
        data: Data = {}
        first: dict[str, int] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged.append(value_node)
                continue
            if not isinstance(key_node, ScalarNode):
                self.fault(key_node, where, "A key must be a single word or text.")
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in first:
                self.fault(
                    key_node, (*where, key), f"'{key}' stands here twice (first in line {first[key]})."
                )
                continue
            first[key] = line
            self.origins[*where, key] = Origin(self.path, line)
            data[key] = self.value(value_node, (*where, key))
        for source in self.merge_sources(merged):
            if not isinstance(source, MappingNode) or id(source) in self.open:
                self.fault(source, where, "'<<' must name a mapping, or a list of mappings.")
                continue
            # Origins written here stay; those of the merged mapping fill what is left.
            written = dict(self.origins)
            data = {**self.value(source, where), **data}
            self.origins.update(written)
        return data

    def merge_sources(self, nodes: list[Node]) -> Iterator[Node]:
        for node in nodes:
            if isinstance(node, SequenceNode):
                yield from node.value
            else:
                yield node

    def scalar(self, node: ScalarNode, where: DataPath) -> str | int | float | bool | None:
        """Return a single value; dates and words stay text."""
        if node.tag in _TEXT_TAGS:
            return str(node.value)
        if node.tag not in _NUMBER_TAGS:
            self.fault(
                node, where, f"'{str(node.tag).removeprefix(_TAG)}' is a YAML tag, which is not used here."
            )
            return None
        try:
            value: str | int | float | bool | None = self.plain.construct_object(node)
        except (ValueError, YAMLError):
            self.fault(node, where, f'cannot be read as a number (got "{node.value}").')
            return None
        return value
