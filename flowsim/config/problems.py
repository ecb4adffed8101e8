"""Pydantic's reports, each with its place in the file and what the model says about that place.

pydantic tells a place by keys and list positions, with the names of union members in between. Only a walk
along the model's schema can tell such a name from a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from flowsim.config.documents import DataPath, get_path

Schema = dict[str, Any]

#: Schemas around another one that say nothing about keys.
_WRAPPERS: Final = frozenset(
    [
        "chain",
        "default",
        "definitions",
        "function-after",
        "function-before",
        "function-wrap",
        "json-or-python",
        "lax-or-strict",
        "model",
        "model-field",
        "nullable",
    ]
)
_LISTS: Final = frozenset(["list", "tuple", "set", "frozenset"])


@dataclass(frozen=True)
class Problem:
    """One report of pydantic's, with what the schema says about its place."""

    kind: str  # pydantic's type of error
    message: str
    context: Mapping[str, Any]
    value: object
    path: DataPath  # keys and list positions only
    is_key: bool  # the key itself is wrong, not its value
    unions: tuple[tuple[DataPath, str], ...]  # untagged unions on the way: where, and which member
    fields: Schema | None  # the mapping of fields around the last step
    schema: Schema | None  # what the model says at the path


def problems_of(data: object, model: type[BaseModel], error: ValidationError) -> list[Problem]:
    """Return each of pydantic's reports on the data with its path and what the schema says there."""
    walker = _Walker(model.__pydantic_core_schema__)
    return [walker.problem(data, report["loc"], report) for report in error.errors(include_url=False)]


class _Walker:
    """Walks a model's core schema along the places that pydantic reports."""

    def __init__(self, schema: Any) -> None:
        self.root: Schema = schema
        self.definitions: dict[str, Schema] = {}

    def bare(self, schema: Schema | None) -> Schema | None:
        """Return a schema without what is wrapped around it."""
        while schema is not None:
            kind = schema["type"]
            if kind == "definitions":
                self.definitions.update({inner["ref"]: inner for inner in schema["definitions"]})
            if kind == "definition-ref":
                schema = self.definitions.get(schema["schema_ref"])
            elif kind in _WRAPPERS:
                schema = _inside(schema)
            else:
                return schema
        return None

    def problem(self, data: object, place: tuple[int | str, ...], report: Mapping[str, Any]) -> Problem:
        """Return a report with its path and schema."""
        path: DataPath = ()
        unions: list[tuple[DataPath, str]] = []
        fields: Schema | None = None
        schema = self.bare(self.root)
        is_key = False
        for step in place:
            kind = schema["type"] if schema is not None else ""
            if schema is not None and kind == "tagged-union":
                schema = self.bare(_tagged(schema, str(step)))
            elif schema is not None and kind == "union":
                unions.append((path, str(step)))
                schema = self.bare(self.member(schema, str(step)))
            elif step == "[key]":
                is_key, schema = True, self.bare(fields["keys_schema"]) if fields else None
            elif schema is not None and kind in ("model-fields", "dict"):
                fields, path = schema, (*path, step)
                schema = self.bare(_field(schema, str(step)))
            elif schema is not None and kind in _LISTS:
                path = (*path, step)
                schema = self.bare(_item(schema, step))
            elif get_path(data, (*path, step)) is not None:  # no schema to go by: what the file has
                path = (*path, step)
        return Problem(
            report["type"],
            report["msg"],
            report.get("ctx", {}),
            report["input"],
            path,
            is_key or report["type"] == "extra_forbidden",
            tuple(unions),
            fields,
            schema,
        )

    def member(self, union: Schema, label: str) -> Schema | None:
        """Return the member of a union that pydantic calls by a label such as ``tuple[str, ...]``."""
        for choice in union["choices"]:
            schema: Schema
            schema, own_label = choice if isinstance(choice, tuple) else (choice, "")
            bare = self.bare(schema) or schema
            name = bare.get("model_name", bare["type"])
            # A label is "Step", "tuple[Step, ...]", or has validators around it: "function-after[f(), Step]".
            if label in (own_label, name) or label.startswith(f"{name}[") or label.endswith(f", {name}]"):
                return schema
        return None


def _inside(schema: Schema) -> Schema | None:
    """Return the schema inside a wrapper."""
    inner: Schema | None = schema.get("schema") or schema.get("python_schema") or schema.get("lax_schema")
    if schema["type"] == "chain":
        inner = schema["steps"][-1]
    return inner


def _tagged(union: Schema, tag: str) -> Schema | None:
    """Return the member of a discriminated union that a tag stands for."""
    choices: Mapping[object, Schema] = union["choices"]
    return next((choice for name, choice in choices.items() if word_of(name) == tag), None)


def _field(schema: Schema, key: str) -> Schema | None:
    """Return the schema of the value at a key of a model or a dict."""
    inner: Schema | None
    if schema["type"] == "dict":
        inner = schema.get("values_schema")
    else:
        inner = schema["fields"].get(key)
        for field in schema["fields"].values():
            if field.get("validation_alias") == key:
                inner = field
    return inner


def _item(schema: Schema, index: int | str) -> Schema | None:
    """Return the schema of an item of a list or tuple."""
    items: Any = schema.get("items_schema")
    if not isinstance(items, list):
        inner: Schema | None = items
    elif schema.get("variadic_item_index") is not None and len(items) == 1:
        inner = items[0]
    else:
        inner = items[index] if isinstance(index, int) and index < len(items) else None
    return inner


def legal_words(schema: Schema | None) -> list[str]:
    """Return the words that a schema allows, where it is a closed list."""
    if schema is None:
        return []
    if schema["type"] == "literal":
        return [word_of(word) for word in schema["expected"]]
    if schema["type"] == "enum":
        return [word_of(member) for member in schema["members"]]
    return []


def word_of(value: object) -> str:
    """Return a legal value as it is written in a file."""
    return str(value.value) if isinstance(value, Enum) else str(value)
